// SPDX-License-Identifier: EUPL-1.2
#include "import_address.h"

#include <string.h>

static bool is_address(const struct carnet_rows_cell *cell)
{
    return (cell->def->field == CARNET_FIELD_EMAIL || cell->def->field == CARNET_FIELD_PHONE) && cell->value.len;
}

void carnet_import_address_label(struct carnet_replica *replica, uint32_t field, struct carnet_slice value, struct carnet_address_label *out)
{
    uint8_t token[16];
    out->text[0] = 0;
    if ((field != CARNET_FIELD_EMAIL && field != CARNET_FIELD_PHONE) || !value.len || !carnet_replica_address_token(replica, value, token))
        return;
    memcpy(out->text, CARNET_INDEX_ADDRESS_LABEL, sizeof CARNET_INDEX_ADDRESS_LABEL - 1);
    carnet_hex(token, sizeof token, out->text + sizeof CARNET_INDEX_ADDRESS_LABEL - 1);
    out->text[CARNET_INDEX_ADDRESS_LEN] = 0;
}

void carnet_import_address_mark(struct carnet_replica *replica, struct carnet_slice value, const struct carnet_address_label *label, char *out)
{
    uint8_t token[16], tag[16];
    if (carnet_unhex(carnet_slice(label->text + sizeof CARNET_INDEX_ADDRESS_LABEL - 1, 32), token, sizeof token) &&
        carnet_replica_address_mark(replica, value, token, tag, NULL) == CARNET_OK)
        carnet_hex(tag, sizeof tag, out);
}

static bool names(const struct carnet_suppressed *said, struct carnet_slice purpose)
{
    for (size_t i = 0; i < said->count; i++)
        if (carnet_slice_equal(said->purposes[i], purpose))
            return true;
    return false;
}

carnet_rc carnet_import_barred(struct carnet_replica *replica, const struct carnet_row *row, struct carnet_import_barred *out, struct carnet_err *err)
{
    out->said.all = out->listed = false;
    out->said.count = 0;
    for (size_t i = 0; i < row->cell_count; i++) {
        struct carnet_suppressed one;
        carnet_rc rc = carnet_replica_suppressed(replica, row->cells[i].def->field, row->cells[i].value, &one, err);
        if (rc)
            return rc;
        out->said.all |= one.all;
        for (size_t j = 0; j < one.count && out->said.count < CARNET_SUPPRESSED_MAX; j++)
            if (!names(&out->said, one.purposes[j]))
                out->said.purposes[out->said.count++] = one.purposes[j];
    }
    out->listed = out->said.all || out->said.count;
    return CARNET_OK;
}

bool carnet_import_has_address(const struct carnet_row *row)
{
    for (size_t i = 0; i < row->cell_count; i++)
        if (is_address(&row->cells[i]))
            return true;
    return false;
}

bool carnet_import_may_suppress(struct carnet_replica *replica)
{
    struct carnet_suppression list;
    const struct carnet_cert *self = carnet_replica_self(replica);
    return self && self->verbs & CARNET_VERB_DELIVER && carnet_replica_suppression(replica, &list, NULL) == CARNET_OK && list.key;
}

carnet_rc carnet_import_add_noes(struct carnet_replica *replica, const struct carnet_row *row, struct carnet_import_noes *noes, struct carnet_err *err)
{
    for (size_t i = 0; i < row->objection_count; i++) {
        struct carnet_slice purpose = row->objections[i].purpose;
        if (purpose.len && !carnet_purpose_find(carnet_replica_charter(replica), purpose))
            continue;
        for (size_t j = 0; j < row->cell_count; j++) {
            if (!is_address(&row->cells[j]))
                continue;
            if (noes->count == sizeof noes->at / sizeof noes->at[0]) {
                carnet_rc rc = carnet_import_write_noes(replica, noes, err);
                if (rc)
                    return rc;
            }
            noes->at[noes->count].address = carnet_arena_dup(&noes->arena, row->cells[j].value);
            noes->at[noes->count++].purpose = carnet_arena_dup(&noes->arena, purpose);
        }
    }
    return CARNET_OK;
}

carnet_rc carnet_import_write_noes(struct carnet_replica *replica, struct carnet_import_noes *noes, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    bool done[sizeof noes->at / sizeof noes->at[0]] = { false };
    for (size_t i = 0; i < noes->count && !rc; i++) {
        struct carnet_slice addresses[sizeof noes->at / sizeof noes->at[0]];
        size_t count = 0;
        for (size_t j = i; j < noes->count; j++)
            if (!done[j] && carnet_slice_equal(noes->at[i].purpose, noes->at[j].purpose)) {
                addresses[count++] = noes->at[j].address;
                done[j] = true;
            }
        if (count)
            rc = carnet_replica_suppress(replica, addresses, count, noes->at[i].purpose, NULL, err);
    }
    noes->written |= noes->count > 0;
    noes->count = 0;
    carnet_arena_reset(&noes->arena);
    return rc;
}
