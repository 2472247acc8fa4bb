// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

#include <stdlib.h>

enum { SPACE_POINTS = 0, SPACE_TAILS = 1 };

static carnet_rc take_record(struct carnet_store *store, sqlite3_stmt *stmt, enum held held,
                             struct carnet_record_row *out, struct carnet_err *err)
{
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    *out = (struct carnet_record_row){
        .n = sqlite3_column_int64(stmt, 0),
        .kind = (unsigned)sqlite3_column_int64(stmt, 4),
        .flags = (unsigned)sqlite3_column_int64(stmt, 5),
        .conflicts = (unsigned)sqlite3_column_int64(stmt, 6),
        .indexed = (uint32_t)sqlite3_column_int64(stmt, 7),
        .due_ms = sqlite3_column_int64(stmt, 8),
    };
    bool ok = carnet_store__book_id(store, sqlite3_column_int64(stmt, 1), &out->book) &&
              carnet_store__get_bytes(stmt, 2, out->id.b, sizeof out->id.b) &&
              (sqlite3_column_type(stmt, 3) == SQLITE_NULL ||
               carnet_store__get_bytes(stmt, 3, out->subject.b, sizeof out->subject.b));
    out->state = carnet_store__get_held(store, held, stmt, 9);
    carnet_store__end(stmt);
    return ok ? CARNET_OK : carnet_store__damaged(store, err);
}

carnet_rc carnet_store_record_get(struct carnet_store *store, const struct carnet_id *book, const struct carnet_id *id,
                                  struct carnet_record_row *out, struct carnet_err *err)
{
    int64_t b = 0;
    carnet_rc rc = carnet_store__book(store, book, false, &b, err);
    if (rc != CARNET_OK)
        return rc;
    sqlite3_stmt *stmt = carnet_store__read(store, Q_RECORD_GET);
    carnet_store__int(store, stmt, 1, b);
    carnet_store__id(store, stmt, 2, id);
    return take_record(store, stmt, HELD_RECORD_GET, out, err);
}

carnet_rc carnet_store_record_at(struct carnet_store *store, int64_t n, struct carnet_record_row *out,
                                 struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_RECORD_AT);
    carnet_store__int(store, stmt, 1, n);
    return take_record(store, stmt, HELD_RECORD_AT, out, err);
}

static void bind_subject(struct carnet_store *store, sqlite3_stmt *stmt, int k, const struct carnet_id *subject)
{
    if (carnet_id_is_zero(subject))
        sqlite3_bind_null(stmt, k);
    else
        carnet_store__id(store, stmt, k, subject);
}

static carnet_rc record_add(struct carnet_store *store, struct carnet_record_row *row, struct carnet_err *err)
{
    int64_t b = 0;
    carnet_rc rc = carnet_store__book(store, &row->book, true, &b, err);
    if (rc != CARNET_OK)
        return rc;
    sqlite3_stmt *stmt = carnet_store__write(store, Q_RECORD_ADD);
    carnet_store__int(store, stmt, 1, b);
    carnet_store__id(store, stmt, 2, &row->id);
    bind_subject(store, stmt, 3, &row->subject);
    carnet_store__int(store, stmt, 4, row->kind);
    carnet_store__int(store, stmt, 5, row->flags);
    carnet_store__int(store, stmt, 6, row->conflicts);
    carnet_store__int(store, stmt, 7, row->indexed);
    carnet_store__int(store, stmt, 8, row->due_ms);
    carnet_store__blob(store, stmt, 9, row->state.ptr, row->state.len);
    rc = carnet_store__run(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    row->n = sqlite3_last_insert_rowid(store->db);
    store->counts.records++;
    store->counts.contacts += row->flags & 1;
    store->counts.conflicts += row->conflicts;
    return carnet_store__lookup_add(store, SPACE_TAILS, (int64_t)carnet_id_tail(&row->id), row->n, err);
}

carnet_rc carnet_store_record_put(struct carnet_store *store, struct carnet_record_row *row, struct carnet_err *err)
{
    CARNET_ASSERT(store->open && row->due_ms >= 0);
    if (row->n == 0)
        return record_add(store, row, err);
    sqlite3_stmt *stmt = carnet_store__read(store, Q_RECORD_BEFORE);
    carnet_store__int(store, stmt, 1, row->n);
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    struct carnet_id subject = {{0}};
    carnet_store__get_bytes(stmt, 0, subject.b, sizeof subject.b);
    int64_t contact = sqlite3_column_int64(stmt, 1) & 1, conflicts = sqlite3_column_int64(stmt, 2),
            due_ms = sqlite3_column_int64(stmt, 3);
    carnet_store__end(stmt);

    /* A column that is set costs its indexes, changed or not: the usual write leaves them alone. */
    bool all = conflicts != row->conflicts || due_ms != row->due_ms || !carnet_id_equal(&subject, &row->subject);
    stmt = carnet_store__write(store, all ? Q_RECORD_PUT_ALL : Q_RECORD_PUT);
    carnet_store__int(store, stmt, 1, row->n);
    carnet_store__int(store, stmt, 2, row->kind);
    carnet_store__int(store, stmt, 3, row->flags);
    carnet_store__int(store, stmt, 4, row->indexed);
    carnet_store__blob(store, stmt, 5, row->state.ptr, row->state.len);
    if (all) {
        bind_subject(store, stmt, 6, &row->subject);
        carnet_store__int(store, stmt, 7, row->conflicts);
        carnet_store__int(store, stmt, 8, row->due_ms);
    }
    rc = carnet_store__run(store, stmt, err);
    if (rc == CARNET_OK) {
        store->counts.contacts += (int64_t)(row->flags & 1) - contact;
        store->counts.conflicts += (int64_t)row->conflicts - conflicts;
    }
    return rc;
}

carnet_rc carnet_store_record_next(struct carnet_store *store, int64_t from, struct carnet_record_row *out,
                                   struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_RECORD_NEXT);
    carnet_store__int(store, stmt, 1, from);
    return take_record(store, stmt, HELD_RECORD_NEXT, out, err);
}

carnet_rc carnet_store_record_conflicting(struct carnet_store *store, int64_t from, struct carnet_record_row *out,
                                          struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_RECORD_CONFLICTING);
    carnet_store__int(store, stmt, 1, from);
    return take_record(store, stmt, HELD_RECORD_CONFLICTING, out, err);
}

/* The due ones are indexed by time and walked by number: few are looked through at each call, many are met soon on the
 * way. */
carnet_rc carnet_store_record_due(struct carnet_store *store, int64_t now_ms, int64_t from,
                                  struct carnet_record_row *out, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_RECORD_DUE_MANY);
    carnet_store__int(store, stmt, 1, now_ms);
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    bool many = sqlite3_column_int64(stmt, 0) == 64;
    carnet_store__end(stmt);
    stmt = carnet_store__read(store, many ? Q_RECORD_DUE_SCAN : Q_RECORD_DUE_FEW);
    carnet_store__int(store, stmt, 1, from);
    carnet_store__int(store, stmt, 2, now_ms);
    return take_record(store, stmt, HELD_RECORD_DUE, out, err);
}

carnet_rc carnet_store_record_kind(struct carnet_store *store, unsigned kind, int64_t from, struct carnet_record_row *out, struct carnet_err *err)
{
    CARNET_ASSERT(kind >= 64);
    sqlite3_stmt *stmt = carnet_store__read(store, Q_RECORD_KIND);
    carnet_store__int(store, stmt, 1, kind);
    carnet_store__int(store, stmt, 2, from);
    return take_record(store, stmt, HELD_RECORD_KIND, out, err);
}

carnet_rc carnet_store_record_after(struct carnet_store *store, const struct carnet_id *book,
                                    const struct carnet_id *after, struct carnet_record_row *out,
                                    struct carnet_err *err)
{
    int64_t b = 0;
    carnet_rc rc = carnet_store__book(store, book, false, &b, err);
    if (rc != CARNET_OK)
        return rc;
    sqlite3_stmt *stmt = carnet_store__read(store, Q_RECORD_AFTER);
    carnet_store__int(store, stmt, 1, b);
    carnet_store__id(store, stmt, 2, after);
    return take_record(store, stmt, HELD_RECORD_AFTER, out, err);
}

carnet_rc carnet_store_record_about(struct carnet_store *store, const struct carnet_id *book,
                                    const struct carnet_id *subject, int64_t from, struct carnet_record_row *out,
                                    struct carnet_err *err)
{
    int64_t b = 0;
    carnet_rc rc = carnet_store__book(store, book, false, &b, err);
    if (rc != CARNET_OK)
        return rc;
    sqlite3_stmt *stmt = carnet_store__read(store, Q_RECORD_ABOUT);
    carnet_store__int(store, stmt, 1, b);
    carnet_store__id(store, stmt, 2, subject);
    carnet_store__int(store, stmt, 3, from);
    return take_record(store, stmt, HELD_RECORD_ABOUT, out, err);
}

carnet_rc carnet_store_record_tails(struct carnet_store *store, uint64_t low, uint64_t high, size_t max, int64_t *out_n,
                                    size_t *count, struct carnet_err *err)
{
    CARNET_ASSERT(low <= high && high <= INT64_MAX && max <= INT64_MAX);
    sqlite3_stmt *stmt = carnet_store__read(store, Q_RECORD_TAILS);
    carnet_store__int(store, stmt, 1, (int64_t)low);
    carnet_store__int(store, stmt, 2, (int64_t)high);
    carnet_store__int(store, stmt, 3, (int64_t)max);
    return carnet_store__numbers(store, stmt, out_n, max, count, err);
}

carnet_rc carnet_store_count(struct carnet_store *store, struct carnet_store_counts *out, struct carnet_err *err)
{
    (void)err;
    *out = store->counts;
    return CARNET_OK;
}

carnet_rc carnet_store_touch(struct carnet_store *store, int64_t record_n, int64_t entry_n, unsigned change,
                             struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, Q_TOUCH);
    carnet_store__int(store, stmt, 1, record_n);
    carnet_store__int(store, stmt, 2, entry_n);
    carnet_store__int(store, stmt, 3, change);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_touches(struct carnet_store *store, int64_t record_n,
                               bool (*each)(void *ctx, int64_t entry_n, unsigned change), void *ctx,
                               struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_TOUCHES);
    carnet_store__int(store, stmt, 1, record_n);
    /* All are read first, so that `each` may call any function of the store. */
    struct {
        int64_t entry_n;
        unsigned change;
    } *rows = NULL;
    size_t count = 0, cap = 0;
    carnet_rc rc;
    while ((rc = carnet_store__row(store, stmt, err)) == CARNET_OK) {
        CARNET_GROW(rows, count, cap);
        rows[count].entry_n = sqlite3_column_int64(stmt, 0);
        rows[count++].change = (unsigned)sqlite3_column_int64(stmt, 1);
    }
    if (rc == CARNET_NOT_FOUND) {
        rc = CARNET_OK;
        for (size_t i = 0; i < count && each(ctx, rows[i].entry_n, rows[i].change); i++)
            ;
    }
    free(rows);
    return rc;
}

static carnet_rc write_pair(struct carnet_store *store, enum query query, int64_t a, int64_t b, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, query);
    carnet_store__int(store, stmt, 1, a);
    carnet_store__int(store, stmt, 2, b);
    return carnet_store__run(store, stmt, err);
}

static carnet_rc read_pairs(struct carnet_store *store, enum query query, int64_t a, int64_t *out_n, size_t max,
                            size_t *count, struct carnet_err *err)
{
    CARNET_ASSERT(max <= INT64_MAX);
    sqlite3_stmt *stmt = carnet_store__read(store, query);
    carnet_store__int(store, stmt, 1, a);
    carnet_store__int(store, stmt, 2, (int64_t)max);
    return carnet_store__numbers(store, stmt, out_n, max, count, err);
}

static carnet_rc write_lookup(struct carnet_store *store, enum query query, int64_t space, int64_t number,
                              int64_t record_n, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, query);
    carnet_store__int(store, stmt, 1, space);
    carnet_store__int(store, stmt, 2, number);
    carnet_store__int(store, stmt, 3, record_n);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store__lookup_add(struct carnet_store *store, int64_t space, int64_t number, int64_t record_n,
                                   struct carnet_err *err)
{
    store->recent++;
    return write_lookup(store, Q_LOOKUP_ADD, space, number, record_n, err);
}

carnet_rc carnet_store__lookups_settle(struct carnet_store *store, struct carnet_err *err)
{
    if (store->recent <= RECENT_MAX)
        return CARNET_OK;
    carnet_rc rc = carnet_store__run(store, carnet_store__write(store, Q_LOOKUPS_MOVE), err);
    if (rc == CARNET_OK)
        rc = carnet_store__run(store, carnet_store__write(store, Q_LOOKUPS_RECENT_EMPTY), err);
    store->recent = 0;
    return rc;
}

carnet_rc carnet_store_point_add(struct carnet_store *store, uint64_t hash, int64_t record_n, struct carnet_err *err)
{
    return carnet_store__lookup_add(store, SPACE_POINTS, (int64_t)hash, record_n, err);
}

carnet_rc carnet_store_point_remove(struct carnet_store *store, uint64_t hash, int64_t record_n, struct carnet_err *err)
{
    carnet_rc rc = write_lookup(store, Q_LOOKUP_REMOVE, SPACE_POINTS, (int64_t)hash, record_n, err);
    return rc == CARNET_OK ? write_lookup(store, Q_LOOKUP_REMOVE_RECENT, SPACE_POINTS, (int64_t)hash, record_n, err)
                           : rc;
}

carnet_rc carnet_store_points(struct carnet_store *store, uint64_t hash, int64_t *out_n, size_t max, size_t *count,
                              struct carnet_err *err)
{
    return read_pairs(store, Q_POINTS, (int64_t)hash, out_n, max, count, err);
}

carnet_rc carnet_store_edge_put(struct carnet_store *store, int64_t a, int64_t b, bool on, struct carnet_err *err)
{
    enum query query = on ? Q_EDGE_ADD : Q_EDGE_REMOVE;
    carnet_rc rc = write_pair(store, query, a, b, err);
    return rc == CARNET_OK ? write_pair(store, query, b, a, err) : rc;
}

carnet_rc carnet_store_edges(struct carnet_store *store, int64_t a, int64_t *out_n, size_t max, size_t *count,
                             struct carnet_err *err)
{
    return read_pairs(store, Q_EDGES, a, out_n, max, count, err);
}
