// SPDX-License-Identifier: EUPL-1.2
/* sync/session: what two nodes say to each other, as a pure state machine: frames and time in, frames and entries out. Layer: sync; pure.
 * The socket, the file or the simulator's network is elsewhere; so is the replica, seen through carnet_sync_source. protocol/sync.md describes the frames.
 *
 * hello: version, community, certificate hash, digests. Equal digests and nothing wanted: caught up after one round trip.
 * lanes: 0 the charter, 1 the law of shared books, 2 their data. Per lane: have (heads), entries under credit, done; the next lane begins when this one
 * is done both ways. Caught up, the session stays open and pushes what is committed, whatever the lane.
 * A peer whose certificate is not known, or is cut or expired, gets nothing but the handshake. */
#ifndef CARNET_SYNC_SESSION_H
#define CARNET_SYNC_SESSION_H

#include "carnet/log/authority.h"

enum { CARNET_SYNC_VERSION = 1, CARNET_SYNC_WINDOW = 8 /* frames of entries under way */, CARNET_LANES = 3 };

struct carnet_sync_head {
    struct carnet_id book, author;
    uint32_t stream;
    uint64_t seq;
    struct carnet_hash hash;
};
struct carnet_sync_entry {
    int64_t n;                  /* order of arrival here */
    struct carnet_id book, author;
    uint32_t stream;
    uint64_t seq;
    struct carnet_slice bytes;  /* whole, as stored; valid until the next call of the source */
};
/* What the engine asks of the replica: reads of what is durable. All synchronous, none may fail but by giving nothing. */
struct carnet_sync_source {
    void *ctx;
    const struct carnet_authority *(*authority)(void *ctx);
    const struct carnet_cert *(*self)(void *ctx);
    /* Books held here (the charter not among them), ordered by id. Borrowed until the next call. */
    size_t (*books)(void *ctx, const struct carnet_id **out);
    /* Hash over the heads of the lane's logs of a book (lane 0: the charter, both logs), in order (author, stream); quick, cached. The head of a
     * chain is its last entry that is not void, here and below. */
    struct carnet_hash (*digest)(void *ctx, const struct carnet_id *book, unsigned lane);
    /* Heads of a book's logs in the lane, in order (author, stream); calls each. */
    void (*heads)(void *ctx, const struct carnet_id *book, unsigned lane, void (*each)(void *arg, const struct carnet_sync_head *head), void *arg);
    /* The first entry of the lane (of any book) with n >= from that is not void. false: none. */
    bool (*next)(void *ctx, unsigned lane, int64_t from, struct carnet_sync_entry *out);
    /* The arrival number of the entry (book, author, stream, seq); 0: not here. */
    int64_t (*position)(void *ctx, const struct carnet_id *book, const struct carnet_id *author, uint32_t stream, uint64_t seq);
    int64_t (*last)(void *ctx); /* the largest arrival number that is durable; 0: none */
    /* Entries here that lack parts this node should have, and that `peer` may have; at most max. */
    size_t (*wants)(void *ctx, const struct carnet_cert *peer, struct carnet_sync_head *out, size_t max);
};

enum carnet_sync_event_type {
    CARNET_SYNC_START,   /* the session begins; the side that connected sends the first frame */
    CARNET_SYNC_FRAME,   /* bytes from the peer, hostile */
    CARNET_SYNC_APPLIED, /* the driver has applied update.entries, durably; results in rcs */
    CARNET_SYNC_LOCAL,   /* something new is durable here: push it */
    CARNET_SYNC_TICK     /* time passes; call it at update.deadline_ms at the latest */
};
struct carnet_sync_event {
    enum carnet_sync_event_type type;
    int64_t mono_ms;
    int64_t wall_ms;
    struct carnet_slice frame;
    const carnet_rc *rcs; /* with APPLIED, one per entry of the update it answers */
};
enum { CARNET_SYNC_FRAMES_MAX = 16, CARNET_SYNC_ENTRIES_MAX = 256 };
/* Why a session ended; also the number in the frame BYE. */
enum carnet_sync_reason {
    CARNET_SYNC_REASON_NONE, CARNET_SYNC_REASON_NOISE, CARNET_SYNC_REASON_ORDER, CARNET_SYNC_REASON_VERSION, CARNET_SYNC_REASON_COMMUNITY,
    CARNET_SYNC_REASON_UNKNOWN /* certificate */, CARNET_SYNC_REASON_CUT, CARNET_SYNC_REASON_EXPIRED, CARNET_SYNC_REASON_SLOW /* handshake */,
    CARNET_SYNC_REASON_SILENT, CARNET_SYNC_REASON_LIMIT
};
/* English literal, one line; by_peer: the peer said so with BYE. */
const char *carnet_sync_reason_text(enum carnet_sync_reason reason, bool by_peer);
/* What the driver does, in this order: apply entries in one transaction and commit (then step APPLIED), send frames, close. Slices live until the
 * next step. An update with entries has no frames and does not close; no FRAME may be stepped between it and its APPLIED. */
struct carnet_sync_update {
    struct carnet_slice entries[CARNET_SYNC_ENTRIES_MAX];
    size_t entry_count;
    struct carnet_slice frames[CARNET_SYNC_FRAMES_MAX];
    size_t frame_count;
    bool more;             /* more can be sent at once: step TICK again when the frames are on their way */
    bool close;            /* the session is over */
    const char *why;       /* English literal for logs, with close: the text of reason */
    enum carnet_sync_reason reason;
    bool by_peer;          /* the peer ended it and gave the reason */
    bool authenticated;    /* the peer's certificate is known and in force (stays set) */
    bool caught_up;        /* both sides said so (stays set until something is received or sent) */
    bool behind_own_log;   /* the peer knows more of this node's own log: take a new incarnation before writing (P11) */
    uint32_t behind_incarnation; /* with it: the incarnation that the peer knows more of; nothing to do when the current one is above */
    int64_t deadline_ms;   /* monotonic */
};
struct carnet_sync_stats {
    uint64_t sent_entries, received_entries, refused_entries, sent_bytes, received_bytes, frames;
    uint64_t forks;            /* chains of which the peer has other content than this node: left out */
    uint64_t stopped;          /* chains of which the peer refused an entry: the rest was not sent */
    int64_t peer_wall_skew_ms; /* peer's clock minus ours, at hello */
    bool skew_known;
};

struct carnet_sync; /* one session */
/* peer: the certificate pinned by the transport (copied; NULL: a stranger's key, which must present a chain). connector: this side opened the
 * connection. The source must outlive the session. */
struct carnet_sync *carnet_sync_new(const struct carnet_sync_source *source, const struct carnet_cert *peer, bool connector); /* gives */
/* Before START, of a stranger: the key that the transport verified. The certificate that its chain proves must be of this key; without it no chain is
 * believed, since anybody may repeat somebody else's. */
void carnet_sync_set_key(struct carnet_sync *sync, const struct carnet_box_pk *curve);
void carnet_sync_free(struct carnet_sync *sync);
void carnet_sync_step(struct carnet_sync *sync, const struct carnet_sync_event *event, struct carnet_sync_update *update);
const struct carnet_cert *carnet_sync_peer(const struct carnet_sync *sync); /* NULL until authenticated */
const struct carnet_sync_stats *carnet_sync_stats(const struct carnet_sync *sync);
/* Entries here that the peer is not known to have: for `pending` in status. */
uint64_t carnet_sync_pending(struct carnet_sync *sync);
/* Appends one line about a frame, for traces. */
void carnet_sync_describe(struct carnet_slice frame, struct carnet_buf *out);

#endif
