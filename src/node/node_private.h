// SPDX-License-Identifier: EUPL-1.2
/* What the files of the processes share. home.c: files and life. loop.c: one replica, its links and its sessions, turned by whoever holds it. dial.c: whom
 * the loop connects to. run.c: the process that runs. control.c, call.c: commands that come to it. meet.c: sync, join. */
#ifndef CARNET_NODE_PRIVATE_H
#define CARNET_NODE_PRIVATE_H

#include "carnet/net/net.h"
#include "carnet/node/node.h"
#include "carnet/sys/home.h"

enum {
    CARNET_DIALS_MAX = 256,          /* links that this node keeps up */
    CARNET_DIAL_PAUSE_MS = 2000,     /* after a session that was refused, growing */
    CARNET_DIAL_PAUSE_MS_MAX = 60 * 1000,
    CARNET_DIAL_CHECK_MS = 500,
    CARNET_TARGETS_CHECK_MS = 60 * 1000,
    CARNET_LINE_LEN_MAX_LOG = 400
};

struct carnet_loop;
struct carnet_control;

/* The whole of what a process holds of a home; the node is its public face (first, so that the one is found from the other). */
struct carnet_home {
    struct carnet_node node;
    char *path;
    struct carnet_home_lock lock;
    struct carnet_identity identity;
    struct carnet_loop *loop; /* NULL: no link is open */
};
struct carnet_home *carnet_home_of(struct carnet_node *node);
struct carnet_home *carnet_home_new(const char *path); /* gives; nothing is opened */
void carnet_home_free(struct carnet_home *home);
CARNET_MUST_USE carnet_rc carnet_home_open(const char *path, struct carnet_slice passphrase, struct carnet_home **out, struct carnet_err *err);
/* The folder, locked, without a database. CONFLICT: there is one. */
CARNET_MUST_USE carnet_rc carnet_home_make(const char *path, struct carnet_home **out, struct carnet_err *err);
char *carnet_home_file(const struct carnet_home *home, bool database); /* gives the path of the database, or of the keystore */
void carnet_home_remove_database(const char *database);
struct carnet_replica_env carnet_home_env(void);

/* A member, and where it says that it can be reached. */
struct carnet_target {
    struct carnet_id node;
    char name[CARNET_NAME_LEN_MAX + 1];
    struct carnet_box_pk curve;
    char addresses[4][CARNET_NET_ADDRESS_LEN_MAX + 1];
    size_t address_count;
};
/* One peer that this node connects to. */
struct carnet_dial {
    uint64_t id;
    struct carnet_id node;      /* whom we expect there */
    struct carnet_box_pk curve;
    char address[CARNET_NET_ADDRESS_LEN_MAX + 1];
    bool asked;                 /* by --connect or by a command, not for an address in the charter */
    bool fixed;                 /* at this address, whatever the charter says */
    bool open;                  /* nobody told who is there: each member is tried in turn */
    bool met;                   /* with open: it was found out */
    bool wanted;                /* kept by the last look at the charter */
    size_t candidate;           /* with open: index among the targets; beyond the last: this node's own key, which nobody else has */
    size_t turn;                /* which of the addresses */
    uint64_t link;              /* 0: between two of them */
    int64_t next_ms, up_ms, pause_ms;
    unsigned failures;          /* in a row */
    unsigned rounds;            /* with open: how often every candidate was tried */
    enum carnet_net_failure failure;
    uint64_t last_link;
};
struct carnet_loop {
    struct carnet_home *home;
    struct carnet_net *net;
    struct carnet_core *core;
    struct carnet_clock clock;
    struct carnet_rng rng;
    bool keeps;                    /* keeps links to every member that has an address; else to those asked for alone */
    bool logs;                     /* to stderr */
    char listen[CARNET_NET_ADDRESS_LEN_MAX + 1];
    char usable[CARNET_NET_ADDRESS_LEN_MAX + 1]; /* the same, or one of this machine's when it listens on all */
    uint64_t *blocked;             /* links whose frames wait */
    size_t blocked_count, blocked_cap;
    struct carnet_target *targets; /* every member in force but this node, with or without an address */
    size_t target_count, target_cap;
    struct carnet_hash charter;    /* digest of the charter that the targets were read from */
    bool charter_known;
    int64_t targets_ms, dials_ms;
    struct carnet_dial *dials;
    size_t dial_count, dial_cap;
    uint64_t dial_last;
    struct carnet_control *control; /* NULL: no commands come */
    int signal_fd;                  /* -1: none */
    bool stopping;
};
/* Opens links for the node's replica: sets node.net, node.core, breathe. */
CARNET_MUST_USE carnet_rc carnet_loop_new(struct carnet_home *home, struct carnet_loop **out, struct carnet_err *err);
void carnet_loop_free(struct carnet_loop *loop);
/* One turn: waits at most wait_ms, then does what came. An error is the world's: the process ends. */
CARNET_MUST_USE carnet_rc carnet_loop_turn(struct carnet_loop *loop, int64_t wait_ms, struct carnet_err *err);
int64_t carnet_loop_now(const struct carnet_loop *loop);
void carnet_loop_log(struct carnet_loop *loop, const char *fmt, ...) CARNET_PRINTF(2, 3);

/* --- dial.c --- */
/* Reads again who is where, when the charter has changed. */
CARNET_MUST_USE carnet_rc carnet_targets_read(struct carnet_loop *loop, struct carnet_err *err);
/* who NULL: whoever is there, among the members. address NULL: those that who says. Gives the dial's number; the one that is there already when there is
 * (*made: whether this call made it). */
uint64_t carnet_dial_ask(struct carnet_loop *loop, const struct carnet_target *who, const char *address, bool *made);
struct carnet_dial *carnet_dial_find(struct carnet_loop *loop, uint64_t id);
void carnet_dial_drop(struct carnet_loop *loop, uint64_t id);
void carnet_dials_check(struct carnet_loop *loop);
int64_t carnet_dials_due_ms(const struct carnet_loop *loop);
void carnet_dial_event(struct carnet_loop *loop, const struct carnet_net_event *event); /* UP, DOWN, FAILED of a link that this side connected */
void carnet_dial_closed(struct carnet_loop *loop, uint64_t link); /* the core closed it */
/* [NAME@]tcp://H:P. NOT_FOUND: no member of that name; AMBIGUOUS; USAGE: not an address. *named: a name was there, who is filled. */
CARNET_MUST_USE carnet_rc carnet_dial_parse(struct carnet_loop *loop, const char *text, struct carnet_target *who, bool *named, const char **address,
                                            struct carnet_err *err);

/* The peers that this node was told of (--connect, the inviter): [NAME@]tcp://H:P, newest first. */
enum { CARNET_PEERS_MAX = 16 };
CARNET_MUST_USE carnet_rc carnet_peers_remember(struct carnet_replica *replica, const char *const *peers, size_t count, struct carnet_err *err);
void carnet_peers_each(struct carnet_replica *replica, void (*each)(void *ctx, const char *peer), void *ctx);

/* --- meet.c --- */
/* One peer at its first address, once. */
CARNET_MUST_USE carnet_rc carnet_meet_one(struct carnet_node *node, const struct carnet_target *who, struct carnet_err *err);

/* --- control.c --- */
CARNET_MUST_USE carnet_rc carnet_control_new(struct carnet_loop *loop, carnet_command_fn command, struct carnet_control **out, struct carnet_err *err);
void carnet_control_free(struct carnet_control *control); /* removes the socket */
size_t carnet_control_fds(const struct carnet_control *control, int *fds, short *events, size_t max);
void carnet_control_ready(struct carnet_control *control); /* takes what came */
void carnet_control_run(struct carnet_control *control);   /* runs the commands that wait; they may turn the loop */
bool carnet_control_cancelled(struct carnet_control *control);

/* --- the control socket, both ends --- */
enum { CARNET_PACKET_LEN_MAX = 32 * 1024, CARNET_REQUEST_LEN_MAX = 4 * 1024 * 1024, CARNET_ARGS_MAX = 4096 };
enum carnet_packet {
    CARNET_PACKET_REQUEST = 'Q', /* a piece of the request */
    CARNET_PACKET_RUN = 'R',     /* it is whole; the descriptors come with this one */
    CARNET_PACKET_STOP = 'X',    /* later: the person wants it to end */
    CARNET_PACKET_TAKEN = 'T',   /* the node has it */
    CARNET_PACKET_OUT = 'O',
    CARNET_PACKET_ERR = 'E',
    CARNET_PACKET_STATUS = 'S'
};
struct sockaddr_un;
/* The address of HOME/socket; *dir is a descriptor to keep open while it is used, or -1. FAILED. */
CARNET_MUST_USE carnet_rc carnet_socket_address(const char *home, struct sockaddr_un *out, int *dir, struct carnet_err *err);
bool carnet_socket_same_user(int fd);
void carnet_request_put(const struct carnet_io *io, int argc, char **argv, struct carnet_buf *out);
struct carnet_request {
    struct carnet_io io; /* the settings only */
    int argc;
    char **argv;
};
/* MALFORMED. out: freed by carnet_request_free. */
CARNET_MUST_USE carnet_rc carnet_request_read(struct carnet_slice bytes, struct carnet_request *out);
void carnet_request_free(struct carnet_request *request);

#endif
