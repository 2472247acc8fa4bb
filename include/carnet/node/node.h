// SPDX-License-Identifier: EUPL-1.2
/* node/node: one home at work: the process that runs (event loop, control socket) and the commands that use it. Layer: node.
 *
 * A command finds the running node through HOME/socket (a hashed name under the XDG runtime folder when that path is too long for AF_UNIX) and is run there, with
 * its files open (SCM_RIGHTS) and its output sent back; when none runs, it locks the home and runs itself: same function, same output, same status. */
#ifndef CARNET_NODE_NODE_H
#define CARNET_NODE_NODE_H

#include "carnet/node/core.h"

#include <signal.h>

/* What a command reads and writes. */
struct carnet_io {
    enum carnet_lang lang;
    bool json, quiet, yes;
    bool err_tty, out_tty;      /* of the process in front of the person */
    bool color;
    int columns;
    struct carnet_buf out, err; /* written so far; carnet_io_flush empties them */
    void (*flush)(void *ctx, struct carnet_io *io);
    void *flush_ctx;
    int fds[8];                 /* files named on the command line, opened by the command's own process, in the order of its words */
    size_t fd_count;
    const volatile sig_atomic_t *stop; /* of the process in front of the person: set when they want the command to end; NULL: the signal ends the process */
};
void carnet_io_flush(struct carnet_io *io);

/* What a command works with. */
struct carnet_node {
    const char *home;
    struct carnet_replica *replica;
    struct carnet_core *core;      /* with a running node; otherwise NULL */
    struct carnet_net *net;        /* likewise (a command alone may make its own: sync, join) */
    const char *listen;            /* where others reach it, NULL: not listening */
    bool sealed;                   /* the keystore has a passphrase */
    /* Lets the node live while a long command works (network, timers, short commands of others). Never inside a transaction. Cheap to call. */
    void (*breathe)(struct carnet_node *node, int64_t wait_ms);
    bool (*cancelled)(struct carnet_node *node); /* the person pressed Ctrl-C, or the command's process is gone */
};

/* Runs one command line (without the program's name) and gives its exit status. The cli's dispatcher. */
typedef int (*carnet_command_fn)(struct carnet_node *node, struct carnet_io *io, int argc, char **argv);

struct carnet_node_options {
    const char *home;
    const char *listen;            /* NULL: the remembered one, else tcp://127.0.0.1:0 */
    const char *const *connect;    /* [NAME@]tcp://H:P */
    size_t connect_count;
    struct carnet_slice passphrase;
    carnet_command_fn command;
    enum carnet_lang lang;
};
/* Runs until SIGTERM or SIGINT. Prints `ready listen=tcp://A:P console=none` on stdout when commands and peers may come; logs to stderr. Connects to the given
 * peers and to every known member that has an address, and again when they come back. BUSY: the home is in use. */
CARNET_MUST_USE carnet_rc carnet_node_run(const struct carnet_node_options *options, struct carnet_err *err);

/* Is a node running in this home? If so sends it the command and copies its output; *status gets its exit status. NOT_FOUND: none runs.
 * BUSY: something holds the home but does not answer. */
CARNET_MUST_USE carnet_rc carnet_node_call(const char *home, int argc, char **argv, struct carnet_io *io, int *status, struct carnet_err *err);
/* Locks the home, opens it for one command. NOT_FOUND: no node here. LOCKED: passphrase. BUSY. */
CARNET_MUST_USE carnet_rc carnet_node_open(const char *home, struct carnet_slice passphrase, struct carnet_node **out, struct carnet_err *err);
void carnet_node_close(struct carnet_node *node);

struct carnet_sync_result {
    char peer[CARNET_NAME_LEN_MAX + 1];
    carnet_rc rc;                  /* OK, UNREACHABLE, REFUSED */
    const char *why;               /* English literal, when not OK */
    struct carnet_sync_stats stats;
    int64_t ms;
};
/* Meets peers once, until caught up with each. address: tcp://H:P or NAME@tcp://H:P; NULL: every known member with an address. With a running node its sessions are
 * used. NOT_FOUND: nobody is known there. */
CARNET_MUST_USE carnet_rc carnet_node_sync(struct carnet_node *node, const char *address, bool (*each)(void *ctx, const struct carnet_sync_result *result), void *ctx,
                                           struct carnet_err *err);
/* Before anything is asked of a person: CONFLICT when a node is in HOME already; MALFORMED when the text is no code. */
CARNET_MUST_USE carnet_rc carnet_node_vacant(const char *home, struct carnet_err *err);
CARNET_MUST_USE carnet_rc carnet_node_code_check(struct carnet_slice code, struct carnet_err *err);
/* Makes HOME and joins with a code: reaches the inviter, proves the code, writes keystore and database, then syncs once. REFUSED, UNREACHABLE, CONFLICT (a node is
 * there already), MALFORMED (not a code). */
CARNET_MUST_USE carnet_rc carnet_node_join(const char *home, struct carnet_slice code, struct carnet_slice node_name, struct carnet_slice passphrase, struct carnet_node **out,
                                           struct carnet_err *err);
/* Makes HOME with a new community. recovery: its text for paper. */
CARNET_MUST_USE carnet_rc carnet_node_init(const char *home, struct carnet_slice community, struct carnet_slice node_name, struct carnet_slice passphrase,
                                           struct carnet_buf *recovery, struct carnet_node **out, struct carnet_err *err);

#endif
