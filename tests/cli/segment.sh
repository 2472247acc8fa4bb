#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Segments through the real program, with and without a running node: saved, listed, shown, counted, refused; the place of what is wrong.
. "$(dirname "$0")/lib.sh"

found a
for person in 'given=Zoé family=Martin city=Grenoble born=2001-05-06' 'given=Adam family=Petit city=Grenoble born=1960' 'given=Léa family=Le%Goff city=Lyon'; do
    set --
    for field in $person; do
        set -- "$@" "$(echo "$field" | tr '%' ' ')"
    done
    on a --quiet add "$@" --grant mail --source 'marché de Noël' >"$scratch/id"
done

all() { # all MODE: the same with and without a node
    on a --quiet segment save Grenoblois city:Grenoble --purpose targeted
    on a --quiet segment save jeunes -- segment:grenoblois age:18-35
    expect "$1: count" "$(on a segment count Grenoblois)" 2
    expect "$1: count by query" "$(on a segment count city:Grenoble -petit)" 1
    expect "$1: count of all" "$(on a segment count)" 3
    expect "$1: count of none" "$(on a --json segment count nobody | text_of count)" 0
    expect "$1: show" "$(on a --json segment show 'GRENOBLOIS' | grep -c '"id"')" 2
    expect "$1: show with a limit" "$(on a --json segment show Grenoblois --limit 1 | grep -c '"id"')" 1
    expect "$1: find" "$(on a --json find segment:jeunes | grep -c '"given": *"Zoé"')" 1
    expect "$1: not in it" "$(on a --json find -segment:grenoblois | grep -c '"id"')" 1
    expect "$1: list" "$(on a --json segment list | text_of name | tr '\n' ' ')" 'Grenoblois jeunes '
    expect "$1: purpose" "$(on a --json segment list | head -n 1 | text_of purpose)" targeted
    expect "$1: source" "$(on a --json find source:marche | grep -c '"id"')" 3
    expect "$1: changed" "$(on a --json find 'changed:<1d' 'added:<1d' | grep -c '"id"')" 3
    expect "$1: changed long ago" "$(on a --json find 'changed:>1d' | grep -c '"id"' || true)" 0

    fails 4 a segment save proches 'city:Grenoble support:1-2' --purpose targeted
    says 'column 15'
    says 'special category'
    fails 4 a segment save lettre 'city:Grenoble' --purpose newsletter
    says 'newsletter'
    fails 4 a segment save noms 'family:ben*' --purpose targeted
    says 'origin'
    fails 4 a segment save inscrits 'source:roll' --purpose targeted
    fails 2 a segment save x zoe --purpose nothing
    fails 2 a segment save x '(zoe'
    says 'column 1'
    fails 2 a segment save jeunes 'segment:jeunes'
    says 'made of itself'
    fails 3 a find segment:nothing
    says 'column 9'
    fails 3 a segment show nothing
    fails 2 a segment save x
    fails 2 a segment list x
    fails 2 a segment count 'age:x'
    says 'column 5'
    fails 2 a find 'changed:never'
    says 'changed:<30d'
}
all alone
start_node a
all node
stop_node a

# nothing of the purposes hides in a segment that another names
on a --quiet segment save proches support:1-2
fails 4 a segment save voisins 'city:Grenoble segment:proches' --purpose targeted
says 'support'

# an export for a purpose is under the same rules
fails 4 a --yes export "$scratch/x.csv" --plain --reason test --purpose newsletter --segment city:Grenoble
says newsletter
on a --quiet --yes export "$scratch/x.csv" --plain --reason test --purpose mail --segment segment:grenoblois
expect 'exported of a segment' "$(grep -c Grenoble "$scratch/x.csv")" 2

# in French
said=$(LC_ALL=fr_FR.UTF-8 on a segment save x zoe --purpose targeted 2>&1 || true)
says 'un mot'
said=$(LC_ALL=fr_FR.UTF-8 on a find segment:rien 2>&1 || true)
says "il n’y a pas de segment rien"


# on a terminal the query stands below, with a mark where it is wrong
if command -v script >/dev/null 2>&1; then
    shown=$(script -qec "$carnet --home $scratch/a find 'zoe vile:x'" /dev/null </dev/null 2>&1 | tr -d '\r' || true)
    said=$shown
    says "  zoe vile:x
      ^"
fi
