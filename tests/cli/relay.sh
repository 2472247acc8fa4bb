#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# A relay passes on what it cannot read; books and scopes that a node does not hold never reach it.
. "$(dirname "$0")/lib.sh"

found a
on a --quiet book add presse
start_node a
join_node a r relay
join_node a b office
join_node a v volunteer --book main --scope identity
id=$(on a --json add given=Marker1 family=Lefèvre email=marker2@example.org --grant newsletter --source market | text_of id)
press=$(on a --json add given=Marker3 --book presse --source market | text_of id)
start_node r
until_true sh -c "[ \"\$('$carnet' --home '$scratch/r' --json status | sed 's/.*\"contacts\":\([0-9]*\).*/\1/')\" = 2 ]"
lists r "$id" locked identity || wrong 'the relay reads names'
lists r "$id" locked email || wrong 'the relay reads addresses'
stop_node a
# b and v meet the relay alone
relay=$(address_of r)
on b --json sync "$relay" >/dev/null
expect 'through the relay' "$(field b "$id" email)" marker2@example.org
expect 'and the other book' "$(field b "$press" given)" Marker3
on v --json sync "r@$relay" >/dev/null
expect 'the volunteer reads a name' "$(field v "$id" given)" Marker1
lists v "$id" locked email || wrong 'the volunteer reads addresses'
fails 3 v show "$press"
on b --quiet edit "$id" given=Marker4
on b --json sync "$relay" >/dev/null
stop_node r
start_node a
start_node r
until_true field_is a "$id" given Marker4
for node in a r; do
    stop_node "$node"
done
for file in "$scratch"/r/*; do
    [ ! -f "$file" ] || ! grep -qa -e Marker1 -e marker2 -e Marker3 -e Marker4 "$file" || wrong "the relay's $file can be read"
done
for file in "$scratch"/v/*; do
    [ ! -f "$file" ] || ! grep -qa -e marker2 -e Marker3 "$file" || wrong "the volunteer's $file holds what it may not have"
done
expect 'verify at the relay' "$(on r --json verify | text_of ok)" true
