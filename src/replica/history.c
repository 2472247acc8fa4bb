// SPDX-License-Identifier: EUPL-1.2
/* What happened to one record, read again from the entries that touch it. */
#include "upkeep.h"

#include <stdlib.h>
#include <string.h>

struct step { /* one cell or event */
    struct carnet_dot dot;
    uint64_t hlc;
    enum carnet_scope scope;
    bool is_event, known, voided;
    unsigned who; /* of the view's records */
    uint32_t field;
    struct carnet_slice label, value;
    struct carnet_slice raw;             /* of an event */
    const struct carnet_dot *replaces;   /* of a cell */
    size_t replace_count;
};
struct history {
    struct carnet_replica *replica;
    const struct carnet_view *view;
    struct carnet_arena *arena;
    struct step *steps;
    size_t count, cap;
    uint64_t author; /* whose name was asked for last */
    char by[CARNET_NAME_LEN_MAX + 1];
};

static int compare_steps(const void *left, const void *right)
{
    const struct step *a = left, *b = right;
    return a->hlc != b->hlc ? (a->hlc < b->hlc ? -1 : 1) : carnet_dot_compare(&a->dot, &b->dot);
}

static int compare_step_dots(const void *left, const void *right)
{
    const struct step *const *a = left, *const *b = right;
    return carnet_dot_compare(&(*a)->dot, &(*b)->dot);
}

static const struct carnet_sibling *find_sibling(const struct carnet_record *delta, const struct carnet_dot *dot)
{
    for (size_t i = 0; i < delta->live_count; i++)
        if (carnet_dot_equal(&delta->live[i].dot, dot))
            return &delta->live[i];
    return NULL;
}

static void add_cells(struct history *history, unsigned who, const struct carnet_entry *entry, size_t change, const struct carnet_part *part, const struct carnet_record *delta,
                      bool voided)
{
    struct carnet_reader r;
    carnet_reader_init(&r, part->contexts);
    size_t cells = carnet_reader_array(&r);
    for (size_t i = 0; i < cells; i++) {
        struct step step = { .dot = carnet_entry_cell_dot(entry, change, part, i), .hlc = entry->header.hlc, .scope = part->scope, .voided = voided, .who = who };
        const struct carnet_sibling *sibling = find_sibling(delta, &step.dot);
        step.replace_count = carnet_reader_array(&r);
        struct carnet_dot *dots = carnet_arena_alloc(history->arena, (step.replace_count + 1) * sizeof *dots);
        for (size_t j = 0; j < step.replace_count; j++)
            dots[j] = carnet_dot_read(&r);
        step.replaces = dots;
        if (sibling && sibling->state == CARNET_SIBLING_VALUE) {
            step.known = true;
            step.field = sibling->field;
            step.label = carnet_arena_dup(history->arena, sibling->label);
            step.value = carnet_arena_dup(history->arena, sibling->value);
        }
        CARNET_GROW(history->steps, history->count, history->cap);
        history->steps[history->count++] = step;
    }
}

static carnet_rc add_change(struct history *history, unsigned who, const struct carnet_touch *touch, const struct carnet_record *seeds, struct carnet_arena *scratch,
                            struct carnet_err *err)
{
    struct carnet_replica *replica = history->replica;
    struct carnet_entry_row row;
    struct carnet_entry entry;
    struct carnet_record delta;
    carnet_rc rc = carnet_store_entry_get(replica->store, touch->entry_n, &row, err);
    if (rc != CARNET_OK)
        return rc;
    bool voided = row.flags & CARNET_ENTRY_VOID;
    carnet_arena_reset(scratch);
    if (carnet_entry_decode(carnet_arena_dup(scratch, row.bytes), scratch, &entry) != CARNET_OK || touch->change >= entry.change_count)
        return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "an entry");
    const struct carnet_change *change = &entry.changes[touch->change];
    const struct carnet_record *record = history->view->records[who].record;
    if (!carnet_id_equal(&change->record, &record->id))
        return rc; /* about it, in a record that is said to be about another */
    carnet_record_init(&delta);
    carnet_apply_delta(replica, &entry, touch->change, carnet_id_equal(&change->subject, &record->subject) ? seeds : NULL, false, scratch, &delta);
    for (size_t i = 0; i < change->part_count; i++)
        if (change->parts[i].cell_count)
            add_cells(history, who, &entry, touch->change, &change->parts[i], &delta, voided);
    for (size_t i = 0; i < change->event_count; i++) {
        const struct step step = { .dot = carnet_entry_dot(&entry, touch->change, (unsigned)i),
                                   .hlc = entry.header.hlc,
                                   .is_event = true,
                                   .voided = voided,
                                   .who = who,
                                   .raw = carnet_arena_dup(history->arena, change->events[i]) };
        CARNET_GROW(history->steps, history->count, history->cap);
        history->steps[history->count++] = step;
    }
    carnet_record_deinit(&delta);
    return rc;
}

static struct step *find_step(struct step **by_dot, size_t count, const struct carnet_dot *dot)
{
    const struct step key = { .dot = *dot }, *pointer = &key;
    struct step **found = count ? bsearch(&pointer, by_dot, count, sizeof *by_dot, compare_step_dots) : NULL;
    return found ? *found : NULL;
}

/* A value whose part is gone still shows what it was of, when a later one that is known took its place. */
static void name_lost(struct history *history, struct step **by_dot)
{
    for (size_t i = history->count; i-- > 0;) {
        const struct step *step = &history->steps[i];
        for (size_t j = 0; step->field && j < step->replace_count; j++) {
            struct step *lost = find_step(by_dot, history->count, &step->replaces[j]);
            if (lost && !lost->is_event && lost->field == CARNET_FIELD_NONE) {
                lost->field = step->field;
                lost->label = step->label;
            }
        }
    }
}

static bool is_readable(const struct history *history, const struct step *step)
{
    if (!step->known || step->scope == CARNET_SCOPE_CLEAR)
        return step->known;
    const struct carnet_view one = carnet_view_one(history->view, step->who);
    return carnet_replica_allowed(history->replica, &one, CARNET_SLICE_NONE, step->scope, NULL) == CARNET_OK;
}

/* The newest of the values that the step took the place of. */
static struct carnet_slice old_value(const struct history *history, struct step **by_dot, const struct step *step)
{
    const struct step *newest = NULL;
    for (size_t i = 0; i < step->replace_count; i++) {
        const struct step *old = find_step(by_dot, history->count, &step->replaces[i]);
        if (old && !old->is_event && is_readable(history, old) && (!newest || compare_steps(newest, old) < 0))
            newest = old;
    }
    return newest ? newest->value : CARNET_SLICE_NONE;
}

static bool give(struct history *history, struct step **by_dot, const struct step *step, bool (*each)(void *ctx, const struct carnet_history_item *item),
                 void *ctx)
{
    struct carnet_event event;
    struct carnet_history_item item = { .at_ms = carnet_hlc_ms(step->hlc), .hlc = step->hlc, .dot = step->dot, .voided = step->voided };
    if (history->author != step->dot.author || !history->by[0])
        carnet_members_name(history->replica, step->dot.author, history->by);
    history->author = step->dot.author;
    memcpy(item.by, history->by, sizeof item.by);
    if (step->is_event) {
        if (carnet_event_decode(step->raw, &event) != CARNET_OK)
            return true; /* of a newer version: it blocks the record, this one cannot say more */
        item.event = &event;
        return each(ctx, &item);
    }
    item.field = step->field;
    item.label = step->label;
    item.gone = !is_readable(history, step);
    if (!item.gone)
        item.value = step->value;
    item.old = old_value(history, by_dot, step);
    return each(ctx, &item);
}

carnet_rc carnet_replica_history(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_arena *arena,
                                 bool (*each)(void *ctx, const struct carnet_history_item *item), void *ctx, struct carnet_err *err)
{
    struct history history = { .replica = replica, .view = view, .arena = arena };
    struct carnet_loaded subject;
    struct carnet_arena scratch;
    struct carnet_touch *touches;
    size_t touch_count;
    const struct carnet_record *seeds = NULL;
    carnet_loaded_init(&subject);
    carnet_arena_init(&scratch);
    carnet_rc rc = CARNET_OK;
    for (unsigned who = 0; rc == CARNET_OK && who < view->record_count; who++) {
        const struct carnet_view_record *record = &view->records[who];
        rc = carnet_rows_touches(replica, record->n, arena, &touches, &touch_count, err);
        seeds = NULL;
        if (rc == CARNET_OK && !carnet_id_is_zero(&record->record->subject)) {
            rc = carnet_rows_get(replica, &view->book, &record->record->subject, &subject, err);
            seeds = rc == CARNET_OK ? &subject.record : NULL;
            rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
        }
        for (size_t i = 0; rc == CARNET_OK && i < touch_count; i++)
            rc = add_change(&history, who, &touches[i], seeds, &scratch, err);
    }
    if (rc == CARNET_OK && history.count) {
        qsort(history.steps, history.count, sizeof *history.steps, compare_steps);
        struct step **by_dot = carnet_arena_alloc(arena, history.count * sizeof *by_dot);
        for (size_t i = 0; i < history.count; i++)
            by_dot[i] = &history.steps[i];
        qsort(by_dot, history.count, sizeof *by_dot, compare_step_dots);
        name_lost(&history, by_dot);
        for (size_t i = 0; i < history.count; i++)
            if (!give(&history, by_dot, &history.steps[i], each, ctx))
                break;
    }
    free(history.steps);
    carnet_arena_deinit(&scratch);
    carnet_loaded_deinit(&subject);
    return rc;
}
