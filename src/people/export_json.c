// SPDX-License-Identifier: EUPL-1.2
/* Carnet's own form: JSON Lines, one contact a line between a first and a last line that say what it is (protocol/export.md). */
#include "export_parts.h"

#include "carnet/replica/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTES_LEN = CARNET_LINE_LEN_MAX / 2 }; /* of notes, more go into a line of their own */

static void put_string(struct carnet_buf *out, struct carnet_slice text)
{
    carnet_buf_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '"' || c == '\\')
            carnet_buf_append_byte(out, '\\');
        if (c == '\n')
            carnet_buf_append_str(out, "\\n");
        else if (c == '\t')
            carnet_buf_append_str(out, "\\t");
        else if (c < 0x20)
            carnet_buf_printf(out, "\\u%04x", c);
        else
            carnet_buf_append_byte(out, c);
    }
    carnet_buf_append_byte(out, '"');
}

static void put_key(struct carnet_buf *out, const char *key)
{
    uint8_t last = out->len ? out->ptr[out->len - 1] : '{';
    if (last != '{' && last != '[')
        carnet_buf_append_byte(out, ',');
    carnet_buf_printf(out, "\"%s\":", key);
}

static void put_text(struct carnet_buf *out, const char *key, struct carnet_slice text)
{
    put_key(out, key);
    put_string(out, text);
}

static void put_some(struct carnet_buf *out, const char *key, struct carnet_slice text)
{
    if (text.len)
        put_text(out, key, text);
}

static void put_time(struct carnet_buf *out, const char *key, int64_t ms)
{
    struct carnet_buf text;
    if (!ms)
        return;
    carnet_buf_init(&text, 64);
    carnet_time_format(ms, &text);
    put_text(out, key, carnet_buf_slice(&text));
    carnet_buf_deinit(&text);
}

static void put_id(struct carnet_buf *out, const char *key, const struct carnet_id *id)
{
    char hex[33];
    carnet_hex(id->b, sizeof id->b, hex);
    put_text(out, key, carnet_slice_str(hex));
}

/* The community's own fields: who reads the file without them has to make them first. */
static void put_own_fields(const struct carnet_charter *charter, struct carnet_buf *out)
{
    const struct carnet_field_def *def;
    bool any = false;
    for (size_t i = 0; (def = carnet_field_at(charter, i)); i++) {
        if (!def->custom || !def->shown)
            continue;
        if (!any) {
            put_key(out, "custom_fields");
            carnet_buf_append_byte(out, '[');
        }
        carnet_buf_append_str(out, any ? ",{" : "{");
        any = true;
        put_text(out, "name", carnet_slice_str(def->name));
        put_text(out, "type", carnet_slice_str(carnet_field_type_name(def->type)));
        put_text(out, "scope", carnet_slice_str(carnet_scope_name(def->scope)));
        if (def->choice_count) {
            put_key(out, "choices");
            carnet_buf_append_byte(out, '[');
            for (size_t j = 0; j < def->choice_count; j++) {
                if (j)
                    carnet_buf_append_byte(out, ',');
                put_string(out, carnet_slice_str(def->choices[j]));
            }
            carnet_buf_append_byte(out, ']');
        }
        carnet_buf_append_byte(out, '}');
    }
    if (any)
        carnet_buf_append_byte(out, ']');
}

void carnet_export_json_begin(const struct carnet_export_about *about, const struct carnet_charter *charter, struct carnet_buf *out)
{
    const struct carnet_export_options *options = about->options;
    carnet_buf_append_str(out, "{\"carnet\":\"export\",\"version\":1");
    put_id(out, "community", &about->community);
    put_id(out, "node", &about->node);
    put_time(out, "at", about->at_ms);
    put_some(out, "purpose", options->purpose);
    put_some(out, "query", options->query);
    put_some(out, "reason", options->reason);
    put_own_fields(charter, out);
    carnet_buf_append_str(out, "}\n");
}

void carnet_export_json_end(uint64_t contacts, struct carnet_buf *out)
{
    carnet_buf_printf(out, "{\"carnet\":\"end\",\"contacts\":%llu}\n", (unsigned long long)contacts);
}

static void put_name(struct carnet_buf *out, const struct carnet_export_contact *contact, const struct carnet_cell *cell)
{
    struct carnet_buf name;
    carnet_buf_init(&name, 1024);
    carnet_buf_append_str(&name, carnet_field_by_number(contact->charter, cell->field)->name);
    if (cell->label.len)
        carnet_buf_append_byte(&name, '/');
    carnet_buf_append_slice(&name, cell->label);
    if (out->ptr[out->len - 1] != '{')
        carnet_buf_append_byte(out, ',');
    put_string(out, carnet_buf_slice(&name));
    carnet_buf_append_byte(out, ':');
    carnet_buf_deinit(&name);
}

static bool is_shown(const struct carnet_export_contact *contact, const struct carnet_cell *cell)
{
    const struct carnet_field_def *def = carnet_field_by_number(contact->charter, cell->field);
    return def && def->shown && cell->field != CARNET_FIELD_TAG;
}

/* Several choices are an array, as `find --json` has them. */
static void put_value(const struct carnet_export_contact *contact, const struct carnet_cell *cell, struct carnet_buf *out)
{
    const struct carnet_field_def *def = carnet_field_by_number(contact->charter, cell->field);
    struct carnet_slice value = cell->siblings[0]->value;
    if (!def->custom || def->type != CARNET_FIELD_TYPE_CHOICES) {
        put_string(out, value);
        return;
    }
    carnet_buf_append_byte(out, '[');
    for (size_t at = 0, end; at < value.len; at = end + 2) {
        for (end = at; end < value.len && !(value.ptr[end] == ';' && end + 1 < value.len && value.ptr[end + 1] == ' ');)
            end++;
        if (at)
            carnet_buf_append_byte(out, ',');
        put_string(out, carnet_slice(value.ptr + at, end - at));
    }
    carnet_buf_append_byte(out, ']');
}

static void put_fields(const struct carnet_export_contact *contact, struct carnet_buf *out)
{
    bool conflicts = false;
    put_key(out, "fields");
    carnet_buf_append_byte(out, '{');
    for (size_t i = 0; i < contact->cell_count; i++) {
        if (!is_shown(contact, contact->cells[i]))
            continue;
        conflicts = conflicts || contact->cells[i]->conflict;
        put_name(out, contact, contact->cells[i]);
        put_value(contact, contact->cells[i], out);
    }
    carnet_buf_append_byte(out, '}');
    if (!conflicts)
        return;
    /* every value of a cell in conflict, newest first; an empty one: somebody emptied it */
    put_key(out, "conflicts");
    carnet_buf_append_byte(out, '{');
    for (size_t i = 0; i < contact->cell_count; i++) {
        const struct carnet_cell *cell = contact->cells[i];
        if (!is_shown(contact, cell) || !cell->conflict)
            continue;
        put_name(out, contact, cell);
        carnet_buf_append_byte(out, '[');
        for (size_t j = 0; j < cell->count; j++) {
            if (j)
                carnet_buf_append_byte(out, ',');
            put_string(out, cell->siblings[j]->value);
        }
        carnet_buf_append_byte(out, ']');
    }
    carnet_buf_append_byte(out, '}');
}

static void put_tags(const struct carnet_export_contact *contact, struct carnet_buf *out)
{
    bool any = false;
    for (size_t i = 0; i < contact->cell_count; i++) {
        if (contact->cells[i]->field != CARNET_FIELD_TAG)
            continue;
        if (!any) {
            put_key(out, "tags");
            carnet_buf_append_byte(out, '[');
        } else {
            carnet_buf_append_byte(out, ',');
        }
        put_string(out, contact->cells[i]->label);
        any = true;
    }
    if (any)
        carnet_buf_append_byte(out, ']');
}

static void put_source_ids(const struct carnet_export_contact *contact, struct carnet_buf *out)
{
    bool any = false;
    for (size_t i = 0; i < contact->cell_count; i++) {
        const struct carnet_cell *cell = contact->cells[i];
        if (cell->field != CARNET_FIELD_SOURCE_ID || carnet_index_is_own(cell->label))
            continue;
        if (!any) {
            put_key(out, "source_ids");
            carnet_buf_append_byte(out, '{');
        } else {
            carnet_buf_append_byte(out, ',');
        }
        put_string(out, cell->label);
        carnet_buf_append_byte(out, ':');
        put_string(out, carnet_export_value(cell));
        any = true;
    }
    if (any)
        carnet_buf_append_byte(out, '}');
}

static void put_consents(const struct carnet_export_contact *contact, struct carnet_buf *out)
{
    if (contact->grant_count) {
        put_key(out, "grants");
        carnet_buf_append_byte(out, '[');
    }
    for (size_t i = 0; i < contact->grant_count; i++) {
        const struct carnet_export_grant *grant = &contact->grants[i];
        carnet_buf_append_str(out, i ? ",{" : "{");
        put_text(out, "purpose", grant->purpose);
        if (grant->version) {
            char version[17];
            snprintf(version, sizeof version, "%016llx", (unsigned long long)grant->version);
            put_text(out, "version", carnet_slice_str(version));
        }
        put_text(out, "basis", carnet_slice_str(carnet_basis_name(grant->basis)));
        put_some(out, "proof", grant->proof);
        put_time(out, "since", grant->since_ms);
        put_time(out, "until", grant->until_ms);
        put_some(out, "evidence", grant->evidence);
        carnet_buf_append_byte(out, '}');
    }
    if (contact->grant_count)
        carnet_buf_append_byte(out, ']');
    if (contact->refusal_count) {
        put_key(out, "refusals");
        carnet_buf_append_byte(out, '[');
    }
    for (size_t i = 0; i < contact->refusal_count; i++) {
        const struct carnet_export_refusal *refusal = &contact->refusals[i];
        carnet_buf_append_str(out, i ? ",{" : "{");
        put_text(out, "purpose", refusal->purpose);
        put_text(out, "kind", carnet_slice_str(refusal->objection ? "objected" : "withdrawn"));
        put_time(out, "at", refusal->at_ms);
        carnet_buf_append_byte(out, '}');
    }
    if (contact->refusal_count)
        carnet_buf_append_byte(out, ']');
}

static void put_ids(const struct carnet_export_contact *contact, struct carnet_buf *out)
{
    carnet_buf_append_byte(out, '{');
    put_id(out, "id", &contact->view->id);
    put_text(out, "book", carnet_slice_str(contact->book));
}

/* Puts notes from `from` on until the line is long enough; returns the first one that was not. */
static size_t put_notes(const struct carnet_export_contact *contact, size_t from, size_t start, struct carnet_buf *out)
{
    size_t i = from;
    put_key(out, "notes");
    carnet_buf_append_byte(out, '[');
    for (; i < contact->note_count && (i == from || out->len - start < NOTES_LEN); i++) {
        const struct carnet_export_note *note = &contact->notes[i];
        carnet_buf_append_str(out, i > from ? ",{" : "{");
        put_id(out, "id", &note->id);
        put_text(out, "kind", carnet_slice_str(note->kind == CARNET_KIND_VISIT ? "visit" : "note"));
        put_time(out, "at", carnet_hlc_ms(note->hlc));
        put_text(out, "text", note->text);
        carnet_buf_append_byte(out, '}');
    }
    carnet_buf_append_byte(out, ']');
    return i;
}

carnet_rc carnet_export_json_put(const struct carnet_export_contact *contact, struct carnet_buf *out)
{
    const struct carnet_view *view = contact->view;
    size_t start = out->len, notes = 0;
    put_ids(contact, out);
    put_time(out, "created", carnet_hlc_ms(view->record.hlc_first));
    put_time(out, "changed", carnet_hlc_ms(view->record.hlc_last));
    if (view->person_count > 1) {
        put_key(out, "merged");
        carnet_buf_append_byte(out, '[');
        for (size_t i = 1; i < view->person_count; i++) {
            char hex[33];
            carnet_hex(view->person[i]->id.b, sizeof view->person[i]->id.b, hex);
            carnet_buf_printf(out, i > 1 ? ",\"%s\"" : "\"%s\"", hex);
        }
        carnet_buf_append_byte(out, ']');
    }
    put_source_ids(contact, out);
    put_fields(contact, out);
    put_tags(contact, out);
    put_consents(contact, out);
    if (contact->note_count)
        notes = put_notes(contact, 0, start, out);
    carnet_buf_append_str(out, "}\n");
    bool fits = out->len - start <= CARNET_LINE_LEN_MAX;
    while (notes < contact->note_count) {
        size_t line = out->len;
        put_ids(contact, out);
        notes = put_notes(contact, notes, line, out);
        carnet_buf_append_str(out, "}\n");
        fits = fits && out->len - line <= CARNET_LINE_LEN_MAX;
    }
    return fits && !out->failed ? CARNET_OK : CARNET_LIMIT;
}
