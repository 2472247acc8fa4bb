// SPDX-License-Identifier: EUPL-1.2
/* HOME: keystore, carnet.db, lock, socket. */
#include "node_private.h"

#include "carnet/replica/audit.h"
#include "carnet/sys/file.h"
#include "carnet/sys/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char keystore_name[] = "keystore", database_name[] = "carnet.db";

struct carnet_home *carnet_home_of(struct carnet_node *node)
{
    return (struct carnet_home *)(void *)node; /* its first member */
}

void carnet_io_flush(struct carnet_io *io)
{
    if (io->flush)
        io->flush(io->flush_ctx, io);
}

static void alone_breathe(struct carnet_node *node, int64_t wait_ms)
{
    (void)node;
    (void)wait_ms;
}

static bool alone_cancelled(struct carnet_node *node)
{
    (void)node;
    return false; /* Ctrl-C ends the process: what is committed stays */
}

struct carnet_home *carnet_home_new(const char *path)
{
    struct carnet_home *home = carnet_alloc(sizeof *home);
    home->path = carnet_strdup_slice(carnet_slice_str(path));
    home->lock = (struct carnet_home_lock)CARNET_HOME_LOCK_NONE;
    home->node.home = home->path;
    home->node.breathe = alone_breathe;
    home->node.cancelled = alone_cancelled;
    return home;
}

void carnet_home_free(struct carnet_home *home)
{
    if (!home)
        return;
    carnet_loop_free(home->loop);
    if (home->node.replica)
        carnet_replica_close(home->node.replica);
    carnet_home_unlock(&home->lock);
    carnet_wipe(&home->identity, sizeof home->identity);
    free(home->path);
    free(home);
}

void carnet_node_close(struct carnet_node *node)
{
    if (node)
        carnet_home_free(carnet_home_of(node));
}

char *carnet_home_file(const struct carnet_home *home, bool database)
{
    return carnet_path_join(home->path, database ? database_name : keystore_name);
}

struct carnet_replica_env carnet_home_env(void)
{
    return (struct carnet_replica_env){ .clock = carnet_clock_system(), .rng = carnet_rng_system() };
}

static carnet_rc no_node(const char *path, struct carnet_err *err)
{
    carnet_err_set(err, CARNET_NOT_FOUND, "there is no node in %s", path);
    carnet_err_hint(err, "make one with `carnet init` or `carnet join`, or name its folder with --home");
    return CARNET_NOT_FOUND;
}

/* Half of a node is none, and no reason to make another one in its place. */
static carnet_rc half_node(const char *path, const char *missing, struct carnet_err *err)
{
    carnet_err_set(err, CARNET_FAILED, "the node in %s has lost its file %s", path, missing);
    carnet_err_hint(err, "restore it from a backup: without it, nothing here is readable");
    return CARNET_FAILED;
}

static carnet_rc check_files(const char *path, const char *keystore, const char *database, struct carnet_err *err)
{
    bool keys = carnet_file_exists(keystore), data = carnet_file_exists(database);
    if (data && !keys)
        return half_node(path, keystore_name, err);
    return keys && data ? CARNET_OK : no_node(path, err); /* keys alone: a join that was not answered yet */
}

/* Before a silence of perhaps minutes. */
static void say_upgrading(void *ctx)
{
    fprintf(stderr, "carnet: %s\n", carnet_tr(*(const enum carnet_lang *)ctx, "the database is of an earlier version: its views are made again, once"));
}

carnet_rc carnet_home_open(const char *path, struct carnet_slice passphrase, struct carnet_home **out, struct carnet_err *err)
{
    struct carnet_home *home = carnet_home_new(path);
    struct carnet_replica_env env = carnet_home_env();
    enum carnet_lang lang = carnet_err_lang(err);
    char *keystore = carnet_home_file(home, false), *database = carnet_home_file(home, true);
    *out = NULL;
    env.upgrading = say_upgrading;
    env.upgrading_ctx = &lang;
    carnet_rc rc = carnet_process_harden(err);
    if (rc == CARNET_OK)
        rc = check_files(path, keystore, database, err);
    if (rc == CARNET_OK)
        rc = carnet_home_lock(path, &home->lock, err);
    if (rc == CARNET_OK)
        rc = carnet_keystore_read(keystore, passphrase, &home->identity, &home->node.sealed, err);
    if (rc == CARNET_OK)
        rc = carnet_replica_open(database, &env, &home->identity, &home->node.replica, err);
    free(keystore);
    free(database);
    /* a full disk keeps nobody from reading: then the unlock is not in the trail */
    if (rc == CARNET_OK && home->node.sealed)
        (void)!carnet_audit_add(home->node.replica, CARNET_AUDIT_UNLOCK, carnet_slice_str("unlocked with the passphrase"), NULL);
    if (rc != CARNET_OK) {
        carnet_home_free(home);
        return rc;
    }
    *out = home;
    return CARNET_OK;
}

carnet_rc carnet_node_open(const char *home, struct carnet_slice passphrase, struct carnet_node **out, struct carnet_err *err)
{
    struct carnet_home *opened;
    *out = NULL;
    carnet_rc rc = carnet_home_open(home, passphrase, &opened, err);
    if (rc == CARNET_OK)
        *out = &opened->node;
    return rc;
}

carnet_rc carnet_node_vacant(const char *path, struct carnet_err *err)
{
    char *database = carnet_path_join(path, database_name);
    carnet_rc rc = CARNET_OK;
    if (carnet_file_exists(database)) {
        rc = carnet_err_set(err, CARNET_CONFLICT, "there is a node already in %s", path);
        carnet_err_hint(err, "choose another folder with --home");
    }
    free(database);
    return rc;
}

carnet_rc carnet_home_make(const char *path, struct carnet_home **out, struct carnet_err *err)
{
    struct carnet_home *home = carnet_home_new(path);
    *out = NULL;
    carnet_rc rc = carnet_process_harden(err);
    if (rc == CARNET_OK)
        rc = carnet_dir_make(path, err);
    if (rc == CARNET_OK)
        rc = carnet_home_lock(path, &home->lock, err);
    if (rc == CARNET_OK)
        rc = carnet_node_vacant(path, err);
    if (rc != CARNET_OK) {
        carnet_home_free(home);
        return rc;
    }
    *out = home;
    return CARNET_OK;
}

carnet_rc carnet_node_init(const char *path, struct carnet_slice community, struct carnet_slice node_name, struct carnet_slice passphrase,
                           struct carnet_buf *recovery, struct carnet_node **out, struct carnet_err *err)
{
    struct carnet_home *home;
    struct carnet_replica_env env = carnet_home_env();
    uint8_t root[32];
    *out = NULL;
    carnet_rc rc = carnet_home_make(path, &home, err);
    if (rc != CARNET_OK)
        return rc;
    char *keystore = carnet_home_file(home, false), *database = carnet_home_file(home, true);
    carnet_rng_fill(&env.rng, root, sizeof root);
    carnet_identity_new(&env.rng, &home->identity);
    rc = carnet_keystore_write(keystore, &home->identity, passphrase, &env.rng, err);
    if (rc == CARNET_OK)
        rc = carnet_replica_found(database, &env, community, node_name, &home->identity, root, &home->node.replica, err);
    if (rc == CARNET_OK) {
        home->node.sealed = passphrase.len > 0;
        carnet_recovery_encode(root, recovery);
        *out = &home->node;
    } else if (carnet_file_remove(keystore, NULL) == CARNET_OK) {
        carnet_home_remove_database(database);
    }
    carnet_wipe(root, sizeof root);
    free(keystore);
    free(database);
    if (rc != CARNET_OK)
        carnet_home_free(home);
    return rc;
}

/* What a beginning that failed left. */
void carnet_home_remove_database(const char *database)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct carnet_buf path;
        carnet_buf_init(&path, 8192);
        carnet_buf_printf(&path, "%s%s", database, ends[i]);
        unlink(carnet_buf_cstr(&path));
        carnet_buf_deinit(&path);
    }
}
