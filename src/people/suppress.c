// SPDX-License-Identifier: EUPL-1.2
#include "carnet/replica/suppress.h"

#include "internal.h"

static int shown_len(struct carnet_slice text)
{
    return (int)(text.len > 80 ? 80 : text.len);
}

carnet_rc carnet_people_addresses_check(struct carnet_replica *replica, const struct carnet_write_cell *cells, size_t cell_count, const struct carnet_event *grants,
                                        size_t grant_count, struct carnet_err *err)
{
    for (size_t i = 0; i < cell_count; i++) {
        struct carnet_suppressed suppressed;
        carnet_rc rc = carnet_replica_suppressed(replica, cells[i].field, cells[i].value, &suppressed, err);
        if (rc)
            return rc;
        if (suppressed.all) {
            carnet_err_set(err, CARNET_REFUSED, "%.*s is on the suppression list: whoever has this address refused that it is used at all", shown_len(cells[i].value),
                           (const char *)cells[i].value.ptr);
            carnet_err_hint(err, "leave it out; only they can open it again, by answering a message or confirming a form themselves");
            return CARNET_REFUSED;
        }
        for (size_t j = 0; j < grant_count; j++) {
            if (!carnet_suppressed_for(&suppressed, grants[j].purpose))
                continue;
            carnet_err_set(err, CARNET_REFUSED, "%.*s is on the suppression list: whoever has this address refused \"%.*s\"", shown_len(cells[i].value),
                           (const char *)cells[i].value.ptr, shown_len(grants[j].purpose), (const char *)grants[j].purpose.ptr);
            carnet_err_hint(err, "leave that purpose out; only they can open it again, by answering a message or confirming a form themselves");
            return CARNET_REFUSED;
        }
    }
    return CARNET_OK;
}
