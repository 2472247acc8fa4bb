#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# A node at work: commands during an import, two imports at once, a client that goes away, sync meanwhile, a node that is stopped or killed.
. "$(dirname "$0")/lib.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
people=10000
for seed in 1 2 3; do
    "$root/tools/demo-data" --people $people --seed $seed --format nationbuilder --out "$scratch/all.csv"
    sed "2,\$s/^/$seed/" "$scratch/all.csv" >"$scratch/$seed.csv" # the ids of three sources, so that nobody is known again
done

begin_import() { # begin_import NODE SEED: in the background; $importer is its process, $scratch/import.SEED what it says
    "$carnet" --home "$scratch/$1" --json import "$scratch/$2.csv" --source export --collected 2025-03-01 --basis consent --grant newsletter \
        >"$scratch/import.$2" 2>"$scratch/import.$2.err" &
    importer=$!
}

end_import() { # end_import SEED: it must end with 0; every row is accounted for
    status=0
    wait "$importer" || status=$?
    expect "import $1: $(cat "$scratch/import.$1.err")" "$status" 0
    sum=0
    for key in created updated unchanged rejected suppressed; do
        sum=$((sum + $(text_of "$key" <"$scratch/import.$1")))
    done
    expect "rows of import $1" "$sum" "$(text_of rows <"$scratch/import.$1")"
    expect "all rows of import $1" "$sum" $people
}

alive() {
    kill -0 "$1" 2>/dev/null
}

contacts() {
    on "$1" --json status | text_of contacts
}

has_more() { # has_more NODE CONTACTS
    [ "$(contacts "$1")" -gt "$2" ]
}

caught_up() {
    [ "$(on a --json status | text_of entries)" = "$(on b --json status | text_of entries)" ]
}

meet() { # a and b come to the same; comparing takes its time, so it is done once
    until_true caught_up
    same_state a b || wrong 'two nodes that have met differ'
}

whole() { # whole NODE
    expect "verify $1" "$(on "$1" --json verify | text_of ok)" true
}

found a
start_node a
join_node a b office
start_node b

# commands are answered while an import goes on, and what they write stays
begin_import a 1
answered=0
zoe=$(on a --json add given=Zoé family=Occupée phone='06 39 98 00 12' --grant sms --source market | text_of id)
while alive "$importer"; do
    on a --quiet edit "$zoe" phone="06 39 98 $(printf '%02d %02d' $((answered / 100 % 100)) $((answered % 100)))"
    expect 'found meanwhile' "$(on a --json find 'family:occupee' | text_of id)" "$zoe"
    on a --json find 'martin' --limit 5 >/dev/null
    on a --json status >/dev/null
    answered=$((answered + 1))
done
[ $answered -gt 1 ] || wrong "$answered rounds of commands during an import"
end_import 1
expect 'the last edit' "$(field a "$zoe" phone)" "$(printf '+3363998%02d%02d' $(((answered - 1) / 100 % 100)) $(((answered - 1) % 100)))"
all=$(contacts a)

# refusals, erasing, a rebuild, a sync, a check inside the import's breaths; the other node edits meanwhile
meet
on a --quiet consent object "$zoe" sms
eve=$(on a --json add given=Ève family=Effacée --source market | text_of id)
begin_import a 2
until_true has_more a $((all + 1))
on a --quiet --yes erase "$eve"
on b --quiet add given=Ali family=Ailleurs --source market >/dev/null
on a --quiet sync
on a --quiet rebuild
whole a
fails 3 a show "$eve"
fails 1 a node
says 'in use'
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    on a --json find 'family:occupee' >"$scratch/find.$_" 2>&1 &
    echo $! >>"$scratch/finds"
done
while read -r pid; do
    status=0
    wait "$pid" || status=$?
    expect 'one of twelve at once' "$status" 0
done <"$scratch/finds"
end_import 2
lists a "$zoe" blocked phone || wrong 'an objection during an import'
meet
expect 'no conflict' "$(on a --json conflicts)" ''
whole b

# two imports at once: of the same list, none is there twice
all=$(contacts a)
begin_import a 3
first=$importer
cp "$scratch/3.csv" "$scratch/4.csv"
begin_import a 4
end_import 4
importer=$first
end_import 3
expect 'once each' "$(contacts a)" $((all + $(text_of created <"$scratch/import.3") + $(text_of created <"$scratch/import.4")))
before=$(state_of a)
begin_import a 3
end_import 3
expect 'again: created' "$(text_of created <"$scratch/import.3")" 0
whole a
meet
expect 'and nothing changed' "$(text_of updated <"$scratch/import.3")$(state_of a)" "0$before"
stop_node b

# a client that goes away: its import ends, the node lives on, the same command goes on where it stopped
found c
start_node c
begin_import c 1
until_true has_more c 0
kill -9 "$importer"
wait "$importer" 2>/dev/null || true
now=$(contacts c)
before=-1
while [ "$now" -ne "$before" ]; do
    before=$now
    on c --json find martin >/dev/null
    now=$(contacts c)
done
[ "$now" -lt $people ] || wrong 'the import went on without its client'
begin_import c 1
end_import 1
expect 'what was there is known again' "$(text_of unchanged <"$scratch/import.1")" "$now"

# the node is told to stop: it ends, at once and cleanly, and says so to whoever waits
begin_import c 2
first=$importer
until_true has_more c $people
begin_import c 3
stop_node c
status=0
wait "$first" || status=$?
expect 'an import whose node was stopped' "$status" 1
expect 'one line' "$(grep -c . "$scratch/import.2.err")" 1
wait "$importer" || expect 'one line' "$(grep -c . "$scratch/import.3.err")" 1 # it may have found the node gone already, and worked alone
whole c
start_node c
begin_import c 2
end_import 2

# the node is killed: the client says so, whoever comes next works alone
begin_import c 3
until_true has_more c $((2 * people))
kill_node c
status=0
wait "$importer" || status=$?
expect 'an import whose node was killed' "$status" 1
expect 'one line' "$(grep -c . "$scratch/import.3.err")" 1
whole c
begin_import c 3
end_import 3
whole c

# a pipe whose writer takes their time stops nobody else
start_node c
mkfifo "$scratch/pipe"
"$carnet" --home "$scratch/c" --json import "$scratch/pipe" --source x --collected 2025-03-01 --basis consent >"$scratch/import.pipe" &
importer=$!
exec 3>"$scratch/pipe"
printf 'given,family\nNoé,Patient\n' >&3
expect 'while a pipe waits' "$(on c --json status | text_of running)" true
printf 'Léa,Patiente\n' >&3
exec 3>&-
wait "$importer"
expect 'through a pipe' "$(text_of created <"$scratch/import.pipe")" 2
stop_node c
stop_node a
