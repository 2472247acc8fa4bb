// SPDX-License-Identifier: EUPL-1.2
#include "carnet/crypto/sealed.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct node {
    struct carnet_id id;
    struct carnet_box_pk pk;
    struct carnet_box_sk sk;
};
struct source {
    struct carnet_slice bytes;
    bool broken;
};

static const struct carnet_key key = { .b = { 9, 8, 7 } };
static const struct carnet_id community = { { 42 } };

static int set_up(void **state)
{
    (void)state;
    return carnet_crypto_init(NULL) == CARNET_OK ? 0 : -1;
}

static struct node node_of(uint8_t n)
{
    struct node node = { .id = { { n } } };
    const uint8_t seed[32] = { n };
    carnet_box_pair(seed, &node.pk, &node.sk);
    return node;
}

static bool append(void *ctx, struct carnet_slice bytes)
{
    struct carnet_buf *out = ctx;
    carnet_buf_append_slice(out, bytes);
    return !out->failed;
}

static bool take(void *ctx, uint8_t *out, size_t max, size_t *got)
{
    struct source *s = ctx;
    if (s->broken)
        return false;
    *got = s->bytes.len < max ? s->bytes.len : max;
    memcpy(out, s->bytes.ptr, *got);
    s->bytes = carnet_slice(s->bytes.ptr + *got, s->bytes.len - *got);
    return true;
}

static carnet_rc seal(struct carnet_slice plain, const struct node *nodes, size_t count, struct carnet_buf *out)
{
    struct carnet_sealed_reader readers[CARNET_SEALED_READERS_MAX];
    struct carnet_sealed_writer writer = { .write = append, .ctx = out };
    for (size_t i = 0; i < count; i++)
        readers[i] = (struct carnet_sealed_reader){ nodes[i].id, nodes[i].pk };
    carnet_rc rc = carnet_sealed_begin(&writer, &key, &community, readers, count);
    /* in pieces of odd lengths */
    for (size_t at = 0, len; at < plain.len && !rc; at += len) {
        len = plain.len - at < 4099 ? plain.len - at : 4099;
        rc = carnet_sealed_put(&writer, carnet_slice(plain.ptr + at, len));
    }
    if (!rc)
        rc = carnet_sealed_end(&writer);
    carnet_sealed_free(&writer);
    return rc;
}

static carnet_rc unseal(struct carnet_slice bytes, const struct node *node, struct carnet_buf *out)
{
    struct source source = { bytes, false };
    struct carnet_sealed_opener opener = { .read = take, .ctx = &source };
    uint8_t some[5000];
    size_t got = 1;
    carnet_rc rc = carnet_sealed_open(&opener, &node->id, &node->pk, &node->sk);
    while (!rc && got) {
        rc = carnet_sealed_get(&opener, some, sizeof some, &got);
        if (!rc)
            carnet_buf_append(out, some, got);
    }
    carnet_sealed_close(&opener);
    return rc;
}

static uint8_t *text_of(size_t len)
{
    uint8_t *text = carnet_alloc(len + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = (uint8_t)(i * 31 + (i >> 8));
    return text;
}

static void each_reader_opens_what_was_sealed_and_nobody_else(void **state)
{
    (void)state;
    static const size_t lengths[] = { 0, 1, CARNET_SEALED_PIECE_LEN - 1, CARNET_SEALED_PIECE_LEN, CARNET_SEALED_PIECE_LEN + 1, 3 * CARNET_SEALED_PIECE_LEN + 77 };
    const struct node nodes[] = { node_of(1), node_of(2), node_of(3) };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t *text = text_of(lengths[i]);
        struct carnet_buf sealed, plain;
        carnet_buf_init(&sealed, 1 << 20);
        carnet_buf_init(&plain, 1 << 20);
        assert_int_equal(seal(carnet_slice(text, lengths[i]), nodes, 2, &sealed), CARNET_OK);
        for (size_t n = 0; n < 2; n++) {
            carnet_buf_clear(&plain);
            assert_int_equal(unseal(carnet_buf_slice(&sealed), &nodes[n], &plain), CARNET_OK);
            assert_true(carnet_slice_equal(carnet_buf_slice(&plain), carnet_slice(text, lengths[i])));
        }
        carnet_buf_clear(&plain);
        assert_int_equal(unseal(carnet_buf_slice(&sealed), &nodes[2], &plain), CARNET_NOT_FOUND);
        assert_int_equal(plain.len, 0);
        carnet_buf_deinit(&plain);
        carnet_buf_deinit(&sealed);
        free(text);
    }
}

/* Every byte of the head, and one here and there behind it. */
static void a_changed_byte_is_seen(void **state)
{
    (void)state;
    const size_t len = 2 * CARNET_SEALED_PIECE_LEN + 100;
    const struct node nodes[] = { node_of(1), node_of(2) };
    uint8_t *text = text_of(len);
    struct carnet_buf sealed, plain;
    carnet_buf_init(&sealed, 1 << 20);
    carnet_buf_init(&plain, 1 << 20);
    assert_int_equal(seal(carnet_slice(text, len), nodes, 2, &sealed), CARNET_OK);
    for (size_t i = 0; i < sealed.len; i += i < 400 ? 1 : 9973) {
        sealed.ptr[i] ^= 1;
        carnet_buf_clear(&plain);
        carnet_rc rc = unseal(carnet_buf_slice(&sealed), &nodes[0], &plain);
        assert_true(rc == CARNET_MALFORMED || rc == CARNET_NOT_FOUND); /* not found: it names another reader */
        assert_memory_equal(plain.ptr ? plain.ptr : text, text, plain.len);
        sealed.ptr[i] ^= 1;
    }
    carnet_buf_deinit(&plain);
    carnet_buf_deinit(&sealed);
    free(text);
}

static void what_is_cut_short_or_longer_or_in_another_order_is_seen(void **state)
{
    (void)state;
    enum { PIECE = CARNET_SEALED_PIECE_LEN + 17 };
    const size_t len = 3 * CARNET_SEALED_PIECE_LEN;
    const struct node node = node_of(1);
    uint8_t *text = text_of(len);
    struct carnet_buf sealed, plain;
    carnet_buf_init(&sealed, 1 << 20);
    carnet_buf_init(&plain, 1 << 20);
    assert_int_equal(seal(carnet_slice(text, len), &node, 1, &sealed), CARNET_OK);
    size_t head = sealed.len - 3 * PIECE - 17;
    for (size_t cut = 0; cut < sealed.len; cut += cut < 300 || cut > sealed.len - 40 ? 1 : 1021)
        assert_int_equal(unseal(carnet_slice(sealed.ptr, cut), &node, &plain), CARNET_MALFORMED);
    /* at the end of a piece: only the last one's mark tells */
    assert_int_equal(unseal(carnet_slice(sealed.ptr, head + 2 * PIECE), &node, &plain), CARNET_MALFORMED);
    carnet_buf_append_byte(&sealed, 0);
    assert_int_equal(unseal(carnet_buf_slice(&sealed), &node, &plain), CARNET_MALFORMED);
    sealed.len--;
    uint8_t *one = carnet_alloc(PIECE);
    memcpy(one, sealed.ptr + head, PIECE);
    memcpy(sealed.ptr + head, sealed.ptr + head + PIECE, PIECE);
    memcpy(sealed.ptr + head + PIECE, one, PIECE);
    assert_int_equal(unseal(carnet_buf_slice(&sealed), &node, &plain), CARNET_MALFORMED);
    free(one);
    carnet_buf_deinit(&plain);
    carnet_buf_deinit(&sealed);
    free(text);
}

static void a_reader_that_fails_and_a_writer_that_fails_are_told_apart(void **state)
{
    (void)state;
    const struct node node = node_of(1);
    struct source source = { .broken = true };
    struct carnet_sealed_opener opener = { .read = take, .ctx = &source };
    assert_int_equal(carnet_sealed_open(&opener, &node.id, &node.pk, &node.sk), CARNET_FAILED);
    carnet_sealed_close(&opener);
    struct carnet_buf small;
    carnet_buf_init(&small, 10);
    assert_int_equal(seal(CARNET_SLICE_NONE, &node, 1, &small), CARNET_CANCELLED);
    carnet_buf_deinit(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reader_opens_what_was_sealed_and_nobody_else),
        cmocka_unit_test(a_changed_byte_is_seen),
        cmocka_unit_test(what_is_cut_short_or_longer_or_in_another_order_is_seen),
        cmocka_unit_test(a_reader_that_fails_and_a_writer_that_fails_are_told_apart),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
