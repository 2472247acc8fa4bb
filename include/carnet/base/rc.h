// SPDX-License-Identifier: EUPL-1.2
/* base/rc: result codes and one-line errors. Layer: base; knows nothing above it.
 *
 * A code says what the caller can do about it. Pure layers (model, log, sync, wire, crypto) return only
 * carnet_rc; layers that touch the world also fill a struct carnet_err given by the caller. */
#ifndef CARNET_BASE_RC_H
#define CARNET_BASE_RC_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CARNET_MUST_USE __attribute__((warn_unused_result))
#define CARNET_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* code, exit status of the command line, name of the JSON error */
#define CARNET_RC_TABLE(X)                                                                          \
    X(OK, 0, "ok")                                                                                 \
    X(FAILED, 1, "failed")         /* the environment: unreadable file, full disk, I/O */          \
    X(MALFORMED, 1, "failed")      /* bytes that break their format; the sender is at fault */     \
    X(LIMIT, 1, "failed")          /* larger than a bound of base/limits.h */                      \
    X(CORRUPT, 1, "failed")        /* our own file is damaged */                                   \
    X(BUSY, 1, "failed")           /* somebody else owns it: a locked home */                      \
    X(CANCELLED, 1, "failed")      /* stopped by the user */                                       \
    X(USAGE, 2, "usage")           /* wrong words on the command line, a value a field refuses */  \
    X(NOT_FOUND, 3, "not_found")                                                                   \
    X(REFUSED, 4, "refused")       /* consent, rights, law, used or expired code, other community */ \
    X(LOCKED, 4, "refused")        /* the key is not held here */                                  \
    X(AMBIGUOUS, 5, "ambiguous")                                                                   \
    X(CONFLICT, 5, "conflict")                                                                     \
    X(UNREACHABLE, 6, "unreachable")                                                               \
    X(AGAIN, 1, "failed")          /* not yet: something it depends on has not arrived */          \
    X(FORK, 4, "refused")          /* two contents at one place of one log */

enum carnet_rc {
#define X(name, status, text) CARNET_##name,
    CARNET_RC_TABLE(X)
#undef X
};
typedef enum carnet_rc carnet_rc;

/* Exit status of the command line for rc. */
int carnet_rc_status(carnet_rc rc);
/* Name for {"error": ...}: one of usage not_found refused ambiguous conflict unreachable failed. Static text. */
const char *carnet_rc_name(carnet_rc rc);

/* Languages a person may read. Machine output is never translated. */
enum carnet_lang { CARNET_LANG_EN, CARNET_LANG_FR };

/* The text of an English literal in a language: the English itself when lang is EN or the catalogue (src/base/fr/)
 * has no such line (a test fails then). Static text. `_()` in sources marks literals for the catalogue check. */
const char *carnet_tr(enum carnet_lang lang, const char *english);

/* One error, filled by the function that failed. `lang` is set by whoever makes the struct (CARNET_ERR_INIT: English). */
struct carnet_err {
    enum carnet_lang lang;
    carnet_rc rc;
    char what[256]; /* what and where, one line, no final full stop */
    char hint[200]; /* what to do; may be empty */
};
#define CARNET_ERR_INIT { .lang = CARNET_LANG_EN, .rc = CARNET_OK, .what = "", .hint = "" }

/* Sets rc and what; returns rc, so `return carnet_err_set(err, CARNET_FAILED, "cannot read %s: %s", p, e);`.
 * fmt is an English literal that the French catalogue translates, with the same conversions in the same order.
 * err may be NULL. Control characters in the result become '?', so that an error stays one line. */
carnet_rc carnet_err_set(struct carnet_err *err, carnet_rc rc, const char *fmt, ...) CARNET_PRINTF(3, 4);
/* Adds the hint; same catalogue. */
void carnet_err_hint(struct carnet_err *err, const char *fmt, ...) CARNET_PRINTF(2, 3);

/* Faults planted for the tests of the tests: the simulator has to catch them. In the product it is the constant false. CARNET_PLANTS: chosen when
 * the program runs, for one build of all; CARNET_PLANT=N: when it is compiled. */
#if defined(CARNET_PLANTS)
extern int carnet_planted;
#define CARNET_PLANTED(n) (carnet_planted == (n))
#elif defined(CARNET_PLANT)
#define CARNET_PLANTED(n) (CARNET_PLANT == (n))
#else
#define CARNET_PLANTED(n) false
#endif

/* A bug of ours: prints where and aborts; also in release builds. Never for received bytes. */
#define CARNET_ASSERT(cond) ((cond) ? (void)0 : carnet_bug(#cond, __FILE__, __LINE__))
_Noreturn void carnet_bug(const char *what, const char *file, int line);

#endif
