// SPDX-License-Identifier: EUPL-1.2
/* All that is known of a person, for them: JSON for programs, a letter to read. */
#include "law_parts.h"

#include "carnet/replica/audit.h"

#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct access {
    struct carnet_replica *replica;
    enum carnet_lang lang;
    const struct carnet_charter *charter;
    struct carnet_arena *arena; /* of the views and the history */
    struct carnet_err *err;
    carnet_rc rc;
    json_t *records, *fields, *tags, *sources, *notes, *events, *evidence, *history, *messages;
    struct carnet_buf about, marks, noted, said, former, sent; /* sections of the letter */
    uint32_t unreadable, dark, blocked;
    size_t exports;
    int64_t exported_ms;
};

/* --- pieces --- */

static void line_put(struct carnet_buf *out, struct carnet_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        carnet_buf_append_byte(out, text.ptr[i] == '\n' || text.ptr[i] == '\r' ? ' ' : text.ptr[i]);
}

static void by_put(struct access *a, const struct carnet_dot *dot, uint64_t hlc, struct carnet_buf *out)
{
    struct carnet_buf by, date;
    carnet_buf_init(&by, 512);
    carnet_buf_init(&date, 64);
    carnet_people_by(a->replica, dot, &by);
    carnet_words_date(a->lang, carnet_hlc_ms(hlc), &date);
    carnet_words_put(out, a->lang, _("written on %s by %s"), carnet_buf_cstr(&date), carnet_buf_cstr(&by));
    carnet_buf_deinit(&date);
    carnet_buf_deinit(&by);
}

static json_t *by_json(struct access *a, const struct carnet_dot *dot)
{
    struct carnet_buf by;
    carnet_buf_init(&by, 512);
    carnet_people_by(a->replica, dot, &by);
    json_t *out = carnet_json_text(carnet_buf_slice(&by));
    carnet_buf_deinit(&by);
    return out;
}

/* The evidence written in the same change, that of the purpose before others; else in the same entry: where a value or an agreement comes from. */
static struct carnet_slice evidence_beside(const struct carnet_record *record, const struct carnet_dot *dot, struct carnet_slice purpose)
{
    struct carnet_slice near = CARNET_SLICE_NONE, beside = CARNET_SLICE_NONE;
    for (size_t i = 0; i < record->live_count; i++) {
        const struct carnet_sibling *s = &record->live[i];
        if (s->state != CARNET_SIBLING_VALUE || s->field != CARNET_FIELD_EVIDENCE || s->dot.author != dot->author || s->dot.stream != dot->stream || s->dot.seq != dot->seq ||
            carnet_slice_equal(s->label, carnet_slice_str(CARNET_LAW_ACCESS_LABEL)))
            continue;
        if (!carnet_people_same_change(&s->dot, dot))
            near = s->value;
        else if (!beside.len || carnet_slice_equal(s->label, purpose))
            beside = s->value;
    }
    return beside.len ? beside : near;
}

static const char *kind_name(enum carnet_kind kind)
{
    static const char *const names[] = { "record", "contact", "note", "visit", "event", "mailing", "delivery", "post" };
    return names[kind <= CARNET_KIND_POST ? kind : 0];
}

static json_t *value_json(struct access *a, const struct carnet_view *view, const struct carnet_sibling *s)
{
    json_t *object = json_object();
    json_object_set_new(object, "record", json_string(carnet_id_text(&view->id).s));
    struct carnet_buf name;
    carnet_buf_init(&name, 256);
    const struct carnet_field_def *def = carnet_field_by_number(a->charter, s->field);
    if (def)
        carnet_buf_append_str(&name, def->name);
    else
        carnet_buf_printf(&name, "%u", (unsigned)s->field);
    if (s->label.len)
        carnet_buf_printf(&name, "/%.*s", (int)s->label.len, (const char *)s->label.ptr);
    json_object_set_new(object, "field", carnet_json_text(carnet_buf_slice(&name)));
    carnet_buf_deinit(&name);
    json_object_set_new(object, "value", carnet_json_text(s->value));
    json_object_set_new(object, "scope", json_string(carnet_scope_name(s->scope)));
    json_object_set_new(object, "used", json_boolean(!(view->blocked >> s->scope & 1)));
    json_object_set_new(object, "at", carnet_json_time(carnet_hlc_ms(s->hlc)));
    json_object_set_new(object, "by", by_json(a, &s->dot));
    struct carnet_slice source = carnet_people_evidence_line(evidence_beside(&view->record, &s->dot, CARNET_SLICE_NONE), "source");
    json_object_set_new(object, "source", source.len ? carnet_json_text(source) : json_null());
    return object;
}

static void value_line(struct access *a, const struct carnet_view *view, const struct carnet_sibling *s, struct carnet_buf *out)
{
    struct carnet_slice source = carnet_people_evidence_line(evidence_beside(&view->record, &s->dot, CARNET_SLICE_NONE), "source");
    carnet_buf_append_str(out, "  ");
    if (s->field != CARNET_FIELD_TEXT) {
        carnet_words_field(a->lang, a->charter, s->field, s->label, out);
        carnet_buf_append_str(out, carnet_tr(a->lang, _(": ")));
    }
    line_put(out, s->value);
    carnet_buf_append_str(out, "\n      ");
    by_put(a, &s->dot, s->hlc, out);
    if (source.len) {
        carnet_buf_append_str(out, carnet_tr(a->lang, _("; where it comes from: ")));
        line_put(out, source);
    }
    if (view->blocked >> s->scope & 1)
        carnet_buf_append_str(out, carnet_tr(a->lang, _("; kept, used by nobody: no agreement of yours allows it now")));
    carnet_buf_append_byte(out, '\n');
}

static json_t *evidence_json(struct carnet_slice evidence)
{
    json_t *object = json_object();
    for (size_t at = 0; at < evidence.len;) {
        const uint8_t *line = evidence.ptr + at, *end = memchr(line, '\n', evidence.len - at);
        size_t len = end ? (size_t)(end - line) : evidence.len - at, key = 0;
        while (key + 1 < len && !(line[key] == ':' && line[key + 1] == ' '))
            key++;
        if (key + 1 < len) {
            char name[CARNET_LABEL_LEN_MAX + 1] = "";
            memcpy(name, line, key < CARNET_LABEL_LEN_MAX ? key : CARNET_LABEL_LEN_MAX);
            json_object_set_new(object, name, carnet_json_text(carnet_slice(line + key + 2, len - key - 2)));
        }
        at += len + 1;
    }
    return object;
}

/* --- one record --- */

static void add_cell(struct access *a, const struct carnet_view *view, const struct carnet_cell *cell)
{
    for (size_t i = 0; i < cell->count; i++) {
        const struct carnet_sibling *s = cell->siblings[i];
        if (!s->value.len)
            continue; /* emptied beside what others wrote */
        if (view->record.kind == CARNET_KIND_DELIVERY) {
            json_array_append_new(a->messages, value_json(a, view, s));
            value_line(a, view, s, &a->sent);
        } else if (view->record.kind != CARNET_KIND_CONTACT) {
            json_t *object = value_json(a, view, s);
            json_object_set_new(object, "kind", json_string(kind_name(view->record.kind)));
            json_array_append_new(a->notes, object);
            value_line(a, view, s, &a->noted);
        } else if (cell->field == CARNET_FIELD_TAG) {
            json_t *object = value_json(a, view, s);
            json_object_set_new(object, "tag", carnet_json_text(cell->label));
            json_array_append_new(a->tags, object);
            carnet_buf_append_str(&a->marks, "  ");
            line_put(&a->marks, cell->label);
            carnet_buf_append_str(&a->marks, " (");
            by_put(a, &s->dot, s->hlc, &a->marks);
            carnet_buf_append_str(&a->marks, ")\n");
            break; /* who else set it says nothing more */
        } else if (cell->field == CARNET_FIELD_SOURCE_ID) {
            json_array_append_new(a->sources, value_json(a, view, s));
        } else if (cell->field == CARNET_FIELD_EVIDENCE) {
            json_t *object = value_json(a, view, s);
            json_object_set_new(object, "purpose", carnet_json_text(cell->label));
            json_object_set_new(object, "says", evidence_json(s->value));
            json_array_append_new(a->evidence, object);
        } else {
            json_array_append_new(a->fields, value_json(a, view, s));
            value_line(a, view, s, &a->about);
        }
    }
}

/* The text that the person agreed to: its line in the evidence names the charter's. */
static const struct carnet_wording *wording_of(struct access *a, struct carnet_slice evidence, struct carnet_slice purpose)
{
    char key[16 + CARNET_LABEL_LEN_MAX], number[17] = "";
    snprintf(key, sizeof key, "wording/%.*s", (int)purpose.len, (const char *)purpose.ptr);
    struct carnet_slice line = carnet_people_evidence_line(evidence, key);
    if (line.len < 16)
        return NULL;
    memcpy(number, line.ptr, 16);
    return carnet_wording_version(a->charter, strtoull(number, NULL, 16));
}

static const char *event_name(enum carnet_event_type type, const char **said)
{
    static const struct {
        enum carnet_event_type type;
        const char *name, *said;
    } names[] = {
        { CARNET_EVENT_GRANT, "grant", _("you agreed to: ") },
        { CARNET_EVENT_COUNTERSIGN, "countersign", _("a second person confirmed an agreement of yours") },
        { CARNET_EVENT_WITHDRAW, "withdraw", _("you do not agree any more to: ") },
        { CARNET_EVENT_OBJECT, "object", _("you objected to: ") },
        { CARNET_EVENT_RESTRICT, "restrict", _("the use of your data was restricted") },
        { CARNET_EVENT_LIFT, "lift", _("a restriction was lifted") },
        { CARNET_EVENT_DARK, "dark", _("destroyed for good: ") },
        { CARNET_EVENT_ERASE, "erase", _("erased") },
        { CARNET_EVENT_EDGE, "merge", _("two records were taken to be yours, or told apart") },
        { CARNET_EVENT_RECTIFY, "rectify", _("a wrong value was corrected and destroyed") },
        { CARNET_EVENT_INFORM, "inform", _("you were told that we hold your data") },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].type == type) {
            *said = names[i].said;
            return names[i].name;
        }
    *said = NULL;
    return NULL;
}

static void add_event(struct access *a, const struct carnet_view *view, const struct carnet_event_item *item)
{
    struct carnet_event event;
    struct carnet_buf date, by;
    const char *said = NULL, *name;
    json_t *object = json_object();
    bool known = carnet_event_decode(item->raw, &event) == CARNET_OK && (name = event_name(event.type, &said)) != NULL;
    carnet_buf_init(&date, 64);
    carnet_buf_init(&by, 512);
    json_object_set_new(object, "record", json_string(carnet_id_text(&view->id).s));
    json_object_set_new(object, "event", json_string(known ? name : "unknown"));
    json_object_set_new(object, "at", carnet_json_time(carnet_hlc_ms(item->hlc)));
    json_object_set_new(object, "by", by_json(a, &item->dot));
    if (known && (event.purpose.len || event.type == CARNET_EVENT_OBJECT))
        json_object_set_new(object, "purpose", event.purpose.len ? carnet_json_text(event.purpose) : json_string("all"));
    if (known && event.type == CARNET_EVENT_DARK)
        json_object_set_new(object, "scope", json_string(carnet_scope_name(event.scope)));
    if (known && event.type == CARNET_EVENT_GRANT) {
        struct carnet_slice evidence = evidence_beside(&view->record, &item->dot, event.purpose);
        json_object_set_new(object, "basis", json_string(carnet_basis_name(event.basis)));
        json_object_set_new(object, "since", carnet_json_time(event.since_ms));
        json_object_set_new(object, "until", carnet_json_time(event.until_ms));
        json_object_set_new(object, "evidence", evidence_json(evidence));
        const struct carnet_wording *wording = wording_of(a, evidence, event.purpose);
        json_t *shown = wording ? json_object() : json_null();
        if (wording) {
            json_object_set_new(shown, "language", json_string(wording->lang));
            json_object_set_new(shown, "text", carnet_json_text(wording->text));
        }
        json_object_set_new(object, "wording", shown);
    }
    json_array_append_new(a->events, object);
    if (!said)
        goto out;
    carnet_words_date(a->lang, carnet_hlc_ms(item->hlc), &date);
    carnet_people_by(a->replica, &item->dot, &by);
    carnet_buf_printf(&a->said, "  %s  %s", carnet_buf_cstr(&date), carnet_tr(a->lang, said));
    if (event.type == CARNET_EVENT_OBJECT && !event.purpose.len) {
        carnet_buf_append_str(&a->said, carnet_tr(a->lang, _("every use")));
    } else if (event.purpose.len) {
        char purpose[CARNET_LABEL_LEN_MAX + 1] = "";
        memcpy(purpose, event.purpose.ptr, event.purpose.len);
        carnet_buf_append_str(&a->said, carnet_words_purpose(a->lang, purpose));
    } else if (event.type == CARNET_EVENT_DARK) {
        carnet_buf_append_str(&a->said, carnet_words_scope(a->lang, event.scope));
    }
    carnet_words_put(&a->said, a->lang, _(" (recorded by %s)\n"), carnet_buf_cstr(&by));
    if (event.type == CARNET_EVENT_GRANT) {
        struct carnet_slice evidence = evidence_beside(&view->record, &item->dot, event.purpose);
        carnet_words_put(&a->said, a->lang, _("      what allows it: %s\n"), carnet_words_basis(a->lang, event.basis));
        const struct {
            const char *key, *said;
        } lines[] = { { "source", _("      where it comes from: ") }, { "proof", _("      proof: ") }, { "collected", _("      collected: ") }, { "channel", _("      channel: ") },
                      { "method", _("      how: ") }, { "column", _("      column of the file: ") },
                      { "optin_time", _("      you subscribed on: ") }, { "optin_address", _("      from the network address: ") },
                      { "confirm_time", _("      you confirmed it on: ") }, { "confirm_address", _("      from the network address: ") }, { "more", _("      also: ") } };
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
            struct carnet_slice value = carnet_people_evidence_line(evidence, lines[i].key);
            if (!value.len)
                continue;
            carnet_buf_append_str(&a->said, carnet_tr(a->lang, lines[i].said));
            line_put(&a->said, value);
            carnet_buf_append_byte(&a->said, '\n');
        }
        const struct carnet_wording *wording = wording_of(a, evidence, event.purpose);
        if (wording) {
            carnet_buf_append_str(&a->said, carnet_tr(a->lang, _("      the text shown: ")));
            line_put(&a->said, wording->text);
            carnet_buf_append_byte(&a->said, '\n');
        }
    }
out:
    carnet_buf_deinit(&by);
    carnet_buf_deinit(&date);
}

static bool add_history(void *ctx, const struct carnet_history_item *item)
{
    struct access *a = ctx;
    if (item->event || item->field == CARNET_FIELD_EVIDENCE || item->field == CARNET_FIELD_SOURCE_ID)
        return true;
    struct carnet_buf name, date;
    carnet_buf_init(&name, 512);
    carnet_buf_init(&date, 64);
    const struct carnet_field_def *def = item->field ? carnet_field_by_number(a->charter, item->field) : NULL;
    json_t *object = json_object();
    json_object_set_new(object, "at", carnet_json_time(item->at_ms));
    json_object_set_new(object, "by", json_string(item->by));
    carnet_buf_append_str(&name, def ? def->name : "");
    if (item->label.len)
        carnet_buf_printf(&name, "/%.*s", (int)item->label.len, (const char *)item->label.ptr);
    json_object_set_new(object, "field", carnet_json_text(carnet_buf_slice(&name)));
    json_object_set_new(object, "old", item->old.len ? carnet_json_text(item->old) : json_null());
    json_object_set_new(object, "new", item->gone ? json_null() : carnet_json_text(item->value));
    json_object_set_new(object, "gone", json_boolean(item->gone));
    json_object_set_new(object, "void", json_boolean(item->voided));
    json_array_append_new(a->history, object);
    if (item->old.len && !carnet_slice_equal(item->old, item->value)) {
        carnet_words_date(a->lang, item->at_ms, &date);
        carnet_buf_append_str(&a->former, "  ");
        carnet_words_field(a->lang, a->charter, item->field, item->label, &a->former);
        carnet_buf_append_str(&a->former, carnet_tr(a->lang, _(": ")));
        line_put(&a->former, item->old);
        carnet_words_put(&a->former, a->lang, _(" (replaced on %s by %s)\n"), carnet_buf_cstr(&date), item->by);
    }
    carnet_buf_deinit(&date);
    carnet_buf_deinit(&name);
    return true;
}

static bool each_record(void *ctx, const struct carnet_view *view)
{
    struct access *a = ctx;
    json_t *object = json_object();
    json_object_set_new(object, "id", json_string(carnet_id_text(&view->id).s));
    json_object_set_new(object, "kind", json_string(kind_name(view->record.kind)));
    json_object_set_new(object, "made", carnet_json_time(carnet_id_ms(&view->id)));
    json_array_append_new(a->records, object);
    a->unreadable |= carnet_record_scopes_in(&view->record, CARNET_SIBLING_LOCKED) | carnet_record_scopes_in(&view->record, CARNET_SIBLING_MISSING);
    a->dark |= view->dark;
    a->blocked |= view->blocked;
    for (size_t i = 0; i < view->cell_count; i++)
        add_cell(a, view, &view->cells[i]);
    for (size_t i = 0; i < view->record.event_count; i++)
        add_event(a, view, &view->record.events[i]);
    a->rc = carnet_replica_history(a->replica, view, a->arena, add_history, a, a->err);
    return a->rc == CARNET_OK;
}

/* --- what else there is to say --- */

static json_t *consents(struct access *a, const struct carnet_view *view, struct carnet_buf *text)
{
    json_t *list = json_array();
    size_t count;
    struct carnet_people_consent *all = carnet_people_consents(a->replica, view, a->arena, &count);
    for (size_t i = 0; i < count; i++) {
        const struct carnet_consent *c = &all[i].consent;
        char purpose[CARNET_LABEL_LEN_MAX + 1] = "";
        json_t *object = json_object();
        memcpy(purpose, all[i].purpose.ptr, all[i].purpose.len < sizeof purpose ? all[i].purpose.len : sizeof purpose - 1);
        json_object_set_new(object, "purpose", json_string(purpose));
        json_object_set_new(object, "state", json_string(carnet_consent_state_name(c->state)));
        json_object_set_new(object, "basis", c->basis ? json_string(carnet_basis_name(c->basis)) : json_null());
        json_object_set_new(object, "source", all[i].source.len ? carnet_json_text(all[i].source) : json_null());
        json_object_set_new(object, "since", carnet_json_time(c->since_ms));
        json_object_set_new(object, "until", carnet_json_time(c->until_ms));
        json_object_set_new(object, "ends", carnet_json_time(c->ends_ms));
        json_object_set_new(object, "covers", carnet_json_scopes(c->scopes));
        json_array_append_new(list, object);
        struct carnet_buf since, end;
        carnet_buf_init(&since, 64);
        carnet_buf_init(&end, 64);
        carnet_words_date(a->lang, c->since_ms, &since);
        carnet_words_date(a->lang, c->ends_ms, &end);
        carnet_words_put(text, a->lang, _("  %s: %s since %s"), carnet_words_purpose(a->lang, purpose), carnet_tr(a->lang, carnet_consent_state_name(c->state)),
                          carnet_buf_cstr(&since));
        if (c->live && c->ends_ms && c->until_ms == c->ends_ms)
            carnet_words_put(text, a->lang, _("; it ends on %s, as agreed"), carnet_buf_cstr(&end));
        else if (c->live && c->ends_ms)
            carnet_words_put(text, a->lang, _("; without news from you, it ends on %s"), carnet_buf_cstr(&end));
        else if (c->live && c->basis == CARNET_BASIS_MEMBER)
            carnet_buf_append_str(text, carnet_tr(a->lang, _("; it lasts as long as your membership")));
        carnet_buf_append_byte(text, '\n');
        carnet_buf_deinit(&end);
        carnet_buf_deinit(&since);
    }
    return list;
}

struct recipients {
    struct access *a;
    const struct carnet_view *view;
    json_t *list;
    struct carnet_buf *text;
};

static bool each_member(void *ctx, const struct carnet_member *member)
{
    struct recipients *r = ctx;
    if (member->cut || member->expired || !carnet_cert_holds(member->cert, &r->view->book))
        return true;
    json_t *object = json_object();
    json_object_set_new(object, "member", json_string(member->member));
    json_object_set_new(object, "node", json_string(member->node));
    json_object_set_new(object, "role", json_string(carnet_role_name(member->cert->role)));
    json_object_set_new(object, "reads", carnet_json_scopes(member->cert->reads));
    json_array_append_new(r->list, object);
    carnet_buf_printf(r->text, "  %s (%s)%s", member->member, carnet_words_role(r->a->lang, member->cert->role), carnet_tr(r->a->lang, _(": ")));
    carnet_words_scopes(r->a->lang, member->cert->reads, r->text);
    carnet_buf_append_byte(r->text, '\n');
    return true;
}

static bool each_audit(void *ctx, const struct carnet_audit_item *item)
{
    struct access *a = ctx;
    if (item->kind == CARNET_AUDIT_EXPORT) {
        a->exports++;
        a->exported_ms = item->at_ms;
    }
    return true;
}

static json_t *retention(struct access *a, const struct carnet_view *view, struct carnet_buf *text)
{
    const struct carnet_purpose_def *def;
    json_t *list = json_array();
    int64_t now_ms = carnet_replica_now_ms(a->replica);
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_CONSENT; scope++) {
        int64_t ends_ms = 0;
        bool live = false, endless = false;
        uint32_t held = carnet_record_scopes_in(&view->record, CARNET_SIBLING_VALUE);
        if (!(held >> scope & 1))
            continue;
        for (size_t i = 0; (def = carnet_purpose_at(a->charter, i)); i++) {
            struct carnet_consent c = carnet_consent_evaluate(a->charter, view->person, view->person_count, carnet_slice_str(def->name), now_ms);
            if (!(c.scopes >> scope & 1))
                continue;
            live = true;
            endless = endless || !c.ends_ms;
            ends_ms = c.ends_ms > ends_ms ? c.ends_ms : ends_ms;
        }
        json_t *object = json_object();
        json_object_set_new(object, "scope", json_string(carnet_scope_name((enum carnet_scope)scope)));
        json_object_set_new(object, "until", live && !endless ? carnet_json_time(ends_ms) : json_null());
        json_object_set_new(object, "why", json_string(!live ? "nothing allows it: it is to be destroyed" : endless ? "membership" : "agreement"));
        json_array_append_new(list, object);
        struct carnet_buf date;
        carnet_buf_init(&date, 64);
        carnet_words_date(a->lang, ends_ms, &date);
        carnet_buf_printf(text, "  %s%s", carnet_words_scope(a->lang, (enum carnet_scope)scope), carnet_tr(a->lang, _(": ")));
        if (!live && view->restricted)
            carnet_buf_append_str(text, carnet_tr(a->lang, _("kept, unused, while the restriction lasts")));
        else if (!live)
            carnet_buf_append_str(text, carnet_tr(a->lang, _("nothing allows their use any more; they are destroyed shortly")));
        else if (endless)
            carnet_buf_append_str(text, carnet_tr(a->lang, _("as long as you are a member")));
        else
            carnet_words_put(text, a->lang, _("until %s at the latest"), carnet_buf_cstr(&date));
        carnet_buf_append_byte(text, '\n');
        carnet_buf_deinit(&date);
    }
    return list;
}

static void section(struct carnet_buf *out, enum carnet_lang lang, const char *title, const struct carnet_buf *lines, const char *none)
{
    if (!lines->len && !none)
        return;
    carnet_buf_printf(out, "\n%s\n\n", carnet_tr(lang, title));
    if (lines->len)
        carnet_buf_append_slice(out, carnet_buf_slice(lines));
    else
        carnet_buf_printf(out, "  %s\n", carnet_tr(lang, none));
}

static void letter(struct access *a, const struct carnet_view *view, const struct carnet_buf *consented, const struct carnet_buf *recipients, const struct carnet_buf *kept,
                   struct carnet_buf *out)
{
    struct carnet_slice community = carnet_replica_community_name(a->replica);
    struct carnet_buf date, extra;
    carnet_buf_init(&date, 64);
    carnet_buf_init(&extra, 64 * 1024);
    carnet_words_date(a->lang, carnet_replica_wall_ms(a->replica), &date);
    carnet_words_put(out, a->lang, _("What %.*s holds about you\n"), (int)community.len, (const char *)community.ptr);
    carnet_words_put(out, a->lang, _("Made on %s, at your request (GDPR, articles 15 and 20).\n"), carnet_buf_cstr(&date));
    if (view->restricted)
        carnet_buf_append_str(out, carnet_tr(a->lang, _("\nThe use of your data is restricted: they are kept, and nobody uses them.\n")));
    section(out, a->lang, _("YOUR DATA"), &a->about, _("We hold none."));
    section(out, a->lang, _("MARKS THAT WE PUT ON YOUR RECORD"), &a->marks, NULL);
    section(out, a->lang, _("NOTES AND VISITS"), &a->noted, NULL);
    section(out, a->lang, _("WHAT WE MAY DO WITH THEM"), consented, _("Nothing: you agreed to no use."));
    section(out, a->lang, _("WHAT YOU AGREED TO AND REFUSED, AND WHEN"), &a->said, NULL);
    section(out, a->lang, _("WHO CAN READ THEM"), recipients, NULL);
    if (a->exports) {
        struct carnet_buf last;
        carnet_buf_init(&last, 64);
        carnet_words_date(a->lang, a->exported_ms, &last);
        carnet_words_put(out, a->lang, _("  In the last 12 months this office took data out of the file %zu times, last on %s; each time, those who allow it were taken alone.\n"),
                          a->exports, carnet_buf_cstr(&last));
        carnet_buf_deinit(&last);
    }
    section(out, a->lang, _("MESSAGES SENT TO YOU"), &a->sent, _("None is recorded here."));
    section(out, a->lang, _("HOW LONG THEY ARE KEPT"), kept, _("Nothing is kept but the proof of what you said."));
    section(out, a->lang, _("FORMER VALUES THAT ARE STILL KEPT"), &a->former, NULL);
    if (a->dark) {
        carnet_words_scopes(a->lang, a->dark, &extra);
        carnet_words_put(out, a->lang, _("\nDestroyed, readable by nobody any more: %s.\n"), carnet_buf_cstr(&extra));
    }
    if (a->unreadable) {
        carnet_buf_clear(&extra);
        carnet_words_scopes(a->lang, a->unreadable, &extra);
        carnet_words_put(out, a->lang, _("\nHeld, but not readable on this machine: %s. Another office of ours adds them to this answer.\n"), carnet_buf_cstr(&extra));
    }
    carnet_buf_printf(out, "\n%s\n\n%s", carnet_tr(a->lang, _("YOUR RIGHTS")),
                      carnet_tr(a->lang, _("  You may have what is wrong corrected, have everything erased, object to any use, take back any agreement as easily as you gave it, and have the use of "
                                           "your data restricted. Tell any of us: no reason is needed. You may complain to the CNIL (www.cnil.fr).\n")));
    carnet_buf_deinit(&extra);
    carnet_buf_deinit(&date);
}

carnet_rc carnet_people_access(struct carnet_replica *replica, const struct carnet_view *view, enum carnet_lang lang, struct carnet_buf *json, struct carnet_buf *text,
                               struct carnet_err *err)
{
    enum { SECTION_MAX = 32 << 20 };
    struct carnet_arena arena;
    struct carnet_buf consented, readers, kept;
    struct access a = { .replica = replica, .lang = lang, .charter = carnet_replica_charter(replica), .arena = &arena, .err = err, .records = json_array(),
                        .fields = json_array(), .tags = json_array(), .sources = json_array(), .notes = json_array(), .events = json_array(), .evidence = json_array(),
                        .history = json_array(), .messages = json_array() };
    struct carnet_buf *const sections[] = { &a.about, &a.marks, &a.noted, &a.said, &a.former, &a.sent, &consented, &readers, &kept };
    struct recipients recipients = { .a = &a, .view = view, .list = json_array(), .text = &readers };
    struct carnet_err ignored = CARNET_ERR_INIT;
    json_t *root = json_object();
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
        carnet_buf_init(sections[i], SECTION_MAX);
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_replica_view_whole(replica, view, &arena, each_record, &a, err);
    rc = rc == CARNET_OK ? a.rc : rc;
    if (rc == CARNET_OK)
        rc = carnet_replica_members(replica, each_member, &recipients, err);
    if (rc == CARNET_OK && carnet_audit_list(replica, 0, each_audit, &a, &ignored) != CARNET_OK)
        rc = ignored.rc == CARNET_CORRUPT ? CARNET_OK : carnet_err_set(err, ignored.rc, "the audit trail cannot be read");
    struct carnet_slice community = carnet_replica_community_name(replica);
    json_object_set_new(root, "community", carnet_json_text(community));
    json_object_set_new(root, "made", carnet_json_time(carnet_replica_wall_ms(replica)));
    json_object_set_new(root, "id", json_string(carnet_id_text(&view->id).s));
    json_object_set_new(root, "restricted", json_boolean(view->restricted));
    json_object_set_new(root, "records", a.records);
    json_object_set_new(root, "fields", a.fields);
    json_object_set_new(root, "tags", a.tags);
    json_object_set_new(root, "source_ids", a.sources);
    json_object_set_new(root, "notes", a.notes);
    json_object_set_new(root, "consents", consents(&a, view, &consented));
    json_object_set_new(root, "events", a.events);
    json_object_set_new(root, "evidence", a.evidence);
    json_object_set_new(root, "history", a.history);
    json_object_set_new(root, "recipients", recipients.list);
    json_object_set_new(root, "exports", json_integer((json_int_t)a.exports));
    json_object_set_new(root, "messages", a.messages);
    json_object_set_new(root, "retention", retention(&a, view, &kept));
    json_object_set_new(root, "blocked", carnet_json_scopes(a.blocked));
    json_object_set_new(root, "dark", carnet_json_scopes(a.dark));
    json_object_set_new(root, "unreadable_here", carnet_json_scopes(a.unreadable));
    if (rc == CARNET_OK)
        letter(&a, view, &consented, &readers, &kept, text);
    if (rc == CARNET_OK)
        carnet_json_put(root, json);
    else
        json_decref(root);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        rc = rc == CARNET_OK && sections[i]->failed ? carnet_err_set(err, CARNET_LIMIT, "the answer is too long") : rc;
        carnet_buf_deinit(sections[i]);
    }
    if (rc == CARNET_OK && (json->failed || text->failed))
        rc = carnet_err_set(err, CARNET_LIMIT, "the answer is too long");
    carnet_arena_deinit(&arena);
    return rc;
}
