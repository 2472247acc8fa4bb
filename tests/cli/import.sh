#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Imports: recognised columns, rows known again, opt-ins and opt-outs, rejects, the same file again, a process killed half-way.
. "$(dirname "$0")/lib.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)

found a
cat >"$scratch/list.csv" <<'END'
Prénom;Nom;Courriel;Portable;Code postal;Ville;Newsletter;Étiquettes
Zoé;Martin;zoe@example.org;06 39 98 00 01;38000;Grenoble;oui;bénévole,presse
Jean-Noël;Le Goff;jn@example.org;;35000;Rennes;non;
Maël;Œuvrard;pas une adresse;;;;oui;
END
fails 2 a import "$scratch/list.csv"
on a --json import "$scratch/list.csv" --dry-run >"$scratch/dry.json"
grep -q '"Prénom":"given"' "$scratch/dry.json" || wrong "dry run: $(cat "$scratch/dry.json")"
expect 'a dry run writes nothing' "$(on a --json status | text_of contacts)" 0
on a --json import "$scratch/list.csv" --source 'liste papier' --collected 2025-05-01 --basis consent >"$scratch/1.json"
expect rows "$(text_of rows <"$scratch/1.json")" 3
expect created "$(text_of created <"$scratch/1.json")" 2
expect rejected "$(text_of rejected <"$scratch/1.json")" 1
[ -s "$scratch/list.csv.rejected" ] || wrong 'no file of rejected rows'
zoe=$(on a --json find zoé | text_of id)
expect 'opt-in yes is a grant' "$(field a "$zoe" email)" zoe@example.org
on a --json consent "$zoe" | grep '"newsletter"' | grep -q '"source":"liste papier"' || wrong 'the grant has its source'
on a --json show "$zoe" | list_of tags | grep -q 'bénévole' || wrong 'tags'
expect 'no opt-in, no address' "$(on a --json find 'jean-noël' | text_of email)" ''

# corrected, the rejected row is imported
sed 's/;pas une adresse;/;mael@example.org;/' "$scratch/list.csv.rejected" >"$scratch/corrected.csv"
on a --json import "$scratch/corrected.csv" --source 'liste papier' --collected 2025-05-01 --basis consent >"$scratch/2.json"
expect 'corrected row' "$(text_of created <"$scratch/2.json")" 1

# the same file again changes nothing
before=$(state_of a)
on a --json import "$scratch/list.csv" --source 'liste papier' --collected 2025-05-01 --basis consent >"$scratch/3.json"
expect unchanged "$(text_of unchanged <"$scratch/3.json")" 2
expect 'state after the same file' "$(state_of a)" "$before"

# what somebody typed since stays; a refusal is never overruled by a file; opt-outs count
on a --quiet edit "$zoe" given=Zoë
on a --quiet consent withdraw "$zoe" newsletter
cat >"$scratch/later.csv" <<'END'
given,family,email,email_opt_in,unsubscribed,tags
Zoé,Martin,zoe@example.org,yes,,new
Inès,Groß,ines@example.org,yes,yes,
END
on a --json import "$scratch/later.csv" --source 'old export' --collected 2025-06-01 --basis consent >"$scratch/4.json"
lists a "$zoe" blocked email || wrong 'the address of somebody who withdrew'
expect 'typed since' "$(field a "$zoe" given)" Zoë
ines=$(on a --json find inès | text_of id)
on a --json consent "$ines" | grep '"newsletter"' | grep -q '"objected"' || wrong 'an unsubscription is an objection'

# a file that ends in the middle, encodings, vCard
printf 'Pr\351nom;Nom\r\nZo\351;Lef\350vre\r\n' >"$scratch/latin.csv"
on a --quiet import "$scratch/latin.csv" --source x --collected 2025-05-01 --basis consent
expect 'Windows-1252' "$(on a --json find lefèvre | text_of given)" Zoé
printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nN:Noël;Aimée;;;\r\nTEL;TYPE=CELL:06 39 98 00 77\r\nEMAIL:aimee@example.org\r\nUID:urn:x:1\r\nEND:VCARD\r\n' >"$scratch/one.vcf"
on a --json import "$scratch/one.vcf" --source phone --collected 2025-05-01 --basis consent --grant sms --grant newsletter >"$scratch/5.json"
expect 'vCard' "$(text_of created <"$scratch/5.json")" 1
expect 'vCard phone' "$(on a --json find aimée | sed -n 's/.*"phone[^"]*":"\([^"]*\)".*/\1/p')" '+33639980077'

# killed half-way: whole entries or none, and it goes on
"$root/tools/demo-data" --people 20000 --seed 3 --format nationbuilder --out "$scratch/many.csv"
"$carnet" --home "$scratch/a" --quiet import "$scratch/many.csv" --source export --collected 2025-03-01 --basis consent &
pid=$!
until_true sh -c "[ \"\$(stat -c %s '$scratch/a/carnet.db')\" -gt 3000000 ] || [ \"\$(stat -c %s '$scratch/a/carnet.db-wal')\" -gt 3000000 ]"
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
expect 'verify after kill -9' "$(on a --json verify | text_of ok)" true
on a --json import "$scratch/many.csv" --source export --collected 2025-03-01 --basis consent >"$scratch/6.json"
expect 'all the rows' "$(text_of rows <"$scratch/6.json")" 20000
on a --json import "$scratch/many.csv" --source export --collected 2025-03-01 --basis consent >"$scratch/7.json"
expect 'again: created' "$(text_of created <"$scratch/7.json")" 0
expect 'again: updated' "$(text_of updated <"$scratch/7.json")" 0
expect 'verify' "$(on a --json verify | text_of ok)" true

# rows = created + updated + unchanged + rejected + suppressed, whatever the rows
adds_up() { # adds_up FILE
    expect "the counts of $1" "$(text_of rows <"$scratch/$1")" \
        "$(($(text_of created <"$scratch/$1") + $(text_of updated <"$scratch/$1") + $(text_of unchanged <"$scratch/$1") + $(text_of rejected <"$scratch/$1") + $(text_of suppressed <"$scratch/$1")))"
}
for n in 1 2 3 4 5 6 7; do adds_up "$n.json"; done

# Ctrl-C ends an import after its transaction, alone and through a node; the same command goes on
interrupted() { # interrupted NODE FILE
    "$carnet" --home "$scratch/$1" import "$2" --source interrupted --collected 2025-03-01 --basis consent 2>"$scratch/err" >"$scratch/out" &
    pid=$!
if [ -e "$scratch/$1.pid" ]; then
        until_true sh -c "'$carnet' --home '$scratch/$1' --json imports | grep -q '\"running\"'"
    else
        until_true sh -c "[ \"\$(stat -c %s '$scratch/$1/carnet.db-wal' 2>/dev/null || echo 0)\" -gt 3000000 ]"
    fi
    kill -INT "$pid"
    got=0
    wait "$pid" || got=$?
    expect 'status of an interrupted import' "$got" 1
    grep -q 'stopped after [0-9]* rows' "$scratch/err" || wrong "interrupted: $(cat "$scratch/err")"
    expect 'verify after an interruption' "$(on "$1" --json verify | text_of ok)" true
    expect 'listed as interrupted' "$(on "$1" --json imports | tail -n 1 | text_of state)" interrupted
    on "$1" --json import "$2" --source interrupted --collected 2025-03-01 --basis consent >"$scratch/again.json"
    adds_up again.json
    [ "$(text_of unchanged <"$scratch/again.json")" -ge 1000 ] || wrong "it did not go on: $(cat "$scratch/again.json")"
    expect 'listed, and not as interrupted' "$(on "$1" --json imports | tail -n 1 | text_of state)" 'done'
}
found i
"$root/tools/demo-data" --people 20000 --seed 5 --format nationbuilder --out "$scratch/alone.csv"
interrupted i "$scratch/alone.csv"
on i --json import "$scratch/alone.csv" --source interrupted --collected 2025-03-01 --basis consent >"$scratch/8.json"
# who has the number of somebody who refuses everything is not filed
expect 'the same people' "$(($(text_of unchanged <"$scratch/8.json") + $(text_of suppressed <"$scratch/8.json")))" 20000
start_node i
"$root/tools/demo-data" --people 20000 --seed 6 --format nationbuilder --out "$scratch/through.csv"
interrupted i "$scratch/through.csv"
expect 'the node goes on' "$(on i --json status | text_of running)" true
stop_node i

# while a node runs, an import does not stop it from answering
start_node a
"$root/tools/demo-data" --people 20000 --seed 4 --format nationbuilder --out "$scratch/more.csv"
on a --quiet import "$scratch/more.csv" --source export --collected 2025-03-01 --basis consent &
pid=$!
on a --json find zoé --limit 1 >/dev/null
expect 'status during an import' "$(on a --json status | text_of running)" true
wait "$pid"
stop_node a

# a roll: its ballot is due, two uses, refused as anything else
found r
"$root/tests/support/make_roll" --people 300 --seed 2 --out "$scratch/roll.csv" >"$scratch/made.json"
fails 2 r import "$scratch/roll.csv" --source REU --collected 2026-01-05 --basis roll
says --ballot
fails 2 r import "$scratch/roll.csv" --source REU --collected 2026-01-05 --basis roll --ballot 2099-03-14 --grant newsletter
fails 2 r import "$scratch/list.csv" --source x --collected 2026-01-05 --basis consent --ballot 2099-03-14
fails 4 r import "$scratch/roll.csv" --source REU --collected 2026-01-05 --basis consent
says 'electoral roll'
fails 4 r import "$scratch/roll.csv" --source REU --collected 2026-01-05 --basis roll --ballot 2026-01-06
says 'carnet purge'
expect 'nothing is written' "$(on r --json status | text_of contacts)" 0
expect 'no import is listed' "$(on r --json imports)" ''
on r --json import "$scratch/roll.csv" --source REU --collected 2026-01-05 --basis roll --ballot 2099-03-14 >"$scratch/roll.json"
adds_up roll.json
people=$(text_of created <"$scratch/roll.json")
expect 'the roll is whole' "$people" "$(text_of people <"$scratch/made.json")"
one=$(on r --json find --limit 1 | text_of id)
expect 'uses of a roll' "$(on r --json consent "$one" | text_of purpose | sort | tr '\n' ' ')" 'canvass mail '
expect 'until the day after the ballot' "$(on r --json consent "$one" | text_of until | sort -u)" 2099-03-15T00:00:00Z
expect 'the ballot is listed' "$(on r --json imports | text_of ballot)" 2099-03-14

# what an import wrote is taken back, what was written since stays; alone, then through a node
undone_here() {
    roll=$(on r --json imports | tail -n 1 | text_of id)
    two=$(on r --json find --limit 2 | text_of id | tail -n 1)
    on r --quiet edit "$two" given=Zoë
    fails 2 r imports undo "$roll"
    on r --json --yes imports undo "$roll" >"$scratch/undo.json"
    expect 'all but one are gone' "$(text_of erased <"$scratch/undo.json")" "$((people - 1))"
    expect 'one stays' "$(on r --json find | text_of id)" "$two"
    expect 'with what was typed' "$(field r "$two" given)" Zoë
    expect 'and nothing else' "$(field r "$two" family)" ''
    expect 'listed as undone' "$(on r --json imports | tail -n 1 | text_of state)" undone
    on r --json --yes imports undo "$roll" >"$scratch/undo.json"
    expect 'again: nothing to do' "$(text_of erased <"$scratch/undo.json")" 0
    on r --quiet --yes erase "$two"
    expect 'verify after an undoing' "$(on r --json verify | text_of ok)" true
}
undone_here
fails 3 r --yes imports undo zzzzzzzz
start_node r
on r --json import "$scratch/roll.csv" --source REU --collected 2026-01-05 --basis roll --ballot 2099-03-14 >"$scratch/roll.json"
expect 'after the undoing they come anew' "$(text_of created <"$scratch/roll.json")" "$people"
undone_here
stop_node r

# a proof that was worth nothing
ann=$(on r add given=Ann email=ann@example.org --grant file --grant newsletter --source form)
on r --quiet consent invalidate "$ann" newsletter --reason 'somebody else signed'
expect 'invalidated' "$(on r --json consent "$ann" | grep '"newsletter"' | text_of state)" invalidated
expect 'its address is blocked' "$(field r "$ann" email)" ''
fails 3 r consent invalidate "$ann" newsletter

# --dry-run says what is left out, how it is kept, and why rows cannot be read
found d
cat >"$scratch/shirts.csv" <<'END'
Prénom;Nom;Courriel;T-shirt
Zoé;Martin;zoe@example.org;L
Maël;Œuvrard;pas une adresse;M
END
on d --lang fr import "$scratch/shirts.csv" --dry-run >"$scratch/dry.txt"
for part in 'colonnes qui ne sont pas importées' 'carnet field add' '--map' 'ligne 3' 'pas une adresse'; do
    grep -qF -e "$part" "$scratch/dry.txt" || wrong "the dry run does not say $part: $(cat "$scratch/dry.txt")"
done
on d --quiet field add shirt --type text
on d --quiet import "$scratch/shirts.csv" --map T-shirt=shirt --source list --collected 2026-03-04 --basis consent
expect 'the column is kept' "$(on d --json find shirt:l | text_of shirt)" L

printf 'Prénom;Courriel;Portable;Newsletter\nLou;lou@example.org;06 39 98 00 31;non\n' >"$scratch/lou.csv"
on d --lang fr import "$scratch/lou.csv" --dry-run | grep -q 'consent:newsletter.*accord' || wrong 'what a target means'
on d --lang fr import "$scratch/lou.csv" --source x --collected 2026-03-04 --basis consent >"$scratch/out"
grep -q 'email.*1.*newsletter' "$scratch/out" || wrong "what would have let an address in: $(cat "$scratch/out")"
grep -q 'phone.*1.*sms' "$scratch/out" || wrong "and a phone number: $(cat "$scratch/out")"

# columns as people name them; and one that nobody guesses, told
printf 'Nom;Courriel;Accepte la lettre;Accepte de recevoir des SMS;Ne veut plus la newsletter;Veut bien\nUn;un@example.org;oui;non;;oui\n' >"$scratch/hand.csv"
on d --json import "$scratch/hand.csv" --dry-run --map 'Veut bien=consent:call' >"$scratch/dry.json"
for part in '"Accepte la lettre":"consent:newsletter"' '"Accepte de recevoir des SMS":"consent:sms"' '"Ne veut plus la newsletter":"object:email"' '"Veut bien":"consent:call"'; do
    grep -qF "$part" "$scratch/dry.json" || wrong "$part is not in $(cat "$scratch/dry.json")"
done

# what a tool knows of an opt-in is evidence, also when --grant says the same; the text, channel and method that the file was collected with are too
printf '%s\n' 'Email Address,First Name,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID,EUID' \
    'ines@example.org,Inès,2026-03-01 10:00:00,192.0.2.7,2026-03-01 10:05:12,192.0.2.8,1,abc1' >"$scratch/members_export.csv"
on d charter set wording/newsletter/fr 'Je veux la lettre.'
fails 2 d import "$scratch/members_export.csv" --source letter --collected 2026-03-04 --basis consent --wording de
fails 2 d import "$scratch/members_export.csv" --source letter --collected 2026-03-04 --basis consent --grant sms --wording fr
on d --quiet import "$scratch/members_export.csv" --source letter --collected 2026-03-04 --basis consent --grant newsletter --wording fr --channel web --method form --direct yes
ines=$(on d --json find inès | text_of id)
on d --json consent "$ines" | grep '"newsletter"' >"$scratch/consent.json"
for part in '"optin_time":"2026-03-01T10:00:00Z"' '"optin_address":"192.0.2.7"' '"confirm_time":"2026-03-01T10:05:12Z"' '"confirm_address":"192.0.2.8"' \
    '"since":"2026-03-01T10:00:00Z"' '"wording":"Je veux la lettre."' '"language":"fr"' '"channel":"web"' '"method":"form"' '"direct":"yes"'; do
    grep -qF "$part" "$scratch/consent.json" || wrong "$part is not in $(cat "$scratch/consent.json")"
done
on d --lang en access "$ines" >"$scratch/letter.txt"
for part in 'you subscribed on: 2026-03-01T10:00:00Z' '192.0.2.7' 'you confirmed it on: 2026-03-01T10:05:12Z' 'Je veux la lettre.'; do
    grep -qF "$part" "$scratch/letter.txt" || wrong "the letter does not say $part"
done
on d --json access "$ines" | sed 's/.*"events":\[//; s/"purpose":"newsletter".*//' >"$scratch/file.json"
! grep -q optin_time "$scratch/file.json" || wrong 'the evidence of one agreement is not that of another'

# who has been silent for longer than anybody may be kept is not taken in, and the row says so
printf 'Prénom;Courriel;Newsletter\nUgo;ugo@example.org;oui\n' >"$scratch/silent.csv"
on d --json import "$scratch/silent.csv" --source 'old list' --collected 2019-03-04 --basis consent >"$scratch/9.json"
expect 'a row of long ago' "$(text_of rejected <"$scratch/9.json")" 1
expect 'nobody comes' "$(text_of created <"$scratch/9.json")" 0
grep -q 'charter: contact' "$scratch/silent.csv.rejected" || wrong 'the reason'
on d --json import "$scratch/silent.csv" --source 'their card' --collected 2019-03-04 --basis member >"$scratch/9.json"
expect 'a member stays one' "$(text_of created <"$scratch/9.json")" 1

# a volunteer is told what to do: whom to ask, and how a column is left out
start_node d
join_node d v volunteer
stop_node d
fails 4 v import "$scratch/lou.csv" --source phone --collected 2026-03-04 --basis consent --grant newsletter
says '--map COLUMN=-'
on v --quiet import "$scratch/lou.csv" --map Courriel=- --map Portable=- --source phone --collected 2026-03-04 --basis consent
lou=$(on v --json find lou | text_of id | head -n 1)
fails 4 v --yes erase "$lou"
says 'carnet members'
fails 4 v field add shoes --type number
fails 4 v charter set contact 10d
fails 4 v access "$lou"
fails 4 v --yes export "$scratch/v.csv" --plain --reason x
