// SPDX-License-Identifier: EUPL-1.2
/* The register of processing, printed from the charter, and the sheet for a lost device. */
#include "law_parts.h"

#include "words.h"

#include <string.h>

static const int64_t HOUR_MS = 3600000;

struct sheet {
    struct carnet_replica *replica;
    enum carnet_lang lang;
    const struct carnet_charter *charter;
    struct carnet_buf *text;
    json_t *list;
};

static void title(struct sheet *s, const char *english)
{
    carnet_buf_printf(s->text, "\n%s\n\n", carnet_tr(s->lang, english));
}

static void item(struct sheet *s, const char *name, const char *value)
{
    carnet_buf_printf(s->text, "  %s%s%s\n", name, carnet_tr(s->lang, _(": ")), value);
}

/* The day and the minute, in UTC: the 72 hours are counted by them. */
static void put_moment(enum carnet_lang lang, int64_t ms, struct carnet_buf *out)
{
    int64_t minutes = ms / 60000;
    carnet_words_date(lang, ms, out);
    carnet_words_put(out, lang, _(", %02d:%02d (UTC)"), (int)(minutes / 60 % 24), (int)(minutes % 60));
}

/* What the charter says of those who answer for it; what it does not say is to be seen. */
static void answerable(struct sheet *s, const char *key, const char *name)
{
    const struct carnet_charter_text *said = carnet_charter_text_find(s->charter, carnet_slice_str(key));
    carnet_buf_printf(s->text, "  %s%s", carnet_tr(s->lang, name), carnet_tr(s->lang, _(": ")));
    if (said)
        carnet_buf_printf(s->text, "%.*s\n", (int)said->value.len, (const char *)said->value.ptr);
    else
        carnet_words_put(s->text, s->lang, _("not said (carnet charter set %s TEXT)\n"), key);
}

/* --- register --- */

/* A purpose as an office names it; the community's own ones by their names. */
static const char *purpose_title(const struct sheet *s, const char *name)
{
    static const struct {
        const char *name, *title;
    } titles[] = { { "file", _("keeping the address book") },
                   { "newsletter", _("newsletter by e-mail") },
                   { "targeted", _("political messages by e-mail to chosen people") },
                   { "sms", _("text messages") },
                   { "call", _("telephone calls") },
                   { "mail", _("letters by post") },
                   { "canvass", _("visits from door to door") },
                   { "social", _("exchanges on social networks") },
                   { "profile", _("opinions, and notes of conversations") },
                   { "membership", _("management of the members") } };
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (strcmp(titles[i].name, name) == 0)
            return carnet_tr(s->lang, titles[i].title);
    return name;
}

static json_t *purposes(struct sheet *s)
{
    const struct carnet_purpose_def *def;
    json_t *list = json_array();
    for (size_t i = 0; (def = carnet_purpose_at(s->charter, i)); i++) {
        json_t *object = json_object(), *channels = json_array();
        struct carnet_buf words;
        carnet_buf_init(&words, 4096);
        for (unsigned c = 0; c < CARNET_CHANNEL_COUNT; c++)
            if (def->channels >> c & 1)
                json_array_append_new(channels, json_string(carnet_channel_name((enum carnet_channel)c)));
        json_object_set_new(object, "purpose", json_string(def->name));
        json_object_set_new(object, "scopes", carnet_json_scopes(def->scopes));
        json_object_set_new(object, "channels", channels);
        json_object_set_new(object, "retired", json_boolean(def->retired));
        json_object_set_new(object, "online_targeting", json_boolean(def->online_targeting));
        json_array_append_new(list, object);
        carnet_words_scopes(s->lang, def->scopes, &words);
        if (def->retired)
            carnet_buf_append_str(&words, carnet_tr(s->lang, _(" (not used any more: kept for what was agreed before)")));
        item(s, purpose_title(s, def->name), carnet_buf_cstr(&words));
        if (def->online_targeting)
            carnet_buf_append_str(s->text, carnet_tr(s->lang, _("      online targeting (Regulation (EU) 2024/900): explicit consent alone, no special category of data\n")));
        carnet_buf_deinit(&words);
    }
    return list;
}

static json_t *bases(struct sheet *s)
{
    json_t *list = json_array();
    for (unsigned b = CARNET_BASIS_CONSENT; b <= CARNET_BASIS_ROLL; b++) {
        json_array_append_new(list, json_string(carnet_basis_name((enum carnet_basis)b)));
        carnet_buf_printf(s->text, "  %s\n", carnet_words_basis(s->lang, (enum carnet_basis)b));
    }
    return list;
}

static bool each_member(void *ctx, const struct carnet_member *member)
{
    struct sheet *s = ctx;
    struct carnet_buf words;
    if (member->cut || member->expired)
        return true;
    json_t *object = json_object();
    json_object_set_new(object, "member", json_string(member->member));
    json_object_set_new(object, "role", json_string(carnet_role_name(member->cert->role)));
    json_object_set_new(object, "reads", carnet_json_scopes(member->cert->reads));
    json_object_set_new(object, "until", carnet_json_time(member->cert->not_after_ms));
    json_array_append_new(s->list, object);
    carnet_buf_init(&words, 4096);
    carnet_buf_printf(&words, "%s%s", carnet_words_role(s->lang, member->cert->role), carnet_tr(s->lang, _("; reads: ")));
    carnet_words_scopes(s->lang, member->cert->reads, &words);
    item(s, member->member, carnet_buf_cstr(&words));
    carnet_buf_deinit(&words);
    return true;
}

static json_t *numbers(struct sheet *s)
{
    json_t *object = json_object();
    const struct {
        const char *name, *said;
        int64_t ms;
    } all[] = { { "contact", _("without news from the person"), s->charter->contact_ms },
                { "prospect", _("after a single message that was not answered"), s->charter->prospect_ms },
                { "opt_in", _("an agreement that was not confirmed"), s->charter->opt_in_ms },
                { "dark_after", _("after the last agreement ended: the keys are destroyed"), s->charter->dark_after_ms },
                { "history", _("former values"), s->charter->history_ms },
                { "inform", _("data that do not come from the person: they are told within"), s->charter->inform_ms } };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct carnet_buf words;
        carnet_buf_init(&words, 64);
        carnet_words_duration(s->lang, all[i].ms, &words);
        json_object_set_new(object, all[i].name, json_integer((json_int_t)(all[i].ms / 1000)));
        item(s, carnet_tr(s->lang, all[i].said), carnet_buf_cstr(&words));
        carnet_buf_deinit(&words);
    }
    carnet_buf_append_str(s->text, carnet_tr(s->lang, _("  data collected for a ballot: until the end of that day, then erased (carnet purge)\n")));
    return object;
}

static json_t *measures(struct sheet *s)
{
    static const char *const said[] = {
        _("each category of data of each person is sealed by a key of its own (XChaCha20-Poly1305); the key exists while the person agrees, and is destroyed afterwards"),
        _("a machine reads what its certificate allows, nothing else; relays read nothing"),
        _("every change is signed (Ed25519) by the machine that made it; nothing is changed without trace"),
        _("links between machines are encrypted and authenticated (CURVE); a revoked machine is refused by all who know"),
        _("each machine's keys are protected by a passphrase (Argon2id) when it has one; the disk is to be encrypted besides"),
        _("an audit trail on each machine, signed, without personal data, kept 12 months (carnet audit)"),
        _("erasure on every machine, confirmed by each (carnet erasures)"),
    };
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        json_array_append_new(list, json_string(said[i]));
        carnet_buf_printf(s->text, "  - %s\n", carnet_tr(s->lang, said[i]));
    }
    return list;
}

static json_t *fields_of(struct sheet *s)
{
    const struct carnet_field_def *def;
    json_t *object = json_object();
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_COUNT; scope++) {
        json_t *list = json_array();
        struct carnet_buf words;
        carnet_buf_init(&words, 64 * 1024);
        for (size_t i = 0; (def = carnet_field_at(s->charter, i)); i++) {
            if (def->scope != (enum carnet_scope)scope || !def->shown)
                continue;
            json_array_append_new(list, json_string(def->name));
            if (words.len)
                carnet_buf_append_str(&words, ", ");
            carnet_words_field(s->lang, s->charter, def->field, CARNET_SLICE_NONE, &words);
        }
        json_object_set_new(object, carnet_scope_name((enum carnet_scope)scope), list);
        if (words.len)
            item(s, carnet_words_scope(s->lang, (enum carnet_scope)scope), carnet_buf_cstr(&words));
        else
            carnet_buf_printf(s->text, "  %s\n", carnet_words_scope(s->lang, (enum carnet_scope)scope));
        carnet_buf_deinit(&words);
    }
    return object;
}

/* The object goes into json, or nowhere. */
static carnet_rc finish(carnet_rc rc, json_t *root, struct carnet_buf *json, const struct carnet_buf *text, struct carnet_err *err)
{
    if (rc == CARNET_OK && (text->failed || json->failed))
        rc = carnet_err_set(err, CARNET_LIMIT, "the answer is too long");
    if (rc == CARNET_OK)
        carnet_json_put(root, json);
    else
        json_decref(root);
    return rc;
}

carnet_rc carnet_people_register(struct carnet_replica *replica, enum carnet_lang lang, struct carnet_buf *json, struct carnet_buf *text, struct carnet_err *err)
{
    struct sheet s = { .replica = replica, .lang = lang, .charter = carnet_replica_charter(replica), .text = text };
    struct carnet_slice community = carnet_replica_community_name(replica);
    struct carnet_store_counts counts;
    struct carnet_buf date;
    json_t *root = json_object(), *books = json_array();
    carnet_rc rc = carnet_store_count(carnet_replica_store(replica), &counts, err);
    carnet_buf_init(&date, 64);
    carnet_words_date(lang, carnet_replica_wall_ms(replica), &date);
    carnet_words_put(text, lang, _("Register of processing activities (GDPR, article 30): %.*s\n"), (int)community.len, (const char *)community.ptr);
    carnet_words_put(text, lang, _("As of %s\n"), carnet_buf_cstr(&date));
    carnet_buf_deinit(&date);
    json_object_set_new(root, "controller", carnet_json_text(community));
    json_object_set_new(root, "at", carnet_json_time(carnet_replica_wall_ms(replica)));
    title(&s, _("CONTROLLER"));
    carnet_buf_printf(text, "  %.*s\n", (int)community.len, (const char *)community.ptr);
    const char *const keys[] = { "controller", "dpo", "contact_point" };
    const char *const names[] = { _("controller"), _("data protection officer"), _("contact") };
    for (size_t i = 0; i < 3; i++) {
        const struct carnet_charter_text *said = carnet_charter_text_find(s.charter, carnet_slice_str(keys[i]));
        json_object_set_new(root, i ? keys[i] : "controller_says", said ? carnet_json_text(said->value) : json_null());
        answerable(&s, keys[i], names[i]);
    }
    title(&s, _("PEOPLE CONCERNED"));
    carnet_words_put(text, lang, _("  contacts of the community; held on this machine: %lld\n"), rc == CARNET_OK ? (long long)counts.contacts : 0LL);
    json_object_set_new(root, "contacts_here", json_integer(rc == CARNET_OK ? counts.contacts : 0));
    for (size_t i = 0; i < carnet_replica_book_count(replica); i++) {
        json_array_append_new(books, json_string(carnet_replica_book_at(replica, i)->name));
        item(&s, carnet_tr(lang, _("book")), carnet_replica_book_at(replica, i)->name);
    }
    json_object_set_new(root, "books", books);
    title(&s, _("PURPOSES, AND THE DATA THAT EACH COVERS"));
    json_object_set_new(root, "purposes", purposes(&s));
    title(&s, _("LEGAL BASES (each agreement says which)"));
    json_object_set_new(root, "bases", bases(&s));
    title(&s, _("CATEGORIES OF DATA"));
    json_object_set_new(root, "data", fields_of(&s));
    carnet_buf_append_str(text, carnet_tr(lang, _("  opinions, notes, and even being in this file may reveal political opinions: special categories of data (GDPR, article 9)\n")));
    title(&s, _("RECIPIENTS"));
    s.list = json_array();
    if (rc == CARNET_OK)
        rc = carnet_replica_members(replica, each_member, &s, err);
    json_object_set_new(root, "recipients", s.list);
    json_t *outside = json_object();
    for (size_t i = 0; i < s.charter->text_count; i++) {
        const struct carnet_charter_text *said = s.charter->texts[i];
        if (strncmp(said->key, "recipient/", 10) != 0)
            continue;
        json_object_set_new(outside, said->key + 10, carnet_json_text(said->value));
        carnet_buf_printf(text, "  %s%s%.*s\n", said->key + 10, carnet_tr(lang, _(": ")), (int)said->value.len, (const char *)said->value.ptr);
    }
    json_object_set_new(root, "outside_recipients", outside);
    title(&s, _("TRANSFERS OUTSIDE THE EUROPEAN UNION"));
    carnet_buf_append_str(text, carnet_tr(lang, _("  none by this program, which copies data to the members' machines alone; where those are, and what the other recipients do, is to be added here\n")));
    title(&s, _("HOW LONG"));
    json_object_set_new(root, "retention_seconds", numbers(&s));
    title(&s, _("SECURITY"));
    json_object_set_new(root, "security", measures(&s));
    return finish(rc, root, json, text, err);
}

/* --- breach --- */

struct exposure {
    struct carnet_replica *replica;
    const struct carnet_cert *cert;
    uint64_t contacts, with[CARNET_SCOPE_COUNT];
};

static carnet_rc expose(void *ctx, const struct carnet_view *view, bool *wrote, struct carnet_err *err)
{
    struct exposure *e = ctx;
    (void)wrote;
    (void)err;
    if (!carnet_cert_holds(e->cert, &view->book))
        return CARNET_OK;
    /* what it holds keys for, blocked or not: whoever has the keys obeys no rule */
    uint32_t held = carnet_record_scopes_in(&view->record, CARNET_SIBLING_VALUE) | carnet_record_scopes_in(&view->record, CARNET_SIBLING_LOCKED) |
                    carnet_record_scopes_in(&view->record, CARNET_SIBLING_MISSING);
    held &= e->cert->reads;
    e->contacts += held != 0;
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_COUNT; scope++)
        e->with[scope] += held >> scope & 1;
    return CARNET_OK;
}

static carnet_rc breach_of(struct sheet *s, const struct carnet_member *member, int64_t noticed_ms, json_t *root, struct carnet_err *err)
{
    struct exposure e = { .replica = s->replica, .cert = member->cert };
    const struct carnet_law_walk all = { .replica = s->replica, .each = expose, .ctx = &e };
    struct carnet_buf words, at, due;
    json_t *books = json_array(), *scopes = json_object();
    carnet_rc rc = carnet_law_walk(&all, err);
    int64_t due_ms = noticed_ms + 72 * HOUR_MS, now_ms = carnet_replica_wall_ms(s->replica);
    carnet_buf_init(&words, 64 * 1024);
    carnet_buf_init(&at, 64);
    carnet_buf_init(&due, 64);
    put_moment(s->lang, noticed_ms, &at);
    put_moment(s->lang, due_ms, &due);
    carnet_words_put(s->text, s->lang, _("Breach sheet (GDPR, articles 33 and 34): the device \"%s\" of \"%s\"\n"), member->node, member->member);
    title(s, _("THE CLOCK"));
    item(s, carnet_tr(s->lang, _("noticed")), carnet_buf_cstr(&at));
    item(s, carnet_tr(s->lang, _("to be notified to the CNIL by (72 hours)")), carnet_buf_cstr(&due));
    if (now_ms >= due_ms)
        carnet_buf_append_str(s->text, carnet_tr(s->lang, _("  LATE: notify now, and say why it is late\n")));
    else
        carnet_words_put(s->text, s->lang, _("  hours left: %lld\n"), (long long)((due_ms - now_ms) / HOUR_MS));
    title(s, _("WHAT THE DEVICE COULD READ"));
    json_object_set_new(root, "member", json_string(member->member));
    json_object_set_new(root, "node", json_string(member->node));
    json_object_set_new(root, "role", json_string(carnet_role_name(member->cert->role)));
    json_object_set_new(root, "since", carnet_json_time(member->cert->issued_ms));
    json_object_set_new(root, "revoked", json_boolean(member->cut));
    json_object_set_new(root, "last_heard", carnet_json_time(member->alive_ms));
    json_object_set_new(root, "noticed", carnet_json_time(noticed_ms));
    json_object_set_new(root, "due", carnet_json_time(due_ms));
    json_object_set_new(root, "late", json_boolean(now_ms >= due_ms));
    item(s, carnet_tr(s->lang, _("role")), carnet_words_role(s->lang, member->cert->role));
    for (size_t i = 0; i < carnet_replica_book_count(s->replica); i++) {
        const struct carnet_book *book = carnet_replica_book_at(s->replica, i);
        if (!carnet_cert_holds(member->cert, &book->id))
            continue;
        json_array_append_new(books, json_string(book->name));
        carnet_buf_printf(&words, "%s%s%s", words.len ? ", " : "", book->name, book->held ? "" : carnet_tr(s->lang, _(" (not held here: not counted below)")));
    }
    item(s, carnet_tr(s->lang, _("books")), words.len ? carnet_buf_cstr(&words) : "-");
    json_object_set_new(root, "books", books);
    carnet_buf_clear(&words);
    carnet_words_date(s->lang, member->cert->issued_ms, &words);
    item(s, carnet_tr(s->lang, _("since")), carnet_buf_cstr(&words));
    carnet_buf_clear(&words);
    if (member->alive_ms)
        put_moment(s->lang, member->alive_ms, &words);
    item(s, carnet_tr(s->lang, _("last heard")), words.len ? carnet_buf_cstr(&words) : carnet_tr(s->lang, _("never")));
    carnet_words_put(s->text, s->lang, _("  people of whom it could read something: %llu\n"), (unsigned long long)e.contacts);
    json_object_set_new(root, "contacts", json_integer((json_int_t)e.contacts));
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_COUNT; scope++) {
        if (!(member->cert->reads >> scope & 1))
            continue;
        json_object_set_new(scopes, carnet_scope_name((enum carnet_scope)scope), json_integer((json_int_t)e.with[scope]));
        carnet_buf_printf(s->text, "    %s%s%llu\n", carnet_words_scope(s->lang, (enum carnet_scope)scope), carnet_tr(s->lang, _(": ")), (unsigned long long)e.with[scope]);
    }
    json_object_set_new(root, "with_values", scopes);
    carnet_buf_append_str(s->text, carnet_tr(s->lang, _("  It could also read what was erased since it was last heard. A passphrase on its keys, or an encrypted disk, makes the risk smaller: say so.\n")));
    title(s, _("WHAT TO DO"));
    if (member->cut)
        carnet_buf_append_str(s->text, carnet_tr(s->lang, _("  1. The device is revoked: no machine that knows it talks with it any more. Let the others meet (carnet sync).\n")));
    else
        carnet_words_put(s->text, s->lang, _("  1. Revoke the device: carnet revoke %s. No machine that knows it talks with it any more.\n"), carnet_id_text(&member->cert->node).s);
    carnet_buf_append_str(s->text, carnet_tr(s->lang, _("  2. Revoking takes nothing away from the device: its keys open the copies that it has, and others that somebody would give it. Who wants to be erased (carnet erase) is erased on all other machines.\n"
                                                        "  3. Notify the CNIL within the 72 hours (notifications.cnil.fr), unless a risk for the people is unlikely: what happened, the categories and numbers above, whom to ask, the likely consequences, what was done.\n"
                                                        "  4. When the risk is high (opinions, notes, addresses of private people), tell the people concerned without delay.\n"
                                                        "  5. Ask the member what else was on the device: exports, printed lists, paper.\n"
                                                        "  6. Keep this sheet, notified or not, with what was decided and why.\n")));
    title(s, _("WHOM TO ASK"));
    answerable(s, "controller", _("controller"));
    answerable(s, "dpo", _("data protection officer"));
    answerable(s, "contact_point", _("contact"));
    carnet_buf_deinit(&due);
    carnet_buf_deinit(&at);
    carnet_buf_deinit(&words);
    return rc;
}

carnet_rc carnet_people_breach(struct carnet_replica *replica, struct carnet_slice member, int64_t noticed_ms, enum carnet_lang lang, struct carnet_buf *json,
                               struct carnet_buf *text, struct carnet_err *err)
{
    struct sheet s = { .replica = replica, .lang = lang, .charter = carnet_replica_charter(replica), .text = text };
    struct carnet_member one;
    json_t *root = json_object();
    carnet_rc rc = carnet_replica_member_find(replica, member, &one, err);
    if (rc == CARNET_OK)
        rc = breach_of(&s, &one, noticed_ms ? noticed_ms : carnet_replica_wall_ms(replica), root, err);
    return finish(rc, root, json, text, err);
}
