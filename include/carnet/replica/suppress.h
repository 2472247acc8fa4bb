// SPDX-License-Identifier: EUPL-1.2
/* replica/suppress: the suppression list: keyed tags of addresses that somebody refused, which outlive the data. Layer: replica.
 *
 * Every withdrawal, objection and erasure that carnet_replica_write writes leaves tags of all e-mail addresses and phone numbers of the person, for the
 * purpose refused (erasing, objecting to all: every purpose), in the same transaction: callers do nothing for it. What a node without the key (volunteers,
 * relays) refuses is tagged by the next office, in its upkeep. A record that holds an address with a tag is refused the purpose, in all that evaluates
 * consent (views, carnet_replica_allowed); records that came lately are compared in the background, and at once when allowed is asked with a purpose.
 *
 * An import asks carnet_replica_suppressed for each address of a row: all true: leave the address out (a row all of whose addresses are so is `suppressed`);
 * a purpose named: write the address, count the row's grant of that purpose as `refused`. It calls carnet_replica_suppress for rows that say no and of whom
 * nobody is filed (an unsubscribe list); for somebody who is, the event OBJECT is enough. A computation of a tag takes half a millisecond, once for an address. */
#ifndef CARNET_REPLICA_SUPPRESS_H
#define CARNET_REPLICA_SUPPRESS_H

#include "carnet/replica/replica.h"

enum { CARNET_SUPPRESSED_MAX = 32 };
struct carnet_suppressed {
    bool all;                                              /* every purpose was refused */
    struct carnet_slice purposes[CARNET_SUPPRESSED_MAX];   /* those refused one by one; they live until the transaction ends */
    size_t count;
};
/* What an address is suppressed for. value: in normal form (people/values.h). Nothing for fields that hold no addresses, while the list is empty, and on nodes
 * without its key. FAILED: no memory for a tag. */
CARNET_MUST_USE carnet_rc carnet_replica_suppressed(struct carnet_replica *replica, uint32_t field, struct carnet_slice value, struct carnet_suppressed *out,
                                                    struct carnet_err *err);
bool carnet_suppressed_for(const struct carnet_suppressed *suppressed, struct carnet_slice purpose); /* that purpose, or all */
/* Writes tags of addresses (in normal form) for a purpose, empty: all; one transaction, 40 in an event. An address that is on the list for it is left out,
 * unless somebody who holds it agreed again since. *written (may be NULL): how many were. REFUSED: this node has not the key. */
CARNET_MUST_USE carnet_rc carnet_replica_suppress(struct carnet_replica *replica, const struct carnet_slice *addresses, size_t count, struct carnet_slice purpose,
                                                  size_t *written, struct carnet_err *err);
/* What stands for an address (in normal form) in a record that does not keep it, so that it is known again (protocol/consent.md): nobody tells whose it is without
 * the key of the list. false: this node has not the key. */
bool carnet_replica_address_token(struct carnet_replica *replica, struct carnet_slice value, uint8_t out[16]);
/* Its tag, under a mask: beside the token, so that the list refuses whoever has the address without keeping it. On nodes with the key. */
CARNET_MUST_USE carnet_rc carnet_replica_address_mark(struct carnet_replica *replica, struct carnet_slice value, const uint8_t token[16], uint8_t out[16],
                                                      struct carnet_err *err);
struct carnet_suppression {
    size_t tags;       /* on the list, (address, purpose) each once */
    bool key;          /* this node reads it */
    int64_t comparing; /* records that are still to be compared with it; at least */
};
/* Compares some hundreds of records with the list, in one transaction: what upkeep does in the background, for whoever has just written on it. */
CARNET_MUST_USE carnet_rc carnet_replica_compare(struct carnet_replica *replica, bool *done, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_replica_suppression(struct carnet_replica *replica, struct carnet_suppression *out, struct carnet_err *err);

#endif
