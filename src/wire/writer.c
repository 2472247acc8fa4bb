// SPDX-License-Identifier: EUPL-1.2
#include "carnet/wire/cbor.h"

#include <cbor/encoding.h>
#include <string.h>

enum { HEAD_LEN_MAX = 9 };

typedef size_t head_fn(size_t value, unsigned char *out, size_t size);

static void put_head(struct carnet_buf *out, head_fn *encode, size_t value)
{
    unsigned char head[HEAD_LEN_MAX];
    carnet_buf_append(out, head, encode(value, head, sizeof head));
}

void carnet_cbor_put_array(struct carnet_buf *out, size_t count)
{
    put_head(out, cbor_encode_array_start, count);
}

void carnet_cbor_put_uint(struct carnet_buf *out, uint64_t value)
{
    unsigned char head[HEAD_LEN_MAX];
    carnet_buf_append(out, head, cbor_encode_uint(value, head, sizeof head));
}

void carnet_cbor_put_int(struct carnet_buf *out, int64_t value)
{
    unsigned char head[HEAD_LEN_MAX];
    if (value >= 0) {
        carnet_cbor_put_uint(out, (uint64_t)value);
        return;
    }
    carnet_buf_append(out, head, cbor_encode_negint((uint64_t)(-1 - value), head, sizeof head));
}

void carnet_cbor_put_bytes(struct carnet_buf *out, struct carnet_slice bytes)
{
    put_head(out, cbor_encode_bytestring_start, bytes.len);
    carnet_buf_append_slice(out, bytes);
}

void carnet_cbor_put_text(struct carnet_buf *out, struct carnet_slice text)
{
    put_head(out, cbor_encode_string_start, text.len);
    carnet_buf_append_slice(out, text);
}

void carnet_cbor_put_str(struct carnet_buf *out, const char *text)
{
    carnet_cbor_put_text(out, carnet_slice_str(text));
}

void carnet_cbor_put_bool(struct carnet_buf *out, bool value)
{
    carnet_buf_append_byte(out, value ? 0xf5 : 0xf4);
}

void carnet_cbor_put_null(struct carnet_buf *out)
{
    carnet_buf_append_byte(out, 0xf6);
}

void carnet_cbor_put_id(struct carnet_buf *out, const struct carnet_id *id)
{
    carnet_cbor_put_bytes(out, carnet_slice(id->b, sizeof id->b));
}

void carnet_cbor_put_hash(struct carnet_buf *out, const struct carnet_hash *h)
{
    carnet_cbor_put_bytes(out, carnet_slice(h->b, sizeof h->b));
}
