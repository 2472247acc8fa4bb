// SPDX-License-Identifier: EUPL-1.2
#include "node_private.h"
