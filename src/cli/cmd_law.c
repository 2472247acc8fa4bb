// SPDX-License-Identifier: EUPL-1.2
/* What the law asks of an office: audit, restrict, access, tasks, purge, register. */
#include "cli.h"

#include "carnet/replica/audit.h"

#include <string.h>

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
