// SPDX-License-Identifier: EUPL-1.2
#include "passphrase.h"

#include "carnet/sys/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

void cli_passphrase_wipe(struct carnet_buf *passphrase)
{
    if (passphrase->ptr)
        explicit_bzero(passphrase->ptr, passphrase->cap);
    carnet_buf_deinit(passphrase);
}

static carnet_rc from_file(struct cli *cli, const char *path, struct carnet_buf *out)
{
    carnet_rc rc = carnet_file_read(path, out, &cli->err);
    while (!rc && out->len && (out->ptr[out->len - 1] == '\n' || out->ptr[out->len - 1] == '\r'))
        out->len--;
    if (!rc && !out->len)
        rc = carnet_err_set(&cli->err, CARNET_USAGE, "the passphrase file %s is empty", path);
    return rc;
}

static bool on_terminal(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* Asks without showing what is typed. */
static void ask(struct cli *cli, const char *question, struct carnet_buf *out)
{
    struct termios before, silent;
    bool changed = tcgetattr(STDIN_FILENO, &before) == 0;
    fprintf(stderr, "%s", carnet_tr(cli->io->lang, question));
    if (changed) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        changed = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
    uint8_t c;
    while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
        carnet_buf_append_byte(out, c);
    if (changed)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fprintf(stderr, "\n");
}

carnet_rc cli_passphrase(struct cli *cli, const char *home, struct carnet_buf *out)
{
    const char *file = getenv("CARNET_PASSPHRASE_FILE");
    char *path = carnet_path_join(home, "keystore");
    bool sealed = false;
    carnet_rc rc = carnet_keystore_sealed(path, &sealed, &cli->err);
    free(path);
    if (rc || !sealed) /* no home yet, or a damaged one: whoever opens it says so better */
        return CARNET_OK;
    if (file && *file)
        return from_file(cli, file, out);
    if (!on_terminal()) {
        carnet_err_set(&cli->err, CARNET_LOCKED, "this node is locked by a passphrase");
        carnet_err_hint(&cli->err, "name a file that holds it in CARNET_PASSPHRASE_FILE, or use a terminal");
        return CARNET_LOCKED;
    }
    ask(cli, _("Passphrase: "), out);
    return CARNET_OK;
}

carnet_rc cli_passphrase_new(struct cli *cli, struct carnet_buf *out)
{
    const char *file = getenv("CARNET_PASSPHRASE_FILE");
    if (file && *file)
        return from_file(cli, file, out);
    if (!on_terminal() || cli->io->yes)
        return CARNET_OK;
    struct carnet_buf again;
    carnet_buf_init(&again, 4096);
    ask(cli, _("A passphrase for this node's keys (empty: none): "), out);
    if (out->len)
        ask(cli, _("The same again: "), &again);
    bool same = carnet_slice_equal(carnet_buf_slice(out), carnet_buf_slice(&again));
    cli_passphrase_wipe(&again);
    return same ? CARNET_OK : carnet_err_set(&cli->err, CARNET_USAGE, "the two passphrases differ");
}
