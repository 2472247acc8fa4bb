// SPDX-License-Identifier: EUPL-1.2
/* What a member with a modified program signs: entries made by hand, with its own good key. Each test states what must not come of it. */
#include "members_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

static int setup(void **state)
{
    (void)state;
    world_open(&world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

/* One chain that a member writes by hand, in an incarnation of its own choice. */
struct chain {
    size_t by;
    struct carnet_id book;
    unsigned log;
    uint32_t incarnation;
    uint64_t seq;
    struct carnet_hash head;
    int64_t ms; /* of the next entry's clock; 0: now */
};

static struct chain chain_of(size_t by, const struct carnet_id *book, unsigned log)
{
    return (struct chain){ .by = by, .book = *book, .log = log, .incarnation = 900 };
}

static const struct carnet_id *charter_of(size_t node)
{
    return carnet_authority_community(carnet_replica_authority(world.nodes[node].replica));
}

/* Signs the draft as the next entry of the chain; in a buffer that the next call uses again. */
static struct carnet_slice sign(struct chain *chain, struct carnet_draft *draft)
{
    static struct carnet_buf bytes;
    const struct world_node *node = &world.nodes[chain->by];
    const struct carnet_cert *cert = carnet_replica_self(node->replica);
    struct carnet_sign_pk pk;
    struct carnet_sign_sk sk;
    int64_t ms = chain->ms ? chain->ms : node->hands.wall_ms;
    const struct carnet_entry_header header = { .community = cert->community, .book = chain->book, .author = cert->node, .cert = cert->hash, .log = chain->log,
                                                .incarnation = chain->incarnation, .seq = chain->seq + 1, .prev = chain->head, .hlc = (uint64_t)ms << 16 };
    carnet_sign_pair(node->identity.sign, &pk, &sk);
    carnet_buf_deinit(&bytes);
    carnet_buf_init(&bytes, CARNET_ENTRY_LEN_MAX);
    assert_int_equal(carnet_draft_sign(draft, &header, &sk, &bytes, &chain->head), CARNET_OK);
    carnet_draft_clear(draft);
    chain->seq++;
    return carnet_buf_slice(&bytes);
}

/* What a node answers to one entry. */
static carnet_rc take(size_t node, struct carnet_slice bytes)
{
    struct carnet_err err = CARNET_ERR_INIT;
    carnet_rc rc = CARNET_FAILED, world_rc = carnet_replica_apply(world.nodes[node].replica, &bytes, 1, &rc, &err);
    if (world_rc != CARNET_OK)
        fail_msg("the node stops: %s", err.what);
    return rc;
}

static const struct carnet_key any_key = { { 42 } };

/* A sealed part that nobody opens: what it replaces counts all the same. */
static void put_cell(struct carnet_draft *draft, enum carnet_scope scope, bool about, const struct carnet_dot *replaces, size_t count)
{
    const struct carnet_draft_cell cell = { .field = CARNET_FIELD_NOTE, .value = world_text("?"), .replaces = replaces, .replace_count = count };
    carnet_draft_cells(draft, scope, 4711, about ? 4712 : 0, &any_key, &cell, 1);
}

static struct carnet_record record_of(size_t node, const struct carnet_id *book, const struct carnet_id *id, struct carnet_arena *arena)
{
    struct carnet_record_row row;
    struct carnet_record record, out;
    struct carnet_store *store = carnet_replica_store(world.nodes[node].replica);
    assert_int_equal(carnet_store_record_get(store, book, id, &row, NULL), CARNET_OK);
    carnet_record_init(&record);
    assert_int_equal(carnet_record_unpack(carnet_arena_dup(arena, row.state), &record), CARNET_OK);
    out = record; /* its arrays are copied, so that nothing is to be freed */
    out.live = carnet_arena_alloc(arena, (record.live_count + 1) * sizeof *out.live);
    out.events = carnet_arena_alloc(arena, (record.event_count + 1) * sizeof *out.events);
    out.seeds = carnet_arena_alloc(arena, (record.seed_count + 1) * sizeof *out.seeds);
    out.replaced = NULL;
    if (record.live_count)
        memcpy(out.live, record.live, record.live_count * sizeof *out.live);
    if (record.event_count)
        memcpy(out.events, record.events, record.event_count * sizeof *out.events);
    if (record.seed_count)
        memcpy(out.seeds, record.seeds, record.seed_count * sizeof *out.seeds);
    carnet_record_deinit(&record);
    return out;
}

static void state_of(size_t node, const struct carnet_id *book, struct carnet_hash *out)
{
    struct carnet_err err = CARNET_ERR_INIT;
    assert_int_equal(carnet_replica_state(world.nodes[node].replica, book, out, &err), CARNET_OK);
}

static void complain(void *ctx, const char *error)
{
    (void)ctx;
    print_message("%s\n", error);
}

/* Both nodes show the same of the book, and each what its log says. */
static void same(size_t a, size_t b)
{
    struct carnet_hash x, y;
    struct carnet_err err = CARNET_ERR_INIT;
    state_of(a, &world.book, &x);
    state_of(b, &world.book, &y);
    assert_memory_equal(x.b, y.b, sizeof x.b);
    assert_int_equal(carnet_replica_verify(world.nodes[a].replica, complain, NULL, &err), CARNET_OK);
    assert_int_equal(carnet_replica_verify(world.nodes[b].replica, complain, NULL, &err), CARNET_OK);
}

/* --- keys --- */

/* How many boxes of the epoch for this reader the node has stored. */
static size_t boxes_for(size_t node, uint64_t epoch, const struct carnet_id *reader)
{
    struct carnet_store *store = carnet_replica_store(world.nodes[node].replica);
    struct carnet_arena arena;
    struct carnet_entry_row row;
    size_t count = 0;
    carnet_arena_init(&arena);
    for (int64_t n = 1; carnet_store_entry_next(store, 0, n, &row, NULL) == CARNET_OK; n = row.n + 1) {
        struct carnet_entry entry;
        carnet_arena_reset(&arena);
        assert_int_equal(carnet_entry_decode(row.bytes, &arena, &entry), CARNET_OK);
        for (size_t i = 0; i < entry.change_count; i++)
            for (size_t j = 0; j < entry.changes[i].part_count; j++) {
                const struct carnet_part *part = &entry.changes[i].parts[j];
                count += part->type == CARNET_PART_BOX && part->epoch == epoch && memmem(part->bytes.ptr, part->bytes.len, reader->b, sizeof reader->b);
            }
    }
    carnet_arena_deinit(&arena);
    return count;
}

/* The epoch of a scope of the book, and the founder's own box of its key. */
static void find_epoch(enum carnet_scope scope, struct carnet_event *epoch, struct carnet_slice *box, struct carnet_arena *arena)
{
    struct carnet_store *store = carnet_replica_store(world.nodes[0].replica);
    struct carnet_entry_row row;
    *box = CARNET_SLICE_NONE;
    epoch->epoch = 0;
    for (int64_t n = 1; carnet_store_entry_next(store, 0, n, &row, NULL) == CARNET_OK; n = row.n + 1) {
        struct carnet_entry entry;
        assert_int_equal(carnet_entry_decode(carnet_arena_dup(arena, row.bytes), arena, &entry), CARNET_OK);
        for (size_t i = 0; i < entry.change_count; i++) {
            for (size_t j = 0; j < entry.changes[i].event_count; j++) {
                struct carnet_event event;
                if (carnet_event_decode(entry.changes[i].events[j], &event) == CARNET_OK && event.type == CARNET_EVENT_EPOCH && event.scope == scope)
                    *epoch = event;
            }
            for (size_t j = 0; j < entry.changes[i].part_count; j++) {
                const struct carnet_part *part = &entry.changes[i].parts[j];
                if (part->type == CARNET_PART_BOX && part->epoch == epoch->epoch && memmem(part->bytes.ptr, part->bytes.len, world.nodes[0].id.b, 16))
                    *box = part->bytes;
            }
        }
    }
    assert_true(epoch->epoch && box->len);
}

/* An office that does not read opinions announces their epoch as one of identities, and shows the founder its own box again: the founder must not
 * come to give that key to the readers of identities. */
static void a_key_is_good_for_the_scope_it_was_made_for(void **state)
{
    (void)state;
    size_t office = world_invite(&world, 0, "antenne", CARNET_ROLE_OFFICE, 1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_CONSENT);
    struct chain chain = chain_of(office, charter_of(0), CARNET_LOG_DATA);
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_arena arena;
    struct carnet_event epoch;
    struct carnet_slice box;
    struct carnet_reader r;
    struct carnet_id to, record = { { 7 } };
    carnet_arena_init(&arena);
    find_epoch(CARNET_SCOPE_OPINION, &epoch, &box, &arena);
    carnet_reader_init(&r, box);
    carnet_reader_array_exact(&r, 2);
    carnet_reader_bytes_exact(&r, to.b, sizeof to.b);
    struct carnet_slice sealed = carnet_reader_bytes(&r);
    epoch.scope = CARNET_SCOPE_IDENTITY;
    carnet_draft_change(draft, &record, NULL, CARNET_KIND_EPOCH);
    carnet_draft_event(draft, &epoch);
    carnet_draft_box(draft, CARNET_SCOPE_IDENTITY, epoch.epoch, &world.nodes[0].id, sealed);
    assert_int_equal(take(0, sign(&chain, draft)), CARNET_OK);
    for (int i = 0; i < 3; i++) {
        world_clock(&world, world.nodes[0].hands.wall_ms + WORLD_HOUR_MS);
        world_upkeep(&world, 0, true);
    }
    assert_int_equal(boxes_for(0, epoch.epoch, &world.nodes[office].id), 0);
    /* the same with the memory read anew */
    struct carnet_err err = CARNET_ERR_INIT;
    carnet_replica_close(world.nodes[0].replica);
    assert_int_equal(carnet_replica_open(world.nodes[0].path, &world.nodes[0].env, &world.nodes[0].identity, &world.nodes[0].replica, &err), CARNET_OK);
    for (int i = 0; i < 3; i++) {
        world_clock(&world, world.nodes[0].hands.wall_ms + WORLD_HOUR_MS);
        world_upkeep(&world, 0, true);
    }
    assert_int_equal(boxes_for(0, epoch.epoch, &world.nodes[office].id), 0);
    carnet_draft_free(draft);
    carnet_arena_deinit(&arena);
}

/* A box full of nothing for somebody who reads must not keep others from giving the key. */
static void a_box_by_who_does_not_read_keeps_nobody_out(void **state)
{
    (void)state;
    size_t office = world_invite(&world, 0, "antenne", CARNET_ROLE_OFFICE, 1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_CONSENT);
    struct chain chain = chain_of(office, charter_of(0), CARNET_LOG_DATA);
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_arena arena;
    struct carnet_event epoch;
    struct carnet_slice box;
    struct carnet_id record = { { 7 } };
    uint8_t junk[80] = { 1 };
    carnet_arena_init(&arena);
    find_epoch(CARNET_SCOPE_OPINION, &epoch, &box, &arena);
    /* the next node's identity is known beforehand, as that of a second node of somebody would be */
    struct world_node next = *world_stranger(&world);
    carnet_draft_change(draft, &record, NULL, CARNET_KIND_EPOCH);
    carnet_draft_box(draft, CARNET_SCOPE_IDENTITY, epoch.epoch, &next.id, carnet_slice(junk, sizeof junk));
    assert_int_equal(take(0, sign(&chain, draft)), CARNET_OK);
    size_t other = world_invite(&world, 0, "mairie2", CARNET_ROLE_OFFICE, 0);
    assert_memory_equal(world.nodes[other].id.b, next.id.b, sizeof next.id.b);
    assert_true(boxes_for(0, epoch.epoch, &world.nodes[other].id) == 2);
    carnet_draft_free(draft);
    carnet_arena_deinit(&arena);
}

/* --- rights --- */

static void nobody_replaces_what_he_may_not_write(void **state)
{
    (void)state;
    size_t volunteer = world_invite(&world, 0, "ana", CARNET_ROLE_VOLUNTEER, 0);
    struct carnet_id zoe = world_add(&world, 0, "sms", 0, CARNET_FIELD_PHONE, "+33639980012");
    struct chain chain = chain_of(volunteer, &world.book, CARNET_LOG_DATA);
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_arena arena;
    carnet_arena_init(&arena);
    world_meet(&world);
    struct carnet_record record = record_of(0, &world.book, &zoe, &arena);
    struct carnet_dot dots[8];
    size_t count = 0;
    for (size_t i = 0; i < record.live_count && count < 8; i++)
        dots[count++] = record.live[i].dot;
    assert_true(count > 0);
    /* before and after what it names: the order makes no difference */
    size_t late = world_invite(&world, 0, "bea", CARNET_ROLE_OFFICE, 0);
    (void)late;
    carnet_draft_change(draft, &zoe, &zoe, CARNET_KIND_CONTACT);
    put_cell(draft, CARNET_SCOPE_NOTES, true, dots, count);
    assert_int_equal(take(0, sign(&chain, draft)), CARNET_OK);
    assert_string_equal(world_value(&world, 0, &zoe, CARNET_FIELD_PHONE), "+33639980012");
    size_t last = world_invite(&world, 0, "cleo", CARNET_ROLE_OFFICE, 0); /* pulls in the order in which it came */
    world_pull(&world, last, 0);
    assert_string_equal(world_value(&world, last, &zoe, CARNET_FIELD_PHONE), "+33639980012");
    same(0, last);
    carnet_draft_free(draft);
    carnet_arena_deinit(&arena);
}

/* A refusal is answered by proof, and a canvasser has no mailbox. */
static void a_volunteer_claims_no_opt_in(void **state)
{
    (void)state;
    size_t volunteer = world_invite(&world, 0, "ana", CARNET_ROLE_VOLUNTEER, 0);
    struct carnet_id zoe = world_add(&world, 0, "sms", 0, CARNET_FIELD_PHONE, "+33639980012");
    const struct carnet_event no = { .type = CARNET_EVENT_WITHDRAW, .purpose = world_text("sms") };
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_arena arena;
    carnet_arena_init(&arena);
    world_event(&world, 0, &zoe, &no);
    assert_string_equal(world_value(&world, 0, &zoe, CARNET_FIELD_PHONE), "");
    struct carnet_record record = record_of(0, &world.book, &zoe, &arena);
    for (enum carnet_proof proof = CARNET_PROOF_NONE; proof <= CARNET_PROOF_INBOUND; proof++) {
        struct chain chain = chain_of(volunteer, &world.book, CARNET_LOG_DATA);
        struct carnet_event grant = { .type = CARNET_EVENT_GRANT, .purpose = world_text("sms"), .basis = CARNET_BASIS_CONSENT, .proof = proof };
        chain.incarnation += (uint32_t)proof;
        for (size_t i = 0; i < record.event_count; i++)
            if (carnet_event_peek(record.events[i].raw) == CARNET_EVENT_WITHDRAW)
                grant.names[grant.name_count++] = record.events[i].dot;
        assert_int_equal(grant.name_count, 1);
        carnet_draft_change(draft, &zoe, &zoe, CARNET_KIND_CONTACT);
        carnet_draft_event(draft, &grant);
        assert_int_equal(take(0, sign(&chain, draft)), proof > CARNET_PROOF_PAPER ? CARNET_REFUSED : CARNET_OK);
        assert_string_equal(world_value(&world, 0, &zoe, CARNET_FIELD_PHONE), "");
    }
    carnet_draft_free(draft);
    carnet_arena_deinit(&arena);
}

static const char *name_of(size_t node)
{
    static struct carnet_member member;
    struct carnet_err err = CARNET_ERR_INIT;
    assert_int_equal(carnet_replica_member(world.nodes[0].replica, &world.nodes[node].id, &member, &err), CARNET_OK);
    return member.member;
}

/* Whoever could take a name away could not be named when access is to be revoked. */
static void names_stay(void **state)
{
    (void)state;
    static const enum carnet_kind kinds[] = { CARNET_KIND_RECEIPT, CARNET_KIND_CERTIFICATE, CARNET_KIND_NODE, CARNET_KIND_EPOCH, (enum carnet_kind)9, (enum carnet_kind)60 };
    size_t ana = world_invite(&world, 0, "ana", CARNET_ROLE_VOLUNTEER, 0), office = world_invite(&world, 0, "antenne", CARNET_ROLE_OFFICE, 0);
    const size_t authors[] = { ana, office }, victims[] = { 0, ana, office };
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_arena arena;
    uint32_t incarnation = 1000;
    carnet_arena_init(&arena);
    for (size_t a = 0; a < 2; a++)
        for (size_t v = 0; v < 3; v++)
            for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
                struct carnet_record record = record_of(0, charter_of(0), &world.nodes[victims[v]].id, &arena);
                struct carnet_dot dots[8];
                size_t count = 0;
                for (size_t i = 0; i < record.live_count && count < 8; i++)
                    if (record.live[i].dot.author != carnet_id_head(&world.nodes[authors[a]].id))
                        dots[count++] = record.live[i].dot;
                const struct carnet_draft_cell cell = { .field = CARNET_FIELD_TEXT, .label = world_text("member"), .value = world_text("préfecture"), .replaces = dots,
                                                        .replace_count = count };
                struct chain chain = chain_of(authors[a], charter_of(0), CARNET_LOG_DATA);
                chain.incarnation = incarnation++;
                carnet_draft_change(draft, &world.nodes[victims[v]].id, NULL, kinds[k]);
                carnet_draft_cells(draft, CARNET_SCOPE_CLEAR, 0, 0, NULL, &cell, 1);
                assert_int_equal(take(0, sign(&chain, draft)), CARNET_REFUSED);
                assert_string_equal(name_of(0), "mairie");
                assert_string_equal(name_of(ana), "ana");
                assert_string_equal(name_of(office), "antenne");
            }
    carnet_draft_free(draft);
    carnet_arena_deinit(&arena);
}

/* A relay carries; it makes no records, and blocks none. */
static void a_relay_writes_nothing_about_anybody(void **state)
{
    (void)state;
    size_t relay = world_invite(&world, 0, "relais", CARNET_ROLE_RELAY, 0);
    struct carnet_id zoe = world_add(&world, 0, "sms", 0, CARNET_FIELD_PHONE, "+33639980012"), nobody = { { 9 } };
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_event alive = { .type = CARNET_EVENT_ALIVE, .ms = WORLD_MS };
    for (unsigned log = 0; log < 2; log++) {
        struct chain chain = chain_of(relay, &world.book, log);
        carnet_draft_change(draft, &nobody, &nobody, CARNET_KIND_CONTACT);
        assert_int_equal(take(0, sign(&chain, draft)), CARNET_REFUSED);
        chain = chain_of(relay, &world.book, log);
        carnet_draft_change(draft, &zoe, &zoe, (enum carnet_kind)9);
        assert_int_equal(take(0, sign(&chain, draft)), CARNET_REFUSED);
    }
    struct chain chain = chain_of(relay, charter_of(0), CARNET_LOG_DATA);
    carnet_draft_change(draft, &world.nodes[relay].id, NULL, CARNET_KIND_NODE);
    carnet_draft_event(draft, &alive);
    assert_int_equal(take(0, sign(&chain, draft)), CARNET_OK);
    carnet_draft_free(draft);
}

/* A seed is one of its scope: who reads one scope destroys nothing of another, and nobody takes a seed over. */
static void a_seed_belongs_to_its_scope(void **state)
{
    (void)state;
    size_t office = world_invite(&world, 0, "antenne", CARNET_ROLE_OFFICE, 1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_CONSENT);
    struct carnet_id zoe = world_add(&world, 0, "sms", 0, CARNET_FIELD_PHONE, "+33639980012");
    struct chain law = chain_of(office, &world.book, CARNET_LOG_LAW), data = chain_of(office, &world.book, CARNET_LOG_DATA);
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_arena arena;
    struct carnet_event dark = { .type = CARNET_EVENT_DARK, .scope = CARNET_SCOPE_IDENTITY };
    uint8_t bytes[16] = { 0 };
    carnet_arena_init(&arena);
    struct carnet_record record = record_of(0, &world.book, &zoe, &arena);
    for (size_t i = 0; i < record.seed_count; i++) {
        if (record.seeds[i].scope != CARNET_SCOPE_PHONE)
            continue;
        dark.seeds[dark.seed_count++] = record.seeds[i].id;
        memcpy(bytes, record.seeds[i].b, sizeof bytes);
    }
    assert_int_equal(dark.seed_count, 1);
    carnet_draft_change(draft, &zoe, &zoe, CARNET_KIND_CONTACT);
    carnet_draft_event(draft, &dark);
    assert_int_equal(take(0, sign(&law, draft)), CARNET_OK);
    assert_string_equal(world_value(&world, 0, &zoe, CARNET_FIELD_PHONE), "+33639980012");
    assert_int_equal(world_dark(&world, 0, &zoe), 0);
    carnet_draft_change(draft, &zoe, &zoe, CARNET_KIND_CONTACT);
    carnet_draft_seed(draft, CARNET_SCOPE_IDENTITY, bytes); /* as if it were known: its id is */
    assert_int_equal(take(0, sign(&data, draft)), CARNET_OK);
    record = record_of(0, &world.book, &zoe, &arena);
    assert_true(carnet_record_seed_live(&record, CARNET_SCOPE_PHONE) && carnet_record_seed_live(&record, CARNET_SCOPE_PHONE)->id == dark.seeds[0]);
    assert_string_equal(world_value(&world, 0, &zoe, CARNET_FIELD_PHONE), "+33639980012");
    carnet_draft_free(draft);
    carnet_arena_deinit(&arena);
}

/* --- clocks --- */

/* The 72 hours in which a withdrawal can be undone begin when this node learns of it, whatever the clock of its author says. */
static void an_old_date_does_not_shorten_the_time_to_undo(void **state)
{
    (void)state;
    size_t volunteer = world_invite(&world, 0, "ana", CARNET_ROLE_VOLUNTEER, 0);
    struct carnet_id zoe = world_add(&world, 0, "file", 0, CARNET_FIELD_GIVEN, "Zoé");
    const struct carnet_event no = { .type = CARNET_EVENT_WITHDRAW, .purpose = world_text("file") };
    struct chain chain = chain_of(volunteer, &world.book, CARNET_LOG_LAW);
    struct carnet_draft *draft = carnet_draft_new();
    world_upkeep(&world, 0, true);
    world_clock(&world, WORLD_MS + 10 * WORLD_DAY_MS);
    chain.ms = 1;
    carnet_draft_change(draft, &zoe, &zoe, CARNET_KIND_CONTACT);
    carnet_draft_event(draft, &no);
    assert_int_equal(take(0, sign(&chain, draft)), CARNET_OK);
    assert_string_equal(world_value(&world, 0, &zoe, CARNET_FIELD_GIVEN), "");
    world_upkeep(&world, 0, true);
    assert_int_equal(world_dark(&world, 0, &zoe), 0);
    world_clock(&world, WORLD_MS + 12 * WORLD_DAY_MS);
    world_upkeep(&world, 0, true);
    assert_int_equal(world_dark(&world, 0, &zoe), 0);
    world_clock(&world, WORLD_MS + 13 * WORLD_DAY_MS + WORLD_HOUR_MS);
    world_upkeep(&world, 0, true);
    assert_int_equal(world_dark(&world, 0, &zoe), 1u << CARNET_SCOPE_IDENTITY);
    carnet_draft_free(draft);
}

/* --- the same everywhere --- */

/* A cut that begins to count when a second certificate comes voids what is here already, as it keeps out what is not. */
static void a_cut_that_comes_to_count_counts_for_all(void **state)
{
    (void)state;
    size_t one = world_invite(&world, 0, "nord", CARNET_ROLE_OFFICE, 0), two = world_invite(&world, 0, "sud", CARNET_ROLE_OFFICE, 0);
    world_meet(&world);
    size_t volunteer = world_invite(&world, one, "ana", CARNET_ROLE_VOLUNTEER, 0);
    struct carnet_id zoe = world_add(&world, volunteer, "file", 0, CARNET_FIELD_GIVEN, "Zoé");
    struct chain chain = chain_of(two, charter_of(0), CARNET_LOG_DATA);
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_buf bytes;
    struct carnet_arena arena;
    struct carnet_sign_pk pk;
    struct carnet_sign_sk sk;
    carnet_arena_init(&arena);
    world_meet(&world);
    assert_string_equal(world_value(&world, 0, &zoe, CARNET_FIELD_GIVEN), "Zoé");
    carnet_sign_pair(world.nodes[two].identity.sign, &pk, &sk);
    const struct carnet_cert *first = carnet_authority_node(carnet_replica_authority(world.nodes[0].replica), &world.nodes[volunteer].id);
    struct carnet_cert second = *first, read;
    second.issuer = carnet_replica_self(world.nodes[two].replica)->hash;
    carnet_buf_init(&bytes, 4096);
    do {
        second.issued_ms++;
        carnet_buf_clear(&bytes);
        carnet_cert_sign(&second, &sk, &bytes);
        assert_int_equal(carnet_cert_decode(carnet_buf_slice(&bytes), &arena, &read), CARNET_OK);
    } while (carnet_id_compare(&read.hash, &first->hash) >= 0);
    const struct carnet_event cut = { .type = CARNET_EVENT_CUT, .other = world.nodes[volunteer].id, .bytes = world_text("\x80") };
    const struct carnet_event again = { .type = CARNET_EVENT_CERTIFICATE, .bytes = carnet_buf_slice(&bytes) };
    carnet_draft_change(draft, &world.nodes[volunteer].id, NULL, CARNET_KIND_CERTIFICATE);
    carnet_draft_event(draft, &cut);
    assert_int_equal(take(0, sign(&chain, draft)), CARNET_OK);
    carnet_draft_change(draft, &world.nodes[volunteer].id, NULL, CARNET_KIND_CERTIFICATE);
    carnet_draft_event(draft, &again);
    assert_int_equal(take(0, sign(&chain, draft)), CARNET_OK);
    size_t late = world_invite(&world, 0, "est", CARNET_ROLE_OFFICE, 0); /* has the charter before the data */
    same(0, late);
    carnet_draft_free(draft);
    carnet_buf_deinit(&bytes);
    carnet_arena_deinit(&arena);
}

/* Who says that a note is a contact, or about somebody else, makes no difference between nodes. What is in it is erased with its subject all the same. */
static void a_kind_that_changes_is_the_same_everywhere(void **state)
{
    (void)state;
    size_t volunteer = world_invite(&world, 0, "ana", CARNET_ROLE_VOLUNTEER, 0);
    struct carnet_id zoe = world_add(&world, 0, "profile", 0, CARNET_FIELD_GIVEN, "Zoé");
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_err err = CARNET_ERR_INIT;
    const struct carnet_event erase = { .type = CARNET_EVENT_ERASE };
    struct carnet_id notes[3];
    world_meet(&world);
    for (size_t i = 0; i < 3; i++) {
        const struct carnet_write_cell cell = { .field = CARNET_FIELD_TEXT, .value = world_text("aime les vélos") };
        struct carnet_write write = { .book = world.book, .record = carnet_replica_new_id(world.nodes[0].replica), .subject = zoe, .kind = CARNET_KIND_NOTE,
                                      .cells = &cell, .cell_count = 1, .fresh = true };
        struct carnet_write_result result = { 0 };
        assert_int_equal(carnet_replica_write(world.nodes[0].replica, &write, 1, false, &result, &err), CARNET_OK);
        notes[i] = write.record;
    }
    size_t early = world_invite(&world, 0, "nord", CARNET_ROLE_OFFICE, 0), late = world_invite(&world, 0, "sud", CARNET_ROLE_OFFICE, 0);
    struct chain chain = chain_of(volunteer, &world.book, CARNET_LOG_DATA);
    /* a note becomes a contact, another one is about the first, a fourth about the third */
    struct carnet_slice kept[3];
    struct carnet_arena arena;
    struct carnet_id fourth = { { 4 } };
    carnet_arena_init(&arena);
    carnet_draft_change(draft, &notes[0], &notes[0], CARNET_KIND_CONTACT);
    kept[0] = carnet_arena_dup(&arena, sign(&chain, draft));
    carnet_draft_change(draft, &notes[1], &notes[0], CARNET_KIND_NOTE);
    kept[1] = carnet_arena_dup(&arena, sign(&chain, draft));
    carnet_draft_change(draft, &fourth, &notes[2], CARNET_KIND_NOTE);
    put_cell(draft, CARNET_SCOPE_NOTES, true, NULL, 0);
    kept[2] = carnet_arena_dup(&arena, sign(&chain, draft));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(take(early, kept[i]), CARNET_OK);
    same(early, early);
    world_event(&world, 0, &zoe, &erase);
    world_pull(&world, early, 0);
    world_pull(&world, late, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(take(late, kept[i]), CARNET_OK);
        assert_int_equal(take(0, kept[i]), CARNET_OK);
    }
    same(0, late);
    same(0, early);
    assert_int_equal(world_parts(&world, early, &zoe), 0);
    assert_int_equal(world_parts(&world, late, &zoe), 0);
    carnet_draft_free(draft);
    carnet_arena_deinit(&arena);
}

/* --- too much --- */

/* The list of what stands of a node's logs fits one entry: nobody makes so many that he cannot be revoked. */
static void no_number_of_logs_keeps_access(void **state)
{
    (void)state;
    size_t volunteer = world_invite(&world, 0, "ana", CARNET_ROLE_VOLUNTEER, 0);
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_id press, nobody = { { 9 } };
    struct carnet_draft *draft = carnet_draft_new();
    size_t taken = 0;
    assert_int_equal(carnet_replica_book_add(world.nodes[0].replica, world_text("presse"), &press, &err), CARNET_OK);
    assert_int_equal(carnet_replica_begin(world.nodes[0].replica, &err), CARNET_OK);
    for (uint32_t i = 0; i < 300; i++) {
        const struct carnet_id *books[] = { &world.book, &press, charter_of(0) };
        for (size_t b = 0; b < 3; b++) {
            struct chain chain = chain_of(volunteer, books[b], CARNET_LOG_DATA);
            chain.incarnation = 1000 + i;
            carnet_draft_change(draft, b == 2 ? &world.nodes[volunteer].id : &nobody, b == 2 ? NULL : &nobody, b == 2 ? CARNET_KIND_NODE : CARNET_KIND_CONTACT);
            carnet_rc rc = take(0, sign(&chain, draft));
            assert_true(rc == CARNET_OK || rc == CARNET_LIMIT);
            taken += rc == CARNET_OK;
        }
    }
    assert_int_equal(carnet_replica_commit(world.nodes[0].replica, &err), CARNET_OK);
    assert_true(taken > 600 && taken < 900);
    if (carnet_replica_cut(world.nodes[0].replica, &world.nodes[volunteer].id, &err) != CARNET_OK)
        fail_msg("%s", err.what);
    assert_true(carnet_authority_is_cut(carnet_replica_authority(world.nodes[0].replica), &world.nodes[volunteer].id));
    carnet_draft_free(draft);
}

/* Of a person of more records than are followed, nobody knows whether one says no. */
static void a_person_without_end_is_blocked(void **state)
{
    (void)state;
    struct carnet_id zoe = world_add(&world, 0, "file", 0, CARNET_FIELD_GIVEN, "Zoé");
    assert_string_equal(world_value(&world, 0, &zoe, CARNET_FIELD_GIVEN), "Zoé");
    for (uint8_t i = 0; i < 70; i++) {
        const struct carnet_event edge = { .type = CARNET_EVENT_EDGE, .other = { { 1, i } }, .on = true };
        world_event(&world, 0, &zoe, &edge);
    }
    assert_string_equal(world_value(&world, 0, &zoe, CARNET_FIELD_GIVEN), "");
    same(0, 0);
}

/* A record grows no larger than what can be stored: the rest waits, refusals and erasures still pass. */
static void a_record_that_is_full_stops_nobody(void **state)
{
    (void)state;
    size_t volunteer = world_invite(&world, 0, "ana", CARNET_ROLE_VOLUNTEER, 0);
    struct carnet_id zoe = world_add(&world, 0, "file", 0, CARNET_FIELD_GIVEN, "Zoé");
    struct chain chain = chain_of(volunteer, &world.book, CARNET_LOG_DATA);
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_event grant = { .type = CARNET_EVENT_GRANT, .basis = CARNET_BASIS_CONSENT };
    const struct carnet_event no = { .type = CARNET_EVENT_WITHDRAW, .purpose = world_text("file") }, erase = { .type = CARNET_EVENT_ERASE };
    carnet_rc rc = CARNET_OK;
    assert_int_equal(carnet_replica_begin(world.nodes[0].replica, &err), CARNET_OK);
    for (size_t i = 0; i < 400 && rc == CARNET_OK; i++) {
        for (size_t change = 0; change < 8; change++) {
            carnet_draft_change(draft, &zoe, &zoe, CARNET_KIND_CONTACT);
            for (size_t j = 0; j < CARNET_CHANGE_EVENTS_MAX; j++) {
                grant.purpose = world_text("purposes are words that a newer version may know, whatever they b");
                grant.purpose.len = 64;
                grant.since_ms = (int64_t)(i * 1000 + j);
                carnet_draft_event(draft, &grant);
            }
        }
        rc = take(0, sign(&chain, draft));
    }
    assert_int_equal(rc, CARNET_LIMIT);
    assert_int_equal(carnet_replica_commit(world.nodes[0].replica, &err), CARNET_OK);
    world_event(&world, 0, &zoe, &no);
    assert_string_equal(world_value(&world, 0, &zoe, CARNET_FIELD_GIVEN), "");
    world_event(&world, 0, &zoe, &erase);
    assert_int_equal(world_parts(&world, 0, &zoe), 0);
    carnet_draft_free(draft);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_key_is_good_for_the_scope_it_was_made_for),
        T(a_box_by_who_does_not_read_keeps_nobody_out),
        T(nobody_replaces_what_he_may_not_write),
        T(a_volunteer_claims_no_opt_in),
        T(names_stay),
        T(a_relay_writes_nothing_about_anybody),
        T(a_seed_belongs_to_its_scope),
        T(an_old_date_does_not_shorten_the_time_to_undo),
        T(a_cut_that_comes_to_count_counts_for_all),
        T(a_kind_that_changes_is_the_same_everywhere),
        T(no_number_of_logs_keeps_access),
        T(a_person_without_end_is_blocked),
        T(a_record_that_is_full_stops_nobody),
    };
    return cmocka_run_group_tests_name("attack", tests, NULL, NULL);
}
