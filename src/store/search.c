// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

/* Calls of the progress handler, a thousand steps each: some seconds. */
enum { SEARCH_BUDGET = 100000 };

static carnet_rc write_text(struct carnet_store *store, enum query query, int64_t record_n, struct carnet_slice text,
                            struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, query);
    carnet_store__int(store, stmt, 1, record_n);
    if (sqlite3_bind_text64(stmt, 2, text.len > 0 ? (const char *)text.ptr : "", text.len, SQLITE_STATIC,
                            SQLITE_UTF8) != SQLITE_OK)
        return carnet_store__fail(store, SQLITE_TOOBIG, err);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_search_add(struct carnet_store *store, int64_t record_n, struct carnet_slice text,
                                  struct carnet_err *err)
{
    return write_text(store, Q_SEARCH_ADD, record_n, text, err);
}

carnet_rc carnet_store_search_remove(struct carnet_store *store, int64_t record_n, struct carnet_slice text,
                                     struct carnet_err *err)
{
    return write_text(store, Q_SEARCH_REMOVE, record_n, text, err);
}

carnet_rc carnet_store__searched(struct carnet_store *store, int code, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    if (code == SQLITE_INTERRUPT) {
        /* Words of this transaction may have been on their way to the index. */
        store->broken = store->open;
        store->stale = true;
        rc = carnet_err_set(err, CARNET_LIMIT, "this search takes too long");
        carnet_err_hint(err, "give more letters or more words");
    } else if (code == SQLITE_ERROR) {
        /* The statement itself was prepared; what is left to be wrong is the expression. */
        rc = carnet_err_set(err, CARNET_USAGE, "this search is not understood: %s", sqlite3_errmsg(store->db));
    } else if (code != SQLITE_DONE && code != SQLITE_ROW) {
        rc = carnet_store__fail(store, code, err);
    }
    return rc;
}

carnet_rc carnet_store_search(struct carnet_store *store, const char *match, int64_t after, int64_t *out_n, size_t max,
                              size_t *count, struct carnet_err *err)
{
    CARNET_ASSERT(max <= INT64_MAX);
    *count = 0;
    sqlite3_stmt *stmt = carnet_store__read(store, Q_SEARCH);
    if (sqlite3_bind_text(stmt, 1, match, -1, SQLITE_STATIC) != SQLITE_OK)
        return carnet_err_set(err, CARNET_LIMIT, "this search is too long");
    carnet_store__int(store, stmt, 2, after);
    carnet_store__int(store, stmt, 3, (int64_t)max);
    store->budget = SEARCH_BUDGET;
    int code = SQLITE_DONE;
    while (*count < max && (code = sqlite3_step(stmt)) == SQLITE_ROW)
        out_n[(*count)++] = sqlite3_column_int64(stmt, 0);
    store->budget = -1;
    carnet_rc rc = carnet_store__searched(store, code, err);
    carnet_store__end(stmt);
    return rc;
}
