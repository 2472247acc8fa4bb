// SPDX-License-Identifier: EUPL-1.2
/* The strict reader on any bytes: what it accepts it gives back byte for byte, libcbor agrees, and a failure stays one. */
#include "../support/cbor_reference.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool condition)
{
    if (!condition)
        abort();
}

/* Getters in the order that the bytes themselves ask for: none may read outside, or give something once it has failed. */
static void call_any_getter(struct carnet_slice bytes)
{
    struct carnet_reader r;
    uint8_t fixed[16];
    carnet_reader_init(&r, bytes);
    for (size_t i = 0; i < bytes.len && i < 64; i++) {
        bool failed = r.failed;
        uint64_t got = 0;
        switch (bytes.ptr[bytes.len - 1 - i] % 12) {
        case 0: got = carnet_reader_array(&r); break;
        case 1: got = carnet_reader_array_max(&r, 3); break;
        case 2: carnet_reader_array_exact(&r, 2); break;
        case 3: got = carnet_reader_uint(&r); break;
        case 4: got = carnet_reader_uint_max(&r, 100); break;
        case 5: got = (uint64_t)carnet_reader_int(&r); break;
        case 6: got = carnet_reader_bytes(&r).len; break;
        case 7:
            carnet_reader_bytes_exact(&r, fixed, sizeof fixed);
            for (size_t j = 0; r.failed && j < sizeof fixed; j++)
                must(fixed[j] == 0);
            break;
        case 8: got = carnet_reader_text_max(&r, 10).len; break;
        case 9: got = carnet_reader_bool(&r); break;
        case 10: got = carnet_reader_null(&r); break;
        default: got = carnet_reader_skip(&r).len; break;
        }
        must(r.at <= r.len && (!failed || r.failed) && (!r.failed || got == 0));
        must(!r.failed || (carnet_reader_peek(&r) == CARNET_CBOR_END && carnet_reader_done(&r) == CARNET_MALFORMED));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct carnet_slice bytes = carnet_slice(data, len);
    bool accepted = carnet_cbor_check(bytes) == CARNET_OK;
    if (accepted) {
        struct carnet_buf copy;
        carnet_buf_init(&copy, len);
        cbor_reference_copy(bytes, &copy);
        must(carnet_slice_equal(carnet_buf_slice(&copy), bytes));
        carnet_buf_deinit(&copy);
    }
    if (cbor_reference_has_opinion(bytes))
        must(cbor_reference_accepts(bytes) == accepted);
    call_any_getter(bytes);
    return 0;
}
