#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Exports: what goes out and what does not, read back in each format, sealed for a member, refused in clear to whoever may not.
. "$(dirname "$0")/lib.sh"

found a
zoe=$(on a --json add given=Zoé family="d'Été, fils" email=zoe@example.org phone/mobile=0639980001 phone=0199000001 born=1985-04 street='3 rue; des "Lilas"' postcode=38000 \
    city=Grenoble employer='=cmd|x' gender=x language=fr website=https://example.org handle/bluesky=zoe.example.org --grant newsletter --grant call --grant mail --grant social \
    --grant profile --source 'fiche papier' --proof 'fiche 12' --until 2090-01-01 | text_of id)
on a --quiet edit "$zoe" note='-1
@deux' support=2
on a --quiet tag "$zoe" +bénévole '+a, b'
on a --quiet note "$zoe" 'Vue au marché
le 3 "mai" \ fin'
on a --quiet note "$zoe" Rappeler
none=$(on a --json add given=Refus family=Tout email=non@example.org --grant newsletter --grant file --source x | text_of id)
on a --quiet consent object "$none" --all
half=$(on a --json add given=Half family=Moitié email=moitie@example.org phone=0639980002 --grant newsletter --grant file --grant sms --source x | text_of id)
on a --quiet consent withdraw "$half" newsletter

# how it is said
fails 2 a export "$scratch/x.csv"
says '--for'
says '--plain'
fails 2 a export "$scratch/x.csv" --plain
says '--reason'
fails 2 a export "$scratch/x.csv" --plain --reason test
says 'asks on a terminal'
fails 2 a export "$scratch/x.csv" --for a --plain --reason test
fails 3 a export "$scratch/x.csv" --for nobody
fails 2 a --yes export "$scratch/x.csv" --plain --reason test --purpose nothing
fails 2 a --yes export "$scratch/x.csv" --plain --reason test --segment 'age:('
fails 2 a --yes export "$scratch/x.csv" --plain --reason 'for zoe@example.org'
says 'audit'
[ ! -e "$scratch/x.csv" ] || wrong 'a refused export leaves a file'
fails 1 a --yes export /dev/full --plain --reason test --format json
says '/dev/full'

# each format says what it cannot carry, and leaves out whoever refused
for kind in csv vcf json; do
    on a --json --yes export "$scratch/x.$kind" --plain --reason 'un essai' >"$scratch/out.json"
    expect "$kind: contacts" "$(text_of contacts <"$scratch/out.json")" 2
    expect "$kind: left out" "$(text_of left_out <"$scratch/out.json")" 1
    for gone in non@example.org Refus moitie@example.org; do
        ! grep -q "$gone" "$scratch/x.$kind" || wrong "$kind has $gone"
    done
    grep -q zoe@example.org "$scratch/x.$kind" || wrong "$kind lacks an address that was let out"
done
head -1 "$scratch/x.csv" | grep -q 'does not say what these people agreed to or refused.*Reason: un essai' || wrong 'the first line of a CSV file says what it is'
expect 'each card says so' "$(grep -c '^X-CARNET-NOTICE:' "$scratch/x.vcf")" 2
expect 'no line of a card is longer than 75 bytes' "$(LC_ALL=C awk 'length($0) > 76' "$scratch/x.vcf")" ''
on a --quiet --lang fr --yes export "$scratch/fr.csv" --plain --reason essai
head -1 "$scratch/fr.csv" | grep -q 'ont accepté ou refusé' || wrong 'in French'
sed -n 2p "$scratch/fr.csv" | grep -q '^carnet_id;carnet_book;given;family;' || wrong 'semicolons for a French spreadsheet'
grep -q "\"'=cmd|x\"" "$scratch/fr.csv" || wrong 'a formula is disarmed'
grep -q "\"'+33639980001\"" "$scratch/fr.csv" || wrong 'a phone number is disarmed'

# only who agreed to the purpose, and only what it covers
on a --quiet --yes export "$scratch/news.json" --plain --reason test --purpose newsletter
grep -q zoe@example.org "$scratch/news.json" || wrong 'the address of who agreed'
! grep -q '"phone\|"city\|"support\|Rappeler\|"call"' "$scratch/news.json" || wrong 'a purpose lets out what it does not cover'
! grep -q Half "$scratch/news.json" || wrong 'who withdrew is in the list'
on a --json --yes export "$scratch/seg.csv" --plain --reason test --segment 'family:moitié' >"$scratch/out.json"
expect 'a segment' "$(text_of contacts <"$scratch/out.json")" 1

# read back as they were: every shown field of the contact
shown() { # shown NODE QUERY WITHOUT: fields and tags in order
    on "$1" --json find "$2" | sed 's/.*"fields":{//; s/},"tags":/,/; s/],.*//' | tr ',' '\n' | grep -v "$3" | sort
}
for kind in csv fr.csv vcf; do
    case $kind in fr.csv) file=$scratch/fr.csv ;; *) file=$scratch/x.$kind ;; esac
    # a card has no place for opinions
    case $kind in vcf) without='"support"' ;; *) without='^$' ;; esac
    found "b-$kind"
    on "b-$kind" --json import "$file" --source export --collected 2026-01-02 --basis consent --grant newsletter --grant call --grant mail --grant social --grant profile >"$scratch/in.json"
    expect "$kind: created" "$(text_of created <"$scratch/in.json")" 2
    expect "$kind: rejected" "$(text_of rejected <"$scratch/in.json")" 0
    expect "$kind: as it was" "$(shown "b-$kind" zoé "$without")" "$(shown a zoé "$without")"
    on a --json import "$file" --source export --collected 2026-01-02 --basis consent >"$scratch/in.json"
    expect "$kind: known again at home" "$(text_of created <"$scratch/in.json")" 0
done

# two values in conflict
start_node a --listen tcp://127.0.0.1:0
join_node a c office
stop_node a
on a --quiet bundle export "$scratch/ab"
on c --quiet bundle import "$scratch/ab"
on a --quiet edit "$half" given=Hector
on c --quiet edit "$half" given=Hugo
on c --quiet bundle export "$scratch/ba"
on a --quiet bundle import "$scratch/ba"
expect 'a conflict' "$(on a --json conflicts | text_of field)" given

# JSON: exported, imported into an empty community, exported again: the same bytes but for ids and times
same() {
    sed -e 's/"[0-9a-f]\{32\}"/ID/g; s/"20[0-9-]*T[0-9:]*Z"/TIME/g' -e 's/"source_ids":{"carnet":ID},//' "$1"
}
on a --quiet --yes export "$scratch/first.json" --plain --reason test
grep -q '"conflicts":{"given":\[' "$scratch/first.json" || wrong 'the conflict is in the file'
found d
on d --json import "$scratch/first.json" --source export --collected 2026-01-02 --basis consent >"$scratch/in.json"
expect 'JSON: created' "$(text_of created <"$scratch/in.json")" 2
expect 'JSON: rejected' "$(text_of rejected <"$scratch/in.json")" 0
on d --quiet --yes export "$scratch/second.json" --plain --reason test
same "$scratch/first.json" >"$scratch/first.same"
same "$scratch/second.json" >"$scratch/second.same"
cmp "$scratch/first.same" "$scratch/second.same" || wrong "not the same: $(diff "$scratch/first.same" "$scratch/second.same")"
expect 'the conflict came back as one' "$(on d --json conflicts | text_of field)" given
on d --json consent "$(on d --json find zoé | text_of id)" | grep '"newsletter"' | grep '"source":"fiche papier"' | grep -q '"until":"2090-01-01T' || wrong 'the evidence came along'
on d --json consent "$(on d --json find moitié | text_of id)" | grep '"newsletter"' | grep -q '"refused"' || wrong 'the withdrawal came along'
state=$(state_of d)
on d --json import "$scratch/first.json" --source export --collected 2026-01-02 --basis consent >"$scratch/in.json"
expect 'JSON again: unchanged' "$(text_of unchanged <"$scratch/in.json")" 2
expect 'JSON again: nothing written' "$(state_of d)" "$state"
on d --json verify | grep -q '"ok":true' || wrong 'verify'

# a grant in a file never goes over a refusal
on d --quiet consent object "$(on d --json find zoé | text_of id)" newsletter
on d --json import "$scratch/first.json" --source export --collected 2026-02-02 --basis consent >"$scratch/in.json"
expect 'refused' "$(text_of refused <"$scratch/in.json")" 1
on d --json consent "$(on d --json find zoé | text_of id)" | grep '"newsletter"' | grep -q '"objected"' || wrong 'a file overruled an objection'

# cut short
sed '$d' "$scratch/first.json" >"$scratch/cut.json"
found e
on e --json import "$scratch/cut.json" --source export --collected 2026-01-02 --basis consent >"$scratch/in.json"
expect 'a file without its end says so' "$(text_of rejected <"$scratch/in.json")" 1
printf '{"a":1}\n' >"$scratch/other.json"
fails 1 e import "$scratch/other.json" --format json --source x --collected 2026-01-02 --basis consent

# sealed for a member, opened by them and nobody else
start_node a
join_node a v volunteer
stop_node a
fails 4 v export "$scratch/v.csv" --plain --reason test --yes
says 'in clear'
on a --quiet export "$scratch/c.carnet" --for c --format json
grep -aq zoe "$scratch/c.carnet" && wrong 'the sealed file is readable'
fails 4 a import "$scratch/c.carnet" --source x --collected 2026-01-02 --basis consent
says 'c (c)'
fails 4 v --yes unseal "$scratch/c.carnet" "$scratch/v.json" --reason test
fails 4 d import "$scratch/c.carnet" --source x --collected 2026-01-02 --basis consent
says 'another community'
fails 2 c unseal "$scratch/c.carnet" "$scratch/c.json" --reason test
on c --quiet bundle import "$scratch/ba"
on a --quiet bundle export "$scratch/ab2"
on c --quiet bundle import "$scratch/ab2"
on c --json import "$scratch/c.carnet" --source export --collected 2026-01-02 --basis consent >"$scratch/in.json"
expect 'sealed: rows' "$(text_of rows <"$scratch/in.json")" 2
expect 'sealed: created' "$(text_of created <"$scratch/in.json")" 0
on c --quiet --yes unseal "$scratch/c.carnet" "$scratch/c.json" --reason test
grep -q zoe@example.org "$scratch/c.json" || wrong 'unsealed'
head -c 700 "$scratch/c.carnet" >"$scratch/short.carnet"
fails 1 c import "$scratch/short.carnet" --source x --collected 2026-01-02 --basis consent
says 'damaged or cut short'
fails 1 c --yes unseal "$scratch/short.carnet" "$scratch/no.json" --reason test
[ ! -e "$scratch/no.json" ] || wrong 'a damaged file leaves half a file'
fails 1 c --yes unseal "$scratch/c.json" "$scratch/no.json" --reason test
# a volunteer reads no addresses: nothing more goes into a file for them
on a --quiet export "$scratch/v.carnet" --for v --format json
on v --json import "$scratch/v.carnet" --dry-run >"$scratch/dry.json"
! grep -q '"email":\|"phone' "$scratch/dry.json" || wrong 'a file for a member holds scopes that they do not read'
grep -q '"street":' "$scratch/dry.json" || wrong 'the scopes that they read are there'
on a --json audit | grep '"export"' >"$scratch/audit" || wrong 'exports are in the audit trail'
! grep -q 'zoe\|Zoé\|example' "$scratch/audit" || wrong 'the trail names people'

# interrupted: no half file, alone and through a node
root=$(cd "$(dirname "$0")/../.." && pwd)
found f
"$root/tools/demo-data" --people 30000 --seed 3 --format nationbuilder --out "$scratch/many.csv"
on f --quiet import "$scratch/many.csv" --source export --collected 2025-03-01 --basis consent
interrupt() { # interrupt SIGNAL: of an export that has begun to write
    rm -f "$scratch/half.json"
    "$carnet" --home "$scratch/f" --quiet --yes export "$scratch/half.json" --plain --reason test 2>"$scratch/err" &
    pid=$!
    until_true test -s "$scratch/half.json"
    kill "-$1" "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -ne 0 ] || wrong 'an export that was interrupted says that it is done'
}
interrupt TERM
expect 'interrupted' "$status" 1
[ ! -e "$scratch/half.json" ] || wrong 'an interrupted export leaves half a file'
start_node f
interrupt TERM
until_true test ! -s "$scratch/half.json"
on f --quiet --yes export "$scratch/half.json" --plain --reason test
tail -n 1 "$scratch/half.json" | grep -q '"carnet":"end"' || wrong 'the next export is whole'
stop_node f
on f --json audit | grep -q 'broken off after' || wrong 'what went out before is in the trail'

# a community's own fields come along with its JSON: who may makes them, others are told what is left out
found g
on g field add children --type number
on g field add days --type choices --choice lundi --choice mardi --scope notes
on g --quiet add given=Ada email=ada@example.org children=2 days='lundi; mardi' --grant newsletter --grant profile --source x
on g --quiet --yes export "$scratch/own.json" --plain --reason test
grep -qF '"days":["lundi","mardi"]' "$scratch/own.json" || wrong 'several choices are an array'
on g --yes export "$scratch/own.vcf" --plain --reason test | grep -q 'your own fields' || wrong 'what a vCard has no place for is said'
on g --yes export "$scratch/own.csv" --plain --reason test >"$scratch/out"
! grep -q 'your own fields' "$scratch/out" || wrong 'CSV has them'
found k
on k import "$scratch/own.json" --dry-run | grep -q children || wrong 'a dry run tells which fields the import makes'
expect 'a dry run makes none' "$(on k --json field list | grep -c '"custom":true')" 0
on k --json import "$scratch/own.json" --source g --collected 2026-01-02 --basis consent >"$scratch/in.json"
expect 'nothing is left out' "$(list_of unmapped <"$scratch/in.json")" ''
expect 'a number' "$(on k --json find 'children:2' | text_of given)" Ada
expect 'several choices' "$(on k --json find 'days:mardi' | list_of days)" lundi,mardi
on k --quiet --yes export "$scratch/own2.json" --plain --reason test
same "$scratch/own.json" >"$scratch/own.same"
same "$scratch/own2.json" >"$scratch/own2.same"
cmp "$scratch/own2.same" "$scratch/own.same" || wrong 'exported, read and exported again: not the same'
found l
start_node l
join_node l m office
on m --json import "$scratch/own.json" --source g --collected 2026-01-02 --basis consent >"$scratch/in.json"
expect 'an office makes no field, and is told' "$(list_of unmapped <"$scratch/in.json" | tr ',' '\n' | sort | tr '\n' ' ')" 'children days '
on m import "$scratch/own.json" --source g --collected 2026-01-02 --basis consent | grep -q 'children' || wrong 'said to people too'
stop_node l

# while a node runs
start_node a
on a --quiet --yes export "$scratch/live.json" --plain --reason test
same "$scratch/live.json" >"$scratch/live.same"
cmp "$scratch/live.same" "$scratch/first.same" || wrong 'not the same while the node runs'
on a --quiet export "$scratch/live.carnet" --for a
on a --json import "$scratch/live.carnet" --source x --collected 2026-01-02 --basis consent >"$scratch/in.json"
expect 'sealed for oneself' "$(text_of rejected <"$scratch/in.json")" 0
stop_node a
