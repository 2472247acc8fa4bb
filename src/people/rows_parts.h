// SPDX-License-Identifier: EUPL-1.2
/* people/rows, inside: the row being built, which the readers of CSV and vCard fill. */
#ifndef CARNET_PEOPLE_ROWS_PARTS_H
#define CARNET_PEOPLE_ROWS_PARTS_H

#include "carnet/people/rows.h"
#include "columns.h"
#include "source.h"
#include "zip.h"

enum {
    CARNET_ROWS_COLUMNS_MAX = 4096,  /* of a CSV file: ten times the widest export that we know */
    CARNET_ROWS_CELLS_MAX = 100,     /* of one row, so that they fit one part with room for more */
    CARNET_ROWS_TAGS_MAX = 500,      /* of one row */
    CARNET_ROWS_PROPERTIES_MAX = 200, /* names of vCard properties that are listed */
    CARNET_ROWS_BAD_MAX = 16         /* addresses of one row that do not work */
};

struct carnet_rows_slot {
    struct carnet_rows_cell cell;
    unsigned rank;
};
struct carnet_rows_build {
    struct carnet_rows_slot slots[CARNET_ROWS_CELLS_MAX];
    size_t slot_count;
    struct carnet_slice tags[CARNET_ROWS_TAGS_MAX];
    size_t tag_count;
    struct carnet_rows_consent grants[16];
    size_t grant_count;
    struct carnet_rows_consent objections[16];
    size_t objection_count;
    struct carnet_slice name; /* given and family in one */
    bool name_reversed;
    char title; /* f or m, from Mme, M.; 0 */
    char department[4]; /* of an INSEE code in two columns */
    int64_t consent_ms, object_ms;
    int64_t newsletter_ms; /* when this one was agreed to */
    int64_t confirmed_ms;
    struct carnet_slice address, confirmed_address; /* network addresses */
    struct carnet_rows_cell bad[CARNET_ROWS_BAD_MAX];
    size_t bad_count;
    bool dropped; /* an address that does not work was left out */
    bool any;     /* the row has some text */
};

struct carnet_rows_named { /* a column of the file being read */
    char *name;
    char *key; /* the form in which names are compared */
    struct carnet_target target;
};
struct carnet_rows_listed { /* a column or property for the mapping, of all the files of a zip */
    char *name;
    char *target_text; /* NULL: not imported */
};
struct carnet_roll;

struct carnet_rows {
    struct carnet_source source;
    const struct carnet_charter *charter;
    enum carnet_rows_format format;
    enum carnet_lang lang;
    struct carnet_value_rules rules;
    struct carnet_arena arena; /* of the row */
    struct carnet_buf value;   /* one value being normalised */
    struct carnet_buf scratch; /* one cell decoded */
    struct carnet_buf unarmed; /* one cell without a spreadsheet's apostrophes */
    struct carnet_buf country; /* the last one looked up, and its code: files name the same ones again and again */
    char country_code[3];
    struct carnet_rows_build build;
    struct carnet_rows_cell cells[CARNET_ROWS_CELLS_MAX];
    uint64_t line;              /* where the row begins */
    struct carnet_err why;      /* rc OK: nothing wrong with the row */
    struct carnet_slice record; /* the row as it was read, in the source's encoding; empty: too long */
    bool reject_begun;
    struct carnet_rows_named *named;
    size_t named_count, named_cap;
    struct carnet_rows_listed *listed;
    size_t listed_count, listed_cap;
    struct carnet_arena kept_arena;
    const struct carnet_field_def **kept; /* copies of custom definitions: the charter's own move at a commit */
    size_t kept_count, kept_cap;
    struct carnet_rows_options options; /* copies: a zip needs them until its last file */
    bool *map_used;
    char *file_name; /* of the file being read; NULL: unknown */
    char *objects;   /* the file's own name says that everybody in it objects to e-mail: that name; NULL */
    struct carnet_zip *zip;
    size_t zip_at;
    uint64_t zip_read, zip_size;
    struct carnet_roll *roll;
    bool is_roll, in_roll; /* some file is one; the one being read */
    struct carnet_rows_csv *csv;
    struct carnet_rows_vcard *vcard;
    struct carnet_rows_json *json;
};

/* --- rows.c: building a row --- */

/* The row is rejected: the first reason stays. */
#define carnet_rows_refuse(rows, ...)                                                                                  \
    ((rows)->why.rc == CARNET_OK ? (void)carnet_err_set(&(rows)->why, __VA_ARGS__) : (void)0)
/* Takes one text for a target; column: its name in the file; label: in place of the target's (empty: the target's own).
 */
void carnet_rows_take(struct carnet_rows *rows, const struct carnet_target *target, struct carnet_slice column,
                      struct carnet_slice label, struct carnet_slice text);
/* The text of a column whose address does not work: it is left out wherever the row repeats it. */
void carnet_rows_take_bad(struct carnet_rows *rows, const struct carnet_field_def *def, struct carnet_slice text);
/* Gives the target a definition that lives as long as rows. */
void carnet_rows_keep(struct carnet_rows *rows, struct carnet_target *target);
/* Adds to the mapping, unless it is there. */
void carnet_rows_list(struct carnet_rows *rows, const char *name, struct carnet_slice target_text);
void carnet_rows_take_tag(struct carnet_rows *rows, struct carnet_slice column, struct carnet_slice text);

/* One value for (def, label) exactly: refused unless it is in its one form. Of a country before what is read by it. */
void carnet_rows_take_exact(struct carnet_rows *rows, const struct carnet_field_def *def, struct carnet_slice label, struct carnet_slice text);

/* --- json_rows.c --- */

CARNET_MUST_USE carnet_rc carnet_rows_json_open(struct carnet_rows *rows, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_rows_json_next(struct carnet_rows *rows);
const struct carnet_rows_more *carnet_rows_json_more(struct carnet_rows *rows);
void carnet_rows_json_close(struct carnet_rows *rows);
void carnet_rows_json_put_reject(struct carnet_rows *rows, const struct carnet_row *row, bool header, struct carnet_buf *out);

/* --- csv.c and vcard.c --- */

CARNET_MUST_USE carnet_rc carnet_rows_csv_open(struct carnet_rows *rows, const struct carnet_rows_options *options,
                                               struct carnet_err *err);
/* Reads a record and takes its texts: OK (also with a reason in why), NOT_FOUND: the end, FAILED with errno. */
CARNET_MUST_USE carnet_rc carnet_rows_csv_next(struct carnet_rows *rows);
void carnet_rows_csv_close(struct carnet_rows *rows);
/* The text of the i-th cell of the record read last, in scratch or borrowed from the record; empty beyond its end. */
struct carnet_slice carnet_rows_csv_cell(struct carnet_rows *rows, size_t i, struct carnet_buf *scratch);
void carnet_rows_csv_put_reject(struct carnet_rows *rows, const struct carnet_row *row, bool header,
                                struct carnet_buf *out);

CARNET_MUST_USE carnet_rc carnet_rows_vcard_open(struct carnet_rows *rows, const struct carnet_rows_options *options,
                                                 struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_rows_vcard_next(struct carnet_rows *rows);
void carnet_rows_vcard_close(struct carnet_rows *rows);
void carnet_rows_vcard_put_reject(struct carnet_rows *rows, const struct carnet_row *row, struct carnet_buf *out);

/* --- roll.c: electoral rolls --- */

/* Whether the columns named are those of a roll; then rows->roll is ready for it. */
bool carnet_roll_recognise(struct carnet_rows *rows);
void carnet_roll_close(struct carnet_roll *roll); /* NULL allowed */
/* Whether the row just read is a person that the other complementary list has given already. Call it once a row. */
bool carnet_roll_repeats(struct carnet_rows *rows);
uint64_t carnet_roll_collapsed(const struct carnet_roll *roll);
/* One spelling for a commune or a country, which lives until the next call; text may be in rows->scratch. */
struct carnet_slice carnet_roll_place(struct carnet_rows *rows, bool is_country, struct carnet_slice text);

#endif
