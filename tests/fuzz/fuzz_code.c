// SPDX-License-Identifier: EUPL-1.2
/* Any text as an invitation code or a recovery key: what is accepted comes back in its one form. */
#include "carnet/log/authority.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static bool ready;
    if (!ready)
        must(carnet_crypto_init(NULL) == CARNET_OK);
    ready = true;
    struct carnet_invite_code code, again;
    struct carnet_buf text;
    uint8_t seed[32], seed_again[32];
    carnet_buf_init(&text, 4096);
    if (carnet_invite_code_decode(carnet_slice(data, len), &code) == CARNET_OK) {
        carnet_invite_code_encode(&code, &text);
        must(carnet_invite_code_decode(carnet_buf_slice(&text), &again) == CARNET_OK &&
             memcmp(&code, &again, sizeof code) == 0);
        carnet_buf_clear(&text);
    }
    if (carnet_recovery_decode(carnet_slice(data, len), seed) == CARNET_OK) {
        carnet_recovery_encode(seed, &text);
        must(carnet_recovery_decode(carnet_buf_slice(&text), seed_again) == CARNET_OK &&
             memcmp(seed, seed_again, sizeof seed) == 0);
    }
    carnet_buf_deinit(&text);
    return 0;
}
