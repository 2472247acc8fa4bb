// SPDX-License-Identifier: EUPL-1.2
/* Whom this node connects to: the peers it was told of, and, when it runs, every member that has an address. */
#include "node_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- who is where --- */

struct reading {
    struct carnet_loop *loop;
    struct carnet_id self;
    struct carnet_target *all;
    size_t count, cap;
};

static bool read_member(void *ctx, const struct carnet_member *member)
{
    struct reading *reading = ctx;
    if (member->cut || member->expired || carnet_id_equal(&member->cert->node, &reading->self))
        return true;
    CARNET_GROW(reading->all, reading->count, reading->cap);
    struct carnet_target *target = &reading->all[reading->count++];
    memset(target, 0, sizeof *target);
    target->node = member->cert->node;
    target->curve = member->cert->curve;
    snprintf(target->name, sizeof target->name, "%s", member->node[0] ? member->node : member->member);
    for (size_t i = 0; i < member->address_count; i++)
        if (carnet_net_address_valid(member->addresses[i]))
            memcpy(target->addresses[target->address_count++], member->addresses[i], sizeof target->addresses[0]);
    return true;
}

carnet_rc carnet_targets_read(struct carnet_loop *loop, struct carnet_err *err)
{
    struct carnet_replica *replica = loop->home->node.replica;
    struct carnet_sync_source source = carnet_replica_source(replica);
    struct carnet_hash charter = source.digest(source.ctx, carnet_authority_community(carnet_replica_authority(replica)), 0);
    int64_t now = carnet_loop_now(loop);
    if (loop->charter_known && carnet_hash_equal(&charter, &loop->charter) && now - loop->targets_ms < CARNET_TARGETS_CHECK_MS)
        return CARNET_OK;
    struct reading reading = { .loop = loop, .self = carnet_replica_self(replica)->node };
    carnet_rc rc = carnet_replica_members(replica, read_member, &reading, err);
    if (rc != CARNET_OK) {
        free(reading.all);
        return rc;
    }
    free(loop->targets);
    loop->targets = reading.all;
    loop->target_count = reading.count;
    loop->charter = charter;
    loop->charter_known = true;
    loop->targets_ms = now;
    return CARNET_OK;
}

static const struct carnet_target *target_of(const struct carnet_loop *loop, const struct carnet_id *node)
{
    for (size_t i = 0; i < loop->target_count; i++)
        if (carnet_id_equal(&loop->targets[i].node, node))
            return &loop->targets[i];
    return NULL;
}

static const struct carnet_target *target_at(const struct carnet_loop *loop, const char *address)
{
    for (size_t i = 0; i < loop->target_count; i++)
        for (size_t j = 0; j < loop->targets[i].address_count; j++)
            if (strcmp(loop->targets[i].addresses[j], address) == 0)
                return &loop->targets[i];
    return NULL;
}

carnet_rc carnet_dial_parse(struct carnet_loop *loop, const char *text, struct carnet_target *who, bool *named, const char **address, struct carnet_err *err)
{
    const char *at = strrchr(text, '@');
    *address = at ? at + 1 : text;
    *named = false;
    memset(who, 0, sizeof *who);
    if (!carnet_net_address_valid(*address)) {
        carnet_err_set(err, CARNET_USAGE, "not an address: %s", text);
        carnet_err_hint(err, "write it as tcp://host:port or NAME@tcp://host:port");
        return CARNET_USAGE;
    }
    if (at) {
        struct carnet_member member;
        carnet_rc rc = carnet_replica_member_find(loop->home->node.replica, carnet_slice(text, (size_t)(at - text)), &member, err);
        if (rc != CARNET_OK)
            return rc;
        who->node = member.cert->node;
        who->curve = member.cert->curve;
        snprintf(who->name, sizeof who->name, "%s", member.node[0] ? member.node : member.member);
        *named = true;
        return CARNET_OK;
    }
    const struct carnet_target *known = target_at(loop, *address);
    if (known) {
        *who = *known;
        *named = true;
    }
    return CARNET_OK;
}

/* --- the peers that this node was told of --- */

enum { PEER_LEN_MAX = CARNET_NAME_LEN_MAX + 1 + CARNET_NET_ADDRESS_LEN_MAX };
static const char peers_setting[] = "connect";

static const char *address_in(const char *peer)
{
    const char *at = strrchr(peer, '@');
    return at ? at + 1 : peer;
}

void carnet_peers_each(struct carnet_replica *replica, void (*each)(void *ctx, const char *peer), void *ctx)
{
    struct carnet_buf list;
    carnet_buf_init(&list, CARNET_PEERS_MAX * (PEER_LEN_MAX + 1));
    if (carnet_replica_local_get(replica, peers_setting, &list, NULL) == CARNET_OK) {
        char *text = carnet_strdup_slice(carnet_buf_slice(&list)), *rest = text;
        for (char *line; (line = strsep(&rest, "\n")) && rest;)
            each(ctx, line);
        free(text);
    }
    carnet_buf_deinit(&list);
}

struct remembering {
    struct carnet_buf list;
    const char *const *peers;
    size_t count, kept;
};

static void keep_old(void *ctx, const char *peer)
{
    struct remembering *r = ctx;
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(address_in(peer), address_in(r->peers[i])) == 0)
            return;
    if (r->kept >= CARNET_PEERS_MAX)
        return;
    carnet_buf_printf(&r->list, "%s\n", peer);
    r->kept++;
}

carnet_rc carnet_peers_remember(struct carnet_replica *replica, const char *const *peers, size_t count, struct carnet_err *err)
{
    struct remembering r = { .peers = peers, .count = count };
    carnet_rc rc = CARNET_OK;
    if (count > CARNET_PEERS_MAX)
        return carnet_err_set(err, CARNET_USAGE, "too many addresses after --connect");
    carnet_buf_init(&r.list, CARNET_PEERS_MAX * (PEER_LEN_MAX + 1));
    for (size_t i = 0; i < count && rc == CARNET_OK; i++) {
        if (strlen(peers[i]) > PEER_LEN_MAX || strchr(peers[i], '\n'))
            rc = carnet_err_set(err, CARNET_USAGE, "not an address: %s", peers[i]);
        carnet_buf_printf(&r.list, "%s\n", peers[i]);
        r.kept++;
    }
    carnet_peers_each(replica, keep_old, &r);
    if (rc == CARNET_OK)
        rc = carnet_replica_local_put(replica, peers_setting, carnet_buf_slice(&r.list), err);
    carnet_buf_deinit(&r.list);
    return rc;
}

/* --- dials --- */

struct carnet_dial *carnet_dial_find(struct carnet_loop *loop, uint64_t id)
{
    for (size_t i = 0; i < loop->dial_count; i++)
        if (loop->dials[i].id == id)
            return &loop->dials[i];
    return NULL;
}

static struct carnet_dial *dial_of_link(struct carnet_loop *loop, uint64_t link)
{
    for (size_t i = 0; link && i < loop->dial_count; i++)
        if (loop->dials[i].link == link)
            return &loop->dials[i];
    return NULL;
}

static struct carnet_dial *dial_new(struct carnet_loop *loop)
{
    CARNET_GROW(loop->dials, loop->dial_count, loop->dial_cap);
    struct carnet_dial *dial = &loop->dials[loop->dial_count++];
    memset(dial, 0, sizeof *dial);
    dial->id = ++loop->dial_last;
    return dial;
}

static void pick_candidate(struct carnet_loop *loop, struct carnet_dial *dial)
{
    if (dial->candidate < loop->target_count) {
        dial->node = loop->targets[dial->candidate].node;
        dial->curve = loop->targets[dial->candidate].curve;
    } else {
        /* nobody to expect there: our own key at least tells whether somebody answers */
        memset(&dial->node, 0, sizeof dial->node);
        carnet_box_pair(loop->home->identity.curve, &dial->curve, &(struct carnet_box_sk){ 0 });
    }
}

uint64_t carnet_dial_ask(struct carnet_loop *loop, const struct carnet_target *who, const char *address, bool *made)
{
    loop->dials_ms = 0;
    *made = false;
    for (size_t i = 0; i < loop->dial_count; i++) {
        struct carnet_dial *dial = &loop->dials[i];
        if ((address && strcmp(dial->address, address) != 0) || (who ? !carnet_id_equal(&dial->node, &who->node) : !dial->open))
            continue;
        dial->failures = dial->rounds = 0;
        dial->next_ms = 0;
        if (dial->link)
            carnet_net_retry(loop->net, dial->link);
        return dial->id;
    }
    struct carnet_dial *dial = dial_new(loop);
    snprintf(dial->address, sizeof dial->address, "%s", address ? address : who->addresses[0]);
    dial->asked = true;
    dial->fixed = address != NULL;
    dial->open = !who;
    if (who) {
        dial->node = who->node;
        dial->curve = who->curve;
    } else {
        pick_candidate(loop, dial);
    }
    *made = true;
    return dial->id;
}

static void hang_up(struct carnet_loop *loop, struct carnet_dial *dial)
{
    uint64_t link = dial->link;
    dial->link = 0;
    if (link) {
        carnet_core_down(loop->core, link);
        carnet_net_close(loop->net, link);
    }
}

void carnet_dial_drop(struct carnet_loop *loop, uint64_t id)
{
    struct carnet_dial *dial = carnet_dial_find(loop, id);
    if (!dial)
        return;
    hang_up(loop, dial);
    dial = carnet_dial_find(loop, id);
    *dial = loop->dials[--loop->dial_count];
}

static void later(struct carnet_loop *loop, struct carnet_dial *dial)
{
    dial->pause_ms = dial->pause_ms ? dial->pause_ms * 2 : CARNET_DIAL_PAUSE_MS;
    if (dial->pause_ms > CARNET_DIAL_PAUSE_MS_MAX)
        dial->pause_ms = CARNET_DIAL_PAUSE_MS_MAX;
    dial->next_ms = carnet_loop_now(loop) + dial->pause_ms / 2 + (int64_t)carnet_rng_below(&loop->rng, (uint64_t)dial->pause_ms);
}

/* The next of several candidates, or of several addresses. */
static void failed(struct carnet_loop *loop, struct carnet_dial *dial)
{
    if (dial->open && !dial->met && dial->failure == CARNET_NET_OTHER_KEY) {
        hang_up(loop, dial);
        dial->next_ms = 0;
        if (++dial->candidate >= loop->target_count) {
            dial->rounds++;
            dial->candidate = 0;
            later(loop, dial);
        }
        pick_candidate(loop, dial);
        loop->dials_ms = 0;
        return;
    }
    const struct carnet_target *target = dial->fixed ? NULL : target_of(loop, &dial->node);
    if (target && target->address_count > 1) {
        hang_up(loop, dial);
        dial->turn = (dial->turn + 1) % target->address_count;
        memcpy(dial->address, target->addresses[dial->turn], sizeof dial->address);
        if (dial->turn == 0)
            later(loop, dial);
        loop->dials_ms = 0;
    }
}

void carnet_dial_event(struct carnet_loop *loop, const struct carnet_net_event *event)
{
    struct carnet_dial *dial = dial_of_link(loop, event->link);
    if (!dial)
        return;
    switch (event->type) {
    case CARNET_NET_UP:
        dial->up_ms = carnet_loop_now(loop);
        dial->failures = 0;
        dial->met = true;
        break;
    case CARNET_NET_FAILED:
        dial->failures++;
        dial->failure = event->failure;
        failed(loop, dial);
        break;
    case CARNET_NET_DOWN:
    case CARNET_NET_FRAME:
        break;
    }
}

void carnet_dial_closed(struct carnet_loop *loop, uint64_t link)
{
    struct carnet_dial *dial = dial_of_link(loop, link);
    if (!dial)
        return;
    dial->link = 0;
    if (carnet_loop_now(loop) - dial->up_ms > CARNET_DIAL_PAUSE_MS_MAX)
        dial->pause_ms = 0;
    later(loop, dial);
}

/* Keeps one dial for each target with an address. */
static void follow_charter(struct carnet_loop *loop)
{
    for (size_t i = 0; i < loop->dial_count; i++)
        loop->dials[i].wanted = loop->dials[i].asked;
    for (size_t i = 0; i < loop->target_count; i++) {
        const struct carnet_target *target = &loop->targets[i];
        struct carnet_dial *dial = NULL;
        for (size_t j = 0; j < loop->dial_count && !dial; j++)
            if (carnet_id_equal(&loop->dials[j].node, &target->node))
                dial = &loop->dials[j];
        if (!target->address_count || (!dial && loop->dial_count >= CARNET_DIALS_MAX))
            continue;
        if (!dial) {
            dial = dial_new(loop);
            dial->node = target->node;
        }
        dial->wanted = true;
        dial->curve = target->curve;
        if (!dial->fixed && !dial->link)
            memcpy(dial->address, target->addresses[dial->turn % target->address_count], sizeof dial->address);
    }
    for (size_t i = loop->dial_count; i-- > 0;)
        if (!loop->dials[i].wanted)
            carnet_dial_drop(loop, loop->dials[i].id);
}

void carnet_dials_check(struct carnet_loop *loop)
{
    int64_t now = carnet_loop_now(loop);
    loop->dials_ms = now + CARNET_DIAL_CHECK_MS;
    if (loop->keeps)
        follow_charter(loop);
    for (size_t i = 0; i < loop->dial_count; i++) {
        struct carnet_dial *dial = &loop->dials[i];
        if (dial->link || now < dial->next_ms || (dial->met && carnet_core_met(loop->core, &dial->node)) ||
            (!dial->open && carnet_core_met(loop->core, &dial->node)))
            continue;
        if (carnet_net_connect(loop->net, dial->address, &dial->curve, NULL, NULL, &dial->link, NULL) != CARNET_OK) {
            dial->link = 0;
            later(loop, dial);
        } else {
            dial->last_link = dial->link;
        }
    }
}

int64_t carnet_dials_due_ms(const struct carnet_loop *loop)
{
    return loop->keeps || loop->dial_count ? loop->dials_ms : INT64_MAX;
}
