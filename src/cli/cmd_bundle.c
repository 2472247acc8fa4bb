// SPDX-License-Identifier: EUPL-1.2
#include "cli.h"

#include "carnet/sync/bundle.h"
#include "carnet/sys/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct file {
    struct cli *cli;
    int fd;
    int code; /* errno of what failed */
    struct carnet_err err;
};

static bool write_file(void *ctx, struct carnet_slice bytes)
{
    struct file *f = ctx;
    for (size_t at = 0; at < bytes.len;) {
        ssize_t put = write(f->fd, bytes.ptr + at, bytes.len - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            f->code = errno;
            return false;
        }
        at += (size_t)put;
    }
    if (f->cli->node->breathe)
        f->cli->node->breathe(f->cli->node, 0);
    return !f->cli->node->cancelled || !f->cli->node->cancelled(f->cli->node);
}

static json_t *counts(const struct carnet_bundle_stats *stats)
{
    json_t *object = json_object();
    json_object_set_new(object, "entries", json_integer((json_int_t)stats->entries));
    json_object_set_new(object, "refused", json_integer((json_int_t)stats->refused));
    json_object_set_new(object, "bytes", json_integer((json_int_t)stats->bytes));
    return object;
}

int cmd_bundle_export(struct cli *cli)
{
    struct carnet_replica *replica = cli->node->replica;
    struct carnet_sync_source source = carnet_replica_source(replica);
    struct carnet_bundle_stats stats = { 0 };
    struct carnet_member member;
    struct carnet_sign_pk pk;
    struct carnet_sign_sk sk;
    struct file f = { .cli = cli, .fd = -1 };
    const char *reader = cli_value(cli, "for");
    struct carnet_bundle_terms terms = { .wall_ms = carnet_replica_wall_ms(replica), .sk = &sk };
    carnet_rc rc = CARNET_OK;
    if (reader) {
        rc = carnet_replica_member_find(replica, carnet_slice_str(reader), &member, &cli->err);
        if (!rc)
            terms.reader = member.cert;
    }
    if (!rc && (f.fd = cli_file_out(cli, cli->words[0])) < 0)
        rc = carnet_err_set(&cli->err, CARNET_FAILED, "cannot write %s: %s", cli->words[0], carnet_errno_text(cli->io->lang, errno));
    if (!rc) {
        carnet_sign_pair(carnet_replica_identity(replica)->sign, &pk, &sk);
        rc = carnet_bundle_write(&source, &terms, write_file, &f, &stats);
        carnet_wipe(&sk, sizeof sk);
        if (!rc && fsync(f.fd) != 0 && errno != EINVAL && errno != EROFS) {
            f.code = errno;
            rc = CARNET_FAILED;
        }
        if (rc == CARNET_REFUSED)
            carnet_err_set(&cli->err, rc, "this node's access was revoked");
        else if (rc)
            carnet_err_set(&cli->err, rc == CARNET_CANCELLED && f.code ? CARNET_FAILED : rc, "cannot write %s: %s", cli->words[0],
                           carnet_errno_text(cli->io->lang, f.code ? f.code : ECANCELED));
    }
    if (rc)
        return cli_fail(cli);
    cli_json(cli, counts(&stats));
    cli_say(cli, _("entries: %llu, bytes: %llu\n"), (unsigned long long)stats.entries, (unsigned long long)stats.bytes);
    return 0;
}

static bool read_file(void *ctx, uint8_t *out, size_t max, size_t *got)
{
    struct file *f = ctx;
    *got = 0;
    while (*got < max) {
        ssize_t len = read(f->fd, out + *got, max - *got);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0) {
            f->code = errno;
            return false;
        }
        if (len == 0)
            break;
        *got += (size_t)len;
    }
    return true;
}

static carnet_rc apply(void *ctx, const struct carnet_slice *entries, size_t count, carnet_rc *rcs)
{
    struct file *f = ctx;
    carnet_rc rc = carnet_replica_apply(f->cli->node->replica, entries, count, rcs, &f->err);
    if (!rc && f->cli->node->breathe)
        f->cli->node->breathe(f->cli->node, 0);
    return rc;
}

int cmd_bundle_import(struct cli *cli)
{
    struct carnet_sync_source source = carnet_replica_source(cli->node->replica);
    struct carnet_bundle_stats stats = { 0 };
    struct file f = { .cli = cli, .fd = cli_file(cli, cli->words[0]), .err = { .lang = cli->err.lang } };
    const struct carnet_bundle_input input = { .ctx = &f, .read = read_file, .apply = apply };
    const char *why = NULL;
    int64_t before = carnet_replica_last(cli->node->replica);
    carnet_rc rc = carnet_bundle_read(&source, &input, &stats, &why);
    if (rc && f.err.rc) {
        cli->err = f.err;
    } else if (rc && f.code) {
        carnet_err_set(&cli->err, CARNET_FAILED, "cannot read %s: %s", cli->words[0], carnet_errno_text(cli->io->lang, f.code));
    } else if (rc) {
        carnet_err_set(&cli->err, rc, "%s cannot be taken in: %s", cli->words[0], carnet_tr(cli->io->lang, why ? why : ""));
        if (rc == CARNET_MALFORMED && stats.entries)
            carnet_err_hint(&cli->err, "the entries before the damage, %llu, are kept; ask for the file again", (unsigned long long)stats.entries);
    }
    if (rc)
        return cli_fail(cli);
    json_t *object = counts(&stats);
    json_object_set_new(object, "new", json_integer(carnet_replica_last(cli->node->replica) - before));
    cli_json(cli, object);
    cli_say(cli, _("entries read: %llu, new: %lld, refused: %llu\n"), (unsigned long long)stats.entries,
            (long long)(carnet_replica_last(cli->node->replica) - before), (unsigned long long)stats.refused);
    return 0;
}
