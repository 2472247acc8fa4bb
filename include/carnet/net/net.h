// SPDX-License-Identifier: EUPL-1.2
/* net: links to peers over ZeroMQ (TCP, CURVE). Layer: net; the only zmq.h; knows keys and frames, not what they mean. One thread, one context.
 *
 * A listener is a ROUTER, a connection a DEALER; CURVE both ways, the server's key pinned. A ZAP handler, there before any bind, asks `admit` for each
 * client key. Peers never choose their routing ids. Settings: PLATFORM section 4. */
#ifndef CARNET_NET_NET_H
#define CARNET_NET_NET_H

#include "carnet/crypto/crypto.h"

struct carnet_net;
enum carnet_net_event_type { CARNET_NET_UP, CARNET_NET_FRAME, CARNET_NET_DOWN };
struct carnet_net_event {
    enum carnet_net_event_type type;
    uint64_t link;                 /* a number given once, never again */
    struct carnet_box_pk peer;     /* the other side's transport key, proved by CURVE */
    bool connector;                /* this side connected */
    struct carnet_slice frame;     /* valid until the next call */
};
struct carnet_net_options {
    struct carnet_box_pk pk;
    struct carnet_box_sk sk;
    bool (*admit)(void *ctx, const struct carnet_box_pk *client); /* may this key open a link at all? */
    void *ctx;
    size_t links_max;              /* 0: 512 */
};
CARNET_MUST_USE carnet_rc carnet_net_new(const struct carnet_net_options *options, struct carnet_net **out, struct carnet_err *err);
void carnet_net_free(struct carnet_net *net);
/* Binds "tcp://A:P" (P 0: any). Gives the address with its port. May be called once. */
CARNET_MUST_USE carnet_rc carnet_net_listen(struct carnet_net *net, const char *address, char bound[96], struct carnet_err *err);
/* Connects; reconnects by itself with growing pauses until closed. UP comes when CURVE is through and the first frame may be sent. pk, sk: another client
 * pair than the node's own (an invitation's one-time key), or NULL. USAGE: not an address. */
CARNET_MUST_USE carnet_rc carnet_net_connect(struct carnet_net *net, const char *address, const struct carnet_box_pk *server, const struct carnet_box_pk *pk,
                                             const struct carnet_box_sk *sk, uint64_t *link, struct carnet_err *err);
/* OK; AGAIN: the link's queue is full (try after the next poll); NOT_FOUND: the link is gone. */
CARNET_MUST_USE carnet_rc carnet_net_send(struct carnet_net *net, uint64_t link, struct carnet_slice frame);
void carnet_net_close(struct carnet_net *net, uint64_t link);
/* Waits at most timeout_ms for something on the links or on one of the descriptors; answers ZAP inside. ready[i]: whether fds[i] can be read. */
CARNET_MUST_USE carnet_rc carnet_net_wait(struct carnet_net *net, const int *fds, const short *events, bool *ready, size_t fd_count, int64_t timeout_ms, struct carnet_err *err);
/* The next thing that happened; false: nothing more for now. */
bool carnet_net_next(struct carnet_net *net, struct carnet_net_event *out);
bool carnet_net_address_valid(const char *address); /* tcp://host:port */

#endif
