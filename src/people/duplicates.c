// SPDX-License-Identifier: EUPL-1.2
/* Who may be the same person. Each person gets some numbers: what they look like, hashed. Two with a number in common are compared by what may be shown of both, and
 * proposed. The numbers are kept in an index, so that whoever comes or changes is compared with those alone who look the same. */
#include "carnet/people/merge.h"

#include "internal.h"

#include "carnet/replica/index.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 8192,      /* new records compared in one transaction */
    DUE_CHUNK = 256,   /* changed ones */
    NUMBERS_MAX = 32,  /* of one person */
    FEW = 4,           /* names, streets... of one person that are looked at */
    WORDS_LEN_MAX = 256
};

/* Also the last bits of a number. The first that two have in common is the one that is said. */
enum reason { EMAIL = 1, PHONE, BORN, GIVEN_ADDRESS, GIVEN_STREET, GENDER_ADDRESS };
static const char *const reason_names[] = { "", "email", "phone", "name+born", "name+given+address", "name+given+street", "name+gender+address" };

struct likeness {
    uint64_t at[NUMBERS_MAX];
    size_t count;
};

/* --- numbers --- */

struct hash {
    uint64_t a;
};

static void mix(struct hash *hash, const void *ptr, size_t len)
{
    const uint8_t *bytes = ptr;
    for (size_t i = 0; i < len; i++)
        hash->a = (hash->a ^ bytes[i]) * UINT64_C(0x100000001b3);
    hash->a = (hash->a ^ 0xff) * UINT64_C(0x100000001b3); /* the end of a piece */
}

/* Whoever makes two values of one number gains that two contacts are compared. */
static uint64_t number_of(const struct hash *hash, enum reason reason)
{
    uint64_t x = hash->a;
    x = (x ^ x >> 32) * UINT64_C(0x9fb21c651e98df25);
    x = (x ^ x >> 29) * UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    return (x & (INT64_MAX & ~UINT64_C(7))) | (uint64_t)reason;
}

static void add_number(struct likeness *out, const struct hash *hash, enum reason reason)
{
    uint64_t number = number_of(hash, reason);
    for (size_t i = 0; i < out->count; i++)
        if (out->at[i] == number)
            return;
    if (out->count < NUMBERS_MAX)
        out->at[out->count++] = number;
}

struct words { /* folded: " 12 rue des lilas" */
    uint8_t text[WORDS_LEN_MAX];
    size_t len;
};
struct looks { /* the values of one person that count */
    struct words names[FEW], givens[FEW], streets[FEW];
    struct carnet_slice born[FEW], genders[FEW];
    size_t name_count, given_count, street_count, born_count, gender_count;
};

static bool put_words(struct words *out, struct carnet_slice value)
{
    uint8_t array[WORDS_LEN_MAX];
    struct carnet_query_text text;
    carnet_query_text_init(&text, array, sizeof array);
    bool any = carnet_query_put_words(&text, value) > 0;
    out->len = text.len < sizeof out->text ? text.len : sizeof out->text;
    memcpy(out->text, text.ptr, out->len);
    carnet_query_text_deinit(&text);
    return any;
}

static struct carnet_slice next_word(const struct words *words, size_t *at)
{
    while (*at < words->len && words->text[*at] == ' ')
        ++*at;
    size_t start = *at;
    while (*at < words->len && words->text[*at] != ' ')
        ++*at;
    return carnet_slice(words->text + start, *at - start);
}

static bool is(struct carnet_slice word, const char *text)
{
    return carnet_slice_equal(word, carnet_slice_str(text));
}

/* A street as everybody writes it otherwise: "12 bis, av. des Lilas". number: with or without its number. false: it has none. */
static bool mix_street(struct hash *hash, const struct words *street, bool number)
{
    static const char *const short_words[][2] = { { "av", "avenue" }, { "ave", "avenue" }, { "bd", "boulevard" }, { "bld", "boulevard" }, { "boul", "boulevard" },
                                                  { "r", "rue" },     { "pl", "place" },   { "ch", "chemin" },    { "che", "chemin" },    { "imp", "impasse" },
                                                  { "all", "allee" }, { "rte", "route" },  { "sq", "square" },    { "st", "saint" },      { "ste", "sainte" } };
    bool numbered = false, first = true, any = false;
    for (size_t at = 0; at < street->len;) {
        struct carnet_slice word = next_word(street, &at);
        if (!word.len)
            break;
        bool digit = word.ptr[0] >= '0' && word.ptr[0] <= '9';
        bool suffix = numbered && !any && (word.len == 1 || is(word, "bis") || is(word, "ter") || is(word, "quater"));
        if ((first && digit) || (suffix && !is(word, "r"))) {
            numbered = true;
            if (number)
                mix(hash, word.ptr, word.len);
            first = false;
            continue;
        }
        first = false;
        any = true;
        for (size_t i = 0; i < sizeof short_words / sizeof short_words[0]; i++)
            if (is(word, short_words[i][0]))
                word = carnet_slice_str(short_words[i][1]);
        mix(hash, word.ptr, word.len);
    }
    return any && (numbered || !number);
}

static void mix_value(struct hash *hash, struct carnet_slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        c = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
        hash->a = (hash->a ^ c) * UINT64_C(0x100000001b3);
    }
}

static bool is_whole_date(struct carnet_slice text)
{
    return text.len == 10 && text.ptr[4] == '-' && text.ptr[7] == '-';
}

static void look(struct looks *looks, struct likeness *out, const struct hash *book, uint32_t field, struct carnet_slice value)
{
    struct hash hash = *book;
    if (!value.len)
        return;
    if (field == CARNET_FIELD_EMAIL || field == CARNET_FIELD_PHONE) {
        mix_value(&hash, value);
        add_number(out, &hash, field == CARNET_FIELD_EMAIL ? EMAIL : PHONE);
    } else if ((field == CARNET_FIELD_FAMILY || field == CARNET_FIELD_BIRTH_NAME) && looks->name_count < FEW) {
        looks->name_count += put_words(&looks->names[looks->name_count], value);
    } else if (field == CARNET_FIELD_GIVEN && looks->given_count < FEW) {
        looks->given_count += put_words(&looks->givens[looks->given_count], value);
    } else if (field == CARNET_FIELD_STREET && looks->street_count < FEW) {
        looks->street_count += put_words(&looks->streets[looks->street_count], value);
    } else if (field == CARNET_FIELD_BORN && looks->born_count < FEW && is_whole_date(value)) {
        looks->born[looks->born_count++] = value;
    } else if (field == CARNET_FIELD_GENDER && looks->gender_count < FEW) {
        looks->genders[looks->gender_count++] = value;
    }
}

static void finish(const struct looks *looks, struct likeness *out, const struct hash *book)
{
    for (size_t n = 0; n < looks->name_count; n++) {
        struct hash name = *book, hash;
        for (size_t i = 0; i < looks->names[n].len; i++) /* written together: Le Goff, Legoff */
            if (looks->names[n].text[i] != ' ')
                name.a = (name.a ^ looks->names[n].text[i]) * UINT64_C(0x100000001b3);
        mix(&name, "", 0);
        for (size_t i = 0; i < looks->born_count; i++) {
            hash = name;
            mix(&hash, looks->born[i].ptr, looks->born[i].len);
            add_number(out, &hash, BORN);
        }
        for (size_t s = 0; s < looks->street_count; s++) {
            for (size_t i = 0; i < looks->given_count; i++) {
                size_t at = 0;
                struct carnet_slice given = next_word(&looks->givens[i], &at); /* a roll has all the first names */
                hash = name;
                mix(&hash, given.ptr, given.len);
                struct hash whole = hash;
                if (mix_street(&whole, &looks->streets[s], true))
                    add_number(out, &whole, GIVEN_ADDRESS);
                if (mix_street(&hash, &looks->streets[s], false))
                    add_number(out, &hash, GIVEN_STREET);
            }
            for (size_t i = 0; i < looks->gender_count; i++) {
                hash = name;
                mix(&hash, looks->genders[i].ptr, looks->genders[i].len);
                if (mix_street(&hash, &looks->streets[s], true))
                    add_number(out, &hash, GENDER_ADDRESS);
            }
        }
    }
}

static struct hash begin(const struct carnet_id *book)
{
    struct hash hash = { UINT64_C(0xcbf29ce484222325) };
    mix(&hash, book->b, sizeof book->b);
    return hash;
}

/* Of all that is known here, blocked or not: what may be shown is asked when two are compared. */
static void likeness_of(const struct carnet_id *book, const struct carnet_view_record *records, size_t count, uint32_t scopes, struct likeness *out)
{
    struct looks looks;
    struct likeness all = { .count = 0 };
    const struct hash hash = begin(book);
    looks.name_count = looks.given_count = looks.street_count = looks.born_count = looks.gender_count = 0;
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < records[r].record->live_count; i++) {
            const struct carnet_sibling *sibling = &records[r].record->live[i];
            if (sibling->state == CARNET_SIBLING_VALUE && scopes >> sibling->scope & 1)
                look(&looks, &all, &hash, sibling->field, sibling->value);
        }
    finish(&looks, &all, &hash);
    *out = all;
}

/* The number of the address follows from that of the street, and is not kept. */
static void leave_addresses(struct likeness *likeness)
{
    size_t count = 0;
    for (size_t i = 0; i < likeness->count; i++)
        if ((likeness->at[i] & 7) != GIVEN_ADDRESS)
            likeness->at[count++] = likeness->at[i];
    likeness->count = count;
}

static void likeness_shown(const struct carnet_view *view, struct likeness *out)
{
    struct looks looks;
    const struct hash hash = begin(&view->book);
    out->count = 0;
    looks.name_count = looks.given_count = looks.street_count = looks.born_count = looks.gender_count = 0;
    for (size_t i = 0; i < view->cell_count; i++)
        for (size_t j = 0; j < view->cells[i].count; j++)
            look(&looks, out, &hash, view->cells[i].field, view->cells[i].siblings[j]->value);
    finish(&looks, out, &hash);
}

/* Both say one, and not the same. */
static bool differ(const struct carnet_view *a, const struct carnet_view *b, uint32_t field)
{
    bool in_a = false, in_b = false;
    for (size_t i = 0; i < a->cell_count; i++)
        for (size_t j = 0; a->cells[i].field == field && j < a->cells[i].count; j++)
            for (size_t k = 0; k < b->cell_count; k++)
                for (size_t l = 0; b->cells[k].field == field && l < b->cells[k].count; l++) {
                    struct words x, y;
                    bool p = put_words(&x, a->cells[i].siblings[j]->value), q = put_words(&y, b->cells[k].siblings[l]->value);
                    in_a = in_a || p;
                    in_b = in_b || q;
                    if (p && q && x.len == y.len && memcmp(x.text, y.text, x.len) == 0)
                        return false;
                }
    return in_a && in_b;
}

/* What may be shown of both decides; 0: nothing that they have in common, or somebody said that they are two. */
static enum reason compare(const struct carnet_view *a, const struct carnet_view *b)
{
    struct likeness x, y;
    unsigned best = 0;
    if (a->n == b->n || !carnet_id_equal(&a->book, &b->book) || a->record.kind != CARNET_KIND_CONTACT || b->record.kind != CARNET_KIND_CONTACT)
        return 0;
    likeness_shown(a, &x);
    likeness_shown(b, &y);
    bool elsewhere = differ(a, b, CARNET_FIELD_POSTCODE) || differ(a, b, CARNET_FIELD_CITY); /* many towns have this street */
    for (size_t i = 0; i < x.count; i++)
        for (size_t j = 0; j < y.count; j++) {
            unsigned reason = (unsigned)(x.at[i] & 7);
            if (x.at[i] == y.at[j] && (reason < GIVEN_ADDRESS || !elsewhere) && (!best || reason < best))
                best = reason;
        }
    return best && !carnet_people_are_distinct(a, b) ? (enum reason)best : 0;
}

/* --- keeping the proposals --- */

struct pair {
    int64_t a, b;
};
/* What is remembered of a record while many are compared: the numbers that may be shown, and where it lives. */
struct known {
    int64_t n; /* 0: a free slot */
    uint32_t first, count;
    uint64_t postcode, city; /* 0: none, or several */
    bool asks; /* more is to be known than this: it is one of several of a person, or merging was spoken of */
};
struct update {
    struct carnet_replica *replica;
    struct carnet_store *store;
    const struct carnet_duplicates_options *options;
    struct carnet_err *err;
    struct carnet_record record;
    struct carnet_arena arena;
    struct pair *pairs;
    size_t pair_count, pair_cap;
    struct known *known; /* by n, open addressing; cleared when it is full */
    size_t known_count;
    uint64_t *numbers;
    size_t number_count, number_cap;
    uint64_t *seen; /* when all are compared from the first on: a bit for each number met, so that most need not be looked for */
};
enum { SEEN_BITS = 1 << 24 };
enum { KNOWN_SLOTS = 1 << 21, KNOWN_MAX = KNOWN_SLOTS / 2 }; /* 80 MB at most, touched as far as it is used */

static int by_pair(const void *left, const void *right)
{
    const struct pair *x = left, *y = right;
    return x->a != y->a ? (x->a < y->a ? -1 : 1) : (x->b > y->b) - (x->b < y->b);
}

static void add_pair(struct update *u, int64_t a, int64_t b)
{
    if (a == b)
        return;
    CARNET_GROW(u->pairs, u->pair_count, u->pair_cap);
    u->pairs[u->pair_count++] = (struct pair){ a < b ? a : b, a < b ? b : a };
}

static struct known *slot_of(struct update *u, int64_t n)
{
    size_t at = (size_t)n & (KNOWN_SLOTS - 1); /* numbers are dense */
    while (u->known[at].n && u->known[at].n != n)
        at = (at + 1) & (KNOWN_SLOTS - 1);
    return &u->known[at];
}

static uint64_t value_hash(uint64_t before, struct carnet_slice value)
{
    struct hash hash = { UINT64_C(0xcbf29ce484222325) };
    struct words words;
    put_words(&words, value);
    mix(&hash, words.text, words.len);
    return before && before != hash.a ? 1 : hash.a; /* 1: several */
}

static void remember(struct update *u, const struct carnet_record_row *row, const struct carnet_record *record, const struct likeness *shown)
{
    if (!u->known)
        u->known = carnet_alloc(KNOWN_SLOTS * sizeof *u->known);
    if (u->known_count >= KNOWN_MAX) {
        memset(u->known, 0, KNOWN_SLOTS * sizeof *u->known);
        u->known_count = u->number_count = 0;
    }
    struct known *known = slot_of(u, row->n);
    u->known_count += known->n == 0;
    *known = (struct known){ .n = row->n, .first = (uint32_t)u->number_count, .count = (uint32_t)shown->count, .asks = row->flags & CARNET_RECORD_PERSON };
    for (size_t i = 0; i < shown->count; i++) {
        CARNET_GROW(u->numbers, u->number_count, u->number_cap);
        u->numbers[u->number_count++] = shown->at[i];
    }
    for (size_t i = 0; i < record->event_count && !known->asks; i++)
        known->asks = carnet_event_peek(record->events[i].raw) == CARNET_EVENT_EDGE;
    for (size_t i = 0; i < record->live_count; i++) {
        const struct carnet_sibling *sibling = &record->live[i];
        if (sibling->state != CARNET_SIBLING_VALUE || !sibling->value.len || !(row->indexed >> sibling->scope & 1))
            continue;
        if (sibling->field == CARNET_FIELD_POSTCODE)
            known->postcode = value_hash(known->postcode, sibling->value);
        else if (sibling->field == CARNET_FIELD_CITY)
            known->city = value_hash(known->city, sibling->value);
    }
    known->asks = known->asks || known->postcode == 1 || known->city == 1;
}

/* As `compare`, from what is remembered: a row's `indexed` is what is open of it. */
static enum reason compare_known(const struct update *u, const struct known *a, const struct known *b)
{
    bool elsewhere = (a->postcode && b->postcode && a->postcode != b->postcode) || (a->city && b->city && a->city != b->city);
    unsigned best = 0;
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t j = 0; j < b->count; j++) {
            uint64_t number = u->numbers[a->first + i];
            unsigned reason = (unsigned)(number & 7);
            if (number == u->numbers[b->first + j] && (reason < GIVEN_ADDRESS || !elsewhere) && (!best || reason < best))
                best = reason;
        }
    return (enum reason)best;
}

static carnet_rc read_likeness(struct update *u, const struct carnet_record_row *row, struct likeness *out);

static carnet_rc known_of(struct update *u, int64_t n, struct known *out)
{
    struct carnet_record_row row;
    struct likeness likeness;
    if (u->known && slot_of(u, n)->n == n) {
        *out = *slot_of(u, n);
        return CARNET_OK;
    }
    carnet_rc rc = carnet_store_record_at(u->store, n, &row, u->err);
    if (!rc)
        rc = read_likeness(u, &row, &likeness);
    if (!rc)
        *out = *slot_of(u, n);
    return rc;
}

static carnet_rc compare_whole(struct update *u, const struct pair *pair, enum reason *out)
{
    struct carnet_view a, b;
    *out = 0;
    carnet_arena_reset(&u->arena);
    carnet_rc rc = carnet_replica_view_at(u->replica, pair->a, &u->arena, &a, u->err);
    if (!rc)
        rc = carnet_replica_view_at(u->replica, pair->b, &u->arena, &b, u->err);
    if (!rc && a.n == pair->a && b.n == pair->b)
        *out = compare(&a, &b);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

static carnet_rc put_pairs(struct update *u)
{
    carnet_rc rc = CARNET_OK;
    if (u->pair_count)
        qsort(u->pairs, u->pair_count, sizeof *u->pairs, by_pair);
    for (size_t i = 0; !rc && i < u->pair_count; i++) {
        const struct pair *pair = &u->pairs[i];
        struct known a, b;
        enum reason reason = 0;
        if (i && by_pair(pair, pair - 1) == 0)
            continue;
        rc = known_of(u, pair->a, &a);
        if (!rc)
            rc = known_of(u, pair->b, &b);
        if (!rc && slot_of(u, pair->a)->n != pair->a) /* forgotten meanwhile, with all */
            rc = known_of(u, pair->a, &a);
        if (!rc && (a.asks || b.asks))
            rc = compare_whole(u, pair, &reason);
        else if (!rc)
            reason = compare_known(u, &a, &b);
        if (!rc && reason) {
            const struct carnet_proposal proposal = { pair->a, pair->b, reason };
            rc = carnet_store_proposal_put(u->store, &proposal, u->err);
        }
    }
    u->pair_count = 0;
    return rc;
}

/* What a row looks like: nothing, unless it stands for a person. It is remembered. */
static carnet_rc read_likeness(struct update *u, const struct carnet_record_row *row, struct likeness *out)
{
    struct likeness shown = { .count = 0 };
    const struct carnet_record_row here = *row;
    uint32_t held;
    out->count = 0;
    if (here.kind != CARNET_KIND_CONTACT || !(here.flags & CARNET_RECORD_CONTACT)) {
        const struct carnet_record none = { .event_count = 0 };
        remember(u, &here, &none, out);
        return CARNET_OK;
    }
    if (carnet_record_unpack(here.state, &u->record))
        return carnet_err_set(u->err, CARNET_CORRUPT, "the database is damaged: %s", "record");
    if (here.flags & CARNET_RECORD_PERSON) {
        struct carnet_view view;
        carnet_arena_reset(&u->arena);
        remember(u, &here, &u->record, out);
        carnet_rc rc = carnet_replica_view_at(u->replica, here.n, &u->arena, &view, u->err);
        if (!rc)
            likeness_of(&here.book, view.records, view.record_count, CARNET_SCOPES_ALL, out);
        leave_addresses(out);
        return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    }
    const struct carnet_view_record alone = { .record = &u->record };
    held = carnet_record_scopes_in(&u->record, CARNET_SIBLING_VALUE) & ~(1u << CARNET_SCOPE_CONSENT);
    likeness_of(&here.book, &alone, 1, CARNET_SCOPES_ALL, out);
    if (held & ~here.indexed)
        likeness_of(&here.book, &alone, 1, here.indexed, &shown);
    remember(u, &here, &u->record, held & ~here.indexed ? &shown : out);
    leave_addresses(out);
    return CARNET_OK;
}

static carnet_rc touch_all(struct update *u, const int64_t *numbers, size_t count)
{
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; !rc && i < count; i++)
        rc = carnet_store_likeness_touch(u->store, numbers[i], u->err);
    return rc;
}

static bool has(const uint64_t *numbers, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

/* One that changed: its numbers, and who has them too. A value that becomes too common, or is so no more, has the others looked at again. */
static carnet_rc update_one(struct update *u, int64_t n)
{
    enum { MANY = CARNET_DUPLICATES_SHARED_MAX };
    struct carnet_record_row row;
    struct likeness now = { .count = 0 };
    uint64_t old[64];
    int64_t who[MANY + 1];
    struct carnet_slice kept;
    size_t old_count = 0, count;
    carnet_rc rc = carnet_store_likeness_get(u->store, n, &kept, u->err);
    if (rc == CARNET_OK) {
        old_count = kept.len / sizeof *old < 64 ? kept.len / sizeof *old : 64;
        memcpy(old, kept.ptr, old_count * sizeof *old);
    }
    if (rc == CARNET_OK || rc == CARNET_NOT_FOUND)
        rc = carnet_store_record_at(u->store, n, &row, u->err);
    if (rc == CARNET_OK)
        rc = read_likeness(u, &row, &now);
    if (rc == CARNET_OK || rc == CARNET_NOT_FOUND)
        rc = carnet_store_proposals_drop(u->store, n, u->err);
    for (size_t i = 0; !rc && i < old_count; i++) {
        if (has(now.at, now.count, old[i]))
            continue;
        rc = carnet_store_likeness_index(u->store, old[i], n, false, u->err);
        if (!rc)
            rc = carnet_store_likeness_who(u->store, old[i], who, MANY + 1, &count, u->err);
        if (!rc && count == MANY)
            rc = touch_all(u, who, count);
    }
    for (size_t i = 0; !rc && i < now.count; i++) {
        bool fresh = !has(old, old_count, now.at[i]);
        if (fresh)
            rc = carnet_store_likeness_index(u->store, now.at[i], n, true, u->err);
        if (!rc)
            rc = carnet_store_likeness_who(u->store, now.at[i], who, MANY + 1, &count, u->err);
        if (!rc && count <= MANY)
            for (size_t j = 0; j < count; j++)
                add_pair(u, n, who[j]);
        else if (!rc && fresh)
            rc = touch_all(u, who, count); /* those before it may be proposed by it */
    }
    if (!rc)
        rc = carnet_store_likeness_put(u->store, n, now.at, now.count, u->err);
    if (!rc)
        rc = put_pairs(u);
    return rc ? rc : carnet_store_likeness_done(u->store, n, u->err);
}

struct numbered {
    uint64_t number;
    int64_t n;
};

static int by_number(const void *left, const void *right)
{
    const struct numbered *x = left, *y = right;
    return x->number != y->number ? (x->number < y->number ? -1 : 1) : (x->n > y->n) - (x->n < y->n);
}

/* May another one than those of this chunk have the number? */
static bool was_seen(struct update *u, uint64_t number)
{
    if (!u->seen)
        return true;
    uint64_t *word = &u->seen[number >> 3 & (SEEN_BITS / 64 - 1)], bit = UINT64_C(1) << (number >> 40 & 63);
    bool seen = *word & bit;
    *word |= bit;
    return seen;
}

/* Those of one number among the new ones. */
static carnet_rc compare_group(struct update *u, const struct numbered *group, size_t count)
{
    enum { MANY = CARNET_DUPLICATES_SHARED_MAX };
    int64_t who[MANY + 1];
    size_t before = 0;
    carnet_rc rc = !was_seen(u, group->number) ? CARNET_OK : carnet_store_likeness_who(u->store, group->number, who, MANY + 1, &before, u->err);
    if (rc)
        return rc;
    if (before + count > MANY)
        return before <= MANY ? touch_all(u, who, before) : CARNET_OK;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < before; j++)
            add_pair(u, who[j], group[i].n);
        for (size_t j = 0; j < i; j++)
            add_pair(u, group[j].n, group[i].n);
    }
    return CARNET_OK;
}

/* The next new ones, in one transaction. *last of their numbers: 0, none is left. */
static carnet_rc update_new(struct update *u, int64_t mark, int64_t *last)
{
    struct numbered *numbers = NULL;
    size_t count = 0, cap = 0, looked = 0;
    struct carnet_record_row row;
    struct likeness likeness;
    carnet_rc rc = CARNET_OK;
    *last = 0;
    if (mark == 0)
        u->seen = carnet_realloc(u->seen, SEEN_BITS / 64, sizeof *u->seen);
    if (mark == 0)
        memset(u->seen, 0, SEEN_BITS / 8);
    for (; looked < CHUNK; looked++) {
        rc = carnet_store_record_next(u->store, mark + 1 > *last + 1 ? mark + 1 : *last + 1, &row, u->err);
        if (rc)
            break;
        *last = row.n;
        rc = read_likeness(u, &row, &likeness);
        for (size_t i = 0; !rc && i < likeness.count; i++) {
            CARNET_GROW(numbers, count, cap);
            numbers[count++] = (struct numbered){ likeness.at[i], *last };
        }
        if (!rc && likeness.count)
            rc = carnet_store_likeness_put(u->store, *last, likeness.at, likeness.count, u->err);
        if (rc)
            break;
    }
    rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    if (!rc && count)
        qsort(numbers, count, sizeof *numbers, by_number);
    for (size_t i = 0; !rc && i < count;) {
        size_t to = i + 1;
        while (to < count && numbers[to].number == numbers[i].number)
            to++;
        rc = compare_group(u, numbers + i, to - i);
        i = to;
    }
    for (size_t i = 0; !rc && i < count; i++)
        rc = carnet_store_likeness_index(u->store, numbers[i].number, numbers[i].n, true, u->err);
    if (!rc)
        rc = put_pairs(u);
    if (!rc && *last)
        rc = carnet_store_likeness_mark_put(u->store, *last, u->err);
    free(numbers);
    return rc;
}

/* One transaction of work; *more: there is more to do. */
static carnet_rc update_some(struct update *u, bool *more)
{
    int64_t due[DUE_CHUNK], mark = 0, last = 0;
    size_t count = 0;
    carnet_rc rc = carnet_replica_begin(u->replica, u->err);
    if (rc)
        return rc;
    rc = carnet_store_likeness_mark(u->store, &mark, u->err);
    if (!rc)
        rc = update_new(u, mark, &last);
    if (!rc && !last) {
        free(u->seen); /* what is changed below is not in it */
        u->seen = NULL;
        rc = carnet_store_likeness_due(u->store, due, DUE_CHUNK, &count, u->err);
        for (size_t i = 0; !rc && i < count; i++)
            rc = update_one(u, due[i]);
    }
    *more = last || count;
    if (!rc)
        return carnet_replica_commit(u->replica, u->err);
    carnet_replica_rollback(u->replica);
    return rc;
}

carnet_rc carnet_people_duplicates_update(struct carnet_replica *replica, const struct carnet_duplicates_options *options, uint64_t *added, struct carnet_err *err)
{
    static const struct carnet_duplicates_options none = { .limit = 0 };
    struct update u = { .replica = replica, .store = carnet_replica_store(replica), .options = options ? options : &none, .err = err };
    int64_t left = 0, total = 0, before = 0, after = 0;
    bool more = true;
    carnet_rc rc = carnet_store_likeness_left(u.store, &total, err);
    if (!rc)
        rc = carnet_store_proposal_count(u.store, 0, &before, err);
    if (added)
        *added = 0;
    if (rc || !total)
        return rc;
    carnet_record_init(&u.record);
    carnet_arena_init(&u.arena);
    while (!rc && more) {
        rc = update_some(&u, &more);
        if (!rc && more && u.options->progress)
            rc = carnet_store_likeness_left(u.store, &left, err);
        if (!rc && more && u.options->progress && !u.options->progress(u.options->ctx, (uint64_t)(total > left ? total - left : 0), (uint64_t)total)) {
            rc = carnet_err_set(err, CARNET_CANCELLED, "stopped before all contacts were compared");
            carnet_err_hint(err, "the same command goes on where it stopped");
        }
    }
    if (!rc)
        rc = carnet_store_proposal_count(u.store, 0, &after, err);
    if (added && after > before)
        *added = (uint64_t)(after - before);
    free(u.pairs);
    free(u.known);
    free(u.seen);
    free(u.numbers);
    carnet_record_deinit(&u.record);
    carnet_arena_deinit(&u.arena);
    return rc;
}

carnet_rc carnet_people_duplicates(struct carnet_replica *replica, const struct carnet_duplicates_options *options,
                                   bool (*each)(void *ctx, const struct carnet_duplicate *duplicate), void *ctx, struct carnet_err *err)
{
    struct carnet_store *store = carnet_replica_store(replica);
    struct carnet_proposal proposal = { 0 };
    struct carnet_arena arena;
    size_t given = 0;
    bool go_on = true;
    carnet_rc rc = CARNET_OK;
    carnet_arena_init(&arena);
    while (go_on && (!options->limit || given < options->limit)) {
        struct carnet_view a, b;
        rc = carnet_store_proposal_next(store, proposal.a, proposal.b, &proposal, err);
        if (rc)
            break;
        carnet_arena_reset(&arena);
        rc = carnet_replica_view_at(replica, proposal.a, &arena, &a, err);
        if (!rc)
            rc = carnet_replica_view_at(replica, proposal.b, &arena, &b, err);
        if (rc == CARNET_NOT_FOUND)
            continue;
        if (rc)
            break;
        enum reason reason = compare(&a, &b); /* time may have closed what was open when they were compared */
        if (!reason || (options->book && !carnet_id_equal(options->book, &a.book)))
            continue;
        bool older = carnet_id_compare(&a.id, &b.id) < 0;
        const struct carnet_duplicate duplicate = { older ? &a : &b, older ? &b : &a, reason_names[reason] };
        given++;
        go_on = each(ctx, &duplicate);
    }
    carnet_arena_deinit(&arena);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

carnet_rc carnet_people_duplicates_count(struct carnet_replica *replica, struct carnet_duplicates_count *out, struct carnet_err *err)
{
    carnet_rc rc = carnet_store_proposal_count(carnet_replica_store(replica), 0, &out->open, err);
    return rc ? rc : carnet_store_likeness_left(carnet_replica_store(replica), &out->waiting, err);
}

carnet_rc carnet_people_duplicates_shared(struct carnet_replica *replica, int64_t *out, struct carnet_err *err)
{
    return carnet_store_likeness_crowds(carnet_replica_store(replica), CARNET_DUPLICATES_SHARED_MAX, out, err);
}
