// SPDX-License-Identifier: EUPL-1.2
/* The floors: what plain SQLite needs for the same rows, without any of what Carnet keeps beside them. */
#include "bench.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1000 };

static void run(sqlite3 *db, const char *sql)
{
    char *why = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) {
        fprintf(stderr, "%s\n", why ? why : sql);
        bench_fail("SQLite", NULL);
    }
}

static sqlite3 *open_db(const char *path)
{
    sqlite3 *db;
    if (sqlite3_open(path, &db) != SQLITE_OK)
        bench_fail("SQLite does not open", NULL);
    run(db, "PRAGMA journal_mode=WAL");
    run(db, "PRAGMA synchronous=FULL");
    run(db, "PRAGMA cache_size=-65536");
    return db;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        bench_fail(sql, NULL);
    return stmt;
}

static void step(sqlite3_stmt *stmt)
{
    BENCH_TRUE(sqlite3_step(stmt) == SQLITE_DONE);
    sqlite3_reset(stmt);
}

/* One transaction; what makes the contacts is not counted. */
static struct bench_time fill(const char *path, uint64_t contacts, bool index, uint64_t *raw)
{
    static const int indexed[] = { 0, 1, 2, 3, 6 };
    struct bench_watch watch = { 0 };
    struct bench_contact *people = carnet_alloc(CHUNK * sizeof *people);
    bench_remove(path);
    *raw = 0;
    bench_start(&watch);
    sqlite3 *db = open_db(path);
    run(db, "CREATE TABLE people(n INTEGER PRIMARY KEY, given TEXT, family TEXT, email TEXT, phone TEXT, street TEXT, postcode TEXT, city TEXT, note TEXT)");
    if (index)
        run(db, "CREATE VIRTUAL TABLE words USING fts5(given, family, email, phone, city, content='people', content_rowid='n', prefix='2 3',"
                " tokenize='unicode61 remove_diacritics 2')");
    sqlite3_stmt *row = prepare(db, "INSERT INTO people VALUES(?,?,?,?,?,?,?,?,?)");
    sqlite3_stmt *words = index ? prepare(db, "INSERT INTO words(rowid,given,family,email,phone,city) VALUES(?,?,?,?,?,?)") : NULL;
    run(db, "BEGIN");
    bench_stop(&watch);
    for (uint64_t at = 0; at < contacts; at += CHUNK) {
        size_t count = contacts - at < CHUNK ? (size_t)(contacts - at) : CHUNK;
        for (size_t i = 0; i < count; i++)
            bench_contact_make(at + i, &people[i]);
        for (size_t i = 0; i < count; i++)
            for (int f = 0; f < BENCH_FIELDS; f++)
                *raw += strlen(people[i].value[f]);
        bench_start(&watch);
        for (size_t i = 0; i < count; i++) {
            sqlite3_bind_int64(row, 1, (int64_t)(at + i + 1));
            for (int f = 0; f < BENCH_FIELDS; f++)
                sqlite3_bind_text(row, f + 2, people[i].value[f], -1, SQLITE_STATIC);
            step(row);
            if (!index)
                continue;
            sqlite3_bind_int64(words, 1, (int64_t)(at + i + 1));
            for (int f = 0; f < 5; f++)
                sqlite3_bind_text(words, f + 2, people[i].value[indexed[f]], -1, SQLITE_STATIC);
            step(words);
        }
        bench_stop(&watch);
    }
    bench_start(&watch);
    run(db, "COMMIT");
    sqlite3_finalize(row);
    sqlite3_finalize(words);
    sqlite3_close(db);
    bench_stop(&watch);
    free(people);
    return watch.sum;
}

void bench_floor_fill(const struct bench *bench, void *out)
{
    struct bench_floor *floor = out;
    floor->rows = fill(bench->floor, bench->contacts, false, &floor->raw_bytes);
    floor->all = fill(bench->floor, bench->contacts, true, &floor->raw_bytes);
    floor->disk_bytes = bench_file_size(bench->floor);
}

void bench_floor_updates(const struct bench *bench, void *out)
{
    struct bench_floor_updates *floor = out;
    uint64_t apart = bench->contacts / (2 * BENCH_EDITS);
    struct bench_watch batched = { 0 }, single = { 0 };
    double commits[BENCH_EDITS];
    apart = apart ? apart : 1;
    sqlite3 *db = open_db(bench->floor);
    sqlite3_stmt *stmt = prepare(db, "UPDATE people SET phone=?2 WHERE n=?1");
    bench_start(&batched);
    for (uint64_t i = 0; i < 2 * BENCH_EDITS; i++) {
        char phone[24];
        snprintf(phone, sizeof phone, "+3363998%04u", (unsigned)i);
        if (i % BENCH_EDITS == 0)
            run(db, "BEGIN");
        sqlite3_bind_int64(stmt, 1, (int64_t)(i * apart % bench->contacts + 1));
        sqlite3_bind_text(stmt, 2, phone, -1, SQLITE_STATIC);
        step(stmt);
        if (i % BENCH_EDITS == BENCH_EDITS - 1)
            run(db, "COMMIT");
    }
    bench_stop(&batched);
    bench_start(&single);
    for (uint64_t i = 0; i < 2 * BENCH_EDITS; i++) {
        double begun = bench_seconds();
        sqlite3_bind_int64(stmt, 1, (int64_t)(i * apart % bench->contacts + 1));
        sqlite3_bind_text(stmt, 2, "+33639989999", -1, SQLITE_STATIC);
        step(stmt);
        commits[i % BENCH_EDITS] = (bench_seconds() - begun) * 1e3;
    }
    bench_stop(&single);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    floor->batched = batched.sum;
    floor->single = single.sum;
    floor->commit_p50_ms = bench_latency_of(commits, BENCH_EDITS).p50_ms;
}

/* "jean mar" as FTS5 asks it: jean* mar*. */
static void put_match(const char *typed, char *out, size_t size)
{
    size_t len = 0;
    bool inside = false;
    for (const char *p = typed; *p && len + 8 < size; p++) {
        bool part = strchr(" -'\"*().,", *p) != NULL || (unsigned char)*p == 0xe2;
        if ((unsigned char)*p == 0xe2)
            p += p[1] && p[2] ? 2 : 0; /* an apostrophe of typographers */
        if (part && inside)
            memcpy(out + len, "\"* ", 3), len += 3;
        if (!part && !inside)
            out[len++] = '"';
        if (!part)
            out[len++] = *p;
        inside = !part;
    }
    if (inside)
        memcpy(out + len, "\"*", 2), len += 2;
    out[len] = 0;
}

static const char search[] = "SELECT p.* FROM words w JOIN people p ON p.n=w.rowid WHERE words MATCH ? LIMIT 20";

static size_t find(sqlite3_stmt *stmt, const char *typed)
{
    char match[1024];
    size_t count = 0;
    put_match(typed, match, sizeof match);
    sqlite3_bind_text(stmt, 1, match, -1, SQLITE_STATIC);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        count += sqlite3_column_bytes(stmt, 1) > 0;
    BENCH_TRUE(sqlite3_reset(stmt) == SQLITE_OK);
    return count;
}

void bench_floor_search(const struct bench *bench, void *out)
{
    struct bench_floor_search *floor = out;
    static double ms[BENCH_PEOPLE_TYPED * BENCH_KEYS_MAX];
    size_t count = 0;
    char typed[256];
    double begun = bench_seconds();
    sqlite3 *db = open_db(bench->floor);
    sqlite3_stmt *stmt = prepare(db, search);
    BENCH_TRUE(bench_typed(bench, 3, 8, typed));
    BENCH_TRUE(find(stmt, typed) > 0);
    floor->open_ms = (bench_seconds() - begun) * 1e3;
    for (unsigned i = 0; i < BENCH_PEOPLE_TYPED; i++) {
        for (unsigned keys = 1; keys <= BENCH_KEYS_MAX && bench_typed(bench, i, keys, typed); keys++) {
            begun = bench_seconds();
            BENCH_TRUE(find(stmt, typed) > 0);
            ms[count++] = (bench_seconds() - begun) * 1e3;
        }
    }
    floor->key = bench_latency_of(ms, count);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}
