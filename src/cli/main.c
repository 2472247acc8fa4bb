// SPDX-License-Identifier: EUPL-1.2
/* The command's own process: reads the line, opens the files that it names, asks what must be asked, then runs it in the node that is at work or by itself. */
#include "cli.h"

#include "carnet/sys/file.h"
#include "carnet/sys/home.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "passphrase.h"

enum { OUT_LEN_MAX = 64 << 20 };

static void write_all(int fd, struct carnet_buf *buf)
{
    for (size_t at = 0; at < buf->len;) {
        ssize_t put = write(fd, buf->ptr + at, buf->len - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break; /* nobody reads any more: the command goes on */
        at += (size_t)put;
    }
    carnet_buf_clear(buf);
}

static void flush_here(void *ctx, struct carnet_io *io)
{
    (void)ctx;
    write_all(STDOUT_FILENO, &io->out);
    write_all(STDERR_FILENO, &io->err);
}

static enum carnet_lang language(void)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strncmp(value, "fr", 2) == 0 ? CARNET_LANG_FR : CARNET_LANG_EN;
    }
    return CARNET_LANG_EN;
}

static void io_init(struct carnet_io *io)
{
    struct winsize size;
    *io = (struct carnet_io){ .lang = language(), .out_tty = isatty(STDOUT_FILENO), .err_tty = isatty(STDERR_FILENO), .flush = flush_here, .columns = 80 };
    carnet_buf_init(&io->out, OUT_LEN_MAX);
    carnet_buf_init(&io->err, OUT_LEN_MAX);
    if (io->out_tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        io->columns = size.ws_col;
}

/* Nothing is emptied here: see cli_file_out. */
static int open_out(struct cli_file *file)
{
    int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    file->made = fd >= 0;
    return fd >= 0 || errno != EEXIST ? fd : open(file->path, O_WRONLY | O_CLOEXEC);
}

/* A file that is written may not be one that is read. */
static carnet_rc check_files(struct cli *cli)
{
    struct stat in, out;
    for (size_t i = 0; i < cli->file_count; i++)
        for (size_t j = 0; j < cli->file_count; j++)
            if (cli->files[i].out && !cli->files[j].out && fstat(cli->io->fds[i], &out) == 0 && fstat(cli->io->fds[j], &in) == 0 && S_ISREG(out.st_mode) &&
                in.st_dev == out.st_dev && in.st_ino == out.st_ino)
                return carnet_err_set(&cli->err, CARNET_USAGE, "%s cannot be read and written at once", cli->files[i].path);
    return CARNET_OK;
}

static carnet_rc open_files(struct cli *cli, const char *optional)
{
    for (size_t i = 0; i < cli->file_count; i++) {
        struct cli_file *file = &cli->files[i];
        struct stat st;
        int fd = file->out ? open_out(file) : open(file->path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
            close(fd);
            fd = -1;
            errno = EISDIR;
        }
        if (fd < 0 && optional && strcmp(file->path, optional) == 0)
            fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (fd < 0 && !*file->path)
            return carnet_err_set(&cli->err, CARNET_USAGE, "the name of the file is empty");
        if (fd < 0)
            return carnet_err_set(&cli->err, CARNET_FAILED, file->out ? "cannot write %s: %s" : "cannot read %s: %s", file->path, carnet_errno_text(cli->io->lang, errno));
        cli->io->fds[cli->io->fd_count++] = fd;
    }
    return check_files(cli);
}

/* A file of rejected rows that holds nothing says nothing; nor does one that a command made and then failed. */
static void close_files(struct cli *cli, const char *rejects, int status)
{
    struct stat st;
    for (size_t i = 0; i < cli->io->fd_count; i++) {
        const struct cli_file *file = &cli->files[i];
        bool empty = fstat(cli->io->fds[i], &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
        bool is_rejects = rejects && strcmp(file->path, rejects) == 0;
        if (file->out && ((file->made && status && (empty || !is_rejects)) || (is_rejects && empty && !status)))
            unlink(file->path);
        close(cli->io->fds[i]);
    }
}

/* Before what cannot be taken back. */
static carnet_rc confirm(struct cli *cli)
{
    char answer[16] = "";
    bool asks = cli->command->flags & CLI_ASKS || (cli->command->flags & CLI_ASKS_PLAIN && cli_flag(cli, "plain"));
    if (!asks || cli->io->yes || cli_flag(cli, "dry-run"))
        return CARNET_OK;
    bool merges = strcmp(cli->command->name, "merge") == 0;
    if (merges && (!isatty(STDIN_FILENO) || !cli->io->err_tty)) {
        carnet_err_set(&cli->err, CARNET_USAGE, "`carnet %s` asks on a terminal", cli->command->name);
        carnet_err_hint(&cli->err, "elsewhere, look with --dry-run, then say --yes");
        return CARNET_USAGE;
    }
    if (!isatty(STDIN_FILENO) || !cli->io->err_tty) {
        carnet_err_set(&cli->err, CARNET_USAGE, "`carnet %s` cannot be taken back: it asks on a terminal", cli->command->name);
        carnet_err_hint(&cli->err, "elsewhere, say --yes");
        return CARNET_USAGE;
    }
    if (merges)
        fprintf(stderr, "carnet merge %s %s%s%s ", cli->words[0], cli->words[1], carnet_tr(cli->io->lang, _(": ")), carnet_tr(cli->io->lang, _("are they one person? [y/N]")));
    else
        fprintf(stderr, "carnet %s %s%s%s ", cli->command->name, cli->word_count ? cli->words[0] : "", carnet_tr(cli->io->lang, _(": ")), carnet_tr(cli->io->lang, _("this cannot be taken back. Go on? [y/N]")));
    if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y' || answer[0] == 'o' || answer[0] == 'O'))
        return CARNET_OK;
    return carnet_err_set(&cli->err, CARNET_CANCELLED, "nothing was done");
}

int cli_dispatch(struct carnet_node *node, struct carnet_io *io, int argc, char **argv)
{
    struct cli cli = { .node = node, .io = io, .err = CARNET_ERR_INIT };
    const char *home = NULL;
    cli.err.lang = io->lang;
    int status = cli_parse(&cli, argc, argv, &home) ? cli_fail(&cli) : cli.command->run(&cli);
    if (io->out.failed || io->err.failed) {
        /* larger than a command may say at once: the rest was flushed on the way, so this is one line that long */
        carnet_err_set(&cli.err, CARNET_LIMIT, "the output is too long");
        carnet_buf_clear(&io->out);
        carnet_buf_clear(&io->err);
        status = cli_fail(&cli);
    }
    cli_free(&cli);
    return status;
}

/* --- Ctrl-C: what was begun is ended, the next transaction is not; a second one ends the process --- */

static volatile sig_atomic_t stop;

static void on_stop(int number)
{
    (void)number;
    stop = 1;
}

static bool is_stopped(struct carnet_node *node)
{
    (void)node;
    return stop;
}

static void heed_stop(struct carnet_io *io, bool heed)
{
    const struct sigaction action = { .sa_handler = heed ? on_stop : SIG_DFL, .sa_flags = (int)(SA_RESETHAND | SA_RESTART) };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    io->stop = heed ? &stop : NULL;
}

static int run_alone(struct cli *cli, const char *home, int argc, char **argv)
{
    struct carnet_buf passphrase;
    struct carnet_node *node = NULL;
    carnet_buf_init(&passphrase, 4096);
    carnet_rc rc = cli_passphrase(cli, home, &passphrase);
    if (!rc)
        rc = carnet_node_open(home, carnet_buf_slice(&passphrase), &node, &cli->err);
    cli_passphrase_wipe(&passphrase);
    if (!rc && cli->command->flags & CLI_STOPS) {
        heed_stop(cli->io, true); /* not before: a passphrase may be asked for */
        node->cancelled = is_stopped;
    }
    int status = rc ? cli_fail(cli) : cli_dispatch(node, cli->io, argc, argv);
    carnet_node_close(node);
    return status;
}

static int run(struct cli *cli, const char *home_option, int argc, char **argv)
{
    char *home = NULL;
    int status = 1;
    carnet_rc rc = carnet_home_find(home_option, &home, &cli->err);
    if (!rc && cli->command->flags & CLI_OWN_HOME) {
        struct carnet_node bare = { .home = home };
        cli->node = &bare;
        status = cli->command->run(cli);
    } else if (!rc) {
        if (cli->command->flags & CLI_STOPS)
            heed_stop(cli->io, true);
        rc = carnet_node_call(home, argc, argv, cli->io, &status, &cli->err);
        if (cli->command->flags & CLI_STOPS)
            heed_stop(cli->io, false);
        if (rc == CARNET_NOT_FOUND) {
            rc = CARNET_OK;
            status = run_alone(cli, home, argc, argv);
        }
    }
    free(home);
    return rc ? cli_fail(cli) : status;
}

/* `import FILE` also writes FILE.rejected, `access --out FILE` FILE.txt, unless another place is named: as if it had been given. */
static char *default_rejects(const struct cli *cli)
{
    struct carnet_buf path;
    bool import = strcmp(cli->command->name, "import") == 0 && !cli_flag(cli, "rejects") && !cli_flag(cli, "dry-run");
    bool access = strcmp(cli->command->name, "access") == 0 && cli_flag(cli, "out") && !cli_flag(cli, "text");
    if (!import && !access)
        return NULL;
    carnet_buf_init(&path, 8192);
    carnet_buf_printf(&path, import ? "--rejects=%s.rejected" : "--text=%s.txt", import ? cli->words[0] : cli_value(cli, "out"));
    char *out = path.failed ? NULL : carnet_strdup_slice(carnet_buf_slice(&path));
    carnet_buf_deinit(&path);
    return out;
}

static int with_files(struct cli *cli, const char *home, int argc, char **argv)
{
    char *rejects = default_rejects(cli), **more = NULL;
    const char *given = cli_value(cli, "rejects");
    carnet_rc rc = CARNET_OK;
    if (rejects) {
        /* before the words, so that a "--" among them does not make it one */
        more = carnet_alloc(((size_t)argc + 2) * sizeof *more);
        size_t first = cli->argv_command + 1;
        memcpy(more, argv, first * sizeof *more);
        more[first] = rejects;
        memcpy(more + first + 1, argv + first, ((size_t)argc - first) * sizeof *more);
        argv = more;
        argc++;
        cli_free(cli);
        cli->word_count = cli->given_count = cli->file_count = 0;
        cli->command = NULL;
        rc = cli_parse(cli, argc, argv, &home);
        given = cli_value(cli, "rejects");
    }
    if (!rc && cli->command->check)
        rc = cli->command->check(cli);
    if (!rc)
        rc = confirm(cli);
    if (!rc)
        rc = open_files(cli, rejects ? given : NULL);
    int status = rc ? cli_fail(cli) : run(cli, home, argc, argv);
    close_files(cli, given, status);
    free(more);
    free(rejects);
    return status;
}

int cli_main(int argc, char **argv)
{
    struct carnet_io io;
    struct cli cli = { .io = &io, .err = CARNET_ERR_INIT };
    const char *home = NULL;
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    int status;
    sigaction(SIGPIPE, &ignore, NULL);
    setlocale(LC_CTYPE, "C.UTF-8");
    io_init(&io);
    cli.err.lang = io.lang;
    if (cli_parse(&cli, argc - 1, argv + 1, &home)) {
        status = cli_fail(&cli);
    } else if (cli_flag(&cli, "version")) {
        carnet_buf_printf(&io.out, "carnet %s\n", CARNET_VERSION);
        status = 0;
    } else if (cli_flag(&cli, "help")) {
        /* `carnet add --help` explains add */
        const struct cli_command *command = cli.command;
        char *first = command ? carnet_strdup_slice(carnet_slice_str(command->name)) : NULL;
        cli.word_count = command ? 1 : 0;
        if (command)
            cli.words[0] = first;
        status = cmd_help(&cli);
        free(first);
    } else if (cli.command->flags & CLI_NO_HOME) {
        status = cli.command->run(&cli);
    } else if (carnet_crypto_init(&cli.err)) {
        status = cli_fail(&cli);
    } else {
        status = with_files(&cli, home, argc - 1, argv + 1);
    }
    flush_here(NULL, &io);
    carnet_buf_deinit(&io.out);
    carnet_buf_deinit(&io.err);
    cli_free(&cli);
    return status;
}

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
