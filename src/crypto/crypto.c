// SPDX-License-Identifier: EUPL-1.2
#include "carnet/crypto/crypto.h"

#include <sodium.h>
#include <string.h>

/* The base point of Ed25519 plus the point of order two, (0, -1): on the curve, but not on its main subgroup. A libsodium
 * without the fix for CVE-2025-69277 calls it valid. */
static bool mixed_order_is_refused(void)
{
    uint8_t base[32], mixed[32];
    memset(base, 0x66, sizeof base);
    base[0] = 0x58;
    memset(mixed, 0x99, sizeof mixed);
    mixed[0] = 0x95;
    return crypto_core_ed25519_is_valid_point(base) == 1 && crypto_core_ed25519_is_valid_point(mixed) == 0;
}

carnet_rc carnet_crypto_init(struct carnet_err *err)
{
    if (sodium_init() < 0) {
        carnet_err_set(err, CARNET_FAILED, "the cryptographic library libsodium does not start");
        carnet_err_hint(err, "reinstall the package libsodium23");
        return CARNET_FAILED;
    }
    if (!mixed_order_is_refused()) {
        carnet_err_set(err, CARNET_FAILED, "this libsodium has the flaw CVE-2025-69277");
        carnet_err_hint(err, "upgrade the package libsodium23 to 1.0.18-1+deb12u1 or later");
        return CARNET_FAILED;
    }
    return CARNET_OK;
}

void carnet_wipe(void *ptr, size_t len)
{
    sodium_memzero(ptr, len);
}

bool carnet_equal_secret(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}
