// SPDX-License-Identifier: EUPL-1.2
#include "values_parts.h"

#include "carnet/base/limits.h"
#include "carnet/base/text.h"

#include <stdio.h>
#include <string.h>

enum { SHORT_LEN_MAX = 320, SHOWN_LEN_MAX = 60 };

struct carnet_value_rules carnet_value_rules_default(void)
{
    return (struct carnet_value_rules){.country = "FR", .order = CARNET_DATE_ISO};
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static struct carnet_slice trim(struct carnet_slice s)
{
    while (s.len && s.ptr[0] <= ' ')
        s.ptr++, s.len--;
    while (s.len && s.ptr[s.len - 1] <= ' ')
        s.len--;
    return s;
}

static bool has_prefix(struct carnet_slice s, const char *prefix)
{
    size_t len = strlen(prefix);
    if (s.len < len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (lower(s.ptr[i]) != (uint8_t)prefix[i])
            return false;
    return true;
}

static bool is_word(struct carnet_slice s, const char *word)
{
    return s.len == strlen(word) && has_prefix(s, word);
}

/* A word of a list "a|b|c"; the slice is compared as it is. */
static bool in_list(struct carnet_slice word, const char *list)
{
    for (const char *at = list; word.len; at++) {
        size_t same = 0;
        while (same < word.len && at[same] == (char)word.ptr[same] && at[same] != '|')
            same++;
        if (same == word.len && (at[same] == '|' || at[same] == 0))
            return true;
        at = strchr(at, '|');
        if (!at)
            break;
    }
    return false;
}

/* The search form of a short text; empty when it is long or no text. */
static struct carnet_slice folded(struct carnet_slice text, struct carnet_buf *buf)
{
    carnet_buf_clear(buf);
    if (text.len > SHORT_LEN_MAX || carnet_text_fold(text, buf) != CARNET_OK)
        carnet_buf_clear(buf);
    return carnet_buf_slice(buf);
}

/* --- telephone numbers ---------------------------------------------------------------------------------------------
 */

/* Length of the separator at s, 0: not one. Contacts copied from a screen bring no-break spaces, dashes and direction
 * marks. */
static size_t phone_separator(struct carnet_slice s)
{
    switch (s.ptr[0]) {
    case ' ':
    case '\t':
    case '\n':
    case '.':
    case '-':
    case '/':
    case '(':
    case ')':
    case '_': return 1;
    case 0xc2: return s.len > 1 && (s.ptr[1] == 0xa0 || s.ptr[1] == 0xad || s.ptr[1] == 0xb7) ? 2 : 0;
    case 0xe2:
        return s.len > 2 && ((s.ptr[1] == 0x80 && s.ptr[2] >= 0x80 && s.ptr[2] <= 0xaf) ||
                             (s.ptr[1] == 0x81 && s.ptr[2] >= 0xa0))
                   ? 3
                   : 0;
    default: return 0;
    }
}

struct country {
    const char *iso;
    const char *code;
    bool trunk; /* national numbers begin with a 0 that is not part of the number */
};
static const struct country countries[] = {
    {"FR", "33", true},  {"BE", "32", true},  {"CH", "41", true},   {"LU", "352", false}, {"DE", "49", true},
    {"IT", "39", false}, {"ES", "34", false}, {"PT", "351", false}, {"GB", "44", true},   {"IE", "353", true},
    {"NL", "31", true},  {"AT", "43", true},  {"US", "1", false},   {"CA", "1", false},   {"MC", "377", false},
};

/* The calling code of nine French national digits: overseas departments have their own. */
static const char *french_code(const char *national)
{
    static const struct {
        const char *start;
        const char *code;
    } overseas[] = {{"590", "590"}, {"690", "590"}, {"691", "590"}, {"594", "594"}, {"694", "594"},
                    {"596", "596"}, {"696", "596"}, {"697", "596"}, {"262", "262"}, {"263", "262"},
                    {"692", "262"}, {"693", "262"}, {"269", "262"}};
    for (size_t i = 0; i < sizeof overseas / sizeof overseas[0]; i++)
        if (strncmp(national, overseas[i].start, 3) == 0)
            return overseas[i].code;
    return "33";
}

static bool phone_french(const char *national, char out[SHORT_LEN_MAX])
{
    if (strlen(national) != 9 || national[0] == '0')
        return false;
    snprintf(out, SHORT_LEN_MAX, "+%s%s", french_code(national), national);
    return true;
}

static bool phone_international(const char *digits, char out[SHORT_LEN_MAX])
{
    size_t len = strlen(digits);
    if (digits[0] == '0' || len < 8 || len > 15)
        return false;
    if (strncmp(digits, "33", 2) == 0)
        return phone_french(digits[2] == '0' ? digits + 3 : digits + 2, out);
    static const char *const overseas[] = {"262", "590", "594", "596"};
    for (size_t i = 0; i < 4; i++)
        if (strncmp(digits, overseas[i], 3) == 0) {
            const char *rest = digits[3] == '0' ? digits + 4 : digits + 3;
            snprintf(out, SHORT_LEN_MAX, "+%s%s", overseas[i], rest);
            return strlen(rest) == 9;
        }
    snprintf(out, SHORT_LEN_MAX, "+%s", digits);
    return true;
}

static bool phone(struct carnet_slice text, const char *iso, char out[SHORT_LEN_MAX])
{
    char digits[24];
    size_t count = 0;
    bool plus = false;
    if (has_prefix(text, "tel:"))
        text = carnet_slice(text.ptr + 4, text.len - 4);
    for (size_t i = 0; i < text.len;) {
        struct carnet_slice rest = carnet_slice(text.ptr + i, text.len - i);
        size_t step = phone_separator(rest);
        if (has_prefix(rest, "(0)") && (plus || (count >= 2 && digits[0] == '0' && digits[1] == '0'))) {
            i += 3;
        } else if (step) {
            i += step;
        } else if (rest.ptr[0] == '+' && !plus && count == 0) {
            plus = true;
            i++;
        } else if (is_digit(rest.ptr[0]) && count < sizeof digits - 1) {
            digits[count++] = (char)rest.ptr[0];
            i++;
        } else {
            return false;
        }
    }
    digits[count] = 0;
    if (plus)
        return phone_international(digits, out);
    if (count > 2 && digits[0] == '0' && digits[1] == '0')
        return phone_international(digits + 2, out);
    const struct country *country = NULL;
    for (size_t i = 0; i < sizeof countries / sizeof countries[0]; i++)
        if (strcmp(countries[i].iso, iso) == 0)
            country = &countries[i];
    if (!country)
        return false; /* how numbers are written there is not known here */
    size_t code_len = strlen(country->code);
    if (country == &countries[0]) {
        if (count == 10 && digits[0] == '0')
            return phone_french(digits + 1, out);
        if (count == 9)
            return phone_french(digits, out); /* a spreadsheet ate the zero */
        return (count == 11 || count == 12) &&
               phone_international(digits, out); /* 33611..., or another country's without its plus */
    }
    if (count > code_len + 7 && strncmp(digits, country->code, code_len) == 0)
        return phone_international(digits, out);
    if (count < 6)
        return false;
    char full[32];
    snprintf(full, sizeof full, "%s%s", country->code, country->trunk && digits[0] == '0' ? digits + 1 : digits);
    return phone_international(full, out);
}

/* --- e-mail --------------------------------------------------------------------------------------------------------
 */

static bool email_local(struct carnet_slice s)
{
    if (s.len == 0 || s.len > 64 || s.ptr[0] == '.' || s.ptr[s.len - 1] == '.')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (!is_letter(c) && !is_digit(c) && !(c && strchr("!#$%&'*+-/=?^_`{|}~.", c)))
            return false;
        if (c == '.' && s.ptr[i - 1] == '.')
            return false;
    }
    return true;
}

static bool email_domain(struct carnet_slice s)
{
    size_t label = 0, labels = 0;
    bool digits_only = true;
    if (s.len == 0 || s.len > 253)
        return false;
    for (size_t i = 0; i <= s.len; i++) {
        uint8_t c = i < s.len ? s.ptr[i] : '.';
        if (c != '.') {
            if (!is_letter(c) && !is_digit(c) && c != '-' && c < 0x80)
                return false;
            digits_only = digits_only && is_digit(c);
            label++;
            continue;
        }
        if (label == 0 || label > 63 || s.ptr[i - label] == '-' || s.ptr[i - 1] == '-')
            return false;
        labels++;
        if (i == s.len && (label < 2 || digits_only))
            return false;
        label = 0;
        digits_only = true;
    }
    return labels >= 2;
}

static bool email(struct carnet_slice text, char out[SHORT_LEN_MAX])
{
    if (has_prefix(text, "mailto:"))
        text = carnet_slice(text.ptr + 7, text.len - 7);
    const uint8_t *open = text.len ? memchr(text.ptr, '<', text.len) : NULL;
    if (open && text.ptr[text.len - 1] == '>') /* Zoé Martin <zoe@example.org> */
        text = carnet_slice(open + 1, text.len - 1 - (size_t)(open + 1 - text.ptr));
    text = trim(text);
    const uint8_t *at = text.len ? memchr(text.ptr, '@', text.len) : NULL;
    if (!at || text.len > 254)
        return false;
    size_t local = (size_t)(at - text.ptr);
    if (!email_local(carnet_slice(text.ptr, local)) || !email_domain(carnet_slice(at + 1, text.len - local - 1)))
        return false;
    for (size_t i = 0; i < text.len; i++)
        out[i] = (char)lower(text.ptr[i]);
    out[text.len] = 0;
    return true;
}

/* --- dates ---------------------------------------------------------------------------------------------------------
 */

struct number {
    unsigned value;
    unsigned digits;
};

/* Reads digits at *at; none: digits 0; more than 9: no number either. */
static struct number number(struct carnet_slice s, size_t *at)
{
    struct number n = {0, 0};
    while (*at < s.len && is_digit(s.ptr[*at])) {
        if (++n.digits > 9)
            return (struct number){0, 0};
        n.value = n.value * 10 + (s.ptr[(*at)++] - (unsigned)'0');
    }
    return n;
}

static unsigned days_in(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

struct date {
    unsigned year, month, day; /* 0: not said */
};

/* Reads a date at the start of s; *len: what it took. false: none, or no such day. */
static bool date_read(struct carnet_slice s, enum carnet_date_order order, struct date *out, size_t *len)
{
    size_t at = 0;
    struct number n[3] = {{0, 0}, {0, 0}, {0, 0}};
    unsigned count = 0;
    uint8_t separator = 0;
    while (count < 3) {
        n[count] = number(s, &at);
        if (n[count++].digits == 0)
            return false;
        if (count == 3 || at + 1 >= s.len || !is_digit(s.ptr[at + 1]))
            break;
        uint8_t c = s.ptr[at];
        if ((c != '-' && c != '/' && c != '.') || (separator && c != separator))
            break;
        separator = c;
        at++;
    }
    struct date d = {0, 0, 0};
    if (n[0].digits == 4) {
        d = (struct date){n[0].value, n[1].value, n[2].value};
        if (count > 1 && separator != '-' && order == CARNET_DATE_ISO)
            return false;
    } else if (order == CARNET_DATE_ISO) {
        return false;
    } else if (count == 3 && n[0].digits <= 2 && n[1].digits <= 2 && (n[2].digits == 4 || n[2].digits == 2)) {
        bool day_first = order == CARNET_DATE_DMY;
        d = (struct date){n[2].value, day_first ? n[1].value : n[0].value, day_first ? n[0].value : n[1].value};
        /* two digits of a year: nobody in a file of voters is under about ten */
        if (n[2].digits == 2 && (d.year || d.month || d.day))
            d.year += d.year <= 15 ? 2000 : 1900;
    } else if (count == 2 && n[0].digits <= 2 && n[1].digits == 4) {
        d = (struct date){n[1].value, n[0].value, 0};
    } else {
        return false;
    }
    if (count > 1 && n[0].digits == 4 && (n[1].digits > 2 || n[2].digits > 2))
        return false;
    if (d.month > 12 || (d.month == 0 && d.day != 0) || (d.month && d.day > days_in(d.year, d.month)))
        return false;
    *out = d;
    *len = at;
    return true;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar. */
static int64_t days_since_epoch(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static size_t skip_spaces(struct carnet_slice s, size_t at)
{
    while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == ','))
        at++;
    return at;
}

bool carnet_value_time(struct carnet_slice text, enum carnet_date_order order, int64_t *ms)
{
    struct carnet_slice s = trim(text);
    struct date d;
    size_t at = 0;
    if (!date_read(s, order, &d, &at) || d.year < 1850 || d.year > 2200 || !d.month || !d.day)
        return false;
    int64_t seconds = days_since_epoch((int64_t)d.year, (int64_t)d.month, (int64_t)d.day) * 86400;
    if (at < s.len && (s.ptr[at] == 'T' || s.ptr[at] == 't'))
        at++;
    else
        at = skip_spaces(s, at);
    if (at < s.len) {
        struct number part[3] = {{0, 0}, {0, 0}, {0, 0}};
        unsigned count = 0;
        for (; count < 3; count++) {
            if (count && (at >= s.len || (s.ptr[at] != ':' && s.ptr[at] != 'h')))
                break;
            at += count > 0;
            part[count] = number(s, &at);
            if (part[count].digits == 0 || part[count].digits > 2)
                return false;
        }
        if (at < s.len && s.ptr[at] == '.') {
            at++;
            if (number(s, &at).digits == 0)
                return false;
        }
        at = skip_spaces(s, at);
        struct carnet_slice rest = carnet_slice(s.ptr + at, s.len - at);
        if (has_prefix(rest, "am") || has_prefix(rest, "pm")) {
            if (part[0].value < 1 || part[0].value > 12)
                return false;
            part[0].value = part[0].value % 12 + (has_prefix(rest, "pm") ? 12 : 0);
            at += 2;
        }
        if (count < 2 || part[0].value > 23 || part[1].value > 59 || part[2].value > 60)
            return false;
        seconds += part[0].value * 3600 + part[1].value * 60 + part[2].value;
        at = skip_spaces(s, at);
        rest = carnet_slice(s.ptr + at, s.len - at);
        if (is_word(rest, "z") || is_word(rest, "utc") || is_word(rest, "gmt")) {
            at = s.len;
        } else if (rest.len && (rest.ptr[0] == '+' || rest.ptr[0] == '-')) {
            bool east = rest.ptr[0] == '+';
            at++;
            struct number hours = number(s, &at), minutes = {0, 0};
            if (hours.digits == 4)
                minutes.value = hours.value % 100, hours.value /= 100;
            else if (at < s.len && s.ptr[at] == ':')
                at++, minutes = number(s, &at);
            if (hours.digits == 0 || hours.value > 14 || minutes.value > 59)
                return false;
            int64_t shift = hours.value * 3600 + minutes.value * 60;
            seconds += east ? -shift : shift;
        }
        if (at != s.len)
            return false;
    }
    *ms = seconds * 1000;
    return true;
}

/* 14-mars-62, 1er février 1962, 14 Mar 1962: what spreadsheets show for a date. As digits; false: no such date. */
static bool month_in_words(struct carnet_slice word, char out[16])
{
    static const char *const months[12][2] = {{"janv", "jan"}, {"fevr", "feb"}, {"mars", "mar"}, {"avr", "apr"},
                                              {"mai", "may"},  {"juin", "jun"}, {"juil", "jul"}, {"aout", "aug"},
                                              {"sept", "sep"}, {"oct", "oct"},  {"nov", "nov"},  {"dec", "dec"}};
    size_t at = 0, from, len;
    struct number day = number(word, &at);
    if (has_prefix(carnet_slice(word.ptr + at, word.len - at), "er"))
        at += 2;
    while (at < word.len && strchr(" -./", word.ptr[at]))
        at++;
    for (from = at; at < word.len && is_letter(word.ptr[at]);)
        at++;
    len = at - from;
    while (at < word.len && strchr(" -./", word.ptr[at]))
        at++;
    struct number year = number(word, &at);
    if (at != word.len || len < 3 || day.digits == 0 || day.digits > 2 || (year.digits != 2 && year.digits != 4))
        return false;
    for (unsigned m = 0; m < 12; m++)
        for (int language = 0; language < 2; language++)
            if (has_prefix(carnet_slice(word.ptr + from, len), months[m][language])) {
                snprintf(out, 16, "%02u/%02u/%0*u", day.value, m + 1, (int)year.digits, year.value);
                return true;
            }
    return false;
}

static bool born(struct carnet_slice text, struct carnet_slice word, enum carnet_date_order order,
                 char out[SHORT_LEN_MAX])
{
    struct date d;
    size_t at = 0;
    char digits[16];
    if (order != CARNET_DATE_ISO && month_in_words(word, digits)) {
        text = carnet_slice_str(digits);
        order = CARNET_DATE_DMY;
    }
    if (!date_read(text, order, &d, &at))
        return false;
    int64_t ms;
    if (at != text.len && (order == CARNET_DATE_ISO || !carnet_value_time(text, order, &ms)))
        return false;
    if (d.year == 0 && d.month == 0 && d.day == 0) {
        out[0] = 0; /* 0/0/00, 0000-00-00: not known */
        return true;
    }
    if (d.year < 1850 || d.year > 2100)
        return false;
    if (d.day)
        snprintf(out, SHORT_LEN_MAX, "%04u-%02u-%02u", d.year, d.month, d.day);
    else if (d.month)
        snprintf(out, SHORT_LEN_MAX, "%04u-%02u", d.year, d.month);
    else
        snprintf(out, SHORT_LEN_MAX, "%04u", d.year);
    return true;
}

/* --- words ---------------------------------------------------------------------------------------------------------
 */

static bool gender(struct carnet_slice word, bool one_is_female, char out[SHORT_LEN_MAX])
{
    while (word.len && word.ptr[word.len - 1] == '.')
        word.len--;
    char answer;
    if (in_list(word, "f|w|femme|female|woman|feminin|feminine|mme|madame|mlle|mademoiselle|mrs|ms|miss|mesdames"))
        answer = 'f';
    else if (in_list(word, "m|h|homme|male|man|masculin|masculine|mr|monsieur|mister"))
        answer = 'm';
    else if (in_list(word, "x|o|autre|other|non binaire|non binary|nonbinary|nb|divers|mx"))
        answer = 'x';
    else if (in_list(word, "1|2"))
        answer = (word.ptr[0] == '1') == one_is_female ? 'f' : 'm';
    else if (in_list(word, "0|9|u|n|?|unknown|inconnu|inconnue|unspecified|none|non renseigne|non precise|non specifie|indefini|indetermine"))
        answer = 0;
    else
        return false;
    out[0] = answer;
    out[1] = 0;
    return true;
}

static bool language(struct carnet_slice text, struct carnet_slice word, char out[SHORT_LEN_MAX])
{
    static const struct {
        const char *words;
        const char *code;
    } names[] = {
        {"francais|french|fra|fre", "fr"},
        {"anglais|english|eng", "en"},
        {"allemand|german|deutsch|deu|ger", "de"},
        {"espagnol|spanish|espanol|spa", "es"},
        {"italien|italian|italiano|ita", "it"},
        {"portugais|portuguese|portugues|por", "pt"},
        {"neerlandais|dutch|nederlands|nld|dut", "nl"},
        {"arabe|arabic|ara", "ar"},
        {"breton|brezhoneg|bre", "br"},
        {"basque|euskara|eus|baq", "eu"},
        {"corse|corsu|cos", "co"},
        {"occitan|oci", "oc"},
        {"polonais|polish|pol", "pl"},
        {"roumain|romanian|ron|rum", "ro"},
        {"turc|turkish|tur", "tr"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (in_list(word, names[i].words)) {
            snprintf(out, SHORT_LEN_MAX, "%s", names[i].code);
            return true;
        }
    size_t part = 0, parts = 0;
    if (text.len > 35)
        return false;
    for (size_t i = 0; i <= text.len; i++) {
        uint8_t c = i < text.len ? text.ptr[i] : '-';
        c = c == '_' ? '-' : c;
        if (c == '-') {
            if (parts == 0 ? part < 2 || part > 3 : part < 2 || part > 8)
                return false;
            parts++;
            part = 0;
        } else if (is_letter(c) || (parts && is_digit(c))) {
            part++;
        } else {
            return false;
        }
        out[i] = (char)lower(c);
    }
    out[text.len] = 0;
    return true;
}

static bool code(struct carnet_slice text, size_t len_max, char out[SHORT_LEN_MAX], size_t *len, bool *digits_only)
{
    *len = 0;
    *digits_only = true;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == ' ' && (*len == 0 || out[*len - 1] == ' '))
            continue;
        if ((!is_digit(c) && !is_letter(c) && c != ' ' && c != '-') || *len == len_max)
            return false;
        if (c != ' ')
            *digits_only = *digits_only && is_digit(c);
        out[(*len)++] = is_letter(c) ? (char)(c & ~0x20) : (char)c;
    }
    out[*len] = 0;
    return true;
}

/* Takes the spaces out, and gives a French code of digits alone the zero that a spreadsheet ate. */
static void close_up(char *text, bool pad)
{
    size_t len = 0;
    for (const char *p = text; *p; p++)
        if (*p != ' ')
            text[len++] = *p;
    text[len] = 0;
    if (pad && len == 4) {
        memmove(text + 1, text, 5);
        text[0] = '0';
    }
}

static bool postcode(struct carnet_slice text, bool french, char out[SHORT_LEN_MAX])
{
    size_t len;
    bool digits_only;
    if (french && (has_prefix(text, "f-") || has_prefix(text, "fr-")))
        text = carnet_slice(text.ptr + (lower(text.ptr[1]) == 'r' ? 3 : 2),
                            text.len - (lower(text.ptr[1]) == 'r' ? 3 : 2));
    if (!code(text, 20, out, &len, &digits_only))
        return false;
    if (digits_only)
        close_up(out, french);
    return strpbrk(out, "0123456789") != NULL;
}

static bool insee(struct carnet_slice text, char out[SHORT_LEN_MAX])
{
    size_t len;
    bool digits_only;
    if (!code(text, 8, out, &len, &digits_only))
        return false;
    close_up(out, digits_only);
    if (strlen(out) != 5)
        return false;
    for (size_t i = 0; i < 5; i++)
        if (!is_digit((uint8_t)out[i]) && !(i == 1 && (out[1] == 'A' || out[1] == 'B') && out[0] == '2'))
            return false;
    return true;
}

/* http and https alone: others run something when they are clicked. */
static bool website(struct carnet_slice text, struct carnet_buf *out, size_t start)
{
    struct carnet_slice rest = text;
    bool has_scheme = has_prefix(text, "http://") || has_prefix(text, "https://");
    if (has_scheme) {
        size_t len = lower(text.ptr[4]) == 's' ? 8 : 7;
        rest = carnet_slice(text.ptr + len, text.len - len);
    }
    size_t host = 0;
    while (host < rest.len && !strchr("/?#:", rest.ptr[host]))
        host++;
    for (size_t i = 0; i < rest.len; i++)
        if (rest.ptr[i] <= ' ' || rest.ptr[i] == '"' || rest.ptr[i] == '<' || rest.ptr[i] == '>' || rest.ptr[i] == '\\')
            return false;
    if (!email_domain(carnet_slice(rest.ptr, host)))
        return false;
    if (!has_scheme) {
        char scheme[] = "https://";
        carnet_buf_append(out, scheme, 8); /* makes the room; text may have moved */
        if (out->failed)
            return false;
        memmove(out->ptr + start + 8, out->ptr + start, out->len - 8 - start);
        memcpy(out->ptr + start, scheme, 8);
    } else {
        for (size_t i = 0; i < 5; i++)
            out->ptr[start + i] = lower(out->ptr[start + i]);
    }
    return true;
}

/* --- the one door --------------------------------------------------------------------------------------------------
 */

/* Newlines, tabs and runs of blanks become one space; in place. */
static void one_line(struct carnet_buf *buf, size_t start)
{
    size_t to = start;
    for (size_t i = start; i < buf->len; i++) {
        uint8_t c = buf->ptr[i];
        if (c == '\n' || c == '\t')
            c = ' ';
        if (c == ' ' && to > start && buf->ptr[to - 1] == ' ')
            continue;
        buf->ptr[to++] = c;
    }
    buf->len = to;
}

static void shown(struct carnet_slice text, char out[SHOWN_LEN_MAX + 4])
{
    size_t len = text.len;
    if (len > SHOWN_LEN_MAX)
        for (len = SHOWN_LEN_MAX; len && (text.ptr[len] & 0xc0) == 0x80;)
            len--;
    memcpy(out, text.ptr ? (const char *)text.ptr : "", len);
    snprintf(out + len, 4, "%s", len < text.len ? "…" : "");
}

static carnet_rc refuse(const struct carnet_field_def *def, struct carnet_slice text, struct carnet_err *err)
{
    char value[SHOWN_LEN_MAX + 4];
    shown(text, value);
    if (def->custom && (def->type == CARNET_FIELD_TYPE_CHOICE || def->type == CARNET_FIELD_TYPE_CHOICES))
        return carnet_err_set(err, CARNET_USAGE, "%s: \"%s\" is not one of its choices", def->name, value);
    switch (carnet_value_like(def)) {
    case CARNET_FIELD_NONE:
        return carnet_err_set(err, CARNET_USAGE, "%s: \"%s\" is not a %s", def->name, value, carnet_field_type_name(def->type));
    case CARNET_FIELD_PHONE:
        return carnet_err_set(err, CARNET_USAGE, "%s: \"%s\" is not a telephone number", def->name, value);
    case CARNET_FIELD_EMAIL:
        return carnet_err_set(err, CARNET_USAGE, "%s: \"%s\" is not an e-mail address", def->name, value);
    case CARNET_FIELD_BORN: return carnet_err_set(err, CARNET_USAGE, "%s: \"%s\" is not a date", def->name, value);
    default: return carnet_err_set(err, CARNET_USAGE, "%s: \"%s\" is not such a value", def->name, value);
    }
}

static void refuse_hint(const struct carnet_field_def *def, struct carnet_err *err)
{
    if (def->custom && (carnet_value_like(def) == CARNET_FIELD_NONE || def->type == CARNET_FIELD_TYPE_DATE)) {
        carnet_value_typed_hint(def, err);
        return;
    }
    switch (carnet_value_like(def)) {
    case CARNET_FIELD_PHONE: carnet_err_hint(err, "write it like 06 39 98 00 00 or +33 6 39 98 00 00"); break;
    case CARNET_FIELD_EMAIL: carnet_err_hint(err, "write it like zoe@example.org"); break;
    case CARNET_FIELD_BORN: carnet_err_hint(err, "write it YYYY-MM-DD, YYYY-MM or YYYY"); break;
    case CARNET_FIELD_GENDER: carnet_err_hint(err, "it is f, m or x"); break;
    case CARNET_FIELD_LANGUAGE: carnet_err_hint(err, "write its code: fr, en, fr-CA"); break;
    case CARNET_FIELD_WEBSITE: carnet_err_hint(err, "write it like https://example.org/page"); break;
    case CARNET_FIELD_INSEE: carnet_err_hint(err, "it has five characters: 38185, 2A004"); break;
    default: break;
    }
}

/* In place of the text from start on. */
static carnet_rc normalise_typed(const struct carnet_field_def *def, size_t start, struct carnet_buf *out, struct carnet_err *err)
{
    struct carnet_buf typed;
    carnet_buf_init(&typed, CARNET_VALUE_LEN_MAX);
    bool ok = carnet_value_typed(def, carnet_slice(out->ptr + start, out->len - start), &typed);
    carnet_rc rc = CARNET_OK;
    if (ok) {
        out->len = start;
        carnet_buf_append_slice(out, carnet_buf_slice(&typed));
        if (out->failed)
            rc = carnet_err_set(err, CARNET_LIMIT, "%s: longer than %d KiB", def->name, CARNET_VALUE_LEN_MAX / 1024);
    } else {
        rc = refuse(def, carnet_slice(out->ptr + start, out->len - start), err);
        refuse_hint(def, err);
    }
    if (rc) {
        out->len = start;
        out->failed = false;
    }
    carnet_buf_deinit(&typed);
    return rc;
}

carnet_rc carnet_value_normalise(const struct carnet_field_def *def, struct carnet_slice text,
                                 const struct carnet_value_rules *rules, struct carnet_buf *out, struct carnet_err *err)
{
    CARNET_ASSERT(!out->failed);
    size_t start = out->len;
    char typed[SHORT_LEN_MAX] = "";
    carnet_rc rc = carnet_text_normalise(text, out);
    if (rc == CARNET_MALFORMED)
        return carnet_err_set(err, CARNET_USAGE, "%s: not a text in UTF-8", def->name);
    if (rc != CARNET_OK || out->len - start > CARNET_VALUE_LEN_MAX) {
        out->len = start;
        out->failed = false;
        return carnet_err_set(err, CARNET_LIMIT, "%s: longer than %d KiB", def->name, CARNET_VALUE_LEN_MAX / 1024);
    }
    struct carnet_slice value = carnet_slice(out->ptr + start, out->len - start);
    if (value.len == 0 || is_word(value, "n/a") || is_word(value, "#n/a")) {
        out->len = start;
        return CARNET_OK;
    }
    if (def->custom && carnet_value_like(def) == CARNET_FIELD_NONE)
        return normalise_typed(def, start, out, err);
    const char *country = rules->country[0] ? rules->country : "FR";
    bool fits = value.len < SHORT_LEN_MAX, ok, is_typed = true;
    struct carnet_buf word;
    carnet_buf_init(&word, SHORT_LEN_MAX);
    switch (carnet_value_like(def)) {
    case CARNET_FIELD_PHONE: ok = fits && phone(value, country, typed); break;
    case CARNET_FIELD_EMAIL: ok = fits && email(value, typed); break;
    case CARNET_FIELD_BORN: ok = fits && born(value, folded(value, &word), rules->order, typed) && (!def->custom || strlen(typed) == 10); break;
    case CARNET_FIELD_GENDER: ok = fits && gender(folded(value, &word), rules->gender_1_is_female, typed); break;
    case CARNET_FIELD_LANGUAGE: ok = fits && language(value, folded(value, &word), typed); break;
    case CARNET_FIELD_POSTCODE: ok = fits && postcode(value, strcmp(country, "FR") == 0, typed); break;
    case CARNET_FIELD_INSEE: ok = fits && insee(value, typed); break;
    case CARNET_FIELD_WEBSITE:
        ok = website(value, out, start);
        is_typed = false;
        break;
    case CARNET_FIELD_NOTE:
    case CARNET_FIELD_TEXT:
    case CARNET_FIELD_EVIDENCE:
        ok = true;
        is_typed = false;
        break;
    default:
        one_line(out, start);
        if (def->field == CARNET_FIELD_COUNTRY && value.len == 2 && is_letter(value.ptr[0]) &&
            is_letter(value.ptr[1])) {
            out->ptr[start] &= (uint8_t)~0x20;
            out->ptr[start + 1] &= (uint8_t)~0x20;
        }
        if (def->field == CARNET_FIELD_HANDLE && value.ptr[0] == '@' &&
            !memchr(value.ptr + 1, '@', out->len - start - 1)) {
            size_t skip = out->len - start > 1 && out->ptr[start + 1] == ' ' ? 2 : 1;
            memmove(out->ptr + start, out->ptr + start + skip, out->len - start - skip);
            out->len -= skip;
        }
        ok = true;
        is_typed = false;
    }
    carnet_buf_deinit(&word);
    if (!ok) {
        rc = refuse(def, carnet_slice(out->ptr + start, out->len - start), err);
        refuse_hint(def, err);
        out->len = start;
        out->failed = false;
        return rc;
    }
    if (is_typed) {
        out->len = start;
        carnet_buf_append_str(out, typed);
        if (out->failed) {
            out->failed = false;
            return carnet_err_set(err, CARNET_LIMIT, "%s: longer than %d KiB", def->name, CARNET_VALUE_LEN_MAX / 1024);
        }
    }
    return CARNET_OK;
}

carnet_rc carnet_value_label(struct carnet_slice text, struct carnet_buf *out, struct carnet_err *err)
{
    size_t start = out->len;
    carnet_rc rc = carnet_text_normalise(text, out);
    if (rc == CARNET_OK)
        one_line(out, start);
    size_t len = out->len - start;
    if (rc == CARNET_OK && len > 0 && len <= CARNET_LABEL_LEN_MAX)
        return CARNET_OK;
    char value[SHOWN_LEN_MAX + 4];
    shown(rc == CARNET_OK ? carnet_slice(out->ptr + start, len) : CARNET_SLICE_NONE, value);
    out->len = start;
    out->failed = false;
    if (len > CARNET_LABEL_LEN_MAX || rc == CARNET_LIMIT)
        return carnet_err_set(err, CARNET_USAGE, "\"%s\": longer than %d bytes", value, CARNET_LABEL_LEN_MAX);
    return carnet_err_set(err, CARNET_USAGE, rc == CARNET_OK ? "an empty name" : "a name that is not a text in UTF-8");
}

enum carnet_answer carnet_value_answer(struct carnet_slice text)
{
    text = trim(text);
    if (text.len == 0)
        return CARNET_ANSWER_NONE;
    if (is_word(text, "true") || is_word(text, "yes") || is_word(text, "oui")) /* most of what there is */
        return CARNET_ANSWER_YES;
    if (is_word(text, "false") || is_word(text, "no") || is_word(text, "non"))
        return CARNET_ANSWER_NO;
    struct carnet_buf buf;
    carnet_buf_init(&buf, SHORT_LEN_MAX);
    struct carnet_slice word = folded(text, &buf);
    enum carnet_answer answer;
    if (word.len == 0)
        answer = CARNET_ANSWER_NO; /* a dash or a dot alone folds to nothing */
    else if (in_list(word, "true|t|yes|y|1|oui|o|vrai|v|x|on|ok|✓|✔|subscribed|opted in|opt in|opt in "
                           "confirmed|inscrit|inscrite|abonne|abonnee|"
                           "accepte|accord|d'accord|wahr|ja"))
        answer = CARNET_ANSWER_YES;
    else if (in_list(word, "false|f|no|n|0|non|faux|off|n/a|#n/a|falsch|nein"))
        answer = CARNET_ANSWER_NO;
    else
        answer = CARNET_ANSWER_OTHER;
    carnet_buf_deinit(&buf);
    return answer;
}
