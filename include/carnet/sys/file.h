// SPDX-License-Identifier: EUPL-1.2
/* sys/file: small files and folders. Layer: sys; sees only base. Every failure is CARNET_FAILED with a line that
 * names the file. */
#ifndef CARNET_SYS_FILE_H
#define CARNET_SYS_FILE_H

#include "carnet/base/bytes.h"

/* Appends the whole file (a pipe too). LIMIT: longer than out's ceiling; out is as before after any error. A file of
 * less than 16 KiB is read in one go, and no copy of it stays outside out (for secrets). */
CARNET_MUST_USE carnet_rc carnet_file_read(const char *path, struct carnet_buf *out, struct carnet_err *err);
/* Puts bytes at path, which afterwards holds the old bytes or the new ones, whatever happens, and durably the new
 * ones when OK: a temporary file beside it, fsync, rename, fsync of the folder. mode: permissions whatever the umask
 * (0600 for what is private). A symbolic link at path is replaced, not followed. */
CARNET_MUST_USE carnet_rc carnet_file_write(const char *path, struct carnet_slice bytes, unsigned mode, struct carnet_err *err);
/* Removes it durably; nothing there is no error. */
CARNET_MUST_USE carnet_rc carnet_file_remove(const char *path, struct carnet_err *err);
bool carnet_file_exists(const char *path); /* anything there that may be looked at; a hanging link is nothing */

/* Makes the folder and what is missing above it, for the user alone (0700), durably. There already: OK, left as it
 * is. */
CARNET_MUST_USE carnet_rc carnet_dir_make(const char *path, struct carnet_err *err);
/* Makes what was created, renamed or removed in the folder durable. */
CARNET_MUST_USE carnet_rc carnet_dir_sync(const char *path, struct carnet_err *err);

/* Gives dir/name, freed with free(). */
char *carnet_path_join(const char *dir, const char *name);

/* What an errno means, for the end of an error line, in a person's language. Static text, or libc's. */
const char *carnet_errno_text(enum carnet_lang lang, int code);
/* The language of err, English when it is NULL. */
enum carnet_lang carnet_err_lang(const struct carnet_err *err);

#endif
