// SPDX-License-Identifier: EUPL-1.2
/* people/segment: queries that have a name, shared in a book, and what a query may choose people by. Layer: people.
 *
 * A segment is a record of its book, about nobody (kind SEGMENT): its name, its query, the purpose that it is for. `segment:NAME` in a query is
 * whoever is in it. Two offices that save the same name without seeing each other both keep what they saved: the name is then in conflict, and
 * nothing uses it until it is saved again. Names are compared as queries compare them: case, accents, spaces and signs do not count.
 *
 * What a query for a purpose may choose by (carnet_segment_check). `find` without a purpose is free: an office may look for anybody it knows.
 *
 * Purpose `newsletter`, what everybody who subscribed gets:
 *   only the subscription and the language choose (and the book)  | a message that some subscribers get and others do not is targeted: Regulation (EU) 2024/900
 * Purposes that target online (`targeting` in the charter: the default one's `targeted`), Regulation (EU) 2024/900, articles 18 and 19:
 *   fields of the scope opinion, purposes that cover it, basis    | special categories of data (GDPR, article 9): opinions; who is a member says one
 *   fields of the scopes notes and consent                        | free text may hold special categories
 *   given, family, birth_name, a word without a field             | a name may tell of an origin (GDPR, article 9)
 *   birthplace, nationality, origin, religion, health ...,        | they tell of an origin, or are special categories: fields of the community's own with
 *       as names of fields                                        |     such a name, in French or English
 *   polling_station, source, import                               | from the electoral roll or another file: only what the person gave may be used
 *   ages below 17 alone                                           | nobody may target who is known to be under 17
 *   whatever the charter adds: selector/FIELD, its text the reason
 * Leaving people out is choosing too: a minus changes nothing. A purpose of another kind has no rule here: consent decides. */
#ifndef CARNET_PEOPLE_SEGMENT_H
#define CARNET_PEOPLE_SEGMENT_H

#include "carnet/people/people.h"
#include "carnet/people/query.h"

/* REFUSED: the purpose may not choose people by this; the line has the column and the reason. An empty purpose: anything goes. */
CARNET_MUST_USE carnet_rc carnet_segment_check(const struct carnet_charter *charter, const struct carnet_query *query, struct carnet_slice purpose,
                                               struct carnet_err *err);

struct carnet_segment {
    struct carnet_id book, id;
    struct carnet_slice name, query;
    struct carnet_slice purpose;  /* empty: none */
    struct carnet_dot dot;        /* who saved it (carnet_people_by), */
    int64_t at_ms;                /* and when */
    bool conflict;                /* another query was saved under this name, apart from this one: both are listed */
};
enum { CARNET_SEGMENTS_MAX = 4096 };
/* Those of a book (NULL: of all that this node reads), in order of name, then of time; in the arena. LIMIT: more than CARNET_SEGMENTS_MAX. */
CARNET_MUST_USE carnet_rc carnet_segments(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_arena *arena, struct carnet_segment **out,
                                          size_t *count, struct carnet_err *err);
/* The one of this name. NOT_FOUND. CONFLICT: two queries were saved apart. AMBIGUOUS: two books have one. */
CARNET_MUST_USE carnet_rc carnet_segment_find(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_slice name, struct carnet_arena *arena,
                                              struct carnet_segment *out, struct carnet_err *err);
/* Saves it under the name, in place of what is there, and of all that is in conflict there. USAGE: a wrong name or query. REFUSED: carnet_segment_check,
 * a purpose that nobody grants any more. CONFLICT: another segment of this name was saved meanwhile. */
CARNET_MUST_USE carnet_rc carnet_segment_save(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_slice name, struct carnet_slice query,
                                              struct carnet_slice purpose, struct carnet_id *out, struct carnet_err *err);

/* Parses a query whose segments are those of the book (NULL: of all). */
CARNET_MUST_USE carnet_rc carnet_segment_parse(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_slice text, struct carnet_query **out,
                                               struct carnet_err *err);
/* How many contacts match. progress: now and then, with how many were looked at; false: stop (CANCELLED); may be NULL. */
CARNET_MUST_USE carnet_rc carnet_segment_count(struct carnet_replica *replica, const struct carnet_id *book, struct carnet_slice query,
                                               bool (*progress)(void *ctx, uint64_t looked, uint64_t total), void *ctx, uint64_t *out, struct carnet_err *err);

#endif
