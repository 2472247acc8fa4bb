// SPDX-License-Identifier: EUPL-1.2
/* model/consent: what the consent events of a contact permit. Layer: model; pure: `now` is given, and can only block.
 *
 * Withdrawals and objections win over every grant that does not name them, whatever the order or the clocks. A grant that names them
 * opens only with fresh proof: double opt-in, an inbound message, or paper countersigned by another author. A grant that an INVALIDATE of its
 * record names is worth nothing, and no refusal. A person may be several
 * merged records: a grant opens the record it stands on, a refusal on any record counts for all.
 *
 * Events SUPPRESS never stand on a contact: whoever knows that an address of a record is on the suppression list adds one to a copy of it
 * (its purpose, its hlc, no dot). It refuses, but destroys nothing: closed_at and the darkenings of due do not see it. Only a grant proved later
 * than it passes: by double opt-in or an inbound message, or one that names a refusal on its own person. */
#ifndef CARNET_MODEL_CONSENT_H
#define CARNET_MODEL_CONSENT_H

#include "carnet/model/record.h"

enum carnet_consent_state {
    CARNET_CONSENT_NONE, CARNET_CONSENT_REQUESTED, CARNET_CONSENT_GIVEN, CARNET_CONSENT_RENEWED, CARNET_CONSENT_EXPIRED,
    CARNET_CONSENT_WITHDRAWN, CARNET_CONSENT_OBJECTED,
    CARNET_CONSENT_REFUSED,    /* withdrawn, and no proved grant was ever there: the person said no */
    CARNET_CONSENT_INVALIDATED /* the grants turned out to be worth nothing */
};
const char *carnet_consent_state_name(enum carnet_consent_state state);

struct carnet_consent {
    enum carnet_consent_state state;
    bool live;               /* given or renewed, and nothing blocks */
    bool suppressed;         /* no event of the person decided, but the suppression list: an address was refused elsewhere */
    struct carnet_dot dot;   /* the grant relied on, else the event that decided */
    enum carnet_basis basis; /* of the newest grant; 0 without one */
    uint64_t version;        /* of the purpose's definition that the newest grant was given under */
    uint32_t scopes;         /* that the live grants of this purpose cover (mask); 0 unless live */
    int64_t since_ms, until_ms; /* of the grant; since_ms of a refusal is its hlc's; until_ms 0: no date */
    int64_t ends_ms;         /* when it ends by itself, with until_ms or after the person's silence (charter: contact_ms), the sooner; 0: never */
    int64_t inform_by_ms;    /* it is not the person's own word (legitimate interest, but for `file`), and until then they must be told of it; 0: told, or need not be */
};
/* The consent of `person[0]` for a purpose; the other `count - 1` records are merged with it. */
struct carnet_consent carnet_consent_evaluate(const struct carnet_charter *charter, const struct carnet_record *const *person, size_t count,
                                              struct carnet_slice purpose, int64_t now_ms);
/* Scopes of person[0] that some live grant covers (mask), by the version of its purpose that it was given under, always with scope consent; 0 when a record of the person is erased, restricted
 * or not understood. What is not in it is blocked: never sent, exported, printed or displayed. */
uint32_t carnet_consent_open(const struct carnet_charter *charter, const struct carnet_record *const *person, size_t count, int64_t now_ms);
bool carnet_consent_restricted(const struct carnet_record *record);
/* Erased, restricted, or with an event of a newer version: nothing of the record is open, whatever it is about. */
bool carnet_consent_blocked(const struct carnet_record *record);
/* The refusals of a purpose on the record, and those of all: what a new grant must name. Returns how many, at most max. */
size_t carnet_consent_refusals(const struct carnet_record *record, struct carnet_slice purpose, struct carnet_dot *out, size_t max);
/* When the scope was closed: the latest hlc of the events that closed it; 0: it is open, or was never granted. dark_after counts from it.
 * Also 0 while the record is erased, restricted or not understood: nothing is to be destroyed then. */
uint64_t carnet_consent_closed_at(const struct carnet_charter *charter, const struct carnet_record *record, enum carnet_scope scope, int64_t now_ms);
/* The next moment at which time changes something: a grant of person[0] expires (after now), or a closed scope that still has a live seed
 * is to be darkened (dark_after; it may be past: somebody has to do it; with `darkens` alone). 0: never. */
int64_t carnet_consent_due(const struct carnet_charter *charter, const struct carnet_record *const *person, size_t count, bool darkens, int64_t now_ms);
/* The records this one is merged with by live edge events, at most max; returns how many. */
size_t carnet_consent_edges(const struct carnet_record *record, struct carnet_id *out, size_t max);
/* The records of a person (all that edges connect) that no other is merged into: those whom nobody's edge names but who are named in turn; of a cycle, the smallest id.
 * Their places in `person`; out has room for count. Returns how many: at least one. */
enum { CARNET_CONSENT_PERSON_MAX = 64 };
size_t carnet_consent_tops(const struct carnet_record *const *person, size_t count, size_t *out);
/* Which record stands for the person: A of "merge A B"; of several tops, the smallest id. Erased records, and those that have not come, stand last. */
size_t carnet_consent_main(const struct carnet_record *const *person, size_t count);

/* Hybrid logical clock (Kulkarni et al. 2014): 48 bits of milliseconds, 16 of counter. */
uint64_t carnet_hlc_next(uint64_t last, int64_t wall_ms);
int64_t carnet_hlc_ms(uint64_t hlc);

#endif
