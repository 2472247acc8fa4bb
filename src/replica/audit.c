// SPDX-License-Identifier: EUPL-1.2
#include "carnet/replica/audit.h"

#include "internal.h"

#include "carnet/base/text.h"

#include <stdio.h>
#include <string.h>

enum { META_LEN_MAX = 64 * 1024, DIGITS_MAX = 9, HEX_MAX = 24, MESSAGE_LEN_MAX = 1024 };
static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000, KEEP_MS = INT64_C(366) * 24 * 3600 * 1000;

const char *carnet_audit_kind_name(unsigned kind)
{
    static const char *const names[] = { "?", "unlock", "search", "import", "export", "send", "consent", "erase", "administration", "access", "purge" };
    return names[kind < sizeof names / sizeof names[0] ? kind : 0];
}

/* --- no personal data --- */

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

carnet_rc carnet_audit_check(struct carnet_slice detail, struct carnet_err *err)
{
    size_t digits = 0, hex = 0;
    bool personal = false, text = detail.len > 0 && detail.len <= CARNET_AUDIT_DETAIL_LEN_MAX && carnet_text_is_utf8(detail);
    for (size_t i = 0; i < detail.len && text; i++) {
        uint8_t c = detail.ptr[i];
        text = c >= 0x20 && c != 0x7f;
        if (c >= '0' && c <= '9')
            digits++;
        else if (c != ' ' && c != '.')
            digits = 0;
        hex = is_hex(c) ? hex + 1 : 0;
        personal = personal || c == '@' || digits >= DIGITS_MAX || hex >= HEX_MAX;
    }
    if (!text)
        return carnet_err_set(err, CARNET_USAGE, "a text for the audit trail is one line of 1 to %d bytes", CARNET_AUDIT_DETAIL_LEN_MAX);
    if (personal) {
        carnet_err_set(err, CARNET_USAGE, "the audit trail keeps no personal data, and this text seems to hold an address, a number or an id");
        carnet_err_hint(err, "say it without");
        return CARNET_USAGE;
    }
    return CARNET_OK;
}

/* --- the chain --- */

static void put_message(const struct carnet_replica *replica, const struct carnet_audit_row *row, const struct carnet_hash *prev, struct carnet_buf *out)
{
    carnet_cbor_put_array(out, 8);
    carnet_cbor_put_str(out, "carnet/1/audit");
    carnet_cbor_put_id(out, &replica->community);
    carnet_cbor_put_id(out, &replica->node);
    carnet_cbor_put_uint(out, (uint64_t)row->n);
    carnet_cbor_put_int(out, row->at_ms);
    carnet_cbor_put_uint(out, row->kind);
    carnet_cbor_put_bytes(out, row->detail);
    carnet_cbor_put_hash(out, prev);
}

static void put_head(const struct carnet_replica *replica, const struct carnet_audit *audit, struct carnet_buf *out)
{
    carnet_cbor_put_array(out, 7);
    carnet_cbor_put_str(out, "carnet/1/audit-head");
    carnet_cbor_put_id(out, &replica->community);
    carnet_cbor_put_id(out, &replica->node);
    carnet_cbor_put_uint(out, (uint64_t)audit->anchor_n);
    carnet_cbor_put_hash(out, &audit->anchor);
    carnet_cbor_put_uint(out, (uint64_t)audit->n);
    carnet_cbor_put_hash(out, &audit->head);
}

static carnet_rc write_head(struct carnet_replica *replica, struct carnet_err *err)
{
    const struct carnet_audit *audit = &replica->audit;
    struct carnet_buf message, value;
    carnet_buf_init(&message, MESSAGE_LEN_MAX);
    carnet_buf_init(&value, MESSAGE_LEN_MAX);
    put_head(replica, audit, &message);
    struct carnet_sig sig = carnet_sign(&replica->sign_sk, carnet_buf_slice(&message));
    carnet_cbor_put_array(&value, 5);
    carnet_cbor_put_uint(&value, (uint64_t)audit->anchor_n);
    carnet_cbor_put_hash(&value, &audit->anchor);
    carnet_cbor_put_uint(&value, (uint64_t)audit->n);
    carnet_cbor_put_hash(&value, &audit->head);
    carnet_cbor_put_bytes(&value, carnet_slice(sig.b, sizeof sig.b));
    carnet_rc rc = carnet_store_meta_put(replica->store, "audit", carnet_buf_slice(&value), err);
    carnet_buf_deinit(&message);
    carnet_buf_deinit(&value);
    return rc;
}

/* *good: the head is signed by this node. A trail that was never begun is good. */
static carnet_rc read_head(struct carnet_replica *replica, bool *good, struct carnet_err *err)
{
    struct carnet_audit *audit = &replica->audit;
    struct carnet_buf value, message;
    struct carnet_reader reader;
    struct carnet_sig sig;
    carnet_buf_init(&value, META_LEN_MAX);
    carnet_buf_init(&message, MESSAGE_LEN_MAX);
    audit->n = audit->anchor_n = 0;
    memset(&audit->head, 0, sizeof audit->head);
    memset(&audit->anchor, 0, sizeof audit->anchor);
    *good = true;
    carnet_rc rc = carnet_store_meta_get(replica->store, "audit", &value, err);
    if (rc == CARNET_OK) {
        carnet_reader_init(&reader, carnet_buf_slice(&value));
        carnet_reader_array_exact(&reader, 5);
        audit->anchor_n = (int64_t)carnet_reader_uint_max(&reader, INT64_MAX);
        carnet_reader_bytes_exact(&reader, audit->anchor.b, sizeof audit->anchor.b);
        audit->n = (int64_t)carnet_reader_uint_max(&reader, INT64_MAX);
        carnet_reader_bytes_exact(&reader, audit->head.b, sizeof audit->head.b);
        carnet_reader_bytes_exact(&reader, sig.b, sizeof sig.b);
        *good = carnet_reader_done(&reader) == CARNET_OK;
        put_head(replica, audit, &message);
        *good = *good && carnet_verify(&replica->sign_pk, carnet_buf_slice(&message), &sig) == CARNET_OK;
    }
    carnet_buf_deinit(&value);
    carnet_buf_deinit(&message);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

static carnet_rc append(struct carnet_replica *replica, unsigned kind, struct carnet_slice detail, struct carnet_err *err)
{
    struct carnet_audit *audit = &replica->audit;
    struct carnet_audit_row row = { .n = audit->n + 1, .at_ms = carnet_replica_wall_ms(replica), .kind = kind, .detail = detail };
    struct carnet_buf message;
    carnet_buf_init(&message, MESSAGE_LEN_MAX);
    put_message(replica, &row, &audit->head, &message);
    row.hash = carnet_hash_of("carnet/1/audit", carnet_buf_slice(&message));
    struct carnet_sig sig = carnet_sign(&replica->sign_sk, carnet_buf_slice(&message));
    memcpy(row.sig, sig.b, sizeof row.sig);
    carnet_buf_deinit(&message);
    carnet_rc rc = carnet_store_audit_add(replica->store, &row, err);
    if (rc == CARNET_OK) {
        audit->n = row.n;
        audit->head = row.hash;
        replica->written++;
        rc = write_head(replica, err);
    }
    return rc;
}

/* --- sums --- */

static void sum_add(struct carnet_audit_sums *sums, unsigned kind, const char *what, uint64_t count)
{
    size_t i = 0;
    while (i < sums->count && (sums->at[i].kind != kind || strcmp(sums->at[i].what, what) != 0))
        i++;
    if (i == CARNET_AUDIT_SUMS_MAX) { /* so many different ones: the last is of all others */
        i--;
        snprintf(sums->at[i].what, sizeof sums->at[i].what, "other");
    } else if (i == sums->count) {
        sums->count++;
        sums->at[i] = (struct carnet_audit_sum){ .kind = kind };
        snprintf(sums->at[i].what, sizeof sums->at[i].what, "%s", what);
    }
    sums->at[i].total += count;
}

static void sum_all(struct carnet_audit_sums *into, const struct carnet_audit_sums *sums)
{
    for (size_t i = 0; i < sums->count; i++)
        sum_add(into, sums->at[i].kind, sums->at[i].what, sums->at[i].total);
}

/* One row for each kind, several when they are many. */
static carnet_rc append_sums(struct carnet_replica *replica, const struct carnet_audit_sums *sums, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    for (unsigned kind = CARNET_AUDIT_UNLOCK; kind <= CARNET_AUDIT_PURGE && rc == CARNET_OK; kind++) {
        char detail[CARNET_AUDIT_DETAIL_LEN_MAX + 1] = "";
        size_t len = 0;
        for (size_t i = 0; i < sums->count && rc == CARNET_OK; i++) {
            char item[CARNET_AUDIT_DETAIL_LEN_MAX + 1];
            if (sums->at[i].kind != kind)
                continue;
            int made = snprintf(item, sizeof item, "%s: %llu", sums->at[i].what, (unsigned long long)sums->at[i].total);
            if (len && len + 2 + (size_t)made > CARNET_AUDIT_DETAIL_LEN_MAX) {
                rc = append(replica, kind, carnet_slice(detail, len), err);
                len = 0;
            }
            len += (size_t)snprintf(detail + len, sizeof detail - len, "%s%s", len ? ", " : "", item);
        }
        if (len && rc == CARNET_OK)
            rc = append(replica, kind, carnet_slice(detail, len), err);
    }
    return rc;
}

static carnet_rc write_day(struct carnet_replica *replica, struct carnet_err *err)
{
    const struct carnet_audit *audit = &replica->audit;
    struct carnet_buf value;
    carnet_buf_init(&value, META_LEN_MAX);
    carnet_cbor_put_array(&value, 2);
    carnet_cbor_put_int(&value, audit->day);
    carnet_cbor_put_array(&value, audit->sums.count);
    for (size_t i = 0; i < audit->sums.count; i++) {
        carnet_cbor_put_array(&value, 3);
        carnet_cbor_put_uint(&value, audit->sums.at[i].kind);
        carnet_cbor_put_bytes(&value, carnet_slice_str(audit->sums.at[i].what));
        carnet_cbor_put_uint(&value, audit->sums.at[i].total);
    }
    carnet_rc rc = carnet_store_meta_put(replica->store, "audit_sums", carnet_buf_slice(&value), err);
    carnet_buf_deinit(&value);
    return rc;
}

/* What was counted and not made rows before this node was opened. */
static carnet_rc read_day(struct carnet_replica *replica, struct carnet_err *err)
{
    struct carnet_audit *audit = &replica->audit;
    struct carnet_audit_sums read = { .count = 0 };
    struct carnet_reader reader;
    struct carnet_buf value;
    carnet_buf_init(&value, META_LEN_MAX);
    carnet_rc rc = carnet_store_meta_get(replica->store, "audit_sums", &value, err);
    if (rc == CARNET_OK) {
        carnet_reader_init(&reader, carnet_buf_slice(&value));
        carnet_reader_array_exact(&reader, 2);
        int64_t day = carnet_reader_int(&reader);
        for (size_t i = carnet_reader_array_max(&reader, CARNET_AUDIT_SUMS_MAX); i > 0; i--) {
            char what[sizeof read.at[0].what];
            carnet_reader_array_exact(&reader, 3);
            unsigned kind = (unsigned)carnet_reader_uint_max(&reader, CARNET_AUDIT_PURGE);
            struct carnet_slice text = carnet_reader_bytes(&reader);
            snprintf(what, sizeof what, "%.*s", (int)(text.len < sizeof what ? text.len : sizeof what - 1), text.len ? (const char *)text.ptr : "");
            sum_add(&read, kind, what, carnet_reader_uint(&reader));
        }
        if (carnet_reader_done(&reader) != CARNET_OK)
            rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "audit");
        else if (read.count && (audit->sums.count == 0 || day < audit->day))
            audit->day = day;
        if (rc == CARNET_OK)
            sum_all(&audit->sums, &read);
    }
    carnet_buf_deinit(&value);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

static carnet_rc load(struct carnet_replica *replica, struct carnet_err *err)
{
    bool good;
    carnet_rc rc = CARNET_OK;
    if (!replica->audit.day_read) {
        rc = read_day(replica, err);
        replica->audit.day_read = rc == CARNET_OK;
    }
    if (rc == CARNET_OK && !replica->audit.loaded) {
        rc = read_head(replica, &good, err);
        replica->audit.loaded = rc == CARNET_OK;
    }
    return rc;
}

static int64_t day_of(int64_t ms)
{
    return ms >= 0 ? ms / DAY_MS : -1;
}

static void count(struct carnet_replica *replica, unsigned kind, const char *what, uint64_t total)
{
    struct carnet_audit *audit = &replica->audit;
    if (audit->sums.count == 0)
        audit->day = day_of(carnet_replica_wall_ms(replica));
    sum_add(&audit->sums, kind, what, total);
    audit->dirty = true;
}

static carnet_rc close_day(struct carnet_replica *replica, struct carnet_err *err)
{
    struct carnet_audit *audit = &replica->audit;
    carnet_rc rc = append_sums(replica, &audit->sums, err);
    audit->sums.count = 0;
    audit->dirty = false;
    return rc == CARNET_OK ? write_day(replica, err) : rc;
}

/* --- what the rest of the layer calls --- */

static const char *word_of(const struct carnet_event *event, unsigned *kind)
{
    *kind = CARNET_AUDIT_CONSENT;
    switch (event->type) {
    case CARNET_EVENT_GRANT:
        return "given";
    case CARNET_EVENT_COUNTERSIGN:
        return "countersigned";
    case CARNET_EVENT_WITHDRAW:
        return "withdrawn";
    case CARNET_EVENT_OBJECT:
        return "objected";
    case CARNET_EVENT_INVALIDATE:
        return "invalidated";
    case CARNET_EVENT_RESTRICT:
        return "restricted";
    case CARNET_EVENT_LIFT:
        return "lifted";
    case CARNET_EVENT_RECTIFY:
        return "rectified";
    case CARNET_EVENT_DARK:
        *kind = CARNET_AUDIT_ERASE;
        return "darkened";
    case CARNET_EVENT_ERASE:
        *kind = CARNET_AUDIT_ERASE;
        return "erased";
    case CARNET_EVENT_CERTIFICATE:
        *kind = CARNET_AUDIT_ADMIN;
        return "certified";
    case CARNET_EVENT_BOOK:
        *kind = CARNET_AUDIT_ADMIN;
        return "book";
    case CARNET_EVENT_SETTING:
        *kind = CARNET_AUDIT_ADMIN;
        return "charter";
    case CARNET_EVENT_CUT:
        *kind = CARNET_AUDIT_ADMIN;
        return "revoked";
    case CARNET_EVENT_INFORM:
        return "informed";
    case CARNET_EVENT_EDGE:
    case CARNET_EVENT_RECEIPT:
    case CARNET_EVENT_EPOCH:
    case CARNET_EVENT_ADDRESS:
    case CARNET_EVENT_ALIVE:
    case CARNET_EVENT_GENESIS:
    case CARNET_EVENT_SUPPRESS: /* the refusal was counted */
        break;
    }
    return NULL;
}

void carnet_audit_event(struct carnet_replica *replica, const struct carnet_event *event)
{
    char what[sizeof replica->audit.batch.at[0].what];
    unsigned kind;
    const char *word = word_of(event, &kind);
    struct carnet_slice of = event->purpose.len ? event->purpose : event->type == CARNET_EVENT_OBJECT ? carnet_slice_str("all") : event->text;
    if (!word)
        return;
    if (event->type == CARNET_EVENT_DARK)
        of = carnet_slice_str(carnet_scope_name(event->scope));
    snprintf(what, sizeof what, "%s%s%.*s", word, of.len ? " " : "", (int)(of.len < 64 ? of.len : 64), of.len ? (const char *)of.ptr : "");
    sum_add(&replica->audit.batch, kind, what, 1);
}

void carnet_audit_batch(struct carnet_replica *replica, bool signed_)
{
    if (signed_)
        sum_all(&replica->audit.tx, &replica->audit.batch);
    replica->audit.batch.count = 0;
}

void carnet_audit_forget(struct carnet_replica *replica)
{
    struct carnet_audit *audit = &replica->audit;
    audit->loaded = false;
    audit->tx.count = audit->batch.count = 0;
}

carnet_rc carnet_audit_settle(struct carnet_replica *replica, struct carnet_err *err)
{
    struct carnet_audit *audit = &replica->audit;
    carnet_rc rc = CARNET_OK;
    bool over = audit->sums.count && day_of(carnet_replica_wall_ms(replica)) != audit->day;
    if (audit->tx.count == 0 && !audit->dirty && !over && !audit->release)
        return rc;
    rc = load(replica, err);
    if (rc == CARNET_OK && audit->held && audit->tx.count) {
        for (size_t i = 0; i < audit->tx.count; i++)
            count(replica, audit->tx.at[i].kind, audit->tx.at[i].what, audit->tx.at[i].total);
    } else if (rc == CARNET_OK) {
        rc = append_sums(replica, &audit->tx, err);
    }
    over = audit->sums.count && !audit->held && (audit->release || day_of(carnet_replica_wall_ms(replica)) != audit->day);
    if (rc == CARNET_OK && over)
        rc = close_day(replica, err);
    else if (rc == CARNET_OK && audit->dirty)
        rc = write_day(replica, err);
    return rc;
}

void carnet_audit_settled(struct carnet_replica *replica)
{
    replica->audit.tx.count = 0;
    replica->audit.dirty = replica->audit.release = false;
}

void carnet_audit_close(struct carnet_replica *replica)
{
    if (!replica->audit.dirty || replica->broken || carnet_store_in_transaction(replica->store))
        return;
    /* counts of searches: when the disk refuses them, there is nobody left to tell */
    if (carnet_replica_begin(replica, NULL) == CARNET_OK)
        (void)!carnet_replica_commit(replica, NULL);
}

/* --- what others call --- */

carnet_rc carnet_audit_add(struct carnet_replica *replica, enum carnet_audit_kind kind, struct carnet_slice detail, struct carnet_err *err)
{
    bool mine;
    uint64_t written;
    carnet_rc rc = carnet_audit_check(detail, err);
    if (rc == CARNET_OK)
        rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    rc = load(replica, err);
    if (rc == CARNET_OK)
        rc = append(replica, kind, detail, err);
    return carnet_tx_leave(replica, mine, written, rc, err);
}

void carnet_audit_search(struct carnet_replica *replica, size_t results)
{
    count(replica, CARNET_AUDIT_SEARCH, "searches", 1);
    count(replica, CARNET_AUDIT_SEARCH, "people shown", results);
}

void carnet_audit_hold(struct carnet_replica *replica, bool held)
{
    replica->audit.release = replica->audit.held && !held && replica->audit.sums.count;
    replica->audit.held = held;
}

static carnet_rc flush(struct carnet_replica *replica, struct carnet_err *err)
{
    bool mine;
    uint64_t written;
    carnet_rc rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    rc = load(replica, err);
    if (rc == CARNET_OK && replica->audit.sums.count)
        rc = close_day(replica, err);
    return carnet_tx_leave(replica, mine, written, rc, err);
}

carnet_rc carnet_audit_list(struct carnet_replica *replica, int64_t since_ms, bool (*each)(void *ctx, const struct carnet_audit_item *item), void *ctx,
                            struct carnet_err *err)
{
    const struct carnet_audit *audit = &replica->audit;
    struct carnet_audit_row row;
    struct carnet_buf message;
    bool head_good, wanted = each != NULL;
    int64_t bad = 0;
    carnet_rc rc = flush(replica, err);
    if (rc == CARNET_OK)
        rc = read_head(replica, &head_good, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_buf_init(&message, MESSAGE_LEN_MAX);
    struct carnet_hash prev = audit->anchor;
    int64_t due = audit->anchor_n + 1;
    while ((rc = carnet_store_audit_next(replica->store, due, &row, err)) == CARNET_OK) {
        struct carnet_audit_item item = { .n = row.n, .at_ms = row.at_ms, .kind = row.kind, .detail = row.detail };
        struct carnet_sig sig;
        memcpy(sig.b, row.sig, sizeof sig.b);
        carnet_buf_clear(&message);
        put_message(replica, &row, &prev, &message);
        struct carnet_hash hash = carnet_hash_of("carnet/1/audit", carnet_buf_slice(&message));
        item.good = row.n == due && carnet_hash_equal(&hash, &row.hash) && carnet_verify(&replica->sign_pk, carnet_buf_slice(&message), &sig) == CARNET_OK;
        if (!item.good && !bad)
            bad = due;
        if (wanted && row.at_ms >= since_ms)
            wanted = each(ctx, &item);
        prev = row.hash;
        due = row.n + 1;
    }
    carnet_buf_deinit(&message);
    if (rc != CARNET_NOT_FOUND)
        return rc;
    if (!bad && (!head_good || due != audit->n + 1 || !carnet_hash_equal(&prev, &audit->head)))
        bad = due;
    if (bad)
        return carnet_err_set(err, CARNET_CORRUPT, "the audit trail is broken at row %lld: somebody changed it, or the file is damaged", (long long)bad);
    return CARNET_OK;
}

carnet_rc carnet_audit_drop(struct carnet_replica *replica, int64_t *dropped, struct carnet_err *err)
{
    struct carnet_audit *audit = &replica->audit;
    int64_t before_ms = carnet_replica_wall_ms(replica) - KEEP_MS, from;
    bool mine;
    uint64_t written;
    carnet_rc rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    rc = load(replica, err);
    from = audit->anchor_n;
    while (rc == CARNET_OK) {
        struct carnet_audit_row row;
        rc = carnet_store_audit_next(replica->store, audit->anchor_n + 1, &row, err);
        if (rc == CARNET_NOT_FOUND || (rc == CARNET_OK && (row.at_ms >= before_ms || row.n != audit->anchor_n + 1))) {
            rc = CARNET_OK;
            break;
        }
        if (rc == CARNET_OK) {
            audit->anchor_n = row.n;
            audit->anchor = row.hash;
        }
    }
    if (dropped)
        *dropped = audit->anchor_n - from;
    if (rc == CARNET_OK && audit->anchor_n != from) {
        replica->written++;
        rc = carnet_store_audit_drop(replica->store, audit->anchor_n, err);
        if (rc == CARNET_OK)
            rc = write_head(replica, err);
    }
    return carnet_tx_leave(replica, mine, written, rc, err);
}
