// SPDX-License-Identifier: EUPL-1.2
/* sys/home: where a node lives, and that one process alone owns it. Layer: sys; sees only base. */
#ifndef CARNET_SYS_HOME_H
#define CARNET_SYS_HOME_H

#include "carnet/base/bytes.h"

/* Gives the home folder: option (--home) unless NULL, else CARNET_HOME, else XDG_DATA_HOME/carnet, else
 * HOME/.local/share/carnet. An empty variable counts as none, as does a relative XDG_DATA_HOME (its specification
 * says so). Nothing is made. out: freed with free(). USAGE: an empty option. FAILED: none of these is set. */
CARNET_MUST_USE carnet_rc carnet_home_find(const char *option, char **out, struct carnet_err *err);

/* The hold on a home folder; ends with the process at the latest, however it ends. */
struct carnet_home_lock {
    int fd;
};
#define CARNET_HOME_LOCK_NONE { .fd = -1 }
/* Takes HOME/lock, which stays in the folder. BUSY: another process has it (or this one, through another struct).
 * FAILED: the folder is missing or closed. */
CARNET_MUST_USE carnet_rc carnet_home_lock(const char *home, struct carnet_home_lock *lock, struct carnet_err *err);
void carnet_home_unlock(struct carnet_home_lock *lock); /* may be called twice */

#endif
