// SPDX-License-Identifier: EUPL-1.2
#include "../support/sync_world.h"
#include "carnet/wire/cbor.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FOUNDER, OFFICE, VOLUNTEER, RELAY };
static const uint32_t volunteer_scopes = 1u << CARNET_SCOPE_IDENTITY;

/* The founder's charter knows an office, a volunteer of the second book without e-mails, and a relay. */
static void community(struct world *world, uint8_t salt)
{
    world_init(world, salt);
    struct world_terms office = { .role = CARNET_ROLE_OFFICE, .scopes = CARNET_SCOPES_ALL };
    struct world_terms volunteer = {
        .role = CARNET_ROLE_VOLUNTEER, .scopes = volunteer_scopes, .books = &world->book[1], .book_count = 1
    };
    struct world_terms relay = { .role = CARNET_ROLE_RELAY };
    world_join(world, "office", &office);
    world_join(world, "volunteer", &volunteer);
    world_join(world, "relay", &relay);
}

/* Everybody has the charter; the founder and the office have written a little in both books, apart. */
static void apart(struct world *world, uint8_t salt)
{
    struct world_node *founder = &world->nodes[FOUNDER], *office = &world->nodes[OFFICE];
    community(world, salt);
    for (size_t i = OFFICE; i <= RELAY; i++)
        world_copy(founder, &world->nodes[i], false);
    for (size_t i = 0; i < 3; i++) {
        world_write(founder, &world->book[0], CARNET_LOG_DATA);
        world_write(office, &world->book[i % 2], CARNET_LOG_DATA);
    }
    world_write(founder, &world->book[1], CARNET_LOG_DATA);
    world_write(founder, &world->book[1], CARNET_LOG_LAW);
    world_write(office, &world->book[0], CARNET_LOG_LAW);
}

static bool converged(const struct world_node *a, const struct world_node *b)
{
    const struct world *world = a->world;
    bool same = world_same(a, b, &world->community, 0);
    for (size_t i = 0; i < 2; i++) {
        bool shared = carnet_cert_holds(&a->cert, &world->book[i]) && carnet_cert_holds(&b->cert, &world->book[i]);
        same = same && (!shared || (world_same(a, b, &world->book[i], 1) && world_same(a, b, &world->book[i], 2)));
    }
    return same;
}

static void expect(struct carnet_buf *trace, const char *golden)
{
    if (strcmp(carnet_buf_cstr(trace), golden) != 0)
        print_message("conversation:\n%s", carnet_buf_cstr(trace));
    assert_string_equal(carnet_buf_cstr(trace), golden);
    carnet_buf_deinit(trace);
}

static struct carnet_buf new_trace(void)
{
    struct carnet_buf trace;
    carnet_buf_init(&trace, 1024 * 1024);
    return trace;
}

static void nothing_to_do_ends_after_one_round_trip(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    apart(&world, 1);
    world_copy(&world.nodes[FOUNDER], &world.nodes[OFFICE], true);
    world_copy(&world.nodes[OFFICE], &world.nodes[FOUNDER], true);
    uint64_t reads = world.nodes[FOUNDER].reads + world.nodes[OFFICE].reads;
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, &trace);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up && pipe.side[0].authenticated);
    assert_true(pipe.side[0].bytes + pipe.side[1].bytes <= 400);
    assert_int_equal(world.nodes[FOUNDER].reads + world.nodes[OFFICE].reads, reads);
    pipe_close(&pipe);
    world_deinit(&world);
    expect(&trace, "A HELLO 2 books, 0 wanted\n"
                   "B HELLO 2 books, 0 wanted\n");
}

static void two_that_worked_apart_meet(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    apart(&world, 1);
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, &trace);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up);
    assert_true(converged(&world.nodes[FOUNDER], &world.nodes[OFFICE]));
    assert_int_equal(carnet_sync_stats(pipe.side[0].sync)->sent_entries, 5);
    assert_int_equal(carnet_sync_stats(pipe.side[0].sync)->received_entries, 4);
    assert_int_equal(carnet_sync_pending(pipe.side[0].sync), 0);
    pipe_close(&pipe);
    world_deinit(&world);
    expect(&trace, "A HELLO 2 books, 0 wanted\n"
                   "B HELLO 2 books, 0 wanted\n"
                   "B HAVE lane 1: 1 heads\n"
                   "B HAVE lane 1: 0 heads\n"
                   "A HAVE lane 1: 0 heads\n"
                   "A HAVE lane 1: 1 heads\n"
                   "B ENTRIES 1: law/7568b9ed.0.1\n"
                   "B DONE 1\n"
                   "A ENTRIES 1: law/1337d736.0.1\n"
                   "A DONE 1\n"
                   "B CREDIT 1\n"
                   "A CREDIT 1\n"
                   "B HAVE lane 2: 1 heads\n"
                   "B HAVE lane 2: 1 heads\n"
                   "A HAVE lane 2: 1 heads\n"
                   "A HAVE lane 2: 1 heads\n"
                   "B ENTRIES 3: data/7568b9ed.0.1 data/7568b9ed.0.1 data/7568b9ed.0.2\n"
                   "B DONE 2\n"
                   "A ENTRIES 4: data/1337d736.0.1 data/1337d736.0.2 data/1337d736.0.3 data/1337d736.0.1\n"
                   "A DONE 2\n"
                   "B CREDIT 1\n"
                   "A CREDIT 1\n");
}

static void an_empty_replica_gets_all(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    community(&world, 1);
    world_write(&world.nodes[FOUNDER], &world.book[0], CARNET_LOG_DATA);
    world_write(&world.nodes[FOUNDER], &world.book[0], CARNET_LOG_LAW);
    pipe_open(&pipe, &world.nodes[OFFICE], &world.nodes[FOUNDER], true, true, &trace);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up);
    assert_true(converged(&world.nodes[FOUNDER], &world.nodes[OFFICE]));
    pipe_close(&pipe);
    world_deinit(&world);
    expect(&trace, "A HELLO 0 books, 0 wanted\n"
                   "B HELLO 2 books, 0 wanted\n"
                   "B HAVE lane 0: 1 heads\n"
                   "A HAVE lane 0: 0 heads\n"
                   "B ENTRIES 4: charter/1337d736.0.1 charter/1337d736.0.2 charter/1337d736.0.3 charter/1337d736.0.4\n"
                   "B DONE 0\n"
                   "A DONE 0\n"
                   "B BOOKS 2, 0 wanted\n"
                   "A CREDIT 1\n"
                   "A BOOKS 2, 0 wanted\n"
                   "B HAVE lane 1: 1 heads\n"
                   "A HAVE lane 1: 0 heads\n"
                   "B ENTRIES 1: law/1337d736.0.1\n"
                   "B DONE 1\n"
                   "A DONE 1\n"
                   "B HAVE lane 2: 1 heads\n"
                   "A CREDIT 1\n"
                   "A HAVE lane 2: 0 heads\n"
                   "B ENTRIES 1: data/1337d736.0.1\n"
                   "B DONE 2\n"
                   "A DONE 2\n"
                   "A CREDIT 1\n");
}

static void a_stranger_shows_its_chain(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    apart(&world, 1);
    /* invited by the office: the founder has not heard of it */
    struct world_terms terms = { .role = CARNET_ROLE_OFFICE, .scopes = CARNET_SCOPES_ALL, .inviter = OFFICE };
    size_t stranger = world_join(&world, "stranger", &terms);
    pipe_open(&pipe, &world.nodes[stranger], &world.nodes[FOUNDER], true, false, &trace);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up);
    assert_true(converged(&world.nodes[FOUNDER], &world.nodes[stranger]));
    pipe_close(&pipe);
    world_deinit(&world);
    expect(&trace, "A HELLO 0 books, 0 wanted\n"
                   "B HELLO who are you?\n"
                   "A CHAIN\n"
                   "B HELLO 2 books, 0 wanted\n"
                   "B HAVE lane 0: 1 heads\n"
                   "A HAVE lane 0: 0 heads\n"
                   "B ENTRIES 4: charter/1337d736.0.1 charter/1337d736.0.2 charter/1337d736.0.3 charter/1337d736.0.4\n"
                   "B DONE 0\n"
                   "A DONE 0\n"
                   "B BOOKS 2, 0 wanted\n"
                   "A CREDIT 1\n"
                   "A BOOKS 2, 0 wanted\n"
                   "B HAVE lane 1: 1 heads\n"
                   "A HAVE lane 1: 0 heads\n"
                   "B ENTRIES 1: law/1337d736.0.1\n"
                   "B DONE 1\n"
                   "A DONE 1\n"
                   "B HAVE lane 2: 1 heads\n"
                   "B HAVE lane 2: 1 heads\n"
                   "A CREDIT 1\n"
                   "A HAVE lane 2: 0 heads\n"
                   "A HAVE lane 2: 0 heads\n"
                   "B ENTRIES 4: data/1337d736.0.1 data/1337d736.0.2 data/1337d736.0.3 data/1337d736.0.1\n"
                   "B DONE 2\n"
                   "A DONE 2\n"
                   "A CREDIT 1\n");
}

/* --- who gets nothing --- */

/* What a session told before it ended: kinds of frames from one side. */
static void note_types(void *ctx, unsigned from, struct carnet_slice frame)
{
    unsigned *types = ctx;
    struct carnet_reader r;
    carnet_reader_init(&r, frame);
    carnet_reader_array(&r);
    types[from] |= 1u << carnet_reader_uint(&r);
}
enum { TYPE_HELLO = 1u << 1, TYPE_CHAIN = 1u << 3, TYPE_BYE = 1u << 10 };

static void a_revoked_node_gets_nothing(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    apart(&world, 1);
    world_cut(&world.nodes[FOUNDER], &world.nodes[OFFICE]);
    pipe_open(&pipe, &world.nodes[OFFICE], &world.nodes[FOUNDER], true, true, &trace);
    pipe_run(&pipe, SIZE_MAX);
    assert_int_equal(pipe.side[0].reason, CARNET_SYNC_REASON_CUT);
    assert_true(pipe.side[0].by_peer && !pipe.side[1].by_peer);
    assert_null(carnet_sync_peer(pipe.side[1].sync));
    pipe_close(&pipe);
    world_deinit(&world);
    expect(&trace, "B BYE the other node was revoked\n"
                   "A HELLO 2 books, 0 wanted\n");
}

static void a_revocation_learnt_in_the_session_ends_it_before_data(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    apart(&world, 1);
    /* the volunteer itself brings the charter that cuts it off */
    world_cut(&world.nodes[FOUNDER], &world.nodes[VOLUNTEER]);
    world_copy(&world.nodes[FOUNDER], &world.nodes[VOLUNTEER], false);
    world_write(&world.nodes[OFFICE], &world.book[1], CARNET_LOG_DATA);
    pipe_open(&pipe, &world.nodes[VOLUNTEER], &world.nodes[OFFICE], true, true, &trace);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].closed && pipe.side[1].closed);
    assert_int_equal(pipe.side[1].entries_sent, 0);
    pipe_close(&pipe);
    world_deinit(&world);
    expect(&trace, "A HELLO 1 books, 0 wanted\n"
                   "B HELLO 1 books, 0 wanted\n"
                   "B HAVE lane 0: 1 heads\n"
                   "A HAVE lane 0: 1 heads\n"
                   "B DONE 0\n"
                   "A ENTRIES 1: charter/1337d736.0.5\n"
                   "A DONE 0\n"
                   "B BYE the other node was revoked\n"
                   "A BOOKS 1, 0 wanted\n");
}

static void a_revocation_learnt_elsewhere_ends_a_live_session(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    apart(&world, 1);
    pipe_open(&pipe, &world.nodes[VOLUNTEER], &world.nodes[FOUNDER], true, true, NULL);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[1].caught_up);
    uint64_t sent = pipe.side[1].entries_sent;
    world_cut(&world.nodes[FOUNDER], &world.nodes[VOLUNTEER]);
    world_write(&world.nodes[FOUNDER], &world.book[1], CARNET_LOG_DATA);
    pipe_local(&pipe, 1);
    assert_int_equal(pipe.side[1].reason, CARNET_SYNC_REASON_CUT);
    assert_int_equal(pipe.side[1].entries_sent, sent);
    pipe_close(&pipe);
    world_deinit(&world);
}

static void an_expired_certificate_is_refused(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    unsigned types[2] = { 0, 0 };
    community(&world, 1);
    struct world_terms terms = { .role = CARNET_ROLE_OFFICE, .scopes = CARNET_SCOPES_ALL, .not_after_ms = WORLD_WALL_MS + 100 };
    size_t late = world_join(&world, "late", &terms);
    pipe_open(&pipe, &world.nodes[late], &world.nodes[FOUNDER], true, true, NULL);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[1].caught_up);
    pipe_tick(&pipe, 100); /* at that very moment, also in the middle of a session */
    assert_int_equal(pipe.side[1].reason, CARNET_SYNC_REASON_EXPIRED);
    pipe_close(&pipe);
    pipe_open(&pipe, &world.nodes[late], &world.nodes[FOUNDER], true, false, NULL);
    pipe.seen = note_types;
    pipe.seen_ctx = types;
    pipe.wall_ms += 100;
    pipe_run(&pipe, SIZE_MAX);
    assert_int_equal(pipe.side[0].reason, CARNET_SYNC_REASON_EXPIRED);
    assert_int_equal(types[1], TYPE_HELLO | TYPE_BYE);
    pipe_close(&pipe);
    world_deinit(&world);
}

static void another_community_is_told_so(void **state)
{
    (void)state;
    struct world world, other;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    apart(&world, 1);
    apart(&other, 2);
    pipe_open(&pipe, &other.nodes[OFFICE], &world.nodes[FOUNDER], false, false, &trace);
    pipe_run(&pipe, SIZE_MAX);
    assert_int_equal(pipe.side[0].reason, CARNET_SYNC_REASON_COMMUNITY);
    assert_string_equal(pipe.side[0].why, "the other node belongs to another community");
    pipe_close(&pipe);
    world_deinit(&world);
    world_deinit(&other);
    expect(&trace, "A HELLO who are you?\n"
                   "B BYE the other node belongs to another community\n");
}

static void somebody_elses_chain_proves_nothing(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    unsigned types[2] = { 0, 0 };
    apart(&world, 1);
    pipe_open(&pipe, &world.nodes[OFFICE], &world.nodes[FOUNDER], true, false, NULL);
    pipe.seen = note_types;
    pipe.seen_ctx = types;
    /* the transport verified another key than the one that the office's certificate names */
    carnet_sync_set_key(pipe.side[1].sync, &world.nodes[RELAY].curve);
    pipe_run(&pipe, SIZE_MAX);
    assert_int_equal(pipe.side[1].reason, CARNET_SYNC_REASON_UNKNOWN);
    assert_int_equal(types[1], TYPE_HELLO | TYPE_BYE);
    pipe_close(&pipe);
    world_deinit(&world);
}

static void a_revoked_node_cannot_certify_itself_another_name(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    unsigned types[2] = { 0, 0 };
    apart(&world, 1);
    world_cut(&world.nodes[FOUNDER], &world.nodes[OFFICE]);
    struct world_terms terms = { .role = CARNET_ROLE_OFFICE, .scopes = CARNET_SCOPES_ALL, .inviter = OFFICE };
    size_t again = world_join(&world, "again", &terms);
    pipe_open(&pipe, &world.nodes[again], &world.nodes[FOUNDER], true, false, NULL);
    pipe.seen = note_types;
    pipe.seen_ctx = types;
    pipe_run(&pipe, SIZE_MAX);
    assert_int_equal(pipe.side[1].reason, CARNET_SYNC_REASON_CUT);
    assert_int_equal(types[1], TYPE_HELLO | TYPE_BYE);
    pipe_close(&pipe);
    world_deinit(&world);
}

static void two_strangers_name_themselves_the_caller_first(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    apart(&world, 1);
    world_copy(&world.nodes[FOUNDER], &world.nodes[OFFICE], true);
    world_copy(&world.nodes[OFFICE], &world.nodes[FOUNDER], true);
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], false, false, &trace);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up);
    pipe_close(&pipe);
    world_deinit(&world);
    expect(&trace, "A HELLO who are you?\n"
                   "B HELLO who are you?\n"
                   "A CHAIN\n"
                   "B HELLO 2 books, 0 wanted\n"
                   "B CHAIN\n"
                   "A HELLO 2 books, 0 wanted\n");
}

static void a_caller_asks_who_answers(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    apart(&world, 1);
    world_copy(&world.nodes[FOUNDER], &world.nodes[OFFICE], true);
    world_copy(&world.nodes[OFFICE], &world.nodes[FOUNDER], true);
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], false, true, &trace);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up);
    pipe_close(&pipe);
    world_deinit(&world);
    expect(&trace, "A HELLO who are you?\n"
                   "B HELLO 2 books, 0 wanted\n"
                   "B CHAIN\n"
                   "A HELLO 2 books, 0 wanted\n");
}

/* --- who gets what --- */

static void only_shared_books_leave(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    apart(&world, 1);
    pipe_open(&pipe, &world.nodes[VOLUNTEER], &world.nodes[FOUNDER], true, true, &trace);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(converged(&world.nodes[FOUNDER], &world.nodes[VOLUNTEER]));
    for (size_t i = 0; i < world.nodes[VOLUNTEER].chain_count; i++)
        assert_false(carnet_id_equal(&world.nodes[VOLUNTEER].chains[i].book, &world.book[0]));
    /* live too */
    world_write(&world.nodes[FOUNDER], &world.book[0], CARNET_LOG_DATA);
    pipe_local(&pipe, 1);
    world_write(&world.nodes[FOUNDER], &world.book[1], CARNET_LOG_DATA);
    pipe_local(&pipe, 1);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(converged(&world.nodes[FOUNDER], &world.nodes[VOLUNTEER]));
    pipe_close(&pipe);
    world_deinit(&world);
    expect(&trace, "A HELLO 1 books, 0 wanted\n"
                   "B HELLO 1 books, 0 wanted\n"
                   "B HAVE lane 1: 1 heads\n"
                   "A HAVE lane 1: 0 heads\n"
                   "B ENTRIES 1: law/1337d736.0.1\n"
                   "B DONE 1\n"
                   "A DONE 1\n"
                   "B HAVE lane 2: 1 heads\n"
                   "A CREDIT 1\n"
                   "A HAVE lane 2: 0 heads\n"
                   "B ENTRIES 1: data/1337d736.0.1\n"
                   "B DONE 2\n"
                   "A DONE 2\n"
                   "A CREDIT 1\n"
                   "B ENTRIES 1: data/1337d736.0.2\n"
                   "A CREDIT 1\n");
}

static void scopes_that_are_not_read_leave_as_hashes(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    apart(&world, 1);
    pipe_open(&pipe, &world.nodes[VOLUNTEER], &world.nodes[FOUNDER], true, true, NULL);
    pipe_run(&pipe, SIZE_MAX);
    world_write(&world.nodes[FOUNDER], &world.book[1], CARNET_LOG_DATA);
    pipe_local(&pipe, 1);
    pipe_run(&pipe, SIZE_MAX);
    assert_int_equal(world_parts(&world.nodes[VOLUNTEER], CARNET_SCOPE_IDENTITY), 4); /* two contacts: a seed and a sealed part each */
    assert_int_equal(world_parts(&world.nodes[VOLUNTEER], CARNET_SCOPE_EMAIL), 0);
    pipe_close(&pipe);
    world_deinit(&world);
}

static void a_relay_passes_on_what_it_cannot_read(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    apart(&world, 1);
    pipe_open(&pipe, &world.nodes[RELAY], &world.nodes[FOUNDER], true, true, NULL);
    pipe_run(&pipe, SIZE_MAX);
    pipe_close(&pipe);
    assert_true(converged(&world.nodes[RELAY], &world.nodes[FOUNDER]));
    pipe_open(&pipe, &world.nodes[OFFICE], &world.nodes[RELAY], true, true, &trace);
    pipe_run(&pipe, SIZE_MAX);
    pipe_close(&pipe);
    assert_true(converged(&world.nodes[RELAY], &world.nodes[OFFICE]));
    assert_int_equal(world_wanting(&world.nodes[OFFICE]), 0);
    assert_int_equal(world_parts(&world.nodes[OFFICE], CARNET_SCOPE_EMAIL), 14);
    world_deinit(&world);
    expect(&trace, "A HELLO 2 books, 0 wanted\n"
                   "B HELLO 2 books, 0 wanted\n"
                   "B HAVE lane 1: 0 heads\n"
                   "B HAVE lane 1: 1 heads\n"
                   "A HAVE lane 1: 1 heads\n"
                   "A HAVE lane 1: 0 heads\n"
                   "B ENTRIES 1: law/1337d736.0.1\n"
                   "B DONE 1\n"
                   "A ENTRIES 1: law/7568b9ed.0.1\n"
                   "A DONE 1\n"
                   "B CREDIT 1\n"
                   "A CREDIT 1\n"
                   "B HAVE lane 2: 1 heads\n"
                   "B HAVE lane 2: 1 heads\n"
                   "A HAVE lane 2: 1 heads\n"
                   "A HAVE lane 2: 1 heads\n"
                   "B ENTRIES 4: data/1337d736.0.1 data/1337d736.0.2 data/1337d736.0.3 data/1337d736.0.1\n"
                   "B DONE 2\n"
                   "A ENTRIES 3: data/7568b9ed.0.1 data/7568b9ed.0.1 data/7568b9ed.0.2\n"
                   "A DONE 2\n"
                   "B CREDIT 1\n"
                   "A CREDIT 1\n");
}

static void missing_parts_are_asked_for_and_what_is_gone_is_not_asked_again(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    struct world_node *founder = &world.nodes[FOUNDER], *office = &world.nodes[OFFICE];
    apart(&world, 1);
    world_copy(founder, office, true);
    world_copy(office, founder, true);
    size_t parts = world_parts(office, CARNET_SCOPE_EMAIL);
    world_drop(office, CARNET_SCOPE_EMAIL);
    world_drop(office, CARNET_SCOPE_IDENTITY);
    world_drop(founder, CARNET_SCOPE_IDENTITY);
    assert_int_equal(world_wanting(office), 7);
    pipe_open(&pipe, office, founder, true, true, &trace);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up);
    assert_int_equal(world_parts(office, CARNET_SCOPE_EMAIL), parts);
    assert_int_equal(world_parts(office, CARNET_SCOPE_IDENTITY), 0);
    /* asked once in a session, also when there is something new */
    world_write(founder, &world.book[0], CARNET_LOG_DATA);
    pipe_local(&pipe, 1);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up);
    pipe_close(&pipe);
    world_deinit(&world);
    expect(&trace, "A HELLO 2 books, 7 wanted\n"
                   "B HELLO 2 books, 7 wanted\n"
                   "B WANT 7\n"
                   "A WANT 7\n"
                   "B ENTRIES 7: data/7568b9ed.0.1 data/7568b9ed.0.1 data/7568b9ed.0.2 data/1337d736.0.1 data/1337d736.0.2 data/1337d736.0.3 data/1337d736.0.1\n"
                   "A GONE 7\n"
                   "B DONE 3\n"
                   "A CREDIT 1\n"
                   "A DONE 3\n"
                   "B ENTRIES 1: data/1337d736.0.4\n"
                   "A CREDIT 1\n");
}

/* --- cut anywhere, then again --- */

static void an_interruption_at_any_frame_is_made_good_by_the_next_session(void **state)
{
    (void)state;
    size_t frames = 1;
    for (size_t cut = 0; cut < frames; cut++) {
        struct world world;
        struct world_pipe pipe;
        apart(&world, 1);
        struct world_terms terms = { .role = CARNET_ROLE_OFFICE, .scopes = CARNET_SCOPES_ALL };
        size_t fresh = world_join(&world, "fresh", &terms);
        for (size_t i = 0; i < 12; i++)
            world_write_large(&world.nodes[FOUNDER], &world.book[i % 2], 16000);
        pipe_open(&pipe, &world.nodes[fresh], &world.nodes[FOUNDER], true, true, NULL);
        pipe_run(&pipe, cut);
        if (cut == 0) {
            pipe_run(&pipe, SIZE_MAX);
            frames = pipe.delivered;
            assert_true(frames > 20);
        }
        pipe_close(&pipe);
        for (size_t i = 0; i < 3; i++) { /* all of them meet again, the other way round */
            size_t with = i == 1 ? OFFICE : fresh;
            pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[with], true, true, NULL);
            pipe_run(&pipe, SIZE_MAX);
            assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up);
            assert_true(converged(&world.nodes[FOUNDER], &world.nodes[with]));
            pipe_close(&pipe);
        }
        assert_true(converged(&world.nodes[OFFICE], &world.nodes[fresh]));
        world_deinit(&world);
    }
}

static void the_window_is_used_and_never_exceeded(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    apart(&world, 1);
    for (size_t i = 0; i < 120; i++)
        world_write_large(&world.nodes[FOUNDER], &world.book[0], 16000);
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, NULL);
    pipe_run(&pipe, SIZE_MAX);
    assert_int_equal(pipe.side[0].in_flight_max, CARNET_SYNC_WINDOW);
    assert_int_equal(pipe.side[0].in_flight, 0);
    assert_true(converged(&world.nodes[FOUNDER], &world.nodes[OFFICE]));
    pipe_close(&pipe);
    world_deinit(&world);
}

static void thousands_of_chains_take_several_frames_of_heads(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct world_node *founder = &world.nodes[FOUNDER];
    apart(&world, 1);
    for (size_t i = 0; i < 3000; i++) {
        founder->incarnation++;
        world_write(founder, &world.book[0], CARNET_LOG_DATA);
    }
    pipe_open(&pipe, founder, &world.nodes[OFFICE], true, true, NULL);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up);
    assert_true(converged(founder, &world.nodes[OFFICE]));
    pipe_close(&pipe);
    /* one side knows all of them but one: only that one travels */
    world_write(founder, &world.book[0], CARNET_LOG_DATA);
    uint64_t reads = founder->reads;
    pipe_open(&pipe, founder, &world.nodes[OFFICE], true, true, NULL);
    pipe_run(&pipe, SIZE_MAX);
    assert_int_equal(pipe.side[0].entries_sent, 1);
    assert_true(founder->reads - reads < 10);
    assert_true(converged(founder, &world.nodes[OFFICE]));
    pipe_close(&pipe);
    world_deinit(&world);
}

/* --- one bad entry --- */

static void one_poison_entry_does_not_stop_the_rest(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    struct carnet_buf trace = new_trace();
    struct world_node *founder = &world.nodes[FOUNDER], *office = &world.nodes[OFFICE], *relay = &world.nodes[RELAY];
    apart(&world, 1);
    world_copy(founder, relay, true);
    world_copy(office, relay, true);
    struct carnet_id author = founder->cert.node;
    office->poison = &author;
    office->poison_seq = 2;
    /* what the relay brings after it, of others, arrives; the rest of the chain does not, and is not sent again and again */
    world_write(founder, &world.book[0], CARNET_LOG_DATA);
    world_copy(founder, relay, true);
    struct world_terms terms = { .role = CARNET_ROLE_OFFICE, .scopes = CARNET_SCOPES_ALL };
    size_t third = world_join(&world, "third", &terms);
    world_copy(founder, &world.nodes[third], false);
    world_write(&world.nodes[third], &world.book[0], CARNET_LOG_DATA);
    world_copy(founder, relay, true);
    world_copy(&world.nodes[third], relay, true);
    pipe_open(&pipe, relay, office, true, true, &trace);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up);
    assert_int_equal(carnet_sync_stats(pipe.side[0].sync)->stopped, 1);
    assert_int_equal(carnet_sync_stats(pipe.side[1].sync)->refused_entries, 3);
    struct world_node *from = &world.nodes[third];
    assert_true(office->source.position(office, &world.book[0], &from->cert.node, 0, 1) > 0);
    assert_int_equal(office->source.position(office, &world.book[0], &author, 0, 3), 0);
    world_write(founder, &world.book[0], CARNET_LOG_DATA);
    world_copy(founder, relay, true);
    pipe_local(&pipe, 0);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].caught_up);
    pipe_close(&pipe);
    /* cured, it comes with the next session */
    office->poison = NULL;
    pipe_open(&pipe, relay, office, true, true, NULL);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(converged(relay, office));
    pipe_close(&pipe);
    world_deinit(&world);
    expect(&trace, "A HELLO 2 books, 0 wanted\n"
                   "B HELLO 2 books, 0 wanted\n"
                   "B HAVE lane 0: 1 heads\n"
                   "A HAVE lane 0: 1 heads\n"
                   "B DONE 0\n"
                   "A ENTRIES 1: charter/1337d736.0.5\n"
                   "A DONE 0\n"
                   "B CREDIT 1\n"
                   "A BOOKS 2, 0 wanted\n"
                   "B BOOKS 2, 0 wanted\n"
                   "B HAVE lane 1: 0 heads\n"
                   "A HAVE lane 1: 1 heads\n"
                   "B DONE 1\n"
                   "A ENTRIES 1: law/1337d736.0.1\n"
                   "A DONE 1\n"
                   "B CREDIT 1\n"
                   "A HAVE lane 2: 3 heads\n"
                   "A HAVE lane 2: 2 heads\n"
                   "B HAVE lane 2: 1 heads\n"
                   "B HAVE lane 2: 1 heads\n"
                   "B DONE 2\n"
                   "A ENTRIES 6: data/1337d736.0.1 data/1337d736.0.2 data/1337d736.0.3 data/1337d736.0.1 data/1337d736.0.4 data/3ed43b74.0.1\n"
                   "A DONE 2\n"
                   "B STOP 1\n"
                   "B CREDIT 1\n");
}

static void two_contents_at_one_place_are_left_out_and_counted(void **state)
{
    (void)state;
    struct world world, twin;
    struct world_pipe pipe;
    apart(&world, 1);
    apart(&twin, 1); /* the same keys */
    world_copy(&world.nodes[OFFICE], &world.nodes[FOUNDER], true);
    twin.record += 1000;
    world_write(&world.nodes[OFFICE], &world.book[0], CARNET_LOG_DATA);
    world_copy(&world.nodes[OFFICE], &world.nodes[FOUNDER], true);
    world_write(&twin.nodes[OFFICE], &twin.book[0], CARNET_LOG_DATA); /* other content, the same place */
    world_write(&world.nodes[FOUNDER], &world.book[1], CARNET_LOG_DATA);
    for (size_t longer = 0; longer < 2; longer++) { /* seen at the head, then below it */
        pipe_open(&pipe, &twin.nodes[OFFICE], &world.nodes[FOUNDER], true, true, NULL);
        pipe_run(&pipe, SIZE_MAX);
        assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up);
        assert_true(carnet_sync_stats(pipe.side[0].sync)->forks + carnet_sync_stats(pipe.side[1].sync)->forks > 0);
        assert_true(world_same(&twin.nodes[OFFICE], &world.nodes[FOUNDER], &world.book[1], 2));
        assert_false(world_same(&twin.nodes[OFFICE], &world.nodes[FOUNDER], &world.book[0], 2));
        pipe_close(&pipe);
        world_write(&twin.nodes[OFFICE], &twin.book[0], CARNET_LOG_DATA);
    }
    world_deinit(&world);
    world_deinit(&twin);
}

static void a_node_behind_its_own_log_is_told(void **state)
{
    (void)state;
    struct world world, restored;
    struct world_pipe pipe;
    apart(&world, 1);
    apart(&restored, 1); /* as the backup was */
    world_write(&world.nodes[OFFICE], &world.book[0], CARNET_LOG_DATA);
    world_copy(&world.nodes[OFFICE], &world.nodes[FOUNDER], true);
    pipe_open(&pipe, &restored.nodes[OFFICE], &world.nodes[FOUNDER], true, true, NULL);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].behind && !pipe.side[1].behind);
    assert_true(converged(&restored.nodes[OFFICE], &world.nodes[FOUNDER]));
    pipe_close(&pipe);
    pipe_open(&pipe, &restored.nodes[OFFICE], &world.nodes[FOUNDER], true, true, NULL);
    pipe_run(&pipe, SIZE_MAX);
    assert_false(pipe.side[0].behind);
    pipe_close(&pipe);
    world_deinit(&world);
    world_deinit(&restored);
}

/* --- live --- */

static void what_is_new_is_pushed_once_and_never_echoed(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe near, far;
    struct carnet_buf trace = new_trace();
    struct world_node *founder = &world.nodes[FOUNDER], *office = &world.nodes[OFFICE], *relay = &world.nodes[RELAY];
    apart(&world, 1);
    pipe_open(&near, founder, relay, true, true, NULL);
    pipe_open(&far, relay, office, true, true, NULL);
    for (size_t i = 0; i < 2; i++) {
        pipe_run(&near, SIZE_MAX);
        pipe_run(&far, SIZE_MAX);
        pipe_local(&near, 1);
        pipe_local(&far, 0);
    }
    pipe_run(&near, SIZE_MAX);
    assert_true(converged(founder, office));
    near.trace = far.trace = &trace;
    world_write(founder, &world.book[0], CARNET_LOG_DATA);
    world_write(founder, &world.book[0], CARNET_LOG_LAW);
    pipe_local(&near, 0);
    assert_false(near.side[0].caught_up); /* until the other side has applied it */
    pipe_run(&near, SIZE_MAX);
    assert_true(near.side[0].caught_up);
    for (size_t i = 0; i < 3; i++) { /* everybody is told again and again that there is something new */
        pipe_local(&near, 1);
        pipe_local(&far, 0);
        pipe_run(&far, SIZE_MAX);
        pipe_local(&far, 1);
        pipe_local(&near, 0);
        pipe_run(&near, SIZE_MAX);
    }
    assert_true(converged(founder, office));
    pipe_close(&near);
    pipe_close(&far);
    world_deinit(&world);
    expect(&trace, "A ENTRIES 1: law/1337d736.0.1\n"
                   "A ENTRIES 1: data/1337d736.0.4\n"
                   "B CREDIT 1\n"
                   "B CREDIT 1\n"
                   "A ENTRIES 1: law/1337d736.0.1\n"
                   "A ENTRIES 1: data/1337d736.0.4\n"
                   "B CREDIT 1\n"
                   "B CREDIT 1\n");
}

static void law_overtakes_a_long_data_lane(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    apart(&world, 1);
    for (size_t i = 0; i < 120; i++)
        world_write_large(&world.nodes[FOUNDER], &world.book[0], 16000);
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, NULL);
    while (!pipe.side[0].in_flight)
        pipe_run(&pipe, 1);
    pipe_run(&pipe, 12);
    assert_false(pipe.side[0].caught_up);
    world_write(&world.nodes[FOUNDER], &world.book[0], CARNET_LOG_LAW);
    assert_false(world_same(&world.nodes[FOUNDER], &world.nodes[OFFICE], &world.book[0], 1));
    pipe_local(&pipe, 0);
    for (size_t i = 0; i < 4 * CARNET_SYNC_WINDOW; i++)
        pipe_run(&pipe, 1);
    assert_true(world_same(&world.nodes[FOUNDER], &world.nodes[OFFICE], &world.book[0], 1));
    assert_false(world_same(&world.nodes[FOUNDER], &world.nodes[OFFICE], &world.book[0], 2));
    pipe_run(&pipe, SIZE_MAX);
    assert_true(converged(&world.nodes[FOUNDER], &world.nodes[OFFICE]));
    pipe_close(&pipe);
    world_deinit(&world);
}

static void note_lanes(void *ctx, unsigned from, struct carnet_slice frame)
{
    unsigned *law_left = ctx;
    struct carnet_buf line;
    (void)from;
    carnet_buf_init(&line, 4096);
    carnet_sync_describe(frame, &line);
    const char *text = carnet_buf_cstr(&line);
    if (strncmp(text, "ENTRIES", 7) == 0 && strstr(text, " law/"))
        (*law_left)--;
    if (strncmp(text, "ENTRIES", 7) == 0 && strstr(text, " data/"))
        assert_int_equal(*law_left, 0);
    carnet_buf_deinit(&line);
}

static void no_data_leaves_before_law_is_done_both_ways(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    unsigned law_left = 2;
    apart(&world, 1);
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, NULL);
    pipe.seen = note_lanes;
    pipe.seen_ctx = &law_left;
    pipe_run(&pipe, SIZE_MAX);
    assert_true(converged(&world.nodes[FOUNDER], &world.nodes[OFFICE]));
    pipe_close(&pipe);
    world_deinit(&world);
}

/* --- noise --- */

static void hex_frame(struct carnet_buf *out, const char *hex)
{
    uint8_t bytes[64];
    size_t len = strlen(hex) / 2;
    assert_true(len <= sizeof bytes && carnet_unhex(carnet_slice_str(hex), bytes, len));
    carnet_buf_clear(out);
    carnet_buf_append(out, bytes, len);
}

static enum carnet_sync_reason reason_of(struct carnet_slice frame, size_t after)
{
    struct world world;
    struct world_pipe pipe;
    apart(&world, 1);
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, NULL);
    pipe_run(&pipe, after);
    size_t entries = world.nodes[OFFICE].entry_count;
    pipe_inject(&pipe, 1, frame);
    while (pipe.side[1].queue_count - pipe.side[1].queue_at > 1) /* it comes before the others */
        free(pipe.side[1].queue[pipe.side[1].queue_at++].ptr);
    pipe_run(&pipe, 1);
    enum carnet_sync_reason reason = pipe.side[1].reason;
    assert_true(pipe.side[1].closed == (reason != CARNET_SYNC_REASON_NONE) && !pipe.side[1].by_peer);
    assert_int_equal(world.nodes[OFFICE].entry_count, entries);
    pipe_run(&pipe, SIZE_MAX);
    pipe_close(&pipe);
    world_deinit(&world);
    return reason;
}

static void noise_ends_the_session_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        size_t after; /* frames delivered before */
        enum carnet_sync_reason reason;
    } cases[] = {
        { "", 0, CARNET_SYNC_REASON_NOISE },
        { "00", 0, CARNET_SYNC_REASON_NOISE },
        { "80", 0, CARNET_SYNC_REASON_NOISE },
        { "8100", 0, CARNET_SYNC_REASON_NOISE },
        { "820c00", 0, CARNET_SYNC_REASON_NOISE },
        { "820102", 0, CARNET_SYNC_REASON_VERSION },      /* HELLO of a later version */
        { "820701", 0, CARNET_SYNC_REASON_ORDER },        /* CREDIT before HELLO */
        { "820580", 0, CARNET_SYNC_REASON_ORDER },        /* ENTRIES before HELLO */
        { "820900", 0, CARNET_SYNC_REASON_NOISE },        /* GONE without rows */
        { "820340", 0, CARNET_SYNC_REASON_ORDER },        /* CHAIN that was not asked for */
        { "820580", 4, CARNET_SYNC_REASON_NOISE },        /* ENTRIES of none */
        { "820720", 4, CARNET_SYNC_REASON_NOISE },        /* negative CREDIT */
        { "820700", 4, CARNET_SYNC_REASON_ORDER },        /* CREDIT of nothing */
        { "820701", 4, CARNET_SYNC_REASON_ORDER },        /* CREDIT for what was not sent */
        { "820602", 4, CARNET_SYNC_REASON_ORDER },        /* DONE of a lane that has not begun */
        { "830200" "80", 4, CARNET_SYNC_REASON_ORDER },   /* BOOKS at the wrong time */
        { "820880", 4, CARNET_SYNC_REASON_ORDER },        /* WANT before the lanes are done */
        { "82058141ff", 4, CARNET_SYNC_REASON_NONE },     /* an entry that is none: refused, the session goes on */
    };
    struct carnet_buf frame;
    carnet_buf_init(&frame, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hex_frame(&frame, cases[i].hex);
        enum carnet_sync_reason reason = reason_of(carnet_buf_slice(&frame), cases[i].after);
        if (reason != cases[i].reason)
            print_message("case %zu: %s\n", i, carnet_sync_reason_text(reason, false));
        assert_int_equal(reason, cases[i].reason);
    }
    carnet_buf_clear(&frame);
    for (size_t i = 0; i < CARNET_FRAME_LEN_MAX + 1; i++)
        carnet_buf_append_byte(&frame, 0);
    assert_int_equal(reason_of(carnet_buf_slice(&frame), 0), CARNET_SYNC_REASON_NOISE);
    carnet_buf_deinit(&frame);
}

/* Every frame of a real conversation, cut at every length and with every byte changed: none crashes, none applies what was not signed. */
struct capture {
    struct carnet_buf bytes[64];
    size_t count;
};

static void capture_frame(void *ctx, unsigned from, struct carnet_slice frame)
{
    struct capture *capture = ctx;
    if (from != 0 || capture->count == 64)
        return;
    struct carnet_buf *copy = &capture->bytes[capture->count++];
    carnet_buf_init(copy, CARNET_FRAME_LEN_MAX);
    carnet_buf_append_slice(copy, frame);
}

static void damaged_frames_change_nothing(void **state)
{
    (void)state;
    static struct capture capture;
    struct world world;
    struct world_pipe pipe;
    capture.count = 0;
    apart(&world, 1);
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, NULL);
    pipe.seen = capture_frame;
    pipe.seen_ctx = &capture;
    pipe_run(&pipe, SIZE_MAX);
    size_t last = pipe.side[1].queue_count;
    assert_true(last > 6);
    pipe_close(&pipe);
    /* the office at its last stage gets each of the founder's frames, damaged */
    for (size_t i = 0; i < capture.count; i++) {
        size_t step = capture.bytes[i].len / 40 + 1;
        for (size_t at = 0; at < capture.bytes[i].len; at += step) {
            pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, NULL);
            pipe_run(&pipe, SIZE_MAX);
            size_t entries = world.nodes[OFFICE].entry_count;
            pipe_inject(&pipe, 1, carnet_slice(capture.bytes[i].ptr, at));
            capture.bytes[i].ptr[at] ^= 0x41;
            pipe_inject(&pipe, 1, carnet_buf_slice(&capture.bytes[i]));
            capture.bytes[i].ptr[at] ^= 0x41;
            pipe_run(&pipe, SIZE_MAX);
            assert_int_equal(world.nodes[OFFICE].entry_count, entries);
            pipe_close(&pipe);
        }
        carnet_buf_deinit(&capture.bytes[i]);
    }
    world_deinit(&world);
}

static void waiting_has_an_end(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    apart(&world, 1);
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, NULL);
    pipe_tick(&pipe, 9999);
    assert_false(pipe.side[0].closed || pipe.side[1].closed);
    pipe_tick(&pipe, 1);
    assert_int_equal(pipe.side[0].reason, CARNET_SYNC_REASON_SLOW);
    assert_int_equal(pipe.side[1].reason, CARNET_SYNC_REASON_SLOW);
    pipe_close(&pipe);
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, NULL);
    pipe_run(&pipe, 5);
    pipe_tick(&pipe, 59999);
    assert_false(pipe.side[0].closed || pipe.side[1].closed);
    pipe_tick(&pipe, 1);
    assert_int_equal(pipe.side[0].reason, CARNET_SYNC_REASON_SILENT);
    pipe_close(&pipe);
    /* a node that was away itself does not blame the other one */
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, NULL);
    pipe_run(&pipe, 5);
    pipe_tick(&pipe, 3600000);
    pipe_run(&pipe, SIZE_MAX);
    assert_true(pipe.side[0].caught_up && pipe.side[1].caught_up);
    pipe_close(&pipe);
    /* nothing to wait for: it stays open */
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, NULL);
    pipe_run(&pipe, SIZE_MAX);
    for (size_t i = 0; i < 100; i++)
        pipe_tick(&pipe, 100000);
    assert_true(pipe.side[0].caught_up && !pipe.side[0].closed);
    pipe_close(&pipe);
    world_deinit(&world);
}

static void pending_counts_what_the_peer_lacks(void **state)
{
    (void)state;
    struct world world;
    struct world_pipe pipe;
    apart(&world, 1);
    pipe_open(&pipe, &world.nodes[FOUNDER], &world.nodes[OFFICE], true, true, NULL);
    pipe_run(&pipe, SIZE_MAX);
    assert_int_equal(carnet_sync_pending(pipe.side[0].sync), 0);
    world_write(&world.nodes[FOUNDER], &world.book[0], CARNET_LOG_DATA);
    world_write(&world.nodes[FOUNDER], &world.book[1], CARNET_LOG_LAW);
    assert_int_equal(carnet_sync_pending(pipe.side[0].sync), 2);
    pipe_local(&pipe, 0);
    pipe_run(&pipe, SIZE_MAX);
    assert_int_equal(carnet_sync_pending(pipe.side[0].sync), 0);
    pipe_close(&pipe);
    world_deinit(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_do_ends_after_one_round_trip),
        cmocka_unit_test(two_that_worked_apart_meet),
        cmocka_unit_test(an_empty_replica_gets_all),
        cmocka_unit_test(a_stranger_shows_its_chain),
        cmocka_unit_test(a_revoked_node_gets_nothing),
        cmocka_unit_test(a_revocation_learnt_in_the_session_ends_it_before_data),
        cmocka_unit_test(a_revocation_learnt_elsewhere_ends_a_live_session),
        cmocka_unit_test(an_expired_certificate_is_refused),
        cmocka_unit_test(another_community_is_told_so),
        cmocka_unit_test(somebody_elses_chain_proves_nothing),
        cmocka_unit_test(a_revoked_node_cannot_certify_itself_another_name),
        cmocka_unit_test(two_strangers_name_themselves_the_caller_first),
        cmocka_unit_test(a_caller_asks_who_answers),
        cmocka_unit_test(only_shared_books_leave),
        cmocka_unit_test(scopes_that_are_not_read_leave_as_hashes),
        cmocka_unit_test(a_relay_passes_on_what_it_cannot_read),
        cmocka_unit_test(missing_parts_are_asked_for_and_what_is_gone_is_not_asked_again),
        cmocka_unit_test(an_interruption_at_any_frame_is_made_good_by_the_next_session),
        cmocka_unit_test(the_window_is_used_and_never_exceeded),
        cmocka_unit_test(thousands_of_chains_take_several_frames_of_heads),
        cmocka_unit_test(one_poison_entry_does_not_stop_the_rest),
        cmocka_unit_test(two_contents_at_one_place_are_left_out_and_counted),
        cmocka_unit_test(a_node_behind_its_own_log_is_told),
        cmocka_unit_test(what_is_new_is_pushed_once_and_never_echoed),
        cmocka_unit_test(law_overtakes_a_long_data_lane),
        cmocka_unit_test(no_data_leaves_before_law_is_done_both_ways),
        cmocka_unit_test(noise_ends_the_session_with_a_reason),
        cmocka_unit_test(damaged_frames_change_nothing),
        cmocka_unit_test(waiting_has_an_end),
        cmocka_unit_test(pending_counts_what_the_peer_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
