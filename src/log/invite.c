// SPDX-License-Identifier: EUPL-1.2
#include "carnet/log/authority.h"

#include "internal.h"

#include <string.h>

/* What people copy by hand: bytes, a check sum of their hash, Crockford's base32 in groups. */

enum {
    CODE_VERSION = 1,
    CODE_SUM_LEN = 4,
    CODE_GROUP = 5,
    CODE_BYTES_MAX = 512, /* four addresses of 95 and 70 bytes besides */
    CODE_TEXT_MAX = 2048, /* with as many spaces and hyphens as somebody may add */
    RECOVERY_SUM_LEN = 3, /* 35 bytes are 56 characters, without a rest */
    RECOVERY_GROUP = 4
};

static void put_text(struct carnet_slice bytes, size_t group, struct carnet_buf *out)
{
    struct carnet_buf text;
    carnet_buf_init(&text, CODE_TEXT_MAX);
    carnet_base32_encode(bytes, &text);
    CARNET_ASSERT(!text.failed);
    for (size_t i = 0; i < text.len; i++) {
        if (i > 0 && i % group == 0)
            carnet_buf_append_byte(out, '-');
        carnet_buf_append_byte(out, text.ptr[i]);
    }
    carnet_wipe(text.ptr, text.cap);
    carnet_buf_deinit(&text);
}

static void put_sum(const char *domain, size_t len, struct carnet_buf *bytes)
{
    struct carnet_hash hash = carnet_hash_of(domain, carnet_buf_slice(bytes));
    carnet_buf_append(bytes, hash.b, len);
}

/* Decodes and checks; what remains in bytes is without the check sum. */
static carnet_rc read_text(struct carnet_slice text, const char *domain, size_t sum_len, struct carnet_buf *bytes)
{
    if (text.len > CODE_TEXT_MAX || carnet_base32_decode(text, bytes) != CARNET_OK || bytes->len <= sum_len)
        return CARNET_MALFORMED;
    bytes->len -= sum_len;
    struct carnet_hash hash = carnet_hash_of(domain, carnet_buf_slice(bytes));
    return memcmp(hash.b, bytes->ptr + bytes->len, sum_len) == 0 ? CARNET_OK : CARNET_MALFORMED;
}

/* "tcp://host:port" in printable ASCII: it is shown on terminals. */
static bool address_fits(struct carnet_slice address)
{
    static const char scheme[] = "tcp://";
    const size_t len = sizeof scheme - 1;
    if (address.len <= len || address.len >= sizeof((struct carnet_invite_code *)0)->addresses[0] ||
        memcmp(address.ptr, scheme, len) != 0)
        return false;
    for (size_t i = 0; i < address.len; i++)
        if (address.ptr[i] <= ' ' || address.ptr[i] > '~')
            return false;
    return true;
}

void carnet_invite_code_encode(const struct carnet_invite_code *code, struct carnet_buf *out)
{
    struct carnet_buf bytes;
    carnet_buf_init(&bytes, CODE_BYTES_MAX);
    CARNET_ASSERT(code->address_count <= sizeof code->addresses / sizeof *code->addresses);
    carnet_cbor_put_array(&bytes, 5);
    carnet_cbor_put_uint(&bytes, CODE_VERSION);
    carnet_cbor_put_id(&bytes, &code->community);
    carnet_cbor_put_bytes(&bytes, carnet_slice(code->server.b, sizeof code->server.b));
    carnet_cbor_put_bytes(&bytes, carnet_slice(code->secret, sizeof code->secret));
    carnet_cbor_put_array(&bytes, code->address_count);
    for (size_t i = 0; i < code->address_count; i++) {
        struct carnet_slice address = carnet_slice_str(code->addresses[i]);
        CARNET_ASSERT(address_fits(address));
        carnet_cbor_put_text(&bytes, address);
    }
    put_sum(CARNET_CODE_DOMAIN, CODE_SUM_LEN, &bytes);
    CARNET_ASSERT(!bytes.failed);
    put_text(carnet_buf_slice(&bytes), CODE_GROUP, out);
    carnet_wipe(bytes.ptr, bytes.cap);
    carnet_buf_deinit(&bytes);
}

static carnet_rc read_code(struct carnet_slice bytes, struct carnet_invite_code *out)
{
    struct carnet_reader r;
    carnet_reader_init(&r, bytes);
    carnet_reader_array_exact(&r, 5);
    if (carnet_reader_uint(&r) != CODE_VERSION)
        carnet_reader_fail(&r);
    carnet_reader_bytes_exact(&r, out->community.b, sizeof out->community.b);
    carnet_reader_bytes_exact(&r, out->server.b, sizeof out->server.b);
    carnet_reader_bytes_exact(&r, out->secret, sizeof out->secret);
    size_t count = carnet_reader_array_max(&r, sizeof out->addresses / sizeof *out->addresses);
    for (size_t i = 0; i < count && !r.failed; i++) {
        struct carnet_slice address = carnet_reader_text(&r);
        if (r.failed || !address_fits(address))
            return CARNET_MALFORMED;
        memcpy(out->addresses[i], address.ptr, address.len);
    }
    out->address_count = count;
    return carnet_reader_done(&r);
}

carnet_rc carnet_invite_code_decode(struct carnet_slice text, struct carnet_invite_code *out)
{
    struct carnet_buf bytes;
    carnet_buf_init(&bytes, CODE_BYTES_MAX);
    *out = (struct carnet_invite_code){0};
    carnet_rc rc = read_text(text, CARNET_CODE_DOMAIN, CODE_SUM_LEN, &bytes);
    if (rc == CARNET_OK)
        rc = read_code(carnet_buf_slice(&bytes), out);
    if (rc != CARNET_OK)
        *out = (struct carnet_invite_code){0};
    if (bytes.ptr)
        carnet_wipe(bytes.ptr, bytes.cap);
    carnet_buf_deinit(&bytes);
    return rc;
}

void carnet_invite_keys(const uint8_t secret[16], struct carnet_box_pk *pk, struct carnet_box_sk *sk)
{
    struct carnet_hash seed = carnet_hash_of(CARNET_INVITE_DOMAIN, carnet_slice(secret, 16));
    carnet_box_pair(seed.b, pk, sk);
    carnet_wipe(&seed, sizeof seed);
}

void carnet_recovery_encode(const uint8_t seed[32], struct carnet_buf *out)
{
    struct carnet_buf bytes;
    carnet_buf_init(&bytes, 64);
    carnet_buf_append(&bytes, seed, 32);
    put_sum(CARNET_RECOVERY_DOMAIN, RECOVERY_SUM_LEN, &bytes);
    put_text(carnet_buf_slice(&bytes), RECOVERY_GROUP, out);
    carnet_wipe(bytes.ptr, bytes.cap);
    carnet_buf_deinit(&bytes);
}

carnet_rc carnet_recovery_decode(struct carnet_slice text, uint8_t seed[32])
{
    struct carnet_buf bytes;
    carnet_buf_init(&bytes, 64);
    memset(seed, 0, 32);
    carnet_rc rc = read_text(text, CARNET_RECOVERY_DOMAIN, RECOVERY_SUM_LEN, &bytes);
    if (rc == CARNET_OK && bytes.len != 32)
        rc = CARNET_MALFORMED;
    if (rc == CARNET_OK)
        memcpy(seed, bytes.ptr, 32);
    if (bytes.ptr)
        carnet_wipe(bytes.ptr, bytes.cap);
    carnet_buf_deinit(&bytes);
    return rc;
}
