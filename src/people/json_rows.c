// SPDX-License-Identifier: EUPL-1.2
/* Carnet's own JSON Lines, read strictly: a line at a time, each at most CARNET_LINE_LEN_MAX; what is not understood is a rejected row. */
#include "export_parts.h"
#include "rows_parts.h"

#include "carnet/base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { CLAIMS_MAX = 64, REFUSALS_MAX = 16, OTHERS_MAX = 200, NOTES_MAX = 20000 };

struct carnet_rows_json {
    struct carnet_rows_more more;
    struct carnet_rows_claim grants[CLAIMS_MAX];
    struct carnet_rows_cell others[OTHERS_MAX];
    struct carnet_rows_note *notes; /* in the row's arena */
    struct carnet_buf header;       /* the first line, for the file of rejected rows */
    struct carnet_rows_field *fields; /* of the first line; in the file's arena */
    size_t field_count;
    bool ended;                     /* the last line was seen */
    bool missed;                    /* that it is missing was said */
};

static struct carnet_slice text_of(const json_t *value)
{
    return json_is_string(value) ? carnet_slice(json_string_value(value), json_string_length(value)) : CARNET_SLICE_NONE;
}

static bool is(const json_t *value, const char *word)
{
    return carnet_slice_equal(text_of(value), carnet_slice_str(word));
}

static struct carnet_slice keep(struct carnet_rows *rows, const json_t *value)
{
    return carnet_arena_dup(&rows->arena, text_of(value));
}

#define NOT_OURS(rows) carnet_rows_refuse(rows, CARNET_MALFORMED, "not a line of Carnet's own JSON")

/* The object has these keys and no other; false: refused. */
static bool has_only(struct carnet_rows *rows, json_t *object, const char *const *keys, size_t count)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object)) {
        NOT_OURS(rows);
        return false;
    }
    json_object_foreach(object, key, value) {
        bool known = false;
        for (size_t i = 0; i < count && !known; i++)
            known = strcmp(keys[i], key) == 0;
        if (!known) {
            carnet_rows_refuse(rows, CARNET_MALFORMED, "what \"%.40s\" means is not known to this version", key);
            return false;
        }
    }
    return true;
}
#define HAS_ONLY(rows, object, ...) \
    has_only(rows, object, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static int64_t time_of(struct carnet_rows *rows, const json_t *value)
{
    int64_t ms = 0;
    if (value && (!json_is_string(value) || !carnet_value_time(text_of(value), CARNET_DATE_ISO, &ms)))
        carnet_rows_refuse(rows, CARNET_MALFORMED, "\"%.40s\" is no date", json_is_string(value) ? json_string_value(value) : "?");
    return ms;
}

/* Text of any length up to a value's, in its one form. */
static struct carnet_slice prose_of(struct carnet_rows *rows, const json_t *value)
{
    carnet_buf_clear(&rows->value);
    if (value && (!json_is_string(value) || json_string_length(value) > CARNET_VALUE_LEN_MAX ||
                  carnet_text_normalise(text_of(value), &rows->value) != CARNET_OK || rows->value.len > CARNET_VALUE_LEN_MAX))
        carnet_rows_refuse(rows, CARNET_MALFORMED, "a text that is too long or is no text");
    return carnet_arena_dup(&rows->arena, carnet_buf_slice(&rows->value));
}

/* --- what is listed as mapped or not --- */

static void note_name(struct carnet_rows *rows, const char *name, bool known)
{
    if (rows->listed_count < CARNET_ROWS_PROPERTIES_MAX)
        carnet_rows_list(rows, name, known ? carnet_slice_str(name) : CARNET_SLICE_NONE);
}

static struct carnet_slice label_of(struct carnet_rows *rows, struct carnet_slice text)
{
    carnet_buf_clear(&rows->value);
    if (carnet_value_label(text, &rows->value, NULL) != CARNET_OK)
        NOT_OURS(rows);
    return carnet_arena_dup(&rows->arena, carnet_buf_slice(&rows->value));
}

/* A field of this charter; false: listed as not imported. */
static bool field_of(struct carnet_rows *rows, const char *name, const struct carnet_field_def **def, struct carnet_slice *label)
{
    carnet_rc rc = carnet_field_parse(rows->charter, carnet_slice_str(name), def, label);
    bool known = rc == CARNET_OK && (*def)->shown && (*def)->field != CARNET_FIELD_TAG;
    if (known && label->len)
        *label = label_of(rows, *label);
    note_name(rows, name, known);
    return known;
}

/* --- the parts of a contact --- */

/* Several choices, "A; B": an array. */
static struct carnet_slice joined(struct carnet_rows *rows, const json_t *list)
{
    struct carnet_buf text;
    const json_t *item;
    size_t i;
    carnet_buf_init(&text, CARNET_VALUE_LEN_MAX);
    json_array_foreach(list, i, item) {
        if (!json_is_string(item) || !json_string_length(item) || memchr(json_string_value(item), ';', json_string_length(item)))
            NOT_OURS(rows);
        carnet_buf_append_str(&text, i ? "; " : "");
        carnet_buf_append_slice(&text, text_of(item));
    }
    if (text.failed)
        NOT_OURS(rows);
    struct carnet_slice out = carnet_arena_dup(&rows->arena, carnet_buf_slice(&text));
    carnet_buf_deinit(&text);
    return out;
}

static void take_fields(struct carnet_rows *rows, json_t *fields)
{
    const char *name;
    json_t *value;
    if (fields && !json_is_object(fields))
        NOT_OURS(rows);
    for (int pass = 0; pass < 2; pass++)
        json_object_foreach(fields, name, value) {
            const struct carnet_field_def *def;
            struct carnet_slice label;
            bool list = json_is_array(value);
            if (!json_is_string(value) && !list) {
                NOT_OURS(rows);
            } else if (field_of(rows, name, &def, &label) && pass == (def->field != CARNET_FIELD_COUNTRY)) {
                struct carnet_slice text = list ? joined(rows, value) : text_of(value);
                if (list && !(def->custom && def->type == CARNET_FIELD_TYPE_CHOICES))
                    NOT_OURS(rows);
                else if (text.len)
                    carnet_rows_take_exact(rows, def, label, text);
            }
        }
}

/* The first value of each is the field's own, or the field was emptied at last. */
static void take_conflicts(struct carnet_rows *rows, json_t *conflicts)
{
    struct carnet_rows_json *j = rows->json;
    const char *name;
    json_t *values, *value;
    size_t i;
    if (conflicts && !json_is_object(conflicts))
        NOT_OURS(rows);
    json_object_foreach(conflicts, name, values) {
        const struct carnet_field_def *def;
        struct carnet_slice label;
        if (!json_is_array(values) || json_array_size(values) < 2)
            NOT_OURS(rows);
        if (rows->why.rc != CARNET_OK || !field_of(rows, name, &def, &label))
            continue;
        json_array_foreach(values, i, value) {
            struct carnet_value_rules rules = rows->rules;
            rules.order = CARNET_DATE_ISO;
            carnet_buf_clear(&rows->value);
            if (!json_is_string(value) || (json_string_length(value) && carnet_value_normalise(def, text_of(value), &rules, &rows->value, NULL) != CARNET_OK)) {
                NOT_OURS(rows);
            } else if (j->more.other_count == OTHERS_MAX) {
                carnet_rows_refuse(rows, CARNET_LIMIT, "more than %d values", OTHERS_MAX);
            } else if (i > 0 || !json_string_length(value)) {
                j->others[j->more.other_count++] = (struct carnet_rows_cell){ .def = def, .label = carnet_arena_dup(&rows->arena, label),
                                                                              .value = carnet_arena_dup(&rows->arena, carnet_buf_slice(&rows->value)) };
            }
        }
    }
}

static void take_source_ids(struct carnet_rows *rows, json_t *ids)
{
    const struct carnet_field_def *def = carnet_field_by_number(rows->charter, CARNET_FIELD_SOURCE_ID);
    const char *label;
    json_t *value;
    if (ids && !json_is_object(ids))
        NOT_OURS(rows);
    json_object_foreach(ids, label, value) {
        /* what it was in this file goes before what it was in another */
        if (strcmp(label, "carnet") == 0)
            continue;
        if (!json_is_string(value) || strcmp(label, "row") == 0) {
            NOT_OURS(rows);
            return;
        }
        struct carnet_slice name = label_of(rows, carnet_slice_str(label));
        carnet_rows_take_exact(rows, def, name, text_of(value));
    }
}

static void take_id(struct carnet_rows *rows, json_t *id)
{
    uint8_t bytes[16];
    if (!json_is_string(id) || !carnet_unhex(text_of(id), bytes, sizeof bytes))
        NOT_OURS(rows);
    else
        carnet_rows_take_exact(rows, carnet_field_by_number(rows->charter, CARNET_FIELD_SOURCE_ID), carnet_slice_str("carnet"), text_of(id));
}

static void take_tags(struct carnet_rows *rows, json_t *tags)
{
    struct carnet_rows_build *b = &rows->build;
    json_t *tag;
    size_t i;
    if (tags && !json_is_array(tags))
        NOT_OURS(rows);
    json_array_foreach(tags, i, tag) {
        carnet_buf_clear(&rows->value);
        if (!json_is_string(tag) || carnet_value_label(text_of(tag), &rows->value, NULL) != CARNET_OK)
            NOT_OURS(rows);
        else if (b->tag_count == CARNET_ROWS_TAGS_MAX)
            carnet_rows_refuse(rows, CARNET_LIMIT, "more than %d tags", CARNET_ROWS_TAGS_MAX);
        else
            b->tags[b->tag_count++] = carnet_arena_dup(&rows->arena, carnet_buf_slice(&rows->value));
    }
}

static bool purpose_of(struct carnet_rows *rows, const json_t *object, struct carnet_slice *out)
{
    const json_t *name = json_object_get(object, "purpose");
    const struct carnet_purpose_def *def = json_is_string(name) ? carnet_purpose_find(rows->charter, text_of(name)) : NULL;
    if (!json_is_string(name))
        NOT_OURS(rows);
    else if (!def && json_string_length(name) <= CARNET_LABEL_LEN_MAX)
        note_name(rows, json_string_value(name), false);
    *out = def ? carnet_arena_dup(&rows->arena, carnet_slice_str(def->name)) : CARNET_SLICE_NONE;
    return def != NULL;
}

static void take_grants(struct carnet_rows *rows, json_t *grants)
{
    struct carnet_rows_json *j = rows->json;
    json_t *grant;
    size_t i;
    if (grants && !json_is_array(grants))
        NOT_OURS(rows);
    json_array_foreach(grants, i, grant) {
        struct carnet_rows_claim claim = { .basis = CARNET_BASIS_CONSENT };
        if (!HAS_ONLY(rows, grant, "purpose", "version", "basis", "proof", "since", "until", "evidence"))
            return;
        const json_t *proof = json_object_get(grant, "proof"), *version = json_object_get(grant, "version");
        uint8_t bytes[8] = { 0 };
        if (version && !carnet_unhex(text_of(version), bytes, sizeof bytes))
            NOT_OURS(rows);
        for (size_t k = 0; k < sizeof bytes; k++)
            claim.version = claim.version << 8 | bytes[k];
        if (!carnet_basis_find(text_of(json_object_get(grant, "basis")), &claim.basis) ||
            (proof && !is(proof, "paper") && !is(proof, "double-opt-in") && !is(proof, "inbound")))
            NOT_OURS(rows);
        claim.proof = keep(rows, proof);
        claim.since_ms = time_of(rows, json_object_get(grant, "since"));
        claim.until_ms = time_of(rows, json_object_get(grant, "until"));
        claim.evidence = prose_of(rows, json_object_get(grant, "evidence"));
        if (!purpose_of(rows, grant, &claim.purpose))
            continue;
        if (j->more.grant_count == CLAIMS_MAX)
            carnet_rows_refuse(rows, CARNET_LIMIT, "more than %d purposes", CLAIMS_MAX);
        else
            j->grants[j->more.grant_count++] = claim;
    }
}

static void take_refusals(struct carnet_rows *rows, json_t *refusals)
{
    struct carnet_rows_build *b = &rows->build;
    json_t *refusal;
    size_t i;
    if (refusals && !json_is_array(refusals))
        NOT_OURS(rows);
    json_array_foreach(refusals, i, refusal) {
        struct carnet_slice purpose;
        if (!HAS_ONLY(rows, refusal, "purpose", "kind", "at"))
            return;
        bool withdrawal = is(json_object_get(refusal, "kind"), "withdrawn");
        if (!withdrawal && !is(json_object_get(refusal, "kind"), "objected"))
            NOT_OURS(rows);
        int64_t at_ms = time_of(rows, json_object_get(refusal, "at"));
        if (!purpose_of(rows, refusal, &purpose))
            continue;
        if (b->objection_count == REFUSALS_MAX)
            carnet_rows_refuse(rows, CARNET_LIMIT, "more than %d purposes", REFUSALS_MAX);
        else
            b->objections[b->objection_count++] = (struct carnet_rows_consent){ .purpose = purpose, .column = carnet_slice_str("refusals"), .at_ms = at_ms,
                                                                                .withdrawal = withdrawal };
    }
}

static void take_notes(struct carnet_rows *rows, json_t *notes)
{
    struct carnet_rows_json *j = rows->json;
    json_t *note;
    size_t i;
    if (notes && !json_is_array(notes))
        NOT_OURS(rows);
    if (json_array_size(notes) > NOTES_MAX)
        carnet_rows_refuse(rows, CARNET_LIMIT, "more than %d notes", NOTES_MAX);
    if (rows->why.rc != CARNET_OK || !json_array_size(notes))
        return;
    j->notes = carnet_arena_alloc(&rows->arena, json_array_size(notes) * sizeof *j->notes);
    json_array_foreach(notes, i, note) {
        if (!HAS_ONLY(rows, note, "id", "kind", "at", "text"))
            return;
        bool visit = is(json_object_get(note, "kind"), "visit");
        if (!visit && !is(json_object_get(note, "kind"), "note"))
            NOT_OURS(rows);
        struct carnet_slice text = prose_of(rows, json_object_get(note, "text"));
        (void)time_of(rows, json_object_get(note, "at"));
        if (!text.len)
            NOT_OURS(rows);
        j->notes[j->more.note_count++] = (struct carnet_rows_note){ visit ? CARNET_KIND_VISIT : CARNET_KIND_NOTE, text };
    }
}

static void take_merged(struct carnet_rows *rows, json_t *merged)
{
    const struct carnet_field_def *def = carnet_field_by_number(rows->charter, CARNET_FIELD_SOURCE_ID);
    uint8_t bytes[16];
    json_t *id;
    size_t i;
    if (merged && !json_is_array(merged))
        NOT_OURS(rows);
    json_array_foreach(merged, i, id) {
        char label[32];
        if (!json_is_string(id) || !carnet_unhex(text_of(id), bytes, sizeof bytes) || i >= CARNET_ROWS_CELLS_MAX) {
            NOT_OURS(rows);
            return;
        }
        snprintf(label, sizeof label, "carnet %zu", i + 2);
        carnet_rows_take_exact(rows, def, carnet_slice_str(label), text_of(id));
    }
}

static void take_contact(struct carnet_rows *rows, json_t *line)
{
    struct carnet_rows_json *j = rows->json;
    if (!HAS_ONLY(rows, line, "id", "book", "created", "changed", "merged", "source_ids", "fields", "conflicts", "tags", "grants", "refusals", "notes", "carnet_line", "carnet_reason"))
        return;
    rows->build.any = true;
    take_id(rows, json_object_get(line, "id"));
    take_merged(rows, json_object_get(line, "merged"));
    take_source_ids(rows, json_object_get(line, "source_ids"));
    take_fields(rows, json_object_get(line, "fields"));
    take_conflicts(rows, json_object_get(line, "conflicts"));
    take_tags(rows, json_object_get(line, "tags"));
    take_grants(rows, json_object_get(line, "grants"));
    take_refusals(rows, json_object_get(line, "refusals"));
    take_notes(rows, json_object_get(line, "notes"));
    j->more.grants = j->grants;
    j->more.others = j->others;
    j->more.notes = j->notes;
}

/* --- lines --- */

static struct carnet_slice without_end(struct carnet_slice line)
{
    while (line.len && line.ptr[line.len - 1] <= ' ')
        line.len--;
    return line;
}

static json_t *parse(struct carnet_slice line)
{
    return json_loadb((const char *)line.ptr, line.len, JSON_REJECT_DUPLICATES, NULL);
}

static bool field_text(struct carnet_rows *rows, const json_t *value, struct carnet_slice *out)
{
    *out = carnet_arena_dup(&rows->kept_arena, text_of(value));
    return out->len != 0;
}

/* false: not as an export writes them. */
static bool take_own_fields(struct carnet_rows *rows, json_t *fields)
{
    struct carnet_rows_json *j = rows->json;
    json_t *field, *choice;
    size_t i, k;
    if (!fields)
        return true;
    if (!json_is_array(fields))
        return false;
    j->fields = carnet_arena_alloc(&rows->kept_arena, (json_array_size(fields) + 1) * sizeof *j->fields);
    json_array_foreach(fields, i, field) {
        struct carnet_rows_field *out = &j->fields[i];
        json_t *choices = json_object_get(field, "choices");
        *out = (struct carnet_rows_field){ 0 };
        if (!field_text(rows, json_object_get(field, "name"), &out->name) || !field_text(rows, json_object_get(field, "type"), &out->type) ||
            !field_text(rows, json_object_get(field, "scope"), &out->scope) || (choices && !json_is_array(choices)))
            return false;
        struct carnet_slice *texts = carnet_arena_alloc(&rows->kept_arena, (json_array_size(choices) + 1) * sizeof *texts);
        json_array_foreach(choices, k, choice)
            if (!field_text(rows, choice, &texts[k]))
                return false;
        out->choices = texts;
        out->choice_count = json_array_size(choices);
        j->field_count++;
    }
    return true;
}

bool carnet_rows_own_field(const struct carnet_rows *rows, size_t i, struct carnet_rows_field *out)
{
    if (!rows->json || i >= rows->json->field_count)
        return false;
    *out = rows->json->fields[i];
    return true;
}

carnet_rc carnet_rows_json_open(struct carnet_rows *rows, struct carnet_err *err)
{
    struct carnet_rows_json *j = rows->json = carnet_alloc(sizeof *j);
    struct carnet_slice line;
    carnet_buf_init(&j->header, CARNET_LINE_LEN_MAX);
    carnet_source_mark(&rows->source);
    enum carnet_source_line got = carnet_source_next(&rows->source, &line);
    json_t *head = got == CARNET_SOURCE_LINE ? parse(without_end(line)) : NULL;
    bool ours = is(json_object_get(head, "carnet"), "export");
    json_int_t version = json_integer_value(json_object_get(head, "version"));
    j->missed = json_is_true(json_object_get(head, "rejected")); /* a file of rejected rows has no last line */
    bool sound = version != 1 || take_own_fields(rows, json_object_get(head, "custom_fields"));
    json_decref(head);
    if (!ours || version < 1 || !sound) {
        carnet_err_set(err, CARNET_MALFORMED, "not a file of Carnet's own JSON");
        carnet_err_hint(err, "its first line is {\"carnet\":\"export\",\"version\":1,...}: `carnet export FILE.json` writes it");
        return CARNET_MALFORMED;
    }
    if (version > 1)
        return carnet_err_set(err, CARNET_MALFORMED, "the file was written by a newer version of Carnet");
    carnet_buf_append_slice(&j->header, without_end(line));
    return CARNET_OK;
}

carnet_rc carnet_rows_json_next(struct carnet_rows *rows)
{
    struct carnet_rows_json *j = rows->json;
    struct carnet_slice line;
    j->more = (struct carnet_rows_more){ 0 };
    carnet_source_mark(&rows->source);
    rows->line = rows->source.line;
    switch (carnet_source_next(&rows->source, &line)) {
    case CARNET_SOURCE_FAILED: return CARNET_FAILED;
    case CARNET_SOURCE_END:
        if (j->ended || j->missed)
            return CARNET_NOT_FOUND;
        j->missed = true;
        carnet_rows_refuse(rows, CARNET_MALFORMED, "the file was cut short: its last line is missing");
        return CARNET_OK;
    case CARNET_SOURCE_TOO_LONG: carnet_rows_refuse(rows, CARNET_LIMIT, "longer than %d KiB", CARNET_LINE_LEN_MAX / 1024); return CARNET_OK;
    case CARNET_SOURCE_LINE: break;
    }
    line = without_end(line);
    if (!line.len)
        return CARNET_OK;
    rows->record = line;
    json_t *object = parse(line);
    if (json_object_get(object, "carnet")) {
        bool end = is(json_object_get(object, "carnet"), "end") && !j->ended;
        j->ended = j->ended || end;
        if (!end)
            NOT_OURS(rows);
        rows->record = CARNET_SLICE_NONE;
    } else if (!object || j->ended) {
        NOT_OURS(rows);
    } else {
        take_contact(rows, object);
    }
    json_decref(object);
    return CARNET_OK;
}

const struct carnet_rows_more *carnet_rows_json_more(struct carnet_rows *rows)
{
    return &rows->json->more;
}

/* The line as it was, its number and the reason in front. */
void carnet_rows_json_put_reject(struct carnet_rows *rows, const struct carnet_row *row, bool header, struct carnet_buf *out)
{
    struct carnet_slice head = carnet_buf_slice(&rows->json->header), line = rows->record;
    if (header) {
        carnet_buf_append_str(out, "{\"carnet\":\"export\",\"rejected\":true");
        if (head.len > 18 && head.ptr[18] == ',' && !memmem(head.ptr, head.len, "\"rejected\":true", 15))
            carnet_buf_append(out, head.ptr + 18, head.len - 18);
        else
            carnet_buf_append_str(out, ",\"version\":1}");
        carnet_buf_append_byte(out, '\n');
    }
    json_t *reason = json_string(row->reason ? row->reason : "");
    char *text = json_dumps(reason, JSON_ENCODE_ANY);
    if (line.len && line.ptr[0] == '{' && !memmem(line.ptr, line.len, "\"carnet_line\":", 14)) {
        carnet_buf_printf(out, "{\"carnet_line\":%llu,\"carnet_reason\":", (unsigned long long)row->line);
        carnet_buf_append_str(out, text ? text : "\"\"");
        carnet_buf_append_byte(out, ',');
        line = carnet_slice(line.ptr + 1, line.len - 1);
    }
    free(text);
    json_decref(reason);
    carnet_buf_append_slice(out, line);
    if (line.len)
        carnet_buf_append_byte(out, '\n');
}

void carnet_rows_json_close(struct carnet_rows *rows)
{
    if (!rows->json)
        return;
    carnet_buf_deinit(&rows->json->header);
    free(rows->json);
    rows->json = NULL;
}
