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
    X(SEARCH_ADD, "INSERT INTO search(rowid, text) VALUES(?1, ?2)")                                                         \
    X(SEARCH_REMOVE, "INSERT INTO search(search, rowid, text) VALUES('delete', ?1, ?2)")                                    \
    X(SEARCH, "SELECT rowid FROM search WHERE search MATCH ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3")                      \
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
