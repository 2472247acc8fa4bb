#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Three nodes by hand: cut off, they edit one phone number and add a tag; together again, nobody's work is lost.
. "$(dirname "$0")/lib.sh"

found a
start_node a
join_node a b office
join_node a c volunteer --scope identity --scope phone
expect 'the volunteer reads what it was given' "$(on c --json members | grep '"node":"c"' | list_of scopes)" 'identity,phone,consent'
id=$(on a --json add given=Jean-Noël family='Le Goff' phone=+33639980001 email=jn@example.org --grant sms --grant newsletter --source market | text_of id)
start_node b
start_node c
until_true field_is b "$id" phone +33639980001
until_true field_is c "$id" phone +33639980001
lists c "$id" locked email || wrong 'the address is not locked for the volunteer'
expect 'find with every form of the name' "$(on c --json find 'jean noel legoff' | text_of id)" "$id"

stop_node b
stop_node c
on b --quiet edit "$id" phone=+33639980002
on c --quiet edit "$id" phone=+33639980003
on b --quiet tag "$id" +relance
expect 'no conflict yet at b' "$(on b --json conflicts)" ''
start_node b
start_node c
for node in a b c; do
    until_true sh -c "'$carnet' --home '$scratch/$node' --json conflicts | grep -q '\"field\":\"phone\"'"
    until_true lists "$node" "$id" tags relance
    values=$(on "$node" --json conflicts | grep -o '"value":"[^"]*"' | sort | tr '\n' ' ')
    expect "both numbers at $node" "$values" '"value":"+33639980002" "value":"+33639980003" '
done
fails 3 a resolve "$id" given --keep 1
fails 2 a resolve "$id" phone --keep 3
on a --quiet resolve "$id" phone --keep-all
for node in a b c; do
    until_true sh -c "[ -z \"\$('$carnet' --home '$scratch/$node' --json conflicts)\" ]"
    until_true sh -c "'$carnet' --home '$scratch/$node' --json show '$id' | grep -q '\"phone/2\"'"
done

# kill -9 loses nothing that was acknowledged, and a node comes back by itself
other=$(on b --json add given=Maël family=Œuvrard --source market | text_of id)
kill_node b
expect 'after kill -9' "$(field b "$other" family)" 'Œuvrard'
start_node b
until_true field_is a "$other" family 'Œuvrard'
expect 'find oe' "$(on a --json find oeuvrard | text_of id)" "$other"
kill_node a
start_node a
late=$(on c --json add given=Inès family=Groß --source market | text_of id)
until_true field_is a "$late" family Groß
until_true field_is b "$late" family Groß
expect 'find ss' "$(on b --json find gross | text_of id)" "$late"

# a refusal at one is one at all
on b --quiet consent withdraw "$id" newsletter
for node in a c; do
    until_true sh -c "'$carnet' --home '$scratch/$node' --json consent '$id' | grep '\"newsletter\"' | grep -q '\"withdrawn\"'"
done
# paper, countersigned by another
on b --quiet consent grant "$id" newsletter --source 'signed at the office' --proof 'paper 12'
until_true sh -c "'$carnet' --home '$scratch/a' --json consent '$id' | grep '\"newsletter\"' | grep -q '\"requested\"'"
on a --quiet consent countersign "$id" newsletter
until_true field_is b "$id" email jn@example.org

on a --quiet --yes erase "$id"
for node in b c; do
    until_true sh -c "! '$carnet' --home '$scratch/$node' show '$id'"
    on "$node" --quiet sweep
done
on a --quiet sweep
until_true sh -c "[ \"\$('$carnet' --home '$scratch/a' --json erasures | grep -F '$id' | sed 's/.*outstanding\":\[\([^]]*\)\].*/\1/')\" = '' ]"
until_true same_state a b
until_true same_state a c
for node in c b a; do
    stop_node "$node"
done
for home in a b c; do
    ! grep -ac 'jn@example.org' "$scratch/$home/carnet.db" "$scratch/$home/carnet.db-wal" 2>/dev/null | grep -v ':0$' || wrong "$home still has the erased address"
done
# sync once, without a running node on one side
start_node a
on b --quiet edit "$other" given=Maëlle
on b --json sync | grep -q '"peer":"a"' || wrong 'sync names its peer'
expect 'arrived by sync' "$(field a "$other" given)" Maëlle
on b --json sync >"$scratch/sync.json"
expect 'nothing new' "$(text_of sent_entries <"$scratch/sync.json")$(text_of received_entries <"$scratch/sync.json")" 00
