// SPDX-License-Identifier: EUPL-1.2
/* Passphrases: from CARNET_PASSPHRASE_FILE or a prompt, never from arguments. */
#ifndef CARNET_CLI_PASSPHRASE_H
#define CARNET_CLI_PASSPHRASE_H

#include "cli.h"

/* The passphrase of a home that exists: empty when it has none. LOCKED: it has one, and there is no file and no terminal. */
CARNET_MUST_USE carnet_rc cli_passphrase(struct cli *cli, const char *home, struct carnet_buf *out);
/* The passphrase of a home that is made: empty when none is given. On a terminal it is asked for twice. */
CARNET_MUST_USE carnet_rc cli_passphrase_new(struct cli *cli, struct carnet_buf *out);
void cli_passphrase_wipe(struct carnet_buf *passphrase);

#endif
