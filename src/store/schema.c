// SPDX-License-Identifier: EUPL-1.2
/* The tables. Enduring ones are the truth; derived ones are emptied and refilled from them by a rebuild, so that a change of
 * a view needs no migration. Ids are blobs of 16 bytes, hashes blobs of 32, times milliseconds. In a row, what a walk looks
 * at stands before the long blob, so that its pages are not read. */
#include "internal.h"

const char *const carnet_store__schema[] = {
    /* --- enduring --- */

    /* Small named values: keys, settings, the node's own place in its chains. */
    "CREATE TABLE meta("
    " name TEXT PRIMARY KEY NOT NULL,"
    " value BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID",

    /* Books by a small number, because every stream and every record names one. Numbers are given in order, from 1. */
    "CREATE TABLE books("
    " b INTEGER PRIMARY KEY,"
    " id BLOB NOT NULL UNIQUE"
    ") STRICT",

    /* Chains and their heads. */
    "CREATE TABLE streams("
    " n INTEGER PRIMARY KEY,"
    " book INTEGER NOT NULL REFERENCES books(b),"
    " author BLOB NOT NULL,"
    " stream INTEGER NOT NULL,"     /* incarnation * 2 + log */
    " seq INTEGER NOT NULL,"        /* of the head; 0: none */
    " void_from INTEGER NOT NULL,"  /* 0: none */
    " hash BLOB NOT NULL,"          /* of the head */
    " UNIQUE(book, author, stream)"
    ") STRICT",

    /* Entries in the order in which they arrived here. */
    "CREATE TABLE entries("
    " n INTEGER PRIMARY KEY,"
    " stream INTEGER NOT NULL REFERENCES streams(n),"
    " seq INTEGER NOT NULL,"
    " lane INTEGER NOT NULL,"       /* 0 charter, 1 law, 2 data */
    " flags INTEGER NOT NULL,"      /* enum carnet_entry_flag */
    " hlc INTEGER NOT NULL,"
    " arrived INTEGER NOT NULL,"    /* by this node's clock */
    " hash BLOB NOT NULL,"
    " bytes BLOB NOT NULL,"         /* replaced when a part is dropped */
    " UNIQUE(stream, seq)"
    ") STRICT",
    /* The charter and the law are sent before the data, and are few. */
    "CREATE INDEX entries_lane ON entries(lane) WHERE lane < 2",
    "CREATE INDEX entries_flagged ON entries(n) WHERE flags <> 0",

    /* Invitations given out. */
    "CREATE TABLE invites("
    " code BLOB PRIMARY KEY NOT NULL,"
    " until INTEGER NOT NULL,"
    " used INTEGER NOT NULL,"       /* 0: not yet */
    " node BLOB NOT NULL,"          /* who used it */
    " terms BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID",

    /* What was done at this node with people's data: a signed chain (replica/audit). Rows are dropped from its beginning alone. */
    "CREATE TABLE audit("
    " n INTEGER PRIMARY KEY,"
    " at INTEGER NOT NULL,"
    " kind INTEGER NOT NULL,"
    " detail TEXT NOT NULL,"
    " hash BLOB NOT NULL,"
    " sig BLOB NOT NULL"
    ") STRICT",

    /* How many of each there are, written once a transaction. One row. */
    "CREATE TABLE counts("
    " one INTEGER PRIMARY KEY CHECK(one = 1),"
    " contacts INTEGER NOT NULL,"
    " conflicts INTEGER NOT NULL,"
    " entries INTEGER NOT NULL,"
    " records INTEGER NOT NULL"
    ") STRICT",
    "INSERT INTO counts VALUES(1, 0, 0, 0, 0)",

    /* --- derived --- */
    SCHEMA_DERIVED, /* an upgrade makes anew what stands below, and above only what is missing */

    /* Merged records. */
    "CREATE TABLE records("
    " n INTEGER PRIMARY KEY,"
    " book INTEGER NOT NULL,"
    " id BLOB NOT NULL,"
    " subject BLOB,"                /* NULL: none */
    " kind INTEGER NOT NULL,"
    " flags INTEGER NOT NULL,"      /* bit 0: counts as a contact */
    " conflicts INTEGER NOT NULL,"
    " indexed INTEGER NOT NULL,"    /* scopes in the search index */
    " due INTEGER NOT NULL,"        /* 0: never */
    " state BLOB NOT NULL,"
    " UNIQUE(book, id)"
    ") STRICT",
    "CREATE INDEX records_conflicting ON records(n) WHERE conflicts > 0",
    "CREATE INDEX records_due ON records(due) WHERE due > 0",
    "CREATE INDEX records_about ON records(book, subject) WHERE subject <> id",
    "CREATE INDEX records_kind ON records(kind) WHERE kind >= 64", /* imports and the like: few */

    /* The entries that changed a record. */
    "CREATE TABLE touches("
    " record INTEGER NOT NULL,"
    " entry INTEGER NOT NULL,"
    " change INTEGER NOT NULL,"
    " PRIMARY KEY(record, entry, change)"
    ") STRICT, WITHOUT ROWID",

    /* Numbers that lie anywhere, to records. Space 0: hashes of what identifies a person outside (points); space 1: tails of
     * ids, as people type them. An import touches nearly every page of such a table at every commit, so that what is new
     * goes to a small table first, and from there to the large one, many rows at a time. A row may be in both. */
    "CREATE TABLE lookups("
    " space INTEGER NOT NULL,"
    " number INTEGER NOT NULL,"
    " record INTEGER NOT NULL,"
    " PRIMARY KEY(space, number, record)"
    ") STRICT, WITHOUT ROWID",
    "CREATE TABLE lookups_recent("
    " space INTEGER NOT NULL,"
    " number INTEGER NOT NULL,"
    " record INTEGER NOT NULL,"
    " PRIMARY KEY(space, number, record)"
    ") STRICT, WITHOUT ROWID",

    /* Records that were merged, each way. */
    "CREATE TABLE edges("
    " a INTEGER NOT NULL,"
    " b INTEGER NOT NULL,"
    " PRIMARY KEY(a, b)"
    ") STRICT, WITHOUT ROWID",

    /* Suppression tags of the addresses that a record holds, as far as they were computed. */
    "CREATE TABLE tags("
    " record INTEGER NOT NULL,"
    " tag BLOB NOT NULL,"
    " PRIMARY KEY(record, tag)"
    ") STRICT, WITHOUT ROWID",
    "CREATE INDEX tags_records ON tags(tag)",
    /* Records that something is to be done with, by kind of task. */
    "CREATE TABLE tasks("
    " task INTEGER NOT NULL,"
    " record INTEGER NOT NULL,"
    " PRIMARY KEY(task, record)"
    ") STRICT, WITHOUT ROWID",
    /* Records of one person: the words that the search has of each, since they are not those of the record alone. The main record has all. */
    "CREATE TABLE persons("
    " record INTEGER PRIMARY KEY,"
    " text BLOB NOT NULL"
    ") STRICT",

    /* Duplicates. likeness: what each contact looks like, as numbers in order (and again as rows, to find who looks the same); likeness_due: contacts that changed
     * since they were compared; those after likeness_mark were never; proposals: pairs to ask a person about, the smaller number first. */
    "CREATE TABLE likeness("
    " record INTEGER PRIMARY KEY,"
    " numbers BLOB NOT NULL"
    ") STRICT",
    "CREATE TABLE likeness_index("
    " number INTEGER NOT NULL,"
    " record INTEGER NOT NULL,"
    " PRIMARY KEY(number, record)"
    ") STRICT, WITHOUT ROWID",
    "CREATE TABLE likeness_due("
    " record INTEGER PRIMARY KEY"
    ") STRICT",
    "CREATE TABLE likeness_mark("
    " one INTEGER PRIMARY KEY CHECK(one = 1),"
    " record INTEGER NOT NULL"
    ") STRICT",
    "CREATE TABLE proposals("
    " a INTEGER NOT NULL,"
    " b INTEGER NOT NULL,"
    " reason INTEGER NOT NULL,"
    " PRIMARY KEY(a, b)"
    ") STRICT, WITHOUT ROWID",
    "CREATE INDEX proposals_b ON proposals(b)",

    /* What lists and counts ask of a contact, without its record: small rows, in the order of the records. Whoever is no contact (any more) keeps
     * a row without content, so that what counted it hears of it. */
    "CREATE TABLE glances("
    " n INTEGER PRIMARY KEY,"       /* the record's */
    " book INTEGER NOT NULL,"
    " flags INTEGER NOT NULL,"      /* 1: a contact; 2: the rest of the row does not decide, look at the record */
    " live INTEGER NOT NULL,"       /* purposes it agreed to, a bit each */
    " due INTEGER NOT NULL,"        /* when time changes them; 0: never */
    " stamp INTEGER NOT NULL,"      /* of the transaction that changed it last */
    " name BLOB"                    /* what orders it; NULL: none */
    ") STRICT",
    "CREATE INDEX glances_stamp ON glances(stamp)",
    "CREATE INDEX glances_doubtful ON glances(n) WHERE flags >= 2",

    /* Who matched a query, at a stamp: kept for saved segments. The query is a hash. */
    "CREATE TABLE tallies("
    " one INTEGER PRIMARY KEY,"
    " query BLOB NOT NULL UNIQUE,"
    " stamp INTEGER NOT NULL,"
    " charter INTEGER NOT NULL,"    /* the last entry of the charter */
    " day INTEGER NOT NULL,"
    " members BLOB NOT NULL"        /* differences of their numbers, LEB128 */
    ") STRICT",

    /* Folded words of the records: no text is kept, no position. */
    "CREATE VIRTUAL TABLE search USING fts5(text, content='', columnsize=0, detail=none, prefix='1 2 3 4',"
    " tokenize='unicode61 remove_diacritics 0')",
    NULL,
};
