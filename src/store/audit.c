// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

carnet_rc carnet_store_audit_add(struct carnet_store *store, const struct carnet_audit_row *row, struct carnet_err *err)
{
    CARNET_ASSERT(store->open && row->detail.len <= CARNET_AUDIT_DETAIL_LEN_MAX);
    sqlite3_stmt *stmt = carnet_store__write(store, Q_AUDIT_ADD);
    carnet_store__int(store, stmt, 1, row->n);
    carnet_store__int(store, stmt, 2, row->at_ms);
    carnet_store__int(store, stmt, 3, row->kind);
    if (sqlite3_bind_text(stmt, 4, row->detail.len ? (const char *)row->detail.ptr : "", (int)row->detail.len, SQLITE_TRANSIENT) != SQLITE_OK)
        store->bind_code = SQLITE_NOMEM;
    carnet_store__blob(store, stmt, 5, row->hash.b, sizeof row->hash.b);
    carnet_store__blob(store, stmt, 6, row->sig, sizeof row->sig);
    return carnet_store__run(store, stmt, err);
}

carnet_rc carnet_store_audit_next(struct carnet_store *store, int64_t from, struct carnet_audit_row *out, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__read(store, Q_AUDIT_NEXT);
    carnet_store__int(store, stmt, 1, from);
    carnet_rc rc = carnet_store__row(store, stmt, err);
    if (rc != CARNET_OK)
        return rc;
    *out = (struct carnet_audit_row){ .n = sqlite3_column_int64(stmt, 0), .at_ms = sqlite3_column_int64(stmt, 1), .kind = (unsigned)sqlite3_column_int64(stmt, 2) };
    out->detail = carnet_store__get_held(store, HELD_AUDIT, stmt, 3);
    bool ok = carnet_store__get_bytes(stmt, 4, out->hash.b, sizeof out->hash.b) && carnet_store__get_bytes(stmt, 5, out->sig, sizeof out->sig) &&
              out->detail.len <= CARNET_AUDIT_DETAIL_LEN_MAX;
    carnet_store__end(stmt);
    return ok ? CARNET_OK : carnet_store__damaged(store, err);
}

carnet_rc carnet_store_audit_drop(struct carnet_store *store, int64_t up_to, struct carnet_err *err)
{
    sqlite3_stmt *stmt = carnet_store__write(store, Q_AUDIT_DROP);
    carnet_store__int(store, stmt, 1, up_to);
    return carnet_store__run(store, stmt, err);
}
