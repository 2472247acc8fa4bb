// SPDX-License-Identifier: EUPL-1.2
/* CSV as spreadsheets open it by a double click: UTF-8 with its mark, semicolons where the comma is for decimals. */
#include "carnet/people/csv.h"
#include "export_parts.h"

#include <stdlib.h>
#include <string.h>

static bool has_column(const struct carnet_export_contact *contact, const struct carnet_cell *cell)
{
    const struct carnet_field_def *def = carnet_field_by_number(contact->charter, cell->field);
    return def && def->shown && cell->field != CARNET_FIELD_TAG;
}

static bool is_column(const struct carnet_export_column *column, const struct carnet_cell *cell)
{
    return column->field == cell->field && carnet_slice_equal(carnet_slice_str(column->label), cell->label);
}

carnet_rc carnet_export_csv_learn(struct carnet_export_columns *columns, const struct carnet_export_contact *contact)
{
    for (size_t i = 0; i < contact->cell_count; i++) {
        const struct carnet_cell *cell = contact->cells[i];
        bool known = !has_column(contact, cell);
        columns->tags = columns->tags || cell->field == CARNET_FIELD_TAG;
        for (size_t j = 0; j < columns->count && !known; j++)
            known = is_column(&columns->at[j], cell);
        if (known)
            continue;
        if (columns->count == CARNET_EXPORT_COLUMNS_MAX || cell->label.len > CARNET_LABEL_LEN_MAX)
            return CARNET_LIMIT;
        CARNET_GROW(columns->at, columns->count, columns->cap);
        struct carnet_export_column *column = &columns->at[columns->count++];
        *column = (struct carnet_export_column){ .field = cell->field };
        memcpy(column->label, cell->label.len ? (const char *)cell->label.ptr : "", cell->label.len);
    }
    return CARNET_OK;
}

static int by_field(const void *a, const void *b)
{
    const struct carnet_export_column *x = a, *y = b;
    return x->field != y->field ? (x->field > y->field) - (x->field < y->field) : strcmp(x->label, y->label);
}

void carnet_export_csv_sort(struct carnet_export_columns *columns)
{
    if (columns->count)
        qsort(columns->at, columns->count, sizeof *columns->at, by_field);
}

static char separator_of(const struct carnet_export_about *about)
{
    return about->options->lang == CARNET_LANG_FR ? ';' : ',';
}

void carnet_export_csv_begin(const struct carnet_export_about *about, const struct carnet_charter *charter, const struct carnet_export_columns *columns,
                             struct carnet_buf *out)
{
    char separator = separator_of(about);
    struct carnet_buf text;
    carnet_buf_init(&text, 8192);
    carnet_buf_append_str(out, "\xef\xbb\xbf");
    carnet_export_notice(about, &text);
    carnet_csv_put_cell(out, carnet_buf_slice(&text), '\n');
    carnet_csv_put_cell(out, carnet_slice_str("carnet_id"), separator);
    carnet_csv_put_cell(out, carnet_slice_str("carnet_book"), columns->count || columns->tags ? separator : '\n');
    for (size_t i = 0; i < columns->count; i++) {
        const struct carnet_export_column *column = &columns->at[i];
        carnet_buf_clear(&text);
        const struct carnet_field_def *def = carnet_field_by_number(charter, column->field);
        carnet_buf_printf(&text, column->label[0] ? "%s/%s" : "%s", def ? def->name : "-", column->label);
        carnet_csv_put_cell(out, carnet_buf_slice(&text), columns->tags || i + 1 < columns->count ? separator : '\n');
    }
    if (columns->tags)
        carnet_csv_put_cell(out, carnet_slice_str("tags"), '\n');
    carnet_buf_deinit(&text);
}

/* Our import splits at the first of these that it sees, so what holds another one goes between two of the first. */
static void put_tags(const struct carnet_export_contact *contact, struct carnet_buf *out)
{
    bool plain = true, any = false;
    for (size_t i = 0; i < contact->cell_count; i++) {
        struct carnet_slice tag = contact->cells[i]->label;
        if (contact->cells[i]->field != CARNET_FIELD_TAG)
            continue;
        for (size_t j = 0; j < tag.len; j++)
            plain = plain && !strchr(",;|/", tag.ptr[j]);
    }
    for (size_t i = 0; i < contact->cell_count; i++) {
        if (contact->cells[i]->field != CARNET_FIELD_TAG)
            continue;
        if (any || !plain)
            carnet_buf_append_str(out, plain ? ", " : any ? " ::: " : "::: ");
        carnet_buf_append_slice(out, contact->cells[i]->label);
        any = true;
    }
}

carnet_rc carnet_export_csv_put(const struct carnet_export_about *about, const struct carnet_export_columns *columns,
                                const struct carnet_export_contact *contact, struct carnet_buf *out)
{
    char separator = separator_of(about), id[33];
    size_t due = 0, put = 0;
    for (size_t i = 0; i < contact->cell_count; i++) {
        due += has_column(contact, contact->cells[i]);
        if (contact->cells[i]->field == CARNET_FIELD_TAG && !columns->tags)
            return CARNET_AGAIN;
    }
    carnet_hex(contact->view->id.b, sizeof contact->view->id.b, id);
    carnet_csv_put_cell(out, carnet_slice_str(id), separator);
    carnet_csv_put_cell(out, carnet_slice_str(contact->book), columns->count || columns->tags ? separator : '\n');
    for (size_t i = 0, next = 0; i < columns->count; i++) {
        const struct carnet_cell *cell = NULL;
        /* both are in the same order */
        for (size_t j = next; j < contact->cell_count && !cell; j++)
            if (is_column(&columns->at[i], contact->cells[j])) {
                cell = contact->cells[j];
                next = j + 1;
            }
        put += cell != NULL;
        carnet_csv_put_cell(out, cell ? carnet_export_value(cell) : CARNET_SLICE_NONE, columns->tags || i + 1 < columns->count ? separator : '\n');
    }
    if (columns->tags) {
        struct carnet_buf tags;
        carnet_buf_init(&tags, CARNET_EXPORT_OUT_LEN_MAX);
        put_tags(contact, &tags);
        carnet_csv_put_cell(out, carnet_buf_slice(&tags), '\n');
        carnet_buf_deinit(&tags);
    }
    return put == due ? CARNET_OK : CARNET_AGAIN;
}
