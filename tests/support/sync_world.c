// SPDX-License-Identifier: EUPL-1.2
#include "sync_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void seed32(uint8_t out[32], const char *what, uint64_t number)
{
    struct carnet_hasher h;
    carnet_hasher_init(&h, "carnet/test/seed");
    carnet_hasher_add(&h, what, strlen(what));
    carnet_hasher_add(&h, &number, sizeof number);
    struct carnet_hash hash = carnet_hasher_done(&h);
    memcpy(out, hash.b, sizeof hash.b);
}

static struct carnet_id make_id(const char *what, uint64_t number)
{
    uint8_t seed[32];
    struct carnet_id id;
    seed32(seed, what, number);
    memcpy(id.b, seed, sizeof id.b);
    return id;
}

static unsigned lane_of(const struct world_node *node, const struct carnet_id *book, uint32_t stream)
{
    return carnet_id_equal(book, &node->world->community) ? 0 : stream % 2 == CARNET_LOG_LAW ? 1 : 2;
}

/* --- chains --- */

static int compare_chain(const struct world_chain *chain, const struct carnet_id *book, const struct carnet_id *author, uint32_t stream)
{
    int order = carnet_id_compare(&chain->book, book);
    order = order ? order : carnet_id_compare(&chain->author, author);
    return order ? order : chain->stream < stream ? -1 : chain->stream > stream;
}

static struct world_chain *find_chain(const struct world_node *node, const struct carnet_id *book, const struct carnet_id *author, uint32_t stream)
{
    for (size_t i = 0; i < node->chain_count; i++)
        if (compare_chain(&node->chains[i], book, author, stream) == 0)
            return &node->chains[i];
    return NULL;
}

static struct world_chain *get_chain(struct world_node *node, const struct carnet_id *book, const struct carnet_id *author, uint32_t stream)
{
    struct world_chain *found = find_chain(node, book, author, stream);
    if (found)
        return found;
    size_t at = 0;
    while (at < node->chain_count && compare_chain(&node->chains[at], book, author, stream) < 0)
        at++;
    CARNET_GROW(node->chains, node->chain_count, node->chain_cap);
    memmove(node->chains + at + 1, node->chains + at, (node->chain_count - at) * sizeof *node->chains);
    node->chain_count++;
    node->chains[at] = (struct world_chain){ .book = *book, .author = *author, .stream = stream };
    for (size_t i = 0; i < node->entry_count; i++)
        node->entries[i].chain += node->entries[i].chain >= at;
    return &node->chains[at];
}

/* The number of entries of a chain that stand. */
static uint64_t standing(const struct world_node *node, const struct world_chain *chain)
{
    uint64_t cut = carnet_authority_cut_at(node->authority, &chain->author, &chain->book, chain->stream);
    return cut < chain->count ? cut : chain->count;
}

static const struct world_entry *entry_at(const struct world_node *node, const struct world_chain *chain, uint64_t seq)
{
    return &node->entries[chain->entries[seq - 1]];
}

/* --- the source --- */

static const struct carnet_authority *source_authority(void *ctx)
{
    return ((const struct world_node *)ctx)->authority;
}

static const struct carnet_cert *source_self(void *ctx)
{
    return &((const struct world_node *)ctx)->cert;
}

static size_t source_books(void *ctx, const struct carnet_id **out)
{
    struct world_node *node = ctx;
    size_t count = 0;
    for (size_t i = 0; i < node->book_count; i++)
        if (carnet_cert_holds(&node->cert, &node->books[i]))
            node->lent[count++] = node->books[i];
    *out = node->lent;
    return count;
}

static void source_heads(void *ctx, const struct carnet_id *book, unsigned lane, void (*each)(void *arg, const struct carnet_sync_head *head), void *arg)
{
    struct world_node *node = ctx;
    for (size_t i = 0; i < node->chain_count; i++) {
        const struct world_chain *chain = &node->chains[i];
        uint64_t seq = standing(node, chain);
        if (!seq || !carnet_id_equal(&chain->book, book) || lane_of(node, book, chain->stream) != lane)
            continue;
        struct carnet_sync_head head = {
            .book = *book, .author = chain->author, .stream = chain->stream, .seq = seq, .hash = entry_at(node, chain, seq)->hash
        };
        each(arg, &head);
    }
}

static void hash_head(void *arg, const struct carnet_sync_head *head)
{
    struct carnet_hasher *h = arg;
    carnet_hasher_add(h, &head->author, sizeof head->author);
    carnet_hasher_add(h, &head->stream, sizeof head->stream);
    carnet_hasher_add(h, &head->seq, sizeof head->seq);
    carnet_hasher_add(h, &head->hash, sizeof head->hash);
}

static struct carnet_hash source_digest(void *ctx, const struct carnet_id *book, unsigned lane)
{
    struct carnet_hasher h;
    carnet_hasher_init(&h, "carnet/test/heads");
    source_heads(ctx, book, lane, hash_head, &h);
    return carnet_hasher_done(&h);
}

static bool source_next(void *ctx, unsigned lane, int64_t from, struct carnet_sync_entry *out)
{
    struct world_node *node = ctx;
    for (size_t i = from < 1 ? 0 : (size_t)from - 1; i < node->entry_count; i++) {
        const struct world_entry *entry = &node->entries[i];
        const struct world_chain *chain = &node->chains[entry->chain];
        if (entry->lane != lane || entry->seq > standing(node, chain))
            continue;
        node->reads++;
        *out = (struct carnet_sync_entry){ .n = entry->n, .book = chain->book, .author = chain->author, .stream = chain->stream,
                                           .seq = entry->seq, .bytes = carnet_slice(entry->ptr, entry->len) };
        return true;
    }
    return false;
}

static int64_t source_position(void *ctx, const struct carnet_id *book, const struct carnet_id *author, uint32_t stream, uint64_t seq)
{
    const struct world_node *node = ctx;
    const struct world_chain *chain = find_chain(node, book, author, stream);
    return chain && seq && seq <= standing(node, chain) ? entry_at(node, chain, seq)->n : 0;
}

static int64_t source_last(void *ctx)
{
    return (int64_t)((const struct world_node *)ctx)->entry_count;
}

static size_t source_wants(void *ctx, const struct carnet_cert *peer, struct carnet_sync_head *out, size_t max)
{
    const struct world_node *node = ctx;
    size_t count = 0;
    for (size_t i = 0; i < node->entry_count && count < max; i++) {
        const struct world_entry *entry = &node->entries[i];
        const struct world_chain *chain = &node->chains[entry->chain];
        if (entry->wanting && carnet_cert_holds(peer, &chain->book))
            out[count++] = (struct carnet_sync_head){ .book = chain->book, .author = chain->author, .stream = chain->stream, .seq = entry->seq };
    }
    return count;
}

/* --- nodes --- */

static bool gets_part(void *ctx, const struct carnet_change *change, const struct carnet_part *part)
{
    (void)change;
    return part->type == CARNET_PART_BOX || part->type == CARNET_PART_CLEAR || carnet_cert_gets(ctx, part->scope);
}

static bool lacks_part(const struct world_node *node, const struct carnet_entry *entry)
{
    for (size_t i = 0; i < entry->change_count; i++)
        for (size_t j = 0; j < entry->changes[i].part_count; j++)
            if (!entry->changes[i].parts[j].present && carnet_cert_gets(&node->cert, entry->changes[i].parts[j].scope))
                return true;
    return false;
}

static void take_charter(struct world_node *node, const struct carnet_entry *entry)
{
    for (size_t i = 0; i < entry->change_count; i++) {
        for (size_t j = 0; j < entry->changes[i].event_count; j++) {
            struct carnet_event event;
            if (carnet_event_decode(entry->changes[i].events[j], &event) != CARNET_OK)
                continue;
            if (event.type == CARNET_EVENT_CERTIFICATE) {
                (void)!carnet_authority_add(node->authority, event.bytes);
            } else if (event.type == CARNET_EVENT_CUT) {
                const struct carnet_cert *author = carnet_authority_find(node->authority, &entry->header.cert);
                if (author)
                    (void)!carnet_authority_cut(node->authority, &event.other, author, event.bytes);
            } else if (event.type == CARNET_EVENT_BOOK && node->book_count < 8) {
                size_t at = node->book_count++;
                for (; at && carnet_id_compare(&node->books[at - 1], &event.other) > 0; at--)
                    node->books[at] = node->books[at - 1];
                node->books[at] = event.other;
            }
        }
    }
}

static void store(struct world_node *node, const struct carnet_entry *entry, struct carnet_slice bytes)
{
    struct world_chain *chain = get_chain(node, &entry->header.book, &entry->header.author, carnet_entry_stream(&entry->header));
    CARNET_GROW(node->entries, node->entry_count, node->entry_cap);
    struct world_entry *e = &node->entries[node->entry_count++];
    *e = (struct world_entry){ .n = (int64_t)node->entry_count, .lane = lane_of(node, &chain->book, chain->stream),
                               .chain = (size_t)(chain - node->chains), .seq = entry->header.seq, .hash = entry->hash,
                               .ptr = carnet_alloc(bytes.len), .len = bytes.len, .wanting = lacks_part(node, entry) };
    memcpy(e->ptr, bytes.ptr, bytes.len);
    CARNET_GROW(chain->entries, chain->count, chain->cap);
    chain->entries[chain->count++] = node->entry_count - 1;
    if (e->lane == 0)
        take_charter(node, entry);
}

static void fill(struct world_node *node, size_t index, const struct carnet_entry *entry)
{
    struct world_entry *mine = &node->entries[index];
    struct carnet_arena arena;
    struct carnet_entry old;
    struct carnet_buf out;
    carnet_arena_init(&arena);
    carnet_buf_init(&out, CARNET_ENTRY_LEN_MAX);
    CARNET_ASSERT(carnet_entry_decode(carnet_slice(mine->ptr, mine->len), &arena, &old) == CARNET_OK);
    if (carnet_entry_fill(&old, entry, &out)) {
        free(mine->ptr);
        mine->ptr = carnet_alloc(out.len);
        memcpy(mine->ptr, out.ptr, out.len);
        mine->len = out.len;
        CARNET_ASSERT(carnet_entry_decode(carnet_slice(mine->ptr, mine->len), &arena, &old) == CARNET_OK);
        mine->wanting = lacks_part(node, &old);
    }
    carnet_buf_deinit(&out);
    carnet_arena_deinit(&arena);
}

static carnet_rc apply(struct world_node *node, const struct carnet_entry *entry, struct carnet_slice bytes)
{
    static const struct carnet_hash zero;
    carnet_rc rc = carnet_authority_check(node->authority, entry, NULL);
    if (rc != CARNET_OK)
        return rc;
    if (node->poison && carnet_id_equal(node->poison, &entry->header.author) && entry->header.seq == node->poison_seq &&
        !carnet_id_equal(&entry->header.book, &node->world->community))
        return CARNET_REFUSED;
    const struct world_chain *chain = find_chain(node, &entry->header.book, &entry->header.author, carnet_entry_stream(&entry->header));
    uint64_t head = chain ? chain->count : 0;
    if (entry->header.seq <= head) {
        if (!carnet_hash_equal(&entry_at(node, chain, entry->header.seq)->hash, &entry->hash))
            return CARNET_FORK;
        if (!node->frozen)
            fill(node, chain->entries[entry->header.seq - 1], entry);
        return CARNET_OK;
    }
    if (entry->header.seq > head + 1)
        return CARNET_AGAIN;
    if (!carnet_hash_equal(&entry->header.prev, head ? &entry_at(node, chain, head)->hash : &zero))
        return CARNET_FORK;
    if (!node->frozen)
        store(node, entry, bytes);
    return CARNET_OK;
}

carnet_rc world_apply(struct world_node *node, struct carnet_slice bytes)
{
    struct carnet_arena arena;
    struct carnet_entry entry;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_entry_decode(bytes, &arena, &entry);
    if (rc == CARNET_OK)
        rc = apply(node, &entry, bytes);
    carnet_arena_deinit(&arena);
    return rc;
}

static void sign_and_apply(struct world_node *node, const struct carnet_id *book, unsigned log, struct carnet_draft *draft)
{
    struct carnet_entry_header header = { .community = node->world->community, .book = *book, .author = node->cert.node, .cert = node->cert.hash,
                                          .log = log, .incarnation = node->incarnation, .hlc = ++node->hlc << 16 };
    const struct world_chain *chain = find_chain(node, book, &node->cert.node, carnet_entry_stream(&header));
    struct carnet_buf out;
    struct carnet_hash hash;
    header.seq = chain ? chain->count + 1 : 1;
    if (chain)
        header.prev = entry_at(node, chain, chain->count)->hash;
    carnet_buf_init(&out, CARNET_ENTRY_LEN_MAX);
    CARNET_ASSERT(carnet_draft_sign(draft, &header, &node->sk, &out, &hash) == CARNET_OK);
    CARNET_ASSERT(world_apply(node, carnet_buf_slice(&out)) == CARNET_OK);
    carnet_buf_deinit(&out);
    carnet_draft_free(draft);
}

static void add_cells(struct carnet_draft *draft, enum carnet_scope scope, uint32_t field, struct carnet_slice value, const struct carnet_id *record)
{
    struct carnet_key key;
    uint8_t seed[32];
    memcpy(seed, record->b, sizeof record->b);
    seed[0] = (uint8_t)scope;
    memcpy(key.b, record->b, sizeof record->b);
    memset(key.b + 16, (int)scope, 16);
    struct carnet_draft_cell cell = { .field = field, .value = value };
    carnet_draft_seed(draft, scope, seed);
    carnet_draft_cells(draft, scope, 1, carnet_seed_id(seed), &key, &cell, 1);
}

static void write_contact(struct world_node *node, const struct carnet_id *book, struct carnet_slice name)
{
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_id record = make_id("contact", ++node->world->record);
    carnet_draft_change(draft, &record, &record, CARNET_KIND_CONTACT);
    add_cells(draft, CARNET_SCOPE_IDENTITY, CARNET_FIELD_FAMILY, name, &record);
    if (carnet_cert_gets(&node->cert, CARNET_SCOPE_EMAIL))
        add_cells(draft, CARNET_SCOPE_EMAIL, CARNET_FIELD_EMAIL, carnet_slice_str("personne@example.org"), &record);
    sign_and_apply(node, book, CARNET_LOG_DATA, draft);
}

void world_write(struct world_node *node, const struct carnet_id *book, unsigned log)
{
    if (log == CARNET_LOG_DATA) {
        write_contact(node, book, carnet_slice_str("Le Goff"));
        return;
    }
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_id record = make_id("contact", ++node->world->record);
    struct carnet_event event = { .type = CARNET_EVENT_WITHDRAW, .purpose = carnet_slice_str("newsletter") };
    carnet_draft_change(draft, &record, &record, CARNET_KIND_CONTACT);
    carnet_draft_event(draft, &event);
    sign_and_apply(node, book, CARNET_LOG_LAW, draft);
}

void world_write_large(struct world_node *node, const struct carnet_id *book, size_t len)
{
    char *text = carnet_alloc(len);
    memset(text, 'a', len);
    write_contact(node, book, carnet_slice(text, len));
    free(text);
}

static void charter_event(struct carnet_draft *draft, const struct carnet_id *record, enum carnet_kind kind, const struct carnet_event *event)
{
    carnet_draft_change(draft, record, NULL, kind);
    carnet_draft_event(draft, event);
}

void world_cut(struct world_node *node, const struct world_node *whose)
{
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_buf rows;
    carnet_buf_init(&rows, 1024);
    carnet_cut_encode(NULL, 0, &rows);
    struct carnet_event event = { .type = CARNET_EVENT_CUT, .other = whose->cert.node, .bytes = carnet_buf_slice(&rows) };
    charter_event(draft, &whose->cert.node, CARNET_KIND_CERTIFICATE, &event);
    sign_and_apply(node, &node->world->community, carnet_event_log(CARNET_EVENT_CUT), draft);
    carnet_buf_deinit(&rows);
}

static void free_entries(struct world_node *node)
{
    for (size_t i = 0; i < node->entry_count; i++)
        free(node->entries[i].ptr);
    for (size_t i = 0; i < node->chain_count; i++)
        free(node->chains[i].entries);
    free(node->entries);
    free(node->chains);
}

static struct world_node *new_node(struct world *world, const char *name)
{
    CARNET_ASSERT(world->node_count < WORLD_NODES_MAX);
    struct world_node *node = &world->nodes[world->node_count];
    uint8_t seed[32];
    *node = (struct world_node){ .world = world, .name = name, .hlc = 1000 * ++world->node_count };
    node->source = (struct carnet_sync_source){ .ctx = node, .authority = source_authority, .self = source_self, .books = source_books,
                                                .digest = source_digest, .heads = source_heads, .next = source_next,
                                                .position = source_position, .last = source_last, .wants = source_wants };
    carnet_arena_init(&node->arena);
    seed32(seed, "sign", world->node_count * 256 + world->salt);
    carnet_sign_pair(seed, &node->pk, &node->sk);
    node->authority = carnet_authority_new(world->genesis);
    CARNET_ASSERT(node->authority);
    return node;
}

static void certify(struct world_node *node, const struct world_terms *terms, const struct world_node *inviter)
{
    struct world *world = node->world;
    struct carnet_cert cert = { .community = world->community, .node = carnet_node_id(&node->pk), .sign = node->pk, .role = terms->role,
                                .books = terms->books, .book_count = terms->book_count, .reads = terms->scopes, .writes = terms->scopes,
                                .verbs = carnet_role_verbs(terms->role), .not_after_ms = terms->not_after_ms };
    struct carnet_box_sk sk;
    struct carnet_buf raw;
    uint8_t seed[32];
    seed32(seed, "box", world->node_count * 256 + world->salt);
    carnet_box_pair(seed, &cert.box, &sk);
    seed32(seed, "curve", world->node_count * 256 + world->salt);
    carnet_box_pair(seed, &cert.curve, &sk);
    node->curve = cert.curve;
    if (inviter)
        cert.issuer = inviter->cert.hash;
    carnet_buf_init(&raw, CARNET_CERT_LEN_MAX);
    carnet_cert_sign(&cert, inviter ? &inviter->sk : &world->root, &raw);
    CARNET_ASSERT(carnet_cert_decode(carnet_arena_dup(&node->arena, carnet_buf_slice(&raw)), &node->arena, &node->cert) == CARNET_OK);
    carnet_buf_deinit(&raw);
}

void world_init(struct world *world, uint8_t salt)
{
    struct carnet_genesis genesis = { .name = carnet_slice_str("Essai"), .created_ms = 1 };
    struct carnet_buf bytes;
    uint8_t seed[32];
    *world = (struct world){ .salt = salt };
    carnet_arena_init(&world->arena);
    CARNET_ASSERT(carnet_crypto_init(NULL) == CARNET_OK);
    seed32(seed, "root", salt);
    carnet_sign_pair(seed, &genesis.root, &world->root);
    carnet_buf_init(&bytes, 1024);
    carnet_genesis_encode(&genesis, &bytes);
    world->genesis = carnet_arena_dup(&world->arena, carnet_buf_slice(&bytes));
    world->community = carnet_genesis_community(world->genesis);
    carnet_buf_deinit(&bytes);
    world->book[0] = make_id("book", 1);
    world->book[1] = make_id("book", 2);

    struct world_node *founder = new_node(world, "founder");
    struct world_terms terms = { .role = CARNET_ROLE_ADMIN, .scopes = CARNET_SCOPES_ALL };
    certify(founder, &terms, NULL);
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_event event = { .type = CARNET_EVENT_CERTIFICATE, .bytes = founder->cert.raw };
    charter_event(draft, &founder->cert.node, CARNET_KIND_CERTIFICATE, &event);
    event = (struct carnet_event){ .type = CARNET_EVENT_GENESIS, .bytes = world->genesis };
    carnet_draft_event(draft, &event);
    for (size_t i = 0; i < 2; i++) {
        event = (struct carnet_event){ .type = CARNET_EVENT_BOOK, .other = world->book[i], .text = carnet_slice_str(i ? "secteur" : "main") };
        charter_event(draft, &world->book[i], CARNET_KIND_BOOK, &event);
    }
    sign_and_apply(founder, &world->community, CARNET_LOG_DATA, draft);
}

void world_deinit(struct world *world)
{
    for (size_t i = 0; i < world->node_count; i++) {
        free_entries(&world->nodes[i]);
        carnet_authority_free(world->nodes[i].authority);
        carnet_arena_deinit(&world->nodes[i].arena);
    }
    carnet_arena_deinit(&world->arena);
}

size_t world_join(struct world *world, const char *name, const struct world_terms *terms)
{
    struct world_node *node = new_node(world, name);
    struct world_node *inviter = &world->nodes[terms->inviter];
    struct carnet_draft *draft = carnet_draft_new();
    certify(node, terms, inviter);
    struct carnet_event event = { .type = CARNET_EVENT_CERTIFICATE, .bytes = node->cert.raw };
    charter_event(draft, &node->cert.node, CARNET_KIND_CERTIFICATE, &event);
    sign_and_apply(inviter, &world->community, CARNET_LOG_DATA, draft);
    /* what an invitation brings: the chain */
    struct carnet_buf chain;
    struct carnet_reader r;
    carnet_buf_init(&chain, CARNET_FRAME_LEN_MAX);
    carnet_authority_chain(inviter->authority, &node->cert, &chain);
    carnet_reader_init(&r, carnet_buf_slice(&chain));
    for (size_t count = carnet_reader_array(&r); count; count--)
        CARNET_ASSERT(carnet_authority_add(node->authority, carnet_reader_bytes(&r)) == CARNET_OK);
    carnet_buf_deinit(&chain);
    return world->node_count - 1;
}

void world_copy(const struct world_node *from, struct world_node *to, bool data)
{
    struct carnet_buf out;
    carnet_buf_init(&out, CARNET_ENTRY_LEN_MAX);
    for (size_t i = 0; i < from->entry_count; i++) {
        const struct world_entry *e = &from->entries[i];
        struct carnet_arena arena;
        struct carnet_entry entry;
        if ((e->lane && !data) || !carnet_cert_holds(&to->cert, &from->chains[e->chain].book))
            continue;
        carnet_arena_init(&arena);
        CARNET_ASSERT(carnet_entry_decode(carnet_slice(e->ptr, e->len), &arena, &entry) == CARNET_OK);
        carnet_buf_clear(&out);
        carnet_entry_strip(&entry, gets_part, &to->cert, &out);
        CARNET_ASSERT(world_apply(to, carnet_buf_slice(&out)) == CARNET_OK);
        carnet_arena_deinit(&arena);
    }
    carnet_buf_deinit(&out);
}

struct dropped {
    enum carnet_scope scope;
};

static bool keep_other(void *ctx, const struct carnet_change *change, const struct carnet_part *part)
{
    const struct dropped *dropped = ctx;
    (void)change;
    return part->scope != dropped->scope;
}

void world_drop(struct world_node *node, enum carnet_scope scope)
{
    struct carnet_buf out;
    carnet_buf_init(&out, CARNET_ENTRY_LEN_MAX);
    for (size_t i = 0; i < node->entry_count; i++) {
        struct world_entry *e = &node->entries[i];
        struct dropped dropped = { scope };
        struct carnet_arena arena;
        struct carnet_entry entry;
        carnet_arena_init(&arena);
        CARNET_ASSERT(carnet_entry_decode(carnet_slice(e->ptr, e->len), &arena, &entry) == CARNET_OK);
        carnet_buf_clear(&out);
        carnet_entry_strip(&entry, keep_other, &dropped, &out);
        memcpy(e->ptr, out.ptr, out.len);
        e->len = out.len;
        carnet_arena_reset(&arena);
        CARNET_ASSERT(carnet_entry_decode(carnet_slice(e->ptr, e->len), &arena, &entry) == CARNET_OK);
        e->wanting = lacks_part(node, &entry);
        carnet_arena_deinit(&arena);
    }
    carnet_buf_deinit(&out);
}

struct carnet_hash world_digest(const struct world_node *node, const struct carnet_id *book, unsigned lane)
{
    return node->source.digest(node->source.ctx, book, lane);
}

bool world_same(const struct world_node *a, const struct world_node *b, const struct carnet_id *book, unsigned lane)
{
    struct carnet_hash x = world_digest(a, book, lane), y = world_digest(b, book, lane);
    return carnet_hash_equal(&x, &y);
}

size_t world_parts(const struct world_node *node, enum carnet_scope scope)
{
    size_t count = 0;
    for (size_t i = 0; i < node->entry_count; i++) {
        struct carnet_arena arena;
        struct carnet_entry entry;
        carnet_arena_init(&arena);
        CARNET_ASSERT(carnet_entry_decode(carnet_slice(node->entries[i].ptr, node->entries[i].len), &arena, &entry) == CARNET_OK);
        for (size_t j = 0; j < entry.change_count; j++)
            for (size_t k = 0; k < entry.changes[j].part_count; k++)
                count += entry.changes[j].parts[k].present && entry.changes[j].parts[k].scope == scope;
        carnet_arena_deinit(&arena);
    }
    return count;
}

size_t world_wanting(const struct world_node *node)
{
    size_t count = 0;
    for (size_t i = 0; i < node->entry_count; i++)
        count += node->entries[i].wanting;
    return count;
}

/* --- the pipe --- */

static void enqueue(struct world_side *side, struct carnet_slice frame)
{
    CARNET_GROW(side->queue, side->queue_count, side->queue_cap);
    struct world_frame *f = &side->queue[side->queue_count++];
    f->ptr = carnet_alloc(frame.len);
    f->len = frame.len;
    if (frame.len)
        memcpy(f->ptr, frame.ptr, frame.len);
}

/* Keeps the count of frames under way from what is seen from outside: type 5 spends, type 7 gives back. */
static void count_credit(struct world_pipe *pipe, unsigned from, struct carnet_slice frame)
{
    struct world_side *me = &pipe->side[from], *other = &pipe->side[!from];
    struct carnet_reader r;
    carnet_reader_init(&r, frame);
    carnet_reader_array(&r);
    uint64_t type = carnet_reader_uint(&r);
    if (type == 5) {
        me->in_flight++;
        me->entries_sent += carnet_reader_array(&r);
        if (me->in_flight > me->in_flight_max)
            me->in_flight_max = me->in_flight;
    } else if (type == 7) {
        uint64_t frames = carnet_reader_uint(&r);
        other->in_flight -= frames > other->in_flight ? other->in_flight : (unsigned)frames;
    }
}

static void handle(struct world_pipe *pipe, unsigned who, struct carnet_sync_event event);

static void send_frames(struct world_pipe *pipe, unsigned who, const struct carnet_sync_update *update)
{
    struct world_side *side = &pipe->side[who];
    for (size_t i = 0; i < update->frame_count; i++) {
        CARNET_ASSERT(update->frames[i].len <= CARNET_FRAME_LEN_MAX);
        side->bytes += update->frames[i].len;
        count_credit(pipe, who, update->frames[i]);
        if (pipe->seen)
            pipe->seen(pipe->seen_ctx, who, update->frames[i]);
        if (pipe->trace) {
            carnet_buf_append_str(pipe->trace, who ? "B " : "A ");
            carnet_sync_describe(update->frames[i], pipe->trace);
            carnet_buf_append_str(pipe->trace, "\n");
        }
        enqueue(&pipe->side[!who], update->frames[i]);
    }
    if (update->close && !side->closed) {
        side->closed = true;
        side->why = update->why;
        side->reason = update->reason;
        side->by_peer = update->by_peer;
    }
    side->caught_up = update->caught_up;
    side->authenticated = update->authenticated;
    side->behind = side->behind || update->behind_own_log;
}

static void handle(struct world_pipe *pipe, unsigned who, struct carnet_sync_event event)
{
    struct world_side *side = &pipe->side[who];
    struct carnet_sync_update update;
    carnet_rc rcs[CARNET_SYNC_ENTRIES_MAX];
    event.mono_ms = pipe->mono_ms;
    event.wall_ms = pipe->wall_ms;
    do {
        carnet_sync_step(side->sync, &event, &update);
        if (update.entry_count) {
            CARNET_ASSERT(update.frame_count == 0 && !update.close);
            for (size_t i = 0; i < update.entry_count; i++)
                rcs[i] = world_apply(side->node, update.entries[i]);
            event.type = CARNET_SYNC_APPLIED;
            event.rcs = rcs;
            carnet_sync_step(side->sync, &event, &update);
            CARNET_ASSERT(update.entry_count == 0);
        }
        send_frames(pipe, who, &update);
        event.type = CARNET_SYNC_TICK;
    } while (update.more && !update.close);
}

void pipe_open(struct world_pipe *pipe, struct world_node *a, struct world_node *b, bool a_knows_b, bool b_knows_a, struct carnet_buf *trace)
{
    *pipe = (struct world_pipe){ .trace = trace, .mono_ms = 1000, .wall_ms = WORLD_WALL_MS };
    pipe->side[0].node = a;
    pipe->side[1].node = b;
    pipe->side[0].sync = carnet_sync_new(&a->source, a_knows_b ? &b->cert : NULL, true);
    pipe->side[1].sync = carnet_sync_new(&b->source, b_knows_a ? &a->cert : NULL, false);
    carnet_sync_set_key(pipe->side[0].sync, &b->curve);
    carnet_sync_set_key(pipe->side[1].sync, &a->curve);
    handle(pipe, 1, (struct carnet_sync_event){ .type = CARNET_SYNC_START });
    handle(pipe, 0, (struct carnet_sync_event){ .type = CARNET_SYNC_START });
}

static bool deliver(struct world_pipe *pipe, unsigned to)
{
    struct world_side *side = &pipe->side[to];
    if (side->queue_at == side->queue_count)
        return false;
    struct world_frame frame = side->queue[side->queue_at++];
    pipe->delivered++;
    if (pipe->change) {
        struct carnet_slice changed = pipe->change(pipe->change_ctx, to, carnet_slice(frame.ptr, frame.len));
        free(frame.ptr);
        frame.len = changed.len;
        frame.ptr = carnet_alloc(frame.len);
        if (frame.len)
            memcpy(frame.ptr, changed.ptr, frame.len);
    }
    if (!side->closed)
        handle(pipe, to, (struct carnet_sync_event){ .type = CARNET_SYNC_FRAME, .frame = carnet_slice(frame.ptr, frame.len) });
    free(frame.ptr);
    return true;
}

void pipe_run(struct world_pipe *pipe, size_t max)
{
    size_t end = max > SIZE_MAX - pipe->delivered ? SIZE_MAX : pipe->delivered + max;
    bool moved = true;
    while (moved) {
        moved = false;
        for (unsigned to = 2; to-- > 0;)
            moved = (pipe->delivered < end && deliver(pipe, to)) || moved;
    }
}

bool pipe_quiet(const struct world_pipe *pipe)
{
    return pipe->side[0].queue_at == pipe->side[0].queue_count && pipe->side[1].queue_at == pipe->side[1].queue_count;
}

void pipe_local(struct world_pipe *pipe, unsigned side)
{
    handle(pipe, side, (struct carnet_sync_event){ .type = CARNET_SYNC_LOCAL });
}

void pipe_inject(struct world_pipe *pipe, unsigned to, struct carnet_slice frame)
{
    enqueue(&pipe->side[to], frame);
}

void pipe_tick(struct world_pipe *pipe, int64_t ms)
{
    pipe->mono_ms += ms;
    pipe->wall_ms += ms;
    for (unsigned i = 0; i < 2; i++)
        handle(pipe, i, (struct carnet_sync_event){ .type = CARNET_SYNC_TICK });
}

void pipe_close(struct world_pipe *pipe)
{
    for (size_t i = 0; i < 2; i++) {
        struct world_side *side = &pipe->side[i];
        carnet_sync_free(side->sync);
        while (side->queue_at < side->queue_count)
            free(side->queue[side->queue_at++].ptr);
        free(side->queue);
        *side = (struct world_side){ 0 };
    }
}
