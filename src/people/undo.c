// SPDX-License-Identifier: EUPL-1.2
/* Undoing an import. What it wrote is found by its place in the log: the dots of values and events say whose they are. A contact is looked at once its whole record is here,
 * so that what somebody else wrote since, anywhere in it, keeps it. */
#include "imports.h"

#include "internal.h"

#include "carnet/replica/audit.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_CONTACTS = 64, TRANSACTION_CONTACTS = 256, DAY_MS = 86400000 };

/* One import that was undone, or is being: its values do not come back. */
struct written {
    uint64_t author;
    struct carnet_range *ranges;
    size_t count;
};
struct undo {
    struct carnet_replica *replica;
    const struct carnet_imported *imported;
    struct carnet_undo_result *result;
    struct carnet_err *err;
    struct carnet_arena arena;       /* as long as the undoing */
    struct carnet_arena batch_arena; /* what the collected writes borrow */
    struct carnet_arena view_arena;
    struct written own;              /* what is undone */
    struct written *former;
    size_t former_count, former_cap;
    struct carnet_write writes[BATCH_CONTACTS];
    size_t write_count;
    size_t in_transaction;
};

static bool wrote(const struct written *by, const struct carnet_dot *dot)
{
    return dot->author == by->author && carnet_ranges_hold(by->ranges, by->count, dot);
}

static bool is_own(const struct undo *u, const struct carnet_dot *dot)
{
    return wrote(&u->own, dot);
}

static bool is_undone(const struct undo *u, const struct carnet_dot *dot)
{
    for (size_t i = 0; i < u->former_count; i++)
        if (wrote(&u->former[i], dot))
            return true;
    return is_own(u, dot);
}

static bool is_mark(const struct carnet_sibling *s)
{
    return s->field == CARNET_FIELD_SOURCE_ID && carnet_slice_equal(s->label, carnet_slice_str("row"));
}

/* --- has anybody touched it? --- */

/* Scopes of what others wrote about the contact: notes, visits. */
static carnet_rc scopes_about(struct undo *u, const struct carnet_view *view, uint32_t *out, bool *any)
{
    struct carnet_record_row row;
    carnet_rc rc = CARNET_OK;
    for (int64_t from = 1; !rc; from = row.n + 1) {
        struct carnet_arena arena;
        struct carnet_view about;
        rc = carnet_store_record_about(carnet_replica_store(u->replica), &view->book, &view->id, from, &row, u->err);
        if (rc)
            break;
        carnet_arena_init(&arena);
        rc = carnet_replica_view_at(u->replica, row.n, &arena, &about, u->err);
        for (size_t i = 0; !rc && i < about.record.live_count; i++)
            *out |= 1u << about.record.live[i].scope;
        *any |= !rc;
        rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
        carnet_arena_deinit(&arena);
    }
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

static bool event_of(const struct carnet_event_item *item, struct carnet_event *out)
{
    return item->dot.seq && carnet_event_decode(item->raw, out) == CARNET_OK; /* what stands in no entry is nobody's write */
}

struct looked {
    bool made;        /* by this import, and nobody has touched it since */
    bool refused;     /* some refusal stands on the contact itself */
    uint32_t needed;  /* scopes that what others wrote needs open */
};

static carnet_rc look(struct undo *u, const struct carnet_view *view, struct looked *out)
{
    bool about = false;
    *out = (struct looked){ .made = view->person_count <= 1 };
    for (size_t i = 0; i < view->record.live_count; i++) {
        const struct carnet_sibling *s = &view->record.live[i];
        if (is_own(u, &s->dot) || s->state == CARNET_SIBLING_DARK)
            continue;
        out->made = out->made && CARNET_PLANTED(52); /* planted: what others wrote since goes too */
        if (s->scope != CARNET_SCOPE_CONSENT && (s->state != CARNET_SIBLING_VALUE || (s->value.len && !is_mark(s))))
            out->needed |= 1u << s->scope;
    }
    for (size_t i = 0; i < view->record.event_count; i++) {
        struct carnet_event event;
        if (!event_of(&view->record.events[i], &event))
            continue;
        out->refused |= event.type == CARNET_EVENT_WITHDRAW || event.type == CARNET_EVENT_OBJECT;
        /* what destroys or takes away says nothing in favour of keeping it */
        if (event.type != CARNET_EVENT_DARK && event.type != CARNET_EVENT_INVALIDATE)
            out->made = out->made && is_own(u, &view->record.events[i].dot);
    }
    carnet_rc rc = scopes_about(u, view, &out->needed, &about);
    out->made = out->made && !about;
    if (out->needed)
        out->needed |= 1u << CARNET_SCOPE_IDENTITY; /* somebody has to be named for it */
    return rc;
}

/* --- its agreements --- */

struct grants {
    struct own_grant {
        struct carnet_dot dot;
        uint32_t scopes;
        bool keep;
    } *at;
    size_t count;
};

static bool is_named(const struct carnet_view *view, const struct carnet_dot *dot)
{
    for (size_t i = 0; i < view->record.event_count; i++) {
        struct carnet_event event;
        if (carnet_event_peek(view->record.events[i].raw) != CARNET_EVENT_INVALIDATE || !event_of(&view->record.events[i], &event))
            continue;
        for (size_t j = 0; j < event.name_count; j++)
            if (carnet_dot_equal(&event.names[j], dot))
                return true;
    }
    return false;
}

static struct grants grants_of(struct undo *u, const struct carnet_view *view)
{
    struct grants grants = { .at = carnet_arena_alloc(&u->view_arena, (view->record.event_count + 1) * sizeof *grants.at) };
    for (size_t i = 0; i < view->record.event_count; i++) {
        const struct carnet_event_item *item = &view->record.events[i];
        struct carnet_event event;
        if (carnet_event_peek(item->raw) != CARNET_EVENT_GRANT || !is_own(u, &item->dot) || !event_of(item, &event) || is_named(view, &item->dot))
            continue;
        const struct carnet_purpose_def *def = carnet_purpose_version(carnet_replica_charter(u->replica), event.purpose, event.version);
        grants.at[grants.count++] = (struct own_grant){ .dot = item->dot, .scopes = def ? def->scopes : 0 };
    }
    return grants;
}

/* Scopes that are open without the grants that are not kept. */
static uint32_t open_without(struct undo *u, const struct carnet_view *view, const struct grants *grants)
{
    struct carnet_record record = view->record;
    const struct carnet_record **person = carnet_arena_alloc(&u->view_arena, (view->person_count + 1) * sizeof *person);
    record.events = carnet_arena_alloc(&u->view_arena, (view->record.event_count + 1) * sizeof *record.events);
    record.event_count = 0;
    for (size_t i = 0; i < view->record.event_count; i++) {
        bool out = false;
        for (size_t j = 0; j < grants->count && !out; j++)
            out = !grants->at[j].keep && carnet_dot_equal(&grants->at[j].dot, &view->record.events[i].dot);
        if (!out)
            record.events[record.event_count++] = view->record.events[i];
    }
    person[0] = &record;
    for (size_t i = 1; i < view->person_count; i++)
        person[i] = view->person[i];
    return carnet_consent_open(carnet_replica_charter(u->replica), person, view->person_count ? view->person_count : 1, carnet_replica_now_ms(u->replica));
}

static unsigned bits(uint32_t mask)
{
    unsigned count = 0;
    for (; mask; mask &= mask - 1)
        count++;
    return count;
}

/* Keeps the grants without which something that others wrote would be closed: as few as it takes, and the narrowest. */
static void keep_needed(struct undo *u, const struct carnet_view *view, uint32_t needed, struct grants *grants)
{
    for (size_t round = 0; round < grants->count; round++) {
        uint32_t missing = needed & view->open & ~open_without(u, view, grants);
        struct own_grant *best = NULL;
        for (size_t i = 0; missing && i < grants->count; i++) {
            struct own_grant *g = &grants->at[i];
            unsigned covers = bits(g->scopes & missing), most = best ? bits(best->scopes & missing) : 0;
            if (!g->keep && covers && (!best || covers > most || (covers == most && bits(g->scopes) < bits(best->scopes))))
                best = g;
        }
        if (!best)
            return;
        best->keep = true;
    }
}

/* --- its values --- */

struct former_value {
    struct undo *undo;
    const struct carnet_view *view;
    uint32_t field;
    struct carnet_slice label;
    uint64_t before_hlc; /* of the import's write */
    struct carnet_slice value;
    int64_t day;
    bool found;
};

/* History is given oldest first: the last one that somebody else wrote before the import did. */
struct past {
    struct former_value *at;
    size_t count;
};

static bool each_past(void *ctx, const struct carnet_history_item *item)
{
    struct past *past = ctx;
    for (size_t i = 0; i < past->count && item->field; i++) {
        struct former_value *f = &past->at[i];
        if (item->field != f->field || !carnet_slice_equal(item->label, f->label) || item->gone || item->voided || is_undone(f->undo, &item->dot))
            continue;
        if (item->hlc >= f->before_hlc)
            continue;
        f->found = true;
        f->value = item->value;
        if (!carnet_mark_day(f->view, &item->dot, item->hlc, &f->day))
            f->day = item->at_ms / DAY_MS;
    }
    return true;
}

static bool stays(const struct looked *looked, const struct carnet_sibling *s)
{
    return looked->refused && (s->scope == CARNET_SCOPE_IDENTITY || s->scope == CARNET_SCOPE_EMAIL || s->scope == CARNET_SCOPE_PHONE) && s->field != CARNET_FIELD_TAG;
}

/* Another live value of the same cell: then there is a conflict with it, and it alone stays. two: there are several that differ. */
static const struct carnet_sibling *beside(struct undo *u, const struct carnet_view *view, const struct carnet_sibling *own, bool *two)
{
    const struct carnet_sibling *found = NULL;
    *two = false;
    for (size_t i = 0; i < view->record.live_count; i++) {
        const struct carnet_sibling *s = &view->record.live[i];
        if (s->state != CARNET_SIBLING_VALUE || s->field != own->field || !carnet_slice_equal(s->label, own->label) || is_own(u, &s->dot))
            continue;
        *two |= found && !carnet_slice_equal(found->value, s->value);
        if (!found || s->hlc > found->hlc)
            found = s;
    }
    return found;
}

struct giving {
    struct carnet_write_cell *cells;
    size_t cell_count;
    int64_t day; /* the youngest of what comes back */
    bool kept;
};

static void put_cell(struct undo *u, struct giving *g, const struct carnet_sibling *s, struct carnet_slice value)
{
    for (size_t i = 0; i < g->cell_count; i++)
        if (g->cells[i].field == s->field && carnet_slice_equal(g->cells[i].label, s->label))
            return;
    g->cells[g->cell_count++] = (struct carnet_write_cell){ .field = s->field, .label = carnet_arena_dup(&u->batch_arena, s->label),
                                                             .value = carnet_arena_dup(&u->batch_arena, value) };
}

static carnet_rc give_back(struct undo *u, const struct carnet_view *view, const struct looked *looked, bool keeps_grants, struct giving *g)
{
    const struct carnet_record *record = &view->record;
    struct past past = { .at = carnet_arena_alloc(&u->view_arena, (record->live_count + 1) * sizeof *past.at) };
    const struct carnet_sibling **wanted = carnet_arena_alloc(&u->view_arena, (record->live_count + 1) * sizeof *wanted);
    bool mark = false;
    carnet_rc rc = CARNET_OK;
    g->cells = carnet_arena_alloc(&u->batch_arena, (record->live_count + 2) * sizeof *g->cells);
    for (size_t i = 0; i < record->live_count; i++) {
        const struct carnet_sibling *s = &record->live[i];
        bool two;
        if (s->state != CARNET_SIBLING_VALUE || !is_own(u, &s->dot) || (!s->value.len && s->field != CARNET_FIELD_EVIDENCE))
            continue;
        if (is_mark(s)) {
            mark = true;
            continue;
        }
        if (stays(looked, s)) {
            g->kept = true;
            continue;
        }
        if (!(view->open >> s->scope & 1)) {
            u->result->blocked++;
            continue;
        }
        const struct carnet_sibling *other = beside(u, view, s, &two);
        if (two)
            continue; /* others are in conflict about it: a person settles it */
        if (other) {
            put_cell(u, g, s, other->value);
            continue;
        }
        past.at[past.count] = (struct former_value){ .undo = u, .view = view, .field = s->field, .label = s->label, .before_hlc = s->hlc };
        wanted[past.count++] = s;
    }
    if (past.count && !(looked->made && !looked->refused)) {
        struct carnet_arena arena;
        carnet_arena_init(&arena);
        rc = carnet_replica_history(u->replica, view, &arena, each_past, &past, u->err);
        for (size_t i = 0; !rc && i < past.count; i++) {
            const struct former_value *f = &past.at[i];
            /* evidence speaks of what the log holds for ever: it gives way to what it replaced, and to nothing */
            if (f->field == CARNET_FIELD_EVIDENCE && (!f->found || keeps_grants))
                continue;
            put_cell(u, g, wanted[i], f->found ? f->value : CARNET_SLICE_NONE);
            if (f->found && f->value.len && f->day > g->day)
                g->day = f->day;
        }
        carnet_arena_deinit(&arena);
    }
    if (!rc && (mark || g->cell_count) && view->open >> CARNET_SCOPE_IDENTITY & 1)
        g->cells[g->cell_count++] = (struct carnet_write_cell){ .field = CARNET_FIELD_SOURCE_ID, .label = carnet_slice_str("row"),
                                                                 .value = carnet_mark_undone(view, g->day, &u->batch_arena) };
    return rc;
}

/* --- one contact --- */

static carnet_rc flush(struct undo *u)
{
    carnet_rc rc = u->write_count ? carnet_replica_write(u->replica, u->writes, u->write_count, true, NULL, u->err) : CARNET_OK;
    u->write_count = 0;
    carnet_arena_reset(&u->batch_arena);
    return rc;
}

static void collect(struct undo *u, const struct carnet_view *view, const struct giving *g, const struct carnet_event *events, size_t event_count)
{
    u->writes[u->write_count++] = (struct carnet_write){ .book = view->book, .record = view->id, .subject = view->id, .kind = CARNET_KIND_CONTACT, .cells = g->cells,
                                                         .cell_count = g->cell_count, .events = events, .event_count = event_count, .unasked = true };
    u->in_transaction++;
}

static carnet_rc undo_contact(struct undo *u, const struct carnet_view *view)
{
    struct looked looked;
    struct giving giving = { .day = 0 };
    carnet_rc rc = look(u, view, &looked);
    if (rc)
        return rc;
    if (looked.made && !looked.refused) {
        struct grants made = grants_of(u, view);
        struct carnet_event *events = carnet_arena_alloc(&u->batch_arena, 2 * sizeof *events);
        size_t count = 0;
        events[0].type = CARNET_EVENT_INVALIDATE; /* so it is no refusal, and leaves no tag */
        while (events[0].name_count < made.count && events[0].name_count < CARNET_CHANGE_EVENTS_MAX) {
            events[0].names[events[0].name_count] = made.at[events[0].name_count].dot;
            events[0].name_count++;
        }
        count += events[0].name_count > 0;
        events[count++].type = CARNET_EVENT_ERASE;
        collect(u, view, &giving, events, count);
        u->result->erased++;
        return CARNET_OK;
    }
    struct grants grants = grants_of(u, view);
    uint32_t needed = looked.needed;
    if (looked.refused)
        needed |= 1u << CARNET_SCOPE_IDENTITY; /* who refused stays known */
    keep_needed(u, view, needed, &grants);
    size_t invalid = 0, kept = 0;
    struct carnet_event *events = carnet_arena_alloc(&u->batch_arena, (grants.count / CARNET_CHANGE_EVENTS_MAX + 1) * sizeof *events);
    for (size_t i = 0; i < grants.count; i++) {
        if (grants.at[i].keep) {
            kept++;
            continue;
        }
        struct carnet_event *event = &events[invalid / CARNET_CHANGE_EVENTS_MAX];
        event->type = CARNET_EVENT_INVALIDATE;
        event->names[event->name_count++] = grants.at[i].dot;
        invalid++;
    }
    rc = give_back(u, view, &looked, kept > 0, &giving);
    if (rc || (!giving.cell_count && !invalid))
        return rc;
    collect(u, view, &giving, events, (invalid + CARNET_CHANGE_EVENTS_MAX - 1) / CARNET_CHANGE_EVENTS_MAX);
    u->result->restored++;
    u->result->kept += kept || giving.kept;
    return CARNET_OK;
}

static carnet_rc undo_record(struct undo *u, const struct carnet_id *id)
{
    struct carnet_view view;
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; i < u->write_count && !rc; i++)
        if (carnet_id_equal(&u->writes[i].record, id))
            rc = flush(u);
    if (!rc && u->write_count == BATCH_CONTACTS)
        rc = flush(u);
    if (rc)
        return rc;
    carnet_arena_reset(&u->view_arena);
    rc = carnet_replica_record(u->replica, &u->imported->book, id, &u->view_arena, &view, u->err);
    if (rc)
        return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    return view.record.kind == CARNET_KIND_CONTACT ? undo_contact(u, &view) : CARNET_OK;
}

/* --- all --- */

static bool each_former(void *ctx, const struct carnet_imported *imported)
{
    struct undo *u = ctx;
    if (!imported->undone.len || !carnet_id_equal(&imported->book, &u->imported->book) || carnet_id_equal(&imported->id, &u->imported->id))
        return true;
    CARNET_GROW(u->former, u->former_count, u->former_cap);
    struct written *w = &u->former[u->former_count++];
    w->author = imported->dot.author;
    w->ranges = carnet_ranges_read(imported->text, &u->arena, &w->count);
    return true;
}

static carnet_rc put_state(struct undo *u, bool finished)
{
    struct carnet_buf text, at;
    carnet_buf_init(&text, 1024);
    carnet_buf_init(&at, 64);
    carnet_time_format(carnet_replica_wall_ms(u->replica), &at);
    carnet_imported_line(&text, finished ? "finished" : "began", carnet_buf_slice(&at));
    if (finished) {
        carnet_imported_number(&text, "erased", u->result->erased);
        carnet_imported_number(&text, "restored", u->result->restored);
        carnet_imported_number(&text, "kept", u->result->kept);
    }
    carnet_rc rc = carnet_imported_put(u->replica, &u->imported->book, &u->imported->id, CARNET_IMPORTED_UNDONE_LABEL, carnet_buf_slice(&text), false, u->err);
    carnet_buf_clear(&text);
    carnet_buf_printf(&text, "undone: erased %llu, restored %llu", (unsigned long long)u->result->erased, (unsigned long long)u->result->restored);
    if (!rc && finished)
        rc = carnet_audit_add(u->replica, CARNET_AUDIT_IMPORT, carnet_buf_slice(&text), u->err);
    carnet_buf_deinit(&at);
    carnet_buf_deinit(&text);
    return rc;
}

static carnet_rc undo_entry(struct undo *u, uint32_t stream, uint64_t seq)
{
    struct carnet_arena arena;
    struct carnet_id *records;
    size_t count;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_replica_entry_records(u->replica, &u->imported->book, u->own.author, stream, seq, &arena, &records, &count, u->err);
    for (size_t i = 0; !rc && i < count; i++)
        rc = undo_record(u, &records[i]);
    carnet_arena_deinit(&arena);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

static carnet_rc undo_all(struct undo *u, bool (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx)
{
    uint64_t total = 0, done = 0;
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; i < u->own.count; i++)
        total += u->own.ranges[i].to - u->own.ranges[i].from + 1;
    for (size_t i = 0; !rc && i < u->own.count; i++) {
        for (uint64_t seq = u->own.ranges[i].from; !rc && seq <= u->own.ranges[i].to; seq++) {
            rc = undo_entry(u, u->own.ranges[i].stream, seq);
            done++;
            if (rc || u->in_transaction < TRANSACTION_CONTACTS)
                continue;
            rc = flush(u);
            if (!rc)
                rc = carnet_replica_commit(u->replica, u->err);
            u->in_transaction = 0;
            if (!rc && progress && !progress(ctx, done, total)) {
                carnet_err_set(u->err, CARNET_CANCELLED, "stopped before all of the import was undone");
                carnet_err_hint(u->err, "what is done stays; the same command goes on where it stopped");
                return CARNET_CANCELLED;
            }
            if (!rc)
                rc = carnet_replica_begin(u->replica, u->err);
        }
    }
    return rc ? rc : flush(u);
}

static carnet_rc may_undo(struct carnet_replica *replica, const struct carnet_imported *imported, struct carnet_err *err)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    const uint32_t due = CARNET_VERB_ERASE | CARNET_VERB_RECTIFY | CARNET_VERB_EDIT;
    if (!self || (self->verbs & due) != due) {
        carnet_err_set(err, CARNET_REFUSED, "this node may not undo an import");
        carnet_err_hint(err, "an admin or office can");
        return CARNET_REFUSED;
    }
    if (imported->state != CARNET_IMPORTED_RUNNING)
        return CARNET_OK;
    carnet_err_set(err, CARNET_CONFLICT, "this import is still at work");
    carnet_err_hint(err, "stop it first, or wait for its end");
    return CARNET_CONFLICT;
}

carnet_rc carnet_people_import_undo(struct carnet_replica *replica, const struct carnet_imported *imported,
                                    bool (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx, struct carnet_undo_result *result, struct carnet_err *err)
{
    *result = (struct carnet_undo_result){ 0 };
    carnet_rc rc = may_undo(replica, imported, err);
    if (rc || imported->state == CARNET_IMPORTED_UNDONE)
        return rc;
    int64_t began_ms = carnet_replica_wall_ms(replica);
    struct undo *u = carnet_alloc(sizeof *u);
    *u = (struct undo){ .replica = replica, .imported = imported, .result = result, .err = err, .own = { .author = imported->dot.author } };
    carnet_arena_init(&u->arena);
    carnet_arena_init(&u->batch_arena);
    carnet_arena_init(&u->view_arena);
    u->own.ranges = carnet_ranges_read(imported->text, &u->arena, &u->own.count);
    rc = carnet_people_imports(replica, each_former, u, err);
    if (!rc)
        rc = carnet_replica_begin(replica, err);
    bool began = !rc;
    carnet_audit_hold(replica, true);
    if (!rc && !imported->undone.len)
        rc = put_state(u, false);
    if (!rc)
        rc = undo_all(u, progress, ctx);
    if (!rc)
        rc = put_state(u, true);
    if (!rc)
        rc = carnet_replica_commit(replica, err);
    if (rc && began)
        carnet_replica_rollback(replica);
    carnet_audit_hold(replica, false);
    result->ms = carnet_replica_wall_ms(replica) - began_ms;
    free(u->former);
    carnet_arena_deinit(&u->view_arena);
    carnet_arena_deinit(&u->batch_arena);
    carnet_arena_deinit(&u->arena);
    free(u);
    return rc;
}

/* --- a proof that was worth nothing --- */

static carnet_rc put_reason(const struct carnet_view *view, struct carnet_slice purpose, struct carnet_slice reason, struct carnet_buf *out, struct carnet_err *err)
{
    const struct carnet_sibling *held = NULL;
    struct carnet_buf text;
    for (size_t i = 0; i < view->record.live_count; i++) {
        const struct carnet_sibling *s = &view->record.live[i];
        if (s->state == CARNET_SIBLING_VALUE && s->field == CARNET_FIELD_EVIDENCE && carnet_slice_equal(s->label, purpose) && (!held || s->hlc > held->hlc))
            held = s;
    }
    if (held)
        carnet_buf_append_slice(out, held->value);
    carnet_buf_init(&text, 4096);
    carnet_rc rc = carnet_text_normalise(reason, &text);
    carnet_imported_line(out, "invalidated", carnet_buf_slice(&text));
    carnet_buf_deinit(&text);
    if (rc || out->failed)
        return carnet_err_set(err, CARNET_USAGE, "the text of the %s is not UTF-8 or is too long", "reason");
    return CARNET_OK;
}

carnet_rc carnet_people_invalidate(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, struct carnet_slice reason,
                                   struct carnet_err *err)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    const struct carnet_purpose_def *def;
    struct carnet_write writes[16];
    size_t count = 0;
    if (view->record.kind != CARNET_KIND_CONTACT)
        return carnet_err_set(err, CARNET_USAGE, "only a contact consents: this is another record");
    carnet_rc rc = carnet_people_purpose(carnet_replica_charter(replica), purpose, &def, err);
    if (rc)
        return rc;
    if (!self || !(self->verbs & CARNET_VERB_RECTIFY)) {
        carnet_err_set(err, CARNET_REFUSED, "this node may not invalidate an agreement");
        carnet_err_hint(err, "an admin or office can");
        return CARNET_REFUSED;
    }
    struct carnet_slice name = carnet_slice_str(def->name);
    struct carnet_buf text;
    struct carnet_write_cell cell = { .field = CARNET_FIELD_EVIDENCE, .label = name };
    struct carnet_arena arena;
    carnet_buf_init(&text, CARNET_VALUE_LEN_MAX);
    carnet_arena_init(&arena);
    if (reason.len)
        rc = put_reason(view, name, reason, &text, err);
    cell.value = carnet_buf_slice(&text);
    for (size_t p = 0; !rc && p < view->person_count && count < sizeof writes / sizeof *writes; p++) {
        const struct carnet_record *record = view->person[p];
        struct carnet_event *event = carnet_arena_alloc(&arena, sizeof *event);
        const struct carnet_view own = { .record = *record };
        event->type = CARNET_EVENT_INVALIDATE;
        for (size_t i = 0; i < record->event_count && event->name_count < CARNET_CHANGE_EVENTS_MAX; i++) {
            struct carnet_event grant;
            if (carnet_event_peek(record->events[i].raw) == CARNET_EVENT_GRANT && event_of(&record->events[i], &grant) && carnet_slice_equal(grant.purpose, name) &&
                !is_named(&own, &record->events[i].dot))
                event->names[event->name_count++] = record->events[i].dot;
        }
        if (event->name_count)
            writes[count++] = (struct carnet_write){ .book = view->book, .record = record->id, .subject = record->id, .kind = CARNET_KIND_CONTACT, .events = event,
                                                     .event_count = 1, .cells = p == 0 ? &cell : NULL, .cell_count = p == 0 && reason.len ? 1 : 0 };
    }
    if (!rc && !count)
        rc = carnet_err_set(err, CARNET_NOT_FOUND, "no agreement to \"%s\" is on record that still counts for anything", def->name);
    if (!rc)
        rc = carnet_replica_write(replica, writes, count, true, NULL, err);
    carnet_arena_deinit(&arena);
    carnet_buf_deinit(&text);
    return rc;
}
