// SPDX-License-Identifier: EUPL-1.2
/* people/query: the segment language of the search box, of `find`, of segments and mailings. Layer: people; pure.
 *
 *     query  = all { ("or" | "ou") all }                  `and` binds tighter than `or`
 *     all    = factor { ["and" | "et"] factor }           a space is `and`
 *     factor = ["-"] ( "(" query ")" | word | "phrase" | name ":" value )
 *     value  = * | VALUE | VALUE* | *VALUE | "VALUE" | "VALUE"* | LOW-HIGH | LOW..HIGH | <N <=N >N >=N
 *
 *     city:Grenoble tag:bénévole -tag:presse age:18-25 consent:newsletter (email:* or phone:*)
 *
 * Case, accents, apostrophes, hyphens and spaces count as carnet_text_fold says, in texts and in queries alike.
 * - A word finds, by prefix, a word of a name (given, family, birth_name), of an e-mail address, or a phone number in
 *   its national or international form; words of digits in a row are one number too (06 39 98). A word made of several
 *   (d'Artagnan, Jean-Noël, zoe@example.org) finds them in a row, or written together. A name of several words is
 *   found written together too (legoff).
 * - A "phrase" finds whole words in a row, in one value or in given and family name, either first. Words in a row
 *   never mix a name, an address and a number.
 * - field:value finds a whole value whatever its spaces and signs (family:legoff is Le Goff); an e-mail address and a
 *   web site keep their signs; street, employer, issues and note find whole words in a row inside. field/label:value
 *   asks the label too.
 * - changed and added ask when the contact was last changed or first entered: changed:<30d (less than 30 days ago),
 *   changed:>1d, changed:7d-30d, or by day in UTC: changed:2026, added:2026-01-01..2026-02-01.
 * - source:TEXT finds words inside the source of some grant's evidence, import:ID what an import gave evidence of (4
 *   characters at least), basis:roll who has a live grant on that basis, segment:NAME who is in a saved segment, which
 *   may name others.
 * - Ranges: age; born, by YYYY, YYYY-MM, YYYY-MM-DD; support and polling_station by number; postcode and insee by
 *   their first characters (postcode:38-39). Who has no full birth date is as young as the date allows.
 * - A cell in conflict is found by each of its values. An operator's word where it can join nothing is a word; what
 *   holds no letter and no digit is ignored. The empty query finds everybody.
 *
 * Only the cells that the caller gives are seen: give the open ones, and a blocked scope cannot be guessed by
 * searching. */
#ifndef CARNET_PEOPLE_QUERY_H
#define CARNET_PEOPLE_QUERY_H

#include "carnet/base/text.h"
#include "carnet/replica/index.h"

enum {
    CARNET_QUERY_LEN_MAX = 4096, /* bytes of a query: more is no query typed by somebody */
    CARNET_QUERY_DEPTH_MAX = 16, /* parentheses in parentheses */
    CARNET_QUERY_NODES_MAX = 512, /* words and operators, those of the segments that it names too */
    CARNET_QUERY_INSIDE_MAX = 8   /* segments in segments */
};

struct carnet_query;
/* Gives the query to the caller; text is copied. USAGE: what is wrong, with its column (in characters, from 1) and a
 * hint. */
CARNET_MUST_USE carnet_rc carnet_query_parse(const struct carnet_charter *charter, struct carnet_slice text,
                                             struct carnet_query **out, struct carnet_err *err);
/* What a query may name beyond itself. */
struct carnet_query_context {
    const struct carnet_charter *charter;
    /* The query of a saved segment, valid until the next call. What it returns instead of OK the parser returns, with the column
     * before the line. NULL: no segment is known. */
    carnet_rc (*segment)(void *ctx, struct carnet_slice name, struct carnet_slice *query, struct carnet_err *err);
    void *ctx;
    struct carnet_slice name; /* of the segment whose text this is: it may not name itself; else empty */
};
CARNET_MUST_USE carnet_rc carnet_query_parse_in(const struct carnet_query_context *context, struct carnet_slice text,
                                                struct carnet_query **out, struct carnet_err *err);
void carnet_query_free(struct carnet_query *query); /* NULL is fine */
bool carnet_query_is_all(const struct carnet_query *query); /* it asks nothing */

/* Appends an FTS5 MATCH expression over carnet_query_index_text whose rows hold every match. false, and nothing
 * appended: the query cannot be narrowed (a negation alone, an `or` with a side that is not indexed, out's ceiling);
 * look at every contact. */
bool carnet_query_fts(const struct carnet_query *query, struct carnet_buf *out);

struct carnet_query_subject {
    const struct carnet_charter *charter;
    const struct carnet_cell *cells; /* open ones, as from carnet_record_cells */
    size_t count;
    struct carnet_id id;
    struct carnet_slice book; /* its name */
    uint32_t today;           /* 20260412 is 12 April 2026; 0: nobody has an age */
    int64_t now_ms, added_ms, changed_ms; /* 0: not known, no moment matches */
    bool (*consent)(void *ctx, struct carnet_slice purpose); /* is it live? NULL: none is */
    bool (*basis)(void *ctx, enum carnet_basis basis);       /* does a live grant rest on it? NULL: none does */
    void *ctx;
};
bool carnet_query_matches(const struct carnet_query *query, const struct carnet_query_subject *subject);

enum carnet_query_selector {
    CARNET_QUERY_FIELD,   /* name: the field without label; `born` for age */
    CARNET_QUERY_TAG,     /* name: the tag as written, with its star */
    CARNET_QUERY_PURPOSE, /* name: the purpose, or a star */
    CARNET_QUERY_ORIGIN   /* name: source, import or basis */
};
/* Calls once for each selector named, in their order, repetitions too. */
void carnet_query_selectors(const struct carnet_query *query,
                            void (*selector)(void *ctx, enum carnet_query_selector kind, struct carnet_slice name),
                            void *ctx);


#endif
