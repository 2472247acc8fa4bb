// SPDX-License-Identifier: EUPL-1.2
/* Any bytes as a sealed file, by a node to which some of the corpus are sealed (seed 1, node 1): bounded, whole or refused. */
#include "carnet/crypto/sealed.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool take(void *ctx, uint8_t *out, size_t max, size_t *got)
{
    struct carnet_slice *rest = ctx;
    *got = rest->len < max ? rest->len : max;
    if (*got)
        memcpy(out, rest->ptr, *got);
    *rest = carnet_slice(rest->ptr + *got, rest->len - *got);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t seed[32] = { 1 };
    static const struct carnet_id node = { { 1 } };
    static bool begun;
    struct carnet_slice rest = carnet_slice(data, len);
    struct carnet_sealed_opener opener = { .read = take, .ctx = &rest };
    struct carnet_box_pk pk;
    struct carnet_box_sk sk;
    uint8_t some[777];
    size_t got = 1, all = 0;
    if (!begun && carnet_crypto_init(NULL))
        abort();
    begun = true;
    carnet_box_pair(seed, &pk, &sk);
    carnet_rc rc = carnet_sealed_open(&opener, &node, &pk, &sk);
    if (rc && rc != CARNET_MALFORMED && rc != CARNET_NOT_FOUND)
        abort();
    if (rc == CARNET_NOT_FOUND && (opener.head.count == 0 || opener.head.count > CARNET_SEALED_READERS_MAX))
        abort();
    while (!rc && got) {
        rc = carnet_sealed_get(&opener, some, sizeof some, &got);
        all += rc ? 0 : got;
        if ((rc && rc != CARNET_MALFORMED) || all > len)
            abort();
    }
    if (!rc && rest.len) /* at its end, and yet there is more */
        abort();
    carnet_sealed_close(&opener);
    return 0;
}
