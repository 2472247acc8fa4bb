// SPDX-License-Identifier: EUPL-1.2
/* Commands that come to a running node through HOME/socket. They run one after the other in the node's only thread; one that breathes lets others, and the
 * links, have their turn meanwhile. */
#include "node_private.h"

#include "carnet/store/store.h"
#include "carnet/sys/file.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    CLIENTS_MAX = 64,
    DEPTH_MAX = 8,                      /* commands under way at once, each inside a breath of the one before */
    OUTPUT_LEN_MAX = 64 * 1024 * 1024,  /* output kept for a command's process that reads slowly (a pager) */
    STALL_MS_MAX = 60 * 1000,           /* beyond that, how long the node waits for it */
    PARTING_MS = 200,
    IO_LEN_MAX = 16 * 1024 * 1024
};

struct packet {
    struct packet *next;
    size_t len;
    uint8_t bytes[];
};
struct client {
    int fd;
    struct carnet_buf request;
    int fds[8];
    size_t fd_count;
    bool whole;     /* the request is there */
    bool stopped;             /* who waits for it wants it to end */
    bool running, done, gone;
    struct packet *first, **last;
    size_t queued;
};
struct carnet_control {
    struct carnet_loop *loop;
    carnet_command_fn command;
    int fd, dir;
    struct sockaddr_un address;
    struct client *clients[CLIENTS_MAX];
    size_t count;
    struct client *current;
    unsigned depth;
    int64_t looked_ms;
};

carnet_rc carnet_control_new(struct carnet_loop *loop, carnet_command_fn command, struct carnet_control **out, struct carnet_err *err)
{
    struct carnet_control *control = carnet_alloc(sizeof *control);
    control->loop = loop;
    control->command = command;
    control->fd = control->dir = -1;
    *out = NULL;
    carnet_rc rc = carnet_socket_address(loop->home->path, &control->address, &control->dir, err);
    if (rc == CARNET_OK) {
        unlink(control->address.sun_path); /* of a node that was killed: the home is locked, so nobody serves it */
        control->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        mode_t mask = umask(0177); /* 0600 from the first moment */
        bool bound = control->fd >= 0 && bind(control->fd, (struct sockaddr *)&control->address, sizeof control->address) == 0;
        int code = errno;
        umask(mask);
        if (!bound || listen(control->fd, CLIENTS_MAX) != 0)
            rc = carnet_err_set(err, CARNET_FAILED, "cannot open %s/socket: %s", loop->home->path,
                                carnet_errno_text(carnet_err_lang(err), bound ? errno : code));
    }
    if (rc != CARNET_OK) {
        if (control->fd >= 0)
            close(control->fd);
        if (control->dir >= 0)
            close(control->dir);
        free(control);
        return rc;
    }
    *out = control;
    return CARNET_OK;
}

/* --- output --- */

static void queue_drop(struct client *client)
{
    while (client->first) {
        struct packet *next = client->first->next;
        free(client->first);
        client->first = next;
    }
    client->last = &client->first;
    client->queued = 0;
}

static void send_queue(struct client *client)
{
    while (client->first && !client->gone) {
        struct packet *packet = client->first;
        ssize_t sent = send(client->fd, packet->bytes, packet->len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS))
            return;
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            client->gone = true;
            break;
        }
        client->queued -= packet->len;
        client->first = packet->next;
        if (!client->first)
            client->last = &client->first;
        free(packet);
    }
    if (client->gone)
        queue_drop(client);
}

static void queue_packet(struct client *client, enum carnet_packet type, struct carnet_slice bytes)
{
    struct packet *packet = carnet_alloc(sizeof *packet + 1 + bytes.len);
    packet->len = 1 + bytes.len;
    packet->bytes[0] = (uint8_t)type;
    if (bytes.len)
        memcpy(packet->bytes + 1, bytes.ptr, bytes.len);
    *client->last = packet;
    client->last = &packet->next;
    client->queued += packet->len;
}

static void queue_text(struct client *client, enum carnet_packet type, struct carnet_slice bytes)
{
    while (bytes.len && !client->gone) {
        size_t len = bytes.len < CARNET_PACKET_LEN_MAX - 1 ? bytes.len : CARNET_PACKET_LEN_MAX - 1;
        queue_packet(client, type, carnet_slice(bytes.ptr, len));
        bytes = carnet_slice(bytes.ptr + len, bytes.len - len);
    }
}

static void flush_output(void *ctx, struct carnet_io *io)
{
    struct carnet_control *control = ctx;
    struct client *client = control->current;
    struct carnet_node *node = &control->loop->home->node;
    queue_text(client, CARNET_PACKET_OUT, carnet_buf_slice(&io->out));
    queue_text(client, CARNET_PACKET_ERR, carnet_buf_slice(&io->err));
    carnet_buf_clear(&io->out);
    carnet_buf_clear(&io->err);
    send_queue(client);
    int64_t since = carnet_loop_now(control->loop);
    size_t before = client->queued;
    while (client->queued > OUTPUT_LEN_MAX && !client->gone && !control->loop->stopping) {
        struct pollfd writable = { .fd = client->fd, .events = POLLOUT };
        int64_t now = carnet_loop_now(control->loop);
        poll(&writable, 1, 10);
        send_queue(client);
        if (client->queued < before) {
            before = client->queued;
            since = now;
        }
        client->gone = client->gone || now - since > STALL_MS_MAX;
        if (!carnet_store_in_transaction(carnet_replica_store(node->replica)))
            node->breathe(node, 10);
    }
}

/* --- input --- */

static void client_free(struct client *client)
{
    queue_drop(client);
    for (size_t i = 0; i < client->fd_count; i++)
        close(client->fds[i]);
    close(client->fd);
    carnet_buf_deinit(&client->request);
    free(client);
}

static void accept_clients(struct carnet_control *control)
{
    while (control->count < CLIENTS_MAX) {
        int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        if (!carnet_socket_same_user(fd)) {
            close(fd);
            continue;
        }
        struct client *client = carnet_alloc(sizeof *client);
        client->fd = fd;
        client->last = &client->first;
        carnet_buf_init(&client->request, CARNET_REQUEST_LEN_MAX);
        control->clients[control->count++] = client;
    }
}

static void take_fds(struct client *client, struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (client->fd_count < sizeof client->fds / sizeof *client->fds)
                client->fds[client->fd_count++] = fd;
            else
                close(fd);
        }
    }
}

/* One packet. false: none for now. */
static bool read_packet(struct client *client)
{
    uint8_t bytes[CARNET_PACKET_LEN_MAX];
    _Alignas(struct cmsghdr) uint8_t rights[CMSG_SPACE(sizeof client->fds)];
    struct iovec part = { .iov_base = bytes, .iov_len = sizeof bytes };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = rights, .msg_controllen = sizeof rights };
    ssize_t got = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR)
        return true;
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0) {
        client->gone = true;
        return false;
    }
    take_fds(client, &message);
    if (client->whole && got == 1 && bytes[0] == CARNET_PACKET_STOP) {
        client->stopped = true;
        return true;
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || client->whole) {
        client->gone = true;
        return false;
    }
    switch (bytes[0]) {
    case CARNET_PACKET_REQUEST:
        carnet_buf_append(&client->request, bytes + 1, (size_t)got - 1);
        client->gone = client->request.failed;
        break;
    case CARNET_PACKET_RUN:
        client->whole = true;
        queue_packet(client, CARNET_PACKET_TAKEN, CARNET_SLICE_NONE);
        send_queue(client);
        break;
    default:
        client->gone = true;
        break;
    }
    return !client->gone;
}

static void forget_clients(struct carnet_control *control)
{
    size_t kept = 0;
    for (size_t i = 0; i < control->count; i++) {
        struct client *client = control->clients[i];
        if (!client->running && (client->gone || (client->done && !client->first)))
            client_free(client);
        else
            control->clients[kept++] = client;
    }
    control->count = kept;
}

size_t carnet_control_fds(const struct carnet_control *control, int *fds, short *events, size_t max)
{
    size_t count = 0;
    if (control->count < CLIENTS_MAX && max) {
        fds[count] = control->fd;
        events[count++] = POLLIN;
    }
    for (size_t i = 0; i < control->count && count < max; i++) {
        const struct client *client = control->clients[i];
        if (client->gone)
            continue;
        fds[count] = client->fd;
        events[count++] = (short)(POLLIN | (client->first ? POLLOUT : 0));
    }
    return count;
}

void carnet_control_ready(struct carnet_control *control)
{
    accept_clients(control);
    for (size_t i = 0; i < control->count; i++) {
        struct client *client = control->clients[i];
        send_queue(client);
        while (!client->gone && read_packet(client))
            ;
    }
    forget_clients(control);
}

bool carnet_control_cancelled(struct carnet_control *control)
{
    struct client *client = control->current;
    int64_t now = carnet_loop_now(control->loop);
    if (!client || client->gone || client->stopped || now == control->looked_ms)
        return client && (client->gone || client->stopped);
    control->looked_ms = now;
    send_queue(client);
    while (!client->gone && read_packet(client))
        ;
    return client->gone || client->stopped;
}

/* --- running --- */

static void run_one(struct carnet_control *control, struct client *client)
{
    struct carnet_request request;
    struct client *before = control->current;
    struct carnet_node *node = &control->loop->home->node;
    uint8_t status[4] = { 1, 0, 0, 0 };
    client->running = true;
    if (carnet_request_read(carnet_buf_slice(&client->request), &request) == CARNET_OK) {
        struct carnet_io io = request.io;
        carnet_buf_init(&io.out, IO_LEN_MAX);
        carnet_buf_init(&io.err, IO_LEN_MAX);
        io.flush = flush_output;
        io.flush_ctx = control;
        memcpy(io.fds, client->fds, sizeof io.fds);
        io.fd_count = client->fd_count;
        control->current = client;
        control->depth++;
        int code = control->command(node, &io, request.argc, request.argv);
        control->current = client; /* whatever ran inside */
        carnet_io_flush(&io);
        control->depth--;
        control->current = before;
        for (size_t i = 0; i < sizeof status; i++)
            status[i] = (uint8_t)((unsigned)code >> (8 * i));
        carnet_buf_deinit(&io.out);
        carnet_buf_deinit(&io.err);
        carnet_request_free(&request);
        carnet_core_written(control->loop->core);
    }
    queue_packet(client, CARNET_PACKET_STATUS, carnet_slice(status, sizeof status));
    send_queue(client);
    /* its files are closed when it is done, not when its output is read */
    for (size_t i = 0; i < client->fd_count; i++)
        close(client->fds[i]);
    client->fd_count = 0;
    carnet_buf_clear(&client->request);
    client->running = false;
    client->done = true;
}

void carnet_control_run(struct carnet_control *control)
{
    for (size_t i = 0; i < control->count && control->depth < DEPTH_MAX && !control->loop->stopping; i++) {
        struct client *client = control->clients[i];
        if (!client->whole || client->running || client->done)
            continue;
        read_packet(client); /* nobody waits for it any more? */
        if (client->gone)
            continue;
        run_one(control, client);
        i = SIZE_MAX; /* others may have come and gone */
    }
    if (control->depth == 0)
        forget_clients(control);
}

void carnet_control_free(struct carnet_control *control)
{
    if (!control)
        return;
    unlink(control->address.sun_path);
    close(control->fd);
    if (control->dir >= 0)
        close(control->dir);
    int64_t until = carnet_loop_now(control->loop) + PARTING_MS;
    for (size_t i = 0; i < control->count; i++) {
        struct client *client = control->clients[i];
        while (client->done && client->first && !client->gone && carnet_loop_now(control->loop) < until) {
            struct pollfd writable = { .fd = client->fd, .events = POLLOUT };
            poll(&writable, 1, 10);
            send_queue(client);
        }
        client_free(client);
    }
    free(control);
}
