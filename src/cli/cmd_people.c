// SPDX-License-Identifier: EUPL-1.2
#include "cli.h"

#include <stdlib.h>
#include <string.h>

enum { GRANTS_MAX = 32, QUERY_LEN_MAX = 64 * 1024 };

/* FIELD=VALUE words, from `first` on. Gives an array freed with free(); NULL and cli->err on a wrong one. */
static struct carnet_assign *assigns(struct cli *cli, size_t first)
{
    size_t count = cli->word_count - first;
    struct carnet_assign *out = carnet_alloc((count ? count : 1) * sizeof *out);
    for (size_t i = 0; i < count; i++)
        if (carnet_assign_parse(carnet_slice_str(cli->words[first + i]), &out[i], &cli->err)) {
            free(out);
            return NULL;
        }
    return out;
}

int cmd_add(struct cli *cli)
{
    struct carnet_slice grants[GRANTS_MAX];
    struct carnet_ground ground;
    const struct carnet_book *book;
    struct carnet_id id;
    struct carnet_assign *fields = NULL;
    carnet_rc rc = cli_ground(cli, &ground);
    if (!rc)
        rc = cli_book(cli, &book);
    if (!rc && !(fields = assigns(cli, 0)))
        rc = cli->err.rc;
    if (!rc)
        rc = carnet_people_add(cli->node->replica, &book->id, fields, cli->word_count, grants, cli_slices(cli, "grant", grants, GRANTS_MAX), &ground, &id, &cli->err);
    free(fields);
    if (rc)
        return cli_fail(cli);
    cli_print(cli, "%s\n", carnet_id_text(&id).s);
    return cli_done_id(cli, &id);
}

/* Commands on one contact, that its first word names. */
static int on_contact(struct cli *cli, carnet_rc (*act)(struct cli *cli, const struct carnet_view *view))
{
    struct carnet_arena arena;
    struct carnet_view view;
    int status;
    carnet_arena_init(&arena);
    carnet_rc rc = cli_view(cli, cli->words[0], &arena, &view);
    if (!rc)
        rc = act(cli, &view);
    status = rc ? cli_fail(cli) : 0;
    carnet_arena_deinit(&arena);
    return status;
}

static carnet_rc act_edit(struct cli *cli, const struct carnet_view *view)
{
    struct carnet_write_result result = { 0 };
    struct carnet_assign *fields = assigns(cli, 1);
    if (!fields)
        return cli->err.rc;
    carnet_rc rc = carnet_people_edit(cli->node->replica, view, fields, cli->word_count - 1, cli_flag(cli, "rectify"), &result, &cli->err);
    free(fields);
    if (rc)
        return rc;
    if (!result.entries)
        cli_say(cli, _("nothing to change: it is so already\n"));
    cli_done_id(cli, &view->id);
    return CARNET_OK;
}

int cmd_edit(struct cli *cli)
{
    return on_contact(cli, act_edit);
}

static carnet_rc act_tag(struct cli *cli, const struct carnet_view *view)
{
    size_t count = cli->word_count - 1;
    struct carnet_slice *words = carnet_alloc(count * sizeof *words);
    for (size_t i = 0; i < count; i++)
        words[i] = carnet_slice_str(cli->words[i + 1]);
    carnet_rc rc = carnet_people_tag(cli->node->replica, view, words, count, &cli->err);
    free(words);
    if (!rc)
        cli_done_id(cli, &view->id);
    return rc;
}

int cmd_tag(struct cli *cli)
{
    return on_contact(cli, act_tag);
}

static void join_words(struct cli *cli, size_t first, struct carnet_buf *out)
{
    for (size_t i = first; i < cli->word_count; i++) {
        if (i > first)
            carnet_buf_append_byte(out, ' ');
        carnet_buf_append_str(out, cli->words[i]);
    }
}

static carnet_rc act_note(struct cli *cli, const struct carnet_view *view)
{
    struct carnet_buf text;
    struct carnet_id id;
    carnet_buf_init(&text, 2 * CARNET_VALUE_LEN_MAX);
    join_words(cli, 1, &text);
    carnet_rc rc = text.failed ? carnet_err_set(&cli->err, CARNET_USAGE, "the note is not UTF-8 text of at most %d bytes", CARNET_VALUE_LEN_MAX) : carnet_people_note(cli->node->replica, view, carnet_buf_slice(&text), &id, &cli->err);
    carnet_buf_deinit(&text);
    if (!rc) {
        cli_print(cli, "%s\n", carnet_id_text(&id).s);
        cli_done_id(cli, &id);
    }
    return rc;
}

int cmd_note(struct cli *cli)
{
    return on_contact(cli, act_note);
}

static struct carnet_slice text_of(const struct carnet_view *view)
{
    for (size_t i = 0; i < view->cell_count; i++)
        if (view->cells[i].field == CARNET_FIELD_TEXT)
            return view->cells[i].siblings[0]->value;
    return CARNET_SLICE_NONE;
}

struct notes {
    struct cli *cli;
    json_t *list;
};

static bool each_note(void *ctx, const struct carnet_view *view)
{
    struct notes *notes = ctx;
    struct carnet_slice text = text_of(view);
    int64_t at_ms = carnet_id_ms(&view->id);
    if (view->record.kind != CARNET_KIND_NOTE || !text.len)
        return true;
    if (notes->cli->io->json) {
        json_t *note = json_object();
        json_object_set_new(note, "id", json_string(carnet_id_text(&view->id).s));
        json_object_set_new(note, "at", cli_time(at_ms));
        json_object_set_new(note, "text", cli_string(text));
        json_array_append_new(notes->list, note);
    } else {
        struct carnet_buf at;
        carnet_buf_init(&at, 64);
        carnet_time_format(at_ms, &at);
        cli_field_line(notes->cli, carnet_buf_slice(&at), text, "");
        carnet_buf_deinit(&at);
    }
    return true;
}

static carnet_rc act_show(struct cli *cli, const struct carnet_view *view)
{
    struct carnet_arena arena;
    struct notes notes = { cli, json_array() };
    carnet_arena_init(&arena);
    cli_contact_text(cli, view);
    carnet_rc rc = carnet_replica_about(cli->node->replica, &view->book, &view->id, &arena, each_note, &notes, &cli->err);
    if (!rc && cli->io->json) {
        json_t *object = cli_contact(cli, view);
        json_object_set(object, "notes", notes.list);
        cli_json(cli, object);
    }
    json_decref(notes.list);
    carnet_arena_deinit(&arena);
    return rc;
}

int cmd_show(struct cli *cli)
{
    return on_contact(cli, act_show);
}

static bool each_found(void *ctx, const struct carnet_view *view)
{
    struct cli *cli = ctx;
    if (cli->io->json)
        cli_json(cli, cli_contact(cli, view));
    else
        cli_contact_line(cli, view);
    return !cli->node->cancelled || !cli->node->cancelled(cli->node);
}

static void breathe(void *ctx)
{
    struct cli *cli = ctx;
    if (cli->node->breathe)
        cli->node->breathe(cli->node, 0);
}

carnet_rc cli_limit(struct cli *cli, size_t *out)
{
    const char *limit = cli_value(cli, "limit");
    *out = cli->io->out_tty ? 100 : 0;
    if (!limit)
        return CARNET_OK;
    char *end;
    unsigned long long n = strtoull(limit, &end, 10);
    if (!*limit || *end || limit[0] == '-' || n == 0 || n > 100000000)
        return carnet_err_set(&cli->err, CARNET_USAGE, "--limit %.40s: a number from 1 on is due", limit);
    *out = (size_t)n;
    return CARNET_OK;
}

static bool find_goes_on(void *ctx, uint64_t looked, uint64_t total)
{
    struct cli *cli = ctx;
    (void)looked, (void)total;
    return !cli->node->cancelled || !cli->node->cancelled(cli->node);
}

int cmd_find(struct cli *cli)
{
    struct carnet_find_options options = { .progress = find_goes_on };
    const struct carnet_book *book;
    struct carnet_buf query;
    carnet_rc rc = cli_limit(cli, &options.limit);
    if (!rc && cli_flag(cli, "book")) {
        rc = cli_book(cli, &book);
        if (!rc)
            options.book = &book->id;
    }
    carnet_buf_init(&query, QUERY_LEN_MAX);
    join_words(cli, 0, &query);
    options.query = carnet_buf_slice(&query);
    if (!rc && query.failed)
        rc = carnet_err_set(&cli->err, CARNET_USAGE, "the query is longer than %d bytes", QUERY_LEN_MAX);
    if (!rc)
        rc = carnet_people_find(cli->node->replica, &options, each_found, breathe, cli, &cli->err);
    int status = rc ? cli_fail_query(cli, carnet_buf_slice(&query)) : 0;
    carnet_buf_deinit(&query);
    return status;
}

/* Programs read the names; people, what they mean. */
static void event_text(const struct cli *cli, const struct carnet_event *event, struct carnet_buf *out)
{
    static const struct {
        enum carnet_event_type type;
        const char *name, *said;
    } names[] = { { CARNET_EVENT_GRANT, "grant", _("agreed") },
                  { CARNET_EVENT_COUNTERSIGN, "countersign", _("countersigned") },
                  { CARNET_EVENT_WITHDRAW, "withdraw", _("withdrawn") },
                  { CARNET_EVENT_OBJECT, "object", _("objected") },
                  { CARNET_EVENT_RESTRICT, "restrict", _("restricted") },
                  { CARNET_EVENT_LIFT, "lift", _("restriction lifted") },
                  { CARNET_EVENT_DARK, "dark", _("made dark") },
                  { CARNET_EVENT_ERASE, "erase", _("erased") },
                  { CARNET_EVENT_EDGE, "merge", _("merged") },
                  { CARNET_EVENT_RECTIFY, "rectify", _("rectified") },
                  { CARNET_EVENT_INVALIDATE, "invalidate", _("found invalid") },
                  { CARNET_EVENT_INFORM, "inform", _("told where the data come from") } };
    bool json = cli->io->json;
    const char *between = json ? ":" : " ";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].type == event->type)
            carnet_buf_append_str(out, json ? names[i].name : carnet_tr(cli->io->lang, names[i].said));
    if (!out->len)
        carnet_buf_printf(out, "event-%u", (unsigned)event->type);
    if (event->type == CARNET_EVENT_EDGE && !event->on) {
        carnet_buf_clear(out);
        carnet_buf_append_str(out, json ? "unmerge" : carnet_tr(cli->io->lang, _("said to be two persons")));
    }
    if (event->type == CARNET_EVENT_DARK)
        carnet_buf_printf(out, "%s%s", between, carnet_scope_name(event->scope));
    else if (event->type == CARNET_EVENT_OBJECT && !event->purpose.len)
        carnet_buf_printf(out, "%s%s", between, json ? "all" : carnet_tr(cli->io->lang, _("(every use)")));
    else if (event->purpose.len)
        carnet_buf_printf(out, "%s%.*s", between, (int)event->purpose.len, (const char *)event->purpose.ptr);
}

/* line: begins with the time */
static void history_line(struct cli *cli, const struct carnet_history_item *item, struct carnet_buf *line, struct carnet_slice field)
{
    bool tag = item->field == CARNET_FIELD_TAG;
    struct carnet_buf text;
    carnet_buf_init(&text, SIZE_MAX / 2);
    carnet_buf_append_str(&text, carnet_buf_cstr(line));
    carnet_buf_append_str(&text, "  ");
    cli_columns(carnet_slice_str(item->by), 22, false, &text);
    carnet_buf_append_str(&text, "  ");
    if (tag && !item->gone) {
        carnet_buf_append_str(&text, item->value.len ? "+" : "-");
        cli_indented(item->label, 0, &text);
    } else {
        cli_indented(field.len ? field : carnet_slice_str("-"), 0, &text);
    }
    if (item->gone) {
        carnet_buf_append_str(&text, carnet_tr(cli->io->lang, _(" (the value is not readable here, or not any more)")));
    } else if (!item->event && !tag) {
        bool changed = item->old.len && !carnet_slice_equal(item->old, item->value); /* a settled conflict may keep what was there */
        carnet_buf_append_str(&text, changed ? carnet_tr(cli->io->lang, _(": ")) : " = ");
        if (changed) {
            cli_indented(item->old, 0, &text);
            carnet_buf_append_str(&text, " → ");
        }
        cli_indented(item->value.len ? item->value : carnet_slice_str(carnet_tr(cli->io->lang, _("(empty)"))), 0, &text);
    }
    if (item->voided)
        carnet_buf_append_str(&text, carnet_tr(cli->io->lang, _(" (void: it does not count)")));
    cli_line(cli, &text);
    carnet_buf_deinit(&text);
}

static bool each_history(void *ctx, const struct carnet_history_item *item)
{
    struct cli *cli = ctx;
    struct carnet_buf field, at;
    if (item->field == CARNET_FIELD_SOURCE_ID || item->field == CARNET_FIELD_EVIDENCE)
        return true; /* not people's fields: `consent` shows the evidence */
    carnet_buf_init(&field, 512);
    carnet_buf_init(&at, 64);
    carnet_time_format(item->at_ms, &at);
    if (item->event)
        event_text(cli, item->event, &field);
    else if (item->field)
        cli_field_name(cli, item->field, item->label, &field);
    if (cli->io->json) {
        json_t *object = json_object();
        json_object_set_new(object, "at", cli_time(item->at_ms));
        json_object_set_new(object, "by", cli_cstr(item->by));
        json_object_set_new(object, "field", field.len ? cli_string(carnet_buf_slice(&field)) : json_null());
        json_object_set_new(object, "old", item->old.len ? cli_string(item->old) : json_null());
        json_object_set_new(object, "new", item->gone || item->event ? json_null() : cli_string(item->value));
        json_object_set_new(object, "event", json_boolean(item->event != NULL));
        json_object_set_new(object, "gone", json_boolean(item->gone));
        json_object_set_new(object, "void", json_boolean(item->voided));
        cli_json(cli, object);
    } else {
        history_line(cli, item, &at, carnet_buf_slice(&field));
    }
    carnet_buf_deinit(&at);
    carnet_buf_deinit(&field);
    return true;
}

static carnet_rc act_history(struct cli *cli, const struct carnet_view *view)
{
    struct carnet_arena arena;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_replica_history(cli->node->replica, view, &arena, each_history, cli, &cli->err);
    carnet_arena_deinit(&arena);
    return rc;
}

int cmd_history(struct cli *cli)
{
    return on_contact(cli, act_history);
}

/* --- conflicts --- */

static bool each_conflict(void *ctx, const struct carnet_people_conflict *conflict)
{
    struct cli *cli = ctx;
    struct carnet_buf name, by, at;
    json_t *object = json_object(), *values = json_array();
    size_t number = 0;
    carnet_buf_init(&name, 512);
    carnet_buf_init(&by, 512);
    carnet_buf_init(&at, 64);
    cli_field_name(cli, conflict->cell->field, conflict->cell->label, &name);
    cli_print(cli, "%s  %s\n", carnet_id_text(&conflict->view->id).s, carnet_buf_cstr(&name));
    for (size_t i = 0; i < conflict->cell->count; i++) {
        const struct carnet_sibling *s = conflict->cell->siblings[i];
        bool known = false;
        for (size_t j = 0; j < i && !known; j++)
            known = carnet_slice_equal(conflict->cell->siblings[j]->value, s->value);
        if (known)
            continue;
        carnet_buf_clear(&by);
        carnet_buf_clear(&at);
        carnet_people_by(cli->node->replica, &s->dot, &by);
        carnet_time_format(carnet_hlc_ms(s->hlc), &at);
        struct carnet_buf line;
        carnet_buf_init(&line, 64 * 1024);
        carnet_buf_printf(&line, "  %zu  ", ++number);
        cli_columns(s->value.len ? s->value : carnet_slice_str(carnet_tr(cli->io->lang, _("(empty)"))), 30, false, &line);
        carnet_buf_append_str(&line, "  ");
        cli_indented(carnet_buf_slice(&by), 0, &line);
        carnet_buf_printf(&line, ", %s", carnet_buf_cstr(&at));
        cli_line(cli, &line);
        carnet_buf_deinit(&line);
        json_t *value = json_object();
        json_object_set_new(value, "value", cli_string(s->value));
        json_object_set_new(value, "by", cli_string(carnet_buf_slice(&by)));
        json_object_set_new(value, "at", cli_time(carnet_hlc_ms(s->hlc)));
        json_array_append_new(values, value);
    }
    json_object_set_new(object, "id", json_string(carnet_id_text(&conflict->view->id).s));
    json_object_set_new(object, "field", json_string(carnet_buf_cstr(&name)));
    json_object_set_new(object, "values", values);
    cli_json(cli, object);
    carnet_buf_deinit(&at);
    carnet_buf_deinit(&by);
    carnet_buf_deinit(&name);
    return true;
}

int cmd_conflicts(struct cli *cli)
{
    return carnet_people_conflicts(cli->node->replica, each_conflict, cli, &cli->err) ? cli_fail(cli) : 0;
}

static carnet_rc act_resolve(struct cli *cli, const struct carnet_view *view)
{
    const char *keep = cli_value(cli, "keep");
    bool all = cli_flag(cli, "keep-all"), value = cli->word_count == 3;
    enum carnet_resolve how = keep ? CARNET_RESOLVE_KEEP : all ? CARNET_RESOLVE_KEEP_ALL : CARNET_RESOLVE_VALUE;
    size_t number = 0;
    if ((keep != NULL) + all + value != 1) {
        carnet_err_set(&cli->err, CARNET_USAGE, "give one of VALUE, --keep N and --keep-all");
        carnet_err_hint(&cli->err, "`carnet conflicts` shows the values and their numbers");
        return CARNET_USAGE;
    }
    if (keep) {
        char *end;
        number = strtoul(keep, &end, 10);
        if (!*keep || *end || keep[0] == '-')
            return carnet_err_set(&cli->err, CARNET_USAGE, "--keep %.40s: a number from 1 on is due", keep);
    }
    carnet_rc rc = carnet_people_resolve(cli->node->replica, view, carnet_slice_str(cli->words[1]), how, carnet_slice_str(value ? cli->words[2] : NULL), number, &cli->err);
    if (!rc)
        cli_done_id(cli, &view->id);
    return rc;
}

int cmd_resolve(struct cli *cli)
{
    return on_contact(cli, act_resolve);
}

/* --- consent --- */

/* The rest of the consent record. */
static void put_record(struct cli *cli, const struct carnet_people_consent *c, json_t *object)
{
    static const char *const keys[] = { "channel", "method", "direct", "age_band", "form", "scan", "message", "optin_sent", "optin_clicked", "collected", "column", "optin_time", "optin_address", "confirm_time", "confirm_address", "import" };
    char version[17];
    struct carnet_buf collector;
    carnet_buf_init(&collector, 512);
    if (c->granted)
        carnet_people_by(cli->node->replica, &c->grant, &collector);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct carnet_slice value = carnet_people_evidence_line(c->evidence, keys[i]);
        json_object_set_new(object, keys[i], value.len ? cli_string(value) : json_null());
    }
    snprintf(version, sizeof version, "%016llx", (unsigned long long)c->consent.version);
    json_object_set_new(object, "wording", c->wording ? cli_string(c->wording->text) : json_null());
    json_object_set_new(object, "wording_version", c->wording_version.len ? cli_string(c->wording_version) : json_null());
    json_object_set_new(object, "language", c->language.len ? cli_string(c->language) : json_null());
    json_object_set_new(object, "collector", collector.len ? cli_string(carnet_buf_slice(&collector)) : json_null());
    json_object_set_new(object, "scopes", cli_scopes(c->scopes));
    json_object_set_new(object, "version", c->granted ? json_string(c->consent.version ? version : "0") : json_null());
    carnet_buf_deinit(&collector);
}

static carnet_rc act_consent(struct cli *cli, const struct carnet_view *view)
{
    struct carnet_arena arena;
    size_t count;
    carnet_arena_init(&arena);
    struct carnet_people_consent *list = carnet_people_consents(cli->node->replica, view, &arena, &count);
    for (size_t i = 0; i < count; i++) {
        const struct carnet_people_consent *c = &list[i];
        const char *basis = c->consent.basis ? carnet_basis_name(c->consent.basis) : NULL;
        json_t *object = json_object();
        json_object_set_new(object, "id", json_string(carnet_id_text(&view->id).s));
        json_object_set_new(object, "purpose", cli_string(c->purpose));
        json_object_set_new(object, "state", json_string(carnet_consent_state_name(c->consent.state)));
        json_object_set_new(object, "basis", basis ? json_string(basis) : json_null());
        json_object_set_new(object, "source", c->source.len ? cli_string(c->source) : json_null());
        json_object_set_new(object, "since", cli_time(c->consent.since_ms));
        json_object_set_new(object, "until", cli_time(c->consent.until_ms));
        json_object_set_new(object, "proof", c->proof.len ? cli_string(c->proof) : json_null());
        put_record(cli, c, object);
        cli_json(cli, object);
        struct carnet_buf since, line;
        carnet_buf_init(&since, 64);
        carnet_buf_init(&line, 64 * 1024);
        carnet_buf_append_str(&line, "  ");
        cli_columns(c->purpose, 12, false, &line);
        carnet_buf_append_byte(&line, ' ');
        cli_columns(carnet_slice_str(carnet_tr(cli->io->lang, carnet_consent_state_name(c->consent.state))), 11, false, &line);
        carnet_buf_append_byte(&line, ' ');
        cli_columns(carnet_slice_str(basis ? basis : ""), 19, false, &line);
        carnet_buf_append_byte(&line, ' ');
        if (c->consent.since_ms)
            carnet_time_format(c->consent.since_ms, &since);
        cli_columns(carnet_buf_slice(&since), 20, false, &line);
        carnet_buf_append_str(&line, "  ");
        cli_indented(c->source, 0, &line);
        cli_line(cli, &line);
        if (c->consent.until_ms) {
            carnet_buf_clear(&since);
            carnet_time_format(c->consent.until_ms, &since);
            cli_print(cli, _("    until: %s\n"), carnet_buf_cstr(&since));
        }
        if (c->wording) {
            carnet_buf_append_str(&line, "    ");
            cli_indented(c->wording->text, 4, &line);
            cli_line(cli, &line);
        }
        carnet_buf_deinit(&line);
        carnet_buf_deinit(&since);
    }
    carnet_arena_deinit(&arena);
    return CARNET_OK;
}

int cmd_consent(struct cli *cli)
{
    return on_contact(cli, act_consent);
}

static carnet_rc act_grant(struct cli *cli, const struct carnet_view *view)
{
    struct carnet_ground ground;
    carnet_rc rc = cli_ground(cli, &ground);
    if (!rc)
        rc = carnet_people_grant(cli->node->replica, view, carnet_slice_str(cli->words[1]), &ground, &cli->err);
    if (!rc)
        cli_done_id(cli, &view->id);
    return rc;
}

int cmd_consent_grant(struct cli *cli)
{
    return on_contact(cli, act_grant);
}

static carnet_rc act_withdraw(struct cli *cli, const struct carnet_view *view)
{
    struct carnet_slice purposes[GRANTS_MAX];
    struct carnet_withdrawn done;
    size_t count = cli->word_count - 1;
    if (count > GRANTS_MAX)
        return carnet_err_set(&cli->err, CARNET_USAGE, "too many words");
    for (size_t i = 0; i < count; i++)
        purposes[i] = carnet_slice_str(cli->words[i + 1]);
    carnet_rc rc = carnet_people_withdraw(cli->node->replica, view, purposes, count, cli_flag(cli, "now"), &done, &cli->err);
    if (rc)
        return rc;
    if (done.dark)
        cli_say(cli, _("withdrawn; the keys are destroyed: nobody reads those fields again\n"));
    else if (done.later)
        cli_say(cli, _("withdrawn and blocked; this node may not destroy keys: the next office does it\n"));
    else if (done.blocked)
        cli_say(cli, _("withdrawn and blocked\n"));
    else
        cli_say(cli, _("withdrawn; the fields stay open for the other uses that the person agreed to\n"));
    if (cli->io->json) {
        json_t *object = json_object();
        json_object_set_new(object, "id", json_string(carnet_id_text(&view->id).s));
        json_object_set_new(object, "blocked", cli_scopes(done.blocked));
        json_object_set_new(object, "dark", json_boolean(done.dark));
        cli_json(cli, object);
    }
    return CARNET_OK;
}

int cmd_consent_withdraw(struct cli *cli)
{
    return on_contact(cli, act_withdraw);
}

static carnet_rc act_object(struct cli *cli, const struct carnet_view *view)
{
    struct carnet_slice purposes[GRANTS_MAX];
    size_t count = cli->word_count - 1;
    if (count > GRANTS_MAX)
        return carnet_err_set(&cli->err, CARNET_USAGE, "too many words");
    for (size_t i = 0; i < count; i++)
        purposes[i] = carnet_slice_str(cli->words[i + 1]);
    carnet_rc rc = carnet_people_object(cli->node->replica, view, purposes, count, cli_flag(cli, "all"), &cli->err);
    if (!rc)
        cli_done_id(cli, &view->id);
    return rc;
}

int cmd_consent_object(struct cli *cli)
{
    return on_contact(cli, act_object);
}

static carnet_rc act_countersign(struct cli *cli, const struct carnet_view *view)
{
    carnet_rc rc = carnet_people_countersign(cli->node->replica, view, carnet_slice_str(cli->words[1]), &cli->err);
    if (!rc)
        cli_done_id(cli, &view->id);
    return rc;
}

int cmd_consent_countersign(struct cli *cli)
{
    return on_contact(cli, act_countersign);
}

/* --- erasing --- */

static carnet_rc act_erase(struct cli *cli, const struct carnet_view *view)
{
    struct carnet_id id = view->id;
    carnet_rc rc = carnet_people_erase(cli->node->replica, view, carnet_slice_str(cli_value(cli, "reason")), &cli->err);
    if (rc)
        return rc;
    cli_say(cli, _("erased here; each node erases it when it learns of it, and confirms after its next sweep (carnet erasures)\n"));
    cli_done_id(cli, &id);
    return CARNET_OK;
}

int cmd_erase(struct cli *cli)
{
    return on_contact(cli, act_erase);
}

static json_t *node_names(struct cli *cli, const struct carnet_id *nodes, size_t count, struct carnet_buf *text)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        struct carnet_member member;
        struct carnet_err ignored = CARNET_ERR_INIT;
        struct carnet_id_text id = carnet_id_text(&nodes[i]);
        const char *name = id.s;
        if (!carnet_replica_member(cli->node->replica, &nodes[i], &member, &ignored) && member.node[0])
            name = member.node;
        json_array_append_new(list, cli_cstr(name));
        carnet_buf_printf(text, "%s%s", i ? ", " : "", name);
    }
    return list;
}

static bool each_erasure(void *ctx, const struct carnet_erasure *erasure)
{
    struct cli *cli = ctx;
    struct carnet_buf yes, no, at;
    json_t *object = json_object();
    carnet_buf_init(&yes, 64 * 1024);
    carnet_buf_init(&no, 64 * 1024);
    carnet_buf_init(&at, 64);
    carnet_time_format(erasure->at_ms, &at);
    json_object_set_new(object, "id", json_string(carnet_id_text(&erasure->record).s));
    json_object_set_new(object, "at", cli_time(erasure->at_ms));
    json_object_set_new(object, "acknowledged", node_names(cli, erasure->acknowledged, erasure->acknowledged_count, &yes));
    json_object_set_new(object, "outstanding", node_names(cli, erasure->outstanding, erasure->outstanding_count, &no));
    cli_json(cli, object);
    cli_print(cli, "%s  %s\n", carnet_id_text(&erasure->record).s, carnet_buf_cstr(&at));
    cli_print(cli, _("  swept by: %s\n"), yes.len ? carnet_buf_cstr(&yes) : "-");
    cli_print(cli, _("  not confirmed yet: %s\n"), no.len ? carnet_buf_cstr(&no) : "-");
    carnet_buf_deinit(&at);
    carnet_buf_deinit(&no);
    carnet_buf_deinit(&yes);
    return true;
}

int cmd_erasures(struct cli *cli)
{
    struct carnet_arena arena;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_replica_erasures(cli->node->replica, &arena, each_erasure, cli, &cli->err);
    carnet_arena_deinit(&arena);
    return rc ? cli_fail(cli) : 0;
}

int cmd_sweep(struct cli *cli)
{
    if (carnet_replica_sweep(cli->node->replica, &cli->err))
        return cli_fail(cli);
    cli_say(cli, _("swept: what was erased is nowhere in this node's files; the receipt goes to the others\n"));
    return 0;
}
