// SPDX-License-Identifier: EUPL-1.2
/* Loaded before the program (LD_PRELOAD): its wall clock is CARNET_SHIFT_DAYS ahead, so that a test lives through months. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *ts)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        *(void **)(&real) = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, ts);
    const char *days = getenv("CARNET_SHIFT_DAYS");
    if (result == 0 && id == CLOCK_REALTIME && days)
        ts->tv_sec += atol(days) * 86400;
    return result;
}
