// SPDX-License-Identifier: EUPL-1.2
/* What the files of the layer log share. */
#ifndef CARNET_LOG_INTERNAL_H
#define CARNET_LOG_INTERNAL_H

#include "carnet/log/authority.h"

/* Domains: the first item of what is signed, the key of what is hashed. */
#define CARNET_ENTRY_DOMAIN     "carnet/1/entry"
#define CARNET_LEAF_DOMAIN      "carnet/1/leaf"
#define CARNET_PART_DOMAIN      "carnet/1/part"
#define CARNET_PART_HASH_DOMAIN "carnet/1/part/hash"
#define CARNET_SEED_DOMAIN      "carnet/1/seed"
#define CARNET_GENESIS_DOMAIN   "carnet/1/genesis"
#define CARNET_NODE_DOMAIN      "carnet/1/node"
#define CARNET_CERT_DOMAIN      "carnet/1/cert"
#define CARNET_EPOCH_DOMAIN     "carnet/1/epoch"
#define CARNET_CODE_DOMAIN      "carnet/1/code"
#define CARNET_INVITE_DOMAIN    "carnet/1/invite"
#define CARNET_RECOVERY_DOMAIN  "carnet/1/recovery"

enum { CARNET_INCARNATION_MAX = 0x7fffffff }; /* so that a stream fits 32 bits */
#define CARNET_MS_MAX ((UINT64_C(1) << 48) - 1)

/* The first bytes of a hash as an id. */
struct carnet_id carnet_log_short(const struct carnet_hash *hash);
/* The first 8 bytes, big-endian, of a hash as a number; never 0. */
uint64_t carnet_log_number(const struct carnet_hash *hash);
/* The certificate's own bytes inside [bytes, signature]; empty: not such an array. */
struct carnet_slice carnet_log_cert_bytes(struct carnet_slice raw, struct carnet_sig *sig);
CARNET_MUST_USE carnet_rc carnet_log_cert_verify(const struct carnet_cert *cert, const struct carnet_sign_pk *issuer);
/* The rows of a cut, checked; in the arena, or nowhere when that is NULL. */
CARNET_MUST_USE carnet_rc carnet_log_cut_decode(struct carnet_slice bytes, struct carnet_arena *arena,
                                                const struct carnet_cut_row **out, size_t *count);
const struct carnet_sign_pk *carnet_log_root(const struct carnet_authority *authority);

#endif
