// SPDX-License-Identifier: EUPL-1.2
#include "carnet/model/charter.h"

#include "carnet/base/limits.h"

#include <string.h>

static bool is(struct carnet_slice name, const char *text)
{
    return text && carnet_slice_equal(name, carnet_slice_str(text));
}

static const char *const scope_names[CARNET_SCOPE_COUNT] = {
    "clear", "identity", "email", "phone", "postal", "social", "opinion", "notes", "consent",
};

const char *carnet_scope_name(enum carnet_scope scope)
{
    CARNET_ASSERT((unsigned)scope < CARNET_SCOPE_COUNT);
    return scope_names[scope];
}

enum carnet_scope carnet_scope_find(struct carnet_slice name)
{
    for (unsigned i = CARNET_SCOPE_IDENTITY; i < CARNET_SCOPE_COUNT; i++)
        if (is(name, scope_names[i]))
            return (enum carnet_scope)i;
    return CARNET_SCOPE_CLEAR;
}

static const char *const role_names[] = { NULL, "admin", "office", "volunteer", "gateway", "relay" };

const char *carnet_role_name(enum carnet_role role)
{
    CARNET_ASSERT(role >= CARNET_ROLE_ADMIN && role <= CARNET_ROLE_RELAY);
    return role_names[role];
}

bool carnet_role_find(struct carnet_slice name, enum carnet_role *out)
{
    for (unsigned i = CARNET_ROLE_ADMIN; i <= CARNET_ROLE_RELAY; i++) {
        if (is(name, role_names[i])) {
            *out = (enum carnet_role)i;
            return true;
        }
    }
    return false;
}

uint32_t carnet_role_verbs(enum carnet_role role)
{
    const uint32_t volunteer = CARNET_VERB_ADD | CARNET_VERB_EDIT | CARNET_VERB_GRANT | CARNET_VERB_REFUSE;
    const uint32_t office = volunteer | CARNET_VERB_DARK | CARNET_VERB_ERASE | CARNET_VERB_MERGE | CARNET_VERB_INVITE |
                            CARNET_VERB_DELIVER | CARNET_VERB_RESTRICT | CARNET_VERB_RECTIFY;
    switch (role) {
    case CARNET_ROLE_ADMIN:
        return office | CARNET_VERB_CHARTER;
    case CARNET_ROLE_OFFICE:
        return office;
    case CARNET_ROLE_VOLUNTEER:
        return volunteer;
    case CARNET_ROLE_GATEWAY:
        /* what it may do with an inbound proof comes as kinds of event of its own */
        return CARNET_VERB_REFUSE | CARNET_VERB_DELIVER | CARNET_VERB_DARK;
    case CARNET_ROLE_RELAY:
        return 0;
    }
    return 0;
}

uint32_t carnet_role_scopes(enum carnet_role role)
{
    switch (role) {
    case CARNET_ROLE_ADMIN:
    case CARNET_ROLE_OFFICE:
    case CARNET_ROLE_GATEWAY:
        return CARNET_SCOPES_ALL;
    case CARNET_ROLE_VOLUNTEER:
        return 1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_POSTAL | 1u << CARNET_SCOPE_NOTES | 1u << CARNET_SCOPE_CONSENT;
    case CARNET_ROLE_RELAY:
        return 0;
    }
    return 0;
}

#define FIELD(number, name_, scope_, shown_) [number] = { .field = number, .name = name_, .scope = CARNET_SCOPE_##scope_, .shown = shown_ }
static const struct carnet_field_def fields[CARNET_FIELD_COUNT] = {
    FIELD(CARNET_FIELD_TAG, "tag", IDENTITY, false),
    FIELD(CARNET_FIELD_GIVEN, "given", IDENTITY, true),
    FIELD(CARNET_FIELD_FAMILY, "family", IDENTITY, true),
    FIELD(CARNET_FIELD_BIRTH_NAME, "birth_name", IDENTITY, true),
    FIELD(CARNET_FIELD_GENDER, "gender", IDENTITY, true),
    FIELD(CARNET_FIELD_BORN, "born", IDENTITY, true),
    FIELD(CARNET_FIELD_LANGUAGE, "language", IDENTITY, true),
    FIELD(CARNET_FIELD_EMPLOYER, "employer", IDENTITY, true),
    FIELD(CARNET_FIELD_EMAIL, "email", EMAIL, true),
    FIELD(CARNET_FIELD_PHONE, "phone", PHONE, true),
    FIELD(CARNET_FIELD_STREET, "street", POSTAL, true),
    FIELD(CARNET_FIELD_POSTCODE, "postcode", POSTAL, true),
    FIELD(CARNET_FIELD_CITY, "city", POSTAL, true),
    FIELD(CARNET_FIELD_COUNTRY, "country", POSTAL, true),
    FIELD(CARNET_FIELD_INSEE, "insee", POSTAL, true),
    FIELD(CARNET_FIELD_POLLING_STATION, "polling_station", POSTAL, true),
    FIELD(CARNET_FIELD_WEBSITE, "website", SOCIAL, true),
    FIELD(CARNET_FIELD_HANDLE, "handle", SOCIAL, true),
    FIELD(CARNET_FIELD_SUPPORT, "support", OPINION, true),
    FIELD(CARNET_FIELD_ISSUES, "issues", OPINION, true),
    FIELD(CARNET_FIELD_NOTE, "note", NOTES, true),
    FIELD(CARNET_FIELD_SOURCE_ID, "source_id", IDENTITY, false),
    FIELD(CARNET_FIELD_EVIDENCE, "evidence", CONSENT, false),
    FIELD(CARNET_FIELD_TEXT, "text", NOTES, false),
    FIELD(CARNET_FIELD_NAME, "name", IDENTITY, false),
    FIELD(CARNET_FIELD_QUERY, "query", IDENTITY, false),
    FIELD(CARNET_FIELD_ORIGIN, "origin", CONSENT, false),
};
#undef FIELD

static const char *const type_names[] = { "text", "longtext", "number", "decimal", "date", "choice", "choices", "bool", "email", "phone", "url" };

const char *carnet_field_type_name(enum carnet_field_type type)
{
    CARNET_ASSERT(type <= CARNET_FIELD_TYPE_URL);
    return type_names[type];
}

bool carnet_field_type_find(struct carnet_slice name, enum carnet_field_type *out)
{
    for (unsigned i = 0; i <= CARNET_FIELD_TYPE_URL; i++) {
        if (is(name, type_names[i])) {
            *out = (enum carnet_field_type)i;
            return true;
        }
    }
    return false;
}

const struct carnet_field_def *carnet_field_by_number(const struct carnet_charter *charter, uint32_t field)
{
    if (field < CARNET_FIELD_CUSTOM)
        return field > CARNET_FIELD_NONE && field < CARNET_FIELD_COUNT ? &fields[field] : NULL;
    for (size_t i = 0; charter && i < charter->field_count; i++)
        if (charter->fields[i]->field == field)
            return charter->fields[i];
    return NULL;
}

const struct carnet_field_def *carnet_field_by_name(const struct carnet_charter *charter, struct carnet_slice name)
{
    for (size_t i = 1; i < CARNET_FIELD_COUNT; i++)
        if (is(name, fields[i].name))
            return &fields[i];
    for (size_t i = 0; charter && i < charter->field_count; i++)
        if (is(name, charter->fields[i]->name))
            return charter->fields[i];
    return NULL;
}

const struct carnet_field_def *carnet_field_at(const struct carnet_charter *charter, size_t i)
{
    if (i < CARNET_FIELD_COUNT - 1)
        return &fields[i + 1];
    i -= CARNET_FIELD_COUNT - 1;
    return charter && i < charter->field_count ? charter->fields[i] : NULL;
}

carnet_rc carnet_field_parse(const struct carnet_charter *charter, struct carnet_slice name, const struct carnet_field_def **def,
                             struct carnet_slice *label)
{
    const uint8_t *slash = name.len ? memchr(name.ptr, '/', name.len) : NULL;
    struct carnet_slice base = slash ? carnet_slice(name.ptr, (size_t)(slash - name.ptr)) : name;
    *def = carnet_field_by_name(charter, base);
    *label = CARNET_SLICE_NONE;
    if (!*def || !(*def)->shown) {
        *def = NULL;
        return CARNET_NOT_FOUND;
    }
    if (!slash)
        return CARNET_OK;
    *label = carnet_slice(slash + 1, name.len - base.len - 1);
    return label->len == 0 || label->len > CARNET_LABEL_LEN_MAX ? CARNET_USAGE : CARNET_OK;
}

static const char *const basis_names[] = { NULL, "consent", "legitimate-interest", "explicit-consent", "member", "roll" };

const char *carnet_basis_name(enum carnet_basis basis)
{
    CARNET_ASSERT(basis >= CARNET_BASIS_CONSENT && basis <= CARNET_BASIS_ROLL);
    return basis_names[basis];
}

bool carnet_basis_find(struct carnet_slice name, enum carnet_basis *out)
{
    for (unsigned i = CARNET_BASIS_CONSENT; i <= CARNET_BASIS_ROLL; i++) {
        if (is(name, basis_names[i])) {
            *out = (enum carnet_basis)i;
            return true;
        }
    }
    return false;
}

static const char *const channel_names[CARNET_CHANNEL_COUNT] = { "email", "sms", "call", "mail", "canvass", "social" };

const char *carnet_channel_name(enum carnet_channel channel)
{
    CARNET_ASSERT((unsigned)channel < CARNET_CHANNEL_COUNT);
    return channel_names[channel];
}

bool carnet_channel_find(struct carnet_slice name, enum carnet_channel *out)
{
    for (unsigned i = 0; i < CARNET_CHANNEL_COUNT; i++) {
        if (is(name, channel_names[i])) {
            *out = (enum carnet_channel)i;
            return true;
        }
    }
    return false;
}

#define IN(scope) (1u << CARNET_SCOPE_##scope)
#define BY(channel) (1u << CARNET_CHANNEL_##channel)
static const struct carnet_purpose_def purposes[] = {
    { .name = "file", .scopes = IN(IDENTITY) },
    { .name = "newsletter", .scopes = IN(IDENTITY) | IN(EMAIL), .channels = BY(EMAIL) },
    { .name = "targeted", .scopes = IN(IDENTITY) | IN(EMAIL), .channels = BY(EMAIL), .online_targeting = true },
    { .name = "sms", .scopes = IN(IDENTITY) | IN(PHONE), .channels = BY(SMS) },
    { .name = "call", .scopes = IN(IDENTITY) | IN(PHONE), .channels = BY(CALL) },
    { .name = "mail", .scopes = IN(IDENTITY) | IN(POSTAL), .channels = BY(MAIL) },
    { .name = "canvass", .scopes = IN(IDENTITY) | IN(POSTAL), .channels = BY(CANVASS) },
    { .name = "social", .scopes = IN(IDENTITY) | IN(SOCIAL), .channels = BY(SOCIAL) },
    { .name = "profile", .scopes = IN(IDENTITY) | IN(OPINION) | IN(NOTES) },
    { .name = "membership", .scopes = IN(IDENTITY) | IN(EMAIL) | IN(PHONE) | IN(POSTAL), .channels = BY(EMAIL) | BY(SMS) | BY(CALL) | BY(MAIL) },
};
#undef IN
#undef BY
enum { PURPOSE_COUNT = sizeof purposes / sizeof *purposes };

const struct carnet_purpose_def *carnet_purpose_at(const struct carnet_charter *charter, size_t i)
{
    if (charter && charter->purposes)
        return i < charter->purpose_count ? charter->purposes[i] : NULL;
    return i < PURPOSE_COUNT ? &purposes[i] : NULL;
}

const struct carnet_purpose_def *carnet_purpose_find(const struct carnet_charter *charter, struct carnet_slice name)
{
    const struct carnet_purpose_def *def;
    for (size_t i = 0; (def = carnet_purpose_at(charter, i)) != NULL; i++)
        if (is(name, def->name))
            return def;
    return NULL;
}

const struct carnet_purpose_def *carnet_purpose_version(const struct carnet_charter *charter, struct carnet_slice name, uint64_t version)
{
    if (version == 0) {
        for (size_t i = 0; i < PURPOSE_COUNT; i++)
            if (is(name, purposes[i].name))
                return &purposes[i];
        return NULL;
    }
    size_t low = 0, high = charter ? charter->version_count : 0;
    while (low < high) { /* in order of version */
        size_t middle = low + (high - low) / 2;
        if (charter->versions[middle]->version < version)
            low = middle + 1;
        else
            high = middle;
    }
    for (; charter && low < charter->version_count && charter->versions[low]->version == version; low++)
        if (is(name, charter->versions[low]->name))
            return charter->versions[low];
    return NULL;
}

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

struct carnet_charter carnet_charter_default(void)
{
    return (struct carnet_charter){
        .dark_after_ms = INT64_C(72) * HOUR_MS,
        .history_ms = INT64_C(30) * DAY_MS,
        .alive_after_ms = INT64_C(72) * HOUR_MS,
        .opt_in_ms = INT64_C(7) * DAY_MS,
        .contact_ms = INT64_C(1095) * DAY_MS,
        .prospect_ms = INT64_C(61) * DAY_MS,
        .inform_ms = INT64_C(30) * DAY_MS,
        .country = "FR",
    };
}

bool carnet_charter_duration(struct carnet_slice text, int64_t *out)
{
    int64_t unit = SECOND_MS, value = 0;
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9' && digits < 6)
        value = value * 10 + (text.ptr[digits++] - '0');
    if (digits == 0 || digits > 5 || text.len - digits > 1)
        return false;
    if (text.len > digits) {
        switch (text.ptr[digits]) {
        case 's':
            break;
        case 'm':
            unit = MINUTE_MS;
            break;
        case 'h':
            unit = HOUR_MS;
            break;
        case 'd':
            unit = DAY_MS;
            break;
        default:
            return false;
        }
    }
    *out = value * unit;
    return true;
}

const char *carnet_charter_number(struct carnet_charter *charter, size_t i, int64_t **number)
{
    static const char *const names[] = { "dark_after", "history", "alive_after", "opt_in", "contact", "prospect", "inform" };
    int64_t *const numbers[] = { &charter->dark_after_ms, &charter->history_ms, &charter->alive_after_ms, &charter->opt_in_ms,
                                 &charter->contact_ms, &charter->prospect_ms, &charter->inform_ms };
    if (i >= sizeof names / sizeof *names)
        return NULL;
    *number = numbers[i];
    return names[i];
}

carnet_rc carnet_charter_set(struct carnet_charter *charter, struct carnet_slice name, struct carnet_slice value)
{
    int64_t *number;
    const char *known;
    for (size_t i = 0; (known = carnet_charter_number(charter, i, &number)) != NULL; i++)
        if (is(name, known))
            return carnet_charter_duration(value, number) ? CARNET_OK : CARNET_USAGE;
    return CARNET_NOT_FOUND;
}

const struct carnet_wording *carnet_wording_find(const struct carnet_charter *charter, struct carnet_slice purpose, struct carnet_slice lang)
{
    for (size_t i = 0; charter && i < charter->wording_count; i++)
        if (is(purpose, charter->wordings[i]->purpose) && is(lang, charter->wordings[i]->lang))
            return charter->wordings[i];
    return NULL;
}

const struct carnet_wording *carnet_wording_version(const struct carnet_charter *charter, uint64_t version)
{
    for (size_t i = 0; charter && i < charter->all_wording_count; i++)
        if (charter->all_wordings[i]->version == version)
            return charter->all_wordings[i];
    return NULL;
}

const struct carnet_charter_text *carnet_charter_text_find(const struct carnet_charter *charter, struct carnet_slice key)
{
    for (size_t i = 0; charter && i < charter->text_count; i++)
        if (is(key, charter->texts[i]->key))
            return charter->texts[i];
    return NULL;
}
