// SPDX-License-Identifier: EUPL-1.2
#include "carnet/base/limits.h"
#include "carnet/log/authority.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int start(void **state)
{
    (void)state;
    return carnet_crypto_init(NULL) == CARNET_OK ? 0 : -1;
}

static struct carnet_invite_code sample(void)
{
    struct carnet_invite_code code = {.address_count = 2,
                                      .addresses = {"tcp://192.0.2.7:40001", "tcp://[2001:db8::1]:40001"}};
    memset(code.community.b, 1, sizeof code.community.b);
    memset(code.server.b, 2, sizeof code.server.b);
    memset(code.secret, 3, sizeof code.secret);
    return code;
}

static void encode(const struct carnet_invite_code *code, struct carnet_buf *text)
{
    carnet_buf_init(text, 4096);
    carnet_invite_code_encode(code, text);
    assert_false(text->failed);
}

static void a_code_comes_back(void **state)
{
    (void)state;
    struct carnet_invite_code code = sample(), out;
    struct carnet_buf text;
    for (code.address_count = 0; code.address_count <= 2; code.address_count++) {
        encode(&code, &text);
        assert_int_equal(carnet_invite_code_decode(carnet_buf_slice(&text), &out), CARNET_OK);
        assert_true(carnet_id_equal(&out.community, &code.community));
        assert_memory_equal(out.server.b, code.server.b, 32);
        assert_memory_equal(out.secret, code.secret, 16);
        assert_int_equal(out.address_count, code.address_count);
        for (size_t i = 0; i < out.address_count; i++)
            assert_string_equal(out.addresses[i], code.addresses[i]);
        carnet_buf_deinit(&text);
    }
}

static void four_long_addresses_fit(void **state)
{
    (void)state;
    struct carnet_invite_code code = sample(), out;
    struct carnet_buf text;
    code.address_count = 4;
    for (size_t i = 0; i < 4; i++) {
        memset(code.addresses[i], 'a', 95);
        memcpy(code.addresses[i], "tcp://", 6);
        code.addresses[i][95] = 0;
    }
    encode(&code, &text);
    assert_int_equal(carnet_invite_code_decode(carnet_buf_slice(&text), &out), CARNET_OK);
    assert_string_equal(out.addresses[3], code.addresses[3]);
    carnet_buf_deinit(&text);
}

static void case_spaces_and_lookalikes_do_not_matter(void **state)
{
    (void)state;
    struct carnet_invite_code code = sample(), out;
    struct carnet_buf text, typed;
    encode(&code, &text);
    carnet_buf_init(&typed, 4096);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        carnet_buf_append_byte(&typed, c == '-'   ? ' '
                                       : c == '0' ? 'O'
                                       : c == '1' ? 'l'
                                       : c >= 'A' ? (uint8_t)(c + 32)
                                                  : c);
    }
    assert_int_equal(carnet_invite_code_decode(carnet_buf_slice(&typed), &out), CARNET_OK);
    assert_memory_equal(out.secret, code.secret, 16);
    carnet_buf_deinit(&text);
    carnet_buf_deinit(&typed);
}

/* Each character replaced by each other one, each pair of neighbours exchanged, each beginning alone. */
static void no_typing_mistake_passes(struct carnet_buf *text, carnet_rc (*decode)(struct carnet_slice text))
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (size_t i = 0; i < text->len; i++) {
        uint8_t right = text->ptr[i];
        if (right == '-')
            continue;
        for (size_t j = 0; j < 32; j++) {
            text->ptr[i] = (uint8_t)digits[j];
            assert_int_equal(decode(carnet_buf_slice(text)), digits[j] == right ? CARNET_OK : CARNET_MALFORMED);
        }
        text->ptr[i] = right;
        if (i + 1 < text->len && text->ptr[i + 1] != '-' && text->ptr[i + 1] != right) {
            text->ptr[i] = text->ptr[i + 1];
            text->ptr[i + 1] = right;
            assert_int_equal(decode(carnet_buf_slice(text)), CARNET_MALFORMED);
            text->ptr[i + 1] = text->ptr[i];
            text->ptr[i] = right;
        }
    }
    for (size_t len = 0; len < text->len; len++)
        assert_int_equal(decode(carnet_slice(text->ptr, len)), CARNET_MALFORMED);
}

static carnet_rc decode_code(struct carnet_slice text)
{
    struct carnet_invite_code out;
    carnet_rc rc = carnet_invite_code_decode(text, &out);
    if (rc != CARNET_OK)
        assert_int_equal(out.address_count, 0);
    return rc;
}

static void a_mistyped_code_is_told(void **state)
{
    (void)state;
    struct carnet_invite_code code = sample();
    struct carnet_buf text;
    encode(&code, &text);
    no_typing_mistake_passes(&text, decode_code);
    carnet_buf_deinit(&text);
    assert_int_equal(decode_code(carnet_slice_str("")), CARNET_MALFORMED);
    assert_int_equal(decode_code(carnet_slice_str("bonjour")), CARNET_MALFORMED);
}

/* A code with a right check sum around bytes that no inviter writes. */
static carnet_rc decode_bytes(const struct carnet_buf *bytes)
{
    struct carnet_buf whole, text;
    carnet_buf_init(&whole, 4096);
    carnet_buf_init(&text, 8192);
    carnet_buf_append_slice(&whole, carnet_buf_slice(bytes));
    struct carnet_hash sum = carnet_hash_of("carnet/1/code", carnet_buf_slice(bytes));
    carnet_buf_append(&whole, sum.b, 4);
    carnet_base32_encode(carnet_buf_slice(&whole), &text);
    carnet_rc rc = decode_code(carnet_buf_slice(&text));
    carnet_buf_deinit(&whole);
    carnet_buf_deinit(&text);
    return rc;
}

static carnet_rc decode_made(uint64_t version, size_t secret_len, size_t count, const char *address)
{
    static const uint8_t zero[32];
    struct carnet_buf bytes;
    carnet_buf_init(&bytes, 2048);
    carnet_cbor_put_array(&bytes, 5);
    carnet_cbor_put_uint(&bytes, version);
    carnet_cbor_put_bytes(&bytes, carnet_slice(zero, 16));
    carnet_cbor_put_bytes(&bytes, carnet_slice(zero, 32));
    carnet_cbor_put_bytes(&bytes, carnet_slice(zero, secret_len));
    carnet_cbor_put_array(&bytes, count);
    for (size_t i = 0; i < count; i++)
        carnet_cbor_put_str(&bytes, address);
    carnet_rc rc = decode_bytes(&bytes);
    carnet_buf_deinit(&bytes);
    return rc;
}

static void a_code_is_strict(void **state)
{
    (void)state;
    char long_address[97] = "tcp://";
    memset(long_address + 6, 'a', 90);
    assert_int_equal(decode_made(1, 16, 1, "tcp://h:1"), CARNET_OK);
    assert_int_equal(decode_made(1, 16, 4, "tcp://h:1"), CARNET_OK);
    assert_int_equal(decode_made(2, 16, 1, "tcp://h:1"), CARNET_MALFORMED);
    assert_int_equal(decode_made(1, 15, 1, "tcp://h:1"), CARNET_MALFORMED);
    assert_int_equal(decode_made(1, 16, 5, "tcp://h:1"), CARNET_MALFORMED);
    assert_int_equal(decode_made(1, 16, 1, "ipc:///tmp/x"), CARNET_MALFORMED);
    assert_int_equal(decode_made(1, 16, 1, "tcp://"), CARNET_MALFORMED);
    assert_int_equal(decode_made(1, 16, 1, "tcp://h:1\x1b[2J"), CARNET_MALFORMED);
    assert_int_equal(decode_made(1, 16, 1, "tcp://h :1"), CARNET_MALFORMED);
    assert_int_equal(decode_made(1, 16, 1, "tcp://é:1"), CARNET_MALFORMED);
    assert_int_equal(decode_made(1, 16, 1, long_address), CARNET_MALFORMED);
    long_address[95] = 0;
    assert_int_equal(decode_made(1, 16, 1, long_address), CARNET_OK);
}

static void one_secret_is_one_pair_of_keys(void **state)
{
    (void)state;
    const uint8_t secret[16] = {1}, other[16] = {2};
    struct carnet_box_pk a, b, c;
    struct carnet_box_sk sk;
    struct carnet_buf boxed, plain;
    carnet_invite_keys(secret, &a, &sk);
    carnet_buf_init(&boxed, 200);
    carnet_buf_init(&plain, 200);
    assert_int_equal(carnet_box_seal(&a, carnet_slice_str("x"), &boxed), CARNET_OK);
    assert_int_equal(carnet_box_open(&a, &sk, carnet_buf_slice(&boxed), &plain), CARNET_OK);
    carnet_invite_keys(secret, &b, &sk);
    carnet_invite_keys(other, &c, &sk);
    assert_memory_equal(a.b, b.b, 32);
    assert_memory_not_equal(a.b, c.b, 32);
    carnet_buf_deinit(&boxed);
    carnet_buf_deinit(&plain);
}

static carnet_rc decode_recovery(struct carnet_slice text)
{
    static const uint8_t zero[32];
    uint8_t seed[32];
    carnet_rc rc = carnet_recovery_decode(text, seed);
    if (rc != CARNET_OK)
        assert_memory_equal(seed, zero, 32);
    return rc;
}

static void the_recovery_key_comes_back_from_paper(void **state)
{
    (void)state;
    uint8_t seed[32], back[32];
    struct carnet_buf text;
    carnet_buf_init(&text, 100);
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)(i * 37 + 5);
    carnet_recovery_encode(seed, &text);
    assert_int_equal(text.len, 14 * 4 + 13);
    assert_int_equal(carnet_recovery_decode(carnet_buf_slice(&text), back), CARNET_OK);
    assert_memory_equal(back, seed, 32);
    no_typing_mistake_passes(&text, decode_recovery);
    struct carnet_invite_code code = sample();
    carnet_buf_deinit(&text);
    encode(&code, &text);
    assert_int_equal(decode_recovery(carnet_buf_slice(&text)), CARNET_MALFORMED);
    carnet_buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_comes_back),
        cmocka_unit_test(four_long_addresses_fit),
        cmocka_unit_test(case_spaces_and_lookalikes_do_not_matter),
        cmocka_unit_test(a_mistyped_code_is_told),
        cmocka_unit_test(a_code_is_strict),
        cmocka_unit_test(one_secret_is_one_pair_of_keys),
        cmocka_unit_test(the_recovery_key_comes_back_from_paper),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
