// SPDX-License-Identifier: EUPL-1.2
#include "values_parts.h"

#include "carnet/base/limits.h"
#include "carnet/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 12, DECIMALS_MAX = 6 };

uint32_t carnet_value_like(const struct carnet_field_def *def)
{
    if (!def->custom)
        return def->field;
    switch (def->type) {
    case CARNET_FIELD_TYPE_EMAIL:
        return CARNET_FIELD_EMAIL;
    case CARNET_FIELD_TYPE_PHONE:
        return CARNET_FIELD_PHONE;
    case CARNET_FIELD_TYPE_URL:
        return CARNET_FIELD_WEBSITE;
    case CARNET_FIELD_TYPE_DATE:
        return CARNET_FIELD_BORN;
    case CARNET_FIELD_TYPE_TEXT:
        return CARNET_FIELD_EMPLOYER;
    case CARNET_FIELD_TYPE_LONGTEXT:
        return CARNET_FIELD_NOTE;
    case CARNET_FIELD_TYPE_NUMBER:
    case CARNET_FIELD_TYPE_DECIMAL:
    case CARNET_FIELD_TYPE_CHOICE:
    case CARNET_FIELD_TYPE_CHOICES:
    case CARNET_FIELD_TYPE_BOOL:
        return CARNET_FIELD_NONE;
    }
    return CARNET_FIELD_NONE;
}

/* -12, 1 234, 12.5, 12,5: digits without spaces, a dot, no zero that says nothing. */
static bool put_number(struct carnet_slice text, bool decimal, struct carnet_buf *out)
{
    char digits[DIGITS_MAX + 1], decimals[DECIMALS_MAX + 1];
    size_t count = 0, decimal_count = 0, written = 0;
    bool negative = false, point = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (i == 0 && (c == '-' || c == '+')) {
            negative = c == '-';
        } else if (c >= '0' && c <= '9' && !point) {
            written++;
            if (count == 0 && c == '0')
                continue;
            if (count == DIGITS_MAX)
                return false;
            digits[count++] = (char)c;
        } else if (c >= '0' && c <= '9') {
            if (decimal_count == DECIMALS_MAX)
                return false;
            decimals[decimal_count++] = (char)c;
        } else if ((c == '.' || c == ',') && decimal && !point && written) {
            point = true;
        } else if (c == ' ' && !point && written) {
            continue; /* of thousands */
        } else if (text.len - i >= 2 && c == 0xc2 && text.ptr[i + 1] == 0xa0 && !point && written) {
            i++;
        } else if (text.len - i >= 3 && c == 0xe2 && text.ptr[i + 1] == 0x80 && text.ptr[i + 2] == 0xaf && !point && written) {
            i += 2;
        } else {
            return false;
        }
    }
    if (!written || (point && !decimal_count))
        return false;
    while (decimal_count && decimals[decimal_count - 1] == '0')
        decimal_count--;
    if (negative && (count || decimal_count))
        carnet_buf_append_byte(out, '-');
    carnet_buf_append(out, count ? digits : "0", count ? count : 1);
    if (decimal_count) {
        carnet_buf_append_byte(out, '.');
        carnet_buf_append(out, decimals, decimal_count);
    }
    return true;
}

/* The choice that is written so, whatever its case and accents; NULL: none. */
static const char *find_choice(const struct carnet_field_def *def, struct carnet_slice text)
{
    struct carnet_buf typed, choice;
    const char *found = NULL;
    carnet_buf_init(&typed, 4 * CARNET_VALUE_LEN_MAX);
    carnet_buf_init(&choice, 4 * CARNET_VALUE_LEN_MAX);
    bool folds = text.len && carnet_text_fold(text, &typed) == CARNET_OK;
    for (size_t i = 0; folds && !found && i < def->choice_count; i++) {
        carnet_buf_clear(&choice);
        if (carnet_text_fold(carnet_slice_str(def->choices[i]), &choice) == CARNET_OK && carnet_slice_equal(carnet_buf_slice(&choice), carnet_buf_slice(&typed)))
            found = def->choices[i];
    }
    carnet_buf_deinit(&choice);
    carnet_buf_deinit(&typed);
    return found;
}

/* Marks the choices that the text names; commas separate only where the whole is no choice. */
static bool mark_choices(const struct carnet_field_def *def, struct carnet_slice text, bool commas, bool *chosen)
{
    for (size_t at = 0, end; at <= text.len; at = end + 1) {
        for (end = at; end < text.len && !(commas ? text.ptr[end] == ',' : text.ptr[end] == ';' || text.ptr[end] == '|' || text.ptr[end] == '\n');)
            end++;
        struct carnet_slice piece = carnet_slice(text.ptr + at, end - at);
        while (piece.len && piece.ptr[0] == ' ')
            piece.ptr++, piece.len--;
        if (!piece.len)
            continue;
        const char *choice = find_choice(def, piece);
        if (!choice && (commas || !memchr(piece.ptr, ',', piece.len) || !mark_choices(def, piece, true, chosen)))
            return false;
        for (size_t i = 0; i < def->choice_count; i++)
            chosen[i] = chosen[i] || def->choices[i] == choice;
    }
    return true;
}

/* Several choices, in the order of the charter, each once: "a; b". */
static bool put_choices(const struct carnet_field_def *def, struct carnet_slice text, struct carnet_buf *out)
{
    bool *chosen = carnet_alloc((def->choice_count ? def->choice_count : 1) * sizeof *chosen), first = true;
    bool good = mark_choices(def, text, false, chosen);
    for (size_t i = 0; good && i < def->choice_count; i++) {
        if (!chosen[i])
            continue;
        carnet_buf_append_str(out, first ? "" : "; ");
        carnet_buf_append_str(out, def->choices[i]);
        first = false;
    }
    free(chosen);
    return good && !first && !out->failed;
}

bool carnet_value_typed(const struct carnet_field_def *def, struct carnet_slice text, struct carnet_buf *out)
{
    const char *choice;
    switch (def->type) {
    case CARNET_FIELD_TYPE_NUMBER:
    case CARNET_FIELD_TYPE_DECIMAL:
        return put_number(text, def->type == CARNET_FIELD_TYPE_DECIMAL, out);
    case CARNET_FIELD_TYPE_CHOICE:
        choice = find_choice(def, text);
        carnet_buf_append_str(out, choice ? choice : "");
        return choice != NULL;
    case CARNET_FIELD_TYPE_CHOICES:
        return put_choices(def, text, out);
    case CARNET_FIELD_TYPE_BOOL:
        switch (carnet_value_answer(text)) {
        case CARNET_ANSWER_YES:
            carnet_buf_append_str(out, "yes");
            return true;
        case CARNET_ANSWER_NO:
            carnet_buf_append_str(out, "no");
            return true;
        case CARNET_ANSWER_NONE:
        case CARNET_ANSWER_OTHER:
            return false;
        }
        return false;
    case CARNET_FIELD_TYPE_TEXT:
    case CARNET_FIELD_TYPE_LONGTEXT:
    case CARNET_FIELD_TYPE_DATE:
    case CARNET_FIELD_TYPE_EMAIL:
    case CARNET_FIELD_TYPE_PHONE:
    case CARNET_FIELD_TYPE_URL:
        break;
    }
    return false;
}

void carnet_value_typed_hint(const struct carnet_field_def *def, struct carnet_err *err)
{
    struct carnet_buf all;
    switch (def->type) {
    case CARNET_FIELD_TYPE_NUMBER:
        carnet_err_hint(err, "a whole number, as 12");
        break;
    case CARNET_FIELD_TYPE_DECIMAL:
        carnet_err_hint(err, "a number, as 12.5 or 12,5");
        break;
    case CARNET_FIELD_TYPE_DATE:
        carnet_err_hint(err, "write it YYYY-MM-DD");
        break;
    case CARNET_FIELD_TYPE_BOOL:
        carnet_err_hint(err, "yes or no");
        break;
    case CARNET_FIELD_TYPE_CHOICE:
    case CARNET_FIELD_TYPE_CHOICES:
        carnet_buf_init(&all, 180);
        for (size_t i = 0; i < def->choice_count && !all.failed; i++)
            carnet_buf_printf(&all, "%s%s", i ? ", " : "", def->choices[i]);
        carnet_err_hint(err, "choices: %s", carnet_buf_cstr(&all));
        carnet_buf_deinit(&all);
        break;
    case CARNET_FIELD_TYPE_TEXT:
    case CARNET_FIELD_TYPE_LONGTEXT:
    case CARNET_FIELD_TYPE_EMAIL:
    case CARNET_FIELD_TYPE_PHONE:
    case CARNET_FIELD_TYPE_URL:
        break;
    }
}
