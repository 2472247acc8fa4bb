// SPDX-License-Identifier: EUPL-1.2
#include "carnet/crypto/crypto.h"

#include "carnet/base/limits.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

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

static void hex_is(const void *bytes, size_t len, const char *want)
{
    char hex[513];
    assert_true(len <= 256);
    carnet_hex(bytes, len, hex);
    assert_string_equal(hex, want);
}

/* Computed apart from libsodium: BLAKE2b by Python's hashlib, XChaCha20-Poly1305 by a program checked with the vector of
 * draft-irtf-cfrg-xchacha A.3.1; Argon2id by libsodium called directly. */
static void golden_values_do_not_move(void **state)
{
    (void)state;
    struct carnet_hash hash = carnet_hash_of("carnet/1/a", carnet_slice_str("x"));
    hex_is(hash.b, sizeof hash.b, "378fc0784024804b890e73c25253e990aee2ebe09e313d14d72517bb9a08709b");
    const struct carnet_slice pieces[] = { carnet_slice_str("abc"), CARNET_SLICE_NONE, carnet_slice_str("defg") };
    struct carnet_key derived = carnet_derive(&key, pieces, 3);
    hex_is(derived.b, sizeof derived.b, "3dfa0f62e6489f2872030451f462a29f201eea2d3ac663f5692f706ae77d23ce");
    derived = carnet_derive(&key, NULL, 0);
    hex_is(derived.b, sizeof derived.b, "a032f957e3edf92c7a27dd9aa2b3aa86877a78c8f6f25a0b63bc3545a2b444d5");
    struct carnet_buf sealed;
    carnet_buf_init(&sealed, 100);
    carnet_seal(&key, carnet_slice_str("carnet ad"), carnet_slice_str("Zoé Lefèvre"), &sealed);
    hex_is(sealed.ptr, sealed.len,
           "7cffa0df35d1929502d168a001f830b62160c3be77cd200d85565f41cb92ac4155425963c3360ee929c5253b705bfd8c229d6f6af2a6f416c7433d0d"
           "56e39593346250a048752db9");
    carnet_buf_deinit(&sealed);
    uint8_t tag[16];
    assert_int_equal(carnet_suppression_tag(&key, carnet_slice_str("zoe@example.org"), tag), CARNET_OK);
    hex_is(tag, sizeof tag, "30443405db7dedbe72b370b04697b20c");
    const uint8_t salt[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    assert_int_equal(carnet_passphrase_key(carnet_slice_str("une phrase de passe"), salt, &derived), CARNET_OK);
    hex_is(derived.b, sizeof derived.b, "edd50d198051adea553e9177b60c07434e1b61d296e0eca298aa94a794548d4b");
}

/* RFC 8032 section 7.1, tests 1 and 2. */
static void signatures_are_those_of_the_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *seed, *pk, *message, *sig;
    } tests[] = {
        { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a"
          "100b" },
        { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
          "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "r",
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb"
          "0c00" },
    };
    for (size_t i = 0; i < 2; i++) {
        uint8_t seed[32];
        struct carnet_sign_pk pk;
        struct carnet_sign_sk sk;
        assert_true(carnet_unhex(carnet_slice_str(tests[i].seed), seed, sizeof seed));
        carnet_sign_pair(seed, &pk, &sk);
        hex_is(pk.b, sizeof pk.b, tests[i].pk);
        struct carnet_sig sig = carnet_sign(&sk, carnet_slice_str(tests[i].message));
        hex_is(sig.b, sizeof sig.b, tests[i].sig);
    }
}

static void every_bit_of_a_signature_counts(void **state)
{
    (void)state;
    const uint8_t seed[32] = { 3 };
    struct carnet_sign_pk pk;
    struct carnet_sign_sk sk;
    carnet_sign_pair(seed, &pk, &sk);
    uint8_t text[40] = "thirty-nine bytes of an entry, signed.";
    struct carnet_slice message = carnet_slice(text, sizeof text);
    struct carnet_sig sig = carnet_sign(&sk, message);
    for (size_t bit = 0; bit < 8 * sizeof sig.b; bit++) {
        sig.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(carnet_verify(&pk, message, &sig), CARNET_MALFORMED);
        sig.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] ^= 1;
        assert_int_equal(carnet_verify(&pk, message, &sig), CARNET_MALFORMED);
        text[i] ^= 1;
    }
    for (size_t bit = 0; bit < 8 * sizeof pk.b; bit++) {
        pk.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(carnet_verify(&pk, message, &sig), CARNET_MALFORMED);
        pk.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(carnet_verify(&pk, message, &sig), CARNET_OK);
    /* S + L is the same number to a careless verifier: two signatures of one entry. */
    static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                       [31] = 0x10 };
    sodium_add(sig.b + 32, order, sizeof order);
    assert_int_equal(carnet_verify(&pk, message, &sig), CARNET_MALFORMED);
}

static void keys_that_are_no_keys_are_refused_at_enrolment(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "0100000000000000000000000000000000000000000000000000000000000000", /* order 1 */
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
        "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
        "0000000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", /* order 8 */
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "9599999999999999999999999999999999999999999999999999999999999999", /* mixed order: CVE-2025-69277 */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* not canonical: 1 + p */
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0200000000000000000000000000000000000000000000000000000000000000", /* not on the curve */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct carnet_sign_pk pk;
        assert_true(carnet_unhex(carnet_slice_str(bad[i]), pk.b, sizeof pk.b));
        assert_false(carnet_sign_pk_valid(&pk));
    }
    for (unsigned i = 0; i < 50; i++) {
        uint8_t seed[32] = { (uint8_t)i };
        struct carnet_sign_pk pk;
        struct carnet_sign_sk sk;
        carnet_sign_pair(seed, &pk, &sk);
        assert_true(carnet_sign_pk_valid(&pk));
    }
}

static void sealing_depends_on_all_it_is_given(void **state)
{
    (void)state;
    struct carnet_key other = key;
    other.b[31] = 1;
    struct carnet_buf a, b;
    carnet_buf_init(&a, 200);
    carnet_buf_init(&b, 200);
    carnet_seal(&key, carnet_slice_str("ad"), carnet_slice_str("text"), &a);
    carnet_seal(&key, carnet_slice_str("ad"), carnet_slice_str("text"), &b);
    /* No randomness: whoever reads a part can seal it again and compare. */
    assert_true(carnet_slice_equal(carnet_buf_slice(&a), carnet_buf_slice(&b)));
    static const char *const ads[] = { "ad", "ae", "" }, *const texts[] = { "text", "tex", "texts" };
    for (int i = 1; i < 9; i++) {
        carnet_buf_clear(&b);
        carnet_seal(&key, carnet_slice_str(ads[i / 3]), carnet_slice_str(texts[i % 3]), &b);
        assert_memory_not_equal(a.ptr, b.ptr, 24);
    }
    carnet_buf_clear(&b);
    carnet_seal(&other, carnet_slice_str("ad"), carnet_slice_str("text"), &b);
    assert_memory_not_equal(a.ptr, b.ptr, 24);
    carnet_buf_clear(&b);
    assert_int_equal(carnet_open(&other, carnet_slice_str("ad"), carnet_buf_slice(&a), &b), CARNET_MALFORMED);
    carnet_buf_deinit(&a);
    carnet_buf_deinit(&b);
}

static void lengths_that_no_sealer_makes_are_refused(void **state)
{
    (void)state;
    struct carnet_buf sealed, out;
    carnet_buf_init(&sealed, 10000);
    carnet_buf_init(&out, 10000);
    uint8_t plain[3000];
    memset(plain, 'p', sizeof plain);
    /* Small ones and, beyond 1 KiB, those that take the other way in carnet_open. */
    static const size_t lens[] = { 0, 31, 32, 991, 992, 1023, 1024, 3000 };
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        carnet_buf_clear(&sealed);
        carnet_seal(&key, CARNET_SLICE_NONE, carnet_slice(plain, lens[i]), &sealed);
        for (size_t len = 0; len < sealed.len; len += 1 + len / 100) {
            uint8_t *copy = malloc(len ? len : 1);
            assert_non_null(copy);
            memcpy(copy, sealed.ptr, len);
            assert_int_equal(carnet_open(&key, CARNET_SLICE_NONE, carnet_slice(copy, len), &out), CARNET_MALFORMED);
            free(copy);
        }
        carnet_buf_append_byte(&sealed, 0);
        assert_int_equal(carnet_open(&key, CARNET_SLICE_NONE, carnet_buf_slice(&sealed), &out), CARNET_MALFORMED);
        assert_int_equal(out.len, 0);
        sealed.len--;
        assert_int_equal(carnet_open(&key, CARNET_SLICE_NONE, carnet_buf_slice(&sealed), &out), CARNET_OK);
        assert_true(carnet_slice_equal(carnet_buf_slice(&out), carnet_slice(plain, lens[i])));
        carnet_buf_clear(&out);
    }
    carnet_buf_deinit(&sealed);
    carnet_buf_deinit(&out);
}

/* Seals by hand: what somebody who holds the key, but not our program, could send. */
static carnet_rc open_forged(const uint8_t *padded, size_t len, bool derived_nonce)
{
    uint8_t sealed[24 + 64 + 16];
    const struct carnet_slice pieces[] = { carnet_slice_str("ad"), carnet_slice(padded, len) };
    struct carnet_key nonce = carnet_derive(&key, pieces, 2);
    if (!derived_nonce)
        nonce.b[0] ^= 1;
    memcpy(sealed, nonce.b, 24);
    assert_int_equal(crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + 24, NULL, padded, len, (const uint8_t *)"ad", 2, NULL, sealed,
                                                                key.b),
                     0);
    struct carnet_buf out;
    carnet_buf_init(&out, 100);
    carnet_rc rc = carnet_open(&key, carnet_slice_str("ad"), carnet_slice(sealed, 24 + len + 16), &out);
    assert_true(rc == CARNET_OK || out.len == 0);
    carnet_buf_deinit(&out);
    return rc;
}

static void only_the_derived_nonce_and_the_one_padding_open(void **state)
{
    (void)state;
    uint8_t padded[64] = { 'a', 0x80 };
    assert_int_equal(open_forged(padded, 32, true), CARNET_OK);
    assert_int_equal(open_forged(padded, 32, false), CARNET_MALFORMED);
    assert_int_equal(open_forged(padded, 64, true), CARNET_MALFORMED); /* 62 bytes of padding: more than needed */
    padded[32] = 0x80;
    assert_int_equal(open_forged(padded, 64, true), CARNET_OK); /* 32 bytes of text and a block of padding */
    padded[32] = 0;
    padded[31] = 0x80;
    assert_int_equal(open_forged(padded, 64, true), CARNET_MALFORMED);
    padded[63] = 1;
    assert_int_equal(open_forged(padded, 64, true), CARNET_MALFORMED);
    memset(padded, 0, sizeof padded);
    assert_int_equal(open_forged(padded, 32, true), CARNET_MALFORMED); /* none */
    assert_int_equal(open_forged(padded, 48, true), CARNET_MALFORMED);
}

static void a_ceiling_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    struct carnet_buf sealed, out;
    carnet_buf_init(&sealed, 72);
    carnet_seal(&key, CARNET_SLICE_NONE, carnet_slice_str("text"), &sealed);
    assert_false(sealed.failed);
    carnet_buf_init(&out, 75);
    carnet_buf_append_str(&out, "keep");
    carnet_seal(&key, CARNET_SLICE_NONE, carnet_slice_str("text"), &out);
    assert_true(out.failed && out.len == 4 && memcmp(out.ptr, "keep", 4) == 0);
    carnet_buf_deinit(&out);
    carnet_buf_init(&out, 6);
    carnet_buf_append_str(&out, "keep");
    assert_int_equal(carnet_open(&key, CARNET_SLICE_NONE, carnet_buf_slice(&sealed), &out), CARNET_LIMIT);
    assert_true(out.failed && out.len == 4);
    carnet_buf_deinit(&out);
    const uint8_t seed[32] = { 9 };
    struct carnet_box_pk pk;
    struct carnet_box_sk sk;
    carnet_box_pair(seed, &pk, &sk);
    carnet_buf_init(&out, 56);
    carnet_buf_append_str(&out, "keep");
    assert_int_equal(carnet_box_seal(&pk, carnet_slice_str("epoch"), &out), CARNET_LIMIT);
    assert_true(out.failed && out.len == 4);
    carnet_buf_deinit(&out);
    carnet_buf_deinit(&sealed);
}

static void boxes_refuse_damage_and_points_of_small_order(void **state)
{
    (void)state;
    const uint8_t seed[32] = { 9 };
    struct carnet_box_pk pk;
    struct carnet_box_sk sk;
    carnet_box_pair(seed, &pk, &sk);
    struct carnet_buf boxed, out;
    carnet_buf_init(&boxed, 200);
    carnet_buf_init(&out, 100);
    carnet_buf_append_str(&boxed, "before");
    assert_int_equal(carnet_box_seal(&pk, carnet_slice(key.b, sizeof key.b), &boxed), CARNET_OK);
    assert_int_equal(boxed.len, 6 + 32 + 48);
    struct carnet_slice box = carnet_slice(boxed.ptr + 6, boxed.len - 6);
    for (size_t i = 0; i < box.len; i++) {
        boxed.ptr[6 + i] ^= 1;
        assert_int_equal(carnet_box_open(&pk, &sk, box, &out), CARNET_MALFORMED);
        boxed.ptr[6 + i] ^= 1;
    }
    for (size_t len = 0; len < box.len; len++)
        assert_int_equal(carnet_box_open(&pk, &sk, carnet_slice(box.ptr, len), &out), CARNET_MALFORMED);
    assert_int_equal(out.len, 0);
    assert_int_equal(carnet_box_open(&pk, &sk, box, &out), CARNET_OK);
    assert_memory_equal(out.ptr, key.b, sizeof key.b);
    /* An empty text has a box too. */
    carnet_buf_clear(&boxed);
    carnet_buf_clear(&out);
    assert_int_equal(carnet_box_seal(&pk, CARNET_SLICE_NONE, &boxed), CARNET_OK);
    assert_int_equal(carnet_box_open(&pk, &sk, carnet_buf_slice(&boxed), &out), CARNET_OK);
    assert_int_equal(out.len, 0);
    /* X25519's points of small order: the shared secret would be zero, known to all. */
    static const char *const bad[] = { "0000000000000000000000000000000000000000000000000000000000000000",
                                       "0100000000000000000000000000000000000000000000000000000000000000",
                                       "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                       "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                                       "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        carnet_buf_clear(&boxed);
        assert_true(carnet_unhex(carnet_slice_str(bad[i]), pk.b, sizeof pk.b));
        assert_int_equal(carnet_box_seal(&pk, carnet_slice_str("epoch"), &boxed), CARNET_MALFORMED);
        assert_int_equal(boxed.len, 0);
    }
    carnet_buf_deinit(&boxed);
    carnet_buf_deinit(&out);
}

static void a_hash_is_the_same_in_any_pieces(void **state)
{
    (void)state;
    uint8_t text[300];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    struct carnet_hash whole = carnet_hash_of("carnet/1/a", carnet_slice(text, sizeof text));
    for (size_t cut = 0; cut <= sizeof text; cut += 7) {
        struct carnet_hasher h;
        carnet_hasher_init(&h, "carnet/1/a");
        carnet_hasher_add(&h, text, cut);
        carnet_hasher_add(&h, NULL, 0);
        carnet_hasher_add(&h, text + cut, sizeof text - cut);
        struct carnet_hash hash = carnet_hasher_done(&h);
        assert_true(carnet_hash_equal(&hash, &whole));
    }
}

static void suppression_tags_differ_by_address_and_by_key(void **state)
{
    (void)state;
    struct carnet_key other = { .b = { 9 } };
    uint8_t a[16], b[16];
    assert_int_equal(carnet_suppression_tag(&key, carnet_slice_str("+33639981234"), a), CARNET_OK);
    assert_int_equal(carnet_suppression_tag(&key, carnet_slice_str("+33639981235"), b), CARNET_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(carnet_suppression_tag(&other, carnet_slice_str("+33639981234"), b), CARNET_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(carnet_suppression_tag(&key, carnet_slice_str("+33639981234"), b), CARNET_OK);
    assert_true(carnet_equal_secret(a, b, sizeof a));
}

static void a_wiped_secret_is_gone(void **state)
{
    (void)state;
    struct carnet_key secret = key, zero = { { 0 } };
    assert_false(carnet_equal_secret(&secret, &zero, sizeof zero));
    carnet_wipe(&secret, sizeof secret);
    assert_true(carnet_equal_secret(&secret, &zero, sizeof zero));
}

/* A domain nobody named is a bug of ours: every unnamed hash would share one space. */
static void a_hash_without_domain_ends_the_process(void **state)
{
    (void)state;
    static const char long_domain[] = "a domain of more than the sixty-four bytes that a key of BLAKE2b has";
    const char *const domains[] = { "", long_domain };
    for (size_t i = 0; i < 2; i++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(2);
            carnet_hash_of(domains[i], CARNET_SLICE_NONE);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_part_opens_and_tampering_is_seen),
        cmocka_unit_test(signatures_bind_key_and_message),
        cmocka_unit_test(boxes_open_for_their_pair_alone),
        cmocka_unit_test(hashes_of_two_domains_never_meet),
        cmocka_unit_test(golden_values_do_not_move),
        cmocka_unit_test(signatures_are_those_of_the_rfc),
        cmocka_unit_test(every_bit_of_a_signature_counts),
        cmocka_unit_test(keys_that_are_no_keys_are_refused_at_enrolment),
        cmocka_unit_test(sealing_depends_on_all_it_is_given),
        cmocka_unit_test(lengths_that_no_sealer_makes_are_refused),
        cmocka_unit_test(only_the_derived_nonce_and_the_one_padding_open),
        cmocka_unit_test(a_ceiling_leaves_the_buffer_as_it_was),
        cmocka_unit_test(boxes_refuse_damage_and_points_of_small_order),
        cmocka_unit_test(a_hash_is_the_same_in_any_pieces),
        cmocka_unit_test(suppression_tags_differ_by_address_and_by_key),
        cmocka_unit_test(a_wiped_secret_is_gone),
        cmocka_unit_test(a_hash_without_domain_ends_the_process),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
