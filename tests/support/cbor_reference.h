// SPDX-License-Identifier: EUPL-1.2
/* support/cbor_reference: what libcbor makes of bytes, and our writers of that: the other opinion on what the strict reader accepts. */
#ifndef CARNET_TESTS_SUPPORT_CBOR_REFERENCE_H
#define CARNET_TESTS_SUPPORT_CBOR_REFERENCE_H

#include "carnet/wire/cbor.h"

/* false: bytes that would have cbor_load allocate by a declared 32- or 64-bit size (or merely contain such a byte): no opinion. */
bool cbor_reference_has_opinion(struct carnet_slice bytes);
/* Whether libcbor loads the bytes whole, everything in them is of the kinds we accept, and our writers give the same bytes again. */
bool cbor_reference_accepts(struct carnet_slice bytes);
/* Reads with the getters whatever is there and writes it again: equal to bytes when they pass carnet_cbor_check. */
void cbor_reference_copy(struct carnet_slice bytes, struct carnet_buf *out);

#endif
