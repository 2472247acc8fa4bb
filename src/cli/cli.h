// SPDX-License-Identifier: EUPL-1.2
/* What the files of the layer cli share: the command table, the words of a command line, what is printed. */
#ifndef CARNET_CLI_H
#define CARNET_CLI_H

#include "carnet/node/node.h"
#include "carnet/people/people.h"

#include <jansson.h>

/* Marks an English literal of a table for the catalogue; translated when it is printed. */
#define _(text) text

enum cli_option_flag {
    CLI_REPEAT = 1,   /* may be given several times */
    CLI_FILE_IN = 2,  /* its value is a file that the command reads */
    CLI_FILE_OUT = 4, /* or writes */
    CLI_SECRET = 8
};
struct cli_option {
    const char *name;  /* without the dashes */
    const char *value; /* placeholder; NULL: a flag */
    unsigned flags;
    const char *help;
};
enum cli_command_flag {
    CLI_NO_HOME = 1,    /* needs no node: help */
    CLI_OWN_HOME = 2,   /* makes or runs one by itself: init, join, node */
    CLI_ASKS = 4,       /* asks on a terminal, needs --yes elsewhere */
    CLI_SIGNED_WORDS = 8, /* after the first word, words that begin with one + or - are words */
    CLI_WORD_IN = 16,   /* the first word names a file that the command reads */
    CLI_WORD_OUT = 32,  /* or writes */
    CLI_STOPS = 64,     /* ends after its transaction when asked to (Ctrl-C): asks node->cancelled */
    CLI_WORD2_OUT = 128, /* the second word names a file that the command writes */
    CLI_ASKS_PLAIN = 256 /* asks with --plain */
};
struct cli;
struct cli_command {
    const char *name;    /* one word or two */
    const char *usage;   /* what follows the name */
    const char *summary; /* one line */
    const char *help;    /* paragraphs; may be NULL */
    const struct cli_option *options; /* ends with a name of NULL; NULL: none */
    int words_min, words_max;         /* words_max -1: any number */
    unsigned flags;
    int (*run)(struct cli *cli);
    carnet_rc (*check)(struct cli *cli); /* what can be told wrong before any file is opened; may be NULL */
};
enum { CLI_WORDS_MAX = 4096, CLI_GIVEN_MAX = 128, CLI_FILES_MAX = 8 };
struct cli_given {
    const struct cli_option *option;
    const char *value;
};
/* One command line, read. */
struct cli {
    struct carnet_node *node;
    struct carnet_io *io;
    struct carnet_err err;
    const struct cli_command *command;
    const char **words;
    size_t word_count;
    size_t argv_command; /* where the command's name stands in argv */
    struct cli_given given[CLI_GIVEN_MAX];
    size_t given_count;
    struct cli_file {
        const char *path;
        bool out, made; /* made: it was not there before */
    } files[CLI_FILES_MAX]; /* in the order of io->fds */
    size_t file_count;
};

extern const struct cli_command cli_commands[];
extern const struct cli_option cli_global_options[];
extern const char *const cli_words[];

/* Reads the words after the program's name. Global options go to io and *home; the rest to cli. USAGE. */
CARNET_MUST_USE carnet_rc cli_parse(struct cli *cli, int argc, char **argv, const char **home);
void cli_free(struct cli *cli);
const char *cli_value(const struct cli *cli, const char *option);            /* the last one given; NULL: none */
bool cli_flag(const struct cli *cli, const char *option);
size_t cli_values(const struct cli *cli, const char *option, const char **out, size_t max);
const struct cli_command *cli_command_find(const char *name);
int cli_file(const struct cli *cli, const char *path); /* the descriptor of a file named on the command line; -1 */
/* The same of one that is written, emptied now and not before: a command that fails early leaves what was there. */
int cli_file_out(const struct cli *cli, const char *path);
/* A usage text, or a placeholder of one, in the person's language: the words in capitals are translated. */
void cli_usage(const struct cli *cli, const char *text, struct carnet_buf *out);
carnet_rc cli_usage_hint(struct cli *cli); /* USAGE, with how the command is written */

/* --- printing --- */
/* Prints cli->err, on one line or as an object, and gives its exit status. */
int cli_fail(struct cli *cli);
int cli_fail_as(struct carnet_io *io, const struct carnet_err *err);
/* Text for people; the literal is translated. Nothing with --json; say: nothing with --quiet either. */
void cli_say(struct cli *cli, const char *fmt, ...) CARNET_PRINTF(2, 3);
void cli_print(struct cli *cli, const char *fmt, ...) CARNET_PRINTF(2, 3);
void cli_warn(struct cli *cli, const char *fmt, ...) CARNET_PRINTF(2, 3); /* on stderr, with --json too; not with --quiet */
void cli_json(struct cli *cli, json_t *object);                           /* one line; takes the object */
json_t *cli_string(struct carnet_slice text);
json_t *cli_cstr(const char *text);
json_t *cli_time(int64_t ms);                                             /* null for 0 */
json_t *cli_scopes(uint32_t scopes);
int cli_done_id(struct cli *cli, const struct carnet_id *id);             /* {"id"} with --json */

/* Text in so many columns of a terminal, on one line: filled with spaces; longer: cut with … when `cut`. */
void cli_columns(struct carnet_slice text, size_t columns, bool cut, struct carnet_buf *out);
/* Text whose lines after the first begin with so many spaces; indent 0: all on one line. */
void cli_indented(struct carnet_slice text, size_t indent, struct carnet_buf *out);
void cli_line(struct cli *cli, struct carnet_buf *line); /* prints it without the spaces at its end, and empties it */

/* --- contacts --- */
void cli_field_name(struct cli *cli, uint32_t field, struct carnet_slice label, struct carnet_buf *out); /* "phone/mobile" */
json_t *cli_contact(struct cli *cli, const struct carnet_view *view);
bool cli_comparing(void *ctx, uint64_t looked, uint64_t total); /* progress of looking for duplicates; ctx: the cli */
void cli_contact_line(struct cli *cli, const struct carnet_view *view);   /* one line of `find` */
void cli_contact_text(struct cli *cli, const struct carnet_view *view);   /* all of it: `show` */
void cli_field_line(struct cli *cli, struct carnet_slice name, struct carnet_slice value, const char *after); /* one field of `show` */
/* The contact that a word names; the view lives in the arena. */
CARNET_MUST_USE carnet_rc cli_view(struct cli *cli, const char *word, struct carnet_arena *arena, struct carnet_view *out);
/* --book, or the default one. */
CARNET_MUST_USE carnet_rc cli_book(struct cli *cli, const struct carnet_book **out);
/* --basis --source --proof --collected --until into ground (defaults of `add`). */
CARNET_MUST_USE carnet_rc cli_ground(struct cli *cli, struct carnet_ground *ground);
/* --limit, else so many as a terminal holds; 0: no limit. */
CARNET_MUST_USE carnet_rc cli_limit(struct cli *cli, size_t *out);
/* cli_fail of what was asked with a query: on a terminal, the query with its wrong place marked. */
int cli_fail_query(struct cli *cli, struct carnet_slice query);
/* Scopes and purposes by their names, for options that repeat. USAGE. */
CARNET_MUST_USE carnet_rc cli_scopes_given(struct cli *cli, const char *option, uint32_t *out);
size_t cli_slices(struct cli *cli, const char *option, struct carnet_slice *out, size_t max);

/* A manual page in man(7), of one command or (NULL) of the program. */
void cli_manual(struct cli *cli, const struct cli_command *command);
/* What a shell completes: bash, zsh, fish. false: another shell. */
bool cli_completion(struct cli *cli, const char *shell);

/* The whole command line in a home: what runs in the node's process or in the command's own. */
int cli_dispatch(struct carnet_node *node, struct carnet_io *io, int argc, char **argv);
int cli_main(int argc, char **argv);

CARNET_MUST_USE carnet_rc cli_check_import(struct cli *cli);
int cmd_imports(struct cli *), cmd_imports_undo(struct cli *), cmd_consent_invalidate(struct cli *);
CARNET_MUST_USE carnet_rc cli_check_export(struct cli *cli);
CARNET_MUST_USE carnet_rc cli_check_unseal(struct cli *cli);

/* Is what fd gives a sealed export? Reads nothing that a later reader would miss: false for what cannot be rewound. */
bool cli_is_sealed(int fd);
/* A sealed export as input of carnet_rows_open_input. Opens it, and looks through all of it first, so that a damaged file gives nothing at all. */
struct cli_sealed;
CARNET_MUST_USE carnet_rc cli_sealed_open(struct cli *cli, int fd, const char *path, struct cli_sealed **out);
bool cli_sealed_read(void *ctx, uint8_t *out, size_t max, size_t *got);
void cli_sealed_close(struct cli_sealed *sealed); /* NULL allowed */

/* export */
int cmd_export(struct cli *), cmd_unseal(struct cli *);

int cmd_access(struct cli *), cmd_audit(struct cli *), cmd_lift(struct cli *), cmd_purge(struct cli *), cmd_register(struct cli *), cmd_restrict(struct cli *),
    cmd_retention(struct cli *), cmd_retention_erase(struct cli *), cmd_tasks(struct cli *), cmd_tasks_done(struct cli *); /* cmd_law.c */

int cmd_segment_count(struct cli *), cmd_segment_list(struct cli *), cmd_segment_save(struct cli *), cmd_segment_show(struct cli *); /* cmd_segment.c */
int cmd_revoke(struct cli *);

/* one per command */
int cmd_add(struct cli *), cmd_book_add(struct cli *), cmd_book_list(struct cli *), cmd_bundle_export(struct cli *), cmd_bundle_import(struct cli *),
    cmd_conflicts(struct cli *), cmd_consent(struct cli *), cmd_consent_countersign(struct cli *), cmd_consent_grant(struct cli *), cmd_consent_object(struct cli *),
    cmd_charter_set(struct cli *), cmd_charter_show(struct cli *), cmd_field_add(struct cli *), cmd_field_list(struct cli *),
    cmd_consent_withdraw(struct cli *), cmd_edit(struct cli *), cmd_erase(struct cli *), cmd_erasures(struct cli *), cmd_find(struct cli *), cmd_help(struct cli *),
    cmd_history(struct cli *), cmd_import(struct cli *), cmd_init(struct cli *), cmd_invite(struct cli *), cmd_join(struct cli *), cmd_members(struct cli *),
    cmd_merge(struct cli *), cmd_unmerge(struct cli *), cmd_distinct(struct cli *), cmd_duplicates(struct cli *),
    cmd_node(struct cli *), cmd_note(struct cli *), cmd_peers(struct cli *), cmd_rebuild(struct cli *), cmd_resolve(struct cli *), cmd_show(struct cli *),
    cmd_status(struct cli *), cmd_sweep(struct cli *), cmd_sync(struct cli *), cmd_tag(struct cli *), cmd_verify(struct cli *);

#endif
