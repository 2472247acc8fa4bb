// SPDX-License-Identifier: EUPL-1.2
#include "cbor_reference.h"

#include "carnet/base/limits.h"
#include "carnet/base/text.h"

#include <cbor.h>

bool cbor_reference_has_opinion(struct carnet_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned major = bytes.ptr[i] >> 5, info = bytes.ptr[i] & 31;
        if (major >= 2 && major <= 5 && (info == 26 || info == 27))
            return false;
    }
    return bytes.len <= 4096;
}

/* Writes the tree as we would; false when something in it is not ours. */
static bool write_tree(const cbor_item_t *item, unsigned depth, unsigned *items, struct carnet_buf *out)
{
    if (++*items > CARNET_CBOR_ITEMS_MAX)
        return false;
    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
        carnet_cbor_put_uint(out, cbor_get_int(item));
        return true;
    case CBOR_TYPE_NEGINT:
        if (cbor_get_int(item) > INT64_MAX)
            return false;
        carnet_cbor_put_int(out, -1 - (int64_t)cbor_get_int(item));
        return true;
    case CBOR_TYPE_BYTESTRING:
        if (!cbor_bytestring_is_definite(item))
            return false;
        carnet_cbor_put_bytes(out, carnet_slice(cbor_bytestring_handle(item), cbor_bytestring_length(item)));
        return true;
    case CBOR_TYPE_STRING: {
        struct carnet_slice text = carnet_slice(cbor_string_handle(item), cbor_string_length(item));
        if (!cbor_string_is_definite(item) || !carnet_text_is_nfc(text))
            return false;
        carnet_cbor_put_text(out, text);
        return true;
    }
    case CBOR_TYPE_ARRAY:
        if (!cbor_array_is_definite(item) || depth == CARNET_CBOR_DEPTH_MAX)
            return false;
        carnet_cbor_put_array(out, cbor_array_size(item));
        for (size_t i = 0; i < cbor_array_size(item); i++)
            if (!write_tree(cbor_array_handle(item)[i], depth + 1, items, out))
                return false;
        return true;
    case CBOR_TYPE_FLOAT_CTRL:
        if (cbor_float_get_width(item) != CBOR_FLOAT_0)
            return false;
        if (cbor_is_bool(item))
            carnet_cbor_put_bool(out, cbor_get_bool(item));
        else if (cbor_is_null(item))
            carnet_cbor_put_null(out);
        return cbor_is_bool(item) || cbor_is_null(item);
    case CBOR_TYPE_MAP:
    case CBOR_TYPE_TAG:
        return false;
    }
    return false;
}

bool cbor_reference_accepts(struct carnet_slice bytes)
{
    struct cbor_load_result result;
    struct carnet_buf out;
    unsigned items = 0;
    if (bytes.len == 0)
        return false;
    cbor_item_t *item = cbor_load(bytes.ptr, bytes.len, &result);
    if (!item)
        return false;
    carnet_buf_init(&out, bytes.len + 16);
    bool same = result.read == bytes.len && write_tree(item, 0, &items, &out) &&
                carnet_slice_equal(carnet_buf_slice(&out), bytes);
    carnet_buf_deinit(&out);
    cbor_decref(&item);
    return same;
}

void cbor_reference_copy(struct carnet_slice bytes, struct carnet_buf *out)
{
    struct carnet_reader r;
    carnet_reader_init(&r, bytes);
    for (;;) {
        switch (carnet_reader_peek(&r)) {
        case CARNET_CBOR_UINT:
            carnet_cbor_put_uint(out, carnet_reader_uint(&r));
            break;
        case CARNET_CBOR_NEGINT:
            carnet_cbor_put_int(out, carnet_reader_int(&r));
            break;
        case CARNET_CBOR_BYTES:
            carnet_cbor_put_bytes(out, carnet_reader_bytes(&r));
            break;
        case CARNET_CBOR_TEXT:
            carnet_cbor_put_text(out, carnet_reader_text(&r));
            break;
        case CARNET_CBOR_ARRAY:
            carnet_cbor_put_array(out, carnet_reader_array(&r));
            break;
        case CARNET_CBOR_BOOL:
            carnet_cbor_put_bool(out, carnet_reader_bool(&r));
            break;
        case CARNET_CBOR_NULL:
            if (carnet_reader_null(&r))
                carnet_cbor_put_null(out);
            break;
        case CARNET_CBOR_END:
            return;
        }
    }
}
