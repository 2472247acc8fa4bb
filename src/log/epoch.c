// SPDX-License-Identifier: EUPL-1.2
#include "carnet/log/authority.h"

#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Epochs stay where they are, so that a key is copied nowhere; the array of pointers is ordered by book, scope, id. */
struct carnet_keyring {
    struct carnet_epoch **epochs;
    size_t count, cap;
};

uint64_t carnet_epoch_commit(const struct carnet_id *book, enum carnet_scope scope, const struct carnet_key *key, struct carnet_hash *commitment)
{
    struct carnet_hasher hasher;
    uint8_t scope_byte = (uint8_t)scope;
    carnet_hasher_init(&hasher, CARNET_EPOCH_DOMAIN);
    carnet_hasher_add(&hasher, book->b, sizeof book->b);
    carnet_hasher_add(&hasher, &scope_byte, sizeof scope_byte);
    carnet_hasher_add(&hasher, key->b, sizeof key->b);
    *commitment = carnet_hasher_done(&hasher);
    return carnet_log_number(commitment);
}

struct carnet_keyring *carnet_keyring_new(void)
{
    return carnet_alloc(sizeof(struct carnet_keyring));
}

void carnet_keyring_free(struct carnet_keyring *ring)
{
    if (!ring)
        return;
    for (size_t i = 0; i < ring->count; i++) {
        carnet_wipe(ring->epochs[i], sizeof *ring->epochs[i]);
        free(ring->epochs[i]);
    }
    free(ring->epochs);
    free(ring);
}

static int compare(const struct carnet_epoch *epoch, const struct carnet_id *book, enum carnet_scope scope, uint64_t id)
{
    int order = carnet_id_compare(&epoch->book, book);
    if (order)
        return order;
    if (epoch->scope != scope)
        return epoch->scope < scope ? -1 : 1;
    return epoch->id < id ? -1 : epoch->id > id;
}

static size_t lower(const struct carnet_keyring *ring, const struct carnet_id *book, enum carnet_scope scope,
                    uint64_t id)
{
    size_t low = 0, high = ring->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(ring->epochs[middle], book, scope, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void carnet_keyring_add(struct carnet_keyring *ring, const struct carnet_epoch *epoch)
{
    if (epoch->id != carnet_log_number(&epoch->commitment))
        return; /* no key can ever match */
    size_t at = lower(ring, &epoch->book, epoch->scope, epoch->id);
    if (at < ring->count && compare(ring->epochs[at], &epoch->book, epoch->scope, epoch->id) == 0) {
        /* Announced twice, the smaller number counts, whichever came first. */
        if (epoch->number < ring->epochs[at]->number)
            ring->epochs[at]->number = epoch->number;
        return;
    }
    struct carnet_epoch *copy = carnet_alloc(sizeof *copy);
    *copy = (struct carnet_epoch){.book = epoch->book,
                                  .scope = epoch->scope,
                                  .id = epoch->id,
                                  .number = epoch->number,
                                  .commitment = epoch->commitment};
    CARNET_GROW(ring->epochs, ring->count, ring->cap);
    memmove(ring->epochs + at + 1, ring->epochs + at, (ring->count - at) * sizeof *ring->epochs);
    ring->epochs[at] = copy;
    ring->count++;
    if (epoch->held) {
        bool news;
        carnet_rc rc = carnet_keyring_unlock(ring, epoch->id, &epoch->key, &news);
        (void)rc; /* a key that does not fit is none */
    }
}

carnet_rc carnet_keyring_unlock(struct carnet_keyring *ring, uint64_t id, const struct carnet_key *key, bool *news)
{
    carnet_rc rc = CARNET_NOT_FOUND;
    *news = false;
    for (size_t i = 0; i < ring->count; i++) {
        struct carnet_epoch *epoch = ring->epochs[i];
        struct carnet_hash commitment;
        if (epoch->id != id)
            continue;
        if (carnet_epoch_commit(&epoch->book, epoch->scope, key, &commitment) != id || !carnet_hash_equal(&epoch->commitment, &commitment)) {
            if (rc != CARNET_OK)
                rc = CARNET_MALFORMED;
            continue;
        }
        *news |= !epoch->held;
        epoch->held = true;
        epoch->key = *key;
        rc = CARNET_OK;
    }
    return rc;
}

const struct carnet_epoch *carnet_keyring_find(const struct carnet_keyring *ring, const struct carnet_id *book,
                                               enum carnet_scope scope, uint64_t id)
{
    size_t at = lower(ring, book, scope, id);
    return at < ring->count && compare(ring->epochs[at], book, scope, id) == 0 ? ring->epochs[at] : NULL;
}

const struct carnet_epoch *carnet_keyring_newest(const struct carnet_keyring *ring, const struct carnet_id *book,
                                                 enum carnet_scope scope)
{
    const struct carnet_epoch *best = NULL;
    for (size_t i = lower(ring, book, scope, 0); i < ring->count; i++) {
        const struct carnet_epoch *epoch = ring->epochs[i];
        if (!carnet_id_equal(&epoch->book, book) || epoch->scope != scope)
            break;
        if (epoch->held && (!best || epoch->number > best->number)) /* in order of id: the smallest comes first */
            best = epoch;
    }
    return best;
}

size_t carnet_keyring_count(const struct carnet_keyring *ring)
{
    return ring->count;
}

const struct carnet_epoch *carnet_keyring_at(const struct carnet_keyring *ring, size_t i)
{
    CARNET_ASSERT(i < ring->count);
    return ring->epochs[i];
}
