#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# One person of several contacts: proposed, looked at, merged, used, undone, told apart, erased; with and without a running node, and on two nodes.
. "$(dirname "$0")/lib.sh"

found a

everything() { # everything LOCAL-PART NUMBER: the same with and without a running node
    x=$(on a --json add given=Zoé family=Martin email="$1@example.org" city=Grenoble --grant newsletter --grant mail --source list | text_of id)
    y=$(on a --json add given=Zoé family=Martin phone="$2" email="$1@example.org" city=Lyon --grant sms --grant newsletter --grant mail --source call | text_of id)
    expect 'proposed once' "$(on a --json duplicates)" "{\"a\":\"$x\",\"b\":\"$y\",\"reason\":\"email\"}"
    expect 'status counts it' "$(on a --json status | text_of duplicates)" 1
    # without a terminal nobody can be asked
    fails 2 a merge "$x" "$y"
    expect 'it stays apart' "$(on a --json show "$y" | text_of id)" "$y"
    on a --json merge "$x" "$y" --dry-run >"$scratch/dry.json"
    expect 'the preview has the id that stays' "$(text_of id <"$scratch/dry.json")" "$x"
    expect 'and the conflict' "$(list_of conflicts <"$scratch/dry.json")" city
    expect 'nothing was written' "$(on a --json show "$y" | text_of id)" "$y"
    expect merge "$(on a --json --yes merge "$x" "$y")" "{\"id\":\"$x\"}"
    expect 'the old id leads to the person' "$(on a --json show "$y" | text_of id)" "$x"
    expect 'with the values of both' "$(field a "$y" phone)" "+33${2#0}"
    expect 'found once' "$(on a --json find martin | text_of id)" "$x"
    expect 'and by words of both' "$(on a --json find martin "$2" city:grenoble city:lyon | text_of id)" "$x"
    expect 'no proposal is left' "$(on a --json duplicates)" ''
    expect 'one contact' "$(on a --json status | text_of contacts)" 1
    on a --json conflicts | grep -q "\"id\":\"$x\",\"field\":\"city\"" || wrong 'the two cities are no conflict'
    fails 5 a distinct "$x" "$y"
    on a --quiet resolve "$y" city --keep 1
    on a --quiet edit "$x" phone="${2%?}9"
    on a --quiet edit "$y" employer=Mairie
    on a --quiet consent withdraw "$y" newsletter
    expect 'a refusal shuts the address of both' "$(field a "$x" email)" ''
    on a --quiet unmerge "$y"
    typed=${2%?}9
    expect 'undone: what was typed into it stays' "$(field a "$y" phone)" "+33${typed#0}"
    expect 'and not elsewhere' "$(field a "$x" phone)" ''
    expect 'the other one too' "$(field a "$x" employer)" Mairie
    expect 'remembered as distinct' "$(on a --json duplicates)" ''
    fails 3 a unmerge "$y"
    on a --json history "$x" | grep -q '"field":"unmerge"' || wrong 'history does not show the undoing'
    on a --quiet --yes merge "$x" "$y"
    on a --quiet --yes erase "$y"
    fails 3 a show "$x"
    fails 3 a show "$y"
    expect 'nobody is left' "$(on a --json find martin)" ''
}

everything zoe 0639980012
start_node a
everything zoe.martin 0639980032 # the first ones are on the suppression list now
fails 2 a merge nobody
fails 3 a --yes merge zzzzzzzzzzzz yyyyyyyyyyyy
p=$(on a --json add given=Max family=Durand phone=0639980020 --grant sms --source list | text_of id)
q=$(on a --json add given=Max family=Durand phone=0639980020 --grant sms --source list | text_of id)
fails 2 a --yes merge "$p" "$p"
on a --quiet distinct "$p" "$q"
expect 'told apart' "$(on a --json duplicates)" ''

# an import says how many pairs it brought
printf 'Prénom;Nom;Portable;Né(e) le\nMaxime;Durand;0639980020;\nAda;Petit;;1970-05-06\n' >"$scratch/one.csv"
printf 'Prénom;Nom;Né(e) le\nAda Marie;Petit;1970-05-06\n' >"$scratch/two.csv"
expect 'pairs of the first file' "$(on a --json import "$scratch/one.csv" --source list --collected 2025-05-01 --basis consent --grant sms | text_of duplicates)" 2
expect 'and of the second' "$(on a --json import "$scratch/two.csv" --source list --collected 2025-05-01 --basis consent | text_of duplicates)" 1
expect 'name and birth date' "$(on a --json duplicates | grep -c 'name+born')" 1
expect 'limited' "$(on a --json duplicates --limit 2 | grep -c reason)" 2

# elsewhere it is the same person
join_node a b office
on a --quiet --yes merge "$p" "$q"
on b --quiet sync
expect 'on the other node' "$(on b --json show "$q" | text_of id)" "$p"
same_state a b || wrong "other states"
on a verify >/dev/null
