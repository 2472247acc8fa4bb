// SPDX-License-Identifier: EUPL-1.2
/* Persons of several records, and who looks like whom. */
#include "internal.h"

#include <string.h>

enum { NUMBERS_MAX = 64 };

static carnet_rc write_one(struct carnet_store *store, enum query query, int64_t a, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, query);
    carnet_store__int(store, stmt, 1, a);
    return carnet_store__run(store, stmt, err);
}

static carnet_rc read_int(struct carnet_store *store, sqlite3_stmt *stmt, int64_t *out, struct carnet_err *err)
{
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    *out = sqlite3_column_int64(stmt, 0);
    carnet_store__end(stmt);
    return CARNET_OK;
}

static carnet_rc read_bytes(struct carnet_store *store, enum query query, enum held held, int64_t n, struct carnet_slice *out, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, query);
    carnet_store__int(store, stmt, 1, n);
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    *out = carnet_store__get_held(store, held, stmt, 0);
    carnet_store__end(stmt);
    return CARNET_OK;
}

static carnet_rc write_bytes(struct carnet_store *store, enum query query, int64_t n, const void *ptr, size_t len, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, query);
    carnet_store__int(store, stmt, 1, n);
    carnet_store__blob(store, stmt, 2, ptr, len);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_person_text(struct carnet_store *store, int64_t record_n, struct carnet_slice *out, struct carnet_err *err)
{
    return read_bytes(store, Q_PERSON_GET, HELD_PERSON, record_n, out, err);
}

carnet_rc carnet_store_person_put(struct carnet_store *store, int64_t record_n, struct carnet_slice text, struct carnet_err *err)
{
    return write_bytes(store, Q_PERSON_PUT, record_n, text.ptr, text.len, err);
}

carnet_rc carnet_store_person_remove(struct carnet_store *store, int64_t record_n, struct carnet_err *err)
{
    return write_one(store, Q_PERSON_REMOVE, record_n, err);
}

carnet_rc carnet_store_likeness_get(struct carnet_store *store, int64_t record_n, struct carnet_slice *out, struct carnet_err *err)
{
    return read_bytes(store, Q_LIKENESS_GET, HELD_LIKENESS, record_n, out, err);
}

carnet_rc carnet_store_likeness_put(struct carnet_store *store, int64_t record_n, const uint64_t *numbers, size_t count, struct carnet_err *err)
{
    return count ? write_bytes(store, Q_LIKENESS_PUT, record_n, numbers, count * sizeof *numbers, err) : write_one(store, Q_LIKENESS_REMOVE, record_n, err);
}

carnet_rc carnet_store_likeness_index(struct carnet_store *store, uint64_t number, int64_t record_n, bool on, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, on ? Q_LIKENESS_ADD : Q_LIKENESS_DROP);
    carnet_store__int(store, stmt, 1, (int64_t)number);
    carnet_store__int(store, stmt, 2, record_n);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_likeness_who(struct carnet_store *store, uint64_t number, int64_t *out_n, size_t max, size_t *count, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_LIKENESS_WHO);
    carnet_store__int(store, stmt, 1, (int64_t)number);
    carnet_store__int(store, stmt, 2, (int64_t)max);
    return carnet_store__numbers(store, stmt, out_n, max, count, err);
}

carnet_rc carnet_store_likeness_crowds(struct carnet_store *store, size_t more_than, int64_t *out, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_LIKENESS_CROWDS);
    carnet_store__int(store, stmt, 1, (int64_t)more_than);
    return read_int(store, stmt, out, err);
}

carnet_rc carnet_store_likeness_touch(struct carnet_store *store, int64_t record_n, struct carnet_err *err)
{
    return write_one(store, Q_LIKENESS_TOUCH, record_n, err);
}

carnet_rc carnet_store_likeness_forget(struct carnet_store *store, int64_t record_n, struct carnet_err *err)
{
    struct carnet_slice known;
    uint64_t numbers[NUMBERS_MAX];
    carnet_rc rc = carnet_store_likeness_get(store, record_n, &known, err);
    if (rc == CARNET_OK) {
        size_t count = known.len / sizeof *numbers < NUMBERS_MAX ? known.len / sizeof *numbers : NUMBERS_MAX;
        memcpy(numbers, known.ptr, count * sizeof *numbers);
        for (size_t i = 0; rc == CARNET_OK && i < count; i++)
            rc = carnet_store_likeness_index(store, numbers[i], record_n, false, err);
        if (rc == CARNET_OK)
            rc = write_one(store, Q_LIKENESS_REMOVE, record_n, err);
    }
    return rc == CARNET_OK || rc == CARNET_NOT_FOUND ? carnet_store_proposals_drop(store, record_n, err) : rc;
}

carnet_rc carnet_store_likeness_due(struct carnet_store *store, int64_t *out_n, size_t max, size_t *count, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_LIKENESS_DUE);
    carnet_store__int(store, stmt, 1, (int64_t)max);
    return carnet_store__numbers(store, stmt, out_n, max, count, err);
}

carnet_rc carnet_store_likeness_done(struct carnet_store *store, int64_t record_n, struct carnet_err *err)
{
    return write_one(store, Q_LIKENESS_DONE, record_n, err);
}

carnet_rc carnet_store_likeness_mark(struct carnet_store *store, int64_t *out, struct carnet_err *err)
{
    return read_int(store, carnet_store__read(store, Q_LIKENESS_MARK), out, err);
}

carnet_rc carnet_store_likeness_mark_put(struct carnet_store *store, int64_t record_n, struct carnet_err *err)
{
    return write_one(store, Q_LIKENESS_MARK_PUT, record_n, err);
}

carnet_rc carnet_store_likeness_left(struct carnet_store *store, int64_t *out, struct carnet_err *err)
{
    return read_int(store, carnet_store__read(store, Q_LIKENESS_LEFT), out, err);
}

carnet_rc carnet_store_proposal_put(struct carnet_store *store, const struct carnet_proposal *proposal, struct carnet_err *err)
{
    CARNET_ASSERT(proposal->a < proposal->b);
    sqlite3_stmt *stmt = carnet_store__write(store, Q_PROPOSAL_PUT);
    carnet_store__int(store, stmt, 1, proposal->a);
    carnet_store__int(store, stmt, 2, proposal->b);
    carnet_store__int(store, stmt, 3, proposal->reason);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_proposals_drop(struct carnet_store *store, int64_t record_n, struct carnet_err *err)
{
    carnet_rc rc = write_one(store, Q_PROPOSALS_DROP_A, record_n, err);
    return rc == CARNET_OK ? write_one(store, Q_PROPOSALS_DROP_B, record_n, err) : rc;
}

carnet_rc carnet_store_proposal_next(struct carnet_store *store, int64_t after_a, int64_t after_b, struct carnet_proposal *out, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_PROPOSAL_NEXT);
    carnet_store__int(store, stmt, 1, after_a);
    carnet_store__int(store, stmt, 2, after_b);
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    *out = (struct carnet_proposal){ sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), (unsigned)sqlite3_column_int64(stmt, 2) };
    carnet_store__end(stmt);
    return CARNET_OK;
}

carnet_rc carnet_store_proposal_count(struct carnet_store *store, int64_t since_b, int64_t *out, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, since_b ? Q_PROPOSALS_SINCE : Q_PROPOSALS_COUNT);
    if (since_b)
        carnet_store__int(store, stmt, 1, since_b);
    return read_int(store, stmt, out, err);
}
