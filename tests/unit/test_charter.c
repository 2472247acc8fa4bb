// SPDX-License-Identifier: EUPL-1.2
#include "carnet/model/charter.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static struct carnet_slice s(const char *text)
{
    return carnet_slice_str(text);
}

static void every_table_finds_its_own_names(void **state)
{
    (void)state;
    for (unsigned i = CARNET_SCOPE_IDENTITY; i < CARNET_SCOPE_COUNT; i++)
        assert_int_equal(carnet_scope_find(s(carnet_scope_name((enum carnet_scope)i))), i);
    assert_int_equal(carnet_scope_find(s("clear")), CARNET_SCOPE_CLEAR);
    assert_int_equal(carnet_scope_find(s("Email")), CARNET_SCOPE_CLEAR);
    for (unsigned i = CARNET_ROLE_ADMIN; i <= CARNET_ROLE_RELAY; i++) {
        enum carnet_role role;
        assert_true(carnet_role_find(s(carnet_role_name((enum carnet_role)i)), &role));
        assert_int_equal(role, i);
    }
    for (unsigned i = CARNET_BASIS_CONSENT; i <= CARNET_BASIS_ROLL; i++) {
        enum carnet_basis basis;
        assert_true(carnet_basis_find(s(carnet_basis_name((enum carnet_basis)i)), &basis));
        assert_int_equal(basis, i);
    }
    enum carnet_role role;
    enum carnet_basis basis;
    assert_false(carnet_role_find(s(""), &role));
    assert_false(carnet_basis_find(s("vote"), &basis));
    size_t count = 0;
    for (const struct carnet_field_def *def = carnet_field_at(NULL, 0); def; def = carnet_field_at(NULL, ++count)) {
        assert_ptr_equal(carnet_field_by_number(NULL, def->field), def);
        assert_ptr_equal(carnet_field_by_name(NULL, s(def->name)), def);
        assert_true(def->scope != CARNET_SCOPE_CLEAR);
    }
    assert_int_equal(count, CARNET_FIELD_COUNT - 1);
    assert_null(carnet_field_by_number(NULL, CARNET_FIELD_NONE));
    assert_null(carnet_field_by_number(NULL, CARNET_FIELD_COUNT));
    assert_null(carnet_field_by_number(NULL, 0x10000));
    assert_null(carnet_field_by_name(NULL, s("")));
    for (size_t i = 0; carnet_purpose_at(NULL, i); i++)
        assert_ptr_equal(carnet_purpose_find(NULL, s(carnet_purpose_at(NULL, i)->name)), carnet_purpose_at(NULL, i));
    assert_null(carnet_purpose_find(NULL, s("party")));
    assert_null(carnet_purpose_find(NULL, CARNET_SLICE_NONE));
}

static void purposes_cover_what_the_contract_says(void **state)
{
    (void)state;
    const struct {
        const char *name;
        const char *scopes;
    } expected[] = {
        { "file", "identity" },
        { "newsletter", "identity email" },
        { "targeted", "identity email" },
        { "sms", "identity phone" },
        { "call", "identity phone" },
        { "mail", "identity postal" },
        { "canvass", "identity postal" },
        { "social", "identity social" },
        { "profile", "identity opinion notes" },
        { "membership", "identity email phone postal" },
    };
    size_t count = sizeof expected / sizeof *expected;
    for (size_t i = 0; i < count; i++) {
        struct carnet_buf names;
        const struct carnet_purpose_def *purpose = carnet_purpose_find(NULL, s(expected[i].name));
        assert_non_null(purpose);
        carnet_buf_init(&names, 200);
        for (unsigned scope = 0; scope < CARNET_SCOPE_COUNT; scope++)
            if (purpose->scopes & 1u << scope)
                carnet_buf_printf(&names, "%s%s", names.len ? " " : "", carnet_scope_name((enum carnet_scope)scope));
        assert_string_equal(carnet_buf_cstr(&names), expected[i].scopes);
        carnet_buf_deinit(&names);
    }
    assert_null(carnet_purpose_at(NULL, count));
}

static void fields_are_in_their_scopes(void **state)
{
    (void)state;
    const struct {
        enum carnet_scope scope;
        const char *names[10];
    } expected[] = {
        { CARNET_SCOPE_IDENTITY, { "given", "family", "birth_name", "gender", "born", "language", "employer", "tag" } },
        { CARNET_SCOPE_EMAIL, { "email" } },
        { CARNET_SCOPE_PHONE, { "phone" } },
        { CARNET_SCOPE_POSTAL, { "street", "postcode", "city", "country", "insee", "polling_station" } },
        { CARNET_SCOPE_SOCIAL, { "website", "handle" } },
        { CARNET_SCOPE_OPINION, { "support", "issues" } },
        { CARNET_SCOPE_NOTES, { "note" } },
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        for (size_t j = 0; expected[i].names[j]; j++)
            assert_int_equal(carnet_field_by_name(NULL, s(expected[i].names[j]))->scope, expected[i].scope);
}

static void a_label_follows_the_slash(void **state)
{
    (void)state;
    const struct carnet_field_def *def;
    struct carnet_slice label;
    assert_int_equal(carnet_field_parse(NULL, s("phone/mobile"), &def, &label), CARNET_OK);
    assert_int_equal(def->field, CARNET_FIELD_PHONE);
    assert_true(carnet_slice_equal(label, s("mobile")));
    assert_int_equal(carnet_field_parse(NULL, s("city"), &def, &label), CARNET_OK);
    assert_true(def->field == CARNET_FIELD_CITY && label.len == 0);
    assert_int_equal(carnet_field_parse(NULL, s("email/home/2"), &def, &label), CARNET_OK);
    assert_true(carnet_slice_equal(label, s("home/2")));
    assert_int_equal(carnet_field_parse(NULL, s("email/"), &def, &label), CARNET_USAGE);
    assert_int_equal(carnet_field_parse(NULL, s("fax/home"), &def, &label), CARNET_NOT_FOUND);
    assert_int_equal(carnet_field_parse(NULL, s("evidence/file"), &def, &label), CARNET_NOT_FOUND);
    assert_null(def);
    assert_int_equal(carnet_field_parse(NULL, s("/home"), &def, &label), CARNET_NOT_FOUND);
    assert_int_equal(carnet_field_parse(NULL, CARNET_SLICE_NONE, &def, &label), CARNET_NOT_FOUND);
    char text[6 + CARNET_FIELD_COUNT + 100] = "email/";
    memset(text + 6, 'x', 64);
    assert_int_equal(carnet_field_parse(NULL, s(text), &def, &label), CARNET_OK);
    text[6 + 64] = 'x';
    assert_int_equal(carnet_field_parse(NULL, s(text), &def, &label), CARNET_USAGE);
}

static void roles_may_what_the_contract_says(void **state)
{
    (void)state;
    uint32_t admin = carnet_role_verbs(CARNET_ROLE_ADMIN), office = carnet_role_verbs(CARNET_ROLE_OFFICE);
    assert_int_equal(admin, 0xfff);
    assert_int_equal(admin & ~office, CARNET_VERB_CHARTER);
    assert_int_equal(carnet_role_verbs(CARNET_ROLE_VOLUNTEER),
                     CARNET_VERB_ADD | CARNET_VERB_EDIT | CARNET_VERB_GRANT | CARNET_VERB_REFUSE);
    assert_int_equal(carnet_role_verbs(CARNET_ROLE_GATEWAY), CARNET_VERB_REFUSE | CARNET_VERB_DELIVER | CARNET_VERB_DARK);
    assert_int_equal(carnet_role_verbs(CARNET_ROLE_RELAY), 0);
    assert_int_equal(carnet_role_scopes(CARNET_ROLE_RELAY), 0);
    assert_int_equal(carnet_role_scopes(CARNET_ROLE_VOLUNTEER),
                     1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_POSTAL | 1u << CARNET_SCOPE_NOTES | 1u << CARNET_SCOPE_CONSENT);
    assert_int_equal(carnet_role_scopes(CARNET_ROLE_OFFICE), CARNET_SCOPES_ALL);
}

static void numbers_are_read_as_durations(void **state)
{
    (void)state;
    struct carnet_charter charter = carnet_charter_default();
    assert_true(charter.dark_after_ms == 259200000 && charter.history_ms == 2592000000);
    assert_int_equal(carnet_charter_set(&charter, s("dark_after"), s("90")), CARNET_OK);
    assert_true(charter.dark_after_ms == 90000);
    assert_int_equal(carnet_charter_set(&charter, s("dark_after"), s("2h")), CARNET_OK);
    assert_true(charter.dark_after_ms == 7200000);
    assert_int_equal(carnet_charter_set(&charter, s("history"), s("99999d")), CARNET_OK);
    assert_true(charter.history_ms == INT64_C(99999) * 86400000);
    static const char *const wrong[] = { "", "h", "-1", "1.5h", "2hh", "2 h", "100000", "2w", "999999999999999999999" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(carnet_charter_set(&charter, s("dark_after"), s(wrong[i])), CARNET_USAGE);
    assert_int_equal(carnet_charter_set(&charter, s("colour"), s("1h")), CARNET_NOT_FOUND);
    assert_true(charter.dark_after_ms == 7200000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_finds_its_own_names), cmocka_unit_test(purposes_cover_what_the_contract_says),
        cmocka_unit_test(fields_are_in_their_scopes),      cmocka_unit_test(a_label_follows_the_slash),
        cmocka_unit_test(roles_may_what_the_contract_says), cmocka_unit_test(numbers_are_read_as_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
