// SPDX-License-Identifier: EUPL-1.2
/* What imports and their undoing share. */
#ifndef CARNET_PEOPLE_IMPORTS_INTERNAL_H
#define CARNET_PEOPLE_IMPORTS_INTERNAL_H

#include "carnet/people/imports.h"

/* Entries that one author wrote: of one chain, from the first to the last. */
struct carnet_range {
    uint32_t stream;
    uint64_t from, to;
};
void carnet_ranges_put(const struct carnet_range *ranges, size_t count, struct carnet_buf *out); /* appends a line "entries: ..." */
/* Reads them, in the arena; ordered. What cannot be read is left out: it names nothing. */
struct carnet_range *carnet_ranges_read(struct carnet_slice text, struct carnet_arena *arena, size_t *count);
bool carnet_ranges_hold(const struct carnet_range *ranges, size_t count, const struct carnet_dot *dot);

#define CARNET_IMPORTED_UNDONE_LABEL "undone"
/* Appends a line "key: value", as those of evidence; nothing without a value. Control characters become spaces. */
void carnet_imported_line(struct carnet_buf *out, const char *key, struct carnet_slice value);
void carnet_imported_number(struct carnet_buf *out, const char *key, uint64_t number);
/* Writes the record's text: label "" or CARNET_IMPORTED_UNDONE_LABEL. */
CARNET_MUST_USE carnet_rc carnet_imported_put(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *id, const char *label,
                                              struct carnet_slice text, bool fresh, struct carnet_err *err);
/* The record as an import; the view's slices. false: none, or not to be read here. */
bool carnet_imported_of(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_imported *out);
bool carnet_import_running(const struct carnet_replica *replica, const struct carnet_id *import);

/* The mark of the row that a contact was last read from (import.c). */
const struct carnet_sibling *carnet_mark_held(const struct carnet_view *view); /* NULL: none */
/* The day (since 1970) that the file was collected from which an import wrote the value of this dot and clock. false: somebody typed it, or it is too long ago. */
bool carnet_mark_day(const struct carnet_view *view, const struct carnet_dot *dot, uint64_t hlc, int64_t *day);
/* A mark that no row bears: what an undoing wrote beside it is as old as `day`. In the arena. */
struct carnet_slice carnet_mark_undone(const struct carnet_view *view, int64_t day, struct carnet_arena *arena);

#endif
