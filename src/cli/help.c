// SPDX-License-Identifier: EUPL-1.2
#include "cli.h"

#include "carnet/base/text.h"

#include <stdio.h>
#include <string.h>

/* Wraps text at so many columns: the first line after `first`, the others after `indent` spaces. */
static void wrapped(struct cli *cli, const char *first, const char *text, size_t indent, size_t columns)
{
    struct carnet_buf line;
    bool empty = true;
    carnet_buf_init(&line, 1024);
    carnet_buf_append_str(&line, first);
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, " \n");
        size_t width = carnet_text_width(carnet_buf_slice(&line)) + carnet_text_width(carnet_slice(at, len)) + 1;
        if (!empty && width > columns) {
            cli_line(cli, &line);
            carnet_buf_printf(&line, "%*s", (int)indent, "");
            empty = true;
        }
        if (!empty)
            carnet_buf_append_byte(&line, ' ');
        carnet_buf_append(&line, at, len);
        empty = false;
        at += len;
        if (*at == '\n') {
            cli_line(cli, &line);
            carnet_buf_printf(&line, "%*s", (int)indent, "");
            empty = true;
        }
        at += strspn(at, " \n");
    }
    if (!empty)
        cli_line(cli, &line);
    carnet_buf_deinit(&line);
}

static size_t columns_of(const struct cli *cli)
{
    return cli->io->columns >= 40 && cli->io->columns < 100 ? (size_t)cli->io->columns : 100;
}

static void options_text(struct cli *cli, const struct cli_option *options)
{
    for (; options && options->name; options++) {
        struct carnet_buf name;
        carnet_buf_init(&name, 256);
        carnet_buf_printf(&name, "--%s%s", options->name, options->value ? " " : "");
        cli_usage(cli, options->value ? options->value : "", &name);
        cli_print(cli, "  %s%s\n", carnet_buf_cstr(&name), options->flags & CLI_REPEAT ? " ..." : "");
        wrapped(cli, "      ", carnet_tr(cli->io->lang, options->help), 6, columns_of(cli));
        carnet_buf_deinit(&name);
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
    struct carnet_buf usage;
    carnet_buf_init(&usage, 1024);
    cli_usage(cli, command->usage, &usage);
    char name[40];
    snprintf(name, sizeof name, "carnet %s ", command->name);
    wrapped(cli, name, carnet_buf_cstr(&usage), 8, columns_of(cli));
    if (!*command->usage)
        cli_print(cli, "%s\n", name);
    carnet_buf_deinit(&usage);
    wrapped(cli, "  ", carnet_tr(cli->io->lang, command->summary), 2, columns_of(cli));
    if (command->help) {
        cli_print(cli, "\n");
        wrapped(cli, "  ", carnet_tr(cli->io->lang, command->help), 2, columns_of(cli));
    }
    if (command->options) {
        cli_print(cli, "\n");
        options_text(cli, command->options);
    }
}

static void list_text(struct cli *cli)
{
    wrapped(cli, "", carnet_tr(cli->io->lang, _("carnet COMMAND [WORDS] [OPTIONS]: a contact database for communities, from peer to peer.")), 0, columns_of(cli));
    cli_print(cli, "\n");
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        char name[40];
        snprintf(name, sizeof name, "  %-20s ", c->name);
        wrapped(cli, name, carnet_tr(cli->io->lang, c->summary), 23, columns_of(cli));
    }
    cli_print(cli, _("\nWith every command:\n"));
    options_text(cli, cli_global_options);
    cli_print(cli, "\n");
    wrapped(cli, "", carnet_tr(cli->io->lang, _("`carnet help COMMAND` explains one. Exit status: 0 done, 1 failed, 2 wrong words, 3 not found, 4 refused, 5 conflict or "
                                                "ambiguous, 6 not reached.")), 0, columns_of(cli));
}

/* `help --completion SHELL`, `help --man [COMMAND]`: one page. */
static int generated(struct cli *cli, const char *name)
{
    const char *shell = cli_value(cli, "completion");
    const struct cli_command *command = *name ? cli_command_find(name) : NULL;
    if (shell && !cli_completion(cli, shell)) {
        carnet_err_set(&cli->err, CARNET_USAGE, "there is no completion for \"%.40s\"", shell);
        carnet_err_hint(&cli->err, "bash, zsh or fish");
        return cli_fail(cli);
    }
    if (shell)
        return 0;
    if (*name && !command) {
        carnet_err_set(&cli->err, CARNET_USAGE, "there is no command \"%.*s\"", 40, name);
        carnet_err_hint(&cli->err, "`carnet help` lists the commands");
        return cli_fail(cli);
    }
    cli_manual(cli, command);
    return 0;
}

int cmd_help(struct cli *cli)
{
    char name[64] = "";
    if (cli_value(cli, "man") || cli_value(cli, "completion")) {
        if (cli->word_count)
            snprintf(name, sizeof name, "%s%s%s", cli->words[0], cli->word_count > 1 ? " " : "", cli->word_count > 1 ? cli->words[1] : "");
        return generated(cli, name);
    }
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
