// SPDX-License-Identifier: EUPL-1.2
#include "replica_world.h"

#include <setjmp.h>
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

static void a_contact_is_written_and_shown(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = world_add(office, "given=Zoé family=Martin phone/mobile=+33639980012", "file sms");
    assert_string_equal(world_value(office, &zoe, "given"), "Zoé");
    assert_string_equal(world_value(office, &zoe, "phone/mobile"), "+33639980012");
    assert_int_equal(world_edit(office, &zoe, "phone/mobile=+33639980013"), CARNET_OK);
    assert_string_equal(world_value(office, &zoe, "phone/mobile"), "+33639980013");
    assert_int_equal(world_view(office, &zoe).conflicts, 0);
    world_reopen(office);
    assert_string_equal(world_value(office, &zoe, "phone/mobile"), "+33639980013");
    world_verify(office);
}

static void what_nobody_agreed_to_is_refused(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = world_add(office, "given=Zoé", "file");
    int64_t before = carnet_replica_last(office->replica);
    assert_int_equal(world_edit(office, &zoe, "phone=+33639980012 family=Martin"), CARNET_REFUSED);
    assert_non_null(strstr(world->err.hint, "sms"));
    assert_int_equal(carnet_replica_last(office->replica), before);
    assert_string_equal(world_value(office, &zoe, "family"), "");
}

static void the_same_value_again_writes_nothing(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = world_add(office, "given=Zoé", "file");
    int64_t before = carnet_replica_last(office->replica);
    assert_int_equal(world_edit(office, &zoe, "given=Zoé"), CARNET_OK);
    assert_int_equal(carnet_replica_last(office->replica), before);
}

static void two_offices_converge(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé phone=+33639980012", "file sms");
    world_exchange(world);
    assert_string_equal(world_value(other, &zoe, "phone"), "+33639980012");
    assert_int_equal(world_edit(office, &zoe, "phone=+33639980013"), CARNET_OK);
    assert_int_equal(world_edit(other, &zoe, "phone=+33639980014"), CARNET_OK);
    world_exchange(world);
    assert_int_equal(world_view(office, &zoe).conflicts, 1);
    assert_int_equal(world_view(other, &zoe).conflicts, 1);
    world_same(world);
    assert_int_equal(world_edit(other, &zoe, "phone=+33639980014"), CARNET_OK);
    world_exchange(world);
    assert_int_equal(world_view(office, &zoe).conflicts, 0);
    assert_string_equal(world_value(office, &zoe, "phone"), "+33639980014");
    world_same(world);
}

static void a_withdrawal_blocks_and_dark_drops_the_bytes(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé phone=+33639980012", "file sms");
    struct carnet_consent consent;
    world_exchange(world);
    assert_int_equal(world_refuse(other, &zoe, CARNET_EVENT_WITHDRAW, "sms"), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        struct carnet_view view = world_view(&world->nodes[i], &zoe);
        assert_string_equal(world_value(&world->nodes[i], &zoe, "phone"), "");
        assert_int_equal(view.blocked, 1u << CARNET_SCOPE_PHONE);
        assert_int_equal(carnet_replica_allowed(world->nodes[i].replica, &view, carnet_slice_str("sms"), CARNET_SCOPE_PHONE, &consent), CARNET_REFUSED);
        assert_int_equal(consent.state, CARNET_CONSENT_WITHDRAWN);
        assert_int_equal(carnet_replica_allowed(world->nodes[i].replica, &view, CARNET_SLICE_NONE, CARNET_SCOPE_IDENTITY, &consent), CARNET_OK);
    }
    assert_int_equal(carnet_replica_dark(office->replica, &world->book, &zoe, 1u << CARNET_SCOPE_IDENTITY, &world->err), CARNET_REFUSED);
    assert_int_equal(carnet_replica_dark(office->replica, &world->book, &zoe, 1u << CARNET_SCOPE_PHONE, &world->err), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(world_view(&world->nodes[i], &zoe).dark, 1u << CARNET_SCOPE_PHONE);
        assert_true(carnet_replica_sweep_due(world->nodes[i].replica));
    }
    world_same(world);
}

static void a_volunteer_without_keys_has_the_same_state(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct world_node *volunteer = world_join(world, "Ali", CARNET_ROLE_VOLUNTEER, NULL, 0, 0), *relay = world_join(world, "Relais", CARNET_ROLE_RELAY, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé phone=+33639980012 city=Grenoble", "file sms mail");
    world_give(office, relay);
    world_give(relay, volunteer);
    world_exchange(world);
    assert_string_equal(world_value(volunteer, &zoe, "city"), "Grenoble");
    assert_int_equal(world_view(volunteer, &zoe).locked, 1u << CARNET_SCOPE_PHONE);
    assert_int_equal(world_view(relay, &zoe).cell_count, 0);
    assert_false(world_on_disk(relay, "Grenoble", 8) && strcmp("Grenoble en commun", "Grenoble") == 0);
    assert_false(world_on_disk(volunteer, "+33639980012", 12));
    assert_int_equal(world_edit(volunteer, &zoe, "city=Lyon"), CARNET_OK);
    world_exchange(world);
    assert_string_equal(world_value(office, &zoe, "city"), "Lyon");
    world_same(world);
}

static void a_book_not_held_is_refused(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id other;
    assert_int_equal(carnet_replica_book_add(office->replica, carnet_slice_str("Presse"), &other, &world->err), CARNET_OK);
    struct world_node *volunteer = world_join(world, "Ali", CARNET_ROLE_VOLUNTEER, &other, 1, 0);
    world_add(office, "given=Zoé", "file");
    world_exchange(world);
    struct carnet_hash state_here;
    struct carnet_store_counts counts;
    assert_int_equal(carnet_store_count(carnet_replica_store(volunteer->replica), &counts, &world->err), CARNET_OK);
    assert_int_equal(counts.contacts, 0);
    assert_int_equal(carnet_replica_state(volunteer->replica, &world->book, &state_here, &world->err), CARNET_OK);
    world_verify(volunteer);
}

static void an_erasure_leaves_nothing(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoélunique phone=+33639980012", "file sms"), adam = world_add(office, "given=Adam", "file");
    const struct carnet_event erase = { .type = CARNET_EVENT_ERASE };
    struct carnet_view view;
    world_exchange(world);
    assert_int_equal(world_event(other, &zoe, &erase), CARNET_OK);
    /* what comes late stays nowhere */
    assert_int_equal(world_edit(office, &zoe, "family=Tardive"), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        struct world_node *node = &world->nodes[i];
        assert_int_equal(carnet_replica_view(node->replica, &world->book, &zoe, &world->arena, &view, &world->err), CARNET_NOT_FOUND);
        assert_int_equal(carnet_store_sweep(carnet_replica_store(node->replica), &world->err), CARNET_OK);
        assert_false(world_on_disk(node, "lunique", 7));
        assert_false(world_on_disk(node, "Tardive", 7));
        assert_false(world_on_disk(node, "39980012", 8));
        assert_string_equal(world_value(node, &adam, "given"), "Adam");
    }
    world_same(world);
}

static void rebuilding_changes_nothing(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé phone=+33639980012", "file sms"), adam = world_add(office, "given=Adam", "file");
    const struct carnet_event erase = { .type = CARNET_EVENT_ERASE };
    world_exchange(world);
    assert_int_equal(world_edit(other, &zoe, "phone=+33639980013"), CARNET_OK);
    assert_int_equal(world_edit(office, &zoe, "phone=+33639980014"), CARNET_OK);
    assert_int_equal(world_event(other, &adam, &erase), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(carnet_replica_rebuild(world->nodes[i].replica, &world->err), CARNET_OK);
        assert_int_equal(world_view(&world->nodes[i], &zoe).conflicts, 1);
    }
    world_same(world);
}

static void what_is_rolled_back_was_never_there(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    int64_t before = carnet_replica_last(office->replica);
    struct carnet_view view;
    assert_int_equal(carnet_replica_begin(office->replica, &world->err), CARNET_OK);
    struct carnet_id zoe = world_add(office, "given=Zoé", "file");
    assert_int_equal(carnet_replica_last(office->replica), before);
    carnet_replica_rollback(office->replica);
    assert_int_equal(carnet_replica_view(office->replica, &world->book, &zoe, &world->arena, &view, &world->err), CARNET_NOT_FOUND);
    struct carnet_id adam = world_add(office, "given=Adam", "file");
    assert_string_equal(world_value(office, &adam, "given"), "Adam");
    world_verify(office);
}

static void a_cut_voids_what_lies_beyond(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *lost = world_join(world, "Perdu", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct world_node *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé phone=+33639980012", "file sms");
    world_exchange(world);
    assert_int_equal(world_edit(lost, &zoe, "given=Zouzou"), CARNET_OK);
    world_exchange(world);
    struct carnet_id self = carnet_replica_self(lost->replica)->node;
    assert_int_equal(world_edit(lost, &zoe, "given=Pirate"), CARNET_OK);
    assert_int_equal(world_refuse(lost, &zoe, CARNET_EVENT_OBJECT, "sms"), CARNET_OK);
    struct carnet_id fake = world_add(lost, "given=Fantome", "file");
    world_give(lost, other); /* it hears of them before the cut */
    assert_string_equal(world_value(other, &zoe, "given"), "Pirate");
    assert_int_equal(carnet_replica_cut(office->replica, &self, &world->err), CARNET_OK);
    world_give(office, other);
    world_give(other, office);
    world_give(lost, office);
    world_give(office, other);
    assert_string_equal(world_value(office, &zoe, "given"), "Zouzou");
    assert_string_equal(world_value(other, &zoe, "given"), "Zouzou");
    /* its law still blocks */
    assert_string_equal(world_value(office, &zoe, "phone"), "");
    assert_string_equal(world_value(other, &zoe, "phone"), "");
    struct carnet_view view;
    assert_int_equal(carnet_replica_view(other->replica, &world->book, &fake, &world->arena, &view, &world->err), CARNET_NOT_FOUND);
    world_give(office, lost);
    world_same(world);
    assert_int_equal(world_edit(lost, &zoe, "given=Encore"), CARNET_REFUSED);
    assert_int_equal(carnet_replica_rebuild(other->replica, &world->err), CARNET_OK);
    world_same(world);
}

static void the_order_does_not_matter(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct world_node *third = world_join(world, "Brest", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé", "file");
    world_exchange(world);
    /* a scope that opens: its seed is in the data of one, values under it in the data of the other */
    const struct carnet_event grant = { .type = CARNET_EVENT_GRANT, .purpose = carnet_slice_str("sms"), .basis = CARNET_BASIS_CONSENT, .since_ms = WORLD_MS };
    assert_int_equal(world_event(office, &zoe, &grant), CARNET_OK);
    assert_int_equal(world_edit(office, &zoe, "phone=+33639980012"), CARNET_OK);
    world_give(office, other);
    assert_int_equal(world_edit(other, &zoe, "phone/mobile=+33639980013"), CARNET_OK);
    /* the third hears the last writer alone, in its own log: what it replaces and the seed come later */
    struct carnet_sync_source source = carnet_replica_source(other->replica);
    struct carnet_sync_entry entry;
    struct carnet_id author = carnet_replica_self(other->replica)->node;
    for (int64_t n = 1; source.next(source.ctx, 2, n, &entry); n = entry.n + 1) {
        carnet_rc rc;
        if (carnet_id_equal(&entry.author, &author))
            assert_int_equal(carnet_replica_apply(third->replica, &entry.bytes, 1, &rc, &world->err), CARNET_OK);
    }
    assert_string_equal(world_value(third, &zoe, "phone/mobile"), "");
    world_exchange(world);
    assert_string_equal(world_value(third, &zoe, "phone/mobile"), "+33639980013");
    world_same(world);
}

static void a_note_is_under_its_subjects_consent(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé", "file profile"), note = carnet_replica_new_id(office->replica);
    const struct carnet_write_cell cell = { .field = CARNET_FIELD_TEXT, .value = carnet_slice_str("aime les vélos") };
    const struct carnet_write write = {
        .book = world->book, .record = note, .subject = zoe, .kind = CARNET_KIND_NOTE, .cells = &cell, .cell_count = 1, .fresh = true
    };
    struct carnet_write_result result;
    assert_int_equal(carnet_replica_write(office->replica, &write, 1, false, &result, &world->err), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(world_view(&world->nodes[i], &note).cell_count, 1);
    assert_int_equal(world_refuse(other, &zoe, CARNET_EVENT_OBJECT, ""), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(world_view(&world->nodes[i], &note).cell_count, 0);
    const struct carnet_event erase = { .type = CARNET_EVENT_ERASE };
    assert_int_equal(world_event(other, &zoe, &erase), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        struct carnet_view view;
        assert_int_equal(carnet_replica_view(world->nodes[i].replica, &world->book, &note, &world->arena, &view, &world->err), CARNET_NOT_FOUND);
    }
    world_same(world);
}

static void a_refusal_on_one_of_two_merged_counts_for_both(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id a = world_add(office, "given=Zoé phone=+33639980012", "file sms"), b = world_add(office, "given=Zoe", "file sms");
    const struct carnet_event edge = { .type = CARNET_EVENT_EDGE, .other = b, .on = true };
    assert_int_equal(world_event(office, &a, &edge), CARNET_OK);
    assert_int_equal(world_view(office, &b).person_count, 2);
    assert_int_equal(world_refuse(office, &b, CARNET_EVENT_WITHDRAW, "sms"), CARNET_OK);
    assert_string_equal(world_value(office, &a, "phone"), "");
    world_exchange(world);
    assert_string_equal(world_value(other, &a, "phone"), "");
    struct carnet_view view = world_view(other, &a);
    assert_int_equal(view.person_count, 2);
    struct carnet_event off = { .type = CARNET_EVENT_EDGE, .other = b, .on = false, .name_count = 1 };
    for (size_t i = 0; i < view.record.event_count; i++)
        if (carnet_event_peek(view.record.events[i].raw) == CARNET_EVENT_EDGE)
            off.names[0] = view.record.events[i].dot;
    assert_int_equal(world_event(other, &a, &off), CARNET_OK);
    world_exchange(world);
    assert_string_equal(world_value(office, &a, "phone"), "+33639980012");
    world_same(world);
}

static void a_word_finds_what_is_open_alone(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_store *store = carnet_replica_store(office->replica);
    struct carnet_id zoe = world_add(office, "given=Zoé email=zoe@example.org", "file newsletter");
    int64_t found[4];
    size_t count;
    assert_int_equal(carnet_store_search(store, "zoe", 0, found, 4, &count, &world->err), CARNET_OK);
    assert_int_equal(count, 1);
    assert_int_equal(carnet_store_search(store, "example", 0, found, 4, &count, &world->err), CARNET_OK);
    assert_int_equal(count, 1);
    assert_int_equal(world_refuse(office, &zoe, CARNET_EVENT_WITHDRAW, "newsletter"), CARNET_OK);
    assert_int_equal(carnet_store_search(store, "example", 0, found, 4, &count, &world->err), CARNET_OK);
    assert_int_equal(count, 0);
    assert_int_equal(carnet_store_search(store, "zoe", 0, found, 4, &count, &world->err), CARNET_OK);
    assert_int_equal(count, 1);
}

static void noise_is_refused_and_changes_nothing(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    world_add(office, "given=Zoé", "file");
    struct carnet_sync_source source = carnet_replica_source(office->replica);
    struct carnet_sync_entry entry;
    world_give(office, other);
    int64_t before = carnet_replica_last(other->replica);
    assert_true(source.next(source.ctx, 2, 1, &entry));
    for (size_t i = 0; i < entry.bytes.len; i++) {
        carnet_rc rc;
        uint8_t *copy = carnet_alloc(entry.bytes.len);
        memcpy(copy, entry.bytes.ptr, entry.bytes.len);
        copy[i] ^= 0x20;
        struct carnet_slice bytes = carnet_slice(copy, entry.bytes.len), cut = carnet_slice(copy, i);
        assert_int_equal(carnet_replica_apply(other->replica, &bytes, 1, &rc, &world->err), CARNET_OK);
        assert_int_equal(carnet_replica_apply(other->replica, &cut, 1, &rc, &world->err), CARNET_OK);
        assert_int_not_equal(rc, CARNET_OK);
        free(copy);
    }
    assert_int_equal(carnet_replica_last(other->replica), before);
    world_same(world);
}

static void what_comes_from_the_future_blocks_but_destroys_nothing(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    const struct carnet_event erase = { .type = CARNET_EVENT_ERASE };
    struct carnet_view view;
    struct carnet_id zoe = world_add(office, "given=Zoé", "file");
    world_exchange(world);
    other->hands.wall_ms += INT64_C(5) * 365 * 86400000;
    assert_int_equal(world_event(other, &zoe, &erase), CARNET_OK);
    world_give(other, office);
    assert_int_equal(carnet_replica_view(office->replica, &world->book, &zoe, &world->arena, &view, &world->err), CARNET_NOT_FOUND);
    assert_false(carnet_replica_sweep_due(office->replica));
    assert_true(carnet_replica_now_ms(office->replica) < WORLD_MS + 86400000);
    struct carnet_id adam = world_add(office, "given=Adam", "file");
    assert_true(carnet_hlc_ms(world_view(office, &adam).record.hlc_last) < WORLD_MS + 86400000);
    assert_int_equal(world_event(office, &zoe, &erase), CARNET_REFUSED);
    world_exchange(world);
    world_same(world);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_contact_is_written_and_shown),
        TEST(what_nobody_agreed_to_is_refused),
        TEST(the_same_value_again_writes_nothing),
        TEST(two_offices_converge),
        TEST(a_withdrawal_blocks_and_dark_drops_the_bytes),
        TEST(a_volunteer_without_keys_has_the_same_state),
        TEST(a_book_not_held_is_refused),
        TEST(an_erasure_leaves_nothing),
        TEST(rebuilding_changes_nothing),
        TEST(what_is_rolled_back_was_never_there),
        TEST(a_cut_voids_what_lies_beyond),
        TEST(the_order_does_not_matter),
        TEST(a_note_is_under_its_subjects_consent),
        TEST(a_refusal_on_one_of_two_merged_counts_for_both),
        TEST(a_word_finds_what_is_open_alone),
        TEST(noise_is_refused_and_changes_nothing),
        TEST(what_comes_from_the_future_blocks_but_destroys_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
