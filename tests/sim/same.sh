#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# same.sh PROGRAM OTHER-PROGRAM|--reverse: the first 20 seeds leave the same traces. 77: the other program was not built.
set -eu
program=$1
if [ "$2" = --reverse ]; then
    set -- "$program" --reverse
else
    [ -x "$2" ] || exit 77
    set -- "$2"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$program" --seeds 1-20 | sort >"$work/a"
"$@" --seeds 1-20 | sort >"$work/b"
cmp "$work/a" "$work/b"
