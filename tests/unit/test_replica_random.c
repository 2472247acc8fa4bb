// SPDX-License-Identifier: EUPL-1.2
/* Random work by nodes with different rights, heard in random orders: in the end everybody has the same state, and it is what the log says. */
#include "replica_world.h"

#include "carnet/sys/random.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PEOPLE_MAX = 24, STEPS = 70, SEEDS = 8 };
struct play {
    struct world *world;
    struct carnet_rng_state dice;
    struct carnet_rng rng;
    struct carnet_id people[PEOPLE_MAX], notes[PEOPLE_MAX];
    size_t people_count, note_count;
    size_t done[16];
};

static size_t below(struct play *play, size_t bound)
{
    return (size_t)carnet_rng_below(&play->rng, bound);
}

static const char *pick_purpose(struct play *play)
{
    static const char *const purposes[] = { "file", "sms", "newsletter", "mail", "profile", "membership" };
    return purposes[below(play, 6)];
}

static const char *pick_cells(struct play *play)
{
    static const char *const cells[] = { "given=Zoé",          "given=Adam family=Martin",    "phone=+33639980012", "phone/mobile=+33639980013", "email=zoe@example.org",
                                         "city=Grenoble",      "city=Lyon postcode=69001", "tag/presse=1",      "tag/presse=",                "family=Lefèvre",
                                         "phone=+33639980014", "issues=vélo",             "email=",             "given=Inès" };
    return cells[below(play, sizeof cells / sizeof *cells)];
}

static struct carnet_dot pick_dot(struct play *play, const struct carnet_view *view, enum carnet_event_type type)
{
    struct carnet_dot dot = { .seq = 0 };
    size_t start = view->record.event_count ? below(play, view->record.event_count) : 0;
    for (size_t i = 0; i < view->record.event_count; i++) {
        const struct carnet_event_item *item = &view->record.events[(start + i) % view->record.event_count];
        if (carnet_event_peek(item->raw) == type)
            return item->dot;
    }
    return dot;
}

static void write_note(struct play *play, struct world_node *node, const struct carnet_id *subject)
{
    const struct carnet_write_cell cell = { .field = CARNET_FIELD_TEXT, .value = carnet_slice_str("aime les vélos") };
    struct carnet_write write = { .book = play->world->book, .record = carnet_replica_new_id(node->replica), .subject = *subject, .kind = CARNET_KIND_NOTE,
                                  .cells = &cell, .cell_count = 1, .fresh = true };
    struct carnet_write_result result;
    if (carnet_replica_write(node->replica, &write, 1, true, &result, &play->world->err) == CARNET_OK && play->note_count < PEOPLE_MAX)
        play->notes[play->note_count++] = write.record;
}

/* One act on a contact by a node; what its rights or the law refuse is part of the play. */
static carnet_rc act(struct play *play, struct world_node *node, const struct carnet_id *id)
{
    struct world *world = play->world;
    struct carnet_view view;
    struct carnet_event event = { .purpose = carnet_slice_str(pick_purpose(play)), .basis = CARNET_BASIS_CONSENT, .since_ms = 1 };
    size_t what = below(play, 14);
    carnet_rc rc = carnet_replica_view(node->replica, &world->book, id, &world->arena, &view, &world->err);
    if (rc != CARNET_OK)
        return rc;
    switch (what) {
    case 0:
        event.type = CARNET_EVENT_GRANT;
        event.proof = below(play, 2) ? CARNET_PROOF_INBOUND : CARNET_PROOF_NONE;
        event.until_ms = below(play, 3) ? 0 : node->hands.wall_ms + 50000;
        event.name_count = carnet_consent_refusals(&view.record, event.purpose, event.names, 8);
        return world_event(node, id, &event);
    case 1:
        return world_refuse(node, id, CARNET_EVENT_WITHDRAW, pick_purpose(play));
    case 2:
        return world_refuse(node, id, CARNET_EVENT_OBJECT, below(play, 3) ? pick_purpose(play) : "");
    case 3:
        return carnet_replica_dark(node->replica, &world->book, id, 1u << (1 + below(play, 7)), &world->err);
    case 4:
        event = (struct carnet_event){ .type = CARNET_EVENT_ERASE };
        return below(play, 4) ? CARNET_OK : world_event(node, id, &event);
    case 5:
        event = (struct carnet_event){ .type = CARNET_EVENT_EDGE, .other = play->people[below(play, play->people_count)], .on = true };
        return carnet_id_equal(&event.other, id) ? CARNET_OK : world_event(node, id, &event);
    case 6:
        event = (struct carnet_event){ .type = CARNET_EVENT_EDGE, .other = play->people[below(play, play->people_count)], .name_count = 1 };
        event.names[0] = pick_dot(play, &view, CARNET_EVENT_EDGE);
        return event.names[0].seq && !carnet_id_equal(&event.other, id) ? world_event(node, id, &event) : CARNET_OK;
    case 7:
        event = (struct carnet_event){ .type = CARNET_EVENT_RESTRICT };
        return world_event(node, id, &event);
    case 8:
        event = (struct carnet_event){ .type = CARNET_EVENT_LIFT, .name_count = 1 };
        event.names[0] = pick_dot(play, &view, CARNET_EVENT_RESTRICT);
        return event.names[0].seq ? world_event(node, id, &event) : CARNET_OK;
    case 9:
        event = (struct carnet_event){ .type = CARNET_EVENT_RECTIFY, .name_count = 1 };
        if (view.record.live_count == 0)
            return CARNET_OK;
        event.names[0] = view.record.live[below(play, view.record.live_count)].dot;
        return world_event(node, id, &event);
    case 10:
        write_note(play, node, id);
        return CARNET_OK;
    default:
        return world_edit(node, id, pick_cells(play));
    }
}

static void step(struct play *play)
{
    struct world *world = play->world;
    struct world_node *node = &world->nodes[below(play, world->count)], *peer = &world->nodes[below(play, world->count)];
    size_t what = below(play, 10);
    world_pass(world, (int64_t)below(play, 20000));
    if (what == 0 && play->people_count < PEOPLE_MAX && node != &world->nodes[3]) {
        static const char *const firsts[] = { "given=Zoé family=Martin", "given=Adam city=Grenoble", "given=Léa" };
        if (node != &world->nodes[2])
            play->people[play->people_count++] = world_add(node, firsts[below(play, 3)], "file mail sms");
        else
            play->people[play->people_count++] = world_add(node, firsts[2], "file");
    } else if (what <= 2 && node != peer) {
        world_give(node, peer);
    } else if (what == 3 && below(play, 4) == 0) {
        world_reopen(node);
    } else if (what == 4 && below(play, 8) == 0) { /* a clock that is wrong by up to a year, either way */
        node->hands.wall_ms += ((int64_t)below(play, 730) - 365) * 86400000;
    } else if (play->people_count) {
        (void)act(play, node, &play->people[below(play, play->people_count)]);
    }
}

static void one_seed(uint64_t seed)
{
    struct play play = { .world = world_new() };
    struct world *world = play.world;
    play.rng = carnet_rng_seeded(&play.dice, seed);
    world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    world_join(world, "Ali", CARNET_ROLE_VOLUNTEER, NULL, 0, 0);
    world_join(world, "Relais", CARNET_ROLE_RELAY, NULL, 0, 0);
    world_exchange(world);
    for (int i = 0; i < STEPS; i++) {
        step(&play);
        carnet_arena_reset(&world->arena);
    }
    int64_t latest_ms = 0;
    for (size_t i = 0; i < world->count; i++)
        latest_ms = world->nodes[i].hands.wall_ms > latest_ms ? world->nodes[i].hands.wall_ms : latest_ms;
    for (size_t i = 0; i < world->count; i++)
        world->nodes[i].hands.wall_ms = latest_ms;
    world_exchange(world);
    world_same(world);
    size_t which = below(&play, world->count);
    assert_int_equal(carnet_replica_rebuild(world->nodes[which].replica, &world->err), CARNET_OK);
    world_same(world);
    /* whatever the order, who has the same rights sees the same values */
    for (size_t i = 0; i < play.people_count; i++) {
        struct carnet_view a, b;
        carnet_rc here = carnet_replica_view(world->nodes[0].replica, &world->book, &play.people[i], &world->arena, &a, &world->err);
        carnet_rc there = carnet_replica_view(world->nodes[1].replica, &world->book, &play.people[i], &world->arena, &b, &world->err);
        assert_int_equal(here, there);
        if (here != CARNET_OK)
            continue;
        assert_int_equal(a.cell_count, b.cell_count);
        assert_int_equal(a.open, b.open);
        assert_int_equal(a.dark, b.dark);
        assert_int_equal(a.locked, 0);
        assert_int_equal(b.locked, 0);
        for (size_t j = 0; j < a.cell_count; j++)
            assert_true(carnet_slice_equal(a.cells[j].siblings[0]->value, b.cells[j].siblings[0]->value));
    }
    world_free(world);
}

static void random_work_converges(void **state)
{
    const char *from = getenv("CARNET_SEED"), *count = getenv("CARNET_SEEDS");
    uint64_t first = from ? strtoull(from, NULL, 10) : 1, seeds = count ? strtoull(count, NULL, 10) : SEEDS;
    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        if (from)
            print_message("seed %llu\n", (unsigned long long)seed);
        one_seed(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_work_converges) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
