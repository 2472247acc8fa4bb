// SPDX-License-Identifier: EUPL-1.2
#include "cli.h"

#include "carnet/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_LEN = 64 * 1024 };

static void flush_when_full(struct carnet_io *io)
{
    if (io->out.len >= FLUSH_LEN || io->err.len >= FLUSH_LEN)
        carnet_io_flush(io);
}

/* Makes text safe for a terminal, in place. What people typed, here or far away, drives it neither by controls (the C1 ones too) nor by marks that turn
 * the direction of what follows; a letter cut in its middle goes. */
static void clean(char *text)
{
    uint8_t *in = (uint8_t *)text, *out = in;
    while (*in) {
        size_t len = *in < 0x80 ? 1 : *in < 0xe0 ? 2 : *in < 0xf0 ? 3 : 4, have = 1;
        while (have < len && (in[have] & 0xc0) == 0x80)
            have++;
        bool whole = have == len && (len == 1 || carnet_text_is_utf8(carnet_slice(in, len)));
        bool control = (len == 1 && ((*in < 0x20 && *in != '\n' && *in != '\t') || *in == 0x7f)) || (len == 2 && in[0] == 0xc2 && in[1] < 0xa0);
        bool turns = len == 3 && in[0] == 0xe2 && ((in[1] == 0x80 && in[2] >= 0xaa && in[2] <= 0xae) || (in[1] == 0x81 && in[2] >= 0xa6 && in[2] <= 0xa9));
        if (control || turns)
            *out++ = '?';
        else if (whole)
            for (size_t i = 0; i < len; i++)
                *out++ = in[i];
        in += have;
    }
    *out = 0;
}

int cli_fail_as(struct carnet_io *io, const struct carnet_err *given)
{
    struct carnet_err cleaned = *given;
    const struct carnet_err *err = &cleaned;
    clean(cleaned.what);
    clean(cleaned.hint);
    if (io->json) {
        json_t *object = json_object();
        json_object_set_new(object, "error", json_string(carnet_rc_name(err->rc)));
        json_object_set_new(object, "what", cli_cstr(err->what));
        json_object_set_new(object, "hint", cli_cstr(err->hint));
        char *text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
        carnet_buf_printf(&io->err, "%s\n", text);
        free(text);
        json_decref(object);
    } else if (err->hint[0]) {
        carnet_buf_printf(&io->err, "carnet: %s (%s)\n", err->what, err->hint);
    } else {
        carnet_buf_printf(&io->err, "carnet: %s\n", err->what);
    }
    return carnet_rc_status(err->rc);
}

int cli_fail(struct cli *cli)
{
    return cli_fail_as(cli->io, &cli->err);
}

/* The catalogue's check proves that the French text has the conversions of the English one. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
CARNET_PRINTF(3, 0) static void print_to(struct carnet_io *io, struct carnet_buf *out, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, carnet_tr(io->lang, fmt), args);
    if (len > 0) {
        char *text = carnet_alloc((size_t)len + 1);
        vsnprintf(text, (size_t)len + 1, carnet_tr(io->lang, fmt), again);
        clean(text);
        carnet_buf_append_str(out, text);
        free(text);
    }
    va_end(again);
    flush_when_full(io);
}
#pragma GCC diagnostic pop

void cli_say(struct cli *cli, const char *fmt, ...)
{
    va_list args;
    if (cli->io->json || cli->io->quiet)
        return;
    va_start(args, fmt);
    print_to(cli->io, &cli->io->out, fmt, args);
    va_end(args);
}

void cli_print(struct cli *cli, const char *fmt, ...)
{
    va_list args;
    if (cli->io->json)
        return;
    va_start(args, fmt);
    print_to(cli->io, &cli->io->out, fmt, args);
    va_end(args);
}

void cli_warn(struct cli *cli, const char *fmt, ...)
{
    va_list args;
    if (cli->io->quiet)
        return;
    va_start(args, fmt);
    print_to(cli->io, &cli->io->err, fmt, args);
    va_end(args);
}

void cli_json(struct cli *cli, json_t *object)
{
    if (cli->io->json) {
        char *text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
        CARNET_ASSERT(text);
        carnet_buf_append_str(&cli->io->out, text);
        carnet_buf_append_byte(&cli->io->out, '\n');
        free(text);
        flush_when_full(cli->io);
    }
    json_decref(object);
}

json_t *cli_string(struct carnet_slice text)
{
    json_t *string = json_stringn(text.len ? (const char *)text.ptr : "", text.len);
    return string ? string : json_string("?"); /* not UTF-8: names of files in messages */
}

json_t *cli_cstr(const char *text)
{
    return cli_string(carnet_slice_str(text));
}

json_t *cli_time(int64_t ms)
{
    struct carnet_buf text;
    if (!ms)
        return json_null();
    carnet_buf_init(&text, 64);
    carnet_time_format(ms, &text);
    json_t *out = cli_string(carnet_buf_slice(&text));
    carnet_buf_deinit(&text);
    return out;
}

json_t *cli_scopes(uint32_t scopes)
{
    json_t *list = json_array();
    for (unsigned scope = 1; scope < CARNET_SCOPE_COUNT; scope++)
        if (scopes & 1u << scope)
            json_array_append_new(list, json_string(carnet_scope_name((enum carnet_scope)scope)));
    return list;
}

int cli_done_id(struct cli *cli, const struct carnet_id *id)
{
    json_t *object = json_object();
    json_object_set_new(object, "id", json_string(carnet_id_text(id).s));
    cli_json(cli, object);
    return 0;
}

void cli_field_name(struct cli *cli, uint32_t field, struct carnet_slice label, struct carnet_buf *out)
{
    const struct carnet_field_def *def = carnet_field_by_number(carnet_replica_charter(cli->node->replica), field);
    if (def)
        carnet_buf_append_str(out, def->name);
    else
        carnet_buf_printf(out, "field-%u", (unsigned)field);
    if (label.len) {
        carnet_buf_append_byte(out, '/');
        carnet_buf_append_slice(out, label);
    }
}

static bool is_shown(struct cli *cli, const struct carnet_cell *cell)
{
    const struct carnet_field_def *def = carnet_field_by_number(carnet_replica_charter(cli->node->replica), cell->field);
    return !def || def->shown;
}

static const char *book_name(struct cli *cli, const struct carnet_id *book)
{
    for (size_t i = 0; i < carnet_replica_book_count(cli->node->replica); i++)
        if (carnet_id_equal(&carnet_replica_book_at(cli->node->replica, i)->id, book))
            return carnet_replica_book_at(cli->node->replica, i)->name;
    return "?";
}

/* Several choices are an array. */
static json_t *value_of(struct cli *cli, const struct carnet_cell *cell)
{
    const struct carnet_field_def *def = carnet_field_by_number(carnet_replica_charter(cli->node->replica), cell->field);
    struct carnet_slice value = cell->siblings[0]->value;
    if (!def || !def->custom || def->type != CARNET_FIELD_TYPE_CHOICES)
        return cli_string(value);
    json_t *list = json_array();
    for (size_t at = 0, end; at < value.len; at = end + 2) {
        for (end = at; end < value.len && !(value.ptr[end] == ';' && end + 1 < value.len && value.ptr[end + 1] == ' ');)
            end++;
        json_array_append_new(list, cli_string(carnet_slice(value.ptr + at, end - at)));
    }
    return list;
}

json_t *cli_contact(struct cli *cli, const struct carnet_view *view)
{
    struct carnet_buf name;
    json_t *object = json_object(), *fields = json_object(), *tags = json_array(), *conflicts = json_array();
    carnet_buf_init(&name, 512);
    for (size_t i = 0; i < view->cell_count; i++) {
        const struct carnet_cell *cell = &view->cells[i];
        if (cell->field == CARNET_FIELD_TAG) {
            json_array_append_new(tags, cli_string(cell->label));
            continue;
        }
        if (!is_shown(cli, cell))
            continue;
        carnet_buf_clear(&name);
        cli_field_name(cli, cell->field, cell->label, &name);
        /* an emptied sibling may be the newest one: shown as the empty text that it is */
        json_object_set_new(fields, carnet_buf_cstr(&name), value_of(cli, cell));
        if (cell->conflict)
            json_array_append_new(conflicts, json_string(carnet_buf_cstr(&name)));
    }
    json_object_set_new(object, "id", json_string(carnet_id_text(&view->id).s));
    json_object_set_new(object, "book", json_string(book_name(cli, &view->book)));
    json_object_set_new(object, "fields", fields);
    json_object_set_new(object, "tags", tags);
    json_object_set_new(object, "blocked", cli_scopes(view->blocked));
    json_object_set_new(object, "dark", cli_scopes(view->dark));
    json_object_set_new(object, "locked", cli_scopes(view->locked));
    json_object_set_new(object, "conflicts", conflicts);
    if (view->record_count > 1) { /* one person of several contacts: their ids lead here */
        json_t *also = json_array();
        for (size_t i = 1; i < view->record_count; i++)
            json_array_append_new(also, json_string(carnet_id_text(&view->records[i].record->id).s));
        json_object_set_new(object, "also", also);
    }
    carnet_buf_deinit(&name);
    return object;
}

static struct carnet_slice first_of(const struct carnet_view *view, uint32_t field)
{
    for (size_t i = 0; i < view->cell_count; i++)
        if (view->cells[i].field == field && view->cells[i].siblings[0]->value.len)
            return view->cells[i].siblings[0]->value;
    return CARNET_SLICE_NONE;
}

static void person_name(const struct carnet_view *view, struct carnet_buf *out)
{
    struct carnet_slice given = first_of(view, CARNET_FIELD_GIVEN), family = first_of(view, CARNET_FIELD_FAMILY);
    if (!family.len)
        family = first_of(view, CARNET_FIELD_BIRTH_NAME);
    carnet_buf_append_slice(out, given);
    if (given.len && family.len)
        carnet_buf_append_byte(out, ' ');
    carnet_buf_append_slice(out, family);
}

void cli_columns(struct carnet_slice text, size_t columns, bool cut, struct carnet_buf *out)
{
    struct carnet_buf line;
    carnet_buf_init(&line, 40000);
    cli_indented(text, 0, &line);
    text = carnet_buf_slice(&line);
    size_t width = carnet_text_width(text), len = text.len;
    if (width > columns && cut) {
        while (len && carnet_text_width(carnet_slice(text.ptr, len)) > columns - 1)
            do
                len--;
            while (len && (text.ptr[len] & 0xc0) == 0x80);
        carnet_buf_append(out, text.ptr, len);
        carnet_buf_append_str(out, "…");
        width = carnet_text_width(carnet_slice(text.ptr, len)) + 1;
    } else {
        carnet_buf_append_slice(out, text);
    }
    for (; width < columns; width++)
        carnet_buf_append_byte(out, ' ');
    carnet_buf_deinit(&line);
}

void cli_indented(struct carnet_slice text, size_t indent, struct carnet_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\n' && text.ptr[i] != '\t') {
            carnet_buf_append_byte(out, text.ptr[i]);
            continue;
        }
        carnet_buf_append_byte(out, text.ptr[i] == '\n' && indent ? '\n' : ' ');
        for (size_t j = 0; text.ptr[i] == '\n' && j < indent; j++)
            carnet_buf_append_byte(out, ' ');
    }
}

void cli_line(struct cli *cli, struct carnet_buf *line)
{
    while (line->len && line->ptr[line->len - 1] == ' ')
        line->len--;
    cli_print(cli, "%s\n", carnet_buf_cstr(line));
    carnet_buf_clear(line);
}

void cli_contact_line(struct cli *cli, const struct carnet_view *view)
{
    struct carnet_buf line, name;
    /* a narrow terminal has no room for the town beside the e-mail address */
    bool narrow = cli->io->out_tty && cli->io->columns < 100;
    if (cli->io->json)
        return;
    carnet_buf_init(&line, 64 * 1024);
    carnet_buf_init(&name, 40000);
    person_name(view, &name);
    carnet_buf_printf(&line, "%s  ", carnet_id_text(&view->id).s);
    cli_columns(carnet_buf_slice(&name), narrow ? 24 : 26, true, &line);
    if (!narrow) {
        carnet_buf_append_str(&line, "  ");
        cli_columns(first_of(view, CARNET_FIELD_CITY), 16, true, &line);
    }
    carnet_buf_append_str(&line, "  ");
    cli_columns(first_of(view, CARNET_FIELD_PHONE), 13, false, &line);
    carnet_buf_append_str(&line, "  ");
    cli_indented(first_of(view, CARNET_FIELD_EMAIL), 0, &line);
    cli_line(cli, &line);
    carnet_buf_deinit(&name);
    carnet_buf_deinit(&line);
}

void cli_field_line(struct cli *cli, struct carnet_slice name, struct carnet_slice value, const char *after)
{
    struct carnet_buf line;
    carnet_buf_init(&line, SIZE_MAX / 2); /* a value of line breaks alone grows with its indent */
    carnet_buf_append_str(&line, "  ");
    cli_columns(name, 18, false, &line);
    carnet_buf_append_byte(&line, ' ');
    cli_indented(value, 21, &line);
    carnet_buf_append_str(&line, after);
    cli_line(cli, &line);
    carnet_buf_deinit(&line);
}

static void print_scopes(struct cli *cli, const char *what, uint32_t scopes)
{
    struct carnet_buf names;
    if (!scopes)
        return;
    carnet_buf_init(&names, 256);
    for (unsigned scope = 1; scope < CARNET_SCOPE_COUNT; scope++)
        if (scopes & 1u << scope)
            carnet_buf_printf(&names, "%s%s", names.len ? ", " : "", carnet_scope_name((enum carnet_scope)scope));
    cli_print(cli, _("  %s: %s\n"), carnet_tr(cli->io->lang, what), carnet_buf_cstr(&names));
    carnet_buf_deinit(&names);
}

static bool said_before(const struct carnet_cell *cell, size_t sibling)
{
    for (size_t i = 0; i < sibling; i++)
        if (carnet_slice_equal(cell->siblings[i]->value, cell->siblings[sibling]->value))
            return true;
    return false;
}

void cli_contact_text(struct cli *cli, const struct carnet_view *view)
{
    struct carnet_buf name, tags;
    if (cli->io->json)
        return;
    carnet_buf_init(&name, 40000);
    carnet_buf_init(&tags, 16384);
    person_name(view, &name);
    cli_print(cli, "%s  (%s, %s)\n", name.len ? carnet_buf_cstr(&name) : "-", carnet_id_text(&view->id).s, book_name(cli, &view->book));
    for (size_t i = 0; i < view->cell_count; i++) {
        const struct carnet_cell *cell = &view->cells[i];
        if (cell->field == CARNET_FIELD_TAG) {
            carnet_buf_append_str(&tags, tags.len ? ", " : "");
            cli_indented(cell->label, 0, &tags);
        }
        if (cell->field == CARNET_FIELD_TAG || !is_shown(cli, cell))
            continue;
        carnet_buf_clear(&name);
        cli_field_name(cli, cell->field, cell->label, &name);
        cli_field_line(cli, carnet_buf_slice(&name), cell->siblings[0]->value, "");
        if (cell->conflict)
            for (size_t s = 1; s < cell->count; s++)
                if (!said_before(cell, s))
                    cli_field_line(cli, CARNET_SLICE_NONE, cell->siblings[s]->value, carnet_tr(cli->io->lang, _("   (in conflict: carnet conflicts)")));
    }
    if (tags.len)
        cli_field_line(cli, carnet_slice_str(carnet_tr(cli->io->lang, _("tags"))), carnet_buf_slice(&tags), "");
    print_scopes(cli, _("blocked (the person does not agree, or not any more)"), view->blocked);
    print_scopes(cli, _("dark (the key was destroyed: nobody reads it again)"), view->dark);
    print_scopes(cli, _("locked (this node does not hold the key)"), view->locked);
    if (view->restricted)
        cli_print(cli, _("  restricted: kept, but not used\n"));
    for (size_t i = 1; i < view->record_count; i++)
        cli_print(cli, _("  merged with: %s\n"), carnet_id_text(&view->records[i].record->id).s);
    carnet_buf_deinit(&tags);
    carnet_buf_deinit(&name);
}

carnet_rc cli_view(struct cli *cli, const char *word, struct carnet_arena *arena, struct carnet_view *out)
{
    carnet_rc rc = carnet_replica_view_text(cli->node->replica, carnet_slice_str(word), arena, out, &cli->err);
    if (rc == CARNET_USAGE && !cli->err.hint[0])
        carnet_err_hint(&cli->err, "an id, or its beginning, has at least 4 letters and digits: `carnet find` shows them");
    else if (rc == CARNET_NOT_FOUND && !cli->err.hint[0])
        carnet_err_hint(&cli->err, "`carnet find` shows the ids");
    return rc;
}

carnet_rc cli_book(struct cli *cli, const struct carnet_book **out)
{
    const char *name = cli_value(cli, "book");
    if (name && !*name)
        return carnet_err_set(&cli->err, CARNET_USAGE, "--%s is empty", "book");
    return carnet_replica_book_find(cli->node->replica, carnet_slice_str(name), out, &cli->err);
}

carnet_rc cli_ground(struct cli *cli, struct carnet_ground *ground)
{
    const char *basis = cli_value(cli, "basis"), *collected = cli_value(cli, "collected"), *until = cli_value(cli, "until");
    carnet_rc rc = CARNET_OK;
    *ground = (struct carnet_ground){ .basis = CARNET_BASIS_CONSENT, .source = carnet_slice_str(cli_value(cli, "source")),
                                      .proof = carnet_slice_str(cli_value(cli, "proof")), .channel = carnet_slice_str(cli_value(cli, "channel")),
                                      .method = carnet_slice_str(cli_value(cli, "method")), .wording = carnet_slice_str(cli_value(cli, "wording")),
                                      .direct = carnet_slice_str(cli_value(cli, "direct")), .age_band = carnet_slice_str(cli_value(cli, "age-band")) };
    if (basis && !carnet_basis_find(carnet_slice_str(basis), &ground->basis)) {
        carnet_err_set(&cli->err, CARNET_USAGE, "there is no basis \"%.60s\"", basis);
        carnet_err_hint(&cli->err, "consent, legitimate-interest, explicit-consent, member or roll");
        return CARNET_USAGE;
    }
    if (collected)
        rc = carnet_date_parse(carnet_slice_str(collected), &ground->collected_ms, &cli->err);
    if (!rc && collected && ground->collected_ms > carnet_replica_wall_ms(cli->node->replica))
        rc = carnet_err_set(&cli->err, CARNET_USAGE, "--collected %s is in the future", collected);
    if (!rc && until)
        rc = carnet_date_parse(carnet_slice_str(until), &ground->until_ms, &cli->err);
    if (!rc && until && ground->until_ms <= carnet_replica_wall_ms(cli->node->replica))
        rc = carnet_err_set(&cli->err, CARNET_USAGE, "--until %s is in the past", until);
    return rc;
}

carnet_rc cli_scopes_given(struct cli *cli, const char *option, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < cli->given_count; i++) {
        if (strcmp(cli->given[i].option->name, option) != 0)
            continue;
        enum carnet_scope scope = carnet_scope_find(carnet_slice_str(cli->given[i].value));
        if (scope == CARNET_SCOPE_CLEAR) {
            carnet_err_set(&cli->err, CARNET_USAGE, "there is no scope \"%.60s\"", cli->given[i].value);
            carnet_err_hint(&cli->err, "identity, email, phone, postal, social, opinion, notes or consent");
            return CARNET_USAGE;
        }
        *out |= 1u << scope;
    }
    return CARNET_OK;
}
