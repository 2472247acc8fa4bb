// SPDX-License-Identifier: EUPL-1.2
#include "carnet/crypto/crypto.h"

#include <sodium.h>
#include <string.h>

enum { TAG_PASSES = 1, TAG_MEMORY = 1024 * 1024, TAG_LEN = 16 };

carnet_rc carnet_passphrase_key(struct carnet_slice passphrase, const uint8_t salt[16], struct carnet_key *out)
{
    int rc = crypto_pwhash(out->b, sizeof out->b, (const char *)passphrase.ptr, passphrase.len, salt,
                           crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE, crypto_pwhash_ALG_ARGON2ID13);
    return rc == 0 ? CARNET_OK : CARNET_FAILED;
}

carnet_rc carnet_suppression_tag(const struct carnet_key *key, struct carnet_slice address, uint8_t out[16])
{
    /* Both inputs of Argon2id hang on the key: without it nobody tries addresses, with it each try costs its time. */
    const struct carnet_slice salt_pieces[] = { carnet_slice_str("carnet/1/suppression/salt") };
    const struct carnet_slice pieces[] = { carnet_slice_str("carnet/1/suppression/address"), address };
    struct carnet_key salt = carnet_derive(key, salt_pieces, 1);
    struct carnet_key secret = carnet_derive(key, pieces, 2);
    int rc = crypto_pwhash(out, TAG_LEN, (const char *)secret.b, sizeof secret.b, salt.b, TAG_PASSES, TAG_MEMORY,
                           crypto_pwhash_ALG_ARGON2ID13);
    sodium_memzero(&secret, sizeof secret);
    return rc == 0 ? CARNET_OK : CARNET_FAILED;
}
