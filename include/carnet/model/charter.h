// SPDX-License-Identifier: EUPL-1.2
/* model/charter: what the community's policy defines: scopes, roles, kinds, fields, purposes, numbers. Layer: model; pure.
 *
 * The default charter is compiled in; its numbers are cells of the book `charter` that override it. Names on the wire are integers. */
#ifndef CARNET_MODEL_CHARTER_H
#define CARNET_MODEL_CHARTER_H

#include "carnet/base/id.h"

enum carnet_scope {
    CARNET_SCOPE_CLEAR = 0, /* charter records and what relays must act on: readable by every member */
    CARNET_SCOPE_IDENTITY, CARNET_SCOPE_EMAIL, CARNET_SCOPE_PHONE, CARNET_SCOPE_POSTAL, CARNET_SCOPE_SOCIAL,
    CARNET_SCOPE_OPINION, CARNET_SCOPE_NOTES, CARNET_SCOPE_CONSENT,
    CARNET_SCOPE_COUNT
};
/* Sets of scopes are masks: 1u << scope. */
#define CARNET_SCOPES_ALL ((1u << CARNET_SCOPE_COUNT) - 2u)
const char *carnet_scope_name(enum carnet_scope scope);
enum carnet_scope carnet_scope_find(struct carnet_slice name); /* CARNET_SCOPE_CLEAR: no such name */

enum carnet_role { CARNET_ROLE_ADMIN = 1, CARNET_ROLE_OFFICE, CARNET_ROLE_VOLUNTEER, CARNET_ROLE_GATEWAY, CARNET_ROLE_RELAY };
const char *carnet_role_name(enum carnet_role role);
bool carnet_role_find(struct carnet_slice name, enum carnet_role *out);

/* Verbs of a certificate (mask). */
enum carnet_verb {
    CARNET_VERB_ADD = 1 << 0, CARNET_VERB_EDIT = 1 << 1, CARNET_VERB_GRANT = 1 << 2, CARNET_VERB_REFUSE = 1 << 3, /* withdraw, object */
    CARNET_VERB_DARK = 1 << 4, CARNET_VERB_ERASE = 1 << 5, CARNET_VERB_MERGE = 1 << 6, CARNET_VERB_INVITE = 1 << 7,
    CARNET_VERB_CHARTER = 1 << 8, CARNET_VERB_DELIVER = 1 << 9, CARNET_VERB_RESTRICT = 1 << 10, CARNET_VERB_RECTIFY = 1 << 11
};
uint32_t carnet_role_verbs(enum carnet_role role);
uint32_t carnet_role_scopes(enum carnet_role role); /* the mask read when an invitation names none */

enum carnet_kind {
    CARNET_KIND_CONTACT = 1, CARNET_KIND_NOTE, CARNET_KIND_VISIT, CARNET_KIND_EVENT, CARNET_KIND_MAILING, CARNET_KIND_DELIVERY,
    CARNET_KIND_POST,
    CARNET_KIND_RECEIPT = 32, /* from here on: records about no contact */
    CARNET_KIND_CERTIFICATE, CARNET_KIND_BOOK, CARNET_KIND_EPOCH, CARNET_KIND_NODE, CARNET_KIND_SETTING,
    CARNET_KIND_IMPORT = 64
};
enum { CARNET_KIND_NOBODY_FIRST = 64, CARNET_KIND_NOBODY_LAST = 127 }; /* records of books, not of the charter, about no contact */

/* A number below 0x10000 is one of the table; a custom field's is 0x10000 + the first 4 bytes of a hash of its name. */
enum carnet_field {
    CARNET_FIELD_NONE, CARNET_FIELD_TAG, /* label = the tag, value "1" or "" */
    CARNET_FIELD_GIVEN, CARNET_FIELD_FAMILY, CARNET_FIELD_BIRTH_NAME, CARNET_FIELD_GENDER, CARNET_FIELD_BORN, CARNET_FIELD_LANGUAGE,
    CARNET_FIELD_EMPLOYER, CARNET_FIELD_EMAIL, CARNET_FIELD_PHONE, CARNET_FIELD_STREET, CARNET_FIELD_POSTCODE, CARNET_FIELD_CITY,
    CARNET_FIELD_COUNTRY, CARNET_FIELD_INSEE, CARNET_FIELD_POLLING_STATION, CARNET_FIELD_WEBSITE, CARNET_FIELD_HANDLE,
    CARNET_FIELD_SUPPORT, CARNET_FIELD_ISSUES, CARNET_FIELD_NOTE,
    CARNET_FIELD_SOURCE_ID, /* identity; label = the kind of id; not shown */
    CARNET_FIELD_EVIDENCE,  /* consent; label = purpose; value = source, collection, proof; not shown among the fields */
    CARNET_FIELD_TEXT,      /* notes; the body of a note or visit */
    CARNET_FIELD_NAME,      /* identity; of a segment */
    CARNET_FIELD_QUERY,     /* identity; of a segment */
    CARNET_FIELD_ORIGIN,    /* consent; of an import: lines "key: value"; label "undone": of its undoing */
    CARNET_FIELD_COUNT
};
struct carnet_field_def {
    uint32_t field;
    const char *name;
    enum carnet_scope scope;
    bool shown; /* among a contact's fields */
};
const struct carnet_field_def *carnet_field_by_number(uint32_t field);        /* NULL: unknown */
const struct carnet_field_def *carnet_field_by_name(struct carnet_slice name); /* without its label; NULL: unknown */
const struct carnet_field_def *carnet_field_at(size_t i);                     /* the i-th, NULL past the end */
/* Splits "phone/mobile", as people type it, into definition and label (empty without slash). NOT_FOUND also for the fields that are not
 * shown, or USAGE for an empty or too long label. */
CARNET_MUST_USE carnet_rc carnet_field_parse(struct carnet_slice name, const struct carnet_field_def **def, struct carnet_slice *label);

enum carnet_basis {
    CARNET_BASIS_CONSENT = 1, CARNET_BASIS_LEGITIMATE_INTEREST, CARNET_BASIS_EXPLICIT_CONSENT, CARNET_BASIS_MEMBER, CARNET_BASIS_ROLL
};
const char *carnet_basis_name(enum carnet_basis basis);
bool carnet_basis_find(struct carnet_slice name, enum carnet_basis *out);

struct carnet_purpose_def {
    const char *name;
    uint32_t scopes; /* covered, as a mask */
};
const struct carnet_purpose_def *carnet_purpose_find(struct carnet_slice name); /* NULL: unknown */
const struct carnet_purpose_def *carnet_purpose_at(size_t i);                   /* NULL past the end */

/* The charter's numbers, in milliseconds. */
struct carnet_charter {
    int64_t dark_after_ms; /* no live grant for so long: an office darkens. 72 h */
    int64_t history_ms;    /* superseded parts are kept. 30 days */
};
struct carnet_charter carnet_charter_default(void);
/* One number by its name (dark_after, history; values N and s m h d). NOT_FOUND, or USAGE for no such duration. */
CARNET_MUST_USE carnet_rc carnet_charter_set(struct carnet_charter *charter, struct carnet_slice name, struct carnet_slice value);

#endif
