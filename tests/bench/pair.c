// SPDX-License-Identifier: EUPL-1.2
/* Two nodes in one process: their cores, joined by a queue in memory, or by sockets with CURVE on the loopback. */
#include "bench.h"

#include "carnet/log/authority.h"
#include "carnet/net/net.h"
#include "carnet/node/core.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct parcel {
    struct parcel *next;
    struct side *to;
    size_t len;
    uint8_t bytes[];
};
struct side {
    struct bench_pair *pair;
    struct side *other;
    struct carnet_replica *replica;
    struct carnet_core *core;
    struct carnet_net *net; /* NULL: in memory */
    struct carnet_box_pk pk;
    bool connector;
};
struct bench_pair {
    struct side sides[2]; /* the one that listens, the one that connects */
    struct parcel *first, **last;
    uint64_t link, bytes, frames;
    double hold_ms;
};

static carnet_rc put(void *ctx, uint64_t link, struct carnet_slice frame)
{
    struct side *side = ctx;
    struct bench_pair *pair = side->pair;
    if (side->net) {
        carnet_rc rc = carnet_net_send(side->net, link, frame);
        if (rc != CARNET_OK)
            return rc;
    } else {
        struct parcel *parcel = carnet_alloc(sizeof *parcel + frame.len);
        parcel->to = side->other;
        parcel->len = frame.len;
        memcpy(parcel->bytes, frame.ptr, frame.len);
        *pair->last = parcel;
        pair->last = &parcel->next;
    }
    pair->bytes += frame.len;
    pair->frames++;
    return CARNET_OK;
}

static void shut(void *ctx, uint64_t link)
{
    struct side *side = ctx;
    (void)link;
    (void)side;
    bench_fail("a session was closed", NULL);
}

static void connect_sockets(struct bench_pair *pair)
{
    struct carnet_err err = CARNET_ERR_INIT;
    char bound[CARNET_NET_ADDRESS_LEN_MAX + 1];
    uint64_t link;
    for (size_t i = 0; i < 2; i++) {
        struct side *side = &pair->sides[i];
        struct carnet_net_options options = { .pk = side->pk, .admit = carnet_core_admits, .ctx = side->core };
        carnet_box_pair(carnet_replica_identity(side->replica)->curve, &options.pk, &options.sk);
        BENCH_OK(carnet_net_new(&options, &side->net, &err));
    }
    BENCH_OK(carnet_net_listen(pair->sides[0].net, "tcp://127.0.0.1:0", bound, &err));
    BENCH_OK(carnet_net_connect(pair->sides[1].net, bound, &pair->sides[0].pk, NULL, NULL, &link, &err));
}

struct bench_pair *bench_pair_new(struct carnet_replica *listener, struct carnet_replica *connector, bool net)
{
    struct bench_pair *pair = carnet_alloc(sizeof *pair);
    pair->last = &pair->first;
    pair->sides[0].replica = listener;
    pair->sides[1].replica = connector;
    for (size_t i = 0; i < 2; i++) {
        struct side *side = &pair->sides[i];
        const struct carnet_core_ops ops = { .ctx = side, .send = put, .close = shut };
        struct carnet_box_sk sk;
        side->pair = pair;
        side->other = &pair->sides[1 - i];
        side->connector = i == 1;
        carnet_box_pair(carnet_replica_identity(side->replica)->curve, &side->pk, &sk);
        side->core = carnet_core_new(side->replica, &ops);
    }
    if (net)
        connect_sockets(pair);
    return pair;
}

static void drop_parcels(struct bench_pair *pair)
{
    while (pair->first) {
        struct parcel *next = pair->first->next;
        free(pair->first);
        pair->first = next;
    }
    pair->last = &pair->first;
}

void bench_pair_free(struct bench_pair *pair)
{
    drop_parcels(pair);
    for (size_t i = 0; i < 2; i++) {
        carnet_core_free(pair->sides[i].core);
        carnet_net_free(pair->sides[i].net);
    }
    free(pair);
}

void bench_pair_up(struct bench_pair *pair)
{
    pair->link++;
    pair->bytes = pair->frames = 0;
    pair->hold_ms = 0;
    carnet_core_up(pair->sides[0].core, pair->link, &pair->sides[1].pk, false);
    carnet_core_up(pair->sides[1].core, pair->link, &pair->sides[0].pk, true);
}

void bench_pair_down(struct bench_pair *pair)
{
    drop_parcels(pair);
    for (size_t i = 0; i < 2; i++)
        carnet_core_down(pair->sides[i].core, pair->link);
}

static void hold(struct bench_pair *pair, double begun)
{
    double ms = (bench_seconds() - begun) * 1e3;
    if (ms > pair->hold_ms)
        pair->hold_ms = ms;
}

static bool take_events(struct side *side)
{
    struct carnet_net_event event;
    struct carnet_err err = CARNET_ERR_INIT;
    bool any = false;
    BENCH_OK(carnet_net_wait(side->net, NULL, NULL, NULL, 0, 0, &err));
    while (carnet_net_next(side->net, &event)) {
        any = true;
        switch (event.type) {
        case CARNET_NET_UP:
            carnet_core_up(side->core, event.link, &event.peer, event.connector);
            break;
        case CARNET_NET_FRAME:
            carnet_core_frame(side->core, event.link, event.frame);
            break;
        case CARNET_NET_DOWN:
        case CARNET_NET_FAILED:
            bench_fail("the link went down", NULL);
        }
    }
    return any;
}

bool bench_pair_turn(struct bench_pair *pair)
{
    bool any = false;
    if (pair->sides[0].net) {
        for (size_t i = 0; i < 2; i++)
            any = take_events(&pair->sides[i]) || any;
        return any;
    }
    struct parcel *parcel;
    while ((parcel = pair->first) != NULL) {
        pair->first = parcel->next;
        if (!pair->first)
            pair->last = &pair->first;
        double begun = bench_seconds();
        carnet_core_frame(parcel->to->core, pair->link, carnet_slice(parcel->bytes, parcel->len));
        hold(pair, begun);
        free(parcel);
        any = true;
    }
    return any;
}

void bench_pair_tick(struct bench_pair *pair)
{
    for (size_t i = 0; i < 2; i++) {
        if (carnet_replica_mono_ms(pair->sides[i].replica) < carnet_core_deadline_ms(pair->sides[i].core))
            continue;
        double begun = bench_seconds();
        carnet_core_tick(pair->sides[i].core);
        hold(pair, begun);
        const struct carnet_err *failure = carnet_core_failure(pair->sides[i].core);
        if (failure)
            bench_fail("a node stopped", failure);
    }
}

static bool caught_up(const struct bench_pair *pair)
{
    struct carnet_core_peer peers[8];
    for (size_t i = 0; i < 2; i++) {
        size_t count = carnet_core_peers(pair->sides[i].core, peers, 8);
        bool up = false;
        for (size_t j = 0; j < count; j++)
            up = up || (!peers[j].closed && peers[j].caught_up && peers[j].pending == 0);
        if (!up)
            return false;
    }
    return true;
}

void bench_pair_catch_up(struct bench_pair *pair)
{
    double moved = bench_seconds();
    for (;;) {
        if (bench_pair_turn(pair))
            moved = bench_seconds();
        else if (caught_up(pair))
            return;
        bench_pair_tick(pair);
        if (bench_seconds() - moved > 60)
            bench_fail("the two nodes do not catch up", NULL);
    }
}

void bench_pair_quiet(struct bench_pair *pair)
{
    double quiet = bench_seconds();
    while (bench_seconds() - quiet < 0.3) {
        int64_t before = carnet_replica_last(pair->sides[0].replica) + carnet_replica_last(pair->sides[1].replica);
        bench_pair_tick(pair);
        bool moved = bench_pair_turn(pair);
        if (moved || before != carnet_replica_last(pair->sides[0].replica) + carnet_replica_last(pair->sides[1].replica))
            quiet = bench_seconds();
        else
            usleep(1000);
    }
    bench_pair_catch_up(pair);
}

void bench_pair_written(struct bench_pair *pair, bool connector)
{
    carnet_core_written(pair->sides[connector].core);
}

uint64_t bench_pair_bytes(const struct bench_pair *pair)
{
    return pair->bytes;
}

uint64_t bench_pair_frames(const struct bench_pair *pair)
{
    return pair->frames;
}

double bench_pair_hold_ms(const struct bench_pair *pair)
{
    return pair->hold_ms;
}

/* --- nodes --- */

struct carnet_replica_env bench_env(void)
{
    return (struct carnet_replica_env){ .clock = carnet_clock_system(), .rng = carnet_rng_system() };
}

struct carnet_replica *bench_node_open(const struct bench_node *node)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_replica_env env = bench_env();
    struct carnet_replica *replica;
    BENCH_OK(carnet_replica_open(node->path, &env, &node->identity, &replica, &err));
    return replica;
}

struct carnet_replica *bench_join(struct carnet_replica *town, const struct bench_node *node, const char *name, enum carnet_role role)
{
    static const char *const address[] = { "tcp://192.0.2.1:4000" };
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_replica_env env = bench_env();
    const struct carnet_invite_terms terms = { .name = carnet_slice_str(name),
                                               .role = role,
                                               .code_until_ms = carnet_replica_wall_ms(town) + 3600000,
                                               .addresses = address,
                                               .address_count = 1 };
    struct carnet_buf text, request, welcome;
    struct carnet_invite_code code;
    struct carnet_box_pk client;
    struct carnet_box_sk secret;
    struct carnet_replica *replica;
    carnet_buf_init(&text, 4096);
    carnet_buf_init(&request, 4096);
    carnet_buf_init(&welcome, 1 << 20);
    BENCH_OK(carnet_replica_invite(town, &terms, &text, &err));
    BENCH_OK(carnet_invite_code_decode(carnet_buf_slice(&text), &code));
    carnet_invite_keys(code.secret, &client, &secret);
    carnet_join_request(&node->identity, carnet_slice_str(name), &client, &request);
    BENCH_OK(carnet_replica_admit(town, &client, carnet_buf_slice(&request), &welcome, &err));
    bench_remove(node->path);
    BENCH_OK(carnet_replica_join(node->path, &env, &node->identity, NULL, carnet_buf_slice(&welcome), &replica, &err));
    carnet_buf_deinit(&text);
    carnet_buf_deinit(&request);
    carnet_buf_deinit(&welcome);
    return replica;
}
