// SPDX-License-Identifier: EUPL-1.2
#include "carnet/sys/process.h"

#include "carnet/sys/file.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

carnet_rc carnet_process_harden(struct carnet_err *err)
{
    const struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };
    if (setrlimit(RLIMIT_CORE, &none) != 0 || (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0))
        return carnet_err_set(err, CARNET_FAILED, "cannot keep the memory from being dumped: %s",
                              carnet_errno_text(carnet_err_lang(err), errno));
    return CARNET_OK;
}
