// SPDX-License-Identifier: EUPL-1.2
#include "cli.h"

#include "carnet/people/charter.h"
#include "carnet/people/imports.h"
#include "carnet/people/merge.h"
#include "carnet/people/rows.h"

#include <stdio.h>
#include <string.h>

enum { MAPS_MAX = 64, GRANTS_MAX = 32 };

struct progress {
    struct cli *cli;
    int shown; /* percent, or thousands of rows of a pipe */
};

static bool progress(void *ctx, uint64_t rows, uint64_t bytes, uint64_t total)
{
    struct progress *p = ctx;
    struct cli *cli = p->cli;
    if (cli->io->err_tty && !cli->io->quiet) {
        int now = total ? (int)(bytes * 100 / total) : (int)(rows / 1000);
        if (now != p->shown) {
            /* the line is written over; %% and K tell which of the two it is */
            if (total)
                carnet_buf_printf(&cli->io->err, "\r%3d %%  %llu", now, (unsigned long long)rows);
            else
                carnet_buf_printf(&cli->io->err, "\r%llu", (unsigned long long)rows);
            p->shown = now;
            carnet_io_flush(cli->io);
        }
    }
    if (cli->node->breathe)
        cli->node->breathe(cli->node, 0);
    return !cli->node->cancelled || !cli->node->cancelled(cli->node);
}

static carnet_rc open_rows(struct cli *cli, struct cli_sealed **sealed, struct carnet_rows_input *input, struct carnet_rows **out)
{
    struct carnet_rows_map maps[MAPS_MAX];
    const char *texts[MAPS_MAX];
    const char *format = cli_value(cli, "format");
    struct carnet_rows_options options = { .charter = carnet_replica_charter(cli->node->replica), .format = CARNET_ROWS_AUTO, .lang = cli->io->lang, .name = cli->words[0], .maps = maps, .map_count = cli_values(cli, "map", texts, MAPS_MAX) };
    if (format && strcmp(format, "csv") == 0)
        options.format = CARNET_ROWS_CSV;
    else if (format && strcmp(format, "vcard") == 0)
        options.format = CARNET_ROWS_VCARD;
    else if (format && strcmp(format, "json") == 0)
        options.format = CARNET_ROWS_JSON;
    else if (format && strcmp(format, "auto") != 0)
        return carnet_err_set(&cli->err, CARNET_USAGE, "--format is auto, csv, vcard or json");
    for (size_t i = 0; i < options.map_count; i++) {
        /* the last one: a column's name may hold a sign */
        const char *equal = strrchr(texts[i], '=');
        if (!equal || equal == texts[i]) {
            carnet_err_set(&cli->err, CARNET_USAGE, "--map %.60s: COLUMN=FIELD is due", texts[i]);
            return CARNET_USAGE;
        }
        maps[i] = (struct carnet_rows_map){ carnet_slice(texts[i], (size_t)(equal - texts[i])), carnet_slice_str(equal + 1) };
    }
    int fd = cli_file(cli, cli->words[0]);
    CARNET_ASSERT(fd >= 0);
    if (!cli_is_sealed(fd))
        return carnet_rows_open(fd, &options, out, &cli->err);
    carnet_rc rc = cli_sealed_open(cli, fd, cli->words[0], sealed);
    *input = (struct carnet_rows_input){ cli_sealed_read, *sealed };
    return rc ? rc : carnet_rows_open_input(input, &options, out, &cli->err);
}

/* What a target that is no field means. */
static const char *target_words(const char *target)
{
    static const struct {
        const char *start, *words;
    } table[] = { { "consent:", _("  (yes: they agreed)") },
                  { "object:", _("  (they refuse)") },
                  { "consent-date", _("  (when they agreed)") },
                  { "consent-address", _("  (from which network address they agreed)") },
                  { "confirm-date", _("  (when they confirmed)") },
                  { "confirm-address", _("  (from which network address they confirmed)") },
                  { "object-date", _("  (when they refused)") },
                  { "source_id/", _("  (by which a row is known again)") },
                  { "label of ", _("  (what kind it is)") },
                  { "name", _("  (given name, family name)") },
                  { "name-reversed", _("  (family name, given name)") },
                  { "title", _("  (Mr or Mrs: the gender)") } };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t len = strlen(table[i].start);
        bool open = strchr(":/ ", table[i].start[len - 1]) != NULL; /* something follows */
        if (open ? strncmp(target, table[i].start, len) == 0 : strcmp(target, table[i].start) == 0)
            return table[i].words;
    }
    return NULL;
}

static void column_line(struct cli *cli, const char *name, const char *target)
{
    static const char label_of[] = "label of ";
    const char *words = target ? target_words(target) : NULL;
    struct carnet_buf line;
    if (target && strncmp(target, label_of, sizeof label_of - 1) == 0)
        target += sizeof label_of - 1;
    carnet_buf_init(&line, 64 * 1024);
    carnet_buf_append_str(&line, "  ");
    cli_columns(carnet_slice_str(name), target ? 32 : 0, false, &line);
    carnet_buf_append_byte(&line, ' ');
    cli_indented(carnet_slice_str(target ? target : ""), 0, &line);
    if (words)
        carnet_buf_append_str(&line, carnet_tr(cli->io->lang, words));
    cli_line(cli, &line);
    carnet_buf_deinit(&line);
}

/* Fields of a community's own come with its export: an admin makes those that are missing here, as long as the import is for good. Others are told what is left out. */
static carnet_rc own_fields(struct cli *cli, struct carnet_rows *rows, bool dry)
{
    struct carnet_rows_field field;
    for (size_t i = 0; carnet_rows_own_field(rows, i, &field); i++) {
        const struct carnet_field_wish wish = { field.name, field.type, field.scope, field.choices, field.choice_count };
        if (carnet_field_by_name(carnet_replica_charter(cli->node->replica), field.name))
            continue;
        if (dry) {
            cli_say(cli, _("the import makes this field first (an admin's does): %.*s (%.*s)\n"), (int)field.name.len, (const char *)field.name.ptr, (int)field.type.len,
                    (const char *)field.type.ptr);
            continue;
        }
        struct carnet_err err = { .lang = cli->err.lang };
        carnet_rc rc = carnet_people_field_add(cli->node->replica, &wish, &err);
        if (rc == CARNET_REFUSED) /* not an admin: what the file has of it is listed as left out */
            return CARNET_OK;
        if (rc) {
            cli->err = err;
            return rc;
        }
        cli_say(cli, _("made the field that the file describes: %.*s (%.*s)\n"), (int)field.name.len, (const char *)field.name.ptr, (int)field.type.len,
                (const char *)field.type.ptr);
    }
    return CARNET_OK;
}

/* What the file has and nobody will find here. */
static void say_unmapped(struct cli *cli, struct carnet_rows *rows, json_t *object)
{
    json_t *list = json_array();
    struct carnet_buf names;
    const char *name, *target;
    carnet_buf_init(&names, 64 * 1024);
    for (size_t i = 0; carnet_rows_column(rows, i, &name, &target); i++) {
        if (target)
            continue;
        json_array_append_new(list, cli_string(carnet_slice_str(name)));
        carnet_buf_append_str(&names, names.len ? ", " : "");
        cli_indented(carnet_slice_str(name), 0, &names);
    }
    json_object_set_new(object, "unmapped", list);
    if (names.len && !names.failed)
        cli_say(cli, _("columns that were not imported (--dry-run says how to keep them): %s\n"), carnet_buf_cstr(&names));
    carnet_buf_deinit(&names);
}

/* Those without a field come last, with the way to keep them. */
static void show_columns(struct cli *cli, struct carnet_rows *rows)
{
    const char *name, *target;
    for (int left_out = 0; left_out < 2; left_out++) {
        bool any = false;
        for (size_t i = 0; carnet_rows_column(rows, i, &name, &target); i++) {
            if ((target == NULL) != (left_out == 1))
                continue;
            if (!any)
                cli_print(cli, left_out ? _("columns that are not imported:\n") : _("columns, and the fields that they go to:\n"));
            any = true;
            column_line(cli, name, target);
        }
        if (any && left_out) {
            cli_print(cli, _("to keep one: `carnet field add NAME --type text` (or date, number, choice...), then import with --map \"COLUMN=NAME\"\n"));
            cli_print(cli, _("one that says who agreed: --map \"COLUMN=consent:newsletter\"; who refused: --map \"COLUMN=object:newsletter\"\n"));
        }
    }
}

struct unread {
    uint64_t line;
    struct carnet_slice file, reason;
};

static void show_unread(struct cli *cli, const struct unread *unread, size_t count)
{
    cli_print(cli, _("rows that cannot be read:\n"));
    for (size_t i = 0; i < count; i++) {
        if (unread[i].file.len)
            cli_print(cli, _("  %.*s, line %llu: %.*s\n"), (int)unread[i].file.len, (const char *)unread[i].file.ptr, (unsigned long long)unread[i].line,
                      (int)unread[i].reason.len, (const char *)unread[i].reason.ptr);
        else
            cli_print(cli, _("  line %llu: %.*s\n"), (unsigned long long)unread[i].line, (int)unread[i].reason.len, (const char *)unread[i].reason.ptr);
    }
}

static carnet_rc dry_run(struct cli *cli, struct carnet_rows *rows)
{
    enum { REASONS_SHOWN = 5 };
    struct unread unread[REASONS_SHOWN];
    struct carnet_arena arena;
    struct carnet_row row;
    uint64_t count = 0, rejected = 0;
    carnet_rc rc;
    carnet_arena_init(&arena);
    while ((rc = carnet_rows_next(rows, &row, &cli->err)) == CARNET_OK) {
        count++;
        if (row.reason && rejected++ < REASONS_SHOWN)
            unread[rejected - 1] = (struct unread){ row.line, carnet_arena_dup(&arena, carnet_slice_str(row.file)), carnet_arena_dup(&arena, carnet_slice_str(row.reason)) };
        if (cli->node->breathe && count % 1000 == 0)
            cli->node->breathe(cli->node, 0);
    }
    if (rc != CARNET_NOT_FOUND)
        goto out;
    rc = CARNET_OK;
    if (cli->io->json) {
        struct carnet_buf mapping;
        carnet_buf_init(&mapping, 4 << 20);
        carnet_rows_mapping(rows, &mapping);
        carnet_buf_printf(&cli->io->out, "{\"rows\":%llu,%s,\"rejected\":%llu}\n", (unsigned long long)count, carnet_buf_cstr(&mapping), (unsigned long long)rejected);
        carnet_buf_deinit(&mapping);
        goto out;
    }
    cli_print(cli, _("rows: %llu, unreadable: %llu; nothing is written\n"), (unsigned long long)count, (unsigned long long)rejected);
    show_columns(cli, rows);
    if (rejected)
        show_unread(cli, unread, rejected < REASONS_SHOWN ? (size_t)rejected : REASONS_SHOWN);
    if (rejected > REASONS_SHOWN)
        cli_print(cli, _("... and %llu more: the import writes them all, with their reasons, into FILE.rejected\n"), (unsigned long long)(rejected - REASONS_SHOWN));
out:
    carnet_arena_deinit(&arena);
    return rc;
}

carnet_rc cli_check_import(struct cli *cli)
{
    const char *basis = cli_value(cli, "basis");
    bool roll = basis && strcmp(basis, "roll") == 0;
    if (cli_flag(cli, "dry-run"))
        return CARNET_OK;
    if (cli_flag(cli, "source") && cli_flag(cli, "collected") && basis) {
        if (roll == cli_flag(cli, "ballot"))
            return CARNET_OK;
        if (!roll)
            return carnet_err_set(&cli->err, CARNET_USAGE, "--ballot goes with --basis roll alone");
        carnet_err_set(&cli->err, CARNET_USAGE, "the import of an electoral roll needs --ballot");
        carnet_err_hint(&cli->err, "the day of the ballot that it serves (YYYY-MM-DD): what comes from the roll is used until then, for post and at the door");
        return CARNET_USAGE;
    }
    carnet_err_set(&cli->err, CARNET_USAGE, "an import needs --source, --collected and --basis");
    carnet_err_hint(&cli->err, "where the file comes from, the day it was collected (YYYY-MM-DD), and what allows it; --dry-run only looks");
    return CARNET_USAGE;
}

/* What was left out, and what would have let it in. */
static void say_uncovered(struct cli *cli, const struct carnet_import_result *r, enum carnet_basis basis)
{
    const struct carnet_charter *charter = carnet_replica_charter(cli->node->replica);
    if (basis == CARNET_BASIS_ROLL) {
        cli_say(cli, _("values left out, since an electoral roll serves for post and at the door alone: %llu\n"), (unsigned long long)r->uncovered);
        return;
    }
    cli_say(cli, _("values left out, since no purpose that these people agreed to covers them: %llu\n"), (unsigned long long)r->uncovered);
    for (unsigned scope = 0; scope < CARNET_SCOPE_COUNT; scope++) {
        const struct carnet_purpose_def *def;
        struct carnet_buf purposes;
        if (!r->uncovered_in[scope])
            continue;
        carnet_buf_init(&purposes, 4096);
        for (size_t i = 0; (def = carnet_purpose_at(charter, i)); i++)
            if (!def->retired && def->scopes >> scope & 1 && (!def->bases || def->bases >> basis & 1))
                carnet_buf_printf(&purposes, "%s%s", purposes.len ? ", " : "", def->name);
        cli_say(cli, _("  %s: %llu; if they agreed to it, --grant one of: %s\n"), carnet_scope_name((enum carnet_scope)scope), (unsigned long long)r->uncovered_in[scope],
                purposes.len ? carnet_buf_cstr(&purposes) : "-");
        carnet_buf_deinit(&purposes);
    }
}

int cmd_import(struct cli *cli)
{
    struct carnet_slice grants[GRANTS_MAX];
    struct carnet_import_result r;
    struct progress state = { cli, -1 };
    struct carnet_import_options options = { .grants = grants, .progress = progress, .ctx = &state, .rejects_fd = -1 };
    const struct carnet_book *book;
    struct carnet_rows *rows = NULL;
    struct cli_sealed *sealed = NULL;
    struct carnet_rows_input input;
    const char *rejects = cli_value(cli, "rejects");
    carnet_rc rc = CARNET_OK;
    rc = cli_ground(cli, &options.ground);
    if (!rc && cli_flag(cli, "ballot"))
        rc = carnet_date_parse(carnet_slice_str(cli_value(cli, "ballot")), &options.ballot_ms, &cli->err);
    if (!rc)
        rc = cli_book(cli, &book);
    if (!rc)
        rc = open_rows(cli, &sealed, &input, &rows);
    if (rc) {
        cli_sealed_close(sealed);
        return cli_fail(cli);
    }
    rc = own_fields(cli, rows, cli_flag(cli, "dry-run"));
    if (rc) {
        carnet_rows_close(rows);
        cli_sealed_close(sealed);
        return cli_fail(cli);
    }
    if (cli_flag(cli, "dry-run")) {
        rc = dry_run(cli, rows);
        carnet_rows_close(rows);
        cli_sealed_close(sealed);
        return rc ? cli_fail(cli) : 0;
    }
    options.book = book->id;
    const char *slash = strrchr(cli->words[0], '/');
    options.file = carnet_slice_str(slash ? slash + 1 : cli->words[0]);
    options.grant_count = cli_slices(cli, "grant", grants, GRANTS_MAX);
    if (rejects)
        options.rejects_fd = cli_file_out(cli, rejects);
    const struct carnet_duplicates_options compare = { .progress = cli_comparing, .ctx = cli };
    rc = carnet_people_duplicates_update(cli->node->replica, &compare, NULL, &cli->err); /* so that what comes after is due to the file */
    if (!rc)
        rc = carnet_people_import(cli->node->replica, rows, &options, &r, &cli->err);
    if (state.shown >= 0)
        carnet_buf_append_str(&cli->io->err, "\r                              \r");
    if (!rc) { /* r.duplicates: the proposals that its rows brought */
        rc = carnet_people_duplicates_update(cli->node->replica, &compare, &r.duplicates, &cli->err);
        if (state.shown >= 0)
            carnet_buf_append_str(&cli->io->err, "\r                              \r");
    }
    if (rc) {
        carnet_rows_close(rows);
        cli_sealed_close(sealed);
        return cli_fail(cli);
    }
    json_t *object = json_object();
    json_object_set_new(object, "import", json_string(carnet_id_text(&r.import).s));
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = { { "rows", r.rows },         { "created", r.created }, { "updated", r.updated },     { "unchanged", r.unchanged },  { "rejected", r.rejected },
                    { "suppressed", r.suppressed }, { "refused", r.refused }, { "uncovered", r.uncovered }, { "duplicates", r.duplicates } };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        json_object_set_new(object, numbers[i].name, json_integer((json_int_t)numbers[i].value));
    json_object_set_new(object, "seconds", json_real((double)r.ms / 1000));
    cli_say(cli, _("rows: %llu; created: %llu, updated: %llu, unchanged: %llu, rejected: %llu\n"), (unsigned long long)r.rows, (unsigned long long)r.created,
            (unsigned long long)r.updated, (unsigned long long)r.unchanged, (unsigned long long)r.rejected);
    if (r.duplicates)
        cli_say(cli, _("pairs that may be one person: %llu (carnet duplicates)\n"), (unsigned long long)r.duplicates);
    if (r.suppressed)
        cli_say(cli, _("rows left out, since those people refused every use: %llu\n"), (unsigned long long)r.suppressed);
    if (r.refused)
        cli_say(cli, _("agreements that were not recorded, since those people had refused: %llu\n"), (unsigned long long)r.refused);
    if (r.uncovered)
        say_uncovered(cli, &r, options.ground.basis);
    say_unmapped(cli, rows, object);
    cli_json(cli, object);
    carnet_rows_close(rows);
    cli_sealed_close(sealed);
    if (r.rejected && rejects && options.rejects_fd >= 0)
        cli_say(cli, _("the rejected rows are in %s, each with its reason: correct them there and import that file\n"), rejects);
    return 0;
}

/* --- what was imported --- */

static struct carnet_slice line_of(const struct carnet_imported *imported, const char *key)
{
    return carnet_imported_get(imported->text, key);
}

static json_t *number_of(const struct carnet_imported *imported, const char *key)
{
    struct carnet_slice text = line_of(imported, key);
    json_int_t number = 0;
    for (size_t i = 0; i < text.len && i < 18 && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        number = number * 10 + (text.ptr[i] - '0');
    return json_integer(number);
}

static json_t *string_of(const struct carnet_imported *imported, const char *key)
{
    struct carnet_slice text = line_of(imported, key);
    return text.len ? cli_string(text) : json_null();
}

static bool each_imported(void *ctx, const struct carnet_imported *imported)
{
    static const char *const texts[] = { "source", "collected", "basis", "ballot", "grants", "file" };
    static const char *const numbers[] = { "rows", "created", "updated", "unchanged", "rejected", "suppressed", "refused", "uncovered", "duplicates" };
    static const char *const states[] = { _("done"), _("interrupted"), _("undone"), _("running") };
    struct cli *cli = ctx;
    struct carnet_buf by, line;
    carnet_buf_init(&by, 1024);
    carnet_people_by(cli->node->replica, &imported->dot, &by);
    if (cli->io->json) {
        json_t *object = json_object();
        json_object_set_new(object, "id", json_string(carnet_id_text(&imported->id).s));
        json_object_set_new(object, "at", cli_time(imported->at_ms));
        json_object_set_new(object, "by", cli_string(carnet_buf_slice(&by)));
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            json_object_set_new(object, texts[i], string_of(imported, texts[i]));
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
            json_object_set_new(object, numbers[i], number_of(imported, numbers[i]));
        json_object_set_new(object, "state", json_string(carnet_imported_state_name(imported->state)));
        cli_json(cli, object);
        carnet_buf_deinit(&by);
        return true;
    }
    carnet_buf_init(&line, 64 * 1024);
    carnet_buf_append_str(&line, carnet_id_text(&imported->id).s);
    carnet_buf_append_str(&line, "  ");
    struct carnet_buf at;
    carnet_buf_init(&at, 64);
    carnet_time_format(imported->at_ms, &at);
    carnet_buf_append_slice(&line, carnet_buf_slice(&at));
    carnet_buf_deinit(&at);
    carnet_buf_append_str(&line, "  ");
    cli_columns(carnet_buf_slice(&by), 16, true, &line);
    carnet_buf_append_str(&line, "  ");
    cli_columns(carnet_slice_str(carnet_tr(cli->io->lang, states[imported->state])), 12, false, &line);
    carnet_buf_append_str(&line, "  ");
    for (size_t i = 0; i < 3; i++) {
        static const char *const keys[] = { "rows", "created", "updated" };
        static const char *const words[] = { _("rows"), _("created"), _("updated") };
        carnet_buf_append_slice(&line, line_of(imported, keys[i]));
        carnet_buf_append_byte(&line, ' ');
        carnet_buf_append_str(&line, carnet_tr(cli->io->lang, words[i]));
        carnet_buf_append_str(&line, i < 2 ? ", " : "  ");
    }
    cli_indented(line_of(imported, "source"), 0, &line);
    cli_line(cli, &line);
    carnet_buf_deinit(&line);
    carnet_buf_deinit(&by);
    return true;
}

int cmd_imports(struct cli *cli)
{
    return carnet_people_imports(cli->node->replica, each_imported, cli, &cli->err) ? cli_fail(cli) : 0;
}

static bool undo_progress(void *ctx, uint64_t done, uint64_t total)
{
    return progress(ctx, 0, done, total);
}

int cmd_imports_undo(struct cli *cli)
{
    struct carnet_imported imported;
    struct carnet_undo_result r = { 0 };
    struct progress state = { cli, -1 };
    struct carnet_arena arena;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_people_imported(cli->node->replica, carnet_slice_str(cli->words[0]), &arena, &imported, &cli->err);
    bool before = !rc && imported.state == CARNET_IMPORTED_UNDONE;
    if (!rc)
        rc = carnet_people_import_undo(cli->node->replica, &imported, undo_progress, &state, &r, &cli->err);
    if (state.shown >= 0)
        carnet_buf_append_str(&cli->io->err, "\r                              \r");
    if (!rc) {
        json_t *object = json_object();
        json_object_set_new(object, "import", json_string(carnet_id_text(&imported.id).s));
        json_object_set_new(object, "erased", json_integer((json_int_t)r.erased));
        json_object_set_new(object, "restored", json_integer((json_int_t)r.restored));
        json_object_set_new(object, "kept", json_integer((json_int_t)r.kept));
        json_object_set_new(object, "blocked", json_integer((json_int_t)r.blocked));
        json_object_set_new(object, "seconds", json_real((double)r.ms / 1000));
        cli_json(cli, object);
        if (before)
            cli_say(cli, _("this import was undone before: nothing to do\n"));
        else
            cli_say(cli, _("undone: %llu contacts erased, %llu stay without what the import wrote\n"), (unsigned long long)r.erased, (unsigned long long)r.restored);
        if (r.kept)
            cli_say(cli, _("of these, %llu keep something of it, since what others wrote rests on it, or since they refused something and have to stay known\n"),
                    (unsigned long long)r.kept);
        if (r.blocked)
            cli_say(cli, _("values of it that are blocked, and stay so until their keys are destroyed: %llu\n"), (unsigned long long)r.blocked);
    }
    carnet_arena_deinit(&arena);
    return rc ? cli_fail(cli) : 0;
}

int cmd_consent_invalidate(struct cli *cli)
{
    struct carnet_arena arena;
    struct carnet_view view;
    carnet_arena_init(&arena);
    carnet_rc rc = cli_view(cli, cli->words[0], &arena, &view);
    if (!rc)
        rc = carnet_people_invalidate(cli->node->replica, &view, carnet_slice_str(cli->words[1]), carnet_slice_str(cli_value(cli, "reason")), &cli->err);
    if (!rc)
        cli_done_id(cli, &view.id);
    carnet_arena_deinit(&arena);
    return rc ? cli_fail(cli) : 0;
}
