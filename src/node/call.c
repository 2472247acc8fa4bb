// SPDX-License-Identifier: EUPL-1.2
/* A command's own process, when a node runs in the home: it sends itself there. */
#include "node_private.h"

#include "carnet/sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { STARTING_MS = 3000, ANSWER_MS = 15 * 1000, PAUSE_MS = 50, PIPE_BLOCK = 64 * 1024, STOP_MS = 100 };
#define PIPED_LEN_MAX (INT64_C(1) << 30) /* what a command may be given through a pipe, kept in memory meanwhile */

static carnet_rc busy(const char *home, struct carnet_err *err)
{
    carnet_err_set(err, CARNET_BUSY, "the node of %s does not answer", home);
    carnet_err_hint(err, "it is busy, starting or ending: try again in a moment");
    return CARNET_BUSY;
}

/* -1: errno says why. */
static int connect_socket(const char *home)
{
    struct sockaddr_un address;
    int dir;
    if (carnet_socket_address(home, &address, &dir, NULL) != CARNET_OK)
        return -1;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int code = 0;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        code = errno;
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    if (dir >= 0)
        close(dir);
    errno = code;
    return fd;
}

/* Does a process hold the home? Makes nothing. */
static bool held(const char *home)
{
    struct carnet_home_lock lock = CARNET_HOME_LOCK_NONE;
    char *path = carnet_path_join(home, "lock");
    bool is = carnet_file_exists(path) && carnet_home_lock(home, &lock, NULL) == CARNET_BUSY;
    carnet_home_unlock(&lock);
    free(path);
    return is;
}

static carnet_rc reach(const char *home, int *out, struct carnet_err *err)
{
    struct carnet_clock clock = carnet_clock_system();
    int64_t until = carnet_clock_mono_ms(&clock) + STARTING_MS;
    for (;;) {
        *out = connect_socket(home);
        if (*out >= 0)
            break;
        int code = errno;
        if (code == EACCES || code == EPERM) {
            carnet_err_set(err, CARNET_FAILED, "cannot open %s/socket: %s", home, carnet_errno_text(carnet_err_lang(err), code));
            carnet_err_hint(err, "is this folder another user's? choose another one with --home");
            return CARNET_FAILED;
        }
        if (!held(home))
            return CARNET_NOT_FOUND;
        if (carnet_clock_mono_ms(&clock) >= until)
            return busy(home, err);
        nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL); /* a node that starts has no socket yet */
    }
    if (!carnet_socket_same_user(*out)) {
        close(*out);
        return carnet_err_set(err, CARNET_FAILED, "the node of %s is another user's", home);
    }
    return CARNET_OK;
}

static bool wait_for(int fd, short events, int64_t ms)
{
    struct pollfd ready = { .fd = fd, .events = events };
    int got;
    do
        got = poll(&ready, 1, (int)ms);
    while (got < 0 && errno == EINTR);
    return got > 0;
}

/* One packet, within the time that a node at work takes to read it. */
static bool send_packet(int fd, enum carnet_packet type, struct carnet_slice bytes, const int *fds, size_t fd_count)
{
    uint8_t letter = (uint8_t)type;
    _Alignas(struct cmsghdr) uint8_t rights[CMSG_SPACE(8 * sizeof(int))] = { 0 };
    struct iovec parts[2] = { { .iov_base = &letter, .iov_len = 1 }, { .iov_base = (void *)(uintptr_t)bytes.ptr, .iov_len = bytes.len } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    if (fd_count) {
        message.msg_control = rights;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
    }
    for (;;) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            return true;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN || !wait_for(fd, POLLOUT, ANSWER_MS))
            return false;
    }
}

static bool send_request(int fd, const struct carnet_io *io, int argc, char **argv)
{
    struct carnet_buf request;
    carnet_buf_init(&request, CARNET_REQUEST_LEN_MAX);
    carnet_request_put(io, argc, argv, &request);
    struct carnet_slice rest = carnet_buf_slice(&request);
    bool ok = !request.failed;
    while (ok && rest.len) {
        size_t len = rest.len < CARNET_PACKET_LEN_MAX - 1 ? rest.len : CARNET_PACKET_LEN_MAX - 1;
        ok = send_packet(fd, CARNET_PACKET_REQUEST, carnet_slice(rest.ptr, len), NULL, 0);
        rest = carnet_slice(rest.ptr + len, rest.len - len);
    }
    ok = ok && send_packet(fd, CARNET_PACKET_RUN, CARNET_SLICE_NONE, io->fds, io->fd_count);
    carnet_buf_deinit(&request);
    return ok;
}

/* Copies what the node says until the status. */
static carnet_rc copy_answer(int fd, const char *home, struct carnet_io *io, int *status, struct carnet_err *err)
{
    uint8_t bytes[CARNET_PACKET_LEN_MAX];
    bool taken = false, stopped = false;
    for (;;) {
        if (!taken && !wait_for(fd, POLLIN, ANSWER_MS))
            return busy(home, err);
        while (io->stop && !wait_for(fd, POLLIN, STOP_MS))
            if (*io->stop && !stopped)
                stopped = send_packet(fd, CARNET_PACKET_STOP, CARNET_SLICE_NONE, NULL, 0);
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return carnet_err_set(err, CARNET_FAILED, "the node of %s ended before it had answered", home);
        taken = true;
        switch (bytes[0]) {
        case CARNET_PACKET_OUT:
            carnet_buf_append(&io->out, bytes + 1, (size_t)got - 1);
            carnet_io_flush(io);
            break;
        case CARNET_PACKET_ERR:
            carnet_buf_append(&io->err, bytes + 1, (size_t)got - 1);
            carnet_io_flush(io);
            break;
        case CARNET_PACKET_STATUS:
            *status = 0;
            for (size_t i = 0; i < 4 && i + 1 < (size_t)got; i++)
                *status |= (int)((unsigned)bytes[1 + i] << (8 * i));
            return CARNET_OK;
        default:
            break;
        }
    }
}

/* --- pipes --- */

/* From one to the other until the end; 0, or errno. E2BIG: more than max. */
static int copy_all(int from, int to, int64_t max)
{
    uint8_t bytes[PIPE_BLOCK];
    for (;;) {
        ssize_t got = read(from, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? errno : 0;
        max -= got;
        if (max < 0)
            return E2BIG;
        for (ssize_t at = 0; at < got;) {
            ssize_t put = write(to, bytes + at, (size_t)(got - at));
            if (put < 0 && errno == EINTR)
                continue;
            if (put <= 0)
                return put < 0 ? errno : ENOSPC;
            at += put;
        }
    }
}

/* The node has one thread, and whoever is at the other end of a pipe may take their time: this process waits for them in its stead. Memory takes the pipe's
 * place; a file would leave what was read on the disk. */
struct stand_in {
    int real; /* -1: the file itself is sent */
    bool out;
};

static carnet_rc stand_in(struct carnet_io *io, struct stand_in *files, struct carnet_err *err)
{
    for (size_t i = 0; i < io->fd_count; i++) {
        struct stat st;
        int flags = fcntl(io->fds[i], F_GETFL);
        files[i].real = -1;
        if (flags < 0 || fstat(io->fds[i], &st) != 0 || S_ISREG(st.st_mode))
            continue;
        int memory = memfd_create("carnet", MFD_CLOEXEC);
        if (memory < 0)
            return carnet_err_set(err, CARNET_FAILED, "cannot make room for a pipe: %s", carnet_errno_text(carnet_err_lang(err), errno));
        files[i].real = io->fds[i];
        files[i].out = (flags & O_ACCMODE) != O_RDONLY;
        io->fds[i] = memory;
        int code = files[i].out ? 0 : copy_all(files[i].real, memory, PIPED_LEN_MAX);
        if (code == E2BIG) {
            carnet_err_set(err, CARNET_LIMIT, "more than 1 GiB comes through the pipe");
            carnet_err_hint(err, "write it into a file, and name that");
            return CARNET_LIMIT;
        }
        if (code)
            return carnet_err_set(err, CARNET_FAILED, "cannot read the pipe: %s", carnet_errno_text(carnet_err_lang(err), code));
        if (lseek(memory, 0, SEEK_SET) != 0)
            return carnet_err_set(err, CARNET_FAILED, "cannot read the pipe: %s", carnet_errno_text(carnet_err_lang(err), errno));
    }
    return CARNET_OK;
}

/* Gives the pipes back, with what the node has written for them. */
static carnet_rc stand_down(struct carnet_io *io, const struct stand_in *files, carnet_rc rc, struct carnet_err *err)
{
    for (size_t i = 0; i < io->fd_count; i++) {
        if (files[i].real < 0)
            continue;
        int code = files[i].out && lseek(io->fds[i], 0, SEEK_SET) == 0 ? copy_all(io->fds[i], files[i].real, INT64_MAX) : 0;
        if (code && rc == CARNET_OK)
            rc = carnet_err_set(err, CARNET_FAILED, "cannot write the pipe: %s", carnet_errno_text(carnet_err_lang(err), code));
        close(io->fds[i]);
        io->fds[i] = files[i].real;
    }
    return rc;
}

carnet_rc carnet_node_call(const char *home, int argc, char **argv, struct carnet_io *io, int *status, struct carnet_err *err)
{
    int fd;
    struct stand_in files[sizeof io->fds / sizeof *io->fds];
    carnet_rc rc = reach(home, &fd, err);
    if (rc != CARNET_OK)
        return rc;
    for (size_t i = 0; i < io->fd_count; i++)
        files[i].real = -1;
    rc = argc > CARNET_ARGS_MAX ? carnet_err_set(err, CARNET_USAGE, "too many words: %d", argc) : stand_in(io, files, err);
    if (rc == CARNET_OK && !send_request(fd, io, argc, argv))
        rc = busy(home, err);
    else if (rc == CARNET_OK)
        rc = copy_answer(fd, home, io, status, err);
    close(fd);
    return stand_down(io, files, rc, err);
}
