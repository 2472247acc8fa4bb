// SPDX-License-Identifier: EUPL-1.2
/* support/simvfs: disks that lie, fill up, fail and lose power, for SQLite, wholly in memory. No real file is touched.
 *
 * One simulation is one named VFS; it holds any number of *machines*, each with a disk, a power switch and knobs of its
 * own. A machine is the first part of a path: with `struct carnet_store_options options = { .vfs = "sim", .create =
 * true }`, the path "paris/carnet.db" is the file carnet.db of the machine "paris" (a leading '/' is ignored). Machines
 * come into being when they are first named. One process, one thread.
 *
 * What a disk is. Every file has a *volatile* image (what reads see), a *durable* image and the ordered list of the
 * writes and truncations between the two. A sync applies the list to the durable image. A power cut replaces the
 * volatile image by the durable one plus, for each operation of the list, as the dice say: all of it, nothing, a
 * beginning of it, or some of its sectors of 512 bytes. Names in the folder are durable apart from what the files hold:
 * a file that was made vanishes at a cut, and one that was deleted comes back, unless the folder was synced: by a
 * delete that asks for it, or by the first sync of a new journal or log (as SQLite does on a real system).
 *
 * Determinism. All dice of a machine come from the seed and the machine's name: same calls, same disk. SQLite's own
 * randomness (salts of the log) comes from the *default* VFS: a simulator calls simvfs_make_default before it opens
 * anything.
 *
 * The usual loop of a simulator, for one machine:
 *
 *     simvfs_cut_after(sim, "paris", 1 + random below 200);
 *     ... work; every call of the store may now fail ...
 *     if (!simvfs_is_on(sim, "paris")) {      the store just failed because of the cut
 *         carnet_store_close(store);          handles of before the cut answer I/O errors, also to the close
 *         simvfs_start(sim, "paris");
 *         carnet_store_open(...);
 *     }
 *
 * A commit that failed at a cut is *unknown*: it may be there after the restart, and an oracle has to allow both. */
#ifndef CARNET_TESTS_SIMVFS_H
#define CARNET_TESTS_SIMVFS_H

#include "carnet/base/bytes.h"

struct simvfs;

/* Registers the VFS under name (at most 63 bytes, kept as a copy). */
struct simvfs *simvfs_new(const char *name, uint64_t seed);
/* Unregisters it. Every database must be closed. */
void simvfs_free(struct simvfs *sim);
/* Makes it SQLite's default, and starts SQLite's random numbers from the seed, so that two runs write the same bytes.
 */
void simvfs_make_default(struct simvfs *sim);
/* The time that SQL functions see (Unix milliseconds). Nothing of the VFS moves it, sleeping neither. */
void simvfs_time(struct simvfs *sim, int64_t wall_ms);

/* --- faults --- */
struct simvfs_knobs { /* probabilities are parts in a million of each call; 0: never */
    uint32_t
        ioerr_ppm; /* reads, writes, truncations, deletes, opens: an I/O error; a write may have written a beginning */
    uint32_t enospc_ppm; /* writes: the disk is full; a beginning may be written */
    uint32_t
        fsyncerr_ppm; /* syncs: an error; each waiting write is durable or forgotten, and no later sync knows of it */
    uint32_t lie_sync_ppm; /* syncs: OK, and nothing was made durable (1000000: always) */
    bool whole;            /* a cut keeps or drops an operation as a whole: no torn writes */
    bool no_psow;          /* no power-safe overwrite: the sector at the cut is noise, also outside the bytes written */
    uint64_t capacity;     /* bytes of all files; a write beyond: the disk is full. 0: no limit */
};
/* From now on; all zero when a machine comes into being: an honest disk with torn writes at a cut. */
void simvfs_knobs(struct simvfs *sim, const char *machine, const struct simvfs_knobs *knobs);

/* Cuts the power in the middle of the n-th changing operation from now (write, truncate, sync, create, delete); 1 is
 * the next one, 0 takes it back. */
void simvfs_cut_after(struct simvfs *sim, const char *machine, uint64_t n);
/* The same for a death of the process, after that operation; the later of the two calls counts. */
void simvfs_kill_after(struct simvfs *sim, const char *machine, uint64_t n);

enum simvfs_fault {
    SIMVFS_IOERR, /* counts reads, writes, truncations, syncs, opens, deletes, sizes and existence checks */
    SIMVFS_FULL,  /* counts writes */
};
/* The n-th such call from now fails, and when `lasting` every later one. For sweeps over every n. 0 takes it back. */
void simvfs_fail_after(struct simvfs *sim, const char *machine, enum simvfs_fault fault, uint64_t n, bool lasting);
/* Whether the call that simvfs_fail_after waits for has come: the end of a sweep. */
bool simvfs_failed(struct simvfs *sim, const char *machine);
/* Changing operations since the machine came into being. */
uint64_t simvfs_ops(struct simvfs *sim, const char *machine);
/* Turns one bit of a file over, in both images. false: no such file, or it is shorter. */
bool simvfs_flip(struct simvfs *sim, const char *machine, const char *file, uint64_t bit);

/* --- power --- */
/* Power cut: now. */
void simvfs_cut(struct simvfs *sim, const char *machine);
/* The process dies, the system goes on: handles are dead, the volatile image stays. */
void simvfs_kill(struct simvfs *sim, const char *machine);
/* False from a cut or a kill to the next start; meanwhile every call of the machine gives an I/O error. */
bool simvfs_is_on(struct simvfs *sim, const char *machine);
/* Every handle must be closed (asserted): a database that outlived its process would write to the next one's files. */
void simvfs_start(struct simvfs *sim, const char *machine);

/* --- images --- */
/* `to` gets exactly the files of `from` as they are read now, all durable: a backup, a restore, a clone. Knobs stay.
 * `to` must have no open handle; a copy taken while a database is open is what `cp` makes of the two files. */
void simvfs_copy(struct simvfs *sim, const char *from, const char *to);
/* An empty disk. No open handle. */
void simvfs_wipe(struct simvfs *sim, const char *machine);

enum simvfs_image { SIMVFS_VOLATILE, SIMVFS_DURABLE };
/* Calls each for every file that has a name in that image, in the order of their names. bytes are borrowed during the
 * call. A false answer ends it. */
void simvfs_files(struct simvfs *sim, const char *machine, enum simvfs_image image,
                  bool (*each)(void *ctx, const char *file, struct carnet_slice bytes), void *ctx);
/* Looks for bytes in every file, in both images and in the writes between them. Gives the name of a file that has them,
 * until the machine changes; NULL: nowhere. */
const char *simvfs_search(struct simvfs *sim, const char *machine, struct carnet_slice needle);
/* A number that is the same when both images of all files are the same: for comparing two runs. */
uint64_t simvfs_digest(struct simvfs *sim, const char *machine);

#endif
