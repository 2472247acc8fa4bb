// SPDX-License-Identifier: EUPL-1.2
/* What both ends of the control socket share. Packets are records of a SOCK_SEQPACKET socket: one letter, then bytes. */
#include "node_private.h"

#include "carnet/sys/file.h"
#include "carnet/wire/cbor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST_ITEMS = 10 };

carnet_rc carnet_socket_address(const char *home, struct sockaddr_un *out, int *dir, struct carnet_err *err)
{
    *dir = -1;
    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if ((size_t)snprintf(out->sun_path, sizeof out->sun_path, "%s/socket", home) < sizeof out->sun_path)
        return CARNET_OK;
    /* Too long for an address: the kernel's own short name for the folder. Unlike a name elsewhere, it is the same file for everybody. */
    *dir = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*dir < 0)
        return carnet_err_set(err, CARNET_FAILED, "cannot open %s: %s", home, carnet_errno_text(carnet_err_lang(err), errno));
    snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/socket", *dir);
    return CARNET_OK;
}

bool carnet_socket_same_user(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

void carnet_request_put(const struct carnet_io *io, int argc, char **argv, struct carnet_buf *out)
{
    carnet_cbor_put_array(out, REQUEST_ITEMS);
    carnet_cbor_put_str(out, "carnet/1/command");
    carnet_cbor_put_uint(out, io->lang);
    carnet_cbor_put_bool(out, io->json);
    carnet_cbor_put_bool(out, io->quiet);
    carnet_cbor_put_bool(out, io->yes);
    carnet_cbor_put_bool(out, io->err_tty);
    carnet_cbor_put_bool(out, io->out_tty);
    carnet_cbor_put_bool(out, io->color);
    carnet_cbor_put_uint(out, io->columns > 0 ? (uint64_t)io->columns : 0);
    carnet_cbor_put_array(out, (size_t)argc);
    for (int i = 0; i < argc; i++)
        carnet_cbor_put_bytes(out, carnet_slice_str(argv[i])); /* any bytes: the command checks them, wherever it runs */
}

carnet_rc carnet_request_read(struct carnet_slice bytes, struct carnet_request *out)
{
    struct carnet_reader r;
    memset(out, 0, sizeof *out);
    carnet_reader_init(&r, bytes);
    carnet_reader_array_exact(&r, REQUEST_ITEMS);
    carnet_reader_tag(&r, "carnet/1/command");
    out->io.lang = carnet_reader_uint_max(&r, CARNET_LANG_FR) ? CARNET_LANG_FR : CARNET_LANG_EN;
    out->io.json = carnet_reader_bool(&r);
    out->io.quiet = carnet_reader_bool(&r);
    out->io.yes = carnet_reader_bool(&r);
    out->io.err_tty = carnet_reader_bool(&r);
    out->io.out_tty = carnet_reader_bool(&r);
    out->io.color = carnet_reader_bool(&r);
    out->io.columns = (int)carnet_reader_uint_max(&r, 100000);
    size_t count = carnet_reader_array_max(&r, CARNET_ARGS_MAX);
    out->argv = carnet_alloc((count + 1) * sizeof *out->argv);
    for (size_t i = 0; i < count; i++) {
        struct carnet_slice arg = carnet_reader_bytes(&r);
        if (arg.len && memchr(arg.ptr, 0, arg.len))
            carnet_reader_fail(&r);
        out->argv[i] = carnet_strdup_slice(arg);
    }
    out->argc = (int)count;
    carnet_rc rc = carnet_reader_done(&r);
    if (rc != CARNET_OK)
        carnet_request_free(out);
    return rc;
}

void carnet_request_free(struct carnet_request *request)
{
    for (int i = 0; i < request->argc; i++)
        free(request->argv[i]);
    free(request->argv);
    request->argv = NULL;
    request->argc = 0;
}
