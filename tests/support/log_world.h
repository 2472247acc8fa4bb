// SPDX-License-Identifier: EUPL-1.2
/* A small community for the tests of log: every key from a fixed seed, so that the same bytes come out each time. */
#ifndef CARNET_TESTS_LOG_WORLD_H
#define CARNET_TESTS_LOG_WORLD_H

#include "carnet/log/authority.h"

struct log_node {
    struct carnet_sign_pk pk;
    struct carnet_sign_sk sk;
    struct carnet_box_pk box, curve;
    struct carnet_box_sk box_sk, curve_sk;
    struct carnet_id id;
    struct carnet_slice raw; /* its certificate, in the world's arena */
    struct carnet_cert cert;
};
struct log_world {
    struct carnet_arena arena;
    struct carnet_sign_pk root_pk;
    struct carnet_sign_sk root_sk;
    struct carnet_slice genesis;
    struct carnet_id community, book, other_book;
    struct carnet_authority *authority;
    struct log_node admin, office, volunteer, gateway, relay;
};
#define LOG_WORLD_MS INT64_C(1764000000000)

void log_world_init(struct log_world *world); /* the five are certified, each by the admin, and added */
void log_world_deinit(struct log_world *world);
struct carnet_id log_id(uint8_t fill);
void log_keys(struct log_node *node, uint8_t fill);
/* A certificate of the role with all it usually gives; issuer NULL: the recovery key. To be changed, then signed. */
struct carnet_cert log_cert(const struct log_world *world, const struct log_node *node, const struct log_node *issuer,
                            enum carnet_role role);
/* Signs it, keeps it in node. */
void log_certify(struct log_world *world, struct log_node *node, const struct carnet_cert *cert,
                 const struct log_node *issuer);
struct carnet_entry_header log_header(const struct log_world *world, const struct log_node *author,
                                      const struct carnet_id *book, unsigned log, uint64_t seq);
struct carnet_key log_epoch_key(enum carnet_scope scope);
uint64_t log_epoch_id(enum carnet_scope scope);
/* Signs a draft, decodes it; ends the test when either fails. */
struct carnet_slice log_sign(struct log_world *world, struct carnet_draft *draft,
                             const struct carnet_entry_header *header, const struct log_node *author);
void log_decode(struct log_world *world, struct carnet_slice raw, struct carnet_entry *out);
/* One sealed cell under the world's keys. */
void log_draft_cell(const struct log_world *world, struct carnet_draft *draft, const struct carnet_id *book,
                    const struct carnet_id *subject, enum carnet_scope scope, const uint8_t *seed, uint32_t field,
                    const char *value, const struct carnet_dot *replaces, size_t count);
/* Opens what is sealed so; seeds come with the change or from ctx (16 bytes, may be NULL). */
bool log_key(void *ctx, const struct carnet_entry_header *header, const struct carnet_change *change,
             const struct carnet_part *part, struct carnet_key *out);
/* An entry around leaves made by hand; bodies: for each leaf, its list of parts as CBOR. Signed by author. */
struct carnet_slice log_craft(struct log_world *world, const struct carnet_entry_header *header,
                              const struct log_node *author, const struct carnet_slice *leaves,
                              const struct carnet_slice *bodies, size_t count);
struct carnet_slice log_keep(struct log_world *world, struct carnet_buf *buf); /* moves the bytes to the arena */

#endif
