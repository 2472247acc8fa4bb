// SPDX-License-Identifier: EUPL-1.2
/* What is written about a person goes to the record that it concerns: each cell stays in the contact that it was typed into, so that merging can be undone. */
#include "internal.h"

#include <string.h>

void carnet_spread_init(struct carnet_spread *spread, const struct carnet_view *view, size_t most, struct carnet_arena *arena)
{
    *spread = (struct carnet_spread){ .view = view, .arena = arena };
    spread->cells = carnet_arena_alloc(arena, (most * view->record_count + 1) * sizeof *spread->cells);
    spread->who = carnet_arena_alloc(arena, (most * view->record_count + 1) * sizeof *spread->who);
}

void carnet_spread_add(struct carnet_spread *spread, size_t who, const struct carnet_write_cell *cell)
{
    spread->who[spread->count] = who;
    spread->cells[spread->count++] = *cell;
}

const struct carnet_cell *carnet_people_cell(const struct carnet_view *view, uint32_t field, struct carnet_slice label)
{
    for (size_t i = 0; i < view->cell_count; i++)
        if (view->cells[i].field == field && carnet_slice_equal(view->cells[i].label, label))
            return &view->cells[i];
    return NULL;
}

size_t carnet_people_record_for(const struct carnet_view *view, enum carnet_scope scope)
{
    for (size_t i = 0; i < view->record_count; i++)
        if (view->records[i].open >> scope & 1)
            return i;
    return 0;
}

void carnet_people_spread(const struct carnet_charter *charter, struct carnet_spread *spread, const struct carnet_write_cell *cell)
{
    const struct carnet_view *view = spread->view;
    const struct carnet_cell *shown = carnet_people_cell(view, cell->field, cell->label);
    const struct carnet_field_def *def = carnet_field_by_number(charter, cell->field);
    const struct carnet_write_cell none = { .field = cell->field, .label = cell->label };
    bool holds[CARNET_CONSENT_PERSON_MAX] = { false };
    size_t first = SIZE_MAX, equal = SIZE_MAX;
    CARNET_ASSERT(view->record_count <= CARNET_CONSENT_PERSON_MAX);
    for (size_t i = 0; shown && i < shown->count; i++) {
        size_t who = carnet_view_holder(view, shown->siblings[i]);
        holds[who] = true;
        first = who < first ? who : first;
        if (carnet_slice_equal(shown->siblings[i]->value, cell->value) && who < equal)
            equal = who;
    }
    if (first == SIZE_MAX) {
        carnet_spread_add(spread, def ? carnet_people_record_for(view, def->scope) : 0, cell);
        return;
    }
    size_t winner = equal != SIZE_MAX ? equal : first;
    for (size_t i = 0; i < view->record_count; i++)
        if (holds[i]) /* what two records said alike, both say anew; of what they said differently one stays */
            carnet_spread_add(spread, i, i == winner || !shown->conflict ? cell : &none);
}

/* The values of one record that its cells replace: as many events as it needs. */
static size_t rectifications(const struct carnet_spread *spread, size_t who, struct carnet_event **out)
{
    const struct carnet_view *view = spread->view;
    size_t values = 0, found = 0;
    for (size_t c = 0; c < view->cell_count; c++)
        values += view->cells[c].count;
    *out = carnet_arena_alloc(spread->arena, (values / CARNET_CHANGE_EVENTS_MAX + 1) * sizeof **out);
    for (size_t i = 0; i < spread->count; i++) {
        const struct carnet_cell *cell = spread->who[i] == who ? carnet_people_cell(view, spread->cells[i].field, spread->cells[i].label) : NULL;
        for (size_t s = 0; cell && s < cell->count; s++) {
            struct carnet_event *event = &(*out)[found / CARNET_CHANGE_EVENTS_MAX];
            if (carnet_slice_equal(cell->siblings[s]->value, spread->cells[i].value) || carnet_view_holder(view, cell->siblings[s]) != who)
                continue;
            if (found++ % CARNET_CHANGE_EVENTS_MAX == 0)
                *event = (struct carnet_event){ .type = CARNET_EVENT_RECTIFY };
            event->names[event->name_count++] = cell->siblings[s]->dot;
        }
    }
    return (found + CARNET_CHANGE_EVENTS_MAX - 1) / CARNET_CHANGE_EVENTS_MAX;
}

struct carnet_write carnet_people_write_on(const struct carnet_view *view, size_t who)
{
    const struct carnet_record *record = view->records[who].record;
    return (struct carnet_write){ .book = view->book, .record = record->id, .subject = record->subject, .kind = record->kind };
}

carnet_rc carnet_spread_write(struct carnet_replica *replica, struct carnet_spread *spread, bool rectify, struct carnet_write_result *result, struct carnet_err *err)
{
    const struct carnet_view *view = spread->view;
    struct carnet_write *writes = carnet_arena_alloc(spread->arena, view->record_count * sizeof *writes);
    size_t write_count = 0;
    for (size_t who = 0; who < view->record_count; who++) {
        struct carnet_write write = carnet_people_write_on(view, who);
        struct carnet_write_cell *cells = carnet_arena_alloc(spread->arena, (spread->count + 1) * sizeof *cells);
        struct carnet_event *events;
        for (size_t i = 0; i < spread->count; i++)
            if (spread->who[i] == who)
                cells[write.cell_count++] = spread->cells[i];
        if (!write.cell_count)
            continue;
        write.cells = cells;
        if (rectify) {
            write.event_count = rectifications(spread, who, &events);
            write.events = events;
        }
        writes[write_count++] = write;
    }
    return carnet_replica_write(replica, writes, write_count, false, result, err);
}

bool carnet_people_live(const struct carnet_charter *charter, const struct carnet_view *view, struct carnet_slice purpose, int64_t now_ms)
{
    for (size_t i = 0; i < view->record_count; i++)
        if (carnet_consent_evaluate(charter, view->records[i].person, view->records[i].person_count, purpose, now_ms).live)
            return true;
    return false;
}

static unsigned rank(const struct carnet_consent *consent)
{
    enum carnet_consent_state state = consent->state;
    if (state == CARNET_CONSENT_GIVEN || state == CARNET_CONSENT_RENEWED)
        return 4;
    if (state == CARNET_CONSENT_REQUESTED)
        return 3;
    if (state == CARNET_CONSENT_EXPIRED)
        return 2;
    return consent->basis ? 1 : 0; /* of those who refused, one that had agreed tells more */
}

struct carnet_view carnet_people_consent_view(const struct carnet_charter *charter, const struct carnet_view *view, struct carnet_slice purpose, int64_t now_ms)
{
    size_t best = 0;
    unsigned best_rank = 0;
    for (size_t i = 0; view->record_count > 1 && i < view->record_count; i++) {
        struct carnet_consent consent = carnet_consent_evaluate(charter, view->records[i].person, view->records[i].person_count, purpose, now_ms);
        if (rank(&consent) > best_rank) {
            best = i;
            best_rank = rank(&consent);
        }
    }
    return carnet_view_one(view, best);
}

bool carnet_people_granted(const struct carnet_record *record, struct carnet_slice purpose)
{
    for (size_t i = 0; i < record->event_count; i++) {
        struct carnet_event event;
        if (carnet_event_peek(record->events[i].raw) == CARNET_EVENT_GRANT && carnet_event_decode(record->events[i].raw, &event) == CARNET_OK &&
            carnet_slice_equal(event.purpose, purpose))
            return true;
    }
    return false;
}
