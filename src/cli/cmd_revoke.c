// SPDX-License-Identifier: EUPL-1.2
#include "cli.h"

#include "carnet/people/revoke.h"

struct listing {
    struct cli *cli;
    json_t *list;
    struct carnet_buf lines;
    size_t count;
};

static bool each_beyond(void *ctx, const struct carnet_id *book, const struct carnet_id *record)
{
    struct listing *l = ctx;
    (void)book;
    json_array_append_new(l->list, json_string(carnet_id_text(record).s));
    carnet_buf_printf(&l->lines, "  %s\n", carnet_id_text(record).s);
    l->count++;
    return true;
}

int cmd_revoke(struct cli *cli)
{
    struct carnet_replica *replica = cli->node->replica;
    struct listing l = { .cli = cli, .list = json_array() };
    struct carnet_member member;
    carnet_buf_init(&l.lines, 16 * 1024 * 1024);
    carnet_rc rc = carnet_replica_member_find(replica, carnet_slice_str(cli->words[0]), &member, &cli->err);
    if (!rc)
        rc = carnet_people_revoke(replica, &member, &cli->err);
    if (!rc)
        rc = carnet_people_beyond(replica, &member.cert->node, each_beyond, &l, &cli->err);
    if (rc) {
        json_decref(l.list);
    } else {
        json_t *object = json_object();
        json_object_set_new(object, "member", cli_cstr(member.member));
        json_object_set_new(object, "node", cli_cstr(member.node));
        json_object_set_new(object, "id", json_string(carnet_id_text(&member.cert->node).s));
        json_object_set_new(object, "beyond", l.list);
        cli_json(cli, object);
        cli_say(cli, _("revoked: \"%s\" of %s; nodes that know do not talk with it any more\n"), member.node, member.member);
        if (l.count)
            cli_say(cli, _("held here, written beyond the place where its logs end, and void; write again what is true:\n"));
        cli_print(cli, "%s", carnet_buf_cstr(&l.lines));
    }
    carnet_buf_deinit(&l.lines);
    return rc ? cli_fail(cli) : 0;
}
