// SPDX-License-Identifier: EUPL-1.2
/* What an author wrote, by its place in the log. */
#include "internal.h"

void carnet_replica_own_head(struct carnet_replica *replica, const struct carnet_id *book, unsigned log, uint32_t *stream, uint64_t *seq)
{
    *stream = replica->incarnation * 2 + log;
    const struct carnet_stream *head = carnet_streams_find(&replica->streams, book, &replica->node, *stream);
    *seq = head ? head->row.seq : 0;
}

carnet_rc carnet_replica_entry_records(struct carnet_replica *replica, const struct carnet_id *book, uint64_t author, uint32_t stream, uint64_t seq,
                                       struct carnet_arena *arena, struct carnet_id **out, size_t *count, struct carnet_err *err)
{
    const struct carnet_cert *cert = carnet_authority_author(replica->authority, author);
    const struct carnet_stream *chain = cert ? carnet_streams_find(&replica->streams, book, &cert->node, stream) : NULL;
    struct carnet_entry_row row;
    struct carnet_entry entry;
    *count = 0;
    if (!chain)
        return CARNET_NOT_FOUND;
    carnet_rc rc = carnet_store_entry_find(replica->store, chain->row.n, seq, &row, err);
    if (rc != CARNET_OK || row.flags & CARNET_ENTRY_VOID)
        return rc == CARNET_OK ? CARNET_NOT_FOUND : rc;
    if (carnet_entry_decode(carnet_arena_dup(arena, row.bytes), arena, &entry) != CARNET_OK)
        return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "an entry");
    *out = carnet_arena_alloc(arena, entry.change_count * sizeof **out);
    for (size_t i = 0; i < entry.change_count; i++)
        (*out)[(*count)++] = entry.changes[i].record;
    return CARNET_OK;
}
