// SPDX-License-Identifier: EUPL-1.2
/* people/law: what the law asks of an office: restriction, access, information, retention, the register. Layer: people.
 *
 * Every function that writes is one transaction, or, where it says so, many bounded ones between which it may be stopped. */
#ifndef CARNET_PEOPLE_LAW_H
#define CARNET_PEOPLE_LAW_H

#include "carnet/people/people.h"

/* --- restriction (GDPR article 18): kept, used by nobody --- */
/* The person and what is about them are blocked at once, on every node that knows. Restricted already: nothing is written. REFUSED: this node may not. */
CARNET_MUST_USE carnet_rc carnet_people_restrict(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_err *err);
/* Lifts every restriction that stands on a record of the person. None: nothing is written. */
CARNET_MUST_USE carnet_rc carnet_people_lift(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_err *err);

/* --- access and portability (articles 15 and 20) --- */
/* All that is known of a person, blocked or not, as JSON (for programs) and as a letter to them. Both are appended. One row of the audit trail. REFUSED: this node may not. */
CARNET_MUST_USE carnet_rc carnet_people_access(struct carnet_replica *replica, const struct carnet_view *view, enum carnet_lang lang, struct carnet_buf *json,
                                               struct carnet_buf *text, struct carnet_err *err);
/* Notes that the person asked, that day: due in a month, among the tasks until carnet_people_task_done. */
CARNET_MUST_USE carnet_rc carnet_people_access_asked(struct carnet_replica *replica, const struct carnet_view *view, int64_t received_ms, struct carnet_err *err);

/* --- long walks --- */
struct carnet_walk {
    bool (*progress)(void *ctx, uint64_t done, uint64_t total); /* between transactions; false: stop (CANCELLED, what is done stays). May be NULL */
    void *ctx;
};

/* --- tasks: what the law asks this office to do now, computed from what is held --- */
enum carnet_task_kind {
    CARNET_TASK_INFORM,    /* people to be told of data that do not come from them; all that fall due on one day */
    CARNET_TASK_ACCESS,    /* an answer that a person waits for */
    CARNET_TASK_COLLECT,   /* a live agreement of this node's whose values somebody else destroyed: ask the person again */
    CARNET_TASK_TELL,      /* an erasure of which those who got the data outside must be told (article 19) */
    CARNET_TASK_RETENTION  /* people whom nothing allows to keep any more */
};
const char *carnet_task_kind_name(enum carnet_task_kind kind);
enum carnet_task_state { CARNET_TASK_OPEN, CARNET_TASK_REMINDER /* 15 days */, CARNET_TASK_URGENT /* 25 days */, CARNET_TASK_OVERDUE };
const char *carnet_task_state_name(enum carnet_task_state state);
struct carnet_task {
    enum carnet_task_kind kind;
    enum carnet_task_state state;
    char id[64];          /* what `tasks done` takes */
    struct carnet_id contact; /* zero: several, or erased */
    int64_t since_ms, due_ms; /* due 0: no date */
    uint64_t people;
    uint32_t scopes;      /* COLLECT */
};
CARNET_MUST_USE carnet_rc carnet_people_tasks(struct carnet_replica *replica, const struct carnet_walk *walk, bool (*each)(void *ctx, const struct carnet_task *task), void *ctx,
                                              struct carnet_err *err);
/* INFORM: records for everybody of that day that they were told (many transactions). ACCESS, TELL: it was done. *people: how many. NOT_FOUND: no such task. USAGE: RETENTION and
 * COLLECT end by what is done. */
CARNET_MUST_USE carnet_rc carnet_people_task_done(struct carnet_replica *replica, struct carnet_slice id, const struct carnet_walk *walk, uint64_t *people, struct carnet_err *err);

/* --- retention --- */
enum carnet_stale { CARNET_STALE_SILENT, CARNET_STALE_ENDED, CARNET_STALE_REFUSED, CARNET_STALE_COUNT };
const char *carnet_stale_name(enum carnet_stale reason); /* silent: since contact_ms; ended: every agreement has its date behind it; refused: every use, for 72 hours */
struct carnet_retention {
    uint64_t looked, stale[CARNET_STALE_COUNT], erased;
};
/* Whom nothing allows to keep: no agreement is live and none can become so. erase: erases them, in bounded transactions. */
CARNET_MUST_USE carnet_rc carnet_people_retention(struct carnet_replica *replica, bool erase, const struct carnet_walk *walk, struct carnet_retention *out, struct carnet_err *err);
struct carnet_purge {
    uint64_t collected; /* for this ballot: a grant of basis roll that ends with it, or whose evidence names it */
    uint64_t erased, kept_member, kept_agreed, kept_restricted;
    uint64_t darkened; /* of the kept: what the roll alone covered */
};
/* After a ballot: erases whom the roll alone brought; of members, regular contacts and those who agreed beyond it, destroys what the roll alone covered. dry: counts.
 * REFUSED: before the end of that day. Stopped or killed, the same again goes on. */
CARNET_MUST_USE carnet_rc carnet_people_purge(struct carnet_replica *replica, struct carnet_slice ballot, bool dry, const struct carnet_walk *walk, struct carnet_purge *out,
                                              struct carnet_err *err);

/* --- register of processing (article 30), breach sheet (articles 33 and 34) --- */
CARNET_MUST_USE carnet_rc carnet_people_register(struct carnet_replica *replica, enum carnet_lang lang, struct carnet_buf *json, struct carnet_buf *text, struct carnet_err *err);
/* What a lost device of this member could read. noticed_ms 0: now; the 72 hours count from it. NOT_FOUND, AMBIGUOUS. */
CARNET_MUST_USE carnet_rc carnet_people_breach(struct carnet_replica *replica, struct carnet_slice member, int64_t noticed_ms, enum carnet_lang lang, struct carnet_buf *json,
                                               struct carnet_buf *text, struct carnet_err *err);

#endif
