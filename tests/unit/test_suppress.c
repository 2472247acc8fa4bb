// SPDX-License-Identifier: EUPL-1.2
#include "carnet/replica/suppress.h"

#include "replica_world.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    *state = world_new();
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static struct carnet_suppression list_of(struct world_node *node)
{
    struct carnet_suppression list;
    assert_int_equal(carnet_replica_suppression(node->replica, &list, NULL), CARNET_OK);
    return list;
}

/* As people see it, by id. */
static struct carnet_view view_of(struct world_node *node, const struct carnet_id *record)
{
    return world_view(node, record);
}

static carnet_rc allowed(struct world_node *node, const struct carnet_id *record, const char *purpose, enum carnet_scope scope)
{
    struct carnet_view view = view_of(node, record);
    return carnet_replica_allowed(node->replica, &view, carnet_slice_str(purpose), scope, NULL);
}

static bool shows(struct world_node *node, const struct carnet_id *record, enum carnet_scope scope)
{
    return view_of(node, record).open >> scope & 1;
}

static void upkeep(struct world_node *node)
{
    bool more = true;
    for (int i = 0; more && i < 1000; i++)
        assert_int_equal(carnet_replica_upkeep(node->replica, false, &more, NULL), CARNET_OK);
}

static void pass(struct world *world, int64_t ms)
{
    world_pass(world, ms);
    for (size_t i = 0; i < world->count; i++)
        world->nodes[i].hands.mono_ms += ms;
}

static void a_refusal_leaves_tags_for_every_address_of_the_person(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = world_add(office, "given=Zoé email=zoe@example.org email/work=z@example.org phone=+33639980001", "newsletter sms");
    struct carnet_id twin = world_add(office, "given=Z email=z@example.org", "newsletter membership");
    struct carnet_id far = world_add(office, "given=Luc email=luc@example.org", "newsletter");
    assert_int_equal(list_of(office).tags, 0);
    assert_true(list_of(office).key);
    assert_int_equal(world_refuse(office, &zoe, CARNET_EVENT_WITHDRAW, "newsletter"), CARNET_OK);
    assert_int_equal(list_of(office).tags, 3);
    assert_int_equal(list_of(office).comparing, 0);
    assert_int_equal(allowed(office, &twin, "newsletter", CARNET_SCOPE_EMAIL), CARNET_REFUSED);
    assert_int_equal(allowed(office, &twin, "membership", CARNET_SCOPE_EMAIL), CARNET_OK);
    assert_int_equal(allowed(office, &zoe, "sms", CARNET_SCOPE_PHONE), CARNET_OK);
    assert_int_equal(allowed(office, &far, "newsletter", CARNET_SCOPE_EMAIL), CARNET_OK);
    /* erased: for all */
    assert_int_equal(world_refuse(office, &zoe, CARNET_EVENT_ERASE, ""), CARNET_OK);
    assert_int_equal(list_of(office).tags, 6);
    assert_int_equal(allowed(office, &twin, "membership", CARNET_SCOPE_EMAIL), CARNET_REFUSED);
    assert_false(shows(office, &twin, CARNET_SCOPE_IDENTITY));
    world_reopen(office);
    assert_int_equal(list_of(office).tags, 6);
    assert_false(shows(office, &twin, CARNET_SCOPE_IDENTITY));
    world_verify(office);
}

static void an_address_tells_what_it_is_suppressed_for(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    const struct carnet_slice one[] = { carnet_slice_str("zoe@example.org"), carnet_slice_str("+33639980001") };
    struct carnet_suppressed found;
    size_t written;
    assert_int_equal(carnet_replica_suppress(office->replica, one, 2, carnet_slice_str("newsletter"), &written, NULL), CARNET_OK);
    assert_int_equal(written, 2);
    assert_int_equal(carnet_replica_suppress(office->replica, one, 1, carnet_slice_str("sms"), &written, NULL), CARNET_OK);
    assert_int_equal(carnet_replica_suppressed(office->replica, CARNET_FIELD_EMAIL, one[0], &found, NULL), CARNET_OK);
    assert_int_equal(found.count, 2);
    assert_false(found.all);
    assert_true(carnet_suppressed_for(&found, carnet_slice_str("sms")) && !carnet_suppressed_for(&found, carnet_slice_str("mail")));
    assert_int_equal(carnet_replica_suppressed(office->replica, CARNET_FIELD_GIVEN, one[0], &found, NULL), CARNET_OK);
    assert_int_equal(found.count, 0);
    assert_int_equal(carnet_replica_suppressed(office->replica, CARNET_FIELD_PHONE, one[1], &found, NULL), CARNET_OK);
    assert_int_equal(found.count, 1);
    /* again: nothing; for all: all */
    int64_t last = carnet_replica_last(office->replica);
    assert_int_equal(carnet_replica_suppress(office->replica, one, 2, carnet_slice_str("newsletter"), &written, NULL), CARNET_OK);
    assert_int_equal(written, 0);
    assert_true(carnet_replica_last(office->replica) == last);
    assert_int_equal(carnet_replica_suppress(office->replica, one, 1, CARNET_SLICE_NONE, &written, NULL), CARNET_OK);
    assert_int_equal(carnet_replica_suppressed(office->replica, CARNET_FIELD_EMAIL, one[0], &found, NULL), CARNET_OK);
    assert_true(found.all && carnet_suppressed_for(&found, carnet_slice_str("mail")));
    /* what was refused for all needs no purpose any more */
    assert_int_equal(carnet_replica_suppress(office->replica, one, 1, carnet_slice_str("mail"), &written, NULL), CARNET_OK);
    assert_int_equal(written, 0);
}

static void thousands_of_addresses_take_few_entries(void **state)
{
    enum { ADDRESSES = 2000 };
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    static char text[ADDRESSES][32];
    static struct carnet_slice addresses[ADDRESSES];
    size_t written;
    for (int i = 0; i < ADDRESSES; i++) {
        snprintf(text[i], sizeof text[i], "a%d@example.org", i);
        addresses[i] = carnet_slice_str(text[i]);
    }
    int64_t last = carnet_replica_last(office->replica);
    assert_int_equal(carnet_replica_suppress(office->replica, addresses, ADDRESSES, CARNET_SLICE_NONE, &written, NULL), CARNET_OK);
    assert_int_equal(written, ADDRESSES);
    assert_int_equal(list_of(office).tags, ADDRESSES);
    assert_true(carnet_replica_last(office->replica) - last <= 2);
    struct world_node *other = world_join(world, "b", CARNET_ROLE_OFFICE, NULL, 0, 0);
    world_exchange(world);
    assert_int_equal(list_of(other).tags, ADDRESSES);
    struct carnet_suppressed found;
    assert_int_equal(carnet_replica_suppressed(other->replica, CARNET_FIELD_EMAIL, addresses[ADDRESSES - 1], &found, NULL), CARNET_OK);
    assert_true(found.all);
    world_same(world);
}

static void who_has_no_key_learns_nothing(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct world_node *volunteer = world_join(world, "v", CARNET_ROLE_VOLUNTEER, NULL, 0, CARNET_SCOPES_ALL);
    struct world_node *relay = world_join(world, "r", CARNET_ROLE_RELAY, NULL, 0, 0), *gateway = world_join(world, "g", CARNET_ROLE_GATEWAY, NULL, 0, 0);
    const struct carnet_slice address = carnet_slice_str("zoe@example.org");
    struct carnet_suppressed found;
    assert_int_equal(carnet_replica_suppress(office->replica, &address, 1, CARNET_SLICE_NONE, NULL, NULL), CARNET_OK);
    world_exchange(world);
    struct world_node *without[] = { volunteer, relay };
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(list_of(without[i]).tags, 1);
        assert_false(list_of(without[i]).key);
        assert_int_equal(carnet_replica_suppressed(without[i]->replica, CARNET_FIELD_EMAIL, address, &found, NULL), CARNET_OK);
        assert_false(found.all);
        assert_int_equal(carnet_replica_suppress(without[i]->replica, &address, 1, CARNET_SLICE_NONE, NULL, &world->err), CARNET_REFUSED);
    }
    assert_int_equal(carnet_replica_suppressed(gateway->replica, CARNET_FIELD_EMAIL, address, &found, NULL), CARNET_OK);
    assert_true(found.all);
}

static void an_office_tags_what_a_volunteer_was_told(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "b", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct world_node *volunteer = world_join(world, "v", CARNET_ROLE_VOLUNTEER, NULL, 0, 0); /* reads no e-mail */
    world_exchange(world);
    struct carnet_id zoe = world_add(office, "given=Zoé email=zoe@example.org", "newsletter");
    struct carnet_id twin = world_add(other, "given=Z email=zoe@example.org", "newsletter");
    world_exchange(world);
    assert_int_equal(world_refuse(volunteer, &zoe, CARNET_EVENT_OBJECT, "newsletter"), CARNET_OK);
    world_exchange(world);
    assert_int_equal(list_of(office).tags, 0);
    upkeep(office); /* not at once: others may */
    upkeep(other);
    assert_int_equal(list_of(office).tags, 0);
    assert_int_equal(allowed(office, &twin, "newsletter", CARNET_SCOPE_EMAIL), CARNET_OK);
    pass(world, 15000);
    upkeep(office);
    assert_int_equal(list_of(office).tags, 1);
    assert_int_equal(allowed(office, &twin, "newsletter", CARNET_SCOPE_EMAIL), CARNET_REFUSED);
    world_exchange(world);
    int64_t last = carnet_replica_last(other->replica);
    upkeep(other); /* it is on the list */
    assert_true(carnet_replica_last(other->replica) == last);
    assert_int_equal(allowed(other, &twin, "newsletter", CARNET_SCOPE_EMAIL), CARNET_REFUSED);
    assert_int_equal(list_of(volunteer).tags, 1);
    world_same(world);
}

static void the_keys_die_after_the_tags_are_written(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct world_node *volunteer = world_join(world, "v", CARNET_ROLE_VOLUNTEER, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé email=zoe@example.org", "newsletter");
    world_exchange(world);
    assert_int_equal(world_refuse(volunteer, &zoe, CARNET_EVENT_WITHDRAW, "newsletter"), CARNET_OK);
    world_exchange(world);
    assert_int_equal(carnet_replica_dark(office->replica, &world->book, &zoe, 1u << CARNET_SCOPE_EMAIL, NULL), CARNET_OK);
    assert_int_equal(list_of(office).tags, 1);
    struct carnet_suppressed found;
    assert_int_equal(carnet_replica_suppressed(office->replica, CARNET_FIELD_EMAIL, carnet_slice_str("zoe@example.org"), &found, NULL), CARNET_OK);
    assert_int_equal(found.count, 1);
}

static void an_erasure_by_who_reads_no_address_is_tagged_by_who_does(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct world_node *blind = world_join(world, "b", CARNET_ROLE_OFFICE, NULL, 0, 1u << CARNET_SCOPE_IDENTITY);
    struct carnet_id zoe = world_add(office, "given=Zoé email=zoe@example.org", "newsletter");
    world_exchange(world);
    assert_int_equal(world_refuse(blind, &zoe, CARNET_EVENT_ERASE, ""), CARNET_OK);
    world_exchange(world);
    assert_int_equal(list_of(office).tags, 0);
    upkeep(office);
    pass(world, 15000);
    upkeep(office);
    struct carnet_suppressed found;
    assert_int_equal(carnet_replica_suppressed(office->replica, CARNET_FIELD_EMAIL, carnet_slice_str("zoe@example.org"), &found, NULL), CARNET_OK);
    assert_true(found.all);
    int64_t last = carnet_replica_last(office->replica);
    pass(world, 15000);
    upkeep(office);
    assert_true(carnet_replica_last(office->replica) == last);
}

static void what_was_not_compared_yet_is_refused_when_it_is_asked_for(void **state)
{
    enum { OTHERS = 60 };
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id last = { { 0 } };
    char cells[96];
    for (int i = 0; i < OTHERS; i++) {
        snprintf(cells, sizeof cells, "given=P%d email=p%d@example.org", i, i);
        last = world_add(office, cells, "newsletter");
    }
    struct carnet_view before = view_of(office, &last);
    const struct carnet_slice address = carnet_slice_str("p59@example.org");
    assert_int_equal(carnet_replica_suppress(office->replica, &address, 1, carnet_slice_str("newsletter"), NULL, NULL), CARNET_OK);
    assert_true(list_of(office).comparing > 0);
    assert_true(shows(office, &last, CARNET_SCOPE_EMAIL));
    assert_int_equal(allowed(office, &last, "newsletter", CARNET_SCOPE_EMAIL), CARNET_REFUSED);
    assert_int_equal(carnet_replica_allowed(office->replica, &before, carnet_slice_str("newsletter"), CARNET_SCOPE_EMAIL, NULL), CARNET_REFUSED);
    struct carnet_id_text text = carnet_id_text(&last);
    struct carnet_view named;
    assert_int_equal(carnet_replica_view_text(office->replica, carnet_slice_str(text.s), &world->arena, &named, NULL), CARNET_OK);
    assert_false(named.open >> CARNET_SCOPE_EMAIL & 1);
    upkeep(office); /* it waits for a pause */
    assert_true(list_of(office).comparing > 0);
    for (int i = 0; i < 2; i++) { /* the first look wrote that this node is alive */
        pass(world, 400);
        upkeep(office);
    }
    assert_int_equal(list_of(office).comparing, 0);
    assert_false(shows(office, &last, CARNET_SCOPE_EMAIL));
    int64_t found[4];
    size_t count;
    assert_int_equal(carnet_store_search(carnet_replica_store(office->replica), "p59", 0, found, 4, &count, NULL), CARNET_OK);
    assert_int_equal(carnet_store_search(carnet_replica_store(office->replica), "p59*", 0, found, 4, &count, NULL), CARNET_OK);
    size_t with_name = count; /* the given name alone is left */
    assert_int_equal(with_name, 0);
    /* another address, and it is free; the suppressed one again, and it is not */
    assert_int_equal(world_edit(office, &last, "email="), CARNET_REFUSED);
}

static void another_address_frees_and_the_same_again_blocks(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = world_add(office, "given=Zoé email=zoe@example.org", "newsletter membership");
    const struct carnet_slice address = carnet_slice_str("zoe@example.org");
    assert_int_equal(carnet_replica_suppress(office->replica, &address, 1, carnet_slice_str("newsletter"), NULL, NULL), CARNET_OK);
    assert_int_equal(allowed(office, &zoe, "newsletter", CARNET_SCOPE_EMAIL), CARNET_REFUSED);
    assert_int_equal(world_edit(office, &zoe, "email=new@example.org"), CARNET_OK);
    assert_int_equal(allowed(office, &zoe, "newsletter", CARNET_SCOPE_EMAIL), CARNET_OK);
    assert_int_equal(world_edit(office, &zoe, "email=zoe@example.org"), CARNET_OK);
    assert_int_equal(allowed(office, &zoe, "newsletter", CARNET_SCOPE_EMAIL), CARNET_REFUSED);
    assert_int_equal(carnet_replica_rebuild(office->replica, NULL), CARNET_OK);
    assert_int_equal(allowed(office, &zoe, "newsletter", CARNET_SCOPE_EMAIL), CARNET_REFUSED);
    assert_int_equal(allowed(office, &zoe, "membership", CARNET_SCOPE_EMAIL), CARNET_OK);
    world_verify(office);
}

static void a_key_that_comes_late_reads_the_list(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "b", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé email=zoe@example.org", "newsletter");
    const struct carnet_slice address = carnet_slice_str("zoe@example.org");
    assert_int_equal(carnet_replica_suppress(office->replica, &address, 1, CARNET_SLICE_NONE, NULL, NULL), CARNET_OK);
    world_exchange(world);
    assert_true(list_of(other).key);
    assert_int_equal(allowed(other, &zoe, "newsletter", CARNET_SCOPE_EMAIL), CARNET_REFUSED);
    assert_false(shows(other, &zoe, CARNET_SCOPE_EMAIL));
}

static void a_rollback_leaves_no_tag(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = world_add(office, "given=Zoé email=zoe@example.org", "newsletter");
    struct carnet_id twin = world_add(office, "given=Z email=zoe@example.org", "newsletter");
    assert_int_equal(carnet_replica_begin(office->replica, NULL), CARNET_OK);
    assert_int_equal(world_refuse(office, &zoe, CARNET_EVENT_OBJECT, ""), CARNET_OK);
    assert_int_equal(list_of(office).tags, 1);
    carnet_replica_rollback(office->replica);
    assert_int_equal(list_of(office).tags, 0);
    assert_int_equal(allowed(office, &twin, "newsletter", CARNET_SCOPE_EMAIL), CARNET_OK);
    assert_true(shows(office, &twin, CARNET_SCOPE_EMAIL));
    world_verify(office);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_refusal_leaves_tags_for_every_address_of_the_person, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_tells_what_it_is_suppressed_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(thousands_of_addresses_take_few_entries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_has_no_key_learns_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_office_tags_what_a_volunteer_was_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_keys_die_after_the_tags_are_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_erasure_by_who_reads_no_address_is_tagged_by_who_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_compared_yet_is_refused_when_it_is_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_address_frees_and_the_same_again_blocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_comes_late_reads_the_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rollback_leaves_no_tag, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("suppress", tests, NULL, NULL);
}
