// SPDX-License-Identifier: EUPL-1.2
/* The frames of a session, protocol/sync.md, as bytes. Private to the layer. */
#ifndef CARNET_SYNC_FRAME_H
#define CARNET_SYNC_FRAME_H

#include "carnet/sync/session.h"
#include "carnet/wire/cbor.h"

enum frame_type {
    FRAME_HELLO = 1, FRAME_BOOKS, FRAME_CHAIN, FRAME_HAVE, FRAME_ENTRIES, FRAME_DONE, FRAME_CREDIT, FRAME_WANT, FRAME_GONE,
    FRAME_BYE, FRAME_STOP
};
enum {
    FRAME_DIGEST_LEN = 16,     /* of the digests in hello and books: half of the hash */
    FRAME_MARK_LEN = 8,        /* of a head's hash in have: tells a fork, proves nothing */
    FRAME_ROWS_MAX = 1400,     /* rows of a have: about 50 KiB, and 7,000 items */
    FRAME_WANTS_MAX = 256,     /* rows of want, gone and stop */
    FRAME_FILL_MAX = 60 * 1024 /* entries are added to a frame up to here */
};
/* What stands in a frame before its rows; the reader then stands at the first row. */
struct frame {
    enum frame_type type;
    struct carnet_reader r;
    size_t rows;
    uint64_t version;           /* hello; with another version nothing else is filled in */
    struct carnet_id community; /* hello */
    struct carnet_id cert;      /* hello */
    int64_t wall_ms;            /* hello */
    uint64_t wants;             /* hello, books */
    bool bare;                  /* hello without digests */
    uint8_t charter[FRAME_DIGEST_LEN];
    struct carnet_slice chain;
    unsigned lane;              /* have, done */
    struct carnet_id book;      /* have */
    bool more;                  /* have */
    uint64_t number;            /* credit: frames; bye: reason */
};
struct frame_book {
    struct carnet_id id;
    uint8_t digest[2][FRAME_DIGEST_LEN]; /* law, data */
};
struct frame_place {
    struct carnet_id book, author;
    uint32_t stream;
    uint64_t seq;
};
struct frame_head {
    struct carnet_id author;
    uint32_t stream;
    uint64_t seq;
    uint8_t mark[FRAME_MARK_LEN];
};
/* Reads a whole frame but its rows. false: not a frame. */
bool carnet_frame_open(struct frame *f, struct carnet_slice bytes);
/* The next row; check carnet_frame_done after the last. */
void carnet_frame_book(struct frame *f, struct frame_book *out);
void carnet_frame_place(struct frame *f, struct frame_place *out);
void carnet_frame_head(struct frame *f, struct frame_head *out);
struct carnet_slice carnet_frame_entry(struct frame *f);
bool carnet_frame_done(const struct frame *f);

void carnet_frame_put_book(struct carnet_buf *out, const struct frame_book *book);
void carnet_frame_put_place(struct carnet_buf *out, const struct frame_place *place);
void carnet_frame_put_head(struct carnet_buf *out, const struct frame_head *head);

#endif
