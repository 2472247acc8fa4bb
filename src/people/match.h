// SPDX-License-Identifier: EUPL-1.2
/* A query asked of views: what finding and counting share. */
#ifndef CARNET_PEOPLE_MATCH_H
#define CARNET_PEOPLE_MATCH_H

#include "internal.h"
#include "query_node.h"

enum { CARNET_MATCH_LEN_MAX = 16 * 1024 }; /* of an expression of the index: what is longer is not narrowed */

struct carnet_match {
    struct carnet_replica *replica;
    const struct carnet_query *query;
    const struct carnet_id *book; /* NULL: any */
    int64_t wall_ms;
    uint32_t today;
};
struct carnet_match carnet_match_of(struct carnet_replica *replica, const struct carnet_query *query, const struct carnet_id *book);
bool carnet_match(const struct carnet_match *match, const struct carnet_view *view);

#endif
