// SPDX-License-Identifier: EUPL-1.2
/* tests/support/contact: the cells of an invented contact, written as "given=Zoé", "phone/mobile=+33639980012",
 * "tag/presse=1". */
#ifndef CARNET_TESTS_CONTACT_H
#define CARNET_TESTS_CONTACT_H

#include "carnet/model/record.h"

#include <stdlib.h>
#include <string.h>

enum { CONTACT_CELLS_MAX = 32, CONTACT_SIBLINGS_MAX = 4 };
struct contact {
    struct carnet_cell cells[CONTACT_CELLS_MAX];
    struct carnet_sibling siblings[CONTACT_CELLS_MAX][CONTACT_SIBLINGS_MAX];
    const struct carnet_sibling *pointers[CONTACT_CELLS_MAX][CONTACT_SIBLINGS_MAX];
    size_t count;
};

/* The same field and label again: one more sibling, in conflict. text must outlive the contact. */
static inline void contact_add(struct contact *contact, struct carnet_slice text)
{
    const uint8_t *equal = memchr(text.ptr, '=', text.len);
    if (!equal)
        abort();
    struct carnet_slice name = carnet_slice(text.ptr, (size_t)(equal - text.ptr));
    struct carnet_slice value = carnet_slice(equal + 1, text.len - name.len - 1);
    const uint8_t *slash = memchr(name.ptr, '/', name.len);
    struct carnet_slice label =
        slash ? carnet_slice(slash + 1, name.len - (size_t)(slash - name.ptr) - 1) : CARNET_SLICE_NONE;
    if (slash)
        name.len = (size_t)(slash - name.ptr);
    const struct carnet_field_def *def = carnet_field_by_name(NULL, name);
    if (!def)
        abort();
    size_t i = 0;
    while (i < contact->count &&
           (contact->cells[i].field != def->field || !carnet_slice_equal(contact->cells[i].label, label)))
        i++;
    struct carnet_cell *cell = &contact->cells[i];
    if (i == CONTACT_CELLS_MAX || (i < contact->count && cell->count == CONTACT_SIBLINGS_MAX))
        abort();
    if (i == contact->count) {
        *cell = (struct carnet_cell){ .field = def->field, .label = label, .siblings = contact->pointers[i] };
        contact->count++;
    }
    contact->siblings[i][cell->count] = (struct carnet_sibling){
        .state = CARNET_SIBLING_VALUE, .scope = def->scope, .field = def->field, .label = label, .value = value};
    contact->pointers[i][cell->count] = &contact->siblings[i][cell->count];
    cell->count++;
    cell->conflict = cell->count > 1;
}

static inline void contact_init(struct contact *contact, const char *const *texts)
{
    contact->count = 0;
    for (; *texts; texts++)
        contact_add(contact, carnet_slice_str(*texts));
}

#endif
