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

/* The sealed parts of the contact in a scope that a node keeps. */
static size_t take_parts(size_t node, const struct carnet_id *record, enum carnet_scope scope, struct carnet_arena *arena, struct carnet_slice *out, size_t max)
{
    struct carnet_store *store = carnet_replica_store(world.nodes[node].replica);
    struct carnet_entry_row row;
    size_t count = 0;
    for (int64_t n = 1; carnet_store_entry_next(store, 2, n, &row, NULL) == CARNET_OK; n = row.n + 1) {
        struct carnet_entry entry;
        assert_int_equal(carnet_entry_decode(carnet_arena_dup(arena, row.bytes), arena, &entry), CARNET_OK);
        for (size_t i = 0; i < entry.change_count; i++)
            for (size_t j = 0; j < entry.changes[i].part_count; j++) {
                const struct carnet_part *part = &entry.changes[i].parts[j];
                if (carnet_id_equal(&entry.changes[i].record, record) && part->type == CARNET_PART_SEALED && part->scope == scope && part->present && count < max)
                    out[count++] = part->bytes;
            }
    }
    return count;
}

/* A contact whose names are in one part. */
static struct carnet_id add_names(size_t by)
{
    const struct carnet_event grant = { .type = CARNET_EVENT_GRANT, .purpose = world_text("file"), .basis = CARNET_BASIS_CONSENT };
    const struct carnet_write_cell cells[] = { { CARNET_FIELD_GIVEN, CARNET_SLICE_NONE, world_text("Zoé") },
                                               { CARNET_FIELD_FAMILY, CARNET_SLICE_NONE, world_text("Introuvable") },
                                               { CARNET_FIELD_TAG, world_text("quartier"), world_text("1") } };
    struct carnet_write write = { .book = world.book,
                                  .record = carnet_replica_new_id(world.nodes[by].replica),
                                  .kind = CARNET_KIND_CONTACT,
                                  .cells = cells,
                                  .cell_count = 3,
                                  .events = &grant,
                                  .event_count = 1,
                                  .fresh = true };
    write.subject = write.record;
    assert_int_equal(carnet_replica_write(world.nodes[by].replica, &write, 1, false, NULL, &err), CARNET_OK);
    return write.record;
}

/* Rectifies the family name. */
static void rectify_family(size_t by, const struct carnet_id *contact, const char *value)
{
    struct carnet_event rectify = { .type = CARNET_EVENT_RECTIFY };
    const struct carnet_write_cell cell = { CARNET_FIELD_FAMILY, CARNET_SLICE_NONE, world_text(value) };
    struct carnet_arena arena;
    struct carnet_view view;
    carnet_arena_init(&arena);
    assert_int_equal(carnet_replica_view(world.nodes[by].replica, &world.book, contact, &arena, &view, &err), CARNET_OK);
    for (size_t i = 0; i < view.cell_count; i++)
        if (view.cells[i].field == CARNET_FIELD_FAMILY)
            rectify.names[rectify.name_count++] = view.cells[i].siblings[0]->dot;
    assert_int_equal(rectify.name_count, 1);
    const struct carnet_write write = {
        .book = world.book, .record = *contact, .subject = *contact, .kind = CARNET_KIND_CONTACT, .cells = &cell, .cell_count = 1, .events = &rectify, .event_count = 1
    };
    assert_int_equal(carnet_replica_write(world.nodes[by].replica, &write, 1, false, NULL, &err), CARNET_OK);
    carnet_arena_deinit(&arena);
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

static void rectified_and_swept_leaves_no_byte_in_any_file(void **state)
{
    static const char plain[] = "Introuvable", folded[] = "introuvable";
    struct carnet_slice parts[4];
    struct carnet_arena arena;
    (void)state;
    carnet_arena_init(&arena);
    struct carnet_id contact = add_names(0);
    world_meet(&world);
    assert_int_equal(take_parts(0, &contact, CARNET_SCOPE_IDENTITY, &arena, parts, 4), 1);
    for (size_t node = 0; node < world.count; node++)
        assert_true(world_has_bytes(&world, node, parts[0].ptr, parts[0].len));
    assert_true(world_has_bytes(&world, 0, plain, strlen(plain)));

    rectify_family(1, &contact, "Martin");
    world_meet(&world);
    for (size_t node = 0; node < world.count; node++) {
        assert_true(carnet_replica_sweep_due(world.nodes[node].replica));
        assert_int_equal(carnet_replica_sweep(world.nodes[node].replica, &err), CARNET_OK);
        assert_false(carnet_replica_sweep_due(world.nodes[node].replica));
        assert_false(world_has_bytes(&world, node, parts[0].ptr, parts[0].len));
        assert_false(world_has_bytes(&world, node, plain, strlen(plain)));
        assert_false(world_has_bytes(&world, node, folded, strlen(folded)));
    }
    for (size_t node = 0; node < 2; node++) { /* what stood beside it is as it was */
        assert_string_equal(world_value(&world, node, &contact, CARNET_FIELD_GIVEN), "Zoé");
        assert_string_equal(world_value(&world, node, &contact, CARNET_FIELD_FAMILY), "Martin");
        assert_string_equal(world_value(&world, node, &contact, CARNET_FIELD_TAG), "1");
    }
    carnet_arena_deinit(&arena);
}

static void pull_lane(size_t to, size_t from, unsigned lane)
{
    struct carnet_store *store = carnet_replica_store(world.nodes[from].replica);
    struct carnet_entry_row row;
    for (int64_t n = 1; carnet_store_entry_next(store, lane, n, &row, NULL) == CARNET_OK; n = row.n + 1) {
        carnet_rc rc = CARNET_OK;
        assert_int_equal(carnet_replica_apply(world.nodes[to].replica, &row.bytes, 1, &rc, &err), CARNET_OK);
        assert_int_equal(rc, CARNET_OK);
    }
}

static void rectification_is_not_acknowledged_while_its_part_is_here(void **state)
{
    struct carnet_slice parts[4], late[4];
    struct carnet_arena arena;
    (void)state;
    carnet_arena_init(&arena);
    struct carnet_id contact = add_names(0);
    world_meet(&world);
    assert_int_equal(take_parts(0, &contact, CARNET_SCOPE_IDENTITY, &arena, parts, 4), 1);
    rectify_family(1, &contact, "Martin");
    /* the law comes first: what stands beside the value still lives in its part */
    pull_lane(0, 1, 1);
    int64_t last = carnet_replica_last(world.nodes[0].replica);
    assert_string_equal(world_value(&world, 0, &contact, CARNET_FIELD_FAMILY), "");
    assert_string_equal(world_value(&world, 0, &contact, CARNET_FIELD_GIVEN), "Zoé");
    assert_int_equal(carnet_replica_sweep(world.nodes[0].replica, &err), CARNET_OK);
    assert_int_equal(carnet_replica_last(world.nodes[0].replica), last); /* no receipt */
    assert_true(world_has_bytes(&world, 0, parts[0].ptr, parts[0].len));
    pull_lane(0, 1, 2);
    assert_true(carnet_replica_sweep_due(world.nodes[0].replica));
    last = carnet_replica_last(world.nodes[0].replica);
    assert_int_equal(carnet_replica_sweep(world.nodes[0].replica, &err), CARNET_OK);
    assert_true(carnet_replica_last(world.nodes[0].replica) > last);
    assert_false(world_has_bytes(&world, 0, parts[0].ptr, parts[0].len));
    /* who gets the value after the rectification keeps nothing of it */
    assert_true(world_has_bytes(&world, 2, parts[0].ptr, parts[0].len));
    size_t fresh = world_invite(&world, 0, "bureau 2", CARNET_ROLE_OFFICE, 0);
    world_pull(&world, fresh, 2);
    world_meet(&world);
    for (size_t node = 0; node < world.count; node++) {
        assert_int_equal(take_parts(node, &contact, CARNET_SCOPE_IDENTITY, &arena, late, 4), 1);
        assert_int_equal(carnet_replica_sweep(world.nodes[node].replica, &err), CARNET_OK);
        assert_false(world_has_bytes(&world, node, parts[0].ptr, parts[0].len));
    }
    carnet_arena_deinit(&arena);
}

static void rectification_from_the_future_waits_for_an_office_whose_clock_agrees(void **state)
{
    struct carnet_slice parts[4];
    struct carnet_arena arena;
    (void)state;
    carnet_arena_init(&arena);
    struct carnet_id contact = add_names(0);
    world_meet(&world);
    assert_int_equal(take_parts(0, &contact, CARNET_SCOPE_IDENTITY, &arena, parts, 4), 1);
    world.nodes[1].hands.wall_ms += 400 * WORLD_DAY_MS;
    rectify_family(1, &contact, "Martin");
    world_pull(&world, 0, 1);
    assert_string_equal(world_value(&world, 0, &contact, CARNET_FIELD_FAMILY), "Martin");
    int64_t last = carnet_replica_last(world.nodes[0].replica);
    assert_int_equal(carnet_replica_sweep(world.nodes[0].replica, &err), CARNET_OK);
    assert_int_equal(carnet_replica_last(world.nodes[0].replica), last); /* no receipt */
    world_upkeep(&world, 0, false);
    assert_true(world_has_bytes(&world, 0, parts[0].ptr, parts[0].len));
    assert_false(carnet_replica_sweep_due(world.nodes[0].replica));
    world_upkeep(&world, 0, true);
    assert_true(carnet_replica_sweep_due(world.nodes[0].replica));
    last = carnet_replica_last(world.nodes[0].replica);
    assert_int_equal(carnet_replica_sweep(world.nodes[0].replica, &err), CARNET_OK);
    assert_true(carnet_replica_last(world.nodes[0].replica) > last);
    assert_false(world_has_bytes(&world, 0, parts[0].ptr, parts[0].len));
    assert_string_equal(world_value(&world, 0, &contact, CARNET_FIELD_GIVEN), "Zoé");
    last = carnet_replica_last(world.nodes[0].replica);
    world_upkeep(&world, 0, true);
    assert_int_equal(carnet_replica_last(world.nodes[0].replica), last); /* confirmed once */
    carnet_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(erased_and_swept_leaves_no_byte_in_any_file, setup, teardown),
        cmocka_unit_test_setup_teardown(rectified_and_swept_leaves_no_byte_in_any_file, setup, teardown),
        cmocka_unit_test_setup_teardown(rectification_is_not_acknowledged_while_its_part_is_here, setup, teardown),
        cmocka_unit_test_setup_teardown(rectification_from_the_future_waits_for_an_office_whose_clock_agrees, setup, teardown),
        cmocka_unit_test_setup_teardown(receipts_say_who_has_swept, setup, teardown),
        cmocka_unit_test_setup_teardown(member_who_came_after_the_erasure_acknowledges_it_too, setup, teardown),
        cmocka_unit_test_setup_teardown(erasure_from_the_future_is_not_acknowledged_before_it_is_confirmed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
