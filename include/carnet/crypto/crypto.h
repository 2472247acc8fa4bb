// SPDX-License-Identifier: EUPL-1.2
/* crypto: the only user of sodium.h. Layer: crypto; sees only base. BLAKE2b, Ed25519, XChaCha20-Poly1305, X25519
 * sealed boxes, Argon2id: libsodium's, nothing hand-made. Randomness comes from the caller, except that
 * crypto_box_seal draws its own (the simulator replaces libsodium's source). */
#ifndef CARNET_CRYPTO_CRYPTO_H
#define CARNET_CRYPTO_CRYPTO_H

#include "carnet/base/id.h"

/* Once per process, before anything else. FAILED when libsodium cannot start or is not patched against CVE-2025-69277
 * (a point of mixed order passes crypto_core_ed25519_is_valid_point). */
CARNET_MUST_USE carnet_rc carnet_crypto_init(struct carnet_err *err);

struct carnet_key { uint8_t b[32]; };       /* a symmetric key; wiped by its owner with carnet_wipe */
struct carnet_sign_pk { uint8_t b[32]; };
struct carnet_sign_sk { uint8_t b[64]; };
struct carnet_sig { uint8_t b[64]; };
struct carnet_box_pk { uint8_t b[32]; };    /* also a CURVE (transport) public key */
struct carnet_box_sk { uint8_t b[32]; };

void carnet_wipe(void *ptr, size_t len);
bool carnet_equal_secret(const void *a, const void *b, size_t len); /* constant time */

/* BLAKE2b-256 keyed with the ASCII domain (at most 64 bytes), so that hashes of different things never meet. */
struct carnet_hasher { _Alignas(64) uint8_t opaque[384]; };
void carnet_hasher_init(struct carnet_hasher *h, const char *domain);
void carnet_hasher_add(struct carnet_hasher *h, const void *ptr, size_t len);
struct carnet_hash carnet_hasher_done(struct carnet_hasher *h);
struct carnet_hash carnet_hash_of(const char *domain, struct carnet_slice bytes);
/* BLAKE2b-256(key, a || b || ...): derives keys and keyed tags. */
struct carnet_key carnet_derive(const struct carnet_key *key, const struct carnet_slice *pieces, size_t count);

/* Ed25519 (RFC 8032). The pair from a 32-byte seed. */
void carnet_sign_pair(const uint8_t seed[32], struct carnet_sign_pk *pk, struct carnet_sign_sk *sk);
bool carnet_sign_pk_valid(const struct carnet_sign_pk *pk); /* canonical and on the main subgroup: checked at enrolment */
struct carnet_sig carnet_sign(const struct carnet_sign_sk *sk, struct carnet_slice message);
CARNET_MUST_USE carnet_rc carnet_verify(const struct carnet_sign_pk *pk, struct carnet_slice message,
                                        const struct carnet_sig *sig); /* OK or MALFORMED */

/* X25519 pair from a 32-byte seed used as the secret key itself. */
void carnet_box_pair(const uint8_t seed[32], struct carnet_box_pk *pk, struct carnet_box_sk *sk);
/* crypto_box_seal: appends len + 48 bytes. MALFORMED for a public key of small order. LIMIT: out's ceiling. */
CARNET_MUST_USE carnet_rc carnet_box_seal(const struct carnet_box_pk *to, struct carnet_slice plain, struct carnet_buf *out);
/* Appends the plaintext. MALFORMED when it was not boxed to this pair. LIMIT: out's ceiling. */
CARNET_MUST_USE carnet_rc carnet_box_open(const struct carnet_box_pk *pk, const struct carnet_box_sk *sk,
                                          struct carnet_slice boxed, struct carnet_buf *out);

/* Seals a part (protocol/log.md): pads plain with 0x80 00.. (ISO 7816-4) to a multiple of CARNET_PAD_LEN, nonce =
 * first 24 bytes of BLAKE2b-256(key, ad || padded plain) as in SIV, XChaCha20-Poly1305 (IETF construction). Appends
 * nonce || ciphertext || tag; beyond out's ceiling nothing, and out->failed is set. ad must be a CBOR item or empty
 * for all uses of a key: a text that ends itself. */
void carnet_seal(const struct carnet_key *key, struct carnet_slice ad, struct carnet_slice plain, struct carnet_buf *out);
/* Appends the plaintext without padding. MALFORMED when key, ad or bytes are not the sealer's, when the nonce is not
 * the derived one, or the padding is wrong (LIMIT: out's ceiling); out is unchanged then. */
CARNET_MUST_USE carnet_rc carnet_open(const struct carnet_key *key, struct carnet_slice ad, struct carnet_slice sealed,
                                      struct carnet_buf *out);

/* Argon2id (RFC 9106) with libsodium's MODERATE cost: a passphrase to a key. FAILED when memory is short. About one
 * second. */
CARNET_MUST_USE carnet_rc carnet_passphrase_key(struct carnet_slice passphrase, const uint8_t salt[16], struct carnet_key *out);
/* The suppression tag of an address under the community's tag key: 16 bytes of Argon2id, 1 pass, 1 MiB, half a
 * millisecond: what protects the list is the key (protocol/consent.md).
 * Its password is BLAKE2b-256(key, "carnet/1/suppression/address" || address), its salt the first 16 bytes of
 * BLAKE2b-256(key, "carnet/1/suppression/salt"). The address must be in its one normal form. FAILED when memory is
 * short. */
CARNET_MUST_USE carnet_rc carnet_suppression_tag(const struct carnet_key *key, struct carnet_slice address, uint8_t out[16]);

#endif
