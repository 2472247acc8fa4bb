// SPDX-License-Identifier: EUPL-1.2
/* French electoral rolls: the lists that communes draw from the national register (REU), and the statutory format of
 * 12 November 2013. A roll has no address of its own to be known by, so nothing here ever takes two rows for one
 * person but for the two complementary lists, which name a citizen of another member state twice: for the municipal
 * and for the European ballot. */
#include "carnet/base/text.h"
#include "carnet/crypto/crypto.h"
#include "rows_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAIRS_MAX = 500000, /* people on complementary lists that are remembered; beyond, rows stay apart */
    PLACES_MAX = 256    /* spellings of communes and countries */
};

enum list { LIST_OTHER, LIST_MUNICIPAL, LIST_EUROPEAN };
enum column { /* what tells a person on one list from another */
    BIRTH_NAME,
    GIVEN,
    BORN,
    SEX,
    BIRTH_COUNTRY,
    NATIONALITY,
    NUMBER,
    STREET,
    LIST_TYPE,
    PLACE, /* the commune of the roll */
    COLUMN_COUNT
};
static const char *const keys[COLUMN_COUNT] = {
    [BIRTH_NAME] = "|nom de naissance|nomdenaissance|",
    [GIVEN] = "|prenoms|prenom|prenom s|",
    [BORN] = "|date de naissance|datedenaissance|",
    [SEX] = "|sexe|",
    [BIRTH_COUNTRY] = "|pays de naissance|paysnaissance|",
    [NATIONALITY] = "|libelle nationalite|nationalite|identifiant nationalite|",
    [NUMBER] = "|numero de voie|numerovoie|",
    [STREET] = "|libelle de voie|libelle voie|libellevoie|",
    [LIST_TYPE] = "|libelle du type de liste|type de liste|typeliste|libelle de la liste|",
    [PLACE] = "|libelle de l ugle|libelle du l ugle|libelle ugle|nomcommune|",
};
/* Columns that only a roll has. */
static const char of_rolls[] = "|libelle du type de liste|typeliste|code de l ugle|code du l ugle|libelle de l ugle|"
                               "libelle du l ugle|numero d ordre dans le bureau de vote|noelecteurgeneral|";

struct pair {
    uint64_t key; /* 0: free */
    uint32_t municipal, european;
};
struct place {
    char *key, *text;
};
struct carnet_roll {
    size_t at[COLUMN_COUNT]; /* SIZE_MAX: no such column */
    struct pair *pairs;
    size_t pair_count, slots;
    struct place places[PLACES_MAX];
    size_t place_count, last_place;
    uint64_t collapsed;
    struct carnet_buf key, text;
};

static bool in(const char *list, const char *key)
{
    size_t len = strlen(key);
    for (const char *at = strstr(list, key); len && at; at = strstr(at + 1, key))
        if (at[-1] == '|' && at[len] == '|')
            return true;
    return false;
}

bool carnet_roll_recognise(struct carnet_rows *rows)
{
    bool is_roll = false, has_birth_name = false, has_station = false;
    for (size_t i = 0; i < rows->named_count; i++) {
        is_roll = is_roll || in(of_rolls, rows->named[i].key);
        has_birth_name = has_birth_name || in(keys[BIRTH_NAME], rows->named[i].key);
        has_station = has_station || in("|code du bureau de vote|nobureaudevote|", rows->named[i].key);
    }
    if (!is_roll && !(has_birth_name && has_station))
        return false;
    struct carnet_roll *roll = rows->roll;
    if (!roll) {
        roll = rows->roll = carnet_alloc(sizeof *roll);
        carnet_buf_init(&roll->key, CARNET_LINE_LEN_MAX);
        carnet_buf_init(&roll->text, CARNET_LINE_LEN_MAX);
    }
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        roll->at[c] = SIZE_MAX;
        for (size_t i = rows->named_count; i-- > 0;)
            if (in(keys[c], rows->named[i].key))
                roll->at[c] = i;
    }
    return true;
}

void carnet_roll_close(struct carnet_roll *roll)
{
    if (!roll)
        return;
    for (size_t i = 0; i < roll->place_count; i++) {
        free(roll->places[i].key);
        free(roll->places[i].text);
    }
    carnet_buf_deinit(&roll->key);
    carnet_buf_deinit(&roll->text);
    free(roll->pairs);
    free(roll);
}

uint64_t carnet_roll_collapsed(const struct carnet_roll *roll)
{
    return roll ? roll->collapsed : 0;
}

static struct carnet_slice cell(struct carnet_rows *rows, enum column column)
{
    size_t at = rows->roll->at[column];
    return at == SIZE_MAX ? CARNET_SLICE_NONE : carnet_rows_csv_cell(rows, at, &rows->roll->text);
}

static enum list list_of(struct carnet_rows *rows)
{
    struct carnet_buf *key = &rows->roll->key;
    carnet_buf_clear(key);
    carnet_columns_key(cell(rows, LIST_TYPE), key);
    const char *text = carnet_buf_cstr(key);
    if (strstr(text, "municipale") || strcmp(text, "lcm") == 0)
        return LIST_MUNICIPAL;
    return strstr(text, "europeenne") || strcmp(text, "lce") == 0 ? LIST_EUROPEAN : LIST_OTHER;
}

static struct pair *pair_of(struct carnet_roll *roll, uint64_t key)
{
    if (2 * (roll->pair_count + 1) > roll->slots) {
        struct pair *old = roll->pairs;
        size_t before = roll->slots;
        if (roll->pair_count >= PAIRS_MAX)
            return NULL;
        roll->slots = before ? before * 2 : 1024;
        roll->pairs = carnet_alloc(roll->slots * sizeof *roll->pairs);
        for (size_t i = 0; i < before; i++)
            for (size_t at = old[i].key & (roll->slots - 1); old[i].key; at = (at + 1) & (roll->slots - 1))
                if (!roll->pairs[at].key) {
                    roll->pairs[at] = old[i];
                    break;
                }
        free(old);
    }
    size_t at = key & (roll->slots - 1);
    for (; roll->pairs[at].key; at = (at + 1) & (roll->slots - 1))
        if (roll->pairs[at].key == key)
            return &roll->pairs[at];
    roll->pairs[at].key = key;
    roll->pair_count++;
    return &roll->pairs[at];
}

/* Two rows of one list are two people, however equal; the n-th of one list and the n-th of the other are one. */
bool carnet_roll_repeats(struct carnet_rows *rows)
{
    struct carnet_roll *roll = rows->roll;
    enum list list = roll->at[LIST_TYPE] == SIZE_MAX ? LIST_OTHER : list_of(rows);
    if (list == LIST_OTHER || roll->at[BORN] == SIZE_MAX || roll->at[BIRTH_NAME] == SIZE_MAX)
        return false;
    struct carnet_hasher hasher;
    carnet_hasher_init(&hasher, "carnet/1/roll");
    for (size_t c = 0; c <= STREET; c++) {
        carnet_buf_clear(&roll->key);
        carnet_columns_key(cell(rows, (enum column)c), &roll->key);
        carnet_buf_append_byte(&roll->key, 0);
        carnet_hasher_add(&hasher, roll->key.ptr, roll->key.len);
    }
    struct carnet_hash hash = carnet_hasher_done(&hasher);
    uint64_t key;
    memcpy(&key, hash.b, sizeof key);
    struct pair *pair = pair_of(roll, key ? key : 1);
    if (!pair)
        return false;
    uint32_t *mine = list == LIST_MUNICIPAL ? &pair->municipal : &pair->european;
    uint32_t others = list == LIST_MUNICIPAL ? pair->european : pair->municipal;
    if (++*mine > others)
        return false;
    roll->collapsed++;
    return true;
}

/* "ST MARTIN D'HERES" and "Saint-Martin-d’Hères" have one key. */
static void place_key(struct carnet_slice text, char mark, struct carnet_buf *out)
{
    struct carnet_buf plain;
    carnet_buf_init(&plain, 1024);
    carnet_columns_key(text, &plain);
    carnet_buf_clear(out);
    carnet_buf_append_byte(out, (uint8_t)mark);
    for (const char *word = carnet_buf_cstr(&plain); *word;) {
        size_t len = strcspn(word, " ");
        carnet_buf_append_byte(out, ' ');
        if (len == 2 && memcmp(word, "st", 2) == 0)
            carnet_buf_append_str(out, "saint");
        else if (len == 3 && memcmp(word, "ste", 3) == 0)
            carnet_buf_append_str(out, "sainte");
        else
            carnet_buf_append(out, word, len);
        word += len + (word[len] == ' ');
    }
    carnet_buf_deinit(&plain);
}

struct carnet_slice carnet_roll_place(struct carnet_rows *rows, bool is_country, struct carnet_slice text)
{
    struct carnet_roll *roll = rows->roll;
    char mark = is_country ? 'p' : 'c';
    if (text.len > 200)
        return text;
    /* the very text of last time, nearly always */
    if (roll->place_count && roll->last_place < roll->place_count) {
        const struct place *last = &roll->places[roll->last_place];
        if (last->key[0] == mark && carnet_slice_equal(text, carnet_slice_str(last->text)))
            return text;
    }
    place_key(text, mark, &roll->key);
    if (roll->key.len < 3)
        return text;
    for (size_t i = 0; i < roll->place_count; i++)
        if (strcmp(roll->places[i].key, carnet_buf_cstr(&roll->key)) == 0) {
            roll->last_place = i;
            return carnet_slice_str(roll->places[i].text);
        }
    if (roll->place_count == PLACES_MAX)
        return text;
    struct carnet_slice spelt = is_country && strcmp(carnet_buf_cstr(&roll->key), "p france") == 0 ? carnet_slice_str("France") : text;
    if (!is_country) { /* the roll's own commune is written as the roll's heading writes it */
        struct carnet_slice name = cell(rows, PLACE);
        struct carnet_buf heading;
        carnet_buf_init(&heading, 2048);
        place_key(name, mark, &heading);
        if (name.len <= 200 && carnet_slice_equal(carnet_buf_slice(&heading), carnet_buf_slice(&roll->key)))
            spelt = name;
        carnet_buf_deinit(&heading);
    }
    struct place *place = &roll->places[roll->place_count];
    place->key = carnet_strdup_slice(carnet_buf_slice(&roll->key));
    place->text = carnet_strdup_slice(spelt);
    roll->last_place = roll->place_count++;
    return carnet_slice_str(place->text);
}
