// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

#include <string.h>

enum { SETTING_SIZE = 1024 }; /* of an event beside its value, with the dots that it names */

uint64_t carnet_setting_version(struct carnet_slice key, struct carnet_slice value)
{
    struct carnet_hasher hasher;
    const uint8_t between = 0; /* no key and no value holds it */
    uint64_t version = 0;
    carnet_hasher_init(&hasher, "carnet/1/definition");
    carnet_hasher_add(&hasher, key.ptr, key.len);
    carnet_hasher_add(&hasher, &between, 1);
    carnet_hasher_add(&hasher, value.ptr, value.len);
    struct carnet_hash hash = carnet_hasher_done(&hasher);
    for (size_t i = 0; i < 8; i++)
        version = version << 8 | hash.b[i];
    return version ? version : 1;
}

uint32_t carnet_setting_field(struct carnet_slice key)
{
    const size_t prefix = sizeof "field/" - 1;
    if (key.len <= prefix || memcmp(key.ptr, "field/", prefix) != 0)
        return 0;
    struct carnet_hash hash = carnet_hash_of("carnet/1/field", carnet_slice(key.ptr + prefix, key.len - prefix));
    uint32_t number = (uint32_t)hash.b[0] << 24 | (uint32_t)hash.b[1] << 16 | (uint32_t)hash.b[2] << 8 | hash.b[3];
    return CARNET_FIELD_CUSTOM + (number & 0x7fffffff);
}

/* Numbers come from the names: two that meet would be one field. */
static carnet_rc check_number(const struct carnet_charter *charter, const struct carnet_charter_word *word, struct carnet_err *err)
{
    const size_t prefix = sizeof "field/" - 1;
    uint32_t number = word->value.len ? carnet_setting_field(word->key) : 0;
    const struct carnet_field_def *other = number ? carnet_field_by_number(charter, number) : NULL;
    if (!other || carnet_slice_equal(carnet_slice_str(other->name), carnet_slice(word->key.ptr + prefix, word->key.len - prefix)))
        return CARNET_OK;
    carnet_err_set(err, CARNET_CONFLICT, "no field can be called \"%.*s\" here: it would have the number of the field %s", (int)(word->key.len - prefix),
                   (const char *)word->key.ptr + prefix, other->name);
    carnet_err_hint(err, "add a field of another name");
    return CARNET_CONFLICT;
}

carnet_rc carnet_replica_charter_set(struct carnet_replica *replica, const struct carnet_charter_word *words, size_t count, struct carnet_err *err)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    bool mine;
    uint64_t written;
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; i < count && rc == CARNET_OK; i++)
        rc = carnet_setting_check(words[i].key, words[i].value, err);
    for (size_t i = 0; i < count && rc == CARNET_OK; i++)
        rc = check_number(&replica->charter, &words[i], err);
    if (rc != CARNET_OK)
        return rc;
    if (!self || !(self->verbs & CARNET_VERB_CHARTER)) {
        carnet_err_set(err, CARNET_REFUSED, "only an admin changes the charter");
        return CARNET_REFUSED;
    }
    rc = carnet_tx_enter(replica, &mine, &written, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_batch_reset(replica);
    for (size_t i = 0; i < count && rc == CARNET_OK; i++) {
        struct carnet_id record = carnet_replica_new_id(replica);
        struct carnet_event event = { .type = CARNET_EVENT_SETTING, .text = words[i].key, .value = words[i].value };
        event.name_count = carnet_settings_heads(replica->settings, words[i].key, event.names, sizeof event.names / sizeof event.names[0]);
        rc = carnet_batch_change(replica, &replica->community, CARNET_LOG_DATA, &record, NULL, CARNET_KIND_SETTING,
                                 SETTING_SIZE + words[i].key.len + words[i].value.len + event.name_count * 32, true, err);
        if (rc == CARNET_OK)
            carnet_batch_event(replica, &event);
    }
    if (rc == CARNET_OK)
        rc = carnet_batch_flush(replica, err);
    return carnet_tx_leave(replica, mine, written, rc, err);
}
