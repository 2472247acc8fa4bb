// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

#include "carnet/sys/file.h"

#include <string.h>

static bool is_sync_failure(int code)
{
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

static carnet_rc say(struct carnet_store *store, int code, struct carnet_err *err)
{
    const char *path = store->path;
    carnet_rc rc;
    if (is_sync_failure(code)) {
        rc = carnet_err_set(err, CARNET_FAILED, "%s: the disk did not keep what was written", path);
        carnet_err_hint(err, "check the disk, then start carnet again");
        return rc;
    }
    switch (code & 0xff) {
    case SQLITE_FULL:
        rc = carnet_err_set(err, CARNET_FAILED, "cannot write %s: %s", path,
                            carnet_tr(carnet_err_lang(err), "the disk is full"));
        carnet_err_hint(err, "free some space, then try again");
        return rc;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT: /* what the code looked up a moment ago is not so: two tables disagree */
    case SQLITE_MISMATCH:
        return carnet_store__damaged(store, err);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        rc = carnet_err_set(err, CARNET_FAILED, "cannot write %s: it is read-only", path);
        carnet_err_hint(err, "make the file and its folder writable");
        return rc;
    case SQLITE_CANTOPEN:
        rc = carnet_err_set(err, CARNET_FAILED, "cannot open the database %s", path);
        carnet_err_hint(err, "make the file and its folder writable");
        return rc;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        rc = carnet_err_set(err, CARNET_BUSY, "%s is in use by another process", path);
        carnet_err_hint(err, "wait for it, end it, or choose another folder with --home");
        return rc;
    case SQLITE_NOMEM:
        return carnet_err_set(err, CARNET_FAILED, "not enough memory for %s", path);
    case SQLITE_TOOBIG:
        return carnet_err_set(err, CARNET_LIMIT, "a value is too long for %s", path);
    case SQLITE_ABORT:
        return carnet_err_set(err, CARNET_FAILED, "an earlier error ended the writing of %s", path);
    case SQLITE_IOERR:
        rc = carnet_err_set(err, CARNET_FAILED, "cannot read or write %s: %s", path,
                            carnet_tr(carnet_err_lang(err), "the disk reports an error"));
        carnet_err_hint(err, "check the disk, then start carnet again");
        return rc;
    default:
        return carnet_err_set(err, CARNET_FAILED, "%s: %s", path,
                              store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(code));
    }
}

carnet_rc carnet_store__fail(struct carnet_store *store, int code, struct carnet_err *err)
{
    store->broken = store->open;
    store->stale = true;
    store->unsynced = store->unsynced || is_sync_failure(code);
    return say(store, code, err);
}

carnet_rc carnet_store__damaged(struct carnet_store *store, struct carnet_err *err)
{
    store->broken = store->open;
    carnet_rc rc = carnet_err_set(err, CARNET_CORRUPT, "%s is damaged", store->path);
    carnet_err_hint(err, "restore the latest backup; peers send again what they have");
    return rc;
}

sqlite3_stmt *carnet_store__read(struct carnet_store *store, enum query query)
{
    store->bind_code = SQLITE_OK;
    CARNET_ASSERT(!sqlite3_stmt_busy(store->query[query]));
    return store->query[query];
}

sqlite3_stmt *carnet_store__write(struct carnet_store *store, enum query query)
{
    CARNET_ASSERT(store->open);
    return carnet_store__read(store, query);
}

static void note_bind(struct carnet_store *store, int code)
{
    if (store->bind_code == SQLITE_OK)
        store->bind_code = code;
}

void carnet_store__int(struct carnet_store *store, sqlite3_stmt *stmt, int k, int64_t value)
{
    note_bind(store, sqlite3_bind_int64(stmt, k, value));
}

void carnet_store__blob(struct carnet_store *store, sqlite3_stmt *stmt, int k, const void *ptr, size_t len)
{
    note_bind(store, sqlite3_bind_blob64(stmt, k, len > 0 ? ptr : "", len, SQLITE_STATIC));
}

void carnet_store__id(struct carnet_store *store, sqlite3_stmt *stmt, int k, const struct carnet_id *id)
{
    carnet_store__blob(store, stmt, k, id->b, sizeof id->b);
}

/* An error inside the transaction may have made SQLite roll it back: a statement would then run alone, and stay. */
static int step(struct carnet_store *store, sqlite3_stmt *stmt)
{
    if (store->bind_code != SQLITE_OK)
        return store->bind_code;
    if (store->open && sqlite3_get_autocommit(store->db))
        return SQLITE_ABORT_ROLLBACK;
    return sqlite3_step(stmt);
}

carnet_rc carnet_store__row(struct carnet_store *store, sqlite3_stmt *stmt, struct carnet_err *err)
{
    int code = step(store, stmt);
    if (code == SQLITE_ROW)
        return CARNET_OK;
    carnet_rc rc = code == SQLITE_DONE ? CARNET_NOT_FOUND : carnet_store__fail(store, code, err);
    carnet_store__end(stmt);
    return rc;
}

void carnet_store__end(sqlite3_stmt *stmt)
{
    sqlite3_reset(stmt); /* says again what step said */
}

carnet_rc carnet_store__run(struct carnet_store *store, sqlite3_stmt *stmt, struct carnet_err *err)
{
    int code = step(store, stmt);
    carnet_rc rc = code == SQLITE_DONE ? CARNET_OK : carnet_store__fail(store, code, err);
    carnet_store__end(stmt);
    return rc;
}

carnet_rc carnet_store__numbers(struct carnet_store *store, sqlite3_stmt *stmt, int64_t *out_n, size_t max,
                                size_t *count, struct carnet_err *err)
{
    *count = 0;
    while (*count < max) {
        carnet_rc rc = carnet_store__row(store, stmt, err);
        if (rc == CARNET_NOT_FOUND)
            return CARNET_OK;
        if (rc != CARNET_OK)
            return rc;
        out_n[(*count)++] = sqlite3_column_int64(stmt, 0);
    }
    carnet_store__end(stmt);
    return CARNET_OK;
}

bool carnet_store__get_bytes(sqlite3_stmt *stmt, int column, void *out, size_t len)
{
    const uint8_t *from = sqlite3_column_blob(stmt, column);
    if (!from || (size_t)sqlite3_column_bytes(stmt, column) != len)
        return false;
    memcpy(out, from, len);
    return true;
}

struct carnet_slice carnet_store__get_held(struct carnet_store *store, enum held held, sqlite3_stmt *stmt, int column)
{
    struct carnet_buf *buf = &store->held[held];
    carnet_buf_clear(buf);
    const void *from = sqlite3_column_blob(stmt, column);
    carnet_buf_append(buf, from, (size_t)sqlite3_column_bytes(stmt, column));
    CARNET_ASSERT(!buf->failed); /* SQLITE_LIMIT_LENGTH is its ceiling */
    return carnet_buf_slice(buf);
}
