// SPDX-License-Identifier: EUPL-1.2
#include "replica_world.h"

#include "carnet/people/export.h"
#include "carnet/people/rows.h"
#include "carnet/replica/audit.h"

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

struct out {
    struct carnet_buf bytes;
    size_t stop_at; /* progress says no then; 0: never */
};

static bool append(void *ctx, struct carnet_slice bytes)
{
    struct out *out = ctx;
    carnet_buf_append_slice(&out->bytes, bytes);
    return !out->bytes.failed;
}

static bool go_on(void *ctx, uint64_t contacts)
{
    struct out *out = ctx;
    return !out->stop_at || contacts < out->stop_at;
}

static carnet_rc export_to(struct world_node *node, enum carnet_export_format format, const char *purpose, const struct carnet_export_reader *reader, struct out *out,
                           struct carnet_export_result *result)
{
    const struct carnet_export_options options = { .format = format, .purpose = S(purpose), .reader = reader, .reason = S(reader ? "" : "test"), .write = append,
                                                   .progress = go_on, .ctx = out };
    carnet_buf_init(&out->bytes, 64 << 20);
    return carnet_people_export(node->replica, &options, result, &node->world->err);
}

static carnet_rc import_from(struct world_node *node, struct carnet_slice bytes, struct carnet_import_result *result)
{
    const struct carnet_rows_options how = { .charter = carnet_replica_charter(node->replica) };
    struct carnet_slice grants[] = { S("newsletter"), S("call"), S("profile") };
    const struct carnet_import_options options = { .book = node->world->book, .grants = grants, .grant_count = 3,
                                                   .ground = { .basis = CARNET_BASIS_CONSENT, .source = S("export"), .collected_ms = WORLD_MS }, .rejects_fd = -1 };
    struct carnet_rows *rows;
    carnet_rc rc = carnet_rows_open_bytes(bytes, &how, &rows, &node->world->err);
    if (!rc)
        rc = carnet_people_import(node->replica, rows, &options, result, &node->world->err);
    carnet_rows_close(rows);
    return rc;
}

static bool holds(const struct out *out, const char *text)
{
    return memmem(out->bytes.ptr, out->bytes.len, text, strlen(text)) != NULL;
}

/* Texts that break quoting, escaping, folding, and that spreadsheets run. */
static const char *const odd[] = {
    "a;b,c|d", "say \"so\"", "\\n is no line break", "back\\slash\\", "'quoted", "''=2", "=1+1", "+33", "-5", "@sum", "\xef\xbc\x9d" "1", "x,=1", "x;'=1", "a: b",
    "\xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9",
    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
    "{\"carnet\":\"end\"}", "END:VCARD", "BEGIN:VCARD", "line\nEND:VCARD\nline", "tab\there", "\xe2\x80\xa8separator",
};
enum { ODD_COUNT = sizeof odd / sizeof odd[0] };

static struct carnet_id add_odd(struct world_node *node, size_t i)
{
    char given[200];
    struct carnet_id id;
    snprintf(given, sizeof given, "Nr %zu", i);
    const struct carnet_assign fields[] = { { S("given"), S(given) }, { S("email"), S("x@example.org") }, { S("employer"), S(odd[i]) }, { S("note"), S(odd[i]) } };
    const struct carnet_slice grants[] = { S("newsletter"), S("profile") };
    const struct carnet_ground ground = { .basis = CARNET_BASIS_CONSENT, .source = S(odd[i]) };
    assert_int_equal(carnet_people_add(node->replica, &node->world->book, fields, 4, grants, 2, &ground, &id, &node->world->err), CARNET_OK);
    return id;
}

static void odd_texts_come_back_from_each_format(void **state)
{
    struct world *world = *state;
    struct world_node *node = &world->nodes[0];
    struct carnet_id ids[ODD_COUNT];
    for (size_t i = 0; i < ODD_COUNT; i++)
        ids[i] = add_odd(node, i);
    for (int format = CARNET_EXPORT_CSV; format <= CARNET_EXPORT_JSON; format++) {
        struct out out = { .stop_at = 0 };
        struct carnet_export_result result;
        struct carnet_rows_options how = { .charter = carnet_replica_charter(node->replica) };
        struct carnet_rows *rows;
        struct carnet_row row;
        size_t count = 0;
        assert_int_equal(export_to(node, (enum carnet_export_format)format, "", NULL, &out, &result), CARNET_OK);
        assert_int_equal(result.contacts, ODD_COUNT);
        assert_int_equal(carnet_rows_open_bytes(carnet_buf_slice(&out.bytes), &how, &rows, &world->err), CARNET_OK);
        while (carnet_rows_next(rows, &row, &world->err) == CARNET_OK) {
            size_t i = ODD_COUNT;
            assert_null(row.reason);
            for (size_t c = 0; c < row.cell_count; c++)
                if (row.cells[c].def->field == CARNET_FIELD_GIVEN)
                    i = strtoul((const char *)row.cells[c].value.ptr + 3, NULL, 10);
            assert_in_range(i, 0, ODD_COUNT - 1);
            static const uint32_t compared[] = { CARNET_FIELD_EMPLOYER, CARNET_FIELD_NOTE };
            for (size_t k = 0; k < 2; k++) {
                const struct carnet_field_def *def = carnet_field_by_number(NULL, compared[k]);
                char due[1024];
                snprintf(due, sizeof due, "%s", world_value(node, &ids[i], def->name));
                bool found = false;
                for (size_t c = 0; c < row.cell_count; c++)
                    if (row.cells[c].def == def) {
                        found = true;
                        if (!carnet_slice_equal(row.cells[c].value, S(due)))
                            fail_msg("format %d, %s: \"%.*s\", where \"%s\" was due", format, def->name, (int)row.cells[c].value.len, (const char *)row.cells[c].value.ptr, due);
                    }
                assert_true(found);
            }
            count++;
        }
        assert_int_equal(count, ODD_COUNT);
        carnet_rows_close(rows);
        carnet_buf_deinit(&out.bytes);
    }
}

static void lines_of_cards_are_folded_between_characters(void **state)
{
    struct world *world = *state;
    struct out out = { .stop_at = 0 };
    struct carnet_export_result result;
    for (size_t i = 0; i < ODD_COUNT; i++)
        add_odd(&world->nodes[0], i);
    assert_int_equal(export_to(&world->nodes[0], CARNET_EXPORT_VCARD, "", NULL, &out, &result), CARNET_OK);
    size_t longest = 0;
    for (size_t at = 0; at < out.bytes.len;) {
        const uint8_t *stop = memmem(out.bytes.ptr + at, out.bytes.len - at, "\r\n", 2);
        assert_non_null(stop);
        size_t len = (size_t)(stop - (out.bytes.ptr + at));
        longest = len > longest ? len : longest;
        assert_true(len == 0 || (out.bytes.ptr[at] & 0xc0) != 0x80);
        assert_true(len < 2 || out.bytes.ptr[at] != ' ' || (out.bytes.ptr[at + 1] & 0xc0) != 0x80);
        at += len + 2;
    }
    assert_in_range(longest, 72, 75);
    carnet_buf_deinit(&out.bytes);
}

/* LAW.md 3, 16: what somebody refused goes out in no format, for no purpose; in clear only by whoever may deliver. */
static void nothing_refused_goes_out(void **state)
{
    struct world *world = *state;
    struct world_node *node = &world->nodes[0];
    struct carnet_id gone = world_add(node, "given=Gone email=gone@example.org", "file newsletter");
    struct carnet_id half = world_add(node, "given=Half email=half@example.org phone=+33639980001", "file newsletter call");
    world_add(node, "given=All email=all@example.org phone=+33639980002", "file newsletter call");
    assert_int_equal(world_refuse(node, &gone, CARNET_EVENT_OBJECT, ""), CARNET_OK);
    assert_int_equal(world_refuse(node, &half, CARNET_EVENT_WITHDRAW, "newsletter"), CARNET_OK);
    for (int format = CARNET_EXPORT_CSV; format <= CARNET_EXPORT_JSON; format++) {
        struct out out = { .stop_at = 0 };
        struct carnet_export_result result;
        assert_int_equal(export_to(node, (enum carnet_export_format)format, "", NULL, &out, &result), CARNET_OK);
        assert_int_equal(result.contacts, 2);
        assert_int_equal(result.left_out, 1);
        assert_true(holds(&out, "All") && holds(&out, "Half") && holds(&out, "all@example.org") && holds(&out, "+33639980001"));
        assert_false(holds(&out, "Gone") || holds(&out, "gone@example.org") || holds(&out, "half@example.org"));
        carnet_buf_deinit(&out.bytes);
        assert_int_equal(export_to(node, (enum carnet_export_format)format, "newsletter", NULL, &out, &result), CARNET_OK);
        assert_int_equal(result.contacts, 1);
        assert_true(holds(&out, "all@example.org"));
        assert_false(holds(&out, "Half") || holds(&out, "Gone") || holds(&out, "+33639980002"));
        carnet_buf_deinit(&out.bytes);
    }
}

static void who_may_not_deliver_writes_nothing_in_clear(void **state)
{
    struct world *world = *state;
    struct world_node *volunteer = world_join(world, "helper", CARNET_ROLE_VOLUNTEER, NULL, 0, 0);
    struct out out = { .stop_at = 0 };
    struct carnet_export_result result;
    world_add(&world->nodes[0], "given=All", "file");
    world_exchange(world);
    assert_int_equal(export_to(volunteer, CARNET_EXPORT_CSV, "", NULL, &out, &result), CARNET_REFUSED);
    assert_int_equal(out.bytes.len, 0);
    carnet_buf_deinit(&out.bytes);
}

struct trail {
    size_t exports;
    char last[256];
};
static bool look_at(void *ctx, const struct carnet_audit_item *item)
{
    struct trail *trail = ctx;
    assert_true(item->good);
    if (item->kind == CARNET_AUDIT_EXPORT) {
        trail->exports++;
        snprintf(trail->last, sizeof trail->last, "%.*s", (int)item->detail.len, (const char *)item->detail.ptr);
    }
    return true;
}

static bool take(void *ctx, uint8_t *to, size_t max, size_t *got)
{
    struct carnet_slice *rest = ctx;
    *got = rest->len < max ? rest->len : max;
    memcpy(to, rest->ptr, *got);
    *rest = carnet_slice(rest->ptr + *got, rest->len - *got);
    return true;
}

/* Only books and scopes of the reader; only the reader opens it; the trail tells of it. */
static void a_sealed_file_holds_what_its_reader_may_read(void **state)
{
    struct world *world = *state;
    struct world_node *office = &world->nodes[0];
    struct out out = { .stop_at = 0 };
    struct carnet_export_result result;
    struct carnet_export_reader reader;
    struct trail trail = { .exports = 0 };
    world_join(world, "helper", CARNET_ROLE_VOLUNTEER, NULL, 0, 0);
    world_add(office, "given=All email=all@example.org city=Rennes", "file newsletter mail");
    world_exchange(world);
    assert_int_equal(carnet_export_reader_find(office->replica, S("HELPER"), &reader, &world->err), CARNET_OK);
    assert_int_equal(reader.count, 1);
    assert_int_equal(carnet_export_reader_find(office->replica, S("nobody"), &reader, &world->err), CARNET_NOT_FOUND);
    assert_int_equal(carnet_export_reader_find(office->replica, S("helper"), &reader, &world->err), CARNET_OK);
    assert_int_equal(export_to(office, CARNET_EXPORT_JSON, "", &reader, &out, &result), CARNET_OK);
    assert_int_equal(result.contacts, 1);
    assert_false(holds(&out, "All"));
    assert_int_equal(carnet_audit_list(office->replica, 0, look_at, &trail, &world->err), CARNET_OK);
    assert_int_equal(trail.exports, 1);
    assert_string_equal(trail.last, "1 contacts, json, sealed for helper");
    for (size_t n = 0; n < 2; n++) {
        struct carnet_slice rest = carnet_buf_slice(&out.bytes);
        struct carnet_sealed_opener opener = { .read = take, .ctx = &rest };
        assert_int_equal(carnet_export_open(world->nodes[n].replica, &opener, &world->err), n ? CARNET_OK : CARNET_REFUSED);
        if (n == 0)
            assert_non_null(strstr(world->err.what, "helper"));
        else {
            uint8_t text[8192];
            size_t got;
            assert_int_equal(carnet_sealed_get(&opener, text, sizeof text, &got), CARNET_OK);
            assert_non_null(memmem(text, got, "Rennes", 6));
            assert_null(memmem(text, got, "all@example.org", 15));
        }
        carnet_sealed_close(&opener);
    }
    carnet_buf_deinit(&out.bytes);
}

/* A file's own words are claims: no proof in it opens what somebody refused, and what it claims is still to be seen in the next export. */
static void a_file_claims_and_does_not_prove(void **state)
{
    struct world *world = *state;
    struct world_node *node = &world->nodes[0];
    struct carnet_import_result result;
    struct carnet_export_result exported;
    struct out out = { .stop_at = 0 };
    static const char file[] =
        "{\"carnet\":\"export\",\"version\":1}\n"
        "{\"id\":\"00000000000000000000000000000001\",\"fields\":{\"given\":\"Claim\",\"email\":\"claim@example.org\"},"
        "\"grants\":[{\"purpose\":\"newsletter\",\"basis\":\"consent\",\"proof\":\"double-opt-in\",\"since\":\"2025-01-02T03:04:05Z\",\"evidence\":\"source: a form\"},"
        "{\"purpose\":\"call\",\"basis\":\"roll\"},{\"purpose\":\"sms\",\"version\":\"0011223344556677\",\"basis\":\"consent\"}],"
        "\"refusals\":[{\"purpose\":\"targeted\",\"kind\":\"objected\"}]}\n"
        "{\"carnet\":\"end\",\"contacts\":1}\n";
    assert_int_equal(import_from(node, S(file), &result), CARNET_OK);
    assert_int_equal(result.created, 1);
    assert_int_equal(result.rejected, 0);
    assert_int_equal(result.refused, 2); /* no roll for calls, no definition of that version */
    assert_int_equal(export_to(node, CARNET_EXPORT_JSON, "", NULL, &out, &exported), CARNET_OK);
    assert_true(holds(&out, "{\"purpose\":\"newsletter\",\"basis\":\"consent\",\"proof\":\"double-opt-in\",\"since\":\"2025-01-02T03:04:05Z\",\"evidence\":\"source: a form\"}"));
    assert_true(holds(&out, "\"refusals\":[{\"purpose\":\"targeted\",\"kind\":\"objected\""));
    carnet_buf_deinit(&out.bytes);
    /* the person objects; the same file with later dates */
    struct carnet_view view;
    struct carnet_arena arena;
    carnet_arena_init(&arena);
    struct carnet_id id = { { 0 } };
    for (int64_t i = 1; i < 100; i++)
        if (carnet_replica_view_at(node->replica, i, &arena, &view, NULL) == CARNET_OK && view.record.kind == CARNET_KIND_CONTACT)
            id = view.id;
    assert_int_equal(world_refuse(node, &id, CARNET_EVENT_OBJECT, "newsletter"), CARNET_OK);
    char later[sizeof file];
    memcpy(later, file, sizeof file);
    memcpy(strstr(later, "2025-01-02"), "2026-11-12", 10);
    assert_int_equal(import_from(node, S(later), &result), CARNET_OK);
    assert_int_equal(result.created, 0);
    view = world_view(node, &id);
    assert_false(view.open >> CARNET_SCOPE_EMAIL & 1 && carnet_replica_allowed(node->replica, &view, S("newsletter"), CARNET_SCOPE_EMAIL, NULL) == CARNET_OK);
    carnet_arena_deinit(&arena);
}

static void what_is_not_understood_is_a_rejected_row(void **state)
{
    struct world *world = *state;
    struct carnet_import_result result;
    static const char *const bad[] = {
        "{\"id\":\"00000000000000000000000000000001\",\"secret\":1}", "{\"id\":1}", "[]", "nonsense", "{\"id\":\"00\"}", "{}",
        "{\"id\":\"00000000000000000000000000000001\",\"fields\":[]}", "{\"id\":\"00000000000000000000000000000001\",\"fields\":{\"email\":\"no address\"}}",
        "{\"id\":\"00000000000000000000000000000001\",\"fields\":{\"given\":5}}", "{\"id\":\"00000000000000000000000000000001\",\"grants\":[{\"purpose\":\"file\"}]}",
        "{\"id\":\"00000000000000000000000000000001\",\"notes\":[{\"kind\":\"note\"}]}", "{\"id\":\"00000000000000000000000000000001\",\"tags\":[\"\"]}",
        "{\"id\":\"00000000000000000000000000000001\",\"id\":\"00000000000000000000000000000001\"}", "{\"carnet\":\"export\",\"version\":1}",
        "{\"id\":\"00000000000000000000000000000001\",\"source_ids\":{\"row\":\"x\"}}",
        "{\"id\":\"00000000000000000000000000000001\",\"refusals\":[{\"purpose\":\"file\",\"kind\":\"perhaps\"}]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char file[1024];
        snprintf(file, sizeof file, "{\"carnet\":\"export\",\"version\":1}\n%s\n{\"carnet\":\"end\",\"contacts\":1}\n", bad[i]);
        assert_int_equal(import_from(&world->nodes[0], S(file), &result), CARNET_OK);
        if (result.rejected != 1 || result.created)
            fail_msg("%s: rejected %d, created %d", bad[i], (int)result.rejected, (int)result.created);
    }
    assert_int_equal(import_from(&world->nodes[0], S("{\"carnet\":\"export\",\"version\":2}\n"), &result), CARNET_MALFORMED);
}

static void an_export_can_be_stopped(void **state)
{
    struct world *world = *state;
    struct out out = { .stop_at = 1 };
    struct carnet_export_result result;
    for (size_t i = 0; i < 200; i++)
        world_add(&world->nodes[0], "given=Many", "file");
    assert_int_equal(export_to(&world->nodes[0], CARNET_EXPORT_JSON, "", NULL, &out, &result), CARNET_CANCELLED);
    assert_in_range(result.contacts, 1, 199);
    carnet_buf_deinit(&out.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(odd_texts_come_back_from_each_format, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_of_cards_are_folded_between_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_refused_goes_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_may_not_deliver_writes_nothing_in_clear, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sealed_file_holds_what_its_reader_may_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_claims_and_does_not_prove, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_understood_is_a_rejected_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_export_can_be_stopped, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
