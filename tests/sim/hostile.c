// SPDX-License-Identifier: EUPL-1.2
/* A stranger who speaks nonsense and repeats what others said, and members whose frames come damaged. */
#include "sim.h"

#include "carnet/log/entry.h"

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

/* An entry that must be refused everywhere: in the name of somebody else, or beyond the rights of whoever signs. */
static bool forge(struct sim_node *node, struct carnet_buf *out)
{
    struct sim *sim = node->sim;
    const struct carnet_authority *authority = carnet_replica_authority(node->replica);
    struct sim_node *victim = &sim->nodes[sim_below(sim, sim->node_count)], *signer = &sim->nodes[sim_below(sim, sim->node_count)];
    bool name = sim_chance(sim, 500); /* a false name, else false rights */
    struct sim_node *author = name ? victim : signer;
    const struct carnet_cert *cert = carnet_authority_node(authority, &author->id);
    if (!sim->record_count || !cert || (name ? victim == signer : signer->role != CARNET_ROLE_VOLUNTEER && signer->role != CARNET_ROLE_RELAY))
        return false;
    const struct sim_record *record = &sim->records[sim_below(sim, sim->record_count)];
    struct carnet_sign_pk pk;
    struct carnet_sign_sk sk;
    struct carnet_entry_header header = { .community = sim->community, .book = sim->books[record->book], .author = author->id, .cert = cert->hash,
                                          .log = CARNET_LOG_LAW, .incarnation = 900 + (uint32_t)sim_below(sim, 100), .seq = 1,
                                          .hlc = carnet_hlc_next(0, SIM_EPOCH + sim->now) };
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_buf raw;
    struct carnet_hash hash;
    carnet_sign_pair(signer->identity.sign, &pk, &sk);
    carnet_buf_init(&raw, CARNET_ENTRY_LEN_MAX);
    carnet_draft_change(draft, &record->id, carnet_id_is_zero(&record->subject) ? NULL : &record->subject, record->kind);
    if (name || sim_chance(sim, 500)) {
        struct carnet_event event = { .type = CARNET_EVENT_ERASE }; /* a volunteer may not, and nobody for another */
        carnet_draft_event(draft, &event);
    } else { /* a scope that neither writes */
        struct carnet_key key = { { 0 } };
        struct carnet_draft_cell cell = { .field = CARNET_FIELD_EMAIL, .value = carnet_slice_str("forged@example.org") };
        header.log = CARNET_LOG_DATA;
        carnet_draft_cells(draft, CARNET_SCOPE_EMAIL, 7, 7, &key, &cell, 1);
    }
    bool done = carnet_draft_sign(draft, &header, &sk, &raw, &hash) == CARNET_OK;
    if (done) {
        CARNET_GROW(sim->forged, sim->forged_count, sim->forged_cap);
        sim->forged[sim->forged_count++] = hash;
        carnet_cbor_put_array(out, 2);
        carnet_cbor_put_uint(out, 5);
        carnet_cbor_put_array(out, 1);
        carnet_cbor_put_bytes(out, carnet_buf_slice(&raw));
    }
    carnet_draft_free(draft);
    carnet_buf_deinit(&raw);
    return done;
}

bool sim_corrupt(struct sim_node *node, struct carnet_slice frame, struct carnet_buf *out)
{
    struct sim *sim = node->sim;
    if (sim->healing || !sim->mix.corrupt_ppm || frame.len < 2 || frame.ptr[1] == 1)
        return false;
    if (frame.ptr[1] == 5 && sim_chance(sim, 30) && forge(node, out)) {
        sim_trace(sim, "n%u sends a forged entry", node->index);
        return true;
    }
    /* an entry that is lost to damage lets others come before it */
    if (sim_below(sim, 1000000) >= (frame.ptr[1] == 5 ? 8 : 1) * sim->mix.corrupt_ppm)
        return false;
    carnet_buf_append_slice(out, frame);
    mutate(sim, out);
    if (out->len > CARNET_FRAME_LEN_MAX)
        out->len = CARNET_FRAME_LEN_MAX;
    return true;
}
