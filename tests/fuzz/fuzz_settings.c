// SPDX-License-Identifier: EUPL-1.2
/* Words of a charter, a line each ("key=value"), by authors in turn: no bytes break the reading, one order gives what the other gives, and what the check lets
 * through is what the charter understands. */
#include "carnet/model/settings.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool condition)
{
    if (!condition)
        abort();
}

enum { WORDS_MAX = 64 };
struct word {
    struct carnet_slice key, value;
};

static void add(struct carnet_settings *settings, const struct word *words, size_t i)
{
    struct carnet_event event = { .type = CARNET_EVENT_SETTING, .text = words[i].key, .value = words[i].value };
    const struct carnet_dot dot = { .author = i % 3 + 1, .seq = i + 1 };
    uint64_t version = 1469598103934665603u;
    for (size_t j = 0; j < words[i].key.len + words[i].value.len; j++)
        version = (version ^ (j < words[i].key.len ? words[i].key.ptr[j] : words[i].value.ptr[j - words[i].key.len])) * 1099511628211u;
    if (i % 4 == 3)
        event.names[event.name_count++] = (struct carnet_dot){ .author = (i - 1) % 3 + 1, .seq = i };
    carnet_settings_add(settings, &event, &dot, i + 1, version ? version : 1, 0x10000 + (uint32_t)(version & 0xffff));
}

static void compare(const struct carnet_charter *a, const struct carnet_charter *b)
{
    must(a->dark_after_ms == b->dark_after_ms && a->history_ms == b->history_ms && a->contact_ms == b->contact_ms && memcmp(a->country, b->country, 3) == 0);
    must(a->purpose_count == b->purpose_count && a->version_count == b->version_count && a->field_count == b->field_count && a->text_count == b->text_count &&
         a->wording_count == b->wording_count && a->all_wording_count == b->all_wording_count);
    for (size_t i = 0; i < a->purpose_count; i++)
        must(a->purposes[i]->version == b->purposes[i]->version && strcmp(a->purposes[i]->name, b->purposes[i]->name) == 0);
    for (size_t i = 0; i < a->field_count; i++)
        must(a->fields[i]->type == b->fields[i]->type && a->fields[i]->scope == b->fields[i]->scope && strcmp(a->fields[i]->name, b->fields[i]->name) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct word words[WORDS_MAX];
    size_t count = 0;
    struct carnet_charter forwards, backwards;
    struct carnet_settings *one = carnet_settings_new(), *other = carnet_settings_new();
    while (len && count < WORDS_MAX) {
        const uint8_t *feed = memchr(data, '\n', len);
        size_t line = feed ? (size_t)(feed - data) : len;
        const uint8_t *equal = line ? memchr(data, '=', line) : NULL;
        size_t key = equal ? (size_t)(equal - data) : line;
        if (key && key <= CARNET_LABEL_LEN_MAX && !memchr(data, 0, line)) /* what an event lets through: text without NUL */
            words[count++] = (struct word){ carnet_slice(data, key), equal ? carnet_slice(equal + 1, line - key - 1) : CARNET_SLICE_NONE };
        data += line + (feed ? 1 : 0);
        len -= line + (feed ? 1 : 0);
    }
    for (size_t i = 0; i < count; i++) {
        struct carnet_err err = { .lang = CARNET_LANG_FR };
        carnet_rc rc = carnet_setting_check(words[i].key, words[i].value, &err);
        must(rc == CARNET_OK || (rc == CARNET_USAGE && err.what[0]));
        add(one, words, i);
        add(other, words, count - 1 - i);
    }
    carnet_settings_charter(one, &forwards);
    carnet_settings_charter(other, &backwards);
    compare(&forwards, &backwards);
    for (size_t i = 0; i < forwards.purpose_count; i++)
        must(carnet_purpose_version(&forwards, carnet_slice_str(forwards.purposes[i]->name), forwards.purposes[i]->version) == forwards.purposes[i]);
    carnet_settings_free(other);
    carnet_settings_free(one);
    return 0;
}
