// SPDX-License-Identifier: EUPL-1.2
/* Links are ordered and reliable while they are up, as TCP is; they stall, they break with what is on its way, and one end may learn it late. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

struct sim_link *sim_link_find(struct sim *sim, uint64_t number)
{
    for (size_t i = 0; i < sim->link_count; i++)
        if (sim->links[i].number == number)
            return &sim->links[i];
    return NULL;
}

static struct sim_node *end_of(struct sim *sim, const struct sim_link *link, unsigned side)
{
    return link->node[side] == SIM_HOSTILE ? NULL : &sim->nodes[link->node[side]];
}

static void drop(struct sim_way *way)
{
    while (way->head) {
        struct sim_frame *next = way->head->next;
        free(way->head);
        way->head = next;
    }
    way->tail = NULL;
    way->count = 0;
    way->stalled = false;
}

void sim_edge_arm(struct sim *sim, unsigned edge, int64_t in)
{
    if (sim->edges[edge].armed || !sim->edges[edge].wanted)
        return;
    sim->edges[edge].armed = true;
    sim_due(sim, sim->now + in, SIM_CONNECT, edge, 0);
}

static void rearm(struct sim *sim, unsigned edge)
{
    int64_t gap = sim->healing ? 1000 : sim->mix.connect_gap_ms;
    sim_edge_arm(sim, edge, gap / 2 + (int64_t)sim_below(sim, (uint64_t)gap));
}

/* One end is closed already; when both are, nothing is left. */
static void closed(struct sim *sim, uint64_t number)
{
    struct sim_link *link = sim_link_find(sim, number);
    if (!link)
        return;
    if (link->node[0] != SIM_HOSTILE && link->node[1] != SIM_HOSTILE && sim->edges[link->edge].link == number) {
        sim->edges[link->edge].link = 0;
        rearm(sim, link->edge);
    }
    if (link->open[0] || link->open[1])
        return;
    drop(&link->way[0]);
    drop(&link->way[1]);
    *link = sim->links[--sim->link_count];
}

void sim_down(struct sim *sim, uint64_t number, unsigned side)
{
    struct sim_link *link = sim_link_find(sim, number);
    if (!link || !link->open[side])
        return;
    link->open[side] = false;
    struct sim_node *node = end_of(sim, link, side);
    if (node && node->on) {
        carnet_core_down(node->core, number * 2 + side);
        sim_settle(node);
    }
    closed(sim, number);
}

void sim_break(struct sim *sim, uint64_t number)
{
    struct sim_link *link = sim_link_find(sim, number);
    if (!link)
        return;
    unsigned first = (unsigned)sim_below(sim, 2);
    sim_trace(sim, "link n%u-n%u breaks, %zu+%zu frames lost", link->node[0], link->node[1], link->way[0].count, link->way[1].count);
    drop(&link->way[0]);
    drop(&link->way[1]);
    bool late = sim_chance(sim, 300);
    int64_t later = sim->now + (int64_t)sim_below(sim, 30000);
    sim_down(sim, number, first);
    if (late)
        sim_due(sim, later, SIM_DOWN, number, !first);
    else
        sim_down(sim, number, !first);
}

void sim_links_lost(struct sim_node *node)
{
    struct sim *sim = node->sim;
    for (size_t i = sim->link_count; i-- > 0;) {
        struct sim_link *link = &sim->links[i];
        for (unsigned side = 0; side < 2; side++) {
            if (i >= sim->link_count || sim->links[i].node[side] != node->index || !sim->links[i].open[side])
                continue;
            link = &sim->links[i];
            uint64_t number = link->number;
            link->open[side] = false;
            drop(&link->way[!side]);
            /* what it had handed to its system may still arrive */
            if (sim_chance(sim, 500))
                drop(&link->way[side]);
            link->way[side].closing = true;
            if (!link->way[side].count)
                sim_due(sim, sim->now + 1 + (int64_t)sim_below(sim, 20000), SIM_DOWN, number, !side);
            closed(sim, number);
            break;
        }
    }
}

bool sim_linked(const struct sim_node *node)
{
    for (size_t i = 0; i < node->sim->link_count; i++)
        for (unsigned side = 0; side < 2; side++)
            if (node->sim->links[i].node[side] == node->index && node->sim->links[i].open[side])
                return true;
    return false;
}

uint64_t sim_link_new(struct sim *sim, unsigned a, unsigned b, unsigned edge)
{
    CARNET_GROW(sim->links, sim->link_count, sim->link_cap);
    struct sim_link *link = &sim->links[sim->link_count++];
    *link = (struct sim_link){ .number = ++sim->link_next, .node = { a, b }, .open = { true, true }, .edge = edge };
    return link->number;
}

void sim_connect(struct sim *sim, unsigned number)
{
    struct sim_edge *edge = &sim->edges[number];
    struct sim_node *a = &sim->nodes[edge->a], *b = &sim->nodes[edge->b];
    edge->armed = false;
    if (edge->link || !edge->wanted)
        return;
    if (!a->on || !b->on || sim->shut[edge->a][edge->b] || sim->shut[edge->b][edge->a]) {
        rearm(sim, number);
        return;
    }
    if (!carnet_core_admits(b->core, &a->curve) || !carnet_core_admits(a->core, &b->curve)) {
        rearm(sim, number);
        return;
    }
    uint64_t link = sim_link_new(sim, edge->a, edge->b, number);
    edge->link = link;
    sim_trace(sim, "link n%u-n%u up", edge->a, edge->b);
    if (!sim->healing)
        sim_due(sim, sim->now + sim->mix.link_life_ms / 2 + (int64_t)sim_below(sim, (uint64_t)sim->mix.link_life_ms), SIM_BREAK, link, 0);
    carnet_core_up(b->core, link * 2 + 1, &a->curve, false);
    sim_settle(b);
    if (a->on && sim_link_find(sim, link) && sim_link_find(sim, link)->open[0]) {
        carnet_core_up(a->core, link * 2, &b->curve, true);
        sim_settle(a);
    }
}

void sim_push(struct sim *sim, struct sim_link *link, unsigned side, struct carnet_slice bytes)
{
    struct sim_way *way = &link->way[side];
    struct sim_frame *frame = carnet_alloc(sizeof *frame + bytes.len);
    bool tail = !sim->healing && sim_chance(sim, 20);
    int64_t delay = sim->healing ? 1 : tail ? sim_log_uniform(sim, 1000, 20000) : sim_log_uniform(sim, sim->mix.delay_min_ms, sim->mix.delay_max_ms);
    frame->len = bytes.len;
    memcpy(frame->bytes, bytes.ptr, bytes.len);
    frame->due = sim->now + delay > way->last_due ? sim->now + delay : way->last_due;
    way->last_due = frame->due;
    if (way->tail)
        way->tail->next = frame;
    else
        way->head = frame;
    way->tail = frame;
    if (way->count++ == 0)
        sim_due(sim, frame->due, SIM_DELIVER, link->number, side);
}

void sim_deliver(struct sim *sim, uint64_t number, unsigned side)
{
    struct sim_link *link = sim_link_find(sim, number);
    if (!link || !link->way[side].head || link->way[side].head->due > sim->now)
        return;
    struct sim_way *way = &link->way[side];
    if (sim->shut[link->node[side]][link->node[!side]]) {
        way->stalled = true;
        return;
    }
    struct sim_frame *frame = way->head;
    way->head = frame->next;
    way->count--;
    if (way->head)
        sim_due(sim, way->head->due, SIM_DELIVER, number, side);
    else
        way->tail = NULL;
    if (link->open[!side]) {
        struct sim_node *to = end_of(sim, link, !side);
        if (!to) {
            sim_hostile_say(sim, link, !side);
        } else if (to->on) {
            carnet_core_frame(to->core, number * 2 + !side, carnet_slice(frame->bytes, frame->len));
            sim_settle(to);
        }
    }
    free(frame);
    link = sim_link_find(sim, number);
    if (!link)
        return;
    struct sim_node *from = end_of(sim, link, side);
    if (link->way[side].starving && link->way[side].count <= sim->mix.queue_max / 2 && link->open[side] && from && from->on) {
        link->way[side].starving = false;
        carnet_core_writable(from->core, number * 2 + side);
        sim_settle(from);
        link = sim_link_find(sim, number);
    }
    if (link && link->way[side].closing && !link->way[side].count)
        sim_down(sim, number, !side);
}

void sim_unshut(struct sim *sim, unsigned from, unsigned to)
{
    if (!sim->shut[from][to])
        return;
    sim->shut[from][to] = false;
    for (size_t i = 0; i < sim->link_count; i++)
        for (unsigned side = 0; side < 2; side++) {
            struct sim_link *link = &sim->links[i];
            if (link->node[side] == from && link->node[!side] == to && link->way[side].stalled) {
                link->way[side].stalled = false;
                if (link->way[side].head)
                    sim_due(sim, sim->now, SIM_DELIVER, link->number, side);
            }
        }
}

/* --- what the core asks --- */

static carnet_rc core_send(void *ctx, uint64_t id, struct carnet_slice frame)
{
    struct sim_node *node = ctx;
    struct sim *sim = node->sim;
    unsigned side = (unsigned)(id & 1);
    struct sim_link *link = sim_link_find(sim, id / 2);
    if (!node->on || !link || !link->open[side])
        return CARNET_UNREACHABLE;
    struct sim_way *way = &link->way[side];
    if (way->count >= sim->mix.queue_max) {
        way->starving = true;
        return CARNET_AGAIN;
    }
    sim_check_sent(node, link, side, frame);
    sim_capture(sim, frame);
    struct carnet_buf damaged;
    carnet_buf_init(&damaged, 2 * CARNET_FRAME_LEN_MAX);
    if (sim_corrupt(node, frame, &damaged))
        frame = carnet_buf_slice(&damaged);
    sim_push(sim, link, side, frame);
    carnet_buf_deinit(&damaged);
    return CARNET_OK;
}

static void core_close(void *ctx, uint64_t id)
{
    struct sim_node *node = ctx;
    struct sim *sim = node->sim;
    unsigned side = (unsigned)(id & 1);
    struct sim_link *link = sim_link_find(sim, id / 2);
    if (!node->on || !link || !link->open[side])
        return;
    link->open[side] = false;
    link->way[side].closing = true;
    if (!link->way[side].count)
        sim_due(sim, sim->now + 1, SIM_DOWN, link->number, !side);
    closed(sim, link->number);
}

static void core_log(void *ctx, const char *text)
{
    struct sim_node *node = ctx;
    sim_trace(node->sim, "n%u: %s", node->index, text);
}

void sim_core_ops(struct sim_node *node, struct carnet_core_ops *ops)
{
    *ops = (struct carnet_core_ops){ .ctx = node, .send = core_send, .close = core_close, .log = core_log };
}
