// SPDX-License-Identifier: EUPL-1.2
/* sys/clock: the time, through pointers that the simulator replaces. Layer: sys; sees only base. */
#ifndef CARNET_SYS_CLOCK_H
#define CARNET_SYS_CLOCK_H

#include "carnet/base/rc.h"

struct carnet_clock {
    int64_t (*wall_ms)(void *ctx); /* Unix time in milliseconds; may jump, either way */
    int64_t (*mono_ms)(void *ctx); /* milliseconds since any moment; never goes back; counts a laptop's sleep */
    void *ctx;                     /* borrows: lives as long as the clock's users */
};

struct carnet_clock carnet_clock_system(void);
int64_t carnet_clock_wall_ms(const struct carnet_clock *clock);
int64_t carnet_clock_mono_ms(const struct carnet_clock *clock);

/* A clock that stands still until somebody writes the struct. Keeps hands. */
struct carnet_clock_hands {
    int64_t wall_ms;
    int64_t mono_ms;
};
struct carnet_clock carnet_clock_manual(struct carnet_clock_hands *hands);

#endif
