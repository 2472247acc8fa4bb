#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# purity_planted.sh BUILD CC: tools/check-purity sees a clock, a file, a socket, randomness, a library or a higher layer that is called
# in a pure layer of a build, here in a copy of its archives.
set -eu
check=$(cd "$(dirname "$0")/.." && pwd)/tools/check-purity
build=$1
cc=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for archive in "$build"/src/*/libcarnet_*.a; do
    layer=$(basename "$(dirname "$archive")")
    mkdir -p "$scratch/src/$layer"
    cp "$archive" "$scratch/src/$layer/"
done
if ! "$check" "$scratch"; then
    echo "the build itself is refused"
    exit 1
fi

refused() { # refused SYMBOL C-TEXT: with that text in the layer wire the check ends with 1 and names the symbol
    cp "$build/src/wire/libcarnet_wire.a" "$scratch/src/wire/"
    printf '%s\n' "$2" >"$scratch/planted.c"
    "$cc" -w -c -o "$scratch/planted.o" "$scratch/planted.c"
    ar rs "$scratch/src/wire/libcarnet_wire.a" "$scratch/planted.o"
    status=0
    "$check" "$scratch" >"$scratch/out" || status=$?
    if [ "$status" -ne 1 ] || ! grep -qw "$1" "$scratch/out"; then
        echo "status $status for $1: $(cat "$scratch/out")"
        exit 1
    fi
}

refused time 'long time(long *); long planted(void) { return time(0); }'
refused open 'int open(const char *, int, ...); int planted(void) { return open("x", 0); }'
refused socket 'int socket(int, int, int); int planted(void) { return socket(1, 1, 0); }'
refused getrandom 'long getrandom(void *, unsigned long, unsigned); long planted(char *p) { return getrandom(p, 1, 0); }'
refused randombytes_buf 'void randombytes_buf(void *, unsigned long); void planted(char *p) { randombytes_buf(p, 1); }'
refused crypto_pwhash 'int crypto_pwhash(void); int planted(void) { return crypto_pwhash(); }'
refused carnet_rng_u64 'unsigned long carnet_rng_u64(void *); unsigned long planted(void) { return carnet_rng_u64(0); }'
refused printf 'int printf(const char *, ...); int planted(int x) { return printf("%d", x); }'
