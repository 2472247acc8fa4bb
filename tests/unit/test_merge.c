// SPDX-License-Identifier: EUPL-1.2
#include "replica_world.h"

#include "carnet/people/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

static carnet_rc merge(struct world_node *node, const struct carnet_id *a, const struct carnet_id *b)
{
    struct carnet_view x = world_view(node, a), y = world_view(node, b);
    bool done;
    return carnet_people_merge(node->replica, &x, &y, &done, &node->world->err);
}

static carnet_rc unmerge(struct world_node *node, const struct carnet_id *b)
{
    struct carnet_view view;
    assert_int_equal(carnet_replica_record(node->replica, &node->world->book, b, &node->world->arena, &view, &node->world->err), CARNET_OK);
    return carnet_people_unmerge(node->replica, &view, &node->world->err);
}

static carnet_rc edit(struct world_node *node, const struct carnet_id *id, const char *name, const char *value)
{
    struct carnet_view view = world_view(node, id);
    const struct carnet_assign assign = { S(name), S(value) };
    return carnet_people_edit(node->replica, &view, &assign, 1, false, NULL, &node->world->err);
}

static void leads_to(struct world_node *node, const struct carnet_id *id, const struct carnet_id *main)
{
    struct carnet_view view = world_view(node, id);
    assert_memory_equal(view.id.b, main->b, sizeof main->b);
}

static bool count_one(void *ctx, const struct carnet_view *view)
{
    (void)view;
    ++*(size_t *)ctx;
    return true;
}

static size_t found(struct world_node *node, const char *query)
{
    const struct carnet_find_options options = { .query = S(query) };
    size_t count = 0;
    assert_int_equal(carnet_people_find(node->replica, &options, count_one, NULL, &count, &node->world->err), CARNET_OK);
    return count;
}

static int64_t contacts(struct world_node *node)
{
    struct carnet_store_counts counts;
    assert_int_equal(carnet_store_count(carnet_replica_store(node->replica), &counts, &node->world->err), CARNET_OK);
    return counts.contacts;
}

static void either_id_leads_to_one_person_with_the_values_of_both(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id a = world_add(office, "given=Zoé family=Martin", "file"), b = world_add(office, "given=Zoé phone=+33639980012", "file sms");
    assert_int_equal(merge(office, &a, &b), CARNET_OK);
    leads_to(office, &a, &a);
    leads_to(office, &b, &a);
    assert_string_equal(world_value(office, &b, "family"), "Martin");
    assert_string_equal(world_value(office, &a, "phone"), "+33639980012");
    struct carnet_view view = world_view(office, &b);
    assert_int_equal(view.record_count, 2);
    assert_int_equal(view.conflicts, 0);
    assert_int_equal(contacts(office), 1);
    assert_int_equal(found(office, "zoé"), 1);
    assert_int_equal(found(office, "martin 0639980012"), 1); /* words of both at once */
    assert_int_equal(unmerge(office, &b), CARNET_OK);
    assert_int_equal(contacts(office), 2);
    assert_int_equal(found(office, "zoé"), 2);
    assert_int_equal(found(office, "martin 0639980012"), 0);
    world_verify(office);
}

static void each_cell_stays_in_the_contact_that_it_was_typed_into(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id a = world_add(office, "given=Zoé family=Martin", "file"), b = world_add(office, "given=Zoe phone=+33639980012", "file sms");
    assert_int_equal(merge(office, &a, &b), CARNET_OK);
    assert_int_equal(edit(office, &a, "phone", "0639980013"), CARNET_OK);    /* b's */
    assert_int_equal(edit(office, &b, "employer", "Mairie"), CARNET_OK);     /* a's: new cells are the main one's */
    assert_int_equal(edit(office, &b, "phone/work", "0639980014"), CARNET_OK); /* a agreed to no phone */
    struct carnet_view view = world_view(office, &a);
    assert_int_equal(view.conflicts, 1);
    assert_int_equal(carnet_people_resolve(office->replica, &view, S("given"), CARNET_RESOLVE_VALUE, S("Zoé"), 0, &world->err), CARNET_OK);
    assert_int_equal(world_view(office, &a).conflicts, 0);
    assert_int_equal(unmerge(office, &b), CARNET_OK);
    assert_string_equal(world_value(office, &a, "employer"), "Mairie");
    assert_string_equal(world_value(office, &a, "phone"), "");
    assert_string_equal(world_value(office, &a, "given"), "Zoé");
    assert_string_equal(world_value(office, &b, "phone"), "+33639980013");
    assert_string_equal(world_value(office, &b, "phone/work"), "+33639980014");
    assert_string_equal(world_value(office, &b, "employer"), "");
    assert_string_equal(world_value(office, &b, "given"), ""); /* settled: it was the loser */
    world_verify(office);
}

static void keeping_all_leaves_each_value_in_its_contact(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id a = world_add(office, "phone=+33639980011", "file sms"), b = world_add(office, "phone=+33639980012", "file sms");
    assert_int_equal(merge(office, &a, &b), CARNET_OK);
    struct carnet_view view = world_view(office, &a);
    assert_int_equal(carnet_people_resolve(office->replica, &view, S("phone"), CARNET_RESOLVE_KEEP_ALL, CARNET_SLICE_NONE, 0, &world->err), CARNET_OK);
    view = world_view(office, &a);
    assert_int_equal(view.conflicts, 0);
    size_t phones = 0;
    for (size_t i = 0; i < view.cell_count; i++)
        phones += view.cells[i].field == CARNET_FIELD_PHONE;
    assert_int_equal(phones, 2);
    assert_int_equal(unmerge(office, &b), CARNET_OK);
    phones = 0;
    for (size_t n = 0; n < 2; n++) {
        view = world_view(office, n ? &b : &a);
        for (size_t i = 0; i < view.cell_count; i++)
            phones += view.cells[i].field == CARNET_FIELD_PHONE && carnet_slice_equal(view.cells[i].siblings[0]->value, S(n ? "+33639980012" : "+33639980011"));
    }
    assert_int_equal(phones, 2);
}

static void a_grant_opens_its_own_contact_a_refusal_shuts_all(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id a = world_add(office, "given=Zoé", "file newsletter"), b = world_add(office, "email=zoe@example.org", "file membership");
    size_t count;
    assert_int_equal(merge(office, &a, &b), CARNET_OK);
    struct carnet_view view = world_view(office, &a);
    assert_string_equal(world_value(office, &a, "email"), "zoe@example.org");
    /* shown by b's membership; the newsletter was agreed to on a alone */
    assert_int_equal(carnet_replica_allowed(office->replica, &view, S("newsletter"), CARNET_SCOPE_EMAIL, NULL), CARNET_REFUSED);
    assert_int_equal(carnet_replica_allowed(office->replica, &view, S("membership"), CARNET_SCOPE_EMAIL, NULL), CARNET_OK);
    struct carnet_cell *cells = carnet_replica_cells(office->replica, &view, S("newsletter"), &world->arena, &count);
    for (size_t i = 0; i < count; i++)
        assert_int_not_equal(cells[i].field, CARNET_FIELD_EMAIL);
    assert_int_equal(world_refuse(office, &a, CARNET_EVENT_OBJECT, ""), CARNET_OK);
    assert_int_equal(world_view(office, &b).cell_count, 0);
    assert_int_equal(found(office, "zoe"), 0);
    world_verify(office);
}

static void withdrawing_from_the_person_holds_when_it_is_undone(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id a = world_add(office, "given=Zoé", "file"), b = world_add(office, "email=zoe@example.org", "file newsletter");
    struct carnet_slice purpose = S("newsletter");
    struct carnet_withdrawn out;
    assert_int_equal(merge(office, &a, &b), CARNET_OK);
    struct carnet_view view = world_view(office, &a);
    assert_int_equal(carnet_people_withdraw(office->replica, &view, &purpose, 1, false, &out, &world->err), CARNET_OK);
    assert_int_equal(out.blocked, 1u << CARNET_SCOPE_EMAIL);
    assert_string_equal(world_value(office, &a, "email"), "");
    assert_int_equal(unmerge(office, &b), CARNET_OK);
    assert_string_equal(world_value(office, &b, "email"), "");
}

static void a_preview_writes_nothing_and_says_what_would_be_blocked(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id a = world_add(office, "given=Zoé city=Lyon", "file mail"), b = world_add(office, "given=Zoé city=Grenoble email=zoe@example.org", "file mail newsletter");
    struct carnet_merge_preview preview;
    assert_int_equal(world_refuse(office, &a, CARNET_EVENT_OBJECT, "newsletter"), CARNET_OK);
    int64_t last = carnet_replica_last(office->replica);
    struct carnet_view x = world_view(office, &a), y = world_view(office, &b);
    assert_int_equal(carnet_people_merge_preview(office->replica, &x, &y, &world->arena, &preview, &world->err), CARNET_OK);
    assert_int_equal(preview.blocked, 1u << CARNET_SCOPE_EMAIL);
    assert_int_equal(preview.view.conflicts, 1);
    assert_memory_equal(preview.view.id.b, a.b, sizeof a.b);
    assert_int_equal(carnet_replica_last(office->replica), last);
    leads_to(office, &b, &b);
    assert_int_equal(merge(office, &a, &b), CARNET_OK); /* and so it is */
    struct carnet_view after = world_view(office, &b);
    assert_int_equal(after.cell_count, preview.view.cell_count);
    assert_int_equal(after.blocked, preview.view.blocked);
}

static void who_may_not_and_other_books_are_refused(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *volunteer = world_join(world, "Ana", CARNET_ROLE_VOLUNTEER, NULL, 0, 0);
    struct carnet_id a = world_add(office, "given=Zoé", "file"), b = world_add(office, "given=Zoé", "file"), book = world->book, other;
    world_exchange(world);
    assert_int_equal(merge(volunteer, &a, &b), CARNET_REFUSED);
    assert_int_equal(unmerge(volunteer, &b), CARNET_REFUSED);
    assert_int_equal(carnet_replica_book_add(office->replica, S("presse"), &other, &world->err), CARNET_OK);
    struct carnet_view x = world_view(office, &a);
    world->book = other;
    struct carnet_id c = world_add(office, "given=Zoé", "file");
    struct carnet_view y = world_view(office, &c);
    bool done;
    assert_int_equal(carnet_people_merge(office->replica, &x, &y, &done, &world->err), CARNET_REFUSED);
    world->book = book;
    assert_int_equal(unmerge(office, &b), CARNET_NOT_FOUND);
}

static void persons_merged_apart_are_one_everywhere(void **state)
{
    struct world *world = *state;
    struct world_node *one = &world->nodes[0], *two = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id ids[6];
    for (size_t i = 0; i < 6; i++)
        ids[i] = world_add(one, "given=Zoé family=Martin", "file");
    if (memcmp(ids[0].b, ids[1].b, sizeof ids[0].b) > 0) { /* made in the same millisecond */
        struct carnet_id first = ids[0];
        ids[0] = ids[1];
        ids[1] = first;
    }
    world_exchange(world);
    /* a chain and a cycle, made by two who do not see each other */
    assert_int_equal(merge(one, &ids[0], &ids[1]), CARNET_OK);
    assert_int_equal(merge(two, &ids[1], &ids[0]), CARNET_OK);
    assert_int_equal(merge(one, &ids[3], &ids[2]), CARNET_OK);
    assert_int_equal(merge(two, &ids[2], &ids[4]), CARNET_OK);
    assert_int_equal(merge(two, &ids[4], &ids[5]), CARNET_OK);
    world_exchange(world);
    for (size_t n = 0; n < world->count; n++) {
        for (size_t i = 0; i < 2; i++)
            leads_to(&world->nodes[n], &ids[i], &ids[0]); /* of a cycle the smallest id */
        for (size_t i = 2; i < 6; i++)
            leads_to(&world->nodes[n], &ids[i], &ids[3]); /* 3 is nobody's B */
        assert_int_equal(contacts(&world->nodes[n]), 2);
        assert_int_equal(found(&world->nodes[n], "martin"), 2);
    }
    assert_int_equal(merge(two, &ids[1], &ids[5]), CARNET_OK);
    world_exchange(world);
    for (size_t n = 0; n < world->count; n++)
        for (size_t i = 0; i < 6; i++)
            leads_to(&world->nodes[n], &ids[i], &ids[0]);
    assert_int_equal(unmerge(one, &ids[1]), CARNET_OK); /* of the cycle: both its edges */
    world_exchange(world);
    for (size_t n = 0; n < world->count; n++) {
        leads_to(&world->nodes[n], &ids[1], &ids[1]);
        leads_to(&world->nodes[n], &ids[5], &ids[0]);
    }
    world_same(world);
    assert_int_equal(carnet_replica_rebuild(one->replica, &world->err), CARNET_OK);
    leads_to(one, &ids[5], &ids[0]);
    assert_int_equal(contacts(one), 2);
}

static void erasing_a_person_erases_every_contact(void **state)
{
    struct world *world = *state;
    struct world_node *one = &world->nodes[0], *two = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id ids[3];
    struct carnet_view view;
    for (size_t i = 0; i < 3; i++)
        ids[i] = world_add(one, "given=Perpetua phone=+33639980012", "file sms");
    assert_int_equal(merge(one, &ids[0], &ids[1]), CARNET_OK);
    assert_int_equal(merge(one, &ids[0], &ids[2]), CARNET_OK);
    assert_int_equal(carnet_people_duplicates_update(one->replica, NULL, NULL, &world->err), CARNET_OK);
    world_exchange(world);
    view = world_view(two, &ids[2]);
    assert_int_equal(carnet_people_erase(two->replica, &view, CARNET_SLICE_NONE, &world->err), CARNET_OK);
    world_exchange(world);
    for (size_t n = 0; n < world->count; n++) {
        struct world_node *node = &world->nodes[n];
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(carnet_replica_view(node->replica, &world->book, &ids[i], &world->arena, &view, &world->err), CARNET_NOT_FOUND);
        assert_int_equal(found(node, "perpetua"), 0);
        assert_int_equal(contacts(node), 0);
        assert_int_equal(carnet_replica_sweep(node->replica, &world->err), CARNET_OK);
        assert_false(world_on_disk(node, "perpetua", 8)); /* the words of a person are kept beside the index while it lives */
        assert_false(world_on_disk(node, "Perpetua", 8));
    }
    world_exchange(world); /* the receipts */
    world_same(world);
}

static void a_grant_on_the_person_takes_up_what_was_agreed_to_before(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id a = world_add(office, "given=Zoé", "file"), b = world_add(office, "email=zoe@example.org", "file newsletter");
    const struct carnet_ground ground = { .basis = CARNET_BASIS_CONSENT, .source = S("market"), .proof = S("form 12") };
    assert_int_equal(merge(office, &a, &b), CARNET_OK);
    assert_int_equal(world_refuse(office, &a, CARNET_EVENT_WITHDRAW, "newsletter"), CARNET_OK);
    struct carnet_view view = world_view(office, &a);
    assert_int_equal(carnet_people_grant(office->replica, &view, S("newsletter"), &ground, &world->err), CARNET_OK);
    assert_string_equal(world_value(office, &a, "email"), "");
    world_exchange(world);
    view = world_view(other, &b);
    assert_int_equal(carnet_people_countersign(other->replica, &view, S("newsletter"), &world->err), CARNET_OK);
    assert_string_equal(world_value(other, &a, "email"), "zoe@example.org");
}

/* --- duplicates --- */

struct proposals {
    char text[4096]; /* "email phone ", in their order */
    size_t count;
};

static bool note_one(void *ctx, const struct carnet_duplicate *duplicate)
{
    struct proposals *proposals = ctx;
    size_t len = strlen(proposals->text);
    snprintf(proposals->text + len, sizeof proposals->text - len, "%s ", duplicate->reason);
    assert_true(carnet_id_compare(&duplicate->a->id, &duplicate->b->id) < 0);
    proposals->count++;
    return true;
}

static struct proposals proposed(struct world_node *node)
{
    const struct carnet_duplicates_options options = { .limit = 0 };
    struct carnet_duplicates_count count;
    struct proposals proposals = { .count = 0 };
    assert_int_equal(carnet_people_duplicates_update(node->replica, &options, NULL, &node->world->err), CARNET_OK);
    assert_int_equal(carnet_people_duplicates(node->replica, &options, note_one, &proposals, &node->world->err), CARNET_OK);
    assert_int_equal(carnet_people_duplicates_count(node->replica, &count, &node->world->err), CARNET_OK);
    assert_int_equal(count.open, proposals.count);
    assert_int_equal(count.waiting, 0);
    return proposals;
}

static void each_rule_proposes_and_says_why(void **state)
{
    static const struct {
        const char *a, *b, *reason;
    } cases[] = {
        { "email=zoe@example.org given=Zoé", "email=zoe@example.org given=Max", "email " },
        { "phone=+33639980012", "phone/home=+33639980012", "phone " },
        { "family=Le_Goff born=1980-02-01", "birth_name=Legoff born=1980-02-01", "name+born " },
        { "family=Martin given=Zoé street=12_rue_des_Lilas", "family=MARTIN given=Zoe_Anne street=12,_r._des_lilas", "name+given+address " },
        { "family=Martin given=Zoé street=12_rue_des_Lilas", "family=Martin given=Zoé street=14_rue_des_Lilas", "name+given+street " },
        { "family=Martin given=Zoé gender=f street=12_rue_des_Lilas", "family=Martin given=Z. gender=f street=12_rue_des_Lilas", "name+gender+address " },
        { "family=Martin given=Zoé gender=f street=12_rue_des_Lilas", "family=Martin given=Max gender=m street=12_rue_des_Lilas", "" },
        { "family=Martin given=Zoé street=12_rue_des_Lilas postcode=38000", "family=Martin given=Zoé street=12_rue_des_Lilas postcode=69001", "" },
        { "family=Martin given=Zoé", "family=Martin given=Zoé", "" },
        { "family=Martin born=1980", "family=Martin born=1980", "" },
        { "family=Martin born=1980-02-01", "family=Durand born=1980-02-01", "" },
    };
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct carnet_id ids[2];
        for (unsigned j = 0; j < 2; j++) {
            char cells[200];
            snprintf(cells, sizeof cells, "%s", j ? cases[i].b : cases[i].a);
            ids[j] = world_add(office, cells, "file membership");
            struct carnet_view view = world_view(office, &ids[j]);
            for (size_t c = 0; c < view.cell_count; c++) { /* the words of world_add have no space */
                char value[100], name[64];
                snprintf(value, sizeof value, "%.*s", (int)view.cells[c].siblings[0]->value.len, (const char *)view.cells[c].siblings[0]->value.ptr);
                if (!strchr(value, '_'))
                    continue;
                for (char *at = value; *at; at++)
                    *at = *at == '_' ? ' ' : *at;
                snprintf(name, sizeof name, "%s", carnet_field_by_number(NULL, view.cells[c].field)->name);
                assert_int_equal(edit(office, &ids[j], name, value), CARNET_OK);
            }
        }
        struct proposals proposals = proposed(office);
        if (strcmp(proposals.text, cases[i].reason) != 0)
            fail_msg("%s / %s: \"%s\"", cases[i].a, cases[i].b, proposals.text);
        for (unsigned j = 0; j < 2; j++) {
            struct carnet_view view = world_view(office, &ids[j]);
            assert_int_equal(carnet_people_erase(office->replica, &view, CARNET_SLICE_NONE, &world->err), CARNET_OK);
        }
        assert_int_equal(proposed(office).count, 0);
    }
}

static void what_was_said_is_remembered_on_every_node(void **state)
{
    struct world *world = *state;
    struct world_node *one = &world->nodes[0], *two = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id a = world_add(one, "phone=+33639980012", "file sms"), b = world_add(one, "phone=+33639980012", "file sms"),
                     c = world_add(one, "phone=+33639980012", "file sms");
    world_exchange(world);
    assert_int_equal(proposed(one).count, 3);
    assert_int_equal(proposed(two).count, 3);
    struct carnet_view x = world_view(one, &a), y = world_view(one, &b);
    assert_int_equal(carnet_people_distinct(one->replica, &x, &y, &world->err), CARNET_OK);
    world_exchange(world);
    assert_int_equal(proposed(one).count, 2);
    assert_int_equal(proposed(two).count, 2);
    assert_int_equal(merge(two, &b, &c), CARNET_OK); /* now b's person is not a's, and c is b */
    world_exchange(world);
    assert_int_equal(proposed(one).count, 0);
    assert_int_equal(unmerge(one, &c), CARNET_OK);
    world_exchange(world);
    assert_int_equal(proposed(one).count, 1); /* a and c; b and c were said to be two */
    assert_int_equal(proposed(two).count, 1);
    x = world_view(one, &a);
    y = world_view(one, &c);
    assert_int_equal(merge(one, &a, &c), CARNET_OK);
    assert_int_equal(carnet_people_distinct(one->replica, &x, &x, &world->err), CARNET_CONFLICT);
    assert_int_equal(proposed(one).count, 0);
}

static void what_is_blocked_proposes_nobody(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id a = world_add(office, "given=Zoé phone=+33639980012", "file sms");
    world_add(office, "given=Zoé phone=+33639980012", "file sms");
    assert_int_equal(proposed(office).count, 1);
    assert_int_equal(world_refuse(office, &a, CARNET_EVENT_WITHDRAW, "sms"), CARNET_OK);
    assert_int_equal(proposed(office).count, 0);
    world_add(office, "given=Max phone=+33639980012", "file call");
    world_add(office, "given=Lou phone=+33639980012", "file call");
    assert_int_equal(proposed(office).count, 1); /* those alone who may be called: the number is on the list for sms */
    assert_int_equal(carnet_replica_rebuild(office->replica, &world->err), CARNET_OK);
    assert_int_equal(proposed(office).count, 1); /* the same when all are compared at once */
}

static void what_too_many_share_is_not_compared(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id id = { { 0 } };
    int64_t shared;
    for (unsigned i = 0; i < CARNET_DUPLICATES_SHARED_MAX; i++)
        id = world_add(office, "phone=+33199001234", "file sms");
    assert_int_equal(proposed(office).count, CARNET_DUPLICATES_SHARED_MAX * (CARNET_DUPLICATES_SHARED_MAX - 1) / 2);
    struct carnet_id more = world_add(office, "phone=+33199001234", "file sms");
    assert_int_equal(proposed(office).count, 0);
    assert_int_equal(carnet_people_duplicates_shared(office->replica, &shared, &world->err), CARNET_OK);
    assert_int_equal(shared, 1);
    assert_int_equal(edit(office, &more, "phone", "0639980012"), CARNET_OK);
    assert_int_equal(edit(office, &id, "phone", "0639980012"), CARNET_OK);
    enum { LEFT = CARNET_DUPLICATES_SHARED_MAX - 1 };
    assert_int_equal(proposed(office).count, LEFT * (LEFT - 1) / 2 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(either_id_leads_to_one_person_with_the_values_of_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_cell_stays_in_the_contact_that_it_was_typed_into, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeping_all_leaves_each_value_in_its_contact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_grant_opens_its_own_contact_a_refusal_shuts_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(withdrawing_from_the_person_holds_when_it_is_undone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_preview_writes_nothing_and_says_what_would_be_blocked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_may_not_and_other_books_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(persons_merged_apart_are_one_everywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erasing_a_person_erases_every_contact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_grant_on_the_person_takes_up_what_was_agreed_to_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_rule_proposes_and_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_said_is_remembered_on_every_node, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_blocked_proposes_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_too_many_share_is_not_compared, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
