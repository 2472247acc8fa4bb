// SPDX-License-Identifier: EUPL-1.2
/* people/query: what the parser gives to the evaluator, and the forms of text they share. */
#ifndef CARNET_PEOPLE_QUERY_NODE_H
#define CARNET_PEOPLE_QUERY_NODE_H

#include "carnet/people/query.h"

/* Text that grows on an array of the caller's, and on the heap beyond it. */
struct query_text {
    uint8_t *ptr;
    size_t len, cap;
    uint8_t *heap;
};
void query_text_init(struct query_text *text, uint8_t *array, size_t cap);
void query_text_deinit(struct query_text *text);
void query_text_put(struct query_text *text, const void *ptr, size_t len);
static inline struct carnet_slice query_text_slice(const struct query_text *text)
{
    return carnet_slice(text->ptr, text->len);
}

/* Each appends one form of value and returns its count of words; 0, and nothing appended: none, or it is no text. */
size_t query_put_words(struct query_text *text, struct carnet_slice value); /* " le goff": a space before each */
size_t query_put_joined(struct query_text *text, struct carnet_slice value); /* "legoff" */
/* The names, addresses and numbers that words are looked for in: " le goff ", one group for each value. */
void query_put_search(struct query_text *text, const struct carnet_cell *cells, size_t count);

/* The form a field's values are compared in. A needle of the same form is looked for anywhere inside, so its ends say
 * what is meant: with the edge, the value begins or ends there. */
enum query_form {
    QUERY_JOINED, /* "\1legoff\1" */
    QUERY_FOLDED, /* "\1zoe@example.org\1" */
    QUERY_PHONE,  /* " 33639980012  0639980012  639980012 " */
    QUERY_PROSE   /* " 3 rue des lilas " */
};
enum query_form query_form_of(uint32_t field);
uint8_t query_form_edge(enum query_form form);
void query_put_form(struct query_text *text, enum query_form form, struct carnet_slice value);
/* Before the joined form of a city, a postcode or a tag in the index: U+E000, which FTS5 takes as a letter, then a
 * letter. */
enum { QUERY_MARK_LEN = 4 };
const char *query_mark(uint32_t field); /* NULL: the field is not indexed that way */

enum query_kind {
    QUERY_ALL, QUERY_AND, QUERY_OR, QUERY_NOT,
    QUERY_WORDS,   /* needle, or other when it is not empty, in the search text */
    QUERY_VALUE,   /* field, label, form, needle; an empty needle: it has one */
    QUERY_TAG,     /* needle in the joined tag; an empty needle: any */
    QUERY_CODE,    /* field, label: the joined value's first characters are in [needle, other], of one length */
    QUERY_NUMBER,  /* field, label: the value is a number in [low, high] */
    QUERY_AGE,     /* [low, high] years */
    QUERY_BORN,    /* every day the birth date allows is in [low, high], as YYYYMMDD */
    QUERY_CONSENT, /* name: the purpose; "*": any */
    QUERY_BOOK,    /* needle in its joined name */
    QUERY_ID       /* the tail of the id is in [low, high] */
};
struct query_node {
    enum query_kind kind;
    struct query_node *first, *next; /* children of an operator, in their order */
    uint32_t field;
    struct carnet_slice name;  /* for carnet_query_selectors */
    struct carnet_slice label; /* joined; empty: any */
    enum query_form form;
    struct carnet_slice needle, other;
    uint64_t low, high;
    struct carnet_slice fts; /* a superset of its matches; empty: none */
};
struct carnet_query {
    struct carnet_arena arena;
    struct query_node *root;
};

/* "1960", "1960-05", "1960-05-12" as the first and last day it may be, YYYYMMDD. */
bool query_date(struct carnet_slice text, uint64_t *low, uint64_t *high);
/* Digits alone, at most 18. */
bool query_number(struct carnet_slice text, uint64_t *out);

#endif
