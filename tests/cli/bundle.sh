#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# A USB stick instead of a network; and a cut, an altered and a foreign one.
. "$(dirname "$0")/lib.sh"

found a
start_node a
join_node a b office
stop_node a
id=$(on a --json add given=Zoé family=Martin email=zoe@example.org --grant newsletter --source market | text_of id)
on a --json bundle export "$scratch/stick" --for b >"$scratch/out.json"
[ "$(text_of entries <"$scratch/out.json")" -ge 1 ] || wrong 'an empty bundle'
on b --json bundle import "$scratch/stick" >"$scratch/in.json"
expect 'refused' "$(text_of refused <"$scratch/in.json")" 0
expect 'carried by hand' "$(field b "$id" email)" zoe@example.org
on b --quiet edit "$id" given=Zoë
on b --quiet bundle export "$scratch/back"
on a --quiet bundle import "$scratch/back"
expect 'and back' "$(field a "$id" given)" Zoë
expect 'the same state' "$(state_of a)" "$(state_of b)"
on a --json bundle import "$scratch/back" >"$scratch/again.json"
expect 'nothing new the second time' "$(text_of new <"$scratch/again.json")" 0
expect 'twice is once' "$(state_of a)" "$(state_of b)"

size=$(stat -c %s "$scratch/stick")
head -c $((size - 40)) "$scratch/stick" >"$scratch/cut"
fails 1 b bundle import "$scratch/cut"
printf 'x' | dd of="$scratch/stick" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
fails 1 b bundle import "$scratch/stick"
printf 'hello' >"$scratch/noise"
fails 1 b bundle import "$scratch/noise"
fails 1 b bundle import "$scratch/nowhere"
fails 3 a bundle export "$scratch/x" --for nobody
found other
fails 4 other bundle import "$scratch/back"
expect 'verify' "$(on b --json verify | text_of ok)" true
