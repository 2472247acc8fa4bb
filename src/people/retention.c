// SPDX-License-Identifier: EUPL-1.2
/* What is kept no longer: after a ballot, and when nothing allows it any more. Dates block by themselves (model/consent); only signed events erase. */
#include "law_parts.h"

#include "carnet/replica/audit.h"

static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;

static carnet_rc may_erase(struct carnet_replica *replica, struct carnet_err *err)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    if (self && self->verbs & CARNET_VERB_ERASE && self->verbs & CARNET_VERB_DARK)
        return CARNET_OK;
    carnet_err_set(err, CARNET_REFUSED, "this node may not erase contacts");
    carnet_err_hint(err, "an office or an admin does it");
    return CARNET_REFUSED;
}

static carnet_rc audit(struct carnet_replica *replica, struct carnet_buf *detail, struct carnet_err *err)
{
    carnet_rc rc = carnet_audit_add(replica, CARNET_AUDIT_PURGE, carnet_buf_slice(detail), err);
    carnet_buf_deinit(detail);
    return rc;
}

/* --- retention --- */

struct retention {
    struct carnet_replica *replica;
    struct carnet_retention *out;
    bool erase;
};

static carnet_rc retention_one(void *ctx, const struct carnet_view *view, bool *wrote, struct carnet_err *err)
{
    struct retention *r = ctx;
    enum carnet_stale reason;
    carnet_rc rc = CARNET_OK;
    r->out->looked++;
    if (!carnet_law_stale(r->replica, view, &reason))
        return rc;
    if (r->erase) {
        rc = carnet_people_erase(r->replica, view, CARNET_SLICE_NONE, err);
        *wrote = true;
        r->out->erased += rc == CARNET_OK;
    }
    r->out->stale[reason] += rc == CARNET_OK;
    return rc;
}

carnet_rc carnet_people_retention(struct carnet_replica *replica, bool erase, const struct carnet_walk *walk, struct carnet_retention *out, struct carnet_err *err)
{
    struct retention r = { .replica = replica, .out = out, .erase = erase };
    const struct carnet_law_walk all = { .replica = replica, .walk = walk, .writes = erase, .each = retention_one, .ctx = &r };
    *out = (struct carnet_retention){ 0 };
    carnet_rc rc = erase ? may_erase(replica, err) : CARNET_OK;
    if (rc != CARNET_OK)
        return rc;
    carnet_audit_hold(replica, erase);
    rc = carnet_law_walk(&all, err);
    carnet_audit_hold(replica, false);
    if (out->erased) {
        struct carnet_buf detail;
        carnet_buf_init(&detail, CARNET_AUDIT_DETAIL_LEN_MAX);
        carnet_buf_printf(&detail, "retention: erased %llu (silent %llu, ended %llu, refused %llu)", (unsigned long long)out->erased,
                          (unsigned long long)out->stale[CARNET_STALE_SILENT], (unsigned long long)out->stale[CARNET_STALE_ENDED],
                          (unsigned long long)out->stale[CARNET_STALE_REFUSED]);
        struct carnet_err *said = rc == CARNET_OK ? err : NULL;
        carnet_rc audited = audit(replica, &detail, said);
        rc = rc == CARNET_OK ? audited : rc;
    }
    return rc;
}

/* --- purge --- */

struct purge {
    struct carnet_replica *replica;
    struct carnet_purge *out;
    int64_t ballot_ms;
    struct carnet_slice ballot;
    bool dry;
};

/* Scopes that grants for this ballot cover on the record; *collected: there is one. */
static uint32_t for_ballot(const struct purge *p, const struct carnet_record *record, bool *collected)
{
    const struct carnet_charter *charter = carnet_replica_charter(p->replica);
    uint32_t scopes = 0;
    *collected = false;
    for (size_t i = 0; i < record->event_count; i++) {
        struct carnet_event event;
        if (carnet_event_peek(record->events[i].raw) != CARNET_EVENT_GRANT || carnet_event_decode(record->events[i].raw, &event) || event.basis != CARNET_BASIS_ROLL)
            continue;
        const struct carnet_sibling *evidence = carnet_people_evidence_beside(record, event.purpose, &record->events[i].dot, false);
        struct carnet_slice said = evidence ? carnet_people_evidence_line(evidence->value, "ballot") : CARNET_SLICE_NONE;
        bool named = said.len >= p->ballot.len && carnet_slice_equal(carnet_slice(said.ptr, p->ballot.len), p->ballot);
        if (!named && event.until_ms != p->ballot_ms + DAY_MS)
            continue;
        const struct carnet_purpose_def *def = carnet_purpose_version(charter, event.purpose, event.version);
        *collected = true;
        scopes |= def ? def->scopes : 0;
    }
    return scopes;
}

enum keep { KEEP_NOT, KEEP_AGREED, KEEP_MEMBER };

/* Does anything but a roll, on any record of the person, allow or wait to allow to keep them? */
static enum keep keep_of(struct carnet_replica *replica, const struct carnet_view *view)
{
    const struct carnet_charter *charter = carnet_replica_charter(replica);
    const struct carnet_purpose_def *def;
    enum keep keep = KEEP_NOT;
    for (size_t i = 0; keep != KEEP_MEMBER && (def = carnet_purpose_at(charter, i / view->person_count)); i++) {
        struct carnet_consent consent = carnet_law_consent(replica, view, i % view->person_count, carnet_slice_str(def->name));
        bool stands = consent.state == CARNET_CONSENT_GIVEN || consent.state == CARNET_CONSENT_RENEWED || consent.state == CARNET_CONSENT_REQUESTED;
        if (stands && consent.basis == CARNET_BASIS_MEMBER)
            keep = KEEP_MEMBER;
        else if (stands && consent.basis != CARNET_BASIS_ROLL)
            keep = KEEP_AGREED;
    }
    return keep;
}

static carnet_rc purge_one(void *ctx, const struct carnet_view *view, bool *wrote, struct carnet_err *err)
{
    struct purge *p = ctx;
    bool collected;
    uint32_t scopes = for_ballot(p, &view->record, &collected), sealed = 0;
    carnet_rc rc = CARNET_OK;
    if (!collected)
        return rc;
    p->out->collected++;
    enum keep keep = keep_of(p->replica, view);
    if (view->restricted) { /* kept because the person asked for it */
        p->out->kept_restricted++;
        return rc;
    }
    if (keep == KEEP_NOT) {
        p->out->erased++;
        *wrote = !p->dry;
        return p->dry ? rc : carnet_people_erase(p->replica, view, CARNET_SLICE_NONE, err);
    }
    *(keep == KEEP_MEMBER ? &p->out->kept_member : &p->out->kept_agreed) += 1;
    for (size_t i = 0; i < view->record.seed_count; i++)
        if (!view->record.seeds[i].dead)
            sealed |= 1u << view->record.seeds[i].scope;
    const struct carnet_record *alone[] = { &view->record }; /* merging is undone at will: what it blocks is not destroyed for it */
    scopes &= sealed & ~carnet_consent_open(carnet_replica_charter(p->replica), alone, 1, carnet_replica_now_ms(p->replica)) & carnet_replica_self(p->replica)->reads & ~(1u << CARNET_SCOPE_CONSENT);
    if (!scopes)
        return rc;
    p->out->darkened++;
    *wrote = !p->dry;
    return p->dry ? rc : carnet_replica_dark(p->replica, &view->book, &view->id, scopes, err);
}

carnet_rc carnet_people_purge(struct carnet_replica *replica, struct carnet_slice ballot, bool dry, const struct carnet_walk *walk, struct carnet_purge *out,
                              struct carnet_err *err)
{
    struct purge p = { .replica = replica, .out = out, .ballot = ballot, .dry = dry };
    const struct carnet_law_walk all = { .replica = replica, .walk = walk, .writes = !dry, .each = purge_one, .ctx = &p };
    *out = (struct carnet_purge){ 0 };
    carnet_rc rc = carnet_date_parse(ballot, &p.ballot_ms, err);
    if (rc == CARNET_OK)
        rc = may_erase(replica, err);
    if (rc == CARNET_OK && carnet_replica_wall_ms(replica) < p.ballot_ms + DAY_MS) {
        carnet_err_set(err, CARNET_REFUSED, "the ballot of %.*s is not over", (int)ballot.len, (const char *)ballot.ptr);
        carnet_err_hint(err, "what was collected for it serves until the end of that day; purge afterwards");
        rc = CARNET_REFUSED;
    }
    if (rc != CARNET_OK)
        return rc;
    carnet_audit_hold(replica, !dry);
    rc = carnet_law_walk(&all, err);
    carnet_audit_hold(replica, false);
    if (!dry && (rc == CARNET_OK || out->erased || out->darkened)) {
        struct carnet_buf detail;
        carnet_buf_init(&detail, CARNET_AUDIT_DETAIL_LEN_MAX);
        carnet_buf_printf(&detail, "ballot %.*s: erased %llu, kept members %llu, kept who agreed %llu, kept restricted %llu, darkened %llu%s", (int)ballot.len,
                          (const char *)ballot.ptr, (unsigned long long)out->erased, (unsigned long long)out->kept_member, (unsigned long long)out->kept_agreed,
                          (unsigned long long)out->kept_restricted, (unsigned long long)out->darkened, rc == CARNET_OK ? "" : ", stopped");
        carnet_rc audited = audit(replica, &detail, rc == CARNET_OK ? err : NULL);
        rc = rc == CARNET_OK ? audited : rc;
    }
    return rc;
}
