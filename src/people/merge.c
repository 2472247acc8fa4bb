// SPDX-License-Identifier: EUPL-1.2
#include "carnet/people/merge.h"

#include "internal.h"

#include <string.h>

static bool is_contact(const struct carnet_view *view)
{
    return view->record.kind == CARNET_KIND_CONTACT && carnet_id_equal(&view->record.subject, &view->record.id);
}

static bool has_record(const struct carnet_view *view, const struct carnet_id *id)
{
    for (size_t i = 0; i < view->record_count; i++)
        if (carnet_id_equal(&view->records[i].record->id, id))
            return true;
    return false;
}

static carnet_rc check(struct carnet_replica *replica, const struct carnet_view *a, const struct carnet_view *b, struct carnet_err *err)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    if (!is_contact(a) || !is_contact(b))
        return carnet_err_set(err, CARNET_USAGE, "only contacts are merged: this is another record");
    if (!self || !(self->verbs & CARNET_VERB_MERGE)) {
        carnet_err_set(err, CARNET_REFUSED, "this node may not say who is the same person");
        carnet_err_hint(err, "an office or an admin does");
        return CARNET_REFUSED;
    }
    if (!carnet_id_equal(&a->book, &b->book)) {
        carnet_err_set(err, CARNET_REFUSED, "the two contacts are in different books");
        carnet_err_hint(err, "keys and agreements belong to one book: a person is merged inside one");
        return CARNET_REFUSED;
    }
    return CARNET_OK;
}

/* More records than anybody looks at: the second of its person is nobody. */
static bool is_crowd(const struct carnet_view *view)
{
    return view->person_count > 1 && carnet_id_is_zero(&view->person[1]->id);
}

static carnet_rc check_merge(struct carnet_replica *replica, const struct carnet_view *a, const struct carnet_view *b, struct carnet_err *err)
{
    carnet_rc rc = check(replica, a, b, err);
    if (rc || a->n == b->n)
        return rc;
    if (a->person_count + b->person_count > CARNET_CONSENT_PERSON_MAX || is_crowd(a) || is_crowd(b))
        return carnet_err_set(err, CARNET_REFUSED, "a person has at most %d merged contacts", CARNET_CONSENT_PERSON_MAX);
    return CARNET_OK;
}

carnet_rc carnet_people_merge(struct carnet_replica *replica, const struct carnet_view *a, const struct carnet_view *b, bool *done, struct carnet_err *err)
{
    size_t tops[CARNET_CONSENT_PERSON_MAX];
    struct carnet_arena arena;
    carnet_rc rc = check_merge(replica, a, b, err);
    *done = false;
    if (rc || a->n == b->n)
        return rc;
    /* Everything of b that stood for itself resolves to a, also what was merged apart. */
    size_t count = carnet_consent_tops(b->person, b->person_count, tops), at = 0, write_count = 0;
    carnet_arena_init(&arena);
    struct carnet_event *events = carnet_arena_alloc(&arena, count * sizeof *events);
    struct carnet_write writes[CARNET_CONSENT_PERSON_MAX / CARNET_CHANGE_EVENTS_MAX + 1];
    for (size_t i = 0; i < count; i++)
        events[i] = (struct carnet_event){ .type = CARNET_EVENT_EDGE, .other = b->person[tops[i]]->id, .on = true };
    for (; at < count; at += CARNET_CHANGE_EVENTS_MAX) {
        struct carnet_write write = carnet_people_write_on(a, 0);
        write.events = events + at;
        write.event_count = count - at < CARNET_CHANGE_EVENTS_MAX ? count - at : CARNET_CHANGE_EVENTS_MAX;
        writes[write_count++] = write;
    }
    rc = carnet_replica_write(replica, writes, write_count, false, NULL, err);
    carnet_arena_deinit(&arena);
    *done = rc == CARNET_OK;
    return rc;
}

carnet_rc carnet_people_merge_preview(struct carnet_replica *replica, const struct carnet_view *a, const struct carnet_view *b, struct carnet_arena *arena,
                                      struct carnet_merge_preview *out, struct carnet_err *err)
{
    carnet_rc rc = check_merge(replica, a, b, err);
    memset(out, 0, sizeof *out);
    if (!rc)
        rc = carnet_replica_view_merged(replica, a->n, b->n, arena, &out->view, err);
    for (size_t i = 0; !rc && i < out->view.record_count; i++) {
        const struct carnet_view_record *after = &out->view.records[i];
        for (size_t j = 0; j < a->record_count + b->record_count; j++) {
            const struct carnet_view_record *before = j < a->record_count ? &a->records[j] : &b->records[j - a->record_count];
            if (before->n == after->n)
                out->blocked |= before->open & ~after->open & carnet_record_scopes_in(after->record, CARNET_SIBLING_VALUE);
        }
    }
    out->blocked &= CARNET_SCOPES_ALL & ~(1u << CARNET_SCOPE_CONSENT);
    return rc;
}

/* --- undoing --- */

struct edge { /* live: one record names another */
    size_t from, to;
    struct carnet_dot dot;
};

static bool is_replaced(const struct carnet_record *record, const struct carnet_dot *dot)
{
    for (size_t i = 0; i < record->event_count; i++) {
        struct carnet_event event;
        if (carnet_event_peek(record->events[i].raw) != CARNET_EVENT_EDGE || carnet_event_decode(record->events[i].raw, &event) != CARNET_OK)
            continue;
        for (size_t j = 0; j < event.name_count; j++)
            if (carnet_dot_equal(&event.names[j], dot))
                return true;
    }
    return false;
}

static struct edge *edges_of(const struct carnet_view *view, struct carnet_arena *arena, size_t *count)
{
    size_t most = 0;
    for (size_t i = 0; i < view->person_count; i++)
        most += view->person[i]->event_count;
    struct edge *edges = carnet_arena_alloc(arena, (most + 1) * sizeof *edges);
    *count = 0;
    for (size_t i = 0; i < view->person_count; i++)
        for (size_t k = 0; k < view->person[i]->event_count; k++) {
            const struct carnet_event_item *item = &view->person[i]->events[k];
            struct carnet_event event;
            if (carnet_event_peek(item->raw) != CARNET_EVENT_EDGE || carnet_event_decode(item->raw, &event) != CARNET_OK || !event.on || is_replaced(view->person[i], &item->dot))
                continue;
            for (size_t j = 0; j < view->person_count; j++)
                if (j != i && carnet_id_equal(&view->person[j]->id, &event.other))
                    edges[(*count)++] = (struct edge){ i, j, item->dot };
        }
    return edges;
}

/* Do the edges that are not cut still hold the two together? */
static bool connected(const struct edge *edges, const bool *cut, size_t count, size_t from, size_t to)
{
    uint64_t reached = UINT64_C(1) << from, before = 0;
    while (reached != before) {
        before = reached;
        for (size_t i = 0; i < count; i++)
            if (!cut[i] && (reached >> edges[i].from & 1 || reached >> edges[i].to & 1))
                reached |= UINT64_C(1) << edges[i].from | UINT64_C(1) << edges[i].to;
    }
    return reached >> to & 1;
}

carnet_rc carnet_people_unmerge(struct carnet_replica *replica, const struct carnet_view *record, struct carnet_err *err)
{
    struct carnet_arena arena;
    carnet_rc rc = check(replica, record, record, err);
    size_t count, main, write_count = 0;
    if (rc)
        return rc;
    if (record->person_count < 2) {
        carnet_err_set(err, CARNET_NOT_FOUND, "this contact is merged with no other");
        carnet_err_hint(err, "`carnet show` lists the ids of a person");
        return CARNET_NOT_FOUND;
    }
    if (is_crowd(record))
        return carnet_err_set(err, CARNET_REFUSED, "a person has at most %d merged contacts", CARNET_CONSENT_PERSON_MAX);
    carnet_arena_init(&arena);
    const struct edge *edges = edges_of(record, &arena, &count); /* the record is the first of its person */
    bool *cut = carnet_arena_alloc(&arena, count * sizeof *cut + 1);
    main = carnet_consent_main(record->person, record->person_count);
    for (size_t i = 0; i < count; i++)
        cut[i] = edges[i].to == 0;
    if (main == 0 || connected(edges, cut, count, 0, main)) /* it stood for the others, or they name each other */
        for (size_t i = 0; i < count; i++)
            cut[i] = edges[i].to == 0 || edges[i].from == 0;
    struct carnet_write *writes = carnet_arena_alloc(&arena, (count + 1) * sizeof *writes);
    struct carnet_event *events = carnet_arena_alloc(&arena, (count + 1) * sizeof *events);
    for (size_t from = 0; from < record->person_count; from++)
        for (size_t to = 0; to < record->person_count; to++) {
            struct carnet_event *event = &events[write_count];
            *event = (struct carnet_event){ .type = CARNET_EVENT_EDGE, .other = record->person[to]->id, .on = false };
            for (size_t i = 0; i < count && event->name_count < CARNET_CHANGE_EVENTS_MAX; i++)
                if (cut[i] && edges[i].from == from && edges[i].to == to)
                    event->names[event->name_count++] = edges[i].dot;
            if (!event->name_count)
                continue;
            const struct carnet_record *on = record->person[from];
            writes[write_count++] = (struct carnet_write){ .book = record->book, .record = on->id, .subject = on->subject, .kind = on->kind, .events = event, .event_count = 1 };
        }
    rc = carnet_replica_write(replica, writes, write_count, false, NULL, err);
    carnet_arena_deinit(&arena);
    return rc;
}

static bool says_distinct(const struct carnet_record *record, const struct carnet_view *other)
{
    for (size_t i = 0; i < record->event_count; i++) {
        struct carnet_event event;
        if (carnet_event_peek(record->events[i].raw) == CARNET_EVENT_EDGE && carnet_event_decode(record->events[i].raw, &event) == CARNET_OK && !event.on &&
            has_record(other, &event.other))
            return true;
    }
    return false;
}

bool carnet_people_are_distinct(const struct carnet_view *a, const struct carnet_view *b)
{
    for (size_t i = 0; i < a->record_count; i++)
        if (says_distinct(a->records[i].record, b))
            return true;
    for (size_t i = 0; i < b->record_count; i++)
        if (says_distinct(b->records[i].record, a))
            return true;
    return false;
}

carnet_rc carnet_people_distinct(struct carnet_replica *replica, const struct carnet_view *a, const struct carnet_view *b, struct carnet_err *err)
{
    carnet_rc rc = check(replica, a, b, err);
    if (rc)
        return rc;
    if (a->n == b->n) {
        carnet_err_set(err, CARNET_CONFLICT, "the two contacts are merged");
        carnet_err_hint(err, "undo that first: carnet unmerge");
        return CARNET_CONFLICT;
    }
    if (carnet_people_are_distinct(a, b))
        return CARNET_OK;
    const struct carnet_event event = { .type = CARNET_EVENT_EDGE, .other = b->id, .on = false };
    struct carnet_write write = carnet_people_write_on(a, 0);
    write.events = &event;
    write.event_count = 1;
    return carnet_replica_write(replica, &write, 1, false, NULL, err);
}
