// SPDX-License-Identifier: EUPL-1.2
/* What the oracle knows: every write and event, who wrote it having seen what, and what became of it. Dots are read back from the log. */
#include "sim.h"

#include "carnet/log/entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value that is nowhere else: lower case, so that folding keeps it; its end is random, for the search index shares beginnings. */
void sim_mark(struct sim *sim, char out[24])
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint64_t random = sim_below(sim, UINT64_C(1) << 63);
    out[0] = 'z';
    for (unsigned i = 1; i < SIM_MARK_LEN; i++, random = i == 10 ? sim_below(sim, UINT64_C(1) << 63) : random >> 5)
        out[i] = digits[random & 31];
    out[SIM_MARK_LEN] = 0;
    sim->marks++;
}

void sim_shared(struct sim *sim, char out[24])
{
    snprintf(out, 24, "shared%04u", (unsigned)sim_below(sim, SIM_SHARED)); /* no mark: erasing one person leaves it with the others */
    CARNET_ASSERT(strlen(out) == SIM_SHARED_LEN);
}

size_t sim_record_add(struct sim *sim, const struct carnet_id *id, const struct carnet_id *subject, unsigned book, enum carnet_kind kind, size_t person, unsigned node)
{
    CARNET_GROW(sim->records, sim->record_count, sim->record_cap);
    size_t index = sim->record_count++;
    sim->records[index] =
        (struct sim_record){ .id = *id, .subject = *subject, .book = book, .kind = kind, .person = person == SIZE_MAX ? index : person, .node = node };
    return index;
}

size_t sim_write_add(struct sim *sim, size_t record, unsigned node, uint32_t field, const char *label, const char *value)
{
    CARNET_GROW(sim->writes, sim->write_count, sim->write_cap);
    struct sim_write *write = &sim->writes[sim->write_count];
    *write = (struct sim_write){ .record = record, .node = node, .field = field, .fate = SIM_UNKNOWN };
    const struct carnet_field_def *def = carnet_field_by_number(carnet_replica_charter(sim->nodes[node].replica), field);
    write->scope = def ? def->scope : CARNET_SCOPE_IDENTITY;
    snprintf(write->label, sizeof write->label, "%s", label);
    snprintf(write->value, sizeof write->value, "%s", value);
    return sim->write_count++;
}

size_t sim_event_add(struct sim *sim, size_t record, unsigned node, const struct carnet_event *event)
{
    CARNET_GROW(sim->events, sim->event_count, sim->event_cap);
    struct sim_event *out = &sim->events[sim->event_count];
    *out = (struct sim_event){ .record = record, .node = node, .type = event->type, .scope = event->scope, .proof = event->proof, .basis = event->basis, .since_ms = event->since_ms, .until_ms = event->until_ms,
                               .at = sim->now, .fate = SIM_UNKNOWN };
    out->other = event->other;
    snprintf(out->purpose, sizeof out->purpose, "%.*s", (int)event->purpose.len, event->purpose.len ? (const char *)event->purpose.ptr : "");
    if (event->type == CARNET_EVENT_GRANT) {
        const struct carnet_purpose_def *def = carnet_purpose_version(carnet_replica_charter(sim->nodes[node].replica), event->purpose, event->version);
        out->scopes = def ? def->scopes : 0;
    }
    if (event->name_count) {
        out->names = carnet_alloc(event->name_count * sizeof *out->names);
        memcpy(out->names, event->names, event->name_count * sizeof *out->names);
        out->name_count = event->name_count;
    }
    return sim->event_count++;
}

static void needle_add(struct sim *sim, size_t record, enum carnet_scope scope, uint64_t seed, enum sim_needle_kind kind, struct carnet_slice bytes)
{
    if (bytes.len < 8)
        return;
    CARNET_GROW(sim->needles, sim->needle_count, sim->needle_cap);
    struct sim_needle *needle = &sim->needles[sim->needle_count++];
    *needle = (struct sim_needle){ .record = record, .scope = scope, .seed = seed, .kind = kind };
    needle->len = bytes.len < sizeof needle->bytes ? bytes.len : sizeof needle->bytes;
    memcpy(needle->bytes, bytes.ptr, needle->len);
}

static size_t record_find(const struct sim *sim, const struct carnet_id *id)
{
    for (size_t i = sim->record_count; i-- > 0;)
        if (carnet_id_equal(&sim->records[i].id, id))
            return i;
    return SIZE_MAX;
}

bool sim_holds_dot(struct sim_node *node, unsigned book, const struct carnet_dot *dot)
{
    struct carnet_sync_source source = carnet_replica_source(node->replica);
    unsigned author = sim_node_of(node->sim, dot->author);
    if (author == SIM_HOSTILE || dot->seq == 0)
        return false;
    return source.position(source.ctx, &node->sim->books[book], &node->sim->nodes[author].id, dot->stream, dot->seq) != 0;
}

bool sim_beyond(struct sim_node *node, unsigned book, const struct carnet_dot *dot)
{
    unsigned author = sim_node_of(node->sim, dot->author);
    return author != SIM_HOSTILE && carnet_authority_cut_at(carnet_replica_authority(node->replica), &node->sim->nodes[author].id, &node->sim->books[book], dot->stream) < dot->seq;
}

static void look_event(struct sim_node *node, size_t record, const struct carnet_event *event, const struct carnet_dot *dot, uint64_t hlc)
{
    struct sim *sim = node->sim;
    char purpose[16];
    size_t found = SIZE_MAX;
    snprintf(purpose, sizeof purpose, "%.*s", (int)event->purpose.len, event->purpose.len ? (const char *)event->purpose.ptr : "");
    for (size_t i = sim->event_count; i-- > 0;) {
        struct sim_event *known = &sim->events[i];
        if (known->node != node->index || known->record != record)
            continue;
        if (carnet_dot_equal(&known->dot, dot))
            return;
        if (known->dot.seq == 0 && known->type == event->type && known->fate != SIM_FAILED && !strcmp(known->purpose, purpose))
            found = i;
    }
    bool own_idea = found == SIZE_MAX; /* the node did it by itself */
    if (own_idea)
        found = sim_event_add(sim, record, node->index, event);
    struct sim_event *known = &sim->events[found];
    known->dot = *dot;
    known->hlc = hlc;
    known->fate = SIM_ACKED;
    known->timely = carnet_hlc_ms(hlc) <= SIM_EPOCH + known->at + 4 * SIM_MINUTE;
    if (own_idea && !node->by_hand && (event->type == CARNET_EVENT_DARK || event->type == CARNET_EVENT_ERASE)) {
        sim_trace(sim, "n%u by itself: %s r%zu %s", node->index, event->type == CARNET_EVENT_DARK ? "dark" : "erase", record, carnet_scope_name(event->scope));
        sim_check_darks(node, found);
    }
}

/* The cells of a part that people's own functions wrote: what each replaces. */
static void look_cells(struct sim_node *node, size_t record, const struct carnet_entry *entry, size_t change, const struct carnet_part *part)
{
    struct sim *sim = node->sim;
    struct carnet_reader r;
    carnet_reader_init(&r, part->contexts);
    size_t cells = carnet_reader_array(&r);
    for (size_t cell = 0; cell < cells; cell++) {
        size_t index = sim_write_add(sim, record, node->index, 0, "", "");
        struct sim_write *write = &sim->writes[index];
        write->dot = carnet_entry_cell_dot(entry, change, part, cell);
        write->fate = SIM_ACKED;
        write->by_hand = write->by_dot = true;
        write->seen_count = carnet_reader_array(&r);
        write->seen = write->seen_count ? carnet_alloc(write->seen_count * sizeof *write->seen) : NULL;
        for (size_t i = 0; i < write->seen_count; i++)
            write->seen[i] = carnet_dot_read(&r);
    }
}

static void look_entry(struct sim_node *node, const struct carnet_entry_row *row)
{
    struct sim *sim = node->sim;
    struct carnet_entry entry;
    struct carnet_entry_header header;
    struct carnet_hash hash;
    if (carnet_entry_peek(row->bytes, &header, &hash) != CARNET_OK)
        sim_fail(sim, "P9", "n%u stored an entry that cannot be read", node->index);
    for (size_t i = 0; i < sim->forged_count; i++)
        if (carnet_hash_equal(&sim->forged[i], &hash))
            sim_fail(sim, "P9", "n%u stored a forged entry", node->index);
    if (!carnet_id_equal(&header.author, &node->id))
        return;
    if (header.hlc <= node->hlc)
        sim_fail(sim, "hlc", "n%u wrote with a clock that went back", node->index);
    node->hlc = header.hlc;
    struct carnet_arena arena;
    carnet_arena_init(&arena);
    if (carnet_entry_decode(row->bytes, &arena, &entry) != CARNET_OK)
        sim_fail(sim, "P9", "n%u wrote an entry that it cannot read", node->index);
    for (size_t c = 0; c < entry.change_count; c++) {
        const struct carnet_change *change = &entry.changes[c];
        size_t record = record_find(sim, &change->record);
        if (record == SIZE_MAX && node->by_hand && change->kind == CARNET_KIND_CONTACT && carnet_id_equal(&change->record, &change->subject))
            for (unsigned b = 0; b < sim->book_count; b++)
                if (carnet_id_equal(&sim->books[b], &header.book))
                    record = sim_record_add(sim, &change->record, &change->record, b, CARNET_KIND_CONTACT, SIZE_MAX, node->index);
        if (record == SIZE_MAX)
            continue;
        for (size_t e = 0; e < change->event_count; e++) {
            struct carnet_event event;
            struct carnet_dot dot = carnet_entry_dot(&entry, c, (unsigned)e);
            if (carnet_event_decode(change->events[e], &event) == CARNET_OK)
                look_event(node, record, &event, &dot, header.hlc);
        }
        for (size_t p = 0; p < change->part_count; p++) {
            const struct carnet_part *part = &change->parts[p];
            if (node->by_hand && part->cell_count)
                look_cells(node, record, &entry, c, part);
            if (!part->present)
                continue;
            if (part->type == CARNET_PART_SEED && part->bytes.len >= 16)
                needle_add(sim, record, part->scope, part->seed, SIM_NEEDLE_SEED, carnet_slice(part->bytes.ptr + part->bytes.len - 16, 16));
            if (part->type == CARNET_PART_SEALED && part->bytes.len >= 56) {
                needle_add(sim, record, part->scope, part->seed, SIM_NEEDLE_SEALED, carnet_slice(part->bytes.ptr, 16));
                needle_add(sim, record, part->scope, part->seed, SIM_NEEDLE_SEALED, carnet_slice(part->bytes.ptr + 32, 16));
            }
        }
    }
    carnet_arena_deinit(&arena);
}

void sim_look(struct sim_node *node)
{
    int64_t last = carnet_replica_last(node->replica);
    struct carnet_store *store = carnet_replica_store(node->replica);
    struct carnet_err err = CARNET_ERR_INIT;
    while (node->seen_n < last) {
        struct carnet_entry_row row;
        if (carnet_store_entry_get(store, node->seen_n + 1, &row, &err) != CARNET_OK)
            return; /* the disk fails: later */
        look_entry(node, &row);
        node->seen_n++;
    }
}

/* Looks for the dot of a write in the record as its author sees it. */
static bool find_write(struct sim_node *node, struct sim_write *write)
{
    struct sim *sim = node->sim;
    struct carnet_arena arena;
    struct carnet_view view;
    struct carnet_err err = CARNET_ERR_INIT;
    const struct sim_record *record = &sim->records[write->record];
    bool found = false;
    carnet_arena_init(&arena);
    if (carnet_replica_record(node->replica, &sim->books[record->book], &record->id, &arena, &view, &err) == CARNET_OK) {
        for (size_t i = 0; i < view.record.live_count; i++) {
            const struct carnet_sibling *s = &view.record.live[i];
            bool before = false;
            if (s->dot.author != carnet_id_head(&node->id) || s->state != CARNET_SIBLING_VALUE || s->field != write->field ||
                !carnet_slice_equal(s->label, carnet_slice_str(write->label)) || !carnet_slice_equal(s->value, carnet_slice_str(write->value)))
                continue;
            for (size_t j = 0; j < write->seen_count; j++)
                before = before || carnet_dot_equal(&write->seen[j], &s->dot);
            if (before || (found && carnet_dot_compare(&s->dot, &write->dot) < 0))
                continue;
            write->dot = s->dot;
            if (!found && strlen(write->value) == SIM_MARK_LEN)
                needle_add(sim, write->record, s->scope, s->seed, SIM_NEEDLE_VALUE, carnet_slice_str(write->value + SIM_MARK_LEN - 14));
            found = true;
        }
    }
    carnet_arena_deinit(&arena);
    return found;
}

void sim_ack(struct sim_node *node, size_t first_write, size_t first_event, enum sim_fate fate)
{
    struct sim *sim = node->sim;
    for (size_t i = first_event; i < sim->event_count; i++)
        sim->events[i].fate = fate;
    for (size_t i = first_write; i < sim->write_count; i++)
        sim->writes[i].fate = fate;
    if (fate != SIM_ACKED)
        return;
    sim->acked_count++;
    sim_look(node);
    for (size_t i = first_event; i < sim->event_count; i++)
        if (sim->events[i].dot.seq == 0)
            sim->events[i].fate = SIM_UNKNOWN; /* the disk failed while it was read back */
    for (size_t i = first_write; i < sim->write_count; i++) {
        struct sim_write *write = &sim->writes[i];
        if (write->by_dot || find_write(node, write) || !simvfs_is_on(sim->vfs, node->name))
            continue;
        if (strlen(write->value) == SIM_MARK_LEN && !sim->mix.ioerr_ppm)
            sim_fail(sim, "P3", "n%u: what was just written is not there: r%zu field %u \"%s\"", node->index, write->record, (unsigned)write->field, write->value);
        write->fate = SIM_FAILED; /* a tag that was there already */
    }
}

void sim_resolve(struct sim_node *node)
{
    struct sim *sim = node->sim;
    sim_look(node);
    node->by_hand = false;
    for (size_t i = 0; i < sim->event_count; i++)
        if (sim->events[i].node == node->index && sim->events[i].fate == SIM_UNKNOWN)
            sim->events[i].fate = sim->events[i].dot.seq ? SIM_ACKED : SIM_FAILED;
    for (size_t i = 0; i < sim->write_count; i++)
        if (sim->writes[i].node == node->index && sim->writes[i].fate == SIM_UNKNOWN)
            sim->writes[i].fate = find_write(node, &sim->writes[i]) ? SIM_ACKED : SIM_FAILED;
}
