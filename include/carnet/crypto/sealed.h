// SPDX-License-Identifier: EUPL-1.2
/* crypto/sealed: a stream of bytes of any length, sealed for some nodes of a community: exports. Layer: crypto; sees only base.
 *
 * protocol/export.md has the bytes. The stream's key is boxed to each reader (crypto_box_seal); pieces of 64 KiB follow, sealed by
 * crypto_secretstream_xchacha20poly1305, all bound to the head, so that nothing can be taken away, put in another order or cut off. */
#ifndef CARNET_CRYPTO_SEALED_H
#define CARNET_CRYPTO_SEALED_H

#include "carnet/crypto/crypto.h"

enum {
    CARNET_SEALED_READERS_MAX = 64,
    CARNET_SEALED_PIECE_LEN = 64 * 1024,
    CARNET_SEALED_HEAD_LEN_MAX = 16 + 16 + 2 + CARNET_SEALED_READERS_MAX * (16 + 80) + 32 + 24
};
/* The first 16 bytes of such a stream. */
extern const char carnet_sealed_magic[17];

struct carnet_sealed_reader {
    struct carnet_id node;
    struct carnet_box_pk box;
};
struct carnet_sealed_writer {
    _Alignas(16) uint8_t opaque[64];
    struct carnet_hash head;
    struct carnet_buf piece, out;
    bool (*write)(void *ctx, struct carnet_slice bytes); /* false: the stream cannot be written */
    void *ctx;
};
/* Writes the head. key: 32 random bytes, for this stream alone; it may be wiped then. CANCELLED: write said no. MALFORMED: a reader's key is none. */
CARNET_MUST_USE carnet_rc carnet_sealed_begin(struct carnet_sealed_writer *writer, const struct carnet_key *key, const struct carnet_id *community,
                                              const struct carnet_sealed_reader *readers, size_t count);
CARNET_MUST_USE carnet_rc carnet_sealed_put(struct carnet_sealed_writer *writer, struct carnet_slice bytes);
CARNET_MUST_USE carnet_rc carnet_sealed_end(struct carnet_sealed_writer *writer); /* the last piece: without it the stream is cut short */
void carnet_sealed_free(struct carnet_sealed_writer *writer); /* wipes; also after a failed begin */

struct carnet_sealed_head {
    struct carnet_id community;
    struct carnet_id nodes[CARNET_SEALED_READERS_MAX]; /* for whom */
    size_t count;
};
struct carnet_sealed_opener {
    _Alignas(16) uint8_t opaque[64];
    struct carnet_sealed_head head;
    struct carnet_hash head_hash;
    uint8_t *sealed, *plain;
    size_t plain_at, plain_len;
    bool last;
    bool (*read)(void *ctx, uint8_t *out, size_t max, size_t *got); /* false: reading failed; got < max: the end */
    void *ctx;
};
/* Reads the head; head is good from NOT_FOUND on. FAILED: read said no. MALFORMED: not such a stream, damaged. NOT_FOUND: it is for other nodes. */
CARNET_MUST_USE carnet_rc carnet_sealed_open(struct carnet_sealed_opener *opener, const struct carnet_id *node, const struct carnet_box_pk *pk,
                                             const struct carnet_box_sk *sk);
/* The next bytes; *got 0: the stream is whole and at its end. MALFORMED: damaged or cut short here; what came before was the writer's. FAILED. */
CARNET_MUST_USE carnet_rc carnet_sealed_get(struct carnet_sealed_opener *opener, uint8_t *out, size_t max, size_t *got);
void carnet_sealed_close(struct carnet_sealed_opener *opener); /* wipes; also after a failed open */

#endif
