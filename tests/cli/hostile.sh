#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Files made to hurt: each is read in bounded memory and time, and ends with one clear line, or with rows that are rejected and say why.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || exit 77

found a
python3 - "$scratch" <<'END'
import sys, zipfile
at = sys.argv[1] + '/'
open(at + 'line.csv', 'wb').write(b'nom,prenom,email\n' + b'a' * 100_000_000)
open(at + 'same.csv', 'w').write('nom,prenom,email\n' + 'Martin,Zoe,\n' * 20_000)
with zipfile.ZipFile(at + 'bomb.zip', 'w', zipfile.ZIP_DEFLATED) as z, z.open('people.csv', 'w') as f:
    f.write(b'nom,prenom,email\n')
    for i in range(400):
        f.write(b'x' * 1_000_000)
open(at + 'deep.json', 'wb').write(b'[' * 10_000 + b']' * 10_000)
with open(at + 'many.vcf', 'wb') as f:
    f.write(b'BEGIN:VCARD\r\nVERSION:3.0\r\nN:Martin;Zoe;;;\r\n')
    f.write(b''.join(b'EMAIL:z%d@example.org\r\n' % i for i in range(1_000_000)) + b'END:VCARD\r\n')
END
how="--source stand --collected 2026-01-01 --basis consent --rejects $scratch/rejected"
(
    # the keys of a home need 256 MB when it is opened, and no file may need more; 150 s of CPU
    # shellcheck disable=SC3045 # dash and bash have it
    ulimit -v 400000
    # shellcheck disable=SC3045
    ulimit -t 150
    # shellcheck disable=SC2086 # words on purpose
    for file in line.csv many.vcf; do
        rm -f "$scratch/rejected"
        on a import "$scratch/$file" $how >"$scratch/said" || wrong "$file: $?"
        expect "$file" "$(head -n 1 "$scratch/said")" "rows: 1; created: 0, updated: 0, unchanged: 0, rejected: 1"
    done
    rm -f "$scratch/rejected"
    # shellcheck disable=SC2086
    fails 1 a import "$scratch/bomb.zip" $how
    says 'too large'
    # shellcheck disable=SC2086
    fails 1 a import --format json "$scratch/deep.json" $how
    says 'JSON'
    # shellcheck disable=SC2086
    on a import "$scratch/same.csv" $how >"$scratch/said"
    expect "rows that say the same" "$(head -n 1 "$scratch/said")" "rows: 20000; created: 20000, updated: 0, unchanged: 0, rejected: 0"
)

# a sealed file that is cut anywhere gives nothing at all
on a export "$scratch/all.sealed" --for a --format csv >/dev/null
size=$(wc -c <"$scratch/all.sealed")
before=$(state_of a)
for part in 0 1 2 3 4 5 6 7; do
    head -c $((size * part / 8 + part)) "$scratch/all.sealed" >"$scratch/cut.sealed"
    # shellcheck disable=SC2086
    fails 1 a import "$scratch/cut.sealed" $how
done
says 'damaged or cut short'
expect "nothing of it" "$(state_of a)" "$before"
