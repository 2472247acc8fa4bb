// SPDX-License-Identifier: EUPL-1.2
/* The process that runs. */
#include "node_private.h"

#include "carnet/sys/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { TURN_MS = 60 * 1000, FILES_WANTED = 4096, ANNOUNCED_MAX = 4 };

/* --- where it listens --- */

static bool local_text(struct carnet_replica *replica, const char *name, char *out, size_t size)
{
    struct carnet_buf text;
    carnet_buf_init(&text, size - 1);
    bool found = carnet_replica_local_get(replica, name, &text, NULL) == CARNET_OK && text.len;
    if (found)
        snprintf(out, size, "%s", carnet_buf_cstr(&text));
    carnet_buf_deinit(&text);
    return found;
}

static bool any_port(const char *address)
{
    size_t len = strlen(address);
    return len > 2 && strcmp(address + len - 2, ":0") == 0;
}

/* The addresses of this machine that others can use, when it listens on all of them. */
static size_t machine_addresses(bool ipv6, const char *port, char out[ANNOUNCED_MAX][CARNET_NET_ADDRESS_LEN_MAX + 1])
{
    struct ifaddrs *all = NULL;
    size_t count = 0;
    if (getifaddrs(&all) != 0)
        return 0;
    for (const struct ifaddrs *at = all; at && count < ANNOUNCED_MAX; at = at->ifa_next) {
        char text[INET6_ADDRSTRLEN] = "";
        if (!at->ifa_addr || at->ifa_flags & IFF_LOOPBACK || !(at->ifa_flags & IFF_UP))
            continue;
        if (!ipv6 && at->ifa_addr->sa_family == AF_INET) {
            struct sockaddr_in v4;
            memcpy(&v4, at->ifa_addr, sizeof v4);
            inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        } else if (ipv6 && at->ifa_addr->sa_family == AF_INET6) {
            struct sockaddr_in6 v6;
            memcpy(&v6, at->ifa_addr, sizeof v6);
            if (!IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
                inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        }
        if (text[0])
            snprintf(out[count++], CARNET_NET_ADDRESS_LEN_MAX + 1, ipv6 ? "tcp://[%s]:%s" : "tcp://%s:%s", text, port);
    }
    freeifaddrs(all);
    return count;
}

/* What others can connect to. */
static size_t usable_addresses(const struct carnet_loop *loop, char out[ANNOUNCED_MAX][CARNET_NET_ADDRESS_LEN_MAX + 1])
{
    const char *port = strrchr(loop->listen, ':') + 1;
    if (strncmp(loop->listen, "tcp://0.0.0.0:", 14) == 0)
        return machine_addresses(false, port, out);
    if (strncmp(loop->listen, "tcp://[::]:", 11) == 0)
        return machine_addresses(true, port, out);
    snprintf(out[0], CARNET_NET_ADDRESS_LEN_MAX + 1, "%s", loop->listen);
    return 1;
}

/* `listen` keeps what was asked for, `listen_bound` what it became: a port that was chosen once is tried again, since others were told of it. */
static carnet_rc listen_somewhere(struct carnet_loop *loop, const char *given, struct carnet_err *err)
{
    struct carnet_replica *replica = loop->home->node.replica;
    char wanted[CARNET_NET_ADDRESS_LEN_MAX + 1] = "tcp://127.0.0.1:0", before[CARNET_NET_ADDRESS_LEN_MAX + 1] = "";
    bool remembered = local_text(replica, "listen", wanted, sizeof wanted);
    bool bound_before = remembered | local_text(replica, "listen_bound", before, sizeof before) && before[0];
    if (given && strlen(given) <= CARNET_NET_ADDRESS_LEN_MAX) {
        size_t host = strrchr(given, ':') ? (size_t)(strrchr(given, ':') - given) : 0;
        bound_before = bound_before && host && strncmp(given, before, host + 1) == 0;
        snprintf(wanted, sizeof wanted, "%s", given);
    } else if (given) {
        return carnet_net_listen(loop->net, given, loop->listen, err);
    }
    carnet_rc rc = CARNET_FAILED;
    if (any_port(wanted) && bound_before)
        rc = carnet_net_listen(loop->net, before, loop->listen, NULL);
    if (rc != CARNET_OK)
        rc = carnet_net_listen(loop->net, wanted, loop->listen, err);
    if (rc == CARNET_OK && given)
        rc = carnet_replica_local_put(replica, "listen", carnet_slice_str(wanted), err);
    if (rc == CARNET_OK && strcmp(before, loop->listen) != 0)
        rc = carnet_replica_local_put(replica, "listen_bound", carnet_slice_str(loop->listen), err);
    if (rc == CARNET_OK) {
        char all[ANNOUNCED_MAX][CARNET_NET_ADDRESS_LEN_MAX + 1];
        if (usable_addresses(loop, all))
            memcpy(loop->usable, all[0], sizeof loop->usable);
        loop->home->node.listen = loop->usable[0] ? loop->usable : loop->listen;
    }
    return rc;
}

/* Tells the others where this node is, when that has changed. */
static carnet_rc announce(struct carnet_loop *loop, struct carnet_err *err)
{
    struct carnet_replica *replica = loop->home->node.replica;
    char all[ANNOUNCED_MAX][CARNET_NET_ADDRESS_LEN_MAX + 1];
    const char *addresses[ANNOUNCED_MAX];
    struct carnet_member self;
    size_t count = usable_addresses(loop, all);
    carnet_rc rc = carnet_replica_member(replica, &carnet_replica_self(replica)->node, &self, err);
    if (rc == CARNET_NOT_FOUND)
        return CARNET_OK; /* the charter is not here yet */
    if (rc != CARNET_OK)
        return rc;
    bool same = count == self.address_count;
    for (size_t i = 0; i < count; i++) {
        addresses[i] = all[i];
        same = same && strcmp(all[i], self.addresses[i]) == 0;
    }
    if (same)
        return CARNET_OK;
    rc = carnet_replica_addresses(replica, addresses, count, err);
    if (rc == CARNET_REFUSED) {
        carnet_loop_log(loop, "the address is not announced: %s", err ? err->what : "");
        return CARNET_OK;
    }
    if (rc == CARNET_OK)
        carnet_core_written(loop->core);
    return rc;
}

/* --- whom it connects to --- */

static carnet_rc connect_one(struct carnet_loop *loop, const char *text, struct carnet_err *err)
{
    struct carnet_target who;
    const char *address;
    bool named, made;
    carnet_rc rc = carnet_dial_parse(loop, text, &who, &named, &address, err);
    if (rc == CARNET_OK)
        carnet_dial_ask(loop, named ? &who : NULL, address, &made);
    return rc;
}

static void connect_again(void *ctx, const char *peer)
{
    struct carnet_loop *loop = ctx;
    struct carnet_err old = CARNET_ERR_INIT;
    /* one who is no member any more is no error */
    if (connect_one(loop, peer, &old) != CARNET_OK)
        carnet_loop_log(loop, "%s: %s", peer, old.what);
}

/* The peers given, and those given before. */
static carnet_rc connect_all(struct carnet_loop *loop, const struct carnet_node_options *options, struct carnet_err *err)
{
    struct carnet_replica *replica = loop->home->node.replica;
    carnet_rc rc = carnet_targets_read(loop, err);
    for (size_t i = 0; i < options->connect_count && rc == CARNET_OK; i++)
        rc = connect_one(loop, options->connect[i], err);
    if (rc == CARNET_OK && options->connect_count)
        rc = carnet_peers_remember(replica, options->connect, options->connect_count, err);
    if (rc == CARNET_OK)
        carnet_peers_each(replica, connect_again, loop);
    return rc;
}

/* --- life --- */

static void raise_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FILES_WANTED) {
        files.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* Blocked before any thread begins, so that none of libzmq's takes them. */
static int signals_take(struct carnet_err *err, sigset_t *before)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    int fd = sigprocmask(SIG_BLOCK, &set, before) == 0 ? signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK) : -1;
    if (fd < 0)
        carnet_err_set(err, CARNET_FAILED, "cannot receive signals: %s", carnet_errno_text(carnet_err_lang(err), errno));
    return fd;
}

static void signals_give_back(int fd, const sigset_t *before)
{
    struct signalfd_siginfo info;
    while (fd >= 0 && read(fd, &info, sizeof info) == (ssize_t)sizeof info)
        ;
    sigprocmask(SIG_SETMASK, before, NULL);
}

static carnet_rc run(struct carnet_loop *loop, const struct carnet_node_options *options, struct carnet_err *err)
{
    loop->logs = true;
    loop->keeps = true;
    carnet_rc rc = listen_somewhere(loop, options->listen, err);
    if (rc == CARNET_OK)
        rc = connect_all(loop, options, err);
    if (rc == CARNET_OK)
        rc = announce(loop, err);
    if (rc == CARNET_OK)
        rc = carnet_control_new(loop, options->command, &loop->control, err);
    if (rc != CARNET_OK)
        return rc;
    printf("ready listen=%s console=none\n", loop->listen);
    fflush(stdout);
    while (rc == CARNET_OK && !loop->stopping)
        rc = carnet_loop_turn(loop, TURN_MS, err);
    if (rc == CARNET_OK && carnet_core_failure(loop->core)) {
        *err = *carnet_core_failure(loop->core);
        rc = err->rc;
    }
    return rc;
}

carnet_rc carnet_node_run(const struct carnet_node_options *options, struct carnet_err *err)
{
    struct carnet_home *home;
    struct carnet_loop *loop = NULL;
    struct sigaction ignore = { .sa_handler = SIG_IGN }, pipe_before;
    struct carnet_err own = CARNET_ERR_INIT;
    sigset_t before;
    if (!err)
        err = &own;
    raise_files();
    carnet_rc rc = carnet_home_open(options->home, options->passphrase, &home, err);
    if (rc != CARNET_OK)
        return rc;
    sigaction(SIGPIPE, &ignore, &pipe_before); /* whoever reads our output may be gone */
    int fd = signals_take(err, &before);
    rc = fd < 0 ? CARNET_FAILED : carnet_loop_new(home, &loop, err);
    if (rc == CARNET_OK) {
        loop->signal_fd = fd;
        carnet_core_lang(loop->core, options->lang);
        rc = run(loop, options, err);
        signals_give_back(fd, &before);
    } else if (fd >= 0) {
        signals_give_back(fd, &before);
        close(fd);
    }
    carnet_home_free(home);
    sigaction(SIGPIPE, &pipe_before, NULL);
    return rc;
}
