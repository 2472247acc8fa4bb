// SPDX-License-Identifier: EUPL-1.2
#include "carnet/replica/index.h"

#include <stdlib.h>
#include <string.h>

void carnet_query_text_init(struct carnet_query_text *text, uint8_t *array, size_t cap)
{
    *text = (struct carnet_query_text){ .ptr = array, .cap = cap };
}

void carnet_query_text_deinit(struct carnet_query_text *text)
{
    free(text->heap);
}

/* Room for len more bytes. */
static uint8_t *room(struct carnet_query_text *text, size_t len)
{
    if (text->cap - text->len < len) {
        size_t cap = text->cap * 2 + len;
        uint8_t *heap = carnet_realloc(text->heap, cap, 1);
        if (!text->heap)
            memcpy(heap, text->ptr, text->len);
        text->ptr = text->heap = heap;
        text->cap = cap;
    }
    return text->ptr + text->len;
}

void carnet_query_text_put(struct carnet_query_text *text, const void *ptr, size_t len)
{
    if (len) {
        memcpy(room(text, len), ptr, len);
        text->len += len;
    }
}

static void put_str(struct carnet_query_text *text, const char *str)
{
    carnet_query_text_put(text, str, strlen(str));
}

/* What carnet_text_fold makes of an ASCII character, and then: a letter or digit of a word, or what parts two words. */
enum { DROP = 0, PART = 1, WIDE = 2 };
#define PART4 PART, PART, PART, PART
#define DROP4 DROP, DROP, DROP, DROP
static const uint8_t ascii[128] = {
    WIDE, DROP, DROP, DROP, DROP4, DROP, PART, PART, PART, PART, PART, DROP, DROP, DROP4, DROP4, DROP4, DROP4,
    PART4, PART4, PART4, PART4, '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', PART, PART, PART4,
    PART, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', PART, PART, PART, PART, PART,
    PART, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', PART, PART, PART, PART, DROP,
};

/* Bytes of a folded text at `at` that part two words; 0: none do. The signs of Latin-1, the two arithmetic signs among
 * its letters, General Punctuation; what else is no letter stays in its word. */
static size_t parting(struct carnet_slice folded, size_t at)
{
    const uint8_t *p = folded.ptr + at;
    size_t left = folded.len - at;
    if (p[0] == 0xc2 && left >= 2)
        return 2;
    if (p[0] == 0xc3 && left >= 2 && (p[1] == 0x97 || p[1] == 0xb7))
        return 2;
    if (left >= 3 && memcmp(p, "\xee\x80\x80", 3) == 0)
        return 3; /* the sign of marks is in no word */
    return p[0] == 0xe2 && left >= 3 && (p[1] == 0x80 || p[1] == 0x81) ? 3 : 0;
}

static size_t put_folded_words(uint8_t *out, size_t *len, struct carnet_slice folded, bool spaced)
{
    size_t words = 0, o = 0;
    bool inside = false;
    for (size_t i = 0; i < folded.len;) {
        uint8_t byte = folded.ptr[i];
        size_t part = byte < 0x80 ? ascii[byte] <= WIDE : parting(folded, i);
        if (part) {
            i += part;
            inside = false;
            continue;
        }
        if (!inside) {
            inside = true;
            words++;
            if (spaced)
                out[o++] = ' ';
        }
        out[o++] = byte;
        i++;
    }
    *len += o;
    return words;
}

/* Folds into array, or, when that is too small, into *heap. */
static bool fold(struct carnet_slice value, uint8_t *array, size_t cap, struct carnet_buf *heap,
                 struct carnet_slice *out)
{
    enum { EXPANSION_MAX = 12 }; /* U+FDFA: 3 bytes become 33 */
    struct carnet_buf fixed = { .ptr = array, .cap = cap, .len_max = cap - 1 };
    carnet_rc rc = carnet_text_fold(value, &fixed);
    *out = carnet_buf_slice(&fixed);
    if (rc == CARNET_LIMIT) {
        carnet_buf_init(heap, value.len * EXPANSION_MAX);
        rc = carnet_text_fold(value, heap);
        *out = carnet_buf_slice(heap);
    }
    return rc == CARNET_OK;
}

static size_t put_any_words(struct carnet_query_text *text, struct carnet_slice value, bool spaced)
{
    uint8_t array[512];
    struct carnet_buf heap = { .ptr = NULL };
    struct carnet_slice folded;
    size_t words = 0;
    if (fold(value, array, sizeof array, &heap, &folded)) {
        uint8_t *out = room(text, folded.len + 1);
        words = put_folded_words(out, &text->len, folded, spaced);
    }
    carnet_buf_deinit(&heap);
    return words;
}

/* Most values are ASCII: one pass, no call. */
static size_t put_words(struct carnet_query_text *text, struct carnet_slice value, bool spaced)
{
    uint8_t *out = room(text, value.len + 1);
    uint8_t *o = out;
    size_t words = 0;
    bool inside = false;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t byte = value.ptr[i];
        uint8_t form = byte < 0x80 ? ascii[byte] : WIDE;
        if (form > WIDE) {
            if (!inside) {
                inside = true;
                words++;
                if (spaced)
                    *o++ = ' ';
            }
            *o++ = form;
        } else if (form == PART) {
            inside = false;
        } else if (form == WIDE) {
            return put_any_words(text, value, spaced);
        }
    }
    text->len += (size_t)(o - out);
    return words;
}

size_t carnet_query_put_words(struct carnet_query_text *text, struct carnet_slice value)
{
    return put_words(text, value, true);
}

size_t carnet_query_put_joined(struct carnet_query_text *text, struct carnet_slice value)
{
    return put_words(text, value, false);
}

static void put_folded(struct carnet_query_text *text, struct carnet_slice value)
{
    uint8_t array[512];
    struct carnet_buf heap = { .ptr = NULL };
    struct carnet_slice folded;
    if (fold(value, array, sizeof array, &heap, &folded))
        carnet_query_text_put(text, folded.ptr, folded.len);
    carnet_buf_deinit(&heap);
}

/* Digits of the country code that an international number begins with (ITU-T E.164): 7 and 1 stand alone, these have
 * two, the rest three. */
static size_t country_code_len(const uint8_t *digits, size_t len)
{
    static const char two[] =
        "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 "
        "86 90 91 92 93 94 95 98 ";
    if (len < 4)
        return 0;
    if (digits[0] == '1' || digits[0] == '7')
        return 1;
    for (const char *p = two; *p; p += 3)
        if (p[0] == digits[0] && p[1] == digits[1])
            return 2;
    return 3;
}

static void put_phone(struct carnet_query_text *text, struct carnet_slice value)
{
    uint8_t digits[32]; /* twice what E.164 allows */
    size_t len = 0;
    for (size_t i = 0; i < value.len && len < sizeof digits; i++)
        if (value.ptr[i] >= '0' && value.ptr[i] <= '9')
            digits[len++] = value.ptr[i];
    if (!len)
        return;
    put_str(text, " ");
    carnet_query_text_put(text, digits, len);
    put_str(text, " ");
    size_t code = value.ptr[0] == '+' ? country_code_len(digits, len) : 0;
    if (code) {
        put_str(text, " 0");
        carnet_query_text_put(text, digits + code, len - code);
        put_str(text, "  ");
        carnet_query_text_put(text, digits + code, len - code);
        put_str(text, " ");
    }
}

enum carnet_query_form carnet_query_form_of(uint32_t field)
{
    switch (field) {
    case CARNET_FIELD_EMAIL: case CARNET_FIELD_WEBSITE:
        return QUERY_FOLDED;
    case CARNET_FIELD_PHONE:
        return QUERY_PHONE;
    case CARNET_FIELD_STREET:
    case CARNET_FIELD_EMPLOYER:
    case CARNET_FIELD_ISSUES:
    case CARNET_FIELD_NOTE:
    case CARNET_FIELD_TEXT:
        return QUERY_PROSE;
    default:
        return QUERY_JOINED;
    }
}

uint8_t carnet_query_form_edge(enum carnet_query_form form)
{
    switch (form) {
    case QUERY_JOINED: case QUERY_FOLDED:
        return 1;
    case QUERY_PHONE: case QUERY_PROSE:
        return ' ';
    }
    return 1;
}

void carnet_query_put_form(struct carnet_query_text *text, enum carnet_query_form form, struct carnet_slice value)
{
    uint8_t edge = carnet_query_form_edge(form);
    switch (form) {
    case QUERY_JOINED:
        carnet_query_text_put(text, &edge, 1);
        carnet_query_put_joined(text, value);
        carnet_query_text_put(text, &edge, 1);
        return;
    case QUERY_FOLDED:
        carnet_query_text_put(text, &edge, 1);
        put_folded(text, value);
        carnet_query_text_put(text, &edge, 1);
        return;
    case QUERY_PHONE:
        put_phone(text, value);
        return;
    case QUERY_PROSE:
        carnet_query_put_words(text, value);
        carnet_query_text_put(text, &edge, 1);
        return;
    }
}

static bool is_name(uint32_t field)
{
    return field == CARNET_FIELD_GIVEN || field == CARNET_FIELD_FAMILY || field == CARNET_FIELD_BIRTH_NAME;
}

/* The words of a name, in `words` from `at`. */
struct name {
    size_t at, len;
    bool given;
};
enum { NAMES_MAX = 8 }; /* more names than that in one contact are found, but not in a row with each other */

static void put_name(struct carnet_query_text *text, const struct carnet_query_text *words, const struct name *name)
{
    carnet_query_text_put(text, words->ptr + name->at, name->len);
}

/* Given and family names in a row, both ways round: " zoe le goff zoe ". */
static void put_names(struct carnet_query_text *text, const struct carnet_query_text *words, const struct name *names, size_t count)
{
    size_t givens = 0;
    for (size_t i = 0; i < count; i++)
        givens += names[i].given;
    bool pairs = givens && givens < count;
    for (size_t i = 0; i < count; i++) {
        if (pairs && !names[i].given)
            continue;
        put_name(text, words, &names[i]);
        for (size_t j = 0; pairs && j < count; j++) {
            if (!names[j].given) {
                put_name(text, words, &names[j]);
                put_name(text, words, &names[i]);
            }
        }
        put_str(text, " ");
    }
}

void carnet_query_put_search(struct carnet_query_text *text, const struct carnet_cell *cells, size_t count)
{
    uint8_t array[512];
    struct carnet_query_text words;
    struct name names[NAMES_MAX];
    size_t name_count = 0;
    carnet_query_text_init(&words, array, sizeof array);
    for (size_t i = 0; i < count; i++) {
        const struct carnet_cell *cell = &cells[i];
        bool name = is_name(cell->field);
        for (size_t j = 0; j < cell->count; j++) {
            struct carnet_slice value = cell->siblings[j]->value;
            if (!value.len)
                continue;
            if (name) {
                size_t at = words.len;
                size_t parts = carnet_query_put_words(&words, value);
                if (parts && name_count < NAMES_MAX) {
                    names[name_count++] = (struct name){ at, words.len - at, cell->field == CARNET_FIELD_GIVEN };
                } else if (parts) {
                    carnet_query_text_put(text, words.ptr + at, words.len - at);
                    put_str(text, " ");
                }
                if (parts > 1) {
                    put_str(text, " ");
                    carnet_query_put_joined(text, value);
                    put_str(text, " ");
                }
            } else if (cell->field == CARNET_FIELD_EMAIL) {
                carnet_query_put_words(text, value);
                put_str(text, " ");
            } else if (cell->field == CARNET_FIELD_PHONE) {
                put_phone(text, value);
            }
        }
    }
    put_names(text, &words, names, name_count);
    carnet_query_text_deinit(&words);
}

enum carnet_query_token carnet_query_token_at(struct carnet_slice words, size_t at, size_t *len)
{
    static const uint16_t letters[][2] = {
        {0xdf, 0x24f},    {0x391, 0x3a1},   {0x3a3, 0x3ff},   {0x400, 0x481},   {0x531, 0x556},
        {0x561, 0x586},   {0x5d0, 0x5ea},   {0x621, 0x63a},   {0x641, 0x64a},   {0x905, 0x939},
        {0x10d0, 0x10f0}, {0x3041, 0x3096}, {0x30a1, 0x30fa}, {0x4e00, 0x9fa5}, {0xac00, 0xd7a3},
    };
    const uint8_t *b = words.ptr + at;
    uint32_t code = 0;
    *len = 1;
    if (b[0] < 0x80)
        return (b[0] >= '0' && b[0] <= '9') || (b[0] >= 'a' && b[0] <= 'z') || (b[0] >= 'A' && b[0] <= 'Z') ? QUERY_TOKEN_PART : QUERY_TOKEN_NOT;
    if (b[0] >= 0xc3 && b[0] < 0xe0 && words.len - at >= 2) {
        code = (uint32_t)(b[0] & 0x1f) << 6 | (b[1] & 0x3f);
        *len = 2;
    } else if (b[0] >= 0xe0 && b[0] < 0xf0 && words.len - at >= 3) {
        code = (uint32_t)(b[0] & 0x0f) << 12 | (uint32_t)(b[1] & 0x3f) << 6 | (b[2] & 0x3f);
        *len = 3;
    }
    for (size_t j = 0; code && code != 0xf7 && j < sizeof letters / sizeof *letters; j++)
        if (code >= letters[j][0] && code <= letters[j][1])
            return QUERY_TOKEN_PART;
    return QUERY_TOKEN_UNKNOWN;
}

const char *carnet_query_mark(uint32_t field)
{
    switch (field) {
    case CARNET_FIELD_CITY:
        return "\xee\x80\x80" "c";
    case CARNET_FIELD_POSTCODE:
        return "\xee\x80\x80" "p";
    case CARNET_FIELD_TAG:
        return "\xee\x80\x80" "t";
    default:
        return NULL;
    }
}

void carnet_query_index_text(const struct carnet_cell *cells, size_t count, struct carnet_buf *out)
{
    uint8_t array[1024];
    struct carnet_query_text text;
    carnet_query_text_init(&text, array, sizeof array);
    carnet_query_put_search(&text, cells, count);
    for (size_t i = 0; i < count; i++) {
        const struct carnet_cell *cell = &cells[i];
        const char *mark = carnet_query_mark(cell->field);
        if (!mark)
            continue;
        for (size_t j = 0; j < cell->count; j++) {
            if (!cell->siblings[j]->value.len)
                continue;
            carnet_query_text_put(&text, mark, QUERY_MARK_LEN);
            carnet_query_put_joined(&text, cell->field == CARNET_FIELD_TAG ? cell->label : cell->siblings[j]->value);
            put_str(&text, " ");
            if (cell->field == CARNET_FIELD_TAG)
                break;
        }
    }
    carnet_buf_append_slice(out, carnet_query_text_slice(&text));
    carnet_query_text_deinit(&text);
}

bool carnet_query_index_plain(struct carnet_slice text)
{
    size_t len;
    for (size_t at = 0; at < text.len; at += len) {
        bool begins = at == 0 || text.ptr[at - 1] == ' ';
        if (text.ptr[at] < 0x80) {
            len = 1; /* of an ASCII text the words are those of the index */
            continue;
        }
        if (begins && text.len - at >= QUERY_MARK_LEN && memcmp(text.ptr + at, "\xee\x80\x80", 3) == 0) {
            len = QUERY_MARK_LEN;
            continue;
        }
        if (carnet_query_token_at(text, at, &len) != QUERY_TOKEN_PART)
            return false;
    }
    return true;
}

/* The words of the newest value of the first cell of this field. */
static bool put_sort_name(struct carnet_query_text *text, const struct carnet_cell *cells, size_t count, uint32_t field)
{
    for (size_t i = 0; i < count; i++)
        if (cells[i].field == field && cells[i].count && carnet_query_put_words(text, cells[i].siblings[0]->value))
            return true;
    return false;
}

void carnet_query_sort_key(const struct carnet_cell *cells, size_t count, struct carnet_buf *out)
{
    enum { NAME_MAX = 64 }; /* enough to order by */
    uint8_t array[256];
    struct carnet_query_text text;
    carnet_query_text_init(&text, array, sizeof array);
    bool named = put_sort_name(&text, cells, count, CARNET_FIELD_FAMILY) ||
                 put_sort_name(&text, cells, count, CARNET_FIELD_BIRTH_NAME);
    if (text.len > NAME_MAX)
        text.len = NAME_MAX;
    if (named)
        put_str(&text, "\1"); /* before every letter: Le Goff, then Le Goff-Martin */
    size_t family = text.len;
    put_sort_name(&text, cells, count, CARNET_FIELD_GIVEN);
    if (text.len > family + NAME_MAX)
        text.len = family + NAME_MAX;
    if (text.len) /* without the space before the first word */
        carnet_buf_append(out, text.ptr + 1, text.len - 1);
    carnet_query_text_deinit(&text);
}
