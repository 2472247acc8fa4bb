// SPDX-License-Identifier: EUPL-1.2
#include "cli.h"

#include "carnet/people/merge.h"
#include "carnet/replica/suppress.h"

#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnet/people/charter.h"

#include "passphrase.h"

static struct carnet_slice required(struct cli *cli, const char *option, carnet_rc *rc)
{
    const char *value = cli_value(cli, option);
    if (!*rc && (!value || !*value)) {
        *rc = carnet_err_set(&cli->err, CARNET_USAGE, "--%s is missing", option);
        cli_usage_hint(cli);
    }
    return carnet_slice_str(value);
}

static json_t *founded(const struct carnet_node *node)
{
    const struct carnet_cert *self = carnet_replica_self(node->replica);
    json_t *object = json_object();
    json_object_set_new(object, "community", json_string(carnet_id_text(&self->community).s));
    json_object_set_new(object, "node", json_string(carnet_id_text(&self->node).s));
    return object;
}

int cmd_init(struct cli *cli)
{
    struct carnet_buf passphrase, recovery;
    struct carnet_node *node = NULL;
    carnet_rc rc = CARNET_OK;
    struct carnet_slice community = required(cli, "community", &rc), name = required(cli, "node", &rc);
    carnet_buf_init(&passphrase, 4096);
    carnet_buf_init(&recovery, 1024);
    struct carnet_slice charter = carnet_slice_str(cli_value(cli, "charter"));
    if (!rc && charter.len)
        rc = carnet_people_charter_known(charter, &cli->err);
    if (!rc)
        rc = carnet_node_vacant(cli->node->home, &cli->err);
    if (!rc)
        rc = cli_passphrase_new(cli, &passphrase);
    if (!rc)
        rc = carnet_node_init(cli->node->home, community, name, carnet_buf_slice(&passphrase), &recovery, &node, &cli->err);
    if (!rc && charter.len)
        rc = carnet_people_charter_adopt(node->replica, charter, &cli->err);
    if (!rc) {
        json_t *object = founded(node);
        json_object_set_new(object, "recovery_key", json_string(carnet_buf_cstr(&recovery)));
        cli_json(cli, object);
        cli_print(cli, _("community %s, node %s\n"), carnet_id_text(&carnet_replica_self(node->replica)->community).s, carnet_id_text(&carnet_replica_self(node->replica)->node).s);
        cli_print(cli, _("recovery key, shown once; write it on paper and keep it away from this machine:\n\n    %s\n\n"), carnet_buf_cstr(&recovery));
        if (!passphrase.len)
            cli_warn(cli, _("this node's keys are not protected by a passphrase: whoever reads this disk reads the contacts\n"));
    }
    if (recovery.ptr)
        explicit_bzero(recovery.ptr, recovery.len);
    carnet_node_close(node);
    carnet_buf_deinit(&recovery);
    cli_passphrase_wipe(&passphrase);
    return rc ? cli_fail(cli) : 0;
}

int cmd_join(struct cli *cli)
{
    struct carnet_buf passphrase;
    struct carnet_node *node = NULL;
    carnet_rc rc = CARNET_OK;
    struct carnet_slice name = required(cli, "node", &rc);
    carnet_buf_init(&passphrase, 4096);
    if (!rc)
        rc = carnet_node_vacant(cli->node->home, &cli->err);
    if (!rc)
        rc = carnet_node_code_check(carnet_slice_str(cli->words[0]), &cli->err);
    if (!rc)
        rc = cli_passphrase_new(cli, &passphrase);
    if (!rc)
        rc = carnet_node_join(cli->node->home, carnet_slice_str(cli->words[0]), name, carnet_buf_slice(&passphrase), &node, &cli->err);
    if (rc == CARNET_MALFORMED)
        rc = cli->err.rc = CARNET_USAGE; /* a word of the command line, not bytes of a peer */
    if (!rc) {
        struct carnet_slice community = carnet_replica_community_name(node->replica);
        cli_json(cli, founded(node));
        cli_print(cli, _("joined \"%.*s\"; `carnet node` keeps this node in touch with the others\n"), (int)community.len, (const char *)community.ptr);
        if (!passphrase.len)
            cli_warn(cli, _("this node's keys are not protected by a passphrase: whoever reads this disk reads the contacts\n"));
    }
    carnet_node_close(node);
    cli_passphrase_wipe(&passphrase);
    return rc ? cli_fail(cli) : 0;
}

int cmd_node(struct cli *cli)
{
    const char *peers[CLI_GIVEN_MAX];
    struct carnet_buf passphrase;
    struct carnet_node_options options = { .home = cli->node->home, .listen = cli_value(cli, "listen"), .connect = peers, .command = cli_dispatch, .lang = cli->io->lang };
    options.connect_count = cli_values(cli, "connect", peers, CLI_GIVEN_MAX);
    carnet_buf_init(&passphrase, 4096);
    carnet_rc rc = cli_passphrase(cli, cli->node->home, &passphrase);
    options.passphrase = carnet_buf_slice(&passphrase);
    if (!rc)
        rc = carnet_node_run(&options, &cli->err);
    cli_passphrase_wipe(&passphrase);
    return rc ? cli_fail(cli) : 0;
}

/* Two rows of modules in one line of half blocks, dark on light as cameras expect, with the quiet zone around. */
static carnet_rc print_qr(struct cli *cli, const char *text)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    if (!code)
        return carnet_err_set(&cli->err, CARNET_FAILED, "the code is too long for a QR image");
    const int quiet = 4, width = code->width;
    for (int y = -quiet; y < width + quiet; y += 2) {
        struct carnet_buf line;
        carnet_buf_init(&line, 4096);
        for (int x = -quiet; x < width + quiet; x++) {
            bool dark[2];
            for (int i = 0; i < 2; i++)
                dark[i] = x >= 0 && x < width && y + i >= 0 && y + i < width && (code->data[(y + i) * width + x] & 1);
            /* a full block is light: terminals are dark more often than not, and readers take both */
            carnet_buf_append_str(&line, dark[0] ? dark[1] ? " " : "▄" : dark[1] ? "▀" : "█");
        }
        cli_print(cli, "%s\n", carnet_buf_cstr(&line));
        carnet_buf_deinit(&line);
    }
    QRcode_free(code);
    return CARNET_OK;
}

enum { BOOKS_MAX = 64, ADDRESSES_MAX = 4 };

static carnet_rc invite_terms(struct cli *cli, struct carnet_invite_terms *terms, struct carnet_id *books, const char **addresses)
{
    const char *names[BOOKS_MAX], *role = cli_value(cli, "role"), *expires = cli_value(cli, "expires"), *code_expires = cli_value(cli, "code-expires");
    int64_t now_ms = carnet_replica_wall_ms(cli->node->replica), duration;
    carnet_rc rc = CARNET_OK;
    *terms = (struct carnet_invite_terms){ .name = required(cli, "name", &rc), .books = books, .addresses = addresses, .code_until_ms = now_ms + (int64_t)24 * 3600 * 1000 };
    required(cli, "role", &rc);
    if (!rc && !carnet_role_find(carnet_slice_str(role), &terms->role)) {
        rc = carnet_err_set(&cli->err, CARNET_USAGE, "there is no role \"%.60s\"", role);
        carnet_err_hint(&cli->err, "admin, office, volunteer, gateway or relay");
    }
    size_t count = cli_values(cli, "book", names, BOOKS_MAX);
    for (size_t i = 0; i < count && !rc; i++) {
        const struct carnet_book *book;
        rc = carnet_replica_book_find(cli->node->replica, carnet_slice_str(names[i]), &book, &cli->err);
        if (!rc)
            books[terms->book_count++] = book->id;
    }
    if (!rc)
        rc = cli_scopes_given(cli, "scope", &terms->scopes);
    if (!rc && expires && !(rc = carnet_duration_parse(carnet_slice_str(expires), &duration, &cli->err)))
        terms->expires_ms = now_ms + duration;
    if (!rc && code_expires && !(rc = carnet_duration_parse(carnet_slice_str(code_expires), &duration, &cli->err)))
        terms->code_until_ms = now_ms + duration;
    terms->address_count = cli_values(cli, "address", addresses, ADDRESSES_MAX);
    return rc;
}

/* Does every address lead to this very machine? */
static bool only_here(const struct carnet_invite_terms *terms)
{
    static const char *const here[] = { "tcp://127.", "tcp://localhost:", "tcp://[::1]:" };
    size_t count = 0;
    for (size_t i = 0; i < terms->address_count; i++)
        for (size_t j = 0; j < sizeof here / sizeof here[0]; j++)
            count += strncmp(terms->addresses[i], here[j], strlen(here[j])) == 0;
    return count == terms->address_count;
}

int cmd_invite(struct cli *cli)
{
    struct carnet_invite_terms terms;
    struct carnet_id books[BOOKS_MAX];
    const char *addresses[ADDRESSES_MAX];
    struct carnet_buf code, listen;
    carnet_buf_init(&code, 4096);
    carnet_buf_init(&listen, 96);
    carnet_rc rc = invite_terms(cli, &terms, books, addresses);
    if (!rc && !terms.address_count) {
        struct carnet_err ignored = CARNET_ERR_INIT;
        if (cli->node->listen) {
            addresses[terms.address_count++] = cli->node->listen;
        } else if (carnet_replica_local_get(cli->node->replica, "listen_bound", &listen, &ignored) == CARNET_OK && listen.len) {
            addresses[terms.address_count++] = carnet_buf_cstr(&listen);
        } else {
            rc = carnet_err_set(&cli->err, CARNET_USAGE, "this node has no address yet at which somebody could join");
            carnet_err_hint(&cli->err, "start it with `carnet node`, or give --address tcp://HOST:PORT");
        }
    }
    if (!rc)
        rc = carnet_replica_invite(cli->node->replica, &terms, &code, &cli->err);
    if (!rc) {
        struct carnet_buf at;
        json_t *object = json_object();
        carnet_buf_init(&at, 64);
        carnet_time_format(terms.code_until_ms, &at);
        json_object_set_new(object, "code", json_string(carnet_buf_cstr(&code)));
        json_object_set_new(object, "expires", cli_time(terms.code_until_ms));
        cli_json(cli, object);
        cli_print(cli, "%s\n", carnet_buf_cstr(&code));
        if (cli_flag(cli, "qr") && !cli->io->json)
            rc = print_qr(cli, carnet_buf_cstr(&code));
        if (!rc)
            cli_say(cli, _("works once, until %s; on the other machine:\n  carnet join CODE --node NAME\n"), carnet_buf_cstr(&at));
        if (!rc && !cli->io->json && only_here(&terms)) {
            cli_warn(cli, _("the code serves on this machine alone, where this node listens. For another one:\n"
                            "  carnet node --listen tcp://0.0.0.0:7777, then invite again (or --address tcp://HOST:PORT)\n"));
        }
        if (!rc && !cli->node->core)
            cli_warn(cli, _("nobody can join until this node runs: carnet node\n"));
        carnet_buf_deinit(&at);
    }
    carnet_buf_deinit(&listen);
    carnet_buf_deinit(&code);
    return rc ? cli_fail(cli) : 0;
}

/* --- members, peers, status --- */

static const char *member_name(const struct carnet_member *member)
{
    return member->node[0] ? member->node : member->member;
}

/* The words of states and roles, for the catalogue: they come from below, in English. */
const char *const cli_words[] = { _("active"), _("revoked"), _("expired"), _("closed"), _("up to date"), _("exchanging"), _("connecting"), _("admin"), _("office"),
                                  _("volunteer"), _("gateway"), _("relay"), _("given"), _("renewed"), _("requested"), _("withdrawn"), _("objected"), _("refused"), _("invalidated"),
                                  _("none") };

static bool each_member(void *ctx, const struct carnet_member *member)
{
    struct cli *cli = ctx;
    const struct carnet_cert *cert = member->cert;
    const char *state = member->cut ? "revoked" : member->expired ? "expired" : "active";
    json_t *object = json_object(), *books = json_array();
    struct carnet_buf names, scopes;
    carnet_buf_init(&names, 16384);
    carnet_buf_init(&scopes, 256);
    for (size_t i = 0; i < carnet_replica_book_count(cli->node->replica); i++) {
        const struct carnet_book *book = carnet_replica_book_at(cli->node->replica, i);
        if (!carnet_cert_holds(cert, &book->id))
            continue;
        json_array_append_new(books, cli_cstr(book->name));
        carnet_buf_append_str(&names, names.len ? ", " : "");
        cli_indented(carnet_slice_str(book->name), 0, &names);
    }
    for (unsigned scope = 1; scope < CARNET_SCOPE_COUNT; scope++)
        if (cert->reads & 1u << scope)
            carnet_buf_printf(&scopes, "%s%s", scopes.len ? " " : "", carnet_scope_name((enum carnet_scope)scope));
    json_object_set_new(object, "member", cli_cstr(member->member));
    json_object_set_new(object, "node", cli_cstr(member->node));
    json_object_set_new(object, "role", json_string(carnet_role_name(cert->role)));
    json_object_set_new(object, "books", books);
    json_object_set_new(object, "scopes", cli_scopes(cert->reads));
    json_object_set_new(object, "expires", cli_time(cert->not_after_ms));
    json_object_set_new(object, "state", json_string(state));
    json_object_set_new(object, "id", json_string(carnet_id_text(&cert->node).s));
    cli_json(cli, object);
    struct carnet_buf line, until;
    carnet_buf_init(&line, 64 * 1024);
    carnet_buf_init(&until, 64);
    cli_columns(carnet_slice_str(member->member), 24, false, &line);
    carnet_buf_append_byte(&line, ' ');
    cli_columns(carnet_slice_str(member->node), 20, false, &line);
    carnet_buf_append_byte(&line, ' ');
    cli_columns(carnet_slice_str(carnet_tr(cli->io->lang, carnet_role_name(cert->role))), 14, false, &line);
    carnet_buf_printf(&line, " %s", carnet_tr(cli->io->lang, state));
    cli_line(cli, &line);
    cli_print(cli, _("    books: %s\n"), names.len ? carnet_buf_cstr(&names) : "-");
    cli_print(cli, _("    reads: %s\n"), scopes.len ? carnet_buf_cstr(&scopes) : "-");
    if (cert->not_after_ms) {
        carnet_time_format(cert->not_after_ms, &until);
        cli_print(cli, _("    until: %s\n"), carnet_buf_cstr(&until));
    }
    carnet_buf_deinit(&until);
    carnet_buf_deinit(&line);
    carnet_buf_deinit(&scopes);
    carnet_buf_deinit(&names);
    return true;
}

int cmd_members(struct cli *cli)
{
    return carnet_replica_members(cli->node->replica, each_member, cli, &cli->err) ? cli_fail(cli) : 0;
}

enum { COMPARE_AT_ONCE = 10000, PEERS_MAX = 256 };

static void peer_name(struct cli *cli, const struct carnet_cert *cert, struct carnet_buf *out)
{
    struct carnet_member member;
    struct carnet_err ignored = CARNET_ERR_INIT;
    if (cert && !carnet_replica_member(cli->node->replica, &cert->node, &member, &ignored))
        carnet_buf_append_str(out, member_name(&member));
    else
        carnet_buf_append_str(out, cert ? carnet_id_text(&cert->node).s : "?");
}

int cmd_peers(struct cli *cli)
{
    if (!cli->node->core) {
        cli_say(cli, _("this node is not running: no session is open (carnet node)\n"));
        return 0;
    }
    struct carnet_core_peer *peers = carnet_alloc(PEERS_MAX * sizeof *peers);
    size_t count = carnet_core_peers(cli->node->core, peers, PEERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct carnet_core_peer *p = &peers[i];
        const char *state = p->closed ? "closed" : p->caught_up ? "up to date" : p->cert ? "exchanging" : "connecting";
        struct carnet_buf name;
        json_t *object = json_object();
        carnet_buf_init(&name, 256);
        peer_name(cli, p->cert, &name);
        json_object_set_new(object, "name", cli_string(carnet_buf_slice(&name)));
        json_object_set_new(object, "state", json_string(state));
        json_object_set_new(object, "why", p->why ? json_string(p->why) : json_null());
        json_object_set_new(object, "sent_entries", json_integer((json_int_t)p->stats.sent_entries));
        json_object_set_new(object, "received_entries", json_integer((json_int_t)p->stats.received_entries));
        json_object_set_new(object, "refused_entries", json_integer((json_int_t)p->stats.refused_entries));
        json_object_set_new(object, "sent_bytes", json_integer((json_int_t)p->stats.sent_bytes));
        json_object_set_new(object, "received_bytes", json_integer((json_int_t)p->stats.received_bytes));
        json_object_set_new(object, "pending", json_integer((json_int_t)p->pending));
        cli_json(cli, object);
        struct carnet_buf line;
        carnet_buf_init(&line, 4096);
        cli_columns(carnet_buf_slice(&name), 24, false, &line);
        carnet_buf_printf(&line, " %s", carnet_tr(cli->io->lang, state));
        if (p->why)
            carnet_buf_printf(&line, "%s%s", carnet_tr(cli->io->lang, _(": ")), carnet_tr(cli->io->lang, p->why));
        cli_line(cli, &line);
        cli_print(cli, _("    entries sent: %llu, received: %llu, to send: %llu\n"), (unsigned long long)p->stats.sent_entries,
                  (unsigned long long)p->stats.received_entries, (unsigned long long)p->pending);
        carnet_buf_deinit(&line);
        carnet_buf_deinit(&name);
    }
    free(peers);
    return 0;
}

struct status {
    struct cli *cli;
    struct carnet_core_peer *sessions;
    size_t session_count;
    json_t *peers;
    struct carnet_buf text;
};

static bool each_status_peer(void *ctx, const struct carnet_member *member)
{
    struct status *s = ctx;
    struct cli *cli = s->cli;
    if (member->cut || carnet_id_equal(&member->cert->node, &carnet_replica_self(cli->node->replica)->node))
        return true;
    const struct carnet_core_peer *session = NULL;
    for (size_t i = 0; i < s->session_count; i++)
        if (s->sessions[i].cert && !s->sessions[i].closed && carnet_id_equal(&s->sessions[i].cert->node, &member->cert->node))
            session = &s->sessions[i];
    int64_t heard_ms = carnet_core_heard_ms(cli->node->replica, &member->cert->node);
    json_t *peer = json_object();
    json_object_set_new(peer, "name", cli_cstr(member_name(member)));
    json_object_set_new(peer, "last_heard", cli_time(heard_ms));
    json_object_set_new(peer, "pending", session ? json_integer((json_int_t)session->pending) : json_null());
    json_object_set_new(peer, "connected", json_boolean(session != NULL));
    json_array_append_new(s->peers, peer);
    struct carnet_buf at;
    carnet_buf_init(&at, 64);
    if (heard_ms)
        carnet_time_format(heard_ms, &at);
    else
        carnet_buf_append_str(&at, carnet_tr(cli->io->lang, _("never heard")));
    carnet_buf_append_str(&s->text, "  ");
    cli_columns(carnet_slice_str(member_name(member)), 24, false, &s->text);
    carnet_buf_printf(&s->text, " %s%s%s\n", carnet_buf_cstr(&at), session ? ", " : "", session ? carnet_tr(cli->io->lang, _("connected")) : "");
    carnet_buf_deinit(&at);
    return true;
}

int cmd_status(struct cli *cli)
{
    struct carnet_replica *replica = cli->node->replica;
    const struct carnet_cert *self = carnet_replica_self(replica);
    struct carnet_store_counts counts;
    struct carnet_member me = { 0 };
    struct carnet_err ignored = CARNET_ERR_INIT;
    struct status s = { .cli = cli, .peers = json_array() };
    struct carnet_slice community = carnet_replica_community_name(replica);
    carnet_buf_init(&s.text, 1 << 20);
    if (cli->node->core) {
        s.sessions = carnet_alloc(PEERS_MAX * sizeof *s.sessions);
        s.session_count = carnet_core_peers(cli->node->core, s.sessions, PEERS_MAX);
    }
    struct carnet_duplicates_count duplicates = { 0 };
    carnet_rc rc = carnet_store_count(carnet_replica_store(replica), &counts, &cli->err);
    struct carnet_suppression list = { .tags = 0 };
    if (!rc)
        rc = carnet_replica_suppression(replica, &list, &cli->err);
    if (!rc)
        rc = carnet_people_duplicates_count(replica, &duplicates, &cli->err);
    if (!rc && duplicates.waiting && duplicates.waiting <= COMPARE_AT_ONCE) { /* a few are compared now; many, when somebody asks for duplicates */
        rc = carnet_people_duplicates_update(replica, NULL, NULL, &cli->err);
        rc = rc ? rc : carnet_people_duplicates_count(replica, &duplicates, &cli->err);
    }
    if (!rc)
        rc = carnet_replica_members(replica, each_status_peer, &s, &cli->err);
    if (!rc) {
        json_t *object = json_object();
        if (carnet_replica_member(replica, &self->node, &me, &ignored))
            me = (struct carnet_member){ 0 };
        json_object_set_new(object, "community", cli_string(community));
        json_object_set_new(object, "node", cli_cstr(me.node[0] ? me.node : carnet_id_text(&self->node).s));
        json_object_set_new(object, "role", json_string(carnet_role_name(self->role)));
        json_object_set_new(object, "contacts", json_integer(counts.contacts));
        json_object_set_new(object, "entries", json_integer(counts.entries));
        json_object_set_new(object, "conflicts", json_integer(counts.conflicts));
        json_object_set_new(object, "duplicates", json_integer(duplicates.open));
        json_object_set_new(object, "suppressed", json_integer((json_int_t)list.tags));
        json_object_set_new(object, "comparing", json_integer(list.comparing));
        json_object_set(object, "peers", s.peers);
        json_object_set_new(object, "community_id", json_string(carnet_id_text(&self->community).s));
        json_object_set_new(object, "node_id", json_string(carnet_id_text(&self->node).s));
        json_object_set_new(object, "running", json_boolean(cli->node->core != NULL));
        json_object_set_new(object, "listen", cli->node->listen ? cli_cstr(cli->node->listen) : json_null());
        json_object_set_new(object, "duplicates_waiting", json_integer(duplicates.waiting));
        json_object_set_new(object, "passphrase", json_boolean(cli->node->sealed));
        cli_json(cli, object);
        cli_print(cli, _("%s (%s) in \"%.*s\"\n"), me.node[0] ? me.node : carnet_id_text(&self->node).s, carnet_tr(cli->io->lang, carnet_role_name(self->role)), (int)community.len,
                  (const char *)community.ptr);
        cli_print(cli, _("contacts: %lld, conflicts: %lld, duplicates: %lld, entries: %lld\n"), (long long)counts.contacts, (long long)counts.conflicts,
                  (long long)duplicates.open, (long long)counts.entries);
        if (duplicates.waiting)
            cli_print(cli, _("  contacts not compared yet: %lld (carnet duplicates)\n"), (long long)duplicates.waiting);
        if (list.comparing)
            cli_print(cli, _("still to be compared with the suppression list: %lld\n"), (long long)list.comparing);
        if (cli->node->listen)
            cli_print(cli, _("running, reached at %s\n"), cli->node->listen);
        else
            cli_print(cli, _("not running (carnet node)\n"));
        if (s.text.len)
            cli_print(cli, _("other nodes:\n%s"), carnet_buf_cstr(&s.text));
        if (!cli->node->sealed)
            cli_warn(cli, _("this node's keys are not protected by a passphrase: whoever reads this disk reads the contacts\n"));
    }
    json_decref(s.peers);
    free(s.sessions);
    carnet_buf_deinit(&s.text);
    return rc ? cli_fail(cli) : 0;
}

/* --- meeting --- */

struct meeting {
    struct cli *cli;
    carnet_rc worst;
    const char *why;
    char peer[CARNET_NAME_LEN_MAX + 1];
    size_t met;
    struct carnet_buf missed; /* lines about peers that were not met, when others were */
};

static bool each_met(void *ctx, const struct carnet_sync_result *r)
{
    struct meeting *m = ctx;
    struct cli *cli = m->cli;
    if (r->rc) {
        m->worst = r->rc;
        m->why = r->why;
        memcpy(m->peer, r->peer, sizeof m->peer);
        carnet_buf_printf(&m->missed, "%s%s%s\n", r->peer, carnet_tr(cli->io->lang, _(": ")), carnet_tr(cli->io->lang, r->why ? r->why : "the peer ended the session"));
        return true;
    }
    m->met++;
    json_t *object = json_object();
    json_object_set_new(object, "peer", cli_cstr(r->peer));
    json_object_set_new(object, "sent_entries", json_integer((json_int_t)r->stats.sent_entries));
    json_object_set_new(object, "received_entries", json_integer((json_int_t)r->stats.received_entries));
    json_object_set_new(object, "sent_bytes", json_integer((json_int_t)r->stats.sent_bytes));
    json_object_set_new(object, "received_bytes", json_integer((json_int_t)r->stats.received_bytes));
    json_object_set_new(object, "seconds", json_real((double)r->ms / 1000));
    json_object_set_new(object, "refused_entries", json_integer((json_int_t)r->stats.refused_entries));
    cli_json(cli, object);
    cli_print(cli, _("%s: entries sent: %llu (%llu bytes), received: %llu (%llu bytes)\n"), r->peer, (unsigned long long)r->stats.sent_entries,
              (unsigned long long)r->stats.sent_bytes, (unsigned long long)r->stats.received_entries, (unsigned long long)r->stats.received_bytes);
    if (r->stats.refused_entries)
        cli_warn(cli, _("%s: entries refused: %llu\n"), r->peer, (unsigned long long)r->stats.refused_entries);
    return true;
}

int cmd_sync(struct cli *cli)
{
    struct meeting m = { .cli = cli };
    carnet_rc rc = CARNET_OK;
    carnet_buf_init(&m.missed, 64 * 1024);
    if (!cli->word_count)
        rc = carnet_node_sync(cli->node, NULL, each_met, &m, &cli->err);
    for (size_t i = 0; i < cli->word_count && !rc; i++)
        rc = carnet_node_sync(cli->node, cli->words[i], each_met, &m, &cli->err);
    if (!rc && m.worst && (!m.met || cli->word_count)) {
        /* one that was met is enough when nobody was named */
        carnet_err_set(&cli->err, m.worst, "%s was not met: %s", m.peer, carnet_tr(cli->io->lang, m.why ? m.why : "the peer ended the session"));
        rc = m.worst;
    } else if (!rc && m.missed.len) {
        cli_warn(cli, "%s", carnet_buf_cstr(&m.missed));
    }
    carnet_buf_deinit(&m.missed);
    return rc ? cli_fail(cli) : 0;
}

/* --- books, checks --- */

int cmd_book_list(struct cli *cli)
{
    for (size_t i = 0; i < carnet_replica_book_count(cli->node->replica); i++) {
        const struct carnet_book *book = carnet_replica_book_at(cli->node->replica, i);
        json_t *object = json_object();
        json_object_set_new(object, "id", json_string(carnet_id_text(&book->id).s));
        json_object_set_new(object, "name", cli_cstr(book->name));
        json_object_set_new(object, "held", json_boolean(book->held));
        cli_json(cli, object);
        struct carnet_buf name;
        carnet_buf_init(&name, 1024);
        cli_indented(carnet_slice_str(book->name), 0, &name);
        cli_print(cli, "%s  %s%s\n", carnet_id_text(&book->id).s, carnet_buf_cstr(&name), book->held ? "" : carnet_tr(cli->io->lang, _("  (not held here)")));
        carnet_buf_deinit(&name);
    }
    return 0;
}

int cmd_book_add(struct cli *cli)
{
    struct carnet_id id;
    if (strcmp(cli->words[0], "charter") == 0) {
        carnet_err_set(&cli->err, CARNET_CONFLICT, "there is a book %s already", "charter");
        return cli_fail(cli);
    }
    if (carnet_replica_book_add(cli->node->replica, carnet_slice_str(cli->words[0]), &id, &cli->err))
        return cli_fail(cli);
    cli_print(cli, "%s\n", carnet_id_text(&id).s);
    return cli_done_id(cli, &id);
}

struct verdict {
    struct cli *cli;
    json_t *errors;
    size_t count;
};

static void each_error(void *ctx, const char *error)
{
    struct verdict *v = ctx;
    v->count++;
    json_array_append_new(v->errors, cli_cstr(error));
    cli_print(v->cli, "%s\n", error);
}

int cmd_verify(struct cli *cli)
{
    struct carnet_replica *replica = cli->node->replica;
    struct verdict v = { cli, json_array(), 0 };
    json_t *object = json_object(), *state = json_object();
    carnet_rc rc = carnet_replica_verify(replica, each_error, &v, &cli->err);
    for (size_t i = 0; i <= carnet_replica_book_count(replica) && !rc; i++) {
        const struct carnet_book *book = i ? carnet_replica_book_at(replica, i - 1) : NULL;
        struct carnet_hash hash;
        char hex[65];
        if (book && !book->held)
            continue;
        rc = carnet_replica_state(replica, book ? &book->id : &carnet_replica_self(replica)->community, &hash, &cli->err);
        if (rc)
            break;
        carnet_hex(hash.b, sizeof hash.b, hex);
        json_object_set_new(state, book ? book->name : "charter", json_string(hex));
        struct carnet_buf line;
        carnet_buf_init(&line, 1024);
        cli_columns(carnet_slice_str(book ? book->name : "charter"), 20, false, &line);
        carnet_buf_printf(&line, " %s", hex);
        cli_line(cli, &line);
        carnet_buf_deinit(&line);
    }
    if (!rc) {
        json_object_set_new(object, "ok", json_boolean(v.count == 0));
        json_object_set(object, "state", state);
        json_object_set(object, "errors", v.errors);
        cli_json(cli, json_incref(object));
        if (v.count) {
            carnet_err_set(&cli->err, CARNET_CORRUPT, "%zu things are not as the log says", v.count);
            carnet_err_hint(&cli->err, "`carnet rebuild` makes the views again; a damaged log comes back from a peer");
        } else {
            cli_say(cli, _("all is as the log says\n"));
        }
    }
    json_decref(object);
    json_decref(state);
    json_decref(v.errors);
    return rc || v.count ? cli_fail(cli) : 0;
}

int cmd_rebuild(struct cli *cli)
{
    if (carnet_replica_rebuild(cli->node->replica, &cli->err))
        return cli_fail(cli);
    cli_say(cli, _("the views are made again from the log\n"));
    return 0;
}
