#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# One node, with and without its process: every command that one person uses.
. "$(dirname "$0")/lib.sh"

fails 3 a status
says 'no node'
found a
[ -n "$(text_of recovery_key <"$scratch/init.json")" ] || wrong 'init shows no recovery key'
fails 5 a init --community Test --node a

everything() { # everything DIGIT: the same with and without a running node, but for the addresses: those of who was erased are not taken again
    id=$(on a --json add given=Zoé family="d'Artagnan" email="Zoe.Artagnan$1@Example.org" phone="06 39 98 00 1$1" --grant newsletter --grant sms --source 'market' | text_of id)
    expect 'the phone in its normal form' "$(field a "$id" phone)" "+3363998001$1"
    expect 'the address in its normal form' "$(field a "$id" email)" "zoe.artagnan$1@example.org"
    for query in zoé ZOE artagnan "d’artagnan" 'DArtagnan' "063998001$1" zoe.art 'email:*' 'consent:newsletter' 'given:Zoé -tag:presse'; do
        expect "find $query" "$(on a --json find "$query" | text_of id)" "$id"
    done
    expect 'find nobody' "$(on a --json find nobody)" ''
    on a --quiet edit "$id" phone/home="01 99 00 12 3$1"
    expect 'a second phone beside the first' "$(field a "$id" phone/home)" "+3319900123$1"
    on a --quiet tag "$id" +bénévole +presse
    on a --quiet tag "$id" -presse
    expect 'tags' "$(on a --json show "$id" | list_of tags)" 'bénévole'
    expect 'find a tag' "$(on a --json find tag:benevole | text_of id)" "$id"
    expect 'a prefix of the id' "$(on a --json show "$(echo "$id" | cut -c1-8)" | text_of id)" "$id"
    on a --quiet edit "$id" given=Zoë
    on a --json history "$id" | grep -q '"old":"Zoé","new":"Zoë"' || wrong 'history shows the edit'
    fails 4 a note "$id" 'called back'
    says 'profile'
    on a --quiet consent grant "$id" profile --source 'said so'
    on a --quiet note "$id" called back
    on a --json show "$id" | grep -q '"text":"called back"' || wrong 'show shows the note'
    fails 4 a add given=Nobody city=Grenoble --source market
    says 'mail'
    on a --quiet consent withdraw "$id" newsletter
    lists a "$id" blocked email || wrong 'the address is not blocked'
    expect 'the address is not shown' "$(field a "$id" email)" ''
    expect 'nor found' "$(on a --json find zoe.art)" ''
    fails 4 a consent grant "$id" newsletter --source 'said so again'
    says 'proof'
    on a --quiet consent grant "$id" newsletter --source 'signed again' --proof 'paper of 3 March'
    on a --json consent "$id" | grep '"purpose":"newsletter"' | grep -q '"state":"requested"' || wrong 'a new grant waits for a second signature'
    lists a "$id" blocked email || wrong 'and opens nothing until then'
    fails 4 a consent countersign "$id" newsletter
    on a --quiet consent withdraw "$id" sms --now
    lists a "$id" dark phone || wrong 'the phone is not dark'
    fails 2 a erase "$id"
    says '--yes'
    on a --quiet --yes erase "$id"
    fails 3 a show "$id"
    on a --quiet sweep
    expect 'the receipt' "$(on a --json erasures | grep -F "$id" | list_of outstanding)" ''
    expect 'verify' "$(on a --json verify | text_of ok)" true
}
everything 2
start_node a
everything 3
expect 'the node says that it runs' "$(on a --json status | text_of running)" true
fails 1 a node
says 'in use'
stop_node a
on a --quiet rebuild
expect 'verify after rebuild' "$(on a --json verify | text_of ok)" true

# French is French, JSON is never translated
on a --lang fr status >"$scratch/out" 2>&1
grep -q 'conflits' "$scratch/out" || wrong 'status in French'
expect 'JSON in French' "$(on a --lang fr --json status)" "$(on a --json status)"
for command in $("$carnet" --json help | text_of command | tr ' ' '_'); do
    # shellcheck disable=SC2046 # two words on purpose
    "$carnet" help $(echo "$command" | tr '_' ' ') >"$scratch/en"
    # shellcheck disable=SC2046
    "$carnet" --lang fr help $(echo "$command" | tr '_' ' ') >"$scratch/fr"
    ! cmp -s "$scratch/en" "$scratch/fr" || wrong "help $command is the same in both languages"
done
