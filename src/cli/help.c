// SPDX-License-Identifier: EUPL-1.2
#include "cli.h"

#include "carnet/base/text.h"

#include <stdio.h>
#include <string.h>

/* Wraps text at so many columns, each line after `indent` spaces. */
static void wrapped(struct cli *cli, const char *text, size_t indent, size_t columns)
{
    struct carnet_buf line;
    carnet_buf_init(&line, 1024);
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, " ");
        size_t width = carnet_text_width(carnet_buf_slice(&line)) + carnet_text_width(carnet_slice(at, len)) + 1;
        if (line.len && width + indent > columns) {
            cli_print(cli, "%*s%s\n", (int)indent, "", carnet_buf_cstr(&line));
            carnet_buf_clear(&line);
        }
        if (line.len)
            carnet_buf_append_byte(&line, ' ');
        carnet_buf_append(&line, at, len);
        at += len;
        at += strspn(at, " ");
    }
    if (line.len)
        cli_print(cli, "%*s%s\n", (int)indent, "", carnet_buf_cstr(&line));
    carnet_buf_deinit(&line);
}

static size_t columns_of(const struct cli *cli)
{
    return cli->io->columns >= 40 && cli->io->columns < 100 ? (size_t)cli->io->columns : 100;
}

static void options_text(struct cli *cli, const struct cli_option *options)
{
    for (; options && options->name; options++) {
        char name[80];
        snprintf(name, sizeof name, "--%s%s%s", options->name, options->value ? " " : "", options->value ? options->value : "");
        cli_print(cli, "  %s%s\n", name, options->flags & CLI_REPEAT ? " ..." : "");
        wrapped(cli, carnet_tr(cli->io->lang, options->help), 6, columns_of(cli));
    }
}

static void command_json(struct cli *cli, const struct cli_command *command)
{
    json_t *object = json_object(), *options = json_array();
    for (const struct cli_option *o = command->options; o && o->name; o++)
        json_array_append_new(options, json_string(o->name));
    json_object_set_new(object, "command", json_string(command->name));
    json_object_set_new(object, "usage", json_string(command->usage));
    json_object_set_new(object, "options", options);
    cli_json(cli, object);
}

static void command_text(struct cli *cli, const struct cli_command *command)
{
    cli_print(cli, "carnet %s %s\n", command->name, command->usage);
    wrapped(cli, carnet_tr(cli->io->lang, command->summary), 2, columns_of(cli));
    if (command->help) {
        cli_print(cli, "\n");
        wrapped(cli, carnet_tr(cli->io->lang, command->help), 2, columns_of(cli));
    }
    if (command->options) {
        cli_print(cli, "\n");
        options_text(cli, command->options);
    }
}

static void list_text(struct cli *cli)
{
    cli_print(cli, _("carnet COMMAND [WORDS] [OPTIONS]: a contact database for communities, from peer to peer.\n\n"));
    for (const struct cli_command *c = cli_commands; c->name; c++)
        cli_print(cli, "  %-20s %s\n", c->name, carnet_tr(cli->io->lang, c->summary));
    cli_print(cli, _("\nWith every command:\n"));
    options_text(cli, cli_global_options);
    cli_print(cli, _("\n`carnet help COMMAND` explains one. Exit status: 0 done, 1 failed, 2 wrong words, 3 not found, 4 refused, 5 conflict or ambiguous, 6 not reached.\n"));
}

int cmd_help(struct cli *cli)
{
    char name[64];
    if (!cli->word_count) {
        list_text(cli);
        for (const struct cli_command *c = cli_commands; c->name && cli->io->json; c++)
            command_json(cli, c);
        return 0;
    }
    if (cli->word_count == 2)
        snprintf(name, sizeof name, "%s %s", cli->words[0], cli->words[1]);
    else
        snprintf(name, sizeof name, "%s", cli->words[0]);
    size_t len = strlen(name), found = 0;
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        /* `help consent` explains all of them */
        if (strcmp(c->name, name) != 0 && !(strncmp(c->name, name, len) == 0 && c->name[len] == ' '))
            continue;
        if (found++)
            cli_print(cli, "\n");
        command_text(cli, c);
        if (cli->io->json)
            command_json(cli, c);
    }
    if (found)
        return 0;
    carnet_err_set(&cli->err, CARNET_USAGE, "there is no command \"%.*s\"", 40, name);
    carnet_err_hint(&cli->err, "`carnet help` lists the commands");
    return cli_fail(cli);
}
