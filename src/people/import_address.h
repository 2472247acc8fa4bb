// SPDX-License-Identifier: EUPL-1.2
/* people/import, inside: addresses that a row may not leave, and what the suppression list says of those it has. */
#ifndef CARNET_PEOPLE_IMPORT_ADDRESS_H
#define CARNET_PEOPLE_IMPORT_ADDRESS_H

#include "carnet/people/rows.h"
#include "carnet/replica/index.h"
#include "carnet/replica/suppress.h"
#include "internal.h"

/* Label of the source id that stands for an address which is not kept: whoever comes later with it, in whatever order, is known again. */
struct carnet_address_label {
    char text[CARNET_INDEX_ADDRESS_LEN + 1]; /* "": no address, or this node has not the community's key */
};
void carnet_import_address_label(struct carnet_replica *replica, uint32_t field, struct carnet_slice value, struct carnet_address_label *out);

/* The label's value, 32 digits and a zero; untouched when there is no memory for it. */
void carnet_import_address_mark(struct carnet_replica *replica, struct carnet_slice value, const struct carnet_address_label *label, char *out);

/* What any of the row's addresses is suppressed for. */
struct carnet_import_barred {
    struct carnet_suppressed said;
    bool listed; /* anything at all */
};
CARNET_MUST_USE carnet_rc carnet_import_barred(struct carnet_replica *replica, const struct carnet_row *row, struct carnet_import_barred *out, struct carnet_err *err);
/* Addresses of rows that say no, until their tags are written, many at once. */
struct carnet_import_noes {
    struct carnet_arena arena;
    struct {
        struct carnet_slice address, purpose;
    } at[256];
    size_t count;
    bool written; /* any so far */
};
bool carnet_import_may_suppress(struct carnet_replica *replica); /* this node writes on the suppression list */
/* The row's addresses, for all that it objects to. */
CARNET_MUST_USE carnet_rc carnet_import_add_noes(struct carnet_replica *replica, const struct carnet_row *row, struct carnet_import_noes *noes, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_import_write_noes(struct carnet_replica *replica, struct carnet_import_noes *noes, struct carnet_err *err);
bool carnet_import_has_address(const struct carnet_row *row);

#endif
