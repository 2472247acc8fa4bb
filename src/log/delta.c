// SPDX-License-Identifier: EUPL-1.2
#include "carnet/log/entry.h"

#include "internal.h"

#include <string.h>

/* The cells of a part as they were typed: [[field, label, value] ...]. */
static bool read_cells(struct carnet_slice plain, struct carnet_sibling *cells, size_t count)
{
    struct carnet_reader r;
    carnet_reader_init(&r, plain);
    carnet_reader_array_exact(&r, count);
    for (size_t i = 0; i < count && !r.failed; i++) {
        cells[i] = (struct carnet_sibling){ 0 };
        carnet_reader_array_exact(&r, 3);
        cells[i].field = (uint32_t)carnet_reader_uint_max(&r, UINT32_MAX);
        cells[i].label = carnet_reader_text_max(&r, CARNET_LABEL_LEN_MAX);
        cells[i].value = carnet_reader_text_max(&r, CARNET_VALUE_LEN_MAX);
        if (cells[i].field == CARNET_FIELD_NONE)
            carnet_reader_fail(&r);
    }
    return carnet_reader_done(&r) == CARNET_OK;
}

struct scratch {
    struct carnet_buf ad, plain;
};

/* The plaintext of a part, in the arena (or, clear, in the entry); false: not to be read here. */
static bool open_part(const struct carnet_entry *entry, size_t change, const struct carnet_part *part,
                      const struct carnet_opener *opener, struct scratch *scratch, struct carnet_arena *arena,
                      struct carnet_slice *plain)
{
    const struct carnet_change *c = &entry->changes[change];
    if (part->type == CARNET_PART_CLEAR) {
        *plain = part->bytes;
        return true;
    }
    struct carnet_key key;
    if (!opener->key || !opener->key(opener->ctx, &entry->header, c, part, &key))
        return false;
    carnet_buf_clear(&scratch->ad);
    carnet_buf_clear(&scratch->plain);
    carnet_part_ad(&entry->header, change, &c->record, &c->subject, part, &scratch->ad);
    carnet_rc rc = carnet_open(&key, carnet_buf_slice(&scratch->ad), part->bytes, &scratch->plain);
    carnet_wipe(&key, sizeof key);
    if (rc != CARNET_OK)
        return false;
    *plain = carnet_arena_dup(arena, carnet_buf_slice(&scratch->plain));
    return true;
}

static void add_cells(const struct carnet_entry *entry, size_t change, const struct carnet_part *part,
                      const struct carnet_opener *opener, struct scratch *scratch, struct carnet_arena *arena,
                      struct carnet_record *delta)
{
    struct carnet_sibling cells[CARNET_PART_CELLS_MAX];
    struct carnet_slice plain;
    enum carnet_sibling_state state = CARNET_SIBLING_LOCKED;
    if (!part->present)
        state = part->scope == CARNET_SCOPE_CLEAR || opener->wanted >> part->scope & 1 ? CARNET_SIBLING_MISSING
                                                                                       : CARNET_SIBLING_LOCKED;
    else if (open_part(entry, change, part, opener, scratch, arena, &plain) &&
             read_cells(plain, cells, part->cell_count))
        state = CARNET_SIBLING_VALUE;
    struct carnet_reader r;
    carnet_reader_init(&r, part->contexts);
    size_t count = carnet_reader_array(&r);
    for (size_t i = 0; i < count; i++) {
        struct carnet_sibling sibling = {0};
        if (state == CARNET_SIBLING_VALUE)
            sibling = cells[i];
        sibling.dot = carnet_entry_cell_dot(entry, change, part, i);
        sibling.hlc = entry->header.hlc;
        sibling.seed = part->seed;
        sibling.scope = part->scope;
        sibling.state = state;
        for (size_t dots = carnet_reader_array(&r); dots > 0; dots--) {
            struct carnet_dot dot = carnet_dot_read(&r);
            carnet_record_add_replaced(delta, &dot, 1u << part->scope);
        }
        carnet_record_add_sibling(delta, &sibling);
    }
}

static void add_seed(const struct carnet_part *part, struct carnet_record *delta)
{
    struct carnet_seed seed = {.id = part->seed, .scope = part->scope};
    /* A seed that is not the one its id names is none. */
    if (part->seed_fits) {
        seed.held = true;
        memcpy(seed.b, part->bytes.ptr, sizeof seed.b);
    }
    carnet_record_add_seed(delta, &seed);
}

void carnet_entry_delta(const struct carnet_entry *entry, size_t change, const struct carnet_opener *opener,
                        struct carnet_arena *arena, struct carnet_record *delta)
{
    CARNET_ASSERT(change < entry->change_count);
    const struct carnet_change *c = &entry->changes[change];
    struct scratch scratch;
    carnet_buf_init(&scratch.ad, 1024);
    carnet_buf_init(&scratch.plain, CARNET_ENTRY_LEN_MAX);
    delta->id = c->record;
    delta->subject = c->subject;
    delta->kind = c->kind;
    delta->hlc_first = delta->hlc_last = entry->header.hlc;
    for (size_t i = 0; i < c->part_count; i++) {
        switch (c->parts[i].type) {
        case CARNET_PART_SEALED:
        case CARNET_PART_CLEAR:
            add_cells(entry, change, &c->parts[i], opener, &scratch, arena, delta);
            break;
        case CARNET_PART_SEED:
            add_seed(&c->parts[i], delta);
            break;
        case CARNET_PART_BOX: /* for the keyring, not for a record */
            break;
        }
    }
    for (size_t i = 0; i < c->event_count; i++) {
        struct carnet_event_item item = {
            .dot = carnet_entry_dot(entry, change, (unsigned)i), .hlc = entry->header.hlc, .raw = c->events[i]};
        carnet_record_add_event(delta, &item);
    }
    if (scratch.plain.ptr)
        carnet_wipe(scratch.plain.ptr, scratch.plain.cap);
    carnet_buf_deinit(&scratch.plain);
    carnet_buf_deinit(&scratch.ad);
}
