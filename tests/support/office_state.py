#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What people see in a home, without ids: usage: office_state.py DIR, which holds the output of `find` (all), of `find consent:P`
(purpose.P) and of `duplicates`, one JSON object a line each."""
import glob
import json
import sys

folder = sys.argv[1]


def lines(name):
    with open(folder + "/" + name, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def said(contact):
    return json.dumps([contact["fields"], sorted(contact["tags"])], ensure_ascii=False, sort_keys=True)


people = {c["id"]: said(c) for c in lines("all")}
for text in sorted(people.values()):
    print("person", text)
for path in sorted(glob.glob(folder + "/purpose.*")):
    purpose = path.rsplit(".", 1)[1]
    for text in sorted(people[c["id"]] for c in lines("purpose." + purpose)):
        print("may", purpose, text)
pairs = [tuple(sorted((people[d["a"]], people[d["b"]]))) + (d["reason"],) for d in lines("duplicates")]
named = [frozenset((d["a"], d["b"])) for d in lines("duplicates")]
if len(set(named)) != len(named):
    print("a pair is proposed twice")
for pair in sorted(pairs):
    print("duplicate", *pair)
