// SPDX-License-Identifier: EUPL-1.2
/* base, private: code points, shared by text.c and fold.c. */
#ifndef CARNET_SRC_BASE_UTF8_H
#define CARNET_SRC_BASE_UTF8_H

#include "carnet/base/text.h"

enum {
    /* Code points, decomposed, that may hang on one letter. Unicode's stream-safe format (UAX 15 section 13) knows no natural text
     * with more than 30; the bound keeps every pass linear and on the stack. */
    CARNET_CLUSTER_MAX = 64,
    /* Below this, every code point is its own NFC and joins no earlier one; its UTF-8 begins with a byte below 0xcc. */
    CARNET_PLAIN_MAX = 0x300,
};

/* The code point at *at, which moves past it; -1 when the bytes are not UTF-8 (RFC 3629). Precondition: *at < text.len. */
int32_t carnet_utf8_decode(struct carnet_slice text, size_t *at);
/* Whether a cluster begins before this code point: it never reorders with, nor composes with, what stands before it. */
bool carnet_text_is_boundary(int32_t code);
/* Canonical order, in place: marks by combining class, stable. */
void carnet_text_order(int32_t *codes, size_t count);

#endif
