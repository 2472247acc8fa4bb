// SPDX-License-Identifier: EUPL-1.2
/* people/values: one value of a field, as it is kept: checked and in its one form. Layer: people; pure.
 *
 *   phone            E.164; French numbers of every form, overseas ones too
 *   email            trimmed, lower case
 *   born             YYYY, YYYY-MM or YYYY-MM-DD
 *   gender           f, m or x
 *   postcode insee   capitals and digits; the zero that a spreadsheet ate comes back
 *   language         fr, fr-ca
 *   website          http or https
 *   note             text of several lines; every other field: one line */
#ifndef CARNET_PEOPLE_VALUES_H
#define CARNET_PEOPLE_VALUES_H

#include "carnet/base/bytes.h"
#include "carnet/model/charter.h"

/* How 03/04/1962 is read; with ISO it is not. */
enum carnet_date_order { CARNET_DATE_ISO, CARNET_DATE_DMY, CARNET_DATE_MDY };

struct carnet_value_rules {
    char country[3]; /* of telephone numbers and postcodes without one: "FR" (also when empty) */
    enum carnet_date_order order;
    bool gender_1_is_female; /* as DigitaleBox writes it; else as INSEE and ISO 5218: 1 male, 2 female */
};
/* What `add` and `edit` go by: FR, ISO dates. */
struct carnet_value_rules carnet_value_rules_default(void);

/* Appends the kept form of text to out, and nothing when it is blank or says "unknown" (N/A, 00/00/0000, gender 0).
 * USAGE with a line that names the field: the field cannot hold this. LIMIT: longer than CARNET_VALUE_LEN_MAX, or than
 * out takes; out is as before after any error. err may be NULL. */
CARNET_MUST_USE carnet_rc carnet_value_normalise(const struct carnet_field_def *def, struct carnet_slice text,
                                                 const struct carnet_value_rules *rules, struct carnet_buf *out,
                                                 struct carnet_err *err);

/* One form of a label, a tag or another name: one line in NFC, at most CARNET_LABEL_LEN_MAX bytes. USAGE: empty,
 * longer, not text. */
CARNET_MUST_USE carnet_rc carnet_value_label(struct carnet_slice text, struct carnet_buf *out, struct carnet_err *err);

/* Yes and no in the words of forms and spreadsheets; OTHER: neither ("unsubscribed", a date); NONE: blank. */
enum carnet_answer { CARNET_ANSWER_NONE, CARNET_ANSWER_YES, CARNET_ANSWER_NO, CARNET_ANSWER_OTHER };
enum carnet_answer carnet_value_answer(struct carnet_slice text);

/* A moment: 2020-05-26[T ]06:51[:07][Z|+02:00], 26/05/2020 06:51, 05/26/2020  6:51 AM (by order), 12-04-2022 09:30; UTC
 * when it has no zone. false: not one. */
bool carnet_value_time(struct carnet_slice text, enum carnet_date_order order, int64_t *ms);

#endif
