// SPDX-License-Identifier: EUPL-1.2
/* Cells under consent: what may be written is sealed under the subject's seeds and names what it replaces. */
#include "internal.h"

#include <string.h>

enum {
    CHANGE_SIZE = 220, PART_SIZE = 130, SEED_SIZE = 120, CELL_SIZE = 24, DOT_SIZE = 22, EVENT_SIZE = 160,
    PIECE_LEN_MAX = 40 * 1024, /* of one part, so that it fits an entry with all that surrounds it */
    CHUNK_LEN_MAX = 44 * 1024
};

/* One write under way. */
struct writing {
    struct carnet_replica *replica;
    const struct carnet_write *write;
    struct carnet_write_result *result;
    struct carnet_id subject;
    enum carnet_kind kind;
    bool known, self, charter, leave_uncovered;
    const struct carnet_record *target;
    const struct carnet_record *seeds; /* the subject's record; NULL: about nobody */
    uint32_t open;
    struct carnet_draft_cell *cells;   /* to write, in order of scope */
    enum carnet_scope *scopes;         /* of each */
    size_t cell_count;
    struct carnet_seed made[CARNET_SCOPE_COUNT]; /* seeds made by this write; id 0: none */
    size_t room;                       /* left in the change under way */
    bool begun, fresh;
};

static struct carnet_slice scope_text(enum carnet_scope scope)
{
    return carnet_slice_str(carnet_scope_name(scope));
}

static size_t count_log(const struct carnet_write *write, unsigned log)
{
    size_t count = 0;
    for (size_t i = 0; i < write->event_count; i++)
        count += carnet_event_log(write->events[i].type) == log;
    return count;
}

/* --- who it is about --- */

static carnet_rc load(struct writing *w, struct carnet_err *err)
{
    struct carnet_replica *replica = w->replica;
    const struct carnet_write *write = w->write;
    struct carnet_loaded *target = &replica->written_target, *subject = &replica->written_subject;
    carnet_rc rc = CARNET_NOT_FOUND;
    if (write->fresh) {
        carnet_rows_clear(&target->record);
        target->record.id = write->record;
        target->row.n = 0;
    } else {
        rc = carnet_rows_get(replica, &write->book, &write->record, target, err);
    }
    if (rc != CARNET_OK && rc != CARNET_NOT_FOUND)
        return rc;
    w->known = rc == CARNET_OK && !(target->row.flags & CARNET_ROW_EMPTY);
    w->target = &target->record;
    if (target->record.erased)
        return carnet_err_set(err, CARNET_REFUSED, "this record was erased");
    w->kind = w->known ? target->record.kind : write->kind;
    w->subject = w->known ? target->record.subject : write->subject;
    w->self = carnet_id_equal(&w->subject, &write->record);
    w->seeds = w->self ? w->target : NULL;
    if (w->self || carnet_id_is_zero(&w->subject))
        return CARNET_OK;
    rc = carnet_rows_get(replica, &write->book, &w->subject, subject, err);
    if (rc == CARNET_NOT_FOUND)
        return carnet_err_set(err, rc, "the person that the record is about is not known here");
    if (rc == CARNET_OK && subject->record.erased)
        return carnet_err_set(err, CARNET_REFUSED, "the person that the record is about was erased");
    w->seeds = &subject->record;
    return rc;
}

/* Scopes that are open once the events of this very write count. */
static carnet_rc find_open(struct writing *w, struct carnet_err *err)
{
    struct carnet_replica *replica = w->replica;
    struct carnet_record *projected = &replica->projected;
    const struct carnet_record **person;
    struct carnet_buf raw;
    size_t count;
    w->open = CARNET_SCOPES_ALL | 1u << CARNET_SCOPE_CLEAR;
    if (!w->self && carnet_consent_blocked(w->target)) {
        w->open = 0;
        return CARNET_OK;
    }
    if (!w->seeds)
        return CARNET_OK;
    carnet_rows_clear(projected);
    carnet_record_merge(projected, w->seeds);
    carnet_buf_init(&raw, CARNET_ENTRY_LEN_MAX);
    for (size_t i = 0; w->self && i < w->write->event_count; i++) {
        struct carnet_event_item item = {
            .dot = { .author = carnet_id_head(&replica->node), .seq = UINT64_MAX, .index = (uint32_t)i }, .hlc = UINT64_MAX
        };
        if (w->write->events[i].type > CARNET_EVENT_LIFT)
            continue; /* those that destroy, and edges, open nothing */
        carnet_buf_clear(&raw);
        carnet_event_encode(&w->write->events[i], &raw);
        item.raw = carnet_arena_dup(&replica->write_arena, carnet_buf_slice(&raw));
        carnet_record_add_event(projected, &item);
    }
    carnet_buf_deinit(&raw);
    int64_t n = w->self ? replica->written_target.row.n : replica->written_subject.row.n;
    carnet_rc rc = carnet_rows_person(replica, projected, n, &replica->write_arena, &person, &count, err);
    if (rc == CARNET_OK)
        w->open = carnet_consent_open(&replica->charter, person, count, carnet_replica_now_ms(replica));
    return rc;
}

/* --- which cells --- */

static carnet_rc refuse_uncovered(const struct carnet_charter *charter, enum carnet_scope scope, const char *field, struct carnet_err *err)
{
    struct carnet_buf names;
    const struct carnet_purpose_def *def;
    carnet_buf_init(&names, 150);
    for (size_t i = 0; (def = carnet_purpose_at(charter, i)) != NULL; i++) {
        if (def->retired || !(def->scopes >> scope & 1))
            continue;
        carnet_buf_append_str(&names, names.len ? " " : "");
        carnet_buf_append_str(&names, def->name);
    }
    carnet_err_set(err, CARNET_REFUSED, "no purpose that the person agreed to covers the field %s", field);
    if (names.len)
        carnet_err_hint(err, "purposes that would: %s", carnet_buf_cstr(&names));
    carnet_buf_deinit(&names);
    return CARNET_REFUSED;
}

/* The live siblings that the cell replaces; *same: it says what they say. */
static carnet_rc find_replaced(struct writing *w, struct carnet_draft_cell *cell, enum carnet_scope scope, bool first_of_scope, bool *same, struct carnet_err *err)
{
    const struct carnet_record *target = w->target;
    struct carnet_dot *dots = NULL;
    size_t count = 0, values = 0, equal = 0;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < target->live_count; i++) {
            const struct carnet_sibling *sibling = &target->live[i];
            bool this_cell = sibling->state == CARNET_SIBLING_VALUE && sibling->field == cell->field && carnet_slice_equal(sibling->label, cell->label);
            /* a dark sibling has lost its field: whoever writes the scope again names it */
            bool lost = first_of_scope && sibling->state == CARNET_SIBLING_DARK && sibling->scope == scope;
            if (!this_cell && !lost)
                continue;
            if (pass == 1) {
                dots[count++] = sibling->dot;
            } else {
                values += this_cell;
                equal += this_cell && carnet_slice_equal(sibling->value, cell->value);
                count++;
            }
        }
        if (count == 0)
            break;
        if (pass == 0) {
            dots = carnet_arena_alloc(&w->replica->write_arena, count * sizeof *dots);
            count = 0;
        }
    }
    *same = values ? equal == values : cell->value.len == 0;
    if (count > CARNET_CONTEXT_MAX && values > CARNET_CONTEXT_MAX)
        return carnet_err_set(err, CARNET_LIMIT, "a field has more than %d values in conflict", CARNET_CONTEXT_MAX);
    cell->replaces = dots;
    cell->replace_count = count < CARNET_CONTEXT_MAX ? count : CARNET_CONTEXT_MAX;
    return CARNET_OK;
}

static bool said_later(const struct carnet_write *write, size_t index)
{
    for (size_t i = index + 1; i < write->cell_count; i++)
        if (write->cells[i].field == write->cells[index].field && carnet_slice_equal(write->cells[i].label, write->cells[index].label))
            return true;
    return false;
}

static carnet_rc choose_cell(struct writing *w, size_t index, uint32_t *begun, struct carnet_err *err)
{
    const struct carnet_write_cell *cell = &w->write->cells[index];
    const struct carnet_field_def *def = carnet_field_by_number(&w->replica->charter, cell->field);
    if (!def)
        return carnet_err_set(err, CARNET_USAGE, "there is no field number %u", cell->field);
    enum carnet_scope scope = w->charter ? CARNET_SCOPE_CLEAR : def->scope;
    const struct carnet_cert *self = carnet_replica_self(w->replica);
    if (cell->value.len > CARNET_VALUE_LEN_MAX || cell->label.len > CARNET_LABEL_LEN_MAX)
        return carnet_err_set(err, CARNET_LIMIT, "the field %s is longer than %d bytes", def->name, CARNET_VALUE_LEN_MAX);
    if (!w->write->beside && said_later(w->write, index))
        return CARNET_OK;
    if (!(w->open >> scope & 1)) {
        w->result->uncovered++;
        return w->leave_uncovered ? CARNET_OK : refuse_uncovered(&w->replica->charter, scope, def->name, err);
    }
    if (scope != CARNET_SCOPE_CLEAR && !(self && self->writes >> scope & 1)) {
        carnet_err_set(err, CARNET_REFUSED, "this node may not write the field %s", def->name);
        carnet_err_hint(err, "an office may; in an import, --map COLUMN=- leaves a column out");
        return CARNET_REFUSED;
    }
    struct carnet_draft_cell out = { .field = cell->field, .label = cell->label, .value = cell->value };
    bool same = false;
    carnet_rc rc = w->write->beside ? CARNET_OK : find_replaced(w, &out, scope, !(*begun >> scope & 1), &same, err);
    if (rc != CARNET_OK)
        return rc;
    if (same) {
        w->result->unchanged++;
        return CARNET_OK;
    }
    *begun |= 1u << scope;
    w->scopes[w->cell_count] = scope;
    w->cells[w->cell_count++] = out;
    return CARNET_OK;
}

/* --- what stands beside a rectified cell --- */

static bool rectifies(const struct carnet_write *write)
{
    for (size_t i = 0; i < write->event_count; i++)
        if (write->events[i].type == CARNET_EVENT_RECTIFY)
            return true;
    return false;
}

/* Does the write name the dot already, to rectify it or to take its place? */
static bool is_named(const struct writing *w, const struct carnet_dot *dot)
{
    for (size_t i = 0; i < w->write->event_count; i++)
        for (size_t j = 0; w->write->events[i].type == CARNET_EVENT_RECTIFY && j < w->write->events[i].name_count; j++)
            if (carnet_dot_equal(&w->write->events[i].names[j], dot))
                return true;
    for (size_t i = 0; i < w->cell_count; i++)
        for (size_t j = 0; j < w->cells[i].replace_count; j++)
            if (carnet_dot_equal(&w->cells[i].replaces[j], dot))
                return true;
    return false;
}

static bool may_write(const struct writing *w, enum carnet_scope scope)
{
    const struct carnet_cert *self = carnet_replica_self(w->replica);
    return self && self->writes >> scope & 1 && w->open >> scope & 1 && carnet_keyring_newest(w->replica->keyring, &w->write->book, scope);
}

/* Says again what else lives in the part, so that nothing in it has to stay. Each takes the place of itself alone: what was in conflict still is. */
static void keep_beside(struct writing *w, const struct carnet_place *place)
{
    struct carnet_arena *arena = &w->replica->write_arena;
    for (size_t cell = 0; cell < place->part->cell_count && may_write(w, place->part->scope); cell++) {
        struct carnet_dot *dot = carnet_arena_alloc(arena, sizeof *dot);
        *dot = carnet_entry_cell_dot(&place->entry, place->change, place->part, cell);
        for (size_t i = 0; i < w->target->live_count; i++) {
            const struct carnet_sibling *sibling = &w->target->live[i];
            if (sibling->state != CARNET_SIBLING_VALUE || !carnet_dot_equal(&sibling->dot, dot) || is_named(w, dot))
                continue;
            w->scopes[w->cell_count] = sibling->scope;
            w->cells[w->cell_count++] = (struct carnet_draft_cell){ .field = sibling->field,
                                                                    .label = carnet_arena_dup(arena, sibling->label),
                                                                    .value = carnet_arena_dup(arena, sibling->value),
                                                                    .replaces = dot,
                                                                    .replace_count = 1 };
        }
    }
}

static carnet_rc keep_all_beside(struct writing *w, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; rc == CARNET_OK && i < w->write->event_count; i++) {
        const struct carnet_event *event = &w->write->events[i];
        for (size_t j = 0; rc == CARNET_OK && event->type == CARNET_EVENT_RECTIFY && j < event->name_count; j++) {
            struct carnet_arena arena;
            struct carnet_place place;
            carnet_arena_init(&arena);
            rc = carnet_apply_place(w->replica, &w->write->book, &w->write->record, &event->names[j], &arena, &place, err);
            if (rc == CARNET_OK)
                keep_beside(w, &place);
            carnet_arena_deinit(&arena);
            rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
        }
    }
    return rc;
}

static carnet_rc choose_cells(struct writing *w, struct carnet_err *err)
{
    uint32_t begun = 0;
    carnet_rc rc = CARNET_OK;
    bool beside = rectifies(w->write);
    size_t most = w->write->cell_count + (beside ? w->target->live_count : 0);
    if (most == 0)
        return rc;
    w->cells = carnet_arena_alloc(&w->replica->write_arena, most * sizeof *w->cells);
    w->scopes = carnet_arena_alloc(&w->replica->write_arena, most * sizeof *w->scopes);
    for (size_t i = 0; rc == CARNET_OK && i < w->write->cell_count; i++)
        rc = choose_cell(w, i, &begun, err);
    return rc == CARNET_OK && beside ? keep_all_beside(w, err) : rc;
}

/* --- into entries --- */

/* Room for a piece of the change: the same change goes on, or a new one in another entry. */
static carnet_rc make_room(struct writing *w, unsigned log, size_t size, size_t planned, struct carnet_err *err)
{
    const struct carnet_write *write = w->write;
    if (w->begun && w->room >= size) {
        w->room -= size;
        return CARNET_OK;
    }
    size_t chunk = planned + CHANGE_SIZE < CHUNK_LEN_MAX ? planned + CHANGE_SIZE : CHUNK_LEN_MAX;
    carnet_rc rc = carnet_batch_change(w->replica, &write->book, log, &write->record, carnet_id_is_zero(&w->subject) ? NULL : &w->subject, w->kind, chunk,
                                       w->fresh, err);
    w->fresh = false;
    w->begun = true;
    w->room = CHUNK_LEN_MAX - CHANGE_SIZE - size;
    return rc;
}

static size_t cell_size(const struct carnet_draft_cell *cell)
{
    return CELL_SIZE + cell->label.len + cell->value.len + cell->replace_count * DOT_SIZE;
}

static size_t event_size(const struct carnet_event *event)
{
    return EVENT_SIZE + event->purpose.len + event->text.len + event->value.len + event->bytes.len + event->name_count * DOT_SIZE + event->seed_count * 10;
}

/* A seed to write the scope under: a live one, or a new one, in a change of the contact itself. */
static carnet_rc find_seed(struct writing *w, enum carnet_scope scope, struct carnet_seed *out, struct carnet_err *err)
{
    struct carnet_replica *replica = w->replica;
    const struct carnet_seed *live = carnet_record_seed_live(w->seeds, scope);
    *out = live ? *live : w->made[scope];
    if (out->id)
        return CARNET_OK;
    carnet_random(replica, out->b, sizeof out->b);
    out->id = carnet_seed_id(out->b);
    out->scope = scope;
    w->made[scope] = *out;
    if (w->self) {
        carnet_batch_seed(replica, out);
        return CARNET_OK;
    }
    return carnet_err_set(err, CARNET_AGAIN, "the person has no key for these fields yet");
}

/* Notes and visits: the seeds that they will need go into a change of the contact, before. */
static carnet_rc make_subject_seeds(struct writing *w, struct carnet_err *err)
{
    struct carnet_replica *replica = w->replica;
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; rc == CARNET_OK && i < w->cell_count; i++) {
        enum carnet_scope scope = w->scopes[i];
        struct carnet_seed *made = &w->made[scope];
        if (made->id || carnet_record_seed_live(w->seeds, scope))
            continue;
        carnet_random(replica, made->b, sizeof made->b);
        made->id = carnet_seed_id(made->b);
        made->scope = scope;
        rc = carnet_batch_change(replica, &w->write->book, CARNET_LOG_DATA, &w->subject, &w->subject, w->seeds->kind, CHANGE_SIZE + SEED_SIZE, false, err);
        if (rc == CARNET_OK)
            carnet_batch_seed(replica, made);
    }
    return rc;
}

static carnet_rc emit_part(struct writing *w, enum carnet_scope scope, const struct carnet_draft_cell *cells, size_t count, size_t size, size_t planned,
                           struct carnet_err *err)
{
    struct carnet_replica *replica = w->replica;
    struct carnet_seed seed = { .id = 0 };
    carnet_rc rc = make_room(w, CARNET_LOG_DATA, size + PART_SIZE + SEED_SIZE, planned, err);
    if (rc != CARNET_OK)
        return rc;
    if (scope == CARNET_SCOPE_CLEAR) {
        carnet_batch_cells(replica, scope, 0, 0, NULL, cells, count);
        return CARNET_OK;
    }
    const struct carnet_epoch *epoch = carnet_keyring_newest(replica->keyring, &w->write->book, scope);
    if (!epoch)
        return carnet_err_set(err, CARNET_LOCKED, "the key of %s is not held here", (const char *)scope_text(scope).ptr);
    if (w->seeds)
        rc = find_seed(w, scope, &seed, err);
    if (rc != CARNET_OK)
        return rc;
    struct carnet_key key = carnet_part_key(&epoch->key, &replica->community, &w->write->book, &w->subject, scope, seed.id ? seed.b : NULL);
    carnet_batch_cells(replica, scope, epoch->id, seed.id, &key, cells, count);
    carnet_wipe(&key, sizeof key);
    return CARNET_OK;
}

/* The cells of one scope, in as many parts as their sizes need. */
static carnet_rc emit_scope(struct writing *w, enum carnet_scope scope, size_t planned, struct carnet_err *err)
{
    struct carnet_draft_cell part[CARNET_PART_CELLS_MAX];
    size_t count = 0, size = 0;
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; rc == CARNET_OK && i < w->cell_count; i++) {
        if (w->scopes[i] != scope)
            continue;
        size_t one = cell_size(&w->cells[i]);
        if (count && (count == CARNET_PART_CELLS_MAX || size + one > PIECE_LEN_MAX)) {
            rc = emit_part(w, scope, part, count, size, planned, err);
            count = size = 0;
        }
        part[count++] = w->cells[i];
        size += one;
    }
    return rc == CARNET_OK && count ? emit_part(w, scope, part, count, size, planned, err) : rc;
}

static carnet_rc emit_events(struct writing *w, unsigned log, size_t planned, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    size_t in_change = 0;
    for (size_t i = 0; rc == CARNET_OK && i < w->write->event_count; i++) {
        const struct carnet_event *event = &w->write->events[i];
        if (carnet_event_log(event->type) != log)
            continue;
        if (in_change == CARNET_CHANGE_EVENTS_MAX) {
            w->begun = false;
            in_change = 0;
        }
        rc = make_room(w, log, event_size(event), planned, err);
        if (rc == CARNET_OK)
            carnet_batch_event(w->replica, event);
        in_change++;
    }
    return rc;
}

static carnet_rc emit_data(struct writing *w, struct carnet_err *err)
{
    uint32_t scopes = 0;
    size_t planned = 0;
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; i < w->cell_count; i++) {
        planned += cell_size(&w->cells[i]) + (scopes >> w->scopes[i] & 1 ? 0 : PART_SIZE + SEED_SIZE);
        scopes |= 1u << w->scopes[i];
    }
    for (size_t i = 0; i < w->write->event_count; i++)
        planned += carnet_event_log(w->write->events[i].type) == CARNET_LOG_DATA ? event_size(&w->write->events[i]) : 0;
    if (w->seeds && !w->self)
        rc = make_subject_seeds(w, err);
    if (rc == CARNET_OK)
        rc = emit_events(w, CARNET_LOG_DATA, planned, err);
    for (unsigned scope = 0; rc == CARNET_OK && scope < CARNET_SCOPE_COUNT; scope++)
        if (scopes >> scope & 1)
            rc = emit_scope(w, (enum carnet_scope)scope, planned, err);
    return rc;
}

/* --- one write, and all --- */

static carnet_rc begin(struct carnet_replica *replica, const struct carnet_write *write, bool leave_uncovered, struct carnet_write_result *result,
                       struct writing *w, struct carnet_err *err)
{
    *w = (struct writing){ .replica = replica, .write = write, .result = result, .leave_uncovered = leave_uncovered, .fresh = write->fresh };
    w->charter = carnet_id_equal(&write->book, &replica->community);
    if (!carnet_replica_holds(replica, &write->book))
        return carnet_err_set(err, CARNET_NOT_FOUND, "this node does not hold the book");
    carnet_rc rc = CARNET_OK;
    if ((!write->fresh && carnet_batch_has(replica, &write->record)) ||
        (!carnet_id_equal(&write->subject, &write->record) && carnet_batch_has(replica, &write->subject)))
        rc = carnet_batch_flush(replica, err);
    return rc == CARNET_OK ? load(w, err) : rc;
}

static carnet_rc write_data(struct carnet_replica *replica, const struct carnet_write *write, bool leave_uncovered, struct carnet_write_result *result,
                            struct carnet_err *err)
{
    struct writing w;
    carnet_rc rc = begin(replica, write, leave_uncovered, result, &w, err);
    if (rc == CARNET_OK && (write->cell_count || rectifies(write)))
        rc = find_open(&w, err);
    if (rc == CARNET_OK)
        rc = choose_cells(&w, err);
    return rc == CARNET_OK ? emit_data(&w, err) : rc;
}

static carnet_rc write_law(struct carnet_replica *replica, const struct carnet_write *write, struct carnet_write_result *result, struct carnet_err *err)
{
    struct writing w;
    size_t planned = 0;
    if (count_log(write, CARNET_LOG_LAW) == 0)
        return CARNET_OK;
    carnet_rc rc = begin(replica, write, true, result, &w, err);
    w.fresh = write->fresh && !w.known && count_log(write, CARNET_LOG_DATA) + write->cell_count == 0;
    for (size_t i = 0; i < write->event_count; i++)
        planned += carnet_event_log(write->events[i].type) == CARNET_LOG_LAW ? event_size(&write->events[i]) : 0;
    if (rc == CARNET_OK && w.self && w.kind == CARNET_KIND_CONTACT && !write->unasked)
        rc = carnet_tags_collect(replica, w.target, replica->written_target.row.n, write->events, write->event_count, err);
    return rc == CARNET_OK ? emit_events(&w, CARNET_LOG_LAW, planned, err) : rc;
}

static carnet_rc write_laws(struct carnet_replica *replica, const struct carnet_write *writes, size_t first, size_t count, struct carnet_write_result *result,
                            struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    for (size_t i = first; rc == CARNET_OK && i < count; i++)
        rc = write_law(replica, &writes[i], result, err);
    return rc;
}

/* Does a write that was begun touch the record of this one? Its law then comes first. */
static bool follows(const struct carnet_write *writes, size_t first, size_t index)
{
    const struct carnet_write *write = &writes[index];
    for (size_t i = first; i < index && !write->fresh; i++)
        if (writes[i].event_count && (carnet_id_equal(&writes[i].record, &write->record) || carnet_id_equal(&writes[i].record, &write->subject)))
            return true;
    return false;
}

carnet_rc carnet_replica_write(struct carnet_replica *replica, const struct carnet_write *writes, size_t count, bool leave_uncovered,
                               struct carnet_write_result *result, struct carnet_err *err)
{
    bool mine;
    uint64_t written;
    size_t law_from = 0;
    struct carnet_write_result ignored;
    result = result ? result : &ignored;
    memset(result, 0, sizeof *result);
    carnet_rc rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_batch_reset(replica);
    for (size_t i = 0; rc == CARNET_OK && i < count; i++) {
        if (follows(writes, law_from, i)) {
            rc = write_laws(replica, writes, law_from, i, result, err);
            law_from = i;
        }
        if (rc == CARNET_OK)
            rc = write_data(replica, &writes[i], leave_uncovered, result, err);
    }
    if (rc == CARNET_OK)
        rc = write_laws(replica, writes, law_from, count, result, err);
    if (rc == CARNET_OK)
        rc = carnet_batch_flush(replica, err);
    if (rc == CARNET_OK) /* in the same transaction, before any key dies, and with a later hlc than the refusal's */
        rc = carnet_tags_emit(replica, err);
    result->entries = replica->batch_entries;
    return carnet_tx_leave(replica, mine, written, rc, err);
}
