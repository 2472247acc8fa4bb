// SPDX-License-Identifier: EUPL-1.2
#include "carnet/replica/index.h"

#include "carnet/crypto/crypto.h"

#include <string.h>

static uint64_t point_of(struct carnet_hasher *hasher)
{
    uint64_t point = 0;
    struct carnet_hash hash = carnet_hasher_done(hasher);
    memcpy(&point, hash.b, sizeof point);
    point &= INT64_MAX; /* a signed column */
    return point ? point : 1;
}

static void add_piece(struct carnet_hasher *hasher, struct carnet_slice piece)
{
    uint16_t len = (uint16_t)piece.len;
    carnet_hasher_add(hasher, &len, sizeof len);
    carnet_hasher_add(hasher, piece.ptr, piece.len);
}

uint64_t carnet_index_source_point(struct carnet_slice label, struct carnet_slice value)
{
    struct carnet_hasher hasher;
    carnet_hasher_init(&hasher, "carnet/1/point/source");
    add_piece(&hasher, label);
    add_piece(&hasher, value);
    return point_of(&hasher);
}

bool carnet_index_is_address(struct carnet_slice label)
{
    static const char begins[] = CARNET_INDEX_ADDRESS_LABEL;
    return label.len == CARNET_INDEX_ADDRESS_LEN && memcmp(label.ptr, begins, sizeof begins - 1) == 0;
}

uint64_t carnet_index_person_point(struct carnet_slice family, struct carnet_slice given, struct carnet_slice born, uint32_t field, struct carnet_slice value)
{
    struct carnet_hasher hasher;
    uint8_t array[256];
    struct carnet_query_text text;
    carnet_hasher_init(&hasher, "carnet/1/point/person");
    carnet_query_text_init(&text, array, sizeof array);
    carnet_query_put_joined(&text, family);
    carnet_query_text_put(&text, "|", 1);
    carnet_query_put_joined(&text, given);
    add_piece(&hasher, carnet_query_text_slice(&text));
    carnet_query_text_deinit(&text);
    add_piece(&hasher, born);
    carnet_hasher_add(&hasher, &field, sizeof field);
    add_piece(&hasher, value);
    return point_of(&hasher);
}
