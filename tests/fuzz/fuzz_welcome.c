// SPDX-License-Identifier: EUPL-1.2
/* A welcome, from whoever answers at the address of a code: it is the inviter's own, or it is refused and no database is made. The input is the
 * place and the bytes that are written over a true one; without a place it is the whole welcome. */
#include "carnet/replica/replica.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];
static struct carnet_clock_hands hands = { INT64_C(1764000000000), 1000 };
static struct carnet_rng_state state;
static struct carnet_identity guest;
static struct carnet_id community;
static struct carnet_buf welcome;
static struct carnet_replica_env env;

static void forget(void)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

static void prepare(void)
{
    static const uint8_t root[32] = { 1 };
    static const char *const address = "tcp://127.0.0.1:7000";
    static char dir[] = "/tmp/carnet-fuzz-XXXXXX";
    struct carnet_identity host;
    struct carnet_replica *replica = NULL;
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_invite_code code;
    struct carnet_box_pk client;
    struct carnet_box_sk sk;
    struct carnet_buf text, request;
    env = (struct carnet_replica_env){ .clock = carnet_clock_manual(&hands), .rng = carnet_rng_seeded(&state, 7) };
    carnet_buf_init(&text, 4096);
    carnet_buf_init(&request, 4096);
    carnet_buf_init(&welcome, 1 << 16);
    CARNET_ASSERT(carnet_crypto_init(&err) == CARNET_OK && mkdtemp(dir));
    snprintf(path, sizeof path, "%s/db", dir);
    carnet_identity_new(&env.rng, &host);
    carnet_identity_new(&env.rng, &guest);
    CARNET_ASSERT(carnet_replica_found(path, &env, carnet_slice_str("essai"), carnet_slice_str("mairie"), &host, root, &replica, &err) == CARNET_OK);
    const struct carnet_invite_terms terms = { .name = carnet_slice_str("Zoé"), .role = CARNET_ROLE_OFFICE, .code_until_ms = hands.wall_ms + 3600000,
                                               .addresses = &address, .address_count = 1 };
    CARNET_ASSERT(carnet_replica_invite(replica, &terms, &text, &err) == CARNET_OK);
    CARNET_ASSERT(carnet_invite_code_decode(carnet_buf_slice(&text), &code) == CARNET_OK);
    community = code.community;
    carnet_invite_keys(code.secret, &client, &sk);
    carnet_join_request(&guest, carnet_slice_str("portable"), &client, &request);
    CARNET_ASSERT(carnet_replica_admit(replica, &client, carnet_buf_slice(&request), &welcome, &err) == CARNET_OK);
    carnet_replica_close(replica);
    forget();
    carnet_buf_deinit(&text);
    carnet_buf_deinit(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct carnet_replica *replica = NULL;
    struct stat st;
    if (!welcome.len)
        prepare();
    uint8_t *copy = carnet_realloc(NULL, welcome.len + size, 1);
    struct carnet_slice given = carnet_slice(data, size);
    size_t at = size >= 2 ? (size_t)data[0] << 8 | data[1] : SIZE_MAX;
    if (at < welcome.len) {
        size_t len = size - 2 < welcome.len - at ? size - 2 : welcome.len - at;
        memcpy(copy, welcome.ptr, welcome.len);
        memcpy(copy + at, data + 2, len);
        given = carnet_slice(copy, welcome.len);
    }
    carnet_rc rc = carnet_replica_join(path, &env, &guest, &community, given, &replica, NULL);
    if (rc == CARNET_OK)
        CARNET_ASSERT(carnet_slice_equal(given, carnet_buf_slice(&welcome)));
    else
        CARNET_ASSERT(!replica && stat(path, &st) != 0);
    carnet_replica_close(replica);
    forget();
    free(copy);
    return 0;
}
