#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# The charter: shipped ones, fields of one's own, purposes defined anew, wordings and the record of consent, at two admins and an office.
. "$(dirname "$0")/lib.sh"

# shipped charters
fails 2 x init --community Test --node x --charter party
says town-hall
for name in campaign association town-hall; do
    on "$name" --json init --community Test --node x --charter "$name" >/dev/null
    on "$name" --json charter show >"$scratch/$name.json"
done
grep -q '"membership":{[^}]*"version":"0"' "$scratch/campaign.json" || wrong 'a campaign has the default charter'
grep -q '"membership":{[^}]*"basis":\["consent","member"\],"keep":"1095d"' "$scratch/association.json" || wrong 'an association has members'
grep -q '"alert":{[^}]*"channels":\["email","sms","call"\]' "$scratch/town-hall.json" || wrong 'a town hall alerts'
fails 4 town-hall add given=Zoé --source t --grant canvass
fails 4 association add given=Zoé --source t --grant membership --basis legitimate-interest
says member

found a
on a charter show | grep -q '^  dark_after  *72h' || wrong 'the numbers are shown'
on a --lang fr charter show | grep -q '^Finalités' || wrong 'in French too'
fails 2 a charter set colour red
says 'purpose/NAME'
fails 2 a charter set history soon
fails 2 a charter set purpose/event 'channels=email'
fails 2 a charter set wording/party/fr 'Oui'
expect 'nothing was written' "$(on a --json charter show | text_of history)" 30d

# fields of one's own, of every type
on a field add allergies --type text
on a field add story --type longtext --scope notes
on a field add children --type number
on a field add dues --type decimal
on a field add since --type date
on a field add size --type choice --choice S --choice M
on a field add days --type choices --choice lundi --choice mardi --choice 'mercredi, matin'
on a field add vip --type bool
on a field add second --type email --scope email
on a field add fax --type phone --scope phone
on a field add blog --type url --scope social
on a --json field add faith --type text --scope opinion | grep -q '"scope":"opinion","choices":\[\],"custom":true' || wrong 'what was added is said'
on a field add size --type choice --choice S --choice M
fails 5 a field add size --type text
fails 5 a field add email --type text
fails 5 a charter set field/size 'type=text; scope=identity'
fails 2 a field add age --type number
fails 2 a field add Bad --type text
fails 2 a field add other
fails 2 a field add other --type colour
fails 2 a field add other --type choice
fails 2 a field add other --type text --choice S
fails 2 a field add other --type choice --choice 'a;b'
on a charter set field/size 'type=choice; scope=identity; choices=S|M|L'
expect 'fields listed' "$(on a --json field list | grep -c '"custom":true')" 12
id=$(on a --json add given=Zoé 'allergies=noix de pécan' children=2 dues=12,50 since=15/03/2020 size=l 'days=mercredi, matin;LUNDI' vip=oui --source t 2>/dev/null | text_of id) || true
expect 'a date is not guessed' "$id" ''
id=$(on a --json add given=Zoé 'allergies=noix de pécan' children=2 dues=12,50 since=2020-03-15 size=l 'days=mercredi, matin;LUNDI' vip=oui --source t | text_of id)
on a --json show "$id" >"$scratch/show.json"
for part in '"children":"2"' '"dues":"12.5"' '"since":"2020-03-15"' '"size":"L"' '"days":["lundi","mercredi, matin"]' '"vip":"yes"'; do
    grep -qF "$part" "$scratch/show.json" || wrong "$part is not in $(cat "$scratch/show.json")"
done
for bad in children=2.5 children=two dues=1.2.3 since=2020-02-30 since=2020 size=XL days=jeudi vip=perhaps; do
    fails 2 a edit "$id" "$bad"
done
fails 2 a edit "$id" size=XL
says 'S, M, L'
fails 4 a edit "$id" faith=x
fails 4 a edit "$id" fax=0199000001
on a --quiet edit "$id" children=
expect 'emptied' "$(field a "$id" children)" ''
on a --quiet edit "$id" children=-3
for query in allergies:pecan allergies:noix 'dues:>12' dues:10-13 dues:12.5 'dues:<=12,5' children:-3 'children:-5..-1' since:2020 since:2020-01..2020-06 size:l days:lundi vip:oui vip:yes \
    'allergies:*' '-faith:*'; do
    expect "find $query" "$(on a --json find "$query" | text_of id)" "$id"
done
for query in 'dues:>13' vip:non since:2021 size:M days:mardi 'faith:*' 'children:>0'; do
    expect "find $query" "$(on a --json find "$query")" ''
done
fails 2 a find 'dues:much'
says column
on a history "$id" | grep -q children || wrong 'history names the field'

# imported by its own name, or mapped
cat >"$scratch/list.csv" <<'END'
Prénom;Nom;T-shirt;Size;Days;Vip;Dues
Maël;Œuvrard;M;S;lundi, mardi;non;3
Inès;Groß;L;M;mardi|lundi;oui;rien
END
on a field add cut --type choice --choice M --choice L
on a --json import "$scratch/list.csv" --dry-run --map T-shirt=cut >"$scratch/dry.json"
for part in '"Size":"size"' '"Days":"days"' '"T-shirt":"cut"' '"Vip":"vip"' '"Dues":"dues"'; do
    grep -qF "$part" "$scratch/dry.json" || wrong "$part is not in $(cat "$scratch/dry.json")"
done
on a --json import "$scratch/list.csv" --map T-shirt=cut --source t --collected 2026-01-01 --basis consent >"$scratch/import.json"
expect 'a row with no number is rejected' "$(text_of rejected <"$scratch/import.json")" 1
expect 'imported' "$(on a --json find size:s cut:m vip:non | text_of family)" 'Œuvrard'

# names that cannot be, and two whose numbers would be the same
fails 2 a --lang fr field add 'Régime alimentaire' --type text
says regime_alimentaire
fails 2 a field add 'T-shirt' --type text
says t_shirt
on a field add n148 --type text
fails 5 a field add n280249 --type text
says n148
fails 5 a charter set field/n280249 'type=text; scope=identity'
on a field add n148 --type text

# a purpose defined anew changes nothing for who agreed before
old=$(on a --json add given=Ada email=ada@example.org --grant newsletter --source t | text_of id)
on a charter set purpose/newsletter 'scopes=identity email phone; channels=email sms'
fails 4 a edit "$old" phone=+33639980001
new=$(on a --json add given=Bo email=bo@example.org phone=+33639980002 --grant newsletter --source t | text_of id)
on a charter set purpose/newsletter 'scopes=identity'
expect 'who agreed to more keeps it' "$(field a "$new" phone)" +33639980002
expect 'and who agreed before' "$(field a "$old" email)" ada@example.org
on a --json consent "$new" | grep '"newsletter"' | grep -q '"scopes":\["identity","email","phone"\]' || wrong 'the scopes are those agreed to'
on a --json consent "$old" | grep '"newsletter"' | grep -q '"scopes":\["identity","email"\]' || wrong 'each under its version'
fails 4 a add given=Cy email=cy@example.org --grant newsletter --source t
on a --quiet consent withdraw "$new" newsletter
lists a "$new" blocked phone || wrong 'a withdrawal blocks what was granted'
on a charter set purpose/newsletter retired
fails 4 a consent grant "$old" newsletter --source t
says retired
on a --quiet consent withdraw "$old" newsletter
expect 'a retired purpose can be withdrawn' "$(on a --json consent "$old" | grep '"newsletter"' | text_of state)" withdrawn
on a charter set purpose/newsletter ''
on a --json verify | grep -q '"ok":true' || wrong 'verify'

# the record of consent
on a charter set wording/newsletter/fr 'Je veux recevoir la lettre.'
on a charter set wording/newsletter/en 'Send me the letter.'
first=$(on a --json charter show | grep -o '"version":"[0-9a-f]*","text":"Je veux recevoir' | text_of version)
on a charter set wording/newsletter/fr 'Je veux bien recevoir la lettre.'
id=$(on a --json --lang fr add given=Dan email=dan@example.org --grant newsletter --source marché --channel paper --method form --direct yes --age-band 25-34 | text_of id)
on a --json consent "$id" | grep '"newsletter"' >"$scratch/consent.json"
for part in '"state":"given"' '"source":"marché"' '"channel":"paper"' '"method":"form"' '"direct":"yes"' '"age_band":"25-34"' '"language":"fr"' \
    '"wording":"Je veux bien recevoir la lettre."' '"collector":"a"' '"basis":"consent"' '"proof":null' '"scopes":["identity","email"]'; do
    grep -qF "$part" "$scratch/consent.json" || wrong "$part is not in $(cat "$scratch/consent.json")"
done
on a --quiet consent grant "$id" newsletter --source paper --wording "$first"
on a --json consent "$id" | grep '"newsletter"' | grep -qF '"wording":"Je veux recevoir la lettre."' || wrong 'a former wording stays known'
on a --quiet consent grant "$id" newsletter --source paper --wording en
expect 'by its language' "$(on a --json consent "$id" | grep '"newsletter"' | text_of language)" en
fails 2 a consent grant "$id" newsletter --source paper --wording de
fails 2 a consent grant "$id" newsletter --source paper --direct perhaps
on a --quiet consent withdraw "$id" sms
expect 'who never agreed has refused' "$(on a --json consent "$id" | grep '"sms"' | text_of state)" refused

# the same with a running node, at another admin, at an office
start_node a
join_node a b admin
join_node a c office
start_node b
start_node c
until_true field_is b "$id" given Dan
expect 'the same charter at b' "$(on b --json charter show)" "$(on a --json charter show)"
until_true field_is c "$id" given Dan
expect 'the same charter at c' "$(on c --json charter show)" "$(on a --json charter show)"
fails 4 c charter set history 3d
fails 4 c field add shoe --type number
fails 2 c charter set colour red
stop_node b
on a charter set dark_after 48h
on b charter set dark_after 24h
on a charter set purpose/event 'scopes=identity email'
on b charter set purpose/event 'scopes=identity'
on b field add shoe --type number
start_node b
until_true sh -c "'$carnet' --home '$scratch/a' --json charter show | grep -q '\"dark_after\":\"24h\"'"
until_true sh -c "'$carnet' --home '$scratch/c' --json charter show | grep -q '\"event\":{\"scopes\":\\[\"identity\"\\]'"
on a charter set dark_after 60h
for node in a b c; do
    until_true sh -c "'$carnet' --home '$scratch/$node' --json charter show | grep -q '\"dark_after\":\"60h\"'"
    until_true sh -c "'$carnet' --home '$scratch/$node' --json field list | grep -q '\"shoe\"'"
done
on c --quiet edit "$id" shoe=42
until_true field_is b "$id" shoe 42
until_true same_state a b
until_true same_state a c
for node in a b c; do
    stop_node "$node"
done
