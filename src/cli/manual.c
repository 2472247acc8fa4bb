// SPDX-License-Identifier: EUPL-1.2
/* Manual pages (man(7)) and completions for shells, made from the table of commands: `carnet help --man`, `carnet help --completion SHELL`. */
#include "cli.h"

#include "carnet/base/text.h"

#include <string.h>

/* Text of a page: what roff would take for its own is escaped. */
static void put_roff(struct carnet_buf *out, const char *text)
{
    bool begins = out->len == 0 || out->ptr[out->len - 1] == '\n';
    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\''))
            carnet_buf_append_str(out, "\\&");
        begins = *text == '\n';
        if (*text == '\\')
            carnet_buf_append_str(out, "\\e");
        else if (*text == '-')
            carnet_buf_append_str(out, "\\-");
        else if (*text == '"')
            carnet_buf_append_str(out, "\\(dq");
        else
            carnet_buf_append_byte(out, (uint8_t)*text);
    }
}

static void flush(struct cli *cli, struct carnet_buf *out)
{
    cli_print(cli, "%s", carnet_buf_cstr(out));
    carnet_buf_clear(out);
}

/* `consent grant` has the page carnet-consent-grant(1). */
static void page_name(const char *command, struct carnet_buf *out)
{
    carnet_buf_append_str(out, "carnet-");
    for (; *command; command++)
        carnet_buf_append_byte(out, *command == ' ' ? '-' : (uint8_t)*command);
}

static const char *tr(const struct cli *cli, const char *text)
{
    return carnet_tr(cli->io->lang, text);
}

static void section(struct cli *cli, struct carnet_buf *out, const char *title)
{
    carnet_buf_append_str(out, ".SH \"");
    carnet_buf_append_str(out, tr(cli, title));
    carnet_buf_append_str(out, "\"\n");
}

static void put_options(struct cli *cli, struct carnet_buf *out, const struct cli_option *options)
{
    for (; options && options->name; options++) {
        struct carnet_buf value;
        carnet_buf_init(&value, 256);
        carnet_buf_append_str(out, ".TP\n\\fB\\-\\-");
        put_roff(out, options->name);
        carnet_buf_append_str(out, "\\fR");
        if (options->value) {
            cli_usage(cli, options->value, &value);
            carnet_buf_append_str(out, " \\fI");
            put_roff(out, carnet_buf_cstr(&value));
            carnet_buf_append_str(out, "\\fR");
        }
        carnet_buf_append_str(out, options->flags & CLI_REPEAT ? " ...\n" : "\n");
        put_roff(out, tr(cli, options->help));
        carnet_buf_append_byte(out, '\n');
        flush(cli, out);
        carnet_buf_deinit(&value);
    }
}

static void put_status(struct cli *cli, struct carnet_buf *out)
{
    section(cli, out, _("EXIT STATUS"));
    put_roff(out, tr(cli, _("0 done, 1 failed, 2 wrong words, 3 not found, 4 refused, 5 conflict or ambiguous, 6 not reached.")));
    carnet_buf_append_byte(out, '\n');
}

static void page_of_all(struct cli *cli, struct carnet_buf *out)
{
    carnet_buf_append_str(out, ".TH CARNET 1 \"\" \"carnet " CARNET_VERSION "\"\n");
    section(cli, out, _("NAME"));
    carnet_buf_append_str(out, "carnet \\- ");
    put_roff(out, tr(cli, _("a contact database for communities, from peer to peer")));
    carnet_buf_append_byte(out, '\n');
    section(cli, out, _("SYNOPSIS"));
    carnet_buf_append_str(out, "\\fBcarnet\\fR ");
    put_roff(out, tr(cli, _("COMMAND [WORDS] [OPTIONS]")));
    carnet_buf_append_byte(out, '\n');
    section(cli, out, _("COMMANDS"));
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        carnet_buf_append_str(out, ".TP\n\\fB");
        page_name(c->name, out);
        carnet_buf_append_str(out, "\\fR(1)\n");
        put_roff(out, tr(cli, c->summary));
        carnet_buf_append_byte(out, '\n');
        flush(cli, out);
    }
    section(cli, out, _("OPTIONS"));
    put_options(cli, out, cli_global_options);
    section(cli, out, _("ENVIRONMENT"));
    carnet_buf_append_str(out, ".TP\n\\fBCARNET_HOME\\fR\n");
    put_roff(out, tr(cli, _("the node's folder, when --home does not name it")));
    carnet_buf_append_str(out, "\n.TP\n\\fBCARNET_PASSPHRASE_FILE\\fR\n");
    put_roff(out, tr(cli, _("a file whose first line is the passphrase, for scripts")));
    carnet_buf_append_byte(out, '\n');
    put_status(cli, out);
    flush(cli, out);
}

static void page_of_one(struct cli *cli, struct carnet_buf *out, const struct cli_command *command)
{
    struct carnet_buf usage;
    carnet_buf_init(&usage, 1024);
    cli_usage(cli, command->usage, &usage);
    carnet_buf_append_str(out, ".TH ");
    page_name(command->name, out);
    carnet_buf_append_str(out, " 1 \"\" \"carnet " CARNET_VERSION "\"\n");
    section(cli, out, _("NAME"));
    page_name(command->name, out);
    carnet_buf_append_str(out, " \\- ");
    put_roff(out, tr(cli, command->summary));
    carnet_buf_append_byte(out, '\n');
    section(cli, out, _("SYNOPSIS"));
    carnet_buf_append_str(out, "\\fBcarnet ");
    put_roff(out, command->name);
    carnet_buf_append_str(out, "\\fR ");
    put_roff(out, carnet_buf_cstr(&usage));
    carnet_buf_append_byte(out, '\n');
    if (command->help) {
        section(cli, out, _("DESCRIPTION"));
        put_roff(out, tr(cli, command->help));
        carnet_buf_append_byte(out, '\n');
    }
    flush(cli, out);
    if (command->options) {
        section(cli, out, _("OPTIONS"));
        put_options(cli, out, command->options);
    }
    put_status(cli, out);
    section(cli, out, _("SEE ALSO"));
    carnet_buf_append_str(out, "\\fBcarnet\\fR(1)\n");
    flush(cli, out);
    carnet_buf_deinit(&usage);
}

void cli_manual(struct cli *cli, const struct cli_command *command)
{
    struct carnet_buf out;
    carnet_buf_init(&out, 64 * 1024);
    if (command)
        page_of_one(cli, &out, command);
    else
        page_of_all(cli, &out);
    carnet_buf_deinit(&out);
}

/* --- completions --- */

/* The first word of its name, once for all that begin with it. */
static bool leads(const struct cli_command *command)
{
    size_t len = strcspn(command->name, " ");
    for (const struct cli_command *c = cli_commands; c < command; c++)
        if (strncmp(c->name, command->name, len) == 0 && (c->name[len] == ' ' || c->name[len] == 0))
            return false;
    return true;
}

static void put_first_words(struct carnet_buf *out)
{
    for (const struct cli_command *c = cli_commands; c->name; c++)
        if (leads(c))
            carnet_buf_printf(out, "%s%.*s", c == cli_commands ? "" : " ", (int)strcspn(c->name, " "), c->name);
}

static bool has_second_words(const struct cli_command *command)
{
    size_t len = strcspn(command->name, " ");
    for (const struct cli_command *c = cli_commands; c->name; c++)
        if (strncmp(c->name, command->name, len) == 0 && c->name[len] == ' ')
            return true;
    return false;
}

static void put_second_words(const struct cli_command *command, struct carnet_buf *out)
{
    size_t len = strcspn(command->name, " ");
    bool any = false;
    for (const struct cli_command *c = cli_commands; c->name; c++)
        if (strncmp(c->name, command->name, len) == 0 && c->name[len] == ' ') {
            carnet_buf_printf(out, "%s%s", any ? " " : "", c->name + len + 1);
            any = true;
        }
}

static void put_option_names(const struct cli_option *options, struct carnet_buf *out)
{
    for (; options && options->name; options++)
        carnet_buf_printf(out, " --%s", options->name);
}

static bool is_file(const struct cli_option *option)
{
    return option->flags & (CLI_FILE_IN | CLI_FILE_OUT) || (option->value && strcmp(option->value, "DIR") == 0);
}

/* The values of an option that has a few: "fr|en". */
static bool has_choices(const struct cli_option *option)
{
    return option->value && strchr(option->value, '|') && !strpbrk(option->value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ:");
}

static void put_choices(const struct cli_option *option, struct carnet_buf *out)
{
    for (const char *at = option->value; *at; at++)
        carnet_buf_append_byte(out, *at == '|' ? ' ' : (uint8_t)*at);
}

static void bash_value(struct carnet_buf *out, const struct cli_option *options)
{
    for (; options && options->name; options++) {
        if (!options->value)
            continue;
        carnet_buf_printf(out, "        --%s) ", options->name);
        if (is_file(options)) {
            carnet_buf_append_str(out, "mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return ;;\n");
        } else if (has_choices(options)) {
            carnet_buf_append_str(out, "mapfile -t COMPREPLY < <(compgen -W '");
            put_choices(options, out);
            carnet_buf_append_str(out, "' -- \"$word\"); return ;;\n");
        } else {
            carnet_buf_append_str(out, "return ;;\n");
        }
    }
}

static void bash(struct cli *cli, struct carnet_buf *out)
{
    carnet_buf_append_str(out, "# bash completion of carnet\n_carnet() {\n    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} first= second= i\n"
                               "    COMPREPLY=()\n    for ((i = 1; i < COMP_CWORD; i++)); do\n        case ${COMP_WORDS[i]} in\n"
                               "        --home|--lang) i=$((i + 1)) ;;\n        -*) ;;\n"
                               "        *) if [ -z \"$first\" ]; then first=${COMP_WORDS[i]}; elif [ -z \"$second\" ]; then second=${COMP_WORDS[i]}; fi ;;\n"
                               "        esac\n    done\n    case $before in\n");
    bash_value(out, cli_global_options);
    carnet_buf_append_str(out, "    esac\n    if [ -z \"$first\" ]; then\n        mapfile -t COMPREPLY < <(compgen -W '");
    put_first_words(out);
    put_option_names(cli_global_options, out);
    carnet_buf_append_str(out, "' -- \"$word\")\n        return\n    fi\n    case \"$first $second\" in\n");
    flush(cli, out);
    for (int two = 1; two >= 0; two--) /* longer names before the shorter ones that they begin with */
        for (const struct cli_command *c = cli_commands; c->name; c++) {
            const char *space = strchr(c->name, ' ');
            if ((space != NULL) != two)
                continue;
            if (two)
                carnet_buf_printf(out, "    '%s')\n        case $before in\n", c->name);
            else
                carnet_buf_printf(out, "    '%s '*)\n        case $before in\n", c->name);
            bash_value(out, c->options);
            carnet_buf_append_str(out, "        esac\n        mapfile -t COMPREPLY < <(compgen ");
            if (c->flags & (CLI_WORD_IN | CLI_WORD_OUT))
                carnet_buf_append_str(out, "-f ");
            carnet_buf_append_str(out, "-W '");
            if (!two && has_second_words(c))
                put_second_words(c, out);
            put_option_names(c->options, out);
            put_option_names(cli_global_options, out);
            carnet_buf_append_str(out, "' -- \"$word\")\n        ;;\n");
            flush(cli, out);
        }
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        size_t len = strcspn(c->name, " ");
        if (!c->name[len] || !leads(c))
            continue;
        carnet_buf_printf(out, "    '%.*s '*)\n        mapfile -t COMPREPLY < <(compgen -W '", (int)len, c->name);
        put_second_words(c, out);
        carnet_buf_append_str(out, "' -- \"$word\")\n        ;;\n");
    }
    carnet_buf_append_str(out, "    esac\n}\ncomplete -o filenames -F _carnet carnet\n");
    flush(cli, out);
}

/* In single quotes of a shell. */
static void put_quoted(const char *text, struct carnet_buf *out, bool brackets)
{
    for (; *text; text++) {
        if (*text == '\'')
            carnet_buf_append_str(out, "'\\''");
        else if (brackets && (*text == '[' || *text == ']' || *text == ':'))
            carnet_buf_printf(out, "\\%c", *text);
        else
            carnet_buf_append_byte(out, (uint8_t)*text);
    }
}

static void zsh_options(struct cli *cli, const struct cli_option *options, struct carnet_buf *out)
{
    for (; options && options->name; options++) {
        carnet_buf_printf(out, " '%s--%s[", options->flags & CLI_REPEAT ? "*" : "", options->name);
        put_quoted(tr(cli, options->help), out, true);
        carnet_buf_append_byte(out, ']');
        if (options->value) {
            carnet_buf_append_byte(out, ':');
            put_quoted(options->value, out, true);
            carnet_buf_append_byte(out, ':');
            if (is_file(options)) {
                carnet_buf_append_str(out, "_files");
            } else if (has_choices(options)) {
                carnet_buf_append_byte(out, '(');
                put_choices(options, out);
                carnet_buf_append_byte(out, ')');
            }
        }
        carnet_buf_append_byte(out, '\'');
    }
}

static void zsh(struct cli *cli, struct carnet_buf *out)
{
    carnet_buf_append_str(out, "#compdef carnet\n_carnet() {\n    local -a names\n    if (( CURRENT == 2 )); then\n        names=(");
    for (const struct cli_command *c = cli_commands; c->name; c++)
        if (leads(c)) {
            carnet_buf_printf(out, "\n            '%.*s:", (int)strcspn(c->name, " "), c->name);
            put_quoted(tr(cli, c->summary), out, false);
            carnet_buf_append_byte(out, '\'');
        }
    carnet_buf_append_str(out, ")\n        _describe carnet names\n        return\n    fi\n");
    flush(cli, out);
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        if (!leads(c) || !has_second_words(c))
            continue;
        size_t len = strcspn(c->name, " ");
        carnet_buf_printf(out, "    if (( CURRENT == 3 )) && [[ $words[2] == %.*s ]]; then\n        names=(", (int)len, c->name);
        for (const struct cli_command *s = cli_commands; s->name; s++)
            if (strncmp(s->name, c->name, len) == 0 && s->name[len] == ' ') {
                carnet_buf_printf(out, "\n            '%s:", s->name + len + 1);
                put_quoted(tr(cli, s->summary), out, false);
                carnet_buf_append_byte(out, '\'');
            }
        carnet_buf_append_str(out, ")\n        _describe carnet names\n    fi\n");
    }
    carnet_buf_append_str(out, "    case \"$words[2] $words[3]\" in\n");
    for (int two = 1; two >= 0; two--)
        for (const struct cli_command *c = cli_commands; c->name; c++) {
            if ((strchr(c->name, ' ') != NULL) != two)
                continue;
            carnet_buf_printf(out, two ? "    '%s') _arguments" : "    '%s '*) _arguments", c->name);
            zsh_options(cli, c->options, out);
            zsh_options(cli, cli_global_options, out);
            carnet_buf_append_str(out, c->flags & (CLI_WORD_IN | CLI_WORD_OUT) ? " '*:: :_files' ;;\n" : " ;;\n");
            flush(cli, out);
        }
    carnet_buf_append_str(out, "    esac\n}\n_carnet \"$@\"\n");
    flush(cli, out);
}

static void fish_options(struct cli *cli, const char *condition, const struct cli_option *options, struct carnet_buf *out)
{
    for (; options && options->name; options++) {
        carnet_buf_printf(out, "complete -c carnet%s -l %s", condition, options->name);
        if (options->value)
            carnet_buf_append_str(out, is_file(options) ? " -r -F" : " -x");
        if (has_choices(options)) {
            carnet_buf_append_str(out, " -a '");
            put_choices(options, out);
            carnet_buf_append_byte(out, '\'');
        }
        carnet_buf_append_str(out, " -d '");
        for (const char *at = tr(cli, options->help); *at; at++)
            carnet_buf_printf(out, *at == '\'' || *at == '\\' ? "\\%c" : "%c", *at);
        carnet_buf_append_str(out, "'\n");
        flush(cli, out);
    }
}

static void fish(struct cli *cli, struct carnet_buf *out)
{
    carnet_buf_append_str(out, "# fish completion of carnet\n");
    fish_options(cli, "", cli_global_options, out);
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        char condition[160];
        size_t len = strcspn(c->name, " ");
        struct carnet_buf text;
        carnet_buf_init(&text, 200);
        if (leads(c))
            carnet_buf_printf(out, "complete -c carnet -f -n __fish_use_subcommand -a %.*s\n", (int)len, c->name);
        if (c->name[len]) {
            carnet_buf_printf(out, "complete -c carnet -f -n '__fish_seen_subcommand_from %.*s' -a %s -d '", (int)len, c->name, c->name + len + 1);
            for (const char *at = tr(cli, c->summary); *at; at++)
                carnet_buf_printf(out, *at == '\'' || *at == '\\' ? "\\%c" : "%c", *at);
            carnet_buf_append_str(out, "'\n");
            carnet_buf_printf(&text, " -n '__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s'", (int)len, c->name, c->name + len + 1);
        } else {
            carnet_buf_printf(&text, " -n '__fish_seen_subcommand_from %s'", c->name);
        }
        if (c->flags & (CLI_WORD_IN | CLI_WORD_OUT))
            carnet_buf_printf(out, "complete -c carnet%s -F\n", carnet_buf_cstr(&text));
        memcpy(condition, carnet_buf_cstr(&text), text.len < sizeof condition ? text.len + 1 : sizeof condition);
        condition[sizeof condition - 1] = 0;
        carnet_buf_deinit(&text);
        fish_options(cli, condition, c->options, out);
        flush(cli, out);
    }
}

bool cli_completion(struct cli *cli, const char *shell)
{
    static const struct {
        const char *name;
        void (*put)(struct cli *cli, struct carnet_buf *out);
    } shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
    struct carnet_buf out;
    bool known = false;
    carnet_buf_init(&out, 256 * 1024);
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++)
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].put(cli, &out);
            known = true;
        }
    carnet_buf_deinit(&out);
    return known;
}
