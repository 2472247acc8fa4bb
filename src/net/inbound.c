// SPDX-License-Identifier: EUPL-1.2
/* The listener: a ROUTER. It tells nobody when a peer is gone, so links are tied to descriptors, whose life its monitor tells: a message names the
 * descriptor that it came through, the first one (the greeting) makes the link. */
#include "net_private.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct carnet_net_conn *conn_at(struct carnet_net *net, int fd)
{
    return fd >= 0 && (size_t)fd < net->conn_count && net->conns[fd].open ? &net->conns[fd] : NULL;
}

/* The link's connection is not its own any more. */
static void detach(struct carnet_net *net, struct carnet_net_link *link)
{
    struct carnet_net_conn *conn = conn_at(net, link->fd);
    if (conn && conn->link == link->id)
        conn->link = 0;
    link->fd = -1;
}

static void conn_gone(struct carnet_net *net, int fd)
{
    struct carnet_net_conn *conn = conn_at(net, fd);
    if (!conn)
        return;
    struct carnet_net_link *link = carnet_net_link_find(net, conn->link);
    if (link) {
        link->gone = true; /* its last frames may still be unread */
        link->fd = -1;
    }
    *conn = (struct carnet_net_conn){ 0 };
    net->conn_open--;
}

/* Somebody who has not proved anything makes room. */
static void make_room(struct carnet_net *net)
{
    size_t oldest = 0;
    bool found = false;
    for (size_t i = 0; i < net->conn_count; i++)
        if (net->conns[i].open && !net->conns[i].link && (!found || net->conns[i].since_ms < net->conns[oldest].since_ms)) {
            oldest = i;
            found = true;
        }
    if (found) {
        carnet_net_shut((int)oldest);
        conn_gone(net, (int)oldest);
    }
}

static void conn_new(struct carnet_net *net, int fd)
{
    if (fd < 0)
        return;
    conn_gone(net, fd); /* the descriptor was closed and given again */
    if (net->conn_open >= net->conn_max)
        make_room(net);
    if ((size_t)fd >= net->conn_count) {
        size_t count = (size_t)fd + 64;
        net->conns = carnet_realloc(net->conns, count, sizeof *net->conns);
        memset(net->conns + net->conn_count, 0, (count - net->conn_count) * sizeof *net->conns);
        net->conn_count = count;
    }
    net->conns[fd] = (struct carnet_net_conn){ .open = true, .since_ms = carnet_net_now(net) };
    net->conn_open++;
}

void carnet_net_inbound_monitor(struct carnet_net *net)
{
    int event, value;
    net->router_monitor_readable = false;
    while (carnet_net_monitor_read(net->router_monitor, &event, &value)) {
        if (event == ZMQ_EVENT_ACCEPTED)
            conn_new(net, value);
        else if (event == ZMQ_EVENT_DISCONNECTED)
            conn_gone(net, value);
    }
}

static struct carnet_net_link *find_routed(struct carnet_net *net, const zmq_msg_t *id)
{
    size_t len = zmq_msg_size(id);
    for (size_t i = 0; i < net->link_count; i++) {
        struct carnet_net_link *link = net->links[i];
        if (!link->connector && link->routing_len == len && memcmp(link->routing, zmq_msg_data((zmq_msg_t *)(uintptr_t)id), len) == 0)
            return link;
    }
    return NULL;
}

static void end(struct carnet_net *net, struct carnet_net_link *link)
{
    carnet_net_push(net, CARNET_NET_DOWN, link);
    detach(net, link);
    carnet_net_link_free(net, link);
}

static void end_with_goodbye(struct carnet_net *net, struct carnet_net_link *link)
{
    carnet_net_push(net, CARNET_NET_DOWN, link);
    carnet_net_inbound_close(net, link);
}

/* A key has a few links at most; a peer that lost one without our noticing must get in again, so the oldest goes. */
static void make_room_for_key(struct carnet_net *net, const struct carnet_box_pk *key)
{
    struct carnet_net_link *oldest = NULL;
    size_t count = 0;
    for (size_t i = 0; i < net->link_count; i++) {
        struct carnet_net_link *link = net->links[i];
        if (link->connector || memcmp(link->peer.b, key->b, sizeof key->b) != 0)
            continue;
        count++;
        if (!oldest || link->id < oldest->id)
            oldest = link;
    }
    if (count >= CARNET_NET_KEY_LINKS_MAX)
        end_with_goodbye(net, oldest);
}

static void goodbye(struct carnet_net *net, const void *routing, size_t len)
{
    if (zmq_send(net->router, routing, len, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(net->router, "", 0, ZMQ_DONTWAIT);
}

static void greeted(struct carnet_net *net, zmq_msg_t *id, const struct carnet_box_pk *peer, int fd)
{
    carnet_net_inbound_monitor(net); /* what it knows is now at least as new as the message */
    struct carnet_net_conn *conn = conn_at(net, fd);
    struct carnet_net_link *old = find_routed(net, id);
    if (old)
        end(net, old);
    if (!conn)
        return;
    old = carnet_net_link_find(net, conn->link);
    if (old)
        end(net, old);
    make_room_for_key(net, peer);
    if (net->link_count >= net->options.links_max || !net->options.admit(net->options.ctx, peer)) {
        goodbye(net, zmq_msg_data(id), zmq_msg_size(id));
        return;
    }
    struct carnet_net_link *link = carnet_net_link_new(net);
    link->peer = *peer;
    link->up = true;
    link->fd = fd;
    link->routing_len = zmq_msg_size(id);
    memcpy(link->routing, zmq_msg_data(id), link->routing_len);
    conn->link = link->id;
    carnet_net_push(net, CARNET_NET_UP, link);
}

/* The key that ZAP answered for the message's connection. */
static bool user_of(const zmq_msg_t *body, struct carnet_box_pk *out)
{
    const char *user = zmq_msg_gets(body, "User-Id");
    return user && carnet_unhex(carnet_slice_str(user), out->b, sizeof out->b);
}

/* One message: true when its frame is for the caller. */
static bool take(struct carnet_net *net, zmq_msg_t *id, bool single, struct carnet_net_event *out)
{
    struct carnet_box_pk peer;
    zmq_msg_t *body = &net->frame;
    if (!user_of(body, &peer) || zmq_msg_size(id) > sizeof(((struct carnet_net_link *)0)->routing))
        return false;
    struct carnet_net_link *link = find_routed(net, id);
    if (link && memcmp(link->peer.b, peer.b, sizeof peer.b) != 0) {
        end(net, link); /* another peer chose the same routing id, once this one's connection was gone */
        link = NULL;
    }
    if (single && carnet_net_greeting_is(body)) {
        greeted(net, id, &peer, zmq_msg_get(body, ZMQ_SRCFD));
        return false;
    }
    if (!link)
        return false;
    if (!single || !net->options.admit(net->options.ctx, &peer)) {
        end_with_goodbye(net, link);
        return false;
    }
    if (!zmq_msg_size(body))
        return false;
    link->read_bytes += carnet_net_wire_bytes(body);
    *out = (struct carnet_net_event){ .type = CARNET_NET_FRAME, .link = link->id, .peer = link->peer,
                                      .frame = carnet_slice(zmq_msg_data(body), zmq_msg_size(body)) };
    return true;
}

bool carnet_net_inbound_next(struct carnet_net *net, struct carnet_net_event *out)
{
    bool given = false;
    while (net->router_readable && !given && !net->event_count && net->round_frames < CARNET_NET_ROUND_FRAMES) {
        zmq_msg_t id;
        zmq_msg_init(&id);
        if (!carnet_net_part(net->router, &id)) {
            net->router_readable = false;
        } else if (zmq_msg_more(&id) && carnet_net_part(net->router, &net->frame)) {
            net->round_frames++;
            given = take(net, &id, carnet_net_single(net->router, &net->frame), out);
        }
        zmq_msg_close(&id);
    }
    return given;
}

void carnet_net_inbound_endings(struct carnet_net *net)
{
    for (size_t i = net->link_count; i-- > 0;)
        if (net->links[i]->gone)
            end(net, net->links[i]);
}

/* A message of endless parts never reaches a reader, and libzmq keeps all of it: the bytes that the kernel received tell. */
static bool swollen(struct carnet_net_link *link)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    memset(&info, 0, sizeof info);
    if (link->fd < 0 || getsockopt(link->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return false;
    link->read_bytes += 64; /* heartbeats */
    if (link->read_bytes > info.tcpi_bytes_received)
        link->read_bytes = info.tcpi_bytes_received;
    return info.tcpi_bytes_received - link->read_bytes > CARNET_NET_UNREAD_MAX;
}

void carnet_net_inbound_sweep(struct carnet_net *net)
{
    int64_t now = carnet_net_now(net);
    for (size_t i = 0; i < net->link_count; i++)
        if (swollen(net->links[i]))
            carnet_net_shut(net->links[i]->fd);
    for (size_t i = 0; net->conn_open && i < net->conn_count; i++) {
        struct carnet_net_conn *conn = &net->conns[i];
        if (conn->open && !conn->link && now - conn->since_ms >= CARNET_NET_GREETING_MS) {
            carnet_net_shut((int)i);
            conn->since_ms = now;
        }
    }
}

carnet_rc carnet_net_inbound_send(struct carnet_net *net, struct carnet_net_link *link, struct carnet_slice frame)
{
    if (link->gone)
        return CARNET_NOT_FOUND;
    int sent = zmq_send(net->router, link->routing, link->routing_len, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    if (sent >= 0)
        sent = zmq_send(net->router, frame.ptr, frame.len, ZMQ_DONTWAIT);
    link->blocked = sent < 0 && errno == EAGAIN;
    if (sent >= 0)
        return CARNET_OK;
    if (link->blocked)
        return CARNET_AGAIN;
    link->gone = true;
    return CARNET_NOT_FOUND;
}

void carnet_net_inbound_close(struct carnet_net *net, struct carnet_net_link *link)
{
    struct carnet_net_conn *conn = conn_at(net, link->fd);
    if (!link->gone)
        goodbye(net, link->routing, link->routing_len);
    if (conn && conn->link == link->id)
        conn->since_ms = carnet_net_now(net) - CARNET_NET_GREETING_MS + CARNET_NET_GOODBYE_MS;
    detach(net, link);
    carnet_net_link_free(net, link);
}
