// SPDX-License-Identifier: EUPL-1.2
/* bench: how long the main work takes, beside what plain SQLite needs for the same rows, in the same run and on the same machine.
 *
 * Each measurement runs in a process of its own (bench_child), so that its memory and its caches begin empty. Between two of them there are
 * files alone: floor.db, people.csv, the databases of the nodes. */
#ifndef CARNET_TESTS_BENCH_H
#define CARNET_TESTS_BENCH_H

#include "carnet/replica/replica.h"

enum { BENCH_ROUNDS_MAX = 9, BENCH_NODES_MAX = 2 * BENCH_ROUNDS_MAX + 1, BENCH_EDITS = 1000, BENCH_FIELDS = 8 };

/* Time of the wall and of all processors this process used, in seconds. */
struct bench_time {
    double wall, cpu;
};
struct bench_watch {
    struct bench_time sum, begun;
};
void bench_start(struct bench_watch *watch);
void bench_stop(struct bench_watch *watch); /* adds what passed since the start */
double bench_seconds(void);                 /* of the wall */

/* One node between two measurements. */
struct bench_node {
    char path[512];
    struct carnet_identity identity;
};
struct bench {
    const char *dir;
    uint64_t contacts;
    unsigned rounds;
    char csv[512], floor[512];
    struct bench_node town, readers[BENCH_ROUNDS_MAX], relays[BENCH_ROUNDS_MAX];
    size_t reader_count; /* the last of them is used further */
};

/* Ends the program with a line, 2. */
_Noreturn void bench_fail(const char *what, const struct carnet_err *err);
#define BENCH_OK(call)                                                                                                                               \
    do {                                                                                                                                             \
        if ((call) != CARNET_OK)                                                                                                                     \
            bench_fail(#call, &err);                                                                                                                 \
    } while (0)
#define BENCH_TRUE(cond)                                                                                                                             \
    do {                                                                                                                                             \
        if (!(cond))                                                                                                                                 \
            bench_fail("not so: " #cond, NULL);                                                                                                      \
    } while (0)

/* The i-th invented contact: every field is there. */
struct bench_contact {
    char value[BENCH_FIELDS][224]; /* given, family, e-mail, phone, street, postcode, city, note */
};
extern const char *const bench_field_names[BENCH_FIELDS];
void bench_contact_make(uint64_t i, struct bench_contact *out);

/* Runs work in a child and gives what it wrote to out (size bytes, zero before). A child that fails ends this process too. */
void bench_child(const struct bench *bench, void (*work)(const struct bench *bench, void *out), void *out, size_t size);
uint64_t bench_memory_peak(void); /* bytes resident, the most of this process until now */
uint64_t bench_memory_now(void);
void bench_remove(const char *path); /* a database with its log */
uint64_t bench_file_size(const char *path);

/* --- what is measured: floor.c, work.c --- */

struct bench_floor {
    struct bench_time rows, all; /* R and F */
    uint64_t raw_bytes, disk_bytes;
};
void bench_floor_fill(const struct bench *bench, void *out);

struct bench_floor_updates {
    struct bench_time batched, single; /* of the rows of 2 times BENCH_EDITS contacts: 2 transactions, or one each */
    double commit_p50_ms;
};
void bench_floor_updates(const struct bench *bench, void *out);

enum { BENCH_PEOPLE_TYPED = 40, BENCH_KEYS_MAX = 14, BENCH_FOUND_MAX = 20 };
/* What somebody types to find the i-th of them: its first `keys` characters; false: it is shorter. */
bool bench_typed(const struct bench *bench, unsigned i, unsigned keys, char out[256]);
struct bench_latency {
    double p50_ms, p99_ms, max_ms;
};
struct bench_latency bench_latency_of(double *ms, size_t count); /* sorts them */
struct bench_floor_search {
    struct bench_latency key;
    double open_ms; /* with the first search */
};
void bench_floor_search(const struct bench *bench, void *out);

struct bench_import {
    struct bench_time time;
    uint64_t disk_bytes, memory_peak;
    double hold_ms; /* longest transaction */
};
void bench_import(const struct bench *bench, void *out);

struct bench_duplicates {
    struct bench_time time; /* all contacts compared, the first time */
    double hold_ms, one_ms; /* longest transaction; after one contact was added */
    int64_t open;           /* proposals */
    uint64_t disk_bytes;
};
void bench_duplicates(const struct bench *bench, void *out);

struct bench_sync {
    struct bench_time time;
    uint64_t bytes, frames, memory_peak, disk_bytes;
    double hold_ms; /* longest step of one node */
};
void bench_sync_reader(const struct bench *bench, void *out); /* to readers[reader_count - 1] */
void bench_sync_relay(const struct bench *bench, void *out);

struct bench_exchange {
    struct bench_time write, sync;
    uint64_t bytes, raw_bytes;
};
struct bench_edits {
    struct bench_exchange batched, single;
    struct bench_time no_op; /* until both know */
    uint64_t no_op_bytes, no_op_authors_bytes;
    unsigned authors, no_op_authors;
    struct bench_latency live, live_net; /* from the keystroke of the edit to its row on the other node */
};
void bench_edits(const struct bench *bench, void *out);

struct bench_open {
    double open_ms;
    uint64_t memory_idle;
};
void bench_open(const struct bench *bench, void *out);
enum { BENCH_COUNTS = 5 };
struct bench_counts {
    struct bench_time time[BENCH_COUNTS];
    uint64_t count[BENCH_COUNTS];
};
extern const char *const bench_count_names[BENCH_COUNTS];
void bench_counts(const struct bench *bench, void *out);

struct bench_search {
    struct bench_latency find, find_cpu, store;
};
void bench_search(const struct bench *bench, void *out);

/* --- pair.c: two nodes of one process, joined --- */

struct bench_pair;
struct bench_pair *bench_pair_new(struct carnet_replica *listener, struct carnet_replica *connector, bool net);
void bench_pair_free(struct bench_pair *pair);
void bench_pair_up(struct bench_pair *pair);
void bench_pair_down(struct bench_pair *pair); /* in memory alone */
void bench_pair_catch_up(struct bench_pair *pair); /* until both sides are and nothing is under way */
void bench_pair_quiet(struct bench_pair *pair);    /* and upkeep has nothing more to do for now */
void bench_pair_written(struct bench_pair *pair, bool connector);
bool bench_pair_turn(struct bench_pair *pair);     /* delivers what there is; false: nothing */
void bench_pair_tick(struct bench_pair *pair);     /* of the sides whose timer is due */
uint64_t bench_pair_bytes(const struct bench_pair *pair); /* both ways, since up */
uint64_t bench_pair_frames(const struct bench_pair *pair);
double bench_pair_hold_ms(const struct bench_pair *pair);

/* Invites by the town and joins; gives the open replica. */
struct carnet_replica *bench_join(struct carnet_replica *town, const struct bench_node *node, const char *name, enum carnet_role role);
struct carnet_replica *bench_node_open(const struct bench_node *node);
struct carnet_replica_env bench_env(void);

#endif
