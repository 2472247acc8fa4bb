// SPDX-License-Identifier: EUPL-1.2
#include "carnet/crypto/crypto.h"

#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(struct carnet_hasher) >= sizeof(crypto_generichash_state), "the opaque state holds libsodium's");
_Static_assert(_Alignof(struct carnet_hasher) >= _Alignof(crypto_generichash_state), "and is aligned as it wants");

static crypto_generichash_state *state_of(struct carnet_hasher *h)
{
    return (crypto_generichash_state *)(void *)h->opaque;
}

void carnet_hasher_init(struct carnet_hasher *h, const char *domain)
{
    size_t len = strlen(domain);
    /* An empty domain would be the unkeyed hash, shared by everybody. */
    CARNET_ASSERT(len > 0 && len <= crypto_generichash_KEYBYTES_MAX);
    CARNET_ASSERT(crypto_generichash_init(state_of(h), (const uint8_t *)domain, len, sizeof(struct carnet_hash)) == 0);
}

void carnet_hasher_add(struct carnet_hasher *h, const void *ptr, size_t len)
{
    if (len)
        CARNET_ASSERT(crypto_generichash_update(state_of(h), ptr, len) == 0);
}

struct carnet_hash carnet_hasher_done(struct carnet_hasher *h)
{
    struct carnet_hash hash;
    CARNET_ASSERT(crypto_generichash_final(state_of(h), hash.b, sizeof hash.b) == 0);
    return hash;
}

struct carnet_hash carnet_hash_of(const char *domain, struct carnet_slice bytes)
{
    struct carnet_hasher h;
    carnet_hasher_init(&h, domain);
    carnet_hasher_add(&h, bytes.ptr, bytes.len);
    return carnet_hasher_done(&h);
}

struct carnet_key carnet_derive(const struct carnet_key *key, const struct carnet_slice *pieces, size_t count)
{
    struct carnet_key out;
    crypto_generichash_state state;
    CARNET_ASSERT(crypto_generichash_init(&state, key->b, sizeof key->b, sizeof out.b) == 0);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].len)
            CARNET_ASSERT(crypto_generichash_update(&state, pieces[i].ptr, pieces[i].len) == 0);
    CARNET_ASSERT(crypto_generichash_final(&state, out.b, sizeof out.b) == 0);
    sodium_memzero(&state, sizeof state); /* it began with the key */
    return out;
}
