// SPDX-License-Identifier: EUPL-1.2
#include "carnet/crypto/sealed.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* magic | community | count, 2 bytes | count of (node | boxed key) | commitment to the key | header of the stream */
enum {
    MAGIC_LEN = 16,
    BOX_LEN = 32 + crypto_box_SEALBYTES,
    READER_LEN = 16 + BOX_LEN,
    FIXED_LEN = MAGIC_LEN + 16 + 2,
    TAIL_LEN = 32 + crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    SEALED_LEN = CARNET_SEALED_PIECE_LEN + crypto_secretstream_xchacha20poly1305_ABYTES
};
_Static_assert(CARNET_SEALED_HEAD_LEN_MAX == FIXED_LEN + CARNET_SEALED_READERS_MAX * READER_LEN + TAIL_LEN, "the head's bound");
_Static_assert(sizeof(crypto_secretstream_xchacha20poly1305_state) <= sizeof(((struct carnet_sealed_writer *)0)->opaque), "the stream's state fits");

const char carnet_sealed_magic[17] = "carnet sealed 1\n";

/* XChaCha20-Poly1305 alone would let two keys open one stream, each to another text. */
static struct carnet_key commitment(const struct carnet_key *key, struct carnet_slice head)
{
    const struct carnet_slice pieces[] = { carnet_slice_str("carnet/1/sealed/commitment"), head };
    return carnet_derive(key, pieces, 2);
}

static struct carnet_hash hash_head(const struct carnet_buf *head)
{
    return carnet_hash_of("carnet/1/sealed/head", carnet_buf_slice(head));
}

carnet_rc carnet_sealed_begin(struct carnet_sealed_writer *writer, const struct carnet_key *key, const struct carnet_id *community,
                              const struct carnet_sealed_reader *readers, size_t count)
{
    crypto_secretstream_xchacha20poly1305_state state;
    uint8_t header[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
    const uint8_t number[2] = { (uint8_t)(count >> 8), (uint8_t)count };
    carnet_rc rc = CARNET_OK;
    CARNET_ASSERT(count && count <= CARNET_SEALED_READERS_MAX);
    carnet_buf_init(&writer->piece, CARNET_SEALED_PIECE_LEN);
    carnet_buf_init(&writer->out, SEALED_LEN);
    carnet_buf_append(&writer->out, carnet_sealed_magic, MAGIC_LEN);
    carnet_buf_append(&writer->out, community->b, sizeof community->b);
    carnet_buf_append(&writer->out, number, sizeof number);
    for (size_t i = 0; i < count && !rc; i++) {
        carnet_buf_append(&writer->out, readers[i].node.b, sizeof readers[i].node.b);
        rc = carnet_box_seal(&readers[i].box, carnet_slice(key->b, sizeof key->b), &writer->out);
    }
    if (rc)
        return rc;
    struct carnet_key bound = commitment(key, carnet_buf_slice(&writer->out));
    carnet_buf_append(&writer->out, bound.b, sizeof bound.b);
    crypto_secretstream_xchacha20poly1305_init_push(&state, header, key->b);
    carnet_buf_append(&writer->out, header, sizeof header);
    memcpy(writer->opaque, &state, sizeof state);
    sodium_memzero(&state, sizeof state);
    CARNET_ASSERT(!writer->out.failed);
    writer->head = hash_head(&writer->out);
    return writer->write(writer->ctx, carnet_buf_slice(&writer->out)) ? CARNET_OK : CARNET_CANCELLED;
}

static carnet_rc push(struct carnet_sealed_writer *writer, bool last)
{
    crypto_secretstream_xchacha20poly1305_state state;
    static const uint8_t room[SEALED_LEN];
    memcpy(&state, writer->opaque, sizeof state);
    carnet_buf_clear(&writer->out);
    carnet_buf_append(&writer->out, room, writer->piece.len + crypto_secretstream_xchacha20poly1305_ABYTES);
    crypto_secretstream_xchacha20poly1305_push(&state, writer->out.ptr, NULL, writer->piece.ptr, writer->piece.len, writer->head.b, sizeof writer->head.b,
                                               last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
    memcpy(writer->opaque, &state, sizeof state);
    sodium_memzero(&state, sizeof state);
    carnet_buf_clear(&writer->piece);
    return writer->write(writer->ctx, carnet_buf_slice(&writer->out)) ? CARNET_OK : CARNET_CANCELLED;
}

carnet_rc carnet_sealed_put(struct carnet_sealed_writer *writer, struct carnet_slice bytes)
{
    while (bytes.len) {
        size_t room = CARNET_SEALED_PIECE_LEN - writer->piece.len, len = bytes.len < room ? bytes.len : room;
        carnet_buf_append(&writer->piece, bytes.ptr, len);
        bytes = carnet_slice(bytes.ptr + len, bytes.len - len);
        carnet_rc rc = writer->piece.len == CARNET_SEALED_PIECE_LEN ? push(writer, false) : CARNET_OK;
        if (rc)
            return rc;
    }
    return CARNET_OK;
}

carnet_rc carnet_sealed_end(struct carnet_sealed_writer *writer)
{
    return push(writer, true);
}

void carnet_sealed_free(struct carnet_sealed_writer *writer)
{
    if (writer->piece.ptr)
        sodium_memzero(writer->piece.ptr, writer->piece.cap);
    carnet_buf_deinit(&writer->piece);
    carnet_buf_deinit(&writer->out);
    sodium_memzero(writer->opaque, sizeof writer->opaque);
}

/* --- opening --- */

/* Appends len bytes of the stream to the head. */
static carnet_rc read_head(struct carnet_sealed_opener *opener, struct carnet_buf *head, size_t len)
{
    uint8_t bytes[READER_LEN];
    size_t got = 0;
    CARNET_ASSERT(len <= sizeof bytes);
    if (!opener->read(opener->ctx, bytes, len, &got))
        return CARNET_FAILED;
    carnet_buf_append(head, bytes, got);
    return got == len ? CARNET_OK : CARNET_MALFORMED;
}

static carnet_rc open_key(struct carnet_sealed_opener *opener, const struct carnet_id *node, const struct carnet_box_pk *pk, const struct carnet_box_sk *sk,
                          struct carnet_buf *head, struct carnet_key *key)
{
    struct carnet_buf plain;
    carnet_rc rc = read_head(opener, head, FIXED_LEN);
    if (rc)
        return rc;
    size_t count = (size_t)head->ptr[FIXED_LEN - 2] << 8 | head->ptr[FIXED_LEN - 1];
    if (memcmp(head->ptr, carnet_sealed_magic, MAGIC_LEN) != 0 || count == 0 || count > CARNET_SEALED_READERS_MAX)
        return CARNET_MALFORMED;
    memcpy(opener->head.community.b, head->ptr + MAGIC_LEN, sizeof opener->head.community.b);
    bool found = false;
    carnet_buf_init(&plain, sizeof key->b);
    for (size_t i = 0; i < count && !rc; i++) {
        rc = read_head(opener, head, READER_LEN);
        if (rc)
            break;
        const uint8_t *one = head->ptr + head->len - READER_LEN;
        memcpy(opener->head.nodes[i].b, one, 16);
        opener->head.count = i + 1;
        if (found || !carnet_id_equal(&opener->head.nodes[i], node))
            continue;
        found = true;
        rc = carnet_box_open(pk, sk, carnet_slice(one + 16, BOX_LEN), &plain);
        if (!rc && plain.len != sizeof key->b)
            rc = CARNET_MALFORMED;
        if (!rc)
            memcpy(key->b, plain.ptr, sizeof key->b);
    }
    if (plain.ptr)
        sodium_memzero(plain.ptr, plain.cap);
    carnet_buf_deinit(&plain);
    return rc || found ? rc : CARNET_NOT_FOUND;
}

carnet_rc carnet_sealed_open(struct carnet_sealed_opener *opener, const struct carnet_id *node, const struct carnet_box_pk *pk,
                             const struct carnet_box_sk *sk)
{
    crypto_secretstream_xchacha20poly1305_state state;
    struct carnet_key key = { { 0 } };
    struct carnet_buf head;
    opener->sealed = opener->plain = NULL;
    opener->head.count = opener->plain_at = opener->plain_len = 0;
    opener->last = false;
    carnet_buf_init(&head, CARNET_SEALED_HEAD_LEN_MAX);
    carnet_rc rc = open_key(opener, node, pk, sk, &head, &key);
    if (!rc) {
        struct carnet_key bound = commitment(&key, carnet_buf_slice(&head));
        rc = read_head(opener, &head, TAIL_LEN);
        const uint8_t *tail = head.ptr + head.len - (rc ? 0 : TAIL_LEN);
        if (!rc && !carnet_equal_secret(tail, bound.b, sizeof bound.b))
            rc = CARNET_MALFORMED;
        if (!rc && crypto_secretstream_xchacha20poly1305_init_pull(&state, tail + 32, key.b) != 0)
            rc = CARNET_MALFORMED;
    }
    if (!rc) {
        memcpy(opener->opaque, &state, sizeof state);
        opener->head_hash = hash_head(&head);
        opener->sealed = carnet_alloc(SEALED_LEN);
        opener->plain = carnet_alloc(CARNET_SEALED_PIECE_LEN);
    }
    sodium_memzero(&state, sizeof state);
    sodium_memzero(&key, sizeof key);
    carnet_buf_deinit(&head);
    return rc;
}

static carnet_rc pull(struct carnet_sealed_opener *opener)
{
    crypto_secretstream_xchacha20poly1305_state state;
    unsigned long long len = 0;
    uint8_t tag = 0, more;
    size_t got = 0, beyond = 0;
    if (!opener->read(opener->ctx, opener->sealed, SEALED_LEN, &got))
        return CARNET_FAILED;
    if (got < crypto_secretstream_xchacha20poly1305_ABYTES)
        return CARNET_MALFORMED;
    memcpy(&state, opener->opaque, sizeof state);
    int bad = crypto_secretstream_xchacha20poly1305_pull(&state, opener->plain, &len, &tag, opener->sealed, got, opener->head_hash.b, sizeof opener->head_hash.b);
    memcpy(opener->opaque, &state, sizeof state);
    sodium_memzero(&state, sizeof state);
    opener->last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    /* every piece is full but the last one, behind which there is nothing */
    if (bad || (tag && !opener->last) || (!opener->last && got < SEALED_LEN))
        return CARNET_MALFORMED;
    if (opener->last && got == SEALED_LEN && !opener->read(opener->ctx, &more, 1, &beyond))
        return CARNET_FAILED;
    if (beyond)
        return CARNET_MALFORMED;
    opener->plain_at = 0;
    opener->plain_len = (size_t)len;
    return CARNET_OK;
}

carnet_rc carnet_sealed_get(struct carnet_sealed_opener *opener, uint8_t *out, size_t max, size_t *got)
{
    *got = 0;
    while (opener->plain_at == opener->plain_len) {
        if (opener->last)
            return CARNET_OK;
        carnet_rc rc = pull(opener);
        if (rc)
            return rc;
    }
    *got = opener->plain_len - opener->plain_at < max ? opener->plain_len - opener->plain_at : max;
    memcpy(out, opener->plain + opener->plain_at, *got);
    opener->plain_at += *got;
    return CARNET_OK;
}

void carnet_sealed_close(struct carnet_sealed_opener *opener)
{
    if (opener->plain)
        sodium_memzero(opener->plain, CARNET_SEALED_PIECE_LEN);
    free(opener->plain);
    free(opener->sealed);
    opener->plain = opener->sealed = NULL;
    sodium_memzero(opener->opaque, sizeof opener->opaque);
}
