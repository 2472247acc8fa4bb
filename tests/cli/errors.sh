#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Wrong input: each answer is one clear line and the right exit status, and nothing changes.
. "$(dirname "$0")/lib.sh"

found a
id=$(on a --json add given=Zoé family=Martin --source market | text_of id)
before=$(state_of a)

fails 2 a
fails 2 a frobnicate
says 'frobnicate'
fails 2 a book
fails 2 a add
fails 2 a add given=Zoé
says '--source'
fails 2 a add given --source x
fails 2 a add nonsense=1 --source x
says 'nonsense'
fails 2 a add given=A given=B --source x
fails 2 a add given=Zoé phone=12 --grant sms --source x
says 'phone'
fails 2 a add given=Zoé email=nowhere --grant newsletter --source x
fails 2 a add given=Zoé --grant nothing --source x
says 'newsletter'
fails 2 a add given=Zoé --basis nothing --source x
fails 2 a add given=Zoé --collected yesterday --source x
fails 2 a add given=Zoé --collected 2026-02-30 --source x
fails 3 a add given=Zoé --book nothing --source x
fails 2 a add given=Zoé --nothing --source x
fails 2 a edit "$id"
fails 3 a edit zzzzzzzz given=A
fails 3 a show zzzzzzzz
fails 2 a show '!'
fails 3 a history zzzzzzzz
fails 2 a tag "$id" bénévole
fails 2 a find 'nonsense:1'
says 'nonsense'
fails 2 a find '(zoé'
fails 2 a find --limit 0
fails 2 a consent grant "$id" nothing --source x
fails 2 a consent withdraw "$id"
fails 3 a consent countersign "$id" file
fails 3 a resolve "$id" given --keep 1
fails 2 a resolve "$id" given
fails 2 a invite --name B
fails 2 a invite --name B --role king
fails 2 a invite --name B --role office --code-expires soon
fails 2 a invite --name B --role office --address nowhere
fails 2 a erase "$id"
fails 2 a --lang de status
fails 2 a status too many
fails 2 a import
fails 2 a import nowhere.csv --basis consent
fails 1 a import "$scratch/nowhere.csv" --source x --collected 2025-01-01 --basis consent
says 'nowhere.csv'
fails 1 a import "$scratch" --source x --collected 2025-01-01 --basis consent
says 'folder'

# a JPEG as CSV; a line of a gigabyte; an empty file
printf '\377\330\377\340\000\020JFIF\000\001\001\000\000\001\000\001\000\000\377\333\000C\000' >"$scratch/photo.csv"
fails 1 a import "$scratch/photo.csv" --source x --collected 2025-01-01 --basis consent
: >"$scratch/empty.csv"
got=0
on a import "$scratch/empty.csv" --source x --collected 2025-01-01 --basis consent >/dev/null 2>"$scratch/err" || got=$?
[ "$got" -le 2 ] || wrong "an empty file ends with $got"
{
    echo 'given,family'
    echo 'Zoé,Before'
    head -c 1000000000 /dev/zero | tr '\0' x
    echo
    echo 'Zoé,After'
} >"$scratch/long.csv"
on a --json import "$scratch/long.csv" --source x --collected 2025-01-01 --basis consent >"$scratch/long.json"
rm "$scratch/long.csv"
expect 'rows around the long line' "$(text_of created <"$scratch/long.json")" 2
expect 'the long line' "$(text_of rejected <"$scratch/long.json")" 1
for name in Before After; do
    on a --quiet --yes erase "$(on a --json find "family:$name" | text_of id)"
done

# a code used twice, mistyped, expired, of another community
fails 2 b join AAAAA-AAAAA --node b
[ ! -e "$scratch/b/carnet.db" ] || wrong 'a failed join leaves a database'
start_node a
code=$(on a --json invite --name b --role office | text_of code)
on b --quiet join "$code" --node b
fails 4 c join "$code" --node c
says 'used'
code=$(on a --json invite --name c --role office --code-expires 1s | text_of code)
sleep 1.2
fails 4 c join "$code" --node c
fails 5 b join "$code" --node b
mistyped=$(echo "$code" | tr 'A-M' 'B-N')
got=0
on c join "$mistyped" --node c >/dev/null 2>"$scratch/err" || got=$?
[ "$got" -ne 0 ] || wrong 'a mistyped code joins'
stop_node a
fails 6 c join "$(on a --json invite --name c --role office | text_of code)" --node c

# a peer that is nobody's, one of another community, noise
start_node a
found other
fails 4 other sync "$(address_of a)"
fails 6 b sync tcp://127.0.0.1:1
fails 6 b sync "a@tcp://127.0.0.1:1"
port=$(address_of a | sed 's/.*://')
head -c 100000 /dev/urandom >"$scratch/noise"
"$(dirname "$0")/noise.sh" "$port" "$scratch/noise" || true
expect 'the node lives on' "$(on a --json status | text_of running)" true
on b --json sync >/dev/null

# a home that is in use, unreadable, not a node's
fails 1 a node
mkdir "$scratch/plain"
fails 3 plain status
printf 'not a database, whatever its name says: %0500d' 0 >"$scratch/plain/carnet.db"
cp "$scratch/a/keystore" "$scratch/plain/keystore"
fails 1 plain status
stop_node a

# a full disk: nothing is half-way
if [ "$(id -u)" -eq 0 ] && mkdir "$scratch/full" && mount -t tmpfs -o size=900k tmpfs "$scratch/full" 2>/dev/null; then
    got=0
    "$carnet" --home "$scratch/full/home" init --community Full --node full >/dev/null 2>"$scratch/err" || got=$?
    i=0
    while [ "$got" -eq 0 ] && [ "$i" -lt 500 ]; do
        "$carnet" --home "$scratch/full/home" --quiet add given=Zoé "family=Martin $i $(head -c 8000 /dev/zero | tr '\0' x)" --source market >/dev/null 2>"$scratch/err" || got=$?
        i=$((i + 1))
    done
    expect 'a full disk' "$got" 1
    grep -q 'full' "$scratch/err" || wrong "a full disk says: $(cat "$scratch/err")"
    umount "$scratch/full"
fi
after=$(state_of a)
[ -n "$before" ] && [ -n "$after" ]
expect 'verify' "$(on a --json verify | text_of ok)" true
