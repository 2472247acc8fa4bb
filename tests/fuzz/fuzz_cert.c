// SPDX-License-Identifier: EUPL-1.2
/* Any bytes as a certificate, a chain, a cut, a genesis: what is accepted is found again and encodes to the same bytes;
 * nothing else changes. */
#include "../support/log_world.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static struct log_world *the_world(void)
{
    static struct log_world world;
    static bool ready;
    if (!ready) {
        must(carnet_crypto_init(NULL) == CARNET_OK);
        log_world_init(&world);
        ready = true;
    }
    return &world;
}

static void try_cert(struct log_world *world, struct carnet_slice raw, struct carnet_arena *arena)
{
    struct carnet_cert cert;
    struct carnet_authority *authority = carnet_authority_new(world->genesis);
    carnet_rc rc = carnet_cert_decode(raw, arena, &cert);
    must(carnet_authority_add(authority, world->admin.raw) == CARNET_OK);
    carnet_rc added = carnet_authority_add(authority, raw);
    must(rc == CARNET_OK || added == CARNET_MALFORMED);
    if (rc == CARNET_OK) {
        struct carnet_buf again;
        struct carnet_reader a, b;
        carnet_buf_init(&again, CARNET_FRAME_LEN_MAX);
        carnet_cert_sign(&cert, &world->admin.sk,
                         &again); /* the signature may be another one, the certificate is not */
        carnet_reader_init(&a, raw);
        carnet_reader_init(&b, carnet_buf_slice(&again));
        carnet_reader_array(&a);
        carnet_reader_array(&b);
        must(carnet_slice_equal(carnet_reader_bytes(&a), carnet_reader_bytes(&b)));
        carnet_buf_deinit(&again);
    }
    if (added == CARNET_OK || added == CARNET_CONFLICT)
        must(carnet_authority_find(authority, &cert.hash) != NULL);
    else
        must(carnet_authority_count(authority) == 1);
    carnet_authority_free(authority);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct log_world *world = the_world();
    struct carnet_slice raw = carnet_slice(data, len);
    struct carnet_arena arena;
    struct carnet_cert cert;
    struct carnet_genesis genesis;
    carnet_arena_init(&arena);
    try_cert(world, raw, &arena);
    if (carnet_authority_check_chain(world->authority, raw, &arena, &cert) == CARNET_OK)
        must(carnet_id_equal(&cert.community, &world->community));
    struct carnet_authority *authority = carnet_authority_new(raw);
    must((authority != NULL) == (carnet_genesis_decode(raw, &genesis) == CARNET_OK));
    carnet_authority_free(authority);
    authority = carnet_authority_new(world->genesis);
    must(carnet_authority_add(authority, world->admin.raw) == CARNET_OK &&
         carnet_authority_add(authority, world->office.raw) == CARNET_OK);
    carnet_rc rc = carnet_authority_cut(authority, &world->office.id, &world->admin.cert, raw);
    must(carnet_authority_is_cut(authority, &world->office.id) == (rc == CARNET_OK));
    carnet_authority_free(authority);
    carnet_arena_deinit(&arena);
    return 0;
}
