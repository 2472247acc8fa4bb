// SPDX-License-Identifier: EUPL-1.2
/* A request to join, from anybody who has a one-time key: refused or malformed, nothing changes. */
#include "carnet/replica/replica.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct carnet_replica *found(void)
{
    static struct carnet_clock_hands hands = { INT64_C(1764000000000), 1000 };
    static struct carnet_rng_state state;
    const struct carnet_replica_env env = { .clock = carnet_clock_manual(&hands), .rng = carnet_rng_seeded(&state, 5) };
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    static const uint8_t root[32] = { 1 };
    char dir[] = "/tmp/carnet-fuzz-XXXXXX", path[64];
    struct carnet_identity identity;
    struct carnet_replica *replica = NULL;
    struct carnet_err err = CARNET_ERR_INIT;
    CARNET_ASSERT(carnet_crypto_init(&err) == CARNET_OK && mkdtemp(dir));
    snprintf(path, sizeof path, "%s/db", dir);
    carnet_identity_new(&env.rng, &identity);
    CARNET_ASSERT(carnet_replica_found(path, &env, carnet_slice_str("essai"), carnet_slice_str("mairie"), &identity, root, &replica, &err) == CARNET_OK);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) { /* what is open stays; nothing is left behind */
        snprintf(path, sizeof path, "%s/db%s", dir, ends[i]);
        unlink(path);
    }
    rmdir(dir);
    return replica;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct carnet_replica *replica;
    static const uint8_t secret[16] = { 3 };
    struct carnet_box_pk client;
    struct carnet_box_sk sk;
    struct carnet_buf welcome;
    if (!replica)
        replica = found();
    int64_t last = carnet_replica_last(replica);
    carnet_invite_keys(secret, &client, &sk);
    carnet_buf_init(&welcome, 1 << 16);
    carnet_rc rc = carnet_replica_admit(replica, &client, carnet_slice(data, size), &welcome, NULL);
    CARNET_ASSERT((rc == CARNET_MALFORMED || rc == CARNET_REFUSED) && welcome.len == 0 && carnet_replica_last(replica) == last);
    carnet_buf_deinit(&welcome);
    return 0;
}
