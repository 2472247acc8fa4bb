// SPDX-License-Identifier: EUPL-1.2
/* A stranger who speaks nonsense and repeats what others said, and members whose frames come damaged. */
#include "sim.h"

#include <string.h>

void sim_capture(struct sim *sim, struct carnet_slice frame)
{
    if (frame.len > 8192 || !sim_chance(sim, 100))
        return;
    struct carnet_buf *slot = &sim->captured[sim->captured_next++ % (sizeof sim->captured / sizeof *sim->captured)];
    carnet_buf_clear(slot);
    carnet_buf_append_slice(slot, frame);
}

static void mutate(struct sim *sim, struct carnet_buf *frame)
{
    switch (sim_below(sim, 5)) {
    case 0: /* bits */
        for (uint64_t flips = 1 + sim_below(sim, 4); flips > 0 && frame->len; flips--) {
            size_t at = sim_below(sim, frame->len);
            frame->ptr[at] ^= (uint8_t)(1u << sim_below(sim, 8));
        }
        break;
    case 1: /* the end is missing */
        frame->len = frame->len ? sim_below(sim, frame->len) : 0;
        break;
    case 2: /* something after the end */
        for (uint64_t more = 1 + sim_below(sim, 40); more > 0; more--)
            carnet_buf_append_byte(frame, (uint8_t)sim_below(sim, 256));
        break;
    case 3: /* a piece twice */
        if (frame->len > 8) {
            size_t from = sim_below(sim, frame->len / 2), len = 1 + sim_below(sim, frame->len - from < 64 ? frame->len - from : 64);
            uint8_t piece[64];
            memcpy(piece, frame->ptr + from, len);
            carnet_buf_append(frame, piece, len);
        }
        break;
    default: /* a length that lies */
        if (frame->len > 2) {
            size_t at = sim_below(sim, frame->len - 1);
            frame->ptr[at] = (uint8_t)(0x98 + sim_below(sim, 4));
            frame->ptr[at + 1] = (uint8_t)sim_below(sim, 256);
        }
        break;
    }
}

static void speak(struct sim *sim, struct carnet_buf *out)
{
    const struct carnet_buf *old = &sim->captured[sim_below(sim, sizeof sim->captured / sizeof *sim->captured)];
    if (old->len && sim_chance(sim, 700)) {
        carnet_buf_append_slice(out, carnet_buf_slice(old));
        if (sim_chance(sim, 500))
            mutate(sim, out);
        return;
    }
    for (uint64_t len = 1 + sim_below(sim, 300); len > 0; len--)
        carnet_buf_append_byte(out, (uint8_t)sim_below(sim, 256));
}

void sim_hostile_say(struct sim *sim, struct sim_link *link, unsigned side)
{
    struct carnet_buf frame;
    if (!link->open[side] || sim_chance(sim, 200))
        return;
    carnet_buf_init(&frame, CARNET_FRAME_LEN_MAX);
    speak(sim, &frame);
    sim_push(sim, link, side, carnet_buf_slice(&frame));
    carnet_buf_deinit(&frame);
}

void sim_hostile_connect(struct sim *sim, unsigned index)
{
    struct sim_node *node = &sim->nodes[index];
    if (!node->on)
        return;
    uint64_t number = sim_link_new(sim, SIM_HOSTILE, index, 0);
    sim_trace(sim, "a stranger calls n%u", index);
    sim_due(sim, sim->now + 20000, SIM_BREAK, number, 0);
    carnet_core_up(node->core, number * 2 + 1, &sim->stranger, false);
    sim_settle(node);
    for (uint64_t words = 1 + sim_below(sim, 3); words > 0; words--) {
        struct sim_link *link = sim_link_find(sim, number);
        if (link)
            sim_hostile_say(sim, link, 0);
    }
}

bool sim_corrupt(struct sim *sim, struct carnet_slice frame, struct carnet_buf *out)
{
    if (sim->healing || !sim->mix.corrupt_ppm || frame.len < 2 || frame.ptr[1] == 1 || sim_below(sim, 1000000) >= sim->mix.corrupt_ppm)
        return false;
    carnet_buf_append_slice(out, frame);
    mutate(sim, out);
    if (out->len > CARNET_FRAME_LEN_MAX)
        out->len = CARNET_FRAME_LEN_MAX;
    return true;
}
