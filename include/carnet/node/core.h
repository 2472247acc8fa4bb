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
void carnet_core_lang(struct carnet_core *core, enum carnet_lang lang); /* of the lines of the log; English before */

/* May this key open a link? Every key but those of members that are cut: the others are known members, joiners with a one-time key, and strangers,
 * members perhaps, who get a handshake to show a chain of certificates. For carnet_net_options.admit, ctx: the core. */
bool carnet_core_admits(void *ctx, const struct carnet_box_pk *curve);
/* A link is up. curve: the peer's proved transport key (its certificate is looked up; unknown: a stranger, who must show a chain). Frames of a joiner
 * (a one-time key) are answered by carnet_replica_admit and the link is closed. Of two sessions with one node, the one that the smaller node id opened stays,
 * the newer one when both were opened by the same node. */
void carnet_core_up(struct carnet_core *core, uint64_t link, const struct carnet_box_pk *curve, bool connector);
void carnet_core_frame(struct carnet_core *core, uint64_t link, struct carnet_slice frame); /* kept until the next tick, which is due at once */
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
    struct carnet_box_pk curve;
    const struct carnet_cert *cert;   /* NULL: not authenticated yet; until the next call of the core */
    bool connector, caught_up, closed;
    const char *why;                  /* with closed: English literal */
    enum carnet_sync_reason reason;   /* likewise; NONE: the link went down */
    struct carnet_sync_stats stats;
    uint64_t pending;
    int64_t up_ms;                    /* monotonic */
};
/* Sessions now open, and for a minute those that ended. */
size_t carnet_core_peers(struct carnet_core *core, struct carnet_core_peer *out, size_t max);
bool carnet_core_met(const struct carnet_core *core, const struct carnet_id *node); /* a session with it is open and authenticated */
/* When each member was last heard (wall ms, 0 never), kept in the replica's local settings. */
int64_t carnet_core_last_heard_ms(struct carnet_core *core, const struct carnet_id *node);
int64_t carnet_core_heard_ms(struct carnet_replica *replica, const struct carnet_id *node); /* the same from the settings alone, without a core */

/* --- what is said before there is a session: [32, request] by a joiner; [33, welcome] or [34, name of the rc, English text] by the inviter --- */
enum { CARNET_CORE_JOIN = 32, CARNET_CORE_WELCOME, CARNET_CORE_NO };
void carnet_core_join_put(struct carnet_slice request, struct carnet_buf *out); /* a frame */
/* The inviter's answer. OK: welcome borrows from the frame. REFUSED: what says why, in English. MALFORMED: not an answer. */
CARNET_MUST_USE carnet_rc carnet_core_join_answer(struct carnet_slice frame, struct carnet_slice *welcome, char what[200]);

#endif
