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
static const char *const address[] = { "tcp://192.0.2.1:7777" };

static int setup(void **state)
{
    (void)state;
    err = (struct carnet_err)CARNET_ERR_INIT;
    world_open(&world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static struct carnet_invite_terms terms_of(const char *name, enum carnet_role role)
{
    return (struct carnet_invite_terms){
        .name = world_text(name), .role = role, .code_until_ms = WORLD_MS + WORLD_DAY_MS, .addresses = address, .address_count = 1
    };
}

static struct carnet_member member_of(size_t node, const char *name)
{
    struct carnet_member member;
    assert_int_equal(carnet_replica_member_find(world.nodes[node].replica, world_text(name), &member, &err), CARNET_OK);
    return member;
}

static void code_admits_once(void **state)
{
    struct carnet_invite_terms terms = terms_of("Zoé Martin", CARNET_ROLE_OFFICE);
    struct carnet_invite_code code;
    struct carnet_buf first, again, other;
    struct carnet_box_pk client;
    struct carnet_box_sk sk;
    (void)state;
    carnet_buf_init(&first, 1 << 16);
    carnet_buf_init(&again, 1 << 16);
    carnet_buf_init(&other, 1 << 16);
    assert_int_equal(world_code(&world, 0, &terms, &code, &err), CARNET_OK);
    assert_string_equal(code.addresses[0], address[0]);
    carnet_invite_keys(code.secret, &client, &sk);
    assert_true(carnet_replica_invite_known(world.nodes[0].replica, &client));
    struct world_node node = *world_stranger(&world);
    assert_int_equal(world_ask(&world, 0, &code, &node, "portable", &first, &err), CARNET_OK);
    int64_t last = carnet_replica_last(world.nodes[0].replica);
    assert_int_equal(world_ask(&world, 0, &code, &node, "portable", &again, &err), CARNET_OK);
    assert_true(carnet_slice_equal(carnet_buf_slice(&first), carnet_buf_slice(&again)));
    assert_int_equal(carnet_replica_last(world.nodes[0].replica), last);
    struct world_node thief = node;
    thief.env.rng = carnet_rng_seeded(&thief.rng, 4242);
    carnet_identity_new(&thief.env.rng, &thief.identity);
    assert_int_equal(world_ask(&world, 0, &code, &thief, "portable", &other, &err), CARNET_REFUSED);
    assert_string_equal(err.what, "this invitation was used already");
    assert_int_equal(other.len, 0);
    assert_int_equal(carnet_authority_count(carnet_replica_authority(world.nodes[0].replica)), 2);
    carnet_buf_deinit(&first);
    carnet_buf_deinit(&again);
    carnet_buf_deinit(&other);
}

static void code_that_expired_is_unknown_or_mistyped_is_refused(void **state)
{
    struct carnet_invite_terms terms = terms_of("Zoé Martin", CARNET_ROLE_OFFICE);
    struct carnet_invite_code code;
    struct carnet_buf welcome, text;
    struct carnet_box_pk client;
    struct carnet_box_sk sk;
    (void)state;
    carnet_buf_init(&welcome, 1 << 16);
    carnet_buf_init(&text, 4096);
    assert_int_equal(world_code(&world, 0, &terms, &code, &err), CARNET_OK);
    carnet_invite_keys(code.secret, &client, &sk);
    struct world_node *node = world_stranger(&world);
    struct carnet_invite_code unknown = code;
    unknown.secret[3] ^= 1;
    assert_int_equal(world_ask(&world, 0, &unknown, node, "portable", &welcome, &err), CARNET_REFUSED);
    assert_string_equal(err.what, "this invitation is not known here");
    carnet_invite_code_encode(&code, &text);
    text.ptr[7] = text.ptr[7] == 'A' ? 'B' : 'A';
    assert_int_equal(carnet_invite_code_decode(carnet_buf_slice(&text), &unknown), CARNET_MALFORMED);
    world_clock(&world, WORLD_MS + WORLD_DAY_MS);
    assert_false(carnet_replica_invite_known(world.nodes[0].replica, &client));
    assert_int_equal(world_ask(&world, 0, &code, node, "portable", &welcome, &err), CARNET_REFUSED);
    assert_string_equal(err.what, "this invitation has expired");
    assert_int_equal(welcome.len, 0);
    carnet_buf_deinit(&welcome);
    carnet_buf_deinit(&text);
}

static void request_that_was_touched_is_malformed(void **state)
{
    struct carnet_invite_terms terms = terms_of("Zoé Martin", CARNET_ROLE_OFFICE);
    struct carnet_invite_code code;
    struct carnet_box_pk client;
    struct carnet_box_sk sk;
    struct carnet_buf request, welcome;
    (void)state;
    assert_int_equal(world_code(&world, 0, &terms, &code, &err), CARNET_OK);
    carnet_invite_keys(code.secret, &client, &sk);
    struct world_node *node = world_stranger(&world);
    carnet_buf_init(&request, 4096);
    carnet_buf_init(&welcome, 1 << 16);
    carnet_join_request(&node->identity, world_text("portable"), &client, &request);
    for (size_t i = 0; i < request.len; i++) {
        assert_int_equal(carnet_replica_admit(world.nodes[0].replica, &client, carnet_slice(request.ptr, i), &welcome, &err), CARNET_MALFORMED);
        request.ptr[i] ^= 0x10;
        assert_int_equal(carnet_replica_admit(world.nodes[0].replica, &client, carnet_buf_slice(&request), &welcome, &err), CARNET_MALFORMED);
        request.ptr[i] ^= 0x10;
    }
    assert_int_equal(carnet_replica_admit(world.nodes[0].replica, &client, carnet_buf_slice(&request), &welcome, &err), CARNET_OK);
    carnet_buf_deinit(&request);
    carnet_buf_deinit(&welcome);
}

static void join_gives_names_rights_and_the_keys_of_what_is_read(void **state)
{
    (void)state;
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe@example.org");
    size_t office = world_invite(&world, 0, "Zoé Martin", CARNET_ROLE_OFFICE, 0);
    struct carnet_member member = member_of(office, "zoe martin");
    assert_string_equal(member.member, "Zoé Martin");
    assert_string_equal(member.node, "Zoé Martin");
    assert_int_equal(member.cert->role, CARNET_ROLE_OFFICE);
    assert_int_equal(member.cert->reads, CARNET_SCOPES_ALL);
    assert_int_equal(member.cert->not_after_ms, 0);
    assert_string_equal(world_value(&world, office, &contact, CARNET_FIELD_EMAIL), "zoe@example.org");
    assert_int_equal(carnet_replica_member_find(world.nodes[0].replica, world_text("nobody"), &member, &err), CARNET_NOT_FOUND);
    struct carnet_id_text id = carnet_id_text(&world.nodes[office].id);
    assert_int_equal(carnet_replica_member_find(world.nodes[0].replica, world_text(id.s), &member, &err), CARNET_OK);
    assert_string_equal(member.member, "Zoé Martin");
}

static void volunteers_relays_and_gateways_get_their_roles_defaults(void **state)
{
    (void)state;
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe@example.org");
    size_t volunteer = world_invite(&world, 0, "Ali Benali", CARNET_ROLE_VOLUNTEER, 0);
    size_t relay = world_invite(&world, 0, "relais", CARNET_ROLE_RELAY, 0);
    size_t gateway = world_invite(&world, 0, "passerelle", CARNET_ROLE_GATEWAY, 0);
    struct carnet_member member = member_of(0, "ali benali");
    assert_int_equal(member.cert->reads, 1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_POSTAL | 1u << CARNET_SCOPE_NOTES | 1u << CARNET_SCOPE_CONSENT);
    assert_int_equal(member.cert->not_after_ms, WORLD_MS + 90 * WORLD_DAY_MS);
    assert_false(member.cert->verbs & CARNET_VERB_INVITE);
    member = member_of(0, "relais");
    assert_int_equal(member.cert->reads, 0);
    assert_int_equal(member.cert->verbs, 0);
    assert_int_equal(member.cert->not_after_ms, 0);
    member = member_of(0, "passerelle");
    assert_int_equal(member.cert->reads, CARNET_SCOPES_ALL);
    assert_int_equal(member.cert->not_after_ms, WORLD_MS + 90 * WORLD_DAY_MS);
    assert_string_equal(world_value(&world, volunteer, &contact, CARNET_FIELD_EMAIL), "");
    assert_string_equal(world_value(&world, relay, &contact, CARNET_FIELD_EMAIL), "");
    assert_string_equal(world_value(&world, gateway, &contact, CARNET_FIELD_EMAIL), "zoe@example.org");
}

static void rights_never_exceed_the_inviters(void **state)
{
    struct carnet_invite_code code;
    struct carnet_id other;
    (void)state;
    size_t office = world_invite(&world, 0, "bureau", CARNET_ROLE_OFFICE, 1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_EMAIL);
    struct carnet_invite_terms terms = terms_of("X", CARNET_ROLE_ADMIN);
    assert_int_equal(world_code(&world, office, &terms, &code, &err), CARNET_REFUSED);
    terms = terms_of("X", CARNET_ROLE_OFFICE);
    terms.scopes = 1u << CARNET_SCOPE_PHONE;
    assert_int_equal(world_code(&world, office, &terms, &code, &err), CARNET_REFUSED);
    assert_string_equal(err.what, "this node does not read the scope phone");
    terms.scopes = 1u << CARNET_SCOPE_EMAIL;
    assert_int_equal(world_code(&world, office, &terms, &code, &err), CARNET_OK);
    assert_int_equal(carnet_replica_book_add(world.nodes[0].replica, world_text("presse"), &other, &err), CARNET_OK);
    terms.books = &other;
    terms.book_count = 1;
    terms.scopes = 0;
    assert_int_equal(world_code(&world, office, &terms, &code, &err), CARNET_NOT_FOUND); /* it has not heard of it */
    world_pull(&world, office, 0);
    assert_int_equal(world_code(&world, office, &terms, &code, &err), CARNET_OK); /* no book named: every book, also later ones */
    size_t volunteer = world_invite(&world, office, "Ali", CARNET_ROLE_VOLUNTEER, 0);
    assert_int_equal(member_of(office, "ali").cert->reads, 1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_CONSENT); /* the default, as far as the inviter reads */
    terms = terms_of("X", CARNET_ROLE_VOLUNTEER);
    assert_int_equal(world_code(&world, volunteer, &terms, &code, &err), CARNET_REFUSED);
    assert_string_equal(err.what, "this node may not invite");
}

static void invitation_needs_an_address_a_name_and_time(void **state)
{
    static const char *const bad[] = { "tcp://192.0.2.1", "tcp://:7777", "http://192.0.2.1:80", "tcp://192.0.2.1:0", "tcp://192.0.2.1:70000", "tcp://a b:1", "" };
    struct carnet_invite_code code;
    struct carnet_invite_terms terms = terms_of("X", CARNET_ROLE_OFFICE);
    (void)state;
    terms.address_count = 0;
    assert_int_equal(world_code(&world, 0, &terms, &code, &err), CARNET_USAGE);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        terms.addresses = &bad[i];
        terms.address_count = 1;
        assert_int_equal(world_code(&world, 0, &terms, &code, &err), CARNET_USAGE);
    }
    terms = terms_of("", CARNET_ROLE_OFFICE);
    assert_int_equal(world_code(&world, 0, &terms, &code, &err), CARNET_USAGE);
    terms = terms_of("X", CARNET_ROLE_OFFICE);
    terms.code_until_ms = WORLD_MS;
    assert_int_equal(world_code(&world, 0, &terms, &code, &err), CARNET_USAGE);
    terms = terms_of("X", CARNET_ROLE_RELAY);
    terms.scopes = 1u << CARNET_SCOPE_EMAIL;
    assert_int_equal(world_code(&world, 0, &terms, &code, &err), CARNET_USAGE);
}

static void addresses_replace_the_former_ones(void **state)
{
    static const char *const many[] = { "tcp://192.0.2.1:7777", "tcp://[2001:db8::1]:7777" };
    struct carnet_member member;
    (void)state;
    size_t office = world_invite(&world, 0, "bureau", CARNET_ROLE_OFFICE, 0);
    struct carnet_replica *replica = world.nodes[office].replica;
    assert_int_equal(carnet_replica_addresses(replica, many, 2, &err), CARNET_OK);
    world_meet(&world);
    member = member_of(0, "bureau");
    assert_int_equal(member.address_count, 2);
    assert_string_equal(member.addresses[0], many[0]);
    assert_string_equal(member.addresses[1], many[1]);
    int64_t last = carnet_replica_last(replica);
    assert_int_equal(carnet_replica_addresses(replica, many, 2, &err), CARNET_OK);
    assert_int_equal(carnet_replica_last(replica), last); /* nothing new: nothing written */
    world_clock(&world, WORLD_MS + 1000);
    assert_int_equal(carnet_replica_addresses(replica, many + 1, 1, &err), CARNET_OK);
    world_meet(&world);
    member = member_of(0, "bureau");
    assert_int_equal(member.address_count, 1);
    assert_string_equal(member.addresses[0], many[1]);
    assert_int_equal(carnet_replica_addresses(replica, NULL, 0, &err), CARNET_OK);
    world_meet(&world);
    assert_int_equal(member_of(0, "bureau").address_count, 0);
    assert_int_equal(carnet_replica_addresses(replica, (const char *const[]){ "here" }, 1, &err), CARNET_USAGE);
    assert_string_equal(member_of(0, "bureau").member, "bureau"); /* what a node says of itself does not touch its name */
}

static void cut_goes_down_the_tree_only(void **state)
{
    (void)state;
    size_t office = world_invite(&world, 0, "bureau", CARNET_ROLE_OFFICE, 0);
    size_t volunteer = world_invite(&world, office, "Ali", CARNET_ROLE_VOLUNTEER, 0);
    world_meet(&world);
    struct carnet_id contact = world_add(&world, volunteer, "canvass", 0, CARNET_FIELD_CITY, "Grenoble");
    world_meet(&world);
    assert_string_equal(world_value(&world, 0, &contact, CARNET_FIELD_CITY), "Grenoble");
    assert_int_equal(carnet_replica_cut(world.nodes[office].replica, &world.nodes[0].id, &err), CARNET_REFUSED);
    assert_int_equal(carnet_replica_cut(world.nodes[office].replica, &world.nodes[office].id, &err), CARNET_REFUSED);
    assert_int_equal(carnet_replica_cut(world.nodes[volunteer].replica, &world.nodes[office].id, &err), CARNET_REFUSED);
    struct carnet_id late = world_add(&world, volunteer, "canvass", 0, CARNET_FIELD_CITY, "Lyon");
    assert_int_equal(carnet_replica_cut(world.nodes[0].replica, &world.nodes[volunteer].id, &err), CARNET_OK);
    int64_t last = carnet_replica_last(world.nodes[0].replica);
    assert_int_equal(carnet_replica_cut(world.nodes[0].replica, &world.nodes[volunteer].id, &err), CARNET_OK);
    assert_int_equal(carnet_replica_last(world.nodes[0].replica), last);
    assert_true(member_of(0, "ali").cut);
    world_meet(&world);
    assert_true(member_of(office, "ali").cut);
    assert_string_equal(world_value(&world, 0, &contact, CARNET_FIELD_CITY), "Grenoble");
    assert_string_equal(world_value(&world, office, &late, CARNET_FIELD_CITY), "");
}

static bool count_items(void *ctx, const struct carnet_history_item *item)
{
    char *text = ctx;
    size_t len = strlen(text);
    if (item->event)
        snprintf(text + len, 900 - len, "%s event %d; ", item->by, (int)item->event->type);
    else
        snprintf(text + len, 900 - len, "%s %u %.*s>%.*s%s; ", item->by, item->field, (int)item->old.len, (const char *)item->old.ptr, (int)item->value.len,
                 (const char *)item->value.ptr, item->gone ? "gone" : "");
    return true;
}

static void history_tells_who_wrote_what_over_what(void **state)
{
    struct carnet_arena arena;
    struct carnet_view view;
    char text[900] = "", expected[900];
    (void)state;
    size_t office = world_invite(&world, 0, "bureau", CARNET_ROLE_OFFICE, 0);
    struct carnet_id contact = world_add(&world, 0, "newsletter", 0, CARNET_FIELD_EMAIL, "zoe@example.org");
    world_meet(&world);
    world_clock(&world, WORLD_MS + 1000);
    world_write(&world, office, &contact, CARNET_FIELD_EMAIL, "zoe.martin@example.org");
    carnet_arena_init(&arena);
    assert_int_equal(carnet_replica_view(world.nodes[office].replica, &world.book, &contact, &arena, &view, &err), CARNET_OK);
    assert_int_equal(carnet_replica_history(world.nodes[office].replica, &view, &arena, count_items, text, &err), CARNET_OK);
    snprintf(expected, sizeof expected, "mairie event %d; mairie %d >zoe@example.org; bureau %d zoe@example.org>zoe.martin@example.org; ", CARNET_EVENT_GRANT,
             CARNET_FIELD_EMAIL, CARNET_FIELD_EMAIL);
    assert_string_equal(text, expected);
    const struct carnet_event withdraw = { .type = CARNET_EVENT_WITHDRAW, .purpose = world_text("newsletter") };
    world_clock(&world, WORLD_MS + 2000);
    world_event(&world, office, &contact, &withdraw);
    text[0] = 0;
    carnet_arena_reset(&arena);
    assert_int_equal(carnet_replica_view(world.nodes[office].replica, &world.book, &contact, &arena, &view, &err), CARNET_OK);
    assert_int_equal(carnet_replica_history(world.nodes[office].replica, &view, &arena, count_items, text, &err), CARNET_OK);
    assert_null(strstr(text, "example.org")); /* what is blocked is displayed nowhere */
    carnet_arena_deinit(&arena);
}

/* An event in a record of the charter. */
static void write_charter(size_t by, const struct carnet_id *record, enum carnet_kind kind, const struct carnet_event *event)
{
    struct carnet_replica *replica = world.nodes[by].replica;
    const struct carnet_write write = {
        .book = *carnet_authority_community(carnet_replica_authority(replica)), .record = *record, .kind = kind, .events = event, .event_count = 1
    };
    assert_int_equal(carnet_replica_write(replica, &write, 1, false, NULL, &err), CARNET_OK);
}

static const char *book_name(size_t node, const struct carnet_id *book)
{
    const struct carnet_book *at;
    for (size_t i = 0; (at = carnet_replica_book_at(world.nodes[node].replica, i)) != NULL; i++)
        if (carnet_id_equal(&at->id, book))
            return at->name;
    return "";
}

static void book_named_twice_has_the_first_name_everywhere(void **state)
{
    (void)state;
    size_t other = world_invite(&world, 0, "siège 2", CARNET_ROLE_ADMIN, 0);
    struct carnet_id book = carnet_replica_new_id(world.nodes[0].replica);
    world.nodes[0].hands.wall_ms += 5000; /* the later one comes first to itself */
    struct carnet_event named = { .type = CARNET_EVENT_BOOK, .other = book, .text = world_text("nord") };
    write_charter(other, &book, CARNET_KIND_BOOK, &named);
    named.text = world_text("sud");
    write_charter(0, &book, CARNET_KIND_BOOK, &named);
    assert_string_equal(book_name(0, &book), "sud");
    world_meet(&world);
    assert_string_equal(book_name(other, &book), "nord");
    assert_string_equal(book_name(0, &book), "nord");
}

static void set_dark_after(size_t by, const char *value)
{
    struct carnet_id record = carnet_replica_new_id(world.nodes[by].replica);
    const struct carnet_event event = { .type = CARNET_EVENT_SETTING, .text = world_text("dark_after"), .value = world_text(value) };
    write_charter(by, &record, CARNET_KIND_SETTING, &event);
}

static void of_what_admins_set_the_strictest_counts_whatever_their_clocks(void **state)
{
    (void)state;
    size_t other = world_invite(&world, 0, "siège 2", CARNET_ROLE_ADMIN, 0);
    world.nodes[other].hands.wall_ms += 5000;
    set_dark_after(0, "48h");
    set_dark_after(other, "96h");
    world_meet(&world);
    assert_int_equal(carnet_replica_charter(world.nodes[0].replica)->dark_after_ms, 48 * WORLD_HOUR_MS);
    assert_int_equal(carnet_replica_charter(world.nodes[other].replica)->dark_after_ms, 48 * WORLD_HOUR_MS);
    world.nodes[0].hands.wall_ms -= WORLD_DAY_MS; /* the last word of each counts, not its date */
    set_dark_after(0, "5d");
    world_meet(&world);
    assert_int_equal(carnet_replica_charter(world.nodes[0].replica)->dark_after_ms, 96 * WORLD_HOUR_MS);
    assert_int_equal(carnet_replica_charter(world.nodes[other].replica)->dark_after_ms, 96 * WORLD_HOUR_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(code_admits_once, setup, teardown),
        cmocka_unit_test_setup_teardown(book_named_twice_has_the_first_name_everywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(of_what_admins_set_the_strictest_counts_whatever_their_clocks, setup, teardown),
        cmocka_unit_test_setup_teardown(code_that_expired_is_unknown_or_mistyped_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(request_that_was_touched_is_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(join_gives_names_rights_and_the_keys_of_what_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(volunteers_relays_and_gateways_get_their_roles_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(rights_never_exceed_the_inviters, setup, teardown),
        cmocka_unit_test_setup_teardown(invitation_needs_an_address_a_name_and_time, setup, teardown),
        cmocka_unit_test_setup_teardown(addresses_replace_the_former_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_goes_down_the_tree_only, setup, teardown),
        cmocka_unit_test_setup_teardown(history_tells_who_wrote_what_over_what, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
