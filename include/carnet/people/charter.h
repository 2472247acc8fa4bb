// SPDX-License-Identifier: EUPL-1.2
/* people/charter: the community's policy, as its admins change it. Layer: people. */
#ifndef CARNET_PEOPLE_CHARTER_H
#define CARNET_PEOPLE_CHARTER_H

#include "carnet/base/text.h"
#include "carnet/replica/replica.h"

/* One word of the charter, checked before anything is written: USAGE, with the keys that there are. An empty value takes back what was said.
 * REFUSED: not an admin. CONFLICT: a field keeps its type and its scope. */
CARNET_MUST_USE carnet_rc carnet_people_charter_set(struct carnet_replica *replica, struct carnet_slice key, struct carnet_slice value, struct carnet_err *err);
/* What `init --charter NAME` says, in one transaction. USAGE, with the names that there are. */
CARNET_MUST_USE carnet_rc carnet_people_charter_adopt(struct carnet_replica *replica, struct carnet_slice name, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_people_charter_known(struct carnet_slice name, struct carnet_err *err); /* USAGE: no such charter */

struct carnet_field_wish {
    struct carnet_slice name, type, scope; /* scope empty: identity */
    const struct carnet_slice *choices;
    size_t choice_count;
};
/* A custom field; the same one again changes nothing. CONFLICT: there is another one of that name. */
CARNET_MUST_USE carnet_rc carnet_people_field_add(struct carnet_replica *replica, const struct carnet_field_wish *wish, struct carnet_err *err);

#endif
