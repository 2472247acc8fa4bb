// SPDX-License-Identifier: EUPL-1.2
#include "carnet/base/text.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
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

/* utf8proc's own NFC, with its allocations: what our bounded passes must agree with. */
static bool reference_is_nfc(struct carnet_slice text)
{
    utf8proc_uint8_t *out = NULL;
    utf8proc_ssize_t len =
        utf8proc_map(text.ptr, (utf8proc_ssize_t)text.len, &out, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    assert_true(len >= 0);
    bool same = carnet_slice_equal(text, carnet_slice(out, (size_t)len));
    free(out);
    return same;
}

static size_t put(int32_t code, uint8_t *out)
{
    return (size_t)utf8proc_encode_char(code, out);
}

static bool is_scalar(int32_t code)
{
    return code != 0 && utf8proc_codepoint_valid(code);
}

/* Whatever utf8proc makes of it, we make of it, controls and ends aside: x keeps them away. */
static void normalises_as_utf8proc(struct carnet_slice text, struct carnet_buf *out)
{
    utf8proc_uint8_t *want = NULL;
    utf8proc_ssize_t len =
        utf8proc_map(text.ptr, (utf8proc_ssize_t)text.len, &want, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    assert_true(len >= 0);
    carnet_buf_clear(out);
    assert_int_equal(carnet_text_normalise(text, out), CARNET_OK);
    assert_true(carnet_slice_equal(carnet_buf_slice(out), carnet_slice(want, (size_t)len)));
    assert_true(carnet_text_is_nfc(carnet_buf_slice(out)));
    free(want);
}

static void nfc_of_every_code_point_is_utf8procs(void **state)
{
    (void)state;
    struct carnet_buf out;
    carnet_buf_init(&out, 1000);
    for (int32_t code = 1; code <= 0x10ffff; code++) {
        uint8_t text[100] = { 'x' };
        if (!is_scalar(code) || (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0))
            continue;
        if (code >= 0xac10 && code < 0xd790) /* more of the same Hangul */
            continue;
        if (utf8proc_category(code) == UTF8PROC_CATEGORY_CN || utf8proc_category(code) == UTF8PROC_CATEGORY_CO)
            continue;
        size_t len = 1 + put(code, text + 1);
        assert_int_equal(carnet_text_is_nfc(carnet_slice(text, len)), reference_is_nfc(carnet_slice(text, len)));
        text[len++] = 'x';
        normalises_as_utf8proc(carnet_slice(text, len), &out);
        /* Its decomposition, which composes again or does not: shows a boundary where there is none. */
        int32_t parts[8];
        int class;
        utf8proc_ssize_t count = utf8proc_decompose_char(code, parts, 8, UTF8PROC_DECOMPOSE, &class);
        assert_in_range(count, 1, 8);
        if (count == 1)
            continue;
        len = 1;
        for (utf8proc_ssize_t i = 0; i < count; i++)
            len += put(parts[i], text + len);
        assert_int_equal(carnet_text_is_nfc(carnet_slice(text, len)), reference_is_nfc(carnet_slice(text, len)));
        text[len++] = 'x';
        normalises_as_utf8proc(carnet_slice(text, len), &out);
    }
    carnet_buf_deinit(&out);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void nfc_of_jumbled_letters_and_marks_is_utf8procs(void **state)
{
    (void)state;
    static const int32_t pool[] = { 'a', 'e', 'q', 0xe9, 0xc5, 0x1e09, 0x300, 0x301, 0x308, 0x323, 0x327, 0x328, 0x338, 0x344, 0x345,
                                    0x3b1, 0x1f82, 0x5d0, 0x5b0, 0x5b4, 0x627, 0x654, 0x64b, 0x915, 0x93c, 0x94d, 0x9c7, 0x9be,
                                    0x9d7, 0xb47, 0xb56, 0x1100, 0x1161, 0x11a8, 0xac00, 0x304b, 0x3099, 0x212b, 0x2126, 0x1d15e,
                                    0x1d165, 0xfb2a, 0x2329, 0xf900, 0x0f71, 0x0f72, 0x0f73, 0x1133e, 0x11347, ' ', 0x4e2d };
    struct carnet_buf out;
    carnet_buf_init(&out, 1000);
    uint32_t seed = 1;
    unsigned composed = 0;
    for (int round = 0; round < 60000; round++) {
        uint8_t text[64] = { 'x' };
        size_t len = 1;
        size_t count = 1 + next_random(&seed) % 6;
        for (size_t i = 0; i < count; i++)
            len += put(pool[next_random(&seed) % (sizeof pool / sizeof pool[0])], text + len);
        bool want = reference_is_nfc(carnet_slice(text, len));
        composed += want;
        assert_int_equal(carnet_text_is_nfc(carnet_slice(text, len)), want);
        text[len++] = 'x';
        normalises_as_utf8proc(carnet_slice(text, len), &out);
    }
    assert_in_range(composed, 6000, 54000); /* both kinds were seen */
    carnet_buf_deinit(&out);
}

static void marks_without_end_are_refused_in_bounded_time(void **state)
{
    (void)state;
    struct carnet_buf text, out;
    carnet_buf_init(&text, 200000);
    carnet_buf_init(&out, 200000);
    carnet_buf_append_str(&text, "a");
    for (int i = 0; i < 63; i++)
        carnet_buf_append_str(&text, "\u0323");
    assert_int_equal(carnet_text_normalise(carnet_buf_slice(&text), &out), CARNET_OK);
    assert_true(carnet_text_is_nfc(carnet_buf_slice(&out)));
    carnet_buf_append_str(&text, "\u0323");
    assert_int_equal(carnet_text_normalise(carnet_buf_slice(&text), &out), CARNET_MALFORMED);
    for (int i = 0; i < 30000; i++)
        carnet_buf_append_str(&text, i % 2 ? "\u0323" : "\u0301");
    assert_false(carnet_text_is_nfc(carnet_buf_slice(&text)));
    assert_int_equal(carnet_text_normalise(carnet_buf_slice(&text), &out), CARNET_MALFORMED);
    /* The search form drops them, however many. */
    carnet_buf_clear(&out);
    assert_int_equal(carnet_text_fold(carnet_buf_slice(&text), &out), CARNET_OK);
    assert_string_equal(carnet_buf_cstr(&out), "a");
    carnet_buf_deinit(&text);
    carnet_buf_deinit(&out);
}

/* The search form of the search form is itself, composed and decomposed texts have the same, and nothing of it is upper case. */
static void folding_every_code_point_settles_at_once(void **state)
{
    (void)state;
    struct carnet_buf once, twice, apart;
    carnet_buf_init(&once, 1000);
    carnet_buf_init(&twice, 1000);
    carnet_buf_init(&apart, 1000);
    for (int32_t code = 1; code <= 0x10ffff; code++) {
        uint8_t text[8] = { 'x' };
        if (!is_scalar(code) || (code >= 0xac10 && code < 0xd790) || utf8proc_category(code) == UTF8PROC_CATEGORY_CN ||
            utf8proc_category(code) == UTF8PROC_CATEGORY_CO)
            continue;
        size_t len = 1 + put(code, text + 1);
        text[len++] = 'x';
        carnet_buf_clear(&once);
        carnet_buf_clear(&twice);
        carnet_buf_clear(&apart);
        assert_int_equal(carnet_text_fold(carnet_slice(text, len), &once), CARNET_OK);
        assert_int_equal(carnet_text_fold(carnet_buf_slice(&once), &twice), CARNET_OK);
        if (!carnet_slice_equal(carnet_buf_slice(&once), carnet_buf_slice(&twice)))
            fail_msg("U+%04X: %s, then %s", (unsigned)code, carnet_buf_cstr(&once), carnet_buf_cstr(&twice));
        utf8proc_uint8_t *nfd = NULL;
        utf8proc_ssize_t nfd_len =
            utf8proc_map(text, (utf8proc_ssize_t)len, &nfd, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE);
        assert_true(nfd_len > 0);
        assert_int_equal(carnet_text_fold(carnet_slice(nfd, (size_t)nfd_len), &apart), CARNET_OK);
        if (!carnet_slice_equal(carnet_buf_slice(&once), carnet_buf_slice(&apart)))
            fail_msg("U+%04X: %s, decomposed %s", (unsigned)code, carnet_buf_cstr(&once), carnet_buf_cstr(&apart));
        free(nfd);
        assert_true(carnet_text_is_nfc(carnet_buf_slice(&once)));
    }
    carnet_buf_deinit(&once);
    carnet_buf_deinit(&twice);
    carnet_buf_deinit(&apart);
}

/* What the table of Latin letters says, utf8proc says too, but for the letters with a stroke, listed here. */
static void latin_letters_fold_as_utf8proc_does(void **state)
{
    (void)state;
    static const struct {
        int32_t code;
        const char *text;
    } own[] = { { 0xc6, "ae" }, { 0xe6, "ae" }, { 0xd0, "d" },  { 0xf0, "d" },  { 0xd8, "o" },   { 0xf8, "o" },   { 0xde, "th" },
                { 0xfe, "th" }, { 0x110, "d" }, { 0x111, "d" }, { 0x126, "h" }, { 0x127, "h" },  { 0x131, "i" },  { 0x141, "l" },
                { 0x142, "l" }, { 0x149, "'n" }, { 0x152, "oe" }, { 0x153, "oe" }, { 0x166, "t" }, { 0x167, "t" } };
    struct carnet_buf out;
    carnet_buf_init(&out, 1000);
    for (int32_t code = 0xc0; code < 0x180; code++) {
        uint8_t text[4];
        size_t len = put(code, text);
        carnet_buf_clear(&out);
        assert_int_equal(carnet_text_fold(carnet_slice(text, len), &out), CARNET_OK);
        utf8proc_uint8_t *map = NULL;
        utf8proc_ssize_t map_len = utf8proc_map(text, (utf8proc_ssize_t)len, &map,
                                                UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                                                    UTF8PROC_STRIPMARK);
        struct carnet_slice want = carnet_slice(map, (size_t)map_len);
        for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
            if (own[i].code == code)
                want = carnet_slice_str(own[i].text);
        if (!carnet_slice_equal(carnet_buf_slice(&out), want))
            fail_msg("U+%04X folds to %s", (unsigned)code, carnet_buf_cstr(&out));
        free(map);
    }
    carnet_buf_deinit(&out);
}

static void folding_stops_at_bad_bytes_and_at_the_ceiling(void **state)
{
    (void)state;
    struct carnet_buf out;
    carnet_buf_init(&out, 300);
    carnet_buf_append_str(&out, "x");
    assert_int_equal(carnet_text_fold(str("Zo\xe9"), &out), CARNET_MALFORMED);
    assert_int_equal(carnet_text_fold(carnet_slice("a\0b", 3), &out), CARNET_MALFORMED);
    assert_int_equal(out.len, 1);
    uint8_t long_text[400];
    memset(long_text, 'A', sizeof long_text);
    assert_int_equal(carnet_text_fold(carnet_slice(long_text, sizeof long_text), &out), CARNET_LIMIT);
    assert_int_equal(out.len, 1);
    carnet_buf_clear(&out);
    /* Longer than the inner buffer: nothing is lost between two pieces. */
    assert_int_equal(carnet_text_fold(carnet_slice(long_text, 299), &out), CARNET_OK);
    assert_int_equal(out.len, 299);
    assert_int_equal(out.ptr[298], 'a');
    carnet_buf_deinit(&out);
}

static void every_french_apostrophe_and_space_is_one(void **state)
{
    (void)state;
    static const char *const apostrophes[] = { "'", "’", "‘", "ʼ", "′", "`", "´", "＇", "‛" };
    static const char *const gaps[] = { "-", "‐", "‑", "‒", "–", "—", "―", "−", "－", " ", "\u00a0", "\u202f", "\u2009", "\u3000",
                                        "\t", "\n", "\r\n", " - ", "\xc2\x85", "\u2028" };
    for (size_t i = 0; i < sizeof apostrophes / sizeof apostrophes[0]; i++) {
        char text[32];
        snprintf(text, sizeof text, "L%sÉtang", apostrophes[i]);
        folds_to(text, "l'etang");
    }
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        char text[32];
        snprintf(text, sizeof text, "%sSaint%sÉtienne%s", gaps[i], gaps[i], gaps[i]);
        folds_to(text, "saint etienne");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_queries_fold_alike),
        cmocka_unit_test(nfc_is_told_from_the_rest),
        cmocka_unit_test(normalise_trims_composes_and_drops_controls),
        cmocka_unit_test(utf8_is_what_utf8proc_says),
        cmocka_unit_test(width_counts_columns),
        cmocka_unit_test(nfc_of_every_code_point_is_utf8procs),
        cmocka_unit_test(nfc_of_jumbled_letters_and_marks_is_utf8procs),
        cmocka_unit_test(marks_without_end_are_refused_in_bounded_time),
        cmocka_unit_test(folding_every_code_point_settles_at_once),
        cmocka_unit_test(latin_letters_fold_as_utf8proc_does),
        cmocka_unit_test(folding_stops_at_bad_bytes_and_at_the_ceiling),
        cmocka_unit_test(every_french_apostrophe_and_space_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
