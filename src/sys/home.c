// SPDX-License-Identifier: EUPL-1.2
#include "carnet/sys/home.h"

#include "carnet/sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

carnet_rc carnet_home_find(const char *option, char **out, struct carnet_err *err)
{
    *out = NULL;
    if (option && !*option)
        return carnet_err_set(err, CARNET_USAGE, "--home needs a folder");
    const char *chosen = option ? option : variable("CARNET_HOME");
    const char *data = variable("XDG_DATA_HOME");
    const char *user = variable("HOME");
    if (chosen) {
        *out = carnet_strdup_slice(carnet_slice_str(chosen));
    } else if (data && data[0] == '/') {
        *out = carnet_path_join(data, "carnet");
    } else if (user) {
        *out = carnet_path_join(user, ".local/share/carnet");
    } else {
        carnet_err_set(err, CARNET_FAILED, "no folder to keep the data in: HOME is not set");
        carnet_err_hint(err, "name one with --home or CARNET_HOME");
        return CARNET_FAILED;
    }
    return CARNET_OK;
}

/* The process that wrote its number into the lock, 0 when unreadable. */
static long owner_of(int fd)
{
    char text[24] = "";
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    return len > 0 ? strtol(text, NULL, 10) : 0;
}

carnet_rc carnet_home_lock(const char *home, struct carnet_home_lock *lock, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    char *path = carnet_path_join(home, "lock");
    lock->fd = -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        rc = carnet_err_set(err, CARNET_FAILED, "cannot open %s: %s", path, carnet_errno_text(carnet_err_lang(err), errno));
        goto out;
    }
    int busy;
    do
        busy = flock(fd, LOCK_EX | LOCK_NB);
    while (busy != 0 && errno == EINTR);
    if (busy != 0 && errno == EWOULDBLOCK) {
        rc = carnet_err_set(err, CARNET_BUSY, "the folder %s is in use by process %ld", home, owner_of(fd));
        carnet_err_hint(err, "wait for it, end it, or choose another folder with --home");
        close(fd);
        goto out;
    }
    char number[24];
    int len = snprintf(number, sizeof number, "%ld\n", (long)getpid());
    if (busy != 0 || ftruncate(fd, 0) != 0 || pwrite(fd, number, (size_t)len, 0) != len) {
        rc = carnet_err_set(err, CARNET_FAILED, "cannot lock %s: %s", path, carnet_errno_text(carnet_err_lang(err), errno));
        close(fd);
        goto out;
    }
    lock->fd = fd;
out:
    free(path);
    return rc;
}

void carnet_home_unlock(struct carnet_home_lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}
