// SPDX-License-Identifier: EUPL-1.2
#include "../support/contact.h"
#include "carnet/people/query.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#define CONTACT(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct carnet_query *parsed(const char *text)
{
    struct carnet_query *query;
    struct carnet_err err = CARNET_ERR_INIT;
    if (carnet_query_parse(NULL, carnet_slice_str(text), &query, &err))
        fail_msg("%s: %s", text, err.what);
    return query;
}

static bool newsletter_only(void *ctx, struct carnet_slice purpose)
{
    (void)ctx;
    return carnet_slice_equal(purpose, carnet_slice_str("newsletter"));
}

static struct carnet_query_subject subject_of(const struct contact *contact)
{
    return (struct carnet_query_subject){.cells = contact->cells,
                                         .count = contact->count,
                                         .book = carnet_slice_str("Grenoble Centre"),
                                         .today = 20260412,
                                         .consent = newsletter_only,
                                         .id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}};
}

static bool match(const char *const *texts, const char *text)
{
    struct contact contact;
    contact_init(&contact, texts);
    struct carnet_query *query = parsed(text);
    struct carnet_query_subject subject = subject_of(&contact);
    bool matched = carnet_query_matches(query, &subject);
    carnet_query_free(query);
    return matched;
}

#define FOUND(contact, query) do { if (!match(contact, query)) fail_msg("not found: %s", query); } while (0)
#define NOT_FOUND(contact, query) do { if (match(contact, query)) fail_msg("found: %s", query); } while (0)

static const char *const zoe[] = {"given=Zoé",
                                  "family=Le Goff",
                                  "email=zoe.legoff@example.org",
                                  "phone/mobile=+33639980012",
                                  "city=Saint-Martin-d’Hères",
                                  "postcode=38400",
                                  "born=2005-06-15",
                                  "tag/bénévole=1",
                                  NULL};

static void words_find_names_by_prefix_and_folded(void **state)
{
    (void)state;
    const char *const *artagnan = CONTACT("given=Charles", "family=d’Artagnan");
    FOUND(artagnan, "d'Artagnan");
    FOUND(artagnan, "d’artagnan");
    FOUND(artagnan, "D`ARTA");
    FOUND(artagnan, "artagnan");
    FOUND(artagnan, "dartagnan");
    FOUND(artagnan, "arta charl");
    NOT_FOUND(artagnan, "tagnan");
    NOT_FOUND(artagnan, "charles-artagnan");
    const char *const *noel = CONTACT("given=Jean-Noël", "family=Œuvrard");
    FOUND(noel, "Jean-Noël");
    FOUND(noel, "jean noel");
    FOUND(noel, "jean–no");
    FOUND(noel, "JEANNOËL");
    FOUND(noel, "noe\u0308l");
    FOUND(noel, "oeuvrard");
    FOUND(noel, "œuv");
    FOUND(CONTACT("given=Jean Noel"), "Jean-Noël");
    FOUND(CONTACT("given=Jeannoël"), "Jean-Noël");
    NOT_FOUND(CONTACT("given=Jean", "email=noel@example.org"), "Jean-Noël");
    FOUND(zoe, "Le Goff");
    FOUND(zoe, "legoff");
    FOUND(zoe, "GOFF");
    FOUND(CONTACT("family=Straß"), "strass");
    FOUND(CONTACT("family=Strass"), "Straß");
    FOUND(CONTACT("family=Martin", "birth_name=Durand"), "durand");
    FOUND(CONTACT("family=M\u00adartin"), "martin");
    FOUND(CONTACT("family=山田"), "山");
    NOT_FOUND(zoe, "grenoble");
    NOT_FOUND(zoe, "saint-martin");
    NOT_FOUND(zoe, "benevole");
}

static void words_find_addresses_and_numbers(void **state)
{
    (void)state;
    FOUND(zoe, "zoe.legoff@example.org");
    FOUND(zoe, "zoe.leg");
    FOUND(zoe, "@example.org");
    FOUND(zoe, "example");
    NOT_FOUND(zoe, "legoff.zoe@example.org");
    const char *const forms[] = {"06 39 98",          "0639980012",    "06.39.98.00.12",    "06-39-98",  "+33639",
                                 "+33 6 39 98 00 12", "0033639980012", "00 33 6 39",        "639980012", "zoe 06 39",
                                 "06 39 zoe",         "06 3",          "06 39 98 and goff", "6 39 98"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        FOUND(zoe, forms[i]);
    NOT_FOUND(zoe, "06 39 99");
    NOT_FOUND(zoe, "39 98");
    NOT_FOUND(zoe, "-06 39");
    FOUND(zoe, "06 or 39");
    FOUND(CONTACT("phone=+32470123456"), "0470 12");
    FOUND(CONTACT("phone=+12025550123"), "202 555");
    FOUND(CONTACT("phone=+352621123456"), "621 12");
    FOUND(CONTACT("email=liste38.06@example.org"), "06 liste38");
}

static void phrases_find_words_in_a_row(void **state)
{
    (void)state;
    FOUND(zoe, "\"le goff\"");
    FOUND(zoe, "\"zoe le goff\"");
    FOUND(zoe, "\"Le Goff Zoé\"");
    FOUND(zoe, "« Le Goff »");
    FOUND(zoe, "“le goff”");
    FOUND(zoe, "\"le gof\"*");
    NOT_FOUND(zoe, "\"le gof\"");
    NOT_FOUND(zoe, "\"goff le\"");
    NOT_FOUND(zoe, "\"zoe zoe\"");
    NOT_FOUND(zoe, "\"goff example\"");
    const char *const *married = CONTACT("given=Anne", "family=Martin", "birth_name=Durand");
    FOUND(married, "\"anne martin\"");
    FOUND(married, "\"durand anne\"");
    FOUND(married, "\"anne durand\"");
    NOT_FOUND(married, "\"martin durand\"");
}

static void fields_find_whole_values(void **state)
{
    (void)state;
    FOUND(zoe, "family:\"Le Goff\"");
    FOUND(zoe, "family:legoff");
    FOUND(zoe, "FAMILY:Le-Goff");
    FOUND(zoe, "family:le*");
    FOUND(zoe, "family:*goff");
    FOUND(zoe, "family:*go*");
    FOUND(zoe, "family:\"le g\"*");
    NOT_FOUND(zoe, "family:goff");
    NOT_FOUND(zoe, "family:le");
    NOT_FOUND(zoe, "given:Goff");
    FOUND(zoe, "city:\"saint martin d'heres\"");
    FOUND(zoe, "city:Saint-Mar*");
    NOT_FOUND(zoe, "city:Saint");
    FOUND(zoe, "postcode:38*");
    FOUND(zoe, "email:zoe.legoff@example.org");
    FOUND(zoe, "email:ZOE.LEGOFF@example.org");
    NOT_FOUND(zoe, "email:zoelegoff@example.org");
    FOUND(zoe, "email:*@example.org");
    FOUND(zoe, "email:zoe*");
    FOUND(zoe, "email:* phone:*");
    NOT_FOUND(zoe, "street:*");
    FOUND(zoe, "phone/mobile:*");
    FOUND(zoe, "phone/MOBILE:0639*");
    NOT_FOUND(zoe, "phone/home:*");
    FOUND(zoe, "phone:0639980012");
    FOUND(zoe, "phone:\"06 39 98 00 12\"");
    FOUND(zoe, "phone:+33639980012");
    FOUND(zoe, "phone:0033639980012");
    NOT_FOUND(zoe, "phone:063998");
    FOUND(CONTACT("street=3 rue des Lilas"), "street:lilas");
    FOUND(CONTACT("street=3 rue des Lilas"), "street:\"rue des lil\"*");
    NOT_FOUND(CONTACT("street=3 rue des Lilas"), "street:lil");
    FOUND(CONTACT("note=Peut héberger"), "note:heberger");
    FOUND(CONTACT("handle/bluesky=@zoe.example.org"), "handle/bluesky:zoe.example.org");
    NOT_FOUND(CONTACT("city="), "city:*");
}

static void both_values_of_a_conflict_are_found(void **state)
{
    (void)state;
    const char *const *contact =
        CONTACT("given=Zoé", "family=Martin", "family=Le Goff", "city=Lyon", "city=Grenoble", "phone=");
    FOUND(contact, "martin");
    FOUND(contact, "goff");
    FOUND(contact, "\"zoe le goff\"");
    FOUND(contact, "\"martin zoe\"");
    FOUND(contact, "city:lyon city:grenoble");
    NOT_FOUND(contact, "-city:lyon");
    NOT_FOUND(contact, "phone:*");
}

static void ranges_hold_ages_dates_numbers_and_codes(void **state)
{
    (void)state;
    FOUND(zoe, "age:20");
    FOUND(zoe, "age:18-25");
    FOUND(zoe, "age:18–25");
    FOUND(zoe, "age:18..25");
    FOUND(zoe, "age:18-");
    FOUND(zoe, "age:<21");
    FOUND(zoe, "age:<=20");
    FOUND(zoe, "age:>=20");
    FOUND(zoe, "age:*");
    NOT_FOUND(zoe, "age:21");
    NOT_FOUND(zoe, "age:>20");
    NOT_FOUND(zoe, "age:-19");
    FOUND(CONTACT("born=2008-04-12"), "age:18");
    FOUND(CONTACT("born=2008-04-13"), "age:17");
    FOUND(CONTACT("born=2008"), "age:17");
    FOUND(CONTACT("born=2008-04"), "age:17");
    FOUND(CONTACT("born=2008-03"), "age:18");
    NOT_FOUND(CONTACT("born=2027"), "age:0-200");
    NOT_FOUND(CONTACT("born=12/04/2008"), "age:0-200");
    NOT_FOUND(CONTACT("given=Zoé"), "age:0-200");
    FOUND(zoe, "born:2005");
    FOUND(zoe, "born:2005-06");
    FOUND(zoe, "born:2005-06-15");
    FOUND(zoe, "born:2000-2005");
    FOUND(zoe, "born:2005-");
    FOUND(zoe, "born:2005-06..2005-07");
    FOUND(zoe, "born:<2006");
    FOUND(zoe, "born:>2004-12");
    NOT_FOUND(zoe, "born:2005-05");
    NOT_FOUND(zoe, "born:>=2006");
    NOT_FOUND(zoe, "born:<2005");
    NOT_FOUND(CONTACT("born=2005"), "born:2005-06");
    FOUND(zoe, "postcode:38000-38999");
    FOUND(zoe, "postcode:38-39");
    NOT_FOUND(zoe, "postcode:39-42");
    FOUND(CONTACT("insee=2A004"), "insee:2a-2b");
    FOUND(CONTACT("support=4"), "support:3-5");
    FOUND(CONTACT("support=4"), "support:>3");
    FOUND(CONTACT("support=10"), "support:>9");
    FOUND(CONTACT("polling_station=0012"), "polling_station:12");
    FOUND(CONTACT("polling_station=12 bis"), "polling_station:12*");
}

static void tags_consents_books_and_ids(void **state)
{
    (void)state;
    FOUND(zoe, "tag:bénévole");
    FOUND(zoe, "tag:BENEVOLE");
    FOUND(zoe, "tag:bene*");
    FOUND(zoe, "tag:*");
    NOT_FOUND(zoe, "tag:bene");
    NOT_FOUND(zoe, "-tag:benevole");
    FOUND(zoe, "-tag:presse");
    FOUND(CONTACT("tag/porte-à-porte=1"), "tag:\"porte à porte\"");
    NOT_FOUND(CONTACT("tag/presse="), "tag:presse or tag:*");
    FOUND(zoe, "consent:newsletter");
    FOUND(zoe, "consent:Newsletter");
    FOUND(zoe, "consent:*");
    NOT_FOUND(zoe, "consent:sms");
    FOUND(zoe, "book:\"grenoble centre\"");
    FOUND(zoe, "book:greno*");
    NOT_FOUND(zoe, "book:lyon");
    struct carnet_id id = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };
    char query[32];
    snprintf(query, sizeof query, "id:%s", carnet_id_text(&id).s);
    FOUND(zoe, query);
    query[3 + 5] = 0;
    FOUND(zoe, query);
    NOT_FOUND(zoe, "id:zzzz");
}

static bool member_only(void *ctx, enum carnet_basis basis)
{
    (void)ctx;
    return basis == CARNET_BASIS_MEMBER;
}

static bool match_at(const char *const *texts, int64_t now_ms, int64_t changed_ms, int64_t added_ms, const char *text)
{
    struct contact contact;
    contact_init(&contact, texts);
    struct carnet_query *query = parsed(text);
    struct carnet_query_subject subject = subject_of(&contact);
    subject.now_ms = now_ms;
    subject.changed_ms = changed_ms;
    subject.added_ms = added_ms;
    subject.basis = member_only;
    bool matched = carnet_query_matches(query, &subject);
    carnet_query_free(query);
    return matched;
}

static void moments_are_ages_and_days(void **state)
{
    (void)state;
    const int64_t day = 86400000, now = INT64_C(1775988000000); /* 2026-04-12 10:00 */
    const int64_t changed = now - 30 * day, added = INT64_C(1735689599999); /* 2024-12-31 23:59:59.999 */
    static const struct {
        const char *query;
        bool found;
    } asked[] = {
        {"changed:<30d", false}, {"changed:<=30d", true}, {"changed:30d", true},  {"changed:<31d", true}, {"changed:>29d", true},  {"changed:>30d", false},
        {"changed:>=30d", true}, {"changed:720h", true},  {"changed:7d-40d", true}, {"changed:7d..29d", false}, {"changed:*", true}, {"-changed:<31d", false},
        {"changed:2026-03-13", true}, {"changed:2026-03", true}, {"changed:2026", true}, {"changed:2026-03-13..2026-03-13", true}, {"changed:2026-03-14..", false},
        {"changed:..2026-03-12", false}, {"changed:<2026-03-13", false}, {"changed:>=2026-03-13", true}, {"changed:2025-2026", true},
        {"added:2024-12-31", true}, {"added:2025", false}, {"added:2024", true}, {"added:<2025", true}, {"added:2024-01-01..2024-12-31", true},
        {"added:2024-01-01..2024-12-30", false}, {"added:>365d", true}, {"added:<1d", false},
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (match_at(zoe, now, changed, added, asked[i].query) != asked[i].found)
            fail_msg("%s: %s", asked[i].found ? "not found" : "found", asked[i].query);
    assert_false(match_at(zoe, now, 0, 0, "changed:*"));
    assert_true(match_at(zoe, now, now + day, 0, "changed:<1d")); /* a clock that is ahead */
    assert_true(match_at(zoe, now, INT64_C(1709164800000), 0, "changed:2024-02-29"));
    assert_true(match_at(zoe, now, INT64_C(951782400000), 0, "changed:2000-02-29"));
}

static void where_it_comes_from(void **state)
{
    (void)state;
    const char *const *lea = CONTACT("given=Léa", "evidence/mail=source: Marché de Noël, allée 3\ncollected: 2025-12-01\nimport: 5gznxyy9zkc5",
                                     "evidence/sms=source: porte à porte");
    FOUND(lea, "source:marche");
    FOUND(lea, "source:\"marché de noel\"");
    FOUND(lea, "source:mar*");
    FOUND(lea, "source:*che");
    FOUND(lea, "source:porte");
    FOUND(lea, "source:*");
    NOT_FOUND(lea, "source:noe");
    NOT_FOUND(lea, "source:\"noel marché\"");
    NOT_FOUND(lea, "source:2025");
    NOT_FOUND(lea, "source:\"allee porte\"");
    NOT_FOUND(zoe, "source:*");
    NOT_FOUND(zoe, "import:*");
    FOUND(lea, "import:5gznxyy9zkc5");
    FOUND(lea, "import:5gzn");
    FOUND(lea, "import:*");
    NOT_FOUND(lea, "import:5gzm");
    NOT_FOUND(lea, "marché");
    assert_true(match_at(zoe, 1, 1, 1, "basis:member"));
    assert_true(match_at(zoe, 1, 1, 1, "basis:*"));
    assert_false(match_at(zoe, 1, 1, 1, "basis:roll"));
    NOT_FOUND(zoe, "basis:*");
    FOUND(zoe, "-employer:*");
    NOT_FOUND(zoe, "-city:*");
}

/* The segments of the test: "x" of one letter. */
static carnet_rc segment_of(void *ctx, struct carnet_slice name, struct carnet_slice *query, struct carnet_err *err)
{
    static const char *const segments[][2] = { { "isère", "postcode:38*" },      { "Jeunes", "age:18-25" }, { "deux", "segment:isere segment:jeunes" },
                                               { "tous", "" },                   { "faux", "zoe vile:x" },  { "boucle", "a or segment:tour" },
                                               { "tour", "-(segment:Boucle)" }, { "d0", "segment:d1" },    { "d1", "segment:d2" },
                                               { "d2", "segment:d3" },           { "d3", "segment:d4" },    { "d4", "segment:d5" },
                                               { "d5", "segment:d6" },           { "d6", "segment:d7" },    { "d7", "segment:d8" },
                                               { "d8", "zoe" },                  { "large", "a b c d e f g h i j k l m n o p q r s t u v w x y z" },
                                               { "larger", "segment:large segment:large segment:large segment:large segment:large segment:large segment:large" },
                                               { "largest", "segment:larger segment:larger segment:larger" } };
    (void)ctx;
    for (size_t i = 0; i < sizeof segments / sizeof *segments; i++) {
        if (carnet_slice_equal(name, carnet_slice_str(segments[i][0]))) {
            *query = carnet_slice_str(segments[i][1]);
            return CARNET_OK;
        }
    }
    return carnet_err_set(err, CARNET_NOT_FOUND, "there is no segment %.*s", (int)name.len, (const char *)name.ptr);
}

static carnet_rc parse_in(const char *name, const char *text, struct carnet_query **query, struct carnet_err *err)
{
    const struct carnet_query_context context = { .segment = segment_of, .name = carnet_slice_str(name) };
    return carnet_query_parse_in(&context, carnet_slice_str(text), query, err);
}

static bool match_in(const char *text)
{
    struct contact contact;
    struct carnet_query *query;
    struct carnet_err err = CARNET_ERR_INIT;
    contact_init(&contact, zoe);
    if (parse_in("", text, &query, &err))
        fail_msg("%s: %s", text, err.what);
    struct carnet_query_subject subject = subject_of(&contact);
    bool matched = carnet_query_matches(query, &subject);
    carnet_query_free(query);
    return matched;
}

static void segments_stand_for_their_queries(void **state)
{
    (void)state;
    assert_true(match_in("segment:isère"));
    assert_false(match_in("-segment:isère"));
    assert_true(match_in("segment:Jeunes zoe"));
    assert_false(match_in("segment:Jeunes adam"));
    assert_true(match_in("segment:\"tous\""));
    assert_false(match_in("-segment:tous"));
    assert_true(match_in("adam or segment:isère"));
    assert_true(match_in("segment:d1")); /* eight in each other */
    static const struct {
        const char *name, *query;
        carnet_rc rc;
        const char *what;
    } wrong[] = {
        { "", "a segment:rien", CARNET_NOT_FOUND, "column 11: there is no segment rien" },
        { "", "segment:faux", CARNET_USAGE, "column 9: in the segment faux: column 5: no field is called vile" },
        { "", "segment:boucle", CARNET_USAGE, "column 9: in the segment boucle: column 14: in the segment tour: column 11: the segment Boucle is made of itself" },
        { "Isère", "segment:isère", CARNET_USAGE, "column 9: the segment isère is made of itself" },
        { "isere", "a segment:deux", CARNET_NOT_FOUND, NULL },
        { "", "segment:d0", CARNET_USAGE, NULL },
        { "", "segment:largest", CARNET_USAGE, NULL },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct carnet_err err = CARNET_ERR_INIT;
        struct carnet_query *query = NULL;
        carnet_rc rc = parse_in(wrong[i].name, wrong[i].query, &query, &err);
        if (wrong[i].what) {
            assert_int_equal(rc, wrong[i].rc);
            assert_string_equal(err.what, wrong[i].what);
        }
        assert_int_not_equal(rc, CARNET_OK);
        assert_null(query);
    }
}

static void operators_bind_as_documented(void **state)
{
    (void)state;
    FOUND(zoe, "");
    FOUND(zoe, "  \t ");
    FOUND(zoe, "()");
    FOUND(zoe, "&");
    FOUND(zoe, "zoe & goff");
    FOUND(zoe, "zoe - goff");
    FOUND(zoe, "-&");
    FOUND(zoe, "paul or zoe");
    FOUND(zoe, "paul OU zoe");
    FOUND(zoe, "paul goff or zoe");
    FOUND(zoe, "zoe or paul goff");
    NOT_FOUND(zoe, "(zoe or paul) martin");
    FOUND(zoe, "(zoe or paul) goff");
    FOUND(zoe, "(zoe or paul)goff");
    FOUND(zoe, "zoe and goff");
    FOUND(zoe, "zoe et goff");
    FOUND(zoe, "-(paul or martin)");
    NOT_FOUND(zoe, "-(paul or zoe)");
    NOT_FOUND(zoe, "-\"le goff\"");
    NOT_FOUND(zoe, "–zoe");
    NOT_FOUND(zoe, "martin or (zoe) -goff or paul");
    FOUND(zoe, "-(-zoe)");
    FOUND(CONTACT("given=Oumar"), "ou");
    FOUND(CONTACT("given=Oumar", "family=Diallo"), "diallo ou");
    FOUND(CONTACT("given=Oumar", "family=Diallo"), "(diallo ou)");
    FOUND(CONTACT("given=Orane"), "or");
    FOUND(zoe,
          "city:\"Saint-Martin-d'Hères\" tag:bénévole -tag:presse age:18-25 consent:newsletter (email:* or phone:*)");
    FOUND(zoe, "city:Grenoble\u00a0or\u00a0zoe");
}

static void blocked_cells_are_not_seen(void **state)
{
    (void)state;
    const char *const *open = CONTACT("given=Zoé");
    NOT_FOUND(open, "phone:*");
    NOT_FOUND(open, "06 39");
    NOT_FOUND(open, "example.org");
    FOUND(open, "-email:*");
}

static void errors_name_the_column_and_what_is_near(void **state)
{
    (void)state;
    static const struct {
        const char *query, *what, *hint;
    } wrong[] = {
        {"zoé citi:Grenoble", "column 5: no field is called citi", "did you mean city?"},
        {"ville:Grenoble", "column 1: no field is called ville", "did you mean city?"},
        {"prénom:Zoé", "column 1: no field is called prénom", "did you mean given?"},
        {"nom:Martin", "column 1: no field is called nom", "did you mean family?"},
        {"étiquette:x", "column 1: no field is called étiquette", "did you mean tag?"},
        {"poling_station:1", "column 1: no field is called poling_station", "did you mean polling_station?"},
        {"emial:x", "column 1: no field is called emial", "did you mean email?"},
        {"https://example.org", "column 1: no field is called https",
         "known: given, family, email, phone, city, postcode, born, age, tag, consent, book, source, changed, segment "
         "and the others of the charter; between "
         "quotation marks, it is text"},
        {"evidence:x", "column 1: no field is called evidence", NULL},
        {"tag/x:y", "column 1: no field is called tag/x", NULL},
        {"(zoe) consent:newsleter", "column 15: no purpose is called newsleter", "did you mean newsletter?"},
        {"consent:zzz", "column 9: no purpose is called zzz",
         "known: file, newsletter, targeted, sms, call, mail, canvass, social, profile, membership"},
        {"consent:news*", "column 9: no purpose is called news*", NULL},
        {"city:", "column 6: a value is missing after city", "city:* finds all who have one"},
        {"city:\"\"", "column 6: a value is missing after city", NULL},
        {"tag: presse", "column 5: a value is missing after tag", NULL},
        {"phone:abc", "column 7: phone does not take abc", "a phone number has digits"},
        {"age:x", "column 5: age does not take x", "write age:18, age:18-25, age:<18 or age:>=60"},
        {"age:25-18", "column 5: age does not take 25-18", NULL},
        {"age:18*", "column 5: age does not take 18*", NULL},
        {"age:<0", "column 5: age does not take <0", NULL},
        {"age:99999999999999999999", "column 5: age does not take 99999999999999999999", NULL},
        {"born:12/04/2008", "column 6: born does not take 12/04/2008", NULL},
        {"born:2008-13", "column 6: born does not take 2008-13", NULL},
        {"id:zz", "column 4: id does not take zz", "give the id, or at least its first 4 characters"},
        {"changed:x", "column 9: changed does not take x", "write changed:<30d, changed:>1d, changed:2026-01 or changed:2026-01-01..2026-02-01"},
        {"added:<30y", "column 7: added does not take <30y", NULL},
        {"added:30d..7d", "column 7: added does not take 30d..7d", NULL},
        {"changed:2026*", "column 9: changed does not take 2026*", NULL},
        {"import:zz", "column 8: import does not take zz", "give the import's id, or at least its first 4 characters; `carnet imports` lists them"},
        {"basis:rol", "column 7: basis does not take rol", "known: consent, legitimate-interest, explicit-consent, member, roll"},
        {"source:", "column 8: a value is missing after source", "source:* finds all who have one"},
        {"source/x:y", "column 1: no field is called source/x", NULL},
        {"origine:x", "column 1: no field is called origine", "did you mean source?"},
        {"a segment:x", "column 11: there is no segment x", NULL},
        {"segment:x*", "column 9: segment does not take x*", NULL},
        {"phone/:*", "column 1: the label after phone/ is empty or too long", NULL},
        {"a (b or (c)", "column 3: this parenthesis is not closed", NULL},
        {"a) b", "column 2: no parenthesis is open that this one would close", NULL},
        {"é \"b", "column 3: this quotation mark is not closed", NULL},
        {"city:\"b", "column 6: this quotation mark is not closed", NULL},
        {"a\xff", "the query is not text in UTF-8", NULL},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct carnet_query *query = (struct carnet_query *)&query;
        struct carnet_err err = CARNET_ERR_INIT;
        assert_int_equal(carnet_query_parse(NULL, carnet_slice_str(wrong[i].query), &query, &err), CARNET_USAGE);
        assert_null(query);
        assert_string_equal(err.what, wrong[i].what);
        if (wrong[i].hint)
            assert_string_equal(err.hint, wrong[i].hint);
        assert_int_equal(carnet_query_parse(NULL, carnet_slice_str(wrong[i].query), &query, NULL), CARNET_USAGE);
    }
    struct carnet_err french = { .lang = CARNET_LANG_FR };
    struct carnet_query *query;
    assert_int_equal(carnet_query_parse(NULL, carnet_slice_str("vile:x"), &query, &french), CARNET_USAGE);
    assert_string_equal(french.what, "colonne 1\u00a0: aucun champ ne s’appelle vile");
}

static carnet_rc parse_repeated(const char *before, size_t times, const char *after, size_t times_after)
{
    struct carnet_buf text;
    struct carnet_query *query;
    struct carnet_err err = CARNET_ERR_INIT;
    carnet_buf_init(&text, 1 << 20);
    for (size_t i = 0; i < times; i++)
        carnet_buf_append_str(&text, before);
    for (size_t i = 0; i < times_after; i++)
        carnet_buf_append_str(&text, after);
    carnet_rc rc = carnet_query_parse(NULL, carnet_buf_slice(&text), &query, &err);
    carnet_buf_deinit(&text);
    carnet_query_free(query);
    return rc;
}

static void size_and_depth_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(parse_repeated("a", CARNET_QUERY_LEN_MAX, "", 0), CARNET_OK);
    assert_int_equal(parse_repeated("a", CARNET_QUERY_LEN_MAX + 1, "", 0), CARNET_USAGE);
    assert_int_equal(parse_repeated("(", CARNET_QUERY_DEPTH_MAX, "a)", 1), CARNET_USAGE);
    assert_int_equal(parse_repeated("(", CARNET_QUERY_DEPTH_MAX, ")", CARNET_QUERY_DEPTH_MAX), CARNET_OK);
    assert_int_equal(parse_repeated("(", CARNET_QUERY_DEPTH_MAX + 1, ")", CARNET_QUERY_DEPTH_MAX + 1), CARNET_USAGE);
    assert_int_equal(parse_repeated("a ", CARNET_QUERY_NODES_MAX - 1, "", 0), CARNET_OK);
    assert_int_equal(parse_repeated("a ", CARNET_QUERY_NODES_MAX, "", 0), CARNET_USAGE);
    assert_int_equal(parse_repeated("1 ", CARNET_QUERY_NODES_MAX, "", 0), CARNET_USAGE);
    assert_int_equal(parse_repeated("-", CARNET_QUERY_LEN_MAX, "", 0), CARNET_OK);
}

static void expect_fts(const char *text, const char *expected)
{
    struct carnet_query *query = parsed(text);
    struct carnet_buf fts;
    carnet_buf_init(&fts, 4096);
    bool narrowed = carnet_query_fts(query, &fts);
    assert_int_equal(narrowed, expected != NULL);
    assert_string_equal(carnet_buf_cstr(&fts), expected ? expected : "");
    carnet_buf_deinit(&fts);
    carnet_query_free(query);
}

static void narrowing_says_only_what_it_can(void **state)
{
    (void)state;
    expect_fts("Zoé", "\"zoe\"*");
    expect_fts("\"Le Goff\" -zoe", "((\"le\" AND \"goff\"))");
    expect_fts("d'Arta", "((\"d\" AND \"arta\"*) OR \"darta\"*)");
    expect_fts("zoe or goff", "(\"zoe\"* OR \"goff\"*)");
    expect_fts("zoe age:18", "(\"zoe\"*)");
    expect_fts("city:\"Saint-Égrève\"", "\"\xee\x80\x80" "csaintegreve\"");
    expect_fts("tag:*", "\"\xee\x80\x80t\"*");
    expect_fts("family:le* email:a.b@example.org", "(\"le\"* AND (\"a\" AND \"b\" AND \"example\" AND \"org\"))");
    expect_fts("", NULL);
    expect_fts("-zoe", NULL);
    expect_fts("zoe or age:18", NULL);
    expect_fts("zoe or -goff", NULL);
    expect_fts("email:*", NULL);
    expect_fts("family:*goff", NULL);
    expect_fts("consent:sms", NULL);
    struct carnet_query *query = parsed("zoe goff");
    struct carnet_buf small;
    carnet_buf_init(&small, 10);
    assert_false(carnet_query_fts(query, &small));
    assert_int_equal(small.len, 0);
    carnet_buf_deinit(&small);
    carnet_query_free(query);
}

static void count_selector(void *ctx, enum carnet_query_selector kind, struct carnet_slice name)
{
    static const char *const kinds[] = { "field", "tag", "purpose", "origin" };
    carnet_buf_printf(ctx, "%s %.*s\n", kinds[kind], (int)name.len, (const char *)name.ptr);
}

static void every_selector_is_named(void **state)
{
    (void)state;
    struct carnet_query *query = parsed(
        "zoe 06 39 (phone/mobile:* or -tag:\"Porte à porte\") age:18 consent:sms tag:pre* book:x id:zzzz insee:38*");
    struct carnet_buf names;
    carnet_buf_init(&names, 4096);
    carnet_query_selectors(query, count_selector, &names);
    assert_string_equal(carnet_buf_cstr(&names),
                        "field phone\ntag Porte à porte\nfield born\npurpose sms\ntag pre*\nfield insee\n");
    carnet_buf_deinit(&names);
    carnet_query_free(query);
}

static int order(const char *const *a, const char *const *b)
{
    struct contact contact;
    struct carnet_buf left, right;
    carnet_buf_init(&left, 1024);
    carnet_buf_init(&right, 1024);
    contact_init(&contact, a);
    carnet_query_sort_key(contact.cells, contact.count, &left);
    contact_init(&contact, b);
    carnet_query_sort_key(contact.cells, contact.count, &right);
    int sign = carnet_slice_compare(carnet_buf_slice(&left), carnet_buf_slice(&right));
    carnet_buf_deinit(&left);
    carnet_buf_deinit(&right);
    return sign < 0 ? -1 : sign > 0;
}

static void results_are_ordered_by_family_then_given_name(void **state)
{
    (void)state;
    assert_int_equal(order(CONTACT("given=Zoé", "family=Éluard"), CONTACT("given=Anne", "family=Fabre")), -1);
    assert_int_equal(order(CONTACT("given=Anne", "family=éluard"), CONTACT("given=Zoé", "family=Eluard")), -1);
    assert_int_equal(order(CONTACT("given=Zoé", "family=Le Goff"), CONTACT("given=Anne", "family=Le Goff-Martin")), -1);
    assert_int_equal(order(CONTACT("given=Zoé", "family=le goff"), CONTACT("given=Zoé", "family=Le Goff")), 0);
    assert_int_equal(order(CONTACT("given=Zoé", "birth_name=Adam"), CONTACT("given=Anne", "family=Bert")), -1);
    assert_int_equal(order(CONTACT("email=zoe@example.org"), CONTACT("given=Anne")), -1);
}

/* The quick way over ASCII and the general one cut words alike: the values differ by a soft hyphen, which folding
 * drops. */
static void both_ways_of_cutting_words_agree(void **state)
{
    (void)state;
    for (int byte = 1; byte < 128; byte++) {
        char quick[32], general[32];
        snprintf(quick, sizeof quick, "given=Ab%cCd %c9", byte, byte);
        snprintf(general, sizeof general, "given=Ab%cCd %c9\u00ad", byte, byte);
        struct contact contact;
        struct carnet_buf a, b;
        carnet_buf_init(&a, 1024);
        carnet_buf_init(&b, 1024);
        contact_init(&contact, CONTACT(quick));
        carnet_query_index_text(contact.cells, contact.count, &a);
        contact_init(&contact, CONTACT(general));
        carnet_query_index_text(contact.cells, contact.count, &b);
        assert_string_equal(carnet_buf_cstr(&a), carnet_buf_cstr(&b));
        carnet_buf_deinit(&a);
        carnet_buf_deinit(&b);
    }
}

/* A small generator, so that a failure comes again. */
static uint32_t seed;
static uint32_t below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)(seed >> 8) * n) >> 24);
}
static const char *const parts[] = {"a",       "Ab",     "é",       "œ",  "ß",  "-",      "'", "’", ".",
                                    " ",       "1",      "0",       "06", "ae", "№",      "€", "×", "न",
                                    "नमस्",     "山",     "\u0301",  "«",  "·",  "\u2044", "½", "_", "b",
                                    "z\u200d", "\ue000", "\ue000t", "ﷺ",  "ё",  "\x01",   "İ"};
static void some_text(struct carnet_buf *out)
{
    for (uint32_t n = 1 + below(3); n; n--)
        carnet_buf_append_str(out, parts[below(sizeof parts / sizeof *parts)]);
}
static void some_query(struct carnet_buf *out)
{
    static const char *const names[] = {
        "given:", "family:", "birth_name:", "city:", "postcode:", "tag:", "email:", "phone:", "note:", "street:"};
    for (uint32_t n = 1 + below(3); n; n--) {
        uint32_t kind = below(8);
        bool quoted = below(2);
        if (kind == 0)
            carnet_buf_append_str(out, "or ");
        if (kind == 1)
            carnet_buf_append_str(out, "-");
        if (kind >= 2 && kind < 6) {
            carnet_buf_append_str(out, names[below(sizeof names / sizeof *names)]);
            if (!below(6))
                carnet_buf_append_str(out, "*");
        }
        carnet_buf_append_str(out, quoted ? "\"" : "");
        some_text(out);
        carnet_buf_append_str(out, quoted ? "\"" : "");
        carnet_buf_append_str(out, below(2) ? "* " : " ");
    }
}

static void must_sql(sqlite3 *db, int rc, int expected)
{
    if (rc != expected)
        fail_msg("sqlite: %s", sqlite3_errmsg(db));
}

/* What matches is in the rows that FTS5 gives, for SQLite's own tokenizer. */
static void the_index_holds_every_match(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "given=", "family=", "birth_name=", "city=", "postcode=", "email=", "phone=", "phone=+33", "note="};
    enum { CONTACTS = 40, QUERIES = 60, ROUNDS = 40 };
    static struct contact contacts[CONTACTS];
    size_t matched = 0, narrowed = 0, kept = 0;
    sqlite3 *db;
    sqlite3_stmt *add, *find;
    must_sql(NULL, sqlite3_open(":memory:", &db), SQLITE_OK);
    must_sql(db,
             sqlite3_exec(db,
                          "CREATE VIRTUAL TABLE search USING fts5(text, prefix='2 3', detail=none, tokenize = \"unicode61 remove_diacritics 0\")",
                          NULL, NULL, NULL),
             SQLITE_OK);
    must_sql(db, sqlite3_prepare_v2(db, "INSERT INTO search(rowid, text) VALUES (?, ?)", -1, &add, NULL), SQLITE_OK);
    must_sql(db, sqlite3_prepare_v2(db, "SELECT rowid FROM search WHERE search MATCH ?", -1, &find, NULL), SQLITE_OK);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct carnet_arena arena;
        struct carnet_buf buf;
        seed = round;
        carnet_arena_init(&arena);
        carnet_buf_init(&buf, 1 << 16);
        must_sql(db, sqlite3_exec(db, "DELETE FROM search", NULL, NULL, NULL), SQLITE_OK);
        for (int i = 0; i < CONTACTS; i++) {
            contacts[i].count = 0;
            for (size_t n = 0; n < 5; n++) {
                bool tag = n == 4;
                carnet_buf_clear(&buf);
                carnet_buf_append_str(&buf, tag ? "tag/" : fields[below(sizeof fields / sizeof *fields)]);
                some_text(&buf);
                carnet_buf_append_str(&buf, tag ? "=1" : "");
                contact_add(&contacts[i], carnet_arena_dup(&arena, carnet_buf_slice(&buf)));
            }
            carnet_buf_clear(&buf);
            carnet_query_index_text(contacts[i].cells, contacts[i].count, &buf);
            sqlite3_bind_int(add, 1, i);
            sqlite3_bind_text(add, 2, carnet_buf_cstr(&buf), (int)buf.len, SQLITE_TRANSIENT);
            must_sql(db, sqlite3_step(add), SQLITE_DONE);
            sqlite3_reset(add);
        }
        for (int q = 0; q < QUERIES; q++) {
            struct carnet_query *query;
            struct carnet_buf fts;
            bool rows[CONTACTS] = { false };
            carnet_buf_clear(&buf);
            some_query(&buf);
            if (carnet_query_parse(NULL, carnet_buf_slice(&buf), &query, NULL))
                continue;
            carnet_buf_init(&fts, 1 << 16);
            bool narrow = carnet_query_fts(query, &fts);
            if (narrow) {
                narrowed++;
                sqlite3_bind_text(find, 1, carnet_buf_cstr(&fts), (int)fts.len, SQLITE_TRANSIENT);
                int rc;
                while ((rc = sqlite3_step(find)) == SQLITE_ROW) {
                    rows[sqlite3_column_int(find, 0)] = true;
                    kept++;
                }
                if (rc != SQLITE_DONE)
                    fail_msg("%s: %s", carnet_buf_cstr(&fts), sqlite3_errmsg(db));
                sqlite3_reset(find);
            }
            for (int i = 0; i < CONTACTS; i++) {
                struct carnet_query_subject subject = subject_of(&contacts[i]);
                bool match = carnet_query_matches(query, &subject);
                matched += narrow && match;
                if (narrow && match && !rows[i])
                    fail_msg("seed %u: %s: %s", round, carnet_buf_cstr(&buf), carnet_buf_cstr(&fts));
            }
            carnet_buf_deinit(&fts);
            carnet_query_free(query);
        }
        carnet_buf_deinit(&buf);
        carnet_arena_deinit(&arena);
    }
    sqlite3_finalize(add);
    sqlite3_finalize(find);
    sqlite3_close(db);
    print_message("%zu queries narrowed, %zu rows, %zu of them match\n", narrowed, kept, matched);
    assert_true(narrowed > 100 && matched > 500);
}

static void a_match_is_quick(void **state)
{
    (void)state;
    static const char *const queries[] = {"zoe goff", "06 39 98", "city:Lyon tag:bénévole",
                                          "age:18-25 consent:newsletter (email:* or phone:*)"};
    struct contact contact;
    contact_init(&contact, zoe);
    struct carnet_query_subject subject = subject_of(&contact);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct carnet_query *query = parsed(queries[i]);
        struct timespec from, to;
        size_t found = 0;
        enum { TIMES = 20000 };
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int n = 0; n < TIMES; n++)
            found += carnet_query_matches(query, &subject);
        clock_gettime(CLOCK_MONOTONIC, &to);
        print_message("%s: %ld ns\n", queries[i],
                      ((to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec) / TIMES);
        assert_true(found == TIMES || found == 0);
        carnet_query_free(query);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_find_names_by_prefix_and_folded),
        cmocka_unit_test(words_find_addresses_and_numbers),
        cmocka_unit_test(phrases_find_words_in_a_row),
        cmocka_unit_test(fields_find_whole_values),
        cmocka_unit_test(both_values_of_a_conflict_are_found),
        cmocka_unit_test(ranges_hold_ages_dates_numbers_and_codes),
        cmocka_unit_test(tags_consents_books_and_ids),
        cmocka_unit_test(moments_are_ages_and_days),
        cmocka_unit_test(where_it_comes_from),
        cmocka_unit_test(segments_stand_for_their_queries),
        cmocka_unit_test(operators_bind_as_documented),
        cmocka_unit_test(blocked_cells_are_not_seen),
        cmocka_unit_test(errors_name_the_column_and_what_is_near),
        cmocka_unit_test(size_and_depth_are_bounded),
        cmocka_unit_test(narrowing_says_only_what_it_can),
        cmocka_unit_test(every_selector_is_named),
        cmocka_unit_test(results_are_ordered_by_family_then_given_name),
        cmocka_unit_test(both_ways_of_cutting_words_agree),
        cmocka_unit_test(the_index_holds_every_match),
        cmocka_unit_test(a_match_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
