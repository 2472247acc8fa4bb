// SPDX-License-Identifier: EUPL-1.2
/* replica: one node's copy of its community: log, keys and views in one transaction. Layer: replica; no socket, no thread. The clock, the randomness and
 * the file system (an SQLite VFS) come with the environment, so that the simulator runs this very code.
 *
 * The log is the truth: records, search, conflicts are derived from it by `apply`, which is the same for what is written here and for what is received.
 * Every function that writes is one transaction, durable when it returns OK, unless the caller opened one with carnet_replica_begin. After an error
 * the transaction is rolled back and the memory reloaded: nothing is half-way. */
#ifndef CARNET_REPLICA_REPLICA_H
#define CARNET_REPLICA_REPLICA_H

#include "carnet/model/consent.h"
#include "carnet/store/store.h"
#include "carnet/sync/session.h"
#include "carnet/sys/clock.h"
#include "carnet/sys/random.h"

struct carnet_replica;

/* The three secrets of a node: seeds of its signing, box and transport keys. Wiped by their owner. */
struct carnet_identity {
    uint8_t sign[32], box[32], curve[32];
};
void carnet_identity_new(const struct carnet_rng *rng, struct carnet_identity *out);
/* HOME/keystore: sealed by Argon2id under a passphrase, or in the clear, mode 0600. passphrase empty: none. */
CARNET_MUST_USE carnet_rc carnet_keystore_write(const char *path, const struct carnet_identity *identity, struct carnet_slice passphrase,
                                                const struct carnet_rng *rng, struct carnet_err *err);
/* LOCKED: it needs a passphrase, or another one. NOT_FOUND: no such file. CORRUPT. *sealed: whether a passphrase guards it. */
CARNET_MUST_USE carnet_rc carnet_keystore_read(const char *path, struct carnet_slice passphrase, struct carnet_identity *out, bool *sealed, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_keystore_sealed(const char *path, bool *sealed, struct carnet_err *err); /* NOT_FOUND */

struct carnet_replica_env {
    struct carnet_clock clock;
    struct carnet_rng rng;
    const char *vfs; /* NULL: the system's */
    void (*upgrading)(void *ctx); /* a database of an earlier version is opened: its views are made anew, which takes a while; may be NULL */
    void *upgrading_ctx;
};

/* --- life --- */
/* A new community, its book `main`, this node its founder (role admin). root: seed of the recovery key, not kept. The file must not exist (CONFLICT). */
CARNET_MUST_USE carnet_rc carnet_replica_found(const char *path, const struct carnet_replica_env *env, struct carnet_slice community, struct carnet_slice node,
                                               const struct carnet_identity *identity, const uint8_t root[32], struct carnet_replica **out, struct carnet_err *err);
/* A node that was admitted: welcome is what carnet_replica_admit gave. The charter comes with the first sync. REFUSED: the welcome is not for this identity, or of another
 * community than the one that the code names (NULL: any). */
CARNET_MUST_USE carnet_rc carnet_replica_join(const char *path, const struct carnet_replica_env *env, const struct carnet_identity *identity, const struct carnet_id *community, struct carnet_slice welcome,
                                              struct carnet_replica **out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_replica_open(const char *path, const struct carnet_replica_env *env, const struct carnet_identity *identity,
                                              struct carnet_replica **out, struct carnet_err *err);
void carnet_replica_close(struct carnet_replica *replica);

CARNET_MUST_USE carnet_rc carnet_replica_begin(struct carnet_replica *replica, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_replica_commit(struct carnet_replica *replica, struct carnet_err *err);
void carnet_replica_rollback(struct carnet_replica *replica);

/* --- facts --- */
const struct carnet_cert *carnet_replica_self(const struct carnet_replica *replica);
const struct carnet_authority *carnet_replica_authority(const struct carnet_replica *replica);
const struct carnet_identity *carnet_replica_identity(const struct carnet_replica *replica);
struct carnet_slice carnet_replica_community_name(const struct carnet_replica *replica);
struct carnet_store *carnet_replica_store(struct carnet_replica *replica); /* for reads by use cases: searches, walks, counts */
int64_t carnet_replica_wall_ms(const struct carnet_replica *replica);
int64_t carnet_replica_mono_ms(const struct carnet_replica *replica);
uint32_t carnet_replica_incarnation(const struct carnet_replica *replica); /* that this node writes under */
struct carnet_id carnet_replica_new_id(struct carnet_replica *replica); /* a UUIDv7 for a new record */
void carnet_replica_random(struct carnet_replica *replica, void *out, size_t len); /* for a key, from the environment's source */
/* The moment that expiry is judged by: the later of the local clock and the highest hlc that two other authors have reached. */
int64_t carnet_replica_now_ms(const struct carnet_replica *replica);
const struct carnet_charter *carnet_replica_charter(const struct carnet_replica *replica);
int64_t carnet_replica_last(const struct carnet_replica *replica); /* largest durable arrival number: when it grew, sessions have something to push */
/* What sessions ask; borrows the replica. */
struct carnet_sync_source carnet_replica_source(struct carnet_replica *replica);
/* A setting of this node alone (listen address, known peers...). NOT_FOUND. */
CARNET_MUST_USE carnet_rc carnet_replica_local_get(struct carnet_replica *replica, const char *name, struct carnet_buf *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_replica_local_put(struct carnet_replica *replica, const char *name, struct carnet_slice value, struct carnet_err *err);

/* --- books --- */
struct carnet_book {
    struct carnet_id id;
    char name[CARNET_NAME_LEN_MAX + 1];
    bool held; /* by this node */
    uint64_t hlc; /* of the event that named it: the first */
    struct carnet_dot dot;
};
size_t carnet_replica_book_count(const struct carnet_replica *replica);
const struct carnet_book *carnet_replica_book_at(const struct carnet_replica *replica, size_t i); /* in order of name */
/* By name (case ignored) or id text; empty: the only one held, else `main`, else the first held. NOT_FOUND. */
CARNET_MUST_USE carnet_rc carnet_replica_book_find(const struct carnet_replica *replica, struct carnet_slice name, const struct carnet_book **out, struct carnet_err *err);
/* Names of communities, members, nodes and books: USAGE unless text of 1 to CARNET_NAME_LEN_MAX bytes on one line. */
CARNET_MUST_USE carnet_rc carnet_replica_name_check(struct carnet_slice name, struct carnet_err *err);
struct carnet_charter_word {
    struct carnet_slice key, value;
};
/* Says them in the charter, in place of what is said there now and known here. USAGE: not a key or a value of a charter. REFUSED: not an admin. */
CARNET_MUST_USE carnet_rc carnet_replica_charter_set(struct carnet_replica *replica, const struct carnet_charter_word *words, size_t count, struct carnet_err *err);
/* Makes it with its epochs, whose keys are boxed to every reader. REFUSED: not an admin. CONFLICT: the name is taken. */
CARNET_MUST_USE carnet_rc carnet_replica_book_add(struct carnet_replica *replica, struct carnet_slice name, struct carnet_id *out, struct carnet_err *err);

/* --- members --- */
struct carnet_member {
    const struct carnet_cert *cert;
    char member[CARNET_NAME_LEN_MAX + 1]; /* the person or office: --name of the invitation */
    char node[CARNET_NAME_LEN_MAX + 1];   /* the device: --node */
    bool cut, expired;
    char addresses[4][96];
    size_t address_count;
    int64_t alive_ms; /* last `alive`, 0: none */
};
CARNET_MUST_USE carnet_rc carnet_replica_members(struct carnet_replica *replica, bool (*each)(void *ctx, const struct carnet_member *member), void *ctx, struct carnet_err *err);
/* One member by node id. NOT_FOUND. */
CARNET_MUST_USE carnet_rc carnet_replica_member(struct carnet_replica *replica, const struct carnet_id *node, struct carnet_member *out, struct carnet_err *err);
/* By name of member or node, or id text. NOT_FOUND, AMBIGUOUS. */
CARNET_MUST_USE carnet_rc carnet_replica_member_find(struct carnet_replica *replica, struct carnet_slice name, struct carnet_member *out, struct carnet_err *err);

struct carnet_invite_terms {
    struct carnet_slice name; /* of the member */
    enum carnet_role role;
    const struct carnet_id *books;
    size_t book_count;        /* 0: all the inviter's */
    uint32_t scopes;          /* 0: the role's default (volunteer: identity postal notes; relay: none; else the inviter's) */
    int64_t expires_ms;       /* of the certificate; 0: never, but volunteers and gateways after 90 days */
    int64_t code_until_ms;    /* of the code */
    const char *const *addresses; /* tcp://host:port */
    size_t address_count;
};
/* Gives the text of a code (appended). REFUSED: more than this node's own rights. USAGE: a bad address or none. */
CARNET_MUST_USE carnet_rc carnet_replica_invite(struct carnet_replica *replica, const struct carnet_invite_terms *terms, struct carnet_buf *code, struct carnet_err *err);
/* Is this one-time transport key that of an invitation, unused (or used by the same node) and in time? Decides at the handshake. */
bool carnet_replica_invite_known(struct carnet_replica *replica, const struct carnet_box_pk *client);
/* What a joining node asks, made with its identity: appended. The inviter's answer goes to carnet_replica_join. */
void carnet_join_request(const struct carnet_identity *identity, struct carnet_slice node_name, const struct carnet_box_pk *client, struct carnet_buf *out);
/* Certifies the asker: appends the welcome, after the charter entry and the code's use are durable. REFUSED: unknown, used, expired code. MALFORMED.
 * The same request again (an answer was lost) gets the same welcome. */
CARNET_MUST_USE carnet_rc carnet_replica_admit(struct carnet_replica *replica, const struct carnet_box_pk *client, struct carnet_slice request, struct carnet_buf *welcome,
                                               struct carnet_err *err);
/* Cuts node where this replica's copy of its logs ends (the engine of `revoke`). REFUSED: not below this node. */
CARNET_MUST_USE carnet_rc carnet_replica_cut(struct carnet_replica *replica, const struct carnet_id *node, struct carnet_err *err);
/* Announces where this node listens (its own addresses replace the former ones; none: takes them back). */
CARNET_MUST_USE carnet_rc carnet_replica_addresses(struct carnet_replica *replica, const char *const *addresses, size_t count, struct carnet_err *err);

/* --- writing --- */
struct carnet_write_cell {
    uint32_t field;
    struct carnet_slice label;
    struct carnet_slice value; /* in normal form; empty: empties the field */
};
struct carnet_write {
    struct carnet_id book, record;
    struct carnet_id subject;         /* of a contact: its own id; zero: about nobody */
    enum carnet_kind kind;
    const struct carnet_write_cell *cells;
    size_t cell_count;
    const struct carnet_event *events;
    size_t event_count;
    bool fresh;                       /* the caller made the id just now: nothing to look up */
    bool unasked;                     /* its refusals and erasures are not the person's word (an import undone, kept for too long): no tags for the suppression list */
    bool beside;                      /* its cells replace nothing, and may name a field twice: values in conflict that come back as they were */
};
struct carnet_write_result {
    size_t entries;    /* written */
    size_t unchanged;  /* cells that held this value already: nothing is written for them */
    size_t uncovered;  /* cells that no live purpose covers: left out when leave_uncovered, else the whole is REFUSED */
};
/* Writes changes of any records of one or several books: seals each scope under the subject's live seed (made when a live grant covers the scope and none is
 * there), names the live siblings that each cell replaces, splits into entries, signs, applies. Grants of the same write count. One transaction.
 * A RECTIFY among the events has the other live values of the parts that it names cells of written again: nothing of the old parts stays on any node.
 * REFUSED: no live purpose covers a field (hint names the purposes that would), rights, an erased record. LOCKED: the epoch's key is not held.
 * NOT_FOUND: the book is not held. LIMIT: too large. result may be NULL. */
CARNET_MUST_USE carnet_rc carnet_replica_write(struct carnet_replica *replica, const struct carnet_write *writes, size_t count, bool leave_uncovered,
                                               struct carnet_write_result *result, struct carnet_err *err);
/* Destroys the keys of the scopes of a contact that no live grant covers (event DARK). REFUSED: this node may not, or a live grant stands. */
CARNET_MUST_USE carnet_rc carnet_replica_dark(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, uint32_t scopes, struct carnet_err *err);

/* --- applying what was received --- */
/* One transaction. rcs[i]: OK (applied, or held already), AGAIN (something before it is missing), REFUSED, MALFORMED, LIMIT, FORK: those change nothing, the
 * others are applied all the same. The result is not OK only when the world fails (nothing was applied then). */
CARNET_MUST_USE carnet_rc carnet_replica_apply(struct carnet_replica *replica, const struct carnet_slice *entries, size_t count, carnet_rc *rcs, struct carnet_err *err);
/* A peer knew more of this node's own log: write under a new incarnation from now on. */
CARNET_MUST_USE carnet_rc carnet_replica_new_incarnation(struct carnet_replica *replica, struct carnet_err *err);

/* --- reading --- */
/* One record of a person who is several (protocol/consent.md, rule 12). */
struct carnet_view_record {
    int64_t n;
    const struct carnet_record *record;
    const struct carnet_record **person; /* person[0] is this record */
    size_t person_count;
    uint32_t open;                 /* scopes that grants on this record open, and no refusal on any shuts (mask) */
};
struct carnet_view {
    int64_t n;
    struct carnet_id book, id;     /* of a person of several records: the main one's; the others' ids lead to it */
    struct carnet_record record;   /* unpacked in the arena; of a person, the main one */
    struct carnet_cell *cells;     /* of the open, readable scopes of every record of the person; in the arena. Equal values of two records are two siblings */
    size_t cell_count;
    uint32_t open;                 /* scopes that somebody agreed to on some record (mask) */
    const struct carnet_view_record *records; /* of a contact: the main record, then the others in order of id; of anything else, itself */
    size_t record_count;
    uint32_t blocked, dark, locked;/* scopes with live values that are not shown, and why */
    bool restricted;
    unsigned conflicts;
    const struct carnet_record **person; /* person[0] is the record (a copy in the arena); then the records merged with it */
    size_t person_count;
    const struct carnet_record **about; /* whose consent decides: the person of the record's subject; none: about nobody, or it has not come yet */
    size_t about_count;
};
/* The one door to what a record says: no other function gives values to a use case, so that a refusal blocks them all. Its cells are those of the scopes
 * that carnet_replica_allowed allows for an empty purpose: what is displayed, found, printed or exported has passed it. NOT_FOUND: unknown, or erased.
 * Merged contacts are one person: whichever of their records is asked for, the view is the person's, under the main record's id. */
CARNET_MUST_USE carnet_rc carnet_replica_view(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, struct carnet_arena *arena,
                                              struct carnet_view *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_replica_view_at(struct carnet_replica *replica, int64_t n, struct carnet_arena *arena, struct carnet_view *out, struct carnet_err *err);
/* By short text or a unique prefix of it, or the whole id in hexadecimal. NOT_FOUND, AMBIGUOUS. USAGE: not an id. */
CARNET_MUST_USE carnet_rc carnet_replica_view_text(struct carnet_replica *replica, struct carnet_slice text, struct carnet_arena *arena, struct carnet_view *out, struct carnet_err *err);
/* The same of one record alone, with what the person's other records refuse: for whoever writes, imports or compares. Its cells are this record's. */
CARNET_MUST_USE carnet_rc carnet_replica_record(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, struct carnet_arena *arena,
                                                struct carnet_view *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_replica_record_at(struct carnet_replica *replica, int64_t n, struct carnet_arena *arena, struct carnet_view *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_replica_record_text(struct carnet_replica *replica, struct carnet_slice text, struct carnet_arena *arena, struct carnet_view *out, struct carnet_err *err);
/* What merging b's person into a's would show; nothing is written. a, b: local numbers. LIMIT: more than 64 records. */
CARNET_MUST_USE carnet_rc carnet_replica_view_merged(struct carnet_replica *replica, int64_t a, int64_t b, struct carnet_arena *arena, struct carnet_view *out, struct carnet_err *err);
/* The view of one of its records (view->records[i]), without cells; what another record refuses counts. Borrows. */
struct carnet_view carnet_view_one(const struct carnet_view *view, size_t i);
/* The record of the view that holds the sibling (one of its cells'): its place in view->records. */
size_t carnet_view_holder(const struct carnet_view *view, const struct carnet_sibling *sibling);
/* All the records that merging connects with record n, also when they are too many for one person; in the arena. */
CARNET_MUST_USE carnet_rc carnet_replica_connected(struct carnet_replica *replica, int64_t n, struct carnet_arena *arena, struct carnet_id **out, size_t *count, struct carnet_err *err);
/* The cells that the purpose itself allows: of each record, those of the scopes that a live grant of this purpose on this record covers. In the arena. */
struct carnet_cell *carnet_replica_cells(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, struct carnet_arena *arena, size_t *count);
/* Of a person of several records: allowed when every record that shows values of the scope allows it (carnet_replica_cells is exact).
 * May the person be reached for the purpose through the scope (email, phone, postal...) now? OK with the grant relied on, or REFUSED with the consent that says why.
 * The one function that every reader of an address asks: display and find through the cells of a view, print, export and send for their purpose. An empty purpose:
 * any that covers the scope; scope consent, and records about nobody, need none. out may be NULL: that spares the reasons. */
CARNET_MUST_USE carnet_rc carnet_replica_allowed(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, enum carnet_scope scope,
                                                 struct carnet_consent *out);
/* The other door: a person's own, who has a right to all that is kept, blocked or not (GDPR article 15). For `access` alone. Gives every record of the person, each
 * followed by those about it, with the cells of every scope that this node reads; `blocked` still says which are not to be used. What it gives is printed for the person
 * and goes nowhere else. It stands in the audit trail. REFUSED: this node may not (verb erase: admin, office). */
CARNET_MUST_USE carnet_rc carnet_replica_view_whole(struct carnet_replica *replica, const struct carnet_view *person, struct carnet_arena *arena,
                                                    bool (*each)(void *ctx, const struct carnet_view *view), void *ctx, struct carnet_err *err);
/* Records of a person's notes and visits: those about subject and the contacts merged with it; newest first is the caller's sorting. */
CARNET_MUST_USE carnet_rc carnet_replica_about(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *subject, struct carnet_arena *arena,
                                               bool (*each)(void *ctx, const struct carnet_view *view), void *ctx, struct carnet_err *err);
struct carnet_history_item {
    int64_t at_ms;
    uint64_t hlc;
    struct carnet_dot dot;
    char by[CARNET_NAME_LEN_MAX + 1];
    uint32_t field;            /* 0 with an event */
    struct carnet_slice label, old, value; /* empty old: it was not there, or is gone by now */
    bool gone;                 /* the value was dropped or cannot be read here */
    bool voided;
    const struct carnet_event *event; /* NULL: a cell */
};
/* What happened to a record, oldest first. Values of scopes that are not open are gone. */
CARNET_MUST_USE carnet_rc carnet_replica_history(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_arena *arena,
                                                 bool (*each)(void *ctx, const struct carnet_history_item *item), void *ctx, struct carnet_err *err);

/* Where this node's own chain of the log of the book is: its stream and its last sequence (0: none yet), what the open transaction wrote included. */
void carnet_replica_own_head(struct carnet_replica *replica, const struct carnet_id *book, unsigned log, uint32_t *stream, uint64_t *seq);
/* The records that an entry changed, in the arena. NOT_FOUND: the entry is not here, or does not count. author: as in dots. */
CARNET_MUST_USE carnet_rc carnet_replica_entry_records(struct carnet_replica *replica, const struct carnet_id *book, uint64_t author, uint32_t stream, uint64_t seq,
                                                       struct carnet_arena *arena, struct carnet_id **out, size_t *count, struct carnet_err *err);

/* --- erasing and upkeep --- */
struct carnet_erasure {
    struct carnet_id book, record;
    int64_t at_ms;
    struct carnet_id by;
    const struct carnet_id *acknowledged, *outstanding; /* node ids: holders of the book whose sweep covers it, or not yet */
    size_t acknowledged_count, outstanding_count;
};
CARNET_MUST_USE carnet_rc carnet_replica_erasures(struct carnet_replica *replica, struct carnet_arena *arena, bool (*each)(void *ctx, const struct carnet_erasure *erasure), void *ctx,
                                                  struct carnet_err *err);
/* Removes from the files what erasing left, then writes this node's receipt in every book where the last one does not cover the law held. */
CARNET_MUST_USE carnet_rc carnet_replica_sweep(struct carnet_replica *replica, struct carnet_err *err);
bool carnet_replica_sweep_due(struct carnet_replica *replica); /* something was erased or darkened since the last sweep */
/* What a node does by itself, a bounded slice at a time: re-indexes what expired, darkens what has had no live grant for dark_after, re-issues a darkening, erasure or
 * rectification that came from the future, boxes epoch keys to readers who lack them, drops parts superseded for longer than the history, a daily `alive`.
 * dark_after counts from when this node learnt of the refusal, if that is later than its date.
 * clock_agrees: a peer whose clock is within 10 minutes of ours was heard in the last day (a timer alone destroys nothing). *more: call again soon. */
CARNET_MUST_USE carnet_rc carnet_replica_upkeep(struct carnet_replica *replica, bool clock_agrees, bool *more, struct carnet_err *err);
int64_t carnet_replica_upkeep_due_ms(struct carnet_replica *replica); /* wall time of the next thing that upkeep would do; INT64_MAX: nothing planned */

/* Canonical state of a book: a hash that any holder of the same entries computes, with or without keys. */
CARNET_MUST_USE carnet_rc carnet_replica_state(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_hash *out, struct carnet_err *err);
/* Checks the file, every signature and hash, and that the views are what the log says. each: one line per error found. OK also with errors. */
CARNET_MUST_USE carnet_rc carnet_replica_verify(struct carnet_replica *replica, void (*each)(void *ctx, const char *error), void *ctx, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_replica_rebuild(struct carnet_replica *replica, struct carnet_err *err);

#endif
