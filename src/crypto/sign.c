// SPDX-License-Identifier: EUPL-1.2
#include "carnet/crypto/crypto.h"

#include <sodium.h>
#include <string.h>

void carnet_sign_pair(const uint8_t seed[32], struct carnet_sign_pk *pk, struct carnet_sign_sk *sk)
{
    CARNET_ASSERT(crypto_sign_seed_keypair(pk->b, sk->b, seed) == 0);
}

bool carnet_sign_pk_valid(const struct carnet_sign_pk *pk)
{
    return crypto_core_ed25519_is_valid_point(pk->b) == 1;
}

struct carnet_sig carnet_sign(const struct carnet_sign_sk *sk, struct carnet_slice message)
{
    struct carnet_sig sig;
    CARNET_ASSERT(crypto_sign_detached(sig.b, NULL, message.ptr, message.len, sk->b) == 0);
    return sig;
}

carnet_rc carnet_verify(const struct carnet_sign_pk *pk, struct carnet_slice message, const struct carnet_sig *sig)
{
    return crypto_sign_verify_detached(sig->b, message.ptr, message.len, pk->b) == 0 ? CARNET_OK : CARNET_MALFORMED;
}

void carnet_box_pair(const uint8_t seed[32], struct carnet_box_pk *pk, struct carnet_box_sk *sk)
{
    memcpy(sk->b, seed, sizeof sk->b);
    CARNET_ASSERT(crypto_scalarmult_base(pk->b, sk->b) == 0);
}

carnet_rc carnet_box_seal(const struct carnet_box_pk *to, struct carnet_slice plain, struct carnet_buf *out)
{
    size_t start = out->len;
    static const uint8_t room[crypto_box_SEALBYTES];
    carnet_buf_append(out, room, sizeof room);
    carnet_buf_append_slice(out, plain);
    if (out->failed) {
        out->len = start;
        return CARNET_LIMIT;
    }
    /* -1 when the shared secret would be zero: `to` is a point of small order. */
    if (crypto_box_seal(out->ptr + start, plain.ptr, plain.len, to->b) != 0) {
        out->len = start;
        return CARNET_MALFORMED;
    }
    return CARNET_OK;
}

carnet_rc carnet_box_open(const struct carnet_box_pk *pk, const struct carnet_box_sk *sk, struct carnet_slice boxed,
                          struct carnet_buf *out)
{
    if (boxed.len < crypto_box_SEALBYTES)
        return CARNET_MALFORMED;
    size_t start = out->len;
    size_t len = boxed.len - crypto_box_SEALBYTES;
    carnet_buf_append(out, boxed.ptr, len); /* room only */
    if (out->failed)
        return CARNET_LIMIT;
    uint8_t nothing[1];
    uint8_t *plain = len ? out->ptr + start : nothing;
    if (crypto_box_seal_open(plain, boxed.ptr, boxed.len, pk->b, sk->b) != 0) {
        out->len = start;
        return CARNET_MALFORMED;
    }
    return CARNET_OK;
}
