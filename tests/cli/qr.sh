#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# The QR image of an invitation, as a camera sees the terminal: decoded, it is the code.
. "$(dirname "$0")/lib.sh"

command -v zbarimg >/dev/null 2>&1 || wrong 'zbarimg is missing: tools/setup --test'
found a
start_node a
on a --quiet invite --name b --role office --qr >"$scratch/shown"
code=$(sed -n 1p "$scratch/shown")
# each character is a module wide and two high; a block is light. As a bitmap: 1 is dark
sed 1d "$scratch/shown" | awk '
{
    gsub(/█/, "l"); gsub(/▀/, "u"); gsub(/▄/, "d")
    n = length($0)
    if (n > width) width = n
    line[++lines] = $0
}
END {
    scale = 4
    print "P1"
    print width * scale, lines * 2 * scale
    for (i = 1; i <= lines; i++)
        for (half = 0; half < 2; half++) {
            row = ""
            for (x = 1; x <= width; x++) {
                c = substr(line[i], x, 1)
                light = c == "l" || (c == "u" && !half) || (c == "d" && half)
                for (s = 0; s < scale; s++) row = row (light ? "0 " : "1 ")
            }
            for (s = 0; s < scale; s++) print row
        }
}' >"$scratch/code.pbm"
expect 'the decoded code' "$(zbarimg --quiet --raw "$scratch/code.pbm" 2>/dev/null | tr -d '\n')" "$(echo "$code" | tr -d '\n')"
on b --quiet join "$(zbarimg --quiet --raw "$scratch/code.pbm" 2>/dev/null)" --node b
