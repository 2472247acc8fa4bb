// SPDX-License-Identifier: EUPL-1.2
#include "cli.h"

#include "carnet/people/export.h"
#include "carnet/sys/file.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct target {
    struct cli *cli;
    int fd, code; /* errno of what failed */
    uint64_t shown, bytes;
};

/* Ctrl-C in a process of the command's own: stop in order, so that no half file stays. In a node's process the node tells (`cancelled`). */
static volatile sig_atomic_t interrupted;
static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
enum { SIGNAL_COUNT = sizeof signals / sizeof signals[0] };

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void watch(struct cli *cli, struct sigaction before[SIGNAL_COUNT])
{
    const struct sigaction here = { .sa_handler = interrupt, .sa_flags = SA_RESTART };
    interrupted = 0;
    for (size_t i = 0; i < SIGNAL_COUNT && !cli->node->core; i++)
        sigaction(signals[i], &here, &before[i]);
}

static void unwatch(struct cli *cli, const struct sigaction before[SIGNAL_COUNT])
{
    for (size_t i = 0; i < SIGNAL_COUNT && !cli->node->core; i++)
        sigaction(signals[i], &before[i], NULL);
}

static bool write_file(void *ctx, struct carnet_slice bytes)
{
    struct target *t = ctx;
    t->bytes += bytes.len;
    for (size_t at = 0; at < bytes.len;) {
        ssize_t put = write(t->fd, bytes.ptr + at, bytes.len - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            t->code = put < 0 ? errno : EIO;
            return false;
        }
        at += (size_t)put;
    }
    return true;
}

static bool progress(void *ctx, uint64_t contacts)
{
    struct target *t = ctx;
    struct cli *cli = t->cli;
    if (cli->io->err_tty && !cli->io->quiet && contacts / 1000 != t->shown) {
        carnet_buf_printf(&cli->io->err, "\r%llu", (unsigned long long)contacts);
        t->shown = contacts / 1000;
        carnet_io_flush(cli->io);
    }
    if (cli->node->breathe)
        cli->node->breathe(cli->node, 0);
    return !interrupted && (!cli->node->cancelled || !cli->node->cancelled(cli->node));
}

/* Durable, or nothing: half a file would pass for a whole one. */
static carnet_rc finish(struct target *t, const char *path, carnet_rc rc)
{
    struct cli *cli = t->cli;
    struct stat st;
    if (!rc && fsync(t->fd) != 0 && errno != EINVAL && errno != EROFS) {
        t->code = errno;
        rc = CARNET_FAILED;
    }
    if (t->code)
        rc = carnet_err_set(&cli->err, CARNET_FAILED, "cannot write %s: %s", path, carnet_errno_text(cli->io->lang, t->code));
    if (rc && t->fd >= 0 && fstat(t->fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(t->fd, 0) == 0 && t->bytes)
        carnet_err_hint(&cli->err, "nothing of it was left in the file");
    return rc;
}

static void clear_progress(struct target *t)
{
    if (t->shown)
        carnet_buf_append_str(&t->cli->io->err, "\r                    \r");
}

/* --- export --- */

carnet_rc cli_check_export(struct cli *cli)
{
    const char *format = cli_value(cli, "format");
    bool plain = cli_flag(cli, "plain"), sealed = cli_flag(cli, "for");
    if (plain == sealed) {
        carnet_err_set(&cli->err, CARNET_USAGE, plain ? "either --for MEMBER or --plain" : "an export needs --for MEMBER, or --plain with --reason TEXT");
        carnet_err_hint(&cli->err, "--for seals the file for a member; --plain writes it in clear and needs the right to");
        return CARNET_USAGE;
    }
    if (plain && (!cli_flag(cli, "reason") || !*cli_value(cli, "reason")))
        return carnet_err_set(&cli->err, CARNET_USAGE, "an export in clear needs --reason");
    if (format && strcmp(format, "csv") != 0 && strcmp(format, "vcard") != 0 && strcmp(format, "json") != 0)
        return carnet_err_set(&cli->err, CARNET_USAGE, "--format is csv, vcard or json");
    return CARNET_OK;
}

static enum carnet_export_format format_of(struct cli *cli)
{
    const char *format = cli_value(cli, "format");
    if (!format)
        return carnet_export_format_of(cli->words[0]);
    return strcmp(format, "vcard") == 0 ? CARNET_EXPORT_VCARD : strcmp(format, "json") == 0 ? CARNET_EXPORT_JSON : CARNET_EXPORT_CSV;
}

static void say_result(struct cli *cli, const struct carnet_export_options *options, const struct carnet_export_result *r, uint64_t bytes)
{
    static const char *const formats[] = { "csv", "vcard", "json" };
    json_t *object = json_object();
    json_object_set_new(object, "contacts", json_integer((json_int_t)r->contacts));
    json_object_set_new(object, "left_out", json_integer((json_int_t)r->left_out));
    json_object_set_new(object, "bytes", json_integer((json_int_t)bytes));
    json_object_set_new(object, "format", json_string(formats[options->format]));
    json_object_set_new(object, "for", options->reader ? cli_cstr(options->reader->member) : json_null());
    cli_json(cli, object);
    cli_say(cli, _("contacts written: %llu\n"), (unsigned long long)r->contacts);
    if (r->left_out)
        cli_say(cli, _("left out, since nothing of them may go out: %llu\n"), (unsigned long long)r->left_out);
    if (options->reader)
        cli_say(cli, _("sealed for %s, who opens it with: carnet import FILE\n"), options->reader->member);
    else
        cli_say(cli, _("%s is in clear: whoever holds it reads it; delete it after use\n"), cli->words[0]);
    if (options->format != CARNET_EXPORT_JSON)
        cli_say(cli, _("it does not say what these people agreed to or refused: ask Carnet before each use\n"));
    const struct carnet_charter *charter = carnet_replica_charter(cli->node->replica);
    bool own = false;
    for (size_t i = 0; charter && i < charter->field_count; i++)
        own |= charter->fields[i]->custom && charter->fields[i]->shown;
    if (options->format == CARNET_EXPORT_VCARD && own)
        cli_say(cli, _("a vCard has no place for your own fields (carnet field list): CSV and JSON have them\n"));
}

int cmd_export(struct cli *cli)
{
    struct carnet_replica *replica = cli->node->replica;
    struct target target = { .cli = cli, .fd = -1 };
    struct carnet_export_result result;
    struct carnet_export_reader *reader = NULL;
    const struct carnet_book *book;
    struct carnet_id book_id;
    const char *name = cli_value(cli, "for");
    struct carnet_export_options options = { .query = carnet_slice_str(cli_value(cli, "segment")), .format = format_of(cli),
                                             .purpose = carnet_slice_str(cli_value(cli, "purpose")), .reason = carnet_slice_str(cli_value(cli, "reason")),
                                             .lang = cli->io->lang, .write = write_file, .progress = progress, .ctx = &target };
    carnet_rc rc = CARNET_OK;
    if (cli_flag(cli, "book")) {
        rc = cli_book(cli, &book);
        if (!rc) {
            book_id = book->id;
            options.book = &book_id;
        }
    }
    if (!rc && name) {
        reader = carnet_alloc(sizeof *reader);
        rc = carnet_export_reader_find(replica, carnet_slice_str(name), reader, &cli->err);
        options.reader = reader;
    } else if (!rc) {
        rc = carnet_export_clear_allowed(replica, &cli->err);
    }
    if (!rc && (target.fd = cli_file_out(cli, cli->words[0])) < 0)
        rc = carnet_err_set(&cli->err, CARNET_FAILED, "cannot write %s: %s", cli->words[0], carnet_errno_text(cli->io->lang, errno));
    if (!rc) {
        struct sigaction before[SIGNAL_COUNT];
        watch(cli, before);
        rc = carnet_people_export(replica, &options, &result, &cli->err);
        rc = finish(&target, cli->words[0], rc);
        unwatch(cli, before);
        clear_progress(&target);
    }
    if (!rc)
        say_result(cli, &options, &result, target.bytes);
    free(reader);
    return rc ? cli_fail(cli) : 0;
}

/* --- what was sealed --- */

struct cli_sealed {
    struct cli *cli;
    int fd, code;
    struct carnet_sealed_opener opener;
    carnet_rc rc;
};

bool cli_is_sealed(int fd)
{
    char head[16];
    ssize_t got = pread(fd, head, sizeof head, 0);
    return got == (ssize_t)sizeof head && memcmp(head, carnet_sealed_magic, sizeof head) == 0;
}

static bool read_raw(void *ctx, uint8_t *out, size_t max, size_t *got)
{
    struct cli_sealed *s = ctx;
    *got = 0;
    while (*got < max) {
        ssize_t len = read(s->fd, out + *got, max - *got);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0) {
            s->code = errno;
            return false;
        }
        if (len == 0)
            break;
        *got += (size_t)len;
    }
    return true;
}

static carnet_rc cannot_read(struct cli *cli, const struct cli_sealed *s, const char *path, carnet_rc rc)
{
    if (s->code)
        return carnet_err_set(&cli->err, CARNET_FAILED, "cannot read %s: %s", path, carnet_errno_text(cli->io->lang, s->code));
    return carnet_err_set(&cli->err, rc, "the sealed file is damaged or cut short");
}

static carnet_rc begin(struct cli *cli, struct cli_sealed *s, const char *path)
{
    s->opener.read = read_raw;
    s->opener.ctx = s;
    carnet_rc rc = carnet_export_open(cli->node->replica, &s->opener, &cli->err);
    return rc == CARNET_FAILED ? cannot_read(cli, s, path, rc) : rc;
}

carnet_rc cli_sealed_open(struct cli *cli, int fd, const char *path, struct cli_sealed **out)
{
    struct cli_sealed *s = *out = carnet_alloc(sizeof *s);
    uint8_t *piece = carnet_alloc(CARNET_SEALED_PIECE_LEN);
    size_t got = 1;
    *s = (struct cli_sealed){ .cli = cli, .fd = fd };
    carnet_rc rc = begin(cli, s, path);
    while (!rc && got) {
        rc = carnet_sealed_get(&s->opener, piece, CARNET_SEALED_PIECE_LEN, &got);
        if (rc)
            rc = cannot_read(cli, s, path, rc);
        if (!rc && !progress(&(struct target){ .cli = cli }, 0))
            rc = carnet_err_set(&cli->err, CARNET_CANCELLED, "stopped");
    }
    carnet_wipe(piece, CARNET_SEALED_PIECE_LEN);
    free(piece);
    carnet_sealed_close(&s->opener);
    if (rc)
        return rc;
    if (lseek(fd, 0, SEEK_SET) != 0)
        return carnet_err_set(&cli->err, CARNET_FAILED, "cannot read %s: %s", path, carnet_errno_text(cli->io->lang, errno));
    return begin(cli, s, path);
}

bool cli_sealed_read(void *ctx, uint8_t *out, size_t max, size_t *got)
{
    struct cli_sealed *s = ctx;
    *got = 0;
    for (size_t len = 1; *got < max && len;) {
        s->rc = carnet_sealed_get(&s->opener, out + *got, max - *got, &len);
        if (s->rc) {
            errno = s->code ? s->code : EBADMSG;
            return false;
        }
        *got += len;
    }
    return true;
}

void cli_sealed_close(struct cli_sealed *s)
{
    if (!s)
        return;
    carnet_sealed_close(&s->opener);
    free(s);
}

carnet_rc cli_check_unseal(struct cli *cli)
{
    if (cli_flag(cli, "reason") && *cli_value(cli, "reason"))
        return CARNET_OK;
    return carnet_err_set(&cli->err, CARNET_USAGE, "an export in clear needs --reason");
}

int cmd_unseal(struct cli *cli)
{
    struct target target = { .cli = cli, .fd = -1 };
    struct cli_sealed *sealed = NULL;
    const char *from = cli->words[0], *to = cli->words[1];
    uint8_t *piece = carnet_alloc(CARNET_SEALED_PIECE_LEN);
    int fd = cli_file(cli, from);
    CARNET_ASSERT(fd >= 0);
    carnet_rc rc = carnet_export_clear_allowed(cli->node->replica, &cli->err);
    struct carnet_slice reason = carnet_slice_str(cli_value(cli, "reason"));
    if (!rc)
        rc = carnet_export_record_unsealed(cli->node->replica, 0, reason, &cli->err);
    if (!rc && !cli_is_sealed(fd)) {
        rc = carnet_err_set(&cli->err, CARNET_MALFORMED, "%s is not a sealed export", from);
        carnet_err_hint(&cli->err, "`carnet export FILE --for MEMBER` makes one; it must be a file, not a pipe");
    }
    if (!rc)
        rc = cli_sealed_open(cli, fd, from, &sealed);
    if (!rc && (target.fd = cli_file_out(cli, to)) < 0)
        rc = carnet_err_set(&cli->err, CARNET_FAILED, "cannot write %s: %s", to, carnet_errno_text(cli->io->lang, errno));
    if (!rc) {
        struct sigaction before[SIGNAL_COUNT];
        watch(cli, before);
        for (size_t got = 1; !rc && got;) {
            rc = carnet_sealed_get(&sealed->opener, piece, CARNET_SEALED_PIECE_LEN, &got);
            if (rc)
                rc = cannot_read(cli, sealed, from, rc);
            else if (!write_file(&target, carnet_slice(piece, got)))
                rc = CARNET_FAILED;
            if (!rc && !progress(&(struct target){ .cli = cli }, 0))
                rc = carnet_err_set(&cli->err, CARNET_CANCELLED, "stopped");
        }
        if (!rc)
            rc = carnet_export_record_unsealed(cli->node->replica, target.bytes ? target.bytes : 1, reason, &cli->err);
        rc = finish(&target, to, rc);
        unwatch(cli, before);
    }
    cli_sealed_close(sealed);
    carnet_wipe(piece, CARNET_SEALED_PIECE_LEN);
    free(piece);
    if (rc)
        return cli_fail(cli);
    json_t *object = json_object();
    json_object_set_new(object, "bytes", json_integer((json_int_t)target.bytes));
    cli_json(cli, object);
    cli_say(cli, _("%s is in clear: whoever holds it reads it; delete it after use\n"), to);
    return 0;
}
