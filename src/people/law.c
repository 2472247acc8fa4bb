// SPDX-License-Identifier: EUPL-1.2
/* Restriction, information, and what is to be done now. */
#include "law_parts.h"

#include "carnet/replica/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMMIT_EVERY = 200, LOOK_EVERY = 1024, DAYS_MAX = 4096, REMIND_DAYS = 15, URGENT_DAYS = 25, DUE_DAYS = 30 };
static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;

carnet_rc carnet_law_contact_only(const struct carnet_view *view, struct carnet_err *err)
{
    return view->record.kind == CARNET_KIND_CONTACT ? CARNET_OK : carnet_err_set(err, CARNET_USAGE, "this is not a contact but another record");
}

/* --- walks --- */

carnet_rc carnet_law_walk(const struct carnet_law_walk *walk, struct carnet_err *err)
{
    struct carnet_store *store = carnet_replica_store(walk->replica);
    struct carnet_store_counts counts = { 0 };
    struct carnet_arena arena;
    carnet_rc rc = carnet_store_count(store, &counts, err);
    uint64_t looked = 0, written = 0;
    bool more = true;
    carnet_arena_init(&arena);
    for (int64_t from = 1; rc == CARNET_OK && more;) {
        if (walk->writes)
            rc = carnet_replica_begin(walk->replica, err);
        written = 0;
        for (uint64_t i = 0; rc == CARNET_OK && i < LOOK_EVERY && written < COMMIT_EVERY; i++) {
            struct carnet_record_row row;
            struct carnet_view view;
            bool wrote = false;
            rc = carnet_store_record_next(store, from, &row, err);
            more = rc == CARNET_OK;
            if (rc == CARNET_NOT_FOUND)
                rc = CARNET_OK;
            if (!more)
                break;
            from = row.n + 1;
            looked++;
            if (row.kind != CARNET_KIND_CONTACT || !(row.flags & (CARNET_RECORD_CONTACT | CARNET_RECORD_PERSON)))
                continue; /* each contact of a person has its own agreements */
            carnet_arena_reset(&arena);
            rc = carnet_replica_record_at(walk->replica, row.n, &arena, &view, err);
            if (rc == CARNET_OK)
                rc = walk->each(walk->ctx, &view, &wrote, err);
            else if (rc == CARNET_NOT_FOUND)
                rc = CARNET_OK;
            written += wrote;
        }
        if (walk->writes && rc == CARNET_OK)
            rc = carnet_replica_commit(walk->replica, err);
        else if (walk->writes && carnet_store_in_transaction(store))
            carnet_replica_rollback(walk->replica);
        if (rc == CARNET_OK && walk->walk && walk->walk->progress && !walk->walk->progress(walk->walk->ctx, looked, (uint64_t)counts.records)) {
            carnet_err_set(err, CARNET_CANCELLED, "stopped after %llu records", (unsigned long long)looked);
            carnet_err_hint(err, "what is done stays done; the same command goes on");
            rc = CARNET_CANCELLED;
        }
    }
    carnet_arena_deinit(&arena);
    return rc;
}

/* --- restriction --- */

static carnet_rc write_events(struct carnet_replica *replica, const struct carnet_view *view, const struct carnet_id *record, const struct carnet_event *events, size_t count,
                              struct carnet_err *err)
{
    struct carnet_write write = { .book = view->book, .record = *record, .subject = *record, .kind = CARNET_KIND_CONTACT, .events = events, .event_count = count };
    return carnet_replica_write(replica, &write, 1, false, NULL, err);
}

static carnet_rc may_restrict(struct carnet_replica *replica, struct carnet_err *err)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    if (self && self->verbs & CARNET_VERB_RESTRICT)
        return CARNET_OK;
    carnet_err_set(err, CARNET_REFUSED, "this node may not restrict the use of a contact, nor lift it");
    carnet_err_hint(err, "an office or an admin does it; an objection blocks too: carnet consent object");
    return CARNET_REFUSED;
}

carnet_rc carnet_people_restrict(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_err *err)
{
    const struct carnet_event event = { .type = CARNET_EVENT_RESTRICT };
    carnet_rc rc = carnet_law_contact_only(view, err);
    if (!rc)
        rc = may_restrict(replica, err);
    if (rc || view->restricted)
        return rc;
    struct carnet_arena arena; /* on every contact of the person: it holds when merging is undone */
    carnet_arena_init(&arena);
    struct carnet_write *writes = carnet_arena_alloc(&arena, view->record_count * sizeof *writes);
    for (size_t i = 0; i < view->record_count; i++) {
        writes[i] = carnet_people_write_on(view, i);
        writes[i].events = &event;
        writes[i].event_count = 1;
    }
    rc = carnet_replica_write(replica, writes, view->record_count, false, NULL, err);
    carnet_arena_deinit(&arena);
    return rc;
}

static bool is_lifted(const struct carnet_record *record, const struct carnet_dot *dot)
{
    for (size_t i = 0; i < record->event_count; i++) {
        struct carnet_event event;
        if (carnet_event_peek(record->events[i].raw) != CARNET_EVENT_LIFT || carnet_event_decode(record->events[i].raw, &event))
            continue;
        for (size_t j = 0; j < event.name_count; j++)
            if (carnet_dot_equal(&event.names[j], dot))
                return true;
    }
    return false;
}

/* Whoever lifts names what stands: a restriction that comes from elsewhere meanwhile still counts. */
static carnet_rc lift(struct carnet_replica *replica, const struct carnet_view *view, const struct carnet_record *record, struct carnet_err *err)
{
    struct carnet_event event = { .type = CARNET_EVENT_LIFT };
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; i < record->event_count && rc == CARNET_OK; i++) {
        if (carnet_event_peek(record->events[i].raw) != CARNET_EVENT_RESTRICT || is_lifted(record, &record->events[i].dot))
            continue;
        event.names[event.name_count++] = record->events[i].dot;
        if (event.name_count == CARNET_CHANGE_EVENTS_MAX) {
            rc = write_events(replica, view, &record->id, &event, 1, err);
            event.name_count = 0;
        }
    }
    return rc == CARNET_OK && event.name_count ? write_events(replica, view, &record->id, &event, 1, err) : rc;
}

carnet_rc carnet_people_lift(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_err *err)
{
    carnet_rc rc = carnet_law_contact_only(view, err);
    if (!rc)
        rc = may_restrict(replica, err);
    if (rc || !view->restricted)
        return rc;
    rc = carnet_replica_begin(replica, err);
    for (size_t i = 0; i < view->person_count && rc == CARNET_OK; i++)
        rc = lift(replica, view, view->person[i], err);
    if (rc == CARNET_OK)
        return carnet_replica_commit(replica, err);
    if (carnet_store_in_transaction(carnet_replica_store(replica)))
        carnet_replica_rollback(replica);
    return rc;
}

/* --- requests for access --- */

static struct carnet_slice request_of(const struct carnet_record *record)
{
    const struct carnet_sibling *newest = NULL;
    for (size_t i = 0; i < record->live_count; i++) {
        const struct carnet_sibling *s = &record->live[i];
        if (s->state == CARNET_SIBLING_VALUE && s->field == CARNET_FIELD_EVIDENCE && carnet_slice_equal(s->label, carnet_slice_str(CARNET_LAW_ACCESS_LABEL)) &&
            (!newest || s->hlc > newest->hlc))
            newest = s;
    }
    return newest ? newest->value : CARNET_SLICE_NONE;
}

bool carnet_law_access_waits(const struct carnet_record *record, int64_t *received_ms)
{
    struct carnet_slice request = request_of(record), received = carnet_people_evidence_line(request, "received");
    return received.len >= 10 && !carnet_people_evidence_line(request, "answered").len && carnet_date_parse(carnet_slice(received.ptr, 10), received_ms, NULL) == CARNET_OK;
}

static carnet_rc write_request(struct carnet_replica *replica, const struct carnet_view *view, int64_t received_ms, int64_t answered_ms, struct carnet_err *err)
{
    struct carnet_buf value;
    carnet_buf_init(&value, 256);
    carnet_buf_append_str(&value, "received: ");
    carnet_time_format(received_ms, &value);
    if (answered_ms) {
        carnet_buf_append_str(&value, "\nanswered: ");
        carnet_time_format(answered_ms, &value);
    }
    const struct carnet_write_cell cell = { .field = CARNET_FIELD_EVIDENCE, .label = carnet_slice_str(CARNET_LAW_ACCESS_LABEL), .value = carnet_buf_slice(&value) };
    struct carnet_write write = { .book = view->book, .record = view->id, .subject = view->id, .kind = CARNET_KIND_CONTACT, .cells = &cell, .cell_count = 1 };
    carnet_rc rc = carnet_replica_write(replica, &write, 1, false, NULL, err);
    carnet_buf_deinit(&value);
    return rc;
}

carnet_rc carnet_people_access_asked(struct carnet_replica *replica, const struct carnet_view *view, int64_t received_ms, struct carnet_err *err)
{
    carnet_rc rc = carnet_law_contact_only(view, err);
    if (!rc && received_ms > carnet_replica_wall_ms(replica))
        rc = carnet_err_set(err, CARNET_USAGE, "a request cannot have been received on a day to come");
    return rc ? rc : write_request(replica, view, received_ms, 0, err);
}

/* --- information --- */

static bool is_told(const struct carnet_view *view, const struct carnet_dot *grant)
{
    for (size_t p = 0; p < view->person_count; p++)
        for (size_t i = 0; i < view->person[p]->event_count; i++) {
            struct carnet_event event;
            if (carnet_event_peek(view->person[p]->events[i].raw) != CARNET_EVENT_INFORM || carnet_event_decode(view->person[p]->events[i].raw, &event))
                continue;
            for (size_t j = 0; j < event.name_count; j++)
                if (carnet_dot_equal(&event.names[j], grant))
                    return true;
        }
    return false;
}

/* Somebody else collected it, the evidence beside the grant says: the person is to be told also of an agreement that nothing blocks for it. */
static bool is_indirect(const struct carnet_record *record, const struct carnet_dot *grant)
{
    for (size_t i = 0; i < record->live_count; i++) {
        const struct carnet_sibling *s = &record->live[i];
        if (s->state == CARNET_SIBLING_VALUE && s->field == CARNET_FIELD_EVIDENCE && carnet_people_same_change(&s->dot, grant) &&
            carnet_slice_equal(carnet_people_evidence_line(s->value, "direct"), carnet_slice_str("no")))
            return true;
    }
    return false;
}

/* The grants that the person must still be told of, into an event; when by. False: none. */
static bool untold(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_event *event, int64_t *due_ms)
{
    int64_t now_ms = carnet_replica_now_ms(replica);
    *event = (struct carnet_event){ .type = CARNET_EVENT_INFORM };
    *due_ms = INT64_MAX;
    for (size_t i = 0; i < view->record.event_count && event->name_count < CARNET_CHANGE_EVENTS_MAX; i++) {
        struct carnet_event grant;
        if (carnet_event_peek(view->record.events[i].raw) != CARNET_EVENT_GRANT || carnet_event_decode(view->record.events[i].raw, &grant) ||
            grant.basis == CARNET_BASIS_ROLL) /* each message says that the roll is where it comes from */
            continue;
        const struct carnet_dot *dot = &view->record.events[i].dot;
        struct carnet_consent consent = carnet_consent_evaluate(carnet_replica_charter(replica), view->person, view->person_count, grant.purpose, now_ms);
        bool stands = consent.state == CARNET_CONSENT_GIVEN || consent.state == CARNET_CONSENT_RENEWED || consent.state == CARNET_CONSENT_REQUESTED;
        bool foreign = grant.basis == CARNET_BASIS_LEGITIMATE_INTEREST ? !carnet_slice_equal(grant.purpose, carnet_slice_str("file")) : is_indirect(&view->record, dot);
        if (!stands || !foreign || is_told(view, dot))
            continue;
        int64_t by_ms = carnet_hlc_ms(view->record.events[i].hlc) + carnet_replica_charter(replica)->inform_ms;
        event->names[event->name_count++] = *dot;
        *due_ms = by_ms < *due_ms ? by_ms : *due_ms;
    }
    return event->name_count > 0;
}

static carnet_rc inform(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_event *event, struct carnet_err *err)
{
    int64_t now_ms = carnet_replica_wall_ms(replica);
    event->ms = now_ms > 0 ? now_ms : 0;
    return write_events(replica, view, &view->id, event, 1, err);
}

/* --- what is stale --- */

const char *carnet_stale_name(enum carnet_stale reason)
{
    static const char *const names[CARNET_STALE_COUNT] = { "silent", "ended", "refused" };
    CARNET_ASSERT(reason < CARNET_STALE_COUNT);
    return names[reason];
}

struct carnet_consent carnet_law_consent(struct carnet_replica *replica, const struct carnet_view *view, size_t i, struct carnet_slice purpose)
{
    enum { PERSON_MAX = 80 };
    const struct carnet_record *person[PERSON_MAX];
    size_t count = view->person_count < PERSON_MAX ? view->person_count : PERSON_MAX;
    CARNET_ASSERT(i < count);
    for (size_t j = 0; j < count; j++)
        person[j] = view->person[j];
    person[0] = view->person[i];
    person[i] = view->person[0];
    return carnet_consent_evaluate(carnet_replica_charter(replica), person, count, purpose, carnet_replica_now_ms(replica));
}

bool carnet_law_stale(struct carnet_replica *replica, const struct carnet_view *view, enum carnet_stale *reason)
{
    const struct carnet_charter *charter = carnet_replica_charter(replica);
    int64_t now_ms = carnet_replica_now_ms(replica), last_ms = INT64_MIN;
    const struct carnet_purpose_def *def;
    bool silent = false, ended = false, refused = false;
    if (carnet_consent_main(view->person, view->person_count))
        return false; /* the main contact of a person speaks for all */
    if (view->restricted || carnet_consent_blocked(&view->record))
        return false; /* kept on purpose, or not understood */
    for (size_t i = 0; (def = carnet_purpose_at(charter, i / view->person_count)); i++) {
        struct carnet_consent consent = carnet_law_consent(replica, view, i % view->person_count, carnet_slice_str(def->name));
        int64_t at_ms = INT64_MIN;
        switch (consent.state) {
        case CARNET_CONSENT_GIVEN:
        case CARNET_CONSENT_RENEWED:
        case CARNET_CONSENT_REQUESTED:
            if (CARNET_PLANTED(54))
                break; /* planted: one agreement that ended is enough, whatever else is live */
            return false;
        case CARNET_CONSENT_EXPIRED:
            at_ms = consent.ends_ms;
            *(consent.until_ms && consent.until_ms <= now_ms ? &ended : &silent) = true;
            break;
        case CARNET_CONSENT_REFUSED:
        case CARNET_CONSENT_WITHDRAWN:
        case CARNET_CONSENT_OBJECTED:
        case CARNET_CONSENT_INVALIDATED:
            at_ms = consent.since_ms;
            refused = true;
            break;
        case CARNET_CONSENT_NONE:
            break;
        }
        last_ms = at_ms > last_ms ? at_ms : last_ms;
    }
    *reason = silent ? CARNET_STALE_SILENT : ended ? CARNET_STALE_ENDED : CARNET_STALE_REFUSED;
    return (silent || ended || refused) && last_ms <= now_ms - charter->dark_after_ms;
}

/* --- tasks --- */

const char *carnet_task_kind_name(enum carnet_task_kind kind)
{
    static const char *const names[] = { "inform", "access", "collect", "tell", "retention" };
    CARNET_ASSERT(kind <= CARNET_TASK_RETENTION);
    return names[kind];
}

const char *carnet_task_state_name(enum carnet_task_state state)
{
    static const char *const names[] = { "open", "reminder", "urgent", "overdue" };
    CARNET_ASSERT(state <= CARNET_TASK_OVERDUE);
    return names[state];
}

struct day {
    int64_t day; /* since 1970, on which they fall due */
    uint64_t people;
};
struct tasks {
    struct carnet_replica *replica;
    bool (*each)(void *ctx, const struct carnet_task *task);
    void *ctx;
    bool ended;
    int64_t wall_ms;
    uint64_t self;
    struct day days[DAYS_MAX];
    size_t day_count;
    uint64_t stale;
    int64_t exported_ms; /* the first export that the audit trail knows; 0: none */
    bool recipients;     /* the charter names some outside the community */
};

/* Of a month: after 15 and 25 days it is said louder. */
static enum carnet_task_state state_of(int64_t since_ms, int64_t due_ms, int64_t now_ms)
{
    if (now_ms >= due_ms)
        return CARNET_TASK_OVERDUE;
    return now_ms >= since_ms + URGENT_DAYS * DAY_MS ? CARNET_TASK_URGENT : now_ms >= since_ms + REMIND_DAYS * DAY_MS ? CARNET_TASK_REMINDER : CARNET_TASK_OPEN;
}

static void give(struct tasks *t, const struct carnet_task *task)
{
    if (!t->ended)
        t->ended = !t->each(t->ctx, task);
}

static void date_put(int64_t ms, char out[11])
{
    struct carnet_buf text;
    carnet_buf_init(&text, 64);
    carnet_time_format(ms, &text);
    snprintf(out, 11, "%.10s", carnet_buf_cstr(&text));
    carnet_buf_deinit(&text);
}

static int64_t day_of(int64_t ms)
{
    return ms / DAY_MS;
}

static void count_day(struct tasks *t, int64_t day)
{
    size_t i = 0;
    while (i < t->day_count && t->days[i].day != day)
        i++;
    if (i == t->day_count && i == DAYS_MAX) /* eleven years of days: the rest with the last one */
        i--;
    if (i == t->day_count)
        t->days[t->day_count++] = (struct day){ day, 0 };
    t->days[i].people++;
}

static uint32_t to_collect(const struct tasks *t, const struct carnet_view *view)
{
    const struct carnet_charter *charter = carnet_replica_charter(t->replica);
    uint32_t scopes = 0, lost = view->dark & view->open;
    for (size_t i = 0; lost && i < view->record.event_count; i++) {
        struct carnet_event event;
        if (view->record.events[i].dot.author != t->self || carnet_event_peek(view->record.events[i].raw) != CARNET_EVENT_GRANT ||
            carnet_event_decode(view->record.events[i].raw, &event))
            continue;
        scopes |= carnet_consent_evaluate(charter, view->person, view->person_count, event.purpose, carnet_replica_now_ms(t->replica)).scopes & lost;
    }
    return scopes;
}

static carnet_rc look(void *ctx, const struct carnet_view *view, bool *wrote, struct carnet_err *err)
{
    struct tasks *t = ctx;
    struct carnet_event event;
    enum carnet_stale reason;
    int64_t due_ms, received_ms;
    (void)wrote;
    (void)err;
    if (untold(t->replica, view, &event, &due_ms))
        count_day(t, day_of(due_ms));
    if (carnet_law_access_waits(&view->record, &received_ms)) {
        struct carnet_task task = { .kind = CARNET_TASK_ACCESS, .contact = view->id, .since_ms = received_ms, .due_ms = received_ms + DUE_DAYS * DAY_MS, .people = 1 };
        task.state = state_of(task.since_ms, task.due_ms, t->wall_ms);
        snprintf(task.id, sizeof task.id, "access-%s", carnet_id_text(&view->id).s);
        give(t, &task);
    }
    uint32_t collect = to_collect(t, view);
    if (collect) {
        struct carnet_task task = { .kind = CARNET_TASK_COLLECT, .contact = view->id, .people = 1, .scopes = collect };
        snprintf(task.id, sizeof task.id, "collect-%s", carnet_id_text(&view->id).s);
        give(t, &task);
    }
    t->stale += carnet_law_stale(t->replica, view, &reason);
    return CARNET_OK;
}

static int by_day(const void *a, const void *b)
{
    int64_t x = ((const struct day *)a)->day, y = ((const struct day *)b)->day;
    return (x > y) - (x < y);
}

static bool each_audit(void *ctx, const struct carnet_audit_item *item)
{
    struct tasks *t = ctx;
    if (item->kind == CARNET_AUDIT_EXPORT && !t->exported_ms)
        t->exported_ms = item->at_ms;
    return !t->exported_ms;
}

static void told_name(const struct carnet_id *record, char out[64])
{
    snprintf(out, 64, "told/%s", carnet_id_text(record).s);
}

static bool each_erasure(void *ctx, const struct carnet_erasure *erasure)
{
    struct tasks *t = ctx;
    struct carnet_task task = { .kind = CARNET_TASK_TELL, .since_ms = erasure->at_ms, .due_ms = erasure->at_ms + DUE_DAYS * DAY_MS, .people = 1 };
    struct carnet_buf value;
    char name[64];
    bool exported = t->exported_ms && t->exported_ms <= erasure->at_ms;
    if (carnet_id_head(&erasure->by) != t->self || (!exported && !t->recipients))
        return true;
    told_name(&erasure->record, name);
    carnet_buf_init(&value, 64);
    bool told = carnet_replica_local_get(t->replica, name, &value, NULL) == CARNET_OK;
    carnet_buf_deinit(&value);
    if (told)
        return true;
    snprintf(task.id, sizeof task.id, "tell-%s", carnet_id_text(&erasure->record).s);
    task.state = state_of(task.since_ms, task.due_ms, t->wall_ms);
    give(t, &task);
    return !t->ended;
}

static carnet_rc tell_tasks(struct tasks *t, struct carnet_err *err)
{
    struct carnet_arena arena;
    struct carnet_err ignored = CARNET_ERR_INIT;
    carnet_rc rc = carnet_audit_list(t->replica, 0, each_audit, t, &ignored);
    if (rc != CARNET_OK && rc != CARNET_CORRUPT) { /* a broken trail is `audit`'s to say */
        *err = ignored;
        return rc;
    }
    carnet_arena_init(&arena);
    rc = carnet_replica_erasures(t->replica, &arena, each_erasure, t, err);
    carnet_arena_deinit(&arena);
    return rc;
}

carnet_rc carnet_people_tasks(struct carnet_replica *replica, const struct carnet_walk *walk, bool (*each)(void *ctx, const struct carnet_task *task), void *ctx,
                              struct carnet_err *err)
{
    struct tasks *t = carnet_alloc(sizeof *t);
    t->replica = replica;
    t->each = each;
    t->ctx = ctx;
    t->wall_ms = carnet_replica_wall_ms(replica);
    for (size_t i = 0; i < carnet_replica_charter(replica)->text_count; i++)
        t->recipients = t->recipients || strncmp(carnet_replica_charter(replica)->texts[i]->key, "recipient/", 10) == 0;
    t->self = carnet_id_head(&carnet_replica_self(replica)->node);
    const struct carnet_law_walk all = { .replica = replica, .walk = walk, .each = look, .ctx = t };
    carnet_rc rc = carnet_law_walk(&all, err);
    if (rc == CARNET_OK)
        rc = tell_tasks(t, err);
    if (t->day_count)
        qsort(t->days, t->day_count, sizeof t->days[0], by_day);
    int64_t inform_ms = carnet_replica_charter(replica)->inform_ms;
    for (size_t i = 0; rc == CARNET_OK && i < t->day_count; i++) {
        char date[11];
        struct carnet_task task = { .kind = CARNET_TASK_INFORM, .due_ms = t->days[i].day * DAY_MS, .people = t->days[i].people };
        task.since_ms = task.due_ms - inform_ms;
        task.state = state_of(task.since_ms, task.due_ms, t->wall_ms);
        date_put(task.due_ms, date);
        snprintf(task.id, sizeof task.id, "inform-%s", date);
        give(t, &task);
    }
    if (rc == CARNET_OK && t->stale) {
        struct carnet_task task = { .kind = CARNET_TASK_RETENTION, .id = "retention", .people = t->stale };
        give(t, &task);
    }
    free(t);
    return rc;
}

/* --- done --- */

struct informing {
    struct carnet_replica *replica;
    int64_t day;
    uint64_t people;
};

static carnet_rc inform_one(void *ctx, const struct carnet_view *view, bool *wrote, struct carnet_err *err)
{
    struct informing *informing = ctx;
    struct carnet_event event;
    int64_t due_ms;
    if (!untold(informing->replica, view, &event, &due_ms) || day_of(due_ms) != informing->day)
        return CARNET_OK;
    carnet_rc rc = inform(informing->replica, view, &event, err);
    *wrote = true;
    informing->people += rc == CARNET_OK;
    return rc;
}

static carnet_rc no_task(struct carnet_slice id, struct carnet_err *err)
{
    carnet_err_set(err, CARNET_NOT_FOUND, "there is no task %.*s", (int)(id.len > 60 ? 60 : id.len), id.len ? (const char *)id.ptr : "");
    carnet_err_hint(err, "`carnet tasks` lists them");
    return CARNET_NOT_FOUND;
}

static bool begins(struct carnet_slice id, const char *with, struct carnet_slice *rest)
{
    size_t len = strlen(with);
    if (id.len < len || memcmp(id.ptr, with, len) != 0)
        return false;
    *rest = carnet_slice(id.ptr + len, id.len - len);
    return true;
}

static carnet_rc done_inform(struct carnet_replica *replica, struct carnet_slice id, struct carnet_slice date, const struct carnet_walk *walk, uint64_t *people,
                             struct carnet_err *err)
{
    struct informing informing = { .replica = replica };
    int64_t ms;
    if (carnet_date_parse(date, &ms, NULL))
        return no_task(id, err);
    informing.day = day_of(ms);
    const struct carnet_law_walk all = { .replica = replica, .walk = walk, .writes = true, .each = inform_one, .ctx = &informing };
    carnet_audit_hold(replica, true);
    carnet_rc rc = carnet_law_walk(&all, err);
    carnet_audit_hold(replica, false);
    *people = informing.people;
    return rc == CARNET_OK && !informing.people ? no_task(id, err) : rc;
}

static carnet_rc done_contact(struct carnet_replica *replica, struct carnet_slice id, struct carnet_slice contact, bool access, struct carnet_err *err)
{
    struct carnet_arena arena;
    struct carnet_view view;
    struct carnet_event event;
    int64_t ms;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_replica_record_text(replica, contact, &arena, &view, err);
    if (rc == CARNET_USAGE)
        rc = no_task(id, err);
    if (rc == CARNET_OK && access)
        rc = carnet_law_access_waits(&view.record, &ms) ? write_request(replica, &view, ms, carnet_replica_wall_ms(replica), err) : no_task(id, err);
    else if (rc == CARNET_OK)
        rc = untold(replica, &view, &event, &ms) ? inform(replica, &view, &event, err) : no_task(id, err);
    carnet_arena_deinit(&arena);
    return rc;
}

struct told {
    struct carnet_slice text;
    struct carnet_id record;
    size_t found;
};

static bool each_told(void *ctx, const struct carnet_erasure *erasure)
{
    struct told *told = ctx;
    struct carnet_id_text text = carnet_id_text(&erasure->record);
    if (told->text.len && told->text.len <= strlen(text.s) && memcmp(text.s, told->text.ptr, told->text.len) == 0 &&
        !(told->found && carnet_id_equal(&told->record, &erasure->record))) {
        told->record = erasure->record;
        told->found++;
    }
    return true;
}

static carnet_rc done_tell(struct carnet_replica *replica, struct carnet_slice id, struct carnet_slice record, struct carnet_err *err)
{
    struct told told = { .text = record };
    struct carnet_arena arena;
    char name[64];
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_replica_erasures(replica, &arena, each_told, &told, err);
    carnet_arena_deinit(&arena);
    if (rc == CARNET_OK && told.found != 1)
        return no_task(id, err);
    told_name(&told.record, name);
    return rc == CARNET_OK ? carnet_replica_local_put(replica, name, carnet_slice_str("1"), err) : rc;
}

carnet_rc carnet_people_task_done(struct carnet_replica *replica, struct carnet_slice id, const struct carnet_walk *walk, uint64_t *people, struct carnet_err *err)
{
    struct carnet_slice rest;
    *people = 1;
    if (begins(id, "inform-", &rest))
        return done_inform(replica, id, rest, walk, people, err);
    if (begins(id, "access-", &rest))
        return done_contact(replica, id, rest, true, err);
    if (begins(id, "tell-", &rest))
        return done_tell(replica, id, rest, err);
    if (begins(id, "collect-", &rest)) {
        carnet_err_set(err, CARNET_USAGE, "this task ends when the values are there again, or the agreement is withdrawn");
        carnet_err_hint(err, "ask the person, then carnet edit or carnet consent withdraw");
        return CARNET_USAGE;
    }
    if (begins(id, "retention", &rest)) {
        carnet_err_set(err, CARNET_USAGE, "this task ends when nobody is kept without a reason");
        carnet_err_hint(err, "carnet retention erase");
        return CARNET_USAGE;
    }
    return done_contact(replica, id, id, false, err);
}
