// SPDX-License-Identifier: EUPL-1.2
/* Files of contacts: the golden files beside the fixtures say what each one gives, row by row. */
#include "carnet/base/limits.h"
#include "carnet/base/text.h"
#include "carnet/people/csv.h"
#include "carnet/people/rows.h"
#include "carnet/sys/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <zip.h>

static void put_text(struct carnet_buf *out, struct carnet_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\n')
            carnet_buf_append_str(out, "\\n");
        else
            carnet_buf_append_byte(out, text.ptr[i]);
}

static void put_row(struct carnet_buf *out, const struct carnet_row *row)
{
    carnet_buf_printf(out, "line %llu", (unsigned long long)row->line);
    if (row->reason)
        carnet_buf_printf(out, " REJECTED: %s", row->reason);
    carnet_buf_append_byte(out, '\n');
    for (size_t i = 0; i < row->cell_count; i++) {
        const struct carnet_rows_cell *cell = &row->cells[i];
        carnet_buf_printf(out, "  %s", cell->def->name);
        if (cell->label.len) {
            carnet_buf_append_byte(out, '/');
            put_text(out, cell->label);
        }
        carnet_buf_append_str(out, ": ");
        put_text(out, cell->value);
        carnet_buf_append_byte(out, '\n');
    }
    for (size_t i = 0; i < row->tag_count; i++) {
        carnet_buf_append_str(out, "  #");
        put_text(out, row->tags[i]);
        carnet_buf_append_byte(out, '\n');
    }
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < (side ? row->objection_count : row->grant_count); i++) {
            const struct carnet_rows_consent *consent = side ? &row->objections[i] : &row->grants[i];
            carnet_buf_append_str(out, side ? "  objects: " : "  agrees: ");
            put_text(out, consent->purpose.len ? consent->purpose : carnet_slice_str("(all)"));
            carnet_buf_append_str(out, " by ");
            put_text(out, consent->column);
            if (consent->at_ms)
                carnet_buf_printf(out, " at %lld", (long long)consent->at_ms);
            if (consent->address.len)
                carnet_buf_printf(out, " from %.*s", (int)consent->address.len, (const char *)consent->address.ptr);
            if (consent->confirmed_ms)
                carnet_buf_printf(out, " confirmed at %lld", (long long)consent->confirmed_ms);
            if (consent->confirmed_address.len)
                carnet_buf_printf(out, " from %.*s", (int)consent->confirmed_address.len,
                                  (const char *)consent->confirmed_address.ptr);
            carnet_buf_append_byte(out, '\n');
        }
}

/* What a file gives, with its mapping; rejects may be NULL. */
static carnet_rc dump(struct carnet_slice bytes, const struct carnet_rows_options *options, struct carnet_buf *out,
                      struct carnet_buf *rejects, struct carnet_err *err)
{
    struct carnet_rows *rows;
    struct carnet_row row;
    carnet_rc rc = carnet_rows_open_bytes(bytes, options, &rows, err);
    if (rc != CARNET_OK)
        return rc;
    while ((rc = carnet_rows_next(rows, &row, err)) == CARNET_OK) {
        put_row(out, &row);
        if (row.reason && rejects)
            carnet_rows_put_reject(rows, &row, rejects);
    }
    assert_int_equal(rc, CARNET_NOT_FOUND);
    const char *name, *target;
    carnet_buf_append_str(out, "== columns\n");
    for (size_t i = 0; carnet_rows_column(rows, i, &name, &target); i++)
        if (target)
            carnet_buf_printf(out, "  %s -> %s\n", name, target);
    uint64_t read_bytes, size_bytes;
    carnet_rows_progress(rows, &read_bytes, &size_bytes);
    assert_int_equal(read_bytes, size_bytes);
    assert_int_equal(read_bytes, bytes.len);
    carnet_rows_close(rows);
    return CARNET_OK;
}

/* With CARNET_GOLDEN=write in the environment the golden file is written instead: read the difference before you commit
 * it. */
static void is_golden(const char *file)
{
    char path[300], golden_path[310];
    struct carnet_rows_options options = {0};
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_buf bytes, out, golden, rejects;
    snprintf(path, sizeof path, "%s/%s", FIXTURES, file);
    snprintf(golden_path, sizeof golden_path, "%s.rows.txt", path);
    carnet_buf_init(&bytes, 1 << 20);
    carnet_buf_init(&out, 1 << 20);
    carnet_buf_init(&golden, 1 << 20);
    carnet_buf_init(&rejects, 1 << 20);
    assert_int_equal(carnet_file_read(path, &bytes, &err), CARNET_OK);
    assert_int_equal(dump(carnet_buf_slice(&bytes), &options, &out, &rejects, &err), CARNET_OK);
    if (rejects.len) {
        carnet_buf_append_str(&out, "== rejects\n");
        carnet_buf_append_slice(&out, carnet_buf_slice(&rejects));
    }
    const char *mode = getenv("CARNET_GOLDEN");
    if (mode && strcmp(mode, "write") == 0)
        assert_int_equal(carnet_file_write(golden_path, carnet_buf_slice(&out), 0644, &err), CARNET_OK);
    assert_int_equal(carnet_file_read(golden_path, &golden, &err), CARNET_OK);
    assert_string_equal(carnet_buf_cstr(&out), carnet_buf_cstr(&golden));
    carnet_buf_deinit(&bytes);
    carnet_buf_deinit(&out);
    carnet_buf_deinit(&golden);
    carnet_buf_deinit(&rejects);
}

static void files_of_other_tools_give_their_rows(void **state)
{
    (void)state;
    static const char *const files[] = {"nationbuilder.csv",
                                        "tableur-1252.csv",
                                        "tableur-utf16le.csv",
                                        "tableur-utf16be-sans-marque.csv",
                                        "contenu.csv",
                                        "brevo.csv",
                                        "actionnetwork.csv",
                                        "digitalebox.csv",
                                        "google.csv",
                                        "google-ancien.csv",
                                        "reu.csv",
                                        "reu-variante.csv",
                                        "elistelec.csv",
                                        "nationbuilder-import.csv",
                                        "mailchimp.csv",
                                        "mailchimp-unsubscribed.csv",
                                        "mailchimp-cleaned.csv",
                                        "outlook-fr.csv",
                                        "outlook-com.csv",
                                        "brevo-en.csv",
                                        "sans-en-tete.csv",
                                        "tableur-a-la-main.csv",
                                        "outlook.csv",
                                        "android21.vcf",
                                        "apple3.vcf",
                                        "v4.vcf"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        is_golden(files[i]);
}

/* The rows of a text as one string, without the columns. */
static char *rows_of(struct carnet_slice bytes, const struct carnet_rows_options *options)
{
    struct carnet_buf out;
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_rows_options none = {0};
    carnet_buf_init(&out, 1 << 22);
    carnet_rc rc = dump(bytes, options ? options : &none, &out, NULL, &err);
    if (rc != CARNET_OK)
        carnet_buf_printf(&out, "%s: %s\n", carnet_rc_name(rc), err.what);
    char *end = strstr(carnet_buf_cstr(&out), "== columns\n");
    char *text =
        carnet_strdup_slice(end ? carnet_slice(out.ptr, (size_t)(end - (char *)out.ptr)) : carnet_buf_slice(&out));
    carnet_buf_deinit(&out);
    return text;
}

static void text_gives(const char *text, const char *want)
{
    char *got = rows_of(carnet_slice_str(text), NULL);
    assert_string_equal(got, want);
    free(got);
}

static void separators_and_line_ends_are_recognised(void **state)
{
    (void)state;
    static const char want[] = "line 2\n  given: Zoé\n  family: Le Goff\n  email: zoe@example.org\n";
    text_gives("Prénom;Nom;Email\nZoé;Le Goff;zoe@example.org\n", want);
    text_gives("Prénom,Nom,Email\nZoé,Le Goff,zoe@example.org", want);
    text_gives("Prénom\tNom\tEmail\r\nZoé\tLe Goff\tzoe@example.org\r\n", want);
    text_gives("Prénom|Nom|Email\nZoé|Le Goff|zoe@example.org\n\n\n", want);
    text_gives("Prénom;Nom;Email\rZoé;Le Goff;zoe@example.org\r", want);
    text_gives("\xef\xbb\xbf\"Prénom\";\"Nom\";\"Email\"\n\"Zoé\";\"Le Goff\";\"zoe@example.org\"\n", want);
    text_gives("Pr\xe9nom;Nom;Email\nZo\xe9;Le Goff;zoe@example.org\n", want);
    text_gives("sep=|\r\nPrénom|Nom|Email\r\nZoé|Le Goff|zoe@example.org\r\n",
               "line 3\n  given: Zoé\n  family: Le Goff\n  email: zoe@example.org\n");
    text_gives("email\nzoe@example.org\nmax@example.org\n",
               "line 2\n  email: zoe@example.org\nline 3\n  email: max@example.org\n");
    text_gives("given,family\nZoé,\"Le\n\"\"Goff\"\"\"\nMax,Roi\n",
               "line 2\n  given: Zoé\n  family: Le \"Goff\"\nline 4\n  given: Max\n  family: Roi\n");
    /* the first accent comes behind the first block: Windows-1252 all the same */
    struct carnet_buf big;
    carnet_buf_init(&big, 1 << 20);
    carnet_buf_append_str(&big, "given;note\n");
    for (int i = 0; i < 3000; i++)
        carnet_buf_append_str(&big, "Max;une note sans accent de plus\n");
    carnet_buf_append_str(&big, "Zo\xe9;fin\n");
    char *got = rows_of(carnet_buf_slice(&big), NULL);
    assert_non_null(strstr(got, "line 3002\n  given: Zoé\n  note: fin\n"));
    free(got);
    carnet_buf_deinit(&big);
}

static void columns_may_be_mapped_by_hand(void **state)
{
    (void)state;
    struct carnet_rows_map maps[] = {
        {carnet_slice_str("Métier"), carnet_slice_str("employer")},
        {carnet_slice_str("joindre"), carnet_slice_str("phone/mobile")},
        {carnet_slice_str("NOM"), carnet_slice_str("-")},
        {carnet_slice_str("lettre"), carnet_slice_str("consent:newsletter")},
        {carnet_slice_str("ref"), carnet_slice_str("source_id/fichier")},
    };
    struct carnet_rows_options options = {.maps = maps, .map_count = 5};
    char *got = rows_of(
        carnet_slice_str("Prénom;Nom;metier;Joindre;Lettre;Ref\nZoé;Le Goff;Mairie;06 39 98 00 01;oui;7\n"), &options);
    assert_string_equal(
        got, "line 2\n  given: Zoé\n  employer: Mairie\n  phone/mobile: +33639980001\n  source_id/fichier: 7\n"
             "  agrees: newsletter by Lettre\n");
    free(got);
    static const char *const wrong[][2] = {{"absent", "employer"},       {"Nom", "nothing"},
                                           {"Nom", "consent:nothing"},   {"Nom", ""},
                                           {"Nom", "status:newsletter"}, {"Nom", "phone/"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct carnet_rows_map map = {carnet_slice_str(wrong[i][0]), carnet_slice_str(wrong[i][1])};
        struct carnet_rows_options one = {.maps = &map, .map_count = 1};
        struct carnet_err err = CARNET_ERR_INIT;
        struct carnet_rows *rows;
        assert_int_equal(carnet_rows_open_bytes(carnet_slice_str("Prénom;Nom\nZoé;Le Goff\n"), &one, &rows, &err),
                         CARNET_USAGE);
        assert_null(rows);
        assert_true(err.what[0]);
    }
    struct carnet_rows_map job = {carnet_slice_str("x-job"), carnet_slice_str("note")};
    struct carnet_rows_options one = {.maps = &job, .map_count = 1};
    got = rows_of(carnet_slice_str("BEGIN:VCARD\nFN:Zoé Le Goff\nX-JOB:maire\\, élue\nEND:VCARD\n"), &one);
    assert_string_equal(got, "line 1\n  note: maire, élue\n  given: Zoé\n  family: Le Goff\n");
    free(got);
}

static void the_mapping_is_json(void **state)
{
    (void)state;
    struct carnet_rows_options options = {0};
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_rows *rows;
    struct carnet_buf out;
    carnet_buf_init(&out, 10000);
    assert_int_equal(
        carnet_rows_open_bytes(carnet_slice_str("Prénom;\"Surnom \"\"x\"\"\";Portable;Newsletter\nZoé;;;\n"), &options,
                               &rows, &err),
        CARNET_OK);
    carnet_rows_mapping(rows, &out);
    assert_string_equal(carnet_buf_cstr(&out),
                        "\"mapping\":{\"Prénom\":\"given\",\"Portable\":\"phone/mobile\",\"Newsletter\":"
                        "\"consent:newsletter\"},\"unmapped\":[\"Surnom \\\"x\\\"\"],\"roll\":false");
    carnet_rows_close(rows);
    carnet_buf_deinit(&out);
}

static void consent_is_read_on_the_safe_side(void **state)
{
    (void)state;
    text_gives(
        "email;newsletter;unsubscribed\na@example.org;oui;oui\nb@example.org;peut-être;\nc@example.org;;05/06/2021\n"
        "d@example.org;non;non\ne@example.org;OUI;-\n",
        "line 2\n  email: a@example.org\n  agrees: newsletter by newsletter\n  objects: newsletter by unsubscribed\n"
        "  objects: targeted by unsubscribed\n"
        "line 3\n  email: b@example.org\n"
        "line 4\n  email: c@example.org\n  objects: newsletter by unsubscribed at 1622851200000\n"
        "  objects: targeted by unsubscribed at 1622851200000\n"
        "line 5\n  email: d@example.org\n"
        "line 6\n  email: e@example.org\n  agrees: newsletter by newsletter\n");
    text_gives("email;sms\na@example.org;oui\n", "line 2\n  email: a@example.org\n  agrees: sms by sms\n");
    text_gives("email;sms\na@example.org;0639980001\n",
               "line 2\n  email: a@example.org\n  phone/mobile: +33639980001\n");
    text_gives("email;do not contact;do_not_call;date du consentement;opt in\na@example.org;1;Y;01/02/2020;1\n",
               "line 2\n  email: a@example.org\n  agrees: newsletter by opt in at 1580515200000\n  objects: (all) by "
               "do not contact\n"
               "  objects: call by do_not_call\n");
}

static void a_bad_row_does_not_stop_the_file(void **state)
{
    (void)state;
    text_gives("given;email\nZoé;zoe\nMax;max@example.org\n;\n;;;\nx;y;z\n",
               "line 2 REJECTED: column \"email\": email: \"zoe\" is not an e-mail address\n"
               "line 3\n  given: Max\n  email: max@example.org\n"
               "line 6 REJECTED: more cells than the header has columns\n");
    text_gives("given;email\n\"Zoé;zoe@example.org\nMax;max@example.org\n",
               "line 2 REJECTED: a quotation mark that is opened and not closed\nline 3\n  given: Max\n  email: "
               "max@example.org\n");
    struct carnet_buf text;
    carnet_buf_init(&text, 8 << 20);
    /* a line beyond the limit, by its number, and the next ones */
    carnet_buf_append_str(&text, "given;note\nZoé;");
    while (text.len < CARNET_LINE_LEN_MAX + 100)
        carnet_buf_append_str(&text, "0123456789");
    carnet_buf_append_str(&text, "\nMax;suite\n\"Luc\n");
    while (text.len < 3 * CARNET_LINE_LEN_MAX)
        carnet_buf_append_str(&text, "0123456789");
    carnet_buf_append_str(&text, "\nAnne;fin\n");
    char *got = rows_of(carnet_buf_slice(&text), NULL);
    assert_string_equal(got, "line 2 REJECTED: longer than 1024 KiB\nline 3\n  given: Max\n  note: suite\n"
                             "line 5 REJECTED: longer than 1024 KiB\nline 6\n  given: Anne\n  note: fin\n");
    free(got);
    /* a value that is too long, a NUL, bytes that are no UTF-8 in a file of UTF-8 */
    carnet_buf_clear(&text);
    carnet_buf_append_str(&text, "given;note\nZoé;");
    while (text.len < 20000)
        carnet_buf_append_str(&text, "0123456789");
    carnet_buf_append(&text, "\nM\0x;a\nL\xe9o;b\nAnne;fin\n", 22);
    got = rows_of(carnet_buf_slice(&text), NULL);
    assert_string_equal(
        got, "line 2 REJECTED: column \"note\": note: longer than 16 KiB\nline 3 REJECTED: a NUL byte\n"
             "line 4 REJECTED: column \"given\": given: not a text in UTF-8\nline 5\n  given: Anne\n  note: fin\n");
    free(got);
    carnet_buf_deinit(&text);
}

static void what_is_no_file_of_contacts_is_refused_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        carnet_rc rc;
    } cases[] = {
        {"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x01\x00H\x00H", 18, CARNET_MALFORMED},
        {"%PDF-1.5 text;email\n", 20, CARNET_MALFORMED},
        {"PK\x03\x04", 4, CARNET_MALFORMED},
        {"\x01\x02\x03\x04;\n", 6, CARNET_MALFORMED},
        {"", 0, CARNET_MALFORMED},
        {"\n\n\n", 3, CARNET_MALFORMED},
        {";;;\n;;;\n", 8, CARNET_USAGE},
        {"Il était une fois\nun roi\n", 26, CARNET_USAGE},
        {"12;34\n56;78\n", 12, CARNET_USAGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct carnet_rows_options options = {.lang = CARNET_LANG_FR};
        struct carnet_err err = {.lang = CARNET_LANG_FR};
        struct carnet_rows *rows;
        carnet_rc rc = carnet_rows_open_bytes(carnet_slice(cases[i].bytes, cases[i].len), &options, &rows, &err);
        if (rc != cases[i].rc)
            fail_msg("case %zu: %s", i, carnet_rc_name(rc));
        assert_true(err.what[0]);
    }
    struct carnet_rows_options vcard = {.format = CARNET_ROWS_VCARD};
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_rows *rows;
    assert_int_equal(carnet_rows_open_bytes(carnet_slice_str("email\nzoe@example.org\n"), &vcard, &rows, &err),
                     CARNET_MALFORMED);
    struct carnet_buf wide;
    carnet_buf_init(&wide, 4 << 20);
    carnet_buf_append_str(&wide, "email");
    for (int i = 0; i < 1000000; i++)
        carnet_buf_append_byte(&wide, ';');
    carnet_buf_append_str(&wide, "\nzoe@example.org;;;\n"); /* empty columns are none */
    char *got = rows_of(carnet_buf_slice(&wide), NULL);
    assert_string_equal(got, "line 2\n  email: zoe@example.org\n");
    free(got);
    carnet_buf_clear(&wide);
    carnet_buf_append_str(&wide, "email");
    for (int i = 0; i < 500000; i++)
        carnet_buf_append_str(&wide, ";a");
    carnet_buf_append_str(&wide, "\nzoe@example.org\n");
    got = rows_of(carnet_buf_slice(&wide), NULL);
    assert_string_equal(got, "failed: more than 4096 columns\n");
    free(got);
    carnet_buf_deinit(&wide);
}

static void rejects_can_be_corrected_and_read_again(void **state)
{
    (void)state;
    struct carnet_rows_options options = {.lang = CARNET_LANG_FR};
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_buf out, rejects;
    carnet_buf_init(&out, 1 << 16);
    carnet_buf_init(&rejects, 1 << 16);
    assert_int_equal(dump(carnet_slice_str("Pr\xe9nom;E-mail\nZo\xe9;zoe\nMax;max@example.org\n\"Lu;c\";\"lu\"\"c\"\n"),
                          &options, &out, &rejects, &err),
                     CARNET_OK);
    assert_string_equal(carnet_buf_cstr(&rejects), "carnet_line;carnet_reason;Prénom;E-mail\r\n"
                                                   "2;colonne «\u00a0E-mail\u00a0»\u00a0: email\u00a0: "
                                                   "«\u00a0zoe\u00a0» n’est pas une adresse de messagerie;Zoé;zoe\r\n"
                                                   "4;\"colonne «\u00a0E-mail\u00a0»\u00a0: email\u00a0: "
                                                   "«\u00a0lu\"\"c\u00a0» n’est pas une adresse de messagerie\";"
                                                   "\"Lu;c\";\"lu\"\"c\"\r\n");
    text_gives("carnet_line;carnet_reason;Prénom;E-mail\r\n2;une raison;Zoé;zoe@example.org\r\n3;longue;;\r\n",
               "line 2\n  given: Zoé\n  email: zoe@example.org\n");
    carnet_buf_clear(&out);
    struct carnet_buf again;
    carnet_buf_init(&again, 1 << 16);
    assert_int_equal(dump(carnet_buf_slice(&rejects), &options, &out, &again, &err), CARNET_OK);
    assert_non_null(strstr(carnet_buf_cstr(&again), ";\"Lu;c\";\"lu\"\"c\"\r\n"));
    /* vCard */
    carnet_buf_clear(&rejects);
    carnet_buf_clear(&again);
    carnet_buf_clear(&out);
    assert_int_equal(dump(carnet_slice_str("BEGIN:VCARD\nFN:Zoé\nTEL:12\nEND:VCARD\n"), &options, &out, &rejects, &err),
                     CARNET_OK);
    assert_string_equal(carnet_buf_cstr(&rejects),
                        "BEGIN:VCARD\nX-CARNET-LINE:1\r\nX-CARNET-REASON:colonne «\u00a0TEL\u00a0»\u00a0: phone\u00a0: "
                        "«\u00a0"
                        "12\u00a0» n’est pas un numéro de téléphone\r\nFN:Zoé\nTEL:12\nEND:VCARD\n");
    assert_int_equal(dump(carnet_buf_slice(&rejects), &options, &out, &again, &err), CARNET_OK);
    assert_non_null(strstr(carnet_buf_cstr(&again), "TEL:12\nEND:VCARD\n"));
    carnet_buf_deinit(&again);
    carnet_buf_deinit(&out);
    carnet_buf_deinit(&rejects);
}

/* In a process of its own, with 64 MiB: `write` fills a pipe; ends with 0 when `want` rows came. */
static void reads_within_bounds(void (*write_to)(int fd), carnet_rc want_open, size_t want_good, size_t want_rejected)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t writer = fork();
    if (writer == 0) {
        close(fds[0]);
        write_to(fds[1]);
        _exit(0);
    }
    close(fds[1]);
    pid_t reader = fork();
    if (reader == 0) {
        struct carnet_rows_options options = {0};
        struct carnet_err err = CARNET_ERR_INIT;
        struct carnet_rows *rows;
        struct carnet_row row;
        struct rusage before, after;
        size_t good = 0, rejected = 0;
        getrusage(RUSAGE_SELF, &before);
        carnet_rc rc = carnet_rows_open(fds[0], &options, &rows, &err);
        if (rc == CARNET_OK)
            while (carnet_rows_next(rows, &row, &err) == CARNET_OK)
                *(row.reason ? &rejected : &good) += 1;
        carnet_rows_close(rows);
        getrusage(RUSAGE_SELF, &after);
        bool bounded = after.ru_maxrss - before.ru_maxrss < 64 * 1024;
        _exit(rc != want_open ? 1 : good != want_good ? 2 : rejected != want_rejected ? 3 : bounded ? 0 : 4);
    }
    int status;
    close(fds[0]);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(waitpid(writer, &status, 0), writer);
}

static void put(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t done = write(fd, bytes, len);
        if (done < 0)
            _exit(0); /* the reader has had enough */
        bytes += done;
        len -= (size_t)done;
    }
}

static void put_many(int fd, const char *text, size_t total)
{
    static char block[1 << 16];
    size_t len = strlen(text), full = sizeof block / len * len;
    for (size_t i = 0; i < full; i++)
        block[i] = text[i % len];
    for (; total > full; total -= full)
        put(fd, block, full);
}

static void write_one_line(int fd)
{
    put_many(fd, "0123456789", (size_t)1 << 30);
}

static void write_long_line(int fd)
{
    put(fd, "given;email\nZ;", 14);
    put_many(fd, "0123456789", (size_t)1 << 30);
    put(fd, "\nMax;max@example.org\n", 21);
}

static void write_stray_quotes(int fd)
{
    put(fd, "given;email\n", 12);
    put_many(fd, "\"Max;max@example.org\n", 20 << 20); /* each line opens a quotation that the next ones do not close */
    put(fd, "\nMax;max@example.org\n", 21);
}

static void write_photo(int fd)
{
    put(fd, "BEGIN:VCARD\nFN:Max Roi\nPHOTO;ENCODING=b:", 40);
    put_many(fd, "0123456789", 64 << 20);
    put(fd, "\n ", 2);
    put_many(fd, "0123456789\n ", 64 << 20);
    put(fd, "\nTEL:0639980001\nEND:VCARD\n", 26);
    put(fd, "BEGIN:VCARD\nFN:Luc Roi\nNOTE:", 28);
    put_many(fd, "0123456789\n ", 64 << 20);
    put(fd, "\nEND:VCARD\nBEGIN:VCARD\nFN:Max Roi\nNOTE:", 40);
    put_many(fd, "0123456789", 64 << 20);
    put(fd, "\nEND:VCARD\n", 11);
}

static void memory_is_bounded_whatever_the_file(void **state)
{
    (void)state;
    reads_within_bounds(write_one_line, CARNET_LIMIT, 0, 0);
    reads_within_bounds(write_long_line, CARNET_OK, 1, 1);
    reads_within_bounds(write_photo, CARNET_OK, 1, 2);
}

static void stray_quotes_cost_no_more_than_they_swallow(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t writer = fork();
    if (writer == 0) {
        close(fds[0]);
        write_stray_quotes(fds[1]);
        _exit(0);
    }
    close(fds[1]);
    struct carnet_rows_options options = {0};
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_rows *rows;
    struct carnet_row row;
    size_t rejected = 0;
    assert_int_equal(carnet_rows_open(fds[0], &options, &rows, &err), CARNET_OK);
    while (carnet_rows_next(rows, &row, &err) == CARNET_OK)
        rejected += row.reason != NULL;
    assert_true(rejected >= 64);
    carnet_rows_close(rows);
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(writer, &status, 0), writer);
}

static uint64_t mix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Text of what is dangerous in cells: formulas, separators, quotes, apostrophes, full-width signs. */
static void draw_text(uint64_t *state, struct carnet_buf *out)
{
    static const char *const pieces[] = {"=",
                                         "+",
                                         "-",
                                         "@",
                                         "'",
                                         "''",
                                         "\"",
                                         ";",
                                         ",",
                                         "|",
                                         "\t",
                                         "\n",
                                         "\r",
                                         " ",
                                         "a",
                                         "é",
                                         "=cmd|' /C calc'!A0",
                                         "＝",
                                         "＋",
                                         "－",
                                         "＠",
                                         "1",
                                         "l’",
                                         "\r\n",
                                         "’",
                                         "x;=1",
                                         "＝1"};
    size_t count = mix(state) % 7;
    for (size_t i = 0; i < count; i++)
        carnet_buf_append_str(out, pieces[mix(state) % (sizeof pieces / sizeof pieces[0])]);
}

static bool starts_formula(const uint8_t *p, size_t len)
{
    if (len == 0)
        return false;
    if (strchr("=+-@", p[0]) && p[0])
        return true;
    return len >= 3 && p[0] == 0xef && p[1] == 0xbc && (p[2] == 0x8b || p[2] == 0x8d || p[2] == 0x9d || p[2] == 0xa0);
}

static void an_export_starts_no_formula_and_is_read_back_unchanged(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct carnet_buf raw, value, file;
    struct carnet_value_rules rules = carnet_value_rules_default();
    const struct carnet_field_def *note = carnet_field_by_number(NULL, CARNET_FIELD_NOTE);
    carnet_buf_init(&raw, 10000);
    carnet_buf_init(&value, 10000);
    carnet_buf_init(&file, 10000);
    for (int round = 0; round < 20000; round++) {
        char separator = ";,\t"[round % 3];
        carnet_buf_clear(&raw);
        carnet_buf_clear(&value);
        carnet_buf_clear(&file);
        draw_text(&seed, &raw);
        /* the cell alone: rearming gives back every byte */
        carnet_csv_put_cell(&value, carnet_buf_slice(&raw), ',');
        for (size_t i = 0, start = 0; i < value.len; i++) {
            /* as a spreadsheet with any separator would cut it; the quotation mark that opens the cell is no part of it
             */
            if (i == start) {
                size_t at = i + (i == 0 && value.ptr[0] == '"');
                if (starts_formula(value.ptr + at, value.len - at))
                    fail_msg("round %d: %s", round, carnet_buf_cstr(&value));
                if (at == 0 || value.ptr[0] == '"')
                    assert_false(start == 0 && (value.ptr[at] == '\t' || value.ptr[at] == '\r' || value.ptr[at] == 0));
            }
            if (strchr(";,|\t\r\n", value.ptr[i]))
                start = i + 1;
        }
        carnet_buf_clear(&value);
        if (carnet_value_normalise(note, carnet_buf_slice(&raw), &rules, &value, NULL) != CARNET_OK || value.len == 0)
            continue;
        carnet_csv_put_cell(&file, carnet_slice_str("given"), separator);
        carnet_csv_put_cell(&file, carnet_slice_str("note"), separator);
        carnet_csv_put_cell(&file, carnet_slice_str("phone/mobile"), '\n');
        carnet_csv_put_cell(&file, carnet_slice_str("Zoé"), separator);
        carnet_csv_put_cell(&file, carnet_buf_slice(&value), separator);
        carnet_csv_put_cell(&file, carnet_slice_str("+33639980001"), '\n');
        struct carnet_rows_options options = {0};
        struct carnet_err err = CARNET_ERR_INIT;
        struct carnet_rows *rows;
        struct carnet_row row;
        assert_int_equal(carnet_rows_open_bytes(carnet_buf_slice(&file), &options, &rows, &err), CARNET_OK);
        assert_int_equal(carnet_rows_next(rows, &row, &err), CARNET_OK);
        assert_null(row.reason);
        assert_int_equal(row.cell_count, 3);
        if (!carnet_slice_equal(row.cells[1].value, carnet_buf_slice(&value)))
            fail_msg("round %d: %s", round, carnet_buf_cstr(&file));
        assert_true(carnet_slice_equal(row.cells[2].value, carnet_slice_str("+33639980001")));
        assert_int_equal(carnet_rows_next(rows, &row, &err), CARNET_NOT_FOUND);
        carnet_rows_close(rows);
    }
    carnet_buf_deinit(&raw);
    carnet_buf_deinit(&value);
    carnet_buf_deinit(&file);
}

static void names_in_one_cell_are_split(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"Jean DUPONT", "Jean", "DUPONT"},
        {"DUPONT Jean", "Jean", "DUPONT"},
        {"LE GOFF Zoé", "Zoé", "LE GOFF"},
        {"Dupont, Jean-Noël", "Jean-Noël", "Dupont"},
        {"Anne de La Tour", "Anne", "de La Tour"},
        {"Zoé Le Goff", "Zoé", "Le Goff"},
        {"Anne Marie Dupont", "Anne Marie", "Dupont"},
        {"Charles d’Artagnan", "Charles", "d’Artagnan"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char file[200], want[300];
        snprintf(file, sizeof file, "nom complet;email\n%s;a@example.org\n", cases[i][0]);
        snprintf(want, sizeof want, "line 2\n  email: a@example.org\n  given: %s\n  family: %s\n", cases[i][1],
                 cases[i][2]);
        text_gives(file, want);
    }
    text_gives("Nom;Email\nLe Goff Zoé;a@example.org\nPlaton;b@example.org\n",
               "line 2\n  email: a@example.org\n  given: Zoé\n  family: Le Goff\nline 3\n  email: b@example.org\n  "
               "family: Platon\n");
}

/* --- rolls ---------------------------------------------------------------------------------------------------------
 */

static void count_rows(struct carnet_rows *rows, size_t *good, size_t *rejected)
{
    struct carnet_row row;
    struct carnet_err err = CARNET_ERR_INIT;
    carnet_rc rc;
    *good = *rejected = 0;
    while ((rc = carnet_rows_next(rows, &row, &err)) == CARNET_OK)
        *(row.reason ? rejected : good) += 1;
    assert_int_equal(rc, CARNET_NOT_FOUND);
}

static void a_roll_is_known_whatever_its_columns(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        bool roll;
    } cases[] = {
        {"code du l'ugle;nom de naissance;prénoms", true},
        {"CODE DE L'UGLE,NOM DE NAISSANCE,PRENOMS", true},
        {"nom de naissance;prénoms;code du bureau de vote", true},
        {"TypeListe;NomdeNaissance;Prenoms;MAIL", true},
        {"nom;prénom;numéro d'ordre dans le bureau de vote", true},
        {"given,family,birth_name,polling_station,street", false}, /* our own export */
        {"nom;prénom;bureau de vote;email", false},
        {"nom de naissance;prénoms;email", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct carnet_rows_options options = {0};
        struct carnet_err err = CARNET_ERR_INIT;
        struct carnet_rows *rows;
        assert_int_equal(carnet_rows_open_bytes(carnet_slice_str(cases[i].header), &options, &rows, &err), CARNET_OK);
        if (carnet_rows_is_roll(rows) != cases[i].roll)
            fail_msg("%s", cases[i].header);
        carnet_rows_close(rows);
    }
}

/* Rows far apart, in any order; more of one list than of the other; homonyms stay. */
static void only_the_two_complementary_lists_collapse(void **state)
{
    (void)state;
    struct carnet_buf text;
    carnet_buf_init(&text, 8 << 20);
    const char *lists[] = {"liste complémentaire européenne", "LCM", "Liste Complementaire Municipale", "LCE"};
    carnet_buf_append_str(&text, "libellé du type de liste;nom de naissance;prénoms;date de naissance;libellé de voie\n");
    for (int list = 0; list < 4; list++)
        for (int i = 0; i < 3000; i++)
            if (list % 2 == 0 || i < 1000)
                carnet_buf_printf(&text, "%s;SILVA;Maria %d;05/06/1980;rue Basse\n", lists[list], i);
    for (int i = 0; i < 5; i++)
        carnet_buf_append_str(&text, "liste principale;MARTIN;Jean;01/01/1970;rue Haute\n");
    carnet_buf_append_str(&text, "LCM;SILVA;Maria 1;05/06/1981;rue Basse\nLCE;SILVA;Maria 1;05/06/1980;rue Haute\n");
    struct carnet_rows_options options = {0};
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_rows *rows;
    size_t good, rejected;
    assert_int_equal(carnet_rows_open_bytes(carnet_buf_slice(&text), &options, &rows, &err), CARNET_OK);
    count_rows(rows, &good, &rejected);
    /* european 3000, municipal 1000 (all repeat), municipal again 3000 (2000 repeat, the thousand that came twice stay
     * twice), european again 1000 (each repeats the second municipal one) */
    assert_int_equal(good, 3000 + 1000 + 5 + 2);
    assert_int_equal(carnet_rows_collapsed(rows), 1000 + 2000 + 1000);
    assert_int_equal(rejected, 0);
    carnet_rows_close(rows);
    carnet_buf_deinit(&text);
}

static void birthplaces_are_never_taken(void **state)
{
    (void)state;
    text_gives("nom de naissance;prénoms;code commune de naissance;libellé commune de naissance;code du bureau de vote\n"
               "LE GOFF;Zoé;29232;Quimper;1\nROI;Max;38185;Grenoble;2\n",
               "line 2\n  given: Zoé\n  polling_station: 1\n  family: LE GOFF\n"
               "line 3\n  given: Max\n  polling_station: 2\n  family: ROI\n");
    text_gives("email;code commune de naissance;libellé commune de naissance\n"
               "a@example.org;29232;Quimper\nb@example.org;38185;Grenoble\n",
               "line 2\n  email: a@example.org\nline 3\n  email: b@example.org\n");
}

/* --- consent -------------------------------------------------------------------------------------------------------
 */

static void what_a_tool_knows_of_an_opt_in_is_evidence(void **state)
{
    (void)state;
    struct carnet_rows_options options = {0};
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_rows *rows;
    struct carnet_row row;
    struct carnet_buf out;
    carnet_buf_init(&out, 4096);
    assert_int_equal(
        carnet_rows_open_bytes(
            carnet_slice_str("Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP\n"
                             "a@example.org,2021-03-04 10:00:00,192.0.2.7,2021-03-04 10:05:00,2001:db8::7\n"
                             "b@example.org,,192.0.2.7,2021-03-04 10:05:00,192.0.2.8\n"
                             "c@example.org,2021-03-04 10:00:00,\"192.0.2.7\nproof: paper\",,\n"),
            &options, &rows, &err),
        CARNET_OK);
    assert_int_equal(carnet_rows_next(rows, &row, &err), CARNET_OK);
    assert_int_equal(row.grant_count, 1);
    carnet_rows_consent_put(&row.grants[0], &out);
    assert_string_equal(carnet_buf_cstr(&out), "column: OPTIN_TIME\nagreed: 2021-03-04T10:00:00Z\nagreed from: 192.0.2.7\n"
                                               "confirmed: 2021-03-04T10:05:00Z\nconfirmed from: 2001:db8::7\n");
    /* Mailchimp dates what somebody merely imported as confirmed: without the opt-in that is no agreement */
    assert_int_equal(carnet_rows_next(rows, &row, &err), CARNET_OK);
    assert_int_equal(row.grant_count, 0);
    /* a cell writes no line of its own into the evidence */
    assert_int_equal(carnet_rows_next(rows, &row, &err), CARNET_OK);
    carnet_buf_clear(&out);
    carnet_rows_consent_put(&row.grants[0], &out);
    assert_string_equal(carnet_buf_cstr(&out), "column: OPTIN_TIME\nagreed: 2021-03-04T10:00:00Z\n");
    carnet_rows_close(rows);
    carnet_buf_deinit(&out);
}

static void opt_out_columns_of_many_tools_object(void **state)
{
    (void)state;
    static const struct {
        const char *column, *value, *want;
    } cases[] = {
        {"Unsubscribed from all email", "true", "newsletter"}, {"No Bulk Emails (User Opt Out)", "Yes", "newsletter"},
        {"Do Not Email", "1", "newsletter"},                   {"HasOptedOutOfEmail", "TRUE", "newsletter"},
        {"Désabonné", "x", "newsletter"},                      {"Date de désinscription", "05/06/2021", "newsletter"},
        {"UNSUB_TIME", "2022-01-02 08:00:00", "newsletter"},   {"Stop newsletter", "oui", "newsletter"},
        {"newsletter opt-out", "1", "newsletter"},             {"SMS_BLACKLISTED", "Yes", "sms"},
        {"Do Not SMS", "1", "sms"},                            {"Ne pas appeler", "oui", "call"},
        {"Do Not Phone", "peut-être", "call"},                 {"Pas de courrier", "oui", "mail"},
        {"no canvass", "y", "canvass"},                        {"Do not contact", "true", "(all)"},
        {"Décédé", "oui", "(all)"},                            {"Email subscription status", "Unsubscribed", "newsletter"},
        {"statut newsletter", "désinscrite", "newsletter"},    {"newsletter", "unsubscribed", "newsletter"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct carnet_buf text;
        char want[100];
        carnet_buf_init(&text, 1000);
        /* what another column says changes nothing */
        carnet_buf_printf(&text, "email;%s;opt_in;sms opt in;consent call\nzoe@example.org;%s;yes;yes;yes\n", cases[i].column,
                          cases[i].value);
        char *got = rows_of(carnet_buf_slice(&text), NULL);
        snprintf(want, sizeof want, "objects: %s by ", cases[i].want);
        if (!strstr(got, want))
            fail_msg("%s: %s", cases[i].column, got);
        free(got);
        carnet_buf_clear(&text);
        carnet_buf_printf(&text, "email;%s\nzoe@example.org;%s\n", cases[i].column, i % 2 ? "non" : "");
        got = rows_of(carnet_buf_slice(&text), NULL);
        if (strstr(got, "objects"))
            fail_msg("%s: %s", cases[i].column, got);
        free(got);
        carnet_buf_deinit(&text);
    }
}

static void a_file_called_unsubscribed_says_so_of_each_row(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        bool objects;
    } cases[] = {
        {"unsubscribed_segment_export_8a.csv", "Email Address\na@example.org\n", true},
        {"/tmp/lettre/Désinscrits 2024.csv", "courriel;nom\na@example.org;Roi\n", true},
        {"liste noire.csv", "courriel\na@example.org\n", true},
        {"sans les désinscrits.csv", "courriel\na@example.org\n", false},
        {"/desinscrits/lettre.csv", "courriel\na@example.org\n", false},
        {"subscribed_segment_export_8a.csv", "Email Address\na@example.org\n", false},
        {"desinscrits.csv", "courriel;désinscrit\na@example.org;non\n", false}, /* the file says it better */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct carnet_rows_options options = {.name = cases[i].name};
        char *got = rows_of(carnet_slice_str(cases[i].text), &options);
        if ((strstr(got, "objects: newsletter by ") != NULL) != cases[i].objects)
            fail_msg("%s: %s", cases[i].name, got);
        free(got);
    }
    struct carnet_rows_map map = {carnet_slice_str("desinscrits.csv"), carnet_slice_str("-")};
    struct carnet_rows_options overruled = {.name = "desinscrits.csv", .maps = &map, .map_count = 1};
    char *got = rows_of(carnet_slice_str("courriel\na@example.org\n"), &overruled);
    assert_string_equal(got, "line 2\n  email: a@example.org\n");
    free(got);
}

static void addresses_that_do_not_work_are_left_out(void **state)
{
    (void)state;
    text_gives("nationbuilder_id,email1,email2,email1_is_bad,email2_is_bad,email,mobile_number,is_mobile_bad\n"
               "1,old@example.org,new@example.org,true,false,old@example.org,0639980001,false\n"
               "2,a@example.org,b@example.org,false,true,a@example.org,0639980002,true\n",
               "line 2\n  source_id/nationbuilder_id: 1\n  phone/mobile: +33639980001\n  email/2: new@example.org\n"
               "line 3\n  source_id/nationbuilder_id: 2\n  email: a@example.org\n");
    text_gives("email;hard bounce\na@example.org;oui\nb@example.org;non\n",
               "line 2 REJECTED: the file says that its only address does not work\nline 3\n  email: b@example.org\n");
}

/* --- what spreadsheets do ------------------------------------------------------------------------------------------
 */

static void formulas_are_values_or_refused(void **state)
{
    (void)state;
    text_gives("given;phone;email;note\n"
               "a;=\"0639980001\";;\n"
               "b;#REF!;b@example.org;#N/A\n"
               "c;=A1;;\n"
               "d;=SI(A1=\"\";\"\";B2);;\n"
               "e;;\"=HYPERLINK(\"\"mailto:e@example.org\"\";\"\"e\"\")\";\n"
               "f;;;=> rappeler\n"
               "g;;;'=A1\n",
               "line 2\n  given: a\n  phone: +33639980001\n"
               "line 3\n  given: b\n  email: b@example.org\n"
               "line 4 REJECTED: column \"phone\": a formula, not a value\n"
               "line 5 REJECTED: column \"phone\": a formula, not a value\n"
               "line 6\n  given: e\n  email: e@example.org\n"
               "line 7\n  given: f\n  note: => rappeler\n"
               "line 8\n  given: g\n  note: =A1\n");
}

static void a_list_without_a_header_is_known_by_what_it_holds(void **state)
{
    (void)state;
    text_gives("zoe@example.org;06 39 98 00 01\nmax@example.org;06 39 98 00 02\n",
               "line 1\n  email: zoe@example.org\n  phone: +33639980001\n"
               "line 2\n  email: max@example.org\n  phone: +33639980002\n");
    text_gives("Jean DUPONT,38000,Grenoble\nAnne MARTIN,69001,Lyon\n",
               "line 1\n  postcode: 38000\n  city: Grenoble\n  given: Jean\n  family: DUPONT\n"
               "line 2\n  postcode: 69001\n  city: Lyon\n  given: Anne\n  family: MARTIN\n");
    text_gives("Adhérents 2024\n\na@example.org\nb@example.org\nc@example.org\n",
               "line 3\n  email: a@example.org\nline 4\n  email: b@example.org\nline 5\n  email: c@example.org\n");
    struct carnet_rows_map maps[] = {{carnet_slice_str("1"), carnet_slice_str("given")},
                                     {carnet_slice_str("2"), carnet_slice_str("family")}};
    struct carnet_rows_options options = {.maps = maps, .map_count = 2};
    char *got = rows_of(carnet_slice_str("Zoé;Le Goff;zoe@example.org\nMax;Roi;max@example.org\n"), &options);
    assert_string_equal(got, "line 1\n  given: Zoé\n  family: Le Goff\n  email: zoe@example.org\n"
                             "line 2\n  given: Max\n  family: Roi\n  email: max@example.org\n");
    free(got);
    /* the rejected ones come back */
    struct carnet_rows_options none = {0};
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_buf out, rejects;
    carnet_buf_init(&out, 1 << 16);
    carnet_buf_init(&rejects, 1 << 16);
    assert_int_equal(dump(carnet_slice_str("a@example.org;0639980001\nb@example.org;12\nc@example.org;0639980003\n"), &none,
                          &out, &rejects, &err),
                     CARNET_OK);
    assert_string_equal(carnet_buf_cstr(&rejects), "carnet_line;carnet_reason;1;2\r\n2;\"column \"\"2\"\": phone: \"\"12\"\" "
                                                   "is not a telephone number\";b@example.org;12\r\n");
    text_gives("carnet_line;carnet_reason;1;2\r\n2;why;b@example.org;0639980002\r\n",
               "line 2\n  email: b@example.org\n  phone: +33639980002\n");
    carnet_buf_deinit(&out);
    carnet_buf_deinit(&rejects);
}

/* --- zip files -----------------------------------------------------------------------------------------------------
 */

struct zipped {
    const char *name, *text;
    size_t repeat; /* the text so many times */
};

static void make_zip(const struct zipped *files, size_t count, bool encrypted, struct carnet_buf *out)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_source_keep(source);
    zip_t *zip = zip_open_from_source(source, ZIP_TRUNCATE, &error);
    assert_non_null(zip);
    char *texts[80] = {0};
    for (size_t i = 0; i < count; i++) {
        if (!files[i].text) {
            assert_true(zip_dir_add(zip, files[i].name, 0) >= 0);
            continue;
        }
        size_t len = strlen(files[i].text), repeat = files[i].repeat ? files[i].repeat : 1;
        texts[i] = malloc(len * repeat + 1);
        for (size_t j = 0; j < repeat; j++)
            memcpy(texts[i] + j * len, files[i].text, len);
        zip_int64_t at = zip_file_add(zip, files[i].name, zip_source_buffer(zip, texts[i], len * repeat, 0), 0);
        assert_true(at >= 0);
        if (encrypted)
            assert_int_equal(zip_file_set_encryption(zip, (zip_uint64_t)at, ZIP_EM_AES_256, "secret"), 0);
    }
    assert_int_equal(zip_close(zip), 0);
    assert_int_equal(zip_source_open(source), 0);
    assert_int_equal(zip_source_seek(source, 0, SEEK_END), 0);
    zip_int64_t len = zip_source_tell(source);
    assert_int_equal(zip_source_seek(source, 0, SEEK_SET), 0);
    uint8_t *bytes = malloc((size_t)len);
    assert_int_equal(zip_source_read(source, bytes, (zip_uint64_t)len), len);
    zip_source_close(source);
    zip_source_free(source);
    carnet_buf_clear(out);
    carnet_buf_append(out, bytes, (size_t)len);
    free(bytes);
    for (size_t i = 0; i < 80; i++)
        free(texts[i]);
}

static carnet_rc open_zip_of(const struct zipped *files, size_t count, bool encrypted, struct carnet_buf *bytes,
                             struct carnet_rows **rows, struct carnet_err *err)
{
    struct carnet_rows_options options = {0};
    make_zip(files, count, encrypted, bytes);
    return carnet_rows_open_bytes(carnet_buf_slice(bytes), &options, rows, err);
}

static void the_files_of_a_zip_are_read_one_after_the_other(void **state)
{
    (void)state;
    static const struct zipped files[] = {
        {"list/", NULL, 0},
        {"__MACOSX/list/._a.csv", "\x01\x02", 0},
        {"list/.DS_Store.csv", "\x01\x02", 0},
        {"readme.txt", "nothing of contacts", 0},
        {"list/subscribed.csv", "Email Address,OPTIN_TIME\na@example.org,2021-03-04 10:00:00\nb@example.org,\nbad,\n", 0},
        {"list/unsubscribed.csv", "E-mail;Nom\nC@example.org;Roi\nalso bad;Roi\n", 0},
    };
    struct carnet_buf bytes, out, rejects;
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_rows *rows;
    struct carnet_row row;
    carnet_buf_init(&bytes, 1 << 24);
    carnet_buf_init(&out, 1 << 20);
    carnet_buf_init(&rejects, 1 << 20);
    assert_int_equal(open_zip_of(files, 6, false, &bytes, &rows, &err), CARNET_OK);
    carnet_rc rc;
    while ((rc = carnet_rows_next(rows, &row, &err)) == CARNET_OK) {
        carnet_buf_printf(&out, "%s ", row.file);
        put_row(&out, &row);
        if (row.reason)
            carnet_rows_put_reject(rows, &row, &rejects);
    }
    assert_int_equal(rc, CARNET_NOT_FOUND);
    assert_string_equal(carnet_buf_cstr(&out),
                        "subscribed.csv line 2\n  email: a@example.org\n  agrees: newsletter by OPTIN_TIME at 1614852000000\n"
                        "subscribed.csv line 3\n  email: b@example.org\n"
                        "subscribed.csv line 4 REJECTED: column \"Email Address\": email: \"bad\" is not an e-mail address\n"
                        "unsubscribed.csv line 2\n  email: c@example.org\n  family: Roi\n"
                        "  objects: newsletter by unsubscribed.csv\n  objects: targeted by unsubscribed.csv\n"
                        "unsubscribed.csv line 3 REJECTED: column \"E-mail\": email: \"also bad\" is not an e-mail address\n");
    carnet_buf_clear(&out);
    carnet_rows_mapping(rows, &out);
    assert_string_equal(carnet_buf_cstr(&out), "\"mapping\":{\"Email Address\":\"email\",\"OPTIN_TIME\":\"consent:newsletter\","
                                               "\"E-mail\":\"email\",\"Nom\":\"name-reversed\",\"unsubscribed.csv\":\"object:email\"},"
                                               "\"unmapped\":[],\"roll\":false");
    uint64_t read_bytes, size_bytes;
    carnet_rows_progress(rows, &read_bytes, &size_bytes);
    assert_int_equal(read_bytes, size_bytes);
    carnet_rows_close(rows);
    assert_non_null(strstr(carnet_buf_cstr(&rejects), "4,\"subscribed.csv: column \"\"Email Address\"\""));
    assert_non_null(strstr(carnet_buf_cstr(&rejects), "3;\"unsubscribed.csv: column \"\"E-mail\"\""));
    /* the rejected rows of both, with two headers and two separators, are one file that is read again */
    struct carnet_rows_options none = {0};
    struct carnet_buf again;
    carnet_buf_init(&again, 1 << 20);
    carnet_buf_clear(&out);
    assert_int_equal(dump(carnet_buf_slice(&rejects), &none, &out, &again, &err), CARNET_OK);
    assert_non_null(strstr(carnet_buf_cstr(&out), "\"Email Address\": email: \"bad\""));
    assert_non_null(strstr(carnet_buf_cstr(&out), "\"E-mail\": email: \"also bad\""));
    text_gives("carnet_line,carnet_reason,Email Address,OPTIN_TIME\r\n4,why,d@example.org,\r\n"
               "carnet_line;carnet_reason;E-mail;Nom\r\n3;why;e@example.org;LE GOFF Zoé\r\n",
               "line 2\n  email: d@example.org\nline 4\n  email: e@example.org\n  given: Zoé\n  family: LE GOFF\n");
    carnet_buf_deinit(&again);
    carnet_buf_deinit(&bytes);
    carnet_buf_deinit(&out);
    carnet_buf_deinit(&rejects);
}

static void a_zip_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct zipped one[] = {{"a.csv", "email\na@example.org\n", 0}};
    static const struct zipped bomb[] = {{"a.csv", "email\na@example.org\n", 0}, {"b.csv", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1 << 20}};
    static const struct zipped nothing[] = {{"a.pdf", "%PDF", 0}};
    static const struct zipped sheet[] = {{"[Content_Types].xml", "<x/>", 0}, {"xl/workbook.xml", "<x/>", 0}};
    static const struct zipped mixed[] = {{"a.csv", "email\na@example.org\n", 0}, {"b.vcf", "BEGIN:VCARD\nFN:Zoé\nEND:VCARD\n", 0}};
    static const struct zipped strange[] = {{"a.csv", "email\na@example.org\n", 0}, {"b.csv", "12;34\n56;78\n", 0}};
    struct carnet_buf bytes;
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_rows *rows;
    carnet_buf_init(&bytes, 1 << 24);
    assert_int_equal(open_zip_of(one, 1, true, &bytes, &rows, &err), CARNET_MALFORMED);
    assert_string_equal(err.what, "\"a.csv\" in the zip file is protected by a password");
    assert_int_equal(open_zip_of(bomb, 2, false, &bytes, &rows, &err), CARNET_LIMIT);
    assert_string_equal(err.what, "\"b.csv\" in the zip file would be too large unpacked");
    assert_int_equal(open_zip_of(nothing, 1, false, &bytes, &rows, &err), CARNET_MALFORMED);
    assert_string_equal(err.what, "no CSV or vCard file in the zip file");
    assert_int_equal(open_zip_of(sheet, 2, false, &bytes, &rows, &err), CARNET_MALFORMED);
    assert_string_equal(err.what, "a spreadsheet, not a CSV file");
    assert_int_equal(open_zip_of(mixed, 2, false, &bytes, &rows, &err), CARNET_USAGE);
    assert_string_equal(err.what, "the zip file holds CSV and vCard files");
    assert_int_equal(open_zip_of(strange, 2, false, &bytes, &rows, &err), CARNET_USAGE);
    assert_string_equal(err.what, "\"b.csv\" in the zip file: no column is recognised");
    /* cut anywhere, changed anywhere: refused, or read; never more than it said */
    make_zip(one, 1, false, &bytes);
    struct carnet_rows_options options = {0};
    for (size_t i = 0; i < bytes.len; i++) {
        struct carnet_slice cut = carnet_slice(bytes.ptr, i);
        assert_int_not_equal(carnet_rows_open_bytes(cut, &options, &rows, &err), CARNET_OK);
        for (int bit = 0; bit < 8; bit += 3) {
            bytes.ptr[i] ^= (uint8_t)(1 << bit);
            if (carnet_rows_open_bytes(carnet_buf_slice(&bytes), &options, &rows, &err) == CARNET_OK) {
                struct carnet_row row;
                carnet_rc rc;
                while ((rc = carnet_rows_next(rows, &row, &err)) == CARNET_OK)
                    ;
                assert_true(rc == CARNET_NOT_FOUND || rc == CARNET_FAILED);
                carnet_rows_close(rows);
            }
            bytes.ptr[i] ^= (uint8_t)(1 << bit);
        }
    }
    carnet_buf_deinit(&bytes);
}

static void a_zip_may_hold_as_much_as_it_says_and_no_more(void **state)
{
    (void)state;
    struct zipped many[70];
    char names[70][12];
    struct carnet_buf bytes;
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_rows *rows;
    carnet_buf_init(&bytes, 1 << 24);
    for (size_t i = 0; i < 70; i++) {
        snprintf(names[i], sizeof names[i], "%zu.csv", i);
        many[i] = (struct zipped){names[i], "email\na@example.org\n", 0};
    }
    assert_int_equal(open_zip_of(many, 64, false, &bytes, &rows, &err), CARNET_OK);
    size_t good, rejected;
    count_rows(rows, &good, &rejected);
    assert_int_equal(good, 64);
    carnet_rows_close(rows);
    assert_int_equal(open_zip_of(many, 65, false, &bytes, &rows, &err), CARNET_LIMIT);
    carnet_buf_deinit(&bytes);
}

static void columns_go_to_the_community_s_own_fields_and_purposes(void **state)
{
    (void)state;
    static const char *const choices[] = {"matin", "soir"};
    char name[] = "allergies";
    struct carnet_field_def allergies = {.field = 0x12345678, .name = name, .scope = CARNET_SCOPE_NOTES, .shown = true,
                                         .custom = true, .type = CARNET_FIELD_TYPE_TEXT, .choices = choices, .choice_count = 2};
    struct carnet_purpose_def market = {.name = "market-days", .scopes = 1u << CARNET_SCOPE_EMAIL};
    const struct carnet_field_def *fields[] = {&allergies};
    const struct carnet_purpose_def *purposes[] = {&market};
    struct carnet_charter charter = carnet_charter_default();
    charter.fields = fields;
    charter.field_count = 1;
    charter.purposes = purposes;
    charter.purpose_count = 1;
    struct carnet_rows_map map = {carnet_slice_str("Volunteer_x"), carnet_slice_str("allergies")};
    struct carnet_rows_options options = {.charter = &charter, .maps = &map, .map_count = 1};
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_rows *rows;
    struct carnet_row row;
    assert_int_equal(carnet_rows_open_bytes(
                         carnet_slice_str("email,Volunteer_x,Market days,No market days,newsletter\nzoe@example.org,noix,yes,,yes\n"
                                          "max@example.org,,yes,yes,yes\n"),
                         &options, &rows, &err),
                     CARNET_OK);
    /* the charter is read again while the file is: what the columns go to stays */
    memset(name, 'x', sizeof name - 1);
    memset(&allergies, 0, sizeof allergies);
    charter.fields = NULL;
    charter.field_count = 0;
    assert_int_equal(carnet_rows_next(rows, &row, &err), CARNET_OK);
    assert_int_equal(row.cell_count, 2);
    assert_string_equal(row.cells[1].def->name, "allergies");
    assert_string_equal(row.cells[1].def->choices[1], "soir");
    assert_true(carnet_slice_equal(row.cells[1].value, carnet_slice_str("noix")));
    assert_int_equal(row.grant_count, 1); /* this charter has no newsletter */
    assert_true(carnet_slice_equal(row.grants[0].purpose, carnet_slice_str("market-days")));
    assert_int_equal(carnet_rows_next(rows, &row, &err), CARNET_OK);
    assert_int_equal(row.objection_count, 1);
    assert_true(carnet_slice_equal(row.objections[0].purpose, carnet_slice_str("market-days")));
    carnet_rows_close(rows);
}

/* An association without newsletter and sms: opt-outs stand for what it has, opt-ins for nothing. */
static void an_opt_out_never_disappears_for_want_of_its_purpose(void **state)
{
    (void)state;
    struct carnet_purpose_def letter = {.name = "letter", .scopes = 1u << CARNET_SCOPE_EMAIL, .channels = 1u << CARNET_CHANNEL_EMAIL};
    struct carnet_purpose_def member = {
        .name = "member", .scopes = 1u << CARNET_SCOPE_EMAIL, .channels = 1u << CARNET_CHANNEL_EMAIL | 1u << CARNET_CHANNEL_SMS};
    const struct carnet_purpose_def *purposes[] = {&letter, &member};
    struct carnet_charter charter = carnet_charter_default();
    charter.purposes = purposes;
    charter.purpose_count = 2;
    struct carnet_rows_options options = {.charter = &charter};
    char *got = rows_of(carnet_slice_str("email,email_opt_in,can2_subscription_status,unsubscribed,sms_blacklisted,letter\n"
                                         "a@example.org,yes,subscribed,,,yes\nb@example.org,yes,unsubscribed,,,\n"
                                         "c@example.org,yes,,1,,yes\nd@example.org,yes,,,yes,yes\n"),
                        &options);
    assert_string_equal(got, "line 2\n  email: a@example.org\n  agrees: letter by letter\n"
                             "line 3\n  email: b@example.org\n  objects: letter by can2_subscription_status\n"
                             "line 4\n  email: c@example.org\n  agrees: letter by letter\n  objects: letter by unsubscribed\n"
                             "line 5\n  email: d@example.org\n  agrees: letter by letter\n  objects: member by sms_blacklisted\n");
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_other_tools_give_their_rows),
        cmocka_unit_test(separators_and_line_ends_are_recognised),
        cmocka_unit_test(columns_may_be_mapped_by_hand),
        cmocka_unit_test(the_mapping_is_json),
        cmocka_unit_test(consent_is_read_on_the_safe_side),
        cmocka_unit_test(a_bad_row_does_not_stop_the_file),
        cmocka_unit_test(what_is_no_file_of_contacts_is_refused_at_once),
        cmocka_unit_test(rejects_can_be_corrected_and_read_again),
        cmocka_unit_test(memory_is_bounded_whatever_the_file),
        cmocka_unit_test(stray_quotes_cost_no_more_than_they_swallow),
        cmocka_unit_test(an_export_starts_no_formula_and_is_read_back_unchanged),
        cmocka_unit_test(names_in_one_cell_are_split),
        cmocka_unit_test(a_roll_is_known_whatever_its_columns),
        cmocka_unit_test(only_the_two_complementary_lists_collapse),
        cmocka_unit_test(birthplaces_are_never_taken),
        cmocka_unit_test(an_opt_out_never_disappears_for_want_of_its_purpose),
        cmocka_unit_test(columns_go_to_the_community_s_own_fields_and_purposes),
        cmocka_unit_test(what_a_tool_knows_of_an_opt_in_is_evidence),
        cmocka_unit_test(opt_out_columns_of_many_tools_object),
        cmocka_unit_test(a_file_called_unsubscribed_says_so_of_each_row),
        cmocka_unit_test(addresses_that_do_not_work_are_left_out),
        cmocka_unit_test(formulas_are_values_or_refused),
        cmocka_unit_test(a_list_without_a_header_is_known_by_what_it_holds),
        cmocka_unit_test(the_files_of_a_zip_are_read_one_after_the_other),
        cmocka_unit_test(a_zip_is_refused_with_its_reason),
        cmocka_unit_test(a_zip_may_hold_as_much_as_it_says_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
