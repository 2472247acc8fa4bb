// SPDX-License-Identifier: EUPL-1.2
#include "net_private.h"

#include "carnet/base/limits.h"
#include "carnet/sys/file.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* In the header only for draft builds, in the library always: a ZAP domain without a handler refuses everybody, instead of nobody. */
enum { OPTION_ZAP_ENFORCE_DOMAIN = 93 };
enum { LINKS_DEFAULT = 512, HEARTBEAT_DEFAULT_MS = 10 * 1000 };

int64_t carnet_net_now(const struct carnet_net *net)
{
    return carnet_clock_mono_ms(&net->clock);
}

void carnet_net_push(struct carnet_net *net, enum carnet_net_event_type type, const struct carnet_net_link *link)
{
    if (net->event_first && net->event_first + net->event_count == net->event_cap) {
        memmove(net->events, net->events + net->event_first, net->event_count * sizeof *net->events);
        net->event_first = 0;
    }
    if (net->event_first + net->event_count == net->event_cap) {
        net->event_cap = net->event_cap ? net->event_cap * 2 : 16;
        net->events = carnet_realloc(net->events, net->event_cap, sizeof *net->events);
    }
    net->events[net->event_first + net->event_count++] =
        (struct carnet_net_event){ .type = type, .link = link->id, .peer = link->peer, .connector = link->connector, .failure = link->failure };
}

struct carnet_net_link *carnet_net_link_find(struct carnet_net *net, uint64_t id)
{
    for (size_t i = 0; id && i < net->link_count; i++)
        if (net->links[i]->id == id)
            return net->links[i];
    return NULL;
}

struct carnet_net_link *carnet_net_link_new(struct carnet_net *net)
{
    struct carnet_net_link *link = carnet_alloc(sizeof *link);
    CARNET_GROW(net->links, net->link_count, net->link_cap);
    net->links[net->link_count++] = link;
    link->id = ++net->link_last;
    link->fd = -1;
    return link;
}

void carnet_net_link_free(struct carnet_net *net, struct carnet_net_link *link)
{
    for (size_t i = 0; i < net->link_count; i++)
        if (net->links[i] == link) {
            net->links[i] = net->links[--net->link_count];
            break;
        }
    carnet_wipe(&link->sk, sizeof link->sk);
    free(link);
}

void carnet_net_socket_int(void *sock, int option, int value)
{
    CARNET_ASSERT(zmq_setsockopt(sock, option, &value, sizeof value) == 0);
}

void carnet_net_socket_set(const struct carnet_net *net, void *sock, bool ipv6, uint64_t thread)
{
    int64_t maxmsgsize = CARNET_FRAME_LEN_MAX + CARNET_NET_CURVE_LEN; /* enforced on what is on the wire */
    int heartbeat = (int)net->options.heartbeat_ms;
    CARNET_ASSERT(zmq_setsockopt(sock, ZMQ_AFFINITY, &thread, sizeof thread) == 0);
    CARNET_ASSERT(zmq_setsockopt(sock, ZMQ_MAXMSGSIZE, &maxmsgsize, sizeof maxmsgsize) == 0);
    carnet_net_socket_int(sock, ZMQ_LINGER, CARNET_NET_LINGER_MS);
    carnet_net_socket_int(sock, ZMQ_HANDSHAKE_IVL, CARNET_NET_HANDSHAKE_MS);
    carnet_net_socket_int(sock, ZMQ_SNDHWM, CARNET_NET_QUEUE_LEN);
    carnet_net_socket_int(sock, ZMQ_RCVHWM, CARNET_NET_QUEUE_LEN);
    carnet_net_socket_int(sock, ZMQ_HEARTBEAT_IVL, heartbeat);
    carnet_net_socket_int(sock, ZMQ_HEARTBEAT_TIMEOUT, 3 * heartbeat);
    carnet_net_socket_int(sock, ZMQ_HEARTBEAT_TTL, 3 * heartbeat);
    carnet_net_socket_int(sock, ZMQ_TCP_MAXRT, 3 * heartbeat);
    carnet_net_socket_int(sock, ZMQ_IPV6, ipv6);
}

bool carnet_net_part(void *sock, zmq_msg_t *message)
{
    int got;
    do
        got = zmq_msg_recv(message, sock, ZMQ_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got >= 0;
}

bool carnet_net_single(void *sock, zmq_msg_t *message)
{
    bool more = zmq_msg_more(message), single = !more;
    while (more) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        more = carnet_net_part(sock, &part) && zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
    return single;
}

uint64_t carnet_net_wire_bytes(const zmq_msg_t *message)
{
    size_t len = zmq_msg_size(message) + CARNET_NET_CURVE_LEN;
    return len + (len > 255 ? 9 : 2); /* a short or long frame around it (ZeroMQ RFC 23) */
}

bool carnet_net_greeting_is(const zmq_msg_t *message)
{
    size_t len = sizeof CARNET_NET_GREETING - 1;
    return zmq_msg_size(message) == len && memcmp(zmq_msg_data((zmq_msg_t *)(uintptr_t)message), CARNET_NET_GREETING, len) == 0;
}

void *carnet_net_monitor_open(struct carnet_net *net, void *sock, int events)
{
    struct carnet_buf name;
    carnet_buf_init(&name, 64);
    carnet_buf_printf(&name, "inproc://carnet-monitor-%llu", (unsigned long long)++net->monitor_last);
    void *monitor = NULL;
    if (zmq_socket_monitor(sock, carnet_buf_cstr(&name), events) == 0 && (monitor = zmq_socket(net->ctx, ZMQ_PAIR))) {
        carnet_net_socket_int(monitor, ZMQ_LINGER, 0);
        carnet_net_socket_int(monitor, ZMQ_RCVHWM, 0); /* else a full queue would stop libzmq's input thread */
        if (zmq_connect(monitor, carnet_buf_cstr(&name)) != 0) {
            zmq_close(monitor);
            monitor = NULL;
        }
    }
    carnet_buf_deinit(&name);
    return monitor;
}

bool carnet_net_monitor_read(void *monitor, int *event, int *value)
{
    zmq_msg_t part;
    uint16_t kind = 0;
    uint32_t number = 0;
    zmq_msg_init(&part);
    bool got = monitor && carnet_net_part(monitor, &part);
    if (got) {
        const uint8_t *data = zmq_msg_data(&part);
        if (zmq_msg_size(&part) >= sizeof kind + sizeof number) {
            memcpy(&kind, data, sizeof kind);
            memcpy(&number, data + sizeof kind, sizeof number);
        }
        carnet_net_single(monitor, &part);
    }
    zmq_msg_close(&part);
    *event = kind;
    *value = (int)number;
    return got;
}

void carnet_net_shut(int fd)
{
    /* libzmq may have closed it meanwhile, and something else of this process may have its number: only TCP is ended, and a peer hit by
     * mistake comes again. */
    int protocol = 0;
    socklen_t len = sizeof protocol;
    if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 && protocol == IPPROTO_TCP)
        shutdown(fd, SHUT_RDWR);
}

carnet_rc carnet_net_new(const struct carnet_net_options *options, struct carnet_net **out, struct carnet_err *err)
{
    struct carnet_net *net = carnet_alloc(sizeof *net);
    struct rlimit files = { .rlim_cur = 1024 };
    *out = NULL;
    net->options = *options;
    net->clock = carnet_clock_system();
    net->rng = carnet_rng_system();
    if (!net->options.links_max)
        net->options.links_max = LINKS_DEFAULT;
    if (!net->options.heartbeat_ms)
        net->options.heartbeat_ms = HEARTBEAT_DEFAULT_MS;
    getrlimit(RLIMIT_NOFILE, &files);
    /* descriptors must be left for the database, the commands and our own links: without any, accepting spins */
    net->conn_max = net->options.links_max + LINKS_DEFAULT;
    if (net->conn_max > files.rlim_cur / 2)
        net->conn_max = (size_t)files.rlim_cur / 2;
    zmq_msg_init(&net->frame);
    net->ctx = zmq_ctx_new();
    if (net->ctx) {
        zmq_ctx_set(net->ctx, ZMQ_IO_THREADS, 2);
        zmq_ctx_set(net->ctx, ZMQ_MAX_SOCKETS, (int)(net->options.links_max * 4 + 64));
    }
    if (!net->ctx || carnet_net_zap_open(net)) {
        carnet_rc rc = carnet_err_set(err, CARNET_FAILED, "cannot open the network: %s", carnet_errno_text(carnet_err_lang(err), errno));
        carnet_net_free(net);
        return rc;
    }
    *out = net;
    return CARNET_OK;
}

void carnet_net_free(struct carnet_net *net)
{
    if (!net)
        return;
    zmq_msg_close(&net->frame);
    while (net->link_count) {
        carnet_net_outbound_stop(net->links[0]);
        carnet_net_link_free(net, net->links[0]);
    }
    if (net->router) {
        zmq_socket_monitor(net->router, NULL, 0);
        zmq_close(net->router);
    }
    if (net->router_monitor)
        zmq_close(net->router_monitor);
    if (net->zap)
        zmq_close(net->zap);
    if (net->ctx)
        while (zmq_ctx_term(net->ctx) != 0 && errno == EINTR)
            ;
    free(net->links);
    free(net->conns);
    free(net->events);
    free(net->items);
    carnet_wipe(net, sizeof *net);
    free(net);
}

static carnet_rc bad_address(const char *address, struct carnet_err *err)
{
    carnet_err_set(err, CARNET_USAGE, "not an address: %s", address);
    carnet_err_hint(err, "write it as tcp://host:port");
    return CARNET_USAGE;
}

carnet_rc carnet_net_listen(struct carnet_net *net, const char *address, char bound[CARNET_NET_ADDRESS_LEN_MAX + 1], struct carnet_err *err)
{
    bool literal;
    size_t len = CARNET_NET_ADDRESS_LEN_MAX + 1;
    CARNET_ASSERT(!net->router);
    if (!carnet_net_address_check(address, true))
        return bad_address(address, err);
    void *router = zmq_socket(net->ctx, ZMQ_ROUTER);
    if (!router)
        return carnet_err_set(err, CARNET_FAILED, "cannot open the network: %s", carnet_errno_text(carnet_err_lang(err), errno));
    carnet_net_socket_set(net, router, carnet_net_address_ipv6(address, &literal), CARNET_NET_THREAD_IN);
    carnet_net_socket_int(router, ZMQ_ROUTER_MANDATORY, 1);
    carnet_net_socket_int(router, ZMQ_BACKLOG, 512);
    carnet_net_socket_int(router, ZMQ_CURVE_SERVER, 1);
    carnet_net_socket_int(router, OPTION_ZAP_ENFORCE_DOMAIN, 1);
    CARNET_ASSERT(zmq_setsockopt(router, ZMQ_ZAP_DOMAIN, CARNET_NET_ZAP_DOMAIN, sizeof CARNET_NET_ZAP_DOMAIN - 1) == 0);
    CARNET_ASSERT(zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, net->options.sk.b, sizeof net->options.sk.b) == 0);
    net->router_monitor = carnet_net_monitor_open(net, router, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED);
    if (!net->router_monitor || zmq_bind(router, address) != 0 || zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, bound, &len) != 0) {
        carnet_rc rc = carnet_err_set(err, CARNET_FAILED, "cannot listen on %s: %s", address, carnet_errno_text(carnet_err_lang(err), errno));
        zmq_socket_monitor(router, NULL, 0);
        zmq_close(router);
        if (net->router_monitor)
            zmq_close(net->router_monitor);
        net->router_monitor = NULL;
        return rc;
    }
    net->router = router;
    return CARNET_OK;
}

carnet_rc carnet_net_connect(struct carnet_net *net, const char *address, const struct carnet_box_pk *server, const struct carnet_box_pk *pk,
                             const struct carnet_box_sk *sk, uint64_t *link, struct carnet_err *err)
{
    if (!carnet_net_address_check(address, false))
        return bad_address(address, err);
    if (net->link_count >= net->options.links_max)
        return carnet_err_set(err, CARNET_LIMIT, "too many links to peers: %zu", net->link_count);
    struct carnet_net_link *made = carnet_net_link_new(net);
    made->connector = true;
    made->peer = *server;
    made->pk = pk ? *pk : net->options.pk;
    made->sk = sk ? *sk : net->options.sk;
    memcpy(made->address, address, strlen(address) + 1);
    made->retry_ms = carnet_net_now(net);
    *link = made->id;
    return CARNET_OK;
}

void carnet_net_retry(struct carnet_net *net, uint64_t link)
{
    struct carnet_net_link *found = carnet_net_link_find(net, link);
    if (found && found->connector && !found->sock)
        found->retry_ms = carnet_net_now(net);
}

carnet_rc carnet_net_send(struct carnet_net *net, uint64_t link, struct carnet_slice frame)
{
    struct carnet_net_link *found = carnet_net_link_find(net, link);
    CARNET_ASSERT(frame.len > 0 && frame.len <= CARNET_FRAME_LEN_MAX);
    if (!found)
        return CARNET_NOT_FOUND;
    return found->connector ? carnet_net_outbound_send(found, frame) : carnet_net_inbound_send(net, found, frame);
}

void carnet_net_close(struct carnet_net *net, uint64_t link)
{
    struct carnet_net_link *found = carnet_net_link_find(net, link);
    if (!found)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < net->event_count; i++)
        if (net->events[net->event_first + i].link != link)
            net->events[net->event_first + kept++] = net->events[net->event_first + i];
    net->event_count = kept;
    if (found->connector) {
        carnet_net_outbound_stop(found);
        carnet_net_link_free(net, found);
    } else {
        carnet_net_inbound_close(net, found);
    }
}

/* When something here is due, whatever comes. */
static int64_t due_ms(const struct carnet_net *net, int64_t now)
{
    int64_t due = INT64_MAX;
    if (net->event_count || net->router_readable)
        return now;
    if (net->conn_open)
        due = net->audit_ms + CARNET_NET_AUDIT_MS;
    for (size_t i = 0; i < net->link_count; i++) {
        const struct carnet_net_link *link = net->links[i];
        int64_t at = link->connector ? carnet_net_outbound_due(link) : INT64_MAX;
        if (link->connector && link->up && at > net->audit_ms + CARNET_NET_AUDIT_MS)
            at = net->audit_ms + CARNET_NET_AUDIT_MS;
        if (link->gone)
            at = now;
        if (link->blocked && !link->connector && at > now + CARNET_NET_BLOCKED_MS)
            at = now + CARNET_NET_BLOCKED_MS;
        if (at < due)
            due = at;
    }
    return due;
}

static void item_add(struct carnet_net *net, size_t *count, void *sock, int fd, short events)
{
    CARNET_GROW(net->items, *count, net->item_cap);
    net->items[(*count)++] = (zmq_pollitem_t){ .socket = sock, .fd = fd, .events = events };
}

static size_t items_fill(struct carnet_net *net, const int *fds, const short *events, size_t fd_count)
{
    size_t count = 0;
    for (size_t i = 0; i < fd_count; i++) {
        short wanted = events ? events[i] : POLLIN;
        item_add(net, &count, NULL, fds[i], (short)((wanted & POLLIN ? ZMQ_POLLIN : 0) | (wanted & POLLOUT ? ZMQ_POLLOUT : 0) | ZMQ_POLLERR));
    }
    item_add(net, &count, net->zap, 0, ZMQ_POLLIN);
    if (net->router) {
        item_add(net, &count, net->router, 0, ZMQ_POLLIN);
        item_add(net, &count, net->router_monitor, 0, ZMQ_POLLIN);
    }
    for (size_t i = 0; i < net->link_count; i++) {
        const struct carnet_net_link *link = net->links[i];
        if (!link->connector || !link->sock || !link->monitor)
            continue;
        item_add(net, &count, link->sock, 0, (short)(ZMQ_POLLIN | (link->blocked ? ZMQ_POLLOUT : 0)));
        item_add(net, &count, link->monitor, 0, ZMQ_POLLIN);
    }
    return count;
}

static void items_read(struct carnet_net *net, bool *ready, size_t fd_count)
{
    const zmq_pollitem_t *item = net->items;
    for (size_t i = 0; i < fd_count; i++)
        ready[i] = (item++)->revents != 0;
    bool asked = (item++)->revents != 0;
    if (net->router) {
        net->router_readable |= (item++)->revents != 0;
        net->router_monitor_readable |= (item++)->revents != 0;
    }
    for (size_t i = 0; i < net->link_count; i++) {
        struct carnet_net_link *link = net->links[i];
        if (!link->connector || !link->sock || !link->monitor)
            continue;
        link->readable |= ((item++)->revents & ZMQ_POLLIN) != 0;
        link->monitor_readable |= (item++)->revents != 0;
    }
    if (asked)
        carnet_net_zap_serve(net);
}

carnet_rc carnet_net_wait(struct carnet_net *net, const int *fds, const short *events, bool *ready, size_t fd_count, int64_t timeout_ms, struct carnet_err *err)
{
    net->round_frames = 0;
    for (size_t i = 0; i < fd_count; i++)
        ready[i] = false;
    for (size_t i = 0; i < net->link_count; i++)
        if (net->links[i]->connector)
            carnet_net_outbound_step(net, net->links[i]);
    int64_t now = carnet_net_now(net), due = due_ms(net, now);
    if (due != INT64_MAX && (timeout_ms < 0 || due - now < timeout_ms))
        timeout_ms = due > now ? due - now : 0;
    size_t count = items_fill(net, fds, events, fd_count);
    int got = zmq_poll(net->items, (int)count, timeout_ms < 0 ? -1 : (long)timeout_ms);
    if (got < 0 && errno == EINTR)
        return CARNET_OK;
    if (got < 0)
        return carnet_err_set(err, CARNET_FAILED, "cannot wait for the network: %s", carnet_errno_text(carnet_err_lang(err), errno));
    items_read(net, ready, fd_count);
    if (net->router_monitor_readable)
        carnet_net_inbound_monitor(net);
    now = carnet_net_now(net);
    if (now - net->audit_ms >= CARNET_NET_AUDIT_MS) {
        net->audit_ms = now;
        carnet_net_inbound_sweep(net);
    }
    return CARNET_OK;
}

static bool pop(struct carnet_net *net, struct carnet_net_event *out)
{
    if (!net->event_count)
        return false;
    *out = net->events[net->event_first++];
    if (!--net->event_count)
        net->event_first = 0;
    return true;
}

bool carnet_net_next(struct carnet_net *net, struct carnet_net_event *out)
{
    zmq_msg_close(&net->frame);
    zmq_msg_init(&net->frame);
    if (pop(net, out))
        return true;
    if (net->router && carnet_net_inbound_next(net, out))
        return true;
    for (size_t i = 0; i < net->link_count && !net->event_count; i++) {
        struct carnet_net_link *link = net->links[(net->turn + i) % net->link_count];
        if (link->connector && carnet_net_outbound_next(net, link, out)) {
            net->turn = (net->turn + i + 1) % net->link_count;
            return true;
        }
    }
    /* every frame of a peer that left was given out, or there are so many that some are lost with its link */
    if (!net->event_count && (!net->router_readable || net->round_frames >= CARNET_NET_ROUND_FRAMES))
        carnet_net_inbound_endings(net);
    return pop(net, out);
}
