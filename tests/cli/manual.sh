#!/bin/bash
# SPDX-License-Identifier: EUPL-1.2
# Manual pages and completions: made from the table of commands, so that each command and each option is in them.
cd "$(dirname "$0")"
. ./lib.sh

../../tools/manual "$carnet" "$scratch/manual"
pages=$scratch/manual/share/man

"$carnet" --json help | text_of command >"$scratch/commands"
while read -r name; do
    page=carnet-${name// /-}.1
    for file in "$pages/man1/$page" "$pages/fr/man1/$page"; do
        [ -s "$file" ] || wrong "there is no page $page"
        # what the reader's tool would complain of
        groff -man -Tutf8 -K utf8 -ww "$file" >/dev/null 2>"$scratch/groff.err"
        expect "complaints of groff about $page" "$(cat "$scratch/groff.err")" ''
    done
    # every option of the command is on its page
    # shellcheck disable=SC2086 # two words
    "$carnet" --json help $name | grep -F "\"command\": \"$name\"" | list_of options | tr , '\n' | while read -r option; do
        [ -z "$option" ] || grep -qF "\\-\\-${option//-/\\-}" "$pages/man1/$page" || wrong "$page does not have --$option"
    done
done <"$scratch/commands"
expect 'sections named NOM in the French page' "$(grep -c '^.SH "NOM"' "$pages/fr/man1/carnet-import.1")" 1

# shellcheck disable=SC1091
. "$scratch/manual/share/bash-completion/completions/carnet"
completes() { # completes WANTED WORD...: is it among what is offered for the last word?
    wanted=$1
    shift
    # shellcheck disable=SC2034 # what bash sets for a completion
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _carnet
    checks=$((checks + 1))
    for offered in "${COMPREPLY[@]}"; do
        [ "$offered" != "$wanted" ] || return 0
    done
    wrong "\"$*\" does not offer \"$wanted\" but: ${COMPREPLY[*]}"
}
while read -r name; do
    case $name in
    *' '*) completes "${name#* }" carnet "${name%% *}" "" ;;
    *) completes "$name" carnet "${name%?}" ;;
    esac
done <"$scratch/commands"
completes --source carnet import --so
completes vcard carnet import list.csv --format ""
completes withdraw carnet consent w
completes --now carnet consent withdraw --n
completes fr carnet --lang ""

"$carnet" help --completion zsh | grep -q '^#compdef carnet' || wrong 'zsh has no completion'
"$carnet" help --completion fish | grep -q '^complete -c carnet' || wrong 'fish has no completion'
fails 2 none help --completion tcsh
says tcsh
fails 2 none help --man nothing
