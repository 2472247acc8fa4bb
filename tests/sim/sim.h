// SPDX-License-Identifier: EUPL-1.2
/* A community of 3 to 8 nodes in one process: the real replica, sessions and node core, on simulated disks, clocks and links. One seed
 * decides everything: who is there, what people do, what fails and when.
 *
 * main.c: the command line, one process a seed. world.c: nodes, clocks, power, the loop. link.c: the network. ops.c: what people do.
 * facts.c: what the oracle knows. check.c: what must hold. hostile.c: what strangers and damaged frames do. */
#ifndef CARNET_TESTS_SIM_H
#define CARNET_TESTS_SIM_H

#include "carnet/node/core.h"

#include "../support/simvfs.h"

enum {
    SIM_NODES_MAX = 8,
    SIM_HOSTILE = SIM_NODES_MAX, /* number of the stranger */
    SIM_BOOKS_MAX = 4,
    SIM_MARK_LEN = 20,
};
#define SIM_MINUTE INT64_C(60000)
#define SIM_HOUR (60 * SIM_MINUTE)
#define SIM_DAY (24 * SIM_HOUR)
#define SIM_EPOCH INT64_C(1790000000000) /* wall time of virtual zero */

/* --- the network --- */
struct sim_frame {
    struct sim_frame *next;
    int64_t due;
    size_t len;
    uint8_t bytes[];
};
struct sim_way { /* one direction of a link */
    struct sim_frame *head, *tail;
    size_t count;
    int64_t last_due;
    bool stalled;  /* the first frame was due while the way was shut */
    bool starving; /* its sender was told AGAIN */
    bool closing;  /* its sender closed: the receiver learns it after the last frame */
};
struct sim_link {
    uint64_t number;
    unsigned node[2]; /* 0 connects */
    bool open[2];
    struct sim_way way[2]; /* from side i */
    unsigned edge;
};
struct sim_edge {
    unsigned a, b;
    bool wanted;
    uint64_t link; /* number of the link of now; 0: none */
    bool armed;    /* an event to connect is due */
};

/* --- what the oracle knows --- */
enum sim_fate { SIM_FAILED, SIM_ACKED, SIM_UNKNOWN /* the commit failed: it may be there after the restart */ };
struct sim_write { /* one cell that somebody wrote */
    size_t record;
    unsigned node;
    uint32_t field;
    enum carnet_scope scope; /* of its field, by its author's charter */
    char label[24], value[24];
    struct carnet_dot dot; /* known when acked */
    enum sim_fate fate;
    bool by_hand; /* an import wrote it */
    bool by_dot;  /* read from the log: what it replaces is known, not what it says */
    struct carnet_dot *seen; /* the siblings its author had before */
    size_t seen_count;
};
struct sim_event { /* one event */
    size_t record;
    unsigned node;
    enum carnet_event_type type;
    char purpose[16];
    uint32_t scopes; /* of a GRANT: what its author's charter said, when it was given, that the purpose covers */
    enum carnet_scope scope;
    enum carnet_proof proof;
    enum carnet_basis basis;
    int64_t since_ms, until_ms;
    struct carnet_dot *names;
    size_t name_count;
    struct carnet_dot dot;
    uint64_t hlc;
    int64_t at; /* virtual time */
    struct carnet_id other; /* of an edge */
    enum sim_fate fate;
    bool timely; /* its author's clock was not ahead by more than a few minutes */
};
enum { SIM_SHARED = 12, SIM_SHARED_LEN = 10 };
struct sim_refused { /* an address that somebody refused at a node that holds the key of the suppression list */
    char value[24], purpose[16]; /* empty purpose: all */
    unsigned node;
    uint32_t stream; /* of the tag's entry in the charter */
    uint64_t seq, hlc;
};
enum sim_needle_kind { SIM_NEEDLE_VALUE, SIM_NEEDLE_SEALED, SIM_NEEDLE_SEED };
struct sim_needle { /* bytes that must be nowhere once their person is erased, or their seed dead */
    uint8_t bytes[16];
    size_t len;
    size_t record;
    enum carnet_scope scope;
    uint64_t seed;
    enum sim_needle_kind kind;
};
struct sim_record {
    struct carnet_id id, subject;
    unsigned book;
    enum carnet_kind kind;
    size_t person; /* index of the contact it is about; itself */
    unsigned node; /* who made it */
};
struct sim_head { /* what a node showed to others: it must have it for ever */
    struct carnet_id book, author;
    uint32_t stream;
    uint64_t seq;
    struct carnet_hash hash;
};

/* --- nodes --- */
struct sim_node {
    struct sim *sim;
    unsigned index;
    char name[8], path[24];
    bool made;   /* it has a home */
    bool on;     /* its process runs */
    bool crashed_in_op;
    bool by_hand; /* what it writes now somebody asked for: people's functions choose the records themselves */
    struct carnet_identity identity;
    struct carnet_id id;
    struct carnet_box_pk curve;
    struct carnet_rng_state rng_state;
    struct carnet_replica_env env;
    struct carnet_replica *replica;
    struct carnet_core *core;
    enum carnet_role role;
    uint32_t reads;
    unsigned inviter;
    bool all_books, books[SIM_BOOKS_MAX];
    bool cut;             /* somebody was told to cut it, and that survived */
    int64_t expires_ms;   /* wall; 0: never */
    int64_t offset_ms;    /* of its clock */
    int64_t drift_ppm;
    int64_t timer;        /* virtual time of its next tick; INT64_MAX: none */
    uint64_t timer_seq;
    uint64_t hlc;         /* largest of its own entries */
    struct sim_head *shown;
    size_t shown_count, shown_cap;
    int64_t seen_n;       /* arrival numbers up to here were looked at for needles and darkenings */
};

/* What a seed draws once. */
struct sim_mix {
    bool sparse;           /* 200 days instead of 20 minutes */
    bool years;            /* one clock is off by years */
    bool reverse;
    unsigned nodes, ops;
    int64_t length_ms, op_gap_ms, connect_gap_ms, link_life_ms;
    uint32_t cut_pm, kill_pm, break_pm, partition_pm, clog_pm, jump_pm, corrupt_ppm, hostile_pm; /* per mille of each fault tick */
    uint32_t ioerr_ppm, enospc_ppm, fsyncerr_ppm;
    bool no_psow;
    int64_t delay_min_ms, delay_max_ms;
    size_t queue_max;
    uint32_t weight[32]; /* of operations */
};

enum sim_what { SIM_TICK, SIM_DELIVER, SIM_CONNECT, SIM_DOWN, SIM_OP, SIM_FAULT, SIM_START, SIM_HEAL_WAY, SIM_BREAK };
struct sim_due {
    int64_t at;
    uint64_t seq;
    enum sim_what what;
    uint64_t a, b;
};
struct sim {
    uint64_t seed;
    bool trace, healing;
    uint64_t hash;
    int64_t now;
    struct carnet_rng rng;
    struct carnet_rng_state rng_state, sodium_state;
    struct simvfs *vfs;
    struct sim_mix mix;
    struct sim_node nodes[SIM_NODES_MAX];
    size_t node_count;
    struct carnet_id community;
    struct carnet_id books[SIM_BOOKS_MAX];
    size_t book_count;

    struct sim_due *heap;
    size_t heap_count, heap_cap;
    uint64_t heap_seq;

    struct sim_link *links;
    size_t link_count, link_cap;
    uint64_t link_next;
    struct sim_edge edges[SIM_NODES_MAX * SIM_NODES_MAX];
    size_t edge_count;
    bool shut[SIM_NODES_MAX + 1][SIM_NODES_MAX + 1]; /* from, to: frames wait */
    struct carnet_box_pk stranger;
    struct carnet_buf captured[32]; /* frames that passed, for the stranger to repeat */
    size_t captured_next;

    struct sim_record *records;
    size_t record_count, record_cap;
    struct sim_write *writes;
    size_t write_count, write_cap;
    struct sim_event *events;
    size_t event_count, event_cap;
    struct sim_refused *refused;
    size_t refused_count, refused_cap;
    struct sim_needle *needles;
    size_t needle_count, needle_cap;
    struct sim_head *places; /* (book, author, stream, seq) -> hash, for ever */
    size_t place_count, place_cap;
    struct carnet_hash *forged; /* entries that nobody may store */
    size_t forged_count, forged_cap;
    size_t hot;                 /* the record of the last operation */
    uint64_t marks;
    struct sim_silence { /* somebody's word on how long silence may last */
        int64_t contact_ms, at;
    } *silences;
    size_t silence_count, silence_cap;
    size_t op_count, acked_count, crash_count, check_count;
    struct carnet_arena arena;
};

/* --- world.c --- */
int sim_run(uint64_t seed, bool trace, bool reverse); /* the exit status */
void sim_trace(struct sim *sim, const char *fmt, ...) CARNET_PRINTF(2, 3);
/* A promise is broken: says so and ends the process. */
_Noreturn void sim_fail(struct sim *sim, const char *promise, const char *fmt, ...) CARNET_PRINTF(3, 4);
void sim_due(struct sim *sim, int64_t at, enum sim_what what, uint64_t a, uint64_t b);
uint64_t sim_below(struct sim *sim, uint64_t bound);
bool sim_chance(struct sim *sim, uint32_t per_mille);
int64_t sim_log_uniform(struct sim *sim, int64_t low, int64_t high);
int64_t sim_wall(const struct sim_node *node);
/* After each call that may have written: notices a power cut, a failure, arms the timer, looks at what is new. */
void sim_settle(struct sim_node *node);
void sim_crash(struct sim_node *node, bool power);
bool sim_start(struct sim_node *node);
bool sim_node_reads(const struct sim_node *node, enum carnet_scope scope);
bool sim_node_holds(const struct sim_node *node, unsigned book);
bool sim_node_member(const struct sim_node *node); /* made, neither cut nor expired */
unsigned sim_node_of(const struct sim *sim, uint64_t author); /* by author number; SIM_HOSTILE: unknown */

/* --- link.c --- */
void sim_connect(struct sim *sim, unsigned edge);
void sim_edge_arm(struct sim *sim, unsigned edge, int64_t in);
void sim_deliver(struct sim *sim, uint64_t link, unsigned side);
void sim_down(struct sim *sim, uint64_t link, unsigned side);
void sim_break(struct sim *sim, uint64_t link);
void sim_unshut(struct sim *sim, unsigned from, unsigned to);
void sim_links_lost(struct sim_node *node); /* its process died */
bool sim_linked(const struct sim_node *node);
void sim_core_ops(struct sim_node *node, struct carnet_core_ops *ops);
struct sim_link *sim_link_find(struct sim *sim, uint64_t number);
uint64_t sim_link_new(struct sim *sim, unsigned a, unsigned b, unsigned edge);
void sim_push(struct sim *sim, struct sim_link *link, unsigned side, struct carnet_slice frame);

/* --- hostile.c --- */
void sim_hostile_connect(struct sim *sim, unsigned node);
void sim_hostile_say(struct sim *sim, struct sim_link *link, unsigned side);
void sim_capture(struct sim *sim, struct carnet_slice frame);
/* Damages a copy of a frame that node sends, or puts a forged entry in its place; false: it passes as it is. */
bool sim_corrupt(struct sim_node *node, struct carnet_slice frame, struct carnet_buf *out);

/* --- ops.c --- */
void sim_op(struct sim *sim);
bool sim_admit(struct sim *sim, struct sim_node *inviter); /* one more node */
size_t sim_op_total(void);

/* --- facts.c --- */
void sim_mark(struct sim *sim, char out[24]);
size_t sim_record_add(struct sim *sim, const struct carnet_id *id, const struct carnet_id *subject, unsigned book, enum carnet_kind kind, size_t person, unsigned node);
size_t sim_write_add(struct sim *sim, size_t record, unsigned node, uint32_t field, const char *label, const char *value);
size_t sim_event_add(struct sim *sim, size_t record, unsigned node, const struct carnet_event *event);
/* Reads what the node's entries after seen_n say: dots of what was just written, needles, darkenings of its own. */
void sim_look(struct sim_node *node);
/* An address that several people have: one of a few. */
void sim_shared(struct sim *sim, char out[24]);
/* After an operation: what was written since first_write and first_event is acked, or not. */
void sim_ack(struct sim_node *node, size_t first_write, size_t first_event, enum sim_fate fate);
/* After a restart: what became of the unknown ones. */
void sim_resolve(struct sim_node *node);
bool sim_holds_dot(struct sim_node *node, unsigned book, const struct carnet_dot *dot);
/* Is the event's or write's entry void: beyond a cut that the node knows? */
bool sim_beyond(struct sim_node *node, unsigned book, const struct carnet_dot *dot);

/* --- check.c --- */
void sim_show_records(struct sim_node *node, const char *when); /* to stdout */
void sim_check_sent(struct sim_node *node, const struct sim_link *link, unsigned side, struct carnet_slice frame);
void sim_check_opened(struct sim_node *node);              /* P2 after a restart */
void sim_check_consent(struct sim_node *node, size_t record); /* P4 */
uint32_t sim_open(struct sim_node *node, const struct carnet_view *view, size_t record); /* scopes that live grants open, by the facts */
void sim_check_darks(struct sim_node *node, size_t event); /* P10 */
void sim_check_pair(struct sim *sim);                      /* P1 */
void sim_check_files(struct sim_node *node, bool swept, bool final); /* P5, P6 */
void sim_check_some(struct sim *sim);                      /* a sample of all, during the run */
bool sim_converged(struct sim *sim, char *why, size_t len);
void sim_check_final(struct sim *sim);

#endif
