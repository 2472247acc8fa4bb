// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"
#include "match.h"

#include "carnet/people/query.h"
#include "carnet/people/segment.h"
#include "carnet/replica/audit.h"

#include <stdlib.h>
#include <string.h>

enum {
    SORT_MAX = 20000,       /* more are given in the order of their arrival */
    SORT_TYPED_MAX = 4000,  /* with a limit, while somebody types: some milliseconds */
    NAME_LEN_MAX = 256,     /* of what orders it */
    CHUNK = 512,
    BREATHE_EVERY = 2048
};

struct hit {
    int64_t n;
    char *key;
};

struct search {
    struct carnet_replica *replica;
    const struct carnet_find_options *options;
    struct carnet_query *query;
    struct carnet_match match;
    struct carnet_arena arena;
    bool (*each)(void *ctx, const struct carnet_view *view);
    void (*breathe)(void *ctx);
    void *ctx;
    struct carnet_err *err;
    struct hit *hits; /* while all of them can still be sorted */
    size_t hit_count, hit_cap;
    bool streaming;   /* more than can be sorted: in the order of their arrival */
    size_t given;
    size_t looked;
    bool ended;
};

static bool matches(const struct search *s, const struct carnet_view *view)
{
    return carnet_match(&s->match, view);
}

static void give(struct search *s, const struct carnet_view *view)
{
    s->given++;
    if (!s->each(s->ctx, view) || (s->options->limit && s->given >= s->options->limit))
        s->ended = true;
}

/* Gives the kept ones in order of name (streaming: of arrival), and forgets them. */
static int by_key(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

static carnet_rc rest(struct search *s)
{
    struct carnet_store_counts counts;
    if (++s->looked % BREATHE_EVERY)
        return CARNET_OK;
    if (s->breathe)
        s->breathe(s->ctx);
    if (!s->options->progress)
        return CARNET_OK;
    carnet_rc rc = carnet_store_count(carnet_replica_store(s->replica), &counts, s->err);
    if (!rc && !s->options->progress(s->ctx, s->looked, (uint64_t)counts.records))
        rc = carnet_err_set(s->err, CARNET_CANCELLED, "stopped");
    return rc;
}

static carnet_rc give_kept(struct search *s)
{
    carnet_rc rc = CARNET_OK;
    if (!s->streaming && s->hit_count)
        qsort(s->hits, s->hit_count, sizeof *s->hits, by_key);
    for (size_t i = 0; i < s->hit_count; i++) {
        struct carnet_view view;
        if (!rc && !s->ended) {
            carnet_arena_reset(&s->arena);
            rc = carnet_replica_view_at(s->replica, s->hits[i].n, &s->arena, &view, s->err);
            /* whoever lives between two records may have changed this one */
            if (!rc && matches(s, &view))
                give(s, &view);
            else if (rc == CARNET_NOT_FOUND)
                rc = CARNET_OK;
            if (!rc)
                rc = rest(s);
        }
        free(s->hits[i].key);
    }
    s->hit_count = 0;
    return rc;
}

static void keep(struct search *s, int64_t n, struct carnet_slice name)
{
    CARNET_GROW(s->hits, s->hit_count, s->hit_cap);
    s->hits[s->hit_count++] = (struct hit){ n, carnet_strdup_slice(name.len ? name : carnet_slice_str("\xff")) }; /* without a name: last */
}

static carnet_rc look_at(struct search *s, int64_t n)
{
    struct carnet_view view;
    carnet_arena_reset(&s->arena);
    carnet_rc rc = carnet_replica_view_at(s->replica, n, &s->arena, &view, s->err);
    if (rc)
        return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    if (view.n != n || !matches(s, &view)) /* a person is found by the main record, which has the words of all */
        return CARNET_OK;
    if (s->streaming) {
        give(s, &view);
        return CARNET_OK;
    }
    struct carnet_buf key;
    carnet_buf_init(&key, 1024);
    carnet_query_sort_key(view.cells, view.cell_count, &key);
    keep(s, n, carnet_buf_slice(&key));
    carnet_buf_deinit(&key);
    if (s->hit_count <= SORT_MAX)
        return CARNET_OK;
    s->streaming = true;
    return give_kept(s);
}

static int by_name(const struct carnet_named *a, const struct carnet_named *b, const uint8_t *names)
{
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    int order = carnet_slice_compare(carnet_slice(names + a->at, a->len), carnet_slice(names + b->at, b->len));
    return order ? order : (a->n > b->n) - (a->n < b->n);
}

static int by_name_r(const void *a, const void *b, void *names)
{
    return by_name(a, b, names);
}

/* The index has few: their names are at hand, so that only those that are given are read. */
static carnet_rc give_sorted(struct search *s, struct carnet_named *found, size_t count, const struct carnet_buf *names)
{
    carnet_rc rc = CARNET_OK;
    if (count)
        qsort_r(found, count, sizeof *found, by_name_r, names->ptr);
    for (size_t i = 0; i < count && !rc && !s->ended; i++) {
        rc = look_at(s, found[i].n);
        if (!rc)
            rc = rest(s);
    }
    return rc;
}

static carnet_rc walk_index(struct search *s, const char *match)
{
    struct carnet_store *store = carnet_replica_store(s->replica);
    size_t max = s->options->limit ? SORT_TYPED_MAX : SORT_MAX, count;
    struct carnet_named *named = carnet_alloc((max + 1) * sizeof *named);
    struct carnet_buf names;
    carnet_buf_init(&names, (max + 1) * NAME_LEN_MAX);
    carnet_rc rc = carnet_store_search_names(store, match, named, max + 1, &count, &names, s->err);
    s->streaming = true; /* in this order */
    if (!rc && count <= max) {
        rc = give_sorted(s, named, count, &names);
        s->ended = true;
    }
    for (size_t i = 0; i < count && !rc && !s->ended; i++) {
        rc = look_at(s, named[i].n);
        if (!rc)
            rc = rest(s);
    }
    int64_t after = count ? named[count - 1].n : 0, found[CHUNK];
    count = CHUNK;
    while (!rc && count == CHUNK && !s->ended) {
        rc = carnet_store_search(store, match, after, found, CHUNK, &count, s->err);
        for (size_t i = 0; i < count && !rc && !s->ended; i++) {
            rc = look_at(s, found[i]);
            if (!rc)
                rc = rest(s);
        }
        after = count ? found[count - 1] : after;
    }
    carnet_buf_deinit(&names);
    free(named);
    return rc;
}

static carnet_rc walk_all(struct search *s)
{
    struct carnet_record_row row;
    for (int64_t from = 1; !s->ended;) {
        carnet_rc rc = carnet_store_record_next(carnet_replica_store(s->replica), from, &row, s->err);
        if (rc)
            return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
        from = row.n + 1;
        if (row.kind == CARNET_KIND_CONTACT)
            rc = look_at(s, row.n);
        if (!rc)
            rc = rest(s);
        if (rc)
            return rc;
    }
    return CARNET_OK;
}

carnet_rc carnet_people_find(struct carnet_replica *replica, const struct carnet_find_options *options, bool (*each)(void *ctx, const struct carnet_view *view),
                             void (*breathe)(void *ctx), void *ctx, struct carnet_err *err)
{
    struct search s = { .replica = replica, .options = options, .each = each, .breathe = breathe, .ctx = ctx, .err = err };
    struct carnet_buf match;
    carnet_rc rc = carnet_segment_parse(replica, options->book, options->query, &s.query, err);
    if (rc)
        return rc;
    s.match = carnet_match_of(replica, s.query, options->book);
    carnet_arena_init(&s.arena);
    carnet_buf_init(&match, CARNET_MATCH_LEN_MAX);
    /* With nothing to search for, a short list is the first ones that there are. */
    s.streaming = carnet_query_is_all(s.query) && options->limit;
    rc = carnet_query_fts(s.query, &match) ? walk_index(&s, carnet_buf_cstr(&match)) : walk_all(&s);
    if (!rc && !s.streaming)
        rc = give_kept(&s);
    if (!rc)
        carnet_audit_search(replica, s.given);
    for (size_t i = 0; i < s.hit_count; i++)
        free(s.hits[i].key);
    free(s.hits);
    carnet_buf_deinit(&match);
    carnet_arena_deinit(&s.arena);
    carnet_query_free(s.query);
    return rc;
}
