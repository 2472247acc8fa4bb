// SPDX-License-Identifier: EUPL-1.2
/* store/internal: what the files of the layer share. */
#ifndef CARNET_STORE_INTERNAL_H
#define CARNET_STORE_INTERNAL_H

#include "carnet/store/store.h"

#include <sqlite3.h>

#include "queries.h"

enum {
    SCHEMA_APPLICATION = 0x43726e74, /* "Crnt" */
    SCHEMA_VERSION = 3,
    PAGE_LEN = 8192,
    ROW_LEN_MAX = 16 * 1024 * 1024,  /* SQLITE_LIMIT_LENGTH: the largest value */
    WAL_LEN_MAX = 16 * 1024 * 1024,  /* a longer log is checkpointed */
    RECENT_MAX = 32768,              /* rows of lookups_recent: a twentieth of a second to move */
    WAL_LEN_KEPT = 64 * 1024 * 1024, /* and one as long as this is cut too: it was an import */
};

/* schema.c: the statements that make a new database, one string each, NULL at the end: the enduring tables, this mark, the
 * derived ones. */
#define SCHEMA_DERIVED "-- derived"
extern const char *const carnet_store__schema[];
/* Set by an upgrade, taken away by what empties the derived tables to fill them. */
#define META_REBUILD "rebuild"

enum query {
#define X(name, sql) Q_##name,
    STORE_QUERIES(X)
#undef X
        Q_COUNT
};

/* One memory for each function that hands out a slice: "until the next call of the same function". */
enum held {
    HELD_ENTRY_GET,
    HELD_ENTRY_FIND,
    HELD_ENTRY_NEXT,
    HELD_ENTRY_FLAGGED,
    HELD_RECORD_GET,
    HELD_RECORD_AT,
    HELD_RECORD_NEXT,
    HELD_RECORD_CONFLICTING,
    HELD_RECORD_DUE,
    HELD_RECORD_AFTER,
    HELD_RECORD_ABOUT,
    HELD_PERSON,
    HELD_LIKENESS,
    HELD_RECORD_KIND,
    HELD_INVITE,
    HELD_AUDIT,
    HELD_TALLY,
    HELD_COUNT
};

struct carnet_store {
    sqlite3 *db;
    char *path;
    sqlite3_vfs *vfs;
    size_t cache_bytes;
    sqlite3_stmt *query[Q_COUNT];
    struct carnet_buf held[HELD_COUNT];
    bool open;          /* between begin and commit or rollback, whatever SQLite did meanwhile */
    bool broken;        /* an error inside this transaction: nothing but rollback is left */
    bool stale;         /* an error left the connection in doubt: it is replaced before the next write */
    bool unsynced;      /* the disk refused a sync: what it holds is unknown until the file is opened again */
    int bind_code;      /* first failed bind of the statement being filled */
    int wal_frames;     /* after the last commit */
    int wal_frames_max; /* checkpoint past this */
    int64_t budget;     /* steps left to the running search; negative: no search is running */
    struct carnet_store_counts counts, counts_committed;
    int64_t stamp;      /* of this transaction's glances; 0: not known yet */
    int64_t recent, recent_committed; /* rows of lookups_recent, at most */
    struct carnet_id *books;          /* book b is books[b - 1] */
    size_t book_count, book_cap, book_count_committed, book_last;
};

/* error.c: the code and the line for a result of SQLite. Inside a transaction it becomes broken. */
carnet_rc carnet_store__fail(struct carnet_store *store, int code, struct carnet_err *err);
carnet_rc carnet_store__damaged(struct carnet_store *store, struct carnet_err *err);

/* A statement with nothing bound yet. For one that writes, there must be a transaction. */
sqlite3_stmt *carnet_store__read(struct carnet_store *store, enum query query);
sqlite3_stmt *carnet_store__write(struct carnet_store *store, enum query query);
/* The k-th value. Bytes are borrowed until the statement ended; NULL with 0 bytes is an empty blob. */
void carnet_store__int(struct carnet_store *store, sqlite3_stmt *stmt, int k, int64_t value);
void carnet_store__blob(struct carnet_store *store, sqlite3_stmt *stmt, int k, const void *ptr, size_t len);
void carnet_store__id(struct carnet_store *store, sqlite3_stmt *stmt, int k, const struct carnet_id *id);
/* The next row: OK; the caller reads its columns. NOT_FOUND: there is none, and the statement has ended. Errors end it
 * too. */
CARNET_MUST_USE carnet_rc carnet_store__row(struct carnet_store *store, sqlite3_stmt *stmt, struct carnet_err *err);
void carnet_store__end(sqlite3_stmt *stmt);
/* Runs a statement that gives no rows. */
CARNET_MUST_USE carnet_rc carnet_store__run(struct carnet_store *store, sqlite3_stmt *stmt, struct carnet_err *err);
/* Reads at most max numbers of the first column. */
CARNET_MUST_USE carnet_rc carnet_store__numbers(struct carnet_store *store, sqlite3_stmt *stmt, int64_t *out_n,
                                                size_t max, size_t *count, struct carnet_err *err);
/* Columns of the current row. false: not of that length. */
bool carnet_store__get_bytes(sqlite3_stmt *stmt, int column, void *out, size_t len);
/* Copies the column to the memory of `held`. */
struct carnet_slice carnet_store__get_held(struct carnet_store *store, enum held held, sqlite3_stmt *stmt, int column);

/* store.c: the small number of a book. NOT_FOUND: not known and not `create`. */
CARNET_MUST_USE carnet_rc carnet_store__book(struct carnet_store *store, const struct carnet_id *book, bool create,
                                             int64_t *out, struct carnet_err *err);
CARNET_MUST_USE bool carnet_store__book_id(const struct carnet_store *store, int64_t number, struct carnet_id *out);

/* Replaces the connection when it is in doubt. Before anything that writes outside a transaction of ours, and before
 * those. */
CARNET_MUST_USE carnet_rc carnet_store__renew(struct carnet_store *store, struct carnet_err *err);

/* records.c */
CARNET_MUST_USE carnet_rc carnet_store__lookup_add(struct carnet_store *store, int64_t space, int64_t number,
                                                   int64_t record_n, struct carnet_err *err);
/* Moves the recent lookups to the large table when they are many. */
CARNET_MUST_USE carnet_rc carnet_store__lookups_settle(struct carnet_store *store, struct carnet_err *err);

/* search.c: what a statement that asks the search ended with. */
CARNET_MUST_USE carnet_rc carnet_store__searched(struct carnet_store *store, int code, struct carnet_err *err);

/* upkeep.c */
CARNET_MUST_USE carnet_rc carnet_store__checkpoint(struct carnet_store *store, int mode, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store__pages_check(struct carnet_store *store, const char *sql,
                                                    struct carnet_err *err);

#endif
