// SPDX-License-Identifier: EUPL-1.2
/* support/replica_world: a community of replicas in a temporary folder, with clocks and chance of the test's own, which exchange entries
 * without a session. */
#ifndef CARNET_TESTS_REPLICA_WORLD_H
#define CARNET_TESTS_REPLICA_WORLD_H

#include "carnet/replica/replica.h"

enum { WORLD_NODES_MAX = 6 };
#define WORLD_MS INT64_C(1790000000000) /* when it begins */

struct world_node {
    struct world *world;
    char path[128];
    struct carnet_clock_hands hands;
    struct carnet_rng_state dice;
    struct carnet_replica_env env;
    struct carnet_identity identity;
    struct carnet_replica *replica;
};
struct world {
    char dir[64];
    struct carnet_err err;
    struct carnet_id book;
    struct world_node nodes[WORLD_NODES_MAX];
    size_t count;
    struct carnet_arena arena;
};
/* The founder is node 0; its book `main` is world->book. */
struct world *world_new(void);
void world_free(struct world *world);
/* Invites by the founder and joins. books 0: all; scopes 0: the role's. It has nothing but its welcome until the first exchange. */
struct world_node *world_join(struct world *world, const char *name, enum carnet_role role, const struct carnet_id *books, size_t book_count, uint32_t scopes);
void world_reopen(struct world_node *node);
void world_pass(struct world *world, int64_t ms); /* time passes for all */

/* Gives what from has to to, in order; returns how many entries were applied or held already. Refused ones are left out. */
size_t world_give(struct world_node *from, struct world_node *to);
void world_exchange(struct world *world); /* everybody with everybody, until nothing moves */

/* A contact with cells "given=Zoé phone/mobile=+33639980012", a grant of each purpose of "file sms" (may be empty); gives its id. */
struct carnet_id world_add(struct world_node *node, const char *cells, const char *purposes);
carnet_rc world_edit(struct world_node *node, const struct carnet_id *record, const char *cells);
carnet_rc world_event(struct world_node *node, const struct carnet_id *record, const struct carnet_event *event);
carnet_rc world_refuse(struct world_node *node, const struct carnet_id *record, enum carnet_event_type type, const char *purpose);
struct carnet_view world_view(struct world_node *node, const struct carnet_id *record);
/* The newest value of "phone/mobile", "" when it is not shown. Static text until the next call. */
const char *world_value(struct world_node *node, const struct carnet_id *record, const char *field);
/* Fails the test unless both have the same canonical state of the book and of the charter, and verify finds nothing. */
void world_same(struct world *world);
void world_verify(struct world_node *node);
bool world_on_disk(const struct world_node *node, const char *bytes, size_t len); /* in the database or its log file */

#endif
