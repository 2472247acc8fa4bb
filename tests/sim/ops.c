// SPDX-License-Identifier: EUPL-1.2
/* What people do. Each operation is drawn, its facts are noted, it is done as a command would do it, and its answer is noted. */
#include "sim.h"

#include "carnet/log/entry.h"
#include "carnet/people/imports.h"
#include "carnet/people/law.h"
#include "carnet/people/rows.h"
#include "carnet/replica/suppress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 48, CELLS_MAX = 12, EVENTS_MAX = 6 };

struct plan { /* one write with what it borrows */
    struct carnet_write write;
    struct carnet_write_cell cells[CELLS_MAX];
    struct carnet_event events[EVENTS_MAX];
    char labels[CELLS_MAX][24], values[CELLS_MAX][24];
    size_t record;
};

static struct carnet_slice str(const char *text)
{
    return carnet_slice_str(text);
}

static void plan_begin(struct sim *sim, struct plan *plan, size_t record)
{
    const struct sim_record *r = &sim->records[record];
    memset(plan, 0, sizeof *plan);
    plan->record = record;
    plan->write = (struct carnet_write){ .book = sim->books[r->book], .record = r->id, .subject = r->subject, .kind = r->kind, .cells = plan->cells, .events = plan->events };
}

static void plan_cell(struct sim *sim, struct plan *plan, unsigned node, const struct carnet_view *view, uint32_t field, const char *label, const char *value)
{
    if (plan->write.cell_count == CELLS_MAX)
        return;
    size_t i = plan->write.cell_count++;
    snprintf(plan->labels[i], sizeof plan->labels[i], "%s", label);
    snprintf(plan->values[i], sizeof plan->values[i], "%s", value);
    plan->cells[i] = (struct carnet_write_cell){ field, str(plan->labels[i]), str(plan->values[i]) };
    size_t index = sim_write_add(sim, plan->record, node, field, label, value);
    struct sim_write *write = &sim->writes[index];
    for (size_t j = 0; view && j < view->record.live_count; j++) {
        const struct carnet_sibling *s = &view->record.live[j];
        if (s->state != CARNET_SIBLING_VALUE || s->field != field || !carnet_slice_equal(s->label, str(label)))
            continue;
        write->seen = carnet_realloc(write->seen, write->seen_count + 1, sizeof *write->seen);
        write->seen[write->seen_count++] = s->dot;
    }
}

static struct carnet_event *plan_event(struct plan *plan, enum carnet_event_type type)
{
    CARNET_ASSERT(plan->write.event_count < EVENTS_MAX);
    struct carnet_event *event = &plan->events[plan->write.event_count++];
    *event = (struct carnet_event){ .type = type };
    return event;
}

static void plan_note(struct sim *sim, const struct plan *plan, unsigned node)
{
    for (size_t i = 0; i < plan->write.event_count; i++)
        sim_event_add(sim, plan->record, node, &plan->events[i]);
}

/* What the answer of a write says about what was written. */
static enum sim_fate fate_of(struct sim_node *node, carnet_rc rc, const struct carnet_err *err)
{
    struct sim *sim = node->sim;
    const struct sim_mix *mix = &sim->mix;
    bool faulty = mix->ioerr_ppm || mix->enospc_ppm || mix->fsyncerr_ppm;
    if (rc == CARNET_OK)
        return SIM_ACKED;
    if (!simvfs_is_on(sim->vfs, node->name))
        return SIM_UNKNOWN;
    if (rc == CARNET_FAILED || rc == CARNET_CORRUPT) {
        if (!faulty)
            sim_fail(sim, "P9", "n%u: %s on an honest disk", node->index, err->what);
        node->crashed_in_op = true;
        return SIM_UNKNOWN;
    }
    return SIM_FAILED;
}

static carnet_rc done(struct sim_node *node, const char *what, size_t record, size_t first_write, size_t first_event, carnet_rc rc, const struct carnet_err *err)
{
    struct sim *sim = node->sim;
    sim_ack(node, first_write, first_event, fate_of(node, rc, err));
    sim_trace(sim, "n%u %s r%zu: %s%s%s", node->index, what, record, rc == CARNET_OK ? "ok" : carnet_rc_name(rc), rc == CARNET_OK ? "" : ", ", rc == CARNET_OK ? "" : err->what);
    if (rc == CARNET_OK && node->on && simvfs_is_on(sim->vfs, node->name))
        carnet_core_written(node->core);
    if (node->crashed_in_op && simvfs_is_on(sim->vfs, node->name) && sim_chance(sim, 500))
        sim_crash(node, false);
    sim_settle(node);
    return rc;
}

/* What a refusal is to leave on the list: every address of the person that the node reads. */
static void note_refused(struct sim_node *node, const struct plan *plan)
{
    struct sim *sim = node->sim;
    const struct sim_record *r = &sim->records[plan->record];
    struct carnet_arena arena;
    struct carnet_view view;
    struct carnet_suppression list;
    struct carnet_err err = CARNET_ERR_INIT;
    if (r->kind != CARNET_KIND_CONTACT || carnet_replica_suppression(node->replica, &list, &err) != CARNET_OK || !list.key)
        return;
    carnet_arena_init(&arena);
    bool seen = carnet_replica_view(node->replica, &sim->books[r->book], &r->id, &arena, &view, &err) == CARNET_OK;
    for (size_t e = 0; seen && e < plan->write.event_count; e++) {
        const struct carnet_event *event = &plan->events[e];
        if (event->type != CARNET_EVENT_WITHDRAW && event->type != CARNET_EVENT_OBJECT && event->type != CARNET_EVENT_ERASE)
            continue;
        for (size_t p = 0; p < view.person_count; p++)
            for (size_t i = 0; i < view.person[p]->live_count; i++) {
                const struct carnet_sibling *s = &view.person[p]->live[i];
                if (s->state != CARNET_SIBLING_VALUE || !s->value.len || (s->field != CARNET_FIELD_EMAIL && s->field != CARNET_FIELD_PHONE))
                    continue;
                CARNET_GROW(sim->refused, sim->refused_count, sim->refused_cap);
                struct sim_refused *refused = &sim->refused[sim->refused_count++];
                *refused = (struct sim_refused){ .node = node->index };
                snprintf(refused->value, sizeof refused->value, "%.*s", (int)s->value.len, (const char *)s->value.ptr);
                snprintf(refused->purpose, sizeof refused->purpose, "%.*s", (int)event->purpose.len, event->purpose.len ? (const char *)event->purpose.ptr : "");
            }
    }
    carnet_arena_deinit(&arena);
}

/* The tags are in the last entry of what was just written. */
static void settle_refused(struct sim_node *node, size_t first, carnet_rc rc)
{
    struct sim *sim = node->sim;
    struct carnet_entry_row row;
    struct carnet_entry_header header;
    struct carnet_hash hash;
    struct carnet_err err = CARNET_ERR_INIT;
    if (first == sim->refused_count)
        return;
    if (rc != CARNET_OK || !simvfs_is_on(sim->vfs, node->name) ||
        carnet_store_entry_get(carnet_replica_store(node->replica), carnet_replica_last(node->replica), &row, &err) != CARNET_OK) {
        sim->refused_count = first; /* it is not known what became of it */
        return;
    }
    if (carnet_entry_peek(row.bytes, &header, &hash) != CARNET_OK || !carnet_id_equal(&header.book, &sim->community) || header.log != CARNET_LOG_LAW)
        sim_fail(sim, "P4", "n%u: a refusal of \"%s\" leaves no tag of %s", node->index, sim->refused[first].purpose, sim->refused[first].value);
    for (size_t i = first; i < sim->refused_count; i++) {
        sim->refused[i].stream = carnet_entry_stream(&header);
        sim->refused[i].seq = header.seq;
        sim->refused[i].hlc = header.hlc;
    }
}

static carnet_rc commit(struct sim_node *node, const char *what, struct plan *plans, size_t count, size_t first_write)
{
    struct sim *sim = node->sim;
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_write writes[BATCH_MAX];
    size_t first_event = sim->event_count, first_refused = sim->refused_count;
    for (size_t i = 0; i < count; i++) {
        note_refused(node, &plans[i]);
        plan_note(sim, &plans[i], node->index);
        writes[i] = plans[i].write;
    }
    carnet_rc rc = carnet_replica_write(node->replica, writes, count, false, NULL, &err);
    settle_refused(node, first_refused, rc);
    return done(node, what, plans[0].record, first_write, first_event, rc, &err);
}

static struct sim_node *actor(struct sim *sim)
{
    for (unsigned tries = 0; tries < 20; tries++) {
        struct sim_node *node = &sim->nodes[sim_below(sim, sim->node_count)];
        if (node->on && node->role != CARNET_ROLE_RELAY)
            return node;
    }
    return NULL;
}

/* A contact that the node sees, newest more often. */
static size_t target(struct sim_node *node, struct carnet_view *view)
{
    struct sim *sim = node->sim;
    struct carnet_err err = CARNET_ERR_INIT;
    carnet_arena_reset(&sim->arena);
    for (unsigned tries = 0; tries < 12 && sim->record_count; tries++) {
        size_t span = sim_chance(sim, 500) && sim->record_count > 6 ? 6 : sim->record_count;
        size_t record = sim->record_count - 1 - sim_below(sim, span);
        if (tries == 0 && sim_chance(sim, 300)) /* the one that somebody else has at hand */
            record = sim->hot;
        const struct sim_record *r = &sim->records[record];
        if (r->kind == CARNET_KIND_CONTACT && sim_node_holds(node, r->book) &&
            carnet_replica_record(node->replica, &sim->books[r->book], &r->id, &sim->arena, view, &err) == CARNET_OK) {
            sim->hot = record;
            return record;
        }
    }
    return SIZE_MAX;
}

static const uint32_t fields_of[CARNET_SCOPE_COUNT][2] = {
    [CARNET_SCOPE_IDENTITY] = { CARNET_FIELD_FAMILY, CARNET_FIELD_GIVEN }, [CARNET_SCOPE_EMAIL] = { CARNET_FIELD_EMAIL, CARNET_FIELD_EMAIL },
    [CARNET_SCOPE_PHONE] = { CARNET_FIELD_PHONE, CARNET_FIELD_PHONE },     [CARNET_SCOPE_POSTAL] = { CARNET_FIELD_CITY, CARNET_FIELD_STREET },
    [CARNET_SCOPE_SOCIAL] = { CARNET_FIELD_HANDLE, CARNET_FIELD_WEBSITE }, [CARNET_SCOPE_OPINION] = { CARNET_FIELD_ISSUES, CARNET_FIELD_SUPPORT },
    [CARNET_SCOPE_NOTES] = { CARNET_FIELD_NOTE, CARNET_FIELD_NOTE },       [CARNET_SCOPE_CONSENT] = { CARNET_FIELD_EVIDENCE, CARNET_FIELD_EVIDENCE },
};

static const char *draw_label(struct sim *sim, enum carnet_scope scope)
{
    static const char *const labels[] = { "", "home", "2" };
    return scope == CARNET_SCOPE_IDENTITY ? "" : labels[sim_below(sim, 3)];
}

/* One of the node's charter; the text lives as long as its replica. */
static const struct carnet_purpose_def *draw_purpose(struct sim_node *node)
{
    const struct carnet_charter *charter = carnet_replica_charter(node->replica);
    const struct carnet_purpose_def *def = carnet_purpose_at(charter, sim_below(node->sim, charter->purpose_count));
    return def->retired ? carnet_purpose_find(charter, str("file")) : def;
}

static int64_t draw_until(struct sim_node *node)
{
    struct sim *sim = node->sim;
    if (!sim_chance(sim, 250))
        return 0;
    return sim_wall(node) + (sim->mix.sparse ? sim_log_uniform(sim, 5 * SIM_DAY, 100 * SIM_DAY) : sim_log_uniform(sim, SIM_MINUTE, 60 * SIM_MINUTE));
}

static void plan_grant(struct sim_node *node, struct plan *plan, const struct carnet_view *view, const struct carnet_purpose_def *purpose)
{
    struct sim *sim = node->sim;
    char mark[24];
    struct carnet_event *event = plan_event(plan, CARNET_EVENT_GRANT);
    event->purpose = str(purpose->name);
    event->version = purpose->version;
    event->basis = strcmp(purpose->name, "file") && sim_chance(sim, 200) ? CARNET_BASIS_LEGITIMATE_INTEREST : CARNET_BASIS_CONSENT;
    event->since_ms = sim_wall(node);
    event->until_ms = draw_until(node);
    if (sim_node_reads(node, CARNET_SCOPE_CONSENT)) {
        sim_mark(sim, mark);
        plan_cell(sim, plan, node->index, view, CARNET_FIELD_EVIDENCE, purpose->name, mark);
    }
}

/* A new contact with grants and one value in most of the scopes they cover. */
static void plan_contact(struct sim_node *node, struct plan *plan)
{
    struct sim *sim = node->sim;
    char mark[24];
    unsigned book;
    do
        book = (unsigned)sim_below(sim, sim->book_count);
    while (!sim_node_holds(node, book));
    struct carnet_id id = carnet_replica_new_id(node->replica);
    size_t record = sim_record_add(sim, &id, &id, book, CARNET_KIND_CONTACT, SIZE_MAX, node->index);
    plan_begin(sim, plan, record);
    plan->write.fresh = sim_chance(sim, 500);
    const struct carnet_purpose_def *file = carnet_purpose_find(carnet_replica_charter(node->replica), str("file"));
    uint32_t covered = file->scopes;
    plan_grant(node, plan, NULL, file);
    for (uint64_t more = sim_below(sim, 4); more > 0; more--) {
        const struct carnet_purpose_def *purpose = draw_purpose(node);
        bool again = false;
        for (size_t i = 0; i < plan->write.event_count; i++)
            again = again || carnet_slice_equal(plan->events[i].purpose, str(purpose->name));
        if (again)
            continue;
        covered |= purpose->scopes;
        plan_grant(node, plan, NULL, purpose);
    }
    for (enum carnet_scope scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_CONSENT; scope++) {
        bool empty = !sim_chance(sim, 850);
        if (!(covered & 1u << scope) || !sim_node_reads(node, scope) || empty)
            continue;
        if ((scope == CARNET_SCOPE_EMAIL || scope == CARNET_SCOPE_PHONE) && sim_chance(sim, 300))
            sim_shared(sim, mark);
        else
            sim_mark(sim, mark);
        plan_cell(sim, plan, node->index, NULL, fields_of[scope][0], "", mark);
    }
}

static void op_add(struct sim *sim, struct sim_node *node)
{
    struct plan plan;
    size_t first_write = sim->write_count;
    plan_contact(node, &plan);
    commit(node, "adds", &plan, 1, first_write);
}

static void op_import(struct sim *sim, struct sim_node *node)
{
    static struct plan plans[BATCH_MAX];
    size_t first_write = sim->write_count, count = 5 + sim_below(sim, 20);
    for (size_t i = 0; i < count; i++)
        plan_contact(node, &plans[i]);
    commit(node, "imports from", plans, count, first_write);
}

static void op_edit(struct sim *sim, struct sim_node *node)
{
    struct plan plan;
    struct carnet_view view;
    char mark[24];
    size_t record = target(node, &view), first_write = sim->write_count;
    if (record == SIZE_MAX)
        return;
    plan_begin(sim, &plan, record);
    for (uint64_t more = 1 + sim_below(sim, 2); more > 0; more--) {
        enum carnet_scope scope = (enum carnet_scope)(1 + sim_below(sim, CARNET_SCOPE_CONSENT - 1));
        if (!(view.open & 1u << scope) && sim_chance(sim, 900))
            scope = CARNET_SCOPE_IDENTITY;
        if (!sim_node_reads(node, scope))
            continue;
        uint32_t field = fields_of[scope][sim_below(sim, 2)];
        const char *label = draw_label(sim, scope);
        const struct carnet_charter *charter = carnet_replica_charter(node->replica);
        if (charter->field_count && sim_chance(sim, 300)) { /* one of the community's own */
            const struct carnet_field_def *def = charter->fields[sim_below(sim, charter->field_count)];
            if (!sim_node_reads(node, def->scope))
                continue;
            field = def->field;
        }
        bool again = false;
        for (size_t i = 0; i < plan.write.cell_count; i++)
            again = again || (plan.cells[i].field == field && carnet_slice_equal(plan.cells[i].label, str(label)));
        if (again)
            continue;
        sim_mark(sim, mark);
        if (sim_chance(sim, 120))
            mark[0] = 0;
        else if ((scope == CARNET_SCOPE_EMAIL || scope == CARNET_SCOPE_PHONE) && sim_chance(sim, 300))
            sim_shared(sim, mark);
        plan_cell(sim, &plan, node->index, &view, field, label, mark);
    }
    if (plan.write.cell_count)
        commit(node, "edits", &plan, 1, first_write);
}

static void op_tag(struct sim *sim, struct sim_node *node)
{
    struct plan plan;
    struct carnet_view view;
    char label[8];
    size_t record = target(node, &view), first_write = sim->write_count;
    if (record == SIZE_MAX || !sim_node_reads(node, CARNET_SCOPE_IDENTITY))
        return;
    plan_begin(sim, &plan, record);
    snprintf(label, sizeof label, "t%u", (unsigned)sim_below(sim, 4));
    plan_cell(sim, &plan, node->index, &view, CARNET_FIELD_TAG, label, sim_chance(sim, 650) ? "1" : "");
    commit(node, "tags", &plan, 1, first_write);
}

static void op_grant(struct sim *sim, struct sim_node *node)
{
    struct plan plan;
    struct carnet_view view;
    size_t record = target(node, &view), first_write = sim->write_count;
    if (record == SIZE_MAX)
        return;
    const struct carnet_purpose_def *purpose = draw_purpose(node);
    plan_begin(sim, &plan, record);
    plan_grant(node, &plan, &view, purpose);
    struct carnet_event *event = &plan.events[0];
    if (sim_chance(sim, 700))
        for (size_t i = 0; i < view.person_count; i++)
            event->name_count += carnet_consent_refusals(view.person[i], event->purpose, event->names + event->name_count, 60 - event->name_count);
    event->proof = (enum carnet_proof)sim_below(sim, 4);
    enum carnet_scope scope = CARNET_SCOPE_EMAIL;
    if (purpose->scopes & 1u << scope && sim_node_reads(node, scope) && !event->name_count && sim_chance(sim, 500)) {
        char mark[24];
        sim_mark(sim, mark);
        plan_cell(sim, &plan, node->index, &view, CARNET_FIELD_EMAIL, "", mark);
    }
    commit(node, "grants on", &plan, 1, first_write);
}

static void op_countersign(struct sim *sim, struct sim_node *node)
{
    for (size_t i = sim->event_count; i-- > 0;) {
        const struct sim_event *grant = &sim->events[i];
        if (grant->type != CARNET_EVENT_GRANT || !grant->name_count || grant->fate != SIM_ACKED || grant->proof != CARNET_PROOF_PAPER ||
            !sim_node_holds(node, sim->records[grant->record].book) || !sim_holds_dot(node, sim->records[grant->record].book, &grant->dot))
            continue;
        struct plan plan;
        size_t first_write = sim->write_count;
        plan_begin(sim, &plan, grant->record);
        struct carnet_event *event = plan_event(&plan, CARNET_EVENT_COUNTERSIGN);
        event->names[event->name_count++] = grant->dot;
        commit(node, "countersigns", &plan, 1, first_write);
        return;
    }
}

static void darken(struct sim_node *node, size_t record)
{
    struct sim *sim = node->sim;
    struct carnet_view view;
    struct carnet_err err = CARNET_ERR_INIT;
    const struct sim_record *r = &sim->records[record];
    uint32_t scopes = 0;
    carnet_arena_reset(&sim->arena);
    if (!node->on || carnet_replica_record(node->replica, &sim->books[r->book], &r->id, &sim->arena, &view, &err) != CARNET_OK)
        return;
    for (size_t i = 0; i < view.record.seed_count; i++)
        if (!view.record.seeds[i].dead)
            scopes |= 1u << view.record.seeds[i].scope;
    scopes &= ~view.open & ~(1u << CARNET_SCOPE_CONSENT) & CARNET_SCOPES_ALL;
    if (!scopes)
        return;
    size_t first_event = sim->event_count;
    for (enum carnet_scope scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_COUNT; scope++)
        if (scopes & 1u << scope) {
            struct carnet_event event = { .type = CARNET_EVENT_DARK, .scope = scope };
            sim_event_add(sim, record, node->index, &event);
        }
    carnet_rc rc = carnet_replica_dark(node->replica, &sim->books[r->book], &r->id, scopes, &err);
    done(node, "darkens", record, sim->write_count, first_event, rc, &err);
}

static void refuse(struct sim *sim, struct sim_node *node, enum carnet_event_type type)
{
    struct plan plan;
    struct carnet_view view;
    size_t record = target(node, &view), first_write = sim->write_count;
    if (record == SIZE_MAX)
        return;
    plan_begin(sim, &plan, record);
    struct carnet_event *event = plan_event(&plan, type);
    event->purpose = str(draw_purpose(node)->name);
    if (type == CARNET_EVENT_OBJECT && sim_chance(sim, 300))
        event->purpose = CARNET_SLICE_NONE;
    for (size_t i = 0; i < sim->event_count && sim_chance(sim, 800); i++) /* rather a purpose that was granted */
        if (sim->events[i].record == record && sim->events[i].type == CARNET_EVENT_GRANT && event->purpose.len)
        {
            const struct carnet_purpose_def *def = carnet_purpose_find(carnet_replica_charter(node->replica), str(sim->events[i].purpose));
            event->purpose = def ? str(def->name) : event->purpose;
        }
    if (commit(node, type == CARNET_EVENT_OBJECT ? "objects for" : "withdraws for", &plan, 1, first_write) == CARNET_OK && node->on) {
        sim_check_consent(node, record);
        if (sim_chance(sim, 400))
            darken(node, record);
    }
}

static void op_withdraw(struct sim *sim, struct sim_node *node)
{
    refuse(sim, node, CARNET_EVENT_WITHDRAW);
}

static void op_object(struct sim *sim, struct sim_node *node)
{
    refuse(sim, node, CARNET_EVENT_OBJECT);
}

static void op_dark(struct sim *sim, struct sim_node *node)
{
    struct carnet_view view;
    size_t record = target(node, &view);
    if (record != SIZE_MAX && sim == node->sim)
        darken(node, record);
}

static void op_erase(struct sim *sim, struct sim_node *node)
{
    struct plan plan;
    struct carnet_view view;
    size_t record = target(node, &view), first_write = sim->write_count;
    if (record == SIZE_MAX)
        return;
    plan_begin(sim, &plan, record);
    plan_event(&plan, CARNET_EVENT_ERASE);
    if (commit(node, "erases", &plan, 1, first_write) == CARNET_OK && node->on)
        sim_check_consent(node, record);
}

static void op_restrict(struct sim *sim, struct sim_node *node)
{
    struct plan plan;
    struct carnet_view view;
    size_t record = target(node, &view), first_write = sim->write_count;
    if (record == SIZE_MAX)
        return;
    plan_begin(sim, &plan, record);
    struct carnet_event *event = plan_event(&plan, view.restricted ? CARNET_EVENT_LIFT : CARNET_EVENT_RESTRICT);
    for (size_t i = 0; view.restricted && i < view.record.event_count && event->name_count < 32; i++)
        if (carnet_event_peek(view.record.events[i].raw) == CARNET_EVENT_RESTRICT)
            event->names[event->name_count++] = view.record.events[i].dot;
    commit(node, view.restricted ? "lifts" : "restricts", &plan, 1, first_write);
}

static void op_merge(struct sim *sim, struct sim_node *node)
{
    struct plan plan;
    struct carnet_view view, other;
    size_t b = target(node, &other), a = target(node, &view), first_write = sim->write_count;
    if (a == SIZE_MAX || b == SIZE_MAX || a == b || sim->records[a].book != sim->records[b].book)
        return;
    plan_begin(sim, &plan, a);
    struct carnet_event *event = plan_event(&plan, CARNET_EVENT_EDGE);
    event->other = sim->records[b].id;
    event->on = true;
    for (size_t i = 0; i < view.record.event_count && event->name_count < 32; i++) {
        struct carnet_event seen;
        if (carnet_event_decode(view.record.events[i].raw, &seen) == CARNET_OK && seen.type == CARNET_EVENT_EDGE && carnet_id_equal(&seen.other, &event->other)) {
            event->names[event->name_count++] = view.record.events[i].dot;
            event->on = !seen.on;
        }
    }
    commit(node, event->on ? "merges" : "unmerges", &plan, 1, first_write);
}

static size_t find_record(const struct sim *sim, const struct carnet_id *id)
{
    for (size_t i = 0; i < sim->record_count; i++)
        if (carnet_id_equal(&sim->records[i].id, id))
            return i;
    return SIZE_MAX;
}

/* Takes a contact out of its person: every edge between it and another is replaced. */
static void op_unmerge(struct sim *sim, struct sim_node *node)
{
    static struct plan plans[BATCH_MAX];
    struct carnet_view view;
    size_t record = target(node, &view), count = 0, first_write = sim->write_count;
    if (record == SIZE_MAX)
        return;
    for (size_t i = 0; i < view.person_count && count < BATCH_MAX; i++) {
        size_t of = find_record(sim, &view.person[i]->id);
        if (of == SIZE_MAX || view.person[i]->erased)
            continue;
        plan_begin(sim, &plans[count], of);
        for (size_t j = 0; j < view.person_count && plans[count].write.event_count < EVENTS_MAX; j++) {
            struct carnet_event off = { .type = CARNET_EVENT_EDGE, .other = view.person[j]->id };
            if (i == j || (i && j))
                continue;
            for (size_t k = 0; k < view.person[i]->event_count && off.name_count < 32; k++) {
                struct carnet_event seen;
                if (carnet_event_decode(view.person[i]->events[k].raw, &seen) == CARNET_OK && seen.type == CARNET_EVENT_EDGE && seen.on &&
                    carnet_id_equal(&seen.other, &off.other))
                    off.names[off.name_count++] = view.person[i]->events[k].dot;
            }
            if (off.name_count)
                *plan_event(&plans[count], CARNET_EVENT_EDGE) = off;
        }
        count += plans[count].write.event_count > 0;
    }
    if (count)
        commit(node, "unmerges", plans, count, first_write);
}

static void op_distinct(struct sim *sim, struct sim_node *node)
{
    struct plan plan;
    struct carnet_view view, other;
    size_t b = target(node, &other), a = target(node, &view), first_write = sim->write_count;
    if (a == SIZE_MAX || b == SIZE_MAX || a == b || sim->records[a].book != sim->records[b].book)
        return;
    plan_begin(sim, &plan, a);
    plan_event(&plan, CARNET_EVENT_EDGE)->other = sim->records[b].id;
    commit(node, "tells apart", &plan, 1, first_write);
}

/* Erases every contact of a person, as one of them is named. */
static void op_erase_person(struct sim *sim, struct sim_node *node)
{
    static struct plan plans[BATCH_MAX];
    struct carnet_view view, person;
    struct carnet_err err = CARNET_ERR_INIT;
    size_t record = target(node, &view), count = 0, first_write = sim->write_count, erased[BATCH_MAX];
    if (record == SIZE_MAX || view.person_count < 2 || !sim_chance(sim, 300) ||
        carnet_replica_view(node->replica, &view.book, &view.id, &sim->arena, &person, &err) != CARNET_OK)
        return;
    for (size_t i = 0; i < person.record_count && count < BATCH_MAX; i++) {
        size_t of = find_record(sim, &person.records[i].record->id);
        if (of == SIZE_MAX)
            continue;
        plan_begin(sim, &plans[count], of);
        plan_event(&plans[count], CARNET_EVENT_ERASE);
        erased[count++] = of;
    }
    if (!count || commit(node, "erases the person of", plans, count, first_write) != CARNET_OK || !node->on)
        return;
    for (size_t i = 0; i < count; i++)
        if (carnet_replica_view(node->replica, &sim->books[sim->records[erased[i]].book], &sim->records[erased[i]].id, &sim->arena, &person, &err) == CARNET_OK)
            sim_fail(sim, "P4", "n%u shows r%zu, whose person it erased", node->index, erased[i]);
}

static void op_note(struct sim *sim, struct sim_node *node)
{
    struct plan plan;
    struct carnet_view view;
    char mark[24];
    size_t person = target(node, &view), first_write = sim->write_count;
    if (person == SIZE_MAX || !sim_node_reads(node, CARNET_SCOPE_NOTES))
        return;
    struct carnet_id id = carnet_replica_new_id(node->replica), subject = sim->records[person].id;
    size_t record = sim_record_add(sim, &id, &subject, sim->records[person].book, CARNET_KIND_NOTE, person, node->index);
    plan_begin(sim, &plan, record);
    sim_mark(sim, mark);
    plan_cell(sim, &plan, node->index, NULL, CARNET_FIELD_TEXT, "", mark);
    commit(node, "notes", &plan, 1, first_write);
}

static void op_rectify(struct sim *sim, struct sim_node *node)
{
    struct plan plan;
    struct carnet_view view;
    char mark[24];
    size_t record = target(node, &view), first_write = sim->write_count;
    if (record == SIZE_MAX || !(view.open & 1u << CARNET_SCOPE_IDENTITY) || !sim_node_reads(node, CARNET_SCOPE_IDENTITY))
        return;
    plan_begin(sim, &plan, record);
    struct carnet_event *event = plan_event(&plan, CARNET_EVENT_RECTIFY);
    for (size_t i = 0; i < view.record.live_count && event->name_count < 8; i++)
        if (view.record.live[i].state == CARNET_SIBLING_VALUE && view.record.live[i].field == CARNET_FIELD_FAMILY)
            event->names[event->name_count++] = view.record.live[i].dot;
    if (!event->name_count)
        return;
    for (size_t i = 0; i < view.record.live_count; i++) { /* what stands beside it in a dropped part is written again */
        const struct carnet_sibling *s = &view.record.live[i];
        bool beside = false, named = false;
        char label[24], value[24];
        for (size_t j = 0; j < event->name_count; j++) {
            const struct carnet_dot *dot = &event->names[j];
            named = named || carnet_dot_equal(dot, &s->dot);
            beside = beside || (dot->author == s->dot.author && dot->stream == s->dot.stream && dot->seq == s->dot.seq &&
                                dot->index / CARNET_DOT_CHANGE == s->dot.index / CARNET_DOT_CHANGE);
        }
        if (named || !beside || s->scope != CARNET_SCOPE_IDENTITY || s->state != CARNET_SIBLING_VALUE)
            continue;
        snprintf(label, sizeof label, "%.*s", (int)s->label.len, s->label.len ? (const char *)s->label.ptr : "");
        snprintf(value, sizeof value, "%.*s", (int)s->value.len, s->value.len ? (const char *)s->value.ptr : "");
        size_t index = sim_write_add(sim, record, node->index, s->field, label, value);
        sim->writes[index].seen = carnet_alloc(sizeof s->dot);
        sim->writes[index].seen[0] = s->dot;
        sim->writes[index].seen_count = 1;
    }
    sim_mark(sim, mark);
    plan_cell(sim, &plan, node->index, &view, CARNET_FIELD_FAMILY, "", mark);
    commit(node, "rectifies", &plan, 1, first_write);
}

static void op_sweep(struct sim *sim, struct sim_node *node)
{
    struct carnet_err err = CARNET_ERR_INIT;
    carnet_rc rc = carnet_replica_sweep(node->replica, &err);
    done(node, "sweeps", 0, sim->write_count, sim->event_count, rc, &err);
    if (rc == CARNET_OK && node->on)
        sim_check_files(node, true, false);
}

static void op_rebuild(struct sim *sim, struct sim_node *node)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_hash before[SIM_BOOKS_MAX], after;
    for (unsigned i = 0; i < sim->book_count; i++)
        if (sim_node_holds(node, i) && carnet_replica_state(node->replica, &sim->books[i], &before[i], &err) != CARNET_OK)
            return;
    if (sim->trace) /* which records, when the states differ */
        sim_show_records(node, "before");
    carnet_rc rc = carnet_replica_rebuild(node->replica, &err);
    if (sim->trace)
        sim_show_records(node, "after");
    done(node, "rebuilds", 0, sim->write_count, sim->event_count, rc, &err);
    for (unsigned i = 0; rc == CARNET_OK && node->on && i < sim->book_count; i++)
        if (sim_node_holds(node, i) && carnet_replica_state(node->replica, &sim->books[i], &after, &err) == CARNET_OK && !carnet_hash_equal(&before[i], &after))
            sim_fail(sim, "P1", "n%u: a rebuild changes the state of book %u", node->index, i);
}

static void op_book(struct sim *sim, struct sim_node *node)
{
    struct carnet_err err = CARNET_ERR_INIT;
    char name[16];
    if (sim->book_count == SIM_BOOKS_MAX || !sim_chance(sim, 200))
        return;
    snprintf(name, sizeof name, "carnet %zu", sim->book_count);
    struct carnet_id id;
    carnet_rc rc = carnet_replica_book_add(node->replica, str(name), &id, &err);
    if (rc == CARNET_OK)
        sim->books[sim->book_count++] = id;
    done(node, "makes a book", 0, sim->write_count, sim->event_count, rc, &err);
}

static void op_join(struct sim *sim, struct sim_node *node)
{
    if (sim_chance(sim, 250)) {
        sim_admit(sim, node);
        sim_settle(node);
    }
}

static void op_cut(struct sim *sim, struct sim_node *node)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct sim_node *whose = &sim->nodes[sim_below(sim, sim->node_count)];
    unsigned left = 0;
    for (unsigned i = 0; i < sim->node_count; i++)
        left += sim_node_member(&sim->nodes[i]);
    if (!sim_chance(sim, 100) || whose == node || whose->index < 2 || left < 4)
        return;
    carnet_rc rc = carnet_replica_cut(node->replica, &whose->id, &err);
    if (rc == CARNET_OK || rc == CARNET_FAILED)
        whose->cut = true; /* an unknown one may come back: it is left out of what must converge */
    char what[24];
    snprintf(what, sizeof what, "cuts n%u", whose->index);
    done(node, what, 0, sim->write_count, sim->event_count, rc, &err);
}

/* An admin redefines a purpose, changes a number, takes a word back; others do at the same time. */
static void op_charter(struct sim *sim, struct sim_node *node)
{
    static const char *const purposes[] = { "scopes=identity email", "scopes=identity", "scopes=identity email phone; channels=email sms", "scopes=identity postal",
                                            "scopes=phone notes", "retired", "" };
    static const char *const durations[] = { "10d", "20d", "900d", "2h", "" };
    static const char *const purpose_keys[] = { "purpose/newsletter", "purpose/sms", "purpose/event", "purpose/mail" };
    static const char *const number_keys[] = { "contact", "contact", "inform", "prospect" };
    static const char *const field_keys[] = { "field/vote", "field/taille" };
    static const char *const fields[] = { "type=text; scope=opinion", "type=text; scope=identity", "type=text; scope=notes", "" };
    struct carnet_err err = CARNET_ERR_INIT;
    bool number = sim_chance(sim, 400);
    if (node->role != CARNET_ROLE_ADMIN)
        return;
    struct carnet_charter_word word = { .key = str(number ? number_keys[sim_below(sim, 4)] : purpose_keys[sim_below(sim, 4)]) };
    word.value = str(number ? durations[sim_below(sim, 5)] : purposes[sim_below(sim, 7)]);
    if (!number && sim_chance(sim, 300)) { /* a field of the community's own, in this scope or that */
        word.key = str(field_keys[sim_below(sim, 2)]);
        word.value = str(fields[sim_below(sim, 4)]);
    }
    if (carnet_slice_equal(word.key, str("contact"))) {
        int64_t contact_ms = 0;
        if (!carnet_charter_duration(word.value, &contact_ms))
            contact_ms = carnet_charter_default().contact_ms;
        CARNET_GROW(sim->silences, sim->silence_count, sim->silence_cap);
        sim->silences[sim->silence_count++] = (struct sim_silence){ .contact_ms = contact_ms, .at = sim->now };
    }
    carnet_rc rc = carnet_replica_charter_set(node->replica, &word, 1, &err);
    sim_trace(sim, "n%u says %.*s = %.*s", node->index, (int)word.key.len, (const char *)word.key.ptr, (int)word.value.len, (const char *)word.value.ptr);
    done(node, "changes the charter", 0, sim->write_count, sim->event_count, rc, &err);
}

/* --- grants that are worth nothing, and people who were told --- */

/* Grants of the record that the node holds, as its view says. */
static size_t grants_in(const struct carnet_view *view, bool untold, struct carnet_dot *out, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < view->record.event_count && count < max; i++) {
        struct carnet_event event;
        if (carnet_event_decode(view->record.events[i].raw, &event) == CARNET_OK && event.type == CARNET_EVENT_GRANT &&
            (!untold || event.basis == CARNET_BASIS_LEGITIMATE_INTEREST))
            out[count++] = view->record.events[i].dot;
    }
    return count;
}

static void op_invalidate(struct sim *sim, struct sim_node *node)
{
    struct plan plan;
    struct carnet_view view;
    struct carnet_dot grants[16];
    size_t record = target(node, &view), first_write = sim->write_count;
    size_t count = record == SIZE_MAX ? 0 : grants_in(&view, false, grants, 16);
    if (!count)
        return;
    plan_begin(sim, &plan, record);
    struct carnet_event *event = plan_event(&plan, CARNET_EVENT_INVALIDATE);
    event->names[event->name_count++] = grants[sim_below(sim, count)];
    if (commit(node, "invalidates a grant of", &plan, 1, first_write) == CARNET_OK && node->on) {
        sim_check_consent(node, record);
        if (sim_chance(sim, 300))
            darken(node, record);
    }
}

static void op_inform(struct sim *sim, struct sim_node *node)
{
    struct plan plan;
    struct carnet_view view;
    struct carnet_dot grants[16];
    size_t record = target(node, &view), first_write = sim->write_count;
    size_t count = record == SIZE_MAX ? 0 : grants_in(&view, true, grants, 16);
    if (!count)
        return;
    plan_begin(sim, &plan, record);
    struct carnet_event *event = plan_event(&plan, CARNET_EVENT_INFORM);
    event->ms = sim_wall(node);
    event->names[event->name_count++] = grants[sim_below(sim, count)];
    commit(node, "informs", &plan, 1, first_write);
}

/* --- what people's own functions do: they choose the records, and write in transactions of their own --- */

static void by_hand(struct sim_node *node, bool is)
{
    node->by_hand = is;
}

/* An answer of one of them. What a cut of the power hides is read when the node starts again. */
static carnet_rc hand_done(struct sim_node *node, const char *what, size_t first_event, carnet_rc rc, const struct carnet_err *err)
{
    struct sim *sim = node->sim;
    bool known = rc == CARNET_OK && simvfs_is_on(sim->vfs, node->name);
    done(node, what, 0, sim->write_count, first_event, rc, err);
    if (known || (node->on && !node->crashed_in_op))
        by_hand(node, false);
    return rc;
}

/* Values of records that an import made or changed: what it wrote is remembered like any write. */
static void remember_import(struct sim_node *node, size_t first_record)
{
    struct sim *sim = node->sim;
    struct carnet_err err = CARNET_ERR_INIT;
    for (size_t record = first_record; node->on && record < sim->record_count; record++) {
        const struct sim_record *r = &sim->records[record];
        struct carnet_view view;
        size_t first_write = sim->write_count;
        carnet_arena_reset(&sim->arena);
        if (carnet_replica_view(node->replica, &sim->books[r->book], &r->id, &sim->arena, &view, &err) != CARNET_OK)
            continue;
        for (size_t i = 0; i < view.record.live_count; i++) {
            const struct carnet_sibling *s = &view.record.live[i];
            char label[24], value[24];
            if (s->state != CARNET_SIBLING_VALUE || s->value.len != SIM_MARK_LEN || s->label.len >= sizeof label || s->dot.author != carnet_id_head(&node->id))
                continue;
            snprintf(label, sizeof label, "%.*s", (int)s->label.len, s->label.len ? (const char *)s->label.ptr : "");
            snprintf(value, sizeof value, "%.*s", (int)s->value.len, (const char *)s->value.ptr);
            size_t index = sim_write_add(sim, record, node->index, s->field, label, value);
            sim->writes[index].by_hand = true;
            sim->writes[index].scope = s->scope;
        }
        sim_ack(node, first_write, sim->event_count, SIM_ACKED);
    }
}

static void op_import_file(struct sim *sim, struct sim_node *node)
{
    struct carnet_buf csv;
    struct carnet_rows *rows = NULL;
    struct carnet_rows_options options = { .charter = carnet_replica_charter(node->replica) };
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_import_result result;
    size_t first_record = sim->record_count, first_event = sim->event_count;
    unsigned book = (unsigned)sim_below(sim, sim->book_count);
    if (!sim_node_holds(node, book) || !sim_node_reads(node, CARNET_SCOPE_EMAIL) || !sim_node_reads(node, CARNET_SCOPE_CONSENT))
        return;
    carnet_buf_init(&csv, 65536);
    carnet_buf_append_slice(&csv, str("family,given,email,consent:newsletter,object:sms\n"));
    for (uint64_t left = 1 + sim_below(sim, 6); left > 0; left--) {
        char family[24], given[24];
        sim_mark(sim, family);
        sim_mark(sim, given);
        bool agrees = sim_chance(sim, 700), objects = sim_chance(sim, 100); /* one after the other: compilers evaluate arguments in any order */
        carnet_buf_printf(&csv, "%s,%s,%.6s@example.org,%s,%s\n", family, given, given + 8, agrees ? "yes" : "", objects ? "yes" : "");
    }
    if (carnet_rows_open_bytes(carnet_buf_slice(&csv), &options, &rows, &err) != CARNET_OK)
        sim_fail(sim, "P3", "n%u cannot read its file: %s", node->index, err.what);
    const struct carnet_import_options how = { .book = sim->books[book], .ground = { .source = str("stand"), .basis = CARNET_BASIS_CONSENT, .collected_ms = sim_wall(node) - SIM_HOUR },
                                               .rejects_fd = -1 };
    by_hand(node, true);
    carnet_rc rc = carnet_people_import(node->replica, rows, &how, &result, &err);
    carnet_rows_close(rows);
    carnet_buf_deinit(&csv);
    if (hand_done(node, "imports a file", first_event, rc, &err) == CARNET_OK)
        remember_import(node, first_record);
}

struct last_import {
    struct sim_node *node;
    struct carnet_imported found;
    struct carnet_arena *arena;
    uint64_t seen;
    bool any;
};

/* Any of them, the same chance each. */
static bool each_import(void *ctx, const struct carnet_imported *imported)
{
    struct last_import *last = ctx;
    if (imported->state == CARNET_IMPORTED_UNDONE || sim_below(last->node->sim, ++last->seen) != 0)
        return true;
    last->found = *imported;
    last->found.text = carnet_arena_dup(last->arena, imported->text);
    last->found.undone = carnet_arena_dup(last->arena, imported->undone);
    last->any = true;
    return true;
}

/* What must outlive an undoing: values that others wrote, refusals. */
struct lasting {
    size_t record;
    bool refused;
    size_t count;
    struct {
        uint32_t field;
        char label[24], value[24];
    } values[24];
};

static void note_lasting(struct sim_node *node, const struct carnet_imported *imported, size_t record, struct lasting *out)
{
    struct sim *sim = node->sim;
    const struct sim_record *r = &sim->records[record];
    struct carnet_view view;
    struct carnet_err err = CARNET_ERR_INIT;
    *out = (struct lasting){ .record = record };
    carnet_arena_reset(&sim->arena);
    if (r->kind != CARNET_KIND_CONTACT || !carnet_id_equal(&sim->books[r->book], &imported->book) ||
        carnet_replica_view(node->replica, &sim->books[r->book], &r->id, &sim->arena, &view, &err) != CARNET_OK)
        return;
    for (size_t i = 0; i < view.record.event_count; i++) {
        uint64_t type = carnet_event_peek(view.record.events[i].raw);
        out->refused |= type == CARNET_EVENT_WITHDRAW || type == CARNET_EVENT_OBJECT;
    }
    for (size_t i = 0; i < view.record.live_count && out->count < sizeof out->values / sizeof *out->values; i++) {
        const struct carnet_sibling *s = &view.record.live[i];
        bool written = false;
        for (size_t w = 0; w < sim->write_count && !written; w++) /* by an operation that was no import: those are the only ones whose author knew the record */
            written = carnet_dot_equal(&sim->writes[w].dot, &s->dot) && sim->writes[w].record == record && sim->writes[w].by_hand == false;
        if (s->state != CARNET_SIBLING_VALUE || s->value.len != SIM_MARK_LEN || s->label.len >= 24 || !written)
            continue;
        out->values[out->count].field = s->field;
        snprintf(out->values[out->count].label, 24, "%.*s", (int)s->label.len, s->label.len ? (const char *)s->label.ptr : "");
        snprintf(out->values[out->count].value, 24, "%.*s", (int)s->value.len, (const char *)s->value.ptr);
        out->count++;
    }
}

static void check_lasting(struct sim_node *node, const struct lasting *lasting)
{
    struct sim *sim = node->sim;
    const struct sim_record *r = &sim->records[lasting->record];
    struct carnet_view view;
    struct carnet_err err = CARNET_ERR_INIT;
    if (!lasting->count && !lasting->refused)
        return;
    carnet_arena_reset(&sim->arena);
    carnet_rc rc = carnet_replica_view(node->replica, &sim->books[r->book], &r->id, &sim->arena, &view, &err);
    if (rc == CARNET_NOT_FOUND)
        sim_fail(sim, "P3", "n%u: undoing an import erased r%zu, which %s", node->index, lasting->record, lasting->refused ? "had refused" : "others had edited since");
    if (rc != CARNET_OK)
        return; /* the disk */
    bool refused = false;
    for (size_t i = 0; i < view.record.event_count; i++) {
        uint64_t type = carnet_event_peek(view.record.events[i].raw);
        refused |= type == CARNET_EVENT_WITHDRAW || type == CARNET_EVENT_OBJECT;
    }
    if (lasting->refused && !refused)
        sim_fail(sim, "P4", "n%u: undoing an import lifted a refusal of r%zu", node->index, lasting->record);
    for (size_t v = 0; v < lasting->count; v++) {
        bool there = false;
        for (size_t i = 0; i < view.record.live_count; i++) {
            const struct carnet_sibling *s = &view.record.live[i];
            there |= s->state == CARNET_SIBLING_VALUE && s->field == lasting->values[v].field && carnet_slice_equal(s->label, str(lasting->values[v].label)) &&
                     carnet_slice_equal(s->value, str(lasting->values[v].value));
        }
        if (!there)
            sim_fail(sim, "P3", "n%u: undoing an import lost the value \"%s\" of r%zu, which it had not written", node->index, lasting->values[v].value, lasting->record);
    }
    sim_check_consent(node, lasting->record);
}

static void op_undo(struct sim *sim, struct sim_node *node)
{
    struct carnet_arena arena;
    struct last_import last = { .node = node, .arena = &arena };
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_undo_result result;
    size_t first_event = sim->event_count;
    carnet_arena_init(&arena);
    if (carnet_people_imports(node->replica, each_import, &last, &err) == CARNET_OK && last.any) {
        size_t count = sim->record_count;
        struct lasting *lasting = carnet_alloc(count * sizeof *lasting);
        for (size_t i = 0; i < count; i++)
            note_lasting(node, &last.found, i, &lasting[i]);
        by_hand(node, true);
        carnet_rc rc = carnet_people_import_undo(node->replica, &last.found, NULL, NULL, &result, &err);
        sim_trace(sim, "n%u undo: erased %llu, restored %llu", node->index, (unsigned long long)result.erased, (unsigned long long)result.restored);
        if (hand_done(node, "undoes an import", first_event, rc, &err) == CARNET_OK && node->on)
            for (size_t i = 0; i < count && node->on; i++)
                check_lasting(node, &lasting[i]);
        free(lasting);
    }
    carnet_arena_deinit(&arena);
}

/* Whom nothing allows to keep is erased; nobody else. */
static void op_retention(struct sim *sim, struct sim_node *node)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_retention result;
    size_t first_event = sim->event_count, count = sim->record_count;
    uint32_t *open = carnet_alloc((count + 1) * sizeof *open);
    for (size_t i = 0; i < count; i++) {
        const struct sim_record *r = &sim->records[i];
        struct carnet_view view;
        carnet_arena_reset(&sim->arena);
        if (r->kind == CARNET_KIND_CONTACT && sim_node_holds(node, r->book) &&
            carnet_replica_view(node->replica, &sim->books[r->book], &r->id, &sim->arena, &view, &err) == CARNET_OK)
            open[i] = sim_open(node, &view, i) & ~(1u << CARNET_SCOPE_CONSENT);
    }
    by_hand(node, true);
    carnet_rc rc = carnet_people_retention(node->replica, true, NULL, &result, &err);
    hand_done(node, "erases whom nothing keeps", first_event, rc, &err);
    for (size_t i = first_event; i < sim->event_count; i++)
        if (sim->events[i].type == CARNET_EVENT_ERASE && sim->events[i].node == node->index && sim->events[i].record < count && open[sim->events[i].record])
            sim_fail(sim, "P10", "n%u: retention erased r%zu, where live grants open %#x", node->index, sim->events[i].record, open[sim->events[i].record]);
    free(open);
}

static const struct {
    const char *name;
    void (*run)(struct sim *sim, struct sim_node *node);
    uint32_t more;
} ops[] = {
    { "add", op_add, 8 },       { "import", op_import, 1 },     { "edit", op_edit, 20 },     { "tag", op_tag, 8 },         { "grant", op_grant, 6 },
    { "countersign", op_countersign, 3 }, { "withdraw", op_withdraw, 5 }, { "object", op_object, 3 }, { "dark", op_dark, 3 }, { "erase", op_erase, 3 },
    { "restrict", op_restrict, 2 }, { "merge", op_merge, 4 },   { "note", op_note, 4 },      { "rectify", op_rectify, 2 }, { "sweep", op_sweep, 1 },
    { "rebuild", op_rebuild, 0 }, { "book", op_book, 1 },       { "join", op_join, 2 },      { "cut", op_cut, 2 },
    { "unmerge", op_unmerge, 2 }, { "distinct", op_distinct, 0 }, { "erase-person", op_erase_person, 1 },
    { "charter", op_charter, 6 },
    { "invalidate", op_invalidate, 3 }, { "inform", op_inform, 3 }, { "import file", op_import_file, 3 }, { "undo", op_undo, 4 }, { "retention", op_retention, 2 },
};

size_t sim_op_total(void)
{
    return sizeof ops / sizeof *ops;
}

void sim_op(struct sim *sim)
{
    uint64_t total = 0;
    struct sim_node *node = actor(sim);
    sim->op_count++;
    if (!node)
        return;
    for (size_t i = 0; i < sim_op_total(); i++)
        total += (sim->mix.weight[i] || i == 0) * (uint64_t)(sim->mix.weight[i] + 1 + ops[i].more);
    uint64_t at = sim_below(sim, total);
    for (size_t i = 0; i < sim_op_total(); i++) {
        uint64_t weight = (sim->mix.weight[i] || i == 0) * (uint64_t)(sim->mix.weight[i] + 1 + ops[i].more);
        if (at < weight) {
            ops[i].run(sim, node);
            return;
        }
        at -= weight;
    }
}
