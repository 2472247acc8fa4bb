// SPDX-License-Identifier: EUPL-1.2
/* What the files of the layer people share. */
#ifndef CARNET_PEOPLE_INTERNAL_H
#define CARNET_PEOPLE_INTERNAL_H

#include "carnet/base/text.h"
#include "carnet/people/people.h"

/* Reads and normalises fields as typed; the cells live in the arena. */
CARNET_MUST_USE carnet_rc carnet_people_cells(const struct carnet_assign *fields, size_t count, struct carnet_arena *arena, struct carnet_write_cell **out,
                                              struct carnet_err *err);
/* Appends the text of an evidence: lines "source: ", "proof: ", "more: ", "collected: ". */
CARNET_MUST_USE carnet_rc carnet_people_evidence(const struct carnet_ground *ground, struct carnet_slice more, struct carnet_buf *out, struct carnet_err *err);
struct carnet_slice carnet_people_evidence_get(struct carnet_slice evidence, const char *key); /* borrows; empty: no such line */
/* USAGE, with the purposes that there are. */
CARNET_MUST_USE carnet_rc carnet_people_purpose(struct carnet_slice name, const struct carnet_purpose_def **out, struct carnet_err *err);

#endif
