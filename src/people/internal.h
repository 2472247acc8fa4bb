// SPDX-License-Identifier: EUPL-1.2
/* What the files of the layer people share. */
#ifndef CARNET_PEOPLE_INTERNAL_H
#define CARNET_PEOPLE_INTERNAL_H

#include "carnet/base/text.h"
#include "carnet/people/people.h"

/* Reads and normalises fields as typed; the cells live in the arena. */
CARNET_MUST_USE carnet_rc carnet_people_cells(const struct carnet_charter *charter, const struct carnet_assign *fields, size_t count, struct carnet_arena *arena, struct carnet_write_cell **out,
                                              struct carnet_err *err);
/* REFUSED: a cell holds an address that was refused for every use, or for a purpose of the grants. */
CARNET_MUST_USE carnet_rc carnet_people_addresses_check(struct carnet_replica *replica, const struct carnet_write_cell *cells, size_t cell_count,
                                                        const struct carnet_event *grants, size_t grant_count, struct carnet_err *err);
/* Appends the text of an evidence: lines "key: text" (protocol/consent.md), with the wording of each purpose granted. */
CARNET_MUST_USE carnet_rc carnet_people_evidence(const struct carnet_charter *charter, const struct carnet_ground *ground, const struct carnet_slice *purposes,
                                                 size_t purpose_count, struct carnet_slice more, struct carnet_buf *out, struct carnet_err *err);
struct carnet_slice carnet_people_evidence_get(struct carnet_slice evidence, const char *key); /* borrows; empty: no such line */
/* A new evidence of this label replaces the one that bears it, on which grants of other purposes may rely: a copy for each of them, under their own labels. They
 * borrow the view; events: the grants of the same write, which rely on the new one. Returns how many, at most CARNET_PURPOSES_MAX. */
enum { CARNET_PURPOSES_MAX = 64 };
size_t carnet_people_evidence_keep(const struct carnet_charter *charter, const struct carnet_view *view, struct carnet_slice label, const struct carnet_event *events, size_t event_count,
                                   struct carnet_write_cell out[CARNET_PURPOSES_MAX]);
/* The person objects to every purpose that there is. */
bool carnet_people_objects_to_all(const struct carnet_charter *charter, const struct carnet_view *view, int64_t now_ms);
/* One that is known, also a retired one: it may be refused still. USAGE, with the purposes that there are. */
CARNET_MUST_USE carnet_rc carnet_people_purpose(const struct carnet_charter *charter, struct carnet_slice name, const struct carnet_purpose_def **out, struct carnet_err *err);
/* One that may be granted on that basis; REFUSED: it is retired, or the charter says no. */
CARNET_MUST_USE carnet_rc carnet_people_grantable(const struct carnet_charter *charter, struct carnet_slice name, enum carnet_basis basis, const struct carnet_purpose_def **out, struct carnet_err *err);

#endif
