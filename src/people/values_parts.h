// SPDX-License-Identifier: EUPL-1.2
/* people/values, inside: the types of a community's own fields. */
#ifndef CARNET_PEOPLE_VALUES_PARTS_H
#define CARNET_PEOPLE_VALUES_PARTS_H

#include "carnet/people/values.h"

/* A table's field whose values are written as those of this type are; CARNET_FIELD_NONE: carnet_value_typed knows it. */
uint32_t carnet_value_like(const struct carnet_field_def *def);
/* Appends the kept form of a normalised text of a type that has no such field; false: it is no such value. */
bool carnet_value_typed(const struct carnet_field_def *def, struct carnet_slice text, struct carnet_buf *out);
/* Says how such a value is written. */
void carnet_value_typed_hint(const struct carnet_field_def *def, struct carnet_err *err);

#endif
