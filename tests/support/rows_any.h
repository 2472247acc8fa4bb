// SPDX-License-Identifier: EUPL-1.2
/* What must hold of the rows of any bytes; shared by the fuzz targets of CSV and vCard. */
#ifndef CARNET_TESTS_ROWS_ANY_H
#define CARNET_TESTS_ROWS_ANY_H

#include "carnet/people/rows.h"

/* Reads bytes to their end and aborts at the first thing that must not be. */
void rows_of_any_bytes(struct carnet_slice bytes, enum carnet_rows_format format);

#endif
