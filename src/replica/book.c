// SPDX-License-Identifier: EUPL-1.2
/* Books, and the epochs whose keys open them, boxed to their readers. */
#include "internal.h"

#include "carnet/base/text.h"

#include <string.h>

enum { BOX_SIZE = 320 /* of one boxed key in an entry, at most */, EVENT_SIZE = 600 };

size_t carnet_replica_book_count(const struct carnet_replica *replica)
{
    return replica->book_count;
}

const struct carnet_book *carnet_replica_book_at(const struct carnet_replica *replica, size_t i)
{
    return i < replica->book_count ? &replica->books[i] : NULL;
}

static const struct carnet_book *default_book(const struct carnet_replica *replica)
{
    const struct carnet_book *first = NULL, *main_book = NULL;
    for (size_t i = 0; i < replica->book_count; i++) {
        const struct carnet_book *book = &replica->books[i];
        if (!book->held)
            continue;
        first = first ? first : book;
        if (!main_book && strcmp(book->name, "main") == 0)
            main_book = book;
    }
    return replica->held_count > 1 && main_book ? main_book : first;
}

static bool same_name(struct carnet_slice a, struct carnet_slice b)
{
    struct carnet_buf x, y;
    carnet_buf_init(&x, 8 * CARNET_NAME_LEN_MAX);
    carnet_buf_init(&y, 8 * CARNET_NAME_LEN_MAX);
    bool same = carnet_text_fold(a, &x) == CARNET_OK && carnet_text_fold(b, &y) == CARNET_OK && carnet_slice_equal(carnet_buf_slice(&x), carnet_buf_slice(&y));
    carnet_buf_deinit(&x);
    carnet_buf_deinit(&y);
    return same;
}

carnet_rc carnet_replica_book_find(const struct carnet_replica *replica, struct carnet_slice name, const struct carnet_book **out, struct carnet_err *err)
{
    *out = name.len == 0 ? default_book(replica) : NULL;
    if (*out)
        return CARNET_OK;
    if (name.len == 0)
        return carnet_err_set(err, CARNET_NOT_FOUND, "this node holds no book yet");
    for (size_t i = 0; i < replica->book_count && !*out; i++)
        if (same_name(carnet_slice_str(replica->books[i].name), name))
            *out = &replica->books[i];
    for (size_t i = 0; i < replica->book_count && !*out; i++) {
        struct carnet_id_text text = carnet_id_text(&replica->books[i].id);
        if (carnet_slice_equal(carnet_slice_str(text.s), name))
            *out = &replica->books[i];
    }
    return *out ? CARNET_OK : carnet_err_set(err, CARNET_NOT_FOUND, "there is no book %.*s", (int)(name.len < 80 ? name.len : 80), (const char *)name.ptr);
}

static struct carnet_id boxes_record(const struct carnet_id *reader)
{
    struct carnet_hash hash = carnet_hash_of("carnet/1/boxes", carnet_slice(reader->b, sizeof reader->b));
    struct carnet_id id;
    memcpy(id.b, hash.b, sizeof id.b);
    return id;
}

static carnet_rc put_box(struct carnet_replica *replica, const struct carnet_epoch *epoch, const struct carnet_cert *reader, struct carnet_err *err)
{
    struct carnet_buf box;
    carnet_buf_init(&box, 256);
    carnet_rc rc = carnet_box_seal(&reader->box, carnet_slice(epoch->key.b, sizeof epoch->key.b), &box);
    if (rc == CARNET_OK)
        carnet_batch_box(replica, epoch->scope, epoch->id, &reader->node, carnet_buf_slice(&box));
    else
        rc = carnet_err_set(err, rc, "a key cannot be sealed for a member: the key of its certificate is bad");
    carnet_buf_deinit(&box);
    return rc;
}

static carnet_rc begin_boxes(struct carnet_replica *replica, const struct carnet_id *reader, size_t count, struct carnet_err *err)
{
    struct carnet_id record = boxes_record(reader);
    return carnet_batch_change(replica, &replica->community, CARNET_LOG_DATA, &record, NULL, CARNET_KIND_EPOCH, count * BOX_SIZE, false, err);
}

carnet_rc carnet_book_box(struct carnet_replica *replica, const struct carnet_epoch *epoch, const struct carnet_cert *reader, struct carnet_err *err)
{
    if (!epoch->held)
        return carnet_err_set(err, CARNET_REFUSED, "this node does not hold the key");
    carnet_rc rc = begin_boxes(replica, &reader->node, 1, err);
    return rc == CARNET_OK ? put_box(replica, epoch, reader, err) : rc;
}

bool carnet_book_reader(const struct carnet_replica *replica, const struct carnet_epoch *epoch, const struct carnet_cert *reader)
{
    if (carnet_id_equal(&epoch->book, &replica->community))
        return reader->verbs & CARNET_VERB_DELIVER && epoch->scope == CARNET_SCOPE_CONSENT;
    return carnet_cert_holds(reader, &epoch->book) && reader->reads >> epoch->scope & 1;
}

static bool may_box(const struct carnet_replica *replica, const struct carnet_epoch *epoch, const struct carnet_cert *reader)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    return epoch->held && carnet_book_reader(replica, epoch, reader) && self && self->reads >> epoch->scope & 1 &&
           self->verbs & (CARNET_VERB_INVITE | CARNET_VERB_CHARTER) && !carnet_boxed(replica, epoch->id, &reader->node);
}

carnet_rc carnet_book_box_missing(struct carnet_replica *replica, const struct carnet_cert *reader, size_t *count, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    size_t in_change = CARNET_CHANGE_PARTS_MAX;
    *count = 0;
    if (carnet_authority_is_cut(replica->authority, &reader->node))
        return rc;
    for (size_t i = 0; rc == CARNET_OK && i < carnet_keyring_count(replica->keyring); i++) {
        const struct carnet_epoch *epoch = carnet_keyring_at(replica->keyring, i);
        if (!may_box(replica, epoch, reader))
            continue;
        if (in_change == CARNET_CHANGE_PARTS_MAX) {
            rc = begin_boxes(replica, &reader->node, CARNET_CHANGE_PARTS_MAX, err);
            in_change = 0;
        }
        if (rc == CARNET_OK)
            rc = put_box(replica, epoch, reader, err);
        in_change++;
        (*count)++;
    }
    return rc;
}

static carnet_rc make_epoch(struct carnet_replica *replica, const struct carnet_id *book, enum carnet_scope scope, struct carnet_err *err)
{
    struct carnet_epoch epoch = { .book = *book, .scope = scope, .number = 1, .held = true };
    struct carnet_id record;
    carnet_rng_fill(&replica->env.rng, epoch.key.b, sizeof epoch.key.b);
    epoch.id = carnet_epoch_commit(book, scope, &epoch.key, &epoch.commitment);
    memcpy(record.b, epoch.commitment.b, sizeof record.b);
    const struct carnet_event event = {
        .type = CARNET_EVENT_EPOCH, .other = *book, .scope = scope, .epoch = epoch.id, .number = epoch.number, .hash = epoch.commitment
    };
    carnet_rc rc = carnet_batch_change(replica, &replica->community, CARNET_LOG_DATA, &record, NULL, CARNET_KIND_EPOCH, EVENT_SIZE + BOX_SIZE, true, err);
    if (rc == CARNET_OK) {
        carnet_batch_event(replica, &event);
        rc = put_box(replica, &epoch, carnet_replica_self(replica), err);
    }
    carnet_wipe(&epoch, sizeof epoch);
    return rc;
}

carnet_rc carnet_book_make_tag_key(struct carnet_replica *replica, struct carnet_err *err)
{
    return make_epoch(replica, &replica->community, CARNET_SCOPE_CONSENT, err);
}

carnet_rc carnet_book_make(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_slice name, struct carnet_err *err)
{
    const struct carnet_event event = { .type = CARNET_EVENT_BOOK, .other = *book, .text = name };
    carnet_rc rc = carnet_batch_change(replica, &replica->community, CARNET_LOG_DATA, book, NULL, CARNET_KIND_BOOK, EVENT_SIZE, true, err);
    if (rc == CARNET_OK)
        carnet_batch_event(replica, &event);
    for (unsigned scope = CARNET_SCOPE_IDENTITY; rc == CARNET_OK && scope < CARNET_SCOPE_COUNT; scope++)
        rc = make_epoch(replica, book, (enum carnet_scope)scope, err);
    if (rc == CARNET_OK)
        rc = carnet_batch_flush(replica, err); /* now the epochs are known here */
    for (size_t i = 0; rc == CARNET_OK && i < carnet_authority_count(replica->authority); i++) {
        size_t count;
        rc = carnet_book_box_missing(replica, carnet_authority_at(replica->authority, i), &count, err);
    }
    return rc;
}

carnet_rc carnet_replica_book_add(struct carnet_replica *replica, struct carnet_slice name, struct carnet_id *out, struct carnet_err *err)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    bool mine;
    uint64_t written;
    carnet_rc rc = carnet_replica_name_check(name, err);
    if (rc != CARNET_OK)
        return rc;
    if (!self || !(self->verbs & CARNET_VERB_CHARTER) || self->book_count)
        return carnet_err_set(err, CARNET_REFUSED, "only an admin of every book adds books");
    for (size_t i = 0; i < replica->book_count; i++)
        if (same_name(carnet_slice_str(replica->books[i].name), name))
            return carnet_err_set(err, CARNET_CONFLICT, "there is a book %s already", replica->books[i].name);
    if (replica->book_count >= CARNET_BOOKS_MAX)
        return carnet_err_set(err, CARNET_LIMIT, "a community has at most %d books", CARNET_BOOKS_MAX);
    rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_batch_reset(replica);
    *out = carnet_replica_new_id(replica);
    rc = carnet_book_make(replica, out, name, err);
    if (rc == CARNET_OK)
        rc = carnet_batch_flush(replica, err);
    return carnet_tx_leave(replica, mine, written, rc, err);
}
