// SPDX-License-Identifier: EUPL-1.2
#include "carnet/wire/cbor.h"

#include "carnet/base/limits.h"
#include "../support/cbor_reference.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static carnet_rc check_hex(const char *hex)
{
    uint8_t bytes[256];
    size_t len = strlen(hex) / 2;
    assert_true(len <= sizeof bytes && carnet_unhex(carnet_slice_str(hex), bytes, len));
    return carnet_cbor_check(carnet_slice(bytes, len));
}

/* One of everything that is accepted. */
static void write_sample(struct carnet_buf *out)
{
    struct carnet_id id = { .b = { 1, 2, 3 } };
    struct carnet_hash hash = { .b = { 9 } };
    carnet_cbor_put_array(out, 11);
    carnet_cbor_put_str(out, "carnet/1/sample");
    carnet_cbor_put_uint(out, 23);
    carnet_cbor_put_uint(out, UINT64_MAX);
    carnet_cbor_put_int(out, INT64_MIN);
    carnet_cbor_put_int(out, 1000);
    carnet_cbor_put_text(out, carnet_slice_str("Zoé"));
    carnet_cbor_put_bool(out, true);
    carnet_cbor_put_null(out);
    carnet_cbor_put_id(out, &id);
    carnet_cbor_put_hash(out, &hash);
    carnet_cbor_put_array(out, 2);
    carnet_cbor_put_array(out, 0);
    carnet_cbor_put_bytes(out, CARNET_SLICE_NONE);
}

static carnet_rc read_sample(struct carnet_slice bytes)
{
    struct carnet_reader r;
    struct carnet_id id;
    struct carnet_hash hash;
    carnet_reader_init(&r, bytes);
    carnet_reader_array_exact(&r, 11);
    carnet_reader_tag(&r, "carnet/1/sample");
    uint64_t small = carnet_reader_uint_max(&r, 23);
    uint64_t large = carnet_reader_uint(&r);
    int64_t negative = carnet_reader_int(&r);
    int64_t positive = carnet_reader_int(&r);
    struct carnet_slice text = carnet_reader_text_max(&r, 4);
    bool yes = carnet_reader_bool(&r);
    bool null = carnet_reader_null(&r);
    carnet_reader_bytes_exact(&r, id.b, sizeof id.b);
    carnet_reader_bytes_exact(&r, hash.b, sizeof hash.b);
    size_t count = carnet_reader_array_max(&r, 2);
    size_t none = carnet_reader_array(&r);
    struct carnet_slice empty = carnet_reader_bytes(&r);
    carnet_rc rc = carnet_reader_done(&r);
    if (rc == CARNET_OK) {
        assert_true(small == 23 && large == UINT64_MAX && negative == INT64_MIN && positive == 1000);
        assert_true(carnet_slice_equal(text, carnet_slice_str("Zoé")));
        assert_true(yes && null && id.b[2] == 3 && hash.b[0] == 9 && count == 2 && none == 0 && empty.len == 0);
    }
    return rc;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct carnet_buf out;
    carnet_buf_init(&out, 1000);
    write_sample(&out);
    assert_int_equal(carnet_cbor_check(carnet_buf_slice(&out)), CARNET_OK);
    assert_int_equal(read_sample(carnet_buf_slice(&out)), CARNET_OK);
    carnet_buf_deinit(&out);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct carnet_buf out;
    carnet_buf_init(&out, 1000);
    write_sample(&out);
    for (size_t len = 0; len < out.len; len++) {
        uint8_t *copy = malloc(len ? len : 1); /* exact, so that a sanitizer sees a byte too many */
        assert_non_null(copy);
        memcpy(copy, out.ptr, len);
        assert_int_equal(carnet_cbor_check(carnet_slice(copy, len)), CARNET_MALFORMED);
        assert_int_equal(read_sample(carnet_slice(copy, len)), CARNET_MALFORMED);
        free(copy);
    }
    carnet_buf_append_byte(&out, 0);
    assert_int_equal(carnet_cbor_check(carnet_buf_slice(&out)), CARNET_MALFORMED);
    assert_int_equal(read_sample(carnet_buf_slice(&out)), CARNET_MALFORMED);
    carnet_buf_deinit(&out);
}

static void only_the_shortest_head_passes(void **state)
{
    (void)state;
    assert_int_equal(check_hex("1818"), CARNET_OK);
    assert_int_equal(check_hex("1817"), CARNET_MALFORMED);
    assert_int_equal(check_hex("190100"), CARNET_OK);
    assert_int_equal(check_hex("1900ff"), CARNET_MALFORMED);
    assert_int_equal(check_hex("1a00010000"), CARNET_OK);
    assert_int_equal(check_hex("1a0000ffff"), CARNET_MALFORMED);
    assert_int_equal(check_hex("1b0000000100000000"), CARNET_OK);
    assert_int_equal(check_hex("1b00000000ffffffff"), CARNET_MALFORMED);
    /* each other kind that has an argument */
    assert_int_equal(check_hex("3817"), CARNET_MALFORMED);
    assert_int_equal(check_hex("5800"), CARNET_MALFORMED);
    assert_int_equal(check_hex("7800"), CARNET_MALFORMED);
    assert_int_equal(check_hex("9800"), CARNET_MALFORMED);
    assert_int_equal(check_hex("f8f4"), CARNET_MALFORMED);
    /* 28 to 30 are reserved, 31 is an indefinite length or a break */
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t text[10] = { (uint8_t)byte };
        if ((byte & 31) < 28)
            continue;
        for (size_t len = 1; len <= sizeof text; len++)
            assert_int_equal(carnet_cbor_check(carnet_slice(text, len)), CARNET_MALFORMED);
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(check_hex("8181818181818180"), CARNET_OK);
    assert_int_equal(check_hex("818181818181818180"), CARNET_MALFORMED);
    assert_int_equal(check_hex("818181818181818100"), CARNET_OK);
}

/* RFC 8949, appendix A. */
static void the_rfcs_examples_are_accepted_or_refused_by_kind(void **state)
{
    (void)state;
    static const char *const accepted[] = {
        "00", "01", "0a", "17", "1818", "1819", "1864", "1903e8", "1a000f4240", "1b000000e8d4a51000", "1bffffffffffffffff", "20",
        "29", "3863", "3903e7", "f4", "f5", "f6", "40", "4401020304", "60", "6161", "6449455446", "62225c", "62c3bc", "63e6b0b4",
        "64f0908591", "80", "83010203", "8301820203820405",
        "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
    };
    static const char *const refused[] = {
        "c249010000000000000000", "3bffffffffffffffff", "c349010000000000000000", "f90000", "f98000", "f93c00",
        "fb3ff199999999999a", "f93e00", "f97bff", "fa47c35000", "fa7f7fffff", "fb7e37e43c8800759c", "f90001", "f90400", "f9c400",
        "fbc010666666666666", "f97c00", "f97e00", "f9fc00", "fa7f800000", "fa7fc00000", "faff800000", "fb7ff0000000000000",
        "fb7ff8000000000000", "fbfff0000000000000", "f7", "f0", "f8ff", "c074323031332d30332d32315432303a30343a30305a",
        "c11a514b67b0", "c1fb41d452d9ec200000", "d74401020304", "d818456449455446",
        "d82076687474703a2f2f7777772e6578616d706c652e636f6d", "a0", "a201020304", "a26161016162820203", "826161a161626163",
        "a56161614161626142616361436164614461656145", "5f42010243030405ff", "7f657374726561646d696e67ff", "9fff",
        "9f018202039f0405ffff", "9f01820203820405ff", "83018202039f0405ff", "83019f0203ff820405",
        "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", "bf61610161629f0203ffff", "826161bf61626163ff",
        "bf6346756ef563416d7421ff",
    };
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++)
        if (check_hex(accepted[i]) != CARNET_OK)
            fail_msg("%s is refused", accepted[i]);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (check_hex(refused[i]) != CARNET_MALFORMED)
            fail_msg("%s is accepted", refused[i]);
}

static void integers_keep_their_sign_and_range(void **state)
{
    (void)state;
    static const int64_t values[] = { 0,       23,     24,      255,      256,       65535,      65536,       UINT32_MAX, INT64_MAX,
                                      -1,      -24,    -25,     -256,     -257,      -65536,     -65537,      INT64_MIN,  INT64_MIN + 1,
                                      INT32_MIN, INT64_C(1) << 32, -(INT64_C(1) << 32), -(INT64_C(1) << 32) - 1 };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct carnet_buf out;
        struct carnet_reader r;
        carnet_buf_init(&out, 9);
        carnet_cbor_put_int(&out, values[i]);
        assert_int_equal(carnet_cbor_check(carnet_buf_slice(&out)), CARNET_OK);
        carnet_reader_init(&r, carnet_buf_slice(&out));
        assert_int_equal(carnet_reader_peek(&r), values[i] < 0 ? CARNET_CBOR_NEGINT : CARNET_CBOR_UINT);
        assert_true(carnet_reader_int(&r) == values[i]);
        assert_int_equal(carnet_reader_done(&r), CARNET_OK);
        carnet_buf_deinit(&out);
    }
    /* One below INT64_MIN, one above INT64_MAX: the latter is an unsigned integer like any other. */
    assert_int_equal(check_hex("3b8000000000000000"), CARNET_MALFORMED);
    assert_int_equal(check_hex("1b8000000000000000"), CARNET_OK);
    const uint8_t above[] = { 0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0 };
    struct carnet_reader r;
    carnet_reader_init(&r, carnet_slice(above, sizeof above));
    assert_true(carnet_reader_int(&r) == 0);
    assert_int_equal(carnet_reader_done(&r), CARNET_MALFORMED);
}

static void text_must_be_utf8_in_nfc(void **state)
{
    (void)state;
    assert_int_equal(check_hex("62c3a9"), CARNET_OK);          /* é */
    assert_int_equal(check_hex("6365cc81"), CARNET_MALFORMED); /* e and an accent */
    assert_int_equal(check_hex("61ff"), CARNET_MALFORMED);
    assert_int_equal(check_hex("61c3"), CARNET_MALFORMED); /* cut within a letter */
    assert_int_equal(check_hex("62c080"), CARNET_MALFORMED);
    assert_int_equal(check_hex("63eda080"), CARNET_MALFORMED); /* a surrogate */
    assert_int_equal(check_hex("6100"), CARNET_MALFORMED);
    assert_int_equal(check_hex("42c080"), CARNET_OK); /* bytes may be anything */
}

/* Each of these costs libcbor seconds or gigabytes. Here: refused at the first byte that lies. */
static void bombs_are_refused(void **state)
{
    (void)state;
    assert_int_equal(check_hex("9b0000000010000000"), CARNET_MALFORMED);
    assert_int_equal(check_hex("9b0000000001000000"), CARNET_MALFORMED);
    assert_int_equal(check_hex("9bffffffffffffffff"), CARNET_MALFORMED);
    assert_int_equal(check_hex("5bffffffffffffffff"), CARNET_MALFORMED);
    assert_int_equal(check_hex("5bfffffffffffffff8"), CARNET_MALFORMED);
    assert_int_equal(check_hex("7bffffffffffffffff"), CARNET_MALFORMED);
    assert_int_equal(check_hex("815bffffffffffffffff"), CARNET_MALFORMED);
    assert_int_equal(check_hex("8200"), CARNET_MALFORMED); /* two items in no room */
    enum { LEN = 64 * 1024 };
    uint8_t *bytes = malloc(LEN);
    assert_non_null(bytes);
    static const uint8_t heads[] = { 0x80, 0x81, 0x82, 0x9f, 0xa0, 0xa1, 0xc0, 0x5f, 0x7f, 0x40, 0x60, 0x00, 0xf6 };
    for (size_t i = 0; i < sizeof heads; i++) {
        memset(bytes, heads[i], LEN);
        assert_int_equal(carnet_cbor_check(carnet_slice(bytes, LEN)), CARNET_MALFORMED);
    }
    for (size_t i = 0; i + 5 <= LEN; i += 5)
        memcpy(bytes + i, "\x9a\x00\x01\x00\x00", 5);
    assert_int_equal(carnet_cbor_check(carnet_slice(bytes, LEN)), CARNET_MALFORMED);
    free(bytes);
}

static void a_message_has_so_many_items_and_no_more(void **state)
{
    (void)state;
    struct carnet_buf out;
    carnet_buf_init(&out, 100000);
    carnet_cbor_put_array(&out, CARNET_CBOR_ITEMS_MAX - 1); /* the array counts too */
    for (int i = 0; i < CARNET_CBOR_ITEMS_MAX - 1; i++)
        carnet_cbor_put_null(&out);
    assert_int_equal(carnet_cbor_check(carnet_buf_slice(&out)), CARNET_OK);
    carnet_buf_clear(&out);
    carnet_cbor_put_array(&out, CARNET_CBOR_ITEMS_MAX);
    for (int i = 0; i < CARNET_CBOR_ITEMS_MAX; i++)
        carnet_cbor_put_uint(&out, 1);
    assert_int_equal(carnet_cbor_check(carnet_buf_slice(&out)), CARNET_MALFORMED);
    struct carnet_reader r;
    carnet_reader_init(&r, carnet_buf_slice(&out));
    size_t count = carnet_reader_array(&r), ones = 0;
    for (size_t i = 0; i < count; i++)
        ones += carnet_reader_uint(&r);
    assert_int_equal(ones, CARNET_CBOR_ITEMS_MAX - 1);
    assert_int_equal(carnet_reader_done(&r), CARNET_MALFORMED);
    carnet_buf_deinit(&out);
}

/* Each getter on each kind of item: the wrong one fails, gives zero, and nothing works afterwards. */
static void a_getter_takes_its_kind_alone(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum carnet_cbor_type type;
    } items[] = { { "0100", CARNET_CBOR_UINT }, { "2000", CARNET_CBOR_NEGINT }, { "410100", CARNET_CBOR_BYTES },
                  { "616100", CARNET_CBOR_TEXT }, { "810000", CARNET_CBOR_ARRAY }, { "f500", CARNET_CBOR_BOOL },
                  { "f600", CARNET_CBOR_NULL }, { "a000", CARNET_CBOR_END }, { "c000", CARNET_CBOR_END },
                  { "f700", CARNET_CBOR_END }, { "f90000", CARNET_CBOR_END } };
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        for (int getter = 0; getter < 7; getter++) {
            uint8_t bytes[8];
            uint64_t got = 0;
            bool fits = false;
            size_t len = strlen(items[i].hex) / 2;
            assert_true(carnet_unhex(carnet_slice_str(items[i].hex), bytes, len));
            struct carnet_reader r;
            carnet_reader_init(&r, carnet_slice(bytes, len));
            enum carnet_cbor_type type = carnet_reader_peek(&r);
            assert_int_equal(type, items[i].type);
            switch (getter) {
            case 0:
                got = carnet_reader_uint(&r);
                fits = type == CARNET_CBOR_UINT;
                break;
            case 1:
                got = (uint64_t)carnet_reader_int(&r);
                fits = type == CARNET_CBOR_UINT || type == CARNET_CBOR_NEGINT;
                break;
            case 2:
                got = carnet_reader_bytes(&r).len;
                fits = type == CARNET_CBOR_BYTES;
                break;
            case 3:
                got = carnet_reader_text(&r).len;
                fits = type == CARNET_CBOR_TEXT;
                break;
            case 4:
                got = carnet_reader_array(&r);
                fits = type == CARNET_CBOR_ARRAY;
                break;
            case 5:
                got = carnet_reader_bool(&r);
                fits = type == CARNET_CBOR_BOOL;
                break;
            default:
                got = carnet_reader_null(&r);
                fits = type == CARNET_CBOR_NULL;
                /* Asking for a null is a question, not a demand. */
                assert_false(r.failed);
                if (!fits)
                    carnet_reader_fail(&r);
                break;
            }
            assert_int_equal(r.failed, !fits);
            assert_int_equal(got != 0, fits);
            if (fits) {
                assert_true(carnet_reader_uint(&r) == 0 && !r.failed);
                continue;
            }
            assert_int_equal(carnet_reader_peek(&r), CARNET_CBOR_END);
            assert_true(carnet_reader_uint(&r) == 0 && carnet_reader_int(&r) == 0 && carnet_reader_bytes(&r).len == 0);
            assert_true(carnet_reader_text(&r).len == 0 && carnet_reader_array(&r) == 0 && !carnet_reader_bool(&r));
            assert_true(!carnet_reader_null(&r) && carnet_reader_skip(&r).len == 0);
            assert_int_equal(carnet_reader_done(&r), CARNET_MALFORMED);
        }
    }
}

static void bounds_of_the_caller_are_kept(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 0x83, 0x18, 0x64, 0x43, 1, 2, 3, 0x63, 'a', 'b', 'c' };
    struct carnet_slice all = carnet_slice(bytes, sizeof bytes);
    struct carnet_reader r;
    uint8_t out[4] = { 9, 9, 9, 9 };
    for (int wrong = 0; wrong <= 7; wrong++) {
        carnet_reader_init(&r, all);
        if (wrong == 1)
            carnet_reader_array_max(&r, 2);
        else if (wrong == 2)
            carnet_reader_array_exact(&r, 4);
        else
            carnet_reader_array_max(&r, 3);
        if (wrong == 3)
            assert_true(carnet_reader_uint_max(&r, 99) == 0);
        else
            carnet_reader_uint_max(&r, 100);
        carnet_reader_bytes_exact(&r, out, wrong == 4 ? 4 : wrong == 5 ? 2 : 3);
        if (wrong == 4)
            assert_true(out[0] == 0 && out[3] == 0);
        if (wrong == 6)
            assert_int_equal(carnet_reader_text_max(&r, 2).len, 0);
        else
            carnet_reader_tag(&r, wrong == 7 ? "abd" : "abc");
        assert_int_equal(carnet_reader_done(&r), wrong ? CARNET_MALFORMED : CARNET_OK);
    }
}

static void skip_gives_one_whole_item(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 0x82, 0x82, 0x01, 0x81, 0x41, 0xff, 0x20 };
    struct carnet_reader r;
    carnet_reader_init(&r, carnet_slice(bytes, sizeof bytes));
    carnet_reader_array_exact(&r, 2);
    struct carnet_slice inner = carnet_reader_skip(&r);
    assert_true(carnet_slice_equal(inner, carnet_slice(bytes + 1, 5)));
    assert_true(carnet_reader_int(&r) == -1);
    assert_int_equal(carnet_reader_done(&r), CARNET_OK);
    assert_int_equal(carnet_reader_skip(&r).len, 0);
    assert_int_equal(carnet_reader_done(&r), CARNET_MALFORMED);
}

static void writers_stop_at_the_ceiling(void **state)
{
    (void)state;
    struct carnet_buf all, out;
    carnet_buf_init(&all, 1000);
    write_sample(&all);
    for (size_t max = 0; max < all.len; max++) {
        carnet_buf_init(&out, max);
        write_sample(&out);
        assert_true(out.failed && out.len <= max);
        carnet_buf_deinit(&out);
    }
    carnet_buf_init(&out, all.len);
    write_sample(&out);
    assert_true(!out.failed && carnet_slice_equal(carnet_buf_slice(&all), carnet_buf_slice(&out)));
    carnet_buf_deinit(&out);
    carnet_buf_deinit(&all);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Any tree, with a bias to what sits at a border. */
static void write_random(struct carnet_buf *out, uint32_t *seed, unsigned depth)
{
    static const uint64_t edges[] = { 0, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, UINT64_C(1) << 32, INT64_MAX };
    static const char *const texts[] = { "", "a", "Zoé", "L’Haÿ", "漢字 and more than twenty-three bytes" };
    uint64_t value = edges[next_random(seed) % 10];
    switch (next_random(seed) % (depth < 9 ? 9 : 6)) {
    case 0:
        carnet_cbor_put_uint(out, value);
        break;
    case 1:
        carnet_cbor_put_int(out, -1 - (int64_t)value);
        break;
    case 2:
        carnet_cbor_put_bytes(out, carnet_slice_str(texts[next_random(seed) % 5]));
        break;
    case 3:
        carnet_cbor_put_str(out, texts[next_random(seed) % 5]);
        break;
    case 4:
        carnet_cbor_put_bool(out, value & 1);
        break;
    case 5:
        carnet_cbor_put_null(out);
        break;
    default: {
        size_t count = next_random(seed) % 4;
        carnet_cbor_put_array(out, count);
        for (size_t i = 0; i < count; i++)
            write_random(out, seed, depth + 1);
    }
    }
}

static void libcbor_agrees_on_every_message_and_its_damage(void **state)
{
    (void)state;
    struct carnet_buf out, copy;
    carnet_buf_init(&out, 4000);
    carnet_buf_init(&copy, 4000);
    uint32_t seed = 7;
    unsigned accepted = 0, refused = 0;
    for (int round = 0; round < 40000; round++) {
        carnet_buf_clear(&out);
        write_random(&out, &seed, 0);
        for (uint32_t damage = next_random(&seed) % 3; damage && out.len; damage--) {
            uint8_t *byte = out.ptr + next_random(&seed) % out.len;
            switch (next_random(&seed) % 4) {
            case 0:
                *byte ^= (uint8_t)(1u << next_random(&seed) % 8);
                break;
            case 1:
                *byte = (uint8_t)next_random(&seed);
                break;
            case 2:
                out.len--;
                break;
            default:
                carnet_buf_append_byte(&out, (uint8_t)next_random(&seed));
                break;
            }
        }
        struct carnet_slice bytes = carnet_buf_slice(&out);
        bool ours = carnet_cbor_check(bytes) == CARNET_OK;
        if (ours) {
            carnet_buf_clear(&copy);
            cbor_reference_copy(bytes, &copy);
            assert_true(carnet_slice_equal(bytes, carnet_buf_slice(&copy)));
        }
        if (!cbor_reference_has_opinion(bytes))
            continue;
        if (cbor_reference_accepts(bytes) != ours) {
            char hex[8001];
            carnet_hex(bytes.ptr, bytes.len, hex);
            fail_msg("%s, libcbor not: %s", ours ? "accepted" : "refused", hex);
        }
        accepted += ours;
        refused += !ours;
    }
    assert_true(accepted > 5000 && refused > 5000); /* both kinds were seen */
    carnet_buf_deinit(&out);
    carnet_buf_deinit(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(only_the_shortest_head_passes),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(the_rfcs_examples_are_accepted_or_refused_by_kind),
        cmocka_unit_test(integers_keep_their_sign_and_range),
        cmocka_unit_test(text_must_be_utf8_in_nfc),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(a_message_has_so_many_items_and_no_more),
        cmocka_unit_test(a_getter_takes_its_kind_alone),
        cmocka_unit_test(bounds_of_the_caller_are_kept),
        cmocka_unit_test(skip_gives_one_whole_item),
        cmocka_unit_test(writers_stop_at_the_ceiling),
        cmocka_unit_test(libcbor_agrees_on_every_message_and_its_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
