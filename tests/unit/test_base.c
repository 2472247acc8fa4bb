// SPDX-License-Identifier: EUPL-1.2
#include "carnet/base/id.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void buf_refuses_to_exceed_max(void **state)
{
    (void)state;
    struct carnet_buf buf;
    carnet_buf_init(&buf, 4);
    carnet_buf_append_str(&buf, "abcd");
    assert_false(buf.failed);
    carnet_buf_append_byte(&buf, 'e');
    assert_true(buf.failed);
    assert_int_equal(buf.len, 4);
    carnet_buf_deinit(&buf);
}

static void short_id_text_finds_its_id_by_any_prefix(void **state)
{
    (void)state;
    const uint8_t random[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
    struct carnet_id id = carnet_id_v7(1764000000000, random);
    assert_true(carnet_id_ms(&id) == 1764000000000);
    struct carnet_id_text text = carnet_id_text(&id);
    for (size_t len = 4; len <= 12; len++) {
        uint64_t low, high;
        assert_true(carnet_id_range(carnet_slice(text.s, len), &low, &high));
        assert_true(low <= carnet_id_tail(&id) && carnet_id_tail(&id) <= high);
    }
    uint64_t low, high;
    assert_false(carnet_id_range(carnet_slice_str("abc"), &low, &high));
    assert_false(carnet_id_range(carnet_slice_str("u!--"), &low, &high));
}

static void base32_reads_back_what_it_wrote_and_refuses_noise(void **state)
{
    (void)state;
    for (size_t len = 0; len < 40; len++) {
        uint8_t bytes[40];
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(i * 37 + len);
        struct carnet_buf text, back;
        carnet_buf_init(&text, 100);
        carnet_buf_init(&back, 100);
        carnet_base32_encode(carnet_slice(bytes, len), &text);
        assert_int_equal(carnet_base32_decode(carnet_buf_slice(&text), &back), CARNET_OK);
        assert_true(carnet_slice_equal(carnet_buf_slice(&back), carnet_slice(bytes, len)));
        carnet_buf_deinit(&text);
        carnet_buf_deinit(&back);
    }
    struct carnet_buf back;
    carnet_buf_init(&back, 100);
    assert_int_equal(carnet_base32_decode(carnet_slice_str("AB*C"), &back), CARNET_MALFORMED);
    carnet_buf_deinit(&back);
}

static void errors_stay_on_one_line(void **state)
{
    (void)state;
    struct carnet_err err = CARNET_ERR_INIT;
    assert_int_equal(carnet_err_set(&err, CARNET_NOT_FOUND, "no %s here", "a\nb"), CARNET_NOT_FOUND);
    assert_string_equal(err.what, "no a?b here");
    assert_int_equal(carnet_rc_status(err.rc), 3);
    assert_string_equal(carnet_rc_name(err.rc), "not_found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_refuses_to_exceed_max),
        cmocka_unit_test(short_id_text_finds_its_id_by_any_prefix),
        cmocka_unit_test(base32_reads_back_what_it_wrote_and_refuses_noise),
        cmocka_unit_test(errors_stay_on_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
