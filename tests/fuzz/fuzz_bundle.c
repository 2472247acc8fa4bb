// SPDX-License-Identifier: EUPL-1.2
/* A bundle of any bytes: reading it ends, with one reason when it is not whole, and applies nothing that was not signed. The first byte: 1, the
 * reader is the volunteer; the rest is the file. */
#include "../support/sync_world.h"
#include "carnet/sync/bundle.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct world world;

struct file {
    const uint8_t *ptr;
    size_t left;
    struct world_node *node;
};

static void make_world(void)
{
    world_init(&world, 1);
    struct world_terms office = { .role = CARNET_ROLE_OFFICE, .scopes = CARNET_SCOPES_ALL };
    struct world_terms volunteer = {
        .role = CARNET_ROLE_VOLUNTEER, .scopes = 1u << CARNET_SCOPE_IDENTITY, .books = &world.book[1], .book_count = 1
    };
    world_join(&world, "office", &office);
    world_join(&world, "volunteer", &volunteer);
    for (size_t i = 0; i < 4; i++)
        world_write(&world.nodes[0], &world.book[i % 2], i == 3 ? CARNET_LOG_LAW : CARNET_LOG_DATA);
    for (size_t i = 1; i < world.node_count; i++)
        world.nodes[i].frozen = true;
}

static bool read_file(void *ctx, uint8_t *out, size_t max, size_t *got)
{
    struct file *file = ctx;
    *got = file->left < max ? file->left : max;
    if (*got)
        memcpy(out, file->ptr, *got);
    file->ptr += *got;
    file->left -= *got;
    return true;
}

static carnet_rc apply(void *ctx, const struct carnet_slice *entries, size_t count, carnet_rc *rcs)
{
    struct file *file = ctx;
    for (size_t i = 0; i < count; i++)
        rcs[i] = world_apply(file->node, entries[i]);
    return CARNET_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct carnet_bundle_stats stats;
    const char *why = NULL;
    if (!world.node_count)
        make_world();
    if (len == 0)
        return 0;
    struct file file = { .ptr = data + 1, .left = len - 1, .node = &world.nodes[data[0] & 1 ? 2 : 1] };
    struct carnet_bundle_input input = { .ctx = &file, .read = read_file, .apply = apply };
    carnet_rc rc = carnet_bundle_read(&file.node->source, &input, &stats, &why);
    if ((rc == CARNET_OK) != (why == NULL) || stats.bytes > len - 1)
        abort();
    return 0;
}
