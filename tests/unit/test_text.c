// SPDX-License-Identifier: EUPL-1.2
#include "carnet/base/text.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include <utf8proc.h>

static struct carnet_slice str(const char *text)
{
    return carnet_slice_str(text);
}

static void folds_to(const char *text, const char *want)
{
    struct carnet_buf out;
    carnet_buf_init(&out, 1000);
    assert_int_equal(carnet_text_fold(str(text), &out), CARNET_OK);
    assert_string_equal(carnet_buf_cstr(&out), want);
    carnet_buf_deinit(&out);
}

static void becomes(const char *text, const char *want)
{
    struct carnet_buf out;
    carnet_buf_init(&out, 1000);
    assert_int_equal(carnet_text_normalise(str(text), &out), CARNET_OK);
    assert_string_equal(carnet_buf_cstr(&out), want);
    assert_true(carnet_text_is_nfc(carnet_buf_slice(&out)));
    carnet_buf_deinit(&out);
}

static void texts_and_queries_fold_alike(void **state)
{
    (void)state;
    folds_to("Zoé", "zoe");
    folds_to("Zoe\u0301", "zoe");
    folds_to("CŒUR cœur", "coeur coeur");
    folds_to("Læticia ÆGIR", "laeticia aegir");
    folds_to("Straße STRAẞE", "strasse strasse");
    folds_to("L’Haÿ-les-Roses", "l'hay les roses");
    folds_to("L'Haÿ les Roses", "l'hay les roses");
    folds_to("L\u02bcHay\u2011les\u2013roses", "l'hay les roses");
    folds_to("Jean -\t- Luc", "jean luc");
    folds_to("\u00a0 - bord -\n", "bord");
    folds_to("İstanbul Yıldız", "istanbul yildiz");
    folds_to("Łukasz Øster Đorđe", "lukasz oster dorde");
    folds_to("ﬁnance ＡＢＣ", "finance abc");
    folds_to("so\u00adft", "soft");
    folds_to("Ёлка Йод", "елка иод");
    folds_to("ΌΔΟΣ οδός", "οδοσ οδοσ");
    folds_to("がガ", "がガ");
    folds_to("か\u3099", "が");
    folds_to("한글", "한글");
    folds_to("+33 6 39 98 12 34", "+33 6 39 98 12 34");
    folds_to("", "");
    folds_to(" -- ", "");
}

static void nfc_is_told_from_the_rest(void **state)
{
    (void)state;
    assert_true(carnet_text_is_nfc(str("")));
    assert_true(carnet_text_is_nfc(str("plain ASCII, longer than a word")));
    assert_true(carnet_text_is_nfc(str("Zoé à l’œuvre — Ŵ")));
    assert_true(carnet_text_is_nfc(str("한글 と が")));
    assert_true(carnet_text_is_nfc(str("q\u0323\u0307")));
    assert_false(carnet_text_is_nfc(str("Zoe\u0301")));
    assert_false(carnet_text_is_nfc(str("q\u0307\u0323")));
    assert_false(carnet_text_is_nfc(str("é\u0323"))); /* the dot below goes first: ẹ + acute */
    assert_false(carnet_text_is_nfc(str("\u212b")));
    assert_false(carnet_text_is_nfc(str("\u1112\u1161\u11ab")));
    assert_false(carnet_text_is_nfc(str("か\u3099")));
    assert_false(carnet_text_is_nfc(carnet_slice("a\0b", 3)));
    assert_false(carnet_text_is_nfc(str("\xc3")));
}

static void normalise_trims_composes_and_drops_controls(void **state)
{
    (void)state;
    becomes("  Zoe\u0301 \u00a0\u202f\n", "Zoé");
    becomes("\ufeffa\x01" "b\r\n\tc\x7f\xc2\x85", "ab\n\tc");
    becomes("e\x02\u0301", "é"); /* what a control kept apart joins */
    becomes("q\u0307\u0323", "q\u0323\u0307");
    becomes("\u1112\u1161\u11ab\u1100", "한\u1100");
    becomes("", "");
    becomes(" \u3000 ", "");
    struct carnet_buf out;
    carnet_buf_init(&out, 4);
    carnet_buf_append_str(&out, "x");
    assert_int_equal(carnet_text_normalise(str("a\xff"), &out), CARNET_MALFORMED);
    assert_int_equal(carnet_text_normalise(carnet_slice("a\0", 2), &out), CARNET_MALFORMED);
    assert_int_equal(out.len, 1);
    assert_int_equal(carnet_text_normalise(str("éàù"), &out), CARNET_LIMIT);
    carnet_buf_deinit(&out);
}

/* Our decoder, byte by byte, against utf8proc's. */
static void utf8_is_what_utf8proc_says(void **state)
{
    (void)state;
    static const uint8_t bytes[] = { 0x00, 0x01, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
                                     0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff };
    enum { COUNT = sizeof bytes };
    for (size_t n = 0; n < (size_t)COUNT * COUNT * COUNT * COUNT; n++) {
        uint8_t t[4] = { bytes[n % COUNT], bytes[n / COUNT % COUNT], bytes[n / COUNT / COUNT % COUNT],
                         bytes[n / COUNT / COUNT / COUNT] };
        bool want = true;
        for (size_t at = 0; at < 4 && want;) {
            utf8proc_int32_t code;
            utf8proc_ssize_t len = utf8proc_iterate(t + at, (utf8proc_ssize_t)(4 - at), &code);
            want = len > 0 && code != 0;
            at += want ? (size_t)len : 0;
        }
        assert_int_equal(carnet_text_is_utf8(carnet_slice(t, 4)), want);
    }
}

static void width_counts_columns(void **state)
{
    (void)state;
    assert_int_equal(carnet_text_width(str("Zoé")), 3);
    assert_int_equal(carnet_text_width(str("Zoe\u0301")), 3);
    assert_int_equal(carnet_text_width(str("漢字")), 4);
    assert_int_equal(carnet_text_width(str("a\xff")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_queries_fold_alike),
        cmocka_unit_test(nfc_is_told_from_the_rest),
        cmocka_unit_test(normalise_trims_composes_and_drops_controls),
        cmocka_unit_test(utf8_is_what_utf8proc_says),
        cmocka_unit_test(width_counts_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
