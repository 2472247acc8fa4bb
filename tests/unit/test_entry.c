// SPDX-License-Identifier: EUPL-1.2
#include "../support/log_world.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t seed_identity[16] = {1, 1, 1}, seed_email[16] = {2, 2, 2};

/* One entry with what entries hold: a contact with its grant, seeds and two scopes, a note about it, a mailing about
 * nobody. */
struct sample {
    struct log_world world;
    struct carnet_draft *draft;
    struct carnet_id contact, note, mailing;
    struct carnet_dot old[2];
    struct carnet_entry_header header;
    struct carnet_slice raw;
    struct carnet_entry entry;
};

static void draft_sample(struct sample *s)
{
    const struct carnet_id *book = &s->world.book;
    struct carnet_event grant = {.type = CARNET_EVENT_GRANT,
                                 .purpose = carnet_slice_str("newsletter"),
                                 .basis = CARNET_BASIS_CONSENT,
                                 .proof = CARNET_PROOF_PAPER,
                                 .since_ms = LOG_WORLD_MS};
    carnet_draft_change(s->draft, &s->contact, &s->contact, CARNET_KIND_CONTACT);
    carnet_draft_event(s->draft, &grant);
    carnet_draft_seed(s->draft, CARNET_SCOPE_IDENTITY, seed_identity);
    carnet_draft_seed(s->draft, CARNET_SCOPE_EMAIL, seed_email);
    log_draft_cell(&s->world, s->draft, book, &s->contact, CARNET_SCOPE_IDENTITY, seed_identity, CARNET_FIELD_GIVEN,
                   "Zoé", NULL, 0);
    log_draft_cell(&s->world, s->draft, book, &s->contact, CARNET_SCOPE_EMAIL, seed_email, CARNET_FIELD_EMAIL,
                   "zoe@example.org", s->old, 2);
    carnet_draft_change(s->draft, &s->note, &s->contact, CARNET_KIND_NOTE);
    log_draft_cell(&s->world, s->draft, book, &s->contact, CARNET_SCOPE_IDENTITY, seed_identity, CARNET_FIELD_TEXT,
                   "Préfère le soir", NULL, 0);
    carnet_draft_change(s->draft, &s->mailing, NULL, CARNET_KIND_MAILING);
    log_draft_cell(&s->world, s->draft, book, NULL, CARNET_SCOPE_NOTES, NULL, CARNET_FIELD_TEXT, "Lettre d’automne",
                   NULL, 0);
}

static int setup(void **state)
{
    struct sample *s = carnet_alloc(sizeof *s);
    if (carnet_crypto_init(NULL) != CARNET_OK)
        return -1;
    log_world_init(&s->world);
    s->draft = carnet_draft_new();
    s->contact = log_id(0xc0);
    s->note = log_id(0xc1);
    s->mailing = log_id(0xc2);
    s->old[0] = (struct carnet_dot){.author = 7, .seq = 3, .stream = 2, .index = 64};
    s->old[1] = (struct carnet_dot){.author = 8, .seq = 1, .stream = 0, .index = 320};
    s->header = log_header(&s->world, &s->world.office, &s->world.book, CARNET_LOG_DATA, 12);
    draft_sample(s);
    s->raw = log_sign(&s->world, s->draft, &s->header, &s->world.office);
    log_decode(&s->world, s->raw, &s->entry);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct sample *s = *state;
    carnet_draft_free(s->draft);
    log_world_deinit(&s->world);
    free(s);
    return 0;
}

static bool nothing(void *ctx, const struct carnet_change *change, const struct carnet_part *part)
{
    (void)ctx;
    (void)change;
    (void)part;
    return false;
}

static bool everything(void *ctx, const struct carnet_change *change, const struct carnet_part *part)
{
    return !nothing(ctx, change, part);
}

static carnet_rc decode(struct carnet_slice raw)
{
    struct carnet_arena arena;
    struct carnet_entry entry;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_entry_decode(raw, &arena, &entry);
    carnet_arena_deinit(&arena);
    return rc;
}

static void what_is_signed_is_read(void **state)
{
    struct sample *s = *state;
    const struct carnet_entry *e = &s->entry;
    struct carnet_entry_header peeked;
    struct carnet_hash hash;
    assert_int_equal(carnet_entry_verify(e, &s->world.office.pk), CARNET_OK);
    assert_int_equal(carnet_entry_verify(e, &s->world.admin.pk), CARNET_MALFORMED);
    assert_int_equal(carnet_entry_peek(s->raw, &peeked, &hash), CARNET_OK);
    assert_memory_equal(hash.b, e->hash.b, sizeof hash.b);
    assert_int_equal(peeked.seq, 12);
    assert_int_equal(e->header.seq, 12);
    assert_int_equal(e->header.incarnation, 1);
    assert_int_equal(e->header.hlc, s->header.hlc);
    assert_memory_equal(e->header.prev.b, s->header.prev.b, 32);
    assert_true(carnet_id_equal(&e->header.author, &s->world.office.id));
    assert_true(carnet_id_equal(&e->header.cert, &s->world.office.cert.hash));
    assert_int_equal(carnet_entry_stream(&e->header), 2);
    assert_int_equal(e->change_count, 3);
    assert_int_equal(e->changes[0].event_count, 1);
    assert_int_equal(e->changes[0].part_count, 4);
    assert_int_equal(e->changes[0].parts[2].place, 0);
    assert_int_equal(e->changes[0].parts[3].place, 1);
    assert_int_equal(e->changes[1].kind, CARNET_KIND_NOTE);
    assert_true(carnet_id_equal(&e->changes[1].subject, &s->contact));
    assert_true(carnet_id_is_zero(&e->changes[2].subject));
    struct carnet_buf again;
    carnet_buf_init(&again, CARNET_ENTRY_LEN_MAX);
    carnet_entry_strip(e, everything, NULL, &again);
    assert_true(carnet_slice_equal(carnet_buf_slice(&again), s->raw));
    carnet_buf_deinit(&again);
}

static void the_same_draft_gives_the_same_bytes(void **state)
{
    struct sample *s = *state;
    draft_sample(s);
    assert_true(carnet_slice_equal(log_sign(&s->world, s->draft, &s->header, &s->world.office), s->raw));
}

static void a_delta_holds_what_the_change_brought(void **state)
{
    struct sample *s = *state;
    struct carnet_opener opener = {.key = log_key, .wanted = CARNET_SCOPES_ALL};
    struct carnet_record delta;
    carnet_record_init(&delta);
    carnet_entry_delta(&s->entry, 0, &opener, &s->world.arena, &delta);
    assert_true(carnet_id_equal(&delta.id, &s->contact));
    assert_int_equal(delta.kind, CARNET_KIND_CONTACT);
    assert_int_equal(delta.hlc_first, s->header.hlc);
    assert_int_equal(delta.event_count, 1);
    assert_int_equal(delta.events[0].dot.index, 0);
    assert_int_equal(delta.seed_count, 2);
    assert_true(delta.seeds[0].held && delta.seeds[1].held);
    assert_int_equal(delta.replaced_count, 2);
    assert_int_equal(delta.live_count, 2);
    const struct carnet_sibling *given = &delta.live[0], *email = &delta.live[1];
    assert_int_equal(given->state, CARNET_SIBLING_VALUE);
    assert_int_equal(given->dot.index, 64);
    assert_int_equal(given->dot.seq, 12);
    assert_int_equal(given->dot.stream, 2);
    assert_int_equal(given->dot.author, carnet_id_head(&s->world.office.id));
    assert_int_equal(given->field, CARNET_FIELD_GIVEN);
    assert_true(carnet_slice_equal(given->value, carnet_slice_str("Zoé")));
    assert_int_equal(given->seed, carnet_seed_id(seed_identity));
    assert_int_equal(email->dot.index, 65);
    assert_true(carnet_slice_equal(email->value, carnet_slice_str("zoe@example.org")));
    carnet_record_deinit(&delta);

    carnet_record_init(&delta);
    opener.ctx = (void *)(uintptr_t)seed_identity;
    carnet_entry_delta(&s->entry, 1, &opener, &s->world.arena, &delta);
    assert_int_equal(delta.live[0].state, CARNET_SIBLING_VALUE);
    assert_int_equal(delta.live[0].dot.index, 256 + 64);
    carnet_record_deinit(&delta);

    carnet_record_init(&delta);
    opener.ctx = NULL; /* the contact's seed is not known */
    carnet_entry_delta(&s->entry, 1, &opener, &s->world.arena, &delta);
    assert_int_equal(delta.live[0].state, CARNET_SIBLING_LOCKED);
    carnet_record_deinit(&delta);

    carnet_record_init(&delta);
    carnet_entry_delta(&s->entry, 2, &opener, &s->world.arena, &delta);
    assert_int_equal(delta.live[0].state, CARNET_SIBLING_VALUE);
    assert_true(carnet_id_is_zero(&delta.subject));
    carnet_record_deinit(&delta);
}

static void parts_can_be_left_out_and_come_back(void **state)
{
    struct sample *s = *state;
    struct carnet_buf bare, filled;
    struct carnet_entry stripped, other;
    carnet_buf_init(&bare, CARNET_ENTRY_LEN_MAX);
    carnet_buf_init(&filled, CARNET_ENTRY_LEN_MAX);
    carnet_entry_strip(&s->entry, nothing, NULL, &bare);
    assert_true(bare.len < s->raw.len);
    log_decode(&s->world, carnet_buf_slice(&bare), &stripped);
    assert_memory_equal(stripped.hash.b, s->entry.hash.b, 32);
    assert_int_equal(carnet_entry_verify(&stripped, &s->world.office.pk), CARNET_OK);
    struct carnet_opener opener = {.key = log_key, .wanted = 1u << CARNET_SCOPE_EMAIL};
    struct carnet_record delta;
    carnet_record_init(&delta);
    carnet_entry_delta(&stripped, 0, &opener, &s->world.arena, &delta);
    assert_int_equal(delta.live_count,
                     2); /* cells are counted without their values, and what they replaced stays replaced */
    assert_int_equal(delta.replaced_count, 2);
    assert_int_equal(delta.live[0].state, CARNET_SIBLING_LOCKED);
    assert_int_equal(delta.live[1].state, CARNET_SIBLING_MISSING);
    assert_false(delta.seeds[0].held);
    carnet_record_deinit(&delta);
    assert_true(carnet_entry_fill(&stripped, &s->entry, &filled));
    assert_true(carnet_slice_equal(carnet_buf_slice(&filled), s->raw));
    carnet_buf_clear(&filled);
    assert_false(carnet_entry_fill(&s->entry, &stripped, &filled));
    assert_true(carnet_slice_equal(carnet_buf_slice(&filled), s->raw));
    carnet_buf_clear(&filled);
    s->header.seq = 13; /* another entry of the same shape gives nothing */
    draft_sample(s);
    log_decode(&s->world, log_sign(&s->world, s->draft, &s->header, &s->world.office), &other);
    assert_false(carnet_entry_fill(&stripped, &other, &filled));
    assert_true(carnet_slice_equal(carnet_buf_slice(&filled), carnet_buf_slice(&bare)));
    carnet_buf_deinit(&bare);
    carnet_buf_deinit(&filled);
}

static void no_truncation_passes(void **state)
{
    struct sample *s = *state;
    for (size_t len = 0; len < s->raw.len; len++) {
        uint8_t *exact = carnet_alloc(len); /* so that a sanitizer sees a byte too many */
        memcpy(exact, s->raw.ptr, len);
        assert_int_equal(decode(carnet_slice(exact, len)), CARNET_MALFORMED);
        free(exact);
    }
    uint8_t *longer = carnet_alloc(s->raw.len + 1);
    memcpy(longer, s->raw.ptr, s->raw.len);
    assert_int_equal(decode(carnet_slice(longer, s->raw.len + 1)), CARNET_MALFORMED);
    free(longer);
}

static void no_flipped_bit_passes(void **state)
{
    struct sample *s = *state;
    uint8_t *copy = carnet_alloc(s->raw.len);
    memcpy(copy, s->raw.ptr, s->raw.len);
    for (size_t bit = 0; bit < s->raw.len * 8; bit++) {
        struct carnet_arena arena;
        struct carnet_entry entry;
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        carnet_arena_init(&arena);
        carnet_rc rc = carnet_entry_decode(carnet_slice(copy, s->raw.len), &arena, &entry);
        if (rc == CARNET_OK)
            rc = carnet_entry_verify(&entry, &s->world.office.pk);
        assert_int_not_equal(rc, CARNET_OK);
        carnet_arena_deinit(&arena);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(decode(carnet_slice(copy, s->raw.len)), CARNET_OK);
    free(copy);
}

/* The key stays the right one whatever is swapped: what remains is the associated data. */
static bool right_key(void *ctx, const struct carnet_entry_header *header, const struct carnet_change *change,
                      const struct carnet_part *part, struct carnet_key *out)
{
    (void)header;
    (void)change;
    (void)part;
    *out = *(const struct carnet_key *)ctx;
    return true;
}

static enum carnet_sibling_state state_of_note(struct sample *s, size_t change)
{
    struct carnet_key epoch = log_epoch_key(CARNET_SCOPE_IDENTITY);
    struct carnet_key key =
        carnet_part_key(&epoch, &s->world.community, &s->world.book, &s->contact, CARNET_SCOPE_IDENTITY, seed_identity);
    struct carnet_opener opener = {.ctx = &key, .key = right_key};
    struct carnet_record delta;
    carnet_record_init(&delta);
    carnet_entry_delta(&s->entry, change, &opener, &s->world.arena, &delta);
    enum carnet_sibling_state state = delta.live[0].state;
    carnet_record_deinit(&delta);
    return state;
}

#define SWAPPED(name, statement)                                                                                       \
    static void a_part_does_not_open_under_another_##name(void **state)                                                \
    {                                                                                                                  \
        struct sample *s = *state;                                                                                     \
        size_t change = 1;                                                                                             \
        struct carnet_entry_header *header = &s->entry.header;                                                         \
        struct carnet_change *note = &s->entry.changes[1];                                                             \
        assert_int_equal(state_of_note(s, change), CARNET_SIBLING_VALUE);                                              \
        statement;                                                                                                     \
        (void)header;                                                                                                  \
        (void)note;                                                                                                    \
        assert_int_equal(state_of_note(s, change), CARNET_SIBLING_LOCKED);                                             \
    }
SWAPPED(community, header->community.b[3] ^= 1)
SWAPPED(book, header->book.b[3] ^= 1)
SWAPPED(author, header->author.b[15] ^= 1)
SWAPPED(incarnation, header->incarnation++)
SWAPPED(seq, header->seq++)
SWAPPED(change_index, s->entry.changes[2] = *note; change = 2)
SWAPPED(record, note->record.b[3] ^= 1)
SWAPPED(subject, note->subject.b[3] ^= 1)
SWAPPED(nobody, note->subject = log_id(0))
SWAPPED(scope, note->parts[0].scope = CARNET_SCOPE_EMAIL)
SWAPPED(epoch, note->parts[0].epoch++)
SWAPPED(seed, note->parts[0].seed++)

static void a_key_is_of_one_subject_scope_book_seed_and_epoch(void **state)
{
    struct sample *s = *state;
    struct carnet_key epoch = log_epoch_key(CARNET_SCOPE_IDENTITY), other = log_epoch_key(CARNET_SCOPE_EMAIL);
    const struct log_world *w = &s->world;
    struct carnet_key keys[] = {
        carnet_part_key(&epoch, &w->community, &w->book, &s->contact, CARNET_SCOPE_IDENTITY, seed_identity),
        carnet_part_key(&other, &w->community, &w->book, &s->contact, CARNET_SCOPE_IDENTITY, seed_identity),
        carnet_part_key(&epoch, &w->book, &w->book, &s->contact, CARNET_SCOPE_IDENTITY, seed_identity),
        carnet_part_key(&epoch, &w->community, &w->community, &s->contact, CARNET_SCOPE_IDENTITY, seed_identity),
        carnet_part_key(&epoch, &w->community, &w->book, &s->note, CARNET_SCOPE_IDENTITY, seed_identity),
        carnet_part_key(&epoch, &w->community, &w->book, &s->contact, CARNET_SCOPE_EMAIL, seed_identity),
        carnet_part_key(&epoch, &w->community, &w->book, &s->contact, CARNET_SCOPE_IDENTITY, seed_email),
        carnet_part_key(&epoch, &w->community, &w->book, &s->contact, CARNET_SCOPE_IDENTITY, NULL),
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(keys[i].b, keys[j].b, sizeof keys[i].b);
}

/* --- bounds --- */

static carnet_rc sign(struct sample *s, struct carnet_buf *out)
{
    struct carnet_hash hash;
    out->len = 0;
    size_t bound = carnet_draft_size(s->draft);
    carnet_rc rc = carnet_draft_sign(s->draft, &s->header, &s->world.office.sk, out, &hash);
    if (rc == CARNET_OK)
        assert_true(out->len <= bound && bound < out->len + 1000 + 60 * carnet_draft_change_count(s->draft));
    carnet_draft_clear(s->draft);
    return rc;
}

static carnet_rc sign_changes(struct sample *s, size_t changes, size_t events, size_t parts, struct carnet_buf *out)
{
    struct carnet_event event = {.type = CARNET_EVENT_RESTRICT};
    for (size_t i = 0; i < changes; i++) {
        carnet_draft_change(s->draft, &s->contact, &s->contact, CARNET_KIND_CONTACT);
        for (size_t j = 0; j < events; j++)
            carnet_draft_event(s->draft, &event);
        for (size_t j = 0; j < parts; j++)
            carnet_draft_seed(s->draft, CARNET_SCOPE_EMAIL, seed_email);
    }
    return sign(s, out);
}

static carnet_rc sign_cells(struct sample *s, size_t first, size_t second, const char *value, struct carnet_buf *out)
{
    static struct carnet_draft_cell cells[200];
    struct carnet_key key = {{1}};
    for (size_t i = 0; i < 200; i++)
        cells[i] = (struct carnet_draft_cell){.field = CARNET_FIELD_GIVEN, .value = carnet_slice_str(value)};
    carnet_draft_change(s->draft, &s->contact, &s->contact, CARNET_KIND_CONTACT);
    carnet_draft_cells(s->draft, CARNET_SCOPE_IDENTITY, 1, 1, &key, cells, first);
    if (second)
        carnet_draft_cells(s->draft, CARNET_SCOPE_IDENTITY, 1, 1, &key, cells, second);
    return sign(s, out);
}

static void an_entry_keeps_to_its_bounds(void **state)
{
    struct sample *s = *state;
    struct carnet_buf out;
    carnet_buf_init(&out, 2 * CARNET_ENTRY_LEN_MAX);
    assert_int_equal(sign_changes(s, 256, 0, 0, &out), CARNET_OK);
    assert_int_equal(decode(carnet_buf_slice(&out)), CARNET_OK);
    assert_int_equal(sign_changes(s, 257, 0, 0, &out), CARNET_LIMIT);
    assert_int_equal(sign_changes(s, 1, 64, 0, &out), CARNET_OK);
    assert_int_equal(decode(carnet_buf_slice(&out)), CARNET_OK);
    assert_int_equal(sign_changes(s, 1, 65, 0, &out), CARNET_LIMIT);
    assert_int_equal(sign_changes(s, 1, 0, 24, &out), CARNET_OK);
    assert_int_equal(decode(carnet_buf_slice(&out)), CARNET_OK);
    assert_int_equal(sign_changes(s, 1, 0, 25, &out), CARNET_LIMIT);
    assert_int_equal(sign_cells(s, 128, 64, "", &out), CARNET_OK);
    assert_int_equal(decode(carnet_buf_slice(&out)), CARNET_OK);
    assert_int_equal(sign_cells(s, 129, 0, "", &out), CARNET_LIMIT);
    assert_int_equal(sign_cells(s, 128, 65, "", &out), CARNET_LIMIT);
    char *value = carnet_alloc(CARNET_VALUE_LEN_MAX + 2);
    memset(value, 'a', CARNET_VALUE_LEN_MAX + 1);
    assert_int_equal(sign_cells(s, 1, 0, value, &out), CARNET_LIMIT);
    value[CARNET_VALUE_LEN_MAX] = 0;
    assert_int_equal(sign_cells(s, 1, 0, value, &out), CARNET_OK);
    assert_int_equal(decode(carnet_buf_slice(&out)), CARNET_OK);
    assert_int_equal(sign_cells(s, 3, 0, value, &out), CARNET_LIMIT);
    assert_int_equal(out.len, 0);
    free(value);
    struct carnet_dot dots[65];
    for (size_t i = 0; i < 65; i++)
        dots[i] = s->old[0];
    carnet_draft_change(s->draft, &s->contact, &s->contact, CARNET_KIND_CONTACT);
    log_draft_cell(&s->world, s->draft, &s->world.book, &s->contact, CARNET_SCOPE_EMAIL, seed_email, CARNET_FIELD_EMAIL,
                   "", dots, 64);
    assert_int_equal(sign(s, &out), CARNET_OK);
    assert_int_equal(decode(carnet_buf_slice(&out)), CARNET_OK);
    carnet_draft_change(s->draft, &s->contact, &s->contact, CARNET_KIND_CONTACT);
    log_draft_cell(&s->world, s->draft, &s->world.book, &s->contact, CARNET_SCOPE_EMAIL, seed_email, CARNET_FIELD_EMAIL,
                   "", dots, 65);
    assert_int_equal(sign(s, &out), CARNET_LIMIT);
    carnet_buf_deinit(&out);
}

/* The largest entry to the byte: a size that the writer refuses one byte later, as does the reader. */
static void an_entry_is_48_kib_at_most(void **state)
{
    struct sample *s = *state;
    struct carnet_buf out;
    carnet_buf_init(&out, 2 * CARNET_ENTRY_LEN_MAX);
    char *value = carnet_alloc(CARNET_VALUE_LEN_MAX + 1);
    memset(value, 'a', CARNET_VALUE_LEN_MAX);
    struct carnet_draft_cell cell = {.field = CARNET_FIELD_GIVEN, .value = carnet_slice(value, CARNET_VALUE_LEN_MAX)};
    size_t largest = 0, last = 0;
    for (size_t len = CARNET_VALUE_LEN_MAX - 1200; len <= CARNET_VALUE_LEN_MAX; len++) {
        carnet_draft_change(s->draft, &s->contact, NULL, CARNET_KIND_BOOK);
        for (int i = 0; i < 3; i++) {
            cell.value.len = i ? CARNET_VALUE_LEN_MAX : len;
            carnet_draft_cells(s->draft, CARNET_SCOPE_CLEAR, 0, 0, NULL, &cell, 1);
        }
        carnet_rc rc = sign(s, &out);
        assert_int_equal(rc, largest ? CARNET_LIMIT : rc);
        if (rc == CARNET_LIMIT && !largest)
            largest = last;
        else if (rc == CARNET_OK)
            last = out.len;
    }
    assert_int_equal(largest, CARNET_ENTRY_LEN_MAX);
    uint8_t *big = carnet_alloc(CARNET_ENTRY_LEN_MAX + 1);
    assert_int_equal(decode(carnet_slice(big, CARNET_ENTRY_LEN_MAX + 1)), CARNET_LIMIT);
    free(big);
    free(value);
    carnet_buf_deinit(&out);
}

/* --- leaves made by hand --- */

static void put_head(struct carnet_buf *leaf, uint64_t type, uint64_t scope, uint64_t seed, uint64_t epoch,
                     struct carnet_slice body)
{
    struct carnet_hash hash = carnet_hash_of("carnet/1/part/hash", body);
    carnet_cbor_put_array(leaf, 6);
    carnet_cbor_put_uint(leaf, type);
    carnet_cbor_put_uint(leaf, scope);
    carnet_cbor_put_uint(leaf, seed);
    carnet_cbor_put_uint(leaf, epoch);
    carnet_cbor_put_hash(leaf, &hash);
}

/* A contact with one part whose plaintext, or whose bytes, are what the test wants. */
static void craft_part(struct sample *s, enum carnet_part_type type, struct carnet_slice body, size_t cells,
                       uint64_t seed, struct carnet_entry *out)
{
    struct carnet_buf leaf, list;
    carnet_buf_init(&leaf, 10000);
    carnet_buf_init(&list, 10000);
    carnet_cbor_put_array(&leaf, 5);
    carnet_cbor_put_id(&leaf, &s->contact);
    carnet_cbor_put_id(&leaf, &s->contact);
    carnet_cbor_put_uint(&leaf, CARNET_KIND_CONTACT);
    carnet_cbor_put_array(&leaf, 0);
    carnet_cbor_put_array(&leaf, 1);
    put_head(&leaf, type, CARNET_SCOPE_IDENTITY, seed,
             type == CARNET_PART_SEALED ? log_epoch_id(CARNET_SCOPE_IDENTITY) : 0, body);
    carnet_cbor_put_array(&leaf, cells);
    for (size_t i = 0; i < cells; i++)
        carnet_cbor_put_array(&leaf, 0);
    carnet_cbor_put_array(&list, 1);
    carnet_cbor_put_bytes(&list, body);
    struct carnet_slice leaves[] = {carnet_buf_slice(&leaf)}, bodies[] = {carnet_buf_slice(&list)};
    log_decode(&s->world, log_craft(&s->world, &s->header, &s->world.office, leaves, bodies, 1), out);
    carnet_buf_deinit(&leaf);
    carnet_buf_deinit(&list);
}

static enum carnet_sibling_state state_of(struct sample *s, const struct carnet_entry *entry)
{
    struct carnet_opener opener = {
        .ctx = (void *)(uintptr_t)seed_identity, .key = log_key, .wanted = CARNET_SCOPES_ALL};
    struct carnet_record delta;
    carnet_record_init(&delta);
    carnet_entry_delta(entry, 0, &opener, &s->world.arena, &delta);
    enum carnet_sibling_state state = delta.live_count ? delta.live[0].state : CARNET_SIBLING_MISSING;
    carnet_record_deinit(&delta);
    return state;
}

static enum carnet_sibling_state state_of_plain(struct sample *s, const char *hex, size_t cells)
{
    uint8_t plain[200];
    size_t len = strlen(hex) / 2;
    assert_true(carnet_unhex(carnet_slice_str(hex), plain, len));
    struct carnet_key epoch = log_epoch_key(CARNET_SCOPE_IDENTITY);
    struct carnet_key key =
        carnet_part_key(&epoch, &s->world.community, &s->world.book, &s->contact, CARNET_SCOPE_IDENTITY, seed_identity);
    struct carnet_part part = {.scope = CARNET_SCOPE_IDENTITY,
                               .seed = carnet_seed_id(seed_identity),
                               .epoch = log_epoch_id(CARNET_SCOPE_IDENTITY)};
    struct carnet_buf ad, body;
    struct carnet_entry entry;
    carnet_buf_init(&ad, 1000);
    carnet_buf_init(&body, 1000);
    carnet_part_ad(&s->header, 0, &s->contact, &s->contact, &part, &ad);
    carnet_seal(&key, carnet_buf_slice(&ad), carnet_slice(plain, len), &body);
    craft_part(s, CARNET_PART_SEALED, carnet_buf_slice(&body), cells, part.seed, &entry);
    carnet_buf_deinit(&ad);
    carnet_buf_deinit(&body);
    return state_of(s, &entry);
}

static void what_a_part_says_never_refuses_the_entry(void **state)
{
    struct sample *s = *state;
    assert_int_equal(state_of_plain(s, "81830260615a", 1), CARNET_SIBLING_VALUE);
    assert_int_equal(state_of_plain(s, "81830260615a00", 1), CARNET_SIBLING_LOCKED);
    assert_int_equal(state_of_plain(s, "81830260615a", 2), CARNET_SIBLING_LOCKED);
    assert_int_equal(state_of_plain(s, "8183026061", 1), CARNET_SIBLING_LOCKED);
    assert_int_equal(state_of_plain(s, "81830260415a", 1), CARNET_SIBLING_LOCKED); /* bytes for text */
    assert_int_equal(state_of_plain(s, "81830060615a", 1), CARNET_SIBLING_LOCKED); /* field 0 */
    assert_int_equal(state_of_plain(s, "", 1), CARNET_SIBLING_LOCKED);
    struct carnet_entry entry;
    uint8_t bytes[17] = {9};
    craft_part(s, CARNET_PART_SEALED, carnet_slice(bytes, 7), 1, 1, &entry);
    assert_int_equal(state_of(s, &entry), CARNET_SIBLING_LOCKED);
    for (size_t len = 0; len <= sizeof bytes; len++) { /* a seed of another length, or not the one that is named */
        struct carnet_opener opener = {0};
        struct carnet_record delta;
        bool right = len == 16;
        craft_part(s, CARNET_PART_SEED, carnet_slice(bytes, len), 0, right ? carnet_seed_id(bytes) : 77, &entry);
        carnet_record_init(&delta);
        carnet_entry_delta(&entry, 0, &opener, &s->world.arena, &delta);
        assert_int_equal(delta.seed_count, 1);
        assert_int_equal(delta.seeds[0].held, right);
        carnet_record_deinit(&delta);
    }
}

static void what_a_newer_version_wrote_is_kept(void **state)
{
    struct sample *s = *state;
    struct carnet_buf leaf;
    carnet_buf_init(&leaf, 1000);
    carnet_cbor_put_array(&leaf, 5);
    carnet_cbor_put_id(&leaf, &s->note);
    carnet_cbor_put_null(&leaf);
    carnet_cbor_put_uint(&leaf, 25); /* a kind */
    carnet_cbor_put_array(&leaf, 1);
    carnet_cbor_put_array(&leaf, 2);
    carnet_cbor_put_uint(&leaf, 999); /* an event */
    carnet_cbor_put_bool(&leaf, true);
    carnet_cbor_put_array(&leaf, 0);
    static const uint8_t empty[] = {0x80};
    struct carnet_slice leaves[] = {carnet_buf_slice(&leaf)}, bodies[] = {carnet_slice(empty, 1)};
    struct carnet_entry entry;
    log_decode(&s->world, log_craft(&s->world, &s->header, &s->world.office, leaves, bodies, 1), &entry);
    assert_int_equal(entry.changes[0].kind, 25);
    assert_int_equal(carnet_authority_check(s->world.authority, &entry, NULL), CARNET_OK);
    struct carnet_opener opener = {0};
    struct carnet_record delta;
    carnet_record_init(&delta);
    carnet_entry_delta(&entry, 0, &opener, &s->world.arena, &delta);
    assert_int_equal(delta.event_count, 1);
    carnet_record_deinit(&delta);
    carnet_buf_deinit(&leaf);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_signed_is_read),
        T(the_same_draft_gives_the_same_bytes),
        T(a_delta_holds_what_the_change_brought),
        T(parts_can_be_left_out_and_come_back),
        T(no_truncation_passes),
        T(no_flipped_bit_passes),
        T(a_part_does_not_open_under_another_community),
        T(a_part_does_not_open_under_another_book),
        T(a_part_does_not_open_under_another_author),
        T(a_part_does_not_open_under_another_incarnation),
        T(a_part_does_not_open_under_another_seq),
        T(a_part_does_not_open_under_another_change_index),
        T(a_part_does_not_open_under_another_record),
        T(a_part_does_not_open_under_another_subject),
        T(a_part_does_not_open_under_another_nobody),
        T(a_part_does_not_open_under_another_scope),
        T(a_part_does_not_open_under_another_epoch),
        T(a_part_does_not_open_under_another_seed),
        T(a_key_is_of_one_subject_scope_book_seed_and_epoch),
        T(an_entry_keeps_to_its_bounds),
        T(an_entry_is_48_kib_at_most),
        T(what_a_part_says_never_refuses_the_entry),
        T(what_a_newer_version_wrote_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
