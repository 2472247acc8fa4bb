// SPDX-License-Identifier: EUPL-1.2
#include "rows_any.h"

#include "carnet/base/limits.h"
#include "carnet/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_cell(const struct carnet_rows_cell *cell)
{
    /* of no country, so that four digits stay four: those of another country had no zero to lose */
    struct carnet_value_rules rules = { .country = "ZZ" };
    struct carnet_buf again;
    carnet_buf_init(&again, CARNET_VALUE_LEN_MAX);
    must(cell->value.len > 0 && cell->value.len <= CARNET_VALUE_LEN_MAX && carnet_text_is_nfc(cell->value));
    must(cell->label.len <= CARNET_LABEL_LEN_MAX && carnet_text_is_nfc(cell->label));
    must(carnet_value_normalise(cell->def, cell->value, &rules, &again, NULL) == CARNET_OK);
    must(carnet_slice_equal(carnet_buf_slice(&again), cell->value));
    carnet_buf_deinit(&again);
}

static void check_row(const struct carnet_row *row)
{
    if (row->reason) {
        must(row->reason[0] && row->cell_count + row->tag_count + row->grant_count + row->objection_count == 0);
        return;
    }
    must(row->cell_count > 0);
    for (size_t i = 0; i < row->cell_count; i++) {
        check_cell(&row->cells[i]);
        for (size_t j = 0; j < i; j++)
            must(row->cells[i].def != row->cells[j].def ||
                 !carnet_slice_equal(row->cells[i].label, row->cells[j].label));
    }
    for (size_t i = 0; i < row->tag_count; i++)
        must(row->tags[i].len > 0 && row->tags[i].len <= CARNET_LABEL_LEN_MAX && carnet_text_is_nfc(row->tags[i]));
    for (size_t i = 0; i < row->grant_count; i++)
        must(carnet_purpose_find(NULL, row->grants[i].purpose) != NULL);
    for (size_t i = 0; i < row->objection_count; i++)
        must(row->objections[i].purpose.len == 0 || carnet_purpose_find(NULL, row->objections[i].purpose));
}

static size_t read_all(struct carnet_slice bytes, enum carnet_rows_format format, struct carnet_buf *rejects)
{
    struct carnet_rows_options options = {.format = format};
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_rows *rows;
    struct carnet_row row;
    size_t good = 0;
    uint64_t line = 0;
    char file[128] = "";
    carnet_rc rc = carnet_rows_open_bytes(bytes, &options, &rows, &err);
    must((rc == CARNET_OK) == (rows != NULL));
    if (rc != CARNET_OK) {
        must(err.what[0]);
        return 0;
    }
    while ((rc = carnet_rows_next(rows, &row, &err)) == CARNET_OK) {
        check_row(&row);
        must(row.line > 0 && (row.line >= line || (row.file && strcmp(row.file, file) != 0)));
        snprintf(file, sizeof file, "%s", row.file ? row.file : "");
        line = row.line;
        if (row.reason && rejects)
            carnet_rows_put_reject(rows, &row, rejects);
        good += !row.reason;
    }
    must(rc == CARNET_NOT_FOUND);
    struct carnet_buf mapping;
    carnet_buf_init(&mapping, 64 << 20);
    carnet_rows_mapping(rows, &mapping);
    must(!mapping.failed && carnet_text_is_utf8(carnet_buf_slice(&mapping)));
    carnet_buf_deinit(&mapping);
    carnet_rows_close(rows);
    return good;
}

void rows_of_any_bytes(struct carnet_slice bytes, enum carnet_rows_format format)
{
    struct carnet_buf rejects;
    carnet_buf_init(&rejects, 64 << 20);
    read_all(bytes, format, &rejects);
    if (rejects.len) /* what is rejected is read again, in whatever state */
        read_all(carnet_buf_slice(&rejects), format, NULL);
    carnet_buf_deinit(&rejects);
}
