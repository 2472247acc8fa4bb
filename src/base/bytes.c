// SPDX-License-Identifier: EUPL-1.2
#include "carnet/base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct carnet_slice carnet_slice(const void *ptr, size_t len)
{
    return (struct carnet_slice){ ptr, len };
}

struct carnet_slice carnet_slice_str(const char *text)
{
    return carnet_slice(text, text ? strlen(text) : 0);
}

bool carnet_slice_equal(struct carnet_slice a, struct carnet_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int carnet_slice_compare(struct carnet_slice a, struct carnet_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

void carnet_buf_init(struct carnet_buf *buf, size_t len_max)
{
    *buf = (struct carnet_buf){ .len_max = len_max };
}

void carnet_buf_deinit(struct carnet_buf *buf)
{
    free(buf->ptr);
    *buf = (struct carnet_buf){ .len_max = buf->len_max };
}

void carnet_buf_clear(struct carnet_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

/* One byte beyond len is always there, for carnet_buf_cstr. */
static bool reserve(struct carnet_buf *buf, size_t more)
{
    if (buf->failed || more > buf->len_max || buf->len > buf->len_max - more) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->len + more + 1;
    if (need > buf->cap) {
        size_t cap = buf->cap ? buf->cap : 64;
        while (cap < need)
            cap *= 2;
        buf->ptr = carnet_realloc(buf->ptr, cap, 1);
        buf->cap = cap;
    }
    return true;
}

void carnet_buf_append(struct carnet_buf *buf, const void *ptr, size_t len)
{
    if (len && reserve(buf, len)) {
        memcpy(buf->ptr + buf->len, ptr, len);
        buf->len += len;
    }
}

void carnet_buf_append_slice(struct carnet_buf *buf, struct carnet_slice s)
{
    carnet_buf_append(buf, s.ptr, s.len);
}

void carnet_buf_append_str(struct carnet_buf *buf, const char *text)
{
    carnet_buf_append(buf, text, strlen(text));
}

void carnet_buf_append_byte(struct carnet_buf *buf, uint8_t byte)
{
    carnet_buf_append(buf, &byte, 1);
}

void carnet_buf_printf(struct carnet_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    CARNET_ASSERT(len >= 0);
    if (reserve(buf, (size_t)len)) {
        vsnprintf((char *)buf->ptr + buf->len, (size_t)len + 1, fmt, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

struct carnet_slice carnet_buf_slice(const struct carnet_buf *buf)
{
    return carnet_slice(buf->ptr, buf->len);
}

const char *carnet_buf_cstr(struct carnet_buf *buf)
{
    if (!buf->ptr)
        return "";
    buf->ptr[buf->len] = 0;
    return (const char *)buf->ptr;
}

void *carnet_alloc(size_t size)
{
    void *ptr = calloc(1, size ? size : 1);
    CARNET_ASSERT(ptr);
    return ptr;
}

void *carnet_realloc(void *ptr, size_t count, size_t size)
{
    size_t bytes;
    CARNET_ASSERT(!__builtin_mul_overflow(count, size, &bytes));
    void *out = realloc(ptr, bytes ? bytes : 1);
    CARNET_ASSERT(out);
    return out;
}

char *carnet_strdup_slice(struct carnet_slice s)
{
    char *out = carnet_alloc(s.len + 1);
    if (s.len)
        memcpy(out, s.ptr, s.len);
    return out;
}

enum { BLOCK_LEN = 64 * 1024 };

struct carnet_arena_block {
    struct carnet_arena_block *next;
    size_t used, size;
    _Alignas(16) uint8_t bytes[];
};

void carnet_arena_init(struct carnet_arena *arena)
{
    *arena = (struct carnet_arena){ 0 };
}

void carnet_arena_deinit(struct carnet_arena *arena)
{
    while (arena->head) {
        struct carnet_arena_block *next = arena->head->next;
        free(arena->head);
        arena->head = next;
    }
    arena->used = 0;
}

void carnet_arena_reset(struct carnet_arena *arena)
{
    while (arena->head && arena->head->next) {
        struct carnet_arena_block *next = arena->head->next;
        free(arena->head);
        arena->head = next;
    }
    if (arena->head && arena->head->size > BLOCK_LEN) {
        free(arena->head);
        arena->head = NULL;
    }
    if (arena->head)
        arena->head->used = 0;
    arena->used = 0;
}

void *carnet_arena_alloc(struct carnet_arena *arena, size_t size)
{
    CARNET_ASSERT(size <= SIZE_MAX - 32);
    size = (size + 15) & ~(size_t)15;
    if (!arena->head || arena->head->size - arena->head->used < size) {
        size_t room = size > BLOCK_LEN ? size : BLOCK_LEN;
        struct carnet_arena_block *block = carnet_realloc(NULL, 1, sizeof *block + room);
        block->next = arena->head;
        block->used = 0;
        block->size = room;
        arena->head = block;
    }
    void *out = arena->head->bytes + arena->head->used;
    memset(out, 0, size);
    arena->head->used += size;
    arena->used += size;
    return out;
}

struct carnet_slice carnet_arena_dup(struct carnet_arena *arena, struct carnet_slice s)
{
    uint8_t *copy = carnet_arena_alloc(arena, s.len + 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    return carnet_slice(copy, s.len);
}

char *carnet_arena_cstr(struct carnet_arena *arena, struct carnet_slice s)
{
    char *copy = carnet_arena_alloc(arena, s.len + 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    return copy;
}
