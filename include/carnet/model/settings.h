// SPDX-License-Identifier: EUPL-1.2
/* model/settings: a community's charter, made of what its SETTING events say. Layer: model; pure.
 *
 * A SETTING is a word on one key. Of each author the last word by its own log counts, unless a word that had seen it names it; of the words that
 * are left the strictest: the smallest number, the purpose of the fewest scopes, then the smallest version. Nothing depends on what came first.
 * Definitions that some word ever gave stay known by their version. protocol/charter.md has the keys. */
#ifndef CARNET_MODEL_SETTINGS_H
#define CARNET_MODEL_SETTINGS_H

#include "carnet/model/event.h"

struct carnet_settings;
struct carnet_settings *carnet_settings_new(void);
void carnet_settings_free(struct carnet_settings *settings); /* with every definition that it gave; NULL is fine */
/* Forgets the words; definitions given out stay. */
void carnet_settings_clear(struct carnet_settings *settings);
/* One word more; event is a SETTING, hlc its entry's. version: 8 bytes of a hash of key and value, not 0; field: the number of a custom field
 * of the key's name. What is not understood is kept, and says nothing. */
void carnet_settings_add(struct carnet_settings *settings, const struct carnet_event *event, const struct carnet_dot *dot, uint64_t hlc, uint64_t version,
                         uint32_t field);
/* The charter that the words make. Its arrays live until the next call, its definitions until free. */
void carnet_settings_charter(struct carnet_settings *settings, struct carnet_charter *out);
/* The words on a key that count: what a new one names. Returns how many, at most max. */
size_t carnet_settings_heads(const struct carnet_settings *settings, struct carnet_slice key, struct carnet_dot *out, size_t max);

/* May this be said? USAGE with what is wrong, and the keys that there are. An empty value takes the word back. */
CARNET_MUST_USE carnet_rc carnet_setting_check(struct carnet_slice key, struct carnet_slice value, struct carnet_err *err);
/* A name of a purpose or a custom field: a to z, 0 to 9 and _, or - in a purpose; a letter first; at most 32. */
bool carnet_setting_is_name(struct carnet_slice name, bool field);

/* A charter to begin with: what `init --charter NAME` says. The first one says nothing: it is the default charter. */
struct carnet_shipped_setting {
    const char *key, *value;
};
struct carnet_shipped_charter {
    const char *name;
    const struct carnet_shipped_setting *settings;
    size_t count;
};
const struct carnet_shipped_charter *carnet_shipped_at(size_t i); /* NULL past the end */
const struct carnet_shipped_charter *carnet_shipped_find(struct carnet_slice name);

#endif
