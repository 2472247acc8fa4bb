// SPDX-License-Identifier: EUPL-1.2
/* What the peer is known to have, by chain. Private to the layer.
 *
 * Only chains that this node holds are added, so what a peer claims cannot make it grow, and authors are hashes of
 * certified keys, so that they spread over the slots by themselves. */
#ifndef CARNET_SYNC_TABLE_H
#define CARNET_SYNC_TABLE_H

#include "frame.h"

struct chain {
    struct carnet_id author;
    uint64_t seq;      /* the peer has it up to here */
    uint64_t head_seq; /* this node's head when the lane began; 0 otherwise */
    uint8_t head_mark[FRAME_MARK_LEN];
    uint32_t stream;
    uint16_t book;     /* index in the session's books */
    bool stopped;      /* forked, or refused by the peer: nothing more of it in this session */
};
struct table {
    struct chain *rows; /* in the order of adding */
    size_t count, cap;
    uint32_t *slots;    /* row + 1; 0: empty */
    size_t slot_count;  /* a power of two */
};
void carnet_table_deinit(struct table *table);
struct chain *carnet_table_find(const struct table *table, size_t book, const struct carnet_id *author, uint32_t stream); /* NULL */
struct chain *carnet_table_get(struct table *table, size_t book, const struct carnet_id *author, uint32_t stream);        /* added when missing */

/* A heap of chains by the arrival number of their next entry: what is sent leaves in the order in which it came. */
struct heap_item {
    int64_t n;
    uint32_t chain; /* row in the table */
};
struct heap {
    struct heap_item *items;
    size_t count, cap;
};
void carnet_heap_deinit(struct heap *heap);
void carnet_heap_push(struct heap *heap, int64_t n, size_t chain);
void carnet_heap_pop(struct heap *heap); /* the smallest, items[0] */

#endif
