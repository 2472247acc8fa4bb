// SPDX-License-Identifier: EUPL-1.2
/* Meeting peers once: `sync`, with the sessions of a running node or with links of its own. */
#include "node_private.h"

#include "carnet/sys/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEETINGS_MAX = 64,       /* at once */
    PEERS_MAX = 1024,
    REACH_MS = 10 * 1000,    /* to be connected by */
    SILENCE_MS = 30 * 1000,  /* without progress */
    FAILURES_MAX = 3,        /* refused connections, per address */
    TURN_MS = 200
};

struct meeting {
    struct carnet_target who;
    bool known;              /* who is filled; else whoever is at the address */
    const char *address;     /* NULL: those in the charter */
    bool fixed;              /* the address is `told`, of the peers that this node was told of */
    char told[CARNET_NET_ADDRESS_LEN_MAX + 1];
    uint64_t dial;
    bool made;               /* the dial is this meeting's own */
    int64_t start_ms, progress_ms;
    uint64_t link;           /* of the session */
    struct carnet_sync_stats base, seen;
    bool done;
    struct carnet_sync_result result;
};
struct meetings {
    struct carnet_loop *loop;
    struct meeting *at;
    size_t count, cap;
    uint64_t newest;         /* the largest link number when this began */
    bool (*each)(void *ctx, const struct carnet_sync_result *result);
    void *ctx;
    bool stopped;
};

static void end(struct meetings *all, struct meeting *m, carnet_rc rc, const char *why)
{
    m->done = true;
    m->result.rc = rc;
    m->result.why = why;
    m->result.ms = carnet_loop_now(all->loop) - m->start_ms;
    snprintf(m->result.peer, sizeof m->result.peer, "%s", m->known ? m->who.name : m->address);
    if (m->made)
        carnet_dial_drop(all->loop, m->dial);
    m->made = false;
    if (all->each && !all->stopped)
        all->stopped = !all->each(all->ctx, &m->result);
}

static struct carnet_sync_stats difference(const struct carnet_sync_stats *now, const struct carnet_sync_stats *before)
{
    struct carnet_sync_stats out = *now;
    out.sent_entries -= before->sent_entries;
    out.received_entries -= before->received_entries;
    out.refused_entries -= before->refused_entries;
    out.sent_bytes -= before->sent_bytes;
    out.received_bytes -= before->received_bytes;
    out.frames -= before->frames;
    return out;
}

/* What the session says. true: it said something. */
static bool look_at_session(struct meetings *all, struct meeting *m, const struct carnet_core_peer *peer)
{
    int64_t now = carnet_loop_now(all->loop);
    if (peer->link != m->link) {
        /* one that was there before: what it has carried so far is not this meeting's */
        m->link = peer->link;
        m->base = peer->link <= all->newest ? peer->stats : (struct carnet_sync_stats){ 0 };
        m->progress_ms = now;
    }
    if (peer->stats.frames != m->seen.frames || peer->stats.received_bytes != m->seen.received_bytes)
        m->progress_ms = now;
    m->seen = peer->stats;
    m->result.stats = difference(&peer->stats, &m->base);
    if (peer->caught_up)
        end(all, m, CARNET_OK, NULL);
    else if (now - m->progress_ms > SILENCE_MS)
        end(all, m, CARNET_UNREACHABLE, "the peer does not answer any more");
    return true;
}

static bool is_refusal(enum carnet_sync_reason reason)
{
    return reason == CARNET_SYNC_REASON_UNKNOWN || reason == CARNET_SYNC_REASON_CUT || reason == CARNET_SYNC_REASON_EXPIRED ||
           reason == CARNET_SYNC_REASON_COMMUNITY || reason == CARNET_SYNC_REASON_VERSION;
}

static void look_at_dial(struct meetings *all, struct meeting *m, const struct carnet_dial *dial, const struct carnet_core_peer *peers, size_t peer_count)
{
    int64_t now = carnet_loop_now(all->loop);
    bool late = now - m->start_ms > REACH_MS;
    size_t addresses = m->address || !m->who.address_count ? 1 : m->who.address_count;
    const char *why = "nobody answers at this address";
    for (size_t i = 0; i < peer_count; i++) {
        if (peers[i].link <= all->newest || peers[i].link != dial->last_link || !peers[i].closed)
            continue;
        if (is_refusal(peers[i].reason)) {
            end(all, m, CARNET_REFUSED, peers[i].why);
            return;
        }
        if (peers[i].cert && carnet_id_equal(&peers[i].cert->node, &carnet_replica_self(all->loop->home->node.replica)->node)) {
            end(all, m, CARNET_REFUSED, "this is this node's own address");
            return;
        }
        why = peers[i].why;
    }
    if (!dial->failures) {
        if (late)
            end(all, m, CARNET_UNREACHABLE, why);
        return;
    }
    switch (dial->failure) {
    case CARNET_NET_REFUSED:
        end(all, m, CARNET_REFUSED, "the peer does not let this node in: it may have been revoked");
        break;
    case CARNET_NET_OTHER_KEY:
        if (!m->known && dial->rounds)
            end(all, m, CARNET_REFUSED, "who answers at this address is no member of this community");
        else if (m->known && dial->failures >= 2 * addresses)
            end(all, m, CARNET_REFUSED, "another node than the one expected answers at this address");
        else if (late)
            end(all, m, CARNET_REFUSED, "who answers at this address is no member of this community");
        break;
    case CARNET_NET_CROWDED:
        if (late)
            end(all, m, CARNET_UNREACHABLE, "the peer has too many links");
        break;
    case CARNET_NET_UNREACHABLE:
        if (late || dial->failures >= FAILURES_MAX * addresses)
            end(all, m, CARNET_UNREACHABLE, "nobody answers at this address");
        break;
    }
}

static void look(struct meetings *all, struct meeting *m, const struct carnet_core_peer *peers, size_t peer_count)
{
    const struct carnet_dial *dial = carnet_dial_find(all->loop, m->dial);
    if (!m->known && dial && dial->met) {
        for (size_t i = 0; i < all->loop->target_count; i++)
            if (carnet_id_equal(&all->loop->targets[i].node, &dial->node)) {
                m->who = all->loop->targets[i];
                m->known = true;
            }
    }
    for (size_t i = 0; i < peer_count && m->known; i++)
        if (!peers[i].closed && peers[i].cert && carnet_id_equal(&peers[i].cert->node, &m->who.node) && look_at_session(all, m, &peers[i]))
            return;
    if (m->link && !m->done) {
        /* the session was there and is gone: another attempt follows, within the time */
        m->link = 0;
        m->base = m->seen = (struct carnet_sync_stats){ 0 };
    }
    if (dial)
        look_at_dial(all, m, dial, peers, peer_count);
    else
        end(all, m, CARNET_UNREACHABLE, "nobody answers at this address");
}

static void begin(struct meetings *all, struct meeting *m)
{
    m->start_ms = m->progress_ms = carnet_loop_now(all->loop);
    if (m->known && carnet_core_met(all->loop->core, &m->who.node) && !m->address)
        return;
    m->dial = carnet_dial_ask(all->loop, m->known ? &m->who : NULL, m->address, &m->made);
}

static carnet_rc run(struct meetings *all, struct carnet_err *err)
{
    struct carnet_core_peer *peers = carnet_alloc(PEERS_MAX * sizeof *peers);
    struct carnet_node *node = &all->loop->home->node;
    size_t begun = 0, open = 0, peer_count = carnet_core_peers(all->loop->core, peers, PEERS_MAX);
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; i < peer_count; i++)
        if (peers[i].link > all->newest)
            all->newest = peers[i].link;
    while (rc == CARNET_OK && (open || begun < all->count)) {
        while (open < MEETINGS_MAX && begun < all->count) {
            begin(all, &all->at[begun++]);
            open++;
        }
        peer_count = carnet_core_peers(all->loop->core, peers, PEERS_MAX);
        open = 0;
        for (size_t i = 0; i < begun; i++) {
            if (!all->at[i].done)
                look(all, &all->at[i], peers, peer_count);
            open += !all->at[i].done;
        }
        if (all->stopped || node->cancelled(node))
            rc = carnet_err_set(err, CARNET_CANCELLED, "stopped");
        else if (open)
            rc = carnet_loop_turn(all->loop, TURN_MS, err);
    }
    for (size_t i = 0; i < begun; i++)
        if (all->at[i].made)
            carnet_dial_drop(all->loop, all->at[i].dial);
    free(peers);
    return rc == CARNET_CANCELLED && all->stopped ? CARNET_OK : rc;
}

static struct meeting *add(struct meetings *all)
{
    CARNET_GROW(all->at, all->count, all->cap);
    memset(&all->at[all->count], 0, sizeof *all->at);
    return &all->at[all->count++];
}

/* A peer that this node was told of, unless it is met already. */
static void add_told(void *ctx, const char *peer)
{
    struct meetings *all = ctx;
    struct carnet_target who;
    const char *address;
    bool known;
    if (carnet_dial_parse(all->loop, peer, &who, &known, &address, NULL) != CARNET_OK)
        return;
    for (size_t i = 0; i < all->count; i++)
        if (known ? carnet_id_equal(&all->at[i].who.node, &who.node) : strcmp(all->at[i].told, address) == 0)
            return;
    struct meeting *m = add(all);
    m->who = who;
    m->known = known;
    snprintf(m->told, sizeof m->told, "%s", address);
    m->fixed = true;
}

static carnet_rc whom(struct meetings *all, const char *address, struct carnet_err *err)
{
    carnet_rc rc = carnet_targets_read(all->loop, err);
    if (rc == CARNET_OK && address) {
        struct meeting *m = add(all);
        rc = carnet_dial_parse(all->loop, address, &m->who, &m->known, &m->address, err);
    } else if (rc == CARNET_OK) {
        for (size_t i = 0; i < all->loop->target_count; i++) {
            const struct carnet_target *target = &all->loop->targets[i];
            if (!target->address_count && !carnet_core_met(all->loop->core, &target->node))
                continue;
            struct meeting *m = add(all);
            m->who = *target;
            m->known = true;
        }
        carnet_peers_each(all->loop->home->node.replica, add_told, all);
        for (size_t i = 0; i < all->count; i++) /* the list grows no more, and stays where it is */
            if (all->at[i].fixed)
                all->at[i].address = all->at[i].told;
        if (!all->count) {
            rc = carnet_err_set(err, CARNET_NOT_FOUND, "no other member has said where it can be reached");
            carnet_err_hint(err, "name one: carnet sync tcp://host:port");
        }
    }
    return rc;
}

/* With links of its own when no node runs. */
static carnet_rc with_loop(struct carnet_node *node, carnet_rc (*work)(struct meetings *all, const void *arg, struct carnet_err *err), const void *arg,
                           struct meetings *all, struct carnet_err *err)
{
    struct carnet_home *home = carnet_home_of(node);
    struct carnet_loop *own = NULL;
    carnet_rc rc = home->loop ? CARNET_OK : carnet_loop_new(home, &own, err);
    if (rc == CARNET_OK) {
        all->loop = home->loop;
        rc = work(all, arg, err);
        carnet_loop_free(own);
    }
    free(all->at);
    return rc;
}

static carnet_rc meet_address(struct meetings *all, const void *arg, struct carnet_err *err)
{
    carnet_rc rc = whom(all, arg, err);
    return rc == CARNET_OK ? run(all, err) : rc;
}

carnet_rc carnet_node_sync(struct carnet_node *node, const char *address, bool (*each)(void *ctx, const struct carnet_sync_result *result), void *ctx,
                           struct carnet_err *err)
{
    struct meetings all = { .each = each, .ctx = ctx };
    return with_loop(node, meet_address, address, &all, err);
}

static carnet_rc meet_known(struct meetings *all, const void *arg, struct carnet_err *err)
{
    struct meeting *m = add(all);
    m->who = *(const struct carnet_target *)arg;
    m->known = true;
    m->address = m->who.addresses[0];
    return run(all, err);
}

carnet_rc carnet_meet_one(struct carnet_node *node, const struct carnet_target *who, struct carnet_err *err)
{
    struct meetings all = { 0 };
    return with_loop(node, meet_known, who, &all, err);
}
