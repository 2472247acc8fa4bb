// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carnet/sys/file.h"

/* The heap SQLite may have beside the page cache: far above what any statement of ours needs; only a sweep lifts it. */
enum { HEAP_LEN_MAX = 1024 * 1024 * 1024, CACHE_LEN = 64 * 1024 * 1024 };

static int execute(struct carnet_store *store, const char *sql)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL);
}

static int configure(struct carnet_store *store)
{
    static const struct {
        int option, on;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    static const struct {
        int id, max;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, ROW_LEN_MAX},
        {SQLITE_LIMIT_SQL_LENGTH, 64 * 1024},
        {SQLITE_LIMIT_ATTACHED, 1}, /* VACUUM attaches one */
        {SQLITE_LIMIT_EXPR_DEPTH, 50},
        {SQLITE_LIMIT_COMPOUND_SELECT, 10},
        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
        {SQLITE_LIMIT_VARIABLE_NUMBER, 999},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 4},
    };
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        int now = -1;
        int code = sqlite3_db_config(store->db, switches[i].option, switches[i].on, &now);
        if (code != SQLITE_OK)
            return code;
        CARNET_ASSERT(now == switches[i].on);
    }
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        sqlite3_limit(store->db, limits[i].id, limits[i].max);
    sqlite3_hard_heap_limit64(HEAP_LEN_MAX + (sqlite3_int64)store->cache_bytes);
    /* Somebody else has the file until it ends, so waiting helps little; busy is said within a second. */
    sqlite3_busy_timeout(store->db, 500);

    char cache[64];
    snprintf(cache, sizeof cache, "PRAGMA cache_size=-%zu", store->cache_bytes / 1024 + 1);
    int code =
        execute(store, "PRAGMA page_size=8192; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF;"
                       "PRAGMA secure_delete=ON; PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON;"
                       "PRAGMA synchronous=EXTRA; PRAGMA wal_autocheckpoint=0");
    return code == SQLITE_OK ? execute(store, cache) : code;
}

/* A number that SQL gives. */
static int number(struct carnet_store *store, const char *sql, int64_t *out)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(stmt);
        if (code == SQLITE_ROW) {
            *out = sqlite3_column_int64(stmt, 0);
            code = SQLITE_OK;
        } else if (code == SQLITE_DONE) {
            code = SQLITE_ERROR;
        }
    }
    sqlite3_finalize(stmt);
    return code;
}

static void put_marks(char out[96])
{
    snprintf(out, 96, "PRAGMA application_id=%d; PRAGMA user_version=%d", SCHEMA_APPLICATION, SCHEMA_VERSION);
}

static carnet_rc create(struct carnet_store *store, struct carnet_err *err)
{
    char marks[96];
    put_marks(marks);
    int code = execute(store, "BEGIN EXCLUSIVE");
    for (size_t i = 0; code == SQLITE_OK && carnet_store__schema[i]; i++)
        code = execute(store, carnet_store__schema[i]);
    if (code == SQLITE_OK)
        code = execute(store, marks);
    if (code == SQLITE_OK)
        code = execute(store, "COMMIT");
    return code == SQLITE_OK ? CARNET_OK : carnet_store__fail(store, code, err);
}

/* The name of the table that a statement of the schema makes; false: it makes none. */
static bool table_of(const char *sql, char out[64])
{
    static const char *const begins[] = {"CREATE TABLE ", "CREATE VIRTUAL TABLE "};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        size_t len = strlen(begins[i]);
        if (strncmp(sql, begins[i], len) == 0) {
            snprintf(out, 64, "%.*s", (int)strcspn(sql + len, "( "), sql + len);
            return true;
        }
    }
    return false;
}

/* A database of an earlier version: enduring tables that it lacks are made with what belongs to them, the derived ones are
 * made anew, empty, and marked as wanting a rebuild. One transaction. */
static carnet_rc upgrade(struct carnet_store *store, struct carnet_err *err)
{
    char marks[96], name[64], sql[128];
    bool derived = false, make = false;
    int code = execute(store, "BEGIN EXCLUSIVE");
    for (size_t i = 0; code == SQLITE_OK && carnet_store__schema[i]; i++) {
        const char *statement = carnet_store__schema[i];
        derived = derived || strcmp(statement, SCHEMA_DERIVED) == 0;
        if (table_of(statement, name)) {
            int64_t there = 0;
            snprintf(sql, sizeof sql, "SELECT count(*) FROM sqlite_schema WHERE name = '%s'", name);
            code = number(store, sql, &there);
            snprintf(sql, sizeof sql, "DROP TABLE %s", name);
            if (code == SQLITE_OK && there && derived)
                code = execute(store, sql);
            make = derived || !there;
        }
        if (code == SQLITE_OK && make)
            code = execute(store, statement);
    }
    if (code == SQLITE_OK)
        code = execute(store, "UPDATE counts SET contacts = 0, conflicts = 0, records = 0;"
                              "INSERT OR REPLACE INTO meta(name, value) VALUES('" META_REBUILD "', x'01')");
    put_marks(marks);
    if (code == SQLITE_OK)
        code = execute(store, marks);
    if (code == SQLITE_OK)
        code = execute(store, "COMMIT");
    return code == SQLITE_OK ? CARNET_OK : carnet_store__fail(store, code, err);
}

/* The first access: it takes the file for this process. */
static carnet_rc recognise(struct carnet_store *store, bool may_create, struct carnet_err *err)
{
    int64_t application = 0, version = 0, objects = 0;
    int code = number(store, "PRAGMA application_id", &application);
    if (code == SQLITE_OK)
        code = number(store, "PRAGMA user_version", &version);
    if (code == SQLITE_OK)
        code = number(store, "SELECT count(*) FROM sqlite_schema", &objects);
    if (code != SQLITE_OK)
        return carnet_store__fail(store, code, err);
    if (application == 0 && version == 0 && objects == 0) {
        if (!may_create)
            return carnet_err_set(err, CARNET_NOT_FOUND, "there is no database %s", store->path);
        return create(store, err);
    }
    if (application != SCHEMA_APPLICATION || version < 1)
        return carnet_err_set(err, CARNET_FAILED, "%s is not a database of carnet", store->path);
    if (version > SCHEMA_VERSION) {
        carnet_rc rc =
            carnet_err_set(err, CARNET_FAILED, "%s was written by a newer carnet (format %lld, this one knows %d)",
                           store->path, (long long)version, (int)SCHEMA_VERSION);
        carnet_err_hint(err, "install the latest carnet");
        return rc;
    }
    return version < SCHEMA_VERSION ? upgrade(store, err) : CARNET_OK;
}

static int note_wal(void *ctx, sqlite3 *db, const char *name, int frames)
{
    (void)db;
    (void)name;
    ((struct carnet_store *)ctx)->wal_frames = frames;
    return SQLITE_OK;
}

static int spend(void *ctx)
{
    struct carnet_store *store = ctx;
    return store->budget >= 0 && --store->budget < 0;
}

static void hook(struct carnet_store *store)
{
    sqlite3_wal_hook(store->db, note_wal, store);
    sqlite3_progress_handler(store->db, 1000, spend, store);
}

static int prepare(struct carnet_store *store)
{
    static const char *const texts[] = {
#define X(name, sql) sql,
        STORE_QUERIES(X)
#undef X
    };
    for (size_t i = 0; i < Q_COUNT; i++) {
        int code = sqlite3_prepare_v3(store->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &store->query[i], NULL);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

static carnet_rc load(struct carnet_store *store, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_COUNTS_GET);
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc == CARNET_NOT_FOUND ? carnet_store__damaged(store, err) : rc;
    store->counts = (struct carnet_store_counts){
        .contacts = sqlite3_column_int64(stmt, 0),
        .conflicts = sqlite3_column_int64(stmt, 1),
        .entries = sqlite3_column_int64(stmt, 2),
        .records = sqlite3_column_int64(stmt, 3),
    };
    store->counts_committed = store->counts;
    carnet_store__end(stmt);

    stmt = carnet_store__read(store, Q_LOOKUPS_RECENT);
    rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    store->recent = store->recent_committed = sqlite3_column_int64(stmt, 0);
    carnet_store__end(stmt);

    stmt = carnet_store__read(store, Q_BOOKS);
    while ((rc = carnet_store__row(store, stmt, err)) == CARNET_OK) {
        struct carnet_id id;
        if (sqlite3_column_int64(stmt, 0) != (int64_t)store->book_count + 1 ||
            !carnet_store__get_bytes(stmt, 1, id.b, sizeof id.b)) {
            carnet_store__end(stmt);
            return carnet_store__damaged(store, err);
        }
        CARNET_GROW(store->books, store->book_count, store->book_cap);
        store->books[store->book_count++] = id;
    }
    store->book_count_committed = store->book_count;
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

static carnet_rc open_wal(struct carnet_store *store, bool unclean, struct carnet_err *err)
{
    bool journal = false;
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(store->db, "PRAGMA journal_mode=WAL", -1, &stmt, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(stmt);
        const unsigned char *mode = code == SQLITE_ROW ? sqlite3_column_text(stmt, 0) : NULL;
        journal = mode && strcmp((const char *)mode, "wal") == 0;
    }
    int end = sqlite3_finalize(stmt);
    code = end != SQLITE_OK ? end : code == SQLITE_ROW ? SQLITE_OK : code;
    if (code == SQLITE_OK && !journal)
        code = SQLITE_CANTOPEN;
    if (code == SQLITE_OK)
        code = execute(store, CARNET_PLANTED(7) ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL"); /* planted: what power cuts must catch */
    if (code != SQLITE_OK)
        return carnet_store__fail(store, code, err);
    code = prepare(store);
    if (code != SQLITE_OK) /* a statement that does not fit the tables: they are not those of this version */
        return code == SQLITE_ERROR ? carnet_store__damaged(store, err) : carnet_store__fail(store, code, err);
    hook(store);
    sqlite3_busy_timeout(store->db, 5000);
    store->wal_frames_max = WAL_LEN_MAX / PAGE_LEN;
    if (unclean) {
        /* The last commit may have been written and not synced: nothing that is read from here on may vanish again. */
        carnet_rc rc = carnet_store__pages_check(store, "PRAGMA quick_check(1)", err);
        if (rc == CARNET_OK)
            rc = carnet_store__checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE, err);
        if (rc != CARNET_OK)
            return rc;
    }
    return load(store, err);
}

/* What SQLite would make is readable by others when the umask lets them; the log takes the permissions of the file. */
static carnet_rc make_file(const char *path, struct carnet_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        return CARNET_OK;
    }
    if (errno == EEXIST)
        return CARNET_OK;
    return carnet_err_set(err, CARNET_FAILED, "cannot write %s: %s", path,
                          carnet_errno_text(carnet_err_lang(err), errno));
}

static struct carnet_store *blank(const char *path, sqlite3_vfs *vfs, size_t cache_bytes)
{
    struct carnet_store *store = carnet_alloc(sizeof *store);
    for (size_t i = 0; i < HELD_COUNT; i++)
        carnet_buf_init(&store->held[i], ROW_LEN_MAX);
    store->budget = -1;
    store->vfs = vfs;
    store->cache_bytes = cache_bytes;
    store->path = carnet_strdup_slice(carnet_slice_str(path));
    return store;
}

static carnet_rc connect(struct carnet_store *store, bool may_create, bool unclean, struct carnet_err *err)
{
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (may_create ? SQLITE_OPEN_CREATE : 0);
    int code = sqlite3_open_v2(store->path, &store->db, flags, store->vfs->zName);
    if (code == SQLITE_OK && sqlite3_db_readonly(store->db, "main") == 1)
        code = SQLITE_READONLY;
    if (code == SQLITE_OK)
        code = configure(store);
    if (code != SQLITE_OK)
        return carnet_store__fail(store, code, err);
    carnet_rc rc = recognise(store, may_create, err);
    return rc == CARNET_OK ? open_wal(store, unclean, err) : rc;
}

carnet_rc carnet_store_open(const char *path, const struct carnet_store_options *options, struct carnet_store **out,
                            struct carnet_err *err)
{
    *out = NULL;
    CARNET_ASSERT(path && path[0]);
    sqlite3_vfs *vfs = sqlite3_vfs_find(options->vfs ? options->vfs : "unix-excl");
    CARNET_ASSERT(vfs);
    /* Debian's SQLite reads "file:..." as an address and ":memory:" as none. */
    char *plain =
        path[0] == '/' || options->vfs ? carnet_strdup_slice(carnet_slice_str(path)) : carnet_path_join(".", path);
    struct carnet_store *store = blank(plain, vfs, options->cache_bytes > 0 ? options->cache_bytes : CACHE_LEN);
    free(plain);

    int exists = 0, unclean = 0;
    char *log = carnet_alloc(strlen(store->path) + 5);
    snprintf(log, strlen(store->path) + 5, "%s-wal", store->path);
    int code = vfs->xAccess(vfs, store->path, SQLITE_ACCESS_EXISTS, &exists);
    if (code == SQLITE_OK)
        code = vfs->xAccess(vfs, log, SQLITE_ACCESS_EXISTS, &unclean);
    free(log);
    carnet_rc rc = CARNET_OK;
    if (code != SQLITE_OK)
        rc = carnet_store__fail(store, code, err);
    else if (!exists && !options->create)
        rc = carnet_err_set(err, CARNET_NOT_FOUND, "there is no database %s", store->path);
    else if (!exists && !options->vfs)
        rc = make_file(store->path, err);
    if (rc == CARNET_OK)
        rc = connect(store, options->create, unclean, err);
    if (rc != CARNET_OK) {
        carnet_store_close(store);
        return rc;
    }
    *out = store;
    return CARNET_OK;
}

/* After an error the search index's code may keep numbers of the transaction that failed, and write them with the next
 * one (a read that fails while FTS5 loads its totals leaves them zero and valid). Its memory ends with its connection.
 */
carnet_rc carnet_store__renew(struct carnet_store *store, struct carnet_err *err)
{
    CARNET_ASSERT(!store->open);
    if (store->unsynced)
        return carnet_store__fail(store, SQLITE_IOERR_FSYNC, err);
    if (!store->stale)
        return CARNET_OK;
    struct carnet_store *fresh = blank(store->path, store->vfs, store->cache_bytes);
    carnet_rc rc = connect(fresh, false, false, err);
    if (rc == CARNET_OK) {
        sqlite3 *db = store->db;
        store->db = fresh->db;
        fresh->db = db;
        for (size_t i = 0; i < Q_COUNT; i++) {
            sqlite3_stmt *stmt = store->query[i];
            store->query[i] = fresh->query[i];
            fresh->query[i] = stmt;
        }
        free(store->books);
        store->books = fresh->books;
        store->book_cap = fresh->book_cap;
        store->book_count = store->book_count_committed = fresh->book_count;
        store->book_last = 0;
        fresh->books = NULL;
        store->counts = store->counts_committed = fresh->counts;
        store->recent = store->recent_committed = fresh->recent;
        store->stale = false;
        hook(store);
    }
    store->unsynced = fresh->unsynced;
    carnet_store_close(fresh);
    return rc;
}

void carnet_store_close(struct carnet_store *store)
{
    if (!store)
        return;
    if (store->open)
        carnet_store_rollback(store);
    for (size_t i = 0; i < Q_COUNT; i++)
        sqlite3_finalize(store->query[i]);
    /* The last connection checkpoints what was committed and removes the log. */
    int code = sqlite3_close(store->db);
    CARNET_ASSERT(code != SQLITE_BUSY);
    for (size_t i = 0; i < HELD_COUNT; i++)
        carnet_buf_deinit(&store->held[i]);
    free(store->books);
    free(store->path);
    free(store);
}

carnet_rc carnet_store_begin(struct carnet_store *store, struct carnet_err *err)
{
    carnet_rc rc = carnet_store__renew(store, err);
    if (rc == CARNET_OK)
        rc = carnet_store__run(store, carnet_store__read(store, Q_BEGIN), err);
    store->open = rc == CARNET_OK;
    return rc;
}

static bool counts_differ(const struct carnet_store_counts *a, const struct carnet_store_counts *b)
{
    return a->contacts != b->contacts || a->conflicts != b->conflicts || a->entries != b->entries ||
           a->records != b->records;
}

carnet_rc carnet_store_commit(struct carnet_store *store, struct carnet_err *err)
{
    CARNET_ASSERT(store->open);
    if (store->broken)
        return carnet_store__fail(store, SQLITE_ABORT, err);
    carnet_rc rc = carnet_store__lookups_settle(store, err);
    if (rc != CARNET_OK)
        return rc;
    if (counts_differ(&store->counts, &store->counts_committed)) {
        sqlite3_stmt *stmt = carnet_store__write(store, Q_COUNTS_PUT);
        carnet_store__int(store, stmt, 1, store->counts.contacts);
        carnet_store__int(store, stmt, 2, store->counts.conflicts);
        carnet_store__int(store, stmt, 3, store->counts.entries);
        carnet_store__int(store, stmt, 4, store->counts.records);
        rc = carnet_store__run(store, stmt, err);
        if (rc != CARNET_OK)
            return rc;
    }
    rc = carnet_store__run(store, carnet_store__write(store, Q_COMMIT), err);
    if (rc != CARNET_OK)
        return rc;
    store->open = false;
    store->counts_committed = store->counts;
    store->recent_committed = store->recent;
    store->stamp = 0;
    store->book_count_committed = store->book_count;
    if (store->wal_frames > store->wal_frames_max) {
        /* What was committed is durable, whatever happens here. A log that cannot be emptied now is tried again later;
         * a refused sync is remembered, and the next begin fails. */
        int mode = store->wal_frames > WAL_LEN_KEPT / PAGE_LEN ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
        struct carnet_err ignored = CARNET_ERR_INIT;
        store->wal_frames_max = WAL_LEN_MAX / PAGE_LEN;
        if (carnet_store__checkpoint(store, mode, &ignored) != CARNET_OK)
            store->wal_frames_max += store->wal_frames;
    }
    return CARNET_OK;
}

void carnet_store_rollback(struct carnet_store *store)
{
    if (!store->open)
        return;
    if (!sqlite3_get_autocommit(store->db)) {
        sqlite3_step(store->query[Q_ROLLBACK]);
        sqlite3_reset(store->query[Q_ROLLBACK]);
        CARNET_ASSERT(sqlite3_get_autocommit(store->db));
    }
    store->open = store->broken = false;
    store->counts = store->counts_committed;
    store->recent = store->recent_committed;
    store->stamp = 0;
    store->book_count = store->book_count_committed;
    store->book_last = 0;
}

bool carnet_store_in_transaction(const struct carnet_store *store)
{
    return store->open;
}

carnet_rc carnet_store_meta_get(struct carnet_store *store, const char *name, struct carnet_buf *out,
                                struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_META_GET);
    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    const void *bytes = sqlite3_column_blob(stmt, 0);
    carnet_buf_append(out, bytes, (size_t)sqlite3_column_bytes(stmt, 0));
    carnet_store__end(stmt);
    return out->failed ? carnet_err_set(err, CARNET_LIMIT, "a value is too long for %s", name) : CARNET_OK;
}

carnet_rc carnet_store_meta_put(struct carnet_store *store, const char *name, struct carnet_slice value,
                                struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, Q_META_PUT);
    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    carnet_store__blob(store, stmt, 2, value.ptr, value.len);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store__book(struct carnet_store *store, const struct carnet_id *book, bool create_it, int64_t *out,
                             struct carnet_err *err)
{
    if (store->book_last >= store->book_count || !carnet_id_equal(&store->books[store->book_last], book)) {
        size_t i = 0;
        while (i < store->book_count && !carnet_id_equal(&store->books[i], book))
            i++;
        if (i == store->book_count) {
            if (!create_it)
                return CARNET_NOT_FOUND;
            sqlite3_stmt *stmt = carnet_store__write(store, Q_BOOK_ADD);
            carnet_store__int(store, stmt, 1, (int64_t)i + 1);
            carnet_store__id(store, stmt, 2, book);
            carnet_rc rc = carnet_store__run(store, stmt, err);
            if (rc != CARNET_OK)
                return rc;
            CARNET_GROW(store->books, store->book_count, store->book_cap);
            store->books[store->book_count++] = *book;
        }
        store->book_last = i;
    }
    *out = (int64_t)store->book_last + 1;
    return CARNET_OK;
}

bool carnet_store__book_id(const struct carnet_store *store, int64_t number_of, struct carnet_id *out)
{
    if (number_of < 1 || (uint64_t)number_of > store->book_count)
        return false;
    *out = store->books[number_of - 1];
    return true;
}

carnet_rc carnet_store_invite_put(struct carnet_store *store, const struct carnet_invite_row *row,
                                  struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, Q_INVITE_PUT);
    carnet_store__id(store, stmt, 1, &row->code);
    carnet_store__int(store, stmt, 2, row->until_ms);
    carnet_store__int(store, stmt, 3, row->used_ms);
    carnet_store__id(store, stmt, 4, &row->node);
    carnet_store__blob(store, stmt, 5, row->terms.ptr, row->terms.len);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_invite_get(struct carnet_store *store, const struct carnet_id *code,
                                  struct carnet_invite_row *out, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_INVITE_GET);
    carnet_store__id(store, stmt, 1, code);
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    *out = (struct carnet_invite_row){
        .code = *code, .until_ms = sqlite3_column_int64(stmt, 0), .used_ms = sqlite3_column_int64(stmt, 1)};
    bool ok = carnet_store__get_bytes(stmt, 2, out->node.b, sizeof out->node.b);
    out->terms = carnet_store__get_held(store, HELD_INVITE, stmt, 3);
    carnet_store__end(stmt);
    return ok ? CARNET_OK : carnet_store__damaged(store, err);
}
