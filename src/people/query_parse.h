// SPDX-License-Identifier: EUPL-1.2
/* people/query: the parser's state, for the grammar (query.c) and the values (query_value.c). */
#ifndef CARNET_PEOPLE_QUERY_PARSE_H
#define CARNET_PEOPLE_QUERY_PARSE_H

#include "query_node.h"

struct query_parser {
    struct carnet_query *query;
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
/* name:value; name is what stands before the colon, at `at`. */
CARNET_MUST_USE carnet_rc carnet_query_parse_value(struct query_parser *p, struct carnet_slice name, size_t at,
                                            const struct query_value *value, struct query_node **out);

#endif
