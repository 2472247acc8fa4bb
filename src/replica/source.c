// SPDX-License-Identifier: EUPL-1.2
/* What sessions ask: what is durable here, in order of arrival, without what is void. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const struct carnet_authority *source_authority(void *ctx)
{
    return carnet_replica_authority(ctx);
}

static const struct carnet_cert *source_self(void *ctx)
{
    return carnet_replica_self(ctx);
}

static size_t source_books(void *ctx, const struct carnet_id **out)
{
    const struct carnet_replica *replica = ctx;
    *out = replica->held;
    return replica->held_count;
}

struct heads_ctx {
    struct carnet_replica *replica;
    const struct carnet_id *book;
    unsigned lane;
    struct carnet_stream **at;
    size_t count, cap;
};

static bool add_head(void *ctx, const struct carnet_stream_row *row)
{
    struct heads_ctx *heads = ctx;
    unsigned log = row->stream % 2;
    struct carnet_stream *stream = carnet_streams_at(&heads->replica->streams, row->n);
    bool in_lane = heads->lane == 0 || log == (heads->lane == 1 ? CARNET_LOG_LAW : CARNET_LOG_DATA);
    if (!stream || !in_lane || carnet_stream_standing(stream) == 0)
        return true;
    CARNET_GROW(heads->at, heads->count, heads->cap);
    heads->at[heads->count++] = stream;
    return true;
}

static void source_heads(void *ctx, const struct carnet_id *book, unsigned lane, void (*each)(void *arg, const struct carnet_sync_head *head), void *arg)
{
    struct carnet_replica *replica = ctx;
    struct heads_ctx heads = { .replica = replica, .book = lane == 0 ? &replica->community : book, .lane = lane };
    if (carnet_store_streams(replica->store, heads.book, add_head, &heads, NULL) == CARNET_OK) {
        for (size_t i = 0; i < heads.count; i++) {
            const struct carnet_stream *stream = heads.at[i];
            struct carnet_sync_head head = {
                .book = stream->row.book, .author = stream->row.author, .stream = stream->row.stream, .seq = carnet_stream_standing(stream), .hash = stream->row.hash
            };
            struct carnet_entry_row row;
            if (head.seq != stream->row.seq) { /* what lies beyond is void */
                if (carnet_store_entry_find(replica->store, stream->row.n, head.seq, &row, NULL) != CARNET_OK)
                    continue;
                head.hash = row.hash;
            }
            each(arg, &head);
        }
    }
    free(heads.at);
}

static void hash_head(void *arg, const struct carnet_sync_head *head)
{
    uint8_t numbers[12];
    for (size_t i = 0; i < 4; i++)
        numbers[i] = (uint8_t)(head->stream >> (24 - 8 * i));
    for (size_t i = 0; i < 8; i++)
        numbers[4 + i] = (uint8_t)(head->seq >> (56 - 8 * i));
    carnet_hasher_add(arg, head->author.b, sizeof head->author.b);
    carnet_hasher_add(arg, numbers, sizeof numbers);
    carnet_hasher_add(arg, head->hash.b, sizeof head->hash.b);
}

static struct carnet_hash source_digest(void *ctx, const struct carnet_id *book, unsigned lane)
{
    struct carnet_replica *replica = ctx;
    struct carnet_hasher hasher;
    const struct carnet_id *of = lane == 0 ? &replica->community : book;
    size_t i = 0;
    CARNET_ASSERT(lane < CARNET_LANES);
    while (i < replica->digest_count && !carnet_id_equal(&replica->digests[i].book, of))
        i++;
    if (i == replica->digest_count) {
        CARNET_GROW(replica->digests, replica->digest_count, replica->digest_cap);
        replica->digests[replica->digest_count++] = (struct carnet_digests){ .book = *of };
    }
    if (!replica->digests[i].known[lane]) {
        carnet_hasher_init(&hasher, "carnet/1/heads");
        source_heads(replica, of, lane, hash_head, &hasher);
        replica->digests[i].hash[lane] = carnet_hasher_done(&hasher);
        replica->digests[i].known[lane] = true;
    }
    return replica->digests[i].hash[lane];
}

static bool source_next(void *ctx, unsigned lane, int64_t from, struct carnet_sync_entry *out)
{
    struct carnet_replica *replica = ctx;
    struct carnet_entry_row row;
    while (carnet_store_entry_next(replica->store, lane, from, &row, NULL) == CARNET_OK) {
        const struct carnet_stream *stream = carnet_streams_at(&replica->streams, row.stream_n);
        from = row.n + 1;
        if (row.n > carnet_replica_last(replica))
            return false;
        if (row.flags & CARNET_ENTRY_VOID || !stream)
            continue;
        *out = (struct carnet_sync_entry){
            .n = row.n, .book = stream->row.book, .author = stream->row.author, .stream = stream->row.stream, .seq = row.seq, .bytes = row.bytes
        };
        return true;
    }
    return false;
}

static int64_t source_position(void *ctx, const struct carnet_id *book, const struct carnet_id *author, uint32_t stream, uint64_t seq)
{
    struct carnet_replica *replica = ctx;
    struct carnet_entry_row row;
    const struct carnet_stream *at = carnet_streams_find(&replica->streams, book, author, stream);
    if (!at || seq == 0 || seq > at->row.seq || carnet_store_entry_find(replica->store, at->row.n, seq, &row, NULL) != CARNET_OK)
        return 0;
    return row.n <= carnet_replica_last(replica) ? row.n : 0;
}

static int64_t source_last(void *ctx)
{
    return carnet_replica_last(ctx);
}

/* Does some live value, or some seed, of the entry wait for a part that is not here and that the peer may have? */
static bool is_wanted(struct carnet_replica *replica, const struct carnet_entry *entry, const struct carnet_cert *peer)
{
    bool wanted = false;
    struct carnet_loaded loaded;
    carnet_loaded_init(&loaded);
    for (size_t i = 0; i < entry->change_count && !wanted; i++) {
        const struct carnet_change *change = &entry->changes[i];
        bool lacking = false;
        for (size_t j = 0; j < change->part_count; j++)
            lacking = lacking || (!change->parts[j].present && change->parts[j].type != CARNET_PART_BOX);
        if (!lacking || carnet_rows_get(replica, &entry->header.book, &change->record, &loaded, NULL) != CARNET_OK || loaded.record.erased)
            continue;
        for (size_t j = 0; j < change->part_count && !wanted; j++) {
            const struct carnet_part *part = &change->parts[j];
            if (part->present || part->type == CARNET_PART_BOX || !carnet_replica_gets(replica, part->scope) || !carnet_cert_gets(peer, part->scope))
                continue;
            const struct carnet_seed *seed = part->type == CARNET_PART_SEED ? carnet_record_seed(&loaded.record, part->seed, part->scope) : NULL;
            wanted = seed && !seed->held && !seed->dead;
            for (size_t k = 0; k < loaded.record.live_count && part->type != CARNET_PART_SEED && !wanted; k++) {
                struct carnet_sibling *sibling = &loaded.record.live[k];
                for (size_t cell = 0; cell < part->cell_count && sibling->state == CARNET_SIBLING_MISSING && !wanted; cell++) {
                    struct carnet_dot dot = carnet_entry_cell_dot(entry, i, part, cell);
                    wanted = carnet_dot_equal(&dot, &sibling->dot);
                }
            }
        }
    }
    carnet_loaded_deinit(&loaded);
    return wanted;
}

static size_t source_wants(void *ctx, const struct carnet_cert *peer, struct carnet_sync_head *out, size_t max)
{
    enum { LOOKED_AT_MAX = 4096 };
    struct carnet_replica *replica = ctx;
    struct carnet_entry_row row;
    size_t count = 0, looked_at = 0;
    for (int64_t from = 1; count < max && looked_at < LOOKED_AT_MAX; looked_at++) {
        struct carnet_entry entry;
        if (carnet_store_entry_flagged(replica->store, CARNET_ENTRY_WANTING, from, &row, NULL) != CARNET_OK)
            break;
        from = row.n + 1;
        const struct carnet_stream *stream = carnet_streams_at(&replica->streams, row.stream_n);
        if (!stream || row.flags & CARNET_ENTRY_VOID || !carnet_cert_holds(peer, &stream->row.book))
            continue;
        carnet_arena_reset(&replica->read_arena);
        if (carnet_entry_decode(carnet_arena_dup(&replica->read_arena, row.bytes), &replica->read_arena, &entry) == CARNET_OK && is_wanted(replica, &entry, peer))
            out[count++] = (struct carnet_sync_head){
                .book = stream->row.book, .author = stream->row.author, .stream = stream->row.stream, .seq = row.seq, .hash = row.hash
            };
    }
    return count;
}

struct carnet_sync_source carnet_replica_source(struct carnet_replica *replica)
{
    return (struct carnet_sync_source){
        .ctx = replica,
        .authority = source_authority,
        .self = source_self,
        .books = source_books,
        .digest = source_digest,
        .heads = source_heads,
        .next = source_next,
        .position = source_position,
        .last = source_last,
        .wants = source_wants,
    };
}
