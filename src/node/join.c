// SPDX-License-Identifier: EUPL-1.2
/* Joining with an invitation's code. */
#include "node_private.h"

#include "carnet/log/authority.h"
#include "carnet/base/limits.h"
#include "carnet/sys/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REACH_MS = 12 * 1000, FAILURES_MAX = 3 };

struct joining {
    struct carnet_home *home;
    struct carnet_net *net;
    struct carnet_invite_code code;
    struct carnet_box_pk pk;
    struct carnet_box_sk sk;
    uint64_t links[4];
    unsigned failures[4];
    struct carnet_buf frame;
    bool sent;                   /* the code may be used up by now */
    bool answered;
    size_t address;              /* where the inviter is */
    enum carnet_net_failure failure;
};

static bool admit_nobody(void *ctx, const struct carnet_box_pk *client)
{
    (void)ctx;
    (void)client;
    return false;
}

static size_t address_of(const struct joining *j, uint64_t link)
{
    for (size_t i = 0; i < j->code.address_count; i++)
        if (j->links[i] == link)
            return i;
    return 0;
}

/* AGAIN: nothing is decided yet. */
static carnet_rc take(struct joining *j, const struct carnet_net_event *event, struct carnet_err *err)
{
    struct carnet_replica_env env = carnet_home_env();
    struct carnet_slice welcome;
    char what[200];
    size_t i = address_of(j, event->link);
    switch (event->type) {
    case CARNET_NET_UP:
        j->failures[i] = 0;
        /* the same request over two addresses gets the same answer */
        if (carnet_net_send(j->net, event->link, carnet_buf_slice(&j->frame)) == CARNET_OK)
            j->sent = true;
        return CARNET_AGAIN;
    case CARNET_NET_FAILED:
        j->failures[i]++;
        j->failure = event->failure;
        return CARNET_AGAIN;
    case CARNET_NET_DOWN:
        return CARNET_AGAIN;
    case CARNET_NET_FRAME:
        break;
    }
    carnet_rc rc = carnet_core_join_answer(event->frame, &welcome, what);
    j->address = i;
    if (rc == CARNET_REFUSED) {
        j->answered = true;
        carnet_err_set(err, CARNET_REFUSED, "the inviter refuses: %s", what[0] ? carnet_tr(carnet_err_lang(err), what) : "?");
        carnet_err_hint(err, "ask for a new invitation");
        return CARNET_REFUSED;
    }
    if (rc != CARNET_OK)
        return carnet_err_set(err, CARNET_REFUSED, "the answer to the invitation cannot be read");
    char *database = carnet_home_file(j->home, true);
    rc = carnet_replica_join(database, &env, &j->home->identity, &j->code.community, welcome, &j->home->node.replica, err);
    if (rc != CARNET_OK)
        carnet_home_remove_database(database);
    free(database);
    return rc == CARNET_AGAIN ? CARNET_FAILED : rc;
}

/* Every address was tried enough? */
static bool hopeless(const struct joining *j)
{
    for (size_t i = 0; i < j->code.address_count; i++)
        if (j->failures[i] < FAILURES_MAX)
            return false;
    return true;
}

static carnet_rc not_reached(const struct joining *j, struct carnet_err *err)
{
    const char *address = j->code.address_count ? j->code.addresses[0] : "?";
    if (j->failure == CARNET_NET_OTHER_KEY)
        return carnet_err_set(err, CARNET_REFUSED, "another node than the inviter answers at %s", address);
    if (j->failure == CARNET_NET_REFUSED)
        return carnet_err_set(err, CARNET_REFUSED, "the inviter does not let this code in");
    carnet_err_set(err, CARNET_UNREACHABLE, "the inviter does not answer at %s", address);
    carnet_err_hint(err, "its node must be running, and reachable from here");
    return CARNET_UNREACHABLE;
}

static carnet_rc ask(struct joining *j, struct carnet_err *err)
{
    struct carnet_clock clock = carnet_clock_system();
    int64_t until = carnet_clock_mono_ms(&clock) + REACH_MS;
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; i < j->code.address_count && rc == CARNET_OK; i++)
        rc = carnet_net_connect(j->net, j->code.addresses[i], &j->code.server, &j->pk, &j->sk, &j->links[i], err);
    if (rc == CARNET_OK)
        rc = CARNET_AGAIN;
    while (rc == CARNET_AGAIN) {
        struct carnet_net_event event;
        int64_t left = until - carnet_clock_mono_ms(&clock);
        if (left <= 0 || hopeless(j))
            return not_reached(j, err);
        rc = carnet_net_wait(j->net, NULL, NULL, NULL, 0, left, err);
        rc = rc == CARNET_OK ? CARNET_AGAIN : rc;
        while (rc == CARNET_AGAIN && carnet_net_next(j->net, &event))
            rc = take(j, &event, err);
    }
    return rc;
}

/* The identity is on disk before anybody certifies it: when the answer is lost, the same node asks again. */
static carnet_rc prepare(struct joining *j, struct carnet_slice node_name, struct carnet_slice passphrase, bool *made, struct carnet_err *err)
{
    struct carnet_rng rng = carnet_rng_system();
    struct carnet_net_options options = { .admit = admit_nobody };
    struct carnet_buf request;
    char *keystore = carnet_home_file(j->home, false);
    carnet_rc rc;
    *made = !carnet_file_exists(keystore);
    if (*made) {
        carnet_identity_new(&rng, &j->home->identity);
        j->home->node.sealed = passphrase.len > 0;
        rc = carnet_keystore_write(keystore, &j->home->identity, passphrase, &rng, err);
    } else {
        rc = carnet_keystore_read(keystore, passphrase, &j->home->identity, &j->home->node.sealed, err);
    }
    free(keystore);
    if (rc != CARNET_OK)
        return rc;
    carnet_invite_keys(j->code.secret, &j->pk, &j->sk);
    carnet_buf_init(&request, CARNET_FRAME_LEN_MAX / 2);
    carnet_join_request(&j->home->identity, node_name, &j->pk, &request);
    carnet_core_join_put(carnet_buf_slice(&request), &j->frame);
    bool failed = request.failed || j->frame.failed;
    carnet_buf_deinit(&request);
    if (failed)
        return carnet_err_set(err, CARNET_USAGE, "the name of the node is too long");
    carnet_box_pair(j->home->identity.curve, &options.pk, &options.sk);
    rc = carnet_net_new(&options, &j->net, err);
    carnet_wipe(&options.sk, sizeof options.sk);
    return rc;
}

/* Remembers where the inviter is, and syncs. */
static void first_sync(struct joining *j)
{
    char peer[CARNET_NAME_LEN_MAX + CARNET_NET_ADDRESS_LEN_MAX];
    const char *told = peer;
    struct carnet_target who = { .curve = j->code.server, .address_count = 1 };
    const struct carnet_cert *inviter = carnet_authority_curve(carnet_replica_authority(j->home->node.replica), &j->code.server);
    if (!inviter)
        return;
    who.node = inviter->node;
    memcpy(who.addresses[0], j->code.addresses[j->address], sizeof who.addresses[0]);
    snprintf(peer, sizeof peer, "%s@%s", carnet_id_text(&inviter->node).s, who.addresses[0]);
    if (carnet_peers_remember(j->home->node.replica, &told, 1, NULL) != CARNET_OK)
        return;
    /* it has joined whatever comes of this: the next sync brings the rest */
    if (carnet_meet_one(&j->home->node, &who, NULL) != CARNET_OK)
        return;
}

static carnet_rc decode(struct carnet_slice code, struct carnet_invite_code *out, struct carnet_err *err)
{
    if (carnet_invite_code_decode(code, out) == CARNET_OK)
        return CARNET_OK;
    carnet_err_set(err, CARNET_MALFORMED, "this is not an invitation code, or a letter of it is wrong");
    carnet_err_hint(err, "copy it whole, groups and dashes included");
    return CARNET_MALFORMED;
}

carnet_rc carnet_node_code_check(struct carnet_slice code, struct carnet_err *err)
{
    struct carnet_invite_code read;
    carnet_rc rc = decode(code, &read, err);
    carnet_wipe(&read, sizeof read);
    return rc;
}

carnet_rc carnet_node_join(const char *path, struct carnet_slice code, struct carnet_slice node_name, struct carnet_slice passphrase, struct carnet_node **out,
                           struct carnet_err *err)
{
    struct joining j = { 0 };
    bool made = false;
    *out = NULL;
    carnet_rc rc = decode(code, &j.code, err);
    if (rc == CARNET_OK)
        rc = carnet_replica_name_check(node_name, err);
    if (rc != CARNET_OK)
        return rc;
    rc = carnet_home_make(path, &j.home, err);
    if (rc == CARNET_OK) {
        carnet_buf_init(&j.frame, CARNET_FRAME_LEN_MAX);
        rc = prepare(&j, node_name, passphrase, &made, err);
        if (rc == CARNET_OK)
            rc = ask(&j, err);
        carnet_net_free(j.net);
        carnet_buf_deinit(&j.frame);
        if (rc == CARNET_OK) {
            first_sync(&j);
        } else if (made && (j.answered || !j.sent)) {
            char *keystore = carnet_home_file(j.home, false);
            if (carnet_file_remove(keystore, NULL) != CARNET_OK)
                made = false; /* left behind: the next join uses it */
            free(keystore);
        }
    }
    if (rc == CARNET_OK)
        *out = &j.home->node;
    else
        carnet_home_free(j.home);
    carnet_wipe(&j.code, sizeof j.code);
    carnet_wipe(&j.sk, sizeof j.sk);
    return rc;
}
