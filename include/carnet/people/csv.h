// SPDX-License-Identifier: EUPL-1.2
/* people/csv: writing CSV that no spreadsheet runs and that carnet_rows reads back unchanged. Layer: people; pure. */
#ifndef CARNET_PEOPLE_CSV_H
#define CARNET_PEOPLE_CSV_H

#include "carnet/base/bytes.h"

/* Appends one cell, then `after`: ',' or another separator, or '\n' for the end of the row (written CR LF). RFC 4180
 * quoting; where the cell, or a piece of it that a spreadsheet with another separator would see as a cell, begins with
 * = + - @ (full-width too), or the cell with a tab, CR, LF or NUL, an apostrophe goes before. */
void carnet_csv_put_cell(struct carnet_buf *out, struct carnet_slice value, char after);
/* Takes those apostrophes away, and no other: the inverse of what carnet_csv_put_cell puts. */
void carnet_csv_rearm(struct carnet_slice cell, struct carnet_buf *out);
/* Whether carnet_csv_rearm would change the cell. */
bool carnet_csv_is_disarmed(struct carnet_slice cell);

#endif
