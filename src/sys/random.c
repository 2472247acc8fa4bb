// SPDX-License-Identifier: EUPL-1.2
#include "carnet/sys/random.h"

#include <errno.h>
#include <sys/random.h>

static void system_fill(void *ctx, void *out, size_t len)
{
    (void)ctx;
    uint8_t *at = out;
    while (len) {
        ssize_t got = getrandom(at, len, 0);
        /* Interrupted only above 256 bytes, and before the kernel's pool is ready. */
        CARNET_ASSERT(got > 0 || (got < 0 && errno == EINTR));
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

struct carnet_rng carnet_rng_system(void)
{
    return (struct carnet_rng){ .fill = system_fill };
}

static uint64_t rotated(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

/* https://prng.di.unimi.it/xoshiro256starstar.c (Blackman and Vigna, public domain) */
static uint64_t seeded_next(struct carnet_rng_state *state)
{
    uint64_t *s = state->s;
    uint64_t out = rotated(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 45);
    return out;
}

static void seeded_fill(void *ctx, void *out, size_t len)
{
    uint8_t *bytes = out;
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0)
            word = seeded_next(ctx);
        bytes[i] = (uint8_t)(word >> 8 * (i % 8)); /* little-endian everywhere */
    }
}

struct carnet_rng carnet_rng_seeded(struct carnet_rng_state *state, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        /* splitmix64 */
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        state->s[i] = z ^ z >> 31;
    }
    return (struct carnet_rng){ .fill = seeded_fill, .ctx = state };
}

void carnet_rng_fill(const struct carnet_rng *rng, void *out, size_t len)
{
    rng->fill(rng->ctx, out, len);
}

uint64_t carnet_rng_u64(const struct carnet_rng *rng)
{
    uint8_t b[8];
    carnet_rng_fill(rng, b, sizeof b);
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | b[i];
    return value;
}

uint64_t carnet_rng_below(const struct carnet_rng *rng, uint64_t bound)
{
    CARNET_ASSERT(bound > 0);
    /* What lies below 2^64 mod bound would make the first values likelier. At most one draw in two is refused. */
    uint64_t refused = (0 - bound) % bound;
    uint64_t value;
    do
        value = carnet_rng_u64(rng);
    while (value < refused);
    return value % bound;
}

struct carnet_id carnet_rng_id(const struct carnet_rng *rng, int64_t wall_ms)
{
    uint8_t random[10];
    carnet_rng_fill(rng, random, sizeof random);
    return carnet_id_v7(wall_ms, random);
}
