// SPDX-License-Identifier: EUPL-1.2
/* One record's row: its packed state, and what is derived from it: search text, points, conflicts, edges, the moment that something is due. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

void carnet_loaded_init(struct carnet_loaded *loaded)
{
    memset(loaded, 0, sizeof *loaded);
    carnet_record_init(&loaded->record);
    carnet_buf_init(&loaded->packed, CARNET_STATE_LEN_MAX);
    carnet_arena_init(&loaded->arena);
}

void carnet_loaded_deinit(struct carnet_loaded *loaded)
{
    carnet_record_deinit(&loaded->record);
    carnet_buf_deinit(&loaded->packed);
    carnet_arena_deinit(&loaded->arena);
}

void carnet_rows_clear(struct carnet_record *record)
{
    struct carnet_record kept = *record;
    *record = (struct carnet_record){ .live = kept.live,
                                      .live_cap = kept.live_cap,
                                      .replaced = kept.replaced,
                                      .replaced_cap = kept.replaced_cap,
                                      .events = kept.events,
                                      .event_cap = kept.event_cap,
                                      .seeds = kept.seeds,
                                      .seed_cap = kept.seed_cap };
}

static void *copy_array(struct carnet_arena *arena, const void *items, size_t count, size_t size)
{
    if (count == 0)
        return NULL;
    void *out = carnet_arena_alloc(arena, count * size);
    memcpy(out, items, count * size);
    return out;
}

void carnet_rows_copy(const struct carnet_record *record, struct carnet_arena *arena, struct carnet_record *out)
{
    *out = *record;
    out->live = copy_array(arena, record->live, record->live_count, sizeof *record->live);
    out->replaced = copy_array(arena, record->replaced, record->replaced_count, sizeof *record->replaced);
    out->events = copy_array(arena, record->events, record->event_count, sizeof *record->events);
    out->seeds = copy_array(arena, record->seeds, record->seed_count, sizeof *record->seeds);
    out->live_cap = out->live_count;
    out->replaced_cap = out->replaced_count;
    out->event_cap = out->event_count;
    out->seed_cap = out->seed_count;
}

carnet_rc carnet_rows_unpack(struct carnet_loaded *loaded, struct carnet_err *err)
{
    carnet_buf_clear(&loaded->packed);
    carnet_buf_append_slice(&loaded->packed, loaded->row.state);
    loaded->row.state = carnet_buf_slice(&loaded->packed);
    if (loaded->packed.failed || carnet_record_unpack(loaded->row.state, &loaded->record) != CARNET_OK)
        return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "record");
    return CARNET_OK;
}

carnet_rc carnet_rows_get(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *id, struct carnet_loaded *out,
                          struct carnet_err *err)
{
    carnet_rc rc = carnet_store_record_get(replica->store, book, id, &out->row, err);
    if (rc == CARNET_OK)
        return carnet_rows_unpack(out, err);
    memset(&out->row, 0, sizeof out->row);
    out->row.book = *book;
    out->row.id = *id;
    carnet_rows_clear(&out->record);
    out->record.id = *id;
    carnet_buf_clear(&out->packed);
    return rc;
}

carnet_rc carnet_rows_at(struct carnet_replica *replica, int64_t n, struct carnet_loaded *out, struct carnet_err *err)
{
    carnet_rc rc = carnet_store_record_at(replica->store, n, &out->row, err);
    return rc == CARNET_OK ? carnet_rows_unpack(out, err) : rc;
}

carnet_rc carnet_rows_about(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *subject, struct carnet_arena *arena,
                            int64_t **out, size_t *count, struct carnet_err *err)
{
    int64_t *numbers = NULL;
    size_t cap = 0;
    struct carnet_record_row row;
    carnet_rc rc;
    *count = 0;
    for (int64_t from = 1; (rc = carnet_store_record_about(replica->store, book, subject, from, &row, err)) == CARNET_OK; from = row.n + 1) {
        CARNET_GROW(numbers, *count, cap);
        numbers[(*count)++] = row.n;
    }
    *out = copy_array(arena, numbers, *count, sizeof *numbers);
    free(numbers);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

struct touches {
    struct carnet_touch *at;
    size_t count, cap;
};

static bool add_touch(void *ctx, int64_t entry_n, unsigned change)
{
    struct touches *touches = ctx;
    CARNET_GROW(touches->at, touches->count, touches->cap);
    touches->at[touches->count++] = (struct carnet_touch){ entry_n, change };
    return true;
}

carnet_rc carnet_rows_touches(struct carnet_replica *replica, int64_t n, struct carnet_arena *arena, struct carnet_touch **out, size_t *count,
                              struct carnet_err *err)
{
    struct touches touches = { 0 };
    carnet_rc rc = carnet_store_touches(replica->store, n, add_touch, &touches, err);
    *out = copy_array(arena, touches.at, touches.count, sizeof *touches.at);
    *count = touches.count;
    free(touches.at);
    return rc;
}

/* --- the person --- */

static carnet_rc load_copy(struct carnet_replica *replica, int64_t n, struct carnet_arena *arena, struct carnet_record **out, struct carnet_err *err)
{
    struct carnet_record_row row;
    struct carnet_record record;
    carnet_rc rc = carnet_store_record_at(replica->store, n, &row, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_record_init(&record);
    rc = carnet_record_unpack(carnet_arena_dup(arena, row.state), &record);
    if (rc == CARNET_OK) {
        *out = carnet_arena_alloc(arena, sizeof **out);
        carnet_rows_copy(&record, arena, *out);
    }
    carnet_record_deinit(&record);
    return rc == CARNET_OK ? rc : carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "record");
}

carnet_rc carnet_rows_component(struct carnet_replica *replica, int64_t n, int64_t *numbers, size_t max, size_t *count, struct carnet_err *err)
{
    CARNET_ASSERT(max <= CARNET_PERSON_WALK);
    numbers[0] = n;
    *count = 1;
    for (size_t i = 0; i < *count && *count < max && n != 0; i++) {
        int64_t near[CARNET_PERSON_WALK];
        size_t near_count;
        carnet_rc rc = carnet_store_edges(replica->store, numbers[i], near, max, &near_count, err);
        if (rc != CARNET_OK)
            return rc;
        for (size_t j = 0; j < near_count && *count < max; j++) {
            size_t known = 0;
            while (known < *count && numbers[known] != near[j])
                known++;
            if (known == *count)
                numbers[(*count)++] = near[j];
        }
    }
    return CARNET_OK;
}

carnet_rc carnet_rows_person(struct carnet_replica *replica, const struct carnet_record *record, int64_t n, struct carnet_arena *arena,
                             const struct carnet_record ***out, size_t *count, struct carnet_err *err)
{
    int64_t numbers[CARNET_PERSON_MAX];
    return carnet_rows_people(replica, record, n, arena, numbers, out, count, err);
}

carnet_rc carnet_rows_people(struct carnet_replica *replica, const struct carnet_record *record, int64_t n, struct carnet_arena *arena, int64_t *given,
                             const struct carnet_record ***out, size_t *count, struct carnet_err *err)
{
    static const struct carnet_record crowd = { .erased = true }; /* merged with it, nothing is open */
    int64_t numbers[CARNET_PERSON_MAX + 1];
    carnet_rc rc = carnet_rows_component(replica, n, numbers, CARNET_PERSON_MAX + 1, count, err);
    if (rc != CARNET_OK)
        return rc;
    memcpy(given, numbers, (*count < CARNET_PERSON_MAX ? *count : CARNET_PERSON_MAX) * sizeof *given);
    *out = carnet_arena_alloc(arena, (*count + 1) * sizeof **out);
    (*out)[0] = record;
    if (*count > CARNET_PERSON_MAX) {
        (*out)[1] = &crowd;
        *count = 2;
        return CARNET_OK;
    }
    for (size_t i = 0; rc == CARNET_OK && i < *count; i++) {
        struct carnet_record *other;
        if (i > 0) {
            rc = load_copy(replica, numbers[i], arena, &other, err);
            (*out)[i] = other;
        }
        if (rc == CARNET_OK)
            rc = carnet_tags_mark(replica, numbers[i], &(*out)[i], arena, replica->tags.now, err);
    }
    return rc;
}

uint32_t *carnet_rows_shown(struct carnet_replica *replica, const struct carnet_record *const *person, size_t count, struct carnet_arena *arena)
{
    int64_t now_ms = carnet_replica_now_ms(replica);
    uint32_t *open = carnet_arena_alloc(arena, count * sizeof *open);
    const struct carnet_record **turned = copy_array(arena, person, count, sizeof *turned);
    for (size_t i = 0; i < count; i++) {
        turned[0] = person[i];
        turned[i] = person[0];
        open[i] = carnet_consent_open(&replica->charter, turned, count, now_ms);
        turned[i] = person[i];
        if (CARNET_PLANTED(41) && i && !open[0])
            open[i] = 0;
        else if (CARNET_PLANTED(41) && i)
            open[i] |= open[0]; /* planted: what is agreed to on the main record opens the others too */
    }
    return open;
}

struct carnet_cell *carnet_rows_cells(const struct carnet_record *const *person, const uint32_t *shown, size_t count, struct carnet_arena *arena, size_t *cell_count)
{
    struct carnet_record all = { 0 };
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        most += person[i]->live_count;
    all.live = carnet_arena_alloc(arena, (most + 1) * sizeof *all.live);
    for (size_t i = 0; i < count; i++) {
        size_t own;
        const struct carnet_cell *cells = carnet_id_equal(&person[i]->subject, &person[i]->id) ? carnet_record_cells(person[i], shown[i], arena, &own) : NULL;
        for (size_t c = 0; cells && c < own; c++)
            for (size_t s = 0; s < cells[c].count; s++)
                all.live[all.live_count++] = *cells[c].siblings[s];
    }
    return carnet_record_cells(&all, CARNET_SCOPES_ALL | 1u << CARNET_SCOPE_CLEAR, arena, cell_count);
}

/* --- edges --- */

/* All of them, in the arena. */
static size_t edges_of(const struct carnet_record *record, struct carnet_arena *arena, struct carnet_id **out)
{
    *out = carnet_arena_alloc(arena, (record->event_count + 1) * sizeof **out);
    return carnet_consent_edges(record, *out, record->event_count);
}

/* Does the other record say that it is merged with id? */
static carnet_rc says_so(struct carnet_replica *replica, int64_t other, const struct carnet_id *id, bool *out, struct carnet_err *err)
{
    struct carnet_id *edges;
    struct carnet_record *record;
    *out = false;
    carnet_rc rc = load_copy(replica, other, &replica->row_arena, &record, err);
    size_t count = rc == CARNET_OK ? edges_of(record, &replica->row_arena, &edges) : 0;
    for (size_t i = 0; i < count; i++)
        *out = *out || carnet_id_equal(&edges[i], id);
    return rc;
}

/* The number of a record that may not have come yet: then an empty row holds its place. */
carnet_rc carnet_rows_number(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *id, int64_t *out, struct carnet_err *err)
{
    struct carnet_record_row row;
    carnet_rc rc = carnet_store_record_get(replica->store, book, id, &row, err);
    if (rc == CARNET_NOT_FOUND) {
        struct carnet_record empty = { .id = *id };
        carnet_buf_clear(&replica->state_bytes);
        carnet_record_pack(&empty, &replica->state_bytes);
        row = (struct carnet_record_row){
            .book = *book, .id = *id, .flags = CARNET_ROW_EMPTY, .state = carnet_buf_slice(&replica->state_bytes)
        };
        rc = carnet_store_record_put(replica->store, &row, err);
    }
    *out = row.n;
    return rc;
}

static bool is_among(const struct carnet_id *ids, size_t count, const struct carnet_id *id)
{
    for (size_t i = 0; i < count; i++)
        if (carnet_id_equal(&ids[i], id))
            return true;
    return false;
}

/* Keeps the store's edges as the events of the record say, old and new. */
static carnet_rc put_edges(struct carnet_replica *replica, const struct carnet_record_row *row, const struct carnet_id *before, size_t before_count,
                           const struct carnet_id *now, size_t now_count, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; rc == CARNET_OK && i < before_count + now_count; i++) {
        const struct carnet_id *id = i < before_count ? &before[i] : &now[i - before_count];
        bool gone = i < before_count;
        int64_t other;
        if (carnet_id_equal(id, &row->id) || (gone ? is_among(now, now_count, id) : is_among(before, before_count, id)))
            continue;
        bool on = !gone;
        rc = carnet_rows_number(replica, &row->book, id, &other, err);
        if (rc == CARNET_OK && gone)
            rc = says_so(replica, other, &row->id, &on, err);
        if (rc == CARNET_OK)
            rc = carnet_store_edge_put(replica->store, row->n, other, on, err);
        if (rc == CARNET_OK)
            rc = carnet_store_edge_put(replica->store, other, row->n, on, err);
    }
    return rc;
}

/* --- what is derived of a record --- */

enum { POINTS_MAX = 64 };
struct points {
    uint64_t at[POINTS_MAX];
    size_t count;
};

/* The newest value of a field without label. */
static struct carnet_slice newest(const struct carnet_record *record, uint32_t field)
{
    const struct carnet_sibling *best = NULL;
    for (size_t i = 0; i < record->live_count; i++) {
        const struct carnet_sibling *sibling = &record->live[i];
        if (sibling->state == CARNET_SIBLING_VALUE && sibling->field == field && !sibling->label.len && (!best || sibling->hlc > best->hlc))
            best = sibling;
    }
    return best ? best->value : CARNET_SLICE_NONE;
}

static void add_point(struct points *points, uint64_t point)
{
    size_t known = 0;
    while (known < points->count && points->at[known] != point)
        known++;
    if (point && known == points->count && known < POINTS_MAX)
        points->at[points->count++] = point;
}

static void find_points(const struct carnet_record *record, struct points *points)
{
    struct carnet_slice family = newest(record, CARNET_FIELD_FAMILY), given = newest(record, CARNET_FIELD_GIVEN), born = newest(record, CARNET_FIELD_BORN);
    const struct carnet_sibling *row = NULL;
    bool plain = false; /* a point that every node can ask for */
    points->count = 0;
    for (size_t i = 0; i < record->live_count; i++) {
        const struct carnet_sibling *sibling = &record->live[i];
        uint64_t point = 0;
        if (sibling->state != CARNET_SIBLING_VALUE || !sibling->value.len)
            continue;
        if (sibling->field == CARNET_FIELD_SOURCE_ID && carnet_slice_equal(sibling->label, carnet_slice_str(CARNET_INDEX_ROW_LABEL))) {
            row = sibling;
        } else if (sibling->field == CARNET_FIELD_SOURCE_ID && carnet_index_is_address(sibling->label)) {
            add_point(points, carnet_index_person_point(family, given, born, sibling->field, sibling->label));
        } else if (sibling->field == CARNET_FIELD_SOURCE_ID)
            point = carnet_index_source_point(sibling->label, sibling->value);
        else if (sibling->field == CARNET_FIELD_EMAIL || sibling->field == CARNET_FIELD_PHONE)
            point = carnet_index_person_point(family, given, born, sibling->field, sibling->value);
        plain |= point != 0;
        add_point(points, point);
    }
    if (row && !plain && points->count < POINTS_MAX && row->value.len > CARNET_INDEX_ROW_LEN)
        points->at[points->count++] = carnet_index_source_point(row->label, carnet_slice(row->value.ptr, CARNET_INDEX_ROW_LEN));
}

static bool has_point(const struct points *points, uint64_t point)
{
    for (size_t i = 0; i < points->count; i++)
        if (points->at[i] == point)
            return true;
    return false;
}

static carnet_rc put_points(struct carnet_replica *replica, int64_t n, const struct points *before, const struct points *now, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; rc == CARNET_OK && i < before->count; i++)
        if (!has_point(now, before->at[i]))
            rc = carnet_store_point_remove(replica->store, before->at[i], n, err);
    for (size_t i = 0; rc == CARNET_OK && i < now->count; i++)
        if (!has_point(before, now->at[i]))
            rc = carnet_store_point_add(replica->store, now->at[i], n, err);
    return rc;
}

static void put_text(struct carnet_replica *replica, const struct carnet_record *record, uint32_t scopes, struct carnet_buf *out)
{
    size_t count;
    const struct carnet_cell *cells = carnet_record_cells(record, scopes, &replica->row_arena, &count);
    carnet_buf_clear(out);
    if (count)
        carnet_query_index_text(cells, count, out);
}

static bool is_empty(const struct carnet_record *record)
{
    return !record->erased && record->live_count == 0 && record->event_count == 0 && record->seed_count == 0;
}

static unsigned flags_of(const struct carnet_record *record)
{
    unsigned flags = 0;
    if (record->erased)
        flags |= CARNET_ROW_ERASED;
    else if (is_empty(record))
        flags |= CARNET_ROW_EMPTY;
    else if (record->kind == CARNET_KIND_CONTACT)
        flags |= CARNET_ROW_CONTACT;
    for (size_t i = 0; i < record->live_count && !(flags & CARNET_ROW_LOCKED); i++)
        if (record->live[i].state == CARNET_SIBLING_LOCKED || record->live[i].state == CARNET_SIBLING_MISSING)
            flags |= CARNET_ROW_LOCKED;
    for (size_t i = 0; i < record->seed_count; i++)
        if (record->seeds[i].dead)
            flags |= CARNET_ROW_DEAD;
    return flags;
}

static bool may_darken(const struct carnet_replica *replica)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    return self && self->verbs & CARNET_VERB_DARK;
}

/* What the columns of the row are, for this person, now. */
static void derive(struct carnet_replica *replica, struct carnet_loaded *loaded, const struct carnet_record *const *person, size_t person_count)
{
    const struct carnet_record *record = &loaded->record;
    int64_t now_ms = carnet_replica_now_ms(replica);
    uint32_t shown = CARNET_SCOPES_ALL | 1u << CARNET_SCOPE_CLEAR;
    size_t cell_count;
    loaded->row.flags = flags_of(record);
    loaded->row.kind = record->kind;
    loaded->row.subject = record->subject;
    loaded->row.conflicts = 0;
    loaded->row.indexed = 0;
    loaded->row.due_ms = 0;
    if (loaded->row.flags & CARNET_ROW_CONTACT && person_count > 1 && person_count <= CARNET_PERSON_MAX && !carnet_id_is_zero(&person[1]->id)) {
        loaded->row.flags |= CARNET_ROW_PERSON;
        if (carnet_consent_main(person, person_count))
            loaded->row.flags = (loaded->row.flags & ~(unsigned)CARNET_ROW_CONTACT) | CARNET_ROW_MERGED;
    }
    if (loaded->row.flags & (CARNET_ROW_CONTACT | CARNET_ROW_MERGED)) {
        shown = carnet_consent_open(&replica->charter, person, person_count, now_ms);
        loaded->row.indexed = shown & carnet_record_scopes_in(record, CARNET_SIBLING_VALUE);
        loaded->row.due_ms = carnet_consent_due(&replica->charter, person, person_count, may_darken(replica), now_ms);
    }
    const struct carnet_cell *cells;
    if (loaded->row.flags & CARNET_ROW_MERGED)
        return; /* the main record counts the person's */
    if (loaded->row.flags & CARNET_ROW_PERSON)
        cells = carnet_rows_cells(person, carnet_rows_shown(replica, person, person_count, &replica->row_arena), person_count, &replica->row_arena, &cell_count);
    else if (record->live_count < 2)
        return;
    else
        cells = carnet_record_cells(record, shown, &replica->row_arena, &cell_count);
    for (size_t i = 0; i < cell_count; i++)
        loaded->row.conflicts += cells[i].conflict;
}

/* Values that no row holds stay in the log alone, as if they were locked. */
static void lock_long(struct carnet_record *record, size_t len_max)
{
    for (size_t i = 0; i < record->live_count; i++) {
        struct carnet_sibling *sibling = &record->live[i];
        if (sibling->state != CARNET_SIBLING_VALUE || sibling->value.len <= len_max)
            continue;
        sibling->state = CARNET_SIBLING_LOCKED;
        sibling->field = CARNET_FIELD_NONE;
        sibling->label = sibling->value = CARNET_SLICE_NONE;
    }
}

static carnet_rc put_row(struct carnet_replica *replica, struct carnet_loaded *loaded, struct carnet_err *err)
{
    replica->written++;
    carnet_buf_clear(&replica->state_bytes);
    carnet_record_pack(&loaded->record, &replica->state_bytes);
    for (size_t len_max = 1024; replica->state_bytes.failed && len_max; len_max /= 32) { /* keys came that open too much at once */
        lock_long(&loaded->record, len_max == 1 ? 0 : len_max);
        carnet_buf_clear(&replica->state_bytes);
        carnet_record_pack(&loaded->record, &replica->state_bytes);
    }
    if (replica->state_bytes.failed)
        return carnet_err_set(err, CARNET_LIMIT, "a record is too large");
    loaded->row.state = carnet_buf_slice(&replica->state_bytes);
    bool fresh = loaded->row.n == 0;
    carnet_rc rc = carnet_store_record_put(replica->store, &loaded->row, err);
    if (rc == CARNET_OK && !fresh && loaded->row.flags & (CARNET_ROW_ERASED | CARNET_ROW_EMPTY | CARNET_ROW_DEAD))
        rc = carnet_store_likeness_forget(replica->store, loaded->row.n, err); /* at once: it says something of what is to be nowhere */
    if (rc == CARNET_OK && !fresh && (loaded->row.kind == CARNET_KIND_CONTACT || loaded->row.flags & CARNET_ROW_EMPTY))
        rc = carnet_store_likeness_touch(replica->store, loaded->row.n, err);
    return rc;
}

/* The words of a person's records, all with the main one. */
static void put_person_text(struct carnet_replica *replica, const struct carnet_record *const *person, size_t count, struct carnet_buf *out)
{
    size_t cell_count;
    const uint32_t *open = carnet_rows_shown(replica, person, count, &replica->row_arena);
    const struct carnet_cell *cells = carnet_rows_cells(person, open, count, &replica->row_arena, &cell_count);
    if (cell_count)
        carnet_query_index_text(cells, cell_count, out);
}

/* What the record was, with the scopes that were indexed of it and its flags; person: whom it is of now. */
static carnet_rc put_search(struct carnet_replica *replica, const struct carnet_loaded *loaded, const struct carnet_record *old, uint32_t old_indexed,
                            unsigned old_flags, const struct carnet_record *const *person, size_t person_count, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    struct carnet_slice kept;
    carnet_buf_clear(&replica->old_text);
    carnet_buf_clear(&replica->text);
    if (old_flags & CARNET_ROW_PERSON) {
        rc = carnet_store_person_text(replica->store, loaded->row.n, &kept, err);
        if (rc == CARNET_OK)
            carnet_buf_append_slice(&replica->old_text, kept);
        if (rc == CARNET_OK && !(loaded->row.flags & CARNET_ROW_PERSON))
            rc = carnet_store_person_remove(replica->store, loaded->row.n, err);
    } else if (old_indexed) {
        put_text(replica, old, old_indexed, &replica->old_text);
    }
    if (loaded->row.flags & CARNET_ROW_PERSON) {
        if (!(loaded->row.flags & CARNET_ROW_MERGED))
            put_person_text(replica, person, person_count, &replica->text);
        if (rc == CARNET_OK)
            rc = carnet_store_person_put(replica->store, loaded->row.n, carnet_buf_slice(&replica->text), err);
    } else if (loaded->row.indexed) {
        put_text(replica, &loaded->record, loaded->row.indexed, &replica->text);
    }
    if (rc != CARNET_OK)
        return rc;
    if (carnet_slice_equal(carnet_buf_slice(&replica->old_text), carnet_buf_slice(&replica->text)))
        return rc;
    if (replica->old_text.len)
        rc = carnet_store_search_remove(replica->store, loaded->row.n, carnet_buf_slice(&replica->old_text), err);
    if (rc == CARNET_OK && replica->text.len)
        rc = carnet_store_search_add(replica->store, loaded->row.n, carnet_buf_slice(&replica->text), err);
    return rc;
}

/* Purposes of the default charter that the person's grants open now, a bit each, in the order of the charter. */
static uint64_t live_purposes(const struct carnet_replica *replica, const struct carnet_record *const *person, size_t person_count)
{
    const struct carnet_purpose_def *def;
    uint64_t asked = 0, live = 0;
    for (size_t i = 0; i < person[0]->event_count; i++) {
        struct carnet_event event;
        if (carnet_event_peek(person[0]->events[i].raw) != CARNET_EVENT_GRANT || carnet_event_decode(person[0]->events[i].raw, &event) != CARNET_OK)
            continue;
        for (size_t k = 0; k < CARNET_INDEX_PURPOSES_MAX && (def = carnet_purpose_at(NULL, k)); k++) {
            if (asked >> k & 1 || !carnet_slice_equal(event.purpose, carnet_slice_str(def->name)))
                continue;
            asked |= UINT64_C(1) << k;
            if (carnet_consent_evaluate(&replica->charter, person, person_count, event.purpose, carnet_replica_now_ms(replica)).live)
                live |= UINT64_C(1) << k;
        }
    }
    return live;
}

/* After put_search: `text` is what the search has. */
static carnet_rc put_glance(struct carnet_replica *replica, const struct carnet_loaded *loaded, const struct carnet_record *const *person, size_t person_count,
                            struct carnet_err *err)
{
    struct carnet_glance glance = { .n = loaded->row.n, .book = loaded->row.book, .contact = loaded->row.flags & CARNET_ROW_CONTACT, .due_ms = loaded->row.due_ms };
    struct carnet_buf name;
    uint8_t array[256];
    if (loaded->row.kind != CARNET_KIND_CONTACT)
        return CARNET_OK;
    name = (struct carnet_buf){ .ptr = array, .cap = sizeof array, .len_max = sizeof array - 1 };
    if (glance.contact) {
        size_t count;
        const struct carnet_cell *cells;
        if (loaded->row.flags & CARNET_ROW_PERSON)
            cells = carnet_rows_cells(person, carnet_rows_shown(replica, person, person_count, &replica->row_arena), person_count, &replica->row_arena, &count);
        else
            cells = carnet_record_cells(&loaded->record, loaded->row.indexed & 1u << CARNET_SCOPE_IDENTITY, &replica->row_arena, &count);
        if (count)
            carnet_query_sort_key(cells, count, &name);
        glance.name = carnet_buf_slice(&name);
        glance.live = live_purposes(replica, person, person_count);
        /* a person of several records is looked at: each of them opens and shows on its own */
        glance.doubtful = person_count > 1 || !carnet_query_index_plain(carnet_buf_slice(&replica->text));
    }
    return carnet_store_glance_put(replica->store, &glance, err);
}

carnet_rc carnet_rows_refresh(struct carnet_replica *replica, int64_t n, struct carnet_err *err)
{
    struct carnet_loaded loaded;
    const struct carnet_record **person;
    size_t person_count;
    carnet_loaded_init(&loaded);
    carnet_rc rc = carnet_rows_at(replica, n, &loaded, err);
    carnet_arena_reset(&replica->row_arena);
    if (rc == CARNET_OK)
        rc = carnet_rows_person(replica, &loaded.record, n, &replica->row_arena, &person, &person_count, err);
    if (rc == CARNET_OK) {
        uint32_t old_indexed = loaded.row.indexed;
        unsigned old_flags = loaded.row.flags;
        derive(replica, &loaded, person, person_count);
        rc = put_row(replica, &loaded, err);
        if (rc == CARNET_OK)
            rc = put_search(replica, &loaded, &loaded.record, old_indexed, old_flags, person, person_count, err);
        if (rc == CARNET_OK)
            rc = put_glance(replica, &loaded, person, person_count, err);
    }
    carnet_loaded_deinit(&loaded);
    return rc;
}

carnet_rc carnet_rows_put(struct carnet_replica *replica, struct carnet_loaded *loaded, struct carnet_err *err)
{
    struct carnet_id *before = NULL, *now;
    const struct carnet_record *alone[] = { &loaded->record };
    const struct carnet_record **person = alone;
    size_t before_count = 0, person_count = 1;
    struct points old_points = { .count = 0 }, new_points;
    bool known = loaded->row.n != 0;
    uint32_t old_indexed = loaded->row.indexed;
    unsigned old_flags = known ? loaded->row.flags : 0;
    carnet_rc rc = CARNET_OK;
    carnet_arena_reset(&replica->row_arena);
    if (known) {
        if (carnet_record_unpack(carnet_buf_slice(&loaded->packed), &replica->old) != CARNET_OK)
            return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "record");
        before_count = edges_of(&replica->old, &replica->row_arena, &before);
        find_points(&replica->old, &old_points);
        rc = carnet_tags_changed(replica, loaded->row.n, &replica->old, &loaded->record, err);
        if (rc != CARNET_OK)
            return rc;
        rc = carnet_rows_person(replica, &loaded->record, loaded->row.n, &replica->row_arena, &person, &person_count, err);
    }
    size_t now_count = edges_of(&loaded->record, &replica->row_arena, &now);
    bool merged = person_count > 1 || before_count || now_count;
    bool moved = before_count != now_count || (now_count && memcmp(before, now, now_count * sizeof *now) != 0);
    int64_t others[CARNET_PERSON_WALK];
    size_t other_count = 0;
    if (rc == CARNET_OK && merged) { /* those that were of the person, and those that will be */
        if (!known)
            rc = put_row(replica, loaded, err);
        if (rc == CARNET_OK)
            rc = carnet_rows_component(replica, loaded->row.n, others, CARNET_PERSON_WALK, &other_count, err);
        if (rc == CARNET_OK)
            rc = put_edges(replica, &loaded->row, before, before_count, now, now_count, err);
        if (rc == CARNET_OK)
            rc = carnet_rows_person(replica, &loaded->record, loaded->row.n, &replica->row_arena, &person, &person_count, err);
    }
    if (rc != CARNET_OK)
        return rc;
    derive(replica, loaded, person, person_count);
    find_points(&loaded->record, &new_points);
    rc = put_row(replica, loaded, err);
    if (rc == CARNET_OK && !known)
        rc = carnet_tags_changed(replica, loaded->row.n, NULL, &loaded->record, err);
    if (rc == CARNET_OK)
        rc = put_search(replica, loaded, &replica->old, known ? old_indexed : 0, old_flags, person, person_count, err);
    if (rc == CARNET_OK)
        rc = put_glance(replica, loaded, person, person_count, err);
    if (rc == CARNET_OK)
        rc = put_points(replica, loaded->row.n, &old_points, &new_points, err);
    if (rc != CARNET_OK || !merged || (!moved && other_count > CARNET_PERSON_MAX))
        return rc; /* the records of somebody who is blocked for their number do not hang on each other */
    for (size_t i = 1; rc == CARNET_OK && i < other_count; i++)
        rc = carnet_rows_refresh(replica, others[i], err);
    rc = rc == CARNET_OK ? carnet_rows_component(replica, loaded->row.n, others, CARNET_PERSON_WALK, &other_count, err) : rc;
    for (size_t i = 1; rc == CARNET_OK && i < other_count; i++)
        rc = carnet_rows_refresh(replica, others[i], err);
    return rc;
}

/* --- again from the log --- */

struct seen_ctx {
    struct carnet_replica *replica;
    const struct carnet_id *book;
};

static bool seen(void *ctx, const struct carnet_dot *dot)
{
    const struct seen_ctx *seen_ctx = ctx;
    return carnet_dot_seen(seen_ctx->replica, seen_ctx->book, dot);
}

void carnet_rows_prune(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_record *record)
{
    struct seen_ctx ctx = { replica, book };
    if (record->replaced_count)
        carnet_record_prune(record, seen, &ctx);
}

/* Merges every standing change of the record; the seeds that open its parts are those of `seeds`. *count of the changes merged. */
static carnet_rc merge_touches(struct carnet_replica *replica, const struct carnet_touch *touches, size_t touch_count, const struct carnet_id *about,
                               const struct carnet_record *seeds, struct carnet_loaded *out, size_t *count, struct carnet_err *err)
{
    struct carnet_record delta;
    carnet_rc rc = CARNET_OK;
    *count = 0;
    carnet_record_init(&delta);
    for (size_t i = 0; rc == CARNET_OK && i < touch_count; i++) {
        struct carnet_entry_row row;
        struct carnet_entry entry;
        rc = carnet_store_entry_get(replica->store, touches[i].entry_n, &row, err);
        if (rc != CARNET_OK)
            break;
        if (row.flags & CARNET_ENTRY_VOID)
            continue;
        const struct carnet_slice bytes = carnet_arena_dup(&out->arena, row.bytes); /* the record's slices stay in it */
        if (carnet_entry_decode(bytes, &out->arena, &entry) != CARNET_OK || touches[i].change >= entry.change_count) {
            rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "entry");
            break;
        }
        const struct carnet_change *change = &entry.changes[touches[i].change];
        if (!carnet_id_equal(&change->record, &out->row.id))
            continue; /* about this record, in one that is said to be about another */
        const struct carnet_record *openers = carnet_id_equal(&change->subject, about) ? seeds : NULL;
        carnet_rows_clear(&delta);
        carnet_apply_delta(replica, &entry, touches[i].change, openers, carnet_apply_beyond(replica, &entry.header), &out->arena, &delta);
        carnet_record_merge(&out->record, &delta);
        (*count)++;
    }
    carnet_record_deinit(&delta);
    return rc;
}

/* The record as the log has it, if it is about `about`. */
static carnet_rc replay_about(struct carnet_replica *replica, const struct carnet_id *about, const struct carnet_touch *touches, size_t touch_count,
                              struct carnet_loaded *out, struct carnet_err *err)
{
    struct carnet_loaded subject;
    size_t count = 0;
    carnet_rc rc = CARNET_OK;
    bool own = carnet_id_equal(about, &out->row.id), somebody = !own && !carnet_id_is_zero(about);
    carnet_loaded_init(&subject);
    carnet_rows_clear(&out->record);
    out->record.id = out->row.id;
    if (somebody) {
        rc = carnet_rows_get(replica, &out->row.book, about, &subject, err);
        rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
        somebody = carnet_id_equal(&subject.record.subject, &subject.record.id); /* a contact */
    }
    if (rc == CARNET_OK)
        rc = merge_touches(replica, touches, touch_count, about, somebody ? &subject.record : NULL, out, &count, err);
    if (rc == CARNET_OK && own && carnet_record_scopes_in(&out->record, CARNET_SIBLING_LOCKED)) {
        /* now that its seeds are known; their bytes must not move while the record is merged */
        struct carnet_record seeds;
        carnet_rows_copy(&out->record, &out->arena, &seeds);
        rc = merge_touches(replica, touches, touch_count, about, &seeds, out, &count, err);
    }
    if (rc == CARNET_OK && somebody && count) {
        if (subject.record.erased)
            carnet_record_erase(&out->record);
        else
            carnet_record_darken(&out->record, &subject.record);
    }
    carnet_loaded_deinit(&subject);
    return rc;
}

carnet_rc carnet_rows_replay(struct carnet_replica *replica, int64_t n, struct carnet_loaded *out, struct carnet_err *err)
{
    struct carnet_touch *touches;
    size_t touch_count;
    carnet_rc rc = carnet_rows_at(replica, n, out, err);
    if (rc != CARNET_OK)
        return rc;
    struct carnet_id about = out->record.subject;
    carnet_arena_reset(&out->arena);
    rc = carnet_rows_touches(replica, n, &out->arena, &touches, &touch_count, err);
    if (rc == CARNET_OK)
        rc = replay_about(replica, &about, touches, touch_count, out, err);
    if (rc == CARNET_OK && !carnet_id_equal(&about, &out->record.subject)) {
        about = out->record.subject;
        rc = replay_about(replica, &about, touches, touch_count, out, err);
    }
    if (rc == CARNET_OK)
        carnet_rows_prune(replica, &out->row.book, &out->record);
    return rc;
}

static carnet_rc recompute_one(struct carnet_replica *replica, int64_t n, bool *own, struct carnet_id *book, struct carnet_id *id, struct carnet_err *err)
{
    struct carnet_loaded loaded;
    carnet_loaded_init(&loaded);
    carnet_rc rc = carnet_rows_replay(replica, n, &loaded, err);
    if (rc == CARNET_OK) {
        *own = carnet_id_equal(&loaded.record.subject, &loaded.row.id);
        *book = loaded.row.book;
        *id = loaded.row.id;
        rc = carnet_rows_put(replica, &loaded, err);
    }
    carnet_loaded_deinit(&loaded);
    return rc;
}

carnet_rc carnet_rows_recompute(struct carnet_replica *replica, int64_t n, struct carnet_err *err)
{
    struct carnet_arena arena;
    struct carnet_id book, id;
    int64_t *about;
    size_t count;
    bool own;
    carnet_rc rc = recompute_one(replica, n, &own, &book, &id, err);
    if (rc != CARNET_OK || !own)
        return rc;
    carnet_arena_init(&arena);
    rc = carnet_rows_about(replica, &book, &id, &arena, &about, &count, err);
    for (size_t i = 0; rc == CARNET_OK && i < count; i++)
        rc = recompute_one(replica, about[i], &own, &book, &id, err);
    carnet_arena_deinit(&arena);
    return rc;
}
