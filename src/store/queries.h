// SPDX-License-Identifier: EUPL-1.2
/* store/queries: every statement, prepared when the database is opened, so that one which disagrees with the schema fails
 * every test. Partial indexes are named, so that the planner cannot prefer a scan. */
#ifndef CARNET_STORE_QUERIES_H
#define CARNET_STORE_QUERIES_H

#define ENTRY_COLUMNS "n, stream, seq, hlc, lane, flags, hash, bytes, arrived"
#define RECORD_COLUMNS "n, book, id, subject, kind, flags, conflicts, indexed, due, state"
#define STREAM_COLUMNS "n, book, author, stream, seq, hash, void_from"

#define STORE_QUERIES(X)                                                                                                    \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                                             \
    X(COMMIT, "COMMIT")                                                                                                     \
    X(ROLLBACK, "ROLLBACK")                                                                                                 \
    X(META_GET, "SELECT value FROM meta WHERE name = ?1")                                                                   \
    X(META_PUT, "INSERT INTO meta(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value")      \
    X(META_REMOVE, "DELETE FROM meta WHERE name = ?1")                                                                        \
    X(BOOKS, "SELECT b, id FROM books ORDER BY b")                                                                          \
    X(BOOK_ADD, "INSERT INTO books(b, id) VALUES(?1, ?2)")                                                                  \
    X(COUNTS_GET, "SELECT contacts, conflicts, entries, records FROM counts WHERE one = 1")                                 \
    X(COUNTS_PUT, "UPDATE counts SET contacts = ?1, conflicts = ?2, entries = ?3, records = ?4 WHERE one = 1")              \
    X(COUNTS_TRUE, "SELECT (SELECT count(*) FROM records WHERE flags & 1), (SELECT coalesce(sum(conflicts), 0) FROM records)," \
                   " (SELECT count(*) FROM entries), (SELECT count(*) FROM records)")                                       \
    X(STREAM_GET, "SELECT " STREAM_COLUMNS " FROM streams WHERE book = ?1 AND author = ?2 AND stream = ?3")                 \
    X(STREAM_ADD, "INSERT INTO streams(book, author, stream, seq, void_from, hash) VALUES(?1, ?2, ?3, 0, 0, zeroblob(32))") \
    X(STREAM_PUT, "UPDATE streams SET seq = ?2, hash = ?3, void_from = ?4 WHERE n = ?1")                                    \
    X(STREAMS_OF, "SELECT " STREAM_COLUMNS " FROM streams WHERE book = ?1 ORDER BY author, stream")                         \
    X(STREAMS, "SELECT " STREAM_COLUMNS " FROM streams ORDER BY author, stream, book")                                      \
    X(ENTRY_ADD, "INSERT INTO entries(stream, seq, hlc, lane, flags, hash, bytes, arrived)"                                   \
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                                             \
    X(ENTRY_GET, "SELECT " ENTRY_COLUMNS " FROM entries WHERE n = ?1")                                                      \
    X(ENTRY_FIND, "SELECT " ENTRY_COLUMNS " FROM entries WHERE stream = ?1 AND seq = ?2")                                   \
    X(ENTRY_BYTES, "UPDATE entries SET bytes = ?2 WHERE n = ?1")                                                            \
    X(ENTRY_FLAGS, "UPDATE entries SET flags = ?2 WHERE n = ?1")                                                            \
    X(ENTRY_NEXT, "SELECT " ENTRY_COLUMNS " FROM entries WHERE n >= ?1 ORDER BY n LIMIT 1")                                 \
    X(ENTRY_NEXT_LAW, "SELECT " ENTRY_COLUMNS " FROM entries INDEXED BY entries_lane"                                       \
                      " WHERE lane = ?2 AND lane < 2 AND n >= ?1 ORDER BY n LIMIT 1")                                       \
    X(ENTRY_NEXT_DATA, "SELECT " ENTRY_COLUMNS " FROM entries NOT INDEXED WHERE lane = ?2 AND n >= ?1 ORDER BY n LIMIT 1")  \
    X(ENTRY_FLAGGED, "SELECT " ENTRY_COLUMNS " FROM entries INDEXED BY entries_flagged"                                     \
                     " WHERE flags <> 0 AND flags & ?2 AND n >= ?1 ORDER BY n LIMIT 1")                                     \
    X(RECORD_GET, "SELECT " RECORD_COLUMNS " FROM records WHERE book = ?1 AND id = ?2")                                     \
    X(RECORD_AT, "SELECT " RECORD_COLUMNS " FROM records WHERE n = ?1")                                                     \
    X(RECORD_BEFORE, "SELECT subject, flags, conflicts, due FROM records WHERE n = ?1")                                     \
    X(RECORD_ADD, "INSERT INTO records(book, id, subject, kind, flags, conflicts, indexed, due, state)"               \
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                                       \
    X(RECORD_PUT, "UPDATE records SET kind = ?2, flags = ?3, indexed = ?4, state = ?5 WHERE n = ?1")                        \
    X(RECORD_PUT_ALL, "UPDATE records SET kind = ?2, flags = ?3, indexed = ?4, state = ?5, subject = ?6, conflicts = ?7,"   \
                      " due = ?8 WHERE n = ?1")                                                                             \
    X(RECORD_NEXT, "SELECT " RECORD_COLUMNS " FROM records NOT INDEXED WHERE n >= ?1 ORDER BY n LIMIT 1")                   \
    X(RECORD_CONFLICTING, "SELECT " RECORD_COLUMNS " FROM records INDEXED BY records_conflicting"                           \
                          " WHERE conflicts > 0 AND n >= ?1 ORDER BY n LIMIT 1")                                            \
    X(RECORD_DUE_MANY, "SELECT count(*) FROM (SELECT 1 FROM records INDEXED BY records_due"                                 \
                       " WHERE due > 0 AND due <= ?1 LIMIT 64)")                                                            \
    X(RECORD_DUE_FEW, "SELECT " RECORD_COLUMNS " FROM records WHERE n = (SELECT min(n) FROM records INDEXED BY records_due" \
                      " WHERE due > 0 AND due <= ?2 AND n >= ?1)")                                                          \
    X(RECORD_DUE_SCAN, "SELECT " RECORD_COLUMNS " FROM records NOT INDEXED"                                                 \
                       " WHERE due > 0 AND due <= ?2 AND n >= ?1 ORDER BY n LIMIT 1")                                       \
    X(RECORD_KIND, "SELECT " RECORD_COLUMNS " FROM records WHERE kind = ?1 AND kind >= 64 AND n >= ?2 ORDER BY n LIMIT 1")    \
    X(RECORD_AFTER, "SELECT " RECORD_COLUMNS " FROM records WHERE book = ?1 AND id > ?2 ORDER BY id LIMIT 1")               \
    X(RECORD_ABOUT, "SELECT " RECORD_COLUMNS " FROM records INDEXED BY records_about"                                       \
                    " WHERE book = ?1 AND subject = ?2 AND subject <> id AND n >= ?3 ORDER BY n LIMIT 1")                   \
    X(TOUCH, "INSERT OR IGNORE INTO touches(record, entry, change) VALUES(?1, ?2, ?3)")                                     \
    X(TOUCHES, "SELECT entry, change FROM touches WHERE record = ?1 ORDER BY entry, change")                                \
    X(LOOKUP_ADD, "INSERT OR IGNORE INTO lookups_recent(space, number, record) VALUES(?1, ?2, ?3)")                         \
    X(LOOKUP_REMOVE, "DELETE FROM lookups WHERE space = ?1 AND number = ?2 AND record = ?3")                                \
    X(LOOKUP_REMOVE_RECENT, "DELETE FROM lookups_recent WHERE space = ?1 AND number = ?2 AND record = ?3")                  \
    X(LOOKUPS_MOVE, "INSERT OR IGNORE INTO lookups SELECT space, number, record FROM lookups_recent ORDER BY space, number, record") \
    X(LOOKUPS_RECENT, "SELECT count(*) FROM lookups_recent")                                                                \
    X(LOOKUPS_EMPTY, "DELETE FROM lookups")                                                                                 \
    X(LOOKUPS_RECENT_EMPTY, "DELETE FROM lookups_recent")                                                                   \
    X(POINTS, "SELECT record FROM lookups WHERE space = 0 AND number = ?1"                                                  \
              " UNION SELECT record FROM lookups_recent WHERE space = 0 AND number = ?1 ORDER BY record LIMIT ?2")          \
    X(RECORD_TAILS, "SELECT record, number FROM lookups WHERE space = 1 AND number BETWEEN ?1 AND ?2"                       \
                    " UNION SELECT record, number FROM lookups_recent WHERE space = 1 AND number BETWEEN ?1 AND ?2"         \
                    " ORDER BY number, record LIMIT ?3")                                                                    \
    X(EDGE_ADD, "INSERT OR IGNORE INTO edges(a, b) VALUES(?1, ?2)")                                                         \
    X(EDGE_REMOVE, "DELETE FROM edges WHERE a = ?1 AND b = ?2")                                                             \
    X(EDGES, "SELECT b FROM edges WHERE a = ?1 ORDER BY b LIMIT ?2")                                                        \
    X(PERSON_GET, "SELECT text FROM persons WHERE record = ?1")                                                             \
    X(PERSON_PUT, "INSERT OR REPLACE INTO persons(record, text) VALUES(?1, ?2)")                                            \
    X(PERSON_REMOVE, "DELETE FROM persons WHERE record = ?1")                                                               \
    X(PERSONS_EMPTY, "DELETE FROM persons")                                                                                 \
    X(LIKENESS_GET, "SELECT numbers FROM likeness WHERE record = ?1")                                                       \
    X(LIKENESS_PUT, "INSERT OR REPLACE INTO likeness(record, numbers) VALUES(?1, ?2)")                                      \
    X(LIKENESS_REMOVE, "DELETE FROM likeness WHERE record = ?1")                                                            \
    X(LIKENESS_ADD, "INSERT OR IGNORE INTO likeness_index(number, record) VALUES(?1, ?2)")                                  \
    X(LIKENESS_DROP, "DELETE FROM likeness_index WHERE number = ?1 AND record = ?2")                                        \
    X(LIKENESS_WHO, "SELECT record FROM likeness_index WHERE number = ?1 ORDER BY record LIMIT ?2")                         \
    X(LIKENESS_CROWDS, "SELECT count(*) FROM (SELECT 1 FROM likeness_index GROUP BY number HAVING count(*) > ?1)")          \
    X(LIKENESS_TOUCH, "INSERT OR IGNORE INTO likeness_due(record) SELECT ?1 WHERE ?1 <= (SELECT record FROM likeness_mark)") \
    X(LIKENESS_DUE, "SELECT record FROM likeness_due ORDER BY record LIMIT ?1")                                             \
    X(LIKENESS_DONE, "DELETE FROM likeness_due WHERE record = ?1")                                                          \
    X(LIKENESS_MARK, "SELECT coalesce((SELECT record FROM likeness_mark), 0)")                                              \
    X(LIKENESS_MARK_PUT, "INSERT OR REPLACE INTO likeness_mark(one, record) VALUES(1, ?1)")                                 \
    X(LIKENESS_LEFT, "SELECT (SELECT count(*) FROM likeness_due) + (SELECT coalesce(max(n), 0) FROM records)"               \
                     " - coalesce((SELECT record FROM likeness_mark), 0)")                                                  \
    X(PROPOSAL_PUT, "INSERT OR IGNORE INTO proposals(a, b, reason) VALUES(?1, ?2, ?3)")                                    \
    X(PROPOSALS_DROP_A, "DELETE FROM proposals WHERE a = ?1")                                                               \
    X(PROPOSALS_DROP_B, "DELETE FROM proposals WHERE b = ?1")                                                               \
    X(PROPOSAL_NEXT, "SELECT a, b, reason FROM proposals WHERE (a, b) > (?1, ?2) ORDER BY a, b LIMIT 1")                     \
    X(PROPOSALS_COUNT, "SELECT count(*) FROM proposals")                                                                    \
    X(PROPOSALS_SINCE, "SELECT count(*) FROM proposals WHERE b > ?1")                                                       \
    X(LIKENESS_EMPTY, "DELETE FROM likeness")                                                                               \
    X(LIKENESS_INDEX_EMPTY, "DELETE FROM likeness_index")                                                                   \
    X(LIKENESS_DUE_EMPTY, "DELETE FROM likeness_due")                                                                       \
    X(LIKENESS_MARK_EMPTY, "DELETE FROM likeness_mark")                                                                     \
    X(PROPOSALS_EMPTY, "DELETE FROM proposals")                                                                             \
    X(SEARCH_ADD, "INSERT INTO search(rowid, text) VALUES(?1, ?2)")                                                         \
    X(SEARCH_REMOVE, "INSERT INTO search(search, rowid, text) VALUES('delete', ?1, ?2)")                                    \
    X(SEARCH, "SELECT rowid FROM search WHERE search MATCH ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3")                      \
    X(GLANCE_BEFORE, "SELECT flags FROM glances WHERE n = ?1")                                                               \
    X(GLANCE_PUT, "INSERT INTO glances(n, book, flags, live, due, stamp, name) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"           \
                  " ON CONFLICT(n) DO UPDATE SET flags = excluded.flags, live = excluded.live, due = excluded.due,"          \
                  " stamp = excluded.stamp, name = excluded.name")                                                           \
    X(GLANCE_NAMES, "SELECT n, name FROM search CROSS JOIN glances ON n = search.rowid WHERE search MATCH ?1 LIMIT ?2")     \
    X(GLANCE_STAMP, "SELECT coalesce(max(stamp), 0) FROM glances")                                                          \
    X(GLANCE_SINCE, "SELECT n FROM glances INDEXED BY glances_stamp WHERE stamp > ?1 ORDER BY stamp LIMIT ?2")              \
    X(GLANCE_DOUBTFUL, "SELECT n FROM (SELECT n FROM glances INDEXED BY glances_doubtful WHERE flags >= 2"                  \
                       " UNION SELECT n FROM records INDEXED BY records_due WHERE due > 0 AND due <= ?1) WHERE n > ?2"      \
                       " ORDER BY n LIMIT ?3")                                                                              \
    X(GLANCE_COUNT, "SELECT count(*) FROM glances WHERE flags = 1 AND (due = 0 OR due > ?1) AND live & ?2 = ?2 AND live & ?3 = 0 AND (?4 = 0 OR live & ?4) AND (?5 = 0 OR book = ?5)")                                                               \
    X(GLANCE_COUNT_MATCH, "SELECT count(*) FROM search CROSS JOIN glances ON n = search.rowid WHERE search MATCH ?6 AND"    \
                          " flags = 1 AND (due = 0 OR due > ?1) AND live & ?2 = ?2 AND live & ?3 = 0 AND (?4 = 0 OR live & ?4) AND (?5 = 0 OR book = ?5)")                                                                                           \
    X(SEARCH_COUNT, "SELECT count(*) FROM search WHERE search MATCH ?1")                                                    \
    X(SEARCH_HAS, "SELECT 1 FROM search WHERE search MATCH ?1 AND rowid = ?2")                                              \
    X(TALLY_GET, "SELECT stamp, charter, day, members FROM tallies WHERE query = ?1")                                       \
    X(TALLY_REMOVE, "DELETE FROM tallies WHERE query = ?1")                                                                 \
    X(TALLY_ADD, "INSERT INTO tallies(query, stamp, charter, day, members) VALUES(?1, ?2, ?3, ?4, ?5)")                     \
    X(TALLIES_TRIM, "DELETE FROM tallies WHERE one NOT IN (SELECT one FROM tallies ORDER BY one DESC LIMIT ?1)")            \
    X(TALLIES_EMPTY, "DELETE FROM tallies")                                                                                 \
    X(GLANCES_EMPTY, "DELETE FROM glances")                                                                                 \
    X(SEARCH_EMPTY, "INSERT INTO search(search) VALUES('delete-all')")                                                      \
    X(SEARCH_OPTIMIZE, "INSERT INTO search(search) VALUES('optimize')")                                                     \
    X(SEARCH_CHECK, "INSERT INTO search(search) VALUES('integrity-check')")                                                 \
    X(INVITE_PUT, "INSERT INTO invites(code, until, used, node, terms) VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(code) DO"     \
                  " UPDATE SET until = excluded.until, used = excluded.used, node = excluded.node, terms = excluded.terms") \
    X(INVITE_GET, "SELECT until, used, node, terms FROM invites WHERE code = ?1")                                           \
    X(AUDIT_ADD, "INSERT INTO audit(n, at, kind, detail, hash, sig) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")                        \
    X(AUDIT_NEXT, "SELECT n, at, kind, detail, hash, sig FROM audit WHERE n >= ?1 ORDER BY n LIMIT 1")                      \
    X(AUDIT_DROP, "DELETE FROM audit WHERE n <= ?1")                                                                        \
    X(TAG_ADD, "INSERT OR IGNORE INTO tags(record, tag) VALUES(?1, ?2)")                                                    \
    X(TAGS_REMOVE, "DELETE FROM tags WHERE record = ?1")                                                                    \
    X(TAGS_OF, "SELECT tag FROM tags WHERE record = ?1 ORDER BY tag")                                                       \
    X(TAG_RECORDS, "SELECT record FROM tags INDEXED BY tags_records WHERE tag = ?1 AND record > ?2 ORDER BY record LIMIT ?3") \
    X(TAGS_EMPTY, "DELETE FROM tags WHERE record > 0")                                                                                       \
    X(TASK_ADD, "INSERT OR IGNORE INTO tasks(task, record) VALUES(?1, ?2)")                                                 \
    X(TASK_REMOVE, "DELETE FROM tasks WHERE task = ?1 AND record = ?2")                                                     \
    X(TASK_NEXT, "SELECT record FROM tasks WHERE task = ?1 AND record >= ?2 ORDER BY record LIMIT 1")                       \
    X(TASK_COUNT, "SELECT count(*) FROM tasks WHERE task = ?1")                                                             \
    X(TASKS_EMPTY, "DELETE FROM tasks")                                                                                     \
    X(RECORDS_EMPTY, "DELETE FROM records")                                                                                 \
    X(TOUCHES_EMPTY, "DELETE FROM touches")                                                                                 \
    X(EDGES_EMPTY, "DELETE FROM edges")                                                                                     \
    X(PAGES, "PRAGMA page_count")

#endif
