// SPDX-License-Identifier: EUPL-1.2
#include "carnet/base/rc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int carnet_rc_status(carnet_rc rc)
{
    switch (rc) {
#define X(name, status, text) case CARNET_##name: return status;
        CARNET_RC_TABLE(X)
#undef X
    }
    return 1;
}

const char *carnet_rc_name(carnet_rc rc)
{
    switch (rc) {
#define X(name, status, text) case CARNET_##name: return text;
        CARNET_RC_TABLE(X)
#undef X
    }
    return "failed";
}

struct line {
    const char *en;
    const char *fr;
};
/* One file a layer, so that a layer's texts stay beside each other. */
static const struct line catalogue[] = {
#include "fr/base.inc"
#include "fr/store.inc"
#include "fr/net.inc"
#include "fr/sys.inc"
#include "fr/replica.inc"
#include "fr/revoke.inc"
#include "fr/people.inc"
#include "fr/suppress.inc"
#include "fr/import.inc"
#include "fr/merge.inc"
#include "fr/query.inc"
#include "fr/segment.inc"
#include "fr/node.inc"
#include "fr/cli.inc"
#include "fr/law.inc"
#include "fr/charter.inc"
#include "fr/export.inc"
#include "fr/imports.inc"
#include "fr/manual.inc"
};

const char *carnet_tr(enum carnet_lang lang, const char *english)
{
    if (lang == CARNET_LANG_EN)
        return english;
    for (size_t i = 0; i < sizeof catalogue / sizeof catalogue[0]; i++)
        if (strcmp(catalogue[i].en, english) == 0)
            return catalogue[i].fr;
    return english;
}

CARNET_PRINTF(3, 0) static void fill(char *out, size_t size, const char *fmt, va_list args)
{
    vsnprintf(out, size, fmt, args);
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
}

/* The catalogue's test proves that the French text has the conversions of the English one. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
carnet_rc carnet_err_set(struct carnet_err *err, carnet_rc rc, const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        err->rc = rc;
        err->hint[0] = 0;
        fill(err->what, sizeof err->what, carnet_tr(err->lang, fmt), args);
        va_end(args);
    }
    return rc;
}

void carnet_err_hint(struct carnet_err *err, const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        fill(err->hint, sizeof err->hint, carnet_tr(err->lang, fmt), args);
        va_end(args);
    }
}
#pragma GCC diagnostic pop

#ifdef CARNET_PLANTS
int carnet_planted;
#endif

_Noreturn void carnet_bug(const char *what, const char *file, int line)
{
    fprintf(stderr, "carnet: bug at %s:%d: %s\n", file, line, what);
    abort();
}
