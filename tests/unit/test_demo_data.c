// SPDX-License-Identifier: EUPL-1.2
/* The invented people are the same each time, and their files are read whole. */
#include "../support/people.h"

#include "carnet/people/rows.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PEOPLE = 3000 };

static void a_seed_gives_the_same_people(void **state)
{
    (void)state;
    struct demo_person a, b, c;
    size_t same = 0, opt_in = 0;
    for (uint64_t i = 0; i < PEOPLE; i++) {
        demo_person_make(7, i, &a);
        demo_person_make(7, i, &b);
        demo_person_make(8, i, &c);
        assert_memory_equal(&a, &b, sizeof a);
        same += strcmp(a.given, c.given) == 0 && strcmp(a.family, c.family) == 0;
        opt_in += a.email_opt_in;
    }
    assert_true(same < PEOPLE / 100);
    assert_in_range(opt_in, PEOPLE * 55 / 100, PEOPLE * 65 / 100);
}

static bool has(const struct carnet_row *row, const char *field, const char *label, const char *value)
{
    for (size_t i = 0; i < row->cell_count; i++)
        if (strcmp(row->cells[i].def->name, field) == 0 &&
            carnet_slice_equal(row->cells[i].label, carnet_slice_str(label)))
            return carnet_slice_equal(row->cells[i].value, carnet_slice_str(value));
    return !value[0];
}

static bool has_purpose(const struct carnet_rows_consent *list, size_t count, const char *purpose)
{
    for (size_t i = 0; i < count; i++)
        if (carnet_slice_equal(list[i].purpose, carnet_slice_str(purpose)))
            return true;
    return false;
}

static void each_format_gives_the_people_back(void **state)
{
    (void)state;
    for (int format = DEMO_NATIONBUILDER; format <= DEMO_CSV; format++) {
        char *bytes = NULL;
        size_t len = 0;
        FILE *file = open_memstream(&bytes, &len);
        struct demo_person p;
        assert_non_null(file);
        demo_write_header(file, (enum demo_format)format);
        for (uint64_t i = 0; i < PEOPLE; i++) {
            demo_person_make(3, i, &p);
            demo_write_person(file, (enum demo_format)format, &p);
        }
        fclose(file);
        struct carnet_rows_options options = {0};
        struct carnet_err err = CARNET_ERR_INIT;
        struct carnet_rows *rows;
        struct carnet_row row;
        assert_int_equal(carnet_rows_open_bytes(carnet_slice(bytes, len), &options, &rows, &err), CARNET_OK);
        for (uint64_t i = 0; i < PEOPLE; i++) {
            demo_person_make(3, i, &p);
            assert_int_equal(carnet_rows_next(rows, &row, &err), CARNET_OK);
            if (row.reason)
                fail_msg("format %d, %llu: %s", format, (unsigned long long)i, row.reason);
            char born[40] = "";
            if (p.born_year)
                snprintf(born, sizeof born, "%04u-%02u-%02u", p.born_year, p.born_month, p.born_day);
            assert_true(has(&row, "given", "", p.given) && has(&row, "family", "", p.family) &&
                        has(&row, "email", "", p.email));
            assert_true(has(&row, "street", "", p.street) && has(&row, "postcode", "", p.postcode) &&
                        has(&row, "city", "", p.city));
            assert_true(has(&row, "born", "", born) && has(&row, "gender", "", p.female ? "f" : "m") &&
                        has(&row, "note", "", p.note));
            assert_true(has(&row, "phone", "mobile", p.mobile));
            assert_true(has(&row, "phone", format == DEMO_NATIONBUILDER ? "" : "home", p.phone));
            assert_int_equal(row.tag_count, p.tag_count);
            if (format != DEMO_VCARD) {
                assert_int_equal(has_purpose(row.grants, row.grant_count, "newsletter"), p.email_opt_in);
                assert_int_equal(has_purpose(row.objections, row.objection_count, "newsletter"),
                                 p.unsubscribed_day > 0);
                assert_int_equal(has_purpose(row.objections, row.objection_count, ""), p.do_not_contact);
            }
        }
        assert_int_equal(carnet_rows_next(rows, &row, &err), CARNET_NOT_FOUND);
        carnet_rows_close(rows);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_same_people),
        cmocka_unit_test(each_format_gives_the_people_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
