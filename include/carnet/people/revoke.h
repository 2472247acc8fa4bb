// SPDX-License-Identifier: EUPL-1.2
/* people/revoke: a member's node that is no longer trusted, and what it wrote beyond the place where its logs end. Layer: people. */
#ifndef CARNET_PEOPLE_REVOKE_H
#define CARNET_PEOPLE_REVOKE_H

#include "carnet/people/people.h"

/* Cuts the node where this replica's copy of its logs ends (carnet_replica_cut). Revoked already, by anybody: nothing is written. REFUSED: not below this node. */
CARNET_MUST_USE carnet_rc carnet_people_revoke(struct carnet_replica *replica, const struct carnet_member *member, struct carnet_err *err);
/* The records that the node's void entries held here are about, each once, by book and id: what it wrote before it was cut and this replica took in before it knew. Their
 * values count no more; people ask again, and write them in their own name. False ends the walk. */
CARNET_MUST_USE carnet_rc carnet_people_beyond(struct carnet_replica *replica, const struct carnet_id *node,
                                               bool (*each)(void *ctx, const struct carnet_id *book, const struct carnet_id *record), void *ctx, struct carnet_err *err);

#endif
