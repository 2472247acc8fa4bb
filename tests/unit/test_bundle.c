// SPDX-License-Identifier: EUPL-1.2
#include "../support/sync_world.h"
#include "carnet/sync/bundle.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FOUNDER, OFFICE, VOLUNTEER };

struct file {
    struct carnet_buf bytes;
    size_t at, stop; /* writing ends there; 0: never */
    struct world_node *node;
};

static bool write_file(void *ctx, struct carnet_slice bytes)
{
    struct file *file = ctx;
    carnet_buf_append_slice(&file->bytes, bytes);
    return !file->stop || file->bytes.len < file->stop;
}

static bool read_file(void *ctx, uint8_t *out, size_t max, size_t *got)
{
    struct file *file = ctx;
    size_t left = file->bytes.len - file->at;
    *got = left < max ? left : max;
    if (*got)
        memcpy(out, file->bytes.ptr + file->at, *got);
    file->at += *got;
    return true;
}

static carnet_rc apply(void *ctx, const struct carnet_slice *entries, size_t count, carnet_rc *rcs)
{
    struct file *file = ctx;
    for (size_t i = 0; i < count; i++)
        rcs[i] = world_apply(file->node, entries[i]);
    return CARNET_OK;
}

static void community(struct world *world, uint8_t salt)
{
    world_init(world, salt);
    struct world_terms office = { .role = CARNET_ROLE_OFFICE, .scopes = CARNET_SCOPES_ALL };
    struct world_terms volunteer = {
        .role = CARNET_ROLE_VOLUNTEER, .scopes = 1u << CARNET_SCOPE_IDENTITY, .books = &world->book[1], .book_count = 1
    };
    world_join(world, "office", &office);
    world_join(world, "volunteer", &volunteer);
    for (size_t i = 0; i < 20; i++) {
        world_write(&world->nodes[FOUNDER], &world->book[i % 2], CARNET_LOG_DATA);
        if (i % 5 == 0)
            world_write(&world->nodes[FOUNDER], &world->book[i % 2], CARNET_LOG_LAW);
    }
    for (size_t i = 0; i < 6; i++)
        world_write_large(&world->nodes[FOUNDER], &world->book[1], 16000);
}

static carnet_rc export(struct file *file, const struct world_node *from, const struct carnet_cert *reader, struct carnet_bundle_stats *stats)
{
    struct carnet_bundle_terms terms = { .reader = reader, .wall_ms = WORLD_WALL_MS, .sk = &from->sk };
    carnet_buf_init(&file->bytes, 1 << 24);
    return carnet_bundle_write(&from->source, &terms, write_file, file, stats);
}

static carnet_rc import(struct file *file, struct world_node *to, struct carnet_bundle_stats *stats, const char **why)
{
    struct carnet_bundle_input input = { .ctx = file, .read = read_file, .apply = apply };
    file->at = 0;
    file->node = to;
    return carnet_bundle_read(&to->source, &input, stats, why);
}

static void a_bundle_carries_what_a_session_would(void **state)
{
    (void)state;
    struct world world;
    struct file file = { 0 };
    struct carnet_bundle_stats written, read;
    const char *why;
    community(&world, 1);
    struct world_node *founder = &world.nodes[FOUNDER], *office = &world.nodes[OFFICE];
    assert_int_equal(export(&file, founder, NULL, &written), CARNET_OK);
    assert_int_equal(written.entries, founder->entry_count);
    assert_int_equal(written.bytes, file.bytes.len);
    assert_int_equal(import(&file, office, &read, &why), CARNET_OK);
    assert_int_equal(read.entries, written.entries);
    assert_int_equal(read.refused, 0);
    assert_true(carnet_id_equal(&read.sender, &founder->cert.node));
    for (unsigned lane = 0; lane < CARNET_LANES; lane++)
        assert_true(world_same(founder, office, lane ? &world.book[1] : &world.community, lane));
    assert_int_equal(import(&file, office, &read, &why), CARNET_OK); /* again: nothing changes */
    assert_int_equal(office->entry_count, founder->entry_count);
    carnet_buf_deinit(&file.bytes);
    world_deinit(&world);
}

static void it_holds_only_what_its_reader_may_have(void **state)
{
    (void)state;
    struct world world;
    struct file file = { 0 };
    struct carnet_bundle_stats stats;
    const char *why;
    community(&world, 1);
    struct world_node *founder = &world.nodes[FOUNDER], *volunteer = &world.nodes[VOLUNTEER];
    assert_int_equal(export(&file, founder, &volunteer->cert, &stats), CARNET_OK);
    assert_int_equal(import(&file, &world.nodes[OFFICE], &stats, &why), CARNET_REFUSED);
    assert_string_equal(why, "the bundle is for another node");
    assert_int_equal(import(&file, volunteer, &stats, &why), CARNET_OK);
    assert_true(world_same(founder, volunteer, &world.book[1], 2));
    assert_int_equal(world_parts(volunteer, CARNET_SCOPE_EMAIL), 0);
    assert_true(world_parts(volunteer, CARNET_SCOPE_IDENTITY) > 0);
    carnet_buf_deinit(&file.bytes);
    world_deinit(&world);

    /* one for everybody: the reader takes what is its own */
    community(&world, 1);
    volunteer = &world.nodes[VOLUNTEER];
    assert_int_equal(export(&file, &world.nodes[FOUNDER], NULL, &stats), CARNET_OK);
    assert_int_equal(import(&file, volunteer, &stats, &why), CARNET_OK);
    assert_int_equal(world_parts(volunteer, CARNET_SCOPE_EMAIL), 0);
    for (size_t i = 0; i < volunteer->chain_count; i++)
        assert_false(carnet_id_equal(&volunteer->chains[i].book, &world.book[0]));
    carnet_buf_deinit(&file.bytes);
    world_deinit(&world);
}

static void collect(void *arg, const struct carnet_sync_head *head)
{
    struct carnet_buf *heads = arg;
    carnet_buf_append(heads, head, sizeof *head);
}

static void what_the_reader_has_is_left_out(void **state)
{
    (void)state;
    struct world world;
    struct file file = { 0 };
    struct carnet_bundle_stats stats;
    struct carnet_buf heads;
    community(&world, 1);
    struct world_node *founder = &world.nodes[FOUNDER], *office = &world.nodes[OFFICE];
    world_copy(founder, office, true);
    world_write(founder, &world.book[0], CARNET_LOG_DATA);
    carnet_buf_init(&heads, 1 << 16);
    office->source.heads(office, &world.community, 0, collect, &heads);
    for (unsigned i = 0; i < 4; i++)
        office->source.heads(office, &world.book[i / 2], 2 - i % 2, collect, &heads);
    struct carnet_bundle_terms terms = { .heads = (const void *)heads.ptr, .head_count = heads.len / sizeof(struct carnet_sync_head),
                                         .sk = &founder->sk };
    carnet_buf_init(&file.bytes, 1 << 24);
    assert_int_equal(carnet_bundle_write(&founder->source, &terms, write_file, &file, &stats), CARNET_OK);
    assert_int_equal(stats.entries, 1);
    assert_int_equal(import(&file, office, &stats, NULL), CARNET_OK);
    assert_true(world_same(founder, office, &world.book[0], 2));
    carnet_buf_deinit(&heads);
    carnet_buf_deinit(&file.bytes);
    world_deinit(&world);
}

static void a_cut_file_keeps_whole_entries_and_is_one_error(void **state)
{
    (void)state;
    struct world world;
    struct file whole = { 0 };
    struct carnet_bundle_stats stats;
    const char *why;
    community(&world, 1);
    assert_int_equal(export(&whole, &world.nodes[FOUNDER], NULL, &stats), CARNET_OK);
    world_deinit(&world);
    size_t before = 0;
    for (size_t len = 0; len <= whole.bytes.len; len += len + 300 < whole.bytes.len ? whole.bytes.len / 60 : 1) {
        struct file cut = { .bytes = whole.bytes };
        community(&world, 1);
        cut.bytes.len = len;
        carnet_rc rc = import(&cut, &world.nodes[OFFICE], &stats, &why);
        assert_int_equal(rc, len == whole.bytes.len ? CARNET_OK : CARNET_MALFORMED);
        assert_true(world.nodes[OFFICE].entry_count >= before);
        assert_int_equal(world.nodes[OFFICE].entry_count, stats.entries);
        before = world.nodes[OFFICE].entry_count;
        world_deinit(&world);
    }
    assert_true(before > 20);
    carnet_buf_deinit(&whole.bytes);
}

static void an_altered_file_is_one_error(void **state)
{
    (void)state;
    struct world world;
    struct file file = { 0 };
    struct carnet_bundle_stats stats;
    const char *why;
    community(&world, 1);
    assert_int_equal(export(&file, &world.nodes[FOUNDER], NULL, &stats), CARNET_OK);
    for (size_t at = 0; at < file.bytes.len; at += 1 + file.bytes.len / 150) {
        file.bytes.ptr[at] ^= 0x10;
        assert_int_not_equal(import(&file, &world.nodes[OFFICE], &stats, &why), CARNET_OK);
        assert_non_null(why);
        file.bytes.ptr[at] ^= 0x10;
    }
    carnet_buf_append_byte(&file.bytes, 0);
    assert_int_equal(import(&file, &world.nodes[OFFICE], &stats, &why), CARNET_MALFORMED);
    assert_string_equal(why, "the bundle is cut or altered");
    carnet_buf_deinit(&file.bytes);
    world_deinit(&world);
}

static void other_communities_and_the_revoked_are_refused(void **state)
{
    (void)state;
    struct world world, other;
    struct file file = { 0 };
    struct carnet_bundle_stats stats;
    const char *why;
    community(&world, 1);
    community(&other, 2);
    world_copy(&world.nodes[FOUNDER], &world.nodes[OFFICE], true);
    assert_int_equal(export(&file, &world.nodes[OFFICE], NULL, &stats), CARNET_OK);
    assert_int_equal(import(&file, &other.nodes[OFFICE], &stats, &why), CARNET_REFUSED);
    assert_string_equal(why, "the bundle belongs to another community");
    world_cut(&world.nodes[FOUNDER], &world.nodes[OFFICE]);
    size_t entries = world.nodes[FOUNDER].entry_count;
    assert_int_equal(import(&file, &world.nodes[FOUNDER], &stats, &why), CARNET_REFUSED);
    assert_string_equal(why, "the bundle's sender was revoked");
    assert_int_equal(world.nodes[FOUNDER].entry_count, entries);
    carnet_buf_deinit(&file.bytes);
    assert_int_equal(export(&file, &world.nodes[FOUNDER], &world.nodes[OFFICE].cert, &stats), CARNET_REFUSED);
    carnet_buf_deinit(&file.bytes);
    file.stop = 100;
    assert_int_equal(export(&file, &world.nodes[FOUNDER], NULL, &stats), CARNET_CANCELLED);
    carnet_buf_deinit(&file.bytes);
    world_deinit(&world);
    world_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_carries_what_a_session_would),
        cmocka_unit_test(it_holds_only_what_its_reader_may_have),
        cmocka_unit_test(what_the_reader_has_is_left_out),
        cmocka_unit_test(a_cut_file_keeps_whole_entries_and_is_one_error),
        cmocka_unit_test(an_altered_file_is_one_error),
        cmocka_unit_test(other_communities_and_the_revoked_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
