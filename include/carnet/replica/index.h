// SPDX-License-Identifier: EUPL-1.2
/* replica/index: what is found of a record by words and by equal addresses. Layer: replica; pure functions, the same for
 * indexing and for asking. */
#ifndef CARNET_REPLICA_INDEX_H
#define CARNET_REPLICA_INDEX_H

#include "carnet/base/text.h"
#include "carnet/model/record.h"

/* Appends what is indexed of a contact: one column of a table fts5(..., tokenize = "unicode61 remove_diacritics 0"). Words of names,
 * e-mail addresses and phone numbers, then city, postcode and tags behind a private-use character, so that no word finds them. */
void carnet_query_index_text(const struct carnet_cell *cells, size_t count, struct carnet_buf *out);
/* Does the index cut this text of it into the very words that it holds, and nothing but marks look like marks? Then what it has for a mark and a
 * value, or for one word, is exactly who matches. */
bool carnet_query_index_plain(struct carnet_slice text);
/* Purposes of the default charter (carnet_purpose_at of none) that a glance at a contact knows: the k-th is its bit k. */
enum { CARNET_INDEX_PURPOSES_MAX = 62 };
/* Appends the bytes that order results: family name (else birth name), then given name, folded; nothing when there is
 * no name. */
void carnet_query_sort_key(const struct carnet_cell *cells, size_t count, struct carnet_buf *out);
/* What makes a row of a file known again, as numbers that an index keeps (never 0; whoever finds one compares for good). An id of a source, label: its
 * kind. Family name, given name and birth date with one e-mail or phone in its normal form: together, since an address alone is shared by a household. */
uint64_t carnet_index_source_point(struct carnet_slice label, struct carnet_slice value);
uint64_t carnet_index_person_point(struct carnet_slice family, struct carnet_slice given, struct carnet_slice born, uint32_t field, struct carnet_slice value);
/* Label of the source id that marks the row a contact was last read from: so many characters for what the row says, then for how it was imported. Its first
 * part is a point when the contact has no other. */
#define CARNET_INDEX_ROW_LABEL "row"
/* Label of a source id that stands for an address that was in a file and is not kept: then 32 hexadecimal digits, which only the community's key makes of the
 * address. The contact is known again by it as by the address itself. */
#define CARNET_INDEX_ADDRESS_LABEL "address/"
enum { CARNET_INDEX_ADDRESS_LEN = 8 + 32 };
bool carnet_index_is_address(struct carnet_slice label);
static inline bool carnet_index_is_own(struct carnet_slice label) /* of this community alone: not to be shown or exported */
{
    return carnet_slice_equal(label, carnet_slice_str(CARNET_INDEX_ROW_LABEL)) || carnet_index_is_address(label);
}
enum { CARNET_INDEX_ROW_LEN = 16 };

/* --- forms of text, shared with the queries --- */
/* Text that grows on an array of the caller's, and on the heap beyond it. */
struct carnet_query_text {
    uint8_t *ptr;
    size_t len, cap;
    uint8_t *heap;
};
void carnet_query_text_init(struct carnet_query_text *text, uint8_t *array, size_t cap);
void carnet_query_text_deinit(struct carnet_query_text *text);
void carnet_query_text_put(struct carnet_query_text *text, const void *ptr, size_t len);
static inline struct carnet_slice carnet_query_text_slice(const struct carnet_query_text *text)
{
    return carnet_slice(text->ptr, text->len);
}

/* Each appends one form of value and returns its count of words; 0, and nothing appended: none, or it is no text. */
size_t carnet_query_put_words(struct carnet_query_text *text, struct carnet_slice value); /* " le goff": a space before each */
size_t carnet_query_put_joined(struct carnet_query_text *text, struct carnet_slice value); /* "legoff" */
/* The names, addresses and numbers that words are looked for in: " le goff ", one group for each value. */
void carnet_query_put_search(struct carnet_query_text *text, const struct carnet_cell *cells, size_t count);

/* The form a field's values are compared in. A needle of the same form is looked for anywhere inside, so its ends say
 * what is meant: with the edge, the value begins or ends there. */
enum carnet_query_form {
    QUERY_JOINED, /* "\1legoff\1" */
    QUERY_FOLDED, /* "\1zoe@example.org\1" */
    QUERY_PHONE,  /* " 33639980012  0639980012  639980012 " */
    QUERY_PROSE   /* " 3 rue des lilas " */
};
enum carnet_query_form carnet_query_form_of(uint32_t field);
uint8_t carnet_query_form_edge(enum carnet_query_form form);
void carnet_query_put_form(struct carnet_query_text *text, enum carnet_query_form form, struct carnet_slice value);
/* Before the joined form of a city, a postcode or a tag in the index: U+E000, which FTS5 takes as a letter, then a
 * letter. */
enum { QUERY_MARK_LEN = 4 };
/* What a character is to FTS5's unicode61, whatever its version of Unicode; *len gets the bytes of the character at `at`. */
enum carnet_query_token { QUERY_TOKEN_NOT, QUERY_TOKEN_PART, QUERY_TOKEN_UNKNOWN };
enum carnet_query_token carnet_query_token_at(struct carnet_slice words, size_t at, size_t *len);
const char *carnet_query_mark(uint32_t field); /* NULL: the field is not indexed that way */

#endif
