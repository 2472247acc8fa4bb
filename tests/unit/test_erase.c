// SPDX-License-Identifier: EUPL-1.2
#include "members_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct world world;
static struct carnet_err err;

static int setup(void **state)
{
    (void)state;
    err = (struct carnet_err)CARNET_ERR_INIT;
    world_open(&world);
    world_invite(&world, 0, "bureau", CARNET_ROLE_OFFICE, 0);
    world_invite(&world, 0, "relais", CARNET_ROLE_RELAY, 0);
    world_meet(&world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static const struct carnet_event erase_event = { .type = CARNET_EVENT_ERASE };

/* Copies what the node keeps of the contact that must not stay: bytes of its parts, its seeds among them. */
static size_t take_secrets(size_t node, const struct carnet_id *contact, struct carnet_arena *arena, struct carnet_slice *out, size_t max)
{
    struct carnet_store *store = carnet_replica_store(world.nodes[node].replica);
    struct carnet_entry_row row;
    size_t count = 0;
    for (int64_t n = 1; carnet_store_entry_next(store, 3, n, &row, NULL) == CARNET_OK; n = row.n + 1) {
        struct carnet_entry entry;
        assert_int_equal(carnet_entry_decode(carnet_arena_dup(arena, row.bytes), arena, &entry), CARNET_OK);
        for (size_t i = 0; i < entry.change_count; i++)
            for (size_t j = 0; j < entry.changes[i].part_count; j++)
                if (carnet_id_equal(&entry.changes[i].subject, contact) && entry.changes[i].parts[j].present && count < max)
                    out[count++] = entry.changes[i].parts[j].bytes;
    }
    return count;
}

struct listed {
    size_t erasures, acknowledged, outstanding;
    struct carnet_id last_outstanding;
};

static bool list(void *ctx, const struct carnet_erasure *erasure)
{
    struct listed *listed = ctx;
    listed->erasures++;
    listed->acknowledged = erasure->acknowledged_count;
    listed->outstanding = erasure->outstanding_count;
    if (erasure->outstanding_count)
        listed->last_outstanding = erasure->outstanding[0];
    return true;
}

static struct listed list_erasures(size_t node)
{
    struct listed listed = { 0 };
    struct carnet_arena arena;
    carnet_arena_init(&arena);
    assert_int_equal(carnet_replica_erasures(world.nodes[node].replica, &arena, list, &listed, &err), CARNET_OK);
    carnet_arena_deinit(&arena);
    return listed;
}

static void erased_and_swept_leaves_no_byte_in_any_file(void **state)
{
    static const char plain[] = "zoe.introuvable", folded[] = "introuvable";
    struct carnet_slice secrets[16];
    struct carnet_arena arena;
    struct carnet_id note;
    (void)state;
    carnet_arena_init(&arena);
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe.introuvable@example.org");
    struct carnet_id kept = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "ali@example.org");
    const struct carnet_event profile = { .type = CARNET_EVENT_GRANT, .purpose = world_text("profile"), .basis = CARNET_BASIS_CONSENT };
    world_event(&world, 0, &contact, &profile);
    const struct carnet_write_cell cell = { .field = CARNET_FIELD_TEXT, .value = world_text("rencontre introuvable") };
    note = carnet_replica_new_id(world.nodes[0].replica);
    const struct carnet_write write = {
        .book = world.book, .record = note, .subject = contact, .kind = CARNET_KIND_NOTE, .cells = &cell, .cell_count = 1, .fresh = true
    };
    struct carnet_write_result result = { 0 };
    assert_int_equal(carnet_replica_write(world.nodes[0].replica, &write, 1, false, &result, &err), CARNET_OK);
    world_meet(&world);
    world_write(&world, 1, &contact, CARNET_FIELD_EMAIL, "zoe.introuvable.2@example.org");
    world_meet(&world);
    size_t count = take_secrets(0, &contact, &arena, secrets, 16);
    assert_true(count >= 5);
    for (size_t node = 0; node < world.count; node++)
        for (size_t i = 0; i < count; i++)
            assert_true(world_has_bytes(&world, node, secrets[i].ptr, secrets[i].len));
    assert_true(world_has_bytes(&world, 1, plain, strlen(plain)));
    assert_false(world_has_bytes(&world, 2, folded, strlen(folded))); /* a relay reads nothing */

    world_event(&world, 1, &contact, &erase_event);
    world_meet(&world);
    for (size_t node = 0; node < world.count; node++) {
        assert_true(carnet_replica_sweep_due(world.nodes[node].replica));
        assert_int_equal(carnet_replica_sweep(world.nodes[node].replica, &err), CARNET_OK);
        assert_false(carnet_replica_sweep_due(world.nodes[node].replica));
        assert_int_equal(world_parts(&world, node, &contact), 0);
        for (size_t i = 0; i < count; i++)
            assert_false(world_has_bytes(&world, node, secrets[i].ptr, secrets[i].len));
        assert_false(world_has_bytes(&world, node, plain, strlen(plain)));
        assert_false(world_has_bytes(&world, node, folded, strlen(folded)));
    }
    assert_string_equal(world_value(&world, 0, &contact, CARNET_FIELD_EMAIL), "");
    assert_string_equal(world_value(&world, 1, &kept, CARNET_FIELD_EMAIL), "ali@example.org");
    carnet_arena_deinit(&arena);
}

static void receipts_say_who_has_swept(void **state)
{
    (void)state;
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe@example.org");
    world_meet(&world);
    assert_int_equal(list_erasures(0).erasures, 0);
    assert_false(carnet_replica_sweep_due(world.nodes[0].replica));
    world_event(&world, 0, &contact, &erase_event);
    struct listed listed = list_erasures(0);
    assert_int_equal(listed.erasures, 1);
    assert_int_equal(listed.acknowledged, 0);
    assert_int_equal(listed.outstanding, 3);
    assert_int_equal(carnet_replica_sweep(world.nodes[0].replica, &err), CARNET_OK);
    assert_int_equal(carnet_replica_sweep(world.nodes[1].replica, &err), CARNET_OK); /* it has not heard of it yet */
    world_meet(&world);
    assert_int_equal(list_erasures(1).acknowledged, 1);
    assert_int_equal(carnet_replica_sweep(world.nodes[1].replica, &err), CARNET_OK);
    world_meet(&world);
    listed = list_erasures(0);
    assert_int_equal(listed.acknowledged, 2);
    assert_int_equal(listed.outstanding, 1);
    assert_true(carnet_id_equal(&listed.last_outstanding, &world.nodes[2].id));
    assert_int_equal(carnet_replica_sweep(world.nodes[2].replica, &err), CARNET_OK);
    world_meet(&world);
    for (size_t node = 0; node < world.count; node++)
        assert_int_equal(list_erasures(node).outstanding, 0);
    /* receipts ask for no receipts */
    int64_t last = carnet_replica_last(world.nodes[0].replica);
    assert_int_equal(carnet_replica_sweep(world.nodes[0].replica, &err), CARNET_OK);
    assert_int_equal(carnet_replica_last(world.nodes[0].replica), last);
    assert_false(carnet_replica_sweep_due(world.nodes[0].replica));
}

static void member_who_came_after_the_erasure_acknowledges_it_too(void **state)
{
    (void)state;
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe@example.org");
    world_event(&world, 0, &contact, &erase_event);
    assert_int_equal(carnet_replica_sweep(world.nodes[0].replica, &err), CARNET_OK);
    size_t late = world_invite(&world, 0, "bureau 2", CARNET_ROLE_OFFICE, 0);
    assert_true(carnet_replica_sweep_due(world.nodes[late].replica));
    assert_int_equal(carnet_replica_sweep(world.nodes[late].replica, &err), CARNET_OK);
    assert_false(carnet_replica_sweep_due(world.nodes[late].replica));
    world_meet(&world);
    assert_int_equal(list_erasures(0).acknowledged, 2);
}

static void erasure_from_the_future_is_not_acknowledged_before_it_is_confirmed(void **state)
{
    (void)state;
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe@example.org");
    world_meet(&world);
    world.nodes[1].hands.wall_ms += 400 * WORLD_DAY_MS;
    world_event(&world, 1, &contact, &erase_event);
    world_pull(&world, 0, 1);
    assert_string_equal(world_value(&world, 0, &contact, CARNET_FIELD_EMAIL), "");
    assert_true(world_parts(&world, 0, &contact) > 0);
    assert_int_equal(carnet_replica_sweep(world.nodes[0].replica, &err), CARNET_OK);
    assert_int_equal(list_erasures(0).acknowledged, 0);
    world_upkeep(&world, 0, false);
    assert_true(world_parts(&world, 0, &contact) > 0);
    world_upkeep(&world, 0, true);
    assert_int_equal(world_parts(&world, 0, &contact), 0);
    assert_true(carnet_replica_sweep_due(world.nodes[0].replica));
    assert_int_equal(carnet_replica_sweep(world.nodes[0].replica, &err), CARNET_OK);
    assert_int_equal(list_erasures(0).acknowledged, 1);
    int64_t last = carnet_replica_last(world.nodes[0].replica);
    world_upkeep(&world, 0, true);
    assert_int_equal(carnet_replica_last(world.nodes[0].replica), last); /* confirmed once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(erased_and_swept_leaves_no_byte_in_any_file, setup, teardown),
        cmocka_unit_test_setup_teardown(receipts_say_who_has_swept, setup, teardown),
        cmocka_unit_test_setup_teardown(member_who_came_after_the_erasure_acknowledges_it_too, setup, teardown),
        cmocka_unit_test_setup_teardown(erasure_from_the_future_is_not_acknowledged_before_it_is_confirmed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
