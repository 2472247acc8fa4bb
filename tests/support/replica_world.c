// SPDX-License-Identifier: EUPL-1.2
#include "replica_world.h"

#include "carnet/sys/file.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define OK(world, call)                                                                                                                                        \
    do {                                                                                                                                                       \
        if ((call) != CARNET_OK)                                                                                                                               \
            fail_msg("%s: %s", #call, (world)->err.what);                                                                                                      \
    } while (0)

static struct world_node *new_node(struct world *world)
{
    struct world_node *node = &world->nodes[world->count];
    assert_true(world->count < WORLD_NODES_MAX);
    node->world = world;
    node->hands.wall_ms = WORLD_MS;
    char *path = carnet_path_join(world->dir, (const char[]){ 'n', (char)('0' + world->count), '.', 'd', 'b', 0 });
    snprintf(node->path, sizeof node->path, "%s", path);
    free(path);
    node->env.clock = carnet_clock_manual(&node->hands);
    node->env.rng = carnet_rng_seeded(&node->dice, 1000 + world->count);
    carnet_identity_new(&node->env.rng, &node->identity);
    world->count++;
    return node;
}

struct world *world_new(void)
{
    struct world *world = carnet_alloc(sizeof *world);
    const struct carnet_book *book;
    uint8_t root[32] = { 7 };
    assert_int_equal(carnet_crypto_init(&world->err), CARNET_OK);
    snprintf(world->dir, sizeof world->dir, "carnet-test-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    carnet_arena_init(&world->arena);
    struct world_node *node = new_node(world);
    OK(world, carnet_replica_found(node->path, &node->env, carnet_slice_str("Grenoble en commun"), carnet_slice_str("Bureau"), &node->identity, root, &node->replica,
                                   &world->err));
    OK(world, carnet_replica_book_find(node->replica, carnet_slice_str("main"), &book, &world->err));
    world->book = book->id;
    return world;
}

void world_free(struct world *world)
{
    char command[128];
    for (size_t i = 0; i < world->count; i++)
        carnet_replica_close(world->nodes[i].replica);
    carnet_arena_deinit(&world->arena);
    snprintf(command, sizeof command, "rm -rf '%s'", world->dir);
    free(world);
    assert_int_equal(system(command), 0);
}

struct world_node *world_join(struct world *world, const char *name, enum carnet_role role, const struct carnet_id *books, size_t book_count, uint32_t scopes)
{
    static const char *const address[] = { "tcp://192.0.2.1:4000" };
    struct world_node *founder = &world->nodes[0], *node = new_node(world);
    const struct carnet_invite_terms terms = {
        .name = carnet_slice_str(name),
        .role = role,
        .books = books,
        .book_count = book_count,
        .scopes = scopes,
        .code_until_ms = founder->hands.wall_ms + 3600000,
        .addresses = address,
        .address_count = 1,
    };
    struct carnet_buf text, request, welcome;
    struct carnet_invite_code code;
    struct carnet_box_pk client;
    struct carnet_box_sk secret;
    carnet_buf_init(&text, 4096);
    carnet_buf_init(&request, 4096);
    carnet_buf_init(&welcome, 1 << 20);
    OK(world, carnet_replica_invite(founder->replica, &terms, &text, &world->err));
    assert_int_equal(carnet_invite_code_decode(carnet_buf_slice(&text), &code), CARNET_OK);
    carnet_invite_keys(code.secret, &client, &secret);
    carnet_join_request(&node->identity, carnet_slice_str(name), &client, &request);
    OK(world, carnet_replica_admit(founder->replica, &client, carnet_buf_slice(&request), &welcome, &world->err));
    node->hands.wall_ms = founder->hands.wall_ms;
    OK(world, carnet_replica_join(node->path, &node->env, &node->identity, NULL, carnet_buf_slice(&welcome), &node->replica, &world->err));
    carnet_buf_deinit(&text);
    carnet_buf_deinit(&request);
    carnet_buf_deinit(&welcome);
    return node;
}

void world_reopen(struct world_node *node)
{
    carnet_replica_close(node->replica);
    node->replica = NULL;
    OK(node->world, carnet_replica_open(node->path, &node->env, &node->identity, &node->replica, &node->world->err));
}

void world_pass(struct world *world, int64_t ms)
{
    for (size_t i = 0; i < world->count; i++)
        world->nodes[i].hands.wall_ms += ms;
}

size_t world_give(struct world_node *from, struct world_node *to)
{
    struct carnet_sync_source source = carnet_replica_source(from->replica);
    struct carnet_sync_entry entry;
    size_t applied = 0;
    for (unsigned lane = 0; lane < CARNET_LANES; lane++) {
        for (int64_t n = 1; source.next(source.ctx, lane, n, &entry); n = entry.n + 1) {
            carnet_rc rc;
            uint8_t *copy = carnet_alloc(entry.bytes.len);
            memcpy(copy, entry.bytes.ptr, entry.bytes.len);
            struct carnet_slice bytes = carnet_slice(copy, entry.bytes.len);
            OK(to->world, carnet_replica_apply(to->replica, &bytes, 1, &rc, &to->world->err));
            applied += rc == CARNET_OK;
            free(copy);
        }
    }
    return applied;
}

void world_exchange(struct world *world)
{
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < world->count; i++)
            for (size_t j = 0; j < world->count; j++)
                if (i != j)
                    world_give(&world->nodes[i], &world->nodes[j]);
}

/* --- contacts --- */

enum { CELLS_MAX = 16, EVENTS_MAX = 8 };
struct words {
    char text[16384];
    struct carnet_write_cell cells[CELLS_MAX];
    size_t cell_count;
};

static void parse_cells(const char *text, struct words *out)
{
    char *save = NULL;
    out->cell_count = 0;
    assert_true(strlen(text) < sizeof out->text);
    snprintf(out->text, sizeof out->text, "%s", text);
    for (char *word = strtok_r(out->text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        const struct carnet_field_def *def;
        struct carnet_write_cell *cell = &out->cells[out->cell_count++];
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = 0;
        char *label = strchr(word, '/');
        if (label)
            *label++ = 0;
        def = carnet_field_by_name(NULL, carnet_slice_str(word));
        assert_non_null(def);
        *cell = (struct carnet_write_cell){ .field = def->field, .label = carnet_slice_str(label), .value = carnet_slice_str(value) };
    }
}

struct carnet_id world_add(struct world_node *node, const char *cells, const char *purposes)
{
    struct carnet_event events[EVENTS_MAX];
    struct carnet_write_result result;
    static struct words words;
    char list[128], *save = NULL;
    size_t count = 0;
    snprintf(list, sizeof list, "%s", purposes);
    for (char *word = strtok_r(list, " ", &save); word; word = strtok_r(NULL, " ", &save))
        events[count++] = (struct carnet_event){
            .type = CARNET_EVENT_GRANT, .purpose = carnet_slice_str(word), .basis = CARNET_BASIS_CONSENT, .since_ms = node->hands.wall_ms
        };
    parse_cells(cells, &words);
    struct carnet_id id = carnet_replica_new_id(node->replica);
    const struct carnet_write write = { .book = node->world->book,
                                        .record = id,
                                        .subject = id,
                                        .kind = CARNET_KIND_CONTACT,
                                        .cells = words.cells,
                                        .cell_count = words.cell_count,
                                        .events = events,
                                        .event_count = count,
                                        .fresh = true };
    OK(node->world, carnet_replica_write(node->replica, &write, 1, false, &result, &node->world->err));
    return id;
}

carnet_rc world_edit(struct world_node *node, const struct carnet_id *record, const char *cells)
{
    struct carnet_write_result result;
    static struct words words;
    parse_cells(cells, &words);
    const struct carnet_write write = {
        .book = node->world->book, .record = *record, .subject = *record, .kind = CARNET_KIND_CONTACT, .cells = words.cells, .cell_count = words.cell_count
    };
    return carnet_replica_write(node->replica, &write, 1, false, &result, &node->world->err);
}

carnet_rc world_event(struct world_node *node, const struct carnet_id *record, const struct carnet_event *event)
{
    struct carnet_write_result result;
    const struct carnet_write write = {
        .book = node->world->book, .record = *record, .subject = *record, .kind = CARNET_KIND_CONTACT, .events = event, .event_count = 1
    };
    return carnet_replica_write(node->replica, &write, 1, false, &result, &node->world->err);
}

carnet_rc world_refuse(struct world_node *node, const struct carnet_id *record, enum carnet_event_type type, const char *purpose)
{
    const struct carnet_event event = { .type = type, .purpose = carnet_slice_str(purpose) };
    return world_event(node, record, &event);
}

struct carnet_view world_view(struct world_node *node, const struct carnet_id *record)
{
    struct carnet_view view;
    OK(node->world, carnet_replica_view(node->replica, &node->world->book, record, &node->world->arena, &view, &node->world->err));
    return view;
}

const char *world_value(struct world_node *node, const struct carnet_id *record, const char *field)
{
    static char value[256];
    struct words words;
    struct carnet_view view = world_view(node, record);
    char text[64];
    snprintf(text, sizeof text, "%s=", field);
    parse_cells(text, &words);
    snprintf(value, sizeof value, "%s", "");
    for (size_t i = 0; i < view.cell_count; i++) {
        const struct carnet_cell *cell = &view.cells[i];
        if (cell->field == words.cells[0].field && carnet_slice_equal(cell->label, words.cells[0].label))
            snprintf(value, sizeof value, "%.*s", (int)cell->siblings[0]->value.len, (const char *)cell->siblings[0]->value.ptr);
    }
    return value;
}

static void on_error(void *ctx, const char *error)
{
    print_error("verify: %s\n", error);
    ++*(size_t *)ctx;
}

void world_verify(struct world_node *node)
{
    size_t errors = 0;
    OK(node->world, carnet_replica_verify(node->replica, on_error, &errors, &node->world->err));
    assert_int_equal(errors, 0);
}

void world_same(struct world *world)
{
    const struct carnet_id *community = carnet_authority_community(carnet_replica_authority(world->nodes[0].replica));
    for (size_t i = 0; i < world->count; i++) {
        struct carnet_hash here, there;
        const struct carnet_id *books[] = { &world->book, community };
        for (size_t j = 0; j < 2; j++) {
            OK(world, carnet_replica_state(world->nodes[0].replica, books[j], &here, &world->err));
            OK(world, carnet_replica_state(world->nodes[i].replica, books[j], &there, &world->err));
            assert_memory_equal(here.b, there.b, sizeof here.b);
        }
        world_verify(&world->nodes[i]);
    }
}

bool world_on_disk(const struct world_node *node, const char *bytes, size_t len)
{
    static const char *const ends[] = { "", "-wal", "-journal" };
    bool found = false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s%s", node->path, ends[i]);
        FILE *file = fopen(path, "rb");
        if (!file)
            continue;
        fseek(file, 0, SEEK_END);
        size_t size = (size_t)ftell(file);
        rewind(file);
        char *all = carnet_alloc(size + 1);
        size_t got = fread(all, 1, size, file);
        found = found || memmem(all, got, bytes, len);
        free(all);
        fclose(file);
    }
    return found;
}
