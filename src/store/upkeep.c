// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

#include <string.h>

/* A reader that is in the way ends soon; there is none but ourselves. */
enum { CHECKPOINT_TRIES = 10 };

/* SQLite does not sync the log that it cut: after a power cut its old bytes would be there again. */
static int sync_log(struct carnet_store *store)
{
    sqlite3_file *log = NULL;
    int code = sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (code != SQLITE_OK || !log || !log->pMethods)
        return code;
    code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    return code == SQLITE_OK ? code : SQLITE_IOERR_FSYNC;
}

carnet_rc carnet_store__checkpoint(struct carnet_store *store, int mode, struct carnet_err *err)
{
    for (int i = 0; i < CHECKPOINT_TRIES; i++) {
        int frames = -1, done = -1;
        int code = sqlite3_wal_checkpoint_v2(store->db, "main", mode, &frames, &done);
        if (code != SQLITE_OK && code != SQLITE_BUSY)
            return carnet_store__fail(store, code, err);
        bool complete = mode == SQLITE_CHECKPOINT_TRUNCATE ? frames == 0 && done == 0 : frames == done;
        if (code == SQLITE_OK && complete) {
            code = mode == SQLITE_CHECKPOINT_TRUNCATE ? sync_log(store) : SQLITE_OK;
            return code == SQLITE_OK ? CARNET_OK : carnet_store__fail(store, code, err);
        }
    }
    return carnet_store__fail(store, SQLITE_BUSY, err);
}

carnet_rc carnet_store__pages_check(struct carnet_store *store, const char *sql, struct carnet_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);
    bool good = false;
    if (code == SQLITE_OK) {
        code = sqlite3_step(stmt);
        const unsigned char *text = code == SQLITE_ROW ? sqlite3_column_text(stmt, 0) : NULL;
        good = text && strcmp((const char *)text, "ok") == 0;
        code = code == SQLITE_ROW ? SQLITE_OK : code;
    }
    sqlite3_finalize(stmt);
    if (code != SQLITE_OK)
        return carnet_store__fail(store, code, err);
    return good ? CARNET_OK : carnet_store__damaged(store, err);
}

carnet_rc carnet_store_derived_wanted(struct carnet_store *store, bool *wanted, struct carnet_err *err)
{
    struct carnet_buf mark;
    carnet_buf_init(&mark, 16);
    carnet_rc rc = carnet_store_meta_get(store, META_REBUILD, &mark, err);
    carnet_buf_deinit(&mark);
    *wanted = rc == CARNET_OK;
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

carnet_rc carnet_store_derived_drop(struct carnet_store *store, struct carnet_err *err)
{
    static const enum query queries[] = {Q_RECORDS_EMPTY,        Q_TOUCHES_EMPTY, Q_LOOKUPS_EMPTY,
                                         Q_LOOKUPS_RECENT_EMPTY, Q_EDGES_EMPTY,   Q_SEARCH_EMPTY,
                                         Q_TAGS_EMPTY,           Q_TASKS_EMPTY,   Q_PERSONS_EMPTY,
                                         Q_LIKENESS_EMPTY,       Q_LIKENESS_INDEX_EMPTY, Q_LIKENESS_DUE_EMPTY,
                                         Q_LIKENESS_MARK_EMPTY,  Q_PROPOSALS_EMPTY, Q_GLANCES_EMPTY,
                                         Q_TALLIES_EMPTY};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        carnet_rc rc = carnet_store__run(store, carnet_store__write(store, queries[i]), err);
        if (rc != CARNET_OK)
            return rc;
    }
    store->counts.contacts = store->counts.conflicts = store->counts.records = 0;
    store->recent = 0;
    store->stamp = 0;
    sqlite3_stmt *stmt = carnet_store__write(store, Q_META_REMOVE);
    sqlite3_bind_text(stmt, 1, META_REBUILD, -1, SQLITE_STATIC);
    return carnet_store__run(store, stmt, err);
}

/* VACUUM holds the database in memory: the ceiling that holds for statements does not hold for it. */
static int vacuum(struct carnet_store *store)
{
    sqlite3_int64 ceiling = sqlite3_hard_heap_limit64(-1);
    sqlite3_hard_heap_limit64(0);
    int code = sqlite3_exec(store->db, "VACUUM", NULL, NULL, NULL);
    sqlite3_hard_heap_limit64(ceiling);
    return code;
}

carnet_rc carnet_store_sweep(struct carnet_store *store, struct carnet_err *err)
{
    carnet_rc rc = carnet_store__renew(store, err);
    if (rc != CARNET_OK)
        return rc;
    if (!CARNET_PLANTED(8)) { /* planted: what the search for erased bytes must catch */
        rc = carnet_store__run(store, carnet_store__read(store, Q_SEARCH_OPTIMIZE), err);
        if (rc != CARNET_OK)
            return rc;
        int code = vacuum(store);
        if (code != SQLITE_OK)
            return carnet_store__fail(store, code, err);
    }
    return carnet_store__checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE, err);
}

carnet_rc carnet_store_check(struct carnet_store *store, struct carnet_err *err)
{
    carnet_rc rc = store->open ? CARNET_OK : carnet_store__renew(store, err); /* the index's own check writes */
    if (rc == CARNET_OK)
        rc = carnet_store__pages_check(store, "PRAGMA integrity_check(1)", err);
    if (rc == CARNET_OK)
        rc = carnet_store__run(store, carnet_store__read(store, Q_SEARCH_CHECK), err);
    if (rc != CARNET_OK)
        return rc;
    sqlite3_stmt *stmt = carnet_store__read(store, Q_COUNTS_TRUE);
    rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    bool same = sqlite3_column_int64(stmt, 0) == store->counts.contacts &&
                sqlite3_column_int64(stmt, 1) == store->counts.conflicts &&
                sqlite3_column_int64(stmt, 2) == store->counts.entries &&
                sqlite3_column_int64(stmt, 3) == store->counts.records;
    carnet_store__end(stmt);
    return same ? CARNET_OK : carnet_store__damaged(store, err);
}

int64_t carnet_store_size(struct carnet_store *store)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_PAGES);
    struct carnet_err ignored = CARNET_ERR_INIT;
    if (carnet_store__row(store, stmt, &ignored) != CARNET_OK)
        return 0;
    int64_t pages = sqlite3_column_int64(stmt, 0);
    carnet_store__end(stmt);
    return pages * PAGE_LEN;
}
