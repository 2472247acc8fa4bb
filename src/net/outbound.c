// SPDX-License-Identifier: EUPL-1.2
/* Links that this side connects: a DEALER each, a new one for each attempt (libzmq does not try again after a refusal, and a new socket holds no
 * frame of the link before). Its monitor tells how the attempt went. */
#include "net_private.h"

#include <errno.h>
#include <string.h>

static void schedule(struct carnet_net *net, struct carnet_net_link *link)
{
    int64_t now = carnet_net_now(net);
    if (link->up && now - link->up_ms >= CARNET_NET_STABLE_MS)
        link->tries = 0;
    int64_t pause = CARNET_NET_RETRY_MS << (link->tries < 7 ? link->tries : 7);
    if (pause > CARNET_NET_RETRY_MS_MAX)
        pause = CARNET_NET_RETRY_MS_MAX;
    /* from half to once and a half, so that peers that lost the same node do not come back together */
    link->retry_ms = now + pause / 2 + (int64_t)carnet_rng_below(&net->rng, (uint64_t)pause);
    link->tries++;
}

void carnet_net_outbound_stop(struct carnet_net_link *link)
{
    if (link->sock) {
        zmq_socket_monitor(link->sock, NULL, 0);
        zmq_close(link->sock);
    }
    if (link->monitor)
        zmq_close(link->monitor);
    link->sock = link->monitor = NULL;
    link->fd = -1;
    link->up = link->blocked = link->readable = link->monitor_readable = link->greeted = link->shaken = link->over = false;
}

static void attempt(struct carnet_net *net, struct carnet_net_link *link)
{
    bool literal, ipv6 = carnet_net_address_ipv6(link->address, &literal);
    link->began_ms = link->connected_ms = carnet_net_now(net);
    link->read_bytes = 0;
    link->failure = CARNET_NET_UNREACHABLE;
    link->sock = zmq_socket(net->ctx, ZMQ_DEALER);
    if (!link->sock) {
        link->over = true;
        return;
    }
    /* a name may have addresses of both kinds, and only one that works */
    carnet_net_socket_set(net, link->sock, literal ? ipv6 : link->tries % 2 == 1, CARNET_NET_THREAD_OUT);
    carnet_net_socket_int(link->sock, ZMQ_RECONNECT_IVL, -1);
    carnet_net_socket_int(link->sock, ZMQ_IMMEDIATE, 1);
    zmq_setsockopt(link->sock, ZMQ_CURVE_SERVERKEY, link->peer.b, sizeof link->peer.b);
    zmq_setsockopt(link->sock, ZMQ_CURVE_PUBLICKEY, link->pk.b, sizeof link->pk.b);
    zmq_setsockopt(link->sock, ZMQ_CURVE_SECRETKEY, link->sk.b, sizeof link->sk.b);
    link->monitor = carnet_net_monitor_open(net, link->sock,
                                            ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                                                ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                                                ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
    link->over = !link->monitor || zmq_connect(link->sock, link->address) != 0;
}

static void fail(struct carnet_net_link *link, enum carnet_net_failure failure)
{
    if (!link->over)
        link->failure = failure;
    link->over = true;
    link->readable = true; /* what came before is read first */
}

static void watch(struct carnet_net *net, struct carnet_net_link *link)
{
    int event, value;
    link->monitor_readable = false;
    while (carnet_net_monitor_read(link->monitor, &event, &value)) {
        switch (event) {
        case ZMQ_EVENT_CONNECTED:
            link->fd = value;
            link->connected_ms = carnet_net_now(net);
            break;
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            link->shaken = true;
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            fail(link, value == 400 ? CARNET_NET_REFUSED : CARNET_NET_CROWDED);
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            fail(link, CARNET_NET_OTHER_KEY);
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            /* hung up on (what a server does with a greeting that its key does not open), or silence until the end of the time */
            fail(link, carnet_net_now(net) - link->connected_ms >= CARNET_NET_HANDSHAKE_MS - 200 ? CARNET_NET_UNREACHABLE : CARNET_NET_OTHER_KEY);
            break;
        case ZMQ_EVENT_CLOSED:
        case ZMQ_EVENT_DISCONNECTED:
            link->fd = -1;
            fail(link, CARNET_NET_UNREACHABLE);
            break;
        default:
            break;
        }
    }
}

static void greet(struct carnet_net_link *link)
{
    if (!link->greeted)
        link->greeted = zmq_send(link->sock, CARNET_NET_GREETING, sizeof CARNET_NET_GREETING - 1, ZMQ_DONTWAIT) >= 0;
}

void carnet_net_outbound_step(struct carnet_net *net, struct carnet_net_link *link)
{
    int64_t now = carnet_net_now(net);
    if (!link->sock && !link->over && now >= link->retry_ms)
        attempt(net, link);
    else if (link->sock && !link->up && now - link->began_ms >= CARNET_NET_ATTEMPT_MS)
        fail(link, CARNET_NET_UNREACHABLE);
    else if (link->up)
        greet(link);
}

int64_t carnet_net_outbound_due(const struct carnet_net_link *link)
{
    if (!link->sock)
        return link->over ? 0 : link->retry_ms;
    if (link->over || link->readable || link->monitor_readable)
        return 0;
    if (!link->up)
        return link->shaken ? 0 : link->began_ms + CARNET_NET_ATTEMPT_MS;
    return link->greeted ? INT64_MAX : link->up_ms;
}

/* One message of an open link: true when its frame is for the caller. */
static bool take(struct carnet_net *net, struct carnet_net_link *link, struct carnet_net_event *out)
{
    while (link->readable && net->round_frames < CARNET_NET_ROUND_FRAMES) {
        if (!carnet_net_part(link->sock, &net->frame)) {
            link->readable = false;
            break;
        }
        net->round_frames++;
        bool single = carnet_net_single(link->sock, &net->frame);
        if (!single || !zmq_msg_size(&net->frame)) {
            /* a goodbye, or what no peer of ours sends */
            link->over = true;
            link->readable = false;
            break;
        }
        link->read_bytes += carnet_net_wire_bytes(&net->frame);
        *out = (struct carnet_net_event){ .type = CARNET_NET_FRAME, .link = link->id, .peer = link->peer, .connector = true,
                                          .frame = carnet_slice(zmq_msg_data(&net->frame), zmq_msg_size(&net->frame)) };
        return true;
    }
    return false;
}

bool carnet_net_outbound_next(struct carnet_net *net, struct carnet_net_link *link, struct carnet_net_event *out)
{
    if (link->monitor_readable)
        watch(net, link);
    if (link->shaken && !link->up) {
        link->up = true;
        link->up_ms = carnet_net_now(net);
        greet(link);
        carnet_net_push(net, CARNET_NET_UP, link);
        return false;
    }
    if (link->up && take(net, link, out))
        return true;
    if (link->over && !(link->up && link->readable)) {
        carnet_net_push(net, link->up ? CARNET_NET_DOWN : CARNET_NET_FAILED, link);
        schedule(net, link);
        carnet_net_outbound_stop(link);
    }
    return false;
}

carnet_rc carnet_net_outbound_send(struct carnet_net_link *link, struct carnet_slice frame)
{
    if (!link->up || link->over)
        return CARNET_NOT_FOUND;
    greet(link);
    bool sent = link->greeted && zmq_send(link->sock, frame.ptr, frame.len, ZMQ_DONTWAIT) >= 0;
    link->blocked = !sent;
    if (sent)
        return CARNET_OK;
    return link->greeted && errno != EAGAIN ? CARNET_NOT_FOUND : CARNET_AGAIN;
}
