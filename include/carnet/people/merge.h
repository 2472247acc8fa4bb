// SPDX-License-Identifier: EUPL-1.2
/* people/merge: contacts that are one person, and who may be. Layer: people.
 *
 * Merging writes that two contacts are one person, and destroys nothing: each value stays in the contact that it was typed into, each agreement opens the contact that it
 * stands on, a refusal on any blocks all. Nobody is merged without a person who says so. */
#ifndef CARNET_PEOPLE_MERGE_H
#define CARNET_PEOPLE_MERGE_H

#include "carnet/people/people.h"

/* b's person becomes one with a's; a's id stays, b's leads to it. Already one: OK, *done false. USAGE: the same contact, or none. REFUSED: this node may not, other books,
 * too many. */
CARNET_MUST_USE carnet_rc carnet_people_merge(struct carnet_replica *replica, const struct carnet_view *a, const struct carnet_view *b, bool *done, struct carnet_err *err);
struct carnet_merge_preview {
    struct carnet_view view; /* the person that it would be; in the arena */
    uint32_t blocked;        /* scopes of which something is shown now that would be shown no more: the other one refused (mask) */
};
/* The same refusals as carnet_people_merge; nothing is written. */
CARNET_MUST_USE carnet_rc carnet_people_merge_preview(struct carnet_replica *replica, const struct carnet_view *a, const struct carnet_view *b, struct carnet_arena *arena,
                                                      struct carnet_merge_preview *out, struct carnet_err *err);
/* The contact (a view of carnet_replica_record*) is a person of its own again; what was merged into it before stays with it. The pair is remembered as distinct.
 * NOT_FOUND: it is merged with nobody. */
CARNET_MUST_USE carnet_rc carnet_people_unmerge(struct carnet_replica *replica, const struct carnet_view *record, struct carnet_err *err);
/* They are two: not proposed again. CONFLICT: they are merged. */
CARNET_MUST_USE carnet_rc carnet_people_distinct(struct carnet_replica *replica, const struct carnet_view *a, const struct carnet_view *b, struct carnet_err *err);
/* Has anybody said so, of any of their contacts? */
bool carnet_people_are_distinct(const struct carnet_view *a, const struct carnet_view *b);

/* --- duplicates --- */
/* Two persons of one book are proposed when they have an e-mail address or a phone in common; or a family or birth name, and: the birth date; the first name and the street;
 * or the street with its number and the gender. What is blocked is neither shown nor the only reason. More than CARNET_DUPLICATES_SHARED_MAX persons with one same value
 * (a switchboard) are not compared by it. */
enum { CARNET_DUPLICATES_SHARED_MAX = 50 };
struct carnet_duplicate {
    const struct carnet_view *a, *b; /* a: the older id */
    const char *reason;              /* email, phone, name+born, name+given+address, name+given+street, name+gender+address */
};
struct carnet_duplicates_options {
    const struct carnet_id *book; /* NULL: all */
    size_t limit;                 /* 0: no limit */
    bool (*progress)(void *ctx, uint64_t looked, uint64_t total); /* between transactions; false: stop (CANCELLED), what was compared stays so. May be NULL */
    void *ctx;
};
/* Compares what was added or changed since (all, the first time). added (may be NULL): proposals that it brought. */
CARNET_MUST_USE carnet_rc carnet_people_duplicates_update(struct carnet_replica *replica, const struct carnet_duplicates_options *options, uint64_t *added,
                                                          struct carnet_err *err);
/* The open proposals, as far as they were compared; each returns false to end. */
CARNET_MUST_USE carnet_rc carnet_people_duplicates(struct carnet_replica *replica, const struct carnet_duplicates_options *options,
                                                   bool (*each)(void *ctx, const struct carnet_duplicate *duplicate), void *ctx, struct carnet_err *err);
struct carnet_duplicates_count {
    int64_t open;    /* proposals */
    int64_t waiting; /* contacts that were not compared yet since they came or changed */
};
CARNET_MUST_USE carnet_rc carnet_people_duplicates_count(struct carnet_replica *replica, struct carnet_duplicates_count *out, struct carnet_err *err);
/* Values that too many share. Looks through the whole index. */
CARNET_MUST_USE carnet_rc carnet_people_duplicates_shared(struct carnet_replica *replica, int64_t *out, struct carnet_err *err);

#endif
