// SPDX-License-Identifier: EUPL-1.2
#include "query_parse.h"

#include "values_parts.h"

enum { SCALE = 1000000, WHOLE_MAX = 12, DECIMALS_MAX = 6 };

/* A number as an unsigned one of the same order: millionths above the smallest that there is. */
bool carnet_query_decimal(struct carnet_slice text, uint64_t *out)
{
    int64_t whole = 0, part = 0, unit = SCALE;
    size_t digits = 0, at = 0;
    bool negative = text.len && text.ptr[0] == '-';
    for (at = negative; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++, digits++) {
        if (digits == WHOLE_MAX)
            return false;
        whole = whole * 10 + (text.ptr[at] - '0');
    }
    if (digits && at < text.len && (text.ptr[at] == '.' || text.ptr[at] == ',')) {
        size_t from = ++at;
        for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++) {
            if (at - from == DECIMALS_MAX)
                return false;
            unit /= 10;
            part += (text.ptr[at] - '0') * unit;
        }
        if (at == from)
            return false;
    }
    if (!digits || at < text.len)
        return false;
    int64_t value = whole * SCALE + part;
    *out = (uint64_t)(negative ? -value : value) + (UINT64_C(1) << 63);
    return true;
}

bool carnet_query_decimal_interval(struct carnet_slice text, uint64_t *low, uint64_t *high)
{
    bool ok = carnet_query_decimal(text, low);
    *high = *low;
    return ok;
}

enum carnet_query_form carnet_query_form_custom(const struct carnet_field_def *def)
{
    switch (def->type) {
    case CARNET_FIELD_TYPE_TEXT:
    case CARNET_FIELD_TYPE_LONGTEXT:
    case CARNET_FIELD_TYPE_CHOICES:
        return QUERY_PROSE;
    case CARNET_FIELD_TYPE_EMAIL:
    case CARNET_FIELD_TYPE_URL:
        return QUERY_FOLDED;
    case CARNET_FIELD_TYPE_PHONE:
        return QUERY_PHONE;
    case CARNET_FIELD_TYPE_NUMBER:
    case CARNET_FIELD_TYPE_DECIMAL:
    case CARNET_FIELD_TYPE_DATE:
    case CARNET_FIELD_TYPE_CHOICE:
    case CARNET_FIELD_TYPE_BOOL:
        return QUERY_JOINED;
    }
    return QUERY_JOINED;
}

struct carnet_slice carnet_query_answer(struct carnet_slice text)
{
    switch (carnet_value_answer(text)) {
    case CARNET_ANSWER_YES:
        return carnet_slice_str("yes");
    case CARNET_ANSWER_NO:
        return carnet_slice_str("no");
    case CARNET_ANSWER_NONE:
    case CARNET_ANSWER_OTHER:
        break;
    }
    return text;
}
