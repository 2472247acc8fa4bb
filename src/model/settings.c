// SPDX-License-Identifier: EUPL-1.2
#include "carnet/model/settings.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_LEN_MAX = 32, CHOICES_MAX = 200, TITLE_LEN_MAX = 200 };

enum kind { UNKNOWN, NUMBER, COUNTRY, PURPOSE, FIELD, WORDING, TEXT };

/* What a key and a value say: made once, for as long as the settings live. */
struct saying {
    const char *key;
    struct carnet_slice value;
    uint64_t version;
    enum kind kind;
    bool valid; /* and not empty */
    size_t number_at;
    int64_t number;
    struct carnet_purpose_def purpose;
    struct carnet_field_def field;
    struct carnet_wording wording;
    struct carnet_charter_text text;
};
struct word {
    const struct saying *saying;
    struct carnet_dot dot;
    uint64_t hlc;
    size_t names_at, name_count;
    bool counts;
};
struct named {
    struct carnet_dot dot;
    uint64_t hlc; /* the latest hlc of the words that name it */
};
struct carnet_settings {
    struct carnet_arena arena; /* the sayings, for good */
    struct saying **sayings;   /* in order of version, then key */
    size_t saying_count, saying_cap;
    struct word *words;
    size_t word_count, word_cap;
    struct carnet_dot *names;
    size_t name_count, name_cap;
    bool settled; /* the words are in order, and `counts` is right */
    const struct carnet_purpose_def **purposes, **versions;
    const struct carnet_field_def **fields;
    const struct carnet_wording **wordings, **all_wordings;
    const struct carnet_charter_text **texts;
};

/* --- what a key and a value say --- */

static bool is(struct carnet_slice text, const char *word)
{
    return carnet_slice_equal(text, carnet_slice_str(word));
}

static bool after(struct carnet_slice text, const char *prefix, struct carnet_slice *rest)
{
    size_t len = strlen(prefix);
    if (text.len <= len || memcmp(text.ptr, prefix, len) != 0)
        return false;
    *rest = carnet_slice(text.ptr + len, text.len - len);
    return true;
}

bool carnet_setting_is_name(struct carnet_slice name, bool field)
{
    if (name.len == 0 || name.len > NAME_LEN_MAX || name.ptr[0] < 'a' || name.ptr[0] > 'z')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && (field || c != '-'))
            return false;
    }
    return true;
}

/* Words of queries, columns and evidence that a field cannot take for a name. */
static bool is_taken(struct carnet_slice name, bool field)
{
    static const char *const words[] = { "all", "tag", "tags", "consent", "object", "age", "book", "id", "source", "import", "changed", "visited", "name",
                                         "title", "segment", "has" };
    if (!field)
        return is(name, "all") || is(name, "email");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is(name, words[i]))
            return true;
    return carnet_field_by_name(NULL, name) != NULL;
}

/* Bytes of the space that the text begins or ends with, the no-break ones of French typing too; 0: none. */
static size_t space(struct carnet_slice text, bool at_end)
{
    static const char *const spaces[] = { " ", "\xc2\xa0", "\xe2\x80\xaf" };
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        size_t len = strlen(spaces[i]);
        if (text.len >= len && memcmp(at_end ? text.ptr + text.len - len : text.ptr, spaces[i], len) == 0)
            return len;
    }
    return 0;
}

static struct carnet_slice trim(struct carnet_slice text)
{
    size_t len;
    while ((len = space(text, false)) > 0)
        text = carnet_slice(text.ptr + len, text.len - len);
    while ((len = space(text, true)) > 0)
        text.len -= len;
    return text;
}

/* Takes what stands before the sign, trimmed. */
static struct carnet_slice cut(struct carnet_slice *text, char sign)
{
    const uint8_t *end = text->len ? memchr(text->ptr, sign, text->len) : NULL;
    struct carnet_slice piece = end ? carnet_slice(text->ptr, (size_t)(end - text->ptr)) : *text;
    *text = end ? carnet_slice(end + 1, text->len - piece.len - 1) : CARNET_SLICE_NONE;
    return trim(piece);
}

/* What was written, for an error: the two arguments of %.*s. */
#define SHOWN(text) (int)((text).len > 60 ? 60 : (text).len), (text).len ? (const char *)(text).ptr : ""

/* One word of a list separated by spaces. */
static carnet_rc parse_purpose_word(struct carnet_purpose_def *def, struct carnet_slice attribute, struct carnet_slice word, struct carnet_err *err)
{
    if (is(attribute, "scopes")) {
        enum carnet_scope scope = carnet_scope_find(word);
        if (scope == CARNET_SCOPE_CLEAR || scope == CARNET_SCOPE_CONSENT) {
            carnet_err_set(err, CARNET_USAGE, "\"%.*s\" is no scope that a purpose covers", SHOWN(word));
            carnet_err_hint(err, "identity email phone postal social opinion notes");
            return CARNET_USAGE;
        }
        def->scopes |= 1u << scope;
    } else if (is(attribute, "channels")) {
        enum carnet_channel channel;
        if (!carnet_channel_find(word, &channel)) {
            carnet_err_set(err, CARNET_USAGE, "there is no channel \"%.*s\"", SHOWN(word));
            carnet_err_hint(err, "email sms call mail canvass social");
            return CARNET_USAGE;
        }
        def->channels |= 1u << channel;
    } else {
        enum carnet_basis basis;
        if (!carnet_basis_find(word, &basis)) {
            carnet_err_set(err, CARNET_USAGE, "there is no basis \"%.*s\"", SHOWN(word));
            carnet_err_hint(err, "consent legitimate-interest explicit-consent member roll");
            return CARNET_USAGE;
        }
        def->bases |= 1u << basis;
    }
    return CARNET_OK;
}

static carnet_rc parse_purpose(struct carnet_slice value, struct carnet_purpose_def *def, struct carnet_err *err)
{
    def->retired = is(value, "retired");
    while (value.len && !def->retired) {
        struct carnet_slice rest = cut(&value, ';'), attribute;
        if (rest.len == 0)
            continue;
        attribute = cut(&rest, '=');
        rest = trim(rest);
        if (is(attribute, "targeting") && is(rest, "yes")) {
            def->online_targeting = true;
        } else if (is(attribute, "keep")) {
            if (!carnet_charter_duration(rest, &def->keep_ms) || def->keep_ms == 0)
                return carnet_err_set(err, CARNET_USAGE, "\"%.*s\" is no duration", SHOWN(rest));
        } else if (is(attribute, "scopes") || is(attribute, "channels") || is(attribute, "basis")) {
            while (rest.len) {
                struct carnet_slice word = cut(&rest, ' ');
                carnet_rc rc = word.len ? parse_purpose_word(def, attribute, word, err) : CARNET_OK;
                if (rc)
                    return rc;
            }
        } else {
            carnet_err_set(err, CARNET_USAGE, "a purpose has no \"%.*s\"", SHOWN(attribute));
            carnet_err_hint(err, "write it like: scopes=identity email; channels=email; basis=consent; keep=1095d; targeting=yes; or: retired");
            return CARNET_USAGE;
        }
    }
    if (def->retired || def->scopes)
        return CARNET_OK;
    carnet_err_set(err, CARNET_USAGE, "a purpose covers some scopes");
    carnet_err_hint(err, "write it like: scopes=identity email; channels=email; basis=consent; keep=1095d; targeting=yes; or: retired");
    return CARNET_USAGE;
}

static carnet_rc parse_choices(struct carnet_slice text, struct carnet_field_def *def, struct carnet_arena *arena, struct carnet_err *err)
{
    const char **choices = carnet_arena_alloc(arena, CHOICES_MAX * sizeof *choices);
    while (text.len) {
        struct carnet_slice choice = cut(&text, '|');
        if (choice.len == 0 || choice.len > CARNET_LABEL_LEN_MAX)
            return carnet_err_set(err, CARNET_USAGE, "a choice has 1 to %d bytes", CARNET_LABEL_LEN_MAX);
        for (size_t i = 0; i < choice.len; i++)
            if (choice.ptr[i] < ' ' || choice.ptr[i] == 0x7f)
                return carnet_err_set(err, CARNET_USAGE, "the choice \"%.*s\" is not one line of text", SHOWN(choice));
        for (size_t i = 0; i < def->choice_count; i++)
            if (is(choice, choices[i]))
                return carnet_err_set(err, CARNET_USAGE, "the choice \"%.*s\" is given twice", SHOWN(choice));
        if (def->choice_count == CHOICES_MAX)
            return carnet_err_set(err, CARNET_USAGE, "a field has at most %d choices", CHOICES_MAX);
        choices[def->choice_count++] = carnet_arena_cstr(arena, choice);
    }
    def->choices = choices;
    return CARNET_OK;
}

static carnet_rc parse_field(struct carnet_slice value, struct carnet_field_def *def, struct carnet_arena *arena, struct carnet_err *err)
{
    bool typed = false;
    while (value.len) {
        struct carnet_slice rest = cut(&value, ';'), attribute;
        carnet_rc rc = CARNET_OK;
        if (rest.len == 0)
            continue;
        attribute = cut(&rest, '=');
        rest = trim(rest);
        if (is(attribute, "type")) {
            typed = true;
            if (!carnet_field_type_find(rest, &def->type)) {
                carnet_err_set(err, CARNET_USAGE, "there is no type of field \"%.*s\"", SHOWN(rest));
                carnet_err_hint(err, "text longtext number decimal date choice choices bool email phone url");
                return CARNET_USAGE;
            }
        } else if (is(attribute, "scope")) {
            def->scope = carnet_scope_find(rest);
            if (def->scope == CARNET_SCOPE_CLEAR || def->scope == CARNET_SCOPE_CONSENT) {
                carnet_err_set(err, CARNET_USAGE, "\"%.*s\" is no scope that a field can be in", SHOWN(rest));
                carnet_err_hint(err, "identity email phone postal social opinion notes");
                return CARNET_USAGE;
            }
        } else if (is(attribute, "choices")) {
            rc = parse_choices(rest, def, arena, err);
        } else {
            carnet_err_set(err, CARNET_USAGE, "a field has no \"%.*s\"", SHOWN(attribute));
            carnet_err_hint(err, "write it like: type=choice; scope=opinion; choices=yes|no|perhaps");
            return CARNET_USAGE;
        }
        if (rc)
            return rc;
    }
    bool chosen = def->type == CARNET_FIELD_TYPE_CHOICE || def->type == CARNET_FIELD_TYPE_CHOICES;
    if (!typed || def->scope == CARNET_SCOPE_CLEAR) {
        carnet_err_set(err, CARNET_USAGE, "a field has a type and a scope");
        carnet_err_hint(err, "write it like: type=choice; scope=opinion; choices=yes|no|perhaps");
        return CARNET_USAGE;
    }
    if (chosen != (def->choice_count > 0))
        return carnet_err_set(err, CARNET_USAGE, chosen ? "a field of this type has choices" : "a field of this type has no choices");
    return CARNET_OK;
}

static bool is_day(struct carnet_slice text)
{
    static const unsigned days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned part[3] = { 0 };
    if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-')
        return false;
    for (size_t i = 0; i < 10; i++) {
        if (i == 4 || i == 7)
            continue;
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        unsigned *p = &part[i < 4 ? 0 : i < 7 ? 1 : 2];
        *p = *p * 10 + (unsigned)(text.ptr[i] - '0');
    }
    return part[1] >= 1 && part[1] <= 12 && part[2] >= 1 && part[2] <= days[part[1] - 1] &&
           (part[1] != 2 || part[2] < 29 || (part[0] % 4 == 0 && (part[0] % 100 != 0 || part[0] % 400 == 0)));
}

static bool is_line(struct carnet_slice text, size_t len_max)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return false;
    return text.len > 0 && text.len <= len_max;
}

static carnet_rc unknown_key(struct carnet_slice key, struct carnet_err *err)
{
    carnet_err_set(err, CARNET_NOT_FOUND, "the charter has no \"%.*s\"", SHOWN(key));
    carnet_err_hint(err, "keys: dark_after history alive_after opt_in contact prospect inform country purpose/NAME field/NAME wording/PURPOSE/LANG ballot/DATE "
                         "recipient/NAME controller dpo contact_point");
    return CARNET_NOT_FOUND;
}

static carnet_rc parse_wording(struct carnet_slice rest, struct saying *s, struct carnet_arena *arena, struct carnet_err *err)
{
    struct carnet_slice lang = rest, purpose = cut(&lang, '/');
    bool good = lang.len >= 2 && lang.len <= 3;
    for (size_t i = 0; i < lang.len && good; i++)
        good = lang.ptr[i] >= 'a' && lang.ptr[i] <= 'z';
    if (!good || !carnet_setting_is_name(purpose, false)) {
        carnet_err_set(err, CARNET_USAGE, "\"%.*s\" is no purpose and language", SHOWN(rest));
        carnet_err_hint(err, "write it like wording/newsletter/fr");
        return CARNET_USAGE;
    }
    s->wording.purpose = carnet_arena_cstr(arena, purpose);
    s->wording.lang = carnet_arena_cstr(arena, lang);
    s->wording.text = s->value;
    s->wording.version = s->version;
    return CARNET_OK;
}

/* Fills in what the saying says; key, value and version are there. NOT_FOUND: an unknown key; USAGE. */
static carnet_rc parse(struct saying *s, uint32_t field, struct carnet_arena *arena, struct carnet_err *err)
{
    struct carnet_slice key = carnet_slice_str(s->key), value = s->value, rest;
    struct carnet_charter numbers = carnet_charter_default();
    int64_t *number;
    const char *name;
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; (name = carnet_charter_number(&numbers, i, &number)) != NULL; i++) {
        if (!is(key, name))
            continue;
        s->kind = NUMBER;
        s->number_at = i;
        if (value.len && !carnet_charter_duration(value, &s->number)) {
            carnet_err_set(err, CARNET_USAGE, "\"%.*s\" is no duration", SHOWN(value));
            carnet_err_hint(err, "N and s, m, h or d: 72h, 30d");
            return CARNET_USAGE;
        }
    }
    if (s->kind == NUMBER) {
        s->valid = value.len > 0;
        return CARNET_OK;
    }
    if (is(key, "country")) {
        s->kind = COUNTRY;
        if (value.len && !(value.len == 2 && value.ptr[0] >= 'A' && value.ptr[0] <= 'Z' && value.ptr[1] >= 'A' && value.ptr[1] <= 'Z'))
            rc = carnet_err_set(err, CARNET_USAGE, "\"%.*s\" is not two capital letters, as FR", SHOWN(value));
    } else if (after(key, "purpose/", &rest)) {
        s->kind = PURPOSE;
        if (!carnet_setting_is_name(rest, false) || is_taken(rest, false))
            return carnet_err_set(err, CARNET_USAGE, "\"%.*s\" cannot be the name of a purpose: a letter, then letters, digits, - and _, at most 32, in lower case", SHOWN(rest));
        s->purpose.name = carnet_arena_cstr(arena, rest);
        s->purpose.version = s->version;
        rc = value.len ? parse_purpose(value, &s->purpose, err) : CARNET_OK;
    } else if (after(key, "field/", &rest)) {
        s->kind = FIELD;
        if (!carnet_setting_is_name(rest, true) || is_taken(rest, true))
            return carnet_err_set(err, CARNET_USAGE, "\"%.*s\" cannot be the name of a field: a letter, then letters, digits and _, at most 32, in lower case, and none that there is", SHOWN(rest));
        s->field = (struct carnet_field_def){ .field = field, .name = carnet_arena_cstr(arena, rest), .shown = true, .custom = true };
        rc = value.len ? parse_field(value, &s->field, arena, err) : CARNET_OK;
    } else if (after(key, "wording/", &rest)) {
        s->kind = WORDING;
        rc = parse_wording(rest, s, arena, err);
    } else if (after(key, "ballot/", &rest)) {
        s->kind = TEXT;
        if (!is_day(rest))
            return carnet_err_set(err, CARNET_USAGE, "\"%.*s\" is no day: write it YYYY-MM-DD", SHOWN(rest));
        rc = value.len && !is_line(value, TITLE_LEN_MAX) ? carnet_err_set(err, CARNET_USAGE, "a name of one line, at most %d bytes", TITLE_LEN_MAX) : CARNET_OK;
    } else if (after(key, "recipient/", &rest)) {
        s->kind = TEXT;
        if (!carnet_setting_is_name(rest, false))
            return carnet_err_set(err, CARNET_USAGE, "\"%.*s\" cannot be such a name: a letter, then letters, digits, - and _, at most 32, in lower case", SHOWN(rest));
    } else if (is(key, "controller") || is(key, "dpo") || is(key, "contact_point")) {
        s->kind = TEXT;
    } else {
        return unknown_key(key, err);
    }
    s->text = (struct carnet_charter_text){ .key = s->key, .value = value };
    s->valid = !rc && value.len > 0;
    return rc;
}

carnet_rc carnet_setting_check(struct carnet_slice key, struct carnet_slice value, struct carnet_err *err)
{
    struct carnet_arena arena;
    struct saying s = { .version = 1 };
    carnet_rc rc;
    if (key.len > CARNET_LABEL_LEN_MAX)
        return carnet_err_set(err, CARNET_USAGE, "a key has at most %d bytes", CARNET_LABEL_LEN_MAX);
    if (value.len > CARNET_VALUE_LEN_MAX)
        return carnet_err_set(err, CARNET_USAGE, "a value has at most %d KiB", CARNET_VALUE_LEN_MAX / 1024);
    carnet_arena_init(&arena);
    s.key = carnet_arena_cstr(&arena, key);
    s.value = value;
    rc = parse(&s, CARNET_FIELD_CUSTOM, &arena, err);
    carnet_arena_deinit(&arena);
    if (rc == CARNET_NOT_FOUND && err)
        err->rc = CARNET_USAGE;
    return rc == CARNET_NOT_FOUND ? CARNET_USAGE : rc;
}

/* --- the words --- */

struct carnet_settings *carnet_settings_new(void)
{
    struct carnet_settings *settings = carnet_alloc(sizeof *settings);
    carnet_arena_init(&settings->arena);
    return settings;
}

static void free_arrays(struct carnet_settings *settings)
{
    free(settings->purposes);
    free(settings->versions);
    free(settings->fields);
    free(settings->wordings);
    free(settings->all_wordings);
    free(settings->texts);
    settings->purposes = settings->versions = NULL;
    settings->fields = NULL;
    settings->wordings = settings->all_wordings = NULL;
    settings->texts = NULL;
}

void carnet_settings_free(struct carnet_settings *settings)
{
    if (!settings)
        return;
    free_arrays(settings);
    carnet_arena_deinit(&settings->arena);
    free(settings->sayings);
    free(settings->words);
    free(settings->names);
    free(settings);
}

void carnet_settings_clear(struct carnet_settings *settings)
{
    settings->word_count = 0;
    settings->name_count = 0;
    settings->settled = false;
}

static int compare_saying(const struct saying *s, uint64_t version, struct carnet_slice key, struct carnet_slice value)
{
    if (s->version != version)
        return s->version < version ? -1 : 1;
    int by = carnet_slice_compare(carnet_slice_str(s->key), key);
    return by ? by : carnet_slice_compare(s->value, value);
}

static const struct saying *saying_of(struct carnet_settings *settings, struct carnet_slice key, struct carnet_slice value, uint64_t version, uint32_t field)
{
    size_t low = 0, high = settings->saying_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int by = compare_saying(settings->sayings[middle], version, key, value);
        if (by == 0)
            return settings->sayings[middle];
        if (by < 0)
            low = middle + 1;
        else
            high = middle;
    }
    struct saying *s = carnet_arena_alloc(&settings->arena, sizeof *s);
    s->key = carnet_arena_cstr(&settings->arena, key);
    s->value = carnet_arena_dup(&settings->arena, value);
    s->version = version;
    if (parse(s, field, &settings->arena, NULL) != CARNET_OK)
        s->valid = false;
    CARNET_GROW(settings->sayings, settings->saying_count, settings->saying_cap);
    memmove(settings->sayings + low + 1, settings->sayings + low, (settings->saying_count - low) * sizeof(struct saying *));
    settings->sayings[low] = s;
    settings->saying_count++;
    return s;
}

void carnet_settings_add(struct carnet_settings *settings, const struct carnet_event *event, const struct carnet_dot *dot, uint64_t hlc, uint64_t version,
                         uint32_t field)
{
    CARNET_ASSERT(event->type == CARNET_EVENT_SETTING && version != 0);
    struct word word = { .saying = saying_of(settings, event->text, event->value, version, field), .dot = *dot, .hlc = hlc, .names_at = settings->name_count,
                         .name_count = event->name_count };
    for (size_t i = 0; i < event->name_count; i++) {
        CARNET_GROW(settings->names, settings->name_count, settings->name_cap);
        settings->names[settings->name_count++] = event->names[i];
    }
    for (size_t i = settings->word_count; CARNET_PLANTED(26) && i-- > 0;) /* planted: the last one to arrive counts */
        if (strcmp(settings->words[i].saying->key, word.saying->key) == 0)
            settings->words[i] = settings->words[--settings->word_count];
    CARNET_GROW(settings->words, settings->word_count, settings->word_cap);
    settings->words[settings->word_count++] = word;
    settings->settled = false;
}

static int compare_words(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    int by = strcmp(x->saying->key, y->saying->key);
    return by ? by : carnet_dot_compare(&x->dot, &y->dot);
}

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int by = carnet_dot_compare(&x->dot, &y->dot);
    return by ? by : (x->hlc > y->hlc) - (x->hlc < y->hlc);
}

/* Is it named by a word that came later? One cannot name what it has not seen: who guesses a dot replaces nothing. */
static bool is_replaced(const struct word *word, const struct named *named, size_t count)
{
    size_t low = 0, high = count;
    while (low < high) { /* the first one beyond this dot */
        size_t middle = low + (high - low) / 2;
        if (carnet_dot_compare(&named[middle].dot, &word->dot) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && carnet_dot_equal(&named[low - 1].dot, &word->dot) && named[low - 1].hlc > word->hlc;
}

/* The words of one key, in order of dot. */
static void settle_key(struct carnet_settings *settings, struct word *words, size_t count)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        total += words[i].name_count;
    struct named *named = carnet_alloc((total ? total : 1) * sizeof *named);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < words[i].name_count; j++)
            named[at++] = (struct named){ settings->names[words[i].names_at + j], words[i].hlc };
    if (total)
        qsort(named, total, sizeof *named, compare_named);
    for (size_t i = 0; i < count; i++) {
        bool last = i + 1 == count || words[i + 1].dot.author != words[i].dot.author;
        words[i].counts = last && !is_replaced(&words[i], named, total);
    }
    free(named);
}

static void settle(struct carnet_settings *settings)
{
    if (settings->settled)
        return;
    if (settings->word_count)
        qsort(settings->words, settings->word_count, sizeof *settings->words, compare_words);
    for (size_t at = 0, end; at < settings->word_count; at = end) {
        for (end = at + 1; end < settings->word_count && strcmp(settings->words[end].saying->key, settings->words[at].saying->key) == 0;)
            end++;
        settle_key(settings, settings->words + at, end - at);
    }
    settings->settled = true;
}

size_t carnet_settings_heads(const struct carnet_settings *settings, struct carnet_slice key, struct carnet_dot *out, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < settings->word_count && count < max; i++)
        if (settings->words[i].counts && is(key, settings->words[i].saying->key))
            out[count++] = settings->words[i].dot;
    return count;
}

/* --- the charter --- */

static unsigned scope_count(uint32_t scopes)
{
    unsigned count = 0;
    for (; scopes; scopes &= scopes - 1)
        count++;
    return count;
}

static bool is_stricter(const struct saying *a, const struct saying *b)
{
    if (a->kind == NUMBER && a->number != b->number)
        return a->number < b->number;
    if (a->kind == PURPOSE && scope_count(a->purpose.scopes) != scope_count(b->purpose.scopes))
        return scope_count(a->purpose.scopes) < scope_count(b->purpose.scopes);
    return a->version < b->version;
}

/* Purposes and fields once had keep their name, so that what was granted and written under it is still shown. */
static const struct carnet_purpose_def *default_purpose(const char *name)
{
    return carnet_purpose_find(NULL, carnet_slice_str(name));
}

struct making {
    size_t purposes, versions, fields, wordings, all_wordings, texts;
};

static void take_current(struct carnet_settings *settings, const struct saying *s, struct making *made, struct carnet_charter *out)
{
    int64_t *number;
    const struct carnet_purpose_def *standing;
    switch (s->kind) {
    case NUMBER:
        carnet_charter_number(out, s->number_at, &number);
        *number = s->number;
        break;
    case COUNTRY:
        memcpy(out->country, s->value.ptr, 2);
        break;
    case PURPOSE:
        standing = default_purpose(s->purpose.name);
        for (size_t i = 0; i < made->purposes; i++) {
            if (settings->purposes[i] == standing && standing) {
                settings->purposes[i] = &s->purpose;
                return;
            }
        }
        settings->purposes[made->purposes++] = &s->purpose;
        break;
    case FIELD:
        settings->fields[made->fields++] = &s->field;
        break;
    case WORDING:
        settings->wordings[made->wordings++] = &s->wording;
        break;
    case TEXT:
        settings->texts[made->texts++] = &s->text;
        break;
    case UNKNOWN:
        break;
    }
}

static void take_key(struct carnet_settings *settings, const struct word *words, size_t count, struct making *made, struct carnet_charter *out)
{
    const struct saying *best = NULL, *known = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct saying *s = words[i].saying;
        if (!s->valid)
            continue;
        if (words[i].counts && (!best || is_stricter(s, best)))
            best = s;
        if (!known || is_stricter(s, known))
            known = s;
        if (s->kind == PURPOSE)
            settings->versions[made->versions++] = &s->purpose;
        if (s->kind == WORDING)
            settings->all_wordings[made->all_wordings++] = &s->wording;
    }
    bool stays = known && (known->kind == FIELD || (known->kind == PURPOSE && !default_purpose(known->purpose.name)));
    best = best || !stays ? best : known; /* taken back: what bears its name is still shown by it */
    if (best)
        take_current(settings, best, made, out);
}

static int compare_versions(const void *a, const void *b)
{
    const struct carnet_purpose_def *x = *(const struct carnet_purpose_def *const *)a, *y = *(const struct carnet_purpose_def *const *)b;
    int by = (x->version > y->version) - (x->version < y->version);
    return by ? by : strcmp(x->name, y->name);
}

static int compare_wordings(const void *a, const void *b)
{
    const struct carnet_wording *x = *(const struct carnet_wording *const *)a, *y = *(const struct carnet_wording *const *)b;
    int by = (x->version > y->version) - (x->version < y->version);
    return by ? by : carnet_slice_compare(x->text, y->text);
}

/* The same definition said twice is one. */
#define UNIQUE(items, count)                                     \
    do {                                                         \
        size_t to = 0;                                           \
        for (size_t i = 0; i < (count); i++)                     \
            if (i == 0 || (items)[i] != (items)[i - 1])          \
                (items)[to++] = (items)[i];                      \
        (count) = to;                                            \
    } while (0)

void carnet_settings_charter(struct carnet_settings *settings, struct carnet_charter *out)
{
    struct making made = { 0 };
    size_t room = settings->word_count + 1, defaults = 0;
    while (carnet_purpose_at(NULL, defaults))
        defaults++;
    settle(settings);
    free_arrays(settings);
    *out = carnet_charter_default();
    settings->purposes = carnet_alloc((room + defaults) * sizeof *settings->purposes);
    settings->versions = carnet_alloc(room * sizeof *settings->versions);
    settings->fields = carnet_alloc(room * sizeof *settings->fields);
    settings->wordings = carnet_alloc(room * sizeof *settings->wordings);
    settings->all_wordings = carnet_alloc(room * sizeof *settings->all_wordings);
    settings->texts = carnet_alloc(room * sizeof *settings->texts);
    for (; made.purposes < defaults; made.purposes++)
        settings->purposes[made.purposes] = carnet_purpose_at(NULL, made.purposes);
    for (size_t at = 0, end; at < settings->word_count; at = end) {
        for (end = at + 1; end < settings->word_count && strcmp(settings->words[end].saying->key, settings->words[at].saying->key) == 0;)
            end++;
        take_key(settings, settings->words + at, end - at, &made, out);
    }
    if (made.versions)
        qsort(settings->versions, made.versions, sizeof *settings->versions, compare_versions);
    if (made.all_wordings)
        qsort(settings->all_wordings, made.all_wordings, sizeof *settings->all_wordings, compare_wordings);
    UNIQUE(settings->versions, made.versions);
    UNIQUE(settings->all_wordings, made.all_wordings);
    out->purposes = settings->purposes;
    out->purpose_count = made.purposes;
    out->versions = settings->versions;
    out->version_count = made.versions;
    out->fields = settings->fields;
    out->field_count = made.fields;
    out->wordings = settings->wordings;
    out->wording_count = made.wordings;
    out->all_wordings = settings->all_wordings;
    out->all_wording_count = made.all_wordings;
    out->texts = settings->texts;
    out->text_count = made.texts;
}
