// SPDX-License-Identifier: EUPL-1.2
/* The one door to values: what of a record is shown, and why the rest is not. */
#include "internal.h"

#include "carnet/replica/audit.h"

#include <stdlib.h>
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

static int by_id(const void *left, const void *right)
{
    const struct carnet_view_record *a = left, *b = right;
    return carnet_id_compare(&a->record->id, &b->record->id);
}

/* The records of a contact's person, the main one first; alone: the one asked for stays first, and is all that is shown. */
static void set_person(struct carnet_replica *replica, struct carnet_view *view, const struct carnet_record **person, const int64_t *numbers, size_t count, bool alone,
                       struct carnet_arena *arena)
{
    size_t known = count > 1 && carnet_id_is_zero(&person[1]->id) ? 1 : count; /* a crowd is nobody to show */
    size_t main = alone || known < 2 ? 0 : carnet_consent_main(person, known);
    if (CARNET_PLANTED(42) && !alone && known > 1)
        for (size_t i = main = 0; i < known; i++)
            main = numbers[i] < numbers[main] ? i : main; /* planted: the record that came first stands for the person */
    const uint32_t *open = carnet_rows_shown(replica, person, count, arena);
    struct carnet_view_record *records = carnet_arena_alloc(arena, known * sizeof *records);
    size_t shown = 1;
    for (size_t i = 0; i < known; i++) {
        if (i != main && (person[i]->erased || !carnet_id_equal(&person[i]->subject, &person[i]->id)))
            continue; /* it counts for what is blocked alone */
        const struct carnet_record **turned = carnet_arena_alloc(arena, count * sizeof *turned);
        memcpy(turned, person, count * sizeof *turned);
        turned[0] = person[i];
        turned[i] = person[0];
        records[i == main ? 0 : shown++] =
            (struct carnet_view_record){ .n = numbers[i], .record = person[i], .person = turned, .person_count = count, .open = open[i] };
    }
    const struct carnet_view_record first = records[0];
    if (shown > 2)
        qsort(records + 1, shown - 1, sizeof *records, by_id);
    view->n = first.n;
    view->id = first.record->id;
    if (main)
        view->record = *first.record;
    view->records = records;
    view->record_count = alone ? 1 : shown;
    view->person = carnet_arena_alloc(arena, count * sizeof *view->person);
    memcpy(view->person, first.person, count * sizeof *view->person);
    view->person_count = count;
    view->open = 0;
    for (size_t i = 0; i < view->record_count; i++)
        view->open |= records[i].open;
}

/* Scopes of the record that somebody agreed to: those of its subject's person. */
static carnet_rc find_open(struct carnet_replica *replica, struct carnet_view *view, bool alone, struct carnet_arena *arena, struct carnet_err *err)
{
    struct carnet_record *record = carnet_arena_alloc(arena, sizeof *record); /* a view may be copied: the person does not point into it */
    struct carnet_view_record *itself = carnet_arena_alloc(arena, sizeof *itself);
    const struct carnet_record **person = NULL;
    int64_t numbers[CARNET_PERSON_MAX];
    size_t count = 0;
    carnet_rc rc = CARNET_OK;
    *record = view->record;
    view->person = carnet_arena_alloc(arena, sizeof *view->person);
    view->person[0] = record;
    view->person_count = 1;
    view->about = NULL; /* nobody known */
    view->about_count = 0;
    *itself = (struct carnet_view_record){ .n = view->n, .record = record, .person = view->person, .person_count = 1 };
    view->records = itself;
    view->record_count = 1;
    view->open = itself->open = CARNET_SCOPES_ALL | 1u << CARNET_SCOPE_CLEAR;
    if (carnet_id_is_zero(&record->subject)) {
        view->restricted = carnet_consent_restricted(record);
        view->open = itself->open = carnet_consent_blocked(record) ? 0 : view->open;
        return rc;
    }
    if (carnet_id_equal(&record->subject, &record->id)) {
        rc = carnet_rows_people(replica, record, view->n, arena, numbers, &person, &count, err);
        if (rc == CARNET_OK)
            set_person(replica, view, person, numbers, count, alone, arena);
        person = view->person;
    } else {
        struct carnet_record_row row;
        struct carnet_record *subject = carnet_arena_alloc(arena, sizeof *subject);
        rc = carnet_store_record_get(replica->store, &view->book, &record->subject, &row, err);
        if (rc == CARNET_NOT_FOUND) { /* the person has not come yet */
            view->open = itself->open = 0;
            return CARNET_OK;
        }
        if (rc == CARNET_OK)
            rc = unpack(replica, row.state, arena, subject, err);
        if (rc == CARNET_OK)
            rc = carnet_rows_person(replica, subject, row.n, arena, &person, &count, err);
        if (rc == CARNET_OK)
            view->open = itself->open = carnet_consent_open(&replica->charter, person, count, carnet_replica_now_ms(replica));
    }
    if (rc != CARNET_OK)
        return rc;
    view->about = person;
    view->about_count = count;
    if (!carnet_id_equal(&record->subject, &record->id) && carnet_consent_blocked(record)) { /* a note, a visit: it may say no by itself */
        view->restricted = carnet_consent_restricted(record);
        view->open = itself->open = 0;
    }
    for (size_t i = 0; i < count; i++)
        view->restricted = view->restricted || carnet_consent_restricted(person[i]);
    return rc;
}

struct carnet_view carnet_view_one(const struct carnet_view *view, size_t i)
{
    struct carnet_view one = *view;
    const struct carnet_view_record *record = &view->records[i];
    if (view->about_count && view->about[0] == view->person[0]) { /* a contact; anything else is its only record */
        one.about = record->person;
        one.about_count = record->person_count;
        one.person = one.about;
        one.person_count = one.about_count;
    }
    one.n = record->n;
    one.id = record->record->id;
    one.record = *record->record;
    one.records = record;
    one.record_count = 1;
    one.open = record->open;
    one.cells = NULL;
    one.cell_count = 0;
    return one;
}

/* What a reader sees passes here: each scope of the record that holds values is asked for. */
static uint32_t ask_allowed(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, uint32_t scopes)
{
    uint32_t allowed = 0;
    for (unsigned scope = CARNET_SCOPE_CLEAR; scope < CARNET_SCOPE_COUNT; scope++)
        if (scopes >> scope & 1 && carnet_replica_allowed(replica, view, purpose, (enum carnet_scope)scope, NULL) == CARNET_OK)
            allowed |= 1u << scope;
    if (CARNET_PLANTED(14))
        allowed |= scopes & 1u << CARNET_SCOPE_PHONE; /* planted: phones are shown whatever was said */
    return allowed;
}

struct carnet_cell *carnet_replica_cells(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, struct carnet_arena *arena, size_t *count)
{
    const struct carnet_record **person = carnet_arena_alloc(arena, view->record_count * sizeof *person);
    uint32_t *shown = carnet_arena_alloc(arena, view->record_count * sizeof *shown);
    for (size_t i = 0; i < view->record_count; i++) {
        struct carnet_view one = carnet_view_one(view, i);
        person[i] = view->records[i].record;
        shown[i] = ask_allowed(replica, &one, purpose, carnet_record_scopes_in(person[i], CARNET_SIBLING_VALUE));
    }
    if (view->record_count == 1)
        return carnet_record_cells(person[0], shown[0], arena, count);
    return carnet_rows_cells(person, shown, view->record_count, arena, count);
}

size_t carnet_view_holder(const struct carnet_view *view, const struct carnet_sibling *sibling)
{
    for (size_t i = 0; i < view->record_count; i++)
        for (size_t j = 0; j < view->records[i].record->live_count; j++)
            if (carnet_dot_equal(&view->records[i].record->live[j].dot, &sibling->dot))
                return i;
    return 0;
}

/* What is shown of it, and why the rest is not. */
static void show(struct carnet_replica *replica, struct carnet_view *out, struct carnet_arena *arena)
{
    const uint32_t named = CARNET_SCOPES_ALL & ~(1u << CARNET_SCOPE_CONSENT);
    uint32_t shown = 0, known = 0;
    for (size_t i = 0; i < out->record_count; i++) {
        const struct carnet_record *record = out->records[i].record;
        uint32_t open = out->records[i].open, values = carnet_record_scopes_in(record, CARNET_SIBLING_VALUE);
        uint32_t waiting = carnet_record_scopes_in(record, CARNET_SIBLING_LOCKED) | carnet_record_scopes_in(record, CARNET_SIBLING_MISSING);
        out->blocked |= (values | waiting) & ~open & named;
        out->locked |= waiting & open & named;
        out->dark |= carnet_record_scopes_in(record, CARNET_SIBLING_DARK) & named;
        shown |= values & open;
        known |= values | waiting;
    }
    out->dark &= ~known;
    if (out->record_count > 1) { /* a scope that is shown of one record is not said to be away */
        out->blocked &= ~shown;
        out->locked &= ~shown;
    }
    out->cells = carnet_replica_cells(replica, out, CARNET_SLICE_NONE, arena, &out->cell_count);
    for (size_t i = 0; i < out->cell_count; i++)
        out->conflicts += out->cells[i].conflict;
}

static carnet_rc build(struct carnet_replica *replica, const struct carnet_record_row *row, bool alone, struct carnet_arena *arena, struct carnet_view *out,
                       struct carnet_err *err)
{
    memset(out, 0, sizeof *out);
    if (row->flags & (CARNET_ROW_ERASED | CARNET_ROW_EMPTY))
        return unknown(err);
    out->n = row->n;
    out->book = row->book;
    out->id = row->id;
    carnet_rc rc = unpack(replica, row->state, arena, &out->record, err);
    if (rc == CARNET_OK)
        rc = find_open(replica, out, alone, arena, err);
    if (rc == CARNET_OK)
        show(replica, out, arena);
    return rc;
}

static carnet_rc view_of(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, bool alone, struct carnet_arena *arena,
                         struct carnet_view *out, struct carnet_err *err)
{
    struct carnet_record_row row;
    carnet_rc rc = carnet_store_record_get(replica->store, book, record, &row, err);
    if (rc == CARNET_NOT_FOUND)
        return unknown(err);
    return rc == CARNET_OK ? build(replica, &row, alone, arena, out, err) : rc;
}

static carnet_rc view_at(struct carnet_replica *replica, int64_t n, bool alone, struct carnet_arena *arena, struct carnet_view *out, struct carnet_err *err)
{
    struct carnet_record_row row;
    carnet_rc rc = carnet_store_record_at(replica->store, n, &row, err);
    if (rc == CARNET_NOT_FOUND)
        return unknown(err);
    return rc == CARNET_OK ? build(replica, &row, alone, arena, out, err) : rc;
}

carnet_rc carnet_replica_view(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, struct carnet_arena *arena,
                              struct carnet_view *out, struct carnet_err *err)
{
    return view_of(replica, book, record, false, arena, out, err);
}

carnet_rc carnet_replica_record(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, struct carnet_arena *arena,
                                struct carnet_view *out, struct carnet_err *err)
{
    return view_of(replica, book, record, true, arena, out, err);
}

carnet_rc carnet_replica_view_at(struct carnet_replica *replica, int64_t n, struct carnet_arena *arena, struct carnet_view *out, struct carnet_err *err)
{
    return view_at(replica, n, false, arena, out, err);
}

carnet_rc carnet_replica_record_at(struct carnet_replica *replica, int64_t n, struct carnet_arena *arena, struct carnet_view *out, struct carnet_err *err)
{
    return view_at(replica, n, true, arena, out, err);
}

static void add_person(const struct carnet_view *view, const struct carnet_record **person, int64_t *numbers, size_t *at)
{
    for (size_t i = 0; i < view->person_count; i++, (*at)++) {
        person[*at] = view->person[i];
        numbers[*at] = 0;
        for (size_t j = 0; j < view->record_count; j++)
            if (view->records[j].record == view->person[i])
                numbers[*at] = view->records[j].n;
    }
}

carnet_rc carnet_replica_view_merged(struct carnet_replica *replica, int64_t a, int64_t b, struct carnet_arena *arena, struct carnet_view *out, struct carnet_err *err)
{
    struct carnet_view other;
    int64_t numbers[CARNET_PERSON_MAX];
    carnet_rc rc = carnet_replica_view_at(replica, a, arena, out, err);
    if (rc == CARNET_OK)
        rc = carnet_replica_view_at(replica, b, arena, &other, err);
    if (rc != CARNET_OK || other.n == out->n)
        return rc;
    size_t count = out->person_count + other.person_count, at = 0;
    if (count > CARNET_PERSON_MAX)
        return carnet_err_set(err, CARNET_LIMIT, "a person has at most %d merged contacts", CARNET_PERSON_MAX);
    const struct carnet_record **person = carnet_arena_alloc(arena, count * sizeof *person);
    add_person(out, person, numbers, &at);
    add_person(&other, person, numbers, &at);
    set_person(replica, out, person, numbers, at, false, arena);
    if (!carnet_id_equal(&out->id, &person[0]->id)) { /* a stays */
        struct carnet_view_record *records = carnet_arena_alloc(arena, at * sizeof *records);
        size_t was = 0;
        while (out->records[was].record != person[0])
            was++;
        records[0] = out->records[was];
        for (size_t i = 0, to = 1; i < out->record_count; i++)
            if (i != was)
                records[to++] = out->records[i];
        out->records = records;
        out->n = records[0].n;
        out->id = records[0].record->id;
        out->record = *records[0].record;
        memcpy(out->person, records[0].person, at * sizeof *out->person);
    }
    out->person_count = at;
    out->about = out->person;
    out->about_count = out->person_count;
    out->restricted = out->restricted || other.restricted;
    out->blocked = out->dark = out->locked = out->conflicts = 0;
    show(replica, out, arena);
    return CARNET_OK;
}

carnet_rc carnet_replica_connected(struct carnet_replica *replica, int64_t n, struct carnet_arena *arena, struct carnet_id **out, size_t *count, struct carnet_err *err)
{
    int64_t *numbers = carnet_arena_alloc(arena, CARNET_PERSON_WALK * sizeof *numbers);
    carnet_rc rc = carnet_rows_component(replica, n, numbers, CARNET_PERSON_WALK, count, err);
    *out = carnet_arena_alloc(arena, (rc == CARNET_OK ? *count : 0) * sizeof **out + 1);
    for (size_t i = 0; rc == CARNET_OK && i < *count; i++) {
        struct carnet_record_row row;
        rc = carnet_store_record_at(replica->store, numbers[i], &row, err);
        (*out)[i] = row.id;
    }
    return rc;
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

static carnet_rc find_text(struct carnet_replica *replica, struct carnet_slice text, int64_t *out, struct carnet_err *err)
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
    *out = found;
    return CARNET_OK;
}

carnet_rc carnet_replica_view_text(struct carnet_replica *replica, struct carnet_slice text, struct carnet_arena *arena, struct carnet_view *out,
                                   struct carnet_err *err)
{
    int64_t n;
    carnet_rc rc = find_text(replica, text, &n, err);
    replica->tags.now = true;
    if (rc == CARNET_OK)
        rc = carnet_replica_view_at(replica, n, arena, out, err);
    replica->tags.now = false;
    return rc;
}

carnet_rc carnet_replica_record_text(struct carnet_replica *replica, struct carnet_slice text, struct carnet_arena *arena, struct carnet_view *out,
                                     struct carnet_err *err)
{
    int64_t n;
    carnet_rc rc = find_text(replica, text, &n, err);
    replica->tags.now = true;
    if (rc == CARNET_OK)
        rc = carnet_replica_record_at(replica, n, arena, out, err);
    replica->tags.now = false;
    return rc;
}

static carnet_rc allowed_one(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, enum carnet_scope scope,
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

carnet_rc carnet_replica_allowed(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, enum carnet_scope scope,
                                 struct carnet_consent *out)
{
    carnet_rc rc = CARNET_REFUSED;
    size_t asked = 0;
    if (view->record_count < 2)
        return allowed_one(replica, view, purpose, scope, out);
    for (unsigned pass = 0; pass < 2 && !asked; pass++)
        for (size_t i = 0; i < view->record_count; i++) {
            const struct carnet_view one = carnet_view_one(view, i);
            struct carnet_consent consent;
            if (pass == 0 && !(one.open & carnet_record_scopes_in(&one.record, CARNET_SIBLING_VALUE) & 1u << scope))
                continue; /* it shows nothing of the scope */
            carnet_rc this = allowed_one(replica, &one, purpose, scope, out ? &consent : NULL);
            if (out && (!asked || (rc == CARNET_OK && this != CARNET_OK)))
                *out = consent;
            if (pass == 0 && this != CARNET_OK)
                return this; /* of the view's cells, some would be used without an agreement */
            if (out && this == CARNET_OK && rc != CARNET_OK)
                *out = consent;
            rc = rc == CARNET_OK ? rc : this;
            asked++;
        }
    return rc;
}

carnet_rc carnet_replica_about(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *subject, struct carnet_arena *arena,
                               bool (*each)(void *ctx, const struct carnet_view *view), void *ctx, struct carnet_err *err)
{
    struct carnet_record_row row;
    struct carnet_id alone = *subject, *ids = &alone;
    size_t id_count = 1;
    carnet_rc rc = carnet_store_record_get(replica->store, book, subject, &row, err);
    if (rc == CARNET_OK && row.flags & CARNET_ROW_PERSON)
        rc = carnet_replica_connected(replica, row.n, arena, &ids, &id_count, err);
    rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    for (size_t j = 0; rc == CARNET_OK && j < id_count; j++) {
        int64_t *numbers;
        size_t count;
        rc = carnet_rows_about(replica, book, &ids[j], arena, &numbers, &count, err);
        for (size_t i = 0; rc == CARNET_OK && i < count; i++) {
            struct carnet_view view;
            rc = carnet_replica_view_at(replica, numbers[i], arena, &view, err);
            if (rc == CARNET_OK && !each(ctx, &view))
                return rc;
            rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
        }
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
    if (rc == CARNET_OK) { /* this record's, whoever it is one with */
        struct carnet_view_record *itself = carnet_arena_alloc(arena, sizeof *itself);
        *itself = view.records[0];
        view.open = itself->open = CARNET_SCOPES_ALL | 1u << CARNET_SCOPE_CLEAR;
        view.records = itself;
        view.cells = carnet_record_cells(&view.record, carnet_record_scopes_in(&view.record, CARNET_SIBLING_VALUE), arena, &view.cell_count);
        view.conflicts = 0;
        for (size_t i = 0; i < view.cell_count; i++)
            view.conflicts += view.cells[i].conflict;
        *ended = !each(ctx, &view);
    }
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
