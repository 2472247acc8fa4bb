// SPDX-License-Identifier: EUPL-1.2
/* model/record: the merged state of one record. Layer: model; pure.
 *
 * A record is a set: live writes (siblings), the dots they replaced, events, seeds. Merging is set union minus what was replaced or
 * killed, so it is commutative, associative and idempotent (an observed-remove multi-value register; dotted version vectors: Almeida
 * et al., "Scalable and accurate causality tracking for eventually consistent stores", 2014). A change becomes a small record, a delta;
 * applying it is merging it. A cell is the group of live siblings of one (field, label); different values in it are a conflict. */
#ifndef CARNET_MODEL_RECORD_H
#define CARNET_MODEL_RECORD_H

#include "carnet/model/event.h"

enum carnet_sibling_state { /* the better known wins a merge: the larger, except that DARK is final */
    CARNET_SIBLING_LOCKED,  /* the part is sealed for others, or this node lacks the key */
    CARNET_SIBLING_MISSING, /* this node should hold the part and waits for it */
    CARNET_SIBLING_VALUE,   /* field, label and value are here */
    CARNET_SIBLING_DARK     /* its seed was destroyed, or its value dropped by a rectification */
};
struct carnet_sibling {
    struct carnet_dot dot;
    uint64_t hlc;
    uint64_t seed; /* id of the seed it is sealed under; 0: none */
    enum carnet_scope scope;
    enum carnet_sibling_state state;
    uint32_t field;            /* with state VALUE only, as are label and value */
    struct carnet_slice label;
    struct carnet_slice value; /* empty: the field was emptied */
};
struct carnet_replaced {
    struct carnet_dot dot;
    uint32_t scopes; /* of the cells that replace it: a cell replaces none of another scope, whose writers may be others */
};
struct carnet_event_item {
    struct carnet_dot dot;
    uint64_t hlc;
    struct carnet_slice raw;
};
struct carnet_seed {
    uint64_t id;
    enum carnet_scope scope;
    bool dead;
    bool held; /* the 16 bytes are here */
    uint8_t b[16];
};
struct carnet_record {
    struct carnet_id id;
    struct carnet_id subject; /* zero: about nobody */
    enum carnet_kind kind;
    bool erased;
    uint64_t hlc_first, hlc_last;     /* smallest and largest of the changes merged */
    struct carnet_sibling *live;      /* ordered by dot */
    size_t live_count, live_cap;
    struct carnet_replaced *replaced; /* ordered; dots that must not become live */
    size_t replaced_count, replaced_cap;
    struct carnet_event_item *events; /* ordered by dot */
    size_t event_count, event_cap;
    struct carnet_seed *seeds;        /* ordered by id, then scope: of another scope it is another seed, whoever says so */
    size_t seed_count, seed_cap;
};

/* The arrays belong to the record; slices inside point into the memory the caller names (usually an arena). */
void carnet_record_init(struct carnet_record *record);
void carnet_record_deinit(struct carnet_record *record);
/* Building a delta: any order, duplicates ignored, with the same effects as a merge. Slices are kept, not copied. Siblings and events
 * widen hlc_first and hlc_last. A dot names one write: two siblings or events of one dot hold the same (a fork is void before). */
void carnet_record_add_sibling(struct carnet_record *record, const struct carnet_sibling *sibling);
void carnet_record_add_replaced(struct carnet_record *record, const struct carnet_dot *dot, uint32_t scopes /* mask */);
void carnet_record_add_event(struct carnet_record *record, const struct carnet_event_item *event);
void carnet_record_add_seed(struct carnet_record *record, const struct carnet_seed *seed);

/* Merges other into record; slices of other must outlive record. An erasure on either side leaves nothing but id, kind, subject and the
 * erasing events. A dark event kills its seeds and the values sealed under them; a rectification the values it names. */
void carnet_record_merge(struct carnet_record *record, const struct carnet_record *other);
/* For a part that comes after its change was applied: betters the siblings of `late` that are live in record (a part that came and
 * is for others ends the waiting: LOCKED), and the seeds; nothing of
 * what was replaced and forgotten meanwhile comes back. */
void carnet_record_fill(struct carnet_record *record, const struct carnet_record *late);
/* Forgets replaced dots that `seen` says were applied: they never come again. */
void carnet_record_prune(struct carnet_record *record, bool (*seen)(void *ctx, const struct carnet_dot *dot), void *ctx);
/* For records about somebody: kills the values sealed under the subject's dead seeds; true when something changed. */
bool carnet_record_darken(struct carnet_record *record, const struct carnet_record *subject);
/* For records about an erased subject: leaves nothing but id, kind and subject. */
void carnet_record_erase(struct carnet_record *record);
const struct carnet_seed *carnet_record_seed(const struct carnet_record *record, uint64_t id, enum carnet_scope scope); /* NULL: unknown */
/* The smallest seed of the scope that is not dead and is held; NULL: none. */
const struct carnet_seed *carnet_record_seed_live(const struct carnet_record *record, enum carnet_scope scope);

/* One cell: the siblings of (field, label), newest (hlc, then dot) first. */
struct carnet_cell {
    uint32_t field;
    struct carnet_slice label;
    const struct carnet_sibling **siblings; /* in the arena */
    size_t count;
    bool conflict; /* at least two different values; never for tags, ids of sources and evidence */
};
/* Groups the live siblings of state VALUE whose scope is in the mask, ordered by field, then label; cells whose siblings are all empty
 * are left out. A tag is there when any sibling is "1". The array lives in the arena. */
struct carnet_cell *carnet_record_cells(const struct carnet_record *record, uint32_t scopes, struct carnet_arena *arena, size_t *count);
/* Scopes (mask) in which some live sibling has this state. A dark sibling has lost its field: whoever writes the scope again names it. */
uint32_t carnet_record_scopes_in(const struct carnet_record *record, enum carnet_sibling_state state);

/* The packed form the store keeps: local, rebuilt at will. Unpacked slices point into bytes. `out` is initialised; what it held is
 * forgotten, its arrays are used again (so that reading many records allocates nothing). CORRUPT: not such bytes; out is empty. */
void carnet_record_pack(const struct carnet_record *record, struct carnet_buf *out);
CARNET_MUST_USE carnet_rc carnet_record_unpack(struct carnet_slice bytes, struct carnet_record *out);
/* The canonical form that every holder of the same entries computes, with or without keys: id, kind, subject, erasure, live dots,
 * events, seed ids with their deaths; no values, nothing that a clock decides. */
void carnet_record_canonical(const struct carnet_record *record, struct carnet_buf *out);

#endif
