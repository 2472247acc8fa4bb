// SPDX-License-Identifier: EUPL-1.2
/* model/event: what a node without keys must act on: the clear events of a change. Layer: model; pure.
 *
 * An event is a CBOR array [type, ...] inside a leaf; protocol/log.md lists them. A type this version does not know is kept, passed on
 * byte for byte, and blocks its record. */
#ifndef CARNET_MODEL_EVENT_H
#define CARNET_MODEL_EVENT_H

#include "carnet/base/limits.h"
#include "carnet/model/charter.h"
#include "carnet/wire/cbor.h"

/* The name of one write or event in the community: author's number (carnet_id_head of its node id), stream (incarnation * 2 + log),
 * sequence of the entry in its chain, index inside it (change * 256 + place: events 0-63, cells from 64). */
struct carnet_dot {
    uint64_t author;
    uint64_t seq;
    uint32_t stream;
    uint32_t index;
};
enum { CARNET_LOG_DATA = 0, CARNET_LOG_LAW = 1, CARNET_DOT_CHANGE = 256, CARNET_DOT_CELLS = 64 };
int carnet_dot_compare(const struct carnet_dot *a, const struct carnet_dot *b);
bool carnet_dot_equal(const struct carnet_dot *a, const struct carnet_dot *b);
void carnet_dot_put(struct carnet_buf *out, const struct carnet_dot *dot); /* [author, stream, seq, index] */
struct carnet_dot carnet_dot_read(struct carnet_reader *r);

enum carnet_event_type {
    CARNET_EVENT_GRANT = 1,    /* purpose, basis, proof, since_ms, until_ms, names: refusals, version */
    CARNET_EVENT_COUNTERSIGN,  /* names: the grants confirmed, by another author */
    CARNET_EVENT_WITHDRAW,     /* purpose */
    CARNET_EVENT_OBJECT,       /* purpose; empty = all */
    CARNET_EVENT_RESTRICT,     /* */
    CARNET_EVENT_LIFT,         /* names: the restrictions lifted */
    CARNET_EVENT_DARK,         /* scope, seeds */
    CARNET_EVENT_ERASE,        /* */
    CARNET_EVENT_EDGE,         /* other, on, names: the edges replaced */
    CARNET_EVENT_RECTIFY,      /* names: the values to drop everywhere at once */
    CARNET_EVENT_INVALIDATE,   /* names: the grants that turned out to be worth nothing */
    CARNET_EVENT_INFORM = 12,  /* ms: when; names: the grants that the person was told of */
    CARNET_EVENT_RECEIPT = 16, /* ms, bytes: the law heads a sweep covers */
    CARNET_EVENT_CERTIFICATE,  /* bytes */
    CARNET_EVENT_BOOK,         /* other: its id, text: its name */
    CARNET_EVENT_EPOCH,        /* other: book, scope, epoch, number, hash: commitment to the key */
    CARNET_EVENT_ADDRESS,      /* text */
    CARNET_EVENT_ALIVE,        /* ms */
    CARNET_EVENT_SETTING,      /* text: key, value, names: the SETTINGs of this key that it replaces */
    CARNET_EVENT_CUT,          /* other: whose node, bytes: [[book, stream, seq, hash] ...] */
    CARNET_EVENT_GENESIS,      /* bytes: the genesis, in the first entry of the charter */
    CARNET_EVENT_SUPPRESS      /* purpose; empty = all, bytes: tags of addresses that somebody refused it for */
};
enum { CARNET_ADDRESS_LEN_MAX = 300 }; /* bytes of an address: a scheme, a host name of 253, a port */
enum { CARNET_TAG_LEN = 16, CARNET_SUPPRESS_TAGS_MAX = 64 /* in one event, at least one */ };
/* How a grant was proved; one that names refusals opens only with one of the last two, or PAPER and a countersign. */
enum carnet_proof { CARNET_PROOF_NONE, CARNET_PROOF_PAPER, CARNET_PROOF_DOUBLE_OPT_IN, CARNET_PROOF_INBOUND };

struct carnet_event {
    enum carnet_event_type type;
    bool former; /* written before there were charters: a GRANT without a version (0), a SETTING without names */
    struct carnet_slice purpose;
    uint64_t version; /* of the purpose's definition: what a grant covers */
    enum carnet_basis basis;
    enum carnet_proof proof;
    int64_t since_ms;
    int64_t until_ms; /* 0: no end */
    struct carnet_dot names[CARNET_CHANGE_EVENTS_MAX];
    size_t name_count;
    uint64_t seeds[CARNET_CHANGE_EVENTS_MAX];
    size_t seed_count;
    enum carnet_scope scope;
    struct carnet_id other;
    bool on;
    int64_t ms;
    uint64_t epoch;
    uint64_t number;
    struct carnet_hash hash;
    struct carnet_slice text;
    struct carnet_slice value;
    struct carnet_slice bytes;
};
/* Appends the event's CBOR. */
void carnet_event_encode(const struct carnet_event *event, struct carnet_buf *out);
/* Slices point into raw. MALFORMED: no array that begins with a number, or a known type of a wrong shape. NOT_FOUND: a type this version
 * does not know. */
CARNET_MUST_USE carnet_rc carnet_event_decode(struct carnet_slice raw, struct carnet_event *out);
/* The type alone, at once; 0: no such array. */
uint64_t carnet_event_peek(struct carnet_slice raw);
/* The verb its author's certificate needs; 0: everybody. */
uint32_t carnet_event_verb(enum carnet_event_type type);
/* The log that carries it: law for refusals, darkenings, erasures, restrictions, rectifications, receipts; else data. */
unsigned carnet_event_log(enum carnet_event_type type);

#endif
