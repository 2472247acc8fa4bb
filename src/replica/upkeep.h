// SPDX-License-Identifier: EUPL-1.2
/* What members.c, history.c, erase.c and upkeep.c share. */
#ifndef CARNET_REPLICA_UPKEEP_H
#define CARNET_REPLICA_UPKEEP_H

#include "internal.h"

/* --- members.c --- */
bool carnet_address_is(struct carnet_slice address); /* tcp://host:port, shorter than 96 bytes */
/* The member's name behind an author number; empty: unknown. */
void carnet_members_name(struct carnet_replica *replica, uint64_t author, char out[CARNET_NAME_LEN_MAX + 1]);
CARNET_MUST_USE carnet_rc carnet_members_alive(struct carnet_replica *replica, int64_t ms, struct carnet_err *err); /* event ALIVE, written */

/* --- erase.c --- */
/* May this node write now at all: certified, neither cut nor expired? NULL: no. */
const struct carnet_cert *carnet_erase_self(struct carnet_replica *replica);
/* Writes the darkening of the scopes' live seeds; nothing to destroy: nothing is written. Inside a transaction. */
CARNET_MUST_USE carnet_rc carnet_erase_dark(struct carnet_replica *replica, const struct carnet_loaded *loaded, uint32_t scopes, struct carnet_err *err);
uint32_t carnet_erase_sealed(const struct carnet_record *record); /* scopes that have a seed which is not dead */
/* Does a change of a law entry from the future still wait for somebody whose clock agrees to confirm it? */
CARNET_MUST_USE carnet_rc carnet_erase_pending(struct carnet_replica *replica, const struct carnet_entry *entry, size_t change, bool *pending, struct carnet_err *err);
/* Does a part of which the change rectifies a cell stay here, because other cells of it live, or nobody confirmed it? No receipt covers it then. */
CARNET_MUST_USE carnet_rc carnet_erase_remains(struct carnet_replica *replica, const struct carnet_entry *entry, size_t change, bool *remains, struct carnet_err *err);
bool carnet_erase_destroys(const struct carnet_change *change); /* it darkens, erases or rectifies */

#endif
