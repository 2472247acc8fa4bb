// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

#include <stdlib.h>

static bool read_stream(struct carnet_store *store, sqlite3_stmt *stmt, struct carnet_stream_row *out)
{
    *out = (struct carnet_stream_row){
        .n = sqlite3_column_int64(stmt, 0),
        .stream = (uint32_t)sqlite3_column_int64(stmt, 3),
        .seq = (uint64_t)sqlite3_column_int64(stmt, 4),
        .void_from = (uint64_t)sqlite3_column_int64(stmt, 6),
    };
    return carnet_store__book_id(store, sqlite3_column_int64(stmt, 1), &out->book) &&
           carnet_store__get_bytes(stmt, 2, out->author.b, sizeof out->author.b) &&
           carnet_store__get_bytes(stmt, 5, out->hash.b, sizeof out->hash.b);
}

carnet_rc carnet_store_stream(struct carnet_store *store, const struct carnet_id *book, const struct carnet_id *author,
                              uint32_t stream, bool create, struct carnet_stream_row *out, struct carnet_err *err)
{
    int64_t b = 0;
    carnet_rc rc = carnet_store__book(store, book, create, &b, err);
    if (rc != CARNET_OK)
        return rc;
    sqlite3_stmt *stmt = carnet_store__read(store, Q_STREAM_GET);
    carnet_store__int(store, stmt, 1, b);
    carnet_store__id(store, stmt, 2, author);
    carnet_store__int(store, stmt, 3, stream);
    rc = carnet_store__row(store, stmt, err);
    if (rc == CARNET_OK) {
        bool ok = read_stream(store, stmt, out);
        carnet_store__end(stmt);
        return ok ? CARNET_OK : carnet_store__damaged(store, err);
    }
    if (rc != CARNET_NOT_FOUND || !create)
        return rc;
    stmt = carnet_store__write(store, Q_STREAM_ADD);
    carnet_store__int(store, stmt, 1, b);
    carnet_store__id(store, stmt, 2, author);
    carnet_store__int(store, stmt, 3, stream);
    rc = carnet_store__run(store, stmt, err);
    if (rc == CARNET_OK)
        *out = (struct carnet_stream_row){
            .n = sqlite3_last_insert_rowid(store->db), .book = *book, .author = *author, .stream = stream};
    return rc;
}

carnet_rc carnet_store_stream_update(struct carnet_store *store, const struct carnet_stream_row *row,
                                     struct carnet_err *err)
{
    CARNET_ASSERT(row->n > 0 && row->seq <= INT64_MAX && row->void_from <= INT64_MAX);
    sqlite3_stmt *stmt = carnet_store__write(store, Q_STREAM_PUT);
    carnet_store__int(store, stmt, 1, row->n);
    carnet_store__int(store, stmt, 2, (int64_t)row->seq);
    carnet_store__blob(store, stmt, 3, row->hash.b, sizeof row->hash.b);
    carnet_store__int(store, stmt, 4, (int64_t)row->void_from);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_streams(struct carnet_store *store, const struct carnet_id *book,
                               bool (*each)(void *ctx, const struct carnet_stream_row *row), void *ctx,
                               struct carnet_err *err)
{
    int64_t b = 0;
    if (book) {
        carnet_rc rc = carnet_store__book(store, book, false, &b, err);
        if (rc != CARNET_OK)
            return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    }
    sqlite3_stmt *stmt = carnet_store__read(store, book ? Q_STREAMS_OF : Q_STREAMS);
    if (book)
        carnet_store__int(store, stmt, 1, b);
    /* All are read first, so that `each` may call any function of the store. */
    struct carnet_stream_row *rows = NULL;
    size_t count = 0, cap = 0;
    carnet_rc rc;
    while ((rc = carnet_store__row(store, stmt, err)) == CARNET_OK) {
        CARNET_GROW(rows, count, cap);
        if (!read_stream(store, stmt, &rows[count++])) {
            carnet_store__end(stmt);
            rc = carnet_store__damaged(store, err);
            break;
        }
    }
    if (rc == CARNET_NOT_FOUND) {
        rc = CARNET_OK;
        for (size_t i = 0; i < count && each(ctx, &rows[i]); i++)
            ;
    }
    free(rows);
    return rc;
}

carnet_rc carnet_store_entry_add(struct carnet_store *store, struct carnet_entry_row *row, struct carnet_err *err)
{
    CARNET_ASSERT(row->stream_n > 0 && row->seq > 0 && row->seq <= INT64_MAX && row->lane < 3);
    sqlite3_stmt *stmt = carnet_store__write(store, Q_ENTRY_ADD);
    carnet_store__int(store, stmt, 1, row->stream_n);
    carnet_store__int(store, stmt, 2, (int64_t)row->seq);
    carnet_store__int(store, stmt, 3, (int64_t)row->hlc);
    carnet_store__int(store, stmt, 4, row->lane);
    carnet_store__int(store, stmt, 5, row->flags);
    carnet_store__blob(store, stmt, 6, row->hash.b, sizeof row->hash.b);
    carnet_store__blob(store, stmt, 7, row->bytes.ptr, row->bytes.len);
    carnet_store__int(store, stmt, 8, row->arrived_ms);
    carnet_rc rc = carnet_store__run(store, stmt, err);
    if (rc == CARNET_OK) {
        row->n = sqlite3_last_insert_rowid(store->db);
        store->counts.entries++;
    }
    return rc;
}

/* Steps to the row, if any, and reads it. */
static carnet_rc take_entry(struct carnet_store *store, sqlite3_stmt *stmt, enum held held,
                            struct carnet_entry_row *out, struct carnet_err *err)
{
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    *out = (struct carnet_entry_row){
        .n = sqlite3_column_int64(stmt, 0),
        .stream_n = sqlite3_column_int64(stmt, 1),
        .seq = (uint64_t)sqlite3_column_int64(stmt, 2),
        .hlc = (uint64_t)sqlite3_column_int64(stmt, 3),
        .lane = (unsigned)sqlite3_column_int64(stmt, 4),
        .flags = (unsigned)sqlite3_column_int64(stmt, 5),
        .arrived_ms = sqlite3_column_int64(stmt, 8),
    };
    bool ok = carnet_store__get_bytes(stmt, 6, out->hash.b, sizeof out->hash.b);
    out->bytes = carnet_store__get_held(store, held, stmt, 7);
    carnet_store__end(stmt);
    return ok ? CARNET_OK : carnet_store__damaged(store, err);
}

carnet_rc carnet_store_entry_get(struct carnet_store *store, int64_t n, struct carnet_entry_row *out,
                                 struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_ENTRY_GET);
    carnet_store__int(store, stmt, 1, n);
    return take_entry(store, stmt, HELD_ENTRY_GET, out, err);
}

carnet_rc carnet_store_entry_find(struct carnet_store *store, int64_t stream_n, uint64_t seq,
                                  struct carnet_entry_row *out, struct carnet_err *err)
{
    if (seq > INT64_MAX)
        return CARNET_NOT_FOUND;
    sqlite3_stmt *stmt = carnet_store__read(store, Q_ENTRY_FIND);
    carnet_store__int(store, stmt, 1, stream_n);
    carnet_store__int(store, stmt, 2, (int64_t)seq);
    return take_entry(store, stmt, HELD_ENTRY_FIND, out, err);
}

carnet_rc carnet_store_entry_bytes(struct carnet_store *store, int64_t n, struct carnet_slice bytes,
                                   struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, Q_ENTRY_BYTES);
    carnet_store__int(store, stmt, 1, n);
    carnet_store__blob(store, stmt, 2, bytes.ptr, bytes.len);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_entry_flags(struct carnet_store *store, int64_t n, unsigned flags, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, Q_ENTRY_FLAGS);
    carnet_store__int(store, stmt, 1, n);
    carnet_store__int(store, stmt, 2, flags);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_entry_next(struct carnet_store *store, unsigned lane, int64_t from, struct carnet_entry_row *out,
                                  struct carnet_err *err)
{
    CARNET_ASSERT(lane <= 3);
    sqlite3_stmt *stmt = carnet_store__read(store, lane == 3   ? Q_ENTRY_NEXT
                                                   : lane == 2 ? Q_ENTRY_NEXT_DATA
                                                               : Q_ENTRY_NEXT_LAW);
    carnet_store__int(store, stmt, 1, from);
    if (lane < 3)
        carnet_store__int(store, stmt, 2, lane);
    return take_entry(store, stmt, HELD_ENTRY_NEXT, out, err);
}

carnet_rc carnet_store_entry_flagged(struct carnet_store *store, unsigned flags, int64_t from,
                                     struct carnet_entry_row *out, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_ENTRY_FLAGGED);
    carnet_store__int(store, stmt, 1, from);
    carnet_store__int(store, stmt, 2, flags);
    return take_entry(store, stmt, HELD_ENTRY_FLAGGED, out, err);
}

carnet_rc carnet_store_entry_count(struct carnet_store *store, int64_t *out, struct carnet_err *err)
{
    (void)err;
    *out = store->counts.entries;
    return CARNET_OK;
}
