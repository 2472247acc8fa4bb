// SPDX-License-Identifier: EUPL-1.2
/* One turn of everything: links, sessions, timers, commands. Whoever holds a loop turns it: the process that runs, a long command inside it, or a command
 * alone that meets peers. */
#include "node_private.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int64_t carnet_loop_now(const struct carnet_loop *loop)
{
    return carnet_clock_mono_ms(&loop->clock);
}

void carnet_loop_log(struct carnet_loop *loop, const char *fmt, ...)
{
    char text[CARNET_LINE_LEN_MAX_LOG];
    va_list args;
    if (!loop->logs)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    fprintf(stderr, "%s\n", text);
}

/* --- what the core asks --- */

static carnet_rc core_send(void *ctx, uint64_t link, struct carnet_slice frame)
{
    struct carnet_loop *loop = ctx;
    carnet_rc rc = carnet_net_send(loop->net, link, frame);
    bool known = false;
    for (size_t i = 0; i < loop->blocked_count; i++)
        known = known || loop->blocked[i] == link;
    if (rc == CARNET_AGAIN && !known) {
        CARNET_GROW(loop->blocked, loop->blocked_count, loop->blocked_cap);
        loop->blocked[loop->blocked_count++] = link;
    }
    return rc;
}

static void core_close(void *ctx, uint64_t link)
{
    struct carnet_loop *loop = ctx;
    carnet_net_close(loop->net, link);
    carnet_dial_closed(loop, link);
}

static void core_log(void *ctx, const char *text)
{
    carnet_loop_log(ctx, "%s", text);
}

static void breathe(struct carnet_node *node, int64_t wait_ms)
{
    struct carnet_loop *loop = carnet_home_of(node)->loop;
    struct carnet_err err = CARNET_ERR_INIT;
    /* its error is the core's too, and ends the process when the command is done */
    if (loop && !loop->stopping && carnet_loop_turn(loop, wait_ms, &err) != CARNET_OK)
        loop->stopping = true;
}

static bool cancelled(struct carnet_node *node)
{
    struct carnet_loop *loop = carnet_home_of(node)->loop;
    struct pollfd signals = { .fd = loop ? loop->signal_fd : -1, .events = POLLIN };
    if (loop && poll(&signals, 1, 0) == 1)
        loop->stopping = true;
    return loop && (loop->stopping || (loop->control && carnet_control_cancelled(loop->control)));
}

carnet_rc carnet_loop_new(struct carnet_home *home, struct carnet_loop **out, struct carnet_err *err)
{
    struct carnet_loop *loop = carnet_alloc(sizeof *loop);
    struct carnet_core_ops ops = { .ctx = loop, .send = core_send, .close = core_close, .log = core_log };
    struct carnet_net_options options = { .admit = carnet_core_admits };
    *out = NULL;
    loop->home = home;
    loop->clock = carnet_clock_system();
    loop->rng = carnet_rng_system();
    loop->signal_fd = -1;
    loop->core = carnet_core_new(home->node.replica, &ops);
    carnet_box_pair(home->identity.curve, &options.pk, &options.sk);
    options.ctx = loop->core;
    carnet_rc rc = carnet_net_new(&options, &loop->net, err);
    carnet_wipe(&options.sk, sizeof options.sk);
    if (rc != CARNET_OK) {
        carnet_core_free(loop->core);
        free(loop);
        return rc;
    }
    home->loop = loop;
    home->node.net = loop->net;
    home->node.core = loop->core;
    home->node.breathe = breathe;
    home->node.cancelled = cancelled;
    *out = loop;
    return CARNET_OK;
}

void carnet_loop_free(struct carnet_loop *loop)
{
    if (!loop)
        return;
    struct carnet_home *home = loop->home;
    carnet_control_free(loop->control);
    carnet_core_free(loop->core);
    carnet_net_free(loop->net);
    if (loop->signal_fd >= 0)
        close(loop->signal_fd);
    free(loop->blocked);
    free(loop->targets);
    free(loop->dials);
    free(loop);
    home->loop = NULL;
    home->node.net = NULL;
    home->node.core = NULL;
    home->node.listen = NULL;
}

/* --- a turn --- */

static void take_events(struct carnet_loop *loop)
{
    struct carnet_net_event event;
    while (carnet_net_next(loop->net, &event)) {
        if (event.connector && event.type != CARNET_NET_FRAME)
            carnet_dial_event(loop, &event);
        switch (event.type) {
        case CARNET_NET_UP:
            carnet_core_up(loop->core, event.link, &event.peer, event.connector);
            break;
        case CARNET_NET_FRAME:
            carnet_core_frame(loop->core, event.link, event.frame);
            break;
        case CARNET_NET_DOWN:
            carnet_core_down(loop->core, event.link);
            break;
        case CARNET_NET_FAILED:
            break;
        }
    }
}

static void retry_blocked(struct carnet_loop *loop)
{
    size_t count = loop->blocked_count;
    uint64_t *links = loop->blocked;
    if (!count)
        return;
    loop->blocked = NULL;
    loop->blocked_count = loop->blocked_cap = 0;
    for (size_t i = 0; i < count; i++)
        carnet_core_writable(loop->core, links[i]);
    free(links);
}

static int64_t due_ms(const struct carnet_loop *loop)
{
    int64_t due = carnet_core_deadline_ms(loop->core), dials = carnet_dials_due_ms(loop);
    return dials < due ? dials : due;
}

carnet_rc carnet_loop_turn(struct carnet_loop *loop, int64_t wait_ms, struct carnet_err *err)
{
    enum { FDS_MAX = 80 };
    int fds[FDS_MAX];
    short events[FDS_MAX];
    bool ready[FDS_MAX];
    size_t count = 0;
    int64_t now = carnet_loop_now(loop), due = due_ms(loop);
    if (due - now < wait_ms)
        wait_ms = due > now ? due - now : 0;
    if (loop->signal_fd >= 0) {
        fds[count] = loop->signal_fd;
        events[count++] = POLLIN;
    }
    size_t first = count;
    if (loop->control)
        count += carnet_control_fds(loop->control, fds + count, events + count, FDS_MAX - count);
    carnet_rc rc = carnet_net_wait(loop->net, fds, events, ready, count, wait_ms, err);
    if (rc != CARNET_OK)
        return rc;
    if (first && ready[0])
        loop->stopping = true; /* read by nobody: it stays, and the process ends */
    take_events(loop);
    retry_blocked(loop);
    now = carnet_loop_now(loop);
    if (now >= carnet_core_deadline_ms(loop->core))
        carnet_core_tick(loop->core);
    if (now >= carnet_dials_due_ms(loop)) {
        rc = carnet_targets_read(loop, err);
        if (rc == CARNET_OK)
            carnet_dials_check(loop);
    }
    const struct carnet_err *failure = carnet_core_failure(loop->core);
    if (failure && err)
        *err = *failure;
    if (failure)
        return failure->rc;
    bool asked = false;
    for (size_t i = first; i < count; i++)
        asked = asked || ready[i];
    if (rc == CARNET_OK && loop->control) {
        if (asked)
            carnet_control_ready(loop->control);
        if (!loop->stopping)
            carnet_control_run(loop->control);
    }
    return rc;
}
