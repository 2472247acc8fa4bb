// SPDX-License-Identifier: EUPL-1.2
#include "carnet/people/values.h"

#include "carnet/base/limits.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void gives_by(const struct carnet_value_rules *rules, const char *field, const char *text, const char *want)
{
    struct carnet_buf out;
    struct carnet_err err = CARNET_ERR_INIT;
    carnet_buf_init(&out, CARNET_VALUE_LEN_MAX + 10);
    carnet_buf_append_str(&out, "kept|");
    const struct carnet_field_def *def = carnet_field_by_name(NULL, carnet_slice_str(field));
    assert_non_null(def);
    carnet_rc rc = carnet_value_normalise(def, carnet_slice_str(text), rules, &out, &err);
    if (want) {
        if (rc != CARNET_OK)
            fail_msg("%s: %s", text, err.what);
        assert_string_equal(carnet_buf_cstr(&out) + 5, want);
        /* the kept form of a kept form is itself */
        struct carnet_value_rules again = carnet_value_rules_default();
        carnet_buf_clear(&out);
        if (want[0]) {
            assert_int_equal(carnet_value_normalise(def, carnet_slice_str(want), &again, &out, &err), CARNET_OK);
            assert_string_equal(carnet_buf_cstr(&out), want);
        }
    } else {
        if (rc == CARNET_OK)
            fail_msg("%s: accepted as %s", text, carnet_buf_cstr(&out));
        assert_int_equal(rc, CARNET_USAGE);
        assert_non_null(strstr(err.what, field));
        assert_string_equal(carnet_buf_cstr(&out), "kept|");
    }
    carnet_buf_deinit(&out);
}

static void gives(const char *field, const char *text, const char *want)
{
    struct carnet_value_rules rules = carnet_value_rules_default();
    gives_by(&rules, field, text, want);
}

static void telephone_numbers_become_e164(void **state)
{
    (void)state;
    gives("phone", "06 39 98 00 01", "+33639980001");
    gives("phone", "01.99.00.12.34", "+33199001234");
    gives("phone", "0639980001", "+33639980001");
    gives("phone", "639980001", "+33639980001"); /* a spreadsheet ate the zero */
    gives("phone", "33639980001", "+33639980001");
    gives("phone", "+33 (0)6 39 98 00 01", "+33639980001");
    gives("phone", "0033 6 39 98 00 01", "+33639980001");
    gives("phone", "00 33 (0) 639980001", "+33639980001");
    gives("phone", "(+33) 6-39-98-00-01", "+33639980001");
    gives("phone", "+33 06 39 98 00 01", "+33639980001");
    gives("phone", "tel:+33-6-39-98-00-01", "+33639980001");
    gives("phone", "\u202a+33\u00a06\u202f39\u201198 00 01\u202c", "+33639980001");
    gives("phone", "0690 00 12 34", "+590690001234");
    gives("phone", "0590 00 12 34", "+590590001234");
    gives("phone", "+590 690 00 12 34", "+590690001234");
    gives("phone", "+590 0690 00 12 34", "+590690001234");
    gives("phone", "+33 690 00 12 34", "+590690001234");
    gives("phone", "0262 00 12 34", "+262262001234");
    gives("phone", "0692 00 12 34", "+262692001234");
    gives("phone", "0696 00 12 34", "+596696001234");
    gives("phone", "0694 00 12 34", "+594694001234");
    gives("phone", "+49 30 1234567", "+49301234567");
    gives("phone", "0041 22 555 01 23", "+41225550123");
    gives("phone", "N/A", "");
    gives("phone", "  ", "");
    gives("phone", "12", NULL);
    gives("phone", "3631", NULL);
    gives("phone", "06 39 98 00", NULL);
    gives("phone", "06 39 98 00 01 02", NULL);
    gives("phone", "+33 6 39 98 00 01 02", NULL);
    gives("phone", "3.3639E+10", NULL);
    gives("phone", "06 39 98 00 01 (bureau)", NULL);
    gives("phone", "++33639980001", NULL);
    gives("phone", "+0639980001", NULL);
    gives("phone", "+123456789012345678901234567890", NULL);
    gives("phone", "zoe@example.org", NULL);
    struct carnet_value_rules belgium = {.country = "BE"};
    gives_by(&belgium, "phone", "0470 12 34 56", "+32470123456");
    gives_by(&belgium, "phone", "+33 6 39 98 00 01", "+33639980001");
    struct carnet_value_rules unknown = {.country = "ZZ"};
    gives_by(&unknown, "phone", "0470 12 34 56", NULL);
}

static void e_mail_addresses_are_checked(void **state)
{
    (void)state;
    gives("email", "Zoe.Le-Goff@Example.ORG", "zoe.le-goff@example.org");
    gives("email", " mailto:zoe@example.org ", "zoe@example.org");
    gives("email", "Zoé Le Goff <zoe@example.org>", "zoe@example.org");
    gives("email", "o'brien+news@sub.example.org", "o'brien+news@sub.example.org");
    gives("email", "zoe@exämple.org", "zoe@exämple.org");
    gives("email", "N/A", "");
    gives("email", "zoe", NULL);
    gives("email", "@example.org", NULL);
    gives("email", "zoe@", NULL);
    gives("email", "zoe@example", NULL);
    gives("email", "zoe@example..org", NULL);
    gives("email", "zoe@.org", NULL);
    gives("email", "zoe@example.o", NULL);
    gives("email", "zoe@-example.org", NULL);
    gives("email", "zoe@127.0.0.1", NULL);
    gives("email", "zo e@example.org", NULL);
    gives("email", "zoé@example.org", NULL);
    gives("email", ".zoe@example.org", NULL);
    gives("email", "zoe..l@example.org", NULL);
    gives("email", "a@b@example.org", NULL);
    gives("email", "pas de mail", NULL);
    gives("email", "zoe@example.org;max@example.org", NULL);
    char text[400];
    memset(text, 'a', sizeof text);
    memcpy(text + 65, "@example.org", 13);
    gives("email", text, NULL);
}

static void birth_dates_may_lack_day_and_month(void **state)
{
    (void)state;
    gives("born", "1962", "1962");
    gives("born", "1962-03", "1962-03");
    gives("born", "1962-03-14", "1962-03-14");
    gives("born", "2000-02-29", "2000-02-29");
    gives("born", "0000-00-00", "");
    gives("born", "1900-02-29", NULL);
    gives("born", "1962-13-01", NULL);
    gives("born", "1962-04-31", NULL);
    gives("born", "1962-00-14", NULL);
    gives("born", "14/03/1962", NULL);
    gives("born", "1962-03-14T00:00:00Z", NULL);
    gives("born", "62", NULL);
    gives("born", "1066", NULL);
    gives("born", "1962-03-14x", NULL);
    gives("born", "99999999999999999999", NULL);
    struct carnet_value_rules french = {.order = CARNET_DATE_DMY}, american = {.order = CARNET_DATE_MDY};
    gives_by(&french, "born", "14/03/1962", "1962-03-14");
    gives_by(&french, "born", "4.3.1962", "1962-03-04");
    gives_by(&french, "born", "14-03-62", "1962-03-14");
    gives_by(&french, "born", "00/00/1953", "1953");
    gives_by(&french, "born", "00/03/1953", "1953-03");
    gives_by(&french, "born", "03/1962", "1962-03");
    gives_by(&french, "born", "0/0/00", "");
    gives_by(&french, "born", "1962-03-14T00:00:00Z", "1962-03-14");
    gives_by(&french, "born", "26/13/1962", NULL);
    gives_by(&french, "born", "14-mars-62", "1962-03-14");
    gives_by(&french, "born", "1er février 1962", "1962-02-01");
    gives_by(&french, "born", "3 août 1962", "1962-08-03");
    gives_by(&french, "born", "14 juil. 1962", "1962-07-14");
    gives_by(&american, "born", "14 Dec 1962", "1962-12-14");
    gives_by(&french, "born", "31 avril 1962", NULL);
    gives_by(&french, "born", "14 brumaire 1962", NULL);
    gives_by(&french, "born", "mars 1962", NULL);
    gives("born", "14-mars-62", NULL);
    gives_by(&american, "born", "05/26/1962", "1962-05-26");
    gives_by(&american, "born", "05/26/62", "1962-05-26");
    gives_by(&american, "born", "05/26/2004  12:00 AM", "2004-05-26");
    gives_by(&american, "born", "26/05/1962", NULL);
}

static void other_fields_have_one_form(void **state)
{
    (void)state;
    gives("gender", "Mme", "f");
    gives("gender", "M.", "m");
    gives("gender", "M", "m");
    gives("gender", "F", "f");
    gives("gender", "Féminin", "f");
    gives("gender", "non-binaire", "x");
    gives("gender", "0", "");
    gives("gender", "1", "m");
    gives("gender", "peut-être", NULL);
    struct carnet_value_rules digitalebox = {.gender_1_is_female = true};
    gives_by(&digitalebox, "gender", "1", "f");
    gives_by(&digitalebox, "gender", "2", "m");
    gives("postcode", "38000", "38000");
    gives("postcode", "38 000", "38000");
    gives("postcode", "1000", "01000");
    gives("postcode", "F-38000", "38000");
    gives("postcode", "sw1a 1aa", "SW1A 1AA");
    gives("postcode", "Grenoble", NULL);
    gives("postcode", "38000, Grenoble", NULL);
    gives("insee", "38185", "38185");
    gives("insee", "1053", "01053");
    gives("insee", "2a004", "2A004");
    gives("insee", "3818", "03818");
    gives("insee", "381855", NULL);
    gives("insee", "3A185", NULL);
    gives("language", "Français", "fr");
    gives("language", "fr_FR", "fr-fr");
    gives("language", "EN", "en");
    gives("language", "klingon", NULL);
    gives("website", "example.org/page?x=1", "https://example.org/page?x=1");
    gives("website", "HTTP://example.org", "http://example.org");
    gives("website", "javascript:alert(1)", NULL);
    gives("website", "une page", NULL);
    gives("handle", "@zoe", "zoe");
    gives("handle", "@zoe@social.example.org", "@zoe@social.example.org");
    gives("country", "fr", "FR");
    gives("country", "France", "France");
    gives("given", "  Jean-Noe\u0308l \n Marie ", "Jean-Noël Marie");
    gives("family", "d’Artagnan", "d’Artagnan");
    gives("note", "une ligne\n\n- deux", "une ligne\n\n- deux");
    gives("given", "\xc3", NULL);
}

static void a_value_is_bounded(void **state)
{
    (void)state;
    struct carnet_value_rules rules = carnet_value_rules_default();
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_buf out, text;
    carnet_buf_init(&out, 1024 * 1024);
    carnet_buf_init(&text, 1024 * 1024);
    while (text.len < CARNET_VALUE_LEN_MAX)
        carnet_buf_append_byte(&text, 'a');
    const struct carnet_field_def *note = carnet_field_by_number(NULL, CARNET_FIELD_NOTE);
    assert_int_equal(carnet_value_normalise(note, carnet_buf_slice(&text), &rules, &out, &err), CARNET_OK);
    assert_int_equal(out.len, CARNET_VALUE_LEN_MAX);
    carnet_buf_append_byte(&text, 'a');
    assert_int_equal(carnet_value_normalise(note, carnet_buf_slice(&text), &rules, &out, &err), CARNET_LIMIT);
    assert_int_equal(out.len, CARNET_VALUE_LEN_MAX);
    /* whatever the field, long texts and every byte are refused or kept, never worse */
    for (size_t i = 0; carnet_field_at(NULL, i); i++)
        for (int byte = 0; byte < 256; byte++) {
            memset(text.ptr, byte, text.len);
            carnet_buf_clear(&out);
            carnet_rc rc = carnet_value_normalise(carnet_field_at(NULL, i), carnet_buf_slice(&text), &rules, &out, NULL);
            assert_true(rc == CARNET_OK || (out.len == 0 && !out.failed));
            carnet_buf_clear(&out);
            rc = carnet_value_normalise(carnet_field_at(NULL, i), carnet_slice(text.ptr, (size_t)byte + 1), &rules, &out,
                                        NULL);
            assert_true(rc == CARNET_OK || (out.len == 0 && !out.failed));
        }
    carnet_buf_deinit(&out);
    carnet_buf_deinit(&text);
}

static void labels_are_short_names(void **state)
{
    (void)state;
    struct carnet_buf out;
    carnet_buf_init(&out, 1000);
    assert_int_equal(carnet_value_label(carnet_slice_str("  porte-à-porte "), &out, NULL), CARNET_OK);
    assert_string_equal(carnet_buf_cstr(&out), "porte-à-porte");
    assert_int_equal(carnet_value_label(carnet_slice_str(" "), &out, NULL), CARNET_USAGE);
    assert_int_equal(carnet_value_label(carnet_slice_str("\xff"), &out, NULL), CARNET_USAGE);
    char text[CARNET_LABEL_LEN_MAX + 2];
    memset(text, 'a', sizeof text);
    assert_int_equal(carnet_value_label(carnet_slice(text, sizeof text - 1), &out, NULL), CARNET_USAGE);
    assert_int_equal(carnet_value_label(carnet_slice(text, sizeof text - 2), &out, NULL), CARNET_OK);
    carnet_buf_deinit(&out);
}

static void yes_and_no_are_understood(void **state)
{
    (void)state;
    static const char *const yes[] = {"true", "Y", "yes", "1", "Oui", "x", "VRAI", " ok "};
    static const char *const no[] = {"false", "N", "no", "0", "NON", "faux", "-"};
    static const char *const other[] = {"05/26/2020", "unsubscribed", "peut-être", "désinscrit"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_int_equal(carnet_value_answer(carnet_slice_str(yes[i])), CARNET_ANSWER_YES);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_int_equal(carnet_value_answer(carnet_slice_str(no[i])), CARNET_ANSWER_NO);
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        assert_int_equal(carnet_value_answer(carnet_slice_str(other[i])), CARNET_ANSWER_OTHER);
    assert_int_equal(carnet_value_answer(carnet_slice_str("  ")), CARNET_ANSWER_NONE);
}

static void at(const char *text, enum carnet_date_order order, int64_t want)
{
    int64_t ms = -1;
    if (want < 0) {
        assert_false(carnet_value_time(carnet_slice_str(text), order, &ms));
        return;
    }
    if (!carnet_value_time(carnet_slice_str(text), order, &ms))
        fail_msg("%s", text);
    assert_int_equal(ms, want);
}

static void moments_of_other_tools_are_read(void **state)
{
    (void)state;
    at("2020-05-26T06:51:00Z", CARNET_DATE_ISO, 1590475860000);
    at("2020-05-26 06:51", CARNET_DATE_ISO, 1590475860000);
    at("2020-05-26 06:51:00 UTC", CARNET_DATE_ISO, 1590475860000);
    at("2020-05-26T08:51:00.123+02:00", CARNET_DATE_ISO, 1590475860000);
    at("2020-05-25T23:51:00-0700", CARNET_DATE_ISO, 1590475860000);
    at("05/26/2020  6:51 AM", CARNET_DATE_MDY, 1590475860000);
    at("05/26/2020  6:51 PM", CARNET_DATE_MDY, 1590519060000);
    at("26/05/2020 06:51", CARNET_DATE_DMY, 1590475860000);
    at("12-04-2022 09:30", CARNET_DATE_DMY, 1649755800000);
    at("2020-05-26", CARNET_DATE_ISO, 1590451200000);
    at("1970-01-01", CARNET_DATE_ISO, 0);
    at("2020", CARNET_DATE_ISO, -1);
    at("2020-05", CARNET_DATE_ISO, -1);
    at("oui", CARNET_DATE_DMY, -1);
    at("26/05/2020", CARNET_DATE_MDY, -1);
    at("2020-05-26 25:00", CARNET_DATE_ISO, -1);
    at("2020-05-26 06:51 demain", CARNET_DATE_ISO, -1);
    at("05/26/2020 13:51 PM", CARNET_DATE_MDY, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(telephone_numbers_become_e164),
        cmocka_unit_test(e_mail_addresses_are_checked),
        cmocka_unit_test(birth_dates_may_lack_day_and_month),
        cmocka_unit_test(other_fields_have_one_form),
        cmocka_unit_test(a_value_is_bounded),
        cmocka_unit_test(labels_are_short_names),
        cmocka_unit_test(yes_and_no_are_understood),
        cmocka_unit_test(moments_of_other_tools_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
