// SPDX-License-Identifier: EUPL-1.2
/* What the files of this layer share. */
#ifndef CARNET_NET_PRIVATE_H
#define CARNET_NET_PRIVATE_H

#include "carnet/net/net.h"
#include "carnet/sys/clock.h"
#include "carnet/sys/random.h"

#include <zmq.h>

enum {
    CARNET_NET_HANDSHAKE_MS = 3000,     /* a peer that has not proved its key by then is dropped */
    CARNET_NET_ATTEMPT_MS = 10 * 1000,  /* an attempt to connect that is not through by then failed */
    CARNET_NET_GREETING_MS = 10 * 1000, /* an accepted connection without a link by then is shut */
    CARNET_NET_GOODBYE_MS = 2000,       /* what a peer gets to leave by itself after our goodbye */
    CARNET_NET_RETRY_MS = 500,
    CARNET_NET_RETRY_MS_MAX = 60 * 1000,
    CARNET_NET_STABLE_MS = 5 * 1000,    /* a link that was up for so long was not refused: it is tried again quickly */
    CARNET_NET_LINGER_MS = 200,
    CARNET_NET_QUEUE_LEN = 64,          /* frames under way on one link, each way */
    CARNET_NET_ROUND_FRAMES = 256,      /* frames given out between two waits */
    CARNET_NET_AUDIT_MS = 500,
    CARNET_NET_UNREAD_MAX = 24 << 20,   /* bytes the kernel received on a link beyond those of whole messages: a message without end */
    CARNET_NET_CURVE_LEN = 8 + 8 + 16 + 1, /* what CURVE adds to a message: name, nonce, authenticator, flags (ZeroMQ RFC 26) */
    CARNET_NET_BLOCKED_MS = 10,         /* how soon a full inbound link is looked at again */
};

/* The first frame on every link, by the side that connected; an empty frame is the goodbye of the side that listens. */
#define CARNET_NET_GREETING "carnet/1"
#define CARNET_NET_ZAP_DOMAIN "carnet"

struct carnet_net_link {
    uint64_t id;
    struct carnet_box_pk peer;
    bool connector, up, gone, blocked;
    int fd;               /* of the connection, -1: unknown or gone */
    uint64_t read_bytes;  /* of whole messages, as on the wire, and what heartbeats may have taken */
    /* inbound */
    uint8_t routing[255];
    size_t routing_len;
    /* outbound: the socket of the present attempt, NULL between two of them */
    void *sock, *monitor;
    char address[CARNET_NET_ADDRESS_LEN_MAX + 1];
    struct carnet_box_pk pk;
    struct carnet_box_sk sk;
    bool readable, monitor_readable, greeted, shaken, over;
    enum carnet_net_failure failure;
    int64_t began_ms, connected_ms, up_ms, retry_ms;
    unsigned tries;
};

/* An accepted connection, by descriptor. */
struct carnet_net_conn {
    bool open;
    int64_t since_ms;
    uint64_t link; /* 0: none (yet) */
};

struct carnet_net {
    struct carnet_net_options options;
    struct carnet_clock clock;
    struct carnet_rng rng;
    void *ctx, *zap, *router, *router_monitor;
    bool router_readable, router_monitor_readable;
    struct carnet_net_link **links;
    size_t link_count, link_cap;
    struct carnet_net_conn *conns; /* by descriptor */
    size_t conn_count;             /* length of conns */
    size_t conn_open, conn_max;
    uint64_t link_last, monitor_last;
    /* events not given out yet, without frames */
    struct carnet_net_event *events;
    size_t event_first, event_count, event_cap;
    zmq_msg_t frame; /* what the last event shows */
    size_t round_frames;
    size_t turn; /* whose turn it is among the outbound links */
    int64_t audit_ms;
    zmq_pollitem_t *items;
    size_t item_cap;
};

int64_t carnet_net_now(const struct carnet_net *net);
void carnet_net_push(struct carnet_net *net, enum carnet_net_event_type type, const struct carnet_net_link *link);
struct carnet_net_link *carnet_net_link_find(struct carnet_net *net, uint64_t id);
struct carnet_net_link *carnet_net_link_new(struct carnet_net *net);
void carnet_net_link_free(struct carnet_net *net, struct carnet_net_link *link);
/* libzmq's input threads: one for peers who come, one for those we go to, whose names may be slow to resolve. */
enum { CARNET_NET_THREAD_IN = 1, CARNET_NET_THREAD_OUT = 2 };
/* Options that every socket has. */
void carnet_net_socket_set(const struct carnet_net *net, void *sock, bool ipv6, uint64_t thread);
void carnet_net_socket_int(void *sock, int option, int value);
/* Reads one monitor message: false when there is none. */
bool carnet_net_monitor_read(void *monitor, int *event, int *value);
void *carnet_net_monitor_open(struct carnet_net *net, void *sock, int events);
/* Ends a TCP connection of ours from outside libzmq, which cannot. */
void carnet_net_shut(int fd);
/* Reads one part without waiting. false: none. */
bool carnet_net_part(void *sock, zmq_msg_t *message);
/* Drops the further parts of the message whose part this is. true: there were none. */
bool carnet_net_single(void *sock, zmq_msg_t *message);
uint64_t carnet_net_wire_bytes(const zmq_msg_t *message); /* what it took on the wire */
bool carnet_net_greeting_is(const zmq_msg_t *message);

bool carnet_net_address_ipv6(const char *address, bool *literal);
bool carnet_net_address_check(const char *address, bool listening);

CARNET_MUST_USE carnet_rc carnet_net_zap_open(struct carnet_net *net);
void carnet_net_zap_serve(struct carnet_net *net);

void carnet_net_inbound_monitor(struct carnet_net *net);
bool carnet_net_inbound_next(struct carnet_net *net, struct carnet_net_event *out);
void carnet_net_inbound_endings(struct carnet_net *net); /* the links whose connection is gone, once their frames are read */
void carnet_net_inbound_sweep(struct carnet_net *net);
carnet_rc carnet_net_inbound_send(struct carnet_net *net, struct carnet_net_link *link, struct carnet_slice frame);
void carnet_net_inbound_close(struct carnet_net *net, struct carnet_net_link *link); /* frees it */

void carnet_net_outbound_step(struct carnet_net *net, struct carnet_net_link *link); /* time passes */
int64_t carnet_net_outbound_due(const struct carnet_net_link *link);
bool carnet_net_outbound_next(struct carnet_net *net, struct carnet_net_link *link, struct carnet_net_event *out);
carnet_rc carnet_net_outbound_send(struct carnet_net_link *link, struct carnet_slice frame);
void carnet_net_outbound_stop(struct carnet_net_link *link); /* closes its sockets */

#endif
