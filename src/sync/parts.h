// SPDX-License-Identifier: EUPL-1.2
/* Which parts of an entry a node gets. Private to the layer. */
#ifndef CARNET_SYNC_PARTS_H
#define CARNET_SYNC_PARTS_H

#include "carnet/log/authority.h"

struct parts {
    size_t here, missing; /* of those it gets */
};
bool carnet_parts_gets_all(const struct carnet_cert *cert);
/* Writes the entry into out, cleared before, as the holder of cert gets it. false: the bytes are no entry, and nothing of them may leave. */
bool carnet_parts_strip(const struct carnet_cert *cert, struct carnet_slice bytes, struct carnet_arena *arena, struct carnet_buf *out,
                        struct parts *parts);

#endif
