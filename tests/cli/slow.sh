#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# A long way to catch up over a slow line that breaks: what came stays, the rest follows, memory does not grow with it.
. "$(dirname "$0")/lib.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)

found a
"$root/tools/demo-data" --people 20000 --seed 9 --format csv --out "$scratch/people.csv"
on a --quiet import "$scratch/people.csv" --source export --collected 2025-03-01 --basis consent --grant newsletter --grant sms --grant mail
total=$(on a --json status | text_of contacts)
start_node a
code=$(on a --json invite --name b --role office | text_of code)
python3 "$root/tests/cli/slow_proxy.py" "$(address_of a | sed 's/.*://')" 1500000 >"$scratch/proxy.out" 2>/dev/null &
echo $! >"$scratch/proxy.pid"
until_true grep -q . "$scratch/proxy.out"
slow="a@tcp://127.0.0.1:$(cat "$scratch/proxy.out")"
# joining syncs once: cut it short, the node is a member all the same
"$carnet" --home "$scratch/b" --quiet join "$code" --node b >/dev/null 2>&1 &
pid=$!
until_true [ -e "$scratch/b/carnet.db" ]
until_true sh -c "[ \"\$(stat -c %s '$scratch/b/carnet.db-wal' 2>/dev/null || echo 0)\" -gt 1500000 ] || [ \"\$(stat -c %s '$scratch/b/carnet.db')\" -gt 1500000 ]"
kill -9 "$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true

before=$(on b --json status | text_of contacts)
# at least three cuts; the law comes first and whole, so the first ones may end before any contact has come
for cut in 1 2 3 4 5 6 7 8 9 10 11 12; do
    [ "$cut" -le 3 ] || [ "$before" -eq 0 ] || break
    "$carnet" --home "$scratch/b" --json sync "$slow" >"$scratch/sync.json" 2>/dev/null &
    pid=$!
    sleep 2
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    now=$(on b --json status | text_of contacts)
    [ "$now" -ge "$before" ] || wrong "less after a cut: $before, then $now"
    checks=$((checks + 1))
    before=$now
done
[ "$before" -gt 0 ] || wrong 'nothing of what came was kept'
# a build with AddressSanitizer reserves terabytes of addresses
limit='prlimit --as=1000000000'
! grep -q __asan_init "$carnet" || limit=
# shellcheck disable=SC2086 # two words
$limit "$carnet" --home "$scratch/b" --json sync "$slow" >"$scratch/sync.json"
expect 'everything' "$(on b --json status | text_of contacts)" "$total"
expect 'verify' "$(on b --json verify | text_of ok)" true
expect 'the same' "$(state_of a)" "$(state_of b)"
kill "$(cat "$scratch/proxy.pid")"
rm "$scratch/proxy.pid"
stop_node a
