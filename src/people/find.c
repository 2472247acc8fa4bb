// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"
#include "query_node.h"

#include "carnet/people/query.h"
#include "carnet/people/segment.h"
#include "carnet/replica/audit.h"

#include <stdlib.h>
#include <string.h>

enum { SORT_MAX = 1000, CHUNK = 512, BREATHE_EVERY = 2048, MATCH_LEN_MAX = 16 * 1024 };

struct hit {
    int64_t n;
    char *key;
};

struct search {
    struct carnet_replica *replica;
    const struct carnet_find_options *options;
    struct carnet_query *query;
    struct carnet_arena arena;
    uint32_t today;
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

struct consent_ctx {
    const struct carnet_charter *charter;
    const struct carnet_view *view;
    int64_t now_ms;
};

static bool is_live(void *ctx, struct carnet_slice purpose)
{
    const struct consent_ctx *c = ctx;
    return carnet_people_live(c->charter, c->view, purpose, c->now_ms);
}

static bool rests_on(void *ctx, enum carnet_basis basis)
{
    const struct consent_ctx *c = ctx;
    const struct carnet_purpose_def *def;
    for (size_t i = 0; (def = carnet_purpose_at(c->charter, i)); i++) {
        struct carnet_consent consent = carnet_consent_evaluate(c->charter, c->view->person, c->view->person_count, carnet_slice_str(def->name), c->now_ms);
        if (consent.live && consent.basis == basis)
            return true;
    }
    return false;
}

/* The last change of what is shown, or of what the person agreed to or refused. */
static int64_t changed_ms(const struct carnet_view *view)
{
    uint64_t hlc = 0;
    for (size_t i = 0; i < view->cell_count; i++)
        for (size_t j = 0; j < view->cells[i].count; j++)
            if (view->cells[i].siblings[j]->hlc > hlc)
                hlc = view->cells[i].siblings[j]->hlc;
    for (size_t i = 0; i < view->person_count; i++)
        for (size_t j = 0; j < view->person[i]->event_count; j++)
            if (view->person[i]->events[j].hlc > hlc)
                hlc = view->person[i]->events[j].hlc;
    return carnet_hlc_ms(hlc);
}

static bool matches(struct search *s, const struct carnet_view *view)
{
    if (view->record.kind != CARNET_KIND_CONTACT || (s->options->book && !carnet_id_equal(s->options->book, &view->book)))
        return false;
    if (carnet_query_is_all(s->query))
        return true;
    struct consent_ctx consent = { carnet_replica_charter(s->replica), view, carnet_replica_now_ms(s->replica) };
    const struct carnet_book *book = NULL;
    for (size_t i = 0; i < carnet_replica_book_count(s->replica) && !book; i++)
        if (carnet_id_equal(&carnet_replica_book_at(s->replica, i)->id, &view->book))
            book = carnet_replica_book_at(s->replica, i);
    struct carnet_query_subject subject = { .charter = consent.charter, .cells = view->cells, .count = view->cell_count, .id = view->id,
                                            .book = carnet_slice_str(book ? book->name : ""), .today = s->today,
                                            .now_ms = carnet_replica_wall_ms(s->replica), .added_ms = carnet_id_ms(&view->id), .changed_ms = changed_ms(view),
                                            .consent = is_live, .basis = rests_on, .ctx = &consent };
    return carnet_query_matches(s->query, &subject);
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
        }
        free(s->hits[i].key);
    }
    s->hit_count = 0;
    return rc;
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
    CARNET_GROW(s->hits, s->hit_count, s->hit_cap);
    /* those without a name come last */
    s->hits[s->hit_count++] = (struct hit){ n, key.len ? carnet_strdup_slice(carnet_buf_slice(&key)) : carnet_strdup_slice(carnet_slice_str("\xff")) };
    carnet_buf_deinit(&key);
    if (s->hit_count <= SORT_MAX)
        return CARNET_OK;
    s->streaming = true;
    return give_kept(s);
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

static carnet_rc walk_index(struct search *s, const char *match)
{
    int64_t found[CHUNK], after = 0;
    size_t count = CHUNK;
    while (count == CHUNK && !s->ended) {
        carnet_rc rc = carnet_store_search(carnet_replica_store(s->replica), match, after, found, CHUNK, &count, s->err);
        for (size_t i = 0; i < count && !rc && !s->ended; i++) {
            rc = look_at(s, found[i]);
            if (!rc)
                rc = rest(s);
        }
        if (rc)
            return rc;
        if (count)
            after = found[count - 1];
    }
    return CARNET_OK;
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
    struct search s = { .replica = replica, .options = options, .each = each, .breathe = breathe, .ctx = ctx, .err = err,
                        .today = carnet_query_day(carnet_replica_wall_ms(replica)) };
    struct carnet_buf match;
    carnet_rc rc = carnet_segment_parse(replica, options->book, options->query, &s.query, err);
    if (rc)
        return rc;
    carnet_arena_init(&s.arena);
    carnet_buf_init(&match, MATCH_LEN_MAX);
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
