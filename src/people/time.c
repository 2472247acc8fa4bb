// SPDX-License-Identifier: EUPL-1.2
#include "carnet/people/people.h"

enum { DAY_MS = 86400000 };

/* Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_of(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static void date_of(int64_t days, int64_t *y, int *m, int *d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *d = (int)(doy - (153 * mp + 2) / 5 + 1);
    *m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y = yoe + era * 400 + (*m <= 2);
}

carnet_rc carnet_date_parse(struct carnet_slice text, int64_t *ms, struct carnet_err *err)
{
    int part[3] = { 0 };
    static const unsigned at[3] = { 0, 5, 8 }, len[3] = { 4, 2, 2 };
    bool good = text.len == 10 && text.ptr[4] == '-' && text.ptr[7] == '-';
    for (unsigned i = 0; i < 3 && good; i++)
        for (unsigned j = at[i]; j < at[i] + len[i]; j++) {
            good = good && text.ptr[j] >= '0' && text.ptr[j] <= '9';
            part[i] = part[i] * 10 + (text.ptr[j] - '0');
        }
    if (good) {
        int64_t days = days_of(part[0], part[1], part[2]), y;
        int m, d;
        good = part[1] >= 1 && part[1] <= 12 && part[2] >= 1 && part[2] <= 31;
        date_of(days, &y, &m, &d);
        good = good && y == part[0] && m == part[1] && d == part[2];
        *ms = days * DAY_MS;
    }
    if (good)
        return CARNET_OK;
    carnet_err_set(err, CARNET_USAGE, "\"%.*s\" is not a date", (int)(text.len > 40 ? 40 : text.len), (const char *)text.ptr);
    carnet_err_hint(err, "dates are YYYY-MM-DD, as 2026-03-15");
    return CARNET_USAGE;
}

void carnet_time_format(int64_t ms, struct carnet_buf *out)
{
    int64_t days = ms / DAY_MS, rest = ms % DAY_MS, y;
    int m, d;
    if (rest < 0) {
        days--;
        rest += DAY_MS;
    }
    rest /= 1000;
    date_of(days, &y, &m, &d);
    carnet_buf_printf(out, "%04lld-%02d-%02dT%02d:%02d:%02dZ", (long long)y, m, d, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
}

carnet_rc carnet_duration_parse(struct carnet_slice text, int64_t *ms, struct carnet_err *err)
{
    int64_t value = 0;
    bool good = text.len >= 2 && text.len <= 10;
    for (size_t i = 0; good && i + 1 < text.len; i++) {
        good = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        value = value * 10 + (text.ptr[i] - '0');
    }
    if (good) {
        switch (text.ptr[text.len - 1]) {
        case 's': value *= 1000; break;
        case 'm': value *= 60 * 1000; break;
        case 'h': value *= 3600 * 1000; break;
        case 'd': value *= DAY_MS; break;
        default: good = false;
        }
    }
    if (good) {
        *ms = value;
        return CARNET_OK;
    }
    carnet_err_set(err, CARNET_USAGE, "\"%.*s\" is not a duration", (int)(text.len > 40 ? 40 : text.len), (const char *)text.ptr);
    carnet_err_hint(err, "a number and s, m, h or d, as 24h or 90d");
    return CARNET_USAGE;
}
