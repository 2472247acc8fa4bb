// SPDX-License-Identifier: EUPL-1.2
/* How long the store takes for records, touches, words and points, and plain SQLite for the same rows and words.
 * bench_store [RECORDS [PER TRANSACTION]]; works in the current folder, removes what it made. */
#include "carnet/store/store.h"
#include "carnet/sys/clock.h"
#include "carnet/sys/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sqlite3.h>

enum { STATE_LEN = 600, ENTRY_LEN = 700 };

struct sample {
    struct carnet_id id;
    uint64_t points[3];
    char words[96];
    uint8_t state[STATE_LEN], entry[ENTRY_LEN];
};

static void sample_of(int k, struct sample *out)
{
    static const char *const names[] = {"martin",   "bernard", "thomas", "petit",   "robert",   "richard",
                                        "durand",   "dubois",  "moreau", "laurent", "simon",    "michel",
                                        "lefevre",  "leroy",   "roux",   "david",   "bertrand", "morel",
                                        "fournier", "girard",  "bonnet", "dupont",  "lambert",  "fontaine"};
    static const char *const towns[] = {"lyon",   "paris",    "lille",    "nantes",
                                        "rennes", "toulouse", "bordeaux", "grenoble"};
    struct carnet_rng_state state;
    struct carnet_rng rng = carnet_rng_seeded(&state, (uint64_t)k);
    out->id = carnet_rng_id(&rng, 1700000000000 + k);
    for (int i = 0; i < 3; i++)
        out->points[i] = carnet_rng_u64(&rng);
    snprintf(out->words, sizeof out->words, "%s%u %s person%d example org %s 06 39 98 %02u %02u",
             names[carnet_rng_below(&rng, 24)], (unsigned)carnet_rng_below(&rng, 400),
             names[carnet_rng_below(&rng, 24)], k, towns[carnet_rng_below(&rng, 8)],
             (unsigned)carnet_rng_below(&rng, 100), (unsigned)carnet_rng_below(&rng, 100));
    carnet_rng_fill(&rng, out->state, sizeof out->state);
    carnet_rng_fill(&rng, out->entry, sizeof out->entry);
}

static void need(carnet_rc rc, const struct carnet_err *err)
{
    if (rc != CARNET_OK) {
        fprintf(stderr, "%s\n", err->what);
        exit(1);
    }
}

static void with_store(int count, int batch, bool entries)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_store *s;
    struct carnet_id book = {{1}};
    struct carnet_stream_row stream;
    need(carnet_store_open("bench-store.db", &(struct carnet_store_options){.create = true}, &s, &err), &err);
    for (int k = 0; k < count; k++) {
        struct sample sample;
        sample_of(k, &sample);
        if (k % batch == 0) {
            need(carnet_store_begin(s, &err), &err);
            need(carnet_store_stream(s, &book, &book, 2, true, &stream, &err), &err);
        }
        struct carnet_entry_row entry = {
            .stream_n = stream.n, .seq = (uint64_t)k + 1, .lane = 2, .bytes = {sample.entry, ENTRY_LEN}};
        if (entries)
            need(carnet_store_entry_add(s, &entry, &err), &err);
        struct carnet_record_row row = {.book = book, .id = sample.id, .flags = 1, .state = {sample.state, STATE_LEN}};
        need(carnet_store_record_put(s, &row, &err), &err);
        need(carnet_store_touch(s, row.n, k + 1, 0, &err), &err);
        need(carnet_store_search_add(s, row.n, carnet_slice_str(sample.words), &err), &err);
        for (int i = 0; i < 3; i++)
            need(carnet_store_point_add(s, sample.points[i], row.n, &err), &err);
        if (k % batch == batch - 1 || k == count - 1)
            need(carnet_store_commit(s, &err), &err);
    }
    carnet_store_close(s);
}

static void run(sqlite3 *db, const char *sql)
{
    char *text = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK) {
        fprintf(stderr, "%s\n", text);
        exit(1);
    }
}

static void with_sqlite(int count, int batch, bool all)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL, *words = NULL, *touch = NULL, *point = NULL;
    if (sqlite3_open("bench-plain.db", &db) != SQLITE_OK)
        exit(1);
    run(db, "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA "
            "cache_size=-65536;"
            "CREATE TABLE touches(record INTEGER, entry INTEGER, change INTEGER, PRIMARY KEY(record, entry, change)) "
            "WITHOUT ROWID;"
            "CREATE TABLE points(hash INTEGER, record INTEGER, PRIMARY KEY(hash, record)) WITHOUT ROWID;"
            "CREATE TABLE rows(n INTEGER PRIMARY KEY, id BLOB, state BLOB);"
            "CREATE VIRTUAL TABLE search USING fts5(text, content='', columnsize=0, detail=none, prefix='1 2 3 4',"
            " tokenize='unicode61 remove_diacritics 0')");
    sqlite3_prepare_v2(db, "INSERT INTO rows(id, state) VALUES(?, ?)", -1, &row, NULL);
    if (all)
        run(db, "CREATE UNIQUE INDEX rows_id ON rows(id)");
    sqlite3_prepare_v2(db, "INSERT INTO touches VALUES(?, ?, 0)", -1, &touch, NULL);
    sqlite3_prepare_v2(db, "INSERT INTO points VALUES(?, ?)", -1, &point, NULL);
    sqlite3_prepare_v2(db, "INSERT INTO search(rowid, text) VALUES(?, ?)", -1, &words, NULL);
    for (int k = 0; k < count; k++) {
        struct sample sample;
        sample_of(k, &sample);
        if (k % batch == 0)
            run(db, "BEGIN");
        sqlite3_bind_blob(row, 1, sample.id.b, 16, SQLITE_STATIC);
        sqlite3_bind_blob(row, 2, sample.state, STATE_LEN, SQLITE_STATIC);
        sqlite3_step(row);
        sqlite3_reset(row);
        sqlite3_bind_int64(words, 1, sqlite3_last_insert_rowid(db));
        sqlite3_bind_text(words, 2, sample.words, -1, SQLITE_STATIC);
        sqlite3_step(words);
        sqlite3_reset(words);
        if (all) {
            sqlite3_bind_int(touch, 1, k + 1);
            sqlite3_bind_int(touch, 2, k + 1);
            sqlite3_step(touch);
            sqlite3_reset(touch);
            for (int i = 0; i < 4; i++) { /* three points, and the tail of the id */
                sqlite3_bind_int64(point, 1, i < 3 ? (int64_t)sample.points[i] : (int64_t)carnet_id_tail(&sample.id));
                sqlite3_bind_int(point, 2, k + 1);
                sqlite3_step(point);
                sqlite3_reset(point);
            }
        }
        if (k % batch == batch - 1 || k == count - 1)
            run(db, "COMMIT");
    }
    sqlite3_finalize(row);
    sqlite3_finalize(words);
    sqlite3_finalize(touch);
    sqlite3_finalize(point);
    sqlite3_close(db);
}

/* Processor time of this process, and bytes it wrote. */
struct cost {
    int64_t cpu_ms, wall_ms, mib;
};

static struct cost cost_now(void)
{
    struct rusage use;
    struct carnet_clock clock = carnet_clock_system();
    getrusage(RUSAGE_SELF, &use);
    return (struct cost){(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000 +
                             (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1000,
                         carnet_clock_mono_ms(&clock), use.ru_oublock / 2048};
}

static void show(const char *what, struct cost c)
{
    printf("%-24s %6lld ms of processor, %6lld ms, %5lld MiB written\n", what, (long long)c.cpu_ms,
           (long long)c.wall_ms, (long long)c.mib);
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 100000,
        batch = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1000;
    static const char *const made[] = {"bench-store.db", "bench-plain.db"};
    struct cost took[5];
    for (int i = 0; i < 5; i++) {
        for (size_t f = 0; f < 2; f++)
            unlink(made[f]);
        struct cost start = cost_now();
        uint8_t sum = 0;
        if (i == 0)
            for (int k = 0; k < count; k++) {
                struct sample sample;
                sample_of(k, &sample);
                sum ^= sample.entry[k % ENTRY_LEN];
            }
        else if (i <= 2)
            with_sqlite(count, batch, i == 2);
        else
            with_store(count, batch, i == 4);
        struct cost end = cost_now();
        took[i] = (struct cost){end.cpu_ms - start.cpu_ms, end.wall_ms - start.wall_ms, end.mib - start.mib};
        if (i == 0)
            printf("%d records, %d in a transaction, without making the samples (%lld ms, %02x):\n", count, batch,
                   (long long)took[0].cpu_ms, sum);
        took[i].cpu_ms -= i > 0 ? took[0].cpu_ms : 0;
        took[i].wall_ms -= i > 0 ? took[0].wall_ms : 0;
    }
    for (size_t f = 0; f < 2; f++)
        unlink(made[f]);
    show("plain rows and words", took[1]);
    show("and touches and points", took[2]);
    show("the store", took[3]);
    show("with entries", took[4]);
    printf("the store's processor: %.2f times rows and words, %.2f times with touches and points\n",
           (double)took[3].cpu_ms / (double)took[1].cpu_ms, (double)took[3].cpu_ms / (double)took[2].cpu_ms);
    return 0;
}
