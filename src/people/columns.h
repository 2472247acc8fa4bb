// SPDX-License-Identifier: EUPL-1.2
/* people/columns: which column of which tool holds what. */
#ifndef CARNET_PEOPLE_COLUMNS_H
#define CARNET_PEOPLE_COLUMNS_H

#include "carnet/base/limits.h"
#include "carnet/model/charter.h"

enum carnet_target_kind {
    CARNET_TARGET_NONE, /* not imported */
    CARNET_TARGET_OURS, /* a column of a reject file: passed over */
    CARNET_TARGET_FIELD,
    CARNET_TARGET_TAGS,
    CARNET_TARGET_CONSENT,
    CARNET_TARGET_OBJECT,
    CARNET_TARGET_STATUS, /* subscribed: consent; unsubscribed: objection */
    CARNET_TARGET_CONSENT_DATE, /* text: of which purpose; empty: of every one */
    CARNET_TARGET_CONSENT_ADDRESS,
    CARNET_TARGET_CONFIRM_DATE,
    CARNET_TARGET_CONFIRM_ADDRESS,
    CARNET_TARGET_BAD,        /* the address in the column of the same def, label and number does not work */
    CARNET_TARGET_DEPARTMENT, /* the first digits of an INSEE code */
    CARNET_TARGET_OBJECT_DATE,
    CARNET_TARGET_TITLE,
    CARNET_TARGET_NAME,
    CARNET_TARGET_NAME_REVERSED,
    CARNET_TARGET_LABEL /* of the value in another column with the same def and number */
};
struct carnet_target {
    enum carnet_target_kind kind;
    const struct carnet_field_def *def;  /* of FIELD and LABEL */
    char text[CARNET_LABEL_LEN_MAX + 1]; /* label or purpose; of OBJECT also "all" and "email" */
    const char *perhaps; /* a purpose, if the column holds yes and no; "name": if there is no given name; "contact":
                            unless there are names; "bureau": unless Outlook's */
    bool dated;          /* of CONSENT: a moment is a yes */
    bool lenient;        /* what cannot be read is left out */
    unsigned rank;       /* of several columns with one target the smallest counts; addresses: tens are the group */
    unsigned part;       /* of a street: its order; from 5 on after a comma */
    unsigned number;     /* the N of "Phone N - Value"; 0: none */
};

/* A target as people write it (carnet/people/rows.h). USAGE with a line: none. */
CARNET_MUST_USE carnet_rc carnet_target_parse(const struct carnet_charter *charter, struct carnet_slice text, struct carnet_target *out,
                                              struct carnet_err *err);
/* The channel that tools mean by object:email, object:sms ...: 1u << enum carnet_channel, 0: none of them. */
uint32_t carnet_columns_channel(struct carnet_slice name);
/* Appends that text; nothing for one that is not imported. */
void carnet_target_put(const struct carnet_target *target, struct carnet_buf *out);
/* What a column of this name holds; kind NONE: not recognised. */
void carnet_columns_recognise(const struct carnet_charter *charter, struct carnet_slice name, struct carnet_target *out);
/* Appends the form in which names are compared: folded, every sign a space. */
void carnet_columns_key(struct carnet_slice name, struct carnet_buf *out);

#endif
