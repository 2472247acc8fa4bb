#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# A lost device: who may revoke it, what stands of what it wrote, what lies beyond and is listed, and that nobody talks with it any more.
. "$(dirname "$0")/lib.sh"

found a
start_node a
join_node a b office
join_node a v volunteer --scope identity --scope phone
known=$(on v --json add given=Known phone='06 39 98 00 21' --grant sms --source stand | text_of id)
on v --quiet sync "$(address_of a)" >/dev/null
on b --quiet sync "$(address_of a)" >/dev/null
stop_node a

# while the admin's node is away, the other office takes in more
start_node b
late=$(on v --json add given=Late phone='06 39 98 00 22' --grant sms --source stand | text_of id)
on v --quiet edit "$known" phone='06 39 98 00 23'
on v --quiet sync "$(address_of b)" >/dev/null
stop_node b
expect 'the office has it' "$(field b "$late" given)" Late

# who may
fails 2 a revoke v
says '--yes'
fails 3 a --yes revoke nobody
fails 4 v --yes revoke a
fails 4 b --yes revoke v
fails 4 a --yes revoke a
expect 'nothing was revoked' "$(on a --json members | grep -c '"state":"active"')" 3

on a --json --yes revoke v >"$scratch/revoked.json"
expect 'whose' "$(text_of node <"$scratch/revoked.json")" v
expect 'nothing beyond, where it was revoked' "$(list_of beyond <"$scratch/revoked.json")" ''
expect 'state' "$(on a --json members | grep '"node":"v"' | text_of state)" revoked
before=$(on a --json status | text_of entries)
on a --quiet --yes revoke v
expect 'again: nothing is written' "$(on a --json status | text_of entries)" "$before"
expect 'what was there stands' "$(field a "$known" phone)" +33639980021
on a --json audit | grep -q revoked || wrong 'the trail does not tell of it'
on a register --breach v | grep -q 'The device is revoked' || wrong 'the sheet does not say that it is done'

# the other office learns of it
start_node a
on b --quiet sync "$(address_of a)" >/dev/null
expect 'known there' "$(on b --json members | grep '"node":"v"' | text_of state)" revoked
expect 'beyond, each once' "$(on b --json --yes revoke v | list_of beyond | tr ',' '\n' | sort)" "$(printf '%s\n' "$late" "$known" | sort)"
on b --yes revoke v | grep -q "$late" || wrong 'people see the list too'
fails 3 b show "$late"
expect 'the former value counts' "$(field b "$known" phone)" +33639980021
same_state a b || wrong 'two offices, two states'

# nobody talks with it
lost=$(on v --json add given=Lost --source stand | text_of id)
got=0
on v --quiet sync "$(address_of a)" >"$scratch/out" 2>"$scratch/err" || got=$?
[ "$got" -ne 0 ] || wrong 'a revoked node was let in'
fails 3 a show "$lost"
fails 4 a bundle export "$scratch/v.bundle" --for v
stop_node a
