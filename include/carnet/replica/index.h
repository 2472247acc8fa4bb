// SPDX-License-Identifier: EUPL-1.2
/* replica/index: what is found of a record by words and by equal addresses. Layer: replica; pure functions, the same for indexing and for asking. */
#ifndef CARNET_REPLICA_INDEX_H
#define CARNET_REPLICA_INDEX_H

#include "carnet/model/record.h"

/* Appends what is indexed of a contact: one column of a table fts5(..., tokenize = "unicode61 remove_diacritics 0"). Words of names,
 * e-mail addresses and phone numbers, then city, postcode and tags behind a private-use character, so that no word finds them. */
void carnet_query_index_text(const struct carnet_cell *cells, size_t count, struct carnet_buf *out);
/* The point of an e-mail, a phone or an id of a source (label: its kind); 0: this field has none. The value in its normal form. */
uint64_t carnet_index_point(uint32_t field, struct carnet_slice label, struct carnet_slice value);

#endif
