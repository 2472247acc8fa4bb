// SPDX-License-Identifier: EUPL-1.2
#include "carnet/sys/file.h"

#include "carnet/base/id.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum carnet_lang carnet_err_lang(const struct carnet_err *err)
{
    return err ? err->lang : CARNET_LANG_EN;
}

const char *carnet_errno_text(enum carnet_lang lang, int code)
{
    switch (code) {
    case ENOENT:
        return carnet_tr(lang, "there is no such file or folder");
    case EACCES:
    case EPERM:
        return carnet_tr(lang, "permission denied");
    case ENOSPC:
    case EDQUOT:
        return carnet_tr(lang, "the disk is full");
    case EROFS:
        return carnet_tr(lang, "the disk is read-only");
    case EISDIR:
        return carnet_tr(lang, "it is a folder");
    case ENOTDIR:
        return carnet_tr(lang, "a part of the path is not a folder");
    case EEXIST:
        return carnet_tr(lang, "it exists already");
    case EIO:
        return carnet_tr(lang, "the disk reports an error");
    case ENAMETOOLONG:
        return carnet_tr(lang, "the name is too long");
    case EMFILE:
    case ENFILE:
        return carnet_tr(lang, "too many open files");
    case ELOOP:
        return carnet_tr(lang, "too many symbolic links");
    case EADDRINUSE:
        return carnet_tr(lang, "another program uses this address");
    case EADDRNOTAVAIL:
        return carnet_tr(lang, "this machine has no such address");
    default:
        return strerror(code);
    }
}

static const char *reason(const struct carnet_err *err, int code)
{
    return carnet_errno_text(carnet_err_lang(err), code);
}

char *carnet_path_join(const char *dir, const char *name)
{
    size_t len = strlen(dir);
    const char *between = len && dir[len - 1] == '/' ? "" : "/";
    struct carnet_buf path;
    carnet_buf_init(&path, SIZE_MAX / 2);
    carnet_buf_printf(&path, "%s%s%s", dir, between, name);
    char *out = carnet_strdup_slice(carnet_buf_slice(&path));
    carnet_buf_deinit(&path);
    return out;
}

/* The folder that holds path, as a copy. */
static char *parent_of(const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len && path[len - 1] != '/')
        len--;
    while (len > 1 && path[len - 1] == '/')
        len--;
    return len ? carnet_strdup_slice(carnet_slice(path, len)) : carnet_strdup_slice(carnet_slice_str("."));
}

static ssize_t read_some(int fd, void *out, size_t len)
{
    ssize_t got;
    do
        got = read(fd, out, len);
    while (got < 0 && errno == EINTR);
    return got;
}

/* Fills chunk unless the file ends first. Gives the bytes read, -1 with errno. */
static ssize_t read_chunk(int fd, uint8_t *chunk, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t got = read_some(fd, chunk + len, size - len);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

carnet_rc carnet_file_read(const char *path, struct carnet_buf *out, struct carnet_err *err)
{
    enum { CHUNK_LEN = 16 * 1024 };
    uint8_t chunk[CHUNK_LEN];
    size_t start = out->len;
    carnet_rc rc = CARNET_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return carnet_err_set(err, CARNET_FAILED, "cannot read %s: %s", path, reason(err, errno));
    for (;;) {
        ssize_t got = read_chunk(fd, chunk, sizeof chunk);
        if (got < 0) {
            rc = carnet_err_set(err, CARNET_FAILED, "cannot read %s: %s", path, reason(err, errno));
            break;
        }
        carnet_buf_append(out, chunk, (size_t)got);
        if (out->failed) {
            rc = carnet_err_set(err, CARNET_LIMIT, "%s is longer than %zu bytes", path, out->len_max - start);
            out->failed = false;
            break;
        }
        if ((size_t)got < sizeof chunk)
            break;
    }
    explicit_bzero(chunk, sizeof chunk);
    close(fd);
    if (rc)
        out->len = start;
    return rc;
}

static int write_all(int fd, struct carnet_slice bytes)
{
    while (bytes.len) {
        ssize_t put = write(fd, bytes.ptr, bytes.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        bytes.ptr += put;
        bytes.len -= (size_t)put;
    }
    return 0;
}

/* A new file beside path, whose name is written to temp (freed by the caller). -1 with errno. */
static int create_beside(const char *path, unsigned mode, char **temp)
{
    uint8_t random[8];
    char hex[2 * sizeof random + 1];
    struct carnet_buf name;
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return -1;
    carnet_hex(random, sizeof random, hex);
    carnet_buf_init(&name, SIZE_MAX / 2);
    carnet_buf_printf(&name, "%s.%s.tmp", path, hex);
    *temp = carnet_strdup_slice(carnet_buf_slice(&name));
    carnet_buf_deinit(&name);
    int fd = open(*temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && fchmod(fd, (mode_t)mode) != 0) {
        int code = errno;
        close(fd);
        unlink(*temp);
        errno = code;
        return -1;
    }
    return fd;
}

carnet_rc carnet_dir_sync(const char *path, struct carnet_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    /* Some network file systems cannot sync a folder, and need not. */
    if (code == 0 || (fd >= 0 && code == EINVAL))
        return CARNET_OK;
    return carnet_err_set(err, CARNET_FAILED, "cannot write the folder %s: %s", path, reason(err, code));
}

carnet_rc carnet_file_write(const char *path, struct carnet_slice bytes, unsigned mode, struct carnet_err *err)
{
    char *temp = NULL;
    char *parent = parent_of(path);
    carnet_rc rc;
    int fd = create_beside(path, mode, &temp);
    if (fd < 0) {
        rc = carnet_err_set(err, CARNET_FAILED, "cannot write %s: %s", path, reason(err, errno));
        goto out;
    }
    int code = write_all(fd, bytes) != 0 || fsync(fd) != 0 ? errno : 0;
    if (close(fd) != 0 && code == 0)
        code = errno;
    if (code == 0 && rename(temp, path) != 0)
        code = errno;
    if (code) {
        unlink(temp);
        rc = carnet_err_set(err, CARNET_FAILED, "cannot write %s: %s", path, reason(err, code));
        goto out;
    }
    rc = carnet_dir_sync(parent, err);
out:
    free(temp);
    free(parent);
    return rc;
}

carnet_rc carnet_file_remove(const char *path, struct carnet_err *err)
{
    if (unlink(path) != 0) {
        if (errno == ENOENT)
            return CARNET_OK;
        return carnet_err_set(err, CARNET_FAILED, "cannot remove %s: %s", path, reason(err, errno));
    }
    char *parent = parent_of(path);
    carnet_rc rc = carnet_dir_sync(parent, err);
    free(parent);
    return rc;
}

bool carnet_file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

/* One folder whose parent exists. */
static carnet_rc make_one(const char *path, struct carnet_err *err)
{
    struct stat st;
    if (mkdir(path, 0700) == 0) {
        char *parent = parent_of(path);
        carnet_rc rc = carnet_dir_sync(parent, err);
        free(parent);
        return rc;
    }
    int code = errno;
    /* A read-only or closed parent may well hold it already. */
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return CARNET_OK;
        code = ENOTDIR;
    }
    return carnet_err_set(err, CARNET_FAILED, "cannot make the folder %s: %s", path, reason(err, code));
}

carnet_rc carnet_dir_make(const char *path, struct carnet_err *err)
{
    char *copy = carnet_strdup_slice(carnet_slice_str(path));
    carnet_rc rc = CARNET_OK;
    for (char *p = copy + (*copy == '/'); *p && !rc; p++) {
        if (*p == '/' && p[1] != '/' && p[1] != 0) {
            *p = 0;
            rc = make_one(copy, err);
            *p = '/';
        }
    }
    if (!rc)
        rc = make_one(copy, err);
    free(copy);
    return rc;
}
