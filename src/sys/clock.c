// SPDX-License-Identifier: EUPL-1.2
#include "carnet/sys/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;
    CARNET_ASSERT(clock_gettime(id, &ts) == 0);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_wall_ms(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_REALTIME);
}

static int64_t system_mono_ms(void *ctx)
{
    (void)ctx;
    /* Unlike CLOCK_MONOTONIC it runs on while the machine sleeps: a session that slept an hour is an hour old. */
    return read_ms(CLOCK_BOOTTIME);
}

struct carnet_clock carnet_clock_system(void)
{
    return (struct carnet_clock){ .wall_ms = system_wall_ms, .mono_ms = system_mono_ms };
}

int64_t carnet_clock_wall_ms(const struct carnet_clock *clock)
{
    return clock->wall_ms(clock->ctx);
}

int64_t carnet_clock_mono_ms(const struct carnet_clock *clock)
{
    return clock->mono_ms(clock->ctx);
}

static int64_t manual_wall_ms(void *ctx)
{
    const struct carnet_clock_hands *hands = ctx;
    return hands->wall_ms;
}

static int64_t manual_mono_ms(void *ctx)
{
    const struct carnet_clock_hands *hands = ctx;
    return hands->mono_ms;
}

struct carnet_clock carnet_clock_manual(struct carnet_clock_hands *hands)
{
    return (struct carnet_clock){ .wall_ms = manual_wall_ms, .mono_ms = manual_mono_ms, .ctx = hands };
}
