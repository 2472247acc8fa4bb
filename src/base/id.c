// SPDX-License-Identifier: EUPL-1.2
#include "carnet/base/id.h"

#include <string.h>

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

struct carnet_id carnet_id_v7(int64_t wall_ms, const uint8_t random10[10])
{
    struct carnet_id id;
    uint64_t ms = wall_ms > 0 ? (uint64_t)wall_ms : 0;
    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    memcpy(id.b + 6, random10, 10);
    id.b[6] = (uint8_t)((id.b[6] & 0x0f) | 0x70);
    id.b[8] = (uint8_t)((id.b[8] & 0x3f) | 0x80);
    return id;
}

int64_t carnet_id_ms(const struct carnet_id *id)
{
    return (int64_t)(carnet_id_head(id) >> 16);
}

bool carnet_id_equal(const struct carnet_id *a, const struct carnet_id *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool carnet_id_is_zero(const struct carnet_id *id)
{
    static const struct carnet_id zero;
    return carnet_id_equal(id, &zero);
}

int carnet_id_compare(const struct carnet_id *a, const struct carnet_id *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

bool carnet_hash_equal(const struct carnet_hash *a, const struct carnet_hash *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

static uint64_t read_be64(const uint8_t *b)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | b[i];
    return v;
}

uint64_t carnet_id_tail(const struct carnet_id *id)
{
    return read_be64(id->b + 8) & (UINT64_MAX >> 4);
}

uint64_t carnet_id_head(const struct carnet_id *id)
{
    return read_be64(id->b);
}

struct carnet_id_text carnet_id_text(const struct carnet_id *id)
{
    struct carnet_id_text text;
    uint64_t tail = carnet_id_tail(id);
    for (int i = 0; i < CARNET_ID_TEXT_LEN; i++)
        text.s[i] = digits[tail >> (55 - 5 * i) & 31];
    text.s[CARNET_ID_TEXT_LEN] = 0;
    return text;
}

/* Value of a Crockford digit, -1 when it is none. */
static int digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        c = (uint8_t)(c + 32);
    if (c == 'o')
        c = '0';
    if (c == 'i' || c == 'l')
        c = '1';
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

bool carnet_id_range(struct carnet_slice text, uint64_t *low, uint64_t *high)
{
    uint64_t value = 0;
    unsigned count = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '-')
            continue;
        int d = digit(text.ptr[i]);
        if (d < 0 || count == CARNET_ID_TEXT_LEN)
            return false;
        value = value << 5 | (uint64_t)d;
        count++;
    }
    if (count < 4)
        return false;
    unsigned rest = 5 * (CARNET_ID_TEXT_LEN - count);
    *low = value << rest;
    *high = *low | ((UINT64_C(1) << rest) - 1);
    return true;
}

void carnet_hex(const void *bytes, size_t len, char *out)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = "0123456789abcdef"[b[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[b[i] & 15];
    }
    out[2 * len] = 0;
}

bool carnet_unhex(struct carnet_slice text, uint8_t *out, size_t len)
{
    if (text.len != 2 * len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (v < 0)
            return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | v : v << 4);
    }
    return true;
}

void carnet_base32_encode(struct carnet_slice bytes, struct carnet_buf *out)
{
    unsigned bits = 0, have = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = (bits << 8 | bytes.ptr[i]) & 0xffff;
        have += 8;
        while (have >= 5) {
            have -= 5;
            char c = digits[bits >> have & 31];
            carnet_buf_append_byte(out, (uint8_t)(c >= 'a' ? c - 32 : c));
        }
    }
    if (have) {
        char c = digits[bits << (5 - have) & 31];
        carnet_buf_append_byte(out, (uint8_t)(c >= 'a' ? c - 32 : c));
    }
}

carnet_rc carnet_base32_decode(struct carnet_slice text, struct carnet_buf *out)
{
    unsigned bits = 0, have = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == ' ' || c == '-' || c == '\n' || c == '\r')
            continue;
        int d = digit(c);
        if (d < 0)
            return CARNET_MALFORMED;
        bits = (bits << 5 | (unsigned)d) & 0xfff;
        have += 5;
        if (have >= 8) {
            have -= 8;
            carnet_buf_append_byte(out, (uint8_t)(bits >> have));
        }
    }
    if (have >= 5 || (bits & ((1u << have) - 1)))
        return CARNET_MALFORMED;
    return out->failed ? CARNET_LIMIT : CARNET_OK;
}
