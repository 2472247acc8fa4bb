// SPDX-License-Identifier: EUPL-1.2
/* The log is the truth: its canonical state, the comparison of the views with it, and their making anew. */
#include "internal.h"

#include "carnet/sys/file.h"

#include <stdlib.h>
#include <string.h>

carnet_rc carnet_replica_state(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_hash *out, struct carnet_err *err)
{
    struct carnet_hasher hasher;
    struct carnet_record_row row;
    struct carnet_id after = { { 0 } };
    struct carnet_buf canonical;
    carnet_rc rc;
    carnet_buf_init(&canonical, CARNET_STATE_LEN_MAX);
    carnet_hasher_init(&hasher, "carnet/1/state");
    while ((rc = carnet_store_record_after(replica->store, book, &after, &row, err)) == CARNET_OK) {
        after = row.id;
        if (row.flags & CARNET_ROW_EMPTY)
            continue;
        if (carnet_record_unpack(row.state, &replica->viewed) != CARNET_OK) {
            rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "record");
            break;
        }
        carnet_buf_clear(&canonical);
        carnet_record_canonical(&replica->viewed, &canonical);
        carnet_hasher_add(&hasher, canonical.ptr, canonical.len);
    }
    *out = carnet_hasher_done(&hasher);
    carnet_buf_deinit(&canonical);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* --- verify --- */

struct verifier {
    struct carnet_replica *replica;
    void (*each)(void *ctx, const char *error);
    void *ctx;
    struct carnet_err line; /* in the language of the person */
    size_t errors;
    struct carnet_stream_row *heads; /* by number of the stream: how far the walk has come */
    size_t head_count;
};

static void say(struct verifier *verifier)
{
    verifier->errors++;
    verifier->each(verifier->ctx, verifier->line.what);
}

static void name_entry(const struct carnet_entry_row *row, char *out, size_t size)
{
    struct carnet_buf buf;
    carnet_buf_init(&buf, size - 1);
    carnet_buf_printf(&buf, "%lld", (long long)row->n);
    memset(out, 0, size);
    memcpy(out, buf.ptr, buf.len);
    carnet_buf_deinit(&buf);
}

static bool is_chained(struct verifier *verifier, const struct carnet_entry_row *row, const struct carnet_entry *entry)
{
    struct carnet_stream_row *head = (size_t)row->stream_n < verifier->head_count ? &verifier->heads[row->stream_n] : NULL;
    if (!head || head->n == 0)
        return false;
    bool chained = entry->header.seq == head->seq + 1 && entry->header.seq == row->seq && carnet_hash_equal(&entry->header.prev, &head->hash) &&
                   carnet_hash_equal(&entry->hash, &row->hash) && entry->header.hlc == row->hlc && carnet_id_equal(&entry->header.book, &head->book) &&
                   carnet_id_equal(&entry->header.author, &head->author) && carnet_entry_stream(&entry->header) == head->stream;
    head->seq = entry->header.seq;
    head->hash = entry->hash;
    return chained;
}

static carnet_rc verify_touches(struct verifier *verifier, const struct carnet_entry *entry, const char *name, struct carnet_err *err)
{
    for (size_t i = 0; i < entry->change_count; i++) {
        struct carnet_record_row row;
        carnet_rc rc = carnet_store_record_get(verifier->replica->store, &entry->header.book, &entry->changes[i].record, &row, err);
        if (rc == CARNET_NOT_FOUND) {
            carnet_err_set(&verifier->line, CARNET_CORRUPT, "entry %s: a record that it changes is missing", name);
            say(verifier);
        } else if (rc != CARNET_OK) {
            return rc;
        }
    }
    return CARNET_OK;
}

static carnet_rc verify_entries(struct verifier *verifier, struct carnet_err *err)
{
    struct carnet_replica *replica = verifier->replica;
    struct carnet_entry_row row;
    carnet_rc rc;
    for (int64_t from = 1; (rc = carnet_store_entry_next(replica->store, 3, from, &row, err)) == CARNET_OK;) {
        struct carnet_entry entry;
        const char *why;
        char name[24];
        from = row.n + 1;
        name_entry(&row, name, sizeof name);
        carnet_arena_reset(&replica->read_arena);
        if (carnet_entry_decode(carnet_arena_dup(&replica->read_arena, row.bytes), &replica->read_arena, &entry) != CARNET_OK) {
            carnet_err_set(&verifier->line, CARNET_CORRUPT, "entry %s is damaged", name);
            say(verifier);
            continue;
        }
        if (!is_chained(verifier, &row, &entry)) {
            carnet_err_set(&verifier->line, CARNET_CORRUPT, "entry %s does not continue its log", name);
            say(verifier);
        }
        if (!(row.flags & CARNET_ENTRY_VOID) && carnet_authority_check(replica->authority, &entry, &why) != CARNET_OK) {
            carnet_err_set(&verifier->line, CARNET_CORRUPT, "entry %s: its signature or its author's rights do not hold", name);
            say(verifier);
        }
        rc = verify_touches(verifier, &entry, name, err);
        if (rc != CARNET_OK)
            return rc;
    }
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* Is the stored row what a replay gives? */
static bool is_same(struct carnet_replica *replica, const struct carnet_record_row *row, struct carnet_record *replayed)
{
    struct carnet_buf a, b;
    carnet_buf_init(&a, CARNET_STATE_LEN_MAX);
    carnet_buf_init(&b, CARNET_STATE_LEN_MAX);
    bool same = carnet_record_unpack(row->state, &replica->viewed) == CARNET_OK;
    if (same) {
        carnet_rows_prune(replica, &row->book, &replica->viewed);
        carnet_record_pack(&replica->viewed, &a);
        carnet_record_pack(replayed, &b);
        same = carnet_slice_equal(carnet_buf_slice(&a), carnet_buf_slice(&b));
        same = same && row->kind == replayed->kind && carnet_id_equal(&row->subject, &replayed->subject);
    }
    carnet_buf_deinit(&a);
    carnet_buf_deinit(&b);
    return same;
}

static carnet_rc verify_records(struct verifier *verifier, struct carnet_err *err)
{
    struct carnet_replica *replica = verifier->replica;
    struct carnet_loaded loaded;
    struct carnet_record_row row;
    carnet_rc rc;
    carnet_loaded_init(&loaded);
    for (int64_t from = 1; (rc = carnet_store_record_next(replica->store, from, &row, err)) == CARNET_OK;) {
        struct carnet_id_text text = carnet_id_text(&row.id);
        from = row.n + 1;
        rc = carnet_rows_replay(replica, row.n, &loaded, err);
        if (rc == CARNET_CORRUPT) {
            carnet_err_set(&verifier->line, CARNET_CORRUPT, "record %s cannot be computed from the log", text.s);
            say(verifier);
            continue;
        }
        if (rc != CARNET_OK)
            break;
        loaded.row.state = carnet_buf_slice(&loaded.packed);
        if (!is_same(replica, &loaded.row, &loaded.record)) {
            carnet_err_set(&verifier->line, CARNET_CORRUPT, "record %s is not what the log says", text.s);
            say(verifier);
        }
    }
    carnet_loaded_deinit(&loaded);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

carnet_rc carnet_replica_verify(struct carnet_replica *replica, void (*each)(void *ctx, const char *error), void *ctx, struct carnet_err *err)
{
    struct verifier verifier = { .replica = replica, .each = each, .ctx = ctx, .line = { .lang = carnet_err_lang(err) } };
    carnet_rc rc = carnet_store_check(replica->store, err);
    if (rc == CARNET_CORRUPT) {
        carnet_err_set(&verifier.line, CARNET_CORRUPT, "the file of the database is damaged");
        say(&verifier);
    } else if (rc != CARNET_OK) {
        return rc;
    }
    for (size_t i = 0; i < replica->streams.count; i++) {
        size_t n = (size_t)replica->streams.at[i].row.n;
        verifier.head_count = n >= verifier.head_count ? n + 1 : verifier.head_count;
    }
    verifier.heads = carnet_alloc((verifier.head_count + 1) * sizeof *verifier.heads);
    for (size_t i = 0; i < replica->streams.count; i++) {
        const struct carnet_stream_row *row = &replica->streams.at[i].row;
        verifier.heads[row->n] = *row;
        verifier.heads[row->n].seq = 0;
        memset(&verifier.heads[row->n].hash, 0, sizeof row->hash);
    }
    rc = verify_entries(&verifier, err);
    for (size_t i = 0; rc == CARNET_OK && i < replica->streams.count; i++) {
        const struct carnet_stream_row *row = &replica->streams.at[i].row;
        if (verifier.heads[row->n].seq != row->seq || !carnet_hash_equal(&verifier.heads[row->n].hash, &row->hash)) {
            struct carnet_id_text text = carnet_id_text(&row->author);
            carnet_err_set(&verifier.line, CARNET_CORRUPT, "a log of %s does not end where it should", text.s);
            say(&verifier);
        }
    }
    free(verifier.heads);
    return rc == CARNET_OK ? verify_records(&verifier, err) : rc;
}

/* --- rebuild --- */

static carnet_rc replay_all(struct carnet_replica *replica, struct carnet_err *err)
{
    struct carnet_entry_row row;
    carnet_rc rc;
    for (int64_t from = 1; (rc = carnet_store_entry_next(replica->store, 3, from, &row, err)) == CARNET_OK;) {
        struct carnet_entry entry;
        from = row.n + 1;
        replica->rebuilding = row.n;
        carnet_arena_reset(&replica->entry_arena);
        if (carnet_entry_decode(carnet_arena_dup(&replica->entry_arena, row.bytes), &replica->entry_arena, &entry) != CARNET_OK)
            return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "entry");
        if (row.flags & CARNET_ENTRY_VOID)
            rc = carnet_apply_void(replica, &entry, row.n, err);
        else
            rc = carnet_apply_changes(replica, &entry, row.n, carnet_apply_beyond(replica, &entry.header), err);
        if (rc != CARNET_OK)
            return rc;
    }
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

carnet_rc carnet_replica_rebuild(struct carnet_replica *replica, struct carnet_err *err)
{
    bool mine;
    uint64_t written;
    carnet_rc rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    replica->written++;
    rc = carnet_store_derived_drop(replica->store, err);
    replica->tags.walked = 0; /* what the records hold is compared again */
    replica->tags.walked_moved = true;
    if (rc == CARNET_OK)
        rc = replay_all(replica, err);
    replica->rebuilding = 0;
    return carnet_tx_leave(replica, mine, written, rc, err);
}
