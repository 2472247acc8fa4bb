// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static size_t mix(uint64_t x) /* the finisher of splitmix64 */
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (size_t)(x ^ x >> 31);
}

static size_t key_of(const struct carnet_id *book, const struct carnet_id *author, uint32_t stream)
{
    return mix(carnet_id_tail(book) * 31 + carnet_id_head(author) + (uint64_t)stream * 0x9e3779b97f4a7c15u);
}

static bool same(const struct carnet_stream *at, const struct carnet_id *book, const struct carnet_id *author, uint32_t stream)
{
    return at->row.stream == stream && carnet_id_equal(&at->row.author, author) && carnet_id_equal(&at->row.book, book);
}

struct carnet_stream *carnet_streams_find(struct carnet_streams *streams, const struct carnet_id *book, const struct carnet_id *author, uint32_t stream)
{
    if (streams->slot_count == 0)
        return NULL;
    for (size_t i = key_of(book, author, stream);; i++) {
        uint32_t slot = streams->slots[i & (streams->slot_count - 1)];
        if (slot == 0)
            return NULL;
        if (same(&streams->at[slot - 1], book, author, stream))
            return &streams->at[slot - 1];
    }
}

struct carnet_stream *carnet_streams_at(struct carnet_streams *streams, int64_t n)
{
    if (n < 0 || (size_t)n >= streams->by_n_count || streams->by_n[n] == 0)
        return NULL;
    return &streams->at[streams->by_n[n] - 1];
}

static void place(struct carnet_streams *streams, size_t index)
{
    const struct carnet_stream_row *row = &streams->at[index].row;
    size_t i = key_of(&row->book, &row->author, row->stream);
    while (streams->slots[i & (streams->slot_count - 1)])
        i++;
    streams->slots[i & (streams->slot_count - 1)] = (uint32_t)index + 1;
}

struct carnet_stream *carnet_streams_add(struct carnet_streams *streams, const struct carnet_stream_row *row)
{
    CARNET_ASSERT(row->n > 0 && row->n < INT32_MAX);
    CARNET_GROW(streams->at, streams->count, streams->cap);
    memset(&streams->at[streams->count], 0, sizeof *streams->at);
    streams->at[streams->count++].row = *row;
    if (streams->count * 2 > streams->slot_count) {
        streams->slot_count = streams->slot_count ? streams->slot_count * 2 : 64;
        free(streams->slots);
        streams->slots = carnet_alloc(streams->slot_count * sizeof *streams->slots);
        for (size_t i = 0; i + 1 < streams->count; i++)
            place(streams, i);
    }
    place(streams, streams->count - 1);
    if ((size_t)row->n >= streams->by_n_count) {
        size_t count = (size_t)row->n * 2 + 64;
        streams->by_n = carnet_realloc(streams->by_n, count, sizeof *streams->by_n);
        memset(streams->by_n + streams->by_n_count, 0, (count - streams->by_n_count) * sizeof *streams->by_n);
        streams->by_n_count = count;
    }
    streams->by_n[row->n] = (uint32_t)streams->count;
    return &streams->at[streams->count - 1];
}

void carnet_streams_deinit(struct carnet_streams *streams)
{
    free(streams->at);
    free(streams->slots);
    free(streams->by_n);
    *streams = (struct carnet_streams){ 0 };
}

uint64_t carnet_stream_standing(const struct carnet_stream *stream)
{
    if (stream->row.void_from == 0 || stream->row.void_from > stream->row.seq)
        return stream->row.seq;
    return stream->row.void_from - 1;
}

bool carnet_dot_seen(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_dot *dot)
{
    const struct carnet_cert *author = carnet_authority_author(replica->authority, dot->author);
    const struct carnet_stream *stream = author ? carnet_streams_find(&replica->streams, book, &author->node, dot->stream) : NULL;
    struct carnet_entry_row row;
    if (!stream || dot->seq > stream->row.seq)
        return false;
    if (!replica->rebuilding)
        return true;
    /* its turn may come only now */
    return carnet_store_entry_find(replica->store, stream->row.n, dot->seq, &row, NULL) == CARNET_OK && row.n < replica->rebuilding;
}

bool carnet_numbers_has(const struct carnet_numbers *numbers, uint64_t number)
{
    if (numbers->slot_count == 0)
        return false;
    for (size_t i = mix(number);; i++) {
        uint64_t slot = numbers->slots[i & (numbers->slot_count - 1)];
        if (slot == 0 || slot == number)
            return slot == number;
    }
}

static void number_place(struct carnet_numbers *numbers, uint64_t number)
{
    size_t i = mix(number);
    while (numbers->slots[i & (numbers->slot_count - 1)])
        i++;
    numbers->slots[i & (numbers->slot_count - 1)] = number;
}

bool carnet_numbers_add(struct carnet_numbers *numbers, uint64_t number)
{
    if (carnet_numbers_has(numbers, number))
        return false;
    if ((numbers->count + 1) * 2 > numbers->slot_count) {
        struct carnet_numbers grown = { .count = numbers->count, .slot_count = numbers->slot_count ? numbers->slot_count * 2 : 64 };
        grown.slots = carnet_alloc(grown.slot_count * sizeof *grown.slots);
        for (size_t i = 0; i < numbers->slot_count; i++) {
            if (numbers->slots[i])
                number_place(&grown, numbers->slots[i]);
        }
        free(numbers->slots);
        *numbers = grown;
    }
    number_place(numbers, number);
    numbers->count++;
    return true;
}

void carnet_numbers_deinit(struct carnet_numbers *numbers)
{
    free(numbers->slots);
    *numbers = (struct carnet_numbers){ 0 };
}

void carnet_digests_forget(struct carnet_replica *replica, const struct carnet_id *book, unsigned lane)
{
    for (size_t i = 0; i < replica->digest_count; i++) {
        if (carnet_id_equal(&replica->digests[i].book, book))
            replica->digests[i].known[lane] = false;
    }
}

void carnet_reached(struct carnet_replica *replica, const struct carnet_id *author, uint64_t hlc)
{
    if (carnet_id_equal(author, &replica->node) || hlc <= replica->reached[1].hlc)
        return;
    if (carnet_id_equal(author, &replica->reached[0].author)) {
        if (hlc > replica->reached[0].hlc)
            replica->reached[0].hlc = hlc;
        return;
    }
    if (hlc > replica->reached[0].hlc) {
        replica->reached[1] = replica->reached[0];
        replica->reached[0].author = *author;
        replica->reached[0].hlc = hlc;
        return;
    }
    replica->reached[1].author = *author;
    replica->reached[1].hlc = hlc;
}
