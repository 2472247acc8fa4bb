// SPDX-License-Identifier: EUPL-1.2
/* replica/audit: what was done at this node with people's data: unlocks, searches, imports, exports, messages, consent changes, erasures, administration, access.
 * Layer: replica. Local: it never travels.
 *
 * A chain of rows: each one is hashed over the former and signed by the node's key, and a signed head says where the chain ends. So a row that was changed, taken out
 * or added by somebody without that key is found; an older copy of the whole file is not.
 *
 * No personal data: a detail is made of counts, purposes, scopes, names of fields of the charter, of members and books, and of a reason when one is due. Never a contact's
 * id or value: who was concerned is in the log, which an erasure reaches; this trail it does not reach. carnet_audit_add refuses what looks like an address, a number
 * of a phone or an id.
 *
 * What happens often is counted: searches in memory, written with the next transaction of something else (or when the node closes), one row a day; what one transaction
 * signs, one row; what an import signs, one row when it ends. Consent changes, erasures and administration are counted where events are signed: no caller can forget them. */
#ifndef CARNET_REPLICA_AUDIT_H
#define CARNET_REPLICA_AUDIT_H

#include "carnet/replica/replica.h"

enum carnet_audit_kind { /* numbers are in the store for ever */
    CARNET_AUDIT_UNLOCK = 1, CARNET_AUDIT_SEARCH, CARNET_AUDIT_IMPORT, CARNET_AUDIT_EXPORT, CARNET_AUDIT_SEND, CARNET_AUDIT_CONSENT, CARNET_AUDIT_ERASE,
    CARNET_AUDIT_ADMIN, CARNET_AUDIT_ACCESS, CARNET_AUDIT_PURGE
};
const char *carnet_audit_kind_name(unsigned kind); /* "?": unknown */

/* Appends a row: with the transaction that is open, else durable at once. USAGE: the detail is empty, of several lines, longer than CARNET_AUDIT_DETAIL_LEN_MAX, or looks like
 * personal data (for a caller's own words that is a bug; a reason that a person typed is to be refused before anything is done: carnet_audit_check). */
CARNET_MUST_USE carnet_rc carnet_audit_add(struct carnet_replica *replica, enum carnet_audit_kind kind, struct carnet_slice detail, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_audit_check(struct carnet_slice detail, struct carnet_err *err);
/* A search that gave so many people. Nothing is written now. */
void carnet_audit_search(struct carnet_replica *replica, size_t results);
/* Until released, what transactions sign is summed in the store, in the same transactions. Released, or after a crash with the day, it becomes rows. */
void carnet_audit_hold(struct carnet_replica *replica, bool held);

struct carnet_audit_item {
    int64_t n, at_ms;
    unsigned kind;
    struct carnet_slice detail;
    bool good; /* hash, signature and place in the chain */
};
/* Checks the whole chain and gives the rows from since_ms on (0: all), oldest first; what was only counted so far becomes rows before. CORRUPT when the chain is broken:
 * after the last row, err names the first bad place. */
CARNET_MUST_USE carnet_rc carnet_audit_list(struct carnet_replica *replica, int64_t since_ms, bool (*each)(void *ctx, const struct carnet_audit_item *item), void *ctx,
                                            struct carnet_err *err);
/* Drops what is older than 12 months; the chain begins where they ended. Upkeep does it when a peer's clock agrees, or a person. *dropped may be NULL. */
CARNET_MUST_USE carnet_rc carnet_audit_drop(struct carnet_replica *replica, int64_t *dropped, struct carnet_err *err);

#endif
