// SPDX-License-Identifier: EUPL-1.2
#include "query_parse.h"

#include <stdlib.h>
#include <string.h>

size_t carnet_query_column(const struct query_parser *p, size_t at)
{
    size_t column = 1;
    for (size_t i = 0; i < at; i++)
        column += (p->text.ptr[i] & 0xc0) != 0x80;
    return column;
}

struct query_shown carnet_query_shown(struct carnet_slice text)
{
    struct query_shown shown;
    size_t len = text.len < sizeof shown.s ? text.len : sizeof shown.s - 1;
    while (len && len < text.len && (text.ptr[len] & 0xc0) == 0x80)
        len--;
    if (len)
        memcpy(shown.s, text.ptr, len);
    shown.s[len] = 0;
    return shown;
}

carnet_rc carnet_query_node_new(struct query_parser *p, enum query_kind kind, struct query_node **out)
{
    if (p->nodes == CARNET_QUERY_NODES_MAX)
        return carnet_err_set(p->err, CARNET_USAGE, "the query has more than %d words and operators",
                              CARNET_QUERY_NODES_MAX);
    p->nodes++;
    *out = carnet_arena_alloc(&p->query->arena, sizeof **out);
    (*out)->kind = kind;
    (*out)->column = p->column;
    if (kind == QUERY_AGE)
        p->query->asks |= QUERY_ASKS_DAY;
    if (kind == QUERY_AGO || kind == QUERY_DAY)
        p->query->asks |= QUERY_ASKS_MOMENT | (kind == QUERY_AGO ? QUERY_ASKS_NOW : 0);
    return CARNET_OK;
}

struct carnet_slice carnet_query_keep(struct query_parser *p, struct carnet_query_text *text)
{
    struct carnet_slice kept = carnet_arena_dup(&p->query->arena, carnet_query_text_slice(text));
    carnet_query_text_deinit(text);
    return kept;
}

/* The index keeps no positions (detail none), so words in a row are words that are all there: the exact match looks at their order. */
struct carnet_slice carnet_query_fts_words(struct query_parser *p, const char *mark, struct carnet_slice words, bool prefix)
{
    uint8_t array[256];
    struct carnet_query_text text;
    size_t pieces = 0;
    bool inside = false;
    carnet_query_text_init(&text, array, sizeof array);
    carnet_query_text_put(&text, "(", 1);
    if (mark) {
        carnet_query_text_put(&text, "\"", 1);
        carnet_query_text_put(&text, mark, QUERY_MARK_LEN);
        inside = true;
        pieces = 1;
    }
    for (size_t at = 0, len; at < words.len; at += len) {
        enum carnet_query_token token = carnet_query_token_at(words, at, &len);
        if (token == QUERY_TOKEN_UNKNOWN) {
            carnet_query_text_deinit(&text);
            return CARNET_SLICE_NONE;
        }
        if (token == QUERY_TOKEN_PART && !inside) {
            carnet_query_text_put(&text, pieces ? " AND \"" : "\"", pieces ? 6 : 1);
            pieces++;
        }
        if (token == QUERY_TOKEN_NOT && inside)
            carnet_query_text_put(&text, "\"", 1);
        if (token == QUERY_TOKEN_PART)
            carnet_query_text_put(&text, words.ptr + at, len);
        inside = token == QUERY_TOKEN_PART;
    }
    if (inside)
        carnet_query_text_put(&text, "\"*", prefix ? 2 : 1);
    if (pieces > 1)
        carnet_query_text_put(&text, ")", 1);
    struct carnet_slice kept = carnet_query_keep(p, &text);
    if (pieces == 1)
        kept = carnet_slice(kept.ptr + 1, kept.len - 1);
    return pieces ? kept : CARNET_SLICE_NONE;
}

bool carnet_query_fts_single(struct carnet_slice fts)
{
    return fts.len && !memmem(fts.ptr, fts.len, " AND ", 5) && !memmem(fts.ptr, fts.len, " OR ", 4);
}

/* Reading the text */

/* Bytes of a white space at `at`; 0: none. */
static size_t space_at(const struct query_parser *p, size_t at)
{
    const uint8_t *b = p->text.ptr + at;
    size_t left = p->text.len - at;
    if (left && (b[0] == ' ' || (b[0] >= '\t' && b[0] <= '\r')))
        return 1;
    if (left >= 2 && b[0] == 0xc2 && b[1] == 0xa0)
        return 2;
    bool wide = left >= 3 && b[0] == 0xe2 && b[1] == 0x80 && (b[2] <= 0x8a || b[2] == 0xaf);
    return wide || (left >= 3 && b[0] == 0xe3 && b[1] == 0x80 && b[2] == 0x80) ? 3 : 0;
}

static void skip_spaces(struct query_parser *p)
{
    for (size_t len; (len = space_at(p, p->at));)
        p->at += len;
}

static bool starts(const struct query_parser *p, size_t at, const char *with)
{
    size_t len = strlen(with);
    return p->text.len - at >= len && memcmp(p->text.ptr + at, with, len) == 0;
}

/* The mark that closes a quotation opened at `at`; NULL: none is opened. */
static const char *quote_at(const struct query_parser *p, size_t at, size_t *len)
{
    static const struct {
        const char *open, *close;
    } quotes[] = { { "\"", "\"" }, { "“", "”" }, { "«", "»" } };
    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++) {
        if (starts(p, at, quotes[i].open)) {
            *len = strlen(quotes[i].open);
            return quotes[i].close;
        }
    }
    return NULL;
}

/* End of what stands without space, parenthesis or quotation mark. */
static size_t run_end(const struct query_parser *p, size_t at)
{
    size_t len;
    while (at < p->text.len && !space_at(p, at) && p->text.ptr[at] != '(' && p->text.ptr[at] != ')' &&
           !quote_at(p, at, &len))
        at++;
    return at;
}

static bool is_word(struct carnet_slice run, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; run.len == len && i < len; i++)
        if ((run.ptr[i] | 0x20) != word[i])
            return false;
    return run.len == len;
}

/* One of the two words stands here, with something after it that it can join. *end is behind it. */
static bool operator_at(const struct query_parser *p, const char *english, const char *french, size_t *end)
{
    *end = run_end(p, p->at);
    struct carnet_slice run = carnet_slice(p->text.ptr + p->at, *end - p->at);
    if (!is_word(run, english) && !is_word(run, french))
        return false;
    size_t after = *end;
    for (size_t len; (len = space_at(p, after));)
        after += len;
    return after < p->text.len && p->text.ptr[after] != ')';
}

static carnet_rc parse_or(struct query_parser *p, struct query_node **out);

/* Reads a quotation from p->at, which opens it. A star behind it: prefix. */
static carnet_rc read_quotation(struct query_parser *p, struct query_value *value)
{
    size_t open = p->at, len;
    const char *close = quote_at(p, open, &len);
    size_t from = open + len;
    for (size_t at = from; at < p->text.len; at++) {
        if (!starts(p, at, close))
            continue;
        p->at = at + strlen(close);
        *value = (struct query_value){ .text = carnet_slice(p->text.ptr + from, at - from), .at = open };
        value->star_last = starts(p, p->at, "*");
        p->at += value->star_last;
        value->whole = value->text;
        return CARNET_OK;
    }
    return carnet_err_set(p->err, CARNET_USAGE, "column %zu: this quotation mark is not closed", carnet_query_column(p, open));
}

static struct query_value plain_value(const struct query_parser *p, size_t at, size_t end)
{
    struct query_value value = { .text = carnet_slice(p->text.ptr + at, end - at), .at = at };
    value.whole = value.text;
    if (value.text.len && value.text.ptr[0] == '*') {
        value.star_first = true;
        value.text.ptr++;
        value.text.len--;
    }
    if (value.text.len && value.text.ptr[value.text.len - 1] == '*') {
        value.star_last = true;
        value.text.len--;
    }
    value.any = value.star_first && !value.text.len;
    return value;
}

static carnet_rc phrase_node(struct query_parser *p, const struct query_value *value, struct query_node **out)
{
    uint8_t array[256];
    struct carnet_query_text words;
    carnet_query_text_init(&words, array, sizeof array);
    if (!carnet_query_put_words(&words, value->text)) {
        carnet_query_text_deinit(&words);
        return CARNET_OK;
    }
    if (!value->star_last)
        carnet_query_text_put(&words, " ", 1);
    struct carnet_slice needle = carnet_query_keep(p, &words);
    carnet_rc rc = carnet_query_node_new(p, QUERY_WORDS, out);
    if (rc)
        return rc;
    (*out)->needle = needle;
    (*out)->fts = carnet_query_fts_words(p, NULL, needle, value->star_last);
    (*out)->exact = carnet_query_fts_single((*out)->fts);
    return CARNET_OK;
}

static bool all_digits(struct carnet_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

/* A prefix of digits as it may stand in the index: 0033 is +33. */
static struct carnet_slice number_needle(struct query_parser *p, struct carnet_slice digits)
{
    uint8_t array[64];
    struct carnet_query_text text;
    size_t skip = digits.len > 2 && digits.ptr[0] == '0' && digits.ptr[1] == '0' ? 2 : 0;
    carnet_query_text_init(&text, array, sizeof array);
    carnet_query_text_put(&text, " ", 1);
    carnet_query_text_put(&text, digits.ptr + skip, digits.len - skip);
    return carnet_query_keep(p, &text);
}

static carnet_rc word_node(struct query_parser *p, struct carnet_slice run, struct query_node **out)
{
    uint8_t array[256];
    struct carnet_query_text text;
    carnet_query_text_init(&text, array, sizeof array);
    size_t count = carnet_query_put_words(&text, run);
    struct carnet_slice needle = carnet_query_keep(p, &text);
    if (!count)
        return CARNET_OK;
    carnet_query_text_init(&text, array, sizeof array);
    carnet_query_put_joined(&text, run);
    struct carnet_slice joined = carnet_query_keep(p, &text);
    struct query_node *node;
    carnet_rc rc = carnet_query_node_new(p, QUERY_WORDS, &node);
    if (rc)
        return rc;
    *out = node;
    node->needle = needle;
    node->fts = carnet_query_fts_words(p, NULL, needle, true);
    node->exact = carnet_query_fts_single(node->fts);
    if (all_digits(joined))
        p->digits = joined;
    if (count > 1 || (p->digits.len > 2 && joined.ptr[0] == '0' && joined.ptr[1] == '0')) {
        uint8_t both[512];
        if (p->digits.len) {
            node->other = number_needle(p, joined);
        } else {
            carnet_query_text_init(&text, array, sizeof array);
            carnet_query_text_put(&text, " ", 1);
            carnet_query_text_put(&text, joined.ptr, joined.len);
            node->other = carnet_query_keep(p, &text);
        }
        struct carnet_slice other = carnet_query_fts_words(p, NULL, node->other, true);
        carnet_query_text_init(&text, both, sizeof both);
        if (node->fts.len && other.len) {
            carnet_query_text_put(&text, "(", 1);
            carnet_query_text_put(&text, node->fts.ptr, node->fts.len);
            carnet_query_text_put(&text, " OR ", 4);
            carnet_query_text_put(&text, other.ptr, other.len);
            carnet_query_text_put(&text, ")", 1);
        }
        node->fts = carnet_query_keep(p, &text);
        node->exact = false;
    }
    return CARNET_OK;
}

static carnet_rc parse_run(struct query_parser *p, struct query_node **out)
{
    size_t from = p->at;
    size_t end = run_end(p, from);
    struct carnet_slice run = carnet_slice(p->text.ptr + from, end - from);
    const uint8_t *colon = memchr(run.ptr, ':', run.len);
    p->at = end;
    if (!colon || colon == run.ptr)
        return word_node(p, run, out);
    struct carnet_slice name = carnet_slice(run.ptr, (size_t)(colon - run.ptr));
    size_t at = from + name.len + 1, len;
    struct query_value value = plain_value(p, at, end);
    if (at == end && quote_at(p, at, &len)) {
        carnet_rc rc = read_quotation(p, &value);
        if (rc)
            return rc;
    }
    return carnet_query_parse_value(p, name, from, &value, out);
}

static carnet_rc parse_parentheses(struct query_parser *p, struct query_node **out)
{
    size_t open = p->at++;
    if (p->depth == CARNET_QUERY_DEPTH_MAX)
        return carnet_err_set(p->err, CARNET_USAGE, "column %zu: more than %d parentheses in each other",
                              carnet_query_column(p, open), CARNET_QUERY_DEPTH_MAX);
    p->depth++;
    carnet_rc rc = parse_or(p, out);
    p->depth--;
    p->digits = CARNET_SLICE_NONE;
    if (rc)
        return rc;
    if (!starts(p, p->at, ")"))
        return carnet_err_set(p->err, CARNET_USAGE, "column %zu: this parenthesis is not closed",
                              carnet_query_column(p, open));
    p->at++;
    return CARNET_OK;
}

/* *out stays NULL when there is nothing to look for. */
static carnet_rc parse_factor(struct query_parser *p, struct query_node **out)
{
    static const char *const nots[] = { "-", "\xe2\x88\x92", "–" }; /* what keyboards make of it: minus sign, en dash */
    struct query_value phrase;
    size_t len = 0;
    *out = NULL;
    p->digits = CARNET_SLICE_NONE;
    for (size_t i = 0; !len && i < sizeof nots / sizeof *nots; i++)
        if (starts(p, p->at, nots[i]))
            len = strlen(nots[i]);
    bool negated = len > 0;
    if (!p->nested)
        p->column = carnet_query_column(p, p->at);
    p->at += len;
    if (p->at == p->text.len || space_at(p, p->at))
        return CARNET_OK; /* a sign that stands alone */
    carnet_rc rc;
    if (starts(p, p->at, "(")) {
        rc = parse_parentheses(p, out);
    } else if (quote_at(p, p->at, &len)) {
        rc = read_quotation(p, &phrase);
        if (!rc)
            rc = phrase_node(p, &phrase, out);
    } else {
        rc = parse_run(p, out);
    }
    if (rc || !negated || !*out)
        return rc;
    struct query_node *child = *out;
    p->digits = CARNET_SLICE_NONE;
    rc = carnet_query_node_new(p, QUERY_NOT, out);
    if (!rc)
        (*out)->first = child;
    return rc;
}

/* A list of children, and the words of digits that end it. */
struct list {
    struct query_node *first, **tail;
    size_t count;
    struct query_node **run; /* where the first of those words hangs */
    size_t run_count;
    struct carnet_query_text digits;
};

/* 06 39 98: each of the words, or the number they make. */
static carnet_rc close_run(struct query_parser *p, struct list *list)
{
    struct query_node *either, *number, *each;
    size_t count = list->run_count;
    list->run_count = 0;
    if (count < 2) {
        list->digits.len = 0;
        return CARNET_OK;
    }
    carnet_rc rc = carnet_query_node_new(p, QUERY_OR, &either);
    if (!rc)
        rc = carnet_query_node_new(p, QUERY_WORDS, &number);
    if (!rc)
        rc = carnet_query_node_new(p, QUERY_AND, &each);
    if (rc)
        return rc;
    number->needle = number_needle(p, carnet_query_text_slice(&list->digits));
    number->fts = carnet_query_fts_words(p, NULL, number->needle, true);
    number->exact = carnet_query_fts_single(number->fts);
    each->first = *list->run;
    either->first = number;
    number->next = each;
    *list->run = either;
    list->tail = &either->next;
    list->count -= count - 1;
    list->digits.len = 0;
    return CARNET_OK;
}

static carnet_rc list_add(struct query_parser *p, struct list *list, struct query_node *node)
{
    if (!p->digits.len) {
        carnet_rc rc = close_run(p, list);
        if (rc)
            return rc;
    } else {
        if (!list->run_count++)
            list->run = list->tail;
        carnet_query_text_put(&list->digits, p->digits.ptr, p->digits.len);
    }
    *list->tail = node;
    list->tail = &node->next;
    list->count++;
    return CARNET_OK;
}

/* The node of a list of children: none, the only one, or an operator over them. */
static carnet_rc list_node(struct query_parser *p, struct list *list, enum query_kind kind, struct query_node **out)
{
    *out = list->first;
    if (list->count < 2)
        return CARNET_OK;
    carnet_rc rc = carnet_query_node_new(p, kind, out);
    if (!rc)
        (*out)->first = list->first;
    return rc;
}

static bool is_end(const struct query_parser *p)
{
    return p->at == p->text.len || p->text.ptr[p->at] == ')';
}

static carnet_rc parse_and(struct query_parser *p, struct query_node **out)
{
    uint8_t array[64];
    struct list list = { .first = NULL };
    carnet_rc rc = CARNET_OK;
    size_t end;
    list.tail = &list.first;
    carnet_query_text_init(&list.digits, array, sizeof array);
    for (skip_spaces(p); !rc && !is_end(p); skip_spaces(p)) {
        struct query_node *node;
        if (list.count && operator_at(p, "or", "ou", &end))
            break;
        if (list.count && operator_at(p, "and", "et", &end)) {
            p->at = end;
            rc = close_run(p, &list);
            continue;
        }
        rc = parse_factor(p, &node);
        if (!rc && node)
            rc = list_add(p, &list, node);
    }
    if (!rc)
        rc = close_run(p, &list);
    carnet_query_text_deinit(&list.digits);
    p->digits = CARNET_SLICE_NONE;
    return rc ? rc : list_node(p, &list, QUERY_AND, out);
}

static carnet_rc parse_or(struct query_parser *p, struct query_node **out)
{
    struct list list = { .first = NULL };
    size_t end;
    list.tail = &list.first;
    for (;;) {
        struct query_node *node = NULL;
        carnet_rc rc = parse_and(p, &node);
        if (!rc && node) {
            *list.tail = node;
            list.tail = &node->next;
            list.count++;
        }
        if (rc)
            return rc;
        if (is_end(p) || !operator_at(p, "or", "ou", &end))
            return list_node(p, &list, QUERY_OR, out);
        p->at = end;
    }
}

carnet_rc carnet_query_parse_all(struct query_parser *p, struct query_node **out)
{
    *out = NULL;
    if (p->text.len > CARNET_QUERY_LEN_MAX)
        return carnet_err_set(p->err, CARNET_USAGE, "the query is longer than %d bytes", CARNET_QUERY_LEN_MAX);
    if (!carnet_text_is_utf8(p->text))
        return carnet_err_set(p->err, CARNET_USAGE, "the query is not text in UTF-8");
    p->text = carnet_arena_dup(&p->query->arena, p->text);
    carnet_buf_append_slice(&p->query->texts, p->text);
    carnet_buf_append_byte(&p->query->texts, 0);
    carnet_rc rc = parse_or(p, out);
    if (!rc && p->at < p->text.len)
        rc = carnet_err_set(p->err, CARNET_USAGE, "column %zu: no parenthesis is open that this one would close",
                            carnet_query_column(p, p->at));
    return rc;
}

carnet_rc carnet_query_parse_in(const struct carnet_query_context *context, struct carnet_slice text,
                                struct carnet_query **out, struct carnet_err *err)
{
    *out = NULL;
    uint8_t array[256];
    struct carnet_query_text name;
    struct carnet_query *query = carnet_alloc(sizeof *query);
    carnet_arena_init(&query->arena);
    carnet_buf_init(&query->texts, (CARNET_QUERY_LEN_MAX + 1) * (CARNET_QUERY_NODES_MAX + 1) * CARNET_QUERY_INSIDE_MAX);
    struct query_inside own = { .outer = NULL };
    struct query_parser p = { .query = query, .context = context, .charter = context->charter, .text = text, .err = err };
    if (context->name.len) {
        carnet_query_text_init(&name, array, sizeof array);
        carnet_query_put_joined(&name, context->name);
        own.name = carnet_query_keep(&p, &name);
        p.inside = &own;
    }
    struct query_node *root = NULL;
    carnet_rc rc = carnet_query_parse_all(&p, &root);
    if (!rc && !root) {
        root = carnet_arena_alloc(&query->arena, sizeof *root);
        root->kind = QUERY_ALL;
    }
    if (rc) {
        carnet_query_free(query);
        return rc;
    }
    query->root = root;
    *out = query;
    return CARNET_OK;
}

carnet_rc carnet_query_parse(const struct carnet_charter *charter, struct carnet_slice text, struct carnet_query **out,
                             struct carnet_err *err)
{
    const struct carnet_query_context context = { .charter = charter };
    return carnet_query_parse_in(&context, text, out, err);
}

void carnet_query_free(struct carnet_query *query)
{
    if (query) {
        carnet_arena_deinit(&query->arena);
        carnet_buf_deinit(&query->texts);
        free(query);
    }
}
