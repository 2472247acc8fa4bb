// SPDX-License-Identifier: EUPL-1.2
#include "carnet/log/entry.h"

#include "internal.h"

#include <string.h>

struct carnet_id carnet_log_short(const struct carnet_hash *hash)
{
    struct carnet_id id;
    memcpy(id.b, hash->b, sizeof id.b);
    return id;
}

uint64_t carnet_log_number(const struct carnet_hash *hash)
{
    struct carnet_id id = carnet_log_short(hash);
    uint64_t number = carnet_id_head(&id);
    return number ? number : 1;
}

uint64_t carnet_seed_id(const uint8_t seed[16])
{
    struct carnet_hash hash = carnet_hash_of(CARNET_SEED_DOMAIN, carnet_slice(seed, 16));
    return carnet_log_number(&hash);
}

struct carnet_key carnet_part_key(const struct carnet_key *epoch, const struct carnet_id *community,
                                  const struct carnet_id *book, const struct carnet_id *subject,
                                  enum carnet_scope scope, const uint8_t *seed)
{
    uint8_t scope_byte = (uint8_t)scope;
    const struct carnet_slice pieces[] = {
        carnet_slice_str(CARNET_PART_DOMAIN),         carnet_slice(community->b, sizeof community->b),
        carnet_slice(book->b, sizeof book->b),        carnet_slice(subject->b, sizeof subject->b),
        carnet_slice(&scope_byte, sizeof scope_byte), carnet_slice(seed, seed ? 16 : 0),
    };
    return carnet_derive(epoch, pieces, sizeof pieces / sizeof *pieces);
}

void carnet_part_ad(const struct carnet_entry_header *header, size_t change, const struct carnet_id *record,
                    const struct carnet_id *subject, const struct carnet_part *part, struct carnet_buf *out)
{
    static const struct carnet_id zero;
    if (CARNET_PLANTED(6))
        record = &zero;
    carnet_cbor_put_array(out, 11);
    carnet_cbor_put_id(out, &header->community);
    carnet_cbor_put_id(out, &header->book);
    carnet_cbor_put_id(out, &header->author);
    carnet_cbor_put_uint(out, header->incarnation);
    carnet_cbor_put_uint(out, header->seq);
    carnet_cbor_put_uint(out, change);
    carnet_cbor_put_id(out, record);
    if (!subject || carnet_id_equal(subject, &zero))
        carnet_cbor_put_null(out);
    else
        carnet_cbor_put_id(out, subject);
    carnet_cbor_put_uint(out, part->scope);
    carnet_cbor_put_uint(out, part->epoch);
    carnet_cbor_put_uint(out, part->seed);
}
