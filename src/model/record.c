// SPDX-License-Identifier: EUPL-1.2
/* The set that a record is. Each adder keeps what is true of every record, whatever was added before:
 *   no live dot is among the replaced ones, of its scope;
 *   a sibling under a dead seed, or named by a rectification, is dark and holds no value;
 *   each seed that a dark event names is there and dead; a dead seed has no bytes;
 *   an erased record holds erasing events and nothing else.
 * So the result is a function of the set of things added, and merging is adding. */
#include "carnet/model/record.h"

#include <stdlib.h>
#include <string.h>

void carnet_record_init(struct carnet_record *record)
{
    *record = (struct carnet_record){ 0 };
}

void carnet_record_deinit(struct carnet_record *record)
{
    if (record->seed_cap)
        memset(record->seeds, 0, record->seed_cap * sizeof *record->seeds);
    free(record->live);
    free(record->replaced);
    free(record->events);
    free(record->seeds);
    carnet_record_init(record);
}

/* Where the dot is, or belongs, among items that begin with their dot and are ordered by it. */
static size_t place(const void *items, size_t count, size_t size, const struct carnet_dot *dot, bool *found)
{
    const char *base = items;
    size_t low = 0, high = count;
    *found = false;
    while (low < high) {
        /* what arrives is mostly the newest of its author: look at the end first */
        size_t middle = high == count ? high - 1 : low + (high - low) / 2;
        int order = carnet_dot_compare((const struct carnet_dot *)(const void *)(base + middle * size), dot);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#define PLACE(items, count, dot, found) place((items), (count), sizeof *(items), (dot), (found))
#define INSERT(items, count, cap, at, item)                                                                            \
    do {                                                                                                               \
        CARNET_GROW((items), (count), (cap));                                                                          \
        memmove((items) + (at) + 1, (items) + (at), ((count) - (at)) * sizeof *(items));                               \
        (items)[at] = (item);                                                                                          \
        (count)++;                                                                                                     \
    } while (0)

/* The first bytes of the events that act on the record itself: the array of their only shape, their type. */
static bool is_event(struct carnet_slice raw, enum carnet_event_type type, unsigned items)
{
    return raw.len >= 2 && raw.ptr[0] == (0x80u | items) && raw.ptr[1] == (unsigned)type;
}

static bool is_erase(struct carnet_slice raw)
{
    return is_event(raw, CARNET_EVENT_ERASE, 1);
}

static bool is_dark(struct carnet_slice raw)
{
    return is_event(raw, CARNET_EVENT_DARK, 3);
}

static bool is_rectify(struct carnet_slice raw)
{
    return is_event(raw, CARNET_EVENT_RECTIFY, 2);
}

static void widen(struct carnet_record *record, uint64_t first, uint64_t last)
{
    if (first && (record->hlc_first == 0 || first < record->hlc_first))
        record->hlc_first = first;
    if (last > record->hlc_last)
        record->hlc_last = last;
}

static void kill(struct carnet_sibling *sibling)
{
    sibling->state = CARNET_SIBLING_DARK;
    sibling->field = CARNET_FIELD_NONE;
    sibling->label = sibling->value = CARNET_SLICE_NONE;
}

static size_t place_seed(const struct carnet_record *record, uint64_t id, enum carnet_scope scope, bool *found)
{
    size_t at = 0;
    while (at < record->seed_count && (record->seeds[at].id < id || (record->seeds[at].id == id && record->seeds[at].scope < scope)))
        at++;
    *found = at < record->seed_count && record->seeds[at].id == id && record->seeds[at].scope == scope;
    return at;
}

const struct carnet_seed *carnet_record_seed(const struct carnet_record *record, uint64_t id, enum carnet_scope scope)
{
    bool found;
    size_t at = place_seed(record, id, scope, &found);
    return found ? &record->seeds[at] : NULL;
}

const struct carnet_seed *carnet_record_seed_live(const struct carnet_record *record, enum carnet_scope scope)
{
    for (size_t i = 0; i < record->seed_count; i++)
        if (record->seeds[i].scope == scope && record->seeds[i].held && !record->seeds[i].dead)
            return &record->seeds[i];
    return NULL;
}

static bool is_dead(const struct carnet_record *record, const struct carnet_sibling *sibling)
{
    const struct carnet_seed *known = sibling->seed ? carnet_record_seed(record, sibling->seed, sibling->scope) : NULL;
    return known && known->dead;
}

static bool is_rectified(const struct carnet_record *record, const struct carnet_dot *dot)
{
    for (size_t i = 0; i < record->event_count; i++) {
        struct carnet_event event;
        if (!is_rectify(record->events[i].raw) || carnet_event_decode(record->events[i].raw, &event) != CARNET_OK)
            continue;
        for (size_t j = 0; j < event.name_count; j++)
            if (carnet_dot_equal(&event.names[j], dot))
                return true;
    }
    return false;
}

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Of two that share a dot. The state decides; the rest differs only in bytes that a fork made, and then any fixed rule will do. */
static bool is_better(const struct carnet_sibling *a, const struct carnet_sibling *b)
{
    int by = order(a->state, b->state);
    by = by ? by : order(a->hlc, b->hlc);
    by = by ? by : order(a->seed, b->seed);
    by = by ? by : order(a->scope, b->scope);
    by = by ? by : order(a->field, b->field);
    by = by ? by : carnet_slice_compare(a->label, b->label);
    by = by ? by : carnet_slice_compare(a->value, b->value);
    return by > 0;
}

void carnet_record_add_sibling(struct carnet_record *record, const struct carnet_sibling *sibling)
{
    struct carnet_sibling added = *sibling;
    bool found;
    widen(record, added.hlc, added.hlc);
    if (record->erased)
        return;
    size_t by = PLACE(record->replaced, record->replaced_count, &added.dot, &found);
    found = found && record->replaced[by].scopes >> added.scope & 1;
    if (found && !CARNET_PLANTED(2)) /* planted: what was replaced before it arrived comes to life */
        return;
    if (added.state != CARNET_SIBLING_VALUE) {
        added.field = CARNET_FIELD_NONE;
        added.label = added.value = CARNET_SLICE_NONE;
    }
    if (is_dead(record, &added) || is_rectified(record, &added.dot))
        kill(&added);
    size_t at = PLACE(record->live, record->live_count, &added.dot, &found);
    if (!found)
        INSERT(record->live, record->live_count, record->live_cap, at, added);
    else if (is_better(&added, &record->live[at]))
        record->live[at] = added;
}

void carnet_record_add_replaced(struct carnet_record *record, const struct carnet_dot *dot, uint32_t scopes)
{
    bool found;
    if (record->erased)
        return;
    size_t at = PLACE(record->replaced, record->replaced_count, dot, &found);
    const struct carnet_replaced added = { *dot, scopes };
    if (found)
        record->replaced[at].scopes |= scopes;
    else
        INSERT(record->replaced, record->replaced_count, record->replaced_cap, at, added);
    at = PLACE(record->live, record->live_count, &added.dot, &found);
    if (found && scopes >> record->live[at].scope & 1) {
        record->live_count--;
        memmove(record->live + at, record->live + at + 1, (record->live_count - at) * sizeof *record->live);
    }
}

void carnet_record_add_seed(struct carnet_record *record, const struct carnet_seed *seed)
{
    struct carnet_seed added = *seed;
    bool found;
    if (record->erased || added.id == 0)
        return;
    size_t at = place_seed(record, added.id, added.scope, &found);
    bool dies = added.dead && !(found && record->seeds[at].dead);
    if (found) {
        const struct carnet_seed *known = &record->seeds[at];
        added.dead |= known->dead;
        if (known->held && (!added.held || memcmp(known->b, added.b, sizeof added.b) < 0)) {
            added.held = true;
            memcpy(added.b, known->b, sizeof added.b);
        }
    }
    if (added.dead)
        added.held = false;
    if (!added.held)
        memset(added.b, 0, sizeof added.b);
    if (found)
        record->seeds[at] = added;
    else
        INSERT(record->seeds, record->seed_count, record->seed_cap, at, added);
    for (size_t i = 0; dies && i < record->live_count; i++)
        if (record->live[i].seed == added.id && record->live[i].scope == added.scope)
            kill(&record->live[i]);
}

/* Everything but erasing events. */
static void empty(struct carnet_record *record)
{
    size_t kept = 0;
    for (size_t i = 0; i < record->event_count; i++)
        if (is_erase(record->events[i].raw))
            record->events[kept++] = record->events[i];
    record->event_count = kept;
    if (record->seed_count)
        memset(record->seeds, 0, record->seed_count * sizeof *record->seeds);
    record->seed_count = record->live_count = record->replaced_count = 0;
    record->erased = true;
}

static void apply_event(struct carnet_record *record, struct carnet_slice raw)
{
    struct carnet_event event;
    if (is_erase(raw)) {
        empty(record);
        return;
    }
    if ((!is_dark(raw) && !is_rectify(raw)) || carnet_event_decode(raw, &event) != CARNET_OK)
        return;
    for (size_t i = 0; i < event.seed_count; i++) {
        const struct carnet_seed dead = { .id = event.seeds[i], .scope = event.scope, .dead = true };
        carnet_record_add_seed(record, &dead);
    }
    for (size_t i = 0; i < event.name_count; i++) {
        bool found;
        size_t at = PLACE(record->live, record->live_count, &event.names[i], &found);
        if (found)
            kill(&record->live[at]);
    }
}

void carnet_record_add_event(struct carnet_record *record, const struct carnet_event_item *event)
{
    const struct carnet_event_item added = *event;
    bool found;
    widen(record, added.hlc, added.hlc);
    if (record->erased && !is_erase(added.raw))
        return;
    size_t at = PLACE(record->events, record->event_count, &added.dot, &found);
    if (!found) {
        INSERT(record->events, record->event_count, record->event_cap, at, added);
        apply_event(record, added.raw);
    } else if (carnet_slice_compare(added.raw, record->events[at].raw) < 0) {
        record->events[at] = added; /* a fork: any fixed rule will do */
        apply_event(record, added.raw);
    }
}

/* The kind and the subject never change; a writer that says otherwise makes no difference between replicas. */
static void adopt(struct carnet_record *record, const struct carnet_record *other)
{
    CARNET_ASSERT(carnet_id_is_zero(&record->id) || carnet_id_is_zero(&other->id) || carnet_id_equal(&record->id, &other->id));
    if (carnet_id_is_zero(&record->id))
        record->id = other->id;
    if (other->kind == 0)
        return;
    int by = record->kind ? order(other->kind, record->kind) : -1;
    if (by < 0 || (by == 0 && carnet_id_compare(&other->subject, &record->subject) < 0)) {
        record->kind = other->kind;
        record->subject = other->subject;
    }
}

/* Planted: the last writer wins, by its clock. */
static void keep_last_writers(struct carnet_record *record)
{
    size_t kept = 0;
    for (size_t i = 0; i < record->live_count; i++) {
        const struct carnet_sibling *a = &record->live[i];
        bool beaten = false;
        for (size_t j = 0; j < record->live_count && a->state == CARNET_SIBLING_VALUE; j++) {
            const struct carnet_sibling *b = &record->live[j];
            beaten |= b->state == CARNET_SIBLING_VALUE && b->field == a->field && carnet_slice_equal(b->label, a->label) &&
                      b->hlc > a->hlc;
        }
        if (!beaten)
            record->live[kept++] = *a;
    }
    record->live_count = kept;
}

void carnet_record_merge(struct carnet_record *record, const struct carnet_record *other)
{
    adopt(record, other);
    widen(record, other->hlc_first, other->hlc_last);
    if (other->erased && !record->erased)
        empty(record);
    for (size_t i = 0; i < other->seed_count; i++)
        carnet_record_add_seed(record, &other->seeds[i]);
    for (size_t i = 0; i < other->event_count; i++)
        carnet_record_add_event(record, &other->events[i]);
    for (size_t i = 0; i < other->replaced_count; i++)
        carnet_record_add_replaced(record, &other->replaced[i].dot, other->replaced[i].scopes);
    for (size_t i = 0; i < other->live_count; i++)
        carnet_record_add_sibling(record, &other->live[i]);
    if (CARNET_PLANTED(1))
        keep_last_writers(record);
}

void carnet_record_fill(struct carnet_record *record, const struct carnet_record *late)
{
    for (size_t i = 0; i < late->seed_count; i++)
        carnet_record_add_seed(record, &late->seeds[i]);
    for (size_t i = 0; i < late->live_count; i++) {
        bool found;
        size_t at = PLACE(record->live, record->live_count, &late->live[i].dot, &found);
        if (!found)
            continue;
        /* the part is here, and it is one that this node cannot read: nothing is waited for any more */
        if (record->live[at].state == CARNET_SIBLING_MISSING && late->live[i].state == CARNET_SIBLING_LOCKED)
            record->live[at].state = CARNET_SIBLING_LOCKED;
        carnet_record_add_sibling(record, &late->live[i]);
    }
}

void carnet_record_prune(struct carnet_record *record, bool (*seen)(void *ctx, const struct carnet_dot *dot), void *ctx)
{
    size_t kept = 0;
    for (size_t i = 0; i < record->replaced_count; i++)
        if (!seen(ctx, &record->replaced[i].dot))
            record->replaced[kept++] = record->replaced[i];
    record->replaced_count = kept;
}

bool carnet_record_darken(struct carnet_record *record, const struct carnet_record *subject)
{
    bool changed = false;
    for (size_t i = 0; i < record->live_count; i++) {
        struct carnet_sibling *sibling = &record->live[i];
        if (sibling->state == CARNET_SIBLING_DARK || !is_dead(subject, sibling))
            continue;
        kill(sibling);
        changed = true;
    }
    return changed;
}

void carnet_record_erase(struct carnet_record *record)
{
    empty(record);
    record->event_count = 0;
}

uint32_t carnet_record_scopes_in(const struct carnet_record *record, enum carnet_sibling_state state)
{
    uint32_t scopes = 0;
    for (size_t i = 0; i < record->live_count; i++)
        if (record->live[i].state == state)
            scopes |= 1u << record->live[i].scope;
    return scopes;
}

static int compare_cell(const struct carnet_sibling *a, const struct carnet_sibling *b)
{
    return a->field != b->field ? order(a->field, b->field) : carnet_slice_compare(a->label, b->label);
}

static int compare_shown(const void *left, const void *right)
{
    const struct carnet_sibling *a = *(const struct carnet_sibling *const *)left;
    const struct carnet_sibling *b = *(const struct carnet_sibling *const *)right;
    int by = compare_cell(a, b);
    by = by ? by : order(b->hlc, a->hlc); /* the newest first */
    return by ? by : carnet_dot_compare(&b->dot, &a->dot);
}

/* Whether the cell is to be seen, and whether its siblings differ. Where knowledge came from (ids of sources, evidence) may well come from two: nobody has to
 * choose. */
static bool is_shown(struct carnet_cell *cell)
{
    bool shown = false, settles = cell->field != CARNET_FIELD_SOURCE_ID && cell->field != CARNET_FIELD_EVIDENCE;
    for (size_t i = 0; i < cell->count; i++) {
        struct carnet_slice value = cell->siblings[i]->value;
        if (cell->field == CARNET_FIELD_TAG) {
            shown |= carnet_slice_equal(value, carnet_slice_str("1"));
        } else {
            shown |= value.len > 0;
            cell->conflict |= settles && !carnet_slice_equal(value, cell->siblings[0]->value);
        }
    }
    return shown;
}

struct carnet_cell *carnet_record_cells(const struct carnet_record *record, uint32_t scopes, struct carnet_arena *arena, size_t *count)
{
    size_t values = 0, cells = 0;
    *count = 0;
    if (record->live_count == 0)
        return NULL;
    const struct carnet_sibling **siblings = carnet_arena_alloc(arena, record->live_count * sizeof *siblings);
    for (size_t i = 0; i < record->live_count; i++)
        if (record->live[i].state == CARNET_SIBLING_VALUE && scopes & 1u << record->live[i].scope)
            siblings[values++] = &record->live[i];
    if (values == 0)
        return NULL;
    qsort(siblings, values, sizeof *siblings, compare_shown);
    struct carnet_cell *out = carnet_arena_alloc(arena, values * sizeof *out);
    for (size_t i = 0; i < values;) {
        struct carnet_cell cell = { .field = siblings[i]->field, .label = siblings[i]->label, .siblings = siblings + i };
        while (i < values && compare_cell(siblings[i], cell.siblings[0]) == 0) {
            cell.count++;
            i++;
        }
        if (is_shown(&cell))
            out[cells++] = cell;
    }
    *count = cells;
    return out;
}
