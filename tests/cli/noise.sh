#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# noise.sh PORT FILE: sends the file's bytes to a port of this machine.
exec bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && cat "$2" >&3' noise "$1" "$2"
