// SPDX-License-Identifier: EUPL-1.2
#include "carnet/log/authority.h"
#include "carnet/node/core.h"
#include "carnet/wire/cbor.h"

#include "../support/replica_world.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Cores joined in memory: link 2k is one end, 2k + 1 the other. */
enum { LINKS_MAX = 32, OFFICES_MAX = 4 };
struct parcel {
    struct parcel *next;
    uint64_t to; /* link, as its receiver numbers it */
    size_t len;
    uint8_t bytes[];
};
struct office {
    struct net *net;
    struct world_node *node; /* NULL: the test itself holds this end */
    struct carnet_core *core;
    size_t full;             /* frames that its links take before they say AGAIN; 0: all */
};
struct net {
    struct world *world;
    struct office offices[OFFICES_MAX];
    size_t count;
    struct office *ends[LINKS_MAX];
    bool down[LINKS_MAX];
    uint64_t links;
    struct parcel *first, **last;
    unsigned closed;   /* links that a core closed */
    unsigned parcels;  /* delivered */
    struct carnet_buf heard; /* the last frame to an end of the test's own */
};

static carnet_rc net_send(void *ctx, uint64_t link, struct carnet_slice frame)
{
    struct office *office = ctx;
    struct net *net = office->net;
    assert_ptr_equal(net->ends[link], office);
    if (net->down[link])
        return CARNET_NOT_FOUND;
    if (office->full == 1)
        return CARNET_AGAIN;
    if (office->full)
        office->full--;
    struct parcel *parcel = carnet_alloc(sizeof *parcel + frame.len);
    parcel->to = link ^ 1;
    parcel->len = frame.len;
    memcpy(parcel->bytes, frame.ptr, frame.len);
    *net->last = parcel;
    net->last = &parcel->next;
    return CARNET_OK;
}

static void net_close(void *ctx, uint64_t link)
{
    struct office *office = ctx;
    struct net *net = office->net;
    net->closed++;
    net->down[link] = true;
}

static struct net *net_new(size_t count)
{
    struct net *net = carnet_alloc(sizeof *net);
    net->world = world_new();
    net->last = &net->first;
    net->count = count;
    net->links = 2;
    carnet_buf_init(&net->heard, 64 * 1024);
    for (size_t i = 0; i < count; i++) {
        struct office *office = &net->offices[i];
        char name[16];
        snprintf(name, sizeof name, "office %zu", i);
        office->net = net;
        office->node = i ? world_join(net->world, name, CARNET_ROLE_OFFICE, NULL, 0, 0) : &net->world->nodes[0];
        const struct carnet_core_ops ops = { .ctx = office, .send = net_send, .close = net_close };
        office->core = carnet_core_new(office->node->replica, &ops);
    }
    return net;
}

static void net_free(struct net *net)
{
    while (net->first) {
        struct parcel *next = net->first->next;
        free(net->first);
        net->first = next;
    }
    for (size_t i = 0; i < net->count; i++)
        carnet_core_free(net->offices[i].core);
    carnet_buf_deinit(&net->heard);
    world_free(net->world);
    free(net);
}

static struct carnet_box_pk curve_of(const struct world_node *node)
{
    struct carnet_box_pk pk;
    struct carnet_box_sk sk;
    carnet_box_pair(node->identity.curve, &pk, &sk);
    return pk;
}

/* a connects to b. Gives a's end. */
static uint64_t net_link(struct office *a, struct office *b)
{
    struct net *net = a->net;
    uint64_t link = net->links;
    net->links += 2;
    assert_true(net->links < LINKS_MAX);
    net->ends[link] = a;
    net->ends[link + 1] = b;
    struct carnet_box_pk pk = curve_of(a->node), other = curve_of(b->node);
    carnet_core_up(b->core, link + 1, &pk, false);
    carnet_core_up(a->core, link, &other, true);
    return link;
}

static bool deliver_one(struct net *net)
{
    struct parcel *parcel = net->first;
    if (!parcel)
        return false;
    net->first = parcel->next;
    if (!net->first)
        net->last = &net->first;
    struct office *to = net->ends[parcel->to];
    net->parcels++;
    if (!to) {
        carnet_buf_clear(&net->heard);
        carnet_buf_append(&net->heard, parcel->bytes, parcel->len);
    } else if (!net->down[parcel->to]) {
        carnet_core_frame(to->core, parcel->to, carnet_slice(parcel->bytes, parcel->len));
        if (!net->first || net->ends[net->first->to] != to) /* all that came together; then its tick is due */
            carnet_core_tick(to->core);
    }
    free(parcel);
    return true;
}

static void net_pass(struct net *net, int64_t ms)
{
    world_pass(net->world, ms);
    for (size_t i = 0; i < net->count; i++)
        net->offices[i].node->hands.mono_ms += ms;
}

/* Frames, ends of links and timers, until nothing moves for a while. */
static void net_settle(struct net *net)
{
    for (unsigned quiet = 0; quiet < 4;) {
        quiet++;
        while (deliver_one(net))
            quiet = 0;
        for (uint64_t link = 2; link < net->links; link++)
            if (net->down[link ^ 1] && !net->down[link] && net->ends[link]) {
                net->down[link] = true;
                carnet_core_down(net->ends[link]->core, link);
            }
        net_pass(net, 100);
        for (size_t i = 0; i < net->count; i++) {
            carnet_core_tick(net->offices[i].core);
            assert_null(carnet_core_failure(net->offices[i].core));
        }
    }
}

static size_t open_peers(struct office *office, struct carnet_core_peer *out)
{
    struct carnet_core_peer peers[16];
    size_t count = carnet_core_peers(office->core, peers, 16), open = 0;
    for (size_t i = 0; i < count; i++)
        if (!peers[i].closed) {
            if (out)
                *out = peers[i];
            open++;
        }
    return open;
}

static void two_cores_catch_up_then_push(void **state)
{
    (void)state;
    struct net *net = net_new(2);
    struct office *a = &net->offices[0], *b = &net->offices[1];
    struct carnet_core_peer peer;
    struct carnet_id zoe = world_add(a->node, "given=Zoé phone/mobile=+33639980012", "file sms");
    net_link(b, a);
    net_settle(net);
    assert_int_equal(open_peers(b, &peer), 1);
    assert_true(peer.caught_up && peer.cert && peer.connector && peer.pending == 0);
    assert_true(peer.stats.received_entries > 0);
    assert_string_equal(world_value(b->node, &zoe, "phone/mobile"), "+33639980012");
    world_same(net->world);
    /* an edit appears at once, both ways */
    assert_int_equal(world_edit(b->node, &zoe, "phone/mobile=+33639980013"), CARNET_OK);
    carnet_core_written(b->core);
    while (deliver_one(net))
        ;
    assert_string_equal(world_value(a->node, &zoe, "phone/mobile"), "+33639980013");
    net_settle(net);
    world_same(net->world);
    assert_true(carnet_core_met(a->core, &carnet_replica_self(b->node->replica)->node));
    net_free(net);
}

static void what_one_hears_goes_on_to_the_others(void **state)
{
    (void)state;
    struct net *net = net_new(3);
    net_link(&net->offices[1], &net->offices[0]);
    net_settle(net);
    net_link(&net->offices[2], &net->offices[1]); /* a stranger to 1 but for the chain, or known through 0 */
    net_settle(net);
    struct carnet_id zoe = world_add(net->offices[2].node, "given=Zoé", "file");
    carnet_core_written(net->offices[2].core);
    while (deliver_one(net))
        ;
    assert_string_equal(world_value(net->offices[0].node, &zoe, "given"), "Zoé");
    net_settle(net);
    world_same(net->world);
    net_free(net);
}

static void a_new_member_is_believed_for_its_chain(void **state)
{
    (void)state;
    struct net *net = net_new(2);
    net_link(&net->offices[1], &net->offices[0]);
    net_settle(net);
    net->down[2] = net->down[3] = true;
    net_settle(net);
    carnet_core_down(net->offices[0].core, 3);
    carnet_core_down(net->offices[1].core, 2);
    /* joined by 0 while 1 was away */
    struct office *c = &net->offices[net->count];
    c->net = net;
    c->node = world_join(net->world, "office 2", CARNET_ROLE_OFFICE, NULL, 0, 0);
    const struct carnet_core_ops ops = { .ctx = c, .send = net_send, .close = net_close };
    c->core = carnet_core_new(c->node->replica, &ops);
    net->count++;
    net_link(c, &net->offices[1]);
    net_settle(net);
    assert_true(carnet_core_met(net->offices[1].core, &carnet_replica_self(c->node->replica)->node));
    assert_true(open_peers(c, NULL) == 1);
    net_free(net);
}

static void of_two_sessions_with_one_node_one_stays(void **state)
{
    (void)state;
    struct net *net = net_new(2);
    struct office *a = &net->offices[0], *b = &net->offices[1];
    net_link(b, a);
    net_settle(net); /* a knows b from here on */
    net_link(a, b);
    net_settle(net);
    struct carnet_core_peer one, other;
    assert_int_equal(open_peers(a, &one), 1);
    assert_int_equal(open_peers(b, &other), 1);
    assert_true(one.link == (other.link ^ 1));
    bool a_smaller = carnet_id_compare(&carnet_replica_self(a->node->replica)->node, &carnet_replica_self(b->node->replica)->node) < 0;
    assert_true(one.connector == a_smaller);
    /* the same direction: the newer one */
    uint64_t newer = a_smaller ? net_link(a, b) : net_link(b, a);
    net_settle(net);
    assert_int_equal(open_peers(a_smaller ? a : b, &one), 1);
    assert_true(one.link == newer);
    net_free(net);
}

static void a_revoked_node_is_hung_up_on(void **state)
{
    (void)state;
    struct net *net = net_new(2);
    struct office *a = &net->offices[0], *b = &net->offices[1];
    net_link(b, a);
    net_settle(net);
    struct carnet_id node = carnet_replica_self(b->node->replica)->node;
    struct carnet_box_pk curve = curve_of(b->node);
    assert_true(carnet_core_admits(a->core, &curve));
    assert_int_equal(carnet_replica_cut(a->node->replica, &node, NULL), CARNET_OK);
    struct carnet_id zoe = world_add(a->node, "given=Zoé", "file");
    carnet_core_written(a->core);
    net_settle(net);
    assert_false(carnet_core_admits(a->core, &curve));
    assert_int_equal(open_peers(a, NULL), 0);
    struct carnet_arena arena;
    struct carnet_view view;
    carnet_arena_init(&arena);
    assert_int_equal(carnet_replica_view(b->node->replica, &net->world->book, &zoe, &arena, &view, NULL), CARNET_NOT_FOUND);
    carnet_arena_deinit(&arena);
    net_link(b, a);
    net_settle(net);
    assert_int_equal(open_peers(a, NULL) + open_peers(b, NULL), 0);
    net_free(net);
}

static void frames_wait_for_a_full_link(void **state)
{
    (void)state;
    struct net *net = net_new(2);
    struct office *a = &net->offices[0], *b = &net->offices[1];
    for (unsigned i = 0; i < 300; i++)
        world_add(a->node, "given=Zoé family=Martin phone/mobile=+33639980012", "file sms");
    a->full = 4;
    uint64_t link = net_link(b, a);
    for (unsigned i = 0; i < 2000 && (a->full != 0 || net->first); i++) {
        while (deliver_one(net))
            ;
        a->full = i < 1000 ? 2 : 0; /* one frame at a time */
        carnet_core_writable(a->core, link + 1);
    }
    a->full = 0;
    carnet_core_writable(a->core, link + 1);
    net_settle(net);
    world_same(net->world);
    net_free(net);
}

static void a_joiner_is_answered_once_for_all(void **state)
{
    (void)state;
    struct net *net = net_new(1);
    struct office *a = &net->offices[0];
    struct carnet_buf text, request, frame;
    struct carnet_invite_code code;
    struct carnet_identity identity;
    struct carnet_box_pk pk;
    struct carnet_box_sk sk;
    struct carnet_slice welcome;
    char what[200];
    const char *address = "tcp://127.0.0.1:7000";
    struct carnet_rng rng = carnet_rng_system();
    const struct carnet_invite_terms terms = { .name = carnet_slice_str("Awa"), .role = CARNET_ROLE_OFFICE, .addresses = &address, .address_count = 1,
                                               .code_until_ms = carnet_replica_wall_ms(a->node->replica) + 3600 * 1000 };
    carnet_buf_init(&text, 4096);
    carnet_buf_init(&request, 4096);
    carnet_buf_init(&frame, 8192);
    assert_int_equal(carnet_replica_invite(a->node->replica, &terms, &text, NULL), CARNET_OK);
    assert_int_equal(carnet_invite_code_decode(carnet_buf_slice(&text), &code), CARNET_OK);
    carnet_invite_keys(code.secret, &pk, &sk);
    carnet_identity_new(&rng, &identity);
    carnet_join_request(&identity, carnet_slice_str("portable"), &pk, &request);
    carnet_core_join_put(carnet_buf_slice(&request), &frame);
    for (unsigned i = 0; i < 2; i++) { /* again: the answer may have been lost */
        uint64_t link = net->links;
        net->links += 2;
        net->ends[link + 1] = a;
        carnet_core_up(a->core, link + 1, &pk, false);
        carnet_core_frame(a->core, link + 1, carnet_buf_slice(&frame));
        while (deliver_one(net))
            ;
        assert_int_equal(carnet_core_join_answer(carnet_buf_slice(&net->heard), &welcome, what), CARNET_OK);
        assert_true(net->down[link + 1]);
    }
    struct carnet_replica *joined;
    char path[200];
    snprintf(path, sizeof path, "%s/joined.db", net->world->dir);
    assert_int_equal(carnet_replica_join(path, &a->node->env, &identity, NULL, welcome, &joined, NULL), CARNET_OK);
    carnet_replica_close(joined);
    /* another node with the same code: refused, and told why */
    carnet_identity_new(&rng, &identity);
    carnet_buf_clear(&request);
    carnet_buf_clear(&frame);
    carnet_join_request(&identity, carnet_slice_str("autre"), &pk, &request);
    carnet_core_join_put(carnet_buf_slice(&request), &frame);
    net->ends[net->links + 1] = a;
    carnet_core_up(a->core, net->links + 1, &pk, false);
    carnet_core_frame(a->core, net->links + 1, carnet_buf_slice(&frame));
    while (deliver_one(net))
        ;
    assert_int_equal(carnet_core_join_answer(carnet_buf_slice(&net->heard), &welcome, what), CARNET_REFUSED);
    assert_true(strlen(what) > 5);
    net->links += 2;
    carnet_buf_deinit(&text);
    carnet_buf_deinit(&request);
    carnet_buf_deinit(&frame);
    net_free(net);
}

static void answers_to_joiners_are_read_strictly(void **state)
{
    (void)state;
    struct carnet_slice welcome;
    char what[200];
    static const uint8_t good[] = { 0x82, 0x18, 0x21, 0x42, 1, 2 }, more[] = { 0x82, 0x18, 0x21, 0x42, 1, 2, 0 };
    static const uint8_t no[] = { 0x83, 0x18, 0x22, 0x61, 'x', 0x61, 'y' };
    assert_int_equal(carnet_core_join_answer(carnet_slice(good, sizeof good), &welcome, what), CARNET_OK);
    assert_int_equal(welcome.len, 2);
    for (size_t len = 0; len < sizeof good; len++)
        assert_int_equal(carnet_core_join_answer(carnet_slice(good, len), &welcome, what), CARNET_MALFORMED);
    assert_int_equal(carnet_core_join_answer(carnet_slice(more, sizeof more), &welcome, what), CARNET_MALFORMED);
    assert_int_equal(carnet_core_join_answer(carnet_slice(no, sizeof no), &welcome, what), CARNET_REFUSED);
    assert_string_equal(what, "y");
    for (size_t len = 0; len < sizeof no; len++)
        assert_int_equal(carnet_core_join_answer(carnet_slice(no, len), &welcome, what), CARNET_MALFORMED);
}

static void strangers_are_few_and_soon_gone(void **state)
{
    (void)state;
    struct net *net = net_new(1);
    struct office *a = &net->offices[0];
    struct carnet_rng rng = carnet_rng_system();
    for (uint64_t i = 0; i < 20; i++) {
        struct carnet_box_pk pk;
        carnet_rng_fill(&rng, pk.b, sizeof pk.b);
        net->ends[10 + i] = a;
        carnet_core_up(a->core, 10 + i, &pk, false);
    }
    assert_int_equal(open_peers(a, NULL), 16);
    assert_int_equal(net->closed, 4);
    net_pass(net, 11 * 1000);
    carnet_core_tick(a->core);
    assert_int_equal(open_peers(a, NULL), 0);
    net_free(net);
}

static void the_last_time_a_peer_was_heard_is_kept(void **state)
{
    (void)state;
    struct net *net = net_new(2);
    struct office *a = &net->offices[0], *b = &net->offices[1];
    struct carnet_id node = carnet_replica_self(b->node->replica)->node;
    assert_int_equal(carnet_core_last_heard_ms(a->core, &node), 0);
    uint64_t link = net_link(b, a);
    net_settle(net);
    int64_t heard = carnet_core_last_heard_ms(a->core, &node);
    assert_true(heard >= WORLD_MS && heard <= carnet_replica_wall_ms(a->node->replica));
    carnet_core_down(a->core, link + 1);
    carnet_core_down(b->core, link);
    assert_true(carnet_core_heard_ms(a->node->replica, &node) == heard);
    net_free(net);
}

static void copy_file(const char *from, const char *to)
{
    static uint8_t bytes[1 << 16];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    for (size_t len; (len = fread(bytes, 1, sizeof bytes, in)) > 0;)
        assert_int_equal(fwrite(bytes, 1, len, out), len);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* Ends the office's program and begins it anew: from a copy kept before, or keeping one. */
static void restart(struct office *office, const char *restored, const char *kept)
{
    const struct carnet_core_ops ops = { .ctx = office, .send = net_send, .close = net_close };
    struct world_node *node = office->node;
    carnet_core_free(office->core);
    carnet_replica_close(node->replica);
    if (restored)
        copy_file(restored, node->path);
    if (kept)
        copy_file(node->path, kept);
    if (carnet_replica_open(node->path, &node->env, &node->identity, &node->replica, &node->world->err) != CARNET_OK)
        fail_msg("%s", node->world->err.what);
    office->core = carnet_core_new(node->replica, &ops);
}

static void a_restored_office_goes_on_under_a_new_incarnation(void **state)
{
    (void)state;
    struct net *net = net_new(2);
    struct office *a = &net->offices[0], *b = &net->offices[1];
    char kept[160];
    snprintf(kept, sizeof kept, "%s.kept", b->node->path);
    uint64_t link = net_link(b, a);
    net_settle(net);
    struct carnet_id before = world_add(b->node, "given=Zoé", "file");
    carnet_core_written(b->core);
    net_settle(net);
    carnet_core_down(a->core, link + 1);
    carnet_core_down(b->core, link);
    restart(b, NULL, kept);
    /* what the copy does not have, and a has */
    struct carnet_id lost = world_add(b->node, "given=Ali", "file");
    link = net_link(b, a);
    net_settle(net);
    assert_string_equal(world_value(a->node, &lost, "given"), "Ali");
    carnet_core_down(a->core, link + 1);
    carnet_core_down(b->core, link);
    uint32_t old = carnet_replica_incarnation(b->node->replica);
    restart(b, kept, NULL);
    assert_int_equal(carnet_replica_incarnation(b->node->replica), old);

    net_link(b, a);
    net_settle(net);
    assert_true(carnet_replica_incarnation(b->node->replica) > old);
    assert_string_equal(world_value(b->node, &lost, "given"), "Ali"); /* its own words come back */
    assert_int_equal(world_edit(b->node, &before, "given=Chloé"), CARNET_OK);
    assert_int_equal(world_edit(b->node, &lost, "family=Diallo"), CARNET_OK);
    carnet_core_written(b->core);
    net_settle(net);
    assert_string_equal(world_value(a->node, &before, "given"), "Chloé");
    assert_string_equal(world_value(a->node, &lost, "family"), "Diallo");
    world_same(net->world);
    remove(kept);
    net_free(net);
}

int main(void)
{
    struct carnet_err err = CARNET_ERR_INIT;
    if (carnet_crypto_init(&err))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_cores_catch_up_then_push),
        cmocka_unit_test(what_one_hears_goes_on_to_the_others),
        cmocka_unit_test(a_new_member_is_believed_for_its_chain),
        cmocka_unit_test(of_two_sessions_with_one_node_one_stays),
        cmocka_unit_test(a_revoked_node_is_hung_up_on),
        cmocka_unit_test(frames_wait_for_a_full_link),
        cmocka_unit_test(a_joiner_is_answered_once_for_all),
        cmocka_unit_test(answers_to_joiners_are_read_strictly),
        cmocka_unit_test(strangers_are_few_and_soon_gone),
        cmocka_unit_test(the_last_time_a_peer_was_heard_is_kept),
        cmocka_unit_test(a_restored_office_goes_on_under_a_new_incarnation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
