// SPDX-License-Identifier: EUPL-1.2
#include "carnet/replica/audit.h"

#include "replica_world.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdio.h>
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

struct seen {
    size_t count, bad;
    char last[CARNET_AUDIT_DETAIL_LEN_MAX + 1];
    unsigned last_kind;
    char all[64 * 1024];
};

static bool each(void *ctx, const struct carnet_audit_item *item)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->bad += !item->good;
    seen->last_kind = item->kind;
    snprintf(seen->last, sizeof seen->last, "%.*s", (int)item->detail.len, (const char *)item->detail.ptr);
    size_t len = strlen(seen->all);
    snprintf(seen->all + len, sizeof seen->all - len, "%s %s\n", carnet_audit_kind_name(item->kind), seen->last);
    return true;
}

static struct seen seen;
static carnet_rc list(struct world_node *node, int64_t since_ms)
{
    memset(&seen, 0, sizeof seen);
    return carnet_audit_list(node->replica, since_ms, each, &seen, &node->world->err);
}

static carnet_rc add(struct world_node *node, const char *detail)
{
    return carnet_audit_add(node->replica, CARNET_AUDIT_ACCESS, carnet_slice_str(detail), &node->world->err);
}

/* What somebody with the file and without the key does. */
static void tamper(struct world_node *node, const char *sql)
{
    sqlite3 *db;
    carnet_replica_close(node->replica);
    node->replica = NULL;
    assert_int_equal(sqlite3_open_v2(node->path, &db, SQLITE_OPEN_READWRITE, "unix-excl"), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    world_reopen(node);
}

static void what_is_signed_is_in_the_trail_by_itself(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = world_add(office, "given=Zoé email=zoe@example.org", "file newsletter");
    assert_int_equal(world_refuse(office, &zoe, CARNET_EVENT_OBJECT, ""), CARNET_OK);
    assert_int_equal(world_event(office, &zoe, &(struct carnet_event){ .type = CARNET_EVENT_ERASE }), CARNET_OK);
    assert_int_equal(list(office, 0), CARNET_OK);
    assert_non_null(strstr(seen.all, "administration certified: 1, book main: 1"));
    assert_non_null(strstr(seen.all, "consent given file: 1, given newsletter: 1\n"));
    assert_non_null(strstr(seen.all, "consent objected all: 1"));
    assert_non_null(strstr(seen.all, "erase erased: 1"));
    assert_null(strstr(seen.all, "zoe@"));
    assert_int_equal(seen.bad, 0);
}

static void what_was_refused_is_not_in_the_trail(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = world_add(office, "given=Zoé", "file");
    assert_int_equal(list(office, 0), CARNET_OK);
    size_t before = seen.count;
    assert_int_equal(world_edit(office, &zoe, "phone=+33639980012"), CARNET_REFUSED);
    assert_int_equal(carnet_replica_begin(office->replica, &world->err), CARNET_OK);
    assert_int_equal(world_refuse(office, &zoe, CARNET_EVENT_OBJECT, ""), CARNET_OK);
    assert_int_equal(add(office, "access: 1"), CARNET_OK);
    carnet_replica_rollback(office->replica);
    assert_int_equal(list(office, 0), CARNET_OK);
    assert_int_equal(seen.count, before);
    assert_int_equal(add(office, "access: 1"), CARNET_OK);
    assert_int_equal(list(office, 0), CARNET_OK);
    assert_int_equal(seen.count, before + 1);
}

static void a_changed_row_breaks_it(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    for (int i = 0; i < 3; i++)
        assert_int_equal(add(office, "access: 1"), CARNET_OK);
    assert_int_equal(list(office, 0), CARNET_OK);
    tamper(office, "UPDATE audit SET detail = 'access: 2' WHERE n = 2");
    assert_int_equal(list(office, 0), CARNET_CORRUPT);
    assert_non_null(strstr(world->err.what, "row 2"));
    assert_int_equal(seen.bad, 1);
    tamper(office, "UPDATE audit SET detail = 'access: 1' WHERE n = 2");
}

static void a_row_taken_out_breaks_it_also_the_last_ones(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    for (int i = 0; i < 4; i++)
        assert_int_equal(add(office, "access: 1"), CARNET_OK);
    assert_int_equal(list(office, 0), CARNET_OK);
    size_t whole = seen.count;
    char sql[64];
    snprintf(sql, sizeof sql, "DELETE FROM audit WHERE n = %zu", whole);
    tamper(office, sql);
    assert_int_equal(list(office, 0), CARNET_CORRUPT);
    tamper(office, "DELETE FROM audit WHERE n = 1");
    assert_int_equal(list(office, 0), CARNET_CORRUPT);
    tamper(office, "DELETE FROM audit; DELETE FROM meta WHERE name = 'audit'");
    assert_int_equal(list(office, 0), CARNET_OK); /* a whole new file cannot be told from a new node: what the header says */
    assert_int_equal(seen.count, 0);
}

static void no_personal_data_gets_in(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    static const char *const personal[] = { "for zoe@example.org", "06 39 98 00 12", "+33639980012", "06.39.98.00.12", "0192f1c2aabbccddeeff001122334455", "two\nlines", "" };
    static const char *const fine[] = { "rows: 1000000, created: 50000", "ballot 2026-03-15", "newsletter, targeted; for Lyon", "café" };
    for (size_t i = 0; i < sizeof personal / sizeof personal[0]; i++)
        assert_int_equal(add(office, personal[i]), CARNET_USAGE);
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_int_equal(add(office, fine[i]), CARNET_OK);
}

static void rows_leave_after_twelve_months_and_the_rest_stays_whole(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    int64_t dropped = 0;
    assert_int_equal(add(office, "old"), CARNET_OK);
    assert_int_equal(list(office, 0), CARNET_OK);
    size_t old = seen.count;
    world_pass(world, INT64_C(367) * 86400000);
    assert_int_equal(add(office, "new"), CARNET_OK);
    assert_int_equal(carnet_audit_drop(office->replica, &dropped, &world->err), CARNET_OK);
    assert_int_equal(dropped, old);
    assert_int_equal(list(office, 0), CARNET_OK);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.last, "new");
    world_reopen(office);
    assert_int_equal(add(office, "newer"), CARNET_OK);
    assert_int_equal(list(office, 0), CARNET_OK);
    assert_int_equal(seen.count, 2);
}

static void upkeep_drops_when_a_peer_agrees_alone(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    bool more;
    assert_int_equal(add(office, "old"), CARNET_OK);
    world_pass(world, INT64_C(400) * 86400000);
    assert_int_equal(add(office, "new"), CARNET_OK);
    assert_int_equal(carnet_replica_upkeep(office->replica, false, &more, &world->err), CARNET_OK);
    assert_int_equal(list(office, 0), CARNET_OK);
    assert_non_null(strstr(seen.all, "access old"));
    assert_int_equal(carnet_replica_upkeep(office->replica, true, &more, &world->err), CARNET_OK);
    assert_int_equal(list(office, 0), CARNET_OK);
    assert_null(strstr(seen.all, "access old"));
    assert_non_null(strstr(seen.all, "access new"));
}

static void searches_are_one_row_a_day_and_write_nothing_by_themselves(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    assert_int_equal(list(office, 0), CARNET_OK);
    size_t before = seen.count;
    for (int i = 0; i < 100; i++)
        carnet_audit_search(office->replica, 3);
    world_reopen(office);
    for (int i = 0; i < 20; i++)
        carnet_audit_search(office->replica, 5);
    world_pass(world, 86400000);
    world_add(office, "given=Zoé", "file"); /* whatever is written next: the day is over */
    assert_int_equal(list(office, 0), CARNET_OK);
    assert_int_equal(seen.count, before + 2);
    assert_non_null(strstr(seen.all, "search searches: 120, people shown: 400\n"));
    assert_int_equal(list(office, 0), CARNET_OK);
    assert_int_equal(seen.count, before + 2);
}

static void an_import_is_one_sum(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    assert_int_equal(list(office, 0), CARNET_OK);
    size_t before = seen.count;
    carnet_audit_hold(office->replica, true);
    for (int i = 0; i < 10; i++)
        world_add(office, "given=Zoé", "file");
    world_reopen(office); /* killed: nothing is lost */
    carnet_audit_hold(office->replica, true);
    for (int i = 0; i < 10; i++)
        world_add(office, "given=Zoé", "file");
    carnet_audit_hold(office->replica, false);
    assert_int_equal(carnet_audit_add(office->replica, CARNET_AUDIT_IMPORT, carnet_slice_str("rows: 20"), &world->err), CARNET_OK);
    assert_int_equal(list(office, 0), CARNET_OK);
    assert_int_equal(seen.count, before + 2);
    assert_non_null(strstr(seen.all, "consent given file: 20\n"));
    assert_non_null(strstr(seen.all, "import rows: 20\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_signed_is_in_the_trail_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_refused_is_not_in_the_trail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_row_breaks_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_taken_out_breaks_it_also_the_last_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_personal_data_gets_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_leave_after_twelve_months_and_the_rest_stays_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(upkeep_drops_when_a_peer_agrees_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(searches_are_one_row_a_day_and_write_nothing_by_themselves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_import_is_one_sum, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
