// SPDX-License-Identifier: EUPL-1.2
/* Imports as a whole: rolls, the record that each one leaves, what its undoing takes back and what it leaves. */
#include "replica_world.h"

#include "carnet/people/imports.h"
#include "carnet/people/rows.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/people/imports.h"

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

struct how {
    const char *source, *collected, *grant, *ballot;
    enum carnet_basis basis;
    uint64_t stop_after; /* rows; 0: never */
    struct world_node *node;
};

static bool until_enough(void *ctx, uint64_t rows, uint64_t bytes, uint64_t total)
{
    const struct how *how = ctx;
    (void)bytes, (void)total;
    return !how->stop_after || rows < how->stop_after;
}

static struct carnet_import_result done;

static carnet_rc try_import(struct world_node *node, const char *text, struct how how)
{
    struct world *world = node->world;
    struct carnet_rows *rows;
    struct carnet_slice grants[] = { S(how.grant) };
    const struct carnet_rows_options row_options = { .format = CARNET_ROWS_AUTO };
    struct carnet_import_options options = { .book = world->book, .grants = grants, .grant_count = how.grant ? 1 : 0, .rejects_fd = -1, .progress = until_enough, .ctx = &how,
                                             .file = S("list.csv") };
    options.ground = (struct carnet_ground){ .basis = how.basis ? how.basis : CARNET_BASIS_CONSENT, .source = S(how.source ? how.source : "list") };
    assert_int_equal(carnet_date_parse(S(how.collected ? how.collected : "2026-09-20"), &options.ground.collected_ms, &world->err), CARNET_OK);
    if (how.ballot)
        assert_int_equal(carnet_date_parse(S(how.ballot), &options.ballot_ms, &world->err), CARNET_OK);
    assert_int_equal(carnet_rows_open_bytes(S(text), &row_options, &rows, &world->err), CARNET_OK);
    carnet_rc rc = carnet_people_import(node->replica, rows, &options, &done, &world->err);
    carnet_rows_close(rows);
    if (!rc)
        assert_int_equal(done.rows, done.created + done.updated + done.unchanged + done.rejected + done.suppressed);
    return rc;
}

static struct carnet_id import(struct world_node *node, const char *text, struct how how)
{
    if (try_import(node, text, how) != CARNET_OK)
        fail_msg("import: %s", node->world->err.what);
    return done.import;
}

static struct carnet_undo_result undone;

static carnet_rc try_undo(struct world_node *node, const struct carnet_id *id, bool (*progress)(void *ctx, uint64_t at, uint64_t total), void *ctx)
{
    struct carnet_imported imported;
    struct carnet_arena arena;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_people_imported(node->replica, S(carnet_id_text(id).s), &arena, &imported, &node->world->err);
    if (!rc)
        rc = carnet_people_import_undo(node->replica, &imported, progress, ctx, &undone, &node->world->err);
    carnet_arena_deinit(&arena);
    return rc;
}

static void undo(struct world_node *node, const struct carnet_id *id)
{
    if (try_undo(node, id, NULL, NULL) != CARNET_OK)
        fail_msg("undo: %s", node->world->err.what);
}

struct found {
    struct carnet_id id;
    size_t count;
};

static bool each_found(void *ctx, const struct carnet_view *view)
{
    struct found *found = ctx;
    found->id = view->id;
    found->count++;
    return true;
}

static struct found find(struct world_node *node, const char *query)
{
    struct found found = { .count = 0 };
    const struct carnet_find_options options = { .query = S(query) };
    assert_int_equal(carnet_people_find(node->replica, &options, each_found, NULL, &found, &node->world->err), CARNET_OK);
    return found;
}

static struct carnet_id the_one(struct world_node *node, const char *query)
{
    struct found found = find(node, query);
    assert_int_equal(found.count, 1);
    return found.id;
}

static enum carnet_consent_state state_of(struct world_node *node, const struct carnet_id *id, const char *purpose)
{
    struct carnet_view view = world_view(node, id);
    return carnet_consent_evaluate(carnet_replica_charter(node->replica), view.person, view.person_count, S(purpose), carnet_replica_now_ms(node->replica)).state;
}

struct listed {
    size_t count;
    enum carnet_imported_state state; /* of the last one */
    char text[2048];
};

static bool each_listed(void *ctx, const struct carnet_imported *imported)
{
    struct listed *list = ctx;
    list->count++;
    list->state = imported->state;
    snprintf(list->text, sizeof list->text, "%.*s", (int)imported->text.len, (const char *)imported->text.ptr);
    return true;
}

static struct listed list(struct world_node *node)
{
    struct listed out = { .count = 0 };
    assert_int_equal(carnet_people_imports(node->replica, each_listed, &out, &node->world->err), CARNET_OK);
    return out;
}

static bool has_tag(struct world_node *node, const struct carnet_id *id, const char *tag)
{
    struct carnet_view view = world_view(node, id);
    for (size_t i = 0; i < view.cell_count; i++)
        if (view.cells[i].field == CARNET_FIELD_TAG && carnet_slice_equal(view.cells[i].label, S(tag)) && view.cells[i].siblings[0]->value.len)
            return true;
    return false;
}

static const char three[] = "external_id,given,family,email,tags\n1,Zoé,Martin,zoe@example.org,presse\n2,Ali,Noor,ali@example.org,\n3,Eve,Petit,eve@example.org,\n";

/* --- rolls --- */

static const char roll[] = "given,family,born,street,city,email,phone,newsletter\nZoé,Martin,1980-02-03,3 rue Haute,Grenoble,zoe@example.org,0639980001,yes\n"
                           "Ali,Noor,1990-01-01,4 rue Haute,Grenoble,,,\n";

static void a_roll_needs_its_ballot_and_permits_two_uses(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    assert_int_equal(try_import(office, roll, (struct how){ .basis = CARNET_BASIS_ROLL }), CARNET_USAGE);
    assert_int_equal(try_import(office, roll, (struct how){ .ballot = "2027-03-14" }), CARNET_USAGE);
    assert_int_equal(try_import(office, roll, (struct how){ .basis = CARNET_BASIS_ROLL, .ballot = "2027-03-14", .grant = "newsletter" }), CARNET_USAGE);
    assert_int_equal(try_import(office, roll, (struct how){ .basis = CARNET_BASIS_ROLL, .ballot = "2026-03-14" }), CARNET_USAGE); /* before it was collected */
    assert_int_equal(find(office, "").count, 0);
    assert_int_equal(list(office).count, 0);

    import(office, roll, (struct how){ .basis = CARNET_BASIS_ROLL, .ballot = "2027-03-14" });
    assert_true(done.created == 2 && done.uncovered == 2 && done.refused == 1); /* e-mail and phone; what no roll can say */
    struct carnet_id zoe = the_one(office, "zoé");
    assert_string_equal(world_value(office, &zoe, "street"), "3 rue Haute");
    assert_string_equal(world_value(office, &zoe, "email"), "");
    assert_int_equal(state_of(office, &zoe, "mail"), CARNET_CONSENT_GIVEN);
    assert_int_equal(state_of(office, &zoe, "canvass"), CARNET_CONSENT_GIVEN);
    assert_int_equal(state_of(office, &zoe, "newsletter"), CARNET_CONSENT_NONE);
    assert_int_equal(state_of(office, &zoe, "file"), CARNET_CONSENT_NONE);
    struct listed all = list(office);
    assert_non_null(strstr(all.text, "basis: roll"));
    assert_non_null(strstr(all.text, "ballot: 2027-03-14"));
    /* the evidence of each contact says for which ballot, and which import it was */
    struct carnet_view view = world_view(office, &zoe);
    bool told = false;
    for (size_t i = 0; i < view.record.live_count; i++)
        if (view.record.live[i].field == CARNET_FIELD_EVIDENCE)
            told = carnet_slice_equal(carnet_imported_get(view.record.live[i].value, "ballot"), S("2027-03-14")) &&
                   carnet_slice_equal(carnet_imported_get(view.record.live[i].value, "import"), S(carnet_id_text(&done.import).s));
    assert_true(told);
    import(office, roll, (struct how){ .basis = CARNET_BASIS_ROLL, .ballot = "2027-03-14" });
    assert_int_equal(done.unchanged, 2);
    /* the day after, nothing of it is used */
    world_pass(world, INT64_C(200) * 86400000);
    assert_int_equal(state_of(office, &zoe, "mail"), CARNET_CONSENT_EXPIRED);
    assert_string_equal(world_value(office, &zoe, "street"), "");
}

static void a_file_that_is_a_roll_is_taken_as_one(void **state)
{
    struct world *world = *state;
    const char *reu = "\"code du département\";\"nom de naissance\";\"nom d'usage\";\"prénoms\";\"sexe\";\"date de naissance\";\"commune de naissance\";\"numéro d'ordre\";"
                      "\"code du bureau de vote\";\"type de liste\";\"numéro de voie\";\"libellé de voie\";\"code postal\";\"commune\";\"numéro d'électeur\"\n"
                      "\"38\";\"MARTIN\";\"\";\"Zoé\";\"F\";\"03/02/1980\";\"Lyon\";\"1\";\"0001\";\"LP\";\"3\";\"rue Haute\";\"38000\";\"Grenoble\";\"12345678\"\n";
    struct carnet_rows *rows;
    const struct carnet_rows_options options = { .format = CARNET_ROWS_AUTO };
    assert_int_equal(carnet_rows_open_bytes(S(reu), &options, &rows, &world->err), CARNET_OK);
    bool is = carnet_rows_is_roll(rows);
    carnet_rows_close(rows);
    assert_true(is);
    assert_int_equal(try_import(&world->nodes[0], reu, (struct how){ .grant = "mail" }), CARNET_REFUSED);
    assert_int_equal(find(&world->nodes[0], "").count, 0);
    assert_int_equal(try_import(&world->nodes[0], reu, (struct how){ .basis = CARNET_BASIS_ROLL, .ballot = "2027-03-14" }), CARNET_OK);
}

/* --- records --- */

static void an_import_leaves_a_record_and_one_that_writes_nothing_none(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    import(office, three, (struct how){ .source = "liste\npapier", .grant = "newsletter" });
    struct listed all = list(office);
    assert_true(all.count == 1 && all.state == CARNET_IMPORTED_DONE);
    assert_non_null(strstr(all.text, "source: liste papier\ncollected: 2026-09-20\nbasis: consent\ngrants: file newsletter\nfile: list.csv\nrows: 3\ncreated: 3\n"));
    assert_non_null(strstr(all.text, "finished: "));
    import(office, three, (struct how){ .source = "liste\npapier", .grant = "newsletter" });
    assert_int_equal(done.unchanged, 3);
    assert_int_equal(list(office).count, 1);
    assert_int_equal(try_undo(office, &done.import, NULL, NULL), CARNET_NOT_FOUND);
    struct carnet_id zoe = the_one(office, "zoé");
    assert_int_equal(try_undo(office, &zoe, NULL, NULL), CARNET_NOT_FOUND); /* a contact is no import */
    world_verify(office);
}

static char *many(size_t count)
{
    struct carnet_buf text;
    carnet_buf_init(&text, 1 << 20);
    carnet_buf_append_str(&text, "external_id,given,family,email\n");
    for (size_t i = 0; i < count; i++)
        carnet_buf_printf(&text, "%zu,Given%zu,Family%zu,p%zu@example.org\n", i, i, i, i);
    char *out = carnet_strdup_slice(carnet_buf_slice(&text));
    carnet_buf_deinit(&text);
    return out;
}

static bool once(void *ctx, uint64_t at, uint64_t total)
{
    size_t *times = ctx;
    assert_true(at <= total);
    return (*times)-- > 0;
}

static void what_was_interrupted_is_listed_and_both_go_on(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    char *text = many(2500);
    assert_int_equal(try_import(office, text, (struct how){ .grant = "newsletter", .stop_after = 1000 }), CARNET_CANCELLED);
    struct carnet_id first = done.import;
    assert_int_equal(list(office).state, CARNET_IMPORTED_INTERRUPTED);
    assert_int_equal(find(office, "").count, 1000);
    import(office, text, (struct how){ .grant = "newsletter" });
    assert_true(done.created == 1500 && done.unchanged == 1000);
    struct carnet_id second = done.import;
    assert_int_equal(list(office).state, CARNET_IMPORTED_DONE);

    size_t times = 1;
    assert_int_equal(try_undo(office, &second, once, &times), CARNET_CANCELLED);
    assert_int_equal(list(office).state, CARNET_IMPORTED_INTERRUPTED);
    size_t left = find(office, "").count;
    assert_true(left > 1000 && left < 2500);
    world_reopen(office); /* as after a kill */
    undo(office, &second);
    assert_int_equal(undone.erased, left - 1000);
    assert_int_equal(find(office, "").count, 1000);
    assert_int_equal(list(office).state, CARNET_IMPORTED_UNDONE);
    undo(office, &second);
    assert_int_equal(undone.erased + undone.restored, 0);
    undo(office, &first); /* an interrupted one too */
    assert_int_equal(find(office, "").count, 0);
    import(office, text, (struct how){ .grant = "newsletter" });
    assert_int_equal(done.created, 2500);
    world_verify(office);
    free(text);
}

struct between {
    struct world_node *node;
    struct carnet_id id;
};

static bool write_between(void *ctx, uint64_t rows, uint64_t bytes, uint64_t total)
{
    struct between *between = ctx;
    (void)bytes, (void)total;
    struct listed all = list(between->node);
    assert_int_equal(all.state, CARNET_IMPORTED_RUNNING);
    assert_int_equal(try_undo(between->node, &done.import, NULL, NULL), CARNET_CONFLICT);
    if (rows == 1000)
        between->id = world_add(between->node, "given=Typed", "file");
    return true;
}

static void what_others_write_between_two_transactions_is_not_its_own(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct between between = { .node = office };
    struct carnet_rows *rows;
    char *text = many(2500);
    const struct carnet_rows_options row_options = { .format = CARNET_ROWS_AUTO };
    struct carnet_import_options options = { .book = world->book, .rejects_fd = -1, .progress = write_between, .ctx = &between,
                                             .ground = { .basis = CARNET_BASIS_CONSENT, .source = S("list"), .collected_ms = WORLD_MS } };
    assert_int_equal(carnet_rows_open_bytes(S(text), &row_options, &rows, &world->err), CARNET_OK);
    assert_int_equal(carnet_people_import(office->replica, rows, &options, &done, &world->err), CARNET_OK);
    carnet_rows_close(rows);
    free(text);
    undo(office, &done.import);
    assert_int_equal(undone.erased, 2500);
    assert_string_equal(world_value(office, &between.id, "given"), "Typed");
    assert_int_equal(find(office, "").count, 1);
}

static void ranges_are_read_as_they_were_written_and_nothing_else(void **state)
{
    const struct carnet_range ranges[] = { { 4, 1, 10 }, { 4, 12, 21 }, { 5, 3, 3 }, { 131076, 7, UINT64_C(4000000000000) } };
    struct carnet_arena arena;
    struct carnet_buf text;
    size_t count;
    (void)state;
    carnet_arena_init(&arena);
    carnet_buf_init(&text, 1000);
    carnet_ranges_put(ranges, 4, &text);
    assert_string_equal(carnet_buf_cstr(&text), "entries: 4:1-10,12-21 5:3-3 131076:7-4000000000000");
    struct carnet_range *again = carnet_ranges_read(carnet_buf_slice(&text), &arena, &count);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(again[i].stream == ranges[i].stream && again[i].from == ranges[i].from && again[i].to == ranges[i].to);
    struct carnet_dot dot = { .stream = 4, .seq = 10 };
    assert_true(carnet_ranges_hold(again, count, &dot));
    dot.seq = 11;
    assert_false(carnet_ranges_hold(again, count, &dot));
    dot = (struct carnet_dot){ .stream = 5, .seq = 4 };
    assert_false(carnet_ranges_hold(again, count, &dot));
    static const char *const bad[] = { "entries: ", "entries: x", "entries: 4", "entries: 4:", "entries: 4:1", "entries: 4:9-1", "entries: 4:0-3", "entries: 4294967296:1-2",
                                       "entries: 4:1-", "rows: 4:1-2", "", "entries: 4:-1-2", "entries: 4:99999999999999999999-99999999999999999999" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        carnet_ranges_read(S(bad[i]), &arena, &count);
        assert_int_equal(count, 0);
    }
    carnet_buf_deinit(&text);
    carnet_arena_deinit(&arena);
}

/* --- undoing --- */

static void untouched_contacts_go_and_come_anew(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id id = import(office, three, (struct how){ .grant = "newsletter" }), zoe = the_one(office, "zoé");
    undo(office, &id);
    assert_true(undone.erased == 3 && undone.restored == 0);
    assert_int_equal(find(office, "").count, 0);
    import(office, three, (struct how){ .grant = "newsletter" });
    assert_int_equal(done.created, 3);
    struct carnet_id anew = the_one(office, "zoé");
    assert_false(carnet_id_equal(&zoe, &anew));
    assert_string_equal(world_value(office, &anew, "email"), "zoe@example.org"); /* no list of suppression stands in the way */
    world_verify(office);
}

static void later_writes_keep_a_contact_and_what_they_need(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id id = import(office, three, (struct how){ .grant = "newsletter" });
    struct carnet_id zoe = the_one(office, "zoé"), ali = the_one(office, "ali"), eve = the_one(office, "eve");
    const struct carnet_event grant = { .type = CARNET_EVENT_GRANT, .purpose = S("sms"), .basis = CARNET_BASIS_CONSENT, .since_ms = WORLD_MS };
    assert_int_equal(world_edit(office, &zoe, "given=Zo email=typed@example.org"), CARNET_OK);
    assert_int_equal(world_edit(office, &ali, "given=Alí"), CARNET_OK);
    assert_int_equal(world_event(office, &eve, &grant), CARNET_OK);
    undo(office, &id);
    assert_true(undone.erased == 0 && undone.restored == 3 && undone.kept == 2);
    assert_string_equal(world_value(office, &zoe, "given"), "Zo");
    assert_string_equal(world_value(office, &zoe, "family"), "");
    assert_string_equal(world_value(office, &zoe, "email"), "typed@example.org");
    assert_false(has_tag(office, &zoe, "presse"));
    assert_int_equal(state_of(office, &zoe, "newsletter"), CARNET_CONSENT_GIVEN); /* what was typed rests on it */
    assert_string_equal(world_value(office, &ali, "given"), "Alí");
    assert_int_equal(state_of(office, &ali, "file"), CARNET_CONSENT_GIVEN);
    assert_int_equal(state_of(office, &ali, "newsletter"), CARNET_CONSENT_INVALIDATED);
    assert_int_equal(state_of(office, &eve, "file"), CARNET_CONSENT_INVALIDATED);
    assert_int_equal(state_of(office, &eve, "sms"), CARNET_CONSENT_GIVEN);
    assert_string_equal(world_value(office, &eve, "family"), "");
    /* nothing is left to know them by: the same file makes these people anew */
    import(office, three, (struct how){ .grant = "newsletter" });
    assert_int_equal(done.created, 3);
    world_verify(office);
}

static void what_it_replaced_comes_back(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id ann = world_add(office, "given=Ann family=Blanc email=ann@example.org city=Paris", "file newsletter mail");
    world_pass(world, 1000);
    const char *text = "given,family,email,city,language,tags\nAnn,Blanc,ann@example.org,Lyon,fr,presse\n";
    struct carnet_id id = import(office, text, (struct how){ .collected = "2026-09-22", .grant = "mail" });
    assert_int_equal(done.updated, 1);
    assert_string_equal(world_value(office, &ann, "city"), "Lyon");
    undo(office, &id);
    assert_true(undone.restored == 1 && undone.kept == 0);
    assert_string_equal(world_value(office, &ann, "city"), "Paris");
    assert_string_equal(world_value(office, &ann, "language"), "");
    assert_string_equal(world_value(office, &ann, "given"), "Ann");
    assert_false(has_tag(office, &ann, "presse"));
    assert_int_equal(state_of(office, &ann, "mail"), CARNET_CONSENT_GIVEN); /* her own */
    /* what came back is as old as it was: a list from before does not go over it, the same one does */
    import(office, "given,family,email,city\nAnn,Blanc,ann@example.org,Nice\n", (struct how){ .collected = "2026-09-01" });
    assert_string_equal(world_value(office, &ann, "city"), "Paris");
    import(office, text, (struct how){ .collected = "2026-09-22", .grant = "mail" });
    assert_int_equal(done.updated, 1);
    assert_string_equal(world_value(office, &ann, "city"), "Lyon");
    assert_true(has_tag(office, &ann, "presse"));
    world_verify(office);
}

static void what_an_undone_import_wrote_does_not_come_back(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct carnet_id ann = world_add(office, "given=Ann family=Blanc email=ann@example.org city=Paris", "file newsletter mail");
    world_pass(world, 1000);
    struct carnet_id first = import(office, "given,family,email,city\nAnn,Blanc,ann@example.org,Lyon\n", (struct how){ .collected = "2026-09-22", .grant = "mail", .source = "a" });
    struct carnet_id second = import(office, "given,family,email,city\nAnn,Blanc,ann@example.org,Nice\n", (struct how){ .collected = "2026-09-22", .grant = "mail", .source = "b" });
    assert_string_equal(world_value(office, &ann, "city"), "Nice");
    undo(office, &first);
    assert_string_equal(world_value(office, &ann, "city"), "Nice"); /* the later one's */
    undo(office, &second);
    assert_string_equal(world_value(office, &ann, "city"), "Paris");
    world_verify(office);
}

/* Several files of one person, in each order, in communities of their own: the last one is what came of it. */
static void files_in_any_order_leave_the_same(void **state)
{
    static const struct {
        const char *text, *source, *collected, *grant;
    } files[] = {
        { "given,family,email,city\nZoé,Martin#,zoe#@example.org,Lyon\n", "a", "2026-03-01", "newsletter" },
        { "given,family,email,email_2,phone,city\nZOE,MARTIN#,zoe#@example.org,chez#@example.org,06399800!1,Nice\n", "b", "2026-05-01", "call" },
        { "given,family,email,phone,city\nZoé,Martin#,zoe#@example.org,06399800!2,Lyon\n", "c", "2026-06-01", "mail" },
        { "given,family,email,phone,city\nZoe,Martin#,chez#@example.org,06399800!1,Paris\n", "d", "2026-06-01", "mail" },
    };
    static const uint8_t orders[][4] = { { 0, 1, 2, 3 }, { 3, 1, 2, 0 }, { 1, 0, 3, 2 }, { 2, 1, 3, 0 }, { 1, 3, 0, 2 }, { 2, 0, 1, 3 } };
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        char who = (char)('a' + i), digit = (char)('1' + i), text[160], family[16], email[32], phone[16];
        for (size_t j = 0; j < 4; j++) {
            const uint8_t file = orders[i][j];
            snprintf(text, sizeof text, "%s", files[file].text);
            for (char *c = text; *c; c++)
                *c = *c == '#' ? who : *c == '!' ? digit : *c;
            import(office, text, (struct how){ .collected = files[file].collected, .grant = files[file].grant, .source = files[file].source });
        }
        snprintf(family, sizeof family, "Martin%c", who);
        snprintf(email, sizeof email, "zoe%c@example.org", who);
        snprintf(phone, sizeof phone, "+336399800%c1", digit);
        struct carnet_id zoe = the_one(office, family);
        assert_string_equal(world_value(office, &zoe, "given"), "Zoé");
        assert_string_equal(world_value(office, &zoe, "family"), family);
        assert_string_equal(world_value(office, &zoe, "email"), email);
        assert_string_equal(world_value(office, &zoe, "email/2"), "");
        assert_string_equal(world_value(office, &zoe, "phone"), phone);
        assert_string_equal(world_value(office, &zoe, "city"), "Paris"); /* of one day the greater */
    }
    assert_int_equal(find(office, "").count, sizeof orders / sizeof orders[0]);
    world_verify(office);
}

static void no_refusal_is_lifted(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    const char *text = "external_id,given,family,email,unsubscribed\n1,Zoé,Martin,zoe@example.org,yes\n2,Ali,Noor,ali@example.org,\n";
    struct carnet_id ann = world_add(office, "given=Ann family=Blanc email=ann@example.org", "file newsletter");
    struct carnet_id id = import(office, text, (struct how){ .grant = "newsletter" });
    struct carnet_id ali = the_one(office, "ali");
    assert_int_equal(world_refuse(office, &ali, CARNET_EVENT_WITHDRAW, "newsletter"), CARNET_OK);
    undo(office, &id);
    assert_int_equal(state_of(office, &ali, "newsletter"), CARNET_CONSENT_WITHDRAWN);
    /* the same people again: nobody may be written to who refused */
    import(office, text, (struct how){ .grant = "newsletter" });
    assert_int_equal(find(office, "consent:newsletter").count, 1);
    assert_int_equal(state_of(office, &ann, "newsletter"), CARNET_CONSENT_GIVEN);
    assert_int_equal(find(office, "email:*").count, 1);
    world_verify(office);
}

static void any_office_undoes_it_and_a_volunteer_does_not(void **state)
{
    struct world *world = *state;
    struct world_node *first = &world->nodes[0], *second = world_join(world, "second", CARNET_ROLE_OFFICE, NULL, 0, 0);
    struct world_node *volunteer = world_join(world, "volunteer", CARNET_ROLE_VOLUNTEER, NULL, 0, 0);
    world_exchange(world);
    struct carnet_id id = import(first, three, (struct how){ .grant = "newsletter" });
    struct carnet_id ali = the_one(first, "ali");
    world_exchange(world);
    assert_int_equal(list(second).count, 1);
    assert_int_equal(try_undo(volunteer, &id, NULL, NULL), CARNET_REFUSED);
    /* what a volunteer wrote meanwhile, unseen, is not lost sight of where it was seen */
    assert_int_equal(world_edit(volunteer, &ali, "given=Alí"), CARNET_OK);
    world_exchange(world);
    undo(second, &id);
    assert_true(undone.erased == 2 && undone.restored == 1);
    world_exchange(world);
    assert_int_equal(list(first).state, CARNET_IMPORTED_UNDONE);
    assert_int_equal(find(first, "").count, 1);
    assert_string_equal(world_value(first, &ali, "given"), "Alí");
    world_same(world);
    undo(first, &id);
    assert_int_equal(undone.erased, 0);
    /* the importer may be a volunteer */
    id = import(volunteer, "given,family\nMax,Roi\n", (struct how){ .grant = "mail" });
    world_exchange(world);
    undo(second, &id);
    world_exchange(world);
    assert_int_equal(find(volunteer, "max").count, 0);
    world_same(world);
}

static void an_agreement_that_is_found_invalid_counts_no_more(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0], *volunteer = world_join(world, "volunteer", CARNET_ROLE_VOLUNTEER, NULL, 0, 0);
    struct carnet_id ann = world_add(office, "given=Ann email=ann@example.org", "file newsletter");
    world_exchange(world);
    struct carnet_view view = world_view(volunteer, &ann);
    assert_int_equal(carnet_people_invalidate(volunteer->replica, &view, S("newsletter"), CARNET_SLICE_NONE, &world->err), CARNET_REFUSED);
    view = world_view(office, &ann);
    assert_int_equal(carnet_people_invalidate(office->replica, &view, S("sms"), CARNET_SLICE_NONE, &world->err), CARNET_NOT_FOUND);
    assert_int_equal(carnet_people_invalidate(office->replica, &view, S("nothing"), CARNET_SLICE_NONE, &world->err), CARNET_USAGE);
    assert_int_equal(carnet_people_invalidate(office->replica, &view, S("newsletter"), S("signed by\nsomebody else"), &world->err), CARNET_OK);
    assert_int_equal(state_of(office, &ann, "newsletter"), CARNET_CONSENT_INVALIDATED);
    assert_string_equal(world_value(office, &ann, "email"), "");
    view = world_view(office, &ann);
    assert_int_equal(carnet_people_invalidate(office->replica, &view, S("newsletter"), CARNET_SLICE_NONE, &world->err), CARNET_NOT_FOUND);
    bool told = false;
    for (size_t i = 0; i < view.record.live_count; i++)
        told |= carnet_slice_equal(carnet_imported_get(view.record.live[i].value, "invalidated"), S("signed by somebody else"));
    assert_true(told);
    /* no refusal: she may agree again, and no proof is asked for */
    const struct carnet_ground ground = { .basis = CARNET_BASIS_CONSENT, .source = S("form") };
    assert_int_equal(carnet_people_grant(office->replica, &view, S("newsletter"), &ground, &world->err), CARNET_OK);
    assert_string_equal(world_value(office, &ann, "email"), "ann@example.org");
    world_exchange(world);
    world_same(world);
}

static void how_the_file_says_that_somebody_agreed_is_their_evidence(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    import(office,
           "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID,EUID\n"
           "zoe@example.org,Zoé,Martin,2,2021-03-04 10:00:00,192.0.2.7,2021-03-04 10:05:00,192.0.2.8,1001,abc1\n",
           (struct how){ .source = "letters" });
    struct carnet_id zoe = the_one(office, "zoé");
    struct carnet_view view = world_view(office, &zoe);
    size_t found = 0;
    for (size_t i = 0; i < view.record.live_count; i++) {
        const struct carnet_sibling *s = &view.record.live[i];
        if (s->field != CARNET_FIELD_EVIDENCE || !carnet_slice_equal(s->label, S("newsletter")))
            continue;
        found++;
        assert_true(carnet_slice_equal(carnet_imported_get(s->value, "source"), S("letters")));
        assert_true(carnet_slice_equal(carnet_imported_get(s->value, "optin_time"), S("2021-03-04T10:00:00Z")));
        assert_true(carnet_slice_equal(carnet_imported_get(s->value, "optin_address"), S("192.0.2.7")));
        assert_true(carnet_slice_equal(carnet_imported_get(s->value, "confirm_time"), S("2021-03-04T10:05:00Z")));
        assert_true(carnet_slice_equal(carnet_imported_get(s->value, "confirm_address"), S("192.0.2.8")));
    }
    assert_int_equal(found, 1);
    assert_int_equal(state_of(office, &zoe, "newsletter"), CARNET_CONSENT_GIVEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(a_roll_needs_its_ballot_and_permits_two_uses),
        CASE(a_file_that_is_a_roll_is_taken_as_one),
        CASE(an_import_leaves_a_record_and_one_that_writes_nothing_none),
        CASE(what_was_interrupted_is_listed_and_both_go_on),
        CASE(what_others_write_between_two_transactions_is_not_its_own),
        CASE(ranges_are_read_as_they_were_written_and_nothing_else),
        CASE(untouched_contacts_go_and_come_anew),
        CASE(later_writes_keep_a_contact_and_what_they_need),
        CASE(what_it_replaced_comes_back),
        CASE(what_an_undone_import_wrote_does_not_come_back),
        CASE(files_in_any_order_leave_the_same),
        CASE(no_refusal_is_lifted),
        CASE(any_office_undoes_it_and_a_volunteer_does_not),
        CASE(an_agreement_that_is_found_invalid_counts_no_more),
        CASE(how_the_file_says_that_somebody_agreed_is_their_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
