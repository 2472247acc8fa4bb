// SPDX-License-Identifier: EUPL-1.2
/* What the law asks of an office: audit, restrict, access, tasks, purge, register. */
#include "cli.h"

#include "carnet/people/law.h"
#include "carnet/replica/audit.h"
#include "carnet/sys/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* --- audit --- */

static bool each_audit(void *ctx, const struct carnet_audit_item *item)
{
    struct cli *cli = ctx;
    struct carnet_buf at, line;
    const char *kind = carnet_audit_kind_name(item->kind);
    if (cli->io->json) {
        json_t *object = json_object();
        json_object_set_new(object, "n", json_integer(item->n));
        json_object_set_new(object, "at", cli_time(item->at_ms));
        json_object_set_new(object, "kind", json_string(kind));
        json_object_set_new(object, "detail", cli_string(item->detail));
        json_object_set_new(object, "good", json_boolean(item->good));
        cli_json(cli, object);
        return true;
    }
    carnet_buf_init(&at, 64);
    carnet_buf_init(&line, 4096);
    carnet_time_format(item->at_ms, &at);
    carnet_buf_append_str(&line, item->good ? "  " : "! ");
    carnet_buf_append_slice(&line, carnet_buf_slice(&at));
    carnet_buf_append_str(&line, "  ");
    cli_columns(carnet_slice_str(carnet_tr(cli->io->lang, kind)), 14, false, &line);
    carnet_buf_append_byte(&line, ' ');
    cli_indented(item->detail, 0, &line);
    cli_line(cli, &line);
    carnet_buf_deinit(&line);
    carnet_buf_deinit(&at);
    return true;
}

int cmd_audit(struct cli *cli)
{
    static const char *const kinds[] = { _("unlock"), _("search"), _("import"), _("export"), _("send"), _("consent"), _("erase"), _("administration"), _("access"), _("purge") };
    const char *since = cli_value(cli, "since");
    int64_t since_ms = 0;
    (void)kinds;
    if (since && carnet_date_parse(carnet_slice_str(since), &since_ms, &cli->err))
        return cli_fail(cli);
    if (cli_flag(cli, "prune") && carnet_audit_drop(cli->node->replica, NULL, &cli->err))
        return cli_fail(cli);
    if (carnet_audit_list(cli->node->replica, since_ms, each_audit, cli, &cli->err))
        return cli_fail(cli);
    cli_say(cli, _("the trail is whole: nothing was changed or taken out\n"));
    return 0;
}

/* --- what several do --- */

static bool progress(void *ctx, uint64_t done, uint64_t total)
{
    struct cli *cli = ctx;
    if (cli->io->err_tty && !cli->io->quiet && total) {
        carnet_buf_printf(&cli->io->err, "\r%3d %% ", (int)(done * 100 / total > 100 ? 100 : done * 100 / total));
        carnet_io_flush(cli->io);
    }
    if (cli->node->breathe)
        cli->node->breathe(cli->node, 0);
    return !cli->node->cancelled || !cli->node->cancelled(cli->node);
}

static void progress_end(struct cli *cli)
{
    if (cli->io->err_tty && !cli->io->quiet)
        carnet_buf_append_str(&cli->io->err, "\r        \r");
}

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* Text that was made for people: safe for a terminal, line by line. */
static void print_text(struct cli *cli, const struct carnet_buf *text)
{
    for (size_t at = 0; at < text->len;) {
        const uint8_t *line = text->ptr + at, *end = memchr(line, '\n', text->len - at);
        size_t len = end ? (size_t)(end - line) : text->len - at;
        cli_print(cli, "%.*s\n", (int)len, (const char *)line);
        at += len + 1;
    }
}

static void print_json(struct cli *cli, struct carnet_buf *json)
{
    json_t *object = json_loadb(json->len ? (const char *)json->ptr : "", json->len, 0, NULL);
    CARNET_ASSERT(object != NULL);
    cli_json(cli, object);
}

/* --- restrict, lift --- */

static int on_person(struct cli *cli, carnet_rc (*act)(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_err *err), const char *said, const char *already,
                     bool restricted)
{
    struct carnet_arena arena;
    struct carnet_view view;
    carnet_arena_init(&arena);
    carnet_rc rc = cli_view(cli, cli->words[0], &arena, &view);
    if (!rc)
        rc = act(cli->node->replica, &view, &cli->err);
    int status = rc ? cli_fail(cli) : 0;
    if (!rc) {
        cli_say(cli, "%s\n", carnet_tr(cli->io->lang, view.restricted == restricted ? already : said));
        cli_done_id(cli, &view.id);
    }
    carnet_arena_deinit(&arena);
    return status;
}

int cmd_restrict(struct cli *cli)
{
    return on_person(cli, carnet_people_restrict, _("restricted: kept, and used for nothing on any node that knows"), _("it is restricted already"), true);
}

int cmd_lift(struct cli *cli)
{
    return on_person(cli, carnet_people_lift, _("lifted: what the person agreed to counts again"), _("nothing restricts it"), false);
}

/* --- access --- */

static carnet_rc write_file(struct cli *cli, const char *path, const struct carnet_buf *text)
{
    int fd = cli_file_out(cli, path);
    for (size_t at = 0; fd >= 0 && at < text->len;) {
        ssize_t put = write(fd, text->ptr + at, text->len - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            fd = -1;
        else
            at += (size_t)put;
    }
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL && errno != EROFS))
        return carnet_err_set(&cli->err, CARNET_FAILED, "cannot write %s: %s", path, carnet_errno_text(cli->io->lang, errno));
    return CARNET_OK;
}

static carnet_rc act_access(struct cli *cli, const struct carnet_view *view, struct carnet_buf *json, struct carnet_buf *text)
{
    const char *out = cli_value(cli, "out"), *letter = cli_value(cli, "text"), *received = cli_value(cli, "received");
    int64_t ms;
    if (received) {
        carnet_rc rc = out ? carnet_err_set(&cli->err, CARNET_USAGE, "either --received or --out") : carnet_date_parse(carnet_slice_str(received), &ms, &cli->err);
        if (!rc)
            rc = carnet_people_access_asked(cli->node->replica, view, ms, &cli->err);
        if (!rc) {
            cli_say(cli, _("noted: the answer is due within a month (carnet tasks)\n"));
            cli_done_id(cli, &view->id);
        }
        return rc;
    }
    carnet_rc rc = carnet_people_access(cli->node->replica, view, cli->io->lang, json, text, &cli->err);
    if (!rc && out)
        rc = write_file(cli, out, json);
    if (!rc && letter)
        rc = write_file(cli, letter, text);
    if (rc)
        return rc;
    if (out && cli->io->json) {
        cli_done_id(cli, &view->id);
    } else if (out) {
        cli_say(cli, _("the data are in %s, the letter in %s: give both to the person, nobody else\n"), out, letter);
    } else if (cli->io->json) {
        print_json(cli, json);
    } else if (!letter) {
        print_text(cli, text);
    }
    return rc;
}

int cmd_access(struct cli *cli)
{
    struct carnet_arena arena;
    struct carnet_view view;
    struct carnet_buf json, text;
    carnet_arena_init(&arena);
    carnet_buf_init(&json, 64 << 20);
    carnet_buf_init(&text, 64 << 20);
    carnet_rc rc = cli_view(cli, cli->words[0], &arena, &view);
    if (!rc)
        rc = act_access(cli, &view, &json, &text);
    int status = rc ? cli_fail(cli) : 0;
    carnet_buf_deinit(&text);
    carnet_buf_deinit(&json);
    carnet_arena_deinit(&arena);
    return status;
}

/* --- tasks --- */

static void task_text(struct cli *cli, const struct carnet_task *task)
{
    struct carnet_buf line, due;
    carnet_buf_init(&line, 4096);
    carnet_buf_init(&due, 64);
    if (task->due_ms)
        carnet_time_format(task->due_ms, &due);
    cli_columns(carnet_slice_str(task->id), 22, false, &line);
    carnet_buf_append_byte(&line, ' ');
    cli_columns(carnet_slice_str(task->due_ms ? carnet_tr(cli->io->lang, carnet_task_state_name(task->state)) : ""), 10, false, &line);
    carnet_buf_append_byte(&line, ' ');
    cli_columns(carnet_slice(due.ptr, due.len < 10 ? due.len : 10), 10, false, &line);
    carnet_buf_append_str(&line, "  ");
    switch (task->kind) {
    case CARNET_TASK_INFORM:
        carnet_buf_printf(&line, "%s%llu", carnet_tr(cli->io->lang, _("people to be told that we hold their data, and where from: ")), (unsigned long long)task->people);
        break;
    case CARNET_TASK_ACCESS:
        carnet_buf_append_str(&line, carnet_tr(cli->io->lang, _("the person asked what we hold about them: carnet access")));
        break;
    case CARNET_TASK_COLLECT:
        carnet_buf_append_str(&line, carnet_tr(cli->io->lang, _("the person agrees, and the values are destroyed: ask for them again")));
        break;
    case CARNET_TASK_TELL:
        carnet_buf_append_str(&line, carnet_tr(cli->io->lang, _("somebody erased may be in an export: tell those who have it")));
        break;
    case CARNET_TASK_RETENTION:
        carnet_buf_printf(&line, "%s%llu", carnet_tr(cli->io->lang, _("people whom nothing allows to keep (carnet retention): ")), (unsigned long long)task->people);
        break;
    }
    cli_line(cli, &line);
    carnet_buf_deinit(&due);
    carnet_buf_deinit(&line);
}

static bool each_task(void *ctx, const struct carnet_task *task)
{
    static const char *const states[] = { _("open"), _("reminder"), _("urgent"), _("overdue") };
    struct cli *cli = ctx;
    (void)states;
    if (!cli->io->json) {
        task_text(cli, task);
        return true;
    }
    json_t *object = json_object();
    json_object_set_new(object, "task", json_string(task->id));
    json_object_set_new(object, "kind", json_string(carnet_task_kind_name(task->kind)));
    json_object_set_new(object, "state", json_string(carnet_task_state_name(task->state)));
    json_object_set_new(object, "id", carnet_id_is_zero(&task->contact) ? json_null() : json_string(carnet_id_text(&task->contact).s));
    json_object_set_new(object, "since", cli_time(task->since_ms));
    json_object_set_new(object, "due", cli_time(task->due_ms));
    json_object_set_new(object, "people", number(task->people));
    json_object_set_new(object, "scopes", cli_scopes(task->scopes));
    cli_json(cli, object);
    return true;
}

int cmd_tasks(struct cli *cli)
{
    const struct carnet_walk walk = { .progress = progress, .ctx = cli };
    carnet_rc rc = carnet_people_tasks(cli->node->replica, &walk, each_task, cli, &cli->err);
    progress_end(cli);
    return rc ? cli_fail(cli) : 0;
}

int cmd_tasks_done(struct cli *cli)
{
    const struct carnet_walk walk = { .progress = progress, .ctx = cli };
    uint64_t people = 0;
    carnet_rc rc = carnet_people_task_done(cli->node->replica, carnet_slice_str(cli->words[0]), &walk, &people, &cli->err);
    progress_end(cli);
    if (rc)
        return cli_fail(cli);
    json_t *object = json_object();
    json_object_set_new(object, "task", json_string(cli->words[0]));
    json_object_set_new(object, "people", number(people));
    cli_json(cli, object);
    cli_say(cli, _("done; people: %llu\n"), (unsigned long long)people);
    return 0;
}

/* --- retention, purge --- */

static int retention(struct cli *cli, bool erase)
{
    const struct carnet_walk walk = { .progress = progress, .ctx = cli };
    struct carnet_retention r;
    carnet_rc rc = carnet_people_retention(cli->node->replica, erase, &walk, &r, &cli->err);
    progress_end(cli);
    if (rc)
        return cli_fail(cli);
    json_t *object = json_object();
    json_object_set_new(object, "contacts", number(r.looked));
    for (unsigned i = 0; i < CARNET_STALE_COUNT; i++)
        json_object_set_new(object, carnet_stale_name((enum carnet_stale)i), number(r.stale[i]));
    json_object_set_new(object, "erased", number(r.erased));
    cli_json(cli, object);
    cli_print(cli, _("no word from them for too long: %llu\n"), (unsigned long long)r.stale[CARNET_STALE_SILENT]);
    cli_print(cli, _("every agreement is over: %llu\n"), (unsigned long long)r.stale[CARNET_STALE_ENDED]);
    cli_print(cli, _("every use was refused: %llu\n"), (unsigned long long)r.stale[CARNET_STALE_REFUSED]);
    if (erase)
        cli_print(cli, _("erased: %llu\n"), (unsigned long long)r.erased);
    return 0;
}

int cmd_retention(struct cli *cli)
{
    return retention(cli, false);
}

int cmd_retention_erase(struct cli *cli)
{
    return retention(cli, true);
}

int cmd_purge(struct cli *cli)
{
    const struct carnet_walk walk = { .progress = progress, .ctx = cli };
    struct carnet_purge p;
    bool dry = cli_flag(cli, "dry-run");
    carnet_rc rc = carnet_people_purge(cli->node->replica, carnet_slice_str(cli->words[0]), dry, &walk, &p, &cli->err);
    progress_end(cli);
    if (rc)
        return cli_fail(cli);
    json_t *object = json_object();
    json_object_set_new(object, "ballot", json_string(cli->words[0]));
    json_object_set_new(object, "collected", number(p.collected));
    json_object_set_new(object, "erased", number(p.erased));
    json_object_set_new(object, "kept_members", number(p.kept_member));
    json_object_set_new(object, "kept_agreed", number(p.kept_agreed));
    json_object_set_new(object, "kept_restricted", number(p.kept_restricted));
    json_object_set_new(object, "darkened", number(p.darkened));
    json_object_set_new(object, "dry_run", json_boolean(dry));
    cli_json(cli, object);
    if (dry)
        cli_print(cli, _("nothing is written; this is what would be done\n"));
    cli_print(cli, _("collected for the ballot: %llu\n"), (unsigned long long)p.collected);
    cli_print(cli, _("erased: %llu\n"), (unsigned long long)p.erased);
    cli_print(cli, _("kept, members and regular contacts: %llu\n"), (unsigned long long)p.kept_member);
    cli_print(cli, _("kept, who agreed to something beyond it: %llu\n"), (unsigned long long)p.kept_agreed);
    cli_print(cli, _("kept, restricted: %llu\n"), (unsigned long long)p.kept_restricted);
    cli_print(cli, _("of those kept, what the roll alone covered is destroyed: %llu\n"), (unsigned long long)p.darkened);
    return 0;
}

/* --- register --- */

int cmd_register(struct cli *cli)
{
    const char *breach = cli_value(cli, "breach"), *noticed = cli_value(cli, "noticed");
    struct carnet_buf json, text;
    int64_t ms = 0;
    carnet_rc rc = CARNET_OK;
    carnet_buf_init(&json, 16 << 20);
    carnet_buf_init(&text, 16 << 20);
    if (noticed && !breach)
        rc = carnet_err_set(&cli->err, CARNET_USAGE, "--noticed goes with --breach");
    if (!rc && noticed)
        rc = carnet_date_parse(carnet_slice_str(noticed), &ms, &cli->err);
    if (!rc && breach)
        rc = carnet_people_breach(cli->node->replica, carnet_slice_str(breach), ms, cli->io->lang, &json, &text, &cli->err);
    else if (!rc)
        rc = carnet_people_register(cli->node->replica, cli->io->lang, &json, &text, &cli->err);
    int status = rc ? cli_fail(cli) : 0;
    if (!rc && cli->io->json)
        print_json(cli, &json);
    else if (!rc)
        print_text(cli, &text);
    carnet_buf_deinit(&text);
    carnet_buf_deinit(&json);
    return status;
}
