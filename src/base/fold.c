// SPDX-License-Identifier: EUPL-1.2
#include "carnet/base/text.h"

#include "utf8.h"

#include <string.h>
#include <utf8proc.h>

/* U+00C0 to U+017F, what French and its neighbours are written with: most names never reach utf8proc. "": the general way.
 * A test compares every line with the general way. */
enum { LATIN_FIRST = 0xc0, LATIN_END = 0x180 };
static const char latin[LATIN_END - LATIN_FIRST][3] = {
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
    "d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "ss",
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
    "d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "y",
    "a", "a", "a", "a", "a", "a", "c", "c", "c", "c", "c", "c", "c", "c", "d", "d",
    "d", "d", "e", "e", "e", "e", "e", "e", "e", "e", "e", "e", "g", "g", "g", "g",
    "g", "g", "g", "g", "h", "h", "h", "h", "i", "i", "i", "i", "i", "i", "i", "i",
    "i", "i", "ij", "ij", "j", "j", "k", "k", "", "l", "l", "l", "l", "l", "l", "",
    "", "l", "l", "n", "n", "n", "n", "n", "n", "'n", "", "", "o", "o", "o", "o",
    "o", "o", "oe", "oe", "r", "r", "r", "r", "r", "r", "s", "s", "s", "s", "s", "s",
    "s", "s", "t", "t", "t", "t", "t", "t", "u", "u", "u", "u", "u", "u", "u", "u",
    "u", "u", "u", "u", "w", "w", "y", "y", "y", "z", "z", "z", "z", "z", "z", "s",
};

struct fold {
    struct carnet_buf *out;
    size_t len;
    bool begun; /* something is out already: a space may follow */
    bool space; /* a space is due before the next letter */
    uint8_t bytes[256];
};

static void flush(struct fold *f)
{
    carnet_buf_append(f->out, f->bytes, f->len);
    f->len = 0;
}

static inline void put_byte(struct fold *f, uint8_t byte)
{
    if (f->len + 2 > sizeof f->bytes)
        flush(f);
    if (f->space && f->begun)
        f->bytes[f->len++] = ' ';
    f->space = false;
    f->begun = true;
    f->bytes[f->len++] = byte;
}

static void put_code(struct fold *f, int32_t code)
{
    uint8_t bytes[4];
    size_t len = carnet_utf8_encode(code, bytes);
    for (size_t i = 0; i < len; i++)
        put_byte(f, bytes[i]);
}

enum { DROP = 0, GAP = 1 };
/* The search form of each ASCII character. */
static const uint8_t ascii[128] = {
    DROP, DROP, DROP, DROP, DROP, DROP, DROP, DROP, DROP, GAP,  GAP,  GAP,  GAP,  GAP,  DROP, DROP,
    DROP, DROP, DROP, DROP, DROP, DROP, DROP, DROP, DROP, DROP, DROP, DROP, DROP, DROP, DROP, DROP,
    GAP,  '!',  '"',  '#',  '$',  '%',  '&',  '\'', '(',  ')',  '*',  '+',  ',',  GAP,  '.',  '/',
    '0',  '1',  '2',  '3',  '4',  '5',  '6',  '7',  '8',  '9',  ':',  ';',  '<',  '=',  '>',  '?',
    '@',  'a',  'b',  'c',  'd',  'e',  'f',  'g',  'h',  'i',  'j',  'k',  'l',  'm',  'n',  'o',
    'p',  'q',  'r',  's',  't',  'u',  'v',  'w',  'x',  'y',  'z',  '[',  '\\', ']',  '^',  '_',
    '\'', 'a',  'b',  'c',  'd',  'e',  'f',  'g',  'h',  'i',  'j',  'k',  'l',  'm',  'n',  'o',
    'p',  'q',  'r',  's',  't',  'u',  'v',  'w',  'x',  'y',  'z',  '{',  '|',  '}',  '~',  DROP,
};

static inline void put_ascii(struct fold *f, uint8_t c)
{
    uint8_t form = ascii[c];
    if (form == GAP)
        f->space = true;
    else if (form != DROP)
        put_byte(f, form);
}

static bool is_apostrophe(int32_t code)
{
    switch (code) {
    case 0xb4: case 0x2b9: case 0x2bb: case 0x2bc: case 0x2bd: case 0x2c8: case 0x2ca: case 0x2cb: case 0x55a: case 0x5f3: case 0x1ffd:
    case 0x2018: case 0x2019: case 0x201a: case 0x201b: case 0x2032: case 0x2035: case 0xa78b: case 0xa78c: case 0xff07: case 0xff40:
        return true;
    default:
        return false;
    }
}

static bool is_gap(int32_t code)
{
    utf8proc_category_t category = utf8proc_category(code);
    return code == 0x85 || code == 0x2043 || code == 0x2212 || category == UTF8PROC_CATEGORY_ZS ||
           category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP || category == UTF8PROC_CATEGORY_PD;
}

/* Letters with a stroke or of two letters, which Unicode does not decompose; NULL for the others. */
static const char *letters(int32_t code)
{
    switch (code) {
    case 0xe6: return "ae";
    case 0xf0: case 0x111: return "d";
    case 0xf8: return "o";
    case 0xfe: return "th";
    case 0x127: return "h";
    case 0x131: return "i";
    case 0x142: return "l";
    case 0x153: return "oe";
    case 0x167: return "t";
    default: return NULL;
    }
}

/* An accent: a mark that reorders. The others are signs of Indic scripts (7, 9), voicing of kana (8), or vowels (0): letters. */
static bool is_accent(int32_t code)
{
    int class = utf8proc_get_property(code)->combining_class;
    return class != 0 && (class < 7 || class > 9);
}

/* Composes what is kept of a cluster and writes it. */
static void put_cluster(struct fold *f, int32_t *codes, size_t *count)
{
    carnet_text_order(codes, *count);
    utf8proc_ssize_t len = utf8proc_normalize_utf32(codes, (utf8proc_ssize_t)*count, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    for (utf8proc_ssize_t i = 0; i < len; i++)
        put_code(f, codes[i]);
    *count = 0;
}

/* One code point the general way; letters that are kept wait in codes for what may compose with them. */
static void put_general(struct fold *f, int32_t code, int32_t *codes, size_t *count)
{
    enum { EXPANSION_MAX = 32 }; /* U+FDFA becomes 18 */
    int32_t parts[EXPANSION_MAX];
    int class = 0;
    if (is_apostrophe(code)) {
        put_cluster(f, codes, count);
        put_byte(f, '\'');
        return;
    }
    if (is_gap(code)) {
        put_cluster(f, codes, count);
        f->space = true;
        return;
    }
    utf8proc_ssize_t len = utf8proc_decompose_char(code, parts, EXPANSION_MAX,
                                                   UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE,
                                                   &class);
    CARNET_ASSERT(len >= 0 && len <= EXPANSION_MAX);
    for (utf8proc_ssize_t i = 0; i < len; i++) {
        int32_t part = parts[i];
        const char *text = letters(part);
        if (is_accent(part))
            continue;
        if (part >= 0x80 && !text && !is_apostrophe(part) && !is_gap(part)) {
            if (*count == CARNET_CLUSTER_MAX || carnet_text_is_boundary(part))
                put_cluster(f, codes, count);
            codes[(*count)++] = part;
            continue;
        }
        put_cluster(f, codes, count);
        if (part < 0x80)
            put_ascii(f, (uint8_t)part);
        else if (text)
            for (; *text; text++)
                put_byte(f, (uint8_t)*text);
        else if (is_apostrophe(part))
            put_byte(f, '\'');
        else
            f->space = true;
    }
}

carnet_rc carnet_text_fold(struct carnet_slice text, struct carnet_buf *out)
{
    struct fold f = { .out = out };
    int32_t codes[CARNET_CLUSTER_MAX];
    size_t count = 0;
    size_t start = out->len;
    for (size_t at = 0; at < text.len;) {
        uint8_t byte = text.ptr[at];
        if (byte && byte < 0x80) {
            if (count)
                put_cluster(&f, codes, &count);
            /* A run of letters in one go; DROP and GAP, the ends of the inner buffer and of the text stop it. */
            size_t run = at;
            if (f.begun && !f.space) {
                size_t room = sizeof f.bytes - f.len;
                size_t end = text.len - at < room ? text.len : at + room;
                for (; at < end && text.ptr[at] < 0x80 && ascii[text.ptr[at]] > GAP; at++)
                    f.bytes[f.len++] = ascii[text.ptr[at]];
            }
            if (at == run)
                put_ascii(&f, text.ptr[at++]);
            continue;
        }
        int32_t code = carnet_utf8_decode(text, &at);
        if (code <= 0) {
            out->len = start;
            return CARNET_MALFORMED;
        }
        if (code >= LATIN_FIRST && code < LATIN_END && latin[code - LATIN_FIRST][0]) {
            if (count)
                put_cluster(&f, codes, &count);
            const char *letter = latin[code - LATIN_FIRST];
            put_byte(&f, (uint8_t)letter[0]);
            if (letter[1])
                put_byte(&f, (uint8_t)letter[1]);
            continue;
        }
        put_general(&f, code, codes, &count);
    }
    put_cluster(&f, codes, &count);
    flush(&f);
    if (out->failed) {
        out->len = start;
        return CARNET_LIMIT;
    }
    return CARNET_OK;
}
