// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

#include <stdio.h>
#include <string.h>

carnet_rc carnet_people_conflicts(struct carnet_replica *replica, bool (*each)(void *ctx, const struct carnet_people_conflict *conflict), void *ctx,
                                  struct carnet_err *err)
{
    struct carnet_arena arena;
    struct carnet_record_row row;
    carnet_rc rc = CARNET_OK;
    carnet_arena_init(&arena);
    for (int64_t from = 1;; from = row.n + 1) {
        struct carnet_view view;
        carnet_arena_reset(&arena);
        rc = carnet_store_record_conflicting(carnet_replica_store(replica), from, &row, err);
        if (rc)
            break;
        int64_t n = row.n;
        rc = carnet_replica_view_at(replica, n, &arena, &view, err);
        row.n = n;
        if (rc == CARNET_NOT_FOUND)
            continue;
        if (rc)
            break;
        bool go_on = true;
        for (size_t i = 0; i < view.cell_count && go_on; i++) {
            const struct carnet_people_conflict conflict = { .view = &view, .cell = &view.cells[i] };
            if (view.cells[i].conflict)
                go_on = each(ctx, &conflict);
        }
        if (!go_on)
            break;
    }
    carnet_arena_deinit(&arena);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

static const struct carnet_cell *conflict_at(const struct carnet_view *view, uint32_t field, struct carnet_slice label)
{
    for (size_t i = 0; i < view->cell_count; i++)
        if (view->cells[i].field == field && carnet_slice_equal(view->cells[i].label, label))
            return view->cells[i].conflict ? &view->cells[i] : NULL;
    return NULL;
}

/* Siblings of one value count once: the numbers are those of the values as `conflicts` shows them. */
static size_t values_of(const struct carnet_cell *cell, struct carnet_slice *out, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < cell->count; i++) {
        bool known = false;
        for (size_t j = 0; j < count && !known; j++)
            known = carnet_slice_equal(out[j], cell->siblings[i]->value);
        if (!known && count < max)
            out[count++] = cell->siblings[i]->value;
    }
    return count;
}

/* The first label of the form "LABEL N" that the contact does not have; a long one is cut between two characters. */
enum { LABEL_KEPT = 56 };
static struct carnet_slice free_label(const struct carnet_view *view, const struct carnet_cell *cell, size_t *number, struct carnet_arena *arena)
{
    size_t len = cell->label.len > LABEL_KEPT ? LABEL_KEPT : cell->label.len;
    while (len < cell->label.len && len && (cell->label.ptr[len] & 0xc0) == 0x80)
        len--;
    for (;; (*number)++) {
        char text[CARNET_LABEL_LEN_MAX + 24];
        if (cell->label.len)
            snprintf(text, sizeof text, "%.*s %zu", (int)len, (const char *)cell->label.ptr, *number);
        else
            snprintf(text, sizeof text, "%zu", *number);
        struct carnet_slice label = carnet_slice_str(text);
        bool taken = false;
        for (size_t i = 0; i < view->cell_count && !taken; i++)
            taken = view->cells[i].field == cell->field && carnet_slice_equal(view->cells[i].label, label);
        if (!taken) {
            (*number)++;
            return carnet_arena_dup(arena, label);
        }
    }
}

/* The record that a value of the cell is in. */
static size_t holder_of(const struct carnet_view *view, const struct carnet_cell *cell, struct carnet_slice value)
{
    for (size_t i = 0; i < cell->count; i++)
        if (carnet_slice_equal(cell->siblings[i]->value, value))
            return carnet_view_holder(view, cell->siblings[i]);
    return 0;
}

/* Does this record have a value in the cell that is not this one? */
static bool says_other(const struct carnet_view *view, const struct carnet_cell *cell, size_t who, struct carnet_slice value)
{
    for (size_t i = 0; i < cell->count; i++)
        if (!carnet_slice_equal(cell->siblings[i]->value, value) && carnet_view_holder(view, cell->siblings[i]) == who)
            return true;
    return false;
}

carnet_rc carnet_people_resolve(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice field, enum carnet_resolve how,
                                struct carnet_slice value, size_t keep, struct carnet_err *err)
{
    enum { VALUES_MAX = 64 };
    struct carnet_arena arena;
    const struct carnet_field_def *def;
    struct carnet_slice label, values[VALUES_MAX];
    struct carnet_write_cell *cells = NULL;
    struct carnet_spread spread;
    int shown = (int)(field.len > 80 ? 80 : field.len);
    carnet_rc rc = carnet_field_parse(carnet_replica_charter(replica), field, &def, &label);
    if (rc)
        return carnet_err_set(err, CARNET_USAGE, "there is no field \"%.*s\"", shown, (const char *)field.ptr);
    const struct carnet_cell *cell = conflict_at(view, def->field, label);
    if (!cell) {
        carnet_err_set(err, CARNET_NOT_FOUND, "the field \"%.*s\" of this contact is in no conflict", shown, (const char *)field.ptr);
        carnet_err_hint(err, "`carnet conflicts` lists them");
        return CARNET_NOT_FOUND;
    }
    size_t count = values_of(cell, values, VALUES_MAX);
    carnet_arena_init(&arena);
    switch (how) {
    case CARNET_RESOLVE_VALUE: {
        const struct carnet_assign assign = { field, value };
        rc = carnet_people_cells(carnet_replica_charter(replica), &assign, 1, &arena, &cells, err);
        break;
    }
    case CARNET_RESOLVE_KEEP:
        if (keep < 1 || keep > count) {
            rc = carnet_err_set(err, CARNET_USAGE, "--keep %zu: there are %zu values, numbered from 1", keep, count);
            break;
        }
        cells = carnet_arena_alloc(&arena, sizeof *cells);
        cells[0] = (struct carnet_write_cell){ .field = def->field, .label = label, .value = values[keep - 1] };
        break;
    case CARNET_RESOLVE_KEEP_ALL: {
        size_t number = 2;
        carnet_spread_init(&spread, view, count + 1, &arena);
        for (size_t i = 0, kept = 0; i < count; i++)
            if (values[i].len) { /* each stays in its own record, under another label */
                struct carnet_slice name = kept++ ? free_label(view, cell, &number, &arena) : label;
                const struct carnet_write_cell one = { .field = def->field, .label = name, .value = values[i] };
                carnet_spread_add(&spread, holder_of(view, cell, values[i]), &one);
            }
        for (size_t who = 0; who < view->record_count; who++)
            if (spread.count && who != spread.who[0] && says_other(view, cell, who, spread.cells[0].value))
                carnet_spread_add(&spread, who, &(struct carnet_write_cell){ .field = def->field, .label = label });
        break;
    }
    }
    if (!rc && how == CARNET_RESOLVE_VALUE)
        rc = carnet_people_addresses_check(replica, cells, 1, NULL, 0, err);
    if (!rc && how != CARNET_RESOLVE_KEEP_ALL) {
        carnet_spread_init(&spread, view, 1, &arena);
        carnet_people_spread(carnet_replica_charter(replica), &spread, &cells[0]);
    }
    if (!rc)
        rc = carnet_spread_write(replica, &spread, false, NULL, err);
    carnet_arena_deinit(&arena);
    return rc;
}

void carnet_people_by(struct carnet_replica *replica, const struct carnet_dot *dot, struct carnet_buf *out)
{
    const struct carnet_cert *cert = carnet_authority_author(carnet_replica_authority(replica), dot->author);
    struct carnet_member member;
    struct carnet_err ignored = CARNET_ERR_INIT;
    if (cert && carnet_replica_member(replica, &cert->node, &member, &ignored) == CARNET_OK)
        carnet_buf_append_str(out, member.member[0] ? member.member : member.node);
    else if (cert)
        carnet_buf_append_str(out, carnet_id_text(&cert->node).s);
    else
        carnet_buf_append_str(out, "?");
}
