// SPDX-License-Identifier: EUPL-1.2
/* Glances at contacts, counts over them, and who matched a query. */
#include "internal.h"

enum { CONTACT = 1, DOUBTFUL = 2, TALLIES_MAX = 100, COUNT_BUDGET = 100000 };

static carnet_rc read_number(struct carnet_store *store, sqlite3_stmt *stmt, int64_t *out, struct carnet_err *err)
{
    *out = 0;
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc == CARNET_OK)
        *out = sqlite3_column_int64(stmt, 0);
    carnet_store__end(stmt);
    return rc;
}

/* This transaction's own, above all that there are. */
static carnet_rc stamp(struct carnet_store *store, struct carnet_err *err)
{
    int64_t last;
    if (store->stamp)
        return CARNET_OK;
    carnet_rc rc = read_number(store, carnet_store__read(store, Q_GLANCE_STAMP), &last, err);
    store->stamp = last + 1;
    return rc;
}

carnet_rc carnet_store_glance_put(struct carnet_store *store, const struct carnet_glance *glance, struct carnet_err *err)
{
    int64_t flags = glance->contact ? CONTACT | (glance->doubtful ? DOUBTFUL : 0) : 0, book;
    carnet_rc rc = CARNET_OK;
    if (!glance->contact) { /* what was none before needs no row */
        int64_t was;
        sqlite3_stmt *before = carnet_store__read(store, Q_GLANCE_BEFORE);
        carnet_store__int(store, before, 1, glance->n);
        rc = read_number(store, before, &was, err);
        if (rc != CARNET_OK)
            return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    }
    rc = stamp(store, err);
    if (rc == CARNET_OK)
        rc = carnet_store__book(store, &glance->book, true, &book, err);
    if (rc != CARNET_OK)
        return rc;
    sqlite3_stmt *stmt = carnet_store__write(store, Q_GLANCE_PUT);
    carnet_store__int(store, stmt, 1, glance->n);
    carnet_store__int(store, stmt, 2, book);
    carnet_store__int(store, stmt, 3, flags);
    carnet_store__int(store, stmt, 4, glance->contact ? (int64_t)glance->live : 0);
    carnet_store__int(store, stmt, 5, glance->contact ? glance->due_ms : 0);
    carnet_store__int(store, stmt, 6, store->stamp);
    if (glance->contact && glance->name.len)
        carnet_store__blob(store, stmt, 7, glance->name.ptr, glance->name.len);
    else
        sqlite3_bind_null(stmt, 7);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_glance_stamp(struct carnet_store *store, int64_t *out, struct carnet_err *err)
{
    return read_number(store, carnet_store__read(store, Q_GLANCE_STAMP), out, err);
}

carnet_rc carnet_store_glance_since(struct carnet_store *store, int64_t since, int64_t *out_n, size_t max, size_t *count, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_GLANCE_SINCE);
    carnet_store__int(store, stmt, 1, since);
    carnet_store__int(store, stmt, 2, (int64_t)max);
    return carnet_store__numbers(store, stmt, out_n, max, count, err);
}

carnet_rc carnet_store_glance_doubtful(struct carnet_store *store, int64_t now_ms, int64_t after, int64_t *out_n, size_t max, size_t *count, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_GLANCE_DOUBTFUL);
    carnet_store__int(store, stmt, 1, now_ms);
    carnet_store__int(store, stmt, 2, after);
    carnet_store__int(store, stmt, 3, (int64_t)max);
    return carnet_store__numbers(store, stmt, out_n, max, count, err);
}

/* One number, of a statement that may run long. */
static carnet_rc count_rows(struct carnet_store *store, sqlite3_stmt *stmt, int64_t *out, struct carnet_err *err)
{
    store->budget = COUNT_BUDGET;
    int code = sqlite3_step(stmt);
    store->budget = -1;
    *out = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    carnet_rc rc = carnet_store__searched(store, code, err);
    carnet_store__end(stmt);
    return rc;
}

static carnet_rc bind_match(struct carnet_store *store, sqlite3_stmt *stmt, int k, const char *match, struct carnet_err *err)
{
    (void)store;
    if (sqlite3_bind_text(stmt, k, match, -1, SQLITE_STATIC) != SQLITE_OK)
        return carnet_err_set(err, CARNET_LIMIT, "this search is too long");
    return CARNET_OK;
}

static uint64_t head_of(const uint8_t *name, size_t len)
{
    uint64_t head = 0;
    for (size_t i = 0; i < 8; i++)
        head = head << 8 | (i < len ? name[i] : 0);
    return len ? head : UINT64_MAX;
}

carnet_rc carnet_store_search_names(struct carnet_store *store, const char *match, struct carnet_named *out, size_t max, size_t *count, struct carnet_buf *names,
                                    struct carnet_err *err)
{
    *count = 0;
    sqlite3_stmt *stmt = carnet_store__read(store, Q_GLANCE_NAMES);
    carnet_rc rc = bind_match(store, stmt, 1, match, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_store__int(store, stmt, 2, (int64_t)max);
    store->budget = COUNT_BUDGET;
    int code = SQLITE_DONE;
    while (*count < max && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const uint8_t *name = sqlite3_column_blob(stmt, 1);
        size_t len = (size_t)sqlite3_column_bytes(stmt, 1);
        out[(*count)++] = (struct carnet_named){ sqlite3_column_int64(stmt, 0), head_of(name, len), (uint32_t)names->len, (uint32_t)len };
        carnet_buf_append(names, name, len);
    }
    store->budget = -1;
    rc = names->failed ? carnet_err_set(err, CARNET_LIMIT, "this search is too long") : carnet_store__searched(store, code, err);
    carnet_store__end(stmt);
    return rc;
}

carnet_rc carnet_store_glance_count(struct carnet_store *store, const struct carnet_glance_query *query, int64_t *out, struct carnet_err *err)
{
    int64_t book = 0;
    carnet_rc rc = CARNET_OK;
    *out = 0;
    if (query->book)
        rc = carnet_store__book(store, query->book, false, &book, err);
    if (rc != CARNET_OK)
        return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    sqlite3_stmt *stmt = carnet_store__read(store, query->match ? Q_GLANCE_COUNT_MATCH : Q_GLANCE_COUNT);
    carnet_store__int(store, stmt, 1, query->now_ms);
    carnet_store__int(store, stmt, 2, (int64_t)query->all);
    carnet_store__int(store, stmt, 3, (int64_t)query->none);
    carnet_store__int(store, stmt, 4, (int64_t)query->any);
    carnet_store__int(store, stmt, 5, book);
    if (query->match)
        rc = bind_match(store, stmt, 6, query->match, err);
    return rc == CARNET_OK ? count_rows(store, stmt, out, err) : rc;
}

carnet_rc carnet_store_search_count(struct carnet_store *store, const char *match, int64_t *out, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_SEARCH_COUNT);
    carnet_rc rc = bind_match(store, stmt, 1, match, err);
    return rc == CARNET_OK ? count_rows(store, stmt, out, err) : rc;
}

carnet_rc carnet_store_search_has(struct carnet_store *store, const char *match, int64_t n, bool *out, struct carnet_err *err)
{
    int64_t found = 0;
    sqlite3_stmt *stmt = carnet_store__read(store, Q_SEARCH_HAS);
    carnet_rc rc = bind_match(store, stmt, 1, match, err);
    carnet_store__int(store, stmt, 2, n);
    if (rc == CARNET_OK)
        rc = count_rows(store, stmt, &found, err);
    *out = found != 0;
    return rc;
}

carnet_rc carnet_store_tally_get(struct carnet_store *store, const struct carnet_hash *query, struct carnet_tally *out, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_TALLY_GET);
    carnet_store__blob(store, stmt, 1, query->b, sizeof query->b);
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc == CARNET_OK) {
        *out = (struct carnet_tally){ .stamp = sqlite3_column_int64(stmt, 0), .charter = sqlite3_column_int64(stmt, 1), .day = sqlite3_column_int64(stmt, 2) };
        out->members = carnet_store__get_held(store, HELD_TALLY, stmt, 3);
    }
    carnet_store__end(stmt);
    return rc;
}

carnet_rc carnet_store_tally_put(struct carnet_store *store, const struct carnet_hash *query, const struct carnet_tally *tally, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, Q_TALLY_REMOVE);
    carnet_store__blob(store, stmt, 1, query->b, sizeof query->b);
    carnet_rc rc = carnet_store__run(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    stmt = carnet_store__write(store, Q_TALLY_ADD);
    carnet_store__blob(store, stmt, 1, query->b, sizeof query->b);
    carnet_store__int(store, stmt, 2, tally->stamp);
    carnet_store__int(store, stmt, 3, tally->charter);
    carnet_store__int(store, stmt, 4, tally->day);
    carnet_store__blob(store, stmt, 5, tally->members.ptr, tally->members.len);
    rc = carnet_store__run(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    stmt = carnet_store__write(store, Q_TALLIES_TRIM);
    carnet_store__int(store, stmt, 1, TALLIES_MAX);
    return carnet_store__run(store, stmt, err);
}
