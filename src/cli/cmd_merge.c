// SPDX-License-Identifier: EUPL-1.2
/* Contacts that are one person, and who may be. */
#include "cli.h"

#include "carnet/people/merge.h"

#include <stdlib.h>
#include <string.h>

static carnet_rc both(struct cli *cli, struct carnet_arena *arena, struct carnet_view *a, struct carnet_view *b)
{
    struct carnet_view x, y;
    carnet_rc rc = carnet_replica_record_text(cli->node->replica, carnet_slice_str(cli->words[0]), arena, &x, &cli->err);
    if (!rc)
        rc = carnet_replica_record_text(cli->node->replica, carnet_slice_str(cli->words[1]), arena, &y, &cli->err);
    if (!rc && x.n == y.n)
        return carnet_err_set(&cli->err, CARNET_USAGE, "these are two names of the same contact");
    if (!rc)
        rc = cli_view(cli, cli->words[0], arena, a);
    return rc ? rc : cli_view(cli, cli->words[1], arena, b);
}

static void show_scopes(struct cli *cli, uint32_t scopes)
{
    struct carnet_buf names;
    carnet_buf_init(&names, 256);
    for (unsigned scope = 1; scope < CARNET_SCOPE_COUNT; scope++)
        if (scopes & 1u << scope)
            carnet_buf_printf(&names, "%s%s", names.len ? ", " : "", carnet_scope_name((enum carnet_scope)scope));
    if (scopes)
        cli_print(cli, _("would be blocked, since the other contact refused: %s\n"), carnet_buf_cstr(&names));
    carnet_buf_deinit(&names);
}

static carnet_rc preview(struct cli *cli, const struct carnet_view *a, const struct carnet_view *b, struct carnet_arena *arena)
{
    struct carnet_merge_preview out;
    carnet_rc rc = carnet_people_merge_preview(cli->node->replica, a, b, arena, &out, &cli->err);
    if (rc)
        return rc;
    cli_contact_text(cli, &out.view);
    show_scopes(cli, out.blocked);
    cli_say(cli, _("nothing is written\n"));
    json_t *object = cli_contact(cli, &out.view);
    json_object_set_new(object, "blocked", cli_scopes(out.view.blocked | out.blocked));
    cli_json(cli, object);
    return CARNET_OK;
}

int cmd_merge(struct cli *cli)
{
    struct carnet_arena arena;
    struct carnet_view a, b;
    bool done;
    carnet_arena_init(&arena);
    carnet_rc rc = both(cli, &arena, &a, &b);
    if (!rc && cli_flag(cli, "dry-run")) {
        rc = preview(cli, &a, &b, &arena);
    } else if (!rc) {
        rc = carnet_people_merge(cli->node->replica, &a, &b, &done, &cli->err);
        if (!rc && done)
            cli_say(cli, _("one person now, %s; undo: carnet unmerge %s\n"), carnet_id_text(&a.id).s, carnet_id_text(&b.id).s);
        else if (!rc)
            cli_say(cli, _("nothing to change: it is so already\n"));
        if (!rc)
            cli_done_id(cli, &a.id);
    }
    carnet_arena_deinit(&arena);
    return rc ? cli_fail(cli) : 0;
}

int cmd_unmerge(struct cli *cli)
{
    struct carnet_arena arena;
    struct carnet_view record;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_replica_record_text(cli->node->replica, carnet_slice_str(cli->words[0]), &arena, &record, &cli->err);
    if (!rc)
        rc = carnet_people_unmerge(cli->node->replica, &record, &cli->err);
    if (!rc) {
        cli_say(cli, _("two persons again; each contact has what was typed into it\n"));
        cli_done_id(cli, &record.id);
    }
    carnet_arena_deinit(&arena);
    return rc ? cli_fail(cli) : 0;
}

int cmd_distinct(struct cli *cli)
{
    struct carnet_arena arena;
    struct carnet_view a, b;
    carnet_arena_init(&arena);
    carnet_rc rc = both(cli, &arena, &a, &b);
    if (!rc)
        rc = carnet_people_distinct(cli->node->replica, &a, &b, &cli->err);
    if (!rc) {
        cli_say(cli, _("two persons: they are not proposed again\n"));
        cli_done_id(cli, &a.id);
    }
    carnet_arena_deinit(&arena);
    return rc ? cli_fail(cli) : 0;
}

static bool each_duplicate(void *ctx, const struct carnet_duplicate *duplicate)
{
    struct cli *cli = ctx;
    json_t *object = json_object();
    json_object_set_new(object, "a", json_string(carnet_id_text(&duplicate->a->id).s));
    json_object_set_new(object, "b", json_string(carnet_id_text(&duplicate->b->id).s));
    json_object_set_new(object, "reason", json_string(duplicate->reason));
    cli_json(cli, object);
    cli_print(cli, "%s\n", duplicate->reason);
    cli_contact_line(cli, duplicate->a);
    cli_contact_line(cli, duplicate->b);
    return !cli->node->cancelled || !cli->node->cancelled(cli->node);
}

bool cli_comparing(void *ctx, uint64_t looked, uint64_t total)
{
    struct cli *cli = ctx;
    if (cli->io->err_tty && !cli->io->quiet && !cli->io->json) {
        carnet_buf_printf(&cli->io->err, "\r%llu/%llu", (unsigned long long)looked, (unsigned long long)total);
        carnet_io_flush(cli->io);
    }
    if (cli->node->breathe)
        cli->node->breathe(cli->node, 0);
    return !cli->node->cancelled || !cli->node->cancelled(cli->node);
}

int cmd_duplicates(struct cli *cli)
{
    struct carnet_duplicates_options options = { .limit = cli->io->out_tty ? 100 : 0, .progress = cli_comparing, .ctx = cli };
    const struct carnet_book *book;
    const char *limit = cli_value(cli, "limit");
    int64_t shared = 0;
    carnet_rc rc = CARNET_OK;
    if (limit) {
        char *end;
        unsigned long long n = strtoull(limit, &end, 10);
        if (!*limit || *end || limit[0] == '-' || n == 0 || n > 100000000)
            rc = carnet_err_set(&cli->err, CARNET_USAGE, "--limit %.40s: a number from 1 on is due", limit);
        options.limit = (size_t)n;
    }
    if (!rc && cli_flag(cli, "book")) {
        rc = cli_book(cli, &book);
        if (!rc)
            options.book = &book->id;
    }
    if (!rc)
        rc = carnet_people_duplicates_update(cli->node->replica, &options, NULL, &cli->err);
    if (cli->io->err_tty && !cli->io->quiet && !cli->io->json)
        carnet_buf_append_str(&cli->io->err, "\r                              \r");
    if (!rc)
        rc = carnet_people_duplicates(cli->node->replica, &options, each_duplicate, cli, &cli->err);
    if (!rc)
        rc = carnet_people_duplicates_shared(cli->node->replica, &shared, &cli->err);
    if (!rc && shared)
        cli_warn(cli, _("values that more than %d persons share, and that are not compared: %lld\n"), CARNET_DUPLICATES_SHARED_MAX, (long long)shared);
    return rc ? cli_fail(cli) : 0;
}
