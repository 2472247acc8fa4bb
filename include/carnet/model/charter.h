// SPDX-License-Identifier: EUPL-1.2
/* model/charter: what the community's policy defines: scopes, roles, kinds, fields, purposes, numbers. Layer: model; pure.
 *
 * A charter is data: the default one is compiled in, a community's own is read from the SETTING events of its book `charter`. Every lookup takes
 * it as its first argument; NULL is the default charter. A definition never changes and lives as long as its replica; which one is current may
 * change whenever a transaction ends. Names on the wire are integers. */
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
    CARNET_KIND_CERTIFICATE, CARNET_KIND_BOOK, CARNET_KIND_EPOCH, CARNET_KIND_NODE, CARNET_KIND_SETTING, CARNET_KIND_SUPPRESSION,
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
enum { CARNET_FIELD_CUSTOM = 0x10000 }; /* the first number of a field that a community defines */

enum carnet_field_type {
    CARNET_FIELD_TYPE_TEXT, CARNET_FIELD_TYPE_LONGTEXT, CARNET_FIELD_TYPE_NUMBER, CARNET_FIELD_TYPE_DECIMAL, CARNET_FIELD_TYPE_DATE,
    CARNET_FIELD_TYPE_CHOICE, CARNET_FIELD_TYPE_CHOICES, CARNET_FIELD_TYPE_BOOL, CARNET_FIELD_TYPE_EMAIL, CARNET_FIELD_TYPE_PHONE, CARNET_FIELD_TYPE_URL
};
const char *carnet_field_type_name(enum carnet_field_type type); /* text, longtext, number ... */
bool carnet_field_type_find(struct carnet_slice name, enum carnet_field_type *out);

struct carnet_field_def {
    uint32_t field;
    const char *name;
    enum carnet_scope scope;
    bool shown;                   /* among a contact's fields */
    bool custom;                  /* the community's own */
    enum carnet_field_type type;
    const char *const *choices;   /* of the types choice and choices, in their order */
    size_t choice_count;
};
struct carnet_charter;
const struct carnet_field_def *carnet_field_by_number(const struct carnet_charter *charter, uint32_t field); /* NULL: unknown */
const struct carnet_field_def *carnet_field_by_name(const struct carnet_charter *charter, struct carnet_slice name); /* without its label; NULL: unknown */
const struct carnet_field_def *carnet_field_at(const struct carnet_charter *charter, size_t i); /* the i-th, custom ones last; NULL past the end */
/* Splits "phone/mobile", as people type it, into definition and label (empty without slash). NOT_FOUND also for the fields that are not
 * shown, or USAGE for an empty or too long label. */
CARNET_MUST_USE carnet_rc carnet_field_parse(const struct carnet_charter *charter, struct carnet_slice name, const struct carnet_field_def **def,
                                             struct carnet_slice *label);

enum carnet_basis {
    CARNET_BASIS_CONSENT = 1, CARNET_BASIS_LEGITIMATE_INTEREST, CARNET_BASIS_EXPLICIT_CONSENT, CARNET_BASIS_MEMBER, CARNET_BASIS_ROLL
};
const char *carnet_basis_name(enum carnet_basis basis);
bool carnet_basis_find(struct carnet_slice name, enum carnet_basis *out);

/* By which a purpose may reach people (mask: 1u << channel). */
enum carnet_channel {
    CARNET_CHANNEL_EMAIL, CARNET_CHANNEL_SMS, CARNET_CHANNEL_CALL, CARNET_CHANNEL_MAIL, CARNET_CHANNEL_CANVASS, CARNET_CHANNEL_SOCIAL, CARNET_CHANNEL_COUNT
};
const char *carnet_channel_name(enum carnet_channel channel);
bool carnet_channel_find(struct carnet_slice name, enum carnet_channel *out);

/* One definition of a purpose. It never changes: another definition is another version, and grants keep the one they were given under. */
struct carnet_purpose_def {
    const char *name;
    uint64_t version;  /* 0: the default charter's; else 8 bytes of a hash of what the SETTING says */
    uint32_t scopes;   /* covered, as a mask */
    uint32_t channels; /* mask */
    uint32_t bases;    /* that a grant may rest on, as a mask; 0: any */
    int64_t keep_ms;   /* kept for this purpose since the person's own last contact; 0: the charter's contact_ms */
    bool retired;      /* was a purpose once: nobody grants it any more */
    bool online_targeting; /* chooses whom a political message reaches: Regulation (EU) 2024/900 binds the selectors */
};
/* The current definition, NULL: unknown. */
const struct carnet_purpose_def *carnet_purpose_find(const struct carnet_charter *charter, struct carnet_slice name);
/* The definition of that version, also one replaced since. NULL: nobody here knows it, it covers nothing. */
const struct carnet_purpose_def *carnet_purpose_version(const struct carnet_charter *charter, struct carnet_slice name, uint64_t version);
const struct carnet_purpose_def *carnet_purpose_at(const struct carnet_charter *charter, size_t i); /* current ones; NULL past the end */

/* The text that a person agreed to. Former ones stay known: evidence names them by their version. */
struct carnet_wording {
    const char *purpose, *lang;
    uint64_t version; /* 8 bytes of a hash of purpose, language and text */
    struct carnet_slice text;
};
/* Other texts, under their key: ballot/2026-03-15, recipient/NAME, controller, dpo, contact_point. */
struct carnet_charter_text {
    const char *key;
    struct carnet_slice value;
};

/* The whole policy. Plain data: the arrays belong to whoever made it. */
struct carnet_charter {
    int64_t dark_after_ms;  /* no live grant for so long: an office darkens. 72 h */
    int64_t history_ms;     /* superseded parts are kept. 30 days */
    int64_t alive_after_ms; /* an office not heard for so long: what it wrote is left out of a mailing. 72 h */
    int64_t opt_in_ms;      /* a double opt-in that nobody clicked lapses. 7 days */
    int64_t contact_ms;     /* kept since the person's own last contact. 3 years */
    int64_t prospect_ms;    /* kept since a single prospecting message. 2 months (61 days) */
    int64_t inform_ms;      /* data from elsewhere: the person is told within. 1 month (30 days) */
    char country[3];        /* of phones and postcodes without one: "FR" */
    const struct carnet_purpose_def *const *purposes; /* the current ones, each name once; NULL: the default charter's */
    size_t purpose_count;
    const struct carnet_purpose_def *const *versions; /* every definition known but the default charter's, in order of version */
    size_t version_count;
    const struct carnet_field_def *const *fields;     /* custom ones, in order of name */
    size_t field_count;
    const struct carnet_wording *const *wordings;     /* the current ones, in order of purpose and language */
    size_t wording_count;
    const struct carnet_wording *const *all_wordings; /* former ones too, in order of version */
    size_t all_wording_count;
    const struct carnet_charter_text *const *texts;   /* in order of key */
    size_t text_count;
};
struct carnet_charter carnet_charter_default(void);
/* The current wording of a purpose in a language; NULL: none. */
const struct carnet_wording *carnet_wording_find(const struct carnet_charter *charter, struct carnet_slice purpose, struct carnet_slice lang);
const struct carnet_wording *carnet_wording_version(const struct carnet_charter *charter, uint64_t version); /* also a former one */
const struct carnet_charter_text *carnet_charter_text_find(const struct carnet_charter *charter, struct carnet_slice key);
/* The i-th number: its name (dark_after, history, alive_after, opt_in, contact, prospect, inform) and its place; NULL past the end. */
const char *carnet_charter_number(struct carnet_charter *charter, size_t i, int64_t **number);
/* One number by its name; values N and s m h d. NOT_FOUND, or USAGE for no such duration. */
CARNET_MUST_USE carnet_rc carnet_charter_set(struct carnet_charter *charter, struct carnet_slice name, struct carnet_slice value);
/* N (seconds), or N and one of s m h d, at most 99999 of them. */
bool carnet_charter_duration(struct carnet_slice text, int64_t *out);

#endif
