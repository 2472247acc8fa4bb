// SPDX-License-Identifier: EUPL-1.2
#include "carnet/wire/cbor.h"

#include "carnet/base/limits.h"
#include "carnet/base/text.h"

#include <string.h>

/* Major types of RFC 8949 section 3.1 that we take; 5 (maps) and 6 (tags) are refused. */
enum { UINT = 0, NEGINT = 1, BYTES = 2, TEXT = 3, ARRAY = 4, SIMPLE = 7 };
enum { FALSE_BYTE = 0xf4, TRUE_BYTE = 0xf5, NULL_BYTE = 0xf6 };

void carnet_reader_init(struct carnet_reader *r, struct carnet_slice bytes)
{
    *r = (struct carnet_reader){ .ptr = bytes.ptr, .len = bytes.len };
}

void carnet_reader_fail(struct carnet_reader *r)
{
    r->failed = true;
}

carnet_rc carnet_reader_done(const struct carnet_reader *r)
{
    return r->failed || r->at != r->len ? CARNET_MALFORMED : CARNET_OK;
}

/* The argument that follows a head of 24 to 27 in its low bits; only the shortest form passes. */
static bool long_argument(struct carnet_reader *r, unsigned info, uint64_t *value)
{
    if (info > 27)
        return false;
    size_t width = (size_t)1 << (info - 24);
    if (r->len - r->at < width)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < width; i++)
        v = v << 8 | r->ptr[r->at + i];
    r->at += width;
    *value = v;
    switch (info) {
    case 24:
        return v >= 24;
    case 25:
        return v > UINT8_MAX;
    case 26:
        return v > UINT16_MAX;
    default:
        return v > UINT32_MAX;
    }
}

/* Reads one head of the wanted major type and counts the item. Zero and failed otherwise. */
static inline uint64_t head(struct carnet_reader *r, unsigned major)
{
    if (r->failed || r->at >= r->len || r->ptr[r->at] >> 5 != major || r->items >= CARNET_CBOR_ITEMS_MAX) {
        r->failed = true;
        return 0;
    }
    r->items++;
    unsigned info = r->ptr[r->at++] & 31;
    if (info < 24)
        return info;
    uint64_t value;
    if (!long_argument(r, info, &value)) {
        r->failed = true;
        return 0;
    }
    return value;
}

static inline struct carnet_slice string(struct carnet_reader *r, unsigned major)
{
    uint64_t len = head(r, major);
    if (r->failed || len > r->len - r->at) {
        r->failed = true;
        return CARNET_SLICE_NONE;
    }
    struct carnet_slice s = { r->ptr + r->at, (size_t)len };
    r->at += (size_t)len;
    return s;
}

enum carnet_cbor_type carnet_reader_peek(const struct carnet_reader *r)
{
    if (r->failed || r->at >= r->len)
        return CARNET_CBOR_END;
    switch (r->ptr[r->at] >> 5) {
    case UINT:
        return CARNET_CBOR_UINT;
    case NEGINT:
        return CARNET_CBOR_NEGINT;
    case BYTES:
        return CARNET_CBOR_BYTES;
    case TEXT:
        return CARNET_CBOR_TEXT;
    case ARRAY:
        return CARNET_CBOR_ARRAY;
    default:
        break;
    }
    switch (r->ptr[r->at]) {
    case FALSE_BYTE:
    case TRUE_BYTE:
        return CARNET_CBOR_BOOL;
    case NULL_BYTE:
        return CARNET_CBOR_NULL;
    default:
        return CARNET_CBOR_END;
    }
}

size_t carnet_reader_array(struct carnet_reader *r)
{
    uint64_t count = head(r, ARRAY);
    /* An item is one byte at least, so a count beyond the bytes left is a lie: nobody sizes memory by it. */
    if (r->failed || count > r->len - r->at) {
        r->failed = true;
        return 0;
    }
    return (size_t)count;
}

size_t carnet_reader_array_max(struct carnet_reader *r, size_t max)
{
    size_t count = carnet_reader_array(r);
    if (count > max) {
        r->failed = true;
        return 0;
    }
    return count;
}

void carnet_reader_array_exact(struct carnet_reader *r, size_t count)
{
    if (carnet_reader_array(r) != count)
        r->failed = true;
}

uint64_t carnet_reader_uint(struct carnet_reader *r)
{
    return head(r, UINT);
}

uint64_t carnet_reader_uint_max(struct carnet_reader *r, uint64_t max)
{
    uint64_t value = head(r, UINT);
    if (value > max) {
        r->failed = true;
        return 0;
    }
    return value;
}

int64_t carnet_reader_int(struct carnet_reader *r)
{
    bool negative = !r->failed && r->at < r->len && r->ptr[r->at] >> 5 == NEGINT;
    uint64_t value = head(r, negative ? NEGINT : UINT);
    if (value > INT64_MAX) {
        r->failed = true;
        return 0;
    }
    /* A failed head gives zero in either case. */
    return negative && !r->failed ? -1 - (int64_t)value : (int64_t)value;
}

struct carnet_slice carnet_reader_bytes(struct carnet_reader *r)
{
    return string(r, BYTES);
}

void carnet_reader_bytes_exact(struct carnet_reader *r, void *out, size_t len)
{
    struct carnet_slice s = string(r, BYTES);
    if (r->failed || s.len != len) {
        r->failed = true;
        memset(out, 0, len);
        return;
    }
    memcpy(out, s.ptr, len);
}

struct carnet_slice carnet_reader_text(struct carnet_reader *r)
{
    struct carnet_slice s = string(r, TEXT);
    if (r->failed || !carnet_text_is_nfc(s)) {
        r->failed = true;
        return CARNET_SLICE_NONE;
    }
    return s;
}

struct carnet_slice carnet_reader_text_max(struct carnet_reader *r, size_t len_max)
{
    struct carnet_slice s = string(r, TEXT);
    if (r->failed || s.len > len_max || !carnet_text_is_nfc(s)) {
        r->failed = true;
        return CARNET_SLICE_NONE;
    }
    return s;
}

void carnet_reader_tag(struct carnet_reader *r, const char *text)
{
    struct carnet_slice s = string(r, TEXT);
    if (!carnet_slice_equal(s, carnet_slice_str(text)))
        r->failed = true;
}

/* One byte of major type 7, counted as an item. */
static uint8_t simple(struct carnet_reader *r)
{
    if (r->failed || r->at >= r->len || r->items >= CARNET_CBOR_ITEMS_MAX) {
        r->failed = true;
        return 0;
    }
    r->items++;
    return r->ptr[r->at++];
}

bool carnet_reader_bool(struct carnet_reader *r)
{
    uint8_t byte = simple(r);
    if (byte != FALSE_BYTE && byte != TRUE_BYTE)
        r->failed = true;
    return byte == TRUE_BYTE && !r->failed;
}

bool carnet_reader_null(struct carnet_reader *r)
{
    if (carnet_reader_peek(r) != CARNET_CBOR_NULL)
        return false;
    simple(r);
    return !r->failed;
}

/* Reads one item; of an array only the head, whose count it gives; else 0. */
static inline size_t shallow(struct carnet_reader *r, bool *array)
{
    unsigned major = r->at < r->len ? r->ptr[r->at] >> 5 : SIMPLE;
    *array = false;
    switch (major) {
    case UINT:
        head(r, UINT);
        return 0;
    case NEGINT:
        carnet_reader_int(r);
        return 0;
    case BYTES:
        string(r, BYTES);
        return 0;
    case TEXT:
        if (!carnet_text_is_nfc(string(r, TEXT)))
            r->failed = true;
        return 0;
    case ARRAY:
        *array = true;
        return carnet_reader_array(r);
    case SIMPLE: {
        uint8_t byte = simple(r);
        if (byte != FALSE_BYTE && byte != TRUE_BYTE && byte != NULL_BYTE)
            r->failed = true;
        return 0;
    }
    default:
        r->failed = true;
        return 0;
    }
}

struct carnet_slice carnet_reader_skip(struct carnet_reader *r)
{
    size_t left[CARNET_CBOR_DEPTH_MAX]; /* items still to come in each open array */
    size_t depth = 0;
    size_t start = r->at;
    do {
        bool array;
        size_t count = shallow(r, &array);
        if (depth)
            left[depth - 1]--;
        if (array) {
            if (depth == CARNET_CBOR_DEPTH_MAX)
                r->failed = true;
            else
                left[depth++] = count;
        }
        if (r->failed)
            return CARNET_SLICE_NONE;
        while (depth && left[depth - 1] == 0)
            depth--;
    } while (depth);
    return carnet_slice(r->ptr + start, r->at - start);
}

carnet_rc carnet_cbor_check(struct carnet_slice bytes)
{
    struct carnet_reader r;
    carnet_reader_init(&r, bytes);
    carnet_reader_skip(&r);
    return carnet_reader_done(&r);
}
