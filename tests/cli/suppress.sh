#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# An address that somebody refused is refused for everybody who has it, on every node, and when it comes again; what stands in the list says nothing to who has no key.
. "$(dirname "$0")/lib.sh"

state_is() { # state_is NODE ID PURPOSE STATE
    [ "$(on "$1" --json consent "$2" | grep "\"purpose\":\"$3\"" | text_of state)" = "$4" ]
}

number_is() { # number_is NODE KEY VALUE: in status
    [ "$(on "$1" --json status 2>/dev/null | sed -n 's/.*"'"$2"'": *\([0-9]*\).*/\1/p')" = "$3" ]
}

found a
number_is a suppressed 0 || wrong 'the list of a new community is empty'
one=$(on a --json add given=Zoé email=zoe@example.org --grant newsletter --source market | text_of id)
same=$(on a --json add given=Z. email=zoe@example.org phone=+33639980001 --grant newsletter --grant sms --source fair | text_of id)
other=$(on a --json add given=Luc email=luc@example.org --grant newsletter --source market | text_of id)
on a --quiet consent withdraw "$one" newsletter
number_is a suppressed 1 || wrong 'one address was refused for one purpose'
on a --quiet consent withdraw "$one" newsletter
number_is a suppressed 1 || wrong 'saying the same again leaves nothing'
# the other contact with the address, the one that says nothing of it, and words
state_is a "$same" newsletter objected || wrong 'the same address in another contact is not used'
state_is a "$same" sms given || wrong 'another purpose stays'
state_is a "$other" newsletter given || wrong 'another address stays'
lists a "$same" blocked email || wrong 'what nobody may use is blocked'
expect 'found by the number alone' "$(on a --json find zoe@example.org | text_of id)" ''
fails 4 a add given=Zoë email=Zoe@Example.org --grant newsletter --source list
says 'suppression list'
third=$(on a --json add given=Zoë email=zoe@example.org --grant membership --source list | text_of id)
expect 'for another purpose it is used' "$(field a "$third" email)" zoe@example.org
fails 4 a consent grant "$third" newsletter --source list
says 'suppression list'
CARNET_LANG=fr LC_ALL=fr_FR.UTF-8 on a consent grant "$third" newsletter --source list >/dev/null 2>"$scratch/french" || true
grep -q 'opposition' "$scratch/french" || wrong "in French: $(cat "$scratch/french")"

# the list comes to an office and to a volunteer; the volunteer has no key
start_node a
join_node a b office
join_node a c volunteer --scope identity --scope email --scope phone --scope postal
start_node b
start_node c
until_true number_is b suppressed 1
until_true number_is c suppressed 1
until_true state_is b "$same" newsletter objected
until_true field_is c "$other" email luc@example.org
expect 'the volunteer compares nothing' "$(state_is c "$same" newsletter given && echo given)" given

# a contact of the second office from before it heard: c refuses, an office tags it, b blocks its own
mine=$(on b --json add given=Lucas email=luc@example.org --grant newsletter --source door | text_of id)
on c --quiet consent object "$other" newsletter
until_true number_is a suppressed 2
until_true number_is b suppressed 2
until_true state_is b "$mine" newsletter objected
until_true state_is a "$mine" newsletter objected
expect 'blocked at b' "$(field b "$mine" email)" ''

# agreeing again on paper: refused here first, then signed, then countersigned
on b --quiet consent withdraw "$mine" newsletter
on b --quiet consent grant "$mine" newsletter --source 'signed at the office' --proof 'paper 9'
state_is b "$mine" newsletter requested || wrong 'paper waits for another'
until_true state_is a "$mine" newsletter requested
on a --quiet consent countersign "$mine" newsletter
until_true field_is b "$mine" email luc@example.org
until_true state_is b "$mine" newsletter renewed
state_is a "$other" newsletter objected || wrong 'who refused stays refused'

# erased: no use at all, and no way back by hand
last=$(on a --json add given=Inès email=ines@example.org phone=+33639980002 --grant newsletter --grant sms --source market | text_of id)
twin=$(on b --json add given=I. phone=+33639980002 --grant sms --source street | text_of id)
until_true field_is a "$twin" phone +33639980002
on a --quiet --yes erase "$last"
until_true sh -c "'$carnet' --home '$scratch/b' --json show '$twin' | grep -q '\"blocked\": *\[[^]]*\"phone\"'"
for node in a b; do
    until_true sh -c "! '$carnet' --home '$scratch/$node' show '$last' 2>/dev/null"
    fails 4 "$node" add given=Inès email=ines@example.org --grant newsletter --source list
    says 'suppression list'
    fails 4 "$node" add given=Inès phone=06.39.98.00.02 --grant sms --source list
    fails 4 "$node" edit "$third" email=ines@example.org
    fails 4 "$node" edit "$third" email=ines@example.org --rectify
done
field_is a "$third" email zoe@example.org || wrong 'a refused edit changes nothing'

# the same after everything derived was made anew, without a running node, and no address is anywhere in the clear
for node in c b a; do
    stop_node "$node"
done
on a --quiet rebuild
on a --quiet verify
state_is a "$same" newsletter objected || wrong 'after a rebuild'
fails 4 a add given=Inès email=ines@example.org --grant newsletter --source list
on b --quiet sweep
on b --quiet verify
! grep -ac 'ines@example.org' "$scratch/b/carnet.db" "$scratch/b/carnet.db-wal" 2>/dev/null | grep -v ':0$' || wrong 'b still has the erased address'
