// SPDX-License-Identifier: EUPL-1.2
#include "carnet/people/charter.h"

#include "carnet/model/settings.h"

#include "internal.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_ROOM = CARNET_VALUE_LEN_MAX + 1024 };

static bool after(struct carnet_slice text, const char *prefix, struct carnet_slice *rest)
{
    size_t len = strlen(prefix);
    if (text.len <= len || memcmp(text.ptr, prefix, len) != 0)
        return false;
    *rest = carnet_slice(text.ptr + len, text.len - len);
    return true;
}

/* Values of a field stay where they were written, in the form of their type: both are for good. */
static carnet_rc check_field(const struct carnet_charter *charter, struct carnet_slice name, struct carnet_slice value, struct carnet_err *err)
{
    const struct carnet_field_def *known = carnet_field_by_name(charter, name);
    char type[48], scope[48];
    if (!known || !value.len)
        return CARNET_OK;
    snprintf(type, sizeof type, "type=%s;", carnet_field_type_name(known->type));
    snprintf(scope, sizeof scope, "scope=%s", carnet_scope_name(known->scope));
    if (memmem(value.ptr, value.len, type, strlen(type)) && memmem(value.ptr, value.len, scope, strlen(scope)))
        return CARNET_OK;
    carnet_err_set(err, CARNET_CONFLICT, "the field %s is a %s in the scope %s: both stay as they are", known->name, carnet_field_type_name(known->type),
                   carnet_scope_name(known->scope));
    carnet_err_hint(err, "add a field of another name");
    return CARNET_CONFLICT;
}

static carnet_rc check_purposes(const struct carnet_charter *charter, struct carnet_slice name, struct carnet_err *err)
{
    if (carnet_purpose_find(charter, name) || charter->purpose_count < CARNET_PURPOSES_MAX)
        return CARNET_OK;
    return carnet_err_set(err, CARNET_USAGE, "a charter has at most %d purposes", CARNET_PURPOSES_MAX);
}

carnet_rc carnet_people_charter_set(struct carnet_replica *replica, struct carnet_slice key, struct carnet_slice value, struct carnet_err *err)
{
    const struct carnet_charter *charter = carnet_replica_charter(replica);
    struct carnet_slice name;
    struct carnet_buf text;
    carnet_buf_init(&text, VALUE_ROOM);
    carnet_rc rc = carnet_text_is_utf8(key) && carnet_text_normalise(value, &text) == CARNET_OK
                       ? CARNET_OK
                       : carnet_err_set(err, CARNET_USAGE, "a value is text in UTF-8, at most %d KiB", CARNET_VALUE_LEN_MAX / 1024);
    struct carnet_charter_word word = { key, carnet_buf_slice(&text) };
    if (!rc)
        rc = carnet_setting_check(word.key, word.value, err);
    if (!rc && after(key, "field/", &name))
        rc = check_field(charter, name, word.value, err);
    if (!rc && after(key, "purpose/", &name))
        rc = check_purposes(charter, name, err);
    if (!rc && after(key, "wording/", &name)) {
        const struct carnet_purpose_def *def;
        const uint8_t *slash = memchr(name.ptr, '/', name.len);
        rc = carnet_people_purpose(charter, carnet_slice(name.ptr, slash ? (size_t)(slash - name.ptr) : name.len), &def, err);
    }
    if (!rc)
        rc = carnet_replica_charter_set(replica, &word, 1, err);
    carnet_buf_deinit(&text);
    return rc;
}

carnet_rc carnet_people_charter_known(struct carnet_slice name, struct carnet_err *err)
{
    if (carnet_shipped_find(name))
        return CARNET_OK;
    carnet_err_set(err, CARNET_USAGE, "there is no charter \"%.*s\"", (int)(name.len > 60 ? 60 : name.len), name.len ? (const char *)name.ptr : "");
    carnet_err_hint(err, "campaign, association or town-hall");
    return CARNET_USAGE;
}

carnet_rc carnet_people_charter_adopt(struct carnet_replica *replica, struct carnet_slice name, struct carnet_err *err)
{
    struct carnet_charter_word words[32];
    const struct carnet_shipped_charter *shipped = carnet_shipped_find(name);
    carnet_rc rc = carnet_people_charter_known(name, err);
    if (rc)
        return rc;
    CARNET_ASSERT(shipped->count <= sizeof words / sizeof *words);
    for (size_t i = 0; i < shipped->count; i++)
        words[i] = (struct carnet_charter_word){ carnet_slice_str(shipped->settings[i].key), carnet_slice_str(shipped->settings[i].value) };
    return shipped->count ? carnet_replica_charter_set(replica, words, shipped->count, err) : CARNET_OK;
}

static bool has_sign(struct carnet_slice text)
{
    return text.len && (memchr(text.ptr, '|', text.len) || memchr(text.ptr, ';', text.len));
}

static bool same_choices(const struct carnet_field_def *def, const struct carnet_field_wish *wish)
{
    bool same = def->choice_count == wish->choice_count;
    for (size_t i = 0; same && i < wish->choice_count; i++)
        same = carnet_slice_equal(wish->choices[i], carnet_slice_str(def->choices[i]));
    return same;
}

/* Names are words of commands and columns: the one that this name would be is proposed. */
static carnet_rc refuse_name(struct carnet_slice name, struct carnet_err *err)
{
    struct carnet_buf folded;
    char like[33];
    size_t len = 0;
    carnet_buf_init(&folded, 1024);
    bool readable = carnet_text_fold(name, &folded) == CARNET_OK;
    for (size_t i = 0; readable && i < folded.len && len < sizeof like - 1; i++) {
        uint8_t c = folded.ptr[i];
        if ((c >= 'a' && c <= 'z') || (len && c >= '0' && c <= '9'))
            like[len++] = (char)c;
        else if (len && like[len - 1] != '_')
            like[len++] = '_';
    }
    while (len && like[len - 1] == '_')
        len--;
    like[len] = 0;
    carnet_buf_deinit(&folded);
    carnet_err_set(err, CARNET_USAGE, "\"%.*s\" cannot be the name of a field: a letter, then letters, digits and _, at most 32, in lower case, and none that there is",
                   (int)(name.len > 60 ? 60 : name.len), name.len ? (const char *)name.ptr : "");
    if (len && carnet_setting_is_name(carnet_slice_str(like), true))
        carnet_err_hint(err, "call it %s: a column of that name is recognised with accents and spaces too", like);
    return CARNET_USAGE;
}

carnet_rc carnet_people_field_add(struct carnet_replica *replica, const struct carnet_field_wish *wish, struct carnet_err *err)
{
    const struct carnet_slice scope = wish->scope.len ? wish->scope : carnet_slice_str("identity");
    const struct carnet_charter *charter = carnet_replica_charter(replica);
    struct carnet_buf key, value;
    carnet_rc rc = CARNET_OK;
    carnet_buf_init(&key, 256);
    carnet_buf_init(&value, VALUE_ROOM);
    carnet_buf_append_str(&key, "field/");
    carnet_buf_append_slice(&key, wish->name);
    carnet_buf_append_str(&value, "type=");
    carnet_buf_append_slice(&value, wish->type);
    carnet_buf_append_str(&value, "; scope=");
    carnet_buf_append_slice(&value, scope);
    for (size_t i = 0; i < wish->choice_count && !rc; i++) {
        carnet_buf_append_str(&value, i ? "|" : "; choices=");
        carnet_buf_append_slice(&value, wish->choices[i]);
        if (has_sign(wish->choices[i]))
            rc = carnet_err_set(err, CARNET_USAGE, "a choice holds neither | nor ;");
    }
    if (!rc && (key.failed || value.failed || has_sign(wish->type) || has_sign(scope)))
        rc = carnet_err_set(err, CARNET_USAGE, "a field's name, type or choices are too long");
    const struct carnet_field_def *known = rc ? NULL : carnet_field_by_name(charter, wish->name);
    if (known && known->custom) {
        bool same = carnet_slice_equal(wish->type, carnet_slice_str(carnet_field_type_name(known->type))) &&
                    carnet_slice_equal(scope, carnet_slice_str(carnet_scope_name(known->scope))) && same_choices(known, wish);
        if (!same) {
            rc = carnet_err_set(err, CARNET_CONFLICT, "there is a field %s already", known->name);
            carnet_err_hint(err, "`carnet field list` shows it; `carnet charter set field/NAME ...` changes its choices");
        }
    }
    if (!rc && !known && !carnet_setting_is_name(wish->name, true))
        rc = refuse_name(wish->name, err);
    if (!rc && !known)
        rc = carnet_people_charter_set(replica, carnet_buf_slice(&key), carnet_buf_slice(&value), err);
    else if (!rc && !known->custom)
        rc = carnet_err_set(err, CARNET_CONFLICT, "there is a field %s already", known->name);
    carnet_buf_deinit(&key);
    carnet_buf_deinit(&value);
    return rc;
}
