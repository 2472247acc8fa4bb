// SPDX-License-Identifier: EUPL-1.2
#include "log_world.h"

#include <string.h>

struct carnet_id log_id(uint8_t fill)
{
    struct carnet_id id;
    memset(id.b, fill, sizeof id.b);
    return id;
}

void log_keys(struct log_node *node, uint8_t fill)
{
    uint8_t seed[32];
    memset(node, 0, sizeof *node);
    memset(seed, fill, sizeof seed);
    carnet_sign_pair(seed, &node->pk, &node->sk);
    seed[1] = 1;
    carnet_box_pair(seed, &node->box, &node->box_sk);
    seed[1] = 2;
    carnet_box_pair(seed, &node->curve, &node->curve_sk);
    node->id = carnet_node_id(&node->pk);
}

struct carnet_cert log_cert(const struct log_world *world, const struct log_node *node, const struct log_node *issuer,
                            enum carnet_role role)
{
    uint32_t scopes = role == CARNET_ROLE_RELAY ? 0 : CARNET_SCOPES_ALL;
    struct carnet_cert cert = {.community = world->community,
                               .node = node->id,
                               .sign = node->pk,
                               .box = node->box,
                               .curve = node->curve,
                               .role = role,
                               .reads = scopes,
                               .writes = scopes,
                               .verbs = carnet_role_verbs(role),
                               .issued_ms = LOG_WORLD_MS};
    if (issuer)
        cert.issuer = issuer->cert.hash;
    return cert;
}

struct carnet_slice log_keep(struct log_world *world, struct carnet_buf *buf)
{
    CARNET_ASSERT(!buf->failed);
    struct carnet_slice kept = carnet_arena_dup(&world->arena, carnet_buf_slice(buf));
    carnet_buf_deinit(buf);
    return kept;
}

void log_certify(struct log_world *world, struct log_node *node, const struct carnet_cert *cert,
                 const struct log_node *issuer)
{
    struct carnet_buf buf;
    carnet_buf_init(&buf, CARNET_ENTRY_LEN_MAX);
    carnet_cert_sign(cert, issuer ? &issuer->sk : &world->root_sk, &buf);
    node->raw = log_keep(world, &buf);
    carnet_rc rc = carnet_cert_decode(node->raw, &world->arena, &node->cert);
    (void)rc; /* some tests make what must be refused */
}

static void join(struct log_world *world, struct log_node *node, uint8_t fill, const struct log_node *issuer,
                 enum carnet_role role)
{
    log_keys(node, fill);
    struct carnet_cert cert = log_cert(world, node, issuer, role);
    log_certify(world, node, &cert, issuer);
    CARNET_ASSERT(carnet_authority_add(world->authority, node->raw) == CARNET_OK);
}

void log_world_init(struct log_world *world)
{
    uint8_t seed[32];
    memset(world, 0, sizeof *world);
    carnet_arena_init(&world->arena);
    memset(seed, 0x77, sizeof seed);
    carnet_sign_pair(seed, &world->root_pk, &world->root_sk);
    struct carnet_genesis genesis = {
        .root = world->root_pk, .name = carnet_slice_str("Les Amis d’Essai"), .created_ms = LOG_WORLD_MS};
    memset(genesis.random, 0x42, sizeof genesis.random);
    struct carnet_buf buf;
    carnet_buf_init(&buf, 1000);
    carnet_genesis_encode(&genesis, &buf);
    world->genesis = log_keep(world, &buf);
    world->community = carnet_genesis_community(world->genesis);
    world->book = log_id(0xb0);
    world->other_book = log_id(0xb1);
    world->authority = carnet_authority_new(world->genesis);
    join(world, &world->admin, 1, NULL, CARNET_ROLE_ADMIN);
    join(world, &world->office, 2, &world->admin, CARNET_ROLE_OFFICE);
    join(world, &world->volunteer, 3, &world->admin, CARNET_ROLE_VOLUNTEER);
    join(world, &world->gateway, 4, &world->admin, CARNET_ROLE_GATEWAY);
    join(world, &world->relay, 5, &world->admin, CARNET_ROLE_RELAY);
}

void log_world_deinit(struct log_world *world)
{
    carnet_authority_free(world->authority);
    carnet_arena_deinit(&world->arena);
}

struct carnet_entry_header log_header(const struct log_world *world, const struct log_node *author,
                                      const struct carnet_id *book, unsigned log, uint64_t seq)
{
    struct carnet_entry_header header = {.community = world->community,
                                         .book = *book,
                                         .author = author->id,
                                         .cert = author->cert.hash,
                                         .log = log,
                                         .incarnation = 1,
                                         .seq = seq,
                                         .hlc = (uint64_t)LOG_WORLD_MS << 16};
    if (seq > 1)
        memset(header.prev.b, 0x99, sizeof header.prev.b);
    return header;
}

struct carnet_key log_epoch_key(enum carnet_scope scope)
{
    struct carnet_key key;
    memset(key.b, 0x40 + (int)scope, sizeof key.b);
    return key;
}

uint64_t log_epoch_id(enum carnet_scope scope)
{
    struct carnet_key key = log_epoch_key(scope);
    struct carnet_id book = log_id(0xb0); /* the world's book */
    struct carnet_hash commitment;
    return carnet_epoch_commit(&book, scope, &key, &commitment);
}

struct carnet_slice log_sign(struct log_world *world, struct carnet_draft *draft,
                             const struct carnet_entry_header *header, const struct log_node *author)
{
    struct carnet_buf buf;
    struct carnet_hash hash;
    carnet_buf_init(&buf, CARNET_ENTRY_LEN_MAX);
    CARNET_ASSERT(carnet_draft_sign(draft, header, &author->sk, &buf, &hash) == CARNET_OK);
    CARNET_ASSERT(buf.len <= carnet_draft_size(draft));
    carnet_draft_clear(draft);
    return log_keep(world, &buf);
}

void log_decode(struct log_world *world, struct carnet_slice raw, struct carnet_entry *out)
{
    CARNET_ASSERT(carnet_entry_decode(raw, &world->arena, out) == CARNET_OK);
}

void log_draft_cell(const struct log_world *world, struct carnet_draft *draft, const struct carnet_id *book,
                    const struct carnet_id *subject, enum carnet_scope scope, const uint8_t *seed, uint32_t field,
                    const char *value, const struct carnet_dot *replaces, size_t count)
{
    static const struct carnet_id zero;
    struct carnet_draft_cell cell = {
        .field = field, .value = carnet_slice_str(value), .replaces = replaces, .replace_count = count};
    if (scope == CARNET_SCOPE_CLEAR) {
        carnet_draft_cells(draft, scope, 0, 0, NULL, &cell, 1);
        return;
    }
    struct carnet_key epoch = log_epoch_key(scope);
    struct carnet_key key = carnet_part_key(&epoch, &world->community, book, subject ? subject : &zero, scope, seed);
    carnet_draft_cells(draft, scope, log_epoch_id(scope), seed ? carnet_seed_id(seed) : 0, &key, &cell, 1);
}

bool log_key(void *ctx, const struct carnet_entry_header *header, const struct carnet_change *change,
             const struct carnet_part *part, struct carnet_key *out)
{
    const uint8_t *seed = ctx;
    for (size_t i = 0; i < change->part_count; i++)
        if (change->parts[i].type == CARNET_PART_SEED && change->parts[i].seed == part->seed &&
            change->parts[i].present)
            seed = change->parts[i].bytes.ptr;
    if (part->epoch != log_epoch_id(part->scope) || (part->seed && !seed))
        return false;
    struct carnet_key epoch = log_epoch_key(part->scope);
    *out = carnet_part_key(&epoch, &header->community, &header->book, &change->subject, part->scope,
                           part->seed ? seed : NULL);
    return true;
}

struct carnet_slice log_craft(struct log_world *world, const struct carnet_entry_header *header,
                              const struct log_node *author, const struct carnet_slice *leaves,
                              const struct carnet_slice *bodies, size_t count)
{
    struct carnet_buf head, out;
    carnet_buf_init(&head, 64 * 1024);
    carnet_buf_init(&out, 128 * 1024);
    carnet_cbor_put_array(&head, 11);
    carnet_cbor_put_str(&head, "carnet/1/entry");
    carnet_cbor_put_id(&head, &header->community);
    carnet_cbor_put_id(&head, &header->book);
    carnet_cbor_put_uint(&head, header->log);
    carnet_cbor_put_id(&head, &header->author);
    carnet_cbor_put_uint(&head, header->incarnation);
    carnet_cbor_put_uint(&head, header->seq);
    carnet_cbor_put_hash(&head, &header->prev);
    carnet_cbor_put_uint(&head, header->hlc);
    carnet_cbor_put_id(&head, &header->cert);
    carnet_cbor_put_array(&head, count);
    for (size_t i = 0; i < count; i++) {
        struct carnet_hash hash = carnet_hash_of("carnet/1/leaf", leaves[i]);
        carnet_cbor_put_hash(&head, &hash);
    }
    struct carnet_sig sig = carnet_sign(&author->sk, carnet_buf_slice(&head));
    carnet_cbor_put_array(&out, 3);
    carnet_cbor_put_bytes(&out, carnet_buf_slice(&head));
    carnet_cbor_put_bytes(&out, carnet_slice(sig.b, sizeof sig.b));
    carnet_cbor_put_array(&out, count);
    for (size_t i = 0; i < count; i++) {
        carnet_cbor_put_array(&out, 2);
        carnet_cbor_put_bytes(&out, leaves[i]);
        carnet_buf_append_slice(&out, bodies[i]);
    }
    carnet_buf_deinit(&head);
    return log_keep(world, &out);
}
