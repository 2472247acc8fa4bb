// SPDX-License-Identifier: EUPL-1.2
#include "carnet/crypto/crypto.h"

#include "carnet/base/limits.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_LEN = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    SMALL_LEN = 1024, /* most parts: opened without asking the heap */
};

/* Associated data are CBOR items, which end themselves: no two pairs (ad, plain) give the same bytes here. */
static void derive_nonce(const struct carnet_key *key, struct carnet_slice ad, struct carnet_slice padded,
                         uint8_t nonce[NONCE_LEN])
{
    const struct carnet_slice pieces[] = { ad, padded };
    struct carnet_key full = carnet_derive(key, pieces, 2);
    memcpy(nonce, full.b, NONCE_LEN);
}

void carnet_seal(const struct carnet_key *key, struct carnet_slice ad, struct carnet_slice plain, struct carnet_buf *out)
{
    static const uint8_t pad[CARNET_PAD_LEN] = { 0x80 };
    static const uint8_t room[NONCE_LEN] = { 0 };
    size_t start = out->len;
    carnet_buf_append(out, room, NONCE_LEN);
    carnet_buf_append_slice(out, plain);
    carnet_buf_append(out, pad, CARNET_PAD_LEN - plain.len % CARNET_PAD_LEN);
    carnet_buf_append(out, room, TAG_LEN);
    if (out->failed) {
        if (out->len > start)
            sodium_memzero(out->ptr + start, out->len - start);
        out->len = start;
        return;
    }
    uint8_t *nonce = out->ptr + start;
    uint8_t *text = nonce + NONCE_LEN;
    size_t len = out->len - start - NONCE_LEN - TAG_LEN;
    derive_nonce(key, ad, carnet_slice(text, len), nonce);
    CARNET_ASSERT(crypto_aead_xchacha20poly1305_ietf_encrypt(text, NULL, text, len, ad.ptr, ad.len, NULL, nonce, key->b) == 0);
}

/* Length without the padding, or SIZE_MAX when it is not 0x80 00.. within the last CARNET_PAD_LEN bytes. */
static size_t unpadded_len(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < CARNET_PAD_LEN; i++) {
        uint8_t byte = text[len - 1 - i];
        if (byte == 0x80)
            return len - 1 - i;
        if (byte != 0)
            break;
    }
    return SIZE_MAX;
}

carnet_rc carnet_open(const struct carnet_key *key, struct carnet_slice ad, struct carnet_slice sealed, struct carnet_buf *out)
{
    if (sealed.len < NONCE_LEN + CARNET_PAD_LEN + TAG_LEN || (sealed.len - NONCE_LEN - TAG_LEN) % CARNET_PAD_LEN != 0)
        return CARNET_MALFORMED;
    carnet_rc rc = CARNET_MALFORMED;
    uint8_t small[SMALL_LEN];
    size_t len = sealed.len - NONCE_LEN - TAG_LEN;
    uint8_t *text = len <= sizeof small ? small : carnet_realloc(NULL, len, 1);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(text, NULL, NULL, sealed.ptr + NONCE_LEN, sealed.len - NONCE_LEN,
                                                   ad.ptr, ad.len, sealed.ptr, key->b) != 0)
        goto out;
    uint8_t nonce[NONCE_LEN];
    derive_nonce(key, ad, carnet_slice(text, len), nonce);
    size_t plain_len = unpadded_len(text, len);
    if (memcmp(nonce, sealed.ptr, NONCE_LEN) != 0 || plain_len == SIZE_MAX)
        goto out;
    carnet_buf_append(out, text, plain_len);
    rc = out->failed ? CARNET_LIMIT : CARNET_OK;
out:
    sodium_memzero(text, len);
    if (text != small)
        free(text);
    return rc;
}
