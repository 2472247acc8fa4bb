// SPDX-License-Identifier: EUPL-1.2
/* Entries in: the same path for what this node wrote and for what it received. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* --- rights of this node --- */

bool carnet_replica_gets(const struct carnet_replica *replica, enum carnet_scope scope)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    return self && carnet_cert_gets(self, scope);
}

bool carnet_replica_holds(const struct carnet_replica *replica, const struct carnet_id *book)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    return carnet_id_equal(book, &replica->community) || (self && carnet_cert_holds(self, book));
}

uint32_t carnet_replica_reads(const struct carnet_replica *replica)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    return self ? self->reads : 0;
}

static uint32_t wanted(const struct carnet_replica *replica)
{
    uint32_t scopes = 0;
    for (unsigned scope = 0; scope < CARNET_SCOPE_COUNT; scope++)
        if (carnet_replica_gets(replica, (enum carnet_scope)scope))
            scopes |= 1u << scope;
    return scopes;
}

bool carnet_apply_beyond(const struct carnet_replica *replica, const struct carnet_entry_header *header)
{
    return header->seq > carnet_authority_cut_at(replica->authority, &header->author, &header->book, carnet_entry_stream(header));
}

/* --- deltas --- */

struct open_ctx {
    struct carnet_replica *replica;
    const struct carnet_record *seeds;
};

static bool find_seed(const struct open_ctx *ctx, const struct carnet_change *change, uint64_t id, enum carnet_scope scope, const uint8_t **out)
{
    for (size_t i = 0; i < change->part_count; i++) {
        const struct carnet_part *part = &change->parts[i];
        if (part->type == CARNET_PART_SEED && part->seed == id && part->scope == scope && part->seed_fits) {
            *out = part->bytes.ptr;
            return true;
        }
    }
    const struct carnet_seed *seed = ctx->seeds ? carnet_record_seed(ctx->seeds, id, scope) : NULL;
    if (!seed || !seed->held || seed->dead)
        return false;
    *out = seed->b;
    return true;
}

static bool part_key(void *ctx, const struct carnet_entry_header *header, const struct carnet_change *change, const struct carnet_part *part,
                     struct carnet_key *out)
{
    const struct open_ctx *open = ctx;
    const uint8_t *seed = NULL;
    const struct carnet_epoch *epoch = carnet_keyring_find(open->replica->keyring, &header->book, part->scope, part->epoch);
    if (!epoch || !epoch->held || (part->seed && !find_seed(open, change, part->seed, part->scope, &seed)))
        return false;
    *out = carnet_part_key(&epoch->key, &header->community, &header->book, &change->subject, part->scope, seed);
    return true;
}

static bool counts_beyond(struct carnet_slice raw)
{
    uint64_t type = carnet_event_peek(raw);
    return type == CARNET_EVENT_WITHDRAW || type == CARNET_EVENT_OBJECT || type == CARNET_EVENT_RESTRICT || type == CARNET_EVENT_SUPPRESS;
}

void carnet_apply_delta(struct carnet_replica *replica, const struct carnet_entry *entry, size_t change, const struct carnet_record *seeds, bool law_only,
                        struct carnet_arena *arena, struct carnet_record *delta)
{
    const struct carnet_change *c = &entry->changes[change];
    struct open_ctx ctx = { replica, seeds };
    const struct carnet_opener opener = { .ctx = &ctx, .key = part_key, .wanted = wanted(replica) };
    if (!law_only) {
        carnet_entry_delta(entry, change, &opener, arena, delta);
        return;
    }
    delta->id = c->record;
    delta->subject = c->subject;
    delta->kind = c->kind;
    for (size_t i = 0; i < c->event_count; i++) {
        const struct carnet_event_item item = { .dot = carnet_entry_dot(entry, change, (unsigned)i), .hlc = entry->header.hlc, .raw = c->events[i] };
        if (counts_beyond(item.raw))
            carnet_record_add_event(delta, &item);
    }
}

/* The delta of a change that this node just made: the values are known, nothing is opened. */
static void own_delta(struct carnet_replica *replica, const struct carnet_entry *entry, size_t change, struct carnet_arena *arena, struct carnet_record *delta)
{
    const struct carnet_opener opener = { .wanted = 0 };
    const struct carnet_plain *plain = &replica->plain[replica->batch_changes[change].plain];
    size_t end = change + 1 < replica->batch_count ? replica->batch_changes[change + 1].plain : replica->plain_count;
    carnet_entry_delta(entry, change, &opener, arena, delta);
    if (delta->erased)
        return;
    CARNET_ASSERT(delta->live_count == end - replica->batch_changes[change].plain);
    for (size_t i = 0; i < delta->live_count; i++) {
        struct carnet_sibling *sibling = &delta->live[i];
        if (sibling->state == CARNET_SIBLING_DARK)
            continue;
        sibling->state = CARNET_SIBLING_VALUE;
        sibling->field = plain[i].field;
        sibling->label = plain[i].label;
        sibling->value = plain[i].value;
    }
}

/* --- what is destroyed --- */

carnet_rc carnet_apply_timely(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_dot *dot, bool *out, struct carnet_err *err)
{
    struct carnet_entry_row row;
    const struct carnet_cert *author = carnet_authority_author(replica->authority, dot->author);
    const struct carnet_stream *stream = author ? carnet_streams_find(&replica->streams, book, &author->node, dot->stream) : NULL;
    *out = false;
    if (!stream)
        return CARNET_OK;
    carnet_rc rc = carnet_store_entry_find(replica->store, stream->row.n, dot->seq, &row, err);
    if (rc == CARNET_OK)
        *out = !(row.flags & (CARNET_ENTRY_FUTURE | CARNET_ENTRY_VOID));
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* What of a subject was destroyed by events that did not come from the future. */
struct killed_seed {
    uint64_t id;
    enum carnet_scope scope;
};
struct killed {
    bool all;
    struct killed_seed *seeds;
    size_t seed_count, seed_cap;
};

static carnet_rc find_killed(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_record *subject, struct killed *out,
                             struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    out->all = false;
    out->seed_count = 0;
    for (size_t i = 0; rc == CARNET_OK && i < subject->event_count; i++) {
        struct carnet_event event;
        bool timely;
        uint64_t type = carnet_event_peek(subject->events[i].raw);
        if ((type != CARNET_EVENT_ERASE && type != CARNET_EVENT_DARK) || carnet_event_decode(subject->events[i].raw, &event) != CARNET_OK)
            continue;
        rc = carnet_apply_timely(replica, book, &subject->events[i].dot, &timely, err);
        if (rc != CARNET_OK || !timely)
            continue;
        out->all = out->all || type == CARNET_EVENT_ERASE;
        for (size_t j = 0; j < event.seed_count; j++) {
            CARNET_GROW(out->seeds, out->seed_count, out->seed_cap);
            out->seeds[out->seed_count++] = (struct killed_seed){ event.seeds[j], event.scope };
        }
    }
    return rc;
}

static bool is_killed(const struct killed *killed, const struct carnet_part *part)
{
    if (part->type != CARNET_PART_SEALED && part->type != CARNET_PART_SEED)
        return false;
    if (killed->all)
        return true;
    for (size_t i = 0; part->seed && i < killed->seed_count; i++)
        if (killed->seeds[i].id == part->seed && killed->seeds[i].scope == part->scope)
            return true;
    return false;
}

struct numbers {
    int64_t *at;
    size_t count, cap;
};

/* Parts to leave out of an entry. */
struct drop_list {
    const struct carnet_entry *entry;
    uint32_t *masks; /* one bit for each part of each change */
    bool any;
};

static bool keep_part(void *ctx, const struct carnet_change *change, const struct carnet_part *part)
{
    const struct drop_list *list = ctx;
    return !(list->masks[change - list->entry->changes] >> (part - change->parts) & 1);
}

static void drop(struct drop_list *list, size_t change, size_t part)
{
    list->masks[change] |= 1u << part;
    list->any = list->any || list->entry->changes[change].parts[part].present;
}

/* Strips one stored entry of what killed its changes about subject. strangers gets the records that are said to be about somebody else. */
static carnet_rc strip_entry(struct carnet_replica *replica, int64_t n, const struct carnet_id *subject, const struct killed *killed, struct numbers *strangers,
                             struct carnet_err *err)
{
    struct carnet_entry_row row;
    struct carnet_entry entry;
    carnet_rc rc = carnet_store_entry_get(replica->store, n, &row, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_arena_reset(&replica->read_arena);
    if (carnet_entry_decode(carnet_arena_dup(&replica->read_arena, row.bytes), &replica->read_arena, &entry) != CARNET_OK)
        return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "entry");
    struct drop_list list = { .entry = &entry, .masks = carnet_arena_alloc(&replica->read_arena, (entry.change_count + 1) * sizeof *list.masks) };
    for (size_t i = 0; rc == CARNET_OK && i < entry.change_count; i++) {
        const struct carnet_change *change = &entry.changes[i];
        struct carnet_loaded record;
        if (!carnet_id_equal(&change->subject, subject))
            continue;
        carnet_loaded_init(&record);
        rc = carnet_rows_get(replica, &entry.header.book, &change->record, &record, err);
        rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
        for (size_t j = 0; rc == CARNET_OK && j < change->part_count; j++)
            if (is_killed(killed, &change->parts[j]))
                drop(&list, i, j);
        if (rc == CARNET_OK && record.row.n && !carnet_id_equal(&record.record.subject, subject)) {
            CARNET_GROW(strangers->at, strangers->count, strangers->cap);
            strangers->at[strangers->count++] = record.row.n;
        }
        carnet_loaded_deinit(&record);
    }
    if (rc != CARNET_OK || !list.any)
        return rc;
    carnet_buf_clear(&replica->strip_bytes);
    carnet_entry_strip(&entry, keep_part, &list, &replica->strip_bytes);
    CARNET_ASSERT(!replica->strip_bytes.failed);
    replica->sweep_due_new = true;
    replica->written++;
    return carnet_store_entry_bytes(replica->store, n, carnet_buf_slice(&replica->strip_bytes), err);
}

static int compare_numbers(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

carnet_rc carnet_apply_strip(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *subject, struct carnet_err *err)
{
    struct carnet_loaded loaded;
    struct killed killed = { .all = false };
    struct numbers strangers = { .count = 0 };
    struct carnet_arena arena;
    int64_t *records, *entries = NULL;
    size_t record_count, entry_count = 0, entry_cap = 0;
    if (CARNET_PLANTED(13))
        return CARNET_OK; /* planted: what is dark stays in the entries */
    carnet_loaded_init(&loaded);
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_rows_get(replica, book, subject, &loaded, err);
    if (rc == CARNET_OK)
        rc = find_killed(replica, book, &loaded.record, &killed, err);
    if (rc == CARNET_OK && (killed.all || killed.seed_count))
        replica->sweep_due_new = true; /* of the views too, something is gone */
    if (rc == CARNET_OK)
        rc = carnet_rows_about(replica, book, subject, &arena, &records, &record_count, err);
    for (size_t i = 0; rc == CARNET_OK && i <= record_count; i++) {
        struct carnet_touch *touches;
        size_t touch_count;
        rc = carnet_rows_touches(replica, i < record_count ? records[i] : loaded.row.n, &arena, &touches, &touch_count, err);
        for (size_t j = 0; rc == CARNET_OK && j < touch_count; j++) {
            CARNET_GROW(entries, entry_count, entry_cap);
            entries[entry_count++] = touches[j].entry_n;
        }
    }
    if (entry_count)
        qsort(entries, entry_count, sizeof *entries, compare_numbers);
    for (size_t i = 0; rc == CARNET_OK && i < entry_count; i++)
        if (i == 0 || entries[i] != entries[i - 1])
            rc = strip_entry(replica, entries[i], subject, &killed, &strangers, err);
    if (strangers.count)
        qsort(strangers.at, strangers.count, sizeof *strangers.at, compare_numbers);
    for (size_t i = 0; rc == CARNET_OK && i < strangers.count; i++) /* they wait for what will not come */
        if (i == 0 || strangers.at[i] != strangers.at[i - 1])
            rc = carnet_rows_recompute(replica, strangers.at[i], err);
    free(strangers.at);
    free(entries);
    free(killed.seeds);
    carnet_arena_deinit(&arena);
    carnet_loaded_deinit(&loaded);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* --- rectifications: one part of an entry, found by a cell of it --- */

static bool covers(const struct carnet_part *part, unsigned cell)
{
    return cell >= part->place && cell < part->place + part->cell_count;
}

carnet_rc carnet_apply_place(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, const struct carnet_dot *dot,
                             struct carnet_arena *arena, struct carnet_place *out, struct carnet_err *err)
{
    const struct carnet_cert *author = carnet_authority_author(replica->authority, dot->author);
    const struct carnet_stream *stream = author ? carnet_streams_find(&replica->streams, book, &author->node, dot->stream) : NULL;
    unsigned cell = dot->index % CARNET_DOT_CHANGE;
    if (!stream || cell < CARNET_DOT_CELLS)
        return CARNET_NOT_FOUND;
    carnet_rc rc = carnet_store_entry_find(replica->store, stream->row.n, dot->seq, &out->row, err);
    if (rc != CARNET_OK)
        return rc;
    if (carnet_entry_decode(carnet_arena_dup(arena, out->row.bytes), arena, &out->entry) != CARNET_OK)
        return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "entry");
    out->change = dot->index / CARNET_DOT_CHANGE;
    if (out->change >= out->entry.change_count || !carnet_id_equal(&out->entry.changes[out->change].record, record))
        return CARNET_NOT_FOUND;
    const struct carnet_change *change = &out->entry.changes[out->change];
    for (size_t i = 0; i < change->part_count; i++) {
        out->part = &change->parts[i];
        if (out->part->type == CARNET_PART_SEALED && covers(out->part, cell - CARNET_DOT_CELLS))
            return CARNET_OK;
    }
    return CARNET_NOT_FOUND;
}

static bool keep_others(void *ctx, const struct carnet_change *change, const struct carnet_part *part)
{
    (void)change;
    return part != (const struct carnet_part *)ctx;
}

carnet_rc carnet_apply_drop(struct carnet_replica *replica, const struct carnet_place *place, struct carnet_err *err)
{
    struct carnet_change *change = &place->entry.changes[place->change];
    carnet_buf_clear(&replica->strip_bytes);
    carnet_entry_strip(&place->entry, keep_others, &change->parts[place->part - change->parts], &replica->strip_bytes);
    CARNET_ASSERT(!replica->strip_bytes.failed);
    replica->written++;
    return carnet_store_entry_bytes(replica->store, place->row.n, carnet_buf_slice(&replica->strip_bytes), err);
}

/* Is a cell of the part still to be read? */
static bool is_alive(const struct carnet_record *record, const struct carnet_place *place)
{
    for (size_t cell = 0; cell < place->part->cell_count; cell++) {
        struct carnet_dot dot = carnet_entry_cell_dot(&place->entry, place->change, place->part, cell);
        for (size_t i = 0; i < record->live_count; i++)
            if (carnet_dot_equal(&record->live[i].dot, &dot) && record->live[i].state != CARNET_SIBLING_DARK)
                return true;
    }
    return false;
}

/* Drops the part that a timely rectification names a cell of, once nothing in it is alive. */
static carnet_rc strip_named(struct carnet_replica *replica, const struct carnet_loaded *loaded, const struct carnet_dot *dot, struct carnet_err *err)
{
    struct carnet_arena arena;
    struct carnet_place place;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_apply_place(replica, &loaded->row.book, &loaded->row.id, dot, &arena, &place, err);
    if (rc == CARNET_OK && place.part->present && !is_alive(&loaded->record, &place)) {
        replica->sweep_due_new = true;
        rc = carnet_apply_drop(replica, &place, err);
    }
    carnet_arena_deinit(&arena);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

static carnet_rc strip_rectified(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, struct carnet_err *err)
{
    struct carnet_loaded loaded;
    carnet_loaded_init(&loaded);
    carnet_rc rc = carnet_rows_get(replica, book, record, &loaded, err);
    for (size_t i = 0; rc == CARNET_OK && i < loaded.record.event_count; i++) {
        const struct carnet_event_item *item = &loaded.record.events[i];
        struct carnet_event event;
        bool timely = false;
        if (carnet_event_peek(item->raw) == CARNET_EVENT_RECTIFY && carnet_event_decode(item->raw, &event) == CARNET_OK)
            rc = carnet_apply_timely(replica, book, &item->dot, &timely, err);
        for (size_t j = 0; rc == CARNET_OK && timely && j < event.name_count; j++)
            rc = strip_named(replica, &loaded, &event.names[j], err);
    }
    carnet_loaded_deinit(&loaded);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* What of an entry on its way in this node does not keep: scopes that it neither reads nor relays, and what was destroyed before it came. */
static carnet_rc strip_received(struct carnet_replica *replica, const struct carnet_entry *entry, struct carnet_slice *bytes, bool *wanting, struct carnet_err *err)
{
    struct killed killed = { .all = false };
    struct drop_list list = { .entry = entry, .masks = carnet_arena_alloc(&replica->entry_arena, (entry->change_count + 1) * sizeof *list.masks) };
    bool charter = carnet_id_equal(&entry->header.book, &replica->community);
    carnet_rc rc = CARNET_OK;
    *wanting = false;
    for (size_t i = 0; rc == CARNET_OK && i < entry->change_count; i++) {
        const struct carnet_change *change = &entry->changes[i];
        bool dead = false;
        if (change->part_count && !charter && !carnet_id_is_zero(&change->subject)) {
            rc = carnet_store_record_get(replica->store, &entry->header.book, &change->subject, &replica->subject.row, err);
            dead = rc == CARNET_OK && replica->subject.row.flags & (CARNET_ROW_ERASED | CARNET_ROW_DEAD);
            rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
            if (dead)
                rc = carnet_rows_unpack(&replica->subject, err);
            if (dead && rc == CARNET_OK)
                rc = find_killed(replica, &entry->header.book, &replica->subject.record, &killed, err);
            dead = dead && !CARNET_PLANTED(12); /* planted: what comes after its subject was erased is stored */
        }
        for (size_t j = 0; rc == CARNET_OK && j < change->part_count; j++) {
            const struct carnet_part *part = &change->parts[j];
            bool sealed = part->type == CARNET_PART_SEALED || part->type == CARNET_PART_SEED;
            bool ours = !sealed || carnet_replica_gets(replica, part->scope), gone = dead && is_killed(&killed, part);
            if (!ours || gone)
                drop(&list, i, j);
            else if (!part->present && part->type != CARNET_PART_BOX)
                *wanting = true;
        }
    }
    free(killed.seeds);
    *bytes = entry->raw;
    if (rc == CARNET_OK && list.any) {
        carnet_buf_clear(&replica->entry_bytes);
        carnet_entry_strip(entry, keep_part, &list, &replica->entry_bytes);
        CARNET_ASSERT(!replica->entry_bytes.failed);
        *bytes = carnet_buf_slice(&replica->entry_bytes);
    }
    return rc;
}

/* --- merging a change into its record --- */

static size_t count_seeds(const struct carnet_record *record, bool dead)
{
    size_t count = 0;
    for (size_t i = 0; i < record->seed_count; i++)
        count += dead ? record->seeds[i].dead : record->seeds[i].held;
    return count;
}

static size_t count_type(const struct carnet_record *record, enum carnet_event_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < record->event_count; i++)
        count += carnet_event_peek(record->events[i].raw) == type;
    return count;
}

/* Reads again what seeds that just came open. */
static carnet_rc reopen(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *subject, bool deaths, struct carnet_err *err)
{
    struct carnet_arena arena;
    int64_t *about;
    size_t count;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_rows_about(replica, book, subject, &arena, &about, &count, err);
    for (size_t i = 0; rc == CARNET_OK && i < count; i++) {
        struct carnet_record_row row;
        rc = carnet_store_record_at(replica->store, about[i], &row, err);
        if (rc == CARNET_OK && (deaths || row.flags & CARNET_ROW_LOCKED))
            rc = carnet_rows_recompute(replica, about[i], err);
    }
    carnet_arena_deinit(&arena);
    return rc;
}

/* An entry is found by who its changes are about also when their record is said to be about somebody else: what is erased goes with its subject. */
static carnet_rc touch_subject(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_change *change, int64_t entry_n, unsigned index,
                               struct carnet_err *err)
{
    int64_t n;
    if (carnet_id_is_zero(&change->subject) || carnet_id_equal(&change->subject, &change->record))
        return CARNET_OK;
    carnet_rc rc = carnet_rows_number(replica, book, &change->subject, &n, err);
    return rc == CARNET_OK ? carnet_store_touch(replica->store, n, entry_n, index, err) : rc;
}

/* The record is about somebody else than before: the same for its changes until now. */
static carnet_rc touch_subjects(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, int64_t n, struct carnet_err *err)
{
    struct carnet_arena arena;
    struct carnet_touch *touches;
    size_t count = 0;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_rows_touches(replica, n, &arena, &touches, &count, err);
    for (size_t i = 0; rc == CARNET_OK && i < count; i++) {
        struct carnet_entry_row row;
        struct carnet_entry entry;
        rc = carnet_store_entry_get(replica->store, touches[i].entry_n, &row, err);
        if (rc != CARNET_OK)
            break;
        if (carnet_entry_decode(carnet_arena_dup(&arena, row.bytes), &arena, &entry) != CARNET_OK || touches[i].change >= entry.change_count)
            rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "entry");
        else if (carnet_id_equal(&entry.changes[touches[i].change].record, record))
            rc = touch_subject(replica, book, &entry.changes[touches[i].change], touches[i].entry_n, touches[i].change, err);
    }
    carnet_arena_deinit(&arena);
    return rc;
}

struct change_result {
    bool reopen_self, reopen_about, deaths, rectified;
    bool own; /* the record is about itself */
};

/* An erasure beside an INVALIDATE undoes an import that was a mistake: nobody refused anything. */
static bool takes_back(const struct carnet_change *change)
{
    for (size_t i = 0; i < change->event_count; i++)
        if (carnet_event_peek(change->events[i]) == CARNET_EVENT_INVALIDATE)
            return true;
    return false;
}

static carnet_rc merge_change(struct carnet_replica *replica, const struct carnet_entry *entry, size_t index, int64_t n, bool law_only, bool own,
                              struct change_result *result, struct carnet_err *err)
{
    const struct carnet_change *change = &entry->changes[index];
    const struct carnet_id *book = &entry->header.book;
    struct carnet_loaded *target = &replica->target;
    struct carnet_record *delta = &replica->delta;
    bool self = carnet_id_equal(&change->subject, &change->record), somebody = !self && !carnet_id_is_zero(&change->subject);
    bool fresh = own && replica->batch_changes[index].fresh;
    carnet_rc rc = CARNET_OK;
    *result = (struct change_result){ .deaths = false };
    if (fresh) {
        memset(&target->row, 0, sizeof target->row);
        target->row.book = *book;
        target->row.id = change->record;
        carnet_rows_clear(&target->record);
        target->record.id = change->record;
    } else {
        rc = carnet_rows_get(replica, book, &change->record, target, err);
    }
    if ((rc == CARNET_OK || rc == CARNET_NOT_FOUND) && somebody)
        rc = carnet_rows_get(replica, book, &change->subject, &replica->subject, err);
    if (rc != CARNET_OK && rc != CARNET_NOT_FOUND)
        return rc;
    struct carnet_record *record = &target->record;
    somebody = somebody && carnet_id_equal(&replica->subject.record.subject, &replica->subject.record.id); /* only a contact has seeds, and is erased with all */
    const struct carnet_record *subject = self ? record : somebody ? &replica->subject.record : NULL;
    const struct carnet_id about = record->subject;
    bool known = record->kind != 0;
    carnet_rows_clear(delta);
    carnet_arena_reset(&replica->change_arena);
    if (own)
        own_delta(replica, entry, index, &replica->change_arena, delta);
    else
        carnet_apply_delta(replica, entry, index, subject, law_only, &replica->change_arena, delta);
    size_t dead = count_seeds(record, true), held = count_seeds(record, false), erasures = count_type(record, CARNET_EVENT_ERASE);
    size_t darkenings = count_type(record, CARNET_EVENT_DARK);
    rc = CARNET_OK;
    if (!own && !replica->rebuilding && delta->erased && !record->erased && !takes_back(change))
        rc = carnet_tags_last(replica, record, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_record_merge(record, delta);
    if (somebody && subject->erased)
        carnet_record_erase(record);
    else if (somebody)
        carnet_record_darken(record, subject);
    carnet_rows_prune(replica, book, record);
    /* what it names may come after it, as may what takes the place of the cells beside */
    result->rectified = count_type(record, CARNET_EVENT_RECTIFY) && (delta->live_count || delta->replaced_count || count_type(delta, CARNET_EVENT_RECTIFY));
    bool moved = known && !carnet_id_equal(&about, &record->subject), strange = !carnet_id_equal(&record->subject, &change->subject);
    result->own = carnet_id_equal(&record->subject, &record->id);
    if (self || result->own) {
        result->deaths = count_seeds(record, true) > dead || count_type(record, CARNET_EVENT_ERASE) > erasures ||
                         count_type(record, CARNET_EVENT_DARK) > darkenings;
        bool more = count_seeds(record, false) + count_seeds(record, true) > held + dead;
        result->reopen_about = more && !fresh;
        result->reopen_self = more && target->row.n && carnet_record_scopes_in(record, CARNET_SIBLING_LOCKED);
    }
    if (moved || strange) /* two say that it is about two: the smaller stands, with all that follows */
        result->reopen_self = true;
    if (moved) /* and what is about it */
        result->reopen_about = result->deaths = true;
    rc = CARNET_OK;
    if (!CARNET_PLANTED(15) || index != 1 || !target->row.n) /* planted: the second change of an entry does not reach its record */
        rc = carnet_rows_put(replica, target, err);
    int64_t row = target->row.n;
    if (rc == CARNET_OK)
        rc = carnet_store_touch(replica->store, row, n, (unsigned)index, err);
    if (rc == CARNET_OK && strange)
        rc = touch_subject(replica, book, change, n, (unsigned)index, err);
    if (rc == CARNET_OK && moved)
        rc = touch_subjects(replica, book, &change->record, row, err);
    return rc;
}

carnet_rc carnet_apply_changes(struct carnet_replica *replica, const struct carnet_entry *entry, int64_t n, bool law_only, struct carnet_err *err)
{
    bool own = replica->applying_own;
    replica->applying_own = false;
    for (size_t i = 0; i < entry->change_count; i++) {
        const struct carnet_change *change = &entry->changes[i];
        const struct carnet_id *book = &entry->header.book;
        struct change_result result;
        carnet_rc rc = merge_change(replica, entry, i, n, law_only, own, &result, err);
        int64_t row = replica->target.row.n;
        if (rc == CARNET_OK && result.reopen_self)
            rc = carnet_rows_recompute(replica, row, err); /* those about it too, when it is a contact */
        if (rc == CARNET_OK && (!result.reopen_self || !result.own) && (result.reopen_about || result.deaths))
            rc = reopen(replica, book, &change->record, result.deaths, err);
        const struct carnet_id *stripped = result.own ? &change->record : &change->subject;
        if (rc == CARNET_OK && !replica->rebuilding && result.deaths && !carnet_id_is_zero(stripped))
            rc = carnet_apply_strip(replica, book, stripped, err);
        if (rc == CARNET_OK && !replica->rebuilding && result.rectified)
            rc = strip_rectified(replica, book, &change->record, err);
        if (rc != CARNET_OK)
            return rc;
    }
    return CARNET_OK;
}

carnet_rc carnet_apply_void(struct carnet_replica *replica, const struct carnet_entry *entry, int64_t n, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; rc == CARNET_OK && i < entry->change_count; i++) {
        rc = carnet_rows_get(replica, &entry->header.book, &entry->changes[i].record, &replica->target, err);
        if (rc == CARNET_NOT_FOUND)
            rc = carnet_rows_put(replica, &replica->target, err);
        if (rc == CARNET_OK)
            rc = carnet_store_touch(replica->store, replica->target.row.n, n, (unsigned)i, err);
    }
    return rc;
}

/* --- accepting --- */

static bool is_future(const struct carnet_replica *replica, uint64_t hlc)
{
    return carnet_hlc_ms(hlc) > carnet_replica_wall_ms(replica) + CARNET_CLOCK_SKEW_MS_MAX;
}

static unsigned lane_of(const struct carnet_replica *replica, const struct carnet_entry_header *header)
{
    if (carnet_id_equal(&header->book, &replica->community))
        return 0;
    return header->log == CARNET_LOG_LAW ? 1 : 2;
}

/* What late parts better is computed from the log: a part may come to a node that cannot open it. */
static carnet_rc recompute_changes(struct carnet_replica *replica, const struct carnet_entry *entry, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; rc == CARNET_OK && i < entry->change_count; i++) {
        struct carnet_record_row row;
        rc = carnet_store_record_get(replica->store, &entry->header.book, &entry->changes[i].record, &row, err);
        /* a contact also for the seeds that may have come */
        if (rc == CARNET_OK && (row.flags & CARNET_ROW_LOCKED || carnet_id_equal(&row.subject, &row.id)))
            rc = carnet_rows_recompute(replica, row.n, err);
        rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    }
    return rc;
}

/* An entry that is here already: the same, perhaps with parts that this node lacks. */
static carnet_rc accept_again(struct carnet_replica *replica, const struct carnet_entry *entry, const struct carnet_stream *stream, carnet_rc *rc,
                              struct carnet_err *err)
{
    struct carnet_entry_row row;
    struct carnet_entry held;
    bool wanting;
    carnet_rc world = carnet_store_entry_find(replica->store, stream->row.n, entry->header.seq, &row, err);
    if (world == CARNET_NOT_FOUND)
        return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "log");
    if (world != CARNET_OK)
        return world;
    *rc = CARNET_OK;
    if (!carnet_hash_equal(&row.hash, &entry->hash)) {
        *rc = carnet_authority_check(replica->authority, entry, &replica->why);
        *rc = *rc == CARNET_OK ? CARNET_FORK : *rc;
    }
    if (*rc != CARNET_OK || !(row.flags & CARNET_ENTRY_WANTING) || row.flags & CARNET_ENTRY_VOID)
        return CARNET_OK;
    if (carnet_entry_decode(carnet_arena_dup(&replica->entry_arena, row.bytes), &replica->entry_arena, &held) != CARNET_OK)
        return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "entry");
    carnet_buf_clear(&replica->strip_bytes);
    if (!carnet_entry_fill(&held, entry, &replica->strip_bytes))
        return CARNET_OK;
    /* what was destroyed meanwhile does not come back */
    struct carnet_entry filled, kept;
    struct carnet_slice bytes = carnet_arena_dup(&replica->entry_arena, carnet_buf_slice(&replica->strip_bytes));
    if (carnet_entry_decode(bytes, &replica->entry_arena, &filled) != CARNET_OK) {
        *rc = CARNET_LIMIT;
        return CARNET_OK;
    }
    world = strip_received(replica, &filled, &bytes, &wanting, err);
    if (world != CARNET_OK)
        return world;
    bytes = carnet_arena_dup(&replica->entry_arena, bytes);
    CARNET_ASSERT(carnet_entry_decode(bytes, &replica->entry_arena, &kept) == CARNET_OK);
    replica->written++;
    world = carnet_store_entry_bytes(replica->store, row.n, bytes, err);
    if (world == CARNET_OK && !wanting)
        world = carnet_store_entry_flags(replica->store, row.n, row.flags & ~(unsigned)CARNET_ENTRY_WANTING, err);
    if (world == CARNET_OK)
        world = recompute_changes(replica, &kept, err);
    for (size_t i = 0; world == CARNET_OK && i < kept.change_count; i++)
        world = strip_rectified(replica, &entry->header.book, &kept.changes[i].record, err);
    return world;
}

/* How many logs an author has begun in a book. */
static size_t count_streams(const struct carnet_replica *replica, const struct carnet_entry_header *header)
{
    size_t count = 0;
    for (size_t i = 0; i < replica->streams.count; i++)
        count += carnet_id_equal(&replica->streams.at[i].row.author, &header->author) && carnet_id_equal(&replica->streams.at[i].row.book, &header->book);
    return count;
}

/* About how many bytes of a record one author wrote. */
static size_t share_of(const struct carnet_record *record, uint64_t author)
{
    size_t share = 0;
    for (size_t i = 0; i < record->live_count; i++)
        share += record->live[i].dot.author == author ? 16 + record->live[i].label.len + record->live[i].value.len : 0;
    for (size_t i = 0; i < record->event_count; i++)
        share += record->events[i].dot.author == author ? 16 + record->events[i].raw.len : 0;
    return share;
}

/* Dots of writes that never came may fill a record too, and nobody knows whose they were: then no change may bring many more. */
static bool names_too_much(const struct carnet_record *record, const struct carnet_change *change)
{
    enum { PENDING_MAX = 1 << 16, NAMED_MAX = 256 };
    size_t named = 0;
    for (size_t i = 0; record->replaced_count > PENDING_MAX && i < change->part_count; i++) {
        struct carnet_reader r;
        if (!change->parts[i].cell_count)
            continue;
        carnet_reader_init(&r, change->parts[i].contexts);
        for (size_t cells = carnet_reader_array(&r); cells > 0; cells--)
            for (size_t dots = carnet_reader_array(&r); dots > 0; dots--, named++)
                carnet_dot_read(&r);
    }
    return named > NAMED_MAX;
}

/* Quotas of this node: what passes them waits, and is taken when there is room (after a cut, say). Nobody makes a record, or a set of logs, that others
 * cannot hold any more; whoever did not is not hindered by it, and an erasure makes room. */
static carnet_rc check_room(struct carnet_replica *replica, const struct carnet_entry *entry, const struct carnet_stream *stream, bool *fits, struct carnet_err *err)
{
    const struct carnet_entry_header *header = &entry->header;
    carnet_rc rc = CARNET_OK;
    *fits = stream || count_streams(replica, header) < CARNET_STREAMS_OF_AUTHOR_MAX;
    for (size_t i = 0; rc == CARNET_OK && *fits && i < entry->change_count; i++) {
        const struct carnet_change *change = &entry->changes[i];
        size_t most = carnet_id_equal(&change->record, &header->author) ? CARNET_STATE_OWN_MAX : CARNET_STATE_SHARE_MAX;
        struct carnet_record_row row;
        bool erases = false;
        for (size_t j = 0; j < change->event_count; j++)
            erases = erases || carnet_event_peek(change->events[j]) == CARNET_EVENT_ERASE;
        rc = carnet_store_record_get(replica->store, &header->book, &change->record, &row, err);
        if (rc == CARNET_OK && !erases && row.state.len > CARNET_STATE_FULL && carnet_record_unpack(row.state, &replica->viewed) == CARNET_OK)
            *fits = share_of(&replica->viewed, carnet_id_head(&header->author)) <= most && !names_too_much(&replica->viewed, change);
        rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    }
    return rc;
}

/* Is it the next of its log, in a book of ours, rightful, and does it count? */
static carnet_rc check_place(struct carnet_replica *replica, const struct carnet_entry *entry, const struct carnet_stream *stream, bool *law_only)
{
    const struct carnet_entry_header *header = &entry->header;
    static const struct carnet_hash none;
    bool held = carnet_replica_holds(replica, &header->book);
    held = held || CARNET_PLANTED(16); /* planted: books that this node does not hold are taken in */
    if (!held)
        return CARNET_REFUSED;
    if (header->seq != (stream ? stream->row.seq : 0) + 1)
        return CARNET_AGAIN;
    carnet_rc rc = carnet_authority_check(replica->authority, entry, &replica->why);
    if (rc != CARNET_OK)
        return rc;
    if (!carnet_hash_equal(&header->prev, stream ? &stream->row.hash : &none))
        return CARNET_FORK;
    *law_only = carnet_apply_beyond(replica, header);
    return *law_only && header->log == CARNET_LOG_DATA ? CARNET_REFUSED : CARNET_OK;
}

static carnet_rc advance(struct carnet_replica *replica, const struct carnet_entry *entry, struct carnet_stream **stream, struct carnet_err *err)
{
    const struct carnet_entry_header *header = &entry->header;
    carnet_rc rc = CARNET_OK;
    replica->written++;
    if (!*stream) {
        struct carnet_stream_row row;
        rc = carnet_store_stream(replica->store, &header->book, &header->author, carnet_entry_stream(header), true, &row, err);
        if (rc != CARNET_OK)
            return rc;
        *stream = carnet_streams_add(&replica->streams, &row);
    }
    (*stream)->row.seq = header->seq;
    (*stream)->row.hash = entry->hash;
    (*stream)->hlc = header->hlc;
    carnet_reached(replica, &header->author, header->hlc);
    return carnet_store_stream_update(replica->store, &(*stream)->row, err);
}

static carnet_rc store_entry(struct carnet_replica *replica, const struct carnet_entry *entry, struct carnet_slice bytes, struct carnet_stream *stream,
                             unsigned flags, int64_t *n, struct carnet_err *err)
{
    struct carnet_entry_row row = {
        .stream_n = stream->row.n,
        .seq = entry->header.seq,
        .hlc = entry->header.hlc,
        .arrived_ms = carnet_replica_now_ms(replica), /* a clock that is years late would make it old as soon as it is put right */
        .lane = lane_of(replica, &entry->header),
        .flags = flags,
        .hash = entry->hash,
        .bytes = bytes,
    };
    carnet_rc rc = carnet_store_entry_add(replica->store, &row, err);
    *n = row.n;
    if (rc == CARNET_OK && row.n > replica->last_new)
        replica->last_new = row.n;
    carnet_digests_forget(replica, &entry->header.book, row.lane);
    return rc;
}

static carnet_rc accept(struct carnet_replica *replica, struct carnet_entry *entry, bool own, carnet_rc *rc, struct carnet_err *err)
{
    const struct carnet_entry_header *header = &entry->header;
    struct carnet_stream *stream = carnet_streams_find(&replica->streams, &header->book, &header->author, carnet_entry_stream(header));
    bool law_only = false, wanting = false, charter = carnet_id_equal(&header->book, &replica->community);
    struct carnet_slice bytes = entry->raw;
    struct carnet_entry kept;
    int64_t n;
    if (!carnet_id_equal(&header->community, &replica->community)) {
        *rc = CARNET_REFUSED;
        return CARNET_OK;
    }
    if (stream && header->seq <= stream->row.seq)
        return accept_again(replica, entry, stream, rc, err);
    *rc = check_place(replica, entry, stream, &law_only);
    if (*rc != CARNET_OK)
        return CARNET_OK;
    bool fits = true;
    carnet_rc world = own ? CARNET_OK : check_room(replica, entry, stream, &fits, err);
    if (world != CARNET_OK || !fits) {
        replica->why = "more than this node holds";
        *rc = CARNET_LIMIT;
        return world;
    }
    if (!own) {
        world = strip_received(replica, entry, &bytes, &wanting, err);
        if (world == CARNET_OK && bytes.ptr != entry->raw.ptr) { /* from here on the entry is what is kept of it */
            CARNET_ASSERT(carnet_entry_decode(bytes, &replica->entry_arena, &kept) == CARNET_OK);
            entry = &kept;
            header = &entry->header;
        }
    }
    bool future = !own && is_future(replica, header->hlc) && !CARNET_PLANTED(22); /* planted: what comes from the future destroys at once */
    if (world == CARNET_OK)
        world = advance(replica, entry, &stream, err);
    if (world == CARNET_OK)
        world = store_entry(replica, entry, bytes, stream, (future ? CARNET_ENTRY_FUTURE : 0) | (wanting ? CARNET_ENTRY_WANTING : 0), &n, err);
    if (world != CARNET_OK)
        return world;
    if (!future && header->hlc > replica->hlc)
        replica->hlc = header->hlc;
    replica->tags.feeding_ms = carnet_replica_now_ms(replica);
    if (charter && law_only) {
        carnet_charter_feed_beyond(replica, entry);
    } else if (charter) {
        carnet_charter_feed(replica, entry);
        carnet_books_refresh(replica);
    }
    replica->applying_own = own;
    return carnet_apply_changes(replica, entry, n, law_only, err);
}

carnet_rc carnet_apply_entry(struct carnet_replica *replica, struct carnet_slice raw, carnet_rc *rc, struct carnet_err *err)
{
    struct carnet_entry entry;
    carnet_arena_reset(&replica->entry_arena);
    *rc = carnet_entry_decode(raw, &replica->entry_arena, &entry);
    return *rc == CARNET_OK ? accept(replica, &entry, false, rc, err) : CARNET_OK;
}

carnet_rc carnet_apply_own(struct carnet_replica *replica, struct carnet_slice raw, struct carnet_err *err)
{
    struct carnet_entry entry;
    carnet_rc rc;
    carnet_arena_reset(&replica->entry_arena);
    CARNET_ASSERT(carnet_entry_decode_own(raw, &replica->entry_arena, &entry) == CARNET_OK);
    carnet_rc world = accept(replica, &entry, true, &rc, err);
    if (world != CARNET_OK)
        return world;
    if (rc == CARNET_REFUSED && carnet_authority_is_cut(replica->authority, &replica->node))
        return carnet_err_set(err, rc, "this node's access was revoked");
    if (rc == CARNET_REFUSED) {
        carnet_err_set(err, rc, "this node's certificate does not allow that");
        carnet_err_hint(err, "ask a member with more rights: `carnet members` shows them");
        return rc;
    }
    CARNET_ASSERT(rc == CARNET_OK);
    return rc;
}

carnet_rc carnet_replica_apply(struct carnet_replica *replica, const struct carnet_slice *entries, size_t count, carnet_rc *rcs, struct carnet_err *err)
{
    bool mine;
    uint64_t written;
    carnet_rc rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    /* an entry of the charter may have come before the certificate of its author, which is further on */
    enum { PASSES_MAX = 4 };
    size_t waiting = count, before = count + 1;
    for (size_t i = 0; i < count; i++)
        rcs[i] = CARNET_AGAIN;
    for (int pass = 0; rc == CARNET_OK && pass < PASSES_MAX && waiting && waiting < before; pass++) {
        before = waiting;
        for (size_t i = 0; rc == CARNET_OK && i < count; i++) {
            if (rcs[i] != CARNET_AGAIN)
                continue;
            rc = carnet_apply_entry(replica, entries[i], &rcs[i], err);
            waiting -= rcs[i] != CARNET_AGAIN;
        }
    }
    return carnet_tx_leave(replica, mine, written, rc, err);
}

/* --- what waits for the end of a transaction --- */

/* Reads again the records of a book whose values in the scope were locked. */
static carnet_rc settle_unlocked(struct carnet_replica *replica, const struct carnet_id *book, uint32_t scopes, struct carnet_err *err)
{
    struct carnet_id after = { { 0 } };
    struct carnet_record_row row;
    carnet_rc rc;
    while ((rc = carnet_store_record_after(replica->store, book, &after, &row, err)) == CARNET_OK) {
        after = row.id;
        if (!(row.flags & CARNET_ROW_LOCKED))
            continue;
        int64_t n = row.n;
        rc = carnet_rows_at(replica, n, &replica->other, err);
        if (rc == CARNET_OK && carnet_record_scopes_in(&replica->other.record, CARNET_SIBLING_LOCKED) & scopes)
            rc = carnet_rows_recompute(replica, n, err);
        if (rc != CARNET_OK)
            return rc;
    }
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* Records that the entry touches; appended, with repeats. */

static carnet_rc add_touched(struct carnet_replica *replica, struct carnet_slice bytes, struct numbers *out, struct carnet_err *err)
{
    struct carnet_entry entry;
    struct carnet_arena arena;
    carnet_rc rc = CARNET_OK;
    carnet_arena_init(&arena);
    if (carnet_entry_decode(carnet_arena_dup(&arena, bytes), &arena, &entry) != CARNET_OK)
        rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "entry");
    for (size_t i = 0; rc == CARNET_OK && i < entry.change_count; i++) {
        struct carnet_record_row row;
        rc = carnet_store_record_get(replica->store, &entry.header.book, &entry.changes[i].record, &row, err);
        if (rc == CARNET_OK) {
            CARNET_GROW(out->at, out->count, out->cap);
            out->at[out->count++] = row.n;
        }
        rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    }
    carnet_arena_deinit(&arena);
    return rc;
}

/* The first entry of the chain that does not stand; 0: all do. */
static uint64_t void_from(const struct carnet_replica *replica, const struct carnet_stream_row *row)
{
    if (!carnet_authority_node(replica->authority, &row->author))
        return 1; /* who certified it had been cut before */
    uint64_t cut = carnet_authority_cut_at(replica->authority, &row->author, &row->book, row->stream);
    return row->stream % 2 == CARNET_LOG_LAW || cut == UINT64_MAX ? 0 : cut + 1;
}

/* Sets the flags of one chain from a new void_from; touched gets the records to compute again. */
static carnet_rc void_stream(struct carnet_replica *replica, struct carnet_stream *stream, uint64_t from, bool recompute_all, struct numbers *touched,
                             struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    for (uint64_t seq = 1; rc == CARNET_OK && seq <= stream->row.seq; seq++) {
        struct carnet_entry_row row;
        rc = carnet_store_entry_find(replica->store, stream->row.n, seq, &row, err);
        if (rc != CARNET_OK)
            return rc;
        bool is = row.flags & CARNET_ENTRY_VOID, should = from && seq >= from;
        if (is == should && !recompute_all)
            continue;
        rc = add_touched(replica, row.bytes, touched, err);
        if (rc == CARNET_OK && is != should)
            rc = carnet_store_entry_flags(replica->store, row.n, should ? row.flags | CARNET_ENTRY_VOID : row.flags & ~(unsigned)CARNET_ENTRY_VOID, err);
    }
    stream->row.void_from = from;
    for (unsigned lane = 0; lane < CARNET_LANES; lane++)
        carnet_digests_forget(replica, &stream->row.book, lane);
    return rc == CARNET_OK ? carnet_store_stream_update(replica->store, &stream->row, err) : rc;
}

/* Cuts go down a tree: each round settles one level more, until nothing changes. */
static carnet_rc settle_cuts(struct carnet_replica *replica, struct carnet_err *err)
{
    enum { ROUNDS_MAX = 64 };
    struct numbers touched = { .at = NULL };
    carnet_rc rc = CARNET_OK;
    bool changed = true;
    replica->written++;
    for (int round = 0; rc == CARNET_OK && changed && round < ROUNDS_MAX; round++) {
        changed = false;
        for (size_t i = 0; rc == CARNET_OK && i < replica->streams.count; i++) {
            struct carnet_stream *stream = &replica->streams.at[i];
            uint64_t from = void_from(replica, &stream->row);
            /* law beyond a cut is not void, but counts less: look at it in the first round */
            bool law = round == 0 && stream->row.stream % 2 == CARNET_LOG_LAW && carnet_authority_is_cut(replica->authority, &stream->row.author);
            if (from == stream->row.void_from && !law)
                continue;
            changed = changed || from != stream->row.void_from;
            rc = void_stream(replica, stream, from, law, &touched, err);
        }
        if (rc == CARNET_OK && changed) {
            rc = carnet_charter_load(replica, err);
            replica->charter_dirty = true;
        }
    }
    if (touched.count)
        qsort(touched.at, touched.count, sizeof *touched.at, compare_numbers);
    for (size_t i = 0; rc == CARNET_OK && i < touched.count; i++)
        if (i == 0 || touched.at[i] != touched.at[i - 1])
            rc = carnet_rows_recompute(replica, touched.at[i], err);
    free(touched.at);
    return rc;
}

carnet_rc carnet_apply_settle(struct carnet_replica *replica, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    if (replica->cut_seen)
        rc = settle_cuts(replica, err);
    replica->cut_seen = false;
    while (rc == CARNET_OK && replica->unlocked_count) {
        struct carnet_id book = replica->unlocked[0].book;
        uint32_t scopes = 0;
        size_t kept = 0;
        for (size_t i = 0; i < replica->unlocked_count; i++) {
            if (carnet_id_equal(&replica->unlocked[i].book, &book))
                scopes |= 1u << replica->unlocked[i].scope;
            else
                replica->unlocked[kept++] = replica->unlocked[i];
        }
        replica->unlocked_count = kept;
        if (!carnet_id_equal(&book, &replica->community)) /* it has no sealed values */
            rc = settle_unlocked(replica, &book, scopes, err);
    }
    return rc == CARNET_OK ? carnet_tags_settle(replica, err) : rc;
}
