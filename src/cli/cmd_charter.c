// SPDX-License-Identifier: EUPL-1.2
/* charter show, charter set, field list, field add. */
#include "cli.h"

#include "carnet/people/charter.h"

#include <stdio.h>
#include <string.h>

enum { CHOICES_MAX = 100, DAY_MS = 86400000, HOUR_MS = 3600000, SECOND_MS = 1000 };

/* As `charter set` reads it: 72h, 30d. */
static void put_duration(int64_t ms, struct carnet_buf *out)
{
    if (ms % DAY_MS == 0 && ms > (int64_t)3 * DAY_MS)
        carnet_buf_printf(out, "%lldd", (long long)(ms / DAY_MS));
    else if (ms % HOUR_MS == 0 && ms)
        carnet_buf_printf(out, "%lldh", (long long)(ms / HOUR_MS));
    else
        carnet_buf_printf(out, "%llds", (long long)(ms / SECOND_MS));
}

static json_t *json_duration(int64_t ms)
{
    struct carnet_buf text;
    carnet_buf_init(&text, 32);
    put_duration(ms, &text);
    json_t *string = json_string(carnet_buf_cstr(&text));
    carnet_buf_deinit(&text);
    return string;
}

static json_t *json_version(uint64_t version)
{
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)version);
    return json_string(version ? text : "0");
}

static void put_scopes(uint32_t scopes, struct carnet_buf *out)
{
    for (unsigned scope = 1; scope < CARNET_SCOPE_COUNT; scope++)
        if (scopes & 1u << scope)
            carnet_buf_printf(out, "%s%s", out->len ? " " : "", carnet_scope_name((enum carnet_scope)scope));
}

static json_t *json_purpose(const struct carnet_purpose_def *def)
{
    json_t *object = json_object(), *channels = json_array(), *bases = json_array();
    for (unsigned channel = 0; channel < CARNET_CHANNEL_COUNT; channel++)
        if (def->channels & 1u << channel)
            json_array_append_new(channels, json_string(carnet_channel_name((enum carnet_channel)channel)));
    for (unsigned basis = CARNET_BASIS_CONSENT; basis <= CARNET_BASIS_ROLL; basis++)
        if (def->bases & 1u << basis)
            json_array_append_new(bases, json_string(carnet_basis_name((enum carnet_basis)basis)));
    json_object_set_new(object, "scopes", cli_scopes(def->scopes));
    json_object_set_new(object, "channels", channels);
    json_object_set_new(object, "basis", bases);
    json_object_set_new(object, "keep", def->keep_ms ? json_duration(def->keep_ms) : json_null());
    json_object_set_new(object, "targeting", json_boolean(def->online_targeting));
    json_object_set_new(object, "retired", json_boolean(def->retired));
    json_object_set_new(object, "version", json_version(def->version));
    return object;
}

static json_t *json_field(const struct carnet_field_def *def)
{
    json_t *object = json_object(), *choices = json_array();
    for (size_t i = 0; i < def->choice_count; i++)
        json_array_append_new(choices, cli_cstr(def->choices[i]));
    json_object_set_new(object, "field", json_string(def->name));
    json_object_set_new(object, "type", json_string(carnet_field_type_name(def->type)));
    json_object_set_new(object, "scope", json_string(carnet_scope_name(def->scope)));
    json_object_set_new(object, "choices", choices);
    json_object_set_new(object, "custom", json_boolean(def->custom));
    return object;
}

static void show_json(struct cli *cli, struct carnet_charter charter)
{
    json_t *object = json_object(), *numbers = json_object(), *purposes = json_object(), *fields = json_array(), *wordings = json_array(), *texts = json_object();
    const struct carnet_purpose_def *def;
    int64_t *number;
    const char *name;
    for (size_t i = 0; (name = carnet_charter_number(&charter, i, &number)) != NULL; i++)
        json_object_set_new(numbers, name, json_duration(*number));
    for (size_t i = 0; (def = carnet_purpose_at(&charter, i)) != NULL; i++)
        json_object_set_new(purposes, def->name, json_purpose(def));
    for (size_t i = 0; i < charter.field_count; i++)
        json_array_append_new(fields, json_field(charter.fields[i]));
    for (size_t i = 0; i < charter.wording_count; i++) {
        const struct carnet_wording *w = charter.wordings[i];
        json_t *wording = json_object();
        json_object_set_new(wording, "purpose", json_string(w->purpose));
        json_object_set_new(wording, "language", json_string(w->lang));
        json_object_set_new(wording, "version", json_version(w->version));
        json_object_set_new(wording, "text", cli_string(w->text));
        json_array_append_new(wordings, wording);
    }
    for (size_t i = 0; i < charter.text_count; i++)
        json_object_set_new(texts, charter.texts[i]->key, cli_string(charter.texts[i]->value));
    json_object_set_new(object, "numbers", numbers);
    json_object_set_new(object, "country", json_string(charter.country));
    json_object_set_new(object, "purposes", purposes);
    json_object_set_new(object, "fields", fields);
    json_object_set_new(object, "wordings", wordings);
    json_object_set_new(object, "texts", texts);
    cli_json(cli, object);
}

static const char *const number_words[] = {
    _("without a live consent, keys are destroyed after"),
    _("former values are kept for"),
    _("what an office wrote is left out of a mailing once it is silent for"),
    _("an opt-in that nobody clicked lapses after"),
    _("data are kept, since the person's own last contact, for"),
    _("data are kept, after a single message to somebody who never answered, for"),
    _("who gave no data themselves is told within"),
};

static void show_purpose(struct cli *cli, const struct carnet_purpose_def *def, struct carnet_buf *line)
{
    struct carnet_buf scopes;
    carnet_buf_init(&scopes, 256);
    put_scopes(def->scopes, &scopes);
    carnet_buf_append_str(line, "  ");
    cli_columns(carnet_slice_str(def->name), 16, false, line);
    carnet_buf_append_byte(line, ' ');
    if (def->retired)
        carnet_buf_append_str(line, carnet_tr(cli->io->lang, _("retired")));
    else
        cli_columns(carnet_buf_slice(&scopes), 34, false, line);
    for (unsigned channel = 0; channel < CARNET_CHANNEL_COUNT; channel++)
        if (def->channels & 1u << channel)
            carnet_buf_printf(line, " %s", carnet_channel_name((enum carnet_channel)channel));
    for (unsigned basis = CARNET_BASIS_CONSENT; basis <= CARNET_BASIS_ROLL; basis++)
        if (def->bases & 1u << basis)
            carnet_buf_printf(line, " [%s]", carnet_basis_name((enum carnet_basis)basis));
    if (def->keep_ms) {
        carnet_buf_append_byte(line, ' ');
        put_duration(def->keep_ms, line);
    }
    cli_line(cli, line);
    carnet_buf_deinit(&scopes);
}

static void show_field(struct cli *cli, const struct carnet_field_def *def, struct carnet_buf *line)
{
    carnet_buf_append_str(line, "  ");
    cli_columns(carnet_slice_str(def->name), 16, false, line);
    carnet_buf_append_byte(line, ' ');
    cli_columns(carnet_slice_str(carnet_field_type_name(def->type)), 9, false, line);
    carnet_buf_append_byte(line, ' ');
    cli_columns(carnet_slice_str(carnet_scope_name(def->scope)), 9, false, line);
    for (size_t i = 0; i < def->choice_count; i++) {
        carnet_buf_append_str(line, i ? ", " : " ");
        cli_indented(carnet_slice_str(def->choices[i]), 0, line);
    }
    cli_line(cli, line);
}

static void show_text(struct cli *cli, struct carnet_charter charter)
{
    struct carnet_buf line;
    const struct carnet_purpose_def *def;
    int64_t *number;
    const char *name;
    carnet_buf_init(&line, 64 * 1024);
    cli_print(cli, _("Numbers (carnet charter set NAME DURATION)\n"));
    for (size_t i = 0; (name = carnet_charter_number(&charter, i, &number)) != NULL; i++) {
        CARNET_ASSERT(i < sizeof number_words / sizeof *number_words);
        carnet_buf_append_str(&line, "  ");
        cli_columns(carnet_slice_str(name), 16, false, &line);
        struct carnet_buf duration;
        carnet_buf_init(&duration, 32);
        carnet_buf_append_byte(&line, ' ');
        put_duration(*number, &duration);
        cli_columns(carnet_buf_slice(&duration), 8, false, &line);
        carnet_buf_printf(&line, " %s", carnet_tr(cli->io->lang, number_words[i]));
        cli_line(cli, &line);
        carnet_buf_deinit(&duration);
    }
    cli_print(cli, _("Country of phone numbers and postcodes: %s\n"), charter.country);
    cli_print(cli, _("Purposes: what they cover, how they reach people\n"));
    for (size_t i = 0; (def = carnet_purpose_at(&charter, i)) != NULL; i++)
        show_purpose(cli, def, &line);
    if (charter.field_count)
        cli_print(cli, _("Fields of this community\n"));
    for (size_t i = 0; i < charter.field_count; i++)
        show_field(cli, charter.fields[i], &line);
    if (charter.wording_count)
        cli_print(cli, _("What people agree to\n"));
    for (size_t i = 0; i < charter.wording_count; i++) {
        const struct carnet_wording *w = charter.wordings[i];
        carnet_buf_printf(&line, "  %s/%s (%016llx) ", w->purpose, w->lang, (unsigned long long)w->version);
        cli_indented(w->text, 4, &line);
        cli_line(cli, &line);
    }
    if (charter.text_count)
        cli_print(cli, _("Also\n"));
    for (size_t i = 0; i < charter.text_count; i++) {
        carnet_buf_append_str(&line, "  ");
        cli_columns(carnet_slice_str(charter.texts[i]->key), 24, false, &line);
        carnet_buf_append_byte(&line, ' ');
        cli_indented(charter.texts[i]->value, 4, &line);
        cli_line(cli, &line);
    }
    carnet_buf_deinit(&line);
}

int cmd_charter_show(struct cli *cli)
{
    if (cli->io->json)
        show_json(cli, *carnet_replica_charter(cli->node->replica));
    else
        show_text(cli, *carnet_replica_charter(cli->node->replica));
    return 0;
}

int cmd_charter_set(struct cli *cli)
{
    struct carnet_slice key = carnet_slice_str(cli->words[0]), value = carnet_slice_str(cli->words[1]);
    if (carnet_people_charter_set(cli->node->replica, key, value, &cli->err))
        return cli_fail(cli);
    json_t *object = json_object();
    json_object_set_new(object, "key", cli_string(key));
    json_object_set_new(object, "value", cli_string(value));
    cli_json(cli, object);
    return 0;
}

int cmd_field_list(struct cli *cli)
{
    const struct carnet_charter *charter = carnet_replica_charter(cli->node->replica);
    const struct carnet_field_def *def;
    struct carnet_buf line;
    carnet_buf_init(&line, 64 * 1024);
    for (size_t i = 0; (def = carnet_field_at(charter, i)) != NULL; i++) {
        if (!def->shown)
            continue;
        cli_json(cli, json_field(def));
        show_field(cli, def, &line);
    }
    carnet_buf_deinit(&line);
    return 0;
}

int cmd_field_add(struct cli *cli)
{
    struct carnet_slice choices[CHOICES_MAX];
    struct carnet_field_wish wish = { .name = carnet_slice_str(cli->words[0]), .type = carnet_slice_str(cli_value(cli, "type")),
                                      .scope = carnet_slice_str(cli_value(cli, "scope")), .choices = choices };
    carnet_rc rc = CARNET_OK;
    wish.choice_count = cli_slices(cli, "choice", choices, CHOICES_MAX);
    if (!wish.type.len) {
        rc = carnet_err_set(&cli->err, CARNET_USAGE, "--%s is missing", "type");
        carnet_err_hint(&cli->err, "text longtext number decimal date choice choices bool email phone url");
    }
    if (!rc)
        rc = carnet_people_field_add(cli->node->replica, &wish, &cli->err);
    if (rc)
        return cli_fail(cli);
    const struct carnet_field_def *def = carnet_field_by_name(carnet_replica_charter(cli->node->replica), wish.name);
    if (def)
        cli_json(cli, json_field(def));
    return 0;
}
