// SPDX-License-Identifier: EUPL-1.2
/* The ZAP handler (ZeroMQ RFC 27): libzmq's input threads ask it about each client key. A REP socket of ours, there before any bind. */
#include "net_private.h"

#include <errno.h>
#include <string.h>

enum { ZAP_ROUND = 64, ZAP_FRAMES = 7, ZAP_FRAME_LEN_MAX = 255 };

struct zap_request {
    uint8_t frames[ZAP_FRAMES][ZAP_FRAME_LEN_MAX]; /* version, request id, domain, address, routing id, mechanism, credentials */
    size_t lens[ZAP_FRAMES];
};

carnet_rc carnet_net_zap_open(struct carnet_net *net)
{
    net->zap = zmq_socket(net->ctx, ZMQ_REP);
    if (!net->zap)
        return CARNET_FAILED;
    carnet_net_socket_int(net->zap, ZMQ_LINGER, 0);
    return zmq_bind(net->zap, "inproc://zeromq.zap.01") == 0 ? CARNET_OK : CARNET_FAILED;
}

/* false: there is none. *whole: it had the seven frames, none too long. */
static bool request_read(void *zap, struct zap_request *out, bool *whole)
{
    zmq_msg_t part;
    size_t count = 0;
    bool more = true;
    *whole = true;
    while (more) {
        zmq_msg_init(&part);
        if (!carnet_net_part(zap, &part)) {
            zmq_msg_close(&part);
            return false;
        }
        more = zmq_msg_more(&part);
        size_t len = zmq_msg_size(&part);
        if (count < ZAP_FRAMES && len <= ZAP_FRAME_LEN_MAX) {
            memcpy(out->frames[count], zmq_msg_data(&part), len);
            out->lens[count] = len;
        } else {
            *whole = false;
        }
        count++;
        zmq_msg_close(&part);
    }
    *whole = *whole && count == ZAP_FRAMES;
    return true;
}

static bool frame_is(const struct zap_request *request, size_t i, const char *text)
{
    return carnet_slice_equal(carnet_slice(request->frames[i], request->lens[i]), carnet_slice_str(text));
}

static const char *judge(struct carnet_net *net, const struct zap_request *request, bool whole, char user[65])
{
    struct carnet_box_pk client;
    if (!whole || !frame_is(request, 0, "1.0") || !frame_is(request, 2, CARNET_NET_ZAP_DOMAIN) || !frame_is(request, 5, "CURVE") ||
        request->lens[6] != sizeof client.b)
        return "400";
    memcpy(client.b, request->frames[6], sizeof client.b);
    if (!net->options.admit(net->options.ctx, &client))
        return "400";
    if (net->link_count >= net->options.links_max)
        return "500";
    carnet_hex(client.b, sizeof client.b, user);
    return "200";
}

static void answer(void *zap, const struct zap_request *request, const char *status, const char *user)
{
    /* The requester may be gone: then nobody reads it. */
    zmq_send(zap, "1.0", 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(zap, request->frames[1], request->lens[1], ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(zap, status, 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(zap, "", 0, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(zap, user, strlen(user), ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(zap, "", 0, ZMQ_DONTWAIT);
}

void carnet_net_zap_serve(struct carnet_net *net)
{
    struct zap_request request;
    bool whole;
    for (unsigned i = 0; i < ZAP_ROUND; i++) {
        char user[65] = "";
        memset(&request, 0, sizeof request);
        if (!request_read(net->zap, &request, &whole))
            return;
        const char *status = judge(net, &request, whole, user);
        answer(net->zap, &request, status, user);
    }
}
