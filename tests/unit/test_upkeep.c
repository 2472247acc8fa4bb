// SPDX-License-Identifier: EUPL-1.2
#include "members_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct world world;
static struct carnet_err err;
static const uint32_t email = 1u << CARNET_SCOPE_EMAIL;

static int setup(void **state)
{
    (void)state;
    err = (struct carnet_err)CARNET_ERR_INIT;
    world_open(&world);
    world_invite(&world, 0, "bureau", CARNET_ROLE_OFFICE, 0);
    world_invite(&world, 0, "Ali", CARNET_ROLE_VOLUNTEER, CARNET_SCOPES_ALL);
    world_meet(&world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void withdraw(size_t by, const struct carnet_id *contact)
{
    const struct carnet_event event = { .type = CARNET_EVENT_WITHDRAW, .purpose = world_text("newsletter") };
    world_event(&world, by, contact, &event);
}

static int64_t entries(size_t node)
{
    return carnet_replica_last(world.nodes[node].replica);
}

static void error_is_none(void *ctx, const char *error)
{
    fail_msg("%s: %s", (const char *)ctx, error);
}

static void check_all(void)
{
    struct carnet_hash first, hash;
    for (size_t i = 0; i < world.count; i++) {
        assert_int_equal(carnet_replica_verify(world.nodes[i].replica, error_is_none, (void *)(uintptr_t)"verify", &err), CARNET_OK);
        assert_int_equal(carnet_replica_state(world.nodes[i].replica, &world.book, i ? &hash : &first, &err), CARNET_OK);
        if (i)
            assert_memory_equal(&first, &hash, sizeof hash);
    }
}

static void office_darkens_72_hours_after_a_withdrawal(void **state)
{
    (void)state;
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe@example.org");
    world_meet(&world);
    withdraw(1, &contact);
    world_meet(&world);
    world_clock(&world, WORLD_MS + 71 * WORLD_HOUR_MS);
    world_upkeep(&world, 1, true);
    assert_int_equal(world_dark(&world, 1, &contact), 0);
    world_clock(&world, WORLD_MS + 73 * WORLD_HOUR_MS);
    world_upkeep(&world, 2, true); /* a volunteer may not */
    assert_int_equal(world_dark(&world, 2, &contact), 0);
    world_upkeep(&world, 1, true);
    assert_true(world_dark(&world, 1, &contact) & email);
    assert_true(world_parts(&world, 1, &contact) <= 1); /* the seed of scope consent alone lives on */
    world_meet(&world);
    assert_true(world_dark(&world, 0, &contact) & email);
    assert_true(world_parts(&world, 2, &contact) <= 1);
    int64_t last = entries(0);
    world_upkeep(&world, 0, true); /* done: nobody does it again */
    world_upkeep(&world, 0, true);
    assert_true(entries(0) <= last + 1); /* but for `alive` */
    check_all();
}

static void no_clock_alone_destroys(void **state)
{
    (void)state;
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe@example.org");
    struct carnet_id expired = world_add(&world, 0, "newsletter", WORLD_MS + WORLD_DAY_MS, CARNET_FIELD_EMAIL, "ali@example.org");
    world_meet(&world);
    withdraw(0, &contact);
    world_meet(&world);
    world.nodes[1].hands.wall_ms += 3000 * WORLD_DAY_MS; /* wrong by years */
    for (int i = 0; i < 3; i++)
        world_upkeep(&world, 1, false);
    assert_int_equal(world_dark(&world, 1, &contact), 0);
    assert_int_equal(world_dark(&world, 1, &expired), 0);
    assert_string_equal(world_value(&world, 1, &expired, CARNET_FIELD_EMAIL), ""); /* blocked */
    world.nodes[1].hands.wall_ms = WORLD_MS + 1000;
    world_upkeep(&world, 1, true);
    assert_string_equal(world_value(&world, 1, &expired, CARNET_FIELD_EMAIL), "ali@example.org"); /* and back */
}

static void granting_again_within_72_hours_saves_the_values(void **state)
{
    struct carnet_arena arena;
    struct carnet_view view;
    (void)state;
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe@example.org");
    world_meet(&world);
    withdraw(1, &contact);
    world_clock(&world, WORLD_MS + 10 * WORLD_HOUR_MS);
    carnet_arena_init(&arena);
    assert_int_equal(carnet_replica_view(world.nodes[1].replica, &world.book, &contact, &arena, &view, &err), CARNET_OK);
    struct carnet_event grant = {
        .type = CARNET_EVENT_GRANT, .purpose = world_text("newsletter"), .basis = CARNET_BASIS_CONSENT, .proof = CARNET_PROOF_DOUBLE_OPT_IN
    };
    grant.name_count = carnet_consent_refusals(&view.record, grant.purpose, grant.names, CARNET_CHANGE_EVENTS_MAX);
    world_event(&world, 1, &contact, &grant);
    carnet_arena_deinit(&arena);
    world_clock(&world, WORLD_MS + 100 * WORLD_HOUR_MS);
    world_upkeep(&world, 1, true);
    assert_string_equal(world_value(&world, 1, &contact, CARNET_FIELD_EMAIL), "zoe@example.org");
}

static void expiry_blocks_and_is_darkened_72_hours_later(void **state)
{
    struct carnet_record_row row;
    (void)state;
    int64_t until_ms = WORLD_MS + WORLD_DAY_MS;
    struct carnet_id contact = world_add(&world, 0, "newsletter", until_ms, CARNET_FIELD_EMAIL, "zoe@example.org");
    world_meet(&world);
    world_upkeep(&world, 1, true);
    assert_int_equal(carnet_store_record_get(carnet_replica_store(world.nodes[1].replica), &world.book, &contact, &row, &err), CARNET_OK);
    assert_true(row.indexed & email);
    world_clock(&world, until_ms);
    assert_string_equal(world_value(&world, 1, &contact, CARNET_FIELD_EMAIL), "");
    assert_true(carnet_replica_upkeep_due_ms(world.nodes[1].replica) <= until_ms);
    world_upkeep(&world, 1, true);
    assert_int_equal(carnet_store_record_get(carnet_replica_store(world.nodes[1].replica), &world.book, &contact, &row, &err), CARNET_OK);
    assert_false(row.indexed & email); /* no longer found by its address */
    assert_int_equal(world_dark(&world, 1, &contact), 0);
    world_clock(&world, until_ms + 73 * WORLD_HOUR_MS);
    world_upkeep(&world, 1, false);
    assert_int_equal(world_dark(&world, 1, &contact), 0);
    world_upkeep(&world, 1, true);
    assert_true(world_dark(&world, 1, &contact) & email);
}

/* Somebody writes a day where three years were meant: everybody is blocked at once, and nothing is destroyed before there was time to take it back. */
static void a_shorter_silence_leaves_time_to_undo(void **state)
{
    struct carnet_id zoe = world_add(&world, 0, "file", 0, CARNET_FIELD_GIVEN, "Zoé");
    struct carnet_charter_word word = { .key = world_text("contact"), .value = world_text("1d") };
    (void)state;
    world_clock(&world, WORLD_MS + 40 * WORLD_DAY_MS);
    assert_int_equal(carnet_replica_charter_set(world.nodes[0].replica, &word, 1, &err), CARNET_OK);
    assert_string_equal(world_value(&world, 0, &zoe, CARNET_FIELD_GIVEN), "");
    world_upkeep(&world, 0, true);
    world_clock(&world, WORLD_MS + 42 * WORLD_DAY_MS);
    world_upkeep(&world, 0, true);
    assert_int_equal(world_dark(&world, 0, &zoe), 0);
    word.value = CARNET_SLICE_NONE;
    assert_int_equal(carnet_replica_charter_set(world.nodes[0].replica, &word, 1, &err), CARNET_OK);
    assert_string_equal(world_value(&world, 0, &zoe, CARNET_FIELD_GIVEN), "Zoé");
    word.value = world_text("1d");
    assert_int_equal(carnet_replica_charter_set(world.nodes[0].replica, &word, 1, &err), CARNET_OK);
    world_clock(&world, WORLD_MS + 46 * WORLD_DAY_MS);
    world_upkeep(&world, 0, true);
    assert_int_equal(world_dark(&world, 0, &zoe), 1u << CARNET_SCOPE_IDENTITY);
}

static void darkening_from_the_future_waits_for_an_office_whose_clock_agrees(void **state)
{
    (void)state;
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe@example.org");
    world_meet(&world);
    size_t parts = world_parts(&world, 0, &contact);
    withdraw(1, &contact);
    world.nodes[1].hands.wall_ms += 900 * WORLD_DAY_MS;
    assert_int_equal(carnet_replica_dark(world.nodes[1].replica, &world.book, &contact, email, &err), CARNET_OK);
    world_pull(&world, 0, 1);
    world_pull(&world, 2, 1);
    assert_true(world_dark(&world, 0, &contact) & email); /* blocked at once */
    assert_int_equal(world_parts(&world, 0, &contact), parts);
    world_upkeep(&world, 2, true); /* not an office */
    assert_int_equal(world_parts(&world, 2, &contact), parts);
    world_upkeep(&world, 0, false);
    assert_int_equal(world_parts(&world, 0, &contact), parts);
    world_upkeep(&world, 0, true);
    assert_true(world_parts(&world, 0, &contact) < parts);
    world_pull(&world, 2, 0);
    assert_int_equal(world_parts(&world, 2, &contact), world_parts(&world, 0, &contact));
}

static void superseded_parts_are_dropped_after_30_days_by_the_clocks_of_others(void **state)
{
    (void)state;
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe@example.org");
    world_meet(&world);
    world_clock(&world, WORLD_MS + 1000);
    world_write(&world, 0, &contact, CARNET_FIELD_EMAIL, "zoe.2@example.org");
    world_meet(&world);
    size_t parts = world_parts(&world, 0, &contact);
    world_clock(&world, WORLD_MS + 29 * WORLD_DAY_MS);
    world_upkeep(&world, 1, true); /* `alive`: the others have reached this day */
    world_upkeep(&world, 2, true);
    world_meet(&world);
    world_upkeep(&world, 0, true);
    assert_int_equal(world_parts(&world, 0, &contact), parts);
    world_clock(&world, WORLD_MS + 31 * WORLD_DAY_MS);
    world_upkeep(&world, 0, true); /* only this node's clock says so */
    assert_int_equal(world_parts(&world, 0, &contact), parts);
    world_upkeep(&world, 1, true);
    world_upkeep(&world, 2, true);
    world_meet(&world);
    world_clock(&world, WORLD_MS + 31 * WORLD_DAY_MS + 2 * WORLD_HOUR_MS);
    world_upkeep(&world, 0, false);
    assert_int_equal(world_parts(&world, 0, &contact), parts);
    world_upkeep(&world, 0, true);
    assert_int_equal(world_parts(&world, 0, &contact), parts - 1);
    assert_string_equal(world_value(&world, 0, &contact, CARNET_FIELD_EMAIL), "zoe.2@example.org");
    world_meet(&world);
    check_all();
    assert_int_equal(carnet_replica_rebuild(world.nodes[0].replica, &err), CARNET_OK);
    assert_string_equal(world_value(&world, 0, &contact, CARNET_FIELD_EMAIL), "zoe.2@example.org");
    assert_int_equal(world_parts(&world, 0, &contact), parts - 1);
}

static void newcomer_stops_asking_for_what_was_superseded(void **state)
{
    struct carnet_entry_row row;
    (void)state;
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe@example.org");
    world_clock(&world, WORLD_MS + 1000);
    world_write(&world, 0, &contact, CARNET_FIELD_EMAIL, "zoe.2@example.org");
    world_meet(&world);
    world_clock(&world, WORLD_MS + 31 * WORLD_DAY_MS);
    world_upkeep(&world, 1, true);
    world_upkeep(&world, 2, true);
    world_meet(&world);
    world_upkeep(&world, 0, true);
    size_t late = world_invite(&world, 0, "bureau 2", CARNET_ROLE_OFFICE, 0);
    struct carnet_store *store = carnet_replica_store(world.nodes[late].replica);
    assert_int_equal(carnet_store_entry_flagged(store, CARNET_ENTRY_WANTING, 1, &row, NULL), CARNET_OK);
    world_upkeep(&world, late, true);
    assert_int_equal(carnet_store_entry_flagged(store, CARNET_ENTRY_WANTING, 1, &row, NULL), CARNET_NOT_FOUND);
    assert_string_equal(world_value(&world, late, &contact, CARNET_FIELD_EMAIL), "zoe.2@example.org");
    world_meet(&world);
    check_all();
}

static void part_with_a_value_that_lives_is_kept(void **state)
{
    (void)state;
    struct carnet_replica *replica = world.nodes[0].replica;
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_GIVEN, "Zoé");
    const struct carnet_write_cell cells[] = { { .field = CARNET_FIELD_FAMILY, .value = world_text("Martin") },
                                               { .field = CARNET_FIELD_EMPLOYER, .value = world_text("Mairie") } };
    const struct carnet_write write = {
        .book = world.book, .record = contact, .subject = contact, .kind = CARNET_KIND_CONTACT, .cells = cells, .cell_count = 2
    };
    struct carnet_write_result result = { 0 };
    assert_int_equal(carnet_replica_write(replica, &write, 1, false, &result, &err), CARNET_OK);
    world_write(&world, 0, &contact, CARNET_FIELD_FAMILY, "Durand"); /* half of the part */
    world_meet(&world);
    size_t parts = world_parts(&world, 0, &contact);
    for (int day = 31; day < 34; day++) {
        world_clock(&world, WORLD_MS + day * WORLD_DAY_MS);
        world_upkeep(&world, 1, true);
        world_upkeep(&world, 2, true);
        world_meet(&world);
        world_upkeep(&world, 0, true);
    }
    assert_int_equal(world_parts(&world, 0, &contact), parts);
    assert_string_equal(world_value(&world, 0, &contact, CARNET_FIELD_EMPLOYER), "Mairie");
    world_write(&world, 0, &contact, CARNET_FIELD_EMPLOYER, ""); /* now the rest */
    for (int day = 40; day < 75; day += 34) {
        world_clock(&world, WORLD_MS + day * WORLD_DAY_MS);
        world_upkeep(&world, 1, true);
        world_upkeep(&world, 2, true);
        world_meet(&world);
        world_upkeep(&world, 0, true);
        assert_int_equal(world_parts(&world, 0, &contact), day == 40 ? parts + 1 : parts);
    }
    assert_string_equal(world_value(&world, 0, &contact, CARNET_FIELD_FAMILY), "Durand");
    check_all();
}

static void readers_without_a_key_get_it_after_a_while(void **state)
{
    struct carnet_id presse, contact;
    (void)state;
    size_t late = world_invite(&world, 1, "Léa", CARNET_ROLE_VOLUNTEER, 0); /* the founder does not know her yet */
    assert_int_equal(carnet_replica_book_add(world.nodes[0].replica, world_text("presse"), &presse, &err), CARNET_OK);
    struct carnet_id main_book = world.book;
    world.book = presse;
    contact = world_add(&world, 0, "file", 0, CARNET_FIELD_GIVEN, "Zoé");
    world_meet(&world);
    assert_string_equal(world_value(&world, 1, &contact, CARNET_FIELD_GIVEN), "Zoé");
    assert_string_equal(world_value(&world, late, &contact, CARNET_FIELD_GIVEN), "");
    world_upkeep(&world, 1, true);
    world_meet(&world);
    assert_string_equal(world_value(&world, late, &contact, CARNET_FIELD_GIVEN), ""); /* whoever added the book may be about to do it */
    world_clock(&world, WORLD_MS + 3 * 60 * 1000);
    world_upkeep(&world, 1, false);
    world_meet(&world);
    assert_string_equal(world_value(&world, late, &contact, CARNET_FIELD_GIVEN), "Zoé");
    int64_t last = entries(0);
    world_upkeep(&world, 0, true);
    world_clock(&world, WORLD_MS + 10 * 60 * 1000);
    world_upkeep(&world, 0, true);
    assert_true(entries(0) <= last + 1);
    world.book = main_book;
}

static void alive_is_said_once_a_day(void **state)
{
    struct carnet_member member;
    (void)state;
    world_upkeep(&world, 1, false);
    int64_t last = entries(1);
    world_clock(&world, WORLD_MS + 23 * WORLD_HOUR_MS);
    world_upkeep(&world, 1, false);
    assert_int_equal(entries(1), last);
    world_clock(&world, WORLD_MS + 25 * WORLD_HOUR_MS);
    world_upkeep(&world, 1, false);
    assert_int_equal(entries(1), last + 1);
    world_meet(&world);
    assert_int_equal(carnet_replica_member_find(world.nodes[0].replica, world_text("bureau"), &member, &err), CARNET_OK);
    assert_int_equal(member.alive_ms, WORLD_MS + 25 * WORLD_HOUR_MS);
    assert_string_equal(member.member, "bureau");
}

static void upkeep_says_when_it_is_due(void **state)
{
    struct carnet_replica *replica = world.nodes[0].replica;
    (void)state;
    assert_int_equal(carnet_replica_upkeep_due_ms(replica), WORLD_MS);
    world_upkeep(&world, 0, true);
    assert_int_equal(carnet_replica_upkeep_due_ms(replica), WORLD_MS + WORLD_HOUR_MS);
    world_add(&world, 0, "newsletter", WORLD_MS + 1234567, CARNET_FIELD_EMAIL, "zoe@example.org");
    assert_int_equal(carnet_replica_upkeep_due_ms(replica), WORLD_MS + 1234567);
    world_clock(&world, WORLD_MS + 1234567);
    world_upkeep(&world, 0, true);
    assert_true(carnet_replica_upkeep_due_ms(replica) > WORLD_MS + 1234567);
    world.nodes[0].hands.wall_ms = WORLD_MS - 500 * WORLD_DAY_MS; /* put back: it does not sleep for 500 days */
    assert_int_equal(carnet_replica_upkeep_due_ms(replica), WORLD_MS - 500 * WORLD_DAY_MS);
}

static void upkeep_of_many_records_goes_on_in_slices(void **state)
{
    struct carnet_replica *replica = world.nodes[0].replica;
    bool more = true;
    int slices = 0;
    (void)state;
    assert_int_equal(carnet_replica_begin(replica, &err), CARNET_OK);
    for (int i = 0; i < 600; i++)
        world_add(&world, 0, "newsletter", WORLD_MS + WORLD_HOUR_MS, CARNET_FIELD_EMAIL, "zoe@example.org");
    assert_int_equal(carnet_replica_commit(replica, &err), CARNET_OK);
    world_clock(&world, WORLD_MS + 80 * WORLD_HOUR_MS);
    for (; more; slices++) {
        assert_true(slices < 100);
        assert_int_equal(carnet_replica_upkeep(replica, true, &more, &err), CARNET_OK);
    }
    assert_true(slices >= 3);
    struct carnet_record_row row;
    assert_int_equal(carnet_store_record_due(carnet_replica_store(replica), WORLD_MS + 80 * WORLD_HOUR_MS, 1, &row, NULL), CARNET_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(office_darkens_72_hours_after_a_withdrawal, setup, teardown),
        cmocka_unit_test_setup_teardown(no_clock_alone_destroys, setup, teardown),
        cmocka_unit_test_setup_teardown(granting_again_within_72_hours_saves_the_values, setup, teardown),
        cmocka_unit_test_setup_teardown(expiry_blocks_and_is_darkened_72_hours_later, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shorter_silence_leaves_time_to_undo, setup, teardown),
        cmocka_unit_test_setup_teardown(darkening_from_the_future_waits_for_an_office_whose_clock_agrees, setup, teardown),
        cmocka_unit_test_setup_teardown(superseded_parts_are_dropped_after_30_days_by_the_clocks_of_others, setup, teardown),
        cmocka_unit_test_setup_teardown(newcomer_stops_asking_for_what_was_superseded, setup, teardown),
        cmocka_unit_test_setup_teardown(part_with_a_value_that_lives_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(readers_without_a_key_get_it_after_a_while, setup, teardown),
        cmocka_unit_test_setup_teardown(alive_is_said_once_a_day, setup, teardown),
        cmocka_unit_test_setup_teardown(upkeep_says_when_it_is_due, setup, teardown),
        cmocka_unit_test_setup_teardown(upkeep_of_many_records_goes_on_in_slices, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
