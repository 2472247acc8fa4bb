// SPDX-License-Identifier: EUPL-1.2
/* Destroying: the signed events that kill keys, what a sweep removes from the files, the receipts that say so. */
#include "upkeep.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEADS_MAX = 1500,     /* of one receipt: it fits an entry */
    HEAD_SIZE = 26,
    LAW_STEPS_MAX = 256,  /* entries looked at by one call of carnet_replica_sweep_due */
    EVENT_SIZE = 16 + CARNET_CHANGE_EVENTS_MAX * 9
};

const struct carnet_cert *carnet_erase_self(struct carnet_replica *replica)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    if (!self || carnet_authority_is_cut(replica->authority, &replica->node))
        return NULL;
    return carnet_cert_expired(self, carnet_replica_now_ms(replica)) ? NULL : self;
}

/* --- darkening --- */

uint32_t carnet_erase_sealed(const struct carnet_record *record)
{
    uint32_t scopes = 0;
    for (size_t i = 0; i < record->seed_count; i++)
        if (!record->seeds[i].dead && record->seeds[i].scope > CARNET_SCOPE_CLEAR && record->seeds[i].scope < CARNET_SCOPE_CONSENT)
            scopes |= 1u << record->seeds[i].scope;
    return scopes;
}

/* The next darkening of the scope, from seed number *from on; false: no live seed is left. */
static bool next_dark(const struct carnet_record *record, enum carnet_scope scope, size_t *from, struct carnet_event *event)
{
    *event = (struct carnet_event){ .type = CARNET_EVENT_DARK, .scope = scope };
    for (; *from < record->seed_count && event->seed_count < CARNET_CHANGE_EVENTS_MAX; (*from)++)
        if (!record->seeds[*from].dead && record->seeds[*from].scope == scope)
            event->seeds[event->seed_count++] = record->seeds[*from].id;
    return event->seed_count > 0;
}

carnet_rc carnet_erase_dark(struct carnet_replica *replica, const struct carnet_loaded *loaded, uint32_t scopes, struct carnet_err *err)
{
    const struct carnet_record *record = &loaded->record;
    scopes &= carnet_erase_sealed(record);
    if (!scopes)
        return CARNET_OK;
    carnet_rc rc = carnet_tags_owed(replica, loaded->row.n, err);
    if (rc != CARNET_OK)
        return rc;
    size_t size = 128;
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_CONSENT; scope++)
        size += scopes >> scope & 1 ? EVENT_SIZE : 0;
    rc =
        carnet_batch_change(replica, &loaded->row.book, CARNET_LOG_LAW, &loaded->row.id, &record->subject, CARNET_KIND_CONTACT, size, false, err);
    for (unsigned scope = CARNET_SCOPE_IDENTITY; rc == CARNET_OK && scope < CARNET_SCOPE_CONSENT; scope++) {
        struct carnet_event event;
        size_t from = 0;
        while (scopes >> scope & 1 && next_dark(record, (enum carnet_scope)scope, &from, &event))
            carnet_batch_event(replica, &event);
    }
    return rc == CARNET_OK ? carnet_batch_flush(replica, err) : rc;
}

static carnet_rc check_dark(struct carnet_replica *replica, const struct carnet_loaded *loaded, uint32_t scopes, struct carnet_err *err)
{
    const struct carnet_cert *self = carnet_erase_self(replica);
    if (loaded->record.kind != CARNET_KIND_CONTACT)
        return carnet_err_set(err, CARNET_REFUSED, "only a contact has keys to destroy");
    if (carnet_consent_restricted(&loaded->record))
        return carnet_err_set(err, CARNET_REFUSED, "the contact is restricted: nothing of it is destroyed");
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_CONSENT; scope++) {
        if (!(scopes >> scope & 1))
            continue;
        const char *name = carnet_scope_name((enum carnet_scope)scope);
        if (!self || !(self->verbs & CARNET_VERB_DARK) || !(self->reads >> scope & 1)) {
            carnet_err_set(err, CARNET_REFUSED, "this node may not destroy the keys of the scope %s", name);
            carnet_err_hint(err, "an office that reads it does so by itself");
            return CARNET_REFUSED;
        }
        if (carnet_consent_closed_at(&replica->charter, &loaded->record, (enum carnet_scope)scope, carnet_replica_now_ms(replica)) == 0)
            return carnet_err_set(err, CARNET_REFUSED, "a consent still covers the scope %s", name);
    }
    return CARNET_OK;
}

carnet_rc carnet_replica_dark(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, uint32_t scopes, struct carnet_err *err)
{
    struct carnet_loaded loaded;
    bool mine;
    uint64_t written;
    carnet_rc rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_loaded_init(&loaded);
    rc = carnet_rows_get(replica, book, record, &loaded, err);
    if (rc == CARNET_NOT_FOUND)
        rc = carnet_err_set(err, rc, "there is no such record");
    if (rc == CARNET_OK && !loaded.record.erased) {
        scopes &= carnet_erase_sealed(&loaded.record);
        rc = check_dark(replica, &loaded, scopes, err);
        if (rc == CARNET_OK)
            rc = carnet_erase_dark(replica, &loaded, scopes, err);
    }
    carnet_loaded_deinit(&loaded);
    return carnet_tx_leave(replica, mine, written, rc, err);
}

/* --- what came from the future --- */

bool carnet_erase_destroys(const struct carnet_change *change)
{
    for (size_t i = 0; i < change->event_count; i++) {
        uint64_t type = carnet_event_peek(change->events[i]);
        if (type == CARNET_EVENT_DARK || type == CARNET_EVENT_ERASE || type == CARNET_EVENT_RECTIFY)
            return true;
    }
    return false;
}

static bool has_seed(const struct carnet_event *event, uint64_t seed, enum carnet_scope scope)
{
    for (size_t i = 0; event->scope == scope && i < event->seed_count; i++)
        if (event->seeds[i] == seed)
            return true;
    return false;
}

/* Some event of the record that is no longer in doubt erased it, or killed the seed (0: only erasing counts). */
static carnet_rc is_settled(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_record *record, uint64_t seed,
                            enum carnet_scope scope, bool *out, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    *out = false;
    for (size_t i = 0; rc == CARNET_OK && !*out && i < record->event_count; i++) {
        struct carnet_event event;
        uint64_t type = carnet_event_peek(record->events[i].raw);
        bool kills = type == CARNET_EVENT_ERASE || (seed && type == CARNET_EVENT_DARK && carnet_event_decode(record->events[i].raw, &event) == CARNET_OK &&
                                                    has_seed(&event, seed, scope));
        if (kills)
            rc = carnet_apply_timely(replica, book, &record->events[i].dot, out, err);
    }
    return rc;
}

/* Some part of which the rectification names a cell is here. */
static carnet_rc is_kept(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, const struct carnet_event *event, bool *out,
                         struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    *out = false;
    for (size_t i = 0; rc == CARNET_OK && !*out && i < event->name_count; i++) {
        struct carnet_arena arena;
        struct carnet_place place;
        carnet_arena_init(&arena);
        rc = carnet_apply_place(replica, book, record, &event->names[i], &arena, &place, err);
        *out = rc == CARNET_OK && place.part->present;
        carnet_arena_deinit(&arena);
        rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    }
    return rc;
}

carnet_rc carnet_erase_remains(struct carnet_replica *replica, const struct carnet_entry *entry, size_t change, bool *remains, struct carnet_err *err)
{
    const struct carnet_change *c = &entry->changes[change];
    carnet_rc rc = CARNET_OK;
    *remains = false;
    for (size_t i = 0; rc == CARNET_OK && !*remains && i < c->event_count; i++) {
        struct carnet_event event;
        if (carnet_event_peek(c->events[i]) == CARNET_EVENT_RECTIFY && carnet_event_decode(c->events[i], &event) == CARNET_OK)
            rc = is_kept(replica, &entry->header.book, &c->record, &event, remains, err);
    }
    return rc;
}

/* A rectification that came in time names the cell, or nothing of its part is here. */
static carnet_rc is_rectified(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_record *record, const struct carnet_dot *dot, bool *out,
                              struct carnet_err *err)
{
    const struct carnet_event alone = { .type = CARNET_EVENT_RECTIFY, .names = { *dot }, .name_count = 1 };
    bool kept;
    carnet_rc rc = is_kept(replica, book, &record->id, &alone, &kept, err);
    *out = !kept;
    for (size_t i = 0; rc == CARNET_OK && !*out && i < record->event_count; i++) {
        struct carnet_event event;
        bool named = false;
        if (carnet_event_peek(record->events[i].raw) != CARNET_EVENT_RECTIFY || carnet_event_decode(record->events[i].raw, &event) != CARNET_OK)
            continue;
        for (size_t j = 0; j < event.name_count; j++)
            named = named || carnet_dot_equal(&event.names[j], dot);
        if (named)
            rc = carnet_apply_timely(replica, book, &record->events[i].dot, out, err);
    }
    return rc;
}

carnet_rc carnet_erase_pending(struct carnet_replica *replica, const struct carnet_entry *entry, size_t change, bool *pending, struct carnet_err *err)
{
    const struct carnet_change *c = &entry->changes[change];
    struct carnet_loaded loaded;
    carnet_rc rc = CARNET_OK;
    *pending = false;
    if (!carnet_erase_destroys(c))
        return rc;
    carnet_loaded_init(&loaded);
    rc = carnet_rows_get(replica, &entry->header.book, &c->record, &loaded, err);
    for (size_t i = 0; rc == CARNET_OK && !*pending && i < c->event_count; i++) {
        struct carnet_event event;
        bool settled = true;
        if (carnet_event_decode(c->events[i], &event) != CARNET_OK ||
            (event.type != CARNET_EVENT_ERASE && event.type != CARNET_EVENT_DARK && event.type != CARNET_EVENT_RECTIFY))
            continue;
        if (event.type == CARNET_EVENT_RECTIFY && loaded.record.erased)
            continue; /* the erasure has to be confirmed */
        for (size_t j = 0; rc == CARNET_OK && settled && event.type == CARNET_EVENT_RECTIFY && j < event.name_count; j++)
            rc = is_rectified(replica, &entry->header.book, &loaded.record, &event.names[j], &settled, err);
        if (event.type == CARNET_EVENT_ERASE)
            rc = is_settled(replica, &entry->header.book, &loaded.record, 0, CARNET_SCOPE_CLEAR, &settled, err);
        for (size_t j = 0; rc == CARNET_OK && settled && j < event.seed_count; j++)
            rc = is_settled(replica, &entry->header.book, &loaded.record, event.seeds[j], event.scope, &settled, err);
        *pending = !settled;
    }
    carnet_loaded_deinit(&loaded);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* --- receipts --- */

/* Heads of law logs of one book: by author number and stream. */
struct head {
    uint64_t author;
    uint32_t stream;
    uint64_t seq;
};
struct heads {
    struct head *at;
    size_t count, cap;
};

static struct head *find_head(const struct heads *heads, uint64_t author, uint32_t stream)
{
    for (size_t i = 0; i < heads->count; i++)
        if (heads->at[i].author == author && heads->at[i].stream == stream)
            return &heads->at[i];
    return NULL;
}

static void raise_head(struct heads *heads, const struct head *head)
{
    struct head *known = find_head(heads, head->author, head->stream);
    if (known) {
        known->seq = head->seq > known->seq ? head->seq : known->seq;
        return;
    }
    CARNET_GROW(heads->at, heads->count, heads->cap);
    heads->at[heads->count++] = *head;
}

static uint64_t covered(const struct heads *heads, uint64_t author, uint32_t stream)
{
    const struct head *head = find_head(heads, author, stream);
    return head ? head->seq : 0;
}

/* The bytes of a receipt: [[author number, stream, seq] ...]. What cannot be read covers nothing. */
static void read_receipt(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_slice bytes, struct heads *out)
{
    struct carnet_reader r;
    struct heads read = { .count = 0 };
    carnet_reader_init(&r, bytes);
    for (size_t i = carnet_reader_array_max(&r, HEADS_MAX); i > 0 && !r.failed; i--) {
        struct head head;
        carnet_reader_array_exact(&r, 3);
        head.author = carnet_reader_uint(&r);
        head.stream = (uint32_t)carnet_reader_uint_max(&r, UINT32_MAX);
        head.seq = carnet_reader_uint(&r);
        CARNET_GROW(read.at, read.count, read.cap);
        read.at[read.count++] = head;
    }
    bool good = carnet_reader_done(&r) == CARNET_OK;
    for (size_t i = 0; good && i < read.count; i++) {
        const struct carnet_cert *author = carnet_authority_author(replica->authority, read.at[i].author);
        if (author && carnet_streams_find(&replica->streams, book, &author->node, read.at[i].stream))
            raise_head(out, &read.at[i]); /* so that nobody makes it grow at will */
    }
    free(read.at);
}

/* What the node's sweeps of a book cover. A sweep never takes back what an earlier one did: receipts add up. */
static carnet_rc load_receipts(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *node, struct heads *out, struct carnet_err *err)
{
    struct carnet_loaded loaded;
    struct carnet_event event;
    carnet_loaded_init(&loaded);
    out->count = 0;
    carnet_rc rc = carnet_rows_get(replica, book, node, &loaded, err);
    for (size_t i = 0; rc == CARNET_OK && i < loaded.record.event_count; i++) {
        const struct carnet_event_item *item = &loaded.record.events[i];
        if (item->dot.author == carnet_id_head(node) && carnet_event_peek(item->raw) == CARNET_EVENT_RECEIPT && carnet_event_decode(item->raw, &event) == CARNET_OK)
            read_receipt(replica, book, event.bytes, out);
    }
    carnet_loaded_deinit(&loaded);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* Looks through the law of one stream from seq `from` on: does something there destroy? *end: the last seq before what still waits to be confirmed. */
static carnet_rc scan_law(struct carnet_replica *replica, const struct carnet_stream *stream, uint64_t from, bool *destroys, uint64_t *end, struct carnet_err *err)
{
    struct carnet_arena arena;
    carnet_rc rc = CARNET_OK;
    carnet_arena_init(&arena);
    *end = stream->row.seq;
    *destroys = false;
    for (uint64_t seq = from; rc == CARNET_OK && seq <= *end; seq++) {
        struct carnet_entry_row row;
        struct carnet_entry entry;
        bool pending = false;
        rc = carnet_store_entry_find(replica->store, stream->row.n, seq, &row, err);
        if (rc != CARNET_OK)
            break;
        carnet_arena_reset(&arena);
        unsigned flags = row.flags;
        if (carnet_entry_decode(carnet_arena_dup(&arena, row.bytes), &arena, &entry) != CARNET_OK) {
            rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "an entry");
            break;
        }
        bool lost = carnet_apply_beyond(replica, &entry.header); /* it destroys nothing */
        for (size_t i = 0; rc == CARNET_OK && !lost && !pending && i < entry.change_count; i++) {
            if (flags & CARNET_ENTRY_FUTURE)
                rc = carnet_erase_pending(replica, &entry, i, &pending, err);
            if (rc == CARNET_OK && !pending)
                rc = carnet_erase_remains(replica, &entry, i, &pending, err);
        }
        if (pending)
            *end = seq - 1;
        for (size_t i = 0; !pending && i < entry.change_count; i++)
            *destroys = *destroys || carnet_erase_destroys(&entry.changes[i]);
    }
    carnet_arena_deinit(&arena);
    return rc;
}

/* The heads that a sweep made now covers and no receipt of ours does; none when nothing beyond the receipts destroys. */
static carnet_rc find_owed(struct carnet_replica *replica, const struct carnet_id *book, struct heads *owed, struct carnet_err *err)
{
    struct heads had = { .count = 0 };
    bool any = false;
    owed->count = 0;
    carnet_rc rc = load_receipts(replica, book, &replica->node, &had, err);
    for (size_t i = 0; rc == CARNET_OK && i < replica->streams.count; i++) {
        const struct carnet_stream *stream = &replica->streams.at[i];
        struct head head = { .author = carnet_id_head(&stream->row.author), .stream = stream->row.stream };
        bool destroys;
        if (stream->row.stream % 2 != CARNET_LOG_LAW || !carnet_id_equal(&stream->row.book, book))
            continue;
        uint64_t from = covered(&had, head.author, head.stream) + 1;
        if (from > stream->row.seq)
            continue;
        rc = scan_law(replica, stream, from, &destroys, &head.seq, err);
        any = any || destroys;
        if (head.seq >= from)
            raise_head(owed, &head);
    }
    if (!any)
        owed->count = 0;
    free(had.at);
    return rc;
}

static carnet_rc write_receipt(struct carnet_replica *replica, const struct carnet_id *book, const struct heads *heads, struct carnet_err *err)
{
    int64_t wall_ms = carnet_replica_wall_ms(replica);
    carnet_rc rc = CARNET_OK;
    for (size_t at = 0; rc == CARNET_OK && at < heads->count; at += HEADS_MAX) {
        size_t count = heads->count - at < HEADS_MAX ? heads->count - at : HEADS_MAX;
        struct carnet_buf bytes;
        carnet_buf_init(&bytes, CARNET_ENTRY_LEN_MAX);
        carnet_cbor_put_array(&bytes, count);
        for (size_t i = at; i < at + count; i++) {
            carnet_cbor_put_array(&bytes, 3);
            carnet_cbor_put_uint(&bytes, heads->at[i].author);
            carnet_cbor_put_uint(&bytes, heads->at[i].stream);
            carnet_cbor_put_uint(&bytes, heads->at[i].seq);
        }
        CARNET_ASSERT(!bytes.failed);
        const struct carnet_event event = { .type = CARNET_EVENT_RECEIPT, .ms = wall_ms > 0 ? wall_ms : 0, .bytes = carnet_buf_slice(&bytes) };
        rc = carnet_batch_change(replica, book, CARNET_LOG_LAW, &replica->node, NULL, CARNET_KIND_RECEIPT, count * HEAD_SIZE + 128, false, err);
        if (rc == CARNET_OK) {
            carnet_batch_event(replica, &event);
            rc = carnet_batch_flush(replica, err);
        }
        carnet_buf_deinit(&bytes);
    }
    return rc;
}

/* Books may come and go with what is written: they are named first. */
static carnet_rc write_receipts(struct carnet_replica *replica, struct heads *owed, const struct carnet_id *books, size_t count, struct carnet_err *err)
{
    bool mine;
    uint64_t written;
    carnet_rc rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    for (size_t i = 0; rc == CARNET_OK && i < count; i++)
        rc = write_receipt(replica, &books[i], &owed[i], err);
    replica->sweep_due_new = false;
    return carnet_tx_leave(replica, mine, written, rc, err);
}

carnet_rc carnet_replica_sweep(struct carnet_replica *replica, struct carnet_err *err)
{
    CARNET_ASSERT(!carnet_store_in_transaction(replica->store));
    size_t count = replica->held_count;
    struct carnet_id *books = carnet_alloc((count + 1) * sizeof *books);
    struct heads *owed = carnet_alloc((count + 1) * sizeof *owed);
    carnet_rc rc = CARNET_OK;
    if (count)
        memcpy(books, replica->held, count * sizeof *books);
    for (size_t i = 0; rc == CARNET_OK && carnet_erase_self(replica) && i < count; i++)
        rc = find_owed(replica, &books[i], &owed[i], err);
    if (rc == CARNET_OK && !CARNET_PLANTED(18)) /* planted: a receipt is written without sweeping */
        rc = carnet_store_sweep(replica->store, err);
    if (rc == CARNET_OK)
        rc = write_receipts(replica, owed, books, count, err);
    if (rc == CARNET_OK)
        replica->upkeep.law_due = false;
    for (size_t i = 0; i < count; i++)
        free(owed[i].at);
    free(owed);
    free(books);
    return rc;
}

/* --- is a sweep due? --- */

/* Does a law entry destroy something that no receipt of ours covers? The node may have held nothing of it: it says so all the same. */
static carnet_rc is_owed(struct carnet_replica *replica, const struct carnet_entry_row *row, struct carnet_arena *arena, bool *out, struct carnet_err *err)
{
    struct carnet_entry entry;
    struct heads had = { .count = 0 };
    bool pending = false, future = row->flags & CARNET_ENTRY_FUTURE;
    carnet_rc rc = CARNET_OK;
    *out = false;
    carnet_arena_reset(arena);
    if (carnet_entry_decode(carnet_arena_dup(arena, row->bytes), arena, &entry) != CARNET_OK)
        return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "an entry");
    if (!carnet_replica_holds(replica, &entry.header.book))
        return rc;
    for (size_t i = 0; rc == CARNET_OK && !pending && i < entry.change_count; i++) {
        if (future)
            rc = carnet_erase_pending(replica, &entry, i, &pending, err);
        if (rc == CARNET_OK && !pending)
            rc = carnet_erase_remains(replica, &entry, i, &pending, err);
        *out = *out || carnet_erase_destroys(&entry.changes[i]);
    }
    *out = *out && !pending;
    if (rc == CARNET_OK && *out) {
        rc = load_receipts(replica, &entry.header.book, &replica->node, &had, err);
        *out = covered(&had, carnet_id_head(&entry.header.author), carnet_entry_stream(&entry.header)) < entry.header.seq;
    }
    free(had.at);
    return rc;
}

bool carnet_replica_sweep_due(struct carnet_replica *replica)
{
    struct carnet_upkeep *upkeep = &replica->upkeep;
    struct carnet_arena arena;
    if (replica->sweep_due || upkeep->law_due)
        return true;
    if (!carnet_erase_self(replica) || replica->broken)
        return false;
    if (upkeep->law_scanned > replica->last)
        upkeep->law_scanned = replica->last; /* a transaction was rolled back */
    carnet_arena_init(&arena);
    for (int steps = 0; steps < LAW_STEPS_MAX && !upkeep->law_due; steps++) {
        struct carnet_entry_row row;
        carnet_rc rc = carnet_store_entry_next(replica->store, 1, upkeep->law_scanned + 1, &row, NULL);
        if (rc == CARNET_NOT_FOUND || (rc == CARNET_OK && row.n > replica->last)) {
            upkeep->law_scanned = replica->last;
            break;
        }
        int64_t n = row.n;
        if (rc != CARNET_OK || is_owed(replica, &row, &arena, &upkeep->law_due, NULL) != CARNET_OK)
            break;
        upkeep->law_scanned = n;
    }
    carnet_arena_deinit(&arena);
    return upkeep->law_due;
}

/* --- who acknowledged --- */

struct erased {
    struct carnet_id book, record;
    struct carnet_dot dot;
    uint64_t hlc;
};
struct erased_list {
    struct erased *at;
    size_t count, cap;
};

static int compare_erased(const void *left, const void *right)
{
    const struct erased *a = left, *b = right;
    int by = carnet_id_compare(&a->book, &b->book);
    by = by ? by : carnet_id_compare(&a->record, &b->record);
    by = by ? by : (a->hlc < b->hlc ? -1 : a->hlc > b->hlc);
    return by ? by : carnet_dot_compare(&a->dot, &b->dot);
}

static void add_erased(const struct carnet_entry *entry, struct erased_list *out)
{
    for (size_t i = 0; i < entry->change_count; i++) {
        const struct carnet_change *change = &entry->changes[i];
        for (size_t j = 0; j < change->event_count; j++) {
            if (carnet_event_peek(change->events[j]) != CARNET_EVENT_ERASE || !carnet_id_equal(&change->record, &change->subject))
                continue;
            CARNET_GROW(out->at, out->count, out->cap);
            out->at[out->count++] = (struct erased){
                .book = entry->header.book, .record = change->record, .dot = carnet_entry_dot(entry, i, (unsigned)j), .hlc = entry->header.hlc
            };
        }
    }
}

/* Every erasing event of the law that is here. */
static carnet_rc find_erased(struct carnet_replica *replica, struct erased_list *out, struct carnet_err *err)
{
    struct carnet_arena arena;
    struct carnet_entry_row row;
    carnet_rc rc;
    carnet_arena_init(&arena);
    for (int64_t from = 1; (rc = carnet_store_entry_next(replica->store, 1, from, &row, err)) == CARNET_OK; from = row.n + 1) {
        struct carnet_entry entry;
        carnet_arena_reset(&arena);
        if (carnet_entry_decode(row.bytes, &arena, &entry) != CARNET_OK) {
            rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "an entry");
            break;
        }
        if (!carnet_apply_beyond(replica, &entry.header))
            add_erased(&entry, out);
    }
    carnet_arena_deinit(&arena);
    if (out->count)
        qsort(out->at, out->count, sizeof *out->at, compare_erased);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

struct holder {
    struct carnet_id node;
    struct heads heads;
};
struct holders {
    struct holder *at;
    size_t count;
};

static void free_holders(struct holders *holders)
{
    for (size_t i = 0; i < holders->count; i++)
        free(holders->at[i].heads.at);
    free(holders->at);
    *holders = (struct holders){ .count = 0 };
}

/* Who may have a copy of the book: revoked ones too, honestly. */
static carnet_rc load_holders(struct carnet_replica *replica, const struct carnet_id *book, struct holders *out, struct carnet_err *err)
{
    size_t certs = carnet_authority_count(replica->authority);
    carnet_rc rc = CARNET_OK;
    free_holders(out);
    out->at = carnet_alloc((certs + 1) * sizeof *out->at);
    for (size_t i = 0; rc == CARNET_OK && i < certs; i++) {
        const struct carnet_cert *cert = carnet_authority_at(replica->authority, i);
        if (!carnet_cert_holds(cert, book))
            continue;
        out->at[out->count].node = cert->node;
        rc = load_receipts(replica, book, &cert->node, &out->at[out->count].heads, err);
        out->count++;
    }
    return rc;
}

/* One erasure, of the erasing events [first, end) of its record: a holder that has seen and swept one of them is done. */
static bool give_erasure(struct carnet_replica *replica, const struct holders *holders, const struct erased *first, const struct erased *end,
                         struct carnet_arena *arena, bool (*each)(void *ctx, const struct carnet_erasure *erasure), void *ctx)
{
    const struct carnet_cert *by = carnet_authority_author(replica->authority, first->dot.author);
    struct carnet_id *done = carnet_arena_alloc(arena, (holders->count + 1) * sizeof *done);
    struct carnet_id *open = carnet_arena_alloc(arena, (holders->count + 1) * sizeof *open);
    struct carnet_erasure erasure = { .book = first->book, .record = first->record, .at_ms = carnet_hlc_ms(first->hlc), .acknowledged = done, .outstanding = open };
    if (by)
        erasure.by = by->node;
    for (size_t i = 0; i < holders->count; i++) {
        bool covers = false;
        for (const struct erased *at = first; at < end; at++)
            covers = covers || covered(&holders->at[i].heads, at->dot.author, at->dot.stream) >= at->dot.seq;
        if (covers)
            done[erasure.acknowledged_count++] = holders->at[i].node;
        else
            open[erasure.outstanding_count++] = holders->at[i].node;
    }
    return each(ctx, &erasure);
}

carnet_rc carnet_replica_erasures(struct carnet_replica *replica, struct carnet_arena *arena, bool (*each)(void *ctx, const struct carnet_erasure *erasure), void *ctx,
                                  struct carnet_err *err)
{
    struct erased_list list = { .count = 0 };
    struct holders holders = { .count = 0 };
    carnet_rc rc = find_erased(replica, &list, err);
    for (size_t i = 0, end; rc == CARNET_OK && i < list.count; i = end) {
        const struct erased *first = &list.at[i];
        for (end = i + 1; end < list.count && carnet_id_equal(&list.at[end].record, &first->record) && carnet_id_equal(&list.at[end].book, &first->book); end++)
            ;
        if (i == 0 || !carnet_id_equal(&first->book, &list.at[i - 1].book))
            rc = load_holders(replica, &first->book, &holders, err);
        if (rc == CARNET_OK && !give_erasure(replica, &holders, first, &list.at[end - 1] + 1, arena, each, ctx))
            break;
    }
    free_holders(&holders);
    free(list.at);
    return rc;
}
