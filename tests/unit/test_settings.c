// SPDX-License-Identifier: EUPL-1.2
#include "carnet/model/settings.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { A = 7, B = 9, HOUR_MS = 3600000 };

struct word {
    uint64_t author, seq, hlc;
    const char *key, *value;
    uint64_t version; /* of the definition: as the hash would give it */
    uint64_t names_author, names_seq; /* 0: none */
};

static struct carnet_slice s(const char *text)
{
    return carnet_slice_str(text);
}

static void add(struct carnet_settings *settings, const struct word *word)
{
    const struct carnet_dot dot = { .author = word->author, .seq = word->seq };
    struct carnet_event event = { .type = CARNET_EVENT_SETTING, .text = s(word->key), .value = s(word->value) };
    if (word->names_seq)
        event.names[event.name_count++] = (struct carnet_dot){ .author = word->names_author, .seq = word->names_seq };
    carnet_settings_add(settings, &event, &dot, word->hlc, word->version ? word->version : 1, 0x10007);
}

static struct carnet_settings *settings_of(const struct word *words, size_t count, struct carnet_charter *out)
{
    struct carnet_settings *settings = carnet_settings_new();
    for (size_t i = 0; i < count; i++)
        add(settings, &words[i]);
    carnet_settings_charter(settings, out);
    return settings;
}
#define SETTINGS(words, out) settings_of(words, sizeof(words) / sizeof *(words), out)

static void nothing_said_is_the_default_charter(void **state)
{
    (void)state;
    struct carnet_charter charter;
    struct carnet_settings *settings = settings_of(NULL, 0, &charter);
    assert_int_equal(charter.dark_after_ms, 72 * HOUR_MS);
    assert_string_equal(charter.country, "FR");
    size_t count = 0;
    for (; carnet_purpose_at(NULL, count); count++)
        assert_ptr_equal(carnet_purpose_at(&charter, count), carnet_purpose_at(NULL, count));
    assert_null(carnet_purpose_at(&charter, count));
    assert_int_equal(charter.field_count + charter.wording_count + charter.text_count + charter.version_count, 0);
    carnet_settings_free(settings);
}

static void of_one_author_the_last_word_counts(void **state)
{
    (void)state;
    const struct word words[] = { { A, 2, 10, "history", "20d", 0, 0, 0 }, { A, 1, 90, "history", "2d", 0, 0, 0 } };
    struct carnet_charter charter;
    struct carnet_settings *settings = SETTINGS(words, &charter);
    assert_int_equal(charter.history_ms, (int64_t)20 * 24 * HOUR_MS); /* by its own chain, not by the clock */
    carnet_settings_free(settings);
}

static void of_words_apart_the_strictest_counts(void **state)
{
    (void)state;
    const struct word words[] = {
        { A, 1, 10, "contact", "100d", 0, 0, 0 },
        { B, 1, 20, "contact", "50d", 0, 0, 0 },
        { A, 2, 11, "purpose/event", "scopes=identity email", 5, 0, 0 },
        { B, 2, 21, "purpose/event", "scopes=identity; channels=mail", 8, 0, 0 },
        { A, 3, 12, "purpose/newsletter", "scopes=email", 4, 0, 0 },
        { B, 3, 22, "purpose/newsletter", "scopes=identity", 3, 0, 0 },
        { A, 4, 13, "country", "BE", 6, 0, 0 },
        { B, 4, 23, "country", "CH", 2, 0, 0 },
    };
    struct carnet_charter charter;
    struct carnet_settings *settings = SETTINGS(words, &charter);
    assert_int_equal(charter.contact_ms, (int64_t)50 * 24 * HOUR_MS);
    assert_int_equal(carnet_purpose_find(&charter, s("event"))->version, 8);     /* fewer scopes */
    assert_int_equal(carnet_purpose_find(&charter, s("newsletter"))->version, 3); /* as many: the smaller version */
    assert_string_equal(charter.country, "CH");
    /* both definitions stay known */
    assert_int_equal(carnet_purpose_version(&charter, s("event"), 5)->scopes, 1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_EMAIL);
    assert_non_null(carnet_purpose_version(&charter, s("newsletter"), 4));
    assert_non_null(carnet_purpose_version(&charter, s("newsletter"), 0));
    assert_null(carnet_purpose_version(&charter, s("newsletter"), 5));
    assert_null(carnet_purpose_version(&charter, s("event"), 0));
    carnet_settings_free(settings);
}

static void who_has_seen_a_word_replaces_it(void **state)
{
    (void)state;
    const struct word words[] = { { A, 1, 10, "dark_after", "2h", 0, 0, 0 }, { B, 1, 20, "dark_after", "96h", 0, A, 1 } };
    struct carnet_charter charter;
    struct carnet_dot heads[4];
    struct carnet_settings *settings = SETTINGS(words, &charter);
    assert_int_equal(charter.dark_after_ms, 96 * HOUR_MS);
    assert_int_equal(carnet_settings_heads(settings, s("dark_after"), heads, 4), 1);
    assert_int_equal(heads[0].author, B);
    /* taken back: the default again, and what was replaced does not return */
    const struct word back = { B, 2, 30, "dark_after", "", 0, 0, 0 };
    add(settings, &back);
    carnet_settings_charter(settings, &charter);
    assert_int_equal(charter.dark_after_ms, 72 * HOUR_MS);
    carnet_settings_free(settings);
}

static void a_guessed_dot_replaces_nothing(void **state)
{
    (void)state;
    const struct word words[] = { { A, 1, 10, "dark_after", "96h", 0, B, 1 }, { B, 1, 20, "dark_after", "2h", 0, 0, 0 }, { A, 2, 30, "history", "9d", 0, B, 1 } };
    struct carnet_charter charter;
    struct carnet_settings *settings = SETTINGS(words, &charter);
    assert_int_equal(charter.dark_after_ms, 2 * HOUR_MS); /* nor does a word on another key */
    carnet_settings_free(settings);
}

static void what_was_defined_stays_known(void **state)
{
    (void)state;
    const struct word words[] = {
        { A, 1, 10, "field/size", "type=choice; scope=opinion; choices=S|M", 3, 0, 0 }, { A, 2, 11, "field/size", "", 4, 0, 0 },
        { A, 3, 12, "purpose/event", "scopes=email", 5, 0, 0 },                          { A, 4, 13, "purpose/event", "", 6, 0, 0 },
        { A, 5, 14, "purpose/sms", "retired", 7, 0, 0 },                                 { A, 6, 15, "wording/sms/fr", "Oui", 8, 0, 0 },
        { A, 7, 16, "wording/sms/fr", "Je veux bien", 9, 0, 0 },
    };
    struct carnet_charter charter;
    struct carnet_settings *settings = SETTINGS(words, &charter);
    const struct carnet_field_def *size = carnet_field_by_name(&charter, s("size"));
    assert_non_null(size);
    assert_true(size->custom && size->shown && size->type == CARNET_FIELD_TYPE_CHOICE && size->scope == CARNET_SCOPE_OPINION && size->choice_count == 2);
    assert_string_equal(size->choices[1], "M");
    assert_ptr_equal(carnet_field_by_number(&charter, 0x10007), size);
    assert_int_equal(carnet_purpose_find(&charter, s("event"))->version, 5);
    assert_true(carnet_purpose_find(&charter, s("sms"))->retired);
    assert_false(carnet_purpose_version(&charter, s("sms"), 0)->retired);
    assert_int_equal(carnet_wording_find(&charter, s("sms"), s("fr"))->version, 9);
    assert_true(carnet_slice_equal(carnet_wording_version(&charter, 8)->text, s("Oui")));
    /* definitions given out live on when the words are read again */
    carnet_settings_clear(settings);
    carnet_settings_charter(settings, &charter);
    assert_int_equal(charter.field_count, 0);
    assert_string_equal(size->name, "size");
    carnet_settings_free(settings);
}

static void the_order_of_arrival_does_not_matter(void **state)
{
    (void)state;
    static const struct word words[] = {
        { A, 1, 10, "history", "5d", 0, 0, 0 },       { B, 1, 20, "history", "90d", 0, A, 1 },      { A, 2, 30, "history", "10d", 0, 0, 0 },
        { 3, 1, 40, "history", "40d", 0, B, 1 },      { A, 3, 15, "purpose/x", "scopes=email", 5, 0, 0 }, { B, 2, 16, "purpose/x", "scopes=phone", 6, A, 3 },
    };
    enum { COUNT = sizeof words / sizeof *words };
    size_t order[COUNT];
    uint32_t random = 1;
    for (size_t i = 0; i < COUNT; i++)
        order[i] = i;
    for (size_t round = 0; round < 200; round++) {
        struct carnet_settings *settings = carnet_settings_new();
        struct carnet_charter charter;
        for (size_t i = COUNT - 1; i > 0; i--) {
            random = random * 1103515245u + 12345u;
            size_t j = (random >> 16) % (i + 1), kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
        for (size_t i = 0; i < COUNT; i++) {
            add(settings, &words[order[i]]);
            if (i % 2)
                carnet_settings_charter(settings, &charter);
        }
        carnet_settings_charter(settings, &charter);
        assert_int_equal(charter.history_ms, (int64_t)10 * 24 * HOUR_MS);
        assert_int_equal(carnet_purpose_find(&charter, s("x"))->version, 6);
        carnet_settings_free(settings);
    }
}

static void keys_and_values_are_strict(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
        bool good;
    } cases[] = {
        { "history", "30d", true },
        { "history", "", true },
        { "history", "30 d", false },
        { "histoire", "30d", false },
        { "country", "BE", true },
        { "country", "be", false },
        { "country", "BEL", false },
        { "purpose/event", "scopes=identity email; channels=email sms; basis=consent member; keep=30d; targeting=yes", true },
        { "purpose/event", "scopes=identity\xc2\xa0; channels=email", true },
        { "purpose/event", "retired", true },
        { "purpose/event", "channels=email", false },
        { "purpose/event", "scopes=consent", false },
        { "purpose/event", "scopes=clear", false },
        { "purpose/event", "scopes=identity; colour=red", false },
        { "purpose/event", "scopes=identity; channels=pigeon", false },
        { "purpose/event", "scopes=identity; basis=whim", false },
        { "purpose/event", "scopes=identity; keep=soon", false },
        { "purpose/event", "scopes=identity; targeting=no", false },
        { "purpose/Event", "scopes=identity", false },
        { "purpose/1event", "scopes=identity", false },
        { "purpose/all", "scopes=identity", false },
        { "purpose/", "scopes=identity", false },
        { "field/size", "type=choice; scope=identity; choices=S|M", true },
        { "field/size", "type=text; scope=identity", true },
        { "field/size", "type=text", false },
        { "field/size", "scope=identity", false },
        { "field/size", "type=choice; scope=identity", false },
        { "field/size", "type=text; scope=identity; choices=S", false },
        { "field/size", "type=choice; scope=identity; choices=S|S", false },
        { "field/size", "type=choice; scope=identity; choices=S||M", false },
        { "field/size", "type=choice; scope=consent; choices=S", false },
        { "field/email", "type=text; scope=identity", false },
        { "field/age", "type=number; scope=identity", false },
        { "field/t-shirt", "type=text; scope=identity", false },
        { "wording/newsletter/fr", "J’accepte", true },
        { "wording/newsletter", "J’accepte", false },
        { "wording/newsletter/FR", "J’accepte", false },
        { "wording/newsletter/fr/x", "J’accepte", false },
        { "ballot/2026-03-15", "Municipales", true },
        { "ballot/2024-02-29", "x", true },
        { "ballot/2026-02-29", "x", false },
        { "ballot/2026-3-15", "x", false },
        { "ballot/2026-03-15", "two\nlines", false },
        { "recipient/printer", "Imprimerie, example.org", true },
        { "recipient/", "x", false },
        { "controller", "Association, 1 rue des Lilas", true },
        { "", "x", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct carnet_err err = CARNET_ERR_INIT;
        carnet_rc rc = carnet_setting_check(s(cases[i].key), s(cases[i].value), &err);
        if ((rc == CARNET_OK) != cases[i].good)
            print_message("%s = %s\n", cases[i].key, cases[i].value);
        assert_int_equal(rc, cases[i].good ? CARNET_OK : CARNET_USAGE);
        assert_int_equal(carnet_setting_check(s(cases[i].key), s(cases[i].value), NULL), rc);
        /* received all the same: it says nothing, and breaks nothing */
        const struct word word = { A, 1, 10, cases[i].key, cases[i].value, 5, 0, 0 };
        struct carnet_charter charter;
        struct carnet_settings *settings = settings_of(&word, 1, &charter);
        if (!cases[i].good)
            assert_int_equal(charter.version_count + charter.field_count + charter.wording_count + charter.text_count, 0);
        carnet_settings_free(settings);
    }
}

static void shipped_charters_are_what_the_charter_takes(void **state)
{
    (void)state;
    const struct carnet_shipped_charter *shipped;
    size_t count = 0;
    for (; (shipped = carnet_shipped_at(count)) != NULL; count++) {
        assert_ptr_equal(carnet_shipped_find(s(shipped->name)), shipped);
        for (size_t i = 0; i < shipped->count; i++)
            assert_int_equal(carnet_setting_check(s(shipped->settings[i].key), s(shipped->settings[i].value), NULL), CARNET_OK);
    }
    assert_int_equal(count, 3);
    assert_null(carnet_shipped_find(s("party")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_is_the_default_charter),
        cmocka_unit_test(of_one_author_the_last_word_counts),
        cmocka_unit_test(of_words_apart_the_strictest_counts),
        cmocka_unit_test(who_has_seen_a_word_replaces_it),
        cmocka_unit_test(a_guessed_dot_replaces_nothing),
        cmocka_unit_test(what_was_defined_stays_known),
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(keys_and_values_are_strict),
        cmocka_unit_test(shipped_charters_are_what_the_charter_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
