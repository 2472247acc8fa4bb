#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# What the law asks of the program, one block a behaviour, numbered as the list of behaviours is (consent and refusals also: alone.sh, three.sh; imports: import.sh).
# 4 and 15 come with the messages; 14 too: there is nothing yet that could follow a link.
. "$(dirname "$0")/lib.sh"

later() { # later DAYS NODE COMMAND...: so many days from now
    days=$1
    shift
    CARNET_SHIFT_DAYS=$days LD_PRELOAD=${CARNET_CLOCK_SHIFT:?names the library} ASAN_OPTIONS=verify_asan_link_order=0 on "$@"
}

day() { # day DAYS: the date in so many days
    date -u -d "+$1 days" +%Y-%m-%d
}

found a
add() { # add OPTION...: a contact's id
    on a --json add "$@" | text_of id
}

# 1. an import says where the file comes from, when it was collected and what allows it
printf 'given,email,newsletter\nZoé,zoe@example.org,yes\n' >"$scratch/list.csv"
fails 2 a import "$scratch/list.csv"
says '--source'
for missing in source collected basis; do
    set -- --source market --collected 2026-05-01 --basis consent
    given=
    while [ $# -gt 0 ]; do
        [ "$1" = "--$missing" ] || given="$given $1 $2"
        shift 2
    done
    # shellcheck disable=SC2086 # words on purpose
    fails 2 a import "$scratch/list.csv" $given
done
printf 'given,street,city\nRoll,1 rue des Lilas,Grenoble\n' >"$scratch/roll.csv"
fails 2 a import "$scratch/roll.csv" --source prefecture --collected 2026-05-01 --basis roll
says '--ballot'
for purpose in newsletter sms targeted profile; do
    got=0
    on a import "$scratch/roll.csv" --source prefecture --collected 2026-05-01 --basis roll --ballot "$(day 30)" --grant $purpose >"$scratch/out" 2>"$scratch/err" || got=$?
    [ "$got" -ne 0 ] || wrong "a roll import grants $purpose"
done
expect 'nothing was imported' "$(on a --json status | text_of contacts)" 0
on r --quiet init --community Roll --node r >/dev/null 2>&1
on r --json import "$scratch/roll.csv" --source prefecture --collected 2026-05-01 --basis roll --ballot "$(day 30)" >"$scratch/out.json"
expect 'with all of it' "$(text_of created <"$scratch/out.json")" 1
expect 'what a roll allows' "$(on r --json consent "$(on r --json find roll | text_of id)" | text_of purpose | sort | tr '\n' ' ')" 'canvass mail '

# 2. data that do not come from the person: told within a month, else blocked, and a task
li=$(add given=Li email=li@example.org --grant newsletter --grant file --basis legitimate-interest --source 'partner list')
expect 'used within the month' "$(field a "$li" email)" li@example.org
expect 'a task' "$(on a --json tasks | grep '"inform"' | text_of people)" 1
expect 'open' "$(on a --json tasks | grep '"inform"' | text_of state)" open
expect 'after 16 days' "$(later 16 a --json tasks | grep '"inform"' | text_of state)" reminder
expect 'after 26 days' "$(later 26 a --json tasks | grep '"inform"' | text_of state)" urgent
task=$(later 31 a --json tasks | grep '"inform"' | text_of task)
expect 'after a month' "$(later 31 a --json tasks | grep '"inform"' | text_of state)" overdue
expect 'blocked after a month' "$(later 31 a --json show "$li" | list_of blocked)" email
expect 'the name stays' "$(later 31 a --json show "$li" | text_of given)" Li
on a --quiet tasks 'done' "$task"
expect 'told: no task' "$(later 31 a --json tasks | grep -c '"inform"' || true)" 0
expect 'told: open' "$(later 31 a --json show "$li" | text_of email)" li@example.org
fails 3 a tasks 'done' "$task"
fails 3 a tasks 'done' inform-2001-01-01
fails 2 a tasks 'done' retention

# 3 and 5. withdrawn: nowhere shown or found, at once, without a reason
zoe=$(add given=Zoé family=Martin email=zoe@example.org phone='06 39 98 00 12' --grant newsletter --grant sms --source 'stand of 3 March' --proof 'form 12')
on a --quiet consent withdraw "$zoe" sms
expect 'not shown' "$(field a "$zoe" phone)" ''
expect 'not found' "$(on a --json find 0639980012)" ''
expect 'the rest stays' "$(field a "$zoe" email)" zoe@example.org
on a --json history "$zoe" | grep -q 33639980012 && wrong 'history shows what was withdrawn'
fails 4 a edit "$zoe" phone='06 39 98 00 13'
rows=$(on a --json audit | grep -c '"kind":"export"' || true)
on a --json --yes export "$scratch/sms.csv" --plain --reason 'a test' --purpose sms >"$scratch/out.json"
grep -q 'Zoé\|3980012' "$scratch/sms.csv" && wrong 'who withdrew is in an export for that use'
on a --quiet --yes export "$scratch/all.csv" --plain --reason 'a test'
grep -q zoe@example.org "$scratch/all.csv" || wrong 'what was not withdrawn is in an export'
grep -q '3980012\|39980012' "$scratch/all.csv" && wrong 'what was withdrawn is in an export'
on a --quiet --yes export "$scratch/news.csv" --plain --reason 'the letter of May' --purpose newsletter
grep -q zoe@example.org "$scratch/news.csv" || wrong 'an agreement lets nothing out'
expect 'each export is a row of the trail' "$(on a --json audit | grep -c '"kind":"export"')" $((rows + 3))
on a --json audit | grep '"kind":"export"' | tail -1 | grep -q newsletter || wrong 'the trail does not tell the use that an export relied on'

# 6. objecting is unconditional; what was refused, withdrawn or erased is refused again when a file brings it, and counted
on s --quiet init --community Refusals --node s >/dev/null 2>&1
leave() { # leave NAME: somebody who agreed to the newsletter
    on s --json add given="$1" email="$1@example.org" --grant newsletter --source stand | text_of id
}
withdrew=$(leave withdrew)
objected=$(leave objected)
erased=$(leave erased)
leave stays >/dev/null
on s --quiet consent withdraw "$withdrew" newsletter
on s --quiet consent object "$objected" --all
on s --quiet --yes erase "$erased"
on s --quiet sweep
grep -q 'erased@example.org' "$scratch"/s/carnet.db* && wrong 'the list keeps an address'
printf '%s\n' 'given,email,newsletter' 'W,withdrew@example.org,yes' 'O,Objected@Example.org,yes' 'E,erased@example.org,yes' 'S,new@example.org,yes' >"$scratch/again.csv"
on s --json import "$scratch/again.csv" --source 'old list' --collected 2026-05-01 --basis consent >"$scratch/again.json"
expect 'all rows are counted' "$(text_of rows <"$scratch/again.json")" 4
expect 'whose addresses are refused for all' "$(text_of suppressed <"$scratch/again.json")" 2
expect 'whose agreement does not count' "$(text_of refused <"$scratch/again.json")" 1
for name in withdrew objected erased; do
    expect "$name is not back" "$(on s --json find "$name@example.org" | text_of id)" ''
done
expect 'who refused nothing is there' "$(on s --json find new@example.org | text_of email)" new@example.org
fails 4 s add given=E email=erased@example.org --grant newsletter --source list
on s --quiet --yes export "$scratch/s.csv" --plain --reason test
grep -q 'withdrew@\|objected@\|erased@' "$scratch/s.csv" && wrong 'who refused is in an export'

# 7. access: all of it, blocked too, in both languages; due in a month
on a --quiet edit "$zoe" given=Zoë
on a --quiet tag "$zoe" +bénévole
on a --quiet consent grant "$zoe" profile --source 'said so'
on a --quiet note "$zoe" 'likes trees' >/dev/null
on a --quiet access "$zoe" --out "$scratch/zoe.json"
python3 - "$scratch/zoe.json" <<'END' || wrong 'the JSON of an access'
import json, sys
d = json.load(open(sys.argv[1]))
fields = {f["field"]: f for f in d["fields"]}
assert fields["given"]["value"] == "Zoë" and fields["family"]["source"] == "stand of 3 March"
assert fields["phone"]["value"] == "+33639980012" and fields["phone"]["used"] is False
assert fields["email"]["used"] is True and all(f["by"] == "a" and f["at"] for f in d["fields"])
assert [t["tag"] for t in d["tags"]] == ["bénévole"]
assert [n["value"] for n in d["notes"]] == ["likes trees"]
assert {e["event"] for e in d["events"]} >= {"grant", "withdraw"}
assert [e for e in d["events"] if e["event"] == "grant"][0]["evidence"]["proof"] == "form 12"
assert {c["purpose"]: c["state"] for c in d["consents"]} == {"newsletter": "given", "sms": "withdrawn", "profile": "given"}
assert [h for h in d["history"] if h["old"] == "Zoé"]
assert d["recipients"][0]["member"] == "a" and "email" in d["recipients"][0]["reads"]
assert {r["scope"] for r in d["retention"]} >= {"identity", "email", "phone"} and d["messages"] == []
END
grep -q 'YOUR DATA' "$scratch/zoe.json.txt" || wrong 'the letter'
on a --lang fr --quiet access "$zoe" --out "$scratch/fr.json" --text "$scratch/lettre.txt"
grep -q 'VOS DONNÉES' "$scratch/lettre.txt" || wrong 'the letter in French'
[ ! -e "$scratch/fr.json.txt" ] || wrong '--text names another file'
for text in 'Zoë' '+33639980012' 'bénévole' 'likes trees' 'stand of 3 March' 'form 12' 'CNIL'; do
    grep -qF -- "$text" "$scratch/lettre.txt" || wrong "the letter lacks $text"
done
on a access "$zoe" | grep -q 'likes trees' || wrong 'without --out the letter is on stdout'
expect 'access and --json' "$(on a --json access "$zoe" | text_of community)" Test
on a --quiet access "$zoe" --received "$(day 0)"
expect 'a request waits' "$(on a --json tasks | grep '"access"' | text_of state)" open
expect 'reminder' "$(later 15 a --json tasks | grep '"access"' | text_of state)" reminder
expect 'urgent' "$(later 25 a --json tasks | grep '"access"' | text_of state)" urgent
expect 'overdue' "$(later 30 a --json tasks | grep '"access"' | text_of state)" overdue
on a --quiet tasks 'done' "access-$zoe"
expect 'answered' "$(on a --json tasks | grep -c '"access"' || true)" 0
fails 2 a access "$zoe" --received "$(day 2)"
fails 3 a access 0000000

on a --quiet charter set wording/sms/en 'We send you at most two messages a month.'
paul=$(add given=Paul phone='06 39 98 00 14' --grant sms --source stand)
on a access "$paul" | grep -q 'at most two messages' || wrong 'the letter lacks the wording'
on a --json access "$paul" | grep -q '"wording":{"language":"en","text":"We send you' || wrong 'the JSON lacks the wording'

# what an import brought as proof is in the answer, each purpose with its own
printf '%s\n' 'given,email,phone,sms_optin,optin_time,optin_ip,confirm_time,confirm_ip' \
    'Max,max@example.org,06 39 98 00 41,yes,2021-03-04 10:00:00,192.0.2.7,2021-03-04 10:05:00,192.0.2.8' >"$scratch/proof.csv"
on a --quiet import "$scratch/proof.csv" --source 'old newsletter tool' --collected 2026-05-01 --basis consent
max=$(on a --json find max | text_of id)
on a --json access "$max" | python3 -c '
import json, sys
d = json.load(sys.stdin)
grants = {e["purpose"]: e["evidence"] for e in d["events"] if e["event"] == "grant"}
e = grants["newsletter"]
assert e["source"] == "old newsletter tool" and e["collected"] == "2026-05-01T00:00:00Z", e
assert e["column"] == "optin_time" and "column" not in grants["sms"] and grants["sms"]["source"] == e["source"], grants
assert e["optin_time"] == "2021-03-04T10:00:00Z" and e["optin_address"] == "192.0.2.7", e
assert e["confirm_time"] == "2021-03-04T10:05:00Z" and e["confirm_address"] == "192.0.2.8", e
' || wrong 'the JSON lacks the proof that an import brought'
on a access "$max" >"$scratch/max.txt"
for text in 'old newsletter tool' 2026-05-01 2021-03-04T10:00:00Z 192.0.2.7 2021-03-04T10:05:00Z 192.0.2.8; do
    grep -qF "$text" "$scratch/max.txt" || wrong "the letter lacks $text"
done

# a person of two contacts: one answer, whichever is named
one=$(on s --json add given=Mia email=mia@example.org --grant newsletter --source stand | text_of id)
two=$(on s --json add given=Mia phone='06 39 98 00 55' --grant sms --source door | text_of id)
on s --quiet --yes merge "$one" "$two"
for id in "$one" "$two"; do
    on s access "$id" >"$scratch/mia.txt"
    for text in mia@example.org +33639980055 stand door; do
        grep -qF -- "$text" "$scratch/mia.txt" || wrong "the answer to a person of two contacts lacks $text"
    done
done

# 8. a correction leaves nothing of what was wrong; restriction keeps and uses nothing; an erasure has its receipts
on a --quiet edit "$zoe" --rectify family=Martine
on a --json access "$zoe" | grep -q '"Martin"' && wrong 'a rectified value is in an access'
on a --quiet restrict "$zoe"
on a --quiet restrict "$zoe"
expect 'restricted' "$(on a --json show "$zoe" | list_of blocked)" identity,email,phone
expect 'not found' "$(on a --json find martine)" ''
on a --json show "$zoe" | grep -q 'likes trees' && wrong 'a note about a restricted person is shown'
fails 4 a edit "$zoe" given=Z
on a access "$zoe" | grep -q 'likes trees' || wrong 'the person sees what is restricted'
expect 'one restriction, said once' "$(on a --json history "$zoe" | grep -c '"restrict"')" 1
on a --quiet lift "$zoe"
on a --quiet lift "$zoe"
expect 'lifted' "$(field a "$zoe" given)" Zoë
expect 'what was withdrawn stays blocked' "$(on a --json show "$zoe" | list_of blocked)" phone
gone=$(add given=Gone --source market)
on a --quiet --yes erase "$gone"
fails 3 a show "$gone"
fails 3 a access "$gone"
on a --quiet sweep
expect 'the receipt' "$(on a --json erasures | grep -F "$gone" | list_of outstanding)" ''

on a --quiet charter set recipient/printer 'prints the letters'
expect 'who got the data outside is to be told' "$(on a --json tasks | grep '"tell"' | text_of task)" "tell-$gone"
on a --quiet tasks 'done' "tell-$gone"
expect 'told' "$(on a --json tasks | grep -c '"tell"' || true)" 0

# 9. dates block by themselves; only a signed event erases
short=$(add given=Short email=short@example.org --grant newsletter --source market --until "$(day 10)")
expect 'before its date' "$(later 9 a --json show "$short" | text_of email)" short@example.org
expect 'after its date' "$(later 11 a --json show "$short" | text_of email)" ''
expect 'silent for three years' "$(later 1100 a --json show "$zoe" | list_of blocked)" identity,email,phone
expect 'a member stays' "$(
    member=$(add given=Member email=m@example.org --grant membership --basis member --source form)
    later 1100 a --json show "$member" | text_of email
)" m@example.org
expect 'proposed: ended' "$(later 20 a --json retention | text_of ended)" 1
expect 'proposed: silent' "$(later 1100 a --json retention | text_of silent)" 4
expect 'a task' "$(later 20 a --json tasks | grep '"retention"' | text_of people)" 1
fails 2 a retention erase
says '--yes'

# what is to be done, in words that an office reads
on a --lang fr --quiet access "$zoe" --received "$(day 0)"
later 1100 a --lang fr tasks >"$scratch/tasks"
for text in 'personnes que rien ne permet de garder' 'la personne a demandé ce que nous savons' 'en retard'; do
    grep -qF "$text" "$scratch/tasks" || wrong "the tasks in French lack: $text"
done
grep -q ' [:;?!]' "$scratch/tasks" && wrong 'a common space before a sign'
on a --quiet tasks 'done' "access-$zoe"

# 10. after a ballot, one command
ballot=$(day 3)
roll=$(add given=Roll street='1 rue des Lilas' city=Grenoble --grant mail --grant canvass --basis roll --until "$(day 4)" --source 'electoral roll')
agreed=$(add given=Agreed street='2 rue des Lilas' city=Grenoble --grant mail --basis roll --until "$(day 4)" --source 'electoral roll')
on a --quiet consent grant "$agreed" newsletter --source 'at the door'
both=$(add given=Both street='3 rue des Lilas' city=Grenoble --grant mail --basis roll --until "$(day 4)" --source 'electoral roll')
on a --quiet consent grant "$both" membership --basis member --source form
kept=$(add given=Kept street='4 rue des Lilas' --grant mail --basis roll --until "$(day 4)" --source 'electoral roll')
on a --quiet restrict "$kept"
got=0
later 3 a --yes purge "$ballot" 2>"$scratch/err" || got=$?
expect 'not before the end of the day' "$got" 4
later 5 a --json purge "$ballot" --dry-run >"$scratch/dry.json"
expect 'dry run' "$(text_of erased <"$scratch/dry.json")" 1
later 5 a --json show "$roll" >/dev/null || wrong 'a dry run erases'
later 5 a --json --yes purge "$ballot" >"$scratch/purge.json"
for pair in collected:4 erased:1 kept_members:1 kept_agreed:1 kept_restricted:1 darkened:1; do
    expect "purge ${pair%:*}" "$(text_of "${pair%:*}" <"$scratch/purge.json")" "${pair#*:}"
done
fails 3 a show "$roll"
expect 'who agreed is kept' "$(later 5 a --json show "$agreed" | text_of given)" Agreed
expect 'without the address that the roll gave' "$(later 5 a --json show "$agreed" | list_of dark)" postal
expect 'a member keeps it' "$(later 5 a --json show "$both" | text_of street)" '3 rue des Lilas'
expect 'again: nothing more' "$(later 5 a --json --yes purge "$ballot" | text_of erased)" 0
expect verify "$(later 5 a --json verify | text_of ok)" true
later 1110 a --json --yes retention erase >"$scratch/retention.json"
[ "$(text_of erased <"$scratch/retention.json")" -ge 3 ] || wrong "retention erase: $(cat "$scratch/retention.json")"
fails 3 a show "$zoe"

# 11. two communities on one machine share nothing
on b --quiet init --community Party --node b >/dev/null 2>&1
on b --quiet add given=Party email=party@example.org --grant newsletter --source form >/dev/null
on a --quiet bundle export "$scratch/a.bundle"
fails 4 b bundle import "$scratch/a.bundle"
expect 'nothing came' "$(on b --json status | text_of contacts)" 1
expect 'nothing is found' "$(on b --json find li)" ''
on a --json bundle export "$scratch/none.bundle" --for b >/dev/null 2>&1 && wrong 'a bundle for who is no member'
start_node a
address=$(address_of a)
got=0
on b --quiet sync "$address" >"$scratch/out" 2>&1 || got=$?
[ "$got" -ne 0 ] || wrong 'two communities met'
expect 'nothing came by the network' "$(on b --json status | text_of contacts)" 1
stop_node a

# 12. the register of processing; the sheet for a lost device
start_node a
join_node a vera volunteer
expect 'the controller' "$(on a --json register | text_of controller)" Test
on a --lang fr register | grep -q 'information par courriel' || wrong 'the register names a use as an office does'
on a --lang fr register | grep -q ' [:;?!]' && wrong 'a common space before a sign'
on a --lang fr register --breach vera | grep -q ' [:;?!]' && wrong 'a common space before a sign'
on a --lang fr register | grep -qi 'vous ' && wrong 'the register speaks to somebody'
on a --lang fr register | grep -q 'non indiqué (carnet charter set dpo' || wrong 'what is missing is to be seen'
for text in newsletter vera volunteer retention_seconds legitimate-interest; do
    on a --json register | grep -qF "$text" || wrong "the register lacks $text"
done
on a --json register | grep -q '"printer":"prints the letters"' || wrong 'the register lacks an outside recipient'
on a --lang fr register | grep -q 'RESPONSABLE DU TRAITEMENT' || wrong 'the register in French'
on a --json register --breach vera --noticed "$(day 0)" >"$scratch/breach.json"
expect 'the clock' "$(text_of due <"$scratch/breach.json")" "$(day 3)T00:00:00Z"
expect 'not late' "$(text_of late <"$scratch/breach.json")" false
grep -q '"email"' "$scratch/breach.json" && wrong 'a volunteer who reads no e-mail could not read any'
grep -q '"identity":[1-9]' "$scratch/breach.json" || wrong "names could be read: $(cat "$scratch/breach.json")"
expect 'late' "$(on a --json register --breach vera --noticed "$(day -4)" | text_of late)" true
on a register --breach vera >"$scratch/breach.txt"
grep -q CNIL "$scratch/breach.txt" || wrong 'the breach sheet'
grep -o 'carnet [a-z]*' "$scratch/breach.txt" | sort -u | while read -r _ command; do
    "$carnet" help | grep -q "^  $command " || wrong "the sheet names a command that is not there: $command"
done
grep -q 'carnet revoke' "$scratch/breach.txt" || wrong 'the sheet does not tell how to revoke'
grep -qi rotate "$scratch/breach.txt" && wrong 'the sheet tells of what cannot be done'
fails 3 a register --breach nobody

# what a volunteer may not do
nina=$(add given=Nina --source market)
on vera --quiet sync "$(address_of a)" >/dev/null
expect 'the volunteer has it' "$(on vera --json find nina | text_of id)" "$nina"
for command in restrict lift access; do
    fails 4 vera $command "$nina"
done
fails 4 vera --yes purge 2026-01-01
fails 4 vera --yes retention erase
stop_node a

# 13. the audit trail: signed, whole, nobody in it
for _ in 1 2 3 4 5; do
    on a --json find li >/dev/null
done
on a --json audit >"$scratch/audit.json"
for kind in consent erase access search administration purge; do
    grep -q "\"kind\":\"$kind\"" "$scratch/audit.json" || wrong "the trail lacks $kind"
done
for text in "$zoe" "$li" example.org Zoé 3363; do
    grep -qF -- "$text" "$scratch/audit.json" && wrong "the trail holds $text"
done
expect 'searches of a day are one row' "$(grep -c '"kind":"search"' "$scratch/audit.json")" "$(on a --json audit | grep -c '"kind":"search"')"
expect 'since' "$(on a --json audit --since "$(day 2000)")" ''
printf 'secret\n' >"$scratch/passphrase"
CARNET_PASSPHRASE_FILE=$scratch/passphrase on c --quiet init --community Sealed --node c >/dev/null 2>&1
CARNET_PASSPHRASE_FILE=$scratch/passphrase on c --json audit | grep -q '"kind":"unlock"' || wrong 'an unlock is not in the trail'
python3 -c 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute("UPDATE audit SET detail = ? WHERE n = 3", ("nothing",)); db.commit()' "$scratch/a/carnet.db"
fails 1 a audit
says 'row 3'

# 16. an export leaves sealed to somebody by name; in clear it needs the right and a reason, and asks
on d --quiet init --community Exports --node d >/dev/null 2>&1
on d --quiet add given=Ada email=ada@example.org --grant newsletter --source stand
start_node d
join_node d office office
join_node d wim volunteer --scope identity --scope email
on wim --quiet sync "$(address_of d)" >/dev/null
stop_node d
fails 2 d export "$scratch/clear.csv"
fails 2 d export "$scratch/clear.csv" --plain
fails 2 d export "$scratch/clear.csv" --plain --reason 'the printer'
fails 4 wim --yes export "$scratch/clear.csv" --plain --reason 'mine'
[ ! -e "$scratch/clear.csv" ] || wrong 'a refused export leaves a file'
on d --quiet export "$scratch/sealed" --for office
grep -q 'ada@example.org\|Ada' "$scratch/sealed" && wrong 'a sealed export can be read'
fails 4 wim --yes unseal "$scratch/sealed" "$scratch/stolen" --reason mine
[ ! -e "$scratch/stolen" ] || wrong 'a file that was not opened'
on office --quiet --yes unseal "$scratch/sealed" "$scratch/opened" --reason 'the printer'
grep -q ada@example.org "$scratch/opened" || wrong 'whom it is for opens it'

# 17. what has no place for consent says so
for kind in csv vcf; do
    on d --quiet --yes export "$scratch/d.$kind" --plain --reason 'the printer'
    head -5 "$scratch/d.$kind" | grep -q 'does not say what these people agreed to or refused' || wrong "a .$kind file does not say what it lacks"
done
on d --quiet --lang fr --yes export "$scratch/fr.csv" --plain --reason imprimeur
head -1 "$scratch/fr.csv" | grep -q 'ont accepté ou refusé' || wrong 'in French'
