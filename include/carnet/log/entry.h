// SPDX-License-Identifier: EUPL-1.2
/* log/entry: the signed batch of changes by one node in one book, as bytes and as a value. Layer: log; pure.
 *
 * protocol/log.md describes the bytes. An entry travels and is stored as [header, signature, [change ...]]; a change is
 * [leaf, [part | null ...]]. The header names the leaves by their hashes, a leaf names its parts by theirs, so a part can
 * be dropped (null) and what remains still verifies. Signed bytes are always the received bytes. */
#ifndef CARNET_LOG_ENTRY_H
#define CARNET_LOG_ENTRY_H

#include "carnet/crypto/crypto.h"
#include "carnet/model/record.h"

struct carnet_entry_header {
    struct carnet_id community;
    struct carnet_id book;
    struct carnet_id author;   /* node id */
    struct carnet_id cert;     /* the author's certificate: first 16 bytes of its hash */
    unsigned log;              /* CARNET_LOG_DATA or CARNET_LOG_LAW */
    uint32_t incarnation;
    uint64_t seq;              /* from 1 */
    struct carnet_hash prev;   /* hash of the entry before; zero for seq 1 */
    uint64_t hlc;
};
/* The chain that an entry continues: incarnation * 2 + log. */
uint32_t carnet_entry_stream(const struct carnet_entry_header *header);

enum carnet_part_type {
    CARNET_PART_SEALED, /* cells of a scope, sealed */
    CARNET_PART_CLEAR,  /* cells of scope CLEAR: readable by every member */
    CARNET_PART_SEED,   /* 16 bytes; only in a change of the contact itself */
    CARNET_PART_BOX     /* an epoch key boxed to one reader: [node id, box]; only in the charter */
};
struct carnet_part {
    enum carnet_part_type type;
    enum carnet_scope scope;
    uint64_t seed;              /* seed id; 0: none */
    uint64_t epoch;             /* epoch id; 0: none */
    struct carnet_hash hash;
    struct carnet_slice contexts; /* CBOR: an array of dots for each cell */
    size_t cell_count;          /* 0 but for SEALED and CLEAR */
    unsigned place;             /* of its first cell: index of dot = change * 256 + 64 + place */
    struct carnet_slice bytes;  /* empty and absent when dropped */
    bool present;
    bool seed_fits;             /* of a SEED that is present: its bytes are the seed that the head names */
};
struct carnet_change {
    struct carnet_slice leaf;   /* its bytes */
    struct carnet_id record;
    struct carnet_id subject;   /* zero: about nobody */
    enum carnet_kind kind;      /* may be a number this version does not know */
    struct carnet_slice events[CARNET_CHANGE_EVENTS_MAX];
    size_t event_count;
    struct carnet_part parts[CARNET_CHANGE_PARTS_MAX];
    size_t part_count;
};
struct carnet_entry {
    struct carnet_slice raw;
    struct carnet_slice header_raw;
    struct carnet_entry_header header;
    struct carnet_sig sig;
    struct carnet_hash hash;
    struct carnet_change *changes; /* in the arena */
    size_t change_count;
};
/* Reads and checks the shape, the bounds, and the hashes of leaves and present parts; not the signature, not the rights. Whether it passes hangs
 * on header and leaves alone: what a part says beyond its hash is for carnet_entry_delta. An event in it is known and well formed, or unknown.
 * Slices point into raw, arrays live in the arena. MALFORMED or LIMIT. */
CARNET_MUST_USE carnet_rc carnet_entry_decode(struct carnet_slice raw, struct carnet_arena *arena, struct carnet_entry *out);
/* The same for bytes that carnet_draft_sign just gave: the hashes that it computed are not computed again. Never for received bytes. */
CARNET_MUST_USE carnet_rc carnet_entry_decode_own(struct carnet_slice raw, struct carnet_arena *arena, struct carnet_entry *out);
/* Only the header (for routing), without checking the leaves. */
CARNET_MUST_USE carnet_rc carnet_entry_peek(struct carnet_slice raw, struct carnet_entry_header *out, struct carnet_hash *hash);
CARNET_MUST_USE carnet_rc carnet_entry_verify(const struct carnet_entry *entry, const struct carnet_sign_pk *pk);
/* Writes the entry again, leaving out each part for which keep says false (and those already absent). */
void carnet_entry_strip(const struct carnet_entry *entry,
                        bool (*keep)(void *ctx, const struct carnet_change *change, const struct carnet_part *part), void *ctx,
                        struct carnet_buf *out);
/* Writes entry with the parts that it lacks taken from other, which has the same hash. true: something was added. */
bool carnet_entry_fill(const struct carnet_entry *entry, const struct carnet_entry *other, struct carnet_buf *out);

struct carnet_dot carnet_entry_dot(const struct carnet_entry *entry, size_t change, unsigned place); /* an event's, place 0-63 */
struct carnet_dot carnet_entry_cell_dot(const struct carnet_entry *entry, size_t change, const struct carnet_part *part, size_t cell);

/* --- keys of parts --- */
uint64_t carnet_seed_id(const uint8_t seed[16]); /* never 0 */
/* The key of a sealed part: BLAKE2b(K_epoch, "carnet/1/part" || community || book || subject || scope || seed). seed NULL: none. */
struct carnet_key carnet_part_key(const struct carnet_key *epoch, const struct carnet_id *community, const struct carnet_id *book,
                                  const struct carnet_id *subject, enum carnet_scope scope, const uint8_t *seed);
/* Associated data of part (of change number `change`), appended as one CBOR array. */
void carnet_part_ad(const struct carnet_entry_header *header, size_t change, const struct carnet_id *record, const struct carnet_id *subject,
                    const struct carnet_part *part, struct carnet_buf *out);

/* --- from an entry to deltas --- */
struct carnet_opener {
    void *ctx;
    /* The key of a part, false when it is not held. seeds: what this change itself brought. */
    bool (*key)(void *ctx, const struct carnet_entry_header *header, const struct carnet_change *change, const struct carnet_part *part,
                struct carnet_key *out);
    uint32_t wanted; /* scopes (mask) whose absent parts this node should have: MISSING instead of LOCKED */
};
/* Adds what the change brings to delta (initialised, empty): siblings with their state, replaced dots, events, seeds. A part that does not
 * open, or opens to another number of cells than its contexts, stays LOCKED. Values live in the arena, events in entry->raw. */
void carnet_entry_delta(const struct carnet_entry *entry, size_t change, const struct carnet_opener *opener, struct carnet_arena *arena,
                        struct carnet_record *delta);

/* --- making one --- */
struct carnet_draft_cell {
    uint32_t field;
    struct carnet_slice label, value; /* text: NFC without NUL, asserted */
    const struct carnet_dot *replaces;
    size_t replace_count;
};
struct carnet_draft; /* collects changes; copies what it is given */
struct carnet_draft *carnet_draft_new(void); /* gives; freed with carnet_draft_free */
void carnet_draft_free(struct carnet_draft *draft);
void carnet_draft_clear(struct carnet_draft *draft);
/* Begins a change; what follows belongs to it. subject NULL: about nobody; a contact is about itself. */
void carnet_draft_change(struct carnet_draft *draft, const struct carnet_id *record, const struct carnet_id *subject, enum carnet_kind kind);
void carnet_draft_event(struct carnet_draft *draft, const struct carnet_event *event);
void carnet_draft_seed(struct carnet_draft *draft, enum carnet_scope scope, const uint8_t seed[16]);
void carnet_draft_seed_named(struct carnet_draft *draft, enum carnet_scope scope, uint64_t id, const uint8_t seed[16]); /* id: carnet_seed_id of it, known */
/* A part of cells, at least one. key: the sealing key (carnet_part_key), NULL for scope CLEAR. epoch and seed: the ids it names; a record about
 * somebody is sealed under a seed, one about nobody without. Only the charter has clear cells. */
void carnet_draft_cells(struct carnet_draft *draft, enum carnet_scope scope, uint64_t epoch, uint64_t seed, const struct carnet_key *key,
                        const struct carnet_draft_cell *cells, size_t count);
void carnet_draft_box(struct carnet_draft *draft, enum carnet_scope scope, uint64_t epoch, const struct carnet_id *reader, struct carnet_slice box);
size_t carnet_draft_change_count(const struct carnet_draft *draft);
size_t carnet_draft_size(const struct carnet_draft *draft); /* an upper bound of the encoded length */
/* Seals, hashes and signs: appends the entry's bytes. header: everything filled by the caller. LIMIT: larger than an entry, a change, a part or a
 * value may be. The draft stays as it is: clear it before the next. */
CARNET_MUST_USE carnet_rc carnet_draft_sign(struct carnet_draft *draft, const struct carnet_entry_header *header, const struct carnet_sign_sk *sk,
                                            struct carnet_buf *out, struct carnet_hash *hash);

#endif
