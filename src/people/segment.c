// SPDX-License-Identifier: EUPL-1.2
#include "carnet/people/segment.h"

#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_PURPOSE "purpose" /* of the name's cell that holds the purpose */
enum { RECORDS_MAX = 64 /* of one name: whoever wrote more of them meant harm */ };

/* --- reading --- */

static struct carnet_slice newest(const struct carnet_view *view, uint32_t field, const char *label)
{
    for (size_t i = 0; i < view->cell_count; i++)
        if (view->cells[i].field == field && carnet_slice_equal(view->cells[i].label, carnet_slice_str(label)))
            return view->cells[i].siblings[0]->value;
    return CARNET_SLICE_NONE;
}

/* The form in which names are compared. */
static struct carnet_slice key_of(struct carnet_slice name, struct carnet_arena *arena)
{
    uint8_t array[256];
    struct carnet_query_text text;
    carnet_query_text_init(&text, array, sizeof array);
    carnet_query_put_joined(&text, name);
    struct carnet_slice key = carnet_arena_dup(arena, carnet_query_text_slice(&text));
    carnet_query_text_deinit(&text);
    return key;
}

struct item {
    struct carnet_segment segment;
    struct carnet_slice key;
};
struct items {
    struct item *at;
    size_t count, cap;
};

/* One item for each query that stands in the record. */
static void add_items(struct items *items, const struct carnet_view *view, struct carnet_arena *arena)
{
    struct carnet_slice name = newest(view, CARNET_FIELD_NAME, ""), purpose = newest(view, CARNET_FIELD_NAME, LABEL_PURPOSE);
    size_t first = items->count;
    bool conflict = false;
    for (size_t i = 0; i < view->cell_count; i++)
        conflict = conflict || (view->cells[i].field == CARNET_FIELD_NAME && carnet_slice_equal(view->cells[i].label, carnet_slice_str(LABEL_PURPOSE)) && view->cells[i].conflict);
    if (!name.len)
        return;
    struct carnet_slice key = key_of(name, arena);
    for (size_t i = 0; i < view->cell_count; i++) {
        const struct carnet_cell *cell = &view->cells[i];
        for (size_t j = 0; cell->field == CARNET_FIELD_QUERY && !cell->label.len && j < cell->count; j++) {
            const struct carnet_sibling *s = cell->siblings[j];
            bool there = !s->value.len; /* emptied by one, saved by another: what was saved stays */
            for (size_t k = first; k < items->count && !there; k++)
                there = carnet_slice_equal(items->at[k].segment.query, s->value);
            if (there)
                continue;
            CARNET_GROW(items->at, items->count, items->cap);
            items->at[items->count++] = (struct item){
                { .book = view->book, .id = view->id, .name = name, .query = s->value, .purpose = purpose, .dot = s->dot, .at_ms = carnet_hlc_ms(s->hlc),
                  .conflict = conflict }, key
            };
        }
    }
}

static int by_name(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = carnet_slice_compare(x->key, y->key);
    order = order ? order : carnet_id_compare(&x->segment.book, &y->segment.book);
    order = order ? order : (x->segment.at_ms > y->segment.at_ms) - (x->segment.at_ms < y->segment.at_ms);
    return order ? order : carnet_id_compare(&x->segment.id, &y->segment.id);
}

static bool same_name(const struct item *a, const struct item *b)
{
    return carnet_slice_equal(a->key, b->key) && carnet_id_equal(&a->segment.book, &b->segment.book);
}

static bool same_say(const struct item *a, const struct item *b)
{
    return carnet_slice_equal(a->segment.query, b->segment.query) && carnet_slice_equal(a->segment.purpose, b->segment.purpose);
}

/* Sorted; of one name those that say the same once, the others marked. */
static void settle(struct items *items)
{
    size_t kept = 0;
    if (items->count)
        qsort(items->at, items->count, sizeof *items->at, by_name);
    for (size_t i = 0; i < items->count; i++) {
        bool again = false;
        for (size_t j = kept; j-- > 0 && same_name(&items->at[j], &items->at[i]);)
            again = again || same_say(&items->at[j], &items->at[i]);
        if (!again)
            items->at[kept++] = items->at[i];
    }
    items->count = kept;
    for (size_t i = 1; i < kept; i++)
        if (same_name(&items->at[i - 1], &items->at[i]))
            items->at[i - 1].segment.conflict = items->at[i].segment.conflict = true;
}

/* Calls each for the segments' records that this node reads. */
static carnet_rc walk(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_arena *arena, void (*each)(void *ctx, const struct carnet_view *view),
                      void *ctx, struct carnet_err *err)
{
    struct carnet_record_row row;
    carnet_rc rc;
    size_t count = 0;
    for (int64_t from = 1; (rc = carnet_store_record_kind(carnet_replica_store(replica), CARNET_KIND_SEGMENT, from, &row, err)) == CARNET_OK; from = row.n + 1) {
        struct carnet_view view;
        if (book && !carnet_id_equal(book, &row.book))
            continue;
        if (count++ == CARNET_SEGMENTS_MAX)
            return carnet_err_set(err, CARNET_LIMIT, "there are more than %d segments", CARNET_SEGMENTS_MAX);
        rc = carnet_replica_view_at(replica, row.n, arena, &view, err);
        if (!rc)
            each(ctx, &view);
        else if (rc != CARNET_NOT_FOUND)
            return rc;
    }
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

struct listing {
    struct items items;
    struct carnet_arena *arena;
};

static void list_one(void *ctx, const struct carnet_view *view)
{
    struct listing *l = ctx;
    add_items(&l->items, view, l->arena);
}

static carnet_rc list(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_arena *arena, struct items *out, struct carnet_err *err)
{
    struct listing l = { .arena = arena };
    carnet_rc rc = walk(replica, book, arena, list_one, &l, err);
    settle(&l.items);
    *out = l.items;
    return rc;
}

carnet_rc carnet_segments(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_arena *arena, struct carnet_segment **out, size_t *count,
                          struct carnet_err *err)
{
    struct items items;
    carnet_rc rc = list(replica, book, arena, &items, err);
    *count = items.count;
    *out = carnet_arena_alloc(arena, (items.count + 1) * sizeof **out);
    for (size_t i = 0; i < items.count; i++)
        (*out)[i] = items.at[i].segment;
    free(items.at);
    return rc;
}

#define SHOWN(text) (int)((text).len < 60 ? (text).len : 60), (text).len ? (const char *)(text).ptr : ""

carnet_rc carnet_segment_find(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_slice name, struct carnet_arena *arena,
                              struct carnet_segment *out, struct carnet_err *err)
{
    struct items items;
    struct carnet_slice key = key_of(name, arena);
    const struct item *found = NULL;
    carnet_rc rc = list(replica, book, arena, &items, err);
    bool books = false;
    for (size_t i = 0; i < items.count && !rc; i++) {
        if (!carnet_slice_equal(items.at[i].key, key))
            continue;
        books = books || (found && !same_name(found, &items.at[i]));
        found = &items.at[i];
    }
    if (!rc && !found) {
        rc = carnet_err_set(err, CARNET_NOT_FOUND, "there is no segment %.*s", SHOWN(name));
        carnet_err_hint(err, "`carnet segment list` lists them");
    } else if (!rc && books) {
        rc = carnet_err_set(err, CARNET_AMBIGUOUS, "several books have a segment %.*s", SHOWN(name));
        carnet_err_hint(err, "say which with --book");
    } else if (!rc && found->segment.conflict) {
        rc = carnet_err_set(err, CARNET_CONFLICT, "the segment %.*s was saved twice, apart, with different queries", SHOWN(name));
        carnet_err_hint(err, "`carnet segment list` shows both; save the right one again");
    }
    if (!rc)
        *out = found->segment;
    free(items.at);
    return rc;
}

/* --- in queries --- */

struct lookup {
    struct carnet_replica *replica;
    const struct carnet_id *book;
    struct carnet_arena arena;
};

static carnet_rc look_up(void *ctx, struct carnet_slice name, struct carnet_slice *query, struct carnet_err *err)
{
    struct lookup *l = ctx;
    struct carnet_segment segment;
    carnet_arena_reset(&l->arena);
    carnet_rc rc = carnet_segment_find(l->replica, l->book, name, &l->arena, &segment, err);
    if (!rc)
        *query = segment.query;
    return rc;
}

static carnet_rc parse_named(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_slice name, struct carnet_slice text, struct carnet_query **out,
                             struct carnet_err *err)
{
    struct lookup l = { .replica = replica, .book = book };
    const struct carnet_query_context context = { .charter = carnet_replica_charter(replica), .segment = look_up, .ctx = &l, .name = name };
    carnet_arena_init(&l.arena);
    carnet_rc rc = carnet_query_parse_in(&context, text, out, err);
    carnet_arena_deinit(&l.arena);
    return rc;
}

carnet_rc carnet_segment_parse(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_slice text, struct carnet_query **out, struct carnet_err *err)
{
    return parse_named(replica, book, CARNET_SLICE_NONE, text, out, err);
}

/* --- saving --- */

/* The records that bear a name, and whether they bear a purpose. */
struct bearers {
    struct carnet_arena *arena;
    struct carnet_slice key;
    struct carnet_id ids[RECORDS_MAX];
    size_t count;
};

static void find_bearer(void *ctx, const struct carnet_view *view)
{
    struct bearers *b = ctx;
    struct carnet_slice name = newest(view, CARNET_FIELD_NAME, "");
    if (name.len && b->count < RECORDS_MAX && carnet_slice_equal(key_of(name, b->arena), b->key))
        b->ids[b->count++] = view->id;
}

static int compare_ids(const void *a, const void *b)
{
    return carnet_id_compare(a, b);
}

static carnet_rc check_name(struct carnet_slice name, struct carnet_arena *arena, struct carnet_err *err)
{
    carnet_rc rc = carnet_replica_name_check(name, err);
    if (!rc && (!key_of(name, arena).len || memchr(name.ptr, '"', name.len)))
        rc = carnet_err_set(err, CARNET_USAGE, "a segment's name has letters or digits, and no quotation mark");
    return rc;
}

carnet_rc carnet_segment_save(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_slice name, struct carnet_slice query, struct carnet_slice purpose,
                              struct carnet_id *out, struct carnet_err *err)
{
    const struct carnet_charter *charter = carnet_replica_charter(replica);
    const struct carnet_purpose_def *def;
    struct carnet_arena arena;
    struct carnet_query *parsed = NULL;
    carnet_arena_init(&arena);
    carnet_rc rc = check_name(name, &arena, err);
    if (!rc && purpose.len)
        rc = carnet_people_purpose(charter, purpose, &def, err);
    if (!rc && purpose.len && def->retired)
        rc = carnet_err_set(err, CARNET_REFUSED, "the purpose \"%s\" is retired: nobody can agree to it any more", def->name);
    if (!rc)
        rc = parse_named(replica, book, name, query, &parsed, err);
    if (!rc)
        rc = carnet_segment_check(charter, parsed, purpose, err);
    carnet_query_free(parsed);

    struct bearers bearers = { .arena = &arena, .key = key_of(name, &arena) };
    if (!rc)
        rc = walk(replica, book, &arena, find_bearer, &bearers, err);
    if (bearers.count)
        qsort(bearers.ids, bearers.count, sizeof *bearers.ids, compare_ids);
    const struct carnet_write_cell cells[] = { { .field = CARNET_FIELD_NAME, .value = name },
                                               { .field = CARNET_FIELD_NAME, .label = carnet_slice_str(LABEL_PURPOSE), .value = purpose },
                                               { .field = CARNET_FIELD_QUERY, .value = query.len ? query : carnet_slice_str(" ") } };
    const struct carnet_write_cell emptied[] = { { .field = CARNET_FIELD_NAME },
                                                 { .field = CARNET_FIELD_NAME, .label = carnet_slice_str(LABEL_PURPOSE) },
                                                 { .field = CARNET_FIELD_QUERY } };
    bool fresh = bearers.count == 0;
    if (fresh)
        bearers.ids[bearers.count++] = carnet_replica_new_id(replica);
    struct carnet_write writes[RECORDS_MAX];
    for (size_t i = 0; i < bearers.count; i++) /* the oldest stays */
        writes[i] = (struct carnet_write){ .book = *book, .record = bearers.ids[i], .kind = CARNET_KIND_SEGMENT, .cells = i ? emptied : cells, .cell_count = 3, .fresh = fresh };
    if (!rc)
        rc = carnet_replica_write(replica, writes, bearers.count, false, NULL, err);
    *out = bearers.ids[0];
    carnet_arena_deinit(&arena);
    return rc;
}
