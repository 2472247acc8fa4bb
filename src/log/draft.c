// SPDX-License-Identifier: EUPL-1.2
#include "carnet/log/entry.h"

#include "carnet/base/text.h"
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Text and contexts lie in one growing buffer each, events in another; changes and parts are flat arrays. All of it is
 * used again for the next entry, so that an import asks the heap for nothing once it runs. */

struct piece {
    size_t at, len;
};
struct draft_part {
    struct carnet_part head; /* without hash and bytes */
    struct carnet_key key;
    struct piece text, contexts;
    struct piece body; /* in `bodies`, once signed */
};
struct draft_change {
    struct carnet_id record, subject;
    enum carnet_kind kind;
    size_t first_part, part_count;
    struct piece events;
    size_t event_count, cell_count;
    struct piece leaf; /* in `leaves`, once signed */
};
struct carnet_draft {
    struct draft_change *changes;
    size_t change_count, change_cap;
    struct draft_part *parts;
    size_t part_count, part_cap;
    struct carnet_buf texts, contexts, events;
    struct carnet_buf bodies, leaves, header, ad; /* while signing */
    size_t size;
    bool over; /* a bound was passed: signing says LIMIT */
};

enum {
    TEXT_MAX = 16 * 1024 * 1024, /* far beyond an entry: the writer looks at the size after each change */
    HEADER_SIZE = 260,           /* outer array, header without leaf hashes, signature */
    CHANGE_SIZE = 84,            /* a leaf without events and parts, its hash in the header, its brackets */
    PART_SIZE = 58,              /* head of a part without contexts, the length of its body */
    SEAL_SIZE = 24 + 16          /* nonce and tag */
};

struct carnet_draft *carnet_draft_new(void)
{
    struct carnet_draft *draft = carnet_alloc(sizeof *draft);
    carnet_buf_init(&draft->texts, TEXT_MAX);
    carnet_buf_init(&draft->contexts, TEXT_MAX);
    carnet_buf_init(&draft->events, TEXT_MAX);
    carnet_buf_init(&draft->bodies, CARNET_ENTRY_LEN_MAX);
    carnet_buf_init(&draft->leaves, CARNET_ENTRY_LEN_MAX);
    carnet_buf_init(&draft->header, CARNET_ENTRY_LEN_MAX);
    carnet_buf_init(&draft->ad, 1024);
    carnet_draft_clear(draft);
    return draft;
}

void carnet_draft_clear(struct carnet_draft *draft)
{
    if (draft->part_count)
        carnet_wipe(draft->parts, draft->part_count * sizeof *draft->parts);
    if (draft->texts.len)
        carnet_wipe(draft->texts.ptr, draft->texts.len);
    draft->change_count = draft->part_count = 0;
    carnet_buf_clear(&draft->texts);
    carnet_buf_clear(&draft->contexts);
    carnet_buf_clear(&draft->events);
    draft->size = HEADER_SIZE;
    draft->over = false;
}

void carnet_draft_free(struct carnet_draft *draft)
{
    if (!draft)
        return;
    carnet_draft_clear(draft);
    carnet_buf_deinit(&draft->texts);
    carnet_buf_deinit(&draft->contexts);
    carnet_buf_deinit(&draft->events);
    carnet_buf_deinit(&draft->bodies);
    carnet_buf_deinit(&draft->leaves);
    carnet_buf_deinit(&draft->header);
    carnet_buf_deinit(&draft->ad);
    free(draft->changes);
    free(draft->parts);
    free(draft);
}

void carnet_draft_change(struct carnet_draft *draft, const struct carnet_id *record, const struct carnet_id *subject,
                         enum carnet_kind kind)
{
    CARNET_ASSERT(!carnet_id_is_zero(record));
    CARNET_ASSERT(kind != CARNET_KIND_CONTACT || (subject && carnet_id_equal(record, subject)));
    CARNET_GROW(draft->changes, draft->change_count, draft->change_cap);
    struct draft_change *change = &draft->changes[draft->change_count++];
    *change = (struct draft_change){
        .record = *record, .kind = kind, .first_part = draft->part_count, .events.at = draft->events.len};
    if (subject)
        change->subject = *subject;
    draft->size += CHANGE_SIZE;
}

static struct draft_change *current(struct carnet_draft *draft)
{
    CARNET_ASSERT(draft->change_count > 0);
    return &draft->changes[draft->change_count - 1];
}

void carnet_draft_event(struct carnet_draft *draft, const struct carnet_event *event)
{
    struct draft_change *change = current(draft);
    carnet_event_encode(event, &draft->events);
    draft->size += draft->events.len - change->events.at - change->events.len;
    change->events.len = draft->events.len - change->events.at;
    change->event_count++;
    if (change->event_count > CARNET_CHANGE_EVENTS_MAX)
        draft->over = true;
}

static struct draft_part *add_part(struct carnet_draft *draft, enum carnet_part_type type, enum carnet_scope scope)
{
    struct draft_change *change = current(draft);
    CARNET_GROW(draft->parts, draft->part_count, draft->part_cap);
    struct draft_part *part = &draft->parts[draft->part_count++];
    *part = (struct draft_part){.head = {.type = type, .scope = scope, .present = true},
                                .text.at = draft->texts.len,
                                .contexts.at = draft->contexts.len};
    change->part_count++;
    if (change->part_count > CARNET_CHANGE_PARTS_MAX)
        draft->over = true;
    return part;
}

static void end_part(struct carnet_draft *draft, struct draft_part *part)
{
    part->text.len = draft->texts.len - part->text.at;
    part->contexts.len = draft->contexts.len - part->contexts.at;
    draft->size += PART_SIZE + part->text.len + part->contexts.len;
    if (part->head.type == CARNET_PART_SEALED)
        draft->size += SEAL_SIZE + CARNET_PAD_LEN - part->text.len % CARNET_PAD_LEN;
}

void carnet_draft_seed(struct carnet_draft *draft, enum carnet_scope scope, const uint8_t seed[16])
{
    carnet_draft_seed_named(draft, scope, carnet_seed_id(seed), seed);
}

void carnet_draft_seed_named(struct carnet_draft *draft, enum carnet_scope scope, uint64_t id, const uint8_t seed[16])
{
    CARNET_ASSERT(scope != CARNET_SCOPE_CLEAR && carnet_id_equal(&current(draft)->record, &current(draft)->subject));
    struct draft_part *part = add_part(draft, CARNET_PART_SEED, scope);
    part->head.seed = id;
    carnet_buf_append(&draft->texts, seed, 16);
    carnet_cbor_put_array(&draft->contexts, 0);
    end_part(draft, part);
}

void carnet_draft_box(struct carnet_draft *draft, enum carnet_scope scope, uint64_t epoch,
                      const struct carnet_id *reader, struct carnet_slice box)
{
    CARNET_ASSERT(scope != CARNET_SCOPE_CLEAR && epoch != 0);
    struct draft_part *part = add_part(draft, CARNET_PART_BOX, scope);
    part->head.epoch = epoch;
    carnet_cbor_put_array(&draft->texts, 2);
    carnet_cbor_put_id(&draft->texts, reader);
    carnet_cbor_put_bytes(&draft->texts, box);
    carnet_cbor_put_array(&draft->contexts, 0);
    end_part(draft, part);
}

static void put_cell(struct carnet_draft *draft, const struct carnet_draft_cell *cell)
{
    /* What is not such text would be sealed for good and read by nobody. */
    CARNET_ASSERT(cell->field != CARNET_FIELD_NONE && carnet_text_is_nfc(cell->label) &&
                  carnet_text_is_nfc(cell->value));
    if (cell->label.len > CARNET_LABEL_LEN_MAX || cell->value.len > CARNET_VALUE_LEN_MAX ||
        cell->replace_count > CARNET_CONTEXT_MAX) {
        draft->over = true;
        return;
    }
    carnet_cbor_put_array(&draft->texts, 3);
    carnet_cbor_put_uint(&draft->texts, cell->field);
    carnet_cbor_put_text(&draft->texts, cell->label);
    carnet_cbor_put_text(&draft->texts, cell->value);
    carnet_cbor_put_array(&draft->contexts, cell->replace_count);
    for (size_t i = 0; i < cell->replace_count; i++)
        carnet_dot_put(&draft->contexts, &cell->replaces[i]);
}

void carnet_draft_cells(struct carnet_draft *draft, enum carnet_scope scope, uint64_t epoch, uint64_t seed,
                        const struct carnet_key *key, const struct carnet_draft_cell *cells, size_t count)
{
    struct draft_change *change = current(draft);
    CARNET_ASSERT(count > 0);
    if (scope == CARNET_SCOPE_CLEAR)
        CARNET_ASSERT(!key && epoch == 0 && seed == 0);
    else
        CARNET_ASSERT(key && epoch != 0 && (seed != 0) == !carnet_id_is_zero(&change->subject));
    struct draft_part *part =
        add_part(draft, scope == CARNET_SCOPE_CLEAR ? CARNET_PART_CLEAR : CARNET_PART_SEALED, scope);
    part->head.epoch = epoch;
    part->head.seed = seed;
    part->head.cell_count = count;
    if (key)
        part->key = *key;
    change->cell_count += count;
    if (count > CARNET_PART_CELLS_MAX || change->cell_count > CARNET_DOT_CHANGE - CARNET_DOT_CELLS)
        draft->over = true;
    carnet_cbor_put_array(&draft->texts, count);
    carnet_cbor_put_array(&draft->contexts, count);
    for (size_t i = 0; i < count; i++)
        put_cell(draft, &cells[i]);
    end_part(draft, part);
}

size_t carnet_draft_change_count(const struct carnet_draft *draft)
{
    return draft->change_count;
}

size_t carnet_draft_size(const struct carnet_draft *draft)
{
    return draft->size;
}

static struct carnet_slice cut(const struct carnet_buf *buf, struct piece piece)
{
    return carnet_slice(buf->ptr ? buf->ptr + piece.at : NULL, piece.len);
}

static void make_body(struct carnet_draft *draft, const struct carnet_entry_header *header, size_t index,
                      struct draft_part *part)
{
    const struct draft_change *change = &draft->changes[index];
    struct carnet_slice text = cut(&draft->texts, part->text);
    part->body.at = draft->bodies.len;
    if (part->head.type == CARNET_PART_SEALED) {
        carnet_buf_clear(&draft->ad);
        carnet_part_ad(header, index, &change->record, &change->subject, &part->head, &draft->ad);
        carnet_seal(&part->key, carnet_buf_slice(&draft->ad), text, &draft->bodies);
    } else {
        carnet_buf_append_slice(&draft->bodies, text);
    }
    part->body.len = draft->bodies.len - part->body.at;
}

static void make_leaf(struct carnet_draft *draft, struct draft_change *change)
{
    struct carnet_buf *out = &draft->leaves;
    change->leaf.at = out->len;
    carnet_cbor_put_array(out, 5);
    carnet_cbor_put_id(out, &change->record);
    if (carnet_id_is_zero(&change->subject))
        carnet_cbor_put_null(out);
    else
        carnet_cbor_put_id(out, &change->subject);
    carnet_cbor_put_uint(out, change->kind);
    carnet_cbor_put_array(out, change->event_count);
    carnet_buf_append_slice(out, cut(&draft->events, change->events));
    carnet_cbor_put_array(out, change->part_count);
    for (size_t i = 0; i < change->part_count; i++) {
        const struct draft_part *part = &draft->parts[change->first_part + i];
        struct carnet_hash hash = carnet_hash_of(CARNET_PART_HASH_DOMAIN, cut(&draft->bodies, part->body));
        carnet_cbor_put_array(out, 6);
        carnet_cbor_put_uint(out, part->head.type);
        carnet_cbor_put_uint(out, part->head.scope);
        carnet_cbor_put_uint(out, part->head.seed);
        carnet_cbor_put_uint(out, part->head.epoch);
        carnet_cbor_put_hash(out, &hash);
        carnet_buf_append_slice(out, cut(&draft->contexts, part->contexts));
    }
    change->leaf.len = out->len - change->leaf.at;
}

static void make_header(struct carnet_draft *draft, const struct carnet_entry_header *header)
{
    struct carnet_buf *out = &draft->header;
    carnet_cbor_put_array(out, 11);
    carnet_cbor_put_str(out, CARNET_ENTRY_DOMAIN);
    carnet_cbor_put_id(out, &header->community);
    carnet_cbor_put_id(out, &header->book);
    carnet_cbor_put_uint(out, header->log);
    carnet_cbor_put_id(out, &header->author);
    carnet_cbor_put_uint(out, header->incarnation);
    carnet_cbor_put_uint(out, header->seq);
    carnet_cbor_put_hash(out, &header->prev);
    carnet_cbor_put_uint(out, header->hlc);
    carnet_cbor_put_id(out, &header->cert);
    carnet_cbor_put_array(out, draft->change_count);
    for (size_t i = 0; i < draft->change_count; i++) {
        struct carnet_hash hash = carnet_hash_of(CARNET_LEAF_DOMAIN, cut(&draft->leaves, draft->changes[i].leaf));
        carnet_cbor_put_hash(out, &hash);
    }
}

static void put_entry(struct carnet_draft *draft, const struct carnet_sig *sig, struct carnet_buf *out)
{
    carnet_cbor_put_array(out, 3);
    carnet_cbor_put_bytes(out, carnet_buf_slice(&draft->header));
    carnet_cbor_put_bytes(out, carnet_slice(sig->b, sizeof sig->b));
    carnet_cbor_put_array(out, draft->change_count);
    for (size_t i = 0; i < draft->change_count; i++) {
        const struct draft_change *change = &draft->changes[i];
        carnet_cbor_put_array(out, 2);
        carnet_cbor_put_bytes(out, cut(&draft->leaves, change->leaf));
        carnet_cbor_put_array(out, change->part_count);
        for (size_t j = 0; j < change->part_count; j++)
            carnet_cbor_put_bytes(out, cut(&draft->bodies, draft->parts[change->first_part + j].body));
    }
}

static void check_header(const struct carnet_entry_header *header)
{
    static const struct carnet_hash zero;
    CARNET_ASSERT(header->log <= CARNET_LOG_LAW && header->incarnation <= CARNET_INCARNATION_MAX);
    CARNET_ASSERT(header->seq > 0 && (header->seq == 1) == carnet_hash_equal(&header->prev, &zero));
}

carnet_rc carnet_draft_sign(struct carnet_draft *draft, const struct carnet_entry_header *header,
                            const struct carnet_sign_sk *sk, struct carnet_buf *out, struct carnet_hash *hash)
{
    check_header(header);
    CARNET_ASSERT(draft->change_count > 0);
    if (draft->over || draft->change_count > CARNET_ENTRY_CHANGES_MAX || draft->texts.failed ||
        draft->contexts.failed || draft->events.failed)
        return CARNET_LIMIT;
    carnet_buf_clear(&draft->bodies);
    carnet_buf_clear(&draft->leaves);
    carnet_buf_clear(&draft->header);
    for (size_t i = 0; i < draft->change_count; i++) {
        struct draft_change *change = &draft->changes[i];
        for (size_t j = 0; j < change->part_count; j++)
            make_body(draft, header, i, &draft->parts[change->first_part + j]);
        make_leaf(draft, change);
        if (draft->bodies.failed || draft->leaves.failed)
            return CARNET_LIMIT;
    }
    make_header(draft, header);
    size_t room = draft->header.len + draft->bodies.len + draft->leaves.len;
    if (draft->header.failed || room > CARNET_ENTRY_LEN_MAX)
        return CARNET_LIMIT;
    struct carnet_sig sig = carnet_sign(sk, carnet_buf_slice(&draft->header));
    size_t start = out->len;
    put_entry(draft, &sig, out);
    if (out->failed || out->len - start > CARNET_ENTRY_LEN_MAX) {
        out->len = start;
        return CARNET_LIMIT;
    }
    *hash = carnet_hash_of(CARNET_ENTRY_DOMAIN, carnet_buf_slice(&draft->header));
    return CARNET_OK;
}
