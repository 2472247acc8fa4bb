// SPDX-License-Identifier: EUPL-1.2
/* sync/bundle: what a node would send in a session, as a file carried by hand. Layer: sync; pure: bytes go through callbacks. protocol/sync.md
 * describes the file.
 *
 * Signed by its sender over all of it, so that a cut or altered file is told from a whole one; the entries before the damage stay good, each
 * proves itself. The file is not sealed as a whole: parts are sealed as everywhere, what is clear in an entry (ids, kinds, events, the charter)
 * can be read by who finds the file. */
#ifndef CARNET_SYNC_BUNDLE_H
#define CARNET_SYNC_BUNDLE_H

#include "carnet/sync/session.h"

struct carnet_bundle_stats {
    uint64_t entries; /* written, or applied */
    uint64_t refused; /* by apply */
    uint64_t bytes;   /* of the file, so far */
    struct carnet_id sender; /* node; when read */
    int64_t wall_ms;         /* when it was written, by the sender's clock */
};
struct carnet_bundle_terms {
    const struct carnet_cert *reader;      /* for whom; NULL: any member, who takes what is its own */
    const struct carnet_sync_head *heads;  /* what the reader is known to have, in any order */
    size_t head_count;                     /* 0: everything shared */
    int64_t wall_ms;
    const struct carnet_sign_sk *sk;       /* this node's */
};
/* Writes charter, law, data, each in order of arrival; `write` says false to stop: CANCELLED. REFUSED: the reader is cut. CORRUPT: a stored entry does
 * not decode. */
CARNET_MUST_USE carnet_rc carnet_bundle_write(const struct carnet_sync_source *source, const struct carnet_bundle_terms *terms,
                                              bool (*write)(void *ctx, struct carnet_slice bytes), void *ctx, struct carnet_bundle_stats *stats);

struct carnet_bundle_input {
    void *ctx;
    /* Reads max bytes; fewer only at the end of the file. false: it failed. */
    bool (*read)(void *ctx, uint8_t *out, size_t max, size_t *got);
    /* Applies entries in one transaction and commits; a result for each in rcs. Another answer than OK ends the reading. At most
     * CARNET_SYNC_ENTRIES_MAX; slices live until it returns. */
    carnet_rc (*apply)(void *ctx, const struct carnet_slice *entries, size_t count, carnet_rc *rcs);
};
/* Reads a bundle as it comes. Entries of books that this node does not hold are passed over, parts that are not for it dropped. OK: it was whole.
 * MALFORMED: no bundle, or cut or altered after the entries counted. REFUSED: of another community, for another node, or its sender is no
 * member, was revoked or had expired when it wrote. FAILED: reading failed. Else what apply said. why (may be NULL): English literal. */
CARNET_MUST_USE carnet_rc carnet_bundle_read(const struct carnet_sync_source *source, const struct carnet_bundle_input *input,
                                             struct carnet_bundle_stats *stats, const char **why);

#endif
