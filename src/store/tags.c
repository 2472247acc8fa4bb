// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

enum { TAG_LEN = 16 };

carnet_rc carnet_store_tag_add(struct carnet_store *store, int64_t record_n, const uint8_t tag[16], struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, Q_TAG_ADD);
    carnet_store__int(store, stmt, 1, record_n);
    carnet_store__blob(store, stmt, 2, tag, TAG_LEN);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_tags_remove(struct carnet_store *store, int64_t record_n, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, Q_TAGS_REMOVE);
    carnet_store__int(store, stmt, 1, record_n);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_tags_of(struct carnet_store *store, int64_t record_n, struct carnet_buf *out, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_TAGS_OF);
    carnet_store__int(store, stmt, 1, record_n);
    carnet_rc rc;
    while ((rc = carnet_store__row(store, stmt, err)) == CARNET_OK) {
        uint8_t tag[TAG_LEN];
        if (!carnet_store__get_bytes(stmt, 0, tag, sizeof tag)) {
            carnet_store__end(stmt);
            return carnet_store__damaged(store, err);
        }
        carnet_buf_append(out, tag, sizeof tag);
    }
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

carnet_rc carnet_store_tag_records(struct carnet_store *store, const uint8_t tag[16], int64_t after, int64_t *out_n, size_t max, size_t *count,
                                   struct carnet_err *err)
{
    CARNET_ASSERT(max <= INT64_MAX);
    sqlite3_stmt *stmt = carnet_store__read(store, Q_TAG_RECORDS);
    carnet_store__blob(store, stmt, 1, tag, TAG_LEN);
    carnet_store__int(store, stmt, 2, after);
    carnet_store__int(store, stmt, 3, (int64_t)max);
    return carnet_store__numbers(store, stmt, out_n, max, count, err);
}

carnet_rc carnet_store_tags_empty(struct carnet_store *store, struct carnet_err *err)
{
    return carnet_store__run(store, carnet_store__write(store, Q_TAGS_EMPTY), err);
}

carnet_rc carnet_store_task_put(struct carnet_store *store, unsigned task, int64_t record_n, bool on, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, on ? Q_TASK_ADD : Q_TASK_REMOVE);
    carnet_store__int(store, stmt, 1, task);
    carnet_store__int(store, stmt, 2, record_n);
    return carnet_store__run(store, stmt, err);
}

static carnet_rc take_number(struct carnet_store *store, sqlite3_stmt *stmt, int64_t *out, struct carnet_err *err)
{
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    *out = sqlite3_column_int64(stmt, 0);
    carnet_store__end(stmt);
    return CARNET_OK;
}

carnet_rc carnet_store_task_next(struct carnet_store *store, unsigned task, int64_t from, int64_t *out_n, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_TASK_NEXT);
    carnet_store__int(store, stmt, 1, task);
    carnet_store__int(store, stmt, 2, from);
    return take_number(store, stmt, out_n, err);
}

carnet_rc carnet_store_task_count(struct carnet_store *store, unsigned task, int64_t *out, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_TASK_COUNT);
    carnet_store__int(store, stmt, 1, task);
    return take_number(store, stmt, out, err);
}
