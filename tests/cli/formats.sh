#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Every file that people really have in hand: recognised by itself, shown before anything is written, and read as its tool means it.
. "$(dirname "$0")/lib.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
fixtures=$root/tests/fixtures/import

found a

maps() { # maps FILE COLUMN=TARGET...: the dry run says so ("COLUMN=" : not imported)
    file=$1
    shift
    on a --json import "$fixtures/$file" --dry-run >"$scratch/dry.json"
    checks=$((checks + $#))
    python3 - "$scratch/dry.json" "$@" <<'END' || wrong "$file: $(cat "$scratch/dry.json")"
import json, sys
said, bad = json.load(open(sys.argv[1])), 0
for pair in sys.argv[2:]:
    column, _, target = pair.rpartition("=")
    if said["mapping"].get(column) != target if target else column in said["mapping"] or column not in said["unmapped"]:
        bad = 1
        print(pair, file=sys.stderr)
sys.exit(bad)
END
    expect "$file: a dry run writes nothing" "$(on a --json status | text_of contacts)" 0
}

maps digitalebox.csv FIRST_NAME=given MOBILE=phone/mobile ZIP=postcode KEYWORDS=tags
maps reu.csv "code du l'ugle=insee" "nom de naissance=birth_name" "nom d'usage=family" "prénoms=given" "libellé de voie=street" \
    "code du bureau de vote=polling_station" "libellé commune de naissance=" "code commune de naissance=" "pays de naissance=" \
    "libellé du type de liste=" "numéro d'ordre dans le bureau de vote="
grep -q '"roll":true' "$scratch/dry.json" || wrong 'a roll is called a roll'
maps reu-variante.csv "code de l'ugle=insee" PORTABLE=phone/mobile FIXE=phone/home MAIL=email CONTACT= PROFESSION=
grep -q '"roll":true' "$scratch/dry.json" || wrong 'a roll with columns of an office is a roll'
maps elistelec.csv NomdeNaissance=birth_name NomDusage=family CodeCommune=insee NoBureauDeVote=polling_station NomComNaissance=
grep -q '"roll":true' "$scratch/dry.json" || wrong 'the statutory format is a roll'
maps nationbuilder.csv nationbuilder_id=source_id/nationbuilder_id email_opt_in=consent:newsletter mobile_opt_in=consent:sms \
    do_not_call=object:call do_not_contact=object:all unsubscribed_at=object:email email1_is_bad=bad:email religion= ethnicity= party= \
    address_address1=street work_city=city/work
grep -q '"roll":false' "$scratch/dry.json" || wrong 'an export is no roll'
maps nationbuilder-import.csv DOB=born support_level=support tag_list=tags religion= federal_donotcall=object:call
maps actionnetwork.csv uuid=source_id/uuid can2_user_tags=tags can2_sms_status=consent:sms Volunteer_Phone=
maps google.csv 'E-mail 1 - Value=email' 'E-mail 1 - Label=label of email' Labels=tags 'Custom Field 1 - Value='
maps google-ancien.csv 'Given Name=given' 'Group Membership=tags' 'Maiden Name=birth_name'
maps outlook.csv 'Business Street=street/work' 'E-mail 2 Address=email/2' Categories=tags
maps outlook-fr.csv 'Adresse de messagerie=email' 'Tél. mobile=phone/mobile' 'Rue (domicile)=street' 'Rue (bureau)=street/work' Bureau=
maps outlook-com.csv 'Home Address=street' 'Home Phone 2=phone/home2'
maps brevo.csv SMS=phone/mobile EMAIL_BLACKLISTED=object:email SMS_BLACKLISTED=object:sms PRENOM=given ADDED_TIME=
maps brevo-en.csv LASTNAME=family WHATSAPP=phone/whatsapp LANDLINE_NUMBER=phone/home OPT_IN=consent:newsletter
maps mailchimp.csv OPTIN_TIME=consent:newsletter OPTIN_IP=consent-address CONFIRM_TIME=confirm-date MEMBER_RATING= TAGS=tags
maps mailchimp-unsubscribed.csv UNSUB_TIME=object:email
maps mailchimp-cleaned.csv CLEAN_TIME=bad:email
maps sans-en-tete.csv 1=family 2=given 3=email 4=phone 5=postcode 6=city 7=
maps tableur-a-la-main.csv 'CP/Ville=city' 'Mél=email' 'Stop SMS=object:sms' 'Accepte newsletter=consent:newsletter'
maps contenu.csv joindre=email secteur=postcode lieu=city
maps apple3.vcf N='given, family' TEL=phone NICKNAME=
maps v4.vcf EMAIL=email BDAY=born
on a --lang fr import "$fixtures/mailchimp.csv" --dry-run >"$scratch/dry.txt"
grep -q 'OPTIN_TIME *consent:newsletter' "$scratch/dry.txt" || wrong 'the mapping, for people'

# what cannot be read is named, in the person's language, and can be corrected
on a --json --lang fr import "$fixtures/tableur-a-la-main.csv" --source test --collected 2025-05-01 --basis consent --rejects "$scratch/rejects.csv" >"$scratch/1.json"
expect 'by hand: created' "$(text_of created <"$scratch/1.json")" 3
expect 'by hand: rejected' "$(text_of rejected <"$scratch/1.json")" 1
grep -q '^6;.*une formule, pas une valeur' "$scratch/rejects.csv" || wrong "line and reason: $(cat "$scratch/rejects.csv")"
sed 's/=CONCATENER(A1;B1)/06 39 98 01 03/' "$scratch/rejects.csv" >"$scratch/corrected.csv"
on a --json import "$scratch/corrected.csv" --source test --collected 2025-05-01 --basis consent >"$scratch/2.json"
expect 'corrected' "$(text_of created <"$scratch/2.json")" 1
anne=$(on a --json find 'anne martin' | text_of id)
on a --json consent "$anne" | grep '"sms"' | grep -q '"objected"' || wrong 'an opt-out column objects'

# Mailchimp's three files in one zip: what two of them say of one person is one person, who objects
python3 - "$fixtures" "$scratch" <<'END'
import sys, zipfile
fixtures, scratch = sys.argv[1:]
with zipfile.ZipFile(scratch + "/mailchimp.zip", "w", zipfile.ZIP_DEFLATED) as out:
    out.writestr("__MACOSX/._subscribed.csv", b"\x00\x01")
    for name in ("mailchimp", "mailchimp-unsubscribed", "mailchimp-cleaned"):
        out.write(fixtures + "/" + name + ".csv", "export/" + name + ".csv")
with zipfile.ZipFile(scratch + "/bomb.zip", "w", zipfile.ZIP_DEFLATED) as out:
    out.writestr("bomb.csv", "email\n" + "a" * 64000000)
with zipfile.ZipFile(scratch + "/sheet.xlsx", "w") as out:
    out.writestr("[Content_Types].xml", "<Types/>")
with zipfile.ZipFile(scratch + "/empty.zip", "w") as out:
    pass
END
on a --json import "$scratch/mailchimp.zip" --source lettre --collected 2025-05-01 --basis consent >"$scratch/3.json"
expect 'zip: rows' "$(text_of rows <"$scratch/3.json")" 5
expect 'zip: rejected' "$(text_of rejected <"$scratch/3.json")" 1
zoe=$(on a --json find zoe@example.org | text_of id)
expect 'opt-in time is a grant' "$(on a --json show "$zoe" | text_of email)" zoe@example.org
on a --json consent "$zoe" | grep '"newsletter"' | grep -q '2021-03-04T10:00:00Z' || wrong 'and since then'
luc=$(on a --json find 'luc roi' | text_of id)
on a --json consent "$luc" | grep '"newsletter"' | grep -q '"objected"' || wrong 'who unsubscribed objects'
fails 1 a import "$scratch/bomb.zip" --dry-run
says 'too large'
fails 1 a import "$scratch/sheet.xlsx" --dry-run
says 'spreadsheet'
fails 1 a import "$scratch/empty.zip" --dry-run
says 'no CSV or vCard file'
head -c 300 "$scratch/mailchimp.zip" >"$scratch/cut.zip"
fails 1 a import "$scratch/cut.zip" --dry-run
says 'damaged'

# through a running node, which gets the open file
start_node a
on a --json import "$scratch/mailchimp.zip" --dry-run >"$scratch/4.json"
expect 'zip through a node' "$(text_of rows <"$scratch/4.json")" 5
stop_node a

# a roll of 50,000: both complementary lists, once; within seconds
"$root/tests/support/make_roll" --people 50000 --out "$scratch/roll.csv" >"$scratch/roll.json"
began=$(date +%s)
on a --json import "$scratch/roll.csv" --dry-run >"$scratch/5.json"
expect 'a roll: one row a person' "$(text_of rows <"$scratch/5.json")" "$(text_of people <"$scratch/roll.json")"
expect 'a roll: all readable' "$(text_of rejected <"$scratch/5.json")" 0
[ $(($(date +%s) - began)) -le 20 ] || wrong 'reading a roll takes too long'
"$root/tests/support/make_roll" --people 300 --separator , --seed 2 --out "$scratch/small.csv" >"$scratch/small.json"
on a --json import "$scratch/small.csv" --dry-run >"$scratch/6.json"
expect 'with commas' "$(text_of rows <"$scratch/6.json")" "$(text_of people <"$scratch/small.json")"
