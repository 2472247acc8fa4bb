// SPDX-License-Identifier: EUPL-1.2
/* What was deleted is in no byte of any file after a sweep. Looked for with a plain search in the raw files. */
#include "carnet/store/store.h"
#include "carnet/sys/file.h"
#include "carnet/sys/random.h"

#include "../support/simvfs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK(call) assert_int_equal((call), CARNET_OK)

enum { RECORDS = 600, MARK_LEN = 14 };

/* The end of each word is its mark: the index keeps the beginnings of neighbours once. */
struct mark {
    char text[MARK_LEN + 1];
};

static struct mark mark_of(unsigned k, char kind)
{
    struct carnet_rng_state state;
    struct carnet_rng rng = carnet_rng_seeded(&state, k * 16u + (unsigned char)kind);
    struct mark mark = {""};
    for (size_t i = 0; i < MARK_LEN; i++)
        mark.text[i] = (char)('a' + carnet_rng_below(&rng, 26));
    mark.text[0] = kind;
    return mark;
}

static struct carnet_id id_of(unsigned k)
{
    struct carnet_rng_state state;
    struct carnet_rng rng = carnet_rng_seeded(&state, k);
    return carnet_rng_id(&rng, 1700000000000);
}

static bool is_erased(unsigned k)
{
    return k % 3 == 1;
}

static void words_of(unsigned k, struct carnet_buf *out)
{
    carnet_buf_clear(out);
    carnet_buf_printf(out, "person%u %s lyon", k, mark_of(k, 'w').text);
}

/* State and entry of record k in one of its lives; 3: erased. */
static void bytes_of(unsigned k, char kind, unsigned life, struct carnet_buf *out)
{
    struct carnet_rng_state state;
    struct carnet_rng rng = carnet_rng_seeded(&state, k * 4u + life);
    carnet_buf_clear(out);
    for (uint64_t filler = carnet_rng_below(&rng, 40); filler > 0; filler--)
        carnet_buf_printf(out, "filler %u ", life);
    if (life < 3)
        carnet_buf_printf(out, "%s end", mark_of(k, kind).text);
}

static void fill(struct carnet_store *s)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_id book = id_of(1);
    struct carnet_buf text;
    carnet_buf_init(&text, 10000);
    /* Three lives, so that rows change their length and the tree balances its pages, then the end of a third of them.
     */
    for (unsigned life = 0; life < 4; life++) {
        for (unsigned k = 0; k < RECORDS; k++) {
            if (life == 3 && !is_erased(k))
                continue;
            if (k % 60 == 0 || !carnet_store_in_transaction(s))
                OK(carnet_store_begin(s, &err));
            struct carnet_stream_row stream;
            struct carnet_entry_row entry;
            OK(carnet_store_stream(s, &book, &book, 2, true, &stream, &err));
            bytes_of(k, 'e', life, &text);
            if (life == 0) {
                entry = (struct carnet_entry_row){.stream_n = stream.n, .seq = k + 1, .bytes = carnet_buf_slice(&text)};
                OK(carnet_store_entry_add(s, &entry, &err));
            } else {
                OK(carnet_store_entry_bytes(s, (int64_t)k + 1, carnet_buf_slice(&text), &err));
            }
            struct carnet_id id = id_of(100 + k);
            struct carnet_record_row row = {.book = book, .id = id};
            carnet_rc rc = carnet_store_record_get(s, &book, &id, &row, &err);
            assert_int_equal(rc, life == 0 ? CARNET_NOT_FOUND : CARNET_OK);
            bytes_of(k, 's', life, &text);
            row.state = carnet_buf_slice(&text);
            row.due_ms = life;
            OK(carnet_store_record_put(s, &row, &err));
            words_of(k, &text);
            if (life == 3)
                OK(carnet_store_search_remove(s, row.n, carnet_buf_slice(&text), &err));
            else if (life == 0)
                OK(carnet_store_search_add(s, row.n, carnet_buf_slice(&text), &err));
            if (k % 60 == 59 || k == RECORDS - 1 || life == 3)
                OK(carnet_store_commit(s, &err));
        }
        if (carnet_store_in_transaction(s))
            OK(carnet_store_commit(s, &err));
    }
    carnet_buf_deinit(&text);
}

/* Marks that are in the bytes: of those that should be gone, and of those that should be there. */
struct hits {
    unsigned erased, kept;
};

static struct hits count_hits(bool (*has)(void *ctx, struct carnet_slice needle), void *ctx)
{
    struct hits hits = {0, 0};
    for (unsigned k = 0; k < RECORDS; k++)
        for (const char *kind = "wes"; *kind; kind++) {
            struct mark mark = mark_of(k, *kind);
            bool there = has(ctx, carnet_slice(mark.text + 4, MARK_LEN - 4));
            if (is_erased(k))
                hits.erased += there;
            else
                hits.kept += there;
        }
    return hits;
}

static bool in_buffer(void *ctx, struct carnet_slice needle)
{
    const struct carnet_buf *buf = ctx;
    return buf->len > 0 && memmem(buf->ptr, buf->len, needle.ptr, needle.len) != NULL;
}

static struct hits look_in_files(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-journal", "-shm"};
    struct carnet_buf all;
    struct carnet_err err = CARNET_ERR_INIT;
    char name[128];
    carnet_buf_init(&all, 256 << 20);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        if (carnet_file_exists(name))
            OK(carnet_file_read(name, &all, &err));
    }
    struct hits hits = count_hits(in_buffer, &all);
    carnet_buf_deinit(&all);
    return hits;
}

static void real_files_hold_nothing_after_a_sweep(void **state)
{
    (void)state;
    char dir[64] = "carnet-test-XXXXXX", path[96], command[96];
    struct carnet_store *s;
    struct carnet_err err = CARNET_ERR_INIT;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/carnet.db", dir);
    OK(carnet_store_open(path, &(struct carnet_store_options){.create = true}, &s, &err));
    fill(s);
    struct hits before = look_in_files(path);
    int64_t size = carnet_store_size(s);
    OK(carnet_store_sweep(s, &err));
    struct hits after = look_in_files(path);
    printf("files: %u erased marks before the sweep, %u erased marks remain; %lld bytes, then %lld\n", before.erased,
           after.erased, (long long)size, (long long)carnet_store_size(s));
    OK(carnet_store_check(s, &err));
    carnet_store_close(s);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
    assert_true(before.erased > 0);
    assert_true(after.kept > 3 * (RECORDS - RECORDS / 3) * 99 / 100); /* but for beginnings that a neighbour has */
    assert_int_equal(after.erased, 0);
}

struct disk {
    struct simvfs *sim;
    const char *machine;
};

static bool on_disk(void *ctx, struct carnet_slice needle)
{
    const struct disk *disk = ctx;
    return simvfs_search(disk->sim, disk->machine, needle) != NULL;
}

/* Also in what the disk has not synced yet, and after the power went right behind the sweep. */
static void no_power_cut_brings_it_back(void **state)
{
    (void)state;
    struct disk disk = {simvfs_new("sim", 11), "paris"};
    simvfs_make_default(disk.sim);
    struct carnet_store *s;
    struct carnet_err err = CARNET_ERR_INIT;
    OK(carnet_store_open("paris/carnet.db", &(struct carnet_store_options){.vfs = "sim", .create = true}, &s, &err));
    fill(s);
    struct hits before = count_hits(on_disk, &disk);
    OK(carnet_store_sweep(s, &err));
    struct hits after = count_hits(on_disk, &disk);
    simvfs_cut(disk.sim, "paris");
    carnet_store_close(s);
    simvfs_start(disk.sim, "paris");
    OK(carnet_store_open("paris/carnet.db", &(struct carnet_store_options){.vfs = "sim"}, &s, &err));
    OK(carnet_store_check(s, &err));
    struct hits later = count_hits(on_disk, &disk);
    carnet_store_close(s);
    simvfs_free(disk.sim);
    printf("simulated disk: %u erased marks before the sweep, %u erased marks remain, %u after a cut\n", before.erased,
           after.erased, later.erased);
    assert_true(before.erased > 0);
    assert_int_equal(after.erased, 0);
    assert_int_equal(later.erased, 0);
    assert_true(later.kept > 3 * (RECORDS - RECORDS / 3) * 99 / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_files_hold_nothing_after_a_sweep),
        cmocka_unit_test(no_power_cut_brings_it_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
