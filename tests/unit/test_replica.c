// SPDX-License-Identifier: EUPL-1.2
#include "replica_world.h"

#include "carnet/wire/cbor.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

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

static void two_erasures_apart_are_one(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé phone=+33639980012", "file sms");
    const struct carnet_event erase = { .type = CARNET_EVENT_ERASE };
    struct carnet_view view;
    world_exchange(world);
    assert_int_equal(world_event(office, &zoe, &erase), CARNET_OK);
    assert_int_equal(world_event(other, &zoe, &erase), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(carnet_replica_view(world->nodes[i].replica, &world->book, &zoe, &world->arena, &view, &world->err), CARNET_NOT_FOUND);
        world_verify(&world->nodes[i]);
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

static void count_call(void *ctx)
{
    ++*(int *)ctx;
}

static void a_database_of_an_earlier_version_is_rebuilt_at_open(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = world_add(office, "given=Zoé phone=+33639980012", "file sms");
    sqlite3 *db = NULL;
    int said = 0;
    carnet_replica_close(office->replica);
    office->replica = NULL;
    assert_int_equal(sqlite3_open(office->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=1; UPDATE records SET state = x'00'; DROP TABLE lookups", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    office->env.upgrading = count_call;
    office->env.upgrading_ctx = &said;
    for (int round = 0; round < 2; round++) {
        world_reopen(office);
        assert_int_equal(said, 1);
        assert_string_equal(world_value(office, &zoe, "phone"), "+33639980012");
    }
    world_verify(office);
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
    struct carnet_consent consent;
    for (size_t i = 0; i < 2; i++) {
        struct carnet_view view = world_view(&world->nodes[i], &note);
        assert_int_equal(view.cell_count, 1);
        assert_int_equal(carnet_replica_allowed(world->nodes[i].replica, &view, CARNET_SLICE_NONE, CARNET_SCOPE_NOTES, &consent), CARNET_OK);
        assert_int_equal(consent.state, CARNET_CONSENT_GIVEN);
        assert_int_equal(carnet_replica_allowed(world->nodes[i].replica, &view, carnet_slice_str("sms"), CARNET_SCOPE_NOTES, &consent), CARNET_REFUSED);
    }
    assert_int_equal(world_refuse(other, &zoe, CARNET_EVENT_OBJECT, ""), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        struct carnet_view view = world_view(&world->nodes[i], &note);
        assert_int_equal(view.cell_count, 0);
        assert_int_equal(carnet_replica_allowed(world->nodes[i].replica, &view, CARNET_SLICE_NONE, CARNET_SCOPE_NOTES, &consent), CARNET_REFUSED);
        assert_int_equal(consent.state, CARNET_CONSENT_OBJECTED);
    }
    const struct carnet_event erase = { .type = CARNET_EVENT_ERASE };
    assert_int_equal(world_event(other, &zoe, &erase), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        struct carnet_view view;
        assert_int_equal(carnet_replica_view(world->nodes[i].replica, &world->book, &note, &world->arena, &view, &world->err), CARNET_NOT_FOUND);
    }
    world_same(world);
}

/* As if an event of a newer version had come for the record. */
static void add_unknown_event(struct world_node *node, const struct carnet_id *id)
{
    struct world *world = node->world;
    struct carnet_store *store = carnet_replica_store(node->replica);
    struct carnet_record_row row;
    struct carnet_record record;
    struct carnet_buf packed;
    const struct carnet_event_item item = { .dot = { .author = 1, .seq = 1 }, .hlc = 1, .raw = carnet_slice("\x81\x0b", 2) };
    carnet_record_init(&record);
    carnet_buf_init(&packed, 1 << 16);
    assert_int_equal(carnet_store_record_get(store, &world->book, id, &row, &world->err), CARNET_OK);
    row.state = carnet_arena_dup(&world->arena, row.state);
    assert_int_equal(carnet_record_unpack(row.state, &record), CARNET_OK);
    carnet_record_add_event(&record, &item);
    carnet_record_pack(&record, &packed);
    row.state = carnet_buf_slice(&packed);
    assert_int_equal(carnet_replica_begin(node->replica, &world->err), CARNET_OK);
    assert_int_equal(carnet_store_record_put(store, &row, &world->err), CARNET_OK);
    assert_int_equal(carnet_replica_commit(node->replica, &world->err), CARNET_OK);
    carnet_buf_deinit(&packed);
    carnet_record_deinit(&record);
}

static void a_note_that_is_not_understood_is_blocked(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = world_add(office, "given=Zoé", "file profile"), ids[3];
    const struct carnet_write_cell cell = { .field = CARNET_FIELD_TEXT, .value = carnet_slice_str("vélos") };
    for (size_t i = 0; i < 3; i++) { /* two notes, and one about nobody */
        struct carnet_write write = { .book = world->book, .record = carnet_replica_new_id(office->replica), .kind = CARNET_KIND_EVENT, .cells = &cell,
                                      .cell_count = 1, .fresh = true };
        if (i < 2) {
            write.subject = zoe;
            write.kind = CARNET_KIND_NOTE;
        }
        ids[i] = write.record;
        assert_int_equal(carnet_replica_write(office->replica, &write, 1, false, NULL, &world->err), CARNET_OK);
        assert_int_equal(world_view(office, &ids[i]).cell_count, 1);
    }
    const struct carnet_event restrict_event = { .type = CARNET_EVENT_RESTRICT };
    assert_int_equal(world_event(office, &ids[1], &restrict_event), CARNET_OK);
    add_unknown_event(office, &ids[0]);
    add_unknown_event(office, &ids[2]);
    for (size_t i = 0; i < 3; i++) {
        struct carnet_write write = { .book = world->book, .record = ids[i], .cells = &cell, .cell_count = 1 };
        struct carnet_write_cell other = cell;
        other.value = carnet_slice_str("marche");
        write.cells = &other;
        assert_int_equal(world_view(office, &ids[i]).cell_count, 0);
        assert_int_equal(carnet_replica_write(office->replica, &write, 1, false, NULL, &world->err), CARNET_REFUSED);
    }
    assert_int_equal(world_view(office, &zoe).cell_count, 1); /* the person is not */
}

static void assert_shown_is_allowed(struct world_node *node, const struct carnet_id *record)
{
    struct carnet_view view = world_view(node, record);
    uint32_t shown = 0, allowed = 0, values = carnet_record_scopes_in(&view.record, CARNET_SIBLING_VALUE);
    for (size_t i = 0; i < view.cell_count; i++)
        shown |= 1u << view.cells[i].siblings[0]->scope;
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_COUNT; scope++) {
        struct carnet_consent consent;
        carnet_rc rc = carnet_replica_allowed(node->replica, &view, CARNET_SLICE_NONE, (enum carnet_scope)scope, &consent);
        assert_int_equal(carnet_replica_allowed(node->replica, &view, CARNET_SLICE_NONE, (enum carnet_scope)scope, NULL), rc);
        allowed |= rc == CARNET_OK ? 1u << scope : 0;
    }
    assert_int_equal(shown, allowed & values);
}

static void what_is_shown_is_what_is_allowed(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = world_add(office, "given=Zoé phone=+33639980012 evidence/sms=x", "file sms"), visit = carnet_replica_new_id(office->replica);
    const struct carnet_write_cell cell = { .field = CARNET_FIELD_TEXT, .value = carnet_slice_str("marché") };
    const struct carnet_write write = { .book = world->book, .record = visit, .kind = CARNET_KIND_EVENT, .cells = &cell, .cell_count = 1, .fresh = true };
    const struct carnet_event restrict_event = { .type = CARNET_EVENT_RESTRICT };
    assert_int_equal(carnet_replica_write(office->replica, &write, 1, false, NULL, &world->err), CARNET_OK);
    assert_int_equal(world_view(office, &visit).cell_count, 1); /* about nobody */
    assert_shown_is_allowed(office, &visit);
    assert_int_equal(world_view(office, &zoe).cell_count, 3);
    assert_shown_is_allowed(office, &zoe);
    assert_int_equal(world_refuse(office, &zoe, CARNET_EVENT_WITHDRAW, "sms"), CARNET_OK);
    assert_int_equal(world_view(office, &zoe).cell_count, 2);
    assert_shown_is_allowed(office, &zoe);
    assert_int_equal(world_event(office, &zoe, &restrict_event), CARNET_OK);
    assert_int_equal(world_view(office, &zoe).cell_count, 0);
    assert_shown_is_allowed(office, &zoe);
}

static void a_refusal_on_one_of_two_merged_counts_for_both(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id a = world_add(office, "given=Zoé city=Grenoble", "file mail"), b = world_add(office, "given=Zoe", "file mail");
    const struct carnet_event edge = { .type = CARNET_EVENT_EDGE, .other = b, .on = true };
    assert_int_equal(world_event(office, &a, &edge), CARNET_OK);
    assert_int_equal(world_view(office, &b).person_count, 2);
    assert_int_equal(world_refuse(office, &b, CARNET_EVENT_WITHDRAW, "mail"), CARNET_OK);
    assert_string_equal(world_value(office, &a, "city"), "");
    world_exchange(world);
    assert_string_equal(world_value(other, &a, "city"), "");
    struct carnet_view view = world_view(other, &a);
    assert_int_equal(view.person_count, 2);
    struct carnet_event off = { .type = CARNET_EVENT_EDGE, .other = b, .on = false, .name_count = 1 };
    for (size_t i = 0; i < view.record.event_count; i++)
        if (carnet_event_peek(view.record.events[i].raw) == CARNET_EVENT_EDGE)
            off.names[0] = view.record.events[i].dot;
    assert_int_equal(world_event(other, &a, &off), CARNET_OK);
    world_exchange(world);
    assert_string_equal(world_value(office, &a, "city"), "Grenoble");
    world_same(world);
}

static void whoever_is_too_many_records_is_blocked(void **state)
{
    enum { RECORDS = 70 };
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id ids[RECORDS];
    for (unsigned star = 0; star < 2; star++) {
        for (size_t i = 0; i < RECORDS; i++)
            ids[i] = world_add(office, star ? "given=Zoé phone=+33639980013" : "given=Zoé phone=+33639980012", "file sms");
        for (size_t i = 1; i < RECORDS; i++) {
            const struct carnet_event edge = { .type = CARNET_EVENT_EDGE, .other = ids[i], .on = true };
            assert_int_equal(world_event(office, &ids[star ? 0 : i - 1], &edge), CARNET_OK);
            if (i == 63)
                assert_int_equal(world_view(office, &ids[0]).cell_count, 2);
        }
        assert_int_equal(world_refuse(office, &ids[RECORDS - 1], CARNET_EVENT_OBJECT, ""), CARNET_OK);
        for (size_t i = 0; i < RECORDS; i++) {
            struct carnet_view view = world_view(office, &ids[i]);
            struct carnet_consent consent;
            assert_int_equal(view.cell_count, 0);
            assert_int_equal(view.open, 0);
            assert_int_equal(carnet_replica_allowed(office->replica, &view, carnet_slice_str("sms"), CARNET_SCOPE_PHONE, &consent), CARNET_REFUSED);
            struct carnet_record_row row;
            assert_int_equal(carnet_store_record_get(carnet_replica_store(office->replica), &world->book, &ids[i], &row, &world->err), CARNET_OK);
            assert_int_equal(row.indexed, 0); /* not found by its words either */
        }
        assert_int_equal(world_edit(office, &ids[0], "phone=+33639980013"), CARNET_REFUSED);
    }
    world_verify(office);
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

static void parts_that_come_late_are_wanted_and_filled_in(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct world_node *volunteer = world_join(world, "Ali", CARNET_ROLE_VOLUNTEER, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé phone=+33639980012", "file sms"), adam = world_add(office, "given=Adam phone=+33639980015", "file sms");
    const struct carnet_event erase = { .type = CARNET_EVENT_ERASE };
    struct carnet_sync_head wants[8];
    struct carnet_sync_source source = carnet_replica_source(other->replica);
    world_give(office, volunteer);
    world_give(volunteer, other);
    assert_string_equal(world_value(other, &zoe, "given"), "Zoé");
    assert_int_equal(world_view(other, &zoe).locked, 1u << CARNET_SCOPE_PHONE);
    assert_int_equal(source.wants(source.ctx, carnet_replica_self(office->replica), wants, 8), 2);
    assert_int_equal(source.wants(source.ctx, carnet_replica_self(volunteer->replica), wants, 8), 0);
    world_verify(other);
    /* what was destroyed before its parts came is wanted no more */
    assert_int_equal(world_event(other, &adam, &erase), CARNET_OK);
    assert_int_equal(source.wants(source.ctx, carnet_replica_self(office->replica), wants, 8), 1);
    world_give(office, other);
    assert_string_equal(world_value(other, &zoe, "phone"), "+33639980012");
    assert_int_equal(source.wants(source.ctx, carnet_replica_self(office->replica), wants, 8), 0);
    assert_int_equal(carnet_store_sweep(carnet_replica_store(other->replica), &world->err), CARNET_OK);
    assert_false(world_on_disk(other, "39980015", 8));
    world_exchange(world);
    world_same(world);
}

/* The sealed bytes of the parts of a record in a scope, as they lie in the entries of a node. */
static size_t parts_held(struct world_node *node, const struct carnet_id *subject)
{
    struct carnet_sync_source source = carnet_replica_source(node->replica);
    struct carnet_sync_entry at;
    size_t held = 0;
    for (int64_t n = 1; source.next(source.ctx, 2, n, &at); n = at.n + 1) {
        struct carnet_entry entry;
        assert_int_equal(carnet_entry_decode(at.bytes, &node->world->arena, &entry), CARNET_OK);
        for (size_t i = 0; i < entry.change_count; i++)
            for (size_t j = 0; j < entry.changes[i].part_count && carnet_id_equal(&entry.changes[i].subject, subject); j++)
                held += entry.changes[i].parts[j].present;
    }
    return held;
}

static void parts_of_an_erased_person_are_nowhere(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé phone=+33639980012", "file sms"), adam = world_add(office, "given=Adam phone=+33639980013", "file sms");
    const struct carnet_event erase = { .type = CARNET_EVENT_ERASE };
    world_exchange(world);
    assert_int_equal(parts_held(other, &zoe), 4);
    assert_int_equal(world_event(office, &zoe, &erase), CARNET_OK);
    assert_int_equal(world_edit(other, &zoe, "family=Tardive"), CARNET_OK);
    assert_int_equal(world_refuse(office, &adam, CARNET_EVENT_WITHDRAW, "sms"), CARNET_OK);
    assert_int_equal(carnet_replica_dark(office->replica, &world->book, &adam, 1u << CARNET_SCOPE_PHONE, &world->err), CARNET_OK);
    assert_int_equal(world_edit(other, &adam, "phone/mobile=+33639980014"), CARNET_OK);
    world_give(other, office); /* whole, after the erasure */
    assert_int_equal(parts_held(office, &zoe), 0);
    assert_int_equal(parts_held(office, &adam), 2);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(parts_held(&world->nodes[i], &zoe), 0);
        assert_int_equal(parts_held(&world->nodes[i], &adam), 2);
        assert_string_equal(world_value(&world->nodes[i], &adam, "phone/mobile"), "");
    }
    world_same(world);
}

static void a_rectified_value_is_gone(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé", "file");
    struct carnet_write_result result;
    world_exchange(world);
    struct carnet_view view = world_view(office, &zoe);
    const struct carnet_event rectify = { .type = CARNET_EVENT_RECTIFY, .names = { view.record.live[0].dot }, .name_count = 1 };
    const struct carnet_write_cell cell = { .field = CARNET_FIELD_GIVEN, .value = carnet_slice_str("Chloé") };
    const struct carnet_write write = { .book = world->book,
                                        .record = zoe,
                                        .subject = zoe,
                                        .kind = CARNET_KIND_CONTACT,
                                        .cells = &cell,
                                        .cell_count = 1,
                                        .events = &rectify,
                                        .event_count = 1 };
    assert_int_equal(carnet_replica_write(office->replica, &write, 1, false, &result, &world->err), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(world_value(&world->nodes[i], &zoe, "given"), "Chloé");
        assert_int_equal(parts_held(&world->nodes[i], &zoe), 2); /* its seed, and the new value */
    }
    world_same(world);
}

static void many_values_fill_several_entries(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé", "file profile"), note = carnet_replica_new_id(office->replica);
    static char text[CARNET_VALUE_LEN_MAX];
    struct carnet_write_cell cells[8];
    char labels[8][4];
    memset(text, 'e', sizeof text);
    for (size_t i = 0; i < 8; i++) {
        labels[i][0] = (char)('a' + i);
        labels[i][1] = 0;
        cells[i] = (struct carnet_write_cell){ CARNET_FIELD_TEXT, carnet_slice_str(labels[i]), carnet_slice(text, sizeof text) };
    }
    const struct carnet_write write = {
        .book = world->book, .record = note, .subject = zoe, .kind = CARNET_KIND_NOTE, .cells = cells, .cell_count = 8, .fresh = true
    };
    struct carnet_write_result result;
    assert_int_equal(carnet_replica_write(office->replica, &write, 1, false, &result, &world->err), CARNET_OK);
    assert_true(result.entries >= 4);
    world_exchange(world);
    assert_int_equal(world_view(other, &note).cell_count, 8);
    world_same(world);
}

static void many_contacts_in_one_call(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    enum { MANY = 300 };
    static struct carnet_write writes[MANY];
    static struct carnet_id ids[MANY];
    const struct carnet_event events[] = { { .type = CARNET_EVENT_GRANT, .purpose = carnet_slice_str("file"), .basis = CARNET_BASIS_CONSENT, .since_ms = WORLD_MS },
                                           { .type = CARNET_EVENT_OBJECT, .purpose = carnet_slice_str("sms") } };
    const struct carnet_write_cell cells[] = { { .field = CARNET_FIELD_GIVEN, .value = carnet_slice_str("Zoé") },
                                               { .field = CARNET_FIELD_EMAIL, .value = carnet_slice_str("zoe@example.org") },
                                               { .field = CARNET_FIELD_EVIDENCE, .label = carnet_slice_str("file"), .value = carnet_slice_str("stand") } };
    struct carnet_write_result result;
    for (size_t i = 0; i < MANY; i++) {
        ids[i] = carnet_replica_new_id(office->replica);
        writes[i] = (struct carnet_write){ .book = world->book,
                                           .record = ids[i],
                                           .subject = ids[i],
                                           .kind = CARNET_KIND_CONTACT,
                                           .cells = cells,
                                           .cell_count = 3,
                                           .events = events,
                                           .event_count = 1 + i % 2,
                                           .fresh = true };
    }
    writes[MANY - 1] = writes[0]; /* the first again, in the same call */
    writes[MANY - 1].fresh = false;
    assert_int_equal(carnet_replica_write(office->replica, writes, MANY, true, &result, &world->err), CARNET_OK);
    assert_int_equal(result.uncovered, MANY);
    assert_int_equal(result.unchanged, 2);
    assert_true(result.entries < 16);
    struct carnet_store_counts counts;
    assert_int_equal(carnet_store_count(carnet_replica_store(office->replica), &counts, &world->err), CARNET_OK);
    assert_int_equal(counts.contacts, MANY - 1);
    world_exchange(world);
    assert_string_equal(world_value(other, &ids[7], "given"), "Zoé");
    world_same(world);
}

static void a_new_incarnation_begins_new_logs(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = world_add(office, "given=Zoé", "file");
    assert_int_equal(carnet_replica_new_incarnation(office->replica, &world->err), CARNET_OK);
    assert_int_equal(world_edit(office, &zoe, "given=Zoe"), CARNET_OK);
    world_reopen(office);
    assert_int_equal(world_edit(office, &zoe, "family=Martin"), CARNET_OK);
    world_exchange(world);
    assert_string_equal(world_value(other, &zoe, "given"), "Zoe");
    assert_string_equal(world_value(other, &zoe, "family"), "Martin");
    world_same(world);
}

static void equal_heads_have_equal_digests(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_sync_source here = carnet_replica_source(office->replica), there = carnet_replica_source(other->replica);
    struct carnet_id zoe = world_add(office, "given=Zoé", "file");
    for (int round = 0; round < 3; round++) {
        world_exchange(world);
        for (unsigned lane = 0; lane < CARNET_LANES; lane++) {
            struct carnet_hash a = here.digest(here.ctx, &world->book, lane), b = there.digest(there.ctx, &world->book, lane);
            assert_memory_equal(a.b, b.b, sizeof a.b);
        }
        struct carnet_hash before = here.digest(here.ctx, &world->book, 2);
        assert_int_equal(world_edit(office, &zoe, round ? "given=Zoe" : "given=Chloé"), CARNET_OK);
        struct carnet_hash after = here.digest(here.ctx, &world->book, 2);
        assert_int_equal(memcmp(before.b, after.b, sizeof before.b) == 0, round == 2);
    }
}

static void ids_are_found_by_their_beginning(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = world_add(office, "given=Zoé", "file");
    struct carnet_id_text text = carnet_id_text(&zoe);
    char hex[33];
    struct carnet_view view;
    carnet_hex(zoe.b, sizeof zoe.b, hex);
    assert_int_equal(carnet_replica_view_text(office->replica, carnet_slice(text.s, 6), &world->arena, &view, &world->err), CARNET_OK);
    assert_true(carnet_id_equal(&view.id, &zoe));
    assert_int_equal(carnet_replica_view_text(office->replica, carnet_slice_str(hex), &world->arena, &view, &world->err), CARNET_OK);
    assert_int_equal(carnet_replica_view_text(office->replica, carnet_slice_str("zzzzzzzz"), &world->arena, &view, &world->err), CARNET_NOT_FOUND);
    assert_int_equal(carnet_replica_view_text(office->replica, carnet_slice_str("é"), &world->arena, &view, &world->err), CARNET_USAGE);
    /* the charter's records are nobody's to show */
    struct carnet_id_text book = carnet_id_text(&world->book);
    assert_int_equal(carnet_replica_view_text(office->replica, carnet_slice_str(book.s), &world->arena, &view, &world->err), CARNET_NOT_FOUND);
}

static void a_welcome_is_for_one_identity(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_identity stranger;
    struct carnet_replica *replica;
    struct carnet_buf buf;
    char path[160];
    carnet_buf_init(&buf, 1 << 20);
    carnet_identity_new(&office->env.rng, &stranger);
    /* any bytes at all: nothing is made of them */
    assert_int_equal(carnet_replica_join("none.db", &other->env, &stranger, NULL, carnet_slice_str("bienvenue"), &replica, &world->err), CARNET_MALFORMED);
    assert_null(replica);
    carnet_cbor_put_array(&buf, 3);
    carnet_cbor_put_str(&buf, "carnet/1/welcome");
    carnet_cbor_put_bytes(&buf, carnet_authority_genesis(carnet_replica_authority(office->replica)));
    carnet_authority_chain(carnet_replica_authority(office->replica), carnet_replica_self(other->replica), &buf);
    snprintf(path, sizeof path, "%s/again.db", world->dir);
    assert_int_equal(carnet_replica_join(path, &other->env, &stranger, NULL, carnet_buf_slice(&buf), &replica, &world->err), CARNET_REFUSED);
    for (size_t i = 0; i < buf.len; i++) {
        assert_int_not_equal(carnet_replica_join(path, &other->env, &other->identity, NULL, carnet_slice(buf.ptr, i), &replica, &world->err), CARNET_OK);
        buf.ptr[i] ^= 1;
        assert_int_not_equal(carnet_replica_join(path, &other->env, &other->identity, NULL, carnet_buf_slice(&buf), &replica, &world->err), CARNET_OK);
        buf.ptr[i] ^= 1;
    }
    assert_int_equal(carnet_replica_join(path, &other->env, &other->identity, NULL, carnet_buf_slice(&buf), &replica, &world->err), CARNET_OK);
    carnet_replica_close(replica);
    assert_int_equal(carnet_replica_join(path, &other->env, &other->identity, NULL, carnet_buf_slice(&buf), &replica, &world->err), CARNET_CONFLICT);
    assert_int_equal(carnet_replica_open(path, &other->env, &stranger, &replica, &world->err), CARNET_REFUSED);
    carnet_buf_deinit(&buf);
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
        TEST(a_database_of_an_earlier_version_is_rebuilt_at_open),
        TEST(what_is_rolled_back_was_never_there),
        TEST(a_cut_voids_what_lies_beyond),
        TEST(the_order_does_not_matter),
        TEST(a_note_is_under_its_subjects_consent),
        TEST(a_note_that_is_not_understood_is_blocked),
        TEST(what_is_shown_is_what_is_allowed),
        TEST(a_refusal_on_one_of_two_merged_counts_for_both),
        TEST(whoever_is_too_many_records_is_blocked),
        TEST(a_word_finds_what_is_open_alone),
        TEST(noise_is_refused_and_changes_nothing),
        TEST(what_comes_from_the_future_blocks_but_destroys_nothing),
        TEST(parts_that_come_late_are_wanted_and_filled_in),
        TEST(parts_of_an_erased_person_are_nowhere),
        TEST(a_rectified_value_is_gone),
        TEST(many_values_fill_several_entries),
        TEST(two_erasures_apart_are_one),
        TEST(many_contacts_in_one_call),
        TEST(a_new_incarnation_begins_new_logs),
        TEST(equal_heads_have_equal_digests),
        TEST(ids_are_found_by_their_beginning),
        TEST(a_welcome_is_for_one_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
