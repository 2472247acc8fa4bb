// SPDX-License-Identifier: EUPL-1.2
/* net: links to peers over ZeroMQ (TCP, CURVE). Layer: net; the only zmq.h; knows keys and frames, not what they mean. One thread, one context.
 *
 * A listener is a ROUTER, a connection a DEALER; CURVE both ways, the server's key pinned. A ZAP handler, there before any bind, asks `admit` for each
 * client key. A routing id that a peer chose names nobody: protocol/sync.md, transport. */
#ifndef CARNET_NET_NET_H
#define CARNET_NET_NET_H

#include "carnet/crypto/crypto.h"

enum { CARNET_NET_ADDRESS_LEN_MAX = 95, CARNET_NET_KEY_LINKS_MAX = 4 /* inbound links of one key: a further one ends the oldest */ };

struct carnet_net;
enum carnet_net_event_type {
    CARNET_NET_UP,
    CARNET_NET_FRAME,
    CARNET_NET_DOWN,  /* an inbound link is gone for good; one that this side connected comes UP again by itself, with the same number */
    CARNET_NET_FAILED /* an attempt to connect failed, `failure` says how; the next one follows by itself */
};
enum carnet_net_failure {
    CARNET_NET_UNREACHABLE, /* nobody answers there */
    CARNET_NET_OTHER_KEY,   /* somebody answers who does not hold the expected key, or is no Carnet node */
    CARNET_NET_REFUSED,     /* the peer does not admit our key */
    CARNET_NET_CROWDED      /* the peer has too many links */
};
struct carnet_net_event {
    enum carnet_net_event_type type;
    uint64_t link;                 /* a number given once, never again */
    struct carnet_box_pk peer;     /* the other side's transport key, proved by CURVE */
    bool connector;                /* this side connected */
    enum carnet_net_failure failure;
    struct carnet_slice frame;     /* valid until the next call; never empty */
};
struct carnet_net_options {
    struct carnet_box_pk pk;
    struct carnet_box_sk sk;
    /* May this key open a link at all? Asked at the handshake and for each frame of an inbound link, so that a revocation works at once. */
    bool (*admit)(void *ctx, const struct carnet_box_pk *client);
    void *ctx;
    size_t links_max;              /* 0: 512 */
    int64_t heartbeat_ms;          /* 0: 10 s; a peer silent for three of them is gone */
};
CARNET_MUST_USE carnet_rc carnet_net_new(const struct carnet_net_options *options, struct carnet_net **out, struct carnet_err *err);
/* Lets frames that were just sent out, for a fifth of a second at most. NULL is fine. */
void carnet_net_free(struct carnet_net *net);
/* Binds "tcp://A:P" (P 0: any). Gives the address with its port. May be called once. USAGE: not an address. FAILED: it is taken, or not this machine's. */
CARNET_MUST_USE carnet_rc carnet_net_listen(struct carnet_net *net, const char *address, char bound[CARNET_NET_ADDRESS_LEN_MAX + 1], struct carnet_err *err);
/* Connects; reconnects by itself with growing pauses until closed. UP comes when CURVE is through and the first frame may be sent. pk, sk: another client
 * pair than the node's own (an invitation's one-time key), or NULL. USAGE: not an address. LIMIT: too many links. */
CARNET_MUST_USE carnet_rc carnet_net_connect(struct carnet_net *net, const char *address, const struct carnet_box_pk *server, const struct carnet_box_pk *pk,
                                             const struct carnet_box_sk *sk, uint64_t *link, struct carnet_err *err);
/* A link that this side connected: tries again now if it is waiting to (something says that the peer is there). */
void carnet_net_retry(struct carnet_net *net, uint64_t link);
/* OK; AGAIN: the link's queue is full (try after the next wait); NOT_FOUND: the link is gone. The frame is not empty. */
CARNET_MUST_USE carnet_rc carnet_net_send(struct carnet_net *net, uint64_t link, struct carnet_slice frame);
/* Frames already sent still go out. No event of the link follows. */
void carnet_net_close(struct carnet_net *net, uint64_t link);
/* Waits at most timeout_ms (-1: for ever) for something on the links or on one of the descriptors; answers ZAP inside. events: poll(2)'s, NULL: POLLIN for
 * all. ready[i]: whether one of them, or an error, is there on fds[i]. May return early. */
CARNET_MUST_USE carnet_rc carnet_net_wait(struct carnet_net *net, const int *fds, const short *events, bool *ready, size_t fd_count, int64_t timeout_ms, struct carnet_err *err);
/* The next thing that happened; false: nothing more for now. Call it until then after each wait. */
bool carnet_net_next(struct carnet_net *net, struct carnet_net_event *out);
/* tcp://host:port, the host a name, an IPv4 address or an IPv6 one in brackets; port 1 to 65535 (0 too for carnet_net_listen). */
bool carnet_net_address_valid(const char *address);

#endif
