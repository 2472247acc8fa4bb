#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What people see in a home, without ids. In DIR: the output of `find` (all), of `find consent:P` (purpose.P), of `consent ID` for some
contacts (consents: a line {"of": ID}, then theirs) and of `duplicates`, one JSON object a line each.

usage: office_state.py DIR             prints it
       office_state.py DIR --strangers prints the ids of those who get no newsletter and are not on the roll"""
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
if len(sys.argv) > 2:
    gone = {c["id"] for name in ("purpose.newsletter", "purpose.mail") for c in lines(name)}
    print("\n".join(sorted(set(people) - gone)))
    sys.exit()
for text in sorted(people.values()):
    print("person", text)
for path in sorted(glob.glob(folder + "/purpose.*")):
    purpose = path.rsplit(".", 1)[1]
    for text in sorted(people[c["id"]] for c in lines("purpose." + purpose)):
        print("may", purpose, text)
refusals, of = [], None
for consent in lines("consents"):
    if "of" in consent:
        of = people[consent["of"]]
    elif consent["state"] in ("withdrawn", "objected", "refused"):
        refusals.append("no %s %s" % (consent["purpose"], of))
print("\n".join(sorted(refusals)))
pairs = [tuple(sorted((people[d["a"]], people[d["b"]]))) + (str(d["reason"]),) for d in lines("duplicates")]
named = [frozenset((d["a"], d["b"])) for d in lines("duplicates")]
if len(set(named)) != len(named):
    print("a pair is proposed twice")
for pair in sorted(pairs):
    print("duplicate", *pair)
