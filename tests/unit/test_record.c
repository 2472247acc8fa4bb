// SPDX-License-Identifier: EUPL-1.2
/* The laws of merging, on changes drawn from seeds: any dots, contexts that may come before their targets, lying clocks. */
#include "carnet/model/record.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVERY_SCOPE ((1u << CARNET_SCOPE_COUNT) - 1)
enum { CHANGES = 6, RUNS = 1500, PACK_LEN_MAX = 1 << 20 };

static struct carnet_arena arena;
static uint64_t random_state;

static uint64_t draw(uint64_t below) /* splitmix64 */
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % below;
}

static const struct carnet_id contact = { .b = { 1, 2, 3, 4, 5, 6, 7, 8, 9 } };

static struct carnet_record blank(void)
{
    struct carnet_record record;
    carnet_record_init(&record);
    record.id = record.subject = contact;
    record.kind = CARNET_KIND_CONTACT;
    return record;
}

static struct carnet_dot cell_dot(unsigned change, unsigned place)
{
    return (struct carnet_dot){ .author = UINT64_C(0xa000000000000000) + change % 3, .stream = change % 2, .seq = change / 3 + 1,
                                .index = CARNET_DOT_CELLS + place };
}

static struct carnet_dot event_dot(unsigned change, unsigned place)
{
    struct carnet_dot dot = cell_dot(change, 0);
    dot.index = place;
    return dot;
}

/* A clock that may be wrong by thousands of years. */
static uint64_t draw_hlc(void)
{
    return draw(3) == 0 ? draw(UINT64_MAX - 1) + 1 : (UINT64_C(1764000000000) << 16) + draw(100);
}

static struct carnet_seed seed_of(uint64_t id)
{
    struct carnet_seed seed = { .id = id, .scope = (enum carnet_scope)(id % CARNET_SCOPE_COUNT), .held = true };
    memset(seed.b, (int)id, sizeof seed.b);
    return seed;
}

static void add_event(struct carnet_record *record, const struct carnet_event *event, struct carnet_dot dot, uint64_t hlc)
{
    struct carnet_buf raw;
    carnet_buf_init(&raw, 8192);
    carnet_event_encode(event, &raw);
    const struct carnet_event_item item = { .dot = dot, .hlc = hlc, .raw = carnet_arena_dup(&arena, carnet_buf_slice(&raw)) };
    carnet_record_add_event(record, &item);
    carnet_buf_deinit(&raw);
}

static void add_value(struct carnet_record *record, struct carnet_dot dot, uint64_t hlc, uint32_t field, const char *label,
                      const char *value)
{
    const struct carnet_sibling sibling = { .dot = dot, .hlc = hlc, .scope = carnet_field_by_number(NULL, field)->scope,
                                            .state = CARNET_SIBLING_VALUE, .field = field, .label = carnet_slice_str(label),
                                            .value = carnet_slice_str(value) };
    carnet_record_add_sibling(record, &sibling);
}

static void draw_event(struct carnet_record *record, unsigned change, unsigned place, uint64_t hlc)
{
    struct carnet_event event = { .purpose = carnet_slice_str(draw(2) ? "newsletter" : "file"), .basis = CARNET_BASIS_CONSENT,
                                  .other = { .b = { (uint8_t)(1 + draw(3)) } }, .on = draw(2) };
    for (event.name_count = 0; event.name_count < 2; event.name_count++)
        event.names[event.name_count] = draw(2) ? event_dot((unsigned)draw(CHANGES), 0) : cell_dot((unsigned)draw(CHANGES), (unsigned)draw(3));
    switch (draw(8)) {
    case 0:
        event.type = CARNET_EVENT_DARK;
        event.scope = (enum carnet_scope)(1 + draw(CARNET_SCOPE_NOTES));
        event.seeds[0] = 1 + draw(5);
        event.seed_count = 1;
        break;
    case 1:
    case 2:
        event.type = CARNET_EVENT_RECTIFY;
        break;
    case 3:
        event.type = draw(4) ? CARNET_EVENT_EDGE : CARNET_EVENT_ERASE;
        break;
    case 4:
        event.type = CARNET_EVENT_EDGE;
        break;
    case 5:
        event.type = CARNET_EVENT_WITHDRAW;
        break;
    default:
        event.type = CARNET_EVENT_GRANT;
        break;
    }
    add_event(record, &event, event_dot(change, place), hlc);
}

/* What is drawn twice from one state is twice the same, with keys or without. */
static struct carnet_record draw_change(unsigned change, bool keys)
{
    static const char *const values[] = { "", "Grenoble", "Saint-Égrève", "1" };
    struct carnet_record record = blank();
    uint64_t hlc = draw_hlc();
    for (uint64_t i = draw(3); i > 0; i--) {
        struct carnet_seed seed = seed_of(1 + draw(5));
        seed.held &= keys;
        carnet_record_add_seed(&record, &seed);
    }
    unsigned cells = (unsigned)draw(4);
    for (unsigned i = 0; i < cells; i++) {
        struct carnet_sibling sibling = { .dot = cell_dot(change, i), .hlc = hlc, .seed = draw(6), .state = CARNET_SIBLING_VALUE };
        sibling.scope = (enum carnet_scope)(sibling.seed % CARNET_SCOPE_COUNT);
        sibling.field = CARNET_FIELD_GIVEN + (uint32_t)draw(3);
        sibling.label = carnet_slice_str(draw(2) ? "" : "home");
        sibling.value = carnet_slice_str(values[draw(4)]);
        if (!keys)
            sibling.state = draw(2) ? CARNET_SIBLING_LOCKED : CARNET_SIBLING_MISSING;
        else
            draw(2);
        carnet_record_add_sibling(&record, &sibling);
        for (uint64_t j = draw(4); j > 1; j--) { /* the dots it replaces, maybe of changes to come; never its own */
            unsigned target = (unsigned)draw(CHANGES);
            struct carnet_dot dot = cell_dot(target, (unsigned)draw(3));
            if (target != change)
                carnet_record_add_replaced(&record, &dot, draw(4) ? EVERY_SCOPE : 1u << draw(CARNET_SCOPE_COUNT));
        }
    }
    unsigned events = draw(2) ? (unsigned)draw(3) : 0;
    for (unsigned i = 0; i < events; i++)
        draw_event(&record, change, i, hlc);
    return record;
}

static void draw_changes(struct carnet_record changes[CHANGES], uint64_t seed, bool keys)
{
    random_state = seed;
    for (unsigned i = 0; i < CHANGES; i++)
        changes[i] = draw_change(i, keys);
}

static void drop_changes(struct carnet_record changes[CHANGES])
{
    for (unsigned i = 0; i < CHANGES; i++)
        carnet_record_deinit(&changes[i]);
}

/* Both forms of a record, one after the other. */
static struct carnet_slice forms(const struct carnet_record *record)
{
    struct carnet_buf out;
    carnet_buf_init(&out, PACK_LEN_MAX);
    carnet_record_pack(record, &out);
    carnet_record_canonical(record, &out);
    struct carnet_slice copy = carnet_arena_dup(&arena, carnet_buf_slice(&out));
    assert_false(out.failed);
    carnet_buf_deinit(&out);
    return copy;
}

static struct carnet_slice canonical(const struct carnet_record *record)
{
    struct carnet_buf out;
    carnet_buf_init(&out, PACK_LEN_MAX);
    carnet_record_canonical(record, &out);
    assert_int_equal(carnet_cbor_check(carnet_buf_slice(&out)), CARNET_OK);
    struct carnet_slice copy = carnet_arena_dup(&arena, carnet_buf_slice(&out));
    carnet_buf_deinit(&out);
    return copy;
}

static struct carnet_record merged(const struct carnet_record changes[], const unsigned *order, size_t count)
{
    struct carnet_record record;
    carnet_record_init(&record);
    for (size_t i = 0; i < count; i++)
        carnet_record_merge(&record, &changes[order[i]]);
    return record;
}

static void assert_same(const struct carnet_record *a, const struct carnet_record *b)
{
    assert_true(carnet_slice_equal(forms(a), forms(b)));
}

static void all_orders_of_three_changes_give_the_same_bytes(void **state)
{
    static const unsigned orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    (void)state;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct carnet_record changes[CHANGES];
        draw_changes(changes, seed, true);
        struct carnet_record first = merged(changes, orders[0], 3);
        for (unsigned i = 1; i < 6; i++) {
            struct carnet_record other = merged(changes, orders[i], 3);
            assert_same(&first, &other);
            carnet_record_deinit(&other);
        }
        carnet_record_deinit(&first);
        drop_changes(changes);
        carnet_arena_reset(&arena);
    }
}

static void merging_is_associative_and_idempotent(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        static const unsigned left[] = { 0, 1, 2 }, right[] = { 3, 4, 5 }, all[] = { 0, 1, 2, 3, 4, 5 };
        struct carnet_record changes[CHANGES];
        draw_changes(changes, seed, true);
        struct carnet_record a = merged(changes, left, 3), b = merged(changes, right, 3), whole = merged(changes, all, CHANGES);
        struct carnet_record ab = merged(&a, &(const unsigned){ 0 }, 1), ba = merged(&b, &(const unsigned){ 0 }, 1);
        assert_same(&a, &ab); /* a copy */
        carnet_record_merge(&ab, &b);
        carnet_record_merge(&ba, &a);
        assert_same(&ab, &whole);
        assert_same(&ba, &whole);
        carnet_record_merge(&ab, &ba);
        carnet_record_merge(&ab, &a);
        carnet_record_merge(&ab, &ab);
        assert_same(&ab, &whole);
        carnet_record_deinit(&ba);
        carnet_record_deinit(&ab);
        carnet_record_deinit(&whole);
        carnet_record_deinit(&b);
        carnet_record_deinit(&a);
        drop_changes(changes);
        carnet_arena_reset(&arena);
    }
}

static void duplicates_in_any_order_are_harmless(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        static const unsigned all[] = { 0, 1, 2, 3, 4, 5 };
        struct carnet_record changes[CHANGES];
        unsigned order[2 * CHANGES];
        draw_changes(changes, seed, true);
        for (unsigned i = 0; i < 2 * CHANGES; i++) { /* each twice, shuffled */
            unsigned at = (unsigned)draw(i + 1);
            order[i] = order[at];
            order[at] = i % CHANGES;
        }
        struct carnet_record whole = merged(changes, all, CHANGES), twice = merged(changes, order, 2 * CHANGES);
        assert_same(&whole, &twice);
        carnet_record_deinit(&twice);
        carnet_record_deinit(&whole);
        drop_changes(changes);
        carnet_arena_reset(&arena);
    }
}

static void adding_in_any_order_is_merging(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        static const unsigned all[] = { 0, 1, 2, 3, 4, 5 };
        struct carnet_record changes[CHANGES], built = blank();
        draw_changes(changes, seed, true);
        struct carnet_record whole = merged(changes, all, CHANGES);
        for (unsigned step = 0; step < 4; step++) {
            for (unsigned i = CHANGES; i-- > 0;) {
                const struct carnet_record *change = &changes[i];
                built.erased |= change->erased && change->event_count == 0;
                for (size_t j = 0; step == 0 && j < change->live_count; j++)
                    carnet_record_add_sibling(&built, &change->live[j]);
                for (size_t j = 0; step == 1 && j < change->replaced_count; j++)
                    carnet_record_add_replaced(&built, &change->replaced[j].dot, change->replaced[j].scopes);
                for (size_t j = 0; step == 2 && j < change->event_count; j++)
                    carnet_record_add_event(&built, &change->events[j]);
                for (size_t j = 0; step == 3 && j < change->seed_count; j++)
                    carnet_record_add_seed(&built, &change->seeds[j]);
            }
        }
        assert_true(carnet_slice_equal(canonical(&built), canonical(&whole)));
        carnet_record_deinit(&built);
        carnet_record_deinit(&whole);
        drop_changes(changes);
        carnet_arena_reset(&arena);
    }
}

/* Promise P3 in the small: what is live is what was written and not replaced by anybody; the clocks have no say. */
static void live_is_what_nobody_replaced(void **state)
{
    size_t erased = 0, checked = 0;
    (void)state;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        static const unsigned all[] = { 3, 1, 5, 0, 2, 4 };
        struct carnet_record changes[CHANGES];
        draw_changes(changes, seed, true);
        struct carnet_record whole = merged(changes, all, CHANGES);
        size_t expected = 0;
        for (unsigned i = 0; i < CHANGES && !whole.erased; i++) {
            for (size_t j = 0; j < changes[i].live_count; j++) {
                const struct carnet_sibling *sibling = &changes[i].live[j];
                bool replaced = false, found = false;
                for (unsigned k = 0; k < CHANGES; k++)
                    for (size_t l = 0; l < changes[k].replaced_count; l++)
                        replaced |= carnet_dot_equal(&changes[k].replaced[l].dot, &sibling->dot) && changes[k].replaced[l].scopes >> sibling->scope & 1;
                for (size_t k = 0; k < whole.live_count; k++)
                    found |= carnet_dot_equal(&whole.live[k].dot, &sibling->dot);
                assert_int_equal(found, !replaced);
                expected += !replaced;
                checked++;
            }
        }
        erased += whole.erased;
        assert_int_equal(whole.live_count, expected);
        carnet_record_deinit(&whole);
        drop_changes(changes);
        carnet_arena_reset(&arena);
    }
    assert_true(erased > 20 && checked > 1000); /* the draws say something */
}

static void the_canonical_form_is_the_same_with_keys_and_without(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        static const unsigned all[] = { 0, 1, 2, 3, 4, 5 }, back[] = { 5, 4, 3, 2, 1, 0 };
        struct carnet_record open[CHANGES], shut[CHANGES];
        draw_changes(open, seed, true);
        draw_changes(shut, seed, false);
        struct carnet_record reader = merged(open, all, CHANGES), relay = merged(shut, back, CHANGES);
        assert_true(carnet_slice_equal(canonical(&reader), canonical(&relay)));
        for (size_t i = 0; i < relay.live_count; i++)
            assert_true(relay.live[i].state != CARNET_SIBLING_VALUE && relay.live[i].value.len == 0);
        carnet_record_merge(&relay, &reader); /* the keys come later */
        assert_same(&relay, &reader);
        carnet_record_deinit(&relay);
        carnet_record_deinit(&reader);
        drop_changes(shut);
        drop_changes(open);
        carnet_arena_reset(&arena);
    }
}

static void what_is_packed_is_unpacked(void **state)
{
    struct carnet_record again;
    (void)state;
    carnet_record_init(&again);
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        static const unsigned all[] = { 0, 1, 2, 3, 4, 5 };
        struct carnet_record changes[CHANGES];
        draw_changes(changes, seed, seed % 4 != 0);
        struct carnet_record whole = merged(changes, all, CHANGES);
        struct carnet_buf out;
        carnet_buf_init(&out, PACK_LEN_MAX);
        carnet_record_pack(&whole, &out);
        assert_int_equal(carnet_record_unpack(carnet_buf_slice(&out), &again), CARNET_OK);
        assert_same(&whole, &again);
        assert_true(whole.live_count == again.live_count && whole.hlc_first == again.hlc_first && whole.hlc_last == again.hlc_last);
        for (size_t i = 0; i < whole.live_count; i++)
            assert_true(whole.live[i].hlc == again.live[i].hlc && whole.live[i].seed == again.live[i].seed &&
                        carnet_slice_equal(whole.live[i].value, again.live[i].value));
        carnet_buf_deinit(&out);
        carnet_record_deinit(&whole);
        drop_changes(changes);
        carnet_arena_reset(&arena);
    }
    carnet_record_deinit(&again);
}

static void many_authors_and_a_long_value_are_packed(void **state)
{
    struct carnet_record record = blank(), again;
    struct carnet_buf out;
    static char value[CARNET_VALUE_LEN_MAX + 1];
    (void)state;
    memset(value, 'x', CARNET_VALUE_LEN_MAX);
    carnet_record_init(&again);
    for (unsigned i = 0; i < 500; i++)
        add_value(&record, (struct carnet_dot){ .author = UINT64_MAX - i, .seq = 1 + i % 3, .index = 64 }, i + 1, CARNET_FIELD_CITY, "",
                  i == 7 ? value : "Lyon");
    record.subject = (struct carnet_id){ .b = { 9 } };
    carnet_buf_init(&out, PACK_LEN_MAX);
    carnet_record_pack(&record, &out);
    assert_int_equal(carnet_record_unpack(carnet_buf_slice(&out), &again), CARNET_OK);
    assert_same(&record, &again);
    assert_int_equal(again.live[492].value.len, CARNET_VALUE_LEN_MAX);
    carnet_buf_deinit(&out);
    carnet_record_deinit(&again);
    carnet_record_deinit(&record);
}

static void damaged_bytes_are_refused_whole(void **state)
{
    struct carnet_record again;
    (void)state;
    carnet_record_init(&again);
    for (uint64_t seed = 0; seed < 40; seed++) {
        static const unsigned all[] = { 0, 1, 2, 3, 4, 5 };
        struct carnet_record changes[CHANGES];
        struct carnet_buf out;
        draw_changes(changes, seed, true);
        struct carnet_record whole = merged(changes, all, CHANGES);
        carnet_buf_init(&out, PACK_LEN_MAX);
        carnet_record_pack(&whole, &out);
        uint8_t *copy = malloc(out.len); /* exact, so that a sanitizer sees a byte too many */
        assert_non_null(copy);
        for (size_t len = 0; len < out.len; len++) {
            uint8_t *cut = malloc(len ? len : 1);
            assert_non_null(cut);
            memcpy(cut, out.ptr, len);
            assert_int_equal(carnet_record_unpack(carnet_slice(cut, len), &again), CARNET_CORRUPT);
            assert_true(again.live_count == 0 && again.event_count == 0 && again.kind == 0);
            free(cut);
        }
        for (size_t bit = 0; bit < out.len * 8; bit++) {
            memcpy(copy, out.ptr, out.len);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            carnet_rc rc = carnet_record_unpack(carnet_slice(copy, out.len), &again);
            assert_true(rc == CARNET_OK || rc == CARNET_CORRUPT);
            if (rc == CARNET_OK)
                forms(&again);
        }
        carnet_buf_append_byte(&out, 0);
        assert_int_equal(carnet_record_unpack(carnet_buf_slice(&out), &again), CARNET_CORRUPT);
        assert_int_equal(carnet_record_unpack(CARNET_SLICE_NONE, &again), CARNET_CORRUPT);
        free(copy);
        carnet_buf_deinit(&out);
        carnet_record_deinit(&whole);
        drop_changes(changes);
        carnet_arena_reset(&arena);
    }
    carnet_record_deinit(&again);
}

static struct carnet_cell *cells_of(const struct carnet_record *record, size_t *count)
{
    return carnet_record_cells(record, CARNET_SCOPES_ALL, &arena, count);
}

static void a_lying_clock_hides_nothing(void **state)
{
    struct carnet_record liar = blank(), honest = blank(), record = blank();
    size_t count;
    (void)state;
    add_value(&liar, cell_dot(0, 0), UINT64_MAX, CARNET_FIELD_CITY, "", "Nulle-Part");
    add_value(&honest, cell_dot(1, 0), 1, CARNET_FIELD_CITY, "", "Voiron");
    carnet_record_merge(&record, &liar);
    carnet_record_merge(&record, &honest);
    struct carnet_cell *cells = cells_of(&record, &count);
    assert_true(count == 1 && cells[0].count == 2 && cells[0].conflict);
    assert_true(carnet_slice_equal(cells[0].siblings[0]->value, carnet_slice_str("Nulle-Part"))); /* first, no more */
    assert_true(carnet_slice_equal(cells[0].siblings[1]->value, carnet_slice_str("Voiron")));

    struct carnet_record settled = blank(); /* by a clock that is late: what it has seen is replaced all the same */
    struct carnet_dot seen[] = { cell_dot(0, 0), cell_dot(1, 0) };
    add_value(&settled, cell_dot(2, 0), 1, CARNET_FIELD_CITY, "", "Voiron");
    carnet_record_add_replaced(&settled, &seen[0], EVERY_SCOPE);
    carnet_record_add_replaced(&settled, &seen[1], EVERY_SCOPE);
    carnet_record_merge(&record, &settled);
    cells = cells_of(&record, &count);
    assert_true(count == 1 && cells[0].count == 1 && !cells[0].conflict);
    assert_true(record.hlc_first == 1 && record.hlc_last == UINT64_MAX);
    carnet_record_deinit(&settled);
    carnet_record_deinit(&record);
    carnet_record_deinit(&honest);
    carnet_record_deinit(&liar);
}

/* One history: Grenoble, Voiron beside it, Lyon for Grenoble. Whoever of the three has the smaller id, whatever comes first, saved and read after each. */
static void it_makes_no_difference_how_authors_sort(void **state)
{
    static const unsigned orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    static const char *const values[] = { "Grenoble", "Voiron", "Lyon" };
    (void)state;
    for (unsigned who = 0; who < 6; who++) {
        for (unsigned order = 0; order < 6; order++) {
            struct carnet_record record = blank();
            size_t count;
            for (unsigned i = 0; i < 3; i++) {
                unsigned change = orders[order][i];
                struct carnet_record delta = blank(), read = blank();
                struct carnet_dot dot = cell_dot(orders[who][change], 0), first = cell_dot(orders[who][0], 0);
                struct carnet_buf packed;
                add_value(&delta, dot, 100 + change, CARNET_FIELD_CITY, "", values[change]);
                if (change == 2)
                    carnet_record_add_replaced(&delta, &first, EVERY_SCOPE);
                carnet_record_merge(&record, &delta);
                carnet_buf_init(&packed, 1 << 16);
                carnet_record_pack(&record, &packed);
                assert_int_equal(carnet_record_unpack(carnet_arena_dup(&arena, carnet_buf_slice(&packed)), &read), CARNET_OK);
                carnet_buf_deinit(&packed);
                carnet_record_deinit(&delta);
                carnet_record_deinit(&record);
                record = read;
            }
            struct carnet_cell *cells = cells_of(&record, &count);
            assert_true(count == 1 && cells[0].count == 2 && cells[0].conflict);
            assert_true(carnet_slice_equal(cells[0].siblings[0]->value, carnet_slice_str("Lyon")));
            assert_true(carnet_slice_equal(cells[0].siblings[1]->value, carnet_slice_str("Voiron")));
            carnet_record_deinit(&record);
        }
    }
    carnet_arena_reset(&arena);
}

static void cells_are_grouped_ordered_and_compared(void **state)
{
    struct carnet_record record = blank();
    size_t count;
    (void)state;
    add_value(&record, cell_dot(0, 0), 5, CARNET_FIELD_EMAIL, "work", "zoe@example.org");
    add_value(&record, cell_dot(0, 1), 5, CARNET_FIELD_EMAIL, "", "zoe@example.org");
    add_value(&record, cell_dot(1, 0), 9, CARNET_FIELD_EMAIL, "", "zoe@example.org"); /* the same twice: no conflict */
    add_value(&record, cell_dot(0, 2), 5, CARNET_FIELD_GIVEN, "", "Zoé");
    add_value(&record, cell_dot(1, 1), 6, CARNET_FIELD_GIVEN, "", ""); /* emptied and written: a conflict */
    add_value(&record, cell_dot(0, 3), 5, CARNET_FIELD_FAMILY, "", ""); /* emptied: not there */
    add_value(&record, cell_dot(0, 4), 5, CARNET_FIELD_TAG, "presse", "");
    add_value(&record, cell_dot(1, 2), 6, CARNET_FIELD_TAG, "presse", "1"); /* shown when any is true, never a conflict */
    add_value(&record, cell_dot(1, 3), 6, CARNET_FIELD_TAG, "bénévole", "");
    struct carnet_cell *cells = cells_of(&record, &count);
    assert_int_equal(count, 4);
    assert_true(cells[0].field == CARNET_FIELD_TAG && carnet_slice_equal(cells[0].label, carnet_slice_str("presse")));
    assert_true(cells[0].count == 2 && !cells[0].conflict);
    assert_true(cells[1].field == CARNET_FIELD_GIVEN && cells[1].conflict && cells[1].siblings[0]->value.len == 0);
    assert_true(cells[2].field == CARNET_FIELD_EMAIL && cells[2].label.len == 0 && cells[2].count == 2 && !cells[2].conflict);
    assert_true(cells[2].siblings[0]->hlc == 9);
    assert_true(cells[3].label.len == 4 && cells[3].count == 1);
    carnet_record_cells(&record, 1u << CARNET_SCOPE_EMAIL, &arena, &count);
    assert_int_equal(count, 2);
    carnet_record_cells(&record, 0, &arena, &count);
    assert_int_equal(count, 0);
    carnet_record_deinit(&record);
}

static struct carnet_record sealed(uint64_t seed_id)
{
    struct carnet_record record = blank();
    struct carnet_seed seed = seed_of(seed_id);
    seed.scope = CARNET_SCOPE_EMAIL;
    carnet_record_add_seed(&record, &seed);
    const struct carnet_sibling sibling = { .dot = cell_dot(0, 0), .hlc = 5, .seed = seed_id, .scope = CARNET_SCOPE_EMAIL,
                                            .state = CARNET_SIBLING_VALUE, .field = CARNET_FIELD_EMAIL,
                                            .value = carnet_slice_str("zoe@example.org") };
    carnet_record_add_sibling(&record, &sibling);
    return record;
}

static bool holds(const struct carnet_record *record, const void *bytes, size_t len)
{
    struct carnet_slice all = forms(record);
    for (size_t i = 0; i + len <= all.len; i++)
        if (memcmp(all.ptr + i, bytes, len) == 0)
            return true;
    return false;
}

static void dark_kills_seeds_and_values_whenever_they_come(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        struct carnet_record value = sealed(3), dark = blank(), record = blank();
        struct carnet_event event = { .type = CARNET_EVENT_DARK, .scope = CARNET_SCOPE_EMAIL, .seeds = { 3 }, .seed_count = 1 };
        add_event(&dark, &event, event_dot(1, 0), 1);
        assert_true(holds(&value, "zoe@", 4) && holds(&value, value.seeds[0].b, 16));
        carnet_record_merge(&record, late ? &dark : &value);
        carnet_record_merge(&record, late ? &value : &dark);
        assert_int_equal(record.live_count, 1);
        assert_int_equal(record.live[0].state, CARNET_SIBLING_DARK);
        assert_false(holds(&record, "zoe@", 4));
        assert_false(holds(&record, value.seeds[0].b, 16));
        assert_int_equal(carnet_record_scopes_in(&record, CARNET_SIBLING_DARK), 1u << CARNET_SCOPE_EMAIL);
        assert_null(carnet_record_seed_live(&record, CARNET_SCOPE_EMAIL));
        assert_true(carnet_record_seed(&record, 3, CARNET_SCOPE_EMAIL)->dead && !carnet_record_seed(&record, 3, CARNET_SCOPE_EMAIL)->held);

        struct carnet_record fresh = sealed(7); /* a grant afterwards brings a seed of its own */
        fresh.live_count = 0;
        carnet_record_merge(&record, &fresh);
        assert_int_equal(carnet_record_seed_live(&record, CARNET_SCOPE_EMAIL)->id, 7);
        carnet_record_deinit(&fresh);

        struct carnet_record note = sealed(3); /* a record about the same contact */
        note.seed_count = 0;
        assert_true(carnet_record_darken(&note, &record));
        assert_false(carnet_record_darken(&note, &record));
        assert_false(holds(&note, "zoe@", 4));
        carnet_record_deinit(&note);
        carnet_record_deinit(&record);
        carnet_record_deinit(&dark);
        carnet_record_deinit(&value);
    }
}

static void the_smallest_live_seed_that_is_held_is_used(void **state)
{
    struct carnet_record record = blank();
    (void)state;
    static const uint64_t ids[] = { 9, 4, 6, 5 };
    for (size_t i = 0; i < 4; i++) {
        struct carnet_seed seed = seed_of(ids[i]);
        seed.scope = ids[i] == 4 ? CARNET_SCOPE_PHONE : CARNET_SCOPE_EMAIL;
        seed.held = ids[i] != 5;
        carnet_record_add_seed(&record, &seed);
    }
    assert_int_equal(carnet_record_seed_live(&record, CARNET_SCOPE_EMAIL)->id, 6);
    assert_int_equal(carnet_record_seed_live(&record, CARNET_SCOPE_PHONE)->id, 4);
    assert_null(carnet_record_seed_live(&record, CARNET_SCOPE_NOTES));
    assert_null(carnet_record_seed(&record, 7, CARNET_SCOPE_EMAIL));
    assert_null(carnet_record_seed(&record, 4, CARNET_SCOPE_EMAIL)); /* of another scope it is another one */
    carnet_record_deinit(&record);
}

static void a_rectification_drops_the_values_it_names(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        struct carnet_record value = sealed(3), rectify = blank(), record = blank();
        struct carnet_event event = { .type = CARNET_EVENT_RECTIFY, .names = { cell_dot(0, 0) }, .name_count = 1 };
        add_event(&rectify, &event, event_dot(1, 0), 1);
        carnet_record_merge(&record, late ? &rectify : &value);
        carnet_record_merge(&record, late ? &value : &rectify);
        assert_int_equal(record.live[0].state, CARNET_SIBLING_DARK);
        assert_false(holds(&record, "zoe@", 4));
        assert_non_null(carnet_record_seed_live(&record, CARNET_SCOPE_EMAIL)); /* the seed lives on */
        carnet_record_deinit(&record);
        carnet_record_deinit(&rectify);
        carnet_record_deinit(&value);
    }
}

static void erasing_leaves_the_erasing_events_alone(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        struct carnet_record value = sealed(3), erase = blank(), record = blank();
        struct carnet_event grant = { .type = CARNET_EVENT_GRANT, .purpose = carnet_slice_str("file"), .basis = CARNET_BASIS_CONSENT };
        add_event(&value, &grant, event_dot(0, 0), 5);
        add_event(&erase, &(struct carnet_event){ .type = CARNET_EVENT_ERASE }, event_dot(1, 0), 1);
        carnet_record_merge(&record, late ? &erase : &value);
        carnet_record_merge(&record, late ? &value : &erase);
        assert_true(record.erased && record.live_count == 0 && record.seed_count == 0 && record.replaced_count == 0);
        assert_int_equal(record.event_count, 1);
        assert_false(holds(&record, "zoe@", 4));
        assert_false(holds(&record, "file", 4));
        assert_false(holds(&record, value.seeds[0].b, 16));

        struct carnet_record note = sealed(3);
        carnet_record_erase(&note);
        assert_true(note.erased && note.event_count == 0 && note.live_count == 0 && note.kind == CARNET_KIND_CONTACT);
        carnet_record_merge(&note, &value);
        assert_true(note.live_count == 0 && note.event_count == 0);
        carnet_record_deinit(&note);
        carnet_record_deinit(&record);
        carnet_record_deinit(&erase);
        carnet_record_deinit(&value);
    }
}

static bool seen_first(void *ctx, const struct carnet_dot *dot)
{
    (void)ctx;
    return carnet_dot_equal(dot, &(struct carnet_dot){ cell_dot(0, 0).author, cell_dot(0, 0).seq, cell_dot(0, 0).stream, 64 });
}

static void pruning_forgets_what_was_applied_and_late_parts_bring_nothing_back(void **state)
{
    struct carnet_record first = sealed(3), second = blank(), record = blank();
    struct carnet_dot gone = cell_dot(0, 0), to_come = cell_dot(5, 0);
    (void)state;
    first.live[0].state = CARNET_SIBLING_MISSING;
    add_value(&second, cell_dot(1, 0), 6, CARNET_FIELD_EMAIL, "", "z@example.org");
    second.live[0].state = CARNET_SIBLING_MISSING;
    carnet_record_add_replaced(&second, &gone, EVERY_SCOPE);
    carnet_record_add_replaced(&second, &to_come, EVERY_SCOPE);
    carnet_record_merge(&record, &first);
    carnet_record_merge(&record, &second);
    struct carnet_slice before = canonical(&record);
    carnet_record_prune(&record, seen_first, NULL);
    assert_int_equal(record.replaced_count, 1);
    assert_true(carnet_dot_equal(&record.replaced[0].dot, &to_come));
    assert_true(carnet_slice_equal(before, canonical(&record)));

    struct carnet_record late = sealed(3), late_second = blank();
    add_value(&late_second, cell_dot(1, 0), 6, CARNET_FIELD_EMAIL, "", "z@example.org");
    carnet_record_fill(&record, &late);
    carnet_record_fill(&record, &late_second);
    assert_int_equal(record.live_count, 1);
    assert_int_equal(record.live[0].state, CARNET_SIBLING_VALUE);
    assert_true(carnet_slice_equal(before, canonical(&record)));
    carnet_record_deinit(&late_second);
    carnet_record_deinit(&late);
    carnet_record_deinit(&record);
    carnet_record_deinit(&second);
    carnet_record_deinit(&first);
}

static void kind_and_subject_are_the_same_in_any_order(void **state)
{
    (void)state;
    struct carnet_record a = blank(), b = blank(), ab, ba;
    b.subject = (struct carnet_id){ .b = { 0, 1 } };
    b.kind = CARNET_KIND_NOTE;
    const struct carnet_record both[] = { a, b };
    ab = merged(both, (const unsigned[]){ 0, 1 }, 2);
    ba = merged(both, (const unsigned[]){ 1, 0 }, 2);
    assert_same(&ab, &ba);
    assert_int_equal(ab.kind, CARNET_KIND_CONTACT);
    carnet_record_deinit(&ba);
    carnet_record_deinit(&ab);
}

static int set_up(void **state)
{
    (void)state;
    carnet_arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    carnet_arena_deinit(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_orders_of_three_changes_give_the_same_bytes),
        cmocka_unit_test(merging_is_associative_and_idempotent),
        cmocka_unit_test(duplicates_in_any_order_are_harmless),
        cmocka_unit_test(adding_in_any_order_is_merging),
        cmocka_unit_test(live_is_what_nobody_replaced),
        cmocka_unit_test(the_canonical_form_is_the_same_with_keys_and_without),
        cmocka_unit_test(what_is_packed_is_unpacked),
        cmocka_unit_test(many_authors_and_a_long_value_are_packed),
        cmocka_unit_test(damaged_bytes_are_refused_whole),
        cmocka_unit_test(a_lying_clock_hides_nothing),
        cmocka_unit_test(it_makes_no_difference_how_authors_sort),
        cmocka_unit_test(cells_are_grouped_ordered_and_compared),
        cmocka_unit_test(dark_kills_seeds_and_values_whenever_they_come),
        cmocka_unit_test(the_smallest_live_seed_that_is_held_is_used),
        cmocka_unit_test(a_rectification_drops_the_values_it_names),
        cmocka_unit_test(erasing_leaves_the_erasing_events_alone),
        cmocka_unit_test(pruning_forgets_what_was_applied_and_late_parts_bring_nothing_back),
        cmocka_unit_test(kind_and_subject_are_the_same_in_any_order),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
