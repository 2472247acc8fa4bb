// SPDX-License-Identifier: EUPL-1.2
#include "../support/log_world.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t seed[16] = {5};

static int setup(void **state)
{
    if (carnet_crypto_init(NULL) != CARNET_OK)
        return -1;
    *state = carnet_alloc(sizeof(struct log_world));
    log_world_init(*state);
    return 0;
}

static int teardown(void **state)
{
    log_world_deinit(*state);
    free(*state);
    return 0;
}

/* --- genesis and certificates --- */

static void a_genesis_names_its_community(void **state)
{
    struct log_world *w = *state;
    struct carnet_genesis genesis;
    assert_int_equal(carnet_genesis_decode(w->genesis, &genesis), CARNET_OK);
    assert_true(carnet_slice_equal(genesis.name, carnet_slice_str("Les Amis d’Essai")));
    assert_memory_equal(genesis.root.b, w->root_pk.b, 32);
    assert_true(carnet_id_equal(carnet_authority_community(w->authority), &w->community));
    assert_true(carnet_slice_equal(carnet_authority_genesis(w->authority), w->genesis));
    uint8_t copy[200];
    for (size_t len = 0; len < w->genesis.len; len++)
        assert_null(carnet_authority_new(carnet_slice(w->genesis.ptr, len)));
    for (size_t i = 0; i < w->genesis.len; i++) {
        memcpy(copy, w->genesis.ptr, w->genesis.len);
        copy[i] ^= 1;
        struct carnet_id other = carnet_genesis_community(carnet_slice(copy, w->genesis.len));
        assert_false(carnet_id_equal(&other, &w->community));
    }
}

static carnet_rc add_bytes(struct log_world *w, const uint8_t *bytes, size_t len)
{
    struct carnet_authority *fresh = carnet_authority_new(w->genesis);
    carnet_rc rc = carnet_authority_add(fresh, carnet_slice(bytes, len));
    carnet_authority_free(fresh);
    return rc;
}

static void no_other_byte_passes_as_a_certificate(void **state)
{
    struct log_world *w = *state;
    uint8_t copy[1000];
    struct carnet_slice raw = w->admin.raw;
    assert_int_equal(add_bytes(w, raw.ptr, raw.len), CARNET_OK);
    for (size_t len = 0; len < raw.len; len++)
        assert_int_equal(add_bytes(w, raw.ptr, len), CARNET_MALFORMED);
    memcpy(copy, raw.ptr, raw.len);
    for (size_t bit = 0; bit < raw.len * 8; bit++) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(add_bytes(w, copy, raw.len), CARNET_OK);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void certificates_are_found(void **state)
{
    struct log_world *w = *state;
    const struct carnet_authority *a = w->authority;
    const struct log_node *nodes[] = {&w->admin, &w->office, &w->volunteer, &w->gateway, &w->relay};
    assert_int_equal(carnet_authority_count(a), 5);
    for (size_t i = 0; i < 5; i++) {
        const struct carnet_cert *cert = carnet_authority_node(a, &nodes[i]->id);
        assert_non_null(cert);
        assert_int_equal(cert->role, nodes[i]->cert.role);
        assert_ptr_equal(carnet_authority_find(a, &nodes[i]->cert.hash), cert);
        assert_ptr_equal(carnet_authority_author(a, carnet_id_head(&nodes[i]->id)), cert);
        assert_ptr_equal(carnet_authority_curve(a, &nodes[i]->curve), cert);
        if (i > 0)
            assert_true(carnet_id_compare(&carnet_authority_at(a, i - 1)->node, &carnet_authority_at(a, i)->node) < 0);
        assert_int_equal(carnet_authority_add(w->authority, nodes[i]->raw), CARNET_OK); /* once more */
    }
    assert_int_equal(carnet_authority_count(a), 5);
    struct carnet_id nobody = log_id(9);
    assert_null(carnet_authority_node(a, &nobody));
    assert_null(carnet_authority_find(a, &nobody));
    assert_null(carnet_authority_author(a, 5));
    assert_null(carnet_authority_curve(a, &w->admin.box));
}

static void a_certificate_waits_for_its_issuer(void **state)
{
    struct log_world *w = *state;
    struct log_node sub;
    log_keys(&sub, 20);
    struct carnet_cert cert = log_cert(w, &sub, &w->office, CARNET_ROLE_VOLUNTEER);
    log_certify(w, &sub, &cert, &w->office);
    const struct carnet_slice all[] = {w->admin.raw, w->office.raw, sub.raw, w->volunteer.raw};
    static const unsigned orders[][4] = {{0, 1, 2, 3}, {2, 1, 0, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}};
    for (size_t o = 0; o < 4; o++) {
        struct carnet_authority *a = carnet_authority_new(w->genesis);
        bool added[4] = {false};
        for (size_t round = 0; round < 3; round++) {
            for (size_t i = 0; i < 4; i++) {
                if (added[i])
                    continue;
                carnet_rc rc = carnet_authority_add(a, all[orders[o][i]]);
                assert_true(rc == CARNET_OK || rc == CARNET_AGAIN);
                added[i] = rc == CARNET_OK;
            }
        }
        assert_int_equal(carnet_authority_count(a), 4);
        for (size_t i = 0; i < 4; i++)
            assert_true(added[i]);
        carnet_authority_free(a);
    }
}

static carnet_rc add_below(struct log_world *w, const struct carnet_cert *cert, const struct log_node *issuer)
{
    struct log_node node = {0};
    log_certify(w, &node, cert, issuer);
    carnet_rc rc = carnet_authority_add(w->authority, node.raw);
    return rc;
}

static void nobody_gives_more_than_he_has(void **state)
{
    struct log_world *w = *state;
    struct log_node sub, mid;
    log_keys(&mid, 21);
    struct carnet_cert cert = log_cert(w, &mid, &w->admin, CARNET_ROLE_OFFICE);
    cert.books = &w->book;
    cert.book_count = 1;
    cert.reads = cert.writes = 1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_EMAIL;
    cert.not_after_ms = LOG_WORLD_MS + 1000;
    log_certify(w, &mid, &cert, &w->admin);
    assert_int_equal(carnet_authority_add(w->authority, mid.raw), CARNET_OK);

    log_keys(&sub, 22);
    struct carnet_cert good = log_cert(w, &sub, &mid, CARNET_ROLE_VOLUNTEER);
    good.books = &w->book;
    good.book_count = 1;
    good.reads = good.writes = 1u << CARNET_SCOPE_IDENTITY;
    good.not_after_ms = LOG_WORLD_MS + 1000;
    assert_int_equal(carnet_cert_within(&good, &mid.cert), CARNET_OK);
#define REFUSED(change)                                                                                                \
    do {                                                                                                               \
        struct carnet_cert bad = good;                                                                                 \
        change;                                                                                                        \
        assert_int_equal(add_below(w, &bad, &mid), CARNET_REFUSED);                                                    \
    } while (0)
    struct carnet_id two[] = {w->book, w->other_book};
    REFUSED(bad.reads |= 1u << CARNET_SCOPE_PHONE);
    REFUSED(bad.reads = bad.writes = CARNET_SCOPES_ALL);
    REFUSED(bad.verbs |= CARNET_VERB_CHARTER);
    REFUSED(bad.role = CARNET_ROLE_ADMIN);
    REFUSED(bad.books = NULL; bad.book_count = 0);
    REFUSED(bad.books = &w->other_book);
    REFUSED(bad.books = two; bad.book_count = 2);
    REFUSED(bad.not_after_ms = 0);
    REFUSED(bad.not_after_ms++);
    REFUSED(bad.community.b[0] ^= 1);
#undef REFUSED
    assert_int_equal(add_below(w, &good, &mid), CARNET_OK);

    struct log_node last; /* volunteers, gateways and relays invite nobody */
    log_keys(&last, 23);
    const struct log_node *issuers[] = {&w->volunteer, &w->gateway, &w->relay};
    for (size_t i = 0; i < 3; i++) {
        cert = log_cert(w, &last, issuers[i], CARNET_ROLE_RELAY);
        assert_int_equal(add_below(w, &cert, issuers[i]), CARNET_REFUSED);
    }
    cert = log_cert(w, &last, &w->office, CARNET_ROLE_RELAY); /* signed by another one than it says */
    assert_int_equal(add_below(w, &cert, &w->admin), CARNET_MALFORMED);
    cert = log_cert(w, &last, NULL, CARNET_ROLE_ADMIN);
    assert_int_equal(add_below(w, &cert, &w->admin), CARNET_MALFORMED);
}

static void a_certificate_makes_sense_or_is_malformed(void **state)
{
    struct log_world *w = *state;
    struct log_node node;
    log_keys(&node, 24);
    const struct carnet_cert good = log_cert(w, &node, &w->admin, CARNET_ROLE_OFFICE);
#define MALFORMED(change)                                                                                              \
    do {                                                                                                               \
        struct carnet_cert bad = good;                                                                                 \
        change;                                                                                                        \
        assert_int_equal(add_below(w, &bad, &w->admin), CARNET_MALFORMED);                                             \
    } while (0)
    MALFORMED(bad.node.b[0] ^= 1);
    MALFORMED(bad.sign = w->office.pk);
    MALFORMED(memset(bad.sign.b, 0, 32); bad.node = carnet_node_id(&bad.sign));
    MALFORMED(memset(bad.box.b, 0, 32));
    MALFORMED(memset(bad.curve.b, 0, 32));
    MALFORMED(bad.role = (enum carnet_role)0);
    MALFORMED(bad.role = (enum carnet_role)6);
    MALFORMED(bad.role = CARNET_ROLE_RELAY); /* that reads */
    MALFORMED(bad.reads = 0);                /* written, not read */
    MALFORMED(bad.reads |= 1u);              /* clear is no scope of a certificate */
    MALFORMED(bad.reads |= 1u << CARNET_SCOPE_COUNT);
    MALFORMED(bad.books = &w->community; bad.book_count = 1);
#undef MALFORMED
    struct carnet_cert cert = good; /* in one order, each once, whatever the caller gave */
    struct carnet_id books[] = {w->other_book, w->book, w->other_book};
    cert.books = books;
    cert.book_count = 3;
    assert_int_equal(add_below(w, &cert, &w->admin), CARNET_OK);
    const struct carnet_cert *kept = carnet_authority_node(w->authority, &node.id);
    assert_int_equal(kept->book_count, 2);
    assert_true(carnet_cert_holds(kept, &w->book));
    assert_true(carnet_cert_holds(kept, &w->community));
    struct carnet_id third = log_id(0xb2);
    assert_false(carnet_cert_holds(kept, &third));
    assert_true(carnet_cert_holds(&w->admin.cert, &third));
}

static void parts_go_to_readers_and_relays(void **state)
{
    struct log_world *w = *state;
    struct carnet_cert cert = w->volunteer.cert;
    cert.reads = 1u << CARNET_SCOPE_IDENTITY;
    assert_true(carnet_cert_gets(&cert, CARNET_SCOPE_CLEAR));
    assert_true(carnet_cert_gets(&cert, CARNET_SCOPE_IDENTITY));
    assert_false(carnet_cert_gets(&cert, CARNET_SCOPE_EMAIL));
    assert_true(carnet_cert_gets(&w->relay.cert, CARNET_SCOPE_EMAIL));
}

static void of_two_certificates_the_same_one_stands_everywhere(void **state)
{
    struct log_world *w = *state;
    struct log_node twice, again, deep;
    log_keys(&twice, 25);
    again = deep = twice;
    struct carnet_cert cert = log_cert(w, &twice, &w->admin, CARNET_ROLE_OFFICE);
    log_certify(w, &twice, &cert, &w->admin);
    cert.role = CARNET_ROLE_VOLUNTEER;
    log_certify(w, &again, &cert, &w->admin);
    cert = log_cert(w, &deep, &w->office,
                    CARNET_ROLE_OFFICE); /* from farther below: an office cannot take over somebody else's node */
    log_certify(w, &deep, &cert, &w->office);
    const struct carnet_slice raws[] = {twice.raw, again.raw, deep.raw};
    bool first = carnet_id_compare(&twice.cert.hash, &again.cert.hash) < 0;
    for (size_t o = 0; o < 3; o++) {
        struct carnet_authority *a = carnet_authority_new(w->genesis);
        assert_int_equal(carnet_authority_add(a, w->admin.raw), CARNET_OK);
        assert_int_equal(carnet_authority_add(a, w->office.raw), CARNET_OK);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(carnet_authority_add(a, raws[(o + i) % 3]), i ? CARNET_CONFLICT : CARNET_OK);
        const struct carnet_cert *stands = carnet_authority_node(a, &twice.id);
        assert_true(carnet_id_equal(&stands->hash, first ? &twice.cert.hash : &again.cert.hash));
        assert_ptr_equal(carnet_authority_curve(a, &twice.curve), stands);
        assert_int_equal(carnet_authority_count(a), 3);
        assert_non_null(carnet_authority_find(a, &twice.cert.hash));
        assert_non_null(carnet_authority_find(a, &again.cert.hash));
        assert_non_null(carnet_authority_find(a, &deep.cert.hash));
        carnet_authority_free(a);
    }
}

static void a_chain_leads_to_the_root(void **state)
{
    struct log_world *w = *state;
    struct log_node nodes[CARNET_CHAIN_MAX];
    const struct log_node *issuer = &w->office;
    struct carnet_buf chain;
    carnet_buf_init(&chain, CARNET_FRAME_LEN_MAX);
    for (size_t i = 2; i <= CARNET_CHAIN_MAX; i++) { /* the office is the second */
        struct log_node *node = &nodes[i - 2];
        log_keys(node, (uint8_t)(60 + i));
        struct carnet_cert cert = log_cert(w, node, issuer, CARNET_ROLE_OFFICE);
        log_certify(w, node, &cert, issuer);
        assert_int_equal(carnet_authority_add(w->authority, node->raw),
                         i < CARNET_CHAIN_MAX ? CARNET_OK : CARNET_REFUSED);
        issuer = node;
    }
    const struct log_node *last = &nodes[CARNET_CHAIN_MAX - 3];
    struct carnet_cert out;
    carnet_authority_chain(w->authority, &last->cert, &chain);
    struct carnet_authority *fresh = carnet_authority_new(w->genesis);
    assert_int_equal(carnet_authority_check_chain(fresh, carnet_buf_slice(&chain), &w->arena, &out), CARNET_OK);
    assert_true(carnet_id_equal(&out.hash, &last->cert.hash));
    assert_int_equal(carnet_authority_count(fresh), 0);
    for (size_t len = 0; len < chain.len; len += 7)
        assert_int_equal(carnet_authority_check_chain(fresh, carnet_slice(chain.ptr, len), &w->arena, &out),
                         CARNET_MALFORMED);

    carnet_buf_clear(&chain); /* without its beginning; with a stranger in the middle; empty */
    carnet_cbor_put_array(&chain, 1);
    carnet_cbor_put_bytes(&chain, w->office.raw);
    assert_int_equal(carnet_authority_check_chain(fresh, carnet_buf_slice(&chain), &w->arena, &out), CARNET_MALFORMED);
    carnet_buf_clear(&chain);
    carnet_cbor_put_array(&chain, 3);
    carnet_cbor_put_bytes(&chain, w->admin.raw);
    carnet_cbor_put_bytes(&chain, w->volunteer.raw);
    carnet_cbor_put_bytes(&chain, nodes[0].raw);
    assert_int_equal(carnet_authority_check_chain(fresh, carnet_buf_slice(&chain), &w->arena, &out), CARNET_MALFORMED);
    carnet_buf_clear(&chain);
    carnet_cbor_put_array(&chain, 0);
    assert_int_equal(carnet_authority_check_chain(fresh, carnet_buf_slice(&chain), &w->arena, &out), CARNET_MALFORMED);

    struct log_node bad; /* a link that gives too much */
    log_keys(&bad, 90);
    struct carnet_cert cert = log_cert(w, &bad, &w->volunteer, CARNET_ROLE_ADMIN);
    log_certify(w, &bad, &cert, &w->volunteer);
    carnet_buf_clear(&chain);
    carnet_cbor_put_array(&chain, 3);
    carnet_cbor_put_bytes(&chain, w->admin.raw);
    carnet_cbor_put_bytes(&chain, w->volunteer.raw);
    carnet_cbor_put_bytes(&chain, bad.raw);
    assert_int_equal(carnet_authority_check_chain(fresh, carnet_buf_slice(&chain), &w->arena, &out), CARNET_REFUSED);
    carnet_authority_free(fresh);
    carnet_buf_deinit(&chain);
}

/* --- what an entry may hold --- */

struct attempt {
    struct log_world *world;
    struct carnet_draft *draft;
    const struct log_node *author;
    const struct carnet_id *book;
    unsigned log;
};

static struct attempt attempt_by(struct log_world *w, const struct log_node *author, const struct carnet_id *book,
                                 unsigned log)
{
    return (struct attempt){.world = w, .draft = carnet_draft_new(), .author = author, .book = book, .log = log};
}

static carnet_rc outcome_at(struct attempt *a, const struct carnet_authority *authority, uint64_t seq)
{
    const char *why = NULL;
    struct carnet_entry_header header = log_header(a->world, a->author, a->book, a->log, seq);
    struct carnet_entry entry;
    log_decode(a->world, log_sign(a->world, a->draft, &header, a->author), &entry);
    carnet_rc rc = carnet_authority_check(authority, &entry, &why);
    assert_non_null(why);
    assert_int_equal(*why == 0, rc == CARNET_OK);
    carnet_draft_free(a->draft);
    return rc;
}

static carnet_rc outcome(struct attempt *a)
{
    return outcome_at(a, a->world->authority, 2);
}

/* The book, record and kind where an event belongs, and the event itself, such that only its author's rights decide. */
static void draft_event(struct attempt *a, enum carnet_event_type type, const struct carnet_id *record)
{
    struct log_world *w = a->world;
    struct carnet_event event = {.type = type,
                                 .purpose = carnet_slice_str("file"),
                                 .basis = CARNET_BASIS_CONSENT,
                                 .scope = CARNET_SCOPE_EMAIL,
                                 .other = log_id(8),
                                 .number = 1,
                                 .text = carnet_slice_str("x"),
                                 .value = carnet_slice_str("y")};
    struct carnet_key key = log_epoch_key(CARNET_SCOPE_EMAIL);
    enum carnet_kind kind = CARNET_KIND_CONTACT;
    struct carnet_buf bytes;
    carnet_buf_init(&bytes, 1000);
    struct carnet_id id = record ? *record : log_id(0xc0);
    switch (type) {
    case CARNET_EVENT_GRANT:
    case CARNET_EVENT_COUNTERSIGN:
    case CARNET_EVENT_WITHDRAW:
    case CARNET_EVENT_OBJECT:
    case CARNET_EVENT_RESTRICT:
    case CARNET_EVENT_LIFT:
    case CARNET_EVENT_DARK:
    case CARNET_EVENT_ERASE:
    case CARNET_EVENT_EDGE:
    case CARNET_EVENT_RECTIFY:
    case CARNET_EVENT_INVALIDATE:
    case CARNET_EVENT_INFORM:
        break;
    case CARNET_EVENT_RECEIPT:
        kind = CARNET_KIND_RECEIPT;
        id = record ? *record : a->author->id;
        break;
    case CARNET_EVENT_ADDRESS:
    case CARNET_EVENT_ALIVE:
        kind = CARNET_KIND_NODE;
        id = record ? *record : a->author->id;
        break;
    case CARNET_EVENT_CERTIFICATE: {
        struct log_node node;
        log_keys(&node, 50);
        struct carnet_cert cert = log_cert(w, &node, a->author, CARNET_ROLE_RELAY);
        log_certify(w, &node, &cert, a->author);
        carnet_buf_append_slice(&bytes, node.raw);
        kind = CARNET_KIND_CERTIFICATE;
        id = record ? *record : node.id;
        break;
    }
    case CARNET_EVENT_BOOK:
        kind = CARNET_KIND_BOOK;
        break;
    case CARNET_EVENT_EPOCH:
        kind = CARNET_KIND_EPOCH;
        event.other = w->book;
        event.epoch = carnet_epoch_commit(&w->book, event.scope, &key, &event.hash);
        break;
    case CARNET_EVENT_SETTING:
        kind = CARNET_KIND_SETTING;
        break;
    case CARNET_EVENT_CUT:
        carnet_cut_encode(NULL, 0, &bytes);
        kind = CARNET_KIND_CERTIFICATE;
        break;
    case CARNET_EVENT_GENESIS:
        carnet_buf_append_slice(&bytes, w->genesis);
        kind = CARNET_KIND_SETTING;
        break;
    case CARNET_EVENT_SUPPRESS:
        carnet_buf_append_str(&bytes, "sixteen bytes ..");
        kind = CARNET_KIND_SUPPRESSION;
        break;
    }
    event.bytes = carnet_buf_slice(&bytes);
    carnet_draft_change(a->draft, &id, kind == CARNET_KIND_CONTACT ? &id : NULL, kind);
    carnet_draft_event(a->draft, &event);
    carnet_buf_deinit(&bytes);
}

static bool of_charter(enum carnet_event_type type)
{
    return type > CARNET_EVENT_RECEIPT;
}

/* Who may write which event: Admin, Office, Volunteer, Gateway, Relay. */
static const struct {
    enum carnet_event_type type;
    const char *who;
} rights[] = {
    {CARNET_EVENT_GRANT, "AOV"},   {CARNET_EVENT_COUNTERSIGN, "AOV"}, {CARNET_EVENT_WITHDRAW, "AOVG"},
    {CARNET_EVENT_OBJECT, "AOVG"}, {CARNET_EVENT_RESTRICT, "AO"},     {CARNET_EVENT_LIFT, "AO"},
    {CARNET_EVENT_DARK, "AOG"},    {CARNET_EVENT_ERASE, "AO"},        {CARNET_EVENT_EDGE, "AO"},
    {CARNET_EVENT_RECTIFY, "AO"},  {CARNET_EVENT_INVALIDATE, "AO"},
    {CARNET_EVENT_RECEIPT, "AOVGR"},   {CARNET_EVENT_CERTIFICATE, "AO"},
    {CARNET_EVENT_BOOK, "A"},      {CARNET_EVENT_EPOCH, "AO"},        {CARNET_EVENT_ADDRESS, "AOVGR"},
    {CARNET_EVENT_ALIVE, "AOVGR"}, {CARNET_EVENT_SETTING, "A"},       {CARNET_EVENT_CUT, "AO"},
    {CARNET_EVENT_GENESIS, "A"},   {CARNET_EVENT_INFORM, "AOVG"},
    {CARNET_EVENT_SUPPRESS, "AOG"},
};
enum { RIGHTS = sizeof rights / sizeof *rights };

static const struct log_node *node_of(const struct log_world *w, char role)
{
    switch (role) {
    case 'A':
        return &w->admin;
    case 'O':
        return &w->office;
    case 'V':
        return &w->volunteer;
    case 'G':
        return &w->gateway;
    default:
        return &w->relay;
    }
}

static void each_event_needs_its_verb(void **state)
{
    struct log_world *w = *state;
    for (size_t i = 0; i < RIGHTS; i++) {
        for (const char *role = "AOVGR"; *role; role++) {
            enum carnet_event_type type = rights[i].type;
            struct attempt a =
                attempt_by(w, node_of(w, *role), of_charter(type) ? &w->community : &w->book, carnet_event_log(type));
            draft_event(&a, type, NULL);
            assert_int_equal(outcome(&a), strchr(rights[i].who, *role) ? CARNET_OK : CARNET_REFUSED);
        }
    }
}

static void each_event_has_its_log_and_its_book(void **state)
{
    struct log_world *w = *state;
    for (size_t i = 0; i < RIGHTS; i++) {
        enum carnet_event_type type = rights[i].type;
        struct attempt a =
            attempt_by(w, &w->admin, of_charter(type) ? &w->community : &w->book, !carnet_event_log(type));
        draft_event(&a, type, NULL);
        assert_int_equal(outcome(&a), CARNET_REFUSED);
        a = attempt_by(w, &w->admin, of_charter(type) ? &w->book : &w->community, carnet_event_log(type));
        draft_event(&a, type, NULL);
        assert_int_equal(outcome(&a), type == CARNET_EVENT_RECEIPT ? CARNET_OK : CARNET_REFUSED);
    }
}

static void a_node_speaks_for_itself_alone(void **state)
{
    struct log_world *w = *state;
    static const enum carnet_event_type types[] = {CARNET_EVENT_ADDRESS, CARNET_EVENT_ALIVE, CARNET_EVENT_RECEIPT};
    for (size_t i = 0; i < 3; i++) {
        struct attempt a = attempt_by(w, &w->admin, &w->community, carnet_event_log(types[i]));
        draft_event(&a, types[i], &w->office.id);
        assert_int_equal(outcome(&a), CARNET_REFUSED);
    }
}

static carnet_rc write_cell(struct log_world *w, const struct log_node *author, const struct carnet_id *book,
                            enum carnet_kind kind, enum carnet_scope scope)
{
    struct attempt a = attempt_by(w, author, book, CARNET_LOG_DATA);
    struct carnet_id id = log_id(0xc0);
    bool about = kind <= CARNET_KIND_VISIT;
    carnet_draft_change(a.draft, &id, about ? &id : NULL, kind);
    log_draft_cell(w, a.draft, book, about ? &id : NULL, scope, about ? seed : NULL, CARNET_FIELD_TEXT, "x", NULL, 0);
    return outcome(&a);
}

static void each_role_writes_what_it_may(void **state)
{
    struct log_world *w = *state;
    for (const char *role = "AOVGR"; *role; role++) {
        const struct log_node *author = node_of(w, *role);
        assert_int_equal(write_cell(w, author, &w->book, CARNET_KIND_CONTACT, CARNET_SCOPE_EMAIL),
                         strchr("AOV", *role) ? CARNET_OK : CARNET_REFUSED);
        assert_int_equal(write_cell(w, author, &w->book, CARNET_KIND_NOTE, CARNET_SCOPE_NOTES),
                         strchr("AOV", *role) ? CARNET_OK : CARNET_REFUSED);
        assert_int_equal(write_cell(w, author, &w->book, CARNET_KIND_CONTACT, CARNET_SCOPE_CONSENT),
                         strchr("AOVG", *role) ? CARNET_OK : CARNET_REFUSED);
        assert_int_equal(write_cell(w, author, &w->book, CARNET_KIND_IMPORT, CARNET_SCOPE_CONSENT),
                         strchr("AOV", *role) ? CARNET_OK : CARNET_REFUSED); /* who sends messages imports nothing */
        assert_int_equal(write_cell(w, author, &w->community, CARNET_KIND_IMPORT, CARNET_SCOPE_CLEAR), CARNET_REFUSED);
        assert_int_equal(write_cell(w, author, &w->book, CARNET_KIND_DELIVERY, CARNET_SCOPE_NOTES),
                         strchr("AOVG", *role) ? CARNET_OK : CARNET_REFUSED);
        assert_int_equal(write_cell(w, author, &w->community, CARNET_KIND_SETTING, CARNET_SCOPE_CLEAR),
                         strchr("A", *role) ? CARNET_OK : CARNET_REFUSED);
        assert_int_equal(write_cell(w, author, &w->community, CARNET_KIND_BOOK, CARNET_SCOPE_CLEAR),
                         strchr("A", *role) ? CARNET_OK : CARNET_REFUSED);
        assert_int_equal(write_cell(w, author, &w->community, CARNET_KIND_CERTIFICATE, CARNET_SCOPE_CLEAR),
                         strchr("AO", *role) ? CARNET_OK : CARNET_REFUSED);
    }
}

static void an_author_writes_its_books_and_scopes_alone(void **state)
{
    struct log_world *w = *state;
    struct log_node node;
    log_keys(&node, 26);
    struct carnet_cert cert = log_cert(w, &node, &w->admin, CARNET_ROLE_OFFICE);
    cert.books = &w->book;
    cert.book_count = 1;
    cert.reads = 1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_NOTES;
    cert.writes = 1u << CARNET_SCOPE_IDENTITY;
    log_certify(w, &node, &cert, &w->admin);
    assert_int_equal(carnet_authority_add(w->authority, node.raw), CARNET_OK);
    assert_int_equal(write_cell(w, &node, &w->book, CARNET_KIND_CONTACT, CARNET_SCOPE_IDENTITY), CARNET_OK);
    assert_int_equal(write_cell(w, &node, &w->other_book, CARNET_KIND_CONTACT, CARNET_SCOPE_IDENTITY), CARNET_REFUSED);
    assert_int_equal(write_cell(w, &node, &w->book, CARNET_KIND_CONTACT, CARNET_SCOPE_EMAIL), CARNET_REFUSED);
    assert_int_equal(write_cell(w, &node, &w->book, CARNET_KIND_CONTACT, CARNET_SCOPE_NOTES), CARNET_REFUSED);

    struct carnet_id contact = log_id(0xc0);
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_COUNT;
         scope++) { /* seeds: of what one writes, and of consent */
        struct attempt a = attempt_by(w, &node, &w->book, CARNET_LOG_DATA);
        carnet_draft_change(a.draft, &contact, &contact, CARNET_KIND_CONTACT);
        carnet_draft_seed(a.draft, (enum carnet_scope)scope, seed);
        assert_int_equal(outcome(&a),
                         scope == CARNET_SCOPE_IDENTITY || scope == CARNET_SCOPE_CONSENT ? CARNET_OK : CARNET_REFUSED);
    }
    struct attempt a =
        attempt_by(w, &node, &w->book, CARNET_LOG_LAW); /* a scope one does not read is not to be darkened */
    draft_event(&a, CARNET_EVENT_DARK, NULL);
    assert_int_equal(outcome(&a), CARNET_REFUSED);
    a = attempt_by(w, &node, &w->community,
                   CARNET_LOG_DATA); /* nor are its epochs to be opened: they would be read by whoever opens them */
    draft_event(&a, CARNET_EVENT_EPOCH, NULL);
    assert_int_equal(outcome(&a), CARNET_REFUSED);
}

static void keys_are_destroyed_in_changes_of_contacts_alone(void **state)
{
    struct log_world *w = *state;
    struct carnet_id note = log_id(0xc1), contact = log_id(0xc0);
    const enum carnet_event_type types[] = {CARNET_EVENT_DARK, CARNET_EVENT_ERASE};
    for (size_t i = 0; i < 2; i++) {
        const struct carnet_event event = {.type = types[i], .scope = CARNET_SCOPE_EMAIL};
        const struct {
            const struct carnet_id *record, *subject;
            enum carnet_kind kind;
            carnet_rc rc;
        } cases[] = {{&contact, &contact, CARNET_KIND_CONTACT, CARNET_OK},
                     {&note, &contact, CARNET_KIND_NOTE, CARNET_REFUSED},
                     {&note, NULL, CARNET_KIND_EVENT, CARNET_REFUSED},
                     {&contact, &contact, CARNET_KIND_NOTE, CARNET_REFUSED}};
        for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) {
            struct attempt a = attempt_by(w, &w->admin, &w->book, CARNET_LOG_LAW);
            carnet_draft_change(a.draft, cases[j].record, cases[j].subject, cases[j].kind);
            carnet_draft_event(a.draft, &event);
            assert_int_equal(outcome(&a), cases[j].rc);
        }
    }
}

static void no_seed_is_in_the_charter(void **state)
{
    struct log_world *w = *state;
    struct carnet_id record = log_id(0xc0);
    const struct carnet_id *books[] = {&w->book, &w->community};
    for (size_t i = 0; i < 2; i++) {
        struct attempt a = attempt_by(w, &w->admin, books[i], CARNET_LOG_DATA);
        carnet_draft_change(a.draft, &record, &record, (enum carnet_kind)60); /* of a newer version */
        carnet_draft_seed(a.draft, CARNET_SCOPE_CONSENT, seed);
        assert_int_equal(outcome(&a), i == 0 ? CARNET_OK : CARNET_REFUSED);
    }
}

static carnet_rc try_epoch(struct log_world *w, const struct log_node *author, const struct carnet_id *book,
                           enum carnet_scope scope, uint64_t number, uint64_t wrong)
{
    struct attempt a = attempt_by(w, author, &w->community, CARNET_LOG_DATA);
    struct carnet_key key = log_epoch_key(scope);
    struct carnet_event event = {.type = CARNET_EVENT_EPOCH, .other = *book, .scope = scope, .number = number};
    struct carnet_id id = log_id(0xe0);
    event.epoch = carnet_epoch_commit(book, scope, &key, &event.hash) + wrong;
    carnet_draft_change(a.draft, &id, NULL, CARNET_KIND_EPOCH);
    carnet_draft_event(a.draft, &event);
    return outcome(&a);
}

static void epochs_are_of_books_and_scopes_one_holds(void **state)
{
    struct log_world *w = *state;
    struct log_node node;
    log_keys(&node, 27);
    struct carnet_cert cert = log_cert(w, &node, &w->admin, CARNET_ROLE_OFFICE);
    cert.books = &w->book;
    cert.book_count = 1;
    cert.reads = cert.writes = 1u << CARNET_SCOPE_EMAIL;
    log_certify(w, &node, &cert, &w->admin);
    assert_int_equal(carnet_authority_add(w->authority, node.raw), CARNET_OK);
    assert_int_equal(try_epoch(w, &node, &w->book, CARNET_SCOPE_EMAIL, 1, 0), CARNET_OK);
    assert_int_equal(try_epoch(w, &node, &w->other_book, CARNET_SCOPE_EMAIL, 1, 0), CARNET_REFUSED);
    assert_int_equal(try_epoch(w, &node, &w->book, CARNET_SCOPE_PHONE, 1, 0), CARNET_REFUSED);
    assert_int_equal(try_epoch(w, &w->admin, &w->community, CARNET_SCOPE_EMAIL, 1, 0), CARNET_REFUSED);
    assert_int_equal(try_epoch(w, &w->admin, &w->community, CARNET_SCOPE_CONSENT, 1, 0), CARNET_OK); /* of the suppression tags */
    assert_int_equal(try_epoch(w, &w->office, &w->community, CARNET_SCOPE_CONSENT, 1, 0), CARNET_REFUSED);
    assert_int_equal(try_epoch(w, &w->admin, &w->book, CARNET_SCOPE_EMAIL, 0, 0), CARNET_REFUSED);
    assert_int_equal(try_epoch(w, &w->admin, &w->book, CARNET_SCOPE_EMAIL, CARNET_EPOCH_NUMBER_MAX, 0), CARNET_OK);
    assert_int_equal(try_epoch(w, &w->admin, &w->book, CARNET_SCOPE_EMAIL, (uint64_t)CARNET_EPOCH_NUMBER_MAX + 1, 0),
                     CARNET_REFUSED);
    assert_int_equal(try_epoch(w, &w->admin, &w->book, CARNET_SCOPE_EMAIL, 1, 1), CARNET_REFUSED);
}

static void boxes_and_clear_cells_belong_to_the_charter(void **state)
{
    struct log_world *w = *state;
    struct carnet_id id = log_id(0xe0);
    for (const char *role = "AOVGR"; *role; role++) {
        for (int charter = 0; charter < 2; charter++) {
            struct attempt a = attempt_by(w, node_of(w, *role), charter ? &w->community : &w->book, CARNET_LOG_DATA);
            carnet_draft_change(a.draft, charter && strchr("VGR", *role) ? &a.author->id : &id, NULL,
                                !charter               ? CARNET_KIND_MAILING
                                : strchr("VGR", *role) ? CARNET_KIND_NODE
                                                       : CARNET_KIND_EPOCH);
            carnet_draft_box(a.draft, CARNET_SCOPE_EMAIL, 5, &w->office.id, carnet_slice_str("box"));
            assert_int_equal(outcome(&a), charter && strchr("AO", *role) ? CARNET_OK : CARNET_REFUSED);
        }
    }
    assert_int_equal(write_cell(w, &w->admin, &w->book, CARNET_KIND_MAILING, CARNET_SCOPE_CLEAR), CARNET_REFUSED);
    assert_int_equal(write_cell(w, &w->admin, &w->community, CARNET_KIND_SETTING, CARNET_SCOPE_EMAIL), CARNET_REFUSED);
    assert_int_equal(write_cell(w, &w->admin, &w->community, CARNET_KIND_CONTACT, CARNET_SCOPE_EMAIL), CARNET_REFUSED);
    assert_int_equal(write_cell(w, &w->admin, &w->community, CARNET_KIND_MAILING, CARNET_SCOPE_CLEAR), CARNET_REFUSED);
    assert_int_equal(write_cell(w, &w->admin, &w->book, CARNET_KIND_SETTING, CARNET_SCOPE_NOTES), CARNET_REFUSED);
}

static carnet_rc carry(struct log_world *w, const struct log_node *author, struct carnet_slice raw,
                       const struct carnet_id *record, enum carnet_kind kind)
{
    struct attempt a = attempt_by(w, author, &w->community, CARNET_LOG_DATA);
    struct carnet_event event = {.type = CARNET_EVENT_CERTIFICATE, .bytes = raw};
    carnet_draft_change(a.draft, record, NULL, kind);
    carnet_draft_event(a.draft, &event);
    return outcome(&a);
}

static void certificates_are_carried_by_who_issued_them(void **state)
{
    struct log_world *w = *state;
    struct log_node node;
    log_keys(&node, 28);
    struct carnet_cert cert = log_cert(w, &node, &w->office, CARNET_ROLE_VOLUNTEER);
    log_certify(w, &node, &cert, &w->office);
    assert_int_equal(carry(w, &w->office, node.raw, &node.id, CARNET_KIND_CERTIFICATE), CARNET_OK);
    assert_int_equal(carry(w, &w->admin, node.raw, &node.id, CARNET_KIND_CERTIFICATE), CARNET_REFUSED);
    assert_int_equal(carry(w, &w->office, node.raw, &w->office.id, CARNET_KIND_CERTIFICATE), CARNET_REFUSED);
    assert_int_equal(carry(w, &w->office, node.raw, &node.id, CARNET_KIND_EPOCH), CARNET_REFUSED);
    assert_int_equal(carry(w, &w->office, carnet_slice_str("x"), &node.id, CARNET_KIND_CERTIFICATE), CARNET_REFUSED);
    cert.verbs |= CARNET_VERB_CHARTER;
    log_certify(w, &node, &cert, &w->office);
    assert_int_equal(carry(w, &w->office, node.raw, &node.id, CARNET_KIND_CERTIFICATE), CARNET_REFUSED);
    cert = log_cert(w, &node, &w->office, CARNET_ROLE_VOLUNTEER);
    log_certify(w, &node, &cert, &w->admin); /* another one's signature */
    assert_int_equal(carry(w, &w->office, node.raw, &node.id, CARNET_KIND_CERTIFICATE), CARNET_REFUSED);
    cert = log_cert(w, &node, NULL, CARNET_ROLE_ADMIN);
    log_certify(w, &node, &cert, NULL); /* the recovery key's may be carried by whoever invites */
    assert_int_equal(carry(w, &w->admin, node.raw, &node.id, CARNET_KIND_CERTIFICATE), CARNET_OK);
    log_certify(w, &node, &cert, &w->admin);
    assert_int_equal(carry(w, &w->admin, node.raw, &node.id, CARNET_KIND_CERTIFICATE), CARNET_REFUSED);
}

static void the_first_entry_brings_its_own_certificate(void **state)
{
    struct log_world *w = *state;
    struct carnet_authority *fresh = carnet_authority_new(w->genesis);
    struct carnet_event genesis = {.type = CARNET_EVENT_GENESIS, .bytes = w->genesis};
    struct carnet_event own = {.type = CARNET_EVENT_CERTIFICATE, .bytes = w->admin.raw};
    for (uint64_t seq = 1; seq <= 2; seq++) {
        struct attempt a = attempt_by(w, &w->admin, &w->community, CARNET_LOG_DATA);
        carnet_draft_change(a.draft, &w->community, NULL, CARNET_KIND_SETTING);
        carnet_draft_event(a.draft, &genesis);
        carnet_draft_change(a.draft, &w->admin.id, NULL, CARNET_KIND_CERTIFICATE);
        carnet_draft_event(a.draft, &own);
        log_draft_cell(w, a.draft, &w->community, NULL, CARNET_SCOPE_CLEAR, NULL, CARNET_FIELD_GIVEN, "Mairie", NULL,
                       0);
        assert_int_equal(outcome_at(&a, fresh, seq), seq == 1 ? CARNET_OK : CARNET_AGAIN);
    }
    struct attempt a =
        attempt_by(w, &w->office, &w->community, CARNET_LOG_DATA); /* of one that the recovery key did not sign: no */
    own.bytes = w->office.raw;
    carnet_draft_change(a.draft, &w->office.id, NULL, CARNET_KIND_CERTIFICATE);
    carnet_draft_event(a.draft, &own);
    assert_int_equal(outcome_at(&a, fresh, 1), CARNET_AGAIN);
    carnet_authority_free(fresh);

    a = attempt_by(w, &w->admin, &w->community, CARNET_LOG_DATA); /* another community's genesis */
    uint8_t other[200];
    memcpy(other, w->genesis.ptr, w->genesis.len);
    other[w->genesis.len - 1] ^= 1;
    genesis.bytes = carnet_slice(other, w->genesis.len);
    carnet_draft_change(a.draft, &w->community, NULL, CARNET_KIND_SETTING);
    carnet_draft_event(a.draft, &genesis);
    assert_int_equal(outcome(&a), CARNET_REFUSED);
}

static void an_entry_is_its_authors_and_its_communitys(void **state)
{
    struct log_world *w = *state;
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_id contact = log_id(0xc0);
    struct carnet_entry entry;
    struct carnet_entry_header header = log_header(w, &w->office, &w->book, CARNET_LOG_DATA, 2);
#define CHECK(header, signer, expected)                                                                                \
    do {                                                                                                               \
        carnet_draft_change(draft, &contact, &contact, CARNET_KIND_CONTACT);                                           \
        log_decode(w, log_sign(w, draft, &header, signer), &entry);                                                    \
        assert_int_equal(carnet_authority_check(w->authority, &entry, NULL), expected);                                \
    } while (0)
    CHECK(header, &w->office, CARNET_OK);
    CHECK(header, &w->admin, CARNET_MALFORMED); /* signed by somebody else */
    struct carnet_entry_header bad = header;
    bad.author = w->admin.id; /* under another one's certificate */
    CHECK(bad, &w->admin, CARNET_REFUSED);
    bad = header;
    bad.cert = log_id(3);
    CHECK(bad, &w->office, CARNET_AGAIN);
    bad = header;
    bad.community = log_id(3);
    CHECK(bad, &w->office, CARNET_REFUSED);
#undef CHECK
    carnet_draft_free(draft);
}

/* --- cuts --- */

static struct carnet_slice cut_bytes(struct log_world *w, const struct carnet_cut_row *rows, size_t count)
{
    struct carnet_buf bytes;
    carnet_buf_init(&bytes, 10000);
    carnet_cut_encode(rows, count, &bytes);
    return log_keep(w, &bytes);
}

static void of_cuts_the_smallest_stands_in_any_order(void **state)
{
    struct log_world *w = *state;
    struct log_node sub;
    log_keys(&sub, 29);
    struct carnet_cert cert = log_cert(w, &sub, &w->office, CARNET_ROLE_VOLUNTEER);
    log_certify(w, &sub, &cert, &w->office);
    const struct carnet_cut_row one[] = {{.book = w->other_book, .stream = 0, .seq = 4},
                                         {.book = w->book, .stream = 2, .seq = 9},
                                         {.book = w->book, .stream = 3, .seq = 2}};
    const struct carnet_cut_row two[] = {{.book = w->book, .stream = 2, .seq = 7},
                                         {.book = w->book, .stream = 3, .seq = 5}};
    struct carnet_slice cuts[] = {cut_bytes(w, one, 3), cut_bytes(w, two, 2)};
    const struct carnet_cert *authors[] = {&w->admin.cert, &w->office.cert};
    for (unsigned order = 0; order < 4; order++) {
        struct carnet_authority *a = carnet_authority_new(w->genesis);
        assert_int_equal(carnet_authority_add(a, w->admin.raw), CARNET_OK);
        assert_int_equal(carnet_authority_add(a, w->office.raw), CARNET_OK);
        bool late = order & 2; /* the cuts come before the certificate */
        carnet_rc expected = late ? CARNET_REFUSED : CARNET_OK;
        if (!late)
            assert_int_equal(carnet_authority_add(a, sub.raw), CARNET_OK);
        assert_false(carnet_authority_is_cut(a, &sub.id));
        assert_true(carnet_authority_cut_at(a, &sub.id, &w->book, 2) == UINT64_MAX);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(carnet_authority_cut(a, &sub.id, authors[(i + order) % 2], cuts[(i + order) % 2]),
                             expected);
        if (late) {
            assert_false(carnet_authority_is_cut(a, &sub.id));
            assert_int_equal(carnet_authority_add(a, sub.raw), CARNET_OK);
        }
        assert_true(carnet_authority_is_cut(a, &sub.id));
        assert_int_equal(carnet_authority_cut_at(a, &sub.id, &w->book, 2), 7);
        assert_int_equal(carnet_authority_cut_at(a, &sub.id, &w->book, 3), 2);
        assert_int_equal(carnet_authority_cut_at(a, &sub.id, &w->book, 4), 0);       /* not listed */
        assert_int_equal(carnet_authority_cut_at(a, &sub.id, &w->other_book, 0), 0); /* listed in one of the two */
        assert_int_equal(carnet_authority_cut(a, &sub.id, authors[0], cuts[0]), CARNET_OK);
        assert_false(carnet_authority_is_cut(a, &w->office.id));
        carnet_authority_free(a);
    }
}

static void only_ancestors_cut(void **state)
{
    struct log_world *w = *state;
    struct carnet_slice all = cut_bytes(w, NULL, 0);
    struct carnet_authority *a = w->authority;
    assert_int_equal(carnet_authority_cut(a, &w->volunteer.id, &w->office.cert, all), CARNET_REFUSED); /* a sibling */
    assert_int_equal(carnet_authority_cut(a, &w->admin.id, &w->office.cert, all), CARNET_REFUSED);     /* a child */
    assert_int_equal(carnet_authority_cut(a, &w->office.id, &w->office.cert, all), CARNET_REFUSED);    /* itself */
    assert_int_equal(carnet_authority_cut(a, &w->volunteer.id, &w->relay.cert, all), CARNET_REFUSED);
    assert_false(carnet_authority_is_cut(a, &w->volunteer.id));
    assert_true(carnet_authority_cut_at(a, &w->admin.id, &w->book, 0) == UINT64_MAX);
    assert_int_equal(carnet_authority_cut(a, &w->volunteer.id, &w->admin.cert, all), CARNET_OK);
    assert_true(carnet_authority_is_cut(a, &w->volunteer.id));
    assert_int_equal(carnet_authority_cut_at(a, &w->volunteer.id, &w->book, 0), 0);
}

static void a_cut_is_strict(void **state)
{
    struct log_world *w = *state;
    const struct carnet_cut_row rows[] = {{.book = w->book, .stream = 2, .seq = 9},
                                          {.book = w->book, .stream = 1, .seq = 8}};
    struct carnet_slice good = cut_bytes(w, rows, 2);
    struct carnet_authority *a = w->authority;
    for (size_t len = 0; len < good.len; len++)
        assert_int_equal(carnet_authority_cut(a, &w->office.id, &w->admin.cert, carnet_slice(good.ptr, len)),
                         CARNET_MALFORMED);
    uint8_t copy[500];
    memcpy(copy, good.ptr, good.len);
    copy[1 + 1 + 17] = 3; /* streams no longer ascend */
    assert_int_equal(carnet_authority_cut(a, &w->office.id, &w->admin.cert, carnet_slice(copy, good.len)),
                     CARNET_MALFORMED);
    copy[1 + 1 + 17] = 2; /* twice the same */
    assert_int_equal(carnet_authority_cut(a, &w->office.id, &w->admin.cert, carnet_slice(copy, good.len)),
                     CARNET_MALFORMED);
    copy[1 + 1 + 17] = 1;
    copy[1 + 1 + 17 + 1] = 0; /* sequence 0 */
    assert_int_equal(carnet_authority_cut(a, &w->office.id, &w->admin.cert, carnet_slice(copy, good.len)),
                     CARNET_MALFORMED);
    assert_false(carnet_authority_is_cut(a, &w->office.id));
    assert_int_equal(carnet_authority_cut(a, &w->office.id, &w->admin.cert, good), CARNET_OK);
}

/* --- keys --- */

static struct carnet_epoch epoch(const struct carnet_id *book, enum carnet_scope scope, uint8_t fill, uint64_t number,
                                 struct carnet_key *key)
{
    struct carnet_epoch e = {.book = *book, .scope = scope, .number = number};
    memset(key->b, fill, sizeof key->b);
    e.id = carnet_epoch_commit(book, scope, key, &e.commitment);
    return e;
}

static void a_key_opens_the_epoch_it_was_committed_to(void **state)
{
    struct log_world *w = *state;
    struct carnet_keyring *ring = carnet_keyring_new();
    struct carnet_key key, other;
    bool news;
    struct carnet_epoch e = epoch(&w->book, CARNET_SCOPE_EMAIL, 1, 1, &key);
    epoch(&w->book, CARNET_SCOPE_EMAIL, 2, 1, &other);
    assert_int_equal(carnet_keyring_unlock(ring, e.id, &key, &news), CARNET_NOT_FOUND);
    carnet_keyring_add(ring, &e);
    carnet_keyring_add(ring, &e);
    assert_int_equal(carnet_keyring_count(ring), 1);
    assert_false(carnet_keyring_at(ring, 0)->held);
    assert_null(carnet_keyring_newest(ring, &w->book, CARNET_SCOPE_EMAIL));
    assert_int_equal(carnet_keyring_unlock(ring, e.id, &other, &news), CARNET_MALFORMED);
    assert_false(news);
    assert_int_equal(carnet_keyring_unlock(ring, e.id, &key, &news), CARNET_OK);
    assert_true(news);
    assert_int_equal(carnet_keyring_unlock(ring, e.id, &key, &news), CARNET_OK);
    assert_false(news);
    const struct carnet_epoch *found = carnet_keyring_find(ring, &w->book, CARNET_SCOPE_EMAIL, e.id);
    assert_true(found && found->held);
    assert_memory_equal(found->key.b, key.b, 32);
    assert_null(carnet_keyring_find(ring, &w->book, CARNET_SCOPE_PHONE, e.id));
    assert_null(carnet_keyring_find(ring, &w->other_book, CARNET_SCOPE_EMAIL, e.id));
    e.id++; /* an id that no key can have */
    carnet_keyring_add(ring, &e);
    assert_int_equal(carnet_keyring_count(ring), 1);
    carnet_keyring_free(ring);
}

static void the_newest_epoch_held_is_written_under(void **state)
{
    struct log_world *w = *state;
    struct carnet_key keys[6];
    struct carnet_epoch epochs[6];
    static const uint64_t numbers[] = {1, 2, 2, 2, 3, 9};
    for (size_t i = 0; i < 6; i++)
        epochs[i] =
            epoch(i == 5 ? &w->other_book : &w->book, CARNET_SCOPE_EMAIL, (uint8_t)(i + 1), numbers[i], &keys[i]);
    size_t smallest = 1;
    for (size_t i = 2; i < 4; i++)
        if (epochs[i].id < epochs[smallest].id)
            smallest = i;
    for (size_t start = 0; start < 6; start++) {
        struct carnet_keyring *ring = carnet_keyring_new();
        bool news;
        for (size_t i = 0; i < 6; i++) {
            size_t at = (i + start) % 6;
            carnet_keyring_add(ring, &epochs[at]);
            if (numbers[at] != 3)
                assert_int_equal(carnet_keyring_unlock(ring, epochs[at].id, &keys[at], &news), CARNET_OK);
        }
        assert_int_equal(carnet_keyring_newest(ring, &w->book, CARNET_SCOPE_EMAIL)->id, epochs[smallest].id);
        assert_int_equal(carnet_keyring_unlock(ring, epochs[4].id, &keys[4], &news), CARNET_OK);
        assert_int_equal(carnet_keyring_newest(ring, &w->book, CARNET_SCOPE_EMAIL)->number, 3);
        struct carnet_epoch again = epochs[4]; /* announced once more under another number: the smaller one */
        again.number = 1;
        carnet_keyring_add(ring, &again);
        assert_int_equal(carnet_keyring_newest(ring, &w->book, CARNET_SCOPE_EMAIL)->id, epochs[smallest].id);
        assert_null(carnet_keyring_newest(ring, &w->book, CARNET_SCOPE_PHONE));
        carnet_keyring_free(ring);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_genesis_names_its_community),
        T(no_other_byte_passes_as_a_certificate),
        T(certificates_are_found),
        T(a_certificate_waits_for_its_issuer),
        T(nobody_gives_more_than_he_has),
        T(a_certificate_makes_sense_or_is_malformed),
        T(parts_go_to_readers_and_relays),
        T(of_two_certificates_the_same_one_stands_everywhere),
        T(a_chain_leads_to_the_root),
        T(each_event_needs_its_verb),
        T(each_event_has_its_log_and_its_book),
        T(a_node_speaks_for_itself_alone),
        T(each_role_writes_what_it_may),
        T(an_author_writes_its_books_and_scopes_alone),
        T(keys_are_destroyed_in_changes_of_contacts_alone),
        T(no_seed_is_in_the_charter),
        T(epochs_are_of_books_and_scopes_one_holds),
        T(boxes_and_clear_cells_belong_to_the_charter),
        T(certificates_are_carried_by_who_issued_them),
        T(the_first_entry_brings_its_own_certificate),
        T(an_entry_is_its_authors_and_its_communitys),
        T(of_cuts_the_smallest_stands_in_any_order),
        T(only_ancestors_cut),
        T(a_cut_is_strict),
        T(a_key_opens_the_epoch_it_was_committed_to),
        T(the_newest_epoch_held_is_written_under),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
