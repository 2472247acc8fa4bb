// SPDX-License-Identifier: EUPL-1.2
/* Rows of a file into contacts. A row is known again by an id of its source, else by equal family name, given name and birth date and one equal e-mail or phone;
 * anything else is a new contact. Rows are collected into entries of about a hundred contacts, entries into transactions of about a thousand rows, so that an
 * import that is killed leaves whole entries, and a node goes on living between two transactions.
 *
 * Each contact keeps a mark of the row it was last read from: the same row again is passed over at once, also when it says nothing else to be known by. A row that differs from what is known changes a value
 * only when the file was collected on the day that the value was typed, or later: an old list does not undo what somebody typed since. What an import wrote is as
 * old as its own file's collection, which the mark remembers. Of two rows of one file that are the same person, the first one decides. */
#include "import_address.h"
#include "import_more.h"
#include "internal.h"
#include "imports.h"

#include "carnet/people/rows.h"
#include "carnet/replica/audit.h"
#include "carnet/replica/index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BATCH_ROWS = 100,         /* contacts collected before they are written */
    TRANSACTION_ROWS = 1000,  /* rows before a commit: about 30 ms */
    CANDIDATES_MAX = 16,      /* contacts looked at for one point */
    ROW_EVENTS_MAX = 40,
    DAY_MS = 86400000
};

struct import {
    struct carnet_replica *replica;
    struct carnet_rows *rows;
    const struct carnet_import_options *options;
    struct carnet_import_result *result;
    struct carnet_err *err;
    struct carnet_arena batch_arena; /* what the collected writes borrow */
    struct carnet_arena view_arena;
    struct carnet_buf text, rejects, detail;
    struct carnet_write writes[2 * BATCH_ROWS]; /* of every row, then the refusals of some: so a batch is two entries, one of each log */
    struct carnet_write refusals[BATCH_ROWS];
    size_t write_count, refusal_count;
    uint64_t *points;                /* of the contacts collected: a later row may be one of them */
    size_t point_count, point_cap;
    size_t rows_in_transaction;
    struct carnet_slice evidence;    /* common to all the rows */
    struct carnet_slice terms_text;  /* the same without the import's own id */
    uint32_t terms;                  /* hash of what the options say of every row */
    uint32_t day;                    /* that the file was collected, since 1970 */
    bool met;                        /* the contact of this row was that of an earlier one */
    struct seen {
        uint64_t hash;               /* 0: free */
        uint32_t times;
    } *seen;                         /* contacts met, and rows that nothing else tells apart, by what they say */
    size_t seen_count, seen_slots;
    struct carnet_slice all[2];      /* purposes that everybody gets */
    size_t all_count;
    bool roll;
    int64_t until_ms;                /* of the grants */
    struct carnet_import_noes noes;
    bool suppresses;                 /* this node writes on the suppression list */
    struct carnet_rows_cell *cells;  /* of a roll's row: those that it may set */
    size_t cell_cap;
    /* what is written in this import's record */
    struct carnet_range *ranges;
    size_t range_count, range_cap;
    struct head {
        uint32_t stream;
        uint64_t seq;
    } before[2];                     /* of this node's logs, when the transaction began */
    struct head record_head;         /* of the data log, after the record was written last */
    bool recorded;
    struct import *next;
};
static struct import *running; /* in this process: between two of their transactions, other commands ask */

bool carnet_import_running(const struct carnet_replica *replica, const struct carnet_id *import)
{
    for (const struct import *im = running; im; im = im->next)
        if (im->replica == replica && carnet_id_equal(&im->result->import, import))
            return true;
    return false;
}

/* What the row says, its terms, the day that its file was collected (all in hexadecimal); then for each of the last imports that changed the contact before, newest
 * first, the clock of its entry and its day. Then, as long, values that a newer file said again: "s", 15 digits of what was said, the day. */
enum { MARK_SAME_LEN = CARNET_INDEX_ROW_LEN + 8, MARK_DAY_LEN = 8, MARK_LEN = MARK_SAME_LEN + MARK_DAY_LEN, PAST_LEN = 16 + MARK_DAY_LEN, PAST_MAX = 4, SAID_MAX = 16 };
struct mark {
    char text[MARK_LEN + 1];
};

/* What makes a row known again. */
struct points {
    uint64_t at[64];
    size_t count, source_count; /* those of source ids come first */
};

static struct carnet_slice cell_value(const struct carnet_row *row, uint32_t field)
{
    for (size_t i = 0; i < row->cell_count; i++)
        if (row->cells[i].def->field == field && !row->cells[i].label.len)
            return row->cells[i].value;
    return CARNET_SLICE_NONE;
}

static void points_of(struct import *im, const struct carnet_row *row, const struct mark *mark, struct points *points)
{
    struct carnet_slice family = cell_value(row, CARNET_FIELD_FAMILY), given = cell_value(row, CARNET_FIELD_GIVEN), born = cell_value(row, CARNET_FIELD_BORN);
    points->count = 0;
    for (size_t i = 0; i < row->cell_count && points->count < 30; i++)
        if (row->cells[i].def->field == CARNET_FIELD_SOURCE_ID)
            points->at[points->count++] = carnet_index_source_point(row->cells[i].label, row->cells[i].value);
    points->source_count = points->count;
    for (size_t i = 0; i < row->cell_count && points->count < 63; i++) {
        uint32_t field = row->cells[i].def->field;
        if (field == CARNET_FIELD_EMAIL || field == CARNET_FIELD_PHONE)
            points->at[points->count++] = carnet_index_person_point(family, given, born, field, row->cells[i].value);
    }
    for (size_t i = 0; i < row->cell_count && points->count < 63; i++) {
        struct carnet_address_label label;
        carnet_import_address_label(im->replica, row->cells[i].def->field, row->cells[i].value, &label);
        if (label.text[0])
            points->at[points->count++] = carnet_index_person_point(family, given, born, CARNET_FIELD_SOURCE_ID, carnet_slice_str(label.text));
    }
    points->at[points->count++] = carnet_index_source_point(carnet_slice_str(CARNET_INDEX_ROW_LABEL), carnet_slice(mark->text, CARNET_INDEX_ROW_LEN));
}

static bool is_collected(const struct import *im, const struct points *points)
{
    for (size_t i = 0; i < im->point_count; i++)
        for (size_t j = 0; j < points->count; j++)
            if (im->points[i] == points->at[j])
                return true;
    return false;
}

static bool same_folded(struct import *im, struct carnet_slice a, struct carnet_slice b)
{
    if (carnet_slice_equal(a, b))
        return true;
    if (!a.len || !b.len)
        return false;
    carnet_buf_clear(&im->text);
    if (carnet_text_fold(a, &im->text))
        return false;
    size_t middle = im->text.len;
    if (carnet_text_fold(b, &im->text))
        return false;
    return carnet_slice_equal(carnet_slice(im->text.ptr, middle), carnet_slice(im->text.ptr + middle, im->text.len - middle));
}

/* The record's own values, blocked ones too: a refusal must not make somebody a stranger. They are compared here and go nowhere. */
static const struct carnet_sibling *value_held(const struct carnet_view *view, uint32_t field, struct carnet_slice label)
{
    const struct carnet_sibling *best = NULL;
    for (size_t i = 0; i < view->record.live_count; i++) {
        const struct carnet_sibling *s = &view->record.live[i];
        if (s->state == CARNET_SIBLING_VALUE && s->field == field && carnet_slice_equal(s->label, label) && (!best || s->hlc > best->hlc))
            best = s;
    }
    return best;
}

static struct carnet_slice known_value(const struct carnet_view *view, uint32_t field)
{
    const struct carnet_sibling *s = value_held(view, field, CARNET_SLICE_NONE);
    return s ? s->value : CARNET_SLICE_NONE;
}

/* An id of a source has its kind for a label; an address is the same one whatever it is called. */
static bool holds(const struct carnet_view *view, uint32_t field, struct carnet_slice label, struct carnet_slice value)
{
    for (size_t i = 0; i < view->record.live_count; i++) {
        const struct carnet_sibling *s = &view->record.live[i];
        if (s->state == CARNET_SIBLING_VALUE && s->field == field && (field != CARNET_FIELD_SOURCE_ID || carnet_slice_equal(s->label, label)) &&
            carnet_slice_equal(s->value, value))
            return true;
    }
    return false;
}

/* The address itself, or what stands for one that is not kept. */
static bool holds_address(struct import *im, const struct carnet_view *view, const struct carnet_rows_cell *cell)
{
    struct carnet_address_label label;
    if (holds(view, cell->def->field, cell->label, cell->value))
        return true;
    carnet_import_address_label(im->replica, cell->def->field, cell->value, &label);
    return label.text[0] && value_held(view, CARNET_FIELD_SOURCE_ID, carnet_slice_str(label.text)) && value_held(view, CARNET_FIELD_SOURCE_ID, carnet_slice_str(label.text))->value.len;
}

/* The mark of the row that a contact was last read from; NULL: none. */
const struct carnet_sibling *carnet_mark_held(const struct carnet_view *view)
{
    const struct carnet_sibling *s = value_held(view, CARNET_FIELD_SOURCE_ID, carnet_slice_str(CARNET_INDEX_ROW_LABEL));
    return s && s->value.len >= MARK_LEN ? s : NULL;
}

static uint64_t from_hex(const uint8_t *text, size_t len)
{
    uint8_t bytes[8] = { 0 };
    uint64_t number = 0;
    if (!carnet_unhex(carnet_slice(text, len), bytes, len / 2))
        return 0;
    for (size_t i = 0; i < len / 2; i++)
        number = number << 8 | bytes[i];
    return number;
}

static bool day_in_mark(const struct carnet_sibling *mark, const struct carnet_dot *dot, uint64_t hlc, int64_t *day)
{
    *day = (int64_t)from_hex(mark->value.ptr + MARK_SAME_LEN, MARK_DAY_LEN);
    if (hlc == mark->hlc && dot->author == mark->dot.author)
        return true;
    for (size_t at = MARK_LEN; at + PAST_LEN <= mark->value.len; at += PAST_LEN)
        if (hlc == from_hex(mark->value.ptr + at, 16)) {
            *day = (int64_t)from_hex(mark->value.ptr + at + 16, MARK_DAY_LEN);
            return true;
        }
    return false;
}

/* The day that the file was collected from which an import wrote this value. false: somebody typed it, or it is too long ago. Two offices that import at once
 * leave two marks. */
bool carnet_mark_day(const struct carnet_view *view, const struct carnet_dot *dot, uint64_t hlc, int64_t *day)
{
    for (size_t i = 0; i < view->record.live_count; i++) {
        const struct carnet_sibling *s = &view->record.live[i];
        if (s->state == CARNET_SIBLING_VALUE && s->field == CARNET_FIELD_SOURCE_ID && s->value.len >= MARK_LEN &&
            carnet_slice_equal(s->label, carnet_slice_str(CARNET_INDEX_ROW_LABEL)) && day_in_mark(s, dot, hlc, day))
            return true;
    }
    return false;
}

/* How the mark tells that a value was said again: PAST_LEN characters. */
struct said {
    char text[PAST_LEN + 1];
};

static struct said said_of(uint32_t field, struct carnet_slice label, struct carnet_slice value, uint32_t day)
{
    struct carnet_hasher h;
    struct said out;
    char hex[17];
    carnet_hasher_init(&h, "carnet/1/row/said");
    carnet_hasher_add(&h, &field, sizeof field);
    carnet_import_hash(&h, label);
    carnet_import_hash(&h, value);
    struct carnet_hash hash = carnet_hasher_done(&h);
    carnet_hex(hash.b, 8, hex);
    snprintf(out.text, sizeof out.text, "s%.15s%08x", hex, (unsigned)day);
    return out;
}

static bool day_said(const struct carnet_view *view, const struct said *said, int64_t *day)
{
    const struct carnet_sibling *mark = carnet_mark_held(view);
    for (size_t at = MARK_LEN; mark && at + PAST_LEN <= mark->value.len; at += PAST_LEN)
        if (memcmp(mark->value.ptr + at, said->text, 16) == 0) {
            *day = (int64_t)from_hex(mark->value.ptr + at + 16, MARK_DAY_LEN);
            return true;
        }
    return false;
}

/* The day as of which a value is what it is: that of the newest file that said it, else when somebody typed it. */
static int64_t day_of(const struct carnet_view *view, const struct carnet_sibling *s)
{
    struct said said = said_of(s->field, s->label, s->value, 0);
    int64_t day, again;
    if (!carnet_mark_day(view, &s->dot, s->hlc, &day))
        day = carnet_hlc_ms(s->hlc) / DAY_MS;
    return day_said(view, &said, &again) && again > day ? again : day;
}

/* A point is a hash: the contact that it led to is compared for good. */
static bool is_this(struct import *im, const struct carnet_view *view, const struct carnet_row *row, bool by_source, bool by_mark, const struct mark *mark)
{
    if (view->record.kind != CARNET_KIND_CONTACT || !carnet_id_equal(&view->book, &im->options->book))
        return false;
    if (by_mark) {
        const struct carnet_sibling *held = carnet_mark_held(view);
        return held && memcmp(held->value.ptr, mark->text, CARNET_INDEX_ROW_LEN) == 0;
    }
    bool common = false;
    for (size_t i = 0; i < row->cell_count && !common; i++) {
        uint32_t field = row->cells[i].def->field;
        if (by_source)
            common = field == CARNET_FIELD_SOURCE_ID && holds(view, field, row->cells[i].label, row->cells[i].value);
        else
            common = (field == CARNET_FIELD_EMAIL || field == CARNET_FIELD_PHONE) && holds_address(im, view, &row->cells[i]);
    }
    if (!common || by_source)
        return common;
    return same_folded(im, known_value(view, CARNET_FIELD_FAMILY), cell_value(row, CARNET_FIELD_FAMILY)) &&
           same_folded(im, known_value(view, CARNET_FIELD_GIVEN), cell_value(row, CARNET_FIELD_GIVEN)) &&
           carnet_slice_equal(known_value(view, CARNET_FIELD_BORN), cell_value(row, CARNET_FIELD_BORN));
}

/* The contact that the row speaks of, in the view arena. NOT_FOUND: a new one. */
static carnet_rc known_again(struct import *im, const struct carnet_row *row, const struct points *points, const struct mark *mark, struct carnet_view *out)
{
    int64_t seen[CANDIDATES_MAX], first = 0;
    carnet_arena_reset(&im->view_arena);
    for (size_t i = 0; i < row->cell_count; i++) { /* a file that was exported here */
        struct carnet_id own;
        if (row->cells[i].def->field != CARNET_FIELD_SOURCE_ID || !carnet_import_own_id(row->cells[i].label, row->cells[i].value, &own))
            continue;
        carnet_rc rc = carnet_replica_record(im->replica, &im->options->book, &own, &im->view_arena, out, NULL);
        if (rc == CARNET_OK && out->record.kind == CARNET_KIND_CONTACT)
            return CARNET_OK;
        if (rc && rc != CARNET_NOT_FOUND)
            return carnet_err_set(im->err, rc, "the contact %s cannot be read", carnet_id_text(&own).s);
    }
    for (size_t i = 0; i < points->count; i++) {
        size_t count = 0;
        /* an id of the source decides; names and addresses are asked when it is unknown */
        if (first && i >= points->source_count)
            break;
        carnet_rc rc = carnet_store_points(carnet_replica_store(im->replica), points->at[i], seen, CANDIDATES_MAX, &count, im->err);
        if (rc)
            return rc;
        for (size_t j = 0; j < count; j++) {
            struct carnet_view view;
            if (seen[j] == first)
                continue;
            rc = carnet_replica_record_at(im->replica, seen[j], &im->view_arena, &view, im->err);
            if (rc == CARNET_NOT_FOUND)
                continue;
            if (rc)
                return rc;
            if (!is_this(im, &view, row, i < points->source_count, i + 1 == points->count, mark))
                continue;
            if (first) {
                im->result->duplicates++;
                return CARNET_OK;
            }
            first = seen[j];
            *out = view;
        }
    }
    return first ? CARNET_OK : CARNET_NOT_FOUND;
}

/* How often it was met before. */
static uint32_t times_seen(struct import *im, uint64_t hash)
{
    if (2 * (im->seen_count + 1) > im->seen_slots) {
        size_t slots = im->seen_slots ? im->seen_slots * 2 : 1024;
        struct seen *old = im->seen;
        im->seen = carnet_alloc(slots * sizeof *im->seen);
        for (size_t i = 0; i < im->seen_slots; i++)
            for (size_t at = old[i].hash & (slots - 1); old[i].hash; at = (at + 1) & (slots - 1))
                if (!im->seen[at].hash) {
                    im->seen[at] = old[i];
                    break;
                }
        free(old);
        im->seen_slots = slots;
    }
    hash = hash ? hash : 1;
    size_t at = hash & (im->seen_slots - 1);
    for (; im->seen[at].hash; at = (at + 1) & (im->seen_slots - 1))
        if (im->seen[at].hash == hash)
            return im->seen[at].times++;
    im->seen[at] = (struct seen){ .hash = hash, .times = 1 };
    im->seen_count++;
    return 0;
}

static bool was_seen(struct import *im, uint64_t hash)
{
    return times_seen(im, hash) > 0;
}

static bool tells_apart(const struct carnet_row *row)
{
    for (size_t i = 0; i < row->cell_count; i++) {
        uint32_t field = row->cells[i].def->field;
        if (field == CARNET_FIELD_SOURCE_ID || field == CARNET_FIELD_EMAIL || field == CARNET_FIELD_PHONE)
            return true;
    }
    return false;
}

static uint64_t hash_of_row(const struct carnet_row *row, uint32_t times)
{
    struct carnet_hasher h;
    uint64_t hash;
    carnet_hasher_init(&h, "carnet/1/row");
    carnet_hasher_add(&h, &times, sizeof times);
    for (size_t i = 0; i < row->cell_count; i++) {
        carnet_import_hash(&h, carnet_slice(&row->cells[i].def->field, sizeof row->cells[i].def->field));
        carnet_import_hash(&h, row->cells[i].label);
        carnet_import_hash(&h, row->cells[i].value);
    }
    for (size_t i = 0; i < row->tag_count; i++)
        carnet_import_hash(&h, row->tags[i]);
    carnet_import_hash(&h, CARNET_SLICE_NONE);
    for (size_t i = 0; i < row->grant_count; i++)
        carnet_import_hash(&h, row->grants[i].purpose);
    carnet_import_hash(&h, CARNET_SLICE_NONE);
    for (size_t i = 0; i < row->objection_count; i++)
        carnet_import_hash(&h, row->objections[i].purpose);
    if (row->more)
        carnet_import_more_hash(&h, row->more);
    struct carnet_hash whole = carnet_hasher_done(&h);
    memcpy(&hash, whole.b, sizeof hash);
    return hash;
}

/* The mark of a row: what it says, then under which terms it is imported. A row that neither an id nor an address tells from another one that says the same: the second
 * one in a file is somebody else. */
static void mark_of(struct import *im, const struct carnet_row *row, struct mark *out)
{
    uint64_t hash = hash_of_row(row, 0);
    uint32_t times = tells_apart(row) ? 0 : times_seen(im, hash);
    if (times)
        hash = hash_of_row(row, times);
    carnet_hex(&hash, sizeof hash, out->text);
    carnet_hex(&im->terms, sizeof im->terms, out->text + CARNET_INDEX_ROW_LEN);
    snprintf(out->text + MARK_SAME_LEN, MARK_DAY_LEN + 1, "%08x", (unsigned)im->day);
}

/* The mark to be kept on the contact, with what the former one tells of the imports before it. In the arena. */
static struct carnet_slice mark_put(struct carnet_arena *arena, const struct carnet_view *known, const struct mark *mark, const struct said *said, size_t said_count)
{
    const struct carnet_sibling *held = known ? carnet_mark_held(known) : NULL;
    if (!held)
        return carnet_arena_dup(arena, carnet_slice(mark->text, MARK_LEN));
    char text[MARK_LEN + PAST_LEN * (PAST_MAX + SAID_MAX) + 1];
    size_t len = MARK_LEN + PAST_LEN, past = 1;
    memcpy(text, mark->text, MARK_LEN);
    snprintf(text + MARK_LEN, 16 + 1, "%016llx", (unsigned long long)held->hlc);
    memcpy(text + MARK_LEN + 16, held->value.ptr + MARK_SAME_LEN, MARK_DAY_LEN);
    for (size_t at = MARK_LEN; at + PAST_LEN <= held->value.len && past < PAST_MAX; at += PAST_LEN)
        if (held->value.ptr[at] != 's') {
            memcpy(text + len, held->value.ptr + at, PAST_LEN);
            len += PAST_LEN;
            past++;
        }
    size_t begin = len, end = MARK_LEN + PAST_LEN * (PAST_MAX + SAID_MAX);
    for (size_t i = 0; i < said_count && len < end; i++, len += PAST_LEN)
        memcpy(text + len, said[i].text, PAST_LEN);
    size_t now = len;
    for (size_t at = MARK_LEN; at + PAST_LEN <= held->value.len && len < end; at += PAST_LEN) {
        bool again = held->value.ptr[at] != 's';
        for (size_t j = begin; j < now && !again; j += PAST_LEN)
            again = memcmp(text + j, held->value.ptr + at, 16) == 0;
        if (!again) {
            memcpy(text + len, held->value.ptr + at, PAST_LEN);
            len += PAST_LEN;
        }
    }
    return carnet_arena_dup(arena, carnet_slice(text, len));
}

struct carnet_slice carnet_mark_undone(const struct carnet_view *view, int64_t day, struct carnet_arena *arena)
{
    struct mark mark;
    memset(mark.text, '0', MARK_SAME_LEN);
    snprintf(mark.text + MARK_SAME_LEN, MARK_DAY_LEN + 1, "%08x", day > 0 ? (unsigned)day : 0);
    return mark_put(arena, view, &mark, NULL, 0);
}

/* What the options say of every row. */
static uint32_t terms_of(const struct import *im)
{
    struct carnet_hasher h;
    uint32_t terms;
    carnet_hasher_init(&h, "carnet/1/row/terms");
    carnet_import_hash(&h, im->terms_text);
    carnet_import_hash(&h, carnet_slice(&im->options->ground.basis, sizeof im->options->ground.basis));
    carnet_import_hash(&h, carnet_slice(&im->until_ms, sizeof im->until_ms));
    for (size_t i = 0; i < im->options->grant_count; i++)
        carnet_import_hash(&h, im->options->grants[i]);
    struct carnet_hash hash = carnet_hasher_done(&h);
    memcpy(&terms, hash.b, sizeof terms);
    return terms;
}

static bool row_objects(const struct carnet_row *row, struct carnet_slice purpose)
{
    for (size_t i = 0; i < row->objection_count; i++)
        if (!row->objections[i].purpose.len || carnet_slice_equal(row->objections[i].purpose, purpose))
            return true;
    return false;
}

/* One write being made: its arrays are in the batch arena. */
struct making {
    struct carnet_write_cell *cells;
    size_t cell_count;
    struct carnet_event *events;
    size_t event_count;
    struct carnet_event *refusals; /* written after the rest: what somebody who refuses everything was filed with is blocked, then dark */
    size_t refusal_count;
    uint32_t open; /* scopes covered once it is written */
    bool evident; /* an agreement is written: its evidence too */
    struct carnet_import_claims claims; /* of a file of Carnet's own */
    const struct carnet_rows_consent **detailed; /* grants made of which the file says how they were given: each has an evidence of its own */
    size_t detailed_count;
    struct said said[SAID_MAX]; /* values held that this newer file says again */
    size_t said_count;
    size_t hidden_count; /* cells that nobody is shown */
    struct carnet_import_barred barred;
};

static bool granted_already(const struct making *m, struct carnet_slice purpose)
{
    for (size_t i = 0; i < m->event_count; i++)
        if (m->events[i].type == CARNET_EVENT_GRANT && carnet_slice_equal(m->events[i].purpose, purpose))
            return true;
    return false;
}

/* Adds the grant unless it is live, made, or refused: a file never speaks over a refusal. */
static void make_grant(struct import *im, struct making *m, const struct carnet_view *known, const struct carnet_row *row, struct carnet_slice name,
                       const struct carnet_rows_consent *said)
{
    const struct carnet_purpose_def *def = carnet_purpose_find(carnet_replica_charter(im->replica), name);
    if (!def || def->retired || granted_already(m, name) || m->event_count >= ROW_EVENTS_MAX)
        return;
    struct carnet_slice purpose = carnet_slice_str(def->name);
    bool files = !known && carnet_slice_equal(purpose, carnet_slice_str("file")); /* that is how an objection has somebody to stand on */
    if ((row_objects(row, purpose) && !files) || carnet_suppressed_for(&m->barred.said, purpose)) {
        im->result->refused++;
        return;
    }
    if (known) {
        struct carnet_dot dots[1];
        struct carnet_consent now = carnet_consent_evaluate(carnet_replica_charter(im->replica), known->person, known->person_count, purpose, carnet_replica_now_ms(im->replica));
        if (now.live) {
            m->open |= def->scopes;
            return;
        }
        for (size_t i = 0; i < known->person_count; i++)
            if (carnet_consent_refusals(known->person[i], purpose, dots, 1)) {
                im->result->refused++;
                return;
            }
    }
    const struct carnet_ground *ground = &im->options->ground;
    m->events[m->event_count++] = (struct carnet_event){ .type = CARNET_EVENT_GRANT, .purpose = purpose, .version = def->version, .basis = ground->basis, .proof = CARNET_PROOF_NONE,
                                                         .since_ms = said && said->at_ms ? said->at_ms : ground->collected_ms, .until_ms = im->until_ms };
    if (said && (said->address.len || said->confirmed_ms || said->confirmed_address.len))
        m->detailed[m->detailed_count++] = said;
    m->evident = true;
    m->open |= def->scopes;
}

/* What the row itself says of a purpose that everybody in the file is said to have agreed to: its proof is worth more than a word of the command line. */
static const struct carnet_rows_consent *agreement_of(const struct import *im, const struct carnet_row *row, struct carnet_slice purpose)
{
    for (size_t i = 0; !im->roll && i < row->grant_count; i++)
        if (carnet_slice_equal(row->grants[i].purpose, purpose))
            return &row->grants[i];
    return NULL;
}

/* Every agreement of this new contact is over already: the person has been silent for longer than anybody may be kept. */
static bool all_over(const struct import *im, const struct making *m)
{
    const struct carnet_charter *charter = carnet_replica_charter(im->replica);
    int64_t now_ms = carnet_replica_now_ms(im->replica), last_ms = INT64_MIN;
    for (size_t i = 0; i < m->event_count; i++)
        if (m->events[i].basis != CARNET_BASIS_ROLL && m->events[i].since_ms > last_ms)
            last_ms = m->events[i].since_ms;
    for (size_t i = 0; i < m->event_count; i++) {
        const struct carnet_event *e = &m->events[i];
        const struct carnet_purpose_def *def = carnet_purpose_version(charter, e->purpose, e->version);
        int64_t keep_ms = def && def->keep_ms && def->keep_ms < charter->contact_ms ? def->keep_ms : charter->contact_ms;
        bool silent = e->basis != CARNET_BASIS_ROLL && e->basis != CARNET_BASIS_MEMBER && last_ms < now_ms - keep_ms;
        if (!silent && (!e->until_ms || e->until_ms > now_ms))
            return false;
    }
    return m->event_count != 0;
}

static void make_consent(struct import *im, struct making *m, const struct carnet_view *known, const struct carnet_row *row)
{
    int64_t now_ms = carnet_replica_now_ms(im->replica);
    /* an event takes 2 KiB: only as many as there can be */
    size_t most = im->all_count + im->options->grant_count + row->grant_count + (row->more ? row->more->grant_count : 0);
    m->events = carnet_arena_alloc(&im->batch_arena, (most < ROW_EVENTS_MAX ? most : ROW_EVENTS_MAX) * sizeof *m->events);
    if (row->grant_count)
        m->detailed = carnet_arena_alloc(&im->batch_arena, row->grant_count * sizeof *m->detailed);
    if (row->objection_count)
        m->refusals = carnet_arena_alloc(&im->batch_arena, (row->objection_count < ROW_EVENTS_MAX ? row->objection_count : ROW_EVENTS_MAX) * sizeof *m->refusals);
    m->open = 1u << CARNET_SCOPE_CONSENT; /* a file leaves what its own purposes cover, whatever other files have opened: so their order is all the same */
    if (row->more) {
        carnet_import_claims(im->replica, known, row, &im->options->ground, im->evidence, &im->batch_arena, &m->claims);
        for (size_t i = 0; i < m->claims.event_count && m->event_count < ROW_EVENTS_MAX; i++)
            m->events[m->event_count++] = m->claims.events[i];
        m->open |= m->claims.open;
        im->result->refused += m->claims.refused;
    } else {
        for (size_t i = 0; i < im->all_count; i++)
            make_grant(im, m, known, row, im->all[i], agreement_of(im, row, im->all[i]));
    }
    for (size_t i = 0; i < im->options->grant_count; i++)
        make_grant(im, m, known, row, im->options->grants[i], agreement_of(im, row, im->options->grants[i]));
    for (size_t i = 0; i < row->grant_count; i++) {
        if (!im->roll)
            make_grant(im, m, known, row, row->grants[i].purpose, &row->grants[i]);
        else if (!granted_already(m, row->grants[i].purpose))
            im->result->refused++; /* nobody on a roll agreed to anything */
    }
    for (size_t i = 0; i < row->objection_count && m->refusal_count < ROW_EVENTS_MAX; i++) {
        struct carnet_slice purpose = row->objections[i].purpose;
        const struct carnet_purpose_def *def = purpose.len ? carnet_purpose_find(carnet_replica_charter(im->replica), purpose) : NULL;
        if (purpose.len && !def)
            continue;
        if (known && !def && carnet_people_objects_to_all(carnet_replica_charter(im->replica), known, now_ms))
            continue;
        enum carnet_consent_state state = known && def ? carnet_consent_evaluate(carnet_replica_charter(im->replica), known->person, known->person_count, carnet_slice_str(def->name), now_ms).state : CARNET_CONSENT_NONE;
        bool withdrawal = def && row->objections[i].withdrawal;
        if (state == CARNET_CONSENT_OBJECTED || (withdrawal && state == CARNET_CONSENT_WITHDRAWN))
            continue;
        m->refusals[m->refusal_count++] = (struct carnet_event){ .type = withdrawal ? CARNET_EVENT_WITHDRAW : CARNET_EVENT_OBJECT, .purpose = def ? carnet_slice_str(def->name) : CARNET_SLICE_NONE };
    }
}

static bool same_terms(const struct import *im, const struct carnet_view *known)
{
    const struct carnet_sibling *mark = carnet_mark_held(known);
    char terms[9];
    carnet_hex(&im->terms, sizeof im->terms, terms);
    return mark && memcmp(mark->value.ptr + CARNET_INDEX_ROW_LEN, terms, 8) == 0;
}

/* Does the row's value go over what is known? That a field was emptied, or is closed for now, is known too. The newest day decides, whichever file is read first;
 * of two files of one day the value that is greater as bytes (letters with accents go over those without, small ones over capitals), unless the same file is
 * read again. */
static bool goes_over(struct import *im, struct making *m, const struct carnet_view *known, uint32_t field, struct carnet_slice label, struct carnet_slice value)
{
    const struct carnet_sibling *newest = NULL;
    int64_t day;
    bool settles = field != CARNET_FIELD_SOURCE_ID && field != CARNET_FIELD_TAG;
    for (size_t i = 0; known && i < known->record.live_count; i++) {
        const struct carnet_sibling *s = &known->record.live[i];
        if (s->state != CARNET_SIBLING_VALUE || s->field != field || !carnet_slice_equal(s->label, label))
            continue;
        if (carnet_slice_equal(s->value, value)) {
            if (settles && !im->met && m->said_count < SAID_MAX && im->day > day_of(known, s))
                m->said[m->said_count++] = said_of(field, label, value, im->day);
            return false;
        }
        if (!newest || s->hlc > newest->hlc)
            newest = s;
    }
    if (!newest)
        return true;
    if (im->met)
        return false;
    int64_t its_day = day_of(known, newest);
    if (im->day != its_day)
        return im->day > its_day;
    if (!carnet_mark_day(known, &newest->dot, newest->hlc, &day) || same_terms(im, known))
        return true;
    size_t common = value.len < newest->value.len ? value.len : newest->value.len;
    int order = common ? memcmp(value.ptr, newest->value.ptr, common) : 0;
    return order ? order > 0 : value.len > newest->value.len;
}

static void put_cell(struct import *im, struct making *m, uint32_t field, struct carnet_slice label, struct carnet_slice value)
{
    m->cells[m->cell_count++] = (struct carnet_write_cell){ .field = field, .label = carnet_arena_dup(&im->batch_arena, label),
                                                            .value = carnet_arena_dup(&im->batch_arena, value) };
}

/* What stands for an address that the contact does not keep. */
static void put_address(struct import *im, struct making *m, const struct carnet_view *known, uint32_t field, struct carnet_slice value)
{
    struct carnet_address_label label;
    carnet_import_address_label(im->replica, field, value, &label);
    const struct carnet_sibling *held = known && label.text[0] ? value_held(known, CARNET_FIELD_SOURCE_ID, carnet_slice_str(label.text)) : NULL;
    if (label.text[0] && m->open & 1u << CARNET_SCOPE_IDENTITY && !(held && held->value.len)) {
        char text[33] = "?";
        carnet_import_address_mark(im->replica, value, &label, text);
        put_cell(im, m, CARNET_FIELD_SOURCE_ID, carnet_slice_str(label.text), carnet_slice_str(text));
        m->hidden_count++;
    }
}

static void make_cell(struct import *im, struct making *m, const struct carnet_view *known, uint32_t field, enum carnet_scope scope, struct carnet_slice label,
                      struct carnet_slice value)
{
    bool address = field == CARNET_FIELD_EMAIL || field == CARNET_FIELD_PHONE;
    if (!(m->open & 1u << scope)) {
        im->result->uncovered++;
        im->result->uncovered_in[scope]++;
        if (address)
            put_address(im, m, known, field, value);
        return;
    }
    bool over = goes_over(im, m, known, field, label, value);
    if (address && over && known) {
        const struct carnet_sibling *replaced = value_held(known, field, label);
        if (replaced && replaced->value.len)
            put_address(im, m, known, field, replaced->value);
    } else if (address && known && !holds(known, field, label, value)) {
        put_address(im, m, known, field, value);
    }
    if (over)
        put_cell(im, m, field, label, value);
}

/* Its own id says nothing new of a contact. */
static bool is_itself(const struct carnet_view *known, const struct carnet_rows_cell *cell)
{
    struct carnet_id own;
    return cell->def->field == CARNET_FIELD_SOURCE_ID && carnet_import_own_id(cell->label, cell->value, &own) && carnet_id_equal(&own, &known->id);
}

static void make_cells(struct import *im, struct making *m, const struct carnet_view *known, const struct carnet_row *row)
{
    m->cells = carnet_arena_alloc(&im->batch_arena, (2 * row->cell_count + row->tag_count + 2 + (1 + m->detailed_count) * (known ? CARNET_PURPOSES_MAX + 1 : 1) + m->claims.cell_count) *
                                                        sizeof *m->cells);
    for (size_t i = 0; i < row->cell_count; i++)
        if (!(known && is_itself(known, &row->cells[i])) && (known || !carnet_import_is_other(row->more, row->cells[i].def->field, row->cells[i].label)))
            make_cell(im, m, known, row->cells[i].def->field, row->cells[i].def->scope, row->cells[i].label, row->cells[i].value);
    for (size_t i = 0; i < row->tag_count; i++)
        make_cell(im, m, known, CARNET_FIELD_TAG, CARNET_SCOPE_IDENTITY, row->tags[i], carnet_slice_str("1"));
}

static void put_date(struct carnet_buf *out, const char *key, int64_t ms)
{
    struct carnet_buf text;
    carnet_buf_init(&text, 64);
    carnet_time_format(ms, &text);
    carnet_imported_line(out, key, carnet_slice(text.ptr, text.len < 10 ? text.len : 10));
    carnet_buf_deinit(&text);
}

static void put_moment(struct carnet_buf *out, const char *key, int64_t ms)
{
    struct carnet_buf text;
    carnet_buf_init(&text, 64);
    carnet_time_format(ms, &text);
    carnet_imported_line(out, key, carnet_buf_slice(&text));
    carnet_buf_deinit(&text);
}

/* How the file says that it was given: what a person clicked, where and when, is the proof that LAW asks for. */
static struct carnet_slice evidence_of_row(struct import *im, const struct carnet_rows_consent *said)
{
    struct carnet_buf *text = &im->detail;
    carnet_buf_clear(text);
    carnet_buf_append_slice(text, im->evidence);
    carnet_imported_line(text, "column", said->column);
    if (said->at_ms)
        put_moment(text, "optin_time", said->at_ms);
    carnet_imported_line(text, "optin_address", said->address);
    if (said->confirmed_ms)
        put_moment(text, "confirm_time", said->confirmed_ms);
    carnet_imported_line(text, "confirm_address", said->confirmed_address);
    return text->failed ? im->evidence : carnet_arena_dup(&im->batch_arena, carnet_buf_slice(text));
}

static void put_evidence(struct import *im, struct making *m, const struct carnet_view *known, struct carnet_slice label, struct carnet_slice value)
{
    m->cells[m->cell_count++] = (struct carnet_write_cell){ .field = CARNET_FIELD_EVIDENCE, .label = label, .value = value };
    if (!known)
        return;
    struct carnet_write_cell *kept = m->cells + m->cell_count;
    size_t count = carnet_people_evidence_keep(carnet_replica_charter(im->replica), known, label, m->events, m->event_count, kept);
    for (size_t i = 0; i < count; i++)
        kept[i].value = carnet_arena_dup(&im->batch_arena, kept[i].value);
    m->cell_count += count;
}

/* The first agreement of the row of which the file does not say how it was given. */
static struct carnet_slice plain_grant(const struct making *m)
{
    for (size_t i = m->claims.event_count; i < m->event_count; i++) {
        bool detailed = false;
        for (size_t j = 0; j < m->detailed_count; j++)
            detailed |= carnet_slice_equal(m->detailed[j]->purpose, m->events[i].purpose);
        if (m->events[i].type == CARNET_EVENT_GRANT && !detailed)
            return m->events[i].purpose;
    }
    return CARNET_SLICE_NONE;
}

/* The import's own evidence comes first: it is that of every agreement that has none under its name. */
static void make_evidence(struct import *im, struct making *m, const struct carnet_view *known)
{
    struct carnet_slice plain = plain_grant(m);
    if (plain.len)
        put_evidence(im, m, known, plain, im->evidence);
    for (size_t i = 0; i < m->detailed_count; i++) {
        const struct carnet_purpose_def *def = carnet_purpose_find(carnet_replica_charter(im->replica), m->detailed[i]->purpose);
        put_evidence(im, m, known, carnet_slice_str(def->name), evidence_of_row(im, m->detailed[i]));
    }
}

static carnet_rc flush(struct import *im)
{
    carnet_rc rc = CARNET_OK;
    memcpy(im->writes + im->write_count, im->refusals, im->refusal_count * sizeof *im->refusals);
    if (im->write_count)
        rc = carnet_replica_write(im->replica, im->writes, im->write_count + im->refusal_count, true, NULL, im->err);
    im->write_count = im->refusal_count = 0;
    im->point_count = 0;
    carnet_arena_reset(&im->batch_arena);
    return rc;
}

static void collect(struct import *im, const struct making *m, const struct carnet_id *id, bool fresh, const struct points *points)
{
    im->writes[im->write_count++] = (struct carnet_write){ .book = im->options->book, .record = *id, .subject = *id, .kind = CARNET_KIND_CONTACT, .cells = m->cells,
                                                           .cell_count = m->cell_count, .events = m->events, .event_count = m->event_count, .fresh = fresh };
    if (m->refusal_count)
        im->refusals[im->refusal_count++] = (struct carnet_write){ .book = im->options->book, .record = *id, .subject = *id, .kind = CARNET_KIND_CONTACT,
                                                                   .events = m->refusals, .event_count = m->refusal_count };
    for (size_t i = 0; i < points->count; i++) {
        CARNET_GROW(im->points, im->point_count, im->point_cap);
        im->points[im->point_count++] = points->at[i];
    }
}

/* A roll may be used for post and at the door: what else it holds is left out, and nobody is known again by it. */
static struct carnet_row of_roll(struct import *im, const struct carnet_row *row)
{
    struct carnet_row out = *row;
    out.cell_count = 0;
    out.more = NULL; /* whatever a file of Carnet's own says of agreements */
    while (im->cell_cap < row->cell_count)
        CARNET_GROW(im->cells, im->cell_cap, im->cell_cap);
    for (size_t i = 0; i < row->cell_count; i++) {
        enum carnet_scope scope = row->cells[i].def->scope;
        if (scope == CARNET_SCOPE_IDENTITY || scope == CARNET_SCOPE_POSTAL)
            im->cells[out.cell_count++] = row->cells[i];
        else
            im->result->uncovered++, im->result->uncovered_in[scope]++;
    }
    out.cells = im->cells;
    return out;
}

static carnet_rc put_reject(struct import *im, const struct carnet_row *row)
{
    im->result->rejected++;
    if (im->options->rejects_fd < 0)
        return CARNET_OK;
    carnet_buf_clear(&im->rejects);
    carnet_rows_put_reject(im->rows, row, &im->rejects);
    for (size_t at = 0; at < im->rejects.len;) {
        ssize_t put = write(im->options->rejects_fd, im->rejects.ptr + at, im->rejects.len - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return carnet_err_set(im->err, CARNET_FAILED, "cannot write the file of rejected rows: %s", strerror(errno));
        at += (size_t)put;
    }
    return CARNET_OK;
}

/* Would the row leave nothing but refusals? Tags of its addresses keep those; nobody is filed for it. */
static bool is_only_no(const struct import *im, const struct making *m, const struct carnet_row *row)
{
    bool says_no = false, all = false, more = m->event_count > im->all_count;
    for (size_t i = 0; i < m->refusal_count; i++) {
        says_no = true;
        all |= !m->refusals[i].purpose.len;
    }
    for (size_t i = 0; i < m->cell_count; i++)
        more |= m->cells[i].field != CARNET_FIELD_SOURCE_ID;
    for (size_t i = 0; i < row->cell_count; i++)
        if (row->cells[i].def->field == CARNET_FIELD_SOURCE_ID)
            return false; /* it may be known by that again */
    return im->suppresses && says_no && carnet_import_has_address(row) && (all || !more);
}

static carnet_rc take_row(struct import *im, const struct carnet_row *row)
{
    struct points points;
    struct carnet_view view;
    const struct carnet_view *known = NULL;
    struct mark mark;
    mark_of(im, row, &mark);
    points_of(im, row, &mark, &points);
    carnet_rc rc = CARNET_OK;
    if (im->write_count >= BATCH_ROWS || is_collected(im, &points))
        rc = flush(im);
    if (!rc)
        rc = known_again(im, row, &points, &mark, &view);
    if (rc == CARNET_OK)
        known = &view;
    else if (rc != CARNET_NOT_FOUND)
        return rc;
    im->met = known && was_seen(im, carnet_id_tail(&known->id));
    if (known && carnet_mark_held(known) && memcmp(carnet_mark_held(known)->value.ptr, mark.text, MARK_SAME_LEN) == 0) {
        im->result->unchanged++;
        return CARNET_OK;
    }
    struct making m = { 0 };
    rc = carnet_import_barred(im->replica, row, &m.barred, im->err);
    if (!rc && im->suppresses)
        rc = carnet_import_add_noes(im->replica, row, &im->noes, im->err);
    if (rc)
        return rc;
    if (!known && m.barred.said.all) {
        im->result->suppressed++;
        return CARNET_OK;
    }
    make_consent(im, &m, known, row);
    if (!known && all_over(im, &m)) {
        struct carnet_row over = *row;
        over.reason = carnet_tr(im->err->lang, "nothing was heard of this person for longer than anybody may be kept (charter: contact)");
        if (!m.refusal_count)
            return put_reject(im, &over);
        m.open = 1u << CARNET_SCOPE_CONSENT; /* only the refusal counts */
    }
    make_cells(im, &m, known, row);
    if (!known && is_only_no(im, &m, row)) {
        im->result->suppressed++;
        return CARNET_OK;
    }
    bool news = !known || m.cell_count > m.hidden_count || m.event_count || m.refusal_count, hidden = m.hidden_count || m.said_count;
    for (size_t i = 0; i < m.claims.cell_count; i++)
        m.cells[m.cell_count++] = m.claims.cells[i];
    if (m.evident)
        make_evidence(im, &m, known);
    if (m.open & 1u << CARNET_SCOPE_IDENTITY)
        m.cells[m.cell_count++] = (struct carnet_write_cell){ .field = CARNET_FIELD_SOURCE_ID, .label = carnet_slice_str(CARNET_INDEX_ROW_LABEL),
                                                                .value = mark_put(&im->batch_arena, known, &mark, m.said, m.said_count) };
    struct carnet_id id = known ? known->id : carnet_replica_new_id(im->replica);
    if (!known)
        was_seen(im, carnet_id_tail(&id));
    if (news || hidden)
        collect(im, &m, &id, !known, &points);
    size_t added = 0;
    rc = CARNET_OK;
    if (row->more && (row->more->note_count || row->more->other_count)) {
        rc = flush(im);
        if (!rc)
            rc = carnet_import_after(im->replica, &im->options->book, &id, known, row, &im->view_arena, &added, im->err);
    }
    im->result->created += !known;
    im->result->updated += known && (news || added);
    im->result->unchanged += known && !news && !added;
    return rc;
}

/* --- the import's own record --- */

static struct head head_of(struct import *im, unsigned log)
{
    struct head head;
    carnet_replica_own_head(im->replica, &im->options->book, log, &head.stream, &head.seq);
    return head;
}

static carnet_rc begin_here(struct import *im)
{
    carnet_rc rc = carnet_replica_begin(im->replica, im->err);
    for (unsigned log = 0; log < 2; log++)
        im->before[log] = head_of(im, log);
    return rc;
}

/* What the transaction wrote: whole entries of this node, and of nobody else. */
static bool note_ranges(struct import *im)
{
    bool any = false;
    for (unsigned log = 0; log < 2; log++) {
        struct head now = head_of(im, log);
        uint64_t from = now.stream == im->before[log].stream ? im->before[log].seq + 1 : 1;
        if (now.seq < from)
            continue;
        any = true;
        struct carnet_range *last = NULL;
        for (size_t i = im->range_count; i-- > 0 && !last;)
            if (im->ranges[i].stream == now.stream)
                last = &im->ranges[i];
        /* between two transactions, the record itself */
        if (last && (from == last->to + 1 || (log == 0 && im->record_head.stream == now.stream && im->record_head.seq + 1 == from && last->to + 2 == from))) {
            last->to = now.seq;
            continue;
        }
        CARNET_GROW(im->ranges, im->range_count, im->range_cap);
        im->ranges[im->range_count++] = (struct carnet_range){ now.stream, from, now.seq };
    }
    return any;
}

static void describe(struct import *im, bool finished, struct carnet_buf *out)
{
    const struct carnet_import_options *options = im->options;
    const struct carnet_import_result *r = im->result;
    const struct {
        const char *key;
        uint64_t number;
    } counts[] = { { "rows", r->rows },         { "created", r->created }, { "updated", r->updated },     { "unchanged", r->unchanged },  { "rejected", r->rejected },
                   { "suppressed", r->suppressed }, { "refused", r->refused }, { "uncovered", r->uncovered }, { "duplicates", r->duplicates } };
    struct carnet_buf purposes;
    carnet_imported_line(out, "source", options->ground.source);
    put_date(out, "collected", options->ground.collected_ms);
    carnet_imported_line(out, "basis", carnet_slice_str(carnet_basis_name(options->ground.basis)));
    if (im->roll)
        put_date(out, "ballot", options->ballot_ms);
    carnet_buf_init(&purposes, 4096);
    for (size_t i = 0; i < im->all_count + options->grant_count; i++) {
        carnet_buf_append_str(&purposes, purposes.len ? " " : "");
        carnet_buf_append_slice(&purposes, i < im->all_count ? im->all[i] : options->grants[i - im->all_count]);
    }
    carnet_imported_line(out, "grants", carnet_buf_slice(&purposes));
    carnet_buf_deinit(&purposes);
    carnet_imported_line(out, "file", options->file);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        carnet_imported_number(out, counts[i].key, counts[i].number);
    if (finished)
        put_moment(out, "finished", carnet_replica_wall_ms(im->replica));
    carnet_ranges_put(im->ranges, im->range_count, out);
}

/* Part of the transaction that it tells of; without anything written, there is nothing to undo, and none is kept. */
static carnet_rc put_record(struct import *im, bool last)
{
    struct carnet_buf text;
    if (!note_ranges(im) && !(last && im->recorded))
        return CARNET_OK;
    carnet_buf_init(&text, CARNET_VALUE_LEN_MAX);
    describe(im, last, &text);
    carnet_rc rc = CARNET_OK;
    if (text.failed) { /* others wrote in between a thousand times */
        rc = carnet_err_set(im->err, CARNET_LIMIT, "stopped after %llu rows", (unsigned long long)im->result->rows);
        carnet_err_hint(im->err, "what was read is kept; the same command goes on where it stopped");
    }
    if (!rc)
        rc = carnet_imported_put(im->replica, &im->options->book, &im->result->import, "", carnet_buf_slice(&text), !im->recorded, im->err);
    carnet_buf_deinit(&text);
    im->recorded = true;
    im->record_head = head_of(im, CARNET_LOG_DATA);
    return rc;
}

/* Counts alone: the source and the file's name may name somebody. */
static carnet_rc put_audit(struct import *im)
{
    const struct carnet_import_result *r = im->result;
    struct carnet_buf text;
    carnet_buf_init(&text, CARNET_AUDIT_DETAIL_LEN_MAX);
    carnet_buf_printf(&text, "%s: rows %llu, created %llu, updated %llu, rejected %llu, suppressed %llu", carnet_basis_name(im->options->ground.basis), (unsigned long long)r->rows,
                      (unsigned long long)r->created, (unsigned long long)r->updated, (unsigned long long)r->rejected, (unsigned long long)r->suppressed);
    carnet_rc rc = carnet_audit_add(im->replica, CARNET_AUDIT_IMPORT, carnet_buf_slice(&text), im->err);
    carnet_buf_deinit(&text);
    return rc;
}

/* Ends the transaction, lets the caller live, begins the next one. */
static carnet_rc pause_here(struct import *im, bool last)
{
    uint64_t bytes, total;
    carnet_rc rc = flush(im);
    if (!rc)
        rc = carnet_import_write_noes(im->replica, &im->noes, im->err);
    if (!rc)
        rc = put_record(im, last);
    if (!rc && last)
        rc = put_audit(im);
    if (!rc)
        rc = carnet_replica_commit(im->replica, im->err);
    im->rows_in_transaction = 0;
    if (rc)
        return rc;
    carnet_rows_progress(im->rows, &bytes, &total);
    if (im->options->progress && !im->options->progress(im->options->ctx, im->result->rows, bytes, total) && !last) {
        carnet_err_set(im->err, CARNET_CANCELLED, "stopped after %llu rows", (unsigned long long)im->result->rows);
        carnet_err_hint(im->err, "what was read is kept; the same command goes on where it stopped");
        return CARNET_CANCELLED;
    }
    return last ? CARNET_OK : begin_here(im);
}

/* Whoever was filed with an address that this file refuses is refused before the import says that it is done; what takes longer, a node goes on with. */
static carnet_rc compare_all(struct import *im)
{
    enum { COMPARE_MS = 10000 };
    uint64_t bytes, total;
    carnet_rc rc = CARNET_OK;
    int64_t until_ms = carnet_replica_wall_ms(im->replica) + COMPARE_MS;
    bool done = !im->noes.written;
    while (!rc && !done && carnet_replica_wall_ms(im->replica) < until_ms) {
        rc = carnet_replica_compare(im->replica, &done, im->err);
        carnet_rows_progress(im->rows, &bytes, &total);
        if (im->options->progress && !im->options->progress(im->options->ctx, im->result->rows, bytes, total))
            break; /* the file itself is read */
    }
    return rc;
}

static carnet_rc check_roll(const struct carnet_import_options *options, struct carnet_err *err)
{
    bool roll = options->ground.basis == CARNET_BASIS_ROLL;
    if (roll && !options->ballot_ms) {
        carnet_err_set(err, CARNET_USAGE, "the import of an electoral roll needs --ballot");
        carnet_err_hint(err, "the day of the ballot that it serves (YYYY-MM-DD): what comes from the roll is used until then, for post and at the door");
        return CARNET_USAGE;
    }
    if (!roll && options->ballot_ms)
        return carnet_err_set(err, CARNET_USAGE, "--ballot goes with --basis roll alone");
    if (roll && options->ballot_ms + DAY_MS <= options->ground.collected_ms)
        return carnet_err_set(err, CARNET_USAGE, "the ballot was before the day that the roll was collected");
    for (size_t i = 0; roll && i < options->grant_count; i++)
        if (!carnet_slice_equal(options->grants[i], carnet_slice_str("mail")) && !carnet_slice_equal(options->grants[i], carnet_slice_str("canvass"))) {
            carnet_err_set(err, CARNET_USAGE, "an electoral roll permits mail and canvass, and no other use");
            carnet_err_hint(err, "for anything else the person has to agree: `carnet consent grant`");
            return CARNET_USAGE;
        }
    return CARNET_OK;
}

static carnet_rc check_options(const struct carnet_charter *charter, const struct carnet_import_options *options, struct carnet_err *err)
{
    if (!options->ground.source.len || !options->ground.collected_ms || !options->ground.basis) {
        carnet_err_set(err, CARNET_USAGE, "an import needs --source, --collected and --basis");
        carnet_err_hint(err, "where the file comes from, the day it was collected (YYYY-MM-DD), and what allows it: consent, legitimate-interest, "
                             "explicit-consent, member");
        return CARNET_USAGE;
    }
    for (size_t i = 0; i < options->grant_count; i++) {
        const struct carnet_purpose_def *def;
        carnet_rc rc = carnet_people_grantable(charter, options->grants[i], options->ground.basis, &def, err);
        if (rc)
            return rc;
    }
    return check_roll(options, err);
}

/* The purposes of which --wording names a text: of those that everybody agreed to, else of those that a column may speak of. USAGE: of none. */
static carnet_rc find_worded(const struct carnet_charter *charter, const struct carnet_import_options *options, struct carnet_slice out[CARNET_PURPOSES_MAX], size_t *count,
                             struct carnet_err *err)
{
    const struct carnet_purpose_def *def;
    bool due = options->grant_count == 0;
    if (!options->ground.wording.len)
        return CARNET_OK;
    for (size_t i = 0; (def = carnet_purpose_at(charter, i)) && *count < CARNET_PURPOSES_MAX; i++)
        if (carnet_people_has_wording(charter, &options->ground, carnet_slice_str(def->name)))
            out[(*count)++] = carnet_slice_str(def->name);
    for (size_t i = 0; i < options->grant_count; i++)
        due |= carnet_people_has_wording(charter, &options->ground, options->grants[i]);
    if (due && *count)
        return CARNET_OK;
    carnet_err_set(err, CARNET_USAGE, "the charter has no wording \"%.*s\" of what this file grants", (int)(options->ground.wording.len > 40 ? 40 : options->ground.wording.len),
                   (const char *)options->ground.wording.ptr);
    carnet_err_hint(err, "a language, or the version that `carnet charter show` gives");
    return CARNET_USAGE;
}

/* Whatever it is called, an electoral roll is under the law of one. */
static carnet_rc refuse_roll(const struct carnet_rows *rows, const struct carnet_import_options *options, struct carnet_err *err)
{
    if (options->ground.basis == CARNET_BASIS_ROLL || !carnet_rows_is_roll(rows))
        return CARNET_OK;
    carnet_err_set(err, CARNET_REFUSED, "this file is an electoral roll: the law lets it serve one ballot, for post and at the door");
    carnet_err_hint(err, "say --basis roll and --ballot DATE");
    return CARNET_REFUSED;
}

/* What comes from a roll serves until its ballot. */
static carnet_rc refuse_over(const struct carnet_replica *replica, const struct carnet_import_options *options, struct carnet_err *err)
{
    if (options->ground.basis != CARNET_BASIS_ROLL || options->ballot_ms + DAY_MS > carnet_replica_now_ms(replica))
        return CARNET_OK;
    carnet_err_set(err, CARNET_REFUSED, "the ballot that this roll serves is over: nothing of it may be used any more");
    carnet_err_hint(err, "--ballot is the day of the coming ballot; `carnet purge` erases what was collected for a past one");
    return CARNET_REFUSED;
}

static void leave(struct import *im)
{
    for (struct import **at = &running; *at; at = &(*at)->next)
        if (*at == im) {
            *at = im->next;
            return;
        }
}

carnet_rc carnet_people_import(struct carnet_replica *replica, struct carnet_rows *rows, const struct carnet_import_options *options,
                               struct carnet_import_result *result, struct carnet_err *err)
{
    struct carnet_buf evidence;
    *result = (struct carnet_import_result){ .import = carnet_replica_new_id(replica) };
    carnet_rc rc = check_options(carnet_replica_charter(replica), options, err);
    if (!rc)
        rc = refuse_roll(rows, options, err);
    if (!rc)
        rc = refuse_over(replica, options, err);
    if (rc)
        return rc;
    int64_t began_ms = carnet_replica_wall_ms(replica);
    size_t terms_len;
    struct import *im = carnet_alloc(sizeof *im);
    *im = (struct import){ .replica = replica, .rows = rows, .options = options, .result = result, .err = err };
    im->roll = options->ground.basis == CARNET_BASIS_ROLL;
    im->until_ms = im->roll ? options->ballot_ms + DAY_MS : options->ground.until_ms;
    im->all[im->all_count++] = carnet_slice_str(im->roll ? "mail" : "file");
    if (im->roll)
        im->all[im->all_count++] = carnet_slice_str("canvass");
    carnet_arena_init(&im->batch_arena);
    carnet_arena_init(&im->view_arena);
    carnet_arena_init(&im->noes.arena);
    im->suppresses = carnet_import_may_suppress(replica);
    carnet_buf_init(&im->text, 2 * CARNET_VALUE_LEN_MAX + 64);
    carnet_buf_init(&im->rejects, 4 * CARNET_LINE_LEN_MAX);
    carnet_buf_init(&im->detail, CARNET_VALUE_LEN_MAX);
    carnet_buf_init(&evidence, CARNET_VALUE_LEN_MAX);
    struct carnet_slice worded[CARNET_PURPOSES_MAX]; /* none unless told: what a file was collected under is not what is said today */
    size_t worded_count = 0;
    rc = find_worded(carnet_replica_charter(replica), options, worded, &worded_count, err);
    if (!rc)
        rc = carnet_people_evidence(carnet_replica_charter(replica), &options->ground, worded, worded_count, CARNET_SLICE_NONE, &evidence, err);
    if (im->roll)
        put_date(&evidence, "ballot", options->ballot_ms);
    terms_len = evidence.len;
    carnet_imported_line(&evidence, "import", carnet_slice_str(carnet_id_text(&result->import).s));
    im->evidence = carnet_buf_slice(&evidence);
    im->terms_text = carnet_slice(im->evidence.ptr, terms_len);
    im->terms = terms_of(im);
    im->day = options->ground.collected_ms > 0 ? (uint32_t)(options->ground.collected_ms / DAY_MS) : 0;
    im->next = running;
    running = im;
    carnet_audit_hold(replica, true);
    if (!rc)
        rc = begin_here(im);
    while (!rc) {
        struct carnet_row row;
        rc = carnet_rows_next(rows, &row, err);
        if (rc)
            break;
        rc = refuse_roll(rows, options, err); /* another file of a zip */
        if (rc)
            break;
        result->rows++;
        if (im->roll && !row.reason)
            row = of_roll(im, &row);
        rc = row.reason ? put_reject(im, &row) : take_row(im, &row);
        if (!rc && ++im->rows_in_transaction >= TRANSACTION_ROWS)
            rc = pause_here(im, false);
    }
    if (rc == CARNET_NOT_FOUND) /* the end of the file */
        rc = pause_here(im, true);
    if (rc)
        carnet_replica_rollback(replica);
    else
        rc = compare_all(im);
    carnet_audit_hold(replica, false);
    leave(im);
    result->ms = carnet_replica_wall_ms(replica) - began_ms;
    carnet_buf_deinit(&evidence);
    carnet_buf_deinit(&im->rejects);
    carnet_buf_deinit(&im->detail);
    carnet_buf_deinit(&im->text);
    carnet_arena_deinit(&im->view_arena);
    carnet_arena_deinit(&im->noes.arena);
    carnet_arena_deinit(&im->batch_arena);
    free(im->cells);
    free(im->ranges);
    free(im->points);
    free(im->seen);
    free(im);
    return rc;
}
