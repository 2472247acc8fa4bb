#!/bin/bash
# SPDX-License-Identifier: EUPL-1.2
# As an office would: the town's roll, last year's newsletter list, a volunteer's telephone and an unsubscribe list, imported in any
# order, give the same people, the same refusals, no address usable that somebody refused, and the same duplicates, proposed once.
# OFFICE_VOTERS: how many are on the roll (default 300; all 24 orders then. From 10000 on: 2 orders).
cd "$(dirname "$0")"
. ./lib.sh
voters=${OFFICE_VOTERS:-300}
mkdir "$scratch/files"
python3 ../support/office_files.py "$scratch/files" "$voters"

take() { # take NODE FILE
    case $2 in
    roll) set -- "$1" roll.csv --basis roll --ballot 2027-03-15 --source 'liste électorale' --collected 2026-09-01 ;;
    newsletter) set -- "$1" newsletter.csv --basis consent --source 'lettre 2025' --collected 2025-12-01 ;;
    phone) set -- "$1" phone.vcf --basis legitimate-interest --grant call --source 'téléphone de Noé' --collected 2026-10-01 ;;
    unsubscribed) set -- "$1" unsubscribed.csv --basis consent --source 'désabonnements' --collected 2026-10-15 ;;
    esac
    node=$1
    file=$2
    shift 2
    on "$node" --json import "$scratch/files/$file" "$@" >"$scratch/$node.$file.json" 2>"$scratch/$node.err"
}

# what people see, without ids: each contact by its fields and tags, then who may be reached for what, then the proposals
state() { # state NODE
    on "$1" --json find >"$scratch/all"
    for purpose in file newsletter call mail canvass; do
        on "$1" --json find "consent:$purpose" >"$scratch/purpose.$purpose"
    done
    python3 ../support/office_state.py "$scratch" --strangers >"$scratch/strangers"
    while read -r id; do
        echo "{\"of\": \"$id\"}"
        on "$1" --json consent "$id"
    done <"$scratch/strangers" >"$scratch/consents"
    if "$carnet" help duplicates >"$scratch/help" 2>&1; then
        on "$1" --json duplicates >"$scratch/duplicates"
    else
        : >"$scratch/duplicates"
    fi
    python3 ../support/office_state.py "$scratch"
}

if [ "$voters" -lt 10000 ]; then
    orders=$(python3 -c 'import itertools
for o in itertools.permutations(["roll", "newsletter", "phone", "unsubscribed"]): print(" ".join(o))')
else
    orders='roll newsletter phone unsubscribed
unsubscribed phone newsletter roll'
fi
n=0
while read -r order; do
    n=$((n + 1))
    on "o$n" init --community Ville-Neuve --node bureau >/dev/null 2>&1
    for file in $order; do
        take "o$n" "$file"
    done
    state "o$n" >"$scratch/state.$n"
    # the same files again change nothing
    if [ $n -eq 1 ]; then
        for file in $order; do
            take o1 "$file"
        done
        state o1 >"$scratch/again"
        cmp -s "$scratch/again" "$scratch/state.1" || { diff "$scratch/state.1" "$scratch/again" | head -20 >&2; wrong 'the same files again changed something'; }
    fi
    cmp -s "$scratch/state.$n" "$scratch/state.1" || { diff "$scratch/state.1" "$scratch/state.$n" | head -20 >&2; wrong "\"$order\" gives other people"; }
    checks=$((checks + 1))
    # no address that somebody refused is usable
    tail -n +2 "$scratch/files/unsubscribed.csv" | cut -d ';' -f 1 >"$scratch/refused"
    on "o$n" --json find consent:newsletter | grep -o '"email[^"]*": *"[^"]*"' | sed 's/.*"\([^"]*\)"$/\1/' | sort >"$scratch/usable"
    expect "refused addresses that are usable after \"$order\"" "$(sort "$scratch/refused" | comm -12 - "$scratch/usable")" ''
    [ -s "$scratch/usable" ] || wrong 'nobody can be reached at all'
    rm -rf "$scratch/o$n"
done <<EOF
$orders
EOF
