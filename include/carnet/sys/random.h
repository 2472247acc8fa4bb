// SPDX-License-Identifier: EUPL-1.2
/* sys/random: randomness, through a pointer that tests and the simulator replace. Layer: sys; sees only base. */
#ifndef CARNET_SYS_RANDOM_H
#define CARNET_SYS_RANDOM_H

#include "carnet/base/id.h"

struct carnet_rng {
    void (*fill)(void *ctx, void *out, size_t len); /* cannot fail */
    void *ctx;                                      /* borrows: lives as long as the generator's users */
};

/* getrandom(2); the process ends if the kernel has none. Good for keys. */
struct carnet_rng carnet_rng_system(void);

/* xoshiro256** started by splitmix64: the same bytes for the same seed and the same calls, on every machine. Never
 * for keys outside tests. Keeps state. */
struct carnet_rng_state {
    uint64_t s[4];
};
struct carnet_rng carnet_rng_seeded(struct carnet_rng_state *state, uint64_t seed);

void carnet_rng_fill(const struct carnet_rng *rng, void *out, size_t len);
uint64_t carnet_rng_u64(const struct carnet_rng *rng);
uint64_t carnet_rng_below(const struct carnet_rng *rng, uint64_t bound); /* 0 to bound - 1, evenly; bound > 0 */
struct carnet_id carnet_rng_id(const struct carnet_rng *rng, int64_t wall_ms); /* a new UUIDv7 */

#endif
