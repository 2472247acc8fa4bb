// SPDX-License-Identifier: EUPL-1.2
#include "rows_parts.h"

#include "carnet/base/text.h"
#include "carnet/sys/file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct carnet_slice trim(struct carnet_slice s)
{
    while (s.len && (s.ptr[0] <= ' '))
        s.ptr++, s.len--;
    while (s.len && s.ptr[s.len - 1] <= ' ')
        s.len--;
    return s;
}

/* --- what one text gives -------------------------------------------------------------------------------------------
 */

/* The place of (field, label), SLOT_NONE: not there. */
#define SLOT_NONE SIZE_MAX
static size_t slot_at(const struct carnet_rows_build *b, uint32_t field, struct carnet_slice label)
{
    for (size_t i = 0; i < b->slot_count; i++)
        if (b->slots[i].cell.def->field == field && carnet_slice_equal(b->slots[i].cell.label, label))
            return i;
    return SLOT_NONE;
}

static bool has_slot(const struct carnet_rows_build *b, uint32_t field, struct carnet_slice label)
{
    return slot_at(b, field, label) != SLOT_NONE;
}

static bool is_multiple(uint32_t field)
{
    return field == CARNET_FIELD_EMAIL || field == CARNET_FIELD_PHONE || field == CARNET_FIELD_WEBSITE ||
           field == CARNET_FIELD_HANDLE;
}

static bool is_postal(uint32_t field)
{
    return field == CARNET_FIELD_STREET || field == CARNET_FIELD_POSTCODE || field == CARNET_FIELD_CITY ||
           field == CARNET_FIELD_COUNTRY;
}

/* Two letters for the countries whose numbers and codes carnet_value_normalise knows; "" for another one. */
static const char *country_code(struct carnet_slice country)
{
    static const struct {
        const char *name;
        const char *code;
    } names[] = {
        {"fr", "FR"},
        {"france", "FR"},
        {"be", "BE"},
        {"belgique", "BE"},
        {"belgium", "BE"},
        {"ch", "CH"},
        {"suisse", "CH"},
        {"switzerland", "CH"},
        {"lu", "LU"},
        {"luxembourg", "LU"},
        {"de", "DE"},
        {"allemagne", "DE"},
        {"germany", "DE"},
        {"it", "IT"},
        {"italie", "IT"},
        {"italy", "IT"},
        {"es", "ES"},
        {"espagne", "ES"},
        {"spain", "ES"},
        {"pt", "PT"},
        {"portugal", "PT"},
        {"gb", "GB"},
        {"uk", "GB"},
        {"royaume uni", "GB"},
        {"united kingdom", "GB"},
        {"nl", "NL"},
        {"pays bas", "NL"},
        {"netherlands", "NL"},
        {"at", "AT"},
        {"autriche", "AT"},
        {"austria", "AT"},
        {"us", "US"},
        {"usa", "US"},
        {"etats unis", "US"},
        {"united states", "US"},
        {"ca", "CA"},
        {"canada", "CA"},
        {"ie", "IE"},
        {"irlande", "IE"},
        {"ireland", "IE"},
        {"mc", "MC"},
        {"monaco", "MC"},
        {"gp", "FR"},
        {"guadeloupe", "FR"},
        {"mq", "FR"},
        {"martinique", "FR"},
        {"gf", "FR"},
        {"guyane", "FR"},
        {"re", "FR"},
        {"la reunion", "FR"},
        {"reunion", "FR"},
        {"yt", "FR"},
        {"mayotte", "FR"},
    };
    struct carnet_buf key;
    carnet_buf_init(&key, 256);
    carnet_columns_key(country, &key);
    const char *code = "ZZ";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].name, carnet_buf_cstr(&key)) == 0)
            code = names[i].code;
    carnet_buf_deinit(&key);
    return code;
}

/* The rules for a value of this row: numbers and codes are those of the country that the row names. */
static struct carnet_value_rules rules_for(struct carnet_rows *rows, uint32_t field, struct carnet_slice label)
{
    struct carnet_value_rules rules = rows->rules;
    if (field != CARNET_FIELD_PHONE && field != CARNET_FIELD_POSTCODE)
        return rules;
    size_t country = slot_at(&rows->build, CARNET_FIELD_COUNTRY, is_postal(field) ? label : CARNET_SLICE_NONE);
    if (country == SLOT_NONE)
        return rules;
    struct carnet_slice name = rows->build.slots[country].cell.value;
    if (!rows->country_code[0] || !carnet_slice_equal(name, carnet_buf_slice(&rows->country))) {
        carnet_buf_clear(&rows->country);
        carnet_buf_append_slice(&rows->country, name);
        memcpy(rows->country_code, country_code(name), sizeof rows->country_code);
    }
    memcpy(rules.country, rows->country_code, sizeof rules.country);
    return rules;
}

static void refuse_value(struct carnet_rows *rows, struct carnet_slice column, const struct carnet_err *inner)
{
    char name[80];
    size_t len = column.len < sizeof name - 1 ? column.len : sizeof name - 1;
    while (len && len < column.len && (column.ptr[len] & 0xc0) == 0x80)
        len--;
    memcpy(name, column.ptr ? (const char *)column.ptr : "", len);
    name[len] = 0;
    carnet_rows_refuse(rows, inner->rc, "column \"%s\": %s", name, inner->what);
}

static void put_slot(struct carnet_rows *rows, const struct carnet_field_def *def, struct carnet_slice label,
                     struct carnet_slice value, unsigned rank)
{
    struct carnet_rows_build *b = &rows->build;
    if (b->slot_count == CARNET_ROWS_CELLS_MAX) {
        carnet_rows_refuse(rows, CARNET_LIMIT, "more than %d values", CARNET_ROWS_CELLS_MAX);
        return;
    }
    b->slots[b->slot_count++] = (struct carnet_rows_slot){.cell = {.def = def,
                                                                   .label = carnet_arena_dup(&rows->arena, label),
                                                                   .value = carnet_arena_dup(&rows->arena, value)},
                                                          .rank = rank};
}

/* Another value of a field that may have several: unless it is there already, it takes the next label: 2, 3 ... or
 * mobile2 ... */
static void put_another(struct carnet_rows *rows, const struct carnet_field_def *def, struct carnet_slice label,
                        struct carnet_slice value, unsigned rank)
{
    struct carnet_rows_build *b = &rows->build;
    for (size_t i = 0; i < b->slot_count; i++) {
        struct carnet_rows_cell *cell = &b->slots[i].cell;
        if (cell->def != def || !carnet_slice_equal(cell->value, value))
            continue;
        if (cell->label.len == 0 && label.len && !has_slot(b, def->field, label) &&
            (label.ptr[0] < '0' || label.ptr[0] > '9'))
            cell->label = carnet_arena_dup(&rows->arena, label); /* "mobile" says more than nothing */
        return;
    }
    char text[CARNET_LABEL_LEN_MAX + 8];
    struct carnet_slice free_label = label;
    bool is_number = label.len && label.ptr[0] >= '0' && label.ptr[0] <= '9';
    for (unsigned n = 2; has_slot(b, def->field, free_label); n++) {
        int len = snprintf(text, sizeof text, "%.*s%u", is_number ? 0 : (int)label.len,
                           label.len ? (const char *)label.ptr : "", n);
        if (len > CARNET_LABEL_LEN_MAX || n > CARNET_ROWS_CELLS_MAX + 2) {
            carnet_rows_refuse(rows, CARNET_LIMIT, "more than %d values", CARNET_ROWS_CELLS_MAX);
            return;
        }
        free_label = carnet_slice(text, (size_t)len);
    }
    put_slot(rows, def, free_label, value, rank);
}

static void join(struct carnet_rows *rows, struct carnet_rows_cell *cell, const char *between,
                 struct carnet_slice value)
{
    size_t gap = strlen(between);
    if (cell->value.len + gap + value.len > CARNET_VALUE_LEN_MAX) {
        carnet_rows_refuse(rows, CARNET_LIMIT, "%s: longer than %d KiB", cell->def->name, CARNET_VALUE_LEN_MAX / 1024);
        return;
    }
    uint8_t *all = carnet_arena_alloc(&rows->arena, cell->value.len + gap + value.len);
    memcpy(all, cell->value.ptr, cell->value.len);
    memcpy(all + cell->value.len, between, gap);
    memcpy(all + cell->value.len + gap, value.ptr, value.len);
    cell->value = carnet_slice(all, cell->value.len + gap + value.len);
}

void carnet_rows_take_exact(struct carnet_rows *rows, const struct carnet_field_def *def, struct carnet_slice label, struct carnet_slice text)
{
    if (rows->why.rc != CARNET_OK)
        return;
    if (has_slot(&rows->build, def->field, label)) {
        carnet_rows_refuse(rows, CARNET_MALFORMED, "a field is given twice");
        return;
    }
    struct carnet_err inner = CARNET_ERR_INIT;
    inner.lang = rows->lang;
    struct carnet_value_rules rules = rules_for(rows, def->field, label);
    rules.order = CARNET_DATE_ISO;
    carnet_buf_clear(&rows->value);
    if (carnet_value_normalise(def, text, &rules, &rows->value, &inner) != CARNET_OK)
        refuse_value(rows, carnet_slice_str(def->name), &inner);
    else if (rows->value.len)
        put_slot(rows, def, label, carnet_buf_slice(&rows->value), 0);
}

static void put_value(struct carnet_rows *rows, const struct carnet_target *target, struct carnet_slice label,
                      struct carnet_slice value)
{
    struct carnet_rows_build *b = &rows->build;
    const struct carnet_field_def *def = target->def;
    if (is_multiple(def->field)) {
        put_another(rows, def, label, value, target->rank);
        return;
    }
    if (is_postal(def->field)) { /* one address is one group of columns: the best one that has something */
        for (size_t i = 0; i < b->slot_count; i++)
            if (is_postal(b->slots[i].cell.def->field) && b->slots[i].cell.def->field != CARNET_FIELD_COUNTRY &&
                carnet_slice_equal(b->slots[i].cell.label, label) && b->slots[i].rank / 10 != target->rank / 10)
                return;
    }
    size_t place = slot_at(b, def->field, label);
    struct carnet_rows_slot *slot = place == SLOT_NONE ? NULL : &b->slots[place];
    if (!slot)
        put_slot(rows, def, label, value, target->rank);
    else if (def->field == CARNET_FIELD_STREET && slot->rank / 10 == target->rank / 10)
        join(rows, &slot->cell, target->part >= 5 ? ", " : " ", value);
    else if (def->field == CARNET_FIELD_NOTE && !carnet_slice_equal(slot->cell.value, value))
        join(rows, &slot->cell, "\n", value);
}

/* Normalises into rows->value; false: refused, or nothing to keep. */
static bool normalise(struct carnet_rows *rows, const struct carnet_field_def *def, struct carnet_slice column,
                      struct carnet_slice label, struct carnet_slice text)
{
    struct carnet_err inner = CARNET_ERR_INIT;
    inner.lang = rows->lang;
    struct carnet_value_rules rules = rules_for(rows, def->field, label);
    carnet_buf_clear(&rows->value);
    carnet_rc rc = carnet_value_normalise(def, text, &rules, &rows->value, &inner);
    if (rc != CARNET_OK)
        refuse_value(rows, column, &inner);
    return rc == CARNET_OK && rows->value.len > 0;
}

/* Two addresses or numbers in one cell, when each piece is one. */
static bool take_several(struct carnet_rows *rows, const struct carnet_target *target, struct carnet_slice label,
                         struct carnet_slice text)
{
    static const char *const between[] = {":::", ";", " / ", ",", "\n", " ou ", " et "};
    struct carnet_value_rules rules = rules_for(rows, target->def->field, label);
    for (size_t i = 0; i < sizeof between / sizeof between[0]; i++) {
        size_t gap = strlen(between[i]), pieces = 0;
        bool good = true;
        for (int pass = 0; pass < 2 && good; pass++) {
            struct carnet_slice rest = text;
            for (bool more = true; more && good;) {
                const uint8_t *stop = rest.len >= gap ? memmem(rest.ptr, rest.len, between[i], gap) : NULL;
                struct carnet_slice piece = trim(carnet_slice(rest.ptr, stop ? (size_t)(stop - rest.ptr) : rest.len));
                more = stop != NULL;
                if (more)
                    rest = carnet_slice(stop + gap, rest.len - (size_t)(stop + gap - rest.ptr));
                if (piece.len == 0)
                    continue;
                carnet_buf_clear(&rows->value);
                good = ++pieces <= 40 &&
                       carnet_value_normalise(target->def, piece, &rules, &rows->value, NULL) == CARNET_OK;
                if (good && pass == 1 && rows->value.len)
                    put_value(rows, target, label, carnet_buf_slice(&rows->value));
            }
            good = good && pieces > 1;
        }
        if (good)
            return true;
    }
    return false;
}

static void take_field(struct carnet_rows *rows, const struct carnet_target *target, struct carnet_slice column,
                       struct carnet_slice label, struct carnet_slice text)
{
    bool may_be_several =
        (target->def->field == CARNET_FIELD_EMAIL || target->def->field == CARNET_FIELD_PHONE) && text.len < 1000;
    if (may_be_several) {
        struct carnet_value_rules rules = rules_for(rows, target->def->field, label);
        carnet_buf_clear(&rows->value);
        if (carnet_value_normalise(target->def, text, &rules, &rows->value, NULL) != CARNET_OK &&
            take_several(rows, target, label, text))
            return;
    }
    if (normalise(rows, target->def, column, label, text))
        put_value(rows, target, label, carnet_buf_slice(&rows->value));
}

void carnet_rows_take_tag(struct carnet_rows *rows, struct carnet_slice column, struct carnet_slice text)
{
    struct carnet_rows_build *b = &rows->build;
    struct carnet_err inner = CARNET_ERR_INIT;
    inner.lang = rows->lang;
    if (rows->why.rc != CARNET_OK)
        return;
    text = trim(text);
    if (text.len > 2 && memcmp(text.ptr, "* ", 2) == 0) /* Google's own groups: "* myContacts" */
        text = carnet_slice(text.ptr + 2, text.len - 2);
    carnet_buf_clear(&rows->value);
    if (text.len && carnet_value_label(text, &rows->value, &inner) != CARNET_OK)
        refuse_value(rows, column, &inner);
    struct carnet_slice tag = carnet_buf_slice(&rows->value);
    if (tag.len == 0 || carnet_slice_equal(tag, carnet_slice_str("myContacts")) ||
        carnet_slice_equal(tag, carnet_slice_str("starred")) || carnet_slice_equal(tag, carnet_slice_str("N/A")))
        return;
    for (size_t i = 0; i < b->tag_count; i++)
        if (carnet_slice_equal(b->tags[i], tag))
            return;
    if (b->tag_count == CARNET_ROWS_TAGS_MAX) {
        carnet_rows_refuse(rows, CARNET_LIMIT, "more than %d tags", CARNET_ROWS_TAGS_MAX);
        return;
    }
    b->tags[b->tag_count++] = carnet_arena_dup(&rows->arena, tag);
}

static void take_tags(struct carnet_rows *rows, struct carnet_slice column, struct carnet_slice text)
{
    static const char *const between[] = {":::", ",", ";", " / ", "|", "\n"};
    const char *used = "\n";
    for (size_t i = 0; i < sizeof between / sizeof between[0]; i++)
        if (memmem(text.ptr, text.len, between[i], strlen(between[i]))) {
            used = between[i];
            break;
        }
    size_t gap = strlen(used);
    for (;;) {
        const uint8_t *stop = text.len >= gap ? memmem(text.ptr, text.len, used, gap) : NULL;
        carnet_rows_take_tag(rows, column, carnet_slice(text.ptr, stop ? (size_t)(stop - text.ptr) : text.len));
        if (!stop || rows->why.rc != CARNET_OK)
            return;
        text = carnet_slice(stop + gap, text.len - (size_t)(stop + gap - text.ptr));
    }
}

static void put_consent(struct carnet_rows *rows, struct carnet_rows_consent *list, size_t *count, const char *purpose,
                        struct carnet_slice column, int64_t at_ms)
{
    struct carnet_slice name = carnet_slice_str(purpose);
    for (size_t i = 0; i < *count; i++)
        if (carnet_slice_equal(list[i].purpose, name)) {
            if (at_ms && (!list[i].at_ms || at_ms < list[i].at_ms))
                list[i].at_ms = at_ms;
            return;
        }
    if (*count == 16) {
        carnet_rows_refuse(rows, CARNET_LIMIT, "more than %d purposes", 16);
        return;
    }
    list[(*count)++] = (struct carnet_rows_consent){carnet_arena_dup(&rows->arena, name),
                                                    carnet_arena_dup(&rows->arena, column), at_ms, false};
}

static int64_t moment(const struct carnet_rows *rows, struct carnet_slice text)
{
    int64_t ms = 0;
    return carnet_value_time(text, rows->rules.order == CARNET_DATE_ISO ? CARNET_DATE_DMY : rows->rules.order, &ms) ? ms
                                                                                                                    : 0;
}

static void object(struct carnet_rows *rows, const char *purpose, struct carnet_slice column, int64_t at_ms)
{
    struct carnet_rows_build *b = &rows->build;
    if (strcmp(purpose, "email") == 0) { /* who wants no e-mail wants none of either kind */
        put_consent(rows, b->objections, &b->objection_count, "newsletter", column, at_ms);
        put_consent(rows, b->objections, &b->objection_count, "targeted", column, at_ms);
    } else {
        put_consent(rows, b->objections, &b->objection_count, strcmp(purpose, "all") == 0 ? "" : purpose, column,
                    at_ms);
    }
}

static bool begins_with(struct carnet_slice text, const char *word)
{
    size_t len = strlen(word);
    return text.len >= len && strncasecmp((const char *)text.ptr, word, len) == 0;
}

/* Reading is slanted on purpose: a grant needs a plain yes, an objection anything but a plain no. */
static void take_consent(struct carnet_rows *rows, const struct carnet_target *target, struct carnet_slice column,
                         struct carnet_slice text)
{
    struct carnet_rows_build *b = &rows->build;
    enum carnet_answer answer = carnet_value_answer(text);
    if (target->kind == CARNET_TARGET_OBJECT) {
        if (answer == CARNET_ANSWER_YES || answer == CARNET_ANSWER_OTHER)
            object(rows, target->text, column, moment(rows, text));
        return;
    }
    if (answer == CARNET_ANSWER_YES) {
        put_consent(rows, b->grants, &b->grant_count, target->text, column, 0);
        return;
    }
    static const char *const refusals[] = {"unsub", "opt out", "opt-out", "opted out", "spam",
                                           "desin", "désin",   "desab",   "désab",     "black"};
    for (size_t i = 0; answer == CARNET_ANSWER_OTHER && i < sizeof refusals / sizeof refusals[0]; i++)
        if (begins_with(trim(text), refusals[i])) {
            object(rows, strcmp(target->text, "newsletter") == 0 ? "email" : target->text, column, 0);
            return;
        }
}

static void take_title(struct carnet_rows *rows, struct carnet_slice text)
{
    struct carnet_value_rules rules = rows->rules;
    text = trim(text);
    if (text.len < 2 && !(text.len == 1 && (text.ptr[0] | 0x20) == 'm'))
        return;
    carnet_buf_clear(&rows->value);
    if (carnet_value_normalise(carnet_field_by_number(rows->charter, CARNET_FIELD_GENDER), text, &rules, &rows->value, NULL) ==
            CARNET_OK &&
        rows->value.len)
        rows->build.title = (char)rows->value.ptr[0];
}

void carnet_rows_take(struct carnet_rows *rows, const struct carnet_target *target, struct carnet_slice column,
                      struct carnet_slice label, struct carnet_slice text)
{
    struct carnet_rows_build *b = &rows->build;
    if (text.len == 0 || rows->why.rc != CARNET_OK)
        return;
    switch (target->kind) {
    case CARNET_TARGET_NONE:
    case CARNET_TARGET_OURS:
    case CARNET_TARGET_LABEL: break;
    case CARNET_TARGET_FIELD:
        take_field(rows, target, column, label.len ? label : carnet_slice_str(target->text), text);
        break;
    case CARNET_TARGET_TAGS: take_tags(rows, column, text); break;
    case CARNET_TARGET_CONSENT:
    case CARNET_TARGET_OBJECT:
    case CARNET_TARGET_STATUS: take_consent(rows, target, column, text); break;
    case CARNET_TARGET_CONSENT_DATE: b->consent_ms = moment(rows, text); break;
    case CARNET_TARGET_OBJECT_DATE: b->object_ms = moment(rows, text); break;
    case CARNET_TARGET_TITLE: take_title(rows, text); break;
    case CARNET_TARGET_NAME:
    case CARNET_TARGET_NAME_REVERSED:
        if (b->name.len == 0 &&
            normalise(rows, carnet_field_by_number(rows->charter, CARNET_FIELD_FAMILY), column, CARNET_SLICE_NONE, text)) {
            b->name = carnet_arena_dup(&rows->arena, carnet_buf_slice(&rows->value));
            b->name_reversed = target->kind == CARNET_TARGET_NAME_REVERSED;
        }
        break;
    }
}

/* --- a row as a whole ----------------------------------------------------------------------------------------------
 */

/* At least two letters, none of them small: how lists mark a family name. */
static bool is_capitals(struct carnet_slice word)
{
    size_t letters = 0;
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.ptr[i], next = i + 1 < word.len ? word.ptr[i + 1] : 0;
        if ((c >= 'a' && c <= 'z') || (c == 0xc3 && next >= 0x9f && next != 0xb7) ||
            (c == 0xc5 && next == 0x93)) /* ß to ÿ, œ */
            return false;
        letters += (c >= 'A' && c <= 'Z');
    }
    return letters >= 2;
}

static bool is_particle(struct carnet_slice word)
{
    static const char *const particles[] = {"de",  "du",  "des", "d",  "le",  "la", "les", "van", "von",
                                            "der", "den", "di",  "da", "dos", "el", "ben", "mc"};
    for (size_t i = 0; i < sizeof particles / sizeof particles[0]; i++)
        if (word.len == strlen(particles[i]) && begins_with(word, particles[i]))
            return true;
    return false;
}

static size_t next_word(struct carnet_slice text, size_t at, struct carnet_slice *word)
{
    size_t start = at;
    while (at < text.len && text.ptr[at] != ' ')
        at++;
    *word = carnet_slice(text.ptr + start, at - start);
    return at < text.len ? at + 1 : at;
}

static void put_name(struct carnet_rows *rows, uint32_t field, struct carnet_slice text)
{
    const struct carnet_field_def *def = carnet_field_by_number(rows->charter, field);
    if (text.len && normalise(rows, def, CARNET_SLICE_NONE, CARNET_SLICE_NONE, text))
        put_slot(rows, def, CARNET_SLICE_NONE, carnet_buf_slice(&rows->value), 0);
}

/* "DUPONT Jean", "Jean DUPONT", "Dupont, Jean", "Jean de La Tour": one blank between words, as normalised. */
static void split_name(struct carnet_rows *rows)
{
    struct carnet_rows_build *b = &rows->build;
    struct carnet_slice all = b->name, given = CARNET_SLICE_NONE, family = CARNET_SLICE_NONE, word;
    const uint8_t *comma = memchr(all.ptr, ',', all.len);
    size_t capitals_from = all.len, capitals_to = 0, words = 0, first_end = 0, last_start = 0;
    bool particles = true;
    for (size_t at = 0; at < all.len && !comma;) {
        size_t start = at;
        at = next_word(all, at, &word);
        size_t end = (size_t)(word.ptr + word.len - all.ptr);
        if (is_capitals(word)) {
            capitals_from = start < capitals_from ? start : capitals_from;
            capitals_to = end;
        }
        if (words == 0 || (particles && b->name_reversed))
            first_end = end;
        particles = particles && is_particle(word);
        words++;
        last_start = start;
    }
    if (comma) {
        family = trim(carnet_slice(all.ptr, (size_t)(comma - all.ptr)));
        given = trim(carnet_slice(comma + 1, (size_t)(all.ptr + all.len - comma - 1)));
    } else if (words == 1) {
        family = all;
    } else if (capitals_from == 0 && capitals_to < all.len) {
        family = carnet_slice(all.ptr, capitals_to);
        given = trim(carnet_slice(all.ptr + capitals_to, all.len - capitals_to));
    } else if (capitals_from > 0 && capitals_to == all.len) {
        family = carnet_slice(all.ptr + capitals_from, all.len - capitals_from);
        given = trim(carnet_slice(all.ptr, capitals_from));
    } else if (b->name_reversed) {
        family = carnet_slice(all.ptr, first_end);
        given = trim(carnet_slice(all.ptr + first_end, all.len - first_end));
    } else {
        size_t start = last_start; /* the family name takes its particles along: not beyond the first word */
        for (size_t at = 0; at < last_start;) {
            size_t word_start = at;
            at = next_word(all, at, &word);
            if (!is_particle(word) || word_start == 0)
                start = last_start;
            else if (start == last_start)
                start = word_start;
        }
        family = carnet_slice(all.ptr + start, all.len - start);
        given = trim(carnet_slice(all.ptr, start));
    }
    put_name(rows, CARNET_FIELD_GIVEN, given);
    put_name(rows, CARNET_FIELD_FAMILY, family);
}

/* An address under a label that says no more than the one without: it is left out. */
static void drop_same_addresses(struct carnet_rows_build *b)
{
    for (size_t i = 0; i < b->slot_count; i++) {
        struct carnet_slice label = b->slots[i].cell.label;
        if (label.len == 0 || !is_postal(b->slots[i].cell.def->field))
            continue;
        bool same = true;
        for (size_t j = 0; j < b->slot_count && same; j++)
            if (is_postal(b->slots[j].cell.def->field) && carnet_slice_equal(b->slots[j].cell.label, label)) {
                size_t main = slot_at(b, b->slots[j].cell.def->field, CARNET_SLICE_NONE);
                same = main != SLOT_NONE && carnet_slice_equal(b->slots[main].cell.value, b->slots[j].cell.value);
            }
        size_t kept = 0;
        for (size_t j = 0; j < b->slot_count && same; j++)
            if (!is_postal(b->slots[j].cell.def->field) || !carnet_slice_equal(b->slots[j].cell.label, label))
                b->slots[kept++] = b->slots[j];
        if (same) {
            b->slot_count = kept;
            i = (size_t)-1; /* anew: the places have moved */
        }
    }
}

static void finish(struct carnet_rows *rows)
{
    struct carnet_rows_build *b = &rows->build;
    size_t birth_name = slot_at(b, CARNET_FIELD_BIRTH_NAME, CARNET_SLICE_NONE);
    bool has_given = has_slot(b, CARNET_FIELD_GIVEN, CARNET_SLICE_NONE),
         has_family = has_slot(b, CARNET_FIELD_FAMILY, CARNET_SLICE_NONE);
    if (!has_family && birth_name != SLOT_NONE)
        put_slot(rows, carnet_field_by_number(rows->charter, CARNET_FIELD_FAMILY), CARNET_SLICE_NONE, b->slots[birth_name].cell.value,
                 0);
    else if (!has_family && !has_given && b->name.len)
        split_name(rows);
    if (b->title && !has_slot(b, CARNET_FIELD_GENDER, CARNET_SLICE_NONE))
        put_slot(rows, carnet_field_by_number(rows->charter, CARNET_FIELD_GENDER), CARNET_SLICE_NONE, carnet_slice(&b->title, 1), 0);
    drop_same_addresses(b);
    for (size_t i = 0; i < b->grant_count; i++)
        b->grants[i].at_ms = b->grants[i].at_ms ? b->grants[i].at_ms : b->consent_ms;
    for (size_t i = 0; i < b->objection_count; i++)
        b->objections[i].at_ms = b->objections[i].at_ms ? b->objections[i].at_ms : b->object_ms;
    bool somebody = false;
    for (size_t i = 0; i < b->slot_count; i++) {
        uint32_t field = b->slots[i].cell.def->field;
        somebody = somebody || field == CARNET_FIELD_GIVEN || field == CARNET_FIELD_FAMILY ||
                   field == CARNET_FIELD_BIRTH_NAME || field == CARNET_FIELD_EMAIL || field == CARNET_FIELD_PHONE ||
                   field == CARNET_FIELD_HANDLE || field == CARNET_FIELD_SOURCE_ID;
        rows->cells[i] = b->slots[i].cell;
    }
    if (!somebody)
        carnet_rows_refuse(rows, CARNET_USAGE, "no name, no e-mail address, no telephone number");
}

carnet_rc carnet_rows_next(struct carnet_rows *rows, struct carnet_row *out, struct carnet_err *err)
{
    struct carnet_rows_build *b = &rows->build;
    for (;;) {
        carnet_arena_reset(&rows->arena);
        b->slot_count = b->tag_count = b->grant_count = b->objection_count = 0;
        b->name = CARNET_SLICE_NONE;
        b->name_reversed = b->any = false;
        b->title = 0;
        b->consent_ms = b->object_ms = 0;
        rows->why = (struct carnet_err)CARNET_ERR_INIT;
        rows->why.lang = rows->lang;
        rows->record = CARNET_SLICE_NONE;
        *out = (struct carnet_row){0};
        carnet_rc rc = rows->csv ? carnet_rows_csv_next(rows) : rows->json ? carnet_rows_json_next(rows) : carnet_rows_vcard_next(rows);
        if (rc == CARNET_NOT_FOUND)
            return rc;
        if (rc != CARNET_OK)
            return carnet_err_set(err, CARNET_FAILED, "cannot read the file: %s",
                                  carnet_errno_text(carnet_err_lang(err), errno));
        if (rows->why.rc == CARNET_OK && !b->any)
            continue;
        if (rows->why.rc == CARNET_OK && rows->json)
            for (size_t i = 0; i < b->slot_count; i++)
                rows->cells[i] = b->slots[i].cell;
        else if (rows->why.rc == CARNET_OK)
            finish(rows);
        out->line = rows->line;
        if (rows->why.rc != CARNET_OK) {
            out->reason = rows->why.what;
            return CARNET_OK;
        }
        out->cells = rows->cells;
        out->cell_count = b->slot_count;
        out->tags = b->tags;
        out->tag_count = b->tag_count;
        out->grants = b->grants;
        out->grant_count = b->grant_count;
        out->objections = b->objections;
        out->objection_count = b->objection_count;
        out->more = rows->json ? carnet_rows_json_more(rows) : NULL;
        return CARNET_OK;
    }
}

/* --- opening, and what is known of the file ------------------------------------------------------------------------
 */

static bool looks_like_vcard(struct carnet_slice text)
{
    return begins_with(trim(text), "BEGIN:VCARD");
}

static bool looks_like_json(struct carnet_slice text)
{
    return begins_with(trim(text), "{\"carnet\":");
}

static carnet_rc open_any(int fd, struct carnet_slice mem, const struct carnet_rows_input *input,
                          const struct carnet_rows_options *options, struct carnet_rows **out, struct carnet_err *err)
{
    *out = NULL;
    struct carnet_rows *rows = carnet_alloc(sizeof *rows);
    rows->lang = options->lang;
    rows->rules = carnet_value_rules_default();
    rows->rules.order = CARNET_DATE_DMY;
    rows->charter = options->charter;
    if (options->charter)
        memcpy(rows->rules.country, options->charter->country, sizeof rows->rules.country);
    if (options->country[0])
        memcpy(rows->rules.country, options->country, sizeof rows->rules.country);
    rows->rules.country[2] = 0;
    carnet_arena_init(&rows->arena);
    carnet_buf_init(&rows->country, CARNET_VALUE_LEN_MAX);
    carnet_buf_init(&rows->value, 4 * CARNET_VALUE_LEN_MAX);
    carnet_buf_init(&rows->scratch, 3 * CARNET_LINE_LEN_MAX);
    carnet_buf_init(&rows->unarmed, 4 * CARNET_LINE_LEN_MAX);
    struct carnet_slice head = CARNET_SLICE_NONE;
    carnet_rc rc = carnet_source_open(&rows->source, fd, mem, input, err);
    if (rc == CARNET_OK)
        rc = carnet_source_peek(&rows->source, &head, err);
    if (rc == CARNET_OK) {
        rows->format = options->format;
        if (rows->format == CARNET_ROWS_AUTO)
            rows->format = looks_like_vcard(head) ? CARNET_ROWS_VCARD : looks_like_json(head) ? CARNET_ROWS_JSON : CARNET_ROWS_CSV;
        if (rows->format == CARNET_ROWS_JSON)
            rc = carnet_rows_json_open(rows, err);
        else if (rows->format == CARNET_ROWS_VCARD && trim(head).len && !looks_like_vcard(head))
            rc = carnet_err_set(err, CARNET_MALFORMED, "not a vCard file");
        else
            rc = rows->format == CARNET_ROWS_VCARD ? carnet_rows_vcard_open(rows, options, err)
                                                   : carnet_rows_csv_open(rows, options, err);
    }
    if (rc == CARNET_OK)
        *out = rows;
    else
        carnet_rows_close(rows);
    return rc;
}

carnet_rc carnet_rows_open(int fd, const struct carnet_rows_options *options, struct carnet_rows **out,
                           struct carnet_err *err)
{
    CARNET_ASSERT(fd >= 0);
    return open_any(fd, CARNET_SLICE_NONE, NULL, options, out, err);
}

carnet_rc carnet_rows_open_bytes(struct carnet_slice bytes, const struct carnet_rows_options *options,
                                 struct carnet_rows **out, struct carnet_err *err)
{
    return open_any(-1, bytes, NULL, options, out, err);
}

carnet_rc carnet_rows_open_input(const struct carnet_rows_input *input, const struct carnet_rows_options *options,
                                 struct carnet_rows **out, struct carnet_err *err)
{
    return open_any(-1, CARNET_SLICE_NONE, input, options, out, err);
}

void carnet_rows_close(struct carnet_rows *rows)
{
    if (!rows)
        return;
    carnet_rows_csv_close(rows);
    carnet_rows_vcard_close(rows);
    carnet_rows_json_close(rows);
    for (size_t i = 0; i < rows->named_count; i++) {
        free(rows->named[i].name);
        free(rows->named[i].target_text);
    }
    free(rows->named);
    carnet_buf_deinit(&rows->country);
    carnet_buf_deinit(&rows->value);
    carnet_buf_deinit(&rows->scratch);
    carnet_buf_deinit(&rows->unarmed);
    carnet_arena_deinit(&rows->arena);
    carnet_source_close(&rows->source);
    free(rows);
}

void carnet_rows_progress(const struct carnet_rows *rows, uint64_t *read_bytes, uint64_t *size_bytes)
{
    *read_bytes = rows->source.read_bytes;
    *size_bytes = rows->source.size_bytes;
}

enum carnet_rows_format carnet_rows_format(const struct carnet_rows *rows)
{
    return rows->format;
}

bool carnet_rows_column(const struct carnet_rows *rows, size_t i, const char **name, const char **target)
{
    if (i >= rows->named_count)
        return false;
    *name = rows->named[i].name;
    *target = rows->named[i].target_text;
    return true;
}

void carnet_rows_mapping(const struct carnet_rows *rows, struct carnet_buf *out)
{
    json_t *mapping = json_object(), *unmapped = json_array();
    for (size_t i = 0; i < rows->named_count; i++) {
        const struct carnet_rows_named *named = &rows->named[i];
        if (named->target.kind == CARNET_TARGET_OURS || !named->name[0])
            continue;
        if (named->target_text)
            json_object_set_new(mapping, named->name, json_string(named->target_text));
        else
            json_array_append_new(unmapped, json_string(named->name));
    }
    char *first = json_dumps(mapping, JSON_PRESERVE_ORDER | JSON_COMPACT), *second = json_dumps(unmapped, JSON_PRESERVE_ORDER | JSON_COMPACT);
    CARNET_ASSERT(first && second);
    carnet_buf_append_str(out, "\"mapping\":");
    carnet_buf_append_str(out, first);
    carnet_buf_append_str(out, ",\"unmapped\":");
    carnet_buf_append_str(out, second);
    free(first);
    free(second);
    json_decref(mapping);
    json_decref(unmapped);
}

void carnet_rows_put_reject(struct carnet_rows *rows, const struct carnet_row *row, struct carnet_buf *out)
{
    bool header = !rows->reject_begun;
    rows->reject_begun = true;
    if (rows->csv)
        carnet_rows_csv_put_reject(rows, row, header, out);
    else if (rows->json)
        carnet_rows_json_put_reject(rows, row, header, out);
    else
        carnet_rows_vcard_put_reject(rows, row, out);
}
