// SPDX-License-Identifier: EUPL-1.2
/* A session that is given anything: frames made up, or the frames of a real conversation changed on their way. It never breaks, sends only frames
 * that are well formed, and to a peer that is not authenticated nothing but the handshake.
 *
 * Input: one byte, then for the first kind frames of [length: 2 bytes, bytes], for the second changes of [frame number, what, place: 2 bytes,
 * value]. The byte: 1 the peer is known, 2 this side connects, 4 the second kind, 8 the volunteer's home instead of the office's. */
#include "../support/sync_world.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct world world;
enum { FOUNDER, OFFICE, VOLUNTEER };
enum { KNOWN = 1, CONNECTS = 2, REAL = 4, PARTIAL = 8 };
enum { TYPE_HELLO = 1, TYPE_CHAIN = 3, TYPE_BYE = 10 };

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void make_world(void)
{
    world_init(&world, 1);
    struct world_terms office = { .role = CARNET_ROLE_OFFICE, .scopes = CARNET_SCOPES_ALL };
    struct world_terms volunteer = {
        .role = CARNET_ROLE_VOLUNTEER, .scopes = 1u << CARNET_SCOPE_IDENTITY, .books = &world.book[1], .book_count = 1
    };
    world_join(&world, "office", &office);
    world_join(&world, "volunteer", &volunteer);
    for (size_t i = OFFICE; i <= VOLUNTEER; i++)
        world_copy(&world.nodes[FOUNDER], &world.nodes[i], false);
    for (size_t i = 0; i < 8; i++) {
        world_write(&world.nodes[FOUNDER], &world.book[i % 2], i % 4 == 3 ? CARNET_LOG_LAW : CARNET_LOG_DATA);
        world_write(&world.nodes[OFFICE], &world.book[i % 2], i % 4 == 2 ? CARNET_LOG_LAW : CARNET_LOG_DATA);
    }
    world_copy(&world.nodes[FOUNDER], &world.nodes[OFFICE], true);
    world_drop(&world.nodes[OFFICE], CARNET_SCOPE_EMAIL);
    for (size_t i = 0; i < 4; i++)
        world_write(&world.nodes[FOUNDER], &world.book[i % 2], CARNET_LOG_DATA);
    world_join(&world, "late", &office); /* the charters differ */
    for (size_t i = 0; i < world.node_count; i++)
        world.nodes[i].frozen = true;
}

static uint64_t type_of(struct carnet_slice frame)
{
    struct carnet_reader r;
    must(frame.len <= CARNET_FRAME_LEN_MAX && carnet_cbor_check(frame) == CARNET_OK);
    carnet_reader_init(&r, frame);
    carnet_reader_array(&r);
    return carnet_reader_uint(&r);
}

static void check_update(const struct carnet_sync *sync, const struct carnet_sync_update *update, bool was_closed)
{
    must(update->frame_count <= CARNET_SYNC_FRAMES_MAX && update->entry_count <= CARNET_SYNC_ENTRIES_MAX);
    must(!update->entry_count || (!update->frame_count && !update->close));
    must(!was_closed || (update->close && !update->frame_count && !update->entry_count));
    must(!update->close || update->why);
    must(!update->caught_up || update->authenticated);
    must(!carnet_sync_peer(sync) == !update->authenticated);
    for (size_t i = 0; i < update->frame_count; i++) {
        uint64_t type = type_of(update->frames[i]);
        must(update->authenticated || type == TYPE_HELLO || type == TYPE_CHAIN || type == TYPE_BYE);
        must(!update->close || type == TYPE_BYE);
    }
}

static void made_up(struct world_node *node, unsigned how, const uint8_t *data, size_t len)
{
    struct carnet_sync *sync = carnet_sync_new(&node->source, how & KNOWN ? &world.nodes[FOUNDER].cert : NULL, how & CONNECTS);
    struct carnet_sync_event event = { .type = CARNET_SYNC_START, .mono_ms = 1, .wall_ms = WORLD_WALL_MS };
    struct carnet_sync_update update;
    carnet_rc rcs[CARNET_SYNC_ENTRIES_MAX];
    bool closed = false;
    carnet_sync_set_key(sync, &world.nodes[FOUNDER].curve);
    for (;;) {
        carnet_sync_step(sync, &event, &update);
        check_update(sync, &update, closed);
        while (update.entry_count || (update.more && !update.close)) {
            event.type = update.entry_count ? CARNET_SYNC_APPLIED : CARNET_SYNC_TICK;
            event.rcs = rcs;
            for (size_t i = 0; i < update.entry_count; i++)
                rcs[i] = world_apply(node, update.entries[i]);
            carnet_sync_step(sync, &event, &update);
            check_update(sync, &update, closed);
        }
        closed = closed || update.close;
        if (len < 2)
            break;
        size_t frame = (size_t)data[0] << 8 | data[1];
        data += 2;
        len -= 2;
        frame = frame < len ? frame : len;
        event.type = CARNET_SYNC_FRAME;
        event.mono_ms++;
        event.frame = carnet_slice(data, frame);
        data += frame;
        len -= frame;
    }
    (void)carnet_sync_pending(sync);
    carnet_sync_free(sync);
}

struct changes {
    const uint8_t *data;
    size_t len;
    uint8_t frame;
    struct carnet_buf out, before;
};

static struct carnet_slice change(void *ctx, unsigned to, struct carnet_slice frame)
{
    struct changes *c = ctx;
    (void)to;
    carnet_buf_clear(&c->out);
    carnet_buf_append_slice(&c->out, frame);
    for (size_t i = 0; i + 5 <= c->len; i += 5) {
        size_t at = (size_t)c->data[i + 2] << 8 | c->data[i + 3];
        if (c->data[i] != c->frame || at >= c->out.len)
            continue;
        switch (c->data[i + 1] % 4) {
        case 0: c->out.ptr[at] ^= c->data[i + 4]; break;
        case 1: c->out.len = at; break;
        case 2: /* the frame before it once more */
            carnet_buf_clear(&c->out);
            carnet_buf_append_slice(&c->out, carnet_buf_slice(&c->before));
            break;
        default: c->out.ptr[at] = c->data[i + 4]; break;
        }
    }
    c->frame++;
    carnet_buf_clear(&c->before);
    carnet_buf_append_slice(&c->before, frame);
    return carnet_buf_slice(&c->out);
}

static void changed(struct world_node *node, unsigned how, const uint8_t *data, size_t len)
{
    struct changes c = { .data = data, .len = len };
    struct world_pipe pipe;
    bool connects = how & CONNECTS;
    struct world_node *founder = &world.nodes[FOUNDER];
    carnet_buf_init(&c.out, CARNET_FRAME_LEN_MAX);
    carnet_buf_init(&c.before, CARNET_FRAME_LEN_MAX);
    pipe_open(&pipe, connects ? node : founder, connects ? founder : node, how & KNOWN, how & KNOWN, NULL);
    pipe.change = change;
    pipe.change_ctx = &c;
    pipe_run(&pipe, 300); /* an end, whatever they say to each other */
    pipe_close(&pipe);
    carnet_buf_deinit(&c.out);
    carnet_buf_deinit(&c.before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!world.node_count)
        make_world();
    if (len == 0)
        return 0;
    struct world_node *node = &world.nodes[data[0] & PARTIAL ? VOLUNTEER : OFFICE];
    if (data[0] & REAL)
        changed(node, data[0], data + 1, len - 1);
    else
        made_up(node, data[0], data + 1, len - 1);
    return 0;
}
