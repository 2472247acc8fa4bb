// SPDX-License-Identifier: EUPL-1.2
/* Who belongs to the community: what the charter says of each node, invitations and how they are redeemed, cuts, addresses. */
#include "upkeep.h"

#include "carnet/base/text.h"
#include "carnet/replica/audit.h"

#include <stdlib.h>
#include <string.h>

enum {
    ADDRESSES_MAX = 4,
    ADDRESS_SIZE = 96,
    TERMS_LEN_MAX = 64 * 1024,
    REQUEST_LEN_MAX = 4096,
    CERT_SIZE = CARNET_CERT_LEN_MAX + 1024, /* a change with a certificate and two names, about */
    CUT_ROW_SIZE = 72,
    CUT_ROWS_MAX = 600 /* they fit an entry */
};
static const int64_t GUEST_MS = INT64_C(90) * 24 * 3600 * 1000; /* volunteers and gateways, unless told otherwise */

#define TERMS_DOMAIN "carnet/1/terms"
#define JOIN_DOMAIN "carnet/1/join"

/* Text on one line that drives no terminal: no control character (C1 neither), no mark that turns the direction of what follows. */
bool carnet_is_name(struct carnet_slice name)
{
    if (name.len == 0 || name.len > CARNET_NAME_LEN_MAX || !carnet_text_is_nfc(name))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t *p = name.ptr + i;
        size_t left = name.len - i;
        if (p[0] < 0x20 || p[0] == 0x7f || (p[0] == 0xc2 && left > 1 && p[1] < 0xa0))
            return false;
        if (p[0] == 0xe2 && left > 2 && ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) || (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
            return false;
    }
    return true;
}

carnet_rc carnet_replica_name_check(struct carnet_slice name, struct carnet_err *err)
{
    if (carnet_is_name(name))
        return CARNET_OK;
    return carnet_err_set(err, CARNET_USAGE, "a name is a text of 1 to %d bytes on one line", CARNET_NAME_LEN_MAX);
}

static bool is_past(int64_t moment_ms, int64_t now_ms)
{
    return moment_ms != 0 && moment_ms <= now_ms;
}

/* --- addresses --- */

static bool is_host_char(uint8_t c, bool bracket)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || (bracket && (c == ':' || c == '%'));
}

bool carnet_address_is(struct carnet_slice address)
{
    static const char scheme[] = "tcp://";
    size_t at = sizeof scheme - 1, colon = address.len, port = 0;
    if (address.len >= ADDRESS_SIZE || address.len <= at || memcmp(address.ptr, scheme, at) != 0)
        return false;
    while (colon > at && address.ptr[colon - 1] != ':')
        colon--;
    if (colon <= at + 1 || colon == address.len || address.len - colon > 5)
        return false;
    for (size_t i = colon; i < address.len; i++) {
        if (address.ptr[i] < '0' || address.ptr[i] > '9')
            return false;
        port = port * 10 + (size_t)(address.ptr[i] - '0');
    }
    size_t end = colon - 1; /* the host is [at, end) */
    bool bracket = address.ptr[at] == '[' && address.ptr[end - 1] == ']';
    if (bracket) {
        at++;
        end--;
    }
    for (size_t i = at; i < end; i++)
        if (!is_host_char(address.ptr[i], bracket))
            return false;
    return end > at && port > 0 && port <= UINT16_MAX;
}

static carnet_rc check_addresses(const char *const *addresses, size_t count, struct carnet_err *err)
{
    if (count > ADDRESSES_MAX)
        return carnet_err_set(err, CARNET_USAGE, "more than %d addresses", ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (carnet_address_is(carnet_slice_str(addresses[i])))
            continue;
        carnet_err_set(err, CARNET_USAGE, "not an address: %s", addresses[i]);
        carnet_err_hint(err, "an address looks like tcp://host.example.org:7777");
        return CARNET_USAGE;
    }
    return CARNET_OK;
}

/* What a node's own changes of its record say: the addresses of the newest change that has some, the latest `alive`. */
static void read_node_events(const struct carnet_record *record, const struct carnet_cert *cert, struct carnet_member *out)
{
    const struct carnet_event_item *newest = NULL;
    struct carnet_event event;
    uint64_t author = carnet_id_head(&cert->node);
    for (size_t i = 0; i < record->event_count; i++) {
        const struct carnet_event_item *item = &record->events[i];
        uint64_t type = carnet_event_peek(item->raw);
        if (item->dot.author != author || (type != CARNET_EVENT_ADDRESS && type != CARNET_EVENT_ALIVE))
            continue;
        if (type == CARNET_EVENT_ADDRESS && (!newest || item->hlc > newest->hlc))
            newest = item;
        if (type == CARNET_EVENT_ALIVE && carnet_event_decode(item->raw, &event) == CARNET_OK && event.ms > out->alive_ms)
            out->alive_ms = event.ms;
    }
    for (size_t i = 0; newest && i < record->event_count && out->address_count < ADDRESSES_MAX; i++) {
        const struct carnet_event_item *item = &record->events[i];
        if (item->dot.author != author || item->hlc != newest->hlc || carnet_event_peek(item->raw) != CARNET_EVENT_ADDRESS ||
            carnet_event_decode(item->raw, &event) != CARNET_OK || !carnet_address_is(event.text))
            continue; /* an empty one takes back those before */
        memcpy(out->addresses[out->address_count++], event.text.ptr, event.text.len);
    }
}

/* A name counts when whoever issued the certificate wrote it: nobody names himself. */
static void read_name(const struct carnet_record *record, const struct carnet_cert *cert, uint64_t issuer, const char *label, char out[CARNET_NAME_LEN_MAX + 1])
{
    const struct carnet_sibling *best = NULL;
    for (size_t i = 0; i < record->live_count; i++) {
        const struct carnet_sibling *sibling = &record->live[i];
        if (sibling->state == CARNET_SIBLING_VALUE && sibling->scope == CARNET_SCOPE_CLEAR && sibling->field == CARNET_FIELD_TEXT &&
            sibling->dot.author == issuer && carnet_slice_equal(sibling->label, carnet_slice_str(label)) && carnet_is_name(sibling->value) &&
            (!best || sibling->hlc > best->hlc))
            best = sibling;
    }
    if (best)
        memcpy(out, best->value.ptr, best->value.len);
    else
        memcpy(out, carnet_id_text(&cert->node).s, CARNET_ID_TEXT_LEN);
}

static carnet_rc read_member(struct carnet_replica *replica, const struct carnet_cert *cert, struct carnet_loaded *loaded, struct carnet_member *out,
                             struct carnet_err *err)
{
    const struct carnet_cert *issuer = carnet_authority_find(replica->authority, &cert->issuer);
    uint64_t by = carnet_id_head(issuer ? &issuer->node : &cert->node); /* the root key certified the founder, who named himself */
    *out = (struct carnet_member){ .cert = cert };
    carnet_rc rc = carnet_rows_get(replica, &replica->community, &cert->node, loaded, err);
    if (rc != CARNET_OK && rc != CARNET_NOT_FOUND)
        return rc;
    read_name(&loaded->record, cert, by, CARNET_LABEL_MEMBER, out->member);
    read_name(&loaded->record, cert, by, CARNET_LABEL_NODE, out->node);
    read_node_events(&loaded->record, cert, out);
    out->cut = carnet_authority_is_cut(replica->authority, &cert->node);
    out->expired = carnet_cert_expired(cert, carnet_replica_now_ms(replica));
    return CARNET_OK;
}

carnet_rc carnet_replica_members(struct carnet_replica *replica, bool (*each)(void *ctx, const struct carnet_member *member), void *ctx, struct carnet_err *err)
{
    struct carnet_loaded loaded;
    struct carnet_member member;
    carnet_rc rc = CARNET_OK;
    carnet_loaded_init(&loaded);
    for (size_t i = 0; rc == CARNET_OK && i < carnet_authority_count(replica->authority); i++) {
        rc = read_member(replica, carnet_authority_at(replica->authority, i), &loaded, &member, err);
        if (rc == CARNET_OK && !each(ctx, &member))
            break;
    }
    carnet_loaded_deinit(&loaded);
    return rc;
}

carnet_rc carnet_replica_member(struct carnet_replica *replica, const struct carnet_id *node, struct carnet_member *out, struct carnet_err *err)
{
    struct carnet_loaded loaded;
    const struct carnet_cert *cert = carnet_authority_node(replica->authority, node);
    if (!cert)
        return carnet_err_set(err, CARNET_NOT_FOUND, "there is no member %s", carnet_id_text(node).s);
    carnet_loaded_init(&loaded);
    carnet_rc rc = read_member(replica, cert, &loaded, out, err);
    carnet_loaded_deinit(&loaded);
    return rc;
}

void carnet_members_name(struct carnet_replica *replica, uint64_t author, char out[CARNET_NAME_LEN_MAX + 1])
{
    struct carnet_member member;
    const struct carnet_cert *cert = carnet_authority_author(replica->authority, author);
    memset(out, 0, CARNET_NAME_LEN_MAX + 1);
    if (cert && carnet_replica_member(replica, &cert->node, &member, NULL) == CARNET_OK)
        memcpy(out, member.member, sizeof member.member);
}

struct search {
    struct carnet_slice folded;
    struct carnet_buf buf;
    bool by_id;
    uint64_t low, high;
    struct carnet_member found;
    size_t count;
    bool standing; /* found is neither cut nor expired */
};

static bool folds_to(struct search *search, const char *name)
{
    carnet_buf_clear(&search->buf);
    return carnet_text_fold(carnet_slice_str(name), &search->buf) == CARNET_OK && carnet_slice_equal(carnet_buf_slice(&search->buf), search->folded);
}

/* Among several of one name, those that still stand come before those that do not. */
static bool match(void *ctx, const struct carnet_member *member)
{
    struct search *search = ctx;
    uint64_t tail = carnet_id_tail(&member->cert->node);
    if (search->by_id ? tail < search->low || tail > search->high : !folds_to(search, member->member) && !folds_to(search, member->node))
        return true;
    bool standing = !member->cut && !member->expired;
    if (search->count && search->standing && !standing)
        return true;
    if (standing && !search->standing)
        search->count = 0;
    search->found = *member;
    search->standing = standing;
    search->count++;
    return true;
}

carnet_rc carnet_replica_member_find(struct carnet_replica *replica, struct carnet_slice name, struct carnet_member *out, struct carnet_err *err)
{
    struct carnet_id id;
    struct carnet_buf folded;
    struct search search = { .count = 0 };
    if (name.len == 2 * sizeof id.b && carnet_unhex(name, id.b, sizeof id.b) && carnet_authority_node(replica->authority, &id))
        return carnet_replica_member(replica, &id, out, err);
    carnet_buf_init(&folded, 4 * CARNET_NAME_LEN_MAX);
    carnet_buf_init(&search.buf, 4 * CARNET_NAME_LEN_MAX);
    carnet_rc rc = CARNET_OK;
    if (carnet_text_fold(name, &folded) == CARNET_OK && folded.len) {
        search.folded = carnet_buf_slice(&folded);
        rc = carnet_replica_members(replica, match, &search, err);
    }
    if (rc == CARNET_OK && search.count == 0 && carnet_id_range(name, &search.low, &search.high)) {
        search.by_id = true;
        rc = carnet_replica_members(replica, match, &search, err);
    }
    if (rc == CARNET_OK && search.count == 0)
        rc = carnet_err_set(err, CARNET_NOT_FOUND, "there is no member %.*s", (int)(name.len < 120 ? name.len : 120), (const char *)name.ptr);
    if (rc == CARNET_OK && search.count > 1) {
        rc = carnet_err_set(err, CARNET_AMBIGUOUS, "several nodes belong to %.*s", (int)(name.len < 120 ? name.len : 120), (const char *)name.ptr);
        carnet_err_hint(err, "give the name of the node, or its id");
    }
    if (rc == CARNET_OK)
        *out = search.found;
    carnet_buf_deinit(&search.buf);
    carnet_buf_deinit(&folded);
    return rc;
}

/* --- inviting --- */

/* This node's certificate when it may invite now. */
static carnet_rc inviter(struct carnet_replica *replica, const struct carnet_cert **out, struct carnet_err *err)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    *out = self;
    if (!self || carnet_authority_is_cut(replica->authority, &replica->node))
        return carnet_err_set(err, CARNET_REFUSED, "this node was revoked");
    if (carnet_cert_expired(self, carnet_replica_now_ms(replica)))
        return carnet_err_set(err, CARNET_REFUSED, "the rights of this node have expired");
    size_t chain = 0;
    for (const struct carnet_cert *cert = self; cert; cert = carnet_authority_find(replica->authority, &cert->issuer))
        chain++;
    if (!(self->verbs & CARNET_VERB_INVITE) || chain >= CARNET_CHAIN_MAX) /* nobody would believe a longer one */
        return carnet_err_set(err, CARNET_REFUSED, "this node may not invite");
    return CARNET_OK;
}

static carnet_rc check_books(const struct carnet_cert *self, const struct carnet_replica *replica, const struct carnet_invite_terms *terms, struct carnet_err *err)
{
    for (size_t i = 0; i < terms->book_count; i++) {
        bool known = false;
        for (size_t j = 0; j < replica->book_count; j++)
            known = known || carnet_id_equal(&replica->books[j].id, &terms->books[i]);
        if (!known)
            return carnet_err_set(err, CARNET_NOT_FOUND, "there is no book %s", carnet_id_text(&terms->books[i]).s);
        if (!carnet_cert_holds(self, &terms->books[i]))
            return carnet_err_set(err, CARNET_REFUSED, "this node does not hold the book %s", carnet_id_text(&terms->books[i]).s);
    }
    return CARNET_OK;
}

/* What an invitation grants once defaults are filled in. The books are the inviter's, or a part of them. */
struct terms {
    struct carnet_slice name;
    enum carnet_role role;
    const struct carnet_id *books;
    size_t book_count;
    uint32_t reads;
    int64_t not_after_ms;
};

static carnet_rc settle_terms(struct carnet_replica *replica, const struct carnet_cert *self, const struct carnet_invite_terms *asked, struct terms *out,
                              struct carnet_err *err)
{
    int64_t now_ms = carnet_replica_now_ms(replica);
    bool guest = asked->role == CARNET_ROLE_VOLUNTEER || asked->role == CARNET_ROLE_GATEWAY;
    carnet_rc rc = carnet_replica_name_check(asked->name, err);
    if (rc != CARNET_OK)
        return rc;
    if (asked->role < CARNET_ROLE_ADMIN || asked->role > CARNET_ROLE_RELAY)
        return carnet_err_set(err, CARNET_USAGE, "there is no such role");
    if (asked->role < self->role)
        return carnet_err_set(err, CARNET_REFUSED, "this node may not invite with the role %s", carnet_role_name(asked->role));
    if (asked->role == CARNET_ROLE_RELAY && asked->scopes)
        return carnet_err_set(err, CARNET_USAGE, "a relay reads no scope");
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_COUNT; scope++)
        if (asked->scopes & ~self->reads & 1u << scope)
            return carnet_err_set(err, CARNET_REFUSED, "this node does not read the scope %s", carnet_scope_name((enum carnet_scope)scope));
    if (is_past(asked->code_until_ms ? asked->code_until_ms : 1, now_ms) || is_past(asked->expires_ms, now_ms))
        return carnet_err_set(err, CARNET_USAGE, "the invitation would have expired already");
    rc = check_books(self, replica, asked, err);
    if (rc != CARNET_OK)
        return rc;
    *out = (struct terms){ .name = asked->name, .role = asked->role, .books = asked->books, .book_count = asked->book_count, .not_after_ms = asked->expires_ms };
    out->reads = asked->scopes ? asked->scopes & CARNET_SCOPES_ALL : carnet_role_scopes(asked->role) & self->reads;
    /* Whoever may record that somebody agreed also records how: a grant without its evidence proves nothing. */
    if (out->reads && carnet_role_verbs(asked->role) & CARNET_VERB_GRANT)
        out->reads |= self->reads & 1u << CARNET_SCOPE_CONSENT;
    if (asked->book_count == 0) {
        out->books = self->books;
        out->book_count = self->book_count;
    }
    if (asked->expires_ms == 0 && guest)
        out->not_after_ms = now_ms + GUEST_MS;
    if (self->not_after_ms && (out->not_after_ms == 0 || out->not_after_ms > self->not_after_ms)) {
        if (asked->expires_ms)
            return carnet_err_set(err, CARNET_REFUSED, "the rights of this node expire before those it would give");
        out->not_after_ms = self->not_after_ms;
    }
    return CARNET_OK;
}

static void put_terms(const struct terms *terms, struct carnet_buf *out)
{
    carnet_cbor_put_array(out, 6);
    carnet_cbor_put_str(out, TERMS_DOMAIN);
    carnet_cbor_put_text(out, terms->name);
    carnet_cbor_put_uint(out, terms->role);
    carnet_cbor_put_array(out, terms->book_count);
    for (size_t i = 0; i < terms->book_count; i++)
        carnet_cbor_put_id(out, &terms->books[i]);
    carnet_cbor_put_uint(out, terms->reads);
    carnet_cbor_put_uint(out, (uint64_t)terms->not_after_ms);
}

static carnet_rc read_terms(struct carnet_slice bytes, struct carnet_arena *arena, struct terms *out, struct carnet_err *err)
{
    struct carnet_reader r;
    carnet_reader_init(&r, bytes);
    carnet_reader_array_exact(&r, 6);
    carnet_reader_tag(&r, TERMS_DOMAIN);
    out->name = carnet_reader_text_max(&r, CARNET_NAME_LEN_MAX);
    out->role = (enum carnet_role)carnet_reader_uint_max(&r, CARNET_ROLE_RELAY);
    out->book_count = carnet_reader_array_max(&r, CARNET_BOOKS_MAX);
    struct carnet_id *books = carnet_arena_alloc(arena, (out->book_count + 1) * sizeof *books);
    for (size_t i = 0; i < out->book_count && !r.failed; i++)
        carnet_reader_bytes_exact(&r, books[i].b, sizeof books[i].b);
    out->books = books;
    out->reads = (uint32_t)carnet_reader_uint_max(&r, UINT32_MAX);
    out->not_after_ms = (int64_t)carnet_reader_uint_max(&r, INT64_MAX);
    if (carnet_reader_done(&r) != CARNET_OK || out->role < CARNET_ROLE_ADMIN || !carnet_is_name(out->name))
        return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "an invitation");
    return CARNET_OK;
}

/* An invitation is found by the one-time key that its code yields. */
static struct carnet_id code_id(const struct carnet_box_pk *client)
{
    struct carnet_id id;
    memcpy(id.b, client->b, sizeof id.b);
    return id;
}

static void make_code(struct carnet_replica *replica, const struct carnet_invite_terms *terms, struct carnet_invite_code *code, struct carnet_box_pk *client)
{
    struct carnet_box_sk sk;
    *code = (struct carnet_invite_code){ .community = replica->community, .server = replica->curve_pk, .address_count = terms->address_count };
    carnet_rng_fill(&replica->env.rng, code->secret, sizeof code->secret);
    for (size_t i = 0; i < terms->address_count; i++)
        memcpy(code->addresses[i], terms->addresses[i], strlen(terms->addresses[i]) + 1);
    carnet_invite_keys(code->secret, client, &sk);
    carnet_wipe(&sk, sizeof sk);
}

/* The name of the member, unless it looks like an address or a number. */
static carnet_rc audit_invite(struct carnet_replica *replica, const struct carnet_invite_terms *terms, struct carnet_err *err)
{
    struct carnet_buf detail;
    carnet_buf_init(&detail, CARNET_AUDIT_DETAIL_LEN_MAX);
    carnet_buf_printf(&detail, "invited as %s: %.*s", carnet_role_name(terms->role), (int)terms->name.len, (const char *)terms->name.ptr);
    if (carnet_audit_check(carnet_buf_slice(&detail), NULL) != CARNET_OK) {
        carnet_buf_clear(&detail);
        carnet_buf_printf(&detail, "invited as %s", carnet_role_name(terms->role));
    }
    carnet_rc rc = carnet_audit_add(replica, CARNET_AUDIT_ADMIN, carnet_buf_slice(&detail), err);
    carnet_buf_deinit(&detail);
    return rc;
}

carnet_rc carnet_replica_invite(struct carnet_replica *replica, const struct carnet_invite_terms *terms, struct carnet_buf *code, struct carnet_err *err)
{
    const struct carnet_cert *self;
    struct terms given = { .book_count = 0 };
    struct carnet_invite_code made;
    struct carnet_box_pk client;
    struct carnet_buf bytes;
    bool mine;
    uint64_t written;
    carnet_rc rc = inviter(replica, &self, err);
    if (rc == CARNET_OK)
        rc = settle_terms(replica, self, terms, &given, err);
    if (rc == CARNET_OK && terms->address_count == 0) {
        rc = carnet_err_set(err, CARNET_USAGE, "an invitation needs the address of this node");
        carnet_err_hint(err, "give it with --address tcp://host:port, or run carnet node first");
    }
    if (rc == CARNET_OK)
        rc = check_addresses(terms->addresses, terms->address_count, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_buf_init(&bytes, TERMS_LEN_MAX);
    put_terms(&given, &bytes);
    CARNET_ASSERT(!bytes.failed);
    make_code(replica, terms, &made, &client);
    const struct carnet_invite_row row = { .code = code_id(&client), .until_ms = terms->code_until_ms, .terms = carnet_buf_slice(&bytes) };
    rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc == CARNET_OK) {
        replica->written++;
        rc = carnet_store_invite_put(replica->store, &row, err);
        if (rc == CARNET_OK)
            rc = audit_invite(replica, terms, err);
        rc = carnet_tx_leave(replica, mine, written, rc, err);
    }
    if (rc == CARNET_OK)
        carnet_invite_code_encode(&made, code);
    carnet_wipe(&made, sizeof made);
    carnet_buf_deinit(&bytes);
    return rc;
}

bool carnet_replica_invite_known(struct carnet_replica *replica, const struct carnet_box_pk *client)
{
    struct carnet_invite_row row;
    struct carnet_id id = code_id(client);
    return carnet_store_invite_get(replica->store, &id, &row, NULL) == CARNET_OK && !is_past(row.until_ms, carnet_replica_now_ms(replica));
}

/* --- joining --- */

/* [bytes, signature]; bytes = ["carnet/1/join", sign pk, box pk, curve pk, name of the node, one-time key]. */
void carnet_join_request(const struct carnet_identity *identity, struct carnet_slice node_name, const struct carnet_box_pk *client, struct carnet_buf *out)
{
    struct carnet_sign_pk sign_pk;
    struct carnet_sign_sk sign_sk;
    struct carnet_box_pk box, curve;
    struct carnet_box_sk sk;
    struct carnet_buf bytes;
    carnet_sign_pair(identity->sign, &sign_pk, &sign_sk);
    carnet_box_pair(identity->box, &box, &sk);
    carnet_box_pair(identity->curve, &curve, &sk);
    carnet_buf_init(&bytes, REQUEST_LEN_MAX);
    carnet_cbor_put_array(&bytes, 6);
    carnet_cbor_put_str(&bytes, JOIN_DOMAIN);
    carnet_cbor_put_bytes(&bytes, carnet_slice(sign_pk.b, sizeof sign_pk.b));
    carnet_cbor_put_bytes(&bytes, carnet_slice(box.b, sizeof box.b));
    carnet_cbor_put_bytes(&bytes, carnet_slice(curve.b, sizeof curve.b));
    carnet_cbor_put_text(&bytes, node_name);
    carnet_cbor_put_bytes(&bytes, carnet_slice(client->b, sizeof client->b));
    if (bytes.failed || !carnet_is_name(node_name))
        out->failed = true;
    struct carnet_sig sig = carnet_sign(&sign_sk, carnet_buf_slice(&bytes));
    carnet_cbor_put_array(out, 2);
    carnet_cbor_put_bytes(out, carnet_buf_slice(&bytes));
    carnet_cbor_put_bytes(out, carnet_slice(sig.b, sizeof sig.b));
    carnet_wipe(&sign_sk, sizeof sign_sk);
    carnet_wipe(&sk, sizeof sk);
    carnet_buf_deinit(&bytes);
}

struct request {
    struct carnet_sign_pk sign;
    struct carnet_box_pk box, curve;
    struct carnet_slice name;
    struct carnet_id node;
};

/* What a request says, once it is known to come from the holder of its keys and of the code. */
static carnet_rc read_request(struct carnet_slice raw, const struct carnet_box_pk *client, struct request *out)
{
    struct carnet_reader r;
    struct carnet_sig sig;
    struct carnet_box_pk named;
    if (raw.len > REQUEST_LEN_MAX)
        return CARNET_MALFORMED;
    carnet_reader_init(&r, raw);
    carnet_reader_array_exact(&r, 2);
    struct carnet_slice bytes = carnet_reader_bytes(&r);
    carnet_reader_bytes_exact(&r, sig.b, sizeof sig.b);
    if (carnet_reader_done(&r) != CARNET_OK)
        return CARNET_MALFORMED;
    carnet_reader_init(&r, bytes);
    carnet_reader_array_exact(&r, 6);
    carnet_reader_tag(&r, JOIN_DOMAIN);
    carnet_reader_bytes_exact(&r, out->sign.b, sizeof out->sign.b);
    carnet_reader_bytes_exact(&r, out->box.b, sizeof out->box.b);
    carnet_reader_bytes_exact(&r, out->curve.b, sizeof out->curve.b);
    out->name = carnet_reader_text_max(&r, CARNET_NAME_LEN_MAX);
    carnet_reader_bytes_exact(&r, named.b, sizeof named.b);
    if (carnet_reader_done(&r) != CARNET_OK || !carnet_is_name(out->name) || memcmp(named.b, client->b, sizeof named.b) != 0 || !carnet_sign_pk_valid(&out->sign))
        return CARNET_MALFORMED;
    out->node = carnet_node_id(&out->sign);
    return carnet_verify(&out->sign, bytes, &sig);
}

/* Somebody has this key or number already: one certificate a node. */
static bool is_taken(const struct carnet_replica *replica, const struct request *request)
{
    return carnet_authority_author(replica->authority, carnet_id_head(&request->node)) || carnet_authority_curve(replica->authority, &request->curve);
}

static bool is_theirs(const struct carnet_cert *cert, const struct request *request)
{
    return memcmp(cert->sign.b, request->sign.b, sizeof cert->sign.b) == 0 && memcmp(cert->box.b, request->box.b, sizeof cert->box.b) == 0 &&
           memcmp(cert->curve.b, request->curve.b, sizeof cert->curve.b) == 0;
}

/* The code is good for this asker now. *again: it was admitted already, its answer was lost. */
static carnet_rc check_code(struct carnet_replica *replica, const struct carnet_invite_row *row, const struct request *request, bool *again, struct carnet_err *err)
{
    const struct carnet_cert *cert = carnet_authority_node(replica->authority, &request->node);
    *again = false;
    bool used = row->used_ms != 0;
    used = used && (!CARNET_PLANTED(17) || carnet_id_equal(&row->node, &request->node)); /* planted: a code can be used twice */
    if (used) {
        *again = carnet_id_equal(&row->node, &request->node) && cert && is_theirs(cert, request);
        if (!*again) {
            carnet_err_set(err, CARNET_REFUSED, "this invitation was used already");
            carnet_err_hint(err, "ask for a new one");
            return CARNET_REFUSED;
        }
        if (carnet_authority_is_cut(replica->authority, &request->node))
            return carnet_err_set(err, CARNET_REFUSED, "this node was revoked");
        return CARNET_OK;
    }
    if (is_past(row->until_ms, carnet_replica_now_ms(replica))) {
        carnet_err_set(err, CARNET_REFUSED, "this invitation has expired");
        carnet_err_hint(err, "ask for a new one");
        return CARNET_REFUSED;
    }
    if (is_taken(replica, request))
        return carnet_err_set(err, CARNET_REFUSED, "this node is a member already");
    return CARNET_OK;
}

/* A key that nothing can be boxed to is none. */
static bool is_box_key(const struct carnet_box_pk *pk)
{
    struct carnet_buf probe;
    carnet_buf_init(&probe, 256);
    bool ok = carnet_box_seal(pk, carnet_slice_str("?"), &probe) == CARNET_OK;
    carnet_buf_deinit(&probe);
    return ok;
}

/* Signs the asker's certificate: raw gets it, cert is read back from it. */
static carnet_rc certify(struct carnet_replica *replica, const struct carnet_cert *self, const struct terms *terms, const struct request *request,
                         struct carnet_buf *raw, struct carnet_arena *arena, struct carnet_cert *cert, struct carnet_err *err)
{
    int64_t wall_ms = carnet_replica_wall_ms(replica);
    const struct carnet_cert made = {
        .community = replica->community,
        .node = request->node,
        .sign = request->sign,
        .box = request->box,
        .curve = request->curve,
        .issuer = self->hash,
        .role = terms->role,
        .books = terms->books,
        .book_count = terms->book_count,
        .reads = terms->reads,
        .writes = terms->reads & self->writes,
        .verbs = carnet_role_verbs(terms->role) & self->verbs,
        .issued_ms = wall_ms > 0 ? wall_ms : 0,
        .not_after_ms = terms->not_after_ms,
    };
    carnet_cert_sign(&made, &replica->sign_sk, raw);
    if (raw->failed)
        return carnet_err_set(err, CARNET_LIMIT, "the invitation names too many books");
    if (!is_box_key(&request->box) || !is_box_key(&request->curve) || carnet_cert_decode(carnet_buf_slice(raw), arena, cert) != CARNET_OK)
        return carnet_err_set(err, CARNET_MALFORMED, "the request to join cannot be read");
    if (carnet_cert_within(cert, self) != CARNET_OK)
        return carnet_err_set(err, CARNET_REFUSED, "this node may no longer give what the invitation promises");
    return CARNET_OK;
}

/* The charter entry: certificate, names, the keys of what the new member may read. */
static carnet_rc write_member(struct carnet_replica *replica, const struct carnet_cert *cert, struct carnet_slice member, struct carnet_slice node, struct carnet_err *err)
{
    const struct carnet_event event = { .type = CARNET_EVENT_CERTIFICATE, .bytes = cert->raw };
    const struct carnet_draft_cell cells[] = {
        { .field = CARNET_FIELD_TEXT, .label = carnet_slice_str(CARNET_LABEL_MEMBER), .value = member },
        { .field = CARNET_FIELD_TEXT, .label = carnet_slice_str(CARNET_LABEL_NODE), .value = node },
    };
    size_t boxes;
    carnet_rc rc = carnet_batch_change(replica, &replica->community, CARNET_LOG_DATA, &cert->node, NULL, CARNET_KIND_CERTIFICATE, CERT_SIZE, false, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_batch_event(replica, &event);
    carnet_batch_cells(replica, CARNET_SCOPE_CLEAR, 0, 0, NULL, cells, 2);
    rc = carnet_book_box_missing(replica, cert, &boxes, err);
    return rc == CARNET_OK ? carnet_batch_flush(replica, err) : rc;
}

static carnet_rc admit(struct carnet_replica *replica, const struct carnet_invite_row *row, const struct request *request, struct carnet_err *err)
{
    const struct carnet_cert *self;
    struct terms terms;
    struct carnet_cert cert;
    struct carnet_arena arena;
    struct carnet_buf raw;
    int64_t wall_ms = carnet_replica_wall_ms(replica);
    bool mine;
    uint64_t written;
    carnet_rc rc = inviter(replica, &self, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_arena_init(&arena);
    carnet_buf_init(&raw, CARNET_CERT_LEN_MAX + 128);
    struct carnet_invite_row used = *row; /* the store's memory changes under it */
    used.terms = carnet_arena_dup(&arena, row->terms);
    used.used_ms = wall_ms > 0 ? wall_ms : 1;
    used.node = request->node;
    rc = read_terms(used.terms, &arena, &terms, err);
    if (rc == CARNET_OK)
        rc = certify(replica, self, &terms, request, &raw, &arena, &cert, err);
    if (rc == CARNET_OK)
        rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc == CARNET_OK) {
        replica->written++;
        rc = carnet_store_invite_put(replica->store, &used, err);
        if (rc == CARNET_OK)
            rc = write_member(replica, &cert, terms.name, request->name, err);
        rc = carnet_tx_leave(replica, mine, written, rc, err);
    }
    carnet_buf_deinit(&raw);
    carnet_arena_deinit(&arena);
    return rc;
}

carnet_rc carnet_replica_admit(struct carnet_replica *replica, const struct carnet_box_pk *client, struct carnet_slice request, struct carnet_buf *welcome,
                               struct carnet_err *err)
{
    struct request asked;
    struct carnet_invite_row row;
    struct carnet_id id = code_id(client);
    bool again;
    if (read_request(request, client, &asked) != CARNET_OK)
        return carnet_err_set(err, CARNET_MALFORMED, "the request to join cannot be read");
    carnet_rc rc = carnet_store_invite_get(replica->store, &id, &row, err);
    if (rc == CARNET_NOT_FOUND) {
        carnet_err_set(err, CARNET_REFUSED, "this invitation is not known here");
        carnet_err_hint(err, "ask for a new one");
        return CARNET_REFUSED;
    }
    if (rc == CARNET_OK)
        rc = check_code(replica, &row, &asked, &again, err);
    if (rc == CARNET_OK && !again)
        rc = admit(replica, &row, &asked, err);
    if (rc != CARNET_OK)
        return rc;
    const struct carnet_cert *cert = carnet_authority_node(replica->authority, &asked.node);
    CARNET_ASSERT(cert != NULL);
    carnet_welcome_put(replica, cert, welcome);
    return CARNET_OK;
}

/* --- cutting --- */

static bool is_below(const struct carnet_replica *replica, const struct carnet_cert *cert)
{
    while ((cert = carnet_authority_find(replica->authority, &cert->issuer)))
        if (carnet_id_equal(&cert->node, &replica->node))
            return true;
    return false;
}

/* Where each of the node's logs ends here. */
static carnet_rc find_heads(struct carnet_replica *replica, const struct carnet_id *node, struct carnet_cut_row **rows, size_t *count, struct carnet_err *err)
{
    size_t cap = 0;
    for (size_t i = 0; i < replica->streams.count; i++) {
        const struct carnet_stream *stream = &replica->streams.at[i];
        struct carnet_entry_row entry;
        struct carnet_cut_row row = {
            .book = stream->row.book, .stream = stream->row.stream, .seq = carnet_stream_standing(stream), .hash = stream->row.hash
        };
        if (!carnet_id_equal(&stream->row.author, node) || row.seq == 0)
            continue;
        if (row.seq != stream->row.seq) {
            carnet_rc rc = carnet_store_entry_find(replica->store, stream->row.n, row.seq, &entry, err);
            if (rc != CARNET_OK)
                return rc;
            row.hash = entry.hash;
        }
        CARNET_GROW(*rows, *count, cap);
        (*rows)[(*count)++] = row;
    }
    return CARNET_OK;
}

static int compare_lengths(const void *left, const void *right)
{
    const struct carnet_cut_row *a = left, *b = right;
    return a->seq != b->seq ? (a->seq > b->seq ? -1 : 1) : a->stream < b->stream ? -1 : a->stream > b->stream;
}

static carnet_rc write_cut(struct carnet_replica *replica, const struct carnet_id *node, const struct carnet_cut_row *rows, size_t count, struct carnet_err *err)
{
    struct carnet_buf bytes;
    carnet_buf_init(&bytes, CARNET_ENTRY_LEN_MAX);
    carnet_cut_encode(rows, count, &bytes);
    if (bytes.failed) {
        carnet_buf_deinit(&bytes);
        return carnet_err_set(err, CARNET_LIMIT, "this node has too many logs");
    }
    const struct carnet_event event = { .type = CARNET_EVENT_CUT, .other = *node, .bytes = carnet_buf_slice(&bytes) };
    carnet_rc rc = carnet_batch_change(replica, &replica->community, CARNET_LOG_DATA, node, NULL, CARNET_KIND_CERTIFICATE, count * CUT_ROW_SIZE + 256, false, err);
    if (rc == CARNET_OK) {
        carnet_batch_event(replica, &event);
        rc = carnet_batch_flush(replica, err);
    }
    carnet_buf_deinit(&bytes);
    return rc;
}

carnet_rc carnet_replica_cut(struct carnet_replica *replica, const struct carnet_id *node, struct carnet_err *err)
{
    const struct carnet_cert *cert = carnet_authority_node(replica->authority, node), *self;
    struct carnet_cut_row *rows = NULL;
    size_t count = 0;
    bool mine;
    uint64_t written;
    if (!cert)
        return carnet_err_set(err, CARNET_NOT_FOUND, "there is no member %s", carnet_id_text(node).s);
    carnet_rc rc = inviter(replica, &self, err);
    if (rc != CARNET_OK)
        return rc;
    if (!is_below(replica, cert)) {
        carnet_err_set(err, CARNET_REFUSED, "this node may not revoke %s", carnet_id_text(node).s);
        carnet_err_hint(err, "only who invited a node, or somebody above, may revoke it");
        return CARNET_REFUSED;
    }
    if (carnet_authority_is_cut(replica->authority, node))
        return CARNET_OK;
    rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    rc = find_heads(replica, node, &rows, &count, err);
    if (count > CUT_ROWS_MAX) { /* whoever begins so many logs is revoked all the same: the longest stand */
        qsort(rows, count, sizeof *rows, compare_lengths);
        count = CUT_ROWS_MAX;
    }
    if (rc == CARNET_OK)
        rc = write_cut(replica, node, rows, count, err);
    free(rows);
    return carnet_tx_leave(replica, mine, written, rc, err);
}

/* --- what this node says of itself --- */

static carnet_rc write_node(struct carnet_replica *replica, const struct carnet_event *events, size_t count, struct carnet_err *err)
{
    bool mine;
    uint64_t written;
    carnet_rc rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    rc = carnet_batch_change(replica, &replica->community, CARNET_LOG_DATA, &replica->node, NULL, CARNET_KIND_NODE, count * (ADDRESS_SIZE + 8) + 64, false, err);
    for (size_t i = 0; rc == CARNET_OK && i < count; i++)
        carnet_batch_event(replica, &events[i]);
    if (rc == CARNET_OK)
        rc = carnet_batch_flush(replica, err);
    return carnet_tx_leave(replica, mine, written, rc, err);
}

carnet_rc carnet_members_alive(struct carnet_replica *replica, int64_t ms, struct carnet_err *err)
{
    const struct carnet_event event = { .type = CARNET_EVENT_ALIVE, .ms = ms };
    return write_node(replica, &event, 1, err);
}

carnet_rc carnet_replica_addresses(struct carnet_replica *replica, const char *const *addresses, size_t count, struct carnet_err *err)
{
    struct carnet_member member;
    struct carnet_event *events;
    carnet_rc rc = check_addresses(addresses, count, err);
    if (rc == CARNET_OK)
        rc = carnet_replica_member(replica, &replica->node, &member, err);
    if (rc != CARNET_OK)
        return rc;
    bool same = member.address_count == count;
    for (size_t i = 0; same && i < count; i++)
        same = strcmp(member.addresses[i], addresses[i]) == 0;
    if (same)
        return CARNET_OK;
    events = carnet_alloc((ADDRESSES_MAX + 1) * sizeof *events);
    for (size_t i = 0; i < count; i++)
        events[i] = (struct carnet_event){ .type = CARNET_EVENT_ADDRESS, .text = carnet_slice_str(addresses[i]) };
    if (count == 0)
        events[0].type = CARNET_EVENT_ADDRESS; /* an empty one: none any more */
    rc = write_node(replica, events, count ? count : 1, err);
    free(events);
    return rc;
}
