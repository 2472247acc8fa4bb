// SPDX-License-Identifier: EUPL-1.2
/* Plain words for what the charter names, as people outside the office read them. */
#ifndef CARNET_PEOPLE_WORDS_H
#define CARNET_PEOPLE_WORDS_H

#include "internal.h"

#include <jansson.h>

#define _(text) text

/* What a purpose is, in words; the name itself for one of the community's own. Static, or the name. */
const char *carnet_words_purpose(enum carnet_lang lang, const char *name);
const char *carnet_words_scope(enum carnet_lang lang, enum carnet_scope scope);
const char *carnet_words_basis(enum carnet_lang lang, enum carnet_basis basis);
const char *carnet_words_role(enum carnet_lang lang, enum carnet_role role);
void carnet_words_field(enum carnet_lang lang, const struct carnet_charter *charter, uint32_t field, struct carnet_slice label, struct carnet_buf *out); /* "Phone (mobile)" */
void carnet_words_scopes(enum carnet_lang lang, uint32_t scopes, struct carnet_buf *out); /* "names, e-mail"; nothing: "nothing" */
void carnet_words_date(enum carnet_lang lang, int64_t ms, struct carnet_buf *out);        /* 25/11/2026, 2026-11-25 */
void carnet_words_duration(enum carnet_lang lang, int64_t ms, struct carnet_buf *out);    /* days, or hours */

/* Text with conversions, in the language: fmt is an English literal of the catalogue. */
void carnet_words_put(struct carnet_buf *out, enum carnet_lang lang, const char *fmt, ...) CARNET_PRINTF(3, 4);

/* JSON of what is not null. */
json_t *carnet_json_text(struct carnet_slice text);
json_t *carnet_json_time(int64_t ms); /* null: 0 */
json_t *carnet_json_scopes(uint32_t scopes);
void carnet_json_put(json_t *object, struct carnet_buf *out); /* indented, in the order of making; takes the object */

#endif
