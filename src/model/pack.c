// SPDX-License-Identifier: EUPL-1.2
/* The packed form. Numbers are little-endian groups of 7 bits (varints), `8` are eight bytes, big-endian:
 *   version, flags (1 erased, 2 subject is the id, 4 subject follows), kind, id, [subject], first hlc 8, last - first
 *   authors: count, 8 each, ascending
 *   seeds: count, each: id 8, scope | dead << 4 | held << 5, [16 bytes when held]
 *   live: count, each: dot, hlc, scope | state << 4, seed (0 none, i + 1 the i-th, count + 1 then 8), [field, label, value]
 *   replaced: count, each: dot, scopes       events: count, each: dot, hlc, bytes
 * A dot is 0 when it follows the one before it in the same entry, else author + 1, stream, seq, index. An hlc is the zigzag difference
 * from the one before it. Texts have their length first. */
#include "carnet/model/record.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, ERASED = 1, SUBJECT_IS_ID = 2, SUBJECT_FOLLOWS = 4, DEAD = 16, HELD = 32, VARINT_LEN_MAX = 10 };

/* Bytes go through a chunk of our own, so that each one costs a store and not a call. */
struct writer {
    struct carnet_buf *out;
    size_t len;
    uint64_t hlc;
    struct carnet_dot last;
    bool any; /* last is one of this list */
    const uint64_t *authors;
    size_t author; /* items are ordered by author: the search goes on from here */
    uint8_t chunk[512];
};

static void flush(struct writer *w)
{
    carnet_buf_append(w->out, w->chunk, w->len);
    w->len = 0;
}

static inline void room(struct writer *w, size_t len)
{
    if (sizeof w->chunk - w->len < len)
        flush(w);
}

static inline void put_byte(struct writer *w, unsigned value)
{
    room(w, 1);
    w->chunk[w->len++] = (uint8_t)value;
}

static inline void put_varint(struct writer *w, uint64_t value)
{
    room(w, VARINT_LEN_MAX);
    while (value >= 128) {
        w->chunk[w->len++] = (uint8_t)(value | 128);
        value >>= 7;
    }
    w->chunk[w->len++] = (uint8_t)value;
}

static inline void put_8(struct writer *w, uint64_t value)
{
    room(w, 8);
    for (int i = 0; i < 8; i++)
        w->chunk[w->len++] = (uint8_t)(value >> (56 - 8 * i));
}

static void put_raw(struct writer *w, const void *ptr, size_t len)
{
    if (len > sizeof w->chunk) {
        flush(w);
        carnet_buf_append(w->out, ptr, len);
    } else if (len) {
        room(w, len);
        memcpy(w->chunk + w->len, ptr, len);
        w->len += len;
    }
}

static void put_text(struct writer *w, struct carnet_slice s)
{
    put_varint(w, s.len);
    put_raw(w, s.ptr, s.len);
}

static void put_hlc(struct writer *w, uint64_t hlc)
{
    uint64_t step = hlc - w->hlc;
    put_varint(w, step << 1 ^ (step >> 63 ? UINT64_MAX : 0));
    w->hlc = hlc;
}

static bool follows(const struct carnet_dot *dot, const struct carnet_dot *last)
{
    return dot->seq == last->seq && dot->author == last->author && dot->stream == last->stream && dot->index == last->index + 1;
}

static void put_dot(struct writer *w, const struct carnet_dot *dot)
{
    if (w->any && follows(dot, &w->last)) {
        put_byte(w, 0);
    } else {
        while (w->authors[w->author] != dot->author)
            w->author++;
        put_varint(w, w->author + 1);
        put_varint(w, dot->stream);
        put_varint(w, dot->seq);
        put_varint(w, dot->index);
    }
    w->last = *dot;
    w->any = true;
}

/* Before each list: its order begins anew. */
static void put_count(struct writer *w, size_t count, uint64_t hlc)
{
    put_varint(w, count);
    w->author = 0;
    w->hlc = hlc;
    w->any = false;
}

/* The distinct authors of the three ordered lists, ascending. */
static size_t gather_authors(const struct carnet_record *record, uint64_t *out)
{
    size_t i = 0, j = 0, k = 0, count = 0;
    while (i < record->live_count || j < record->replaced_count || k < record->event_count) {
        uint64_t least = UINT64_MAX;
        if (i < record->live_count)
            least = record->live[i].dot.author;
        if (j < record->replaced_count && record->replaced[j].dot.author < least)
            least = record->replaced[j].dot.author;
        if (k < record->event_count && record->events[k].dot.author < least)
            least = record->events[k].dot.author;
        out[count++] = least;
        while (i < record->live_count && record->live[i].dot.author == least)
            i++;
        while (j < record->replaced_count && record->replaced[j].dot.author == least)
            j++;
        while (k < record->event_count && record->events[k].dot.author == least)
            k++;
    }
    return count;
}

static void put_head(struct writer *w, const struct carnet_record *record, size_t author_count)
{
    unsigned flags = record->erased ? ERASED : 0;
    bool zero = carnet_id_is_zero(&record->subject), same = !zero && carnet_id_equal(&record->subject, &record->id);
    flags |= zero ? 0 : same ? SUBJECT_IS_ID : SUBJECT_FOLLOWS;
    put_byte(w, VERSION);
    put_byte(w, flags);
    put_varint(w, record->kind);
    put_raw(w, record->id.b, sizeof record->id.b);
    if (flags & SUBJECT_FOLLOWS)
        put_raw(w, record->subject.b, sizeof record->subject.b);
    put_8(w, record->hlc_first);
    put_varint(w, record->hlc_last - record->hlc_first);
    put_varint(w, author_count);
    for (size_t i = 0; i < author_count; i++)
        put_8(w, w->authors[i]);
    put_varint(w, record->seed_count);
    for (size_t i = 0; i < record->seed_count; i++) {
        const struct carnet_seed *seed = &record->seeds[i];
        put_8(w, seed->id);
        put_byte(w, seed->scope | (seed->dead ? DEAD : 0) | (seed->held ? HELD : 0));
        if (seed->held)
            put_raw(w, seed->b, sizeof seed->b);
    }
}

static void put_sibling(struct writer *w, const struct carnet_record *record, const struct carnet_sibling *sibling)
{
    size_t at = 0;
    put_dot(w, &sibling->dot);
    put_hlc(w, sibling->hlc);
    put_byte(w, sibling->scope | (unsigned)sibling->state << 4);
    if (sibling->seed == 0) {
        put_varint(w, 0);
    } else {
        while (at < record->seed_count && record->seeds[at].id != sibling->seed)
            at++;
        put_varint(w, at + 1);
        if (at == record->seed_count)
            put_8(w, sibling->seed);
    }
    if (sibling->state == CARNET_SIBLING_VALUE) {
        put_varint(w, sibling->field);
        put_text(w, sibling->label);
        put_text(w, sibling->value);
    }
}

void carnet_record_pack(const struct carnet_record *record, struct carnet_buf *out)
{
    uint64_t few[32], *authors = few;
    size_t most = record->live_count + record->replaced_count + record->event_count;
    if (most > sizeof few / sizeof *few)
        authors = carnet_realloc(NULL, most, sizeof *authors);
    size_t author_count = gather_authors(record, authors);

    struct writer w;
    w.out = out;
    w.len = 0;
    w.authors = authors;
    put_head(&w, record, author_count);
    put_count(&w, record->live_count, record->hlc_first);
    for (size_t i = 0; i < record->live_count; i++)
        put_sibling(&w, record, &record->live[i]);
    put_count(&w, record->replaced_count, 0);
    for (size_t i = 0; i < record->replaced_count; i++) {
        put_dot(&w, &record->replaced[i].dot);
        put_varint(&w, record->replaced[i].scopes);
    }
    put_count(&w, record->event_count, record->hlc_first);
    for (size_t i = 0; i < record->event_count; i++) {
        put_dot(&w, &record->events[i].dot);
        put_hlc(&w, record->events[i].hlc);
        put_text(&w, record->events[i].raw);
    }
    flush(&w);
    if (authors != few)
        free(authors);
}

struct reader {
    const uint8_t *at, *end;
    bool failed;
    uint64_t hlc;
    struct carnet_dot last;
    bool any;
    const uint8_t *authors;
    size_t author_count;
};

static uint64_t fail(struct reader *r)
{
    r->failed = true;
    r->at = r->end;
    return 0;
}

static inline unsigned get_byte(struct reader *r)
{
    return r->at < r->end ? *r->at++ : (unsigned)fail(r);
}

static inline uint64_t get_varint(struct reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (r->at == r->end)
            return fail(r);
        uint8_t byte = *r->at++;
        if (shift == 63 && byte > 1)
            return fail(r);
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return value;
    }
    return fail(r);
}

static inline uint64_t get_varint_max(struct reader *r, uint64_t max)
{
    uint64_t value = get_varint(r);
    return value <= max ? value : fail(r);
}

static const uint8_t *get_raw(struct reader *r, uint64_t len)
{
    if (len > (size_t)(r->end - r->at)) {
        fail(r);
        return NULL;
    }
    const uint8_t *ptr = r->at;
    r->at += len;
    return ptr;
}

static uint64_t be64(const uint8_t *b)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | b[i];
    return value;
}

static uint64_t get_8(struct reader *r)
{
    const uint8_t *b = get_raw(r, 8);
    return b ? be64(b) : 0;
}

static struct carnet_id get_id(struct reader *r)
{
    struct carnet_id id = { 0 };
    const uint8_t *b = get_raw(r, sizeof id.b);
    if (b)
        memcpy(id.b, b, sizeof id.b);
    return id;
}

static inline struct carnet_slice get_text(struct reader *r)
{
    uint64_t len = get_varint(r);
    const uint8_t *ptr = get_raw(r, len);
    return ptr && len ? carnet_slice(ptr, (size_t)len) : CARNET_SLICE_NONE;
}

static uint64_t get_hlc(struct reader *r)
{
    uint64_t zigzag = get_varint(r);
    r->hlc += zigzag >> 1 ^ (zigzag & 1 ? UINT64_MAX : 0);
    return r->hlc;
}

/* Dots of one list ascend. */
static struct carnet_dot get_dot(struct reader *r)
{
    struct carnet_dot dot = r->any ? r->last : (struct carnet_dot){ 0 };
    uint64_t author = get_varint(r);
    if (author == 0) {
        if (!r->any || dot.index == UINT32_MAX)
            fail(r);
        dot.index++;
    } else {
        if (author > r->author_count) {
            fail(r);
            return dot;
        }
        dot.author = be64(r->authors + (author - 1) * 8);
        dot.stream = (uint32_t)get_varint_max(r, UINT32_MAX);
        dot.seq = get_varint(r);
        dot.index = (uint32_t)get_varint_max(r, UINT32_MAX);
        if (r->any && carnet_dot_compare(&r->last, &dot) >= 0)
            fail(r);
    }
    r->last = dot;
    r->any = true;
    return dot;
}

/* A count that the bytes left can hold, each item having at least so many. */
static size_t get_count(struct reader *r, size_t item_len_min, uint64_t hlc)
{
    r->hlc = hlc;
    r->any = false;
    uint64_t count = get_varint(r);
    return count <= (size_t)(r->end - r->at) / item_len_min ? (size_t)count : (size_t)fail(r);
}

#define RESERVE(items, cap, count)                                                                                     \
    do {                                                                                                               \
        if ((cap) < (count)) {                                                                                         \
            (items) = carnet_realloc((items), (count), sizeof *(items));                                               \
            (cap) = (count);                                                                                           \
        }                                                                                                              \
    } while (0)

static void get_head(struct reader *r, struct carnet_record *out)
{
    if (get_byte(r) != VERSION)
        fail(r);
    unsigned flags = get_byte(r);
    if (flags > (ERASED | SUBJECT_FOLLOWS) || (flags & (SUBJECT_IS_ID | SUBJECT_FOLLOWS)) == (SUBJECT_IS_ID | SUBJECT_FOLLOWS))
        fail(r);
    out->erased = flags & ERASED;
    out->kind = (enum carnet_kind)get_varint_max(r, INT32_MAX);
    out->id = get_id(r);
    out->subject = flags & SUBJECT_FOLLOWS ? get_id(r) : flags & SUBJECT_IS_ID ? out->id : (struct carnet_id){ 0 };
    out->hlc_first = get_8(r);
    out->hlc_last = out->hlc_first + get_varint(r);
    r->author_count = get_count(r, 8, 0);
    r->authors = get_raw(r, r->author_count * 8);
}

static void get_seeds(struct reader *r, struct carnet_record *out)
{
    size_t count = get_count(r, 9, 0);
    RESERVE(out->seeds, out->seed_cap, count);
    for (size_t i = 0; i < count && !r->failed; i++) {
        struct carnet_seed seed = { .id = get_8(r) };
        unsigned flags = get_byte(r);
        seed.scope = (enum carnet_scope)(flags & 15);
        seed.dead = flags & DEAD;
        seed.held = flags & HELD;
        const uint8_t *b = seed.held ? get_raw(r, sizeof seed.b) : NULL;
        if (b)
            memcpy(seed.b, b, sizeof seed.b);
        if (flags > (15 | DEAD | HELD) || seed.scope >= CARNET_SCOPE_COUNT || (seed.dead && seed.held) || seed.id == 0 ||
            (i > 0 && (seed.id < out->seeds[i - 1].id || (seed.id == out->seeds[i - 1].id && seed.scope <= out->seeds[i - 1].scope))))
            fail(r);
        out->seeds[i] = seed;
        out->seed_count = i + 1;
    }
}

static void get_sibling(struct reader *r, const struct carnet_record *record, struct carnet_sibling *out)
{
    out->dot = get_dot(r);
    out->hlc = get_hlc(r);
    unsigned both = get_byte(r);
    out->scope = (enum carnet_scope)(both & 15);
    out->state = (enum carnet_sibling_state)(both >> 4);
    if (out->scope >= CARNET_SCOPE_COUNT || out->state > CARNET_SIBLING_DARK)
        fail(r);
    uint64_t seed = get_varint_max(r, record->seed_count + 1);
    out->seed = seed == 0 ? 0 : seed <= record->seed_count ? record->seeds[seed - 1].id : get_8(r);
    out->field = CARNET_FIELD_NONE;
    out->label = out->value = CARNET_SLICE_NONE;
    if (out->state == CARNET_SIBLING_VALUE) {
        out->field = (uint32_t)get_varint_max(r, UINT32_MAX);
        out->label = get_text(r);
        out->value = get_text(r);
    }
}

carnet_rc carnet_record_unpack(struct carnet_slice bytes, struct carnet_record *out)
{
    struct reader r = { .at = bytes.ptr, .end = bytes.len ? bytes.ptr + bytes.len : bytes.ptr };
    out->live_count = out->replaced_count = out->event_count = out->seed_count = 0;
    get_head(&r, out);
    get_seeds(&r, out);

    size_t count = get_count(&r, 4, out->hlc_first);
    RESERVE(out->live, out->live_cap, count);
    for (size_t i = 0; i < count && !r.failed; i++)
        get_sibling(&r, out, &out->live[i]);
    out->live_count = count;

    count = get_count(&r, 2, 0);
    RESERVE(out->replaced, out->replaced_cap, count);
    for (size_t i = 0; i < count && !r.failed; i++) {
        out->replaced[i].dot = get_dot(&r);
        out->replaced[i].scopes = (uint32_t)get_varint_max(&r, (1u << CARNET_SCOPE_COUNT) - 1);
    }
    out->replaced_count = count;

    count = get_count(&r, 3, out->hlc_first);
    RESERVE(out->events, out->event_cap, count);
    for (size_t i = 0; i < count && !r.failed; i++) {
        out->events[i].dot = get_dot(&r);
        out->events[i].hlc = get_hlc(&r);
        out->events[i].raw = get_text(&r);
    }
    out->event_count = count;
    if (!r.failed && r.at == r.end)
        return CARNET_OK;
    out->live_count = out->replaced_count = out->event_count = out->seed_count = 0;
    out->erased = false;
    out->kind = 0;
    out->id = out->subject = (struct carnet_id){ 0 };
    out->hlc_first = out->hlc_last = 0;
    return CARNET_CORRUPT;
}

void carnet_record_canonical(const struct carnet_record *record, struct carnet_buf *out)
{
    carnet_cbor_put_array(out, 8);
    carnet_cbor_put_str(out, "carnet/1/record");
    carnet_cbor_put_id(out, &record->id);
    carnet_cbor_put_uint(out, record->kind);
    if (carnet_id_is_zero(&record->subject))
        carnet_cbor_put_null(out);
    else
        carnet_cbor_put_id(out, &record->subject);
    carnet_cbor_put_bool(out, record->erased);
    carnet_cbor_put_array(out, record->live_count);
    for (size_t i = 0; i < record->live_count; i++)
        carnet_dot_put(out, &record->live[i].dot);
    carnet_cbor_put_array(out, record->event_count);
    for (size_t i = 0; i < record->event_count; i++) {
        carnet_cbor_put_array(out, 2);
        carnet_dot_put(out, &record->events[i].dot);
        carnet_cbor_put_bytes(out, record->events[i].raw);
    }
    carnet_cbor_put_array(out, record->seed_count);
    for (size_t i = 0; i < record->seed_count; i++) {
        carnet_cbor_put_array(out, 3);
        carnet_cbor_put_uint(out, record->seeds[i].id);
        carnet_cbor_put_uint(out, record->seeds[i].scope);
        carnet_cbor_put_bool(out, record->seeds[i].dead);
    }
}
