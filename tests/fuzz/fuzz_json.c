// SPDX-License-Identifier: EUPL-1.2
/* Any bytes as Carnet's own JSON: bounded, and every row is good or says why not. */
#include "../support/rows_any.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    rows_of_any_bytes(carnet_slice(data, len), CARNET_ROWS_JSON);
    return 0;
}
