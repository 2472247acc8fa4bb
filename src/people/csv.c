// SPDX-License-Identifier: EUPL-1.2
#include "carnet/people/csv.h"

#include "carnet/base/text.h"
#include "rows_parts.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SAMPLE_RECORDS = 60,  /* looked at to recognise the file */
    HEADER_WITHIN = 12,   /* of them the header is one */
    SCORED_COLUMNS = 512, /* of a possible header */
    RESYNC_MAX = 64       /* times that lines are read again after a quote without its end; bounds the work */
};

/* --- one record ----------------------------------------------------------------------------------------------------
 */

/* The cells of one record, as libcsv gives them. */
struct record {
    struct carnet_buf bytes;
    size_t *ends; /* of each cell in bytes; at most CARNET_ROWS_COLUMNS_MAX */
    size_t count, cap;
    size_t used;   /* up to the last cell that is not empty */
    bool too_many; /* a cell beyond CARNET_ROWS_COLUMNS_MAX is not empty */
    bool ended;
};

static struct carnet_slice cell_of(const struct record *r, size_t i)
{
    size_t start = i ? r->ends[i - 1] : 0;
    return carnet_slice(r->bytes.ptr + start, r->ends[i] - start);
}

static void record_begin(struct record *r)
{
    *r = (struct record){0};
    carnet_buf_init(&r->bytes, 4 * CARNET_LINE_LEN_MAX);
}

static void record_end(struct record *r)
{
    carnet_buf_deinit(&r->bytes);
    free(r->ends);
}

static void record_clear(struct record *r)
{
    carnet_buf_clear(&r->bytes);
    r->count = r->used = 0;
    r->too_many = r->ended = false;
}

static void on_cell(void *bytes, size_t len, void *ctx)
{
    struct record *r = ctx;
    if (r->count == CARNET_ROWS_COLUMNS_MAX) {
        r->too_many = r->too_many || len > 0;
        return;
    }
    if (len)
        carnet_buf_append(&r->bytes, bytes, len);
    CARNET_GROW(r->ends, r->count, r->cap);
    r->ends[r->count++] = r->bytes.len;
    if (len)
        r->used = r->count;
}

static void on_row(int terminator, void *ctx)
{
    (void)terminator;
    ((struct record *)ctx)->ended = true;
}

static void *grow(void *ptr, size_t size)
{
    return carnet_realloc(ptr, size, 1);
}

static void parser_begin(struct csv_parser *parser, uint8_t separator)
{
    int failed = csv_init(parser, 0);
    CARNET_ASSERT(failed == 0);
    csv_set_realloc_func(parser, grow);
    csv_set_blk_size(parser, 4096);
    csv_set_delim(parser, separator);
}

/* Feeds one line; true: the record goes on (a quoted line end). */
static bool feed(struct csv_parser *parser, struct record *r, struct carnet_slice line)
{
    size_t took = csv_parse(parser, line.ptr, line.len, on_cell, on_row, r);
    CARNET_ASSERT(took == line.len);
    uint8_t last = line.len ? line.ptr[line.len - 1] : 0;
    if (last != '\n' && last != '\r') /* the last line of a file may lack its end */
        took = csv_parse(parser, "\n", 1, on_cell, on_row, r);
    return !r->ended && parser->pstate != 0;
}

struct carnet_rows_csv {
    struct csv_parser parser;
    struct record record;
    uint8_t separator;
    size_t column_count;
    size_t order[CARNET_ROWS_COLUMNS_MAX]; /* columns with a target, in the order in which they are taken */
    size_t order_count;
    size_t labels[CARNET_ROWS_COLUMNS_MAX]; /* the column that labels this one; CARNET_ROWS_COLUMNS_MAX: none */
    size_t bad[CARNET_ROWS_COLUMNS_MAX];    /* columns that say that an address does not work */
    size_t bad_count;
    bool has_labels;
    bool is_rejects; /* a file of rejected rows: another header may come */
    struct carnet_buf header;               /* as it was read, in UTF-8, without its end */
    unsigned resyncs;
};

/* --- recognising the file ------------------------------------------------------------------------------------------
 */

struct sample {
    struct record *records;
    size_t *starts;  /* bytes from the start of the file to the record */
    size_t *ends;    /* to behind it */
    uint64_t *lines; /* and lines */
    size_t count;
};

static void sample_begin(struct sample *sample)
{
    *sample = (struct sample){.records = carnet_alloc(SAMPLE_RECORDS * sizeof *sample->records),
                              .starts = carnet_alloc(SAMPLE_RECORDS * sizeof *sample->starts),
                              .ends = carnet_alloc(SAMPLE_RECORDS * sizeof *sample->ends),
                              .lines = carnet_alloc(SAMPLE_RECORDS * sizeof *sample->lines)};
    for (size_t i = 0; i < SAMPLE_RECORDS; i++)
        record_begin(&sample->records[i]);
}

static void sample_end(struct sample *sample)
{
    for (size_t i = 0; i < SAMPLE_RECORDS; i++)
        record_end(&sample->records[i]);
    free(sample->records);
    free(sample->starts);
    free(sample->ends);
    free(sample->lines);
}

/* Cuts the head of the file into records; the last one only when it is whole. */
static void sample_read(struct sample *sample, struct carnet_slice head, const struct carnet_source *source,
                        uint8_t separator)
{
    struct csv_parser parser;
    parser_begin(&parser, separator);
    sample->count = 0;
    uint64_t lines = 0;
    bool goes_on = false;
    for (size_t at = 0; at < head.len && sample->count < SAMPLE_RECORDS;) {
        const uint8_t *stop = memchr(head.ptr + at, source->newline, head.len - at);
        if (!stop && !source->eof)
            break;
        size_t len = stop ? (size_t)(stop + 1 - head.ptr) - at : head.len - at;
        if (len > CARNET_LINE_LEN_MAX)
            break;
        struct record *r = &sample->records[sample->count];
        if (!goes_on) {
            record_clear(r);
            sample->starts[sample->count] = at;
        }
        goes_on = feed(&parser, r, carnet_slice(head.ptr + at, len));
        at += len;
        lines++;
        sample->ends[sample->count] = at;
        sample->lines[sample->count] = lines;
        if (!goes_on && r->used)
            sample->count++;
    }
    csv_free(&parser);
}

static struct carnet_slice sample_cell(struct carnet_rows *rows, const struct record *r, size_t i)
{
    return i < r->count ? carnet_source_text(&rows->source, cell_of(r, i), &rows->scratch) : CARNET_SLICE_NONE;
}

static bool same_key(struct carnet_slice a, struct carnet_slice b)
{
    struct carnet_buf x, y;
    carnet_buf_init(&x, 300);
    carnet_buf_init(&y, 300);
    carnet_columns_key(a, &x);
    carnet_columns_key(b, &y);
    bool same = x.len && carnet_slice_equal(carnet_buf_slice(&x), carnet_buf_slice(&y));
    carnet_buf_deinit(&x);
    carnet_buf_deinit(&y);
    return same;
}

static const struct carnet_rows_map *map_of(const struct carnet_rows_options *options, struct carnet_slice name)
{
    for (size_t i = 0; i < options->map_count; i++)
        if (carnet_slice_equal(options->maps[i].column, name) || same_key(options->maps[i].column, name))
            return &options->maps[i];
    return NULL;
}

/* How many cells of the record are names of columns. */
static size_t score(struct carnet_rows *rows, const struct carnet_rows_options *options, const struct record *r)
{
    size_t found = 0;
    for (size_t i = 0; i < r->used && i < SCORED_COLUMNS; i++) {
        struct carnet_slice name = sample_cell(rows, r, i);
        struct carnet_target target;
        if (name.len == 0 || name.len > 200)
            continue;
        carnet_columns_recognise(rows->charter, name, &target);
        found += target.kind != CARNET_TARGET_NONE || map_of(options, name);
    }
    return found;
}

static bool reads_as(const char *field, struct carnet_slice text)
{
    const struct carnet_field_def *def = carnet_field_by_name(NULL, carnet_slice_str(field));
    struct carnet_value_rules rules = carnet_value_rules_default();
    struct carnet_buf out;
    carnet_buf_init(&out, CARNET_VALUE_LEN_MAX);
    bool ok = text.len >= 5 && text.len < 300 && carnet_value_normalise(def, text, &rules, &out, NULL) == CARNET_OK &&
              out.len > 0;
    carnet_buf_deinit(&out);
    return ok;
}

static bool is_email(struct carnet_slice text)
{
    return reads_as("email", text);
}

static bool is_phone(struct carnet_slice text)
{
    while (text.len && text.ptr[0] <= ' ')
        text.ptr++, text.len--;
    return text.len >= 10 && (text.ptr[0] == '0' || text.ptr[0] == '+' || text.ptr[0] == '(') &&
           reads_as("phone", text);
}

static bool is_five_digits(struct carnet_slice text)
{
    bool digits = text.len == 5;
    for (size_t i = 0; i < text.len && digits; i++)
        digits = text.ptr[i] >= '0' && text.ptr[i] <= '9';
    return digits;
}

static bool is_town(struct carnet_slice text)
{
    bool letters = text.len >= 2 && text.len < 60;
    for (size_t i = 0; i < text.len && letters; i++)
        letters = !(text.ptr[i] >= '0' && text.ptr[i] <= '9') && text.ptr[i] != '@';
    return letters;
}

/* Somebody, and not the names of columns: an address, a number, five digits beside a town. */
static bool is_somebody(struct carnet_rows *rows, const struct record *r)
{
    bool digits_before = false, town_before = false;
    for (size_t i = 0; i < r->used && i < SCORED_COLUMNS; i++) {
        struct carnet_slice text = sample_cell(rows, r, i);
        if ((text.len >= 6 && memchr(text.ptr, '@', text.len) && is_email(text)) || is_phone(text))
            return true;
        bool digits = is_five_digits(text), town = is_town(text);
        if ((digits && town_before) || (town && digits_before))
            return true;
        digits_before = digits;
        town_before = town;
    }
    return false;
}

static bool begins_rejects(struct carnet_slice line)
{
    static const char first[] = "carnet_line", second[] = "carnet_reason";
    size_t len = sizeof first - 1;
    return line.len > len + sizeof second && memcmp(line.ptr, first, len) == 0 && strchr(";,\t|", line.ptr[len]) &&
           memcmp(line.ptr + len + 1, second, sizeof second - 1) == 0;
}

/* The header that a file of rejected rows begins with, and that comes again where another file's rows begin. */
static bool is_rejects(struct carnet_rows *rows, const struct record *r)
{
    return r->used > 1 && carnet_slice_equal(sample_cell(rows, r, 0), carnet_slice_str("carnet_line")) &&
           carnet_slice_equal(sample_cell(rows, r, 1), carnet_slice_str("carnet_reason"));
}

/* Whether most cells of a column, from a record on, are such texts; two of them at least, unless the file is
 * shorter. */
static bool column_is(struct carnet_rows *rows, const struct sample *sample, size_t from, size_t column,
                      bool (*is)(struct carnet_slice))
{
    size_t good = 0, all = 0;
    for (size_t i = from; i < sample->count; i++) {
        struct carnet_slice text = sample_cell(rows, &sample->records[i], column);
        if (text.len == 0)
            continue;
        all++;
        good += is(text);
    }
    return all > 0 && good * 3 >= all * 2 && (all > 1 || sample->count <= from + 2);
}

static bool has_field(const struct carnet_rows *rows, uint32_t field)
{
    for (size_t i = 0; i < rows->named_count; i++)
        if (rows->named[i].target.kind == CARNET_TARGET_FIELD && rows->named[i].target.def->field == field)
            return true;
    return false;
}

static void set_field(struct carnet_rows *rows, size_t column, uint32_t field)
{
    rows->named[column].target =
        (struct carnet_target){.kind = CARNET_TARGET_FIELD, .def = carnet_field_by_number(NULL, field)};
}

static bool is_digits(const char *text)
{
    return text[0] && text[strspn(text, "0123456789")] == 0;
}

/* Whether the columns have no names but their places. */
static bool is_numbered(const struct carnet_rows *rows)
{
    size_t place = 0;
    for (size_t i = 0; i < rows->named_count; i++) {
        if (rows->named[i].target.kind == CARNET_TARGET_OURS)
            continue;
        if (!is_digits(rows->named[i].name) || strtoul(rows->named[i].name, NULL, 10) != ++place)
            return false;
    }
    return place > 0;
}

static bool is_name(struct carnet_slice text)
{
    bool name = is_town(text);
    for (size_t i = 0; i < text.len && name; i++)
        name = !strchr("/:;=_()", text.ptr[i]);
    return name;
}

static bool is_capital_name(struct carnet_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'a' && text.ptr[i] <= 'z')
            return false;
    return is_name(text);
}

/* A list without a header: names are the one column of words; of two beside each other the one in capitals is the
 * family's. What cannot be told stays for --map. */
static void recognise_names(struct carnet_rows *rows, const struct sample *sample, size_t from)
{
    size_t words[3], count = 0;
    for (size_t i = 0; i < rows->named_count && i < SCORED_COLUMNS && count < 3; i++)
        if (rows->named[i].target.kind == CARNET_TARGET_NONE && column_is(rows, sample, from, i, is_name))
            words[count++] = i;
    if (count == 1) {
        rows->named[words[0]].target = (struct carnet_target){.kind = CARNET_TARGET_NAME};
    } else if (count == 2 && words[1] == words[0] + 1) {
        bool first = column_is(rows, sample, from, words[0], is_capital_name),
             second = column_is(rows, sample, from, words[1], is_capital_name);
        if (first != second) {
            set_field(rows, words[first ? 0 : 1], CARNET_FIELD_FAMILY);
            set_field(rows, words[first ? 1 : 0], CARNET_FIELD_GIVEN);
        }
    }
}

/* Columns whose names say nothing, by what they hold. Those of a recognised export are left alone. */
static void recognise_contents(struct carnet_rows *rows, const struct sample *sample, size_t from)
{
    static const struct {
        uint32_t field;
        bool (*is)(struct carnet_slice);
    } kinds[] = {{CARNET_FIELD_EMAIL, is_email}, {CARNET_FIELD_PHONE, is_phone}};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        if (has_field(rows, kinds[k].field))
            continue;
        for (size_t i = 0; i < rows->named_count && i < SCORED_COLUMNS; i++)
            if (rows->named[i].target.kind == CARNET_TARGET_NONE && column_is(rows, sample, from, i, kinds[k].is))
                set_field(rows, i, kinds[k].field);
    }
    for (size_t i = 0; i < rows->named_count && i < SCORED_COLUMNS && !has_field(rows, CARNET_FIELD_POSTCODE) && !rows->in_roll; i++) {
        if (rows->named[i].target.kind != CARNET_TARGET_NONE || !column_is(rows, sample, from, i, is_five_digits) ||
            strstr(rows->named[i].key, "naissance"))
            continue;
        bool has_town = has_field(rows, CARNET_FIELD_CITY);
        for (int side = 0; side < 2 && !has_town; side++) {
            size_t other = side == 0 ? i + 1 : i - 1;
            if (other < rows->named_count && rows->named[other].target.kind == CARNET_TARGET_NONE &&
                column_is(rows, sample, from, other, is_town)) {
                set_field(rows, other, CARNET_FIELD_CITY);
                has_town = true;
            }
        }
        if (has_town)
            set_field(rows, i, CARNET_FIELD_POSTCODE);
    }
    if (is_numbered(rows))
        recognise_names(rows, sample, from);
}

static bool has_column(const struct carnet_rows *rows, const char *key)
{
    for (size_t i = 0; i < rows->named_count; i++)
        if (strcmp(rows->named[i].key, key) == 0)
            return true;
    return false;
}

/* "sms" is a number to Brevo and a yes to others, "mail" an address or a purpose; "nom" alone is the whole name;
 * "contact" one where there are no names; "bureau" a polling station but for Outlook. */
static void settle_doubts(struct carnet_rows *rows, const struct sample *sample, size_t from)
{
    bool has_given = has_field(rows, CARNET_FIELD_GIVEN), has_family = has_field(rows, CARNET_FIELD_FAMILY);
    for (size_t i = 0; i < rows->named_count; i++) {
        struct carnet_target *target = &rows->named[i].target;
        if (!target->perhaps)
            continue;
        if (strcmp(target->perhaps, "name") == 0) {
            if (!has_given)
                *target = (struct carnet_target){.kind = CARNET_TARGET_NAME_REVERSED};
            continue;
        }
        if (strcmp(target->perhaps, "contact") == 0) {
            if (has_given || has_family)
                *target = (struct carnet_target){0};
            continue;
        }
        if (strcmp(target->perhaps, "bureau") == 0) {
            if (has_column(rows, "adresse de messagerie") || has_column(rows, "rue bureau"))
                *target = (struct carnet_target){0};
            continue;
        }
        for (size_t j = from; j < sample->count; j++) {
            enum carnet_answer answer = carnet_value_answer(sample_cell(rows, &sample->records[j], i));
            if (answer == CARNET_ANSWER_NONE)
                continue;
            if (answer != CARNET_ANSWER_OTHER) {
                const char *purpose = target->perhaps;
                *target = (struct carnet_target){.kind = CARNET_TARGET_CONSENT};
                snprintf(target->text, sizeof target->text, "%s", purpose);
            }
            break;
        }
    }
}

/* 03/04/1962: by what the dates of the sample allow, else by the tool that wrote the file. */
static void settle_dates(struct carnet_rows *rows, const struct sample *sample, size_t from)
{
    size_t first = 0, second = 0;
    for (size_t i = 0; i < rows->named_count && i < SCORED_COLUMNS; i++) {
        const struct carnet_target *target = &rows->named[i].target;
        bool is_date = (target->kind == CARNET_TARGET_FIELD && target->def->field == CARNET_FIELD_BORN) ||
                       target->kind == CARNET_TARGET_CONSENT_DATE || target->kind == CARNET_TARGET_OBJECT_DATE ||
                       target->kind == CARNET_TARGET_CONFIRM_DATE || target->kind == CARNET_TARGET_OBJECT ||
                       (target->kind == CARNET_TARGET_CONSENT && target->dated);
        for (size_t j = from; is_date && j < sample->count; j++) {
            struct carnet_slice text = sample_cell(rows, &sample->records[j], i);
            if (text.len < 6 || text.ptr[1] == '-' || text.len > 40)
                continue;
            char copy[41], *end;
            memcpy(copy, text.ptr, text.len);
            copy[text.len] = 0;
            unsigned long a = strtoul(copy, &end, 10);
            if (a == 0 || a > 31 || !strchr("/.-", *end))
                continue;
            unsigned long b = strtoul(end + 1, NULL, 10);
            first += a > 12 && b <= 12;
            second += b > 12 && b <= 31 && a <= 12;
        }
    }
    bool american = has_column(rows, "nationbuilder id") ||
                    (has_column(rows, "email opt in") &&
                     (has_column(rows, "born at") || has_column(rows, "dob") || has_column(rows, "support level") ||
                      has_column(rows, "tag list"))) ||
                    (has_column(rows, "optin time") && has_column(rows, "member rating")) ||
                    (has_column(rows, "e mail address") &&
                     (has_column(rows, "business street") || has_column(rows, "home street")));
    if (first != second)
        american = second > first;
    rows->rules.order = american ? CARNET_DATE_MDY : CARNET_DATE_DMY;
    /* DigitaleBox: 0 unknown, 1 female, 2 male */
    rows->rules.gender_1_is_female =
        has_column(rows, "keywords") && has_column(rows, "mobile") && has_column(rows, "first name");
}

static int compare_columns(const void *a, const void *b, void *ctx)
{
    const struct carnet_rows *rows = ctx;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const struct carnet_target *x = &rows->named[i].target, *y = &rows->named[j].target;
    bool x_country = x->def && x->def->field == CARNET_FIELD_COUNTRY,
         y_country = y->def && y->def->field == CARNET_FIELD_COUNTRY;
    if (x_country != y_country) /* how numbers and codes are read depends on it */
        return x_country ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    return i < j ? -1 : i > j;
}

static void order_columns(struct carnet_rows *rows)
{
    struct carnet_rows_csv *csv = rows->csv;
    bool has_better_id = false;
    for (size_t i = 0; i < rows->named_count; i++)
        has_better_id = has_better_id || strcmp(rows->named[i].target.text, "nationbuilder_id") == 0;
    csv->order_count = csv->bad_count = 0;
    csv->has_labels = false;
    for (size_t i = 0; i < rows->named_count; i++) {
        struct carnet_target *target = &rows->named[i].target;
        if (has_better_id && target->kind == CARNET_TARGET_FIELD && strcmp(target->text, "external_id") == 0)
            *target = (struct carnet_target){0};
        csv->labels[i] = CARNET_ROWS_COLUMNS_MAX;
        if (target->kind == CARNET_TARGET_NONE || target->kind == CARNET_TARGET_OURS ||
            target->kind == CARNET_TARGET_LABEL)
            continue;
        if (target->kind == CARNET_TARGET_BAD) {
            csv->bad[csv->bad_count++] = i;
            continue;
        }
        csv->order[csv->order_count++] = i;
        for (size_t j = 0; target->number && target->kind == CARNET_TARGET_FIELD && j < rows->named_count; j++) {
            const struct carnet_target *other = &rows->named[j].target;
            if (other->kind == CARNET_TARGET_LABEL && other->def == target->def && other->number == target->number)
                csv->labels[i] = j;
        }
        csv->has_labels = csv->has_labels || csv->labels[i] != CARNET_ROWS_COLUMNS_MAX;
    }
    qsort_r(csv->order, csv->order_count, sizeof csv->order[0], compare_columns, rows);
}

/* header NULL: the columns have their places for names. */
static carnet_rc name_columns(struct carnet_rows *rows, const struct carnet_rows_options *options,
                              const struct record *header, size_t count, struct carnet_err *err)
{
    struct carnet_buf key;
    carnet_buf_init(&key, 300);
    for (size_t i = 0; i < count; i++) {
        CARNET_GROW(rows->named, rows->named_count, rows->named_cap);
        struct carnet_rows_named *named = &rows->named[rows->named_count++];
        *named = (struct carnet_rows_named){0};
        struct carnet_slice text = header ? sample_cell(rows, header, i) : CARNET_SLICE_NONE;
        carnet_buf_clear(&rows->value);
        if (!header)
            carnet_buf_printf(&rows->value, "%zu", i + 1);
        else if (text.len > CARNET_VALUE_LEN_MAX || carnet_text_normalise(text, &rows->value) != CARNET_OK)
            carnet_buf_clear(&rows->value);
        named->name = carnet_strdup_slice(carnet_buf_slice(&rows->value));
        carnet_buf_clear(&key);
        carnet_columns_key(carnet_slice_str(named->name), &key);
        named->key = carnet_strdup_slice(carnet_buf_slice(&key));
        carnet_columns_recognise(rows->charter, carnet_slice_str(named->name), &named->target);
        carnet_rows_keep(rows, &named->target);
    }
    carnet_buf_deinit(&key);
    for (size_t i = 0; i < options->map_count; i++) {
        struct carnet_target target;
        carnet_rc rc = carnet_target_parse(rows->charter, options->maps[i].target, &target, err);
        if (rc != CARNET_OK)
            return rc;
        carnet_rows_keep(rows, &target);
        for (size_t j = 0; j < rows->named_count; j++) {
            struct carnet_slice name = carnet_slice_str(rows->named[j].name);
            if (carnet_slice_equal(options->maps[i].column, name) || same_key(options->maps[i].column, name)) {
                rows->named[j].target = target;
                rows->map_used[i] = true;
            }
        }
    }
    return CARNET_OK;
}

/* "sep=;" in the first line, as some spreadsheets write it. */
static uint8_t declared_separator(struct carnet_slice head)
{
    return head.len > 5 && strncasecmp((const char *)head.ptr, "sep=", 4) == 0 && strchr(";,\t|", head.ptr[4]) &&
                   (head.ptr[5] == '\r' || head.ptr[5] == '\n')
               ? head.ptr[4]
               : 0;
}

static void put_line_text(struct carnet_rows *rows, struct carnet_slice raw, struct carnet_buf *out)
{
    while (raw.len && (raw.ptr[raw.len - 1] == '\n' || raw.ptr[raw.len - 1] == '\r'))
        raw.len--;
    carnet_buf_append_slice(out, carnet_source_text(&rows->source, raw, &rows->scratch));
}

static carnet_rc recognise(struct carnet_rows *rows, const struct carnet_rows_options *options, struct sample *sample,
                           struct carnet_err *err)
{
    struct carnet_rows_csv *csv = rows->csv;
    struct carnet_slice head;
    carnet_rc rc = carnet_source_peek(&rows->source, &head, err);
    if (rc != CARNET_OK)
        return rc;
    if (head.len == 0)
        return carnet_err_set(err, CARNET_MALFORMED, "the file is empty");
    const uint8_t *stop = memchr(head.ptr, rows->source.newline, head.len);
    if ((stop ? (size_t)(stop - head.ptr) : head.len) > CARNET_LINE_LEN_MAX)
        return carnet_err_set(err, CARNET_LIMIT, "line %d is longer than %d KiB", 1, CARNET_LINE_LEN_MAX / 1024);
    static const uint8_t separators[] = {';', ',', '\t', '|'};
    uint8_t declared = declared_separator(head), bare_separator = 0;
    size_t best = 0, best_columns = 0, header = 0, first_record = declared ? 1 : 0;
    size_t bare = 0, bare_columns = 0; /* the first record that is somebody, where no header is found */
    csv->separator = declared ? declared : 0;
    csv->is_rejects = false;
    for (size_t i = 0; i < sizeof separators && !csv->is_rejects; i++) {
        if (declared && separators[i] != declared)
            continue;
        sample_read(sample, head, &rows->source, separators[i]);
        for (size_t j = first_record; j < sample->count && j < HEADER_WITHIN; j++) {
            const struct record *r = &sample->records[j];
            csv->is_rejects = j == first_record && is_rejects(rows, r);
            if (!csv->is_rejects && is_somebody(rows, r)) { /* no header comes behind the first person */
                if (r->used > bare_columns) {
                    bare = j;
                    bare_columns = r->used;
                    bare_separator = separators[i];
                }
                break;
            }
            size_t found = csv->is_rejects ? SIZE_MAX : score(rows, options, r), columns = r->used;
            if (found > best || (best == 0 && j == first_record && columns > best_columns) ||
                (found == best && j == header && columns > best_columns)) {
                best = found;
                best_columns = columns;
                header = j;
                csv->separator = separators[i];
            }
            if (csv->is_rejects)
                break;
        }
    }
    bool has_header = true;
    if (best == 0 && bare_columns) { /* names of columns that say nothing are such only if they are as many */
        csv->separator = bare_separator;
        sample_read(sample, head, &rows->source, bare_separator);
        has_header = bare > first_record && 2 * sample->records[bare - 1].used > bare_columns;
        header = has_header ? bare - 1 : bare;
        best_columns = bare_columns;
    }
    if (best_columns == 0)
        return carnet_err_set(err, CARNET_MALFORMED, "the file is empty");
    sample_read(sample, head, &rows->source, csv->separator);
    const struct record *r = &sample->records[header];
    if (r->too_many)
        return carnet_err_set(err, CARNET_LIMIT, "more than %d columns", CARNET_ROWS_COLUMNS_MAX);
    size_t from = has_header ? header + 1 : header, count = r->used;
    for (size_t i = from; i < sample->count; i++) {
        if (is_rejects(rows, &sample->records[i]))
            sample->count = i;
        else if (!has_header && sample->records[i].used > count)
            count = sample->records[i].used;
    }
    rc = name_columns(rows, options, has_header ? r : NULL, count, err);
    if (rc != CARNET_OK)
        return rc;
    rows->in_roll = carnet_roll_recognise(rows);
    rows->is_roll = rows->is_roll || rows->in_roll;
    recognise_contents(rows, sample, from);
    settle_doubts(rows, sample, from);
    settle_dates(rows, sample, from);
    csv->column_count = rows->named_count;
    order_columns(rows);
    if (csv->order_count == 0) {
        carnet_err_set(err, CARNET_USAGE, "no column is recognised");
        carnet_err_hint(err, "the first line must name the columns; --map COLUMN=FIELD says what one holds");
        return CARNET_USAGE;
    }
    carnet_buf_clear(&csv->header);
    if (has_header) {
        size_t start = sample->starts[header];
        put_line_text(rows, carnet_slice(head.ptr + start, sample->ends[header] - start), &csv->header);
        carnet_source_skip(&rows->source, sample->ends[header], sample->lines[header]);
    } else {
        uint64_t lines = 0;
        for (size_t i = 0; i < sample->starts[header]; i++)
            lines += head.ptr[i] == rows->source.newline;
        for (size_t i = 0; i < rows->named_count; i++)
            carnet_buf_printf(&csv->header, "%s%.*s", rows->named[i].name, i + 1 < rows->named_count, (const char *)&csv->separator);
        carnet_source_skip(&rows->source, sample->starts[header], lines);
    }
    struct carnet_buf text;
    carnet_buf_init(&text, 256);
    for (size_t i = 0; i < rows->named_count; i++) {
        carnet_buf_clear(&text);
        carnet_target_put(&rows->named[i].target, &text);
        if (rows->named[i].target.kind != CARNET_TARGET_OURS && rows->named[i].name[0])
            carnet_rows_list(rows, rows->named[i].name, carnet_buf_slice(&text));
    }
    carnet_buf_deinit(&text);
    return CARNET_OK;
}

carnet_rc carnet_rows_csv_open(struct carnet_rows *rows, const struct carnet_rows_options *options,
                               struct carnet_err *err)
{
    rows->csv = carnet_alloc(sizeof *rows->csv);
    record_begin(&rows->csv->record);
    carnet_buf_init(&rows->csv->header, 4 * CARNET_LINE_LEN_MAX);
    struct sample sample;
    sample_begin(&sample);
    carnet_rc rc = recognise(rows, options, &sample, err);
    sample_end(&sample);
    parser_begin(&rows->csv->parser, rows->csv->separator ? rows->csv->separator : ';');
    return rc;
}

void carnet_rows_csv_close(struct carnet_rows *rows)
{
    if (!rows->csv)
        return;
    csv_free(&rows->csv->parser);
    record_end(&rows->csv->record);
    carnet_buf_deinit(&rows->csv->header);
    free(rows->csv);
    rows->csv = NULL;
}

/* --- reading -------------------------------------------------------------------------------------------------------
 */

static void parser_again(struct carnet_rows_csv *csv)
{
    csv_free(&csv->parser);
    parser_begin(&csv->parser, csv->separator);
}

/* The record's quote never ends, or swallows rows: its first line alone is rejected, and the next ones are read again.
 */
static void give_up_record(struct carnet_rows *rows, size_t first_len)
{
    struct carnet_source *source = &rows->source;
    parser_again(rows->csv);
    if (rows->csv->resyncs++ < RESYNC_MAX) {
        carnet_source_back(source, first_len, rows->line + 1);
        rows->record = carnet_slice(source->win + source->mark, first_len);
    }
    record_clear(&rows->csv->record);
    carnet_rows_refuse(rows, CARNET_MALFORMED, "a quotation mark that is opened and not closed");
}

/* Reads one record; OK also when it is refused. */
static carnet_rc read_record(struct carnet_rows *rows)
{
    struct carnet_rows_csv *csv = rows->csv;
    struct carnet_source *source = &rows->source;
    size_t first_len = 0;
    carnet_source_mark(source);
    record_clear(&csv->record);
    for (size_t lines = 1;; lines++) {
        struct carnet_slice line;
        uint64_t number = source->line;
        if (lines == 1)
            rows->line = number;
        switch (carnet_source_next(source, &line)) {
        case CARNET_SOURCE_FAILED: return CARNET_FAILED;
        case CARNET_SOURCE_END:
            if (lines == 1)
                return CARNET_NOT_FOUND;
            rows->record = carnet_slice(source->win + source->mark, source->at - source->mark);
            give_up_record(rows, first_len);
            return CARNET_OK;
        case CARNET_SOURCE_TOO_LONG:
            if (lines > 1)
                parser_again(csv);
            record_clear(&csv->record);
            rows->line = number;
            carnet_rows_refuse(rows, CARNET_LIMIT, "longer than %d KiB", CARNET_LINE_LEN_MAX / 1024);
            return CARNET_OK;
        case CARNET_SOURCE_LINE: break;
        }
        if (lines == 1)
            first_len = line.len;
        if (lines == 1 && csv->is_rejects && begins_rejects(line)) {
            carnet_source_back(source, 0, number);
            return CARNET_AGAIN;
        }
        bool goes_on = feed(&csv->parser, &csv->record, line);
        size_t len = source->at - source->mark;
        rows->record = carnet_slice(source->win + source->mark, len);
        bool swallows = lines > 20 && csv->record.used > csv->column_count && csv->resyncs < RESYNC_MAX;
        if (goes_on && len <= CARNET_LINE_LEN_MAX)
            continue;
        if (goes_on || swallows)
            give_up_record(rows, first_len);
        return CARNET_OK;
    }
}

struct carnet_slice carnet_rows_csv_cell(struct carnet_rows *rows, size_t i, struct carnet_buf *scratch)
{
    const struct record *r = &rows->csv->record;
    return i < r->count ? carnet_source_text(&rows->source, cell_of(r, i), scratch) : CARNET_SLICE_NONE;
}

/* Another header of a file of rejected rows. */
static carnet_rc begin_again(struct carnet_rows *rows)
{
    struct sample sample;
    struct carnet_err err = CARNET_ERR_INIT;
    err.lang = rows->lang;
    for (size_t i = 0; i < rows->named_count; i++) {
        free(rows->named[i].name);
        free(rows->named[i].key);
    }
    rows->named_count = 0;
    rows->csv->column_count = rows->csv->order_count = 0;
    sample_begin(&sample);
    carnet_rc rc = recognise(rows, &rows->options, &sample, &err);
    sample_end(&sample);
    parser_again(rows->csv);
    if (rc == CARNET_FAILED)
        return rc;
    if (rc != CARNET_OK) {
        struct carnet_slice line;
        if (carnet_source_next(&rows->source, &line) == CARNET_SOURCE_FAILED)
            return CARNET_FAILED;
        rows->record = line;
        carnet_rows_refuse(rows, rc, "%s", err.what);
    }
    return CARNET_OK;
}

/* What a spreadsheet makes of a cell. EMPTY: an error of its own (#REF!). */
enum formula { FORMULA_NONE, FORMULA_EMPTY, FORMULA_TEXT, FORMULA_REAL };
static enum formula read_formula(struct carnet_slice text, struct carnet_buf *out)
{
    static const char *const errors[] = {"#REF!", "#NAME?", "#NOM?",  "#VALUE!", "#VALEUR!",
                                         "#DIV/0!", "#NULL!", "#NUL!", "#NUM!",  "#N/A", "#NOMBRE!"};
    for (size_t i = 0; text.len && text.ptr[0] == '#' && i < sizeof errors / sizeof errors[0]; i++)
        if (carnet_slice_equal(text, carnet_slice_str(errors[i])))
            return FORMULA_EMPTY;
    if (text.len < 2 || text.ptr[0] != '=')
        return FORMULA_NONE;
    size_t at = 1, letters = 0, digits = 0;
    for (; at < text.len && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ_.$", text.ptr[at]) && text.ptr[at]; at++)
        letters++;
    for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++)
        digits++;
    bool call = letters && at < text.len && text.ptr[at] == '(', link = false;
    if (call) {
        struct carnet_slice name = carnet_slice(text.ptr + 1, at - 1);
        link = carnet_slice_equal(name, carnet_slice_str("HYPERLINK")) || carnet_slice_equal(name, carnet_slice_str("LIEN_HYPERTEXTE"));
        at++;
    }
    if ((link || (letters == 0 && digits == 0)) && at < text.len && text.ptr[at] == '"') { /* ="0639980001" */
        carnet_buf_clear(out);
        for (at++; at < text.len; at++) {
            if (text.ptr[at] == '"' && (at + 1 == text.len || text.ptr[at + 1] != '"'))
                return link || at + 1 == text.len ? FORMULA_TEXT : FORMULA_REAL;
            at += text.ptr[at] == '"';
            carnet_buf_append_byte(out, text.ptr[at]);
        }
        return FORMULA_REAL;
    }
    bool reference = letters && letters <= 5 && digits && (at == text.len || strchr("+-*/&:;,<>=^% $", text.ptr[at]));
    return call || reference ? FORMULA_REAL : FORMULA_NONE;
}

/* The label that another column gives to this one's value; *primary: Google's star before it. */
static void label_of(struct carnet_rows *rows, size_t column, char label[CARNET_LABEL_LEN_MAX + 1], bool *primary)
{
    label[0] = 0;
    *primary = false;
    size_t from = rows->csv->labels[column];
    if (from >= rows->csv->record.used)
        return;
    struct carnet_slice text = carnet_rows_csv_cell(rows, from, &rows->scratch);
    if (text.len > 2 && text.ptr[0] == '*' && text.ptr[1] == ' ') {
        text = carnet_slice(text.ptr + 2, text.len - 2);
        *primary = true;
    }
    carnet_buf_clear(&rows->value);
    if (text.len && carnet_value_label(text, &rows->value, NULL) == CARNET_OK) {
        snprintf(label, CARNET_LABEL_LEN_MAX + 1, "%s", carnet_buf_cstr(&rows->value));
        for (char *c = label; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
    }
}

static void take_cell(struct carnet_rows *rows, size_t i, const char *label)
{
    const struct carnet_target *target = &rows->named[i].target;
    struct carnet_slice text = carnet_rows_csv_cell(rows, i, &rows->scratch);
    if (text.len && (text.ptr[0] == '=' || text.ptr[0] == '#')) {
        switch (read_formula(text, &rows->unarmed)) {
        case FORMULA_NONE: break;
        case FORMULA_EMPTY: return;
        case FORMULA_TEXT: text = carnet_buf_slice(&rows->unarmed); break;
        case FORMULA_REAL:
            carnet_rows_refuse(rows, CARNET_USAGE, "column \"%.60s\": a formula, not a value", rows->named[i].name);
            return;
        }
    } else if (carnet_csv_is_disarmed(text)) {
        carnet_buf_clear(&rows->unarmed);
        carnet_csv_rearm(text, &rows->unarmed);
        text = carnet_buf_slice(&rows->unarmed);
    }
    if (rows->in_roll && target->kind == CARNET_TARGET_FIELD &&
        (target->def->field == CARNET_FIELD_CITY || target->def->field == CARNET_FIELD_COUNTRY))
        text = carnet_roll_place(rows, target->def->field == CARNET_FIELD_COUNTRY, text);
    carnet_rows_take(rows, target, carnet_slice_str(rows->named[i].name), carnet_slice_str(label), text);
}

/* A column that says yes, or since when, of an address that does not work. */
static void take_bad(struct carnet_rows *rows, size_t i)
{
    const struct carnet_target *bad = &rows->named[i].target;
    enum carnet_answer answer = carnet_value_answer(carnet_rows_csv_cell(rows, i, &rows->scratch));
    if (answer != CARNET_ANSWER_YES && answer != CARNET_ANSWER_OTHER)
        return;
    for (size_t j = 0; j < rows->named_count; j++) {
        const struct carnet_target *target = &rows->named[j].target;
        if (target->kind == CARNET_TARGET_FIELD && target->def == bad->def && strcmp(target->text, bad->text) == 0 &&
            (!bad->number || bad->number == target->number)) {
            struct carnet_slice text = carnet_rows_csv_cell(rows, j, &rows->scratch);
            if (text.len)
                carnet_rows_take_bad(rows, bad->def, text);
        }
    }
}

carnet_rc carnet_rows_csv_next(struct carnet_rows *rows)
{
    struct carnet_rows_csv *csv = rows->csv;
    const struct record *r = &csv->record;
    carnet_rc rc = read_record(rows);
    if (rc == CARNET_AGAIN)
        return begin_again(rows);
    if (rc != CARNET_OK || rows->why.rc != CARNET_OK || r->used == 0)
        return rc;
    bool any = false; /* something besides the columns that a reject file adds */
    for (size_t i = 0; i < r->used && !any; i++)
        any = cell_of(r, i).len && (i >= csv->column_count || rows->named[i].target.kind != CARNET_TARGET_OURS);
    if (!any)
        return CARNET_OK;
    rows->build.any = true;
    if (r->too_many || r->used > csv->column_count) {
        carnet_rows_refuse(rows, CARNET_MALFORMED, "more cells than the header has columns");
        return CARNET_OK;
    }
    if (memchr(rows->record.ptr, 0, rows->record.len)) {
        carnet_rows_refuse(rows, CARNET_MALFORMED, "a NUL byte");
        return CARNET_OK;
    }
    for (size_t k = 0; k < csv->bad_count; k++)
        take_bad(rows, csv->bad[k]);
    /* countries, then what is starred, then the rest: the order says who comes first among equals */
    for (int pass = csv->has_labels ? 0 : 2; pass < 3; pass++)
        for (size_t k = 0; k < csv->order_count; k++) {
            size_t i = csv->order[k];
            char label[CARNET_LABEL_LEN_MAX + 1] = "";
            bool primary = false;
            if (i >= r->used || cell_of(r, i).len == 0)
                continue;
            if (csv->has_labels) {
                const struct carnet_target *target = &rows->named[i].target;
                bool is_country = target->kind == CARNET_TARGET_FIELD && target->def->field == CARNET_FIELD_COUNTRY;
                label_of(rows, i, label, &primary);
                if (pass != (is_country ? 0 : primary ? 1 : 2))
                    continue;
            }
            take_cell(rows, i, label);
        }
    return CARNET_OK;
}

void carnet_rows_csv_put_reject(struct carnet_rows *rows, const struct carnet_row *row, bool header,
                                struct carnet_buf *out)
{
    struct carnet_rows_csv *csv = rows->csv;
    char separator = (char)csv->separator;
    if (header) {
        carnet_buf_printf(out, "carnet_line%ccarnet_reason%c", separator, separator);
        carnet_buf_append_slice(out, carnet_buf_slice(&csv->header));
        carnet_buf_append_str(out, "\r\n");
    }
    carnet_buf_printf(out, "%llu%c", (unsigned long long)row->line, separator);
    carnet_csv_put_cell(out, carnet_slice_str(row->reason ? row->reason : ""), separator);
    if (rows->record.len)
        put_line_text(rows, rows->record, out);
    carnet_buf_append_str(out, "\r\n");
}

/* --- writing -------------------------------------------------------------------------------------------------------
 */

/* Bytes of a character that a spreadsheet takes for the start of a formula; 0: none. */
static size_t formula_at(struct carnet_slice s, size_t at)
{
    if (at >= s.len)
        return 0;
    uint8_t c = s.ptr[at];
    if (c == '=' || c == '+' || c == '-' || c == '@')
        return 1;
    if (c != 0xef || s.len - at < 3 || s.ptr[at + 1] != 0xbc) /* full-width: U+FF0B U+FF0D U+FF1D, U+FF20 is ef bc a0 */
        return 0;
    c = s.ptr[at + 2];
    return c == 0x8b || c == 0x8d || c == 0x9d || c == 0xa0 ? 3 : 0;
}

static bool is_control(struct carnet_slice s, size_t at)
{
    return at < s.len && (s.ptr[at] == '\t' || s.ptr[at] == '\r' || s.ptr[at] == '\n' || s.ptr[at] == 0);
}

/* After these another spreadsheet, with another separator, sees the start of a cell. */
static bool is_boundary(uint8_t c)
{
    return c == ';' || c == '|' || c == ',' || c == '\t' || c == '\n' || c == '\r';
}

/* A run of apostrophes at the start of a cell, or after a boundary, with what sets off a formula behind it: the run's
 * length goes into *run. The rules for writing (one more) and reading (one less) are each other's inverse, since both
 * look at the same runs. */
static bool armed_at(struct carnet_slice s, size_t at, size_t *run)
{
    size_t end = at;
    while (end < s.len && s.ptr[end] == '\'')
        end++;
    *run = end - at;
    return formula_at(s, end) || (at == 0 && is_control(s, end));
}

void carnet_csv_put_cell(struct carnet_buf *out, struct carnet_slice value, char after)
{
    size_t run;
    bool quoted = value.len && (value.ptr[0] == ' ' || value.ptr[value.len - 1] == ' ' || armed_at(value, 0, &run));
    for (size_t i = 0; i < value.len && !quoted; i++)
        quoted = is_boundary(value.ptr[i]) || value.ptr[i] == '"' || value.ptr[i] == 0;
    if (quoted)
        carnet_buf_append_byte(out, '"');
    for (size_t i = 0; i < value.len; i++) {
        if ((i == 0 || is_boundary(value.ptr[i - 1])) && armed_at(value, i, &run))
            carnet_buf_append_byte(out, '\'');
        if (value.ptr[i] == '"')
            carnet_buf_append_byte(out, '"');
        carnet_buf_append_byte(out, value.ptr[i]);
    }
    if (quoted)
        carnet_buf_append_byte(out, '"');
    if (after == '\n')
        carnet_buf_append_str(out, "\r\n");
    else
        carnet_buf_append_byte(out, (uint8_t)after);
}

bool carnet_csv_is_disarmed(struct carnet_slice cell)
{
    size_t run;
    const uint8_t *mark = cell.len ? memchr(cell.ptr, '\'', cell.len) : NULL;
    for (; mark; mark = memchr(mark + 1, '\'', cell.len - (size_t)(mark + 1 - cell.ptr))) {
        size_t at = (size_t)(mark - cell.ptr);
        if ((at == 0 || is_boundary(cell.ptr[at - 1])) && armed_at(cell, at, &run) && run > 0)
            return true;
    }
    return false;
}

void carnet_csv_rearm(struct carnet_slice cell, struct carnet_buf *out)
{
    for (size_t i = 0; i < cell.len; i++) {
        size_t run;
        if (cell.ptr[i] == '\'' && (i == 0 || is_boundary(cell.ptr[i - 1])) && armed_at(cell, i, &run) && run > 0)
            continue;
        carnet_buf_append_byte(out, cell.ptr[i]);
    }
}
