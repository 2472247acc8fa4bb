// SPDX-License-Identifier: EUPL-1.2
/* What a node does by itself, in slices. Time alone blocks; it destroys only when a peer's clock agrees with ours, and then by this node's clock. */
#include "upkeep.h"

#include "carnet/replica/audit.h"

#include <stdlib.h>
#include <string.h>

enum { SLICE_MS = 20, SLICE_STEPS = 256, SUPERSEDED_COST = 4, BOX_WAIT_MS = 60 * 1000 };
static const int64_t HOUR_MS = INT64_C(3600) * 1000, RETRY_MS = INT64_C(600) * 1000, DAY_MS = INT64_C(24) * 3600 * 1000;

struct slice {
    struct carnet_replica *replica;
    struct carnet_upkeep *upkeep;
    const struct carnet_cert *self; /* NULL: this node may write nothing */
    bool agrees;                    /* a peer's clock does */
    bool more;
    int64_t wall_ms, start_ms;
    int steps;
};

static bool is_over(struct slice *slice)
{
    slice->more = slice->more || slice->steps >= SLICE_STEPS || carnet_clock_mono_ms(&slice->replica->env.clock) - slice->start_ms >= SLICE_MS;
    return slice->more;
}

/* --- records that time changes --- */

/* Is it a refusal, a grant or what invalidated one, that this node has not known for dark_after yet? Its author's clock may say that it is old, or has expired. */
static carnet_rc is_young(const struct slice *slice, const struct carnet_id *book, const struct carnet_event_item *item, bool *out, struct carnet_err *err)
{
    struct carnet_replica *replica = slice->replica;
    struct carnet_entry_row row;
    uint64_t type = carnet_event_peek(item->raw);
    *out = false;
    if (type != CARNET_EVENT_WITHDRAW && type != CARNET_EVENT_OBJECT && type != CARNET_EVENT_GRANT && type != CARNET_EVENT_INVALIDATE)
        return CARNET_OK;
    const struct carnet_cert *author = carnet_authority_author(replica->authority, item->dot.author);
    const struct carnet_stream *stream = author ? carnet_streams_find(&replica->streams, book, &author->node, item->dot.stream) : NULL;
    carnet_rc rc = stream ? carnet_store_entry_find(replica->store, stream->row.n, item->dot.seq, &row, err) : CARNET_NOT_FOUND;
    if (rc == CARNET_OK)
        *out = !CARNET_PLANTED(24) && /* planted: a late clock destroys at once */
               row.arrived_ms > slice->wall_ms - replica->charter.dark_after_ms && row.arrived_ms <= carnet_replica_now_ms(replica);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* Leaves out the refusals and grants that came lately (what a grant opens was looked at before): there must be time to undo what somebody did to many. */
static carnet_rc without_young(const struct slice *slice, const struct carnet_id *book, struct carnet_record *record, struct carnet_err *err)
{
    size_t kept = 0;
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; rc == CARNET_OK && i < record->event_count; i++) {
        bool young;
        rc = is_young(slice, book, &record->events[i], &young, err);
        if (!young)
            record->events[kept++] = record->events[i];
    }
    record->event_count = kept;
    return rc;
}

/* Scopes of the contact that were closed for dark_after, by this node's clock, and that it may darken. A new word on how long silence may last ends the agreements of
 * many, back into the past: like a refusal, it blocks at once, and destroys once it has been known for as long. */
static uint32_t overdue(const struct slice *slice, const struct carnet_record *record)
{
    uint32_t scopes = carnet_erase_sealed(record) & slice->self->reads;
    struct carnet_charter charter = slice->replica->charter;
    int64_t said_ms = slice->replica->silence_said_ms;
    if (said_ms > slice->wall_ms - charter.dark_after_ms && said_ms <= carnet_replica_now_ms(slice->replica) && !CARNET_PLANTED(53)) /* planted: at once */
        charter.contact_ms = INT64_MAX;
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_CONSENT; scope++) {
        if (!(scopes >> scope & 1))
            continue;
        uint64_t closed = carnet_consent_closed_at(&charter, record, (enum carnet_scope)scope, slice->wall_ms);
        if (closed == 0 || carnet_hlc_ms(closed) > slice->wall_ms - charter.dark_after_ms)
            scopes &= ~(1u << scope);
    }
    return scopes;
}

static carnet_rc darken(struct slice *slice, int64_t n, struct carnet_err *err)
{
    struct carnet_loaded loaded;
    bool may = slice->self && slice->self->verbs & CARNET_VERB_DARK, agrees = slice->agrees || CARNET_PLANTED(19); /* planted: upkeep darkens without a peer whose clock agrees */
    if (!may || !agrees)
        return CARNET_OK;
    carnet_loaded_init(&loaded);
    carnet_rc rc = carnet_rows_at(slice->replica, n, &loaded, err);
    uint32_t scopes = rc == CARNET_OK && loaded.record.kind == CARNET_KIND_CONTACT && !loaded.record.erased ? overdue(slice, &loaded.record) : 0;
    if (scopes)
        rc = without_young(slice, &loaded.row.book, &loaded.record, err);
    if (scopes && rc == CARNET_OK)
        rc = carnet_erase_dark(slice->replica, &loaded, scopes & overdue(slice, &loaded.record), err);
    carnet_loaded_deinit(&loaded);
    return rc;
}

/* One record that is due: indexed again once, then darkened when that is what it waits for. */
static carnet_rc do_due(struct slice *slice, const struct carnet_record_row *due, struct carnet_err *err)
{
    struct carnet_record_row row;
    int64_t n = due->n;
    carnet_rc rc = CARNET_OK;
    if (due->due_ms > slice->upkeep->walked_ms)
        rc = carnet_rows_refresh(slice->replica, n, err);
    if (rc == CARNET_OK)
        rc = darken(slice, n, err);
    if (rc == CARNET_OK)
        rc = carnet_store_record_at(slice->replica->store, n, &row, err);
    if (rc == CARNET_OK && row.due_ms && row.due_ms <= slice->upkeep->walk_ms)
        slice->upkeep->stuck = true;
    return rc;
}

static carnet_rc do_dues(struct slice *slice, struct carnet_err *err)
{
    struct carnet_upkeep *upkeep = slice->upkeep;
    if (upkeep->due_from == 0) {
        upkeep->due_from = 1;
        upkeep->walk_ms = carnet_replica_now_ms(slice->replica);
        if (upkeep->walked_ms > upkeep->walk_ms)
            upkeep->walked_ms = 0; /* the clock was put back */
    }
    while (!is_over(slice)) {
        struct carnet_record_row row;
        carnet_rc rc = carnet_store_record_due(slice->replica->store, upkeep->walk_ms, upkeep->due_from, &row, err);
        if (rc == CARNET_NOT_FOUND) {
            upkeep->due_from = 0;
            upkeep->walked_ms = upkeep->walk_ms;
            return CARNET_OK;
        }
        slice->steps++;
        upkeep->due_from = row.n + 1;
        rc = rc == CARNET_OK ? do_due(slice, &row, err) : rc;
        if (rc != CARNET_OK)
            return rc;
    }
    return CARNET_OK;
}

/* --- the charter's numbers: what is due when --- */

static uint64_t numbers_of(const struct carnet_charter *charter)
{
    uint64_t mix = (uint64_t)charter->contact_ms;
    mix = mix * 1000003 + (uint64_t)charter->inform_ms;
    mix = mix * 1000003 + (uint64_t)charter->dark_after_ms;
    return mix ? mix : 1;
}

static carnet_rc numbers_stored(struct slice *slice, uint64_t *out, struct carnet_err *err)
{
    const struct carnet_charter charter = carnet_charter_default();
    struct carnet_buf buf;
    carnet_buf_init(&buf, sizeof *out);
    carnet_rc rc = carnet_store_meta_get(slice->replica->store, "due_numbers", &buf, err);
    if (rc == CARNET_OK && buf.len == sizeof *out)
        memcpy(out, buf.ptr, sizeof *out);
    else
        *out = numbers_of(&charter); /* nobody changed them yet */
    carnet_buf_deinit(&buf);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* When a record is due stands in its row: when the numbers have changed, every row is looked at again. */
static carnet_rc do_numbers(struct slice *slice, struct carnet_err *err)
{
    struct carnet_replica *replica = slice->replica;
    struct carnet_upkeep *upkeep = slice->upkeep;
    uint64_t now = numbers_of(&replica->charter);
    carnet_rc rc = upkeep->numbers_done ? CARNET_OK : numbers_stored(slice, &upkeep->numbers_done, err);
    if (rc != CARNET_OK || now == upkeep->numbers_done)
        return rc;
    if (upkeep->numbers_now != now)
        upkeep->numbers_at = 0;
    upkeep->numbers_now = now;
    while (!is_over(slice)) {
        struct carnet_record_row row;
        rc = carnet_store_record_next(replica->store, upkeep->numbers_at + 1, &row, err);
        if (rc == CARNET_NOT_FOUND) {
            upkeep->numbers_done = now;
            upkeep->numbers_now = 0;
            upkeep->due_from = 0; /* the walk over what is due begins again */
            upkeep->walked_ms = 0;
            replica->written++;
            return carnet_store_meta_put(replica->store, "due_numbers", carnet_slice(&now, sizeof now), err);
        }
        slice->steps++;
        upkeep->numbers_at = row.n;
        if (rc == CARNET_OK && row.kind == CARNET_KIND_CONTACT)
            rc = carnet_rows_refresh(replica, upkeep->numbers_at, err);
        if (rc != CARNET_OK)
            return rc;
    }
    return CARNET_OK;
}

/* --- what came from the future --- */

static bool may_confirm(const struct slice *slice, const struct carnet_event *event)
{
    const struct carnet_cert *self = slice->self;
    if (!self || self->role > CARNET_ROLE_OFFICE || !(self->verbs & carnet_event_verb(event->type)))
        return false;
    return event->type != CARNET_EVENT_DARK || self->reads >> event->scope & 1;
}

/* Signs again, by this node's clock, the darkenings, erasures and rectifications of a change that nobody has confirmed. */
static carnet_rc confirm(struct slice *slice, const struct carnet_entry *entry, size_t change, struct carnet_err *err)
{
    const struct carnet_change *c = &entry->changes[change];
    const struct carnet_id *subject = carnet_id_is_zero(&c->subject) ? NULL : &c->subject;
    struct carnet_replica *replica = slice->replica;
    bool begun = false;
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; rc == CARNET_OK && i < c->event_count; i++) {
        struct carnet_event event;
        if (carnet_event_decode(c->events[i], &event) != CARNET_OK ||
            (event.type != CARNET_EVENT_ERASE && event.type != CARNET_EVENT_DARK && event.type != CARNET_EVENT_RECTIFY))
            continue;
        if (!may_confirm(slice, &event)) {
            slice->upkeep->stuck = true;
            continue;
        }
        if (!begun)
            rc = carnet_batch_change(replica, &entry->header.book, CARNET_LOG_LAW, &c->record, subject, c->kind, c->leaf.len + 128, false, err);
        begun = true;
        if (rc == CARNET_OK)
            carnet_batch_event(replica, &event);
    }
    return begun && rc == CARNET_OK ? carnet_batch_flush(replica, err) : rc;
}

/* Its time has come, by a clock with which a peer agrees: from now on it is as if it had come today. */
static carnet_rc arrive(struct slice *slice, const struct carnet_entry *entry, int64_t n, unsigned flags, struct carnet_err *err)
{
    struct carnet_replica *replica = slice->replica;
    replica->written++;
    carnet_rc rc = carnet_store_entry_flags(replica->store, n, flags & ~(unsigned)CARNET_ENTRY_FUTURE, err);
    for (size_t i = 0; rc == CARNET_OK && i < entry->change_count; i++)
        if (carnet_erase_destroys(&entry->changes[i]) && !carnet_id_is_zero(&entry->changes[i].subject))
            rc = carnet_apply_strip(replica, &entry->header.book, &entry->changes[i].subject, err);
    return rc;
}

static carnet_rc do_future_entry(struct slice *slice, const struct carnet_entry_row *row, struct carnet_arena *arena, bool *settled, struct carnet_err *err)
{
    struct carnet_entry entry;
    carnet_rc rc = CARNET_OK;
    *settled = true;
    if (row->lane != 1)
        return rc;
    carnet_arena_reset(arena);
    if (carnet_entry_decode(carnet_arena_dup(arena, row->bytes), arena, &entry) != CARNET_OK)
        return carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "an entry");
    if (carnet_apply_beyond(slice->replica, &entry.header) || !carnet_replica_holds(slice->replica, &entry.header.book))
        return rc;
    if (slice->agrees && carnet_hlc_ms(row->hlc) <= slice->wall_ms + CARNET_CLOCK_SKEW_MS_MAX)
        return arrive(slice, &entry, row->n, row->flags, err);
    for (size_t i = 0; rc == CARNET_OK && i < entry.change_count; i++) {
        bool pending;
        rc = carnet_erase_pending(slice->replica, &entry, i, &pending, err);
        if (rc != CARNET_OK || !pending)
            continue;
        if (slice->agrees) {
            rc = confirm(slice, &entry, i, err);
            if (rc == CARNET_OK)
                rc = carnet_erase_pending(slice->replica, &entry, i, &pending, err);
        }
        *settled = *settled && !pending;
    }
    slice->upkeep->stuck = slice->upkeep->stuck || !*settled;
    return rc;
}

static carnet_rc do_future(struct slice *slice, struct carnet_err *err)
{
    struct carnet_upkeep *upkeep = slice->upkeep;
    struct carnet_arena arena;
    carnet_rc rc = CARNET_OK;
    carnet_arena_init(&arena);
    if (upkeep->future_at == 0)
        upkeep->future_at = upkeep->future_from;
    while (rc == CARNET_OK && !is_over(slice)) {
        struct carnet_entry_row row;
        bool settled;
        rc = carnet_store_entry_flagged(slice->replica->store, CARNET_ENTRY_FUTURE, upkeep->future_at + 1, &row, err);
        if (rc != CARNET_OK)
            break;
        slice->steps++;
        int64_t n = row.n;
        rc = do_future_entry(slice, &row, &arena, &settled, err);
        if (rc == CARNET_OK && settled && upkeep->future_from == upkeep->future_at)
            upkeep->future_from = n; /* nothing before it has to be looked at again */
        upkeep->future_at = n;
    }
    if (rc == CARNET_NOT_FOUND) {
        upkeep->future_at = 0;
        rc = CARNET_OK;
    }
    carnet_arena_deinit(&arena);
    return rc;
}

/* --- keys that readers lack --- */

static uint64_t charter_mark(const struct carnet_replica *replica)
{
    uint64_t mark = carnet_keyring_count(replica->keyring);
    mark = mark * 1000003 + carnet_authority_count(replica->authority);
    mark = mark * 1000003 + replica->boxed.count;
    for (size_t i = 0; i < carnet_keyring_count(replica->keyring); i++)
        mark += carnet_keyring_at(replica->keyring, i)->held;
    return mark * 2 + 1; /* never 0 */
}

static bool is_missing(const struct slice *slice, const struct carnet_cert *reader)
{
    const struct carnet_replica *replica = slice->replica;
    if (carnet_id_equal(&reader->node, &replica->node) || carnet_cert_expired(reader, slice->wall_ms) ||
        carnet_authority_is_cut(replica->authority, &reader->node))
        return false;
    for (size_t i = 0; i < carnet_keyring_count(replica->keyring); i++) {
        const struct carnet_epoch *epoch = carnet_keyring_at(replica->keyring, i);
        if (epoch->held && slice->self->reads >> epoch->scope & 1 && carnet_book_reader(replica, epoch, reader) && !carnet_boxed(replica, epoch->id, &reader->node))
            return true;
    }
    return false;
}

/* Whoever admits somebody or adds a book boxes the keys himself: wait, and not all for the same time. */
static int64_t box_wait_ms(const struct carnet_replica *replica)
{
    return BOX_WAIT_MS + (int64_t)(carnet_id_head(&replica->node) % BOX_WAIT_MS);
}

static carnet_rc do_boxes(struct slice *slice, struct carnet_err *err)
{
    struct carnet_replica *replica = slice->replica;
    struct carnet_upkeep *upkeep = slice->upkeep;
    int64_t mono_ms = carnet_clock_mono_ms(&replica->env.clock);
    bool due = upkeep->box_since_ms && mono_ms - upkeep->box_since_ms >= box_wait_ms(replica);
    carnet_rc rc = CARNET_OK;
    if (!slice->self || !(slice->self->verbs & (CARNET_VERB_INVITE | CARNET_VERB_CHARTER)))
        return rc;
    if (upkeep->box_mark == charter_mark(replica) || (upkeep->box_since_ms && !due))
        return rc;
    for (; rc == CARNET_OK && upkeep->box_at < carnet_authority_count(replica->authority); upkeep->box_at++) {
        const struct carnet_cert *reader = carnet_authority_at(replica->authority, upkeep->box_at);
        size_t count;
        if (is_over(slice))
            return rc;
        slice->steps++;
        if (!is_missing(slice, reader))
            continue;
        if (!due) {
            upkeep->box_since_ms = mono_ms ? mono_ms : 1;
            upkeep->box_at = 0;
            return rc;
        }
        rc = carnet_book_box_missing(replica, reader, &count, err);
        if (rc == CARNET_OK)
            rc = carnet_batch_flush(replica, err);
    }
    if (rc != CARNET_OK)
        return rc;
    upkeep->box_at = 0;
    upkeep->box_since_ms = 0;
    upkeep->box_mark = charter_mark(replica);
    return rc;
}

/* --- what was superseded long ago --- */

/* Finds the part that holds the cell of this dot; false: not here, or nothing is left of it, and nobody is asked for it. */
static carnet_rc find_victim(struct carnet_replica *replica, const struct carnet_entry *by, const struct carnet_id *record, const struct carnet_dot *dot,
                             struct carnet_arena *arena, struct carnet_place *out, bool *found, struct carnet_err *err)
{
    carnet_rc rc = carnet_apply_place(replica, &by->header.book, record, dot, arena, out, err);
    *found = rc == CARNET_OK && !(out->row.flags & CARNET_ENTRY_VOID) && out->row.lane == 2 &&
             (out->part->present || out->row.flags & CARNET_ENTRY_WANTING);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* Does the change name a cell of the victim's part among what it replaces? */
static bool replaces_any(const struct carnet_change *change, const struct carnet_place *victim)
{
    struct carnet_dot first = carnet_entry_cell_dot(&victim->entry, victim->change, victim->part, 0);
    for (size_t i = 0; i < change->part_count; i++) {
        struct carnet_reader r;
        if (!change->parts[i].cell_count)
            continue;
        carnet_reader_init(&r, change->parts[i].contexts);
        for (size_t cells = carnet_reader_array(&r); cells > 0; cells--) {
            for (size_t dots = carnet_reader_array(&r); dots > 0; dots--) {
                struct carnet_dot dot = carnet_dot_read(&r);
                if (dot.author == first.author && dot.stream == first.stream && dot.seq == first.seq && dot.index >= first.index &&
                    dot.index < first.index + victim->part->cell_count)
                    return true;
            }
        }
    }
    return false;
}

static bool lives_any(const struct carnet_record *record, const struct carnet_entry *entry, size_t change, const struct carnet_part *part)
{
    for (size_t cell = 0; cell < part->cell_count; cell++) {
        struct carnet_dot dot = carnet_entry_cell_dot(entry, change, part, cell);
        for (size_t i = 0; i < record->live_count; i++)
            if (carnet_dot_equal(&record->live[i].dot, &dot))
                return true;
    }
    return false;
}

/* A part goes when none of its cells lives, and nothing that came after entry n had a hand in that: its turn will come. */
static carnet_rc is_superseded(struct slice *slice, const struct carnet_place *victim, int64_t n, struct carnet_arena *arena, bool *out, struct carnet_err *err)
{
    struct carnet_replica *replica = slice->replica;
    struct carnet_loaded loaded;
    struct carnet_touch *touches;
    size_t count = 0;
    *out = false;
    carnet_loaded_init(&loaded);
    carnet_rc rc = carnet_rows_get(replica, &victim->entry.header.book, &victim->entry.changes[victim->change].record, &loaded, err);
    bool lives = rc != CARNET_OK || lives_any(&loaded.record, &victim->entry, victim->change, victim->part);
    if (rc == CARNET_OK && !lives)
        rc = carnet_rows_touches(replica, loaded.row.n, arena, &touches, &count, err);
    bool later = false;
    for (size_t i = 0; rc == CARNET_OK && !lives && !later && i < count; i++) {
        struct carnet_entry_row row;
        struct carnet_entry entry;
        if (touches[i].entry_n <= n)
            continue;
        slice->steps++;
        rc = carnet_store_entry_get(replica->store, touches[i].entry_n, &row, err);
        if (rc == CARNET_OK && !(row.flags & CARNET_ENTRY_VOID) && row.lane == 2)
            later = carnet_entry_decode(carnet_arena_dup(arena, row.bytes), arena, &entry) != CARNET_OK || touches[i].change >= entry.change_count ||
                    replaces_any(&entry.changes[touches[i].change], victim);
    }
    *out = rc == CARNET_OK && !lives && !later;
    carnet_loaded_deinit(&loaded);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* Peers are asked for missing parts of an entry as long as one of them may matter: a seed, or a part of which something lives. */
static carnet_rc settle_wanting(struct carnet_replica *replica, const struct carnet_place *victim, struct carnet_err *err)
{
    struct carnet_loaded loaded;
    const struct carnet_entry *entry = &victim->entry;
    carnet_rc rc = CARNET_OK;
    bool wanting = false;
    carnet_loaded_init(&loaded);
    for (size_t i = 0; rc == CARNET_OK && !wanting && i < entry->change_count; i++) {
        const struct carnet_change *change = &entry->changes[i];
        bool read = false;
        for (size_t j = 0; rc == CARNET_OK && !wanting && j < change->part_count; j++) {
            const struct carnet_part *part = &change->parts[j];
            if (part->present || !carnet_replica_gets(replica, part->scope))
                continue;
            if (!read)
                rc = carnet_rows_get(replica, &entry->header.book, &change->record, &loaded, err);
            read = true;
            wanting = rc == CARNET_OK && !loaded.record.erased && (part->type != CARNET_PART_SEALED || lives_any(&loaded.record, entry, i, part));
        }
        rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    }
    carnet_loaded_deinit(&loaded);
    if (rc != CARNET_OK || wanting)
        return rc;
    replica->written++;
    return carnet_store_entry_flags(replica->store, victim->row.n, victim->row.flags & ~(unsigned)CARNET_ENTRY_WANTING, err);
}

/* Drops what the entry replaced. */
static carnet_rc do_replacer(struct slice *slice, const struct carnet_entry *by, int64_t n, struct carnet_err *err)
{
    struct carnet_arena arena;
    carnet_rc rc = CARNET_OK;
    carnet_arena_init(&arena);
    for (size_t i = 0; rc == CARNET_OK && i < by->change_count; i++) {
        const struct carnet_change *change = &by->changes[i];
        for (size_t j = 0; rc == CARNET_OK && j < change->part_count; j++) {
            struct carnet_reader r;
            if (!change->parts[j].cell_count)
                continue;
            carnet_reader_init(&r, change->parts[j].contexts);
            for (size_t cells = carnet_reader_array(&r); rc == CARNET_OK && cells > 0; cells--) {
                for (size_t dots = carnet_reader_array(&r); rc == CARNET_OK && dots > 0; dots--) {
                    struct carnet_dot dot = carnet_dot_read(&r);
                    struct carnet_place victim;
                    bool found, superseded = false;
                    carnet_arena_reset(&arena);
                    slice->steps++;
                    rc = find_victim(slice->replica, by, &change->record, &dot, &arena, &victim, &found, err);
                    if (rc == CARNET_OK && found)
                        rc = is_superseded(slice, &victim, n, &arena, &superseded, err);
                    if (rc == CARNET_OK && superseded)
                        rc = victim.part->present ? carnet_apply_drop(slice->replica, &victim, err) : settle_wanting(slice->replica, &victim, err);
                }
            }
        }
    }
    carnet_arena_deinit(&arena);
    return rc;
}

static carnet_rc read_cursor(struct carnet_replica *replica, int64_t *out, struct carnet_err *err)
{
    struct carnet_buf buf;
    struct carnet_reader r;
    carnet_buf_init(&buf, 16);
    *out = 0;
    carnet_rc rc = carnet_store_meta_get(replica->store, "superseded", &buf, err);
    if (rc == CARNET_OK) {
        carnet_reader_init(&r, carnet_buf_slice(&buf));
        *out = (int64_t)carnet_reader_uint_max(&r, INT64_MAX - 1);
        if (carnet_reader_done(&r) != CARNET_OK)
            *out = 0; /* looking again from the beginning does no harm */
    }
    carnet_buf_deinit(&buf);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

static carnet_rc write_cursor(struct carnet_replica *replica, int64_t at, struct carnet_err *err)
{
    struct carnet_buf buf;
    carnet_buf_init(&buf, 16);
    carnet_cbor_put_uint(&buf, (uint64_t)at);
    replica->written++;
    carnet_rc rc = carnet_store_meta_put(replica->store, "superseded", carnet_buf_slice(&buf), err);
    carnet_buf_deinit(&buf);
    return rc;
}

/* Entries of data in the order in which they came, each as soon as it is older than the history, by this node's clock and by those of two others. */
static carnet_rc do_superseded(struct slice *slice, struct carnet_err *err)
{
    struct carnet_replica *replica = slice->replica;
    int64_t at, start, reached_ms = carnet_hlc_ms(replica->reached[1].hlc);
    int64_t until_ms = (reached_ms < slice->wall_ms ? reached_ms : slice->wall_ms) - replica->charter.history_ms;
    struct carnet_arena arena;
    bool ended = false;
    if (!slice->agrees || (slice->upkeep->superseded_ms > slice->wall_ms && slice->upkeep->superseded_ms <= slice->wall_ms + HOUR_MS))
        return CARNET_OK;
    carnet_rc rc = read_cursor(replica, &at, err);
    start = at;
    carnet_arena_init(&arena);
    while (rc == CARNET_OK && !ended && !is_over(slice)) {
        struct carnet_entry_row row;
        struct carnet_entry entry;
        rc = carnet_store_entry_next(replica->store, 2, at + 1, &row, err);
        if (rc != CARNET_OK)
            break;
        bool future = row.flags & CARNET_ENTRY_FUTURE; /* kept: its time says nothing */
        ended = !future && carnet_hlc_ms(row.hlc) > until_ms;
        if (ended)
            break;
        slice->steps += SUPERSEDED_COST;
        at = row.n;
        if (row.flags & (CARNET_ENTRY_VOID | CARNET_ENTRY_FUTURE))
            continue;
        carnet_arena_reset(&arena);
        if (carnet_entry_decode(carnet_arena_dup(&arena, row.bytes), &arena, &entry) != CARNET_OK)
            rc = carnet_err_set(err, CARNET_CORRUPT, "the database is damaged: %s", "an entry");
        else
            rc = do_replacer(slice, &entry, at, err);
    }
    if (rc == CARNET_NOT_FOUND || ended) {
        slice->upkeep->superseded_ms = slice->wall_ms + HOUR_MS;
        rc = CARNET_OK;
    }
    if (rc == CARNET_OK && at != start)
        rc = write_cursor(replica, at, err);
    carnet_arena_deinit(&arena);
    return rc;
}

/* --- alive --- */

static carnet_rc do_alive(struct slice *slice, struct carnet_err *err)
{
    struct carnet_upkeep *upkeep = slice->upkeep;
    struct carnet_member member;
    if (!slice->self || slice->wall_ms <= 0)
        return CARNET_OK;
    if (upkeep->alive_ms == 0) {
        carnet_rc rc = carnet_replica_member(slice->replica, &slice->replica->node, &member, err);
        if (rc != CARNET_OK)
            return rc;
        upkeep->alive_ms = member.alive_ms ? member.alive_ms : slice->wall_ms - DAY_MS;
    }
    int64_t since_ms = slice->wall_ms - upkeep->alive_ms;
    if (since_ms < DAY_MS && since_ms > -DAY_MS)
        return CARNET_OK;
    upkeep->alive_ms = slice->wall_ms;
    return carnet_members_alive(slice->replica, slice->wall_ms, err);
}

/* --- the suppression list --- */

static carnet_rc do_suppression(struct slice *slice, struct carnet_err *err)
{
    struct carnet_replica *replica = slice->replica;
    bool done = carnet_tags_rest(replica);
    carnet_rc rc = slice->self ? carnet_tags_key_make(replica, err) : CARNET_OK;
    while (rc == CARNET_OK && !done && !is_over(slice)) {
        rc = carnet_tags_compare_next(replica, &done, err);
        slice->steps++;
    }
    for (done = !slice->self; rc == CARNET_OK && !done && !is_over(slice); slice->steps++)
        rc = carnet_tags_task_next(replica, &done, err);
    return rc;
}

/* --- the audit trail: what is older than 12 months leaves, once a day --- */

static carnet_rc do_audit(struct slice *slice, struct carnet_err *err)
{
    struct carnet_upkeep *upkeep = slice->upkeep;
    int64_t since_ms = slice->wall_ms - upkeep->audit_ms;
    if (!slice->agrees || (upkeep->audit_ms && since_ms < DAY_MS && since_ms > -DAY_MS))
        return CARNET_OK;
    upkeep->audit_ms = slice->wall_ms;
    return carnet_audit_drop(slice->replica, NULL, err);
}

/* --- all of it --- */

static carnet_rc do_slice(struct slice *slice, struct carnet_err *err)
{
    carnet_rc rc = do_numbers(slice, err);
    if (rc == CARNET_OK && !slice->more)
        rc = do_dues(slice, err);
    if (rc == CARNET_OK && !slice->more)
        rc = do_future(slice, err);
    if (rc == CARNET_OK && !slice->more)
        rc = do_boxes(slice, err);
    if (rc == CARNET_OK && !slice->more)
        rc = do_suppression(slice, err);
    if (rc == CARNET_OK && !slice->more)
        rc = do_superseded(slice, err);
    if (rc == CARNET_OK)
        rc = do_audit(slice, err);
    return rc == CARNET_OK ? do_alive(slice, err) : rc;
}

carnet_rc carnet_replica_upkeep(struct carnet_replica *replica, bool clock_agrees, bool *more, struct carnet_err *err)
{
    struct carnet_upkeep *upkeep = &replica->upkeep, before = *upkeep;
    struct slice slice = { .replica = replica,
                           .upkeep = upkeep,
                           .self = carnet_erase_self(replica),
                           .agrees = clock_agrees,
                           .wall_ms = carnet_replica_wall_ms(replica),
                           .start_ms = carnet_clock_mono_ms(&replica->env.clock) };
    bool mine;
    uint64_t written;
    *more = false;
    if (upkeep->due_from == 0 && upkeep->future_at == 0)
        upkeep->stuck = false;
    carnet_rc rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    rc = do_slice(&slice, err);
    rc = carnet_tx_leave(replica, mine, written, rc, err);
    if (rc != CARNET_OK) {
        *upkeep = before; /* nothing of it happened */
        return rc;
    }
    *more = slice.more;
    upkeep->next_ms = slice.wall_ms + (slice.more ? 0 : upkeep->stuck ? RETRY_MS : HOUR_MS);
    return rc;
}

static bool is_due_by(struct carnet_replica *replica, int64_t ms)
{
    struct carnet_record_row row;
    return carnet_store_record_due(replica->store, ms, 1, &row, NULL) == CARNET_OK;
}

/* The moment of the first record that is due before `until_ms`, or that. */
static int64_t first_due(struct carnet_replica *replica, int64_t from_ms, int64_t until_ms)
{
    if (!is_due_by(replica, until_ms))
        return until_ms;
    int64_t low = from_ms, high = until_ms; /* due by high; not known by low */
    if (is_due_by(replica, low))
        return low;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (is_due_by(replica, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

int64_t carnet_replica_upkeep_due_ms(struct carnet_replica *replica)
{
    struct carnet_upkeep *upkeep = &replica->upkeep;
    int64_t wall_ms = carnet_replica_wall_ms(replica), due_ms = upkeep->next_ms;
    if (upkeep->next_ms == 0 || upkeep->next_ms > wall_ms + HOUR_MS) /* never yet, or the clock was put back */
        return wall_ms;
    if (!upkeep->stuck && due_ms > wall_ms) {
        if (upkeep->due_written != replica->written || upkeep->due_until_ms != upkeep->next_ms) {
            upkeep->due_ms = first_due(replica, wall_ms, upkeep->next_ms);
            upkeep->due_written = replica->written;
            upkeep->due_until_ms = upkeep->next_ms;
        }
        due_ms = upkeep->due_ms < due_ms ? upkeep->due_ms : due_ms;
    }
    if (upkeep->alive_ms && upkeep->alive_ms + DAY_MS < due_ms)
        due_ms = upkeep->alive_ms + DAY_MS;
    if (upkeep->box_since_ms) {
        int64_t left_ms = box_wait_ms(replica) - (carnet_clock_mono_ms(&replica->env.clock) - upkeep->box_since_ms);
        if (wall_ms + (left_ms > 0 ? left_ms : 0) < due_ms)
            due_ms = wall_ms + (left_ms > 0 ? left_ms : 0);
    }
    int64_t tags_ms = carnet_tags_due_ms(replica, wall_ms);
    return tags_ms < due_ms ? tags_ms : due_ms;
}
