// SPDX-License-Identifier: EUPL-1.2
/* The one door to values: what of a record is shown, and why the rest is not. */
#include "internal.h"

#include "carnet/replica/audit.h"

#include <string.h>

static carnet_rc unknown(struct carnet_err *err)
{
    return carnet_err_set(err, CARNET_NOT_FOUND, "there is no such record");
}

static carnet_rc unpack(struct carnet_replica *replica, struct carnet_slice state, struct carnet_arena *arena, struct carnet_record *out, struct carnet_err *err)
{
    if (carnet_record_unpack(carnet_arena_dup(arena, state), &replica->viewed) != CARNET_OK)
        return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "record");
    carnet_rows_copy(&replica->viewed, arena, out);
    return CARNET_OK;
}

/* Scopes of the record that somebody agreed to: those of its subject's person. */
static carnet_rc find_open(struct carnet_replica *replica, struct carnet_view *view, struct carnet_arena *arena, struct carnet_err *err)
{
    struct carnet_record *record = carnet_arena_alloc(arena, sizeof *record); /* a view may be copied: the person does not point into it */
    const struct carnet_record **person = NULL;
    size_t count = 0;
    carnet_rc rc = CARNET_OK;
    *record = view->record;
    view->person = carnet_arena_alloc(arena, sizeof *view->person);
    view->person[0] = record;
    view->person_count = 1;
    view->about = NULL; /* nobody known */
    view->about_count = 0;
    view->open = CARNET_SCOPES_ALL | 1u << CARNET_SCOPE_CLEAR;
    if (carnet_id_is_zero(&record->subject)) {
        view->restricted = carnet_consent_restricted(record);
        view->open = carnet_consent_blocked(record) ? 0 : view->open;
        return rc;
    }
    if (carnet_id_equal(&record->subject, &record->id)) {
        rc = carnet_rows_person(replica, record, view->n, arena, &person, &count, err);
        view->person = person;
        view->person_count = count;
    } else {
        struct carnet_record_row row;
        struct carnet_record *subject = carnet_arena_alloc(arena, sizeof *subject);
        rc = carnet_store_record_get(replica->store, &view->book, &record->subject, &row, err);
        if (rc == CARNET_NOT_FOUND) { /* the person has not come yet */
            view->open = 0;
            return CARNET_OK;
        }
        if (rc == CARNET_OK)
            rc = unpack(replica, row.state, arena, subject, err);
        if (rc == CARNET_OK)
            rc = carnet_rows_person(replica, subject, row.n, arena, &person, &count, err);
    }
    if (rc != CARNET_OK)
        return rc;
    view->about = person;
    view->about_count = count;
    view->open = carnet_consent_open(&replica->charter, person, count, carnet_replica_now_ms(replica));
    if (person[0] != record && carnet_consent_blocked(record)) { /* a note, a visit: it may say no by itself */
        view->restricted = carnet_consent_restricted(record);
        view->open = 0;
    }
    for (size_t i = 0; i < count; i++)
        view->restricted = view->restricted || carnet_consent_restricted(person[i]);
    if (CARNET_PLANTED(14))
        view->open |= 1u << CARNET_SCOPE_PHONE; /* planted: phones are shown whatever was said */
    return rc;
}

/* What a reader sees passes here: each scope of the record that holds values is asked for. */
static uint32_t ask_allowed(struct carnet_replica *replica, const struct carnet_view *view, uint32_t scopes)
{
    uint32_t allowed = 0;
    for (unsigned scope = CARNET_SCOPE_CLEAR; scope < CARNET_SCOPE_COUNT; scope++)
        if (scopes >> scope & 1 && carnet_replica_allowed(replica, view, CARNET_SLICE_NONE, (enum carnet_scope)scope, NULL) == CARNET_OK)
            allowed |= 1u << scope;
    return allowed;
}

static carnet_rc build(struct carnet_replica *replica, const struct carnet_record_row *row, bool whole, struct carnet_arena *arena, struct carnet_view *out,
                       struct carnet_err *err)
{
    const uint32_t named = CARNET_SCOPES_ALL & ~(1u << CARNET_SCOPE_CONSENT);
    memset(out, 0, sizeof *out);
    if (row->flags & (CARNET_ROW_ERASED | CARNET_ROW_EMPTY))
        return unknown(err);
    out->n = row->n;
    out->book = row->book;
    out->id = row->id;
    carnet_rc rc = unpack(replica, row->state, arena, &out->record, err);
    if (rc == CARNET_OK)
        rc = find_open(replica, out, arena, err);
    if (rc != CARNET_OK)
        return rc;
    const struct carnet_record *record = &out->record;
    uint32_t values = carnet_record_scopes_in(record, CARNET_SIBLING_VALUE);
    uint32_t waiting = carnet_record_scopes_in(record, CARNET_SIBLING_LOCKED) | carnet_record_scopes_in(record, CARNET_SIBLING_MISSING);
    out->blocked = (values | waiting) & ~out->open & named;
    out->locked = waiting & out->open & named;
    out->dark = carnet_record_scopes_in(record, CARNET_SIBLING_DARK) & ~values & ~waiting & named;
    if (whole)
        out->open = CARNET_SCOPES_ALL | 1u << CARNET_SCOPE_CLEAR;
    out->cells = carnet_record_cells(record, whole ? values : ask_allowed(replica, out, values), arena, &out->cell_count);
    for (size_t i = 0; i < out->cell_count; i++)
        out->conflicts += out->cells[i].conflict;
    return CARNET_OK;
}

carnet_rc carnet_replica_view(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, struct carnet_arena *arena,
                              struct carnet_view *out, struct carnet_err *err)
{
    struct carnet_record_row row;
    carnet_rc rc = carnet_store_record_get(replica->store, book, record, &row, err);
    if (rc == CARNET_NOT_FOUND)
        return unknown(err);
    return rc == CARNET_OK ? build(replica, &row, false, arena, out, err) : rc;
}

carnet_rc carnet_replica_view_at(struct carnet_replica *replica, int64_t n, struct carnet_arena *arena, struct carnet_view *out, struct carnet_err *err)
{
    struct carnet_record_row row;
    carnet_rc rc = carnet_store_record_at(replica->store, n, &row, err);
    if (rc == CARNET_NOT_FOUND)
        return unknown(err);
    return rc == CARNET_OK ? build(replica, &row, false, arena, out, err) : rc;
}

/* Is the record one that a person may name? */
static carnet_rc is_named(struct carnet_replica *replica, int64_t n, const struct carnet_id *whole, bool *out, struct carnet_err *err)
{
    struct carnet_record_row row;
    carnet_rc rc = carnet_store_record_at(replica->store, n, &row, err);
    *out = rc == CARNET_OK && !(row.flags & (CARNET_ROW_ERASED | CARNET_ROW_EMPTY)) && !carnet_id_equal(&row.book, &replica->community) &&
           (!whole || carnet_id_equal(&row.id, whole));
    return rc;
}

carnet_rc carnet_replica_view_text(struct carnet_replica *replica, struct carnet_slice text, struct carnet_arena *arena, struct carnet_view *out,
                                   struct carnet_err *err)
{
    enum { MATCHES_MAX = 64 };
    int64_t numbers[MATCHES_MAX], found = 0;
    struct carnet_id whole;
    uint64_t low, high;
    size_t count, shown = text.len < 40 ? text.len : 40;
    bool hex = text.len == 32 && carnet_unhex(text, whole.b, sizeof whole.b);
    if (hex)
        low = high = carnet_id_tail(&whole);
    else if (!carnet_id_range(text, &low, &high))
        return carnet_err_set(err, CARNET_USAGE, "\"%.*s\" is not an id", (int)shown, text.len ? (const char *)text.ptr : "");
    carnet_rc rc = carnet_store_record_tails(replica->store, low, high, MATCHES_MAX, numbers, &count, err);
    for (size_t i = 0; rc == CARNET_OK && i < count; i++) {
        bool named;
        rc = is_named(replica, numbers[i], hex ? &whole : NULL, &named, err);
        if (rc != CARNET_OK || !named)
            continue;
        if (found) {
            rc = carnet_err_set(err, CARNET_AMBIGUOUS, "several records begin with %.*s", (int)shown, (const char *)text.ptr);
            carnet_err_hint(err, "give more of the id");
        }
        found = numbers[i];
    }
    if (rc != CARNET_OK)
        return rc;
    if (!found)
        return carnet_err_set(err, CARNET_NOT_FOUND, "there is no record %.*s", (int)shown, (const char *)text.ptr);
    replica->tags.now = true;
    rc = carnet_replica_view_at(replica, found, arena, out, err);
    replica->tags.now = false;
    return rc;
}

carnet_rc carnet_replica_allowed(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, enum carnet_scope scope,
                                 struct carnet_consent *out)
{
    const struct carnet_purpose_def *def;
    bool open = view->open >> scope & 1; /* some live grant covers it, or it needs none */
    bool needs = !carnet_id_is_zero(&view->record.subject) && scope != CARNET_SCOPE_CONSENT && scope != CARNET_SCOPE_CLEAR;
    struct carnet_consent ignored, consent;
    if (purpose.len == 0 && (!out || !needs)) {
        if (out)
            *out = (struct carnet_consent){ .state = CARNET_CONSENT_NONE };
        return open ? CARNET_OK : CARNET_REFUSED;
    }
    int64_t now_ms = carnet_replica_now_ms(replica);
    struct carnet_arena arena;
    const struct carnet_record **about = view->about;
    carnet_rc rc = CARNET_REFUSED;
    out = out ? out : &ignored;
    *out = (struct carnet_consent){ .state = CARNET_CONSENT_NONE };
    carnet_arena_init(&arena);
    if (purpose.len && carnet_tags_about(replica, view, &arena, &about, NULL) != CARNET_OK)
        open = false; /* what cannot be compared is not used */
    for (size_t i = 0; rc != CARNET_OK && view->about_count && (def = carnet_purpose_at(&replica->charter, i)) != NULL; i++) {
        if (purpose.len && !carnet_slice_equal(purpose, carnet_slice_str(def->name)))
            continue;
        consent = carnet_consent_evaluate(&replica->charter, about, view->about_count, carnet_slice_str(def->name), now_ms);
        bool covers = consent.scopes >> scope & 1; /* what was granted, whatever the purpose has become since */
        if (!covers && !(def->scopes >> scope & 1))
            continue;
        if (out->state == CARNET_CONSENT_NONE || covers)
            *out = consent;
        if (covers && open)
            rc = CARNET_OK;
    }
    if (rc != CARNET_OK)
        out->live = false;
    carnet_arena_deinit(&arena);
    return rc;
}

carnet_rc carnet_replica_about(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *subject, struct carnet_arena *arena,
                               bool (*each)(void *ctx, const struct carnet_view *view), void *ctx, struct carnet_err *err)
{
    int64_t *numbers;
    size_t count;
    carnet_rc rc = carnet_rows_about(replica, book, subject, arena, &numbers, &count, err);
    for (size_t i = 0; rc == CARNET_OK && i < count; i++) {
        struct carnet_view view;
        rc = carnet_replica_view_at(replica, numbers[i], arena, &view, err);
        if (rc == CARNET_OK && !each(ctx, &view))
            return rc;
        rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    }
    return rc;
}

/* --- the other door: to the person themselves --- */

static carnet_rc give_whole(struct carnet_replica *replica, int64_t n, struct carnet_arena *arena, bool (*each)(void *ctx, const struct carnet_view *view), void *ctx,
                            bool *ended, struct carnet_err *err)
{
    struct carnet_record_row row;
    struct carnet_view view;
    carnet_rc rc = carnet_store_record_at(replica->store, n, &row, err);
    if (rc == CARNET_OK)
        rc = build(replica, &row, true, arena, &view, err);
    if (rc == CARNET_OK)
        *ended = !each(ctx, &view);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

carnet_rc carnet_replica_view_whole(struct carnet_replica *replica, const struct carnet_view *person, struct carnet_arena *arena,
                                    bool (*each)(void *ctx, const struct carnet_view *view), void *ctx, struct carnet_err *err)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    bool ended = false;
    if (!self || !(self->verbs & CARNET_VERB_ERASE)) {
        carnet_err_set(err, CARNET_REFUSED, "this node may not answer a request for access");
        carnet_err_hint(err, "an office or an admin does it");
        return CARNET_REFUSED;
    }
    if (person->record.kind != CARNET_KIND_CONTACT)
        return carnet_err_set(err, CARNET_USAGE, "this is not a contact but another record");
    carnet_rc rc = carnet_audit_add(replica, CARNET_AUDIT_ACCESS, carnet_slice_str("all that is known of one person"), err);
    for (size_t i = 0; rc == CARNET_OK && i < person->person_count && !ended; i++) {
        struct carnet_record_row row;
        int64_t *numbers;
        size_t count;
        rc = carnet_store_record_get(replica->store, &person->book, &person->person[i]->id, &row, err);
        if (rc == CARNET_NOT_FOUND) { /* more than can be one person: the record that blocks them all is none */
            rc = CARNET_OK;
            continue;
        }
        if (rc == CARNET_OK)
            rc = give_whole(replica, row.n, arena, each, ctx, &ended, err);
        if (rc == CARNET_OK && !ended)
            rc = carnet_rows_about(replica, &person->book, &person->person[i]->id, arena, &numbers, &count, err);
        for (size_t j = 0; rc == CARNET_OK && !ended && j < count; j++)
            rc = give_whole(replica, numbers[j], arena, each, ctx, &ended, err);
    }
    return rc;
}
