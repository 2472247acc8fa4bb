// SPDX-License-Identifier: EUPL-1.2
#include "carnet/model/event.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const enum carnet_event_type types[] = {
    CARNET_EVENT_GRANT, CARNET_EVENT_COUNTERSIGN, CARNET_EVENT_WITHDRAW, CARNET_EVENT_OBJECT, CARNET_EVENT_RESTRICT,
    CARNET_EVENT_LIFT, CARNET_EVENT_DARK, CARNET_EVENT_ERASE, CARNET_EVENT_EDGE, CARNET_EVENT_RECTIFY, CARNET_EVENT_INVALIDATE, CARNET_EVENT_INFORM, CARNET_EVENT_RECEIPT,
    CARNET_EVENT_CERTIFICATE, CARNET_EVENT_BOOK, CARNET_EVENT_EPOCH, CARNET_EVENT_ADDRESS, CARNET_EVENT_ALIVE,
    CARNET_EVENT_SETTING, CARNET_EVENT_CUT, CARNET_EVENT_GENESIS, CARNET_EVENT_SUPPRESS,
};
enum { TYPES = sizeof types / sizeof *types };

/* Every member filled; each type writes the ones it has. */
static struct carnet_event sample(enum carnet_event_type type)
{
    struct carnet_event event = {
        .type = type,
        .purpose = carnet_slice_str("newsletter"),
        .version = UINT64_MAX - 1,
        .basis = CARNET_BASIS_EXPLICIT_CONSENT,
        .proof = CARNET_PROOF_DOUBLE_OPT_IN,
        .since_ms = -86400000,
        .until_ms = 1893456000000,
        .names = { { .author = UINT64_MAX, .stream = 3, .seq = 1, .index = 65535 }, { .author = 7, .stream = 0, .seq = 9, .index = 0 } },
        .name_count = 2,
        .seeds = { 1, UINT64_MAX, 300 },
        .seed_count = 3,
        .scope = CARNET_SCOPE_PHONE,
        .other = { .b = { 1, 2, 3 } },
        .on = true,
        .ms = 1764000000000,
        .epoch = 77,
        .number = 4,
        .hash = { .b = { 9, 8, 7 } },
        .text = carnet_slice_str("Saint-Égrève"),
        .value = carnet_slice_str("72h"),
        .bytes = carnet_slice("\x00\x01\x02 sixteen bytes", CARNET_TAG_LEN),
    };
    return event;
}

static struct carnet_slice encode(const struct carnet_event *event, struct carnet_buf *out)
{
    carnet_buf_clear(out);
    carnet_event_encode(event, out);
    assert_false(out->failed);
    return carnet_buf_slice(out);
}

static carnet_rc decode_copy(struct carnet_slice raw, struct carnet_event *out)
{
    uint8_t *copy = malloc(raw.len ? raw.len : 1); /* exact, so that a sanitizer sees a byte too many */
    assert_non_null(copy);
    if (raw.len)
        memcpy(copy, raw.ptr, raw.len);
    carnet_rc rc = carnet_event_decode(carnet_slice(copy, raw.len), out);
    free(copy);
    return rc;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct carnet_buf out, again;
    carnet_buf_init(&out, 4096);
    carnet_buf_init(&again, 4096);
    for (size_t i = 0; i < TYPES; i++) {
        struct carnet_event event = sample(types[i]), read;
        struct carnet_slice raw = encode(&event, &out);
        assert_int_equal(carnet_event_decode(raw, &read), CARNET_OK);
        assert_int_equal(read.type, types[i]);
        assert_int_equal(carnet_event_peek(raw), types[i]);
        assert_true(carnet_slice_equal(encode(&read, &again), raw));
    }
    struct carnet_event event = sample(CARNET_EVENT_GRANT), read;
    assert_int_equal(carnet_event_decode(encode(&event, &out), &read), CARNET_OK);
    assert_true(carnet_slice_equal(read.purpose, event.purpose));
    assert_true(read.basis == event.basis && read.proof == event.proof);
    assert_true(read.since_ms == event.since_ms && read.until_ms == event.until_ms && read.name_count == 2 && read.version == event.version);
    assert_true(carnet_dot_equal(&read.names[0], &event.names[0]) && carnet_dot_equal(&read.names[1], &event.names[1]));
    event = sample(CARNET_EVENT_DARK);
    assert_int_equal(carnet_event_decode(encode(&event, &out), &read), CARNET_OK);
    assert_true(read.scope == event.scope && read.seed_count == 3 && read.seeds[1] == UINT64_MAX && read.seeds[2] == 300);
    event = sample(CARNET_EVENT_EPOCH);
    assert_int_equal(carnet_event_decode(encode(&event, &out), &read), CARNET_OK);
    assert_true(read.epoch == 77 && read.number == 4 && carnet_hash_equal(&read.hash, &event.hash));
    assert_true(carnet_id_equal(&read.other, &event.other));
    carnet_buf_deinit(&again);
    carnet_buf_deinit(&out);
}

static void every_truncation_and_every_addition_is_refused(void **state)
{
    (void)state;
    struct carnet_buf out;
    carnet_buf_init(&out, 4096);
    for (size_t i = 0; i < TYPES; i++) {
        struct carnet_event event = sample(types[i]), read;
        encode(&event, &out);
        for (size_t len = 0; len < out.len; len++)
            assert_int_equal(decode_copy(carnet_slice(out.ptr, len), &read), CARNET_MALFORMED);
        carnet_buf_append_byte(&out, 0);
        assert_int_equal(decode_copy(carnet_buf_slice(&out), &read), CARNET_MALFORMED);
        out.ptr[0]++; /* an array of one more, the 0 its last item: another shape */
        assert_int_equal(decode_copy(carnet_buf_slice(&out), &read), CARNET_MALFORMED);
    }
    carnet_buf_deinit(&out);
}

static void what_was_written_before_there_were_charters_is_read(void **state)
{
    (void)state;
    const enum carnet_event_type former[] = { CARNET_EVENT_GRANT, CARNET_EVENT_SETTING };
    struct carnet_buf out, again;
    carnet_buf_init(&out, 4096);
    carnet_buf_init(&again, 4096);
    for (size_t i = 0; i < 2; i++) {
        struct carnet_event event = sample(former[i]), read;
        event.former = true;
        encode(&event, &out);
        assert_int_equal(carnet_event_decode(carnet_buf_slice(&out), &read), CARNET_OK);
        assert_true(read.former);
        assert_int_equal(read.version, 0);
        assert_int_equal(read.name_count, former[i] == CARNET_EVENT_GRANT ? event.name_count : 0);
        assert_true(carnet_slice_equal(encode(&read, &again), carnet_buf_slice(&out)));
    }
    carnet_buf_deinit(&out);
    carnet_buf_deinit(&again);
}

static void damage_never_reads_outside_and_what_passes_is_canonical(void **state)
{
    (void)state;
    struct carnet_buf out, again;
    carnet_buf_init(&out, 4096);
    carnet_buf_init(&again, 4096);
    for (size_t i = 0; i < TYPES; i++) {
        struct carnet_event event = sample(types[i]), read;
        encode(&event, &out);
        for (size_t bit = 0; bit < out.len * 8; bit++) {
            out.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
            carnet_rc rc = decode_copy(carnet_buf_slice(&out), &read);
            assert_true(rc == CARNET_OK || rc == CARNET_MALFORMED || rc == CARNET_NOT_FOUND);
            if (rc == CARNET_OK) {
                assert_int_equal(carnet_event_decode(carnet_buf_slice(&out), &read), CARNET_OK);
                assert_true(carnet_slice_equal(encode(&read, &again), carnet_buf_slice(&out)));
            }
            out.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    carnet_buf_deinit(&again);
    carnet_buf_deinit(&out);
}

static carnet_rc decode_hex(const char *hex)
{
    uint8_t bytes[256];
    struct carnet_event event;
    size_t len = strlen(hex) / 2;
    assert_true(len <= sizeof bytes && carnet_unhex(carnet_slice_str(hex), bytes, len));
    return decode_copy(carnet_slice(bytes, len), &event);
}

static void a_type_of_a_newer_version_is_told_apart_from_damage(void **state)
{
    (void)state;
    assert_int_equal(decode_hex("810d"), CARNET_NOT_FOUND);               /* between the known ones */
    assert_int_equal(decode_hex("82190400820102"), CARNET_NOT_FOUND);     /* [1024, [1, 2]] */
    assert_int_equal(decode_hex("811bffffffffffffffff"), CARNET_NOT_FOUND);
    assert_int_equal(decode_hex("8219040081"), CARNET_MALFORMED);         /* cut */
    assert_int_equal(decode_hex("8100"), CARNET_MALFORMED);               /* no type is 0 */
    assert_int_equal(decode_hex("80"), CARNET_MALFORMED);
    assert_int_equal(decode_hex("08"), CARNET_MALFORMED);
    assert_int_equal(decode_hex("816161"), CARNET_MALFORMED);
    assert_int_equal(decode_hex("8108"), CARNET_OK);                      /* erase */
    assert_int_equal(decode_hex("820800"), CARNET_MALFORMED);             /* erase of another shape */
}

static carnet_rc decode_again(const struct carnet_event *event, struct carnet_buf *out)
{
    struct carnet_event read;
    return decode_copy(encode(event, out), &read);
}

static void every_limit_is_held(void **state)
{
    (void)state;
    static const char longest[] = "a purpose of 64 bytes, the longest one that a label of ours has!";
    struct carnet_buf out;
    carnet_buf_init(&out, 100000);
    _Static_assert(sizeof longest - 1 == CARNET_LABEL_LEN_MAX, "the longest");

    struct carnet_event event = sample(CARNET_EVENT_WITHDRAW);
    event.purpose = carnet_slice_str(longest);
    assert_int_equal(decode_again(&event, &out), CARNET_OK);
    event.purpose = carnet_slice_str("a purpose of 65 bytes, one more than the longest one that passes!");
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);
    event.purpose = CARNET_SLICE_NONE;
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);
    event.type = CARNET_EVENT_OBJECT; /* to everything */
    assert_int_equal(decode_again(&event, &out), CARNET_OK);

    event = sample(CARNET_EVENT_LIFT);
    event.name_count = CARNET_CHANGE_EVENTS_MAX;
    for (size_t i = 0; i < event.name_count; i++)
        event.names[i].seq = i + 1;
    assert_int_equal(decode_again(&event, &out), CARNET_OK);
    event.names[5].seq = 0;
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);
    event.names[5].seq = 1;
    event.names[5].index = CARNET_ENTRY_CHANGES_MAX * CARNET_DOT_CHANGE;
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);
    carnet_buf_clear(&out);
    carnet_cbor_put_array(&out, 2);
    carnet_cbor_put_uint(&out, CARNET_EVENT_LIFT);
    carnet_cbor_put_array(&out, CARNET_CHANGE_EVENTS_MAX + 1);
    for (size_t i = 0; i <= CARNET_CHANGE_EVENTS_MAX; i++)
        carnet_dot_put(&out, &(struct carnet_dot){ .seq = 1 });
    struct carnet_event read;
    assert_int_equal(carnet_event_decode(carnet_buf_slice(&out), &read), CARNET_MALFORMED);

    event = sample(CARNET_EVENT_DARK);
    event.seed_count = CARNET_CHANGE_EVENTS_MAX;
    for (size_t i = 0; i < event.seed_count; i++)
        event.seeds[i] = i + 1;
    assert_int_equal(decode_again(&event, &out), CARNET_OK);
    event.seeds[3] = 0;
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);
    event.seeds[3] = 3;
    event.scope = CARNET_SCOPE_CLEAR;
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);
    event.scope = CARNET_SCOPE_CONSENT; /* dies by erasure alone */
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);
    event.scope = CARNET_SCOPE_COUNT;
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);

    event = sample(CARNET_EVENT_GRANT);
    event.until_ms = (INT64_C(1) << 48) - 1;
    assert_int_equal(decode_again(&event, &out), CARNET_OK);
    event.until_ms++;
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);
    event = sample(CARNET_EVENT_GRANT);
    event.since_ms = INT64_MIN;
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);
    event = sample(CARNET_EVENT_GRANT);
    event.basis = CARNET_BASIS_ROLL + 1;
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);
    event.basis = 0;
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);
    event = sample(CARNET_EVENT_GRANT);
    event.proof = CARNET_PROOF_INBOUND + 1;
    assert_int_equal(decode_again(&event, &out), CARNET_MALFORMED);
    static const uint8_t tags[(CARNET_SUPPRESS_TAGS_MAX + 1) * CARNET_TAG_LEN];
    event = sample(CARNET_EVENT_SUPPRESS);
    for (size_t len = 0; len <= sizeof tags; len += 8) {
        event.bytes = carnet_slice(tags, len);
        assert_int_equal(decode_again(&event, &out), len && len % CARNET_TAG_LEN == 0 && len < sizeof tags ? CARNET_OK : CARNET_MALFORMED);
    }
    carnet_buf_deinit(&out);
}

static void refusals_travel_in_the_law_log(void **state)
{
    (void)state;
    for (size_t i = 0; i < TYPES; i++) {
        bool law = types[i] == CARNET_EVENT_WITHDRAW || types[i] == CARNET_EVENT_OBJECT || types[i] == CARNET_EVENT_RESTRICT ||
                   types[i] == CARNET_EVENT_LIFT || types[i] == CARNET_EVENT_DARK || types[i] == CARNET_EVENT_ERASE ||
                   types[i] == CARNET_EVENT_RECTIFY || types[i] == CARNET_EVENT_INVALIDATE || types[i] == CARNET_EVENT_RECEIPT || types[i] == CARNET_EVENT_SUPPRESS;
        assert_int_equal(carnet_event_log(types[i]), law ? CARNET_LOG_LAW : CARNET_LOG_DATA);
    }
    assert_int_equal(carnet_event_verb(CARNET_EVENT_RECEIPT), 0);
    assert_int_equal(carnet_event_verb(CARNET_EVENT_ALIVE), 0);
    assert_int_equal(carnet_event_verb(CARNET_EVENT_WITHDRAW), CARNET_VERB_REFUSE);
    assert_int_equal(carnet_event_verb(CARNET_EVENT_DARK), CARNET_VERB_DARK);
}

static void dots_are_ordered_by_author_stream_sequence_index(void **state)
{
    (void)state;
    const struct carnet_dot dots[] = {
        { .author = 1, .stream = 0, .seq = 9, .index = 9 }, { .author = 1, .stream = 1, .seq = 1, .index = 9 },
        { .author = 1, .stream = 1, .seq = 2, .index = 0 }, { .author = 1, .stream = 1, .seq = 2, .index = 1 },
        { .author = UINT64_MAX, .stream = 0, .seq = 1, .index = 0 },
    };
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 5; j++) {
            int order = carnet_dot_compare(&dots[i], &dots[j]);
            assert_true(i < j ? order < 0 : i > j ? order > 0 : order == 0);
            assert_int_equal(carnet_dot_equal(&dots[i], &dots[j]), i == j);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_truncation_and_every_addition_is_refused),
        cmocka_unit_test(what_was_written_before_there_were_charters_is_read),
        cmocka_unit_test(damage_never_reads_outside_and_what_passes_is_canonical),
        cmocka_unit_test(a_type_of_a_newer_version_is_told_apart_from_damage),
        cmocka_unit_test(every_limit_is_held),
        cmocka_unit_test(refusals_travel_in_the_law_log),
        cmocka_unit_test(dots_are_ordered_by_author_stream_sequence_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
