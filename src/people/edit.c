// SPDX-License-Identifier: EUPL-1.2
#include "carnet/people/people.h"

#include "carnet/people/values.h"

#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

carnet_rc carnet_assign_parse(struct carnet_slice text, struct carnet_assign *out, struct carnet_err *err)
{
    const uint8_t *equal = text.len ? memchr(text.ptr, '=', text.len) : NULL;
    if (!equal || equal == text.ptr) {
        carnet_err_set(err, CARNET_USAGE, "\"%.*s\" is not FIELD=VALUE", (int)(text.len > 80 ? 80 : text.len), (const char *)text.ptr);
        carnet_err_hint(err, "for example given=Zoé; `carnet help add` lists the fields");
        return CARNET_USAGE;
    }
    size_t len = (size_t)(equal - text.ptr);
    out->name = carnet_slice(text.ptr, len);
    out->value = carnet_slice(equal + 1, text.len - len - 1);
    return CARNET_OK;
}

static carnet_rc field_of(const struct carnet_charter *charter, struct carnet_slice name, const struct carnet_field_def **def, struct carnet_slice *label, struct carnet_err *err)
{
    carnet_rc rc = carnet_field_parse(charter, name, def, label);
    int shown = (int)(name.len > 80 ? 80 : name.len);
    if (rc == CARNET_USAGE)
        return carnet_err_set(err, CARNET_USAGE, "\"%.*s\": a label has 1 to 64 bytes", shown, (const char *)name.ptr);
    if (rc) {
        carnet_err_set(err, CARNET_USAGE, "there is no field \"%.*s\"", shown, (const char *)name.ptr);
        carnet_err_hint(err, "`carnet help add` lists the fields");
        return CARNET_USAGE;
    }
    return CARNET_OK;
}

carnet_rc carnet_people_cells(const struct carnet_charter *charter, const struct carnet_assign *fields, size_t count, struct carnet_arena *arena, struct carnet_write_cell **out,
                              struct carnet_err *err)
{
    struct carnet_write_cell *cells = carnet_arena_alloc(arena, (count ? count : 1) * sizeof *cells);
    struct carnet_buf value;
    carnet_rc rc = CARNET_OK;
    struct carnet_value_rules rules = carnet_value_rules_default();
    if (charter)
        memcpy(rules.country, charter->country, sizeof rules.country);
    carnet_buf_init(&value, CARNET_VALUE_LEN_MAX);
    for (size_t i = 0; i < count && !rc; i++) {
        const struct carnet_field_def *def;
        struct carnet_slice label;
        rc = field_of(charter, fields[i].name, &def, &label, err);
        if (rc)
            break;
        carnet_buf_clear(&value);
        if (fields[i].value.len)
            rc = carnet_value_normalise(def, fields[i].value, &rules, &value, err);
        if (rc == CARNET_LIMIT)
            rc = err->rc = CARNET_USAGE; /* a word of the command line, not a limit of this machine */
        if (rc)
            break;
        cells[i] = (struct carnet_write_cell){ .field = def->field, .label = label, .value = carnet_arena_dup(arena, carnet_buf_slice(&value)) };
        for (size_t j = 0; j < i; j++)
            if (cells[j].field == cells[i].field && carnet_slice_equal(cells[j].label, label))
                rc = carnet_err_set(err, CARNET_USAGE, "the field \"%.*s\" is given twice", (int)fields[i].name.len, (const char *)fields[i].name.ptr);
    }
    carnet_buf_deinit(&value);
    *out = cells;
    return rc;
}

/* Values and lines of the evidence: one "key: text" a line, so a line break inside becomes a space. */
static void evidence_line(struct carnet_buf *out, const char *key, struct carnet_slice text)
{
    if (!text.len)
        return;
    if (out->len)
        carnet_buf_append_byte(out, '\n');
    carnet_buf_append_str(out, key);
    carnet_buf_append_str(out, ": ");
    size_t start = out->len;
    carnet_buf_append_slice(out, text);
    for (size_t i = start; i < out->len; i++)
        if (out->ptr[i] == '\n' || out->ptr[i] == '\r')
            out->ptr[i] = ' ';
}

static void evidence_time(struct carnet_buf *out, const char *key, int64_t ms)
{
    struct carnet_buf text;
    if (!ms)
        return;
    carnet_buf_init(&text, 64);
    carnet_time_format(ms, &text);
    evidence_line(out, key, carnet_buf_slice(&text));
    carnet_buf_deinit(&text);
}

static bool read_version(struct carnet_slice text, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        unsigned digit = c >= '0' && c <= '9' ? c - 0u - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10u : 16;
        if (digit == 16)
            return false;
        *out = *out << 4 | digit;
    }
    return text.len == 16;
}

/* The wording that a grant of the purpose rests on; *out NULL: none is known. */
static carnet_rc wording_of(const struct carnet_charter *charter, const struct carnet_ground *ground, struct carnet_slice purpose, const struct carnet_wording **out,
                            struct carnet_err *err)
{
    uint64_t version;
    size_t count = 0;
    *out = NULL;
    if (ground->wording.len) {
        *out = read_version(ground->wording, &version) ? carnet_wording_version(charter, version) : carnet_wording_find(charter, purpose, ground->wording);
        if (*out && carnet_slice_equal(purpose, carnet_slice_str((*out)->purpose)))
            return CARNET_OK;
        carnet_err_set(err, CARNET_USAGE, "the charter has no wording \"%.*s\" of \"%.*s\"", (int)(ground->wording.len > 40 ? 40 : ground->wording.len),
                       (const char *)ground->wording.ptr, (int)(purpose.len > 40 ? 40 : purpose.len), (const char *)purpose.ptr);
        carnet_err_hint(err, "a language, or the version that `carnet charter show` gives");
        return CARNET_USAGE;
    }
    if (ground->no_wording)
        return CARNET_OK;
    *out = carnet_wording_find(charter, purpose, carnet_slice_str(err && err->lang == CARNET_LANG_FR ? "fr" : "en"));
    if (*out)
        return CARNET_OK;
    for (size_t i = 0; charter && i < charter->wording_count; i++) {
        if (!carnet_slice_equal(purpose, carnet_slice_str(charter->wordings[i]->purpose)))
            continue;
        *out = charter->wordings[i];
        count++;
    }
    if (count != 1)
        *out = NULL;
    return CARNET_OK;
}

bool carnet_people_has_wording(const struct carnet_charter *charter, const struct carnet_ground *ground, struct carnet_slice purpose)
{
    const struct carnet_wording *wording;
    return ground->wording.len && wording_of(charter, ground, purpose, &wording, NULL) == CARNET_OK;
}

carnet_rc carnet_people_evidence(const struct carnet_charter *charter, const struct carnet_ground *ground, const struct carnet_slice *purposes, size_t purpose_count,
                                 struct carnet_slice more, struct carnet_buf *out, struct carnet_err *err)
{
    struct carnet_buf text;
    carnet_rc rc = CARNET_OK;
    carnet_buf_init(&text, 4096);
    const struct {
        const char *key;
        struct carnet_slice value;
    } lines[] = { { "source", ground->source },   { "proof", ground->proof },       { "more", more },           { "channel", ground->channel },
                  { "method", ground->method },   { "direct", ground->direct },     { "age_band", ground->age_band }, { "form", ground->form },
                  { "scan", ground->scan },       { "message", ground->message } };
    if (ground->direct.len && !carnet_slice_equal(ground->direct, carnet_slice_str("yes")) && !carnet_slice_equal(ground->direct, carnet_slice_str("no")))
        rc = carnet_err_set(err, CARNET_USAGE, "--direct is yes or no: whether the person gave it");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0] && !rc; i++) {
        carnet_buf_clear(&text);
        rc = carnet_text_normalise(lines[i].value, &text);
        if (rc)
            rc = carnet_err_set(err, CARNET_USAGE, "the text of the %s is not UTF-8 or is too long", lines[i].key);
        else
            evidence_line(out, lines[i].key, carnet_buf_slice(&text));
    }
    for (size_t i = 0; i < purpose_count && !rc; i++) {
        const struct carnet_wording *wording;
        char key[16 + CARNET_LABEL_LEN_MAX];
        rc = wording_of(charter, ground, purposes[i], &wording, err);
        if (rc || !wording)
            continue;
        carnet_buf_clear(&text);
        carnet_buf_printf(&text, "%016llx %s", (unsigned long long)wording->version, wording->lang);
        snprintf(key, sizeof key, "wording/%s", wording->purpose);
        evidence_line(out, key, carnet_buf_slice(&text));
    }
    if (!rc) {
        evidence_time(out, "collected", ground->collected_ms);
        evidence_time(out, "optin_sent", ground->sent_ms);
        evidence_time(out, "optin_clicked", ground->clicked_ms);
    }
    if (!rc && out->failed)
        rc = carnet_err_set(err, CARNET_LIMIT, "the text of the %s is not UTF-8 or is too long", "source");
    carnet_buf_deinit(&text);
    return rc;
}

/* A grant rests on a basis that its purpose knows. */
static carnet_rc check_basis(const struct carnet_purpose_def *def, enum carnet_basis basis, struct carnet_err *err)
{
    struct carnet_buf all;
    if (!def->bases || def->bases >> basis & 1)
        return CARNET_OK;
    carnet_buf_init(&all, 180);
    for (unsigned i = CARNET_BASIS_CONSENT; i <= CARNET_BASIS_ROLL; i++)
        if (def->bases >> i & 1)
            carnet_buf_printf(&all, "%s%s", all.len ? ", " : "", carnet_basis_name((enum carnet_basis)i));
    carnet_err_set(err, CARNET_REFUSED, "the charter does not allow \"%s\" on the basis %s", def->name, carnet_basis_name(basis));
    carnet_err_hint(err, "--basis: %s", carnet_buf_cstr(&all));
    carnet_buf_deinit(&all);
    return CARNET_REFUSED;
}

struct carnet_slice carnet_people_evidence_line(struct carnet_slice evidence, const char *key)
{
    size_t key_len = strlen(key);
    for (size_t at = 0; at < evidence.len;) {
        const uint8_t *line = evidence.ptr + at;
        const uint8_t *end = memchr(line, '\n', evidence.len - at);
        size_t len = end ? (size_t)(end - line) : evidence.len - at;
        if (len >= key_len + 2 && memcmp(line, key, key_len) == 0 && line[key_len] == ':')
            return carnet_slice(line + key_len + 2, len - key_len - 2);
        at += len + 1;
    }
    return CARNET_SLICE_NONE;
}

carnet_rc carnet_people_purpose(const struct carnet_charter *charter, struct carnet_slice name, const struct carnet_purpose_def **out, struct carnet_err *err)
{
    *out = carnet_purpose_find(charter, name);
    if (*out)
        return CARNET_OK;
    struct carnet_buf all;
    carnet_buf_init(&all, 256);
    const struct carnet_purpose_def *purpose;
    for (size_t i = 0; (purpose = carnet_purpose_at(charter, i)); i++)
        if (!purpose->retired)
            carnet_buf_printf(&all, "%s%s", all.len ? " " : "", purpose->name);
    carnet_err_set(err, CARNET_USAGE, "there is no purpose \"%.*s\"", (int)(name.len > 80 ? 80 : name.len), (const char *)name.ptr);
    carnet_err_hint(err, "purposes: %s", carnet_buf_cstr(&all));
    carnet_buf_deinit(&all);
    return CARNET_USAGE;
}

carnet_rc carnet_people_grantable(const struct carnet_charter *charter, struct carnet_slice name, enum carnet_basis basis, const struct carnet_purpose_def **out,
                                  struct carnet_err *err)
{
    carnet_rc rc = carnet_people_purpose(charter, name, out, err);
    if (rc || !(*out)->retired)
        return rc ? rc : check_basis(*out, basis, err);
    carnet_err_set(err, CARNET_REFUSED, "the purpose \"%s\" is retired: nobody can agree to it any more", (*out)->name);
    carnet_err_hint(err, "`carnet charter show` lists the purposes");
    return CARNET_REFUSED;
}

carnet_rc carnet_people_add(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_assign *fields, size_t field_count,
                            const struct carnet_slice *grants, size_t grant_count, const struct carnet_ground *ground, struct carnet_id *out,
                            struct carnet_err *err)
{
    static const struct carnet_slice file = { (const uint8_t *)"file", 4 };
    struct carnet_arena arena;
    struct carnet_buf evidence;
    struct carnet_write_cell *cells = NULL;
    carnet_rc rc = CARNET_OK;
    carnet_arena_init(&arena);
    carnet_buf_init(&evidence, CARNET_VALUE_LEN_MAX);
    if (!grant_count) {
        grants = &file;
        grant_count = 1;
    }
    if (!ground->source.len) {
        rc = carnet_err_set(err, CARNET_USAGE, "a contact needs --source: where this comes from");
        goto out;
    }
    if (!field_count) {
        rc = carnet_err_set(err, CARNET_USAGE, "a contact needs at least one field");
        goto out;
    }
    rc = carnet_people_cells(carnet_replica_charter(replica), fields, field_count, &arena, &cells, err);
    size_t filled = 0;
    for (size_t i = 0; i < field_count && !rc; i++)
        filled += cells[i].value.len > 0;
    if (!rc && !filled)
        rc = carnet_err_set(err, CARNET_USAGE, "a contact needs at least one field");
    if (!rc)
        rc = carnet_people_evidence(carnet_replica_charter(replica), ground, grants, grant_count, CARNET_SLICE_NONE, &evidence, err);
    if (rc)
        goto out;
    struct carnet_event *events = carnet_arena_alloc(&arena, grant_count * sizeof *events);
    for (size_t i = 0; i < grant_count; i++) {
        const struct carnet_purpose_def *purpose;
        rc = carnet_people_grantable(carnet_replica_charter(replica), grants[i], ground->basis, &purpose, err);
        if (rc)
            goto out;
        events[i] = (struct carnet_event){ .type = CARNET_EVENT_GRANT, .purpose = carnet_slice_str(purpose->name), .version = purpose->version, .basis = ground->basis,
                                           .proof = ground->proof.len ? CARNET_PROOF_PAPER : CARNET_PROOF_NONE,
                                           .since_ms = ground->collected_ms ? ground->collected_ms : carnet_replica_wall_ms(replica),
                                           .until_ms = ground->until_ms };
    }
    rc = carnet_people_addresses_check(replica, cells, field_count, events, grant_count, err);
    if (rc)
        goto out;
    struct carnet_write_cell *all = carnet_arena_alloc(&arena, (field_count + 1) * sizeof *all);
    memcpy(all, cells, field_count * sizeof *all);
    all[field_count] = (struct carnet_write_cell){ .field = CARNET_FIELD_EVIDENCE, .label = events[0].purpose, .value = carnet_buf_slice(&evidence) };
    struct carnet_id id = carnet_replica_new_id(replica);
    struct carnet_write write = { .book = *book, .record = id, .subject = id, .kind = CARNET_KIND_CONTACT, .cells = all, .cell_count = field_count + 1,
                                  .events = events, .event_count = grant_count, .fresh = true };
    rc = carnet_replica_write(replica, &write, 1, false, NULL, err);
    *out = id;
out:
    carnet_buf_deinit(&evidence);
    carnet_arena_deinit(&arena);
    return rc;
}

static carnet_rc contact_only(const struct carnet_view *view, struct carnet_err *err)
{
    if (view->record.kind == CARNET_KIND_CONTACT)
        return CARNET_OK;
    return carnet_err_set(err, CARNET_USAGE, "this is not a contact but another record");
}

carnet_rc carnet_people_edit(struct carnet_replica *replica, const struct carnet_view *view, const struct carnet_assign *fields, size_t count, bool rectify,
                             struct carnet_write_result *result, struct carnet_err *err)
{
    struct carnet_arena arena;
    struct carnet_write_cell *cells = NULL;
    carnet_arena_init(&arena);
    carnet_rc rc = contact_only(view, err);
    if (!rc && !count)
        rc = carnet_err_set(err, CARNET_USAGE, "nothing to change: give FIELD=VALUE");
    if (!rc)
        rc = carnet_people_cells(carnet_replica_charter(replica), fields, count, &arena, &cells, err);
    if (!rc)
        rc = carnet_people_addresses_check(replica, cells, count, NULL, 0, err);
    if (!rc) {
        struct carnet_spread spread;
        carnet_spread_init(&spread, view, count, &arena);
        for (size_t i = 0; i < count; i++)
            carnet_people_spread(carnet_replica_charter(replica), &spread, &cells[i]);
        rc = carnet_spread_write(replica, &spread, rectify, result, err);
    }
    carnet_arena_deinit(&arena);
    return rc;
}

carnet_rc carnet_people_tag(struct carnet_replica *replica, const struct carnet_view *view, const struct carnet_slice *words, size_t count, struct carnet_err *err)
{
    struct carnet_arena arena;
    struct carnet_buf text;
    carnet_rc rc = contact_only(view, err);
    if (!rc && !count)
        rc = carnet_err_set(err, CARNET_USAGE, "no tag: give +TAG to set one, -TAG to remove it");
    carnet_arena_init(&arena);
    carnet_buf_init(&text, CARNET_VALUE_LEN_MAX);
    struct carnet_write_cell *cells = carnet_arena_alloc(&arena, (count ? count : 1) * sizeof *cells);
    for (size_t i = 0; i < count && !rc; i++) {
        bool on = words[i].len > 1 && words[i].ptr[0] == '+';
        carnet_buf_clear(&text);
        if (words[i].len < 2 || (!on && words[i].ptr[0] != '-') ||
            carnet_value_label(carnet_slice(words[i].ptr + 1, words[i].len - 1), &text, NULL)) {
            carnet_err_set(err, CARNET_USAGE, "\"%.*s\" is not +TAG or -TAG of at most 64 bytes", (int)(words[i].len > 80 ? 80 : words[i].len),
                           (const char *)words[i].ptr);
            rc = CARNET_USAGE;
        }
        cells[i] = (struct carnet_write_cell){ .field = CARNET_FIELD_TAG, .label = carnet_arena_dup(&arena, carnet_buf_slice(&text)),
                                               .value = on ? carnet_slice_str("1") : CARNET_SLICE_NONE };
        for (size_t j = 0; j < i && !rc; j++)
            if (carnet_slice_equal(cells[j].label, cells[i].label))
                rc = carnet_err_set(err, CARNET_USAGE, "the tag \"%.*s\" is given twice", (int)cells[i].label.len, (const char *)cells[i].label.ptr);
    }
    if (!rc) {
        struct carnet_spread spread;
        carnet_spread_init(&spread, view, count, &arena);
        for (size_t i = 0; i < count; i++)
            carnet_people_spread(carnet_replica_charter(replica), &spread, &cells[i]);
        rc = carnet_spread_write(replica, &spread, false, NULL, err);
    }
    carnet_buf_deinit(&text);
    carnet_arena_deinit(&arena);
    return rc;
}

carnet_rc carnet_people_note(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice text, struct carnet_id *out, struct carnet_err *err)
{
    struct carnet_buf value;
    carnet_buf_init(&value, CARNET_VALUE_LEN_MAX);
    carnet_rc rc = contact_only(view, err);
    if (!rc && carnet_text_normalise(text, &value))
        rc = carnet_err_set(err, CARNET_USAGE, "the note is not UTF-8 text of at most %d bytes", CARNET_VALUE_LEN_MAX);
    else if (!rc && !value.len)
        rc = carnet_err_set(err, CARNET_USAGE, "the note is empty");
    if (!rc) {
        struct carnet_write_cell cell = { .field = CARNET_FIELD_TEXT, .value = carnet_buf_slice(&value) };
        *out = carnet_replica_new_id(replica);
        struct carnet_write write = { .book = view->book, .record = *out, .subject = view->records[carnet_people_record_for(view, CARNET_SCOPE_NOTES)].record->id, .kind = CARNET_KIND_NOTE, .cells = &cell, .cell_count = 1,
                                      .fresh = true };
        rc = carnet_replica_write(replica, &write, 1, false, NULL, err);
    }
    carnet_buf_deinit(&value);
    return rc;
}

carnet_rc carnet_people_erase(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice reason, struct carnet_err *err)
{
    /* The reason is about the person too, so it is not kept in the log: only that an erasure was asked for, by whom and when. */
    (void)reason;
    struct carnet_event event = { .type = CARNET_EVENT_ERASE };
    struct carnet_arena arena;
    struct carnet_id *ids;
    size_t count, left = 0;
    if (carnet_id_is_zero(&view->record.subject) || !carnet_id_equal(&view->record.subject, &view->id))
        return carnet_err_set(err, CARNET_USAGE, "only a contact can be erased, with all that is about them");
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_replica_connected(replica, view->n, &arena, &ids, &count, err); /* every record of the person, whichever was named */
    struct carnet_write *writes = carnet_arena_alloc(&arena, (count + 1) * sizeof *writes);
    for (size_t i = 0; !rc && i < count; i++) {
        struct carnet_record_row row;
        rc = carnet_store_record_get(carnet_replica_store(replica), &view->book, &ids[i], &row, err);
        if (!rc && !(row.flags & CARNET_RECORD_ERASED))
            writes[left++] = (struct carnet_write){ .book = view->book, .record = ids[i], .subject = ids[i], .kind = CARNET_KIND_CONTACT, .events = &event, .event_count = 1 };
    }
    if (!rc)
        rc = carnet_replica_write(replica, writes, left, false, NULL, err);
    carnet_arena_deinit(&arena);
    return rc;
}
