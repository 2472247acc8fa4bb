// SPDX-License-Identifier: EUPL-1.2
/* wire/cbor: strict deterministic CBOR (RFC 8949 section 4.2) over bounded bytes. Layer: wire; sees only base.
 *
 * Accepted: unsigned integers, negative ones down to -2^63, byte strings, text strings (UTF-8, NFC, no NUL), arrays,
 * false, true, null; all definite,
 * with the shortest head. Refused: maps, tags, floats, indefinite lengths, other simple values, nesting beyond
 * CARNET_CBOR_DEPTH_MAX, more than CARNET_CBOR_ITEMS_MAX items, a declared count or length larger than the bytes that remain,
 * trailing bytes. Nothing allocates. Property: what is read and written again gives the same bytes. */
#ifndef CARNET_WIRE_CBOR_H
#define CARNET_WIRE_CBOR_H

#include "carnet/base/id.h"

/* A cursor with a sticky failure: after the first error every getter gives zero, and carnet_reader_done says MALFORMED. Slices
 * point into the input and live as long as it. */
struct carnet_reader {
    const uint8_t *ptr;
    size_t len;
    size_t at;
    uint32_t items; /* items seen so far */
    bool failed;
};
enum carnet_cbor_type {
    CARNET_CBOR_UINT, CARNET_CBOR_NEGINT, CARNET_CBOR_BYTES, CARNET_CBOR_TEXT, CARNET_CBOR_ARRAY,
    CARNET_CBOR_BOOL, CARNET_CBOR_NULL, CARNET_CBOR_END, /* nothing left, or failed */
};

void carnet_reader_init(struct carnet_reader *r, struct carnet_slice bytes);
/* END also before what is refused: carnet_reader_done tells. */
enum carnet_cbor_type carnet_reader_peek(const struct carnet_reader *r);
size_t carnet_reader_array(struct carnet_reader *r);                     /* count of items that follow; count <= bytes left */
size_t carnet_reader_array_max(struct carnet_reader *r, size_t max);     /* fails when the count exceeds max */
void carnet_reader_array_exact(struct carnet_reader *r, size_t count);   /* fails unless the count is this */
uint64_t carnet_reader_uint(struct carnet_reader *r);
uint64_t carnet_reader_uint_max(struct carnet_reader *r, uint64_t max);
int64_t carnet_reader_int(struct carnet_reader *r);
struct carnet_slice carnet_reader_bytes(struct carnet_reader *r);
void carnet_reader_bytes_exact(struct carnet_reader *r, void *out, size_t len); /* out is zeroed on failure */
struct carnet_slice carnet_reader_text(struct carnet_reader *r);         /* checked: UTF-8, NFC */
struct carnet_slice carnet_reader_text_max(struct carnet_reader *r, size_t len_max);
void carnet_reader_tag(struct carnet_reader *r, const char *text);       /* fails unless the next item is this text */
bool carnet_reader_bool(struct carnet_reader *r);
bool carnet_reader_null(struct carnet_reader *r);                        /* true and consumed when the next item is null */
struct carnet_slice carnet_reader_skip(struct carnet_reader *r);         /* one whole item, checked, as its bytes */
void carnet_reader_fail(struct carnet_reader *r);                        /* the caller found the meaning wrong */
/* OK: everything read and nothing left. MALFORMED otherwise. */
CARNET_MUST_USE carnet_rc carnet_reader_done(const struct carnet_reader *r);

/* One whole item and nothing after it: OK or MALFORMED. Every received message passes this before anything else. */
CARNET_MUST_USE carnet_rc carnet_cbor_check(struct carnet_slice bytes);

/* Writers append to the buffer (its ceiling gives CARNET_LIMIT through buf->failed). Text must be UTF-8 NFC: the caller's duty. */
void carnet_cbor_put_array(struct carnet_buf *out, size_t count);
void carnet_cbor_put_uint(struct carnet_buf *out, uint64_t value);
void carnet_cbor_put_int(struct carnet_buf *out, int64_t value);
void carnet_cbor_put_bytes(struct carnet_buf *out, struct carnet_slice bytes);
void carnet_cbor_put_text(struct carnet_buf *out, struct carnet_slice text);
void carnet_cbor_put_str(struct carnet_buf *out, const char *text);
void carnet_cbor_put_bool(struct carnet_buf *out, bool value);
void carnet_cbor_put_null(struct carnet_buf *out);
void carnet_cbor_put_id(struct carnet_buf *out, const struct carnet_id *id);     /* 16 bytes */
void carnet_cbor_put_hash(struct carnet_buf *out, const struct carnet_hash *h);  /* 32 bytes */

#endif
