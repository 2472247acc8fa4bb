# shellcheck shell=sh
# SPDX-License-Identifier: EUPL-1.2
# What the command line tests share: a scratch folder, nodes in it, and expectations that say what was due. Read with `. lib.sh`.
set -eu
carnet=${CARNET:?names the program}
LC_ALL=C.UTF-8
TZ=UTC
export LC_ALL TZ
unset CARNET_HOME CARNET_PASSPHRASE_FILE XDG_RUNTIME_DIR

scratch=$(mktemp -d "${TMPDIR:-/tmp}/carnet-test.XXXXXX")
checks=0

finish() {
    status=$?
    trap - EXIT INT TERM
    for file in "$scratch"/*.pid; do
        [ ! -e "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
    done
    wait
    if [ "$status" -ne 0 ]; then
        for log in "$scratch"/*.log; do
            [ ! -s "$log" ] || tail -n 5 "$log" | sed "s|^|$(basename "$log"): |" >&2
        done
    fi
    rm -rf "$scratch"
    [ "$status" -ne 0 ] || echo "$checks checks"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

wrong() {
    printf 'WRONG: %s\n' "$*" >&2
    exit 1
}

expect() { # expect WHAT VALUE WANTED
    checks=$((checks + 1))
    [ "$2" = "$3" ] || wrong "$1: \"$2\", where \"$3\" was due"
}

on() { # on NODE COMMAND...: runs a command in a node's home
    home=$scratch/$1
    shift
    "$carnet" --home "$home" "$@"
}

# fails STATUS NODE COMMAND...: the command must end with that status and one line on stderr, which $said keeps
said=
fails() {
    due=$1
    shift
    got=0
    on "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || got=$?
    said=$(cat "$scratch/err")
    checks=$((checks + 1))
    [ "$got" -eq "$due" ] || wrong "\"$*\" ended with $got, where $due was due: $said"
    [ "$(grep -c . "$scratch/err")" -eq 1 ] || wrong "\"$*\" says more or less than one line: $said"
}

says() { # says TEXT: the last error has it
    checks=$((checks + 1))
    case $said in
    *"$1"*) ;;
    *) wrong "\"$said\" does not say \"$1\"" ;;
    esac
}

text_of() { # text_of KEY: the text or number of a key, in JSON objects of one line each
    sed -n 's|.*"'"$1"'": *"\{0,1\}\([^",}]*\).*|\1|p'
}

list_of() { # list_of KEY: what is between the brackets, without quotes and blanks
    sed -n 's/.*"'"$1"'": *\[\([^]]*\)\].*/\1/p' | tr -d '" '
}

until_true() { # until_true COMMAND...: waits at most 20 seconds for it to succeed
    end=$(($(date +%s) + 20))
    checks=$((checks + 1))
    while ! "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -le "$end" ] || wrong "still not so after 20 seconds: $*"
        sleep 0.05
    done
}

start_node() { # start_node NODE OPTION...
    name=$1
    shift
    : >"$scratch/$name.out"
    "$carnet" --home "$scratch/$name" node --no-console "$@" >"$scratch/$name.out" 2>>"$scratch/$name.log" &
    echo $! >"$scratch/$name.pid"
    until_true grep -q '^ready ' "$scratch/$name.out"
}

stop_node() { # it must end by itself, with 0
    kill "$(cat "$scratch/$1.pid")"
    status=0
    wait "$(cat "$scratch/$1.pid")" || status=$?
    rm "$scratch/$1.pid"
    expect "exit status of node $1" "$status" 0
}

kill_node() { # as a power cut of the process
    kill -9 "$(cat "$scratch/$1.pid")"
    wait "$(cat "$scratch/$1.pid")" 2>/dev/null || true
    rm "$scratch/$1.pid"
}

address_of() { # where a node that was started listens
    sed -n 's/^ready listen=\(tcp:[^ ]*\) .*/\1/p' "$scratch/$1.out"
}

found() { # found NODE: a community of one
    on "$1" --json init --community 'Test' --node "$1" >"$scratch/init.json"
}

join_node() { # join_node INVITER NODE ROLE [INVITE-OPTION...]: the inviter runs
    inviter=$1
    joiner=$2
    role=$3
    shift 3
    code=$(on "$inviter" --json invite --name "$joiner" --role "$role" "$@" | text_of code)
    on "$joiner" --json join "$code" --node "$joiner" >"$scratch/join.json"
}

field() { # field NODE ID FIELD
    on "$1" --json show "$2" | text_of "$3"
}

lists() { # lists NODE ID KEY WORD
    case ",$(on "$1" --json show "$2" | list_of "$3")," in
    *,"$4",*) ;;
    *) return 1 ;;
    esac
}

field_is() {
    [ "$(field "$1" "$2" "$3")" = "$4" ]
}

state_of() {
    on "$1" --json verify | sed -n 's/.*"state": *{\([^}]*\)}.*/\1/p'
}

same_state() { # same_state A B
    [ -n "$(state_of "$1")" ] && [ "$(state_of "$1")" = "$(state_of "$2")" ]
}
