// SPDX-License-Identifier: EUPL-1.2
#include "carnet/store/store.h"
#include "carnet/sys/random.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define OK(call) assert_int_equal((call), CARNET_OK)

struct place {
    char dir[64], path[96];
    struct carnet_store *store;
    struct carnet_err err;
};

static void reopen(struct place *p)
{
    carnet_store_close(p->store);
    p->store = NULL;
    OK(carnet_store_open(p->path, &(struct carnet_store_options){.create = true}, &p->store, &p->err));
}

static int set_up(void **state)
{
    struct place *p = carnet_alloc(sizeof *p);
    snprintf(p->dir, sizeof p->dir, "carnet-test-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    snprintf(p->path, sizeof p->path, "%s/carnet.db", p->dir);
    *state = p;
    reopen(p);
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    carnet_store_close(p->store);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", p->dir);
    free(p);
    return system(command);
}

/* Ids that differ in every byte that matters, the same at each run. */
static struct carnet_id id_of(unsigned k)
{
    struct carnet_rng_state state;
    struct carnet_rng rng = carnet_rng_seeded(&state, k);
    return carnet_rng_id(&rng, 1700000000000 + k);
}

static struct carnet_slice text(const char *s)
{
    return carnet_slice_str(s);
}

static void slice_is(struct carnet_slice s, const char *expected)
{
    assert_int_equal(s.len, strlen(expected));
    assert_memory_equal(s.ptr, expected, s.len);
}

static struct carnet_record_row add_record(struct place *p, struct carnet_record_row row)
{
    OK(carnet_store_record_put(p->store, &row, &p->err));
    assert_true(row.n > 0);
    return row;
}

static void meta_is_kept_and_replaced(void **state)
{
    struct place *p = *state;
    struct carnet_buf out;
    carnet_buf_init(&out, 100);
    assert_int_equal(carnet_store_meta_get(p->store, "name", &out, &p->err), CARNET_NOT_FOUND);
    OK(carnet_store_begin(p->store, &p->err));
    OK(carnet_store_meta_put(p->store, "name", text("one"), &p->err));
    OK(carnet_store_meta_put(p->store, "name", text("two"), &p->err));
    OK(carnet_store_meta_put(p->store, "empty", CARNET_SLICE_NONE, &p->err));
    OK(carnet_store_commit(p->store, &p->err));
    reopen(p);
    OK(carnet_store_meta_get(p->store, "name", &out, &p->err));
    slice_is(carnet_buf_slice(&out), "two");
    carnet_buf_clear(&out);
    OK(carnet_store_meta_get(p->store, "empty", &out, &p->err));
    assert_int_equal(out.len, 0);
    carnet_buf_deinit(&out);
    carnet_buf_init(&out, 2);
    assert_int_equal(carnet_store_meta_get(p->store, "name", &out, &p->err), CARNET_LIMIT);
    carnet_buf_deinit(&out);
}

static void a_rollback_leaves_nothing(void **state)
{
    struct place *p = *state;
    struct carnet_id book = id_of(1);
    struct carnet_stream_row stream;
    struct carnet_store_counts counts;
    for (int life = 0; life < 2; life++) {
        OK(carnet_store_begin(p->store, &p->err));
        assert_true(carnet_store_in_transaction(p->store));
        OK(carnet_store_stream(p->store, &book, &book, 2, true, &stream, &p->err));
        add_record(p, (struct carnet_record_row){.book = book, .id = id_of(2), .flags = 1, .conflicts = 3});
        OK(carnet_store_entry_add(p->store, &(struct carnet_entry_row){.stream_n = stream.n, .seq = 1}, &p->err));
        OK(carnet_store_count(p->store, &counts, &p->err));
        assert_int_equal(counts.contacts, 1);
        assert_int_equal(counts.conflicts, 3);
        assert_int_equal(counts.entries, 1);
        assert_int_equal(counts.records, 1);
        if (life == 0)
            carnet_store_rollback(p->store);
        else
            reopen(p); /* closing rolls back */
        assert_false(carnet_store_in_transaction(p->store));
        OK(carnet_store_count(p->store, &counts, &p->err));
        assert_int_equal(counts.contacts + counts.conflicts + counts.entries + counts.records, 0);
        assert_int_equal(carnet_store_stream(p->store, &book, &book, 2, false, &stream, &p->err), CARNET_NOT_FOUND);
        OK(carnet_store_check(p->store, &p->err));
    }
    carnet_store_rollback(p->store); /* none open: nothing */
}

static bool collect_streams(void *ctx, const struct carnet_stream_row *row)
{
    struct carnet_buf *seen = ctx;
    carnet_buf_printf(seen, "%u ", row->stream);
    return row->stream != 9;
}

static void streams_have_heads(void **state)
{
    struct place *p = *state;
    struct carnet_id a = id_of(1), b = id_of(2), author = id_of(3);
    struct carnet_stream_row row, again;
    OK(carnet_store_begin(p->store, &p->err));
    OK(carnet_store_stream(p->store, &a, &author, 4, true, &row, &p->err));
    assert_int_equal(row.seq, 0);
    row.seq = 7;
    row.void_from = 5;
    memset(row.hash.b, 0xab, sizeof row.hash.b);
    OK(carnet_store_stream_update(p->store, &row, &p->err));
    OK(carnet_store_stream(p->store, &a, &author, 2, true, &again, &p->err));
    OK(carnet_store_stream(p->store, &b, &author, 9, true, &again, &p->err));
    OK(carnet_store_stream(p->store, &b, &author, UINT32_MAX, true, &again, &p->err));
    OK(carnet_store_commit(p->store, &p->err));
    reopen(p);
    OK(carnet_store_stream(p->store, &a, &author, 4, false, &again, &p->err));
    assert_int_equal(again.n, row.n);
    assert_int_equal(again.seq, 7);
    assert_int_equal(again.void_from, 5);
    assert_true(carnet_hash_equal(&again.hash, &row.hash));
    assert_true(carnet_id_equal(&again.book, &a) && carnet_id_equal(&again.author, &author));
    assert_int_equal(carnet_store_stream(p->store, &a, &author, 5, false, &again, &p->err), CARNET_NOT_FOUND);
    assert_int_equal(carnet_store_stream(p->store, &author, &author, 4, false, &again, &p->err), CARNET_NOT_FOUND);

    struct carnet_buf seen;
    carnet_buf_init(&seen, 100);
    OK(carnet_store_streams(p->store, &a, collect_streams, &seen, &p->err));
    assert_string_equal(carnet_buf_cstr(&seen), "2 4 ");
    carnet_buf_clear(&seen);
    OK(carnet_store_streams(p->store, NULL, collect_streams, &seen, &p->err));
    assert_string_equal(carnet_buf_cstr(&seen), "2 4 9 ");
    carnet_buf_clear(&seen);
    OK(carnet_store_streams(p->store, &author, collect_streams, &seen, &p->err));
    assert_int_equal(seen.len, 0);
    carnet_buf_deinit(&seen);
}

static void entries_are_walked_by_lane_and_flag(void **state)
{
    struct place *p = *state;
    struct carnet_id book = id_of(1);
    struct carnet_stream_row stream;
    struct carnet_entry_row row, got;
    OK(carnet_store_begin(p->store, &p->err));
    OK(carnet_store_stream(p->store, &book, &book, 2, true, &stream, &p->err));
    for (unsigned k = 1; k <= 60; k++) {
        row = (struct carnet_entry_row){
            .stream_n = stream.n, .seq = k, .hlc = UINT64_MAX - k, .lane = k % 3, .bytes = text("bytes")};
        row.flags = k == 20 ? CARNET_ENTRY_FUTURE : k == 40 ? CARNET_ENTRY_WANTING | CARNET_ENTRY_VOID : 0;
        row.hash.b[0] = (uint8_t)k;
        OK(carnet_store_entry_add(p->store, &row, &p->err));
        assert_int_equal(row.n, k);
    }
    OK(carnet_store_entry_bytes(p->store, 30, text("shorter"), &p->err));
    OK(carnet_store_commit(p->store, &p->err));

    OK(carnet_store_entry_get(p->store, 30, &got, &p->err));
    slice_is(got.bytes, "shorter");
    assert_true(got.hlc == UINT64_MAX - 30 && got.seq == 30 && got.lane == 0 && got.hash.b[0] == 30 &&
                got.stream_n == stream.n);
    OK(carnet_store_entry_find(p->store, stream.n, 31, &got, &p->err));
    assert_int_equal(got.n, 31);
    assert_int_equal(carnet_store_entry_find(p->store, stream.n, 61, &got, &p->err), CARNET_NOT_FOUND);
    assert_int_equal(carnet_store_entry_find(p->store, stream.n, UINT64_MAX, &got, &p->err), CARNET_NOT_FOUND);
    assert_int_equal(carnet_store_entry_get(p->store, 0, &got, &p->err), CARNET_NOT_FOUND);
    for (unsigned lane = 0; lane < 3; lane++) {
        unsigned count = 0;
        for (int64_t from = 1; carnet_store_entry_next(p->store, lane, from, &got, &p->err) == CARNET_OK;
             from = got.n + 1, count++)
            assert_int_equal(got.lane, lane);
        assert_int_equal(count, 20);
    }
    OK(carnet_store_entry_next(p->store, 3, 60, &got, &p->err));
    assert_int_equal(carnet_store_entry_next(p->store, 3, 61, &got, &p->err), CARNET_NOT_FOUND);
    OK(carnet_store_entry_flagged(p->store, CARNET_ENTRY_VOID, 0, &got, &p->err));
    assert_int_equal(got.n, 40);
    OK(carnet_store_entry_flagged(p->store, 7, 0, &got, &p->err));
    assert_int_equal(got.n, 20);
    OK(carnet_store_begin(p->store, &p->err));
    OK(carnet_store_entry_flags(p->store, 20, 0, &p->err));
    OK(carnet_store_commit(p->store, &p->err));
    OK(carnet_store_entry_flagged(p->store, 7, 0, &got, &p->err));
    assert_int_equal(got.n, 40);
    assert_int_equal(carnet_store_entry_flagged(p->store, 7, 41, &got, &p->err), CARNET_NOT_FOUND);
    int64_t count = 0;
    OK(carnet_store_entry_count(p->store, &count, &p->err));
    assert_int_equal(count, 60);
    OK(carnet_store_check(p->store, &p->err));
}

/* One place of a chain holds one entry: the store does not let a second in, and says that it is not sound. */
static void one_place_one_entry(void **state)
{
    struct place *p = *state;
    struct carnet_id book = id_of(1);
    struct carnet_stream_row stream;
    OK(carnet_store_begin(p->store, &p->err));
    OK(carnet_store_stream(p->store, &book, &book, 2, true, &stream, &p->err));
    OK(carnet_store_entry_add(p->store, &(struct carnet_entry_row){.stream_n = stream.n, .seq = 1}, &p->err));
    assert_int_equal(
        carnet_store_entry_add(p->store, &(struct carnet_entry_row){.stream_n = stream.n, .seq = 1}, &p->err),
        CARNET_CORRUPT);
    assert_int_equal(carnet_store_commit(p->store, &p->err), CARNET_FAILED);
    carnet_store_rollback(p->store);
    int64_t count = -1;
    OK(carnet_store_entry_count(p->store, &count, &p->err));
    assert_int_equal(count, 0);
    OK(carnet_store_check(p->store, &p->err));
}

static void records_are_found_every_way(void **state)
{
    struct place *p = *state;
    struct carnet_id book = id_of(1), other = id_of(2), contact = id_of(10);
    struct carnet_record_row got;
    OK(carnet_store_begin(p->store, &p->err));
    struct carnet_record_row first = add_record(p, (struct carnet_record_row){.book = book,
                                                                              .id = contact,
                                                                              .subject = contact,
                                                                              .kind = 3,
                                                                              .flags = 5,
                                                                              .indexed = 0x80000001u,
                                                                              .state = text("first")});
    struct carnet_record_row note = add_record(
        p,
        (struct carnet_record_row){
            .book = book, .id = id_of(11), .subject = contact, .conflicts = 2, .due_ms = 500, .state = text("note")});
    struct carnet_record_row third = add_record(
        p, (struct carnet_record_row){
               .book = other, .id = contact, .subject = contact, .flags = 1, .due_ms = 100, .state = text("third")});
    OK(carnet_store_commit(p->store, &p->err));
    reopen(p);

    OK(carnet_store_record_get(p->store, &book, &contact, &got, &p->err));
    assert_int_equal(got.n, first.n);
    assert_true(got.kind == 3 && got.flags == 5 && got.indexed == 0x80000001u && got.due_ms == 0 && got.conflicts == 0);
    assert_true(carnet_id_equal(&got.book, &book) && carnet_id_equal(&got.id, &contact) &&
                carnet_id_equal(&got.subject, &contact));
    slice_is(got.state, "first");
    assert_int_equal(carnet_store_record_get(p->store, &other, &note.id, &got, &p->err), CARNET_NOT_FOUND);
    assert_int_equal(carnet_store_record_get(p->store, &contact, &contact, &got, &p->err), CARNET_NOT_FOUND);
    OK(carnet_store_record_at(p->store, third.n, &got, &p->err));
    slice_is(got.state, "third");
    OK(carnet_store_record_next(p->store, note.n, &got, &p->err));
    assert_int_equal(got.n, note.n);
    assert_int_equal(carnet_store_record_next(p->store, third.n + 1, &got, &p->err), CARNET_NOT_FOUND);
    OK(carnet_store_record_conflicting(p->store, 0, &got, &p->err));
    assert_int_equal(got.n, note.n);
    assert_int_equal(carnet_store_record_conflicting(p->store, note.n + 1, &got, &p->err), CARNET_NOT_FOUND);

    /* About: not the subject's own record, nor the same subject in another book. */
    OK(carnet_store_record_about(p->store, &book, &contact, 0, &got, &p->err));
    assert_int_equal(got.n, note.n);
    assert_int_equal(carnet_store_record_about(p->store, &book, &contact, note.n + 1, &got, &p->err), CARNET_NOT_FOUND);
    assert_int_equal(carnet_store_record_about(p->store, &other, &contact, 0, &got, &p->err), CARNET_NOT_FOUND);

    struct carnet_id zero = {{0}};
    OK(carnet_store_record_after(p->store, &book, &zero, &got, &p->err));
    struct carnet_id lowest = got.id;
    OK(carnet_store_record_after(p->store, &book, &lowest, &got, &p->err));
    assert_true(carnet_id_compare(&lowest, &got.id) < 0);
    assert_int_equal(carnet_store_record_after(p->store, &book, &got.id, &got, &p->err), CARNET_NOT_FOUND);

    int64_t n[4];
    size_t count;
    uint64_t tail = carnet_id_tail(&contact);
    OK(carnet_store_record_tails(p->store, tail, tail, 4, n, &count, &p->err));
    assert_int_equal(count, 2);
    assert_true(n[0] == first.n && n[1] == third.n);
    OK(carnet_store_record_tails(p->store, 0, INT64_MAX, 2, n, &count, &p->err));
    assert_int_equal(count, 2);

    /* Replaced: every column, and the counts. */
    OK(carnet_store_begin(p->store, &p->err));
    got = note;
    got.flags = 1;
    got.conflicts = 0;
    got.due_ms = 0;
    got.subject = zero;
    got.state = text("note again");
    OK(carnet_store_record_put(p->store, &got, &p->err));
    struct carnet_record_row same = first;
    same.flags = 4;
    same.state = text("a state that is quite a bit longer than the one before");
    OK(carnet_store_record_put(p->store, &same, &p->err));
    OK(carnet_store_commit(p->store, &p->err));
    OK(carnet_store_record_at(p->store, note.n, &got, &p->err));
    assert_true(got.flags == 1 && got.conflicts == 0 && got.due_ms == 0 && carnet_id_is_zero(&got.subject));
    slice_is(got.state, "note again");
    assert_int_equal(carnet_store_record_conflicting(p->store, 0, &got, &p->err), CARNET_NOT_FOUND);
    assert_int_equal(carnet_store_record_about(p->store, &book, &contact, 0, &got, &p->err), CARNET_NOT_FOUND);
    struct carnet_store_counts counts;
    OK(carnet_store_count(p->store, &counts, &p->err));
    assert_true(counts.contacts == 2 && counts.conflicts == 0 && counts.records == 3 && counts.entries == 0);
    OK(carnet_store_check(p->store, &p->err));
}

static void due_records_come_in_order_few_or_many(void **state)
{
    struct place *p = *state;
    struct carnet_id book = id_of(1);
    struct carnet_record_row got;
    OK(carnet_store_begin(p->store, &p->err));
    for (unsigned k = 0; k < 400; k++)
        add_record(p, (struct carnet_record_row){.book = book, .id = id_of(100 + k), .due_ms = k % 2 ? 1000 - k : 0});
    static const struct {
        int64_t now_ms;
        int count;
    } cases[] = {{600, 0}, {601, 1}, {700, 50}, {800, 100}, {2000, 200}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int count = 0;
        int64_t from = 0;
        while (carnet_store_record_due(p->store, cases[i].now_ms, from, &got, &p->err) == CARNET_OK) {
            assert_true(got.due_ms > 0 && got.due_ms <= cases[i].now_ms && got.n >= from);
            from = got.n + 1;
            count++;
        }
        assert_int_equal(count, cases[i].count);
    }
    OK(carnet_store_commit(p->store, &p->err));
}

static bool collect_touches(void *ctx, int64_t entry_n, unsigned change)
{
    carnet_buf_printf(ctx, "%lld/%u ", (long long)entry_n, change);
    return entry_n < 8;
}

static void touches_points_and_edges(void **state)
{
    struct place *p = *state;
    struct carnet_buf seen;
    carnet_buf_init(&seen, 100);
    int64_t n[3];
    size_t count;
    OK(carnet_store_begin(p->store, &p->err));
    OK(carnet_store_touch(p->store, 1, 8, 0, &p->err));
    OK(carnet_store_touch(p->store, 1, 3, 255, &p->err));
    OK(carnet_store_touch(p->store, 1, 3, 2, &p->err));
    OK(carnet_store_touch(p->store, 1, 3, 2, &p->err));
    OK(carnet_store_touch(p->store, 1, 9, 2, &p->err));
    OK(carnet_store_touch(p->store, 2, 3, 2, &p->err));
    OK(carnet_store_touches(p->store, 1, collect_touches, &seen, &p->err));
    assert_string_equal(carnet_buf_cstr(&seen), "3/2 3/255 8/0 ");
    carnet_buf_deinit(&seen);

    OK(carnet_store_point_add(p->store, UINT64_MAX, 5, &p->err));
    OK(carnet_store_point_add(p->store, UINT64_MAX, 4, &p->err));
    OK(carnet_store_point_add(p->store, UINT64_MAX, 4, &p->err));
    OK(carnet_store_point_add(p->store, 0, 4, &p->err));
    OK(carnet_store_points(p->store, UINT64_MAX, n, 3, &count, &p->err));
    assert_true(count == 2 && n[0] == 4 && n[1] == 5);
    OK(carnet_store_point_remove(p->store, UINT64_MAX, 4, &p->err));
    OK(carnet_store_points(p->store, UINT64_MAX, n, 1, &count, &p->err));
    assert_true(count == 1 && n[0] == 5);

    OK(carnet_store_edge_put(p->store, 1, 2, true, &p->err));
    OK(carnet_store_edge_put(p->store, 2, 1, true, &p->err));
    OK(carnet_store_edge_put(p->store, 1, 3, true, &p->err));
    OK(carnet_store_edges(p->store, 1, n, 3, &count, &p->err));
    assert_true(count == 2 && n[0] == 2 && n[1] == 3);
    OK(carnet_store_edges(p->store, 3, n, 3, &count, &p->err));
    assert_true(count == 1 && n[0] == 1);
    OK(carnet_store_edge_put(p->store, 3, 1, false, &p->err));
    OK(carnet_store_edges(p->store, 1, n, 3, &count, &p->err));
    assert_int_equal(count, 1);
    OK(carnet_store_commit(p->store, &p->err));
}

/* What is new lies in a small table until it is much: nobody sees from outside in which. */
static void many_points_are_found_and_removed(void **state)
{
    struct place *p = *state;
    enum { COUNT = 50000, TRANSACTION = 12500 };
    int64_t n[3];
    size_t count;
    OK(carnet_store_begin(p->store, &p->err));
    for (int64_t k = 0; k < 40000; k++) /* an undone transaction leaves the small table as it was */
        OK(carnet_store_point_add(p->store, (uint64_t)k, 7, &p->err));
    carnet_store_rollback(p->store);
    for (uint64_t k = 0; k < COUNT; k++) {
        if (k % TRANSACTION == 0)
            OK(carnet_store_begin(p->store, &p->err));
        OK(carnet_store_point_add(p->store, k * UINT64_C(0x9e3779b97f4a7c15), (int64_t)k, &p->err));
        OK(carnet_store_point_add(p->store, 5, (int64_t)k % 2, &p->err));
        if (k % TRANSACTION == TRANSACTION - 1)
            OK(carnet_store_commit(p->store, &p->err));
        if (k == COUNT / 2)
            OK(carnet_store_point_add(p->store, 0, 0, &p->err)); /* again, when the first one has moved */
    }
    reopen(p);
    for (uint64_t pass = 0; pass < 2; pass++)
        for (uint64_t k = pass; k < COUNT; k += 997) {
            OK(carnet_store_points(p->store, k * UINT64_C(0x9e3779b97f4a7c15), n, 3, &count, &p->err));
            assert_int_equal(count, 1);
            assert_int_equal(n[0], k);
        }
    OK(carnet_store_points(p->store, 5, n, 3, &count, &p->err));
    assert_true(count == 2 && n[0] == 0 && n[1] == 1);
    OK(carnet_store_begin(p->store, &p->err));
    for (uint64_t k = 0; k < COUNT; k += 997)
        OK(carnet_store_point_remove(p->store, k * UINT64_C(0x9e3779b97f4a7c15), (int64_t)k, &p->err));
    OK(carnet_store_commit(p->store, &p->err));
    for (uint64_t k = 0; k < COUNT; k += 997) {
        OK(carnet_store_points(p->store, k * UINT64_C(0x9e3779b97f4a7c15), n, 3, &count, &p->err));
        assert_int_equal(count, 0);
    }
    OK(carnet_store_check(p->store, &p->err));
}

static size_t found(struct place *p, const char *match, int64_t after)
{
    int64_t n[64];
    size_t count = 0;
    OK(carnet_store_search(p->store, match, after, n, 64, &count, &p->err));
    for (size_t i = 0; i < count; i++)
        assert_true(n[i] > after && (i == 0 || n[i] > n[i - 1]));
    return count;
}

static void search_finds_words_and_beginnings(void **state)
{
    struct place *p = *state;
    OK(carnet_store_begin(p->store, &p->err));
    OK(carnet_store_search_add(p->store, 1, text("jeanne martin lyon"), &p->err));
    OK(carnet_store_search_add(p->store, 2, text("jean martineau paris"), &p->err));
    OK(carnet_store_search_add(p->store, 9, text("zoe o'brien cafe"), &p->err));
    assert_int_equal(found(p, "martin", 0), 1); /* seen before the commit */
    OK(carnet_store_commit(p->store, &p->err));
    reopen(p);
    assert_int_equal(found(p, "martin*", 0), 2);
    assert_int_equal(found(p, "martin*", 1), 1);
    assert_int_equal(found(p, "m*", 0), 2);
    assert_int_equal(found(p, "jean* paris", 0), 1);
    assert_int_equal(found(p, "jeanne OR zoe", 0), 2);
    assert_int_equal(found(p, "\"brien\"", 0), 1);
    assert_int_equal(found(p, "nobody", 0), 0);
    int64_t n[2];
    size_t count;
    OK(carnet_store_search(p->store, "martin*", 0, n, 1, &count, &p->err));
    assert_true(count == 1 && n[0] == 1);
    static const char *const wrong[] = {"\"", "AND", "(", "a b c)", "x:y", "NOT", "*", "\"a b\""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(carnet_store_search(p->store, wrong[i], 0, n, 2, &count, &p->err), CARNET_USAGE);

    OK(carnet_store_begin(p->store, &p->err));
    assert_int_equal(carnet_store_search(p->store, "(", 0, n, 2, &count, &p->err),
                     CARNET_USAGE); /* breaks no transaction */
    OK(carnet_store_search_remove(p->store, 2, text("jean martineau paris"), &p->err));
    OK(carnet_store_commit(p->store, &p->err));
    assert_int_equal(found(p, "martin*", 0), 1);
    OK(carnet_store_check(p->store, &p->err));
}

static void invitations_are_used_once(void **state)
{
    struct place *p = *state;
    struct carnet_invite_row row = {.code = id_of(1), .until_ms = 77, .terms = text("terms")}, got;
    OK(carnet_store_begin(p->store, &p->err));
    OK(carnet_store_invite_put(p->store, &row, &p->err));
    row.used_ms = 78;
    row.node = id_of(2);
    OK(carnet_store_invite_put(p->store, &row, &p->err));
    OK(carnet_store_commit(p->store, &p->err));
    reopen(p);
    OK(carnet_store_invite_get(p->store, &row.code, &got, &p->err));
    assert_true(got.until_ms == 77 && got.used_ms == 78 && carnet_id_equal(&got.node, &row.node));
    slice_is(got.terms, "terms");
    assert_int_equal(carnet_store_invite_get(p->store, &row.node, &got, &p->err), CARNET_NOT_FOUND);
}

static void what_is_derived_can_go(void **state)
{
    struct place *p = *state;
    struct carnet_id book = id_of(1);
    struct carnet_stream_row stream;
    struct carnet_record_row got;
    struct carnet_store_counts counts;
    for (int round = 0; round < 2; round++) {
        OK(carnet_store_begin(p->store, &p->err));
        OK(carnet_store_derived_drop(p->store, &p->err));
        OK(carnet_store_stream(p->store, &book, &book, 2, true, &stream, &p->err));
        struct carnet_record_row row =
            add_record(p, (struct carnet_record_row){.book = book, .id = id_of(2), .flags = 1, .conflicts = 1});
        OK(carnet_store_entry_add(
            p->store, &(struct carnet_entry_row){.stream_n = stream.n, .seq = (uint64_t)round + 1}, &p->err));
        OK(carnet_store_search_add(p->store, row.n, text("martin"), &p->err));
        OK(carnet_store_point_add(p->store, 1, row.n, &p->err));
        OK(carnet_store_commit(p->store, &p->err));
        assert_int_equal(found(p, "martin", 0), 1);
    }
    OK(carnet_store_begin(p->store, &p->err));
    OK(carnet_store_derived_drop(p->store, &p->err));
    assert_int_equal(found(p, "martin", 0), 0);
    OK(carnet_store_commit(p->store, &p->err));
    assert_int_equal(carnet_store_record_next(p->store, 0, &got, &p->err), CARNET_NOT_FOUND);
    OK(carnet_store_count(p->store, &counts, &p->err));
    assert_true(counts.contacts == 0 && counts.conflicts == 0 && counts.records == 0 && counts.entries == 2);
    OK(carnet_store_check(p->store, &p->err));
    assert_true(carnet_store_size(p->store) > 0 && carnet_store_size(p->store) % 8192 == 0);
}

/* A hand of our own on the file, while the store is closed. */
static void change_file(struct place *p, const char *sql)
{
    carnet_store_close(p->store);
    p->store = NULL;
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* The tables as the first version made them. */
static const char *const first_schema[] = {
    "CREATE TABLE meta("
    " name TEXT PRIMARY KEY NOT NULL,"
    " value BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID",
    "CREATE TABLE books("
    " b INTEGER PRIMARY KEY,"
    " id BLOB NOT NULL UNIQUE"
    ") STRICT",
    "CREATE TABLE streams("
    " n INTEGER PRIMARY KEY,"
    " book INTEGER NOT NULL REFERENCES books(b),"
    " author BLOB NOT NULL,"
    " stream INTEGER NOT NULL,"
    " seq INTEGER NOT NULL,"
    " void_from INTEGER NOT NULL,"
    " hash BLOB NOT NULL,"
    " UNIQUE(book, author, stream)"
    ") STRICT",
    "CREATE TABLE entries("
    " n INTEGER PRIMARY KEY,"
    " stream INTEGER NOT NULL REFERENCES streams(n),"
    " seq INTEGER NOT NULL,"
    " lane INTEGER NOT NULL,"
    " flags INTEGER NOT NULL,"
    " hlc INTEGER NOT NULL,"
    " arrived INTEGER NOT NULL,"
    " hash BLOB NOT NULL,"
    " bytes BLOB NOT NULL,"
    " UNIQUE(stream, seq)"
    ") STRICT",
    "CREATE INDEX entries_lane ON entries(lane) WHERE lane < 2",
    "CREATE INDEX entries_flagged ON entries(n) WHERE flags <> 0",
    "CREATE TABLE invites("
    " code BLOB PRIMARY KEY NOT NULL,"
    " until INTEGER NOT NULL,"
    " used INTEGER NOT NULL,"
    " node BLOB NOT NULL,"
    " terms BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID",
    "CREATE TABLE counts("
    " one INTEGER PRIMARY KEY CHECK(one = 1),"
    " contacts INTEGER NOT NULL,"
    " conflicts INTEGER NOT NULL,"
    " entries INTEGER NOT NULL,"
    " records INTEGER NOT NULL"
    ") STRICT",
    "INSERT INTO counts VALUES(1, 0, 0, 0, 0)",
    "CREATE TABLE records("
    " n INTEGER PRIMARY KEY,"
    " book INTEGER NOT NULL,"
    " id BLOB NOT NULL,"
    " subject BLOB,"
    " kind INTEGER NOT NULL,"
    " flags INTEGER NOT NULL,"
    " conflicts INTEGER NOT NULL,"
    " indexed INTEGER NOT NULL,"
    " due INTEGER NOT NULL,"
    " state BLOB NOT NULL,"
    " UNIQUE(book, id)"
    ") STRICT",
    "CREATE INDEX records_conflicting ON records(n) WHERE conflicts > 0",
    "CREATE INDEX records_due ON records(due) WHERE due > 0",
    "CREATE INDEX records_about ON records(book, subject) WHERE subject <> id",
    "CREATE TABLE touches("
    " record INTEGER NOT NULL,"
    " entry INTEGER NOT NULL,"
    " change INTEGER NOT NULL,"
    " PRIMARY KEY(record, entry, change)"
    ") STRICT, WITHOUT ROWID",
    "CREATE TABLE lookups("
    " space INTEGER NOT NULL,"
    " number INTEGER NOT NULL,"
    " record INTEGER NOT NULL,"
    " PRIMARY KEY(space, number, record)"
    ") STRICT, WITHOUT ROWID",
    "CREATE TABLE lookups_recent("
    " space INTEGER NOT NULL,"
    " number INTEGER NOT NULL,"
    " record INTEGER NOT NULL,"
    " PRIMARY KEY(space, number, record)"
    ") STRICT, WITHOUT ROWID",
    "CREATE TABLE edges("
    " a INTEGER NOT NULL,"
    " b INTEGER NOT NULL,"
    " PRIMARY KEY(a, b)"
    ") STRICT, WITHOUT ROWID",
    ("CREATE VIRTUAL TABLE search USING fts5(text, content='', columnsize=0, detail=none, prefix='2 3',"
     " tokenize='unicode61 remove_diacritics 0')"),
    "PRAGMA application_id=1131572852; PRAGMA user_version=1",
    "INSERT INTO meta VALUES('kept', x'6b')",
    "INSERT INTO books VALUES(1, zeroblob(16))",
    "INSERT INTO records VALUES(1, 1, zeroblob(16), NULL, 1, 1, 2, 0, 0, x'00')",
    "INSERT INTO search(rowid, text) VALUES(1, 'martin')",
    "UPDATE counts SET contacts = 1, conflicts = 2, records = 1",
};

static void a_database_of_the_first_version_is_brought_up(void **state)
{
    struct place *p = *state;
    struct carnet_buf kept;
    struct carnet_store_counts counts;
    bool wanted = true;
    sqlite3 *db = NULL;
    OK(carnet_store_derived_wanted(p->store, &wanted, &p->err));
    assert_false(wanted);
    carnet_store_close(p->store);
    p->store = NULL;
    assert_int_equal(unlink(p->path), 0);
    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA page_size=8192; PRAGMA journal_mode=WAL", NULL, NULL, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof first_schema / sizeof *first_schema; i++)
        assert_int_equal(sqlite3_exec(db, first_schema[i], NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);

    for (int round = 0; round < 2; round++) { /* an end before the rebuild changes nothing */
        OK(carnet_store_open(p->path, &(struct carnet_store_options){.create = false}, &p->store, &p->err));
        OK(carnet_store_derived_wanted(p->store, &wanted, &p->err));
        assert_true(wanted);
        OK(carnet_store_count(p->store, &counts, &p->err));
        assert_true(counts.contacts == 0 && counts.conflicts == 0 && counts.records == 0);
        assert_int_equal(found(p, "martin", 0), 0);
        carnet_buf_init(&kept, 16);
        OK(carnet_store_meta_get(p->store, "kept", &kept, &p->err));
        slice_is(carnet_buf_slice(&kept), "k");
        carnet_buf_deinit(&kept);
        OK(carnet_store_check(p->store, &p->err));
        carnet_store_close(p->store);
        p->store = NULL;
    }
    reopen(p);
    OK(carnet_store_begin(p->store, &p->err));
    OK(carnet_store_derived_drop(p->store, &p->err));
    OK(carnet_store_derived_wanted(p->store, &wanted, &p->err));
    assert_false(wanted);
    carnet_store_rollback(p->store); /* a rebuild that failed is still due */
    OK(carnet_store_derived_wanted(p->store, &wanted, &p->err));
    assert_true(wanted);
    OK(carnet_store_begin(p->store, &p->err));
    OK(carnet_store_derived_drop(p->store, &p->err));
    OK(carnet_store_commit(p->store, &p->err));
    reopen(p);
    OK(carnet_store_derived_wanted(p->store, &wanted, &p->err));
    assert_false(wanted);
}

static void other_databases_are_refused(void **state)
{
    struct place *p = *state;
    struct carnet_store_options options = {.create = true};
    change_file(p, "PRAGMA user_version=1000");
    assert_int_equal(carnet_store_open(p->path, &options, &p->store, &p->err), CARNET_FAILED);
    assert_null(p->store);
    assert_non_null(strstr(p->err.what, "newer"));
    assert_true(p->err.hint[0]);
    change_file(p, "PRAGMA user_version=1; PRAGMA application_id=5");
    assert_int_equal(carnet_store_open(p->path, &options, &p->store, &p->err), CARNET_FAILED);
    assert_non_null(strstr(p->err.what, "not a database of carnet"));

    options.create = false;
    char path[128];
    snprintf(path, sizeof path, "%s/none.db", p->dir);
    assert_int_equal(carnet_store_open(path, &options, &p->store, &p->err), CARNET_NOT_FOUND);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(path, sizeof path, "%s/none/carnet.db", p->dir);
    options.create = true;
    assert_int_equal(carnet_store_open(path, &options, &p->store, &p->err), CARNET_FAILED);

    FILE *f = fopen(p->path, "w");
    assert_non_null(f);
    for (int i = 0; i < 1000; i++)
        fputs("no database ", f);
    fclose(f);
    assert_int_equal(carnet_store_open(p->path, &options, &p->store, &p->err), CARNET_CORRUPT);
    assert_null(p->store);
}

static void the_files_are_private(void **state)
{
    struct place *p = *state;
    OK(carnet_store_begin(p->store, &p->err));
    OK(carnet_store_meta_put(p->store, "name", text("x"), &p->err));
    OK(carnet_store_commit(p->store, &p->err));
    char path[128];
    snprintf(path, sizeof path, "%s-wal", p->path);
    struct stat db, wal;
    assert_int_equal(stat(p->path, &db), 0);
    assert_int_equal(stat(path, &wal), 0);
    assert_int_equal(db.st_mode & 077, 0);
    assert_int_equal(wal.st_mode & 077, 0);
}

static void damage_is_seen(void **state)
{
    struct place *p = *state;
    change_file(p, "UPDATE counts SET contacts = 4");
    reopen(p);
    assert_int_equal(carnet_store_check(p->store, &p->err), CARNET_CORRUPT);
    change_file(p, "UPDATE counts SET contacts = 0");
    reopen(p);
    OK(carnet_store_check(p->store, &p->err));
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* D14. A child that only forked would share our locks: it starts this program again. */
static void a_second_process_is_told_within_a_second(void **state)
{
    struct place *p = *state;
    int64_t start = now_ms();
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "test_store", "--open", p->path, (char *)NULL);
        _exit(99);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), CARNET_BUSY);
    assert_true(now_ms() - start < 1000);
    OK(carnet_store_begin(p->store, &p->err)); /* and the first goes on */
    OK(carnet_store_meta_put(p->store, "name", text("x"), &p->err));
    OK(carnet_store_commit(p->store, &p->err));
}

static void a_long_log_is_checkpointed(void **state)
{
    struct place *p = *state;
    char path[128];
    snprintf(path, sizeof path, "%s-wal", p->path);
    char *value = carnet_alloc(1000000);
    struct stat wal = {0};
    off_t longest = 0;
    for (int i = 0; i < 60; i++) {
        memset(value, i, 1000000);
        OK(carnet_store_begin(p->store, &p->err));
        OK(carnet_store_meta_put(p->store, "long", carnet_slice(value, 1000000), &p->err));
        OK(carnet_store_commit(p->store, &p->err));
        assert_int_equal(stat(path, &wal), 0);
        longest = wal.st_size > longest ? wal.st_size : longest;
    }
    assert_in_range(longest, 16 << 20, 20 << 20);
    OK(carnet_store_sweep(p->store, &p->err));
    assert_int_equal(stat(path, &wal), 0);
    assert_int_equal(wal.st_size, 0);
    free(value);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--open") == 0) {
        struct carnet_store *store;
        struct carnet_err err = CARNET_ERR_INIT;
        carnet_rc rc = carnet_store_open(argv[2], &(struct carnet_store_options){.create = true}, &store, &err);
        if (rc == CARNET_OK)
            carnet_store_close(store);
        return (int)rc;
    }
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(meta_is_kept_and_replaced),
        T(a_rollback_leaves_nothing),
        T(streams_have_heads),
        T(entries_are_walked_by_lane_and_flag),
        T(one_place_one_entry),
        T(records_are_found_every_way),
        T(due_records_come_in_order_few_or_many),
        T(touches_points_and_edges),
        T(many_points_are_found_and_removed),
        T(search_finds_words_and_beginnings),
        T(invitations_are_used_once),
        T(what_is_derived_can_go),
        T(a_database_of_the_first_version_is_brought_up),
        T(other_databases_are_refused),
        T(the_files_are_private),
        T(damage_is_seen),
        T(a_second_process_is_told_within_a_second),
        T(a_long_log_is_checkpointed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
