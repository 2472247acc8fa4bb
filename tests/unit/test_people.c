// SPDX-License-Identifier: EUPL-1.2
#include "replica_world.h"

#include "carnet/base/text.h"
#include "carnet/people/people.h"
#include "carnet/people/rows.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define S carnet_slice_str
#define DAY_MS INT64_C(86400000)

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

/* --- words --- */

enum { WORDS_MAX = 64 };
struct list {
    char text[4096];
    struct carnet_slice at[WORDS_MAX];
    size_t count;
};

/* "a|b|c" */
static void list_of(const char *text, struct list *out)
{
    char *save = NULL;
    snprintf(out->text, sizeof out->text, "%s", text);
    out->count = 0;
    for (char *word = strtok_r(out->text, "|", &save); word; word = strtok_r(NULL, "|", &save))
        out->at[out->count++] = S(word);
}

static void assigns_of(struct world *world, const char *text, struct list *words, struct carnet_assign *out)
{
    list_of(text, words);
    for (size_t i = 0; i < words->count; i++)
        assert_int_equal(carnet_assign_parse(words->at[i], &out[i], &world->err), CARNET_OK);
}

static struct carnet_ground ground_of(const char *source, const char *proof)
{
    return (struct carnet_ground){ .basis = CARNET_BASIS_CONSENT, .source = S(source), .proof = S(proof) };
}

static carnet_rc add(struct world_node *node, const char *fields, const char *grants, struct carnet_id *id)
{
    struct list words, purposes;
    struct carnet_assign assigns[WORDS_MAX];
    struct carnet_ground ground = ground_of("market", "");
    assigns_of(node->world, fields, &words, assigns);
    list_of(grants, &purposes);
    return carnet_people_add(node->replica, &node->world->book, assigns, words.count, purposes.at, purposes.count, &ground, id, &node->world->err);
}

static struct carnet_id added(struct world_node *node, const char *fields, const char *grants)
{
    struct carnet_id id;
    if (add(node, fields, grants, &id) != CARNET_OK)
        fail_msg("add %s: %s", fields, node->world->err.what);
    return id;
}

static carnet_rc edit(struct world_node *node, const struct carnet_id *id, const char *fields, bool rectify)
{
    struct list words;
    struct carnet_assign assigns[WORDS_MAX];
    struct carnet_view view = world_view(node, id);
    assigns_of(node->world, fields, &words, assigns);
    return carnet_people_edit(node->replica, &view, assigns, words.count, rectify, NULL, &node->world->err);
}

static carnet_rc tag(struct world_node *node, const struct carnet_id *id, const char *words)
{
    struct list list;
    struct carnet_view view = world_view(node, id);
    list_of(words, &list);
    return carnet_people_tag(node->replica, &view, list.at, list.count, &node->world->err);
}

static carnet_rc grant(struct world_node *node, const struct carnet_id *id, const char *purpose, const char *source, const char *proof)
{
    struct carnet_ground ground = ground_of(source, proof);
    struct carnet_view view = world_view(node, id);
    return carnet_people_grant(node->replica, &view, S(purpose), &ground, &node->world->err);
}

static carnet_rc countersign(struct world_node *node, const struct carnet_id *id, const char *purpose)
{
    struct carnet_view view = world_view(node, id);
    return carnet_people_countersign(node->replica, &view, S(purpose), &node->world->err);
}

static carnet_rc withdraw(struct world_node *node, const struct carnet_id *id, const char *purposes, bool now, struct carnet_withdrawn *out)
{
    struct list list;
    struct carnet_view view = world_view(node, id);
    list_of(purposes, &list);
    return carnet_people_withdraw(node->replica, &view, list.at, list.count, now, out, &node->world->err);
}

static carnet_rc object(struct world_node *node, const struct carnet_id *id, const char *purposes, bool all)
{
    struct list list;
    struct carnet_view view = world_view(node, id);
    list_of(purposes, &list);
    return carnet_people_object(node->replica, &view, list.at, list.count, all, &node->world->err);
}

/* "state source proof" of a purpose, "" when no event names it. */
static const char *consent_of(struct world_node *node, const struct carnet_id *id, const char *purpose)
{
    static char text[256];
    size_t count;
    struct carnet_view view = world_view(node, id);
    struct carnet_people_consent *all = carnet_people_consents(node->replica, &view, &node->world->arena, &count);
    text[0] = 0;
    for (size_t i = 0; i < count; i++)
        if (carnet_slice_equal(all[i].purpose, S(purpose)))
            snprintf(text, sizeof text, "%s %.*s %.*s", carnet_consent_state_name(all[i].consent.state), (int)all[i].source.len, (const char *)all[i].source.ptr,
                     (int)all[i].proof.len, (const char *)all[i].proof.ptr);
    return text;
}

static bool has_tag(struct world_node *node, const struct carnet_id *id, const char *name)
{
    struct carnet_view view = world_view(node, id);
    for (size_t i = 0; i < view.cell_count; i++)
        if (view.cells[i].field == CARNET_FIELD_TAG && carnet_slice_equal(view.cells[i].label, S(name)))
            return true;
    return false;
}

static struct carnet_hash state_of(struct world_node *node)
{
    struct carnet_hash hash;
    assert_int_equal(carnet_replica_state(node->replica, &node->world->book, &hash, &node->world->err), CARNET_OK);
    return hash;
}

/* --- finding --- */

struct found {
    char names[4096];
    size_t count, stop_at;
    struct carnet_id last;
};

static bool each_found(void *ctx, const struct carnet_view *view)
{
    struct found *found = ctx;
    size_t len = strlen(found->names);
    for (size_t i = 0; i < view->cell_count; i++)
        if (view->cells[i].field == CARNET_FIELD_GIVEN)
            snprintf(found->names + len, sizeof found->names - len, "%s%.*s", len ? " " : "", (int)view->cells[i].siblings[0]->value.len,
                     (const char *)view->cells[i].siblings[0]->value.ptr);
    found->last = view->id;
    return ++found->count != found->stop_at;
}

static carnet_rc find_with(struct world_node *node, const char *query, size_t limit, struct found *found)
{
    struct carnet_find_options options = { .query = S(query), .limit = limit };
    found->names[0] = 0;
    found->count = 0;
    return carnet_people_find(node->replica, &options, each_found, NULL, found, &node->world->err);
}

static const char *find(struct world_node *node, const char *query, size_t limit)
{
    static struct found found;
    if (find_with(node, query, limit, &found) != CARNET_OK)
        fail_msg("find %s: %s", query, node->world->err.what);
    return found.names;
}

static struct carnet_id found_one(struct world_node *node, const char *query)
{
    struct found found = { 0 };
    if (find_with(node, query, 0, &found) != CARNET_OK || found.count != 1)
        fail_msg("find %s: %zu, where one was due", query, found.count);
    return found.last;
}

static size_t find_count(struct world_node *node, const char *query)
{
    struct found found = { 0 };
    if (find_with(node, query, 0, &found) != CARNET_OK)
        fail_msg("find %s: %s", query, node->world->err.what);
    return found.count;
}

/* --- importing --- */

struct import_case {
    const char *source, *collected, *grants;
    int rejects_fd;
    bool (*progress)(void *ctx, uint64_t rows, uint64_t bytes, uint64_t bytes_total);
    void *ctx;
};

static carnet_rc import_with(struct world_node *node, const char *text, const struct import_case *how, struct carnet_import_result *result)
{
    struct world *world = node->world;
    struct list purposes;
    struct carnet_rows *rows;
    struct carnet_rows_options options = { .format = CARNET_ROWS_AUTO };
    struct carnet_import_options import = { .book = world->book, .grants = purposes.at, .rejects_fd = how->rejects_fd, .progress = how->progress, .ctx = how->ctx };
    list_of(how->grants ? how->grants : "", &purposes);
    import.grant_count = purposes.count;
    import.ground = ground_of(how->source ? how->source : "list", "");
    assert_int_equal(carnet_date_parse(S(how->collected ? how->collected : "2025-03-01"), &import.ground.collected_ms, &world->err), CARNET_OK);
    if (carnet_rows_open_bytes(S(text), &options, &rows, &world->err) != CARNET_OK)
        fail_msg("rows: %s", world->err.what);
    carnet_rc rc = carnet_people_import(node->replica, rows, &import, result, &world->err);
    carnet_rows_close(rows);
    return rc;
}

/* "rows created updated unchanged rejected" */
static const char *counts_of(const struct carnet_import_result *r)
{
    static char text[128];
    assert_int_equal(r->rows, r->created + r->updated + r->unchanged + r->rejected + r->suppressed);
    snprintf(text, sizeof text, "%d %d %d %d %d", (int)r->rows, (int)r->created, (int)r->updated, (int)r->unchanged, (int)r->rejected);
    return text;
}

static struct carnet_import_result last_import;
static const char *import(struct world_node *node, const char *text, const char *collected, const char *grants)
{
    struct import_case how = { .collected = collected, .grants = grants, .rejects_fd = -1 };
    if (import_with(node, text, &how, &last_import) != CARNET_OK)
        fail_msg("import: %s", node->world->err.what);
    return counts_of(&last_import);
}

/* --- adding and editing --- */

static void add_grants_file_and_covers_by_purpose(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = added(office, "given=Zoé|family=Martin", ""), ali, none;
    assert_string_equal(consent_of(office, &zoe, "file"), "given market ");
    int64_t before = carnet_replica_last(office->replica);
    assert_int_equal(add(office, "given=Ali|email=ali@example.org", "", &none), CARNET_REFUSED);
    assert_non_null(strstr(world->err.hint, "newsletter"));
    assert_null(strstr(world->err.hint, "sms"));
    assert_int_equal(add(office, "given=Ali|city=Grenoble", "newsletter", &none), CARNET_REFUSED);
    assert_non_null(strstr(world->err.hint, "mail"));
    assert_int_equal(carnet_replica_last(office->replica), before);
    ali = added(office, "given=Ali|email=Ali@Example.org|phone/mobile=06 39 98 00 12", "newsletter|sms");
    assert_string_equal(world_value(office, &ali, "email"), "ali@example.org");
    assert_string_equal(world_value(office, &ali, "phone/mobile"), "+33639980012");
    assert_string_equal(consent_of(office, &ali, "file"), "");
    assert_string_equal(consent_of(office, &ali, "newsletter"), "given market ");
    assert_string_equal(consent_of(office, &ali, "sms"), "given market ");
    world_verify(office);
}

static void add_says_what_it_needs(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_ground ground = ground_of("", "");
    struct carnet_assign one = { S("given"), S("Zoé") };
    struct carnet_id id;
    int64_t before = carnet_replica_last(office->replica);
    assert_int_equal(carnet_people_add(office->replica, &world->book, &one, 1, NULL, 0, &ground, &id, &world->err), CARNET_USAGE);
    ground.source = S("market");
    assert_int_equal(carnet_people_add(office->replica, &world->book, NULL, 0, NULL, 0, &ground, &id, &world->err), CARNET_USAGE);
    assert_int_equal(add(office, "nickname=Zo", "", &id), CARNET_USAGE);
    assert_int_equal(add(office, "text=Zo", "", &id), CARNET_USAGE);
    assert_int_equal(add(office, "source_id/row=1", "", &id), CARNET_USAGE);
    assert_int_equal(add(office, "given/=Zo", "", &id), CARNET_USAGE);
    assert_int_equal(add(office, "given=Zoé|phone=12", "sms", &id), CARNET_USAGE);
    assert_int_equal(add(office, "given=Zoé", "fame", &id), CARNET_USAGE);
    assert_non_null(strstr(world->err.hint, "newsletter"));
    assert_int_equal(add(office, "given=Zoé|given=Zoë", "", &id), CARNET_USAGE);
    assert_int_equal(add(office, "phone/mobile=06 39 98 00 12|phone/mobile=06 39 98 00 13", "sms", &id), CARNET_USAGE);
    assert_int_equal(carnet_assign_parse(S("given"), &one, &world->err), CARNET_USAGE);
    assert_int_equal(carnet_assign_parse(S("=Zoé"), &one, &world->err), CARNET_USAGE);
    assert_int_equal(carnet_assign_parse(S("given=a=b"), &one, &world->err), CARNET_OK);
    assert_true(carnet_slice_equal(one.value, S("a=b")));
    assert_int_equal(carnet_replica_last(office->replica), before);
}

static void edit_covers_empties_and_keeps_labels_apart(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = added(office, "given=Zoé|phone=06 39 98 00 12", "sms");
    assert_int_equal(edit(office, &zoe, "phone/home=01 99 00 12 34", false), CARNET_OK);
    assert_string_equal(world_value(office, &zoe, "phone"), "+33639980012");
    assert_string_equal(world_value(office, &zoe, "phone/home"), "+33199001234");
    int64_t before = carnet_replica_last(office->replica);
    assert_int_equal(edit(office, &zoe, "given=Zoë|email=zoe@example.org", false), CARNET_REFUSED);
    assert_non_null(strstr(world->err.hint, "newsletter"));
    assert_string_equal(world_value(office, &zoe, "given"), "Zoé");
    assert_int_equal(edit(office, &zoe, "", false), CARNET_USAGE);
    assert_int_equal(edit(office, &zoe, "given=Zoé", false), CARNET_OK);
    assert_int_equal(carnet_replica_last(office->replica), before);
    assert_int_equal(edit(office, &zoe, "phone=", false), CARNET_OK);
    assert_string_equal(world_value(office, &zoe, "phone"), "");
    assert_string_equal(world_value(office, &zoe, "phone/home"), "+33199001234");
    world_verify(office);
}

static void rectify_drops_what_was_there_everywhere(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = added(office, "given=Zoé|family=Wrongname", "");
    world_exchange(world);
    assert_int_equal(edit(office, &zoe, "family=Martin", true), CARNET_OK);
    world_exchange(world);
    assert_string_equal(world_value(other, &zoe, "family"), "Martin");
    assert_string_equal(world_value(other, &zoe, "given"), "Zoé");
    world_same(world);
}

static void tags_are_set_removed_and_of_one_form(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = added(office, "given=Zoé", "");
    assert_int_equal(tag(office, &zoe, "+bénévole|+presse"), CARNET_OK);
    assert_true(has_tag(office, &zoe, "bénévole") && has_tag(office, &zoe, "presse"));
    assert_int_equal(tag(office, &zoe, "-presse|+  deux mots "), CARNET_OK);
    assert_true(!has_tag(office, &zoe, "presse") && has_tag(office, &zoe, "deux mots"));
    int64_t before = carnet_replica_last(office->replica);
    assert_int_equal(tag(office, &zoe, "-presse|-jamais|+bénévole"), CARNET_OK);
    assert_int_equal(carnet_replica_last(office->replica), before);
    assert_int_equal(tag(office, &zoe, "presse"), CARNET_USAGE);
    assert_int_equal(tag(office, &zoe, "+"), CARNET_USAGE);
    assert_int_equal(tag(office, &zoe, "+ "), CARNET_USAGE);
    assert_int_equal(tag(office, &zoe, ""), CARNET_USAGE);
    assert_int_equal(tag(office, &zoe, "+a|-a"), CARNET_USAGE);
    assert_int_equal(tag(office, &zoe, "+aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg"), CARNET_USAGE);
    assert_int_equal(tag(office, &zoe, "+\xff"), CARNET_USAGE);
    assert_int_equal(carnet_replica_last(office->replica), before);
    assert_int_equal(tag(office, &zoe, "+two\nlines"), CARNET_OK);
    assert_true(has_tag(office, &zoe, "two lines"));
}

struct notes {
    char text[256];
    size_t count;
    struct carnet_id id;
};

static bool each_note(void *ctx, const struct carnet_view *view)
{
    struct notes *notes = ctx;
    notes->count++;
    notes->id = view->id;
    for (size_t i = 0; i < view->cell_count; i++)
        if (view->cells[i].field == CARNET_FIELD_TEXT)
            snprintf(notes->text, sizeof notes->text, "%.*s", (int)view->cells[i].siblings[0]->value.len, (const char *)view->cells[i].siblings[0]->value.ptr);
    return true;
}

static struct notes notes_of(struct world_node *node, const struct carnet_id *id)
{
    struct notes notes = { .count = 0 };
    assert_int_equal(carnet_replica_about(node->replica, &node->world->book, id, &node->world->arena, each_note, &notes, &node->world->err), CARNET_OK);
    return notes;
}

static void a_note_needs_its_purpose_and_shuts_with_it(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = added(office, "given=Zoé", ""), note;
    struct carnet_view view = world_view(office, &zoe);
    struct carnet_withdrawn done;
    assert_int_equal(carnet_people_note(office->replica, &view, S("called back"), &note, &world->err), CARNET_REFUSED);
    assert_non_null(strstr(world->err.hint, "profile"));
    assert_int_equal(grant(office, &zoe, "profile", "said so", ""), CARNET_OK);
    view = world_view(office, &zoe);
    assert_int_equal(carnet_people_note(office->replica, &view, S(" "), &note, &world->err), CARNET_USAGE);
    assert_int_equal(carnet_people_note(office->replica, &view, S("\xff"), &note, &world->err), CARNET_USAGE);
    assert_int_equal(carnet_people_note(office->replica, &view, S("called back"), &note, &world->err), CARNET_OK);
    assert_string_equal(notes_of(office, &zoe).text, "called back");
    /* a note is about a contact: nothing is about a note */
    struct carnet_view of_note = world_view(office, &note);
    struct carnet_id other;
    struct carnet_assign one = { S("given"), S("Zoé") };
    struct carnet_slice word = S("+presse");
    assert_int_equal(carnet_people_note(office->replica, &of_note, S("again"), &other, &world->err), CARNET_USAGE);
    assert_int_equal(carnet_people_edit(office->replica, &of_note, &one, 1, false, NULL, &world->err), CARNET_USAGE);
    assert_int_equal(carnet_people_tag(office->replica, &of_note, &word, 1, &world->err), CARNET_USAGE);
    assert_int_equal(carnet_people_erase(office->replica, &of_note, CARNET_SLICE_NONE, &world->err), CARNET_USAGE);
    assert_int_equal(carnet_people_grant(office->replica, &of_note, S("sms"), &(struct carnet_ground){ .basis = CARNET_BASIS_CONSENT, .source = S("x") }, &world->err),
                     CARNET_USAGE);
    assert_int_equal(withdraw(office, &zoe, "profile", false, &done), CARNET_OK);
    assert_string_equal(notes_of(office, &zoe).text, "");
    world_verify(office);
}

static void erasing_takes_the_notes(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = added(office, "given=Zoé", "file|profile"), note;
    struct carnet_view view = world_view(office, &zoe), ignored;
    struct carnet_assign one = { S("given"), S("Zoë") };
    assert_int_equal(carnet_people_note(office->replica, &view, S("called back"), &note, &world->err), CARNET_OK);
    world_exchange(world);
    assert_int_equal(notes_of(other, &zoe).count, 1);
    view = world_view(office, &zoe);
    assert_int_equal(carnet_people_erase(office->replica, &view, S("asked"), &world->err), CARNET_OK);
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        struct carnet_replica *replica = world->nodes[i].replica;
        assert_int_equal(carnet_replica_view(replica, &world->book, &zoe, &world->arena, &ignored, &world->err), CARNET_NOT_FOUND);
        assert_int_equal(carnet_replica_view(replica, &world->book, &note, &world->arena, &ignored, &world->err), CARNET_NOT_FOUND);
        assert_string_equal(find(&world->nodes[i], "zoé", 0), "");
    }
    /* somebody who still had it open writes nothing more on it */
    assert_int_equal(carnet_people_edit(office->replica, &view, &one, 1, false, NULL, &world->err), CARNET_REFUSED);
    assert_int_equal(carnet_people_note(office->replica, &view, S("again"), &note, &world->err), CARNET_REFUSED);
    world_same(world);
}

/* --- consent --- */

static void withdrawing_blocks_and_saying_it_twice_writes_once(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = added(office, "given=Zoé|email=zoe@example.org|phone=0639980012", "file|newsletter|targeted|sms");
    struct carnet_withdrawn done;
    assert_int_equal(withdraw(office, &zoe, "newsletter", false, &done), CARNET_OK);
    assert_int_equal(done.blocked, 0); /* targeted still covers it */
    assert_string_equal(world_value(office, &zoe, "email"), "zoe@example.org");
    assert_int_equal(withdraw(office, &zoe, "targeted", false, &done), CARNET_OK);
    assert_int_equal(done.blocked, 1u << CARNET_SCOPE_EMAIL);
    assert_string_equal(world_value(office, &zoe, "email"), "");
    assert_string_equal(world_value(office, &zoe, "phone"), "+33639980012");
    int64_t before = carnet_replica_last(office->replica);
    assert_int_equal(withdraw(office, &zoe, "newsletter|targeted", false, &done), CARNET_OK);
    assert_int_equal(done.blocked, 1u << CARNET_SCOPE_EMAIL);
    assert_int_equal(carnet_replica_last(office->replica), before);
    assert_int_equal(withdraw(office, &zoe, "fame", false, &done), CARNET_USAGE);
    assert_int_equal(withdraw(office, &zoe, "", false, &done), CARNET_USAGE);
    assert_string_equal(consent_of(office, &zoe, "newsletter"), "withdrawn market ");
    assert_int_equal(object(office, &zoe, "newsletter", false), CARNET_OK);
    assert_string_equal(consent_of(office, &zoe, "newsletter"), "objected market ");
    before = carnet_replica_last(office->replica);
    assert_int_equal(withdraw(office, &zoe, "newsletter", false, &done), CARNET_OK); /* an objection says more */
    assert_int_equal(object(office, &zoe, "newsletter", false), CARNET_OK);
    assert_int_equal(carnet_replica_last(office->replica), before);
}

static void objecting_to_all_shuts_everything_once(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = added(office, "given=Zoé|phone=0639980012", "file|sms");
    assert_int_equal(object(office, &zoe, "sms", true), CARNET_USAGE);
    assert_int_equal(object(office, &zoe, "", false), CARNET_USAGE);
    assert_int_equal(object(office, &zoe, "file", false), CARNET_OK);
    assert_int_equal(object(office, &zoe, "", true), CARNET_OK); /* file alone was not all */
    assert_string_equal(consent_of(office, &zoe, "sms"), "objected market ");
    assert_int_equal(world_view(office, &zoe).cell_count, 1);    /* the evidence */
    int64_t before = carnet_replica_last(office->replica);
    assert_int_equal(object(office, &zoe, "", true), CARNET_OK);
    assert_int_equal(object(office, &zoe, "sms", false), CARNET_OK);
    assert_int_equal(carnet_replica_last(office->replica), before);
    assert_int_equal(edit(office, &zoe, "given=Zoë", false), CARNET_REFUSED);
    assert_string_equal(find(office, "zoé", 0), "");
}

static void agreeing_again_needs_paper_and_another_member(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = added(office, "given=Zoé|phone=0639980012", "file|sms");
    struct carnet_withdrawn done;
    assert_int_equal(countersign(office, &zoe, "sms"), CARNET_NOT_FOUND);
    assert_int_equal(withdraw(office, &zoe, "sms", false, &done), CARNET_OK);
    world_exchange(world);
    assert_int_equal(grant(office, &zoe, "sms", "said so", ""), CARNET_REFUSED);
    assert_non_null(strstr(world->err.hint, "--proof"));
    assert_int_equal(grant(office, &zoe, "sms", "signed", "paper of 3 March"), CARNET_OK);
    assert_string_equal(consent_of(office, &zoe, "sms"), "requested signed paper of 3 March");
    assert_string_equal(world_value(office, &zoe, "phone"), "");
    assert_int_equal(countersign(office, &zoe, "sms"), CARNET_REFUSED);
    assert_int_equal(countersign(office, &zoe, "call"), CARNET_NOT_FOUND);
    assert_int_equal(countersign(office, &zoe, "fame"), CARNET_USAGE);
    world_exchange(world);
    assert_int_equal(countersign(other, &zoe, "sms"), CARNET_OK);
    assert_int_equal(countersign(other, &zoe, "sms"), CARNET_NOT_FOUND); /* nothing waits any more */
    world_exchange(world);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(consent_of(&world->nodes[i], &zoe, "sms"), "renewed signed paper of 3 March");
        assert_string_equal(world_value(&world->nodes[i], &zoe, "phone"), "+33639980012");
    }
    /* a refusal that comes afterwards, or was said meanwhile elsewhere, wins again */
    assert_int_equal(object(other, &zoe, "sms", false), CARNET_OK);
    world_exchange(world);
    assert_string_equal(world_value(office, &zoe, "phone"), "");
    world_same(world);
}

static void a_volunteer_may_countersign_and_object(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *ali = world_join(world, "Ali", CARNET_ROLE_VOLUNTEER, NULL, 0, 0);
    struct carnet_id zoe = added(office, "given=Zoé|city=Grenoble", "file|mail");
    struct carnet_withdrawn done;
    world_exchange(world);
    assert_int_equal(withdraw(ali, &zoe, "mail", true, &done), CARNET_OK);
    assert_true(done.later && !done.dark && done.blocked == 1u << CARNET_SCOPE_POSTAL);
    world_exchange(world);
    assert_string_equal(world_value(office, &zoe, "city"), "");
    assert_int_equal(world_view(office, &zoe).dark, 0);
    assert_int_equal(grant(office, &zoe, "mail", "signed", "paper"), CARNET_OK);
    world_exchange(world);
    assert_int_equal(countersign(ali, &zoe, "mail"), CARNET_OK);
    world_exchange(world);
    assert_string_equal(world_value(office, &zoe, "city"), "Grenoble");
    assert_int_equal(object(ali, &zoe, "mail", false), CARNET_OK);
    world_exchange(world);
    assert_string_equal(world_value(office, &zoe, "city"), "");
    world_same(world);
}

static void now_destroys_the_keys_of_what_is_withdrawn_alone(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = added(office, "given=Zoé|email=zoe@example.org|phone=0639980012", "file|newsletter|targeted|sms");
    struct carnet_withdrawn done;
    assert_int_equal(withdraw(office, &zoe, "newsletter", true, &done), CARNET_OK);
    assert_true(!done.dark && !done.later && done.blocked == 0); /* targeted covers it */
    assert_int_equal(withdraw(office, &zoe, "targeted", false, &done), CARNET_OK); /* a slip: it can be undone for a while */
    assert_int_equal(withdraw(office, &zoe, "sms", true, &done), CARNET_OK);
    assert_true(done.dark && done.blocked == 1u << CARNET_SCOPE_PHONE);
    assert_int_equal(world_view(office, &zoe).dark, 1u << CARNET_SCOPE_PHONE);
    assert_int_equal(world_view(office, &zoe).blocked, 1u << CARNET_SCOPE_EMAIL);
    assert_int_equal(withdraw(office, &zoe, "targeted", true, &done), CARNET_OK);
    assert_true(done.dark);
    assert_int_equal(world_view(office, &zoe).dark, 1u << CARNET_SCOPE_PHONE | 1u << CARNET_SCOPE_EMAIL);
    assert_int_equal(withdraw(office, &zoe, "targeted", true, &done), CARNET_OK); /* nothing is left to destroy */
    assert_true(!done.dark && done.blocked == 0);
    world_verify(office);
}

static void evidence_stays_with_its_grant(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = added(office, "given=Zoé", "newsletter|sms|mail");
    assert_int_equal(grant(office, &zoe, "newsletter", "web form", "mail of 4 May"), CARNET_OK);
    assert_string_equal(consent_of(office, &zoe, "newsletter"), "renewed web form mail of 4 May");
    assert_string_equal(consent_of(office, &zoe, "sms"), "given market ");
    assert_string_equal(consent_of(office, &zoe, "mail"), "given market ");
    assert_int_equal(grant(office, &zoe, "sms", "door\nstep", ""), CARNET_OK);
    assert_string_equal(consent_of(office, &zoe, "newsletter"), "renewed web form mail of 4 May");
    assert_string_equal(consent_of(office, &zoe, "sms"), "renewed door step ");
    assert_string_equal(consent_of(office, &zoe, "mail"), "given market ");
    assert_int_equal(grant(office, &zoe, "call", "", ""), CARNET_USAGE);
    assert_int_equal(grant(office, &zoe, "call", "\xff", ""), CARNET_USAGE);
}

static void two_who_grant_at_once_are_in_no_conflict(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = added(office, "given=Zoé", "");
    world_exchange(world);
    assert_int_equal(grant(office, &zoe, "sms", "market", ""), CARNET_OK);
    assert_int_equal(grant(other, &zoe, "sms", "web", ""), CARNET_OK);
    world_exchange(world);
    assert_int_equal(world_view(office, &zoe).conflicts, 0);
    assert_string_equal(consent_of(office, &zoe, "sms"), consent_of(other, &zoe, "sms"));
    world_same(world);
}

static void a_grant_ends_and_may_be_given_again(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = added(office, "given=Zoé", "");
    struct carnet_view view = world_view(office, &zoe);
    struct carnet_ground ground = ground_of("market", "");
    ground.until_ms = office->hands.wall_ms + 10 * DAY_MS;
    assert_int_equal(carnet_people_grant(office->replica, &view, S("sms"), &ground, &world->err), CARNET_OK);
    assert_int_equal(edit(office, &zoe, "phone=0639980012", false), CARNET_OK);
    world_pass(world, 11 * DAY_MS);
    assert_string_equal(consent_of(office, &zoe, "sms"), "expired market ");
    assert_string_equal(world_value(office, &zoe, "phone"), "");
    assert_string_equal(find(office, "0639980012", 0), "");
    assert_int_equal(grant(office, &zoe, "sms", "market again", ""), CARNET_OK);
    assert_string_equal(world_value(office, &zoe, "phone"), "+33639980012");
}

/* --- conflicts --- */

struct conflicts {
    char text[1024];
};

static bool each_conflict(void *ctx, const struct carnet_people_conflict *conflict)
{
    struct conflicts *all = ctx;
    size_t len = strlen(all->text);
    len += (size_t)snprintf(all->text + len, sizeof all->text - len, "%s/%.*s:", carnet_field_by_number(NULL, conflict->cell->field)->name,
                            (int)conflict->cell->label.len, (const char *)conflict->cell->label.ptr);
    for (size_t i = 0; i < conflict->cell->count; i++)
        len += (size_t)snprintf(all->text + len, sizeof all->text - len, " %.*s", (int)conflict->cell->siblings[i]->value.len,
                                (const char *)conflict->cell->siblings[i]->value.ptr);
    snprintf(all->text + len, sizeof all->text - len, "\n");
    return true;
}

static const char *conflicts_of(struct world_node *node)
{
    static struct conflicts all;
    all.text[0] = 0;
    assert_int_equal(carnet_people_conflicts(node->replica, each_conflict, &all, &node->world->err), CARNET_OK);
    return all.text;
}

static carnet_rc resolve(struct world_node *node, const struct carnet_id *id, const char *field, enum carnet_resolve how, const char *value, size_t keep)
{
    struct carnet_view view = world_view(node, id);
    return carnet_people_resolve(node->replica, &view, S(field), how, S(value), keep, &node->world->err);
}

static struct world_node *in_conflict(struct world *world, struct carnet_id *zoe)
{
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    *zoe = added(office, "given=Zoé|phone=0639980001", "file|sms");
    world_exchange(world);
    assert_int_equal(edit(office, zoe, "phone=0639980002", false), CARNET_OK);
    world_pass(world, 1000);
    assert_int_equal(edit(other, zoe, "phone=0639980003", false), CARNET_OK);
    world_exchange(world);
    assert_string_equal(conflicts_of(office), "phone/: +33639980003 +33639980002\n");
    assert_string_equal(conflicts_of(other), "phone/: +33639980003 +33639980002\n");
    return other;
}

static void a_conflict_is_settled_by_a_value(void **state)
{
    struct world *world = *state;
    struct carnet_id zoe;
    struct world_node *office = &world->nodes[0], *other = in_conflict(world, &zoe);
    assert_int_equal(resolve(office, &zoe, "given", CARNET_RESOLVE_VALUE, "x", 0), CARNET_NOT_FOUND);
    assert_int_equal(resolve(office, &zoe, "nickname", CARNET_RESOLVE_VALUE, "x", 0), CARNET_USAGE);
    assert_int_equal(resolve(office, &zoe, "phone", CARNET_RESOLVE_VALUE, "12", 0), CARNET_USAGE);
    assert_int_equal(resolve(office, &zoe, "phone", CARNET_RESOLVE_VALUE, "06 39 98 00 04", 0), CARNET_OK);
    assert_int_equal(resolve(office, &zoe, "phone", CARNET_RESOLVE_VALUE, "06 39 98 00 04", 0), CARNET_NOT_FOUND);
    world_exchange(world);
    assert_string_equal(conflicts_of(other), "");
    assert_string_equal(world_value(other, &zoe, "phone"), "+33639980004");
    world_same(world);
}

static void a_conflict_is_settled_by_its_number(void **state)
{
    struct world *world = *state;
    struct carnet_id zoe;
    struct world_node *other = in_conflict(world, &zoe);
    assert_int_equal(resolve(other, &zoe, "phone", CARNET_RESOLVE_KEEP, "", 0), CARNET_USAGE);
    assert_int_equal(resolve(other, &zoe, "phone", CARNET_RESOLVE_KEEP, "", 3), CARNET_USAGE);
    assert_int_equal(resolve(other, &zoe, "phone", CARNET_RESOLVE_KEEP, "", 2), CARNET_OK);
    world_exchange(world);
    assert_string_equal(world_value(&world->nodes[0], &zoe, "phone"), "+33639980002");
    assert_string_equal(conflicts_of(&world->nodes[0]), "");
    world_same(world);
}

static void all_values_are_kept_under_free_labels(void **state)
{
    struct world *world = *state;
    struct carnet_id zoe;
    struct world_node *office = &world->nodes[0], *other = in_conflict(world, &zoe);
    assert_int_equal(edit(office, &zoe, "phone/2=0639980009", false), CARNET_OK);
    assert_int_equal(resolve(office, &zoe, "phone", CARNET_RESOLVE_KEEP_ALL, "", 0), CARNET_OK);
    world_exchange(world);
    assert_string_equal(conflicts_of(other), "");
    assert_string_equal(world_value(other, &zoe, "phone"), "+33639980003");
    assert_string_equal(world_value(other, &zoe, "phone/2"), "+33639980009");
    assert_string_equal(world_value(other, &zoe, "phone/3"), "+33639980002");
    world_same(world);
}

static void a_long_label_is_cut_between_two_characters(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = added(office, "given=Zoé", "file|sms");
    const char *label = "phone/xéééééééééééééééééééééééééééééé"; /* 61 bytes, the 57th within a character */
    char text[128];
    world_exchange(world);
    snprintf(text, sizeof text, "%s=0639980002", label);
    assert_int_equal(edit(office, &zoe, text, false), CARNET_OK);
    snprintf(text, sizeof text, "%s=0639980003", label);
    assert_int_equal(edit(other, &zoe, text, false), CARNET_OK);
    world_exchange(world);
    assert_int_equal(resolve(office, &zoe, label, CARNET_RESOLVE_KEEP_ALL, "", 0), CARNET_OK);
    world_exchange(world);
    struct carnet_view view = world_view(other, &zoe);
    size_t phones = 0;
    for (size_t i = 0; i < view.cell_count; i++)
        if (view.cells[i].field == CARNET_FIELD_PHONE) {
            assert_true(carnet_text_is_nfc(view.cells[i].label));
            phones++;
        }
    assert_int_equal(phones, 2);
    world_same(world);
}

static void one_emptied_while_the_other_wrote(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = added(office, "given=Zoé|phone=0639980001", "file|sms");
    world_exchange(world);
    assert_int_equal(edit(office, &zoe, "phone=", false), CARNET_OK);
    assert_int_equal(edit(other, &zoe, "phone=0639980003", false), CARNET_OK);
    world_exchange(world);
    assert_int_equal(world_view(office, &zoe).conflicts, 1);
    assert_int_equal(resolve(office, &zoe, "phone", CARNET_RESOLVE_KEEP_ALL, "", 0), CARNET_OK);
    assert_string_equal(world_value(office, &zoe, "phone"), "+33639980003");
    assert_string_equal(conflicts_of(office), "");
    world_exchange(world);
    world_same(world);
}

static void the_same_written_twice_is_no_conflict(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = added(office, "given=Zoé", "");
    world_exchange(world);
    assert_int_equal(edit(office, &zoe, "family=Martin", false), CARNET_OK);
    assert_int_equal(edit(other, &zoe, "family=Martin", false), CARNET_OK);
    assert_int_equal(tag(office, &zoe, "+presse"), CARNET_OK);
    assert_int_equal(tag(other, &zoe, "+presse"), CARNET_OK);
    world_exchange(world);
    assert_int_equal(tag(office, &zoe, "-presse"), CARNET_OK);
    assert_int_equal(tag(other, &zoe, "+presse|+autre"), CARNET_OK);
    world_exchange(world);
    assert_string_equal(conflicts_of(office), "");
    assert_int_equal(world_view(office, &zoe).conflicts, 0);
    world_same(world);
}

static void who_wrote_is_named(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_buf name;
    world_exchange(world);
    struct carnet_id zoe = added(other, "given=Zoé", "");
    world_exchange(world);
    struct carnet_view view = world_view(office, &zoe);
    carnet_buf_init(&name, 256);
    carnet_people_by(office->replica, &view.cells[0].siblings[0]->dot, &name);
    assert_string_equal(carnet_buf_cstr(&name), "Lyon");
    carnet_buf_clear(&name);
    carnet_people_by(office->replica, &(struct carnet_dot){ .author = 1, .seq = 1 }, &name);
    assert_string_equal(carnet_buf_cstr(&name), "?");
    carnet_buf_deinit(&name);
}

/* --- finding --- */

static void found_ones_come_in_order_of_name(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    added(office, "given=Zoé|family=Martin", "");
    added(office, "given=Émile|family=Zola", "");
    added(office, "given=Ali|family=Martin", "");
    added(office, "given=Ève|family=Éluard", "");
    added(office, "email=sans.nom@example.org", "newsletter");
    assert_string_equal(find(office, "", 0), "Ève Ali Zoé Émile");
    assert_int_equal(find_count(office, ""), 5);
    assert_string_equal(find(office, "martin", 0), "Ali Zoé");
    assert_string_equal(find(office, "martin", 1), "Ali");
    assert_string_equal(find(office, "MÀRTIN zo", 5), "Zoé");
    assert_string_equal(find(office, "", 2), "Zoé Émile"); /* the first ones that there are */
    assert_string_equal(find(office, "nobody", 0), "");
    assert_string_equal(find(office, "family:martin -given:ali", 0), "Zoé");
    struct found found = { .stop_at = 1 };
    assert_int_equal(find_with(office, "", 0, &found), CARNET_OK);
    assert_int_equal(found.count, 1);
}

static void a_wrong_query_is_said_to_be(void **state)
{
    struct world *world = *state;
    struct found found = { 0 };
    assert_int_equal(find_with(&world->nodes[0], "nosuchfield:x", 0, &found), CARNET_USAGE);
    assert_int_equal(find_with(&world->nodes[0], "(given:a", 0, &found), CARNET_USAGE);
    assert_int_equal(find_with(&world->nodes[0], "\xff", 0, &found), CARNET_USAGE);
    assert_true(world->err.what[0]);
}

static void what_is_blocked_is_never_found(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct carnet_id zoe = added(office, "given=Zoé|email=secret@example.org|phone=0639980012|city=Grenoble", "file|newsletter|sms|mail");
    static const char *const queries[] = { "secret", "secret@example.org", "email:*", "email:secret*", "0639980012", "phone:*", "city:grenoble" };
    struct carnet_withdrawn done;
    world_exchange(world);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        assert_int_equal(find_count(other, queries[i]), 1);
    assert_int_equal(withdraw(office, &zoe, "newsletter|sms|mail", false, &done), CARNET_OK);
    world_exchange(world);
    for (size_t n = 0; n < 2; n++) {
        for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
            assert_int_equal(find_count(&world->nodes[n], queries[i]), 0);
        assert_int_equal(find_count(&world->nodes[n], "-email:*"), 1); /* as if there were none */
        assert_int_equal(find_count(&world->nodes[n], "zoé"), 1);
        assert_int_equal(find_count(&world->nodes[n], "consent:newsletter"), 0);
    }
    world_same(world);
}

static void a_book_can_be_searched_alone(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id press, id;
    struct carnet_ground ground = ground_of("x", "");
    struct carnet_assign one = { S("given"), S("Presse") };
    struct found found = { 0 };
    added(office, "given=Zoé", "");
    assert_int_equal(carnet_replica_book_add(office->replica, S("presse"), &press, &world->err), CARNET_OK);
    assert_int_equal(carnet_people_add(office->replica, &press, &one, 1, NULL, 0, &ground, &id, &world->err), CARNET_OK);
    struct carnet_find_options options = { .book = &press };
    assert_int_equal(carnet_people_find(office->replica, &options, each_found, NULL, &found, &world->err), CARNET_OK);
    assert_string_equal(found.names, "Presse");
    assert_int_equal(find_count(office, ""), 2);
    assert_int_equal(find_count(office, "book:presse"), 1);
}

static size_t breaths;
static void breathe(void *ctx)
{
    (void)ctx;
    breaths++;
}

static void more_than_can_be_sorted_come_as_they_arrived(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_buf file;
    struct found found = { 0 };
    char count[64];
    carnet_buf_init(&file, 1 << 20);
    carnet_buf_append_str(&file, "given,family,external_id\n");
    for (unsigned i = 0; i < 4100; i++)
        carnet_buf_printf(&file, "N%04u,Martin,%u\n", 9999 - i, i + 1);
    snprintf(count, sizeof count, "4100 4100 0 0 0");
    assert_string_equal(import(office, carnet_buf_cstr(&file), NULL, NULL), count);
    carnet_buf_deinit(&file);
    assert_int_equal(find_count(office, "martin"), 4100);
    assert_string_equal(find(office, "martin", 2), "N9999 N9998");
    assert_string_equal(find(office, "given:N900* martin", 2), "N9000 N9001"); /* few enough */
    assert_string_equal(find(office, "martin -given:N8*", 2), "N9999 N9998"); /* the index has them all */
    struct carnet_find_options options = { .query = S("martin"), .limit = 0 };
    assert_int_equal(carnet_people_find(office->replica, &options, each_found, breathe, &found, &world->err), CARNET_OK);
    assert_true(breaths > 0);
}

/* --- importing --- */

static void rows_are_known_again_by_the_id_of_their_source(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    assert_string_equal(import(office, "nationbuilder_id,first_name,last_name\n1,Zoé,Martin\n2,Ali,Noor\n", NULL, NULL), "2 2 0 0 0");
    assert_string_equal(import(office, "nationbuilder_id,first_name,last_name\n1,Zoé,Durand\n3,Eve,Noor\n", NULL, NULL), "2 1 1 0 0");
    assert_int_equal(find_count(office, "durand"), 1);
    assert_int_equal(find_count(office, ""), 3);
    /* the same number of another source is somebody else */
    assert_string_equal(import(office, "civicrm_id,first_name,last_name\n1,Zoé,Durand\n", NULL, NULL), "1 1 0 0 0");
    world_verify(office);
}

static void rows_are_known_again_by_name_birth_and_address(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    added(office, "given=Zoé|family=Le Goff|email=zoe@example.org", "file|newsletter");
    assert_string_equal(import(office, "given;family;email;city\nZOE;LE GOFF;Zoe@Example.org;Grenoble\n", NULL, "mail"), "1 0 1 0 0");
    struct carnet_id zoe = found_one(office, "");
    assert_string_equal(world_value(office, &zoe, "city"), "Grenoble");
    assert_string_equal(import(office, "given;family;email;born\nZoé;Le Goff;zoe@example.org;1980-02-03\n", NULL, NULL), "1 1 0 0 0"); /* another birth date */
    assert_string_equal(import(office, "given;family;email\nZoé;Le Goff;other@example.org\n", NULL, NULL), "1 1 0 0 0");
    assert_string_equal(import(office, "given;family;email\nAli;Le Goff;zoe@example.org\n", NULL, NULL), "1 1 0 0 0");
    assert_int_equal(find_count(office, ""), 4);
}

static void homonyms_without_addresses_stay_two_people(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    const char *list = "given,family\nJean,Dupont\nJean,Dupont\nZoé,Martin\n";
    assert_string_equal(import(office, list, NULL, NULL), "3 3 0 0 0");
    struct carnet_hash before = state_of(office), after;
    assert_string_equal(import(office, list, NULL, NULL), "3 0 0 3 0");
    after = state_of(office);
    assert_memory_equal(before.b, after.b, sizeof before.b);
    assert_int_equal(find_count(office, "dupont"), 2);
}

static void the_same_file_again_changes_nothing(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    const char *list = "external_id,given,family,email,phone,newsletter,unsubscribed,tags\n"
                       "1,Zoé,Martin,zoe@example.org,0639980001,yes,,\"presse,bénévole\"\n"
                       "1,Zoe,Martin,zoe2@example.org,,yes,,autre\n" /* the same person, twice in one file */
                       "2,Ali,Noor,ali@example.org,,no,,\n"
                       ",Eve,Noor,eve@example.org,,yes,yes,\n"
                       ",Solo,,,,,,\n"
                       ",,,only@example.org,,yes,,\n";
    static const char *const days[] = { "2025-03-01", "2026-09-21", "2027-01-01" }; /* long ago, today, later than today */
    for (size_t i = 0; i < 3; i++) {
        import(office, list, days[i], "newsletter|sms");
        struct carnet_hash before = state_of(office), after;
        assert_string_equal(import(office, list, days[i], "newsletter|sms"), "6 0 0 6 0");
        after = state_of(office);
        assert_memory_equal(before.b, after.b, sizeof before.b);
        world_pass(world, 5 * DAY_MS);
        assert_string_equal(import(office, list, days[i], "newsletter|sms"), "6 0 0 6 0");
    }
    assert_int_equal(find_count(office, ""), 5);
    world_verify(office);
}

static void of_two_rows_about_one_person_the_first_decides(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    assert_string_equal(import(office, "external_id,given,family,phone\n1,Zoé,Martin,\n1,Zoe,,0639980001\n", "2026-09-21", "sms"), "2 1 1 0 0");
    struct carnet_id zoe = found_one(office, "");
    assert_string_equal(world_value(office, &zoe, "given"), "Zoé");
    assert_string_equal(world_value(office, &zoe, "phone"), "+33639980001");
}

static void a_later_list_updates_an_older_one_and_never_what_was_typed_since(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    const char *first = "external_id,given,family,email\n1,Zoé,Martin,a@example.org\n2,Ali,Noor,ali@example.org\n";
    const char *second = "external_id,given,family,email\n1,Zoé,Martin,b@example.org\n2,Ali,Noor,ali@example.org\n";
    const char *third = "external_id,given,family,email\n1,Zoë,Durand,c@example.org\n2,Ali,Noor,ali@example.org\n";
    assert_string_equal(import(office, first, "2025-03-01", "newsletter"), "2 2 0 0 0");
    struct carnet_id zoe = found_one(office, "martin");
    assert_string_equal(import(office, second, "2025-02-28", "newsletter"), "2 0 0 2 0"); /* an older list */
    assert_string_equal(world_value(office, &zoe, "email"), "a@example.org");
    assert_string_equal(import(office, second, "2025-04-01", "newsletter"), "2 0 1 1 0");
    assert_string_equal(world_value(office, &zoe, "email"), "b@example.org");
    assert_string_equal(import(office, first, "2025-03-01", "newsletter"), "2 0 0 2 0");
    assert_string_equal(world_value(office, &zoe, "email"), "b@example.org");
    world_pass(world, DAY_MS);
    assert_int_equal(edit(office, &zoe, "given=Zo", false), CARNET_OK);
    /* a later list, older than what was typed: the rest is updated */
    assert_string_equal(import(office, third, "2025-05-01", "newsletter"), "2 0 1 1 0");
    assert_string_equal(world_value(office, &zoe, "email"), "c@example.org");
    assert_string_equal(world_value(office, &zoe, "family"), "Durand");
    assert_string_equal(world_value(office, &zoe, "given"), "Zo");
    /* collected on the day that it was typed, or later */
    assert_string_equal(import(office, third, "2026-09-21", "newsletter"), "2 0 0 2 0");
    assert_string_equal(world_value(office, &zoe, "given"), "Zo");
    assert_string_equal(import(office, third, "2026-09-22", "newsletter"), "2 0 1 1 0");
    assert_string_equal(world_value(office, &zoe, "given"), "Zoë");
    world_verify(office);
}

static void what_was_emptied_or_removed_by_hand_stays_so(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    assert_string_equal(import(office, "external_id,given,family,tags\n1,Zoé,Martin,presse\n", "2025-03-01", NULL), "1 1 0 0 0");
    struct carnet_id zoe = found_one(office, "");
    world_pass(world, DAY_MS);
    assert_int_equal(edit(office, &zoe, "family=", false), CARNET_OK);
    assert_int_equal(tag(office, &zoe, "-presse"), CARNET_OK);
    assert_string_equal(import(office, "external_id,given,family,tags,language\n1,Zoé,Martin,presse,fr\n", "2025-04-01", NULL), "1 0 1 0 0");
    assert_string_equal(world_value(office, &zoe, "family"), "");
    assert_string_equal(world_value(office, &zoe, "language"), "fr");
    assert_false(has_tag(office, &zoe, "presse"));
}

static void what_an_expired_grant_hides_is_not_overwritten(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id zoe = added(office, "given=Zoé|family=Martin|phone=0639980001", "file|sms");
    struct carnet_view view = world_view(office, &zoe);
    struct carnet_ground ground = ground_of("market", "");
    ground.until_ms = office->hands.wall_ms + 10 * DAY_MS;
    assert_int_equal(carnet_people_grant(office->replica, &view, S("newsletter"), &ground, &world->err), CARNET_OK);
    assert_int_equal(edit(office, &zoe, "email=new@example.org", false), CARNET_OK);
    world_pass(world, 20 * DAY_MS);
    assert_string_equal(import(office, "given,family,phone,email\nZoé,Martin,0639980001,old@example.org\n", "2025-03-01", "newsletter"), "1 0 1 0 0");
    assert_string_equal(world_value(office, &zoe, "email"), "new@example.org");
}

static void a_file_never_speaks_over_a_refusal(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_withdrawn done;
    assert_string_equal(import(office, "external_id,given,email,newsletter\n1,Zoé,zoe@example.org,yes\n2,Ali,ali@example.org,no\n3,Eve,eve@example.org,\n", NULL, NULL),
                        "3 3 0 0 0");
    assert_int_equal(last_import.uncovered, 2); /* no and nothing are no grant */
    struct carnet_id zoe = found_one(office, "zoé");
    assert_string_equal(world_value(office, &zoe, "email"), "zoe@example.org");
    assert_int_equal(withdraw(office, &zoe, "newsletter", false, &done), CARNET_OK);
    assert_string_equal(import(office, "external_id,given,email,newsletter\n1,Zoé,zoe3@example.org,yes\n", "2027-01-01", "newsletter"), "1 0 0 1 0");
    assert_int_equal(last_import.refused, 2); /* asked for by the row and by the options */
    assert_int_equal(last_import.uncovered, 1);
    assert_string_equal(world_value(office, &zoe, "email"), "");
    assert_string_equal(consent_of(office, &zoe, "newsletter"), "withdrawn list ");
}

static void opting_out_is_an_objection(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    assert_string_equal(import(office, "external_id,given,email,phone,email_opt_in,unsubscribed,do_not_call,do_not_contact\n"
                                       "1,Zoé,zoe@example.org,0639980001,yes,yes,,\n"
                                       "2,Ali,ali@example.org,0639980002,yes,,yes,\n"
                                       "3,Eve,eve@example.org,0639980003,yes,,,yes\n",
                               NULL, "call"),
                        "3 3 0 0 0");
    struct carnet_id zoe = found_one(office, "zoé"), ali = found_one(office, "ali");
    assert_string_equal(world_value(office, &zoe, "email"), "");
    assert_string_equal(consent_of(office, &zoe, "newsletter"), "objected  ");
    assert_string_equal(world_value(office, &zoe, "phone"), "+33639980001");
    assert_string_equal(world_value(office, &ali, "email"), "ali@example.org");
    assert_string_equal(world_value(office, &ali, "phone"), "");
    /* who wants no contact at all is there, shut, for the next list to be known again by */
    assert_int_equal(find_count(office, "eve"), 0);
    assert_int_equal(find_count(office, ""), 3);
    assert_string_equal(import(office, "external_id,given,email,email_opt_in\n3,Eve,eve@example.org,yes\n", "2027-01-01", "newsletter"), "1 0 0 1 0");
    assert_int_equal(find_count(office, "eve"), 0);
    /* an objection to filing alone is not one to everything */
    assert_int_equal(object(office, &ali, "file", false), CARNET_OK);
    assert_string_equal(world_value(office, &ali, "email"), "ali@example.org");
    assert_string_equal(import(office, "external_id,given,do_not_contact\n2,Ali,yes\n", "2027-01-01", NULL), "1 0 1 0 0");
    assert_string_equal(world_value(office, &ali, "email"), "");
    assert_string_equal(import(office, "external_id,given,do_not_contact,tags\n2,Ali,yes,presse\n", "2027-01-01", NULL), "1 0 0 1 0");
    world_verify(office);
}

static void evidence_of_imports_stays_with_their_grants(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct import_case how = { .source = "first list", .grants = "newsletter|sms", .rejects_fd = -1 };
    assert_int_equal(import_with(office, "external_id,given\n1,Zoé\n", &how, &last_import), CARNET_OK);
    struct carnet_id zoe = found_one(office, "");
    how.source = "second list";
    how.grants = "call|sms";
    assert_int_equal(import_with(office, "external_id,given\n1,Zoé\n", &how, &last_import), CARNET_OK);
    assert_int_equal(last_import.updated, 1);
    assert_int_equal(grant(office, &zoe, "file", "said so", ""), CARNET_OK); /* the evidence of the first list bears this name */
    assert_string_equal(consent_of(office, &zoe, "file"), "renewed said so ");
    assert_string_equal(consent_of(office, &zoe, "newsletter"), "given first list ");
    assert_string_equal(consent_of(office, &zoe, "sms"), "given first list ");
    assert_string_equal(consent_of(office, &zoe, "call"), "given second list ");
}

static void rejected_rows_are_kept_and_read_again_once_corrected(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    char path[128], text[4096] = "";
    snprintf(path, sizeof path, "%s/rejects.csv", world->dir);
    struct import_case how = { .rejects_fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), .grants = "newsletter" };
    const char *list = "given;family;email\nZoé;Martin;zoe@example.org\nAli;Noor;not an address\n;;\nEve;Noor;eve@\n";
    assert_int_equal(import_with(office, list, &how, &last_import), CARNET_OK);
    assert_string_equal(counts_of(&last_import), "3 1 0 0 2");
    assert_true(pread(how.rejects_fd, text, sizeof text - 1, 0) > 0);
    assert_non_null(strstr(text, "not an address"));
    close(how.rejects_fd);
    /* as it is, it is rejected again */
    assert_string_equal(import(office, text, NULL, "newsletter"), "2 0 0 0 2");
    for (char *at; (at = strstr(text, "not an address"));)
        memcpy(at, "al@example.org", 14);
    for (char *at; (at = strstr(text, "eve@"));)
        memcpy(at, "    ", 4);
    assert_string_equal(import(office, text, NULL, "newsletter"), "2 2 0 0 0");
    assert_int_equal(find_count(office, "noor"), 2);
}

static void a_full_disk_for_the_rejects_stops_the_import(void **state)
{
    struct world *world = *state;
    struct import_case how = { .rejects_fd = open("/dev/full", O_WRONLY) };
    if (how.rejects_fd < 0)
        skip();
    assert_int_equal(import_with(&world->nodes[0], "given,email\nZoé,\nAli,bad\n", &how, &last_import), CARNET_FAILED);
    assert_int_equal(find_count(&world->nodes[0], ""), 0);
    close(how.rejects_fd);
}

static void an_import_says_what_it_needs(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_rows *rows;
    struct carnet_rows_options options = { .format = CARNET_ROWS_AUTO };
    struct carnet_slice fame = S("fame");
    struct carnet_import_options import = { .book = world->book, .rejects_fd = -1, .ground = ground_of("x", "") };
    assert_int_equal(carnet_rows_open_bytes(S("given\nZoé\n"), &options, &rows, &world->err), CARNET_OK);
    assert_int_equal(carnet_people_import(office->replica, rows, &import, &last_import, &world->err), CARNET_USAGE);
    import.ground.collected_ms = 1;
    import.grants = &fame;
    import.grant_count = 1;
    assert_int_equal(carnet_people_import(office->replica, rows, &import, &last_import, &world->err), CARNET_USAGE);
    import.grant_count = 0;
    import.ground.source = CARNET_SLICE_NONE;
    assert_int_equal(carnet_people_import(office->replica, rows, &import, &last_import, &world->err), CARNET_USAGE);
    import.ground = ground_of("x", "");
    import.ground.collected_ms = carnet_replica_wall_ms(office->replica);
    import.book.b[3] ^= 1; /* a book that there is not */
    assert_int_equal(carnet_people_import(office->replica, rows, &import, &last_import, &world->err), CARNET_LOCKED);
    carnet_rows_close(rows);
    assert_int_equal(find_count(office, ""), 0);
    /* and nothing is left half-way */
    added(office, "given=Zoé", "");
    world_verify(office);
}

static void a_household_shares_one_phone(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    const char *list = "given,family,phone\nZoé,Martin,01 99 00 12 34\nAli,Martin,01 99 00 12 34\nÈve,Martin,01 99 00 12 34\n";
    assert_string_equal(import(office, list, NULL, "call"), "3 3 0 0 0");
    assert_string_equal(import(office, list, NULL, "call"), "3 0 0 3 0");
    assert_string_equal(find(office, "0199001234", 0), "Ali Ève Zoé");
}

static void a_hundred_rows_with_one_address(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_buf file;
    carnet_buf_init(&file, 1 << 16);
    carnet_buf_append_str(&file, "given,family,email\n");
    for (unsigned i = 0; i < 100; i++)
        carnet_buf_printf(&file, "N%02u,Club,club@example.org\n", i);
    for (unsigned i = 0; i < 100; i++) /* and those who are nothing but this address are one */
        carnet_buf_append_str(&file, ",,club@example.org\n");
    assert_string_equal(import(office, carnet_buf_cstr(&file), NULL, "newsletter"), "200 101 0 99 0");
    assert_string_equal(import(office, carnet_buf_cstr(&file), NULL, "newsletter"), "200 0 0 200 0");
    assert_int_equal(find_count(office, "club@example.org"), 101);
    carnet_buf_deinit(&file);
    world_verify(office);
}

static void one_row_that_is_two_contacts_is_counted(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    added(office, "given=Zoé|family=Martin|email=zoe@example.org", "newsletter");
    added(office, "given=Zoé|family=Martin|email=zoe@example.org", "newsletter");
    assert_string_equal(import(office, "given,family,email,language\nZoé,Martin,zoe@example.org,fr\n", NULL, NULL), "1 0 1 0 0");
    assert_int_equal(last_import.duplicates, 1);
    assert_int_equal(find_count(office, "language:fr"), 1);
}

struct halting {
    struct world_node *node;
    uint64_t rows, stop_at, calls;
};

static bool halt(void *ctx, uint64_t rows, uint64_t bytes, uint64_t total)
{
    struct halting *halting = ctx;
    assert_false(carnet_store_in_transaction(carnet_replica_store(halting->node->replica)));
    assert_true(bytes <= total);
    halting->rows = rows;
    halting->calls++;
    return rows < halting->stop_at;
}

static void an_import_that_is_stopped_keeps_what_is_done_and_goes_on(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_buf file;
    struct halting halting = { .node = office, .stop_at = 2000 };
    struct import_case how = { .rejects_fd = -1, .progress = halt, .ctx = &halting };
    carnet_buf_init(&file, 1 << 20);
    carnet_buf_append_str(&file, "given,family,nationbuilder_id\n");
    for (unsigned i = 0; i < 3500; i++)
        carnet_buf_printf(&file, "N%u,Martin,%u\n", i, i + 1);
    assert_int_equal(import_with(office, carnet_buf_cstr(&file), &how, &last_import), CARNET_CANCELLED);
    assert_int_equal(halting.rows, 2000);
    assert_string_equal(counts_of(&last_import), "2000 2000 0 0 0");
    assert_int_equal(find_count(office, ""), 2000);
    world_verify(office);
    halting.stop_at = UINT64_MAX;
    assert_int_equal(import_with(office, carnet_buf_cstr(&file), &how, &last_import), CARNET_OK);
    assert_string_equal(counts_of(&last_import), "3500 1500 0 2000 0");
    assert_int_equal(find_count(office, ""), 3500);
    carnet_buf_deinit(&file);
}

/* Between two transactions others work: what they write is seen, what they erase is not written again. */
struct meddling {
    struct world_node *node;
    struct carnet_id zoe;
    bool done;
};

static bool meddle(void *ctx, uint64_t rows, uint64_t bytes, uint64_t total)
{
    struct meddling *m = ctx;
    (void)rows;
    (void)bytes;
    (void)total;
    if (!m->done) {
        m->done = true;
        struct carnet_view view = world_view(m->node, &m->zoe);
        struct carnet_withdrawn withdrawn;
        assert_int_equal(withdraw(m->node, &m->zoe, "newsletter", false, &withdrawn), CARNET_OK);
        assert_int_equal(edit(m->node, &m->zoe, "language=fr", false), CARNET_OK);
        assert_string_equal(import(m->node, "nationbuilder_id,given\n2900,Within\n", "2026-09-21", NULL), "1 1 0 0 0");
        (void)view;
    }
    return true;
}

static void others_may_work_between_two_transactions(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_buf file;
    struct meddling m = { .node = office, .zoe = added(office, "given=Zoé|family=Martin|email=zoe@example.org", "file|newsletter") };
    struct import_case how = { .rejects_fd = -1, .progress = meddle, .ctx = &m, .grants = "newsletter" };
    carnet_buf_init(&file, 1 << 20);
    carnet_buf_append_str(&file, "given,family,email,nationbuilder_id\n");
    for (unsigned i = 0; i < 2999; i++)
        carnet_buf_printf(&file, "N%u,Martin,,%u\n", i, i + 1);
    carnet_buf_append_str(&file, "Zoé,Martin,zoe@example.org,\n");
    world_pass(world, DAY_MS);
    assert_int_equal(import_with(office, carnet_buf_cstr(&file), &how, &last_import), CARNET_OK);
    carnet_buf_deinit(&file);
    assert_int_equal(last_import.rows, last_import.created + last_import.updated + last_import.unchanged + last_import.rejected);
    assert_int_equal(find_count(office, ""), 3000);
    assert_string_equal(consent_of(office, &m.zoe, "newsletter"), "withdrawn market ");
    assert_string_equal(world_value(office, &m.zoe, "email"), "");
    world_verify(office);
}

static void two_offices_import_the_same_list(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *other = world_join(world, "Lyon", CARNET_ROLE_OFFICE, NULL, 0, 0);
    assert_string_equal(import(office, "external_id,given\n1,Zoé\n", "2025-03-01", NULL), "1 1 0 0 0");
    world_exchange(world);
    struct carnet_id zoe = found_one(other, "");
    assert_string_equal(import(office, "external_id,given,family\n1,Zoé,Martin\n", "2025-04-01", NULL), "1 0 1 0 0");
    assert_string_equal(import(other, "external_id,given,family,language\n1,Zoé,Martin,fr\n", "2025-05-01", NULL), "1 0 1 0 0");
    world_exchange(world);
    assert_string_equal(conflicts_of(office), ""); /* two marks are no conflict */
    assert_int_equal(world_view(office, &zoe).conflicts, 0);
    assert_string_equal(import(other, "external_id,given,family,language\n1,Zoé,Durand,en\n", "2025-06-01", NULL), "1 0 1 0 0");
    world_exchange(world);
    assert_string_equal(world_value(office, &zoe, "language"), "en");
    world_same(world);
}

static void a_volunteer_imports_what_it_may_write(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *ali = world_join(world, "Ali", CARNET_ROLE_VOLUNTEER, NULL, 0, 0);
    struct import_case how = { .rejects_fd = -1, .grants = "newsletter" };
    world_exchange(world);
    assert_string_equal(import(ali, "external_id,given,city\n1,Zoé,Grenoble\n", NULL, "mail"), "1 1 0 0 0");
    assert_int_equal(import_with(ali, "external_id,given,email\n2,Eve,eve@example.org\n", &how, &last_import), CARNET_REFUSED);
    world_exchange(world);
    assert_int_equal(find_count(office, "city:grenoble"), 1);
    assert_int_equal(find_count(office, "eve"), 0);
    world_same(world);
}

/* --- dates and durations --- */

static int64_t date(const char *text)
{
    int64_t ms = -1;
    struct carnet_err err = CARNET_ERR_INIT;
    if (carnet_date_parse(S(text), &ms, &err) != CARNET_OK)
        fail_msg("%s: %s", text, err.what);
    return ms;
}

static void dates_go_round(void **state)
{
    struct carnet_buf text;
    (void)state;
    carnet_buf_init(&text, 64);
    assert_int_equal(date("1970-01-01"), 0);
    assert_int_equal(date("2000-02-29"), INT64_C(951782400000));
    assert_int_equal(date("2026-03-15"), INT64_C(1773532800000));
    assert_int_equal(date("1969-12-31"), -DAY_MS);
    assert_int_equal(date("0000-01-01"), INT64_C(-62167219200000));
    assert_int_equal(date("9999-12-31"), INT64_C(253402214400000));
    for (int64_t ms = date("1890-01-01"), end = date("2110-01-01"); ms < end; ms += DAY_MS) {
        carnet_buf_clear(&text);
        carnet_time_format(ms, &text);
        assert_int_equal(text.len, 20);
        assert_memory_equal(text.ptr + 10, "T00:00:00Z", 10);
        int64_t again;
        assert_int_equal(carnet_date_parse(carnet_slice(text.ptr, 10), &again, NULL), CARNET_OK);
        assert_int_equal(again, ms);
    }
    static const char *const wrong[] = { "",           "2026",       "2026-3-15",   "2026-13-01", "2026-00-10", "2026-01-00", "2026-01-32", "2026-02-29", "1900-02-29",
                                         "2026-04-31", "2026/03/15", "2026-03-15 ", "-026-03-15", "2026-0a-15", "２０26-03", "15-03-2026" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct carnet_err err = CARNET_ERR_INIT;
        int64_t ms;
        if (carnet_date_parse(S(wrong[i]), &ms, &err) != CARNET_USAGE)
            fail_msg("\"%s\" is a date", wrong[i]);
        assert_true(err.what[0] && err.hint[0]);
    }
    assert_int_equal(date("2000-02-29") - date("2000-02-28"), DAY_MS);
    assert_int_equal(date("1900-03-01") - date("1900-02-28"), DAY_MS);
    carnet_buf_deinit(&text);
}

static void moments_are_written_in_utc(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = { { 0, "1970-01-01T00:00:00Z" },  { 999, "1970-01-01T00:00:00Z" },           { 1000, "1970-01-01T00:00:01Z" },
                  { -1, "1969-12-31T23:59:59Z" }, { -DAY_MS, "1969-12-31T00:00:00Z" },       { INT64_C(1790000000000), "2026-09-21T14:13:20Z" },
                  { INT64_MAX, "292278994-08-17T07:12:55Z" }, { INT64_MIN, "-292275055-05-16T16:47:04Z" } };
    struct carnet_buf text;
    (void)state;
    carnet_buf_init(&text, 64);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        carnet_buf_clear(&text);
        carnet_time_format(cases[i].ms, &text);
        assert_string_equal(carnet_buf_cstr(&text), cases[i].text);
    }
    carnet_buf_deinit(&text);
}

static void durations_have_a_number_and_a_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = { { "0s", 0 }, { "1s", 1000 }, { "90m", 5400000 }, { "24h", 86400000 }, { "90d", 90 * DAY_MS }, { "999999999d", 999999999 * DAY_MS } };
    static const char *const wrong[] = { "", "1", "d", "-1d", "+1d", "1 d", "1.5h", "1w", "1D", "1d ", "9999999999d", "1hh" };
    int64_t ms;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(carnet_duration_parse(S(good[i].text), &ms, NULL), CARNET_OK);
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct carnet_err err = CARNET_ERR_INIT;
        if (carnet_duration_parse(S(wrong[i]), &ms, &err) != CARNET_USAGE)
            fail_msg("\"%s\" is a duration", wrong[i]);
        assert_true(err.what[0] && err.hint[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(add_grants_file_and_covers_by_purpose, set_up, tear_down),
        cmocka_unit_test_setup_teardown(add_says_what_it_needs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(edit_covers_empties_and_keeps_labels_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rectify_drops_what_was_there_everywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tags_are_set_removed_and_of_one_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_note_needs_its_purpose_and_shuts_with_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erasing_takes_the_notes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(withdrawing_blocks_and_saying_it_twice_writes_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(objecting_to_all_shuts_everything_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(agreeing_again_needs_paper_and_another_member, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_volunteer_may_countersign_and_object, set_up, tear_down),
        cmocka_unit_test_setup_teardown(now_destroys_the_keys_of_what_is_withdrawn_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(evidence_stays_with_its_grant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_who_grant_at_once_are_in_no_conflict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_grant_ends_and_may_be_given_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_conflict_is_settled_by_a_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_conflict_is_settled_by_its_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_values_are_kept_under_free_labels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_label_is_cut_between_two_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_emptied_while_the_other_wrote, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_written_twice_is_no_conflict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_wrote_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(found_ones_come_in_order_of_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_query_is_said_to_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_blocked_is_never_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_book_can_be_searched_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_than_can_be_sorted_come_as_they_arrived, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_are_known_again_by_the_id_of_their_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_are_known_again_by_name_birth_and_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(homonyms_without_addresses_stay_two_people, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_file_again_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_two_rows_about_one_person_the_first_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_later_list_updates_an_older_one_and_never_what_was_typed_since, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_emptied_or_removed_by_hand_stays_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_an_expired_grant_hides_is_not_overwritten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_never_speaks_over_a_refusal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opting_out_is_an_objection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(evidence_of_imports_stays_with_their_grants, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rejected_rows_are_kept_and_read_again_once_corrected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_for_the_rejects_stops_the_import, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_import_says_what_it_needs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_household_shares_one_phone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hundred_rows_with_one_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_row_that_is_two_contacts_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_import_that_is_stopped_keeps_what_is_done_and_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_may_work_between_two_transactions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_offices_import_the_same_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_volunteer_imports_what_it_may_write, set_up, tear_down),
        cmocka_unit_test(dates_go_round),
        cmocka_unit_test(moments_are_written_in_utc),
        cmocka_unit_test(durations_have_a_number_and_a_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
