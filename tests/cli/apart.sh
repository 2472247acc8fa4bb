#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# What the law asks when several nodes are at it, and when a long work is stopped: numbers as in law.sh.
. "$(dirname "$0")/lib.sh"

later() { # later DAYS NODE COMMAND...: so many days from now
    days=$1
    shift
    CARNET_SHIFT_DAYS=$days LD_PRELOAD=${CARNET_CLOCK_SHIFT:?names the library} ASAN_OPTIONS=verify_asan_link_order=0 on "$@"
}

found a
start_node a
join_node a b office
join_node a v volunteer --scope identity --scope email

# 8. restricted at one office, lifted at another: blocked and open everywhere
zoe=$(on a --json add given=Zoé email=zoe@example.org --grant newsletter --source stand | text_of id)
li=$(on a --json add given=Li email=li@example.org --grant newsletter --source stand | text_of id)
address=$(address_of a)
meet() {
    on b --quiet sync "$address" >/dev/null
    on v --quiet sync "$address" >/dev/null
}
meet
on a --quiet restrict "$zoe"
meet
for node in a b v; do
    expect "restricted at $node" "$(field $node "$zoe" email)" ''
    expect "not found at $node" "$(on $node --json find zoe)" ''
done
on b --quiet --yes export "$scratch/b.csv" --plain --reason test
grep -q zoe@example.org "$scratch/b.csv" && wrong 'another office exports who is restricted'
on b --quiet lift "$zoe"
expect 'not yet known' "$(field a "$zoe" email)" ''
meet
meet
for node in a b v; do
    expect "lifted at $node" "$(field $node "$zoe" email)" zoe@example.org
done

# two offices restrict without seeing each other; a lift ends what its office has seen, no more
on a --quiet restrict "$zoe"
on b --quiet restrict "$zoe"
on a --quiet lift "$zoe"
meet
meet
expect 'what the other office asked for stands' "$(field a "$zoe" email)" ''
on a --quiet lift "$zoe"
meet
expect 'both are lifted' "$(field b "$zoe" email)" zoe@example.org

# 8. an erasure: each node confirms after its own sweep, and who has not is named
on b --quiet --yes erase "$li"
receipts() {
    on "$1" --json erasures | grep -F "$li" | list_of "$2" | tr ',' '\n' | sort | tr '\n' ' '
}
expect 'nobody has swept' "$(receipts b acknowledged)" ' '
expect 'all are named' "$(receipts b outstanding)" 'a b v '
on b --quiet sweep
expect 'one has' "$(receipts b acknowledged)" 'b '
meet
on a --quiet sweep
expect 'two have' "$(receipts a acknowledged)" 'a b '
expect 'the volunteer is named' "$(receipts a outstanding)" 'v '
on v --quiet sweep
meet
meet
for node in a b v; do
    expect "all have, as $node knows" "$(receipts $node acknowledged)" 'a b v '
    fails 3 $node show "$li"
done
stop_node a
for node in a b v; do
    grep -q 'li@example.org' "$scratch/$node"/carnet.db* && wrong "the address is on the disk of $node"
done

# 10. five thousand of a roll: stopped on the way, the same command goes on, and nobody of it is left
ballot=$(date -u -d '+3 days' +%Y-%m-%d)
awk 'BEGIN { print "given,family,street,city"; for (i = 1; i <= 5000; i++) printf "Roll%d,Nom%d,%d rue des Lilas,Grenoble\n", i, i, i }' >"$scratch/roll.csv"
found p
on p --json import "$scratch/roll.csv" --source 'electoral roll' --collected 2026-05-01 --basis roll --ballot "$ballot" >"$scratch/roll.json"
expect 'the roll' "$(text_of created <"$scratch/roll.json")" 5000
kept=$(on p --json find roll77 --limit 1 | text_of id)
on p --quiet consent grant "$kept" newsletter --source 'at the door'
contacts() {
    later 5 p --json status | text_of contacts
}
stops=0
said=0
while [ "$(contacts)" -gt 1 ] && [ "$stops" -lt 40 ]; do
    got=0
    # a shell's background work ignores the signal, so another program sends it; each time later, so that each gets further
    CARNET_SHIFT_DAYS=5 python3 -c '
import os, signal, subprocess, sys
work = subprocess.Popen(sys.argv[2:], env=dict(os.environ, LD_PRELOAD=os.environ["CARNET_CLOCK_SHIFT"], ASAN_OPTIONS="verify_asan_link_order=0"))
try:
    sys.exit(work.wait(0.05 + 0.1 * int(sys.argv[1])))
except subprocess.TimeoutExpired:
    work.send_signal(signal.SIGINT)
    sys.exit(work.wait() & 255)' "$stops" "$carnet" --home "$scratch/p" --json --yes purge "$ballot" >"$scratch/purge.json" 2>"$scratch/err" || got=$?
    [ "$got" -eq 0 ] || stops=$((stops + 1))
    grep -q '"stopped after .*the same command goes on"' "$scratch/err" && said=$((said + 1))
    [ "$got" -eq 0 ] || on p --json verify | grep -q '"ok": *true' || wrong "stopped with $got, and the log is not whole"
done
[ "$stops" -ge 2 ] || wrong 'the purge was never stopped'
[ "$said" -ge 1 ] || wrong "a purge that is stopped does not say so: $(cat "$scratch/err")"
later 5 p --json --yes purge "$ballot" >"$scratch/purge.json"
expect 'nothing more to do' "$(text_of erased <"$scratch/purge.json")" 0
expect 'one is left' "$(contacts)" 1
expect 'who agreed' "$(later 5 p --json show "$kept" | list_of dark)" postal
expect verify "$(later 5 p --json verify | text_of ok)" true
