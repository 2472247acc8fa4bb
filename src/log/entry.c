// SPDX-License-Identifier: EUPL-1.2
#include "carnet/log/entry.h"

#include "internal.h"

/* Whether an entry is valid hangs on its header and leaves alone, never on what a part says: a node that was not given
 * the part must come to the same answer. A part's bytes are only held against the hash in its leaf; what they say is
 * delta.c's matter. */

uint32_t carnet_entry_stream(const struct carnet_entry_header *header)
{
    return header->incarnation * 2 + header->log;
}

/* All of the header but its list of leaf hashes, whose count it gives. */
static size_t read_header(struct carnet_reader *r, struct carnet_entry_header *out)
{
    *out = (struct carnet_entry_header){0};
    carnet_reader_array_exact(r, 11);
    carnet_reader_tag(r, CARNET_ENTRY_DOMAIN);
    carnet_reader_bytes_exact(r, out->community.b, sizeof out->community.b);
    carnet_reader_bytes_exact(r, out->book.b, sizeof out->book.b);
    out->log = (unsigned)carnet_reader_uint_max(r, CARNET_LOG_LAW);
    carnet_reader_bytes_exact(r, out->author.b, sizeof out->author.b);
    out->incarnation = (uint32_t)carnet_reader_uint_max(r, CARNET_INCARNATION_MAX);
    out->seq = carnet_reader_uint(r);
    carnet_reader_bytes_exact(r, out->prev.b, sizeof out->prev.b);
    out->hlc = carnet_reader_uint(r);
    carnet_reader_bytes_exact(r, out->cert.b, sizeof out->cert.b);
    static const struct carnet_hash zero;
    if (out->seq == 0 || (out->seq == 1) != carnet_hash_equal(&out->prev, &zero))
        carnet_reader_fail(r); /* a chain begins with 1, and with nothing before it */
    return carnet_reader_array(r);
}

/* Counts the cells of a part by its contexts, and checks them. */
static carnet_rc read_contexts(struct carnet_reader *r, struct carnet_part *part)
{
    size_t start = r->at;
    part->cell_count = carnet_reader_array(r);
    if (part->cell_count > CARNET_PART_CELLS_MAX)
        return CARNET_LIMIT;
    for (size_t i = 0; i < part->cell_count && !r->failed; i++) {
        size_t dots = carnet_reader_array(r);
        if (dots > CARNET_CONTEXT_MAX)
            return CARNET_LIMIT;
        for (size_t j = 0; j < dots && !r->failed; j++)
            carnet_dot_read(r);
    }
    if (r->failed)
        return CARNET_MALFORMED;
    part->contexts = carnet_slice(r->ptr + start, r->at - start);
    return CARNET_OK;
}

/* What each type of part must and must not name. */
static bool part_fits(const struct carnet_part *part, const struct carnet_change *change)
{
    bool about = !carnet_id_is_zero(&change->subject);
    switch (part->type) {
    case CARNET_PART_SEALED: /* no seed, no field: only what is about nobody is sealed under the epoch alone */
        return part->scope != CARNET_SCOPE_CLEAR && part->epoch != 0 && (part->seed != 0) == about &&
               part->cell_count > 0;
    case CARNET_PART_CLEAR:
        return part->scope == CARNET_SCOPE_CLEAR && part->epoch == 0 && part->seed == 0 && part->cell_count > 0;
    case CARNET_PART_SEED:
        return part->scope != CARNET_SCOPE_CLEAR && part->epoch == 0 && part->seed != 0 && part->cell_count == 0 &&
               carnet_id_equal(&change->subject, &change->record);
    case CARNET_PART_BOX:
        return part->scope != CARNET_SCOPE_CLEAR && part->epoch != 0 && part->seed == 0 && part->cell_count == 0;
    }
    return false;
}

static carnet_rc read_part_head(struct carnet_reader *r, const struct carnet_change *change, unsigned *cells,
                                struct carnet_part *part)
{
    carnet_reader_array_exact(r, 6);
    part->type = (enum carnet_part_type)carnet_reader_uint_max(r, CARNET_PART_BOX);
    part->scope = (enum carnet_scope)carnet_reader_uint_max(r, CARNET_SCOPE_COUNT - 1);
    part->seed = carnet_reader_uint(r);
    part->epoch = carnet_reader_uint(r);
    carnet_reader_bytes_exact(r, part->hash.b, sizeof part->hash.b);
    carnet_rc rc = read_contexts(r, part);
    if (rc != CARNET_OK)
        return rc;
    part->place = *cells;
    *cells += (unsigned)part->cell_count;
    if (*cells > CARNET_DOT_CHANGE - CARNET_DOT_CELLS)
        return CARNET_LIMIT;
    return part_fits(part, change) ? CARNET_OK : CARNET_MALFORMED;
}

/* What a record is about follows from its kind; kinds this version does not know are free. */
static bool subject_fits(const struct carnet_change *change)
{
    if (carnet_id_is_zero(&change->record))
        return false;
    if (change->kind == CARNET_KIND_CONTACT)
        return carnet_id_equal(&change->subject, &change->record);
    bool nobody = (change->kind >= CARNET_KIND_RECEIPT && change->kind <= CARNET_KIND_SUPPRESSION) ||
                  ((unsigned)change->kind >= CARNET_KIND_NOBODY_FIRST && (unsigned)change->kind <= CARNET_KIND_NOBODY_LAST);
    return !nobody || carnet_id_is_zero(&change->subject);
}

static carnet_rc read_events(struct carnet_reader *r, struct carnet_change *change)
{
    size_t count = carnet_reader_array(r);
    if (count > CARNET_CHANGE_EVENTS_MAX)
        return CARNET_LIMIT;
    for (size_t i = 0; i < count; i++) {
        struct carnet_event event;
        change->events[i] = carnet_reader_skip(r);
        if (r->failed || carnet_event_decode(change->events[i], &event) == CARNET_MALFORMED)
            return CARNET_MALFORMED;
    }
    change->event_count = count;
    return CARNET_OK;
}

static carnet_rc read_leaf(struct carnet_change *change)
{
    struct carnet_reader r;
    carnet_reader_init(&r, change->leaf);
    carnet_reader_array_exact(&r, 5);
    carnet_reader_bytes_exact(&r, change->record.b, sizeof change->record.b);
    if (!carnet_reader_null(&r)) {
        carnet_reader_bytes_exact(&r, change->subject.b, sizeof change->subject.b);
        if (carnet_id_is_zero(&change->subject))
            carnet_reader_fail(&r); /* nobody is null, in one way */
    }
    change->kind = (enum carnet_kind)carnet_reader_uint_max(&r, UINT16_MAX);
    if (r.failed || change->kind == 0 || !subject_fits(change))
        return CARNET_MALFORMED;
    carnet_rc rc = read_events(&r, change);
    if (rc != CARNET_OK)
        return rc;
    size_t count = carnet_reader_array(&r);
    if (count > CARNET_CHANGE_PARTS_MAX)
        return CARNET_LIMIT;
    unsigned cells = 0;
    for (size_t i = 0; i < count; i++) {
        rc = read_part_head(&r, change, &cells, &change->parts[i]);
        if (rc != CARNET_OK)
            return rc;
    }
    change->part_count = count;
    return carnet_reader_done(&r);
}

static bool hash_is(const char *domain, struct carnet_slice bytes, const struct carnet_hash *expected)
{
    struct carnet_hash hash = carnet_hash_of(domain, bytes);
    return carnet_hash_equal(&hash, expected);
}

static carnet_rc read_change(struct carnet_reader *r, const struct carnet_hash *leaf_hash, bool known, struct carnet_change *change)
{
    carnet_reader_array_exact(r, 2);
    change->leaf = carnet_reader_bytes(r);
    if (r->failed || (!known && !hash_is(CARNET_LEAF_DOMAIN, change->leaf, leaf_hash)))
        return CARNET_MALFORMED;
    carnet_rc rc = read_leaf(change);
    if (rc != CARNET_OK)
        return rc;
    carnet_reader_array_exact(r, change->part_count);
    for (size_t i = 0; i < change->part_count; i++) {
        struct carnet_part *part = &change->parts[i];
        if (carnet_reader_null(r))
            continue;
        part->bytes = carnet_reader_bytes(r);
        part->present = true;
        if (r->failed || (!known && !hash_is(CARNET_PART_HASH_DOMAIN, part->bytes, &part->hash)))
            return CARNET_MALFORMED;
        if (part->type == CARNET_PART_SEED && part->bytes.len == 16)
            part->seed_fits = known || carnet_seed_id(part->bytes.ptr) == part->seed;
    }
    return r->failed ? CARNET_MALFORMED : CARNET_OK;
}

static carnet_rc decode(struct carnet_slice raw, bool known, struct carnet_arena *arena, struct carnet_entry *out)
{
    *out = (struct carnet_entry){.raw = raw};
    if (raw.len > CARNET_ENTRY_LEN_MAX)
        return CARNET_LIMIT;
    struct carnet_reader r, header;
    carnet_reader_init(&r, raw);
    carnet_reader_array_exact(&r, 3);
    out->header_raw = carnet_reader_bytes(&r);
    carnet_reader_bytes_exact(&r, out->sig.b, sizeof out->sig.b);
    size_t count = carnet_reader_array(&r);
    carnet_reader_init(&header, out->header_raw);
    size_t hashes = read_header(&header, &out->header);
    if (r.failed || header.failed || count != hashes || count == 0)
        return CARNET_MALFORMED;
    if (count > CARNET_ENTRY_CHANGES_MAX)
        return CARNET_LIMIT;
    out->changes = carnet_arena_alloc(arena, count * sizeof *out->changes);
    for (size_t i = 0; i < count; i++) {
        struct carnet_hash leaf_hash;
        carnet_reader_bytes_exact(&header, leaf_hash.b, sizeof leaf_hash.b);
        carnet_rc rc = header.failed ? CARNET_MALFORMED : read_change(&r, &leaf_hash, known, &out->changes[i]);
        if (rc != CARNET_OK)
            return rc;
    }
    out->change_count = count;
    out->hash = carnet_hash_of(CARNET_ENTRY_DOMAIN, out->header_raw);
    carnet_rc rc = carnet_reader_done(&header);
    return rc == CARNET_OK ? carnet_reader_done(&r) : rc;
}

carnet_rc carnet_entry_decode(struct carnet_slice raw, struct carnet_arena *arena, struct carnet_entry *out)
{
    return decode(raw, false, arena, out);
}

carnet_rc carnet_entry_decode_own(struct carnet_slice raw, struct carnet_arena *arena, struct carnet_entry *out)
{
    return decode(raw, true, arena, out);
}

carnet_rc carnet_entry_peek(struct carnet_slice raw, struct carnet_entry_header *out, struct carnet_hash *hash)
{
    *out = (struct carnet_entry_header){0};
    if (raw.len > CARNET_ENTRY_LEN_MAX)
        return CARNET_LIMIT;
    struct carnet_reader r, header;
    carnet_reader_init(&r, raw);
    carnet_reader_array_exact(&r, 3);
    struct carnet_slice header_raw = carnet_reader_bytes(&r);
    carnet_reader_init(&header, header_raw);
    read_header(&header, out);
    if (r.failed || header.failed)
        return CARNET_MALFORMED;
    *hash = carnet_hash_of(CARNET_ENTRY_DOMAIN, header_raw);
    return CARNET_OK;
}

carnet_rc carnet_entry_verify(const struct carnet_entry *entry, const struct carnet_sign_pk *pk)
{
    if (CARNET_PLANTED(4))
        return CARNET_OK;
    return carnet_verify(pk, entry->header_raw, &entry->sig);
}

static void put_start(const struct carnet_entry *entry, struct carnet_buf *out)
{
    carnet_cbor_put_array(out, 3);
    carnet_cbor_put_bytes(out, entry->header_raw);
    carnet_cbor_put_bytes(out, carnet_slice(entry->sig.b, sizeof entry->sig.b));
    carnet_cbor_put_array(out, entry->change_count);
}

static void put_change(const struct carnet_change *change, struct carnet_buf *out)
{
    carnet_cbor_put_array(out, 2);
    carnet_cbor_put_bytes(out, change->leaf);
    carnet_cbor_put_array(out, change->part_count);
}

void carnet_entry_strip(const struct carnet_entry *entry,
                        bool (*keep)(void *ctx, const struct carnet_change *change, const struct carnet_part *part),
                        void *ctx, struct carnet_buf *out)
{
    put_start(entry, out);
    for (size_t i = 0; i < entry->change_count; i++) {
        const struct carnet_change *change = &entry->changes[i];
        put_change(change, out);
        for (size_t j = 0; j < change->part_count; j++) {
            if (change->parts[j].present && keep(ctx, change, &change->parts[j]))
                carnet_cbor_put_bytes(out, change->parts[j].bytes);
            else
                carnet_cbor_put_null(out);
        }
    }
}

bool carnet_entry_fill(const struct carnet_entry *entry, const struct carnet_entry *other, struct carnet_buf *out)
{
    bool same = carnet_hash_equal(&entry->hash, &other->hash);
    bool added = false;
    put_start(entry, out);
    for (size_t i = 0; i < entry->change_count; i++) {
        const struct carnet_change *change = &entry->changes[i];
        put_change(change, out);
        for (size_t j = 0; j < change->part_count; j++) {
            const struct carnet_part *part = &change->parts[j];
            if (!part->present && same && other->changes[i].parts[j].present) {
                part = &other->changes[i].parts[j];
                added = true;
            }
            if (part->present)
                carnet_cbor_put_bytes(out, part->bytes);
            else
                carnet_cbor_put_null(out);
        }
    }
    return added;
}

struct carnet_dot carnet_entry_dot(const struct carnet_entry *entry, size_t change, unsigned place)
{
    return (struct carnet_dot){.author = carnet_id_head(&entry->header.author),
                               .seq = entry->header.seq,
                               .stream = carnet_entry_stream(&entry->header),
                               .index = (uint32_t)change * CARNET_DOT_CHANGE + place};
}

struct carnet_dot carnet_entry_cell_dot(const struct carnet_entry *entry, size_t change, const struct carnet_part *part,
                                        size_t cell)
{
    return carnet_entry_dot(entry, change, CARNET_DOT_CELLS + part->place + (unsigned)cell);
}
