// SPDX-License-Identifier: EUPL-1.2
#include "table.h"

#include <stdlib.h>

void carnet_table_deinit(struct table *table)
{
    free(table->rows);
    free(table->slots);
    *table = (struct table){ 0 };
}

static size_t first_slot(const struct table *table, size_t book, const struct carnet_id *author, uint32_t stream)
{
    uint64_t h = carnet_id_head(author) ^ ((uint64_t)book << 32 | stream) * 0x9e3779b97f4a7c15u;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9u;
    return (size_t)(h ^ h >> 32) & (table->slot_count - 1);
}

static uint32_t *slot_of(const struct table *table, size_t book, const struct carnet_id *author, uint32_t stream)
{
    size_t at = first_slot(table, book, author, stream);
    while (table->slots[at]) {
        const struct chain *chain = &table->rows[table->slots[at] - 1];
        if (chain->book == book && chain->stream == stream && carnet_id_equal(&chain->author, author))
            break;
        at = (at + 1) & (table->slot_count - 1);
    }
    return &table->slots[at];
}

struct chain *carnet_table_find(const struct table *table, size_t book, const struct carnet_id *author, uint32_t stream)
{
    if (!table->slot_count)
        return NULL;
    uint32_t row = *slot_of(table, book, author, stream);
    return row ? &table->rows[row - 1] : NULL;
}

struct chain *carnet_table_get(struct table *table, size_t book, const struct carnet_id *author, uint32_t stream)
{
    if (table->count * 2 >= table->slot_count) {
        free(table->slots);
        table->slot_count = table->slot_count ? table->slot_count * 2 : 64;
        table->slots = carnet_alloc(table->slot_count * sizeof *table->slots);
        for (size_t i = 0; i < table->count; i++) {
            const struct chain *chain = &table->rows[i];
            *slot_of(table, chain->book, &chain->author, chain->stream) = (uint32_t)(i + 1);
        }
    }
    uint32_t *slot = slot_of(table, book, author, stream);
    if (*slot == 0) {
        CARNET_GROW(table->rows, table->count, table->cap);
        table->rows[table->count++] = (struct chain){ .author = *author, .stream = stream, .book = (uint16_t)book };
        *slot = (uint32_t)table->count;
    }
    return &table->rows[*slot - 1];
}

void carnet_heap_deinit(struct heap *heap)
{
    free(heap->items);
    *heap = (struct heap){ 0 };
}

void carnet_heap_push(struct heap *heap, int64_t n, size_t chain)
{
    CARNET_GROW(heap->items, heap->count, heap->cap);
    size_t at = heap->count++;
    while (at && heap->items[(at - 1) / 2].n > n) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = (struct heap_item){ n, (uint32_t)chain };
}

void carnet_heap_pop(struct heap *heap)
{
    CARNET_ASSERT(heap->count);
    struct heap_item last = heap->items[--heap->count];
    size_t at = 0;
    for (size_t child = 1; child < heap->count; child = at * 2 + 1) {
        if (child + 1 < heap->count && heap->items[child + 1].n < heap->items[child].n)
            child++;
        if (last.n <= heap->items[child].n)
            break;
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = last;
}
