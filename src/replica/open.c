// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

#include "carnet/sys/file.h"

#include <stdlib.h>
#include <string.h>

enum { META_LEN_MAX = 1 << 20, PATH_TEXT_MAX = 160 };

/* --- transactions --- */

carnet_rc carnet_tx_enter(struct carnet_replica *replica, bool *mine, uint64_t *written, struct carnet_err *err)
{
    *written = replica->written;
    *mine = !carnet_store_in_transaction(replica->store);
    return *mine ? carnet_replica_begin(replica, err) : CARNET_OK;
}

carnet_rc carnet_tx_leave(struct carnet_replica *replica, bool mine, uint64_t written, carnet_rc rc, struct carnet_err *err)
{
    if (rc == CARNET_OK && !mine)
        return rc;
    if (rc == CARNET_OK)
        return carnet_replica_commit(replica, err);
    carnet_batch_reset(replica);
    if (mine || replica->written != written || !carnet_store_in_transaction(replica->store))
        carnet_replica_rollback(replica);
    return rc;
}

carnet_rc carnet_replica_begin(struct carnet_replica *replica, struct carnet_err *err)
{
    if (replica->broken)
        return carnet_err_set(err, CARNET_FAILED, "the database could not be read again after an error: start anew");
    return carnet_store_begin(replica->store, err);
}

static carnet_rc put_number(struct carnet_replica *replica, const char *name, uint64_t number, struct carnet_err *err)
{
    struct carnet_buf buf;
    carnet_buf_init(&buf, 16);
    carnet_cbor_put_uint(&buf, number);
    carnet_rc rc = carnet_store_meta_put(replica->store, name, carnet_buf_slice(&buf), err);
    carnet_buf_deinit(&buf);
    return rc;
}

static carnet_rc get_number(struct carnet_replica *replica, const char *name, uint64_t *out, struct carnet_err *err)
{
    struct carnet_buf buf;
    struct carnet_reader reader;
    carnet_buf_init(&buf, 16);
    *out = 0;
    carnet_rc rc = carnet_store_meta_get(replica->store, name, &buf, err);
    if (rc == CARNET_OK) {
        carnet_reader_init(&reader, carnet_buf_slice(&buf));
        *out = carnet_reader_uint(&reader);
        if (carnet_reader_done(&reader) != CARNET_OK)
            rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", name);
    }
    carnet_buf_deinit(&buf);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

carnet_rc carnet_replica_commit(struct carnet_replica *replica, struct carnet_err *err)
{
    CARNET_ASSERT(replica->batch_count == 0);
    carnet_rc rc = carnet_apply_settle(replica, err);
    if (rc == CARNET_OK && replica->hlc != replica->hlc_stored)
        rc = put_number(replica, "hlc", replica->hlc, err);
    if (rc == CARNET_OK && replica->sweep_due_new != replica->sweep_due)
        rc = put_number(replica, "sweep_due", replica->sweep_due_new, err);
    if (rc == CARNET_OK)
        rc = carnet_audit_settle(replica, err);
    if (rc == CARNET_OK)
        rc = carnet_store_commit(replica->store, err);
    if (rc != CARNET_OK) {
        carnet_replica_rollback(replica);
        return rc;
    }
    replica->hlc_stored = replica->hlc;
    replica->sweep_due = replica->sweep_due_new;
    replica->last = replica->last_new;
    replica->charter_dirty = false;
    carnet_audit_settled(replica);
    return CARNET_OK;
}

void carnet_replica_rollback(struct carnet_replica *replica)
{
    struct carnet_err err = CARNET_ERR_INIT;
    carnet_batch_reset(replica);
    carnet_store_rollback(replica->store);
    replica->broken = carnet_memory_load(replica, &err) != CARNET_OK;
}

/* --- memory --- */

static bool load_stream(void *ctx, const struct carnet_stream_row *row)
{
    struct carnet_replica *replica = ctx;
    carnet_streams_add(&replica->streams, row);
    return true;
}

static carnet_rc load_streams(struct carnet_replica *replica, struct carnet_err *err)
{
    carnet_streams_deinit(&replica->streams);
    memset(replica->reached, 0, sizeof replica->reached);
    replica->digest_count = 0;
    carnet_rc rc = carnet_store_streams(replica->store, NULL, load_stream, replica, err);
    for (size_t i = 0; rc == CARNET_OK && i < replica->streams.count; i++) {
        struct carnet_stream *stream = &replica->streams.at[i];
        struct carnet_entry_row row;
        if (stream->row.seq == 0)
            continue;
        rc = carnet_store_entry_find(replica->store, stream->row.n, stream->row.seq, &row, err);
        if (rc == CARNET_NOT_FOUND)
            return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "log");
        if (rc != CARNET_OK)
            return rc;
        stream->hlc = row.hlc;
        carnet_reached(replica, &stream->row.author, row.hlc);
    }
    return rc;
}

static void wipe_keys(struct carnet_replica *replica)
{
    if (replica->waiting_key_cap)
        carnet_wipe(replica->waiting_keys, replica->waiting_key_cap * sizeof *replica->waiting_keys);
    replica->waiting_key_count = 0;
}

/* Genesis and the chain of certificates that this node began with. */
static carnet_rc load_roots(struct carnet_replica *replica, struct carnet_err *err)
{
    struct carnet_buf buf;
    struct carnet_genesis genesis;
    struct carnet_reader reader;
    carnet_buf_init(&buf, META_LEN_MAX);
    carnet_rc rc = carnet_store_meta_get(replica->store, "genesis", &buf, err);
    if (rc == CARNET_OK && (carnet_genesis_decode(carnet_buf_slice(&buf), &genesis) != CARNET_OK || genesis.name.len > CARNET_NAME_LEN_MAX))
        rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "genesis");
    if (rc != CARNET_OK)
        goto out;
    memset(replica->name, 0, sizeof replica->name);
    if (genesis.name.len)
        memcpy(replica->name, genesis.name.ptr, genesis.name.len);
    if (replica->authority) {
        CARNET_GROW(replica->retired, replica->retired_count, replica->retired_cap);
        replica->retired[replica->retired_count++] = replica->authority;
    }
    replica->authority = carnet_authority_new(carnet_buf_slice(&buf));
    CARNET_ASSERT(replica->authority != NULL);
    replica->community = *carnet_authority_community(replica->authority);
    carnet_buf_clear(&buf);
    rc = carnet_store_meta_get(replica->store, "chain", &buf, err);
    if (rc != CARNET_OK)
        goto out;
    carnet_reader_init(&reader, carnet_buf_slice(&buf));
    for (size_t i = carnet_reader_array(&reader); i > 0 && rc == CARNET_OK; i--)
        if (carnet_authority_add(replica->authority, carnet_reader_bytes(&reader)) != CARNET_OK)
            rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "chain");
out:
    carnet_buf_deinit(&buf);
    return rc == CARNET_NOT_FOUND ? carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "genesis") : rc;
}

static void feed_entry(struct carnet_replica *replica, const struct carnet_entry *entry, int64_t arrived_ms);
static void settle_settings(struct carnet_replica *replica);

carnet_rc carnet_charter_load(struct carnet_replica *replica, struct carnet_err *err)
{
    carnet_rc rc = load_roots(replica, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_keyring_free(replica->keyring);
    replica->keyring = carnet_keyring_new();
    wipe_keys(replica);
    carnet_numbers_deinit(&replica->boxed);
    carnet_buf_clear(&replica->waiting_certs);
    replica->book_count = 0;
    carnet_settings_clear(replica->settings);
    replica->settings_new = true;
    carnet_tags_clear(replica);
    carnet_tags_keys_changed(replica);
    replica->silence_said_ms = 0;
    for (int64_t from = 1;;) {
        struct carnet_entry_row row;
        struct carnet_entry entry;
        rc = carnet_store_entry_next(replica->store, 0, from, &row, err);
        if (rc == CARNET_NOT_FOUND)
            break;
        if (rc != CARNET_OK)
            return rc;
        from = row.n + 1;
        if (row.flags & CARNET_ENTRY_VOID)
            continue;
        carnet_arena_reset(&replica->read_arena);
        if (carnet_entry_decode(row.bytes, &replica->read_arena, &entry) != CARNET_OK)
            return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "charter");
        uint32_t stream = carnet_entry_stream(&entry.header);
        replica->tags.feeding_ms = row.arrived_ms;
        if (entry.header.seq <= carnet_authority_cut_at(replica->authority, &entry.header.author, &entry.header.book, stream))
            feed_entry(replica, &entry, row.arrived_ms);
        else if (entry.header.log == CARNET_LOG_LAW)
            carnet_charter_feed_beyond(replica, &entry);
    }
    replica->charter_dirty = false;
    settle_settings(replica);
    carnet_books_refresh(replica);
    return CARNET_OK;
}

carnet_rc carnet_memory_load(struct carnet_replica *replica, struct carnet_err *err)
{
    uint64_t number;
    carnet_rc rc = CARNET_OK;
    carnet_audit_forget(replica);
    if (!replica->authority || replica->charter_dirty)
        rc = carnet_charter_load(replica, err);
    replica->cut_seen = false;
    replica->unlocked_count = 0;
    if (rc == CARNET_OK)
        rc = load_streams(replica, err);
    if (rc == CARNET_OK)
        rc = get_number(replica, "hlc", &replica->hlc, err);
    if (rc == CARNET_OK)
        rc = carnet_tags_load(replica, err);
    if (rc == CARNET_OK)
        rc = get_number(replica, "incarnation", &number, err);
    if (rc == CARNET_OK)
        replica->incarnation = (uint32_t)number;
    if (rc == CARNET_OK)
        rc = get_number(replica, "sweep_due", &number, err);
    if (rc != CARNET_OK)
        return rc;
    replica->hlc_stored = replica->hlc;
    replica->sweep_due = replica->sweep_due_new = number != 0;
    struct carnet_entry_row row;
    int64_t count = 0;
    rc = carnet_store_entry_count(replica->store, &count, err);
    /* arrival numbers have no holes: nothing deletes an entry */
    if (rc == CARNET_OK && count > 0) {
        rc = carnet_store_entry_get(replica->store, count, &row, err);
        if (rc == CARNET_NOT_FOUND)
            rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "entries");
    }
    replica->last = replica->last_new = count;
    return rc;
}

/* --- the charter's events --- */

static void hold_cert(struct carnet_replica *replica, struct carnet_slice raw)
{
    uint32_t len = (uint32_t)raw.len;
    carnet_buf_append(&replica->waiting_certs, &len, sizeof len);
    carnet_buf_append_slice(&replica->waiting_certs, raw);
}

/* Tries again the certificates whose issuer was not known. */
static void retry_certs(struct carnet_replica *replica)
{
    bool progress = replica->waiting_certs.len > 0;
    while (progress) {
        struct carnet_buf held = replica->waiting_certs;
        progress = false;
        carnet_buf_init(&replica->waiting_certs, held.len_max);
        for (size_t at = 0; at + sizeof(uint32_t) <= held.len;) {
            uint32_t len;
            memcpy(&len, held.ptr + at, sizeof len);
            struct carnet_slice raw = carnet_slice(held.ptr + at + sizeof len, len);
            at += sizeof len + len;
            carnet_rc rc = carnet_authority_add(replica->authority, raw);
            if (rc == CARNET_AGAIN)
                hold_cert(replica, raw);
            progress = progress || rc == CARNET_OK || rc == CARNET_CONFLICT;
            replica->cut_seen = replica->cut_seen || rc == CARNET_CONFLICT;
        }
        carnet_buf_deinit(&held);
    }
}

static void feed_cert(struct carnet_replica *replica, struct carnet_slice raw)
{
    carnet_rc rc = carnet_authority_add(replica->authority, raw);
    if (rc == CARNET_AGAIN)
        hold_cert(replica, raw);
    else if (rc == CARNET_OK || rc == CARNET_CONFLICT)
        retry_certs(replica);
    /* another one may stand for a node now: a cut that came before may count, or count no more */
    replica->cut_seen = replica->cut_seen || rc == CARNET_CONFLICT;
}

/* Which of two names a book has, which of too many books are known, must not hang on what came first. */
static bool is_named_before(const struct carnet_book *a, const struct carnet_book *b)
{
    int by = a->hlc != b->hlc ? (a->hlc < b->hlc ? -1 : 1) : carnet_dot_compare(&a->dot, &b->dot);
    return by < 0;
}

static void feed_book(struct carnet_replica *replica, const struct carnet_event *event, const struct carnet_dot *dot, uint64_t hlc)
{
    struct carnet_book book = { .id = event->other, .hlc = hlc, .dot = *dot };
    size_t at = 0, last = 0;
    if (event->text.len == 0 || event->text.len > CARNET_NAME_LEN_MAX)
        return;
    memcpy(book.name, event->text.ptr, event->text.len);
    while (at < replica->book_count && !carnet_id_equal(&replica->books[at].id, &book.id)) {
        last = is_named_before(&replica->books[last], &replica->books[at]) ? at : last;
        at++;
    }
    if (at == replica->book_count && at < CARNET_BOOKS_MAX) {
        CARNET_GROW(replica->books, replica->book_count, replica->book_cap);
        replica->books[replica->book_count++] = book;
    } else {
        at = at == replica->book_count ? last : at;
        if (is_named_before(&book, &replica->books[at]))
            replica->books[at] = book;
    }
}

static bool is_epoch_held(const struct carnet_replica *replica, uint64_t id)
{
    for (size_t i = 0; i < carnet_keyring_count(replica->keyring); i++)
        if (carnet_keyring_at(replica->keyring, i)->id == id && carnet_keyring_at(replica->keyring, i)->held)
            return true;
    return false;
}

static void unlock(struct carnet_replica *replica, uint64_t id, const struct carnet_key *key)
{
    bool news = false;
    carnet_rc rc = carnet_keyring_unlock(replica->keyring, id, key, &news);
    if (rc == CARNET_NOT_FOUND) {
        CARNET_GROW(replica->waiting_keys, replica->waiting_key_count, replica->waiting_key_cap);
        replica->waiting_keys[replica->waiting_key_count++] = (struct carnet_waiting_key){ id, *key };
    }
    if (rc != CARNET_OK || !news)
        return;
    for (size_t i = 0; i < carnet_keyring_count(replica->keyring); i++) {
        const struct carnet_epoch *epoch = carnet_keyring_at(replica->keyring, i);
        if (epoch->id != id || !epoch->held)
            continue; /* somebody may have announced its commitment for what it is not */
        CARNET_GROW(replica->unlocked, replica->unlocked_count, replica->unlocked_cap);
        replica->unlocked[replica->unlocked_count++] = (struct carnet_unlocked){ epoch->book, epoch->scope };
    }
    carnet_tags_keys_changed(replica);
}

static void feed_epoch(struct carnet_replica *replica, const struct carnet_event *event)
{
    const struct carnet_epoch epoch = {
        .book = event->other, .scope = event->scope, .id = event->epoch, .number = event->number, .commitment = event->hash
    };
    carnet_keyring_add(replica->keyring, &epoch);
    for (size_t i = 0; i < replica->waiting_key_count;) {
        if (replica->waiting_keys[i].epoch == epoch.id) {
            struct carnet_key key = replica->waiting_keys[i].key;
            replica->waiting_keys[i] = replica->waiting_keys[--replica->waiting_key_count];
            unlock(replica, epoch.id, &key);
            carnet_wipe(&key, sizeof key);
        } else {
            i++;
        }
    }
}

static uint64_t box_number(uint64_t epoch, const struct carnet_id *reader)
{
    uint64_t number = (epoch * 0x9e3779b97f4a7c15u) ^ carnet_id_head(reader);
    return number ? number : 1;
}

bool carnet_boxed(const struct carnet_replica *replica, uint64_t epoch, const struct carnet_id *reader)
{
    return carnet_numbers_has(&replica->boxed, box_number(epoch, reader));
}

/* Whoever may read what the epoch opens has its key to give. What others put in a box keeps nobody from making a good one. */
static bool is_trusted_box(const struct carnet_replica *replica, const struct carnet_cert *author, const struct carnet_part *part)
{
    for (size_t i = 0; author && i < carnet_keyring_count(replica->keyring); i++) {
        const struct carnet_epoch *epoch = carnet_keyring_at(replica->keyring, i);
        if (epoch->id == part->epoch && epoch->scope == part->scope && carnet_cert_holds(author, &epoch->book) && author->reads >> epoch->scope & 1)
            return true;
    }
    return false;
}

static void feed_box(struct carnet_replica *replica, const struct carnet_cert *author, const struct carnet_part *part)
{
    struct carnet_reader reader;
    struct carnet_id to;
    carnet_reader_init(&reader, part->bytes);
    carnet_reader_array_exact(&reader, 2);
    carnet_reader_bytes_exact(&reader, to.b, sizeof to.b);
    struct carnet_slice box = carnet_reader_bytes(&reader);
    if (carnet_reader_done(&reader) != CARNET_OK)
        return;
    if (is_trusted_box(replica, author, part))
        carnet_numbers_add(&replica->boxed, box_number(part->epoch, &to));
    if (!carnet_id_equal(&to, &replica->node) || is_epoch_held(replica, part->epoch))
        return;
    struct carnet_buf plain;
    struct carnet_key key;
    carnet_buf_init(&plain, 64);
    if (carnet_box_open(&replica->box_pk, &replica->box_sk, box, &plain) == CARNET_OK && plain.len == sizeof key.b) {
        memcpy(key.b, plain.ptr, sizeof key.b);
        unlock(replica, part->epoch, &key);
        carnet_wipe(&key, sizeof key);
    }
    if (plain.cap)
        carnet_wipe(plain.ptr, plain.cap);
    carnet_buf_deinit(&plain);
}

static void feed_setting(struct carnet_replica *replica, const struct carnet_event *event, const struct carnet_dot *dot, uint64_t hlc, int64_t arrived_ms)
{
    if (carnet_slice_equal(event->text, carnet_slice_str("contact")) && arrived_ms > replica->silence_said_ms)
        replica->silence_said_ms = arrived_ms;
    carnet_settings_add(replica->settings, event, dot, hlc, carnet_setting_version(event->text, event->value), carnet_setting_field(event->text));
    replica->settings_new = true;
}

/* What the words make. Definitions that were given out stay where they are. */
static void settle_settings(struct carnet_replica *replica)
{
    if (replica->settings_new) {
        carnet_settings_charter(replica->settings, &replica->charter);
        carnet_tags_keys_changed(replica); /* other fields may hold addresses now */
    }
    replica->settings_new = false;
}

static void feed_event(struct carnet_replica *replica, const struct carnet_entry *entry, const struct carnet_event *event, const struct carnet_dot *dot, int64_t arrived_ms)
{
    const struct carnet_cert *author;
    switch (event->type) {
    case CARNET_EVENT_CERTIFICATE:
        feed_cert(replica, event->bytes);
        break;
    case CARNET_EVENT_BOOK:
        feed_book(replica, event, dot, entry->header.hlc);
        break;
    case CARNET_EVENT_EPOCH:
        feed_epoch(replica, event);
        break;
    case CARNET_EVENT_SETTING:
        feed_setting(replica, event, dot, entry->header.hlc, arrived_ms);
        break;
    case CARNET_EVENT_CUT:
        author = carnet_authority_node(replica->authority, &entry->header.author);
        if (author && carnet_authority_cut(replica->authority, &event->other, author, event->bytes) == CARNET_OK)
            replica->cut_seen = true;
        break;
    case CARNET_EVENT_SUPPRESS:
        carnet_tags_feed(replica, entry, event);
        break;
    case CARNET_EVENT_GENESIS:
    case CARNET_EVENT_RECEIPT:
    case CARNET_EVENT_ADDRESS:
    case CARNET_EVENT_ALIVE:
    case CARNET_EVENT_GRANT:
    case CARNET_EVENT_COUNTERSIGN:
    case CARNET_EVENT_WITHDRAW:
    case CARNET_EVENT_OBJECT:
    case CARNET_EVENT_RESTRICT:
    case CARNET_EVENT_LIFT:
    case CARNET_EVENT_DARK:
    case CARNET_EVENT_ERASE:
    case CARNET_EVENT_EDGE:
    case CARNET_EVENT_RECTIFY:
    case CARNET_EVENT_INVALIDATE:
    case CARNET_EVENT_INFORM:
        break;
    }
}

static void feed_entry(struct carnet_replica *replica, const struct carnet_entry *entry, int64_t arrived_ms)
{
    for (size_t i = 0; i < entry->change_count; i++) {
        const struct carnet_change *change = &entry->changes[i];
        for (size_t j = 0; j < change->event_count; j++) {
            struct carnet_event event;
            struct carnet_dot dot = carnet_entry_dot(entry, i, (unsigned)j);
            if (carnet_event_decode(change->events[j], &event) == CARNET_OK)
                feed_event(replica, entry, &event, &dot, arrived_ms);
        }
        const struct carnet_cert *author = carnet_authority_find(replica->authority, &entry->header.cert); /* the founder's own comes with the events */
        for (size_t j = 0; j < change->part_count; j++)
            if (change->parts[j].type == CARNET_PART_BOX && change->parts[j].present)
                feed_box(replica, author, &change->parts[j]);
    }
}

/* What its author wrote after it was revoked opens nothing, but a refusal counts. */
void carnet_charter_feed_beyond(struct carnet_replica *replica, const struct carnet_entry *entry)
{
    replica->charter_dirty = true;
    for (size_t i = 0; i < entry->change_count; i++) {
        for (size_t j = 0; j < entry->changes[i].event_count; j++) {
            struct carnet_event event;
            if (carnet_event_peek(entry->changes[i].events[j]) == CARNET_EVENT_SUPPRESS &&
                carnet_event_decode(entry->changes[i].events[j], &event) == CARNET_OK)
                carnet_tags_feed(replica, entry, &event);
        }
    }
}

void carnet_charter_feed(struct carnet_replica *replica, const struct carnet_entry *entry)
{
    replica->charter_dirty = true;
    feed_entry(replica, entry, carnet_replica_now_ms(replica));
    settle_settings(replica);
}

static int compare_books(const void *left, const void *right)
{
    const struct carnet_book *a = left, *b = right;
    int by = strcmp(a->name, b->name);
    return by ? by : carnet_id_compare(&a->id, &b->id);
}

static int compare_ids(const void *left, const void *right)
{
    return carnet_id_compare(left, right);
}

void carnet_books_refresh(struct carnet_replica *replica)
{
    if (replica->book_count)
        qsort(replica->books, replica->book_count, sizeof *replica->books, compare_books);
    replica->held_count = 0;
    for (size_t i = 0; i < replica->book_count; i++) {
        struct carnet_book *book = &replica->books[i];
        book->held = carnet_replica_holds(replica, &book->id);
        if (book->held) {
            CARNET_GROW(replica->held, replica->held_count, replica->held_cap);
            replica->held[replica->held_count++] = book->id;
        }
    }
    if (replica->held_count)
        qsort(replica->held, replica->held_count, sizeof *replica->held, compare_ids);
}

/* --- life --- */

static struct carnet_replica *new_replica(const struct carnet_replica_env *env, const struct carnet_identity *identity)
{
    struct carnet_replica *replica = carnet_alloc(sizeof *replica);
    struct carnet_box_sk curve_sk;
    replica->env = *env;
    replica->env.upgrading = NULL; /* of the opening alone */
    replica->identity = *identity;
    carnet_sign_pair(identity->sign, &replica->sign_pk, &replica->sign_sk);
    carnet_box_pair(identity->box, &replica->box_pk, &replica->box_sk);
    carnet_box_pair(identity->curve, &replica->curve_pk, &curve_sk);
    carnet_wipe(&curve_sk, sizeof curve_sk);
    replica->node = carnet_node_id(&replica->sign_pk);
    replica->draft = carnet_draft_new();
    replica->keyring = carnet_keyring_new();
    replica->settings = carnet_settings_new();
    replica->charter = carnet_charter_default();
    carnet_arena_init(&replica->entry_arena);
    carnet_arena_init(&replica->change_arena);
    carnet_arena_init(&replica->read_arena);
    carnet_arena_init(&replica->row_arena);
    carnet_arena_init(&replica->write_arena);
    carnet_buf_init(&replica->waiting_certs, 64 << 20);
    carnet_buf_init(&replica->entry_bytes, CARNET_ENTRY_LEN_MAX);
    carnet_buf_init(&replica->own_bytes, CARNET_ENTRY_LEN_MAX);
    carnet_buf_init(&replica->strip_bytes, CARNET_ENTRY_LEN_MAX);
    carnet_buf_init(&replica->state_bytes, CARNET_STATE_LEN_MAX);
    carnet_buf_init(&replica->text, CARNET_STATE_LEN_MAX);
    carnet_buf_init(&replica->old_text, CARNET_STATE_LEN_MAX);
    carnet_loaded_init(&replica->target);
    carnet_loaded_init(&replica->subject);
    carnet_loaded_init(&replica->other);
    carnet_loaded_init(&replica->written_target);
    carnet_loaded_init(&replica->written_subject);
    carnet_record_init(&replica->projected);
    carnet_record_init(&replica->viewed);
    carnet_record_init(&replica->delta);
    carnet_record_init(&replica->old);
    return replica;
}

void carnet_replica_close(struct carnet_replica *replica)
{
    if (!replica)
        return;
    carnet_audit_close(replica);
    carnet_tags_deinit(replica);
    carnet_store_close(replica->store);
    carnet_authority_free(replica->authority);
    for (size_t i = 0; i < replica->retired_count; i++)
        carnet_authority_free(replica->retired[i]);
    free(replica->retired);
    carnet_settings_free(replica->settings);
    carnet_keyring_free(replica->keyring);
    free(replica->books);
    free(replica->held);
    carnet_numbers_deinit(&replica->boxed);
    wipe_keys(replica);
    free(replica->waiting_keys);
    free(replica->unlocked);
    carnet_streams_deinit(&replica->streams);
    free(replica->digests);
    carnet_draft_free(replica->draft);
    free(replica->plain);
    free(replica->batch_changes);
    carnet_arena_deinit(&replica->entry_arena);
    carnet_arena_deinit(&replica->change_arena);
    carnet_arena_deinit(&replica->read_arena);
    carnet_arena_deinit(&replica->row_arena);
    carnet_arena_deinit(&replica->write_arena);
    carnet_buf_deinit(&replica->waiting_certs);
    carnet_buf_deinit(&replica->entry_bytes);
    carnet_buf_deinit(&replica->own_bytes);
    carnet_buf_deinit(&replica->strip_bytes);
    carnet_buf_deinit(&replica->state_bytes);
    carnet_buf_deinit(&replica->text);
    carnet_buf_deinit(&replica->old_text);
    carnet_loaded_deinit(&replica->target);
    carnet_loaded_deinit(&replica->subject);
    carnet_loaded_deinit(&replica->other);
    carnet_loaded_deinit(&replica->written_target);
    carnet_loaded_deinit(&replica->written_subject);
    carnet_record_deinit(&replica->projected);
    carnet_record_deinit(&replica->viewed);
    carnet_record_deinit(&replica->delta);
    carnet_record_deinit(&replica->old);
    carnet_wipe(replica, sizeof *replica);
    free(replica);
}

static carnet_rc open_store(struct carnet_replica *replica, const char *path, bool create, struct carnet_err *err)
{
    const struct carnet_store_options options = { .vfs = replica->env.vfs, .create = create };
    return carnet_store_open(path, &options, &replica->store, err);
}

/* The file must hold no community yet. */
static carnet_rc open_fresh(struct carnet_replica *replica, const char *path, struct carnet_err *err)
{
    struct carnet_buf buf;
    carnet_rc rc = open_store(replica, path, true, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_buf_init(&buf, META_LEN_MAX);
    rc = carnet_store_meta_get(replica->store, "genesis", &buf, NULL);
    carnet_buf_deinit(&buf);
    if (rc == CARNET_OK)
        return carnet_err_set(err, CARNET_CONFLICT, "there is a community already in %.*s", PATH_TEXT_MAX, path);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : carnet_err_set(err, rc, "cannot read %.*s", PATH_TEXT_MAX, path);
}

static carnet_rc finish(struct carnet_replica *replica, carnet_rc rc, struct carnet_replica **out)
{
    if (rc != CARNET_OK) {
        carnet_replica_close(replica);
        replica = NULL;
    }
    *out = replica;
    return rc;
}

void carnet_welcome_put(const struct carnet_replica *replica, const struct carnet_cert *cert, struct carnet_buf *out)
{
    carnet_cbor_put_array(out, 3);
    carnet_cbor_put_str(out, "carnet/1/welcome");
    carnet_cbor_put_bytes(out, carnet_authority_genesis(replica->authority));
    carnet_authority_chain(replica->authority, cert, out);
}

/* What this node begins with: enduring, before any entry. */
static carnet_rc put_roots(struct carnet_replica *replica, struct carnet_slice genesis, struct carnet_slice chain, struct carnet_err *err)
{
    carnet_rc rc = carnet_store_meta_put(replica->store, "genesis", genesis, err);
    if (rc == CARNET_OK)
        rc = carnet_store_meta_put(replica->store, "chain", chain, err);
    if (rc == CARNET_OK)
        rc = put_number(replica, "incarnation", 1, err);
    return rc;
}

/* The first entry: the genesis and the founder's certificate with its name. */
static carnet_rc write_founder(struct carnet_replica *replica, struct carnet_slice genesis, struct carnet_slice cert, struct carnet_slice node,
                               struct carnet_err *err)
{
    const struct carnet_event events[] = { { .type = CARNET_EVENT_GENESIS, .bytes = genesis }, { .type = CARNET_EVENT_CERTIFICATE, .bytes = cert } };
    const struct carnet_draft_cell cells[] = {
        { .field = CARNET_FIELD_TEXT, .label = carnet_slice_str(CARNET_LABEL_MEMBER), .value = node },
        { .field = CARNET_FIELD_TEXT, .label = carnet_slice_str(CARNET_LABEL_NODE), .value = node },
    };
    carnet_rc rc = carnet_batch_change(replica, &replica->community, CARNET_LOG_DATA, &replica->node, NULL, CARNET_KIND_CERTIFICATE, 2 * CARNET_CERT_LEN_MAX,
                                       true, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_batch_event(replica, &events[0]);
    carnet_batch_event(replica, &events[1]);
    carnet_batch_cells(replica, CARNET_SCOPE_CLEAR, 0, 0, NULL, cells, 2);
    return CARNET_OK;
}

static carnet_rc found(struct carnet_replica *replica, struct carnet_slice community, struct carnet_slice node, const uint8_t root[32], struct carnet_err *err)
{
    struct carnet_genesis genesis = { .name = community, .created_ms = carnet_replica_wall_ms(replica) };
    struct carnet_sign_sk root_sk;
    struct carnet_buf genesis_bytes, cert_bytes, chain;
    struct carnet_id book;
    carnet_buf_init(&genesis_bytes, META_LEN_MAX);
    carnet_buf_init(&cert_bytes, CARNET_CERT_LEN_MAX);
    carnet_buf_init(&chain, META_LEN_MAX);
    carnet_sign_pair(root, &genesis.root, &root_sk);
    carnet_rng_fill(&replica->env.rng, genesis.random, sizeof genesis.random);
    carnet_genesis_encode(&genesis, &genesis_bytes);
    const struct carnet_cert cert = {
        .community = carnet_genesis_community(carnet_buf_slice(&genesis_bytes)),
        .node = replica->node,
        .sign = replica->sign_pk,
        .box = replica->box_pk,
        .curve = replica->curve_pk,
        .role = CARNET_ROLE_ADMIN,
        .reads = CARNET_SCOPES_ALL,
        .writes = CARNET_SCOPES_ALL,
        .verbs = carnet_role_verbs(CARNET_ROLE_ADMIN),
        .issued_ms = genesis.created_ms,
    };
    carnet_cert_sign(&cert, &root_sk, &cert_bytes);
    carnet_wipe(&root_sk, sizeof root_sk);
    carnet_cbor_put_array(&chain, 1);
    carnet_cbor_put_bytes(&chain, carnet_buf_slice(&cert_bytes));
    carnet_rc rc = put_roots(replica, carnet_buf_slice(&genesis_bytes), carnet_buf_slice(&chain), err);
    if (rc == CARNET_OK)
        rc = carnet_memory_load(replica, err);
    if (rc == CARNET_OK)
        rc = write_founder(replica, carnet_buf_slice(&genesis_bytes), carnet_buf_slice(&cert_bytes), node, err);
    book = carnet_rng_id(&replica->env.rng, carnet_replica_wall_ms(replica));
    if (rc == CARNET_OK)
        rc = carnet_book_make_tag_key(replica, err);
    if (rc == CARNET_OK)
        rc = carnet_book_make(replica, &book, carnet_slice_str("main"), err);
    if (rc == CARNET_OK)
        rc = carnet_batch_flush(replica, err);
    carnet_buf_deinit(&genesis_bytes);
    carnet_buf_deinit(&cert_bytes);
    carnet_buf_deinit(&chain);
    return rc;
}

carnet_rc carnet_replica_found(const char *path, const struct carnet_replica_env *env, struct carnet_slice community, struct carnet_slice node,
                               const struct carnet_identity *identity, const uint8_t root[32], struct carnet_replica **out, struct carnet_err *err)
{
    *out = NULL;
    carnet_rc rc = carnet_replica_name_check(community, err);
    if (rc == CARNET_OK)
        rc = carnet_replica_name_check(node, err);
    if (rc != CARNET_OK)
        return rc;
    struct carnet_replica *replica = new_replica(env, identity);
    rc = open_fresh(replica, path, err);
    if (rc == CARNET_OK)
        rc = carnet_store_begin(replica->store, err);
    if (rc == CARNET_OK)
        rc = found(replica, community, node, root, err);
    if (rc == CARNET_OK)
        rc = carnet_replica_commit(replica, err);
    return finish(replica, rc, out);
}

/* Genesis and chain of a welcome, which must end with a certificate of this very identity. */
static carnet_rc read_welcome(struct carnet_replica *replica, const struct carnet_id *community, struct carnet_slice welcome, struct carnet_slice *genesis,
                              struct carnet_slice *chain, struct carnet_err *err)
{
    struct carnet_reader reader;
    struct carnet_cert cert;
    carnet_reader_init(&reader, welcome);
    carnet_reader_array_exact(&reader, 3);
    carnet_reader_tag(&reader, "carnet/1/welcome");
    *genesis = carnet_reader_bytes(&reader);
    *chain = carnet_reader_skip(&reader);
    if (carnet_reader_done(&reader) != CARNET_OK)
        return carnet_err_set(err, CARNET_MALFORMED, "the answer to the invitation cannot be read");
    struct carnet_authority *authority = carnet_authority_new(*genesis);
    if (!authority)
        return carnet_err_set(err, CARNET_MALFORMED, "the answer to the invitation cannot be read");
    carnet_arena_reset(&replica->read_arena);
    carnet_rc rc = carnet_authority_check_chain(authority, *chain, &replica->read_arena, &cert);
    bool invited = !community || carnet_id_equal(carnet_authority_community(authority), community);
    bool ours = rc == CARNET_OK && memcmp(cert.sign.b, replica->sign_pk.b, sizeof cert.sign.b) == 0 &&
                memcmp(cert.box.b, replica->box_pk.b, sizeof cert.box.b) == 0 && memcmp(cert.curve.b, replica->curve_pk.b, sizeof cert.curve.b) == 0;
    carnet_authority_free(authority);
    if (!invited)
        return carnet_err_set(err, CARNET_REFUSED, "the answer to the invitation is of another community");
    return ours ? CARNET_OK : carnet_err_set(err, CARNET_REFUSED, "the answer to the invitation is not for this node");
}

carnet_rc carnet_replica_join(const char *path, const struct carnet_replica_env *env, const struct carnet_identity *identity, const struct carnet_id *community,
                              struct carnet_slice welcome,
                              struct carnet_replica **out, struct carnet_err *err)
{
    struct carnet_slice genesis, chain;
    struct carnet_replica *replica = new_replica(env, identity);
    carnet_rc rc = read_welcome(replica, community, welcome, &genesis, &chain, err);
    if (rc == CARNET_OK)
        rc = open_fresh(replica, path, err);
    if (rc == CARNET_OK)
        rc = carnet_store_begin(replica->store, err);
    if (rc == CARNET_OK)
        rc = put_roots(replica, genesis, chain, err);
    if (rc == CARNET_OK)
        rc = carnet_memory_load(replica, err);
    if (rc == CARNET_OK)
        rc = carnet_replica_commit(replica, err);
    return finish(replica, rc, out);
}

carnet_rc carnet_replica_open(const char *path, const struct carnet_replica_env *env, const struct carnet_identity *identity, struct carnet_replica **out,
                              struct carnet_err *err)
{
    struct carnet_replica *replica = new_replica(env, identity);
    carnet_rc rc = open_store(replica, path, false, err);
    if (rc == CARNET_OK)
        rc = carnet_memory_load(replica, err);
    if (rc == CARNET_OK && !carnet_authority_node(replica->authority, &replica->node))
        rc = carnet_err_set(err, CARNET_REFUSED, "the keys do not belong to this database");
    bool wanted = false;
    if (rc == CARNET_OK)
        rc = carnet_store_derived_wanted(replica->store, &wanted, err);
    if (rc == CARNET_OK && wanted) {
        if (env->upgrading)
            env->upgrading(env->upgrading_ctx);
        rc = carnet_replica_rebuild(replica, err);
    }
    return finish(replica, rc, out);
}

carnet_rc carnet_replica_new_incarnation(struct carnet_replica *replica, struct carnet_err *err)
{
    bool mine;
    uint64_t written, highest = replica->incarnation;
    for (size_t i = 0; i < replica->streams.count; i++) {
        const struct carnet_stream_row *row = &replica->streams.at[i].row;
        if (carnet_id_equal(&row->author, &replica->node) && row->stream / 2 > highest)
            highest = row->stream / 2;
    }
    /* by chance, so that a copy of this database that does the same takes another one */
    uint64_t next = highest + 1 + carnet_rng_below(&replica->env.rng, 1 << 16);
    if (next > INT32_MAX)
        return carnet_err_set(err, CARNET_LIMIT, "this node has begun anew too often");
    carnet_rc rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    replica->written++;
    rc = put_number(replica, "incarnation", next, err);
    if (rc == CARNET_OK)
        replica->incarnation = (uint32_t)next;
    return carnet_tx_leave(replica, mine, written, rc, err);
}

/* --- facts --- */

const struct carnet_cert *carnet_replica_self(const struct carnet_replica *replica)
{
    return carnet_authority_node(replica->authority, &replica->node);
}

const struct carnet_authority *carnet_replica_authority(const struct carnet_replica *replica)
{
    return replica->authority;
}

const struct carnet_identity *carnet_replica_identity(const struct carnet_replica *replica)
{
    return &replica->identity;
}

struct carnet_slice carnet_replica_community_name(const struct carnet_replica *replica)
{
    return carnet_slice_str(replica->name);
}

struct carnet_store *carnet_replica_store(struct carnet_replica *replica)
{
    return replica->store;
}

void carnet_replica_random(struct carnet_replica *replica, void *out, size_t len)
{
    carnet_random(replica, out, len);
}

void carnet_random(struct carnet_replica *replica, void *out, size_t len)
{
    CARNET_ASSERT(len <= sizeof replica->random);
    if (replica->random_left < len) {
        carnet_rng_fill(&replica->env.rng, replica->random, sizeof replica->random);
        replica->random_left = sizeof replica->random;
    }
    uint8_t *from = replica->random + sizeof replica->random - replica->random_left;
    memcpy(out, from, len);
    carnet_wipe(from, len); /* given once, kept nowhere */
    replica->random_left -= len;
}

struct carnet_id carnet_replica_new_id(struct carnet_replica *replica)
{
    uint8_t random[10];
    carnet_random(replica, random, sizeof random);
    return carnet_id_v7(carnet_replica_wall_ms(replica), random);
}

int64_t carnet_replica_wall_ms(const struct carnet_replica *replica)
{
    return carnet_clock_wall_ms(&replica->env.clock);
}

int64_t carnet_replica_mono_ms(const struct carnet_replica *replica)
{
    return carnet_clock_mono_ms(&replica->env.clock);
}

uint32_t carnet_replica_incarnation(const struct carnet_replica *replica)
{
    return replica->incarnation;
}

int64_t carnet_replica_now_ms(const struct carnet_replica *replica)
{
    int64_t wall_ms = carnet_replica_wall_ms(replica), reached_ms = carnet_hlc_ms(replica->reached[1].hlc);
    return wall_ms > reached_ms ? wall_ms : reached_ms;
}

const struct carnet_charter *carnet_replica_charter(const struct carnet_replica *replica)
{
    return &replica->charter;
}

int64_t carnet_replica_last(const struct carnet_replica *replica)
{
    return CARNET_PLANTED(10) || CARNET_PLANTED(11) ? replica->last_new : replica->last; /* planted: what is not durable yet is announced */
}

static carnet_rc local_name(const char *name, char *out, size_t size, struct carnet_err *err)
{
    size_t len = strlen(name);
    if (len + sizeof "local/" > size)
        return carnet_err_set(err, CARNET_LIMIT, "the name of a setting is too long: %s", name);
    memcpy(out, "local/", sizeof "local/");
    memcpy(out + sizeof "local/" - 1, name, len + 1);
    return CARNET_OK;
}

carnet_rc carnet_replica_local_get(struct carnet_replica *replica, const char *name, struct carnet_buf *out, struct carnet_err *err)
{
    char full[96];
    carnet_rc rc = local_name(name, full, sizeof full, err);
    return rc == CARNET_OK ? carnet_store_meta_get(replica->store, full, out, err) : rc;
}

carnet_rc carnet_replica_local_put(struct carnet_replica *replica, const char *name, struct carnet_slice value, struct carnet_err *err)
{
    char full[96];
    bool mine;
    uint64_t written;
    carnet_rc rc = local_name(name, full, sizeof full, err);
    if (rc == CARNET_OK)
        rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    replica->written++;
    rc = carnet_store_meta_put(replica->store, full, value, err);
    return carnet_tx_leave(replica, mine, written, rc, err);
}
