// SPDX-License-Identifier: EUPL-1.2
#include "carnet/wire/cbor.h"

#include "carnet/base/limits.h"

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
}

static void depth_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(check_hex("8181818181818180"), CARNET_OK);
    assert_int_equal(check_hex("818181818181818180"), CARNET_MALFORMED);
    assert_int_equal(check_hex("818181818181818100"), CARNET_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(only_the_shortest_head_passes),
        cmocka_unit_test(depth_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
