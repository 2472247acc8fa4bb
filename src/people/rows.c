// SPDX-License-Identifier: EUPL-1.2
#include "rows_parts.h"

#include "carnet/base/text.h"
#include "carnet/people/people.h"
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

void carnet_rows_keep(struct carnet_rows *rows, struct carnet_target *target)
{
    const struct carnet_field_def *def = target->def;
    if (!def || !def->custom)
        return;
    for (size_t i = 0; i < rows->kept_count; i++)
        if (rows->kept[i]->field == def->field) {
            target->def = rows->kept[i];
            return;
        }
    struct carnet_field_def *copy = carnet_arena_alloc(&rows->kept_arena, sizeof *copy);
    const char **choices = carnet_arena_alloc(&rows->kept_arena, (def->choice_count + 1) * sizeof *choices);
    *copy = *def;
    copy->name = carnet_arena_cstr(&rows->kept_arena, carnet_slice_str(def->name));
    for (size_t i = 0; i < def->choice_count; i++)
        choices[i] = carnet_arena_cstr(&rows->kept_arena, carnet_slice_str(def->choices[i]));
    copy->choices = choices;
    CARNET_GROW(rows->kept, rows->kept_count, rows->kept_cap);
    rows->kept[rows->kept_count++] = copy;
    target->def = copy;
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

/* One address is one group of columns: the best one that has something. */
static bool has_better_address(const struct carnet_rows *rows, const struct carnet_target *target, struct carnet_slice label)
{
    const struct carnet_rows_build *b = &rows->build;
    for (size_t i = 0; i < b->slot_count; i++)
        if (is_postal(b->slots[i].cell.def->field) && b->slots[i].cell.def->field != CARNET_FIELD_COUNTRY &&
            carnet_slice_equal(b->slots[i].cell.label, label) && b->slots[i].rank / 10 != target->rank / 10)
            return true;
    return false;
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
    for (size_t i = 0; i < b->bad_count; i++)
        if (b->bad[i].def == def && carnet_slice_equal(b->bad[i].value, value)) {
            b->dropped = true;
            return;
        }
    if (is_multiple(def->field)) {
        put_another(rows, def, label, value, target->rank);
        return;
    }
    if (is_postal(def->field) && has_better_address(rows, target, label))
        return;
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
    static const char *const between[] = {":::", ";", " / ", "/", ",", "\n", "|", " ou ", " et ", " - "};
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

/* 05/26, --0526, 26-05: a birthday without its year says nothing that is kept. */
static bool has_no_year(struct carnet_slice text)
{
    text = trim(text);
    bool dashes = text.len > 2 && text.ptr[0] == '-' && text.ptr[1] == '-';
    size_t digits = 0, signs = 0;
    for (size_t i = dashes ? 2 : 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        digits += c >= '0' && c <= '9';
        signs += c == '/' || c == '-' || c == '.';
    }
    if (digits + signs + (dashes ? 2 : 0) != text.len)
        return false;
    return dashes ? digits <= 4 : signs == 1 && digits >= 2 && digits <= 4 && text.len <= 5 && text.ptr[text.len - 1] >= '0';
}

/* "38000 Grenoble" in a column of towns. */
static struct carnet_slice town_of(struct carnet_rows *rows, unsigned rank, struct carnet_slice column,
                                   struct carnet_slice label, struct carnet_slice text)
{
    size_t digits = 0;
    text = trim(text);
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    if (digits != 5 || text.len < 8 || text.ptr[5] > ' ')
        return text;
    struct carnet_target postcode = {.kind = CARNET_TARGET_FIELD,
                                     .def = carnet_field_by_number(NULL, CARNET_FIELD_POSTCODE)};
    if (!has_slot(&rows->build, CARNET_FIELD_POSTCODE, label) &&
        normalise(rows, postcode.def, column, label, carnet_slice(text.ptr, 5)))
        put_slot(rows, postcode.def, label, carnet_buf_slice(&rows->value), rank);
    return trim(carnet_slice(text.ptr + 5, text.len - 5));
}

/* An address as a letter has it, its lines one below the other: the line of the town goes to its own fields, and the
 * rest comes back as one. */
static struct carnet_slice street_of(struct carnet_rows *rows, const struct carnet_target *target,
                                     struct carnet_slice column, struct carnet_slice label, struct carnet_slice text)
{
    const struct carnet_target city = {
        .kind = CARNET_TARGET_FIELD, .def = carnet_field_by_number(NULL, CARNET_FIELD_CITY), .rank = target->rank};
    char *street = carnet_arena_alloc(&rows->arena, 2 * text.len + 1);
    size_t len = 0;
    while (text.len) {
        const uint8_t *stop = memchr(text.ptr, '\n', text.len);
        struct carnet_slice line = trim(carnet_slice(text.ptr, stop ? (size_t)(stop - text.ptr) : text.len));
        text = stop ? carnet_slice(stop + 1, text.len - (size_t)(stop + 1 - text.ptr)) : CARNET_SLICE_NONE;
        struct carnet_slice town = line.len ? town_of(rows, target->rank, column, label, line) : line;
        if (town.len < line.len && normalise(rows, city.def, column, label, town)) {
            put_value(rows, &city, label, carnet_buf_slice(&rows->value));
        } else if (line.len && strcmp(country_code(line), "ZZ") == 0) {
            memcpy(street + len, ", ", 2);
            memcpy(street + len + 2, line.ptr, line.len);
            len += 2 + line.len;
        }
    }
    return len ? carnet_slice(street + 2, len - 2) : CARNET_SLICE_NONE;
}

/* Mailchimp writes an address into one cell, its parts two blanks apart: street, town, postcode, country. With more
 * parts than that nobody knows which is which, and the cell stays a street. */
static struct carnet_slice street_of_parts(struct carnet_rows *rows, const struct carnet_target *target,
                                           struct carnet_slice column, struct carnet_slice label,
                                           struct carnet_slice text)
{
    struct carnet_slice parts[5];
    size_t count = 0;
    for (size_t at = 0; at < text.len && count < 5;) {
        const uint8_t *stop = memmem(text.ptr + at, text.len - at, "  ", 2);
        size_t end = stop ? (size_t)(stop - text.ptr) : text.len;
        parts[count] = trim(carnet_slice(text.ptr + at, end - at));
        count += parts[count].len > 0;
        at = end + 2;
    }
    bool is_code = count == 4 && parts[2].len == 5 && strcmp(country_code(parts[3]), "ZZ") != 0;
    for (size_t i = 0; i < 5 && is_code; i++)
        is_code = parts[2].ptr[i] >= '0' && parts[2].ptr[i] <= '9';
    if (!is_code)
        return text;
    static const uint32_t fields[] = {CARNET_FIELD_COUNTRY, CARNET_FIELD_POSTCODE, CARNET_FIELD_CITY};
    for (size_t i = 0; i < 3; i++) {
        const struct carnet_target other = {
            .kind = CARNET_TARGET_FIELD, .def = carnet_field_by_number(NULL, fields[i]), .rank = target->rank};
        if (normalise(rows, other.def, column, label, parts[3 - i]))
            put_value(rows, &other, label, carnet_buf_slice(&rows->value));
    }
    return parts[0];
}

/* The statutory roll has the department and the commune's three last digits apart. */
static struct carnet_slice insee_of(struct carnet_rows *rows, struct carnet_slice text, char out[8])
{
    const char *department = rows->build.department;
    size_t len = strlen(department);
    text = trim(text);
    if (len < 2 || text.len == 0 || text.len > 5 - len)
        return text;
    int written = snprintf(out, 8, "%s%.*s%.*s", department, (int)(5 - len - text.len), "000", (int)text.len, (const char *)text.ptr);
    return carnet_slice(out, (size_t)written);
}

static void take_field(struct carnet_rows *rows, const struct carnet_target *target, struct carnet_slice column,
                       struct carnet_slice label, struct carnet_slice text)
{
    char insee[8];
    uint32_t field = target->def->field;
    const uint8_t *stop = is_multiple(field) || text.len < 5 ? NULL : memmem(text.ptr, text.len, " ::: ", 5);
    if (stop && field != CARNET_FIELD_NOTE) /* Google's several values: the first one, where one is kept */
        text = carnet_slice(text.ptr, (size_t)(stop - text.ptr));
    if (field == CARNET_FIELD_BORN && has_no_year(text))
        return;
    if (field == CARNET_FIELD_CITY)
        text = town_of(rows, target->rank, column, label, text);
    if (field == CARNET_FIELD_INSEE)
        text = insee_of(rows, text, insee);
    if (field == CARNET_FIELD_STREET && target->rank >= 10 && text.len && memchr(text.ptr, '\n', text.len)) {
        if (has_better_address(rows, target, label))
            return;
        text = street_of(rows, target, column, label, text);
    }
    if (field == CARNET_FIELD_STREET && text.len && memmem(text.ptr, text.len, "  ", 2))
        text = street_of_parts(rows, target, column, label, text);
    if (target->lenient) {
        struct carnet_value_rules rules = rules_for(rows, field, label);
        carnet_buf_clear(&rows->value);
        if (carnet_value_normalise(target->def, text, &rules, &rows->value, NULL) != CARNET_OK)
            return;
    }
    bool may_be_several =
        (field == CARNET_FIELD_EMAIL || field == CARNET_FIELD_PHONE ||
         (field == CARNET_FIELD_WEBSITE && memmem(text.ptr, text.len, ":::", 3))) &&
        text.len < 1000;
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
    if (text.len > 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') /* Mailchimp quotes each one */
        text = trim(carnet_slice(text.ptr + 1, text.len - 2));
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
    list[(*count)++] = (struct carnet_rows_consent){.purpose = carnet_arena_dup(&rows->arena, name),
                                                    .column = carnet_arena_dup(&rows->arena, column),
                                                    .at_ms = at_ms};
}

static int64_t moment(const struct carnet_rows *rows, struct carnet_slice text)
{
    int64_t ms = 0;
    return carnet_value_time(text, rows->rules.order == CARNET_DATE_ISO ? CARNET_DATE_DMY : rows->rules.order, &ms) ? ms
                                                                                                                    : 0;
}

/* Who wants nothing by a channel wants none of the purposes that use it alone; where none does, none that use it. */
static void object_to_channel(struct carnet_rows *rows, uint32_t channel, struct carnet_slice column, int64_t at_ms)
{
    struct carnet_rows_build *b = &rows->build;
    const struct carnet_purpose_def *def;
    for (int pass = 0; pass < 2; pass++) {
        bool any = false;
        for (size_t i = 0; (def = carnet_purpose_at(rows->charter, i)) != NULL; i++)
            if (pass ? (def->channels & channel) != 0 : def->channels == channel) {
                put_consent(rows, b->objections, &b->objection_count, def->name, column, at_ms);
                any = true;
            }
        if (any)
            return;
    }
}

static void object(struct carnet_rows *rows, const char *purpose, struct carnet_slice column, int64_t at_ms)
{
    struct carnet_rows_build *b = &rows->build;
    uint32_t channel = carnet_columns_channel(carnet_slice_str(purpose));
    if (strcmp(purpose, "all") == 0)
        put_consent(rows, b->objections, &b->objection_count, "", column, at_ms);
    else if (channel && (strcmp(purpose, "email") == 0 || !carnet_purpose_find(rows->charter, carnet_slice_str(purpose))))
        object_to_channel(rows, channel, column, at_ms);
    else
        put_consent(rows, b->objections, &b->objection_count, purpose, column, at_ms);
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
    int64_t agreed_ms = target->dated ? moment(rows, text) : 0;
    if (target->dated ? agreed_ms != 0 : answer == CARNET_ANSWER_YES) {
        if (!carnet_purpose_find(rows->charter, carnet_slice_str(target->text)))
            return; /* the status of a purpose that this charter does not have: only its refusals count */
        put_consent(rows, b->grants, &b->grant_count, target->text, column, agreed_ms);
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

/* A network address as the file writes it; anything else is none. */
static struct carnet_slice network_address(struct carnet_rows *rows, struct carnet_slice text)
{
    text = trim(text);
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i] | 0x20;
        bool digit = (text.ptr[i] >= '0' && text.ptr[i] <= '9') || (c >= 'a' && c <= 'f');
        if (!digit && text.ptr[i] != '.' && text.ptr[i] != ':')
            return CARNET_SLICE_NONE;
        digits += digit;
    }
    return digits >= 2 && text.len <= 45 ? carnet_arena_dup(&rows->arena, text) : CARNET_SLICE_NONE;
}

static void take_department(struct carnet_rows *rows, struct carnet_slice text)
{
    char *out = rows->build.department;
    text = trim(text);
    if (text.len == 0 || text.len > 3)
        return;
    snprintf(out, 4, text.len == 1 ? "0%.*s" : "%.*s", (int)text.len, (const char *)text.ptr);
    for (char *c = out; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c & ~0x20) : *c;
}

void carnet_rows_take_bad(struct carnet_rows *rows, const struct carnet_field_def *def, struct carnet_slice text)
{
    struct carnet_rows_build *b = &rows->build;
    struct carnet_value_rules rules = rows->rules;
    carnet_buf_clear(&rows->value);
    if (b->bad_count < CARNET_ROWS_BAD_MAX &&
        carnet_value_normalise(def, text, &rules, &rows->value, NULL) == CARNET_OK && rows->value.len)
        b->bad[b->bad_count++] = (struct carnet_rows_cell){
            .def = def, .value = carnet_arena_dup(&rows->arena, carnet_buf_slice(&rows->value))};
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
    case CARNET_TARGET_BAD:
    case CARNET_TARGET_LABEL: break;
    case CARNET_TARGET_FIELD:
        take_field(rows, target, column, label.len ? label : carnet_slice_str(target->text), text);
        break;
    case CARNET_TARGET_TAGS: take_tags(rows, column, text); break;
    case CARNET_TARGET_CONSENT:
    case CARNET_TARGET_OBJECT:
    case CARNET_TARGET_STATUS: take_consent(rows, target, column, text); break;
    case CARNET_TARGET_CONSENT_DATE:
        *(strcmp(target->text, "newsletter") == 0 ? &b->newsletter_ms : &b->consent_ms) = moment(rows, text);
        break;
    case CARNET_TARGET_CONSENT_ADDRESS: b->address = network_address(rows, text); break;
    case CARNET_TARGET_CONFIRM_DATE: b->confirmed_ms = moment(rows, text); break;
    case CARNET_TARGET_CONFIRM_ADDRESS: b->confirmed_address = network_address(rows, text); break;
    case CARNET_TARGET_DEPARTMENT: take_department(rows, text); break;
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

static void drop_slot(struct carnet_rows_build *b, size_t place)
{
    memmove(&b->slots[place], &b->slots[place + 1], (b->slot_count - place - 1) * sizeof b->slots[0]);
    b->slot_count--;
}

/* People whom an address book calls by their address: it is no name. */
static void take_names_for_addresses(struct carnet_rows *rows)
{
    static const uint32_t names[] = {CARNET_FIELD_GIVEN, CARNET_FIELD_FAMILY};
    const struct carnet_target email = {.kind = CARNET_TARGET_FIELD, .def = carnet_field_by_number(NULL, CARNET_FIELD_EMAIL)};
    struct carnet_rows_build *b = &rows->build;
    struct carnet_value_rules rules = rows->rules;
    for (size_t i = 0; i < 3; i++) {
        size_t place = i < 2 ? slot_at(b, names[i], CARNET_SLICE_NONE) : SLOT_NONE;
        struct carnet_slice name = i == 2 ? b->name : place == SLOT_NONE ? CARNET_SLICE_NONE : b->slots[place].cell.value;
        if (name.len == 0 || !memchr(name.ptr, '@', name.len))
            continue;
        carnet_buf_clear(&rows->value);
        if (carnet_value_normalise(email.def, name, &rules, &rows->value, NULL) != CARNET_OK || !rows->value.len)
            continue;
        if (place != SLOT_NONE)
            drop_slot(b, place);
        else
            b->name = CARNET_SLICE_NONE;
        put_value(rows, &email, CARNET_SLICE_NONE, carnet_buf_slice(&rows->value));
    }
}

static bool folds_alike(struct carnet_slice a, struct carnet_slice b)
{
    struct carnet_buf x, y;
    carnet_buf_init(&x, 4 * CARNET_VALUE_LEN_MAX);
    carnet_buf_init(&y, 4 * CARNET_VALUE_LEN_MAX);
    bool alike = carnet_slice_equal(a, b) ||
                 (carnet_text_fold(a, &x) == CARNET_OK && carnet_text_fold(b, &y) == CARNET_OK &&
                  carnet_slice_equal(carnet_buf_slice(&x), carnet_buf_slice(&y)));
    carnet_buf_deinit(&x);
    carnet_buf_deinit(&y);
    return alike;
}

static void finish_consent(struct carnet_rows *rows)
{
    struct carnet_rows_build *b = &rows->build;
    for (size_t i = 0; i < b->grant_count; i++) {
        struct carnet_rows_consent *grant = &b->grants[i];
        bool is_newsletter = carnet_slice_equal(grant->purpose, carnet_slice_str("newsletter"));
        if (!grant->at_ms && is_newsletter)
            grant->at_ms = b->newsletter_ms;
        if (!grant->at_ms)
            grant->at_ms = b->consent_ms;
        if (!is_newsletter && b->grant_count > 1)
            continue;
        grant->address = b->address;
        grant->confirmed_ms = b->confirmed_ms;
        grant->confirmed_address = b->confirmed_address;
    }
    if (rows->objects)
        object(rows, "email", carnet_slice_str(rows->objects), 0);
    for (size_t i = 0; i < b->objection_count; i++)
        b->objections[i].at_ms = b->objections[i].at_ms ? b->objections[i].at_ms : b->object_ms;
}

static void finish(struct carnet_rows *rows)
{
    struct carnet_rows_build *b = &rows->build;
    take_names_for_addresses(rows);
    size_t birth_name = slot_at(b, CARNET_FIELD_BIRTH_NAME, CARNET_SLICE_NONE);
    bool has_given = has_slot(b, CARNET_FIELD_GIVEN, CARNET_SLICE_NONE),
         has_family = has_slot(b, CARNET_FIELD_FAMILY, CARNET_SLICE_NONE);
    if (!has_family && birth_name != SLOT_NONE)
        put_slot(rows, carnet_field_by_number(rows->charter, CARNET_FIELD_FAMILY), CARNET_SLICE_NONE, b->slots[birth_name].cell.value,
                 0);
    else if (!has_family && !has_given && b->name.len)
        split_name(rows);
    if (rows->in_roll && birth_name != SLOT_NONE) { /* it is one when it differs from the name used */
        size_t family = slot_at(b, CARNET_FIELD_FAMILY, CARNET_SLICE_NONE);
        birth_name = slot_at(b, CARNET_FIELD_BIRTH_NAME, CARNET_SLICE_NONE);
        if (family != SLOT_NONE && folds_alike(b->slots[family].cell.value, b->slots[birth_name].cell.value))
            drop_slot(b, birth_name);
    }
    if (b->title && !has_slot(b, CARNET_FIELD_GENDER, CARNET_SLICE_NONE))
        put_slot(rows, carnet_field_by_number(rows->charter, CARNET_FIELD_GENDER), CARNET_SLICE_NONE, carnet_slice(&b->title, 1), 0);
    drop_same_addresses(b);
    finish_consent(rows);
    bool somebody = false;
    for (size_t i = 0; i < b->slot_count; i++) {
        uint32_t field = b->slots[i].cell.def->field;
        somebody = somebody || field == CARNET_FIELD_GIVEN || field == CARNET_FIELD_FAMILY ||
                   field == CARNET_FIELD_BIRTH_NAME || field == CARNET_FIELD_EMAIL || field == CARNET_FIELD_PHONE ||
                   field == CARNET_FIELD_HANDLE || field == CARNET_FIELD_SOURCE_ID;
        rows->cells[i] = b->slots[i].cell;
    }
    if (!somebody && b->dropped)
        carnet_rows_refuse(rows, CARNET_USAGE, "the file says that its only address does not work");
    else if (!somebody)
        carnet_rows_refuse(rows, CARNET_USAGE, "no name, no e-mail address, no telephone number");
}

static void build_begin(struct carnet_rows *rows)
{
    struct carnet_rows_build *b = &rows->build;
    carnet_arena_reset(&rows->arena);
    b->slot_count = b->tag_count = b->grant_count = b->objection_count = b->bad_count = 0;
    b->name = b->address = b->confirmed_address = CARNET_SLICE_NONE;
    b->name_reversed = b->any = b->dropped = false;
    b->title = 0;
    b->department[0] = 0;
    b->consent_ms = b->object_ms = b->newsletter_ms = b->confirmed_ms = 0;
    rows->why = (struct carnet_err)CARNET_ERR_INIT;
    rows->why.lang = rows->lang;
    rows->record = CARNET_SLICE_NONE;
}

static carnet_rc next_file(struct carnet_rows *rows, struct carnet_err *err);

carnet_rc carnet_rows_next(struct carnet_rows *rows, struct carnet_row *out, struct carnet_err *err)
{
    struct carnet_rows_build *b = &rows->build;
    *out = (struct carnet_row){0};
    for (;;) {
        build_begin(rows);
        carnet_rc rc = rows->csv ? carnet_rows_csv_next(rows) : rows->json ? carnet_rows_json_next(rows) : carnet_rows_vcard_next(rows);
        if (rc == CARNET_NOT_FOUND && rows->zip && rows->zip_at + 1 < carnet_zip_count(rows->zip)) {
            rc = next_file(rows, err);
            if (rc != CARNET_OK)
                return rc;
            continue;
        }
        if (rc == CARNET_NOT_FOUND)
            return rc;
        if (rc != CARNET_OK)
            return carnet_source_failed(err);
        if (rows->why.rc == CARNET_OK && !b->any)
            continue;
        if (rows->why.rc == CARNET_OK && rows->json)
            for (size_t i = 0; i < b->slot_count; i++)
                rows->cells[i] = b->slots[i].cell;
        else if (rows->why.rc == CARNET_OK)
            finish(rows);
        if (rows->why.rc == CARNET_OK && rows->in_roll && carnet_roll_repeats(rows))
            continue;
        out->line = rows->line;
        out->file = rows->zip && carnet_zip_count(rows->zip) > 1 ? rows->file_name : NULL;
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

/* Files whose name says it all: "unsubscribed_segment_export.csv", "désinscrits 2024.csv". */
static bool name_objects(const char *name)
{
    static const char *const says[] = {"unsub", "desinscri", "desabonn", "blacklist", "optout", "opt out", "liste noire"};
    static const char *const denies[] = {"sans", "hors", "non", "not", "no", "except", "without", "pas"};
    const char *slash = strrchr(name, '/');
    struct carnet_buf key;
    bool found = false;
    carnet_buf_init(&key, 512);
    carnet_buf_append_byte(&key, ' ');
    carnet_columns_key(carnet_slice_str(slash ? slash + 1 : name), &key);
    carnet_buf_append_byte(&key, ' ');
    const char *text = carnet_buf_cstr(&key);
    for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
        const char *at = strstr(text, says[i]);
        found = found || (at && at[-1] == ' ');
    }
    for (size_t i = 0; i < sizeof denies / sizeof denies[0]; i++) {
        const char *at = strstr(text, denies[i]);
        if (at && at[-1] == ' ' && at[strlen(denies[i])] == ' ')
            found = false;
    }
    carnet_buf_deinit(&key);
    return found;
}

/* A column that says of each row whether the person agreed. */
static bool has_answers(const struct carnet_rows *rows)
{
    for (size_t i = 0; i < rows->named_count; i++) {
        const struct carnet_target *target = &rows->named[i].target;
        if (target->kind == CARNET_TARGET_OBJECT || target->kind == CARNET_TARGET_STATUS ||
            (target->kind == CARNET_TARGET_CONSENT && !target->dated))
            return true;
    }
    return false;
}

static void close_file(struct carnet_rows *rows)
{
    carnet_rows_csv_close(rows);
    carnet_rows_vcard_close(rows);
    carnet_rows_json_close(rows);
    carnet_source_close(&rows->source);
    for (size_t i = 0; i < rows->named_count; i++) {
        free(rows->named[i].name);
        free(rows->named[i].key);
    }
    rows->named_count = 0;
    free(rows->objects);
    rows->objects = NULL;
    rows->in_roll = false;
    rows->reject_begun = false;
}

static bool looks_like_json(struct carnet_slice text)
{
    return begins_with(trim(text), "{\"carnet\":");
}

/* Recognises one file and its columns; rows->file_name is its name. */
static carnet_rc open_file(struct carnet_rows *rows, const struct carnet_source_input *input, struct carnet_err *err)
{
    struct carnet_slice head = CARNET_SLICE_NONE;
    carnet_rc rc = carnet_source_open(&rows->source, input, err);
    if (rc == CARNET_OK)
        rc = carnet_source_peek(&rows->source, &head, err);
    if (rc != CARNET_OK)
        return rc;
    rows->format = rows->options.format;
    if (rows->format == CARNET_ROWS_AUTO)
        rows->format = looks_like_vcard(head) ? CARNET_ROWS_VCARD : looks_like_json(head) ? CARNET_ROWS_JSON : CARNET_ROWS_CSV;
    if (rows->format == CARNET_ROWS_JSON)
        return carnet_rows_json_open(rows, err);
    if (rows->format == CARNET_ROWS_VCARD && trim(head).len && !looks_like_vcard(head))
        return carnet_err_set(err, CARNET_MALFORMED, "not a vCard file");
    rc = rows->format == CARNET_ROWS_VCARD ? carnet_rows_vcard_open(rows, &rows->options, err)
                                           : carnet_rows_csv_open(rows, &rows->options, err);
    if (rc != CARNET_OK || rows->format == CARNET_ROWS_VCARD || !rows->file_name || !name_objects(rows->file_name) ||
        has_answers(rows))
        return rc;
    const char *slash = strrchr(rows->file_name, '/');
    struct carnet_slice name = carnet_slice_str(slash ? slash + 1 : rows->file_name);
    struct carnet_buf shown;
    carnet_buf_init(&shown, 4 * CARNET_LABEL_LEN_MAX);
    bool overruled = false;
    for (size_t i = 0; i < rows->options.map_count; i++)
        if (carnet_slice_equal(rows->options.maps[i].column, name)) {
            rows->map_used[i] = true;
            overruled = carnet_slice_equal(rows->options.maps[i].target, carnet_slice_str("-"));
        }
    if (!overruled) {
        rows->objects = carnet_strdup_slice(carnet_value_label(name, &shown, NULL) == CARNET_OK ? carnet_buf_slice(&shown)
                                                                                               : carnet_slice_str("file"));
        carnet_rows_list(rows, rows->objects, carnet_slice_str("object:email"));
    }
    carnet_buf_deinit(&shown);
    return CARNET_OK;
}

/* The i-th file of the zip; an error names it. */
static carnet_rc open_zipped(struct carnet_rows *rows, size_t i, struct carnet_err *err)
{
    struct carnet_err inner = CARNET_ERR_INIT;
    inner.lang = carnet_err_lang(err);
    rows->zip_at = i;
    free(rows->file_name);
    rows->file_name = carnet_strdup_slice(carnet_slice_str(carnet_zip_name(rows->zip, i)));
    carnet_rc rc = carnet_zip_enter(rows->zip, i, err);
    if (rc != CARNET_OK)
        return rc;
    const struct carnet_source_input input = {
        .fd = -1, .pull = carnet_zip_pull, .ctx = rows->zip, .size_bytes = carnet_zip_size(rows->zip, i)};
    rc = open_file(rows, &input, &inner);
    if (rc == CARNET_OK)
        return rc;
    carnet_err_set(err, rc, "\"%s\" in the zip file: %s", rows->file_name, inner.what);
    if (inner.hint[0] && err)
        memcpy(err->hint, inner.hint, sizeof err->hint);
    return rc;
}

static carnet_rc next_file(struct carnet_rows *rows, struct carnet_err *err)
{
    rows->zip_read += rows->source.read_bytes;
    close_file(rows);
    return open_zipped(rows, rows->zip_at + 1, err);
}

/* Each file is looked at before the first one is read, so that the mapping is whole, and a file that is none fails here.
 * One file of rejected rows takes those of all: so they are of one format. */
static carnet_rc open_zip(struct carnet_rows *rows, struct carnet_err *err)
{
    size_t count = carnet_zip_count(rows->zip);
    enum carnet_rows_format first = CARNET_ROWS_AUTO;
    for (size_t i = 0; i < count; i++)
        rows->zip_size += carnet_zip_size(rows->zip, i);
    for (size_t i = 0; i < count && count > 1; i++) {
        carnet_rc rc = open_zipped(rows, i, err);
        if (rc != CARNET_OK)
            return rc;
        first = i ? first : rows->format;
        bool same = rows->format == first;
        close_file(rows);
        if (!same) {
            carnet_err_set(err, CARNET_USAGE, "the zip file holds CSV and vCard files");
            carnet_err_hint(err, "unpack it and import them one by one");
            return CARNET_USAGE;
        }
    }
    return open_zipped(rows, 0, err);
}

/* Each --map is of a column that is there; which properties vCards have is known at their end alone. */
static carnet_rc check_maps(const struct carnet_rows *rows, struct carnet_err *err)
{
    for (size_t i = 0; i < rows->options.map_count && rows->format == CARNET_ROWS_CSV; i++) {
        struct carnet_slice column = rows->options.maps[i].column;
        if (rows->map_used[i])
            continue;
        carnet_err_set(err, CARNET_USAGE, "the file has no column \"%.*s\"", (int)(column.len < 80 ? column.len : 80),
                       column.len ? (const char *)column.ptr : "");
        carnet_err_hint(err, "--dry-run shows the columns");
        return CARNET_USAGE;
    }
    return CARNET_OK;
}

/* As read(2) says it. */
static ssize_t pull_input(void *ctx, uint8_t *out, size_t len)
{
    const struct carnet_rows_input *input = ctx;
    size_t got = 0;
    if (input->read(input->ctx, out, len, &got))
        return (ssize_t)got;
    errno = EIO;
    return -1;
}

static carnet_rc open_any(int fd, struct carnet_slice mem, const struct carnet_rows_input *from,
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
    rows->options = *options;
    struct carnet_rows_map *maps = carnet_alloc((options->map_count + 1) * sizeof *maps);
    rows->map_used = carnet_alloc(options->map_count + 1);
    for (size_t i = 0; i < options->map_count; i++)
        maps[i] = (struct carnet_rows_map){
            carnet_slice(carnet_strdup_slice(options->maps[i].column), options->maps[i].column.len),
            carnet_slice(carnet_strdup_slice(options->maps[i].target), options->maps[i].target.len)};
    rows->options.maps = maps;
    rows->options.name = NULL;
    carnet_arena_init(&rows->arena);
    carnet_arena_init(&rows->kept_arena);
    carnet_buf_init(&rows->country, CARNET_VALUE_LEN_MAX);
    carnet_buf_init(&rows->value, 4 * CARNET_VALUE_LEN_MAX);
    carnet_buf_init(&rows->scratch, 3 * CARNET_LINE_LEN_MAX);
    carnet_buf_init(&rows->unarmed, 4 * CARNET_LINE_LEN_MAX);
    carnet_rc rc = from ? CARNET_OK : carnet_zip_open(fd, mem, &rows->zip, err);
    if (rc == CARNET_OK && rows->zip) {
        rc = open_zip(rows, err);
    } else if (rc == CARNET_OK) {
        const struct carnet_source_input input = {
            .fd = fd, .mem = mem, .pull = from ? pull_input : NULL, .ctx = (void *)(uintptr_t)from};
        rows->file_name = options->name ? carnet_strdup_slice(carnet_slice_str(options->name)) : NULL;
        rc = open_file(rows, &input, err);
    }
    if (rc == CARNET_OK)
        rc = check_maps(rows, err);
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
    close_file(rows);
    free(rows->named);
    for (size_t i = 0; i < rows->listed_count; i++) {
        free(rows->listed[i].name);
        free(rows->listed[i].target_text);
    }
    free(rows->listed);
    struct carnet_rows_map *maps = (struct carnet_rows_map *)(uintptr_t)rows->options.maps; /* our own copies */
    for (size_t i = 0; i < rows->options.map_count; i++) {
        free((void *)(uintptr_t)maps[i].column.ptr);
        free((void *)(uintptr_t)maps[i].target.ptr);
    }
    free(maps);
    free(rows->map_used);
    free(rows->file_name);
    carnet_roll_close(rows->roll);
    carnet_zip_close(rows->zip);
    carnet_buf_deinit(&rows->country);
    carnet_buf_deinit(&rows->value);
    carnet_buf_deinit(&rows->scratch);
    carnet_buf_deinit(&rows->unarmed);
    carnet_arena_deinit(&rows->arena);
    carnet_arena_deinit(&rows->kept_arena);
    free(rows->kept);
    free(rows);
}

void carnet_rows_progress(const struct carnet_rows *rows, uint64_t *read_bytes, uint64_t *size_bytes)
{
    *read_bytes = rows->zip_read + rows->source.read_bytes;
    *size_bytes = rows->zip ? rows->zip_size : rows->source.size_bytes;
}

bool carnet_rows_is_roll(const struct carnet_rows *rows)
{
    return rows->is_roll;
}

uint64_t carnet_rows_collapsed(const struct carnet_rows *rows)
{
    return carnet_roll_collapsed(rows->roll);
}

void carnet_rows_list(struct carnet_rows *rows, const char *name, struct carnet_slice target_text)
{
    for (size_t i = 0; i < rows->listed_count; i++)
        if (strcmp(rows->listed[i].name, name) == 0 &&
            carnet_slice_equal(carnet_slice_str(rows->listed[i].target_text), target_text))
            return;
    CARNET_GROW(rows->listed, rows->listed_count, rows->listed_cap);
    rows->listed[rows->listed_count++] = (struct carnet_rows_listed){
        .name = carnet_strdup_slice(carnet_slice_str(name)),
        .target_text = target_text.len ? carnet_strdup_slice(target_text) : NULL};
}

enum carnet_rows_format carnet_rows_format(const struct carnet_rows *rows)
{
    return rows->format;
}

bool carnet_rows_column(const struct carnet_rows *rows, size_t i, const char **name, const char **target)
{
    if (i >= rows->listed_count)
        return false;
    *name = rows->listed[i].name;
    *target = rows->listed[i].target_text;
    return true;
}

void carnet_rows_mapping(const struct carnet_rows *rows, struct carnet_buf *out)
{
    json_t *mapping = json_object(), *unmapped = json_array();
    for (size_t i = 0; i < rows->listed_count; i++) {
        const struct carnet_rows_listed *listed = &rows->listed[i];
        if (listed->target_text)
            json_object_set_new(mapping, listed->name, json_string(listed->target_text));
        else
            json_array_append_new(unmapped, json_string(listed->name));
    }
    char *first = json_dumps(mapping, JSON_PRESERVE_ORDER | JSON_COMPACT), *second = json_dumps(unmapped, JSON_PRESERVE_ORDER | JSON_COMPACT);
    CARNET_ASSERT(first && second);
    carnet_buf_append_str(out, "\"mapping\":");
    carnet_buf_append_str(out, first);
    carnet_buf_append_str(out, ",\"unmapped\":");
    carnet_buf_append_str(out, second);
    carnet_buf_append_str(out, rows->is_roll ? ",\"roll\":true" : ",\"roll\":false");
    free(first);
    free(second);
    json_decref(mapping);
    json_decref(unmapped);
}

static void put_moment(struct carnet_buf *out, const char *key, int64_t ms)
{
    if (!ms)
        return;
    carnet_buf_printf(out, "%s: ", key);
    carnet_time_format(ms, out);
    carnet_buf_append_byte(out, '\n');
}

static void put_text_line(struct carnet_buf *out, const char *key, struct carnet_slice text)
{
    if (text.len == 0)
        return;
    carnet_buf_printf(out, "%s: ", key);
    for (size_t i = 0; i < text.len; i++)
        carnet_buf_append_byte(out, text.ptr[i] < ' ' ? ' ' : text.ptr[i]);
    carnet_buf_append_byte(out, '\n');
}

void carnet_rows_consent_put(const struct carnet_rows_consent *consent, struct carnet_buf *out)
{
    put_text_line(out, "column", consent->column);
    put_moment(out, "agreed", consent->at_ms);
    put_text_line(out, "agreed from", consent->address);
    put_moment(out, "confirmed", consent->confirmed_ms);
    put_text_line(out, "confirmed from", consent->confirmed_address);
}

void carnet_rows_put_reject(struct carnet_rows *rows, const struct carnet_row *row, struct carnet_buf *out)
{
    bool header = !rows->reject_begun;
    rows->reject_begun = true;
    struct carnet_row named = *row;
    struct carnet_buf reason;
    carnet_buf_init(&reason, 1024);
    if (row->file && row->reason) { /* line numbers of several files */
        carnet_buf_printf(&reason, "%s: %s", row->file, row->reason);
        named.reason = carnet_buf_cstr(&reason);
    }
    if (rows->csv)
        carnet_rows_csv_put_reject(rows, &named, header, out);
    else if (rows->json)
        carnet_rows_json_put_reject(rows, &named, header, out);
    else
        carnet_rows_vcard_put_reject(rows, &named, out);
    carnet_buf_deinit(&reason);
}
