// SPDX-License-Identifier: EUPL-1.2
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
    const char *name, *text;
};

static const char *find(const struct word *words, size_t count, enum carnet_lang lang, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i].name, name) == 0)
            return carnet_tr(lang, words[i].text);
    return name;
}

const char *carnet_words_purpose(enum carnet_lang lang, const char *name)
{
    static const struct word words[] = { { "file", _("keeping you in this file") },
                                         { "newsletter", _("sending you the newsletter by e-mail") },
                                         { "targeted", _("sending you political messages chosen for you, by e-mail") },
                                         { "sms", _("sending you text messages") },
                                         { "call", _("calling you by telephone") },
                                         { "mail", _("writing to you by post") },
                                         { "canvass", _("visiting you at home") },
                                         { "social", _("reaching you on social networks") },
                                         { "profile", _("keeping notes about your opinions and our conversations") },
                                         { "membership", _("managing your membership") } };
    return find(words, sizeof words / sizeof words[0], lang, name);
}

const char *carnet_words_scope(enum carnet_lang lang, enum carnet_scope scope)
{
    static const char *const words[CARNET_SCOPE_COUNT] = {
        _("what is not secret"), _("name, birth, employer, tags"), _("e-mail addresses"), _("telephone numbers"), _("postal address"), _("websites and accounts"),
        _("opinions"), _("notes"), _("proofs of agreements")
    };
    return carnet_tr(lang, words[scope < CARNET_SCOPE_COUNT ? scope : 0]);
}

const char *carnet_words_basis(enum carnet_lang lang, enum carnet_basis basis)
{
    static const struct word words[] = { { "consent", _("consent (GDPR, article 6.1.a)") },
                                         { "legitimate-interest", _("legitimate interest (GDPR, article 6.1.f)") },
                                         { "explicit-consent", _("explicit consent (GDPR, article 9.2.a)") },
                                         { "member", _("member, former member or regular contact (GDPR, article 9.2.d)") },
                                         { "roll", _("electoral roll (Electoral Code, article L. 37)") } };
    const char *name = basis ? carnet_basis_name(basis) : "";
    return find(words, sizeof words / sizeof words[0], lang, name);
}

const char *carnet_words_role(enum carnet_lang lang, enum carnet_role role)
{
    static const struct word words[] = { { "admin", _("administrator") },
                                         { "office", _("office") },
                                         { "volunteer", _("volunteer") },
                                         { "gateway", _("machine that sends the messages") },
                                         { "relay", _("relay: stores, reads nothing") } };
    return find(words, sizeof words / sizeof words[0], lang, carnet_role_name(role));
}

void carnet_words_field(enum carnet_lang lang, const struct carnet_charter *charter, uint32_t field, struct carnet_slice label, struct carnet_buf *out)
{
    static const struct word words[] = { { "given", _("First name") },
                                         { "family", _("Family name") },
                                         { "birth_name", _("Name at birth") },
                                         { "gender", _("Gender") },
                                         { "born", _("Date of birth") },
                                         { "language", _("Language") },
                                         { "employer", _("Employer") },
                                         { "email", _("E-mail") },
                                         { "phone", _("Telephone") },
                                         { "street", _("Street") },
                                         { "postcode", _("Postcode") },
                                         { "city", _("Town") },
                                         { "country", _("Country") },
                                         { "insee", _("Code of the town") },
                                         { "polling_station", _("Polling station") },
                                         { "website", _("Website") },
                                         { "handle", _("Account") },
                                         { "support", _("Degree of support") },
                                         { "issues", _("Subjects of interest") },
                                         { "note", _("Note") } };
    const struct carnet_field_def *def = carnet_field_by_number(charter, field);
    if (def)
        carnet_buf_append_str(out, find(words, sizeof words / sizeof words[0], lang, def->name));
    else
        carnet_buf_printf(out, "%u", (unsigned)field);
    if (label.len)
        carnet_buf_printf(out, " (%.*s)", (int)label.len, (const char *)label.ptr);
}

void carnet_words_scopes(enum carnet_lang lang, uint32_t scopes, struct carnet_buf *out)
{
    bool any = false;
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_COUNT; scope++)
        if (scopes >> scope & 1) {
            carnet_buf_append_str(out, any ? ", " : "");
            carnet_buf_append_str(out, carnet_words_scope(lang, (enum carnet_scope)scope));
            any = true;
        }
    if (!any)
        carnet_buf_append_str(out, carnet_tr(lang, _("nothing")));
}

void carnet_words_date(enum carnet_lang lang, int64_t ms, struct carnet_buf *out)
{
    struct carnet_buf text;
    carnet_buf_init(&text, 64);
    carnet_time_format(ms, &text);
    if (text.len < 10)
        carnet_buf_append_slice(out, carnet_buf_slice(&text));
    else if (lang == CARNET_LANG_FR)
        carnet_buf_printf(out, "%.2s/%.2s/%.4s", (const char *)text.ptr + 8, (const char *)text.ptr + 5, (const char *)text.ptr);
    else
        carnet_buf_append(out, text.ptr, 10);
    carnet_buf_deinit(&text);
}

void carnet_words_duration(enum carnet_lang lang, int64_t ms, struct carnet_buf *out)
{
    const int64_t hour_ms = 3600000, day_ms = 24 * hour_ms;
    if (ms >= day_ms && ms % day_ms == 0)
        carnet_words_put(out, lang, _("%lld days"), (long long)(ms / day_ms));
    else
        carnet_words_put(out, lang, _("%lld hours"), (long long)(ms / hour_ms));
}

/* The catalogue's check proves that the French text has the conversions of the English one. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
void carnet_words_put(struct carnet_buf *out, enum carnet_lang lang, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, carnet_tr(lang, fmt), args);
    if (len > 0) {
        char *text = carnet_alloc((size_t)len + 1);
        vsnprintf(text, (size_t)len + 1, carnet_tr(lang, fmt), again);
        carnet_buf_append(out, text, (size_t)len);
        free(text);
    }
    va_end(again);
    va_end(args);
}
#pragma GCC diagnostic pop

json_t *carnet_json_text(struct carnet_slice text)
{
    json_t *out = json_stringn(text.len ? (const char *)text.ptr : "", text.len);
    return out ? out : json_null();
}

json_t *carnet_json_time(int64_t ms)
{
    struct carnet_buf text;
    if (!ms)
        return json_null();
    carnet_buf_init(&text, 64);
    carnet_time_format(ms, &text);
    json_t *out = carnet_json_text(carnet_buf_slice(&text));
    carnet_buf_deinit(&text);
    return out;
}

json_t *carnet_json_scopes(uint32_t scopes)
{
    json_t *list = json_array();
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_COUNT; scope++)
        if (scopes >> scope & 1)
            json_array_append_new(list, json_string(carnet_scope_name((enum carnet_scope)scope)));
    return list;
}

void carnet_json_put(json_t *object, struct carnet_buf *out)
{
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    CARNET_ASSERT(text != NULL);
    carnet_buf_append_str(out, text);
    carnet_buf_append_byte(out, '\n');
    free(text);
    json_decref(object);
}
