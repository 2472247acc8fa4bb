// SPDX-License-Identifier: EUPL-1.2
#include "replica_world.h"

#include "carnet/people/segment.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S carnet_slice_str

static int set_up(void **state)
{
    *state = world_new();
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static carnet_rc save(struct world_node *node, const char *name, const char *query, const char *purpose)
{
    struct carnet_id id;
    return carnet_segment_save(node->replica, &node->world->book, S(name), S(query), S(purpose), &id, &node->world->err);
}

static int64_t count(struct world_node *node, const char *query)
{
    uint64_t found;
    if (carnet_segment_count(node->replica, NULL, S(query), NULL, NULL, &found, &node->world->err))
        fail_msg("count %s: %s", query, node->world->err.what);
    return (int64_t)found;
}

/* "NAME=QUERY PURPOSE!;" of each, the mark for a conflict. */
static const char *listed(struct world_node *node)
{
    static char text[4096];
    struct carnet_segment *segments;
    size_t n;
    struct carnet_arena arena;
    text[0] = 0;
    carnet_arena_init(&arena);
    assert_int_equal(carnet_segments(node->replica, NULL, &arena, &segments, &n, &node->world->err), CARNET_OK);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%.*s=%.*s %.*s%s;", (int)segments[i].name.len, (const char *)segments[i].name.ptr, (int)segments[i].query.len,
                 (const char *)segments[i].query.ptr, (int)segments[i].purpose.len, segments[i].purpose.len ? (const char *)segments[i].purpose.ptr : "",
                 segments[i].conflict ? "!" : "");
    }
    carnet_arena_deinit(&arena);
    return text;
}

static void people_of_a_town(struct world_node *office)
{
    world_add(office, "given=Zoé city=Grenoble born=2000-01-01", "file mail");
    world_add(office, "given=Adam city=Grenoble born=1960", "file mail");
    world_add(office, "given=Léa city=Lyon", "file mail");
}

static void a_segment_has_a_name_and_is_shared(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    people_of_a_town(office);
    assert_int_equal(save(office, "Grenoble jeunes", "city:Grenoble age:18-35", ""), CARNET_OK);
    assert_int_equal(save(office, "Tous", "", ""), CARNET_OK);
    world_exchange(world);
    assert_string_equal(listed(other), "Grenoble jeunes=city:Grenoble age:18-35 ;Tous=  ;");
    assert_int_equal(count(other, "segment:tous"), 3);
    assert_int_equal(count(other, "segment:\"grenoble-JEUNES\""), 1);
    assert_int_equal(count(other, "-segment:grenoblejeunes"), 2);
    assert_int_equal(save(other, "grenoble jeunes", "city:Grenoble age:18-70", "mail"), CARNET_OK);
    world_exchange(world);
    assert_string_equal(listed(office), "grenoble jeunes=city:Grenoble age:18-70 mail;Tous=  ;");
    assert_int_equal(count(office, "segment:grenoblejeunes"), 2);
    world_same(world);
    world_verify(office);
}

static void what_two_offices_saved_apart_is_kept(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    world_exchange(world);
    people_of_a_town(office);
    assert_int_equal(save(office, "presse", "city:Grenoble", ""), CARNET_OK);
    assert_int_equal(save(other, "Presse", "city:Lyon", ""), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        uint64_t n;
        struct world_node *node = &world->nodes[i];
        const char *text = listed(node);
        assert_non_null(strstr(text, "presse=city:Grenoble !;"));
        assert_non_null(strstr(text, "Presse=city:Lyon !;"));
        assert_int_equal(strlen(text), strlen("presse=city:Grenoble !;Presse=city:Lyon !;"));
        assert_int_equal(carnet_segment_count(node->replica, NULL, S("segment:presse"), NULL, NULL, &n, &world->err), CARNET_CONFLICT);
    }
    world_same(world);
    assert_int_equal(save(other, "presse", "city:Lyon or city:Grenoble", ""), CARNET_OK); /* one word for both */
    world_exchange(world);
    assert_string_equal(listed(office), "presse=city:Lyon or city:Grenoble ;");
    assert_int_equal(count(office, "segment:presse"), 3);

    /* the same record, changed on both sides */
    assert_int_equal(save(office, "presse", "city:Paris", ""), CARNET_OK);
    assert_int_equal(save(other, "presse", "city:Nantes", ""), CARNET_OK);
    world_exchange(world);
    assert_non_null(strstr(listed(office), "city:Paris !"));
    assert_non_null(strstr(listed(office), "city:Nantes !"));
    assert_int_equal(save(office, "presse", "city:Nantes", ""), CARNET_OK);
    /* the same said twice is no conflict */
    assert_int_equal(save(office, "don", "city:Nantes", ""), CARNET_OK);
    assert_int_equal(save(other, "don", "city:Nantes", ""), CARNET_OK);
    world_exchange(world);
    assert_string_equal(listed(other), "don=city:Nantes ;presse=city:Nantes ;");
    /* but two purposes are */
    assert_int_equal(save(office, "don", "city:Nantes", "mail"), CARNET_OK);
    assert_int_equal(save(other, "don", "city:Nantes", "canvass"), CARNET_OK);
    world_exchange(world);
    assert_non_null(strstr(listed(other), "!"));
    world_same(world);
    world_verify(other);
}

static void who_may_not_read_or_write_does_not(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *relay = world_join(world, "Relais", CARNET_ROLE_RELAY, NULL, 0, 0);
    assert_int_equal(save(office, "presse", "city:Grenoble", ""), CARNET_OK);
    world_exchange(world);
    assert_string_equal(listed(relay), "");
    assert_int_not_equal(save(relay, "presse", "city:Lyon", ""), CARNET_OK);
    assert_false(world_on_disk(relay, "city:Grenoble", 13));
}

static void names_and_queries_are_checked(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    assert_int_equal(save(office, "", "zoe", ""), CARNET_USAGE);
    assert_int_equal(save(office, "!!", "zoe", ""), CARNET_USAGE);
    assert_int_equal(save(office, "a\"b", "zoe", ""), CARNET_USAGE);
    assert_int_equal(save(office, "a\nb", "zoe", ""), CARNET_USAGE);
    assert_int_equal(save(office, "a", "(zoe", ""), CARNET_USAGE);
    assert_int_equal(save(office, "a", "segment:b", ""), CARNET_NOT_FOUND);
    assert_int_equal(save(office, "a", "segment:a", ""), CARNET_USAGE);
    assert_int_equal(save(office, "a", "zoe", "nothing"), CARNET_USAGE);
    assert_int_equal(save(office, "a", "zoe", ""), CARNET_OK);
    assert_int_equal(save(office, "b", "segment:a", ""), CARNET_OK);
    assert_int_equal(save(office, "a", "lea or segment:b", ""), CARNET_USAGE); /* through another */
    assert_string_equal(listed(office), "a=zoe ;b=segment:a ;");
}

static carnet_rc check_text(const char *purpose, const char *text, struct carnet_err *err)
{
    struct carnet_query *query;
    if (carnet_query_parse(NULL, S(text), &query, err))
        fail_msg("%s: %s", text, err->what);
    carnet_rc rc = carnet_segment_check(NULL, query, S(purpose), err);
    carnet_query_free(query);
    return rc;
}

static void online_targeting_uses_nothing_forbidden(void **state)
{
    (void)state;
    static const struct {
        const char *query, *what;
    } refused[] = {
        { "city:a support:3", "column 8: a segment for targeted may not choose people by support" },
        { "support:*", NULL }, { "issues:climat", NULL }, { "-issues:*", NULL }, { "note:vélo", NULL }, { "city:a (age:18-25 or (tag:x -support:1-2))", NULL },
        { "family:ben*", NULL }, { "given:mohamed", NULL }, { "birth_name:*", NULL }, { "zoe", "column 1: a segment for targeted may not choose people by a word" },
        { "city:a \"le goff\"", NULL }, { "polling_station:4", NULL }, { "source:roll", NULL }, { "-source:*", NULL }, { "import:*", NULL }, { "basis:member", NULL },
        { "-basis:roll", NULL }, { "consent:profile", NULL }, { "consent:membership", NULL }, { "consent:*", NULL }, { "age:<17", NULL }, { "age:15-16", NULL },
        { "source_id:x", NULL },
    };
    static const char *const allowed[] = { "", "city:Grenoble", "postcode:38-39", "insee:38185", "age:18-25", "age:<25", "age:>60", "gender:f", "language:fr", "tag:velo",
                                           "consent:targeted", "email:*", "phone:*", "changed:<30d", "added:2025", "book:main", "born:1990", "employer:*",
                                           "-city:a (age:18- or tag:x)" };
    struct carnet_err err = CARNET_ERR_INIT;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (check_text("targeted", refused[i].query, &err) != CARNET_REFUSED)
            fail_msg("not refused: %s", refused[i].query);
        assert_true(err.hint[0]);
        if (refused[i].what)
            assert_string_equal(err.what, refused[i].what);
        assert_int_equal(check_text("mail", refused[i].query, &err), CARNET_OK);
        assert_int_equal(check_text("", refused[i].query, &err), CARNET_OK);
    }
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (check_text("targeted", allowed[i], &err) != CARNET_OK)
            fail_msg("refused: %s: %s", allowed[i], err.what);
    err.lang = CARNET_LANG_FR;
    assert_int_equal(check_text("targeted", "zoe", &err), CARNET_REFUSED);
    assert_string_equal(err.what, "colonne 1\u00a0: un segment pour targeted ne peut pas choisir les gens par un mot");
    assert_non_null(strstr(err.hint, "origine"));
}

static void a_newsletter_goes_to_all_who_subscribed(void **state)
{
    (void)state;
    static const char *const allowed[] = { "", "consent:newsletter", "language:fr", "-language:fr consent:newsletter", "book:main language:*" };
    static const char *const refused[] = { "city:Grenoble", "consent:newsletter city:a", "age:18-25", "tag:x", "-tag:x", "zoe", "consent:sms", "consent:*", "added:2025",
                                           "source:x", "import:*", "basis:consent", "support:3", "id:5gzn", "postcode:38-39", "born:1990" };
    struct carnet_err err = CARNET_ERR_INIT;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (check_text("newsletter", allowed[i], &err) != CARNET_OK)
            fail_msg("refused: %s: %s", allowed[i], err.what);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (check_text("newsletter", refused[i], &err) != CARNET_REFUSED)
            fail_msg("not refused: %s", refused[i]);
}

/* What a segment is made of counts as its own. */
static void a_forbidden_selector_does_not_hide_in_another_segment(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    assert_int_equal(save(office, "fans", "support:1-2", ""), CARNET_OK);
    assert_int_equal(save(office, "voisins", "city:Grenoble -segment:fans", "targeted"), CARNET_REFUSED);
    assert_non_null(strstr(world->err.what, "column 15"));
    assert_int_equal(save(office, "voisins", "city:Grenoble", "targeted"), CARNET_OK);
    assert_string_equal(listed(office), "fans=support:1-2 ;voisins=city:Grenoble targeted;");
}

static void a_charter_adds_selectors_with_its_own_reason(void **state)
{
    (void)state;
    const struct carnet_charter_text text = { "selector/gender", S("voted by the council in March") }, tag = { "selector/tag", S("tags say opinions here") };
    const struct carnet_charter_text *const texts[] = { &text, &tag };
    struct carnet_charter charter = carnet_charter_default();
    struct carnet_err err = CARNET_ERR_INIT;
    static const char *const queries[] = { "city:a gender:f", "-tag:x" };
    charter.texts = texts;
    charter.text_count = 2;
    for (size_t i = 0; i < 2; i++) {
        struct carnet_query *query;
        assert_int_equal(carnet_query_parse(&charter, S(queries[i]), &query, &err), CARNET_OK);
        assert_int_equal(carnet_segment_check(&charter, query, S("targeted"), &err), CARNET_REFUSED);
        assert_int_equal(carnet_segment_check(&charter, query, S("mail"), &err), CARNET_OK);
        carnet_query_free(query);
    }
    assert_string_equal(err.hint, "the charter says: tags say opinions here");
}

/* A field of the community's own is forbidden by its scope, or by what its name says. */
static void a_communitys_own_fields_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum carnet_scope scope;
        bool allowed;
    } own[] = {
        { "lieu_naissance", CARNET_SCOPE_IDENTITY, false }, { "birthplace", CARNET_SCOPE_IDENTITY, false }, { "nationalite", CARNET_SCOPE_IDENTITY, false },
        { "religion", CARNET_SCOPE_IDENTITY, false },       { "quartier", CARNET_SCOPE_POSTAL, true },      { "velo", CARNET_SCOPE_OPINION, false },
        { "participation", CARNET_SCOPE_IDENTITY, true },   { "parti", CARNET_SCOPE_IDENTITY, false },     { "reunion", CARNET_SCOPE_IDENTITY, true },
        { "remarque", CARNET_SCOPE_NOTES, false },
    };
    struct carnet_err err = CARNET_ERR_INIT;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        char text[64];
        const struct carnet_field_def def = { .field = CARNET_FIELD_CUSTOM + 7, .name = own[i].name, .scope = own[i].scope, .shown = true, .custom = true };
        const struct carnet_field_def *const fields[] = { &def };
        struct carnet_charter charter = carnet_charter_default();
        struct carnet_query *query;
        charter.fields = fields;
        charter.field_count = 1;
        snprintf(text, sizeof text, "%s:*", own[i].name);
        assert_int_equal(carnet_query_parse(&charter, S(text), &query, &err), CARNET_OK);
        if ((carnet_segment_check(&charter, query, S("targeted"), &err) == CARNET_OK) != own[i].allowed)
            fail_msg("%s", own[i].name);
        carnet_query_free(query);
    }
}

static bool stop(void *ctx, uint64_t looked, uint64_t total)
{
    struct carnet_id *ids = ctx;
    (void)ids;
    return looked > total; /* never */
}

static void a_count_can_be_stopped(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    uint64_t n;
    assert_int_equal(carnet_replica_begin(office->replica, &world->err), CARNET_OK);
    for (int i = 0; i < 2100; i++)
        world_add(office, "given=Zoé", "file");
    assert_int_equal(carnet_replica_commit(office->replica, &world->err), CARNET_OK);
    assert_int_equal(carnet_segment_count(office->replica, NULL, S("-city:x changed:<1d"), stop, NULL, &n, &world->err), CARNET_CANCELLED);
    assert_int_equal(count(office, "-city:x changed:<1d"), 2100);
}

/* --- counts say what finding finds --- */

static bool tick(void *ctx, const struct carnet_view *view)
{
    (void)view;
    ++*(int64_t *)ctx;
    return true;
}

static int64_t found(struct world_node *node, const char *query)
{
    int64_t n = 0;
    const struct carnet_find_options options = { .query = S(query) };
    if (carnet_people_find(node->replica, &options, tick, NULL, &n, &node->world->err))
        fail_msg("find %s: %s", query, node->world->err.what);
    return n;
}

static const char *const asked[] = {
    "", "tag:presse", "-tag:presse", "tag:pre*", "tag:*", "city:Grenoble", "city:Gre*", "-city:*", "city:*", "postcode:38*", "consent:sms", "-consent:sms", "consent:*",
    "-consent:*", "consent:sms or consent:mail", "consent:sms -consent:mail city:Grenoble", "city:Grenoble tag:presse", "city:Grenoble or tag:presse", "city:Grenoble -tag:presse",
    "(city:Grenoble or city:Lyon) (tag:presse or -tag:don) consent:file", "-(city:Grenoble or tag:don)", "-city:Grenoble -tag:don consent:mail", "zoe", "zoe -city:Lyon", "\"zoe\"",
    "06 39", "0639980012", "le goff", "city:\"Grenoble☃\"", "tag:x", "city:Grenoble city:Lyon", "book:main", "-book:main", "book:other", "consent:sms book:main tag:presse",
    "age:>20 tag:presse", "street:rue", "changed:<400d", "consent:sms (tag:presse or consent:mail)", "basis:consent", "city:Saint-Étienne", "segment:a", "-segment:a consent:sms"
};

static void same_counts(struct world_node *node)
{
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        int64_t here = count(node, asked[i]), there = found(node, asked[i]);
        if (here != there)
            fail_msg("%s: counted %lld, found %lld", asked[i], (long long)here, (long long)there);
    }
}

static void counts_are_what_finding_finds(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    static const char *const cities[] = { "city=Grenoble", "city=Lyon", "city=Grenoble☃", "city=☃", "city=Saint-Étienne", "city=\xee\x80\x80tpresse", "street=rue~A postcode=38000", "" };
    static const char *const names[] = { "given=Zoé", "given=Zoé~Le family=Goff", "family=Le~Goff", ("given=\xee\x80\x80" "cgrenoble"), "given=Adam born=1990", "given=zoé☃" };
    static const char *const tags[] = { "", "tag/presse=1", "tag/don=1", "tag/Pré-don=1 tag/presse=1", "tag/x☃=1" };
    static const char *const grants[] = { "file mail", "file sms mail", "file mail call", "file mail newsletter" };
    struct carnet_id ids[80];
    struct carnet_rng_state dice;
    struct carnet_rng rng = carnet_rng_seeded(&dice, 7);
    assert_int_equal(save(office, "a", "city:Grenoble or tag:don", ""), CARNET_OK);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char cells[256];
        bool sms = i % 4 == 1;
        snprintf(cells, sizeof cells, "%s %s %s%s", names[carnet_rng_below(&rng, 6)], cities[carnet_rng_below(&rng, 8)], tags[carnet_rng_below(&rng, 5)],
                 sms ? " phone=+33639980012" : "");
        ids[i] = world_add(office, cells, grants[i % 4]);
    }
    same_counts(office);
    assert_int_equal(count(office, ""), 80);
    assert_int_equal(count(office, "consent:sms"), 20);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(world_edit(office, &ids[i], i % 2 ? "city=Lyon" : "tag/presse=1"), CARNET_OK);
    for (size_t i = 20; i < 30; i++)
        assert_int_equal(world_refuse(office, &ids[i], CARNET_EVENT_WITHDRAW, i % 2 ? "sms" : "mail"), CARNET_OK);
    for (size_t i = 30; i < 34; i++)
        assert_int_equal(world_refuse(office, &ids[i], CARNET_EVENT_OBJECT, ""), CARNET_OK);
    const struct carnet_event erase = { .type = CARNET_EVENT_ERASE }, restrict_it = { .type = CARNET_EVENT_RESTRICT };
    assert_int_equal(world_event(office, &ids[34], &erase), CARNET_OK);
    assert_int_equal(world_event(office, &ids[35], &restrict_it), CARNET_OK);
    same_counts(office);
    assert_int_equal(count(office, ""), 79);
    /* merged: once, whatever of them matches */
    for (size_t i = 60; i < 64; i++) {
        const struct carnet_event merge = { .type = CARNET_EVENT_EDGE, .other = ids[i + 1 + 4 * (i % 2)], .on = true };
        assert_int_equal(world_event(office, &ids[i], &merge), CARNET_OK);
    }
    same_counts(office);
    assert_int_equal(count(office, ""), 75);
    assert_int_equal(world_refuse(office, &ids[61], CARNET_EVENT_WITHDRAW, "mail"), CARNET_OK);
    same_counts(office);
    /* what time ends, before anything was indexed again */
    const struct carnet_event until = { .type = CARNET_EVENT_GRANT, .purpose = S("sms"), .basis = CARNET_BASIS_CONSENT, .since_ms = WORLD_MS, .until_ms = WORLD_MS + 86400000 * INT64_C(10) };
    for (size_t i = 40; i < 50; i++)
        assert_int_equal(world_event(office, &ids[i], &until), CARNET_OK);
    int64_t before = count(office, "consent:sms");
    same_counts(office);
    world_pass(world, 11 * INT64_C(86400000));
    same_counts(office);
    assert_true(count(office, "consent:sms") < before);
    world_pass(world, 4 * 366 * INT64_C(86400000));
    same_counts(office);
    assert_int_equal(carnet_replica_rebuild(office->replica, &world->err), CARNET_OK);
    same_counts(office);
}

static void what_orders_an_erased_person_is_gone(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id id = world_add(office, "given=Quirine family=Ézéchielle", "file");
    const struct carnet_event erase = { .type = CARNET_EVENT_ERASE };
    assert_true(world_on_disk(office, "ezechielle\1", 11));
    assert_int_equal(world_event(office, &id, &erase), CARNET_OK);
    assert_int_equal(carnet_replica_sweep(office->replica, &world->err), CARNET_OK);
    assert_false(world_on_disk(office, "ezechielle", 10));
    assert_int_equal(count(office, ""), 0);
}

/* A long walk is kept; what changed since is looked at alone. */
static bool count_looks(void *ctx, uint64_t looked, uint64_t total)
{
    (void)total;
    *(uint64_t *)ctx = looked;
    return true;
}

static void a_count_is_carried_on(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id some[3];
    uint64_t n, looks = 0;
    const char *const query = "employer:mairie -city:x";
    assert_int_equal(carnet_replica_begin(office->replica, &world->err), CARNET_OK);
    for (size_t i = 0; i < 20500; i++) {
        struct carnet_id id = world_add(office, i % 2 ? "given=Zoé employer=Mairie" : "given=Adam", "file");
        if (i < 3)
            some[i] = id;
    }
    assert_int_equal(carnet_replica_commit(office->replica, &world->err), CARNET_OK);
    for (int round = 0; round < 2; round++) {
        looks = 0;
        assert_int_equal(carnet_segment_count(office->replica, NULL, S(query), count_looks, &looks, &n, &world->err), CARNET_OK);
        assert_int_equal(n, 10250);
        assert_true(round ? looks == 0 : looks > 10000);
    }
    assert_int_equal(world_edit(office, &some[0], "employer=Mairie"), CARNET_OK);
    assert_int_equal(world_edit(office, &some[1], "employer="), CARNET_OK);
    assert_int_equal(world_edit(office, &some[2], "employer=Mairie"), CARNET_OK);
    assert_int_equal(carnet_segment_count(office->replica, NULL, S(query), count_looks, &looks, &n, &world->err), CARNET_OK);
    assert_int_equal(n, 10251);
    const struct carnet_event erase = { .type = CARNET_EVENT_ERASE };
    assert_int_equal(world_event(office, &some[2], &erase), CARNET_OK);
    assert_int_equal(world_refuse(office, &some[0], CARNET_EVENT_OBJECT, ""), CARNET_OK);
    world_reopen(office);
    looks = 0;
    assert_int_equal(carnet_segment_count(office->replica, NULL, S(query), count_looks, &looks, &n, &world->err), CARNET_OK);
    assert_int_equal(n, found(office, query));
    assert_int_equal(n, 10249);
    assert_int_equal(looks, 0);
    assert_int_equal(carnet_replica_rebuild(office->replica, &world->err), CARNET_OK);
    assert_int_equal(count(office, query), 10249);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_segment_has_a_name_and_is_shared),
        T(what_two_offices_saved_apart_is_kept),
        T(who_may_not_read_or_write_does_not),
        T(names_and_queries_are_checked),
        cmocka_unit_test(online_targeting_uses_nothing_forbidden),
        cmocka_unit_test(a_newsletter_goes_to_all_who_subscribed),
        T(a_forbidden_selector_does_not_hide_in_another_segment),
        cmocka_unit_test(a_charter_adds_selectors_with_its_own_reason),
        cmocka_unit_test(a_communitys_own_fields_are_judged),
        T(a_count_can_be_stopped),
        T(counts_are_what_finding_finds),
        T(what_orders_an_erased_person_is_gone),
        T(a_count_is_carried_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
