// SPDX-License-Identifier: EUPL-1.2
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct cli_option *option_find(const struct cli_option *options, struct carnet_slice name)
{
    for (; options && options->name; options++)
        if (carnet_slice_equal(carnet_slice_str(options->name), name))
            return options;
    return NULL;
}

const struct cli_command *cli_command_find(const char *name)
{
    for (const struct cli_command *c = cli_commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

/* Is this word of the command line an option? In a command with signed words, one dash is a word's; elsewhere it is an option that we do not know. */
static bool is_option(const struct cli *cli, const char *word)
{
    if (word[0] != '-' || word[1] == 0)
        return false;
    return word[1] == '-' || !cli->command || !(cli->command->flags & CLI_SIGNED_WORDS);
}

static carnet_rc add_file(struct cli *cli, const char *path, bool out)
{
    if (cli->file_count == CLI_FILES_MAX)
        return carnet_err_set(&cli->err, CARNET_USAGE, "too many files");
    cli->files[cli->file_count++] = (struct cli_file){ .path = path, .out = out };
    return CARNET_OK;
}

/* The placeholders of the table, for the catalogue. */
static const char *const placeholders[] = { _("NAME"), _("NODE"), _("ROLE"), _("BOOK"), _("SCOPE"), _("DURATION"), _("ADDRESS"), _("HOST"), _("PEER"), _("OPTION"),
                                            _("FILE"), _("PURPOSE"), _("BASIS"), _("TEXT"), _("FIELD"), _("VALUE"), _("QUERY"), _("TAG"), _("COLUMN"),
                                            _("COMMAND"), _("DIR"), _("MEMBER"), _("OUT") };

void cli_usage(const struct cli *cli, const char *text, struct carnet_buf *out)
{
    while (*text) {
        size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        const char *said = NULL;
        for (size_t i = 0; i < sizeof placeholders / sizeof placeholders[0] && !said; i++)
            if (strlen(placeholders[i]) == len && strncmp(placeholders[i], text, len) == 0)
                said = carnet_tr(cli->io->lang, placeholders[i]);
        len = len ? len : 1;
        if (said)
            carnet_buf_append_str(out, said);
        else
            carnet_buf_append(out, text, len);
        text += len;
    }
}

carnet_rc cli_usage_hint(struct cli *cli)
{
    if (cli->command) {
        struct carnet_buf usage;
        carnet_buf_init(&usage, 1024);
        carnet_buf_printf(&usage, "%s%s", cli->command->name, *cli->command->usage ? " " : "");
        cli_usage(cli, cli->command->usage, &usage);
        carnet_err_hint(&cli->err, "usage: carnet %s", carnet_buf_cstr(&usage));
        carnet_buf_deinit(&usage);
    } else {
        carnet_err_hint(&cli->err, "`carnet help` lists the commands");
    }
    return CARNET_USAGE;
}

static carnet_rc take_option(struct cli *cli, const struct cli_option *option, const char *value)
{
    if (cli->given_count == CLI_GIVEN_MAX)
        return carnet_err_set(&cli->err, CARNET_USAGE, "too many options");
    if (!(option->flags & CLI_REPEAT) && cli_value(cli, option->name))
        return carnet_err_set(&cli->err, CARNET_USAGE, "--%s is given twice", option->name);
    cli->given[cli->given_count++] = (struct cli_given){ option, value ? value : "" };
    if (option->flags & (CLI_FILE_IN | CLI_FILE_OUT))
        return add_file(cli, value, option->flags & CLI_FILE_OUT);
    return CARNET_OK;
}

/* One word that begins with dashes; *at moves over its value. */
static carnet_rc read_option(struct cli *cli, int argc, char **argv, int *at, const char **home)
{
    const char *word = argv[*at];
    const char *name = word + (word[1] == '-' ? 2 : 1);
    const char *equal = strchr(name, '=');
    struct carnet_slice key = carnet_slice(name, equal ? (size_t)(equal - name) : strlen(name));
    const char *value = equal ? equal + 1 : NULL;
    const struct cli_option *global = word[1] == '-' ? option_find(cli_global_options, key) : NULL;
    const struct cli_option *option = word[1] == '-' && cli->command ? option_find(cli->command->options, key) : NULL;
    const struct cli_option *known = option ? option : global;
    if (!known) {
        carnet_err_set(&cli->err, CARNET_USAGE, "there is no option %.*s", (int)(strlen(word) > 60 ? 60 : strlen(word)), word);
        return cli_usage_hint(cli);
    }
    if (known->value && !value) {
        if (*at + 1 >= argc) {
            struct carnet_buf value_text;
            carnet_buf_init(&value_text, 256);
            cli_usage(cli, known->value, &value_text);
            carnet_err_set(&cli->err, CARNET_USAGE, "--%s needs a value: %s", known->name, carnet_buf_cstr(&value_text));
            carnet_buf_deinit(&value_text);
            return cli_usage_hint(cli);
        }
        value = argv[++*at];
    }
    if (!known->value && value)
        return carnet_err_set(&cli->err, CARNET_USAGE, "--%s takes no value", known->name);
    if (option)
        return take_option(cli, option, value);
    if (strcmp(known->name, "home") == 0)
        *home = value;
    else if (strcmp(known->name, "json") == 0)
        cli->io->json = true;
    else if (strcmp(known->name, "quiet") == 0)
        cli->io->quiet = true;
    else if (strcmp(known->name, "yes") == 0)
        cli->io->yes = true;
    else if (strcmp(known->name, "lang") == 0) {
        if (strcmp(value, "fr") != 0 && strcmp(value, "en") != 0)
            return carnet_err_set(&cli->err, CARNET_USAGE, "--lang is fr or en");
        cli->io->lang = strcmp(value, "fr") == 0 ? CARNET_LANG_FR : CARNET_LANG_EN;
        cli->err.lang = cli->io->lang;
    } else if (strcmp(known->name, "help") == 0)
        return take_option(cli, known, NULL);
    else
        return take_option(cli, known, NULL); /* --version */
    return CARNET_OK;
}

/* The command is known once one or two words were read: the second one may belong to its name. */
static void name_command(struct cli *cli)
{
    char two[64];
    if (cli->word_count == 1 && !cli->command)
        cli->command = cli_command_find(cli->words[0]);
    if (cli->word_count == 2) {
        snprintf(two, sizeof two, "%s %s", cli->words[0], cli->words[1]);
        const struct cli_command *longer = cli_command_find(two);
        if (longer)
            cli->command = longer;
    }
}

/* A first word that begins commands of two words, as "bundle" does. */
static bool begins_commands(const char *word)
{
    size_t len = strlen(word);
    for (const struct cli_command *c = cli_commands; c->name; c++)
        if (strncmp(c->name, word, len) == 0 && c->name[len] == ' ')
            return true;
    return false;
}

static carnet_rc unknown_command(struct cli *cli)
{
    const char *word = cli->words[0];
    int shown = (int)(strlen(word) > 40 ? 40 : strlen(word));
    if (!begins_commands(word)) {
        carnet_err_set(&cli->err, CARNET_USAGE, "there is no command \"%.*s\"", shown, word);
        return cli_usage_hint(cli);
    }
    struct carnet_buf names;
    carnet_buf_init(&names, 180);
    for (const struct cli_command *c = cli_commands; c->name; c++)
        if (strncmp(c->name, word, strlen(word)) == 0 && c->name[strlen(word)] == ' ')
            carnet_buf_printf(&names, "%scarnet %s", names.len ? ", " : "", c->name);
    carnet_err_set(&cli->err, CARNET_USAGE, "\"%.*s\" is the beginning of a command", shown, word);
    carnet_err_hint(&cli->err, "there are: %s", carnet_buf_cstr(&names));
    carnet_buf_deinit(&names);
    return CARNET_USAGE;
}

carnet_rc cli_parse(struct cli *cli, int argc, char **argv, const char **home)
{
    bool only_words = false;
    cli->words = carnet_alloc(((size_t)argc + 1) * sizeof *cli->words);
    for (int i = 0; i < argc; i++) {
        carnet_rc rc = CARNET_OK;
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && is_option(cli, argv[i])) {
            rc = read_option(cli, argc, argv, &i, home);
        } else if (cli->word_count == CLI_WORDS_MAX) {
            rc = carnet_err_set(&cli->err, CARNET_USAGE, "too many words");
        } else {
            if (!cli->word_count)
                cli->argv_command = (size_t)i;
            cli->words[cli->word_count++] = argv[i];
            name_command(cli);
        }
        if (rc)
            return rc;
    }
    if (cli_flag(cli, "version") || cli_flag(cli, "help"))
        return CARNET_OK;
    if (!cli->word_count) {
        carnet_err_set(&cli->err, CARNET_USAGE, "no command");
        return cli_usage_hint(cli);
    }
    if (!cli->command)
        return unknown_command(cli);
    size_t used = strchr(cli->command->name, ' ') ? 2 : 1;
    cli->word_count -= used;
    memmove(cli->words, cli->words + used, cli->word_count * sizeof *cli->words);
    if (cli->word_count < (size_t)cli->command->words_min) {
        carnet_err_set(&cli->err, CARNET_USAGE, "something is missing after \"%s\"", cli->command->name);
        return cli_usage_hint(cli);
    }
    if (cli->command->words_max >= 0 && cli->word_count > (size_t)cli->command->words_max) {
        const char *word = cli->words[cli->command->words_max];
        carnet_err_set(&cli->err, CARNET_USAGE, "\"%.*s\" is one word too many", (int)(strlen(word) > 60 ? 60 : strlen(word)), word);
        return cli_usage_hint(cli);
    }
    carnet_rc rc = CARNET_OK;
    if (cli->command->flags & (CLI_WORD_IN | CLI_WORD_OUT))
        rc = add_file(cli, cli->words[0], cli->command->flags & CLI_WORD_OUT);
    if (!rc && cli->command->flags & CLI_WORD2_OUT)
        rc = add_file(cli, cli->words[1], true);
    return rc;
}

void cli_free(struct cli *cli)
{
    free(cli->words);
    cli->words = NULL;
}

const char *cli_value(const struct cli *cli, const char *option)
{
    for (size_t i = cli->given_count; i-- > 0;)
        if (strcmp(cli->given[i].option->name, option) == 0)
            return cli->given[i].value;
    return NULL;
}

bool cli_flag(const struct cli *cli, const char *option)
{
    return cli_value(cli, option) != NULL;
}

size_t cli_values(const struct cli *cli, const char *option, const char **out, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < cli->given_count && count < max; i++)
        if (strcmp(cli->given[i].option->name, option) == 0)
            out[count++] = cli->given[i].value;
    return count;
}

size_t cli_slices(struct cli *cli, const char *option, struct carnet_slice *out, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < cli->given_count && count < max; i++)
        if (strcmp(cli->given[i].option->name, option) == 0)
            out[count++] = carnet_slice_str(cli->given[i].value);
    return count;
}

int cli_file(const struct cli *cli, const char *path)
{
    for (size_t i = 0; i < cli->file_count && i < cli->io->fd_count; i++)
        if (cli->files[i].path == path || strcmp(cli->files[i].path, path) == 0)
            return cli->io->fds[i];
    return -1;
}

int cli_file_out(const struct cli *cli, const char *path)
{
    int fd = cli_file(cli, path);
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(fd, 0) != 0)
        return -1;
    return fd;
}
