#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# plants.sh SOURCE-DIR JOBS: every planted bug must make the simulator fail within 120 seeds (most within 10), for the promise that it breaks.
set -eu
cd "$1"
jobs=$2

cmake -C tools/cmake/plants.cmake -S . -B .build/plants -G Ninja >/dev/null
cmake --build .build/plants --parallel "$jobs" --target carnet-sim >/dev/null
program=.build/plants/tests/carnet-sim

"$program" --seeds 0-9 --jobs "$jobs" --quiet || {
    echo "without a planted bug it fails too" >&2
    exit 1
}
missed=0
while read -r plant promises what; do
    found=$("$program" --plant "$plant" --seeds 0-119 --jobs "$jobs" --quiet --until-fail | grep ': FAIL' | head -n 1 || true)
    named=no
    for promise in $(echo "$promises" | tr , ' '); do
        case $found in
        *": FAIL $promise "* | *": FAIL $promise:"*) named=yes ;;
        esac
    done
    if [ "$named" = yes ]; then
        echo "caught: $plant ($what): $found"
    else
        missed=1
        echo "MISSED: $plant ($what), expected $promises: ${found:-no seed of 120 fails}"
    fi
done <<'END'
1 P3,P1 the last writer wins by its clock
2 P1,P3 what was replaced before it arrived comes to life
3 P4 a later grant beats a refusal that it does not name
4 P9,P2 signatures are not checked
5 P9 a scope is written without the right to
7 P2 the log is not synced
8 P5 pages are not swept
10 P2 announced before it is durable
12 P5 what comes after an erasure is stored
13 P5 what is dark stays in the entries
14 P4 phones are shown whatever was said
15 P1,P3,P5,verify half of an entry is applied
17 P8 a code serves twice
18 P5 a receipt without a sweep
19 P10 a timer destroys without a peer whose clock agrees
20 P8 whoever was a member once is served
21 P9 received bytes are asserted on
22 P10 what comes from the future destroys at once
23 P6 everybody gets every part
24 P10 a late clock destroys at once
25 P4,P3 a grant covers what its purpose has become
26 P1,P3 of the charter's words the last to arrive counts
31 P4 the suppression list refuses nothing
41 P4 what is agreed to on the main contact opens the others
42 P1 the contact that came first stands for the person
51 P4 an invalidated grant opens
52 P3 undoing an import takes away what others wrote since
53 P10 a shorter silence destroys at once
54 P10 retention erases whom something allows to keep
55 P4 whom nobody told is reached all the same
END
exit "$missed"
