#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# What a newcomer types and reads: files that are not destroyed by a slip, text that drives no terminal, columns that line up,
# and the same in French.
. "$(dirname "$0")/lib.sh"

fr() { # fr NODE COMMAND...: in French
    home=$scratch/$1
    shift
    LC_ALL=fr_FR.UTF-8 "$carnet" --home "$home" "$@"
}
has() { # has WHAT TEXT PART
    checks=$((checks + 1))
    case $2 in
    *"$3"*) ;;
    *) wrong "$1: \"$2\" does not have \"$3\"" ;;
    esac
}

found a
id=$(on a --json add given=Zoé family=Martin --source market | text_of id)

# --- files ---
import="--source list --collected 2025-01-01 --basis consent"
printf 'given,family\nLéa,Petit\n' >"$scratch/people.csv"
cp "$scratch/people.csv" "$scratch/copy.csv"
# shellcheck disable=SC2086 # words on purpose
fails 2 a import "$scratch/people.csv" $import --rejects "$scratch/people.csv"
says 'at once'
cmp "$scratch/people.csv" "$scratch/copy.csv" || wrong 'the file that was imported is destroyed'
ln "$scratch/people.csv" "$scratch/link.csv"
# shellcheck disable=SC2086
fails 2 a import "$scratch/people.csv" $import --rejects "$scratch/link.csv"
cmp "$scratch/people.csv" "$scratch/copy.csv" || wrong 'the file that was imported is destroyed through a link'
echo precious >"$scratch/stick"
fails 3 a bundle export "$scratch/stick" --for nobody
expect 'a bundle that was not written' "$(cat "$scratch/stick")" precious
fails 3 a bundle export "$scratch/new" --for nobody
[ ! -e "$scratch/new" ] || wrong 'a failed export leaves an empty file'
fails 3 nowhere bundle export "$scratch/stick"
expect 'a bundle of no node' "$(cat "$scratch/stick")" precious
fails 2 a bundle export ''
on a --quiet bundle export "$scratch/stick"
on a --quiet bundle import "$scratch/stick"
echo 'kept from before' >"$scratch/people.csv.rejected"
# shellcheck disable=SC2086
fails 3 a import "$scratch/people.csv" $import --book nothing
expect 'rejects of an earlier import' "$(cat "$scratch/people.csv.rejected")" 'kept from before'
# shellcheck disable=SC2086
on a --quiet import "$scratch/people.csv" $import
[ ! -e "$scratch/people.csv.rejected" ] || wrong 'rejects that are none stay'

# --- text that drives nothing ---
turned=$(printf 'a\342\200\256b')
other=$(on a --json add given="$turned" --source market | text_of id)
has 'a mark that turns text' "$(on a show "$other")" 'a?b'
has 'C1 controls' "$(on a find "$(printf '\302\23331mx')" 2>&1; on a show "$(printf '\302\23331m')" 2>&1 || true)" '?31m'
accents=$(printf 'é%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45)
fails 2 a --json edit "$id" "a$accents=1"
says 'there is no field'
fails 2 a edit "$id" "a$accents=1"
printf '%s' "$said" | iconv -f UTF-8 -t UTF-8 >/dev/null || wrong 'a message ends in the middle of a letter'
lines=$(printf 'one\n  email  false@example.org')
on a --quiet tag "$id" "+$lines"
expect 'a tag is on one line' "$(on a --json show "$id" | grep -o '"tags":\[[^]]*')" '"tags":["one email false@example.org"'
on a --quiet tag "$id" '-one email false@example.org'
fails 2 a book add "$lines"
fails 2 a book add "$turned"
fails 2 a invite --name "$lines" --role office --address tcp://192.0.2.1:7777
fails 2 x init --community "$lines" --node x
fails 2 x init --community x --node "$(printf 'x\033[31m')"
[ ! -e "$scratch/x/carnet.db" ] || wrong 'a refused name leaves a database'
on a --quiet consent grant "$id" profile --source market
on a --quiet note "$id" "$lines" >"$scratch/out"
if on a show "$id" | grep -q '^ *email *false'; then
    on a show "$id" | grep '^                     *email' >/dev/null || wrong 'a note looks like a field'
fi
fails 5 a book add charter

# --- words ---
fails 2 a add given= --source x
says 'at least one field'
fails 2 a add given=Zoé "family=$(head -c 20000 /dev/zero | tr '\0' x)" --source x
says 'longer than 16 KiB'
fails 2 a add given=Zoé --until 2020-01-01 --source x
says 'past'
fails 2 a consent grant "$id" sms --until 2020-01-01 --source x
fails 2 a find "$(head -c 100000 /dev/zero | tr '\0' x)"
fails 2 a note "$id" "$(head -c 40000 /dev/zero | tr '\0' x)"
says 'note is not'
fails 2 a show ''
says '""'
fails 3 a show zzzzzz
says 'carnet find'
fails 2 a status more
says 'usage: carnet status)'
fails 2 a consent object "$id"
says '--all'
fails 5 a init --community x --node x
fails 2 y join nonsense --node y
[ ! -e "$scratch/y" ] || wrong 'a code that is none makes a folder'
fails 1 a node --listen tcp://192.0.2.1:7777
says 'no such address'
mv "$scratch/a/keystore" "$scratch/keystore"
fails 1 a status
says 'keystore'
mv "$scratch/keystore" "$scratch/a/keystore"

# --- screens ---
fr a --quiet tag "$id" +bénévole
expect 'the column of values' "$(fr a show "$id" | grep 'étiquettes')" '  étiquettes         bénévole'
space=$(printf '\302\240') # French has a no-break space before a colon
has 'what a member reads' "$(fr a members)" "lit$space: identity email"
fr a history "$id" | grep -q '+bénévole$' || wrong 'a tag in the history'
fr a history "$id" | grep -q 'accord file$' || wrong 'a grant in the history'
expect 'a grant for programs' "$(on a --json history "$id" | head -n 1 | text_of field)" 'grant:file'
has 'one of each' "$(fr a status)" "contacts$space: 3, conflits$space: 0"
has 'usage in French' "$(fr a help edit)" 'carnet edit ID CHAMP=VALEUR...'
fr a help | awk 'length($0) > 100 { exit 1 }' || wrong 'a line of the help is too long'
said=$(fr a show 2>&1 || true)
says "usage$space: carnet show ID"
said=$(fr a bundle import "$scratch/people.csv" 2>&1 || true)
says 'pas un fichier'
start_node a
said=$(on a invite --name B --role office 2>&1)
says 'this machine alone'
said=$(on a invite --name B --role office --address tcp://192.0.2.1:7777 2>&1)
case $said in
*'this machine alone'*) wrong 'an address of another machine is said to be of this one' ;;
esac
stop_node a
