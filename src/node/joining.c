// SPDX-License-Identifier: EUPL-1.2
/* The frames of a joiner and of whoever invited it. */
#include "carnet/base/limits.h"
#include "carnet/node/core.h"
#include "carnet/wire/cbor.h"

#include <string.h>

void carnet_core_join_put(struct carnet_slice request, struct carnet_buf *out)
{
    carnet_cbor_put_array(out, 2);
    carnet_cbor_put_uint(out, CARNET_CORE_JOIN);
    carnet_cbor_put_bytes(out, request);
}

carnet_rc carnet_core_join_answer(struct carnet_slice frame, struct carnet_slice *welcome, char what[200])
{
    struct carnet_reader r;
    carnet_reader_init(&r, frame);
    size_t count = carnet_reader_array_max(&r, 3);
    uint64_t type = carnet_reader_uint(&r);
    what[0] = 0;
    if (count == 2 && type == CARNET_CORE_WELCOME) {
        *welcome = carnet_reader_bytes(&r);
        return carnet_reader_done(&r);
    }
    if (count != 3 || type != CARNET_CORE_NO)
        return CARNET_MALFORMED;
    carnet_reader_text_max(&r, 32);
    struct carnet_slice text = carnet_reader_text_max(&r, 199);
    if (carnet_reader_done(&r) != CARNET_OK)
        return CARNET_MALFORMED;
    if (text.len)
        memcpy(what, text.ptr, text.len);
    what[text.len] = 0;
    return CARNET_REFUSED;
}
