// SPDX-License-Identifier: EUPL-1.2
#include "query_node.h"

#include "carnet/people/people.h"

#include <string.h>

/* One contact under one query; `search` is made when a word first asks for it. */
struct eval {
    const struct carnet_query_subject *subject;
    struct carnet_query_text search, value;
    bool searched;
};

static bool holds(const struct carnet_query_text *text, struct carnet_slice needle)
{
    return needle.len && memmem(text->ptr, text->len, needle.ptr, needle.len) != NULL;
}

static bool words_match(struct eval *e, const struct query_node *node)
{
    if (!e->searched) {
        carnet_query_put_search(&e->search, e->subject->cells, e->subject->count);
        e->searched = true;
    }
    return holds(&e->search, node->needle) || holds(&e->search, node->other);
}

static bool form_matches(struct eval *e, enum carnet_query_form form, struct carnet_slice needle, struct carnet_slice value)
{
    e->value.len = 0;
    carnet_query_put_form(&e->value, form, value);
    return holds(&e->value, needle);
}

static struct carnet_slice joined(struct eval *e, struct carnet_slice value)
{
    e->value.len = 0;
    carnet_query_put_joined(&e->value, value);
    return carnet_query_text_slice(&e->value);
}

static bool born_matches(const struct query_node *node, struct carnet_slice value)
{
    uint64_t first, last;
    return carnet_query_date(value, &first, &last) && first >= node->low && last <= node->high;
}

static bool age_matches(const struct query_node *node, struct carnet_slice value, uint32_t today)
{
    uint64_t first, last;
    if (!carnet_query_date(value, &first, &last) || last > today)
        return false;
    uint64_t years = (today - last) / 10000; /* the last day it may be: as young as the date allows */
    return years >= node->low && years <= node->high;
}

static bool value_matches(struct eval *e, const struct query_node *node, struct carnet_slice value)
{
    uint64_t number;
    struct carnet_slice text;
    switch (node->kind) {
    case QUERY_VALUE:
        return !node->needle.len || form_matches(e, node->form, node->needle, value);
    case QUERY_CODE:
        text = joined(e, value);
        if (text.len < node->needle.len)
            return false;
        text.len = node->needle.len;
        return carnet_slice_compare(text, node->needle) >= 0 && carnet_slice_compare(text, node->other) <= 0;
    case QUERY_NUMBER:
        return carnet_query_number(joined(e, value), &number) && number >= node->low && number <= node->high;
    case QUERY_DECIMAL:
        return carnet_query_decimal(value, &number) && number >= node->low && number <= node->high;
    case QUERY_AGE:
        return age_matches(node, value, e->subject->today);
    case QUERY_BORN:
        return born_matches(node, value);
    case QUERY_ALL:
    case QUERY_AND:
    case QUERY_OR:
    case QUERY_NOT:
    case QUERY_WORDS:
    case QUERY_TAG:
    case QUERY_CONSENT:
    case QUERY_BOOK:
    case QUERY_ID:
    case QUERY_SOURCE:
    case QUERY_IMPORT:
    case QUERY_BASIS:
    case QUERY_AGO:
    case QUERY_DAY:
        break;
    }
    return false;
}

static bool cells_match(struct eval *e, const struct query_node *node)
{
    for (size_t i = 0; i < e->subject->count; i++) {
        const struct carnet_cell *cell = &e->subject->cells[i];
        if (cell->field != node->field)
            continue;
        if (node->label.len && !carnet_slice_equal(joined(e, cell->label), node->label))
            continue;
        for (size_t j = 0; j < cell->count; j++)
            if (cell->siblings[j]->value.len && value_matches(e, node, cell->siblings[j]->value))
                return true;
    }
    return false;
}

static bool is_tagged(const struct carnet_cell *cell)
{
    for (size_t j = 0; j < cell->count; j++)
        if (cell->siblings[j]->value.len)
            return true;
    return false;
}

static bool tag_matches(struct eval *e, const struct query_node *node)
{
    for (size_t i = 0; i < e->subject->count; i++) {
        const struct carnet_cell *cell = &e->subject->cells[i];
        if (cell->field == CARNET_FIELD_TAG && is_tagged(cell) &&
            (!node->needle.len || form_matches(e, QUERY_JOINED, node->needle, cell->label)))
            return true;
    }
    return false;
}

static bool consent_matches(const struct eval *e, const struct query_node *node)
{
    const struct carnet_query_subject *subject = e->subject;
    if (!subject->consent)
        return false;
    if (!carnet_slice_equal(node->name, carnet_slice_str("*")))
        return subject->consent(subject->ctx, node->name);
    for (size_t i = 0; carnet_purpose_at(subject->charter, i); i++)
        if (subject->consent(subject->ctx, carnet_slice_str(carnet_purpose_at(subject->charter, i)->name)))
            return true;
    return false;
}

static bool evidence_fits(struct eval *e, const struct query_node *node, struct carnet_slice evidence)
{
    if (node->kind == QUERY_SOURCE) {
        struct carnet_slice source = carnet_people_evidence_line(evidence, "source");
        return source.len && (!node->needle.len || form_matches(e, QUERY_PROSE, node->needle, source));
    }
    uint64_t low, high;
    struct carnet_slice import = carnet_people_evidence_line(evidence, "import");
    return import.len && carnet_id_range(import, &low, &high) && low >= node->low && high <= node->high;
}

static bool evidence_matches(struct eval *e, const struct query_node *node)
{
    for (size_t i = 0; i < e->subject->count; i++) {
        const struct carnet_cell *cell = &e->subject->cells[i];
        for (size_t j = 0; cell->field == CARNET_FIELD_EVIDENCE && j < cell->count; j++)
            if (evidence_fits(e, node, cell->siblings[j]->value))
                return true;
    }
    return false;
}

static bool basis_matches(const struct eval *e, const struct query_node *node)
{
    const struct carnet_query_subject *subject = e->subject;
    for (unsigned basis = CARNET_BASIS_CONSENT; subject->basis && basis <= CARNET_BASIS_ROLL; basis++)
        if ((!node->low || node->low == basis) && subject->basis(subject->ctx, (enum carnet_basis)basis))
            return true;
    return false;
}

static bool moment_matches(const struct eval *e, const struct query_node *node)
{
    int64_t ms = node->moment == QUERY_ADDED ? e->subject->added_ms : e->subject->changed_ms, now = e->subject->now_ms;
    if (ms <= 0)
        return false;
    uint64_t number = node->kind == QUERY_DAY ? carnet_query_day(ms) : now > ms ? (uint64_t)(now - ms) : 0;
    return number >= node->low && number <= node->high;
}

/* The parser bounds the depth. */
static bool matches(struct eval *e, const struct query_node *node)
{
    switch (node->kind) {
    case QUERY_ALL:
        return true;
    case QUERY_AND:
        for (const struct query_node *child = node->first; child; child = child->next)
            if (!matches(e, child))
                return false;
        return true;
    case QUERY_OR:
        for (const struct query_node *child = node->first; child; child = child->next)
            if (matches(e, child))
                return true;
        return false;
    case QUERY_NOT:
        return !matches(e, node->first);
    case QUERY_WORDS:
        return words_match(e, node);
    case QUERY_VALUE: case QUERY_CODE: case QUERY_NUMBER: case QUERY_DECIMAL: case QUERY_AGE: case QUERY_BORN:
        return cells_match(e, node);
    case QUERY_TAG:
        return tag_matches(e, node);
    case QUERY_CONSENT:
        return consent_matches(e, node);
    case QUERY_BOOK:
        return !node->needle.len || form_matches(e, QUERY_JOINED, node->needle, e->subject->book);
    case QUERY_ID: {
        uint64_t tail = carnet_id_tail(&e->subject->id);
        return tail >= node->low && tail <= node->high;
    }
    case QUERY_SOURCE: case QUERY_IMPORT:
        return evidence_matches(e, node);
    case QUERY_BASIS:
        return basis_matches(e, node);
    case QUERY_AGO: case QUERY_DAY:
        return moment_matches(e, node);
    }
    return false;
}

bool carnet_query_matches(const struct carnet_query *query, const struct carnet_query_subject *subject)
{
    uint8_t search[1024], value[512];
    struct eval e = { .subject = subject };
    carnet_query_text_init(&e.search, search, sizeof search);
    carnet_query_text_init(&e.value, value, sizeof value);
    bool matched = matches(&e, query->root);
    carnet_query_text_deinit(&e.search);
    carnet_query_text_deinit(&e.value);
    return matched;
}

bool carnet_query_is_all(const struct carnet_query *query)
{
    return query->root->kind == QUERY_ALL;
}

static bool put_fts(const struct query_node *node, struct carnet_buf *out)
{
    bool all = node->kind == QUERY_OR;
    if (node->kind != QUERY_AND && node->kind != QUERY_OR) {
        carnet_buf_append_slice(out, node->fts);
        return node->fts.len > 0;
    }
    size_t start = out->len, count = 0;
    carnet_buf_append_byte(out, '(');
    for (const struct query_node *child = node->first; child; child = child->next) {
        size_t before = out->len;
        if (count)
            carnet_buf_append_str(out, all ? " OR " : " AND ");
        if (put_fts(child, out)) {
            count++;
            continue;
        }
        out->len = before;
        if (all) {
            count = 0;
            break;
        }
    }
    carnet_buf_append_byte(out, ')');
    if (!count)
        out->len = start;
    return count > 0;
}

bool carnet_query_fts(const struct carnet_query *query, struct carnet_buf *out)
{
    size_t start = out->len;
    bool narrowed = put_fts(query->root, out);
    if (narrowed && !out->failed)
        return true;
    out->len = start;
    return false;
}

static void each_selector(const struct query_node *node,
                          void (*selector)(void *ctx, enum carnet_query_selector kind, struct carnet_slice name),
                          void *ctx)
{
    for (const struct query_node *child = node->first; child; child = child->next)
        each_selector(child, selector, ctx);
    if (!node->name.len)
        return;
    selector(ctx,
             node->kind == QUERY_TAG       ? CARNET_QUERY_TAG
             : node->kind == QUERY_CONSENT ? CARNET_QUERY_PURPOSE
             : node->kind == QUERY_SOURCE || node->kind == QUERY_IMPORT || node->kind == QUERY_BASIS ? CARNET_QUERY_ORIGIN
                                           : CARNET_QUERY_FIELD,
             node->name);
}

void carnet_query_selectors(const struct carnet_query *query,
                            void (*selector)(void *ctx, enum carnet_query_selector kind, struct carnet_slice name),
                            void *ctx)
{
    each_selector(query->root, selector, ctx);
}
