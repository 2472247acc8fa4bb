// SPDX-License-Identifier: EUPL-1.2
/* base/bytes: slices (borrowed bytes), buffers with a ceiling, allocation that cannot fail. Layer: base. */
#ifndef CARNET_BASE_BYTES_H
#define CARNET_BASE_BYTES_H

#include "carnet/base/rc.h"

/* Borrowed bytes. Text slices are UTF-8 without a final NUL. */
struct carnet_slice {
    const uint8_t *ptr;
    size_t len;
};
#define CARNET_SLICE_NONE ((struct carnet_slice){ NULL, 0 })
struct carnet_slice carnet_slice(const void *ptr, size_t len);
struct carnet_slice carnet_slice_str(const char *text); /* NULL gives an empty slice */
bool carnet_slice_equal(struct carnet_slice a, struct carnet_slice b);
int carnet_slice_compare(struct carnet_slice a, struct carnet_slice b); /* bytewise, shorter first: <0, 0, >0 */

/* Growing bytes that never pass len_max; gives CARNET_LIMIT instead. `failed` is sticky, so a chain of appends may be
 * checked once, at the end. The memory belongs to the buffer. */
struct carnet_buf {
    uint8_t *ptr;
    size_t len;
    size_t cap;
    size_t len_max;
    bool failed;
};
void carnet_buf_init(struct carnet_buf *buf, size_t len_max);
void carnet_buf_deinit(struct carnet_buf *buf);
void carnet_buf_clear(struct carnet_buf *buf); /* len 0, failed false; keeps the memory */
void carnet_buf_append(struct carnet_buf *buf, const void *ptr, size_t len);
void carnet_buf_append_slice(struct carnet_buf *buf, struct carnet_slice s);
void carnet_buf_append_str(struct carnet_buf *buf, const char *text);
void carnet_buf_append_byte(struct carnet_buf *buf, uint8_t byte);
void carnet_buf_printf(struct carnet_buf *buf, const char *fmt, ...) CARNET_PRINTF(2, 3);
struct carnet_slice carnet_buf_slice(const struct carnet_buf *buf); /* borrows */
const char *carnet_buf_cstr(struct carnet_buf *buf); /* appends a NUL beyond len; borrows; "" when empty */

/* Memory that is there or the process ends: sizes are bounded before (base/limits.h). Freed with free(). */
void *carnet_alloc(size_t size);                       /* zeroed */
void *carnet_realloc(void *ptr, size_t count, size_t size); /* checks the product */
char *carnet_strdup_slice(struct carnet_slice s);      /* gives a NUL-terminated copy */

/* Grows an array (pointer, count, capacity) so that one more item fits. */
#define CARNET_GROW(arr, count, cap)                                                                \
    do {                                                                                           \
        if ((count) == (cap)) {                                                                    \
            (cap) = (cap) ? (cap) * 2 : 8;                                                         \
            (arr) = carnet_realloc((arr), (cap), sizeof *(arr));                                   \
        }                                                                                          \
    } while (0)

/* Bump allocator: everything in it is freed at once. Slices handed out live until reset or deinit. */
struct carnet_arena {
    struct carnet_arena_block *head;
    size_t used; /* bytes handed out since the last reset */
};
void carnet_arena_init(struct carnet_arena *arena);
void carnet_arena_deinit(struct carnet_arena *arena);
void carnet_arena_reset(struct carnet_arena *arena); /* keeps the first block */
void *carnet_arena_alloc(struct carnet_arena *arena, size_t size); /* zeroed, aligned to 16 */
struct carnet_slice carnet_arena_dup(struct carnet_arena *arena, struct carnet_slice s);
char *carnet_arena_cstr(struct carnet_arena *arena, struct carnet_slice s);

#endif
