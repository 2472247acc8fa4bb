// SPDX-License-Identifier: EUPL-1.2
/* Entries out: changes are collected until one entry is full, then signed, chained and applied as any other. */
#include "internal.h"

#include <string.h>

enum { HEADER_ROOM = 512 };

static void clear(struct carnet_replica *replica)
{
    carnet_draft_clear(replica->draft);
    replica->plain_count = 0;
    replica->batch_count = 0;
    carnet_audit_batch(replica, false);
}

void carnet_batch_reset(struct carnet_replica *replica)
{
    clear(replica);
    replica->batch_entries = 0;
    replica->tags.pending_count = 0;
    carnet_arena_reset(&replica->write_arena);
}

bool carnet_batch_has(const struct carnet_replica *replica, const struct carnet_id *record)
{
    for (size_t i = 0; i < replica->batch_count; i++)
        if (carnet_id_equal(&replica->batch_changes[i].record, record))
            return true;
    return false;
}

carnet_rc carnet_batch_change(struct carnet_replica *replica, const struct carnet_id *book, unsigned log, const struct carnet_id *record,
                              const struct carnet_id *subject, enum carnet_kind kind, size_t size, bool fresh, struct carnet_err *err)
{
    bool other = replica->batch_count && (replica->batch_log != log || !carnet_id_equal(&replica->batch_book, book));
    bool full = replica->batch_count &&
                (replica->batch_count == CARNET_ENTRY_CHANGES_MAX || carnet_draft_size(replica->draft) + size + HEADER_ROOM > CARNET_ENTRY_LEN_MAX);
    if (other || full || (!fresh && carnet_batch_has(replica, record))) {
        carnet_rc rc = carnet_batch_flush(replica, err);
        if (rc != CARNET_OK)
            return rc;
    }
    replica->batch_book = *book;
    replica->batch_log = log;
    carnet_draft_change(replica->draft, record, subject, kind);
    CARNET_GROW(replica->batch_changes, replica->batch_count, replica->batch_cap);
    replica->batch_changes[replica->batch_count++] = (struct carnet_batch_item){ .record = *record, .plain = replica->plain_count, .fresh = fresh };
    return CARNET_OK;
}

void carnet_batch_event(struct carnet_replica *replica, const struct carnet_event *event)
{
    carnet_draft_event(replica->draft, event);
    carnet_audit_event(replica, event);
}

void carnet_batch_seed(struct carnet_replica *replica, const struct carnet_seed *seed)
{
    carnet_draft_seed_named(replica->draft, seed->scope, seed->id, seed->b);
}

void carnet_batch_cells(struct carnet_replica *replica, enum carnet_scope scope, uint64_t epoch, uint64_t seed, const struct carnet_key *key,
                        const struct carnet_draft_cell *cells, size_t count)
{
    carnet_draft_cells(replica->draft, scope, epoch, seed, key, cells, count);
    for (size_t i = 0; i < count; i++) {
        CARNET_GROW(replica->plain, replica->plain_count, replica->plain_cap);
        replica->plain[replica->plain_count++] = (struct carnet_plain){ cells[i].field, cells[i].label, cells[i].value };
    }
}

void carnet_batch_box(struct carnet_replica *replica, enum carnet_scope scope, uint64_t epoch, const struct carnet_id *reader, struct carnet_slice box)
{
    carnet_draft_box(replica->draft, scope, epoch, reader, box);
}

carnet_rc carnet_batch_flush(struct carnet_replica *replica, struct carnet_err *err)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    struct carnet_hash hash;
    if (replica->batch_count == 0)
        return CARNET_OK;
    if (!self)
        return carnet_err_set(err, CARNET_REFUSED, "this node is not a member of the community");
    uint32_t stream = replica->incarnation * 2 + replica->batch_log;
    const struct carnet_stream *head = carnet_streams_find(&replica->streams, &replica->batch_book, &replica->node, stream);
    struct carnet_entry_header header = {
        .community = replica->community,
        .book = replica->batch_book,
        .author = replica->node,
        .cert = self->hash,
        .log = replica->batch_log,
        .incarnation = replica->incarnation,
        .seq = head ? head->row.seq + 1 : 1,
        .hlc = carnet_hlc_next(replica->hlc, carnet_replica_wall_ms(replica)),
    };
    if (head)
        header.prev = head->row.hash;
    carnet_buf_clear(&replica->own_bytes);
    carnet_rc rc = carnet_draft_sign(replica->draft, &header, &replica->sign_sk, &replica->own_bytes, &hash);
    if (rc != CARNET_OK)
        return carnet_err_set(err, rc, "a change is larger than %d bytes", CARNET_ENTRY_LEN_MAX);
    rc = carnet_apply_own(replica, carnet_buf_slice(&replica->own_bytes), err);
    carnet_audit_batch(replica, rc == CARNET_OK);
    clear(replica);
    replica->batch_entries += rc == CARNET_OK;
    return rc;
}
