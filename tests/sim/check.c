// SPDX-License-Identifier: EUPL-1.2
/* What must hold. Each check is written from the promises, not from the code: where both know the same thing, they learned it apart. */
#include "sim.h"

#include "carnet/log/entry.h"
#include "carnet/replica/suppress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_HELLO = 1, FRAME_BOOKS, FRAME_CHAIN, FRAME_HAVE, FRAME_ENTRIES, FRAME_DONE, FRAME_CREDIT, FRAME_WANT, FRAME_GONE, FRAME_BYE };

/* --- what is sent --- */

static bool contains(struct carnet_slice bytes, const void *needle, size_t len)
{
    return bytes.len >= len && memmem(bytes.ptr, bytes.len, needle, len) != NULL;
}

/* One place of one log has one content, for ever and everywhere. */
static void place(struct sim *sim, const struct sim_head *head)
{
    for (size_t i = sim->place_count; i-- > 0;) {
        const struct sim_head *known = &sim->places[i];
        if (known->seq != head->seq || known->stream != head->stream || !carnet_id_equal(&known->author, &head->author) || !carnet_id_equal(&known->book, &head->book))
            continue;
        if (!carnet_hash_equal(&known->hash, &head->hash))
            sim_fail(sim, "P2", "two contents at one place: a node took a sequence number twice");
        return;
    }
    CARNET_GROW(sim->places, sim->place_count, sim->place_cap);
    sim->places[sim->place_count++] = *head;
}

static void shown(struct sim_node *node, const struct sim_head *head)
{
    for (size_t i = 0; i < node->shown_count; i++) {
        struct sim_head *known = &node->shown[i];
        if (known->stream != head->stream || !carnet_id_equal(&known->author, &head->author) || !carnet_id_equal(&known->book, &head->book))
            continue;
        if (head->seq > known->seq)
            *known = *head;
        return;
    }
    CARNET_GROW(node->shown, node->shown_count, node->shown_cap);
    node->shown[node->shown_count++] = *head;
}

static void sent_entries(struct sim_node *node, struct sim_node *to, struct carnet_slice frame)
{
    struct sim *sim = node->sim;
    struct carnet_reader reader;
    struct carnet_arena arena;
    if (carnet_store_in_transaction(carnet_replica_store(node->replica)))
        sim_fail(sim, "P2", "n%u announces inside a transaction", node->index);
    carnet_arena_init(&arena);
    carnet_reader_init(&reader, frame);
    carnet_reader_array(&reader);
    carnet_reader_uint(&reader);
    for (size_t left = carnet_reader_array(&reader); left > 0; left--) {
        struct carnet_slice raw = carnet_reader_bytes(&reader);
        struct carnet_entry_header header;
        struct sim_head head;
        struct carnet_entry entry;
        if (carnet_entry_peek(raw, &header, &head.hash) != CARNET_OK)
            sim_fail(sim, "P9", "n%u sends an entry that cannot be read", node->index);
        head.book = header.book;
        head.author = header.author;
        head.stream = carnet_entry_stream(&header);
        head.seq = header.seq;
        place(sim, &head);
        shown(node, &head);
        for (unsigned b = 0; b < sim->book_count; b++)
            if (carnet_id_equal(&sim->books[b], &header.book) && !sim_node_holds(to, b))
                sim_fail(sim, "P8", "n%u sends n%u an entry of a book that it does not hold", node->index, to->index);
        if (to->role == CARNET_ROLE_RELAY || (to->reads & CARNET_SCOPES_ALL) == CARNET_SCOPES_ALL)
            continue;
        carnet_arena_reset(&arena);
        if (carnet_entry_decode(raw, &arena, &entry) != CARNET_OK)
            sim_fail(sim, "P9", "n%u sends an entry that cannot be decoded", node->index);
        for (size_t c = 0; c < entry.change_count; c++)
            for (size_t p = 0; p < entry.changes[c].part_count; p++) {
                const struct carnet_part *part = &entry.changes[c].parts[p];
                if (part->present && part->type != CARNET_PART_CLEAR && part->type != CARNET_PART_BOX && !sim_node_reads(to, part->scope))
                    sim_fail(sim, "P6", "n%u sends n%u a part of scope %s", node->index, to->index, carnet_scope_name(part->scope));
            }
    }
    carnet_arena_deinit(&arena);
}

void sim_check_sent(struct sim_node *node, const struct sim_link *link, unsigned side, struct carnet_slice frame)
{
    struct sim *sim = node->sim;
    unsigned type = frame.len > 1 ? frame.ptr[1] : 0;
    unsigned other = link->node[!side];
    const struct carnet_authority *authority = carnet_replica_authority(node->replica);
    bool member = other != SIM_HOSTILE;
    if (member) {
        const struct carnet_cert *cert = carnet_authority_node(authority, &sim->nodes[other].id);
        if (cert && carnet_authority_is_cut(authority, &cert->node)) /* one that the charter does not name yet proves itself by its chain */
            member = false;
        if (cert && cert->not_after_ms && cert->not_after_ms <= sim_wall(node))
            member = false;
    }
    if (member) {
        if (type == FRAME_ENTRIES)
            sent_entries(node, &sim->nodes[other], frame);
        return;
    }
    if (type != FRAME_HELLO && type != FRAME_CHAIN && type != FRAME_BYE && other == SIM_HOSTILE)
        sim_fail(sim, "P8", "n%u sends a frame of type %u to a stranger", node->index, type);
    for (unsigned b = 0; b < sim->book_count; b++)
        if (contains(frame, sim->books[b].b, sizeof sim->books[b].b) && type != FRAME_CHAIN)
            sim_fail(sim, "P8", "n%u names a book to %s in a frame of type %u", node->index, other == SIM_HOSTILE ? "a stranger" : "a node that it knows cut or expired", type);
    if (type == FRAME_ENTRIES || type == FRAME_HAVE || type == FRAME_BOOKS || type == FRAME_WANT)
        sim_fail(sim, "P8", "n%u sends a frame of type %u to a node that it knows cut or expired", node->index, type);
}

/* --- P2 --- */

void sim_check_opened(struct sim_node *node)
{
    struct sim *sim = node->sim;
    struct carnet_sync_source source = carnet_replica_source(node->replica);
    for (size_t i = 0; i < node->shown_count; i++) {
        const struct sim_head *head = &node->shown[i];
        if (!source.position(source.ctx, &head->book, &head->author, head->stream, head->seq))
            sim_fail(sim, "P2", "n%u announced entry %llu of log %u of n%u, and lost it (%lld entries left)", node->index, (unsigned long long)head->seq, (unsigned)head->stream,
                     sim_node_of(sim, carnet_id_head(&head->author)), (long long)carnet_replica_last(node->replica));
    }
    for (size_t i = 0; i < sim->event_count; i++)
        if (sim->events[i].node == node->index && sim->events[i].fate == SIM_ACKED && !sim_holds_dot(node, sim->records[sim->events[i].record].book, &sim->events[i].dot))
            sim_fail(sim, "P2", "n%u lost an acknowledged event of r%zu", node->index, sim->events[i].record);
    for (size_t i = 0; i < sim->write_count; i++)
        if (sim->writes[i].node == node->index && sim->writes[i].fate == SIM_ACKED && !sim_holds_dot(node, sim->records[sim->writes[i].record].book, &sim->writes[i].dot))
            sim_fail(sim, "P2", "n%u lost an acknowledged write of r%zu", node->index, sim->writes[i].record);
    sim->check_count++;
}

/* --- P4: consent, evaluated again from the events that the node holds --- */

static bool same_person(const struct sim *sim, const struct carnet_view *view, size_t record)
{
    for (size_t i = 0; i < view->person_count; i++)
        if (carnet_id_equal(&view->person[i]->id, &sim->records[record].id))
            return true;
    return false;
}

static bool held(struct sim_node *node, const struct sim_event *event)
{
    return event->fate == SIM_ACKED && sim_holds_dot(node, node->sim->records[event->record].book, &event->dot);
}

static bool names(const struct sim_event *event, const struct carnet_dot *dot)
{
    for (size_t i = 0; i < event->name_count; i++)
        if (carnet_dot_equal(&event->names[i], dot))
            return true;
    return false;
}

static bool countersigned(struct sim_node *node, const struct sim_event *grant)
{
    const struct sim *sim = node->sim;
    for (size_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *event = &sim->events[i];
        if (event->type == CARNET_EVENT_COUNTERSIGN && event->record == grant->record && event->dot.author != grant->dot.author && names(event, &grant->dot) && held(node, event) &&
            !sim_beyond(node, sim->records[event->record].book, &event->dot))
            return true;
    }
    return false;
}

/* Somebody found on the grant's own record that it is worth nothing. */
static bool invalidated(struct sim_node *node, const struct sim_event *grant)
{
    const struct sim *sim = node->sim;
    for (size_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *event = &sim->events[i];
        if (event->type == CARNET_EVENT_INVALIDATE && event->record == grant->record && names(event, &grant->dot) && held(node, event) &&
            !sim_beyond(node, sim->records[event->record].book, &event->dot))
            return true;
    }
    return false;
}

/* With --trace: what the oracle knows of a record, before a promise is said to be broken. */
static void explain(struct sim_node *node, size_t record)
{
    const struct sim *sim = node->sim;
    for (size_t i = 0; sim->trace && i < sim->event_count; i++) {
        const struct sim_event *event = &sim->events[i];
        if (event->record == record)
            printf("  e%zu n%u type %u %s scope %u proof %u until %lld at %lld dot %llu/%u, %zu names, %s%s%s%s\n", i, event->node, (unsigned)event->type, event->purpose,
                   (unsigned)event->scope, (unsigned)event->proof, (long long)event->until_ms, (long long)event->at, (unsigned long long)event->dot.seq, (unsigned)event->dot.index,
                   event->name_count, event->fate == SIM_ACKED ? "acked" : event->fate == SIM_FAILED ? "failed" : "unknown", held(node, event) ? ", held" : "",
                   sim_beyond(node, sim->records[record].book, &event->dot) ? ", beyond" : "", event->timely ? "" : ", future");
    }
    for (size_t i = 0; sim->trace && i < sim->write_count; i++) {
        const struct sim_write *write = &sim->writes[i];
        if (write->record == record)
            printf("  w%zu n%u field %u/%s \"%s\" dot %llu/%u, %zu seen, %s\n", i, write->node, (unsigned)write->field, write->label, write->value, (unsigned long long)write->dot.seq,
                   (unsigned)write->dot.index, write->seen_count, write->fate == SIM_ACKED ? "acked" : write->fate == SIM_FAILED ? "failed" : "unknown");
    }
}

static void show_record(struct sim_node *node, size_t record)
{
    struct sim *sim = node->sim;
    const struct sim_record *r = &sim->records[record];
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_record_row row;
    struct carnet_record state;
    carnet_record_init(&state);
    if (carnet_store_record_get(carnet_replica_store(node->replica), &sim->books[r->book], &r->id, &row, &err) != CARNET_OK || carnet_record_unpack(row.state, &state) != CARNET_OK)
        return;
    printf("  r%zu kind %u erased %d hlc %llx-%llx\n", record, (unsigned)state.kind, state.erased, (unsigned long long)state.hlc_first, (unsigned long long)state.hlc_last);
    for (size_t i = 0; i < state.live_count; i++)
        printf("    live n%u %u/%llu/%u scope %u state %u seed %llx field %u %.*s\n", sim_node_of(sim, state.live[i].dot.author), state.live[i].dot.stream,
               (unsigned long long)state.live[i].dot.seq, state.live[i].dot.index, (unsigned)state.live[i].scope, (unsigned)state.live[i].state, (unsigned long long)state.live[i].seed,
               (unsigned)state.live[i].field, (int)state.live[i].value.len, state.live[i].value.len ? (const char *)state.live[i].value.ptr : "");
    for (size_t i = 0; i < state.replaced_count; i++)
        printf("    replaced n%u %u/%llu/%u\n", sim_node_of(sim, state.replaced[i].dot.author), state.replaced[i].dot.stream, (unsigned long long)state.replaced[i].dot.seq, state.replaced[i].dot.index);
    for (size_t i = 0; i < state.event_count; i++)
        printf("    event n%u %u/%llu/%u type %llu\n", sim_node_of(sim, state.events[i].dot.author), state.events[i].dot.stream, (unsigned long long)state.events[i].dot.seq,
               state.events[i].dot.index, (unsigned long long)carnet_event_peek(state.events[i].raw));
    for (size_t i = 0; i < state.seed_count; i++)
        printf("    seed %llx scope %u%s%s\n", (unsigned long long)state.seeds[i].id, (unsigned)state.seeds[i].scope, state.seeds[i].dead ? " dead" : "", state.seeds[i].held ? " held" : "");
    carnet_record_deinit(&state);
}

/* How long the person's silence may last, and since when it does, by the facts that the node holds (sure), or that may be there. */
static int64_t silent_from(struct sim_node *node, size_t record, const struct carnet_view *view, bool sure)
{
    const struct sim *sim = node->sim;
    unsigned book = sim->records[record].book;
    int64_t last_ms = INT64_MIN, keep_ms = carnet_replica_charter(node->replica)->contact_ms;
    for (size_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *grant = &sim->events[i];
        if (grant->type != CARNET_EVENT_GRANT || grant->basis == CARNET_BASIS_ROLL || !same_person(sim, view, grant->record) || grant->fate == SIM_FAILED)
            continue;
        bool there = held(node, grant) && !sim_beyond(node, book, &grant->dot);
        if (sure && (!there || (grant->record == record && invalidated(node, grant))))
            continue;
        int64_t written_ms = grant->dot.seq ? carnet_hlc_ms(grant->hlc) : INT64_MAX, at_ms = grant->since_ms > 0 && grant->since_ms < written_ms ? grant->since_ms : written_ms;
        last_ms = at_ms > last_ms ? at_ms : last_ms;
    }
    return last_ms == INT64_MIN || last_ms > INT64_MAX - keep_ms ? INT64_MAX : last_ms + keep_ms;
}

/* Data that do not come from the person: open until they must have been told, and again once they were. */
static bool told(struct sim_node *node, const struct carnet_view *view, const struct sim_event *grant, int64_t now)
{
    const struct sim *sim = node->sim;
    if (grant->basis != CARNET_BASIS_LEGITIMATE_INTEREST || !strcmp(grant->purpose, "file") ||
        now < carnet_hlc_ms(grant->hlc) + carnet_replica_charter(node->replica)->inform_ms)
        return true;
    for (size_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *event = &sim->events[i];
        if (event->type == CARNET_EVENT_INFORM && same_person(sim, view, event->record) && names(event, &grant->dot) && held(node, event) &&
            !sim_beyond(node, sim->records[event->record].book, &event->dot))
            return true;
    }
    return false;
}

struct verdict {
    bool erased, restricted;
    uint32_t open;
};

/* Was the record ever merged, or does it say so? Then others' addresses may have been refused with its own. */
static bool is_merged(const struct sim *sim, size_t record)
{
    for (size_t i = 0; i < sim->event_count; i++)
        if (sim->events[i].type == CARNET_EVENT_EDGE && (sim->events[i].record == record || carnet_id_equal(&sim->events[i].other, &sim->records[record].id)))
            return true;
    return false;
}

static bool had_address_of(const struct sim *sim, size_t record, const struct carnet_view *view)
{
    for (size_t w = 0; w < sim->write_count; w++) {
        const struct sim_write *write = &sim->writes[w];
        if (write->record != record || (write->field != CARNET_FIELD_EMAIL && write->field != CARNET_FIELD_PHONE) || !write->value[0])
            continue;
        for (size_t p = 0; p < view->person_count; p++)
            for (size_t i = 0; i < view->person[p]->live_count; i++) {
                const struct carnet_sibling *s = &view->person[p]->live[i];
                if (s->state == CARNET_SIBLING_VALUE && (s->field == CARNET_FIELD_EMAIL || s->field == CARNET_FIELD_PHONE) && carnet_slice_equal(s->value, carnet_slice_str(write->value)))
                    return true;
            }
    }
    return false;
}

/* May the purpose be on the suppression list for an address of the person? Then nobody promises that a grant opens. */
static bool may_be_suppressed(const struct sim *sim, const struct carnet_view *view, const char *purpose)
{
    for (size_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *event = &sim->events[i];
        bool refusal = event->type == CARNET_EVENT_WITHDRAW || event->type == CARNET_EVENT_OBJECT || event->type == CARNET_EVENT_ERASE;
        if (refusal && event->fate != SIM_FAILED && (event->type == CARNET_EVENT_ERASE || !event->purpose[0] || !strcmp(event->purpose, purpose)) &&
            (had_address_of(sim, event->record, view) || is_merged(sim, event->record)))
            return true;
    }
    return false;
}

/* Could somebody who has the address have agreed again since? */
static bool agreed_since(const struct sim *sim, size_t record, const char *purpose, uint64_t hlc)
{
    for (size_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *grant = &sim->events[i];
        if (grant->record != record || grant->type != CARNET_EVENT_GRANT || strcmp(grant->purpose, purpose) != 0 || grant->fate == SIM_FAILED)
            continue;
        bool later = !grant->timely || grant->hlc > hlc;
        for (size_t j = 0; j < sim->event_count && grant->name_count; j++)
            later = later || (sim->events[j].type == CARNET_EVENT_COUNTERSIGN && sim->events[j].record == record && names(&sim->events[j], &grant->dot) &&
                              (!sim->events[j].timely || sim->events[j].hlc > hlc));
        if (later && (grant->proof >= CARNET_PROOF_DOUBLE_OPT_IN || grant->name_count))
            return true;
    }
    return false;
}

/* What was refused through an address is not used through it, whoever else has it, at any node that knows both and can tell. */
static void check_addresses(struct sim_node *node, size_t record, const struct carnet_view *view)
{
    struct sim *sim = node->sim;
    struct carnet_suppression list;
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_sync_source source = carnet_replica_source(node->replica);
    if (!sim->refused_count || carnet_replica_suppression(node->replica, &list, &err) != CARNET_OK || !list.key)
        return;
    for (size_t i = 0; i < view->record.live_count; i++) {
        const struct carnet_sibling *s = &view->record.live[i];
        if (s->state != CARNET_SIBLING_VALUE || (s->field != CARNET_FIELD_EMAIL && s->field != CARNET_FIELD_PHONE))
            continue;
        for (size_t j = 0; j < sim->refused_count; j++) {
            const struct sim_refused *refused = &sim->refused[j];
            const struct carnet_purpose_def *def;
            if (!carnet_slice_equal(s->value, carnet_slice_str(refused->value)) ||
                !source.position(source.ctx, &sim->community, &sim->nodes[refused->node].id, refused->stream, refused->seq))
                continue;
            bool ahead = carnet_hlc_ms(refused->hlc) > SIM_EPOCH + sim->now; /* its clock is wrong: when it came counts */
            for (size_t k = 0; (def = carnet_purpose_at(NULL, k)); k++)
                if ((!refused->purpose[0] || !strcmp(refused->purpose, def->name)) && !agreed_since(sim, record, def->name, ahead ? 0 : refused->hlc) &&
                    carnet_replica_allowed(node->replica, view, carnet_slice_str(def->name), s->scope, NULL) == CARNET_OK)
                    sim_fail(sim, "P4", "n%u may use %s of r%zu for %s, which was refused at n%u", node->index, refused->value, record, def->name, refused->node);
        }
    }
    sim->check_count++;
}

/* sure: without the grants that the suppression list may refuse. */
static struct verdict judge(struct sim_node *node, size_t record, const struct carnet_view *view, int64_t now, bool sure)
{
    const struct sim *sim = node->sim;
    struct verdict verdict = { .open = 1u << CARNET_SCOPE_CONSENT };
    int64_t silent_ms = silent_from(node, record, view, sure);
    unsigned book = sim->records[record].book;
    for (size_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *event = &sim->events[i];
        if (sim->records[event->record].book != book || !same_person(sim, view, event->record))
            continue;
        if (event->type == CARNET_EVENT_ERASE && held(node, event) && !sim_beyond(node, book, &event->dot))
            verdict.erased = true;
        if (event->type == CARNET_EVENT_RESTRICT && held(node, event)) {
            bool lifted = false;
            for (size_t j = 0; j < sim->event_count; j++)
                lifted = lifted || (sim->events[j].type == CARNET_EVENT_LIFT && sim->events[j].record == event->record && names(&sim->events[j], &event->dot) && held(node, &sim->events[j]) &&
                                    !sim_beyond(node, book, &sim->events[j].dot));
            verdict.restricted = verdict.restricted || !lifted;
        }
    }
    for (size_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *grant = &sim->events[i];
        if (grant->type != CARNET_EVENT_GRANT || grant->record != record || (grant->until_ms && grant->until_ms <= now) || !held(node, grant) ||
            sim_beyond(node, book, &grant->dot) || invalidated(node, grant) || !told(node, view, grant, now))
            continue;
        if (grant->basis != CARNET_BASIS_ROLL && grant->basis != CARNET_BASIS_MEMBER && silent_ms <= now)
            continue;
        bool live = true, refused = false;
        for (size_t j = 0; j < sim->event_count && live; j++) {
            const struct sim_event *refusal = &sim->events[j];
            if ((refusal->type != CARNET_EVENT_WITHDRAW && refusal->type != CARNET_EVENT_OBJECT) || !same_person(sim, view, refusal->record) ||
                (refusal->purpose[0] && strcmp(refusal->purpose, grant->purpose) != 0) || !held(node, refusal))
                continue;
            refused = true;
            live = names(grant, &refusal->dot);
        }
        if (refused && live)
            live = grant->proof == CARNET_PROOF_DOUBLE_OPT_IN || grant->proof == CARNET_PROOF_INBOUND || (grant->proof == CARNET_PROOF_PAPER && countersigned(node, grant));
        if (live && sure && may_be_suppressed(sim, view, grant->purpose))
            live = false;
        if (live)
            verdict.open |= grant->scopes; /* what the person agreed to, whatever the purpose has become since */
    }
    if (verdict.restricted || verdict.erased)
        verdict.open = 0;
    return verdict;
}

/* Whichever of its contacts is asked for, a person is the same; each contact shows what grants on itself open, and no refusal on any shuts. */
static void check_person(struct sim_node *node, size_t record)
{
    struct sim *sim = node->sim;
    const struct sim_record *r = &sim->records[record];
    struct carnet_arena arena;
    struct carnet_view person, again;
    struct carnet_err err = CARNET_ERR_INIT;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_replica_view(node->replica, &sim->books[r->book], &r->id, &arena, &person, &err);
    if (rc == CARNET_NOT_FOUND)
        sim_fail(sim, "P1", "n%u: r%zu leads to nobody", node->index, record);
    bool among = false;
    for (size_t i = 0; rc == CARNET_OK && i < person.record_count; i++) {
        const struct carnet_view_record *one = &person.records[i];
        among = among || carnet_id_equal(&one->record->id, &r->id);
        carnet_rc other = carnet_replica_view(node->replica, &sim->books[r->book], &one->record->id, &arena, &again, &err);
        if (other == CARNET_NOT_FOUND || (other == CARNET_OK && !carnet_id_equal(&again.id, &person.id)))
            sim_fail(sim, "P1", "n%u: two contacts of the person of r%zu lead to two persons", node->index, record);
        for (size_t of = 0; of < sim->record_count; of++) {
            if (!carnet_id_equal(&sim->records[of].id, &one->record->id))
                continue;
            uint32_t may = judge(node, of, &person, sim_wall(node), false).open;
            for (size_t c = 0; c < person.cell_count; c++)
                for (size_t s = 0; s < person.cells[c].count; s++)
                    if (carnet_view_holder(&person, person.cells[c].siblings[s]) == i && !(may >> person.cells[c].siblings[s]->scope & 1))
                        sim_fail(sim, "P4", "n%u shows field %u of r%zu in its person, and it is not open", node->index, (unsigned)person.cells[c].field, of);
        }
    }
    if (rc == CARNET_OK && !among)
        sim_fail(sim, "P1", "n%u: r%zu leads to a person that it is not of", node->index, record);
    carnet_arena_deinit(&arena);
}

uint32_t sim_open(struct sim_node *node, const struct carnet_view *view, size_t record)
{
    return judge(node, record, view, carnet_replica_now_ms(node->replica), true).open;
}

void sim_check_consent(struct sim_node *node, size_t record)
{
    struct sim *sim = node->sim;
    const struct sim_record *r = &sim->records[record];
    struct carnet_arena arena;
    struct carnet_view view;
    struct carnet_err err = CARNET_ERR_INIT;
    if (r->kind != CARNET_KIND_CONTACT || !sim_node_holds(node, r->book))
        return;
    sim->check_count++;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_replica_record(node->replica, &sim->books[r->book], &r->id, &arena, &view, &err);
    if (rc != CARNET_OK) {
        carnet_arena_deinit(&arena);
        return;
    }
    check_person(node, record);
    struct verdict verdict = judge(node, record, &view, sim_wall(node), false);
    uint32_t open = view.open & ~(1u << CARNET_SCOPE_CONSENT);
    for (size_t i = 0; i < sim->event_count; i++)
        if (sim->events[i].record == record && sim->events[i].type == CARNET_EVENT_ERASE && held(node, &sim->events[i]) && !sim_beyond(node, r->book, &sim->events[i].dot))
            sim_fail(sim, "P4", "n%u shows r%zu, whose erasure it holds", node->index, record);
    if (open & ~verdict.open)
        sim_fail(sim, "P4", "n%u opens scopes %#x of r%zu, where %#x may be", node->index, open, record, verdict.open);
    for (size_t i = 0; i < view.cell_count; i++) {
        const struct carnet_cell *cell = &view.cells[i];
        for (size_t j = 0; j < cell->count; j++) { /* each value in the scope that it was written in: a field may have been in another one before */
            enum carnet_scope scope = cell->siblings[j]->scope;
            if (scope != CARNET_SCOPE_CLEAR && scope != CARNET_SCOPE_CONSENT && !(verdict.open & 1u << scope))
                sim_fail(sim, "P4", "n%u shows field %u (%s) of r%zu", node->index, (unsigned)cell->field, carnet_scope_name(scope), record);
            if (scope != CARNET_SCOPE_CLEAR && !sim_node_reads(node, scope))
                sim_fail(sim, "P6", "n%u shows field %u (%s) of r%zu without the right to read it", node->index, (unsigned)cell->field, carnet_scope_name(scope), record);
        }
    }
    for (enum carnet_scope scope = CARNET_SCOPE_EMAIL; scope <= CARNET_SCOPE_POSTAL; scope++) {
        struct carnet_consent consent;
        if (!(verdict.open & 1u << scope) && carnet_replica_allowed(node->replica, &view, CARNET_SLICE_NONE, scope, &consent) == CARNET_OK)
            sim_fail(sim, "P4", "n%u allows %s of r%zu", node->index, carnet_scope_name(scope), record);
    }
    check_addresses(node, record, &view);
    if (sim->healing) { /* what others have reached may expire a grant earlier */
        uint32_t least = judge(node, record, &view, carnet_replica_now_ms(node->replica), true).open & ~(1u << CARNET_SCOPE_CONSENT);
        if (least & ~open)
            explain(node, record);
        if (least & ~open)
            sim_fail(sim, "P3", "n%u opens scopes %#x of r%zu, where live grants open %#x", node->index, open, record, least);
    }
    carnet_arena_deinit(&arena);
}

/* --- P1: equal entries give equal charters --- */

static void compare_charters(struct sim_node *a, struct sim_node *b)
{
    struct sim *sim = a->sim;
    struct carnet_charter x = *carnet_replica_charter(a->replica), y = *carnet_replica_charter(b->replica);
    int64_t *left, *right;
    const char *name;
    for (size_t i = 0; (name = carnet_charter_number(&x, i, &left)) != NULL; i++) {
        (void)carnet_charter_number(&y, i, &right);
        if (*left != *right)
            sim_fail(sim, "P1", "n%u and n%u have the same charter's entries, and another %s", a->index, b->index, name);
    }
    if (x.purpose_count != y.purpose_count || x.version_count != y.version_count || x.field_count != y.field_count || strcmp(x.country, y.country) != 0)
        sim_fail(sim, "P1", "n%u and n%u have the same charter's entries, and other definitions", a->index, b->index);
    for (size_t i = 0; i < x.purpose_count; i++)
        if (x.purposes[i]->version != y.purposes[i]->version || strcmp(x.purposes[i]->name, y.purposes[i]->name) != 0 || x.purposes[i]->scopes != y.purposes[i]->scopes)
            sim_fail(sim, "P1", "n%u and n%u have the same charter's entries, and another purpose %s", a->index, b->index, x.purposes[i]->name);
    for (size_t i = 0; i < x.version_count; i++)
        if (x.versions[i]->version != y.versions[i]->version || x.versions[i]->scopes != y.versions[i]->scopes)
            sim_fail(sim, "P1", "n%u and n%u know other versions of the purposes", a->index, b->index);
    for (size_t i = 0; i < x.field_count; i++)
        if (x.fields[i]->field != y.fields[i]->field || x.fields[i]->scope != y.fields[i]->scope || x.fields[i]->type != y.fields[i]->type)
            sim_fail(sim, "P1", "n%u and n%u have another field %s", a->index, b->index, x.fields[i]->name);
}

/* --- P10: what a node destroyed by itself --- */

void sim_check_darks(struct sim_node *node, size_t index)
{
    struct sim *sim = node->sim;
    const struct sim_event *dark = &sim->events[index];
    const struct sim_record *r = &sim->records[dark->record];
    sim->check_count++;
    for (size_t i = 0; i < sim->event_count; i++) { /* issued again: an event that came from the future said so before */
        const struct sim_event *event = &sim->events[i];
        if (i != index && event->record == dark->record && event->type == dark->type && event->scope == dark->scope && event->fate == SIM_ACKED)
            return;
    }
    if (dark->type == CARNET_EVENT_ERASE)
        sim_fail(sim, "P10", "n%u erases r%zu by itself", node->index, dark->record);
    /* by true time: nothing was open for dark_after */
    const struct carnet_charter *charter = carnet_replica_charter(node->replica);
    int64_t after = charter->dark_after_ms, now = SIM_EPOCH + sim->now, closed = 0, last = 0, said = 0;
    for (size_t i = sim->silence_count; i-- > 0;) /* who shortens it ends agreements back into the past: the time to undo counts from the first time it was said */
        if (sim->silences[i].contact_ms == charter->contact_ms)
            said = SIM_EPOCH + sim->silences[i].at;
    for (size_t i = 0; i < sim->event_count; i++) /* the person's last own contact; issued by a late clock, a grant is of now */
        if (sim->events[i].record == dark->record && sim->events[i].type == CARNET_EVENT_GRANT && sim->events[i].basis != CARNET_BASIS_ROLL && held(node, &sim->events[i]) &&
            !invalidated(node, &sim->events[i]) && sim->events[i].since_ms > last)
            last = sim->events[i].since_ms;
    bool refused_all = false;
    for (size_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *event = &sim->events[i];
        if (sim->records[event->record].book != r->book || !held(node, event))
            continue;
        if (event->record == dark->record && event->type == CARNET_EVENT_GRANT && event->scopes & 1u << dark->scope) {
            int64_t until = event->until_ms ? event->until_ms : INT64_MAX, issued = SIM_EPOCH + event->at;
            if (event->basis != CARNET_BASIS_ROLL && event->basis != CARNET_BASIS_MEMBER && last && last < INT64_MAX - charter->contact_ms) {
                int64_t silent = last + charter->contact_ms;
                silent = silent < said ? said : silent < issued ? issued : silent;
                until = silent < until ? silent : until;
            }
            for (size_t j = 0; j < sim->event_count; j++) {
                const struct sim_event *refusal = &sim->events[j];
                if ((refusal->type == CARNET_EVENT_WITHDRAW || refusal->type == CARNET_EVENT_OBJECT) && (!refusal->purpose[0] || !strcmp(refusal->purpose, event->purpose)) &&
                    held(node, refusal) && sim->records[refusal->record].book == r->book && SIM_EPOCH + refusal->at < until)
                    until = SIM_EPOCH + refusal->at;
                if (refusal->type == CARNET_EVENT_INVALIDATE && refusal->record == event->record && names(refusal, &event->dot) && held(node, refusal) &&
                    SIM_EPOCH + refusal->at < until)
                    until = SIM_EPOCH + refusal->at;
            }
            if (until > closed)
                closed = until;
            refused_all = true;
        }
    }
    if (refused_all && closed > now - after + 20 * SIM_MINUTE && !sim_beyond(node, r->book, &dark->dot))
        sim_fail(sim, "P10", "n%u darkens %s of r%zu %lld s before its time", node->index, carnet_scope_name(dark->scope), dark->record, (long long)(closed + after - now) / 1000);
}

static bool is_replaced(const struct sim *sim, size_t w)
{
    const struct sim_write *write = &sim->writes[w];
    for (size_t i = 0; i < sim->write_count; i++)
        for (size_t j = 0; sim->writes[i].record == write->record && sim->writes[i].fate != SIM_FAILED && j < sim->writes[i].seen_count; j++)
            if (carnet_dot_equal(&sim->writes[i].seen[j], &write->dot))
                return true;
    return false;
}

/* An erasure or darkening from the future blocks, and takes no byte away until an office with a right clock says so too. */
static void check_future(struct sim_node *node)
{
    struct sim *sim = node->sim;
    struct carnet_err err = CARNET_ERR_INIT;
    for (size_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *event = &sim->events[i];
        if ((event->type != CARNET_EVENT_ERASE && event->type != CARNET_EVENT_DARK) || event->timely || event->fate != SIM_ACKED || event->node == node->index ||
            carnet_hlc_ms(event->hlc) < sim_wall(node) + SIM_DAY || !held(node, event))
            continue;
        bool other = false; /* something of now kills the same */
        for (size_t j = 0; j < sim->event_count; j++)
            other = other || (j != i && sim->events[j].record == event->record && (sim->events[j].type == CARNET_EVENT_ERASE || sim->events[j].type == CARNET_EVENT_DARK ||
                                                                                    sim->events[j].type == CARNET_EVENT_RECTIFY));
        for (size_t w = 0; w < sim->write_count && !other; w++) {
            const struct sim_write *write = &sim->writes[w];
            unsigned book = sim->records[write->record].book;
            if (write->record != event->record || write->fate != SIM_ACKED || !sim_holds_dot(node, book, &write->dot) || strlen(write->value) != SIM_MARK_LEN ||
                is_replaced(sim, w))
                continue; /* what was replaced goes by itself, after the time of the history */
            enum carnet_scope scope = write->scope;
            if (!sim_node_reads(node, scope) || (event->type == CARNET_EVENT_DARK && event->scope != scope))
                continue;
            struct carnet_sync_source source = carnet_replica_source(node->replica);
            const struct carnet_id *author = &sim->nodes[sim_node_of(sim, write->dot.author)].id;
            int64_t n = source.position(source.ctx, &sim->books[book], author, write->dot.stream, write->dot.seq);
            struct carnet_entry_row row;
            struct carnet_entry entry;
            struct carnet_arena arena;
            if (carnet_store_entry_get(carnet_replica_store(node->replica), n, &row, &err) != CARNET_OK || row.flags & CARNET_ENTRY_WANTING)
                continue;
            carnet_arena_init(&arena);
            if (carnet_entry_decode(row.bytes, &arena, &entry) == CARNET_OK && write->dot.index / CARNET_DOT_CHANGE < entry.change_count) {
                const struct carnet_change *change = &entry.changes[write->dot.index / CARNET_DOT_CHANGE];
                for (size_t p = 0; p < change->part_count; p++)
                    if (change->parts[p].type == CARNET_PART_SEALED && change->parts[p].scope == scope && !change->parts[p].present)
                        sim_fail(sim, "P10", "n%u: an event from the future took bytes of r%zu away", node->index, event->record);
            }
            carnet_arena_deinit(&arena);
        }
        sim->check_count++;
    }
}

/* --- P1 --- */

static bool same_entries(struct sim_node *a, struct sim_node *b, const struct carnet_id *book, bool charter)
{
    struct carnet_sync_source sa = carnet_replica_source(a->replica), sb = carnet_replica_source(b->replica);
    for (unsigned lane = charter ? 0 : 1; lane <= (charter ? 0u : 2u); lane++) {
        struct carnet_hash ha = sa.digest(sa.ctx, book, lane), hb = sb.digest(sb.ctx, book, lane);
        if (!carnet_hash_equal(&ha, &hb))
            return false;
    }
    return true;
}

static void compare_views(struct sim_node *a, struct sim_node *b, size_t record)
{
    struct sim *sim = a->sim;
    const struct sim_record *r = &sim->records[record];
    struct carnet_arena arena;
    struct carnet_view va, vb;
    struct carnet_err err = CARNET_ERR_INIT;
    carnet_arena_init(&arena);
    carnet_rc ra = carnet_replica_record(a->replica, &sim->books[r->book], &r->id, &arena, &va, &err);
    carnet_rc rb = carnet_replica_record(b->replica, &sim->books[r->book], &r->id, &arena, &vb, &err);
    if (ra == CARNET_FAILED || rb == CARNET_FAILED)
        goto out;
    if ((ra == CARNET_OK) != (rb == CARNET_OK))
        sim_fail(sim, "P1", "n%u and n%u: r%zu is there for one only", a->index, b->index, record);
    if (ra != CARNET_OK)
        goto out;
    for (size_t i = 0, j = 0; i < va.record.live_count || j < vb.record.live_count; i++, j++) {
        const struct carnet_sibling *x = i < va.record.live_count ? &va.record.live[i] : NULL, *y = j < vb.record.live_count ? &vb.record.live[j] : NULL;
        if (!x || !y || !carnet_dot_equal(&x->dot, &y->dot))
            sim_fail(sim, "P1", "n%u and n%u have other live writes of r%zu", a->index, b->index, record);
        if (x->state == CARNET_SIBLING_VALUE && y->state == CARNET_SIBLING_VALUE &&
            (x->field != y->field || !carnet_slice_equal(x->label, y->label) || !carnet_slice_equal(x->value, y->value)))
            sim_fail(sim, "P1", "n%u and n%u read one write of r%zu differently", a->index, b->index, record);
        if ((x->state == CARNET_SIBLING_DARK) != (y->state == CARNET_SIBLING_DARK))
            sim_fail(sim, "P1", "n%u and n%u: a write of r%zu is dark for one only", a->index, b->index, record);
    }
    ra = carnet_replica_view(a->replica, &sim->books[r->book], &r->id, &arena, &va, &err);
    rb = carnet_replica_view(b->replica, &sim->books[r->book], &r->id, &arena, &vb, &err);
    if (ra != CARNET_OK || rb != CARNET_OK)
        goto out;
    bool same = carnet_id_equal(&va.id, &vb.id) && va.record_count == vb.record_count;
    for (size_t i = 0; same && i < va.record_count; i++)
        same = carnet_id_equal(&va.records[i].record->id, &vb.records[i].record->id);
    if (!same)
        sim_fail(sim, "P1", "n%u and n%u: r%zu is of other persons", a->index, b->index, record);
out:
    carnet_arena_deinit(&arena);
}

static void compare(struct sim_node *a, struct sim_node *b, bool all)
{
    struct sim *sim = a->sim;
    struct carnet_err err = CARNET_ERR_INIT;
    if (!same_entries(a, b, &sim->community, true))
        return;
    for (unsigned book = 0; book < sim->book_count; book++) {
        struct carnet_hash ha, hb;
        if (!sim_node_holds(a, book) || !sim_node_holds(b, book) || !same_entries(a, b, &sim->books[book], false))
            continue;
        if (carnet_replica_state(a->replica, &sim->books[book], &ha, &err) != CARNET_OK || carnet_replica_state(b->replica, &sim->books[book], &hb, &err) != CARNET_OK)
            continue; /* a failing disk */
        if (!carnet_hash_equal(&ha, &hb)) {
            for (size_t i = 0; i < sim->record_count; i++)
                if (sim->records[i].book == book)
                    compare_views(a, b, i);
            sim_fail(sim, "P1", "n%u and n%u have the same entries of book %u and other states", a->index, b->index, book);
        }
        sim->check_count++;
        for (size_t i = 0; i < sim->record_count; i++)
            if (sim->records[i].book == book && (all || sim_chance(sim, 100)))
                compare_views(a, b, i);
    }
}

void sim_check_pair(struct sim *sim)
{
    struct sim_node *a = &sim->nodes[sim_below(sim, sim->node_count)], *b = &sim->nodes[sim_below(sim, sim->node_count)];
    if (a != b && a->on && b->on)
        compare(a, b, false);
}

/* --- P5, P6: bytes --- */

struct hunt {
    struct sim_node *node;
    const struct sim_needle **needles;
    size_t count;
    uint32_t *next, *heads; /* by hash of the first four bytes */
    uint8_t *filter;        /* by the first three */
};
enum { HUNT_HEADS = 4096, HUNT_FILTER = 1 << 20 };

static uint32_t first_three(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return ((word & 0xffffff) * 2654435761u) >> 12;
}

static bool hunt_file(void *ctx, const char *file, struct carnet_slice bytes)
{
    struct hunt *hunt = ctx;
    struct sim *sim = hunt->node->sim;
    for (size_t i = 0; i + 16 <= bytes.len; i++) {
        uint32_t hash = first_three(bytes.ptr + i);
        if (!(hunt->filter[hash >> 3] & 1u << (hash & 7)))
            continue;
        for (uint32_t n = hunt->heads[hash % HUNT_HEADS]; n; n = hunt->next[n]) {
            const struct sim_needle *needle = hunt->needles[n];
            if (memcmp(bytes.ptr + i, needle->bytes, needle->len) != 0)
                continue;
            bool may = needle->kind == SIM_NEEDLE_VALUE && (!sim_node_reads(hunt->node, needle->scope) || !sim_node_holds(hunt->node, sim->records[needle->record].book));
            if (sim->trace)
                explain(hunt->node, needle->record);
            if (sim->trace)
                show_record(hunt->node, needle->record);
            sim_fail(sim, may ? "P6" : "P5", "n%u: %s of r%zu (%s) in %s at %zu of %zu", hunt->node->index,
                     needle->kind == SIM_NEEDLE_VALUE ? "plaintext" : needle->kind == SIM_NEEDLE_SEED ? "a seed" : "ciphertext", needle->record, carnet_scope_name(needle->scope), file, i,
                     bytes.len);
        }
    }
    return true;
}

/* Does the node know, by an event that its clock can believe, that these bytes are to be gone? */
static bool doomed(struct sim_node *node, const struct sim_needle *needle, bool final)
{
    const struct sim *sim = node->sim;
    const struct sim_record *r = &sim->records[needle->record];
    for (size_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *event = &sim->events[i];
        if (event->type == CARNET_EVENT_ERASE && event->record == r->person && (event->timely || final) && held(node, event) && !sim_beyond(node, r->book, &event->dot))
            return true;
    }
    return false;
}

void sim_check_files(struct sim_node *node, bool swept, bool final)
{
    struct sim *sim = node->sim;
    struct hunt hunt = { .node = node };
    struct carnet_arena arena;
    struct carnet_err err = CARNET_ERR_INIT;
    bool late = !final && node->offset_ms < -4 * SIM_MINUTE; /* what is now for others is future here */
    carnet_arena_init(&arena);
    hunt.needles = carnet_alloc((sim->needle_count + 1) * sizeof *hunt.needles);
    hunt.next = carnet_alloc((sim->needle_count + 1) * sizeof *hunt.next);
    hunt.heads = carnet_alloc(HUNT_HEADS * sizeof *hunt.heads);
    hunt.filter = carnet_alloc(HUNT_FILTER / 8);
    uint8_t *erased = carnet_alloc(sim->record_count + 1); /* 1: no, 2: yes */
    for (size_t i = 0; i < sim->needle_count; i++) {
        const struct sim_needle *needle = &sim->needles[i];
        const struct sim_record *r = &sim->records[needle->record];
        bool foreign = needle->kind == SIM_NEEDLE_VALUE && (!sim_node_reads(node, needle->scope) || !sim_node_holds(node, r->book));
        bool gone = false;
        if (!foreign && swept && !late && sim_node_holds(node, r->book)) {
            if (!erased[needle->record])
                erased[needle->record] = doomed(node, needle, final) ? 2 : 1;
            gone = erased[needle->record] == 2;
        }
        if (!foreign && !gone && final && swept && needle->seed && needle->kind != SIM_NEEDLE_SEALED && sim_node_holds(node, r->book)) { /* dark */
            struct carnet_view view;
            carnet_arena_reset(&arena);
            if (carnet_replica_record(node->replica, &sim->books[r->book], &sim->records[r->person].id, &arena, &view, &err) == CARNET_OK) {
                for (size_t s = 0; s < view.record.seed_count; s++)
                    gone = gone || (view.record.seeds[s].id == needle->seed && view.record.seeds[s].dead);
            }
        }
        if (!foreign && !gone)
            continue;
        uint32_t hash = first_three(needle->bytes), n = (uint32_t)++hunt.count;
        hunt.needles[n] = needle;
        hunt.filter[hash >> 3] |= (uint8_t)(1u << (hash & 7));
        hunt.next[n] = hunt.heads[hash % HUNT_HEADS];
        hunt.heads[hash % HUNT_HEADS] = n;
    }
    if (hunt.count) {
        simvfs_files(sim->vfs, node->name, SIMVFS_VOLATILE, hunt_file, &hunt);
        simvfs_files(sim->vfs, node->name, SIMVFS_DURABLE, hunt_file, &hunt);
    }
    sim->check_count += hunt.count;
    free(hunt.needles);
    free(hunt.next);
    free(hunt.heads);
    free(hunt.filter);
    free(erased);
    carnet_arena_deinit(&arena);
}

/* --- P3 --- */

/* Has some member, who gets as much, the whole entry? What only a node had that was cut or has expired is lost. */
static bool obtainable(struct sim *sim, const struct sim_node *node, const struct sim_head *place)
{
    struct carnet_err err = CARNET_ERR_INIT;
    for (unsigned i = 0; i < sim->node_count; i++) {
        struct sim_node *other = &sim->nodes[i];
        struct carnet_entry_row row;
        if (other == node || !sim_node_member(other) || !other->on || (other->role != CARNET_ROLE_RELAY && (node->role == CARNET_ROLE_RELAY || node->reads & ~other->reads)))
            continue;
        struct carnet_sync_source source = carnet_replica_source(other->replica);
        int64_t n = source.position(source.ctx, &place->book, &place->author, place->stream, place->seq);
        if (n && carnet_store_entry_get(carnet_replica_store(other->replica), n, &row, &err) == CARNET_OK && !(row.flags & CARNET_ENTRY_WANTING))
            return true;
    }
    return false;
}

static void check_write(struct sim_node *node, const struct sim_write *write, const struct carnet_view *view, bool gone)
{
    struct sim *sim = node->sim;
    const struct sim_record *r = &sim->records[write->record];
    const struct carnet_sibling *live = NULL;
    for (size_t i = 0; !gone && i < view->record.live_count; i++)
        if (carnet_dot_equal(&view->record.live[i].dot, &write->dot))
            live = &view->record.live[i];
    if (!sim_node_member(&sim->nodes[write->node]) && !sim_holds_dot(node, r->book, &write->dot))
        return; /* its author was cut or expired before it met anybody */
    bool voided = sim_beyond(node, r->book, &write->dot);
    if (voided) {
        if (live)
            sim_fail(sim, "P3", "n%u shows a write of r%zu beyond a cut", node->index, write->record);
        return;
    }
    bool dark = false;
    for (size_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *event = &sim->events[i];
        if (event->type == CARNET_EVENT_ERASE && event->record == r->person && held(node, event))
            return; /* P4 looks at it */
        if (event->fate == SIM_ACKED && ((event->type == CARNET_EVENT_DARK && event->record == r->person && event->scope == write->scope) ||
                                         (event->type == CARNET_EVENT_RECTIFY && event->record == write->record && names(event, &write->dot))))
            dark = true;
    }
    bool superseded = false, perhaps = false; /* by a write that a crash hid: it may have landed or not */
    for (size_t i = 0; i < sim->write_count && !superseded; i++) {
        const struct sim_write *later = &sim->writes[i];
        if (later->record != write->record || later->fate == SIM_FAILED || later == write ||
            (later->dot.seq && (sim_beyond(node, r->book, &later->dot) || !sim_holds_dot(node, r->book, &later->dot))))
            continue;
        for (size_t j = 0; j < later->seen_count; j++) {
            bool names_it = carnet_dot_equal(&later->seen[j], &write->dot);
            superseded = superseded || (names_it && later->dot.seq);
            perhaps = perhaps || (names_it && !later->dot.seq);
        }
    }
    if (gone)
        sim_fail(sim, "P3", "n%u does not have r%zu", node->index, write->record);
    if (superseded && live)
        explain(node, write->record);
    if (superseded && live)
        sim_fail(sim, "P3", "n%u shows a write of r%zu that was replaced", node->index, write->record);
    if (superseded || (!live && (dark || perhaps)))
        return;
    if (!live)
        explain(node, write->record);
    if (!live)
        sim_fail(sim, "P3", "n%u lost the write \"%s\" (field %u) of r%zu by n%u", node->index, write->value, (unsigned)write->field, write->record, write->node);
    if (live->state == CARNET_SIBLING_DARK) {
        if (!dark)
            sim_fail(sim, "P10", "n%u: a write of r%zu is dark and no event says so", node->index, write->record);
        return;
    }
    if (!sim_node_reads(node, live->scope))
        return;
    struct sim_head place = { .book = sim->books[r->book], .author = sim->nodes[write->node].id, .stream = write->dot.stream, .seq = write->dot.seq };
    if (live->state == CARNET_SIBLING_MISSING && !obtainable(sim, node, &place))
        return;
    if (live->state != CARNET_SIBLING_VALUE)
        sim_fail(sim, "P3", "n%u cannot read the write \"%s\" (%s) of r%zu by n%u: %s", node->index, write->value, carnet_scope_name(live->scope), write->record, write->node,
                 live->state == CARNET_SIBLING_LOCKED ? "locked" : "missing");
    if (live->field != write->field || !carnet_slice_equal(live->label, carnet_slice_str(write->label)) || !carnet_slice_equal(live->value, carnet_slice_str(write->value)))
        sim_fail(sim, "P3", "n%u reads another value of r%zu", node->index, write->record);
}

/* --- during the run and at its end --- */

void sim_check_some(struct sim *sim)
{
    sim_check_pair(sim);
    struct sim_node *node = &sim->nodes[sim_below(sim, sim->node_count)];
    if (!node->on)
        return;
    for (unsigned i = 0; i < 4 && sim->record_count; i++)
        sim_check_consent(node, sim_below(sim, sim->record_count));
    if (sim->mix.years)
        check_future(node);
    if (sim_chance(sim, 50))
        sim_check_files(node, false, false);
}

/* Who is cut: what anybody knows counts, for a cut whose commit failed may have survived. */
static void find_cuts(struct sim *sim)
{
    for (unsigned i = 0; i < sim->node_count; i++) {
        sim->nodes[i].cut = false;
        for (unsigned j = 0; j < sim->node_count; j++)
            if (sim->nodes[j].on && carnet_authority_is_cut(carnet_replica_authority(sim->nodes[j].replica), &sim->nodes[i].id))
                sim->nodes[i].cut = true;
        /* invited by somebody who was cut before anybody heard of it: void, and its chain is not believed */
        if (i > 0 && sim->nodes[sim->nodes[i].inviter].cut && sim->nodes[0].on && !carnet_authority_node(carnet_replica_authority(sim->nodes[0].replica), &sim->nodes[i].id))
            sim->nodes[i].cut = true;
    }
}

bool sim_converged(struct sim *sim, char *why, size_t len)
{
    find_cuts(sim);
    for (unsigned i = 0; i < sim->node_count; i++) {
        struct sim_node *a = &sim->nodes[i];
        if (!sim_node_member(a))
            continue;
        if (!a->on) {
            snprintf(why, len, "n%u is away", i);
            return false;
        }
        struct carnet_sync_source source = carnet_replica_source(a->replica);
        for (unsigned j = 0; j < sim->node_count; j++) {
            struct sim_node *b = &sim->nodes[j];
            if (i == j || !sim_node_member(b) || !b->on)
                continue;
            if (!same_entries(a, b, &sim->community, true)) {
                snprintf(why, len, "n%u and n%u: other charters", i, j);
                return false;
            }
            for (unsigned book = 0; book < sim->book_count; book++)
                if (sim_node_holds(a, book) && sim_node_holds(b, book) && !same_entries(a, b, &sim->books[book], false)) {
                    snprintf(why, len, "n%u and n%u: other entries of book %u", i, j, book);
                    return false;
                }
            struct carnet_sync_head wants[4];
            const struct carnet_cert *cert = carnet_authority_node(carnet_replica_authority(a->replica), &b->id);
            size_t count = cert ? source.wants(source.ctx, cert, wants, 4) : 0, open = 0;
            for (size_t w = 0; w < count; w++)
                open += obtainable(sim, a, &(struct sim_head){ .book = wants[w].book, .author = wants[w].author, .stream = wants[w].stream, .seq = wants[w].seq });
            if (open) {
                snprintf(why, len, "n%u wants parts of n%u", i, j);
                return false;
            }
        }
    }
    return true;
}

void sim_show_records(struct sim_node *node, const char *when)
{
    printf("  n%u %s\n", node->index, when);
    for (size_t i = 0; i < node->sim->record_count; i++)
        show_record(node, i);
}

static void verify_line(void *ctx, const char *error)
{
    struct sim_node *node = ctx;
    struct carnet_err err = CARNET_ERR_INIT;
    for (size_t i = 0; node->sim->trace && i < node->sim->record_count; i++) {
        if (!strstr(error, carnet_id_text(&node->sim->records[i].id).s))
            continue;
        explain(node, node->sim->records[i].person);
        show_record(node, i);
        if (carnet_replica_rebuild(node->replica, &err) == CARNET_OK)
            show_record(node, i);
    }
    sim_fail(node->sim, "verify", "n%u: %s", node->index, error);
}

void sim_check_final(struct sim *sim)
{
    struct carnet_err err = CARNET_ERR_INIT;
    for (unsigned i = 0; i < sim->node_count; i++)
        for (unsigned j = i + 1; j < sim->node_count; j++)
            if (sim_node_member(&sim->nodes[i]) && sim_node_member(&sim->nodes[j])) {
                compare(&sim->nodes[i], &sim->nodes[j], true);
                if (sim->nodes[i].on && sim->nodes[j].on)
                    compare_charters(&sim->nodes[i], &sim->nodes[j]);
            }
    for (unsigned i = 0; i < sim->node_count; i++) {
        struct sim_node *node = &sim->nodes[i];
        bool member = sim_node_member(node);
        if (!node->on)
            continue;
        for (size_t r = 0; r < sim->record_count; r++) {
            const struct sim_record *record = &sim->records[r];
            struct carnet_arena arena;
            struct carnet_view view;
            if (!sim_node_holds(node, record->book) || !member)
                continue;
            sim_check_consent(node, r);
            carnet_arena_init(&arena);
            bool gone = carnet_replica_record(node->replica, &sim->books[record->book], &record->id, &arena, &view, &err) != CARNET_OK;
            for (size_t w = 0; w < sim->write_count; w++)
                if (sim->writes[w].record == r && sim->writes[w].fate == SIM_ACKED && !sim->writes[w].by_dot)
                    check_write(node, &sim->writes[w], &view, gone);
            carnet_arena_deinit(&arena);
        }
        if (carnet_replica_verify(node->replica, verify_line, node, &err) != CARNET_OK)
            sim_fail(sim, "verify", "n%u: %s", i, err.what);
        if (carnet_replica_sweep(node->replica, &err) != CARNET_OK)
            sim_fail(sim, "P5", "n%u cannot sweep: %s", i, err.what);
        sim_check_files(node, true, member);
        sim_trace(sim, "n%u has %lld entries, disk %016llx", i, (long long)carnet_replica_last(node->replica), (unsigned long long)simvfs_digest(sim->vfs, node->name));
    }
}
