// SPDX-License-Identifier: EUPL-1.2
/* Revoking a node, and what lies beyond the cut. */
#include "carnet/people/revoke.h"

#include "carnet/log/entry.h"

#include <stdlib.h>
#include <string.h>

carnet_rc carnet_people_revoke(struct carnet_replica *replica, const struct carnet_member *member, struct carnet_err *err)
{
    return member->cut ? CARNET_OK : carnet_replica_cut(replica, &member->cert->node, err);
}

struct place {
    struct carnet_id book, record;
};

struct beyond {
    struct carnet_id node, charter;
    struct carnet_stream_row *streams;
    size_t stream_count, stream_cap;
    struct place *places;
    size_t count, cap;
};

static bool each_stream(void *ctx, const struct carnet_stream_row *row)
{
    struct beyond *b = ctx;
    if (!carnet_id_equal(&row->author, &b->node) || carnet_id_equal(&row->book, &b->charter) || row->void_from == 0 || row->void_from > row->seq)
        return true;
    CARNET_GROW(b->streams, b->stream_count, b->stream_cap);
    b->streams[b->stream_count++] = *row;
    return true;
}

static int compare_places(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct place));
}

static carnet_rc collect(struct beyond *b, struct carnet_store *store, const struct carnet_stream_row *stream, struct carnet_err *err)
{
    struct carnet_arena arena;
    carnet_rc rc = CARNET_OK;
    carnet_arena_init(&arena);
    for (uint64_t seq = stream->void_from; rc == CARNET_OK && seq <= stream->seq; seq++) {
        struct carnet_entry_row row;
        struct carnet_entry entry;
        rc = carnet_store_entry_find(store, stream->n, seq, &row, err);
        if (rc == CARNET_OK && carnet_entry_decode(carnet_arena_dup(&arena, row.bytes), &arena, &entry) != CARNET_OK)
            rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "entry");
        for (size_t i = 0; rc == CARNET_OK && i < entry.change_count; i++) {
            CARNET_GROW(b->places, b->count, b->cap);
            b->places[b->count++] = (struct place){ .book = stream->book, .record = entry.changes[i].record };
        }
        carnet_arena_reset(&arena);
    }
    carnet_arena_deinit(&arena);
    return rc;
}

carnet_rc carnet_people_beyond(struct carnet_replica *replica, const struct carnet_id *node,
                               bool (*each)(void *ctx, const struct carnet_id *book, const struct carnet_id *record), void *ctx, struct carnet_err *err)
{
    struct beyond b = { .node = *node, .charter = carnet_replica_self(replica)->community };
    struct carnet_store *store = carnet_replica_store(replica);
    carnet_rc rc = carnet_store_streams(store, NULL, each_stream, &b, err);
    for (size_t i = 0; rc == CARNET_OK && i < b.stream_count; i++)
        rc = collect(&b, store, &b.streams[i], err);
    if (b.count)
        qsort(b.places, b.count, sizeof *b.places, compare_places);
    for (size_t i = 0; rc == CARNET_OK && i < b.count; i++)
        if ((i == 0 || compare_places(&b.places[i - 1], &b.places[i]) != 0) && !each(ctx, &b.places[i].book, &b.places[i].record))
            break;
    free(b.places);
    free(b.streams);
    return rc;
}
