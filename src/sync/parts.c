// SPDX-License-Identifier: EUPL-1.2
#include "parts.h"

bool carnet_parts_gets_all(const struct carnet_cert *cert)
{
    for (int scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_COUNT; scope++)
        if (!carnet_cert_gets(cert, (enum carnet_scope)scope))
            return false;
    return true;
}

/* Boxed keys and clear cells are the charter's, for everybody; a seed follows its scope. */
static bool is_for(void *ctx, const struct carnet_change *change, const struct carnet_part *part)
{
    (void)change;
    if (CARNET_PLANTED(23))
        return true; /* planted: everybody gets every part */
    return part->type == CARNET_PART_BOX || part->type == CARNET_PART_CLEAR || carnet_cert_gets(*(const struct carnet_cert **)ctx, part->scope);
}

bool carnet_parts_strip(const struct carnet_cert *cert, struct carnet_slice bytes, struct carnet_arena *arena, struct carnet_buf *out,
                        struct parts *parts)
{
    struct carnet_entry entry;
    *parts = (struct parts){ 0 };
    carnet_arena_reset(arena);
    carnet_buf_clear(out);
    if (carnet_entry_decode(bytes, arena, &entry) != CARNET_OK)
        return false;
    for (size_t i = 0; i < entry.change_count; i++) {
        for (size_t j = 0; j < entry.changes[i].part_count; j++) {
            const struct carnet_part *part = &entry.changes[i].parts[j];
            bool wanted = is_for(&cert, &entry.changes[i], part);
            parts->here += wanted && part->present;
            parts->missing += wanted && !part->present;
        }
    }
    carnet_entry_strip(&entry, is_for, &cert, out);
    return !out->failed;
}
