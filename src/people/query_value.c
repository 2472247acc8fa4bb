// SPDX-License-Identifier: EUPL-1.2
#include "query_parse.h"

#include <string.h>

bool carnet_query_number(struct carnet_slice text, uint64_t *out)
{
    if (!text.len || text.len > 18)
        return false;
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        *out = *out * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    return true;
}

bool carnet_query_date(struct carnet_slice text, uint64_t *low, uint64_t *high)
{
    static const uint8_t days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    uint64_t year = 0, month = 0, day = 0;
    bool ok = text.len == 4 || (text.len == 7 && text.ptr[4] == '-') ||
              (text.len == 10 && text.ptr[4] == '-' && text.ptr[7] == '-');
    ok = ok && carnet_query_number(carnet_slice(text.ptr, 4), &year);
    if (ok && text.len >= 7)
        ok = carnet_query_number(carnet_slice(text.ptr + 5, 2), &month) && month >= 1 && month <= 12;
    if (ok && text.len == 10)
        ok = carnet_query_number(carnet_slice(text.ptr + 8, 2), &day) && day >= 1 && day <= days[month - 1];
    if (!ok)
        return false;
    *low = year * 10000 + (month ? month : 1) * 100 + (day ? day : 1);
    *high = year * 10000 + (month ? month : 12) * 100 + (day ? day : days[month ? month - 1 : 11]);
    return true;
}

static bool number_interval(struct carnet_slice text, uint64_t *low, uint64_t *high)
{
    bool ok = carnet_query_number(text, low);
    *high = *low;
    return ok;
}

/* Where LOW and HIGH of a range meet, and how long the sign is; false: it is no range. */
static bool range_sign(struct carnet_slice text, bool hyphen, size_t *at, size_t *len)
{
    for (size_t i = 0; i < text.len; i++) {
        bool dots = text.len - i >= 2 && memcmp(text.ptr + i, "..", 2) == 0;
        bool dash = hyphen && text.len - i >= 3 && memcmp(text.ptr + i, "–", 3) == 0;
        if (dots || dash || (hyphen && text.ptr[i] == '-')) {
            *at = i;
            *len = dots ? 2 : dash ? 3 : 1;
            return true;
        }
    }
    return false;
}

static struct carnet_slice rest(struct carnet_slice text, size_t from)
{
    return carnet_slice(text.ptr + from, text.len - from);
}

bool carnet_query_range(struct carnet_slice text, carnet_query_interval *read, bool hyphen, uint64_t *low, uint64_t *high)
{
    uint64_t first = 0, last = 0;
    size_t at, len;
    *low = 0;
    *high = UINT64_MAX;
    if (text.len && (text.ptr[0] == '<' || text.ptr[0] == '>')) {
        bool less = text.ptr[0] == '<';
        size_t skip = text.len > 1 && text.ptr[1] == '=' ? 2 : 1;
        if (!read(rest(text, skip), &first, &last))
            return false;
        if (less && skip == 1 && first == 0)
            return false;
        if (less)
            *high = skip == 2 ? last : first - 1;
        else
            *low = skip == 2 ? first : last + 1;
        return true;
    }
    if (!range_sign(text, hyphen, &at, &len))
        return read(text, low, high);
    struct carnet_slice from = carnet_slice(text.ptr, at), to = rest(text, at + len);
    if ((!from.len && !to.len) || (from.len && !read(from, low, &last)) || (to.len && !read(to, &first, high)))
        return false;
    return *low <= *high;
}

bool carnet_query_is_year_range(struct carnet_slice text)
{
    return (text.len == 9 && text.ptr[4] == '-') || (text.len == 5 && (text.ptr[0] == '-' || text.ptr[4] == '-')) ||
           (text.len == 11 && memcmp(text.ptr + 4, "–", 3) == 0);
}

/* What people call a field, in French and otherwise: for the hint. */
static const char *const aliases[][2] = {
    {"nom", "family"},         {"name", "family"},
    {"lastname", "family"},    {"famille", "family"},
    {"prenom", "given"},       {"firstname", "given"},
    {"ville", "city"},         {"commune", "city"},
    {"town", "city"},          {"codepostal", "postcode"},
    {"cp", "postcode"},        {"zip", "postcode"},
    {"adresse", "street"},     {"address", "street"},
    {"rue", "street"},         {"pays", "country"},
    {"courriel", "email"},     {"mail", "email"},
    {"mel", "email"},          {"tel", "phone"},
    {"telephone", "phone"},    {"mobile", "phone"},
    {"portable", "phone"},     {"naissance", "born"},
    {"birthday", "born"},      {"sexe", "gender"},
    {"genre", "gender"},       {"langue", "language"},
    {"employeur", "employer"}, {"bureau", "polling_station"},
    {"site", "website"},       {"soutien", "support"},
    {"themes", "issues"},      {"etiquette", "tag"},
    {"tags", "tag"},           {"carnet", "book"},
    {"accord", "consent"},     {"consentement", "consent"},
    {"origine", "source"},     {"provenance", "source"},
    {"base", "basis"},         {"modifie", "changed"},
    {"ajoute", "added"},       {"cree", "added"},
    {"created", "added"},      {"updated", "changed"},
};

static size_t distance(struct carnet_slice a, const char *b)
{
    enum { LEN_MAX = 24 };
    size_t rows[3][LEN_MAX + 1];
    size_t len = strlen(b);
    if (a.len > LEN_MAX || len > LEN_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3], *before = rows[(i + 2) % 3], *twice = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            bool same = a.ptr[i - 1] == (uint8_t)b[j - 1];
            size_t best = before[j - 1] + !same;
            best = before[j] + 1 < best ? before[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.ptr[i - 1] == (uint8_t)b[j - 2] && a.ptr[i - 2] == (uint8_t)b[j - 1] &&
                twice[j - 2] + 1 < best)
                best = twice[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a.len % 3][len];
}

struct nearest {
    struct carnet_slice typed; /* joined */
    const char *name;
    size_t distance;
};

static void try_name(struct nearest *nearest, const char *name)
{
    uint8_t array[64];
    struct carnet_query_text joined;
    carnet_query_text_init(&joined, array, sizeof array);
    carnet_query_put_joined(&joined, carnet_slice_str(name));
    carnet_query_text_put(&joined, "", 1);
    size_t d = distance(nearest->typed, (const char *)joined.ptr);
    bool begins = nearest->typed.len >= 2 && joined.len > nearest->typed.len &&
                  memcmp(joined.ptr, nearest->typed.ptr, nearest->typed.len) == 0;
    if (begins && d > 1)
        d = 1;
    carnet_query_text_deinit(&joined);
    if (d < nearest->distance && d < nearest->typed.len) {
        nearest->distance = d;
        nearest->name = name;
    }
}

static struct nearest nearest_init(struct carnet_query_text *text, uint8_t *array, size_t cap, struct carnet_slice typed)
{
    carnet_query_text_init(text, array, cap);
    carnet_query_put_joined(text, typed);
    return (struct nearest){ .typed = carnet_query_text_slice(text), .distance = 3 };
}

static bool is_asked(const struct carnet_field_def *def)
{
    return def && (def->shown || def->field == CARNET_FIELD_SOURCE_ID);
}

/* Names that are no fields, in the order of `special_node`. */
static const char *const specials[] = { "tag", "consent", "age", "book", "id", "source", "import", "basis", "changed", "added", "segment" };
enum { SPECIAL_COUNT = sizeof specials / sizeof *specials };

static carnet_rc unknown_field(struct query_parser *p, struct carnet_slice name, size_t at)
{
    uint8_t array[64];
    struct carnet_query_text text;
    struct nearest nearest = nearest_init(&text, array, sizeof array, name);
    for (size_t i = 0; i < SPECIAL_COUNT; i++)
        try_name(&nearest, specials[i]);
    for (size_t i = 0; carnet_field_at(p->charter, i); i++)
        if (is_asked(carnet_field_at(p->charter, i)))
            try_name(&nearest, carnet_field_at(p->charter, i)->name);
    for (size_t i = 0; nearest.distance && i < sizeof aliases / sizeof *aliases; i++)
        if (carnet_slice_equal(nearest.typed, carnet_slice_str(aliases[i][0]))) {
            nearest.name = aliases[i][1];
            nearest.distance = 0;
        }
    carnet_rc rc = carnet_err_set(p->err, CARNET_USAGE, "column %zu: no field is called %s", carnet_query_column(p, at),
                                  carnet_query_shown(name).s);
    if (nearest.name)
        carnet_err_hint(p->err, "did you mean %s?", nearest.name);
    else
        carnet_err_hint(
            p->err,
            "known: given, family, email, phone, city, postcode, born, age, tag, consent, book, source, changed, segment and the others of "
            "the charter; between quotation marks, it is text");
    carnet_query_text_deinit(&text);
    return rc;
}

static carnet_rc unknown_purpose(struct query_parser *p, struct carnet_slice name, size_t at)
{
    uint8_t array[64];
    struct carnet_query_text text;
    struct nearest nearest = nearest_init(&text, array, sizeof array, name);
    struct carnet_buf all;
    carnet_buf_init(&all, 150);
    for (size_t i = 0; carnet_purpose_at(p->charter, i); i++) {
        try_name(&nearest, carnet_purpose_at(p->charter, i)->name);
        carnet_buf_printf(&all, "%s%s", i ? ", " : "", carnet_purpose_at(p->charter, i)->name);
    }
    carnet_rc rc = carnet_err_set(p->err, CARNET_USAGE, "column %zu: no purpose is called %s", carnet_query_column(p, at),
                                  carnet_query_shown(name).s);
    if (nearest.name)
        carnet_err_hint(p->err, "did you mean %s?", nearest.name);
    else
        carnet_err_hint(p->err, "known: %s", carnet_buf_cstr(&all));
    carnet_buf_deinit(&all);
    carnet_query_text_deinit(&text);
    return rc;
}

static carnet_rc no_value(struct query_parser *p, struct carnet_slice name, size_t at)
{
    carnet_rc rc = carnet_err_set(p->err, CARNET_USAGE, "column %zu: a value is missing after %s", carnet_query_column(p, at),
                                  carnet_query_shown(name).s);
    carnet_err_hint(p->err, "%s:* finds all who have one", carnet_query_shown(name).s);
    return rc;
}

carnet_rc carnet_query_bad_value(struct query_parser *p, struct carnet_slice name, const struct query_value *value)
{
    return carnet_err_set(p->err, CARNET_USAGE, "column %zu: %s does not take %s", carnet_query_column(p, value->at),
                          carnet_query_shown(name).s, carnet_query_shown(value->whole).s);
}

/* A needle in the joined or folded form; empty when the value has neither letter nor digit. */
static struct carnet_slice needle(struct query_parser *p, enum carnet_query_form form, const struct query_value *value)
{
    uint8_t array[256];
    struct carnet_query_text text;
    carnet_query_text_init(&text, array, sizeof array);
    if (form == QUERY_PHONE) {
        carnet_query_text_put(&text, " ", 1);
        for (size_t i = 0; i < value->text.len; i++)
            if (value->text.ptr[i] >= '0' && value->text.ptr[i] <= '9')
                carnet_query_text_put(&text, value->text.ptr + i, 1);
        if (text.len > 3 && memcmp(text.ptr, " 00", 3) == 0) { /* 0033 is +33 */
            memmove(text.ptr + 1, text.ptr + 3, text.len - 3);
            text.len -= 2;
        }
        carnet_query_text_put(&text, " ", 1);
    } else {
        carnet_query_put_form(&text, form, value->text);
    }
    struct carnet_slice kept = carnet_query_keep(p, &text);
    if (kept.len <= (form == QUERY_PROSE ? 1 : 2))
        return CARNET_SLICE_NONE;
    if (value->star_first) {
        kept.ptr++;
        kept.len--;
    }
    if (value->star_last)
        kept.len--;
    return kept;
}

static struct carnet_slice joined(struct query_parser *p, struct carnet_slice value)
{
    uint8_t array[256];
    struct carnet_query_text text;
    carnet_query_text_init(&text, array, sizeof array);
    carnet_query_put_joined(&text, value);
    return carnet_query_keep(p, &text);
}

static struct carnet_slice value_fts(struct query_parser *p, const struct query_node *node,
                                     const struct query_value *value)
{
    uint8_t array[256];
    struct carnet_query_text words;
    const char *mark = carnet_query_mark(node->field);
    if (value->any)
        return carnet_query_mark(node->field) ? carnet_query_fts_words(p, mark, CARNET_SLICE_NONE, true) : CARNET_SLICE_NONE;
    if (value->star_first)
        return CARNET_SLICE_NONE;
    switch (node->field) {
    case CARNET_FIELD_GIVEN:
    case CARNET_FIELD_FAMILY:
    case CARNET_FIELD_BIRTH_NAME:
    case CARNET_FIELD_CITY:
    case CARNET_FIELD_POSTCODE:
    case CARNET_FIELD_TAG:
        return carnet_query_fts_words(p, mark, joined(p, value->text), value->star_last);
    case CARNET_FIELD_PHONE:
        return carnet_query_fts_words(p, NULL, node->needle, value->star_last);
    case CARNET_FIELD_EMAIL: {
        carnet_query_text_init(&words, array, sizeof array);
        carnet_query_put_words(&words, value->text);
        return carnet_query_fts_words(p, NULL, carnet_query_keep(p, &words), value->star_last);
    }
    default:
        return CARNET_SLICE_NONE;
    }
}

static carnet_rc tag_node(struct query_parser *p, const struct query_value *value, struct query_node **out)
{
    carnet_rc rc = carnet_query_node_new(p, QUERY_TAG, out);
    if (rc)
        return rc;
    struct query_node *node = *out;
    node->field = CARNET_FIELD_TAG;
    node->name = value->whole;
    node->needle = value->any ? CARNET_SLICE_NONE : needle(p, QUERY_JOINED, value);
    node->fts = value_fts(p, node, value);
    node->exact = carnet_query_fts_single(node->fts);
    return CARNET_OK;
}

static carnet_rc book_node(struct query_parser *p, const struct query_value *value, struct query_node **out)
{
    carnet_rc rc = carnet_query_node_new(p, QUERY_BOOK, out);
    if (!rc)
        (*out)->needle = value->any ? CARNET_SLICE_NONE : needle(p, QUERY_JOINED, value);
    return rc;
}

static carnet_rc id_node(struct query_parser *p, const struct query_value *value, struct query_node **out)
{
    uint64_t low, high;
    if (value->star_first || !carnet_id_range(value->text, &low, &high)) {
        carnet_rc rc = carnet_query_bad_value(p, carnet_slice_str("id"), value);
        carnet_err_hint(p->err, "give the id, or at least its first 4 characters");
        return rc;
    }
    carnet_rc rc = carnet_query_node_new(p, QUERY_ID, out);
    if (rc)
        return rc;
    (*out)->low = low;
    (*out)->high = high;
    return CARNET_OK;
}

static void lower_case(char *out, size_t cap, struct carnet_slice text)
{
    size_t len = text.len < cap ? text.len : cap - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? text.ptr[i] | 0x20 : text.ptr[i]);
    out[len] = 0;
}

static carnet_rc consent_node(struct query_parser *p, const struct query_value *value, struct query_node **out)
{
    char name[CARNET_LABEL_LEN_MAX];
    lower_case(name, sizeof name, value->text);
    const struct carnet_purpose_def *purpose = carnet_purpose_find(p->charter, carnet_slice_str(name));
    if (!value->any && (!purpose || value->star_first || value->star_last))
        return unknown_purpose(p, value->whole, value->at);
    carnet_rc rc = carnet_query_node_new(p, QUERY_CONSENT, out);
    if (!rc)
        (*out)->name = carnet_slice_str(value->any ? "*" : purpose->name);
    return rc;
}

static carnet_rc age_node(struct query_parser *p, const struct query_value *value, struct query_node **out)
{
    uint64_t low = 0, high = UINT64_MAX;
    if (!value->any &&
        (value->star_first || value->star_last || !carnet_query_range(value->text, number_interval, true, &low, &high))) {
        carnet_rc rc = carnet_query_bad_value(p, carnet_slice_str("age"), value);
        carnet_err_hint(p->err, "write age:18, age:18-25, age:<18 or age:>=60");
        return rc;
    }
    carnet_rc rc = carnet_query_node_new(p, QUERY_AGE, out);
    if (rc)
        return rc;
    (*out)->field = CARNET_FIELD_BORN;
    (*out)->name = carnet_slice_str("born");
    (*out)->low = low;
    (*out)->high = high;
    return CARNET_OK;
}

static bool is_code(struct carnet_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t lower = text.ptr[i] | 0x20;
        if ((text.ptr[i] < '0' || text.ptr[i] > '9') && (lower < 'a' || lower > 'z'))
            return false;
    }
    return text.len > 0;
}

/* postcode:38-39, insee:2A-2B: two ends of one length, so that the value's beginning can be compared. */
static bool code_range(struct query_parser *p, struct query_node *node, const struct query_value *value)
{
    size_t at, len;
    if (value->star_first || value->star_last || !range_sign(value->text, true, &at, &len))
        return false;
    struct carnet_slice from = carnet_slice(value->text.ptr, at), to = rest(value->text, at + len);
    if (from.len != to.len || !is_code(from) || !is_code(to))
        return false;
    node->needle = joined(p, from);
    node->other = joined(p, to);
    return carnet_slice_compare(node->needle, node->other) <= 0;
}

static carnet_rc field_node(struct query_parser *p, const struct carnet_field_def *def, struct carnet_slice label,
                            const struct query_value *value, struct query_node **out)
{
    carnet_rc rc = carnet_query_node_new(p, QUERY_VALUE, out);
    if (rc)
        return rc;
    struct query_node *node = *out;
    bool stars = value->star_first || value->star_last;
    node->field = def->field;
    node->name = carnet_slice_str(def->name);
    node->label = joined(p, label);
    node->form = def->custom ? carnet_query_form_custom(def) : carnet_query_form_of(def->field);
    bool marked = carnet_query_mark(def->field) && !label.len;
    if (value->any) {
        node->fts = value_fts(p, node, value);
        node->exact = marked && carnet_query_fts_single(node->fts);
        return CARNET_OK;
    }
    bool decimal = def->custom && (def->type == CARNET_FIELD_TYPE_NUMBER || def->type == CARNET_FIELD_TYPE_DECIMAL);
    bool dated = def->custom && def->type == CARNET_FIELD_TYPE_DATE;
    if (decimal || dated) {
        node->kind = decimal ? QUERY_DECIMAL : QUERY_BORN;
        bool hyphen = decimal ? value->text.len && value->text.ptr[0] != '-' : carnet_query_is_year_range(value->text);
        if (stars || !carnet_query_range(value->text, decimal ? carnet_query_decimal_interval : carnet_query_date, hyphen, &node->low, &node->high)) {
            rc = carnet_query_bad_value(p, node->name, value);
            if (decimal)
                carnet_err_hint(p->err, "write %s:12, %s:5-12, %s:<12.5 or %s:-3..4", def->name, def->name, def->name, def->name);
            else
                carnet_err_hint(p->err, "write %s:2026, %s:2026-03, %s:2026-03-15 or %s:2026-01..2026-06", def->name, def->name, def->name, def->name);
        }
        return rc;
    }
    struct query_value answer = *value;
    if (def->custom && def->type == CARNET_FIELD_TYPE_BOOL && !stars) {
        answer.text = carnet_query_answer(value->text);
        value = &answer;
    }
    if (def->field == CARNET_FIELD_BORN) {
        node->kind = QUERY_BORN;
        bool read = !stars && carnet_query_range(value->text, carnet_query_date, carnet_query_is_year_range(value->text), &node->low, &node->high);
        if (!read) {
            rc = carnet_query_bad_value(p, node->name, value);
            carnet_err_hint(p->err, "write born:1960, born:1960-05, born:1960-1970 or born:1960-05..1961-02");
        }
        return rc;
    }
    bool number = def->field == CARNET_FIELD_SUPPORT || def->field == CARNET_FIELD_POLLING_STATION;
    if (number && !stars && carnet_query_range(value->text, number_interval, true, &node->low, &node->high)) {
        node->kind = QUERY_NUMBER;
        return CARNET_OK;
    }
    if ((def->field == CARNET_FIELD_POSTCODE || def->field == CARNET_FIELD_INSEE) && code_range(p, node, value)) {
        node->kind = QUERY_CODE;
        return CARNET_OK;
    }
    node->needle = needle(p, node->form, value);
    if (!node->needle.len) {
        rc = carnet_query_bad_value(p, node->name, value);
        carnet_err_hint(p->err, "a phone number has digits");
    }
    node->fts = value_fts(p, node, value);
    node->exact = marked && carnet_query_fts_single(node->fts);
    return rc;
}

static carnet_rc special_node(struct query_parser *p, size_t special, const struct query_value *value, struct query_node **out)
{
    switch (special) {
    case 0:
        return tag_node(p, value, out);
    case 1:
        return consent_node(p, value, out);
    case 2:
        return age_node(p, value, out);
    case 3:
        return book_node(p, value, out);
    case 4:
        return id_node(p, value, out);
    case 5:
        return carnet_query_source_node(p, value, out);
    case 6:
        return carnet_query_import_node(p, value, out);
    case 7:
        return carnet_query_basis_node(p, value, out);
    case 8:
        return carnet_query_moment_node(p, QUERY_CHANGED, value, out);
    case 9:
        return carnet_query_moment_node(p, QUERY_ADDED, value, out);
    default:
        return carnet_query_segment_node(p, value, out);
    }
}

carnet_rc carnet_query_parse_value(struct query_parser *p, struct carnet_slice name, size_t at,
                            const struct query_value *value, struct query_node **out)
{
    char lower[CARNET_LABEL_LEN_MAX];
    const uint8_t *slash = memchr(name.ptr, '/', name.len);
    struct carnet_slice base = slash ? carnet_slice(name.ptr, (size_t)(slash - name.ptr)) : name;
    struct carnet_slice label = slash ? rest(name, base.len + 1) : CARNET_SLICE_NONE;
    lower_case(lower, sizeof lower, base);
    struct carnet_slice key = carnet_slice_str(lower);
    const struct carnet_field_def *def = carnet_field_by_name(p->charter, key);
    size_t special = 0;
    while (special < SPECIAL_COUNT && strcmp(lower, specials[special]) != 0)
        special++;
    bool is_special = special < SPECIAL_COUNT;
    if (base.len >= sizeof lower || (!is_special && !is_asked(def)) || (is_special && slash))
        return unknown_field(p, name, at);
    if (slash && (label.len > CARNET_LABEL_LEN_MAX || !joined(p, label).len))
        return carnet_err_set(p->err, CARNET_USAGE, "column %zu: the label after %s/ is empty or too long",
                              carnet_query_column(p, at), lower);
    if (!value->any && !joined(p, value->text).len)
        return no_value(p, name, value->at);
    if (is_special)
        return special_node(p, special, value, out);
    return field_node(p, def, label, value, out);
}
