// SPDX-License-Identifier: EUPL-1.2
/* A replica whose disk fails, or whose power goes, at every place of a write: what was acknowledged is there, what was not is there whole or not
 * at all, the memory is what the disk says, and no log is forked. */
#include "carnet/replica/replica.h"

#include "simvfs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK(call)                                                                                                                                               \
    do {                                                                                                                                                       \
        if ((call) != CARNET_OK)                                                                                                                               \
            fail_msg("%s: %s", #call, place->err.what);                                                                                                        \
    } while (0)

enum { ACTS = 3 };
struct place {
    struct simvfs *sim;
    struct carnet_err err;
    struct carnet_clock_hands hands;
    struct carnet_rng_state dice;
    struct carnet_replica_env env;
    struct carnet_identity identity;
    struct carnet_replica *replica;
    struct carnet_id book, zoe;
    unsigned names;
    char name[16];
    struct carnet_arena arena;
};

static int set_up(void **state)
{
    struct place *place = carnet_alloc(sizeof *place);
    const uint8_t root[32] = { 7 };
    const struct carnet_book *book;
    *state = place;
    assert_int_equal(carnet_crypto_init(&place->err), CARNET_OK);
    place->sim = simvfs_new("sim", 5);
    place->hands.wall_ms = 1790000000000;
    place->env = (struct carnet_replica_env){ carnet_clock_manual(&place->hands), carnet_rng_seeded(&place->dice, 11), .vfs = "sim" };
    carnet_identity_new(&place->env.rng, &place->identity);
    carnet_arena_init(&place->arena);
    OK(carnet_replica_found("paris/carnet.db", &place->env, carnet_slice_str("Grenoble"), carnet_slice_str("Bureau"), &place->identity, root, &place->replica,
                            &place->err));
    OK(carnet_replica_book_find(place->replica, CARNET_SLICE_NONE, &book, &place->err));
    place->book = book->id;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    carnet_replica_close(place->replica);
    carnet_arena_deinit(&place->arena);
    simvfs_free(place->sim);
    free(place);
    return 0;
}

/* Adds a contact, or edits it, or refuses for it. */
static carnet_rc act(struct place *place, int what)
{
    snprintf(place->name, sizeof place->name, "Zoé %u", place->names++);
    const struct carnet_event grant = { .type = CARNET_EVENT_GRANT, .purpose = carnet_slice_str("file"), .basis = CARNET_BASIS_CONSENT, .since_ms = 1789000000000 };
    const struct carnet_event refusal = { .type = CARNET_EVENT_OBJECT, .purpose = carnet_slice_str("sms") };
    const struct carnet_write_cell cell = { .field = CARNET_FIELD_GIVEN, .value = carnet_slice_str(place->name) };
    struct carnet_write_result result;
    if (what == 0)
        place->zoe = carnet_replica_new_id(place->replica);
    const struct carnet_write write = {
        .book = place->book,
        .record = place->zoe,
        .subject = place->zoe,
        .kind = CARNET_KIND_CONTACT,
        .cells = &cell,
        .cell_count = what < 2,
        .events = what == 0 ? &grant : &refusal,
        .event_count = what != 1,
        .fresh = what == 0,
    };
    return carnet_replica_write(place->replica, &write, 1, false, &result, &place->err);
}

static struct carnet_hash state_of(struct place *place)
{
    struct carnet_hash hash;
    OK(carnet_replica_state(place->replica, &place->book, &hash, &place->err));
    return hash;
}

static void complain(void *ctx, const char *error)
{
    (void)ctx;
    fail_msg("verify: %s", error);
}

static void reopen(struct place *place)
{
    carnet_replica_close(place->replica);
    place->replica = NULL;
    simvfs_start(place->sim, "paris");
    OK(carnet_replica_open("paris/carnet.db", &place->env, &place->identity, &place->replica, &place->err));
}

/* The disk fails once at the n-th operation of an act, for every n: the replica goes on as if the act had not been tried. */
static void a_disk_that_fails_changes_nothing(void **state)
{
    struct place *place = *state;
    for (int what = 0; what < ACTS; what++) {
        for (uint64_t n = 1;; n++) {
            struct carnet_hash before = state_of(place), after;
            int64_t last = carnet_replica_last(place->replica);
            simvfs_fail_after(place->sim, "paris", SIMVFS_FULL, n, false);
            carnet_rc rc = act(place, what);
            bool failed = simvfs_failed(place->sim, "paris");
            simvfs_fail_after(place->sim, "paris", SIMVFS_FULL, 0, false);
            after = state_of(place);
            if (rc != CARNET_OK) {
                assert_true(place->err.what[0] != 0);
                assert_int_equal(carnet_replica_last(place->replica), last);
                assert_memory_equal(before.b, after.b, sizeof before.b);
            } else {
                assert_int_equal(carnet_replica_last(place->replica), last + 1);
            }
            if (!failed)
                break;
        }
        OK(carnet_replica_verify(place->replica, complain, NULL, &place->err));
        reopen(place);
    }
}

/* The power goes at the n-th operation: after the restart the act is there whole, or not at all, and work goes on in the same log. */
static void a_power_cut_leaves_all_or_nothing(void **state)
{
    struct place *place = *state;
    OK(act(place, 0));
    for (uint64_t n = 1; n < 60; n++) {
        int64_t last = carnet_replica_last(place->replica);
        simvfs_cut_after(place->sim, "paris", n);
        carnet_rc rc = act(place, (int)(n % 2) + 1);
        bool cut = !simvfs_is_on(place->sim, "paris");
        if (cut)
            reopen(place);
        int64_t now = carnet_replica_last(place->replica);
        assert_true(now == last || now == last + 1);
        if (rc == CARNET_OK)
            assert_int_equal(now, last + 1);
        OK(carnet_replica_verify(place->replica, complain, NULL, &place->err));
        if (!cut)
            break;
    }
    simvfs_cut_after(place->sim, "paris", 0);
    OK(act(place, 0));
    OK(carnet_replica_verify(place->replica, complain, NULL, &place->err));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_disk_that_fails_changes_nothing),
        TEST(a_power_cut_leaves_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
