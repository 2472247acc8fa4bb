// SPDX-License-Identifier: EUPL-1.2
/* What a query asks beside the fields: where a contact comes from, when it changed, who is in a saved segment. */
#include "query_parse.h"

#include "carnet/people/people.h"

#include <string.h>

carnet_rc carnet_query_source_node(struct query_parser *p, const struct query_value *value, struct query_node **out)
{
    uint8_t array[256];
    struct carnet_query_text text;
    carnet_rc rc = carnet_query_node_new(p, QUERY_SOURCE, out);
    if (rc)
        return rc;
    (*out)->name = carnet_slice_str("source");
    if (value->any)
        return CARNET_OK;
    carnet_query_text_init(&text, array, sizeof array);
    carnet_query_put_form(&text, QUERY_PROSE, value->text);
    struct carnet_slice needle = carnet_query_keep(p, &text); /* " words in a row " */
    if (value->star_first)
        needle = carnet_slice(needle.ptr + 1, needle.len - 1);
    if (value->star_last)
        needle.len--;
    (*out)->needle = needle;
    return CARNET_OK;
}

carnet_rc carnet_query_import_node(struct query_parser *p, const struct query_value *value, struct query_node **out)
{
    uint64_t low = 0, high = UINT64_MAX;
    if (!value->any && (value->star_first || !carnet_id_range(value->text, &low, &high))) {
        carnet_rc rc = carnet_query_bad_value(p, carnet_slice_str("import"), value);
        carnet_err_hint(p->err, "give the import's id, or at least its first 4 characters; `carnet imports` lists them");
        return rc;
    }
    carnet_rc rc = carnet_query_node_new(p, QUERY_IMPORT, out);
    if (rc)
        return rc;
    (*out)->name = carnet_slice_str("import");
    (*out)->low = low;
    (*out)->high = high;
    return CARNET_OK;
}

carnet_rc carnet_query_basis_node(struct query_parser *p, const struct query_value *value, struct query_node **out)
{
    enum carnet_basis basis = (enum carnet_basis)0;
    if (!value->any && (value->star_first || value->star_last || !carnet_basis_find(value->text, &basis))) {
        carnet_rc rc = carnet_query_bad_value(p, carnet_slice_str("basis"), value);
        carnet_err_hint(p->err, "known: %s", "consent, legitimate-interest, explicit-consent, member, roll");
        return rc;
    }
    carnet_rc rc = carnet_query_node_new(p, QUERY_BASIS, out);
    if (rc)
        return rc;
    (*out)->name = carnet_slice_str("basis");
    (*out)->low = basis;
    return CARNET_OK;
}

/* --- moments --- */

uint32_t carnet_query_day(int64_t ms)
{
    /* days of the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms", 2013) */
    int64_t days = (ms >= 0 ? ms : ms - (86400000 - 1)) / 86400000 + 719468;
    if (days < 366)
        return 0;
    int64_t era = days / 146097, day_of_era = days % 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153; /* months from March on */
    int64_t day = day_of_year - (153 * shifted + 2) / 5 + 1, month = shifted < 10 ? shifted + 3 : shifted - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    return year > 9999 ? 99991231 : (uint32_t)(year * 10000 + month * 100 + day);
}

static bool duration(struct carnet_slice text, uint64_t *low, uint64_t *high)
{
    int64_t ms;
    if (carnet_duration_parse(text, &ms, NULL))
        return false;
    *low = *high = (uint64_t)ms;
    return true;
}

static bool is_letter(uint8_t byte)
{
    return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

carnet_rc carnet_query_moment_node(struct query_parser *p, enum query_moment moment, const struct query_value *value, struct query_node **out)
{
    const char *name = moment == QUERY_ADDED ? "added" : "changed";
    struct carnet_slice text = value->text;
    uint64_t low = 0, high = UINT64_MAX;
    bool ago = false, read = !value->star_first && !value->star_last;
    for (size_t i = 0; i < text.len; i++)
        ago = ago || is_letter(text.ptr[i]);
    if (ago && read) {
        read = carnet_query_range(text, duration, true, &low, &high);
        if (low == high) /* 30d: not longer ago */
            low = 0;
    } else if (!value->any) {
        read = read && carnet_query_range(text, carnet_query_date, carnet_query_is_year_range(text), &low, &high);
    }
    if (!read && !value->any) {
        carnet_rc rc = carnet_query_bad_value(p, carnet_slice_str(name), value);
        carnet_err_hint(p->err, "write %s:<30d, %s:>1d, %s:2026-01 or %s:2026-01-01..2026-02-01", name, name, name, name);
        return rc;
    }
    carnet_rc rc = carnet_query_node_new(p, ago ? QUERY_AGO : QUERY_DAY, out);
    if (rc)
        return rc;
    (*out)->moment = moment;
    (*out)->low = low;
    (*out)->high = high;
    return CARNET_OK;
}

/* --- saved segments --- */

/* The line of another text, with the place in this one before it. */
static carnet_rc pass_on(struct query_parser *p, const struct query_value *value, bool inside, const struct carnet_err *inner, carnet_rc rc)
{
    if (inside)
        rc = carnet_err_set(p->err, rc, "column %zu: in the segment %s: %s", carnet_query_column(p, value->at), carnet_query_shown(value->text).s, inner->what);
    else
        rc = carnet_err_set(p->err, rc, "column %zu: %s", carnet_query_column(p, value->at), inner->what);
    if (inner->hint[0])
        carnet_err_hint(p->err, "%s", inner->hint);
    return rc;
}

carnet_rc carnet_query_segment_node(struct query_parser *p, const struct query_value *value, struct query_node **out)
{
    uint8_t array[256];
    struct carnet_query_text text;
    struct query_inside inside = { .outer = p->inside };
    struct carnet_err inner = CARNET_ERR_INIT;
    struct query_parser q = *p;
    unsigned depth = 1;
    if (value->star_first || value->star_last)
        return carnet_query_bad_value(p, carnet_slice_str("segment"), value);
    carnet_query_text_init(&text, array, sizeof array);
    carnet_query_put_joined(&text, value->text);
    inside.name = carnet_query_keep(p, &text);
    for (const struct query_inside *outer = p->inside; outer; outer = outer->outer, depth++)
        if (carnet_slice_equal(outer->name, inside.name))
            return carnet_err_set(p->err, CARNET_USAGE, "column %zu: the segment %s is made of itself", carnet_query_column(p, value->at), carnet_query_shown(value->text).s);
    if (depth > CARNET_QUERY_INSIDE_MAX)
        return carnet_err_set(p->err, CARNET_USAGE, "column %zu: more than %d segments in each other", carnet_query_column(p, value->at), CARNET_QUERY_INSIDE_MAX);
    if (!p->context->segment)
        return carnet_err_set(p->err, CARNET_USAGE, "column %zu: there is no segment %s", carnet_query_column(p, value->at), carnet_query_shown(value->text).s);
    inner.lang = p->err ? p->err->lang : CARNET_LANG_EN;
    carnet_rc rc = p->context->segment(p->context->ctx, value->text, &q.text, &inner);
    if (rc)
        return pass_on(p, value, false, &inner, rc);
    q.inside = &inside;
    q.nested = true;
    q.at = 0;
    q.digits = CARNET_SLICE_NONE;
    q.err = &inner;
    rc = carnet_query_parse_all(&q, out);
    p->nodes = q.nodes;
    if (rc)
        return pass_on(p, value, true, &inner, rc);
    return *out ? CARNET_OK : carnet_query_node_new(p, QUERY_ALL, out); /* an empty query is everybody */
}
