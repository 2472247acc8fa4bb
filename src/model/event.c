// SPDX-License-Identifier: EUPL-1.2
#include "carnet/model/event.h"

enum { MS_BITS = 48 }; /* the milliseconds of a hybrid logical clock */

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

int carnet_dot_compare(const struct carnet_dot *a, const struct carnet_dot *b)
{
    if (a->author != b->author)
        return order(a->author, b->author);
    if (a->stream != b->stream)
        return order(a->stream, b->stream);
    return a->seq != b->seq ? order(a->seq, b->seq) : order(a->index, b->index);
}

bool carnet_dot_equal(const struct carnet_dot *a, const struct carnet_dot *b)
{
    return a->author == b->author && a->seq == b->seq && a->stream == b->stream && a->index == b->index;
}

void carnet_dot_put(struct carnet_buf *out, const struct carnet_dot *dot)
{
    carnet_cbor_put_array(out, 4);
    carnet_cbor_put_uint(out, dot->author);
    carnet_cbor_put_uint(out, dot->stream);
    carnet_cbor_put_uint(out, dot->seq);
    carnet_cbor_put_uint(out, dot->index);
}

struct carnet_dot carnet_dot_read(struct carnet_reader *r)
{
    struct carnet_dot dot = { 0 };
    carnet_reader_array_exact(r, 4);
    dot.author = carnet_reader_uint(r);
    dot.stream = (uint32_t)carnet_reader_uint_max(r, UINT32_MAX);
    dot.seq = carnet_reader_uint(r);
    dot.index = (uint32_t)carnet_reader_uint_max(r, CARNET_ENTRY_CHANGES_MAX * CARNET_DOT_CHANGE - 1);
    if (dot.seq == 0)
        carnet_reader_fail(r); /* sequences begin with 1 */
    return dot;
}

static void put_names(struct carnet_buf *out, const struct carnet_event *event)
{
    CARNET_ASSERT(event->name_count <= CARNET_CHANGE_EVENTS_MAX);
    carnet_cbor_put_array(out, event->name_count);
    for (size_t i = 0; i < event->name_count; i++)
        carnet_dot_put(out, &event->names[i]);
}

static void put_seeds(struct carnet_buf *out, const struct carnet_event *event)
{
    CARNET_ASSERT(event->seed_count <= CARNET_CHANGE_EVENTS_MAX);
    carnet_cbor_put_array(out, event->seed_count);
    for (size_t i = 0; i < event->seed_count; i++)
        carnet_cbor_put_uint(out, event->seeds[i]);
}

static size_t items(enum carnet_event_type type)
{
    switch (type) {
    case CARNET_EVENT_RESTRICT:
    case CARNET_EVENT_ERASE:
        return 1;
    case CARNET_EVENT_COUNTERSIGN:
    case CARNET_EVENT_WITHDRAW:
    case CARNET_EVENT_OBJECT:
    case CARNET_EVENT_LIFT:
    case CARNET_EVENT_RECTIFY:
    case CARNET_EVENT_INVALIDATE:
    case CARNET_EVENT_CERTIFICATE:
    case CARNET_EVENT_ADDRESS:
    case CARNET_EVENT_ALIVE:
    case CARNET_EVENT_GENESIS:
        return 2;
    case CARNET_EVENT_DARK:
    case CARNET_EVENT_INFORM:
    case CARNET_EVENT_RECEIPT:
    case CARNET_EVENT_BOOK:
    case CARNET_EVENT_CUT:
    case CARNET_EVENT_SUPPRESS:
        return 3;
    case CARNET_EVENT_EDGE:
    case CARNET_EVENT_SETTING:
        return 4;
    case CARNET_EVENT_EPOCH:
        return 6;
    case CARNET_EVENT_GRANT:
        return 8;
    }
    return 0; /* a type of a newer version */
}

void carnet_event_encode(const struct carnet_event *event, struct carnet_buf *out)
{
    size_t count = items(event->type);
    CARNET_ASSERT(count > 0);
    carnet_cbor_put_array(out, event->former ? count - 1 : count);
    carnet_cbor_put_uint(out, event->type);
    switch (event->type) {
    case CARNET_EVENT_GRANT:
        carnet_cbor_put_text(out, event->purpose);
        carnet_cbor_put_uint(out, event->basis);
        carnet_cbor_put_uint(out, event->proof);
        carnet_cbor_put_int(out, event->since_ms);
        CARNET_ASSERT(event->until_ms >= 0);
        carnet_cbor_put_uint(out, (uint64_t)event->until_ms);
        put_names(out, event);
        if (!event->former)
            carnet_cbor_put_uint(out, event->version);
        break;
    case CARNET_EVENT_COUNTERSIGN:
    case CARNET_EVENT_LIFT:
    case CARNET_EVENT_RECTIFY:
    case CARNET_EVENT_INVALIDATE:
        put_names(out, event);
        break;
    case CARNET_EVENT_WITHDRAW:
    case CARNET_EVENT_OBJECT:
        carnet_cbor_put_text(out, event->purpose);
        break;
    case CARNET_EVENT_RESTRICT:
    case CARNET_EVENT_ERASE:
        break;
    case CARNET_EVENT_DARK:
        carnet_cbor_put_uint(out, event->scope);
        put_seeds(out, event);
        break;
    case CARNET_EVENT_EDGE:
        carnet_cbor_put_id(out, &event->other);
        carnet_cbor_put_bool(out, event->on);
        put_names(out, event);
        break;
    case CARNET_EVENT_INFORM:
        CARNET_ASSERT(event->ms >= 0);
        carnet_cbor_put_uint(out, (uint64_t)event->ms);
        put_names(out, event);
        break;
    case CARNET_EVENT_RECEIPT:
        CARNET_ASSERT(event->ms >= 0);
        carnet_cbor_put_uint(out, (uint64_t)event->ms);
        carnet_cbor_put_bytes(out, event->bytes);
        break;
    case CARNET_EVENT_CERTIFICATE:
    case CARNET_EVENT_GENESIS:
        carnet_cbor_put_bytes(out, event->bytes);
        break;
    case CARNET_EVENT_BOOK:
        carnet_cbor_put_id(out, &event->other);
        carnet_cbor_put_text(out, event->text);
        break;
    case CARNET_EVENT_EPOCH:
        carnet_cbor_put_id(out, &event->other);
        carnet_cbor_put_uint(out, event->scope);
        carnet_cbor_put_uint(out, event->epoch);
        carnet_cbor_put_uint(out, event->number);
        carnet_cbor_put_hash(out, &event->hash);
        break;
    case CARNET_EVENT_ADDRESS:
        carnet_cbor_put_text(out, event->text);
        break;
    case CARNET_EVENT_ALIVE:
        CARNET_ASSERT(event->ms >= 0);
        carnet_cbor_put_uint(out, (uint64_t)event->ms);
        break;
    case CARNET_EVENT_SETTING:
        carnet_cbor_put_text(out, event->text);
        carnet_cbor_put_text(out, event->value);
        if (!event->former)
            put_names(out, event);
        break;
    case CARNET_EVENT_CUT:
        carnet_cbor_put_id(out, &event->other);
        carnet_cbor_put_bytes(out, event->bytes);
        break;
    case CARNET_EVENT_SUPPRESS:
        carnet_cbor_put_text(out, event->purpose);
        carnet_cbor_put_bytes(out, event->bytes);
        break;
    }
}

static void read_names(struct carnet_reader *r, struct carnet_event *out)
{
    size_t count = carnet_reader_array_max(r, CARNET_CHANGE_EVENTS_MAX);
    for (size_t i = 0; i < count && !r->failed; i++)
        out->names[i] = carnet_dot_read(r);
    out->name_count = r->failed ? 0 : count;
}

static void read_seeds(struct carnet_reader *r, struct carnet_event *out)
{
    size_t count = carnet_reader_array_max(r, CARNET_CHANGE_EVENTS_MAX);
    for (size_t i = 0; i < count && !r->failed; i++) {
        out->seeds[i] = carnet_reader_uint(r);
        if (out->seeds[i] == 0)
            carnet_reader_fail(r); /* zero says that there is no seed */
    }
    out->seed_count = r->failed ? 0 : count;
}

static int64_t read_ms(struct carnet_reader *r)
{
    return (int64_t)carnet_reader_uint_max(r, (UINT64_C(1) << MS_BITS) - 1);
}

/* Texts that must not be empty: a name, a key. */
static struct carnet_slice read_word(struct carnet_reader *r, size_t len_max)
{
    struct carnet_slice text = carnet_reader_text_max(r, len_max);
    if (text.len == 0)
        carnet_reader_fail(r);
    return text;
}

static void read_grant(struct carnet_reader *r, struct carnet_event *out)
{
    const int64_t far = INT64_C(1) << MS_BITS;
    out->purpose = read_word(r, CARNET_LABEL_LEN_MAX);
    out->basis = (enum carnet_basis)carnet_reader_uint_max(r, CARNET_BASIS_ROLL);
    out->proof = (enum carnet_proof)carnet_reader_uint_max(r, CARNET_PROOF_INBOUND);
    out->since_ms = carnet_reader_int(r);
    out->until_ms = read_ms(r);
    read_names(r, out);
    out->version = out->former ? 0 : carnet_reader_uint(r);
    if (out->basis < CARNET_BASIS_CONSENT || out->since_ms >= far || out->since_ms <= -far)
        carnet_reader_fail(r);
}

static void read_scope(struct carnet_reader *r, struct carnet_event *out)
{
    uint64_t scope = carnet_reader_uint_max(r, CARNET_SCOPE_COUNT - 1);
    if (scope == CARNET_SCOPE_CLEAR)
        carnet_reader_fail(r); /* what is clear has no key */
    out->scope = (enum carnet_scope)scope;
}

static void read_id(struct carnet_reader *r, struct carnet_id *out)
{
    carnet_reader_bytes_exact(r, out->b, sizeof out->b);
}

carnet_rc carnet_event_decode(struct carnet_slice raw, struct carnet_event *out)
{
    struct carnet_reader r;
    *out = (struct carnet_event){ 0 };
    carnet_reader_init(&r, raw);
    size_t count = carnet_reader_array(&r);
    uint64_t type = carnet_reader_uint(&r);
    if (r.failed || count == 0 || type == 0)
        return CARNET_MALFORMED;
    size_t known = type <= CARNET_EVENT_SUPPRESS ? items((enum carnet_event_type)type) : 0;
    if (known == 0)
        return carnet_cbor_check(raw) == CARNET_OK ? CARNET_NOT_FOUND : CARNET_MALFORMED;
    out->former = (type == CARNET_EVENT_GRANT || type == CARNET_EVENT_SETTING) && count + 1 == known;
    if (known != count && !out->former)
        return CARNET_MALFORMED;
    out->type = (enum carnet_event_type)type;
    switch (out->type) {
    case CARNET_EVENT_GRANT:
        read_grant(&r, out);
        break;
    case CARNET_EVENT_COUNTERSIGN:
    case CARNET_EVENT_LIFT:
    case CARNET_EVENT_RECTIFY:
    case CARNET_EVENT_INVALIDATE:
        read_names(&r, out);
        break;
    case CARNET_EVENT_WITHDRAW:
        out->purpose = read_word(&r, CARNET_LABEL_LEN_MAX);
        break;
    case CARNET_EVENT_OBJECT:
        out->purpose = carnet_reader_text_max(&r, CARNET_LABEL_LEN_MAX);
        break;
    case CARNET_EVENT_RESTRICT:
    case CARNET_EVENT_ERASE:
        break;
    case CARNET_EVENT_DARK:
        read_scope(&r, out);
        if (out->scope == CARNET_SCOPE_CONSENT)
            carnet_reader_fail(&r); /* its seed dies by erasure alone */
        read_seeds(&r, out);
        break;
    case CARNET_EVENT_EDGE:
        read_id(&r, &out->other);
        out->on = carnet_reader_bool(&r);
        read_names(&r, out);
        break;
    case CARNET_EVENT_INFORM:
        out->ms = read_ms(&r);
        read_names(&r, out);
        break;
    case CARNET_EVENT_RECEIPT:
        out->ms = read_ms(&r);
        out->bytes = carnet_reader_bytes(&r);
        break;
    case CARNET_EVENT_CERTIFICATE:
    case CARNET_EVENT_GENESIS:
        out->bytes = carnet_reader_bytes(&r);
        break;
    case CARNET_EVENT_BOOK:
        read_id(&r, &out->other);
        out->text = read_word(&r, CARNET_NAME_LEN_MAX);
        break;
    case CARNET_EVENT_EPOCH:
        read_id(&r, &out->other);
        read_scope(&r, out);
        out->epoch = carnet_reader_uint(&r);
        out->number = carnet_reader_uint(&r);
        carnet_reader_bytes_exact(&r, out->hash.b, sizeof out->hash.b);
        break;
    case CARNET_EVENT_ADDRESS:
        out->text = carnet_reader_text_max(&r, CARNET_ADDRESS_LEN_MAX);
        break;
    case CARNET_EVENT_ALIVE:
        out->ms = read_ms(&r);
        break;
    case CARNET_EVENT_SETTING:
        out->text = read_word(&r, CARNET_LABEL_LEN_MAX);
        out->value = carnet_reader_text_max(&r, CARNET_VALUE_LEN_MAX);
        if (!out->former)
            read_names(&r, out);
        break;
    case CARNET_EVENT_CUT:
        read_id(&r, &out->other);
        out->bytes = carnet_reader_bytes(&r);
        break;
    case CARNET_EVENT_SUPPRESS:
        out->purpose = carnet_reader_text_max(&r, CARNET_LABEL_LEN_MAX);
        out->bytes = carnet_reader_bytes(&r);
        if (out->bytes.len == 0 || out->bytes.len % CARNET_TAG_LEN != 0 || out->bytes.len > CARNET_SUPPRESS_TAGS_MAX * CARNET_TAG_LEN)
            carnet_reader_fail(&r);
        break;
    }
    return carnet_reader_done(&r);
}

uint64_t carnet_event_peek(struct carnet_slice raw)
{
    struct carnet_reader r;
    carnet_reader_init(&r, raw);
    size_t count = carnet_reader_array(&r);
    uint64_t type = carnet_reader_uint(&r);
    return r.failed || count == 0 ? 0 : type;
}

uint32_t carnet_event_verb(enum carnet_event_type type)
{
    switch (type) {
    case CARNET_EVENT_GRANT:
    case CARNET_EVENT_COUNTERSIGN:
    case CARNET_EVENT_INFORM:
        return CARNET_VERB_GRANT;
    case CARNET_EVENT_WITHDRAW:
    case CARNET_EVENT_OBJECT:
        return CARNET_VERB_REFUSE;
    case CARNET_EVENT_RESTRICT:
    case CARNET_EVENT_LIFT:
        return CARNET_VERB_RESTRICT;
    case CARNET_EVENT_DARK:
        return CARNET_VERB_DARK;
    case CARNET_EVENT_ERASE:
        return CARNET_VERB_ERASE;
    case CARNET_EVENT_EDGE:
        return CARNET_VERB_MERGE;
    case CARNET_EVENT_RECTIFY:
    case CARNET_EVENT_INVALIDATE:
        return CARNET_VERB_RECTIFY;
    case CARNET_EVENT_CERTIFICATE: /* whoever invites may revoke below, and opens epochs when somebody leaves */
    case CARNET_EVENT_EPOCH:
    case CARNET_EVENT_CUT:
        return CARNET_VERB_INVITE;
    case CARNET_EVENT_BOOK:
    case CARNET_EVENT_SETTING:
    case CARNET_EVENT_GENESIS:
        return CARNET_VERB_CHARTER;
    case CARNET_EVENT_SUPPRESS: /* whoever sends, receives or imports holds the key of the tags */
        return CARNET_VERB_DELIVER;
    case CARNET_EVENT_RECEIPT:
    case CARNET_EVENT_ADDRESS:
    case CARNET_EVENT_ALIVE:
        return 0;
    }
    return 0;
}

unsigned carnet_event_log(enum carnet_event_type type)
{
    switch (type) {
    case CARNET_EVENT_WITHDRAW:
    case CARNET_EVENT_OBJECT:
    case CARNET_EVENT_RESTRICT:
    case CARNET_EVENT_LIFT:
    case CARNET_EVENT_DARK:
    case CARNET_EVENT_ERASE:
    case CARNET_EVENT_RECTIFY:
    case CARNET_EVENT_INVALIDATE:
    case CARNET_EVENT_RECEIPT:
    case CARNET_EVENT_SUPPRESS:
        return CARNET_LOG_LAW;
    case CARNET_EVENT_GRANT:
    case CARNET_EVENT_COUNTERSIGN:
    case CARNET_EVENT_INFORM:
    case CARNET_EVENT_EDGE:
    case CARNET_EVENT_CERTIFICATE:
    case CARNET_EVENT_BOOK:
    case CARNET_EVENT_EPOCH:
    case CARNET_EVENT_ADDRESS:
    case CARNET_EVENT_ALIVE:
    case CARNET_EVENT_SETTING:
    case CARNET_EVENT_CUT:
    case CARNET_EVENT_GENESIS:
        return CARNET_LOG_DATA;
    }
    return CARNET_LOG_DATA;
}
