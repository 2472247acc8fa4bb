// SPDX-License-Identifier: EUPL-1.2
/* Any bytes as an entry: what decodes is written again byte for byte, goes without its parts and gets them back, and can be checked and
 * opened whatever it says. */
#include "../support/log_world.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static bool nothing(void *ctx, const struct carnet_change *change, const struct carnet_part *part)
{
    (void)ctx;
    (void)change;
    (void)part;
    return false;
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

static void open_all(const struct carnet_entry *entry, struct carnet_arena *arena)
{
    static const uint8_t seed[16] = { 1, 1, 1, 1 };
    struct carnet_opener opener = { .ctx = (void *)(uintptr_t)seed, .key = log_key, .wanted = CARNET_SCOPES_ALL };
    for (size_t i = 0; i < entry->change_count; i++) {
        struct carnet_record delta;
        size_t cells = 0;
        for (size_t j = 0; j < entry->changes[i].part_count; j++)
            cells += entry->changes[i].parts[j].cell_count;
        carnet_record_init(&delta);
        carnet_entry_delta(entry, i, &opener, arena, &delta);
        must(delta.live_count <= cells);
        carnet_record_deinit(&delta);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct log_world *world = the_world();
    struct carnet_slice raw = carnet_slice(data, len);
    struct carnet_arena arena;
    struct carnet_entry entry, stripped;
    struct carnet_entry_header peeked;
    struct carnet_hash hash;
    struct carnet_buf bare, full;
    carnet_arena_init(&arena);
    carnet_buf_init(&bare, CARNET_ENTRY_LEN_MAX);
    carnet_buf_init(&full, CARNET_ENTRY_LEN_MAX);
    carnet_rc peek = carnet_entry_peek(raw, &peeked, &hash);
    if (carnet_entry_decode(raw, &arena, &entry) == CARNET_OK) {
        must(peek == CARNET_OK && carnet_hash_equal(&hash, &entry.hash) && carnet_cbor_check(raw) == CARNET_OK);
        carnet_entry_strip(&entry, nothing, NULL, &bare);
        must(carnet_entry_decode(carnet_buf_slice(&bare), &arena, &stripped) == CARNET_OK);
        must(carnet_slice_equal(stripped.header_raw, entry.header_raw) && carnet_hash_equal(&stripped.hash, &entry.hash));
        bool added = carnet_entry_fill(&stripped, &entry, &full);
        must(carnet_slice_equal(carnet_buf_slice(&full), raw) && added == (bare.len != len || !carnet_slice_equal(carnet_buf_slice(&bare), raw)));
        must(carnet_authority_check(world->authority, &entry, NULL) == carnet_authority_check(world->authority, &stripped, NULL));
        open_all(&entry, &arena);
        open_all(&stripped, &arena);
    }
    carnet_buf_deinit(&bare);
    carnet_buf_deinit(&full);
    carnet_arena_deinit(&arena);
    return 0;
}
