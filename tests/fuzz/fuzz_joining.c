// SPDX-License-Identifier: EUPL-1.2
/* The inviter's answer, as a joiner reads it from the network. */
#include "carnet/node/core.h"
#include "carnet/wire/cbor.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct carnet_slice frame = carnet_slice(data, len), welcome = CARNET_SLICE_NONE;
    char what[200];
    carnet_rc rc = carnet_core_join_answer(frame, &welcome, what);
    if (rc != CARNET_OK && rc != CARNET_REFUSED && rc != CARNET_MALFORMED)
        abort();
    if (strlen(what) >= sizeof what || (rc != CARNET_REFUSED && what[0]))
        abort();
    if (rc == CARNET_OK) {
        /* what is read and written again gives the same bytes */
        struct carnet_buf again;
        carnet_buf_init(&again, len + 16);
        carnet_cbor_put_array(&again, 2);
        carnet_cbor_put_uint(&again, CARNET_CORE_WELCOME);
        carnet_cbor_put_bytes(&again, welcome);
        if (!carnet_slice_equal(carnet_buf_slice(&again), frame))
            abort();
        carnet_buf_deinit(&again);
    }
    return 0;
}
