// SPDX-License-Identifier: EUPL-1.2
/* people/import, inside: what Carnet's own files say besides fields: grants with their evidence, values in conflict, notes, ids. */
#ifndef CARNET_PEOPLE_IMPORT_MORE_H
#define CARNET_PEOPLE_IMPORT_MORE_H

#include "carnet/people/rows.h"
#include "internal.h"

/* The record that a source id names, when it is one of Carnet's own: source_id/carnet, and the UID of its vCards. */
bool carnet_import_own_id(struct carnet_slice label, struct carnet_slice value, struct carnet_id *out);
/* One piece, with its length: what follows it cannot be taken for a part of it. */
void carnet_import_hash(struct carnet_hasher *hasher, struct carnet_slice piece);
/* Makes known what the row says in `more`. */
void carnet_import_more_hash(struct carnet_hasher *hasher, const struct carnet_rows_more *more);

struct carnet_import_claims {
    struct carnet_event *events;     /* room for more->grant_count */
    size_t event_count;
    struct carnet_write_cell *cells; /* evidence; room for more->grant_count + 1 */
    size_t cell_count;
    uint32_t open;                   /* scopes that they cover */
    uint64_t refused;                /* left out: refusals stand, or electoral rolls allow no such thing */
};
/* The row's grants, under their own basis, dates and evidence. A proof that the file claims is text of the evidence: here nobody has seen it. evidence: of the
 * import itself, kept under the label "import". */
void carnet_import_claims(struct carnet_replica *replica, const struct carnet_view *known, const struct carnet_row *row, const struct carnet_ground *ground,
                          struct carnet_slice evidence, struct carnet_arena *arena, struct carnet_import_claims *out);
/* Is this cell one in conflict, to be written by carnet_import_after with its other values? */
bool carnet_import_is_other(const struct carnet_rows_more *more, uint32_t field, struct carnet_slice label);
/* After the contact itself is written: values in conflict of a new contact (known NULL), notes that it does not have yet; *added: how many of both. */
CARNET_MUST_USE carnet_rc carnet_import_after(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *id,
                                              const struct carnet_view *known, const struct carnet_row *row, struct carnet_arena *arena, size_t *added,
                                              struct carnet_err *err);

#endif
