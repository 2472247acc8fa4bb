// SPDX-License-Identifier: EUPL-1.2
/* A small community in memory: real keys, certificates and entries; nodes that apply what they receive, and a pipe between two of them. All of it
 * is a function of what is called, so that a conversation can be repeated, and cut at any frame. */
#ifndef CARNET_TESTS_SYNC_WORLD_H
#define CARNET_TESTS_SYNC_WORLD_H

#include "carnet/sync/session.h"

enum { WORLD_NODES_MAX = 12, WORLD_WALL_MS = 1700000000 };

struct world_entry {
    int64_t n;
    unsigned lane;
    size_t chain;
    uint64_t seq;
    struct carnet_hash hash;
    uint8_t *ptr;
    size_t len;
    bool wanting; /* lacks parts that its node gets */
};
struct world_chain {
    struct carnet_id book, author;
    uint32_t stream;
    size_t *entries; /* by seq - 1 */
    size_t count, cap;
};
struct world_node {
    struct world *world;
    const char *name;
    struct carnet_sign_pk pk;
    struct carnet_sign_sk sk;
    struct carnet_box_pk curve;
    struct carnet_cert cert;
    struct carnet_authority *authority;
    struct carnet_arena arena;
    uint32_t incarnation;
    uint64_t hlc;
    struct carnet_id books[8];
    size_t book_count;
    struct world_entry *entries;
    size_t entry_count, entry_cap;
    struct world_chain *chains;
    size_t chain_count, chain_cap;
    struct carnet_sync_source source;
    struct carnet_id lent[8];
    const struct carnet_id *poison; /* apply refuses entries of this author in book data */
    uint64_t poison_seq;
    uint64_t reads; /* of entries, through the source */
    bool frozen;    /* apply says what it would do, and does nothing */
};
struct world {
    struct carnet_arena arena;
    struct carnet_slice genesis;
    struct carnet_id community;
    struct carnet_sign_sk root;
    struct carnet_id book[2];
    struct world_node nodes[WORLD_NODES_MAX];
    size_t node_count;
    uint64_t record;
    uint8_t salt;
};
/* Node 0 is the founder, an admin; its charter holds the books. salt: communities of different salts are different. */
void world_init(struct world *world, uint8_t salt);
void world_deinit(struct world *world);
struct world_terms {
    enum carnet_role role;
    uint32_t scopes;
    const struct carnet_id *books;
    size_t book_count;
    int64_t not_after_ms;
    size_t inviter;
};
/* A node certified by its inviter, whose charter says so; its own home holds the genesis and the chain only. */
size_t world_join(struct world *world, const char *name, const struct world_terms *terms);
/* Writes: a contact of identity and e-mail; a withdrawal; a cut of another node at zero. */
void world_write(struct world_node *node, const struct carnet_id *book, unsigned log);
void world_write_large(struct world_node *node, const struct carnet_id *book, size_t len);
void world_cut(struct world_node *node, const struct world_node *whose);
carnet_rc world_apply(struct world_node *node, struct carnet_slice bytes);
/* Everything that one has, given to the other without a session; data: with the data lane. */
void world_copy(const struct world_node *from, struct world_node *to, bool data);
/* Takes parts of a scope away, as if they had never come. */
void world_drop(struct world_node *node, enum carnet_scope scope);
bool world_same(const struct world_node *a, const struct world_node *b, const struct carnet_id *book, unsigned lane);
size_t world_parts(const struct world_node *node, enum carnet_scope scope); /* present ones */
size_t world_wanting(const struct world_node *node);
struct carnet_hash world_digest(const struct world_node *node, const struct carnet_id *book, unsigned lane);

/* Two sessions and what flies between them. */
struct world_frame {
    uint8_t *ptr;
    size_t len;
};
struct world_side {
    struct world_node *node;
    struct carnet_sync *sync;
    struct world_frame *queue; /* frames for this side */
    size_t queue_at, queue_count, queue_cap;
    bool closed, caught_up, authenticated, behind;
    const char *why;
    enum carnet_sync_reason reason;
    bool by_peer;
    unsigned in_flight, in_flight_max; /* frames of entries that this side sent without credit */
    uint64_t bytes;                    /* sent */
    uint64_t entries_sent;
};
struct world_pipe {
    struct world_side side[2]; /* 0 connects */
    struct carnet_buf *trace;  /* NULL: none */
    size_t delivered;
    int64_t mono_ms, wall_ms;
    void (*seen)(void *ctx, unsigned from, struct carnet_slice frame);
    void *seen_ctx;
    /* Changes a frame on its way: what it gives is delivered; valid until it is called again. NULL: none. */
    struct carnet_slice (*change)(void *ctx, unsigned to, struct carnet_slice frame);
    void *change_ctx;
};
void pipe_open(struct world_pipe *pipe, struct world_node *a, struct world_node *b, bool a_knows_b, bool b_knows_a, struct carnet_buf *trace);
/* Delivers frames, one of each side in turn, until nothing flies or `max` were delivered. */
void pipe_run(struct world_pipe *pipe, size_t max);
void pipe_local(struct world_pipe *pipe, unsigned side);
void pipe_inject(struct world_pipe *pipe, unsigned to, struct carnet_slice frame); /* as if the other side had sent it */
void pipe_tick(struct world_pipe *pipe, int64_t ms);
void pipe_close(struct world_pipe *pipe);
bool pipe_quiet(const struct world_pipe *pipe);

#endif
