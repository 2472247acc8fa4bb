// SPDX-License-Identifier: EUPL-1.2
/* What the files of people/law share: walks over all contacts, in bounded transactions. */
#ifndef CARNET_PEOPLE_LAW_PARTS_H
#define CARNET_PEOPLE_LAW_PARTS_H

#include "carnet/people/law.h"

#include "internal.h"

/* Calls each for every contact that is held, main records and others, in the order of their arrival. When each writes it says so (*wrote), and the walk commits what was written
 * every few records; then it lets the caller live. writes: the walk opens transactions. CANCELLED: the caller's progress said so. */
struct carnet_law_walk {
    struct carnet_replica *replica;
    const struct carnet_walk *walk;
    bool writes;
    carnet_rc (*each)(void *ctx, const struct carnet_view *view, bool *wrote, struct carnet_err *err);
    void *ctx;
};
CARNET_MUST_USE carnet_rc carnet_law_walk(const struct carnet_law_walk *walk, struct carnet_err *err);

/* May the contact be kept? True: why not. Nothing is live, nothing can become so by a signature or by telling the person, and 72 hours (dark_after) have passed. */
bool carnet_law_stale(struct carnet_replica *replica, const struct carnet_view *view, enum carnet_stale *reason);
/* The consent of the i-th record of the person: a grant counts on the record that it stands on. */
struct carnet_consent carnet_law_consent(struct carnet_replica *replica, const struct carnet_view *view, size_t i, struct carnet_slice purpose);
CARNET_MUST_USE carnet_rc carnet_law_contact_only(const struct carnet_view *view, struct carnet_err *err);

/* Label of the evidence that keeps a request for access: lines "received: ", "answered: ". Scope consent: it dies with the person. */
#define CARNET_LAW_ACCESS_LABEL "access request"
/* When the request that waits was received. False: none waits. */
bool carnet_law_access_waits(const struct carnet_record *record, int64_t *received_ms);

#endif
