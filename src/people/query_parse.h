// SPDX-License-Identifier: EUPL-1.2
/* people/query: the parser's state, for the grammar (query.c) and the values (query_value.c). */
#ifndef CARNET_PEOPLE_QUERY_PARSE_H
#define CARNET_PEOPLE_QUERY_PARSE_H

#include "query_node.h"

/* The segments whose text is being read, the innermost first. */
struct query_inside {
    struct carnet_slice name; /* joined */
    const struct query_inside *outer;
};
struct query_parser {
    struct carnet_query *query;
    const struct carnet_query_context *context;
    const struct query_inside *inside;
    bool nested;   /* the text is that of a segment named in another */
    size_t column; /* of the factor being read, in the text as typed */
    const struct carnet_charter *charter;
    struct carnet_slice text;
    size_t at;
    size_t nodes;
    unsigned depth;
    struct carnet_slice digits; /* of the factor just read, when it is a word of digits */
    struct carnet_err *err;
};
/* A value as written after `name:`. */
struct query_value {
    struct carnet_slice text; /* without stars and quotation marks */
    struct carnet_slice whole; /* with its stars */
    size_t at;                /* where it is in the query */
    bool star_first, star_last, any; /* any: a star alone */
};

size_t carnet_query_column(const struct query_parser *p, size_t at);
/* What people typed, cut to a length that fits an error. */
struct query_shown { char s[49]; };
struct query_shown carnet_query_shown(struct carnet_slice text);
CARNET_MUST_USE carnet_rc carnet_query_node_new(struct query_parser *p, enum query_kind kind, struct query_node **out);
/* The community's own fields. */
enum carnet_query_form carnet_query_form_custom(const struct carnet_field_def *def);
bool carnet_query_decimal_interval(struct carnet_slice text, uint64_t *low, uint64_t *high);
struct carnet_slice carnet_query_answer(struct carnet_slice text); /* oui is yes */
/* Copies the text into the query, and frees what it held. */
struct carnet_slice carnet_query_keep(struct query_parser *p, struct carnet_query_text *text);
/* The FTS5 string of words ("le goff"*), empty when it may hold no token. `mark` (may be NULL) goes before. */
struct carnet_slice carnet_query_fts_words(struct query_parser *p, const char *mark, struct carnet_slice words, bool prefix);
typedef bool carnet_query_interval(struct carnet_slice text, uint64_t *low, uint64_t *high);
/* N, LOW-HIGH, LOW-, -HIGH, LOW..HIGH, <N, <=N, >N, >=N. */
bool carnet_query_range(struct carnet_slice text, carnet_query_interval *read, bool hyphen, uint64_t *low, uint64_t *high);
bool carnet_query_is_year_range(struct carnet_slice text); /* the hyphens of 1960-1970, 1960- and -1970 are signs of a range; that of 1960-05 is none */
carnet_rc carnet_query_bad_value(struct query_parser *p, struct carnet_slice name, const struct query_value *value);
/* Everything of p->text; *out NULL: nothing is asked. */
CARNET_MUST_USE carnet_rc carnet_query_parse_all(struct query_parser *p, struct query_node **out);
/* query_facts.c: what is not a field: where it comes from, when it changed, saved segments. */
CARNET_MUST_USE carnet_rc carnet_query_source_node(struct query_parser *p, const struct query_value *value, struct query_node **out);
CARNET_MUST_USE carnet_rc carnet_query_import_node(struct query_parser *p, const struct query_value *value, struct query_node **out);
CARNET_MUST_USE carnet_rc carnet_query_basis_node(struct query_parser *p, const struct query_value *value, struct query_node **out);
CARNET_MUST_USE carnet_rc carnet_query_moment_node(struct query_parser *p, enum query_moment moment, const struct query_value *value, struct query_node **out);
CARNET_MUST_USE carnet_rc carnet_query_segment_node(struct query_parser *p, const struct query_value *value, struct query_node **out);
bool carnet_query_fts_single(struct carnet_slice fts); /* it is one word of the index, or one beginning of words */
/* name:value; name is what stands before the colon, at `at`. */
CARNET_MUST_USE carnet_rc carnet_query_parse_value(struct query_parser *p, struct carnet_slice name, size_t at,
                                            const struct query_value *value, struct query_node **out);

#endif
