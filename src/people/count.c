// SPDX-License-Identifier: EUPL-1.2
/* How many match: by the index and the glances alone when they decide, else by a walk whose result is kept and carried on. */
#include "match.h"

#include "carnet/people/segment.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT_MIN = 20000, CHANGED_MAX = 200000, CHUNK = 1024, MEMBERS_LEN_MAX = 15 << 20 };

struct count {
    struct carnet_replica *replica;
    struct carnet_store *store;
    struct carnet_match match;
    bool (*progress)(void *ctx, uint64_t looked, uint64_t total);
    void *ctx;
    uint64_t looked;
    struct carnet_arena arena;
    struct carnet_err *err;
};

static carnet_rc looked_at(struct count *c, uint64_t total)
{
    if (++c->looked % 2048 || !c->progress || c->progress(c->ctx, c->looked, total))
        return CARNET_OK;
    return carnet_err_set(c->err, CARNET_CANCELLED, "stopped");
}

/* Does the record, as the person's main one, match now? */
static carnet_rc is_member(struct count *c, int64_t n, bool *out)
{
    struct carnet_view view;
    carnet_arena_reset(&c->arena);
    carnet_rc rc = carnet_replica_view_at(c->replica, n, &c->arena, &view, c->err);
    *out = rc == CARNET_OK && view.n == n && carnet_match(&c->match, &view);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* --- what the index decides --- */

struct plan {
    struct carnet_buf in, out; /* expressions: whoever matches all of the first, and none of the second */
    uint64_t all, none, any;
    bool has_any, nobody;
    const struct carnet_id *book;
};

static bool put_exact(const struct query_node *node, struct carnet_buf *out);

/* (((a) AND (b)) NOT ((c) OR (d))): somebody has to be in it. */
static bool put_all(const struct query_node *node, struct carnet_buf *out)
{
    size_t in = 0, left_out = 0;
    carnet_buf_append_byte(out, '(');
    for (const struct query_node *child = node->first; child; child = child->next) {
        if (child->kind == QUERY_NOT)
            continue;
        carnet_buf_append_str(out, in++ ? " AND " : "(");
        if (!put_exact(child, out))
            return false;
    }
    carnet_buf_append_byte(out, ')');
    for (const struct query_node *child = node->first; child; child = child->next) {
        if (child->kind != QUERY_NOT)
            continue;
        carnet_buf_append_str(out, left_out++ ? " OR " : " NOT (");
        if (!put_exact(child->first, out))
            return false;
    }
    carnet_buf_append_str(out, left_out ? "))" : ")");
    return in > 0 && !out->failed;
}

/* Appends an expression that says just who matches the node. The parser bounds the depth. */
static bool put_exact(const struct query_node *node, struct carnet_buf *out)
{
    size_t count = 0;
    if (node->kind == QUERY_AND)
        return put_all(node, out);
    if (node->kind != QUERY_OR) {
        carnet_buf_append_slice(out, node->fts);
        return node->exact && !out->failed;
    }
    for (const struct query_node *child = node->first; child; child = child->next) {
        carnet_buf_append_str(out, count++ ? " OR " : "(");
        if (!put_exact(child, out))
            return false;
    }
    carnet_buf_append_byte(out, ')');
    return !out->failed;
}

static bool add_exact(const struct query_node *node, const char *joint, struct carnet_buf *out)
{
    size_t before = out->len;
    if (before)
        carnet_buf_append_str(out, joint);
    if (put_exact(node, out))
        return true;
    out->len = before;
    return false;
}

/* The bit of a purpose; false: glances do not know it. "*": every bit, when glances know all purposes. */
static bool bits_of(const struct carnet_charter *charter, struct carnet_slice purpose, uint64_t *bits)
{
    const struct carnet_purpose_def *def, *known;
    bool any = carnet_slice_equal(purpose, carnet_slice_str("*"));
    *bits = 0;
    for (size_t i = 0; (def = carnet_purpose_at(charter, i)); i++) {
        if (!any && !carnet_slice_equal(purpose, carnet_slice_str(def->name)))
            continue;
        size_t k = 0;
        while (k < CARNET_INDEX_PURPOSES_MAX && (known = carnet_purpose_at(NULL, k)) && strcmp(known->name, def->name) != 0)
            k++;
        if (k == CARNET_INDEX_PURPOSES_MAX || !known)
            return false;
        *bits |= UINT64_C(1) << k;
    }
    return *bits != 0;
}

/* One of the books, or all of them: then there is nothing to ask. */
static bool plan_book(const struct count *c, const struct query_node *node, struct plan *plan)
{
    const struct carnet_id *only = NULL;
    size_t named = 0, count = carnet_replica_book_count(c->replica);
    struct carnet_query query = { .root = NULL };
    struct query_node alone = *node;
    alone.next = NULL;
    query.root = &alone;
    for (size_t i = 0; i < count; i++) {
        const struct carnet_book *book = carnet_replica_book_at(c->replica, i);
        const struct carnet_query_subject subject = { .book = carnet_slice_str(book->name) };
        if (!carnet_query_matches(&query, &subject))
            continue;
        only = &book->id;
        named++;
    }
    plan->nobody = plan->nobody || !named;
    if (named != 1 || count == 1)
        return named == count || !named;
    plan->nobody = plan->nobody || (plan->book && !carnet_id_equal(plan->book, only));
    plan->book = only;
    return true;
}

/* One of several purposes; a plan has place for one such group. */
static bool plan_any(struct plan *plan, uint64_t bits)
{
    if (plan->has_any)
        return false;
    plan->has_any = true;
    plan->any = bits;
    return true;
}

static bool plan_one(const struct count *c, const struct query_node *node, struct plan *plan)
{
    const struct carnet_charter *charter = carnet_replica_charter(c->replica);
    uint64_t bits = 0, any = 0;
    if (node->kind == QUERY_ALL)
        return true;
    if (node->kind == QUERY_BOOK)
        return plan_book(c, node, plan);
    if (node->kind == QUERY_CONSENT) {
        if (!bits_of(charter, node->name, &bits))
            return false;
        if (carnet_slice_equal(node->name, carnet_slice_str("*")))
            return plan_any(plan, bits);
        plan->all |= bits;
        return true;
    }
    if (node->kind == QUERY_NOT && node->first->kind == QUERY_CONSENT) {
        bool known = bits_of(charter, node->first->name, &bits);
        plan->none |= bits;
        return known;
    }
    if (node->kind == QUERY_NOT)
        return add_exact(node->first, " OR ", &plan->out);
    bool consents = node->kind == QUERY_OR;
    for (const struct query_node *child = node->first; child && consents; child = child->next) {
        consents = child->kind == QUERY_CONSENT && bits_of(charter, child->name, &bits);
        any |= consents ? bits : 0;
    }
    return consents ? plan_any(plan, any) : add_exact(node, " AND ", &plan->in);
}

static bool make_plan(const struct count *c, struct plan *plan)
{
    const struct query_node *root = c->match.query->root;
    bool good = true;
    plan->book = c->match.book;
    if (root->kind != QUERY_AND)
        return plan_one(c, root, plan);
    for (const struct query_node *child = root->first; child && good; child = child->next)
        good = plan_one(c, child, plan);
    return good;
}

/* Those that an expression and the glances decide. */
static carnet_rc count_decided(struct count *c, const struct plan *plan, const char *match, int64_t now_ms, int64_t *out)
{
    const struct carnet_glance_query query = { .match = match, .all = plan->all, .none = plan->none, .any = plan->any, .book = plan->book, .now_ms = now_ms };
    if (!match || plan->all || plan->none || plan->has_any || plan->book)
        return carnet_store_glance_count(c->store, &query, out, c->err);

    /* The index alone, without a look at each; then without those that it does not decide. */
    int64_t doubtful[CHUNK], all = 0;
    size_t count;
    carnet_rc rc = carnet_store_glance_doubtful(c->store, now_ms, 0, doubtful, CHUNK, &count, c->err);
    if (rc || count == CHUNK)
        return rc ? rc : carnet_store_glance_count(c->store, &query, out, c->err);
    rc = carnet_store_search_count(c->store, match, &all, c->err);
    for (size_t i = 0; i < count && !rc; i++) {
        bool has;
        rc = carnet_store_search_has(c->store, match, doubtful[i], &has, c->err);
        all -= has;
    }
    *out = all;
    return rc;
}

static carnet_rc count_doubtful(struct count *c, int64_t now_ms, uint64_t *out)
{
    int64_t doubtful[CHUNK], after = 0;
    size_t count = CHUNK;
    carnet_rc rc = CARNET_OK;
    while (!rc && count == CHUNK) {
        rc = carnet_store_glance_doubtful(c->store, now_ms, after, doubtful, CHUNK, &count, c->err);
        for (size_t i = 0; i < count && !rc; i++) {
            bool member;
            rc = is_member(c, doubtful[i], &member);
            *out += member;
            if (!rc)
                rc = looked_at(c, count);
        }
        after = count ? doubtful[count - 1] : after;
    }
    return rc;
}

/* *done: the index decided. */
static carnet_rc count_indexed(struct count *c, bool *done, uint64_t *out)
{
    struct plan plan = { .all = 0 };
    int64_t in = 0, left_out = 0, now_ms = carnet_replica_now_ms(c->replica);
    carnet_rc rc = CARNET_OK;
    carnet_buf_init(&plan.in, CARNET_MATCH_LEN_MAX);
    carnet_buf_init(&plan.out, CARNET_MATCH_LEN_MAX);
    *out = 0;
    *done = make_plan(c, &plan);
    if (*done && !plan.nobody) {
        rc = count_decided(c, &plan, plan.in.len ? carnet_buf_cstr(&plan.in) : NULL, now_ms, &in);
        if (!rc && plan.out.len) {
            struct carnet_buf both;
            carnet_buf_init(&both, 2 * CARNET_MATCH_LEN_MAX);
            if (plan.in.len)
                carnet_buf_printf(&both, "(%s) AND ", carnet_buf_cstr(&plan.in));
            carnet_buf_printf(&both, "(%s)", carnet_buf_cstr(&plan.out));
            rc = both.failed ? CARNET_LIMIT : count_decided(c, &plan, carnet_buf_cstr(&both), now_ms, &left_out);
            carnet_buf_deinit(&both);
        }
        *out = (uint64_t)(in - left_out);
        if (!rc)
            rc = count_doubtful(c, now_ms, out);
    }
    if (rc == CARNET_LIMIT && !carnet_store_in_transaction(c->store)) { /* it takes too long: walk */
        *done = false;
        rc = CARNET_OK;
    }
    carnet_buf_deinit(&plan.in);
    carnet_buf_deinit(&plan.out);
    return rc;
}

/* --- a walk, kept --- */

struct members {
    int64_t *at;
    size_t count, cap;
};

static void add_member(struct members *members, int64_t n)
{
    CARNET_GROW(members->at, members->count, members->cap);
    members->at[members->count++] = n;
}

static int compare_numbers(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void sort(struct members *members)
{
    if (members->count)
        qsort(members->at, members->count, sizeof *members->at, compare_numbers);
}

static void pack(const struct members *members, struct carnet_buf *out)
{
    int64_t last = 0;
    for (size_t i = 0; i < members->count; i++) {
        uint64_t apart = (uint64_t)(members->at[i] - last);
        for (; apart >= 0x80; apart >>= 7)
            carnet_buf_append_byte(out, (uint8_t)(apart | 0x80));
        carnet_buf_append_byte(out, (uint8_t)apart);
        last = members->at[i];
    }
}

static bool unpack(struct carnet_slice bytes, struct members *out)
{
    int64_t last = 0;
    for (size_t at = 0; at < bytes.len;) {
        uint64_t apart = 0;
        unsigned shift = 0;
        do {
            if (at == bytes.len || shift > 56)
                return false;
            apart |= (uint64_t)(bytes.ptr[at] & 0x7f) << shift;
            shift += 7;
        } while (bytes.ptr[at++] & 0x80);
        last += (int64_t)apart;
        add_member(out, last);
    }
    return true;
}

/* The last entry of the charter: what it changes, a tally does not know. */
static carnet_rc charter_mark(struct count *c, int64_t from, int64_t *out)
{
    struct carnet_entry_row row;
    carnet_rc rc;
    *out = from;
    while ((rc = carnet_store_entry_next(c->store, 0, *out + 1, &row, c->err)) == CARNET_OK)
        *out = row.n;
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* Records whose answer may be another one than at the stamp. NOT_FOUND: too many. */
static carnet_rc changed_since(struct count *c, int64_t stamp, struct members *out)
{
    int64_t *numbers = carnet_alloc((CHANGED_MAX + 1) * sizeof *numbers), after = 0;
    size_t count;
    carnet_rc rc = carnet_store_glance_since(c->store, stamp, numbers, CHANGED_MAX + 1, &count, c->err);
    for (size_t i = 0; i < count && !rc; i++)
        add_member(out, numbers[i]);
    for (count = CHUNK; !rc && count == CHUNK && out->count <= CHANGED_MAX; after = count ? numbers[count - 1] : after) {
        rc = carnet_store_glance_doubtful(c->store, carnet_replica_now_ms(c->replica), after, numbers, CHUNK, &count, c->err);
        for (size_t i = 0; i < count && !rc; i++)
            add_member(out, numbers[i]);
    }
    free(numbers);
    if (!rc && out->count > CHANGED_MAX)
        rc = CARNET_NOT_FOUND;
    sort(out);
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++)
        if (!i || out->at[i] != out->at[i - 1])
            out->at[kept++] = out->at[i];
    out->count = kept;
    return rc;
}

/* The members as they are now: those that did not change stay. */
static carnet_rc carry_on(struct count *c, const struct members *before, const struct members *changed, struct members *out)
{
    carnet_rc rc = CARNET_OK;
    size_t i = 0;
    for (size_t j = 0; j < changed->count && !rc; j++) {
        bool member;
        for (; i < before->count && before->at[i] < changed->at[j]; i++)
            add_member(out, before->at[i]);
        i += i < before->count && before->at[i] == changed->at[j];
        rc = is_member(c, changed->at[j], &member);
        if (!rc && member)
            add_member(out, changed->at[j]);
        if (!rc)
            rc = looked_at(c, changed->count);
    }
    for (; i < before->count; i++)
        add_member(out, before->at[i]);
    return rc;
}

static carnet_rc keep(struct count *c, const struct carnet_hash *key, const struct carnet_tally *tally, const struct members *members)
{
    struct carnet_buf packed;
    struct carnet_tally kept = *tally;
    carnet_rc rc = CARNET_OK;
    carnet_buf_init(&packed, MEMBERS_LEN_MAX);
    pack(members, &packed);
    kept.members = carnet_buf_slice(&packed);
    if (!packed.failed && !carnet_store_in_transaction(c->store)) {
        rc = carnet_replica_begin(c->replica, c->err);
        if (!rc) {
            rc = carnet_store_tally_put(c->store, key, &kept, c->err);
            if (!rc)
                rc = carnet_replica_commit(c->replica, c->err);
            else
                carnet_replica_rollback(c->replica);
        }
    }
    carnet_buf_deinit(&packed);
    return rc;
}

struct walk {
    struct count *count;
    struct members members;
};

static bool walk_one(void *ctx, const struct carnet_view *view)
{
    add_member(&((struct walk *)ctx)->members, view->n);
    return true;
}

static bool walk_progress(void *ctx, uint64_t looked, uint64_t total)
{
    struct count *c = ((struct walk *)ctx)->count;
    c->looked = looked;
    return !c->progress || c->progress(c->ctx, looked, total);
}

static carnet_rc count_walked(struct count *c, struct carnet_slice text, uint64_t *out)
{
    struct walk walk = { .count = c };
    struct members before = { 0 }, changed = { 0 };
    const struct carnet_query *query = c->match.query;
    struct carnet_tally old = { 0 }, now = { .day = query->asks & QUERY_ASKS_DAY ? (int64_t)c->match.today : 0 };
    struct carnet_hash key;
    struct carnet_buf asked;
    carnet_buf_init(&asked, query->texts.len + 64);
    carnet_buf_append(&asked, c->match.book ? c->match.book->b : (const uint8_t *)"", c->match.book ? sizeof c->match.book->b : 0);
    carnet_buf_append_byte(&asked, 0);
    carnet_buf_append_slice(&asked, carnet_buf_slice(&query->texts));
    key = carnet_hash_of("carnet/1/tally", carnet_buf_slice(&asked));
    carnet_buf_deinit(&asked);

    bool lasts = !(query->asks & QUERY_ASKS_NOW);
    carnet_rc rc = lasts ? carnet_store_tally_get(c->store, &key, &old, c->err) : CARNET_NOT_FOUND;
    bool known = rc == CARNET_OK && old.day == now.day && unpack(old.members, &before);
    rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    if (!rc)
        rc = charter_mark(c, known ? old.charter : 0, &now.charter);
    if (!rc)
        rc = carnet_store_glance_stamp(c->store, &now.stamp, c->err);
    known = known && now.charter == old.charter;
    if (!rc && known) {
        rc = changed_since(c, old.stamp, &changed);
        known = rc == CARNET_OK;
        rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    }
    if (!rc && known) {
        rc = carry_on(c, &before, &changed, &walk.members);
    } else if (!rc) {
        const struct carnet_find_options options = { .query = text, .book = c->match.book, .progress = walk_progress };
        rc = carnet_people_find(c->replica, &options, walk_one, NULL, &walk, c->err);
        sort(&walk.members);
    }
    *out = walk.members.count;
    if (!rc && lasts && (known ? changed.count > CHUNK : c->looked >= KEPT_MIN))
        rc = keep(c, &key, &now, &walk.members);
    free(walk.members.at);
    free(before.at);
    free(changed.at);
    return rc;
}

carnet_rc carnet_segment_count(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_slice query,
                               bool (*progress)(void *ctx, uint64_t looked, uint64_t total), void *ctx, uint64_t *out, struct carnet_err *err)
{
    struct count c = { .replica = replica, .store = carnet_replica_store(replica), .progress = progress, .ctx = ctx, .err = err };
    struct carnet_query *parsed;
    bool done = false;
    *out = 0;
    carnet_rc rc = carnet_segment_parse(replica, book, query, &parsed, err);
    if (rc)
        return rc;
    c.match = carnet_match_of(replica, parsed, book);
    carnet_arena_init(&c.arena);
    rc = count_indexed(&c, &done, out);
    if (!rc && !done)
        rc = count_walked(&c, query, out);
    carnet_arena_deinit(&c.arena);
    carnet_query_free(parsed);
    return rc;
}
