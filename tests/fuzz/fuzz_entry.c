// SPDX-License-Identifier: EUPL-1.2
/* Any bytes as an entry: what decodes is written again byte for byte, goes without its parts and gets them back, and
 * can be checked and opened whatever it says. As hashes and signature keep most bytes out, they are also tried as a
 * leaf, and as the cells of a part, in an entry that is right around them. */
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
    static const uint8_t seed[16] = {1, 1, 1, 1};
    struct carnet_opener opener = {.ctx = (void *)(uintptr_t)seed, .key = log_key, .wanted = CARNET_SCOPES_ALL};
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

static void try_entry(struct log_world *world, struct carnet_slice raw)
{
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
        must(carnet_slice_equal(stripped.header_raw, entry.header_raw) &&
             carnet_hash_equal(&stripped.hash, &entry.hash));
        bool added = carnet_entry_fill(&stripped, &entry, &full);
        must(carnet_slice_equal(carnet_buf_slice(&full), raw) &&
             added == (bare.len != raw.len || !carnet_slice_equal(carnet_buf_slice(&bare), raw)));
        must(carnet_authority_check(world->authority, &entry, NULL) ==
             carnet_authority_check(world->authority, &stripped, NULL));
        open_all(&entry, &arena);
        open_all(&stripped, &arena);
    }
    carnet_buf_deinit(&bare);
    carnet_buf_deinit(&full);
    carnet_arena_deinit(&arena);
}

/* How many parts a leaf says it has; 0 when it is none. */
static size_t part_count(struct carnet_slice leaf)
{
    struct carnet_reader r;
    carnet_reader_init(&r, leaf);
    carnet_reader_array(&r);
    for (int i = 0; i < 4; i++)
        carnet_reader_skip(&r);
    return carnet_reader_array(&r);
}

static void try_around(struct log_world *world, struct carnet_slice leaf, struct carnet_slice part,
                       const struct carnet_id *book)
{
    struct log_world scratch = *world; /* its arena alone is another */
    struct carnet_buf bodies;
    carnet_arena_init(&scratch.arena);
    carnet_buf_init(&bodies, CARNET_ENTRY_LEN_MAX);
    size_t count = part_count(leaf);
    carnet_cbor_put_array(&bodies, count);
    for (size_t i = 0; i < count; i++) {
        if (part.len)
            carnet_cbor_put_bytes(&bodies, part);
        else
            carnet_cbor_put_null(&bodies);
    }
    for (unsigned log = CARNET_LOG_DATA; log <= CARNET_LOG_LAW; log++) {
        struct carnet_entry_header header = log_header(world, &world->admin, book, log, 2);
        struct carnet_slice list = carnet_buf_slice(&bodies);
        try_entry(world, log_craft(&scratch, &header, &world->admin, &leaf, &list, 1));
    }
    carnet_buf_deinit(&bodies);
    carnet_arena_deinit(&scratch.arena);
}

static void try_cells(struct log_world *world, struct carnet_slice cells)
{
    struct carnet_hash hash = carnet_hash_of("carnet/1/part/hash", cells);
    struct carnet_buf leaf;
    struct carnet_id id = log_id(0xb0);
    carnet_buf_init(&leaf, 1000);
    carnet_cbor_put_array(&leaf, 5);
    carnet_cbor_put_id(&leaf, &id);
    carnet_cbor_put_null(&leaf);
    carnet_cbor_put_uint(&leaf, CARNET_KIND_SETTING);
    carnet_cbor_put_array(&leaf, 0);
    carnet_cbor_put_array(&leaf, 1);
    carnet_cbor_put_array(&leaf, 6);
    carnet_cbor_put_uint(&leaf, CARNET_PART_CLEAR);
    for (int i = 0; i < 3; i++)
        carnet_cbor_put_uint(&leaf, 0);
    carnet_cbor_put_hash(&leaf, &hash);
    carnet_cbor_put_array(&leaf, 2);
    carnet_cbor_put_array(&leaf, 0);
    carnet_cbor_put_array(&leaf, 0);
    try_around(world, carnet_buf_slice(&leaf), cells, &world->community);
    carnet_buf_deinit(&leaf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct log_world *world = the_world();
    struct carnet_slice raw = carnet_slice(data, len);
    try_entry(world, raw);
    if (len > 0 && len < 4096 && data[0] == 0x85) {
        try_around(world, raw, CARNET_SLICE_NONE, &world->book);
        try_around(world, raw, CARNET_SLICE_NONE, &world->community);
    }
    if (len > 0 && len < 4096 && data[0] == 0x82)
        try_cells(world, raw);
    return 0;
}
