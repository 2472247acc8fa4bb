// SPDX-License-Identifier: EUPL-1.2
/* node/core: the sessions of one node over one replica, without sockets: what the event loop and the simulator both run. Layer: node.
 *
 * The order is always: persist, commit, send. Frames that announce something go out after it is durable. */
#ifndef CARNET_NODE_CORE_H
#define CARNET_NODE_CORE_H

#include "carnet/replica/replica.h"

struct carnet_core;
struct carnet_core_ops {
    void *ctx;
    /* OK; AGAIN: the link is full, call carnet_core_writable later (the frame is kept by the core); anything else: the link is gone. */
    carnet_rc (*send)(void *ctx, uint64_t link, struct carnet_slice frame);
    void (*close)(void *ctx, uint64_t link);
    void (*log)(void *ctx, const char *text); /* one line, for stderr or a trace */
};
struct carnet_core *carnet_core_new(struct carnet_replica *replica, const struct carnet_core_ops *ops); /* gives */
void carnet_core_free(struct carnet_core *core);

/* A link is up. curve: the peer's proved transport key (its certificate is looked up; unknown: a stranger, who must show a chain). Frames of a joiner
 * (a one-time key) are answered by carnet_replica_admit and the link is closed. */
void carnet_core_up(struct carnet_core *core, uint64_t link, const struct carnet_box_pk *curve, bool connector);
void carnet_core_frame(struct carnet_core *core, uint64_t link, struct carnet_slice frame);
void carnet_core_down(struct carnet_core *core, uint64_t link);
void carnet_core_writable(struct carnet_core *core, uint64_t link);
/* Something was written here and is durable: push it. Called after each command. */
void carnet_core_written(struct carnet_core *core);
/* Timers: sessions, upkeep, sweep when idle. Call at carnet_core_deadline_ms (monotonic) at the latest. */
void carnet_core_tick(struct carnet_core *core);
int64_t carnet_core_deadline_ms(const struct carnet_core *core);
/* The world failed (full disk, damage): the core stopped writing; the loop ends with this error. NULL: all is well. */
const struct carnet_err *carnet_core_failure(const struct carnet_core *core);

struct carnet_core_peer {
    uint64_t link;
    const struct carnet_cert *cert;   /* NULL: not authenticated yet */
    bool connector, caught_up, closed;
    const char *why;                  /* with closed: English literal */
    struct carnet_sync_stats stats;
    uint64_t pending;
    int64_t up_ms;                    /* monotonic */
};
/* Sessions now open, and for a minute those that ended. */
size_t carnet_core_peers(struct carnet_core *core, struct carnet_core_peer *out, size_t max);
/* When each member was last heard (wall ms, 0 never), kept in the replica's local settings. */
int64_t carnet_core_last_heard_ms(struct carnet_core *core, const struct carnet_id *node);

#endif
