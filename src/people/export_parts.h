// SPDX-License-Identifier: EUPL-1.2
/* people/export, inside: one contact as it goes out, and the three ways to write it. */
#ifndef CARNET_PEOPLE_EXPORT_PARTS_H
#define CARNET_PEOPLE_EXPORT_PARTS_H

#include "carnet/people/export.h"
#include "internal.h"

enum { CARNET_EXPORT_OUT_LEN_MAX = 4 << 20, CARNET_EXPORT_COLUMNS_MAX = 4000 };

struct carnet_export_grant {
    struct carnet_slice purpose;
    uint64_t version;
    enum carnet_basis basis;
    struct carnet_slice proof; /* its name; empty: none */
    int64_t since_ms, until_ms;
    struct carnet_slice evidence;
};
struct carnet_export_refusal {
    struct carnet_slice purpose;
    bool objection;
    int64_t at_ms;
};
struct carnet_export_note {
    enum carnet_kind kind;
    struct carnet_id id;
    uint64_t hlc;
    struct carnet_dot dot;
    struct carnet_slice text;
};
/* All of it in the arena of the contact. */
struct carnet_export_contact {
    const struct carnet_view *view;
    const struct carnet_charter *charter;
    const char *book;
    const struct carnet_cell **cells; /* that may go out; none is empty */
    size_t cell_count;
    struct carnet_export_grant *grants;
    size_t grant_count;
    struct carnet_export_refusal *refusals;
    size_t refusal_count;
    struct carnet_export_note *notes; /* oldest first */
    size_t note_count;
};
struct carnet_export_about { /* the export itself */
    struct carnet_id community, node;
    struct carnet_slice community_name;
    const char *by; /* member */
    int64_t at_ms;
    const struct carnet_export_options *options;
};

/* The sibling shown: the newest one that holds something. */
struct carnet_slice carnet_export_value(const struct carnet_cell *cell);
/* One line for people: what this file does not say, who wrote it, when, what for. */
void carnet_export_notice(const struct carnet_export_about *about, struct carnet_buf *out);

/* Columns: the fields and labels in use. */
struct carnet_export_columns {
    struct carnet_export_column {
        uint32_t field;
        char label[CARNET_LABEL_LEN_MAX + 1];
    } *at;
    size_t count, cap;
    bool tags;
};
/* Notes the columns that the contact needs. LIMIT: too many. */
carnet_rc carnet_export_csv_learn(struct carnet_export_columns *columns, const struct carnet_export_contact *contact);
void carnet_export_csv_sort(struct carnet_export_columns *columns);
void carnet_export_csv_begin(const struct carnet_export_about *about, const struct carnet_charter *charter, const struct carnet_export_columns *columns,
                             struct carnet_buf *out);
/* AGAIN: a value that has no column. */
carnet_rc carnet_export_csv_put(const struct carnet_export_about *about, const struct carnet_export_columns *columns,
                                const struct carnet_export_contact *contact, struct carnet_buf *out);

void carnet_export_vcard_put(const struct carnet_export_about *about, const struct carnet_export_contact *contact, struct carnet_buf *out);

void carnet_export_json_begin(const struct carnet_export_about *about, const struct carnet_charter *charter, struct carnet_buf *out);
/* LIMIT: more than a line can hold. */
carnet_rc carnet_export_json_put(const struct carnet_export_contact *contact, struct carnet_buf *out);
void carnet_export_json_end(uint64_t contacts, struct carnet_buf *out);

/* Names of proofs in Carnet's JSON; empty: none. */
struct carnet_slice carnet_export_proof_name(enum carnet_proof proof);

#endif
