// SPDX-License-Identifier: EUPL-1.2
/* people/rows: a file of contacts as rows of typed values, one at a time. Layer: people.
 *
 * CSV: separator, encoding (UTF-8, UTF-16, Windows-1252), title lines and columns are recognised, also without a
 * header; vCard 2.1, 3.0 and 4.0; either of them in a zip, several files one after the other; Carnet's own JSON. Memory is bounded
 * whatever the file; a pipe will do, but for a zip. What cannot be read is one row with a reason, and the rest of the
 * file goes on.
 *
 * A column goes to a target, written as text:
 *   FIELD[/LABEL]        a value of a field: given, phone/mobile, source_id/nationbuilder_id
 *   tags                 tags, separated by commas, semicolons or bars
 *   consent:PURPOSE      yes: the person agreed (no, or nothing: nothing)
 *   object:PURPOSE       anything but no: the person objects; object:all: to everything; object:email: to each
 *                        purpose of e-mail alone (newsletter and targeted in the default charter)
 *   consent-date         when the person agreed: dates what a consent: column says
 *   consent-address      from which network address; confirm-date, confirm-address: of the click that confirmed it
 *   object-date          when the person objected
 *   title                Mme, M.: a gender, when no column says it better
 *   name, name-reversed  given name and family name in one cell, in this order or the other
 *   -                    not imported
 *
 * Decided: somebody whom the file calls deceased objects to everything, so that nothing is sent there whoever knows the
 * contact already; addresses that the file calls bad or cleaned are left out; dates without a year are left out. Of an
 * electoral roll the birthplace, the nationality, the kind of list and the number of order are not imported (--map does
 * it for the last two); a person on both complementary lists (same names, birth and sex, one row of each) is one row. */
#ifndef CARNET_PEOPLE_ROWS_H
#define CARNET_PEOPLE_ROWS_H

#include "carnet/base/bytes.h"
#include "carnet/model/charter.h"
#include "carnet/people/values.h"

enum carnet_rows_format { CARNET_ROWS_AUTO, CARNET_ROWS_CSV, CARNET_ROWS_VCARD, CARNET_ROWS_JSON };

struct carnet_rows_map {        /* --map COL=FIELD */
    struct carnet_slice column; /* the header's text, case and accents ignored; of a vCard, a property: X-JOB */
    struct carnet_slice target;
};
struct carnet_rows_options {
    const struct carnet_charter *charter; /* its fields, purposes and country; NULL: the default one. Borrowed until close */
    enum carnet_rows_format format;
    enum carnet_lang lang;              /* of the reasons */
    char country[3];                    /* default country; empty: the charter's */
    const char *name;                   /* the file's, or NULL: "unsubscribed_2024.csv" says something of each row. Borrowed during open */
    const struct carnet_rows_map *maps; /* borrowed during open */
    size_t map_count;
};

struct carnet_rows_cell {
    const struct carnet_field_def *def;
    struct carnet_slice label;
    struct carnet_slice value; /* normalised; never empty */
};
struct carnet_rows_consent {
    struct carnet_slice purpose; /* of an objection: empty = all */
    struct carnet_slice column;  /* that says so: the evidence */
    int64_t at_ms;               /* Unix, UTC; 0: the file does not say */
    /* of a grant, when the file says: the network address it came from; the click that confirmed it, and from where.
     * Words of a file: they prove nothing by themselves. */
    struct carnet_slice address;
    int64_t confirmed_ms;
    struct carnet_slice confirmed_address;
    bool withdrawal;             /* of a refusal: withdrawn, not objected to */
};
/* What Carnet's own JSON (protocol/export.md) says besides. All of it is a claim of whoever wrote the file: it never goes over a refusal. */
struct carnet_rows_claim { /* a grant */
    struct carnet_slice purpose;
    uint64_t version;             /* of the purpose's definition */
    enum carnet_basis basis;
    struct carnet_slice proof;    /* how it is said to be proved; empty: not */
    int64_t since_ms, until_ms;   /* 0: not said; no end */
    struct carnet_slice evidence; /* its whole text; may be empty */
};
struct carnet_rows_note {
    enum carnet_kind kind; /* NOTE, VISIT */
    struct carnet_slice text;
};
struct carnet_rows_more {
    const struct carnet_rows_claim *grants; /* instead of the row's own; a purpose may come twice: renewed */
    size_t grant_count;
    const struct carnet_rows_cell *others;  /* further values of cells in conflict, newest first; the row's own cell is the newest. Empty: emptied */
    size_t other_count;
    const struct carnet_rows_note *notes;   /* oldest first */
    size_t note_count;
};
/* Appends that as lines of an evidence: "column: OPTIN_TIME", "agreed: 2021-03-04T10:00:00Z", "agreed from: 192.0.2.7",
 * "confirmed: ...", "confirmed from: ..."; only what the file says. */
void carnet_rows_consent_put(const struct carnet_rows_consent *consent, struct carnet_buf *out);

/* One row; its slices live until the next call of carnet_rows_next or carnet_rows_close. */
struct carnet_row {
    uint64_t line;      /* of the file, from 1: where it begins */
    const char *file;   /* of a zip of several files: which one; NULL */
    const char *reason; /* NULL: a good row. Else why it is rejected, and the arrays are empty */
    const struct carnet_rows_cell
        *cells; /* each (field, label) once; ids of the source are cells of CARNET_FIELD_SOURCE_ID */
    size_t cell_count;
    const struct carnet_slice *tags;
    size_t tag_count;
    const struct carnet_rows_consent *grants; /* each purpose once */
    size_t grant_count;
    const struct carnet_rows_consent *objections; /* each purpose once; they win over a grant of the same row */
    size_t objection_count;
    const struct carnet_rows_more *more; /* NULL: CSV, vCard */
};

struct carnet_rows;
/* Borrows fd (until close) and reads from where it stands. Recognises format and columns at once, so a file that is
 * neither fails here: MALFORMED: neither CSV nor vCard. USAGE: no column recognised, or a map of an unknown column or
 * target. LIMIT: a header beyond the bounds. FAILED: reading failed. *out is NULL unless OK. */
CARNET_MUST_USE carnet_rc carnet_rows_open(int fd, const struct carnet_rows_options *options, struct carnet_rows **out,
                                           struct carnet_err *err);
/* The same on bytes, which are borrowed until close. */
CARNET_MUST_USE carnet_rc carnet_rows_open_bytes(struct carnet_slice bytes, const struct carnet_rows_options *options,
                                                 struct carnet_rows **out, struct carnet_err *err);
/* The same from a function: false: reading failed, with errno; *got < max: the end. */
struct carnet_rows_input {
    bool (*read)(void *ctx, uint8_t *out, size_t max, size_t *got);
    void *ctx;
};
CARNET_MUST_USE carnet_rc carnet_rows_open_input(const struct carnet_rows_input *input, const struct carnet_rows_options *options,
                                                 struct carnet_rows **out, struct carnet_err *err);
void carnet_rows_close(struct carnet_rows *rows); /* NULL allowed */

/* The next row, good or rejected; rows without any text are passed over. NOT_FOUND: the file is at its end. FAILED:
 * reading failed. */
CARNET_MUST_USE carnet_rc carnet_rows_next(struct carnet_rows *rows, struct carnet_row *out, struct carnet_err *err);

/* The i-th field of the exporting community's own that a file of Carnet's JSON describes; false past the end, and for other formats. They are words of a file:
 * carnet_people_field_add checks them. Made before the first row, they are read like any other. Lives until close. */
struct carnet_rows_field {
    struct carnet_slice name, type, scope;
    const struct carnet_slice *choices;
    size_t choice_count;
};
bool carnet_rows_own_field(const struct carnet_rows *rows, size_t i, struct carnet_rows_field *out);

/* Bytes read, and the size of what there is (0: a pipe, unknown). */
void carnet_rows_progress(const struct carnet_rows *rows, uint64_t *read_bytes, uint64_t *size_bytes);
enum carnet_rows_format carnet_rows_format(const struct carnet_rows *rows);
/* Whether the file is an electoral roll (a file of a zip: one of them): its law is the roll's, whatever it is called. */
bool carnet_rows_is_roll(const struct carnet_rows *rows);
/* Rows of a roll passed over so far, since the same person's other complementary list gave one. */
uint64_t carnet_rows_collapsed(const struct carnet_rows *rows);

/* The i-th column by its name in the file and its target (NULL: not imported); false past the end. A column without a
 * header is named by its place, from 1. A file name that says something is listed too. Of a vCard: the properties seen
 * so far. Borrowed until the next row. */
bool carnet_rows_column(const struct carnet_rows *rows, size_t i, const char **name, const char **target);
/* Appends "mapping":{"COLUMN":"target",...},"unmapped":["COLUMN",...],"roll":true|false for the object of --dry-run. */
void carnet_rows_mapping(const struct carnet_rows *rows, struct carnet_buf *out);

/* Appends the row that carnet_rows_next gave last to a file of rejected rows: the header before the first one, line
 * number and reason beside the row as it was read (a line beyond CARNET_LINE_LEN_MAX: only they). In UTF-8; carnet_rows
 * reads it again, corrected or not, and passes over the two columns (properties) that it has added. Rows of another
 * file of a zip come behind a header of their own, which carnet_rows knows in the middle of a file. */
void carnet_rows_put_reject(struct carnet_rows *rows, const struct carnet_row *row, struct carnet_buf *out);

#endif
