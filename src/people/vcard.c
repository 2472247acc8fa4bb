// SPDX-License-Identifier: EUPL-1.2
/* vCard 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350), as address books really write them. */
#include "carnet/base/text.h"
#include "rows_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PENDING_MAX = 200, GROUP_LEN_MAX = 32 };

/* A property that waits for the end of its card: a label of its group may come behind it. */
struct pending {
    struct carnet_target target;
    struct carnet_slice name;  /* of the property */
    struct carnet_slice group; /* "item1" */
    struct carnet_slice label;
    struct carnet_slice text;
    bool is_address; /* text is the raw ADR */
    bool preferred;
};
struct group_label {
    struct carnet_slice group;
    struct carnet_slice label;
};

struct carnet_rows_vcard {
    struct carnet_buf card;    /* as it was read, without pictures */
    struct carnet_buf logical; /* the unfolded line being read */
    struct carnet_buf text;    /* a value decoded */
    struct carnet_buf piece;   /* a component of it */
    struct carnet_buf maps;    /* --map of X- properties: names and targets */
    struct carnet_rows_map map[64];
    size_t map_count;
    struct pending pending[PENDING_MAX];
    size_t pending_count;
    struct group_label labels[PENDING_MAX];
    size_t label_count;
    struct {
        const char *text;
        struct carnet_target target;
    } parsed[96]; /* targets already read from their texts: first those of maps, while their charter is the same */
    size_t parsed_count;
    bool begun;        /* the next card's BEGIN has been read already */
    uint64_t begun_at; /* its line */
    bool skipping;     /* within a picture */
    bool has_n;
    unsigned nested; /* cards inside AGENT */
    bool agent;      /* the last property was an AGENT without value */
};

static bool is_word(struct carnet_slice s, const char *word)
{
    return s.len == strlen(word) && (s.len == 0 || strncasecmp((const char *)s.ptr, word, s.len) == 0);
}

static bool begins_with(struct carnet_slice s, const char *word)
{
    size_t len = strlen(word);
    return s.len >= len && strncasecmp((const char *)s.ptr, word, len) == 0;
}

static struct carnet_slice trim(struct carnet_slice s)
{
    while (s.len && s.ptr[0] <= ' ')
        s.ptr++, s.len--;
    while (s.len && s.ptr[s.len - 1] <= ' ')
        s.len--;
    return s;
}

/* --- one property --------------------------------------------------------------------------------------------------
 */

struct property {
    struct carnet_slice group;
    struct carnet_slice name;
    struct carnet_slice params; /* from the first ';' on */
    struct carnet_slice value;
};

/* [group.]NAME[;params]:value; false: no such line. */
static bool split_property(struct carnet_slice line, struct property *out)
{
    size_t name_end = 0;
    bool quoted = false;
    while (name_end < line.len && line.ptr[name_end] != ';' && line.ptr[name_end] != ':')
        name_end++;
    size_t colon = name_end;
    for (; colon < line.len && (quoted || line.ptr[colon] != ':'); colon++)
        quoted = line.ptr[colon] == '"' ? !quoted : quoted;
    if (colon == line.len && quoted) /* a stray quotation mark */
        for (colon = name_end; colon < line.len && line.ptr[colon] != ':';)
            colon++;
    if (colon == line.len || name_end == 0)
        return false;
    struct carnet_slice name = carnet_slice(line.ptr, name_end);
    const uint8_t *dot = memchr(name.ptr, '.', name.len);
    out->group = dot ? carnet_slice(name.ptr, (size_t)(dot - name.ptr)) : CARNET_SLICE_NONE;
    out->name = trim(dot ? carnet_slice(dot + 1, name.len - out->group.len - 1) : name);
    out->params = carnet_slice(line.ptr + name_end, colon - name_end);
    out->value = carnet_slice(line.ptr + colon + 1, line.len - colon - 1);
    return out->name.len > 0 && out->name.len <= CARNET_LABEL_LEN_MAX;
}

/* The next parameter as key (empty: bare, as in 2.1) and one value; false: no more. Values of a list come one by one.
 */
struct params {
    struct carnet_slice rest;
    struct carnet_slice key;
    bool in_list;
};
static bool next_param(struct params *p, struct carnet_slice *key, struct carnet_slice *value)
{
    if (!p->in_list) {
        if (p->rest.len == 0)
            return false;
        p->rest = carnet_slice(p->rest.ptr + 1, p->rest.len - 1); /* the ';' */
        size_t end = 0;
        while (end < p->rest.len && p->rest.ptr[end] != ';' && p->rest.ptr[end] != '=')
            end++;
        p->key = CARNET_SLICE_NONE;
        if (end < p->rest.len && p->rest.ptr[end] == '=') {
            p->key = carnet_slice(p->rest.ptr, end);
            p->rest = carnet_slice(p->rest.ptr + end + 1, p->rest.len - end - 1);
        }
    }
    size_t end = 0;
    bool quoted = false;
    for (; end < p->rest.len && (quoted || (p->rest.ptr[end] != ';' && p->rest.ptr[end] != ',')); end++)
        quoted = p->rest.ptr[end] == '"' ? !quoted : quoted;
    *key = p->key;
    *value = carnet_slice(p->rest.ptr, end);
    if (value->len >= 2 && value->ptr[0] == '"' && value->ptr[value->len - 1] == '"')
        *value = carnet_slice(value->ptr + 1, value->len - 2);
    p->in_list = end < p->rest.len && p->rest.ptr[end] == ',';
    p->rest = carnet_slice(p->rest.ptr + end + (p->in_list ? 1 : 0), p->rest.len - end - (p->in_list ? 1 : 0));
    return true;
}

struct described {
    bool quoted_printable, base64, latin, preferred, unwanted; /* unwanted: a fax, a pager */
    struct carnet_slice label;                                 /* home, work, mobile, or the type as it is */
};

static struct described describe(struct carnet_slice raw, bool for_phone)
{
    struct described d = {0};
    struct params p = {.rest = raw};
    struct carnet_slice key, value;
    while (next_param(&p, &key, &value)) {
        bool is_type = key.len == 0 || is_word(key, "type");
        if (is_word(key, "charset"))
            d.latin = begins_with(value, "iso-8859") || begins_with(value, "windows-125") || is_word(value, "latin1");
        else if ((key.len == 0 || is_word(key, "encoding")) && is_word(value, "quoted-printable"))
            d.quoted_printable = true;
        else if ((key.len == 0 || is_word(key, "encoding")) && (is_word(value, "b") || is_word(value, "base64")))
            d.base64 = true;
        else if (is_word(key, "pref") || (is_type && is_word(value, "pref")))
            d.preferred = true;
        else if (!is_type)
            continue;
        else if (is_word(value, "fax") || is_word(value, "pager") || is_word(value, "modem"))
            d.unwanted = true;
        else if (is_word(value, "cell") || is_word(value, "mobile") || is_word(value, "iphone"))
            d.label = carnet_slice_str("mobile");
        else if (is_word(value, "work") && d.label.len == 0)
            d.label = carnet_slice_str("work");
        else if (is_word(value, "home") && d.label.len == 0)
            d.label = carnet_slice_str("home");
        else if (key.len && d.label.len == 0 && !for_phone && !is_word(value, "internet") &&
                 !is_word(value, "postal") && !is_word(value, "parcel") && !is_word(value, "dom") &&
                 !is_word(value, "intl") && !is_word(value, "x400"))
            d.label = value;
    }
    return d;
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

static struct carnet_slice decode_quoted_printable(struct carnet_slice raw, struct carnet_buf *out)
{
    carnet_buf_clear(out);
    for (size_t i = 0; i < raw.len; i++) {
        int high = raw.ptr[i] == '=' && raw.len - i >= 3 ? hex(raw.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex(raw.ptr[i + 2]) : -1;
        if (low >= 0) {
            carnet_buf_append_byte(out, (uint8_t)(high << 4 | low));
            i += 2;
        } else {
            carnet_buf_append_byte(out, raw.ptr[i]);
        }
    }
    return carnet_buf_slice(out);
}

/* The n-th component of a structured value, unescaped, in out; n beyond the last: empty. split: ';' or ',', 0: none.
 * *next: where the component after it begins, 0: nowhere. */
static struct carnet_slice component(struct carnet_slice value, uint8_t split, unsigned n, struct carnet_buf *out,
                                     size_t *next)
{
    unsigned at = 0;
    carnet_buf_clear(out);
    *next = 0;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        bool escaped = c == '\\' && i + 1 < value.len;
        if (escaped)
            c = value.ptr[++i];
        if (split && !escaped && c == split) {
            if (++at > n) {
                *next = i + 1;
                break;
            }
            continue;
        }
        if (at == n)
            carnet_buf_append_byte(out, escaped && (c | 0x20) == 'n' ? '\n' : c);
    }
    return carnet_buf_slice(out);
}

static struct carnet_slice whole(struct carnet_slice value, struct carnet_buf *out)
{
    size_t next;
    return component(value, 0, 0, out, &next);
}

/* --- properties and targets ----------------------------------------------------------------------------------------
 */

/* Where a property goes; NULL: nowhere. Those with "" are taken apart in take_property. */
static const char *target_text(const struct carnet_rows_vcard *v, struct carnet_slice name)
{
    static const struct {
        const char *name;
        const char *target;
    } known[] = {{"N", "given, family"},
                 {"FN", "name"},
                 {"TEL", "phone"},
                 {"EMAIL", "email"},
                 {"ADR", "street, postcode, city, country"},
                 {"BDAY", "born"},
                 {"GENDER", "gender"},
                 {"LANG", "language"},
                 {"ORG", "employer"},
                 {"URL", "website"},
                 {"NOTE", "note"},
                 {"CATEGORIES", "tags"},
                 {"UID", "source_id/uid"},
                 {"X-SOCIALPROFILE", "handle"},
                 {"X-MAIDENNAME", "birth_name"},
                 {"X-TWITTER", "handle/twitter"}};
    for (size_t i = 0; i < v->map_count; i++)
        if (v->map[i].column.len == name.len &&
            strncasecmp((const char *)v->map[i].column.ptr, (const char *)name.ptr, name.len) == 0)
            return (const char *)v->map[i].target.ptr;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (is_word(name, known[i].name))
            return known[i].target;
    return NULL;
}

static bool is_ignored(struct carnet_slice name)
{
    static const char *const names[] = {"BEGIN",   "END",       "VERSION",       "PRODID",         "REV",
                                        "PROFILE", "X-ABLABEL", "X-CARNET-LINE", "X-CARNET-REASON", "X-CARNET-NOTICE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (is_word(name, names[i]))
            return true;
    return false;
}

/* Lists the property for the mapping. */
static void note_property(struct carnet_rows *rows, struct carnet_slice name)
{
    if (is_ignored(name) || !carnet_text_is_utf8(name))
        return;
    for (size_t i = 0; i < rows->listed_count; i++)
        if (is_word(name, rows->listed[i].name))
            return;
    if (rows->listed_count == CARNET_ROWS_PROPERTIES_MAX)
        return;
    const char *target = target_text(rows->vcard, name);
    char *text = carnet_strdup_slice(name);
    for (char *c = text; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c & ~0x20) : *c;
    carnet_rows_list(rows, text, target && strcmp(target, "-") != 0 ? carnet_slice_str(target) : CARNET_SLICE_NONE);
    free(text);
}

/* A target of this file's own texts, and of maps that open has checked. */
static struct carnet_target target_of(struct carnet_rows_vcard *v, const char *text)
{
    struct carnet_target target;
    for (size_t i = 0; i < v->parsed_count; i++)
        if (v->parsed[i].text == text)
            return v->parsed[i].target;
    carnet_rc rc = carnet_target_parse(NULL, carnet_slice_str(text), &target, NULL);
    CARNET_ASSERT(rc == CARNET_OK);
    if (v->parsed_count < sizeof v->parsed / sizeof v->parsed[0]) {
        v->parsed[v->parsed_count].text = text;
        v->parsed[v->parsed_count++].target = target;
    }
    return target;
}

static void pend(struct carnet_rows *rows, const char *target, const struct property *p, struct carnet_slice label,
                 struct carnet_slice text, bool preferred)
{
    struct carnet_rows_vcard *v = rows->vcard;
    if (text.len == 0)
        return;
    if (v->pending_count == PENDING_MAX) {
        carnet_rows_refuse(rows, CARNET_LIMIT, "more than %d values", PENDING_MAX);
        return;
    }
    struct pending *one = &v->pending[v->pending_count++];
    *one = (struct pending){.name = carnet_arena_dup(&rows->arena, p->name),
                            .group = carnet_arena_dup(&rows->arena, p->group),
                            .label = carnet_arena_dup(&rows->arena, label),
                            .text = carnet_arena_dup(&rows->arena, text),
                            .preferred = preferred};
    if (strcmp(target, "address") == 0) {
        one->is_address = true;
        return;
    }
    one->target = target_of(v, target);
}

/* 19620314 as 1962-03-14; what lacks its year (--0314, or Apple's 1604) is nothing. */
static void pend_birthday(struct carnet_rows *rows, const struct property *p, struct carnet_slice text)
{
    char date[16];
    text = trim(text);
    struct params params = {.rest = p->params};
    struct carnet_slice key, value;
    while (next_param(&params, &key, &value))
        if (is_word(key, "x-apple-omit-year"))
            return;
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    if (begins_with(text, "--") || begins_with(text, "1604"))
        return;
    const char *t = (const char *)text.ptr;
    if (digits == 8 && (text.len == 8 || text.ptr[8] == 'T')) {
        snprintf(date, sizeof date, "%.4s-%.2s-%.2s", t, t + 4, t + 6);
        text = carnet_slice_str(date);
    }
    pend(rows, "born", p, CARNET_SLICE_NONE, text, false);
}

/* --- one logical line ----------------------------------------------------------------------------------------------
 */

static void take_name(struct carnet_rows *rows, const struct property *p, struct carnet_slice value)
{
    struct carnet_rows_vcard *v = rows->vcard;
    static const char *const targets[] = {"family", "given", NULL, "title"};
    size_t next;
    for (unsigned i = 0; i < 4; i++) {
        struct carnet_slice part = trim(component(value, ';', i, &v->piece, &next));
        if (!targets[i] || part.len == 0)
            continue;
        v->has_n = v->has_n || i < 2;
        pend(rows, targets[i], p, CARNET_SLICE_NONE, part, false);
    }
}

static void take_property(struct carnet_rows *rows, struct carnet_slice line)
{
    struct carnet_rows_vcard *v = rows->vcard;
    struct property p;
    if (trim(line).len == 0)
        return;
    if (!split_property(line, &p)) {
        carnet_rows_refuse(rows, CARNET_MALFORMED, "a line that is no property");
        return;
    }
    v->agent = is_word(p.name, "AGENT") && trim(p.value).len == 0;
    note_property(rows, p.name);
    if (!is_ignored(p.name) && trim(p.value).len)
        rows->build.any = true;
    struct described d = describe(p.params, is_word(p.name, "TEL"));
    if (d.base64)
        return;
    struct carnet_slice value = d.quoted_printable ? decode_quoted_printable(p.value, &v->text) : p.value;
    if (d.latin && rows->source.encoding != CARNET_SOURCE_CP1252) {
        struct carnet_source latin = {.encoding = CARNET_SOURCE_CP1252};
        value = carnet_source_text(&latin, value, &rows->scratch);
    } else if (!d.quoted_printable) {
        value = carnet_source_text(&rows->source, value, &rows->scratch);
    }
    size_t next;
    if (is_word(p.name, "X-ABLABEL")) {
        struct carnet_slice label = trim(whole(value, &v->piece));
        if (begins_with(label, "_$!<") && label.len > 8) /* Apple's own words: _$!<Home>!$_ */
            label = carnet_slice(label.ptr + 4, label.len - 8);
        if (v->label_count < PENDING_MAX && p.group.len)
            v->labels[v->label_count++] =
                (struct group_label){carnet_arena_dup(&rows->arena, p.group), carnet_arena_dup(&rows->arena, label)};
        return;
    }
    const char *target = target_text(v, p.name);
    if ((is_word(p.name, "KIND") || is_word(p.name, "X-ADDRESSBOOKSERVER-KIND")) && !is_word(trim(value), "individual"))
        carnet_rows_refuse(rows, CARNET_USAGE, "the card of a group or an organisation, not of a person");
    if (!target || strcmp(target, "-") == 0)
        return;
    for (size_t i = 0; i < v->map_count; i++)
        if (target == (const char *)v->map[i].target.ptr) {
            pend(rows, target, &p, CARNET_SLICE_NONE, whole(value, &v->piece), false);
            return;
        }
    if (is_word(p.name, "N")) {
        take_name(rows, &p, value);
    } else if (is_word(p.name, "TEL")) {
        if (!d.unwanted)
            pend(rows, "phone", &p, d.label, whole(value, &v->piece), d.preferred);
    } else if (is_word(p.name, "EMAIL")) {
        pend(rows, "email", &p, d.label, whole(value, &v->piece), d.preferred);
    } else if (is_word(p.name, "ADR")) {
        pend(rows, "address", &p, is_word(d.label, "home") ? CARNET_SLICE_NONE : d.label, value, d.preferred);
    } else if (is_word(p.name, "BDAY")) {
        pend_birthday(rows, &p, whole(value, &v->piece));
    } else if (is_word(p.name, "GENDER")) {
        pend(rows, "gender", &p, CARNET_SLICE_NONE, component(value, ';', 0, &v->piece, &next), false);
    } else if (is_word(p.name, "ORG")) {
        pend(rows, "employer", &p, CARNET_SLICE_NONE, component(value, ';', 0, &v->piece, &next), false);
    } else if (is_word(p.name, "CATEGORIES")) {
        do {
            carnet_rows_take_tag(rows, p.name, component(value, ',', 0, &v->piece, &next));
            value = carnet_slice(value.ptr + next, value.len - next);
        } while (next);
    } else if (is_word(p.name, "X-SOCIALPROFILE")) {
        pend(rows, "handle", &p, d.label, whole(value, &v->piece), false);
    } else {
        pend(rows, target, &p, CARNET_SLICE_NONE, whole(value, &v->piece), d.preferred);
    }
}

/* --- one card ------------------------------------------------------------------------------------------------------
 */

static void take_part(struct carnet_rows *rows, const char *target, unsigned part, const struct pending *one,
                      struct carnet_slice label, struct carnet_slice text)
{
    struct carnet_target t = target_of(rows->vcard, target);
    t.part = part;
    carnet_rows_take(rows, &t, one->name, label, trim(text));
}

static void take_address(struct carnet_rows *rows, const struct pending *one, struct carnet_slice label)
{
    struct carnet_buf *piece = &rows->vcard->piece;
    static const struct {
        const char *target;
        unsigned component, part;
    } parts[] = {{"country", 6, 0}, {"street", 2, 0},   {"street", 1, 5},
                 {"street", 0, 5},  {"postcode", 5, 0}, {"city", 3, 0}};
    size_t next;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        take_part(rows, parts[i].target, parts[i].part, one, label,
                  component(one->text, ';', parts[i].component, piece, &next));
}

/* In this order: countries first, since numbers and codes are read by them, then what is preferred, then the rest. */
static void take_pending(struct carnet_rows *rows)
{
    struct carnet_rows_vcard *v = rows->vcard;
    for (int pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < v->pending_count; i++) {
            const struct pending *one = &v->pending[i];
            if (pass != (one->is_address  ? 0
                         : one->preferred ? 1
                                          : 2) ||
                (v->has_n && one->target.kind == CARNET_TARGET_NAME))
                continue;
            char label[CARNET_LABEL_LEN_MAX + 1];
            struct carnet_slice given = one->label;
            for (size_t j = 0; given.len == 0 && one->group.len && j < v->label_count; j++)
                if (carnet_slice_equal(v->labels[j].group, one->group))
                    given = v->labels[j].label;
            label[0] = 0;
            carnet_buf_clear(&v->piece);
            if (given.len && carnet_value_label(given, &v->piece, NULL) == CARNET_OK)
                snprintf(label, sizeof label, "%s", carnet_buf_cstr(&v->piece));
            for (char *c = label; *c; c++)
                *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
            if (one->is_address)
                take_address(rows, one, carnet_slice_str(strcmp(label, "home") == 0 ? "" : label));
            else
                carnet_rows_take(rows, &one->target, one->name, carnet_slice_str(label), one->text);
        }
}

static bool is_picture(struct carnet_slice line)
{
    const uint8_t *dot = line.len ? memchr(line.ptr, '.', line.len < GROUP_LEN_MAX ? line.len : GROUP_LEN_MAX) : NULL;
    static const char *const names[] = {"PHOTO", "LOGO", "SOUND", "KEY"};
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < 4; i++)
            if (begins_with(line, names[i]) && line.len > strlen(names[i]) && strchr(":;", line.ptr[strlen(names[i])]))
                return true;
        if (dot)
            line = carnet_slice(dot + 1, line.len - (size_t)(dot + 1 - line.ptr));
    }
    return false;
}

static struct carnet_slice without_end(struct carnet_slice line)
{
    while (line.len && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    return line;
}

/* Whether a logical line ends in a soft break of QUOTED-PRINTABLE: then the next line belongs to it, whatever it begins
 * with. */
static bool is_soft_broken(struct carnet_slice logical)
{
    if (logical.len == 0 || logical.ptr[logical.len - 1] != '=')
        return false;
    struct property p;
    return split_property(logical, &p) && describe(p.params, false).quoted_printable;
}

/* Looks for the next BEGIN. NOT_FOUND: the end. OK with a reason: text between the cards. */
static carnet_rc find_card(struct carnet_rows *rows)
{
    struct carnet_rows_vcard *v = rows->vcard;
    if (v->begun) {
        v->begun = false;
        rows->line = v->begun_at;
        carnet_buf_append_str(&v->card, "BEGIN:VCARD\r\n");
        return CARNET_OK;
    }
    bool junk = false;
    for (;;) {
        struct carnet_slice line;
        carnet_source_mark(&rows->source);
        uint64_t number = rows->source.line;
        enum carnet_source_line got = carnet_source_next(&rows->source, &line);
        if (got == CARNET_SOURCE_FAILED)
            return CARNET_FAILED;
        struct carnet_slice text = got == CARNET_SOURCE_END ? CARNET_SLICE_NONE : trim(line);
        bool begins = got == CARNET_SOURCE_LINE && is_word(text, "BEGIN:VCARD");
        if (junk && (begins || got == CARNET_SOURCE_END)) {
            v->begun = begins;
            v->begun_at = number;
            carnet_rows_refuse(rows, CARNET_MALFORMED, "text that is in no card");
            return CARNET_OK;
        }
        if (got == CARNET_SOURCE_END)
            return CARNET_NOT_FOUND;
        if (begins) {
            rows->line = number;
            carnet_buf_append_slice(&v->card, line);
            return CARNET_OK;
        }
        if (got == CARNET_SOURCE_TOO_LONG) {
            rows->line = number;
            carnet_rows_refuse(rows, CARNET_LIMIT, "longer than %d KiB", CARNET_LINE_LEN_MAX / 1024);
            return CARNET_OK;
        }
        if (text.len == 0 || begins_with(text, "X-CARNET-"))
            continue;
        rows->line = junk ? rows->line : number;
        junk = true;
        if (v->card.len + line.len <= CARNET_LINE_LEN_MAX)
            carnet_buf_append_slice(&v->card, line);
    }
}

carnet_rc carnet_rows_vcard_next(struct carnet_rows *rows)
{
    struct carnet_rows_vcard *v = rows->vcard;
    carnet_buf_clear(&v->card);
    carnet_buf_clear(&v->logical);
    v->pending_count = v->label_count = 0;
    v->has_n = v->skipping = v->agent = false;
    v->nested = 0;
    carnet_rc rc = find_card(rows);
    if (rc != CARNET_OK || rows->why.rc != CARNET_OK) {
        rows->record = carnet_buf_slice(&v->card);
        return rc;
    }
    for (;;) {
        struct carnet_slice line;
        carnet_source_mark(&rows->source);
        uint64_t number = rows->source.line;
        enum carnet_source_line got = carnet_source_next(&rows->source, &line);
        if (got == CARNET_SOURCE_FAILED)
            return CARNET_FAILED;
        if (got == CARNET_SOURCE_TOO_LONG) {
            bool goes_on = v->skipping && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
            if (!goes_on && !is_picture(line))
                carnet_rows_refuse(rows, CARNET_LIMIT, "line %llu is longer than %d KiB", (unsigned long long)number,
                                   CARNET_LINE_LEN_MAX / 1024);
            v->skipping = true; /* of a picture, or of what is refused */
            continue;
        }
        struct carnet_slice text = without_end(line);
        bool is_end = got == CARNET_SOURCE_END;
        bool folded = !is_end && text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t');
        bool soft = !is_end && !v->skipping && is_soft_broken(carnet_buf_slice(&v->logical));
        if (v->skipping && !is_end &&
            (folded || text.len == 0 || (!memchr(text.ptr, ':', text.len) && !memchr(text.ptr, ';', text.len))))
            continue; /* a picture, also one folded without a blank */
        bool picture = !is_end && !folded && !soft && is_picture(text);
        if (!is_end && !picture) {
            carnet_buf_append_slice(&v->card, line);
            if (v->card.failed || v->card.len > CARNET_LINE_LEN_MAX) {
                carnet_rows_refuse(rows, CARNET_LIMIT, "a card longer than %d KiB", CARNET_LINE_LEN_MAX / 1024);
                carnet_buf_clear(&v->card);
            }
        }
        if (soft) {
            v->logical.len--;
            carnet_buf_append_slice(
                &v->logical, trim(text).len == text.len || !folded ? text : carnet_slice(text.ptr + 1, text.len - 1));
            continue;
        }
        if (folded) {
            carnet_buf_append(&v->logical, text.ptr + 1, text.len - 1);
            if (v->logical.failed) {
                carnet_rows_refuse(rows, CARNET_LIMIT, "a card longer than %d KiB", CARNET_LINE_LEN_MAX / 1024);
                carnet_buf_clear(&v->logical);
            }
            continue;
        }
        if (v->nested == 0)
            take_property(rows, carnet_buf_slice(&v->logical));
        carnet_buf_clear(&v->logical);
        v->skipping = picture;
        if (is_end) {
            carnet_rows_refuse(rows, CARNET_MALFORMED, "a card without END:VCARD");
        } else if (picture) {
            note_property(rows, carnet_slice_str("PHOTO"));
            continue;
        } else if (is_word(trim(text), "BEGIN:VCARD")) {
            if (v->agent || v->nested) {
                v->nested++;
                continue;
            }
            v->begun = true;
            v->begun_at = number;
            v->card.len -= v->card.len >= line.len ? line.len : v->card.len;
            carnet_rows_refuse(rows, CARNET_MALFORMED, "a card without END:VCARD");
        } else if (!is_word(trim(text), "END:VCARD")) {
            carnet_buf_append_slice(&v->logical, text);
            continue;
        } else if (v->nested) {
            v->nested--;
            continue;
        }
        rows->record = carnet_buf_slice(&v->card);
        if (rows->why.rc == CARNET_OK)
            take_pending(rows);
        return CARNET_OK;
    }
}

carnet_rc carnet_rows_vcard_open(struct carnet_rows *rows, const struct carnet_rows_options *options,
                                 struct carnet_err *err)
{
    struct carnet_rows_vcard *v = rows->vcard = carnet_alloc(sizeof *v);
    carnet_buf_init(&v->card, 2 * CARNET_LINE_LEN_MAX);
    carnet_buf_init(&v->logical, 2 * CARNET_LINE_LEN_MAX);
    carnet_buf_init(&v->text, 2 * CARNET_LINE_LEN_MAX);
    carnet_buf_init(&v->piece, 2 * CARNET_LINE_LEN_MAX);
    carnet_buf_init(&v->maps, 64 * 1024);
    if (rows->source.end == rows->source.at)
        return carnet_err_set(err, CARNET_MALFORMED, "the file is empty");
    size_t offsets[64][2];
    struct carnet_target targets[64];
    for (size_t i = 0; i < options->map_count; i++) {
        if (i == 64)
            return carnet_err_set(err, CARNET_LIMIT, "more than %d maps", 64);
        carnet_rc rc = carnet_target_parse(rows->charter, options->maps[i].target, &targets[i], err);
        if (rc != CARNET_OK)
            return rc;
        offsets[i][0] = v->maps.len;
        carnet_buf_append_slice(&v->maps, options->maps[i].column);
        offsets[i][1] = v->maps.len;
        carnet_buf_append_slice(&v->maps, options->maps[i].target);
        carnet_buf_append_byte(&v->maps, 0);
        if (v->maps.failed)
            return carnet_err_set(err, CARNET_LIMIT, "more than %d maps", 64);
        v->map_count++;
    }
    for (size_t i = 0; i < v->map_count; i++) {
        v->map[i].column = carnet_slice(v->maps.ptr + offsets[i][0], offsets[i][1] - offsets[i][0]);
        v->map[i].target = carnet_slice_str((const char *)v->maps.ptr + offsets[i][1]);
        carnet_rows_keep(rows, &targets[i]);
        v->parsed[v->parsed_count].text = (const char *)v->map[i].target.ptr;
        v->parsed[v->parsed_count++].target = targets[i];
    }
    return CARNET_OK;
}

void carnet_rows_vcard_close(struct carnet_rows *rows)
{
    struct carnet_rows_vcard *v = rows->vcard;
    if (!v)
        return;
    carnet_buf_deinit(&v->card);
    carnet_buf_deinit(&v->logical);
    carnet_buf_deinit(&v->text);
    carnet_buf_deinit(&v->piece);
    carnet_buf_deinit(&v->maps);
    free(v);
    rows->vcard = NULL;
}

void carnet_rows_vcard_put_reject(struct carnet_rows *rows, const struct carnet_row *row, struct carnet_buf *out)
{
    struct carnet_slice card = rows->record;
    const uint8_t *stop =
        card.len && begins_with(card, "BEGIN:VCARD") ? memchr(card.ptr, rows->source.newline, card.len) : NULL;
    size_t first = stop ? (size_t)(stop + 1 - card.ptr) : 0;
    struct carnet_buf text;
    carnet_buf_init(&text, 4 * CARNET_LINE_LEN_MAX);
    carnet_buf_append_slice(out, carnet_source_text(&rows->source, carnet_slice(card.ptr, first), &text));
    carnet_buf_printf(out, "X-CARNET-LINE:%llu\r\nX-CARNET-REASON:", (unsigned long long)row->line);
    for (const char *c = row->reason ? row->reason : ""; *c; c++) {
        if (*c == '\\' || *c == ';' || *c == ',')
            carnet_buf_append_byte(out, '\\');
        carnet_buf_append_byte(out, (uint8_t)*c);
    }
    carnet_buf_append_str(out, "\r\n");
    carnet_buf_append_slice(out,
                            carnet_source_text(&rows->source, carnet_slice(card.ptr + first, card.len - first), &text));
    if (card.len && card.ptr[card.len - 1] != '\n' && card.ptr[card.len - 1] != '\r')
        carnet_buf_append_str(out, "\r\n");
    carnet_buf_deinit(&text);
}
