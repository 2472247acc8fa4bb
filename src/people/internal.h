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
/* The ground's wording (a language or a version) is one of this purpose. */
bool carnet_people_has_wording(const struct carnet_charter *charter, const struct carnet_ground *ground, struct carnet_slice purpose);
/* Were they written in one change? An evidence speaks of what stands beside it. */
bool carnet_people_same_change(const struct carnet_dot *a, const struct carnet_dot *b);
/* The evidence written in the same change as the grant: that of the purpose, else the first one (copies of others' follow it). NULL: none; newest: then the newest one
 * of that name, wherever it was written. Borrows the record. */
const struct carnet_sibling *carnet_people_evidence_beside(const struct carnet_record *record, struct carnet_slice purpose, const struct carnet_dot *grant, bool newest);
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

/* --- person.c: persons of several records --- */
struct carnet_spread { /* cells, each for one of the view's records */
    const struct carnet_view *view;
    struct carnet_arena *arena;
    struct carnet_write_cell *cells;
    size_t *who;
    size_t count;
};
void carnet_spread_init(struct carnet_spread *spread, const struct carnet_view *view, size_t most /* cells */, struct carnet_arena *arena);
void carnet_spread_add(struct carnet_spread *spread, size_t who, const struct carnet_write_cell *cell);
/* The cell goes to the records that show one of its name, else to the main record, else to the first whose consent covers its scope. Of a conflict one value is left. */
void carnet_people_spread(const struct carnet_charter *charter, struct carnet_spread *spread, const struct carnet_write_cell *cell);
CARNET_MUST_USE carnet_rc carnet_spread_write(struct carnet_replica *replica, struct carnet_spread *spread, bool rectify, struct carnet_write_result *result,
                                              struct carnet_err *err);
const struct carnet_cell *carnet_people_cell(const struct carnet_view *view, uint32_t field, struct carnet_slice label); /* NULL: none is shown */
size_t carnet_people_record_for(const struct carnet_view *view, enum carnet_scope scope); /* the first of its records on which the scope is open, else the main one */
struct carnet_write carnet_people_write_on(const struct carnet_view *view, size_t who);
bool carnet_people_live(const struct carnet_charter *charter, const struct carnet_view *view, struct carnet_slice purpose, int64_t now_ms); /* on some record */
/* The view of the record whose consent for the purpose says most: live, else requested, expired, refused. */
struct carnet_view carnet_people_consent_view(const struct carnet_charter *charter, const struct carnet_view *view, struct carnet_slice purpose, int64_t now_ms);
bool carnet_people_granted(const struct carnet_record *record, struct carnet_slice purpose); /* it has a grant of it, whatever it is worth */

#endif
