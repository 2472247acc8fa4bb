// SPDX-License-Identifier: EUPL-1.2
#include "simvfs.h"

#include "carnet/sys/random.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

enum { SECTOR = 512, SHM_LOCKS = 8, NAME_LEN_MAX = 63 };

struct image {
    uint8_t *ptr;
    size_t len, cap;
};

/* A write, or a truncation to `offset` when data is NULL. */
struct op {
    uint64_t offset;
    size_t len;
    uint8_t *data;
};

struct node {    /* a file, whatever its names */
    size_t refs; /* names and handles */
    struct image now, kept;
    struct op *ops;
    size_t op_count, op_cap;
    /* locks of the database file */
    int shared;
    struct handle *reserved, *pending, *exclusive;
    /* the index of the log, in memory */
    uint8_t **shm;
    size_t shm_count, shm_cap, shm_refs;
    int shm_shared[SHM_LOCKS];
    struct handle *shm_exclusive[SHM_LOCKS];
};

struct name {
    char *text;
    struct node *node;
};

struct folder {
    struct name *names; /* ordered */
    size_t count, cap;
};

struct folder_op {
    bool create;
    struct name name;
};

struct machine {
    struct machine *next;
    char name[NAME_LEN_MAX + 1];
    struct carnet_rng_state rng_state;
    struct carnet_rng rng;
    struct simvfs_knobs knobs;
    bool on;
    uint64_t life; /* handles of an earlier one are dead */
    size_t handles;
    struct folder now, kept;
    struct folder_op *ops;
    size_t op_count, op_cap;
    uint64_t changes, cut_in, fail_in;
    enum simvfs_fault fail_kind;
    bool cut_is_kill, fail_lasting, failing, failed;
};

struct simvfs {
    sqlite3_vfs vfs;
    char name[NAME_LEN_MAX + 1];
    uint64_t seed;
    int64_t wall_ms;
    struct carnet_rng_state rng_state;
    struct carnet_rng rng;
    struct machine *machines;
};

struct handle {
    sqlite3_file base;
    struct machine *machine;
    struct node *node;
    char *name;
    uint64_t life;
    int lock;
    bool delete_on_close, folder_unsynced, has_shm;
    unsigned shm_shared, shm_exclusive;
};

/* --- images --- */

static void image_resize(struct image *image, size_t len)
{
    if (len > image->cap) {
        size_t cap = image->cap > 0 ? image->cap : 4096;
        while (cap < len)
            cap += cap / 2;
        image->ptr = carnet_realloc(image->ptr, cap, 1);
        image->cap = cap;
    }
    if (len > image->len)
        memset(image->ptr + image->len, 0, len - image->len);
    image->len = len;
}

static void image_write(struct image *image, uint64_t offset, const uint8_t *data, size_t len)
{
    if (len == 0)
        return;
    if (offset + len > image->len)
        image_resize(image, offset + len);
    memcpy(image->ptr + offset, data, len);
}

static void image_copy(struct image *to, const struct image *from)
{
    image_resize(to, from->len);
    if (from->len > 0)
        memcpy(to->ptr, from->ptr, from->len);
}

static void image_apply(struct image *image, const struct op *op)
{
    if (op->data)
        image_write(image, op->offset, op->data, op->len);
    else if (op->offset < image->len)
        image_resize(image, op->offset);
}

static void node_ops_clear(struct node *node)
{
    for (size_t i = 0; i < node->op_count; i++)
        free(node->ops[i].data);
    node->op_count = 0;
}

static void node_unref(struct node *node)
{
    CARNET_ASSERT(node->refs > 0);
    if (--node->refs > 0)
        return;
    node_ops_clear(node);
    free(node->ops);
    free(node->now.ptr);
    free(node->kept.ptr);
    for (size_t i = 0; i < node->shm_count; i++)
        free(node->shm[i]);
    free(node->shm);
    free(node);
}

static void node_change(struct node *node, uint64_t offset, const uint8_t *data, size_t len)
{
    struct op op = {.offset = offset, .len = len};
    if (data) {
        op.data = carnet_alloc(len > 0 ? len : 1);
        memcpy(op.data, data, len);
    }
    CARNET_GROW(node->ops, node->op_count, node->op_cap);
    node->ops[node->op_count++] = op;
    image_apply(&node->now, &op);
}

static void node_sync(struct node *node)
{
    for (size_t i = 0; i < node->op_count; i++)
        image_apply(&node->kept, &node->ops[i]);
    node_ops_clear(node);
}

/* --- folders --- */

static size_t folder_place(const struct folder *folder, const char *name, bool *found)
{
    size_t i = 0;
    while (i < folder->count && strcmp(folder->names[i].text, name) < 0)
        i++;
    *found = i < folder->count && strcmp(folder->names[i].text, name) == 0;
    return i;
}

static struct node *folder_find(const struct folder *folder, const char *name)
{
    bool found;
    size_t i = folder_place(folder, name, &found);
    return found ? folder->names[i].node : NULL;
}

static void folder_remove(struct folder *folder, const char *name)
{
    bool found;
    size_t i = folder_place(folder, name, &found);
    if (!found)
        return;
    free(folder->names[i].text);
    node_unref(folder->names[i].node);
    memmove(&folder->names[i], &folder->names[i + 1], (folder->count - i - 1) * sizeof folder->names[0]);
    folder->count--;
}

static void folder_add(struct folder *folder, const char *name, struct node *node)
{
    bool found;
    node->refs++;
    folder_remove(folder, name);
    size_t i = folder_place(folder, name, &found);
    CARNET_GROW(folder->names, folder->count, folder->cap);
    memmove(&folder->names[i + 1], &folder->names[i], (folder->count - i) * sizeof folder->names[0]);
    folder->names[i] = (struct name){.text = carnet_strdup_slice(carnet_slice_str(name)), .node = node};
    folder->count++;
}

static void folder_clear(struct folder *folder)
{
    while (folder->count > 0)
        folder_remove(folder, folder->names[folder->count - 1].text);
}

static void folder_copy(struct folder *to, const struct folder *from)
{
    folder_clear(to);
    for (size_t i = 0; i < from->count; i++)
        folder_add(to, from->names[i].text, from->names[i].node);
}

static void folder_apply(struct folder *folder, const struct folder_op *op)
{
    if (op->create)
        folder_add(folder, op->name.text, op->name.node);
    else
        folder_remove(folder, op->name.text);
}

static void machine_ops_clear(struct machine *m)
{
    for (size_t i = 0; i < m->op_count; i++) {
        free(m->ops[i].name.text);
        node_unref(m->ops[i].name.node);
    }
    m->op_count = 0;
}

static void machine_name_change(struct machine *m, bool create, const char *name, struct node *node)
{
    node->refs++;
    CARNET_GROW(m->ops, m->op_count, m->op_cap);
    m->ops[m->op_count] =
        (struct folder_op){.create = create, .name = {carnet_strdup_slice(carnet_slice_str(name)), node}};
    folder_apply(&m->now, &m->ops[m->op_count++]);
}

static void machine_folder_sync(struct machine *m)
{
    folder_copy(&m->kept, &m->now);
    machine_ops_clear(m);
}

/* --- machines --- */

static struct machine *machine_of(struct simvfs *sim, const char *name, size_t len)
{
    for (struct machine *m = sim->machines; m; m = m->next)
        if (strncmp(m->name, name, len) == 0 && m->name[len] == 0)
            return m;
    CARNET_ASSERT(len <= NAME_LEN_MAX);
    struct machine *m = carnet_alloc(sizeof *m);
    memcpy(m->name, name, len);
    uint64_t seed = sim->seed ^ UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        seed = (seed ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
    m->rng = carnet_rng_seeded(&m->rng_state, seed);
    m->on = true;
    m->next = sim->machines;
    sim->machines = m;
    return m;
}

static struct machine *machine(struct simvfs *sim, const char *name)
{
    return machine_of(sim, name, strlen(name));
}

/* The machine and the file of a path; a path without a folder is on a machine without a name. */
static struct machine *machine_at(struct simvfs *sim, const char *path, const char **file)
{
    while (*path == '/')
        path++;
    const char *slash = strchr(path, '/');
    *file = slash ? slash + 1 : path;
    return machine_of(sim, path, slash ? (size_t)(slash - path) : 0);
}

static bool chance(struct machine *m, uint32_t ppm)
{
    return ppm > 0 && carnet_rng_below(&m->rng, 1000000) < ppm;
}

/* What a cut leaves of one operation. */
static void settle(struct machine *m, struct image *image, const struct op *op)
{
    uint64_t fate = carnet_rng_below(&m->rng, m->knobs.whole || !op->data || op->len == 0 ? 2 : 4);
    if (fate == 0)
        return;
    if (fate == 1) {
        image_apply(image, op);
        return;
    }
    uint64_t first = op->offset / SECTOR, last = (op->offset + op->len - 1) / SECTOR;
    uint64_t end = first + carnet_rng_below(&m->rng, last - first + 2); /* the sector at the cut, for a beginning */
    for (uint64_t sector = first; sector <= last; sector++) {
        uint64_t from = sector * SECTOR < op->offset ? op->offset : sector * SECTOR;
        uint64_t to = (sector + 1) * SECTOR > op->offset + op->len ? op->offset + op->len : (sector + 1) * SECTOR;
        bool keep = fate == 2 ? sector < end : carnet_rng_below(&m->rng, 2) == 0;
        if (keep)
            image_write(image, from, op->data + (from - op->offset), to - from);
        if (fate == 2 && sector == end && m->knobs.no_psow) {
            uint8_t noise[SECTOR];
            carnet_rng_fill(&m->rng, noise, sizeof noise);
            size_t len = sector * SECTOR + SECTOR > image->len ? to - sector * SECTOR : SECTOR;
            image_write(image, sector * SECTOR, noise, len);
        }
    }
}

static void node_cut(struct machine *m, struct node *node)
{
    for (size_t i = 0; i < node->op_count; i++)
        settle(m, &node->kept, &node->ops[i]);
    node_ops_clear(node);
    image_copy(&node->now, &node->kept);
}

/* The locks were the process's. */
static void machine_unlock(struct machine *m)
{
    for (size_t i = 0; i < m->now.count; i++) {
        struct node *node = m->now.names[i].node;
        node->shared = 0;
        node->reserved = node->pending = node->exclusive = NULL;
        for (size_t k = 0; k < SHM_LOCKS; k++) {
            node->shm_shared[k] = 0;
            node->shm_exclusive[k] = NULL;
        }
    }
}

static void machine_stop(struct machine *m)
{
    m->on = false;
    m->life++;
    m->cut_in = m->fail_in = 0;
    m->failing = false;
    machine_unlock(m);
}

static void machine_cut(struct machine *m)
{
    machine_stop(m);
    for (size_t i = 0; i < m->op_count; i++)
        if (carnet_rng_below(&m->rng, 2) == 0)
            folder_apply(&m->kept, &m->ops[i]);
    machine_ops_clear(m);
    folder_copy(&m->now, &m->kept);
    for (size_t i = 0; i < m->now.count; i++)
        node_cut(m, m->now.names[i].node);
    machine_unlock(m);
}

/* The moment that simvfs_cut_after or simvfs_kill_after waited for. */
static void machine_end(struct machine *m)
{
    if (m->cut_is_kill)
        machine_stop(m);
    else
        machine_cut(m);
}

/* --- what may go wrong with a call --- */

enum call { CALL_READ, CALL_WRITE, CALL_TRUNCATE, CALL_SYNC, CALL_OPEN, CALL_DELETE, CALL_LOOK };
enum fate { FATE_GOOD, FATE_DEAD, FATE_IOERR, FATE_FULL, FATE_CUT /* do it, then cut */ };

static bool fail_now(struct machine *m, enum simvfs_fault kind)
{
    if (m->fail_kind != kind)
        return false;
    if (m->failing)
        return true;
    if (m->fail_in == 0 || --m->fail_in > 0)
        return false;
    m->failed = true;
    m->failing = m->fail_lasting;
    return true;
}

static enum fate fate_of(struct machine *m, enum call call, bool changes)
{
    if (!m->on)
        return FATE_DEAD;
    if (changes)
        m->changes++;
    if (changes && m->cut_in > 0 && --m->cut_in == 0)
        return FATE_CUT;
    if (fail_now(m, SIMVFS_IOERR))
        return FATE_IOERR;
    if (call == CALL_WRITE && (fail_now(m, SIMVFS_FULL) || chance(m, m->knobs.enospc_ppm)))
        return FATE_FULL;
    if (call != CALL_SYNC && call != CALL_LOOK && chance(m, m->knobs.ioerr_ppm))
        return FATE_IOERR;
    if (call == CALL_SYNC && chance(m, m->knobs.fsyncerr_ppm))
        return FATE_IOERR;
    return FATE_GOOD;
}

static enum fate handle_fate(struct handle *h, enum call call, bool changes)
{
    return h->life != h->machine->life ? FATE_DEAD : fate_of(h->machine, call, changes);
}

/* --- files --- */

static int file_close(sqlite3_file *file)
{
    struct handle *h = (struct handle *)file;
    if (h->delete_on_close && h->name && h->life == h->machine->life && h->machine->on &&
        folder_find(&h->machine->now, h->name))
        machine_name_change(h->machine, false, h->name, h->node);
    CARNET_ASSERT(h->machine->handles > 0);
    h->machine->handles--;
    node_unref(h->node);
    free(h->name);
    return SQLITE_OK;
}

static int file_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
    struct handle *h = (struct handle *)file;
    if (handle_fate(h, CALL_READ, false) != FATE_GOOD)
        return SQLITE_IOERR_READ;
    const struct image *image = &h->node->now;
    size_t at = (size_t)offset, want = (size_t)len, have = at < image->len ? image->len - at : 0;
    if (have > want)
        have = want;
    if (have > 0)
        memcpy(out, image->ptr + at, have);
    memset((uint8_t *)out + have, 0, want - have);
    return have < want ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static uint64_t machine_bytes(const struct machine *m)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < m->now.count; i++)
        bytes += m->now.names[i].node->now.len;
    return bytes;
}

static int file_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
    struct handle *h = (struct handle *)file;
    struct machine *m = h->machine;
    enum fate fate = handle_fate(h, CALL_WRITE, true);
    size_t count = (size_t)len;
    uint64_t at = (uint64_t)offset;
    if (fate == FATE_GOOD && m->knobs.capacity > 0 && at + count > h->node->now.len &&
        machine_bytes(m) + at + count - h->node->now.len > m->knobs.capacity)
        fate = FATE_FULL;
    switch (fate) {
    case FATE_GOOD:
        node_change(h->node, at, data, count);
        return SQLITE_OK;
    case FATE_CUT:
        node_change(h->node, at, data, count);
        machine_end(m);
        return SQLITE_IOERR_WRITE;
    case FATE_IOERR:
    case FATE_FULL:
        count = carnet_rng_below(&m->rng, 2) == 0 ? 0 : carnet_rng_below(&m->rng, count + 1);
        if (m->knobs.capacity > 0 && at + count > h->node->now.len)
            count = 0;
        if (count > 0)
            node_change(h->node, at, data, count);
        return fate == FATE_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    case FATE_DEAD:
        break;
    }
    return SQLITE_IOERR_WRITE;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct handle *h = (struct handle *)file;
    enum fate fate = handle_fate(h, CALL_TRUNCATE, true);
    if (fate == FATE_GOOD || fate == FATE_CUT)
        node_change(h->node, (uint64_t)size, NULL, 0);
    if (fate == FATE_CUT)
        machine_end(h->machine);
    return fate == FATE_GOOD ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int file_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    struct handle *h = (struct handle *)file;
    struct machine *m = h->machine;
    enum fate fate = handle_fate(h, CALL_SYNC, true);
    switch (fate) {
    case FATE_GOOD:
        if (chance(m, m->knobs.lie_sync_ppm))
            return SQLITE_OK;
        node_sync(h->node);
        if (h->folder_unsynced) {
            machine_folder_sync(m);
            h->folder_unsynced = false;
        }
        return SQLITE_OK;
    case FATE_CUT:
        machine_end(m);
        return SQLITE_IOERR_FSYNC;
    case FATE_IOERR:
        for (size_t i = 0; i < h->node->op_count; i++)
            if (carnet_rng_below(&m->rng, 2) == 0)
                image_apply(&h->node->kept, &h->node->ops[i]);
        node_ops_clear(h->node);
        return SQLITE_IOERR_FSYNC;
    case FATE_FULL:
    case FATE_DEAD:
        break;
    }
    return SQLITE_IOERR_FSYNC;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct handle *h = (struct handle *)file;
    if (handle_fate(h, CALL_LOOK, false) != FATE_GOOD)
        return SQLITE_IOERR_FSTAT;
    *size = (sqlite3_int64)h->node->now.len;
    return SQLITE_OK;
}

static bool is_alive(const struct handle *h)
{
    return h->machine->on && h->life == h->machine->life;
}

static int file_lock(sqlite3_file *file, int level)
{
    struct handle *h = (struct handle *)file;
    struct node *n = h->node;
    if (!is_alive(h))
        return SQLITE_IOERR_LOCK;
    if (h->lock >= level)
        return SQLITE_OK;
    if (h->lock == SQLITE_LOCK_NONE) {
        if (n->pending || n->exclusive)
            return SQLITE_BUSY;
        n->shared++;
        h->lock = SQLITE_LOCK_SHARED;
    }
    if (level >= SQLITE_LOCK_RESERVED) {
        if (n->reserved && n->reserved != h)
            return SQLITE_BUSY;
        n->reserved = h;
        if (h->lock < SQLITE_LOCK_RESERVED)
            h->lock = SQLITE_LOCK_RESERVED;
    }
    if (level == SQLITE_LOCK_EXCLUSIVE) {
        n->pending = h;
        h->lock = SQLITE_LOCK_PENDING;
        if (n->shared > 1)
            return SQLITE_BUSY;
        n->exclusive = h;
        h->lock = SQLITE_LOCK_EXCLUSIVE;
    }
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *file, int level)
{
    struct handle *h = (struct handle *)file;
    struct node *n = h->node;
    if (is_alive(h) && h->lock > level) {
        if (n->exclusive == h)
            n->exclusive = NULL;
        if (n->pending == h)
            n->pending = NULL;
        if (n->reserved == h)
            n->reserved = NULL;
        if (level == SQLITE_LOCK_NONE)
            n->shared--;
    }
    if (h->lock > level)
        h->lock = level;
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *file, int *out)
{
    struct handle *h = (struct handle *)file;
    if (!is_alive(h))
        return SQLITE_IOERR_CHECKRESERVEDLOCK;
    *out = h->node->reserved != NULL;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    (void)file;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *file)
{
    (void)file;
    return 4096; /* what SQLite's own unix VFS says */
}

static int file_characteristics(sqlite3_file *file)
{
    return ((struct handle *)file)->machine->knobs.no_psow ? 0 : SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int file_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    struct handle *h = (struct handle *)file;
    struct node *n = h->node;
    *out = NULL;
    if (!is_alive(h))
        return SQLITE_IOERR_SHMMAP;
    if (!h->has_shm) {
        h->has_shm = true;
        n->shm_refs++;
    }
    while (extend && n->shm_count <= (size_t)region) {
        CARNET_GROW(n->shm, n->shm_count, n->shm_cap);
        n->shm[n->shm_count++] = carnet_alloc((size_t)size);
    }
    if ((size_t)region < n->shm_count)
        *out = n->shm[region];
    return SQLITE_OK;
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    struct handle *h = (struct handle *)file;
    struct node *n = h->node;
    if (!is_alive(h))
        return SQLITE_IOERR_SHMLOCK;
    bool lock = flags & SQLITE_SHM_LOCK, shared = flags & SQLITE_SHM_SHARED;
    for (int pass = 0; pass < 2; pass++) { /* first look, then take */
        for (int k = offset; k < offset + count; k++) {
            unsigned bit = 1u << k;
            if (pass == 0) {
                bool others = n->shm_shared[k] > (h->shm_shared & bit ? 1 : 0) ||
                              (n->shm_exclusive[k] && n->shm_exclusive[k] != h);
                if (lock && (shared ? n->shm_exclusive[k] != NULL : others))
                    return SQLITE_BUSY;
            } else if (shared) {
                bool has = h->shm_shared & bit;
                n->shm_shared[k] += lock ? !has : -(int)has;
                h->shm_shared = lock ? h->shm_shared | bit : h->shm_shared & ~bit;
            } else if (lock || n->shm_exclusive[k] == h) {
                n->shm_exclusive[k] = lock ? h : NULL;
            }
        }
    }
    return SQLITE_OK;
}

static void file_shm_barrier(sqlite3_file *file)
{
    (void)file;
}

static int file_shm_unmap(sqlite3_file *file, int delete)
{
    (void)delete;
    struct handle *h = (struct handle *)file;
    struct node *n = h->node;
    if (!h->has_shm)
        return SQLITE_OK;
    h->has_shm = false;
    for (unsigned k = 0; is_alive(h) && k < SHM_LOCKS; k++) {
        n->shm_shared[k] -= h->shm_shared >> k & 1 ? 1 : 0;
        if (n->shm_exclusive[k] == h)
            n->shm_exclusive[k] = NULL;
    }
    h->shm_shared = 0;
    if (--n->shm_refs == 0) {
        for (size_t i = 0; i < n->shm_count; i++)
            free(n->shm[i]);
        n->shm_count = 0;
    }
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* --- the VFS --- */

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags)
{
    struct handle *h = (struct handle *)file;
    struct simvfs *sim = vfs->pAppData;
    const char *name = NULL;
    struct machine *m = path ? machine_at(sim, path, &name) : machine(sim, "");
    *h = (struct handle){.machine = m, .life = m->life, .delete_on_close = flags & SQLITE_OPEN_DELETEONCLOSE};
    struct node *node = path ? folder_find(&m->now, name) : NULL;
    bool make = !node && (flags & SQLITE_OPEN_CREATE);
    enum fate fate = fate_of(m, CALL_OPEN, make);
    if (fate == FATE_CUT)
        machine_end(m);
    if (fate != FATE_GOOD || (!node && !make) || (node && (flags & SQLITE_OPEN_EXCLUSIVE)))
        return fate == FATE_GOOD ? SQLITE_CANTOPEN : SQLITE_IOERR;
    if (make) {
        node = carnet_alloc(sizeof *node);
        if (path)
            machine_name_change(m, true, name, node);
        h->folder_unsynced = flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL);
    }
    node->refs++;
    h->node = node;
    h->name = path ? carnet_strdup_slice(carnet_slice_str(name)) : NULL;
    m->handles++;
    h->base.pMethods = &methods;
    if (out_flags)
        *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    const char *name;
    struct machine *m = machine_at(vfs->pAppData, path, &name);
    enum fate fate = fate_of(m, CALL_DELETE, true);
    if (fate != FATE_GOOD && fate != FATE_CUT)
        return SQLITE_IOERR_DELETE;
    struct node *node = folder_find(&m->now, name);
    if (node)
        machine_name_change(m, false, name, node);
    if (fate == FATE_CUT) {
        machine_end(m);
        return SQLITE_IOERR_DELETE;
    }
    if (!node)
        return SQLITE_IOERR_DELETE_NOENT;
    if (sync_folder && !chance(m, m->knobs.lie_sync_ppm))
        machine_folder_sync(m);
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    const char *name;
    struct machine *m = machine_at(vfs->pAppData, path, &name);
    *out = 0;
    if (fate_of(m, CALL_LOOK, false) != FATE_GOOD)
        return SQLITE_IOERR_ACCESS;
    const struct node *node = folder_find(&m->now, name);
    *out = node && (flags != SQLITE_ACCESS_EXISTS || node->now.len > 0); /* as the unix VFS: an empty file is none */
    return SQLITE_OK;
}

static int vfs_full_pathname(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
    (void)vfs;
    size_t len = strlen(path);
    if (len >= (size_t)size)
        return SQLITE_CANTOPEN;
    memcpy(out, path, len + 1);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int len, char *out)
{
    struct simvfs *sim = vfs->pAppData;
    carnet_rng_fill(&sim->rng, out, (size_t)len);
    return len;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int vfs_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    const struct simvfs *sim = vfs->pAppData;
    *out = sim->wall_ms + INT64_C(210866760000000); /* from the Julian epoch to 1970 */
    return SQLITE_OK;
}

static int vfs_time(sqlite3_vfs *vfs, double *out)
{
    sqlite3_int64 ms;
    vfs_time_ms(vfs, &ms);
    *out = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int len, char *out)
{
    (void)vfs;
    (void)len;
    (void)out;
    return 0;
}

struct simvfs *simvfs_new(const char *name, uint64_t seed)
{
    struct simvfs *sim = carnet_alloc(sizeof *sim);
    CARNET_ASSERT(strlen(name) <= NAME_LEN_MAX);
    memcpy(sim->name, name, strlen(name) + 1);
    sim->seed = seed;
    sim->wall_ms = INT64_C(1700000000000);
    sim->rng = carnet_rng_seeded(&sim->rng_state, seed);
    sim->vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = (int)sizeof(struct handle),
        .mxPathname = 512,
        .zName = sim->name,
        .pAppData = sim,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_time_ms,
    };
    CARNET_ASSERT(!sqlite3_vfs_find(name));
    int code = sqlite3_vfs_register(&sim->vfs, 0);
    CARNET_ASSERT(code == SQLITE_OK);
    return sim;
}

void simvfs_make_default(struct simvfs *sim)
{
    int code = sqlite3_vfs_register(&sim->vfs, 1);
    CARNET_ASSERT(code == SQLITE_OK);
    sim->rng = carnet_rng_seeded(&sim->rng_state, sim->seed);
    sqlite3_randomness(0, NULL);
}

static void machine_empty(struct machine *m)
{
    CARNET_ASSERT(m->handles == 0);
    folder_clear(&m->now);
    folder_clear(&m->kept);
    machine_ops_clear(m);
}

void simvfs_free(struct simvfs *sim)
{
    sqlite3_vfs_unregister(&sim->vfs);
    sqlite3_randomness(0, NULL);
    while (sim->machines) {
        struct machine *m = sim->machines;
        sim->machines = m->next;
        machine_empty(m);
        free(m->now.names);
        free(m->kept.names);
        free(m->ops);
        free(m);
    }
    free(sim);
}

void simvfs_time(struct simvfs *sim, int64_t wall_ms)
{
    sim->wall_ms = wall_ms;
}

void simvfs_knobs(struct simvfs *sim, const char *name, const struct simvfs_knobs *knobs)
{
    machine(sim, name)->knobs = *knobs;
}

void simvfs_cut_after(struct simvfs *sim, const char *name, uint64_t n)
{
    struct machine *m = machine(sim, name);
    m->cut_in = n;
    m->cut_is_kill = false;
}

void simvfs_kill_after(struct simvfs *sim, const char *name, uint64_t n)
{
    struct machine *m = machine(sim, name);
    m->cut_in = n;
    m->cut_is_kill = true;
}

void simvfs_fail_after(struct simvfs *sim, const char *name, enum simvfs_fault fault, uint64_t n, bool lasting)
{
    struct machine *m = machine(sim, name);
    m->fail_kind = fault;
    m->fail_in = n;
    m->fail_lasting = lasting;
    m->failing = m->failed = false;
}

bool simvfs_failed(struct simvfs *sim, const char *name)
{
    return machine(sim, name)->failed;
}

uint64_t simvfs_ops(struct simvfs *sim, const char *name)
{
    return machine(sim, name)->changes;
}

bool simvfs_flip(struct simvfs *sim, const char *name, const char *file, uint64_t bit)
{
    struct node *node = folder_find(&machine(sim, name)->now, file);
    if (!node || bit / 8 >= node->now.len)
        return false;
    node->now.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (bit / 8 < node->kept.len)
        node->kept.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    return true;
}

void simvfs_cut(struct simvfs *sim, const char *name)
{
    machine_cut(machine(sim, name));
}

void simvfs_kill(struct simvfs *sim, const char *name)
{
    machine_stop(machine(sim, name));
}

bool simvfs_is_on(struct simvfs *sim, const char *name)
{
    return machine(sim, name)->on;
}

void simvfs_start(struct simvfs *sim, const char *name)
{
    struct machine *m = machine(sim, name);
    CARNET_ASSERT(m->handles == 0);
    m->on = true;
}

void simvfs_wipe(struct simvfs *sim, const char *name)
{
    machine_empty(machine(sim, name));
}

void simvfs_copy(struct simvfs *sim, const char *from_name, const char *to_name)
{
    struct machine *from = machine(sim, from_name), *to = machine(sim, to_name);
    CARNET_ASSERT(from != to);
    machine_empty(to);
    for (size_t i = 0; i < from->now.count; i++) {
        struct node *node = carnet_alloc(sizeof *node);
        image_copy(&node->now, &from->now.names[i].node->now);
        image_copy(&node->kept, &node->now);
        folder_add(&to->now, from->now.names[i].text, node);
    }
    folder_copy(&to->kept, &to->now);
}

void simvfs_files(struct simvfs *sim, const char *name, enum simvfs_image image,
                  bool (*each)(void *ctx, const char *file, struct carnet_slice bytes), void *ctx)
{
    const struct machine *m = machine(sim, name);
    const struct folder *folder = image == SIMVFS_VOLATILE ? &m->now : &m->kept;
    for (size_t i = 0; i < folder->count; i++) {
        const struct node *node = folder->names[i].node;
        const struct image *bytes = image == SIMVFS_VOLATILE ? &node->now : &node->kept;
        if (!each(ctx, folder->names[i].text, carnet_slice(bytes->ptr, bytes->len)))
            return;
    }
}

static bool has(const void *bytes, size_t len, struct carnet_slice needle)
{
    return len > 0 && memmem(bytes, len, needle.ptr, needle.len) != NULL;
}

static bool node_has(const struct node *node, struct carnet_slice needle)
{
    if (has(node->now.ptr, node->now.len, needle) || has(node->kept.ptr, node->kept.len, needle))
        return true;
    for (size_t i = 0; i < node->op_count; i++)
        if (node->ops[i].data && has(node->ops[i].data, node->ops[i].len, needle))
            return true;
    return false;
}

const char *simvfs_search(struct simvfs *sim, const char *name, struct carnet_slice needle)
{
    CARNET_ASSERT(needle.len > 0);
    const struct machine *m = machine(sim, name);
    const struct folder *folders[] = {&m->now, &m->kept};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < folders[k]->count; i++)
            if (node_has(folders[k]->names[i].node, needle))
                return folders[k]->names[i].text;
    for (size_t i = 0; i < m->op_count; i++)
        if (node_has(m->ops[i].name.node, needle))
            return m->ops[i].name.text;
    return NULL;
}

static uint64_t mix(uint64_t digest, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++)
        digest = (digest ^ p[i]) * UINT64_C(0x100000001b3);
    return (digest ^ len) * UINT64_C(0x100000001b3);
}

uint64_t simvfs_digest(struct simvfs *sim, const char *name)
{
    const struct machine *m = machine(sim, name);
    const struct folder *folders[] = {&m->now, &m->kept};
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < folders[k]->count; i++) {
            const struct image *bytes = k == 0 ? &folders[k]->names[i].node->now : &folders[k]->names[i].node->kept;
            digest = mix(digest, folders[k]->names[i].text, strlen(folders[k]->names[i].text));
            digest = mix(digest, bytes->ptr, bytes->len);
        }
    return digest;
}
