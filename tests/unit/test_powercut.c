// SPDX-License-Identifier: EUPL-1.2
/* The store on a disk that loses power: nothing acknowledged is lost, nothing is half there, nothing is damaged.
 * CARNET_CUTS=n: other than 3000 cuts. */
#include "carnet/store/store.h"
#include "carnet/sys/random.h"

#include "../support/simvfs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS = 40, TEXT_LEN = 64 };

struct life {
    struct simvfs *sim;
    struct carnet_rng_state rng_state;
    struct carnet_rng rng;
    struct carnet_store *store;
    struct carnet_err err;
    uint64_t acked; /* transactions that the store said are durable: they are numbered from 1 */
    uint64_t tried; /* the last one that was begun */
    long cuts, lost, corrupt, partial;
    bool quiet; /* faults are expected: none is printed */
    uint8_t payload[20000];
};

CARNET_PRINTF(2, 3) static void complain(const struct life *l, const char *fmt, ...)
{
    va_list args;
    if (l->quiet || l->lost + l->corrupt + l->partial > 8)
        return;
    va_start(args, fmt);
    fprintf(stderr, "after cut %ld: ", l->cuts);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
}

static struct carnet_id id_of(uint64_t k)
{
    struct carnet_id id = {{1}};
    for (size_t i = 0; i < 8; i++)
        id.b[15 - i] = (uint8_t)(k >> 8 * i);
    return id;
}

static void text_of(uint64_t t, char out[TEXT_LEN])
{
    snprintf(out, TEXT_LEN, "txn%llu mod%llu everybody", (unsigned long long)t, (unsigned long long)(t % RECORDS));
}

/* Transaction t touches every table: an entry, a record's new state, its words, a point, a touch, the counts. */
static carnet_rc transaction(struct life *l, uint64_t t)
{
    struct carnet_store *s = l->store;
    struct carnet_err *err = &l->err;
    struct carnet_id book = id_of(1), id = id_of(t % RECORDS);
    struct carnet_stream_row stream;
    char text[TEXT_LEN];
    carnet_rc rc = carnet_store_begin(s, err);
    if (rc == CARNET_OK)
        rc = carnet_store_stream(s, &book, &book, 2, true, &stream, err);
    if (rc != CARNET_OK)
        return rc;
    stream.seq++;
    memcpy(l->payload, &t, sizeof t);
    size_t len = carnet_rng_below(&l->rng, 8) == 0 ? sizeof l->payload : 100 + carnet_rng_below(&l->rng, 1000);
    struct carnet_entry_row entry = {
        .stream_n = stream.n, .seq = stream.seq, .lane = (unsigned)(t % 3), .bytes = {l->payload, len}};
    rc = carnet_store_entry_add(s, &entry, err);
    if (rc == CARNET_OK)
        rc = carnet_store_stream_update(s, &stream, err);
    struct carnet_record_row row = {.book = book, .id = id};
    if (rc == CARNET_OK) {
        rc = carnet_store_record_get(s, &book, &id, &row, err);
        if (rc == CARNET_OK)
            rc = carnet_store_search_remove(s, row.n, row.state, err);
        else if (rc == CARNET_NOT_FOUND)
            rc = CARNET_OK;
    }
    if (rc == CARNET_OK) {
        text_of(t, text);
        row.state = carnet_slice_str(text);
        row.flags = t & 1;
        row.conflicts = t % 5 == 0;
        row.due_ms = (int64_t)(t % 7);
        rc = carnet_store_record_put(s, &row, err);
    }
    if (rc == CARNET_OK)
        rc = carnet_store_search_add(s, row.n, row.state, err);
    if (rc == CARNET_OK)
        rc = carnet_store_point_add(s, t * UINT64_C(0x9e3779b97f4a7c15), row.n, err);
    if (rc == CARNET_OK)
        rc = carnet_store_touch(s, row.n, entry.n, 0, err);
    if (rc == CARNET_OK)
        rc = carnet_store_meta_put(s, "t", carnet_slice(&t, sizeof t), err);
    return rc == CARNET_OK ? carnet_store_commit(s, err) : rc;
}

/* Which transactions the file holds. false: no whole number of them. */
static bool read_state(struct life *l, uint64_t *out)
{
    struct carnet_store *s = l->store;
    struct carnet_id book = id_of(1);
    struct carnet_stream_row stream = {.seq = 0};
    struct carnet_store_counts counts;
    struct carnet_buf buf;
    carnet_buf_init(&buf, 8);
    uint64_t t = 0;
    carnet_rc rc = carnet_store_meta_get(s, "t", &buf, &l->err);
    if (rc == CARNET_OK)
        memcpy(&t, buf.ptr, sizeof t);
    bool good = rc == CARNET_OK || rc == CARNET_NOT_FOUND;
    carnet_buf_deinit(&buf);
    *out = t;
    rc = carnet_store_stream(s, &book, &book, 2, false, &stream, &l->err);
    good = good && (rc == CARNET_OK || (rc == CARNET_NOT_FOUND && t == 0)) && stream.seq == t;
    good = good && carnet_store_count(s, &counts, &l->err) == CARNET_OK && counts.entries == (int64_t)t;
    for (uint64_t k = t > 30 ? t - 30 : 1; good && k <= t; k++) {
        struct carnet_entry_row entry;
        good = carnet_store_entry_find(s, stream.n, k, &entry, &l->err) == CARNET_OK && entry.bytes.len >= 100 &&
               memcmp(entry.bytes.ptr, &k, sizeof k) == 0;
    }
    int64_t n[RECORDS + 1];
    size_t count = 0;
    good = good && carnet_store_search(s, "everybody", 0, n, RECORDS + 1, &count, &l->err) == CARNET_OK &&
           count == (t < RECORDS ? t : RECORDS);
    for (uint64_t k = t > RECORDS ? t - RECORDS + 1 : 1; good && k <= t; k++) {
        struct carnet_record_row row;
        struct carnet_id id = id_of(k % RECORDS);
        char text[TEXT_LEN], word[TEXT_LEN];
        text_of(k, text);
        snprintf(word, sizeof word, "txn%llu", (unsigned long long)k);
        good = carnet_store_record_get(s, &book, &id, &row, &l->err) == CARNET_OK &&
               carnet_slice_equal(row.state, carnet_slice_str(text)) &&
               carnet_store_search(s, word, 0, n, 2, &count, &l->err) == CARNET_OK && count == 1 && n[0] == row.n;
    }
    return good;
}

static carnet_rc open_store(struct life *l)
{
    return carnet_store_open("paris/carnet.db", &(struct carnet_store_options){.vfs = "sim", .create = true}, &l->store,
                             &l->err);
}

/* After a stop: opens again, through as many further cuts as the dice give, and looks. */
static void recover(struct life *l)
{
    carnet_store_close(l->store);
    l->store = NULL;
    bool again = true;
    while (again) {
        simvfs_start(l->sim, "paris");
        if (carnet_rng_below(&l->rng, 3) == 0)
            simvfs_cut_after(l->sim, "paris", 1 + carnet_rng_below(&l->rng, 40));
        carnet_rc rc = open_store(l);
        again = !simvfs_is_on(l->sim, "paris");
        if (again) {
            l->cuts++;
            carnet_store_close(l->store);
            l->store = NULL;
        } else if (rc != CARNET_OK) {
            l->corrupt++;
            complain(l, "cannot open: %s", l->err.what);
        }
    }
    simvfs_cut_after(l->sim, "paris", 0);
    if (!l->store)
        return;
    uint64_t t = 0;
    if (carnet_store_check(l->store, &l->err) != CARNET_OK) {
        l->corrupt++;
        complain(l, "%s", l->err.what);
    } else if (!read_state(l, &t)) {
        l->partial++;
        complain(l, "a transaction is half there");
    } else if (t < l->acked) {
        l->lost++;
        complain(l, "%llu acknowledged, %llu there", (unsigned long long)l->acked, (unsigned long long)t);
    } else if (t > l->tried) {
        l->partial++;
        complain(l, "a transaction that nobody made");
    }
    l->acked = l->tried = t; /* what is seen once is acknowledged */
}

/* Some transactions, and what else happens to a store; until a stop at the latest. */
static carnet_rc work(struct life *l)
{
    carnet_rc rc = CARNET_OK;
    for (int i = 0; i < 8 && rc == CARNET_OK; i++) {
        uint64_t what = carnet_rng_below(&l->rng, 20);
        if (what == 0) {
            rc = carnet_store_sweep(l->store, &l->err);
        } else if (what == 1) {
            carnet_store_close(l->store);
            l->store = NULL;
            rc = open_store(l);
        } else {
            l->tried = l->acked + 1;
            rc = transaction(l, l->tried);
            if (rc == CARNET_OK)
                l->acked = l->tried;
        }
    }
    return rc;
}

static void run(struct life *l, uint64_t seed, long cuts, const struct simvfs_knobs *knobs, uint64_t ops)
{
    l->sim = simvfs_new("sim", seed);
    simvfs_make_default(l->sim);
    simvfs_knobs(l->sim, "paris", knobs);
    l->rng = carnet_rng_seeded(&l->rng_state, seed);
    memset(l->payload, 'p', sizeof l->payload);
    for (long round = 0; l->cuts < cuts; round++) {
        if (round % 60 == 0) { /* a new disk: cuts while a database is made */
            carnet_store_close(l->store);
            l->store = NULL;
            simvfs_wipe(l->sim, "paris");
            l->acked = l->tried = 0;
        }
        bool kill = carnet_rng_below(&l->rng, 4) == 0;
        uint64_t after = 1 + carnet_rng_below(&l->rng, ops);
        if (kill)
            simvfs_kill_after(l->sim, "paris", after);
        else
            simvfs_cut_after(l->sim, "paris", after);
        carnet_rc rc = l->store ? CARNET_OK : open_store(l);
        if (rc == CARNET_OK)
            rc = work(l);
        if (simvfs_is_on(l->sim, "paris")) {
            if (rc != CARNET_OK) {
                complain(l, "failed without a cut: %s", l->err.what);
                l->corrupt++;
                carnet_store_close(l->store);
                l->store = NULL;
                simvfs_wipe(l->sim, "paris");
                l->acked = l->tried = 0;
                continue;
            }
            simvfs_cut(l->sim, "paris");
        }
        l->cuts++;
        recover(l);
        if (kill && l->store) {
            /* What the next process saw after a kill must not vanish with the power. */
            simvfs_cut(l->sim, "paris");
            l->cuts++;
            recover(l);
        }
    }
    carnet_store_close(l->store);
    simvfs_free(l->sim);
}

static long wanted_cuts(void)
{
    const char *text = getenv("CARNET_CUTS");
    long cuts = text ? strtol(text, NULL, 10) : 0;
    return cuts > 0 ? cuts : 3000;
}

static void report(const char *disk, const struct life *l)
{
    printf("%s: %ld cuts, %ld acknowledged lost, %ld corrupt, %ld half there\n", disk, l->cuts, l->lost, l->corrupt,
           l->partial);
    fflush(stdout);
}

/* D1, D3, I2, I8 */
static void an_honest_disk_loses_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct simvfs_knobs knobs;
    } disks[] = {
        {"torn sectors", {0}},
        {"whole writes", {.whole = true}},
        {"torn sectors, noise at the cut", {.no_psow = true}},
    };
    for (size_t i = 0; i < sizeof disks / sizeof disks[0]; i++) {
        struct life *l = carnet_alloc(sizeof *l);
        run(l, 100 + i, wanted_cuts() / 3, &disks[i].knobs, 120);
        report(disks[i].name, l);
        assert_int_equal(l->lost, 0);
        assert_int_equal(l->corrupt, 0);
        assert_int_equal(l->partial, 0);
        free(l);
    }
}

/* The simulated disk does lose what was not synced: else the test above proves nothing. */
static void a_lying_disk_is_caught(void **state)
{
    (void)state;
    struct life *l = carnet_alloc(sizeof *l);
    l->quiet = true;
    run(l, 7, 60, &(struct simvfs_knobs){.lie_sync_ppm = 1000000}, 120);
    printf("a lying disk: %ld of %ld cuts caught\n", l->lost + l->corrupt + l->partial, l->cuts);
    assert_true(l->lost + l->corrupt + l->partial > 0);
    free(l);
}

static void the_same_seed_writes_the_same_bytes(void **state)
{
    (void)state;
    uint64_t digests[2];
    for (size_t i = 0; i < 2; i++) {
        struct life *l = carnet_alloc(sizeof *l);
        l->sim = simvfs_new("sim", 5);
        simvfs_make_default(l->sim);
        l->rng = carnet_rng_seeded(&l->rng_state, 5);
        assert_int_equal(open_store(l), CARNET_OK);
        simvfs_cut_after(l->sim, "paris", 200);
        for (uint64_t t = 1; simvfs_is_on(l->sim, "paris"); t++)
            if (transaction(l, t) != CARNET_OK)
                break;
        carnet_store_close(l->store);
        digests[i] = simvfs_digest(l->sim, "paris");
        simvfs_free(l->sim);
        free(l);
    }
    assert_true(digests[0] == digests[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_disk_loses_nothing),
        cmocka_unit_test(a_lying_disk_is_caught),
        cmocka_unit_test(the_same_seed_writes_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
