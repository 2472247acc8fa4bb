// SPDX-License-Identifier: EUPL-1.2
#include "source.h"

#include "carnet/base/limits.h"
#include "carnet/base/text.h"
#include "carnet/sys/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BLOCK = 64 * 1024,
    WINDOW = 2 * CARNET_LINE_LEN_MAX + 4 * BLOCK, /* a record, a line after it, and a block decoded */
};

/* Windows-1252 from 0x80 to 0x9f; 0: undefined there. The rest is Latin-1. */
static const uint16_t cp1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

static ssize_t read_some(struct carnet_source *s, uint8_t *out, size_t len)
{
    ssize_t got;
    if (s->in.pull) {
        got = s->in.pull(s->in.ctx, out, len);
    } else if (s->in.fd < 0) {
        struct carnet_slice *mem = &s->in.mem;
        got = (ssize_t)(mem->len < len ? mem->len : len);
        if (got)
            memcpy(out, mem->ptr, (size_t)got);
        *mem = carnet_slice(got ? mem->ptr + got : mem->ptr, mem->len - (size_t)got);
    } else {
        do
            got = read(s->in.fd, out, len);
        while (got < 0 && errno == EINTR);
    }
    if (got > 0)
        s->read_bytes += (uint64_t)got;
    s->eof = s->eof || got == 0;
    return got;
}

/* UTF-16 in raw becomes UTF-8 in the window; half a character waits in raw, a half without its other becomes U+FFFD. */
static void decode_utf16(struct carnet_source *s)
{
    bool little = s->encoding == CARNET_SOURCE_UTF16LE;
    size_t i = 0;
    while (s->raw_len - i >= 2) {
        uint32_t code =
            little ? (uint32_t)s->raw[i] | (uint32_t)s->raw[i + 1] << 8 : (uint32_t)s->raw[i] << 8 | s->raw[i + 1];
        if (code >= 0xd800 && code < 0xdc00) {
            if (s->raw_len - i < 4 && !s->eof)
                break;
            uint32_t low = 0;
            if (s->raw_len - i >= 4)
                low = little ? (uint32_t)s->raw[i + 2] | (uint32_t)s->raw[i + 3] << 8
                             : (uint32_t)s->raw[i + 2] << 8 | s->raw[i + 3];
            if (low >= 0xdc00 && low < 0xe000) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            } else {
                code = 0xfffd;
            }
        } else if (code >= 0xdc00 && code < 0xe000) {
            code = 0xfffd;
        }
        i += 2;
        s->end += carnet_utf8_encode((int32_t)code, s->win + s->end);
    }
    memmove(s->raw, s->raw + i, s->raw_len - i);
    s->raw_len -= i;
}

/* Adds a block to the window; false: reading failed. At the end of the file only eof changes. */
static bool fill(struct carnet_source *s)
{
    if (s->end + 2 * BLOCK > s->cap) {
        memmove(s->win, s->win + s->mark, s->end - s->mark);
        s->at -= s->mark;
        s->end -= s->mark;
        s->mark = 0;
    }
    if (s->end + 2 * BLOCK > s->cap) {
        s->cap = 2 * s->cap < WINDOW ? 2 * s->cap : WINDOW;
        s->win = carnet_realloc(s->win, s->cap, 1);
    }
    CARNET_ASSERT(s->end + 2 * BLOCK <= s->cap);
    bool wide = s->encoding == CARNET_SOURCE_UTF16LE || s->encoding == CARNET_SOURCE_UTF16BE;
    if (!wide) {
        ssize_t got = read_some(s, s->win + s->end, BLOCK);
        s->end += got > 0 ? (size_t)got : 0;
        return got >= 0;
    }
    ssize_t got = read_some(s, s->raw + s->raw_len, BLOCK - s->raw_len);
    s->raw_len += got > 0 ? (size_t)got : 0;
    decode_utf16(s);
    return got >= 0;
}

static bool starts(const struct carnet_source *s, const char *bytes, size_t len)
{
    return s->end >= len && memcmp(s->win, bytes, len) == 0;
}

/* UTF-16 without its mark: every second byte of plain text is 0. */
static bool zeros_at(const struct carnet_source *s, size_t offset)
{
    size_t len = s->end < 512 ? s->end & ~(size_t)1 : 512, zeros = 0, others = 0;
    for (size_t i = 0; i < len; i += 2) {
        zeros += s->win[i + offset] == 0;
        others += s->win[i + 1 - offset] == 0;
    }
    return len >= 8 && zeros * 10 >= len / 2 * 6 && others == 0;
}

static void to_utf16(struct carnet_source *s, enum carnet_source_encoding encoding, size_t skip)
{
    s->encoding = encoding;
    s->raw = carnet_realloc(NULL, BLOCK, 1);
    s->raw_len = s->end - skip;
    memcpy(s->raw, s->win + skip, s->raw_len);
    s->end = 0;
    decode_utf16(s);
}

static bool is_binary(const struct carnet_source *s)
{
    static const struct {
        const char *bytes;
        size_t len;
    } magic[] = {{"\xff\xd8\xff", 3},
                 {"\x89PNG", 4},
                 {"%PDF", 4},
                 {"PK\x03\x04", 4},
                 {"\x1f\x8b", 2},
                 {"\xd0\xcf\x11\xe0", 4},
                 {"GIF8", 4},
                 {"\x7f"
                  "ELF",
                  4},
                 {"SQLite format 3", 15}};
    for (size_t i = 0; i < sizeof magic / sizeof magic[0]; i++)
        if (starts(s, magic[i].bytes, magic[i].len))
            return true;
    size_t controls = 0;
    for (size_t i = 0; i < s->end; i++)
        controls += s->win[i] < 0x20 && s->win[i] != '\t' && s->win[i] != '\n' && s->win[i] != '\r' &&
                    s->win[i] != '\f' && s->win[i] != 0x1a;
    return controls * 50 > s->end; /* a stray NUL is a matter of its row; 2 % of controls are no text */
}

/* Which of UTF-8 and Windows-1252, by what there is more of. cut: the end may be in the middle of a character. */
static enum carnet_source_encoding guess(const uint8_t *bytes, size_t len, bool cut)
{
    size_t good = 0, bad = 0;
    for (size_t i = 0; i < len;) {
        uint8_t c = bytes[i];
        if (c < 0x80) {
            i++;
            continue;
        }
        size_t need = c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
        if (need && i + need > len && cut)
            break;
        if (need && i + need <= len && carnet_text_is_utf8(carnet_slice(bytes + i, need))) {
            good++;
            i += need;
        } else {
            bad++;
            i++;
        }
    }
    return good == 0 && bad == 0 ? CARNET_SOURCE_ASCII : good >= bad ? CARNET_SOURCE_UTF8 : CARNET_SOURCE_CP1252;
}

carnet_rc carnet_source_failed(struct carnet_err *err)
{
    if (errno == EBADMSG)
        return carnet_err_set(err, CARNET_FAILED, "the zip file is damaged");
    return carnet_err_set(err, CARNET_FAILED, "cannot read the file: %s",
                          carnet_errno_text(carnet_err_lang(err), errno));
}

carnet_rc carnet_source_open(struct carnet_source *s, const struct carnet_source_input *in, struct carnet_err *err)
{
    *s = (struct carnet_source){.in = *in, .line = 1, .newline = '\n'};
    struct stat st;
    if (in->pull)
        s->size_bytes = in->size_bytes;
    else if (in->fd < 0)
        s->size_bytes = in->mem.len;
    else if (fstat(in->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        s->size_bytes = (uint64_t)st.st_size;
    s->cap = 4 * BLOCK;
    s->win = carnet_realloc(NULL, s->cap, 1);
    while (s->end < BLOCK && !s->eof) {
        ssize_t got = read_some(s, s->win + s->end, BLOCK - s->end);
        if (got < 0) {
            carnet_source_failed(err);
            carnet_source_close(s);
            return CARNET_FAILED;
        }
        s->end += (size_t)got;
    }
    bool binary = false;
    if (starts(s, "\xef\xbb\xbf", 3)) {
        s->encoding = CARNET_SOURCE_UTF8;
        s->mark = s->at = 3;
    } else if (starts(s, "\xff\xfe", 2)) {
        to_utf16(s, CARNET_SOURCE_UTF16LE, 2);
    } else if (starts(s, "\xfe\xff", 2)) {
        to_utf16(s, CARNET_SOURCE_UTF16BE, 2);
    } else if (zeros_at(s, 1)) {
        to_utf16(s, CARNET_SOURCE_UTF16LE, 0);
    } else if (zeros_at(s, 0)) {
        to_utf16(s, CARNET_SOURCE_UTF16BE, 0);
    } else {
        s->encoding = guess(s->win, s->end, !s->eof);
    }
    binary = is_binary(s);
    if (binary) {
        carnet_source_close(s);
        carnet_err_set(err, CARNET_MALFORMED, "not a CSV or vCard file");
        carnet_err_hint(err, "save the spreadsheet as CSV, or export the address book as vCard");
        return CARNET_MALFORMED;
    }
    if (s->end > s->at && !memchr(s->win + s->at, '\n', s->end - s->at) && memchr(s->win + s->at, '\r', s->end - s->at))
        s->newline = '\r';
    return CARNET_OK;
}

void carnet_source_close(struct carnet_source *s)
{
    free(s->win);
    free(s->raw);
    s->win = s->raw = NULL;
}

/* Throws the window away, and what is left of the line after it. */
static bool skip_line(struct carnet_source *s)
{
    for (;;) {
        s->mark = s->at = s->end = 0;
        if (s->eof)
            return true;
        if (!fill(s))
            return false;
        const uint8_t *stop = s->end ? memchr(s->win, s->newline, s->end) : NULL;
        if (stop) {
            s->mark = s->at = (size_t)(stop + 1 - s->win);
            return true;
        }
    }
}

enum carnet_source_line carnet_source_next(struct carnet_source *s, struct carnet_slice *line)
{
    size_t seen = 0;
    *line = CARNET_SLICE_NONE;
    for (;;) {
        const uint8_t *stop =
            s->end > s->at + seen ? memchr(s->win + s->at + seen, s->newline, s->end - s->at - seen) : NULL;
        size_t len = stop ? (size_t)(stop + 1 - (s->win + s->at)) : s->end - s->at;
        if (len > CARNET_LINE_LEN_MAX + (stop ? 1u : 0u)) {
            memcpy(s->head, s->win + s->at, sizeof s->head);
            *line = carnet_slice(s->head, sizeof s->head);
            s->line++;
            s->at += len;
            if (!stop && !skip_line(s))
                return CARNET_SOURCE_FAILED;
            s->mark = s->at;
            return CARNET_SOURCE_TOO_LONG;
        }
        if (stop || (s->eof && len)) {
            *line = carnet_slice(s->win + s->at, len);
            s->at += len;
            s->line++;
            return CARNET_SOURCE_LINE;
        }
        if (s->eof)
            return CARNET_SOURCE_END;
        seen = s->end - s->at;
        if (!fill(s))
            return CARNET_SOURCE_FAILED;
    }
}

void carnet_source_mark(struct carnet_source *s)
{
    s->mark = s->at;
}

void carnet_source_back(struct carnet_source *s, size_t len, uint64_t line)
{
    CARNET_ASSERT(s->mark + len <= s->at);
    s->at = s->mark + len;
    s->line = line;
}

struct carnet_slice carnet_source_text(struct carnet_source *s, struct carnet_slice bytes, struct carnet_buf *scratch)
{
    if (s->encoding == CARNET_SOURCE_ASCII)
        s->encoding = guess(bytes.ptr, bytes.len, false);
    if (s->encoding != CARNET_SOURCE_CP1252)
        return bytes;
    carnet_buf_clear(scratch);
    size_t plain = 0;
    for (size_t i = 0; i <= bytes.len; i++) {
        uint8_t c = i < bytes.len ? bytes.ptr[i] : 0x80;
        if (c < 0x80)
            continue;
        carnet_buf_append(scratch, bytes.ptr + plain, i - plain);
        plain = i + 1;
        if (i < bytes.len) {
            uint8_t code[4];
            uint32_t point = c < 0xa0 ? cp1252[c - 0x80] : c;
            carnet_buf_append(scratch, code, carnet_utf8_encode(point ? (int32_t)point : 0xfffd, code));
        }
    }
    return carnet_buf_slice(scratch);
}

carnet_rc carnet_source_peek(struct carnet_source *s, struct carnet_slice *out, struct carnet_err *err)
{
    while (!s->eof && s->end - s->at <= CARNET_LINE_LEN_MAX && !memchr(s->win + s->at, s->newline, s->end - s->at))
        if (!fill(s))
            return carnet_source_failed(err);
    *out = carnet_slice(s->win + s->at, s->end - s->at);
    return CARNET_OK;
}

void carnet_source_skip(struct carnet_source *s, size_t len, uint64_t lines)
{
    CARNET_ASSERT(len <= s->end - s->at);
    s->at += len;
    s->mark = s->at;
    s->line += lines;
}
