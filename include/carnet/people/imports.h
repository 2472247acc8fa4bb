// SPDX-License-Identifier: EUPL-1.2
/* people/imports: what was imported by whom, and undoing it. Layer: people.
 *
 * Every import that wrote something keeps a record in its book (kind IMPORT, about nobody): where the file came from, what allowed it, what was counted, and which
 * entries of its author it wrote. That is what an undoing goes by, on any node that holds the book and may. */
#ifndef CARNET_PEOPLE_IMPORTS_H
#define CARNET_PEOPLE_IMPORTS_H

#include "carnet/people/people.h"

enum carnet_imported_state { CARNET_IMPORTED_DONE, CARNET_IMPORTED_INTERRUPTED, CARNET_IMPORTED_UNDONE, CARNET_IMPORTED_RUNNING };
const char *carnet_imported_state_name(enum carnet_imported_state state);
struct carnet_imported {
    struct carnet_id book, id;
    struct carnet_dot dot;      /* of its text: whose import it is */
    int64_t at_ms;              /* when it began */
    struct carnet_slice text;   /* lines "key: value" */
    struct carnet_slice undone; /* the same of its undoing; empty: none */
    enum carnet_imported_state state; /* an undoing that has not ended: INTERRUPTED */
};
/* source collected basis ballot grants file began finished rows created updated unchanged rejected suppressed refused uncovered duplicates; empty: no such line. */
struct carnet_slice carnet_imported_get(struct carnet_slice text, const char *key);
/* Those of the books held that this node can read, oldest first; false ends the walk. What it gives lives until each returns. */
CARNET_MUST_USE carnet_rc carnet_people_imports(struct carnet_replica *replica, bool (*each)(void *ctx, const struct carnet_imported *imported), void *ctx,
                                                struct carnet_err *err);
/* By the text of its id; in the arena. NOT_FOUND: no import. */
CARNET_MUST_USE carnet_rc carnet_people_imported(struct carnet_replica *replica, struct carnet_slice id, struct carnet_arena *arena, struct carnet_imported *out,
                                                 struct carnet_err *err);

struct carnet_undo_result {
    uint64_t erased;   /* contacts that it had made and that nobody has touched since: gone */
    uint64_t restored; /* contacts that stay, without what it wrote */
    uint64_t kept;     /* of these, those that keep an agreement of it, since what others wrote later rests on it, or that refused something and stay known */
    uint64_t blocked;  /* values of it in scopes that are closed: they stay so until their keys are destroyed */
    int64_t ms;
};
/* Removes what the import wrote: contacts that it made and that nobody has touched since are erased; the others get back the values that it replaced, as far as the log
 * still holds them, lose those that it added, and its agreements are worth nothing any more (INVALIDATE). What others wrote later stays, and so does every refusal. In
 * transactions of some hundred contacts; run again after an interruption it finishes. progress: between transactions; false: stop (CANCELLED). REFUSED: this node may not.
 * CONFLICT: the import is at work. */
CARNET_MUST_USE carnet_rc carnet_people_import_undo(struct carnet_replica *replica, const struct carnet_imported *imported,
                                                    bool (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx, struct carnet_undo_result *result,
                                                    struct carnet_err *err);

/* The proof of the purpose's agreements turned out to be worth nothing: they count no more (INVALIDATE). reason may be empty; it goes to the evidence. NOT_FOUND: there is
 * none that still counts for anything. REFUSED: this node may not. */
CARNET_MUST_USE carnet_rc carnet_people_invalidate(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, struct carnet_slice reason,
                                                   struct carnet_err *err);

#endif
