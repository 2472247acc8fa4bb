// SPDX-License-Identifier: EUPL-1.2
/* people/query: what the parser gives to the evaluator; the forms of text they share are replica/index's. */
#ifndef CARNET_PEOPLE_QUERY_NODE_H
#define CARNET_PEOPLE_QUERY_NODE_H

#include "carnet/people/query.h"

enum query_kind {
    QUERY_ALL, QUERY_AND, QUERY_OR, QUERY_NOT,
    QUERY_WORDS,   /* needle, or other when it is not empty, in the search text */
    QUERY_VALUE,   /* field, label, form, needle; an empty needle: it has one */
    QUERY_TAG,     /* needle in the joined tag; an empty needle: any */
    QUERY_CODE,    /* field, label: the joined value's first characters are in [needle, other], of one length */
    QUERY_NUMBER,  /* field, label: the value is a number in [low, high] */
    QUERY_DECIMAL, /* field, label: the value as carnet_query_decimal gives it is in [low, high] */
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
    enum carnet_query_form form;
    struct carnet_slice needle, other;
    uint64_t low, high;
    struct carnet_slice fts; /* a superset of its matches; empty: none */
};
struct carnet_query {
    struct carnet_arena arena;
    struct query_node *root;
};

/* "1960", "1960-05", "1960-05-12" as the first and last day it may be, YYYYMMDD. */
bool carnet_query_date(struct carnet_slice text, uint64_t *low, uint64_t *high);
/* -12, 12.5: in the order of the numbers. */
bool carnet_query_decimal(struct carnet_slice text, uint64_t *out);
/* Digits alone, at most 18. */
bool carnet_query_number(struct carnet_slice text, uint64_t *out);

#endif
