// SPDX-License-Identifier: EUPL-1.2
/* What the files of the layer replica share. open.c: life, memory, transactions. apply.c: entries in. rows.c: one record's row and what hangs on it.
 * batch.c: entries out. write.c: cells under consent. book.c: books and epochs. view.c, source.c, verify.c: what the outside reads. */
#ifndef CARNET_REPLICA_INTERNAL_H
#define CARNET_REPLICA_INTERNAL_H

#include "carnet/replica/index.h"
#include "carnet/replica/replica.h"
#include "carnet/model/settings.h"
#include "carnet/wire/cbor.h"

enum {
    CARNET_PERSON_MAX = 64,           /* records of one person: whoever is more is blocked */
    CARNET_PERSON_WALK = 1024,        /* records that a merge indexes again */
    CARNET_STATE_LEN_MAX = 15 << 20,  /* a packed record: below the store's ceiling of a value */
    CARNET_STATE_FULL = 2 << 20,      /* of a larger record authors may have written so much: */
    CARNET_STATE_SHARE_MAX = 1 << 18,
    CARNET_STATE_OWN_MAX = 8 << 20,   /* a node's own record, with its receipts; one entry makes a record at most 5 MiB larger */
    CARNET_STREAMS_OF_AUTHOR_MAX = 256, /* logs of one author in one book: an incarnation is two of them, and rare */
    CARNET_ROW_CONTACT = 1,           /* carnet_record_row.flags: a contact that is not erased; of a person of several records the main one alone */
    CARNET_ROW_LOCKED = 2,            /* some value waits for a key or a part */
    CARNET_ROW_ERASED = 4,
    CARNET_ROW_DEAD = 8,              /* some seed of this contact was destroyed */
    CARNET_ROW_EMPTY = 16,            /* nothing stands of it: only edges name it, or all was void */
    CARNET_ROW_PERSON = 32,           /* one of several records of a person */
    CARNET_ROW_MERGED = 64            /* and not the main one */
};

/* --- what memory knows of the logs and of the charter: filled at open, kept by apply, filled anew after a rollback --- */
struct carnet_stream {
    struct carnet_stream_row row;
    uint64_t hlc; /* of the head */
};
struct carnet_streams { /* in order of arrival in memory; found by hash */
    struct carnet_stream *at;
    size_t count, cap;
    uint32_t *slots; /* index + 1, by (book, author, stream) */
    size_t slot_count;
    uint32_t *by_n; /* index + 1, by row.n */
    size_t by_n_count;
};
struct carnet_numbers { /* a set of numbers that are never 0 */
    uint64_t *slots;
    size_t count, slot_count;
};
struct carnet_digests {
    struct carnet_id book;
    bool known[CARNET_LANES];
    struct carnet_hash hash[CARNET_LANES];
};
struct carnet_waiting_key { /* an epoch key that came before its EPOCH event */
    uint64_t epoch;
    struct carnet_key key;
};
struct carnet_unlocked { /* keys that came in this transaction: values to read again before it ends */
    struct carnet_id book;
    enum carnet_scope scope;
};
struct carnet_plain { /* a cell of the entry being made: its value is known, nothing is opened for it */
    uint32_t field;
    struct carnet_slice label, value;
};

struct carnet_batch_item {
    struct carnet_id record;
    size_t plain; /* its first cell among the plain ones */
    bool fresh;   /* made just now: nothing to look up */
};

/* The record of one row, with its memory. */
struct carnet_loaded {
    struct carnet_record_row row; /* n 0: it is not in the store yet; state points into `packed` */
    struct carnet_record record;
    struct carnet_buf packed;     /* the state as it was read */
    struct carnet_arena arena;    /* what a replay's values live in */
};

/* What upkeep.c and erase.c remember between two calls; zero at open, and wrong at worst for a while. */
struct carnet_upkeep {
    int64_t law_scanned;   /* entries of law up to this arrival number were looked at by carnet_replica_sweep_due */
    bool law_due;          /* one of them asks for a receipt */
    int64_t due_from;      /* where the walk over due records stands; 0: at its beginning */
    int64_t walk_ms, walked_ms; /* wall times for which the walk goes on, and was ended last */
    int64_t future_from, future_at; /* entries from the future: the first that is not settled, where the walk stands */
    bool stuck;            /* something waits for another node, or for a peer's clock */
    int64_t next_ms;       /* wall time of the next call at the latest; 0: at once */
    int64_t audit_ms;      /* wall time when the audit trail was looked through; 0: never */
    int64_t alive_ms;      /* the last `alive` of this node, wall time; 0: not read yet */
    uint64_t box_mark;     /* of the charter, when no box was missing */
    int64_t box_since_ms;  /* monotonic, when some were found to be missing; 0: none */
    size_t box_at;         /* the next certificate to look at */
    int64_t superseded_ms; /* wall time before which there is nothing to drop */
    uint64_t numbers_done; /* what the charter's numbers were when every row's due was computed; 0: not read yet */
    uint64_t numbers_now;  /* those that the walk over all rows is for, */
    int64_t numbers_at;    /* and the row where it stands; a restart begins it again */
    uint64_t due_written;  /* due_ms was computed when replica->written was this, */
    int64_t due_until_ms;  /* and next_ms this */
    int64_t due_ms;
};

/* The suppression list in memory, and what compares addresses with it (suppress.c). */
enum { CARNET_TAG_KEYS_MAX = 4, CARNET_TAG_CACHE = 1024, CARNET_TASK_COMPARE = 0, CARNET_TASK_TAG = 1 };
struct carnet_tag {
    uint8_t tag[CARNET_TAG_LEN];
    uint64_t hlc;     /* of the latest that says so; 0: the slot is free */
    uint32_t purpose; /* among the purposes */
};
struct carnet_tag_purpose {
    size_t len;
    char text[CARNET_LABEL_LEN_MAX];
};
struct carnet_tag_cached {
    uint8_t of[CARNET_TAG_LEN]; /* a hash of the address */
    uint8_t tags[CARNET_TAG_KEYS_MAX][CARNET_TAG_LEN];
    bool used;
};
struct carnet_tags {
    struct carnet_tag *slots; /* open addressing by tag: those of one tag stand together */
    size_t count, slot_count;
    struct carnet_tag_purpose **purposes;
    size_t purpose_count, purpose_cap;
    struct carnet_key keys[CARNET_TAG_KEYS_MAX]; /* held; the first one is written under */
    size_t key_count;
    bool keys_read;
    uint64_t key_mark, walked_mark; /* of the keys; of those that the walk was made with */
    struct carnet_tag_cached *cache;
    struct carnet_tag_cached unmasked; /* of what stands for an address */
    uint8_t (*news)[CARNET_TAG_LEN]; /* came, or went, in this transaction: who holds them is indexed again before it ends */
    size_t news_count, news_cap;
    struct carnet_tag *pending; /* to be written with what is being written */
    size_t pending_count, pending_cap;
    int64_t walked;        /* records up to this number are compared, but for the tasks */
    bool walked_moved;     /* the store has another number */
    uint64_t idle_written; /* all was compared when replica->written was this */
    int64_t busy_last, busy_ms, quiet_ms; /* entries that had come, since when some come, until when comparing waits for them */
    int64_t due_ms;        /* monotonic, when tasks were found to be waiting; 0: none */
    int64_t key_ms;        /* monotonic, when the key was found to be missing */
    bool now;              /* a person asks for one record: addresses are compared at once */
    int64_t feeding_ms;    /* when the charter entry being read arrived */
};

/* The audit trail's memory (audit.c). */
enum { CARNET_AUDIT_SUMS_MAX = 64 };
struct carnet_audit_sum {
    unsigned kind;
    char what[96];
    uint64_t total;
};
struct carnet_audit_sums {
    struct carnet_audit_sum at[CARNET_AUDIT_SUMS_MAX];
    size_t count;
};
struct carnet_audit {
    bool loaded, day_read;        /* head and anchor; what was counted before this node was opened */
    int64_t n, anchor_n;          /* the last row; the last one that was dropped */
    struct carnet_hash head, anchor;
    struct carnet_audit_sums batch, tx; /* events of the entry being made; of the transaction */
    struct carnet_audit_sums sums; /* counted, no row yet: since `day` */
    int64_t day;
    bool dirty;                   /* sums are not in the store */
    bool held, release;           /* what transactions sign is summed; the sums become rows */
};

struct carnet_replica {
    struct carnet_store *store;
    struct carnet_replica_env env;
    struct carnet_identity identity;
    struct carnet_sign_pk sign_pk;
    struct carnet_sign_sk sign_sk;
    struct carnet_box_pk box_pk, curve_pk;
    struct carnet_box_sk box_sk;
    struct carnet_id node, community; /* the community id is also the id of the book `charter` */
    char name[CARNET_NAME_LEN_MAX + 1];

    /* the charter */
    struct carnet_authority *authority;
    struct carnet_authority **retired; /* former ones: sessions may still point into them; freed at close */
    size_t retired_count, retired_cap;
    struct carnet_keyring *keyring;
    struct carnet_book *books; /* in order of name, then id */
    size_t book_count, book_cap;
    struct carnet_id *held; /* books held, in order of id */
    size_t held_count, held_cap;
    struct carnet_numbers boxed; /* (epoch, reader) pairs whose box was seen */
    struct carnet_waiting_key *waiting_keys;
    size_t waiting_key_count, waiting_key_cap;
    struct carnet_buf waiting_certs; /* [length, bytes] of certificates whose issuer is not known yet */
    struct carnet_charter charter;
    struct carnet_settings *settings; /* what makes it */
    bool settings_new;                /* it is to be made again */
    int64_t silence_said_ms;          /* when the last word on `contact` arrived here; 0: none */
    bool charter_dirty; /* something of the above changed in this transaction: a rollback reads the charter again */
    bool cut_seen;      /* a CUT came in this transaction: what it voids is settled before the transaction ends */
    struct carnet_unlocked *unlocked;
    size_t unlocked_count, unlocked_cap;

    /* the logs */
    struct carnet_streams streams;
    struct carnet_digests *digests;
    size_t digest_count, digest_cap;
    uint32_t incarnation;
    uint64_t hlc, hlc_stored;
    struct {
        struct carnet_id author;
        uint64_t hlc;
    } reached[2]; /* the two other authors that are furthest */
    int64_t last, last_new; /* largest arrival number: durable; of this transaction */
    uint64_t written;       /* grows with each change of the store */
    bool sweep_due, sweep_due_new;

    /* the entry being made */
    struct carnet_draft *draft;
    struct carnet_id batch_book;
    unsigned batch_log;
    struct carnet_plain *plain;
    size_t plain_count, plain_cap;
    struct carnet_batch_item *batch_changes; /* of each change of the draft */
    size_t batch_count, batch_cap;
    size_t batch_entries; /* flushed since carnet_batch_reset */

    /* reused memory */
    struct carnet_arena entry_arena; /* the entry being applied */
    struct carnet_arena change_arena;
    struct carnet_arena read_arena;  /* an older entry read again while another is applied */
    struct carnet_arena row_arena;   /* the row being put */
    struct carnet_arena write_arena; /* what a batch borrows until it is flushed */
    struct carnet_buf entry_bytes, own_bytes, strip_bytes, state_bytes, text, old_text;
    struct carnet_loaded target, subject, other; /* of the change being applied */
    struct carnet_loaded written_target, written_subject; /* of the record being written */
    struct carnet_record delta, old, projected, viewed;
    uint8_t random[1024]; /* drawn ahead: seeds are many and small */
    size_t random_left;
    const char *why;   /* of the last refusal: a static English text for logs */
    bool applying_own; /* the entry being applied is the batch */
    int64_t rebuilding;     /* the entry of which the derived part is computed again; 0: none */
    struct carnet_upkeep upkeep;
    struct carnet_audit audit;
    struct carnet_tags tags;
    bool broken; /* a rollback could not read the memory again: nothing is done any more */
};

/* --- open.c: transactions and memory --- */
/* Opens a transaction unless one is open (*mine tells). Every writer calls both; leave commits when mine and rc is OK, or rolls back and reloads; inside
 * an outer transaction a refusal that wrote nothing leaves it as it was. Gives rc, or the error of the commit. */
CARNET_MUST_USE carnet_rc carnet_tx_enter(struct carnet_replica *replica, bool *mine, uint64_t *written, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_tx_leave(struct carnet_replica *replica, bool mine, uint64_t written, carnet_rc rc, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_memory_load(struct carnet_replica *replica, struct carnet_err *err); /* everything, from the store */
CARNET_MUST_USE carnet_rc carnet_charter_load(struct carnet_replica *replica, struct carnet_err *err); /* authority, keyring, books, from the charter's entries */
/* Feeds one charter entry that stands to the memory. */
uint64_t carnet_setting_version(struct carnet_slice key, struct carnet_slice value); /* of the definition that a SETTING says */
uint32_t carnet_setting_field(struct carnet_slice key); /* the number of a custom field, by the key field/NAME; 0: no such key */
void carnet_charter_feed(struct carnet_replica *replica, const struct carnet_entry *entry);
void carnet_charter_feed_beyond(struct carnet_replica *replica, const struct carnet_entry *entry); /* of law, beyond its author's cut: refusals alone */
void carnet_books_refresh(struct carnet_replica *replica); /* held, after certificates or books changed */
/* What a member needs to begin: ["carnet/1/welcome", genesis, [certificate ...]] from the root's child to cert; appended. */
void carnet_welcome_put(const struct carnet_replica *replica, const struct carnet_cert *cert, struct carnet_buf *out);

/* A node's record in the charter has the node's id: kind CERTIFICATE with event CERTIFICATE and clear cells TEXT/member and TEXT/node by who invited it;
 * kind NODE with its addresses and `alive` by itself. One record: the smaller kind stands. */
#define CARNET_LABEL_MEMBER "member"
#define CARNET_LABEL_NODE "node"

void carnet_random(struct carnet_replica *replica, void *out, size_t len);

/* --- streams --- */
struct carnet_stream *carnet_streams_find(struct carnet_streams *streams, const struct carnet_id *book, const struct carnet_id *author, uint32_t stream); /* NULL */
struct carnet_stream *carnet_streams_at(struct carnet_streams *streams, int64_t n); /* by local number; NULL */
struct carnet_stream *carnet_streams_add(struct carnet_streams *streams, const struct carnet_stream_row *row);
void carnet_streams_deinit(struct carnet_streams *streams);
/* Was the write applied, or is it beyond what this node will ever apply? */
bool carnet_dot_seen(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_dot *dot);
/* What of the chain stands: its head's seq, or less after a cut (data); law is always whole. */
uint64_t carnet_stream_standing(const struct carnet_stream *stream);
bool carnet_numbers_add(struct carnet_numbers *numbers, uint64_t number); /* false: it was there */
bool carnet_numbers_has(const struct carnet_numbers *numbers, uint64_t number);
void carnet_numbers_deinit(struct carnet_numbers *numbers);
void carnet_reached(struct carnet_replica *replica, const struct carnet_id *author, uint64_t hlc); /* an author got so far */
void carnet_digests_forget(struct carnet_replica *replica, const struct carnet_id *book, unsigned lane);
/* Has a box of this epoch's key for this reader been seen in the charter? */
bool carnet_boxed(const struct carnet_replica *replica, uint64_t epoch, const struct carnet_id *reader);

/* --- rows.c: rows of records --- */
void carnet_loaded_init(struct carnet_loaded *loaded);
void carnet_loaded_deinit(struct carnet_loaded *loaded);
/* Reads the row and unpacks it. NOT_FOUND: row and record are empty with ids set, ready to be put. */
CARNET_MUST_USE carnet_rc carnet_rows_get(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *id, struct carnet_loaded *out,
                                          struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_rows_at(struct carnet_replica *replica, int64_t n, struct carnet_loaded *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_rows_unpack(struct carnet_loaded *loaded, struct carnet_err *err); /* row is filled: copies and unpacks its state */
/* Packs and puts the record; sets row.n; replaces its search text and points (those of the state that was read), counts its conflicts, keeps its edges and due
 * moment, and refreshes the other records of the person. Once only after a read: the state that was read is no longer the stored one. */
CARNET_MUST_USE carnet_rc carnet_rows_put(struct carnet_replica *replica, struct carnet_loaded *loaded, struct carnet_err *err);
/* Indexes the record again: time changed what is open. */
CARNET_MUST_USE carnet_rc carnet_rows_refresh(struct carnet_replica *replica, int64_t n, struct carnet_err *err);
/* Computes the record again from the entries that touch it, into out (row as it is in the store, record computed). Nothing is written. */
CARNET_MUST_USE carnet_rc carnet_rows_replay(struct carnet_replica *replica, int64_t n, struct carnet_loaded *out, struct carnet_err *err);
void carnet_rows_prune(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_record *record); /* forgets replaced dots that were applied */
CARNET_MUST_USE carnet_rc carnet_rows_component(struct carnet_replica *replica, int64_t n, int64_t *numbers, size_t max, size_t *count, struct carnet_err *err); /* max: at most CARNET_PERSON_WALK */
CARNET_MUST_USE carnet_rc carnet_rows_recompute(struct carnet_replica *replica, int64_t n, struct carnet_err *err); /* and puts it; with the records about it */
/* Local numbers of the other records about subject; in the arena. */
CARNET_MUST_USE carnet_rc carnet_rows_about(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *subject, struct carnet_arena *arena,
                                            int64_t **out, size_t *count, struct carnet_err *err);
/* The number of a record that may not have come yet: then an empty row holds its place. */
CARNET_MUST_USE carnet_rc carnet_rows_number(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *id, int64_t *out,
                                             struct carnet_err *err);
/* The entries that touch a record, in order of arrival; in the arena. Also those with changes about it of records that are said to be about another. */
struct carnet_touch {
    int64_t entry_n;
    unsigned change;
};
CARNET_MUST_USE carnet_rc carnet_rows_touches(struct carnet_replica *replica, int64_t n, struct carnet_arena *arena, struct carnet_touch **out, size_t *count,
                                              struct carnet_err *err);
/* The person of a record: itself, then the records merged with it by live edges; in the arena. When these are more than CARNET_PERSON_MAX, then the record and one
 * that blocks all: some refusal may stand where nobody looks. */
CARNET_MUST_USE carnet_rc carnet_rows_person(struct carnet_replica *replica, const struct carnet_record *record, int64_t n, struct carnet_arena *arena,
                                             const struct carnet_record ***out, size_t *count, struct carnet_err *err);
/* The same, with the local number of each; numbers has room for CARNET_PERSON_MAX. */
CARNET_MUST_USE carnet_rc carnet_rows_people(struct carnet_replica *replica, const struct carnet_record *record, int64_t n, struct carnet_arena *arena, int64_t *numbers,
                                             const struct carnet_record ***out, size_t *count, struct carnet_err *err);
/* Who may be shown of a person's records: open[i] of person[i]; in the arena. */
uint32_t *carnet_rows_shown(struct carnet_replica *replica, const struct carnet_record *const *person, size_t count, struct carnet_arena *arena);
/* The cells of several records as one, those of the scopes shown[i] of person[i]. What one record emptied takes nothing from another's. */
struct carnet_cell *carnet_rows_cells(const struct carnet_record *const *person, const uint32_t *shown, size_t count, struct carnet_arena *arena, size_t *cell_count);
void carnet_rows_clear(struct carnet_record *record); /* as initialised; keeps the memory of its arrays */
/* A copy whose arrays live in the arena (never deinit it); slices still point where they did. */
void carnet_rows_copy(const struct carnet_record *record, struct carnet_arena *arena, struct carnet_record *out);

/* --- apply.c --- */
/* Applies one entry inside the open transaction. *rc: as in carnet_replica_apply. Not OK: the world failed. */
CARNET_MUST_USE carnet_rc carnet_apply_entry(struct carnet_replica *replica, struct carnet_slice raw, carnet_rc *rc, struct carnet_err *err);
/* Applies the entry that this node made: plain and fresh are those of the batch. */
CARNET_MUST_USE carnet_rc carnet_apply_own(struct carnet_replica *replica, struct carnet_slice raw, struct carnet_err *err);
/* What waits for the end of a transaction: values that new keys open, what cuts void. */
CARNET_MUST_USE carnet_rc carnet_apply_settle(struct carnet_replica *replica, struct carnet_err *err);
/* The derived part alone, for a rebuild: merges the changes of an entry that is in the store into their records. */
CARNET_MUST_USE carnet_rc carnet_apply_changes(struct carnet_replica *replica, const struct carnet_entry *entry, int64_t n, bool law_only,
                                               struct carnet_err *err);
/* The same for an entry that is void: its records have a row and know of it. */
CARNET_MUST_USE carnet_rc carnet_apply_void(struct carnet_replica *replica, const struct carnet_entry *entry, int64_t n, struct carnet_err *err);
/* Drops from the stored entries what the subject's dead seeds or its erasure killed, unless all that killed it came from the future. */
CARNET_MUST_USE carnet_rc carnet_apply_strip(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *subject, struct carnet_err *err);
/* Where a cell is: the part that holds it, in an entry that is stored. */
struct carnet_place {
    struct carnet_entry_row row; /* its bytes are not to be used */
    struct carnet_entry entry;   /* in the arena */
    size_t change;
    const struct carnet_part *part;
};
/* NOT_FOUND: the entry is not here, or the dot is no sealed cell of the record. */
CARNET_MUST_USE carnet_rc carnet_apply_place(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *record, const struct carnet_dot *dot,
                                             struct carnet_arena *arena, struct carnet_place *out, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_apply_drop(struct carnet_replica *replica, const struct carnet_place *place, struct carnet_err *err); /* the part, from its entry */
/* The delta of one change as this node sees it now; law_only keeps refusals and restrictions alone. seeds: the subject's record, or NULL. */
void carnet_apply_delta(struct carnet_replica *replica, const struct carnet_entry *entry, size_t change, const struct carnet_record *seeds, bool law_only,
                        struct carnet_arena *arena, struct carnet_record *delta);
/* Is the entry of this dot here, and did it not come from the future? */
CARNET_MUST_USE carnet_rc carnet_apply_timely(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_dot *dot, bool *out,
                                              struct carnet_err *err);
/* Is the entry of a log of law beyond its author's cut? Then its refusals and restrictions alone count. */
bool carnet_apply_beyond(const struct carnet_replica *replica, const struct carnet_entry_header *header);
bool carnet_replica_gets(const struct carnet_replica *replica, enum carnet_scope scope); /* this node is to hold the parts of the scope */
bool carnet_replica_holds(const struct carnet_replica *replica, const struct carnet_id *book);
uint32_t carnet_replica_reads(const struct carnet_replica *replica); /* scopes, mask */

/* --- batch.c: making entries. Inside a transaction; memory that is given is borrowed until the flush (write_arena is for that). --- */
void carnet_batch_reset(struct carnet_replica *replica);
/* Begins a change; flushes before when the book or log differ, the entry is full (size: what the change will need, about), or the record is in it already.
 * fresh: the record is new, made here. subject NULL: about nobody. */
CARNET_MUST_USE carnet_rc carnet_batch_change(struct carnet_replica *replica, const struct carnet_id *book, unsigned log, const struct carnet_id *record,
                                              const struct carnet_id *subject, enum carnet_kind kind, size_t size, bool fresh, struct carnet_err *err);
void carnet_batch_event(struct carnet_replica *replica, const struct carnet_event *event);
void carnet_batch_seed(struct carnet_replica *replica, const struct carnet_seed *seed);
/* key NULL: clear (scope CLEAR). */
void carnet_batch_cells(struct carnet_replica *replica, enum carnet_scope scope, uint64_t epoch, uint64_t seed, const struct carnet_key *key,
                        const struct carnet_draft_cell *cells, size_t count);
void carnet_batch_box(struct carnet_replica *replica, enum carnet_scope scope, uint64_t epoch, const struct carnet_id *reader, struct carnet_slice box);
/* Signs and applies what was collected; nothing: OK. REFUSED: this node's rights. */
CARNET_MUST_USE carnet_rc carnet_batch_flush(struct carnet_replica *replica, struct carnet_err *err);
bool carnet_batch_has(const struct carnet_replica *replica, const struct carnet_id *record); /* a change of it waits */

/* --- suppress.c --- */
void carnet_tags_feed(struct carnet_replica *replica, const struct carnet_entry *entry, const struct carnet_event *event); /* joins the list */
void carnet_tags_clear(struct carnet_replica *replica);   /* the list alone, before the charter is read again */
void carnet_tags_deinit(struct carnet_replica *replica);
void carnet_tags_keys_changed(struct carnet_replica *replica);
CARNET_MUST_USE carnet_rc carnet_tags_load(struct carnet_replica *replica, struct carnet_err *err); /* how far the walk has come, from the store */
bool carnet_tags_on(struct carnet_replica *replica);      /* there is a list, and a key to read it with */
/* Points *record to a copy in the arena with what the list refuses through its addresses, if anything. now: also when they were not compared yet. */
CARNET_MUST_USE carnet_rc carnet_tags_mark(struct carnet_replica *replica, int64_t n, const struct carnet_record **record, struct carnet_arena *arena, bool now,
                                           struct carnet_err *err);
/* The person that a view is about, with what the list refuses compared at once. */
CARNET_MUST_USE carnet_rc carnet_tags_about(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_arena *arena,
                                            const struct carnet_record ***out, struct carnet_err *err);
/* The record of row n is no longer what it was (NULL: it was not there). */
CARNET_MUST_USE carnet_rc carnet_tags_changed(struct carnet_replica *replica, int64_t n, const struct carnet_record *old, const struct carnet_record *record,
                                              struct carnet_err *err);
/* Somebody else's erasure comes: its addresses are here for the last time. */
CARNET_MUST_USE carnet_rc carnet_tags_last(struct carnet_replica *replica, const struct carnet_record *record, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_tags_settle(struct carnet_replica *replica, struct carnet_err *err); /* before a transaction ends */
/* Tags of every address of the person for what the events refuse; written by the emit. Nothing without the key. */
CARNET_MUST_USE carnet_rc carnet_tags_collect(struct carnet_replica *replica, const struct carnet_record *record, int64_t n, const struct carnet_event *events,
                                              size_t count, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_tags_emit(struct carnet_replica *replica, struct carnet_err *err);
/* Before keys are destroyed: tags of the refusals on the record that nobody wrote. Writes. */
CARNET_MUST_USE carnet_rc carnet_tags_owed(struct carnet_replica *replica, int64_t n, struct carnet_err *err);
bool carnet_tags_rest(struct carnet_replica *replica); /* entries are coming: what is left to be compared can wait */
/* One step of upkeep each. *done: nothing is left. */
CARNET_MUST_USE carnet_rc carnet_tags_compare_next(struct carnet_replica *replica, bool *done, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_tags_task_next(struct carnet_replica *replica, bool *done, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_tags_key_make(struct carnet_replica *replica, struct carnet_err *err); /* a community of an earlier version has none */
int64_t carnet_tags_due_ms(struct carnet_replica *replica, int64_t wall_ms); /* wall time; INT64_MAX: nothing to do */

/* --- audit.c --- */
void carnet_audit_event(struct carnet_replica *replica, const struct carnet_event *event); /* joins the entry being made */
void carnet_audit_batch(struct carnet_replica *replica, bool signed_);                     /* that entry was signed, or given up */
CARNET_MUST_USE carnet_rc carnet_audit_settle(struct carnet_replica *replica, struct carnet_err *err); /* the last thing of a transaction; settled: it is durable */
void carnet_audit_settled(struct carnet_replica *replica);
void carnet_audit_forget(struct carnet_replica *replica); /* the transaction was rolled back */
void carnet_audit_close(struct carnet_replica *replica);  /* writes counts that wait */

/* --- members.c --- */
bool carnet_is_name(struct carnet_slice name);

/* --- book.c --- */
/* May the member have the epoch's key? That of the suppression tags: whoever delivers. */
bool carnet_book_reader(const struct carnet_replica *replica, const struct carnet_epoch *epoch, const struct carnet_cert *reader);
CARNET_MUST_USE carnet_rc carnet_book_make_tag_key(struct carnet_replica *replica, struct carnet_err *err); /* into the batch, boxed to this node alone */
/* Boxes the key of an epoch that this node holds to one reader, into the batch (the charter's data log). REFUSED: not held. */
CARNET_MUST_USE carnet_rc carnet_book_box(struct carnet_replica *replica, const struct carnet_epoch *epoch, const struct carnet_cert *reader, struct carnet_err *err);
/* All that this node may give: every epoch held of the reader's books and scopes whose box was not seen. Into the batch; *count of boxes. */
CARNET_MUST_USE carnet_rc carnet_book_box_missing(struct carnet_replica *replica, const struct carnet_cert *reader, size_t *count, struct carnet_err *err);
/* A book with an epoch for every scope, boxed to its readers; into the batch. */
CARNET_MUST_USE carnet_rc carnet_book_make(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_slice name, struct carnet_err *err);

#endif
