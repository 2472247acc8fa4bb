// SPDX-License-Identifier: EUPL-1.2
/* people/people: what an office does with its address book, as use cases that commands and pages call. Layer: people.
 *
 * Every function is one transaction of the replica. Values are checked and brought into normal form here (people/values). An address is read through
 * carnet_replica_view and carnet_replica_allowed alone. */
#ifndef CARNET_PEOPLE_PEOPLE_H
#define CARNET_PEOPLE_PEOPLE_H

#include "carnet/replica/replica.h"

/* FIELD=VALUE as typed: name with its label ("phone/mobile"), value as typed; empty: empties the field. */
struct carnet_assign {
    struct carnet_slice name, value;
};
/* Reads "FIELD=VALUE". USAGE: no '='. */
CARNET_MUST_USE carnet_rc carnet_assign_parse(struct carnet_slice text, struct carnet_assign *out, struct carnet_err *err);

/* Where the knowledge comes from and what allows it: the evidence of grants. */
struct carnet_ground {
    enum carnet_basis basis;
    struct carnet_slice source;    /* required */
    struct carnet_slice proof;     /* text, may be empty */
    int64_t collected_ms;          /* 0: now */
    int64_t until_ms;              /* of the grants; 0: no end */
    /* The rest of the consent record (ISO/IEC TS 27560); what is empty or 0 is not known. */
    struct carnet_slice channel, method; /* by what it came; how it was collected */
    struct carnet_slice wording;   /* what was agreed to: a language, or a version of 16 hexadecimal digits. Empty: the current wording in the language of the error,
                                      else the only one */
    bool no_wording;               /* with an empty wording: none is recorded (a file was agreed to elsewhere) */
    struct carnet_slice direct;    /* yes or no: given by the person */
    struct carnet_slice age_band;
    struct carnet_slice form, scan, message; /* version or hash of the form, hash of the scan, id of the message */
    int64_t sent_ms, clicked_ms;   /* of a double opt-in */
};

/* A new contact. grants: purposes; none: `file`. REFUSED: a field that no granted purpose covers, nothing is written. USAGE: an unknown field, a value it refuses. */
CARNET_MUST_USE carnet_rc carnet_people_add(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_assign *fields, size_t field_count,
                                            const struct carnet_slice *grants, size_t grant_count, const struct carnet_ground *ground, struct carnet_id *out,
                                            struct carnet_err *err);
/* rectify: what is replaced is dropped everywhere at once. */
CARNET_MUST_USE carnet_rc carnet_people_edit(struct carnet_replica *replica, const struct carnet_view *view, const struct carnet_assign *fields, size_t count, bool rectify,
                                             struct carnet_write_result *result, struct carnet_err *err);
/* Words "+TAG" and "-TAG". */
CARNET_MUST_USE carnet_rc carnet_people_tag(struct carnet_replica *replica, const struct carnet_view *view, const struct carnet_slice *words, size_t count, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_people_note(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice text, struct carnet_id *out, struct carnet_err *err);

/* --- consent --- */
/* The grant names the refusals that stand on the contact: it opens once proved (paper: countersigned by another member; until then `requested`). */
CARNET_MUST_USE carnet_rc carnet_people_grant(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, const struct carnet_ground *ground,
                                              struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_people_countersign(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, struct carnet_err *err);
struct carnet_withdrawn {
    uint32_t blocked; /* scopes that are closed now */
    bool dark;        /* with `now`: their keys are destroyed */
    bool later;       /* with `now`: this node may not; the next office darkens */
};
/* Blocks at once; now: also destroys the keys of the scopes that no other live grant covers. CONFLICT? no: withdrawing what was withdrawn does nothing. */
CARNET_MUST_USE carnet_rc carnet_people_withdraw(struct carnet_replica *replica, const struct carnet_view *view, const struct carnet_slice *purposes, size_t count, bool now,
                                                 struct carnet_withdrawn *out, struct carnet_err *err);
/* all: objection to every purpose. */
CARNET_MUST_USE carnet_rc carnet_people_object(struct carnet_replica *replica, const struct carnet_view *view, const struct carnet_slice *purposes, size_t count, bool all,
                                               struct carnet_err *err);
struct carnet_people_consent {
    struct carnet_slice purpose;
    struct carnet_consent consent;
    uint32_t scopes;                   /* that its grant covers, by the version it was given under */
    bool granted;                      /* a grant of it was ever recorded here: `grant` is the one shown, and who collected it */
    struct carnet_dot grant;
    struct carnet_slice evidence;      /* as written; carnet_people_evidence_line reads a line */
    struct carnet_slice source, proof; /* from the evidence, when this node reads it */
    struct carnet_slice wording_version, language; /* what was agreed to */
    const struct carnet_wording *wording;          /* NULL: not recorded, or not known here */
};
/* A line of an evidence by its key: source proof more collected channel method direct age_band form scan message optin_sent optin_clicked. Borrows; empty: none. */
struct carnet_slice carnet_people_evidence_line(struct carnet_slice evidence, const char *key);
/* One for each purpose that some event of the contact names, in the charter's order. In the arena. */
struct carnet_people_consent *carnet_people_consents(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_arena *arena, size_t *count);

/* --- conflicts --- */
struct carnet_people_conflict {
    const struct carnet_view *view;
    const struct carnet_cell *cell; /* siblings newest first */
};
CARNET_MUST_USE carnet_rc carnet_people_conflicts(struct carnet_replica *replica, bool (*each)(void *ctx, const struct carnet_people_conflict *conflict), void *ctx,
                                                  struct carnet_err *err);
enum carnet_resolve { CARNET_RESOLVE_VALUE, CARNET_RESOLVE_KEEP, CARNET_RESOLVE_KEEP_ALL };
/* keep: from 1, in the order shown. NOT_FOUND: no such conflict (any more). KEEP_ALL labels the others /2, /3 (or LABEL/2...: "mobile 2"). */
CARNET_MUST_USE carnet_rc carnet_people_resolve(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice field, enum carnet_resolve how,
                                                struct carnet_slice value, size_t keep, struct carnet_err *err);
/* Who wrote a dot: the member's name, or the node's id text. */
void carnet_people_by(struct carnet_replica *replica, const struct carnet_dot *dot, struct carnet_buf *out);

/* --- finding --- */
struct carnet_find_options {
    struct carnet_slice query;
    const struct carnet_id *book; /* NULL: all */
    size_t limit;                 /* 0: no limit */
    bool (*progress)(void *ctx, uint64_t looked, uint64_t total); /* like breathe, with how many records were looked at; false: stop (CANCELLED); may be NULL */
};
/* Contacts that match, in order of name when they are few enough (20,000; with a limit, 4,000), else in the order of their arrival. The view lives until each returns;
 * false ends the walk. breathe (may be NULL) is called now and then between records. USAGE: a wrong query. */
CARNET_MUST_USE carnet_rc carnet_people_find(struct carnet_replica *replica, const struct carnet_find_options *options, bool (*each)(void *ctx, const struct carnet_view *view),
                                             void (*breathe)(void *ctx), void *ctx, struct carnet_err *err);

/* --- erasing --- */
CARNET_MUST_USE carnet_rc carnet_people_erase(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice reason, struct carnet_err *err);

/* --- import --- */
struct carnet_import_options {
    struct carnet_id book;
    const struct carnet_slice *grants; /* beyond `file`; of a roll: none, everybody gets mail and canvass instead, until the day after the ballot */
    size_t grant_count;
    struct carnet_ground ground;       /* source, collection date and basis are all required */
    int64_t ballot_ms;                 /* the day of the ballot that a roll serves: with basis roll, and with it alone */
    struct carnet_slice file;          /* the file's name, without its folder; may be empty */
    int rejects_fd;                    /* rejected rows go there; -1: nowhere */
    bool (*progress)(void *ctx, uint64_t rows, uint64_t bytes, uint64_t bytes_total); /* between batches, outside a transaction; false: stop (CANCELLED, what is done stays) */
    void *ctx;
};
struct carnet_import_result {
    struct carnet_id import; /* of the record that `imports` lists; none is kept when nothing was written */
    uint64_t rows, created, updated, unchanged, rejected, suppressed, refused, uncovered, duplicates;
    uint64_t uncovered_in[CARNET_SCOPE_COUNT]; /* of the uncovered, those of each scope */
    int64_t ms;
};
struct carnet_rows; /* people/rows.h */
CARNET_MUST_USE carnet_rc carnet_people_import(struct carnet_replica *replica, struct carnet_rows *rows, const struct carnet_import_options *options,
                                               struct carnet_import_result *result, struct carnet_err *err);

/* Dates: YYYY-MM-DD (input) to milliseconds at 00:00 UTC; RFC 3339 UTC (output). */
CARNET_MUST_USE carnet_rc carnet_date_parse(struct carnet_slice text, int64_t *ms, struct carnet_err *err);
void carnet_time_format(int64_t ms, struct carnet_buf *out);
/* N and s m h d. USAGE. */
CARNET_MUST_USE carnet_rc carnet_duration_parse(struct carnet_slice text, int64_t *ms, struct carnet_err *err);

#endif
