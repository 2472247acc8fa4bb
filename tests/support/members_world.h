// SPDX-License-Identifier: EUPL-1.2
/* A few replicas in a folder of their own, with clocks that the test moves, for the tests of members, erasing and upkeep. */
#ifndef CARNET_TESTS_MEMBERS_WORLD_H
#define CARNET_TESTS_MEMBERS_WORLD_H

#include "carnet/replica/replica.h"

enum { WORLD_NODES_MAX = 6 };
struct world_node {
    struct carnet_clock_hands hands;
    struct carnet_rng_state rng;
    struct carnet_replica_env env;
    struct carnet_identity identity;
    struct carnet_replica *replica;
    struct carnet_id id;
    char path[96];
};
struct world {
    char dir[64];
    struct world_node nodes[WORLD_NODES_MAX];
    size_t count;
    struct carnet_id book;
};
#define WORLD_MS INT64_C(1764000000000)
#define WORLD_HOUR_MS (INT64_C(3600) * 1000)
#define WORLD_DAY_MS (24 * WORLD_HOUR_MS)

struct carnet_slice world_text(const char *text);
void world_open(struct world *world); /* node 0 has founded the community; its clock says WORLD_MS */
void world_close(struct world *world);
/* Node `by` invites the next node, which joins and syncs; gives its number. scopes 0: the role's. */
size_t world_invite(struct world *world, size_t by, const char *name, enum carnet_role role, uint32_t scopes);
/* One code by node `by`; the text is given. */
carnet_rc world_code(struct world *world, size_t by, const struct carnet_invite_terms *terms, struct carnet_invite_code *out, struct carnet_err *err);
/* The next node's identity and environment, without a database. */
struct world_node *world_stranger(struct world *world);
/* node asks to be admitted by `by` with the code; welcome gets the answer. */
carnet_rc world_ask(struct world *world, size_t by, const struct carnet_invite_code *code, const struct world_node *node, const char *name, struct carnet_buf *welcome,
                    struct carnet_err *err);
void world_pull(struct world *world, size_t to, size_t from); /* every entry that `from` has, the charter first, then law, then data */
void world_meet(struct world *world);                         /* everybody, until nothing changes */
void world_clock(struct world *world, int64_t wall_ms);       /* of all; monotonic time goes on by as much */

/* A contact of the book with a purpose granted; until_ms 0: no end. Each value ends with NULL: field, value. */
struct carnet_id world_add(struct world *world, size_t by, const char *purpose, int64_t until_ms, uint32_t field, const char *value);
void world_write(struct world *world, size_t by, const struct carnet_id *contact, uint32_t field, const char *value);
void world_event(struct world *world, size_t by, const struct carnet_id *contact, const struct carnet_event *event);
/* The value shown of a field; empty: none. In a static buffer. */
const char *world_value(struct world *world, size_t node, const struct carnet_id *contact, uint32_t field);
uint32_t world_dark(struct world *world, size_t node, const struct carnet_id *contact); /* scopes shown as dark */
void world_upkeep(struct world *world, size_t node, bool clock_agrees);                 /* until there is nothing more */
size_t world_parts(struct world *world, size_t node, const struct carnet_id *contact);  /* sealed parts and seeds of its changes that are there */
bool world_has_bytes(struct world *world, size_t node, const void *bytes, size_t len);  /* in any file of the node */

#endif
