// SPDX-License-Identifier: EUPL-1.2
/* log/authority: who may write what: genesis, certificates, cuts. Layer: log; pure. protocol/authority.md describes the bytes.
 *
 * The root is a recovery key kept on paper; it certifies the founder; whoever has the verb INVITE certifies others below, with at most
 * their own rights and expiry, and any ancestor may cut. The state is a function of the charter's entries, whatever their order. */
#ifndef CARNET_LOG_AUTHORITY_H
#define CARNET_LOG_AUTHORITY_H

#include "carnet/log/entry.h"

enum {
    CARNET_CHAIN_MAX = 12,                /* certificates from the root key to a node */
    CARNET_EPOCH_NUMBER_MAX = 0x7fffffff  /* generations of a key */
};

struct carnet_genesis {
    struct carnet_sign_pk root;
    struct carnet_slice name; /* of the community */
    int64_t created_ms;
    uint8_t random[16];
};
void carnet_genesis_encode(const struct carnet_genesis *genesis, struct carnet_buf *out);
CARNET_MUST_USE carnet_rc carnet_genesis_decode(struct carnet_slice bytes, struct carnet_genesis *out); /* borrows name */
struct carnet_id carnet_genesis_community(struct carnet_slice bytes); /* the community id: of these very bytes */
struct carnet_id carnet_node_id(const struct carnet_sign_pk *pk);

struct carnet_cert {
    struct carnet_id community;
    struct carnet_id node;
    struct carnet_sign_pk sign;
    struct carnet_box_pk box;
    struct carnet_box_pk curve;    /* transport */
    struct carnet_id issuer;       /* hash of the issuer's certificate; zero: the root key signed */
    enum carnet_role role;
    const struct carnet_id *books; /* in the arena; the charter is always held and not listed */
    size_t book_count;             /* 0: every book, also later ones */
    uint32_t reads, writes;        /* scopes, masks; a scope written but not read is for a later version and refused */
    uint32_t verbs;
    int64_t issued_ms;
    int64_t not_after_ms;          /* 0: never */
    struct carnet_id hash;         /* first 16 bytes of the hash of the certificate's bytes */
    struct carnet_slice raw;       /* [certificate bytes, signature] */
};
/* Appends [certificate, signature]; fills nothing in, but puts the books in order. sk: the issuer's, or the recovery key's. */
void carnet_cert_sign(const struct carnet_cert *cert, const struct carnet_sign_sk *sk, struct carnet_buf *out);
/* Shape, bounds, node id = hash of its key, which is a valid point; what is written is read too; a relay reads nothing. Not the signature. */
CARNET_MUST_USE carnet_rc carnet_cert_decode(struct carnet_slice raw, struct carnet_arena *arena, struct carnet_cert *out);
bool carnet_cert_holds(const struct carnet_cert *cert, const struct carnet_id *book); /* the charter: always */
bool carnet_cert_gets(const struct carnet_cert *cert, enum carnet_scope scope);       /* parts of the scope are sent to it: read, or role relay, or CLEAR */
/* OK when child's rights, books and expiry lie within issuer's and issuer may invite; REFUSED otherwise. */
CARNET_MUST_USE carnet_rc carnet_cert_within(const struct carnet_cert *child, const struct carnet_cert *issuer);

/* Has it come to its end? At that very moment it has. The one rule: of sessions, bundles, and what a node writes. */
bool carnet_cert_expired(const struct carnet_cert *cert, int64_t now_ms);

struct carnet_authority; /* certificates by hash, by node, by author number, by transport key; cuts */
struct carnet_authority *carnet_authority_new(struct carnet_slice genesis); /* gives; NULL: not a genesis */
void carnet_authority_free(struct carnet_authority *authority);
const struct carnet_id *carnet_authority_community(const struct carnet_authority *authority);
struct carnet_slice carnet_authority_genesis(const struct carnet_authority *authority);
/* Adds a certificate (copied). Its signature and chain are verified. AGAIN: the issuer is not known yet; REFUSED: another community, not within
 * its issuer's rights, or a chain longer than CARNET_CHAIN_MAX; MALFORMED: bytes or signature. Known already: OK. CONFLICT: it was added, but there
 * is another certificate of this node, or another node with its author number: the one with the shorter chain stands, then the one with the
 * smaller hash, and it is the same on every node. A second certificate of a node stays good for the entries that name it; a node whose author
 * number another one has counts as cut at zero (carnet_authority_cut_at). */
CARNET_MUST_USE carnet_rc carnet_authority_add(struct carnet_authority *authority, struct carnet_slice raw);
const struct carnet_cert *carnet_authority_find(const struct carnet_authority *authority, const struct carnet_id *cert_hash); /* NULL */
/* The certificate that stands for it; NULL. Pointers live as long as the authority. */
const struct carnet_cert *carnet_authority_node(const struct carnet_authority *authority, const struct carnet_id *node);
const struct carnet_cert *carnet_authority_author(const struct carnet_authority *authority, uint64_t author);
const struct carnet_cert *carnet_authority_curve(const struct carnet_authority *authority, const struct carnet_box_pk *curve);
size_t carnet_authority_count(const struct carnet_authority *authority);
const struct carnet_cert *carnet_authority_at(const struct carnet_authority *authority, size_t i); /* ordered by node id */
/* Appends the chain root's child ... cert as raw certificates, CBOR array of byte strings. */
void carnet_authority_chain(const struct carnet_authority *authority, const struct carnet_cert *cert, struct carnet_buf *out);
/* Reads such a chain: adds nothing, gives the last certificate verified up to the root (in the arena). MALFORMED/REFUSED. */
CARNET_MUST_USE carnet_rc carnet_authority_check_chain(const struct carnet_authority *authority, struct carnet_slice chain, struct carnet_arena *arena,
                                                       struct carnet_cert *out);

/* A cut: what of node's logs stands. Streams that are not listed stand at zero. */
struct carnet_cut_row {
    struct carnet_id book;
    uint32_t stream;
    uint64_t seq;
    struct carnet_hash hash;
};
/* Puts the rows in order; no stream twice, seq not 0. */
void carnet_cut_encode(const struct carnet_cut_row *rows, size_t count, struct carnet_buf *out); /* the bytes of event CUT */
/* author: who cuts. REFUSED: it has not the verb INVITE, or is no ancestor of node: then the cut is kept without effect, and counts should a
 * certificate that arrives later make it one. MALFORMED. Concurrent cuts: the smallest stands. */
CARNET_MUST_USE carnet_rc carnet_authority_cut(struct carnet_authority *authority, const struct carnet_id *node, const struct carnet_cert *author,
                                               struct carnet_slice bytes);
bool carnet_authority_is_cut(const struct carnet_authority *authority, const struct carnet_id *node);
/* The last seq of the chain that stands; UINT64_MAX: not cut. */
uint64_t carnet_authority_cut_at(const struct carnet_authority *authority, const struct carnet_id *node, const struct carnet_id *book, uint32_t stream);

/* May this entry be applied? Signature included. OK; AGAIN: its author's certificate is not known; REFUSED: other community, a book, scope,
 * verb or kind that its certificate does not give, an event in the wrong log or book; MALFORMED: signature. The answer follows from the entry's
 * header and leaves and from its author's certificate alone. The founder's first entry, which brings its own certificate, needs none before.
 * A carried certificate must be issued by the entry's author (or by the recovery key) within its rights; add it when the entry is applied.
 * Cuts are not looked at here (they void, they do not refuse). why (may be NULL) gets a static English reason for logs. */
CARNET_MUST_USE carnet_rc carnet_authority_check(const struct carnet_authority *authority, const struct carnet_entry *entry, const char **why);

/* --- epochs: the generations of (book, scope) keys --- */
struct carnet_epoch {
    struct carnet_id book;
    enum carnet_scope scope;
    uint64_t id;
    uint64_t number;               /* generation, from 1 */
    struct carnet_hash commitment; /* BLAKE2b("carnet/1/epoch", book || scope || key) */
    bool held;
    struct carnet_key key;
};
struct carnet_keyring; /* the epochs known, with the keys that this node holds; wiped when freed */
struct carnet_keyring *carnet_keyring_new(void);
void carnet_keyring_free(struct carnet_keyring *ring);
/* An EPOCH event was seen. Known already: the smaller number counts. An id that is not its commitment's: nothing. */
void carnet_keyring_add(struct carnet_keyring *ring, const struct carnet_epoch *epoch);
/* A key for a known epoch. MALFORMED: it does not match the commitment. NOT_FOUND: no such epoch (yet). OK: held now; *news when it was not before. */
CARNET_MUST_USE carnet_rc carnet_keyring_unlock(struct carnet_keyring *ring, uint64_t id, const struct carnet_key *key, bool *news);
const struct carnet_epoch *carnet_keyring_find(const struct carnet_keyring *ring, const struct carnet_id *book, enum carnet_scope scope, uint64_t id);
/* The held epoch to write under: highest number, then smallest id. NULL: none. */
const struct carnet_epoch *carnet_keyring_newest(const struct carnet_keyring *ring, const struct carnet_id *book, enum carnet_scope scope);
size_t carnet_keyring_count(const struct carnet_keyring *ring);
const struct carnet_epoch *carnet_keyring_at(const struct carnet_keyring *ring, size_t i);
/* The commitment names what the key is for, so that nobody can announce a key that he does not know for another book or scope. Gives the epoch's id: first 8
 * bytes of the commitment, never 0. */
uint64_t carnet_epoch_commit(const struct carnet_id *book, enum carnet_scope scope, const struct carnet_key *key, struct carnet_hash *commitment);

/* --- invitation codes --- */
struct carnet_invite_code {
    struct carnet_id community;
    struct carnet_box_pk server;   /* transport key of the inviter */
    uint8_t secret[16];            /* the one-time client key and the proof derive from it */
    char addresses[4][96];         /* tcp://host:port */
    size_t address_count;
};
/* Appends text: base32 in groups of 5 joined by '-', with a check sum so that a typing mistake is told from an unknown code. */
void carnet_invite_code_encode(const struct carnet_invite_code *code, struct carnet_buf *out);
/* MALFORMED: not a code, or mistyped. */
CARNET_MUST_USE carnet_rc carnet_invite_code_decode(struct carnet_slice text, struct carnet_invite_code *out);
/* The one-time transport key pair of an invitation. */
void carnet_invite_keys(const uint8_t secret[16], struct carnet_box_pk *pk, struct carnet_box_sk *sk);

/* --- the recovery key on paper: the 32-byte seed of the root key (carnet_sign_pair) --- */
/* Appends 14 groups of 4 characters joined by '-': base32, with a check sum. */
void carnet_recovery_encode(const uint8_t seed[32], struct carnet_buf *out);
/* MALFORMED: not such a text, or mistyped; seed is zero then. */
CARNET_MUST_USE carnet_rc carnet_recovery_decode(struct carnet_slice text, uint8_t seed[32]);

#endif
