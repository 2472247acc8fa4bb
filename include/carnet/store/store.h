// SPDX-License-Identifier: EUPL-1.2
/* store: one SQLite file per node. Layer: store; the only sqlite3.h; knows bytes and numbers, not what they mean.
 *
 * Enduring tables: meta, streams, entries, invites, audit. Derived ones, dropped and refilled by a rebuild: records, touches, points, edges, tags, tasks, search.
 * Points and tails are kept as lookups, recent ones apart.
 * Opened with WAL, synchronous FULL, secure_delete, one connection, STRICT tables, application_id and user_version
 * (a newer database is refused: FAILED with a hint; an older one is brought up at open: its missing tables made, its derived ones emptied). Every statement is prepared at open. Every function runs inside the transaction that is
 * open, and asserts there is one when it writes. Slices handed out live until the next call of the same function or the end of the
 * transaction. Errors: FAILED (full disk, I/O), CORRUPT (damage), each with one line naming the file; after one the transaction must be
 * rolled back (commit refuses). After an error the next begin opens a new connection by itself; after a sync that the disk refused
 * begin, sweep and check fail until the store is closed and opened. A commit that failed is unknown: it may be there
 * after the next open. Reads also work outside a transaction. Callbacks may call any function of the store. */
#ifndef CARNET_STORE_STORE_H
#define CARNET_STORE_STORE_H

#include "carnet/base/id.h"

struct carnet_store;
struct carnet_store_options {
    const char *vfs;    /* NULL: unix-excl */
    bool create;        /* make it when missing; otherwise NOT_FOUND */
    size_t cache_bytes; /* 0: 64 MiB */
};
CARNET_MUST_USE carnet_rc carnet_store_open(const char *path, const struct carnet_store_options *options, struct carnet_store **out, struct carnet_err *err);
void carnet_store_close(struct carnet_store *store); /* rolls back what is open; NULL is fine */

CARNET_MUST_USE carnet_rc carnet_store_begin(struct carnet_store *store, struct carnet_err *err);
/* Durable when OK. Checkpoints the write-ahead log when it has grown past 16 MiB (never inside a transaction). */
CARNET_MUST_USE carnet_rc carnet_store_commit(struct carnet_store *store, struct carnet_err *err);
void carnet_store_rollback(struct carnet_store *store); /* no transaction: nothing */
bool carnet_store_in_transaction(const struct carnet_store *store);

/* --- meta: small named values --- */
CARNET_MUST_USE carnet_rc carnet_store_meta_get(struct carnet_store *store, const char *name, struct carnet_buf *out, struct carnet_err *err); /* NOT_FOUND */
CARNET_MUST_USE carnet_rc carnet_store_meta_put(struct carnet_store *store, const char *name, struct carnet_slice value, struct carnet_err *err);

/* --- streams: the chains and their heads --- */
struct carnet_stream_row {
    int64_t n;               /* local number */
    struct carnet_id book, author;
    uint32_t stream;         /* incarnation * 2 + log */
    uint64_t seq;            /* of the head; 0: none */
    struct carnet_hash hash; /* of the head */
    uint64_t void_from;      /* entries from this seq on are void; 0: none */
};
/* The chain, made when missing and `create`. NOT_FOUND otherwise. */
CARNET_MUST_USE carnet_rc carnet_store_stream(struct carnet_store *store, const struct carnet_id *book, const struct carnet_id *author, uint32_t stream,
                                              bool create, struct carnet_stream_row *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_stream_update(struct carnet_store *store, const struct carnet_stream_row *row, struct carnet_err *err); /* by n */
/* Calls each for every chain of book (NULL: all), ordered by author, stream. A false answer ends it. */
CARNET_MUST_USE carnet_rc carnet_store_streams(struct carnet_store *store, const struct carnet_id *book,
                                               bool (*each)(void *ctx, const struct carnet_stream_row *row), void *ctx, struct carnet_err *err);

/* --- entries, in order of arrival --- */
enum carnet_entry_flag { CARNET_ENTRY_FUTURE = 1, CARNET_ENTRY_VOID = 2, CARNET_ENTRY_WANTING = 4 /* a part that should be here is not */ };
struct carnet_entry_row {
    int64_t n;          /* order of arrival, from 1 */
    int64_t stream_n;
    uint64_t seq;
    uint64_t hlc;
    int64_t arrived_ms; /* when it came or was written here, by this node's clock or those of two others, the later */
    unsigned lane;      /* 0 charter, 1 law, 2 data */
    unsigned flags;
    struct carnet_hash hash;
    struct carnet_slice bytes;
};
CARNET_MUST_USE carnet_rc carnet_store_entry_add(struct carnet_store *store, struct carnet_entry_row *row, struct carnet_err *err); /* sets n */
CARNET_MUST_USE carnet_rc carnet_store_entry_get(struct carnet_store *store, int64_t n, struct carnet_entry_row *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_entry_find(struct carnet_store *store, int64_t stream_n, uint64_t seq, struct carnet_entry_row *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_entry_bytes(struct carnet_store *store, int64_t n, struct carnet_slice bytes, struct carnet_err *err); /* replaces */
CARNET_MUST_USE carnet_rc carnet_store_entry_flags(struct carnet_store *store, int64_t n, unsigned flags, struct carnet_err *err);
/* The first entry of the lane with number >= from; lane 3: any. NOT_FOUND: none. */
CARNET_MUST_USE carnet_rc carnet_store_entry_next(struct carnet_store *store, unsigned lane, int64_t from, struct carnet_entry_row *out, struct carnet_err *err);
/* The first entry with number >= from that has one of the flags. NOT_FOUND: none. Quick when few have. */
CARNET_MUST_USE carnet_rc carnet_store_entry_flagged(struct carnet_store *store, unsigned flags, int64_t from, struct carnet_entry_row *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_entry_count(struct carnet_store *store, int64_t *out, struct carnet_err *err);

/* --- records (derived) --- */
struct carnet_record_row {
    int64_t n;                   /* local number; row of the search index */
    struct carnet_id book, id;
    struct carnet_id subject;    /* zero: none */
    unsigned kind;
    unsigned flags;              /* the replica's own bits; bit 0 (1): a contact that people see; only those count as contacts; bit 2 (4): erased; bit 5 (32):
                                  * one of several records of a person */
    unsigned conflicts;          /* cells with more than one value */
    uint32_t indexed;            /* scopes whose text is in the search index */
    int64_t due_ms;              /* when time changes something; 0: never */
    struct carnet_slice state;   /* packed record */
};
enum { CARNET_RECORD_CONTACT = 1, CARNET_RECORD_ERASED = 4, CARNET_RECORD_PERSON = 32 };
/* NOT_FOUND: no such record. */
CARNET_MUST_USE carnet_rc carnet_store_record_get(struct carnet_store *store, const struct carnet_id *book, const struct carnet_id *id, struct carnet_record_row *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_record_at(struct carnet_store *store, int64_t n, struct carnet_record_row *out, struct carnet_err *err);
/* Inserts (n 0; sets n) or replaces by n. Keeps the count of contacts. */
CARNET_MUST_USE carnet_rc carnet_store_record_put(struct carnet_store *store, struct carnet_record_row *row, struct carnet_err *err);
/* Walks in order of n from `from` on (`carnet_store_record_next`), of the next record with conflicts, of the next one due at or before a time. NOT_FOUND: none. */
CARNET_MUST_USE carnet_rc carnet_store_record_next(struct carnet_store *store, int64_t from, struct carnet_record_row *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_record_conflicting(struct carnet_store *store, int64_t from, struct carnet_record_row *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_record_due(struct carnet_store *store, int64_t now_ms, int64_t from, struct carnet_record_row *out, struct carnet_err *err);
/* Of a kind from 64 on: few have one. */
CARNET_MUST_USE carnet_rc carnet_store_record_kind(struct carnet_store *store, unsigned kind, int64_t from, struct carnet_record_row *out, struct carnet_err *err);
/* In the book, in order of id: for canonical state. after zero: from the first. NOT_FOUND after the book's last. */
CARNET_MUST_USE carnet_rc carnet_store_record_after(struct carnet_store *store, const struct carnet_id *book, const struct carnet_id *after, struct carnet_record_row *out, struct carnet_err *err);
/* Other records about subject (not the subject's own), in order of n. */
CARNET_MUST_USE carnet_rc carnet_store_record_about(struct carnet_store *store, const struct carnet_id *book, const struct carnet_id *subject, int64_t from, struct carnet_record_row *out, struct carnet_err *err);
/* Records whose id's tail lies in [low, high] (carnet_id_range): calls each with n, at most max times, in order of tail. */
CARNET_MUST_USE carnet_rc carnet_store_record_tails(struct carnet_store *store, uint64_t low, uint64_t high, size_t max, int64_t *out_n, size_t *count, struct carnet_err *err);
struct carnet_store_counts {
    int64_t contacts, conflicts, entries, records;
};
CARNET_MUST_USE carnet_rc carnet_store_count(struct carnet_store *store, struct carnet_store_counts *out, struct carnet_err *err); /* quick: independent of their number */

/* touches: the entries that changed a record, in order of arrival */
CARNET_MUST_USE carnet_rc carnet_store_touch(struct carnet_store *store, int64_t record_n, int64_t entry_n, unsigned change, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_touches(struct carnet_store *store, int64_t record_n, bool (*each)(void *ctx, int64_t entry_n, unsigned change), void *ctx, struct carnet_err *err);
/* points: hashes of e-mails, phones, ids of sources -> records; for rows known again and duplicates */
CARNET_MUST_USE carnet_rc carnet_store_point_add(struct carnet_store *store, uint64_t hash, int64_t record_n, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_point_remove(struct carnet_store *store, uint64_t hash, int64_t record_n, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_points(struct carnet_store *store, uint64_t hash, int64_t *out_n, size_t max, size_t *count, struct carnet_err *err);
/* edges: merged records; one call puts or removes both ways */
CARNET_MUST_USE carnet_rc carnet_store_edge_put(struct carnet_store *store, int64_t a, int64_t b, bool on, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_edges(struct carnet_store *store, int64_t a, int64_t *out_n, size_t max, size_t *count, struct carnet_err *err);

/* tags: of the addresses of a record, 16 bytes each */
CARNET_MUST_USE carnet_rc carnet_store_tag_add(struct carnet_store *store, int64_t record_n, const uint8_t tag[16], struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_tags_remove(struct carnet_store *store, int64_t record_n, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_tags_of(struct carnet_store *store, int64_t record_n, struct carnet_buf *out, struct carnet_err *err); /* appended */
/* Records greater than `after` that hold the address of the tag, ascending, at most max. */
CARNET_MUST_USE carnet_rc carnet_store_tag_records(struct carnet_store *store, const uint8_t tag[16], int64_t after, int64_t *out_n, size_t max, size_t *count,
                                                   struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_tags_empty(struct carnet_store *store, struct carnet_err *err);
/* tasks: records that something is to be done with; task: the replica's number of what */
CARNET_MUST_USE carnet_rc carnet_store_task_put(struct carnet_store *store, unsigned task, int64_t record_n, bool on, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_task_next(struct carnet_store *store, unsigned task, int64_t from, int64_t *out_n, struct carnet_err *err); /* NOT_FOUND */
CARNET_MUST_USE carnet_rc carnet_store_task_count(struct carnet_store *store, unsigned task, int64_t *out, struct carnet_err *err);
/* persons: the words that the search has of a record that is one of several of a person. NOT_FOUND: it is not. */
CARNET_MUST_USE carnet_rc carnet_store_person_text(struct carnet_store *store, int64_t record_n, struct carnet_slice *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_person_put(struct carnet_store *store, int64_t record_n, struct carnet_slice text, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_person_remove(struct carnet_store *store, int64_t record_n, struct carnet_err *err);

/* likeness: what contacts look like, as numbers; who has one in common may be one person. Records with a number up to the mark were compared once; those that changed
 * since are due; what comes after the mark is new. */
CARNET_MUST_USE carnet_rc carnet_store_likeness_get(struct carnet_store *store, int64_t record_n, struct carnet_slice *out, struct carnet_err *err); /* 8 bytes each, as put. NOT_FOUND */
/* Replaces what is known of the record; the index of numbers is the caller's to keep (index: add or drop one). */
CARNET_MUST_USE carnet_rc carnet_store_likeness_put(struct carnet_store *store, int64_t record_n, const uint64_t *numbers, size_t count, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_likeness_index(struct carnet_store *store, uint64_t number, int64_t record_n, bool on, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_likeness_who(struct carnet_store *store, uint64_t number, int64_t *out_n, size_t max, size_t *count, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_likeness_crowds(struct carnet_store *store, size_t more_than, int64_t *out, struct carnet_err *err); /* numbers of more records than that; walks them all */
CARNET_MUST_USE carnet_rc carnet_store_likeness_touch(struct carnet_store *store, int64_t record_n, struct carnet_err *err);  /* it changed: due, unless new */
CARNET_MUST_USE carnet_rc carnet_store_likeness_forget(struct carnet_store *store, int64_t record_n, struct carnet_err *err); /* numbers, index and proposals of the record */
CARNET_MUST_USE carnet_rc carnet_store_likeness_due(struct carnet_store *store, int64_t *out_n, size_t max, size_t *count, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_likeness_done(struct carnet_store *store, int64_t record_n, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_likeness_mark(struct carnet_store *store, int64_t *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_likeness_mark_put(struct carnet_store *store, int64_t record_n, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_likeness_left(struct carnet_store *store, int64_t *out, struct carnet_err *err); /* records that are due or new */
struct carnet_proposal {
    int64_t a, b; /* a < b */
    unsigned reason;
};
CARNET_MUST_USE carnet_rc carnet_store_proposal_put(struct carnet_store *store, const struct carnet_proposal *proposal, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_proposals_drop(struct carnet_store *store, int64_t record_n, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_proposal_next(struct carnet_store *store, int64_t after_a, int64_t after_b, struct carnet_proposal *out, struct carnet_err *err); /* NOT_FOUND */
CARNET_MUST_USE carnet_rc carnet_store_proposal_count(struct carnet_store *store, int64_t since_b, int64_t *out, struct carnet_err *err); /* whose b is greater; 0: all */

/* glances: what lists and counts ask of each contact, beside its record. Whoever is no contact any more keeps an empty one. */
struct carnet_glance {
    int64_t n;                 /* of the record */
    struct carnet_id book;
    bool contact;
    bool doubtful;             /* what follows does not decide: the record has to be looked at */
    uint64_t live;             /* bits below 62 */
    int64_t due_ms;            /* when time changes `live`; 0: never */
    struct carnet_slice name;  /* what orders it; empty: none */
};
/* Replaces and stamps it: a later transaction gives a higher stamp. A first one that is no contact is not kept. */
CARNET_MUST_USE carnet_rc carnet_store_glance_put(struct carnet_store *store, const struct carnet_glance *glance, struct carnet_err *err);
struct carnet_named {
    int64_t n;
    uint64_t head;      /* the first 8 bytes of its name, as a number in the same order; without a name the largest */
    uint32_t at, len;   /* its name in `names` */
};
/* Records that match an expression of the search, ascending, at most max, with what orders them: names are appended. As carnet_store_search. */
CARNET_MUST_USE carnet_rc carnet_store_search_names(struct carnet_store *store, const char *match, struct carnet_named *out, size_t max, size_t *count,
                                                    struct carnet_buf *names, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_glance_stamp(struct carnet_store *store, int64_t *out, struct carnet_err *err); /* the highest; 0: none */
/* Records whose glance changed after the stamp, at most max. */
CARNET_MUST_USE carnet_rc carnet_store_glance_since(struct carnet_store *store, int64_t stamp, int64_t *out_n, size_t max, size_t *count, struct carnet_err *err);
/* Records greater than after that a count does not decide now: doubtful, or due at or before now. Ascending, at most max. */
CARNET_MUST_USE carnet_rc carnet_store_glance_doubtful(struct carnet_store *store, int64_t now_ms, int64_t after, int64_t *out_n, size_t max, size_t *count, struct carnet_err *err);
struct carnet_glance_query {
    const char *match;         /* an expression of the search; NULL: all */
    uint64_t all, none, any;   /* bits of `live`; any 0: whichever */
    const struct carnet_id *book; /* NULL: any */
    int64_t now_ms;
};
/* How many contacts match, but for those that carnet_store_glance_doubtful names. LIMIT: the search takes too long. */
CARNET_MUST_USE carnet_rc carnet_store_glance_count(struct carnet_store *store, const struct carnet_glance_query *query, int64_t *out, struct carnet_err *err);
/* How many records the search has for the expression, whatever their glances say. */
CARNET_MUST_USE carnet_rc carnet_store_search_count(struct carnet_store *store, const char *match, int64_t *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_search_has(struct carnet_store *store, const char *match, int64_t n, bool *out, struct carnet_err *err);

/* tallies: who matched a query when it was last counted (local, derived; a hundred of them) */
struct carnet_tally {
    int64_t stamp;             /* of the glances, when it was counted */
    int64_t charter;           /* the last entry of lane 0 */
    int64_t day;
    struct carnet_slice members; /* the caller's */
};
CARNET_MUST_USE carnet_rc carnet_store_tally_get(struct carnet_store *store, const struct carnet_hash *query, struct carnet_tally *out, struct carnet_err *err); /* NOT_FOUND */
CARNET_MUST_USE carnet_rc carnet_store_tally_put(struct carnet_store *store, const struct carnet_hash *query, const struct carnet_tally *tally, struct carnet_err *err);

/* search: FTS5 over folded text (contentless, prefix 1 to 4, detail none, tokens of unicode61 without removing diacritics) */
CARNET_MUST_USE carnet_rc carnet_store_search_add(struct carnet_store *store, int64_t record_n, struct carnet_slice text, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_search_remove(struct carnet_store *store, int64_t record_n, struct carnet_slice text, struct carnet_err *err); /* the very text that was added */
/* Record numbers that match an FTS5 expression, greater than `after`, ascending, at most max. Bounded work: a progress handler stops a query that runs away (LIMIT;
 * the transaction, if any, must then be rolled back). USAGE: the expression is not one; breaks nothing. */
CARNET_MUST_USE carnet_rc carnet_store_search(struct carnet_store *store, const char *match, int64_t after, int64_t *out_n, size_t max, size_t *count, struct carnet_err *err);

/* --- invitations given out by this node --- */
struct carnet_invite_row {
    struct carnet_id code;       /* first 16 bytes of the one-time client key */
    int64_t until_ms;
    int64_t used_ms;             /* 0: not yet */
    struct carnet_id node;       /* who used it */
    struct carnet_slice terms;   /* CBOR, the replica's */
};
CARNET_MUST_USE carnet_rc carnet_store_invite_put(struct carnet_store *store, const struct carnet_invite_row *row, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_invite_get(struct carnet_store *store, const struct carnet_id *code, struct carnet_invite_row *out, struct carnet_err *err);

/* --- audit: a chain of rows, numbered by who writes them --- */
enum { CARNET_AUDIT_DETAIL_LEN_MAX = 200 };
struct carnet_audit_row {
    int64_t n; /* from 1, without holes */
    int64_t at_ms;
    unsigned kind;
    struct carnet_slice detail;
    struct carnet_hash hash;
    uint8_t sig[64];
};
CARNET_MUST_USE carnet_rc carnet_store_audit_add(struct carnet_store *store, const struct carnet_audit_row *row, struct carnet_err *err);
/* The first row with number >= from. NOT_FOUND: none. CORRUPT: not such a row. */
CARNET_MUST_USE carnet_rc carnet_store_audit_next(struct carnet_store *store, int64_t from, struct carnet_audit_row *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_audit_drop(struct carnet_store *store, int64_t up_to, struct carnet_err *err);

/* --- upkeep --- */
/* Are the derived tables empty because an older database was brought up, and not filled since? Then a rebuild is due. */
CARNET_MUST_USE carnet_rc carnet_store_derived_wanted(struct carnet_store *store, bool *wanted, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_derived_drop(struct carnet_store *store, struct carnet_err *err); /* empties the derived tables, inside a transaction */
/* Removes from the files what deleting left in page gaps, the search index and the log file: FTS optimize, VACUUM, checkpoint(TRUNCATE) until nothing is
 * left. Not inside a transaction. */
CARNET_MUST_USE carnet_rc carnet_store_sweep(struct carnet_store *store, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_store_check(struct carnet_store *store, struct carnet_err *err); /* integrity_check and the index's own; CORRUPT */
int64_t carnet_store_size(struct carnet_store *store); /* bytes of the database */

#endif
