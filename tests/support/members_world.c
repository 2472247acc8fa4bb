// SPDX-License-Identifier: EUPL-1.2
#include "members_world.h"

#include "carnet/sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MUST(call)                                                                                 \
    do {                                                                                           \
        struct carnet_err *must_err = &must_error;                                                 \
        *must_err = (struct carnet_err)CARNET_ERR_INIT;                                            \
        carnet_rc must_rc = (call);                                                                \
        if (must_rc != CARNET_OK)                                                                  \
            fail_msg("%s: rc %d: %s", #call, (int)must_rc, must_err->what);                        \
    } while (0)
static struct carnet_err must_error;

struct carnet_slice world_text(const char *text)
{
    return carnet_slice_str(text);
}

struct world_node *world_stranger(struct world *world)
{
    assert_true(world->count < WORLD_NODES_MAX);
    struct world_node *node = &world->nodes[world->count];
    node->hands = (struct carnet_clock_hands){ world->count ? world->nodes[0].hands.wall_ms : WORLD_MS, 5000 };
    node->env = (struct carnet_replica_env){ .clock = carnet_clock_manual(&node->hands), .rng = carnet_rng_seeded(&node->rng, 77 + world->count) };
    carnet_identity_new(&node->env.rng, &node->identity);
    struct carnet_sign_pk pk;
    struct carnet_sign_sk sk;
    carnet_sign_pair(node->identity.sign, &pk, &sk);
    node->id = carnet_node_id(&pk);
    char dir[sizeof world->dir];
    memcpy(dir, world->dir, sizeof dir);
    snprintf(node->path, sizeof node->path, "%s/node%zu.db", dir, world->count);
    return node;
}

void world_open(struct world *world)
{
    uint8_t root[32];
    struct carnet_err err = CARNET_ERR_INIT;
    memset(world, 0, sizeof *world);
    assert_int_equal(carnet_crypto_init(&err), CARNET_OK);
    snprintf(world->dir, sizeof world->dir, "/tmp/carnet-test-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    struct world_node *node = world_stranger(world);
    memset(root, 9, sizeof root);
    MUST(carnet_replica_found(node->path, &node->env, world_text("Ville d’essai"), world_text("mairie"), &node->identity, root, &node->replica, must_err));
    world->count = 1;
    const struct carnet_book *book;
    MUST(carnet_replica_book_find(node->replica, CARNET_SLICE_NONE, &book, must_err));
    world->book = book->id;
}

void world_close(struct world *world)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    for (size_t i = 0; i < world->count; i++)
        carnet_replica_close(world->nodes[i].replica);
    for (size_t i = 0; i < WORLD_NODES_MAX; i++)
        for (size_t j = 0; world->nodes[i].path[0] && j < sizeof ends / sizeof *ends; j++) {
            char path[128];
            snprintf(path, sizeof path, "%s%s", world->nodes[i].path, ends[j]);
            unlink(path);
        }
    rmdir(world->dir);
}

carnet_rc world_code(struct world *world, size_t by, const struct carnet_invite_terms *terms, struct carnet_invite_code *out, struct carnet_err *err)
{
    struct carnet_buf text;
    carnet_buf_init(&text, 4096);
    carnet_rc rc = carnet_replica_invite(world->nodes[by].replica, terms, &text, err);
    if (rc == CARNET_OK)
        assert_int_equal(carnet_invite_code_decode(carnet_buf_slice(&text), out), CARNET_OK);
    carnet_buf_deinit(&text);
    return rc;
}

carnet_rc world_ask(struct world *world, size_t by, const struct carnet_invite_code *code, const struct world_node *node, const char *name, struct carnet_buf *welcome,
                    struct carnet_err *err)
{
    struct carnet_box_pk client;
    struct carnet_box_sk sk;
    struct carnet_buf request;
    carnet_invite_keys(code->secret, &client, &sk);
    carnet_buf_init(&request, 4096);
    carnet_join_request(&node->identity, world_text(name), &client, &request);
    assert_false(request.failed);
    carnet_rc rc = carnet_replica_admit(world->nodes[by].replica, &client, carnet_buf_slice(&request), welcome, err);
    carnet_buf_deinit(&request);
    return rc;
}

size_t world_invite(struct world *world, size_t by, const char *name, enum carnet_role role, uint32_t scopes)
{
    static const char *const address[] = { "tcp://127.0.0.1:7777" };
    const struct carnet_invite_terms terms = { .name = world_text(name),
                                               .role = role,
                                               .scopes = scopes,
                                               .code_until_ms = world->nodes[by].hands.wall_ms + WORLD_DAY_MS,
                                               .addresses = address,
                                               .address_count = 1 };
    struct carnet_invite_code code;
    struct carnet_buf welcome;
    MUST(world_code(world, by, &terms, &code, must_err));
    struct world_node *node = world_stranger(world);
    carnet_buf_init(&welcome, 1 << 16);
    MUST(world_ask(world, by, &code, node, name, &welcome, must_err));
    MUST(carnet_replica_join(node->path, &node->env, &node->identity, NULL, carnet_buf_slice(&welcome), &node->replica, must_err));
    carnet_buf_deinit(&welcome);
    size_t number = world->count++;
    world_pull(world, number, by);
    return number;
}

void world_pull(struct world *world, size_t to, size_t from)
{
    struct carnet_store *store = carnet_replica_store(world->nodes[from].replica);
    for (unsigned lane = 0; lane < CARNET_LANES; lane++) {
        struct carnet_entry_row row;
        for (int64_t n = 1; carnet_store_entry_next(store, lane, n, &row, NULL) == CARNET_OK; n = row.n + 1) {
            carnet_rc rc = CARNET_OK;
            MUST(carnet_replica_apply(world->nodes[to].replica, &row.bytes, 1, &rc, must_err));
            assert_true(rc == CARNET_OK || rc == CARNET_AGAIN || rc == CARNET_REFUSED);
        }
    }
}

void world_meet(struct world *world)
{
    bool changed = true;
    for (int round = 0; changed && round < 8; round++) {
        changed = false;
        for (size_t i = 0; i < world->count; i++)
            for (size_t j = 0; j < world->count; j++) {
                int64_t before = carnet_replica_last(world->nodes[i].replica);
                if (i != j)
                    world_pull(world, i, j);
                changed = changed || carnet_replica_last(world->nodes[i].replica) != before;
            }
    }
}

void world_clock(struct world *world, int64_t wall_ms)
{
    for (size_t i = 0; i < world->count; i++) {
        if (wall_ms > world->nodes[i].hands.wall_ms)
            world->nodes[i].hands.mono_ms += wall_ms - world->nodes[i].hands.wall_ms;
        world->nodes[i].hands.wall_ms = wall_ms;
    }
}

static void write_one(struct world *world, size_t by, const struct carnet_write *write)
{
    struct carnet_write_result result = { 0 };
    MUST(carnet_replica_write(world->nodes[by].replica, write, 1, false, &result, must_err));
}

struct carnet_id world_add(struct world *world, size_t by, const char *purpose, int64_t until_ms, uint32_t field, const char *value)
{
    struct carnet_replica *replica = world->nodes[by].replica;
    const struct carnet_event grant = { .type = CARNET_EVENT_GRANT,
                                        .purpose = world_text(purpose),
                                        .basis = CARNET_BASIS_CONSENT,
                                        .since_ms = carnet_replica_wall_ms(replica),
                                        .until_ms = until_ms };
    const struct carnet_write_cell cell = { .field = field, .value = world_text(value) };
    struct carnet_write write = { .book = world->book,
                                  .record = carnet_replica_new_id(replica),
                                  .kind = CARNET_KIND_CONTACT,
                                  .cells = &cell,
                                  .cell_count = 1,
                                  .events = &grant,
                                  .event_count = 1,
                                  .fresh = true };
    write.subject = write.record;
    write_one(world, by, &write);
    return write.record;
}

void world_write(struct world *world, size_t by, const struct carnet_id *contact, uint32_t field, const char *value)
{
    const struct carnet_write_cell cell = { .field = field, .value = world_text(value) };
    const struct carnet_write write = {
        .book = world->book, .record = *contact, .subject = *contact, .kind = CARNET_KIND_CONTACT, .cells = &cell, .cell_count = 1
    };
    write_one(world, by, &write);
}

void world_event(struct world *world, size_t by, const struct carnet_id *contact, const struct carnet_event *event)
{
    const struct carnet_write write = {
        .book = world->book, .record = *contact, .subject = *contact, .kind = CARNET_KIND_CONTACT, .events = event, .event_count = 1
    };
    write_one(world, by, &write);
}

const char *world_value(struct world *world, size_t node, const struct carnet_id *contact, uint32_t field)
{
    static char text[256];
    struct carnet_arena arena;
    struct carnet_view view;
    carnet_arena_init(&arena);
    text[0] = 0;
    if (carnet_replica_view(world->nodes[node].replica, &world->book, contact, &arena, &view, NULL) == CARNET_OK)
        for (size_t i = 0; i < view.cell_count; i++)
            if (view.cells[i].field == field)
                snprintf(text, sizeof text, "%.*s", (int)view.cells[i].siblings[0]->value.len, (const char *)view.cells[i].siblings[0]->value.ptr);
    carnet_arena_deinit(&arena);
    return text;
}

uint32_t world_dark(struct world *world, size_t node, const struct carnet_id *contact)
{
    struct carnet_arena arena;
    struct carnet_view view;
    carnet_arena_init(&arena);
    MUST(carnet_replica_view(world->nodes[node].replica, &world->book, contact, &arena, &view, must_err));
    uint32_t dark = view.dark;
    carnet_arena_deinit(&arena);
    return dark;
}

void world_upkeep(struct world *world, size_t node, bool clock_agrees)
{
    bool more = true;
    for (int i = 0; more && i < 1000; i++)
        MUST(carnet_replica_upkeep(world->nodes[node].replica, clock_agrees, &more, must_err));
    assert_false(more);
}

size_t world_parts(struct world *world, size_t node, const struct carnet_id *contact)
{
    struct carnet_store *store = carnet_replica_store(world->nodes[node].replica);
    struct carnet_arena arena;
    struct carnet_entry_row row;
    size_t parts = 0;
    carnet_arena_init(&arena);
    for (int64_t n = 1; carnet_store_entry_next(store, 3, n, &row, NULL) == CARNET_OK; n = row.n + 1) {
        struct carnet_entry entry;
        carnet_arena_reset(&arena);
        assert_int_equal(carnet_entry_decode(row.bytes, &arena, &entry), CARNET_OK);
        for (size_t i = 0; i < entry.change_count; i++)
            for (size_t j = 0; carnet_id_equal(&entry.changes[i].subject, contact) && j < entry.changes[i].part_count; j++)
                parts += entry.changes[i].parts[j].present;
    }
    carnet_arena_deinit(&arena);
    return parts;
}

bool world_has_bytes(struct world *world, size_t node, const void *bytes, size_t len)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    bool found = false;
    for (size_t j = 0; j < sizeof ends / sizeof *ends; j++) {
        char path[128];
        struct carnet_buf file;
        snprintf(path, sizeof path, "%s%s", world->nodes[node].path, ends[j]);
        if (!carnet_file_exists(path))
            continue;
        carnet_buf_init(&file, 64 << 20);
        MUST(carnet_file_read(path, &file, must_err));
        found = found || (file.len >= len && memmem(file.ptr, file.len, bytes, len));
        carnet_buf_deinit(&file);
    }
    return found;
}
