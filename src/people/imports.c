// SPDX-License-Identifier: EUPL-1.2
#include "imports.h"

#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *carnet_imported_state_name(enum carnet_imported_state state)
{
    static const char *const names[] = { "done", "interrupted", "undone", "running" };
    CARNET_ASSERT((size_t)state < sizeof names / sizeof names[0]);
    return names[state];
}

struct carnet_slice carnet_imported_get(struct carnet_slice text, const char *key)
{
    return carnet_people_evidence_line(text, key);
}

void carnet_imported_line(struct carnet_buf *out, const char *key, struct carnet_slice value)
{
    if (!value.len)
        return;
    carnet_buf_append_str(out, out->len ? "\n" : "");
    carnet_buf_append_str(out, key);
    carnet_buf_append_str(out, ": ");
    for (size_t i = 0; i < value.len; i++)
        carnet_buf_append_byte(out, value.ptr[i] < ' ' ? ' ' : value.ptr[i]);
}

void carnet_imported_number(struct carnet_buf *out, const char *key, uint64_t number)
{
    carnet_buf_printf(out, "%s%s: %llu", out->len ? "\n" : "", key, (unsigned long long)number);
}

/* --- ranges: "entries: 4:1-10,12-21 5:3-3" --- */

void carnet_ranges_put(const struct carnet_range *ranges, size_t count, struct carnet_buf *out)
{
    if (!count)
        return;
    carnet_buf_append_str(out, out->len ? "\nentries:" : "entries:");
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || ranges[i].stream != ranges[i - 1].stream)
            carnet_buf_printf(out, " %lu:", (unsigned long)ranges[i].stream);
        else
            carnet_buf_append_byte(out, ',');
        carnet_buf_printf(out, "%llu-%llu", (unsigned long long)ranges[i].from, (unsigned long long)ranges[i].to);
    }
}

/* A number of the text at *at; false: none. */
static bool number_at(struct carnet_slice text, size_t *at, uint64_t *out)
{
    size_t from = *at;
    *out = 0;
    for (; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9' && *at - from < 19; ++*at)
        *out = *out * 10 + (uint64_t)(text.ptr[*at] - '0');
    return *at > from;
}

static bool sign_at(struct carnet_slice text, size_t *at, char sign)
{
    if (*at >= text.len || text.ptr[*at] != (uint8_t)sign)
        return false;
    ++*at;
    return true;
}

static int compare_ranges(const void *left, const void *right)
{
    const struct carnet_range *a = left, *b = right;
    return a->stream != b->stream ? (a->stream < b->stream ? -1 : 1) : (a->from > b->from) - (a->from < b->from);
}

struct carnet_range *carnet_ranges_read(struct carnet_slice text, struct carnet_arena *arena, size_t *count)
{
    struct carnet_slice line = carnet_imported_get(text, "entries");
    struct carnet_range *out = carnet_arena_alloc(arena, (line.len / 4 + 1) * sizeof *out);
    uint64_t stream = 0;
    *count = 0;
    for (size_t at = 0; at < line.len;) {
        struct carnet_range range;
        size_t begin = at;
        uint64_t number;
        if (number_at(line, &at, &number) && sign_at(line, &at, ':'))
            stream = number;
        else
            at = begin;
        if (!number_at(line, &at, &range.from) || !sign_at(line, &at, '-') || !number_at(line, &at, &range.to) || stream > UINT32_MAX)
            break;
        range.stream = (uint32_t)stream;
        if (range.from && range.from <= range.to)
            out[(*count)++] = range;
        if (!sign_at(line, &at, ',') && !sign_at(line, &at, ' '))
            break;
    }
    if (*count)
        qsort(out, *count, sizeof *out, compare_ranges);
    return out;
}

bool carnet_ranges_hold(const struct carnet_range *ranges, size_t count, const struct carnet_dot *dot)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct carnet_range *r = &ranges[middle];
        if (r->stream < dot->stream || (r->stream == dot->stream && r->to < dot->seq))
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ranges[low].stream == dot->stream && ranges[low].from <= dot->seq && dot->seq <= ranges[low].to;
}

/* --- records --- */

carnet_rc carnet_imported_put(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *id, const char *label, struct carnet_slice text,
                              bool fresh, struct carnet_err *err)
{
    struct carnet_write_cell cell = { .field = CARNET_FIELD_ORIGIN, .label = carnet_slice_str(label), .value = text };
    const struct carnet_write write = { .book = *book, .record = *id, .kind = CARNET_KIND_IMPORT, .cells = &cell, .cell_count = 1, .fresh = fresh };
    return carnet_replica_write(replica, &write, 1, false, NULL, err);
}

static const struct carnet_sibling *origin_of(const struct carnet_view *view, const char *label)
{
    const struct carnet_sibling *newest = NULL;
    for (size_t i = 0; i < view->record.live_count; i++) {
        const struct carnet_sibling *s = &view->record.live[i];
        if (s->state == CARNET_SIBLING_VALUE && s->field == CARNET_FIELD_ORIGIN && carnet_slice_equal(s->label, carnet_slice_str(label)) &&
            (!newest || s->hlc > newest->hlc))
            newest = s;
    }
    return newest;
}

bool carnet_imported_of(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_imported *out)
{
    const struct carnet_sibling *text = origin_of(view, ""), *undone = origin_of(view, CARNET_IMPORTED_UNDONE_LABEL);
    if (view->record.kind != CARNET_KIND_IMPORT || !text)
        return false;
    *out = (struct carnet_imported){ .book = view->book, .id = view->id, .dot = text->dot, .at_ms = carnet_id_ms(&view->id), .text = text->value,
                                     .state = CARNET_IMPORTED_INTERRUPTED };
    if (undone)
        out->undone = undone->value;
    if (carnet_import_running(replica, &view->id))
        out->state = CARNET_IMPORTED_RUNNING;
    else if (undone && carnet_imported_get(undone->value, "finished").len)
        out->state = CARNET_IMPORTED_UNDONE;
    else if (!undone && carnet_imported_get(text->value, "finished").len)
        out->state = CARNET_IMPORTED_DONE;
    return true;
}

carnet_rc carnet_people_imports(struct carnet_replica *replica, bool (*each)(void *ctx, const struct carnet_imported *imported), void *ctx, struct carnet_err *err)
{
    struct carnet_arena arena;
    struct carnet_record_row row;
    carnet_rc rc = CARNET_OK;
    bool more = true;
    carnet_arena_init(&arena);
    for (int64_t from = 1; !rc && more; from = row.n + 1) {
        struct carnet_view view;
        struct carnet_imported imported;
        rc = carnet_store_record_kind(carnet_replica_store(replica), CARNET_KIND_IMPORT, from, &row, err);
        if (rc)
            break;
        carnet_arena_reset(&arena);
        rc = carnet_replica_view_at(replica, row.n, &arena, &view, err);
        if (!rc && carnet_imported_of(replica, &view, &imported))
            more = each(ctx, &imported);
        else if (rc == CARNET_NOT_FOUND)
            rc = CARNET_OK;
    }
    carnet_arena_deinit(&arena);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

carnet_rc carnet_people_imported(struct carnet_replica *replica, struct carnet_slice id, struct carnet_arena *arena, struct carnet_imported *out, struct carnet_err *err)
{
    struct carnet_view view;
    carnet_rc rc = carnet_replica_view_text(replica, id, arena, &view, err);
    if (!rc && !carnet_imported_of(replica, &view, out)) {
        rc = carnet_err_set(err, CARNET_NOT_FOUND, "%s is not an import", carnet_id_text(&view.id).s);
        carnet_err_hint(err, "`carnet imports` lists them");
    }
    return rc;
}
