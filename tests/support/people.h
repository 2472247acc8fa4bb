// SPDX-License-Identifier: EUPL-1.2
/* Invented people: the i-th one of a seed, always the same and quick to make (well under a microsecond), for the
 * demonstration, the tests and the benchmarks. Towns are public ones with their codes; addresses end in example.org;
 * telephone numbers are those reserved for fiction, only 20,000, so that in a large file several people share one. */
#ifndef CARNET_TESTS_PEOPLE_H
#define CARNET_TESTS_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct demo_person {
    uint64_t number; /* i + 1 */
    bool female;
    char given[64];
    char family[64];
    char email[96];  /* empty: none, as for the two numbers */
    char phone[16];  /* fixed, E.164 */
    char mobile[16]; /* E.164 */
    char street[96];
    const char *postcode;
    const char *city;
    const char *insee;
    unsigned born_year, born_month, born_day; /* all 0: unknown */
    const char *employer;                     /* empty: none */
    const char *tags[4];
    size_t tag_count;
    const char *note; /* empty: none */
    unsigned support; /* 1 to 5, 0: unknown */
    bool email_opt_in, mobile_opt_in, do_not_call, do_not_contact;
    unsigned created_day;      /* days since 2018-01-01 */
    unsigned unsubscribed_day; /* the same; 0: never */
};
void demo_person_make(uint64_t seed, uint64_t i, struct demo_person *out);

enum demo_format { DEMO_NATIONBUILDER, DEMO_VCARD, DEMO_CSV };
/* A file as those tools write it: a NationBuilder export with every column, vCard 3.0, a French spreadsheet with ';'.
 */
void demo_write_header(FILE *out, enum demo_format format);
void demo_write_person(FILE *out, enum demo_format format, const struct demo_person *person);

#endif
