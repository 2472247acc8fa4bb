// SPDX-License-Identifier: EUPL-1.2
#include "carnet/crypto/crypto.h"

#include "carnet/base/limits.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static int start(void **state)
{
    (void)state;
    return carnet_crypto_init(NULL) == CARNET_OK ? 0 : -1;
}

static const struct carnet_key key = { .b = { 1, 2, 3, 4, 5 } };

static void a_sealed_part_opens_and_tampering_is_seen(void **state)
{
    (void)state;
    for (size_t len = 0; len < 100; len++) {
        uint8_t plain[100];
        memset(plain, (int)len, sizeof plain);
        struct carnet_slice ad = carnet_slice_str("ad");
        struct carnet_buf sealed, opened;
        carnet_buf_init(&sealed, 1000);
        carnet_buf_init(&opened, 1000);
        carnet_seal(&key, ad, carnet_slice(plain, len), &sealed);
        assert_int_equal(sealed.len, 24 + (len / CARNET_PAD_LEN + 1) * CARNET_PAD_LEN + 16);
        assert_int_equal(carnet_open(&key, ad, carnet_buf_slice(&sealed), &opened), CARNET_OK);
        assert_true(carnet_slice_equal(carnet_buf_slice(&opened), carnet_slice(plain, len)));
        carnet_buf_clear(&opened);
        for (size_t i = 0; i < sealed.len; i++) {
            sealed.ptr[i] ^= 1;
            assert_int_equal(carnet_open(&key, ad, carnet_buf_slice(&sealed), &opened), CARNET_MALFORMED);
            sealed.ptr[i] ^= 1;
        }
        assert_int_equal(carnet_open(&key, carnet_slice_str("bd"), carnet_buf_slice(&sealed), &opened), CARNET_MALFORMED);
        assert_int_equal(opened.len, 0);
        carnet_buf_deinit(&sealed);
        carnet_buf_deinit(&opened);
    }
}

static void signatures_bind_key_and_message(void **state)
{
    (void)state;
    const uint8_t seed[32] = { 7 };
    struct carnet_sign_pk pk;
    struct carnet_sign_sk sk;
    carnet_sign_pair(seed, &pk, &sk);
    assert_true(carnet_sign_pk_valid(&pk));
    struct carnet_sig sig = carnet_sign(&sk, carnet_slice_str("entry"));
    assert_int_equal(carnet_verify(&pk, carnet_slice_str("entry"), &sig), CARNET_OK);
    assert_int_equal(carnet_verify(&pk, carnet_slice_str("entrz"), &sig), CARNET_MALFORMED);
    sig.b[40] ^= 1;
    assert_int_equal(carnet_verify(&pk, carnet_slice_str("entry"), &sig), CARNET_MALFORMED);
}

static void boxes_open_for_their_pair_alone(void **state)
{
    (void)state;
    const uint8_t seed[32] = { 7 }, other_seed[32] = { 8 };
    struct carnet_box_pk pk, other_pk, bad = { { 0 } };
    struct carnet_box_sk sk, other_sk;
    carnet_box_pair(seed, &pk, &sk);
    carnet_box_pair(other_seed, &other_pk, &other_sk);
    struct carnet_buf boxed, plain;
    carnet_buf_init(&boxed, 200);
    carnet_buf_init(&plain, 100);
    assert_int_equal(carnet_box_seal(&pk, carnet_slice_str("epoch"), &boxed), CARNET_OK);
    assert_int_equal(boxed.len, 5 + 48);
    assert_int_equal(carnet_box_open(&other_pk, &other_sk, carnet_buf_slice(&boxed), &plain), CARNET_MALFORMED);
    assert_int_equal(plain.len, 0);
    assert_int_equal(carnet_box_open(&pk, &sk, carnet_buf_slice(&boxed), &plain), CARNET_OK);
    assert_true(carnet_slice_equal(carnet_buf_slice(&plain), carnet_slice_str("epoch")));
    assert_int_equal(carnet_box_seal(&bad, carnet_slice_str("epoch"), &boxed), CARNET_MALFORMED);
    carnet_buf_deinit(&boxed);
    carnet_buf_deinit(&plain);
}

static void hashes_of_two_domains_never_meet(void **state)
{
    (void)state;
    struct carnet_hash a = carnet_hash_of("carnet/1/a", carnet_slice_str("x"));
    struct carnet_hash b = carnet_hash_of("carnet/1/b", carnet_slice_str("x"));
    assert_false(carnet_hash_equal(&a, &b));
    struct carnet_hasher h;
    carnet_hasher_init(&h, "carnet/1/a");
    carnet_hasher_add(&h, "x", 1);
    struct carnet_hash c = carnet_hasher_done(&h);
    assert_true(carnet_hash_equal(&a, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_part_opens_and_tampering_is_seen),
        cmocka_unit_test(signatures_bind_key_and_message),
        cmocka_unit_test(boxes_open_for_their_pair_alone),
        cmocka_unit_test(hashes_of_two_domains_never_meet),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
