// SPDX-License-Identifier: EUPL-1.2
#include "carnet/base/text.h"

#include "utf8.h"

#include <string.h>
#include <utf8proc.h>

int32_t carnet_utf8_decode(struct carnet_slice text, size_t *at)
{
    const uint8_t *p = text.ptr + *at;
    size_t left = text.len - *at;
    if (p[0] < 0x80) {
        *at += 1;
        return p[0];
    }
    if (p[0] < 0xc2)
        return -1;
    if (p[0] < 0xe0) {
        if (left < 2 || (p[1] & 0xc0) != 0x80)
            return -1;
        *at += 2;
        return (p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    }
    if (p[0] < 0xf0) {
        if (left < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
            return -1;
        int32_t code = (p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
        *at += 3;
        return code < 0x800 || (code >= 0xd800 && code < 0xe000) ? -1 : code;
    }
    if (p[0] > 0xf4 || left < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80)
        return -1;
    int32_t code = (p[0] & 0x07) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6 | (p[3] & 0x3f);
    *at += 4;
    return code < 0x10000 || code > 0x10ffff ? -1 : code;
}

size_t carnet_utf8_encode(int32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code & 0x3f));
    return 4;
}

bool carnet_text_is_boundary(int32_t code)
{
    if (code < CARNET_PLAIN_MAX)
        return true;
    if (code >= 0x1100 && code < 0x1200) /* Hangul jamo: vowels and finals compose */
        return code < 0x1160;
    const utf8proc_property_t *property = utf8proc_get_property(code);
    return property->combining_class == 0 && property->category != UTF8PROC_CATEGORY_MN &&
           property->category != UTF8PROC_CATEGORY_MC && property->category != UTF8PROC_CATEGORY_ME;
}

static int class_of(int32_t code)
{
    return code < CARNET_PLAIN_MAX ? 0 : utf8proc_get_property(code)->combining_class;
}

void carnet_text_order(int32_t *codes, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        int32_t code = codes[i];
        int class = class_of(code);
        size_t j = i;
        for (; class && j > 0 && class_of(codes[j - 1]) > class; j--)
            codes[j] = codes[j - 1];
        codes[j] = code;
    }
}

/* Offset of the first byte that is not printable ASCII. */
static size_t ascii_prefix(struct carnet_slice text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t i = 0;
    for (; text.len - i >= 8; i += 8) {
        uint64_t w;
        memcpy(&w, text.ptr + i, sizeof w);
        /* The high bit of a byte: not ASCII; below 0x20, by borrow; or 0x7f, by carry. */
        if ((w | (w - ones * 0x20) | (w + ones)) & ones * 0x80)
            break;
    }
    while (i < text.len && text.ptr[i] >= 0x20 && text.ptr[i] < 0x7f)
        i++;
    return i;
}

bool carnet_text_is_utf8(struct carnet_slice text)
{
    for (size_t at = ascii_prefix(text); at < text.len;)
        if (carnet_utf8_decode(text, &at) <= 0)
            return false;
    return true;
}

static bool is_dropped(int32_t code)
{
    return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0);
}

/* Reads one cluster from *at as NFC. Controls are left out when `drop`. Gives the count of code points, -1: not UTF-8, a NUL,
 * or beyond CARNET_CLUSTER_MAX. */
static int cluster(struct carnet_slice text, size_t *at, bool drop, int32_t codes[CARNET_CLUSTER_MAX])
{
    utf8proc_ssize_t count = 0;
    while (*at < text.len) {
        size_t next = *at;
        int32_t code = carnet_utf8_decode(text, &next);
        if (code <= 0)
            return -1;
        if (drop && is_dropped(code)) {
            *at = next;
            continue;
        }
        if (count && carnet_text_is_boundary(code))
            break;
        int class;
        utf8proc_ssize_t more =
            utf8proc_decompose_char(code, codes + count, CARNET_CLUSTER_MAX - count, UTF8PROC_DECOMPOSE, &class);
        if (more < 0 || more > CARNET_CLUSTER_MAX - count)
            return -1;
        count += more;
        *at = next;
    }
    carnet_text_order(codes, (size_t)count);
    return (int)utf8proc_normalize_utf32(codes, count, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
}

bool carnet_text_is_nfc(struct carnet_slice text)
{
    size_t at = ascii_prefix(text);
    size_t start = at ? at - 1 : 0; /* of the code point before `at`, which a mark at `at` would join */
    while (at < text.len) {
        uint8_t byte = text.ptr[at];
        if (byte == 0)
            return false;
        if (byte < 0x80) {
            start = at++;
            continue;
        }
        if (byte < 0xcc) { /* 0xcc 0x80 is U+0300 */
            start = at;
            if (carnet_utf8_decode(text, &at) < 0)
                return false;
            continue;
        }
        int32_t codes[CARNET_CLUSTER_MAX];
        at = start;
        int count = cluster(text, &at, false, codes);
        if (count < 0)
            return false;
        size_t from = start;
        for (int i = 0; i < count; i++) {
            uint8_t bytes[4];
            size_t len = carnet_utf8_encode(codes[i], bytes);
            if (len > at - from || memcmp(bytes, text.ptr + from, len) != 0)
                return false;
            from += len;
        }
        if (from != at)
            return false;
        start = at;
    }
    return true;
}

/* Trimmed at the ends: white space, the byte order mark, what is dropped anyway. */
static bool is_trimmed(int32_t code)
{
    switch (code) {
    case '\t': case '\n': case ' ': case 0xa0: case 0x1680: case 0x2028: case 0x2029: case 0x202f: case 0x205f:
    case 0x3000: case 0xfeff:
        return true;
    default:
        return is_dropped(code) || (code >= 0x2000 && code <= 0x200b);
    }
}

static struct carnet_slice trimmed(struct carnet_slice text)
{
    while (text.len) {
        size_t at = 0;
        if (!is_trimmed(carnet_utf8_decode(text, &at)))
            break;
        text.ptr += at;
        text.len -= at;
    }
    while (text.len) {
        size_t last = text.len - 1, at;
        while (last && (text.ptr[last] & 0xc0) == 0x80)
            last--;
        at = last;
        if (!is_trimmed(carnet_utf8_decode(text, &at)))
            break;
        text.len = last;
    }
    return text;
}

/* How many bytes at the start are as they shall be whatever follows: printable code points below CARNET_PLAIN_MAX, without the last of
 * them when something else comes after it, which may be a mark. Precondition: UTF-8. */
static size_t plain_prefix(struct carnet_slice text)
{
    size_t at = ascii_prefix(text);
    size_t last = at ? at - 1 : 0;
    while (at < text.len) {
        uint8_t byte = text.ptr[at];
        bool one = (byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\t';
        bool two = byte >= 0xc2 && byte < 0xcc && (byte > 0xc2 || text.ptr[at + 1] >= 0xa0);
        if (!one && !two)
            return last;
        last = at;
        at += one ? 1 : 2;
    }
    return text.len;
}

carnet_rc carnet_text_normalise(struct carnet_slice text, struct carnet_buf *out)
{
    if (!carnet_text_is_utf8(text))
        return CARNET_MALFORMED;
    text = trimmed(text);
    size_t at = 0;
    carnet_rc rc = CARNET_OK;
    size_t start = out->len;
    for (;;) {
        size_t plain = plain_prefix(carnet_slice(text.ptr + at, text.len - at));
        carnet_buf_append(out, text.ptr + at, plain);
        at += plain;
        if (at >= text.len)
            break;
        int32_t codes[CARNET_CLUSTER_MAX];
        int count = cluster(text, &at, true, codes);
        if (count < 0) {
            rc = CARNET_MALFORMED;
            break;
        }
        for (int i = 0; i < count; i++) {
            uint8_t bytes[4];
            carnet_buf_append(out, bytes, carnet_utf8_encode(codes[i], bytes));
        }
    }
    if (out->failed)
        rc = CARNET_LIMIT;
    if (rc)
        out->len = start;
    return rc;
}

size_t carnet_text_width(struct carnet_slice text)
{
    size_t width = 0;
    for (size_t at = 0; at < text.len;) {
        int32_t code = carnet_utf8_decode(text, &at);
        if (code < 0) {
            /* A terminal shows one mark for a byte it cannot read. */
            at++;
            width++;
        } else if (code >= 0x20 && code < 0x7f) {
            width++;
        } else {
            int columns = utf8proc_charwidth(code);
            width += columns > 0 ? (size_t)columns : 0;
        }
    }
    return width;
}
