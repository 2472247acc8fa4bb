// SPDX-License-Identifier: EUPL-1.2
/* people/source: the lines of a file as UTF-8 (or as bytes that may be), with the way back to the start of the record
 * being read. */
#ifndef CARNET_PEOPLE_SOURCE_H
#define CARNET_PEOPLE_SOURCE_H

#include "carnet/people/rows.h"

#include <sys/types.h>

enum carnet_source_encoding {
    CARNET_SOURCE_ASCII, /* nothing else seen yet: UTF-8 or Windows-1252 */
    CARNET_SOURCE_UTF8,
    CARNET_SOURCE_CP1252,
    CARNET_SOURCE_UTF16LE,
    CARNET_SOURCE_UTF16BE
};
/* Where the bytes come from: pull, if there is one (as read(2), with errno); else fd; else, with fd -1, mem. */
struct carnet_source_input {
    int fd;
    struct carnet_slice mem;
    ssize_t (*pull)(void *ctx, uint8_t *out, size_t len);
    void *ctx;
    uint64_t size_bytes; /* of pull: what is to come, 0: unknown */
};
struct carnet_source {
    struct carnet_source_input in; /* mem: the rest of it */
    uint64_t read_bytes, size_bytes;
    enum carnet_source_encoding encoding;
    uint8_t newline; /* LF, or CR in files that have no LF */
    uint8_t *raw;    /* UTF-16: a block as read */
    size_t raw_len;
    uint8_t *win; /* decoded UTF-16, else as read */
    size_t cap;
    size_t mark; /* start of the record: bytes from here on are kept */
    size_t at;   /* next byte that no line has given */
    size_t end;
    bool eof;
    uint64_t line;    /* number of the line at `at`, from 1 */
    uint8_t head[64]; /* how the last too long line begins */
};
enum carnet_source_line {
    CARNET_SOURCE_LINE,     /* a line with its end, if it has one */
    CARNET_SOURCE_TOO_LONG, /* how it begins; the rest was passed over */
    CARNET_SOURCE_END,      /* no line: empty */
    CARNET_SOURCE_FAILED /* errno says why */
};

/* Reads the first block and recognises encoding and line ends. FAILED with a line; MALFORMED: no text file. */
CARNET_MUST_USE carnet_rc carnet_source_open(struct carnet_source *s, const struct carnet_source_input *in,
                                             struct carnet_err *err);
/* One line for a source that cannot be read, from errno. FAILED. */
carnet_rc carnet_source_failed(struct carnet_err *err);
void carnet_source_close(struct carnet_source *s);
/* What is at hand of the file from here on: at least a whole line, or more than CARNET_LINE_LEN_MAX of one, or all.
 * FAILED. */
CARNET_MUST_USE carnet_rc carnet_source_peek(struct carnet_source *s, struct carnet_slice *out, struct carnet_err *err);
void carnet_source_skip(struct carnet_source *s, size_t len, uint64_t lines); /* bytes that peek gave: so many lines */
/* The next line; it lives until the next call, or, with a mark at or before it, until carnet_source_mark. The mark may
 * be at most CARNET_LINE_LEN_MAX bytes behind. TOO_LONG moves the mark behind the line. */
enum carnet_source_line carnet_source_next(struct carnet_source *s, struct carnet_slice *line);
void carnet_source_mark(struct carnet_source *s); /* what is before `at` may be forgotten */
/* Goes back to `len` bytes after the mark, where the line of this number begins. */
void carnet_source_back(struct carnet_source *s, size_t len, uint64_t line);
/* The text of bytes of this source, as UTF-8: borrowed from bytes, or in scratch. What is no UTF-8 in a file of UTF-8
 * stays as it is. */
struct carnet_slice carnet_source_text(struct carnet_source *s, struct carnet_slice bytes, struct carnet_buf *scratch);

#endif
