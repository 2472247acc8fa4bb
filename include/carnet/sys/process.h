// SPDX-License-Identifier: EUPL-1.2
/* sys/process: what the process asks of the kernel about itself. Layer: sys; sees only base. */
#ifndef CARNET_SYS_PROCESS_H
#define CARNET_SYS_PROCESS_H

#include "carnet/base/rc.h"

/* Keys stay in memory: no core file (RLIMIT_CORE 0), and no other process of the user reads ours (PR_SET_DUMPABLE 0;
 * left out under the address sanitizer, whose leak check reads its own process). Before any key is loaded. */
CARNET_MUST_USE carnet_rc carnet_process_harden(struct carnet_err *err);

#endif
