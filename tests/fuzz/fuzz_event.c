// SPDX-License-Identifier: EUPL-1.2
/* The event decoder on any bytes: what it accepts is written again byte for byte; a type it does not know is well-formed CBOR. */
#include "carnet/model/event.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct carnet_event event;
    struct carnet_slice raw = carnet_slice(data, len);
    carnet_rc rc = carnet_event_decode(raw, &event);
    must(rc == CARNET_OK || rc == CARNET_MALFORMED || rc == CARNET_NOT_FOUND);
    if (rc == CARNET_MALFORMED)
        return 0;
    must(carnet_cbor_check(raw) == CARNET_OK && carnet_event_peek(raw) != 0);
    if (rc == CARNET_OK) {
        struct carnet_buf copy;
        carnet_buf_init(&copy, len);
        carnet_event_encode(&event, &copy);
        must(!copy.failed && carnet_slice_equal(carnet_buf_slice(&copy), raw));
        must(carnet_event_peek(raw) == event.type);
        carnet_buf_deinit(&copy);
    }
    return 0;
}
