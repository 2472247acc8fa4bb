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
    QUERY_ID,      /* the tail of the id is in [low, high] */
    QUERY_SOURCE,  /* needle in the source of an evidence; an empty needle: it has one */
    QUERY_IMPORT,  /* the id of the evidence's import has its tail in [low, high] */
    QUERY_BASIS,   /* low: the basis; 0: any */
    QUERY_AGO,     /* moment: so many ms ago, in [low, high] */
    QUERY_DAY      /* moment: its day as YYYYMMDD is in [low, high] */
};
enum query_moment { QUERY_CHANGED, QUERY_ADDED };
struct query_node {
    enum query_kind kind;
    struct query_node *first, *next; /* children of an operator, in their order */
    uint32_t field;
    struct carnet_slice name;  /* for carnet_query_selectors */
    struct carnet_slice label; /* joined; empty: any */
    enum carnet_query_form form;
    struct carnet_slice needle, other;
    uint64_t low, high;
    enum query_moment moment;
    size_t column;           /* where it stands in the text as typed, from 1 */
    struct carnet_slice fts; /* a superset of its matches; empty: none */
    bool exact;              /* of contacts whose index text is plain (carnet_query_index_plain), `fts` says just who matches */
};
enum { QUERY_ASKS_DAY = 1, QUERY_ASKS_NOW = 2, QUERY_ASKS_MOMENT = 4 };
struct carnet_query {
    struct carnet_arena arena;
    struct query_node *root;
    unsigned asks;           /* what an answer depends on beside the contact: the day, the moment; or when the contact changed */
    struct carnet_buf texts; /* the query and those of the segments in it, as they were read */
};

/* "1960", "1960-05", "1960-05-12" as the first and last day it may be, YYYYMMDD. */
bool carnet_query_date(struct carnet_slice text, uint64_t *low, uint64_t *high);
/* -12, 12.5: in the order of the numbers. */
bool carnet_query_decimal(struct carnet_slice text, uint64_t *out);
/* The day of a moment in UTC, as YYYYMMDD; 0 before the year 1. */
uint32_t carnet_query_day(int64_t ms);
/* Digits alone, at most 18. */
bool carnet_query_number(struct carnet_slice text, uint64_t *out);

#endif
