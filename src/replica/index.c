// SPDX-License-Identifier: EUPL-1.2
#include "carnet/replica/index.h"

#include "carnet/crypto/crypto.h"

uint64_t carnet_index_point(uint32_t field, struct carnet_slice label, struct carnet_slice value)
{
    struct carnet_hasher hasher;
    bool source = field == CARNET_FIELD_SOURCE_ID;
    uint8_t head[2] = { (uint8_t)field, source ? (uint8_t)label.len : 0 };
    uint64_t point = 0;
    if ((field != CARNET_FIELD_EMAIL && field != CARNET_FIELD_PHONE && !source) || value.len == 0)
        return 0;
    carnet_hasher_init(&hasher, "carnet/1/point");
    carnet_hasher_add(&hasher, head, sizeof head);
    if (source)
        carnet_hasher_add(&hasher, label.ptr, label.len);
    carnet_hasher_add(&hasher, value.ptr, value.len);
    struct carnet_hash hash = carnet_hasher_done(&hasher);
    for (size_t i = 0; i < 8; i++)
        point = point << 8 | hash.b[i];
    return point ? point : 1;
}
