// SPDX-License-Identifier: EUPL-1.2
/* base/id: 16-byte ids (UUIDv7 records, books, nodes, communities), 32-byte hashes and keys. Layer: base. */
#ifndef CARNET_BASE_ID_H
#define CARNET_BASE_ID_H

#include "carnet/base/bytes.h"

struct carnet_id { uint8_t b[16]; };
struct carnet_hash { uint8_t b[32]; };

enum { CARNET_ID_TEXT_LEN = 12 };                      /* characters of the short text */
struct carnet_id_text { char s[CARNET_ID_TEXT_LEN + 1]; };

/* UUIDv7 (RFC 9562 5.7): 48 bits of Unix milliseconds, version, 74 random bits taken from random10 (10 bytes). */
struct carnet_id carnet_id_v7(int64_t wall_ms, const uint8_t random10[10]);
int64_t carnet_id_ms(const struct carnet_id *id); /* the milliseconds inside a UUIDv7 */
bool carnet_id_equal(const struct carnet_id *a, const struct carnet_id *b);
bool carnet_id_is_zero(const struct carnet_id *id);
int carnet_id_compare(const struct carnet_id *a, const struct carnet_id *b);
bool carnet_hash_equal(const struct carnet_hash *a, const struct carnet_hash *b);

/* Short text: the last 60 bits (all random in a UUIDv7) as 12 characters of Crockford base32, lower case. */
struct carnet_id_text carnet_id_text(const struct carnet_id *id);
uint64_t carnet_id_tail(const struct carnet_id *id); /* those 60 bits as a number, for an index */
/* Reads 4 to 12 characters of a short text (case ignored, o=0, i=l=1, '-' skipped) as the range [low, high] of tails whose
 * text begins with them. false: not such a text. */
bool carnet_id_range(struct carnet_slice text, uint64_t *low, uint64_t *high);
/* The first 8 bytes, big-endian: the author number in dots; also orders ids. */
uint64_t carnet_id_head(const struct carnet_id *id);

/* Lower-case hexadecimal. out holds 2 * len + 1 bytes. */
void carnet_hex(const void *bytes, size_t len, char *out);
bool carnet_unhex(struct carnet_slice text, uint8_t *out, size_t len); /* exactly len bytes */

/* Crockford base32 of any bytes, for codes people copy (upper case, no padding). */
void carnet_base32_encode(struct carnet_slice bytes, struct carnet_buf *out);
/* Ignores case, spaces and '-'; o=0, i=l=1. MALFORMED on another character or non-zero padding bits. */
CARNET_MUST_USE carnet_rc carnet_base32_decode(struct carnet_slice text, struct carnet_buf *out);

#endif
