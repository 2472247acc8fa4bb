// SPDX-License-Identifier: EUPL-1.2
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct carnet_write write_on(const struct carnet_view *view, const struct carnet_event *events, size_t count)
{
    return (struct carnet_write){ .book = view->book, .record = view->id, .subject = view->record.subject, .kind = view->record.kind, .events = events,
                                  .event_count = count };
}

static carnet_rc contact_only(const struct carnet_view *view, struct carnet_err *err)
{
    if (view->record.kind == CARNET_KIND_CONTACT)
        return CARNET_OK;
    return carnet_err_set(err, CARNET_USAGE, "only a contact consents: this is another record");
}

/* The refusals of a purpose on any record of the person. */
static size_t refusals_of(const struct carnet_view *view, struct carnet_slice purpose, struct carnet_dot *out, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < view->person_count && count < max; i++)
        count += carnet_consent_refusals(view->person[i], purpose, out + count, max - count);
    return count;
}

carnet_rc carnet_people_grant(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, const struct carnet_ground *ground,
                              struct carnet_err *err)
{
    const struct carnet_purpose_def *def;
    struct carnet_buf evidence;
    carnet_rc rc = contact_only(view, err);
    carnet_buf_init(&evidence, CARNET_VALUE_LEN_MAX);
    if (!rc)
        rc = carnet_people_grantable(carnet_replica_charter(replica), purpose, ground->basis, &def, err);
    if (!rc && !ground->source.len)
        rc = carnet_err_set(err, CARNET_USAGE, "a grant needs --source: how the person agreed");
    if (!rc)
        rc = carnet_people_evidence(carnet_replica_charter(replica), ground, &purpose, 1, CARNET_SLICE_NONE, &evidence, err);
    if (!rc) {
        struct carnet_event event = { .type = CARNET_EVENT_GRANT, .purpose = carnet_slice_str(def->name), .version = def->version, .basis = ground->basis,
                                      .proof = ground->proof.len ? CARNET_PROOF_PAPER : CARNET_PROOF_NONE,
                                      .since_ms = ground->collected_ms ? ground->collected_ms : carnet_replica_wall_ms(replica),
                                      .until_ms = ground->until_ms };
        event.name_count = refusals_of(view, event.purpose, event.names, sizeof event.names / sizeof event.names[0]);
        struct carnet_consent now = carnet_consent_evaluate(carnet_replica_charter(replica), view->person, view->person_count, event.purpose, carnet_replica_now_ms(replica));
        if (now.suppressed && !event.name_count) {
            rc = carnet_err_set(err, CARNET_REFUSED, "whoever has an address of this person refused \"%s\": it is on the suppression list", def->name);
            carnet_err_hint(err, "take the address out; or, if this person agrees again on paper: withdraw \"%s\" here, then grant it with --proof, to be countersigned", def->name);
        } else if (event.name_count && event.proof != CARNET_PROOF_PAPER) {
            rc = carnet_err_set(err, CARNET_REFUSED, "this person refused \"%s\": agreeing again needs a proof", def->name);
            carnet_err_hint(err, "give --proof (the paper they signed); it counts once another member has run `carnet consent countersign`");
        } else {
            struct carnet_arena arena;
            carnet_arena_init(&arena);
            struct carnet_write *writes = carnet_arena_alloc(&arena, view->record_count * sizeof *writes);
            size_t write_count = 0;
            for (size_t i = 0; i < view->record_count; i++) { /* on the main record, and where it takes up what was agreed to before */
                if (i && !carnet_people_granted(view->records[i].record, event.purpose))
                    continue;
                const struct carnet_view one = carnet_view_one(view, i);
                struct carnet_write_cell *cells = carnet_arena_alloc(&arena, (CARNET_PURPOSES_MAX + 1) * sizeof *cells);
                cells[0] = (struct carnet_write_cell){ .field = CARNET_FIELD_EVIDENCE, .label = event.purpose, .value = carnet_buf_slice(&evidence) };
                writes[write_count] = write_on(&one, &event, 1);
                writes[write_count].cells = cells;
                writes[write_count++].cell_count = 1 + carnet_people_evidence_keep(carnet_replica_charter(replica), &one, event.purpose, &event, 1, cells + 1);
            }
            rc = carnet_replica_write(replica, writes, write_count, false, NULL, err);
            carnet_arena_deinit(&arena);
        }
    }
    carnet_buf_deinit(&evidence);
    return rc;
}

static carnet_rc countersign(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, struct carnet_err *err)
{
    const struct carnet_purpose_def *def;
    carnet_rc rc = contact_only(view, err);
    if (!rc)
        rc = carnet_people_purpose(carnet_replica_charter(replica), purpose, &def, err);
    if (rc)
        return rc;
    struct carnet_event event = { .type = CARNET_EVENT_COUNTERSIGN };
    uint64_t self = carnet_id_head(&carnet_replica_self(replica)->node);
    bool own = false;
    for (size_t i = 0; i < view->record.event_count && event.name_count < CARNET_CHANGE_EVENTS_MAX; i++) {
        struct carnet_event seen;
        if (carnet_event_decode(view->record.events[i].raw, &seen) || seen.type != CARNET_EVENT_GRANT || seen.proof != CARNET_PROOF_PAPER ||
            !seen.name_count || !carnet_slice_equal(seen.purpose, carnet_slice_str(def->name)))
            continue;
        if (view->record.events[i].dot.author == self)
            own = true;
        else
            event.names[event.name_count++] = view->record.events[i].dot;
    }
    struct carnet_consent now = carnet_consent_evaluate(carnet_replica_charter(replica), view->person, view->person_count, carnet_slice_str(def->name), carnet_replica_now_ms(replica));
    if (now.state != CARNET_CONSENT_REQUESTED)
        return carnet_err_set(err, CARNET_NOT_FOUND, "no grant of \"%s\" waits for a second signature", def->name);
    if (!event.name_count && own) {
        carnet_err_set(err, CARNET_REFUSED, "the grant of \"%s\" was written here: another member has to countersign it", def->name);
        return CARNET_REFUSED;
    }
    if (!event.name_count)
        return carnet_err_set(err, CARNET_NOT_FOUND, "no grant of \"%s\" waits for a second signature", def->name);
    struct carnet_write write = write_on(view, &event, 1);
    return carnet_replica_write(replica, &write, 1, false, NULL, err);
}

/* A countersignature stands on the record of its grant. */
carnet_rc carnet_people_countersign(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_slice purpose, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    bool done = false;
    for (size_t i = 0; i < view->record_count; i++) {
        const struct carnet_view one = carnet_view_one(view, i);
        struct carnet_consent now = carnet_consent_evaluate(carnet_replica_charter(replica), one.person, one.person_count, purpose, carnet_replica_now_ms(replica));
        if (now.state != CARNET_CONSENT_REQUESTED && (i + 1 < view->record_count || done))
            continue;
        rc = countersign(replica, &one, purpose, err);
        if (rc)
            return rc;
        done = true;
    }
    return rc;
}

bool carnet_people_objects_to_all(const struct carnet_charter *charter, const struct carnet_view *view, int64_t now_ms)
{
    const struct carnet_purpose_def *def;
    for (size_t i = 0; (def = carnet_purpose_at(charter, i)); i++) {
        const struct carnet_view one = carnet_people_consent_view(charter, view, carnet_slice_str(def->name), now_ms);
        struct carnet_consent consent = carnet_consent_evaluate(charter, one.person, one.person_count, carnet_slice_str(def->name), now_ms);
        if (consent.state != CARNET_CONSENT_OBJECTED || consent.suppressed)
            return false;
    }
    return true;
}

static carnet_rc refuse(struct carnet_replica *replica, const struct carnet_view *view, enum carnet_event_type type, const struct carnet_slice *purposes,
                        size_t count, bool all, struct carnet_err *err)
{
    struct carnet_event events[CARNET_PURPOSES_MAX];
    size_t event_count = 0;
    carnet_rc rc = contact_only(view, err);
    if (rc)
        return rc;
    if ((!count && !all) || count > CARNET_PURPOSES_MAX) {
        carnet_err_set(err, CARNET_USAGE, "to which purposes does the person object?");
        carnet_err_hint(err, "name them, or say --all");
        return CARNET_USAGE;
    }
    if (all && count)
        return carnet_err_set(err, CARNET_USAGE, "either --all or purposes");
    for (size_t i = 0; i < count; i++) {
        const struct carnet_purpose_def *def;
        rc = carnet_people_purpose(carnet_replica_charter(replica), purposes[i], &def, err);
        if (rc)
            return rc;
        const struct carnet_view one = carnet_people_consent_view(carnet_replica_charter(replica), view, carnet_slice_str(def->name), carnet_replica_now_ms(replica));
        struct carnet_consent now = carnet_consent_evaluate(carnet_replica_charter(replica), one.person, one.person_count, carnet_slice_str(def->name), carnet_replica_now_ms(replica));
        /* Saying the same again would only lengthen the log; an objection says more than a withdrawal. */
        if (!now.suppressed && (now.state == CARNET_CONSENT_OBJECTED ||
                                (type == CARNET_EVENT_WITHDRAW && (now.state == CARNET_CONSENT_WITHDRAWN || now.state == CARNET_CONSENT_REFUSED))))
            continue;
        events[event_count] = (struct carnet_event){ .type = type, .purpose = carnet_slice_str(def->name) };
        event_count++;
    }
    if (all && !carnet_people_objects_to_all(carnet_replica_charter(replica), view, carnet_replica_now_ms(replica))) {
        events[0] = (struct carnet_event){ .type = type };
        event_count = 1;
    }
    if (!event_count)
        return CARNET_OK;
    /* On the main record, and on each that has an agreement to it: what they cover is closed, and destroyed in its time, merged or not. */
    struct carnet_arena arena;
    carnet_arena_init(&arena);
    struct carnet_write *writes = carnet_arena_alloc(&arena, view->record_count * sizeof *writes);
    size_t write_count = 0;
    for (size_t i = 0; i < view->record_count; i++) {
        const struct carnet_view one = carnet_view_one(view, i);
        struct carnet_event *own = carnet_arena_alloc(&arena, event_count * sizeof *own);
        size_t own_count = 0;
        for (size_t j = 0; j < event_count; j++)
            if (i == 0 || !events[j].purpose.len || carnet_people_granted(view->records[i].record, events[j].purpose))
                own[own_count++] = events[j];
        if (own_count)
            writes[write_count++] = write_on(&one, own, own_count);
    }
    rc = carnet_replica_write(replica, writes, write_count, false, NULL, err);
    carnet_arena_deinit(&arena);
    return rc;
}

/* What the grants of a purpose cover, each by the version that it was given under. */
static uint32_t covered_by(const struct carnet_charter *charter, const struct carnet_view *view, struct carnet_slice purpose)
{
    uint32_t scopes = 0;
    for (size_t i = 0; i < view->record.event_count; i++) {
        struct carnet_event event;
        if (carnet_event_peek(view->record.events[i].raw) != CARNET_EVENT_GRANT || carnet_event_decode(view->record.events[i].raw, &event) ||
            !carnet_slice_equal(event.purpose, purpose))
            continue;
        const struct carnet_purpose_def *def = carnet_purpose_version(charter, purpose, event.version);
        scopes |= def ? def->scopes : 0;
    }
    return scopes;
}

carnet_rc carnet_people_withdraw(struct carnet_replica *replica, const struct carnet_view *view, const struct carnet_slice *purposes, size_t count, bool now,
                                 struct carnet_withdrawn *out, struct carnet_err *err)
{
    struct carnet_arena arena;
    struct carnet_view after;
    *out = (struct carnet_withdrawn){ 0 };
    carnet_rc rc = refuse(replica, view, CARNET_EVENT_WITHDRAW, purposes, count, false, err);
    if (rc)
        return rc;
    carnet_arena_init(&arena);
    rc = carnet_replica_view(replica, &view->book, &view->id, &arena, &after, err);
    if (!rc) {
        /* what was withdrawn before, for another purpose, keeps its time to be undone in */
        for (size_t who = 0; !rc && who < after.record_count; who++) {
            const struct carnet_view_record *one = &after.records[who];
            const struct carnet_view alone = carnet_view_one(&after, who);
            uint32_t covered = 0, seeded = 0, closed = 0;
            for (size_t i = 0; i < count; i++)
                covered |= covered_by(carnet_replica_charter(replica), &alone, purposes[i]);
            for (size_t i = 0; i < one->record->seed_count; i++)
                if (!one->record->seeds[i].dead)
                    seeded |= 1u << one->record->seeds[i].scope;
            uint32_t blocked = covered & seeded & ~one->open & ~(1u << CARNET_SCOPE_CONSENT);
            out->blocked |= blocked;
            /* what is blocked for others' sake, merged or with the same address, is not destroyed */
            for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_CONSENT; scope++)
                if (blocked >> scope & 1 && carnet_consent_closed_at(carnet_replica_charter(replica), one->record, (enum carnet_scope)scope, carnet_replica_now_ms(replica)))
                    closed |= 1u << scope;
            if (!now || !blocked)
                continue;
            if (carnet_replica_self(replica)->verbs & CARNET_VERB_DARK) {
                rc = closed ? carnet_replica_dark(replica, &view->book, &one->record->id, closed, err) : CARNET_OK;
                out->dark = out->dark || (!rc && closed);
            } else {
                out->later = true;
            }
        }
    }
    carnet_arena_deinit(&arena);
    return rc;
}

carnet_rc carnet_people_object(struct carnet_replica *replica, const struct carnet_view *view, const struct carnet_slice *purposes, size_t count, bool all,
                               struct carnet_err *err)
{
    return refuse(replica, view, CARNET_EVENT_OBJECT, purposes, count, all, err);
}

bool carnet_people_same_change(const struct carnet_dot *a, const struct carnet_dot *b)
{
    return a->author == b->author && a->stream == b->stream && a->seq == b->seq && a->index / CARNET_DOT_CHANGE == b->index / CARNET_DOT_CHANGE;
}

/* Scope consent is never closed but by erasure, and is not a contact's field, so it is read from the record itself. */
const struct carnet_sibling *carnet_people_evidence_beside(const struct carnet_record *record, struct carnet_slice purpose, const struct carnet_dot *grant, bool newest)
{
    const struct carnet_sibling *beside = NULL, *last = NULL;
    for (size_t i = 0; i < record->live_count; i++) {
        const struct carnet_sibling *s = &record->live[i];
        if (s->state != CARNET_SIBLING_VALUE || s->field != CARNET_FIELD_EVIDENCE)
            continue;
        bool named = carnet_slice_equal(s->label, purpose);
        if ((!beside || named) && carnet_people_same_change(&s->dot, grant))
            beside = s;
        if (newest && named && (!last || s->hlc > last->hlc))
            last = s;
    }
    return beside ? beside : last;
}

/* The newest grant of the purpose on this record: whose evidence is shown also when a refusal decided. */
static struct carnet_dot newest_grant(const struct carnet_view *view, struct carnet_slice purpose, bool *named)
{
    struct carnet_dot dot = { 0 };
    uint64_t hlc = 0;
    for (size_t i = 0; i < view->record.event_count; i++) {
        struct carnet_event event;
        if (carnet_event_decode(view->record.events[i].raw, &event))
            continue;
        bool about = event.type == CARNET_EVENT_GRANT || event.type == CARNET_EVENT_WITHDRAW || event.type == CARNET_EVENT_OBJECT;
        if (!about || (!carnet_slice_equal(event.purpose, purpose) && !(event.type == CARNET_EVENT_OBJECT && !event.purpose.len)))
            continue;
        *named = true;
        if (event.type == CARNET_EVENT_GRANT && view->record.events[i].hlc >= hlc) {
            hlc = view->record.events[i].hlc;
            dot = view->record.events[i].dot;
        }
    }
    return dot;
}

size_t carnet_people_evidence_keep(const struct carnet_charter *charter, const struct carnet_view *view, struct carnet_slice label, const struct carnet_event *events, size_t event_count,
                                   struct carnet_write_cell out[CARNET_PURPOSES_MAX])
{
    const struct carnet_purpose_def *def;
    size_t count = 0;
    for (size_t i = 0; (def = carnet_purpose_at(charter, i)) && count < CARNET_PURPOSES_MAX; i++) {
        struct carnet_slice purpose = carnet_slice_str(def->name);
        bool named = false, anew = carnet_slice_equal(purpose, label);
        for (size_t j = 0; j < event_count && !anew; j++)
            anew = events[j].type == CARNET_EVENT_GRANT && carnet_slice_equal(events[j].purpose, purpose);
        struct carnet_dot grant = newest_grant(view, purpose, &named);
        const struct carnet_sibling *evidence = anew || !grant.seq ? NULL : carnet_people_evidence_beside(&view->record, purpose, &grant, true);
        if (evidence && carnet_slice_equal(evidence->label, label))
            out[count++] = (struct carnet_write_cell){ .field = CARNET_FIELD_EVIDENCE, .label = purpose, .value = evidence->value };
    }
    return count;
}

static void read_wording(const struct carnet_charter *charter, struct carnet_people_consent *c)
{
    char key[16 + CARNET_LABEL_LEN_MAX], number[17];
    snprintf(key, sizeof key, "wording/%.*s", (int)c->purpose.len, (const char *)c->purpose.ptr);
    struct carnet_slice line = carnet_people_evidence_line(c->evidence, key);
    if (line.len < 18 || line.ptr[16] != ' ')
        return;
    c->wording_version = carnet_slice(line.ptr, 16);
    c->language = carnet_slice(line.ptr + 17, line.len - 17);
    memcpy(number, line.ptr, 16);
    number[16] = 0;
    c->wording = carnet_wording_version(charter, strtoull(number, NULL, 16));
}

struct carnet_people_consent *carnet_people_consents(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_arena *arena, size_t *count)
{
    struct carnet_people_consent *out = carnet_arena_alloc(arena, CARNET_PURPOSES_MAX * sizeof *out);
    const struct carnet_purpose_def *def;
    int64_t now_ms = carnet_replica_now_ms(replica);
    *count = 0;
    for (size_t i = 0; (def = carnet_purpose_at(carnet_replica_charter(replica), i)) && *count < CARNET_PURPOSES_MAX; i++) {
        struct carnet_slice purpose = carnet_slice_str(def->name);
        bool named = false;
        const struct carnet_view one = carnet_people_consent_view(carnet_replica_charter(replica), view, purpose, now_ms);
        struct carnet_dot grant = newest_grant(&one, purpose, &named);
        struct carnet_consent consent = carnet_consent_evaluate(carnet_replica_charter(replica), one.person, one.person_count, purpose, now_ms);
        if (!named && consent.state == CARNET_CONSENT_NONE)
            continue;
        struct carnet_people_consent *c = &out[(*count)++];
        *c = (struct carnet_people_consent){ .purpose = purpose, .consent = consent, .grant = consent.live ? consent.dot : grant };
        c->granted = c->grant.seq != 0;
        const struct carnet_sibling *cell = carnet_people_evidence_beside(&one.record, purpose, &c->grant, true);
        const struct carnet_purpose_def *version = carnet_purpose_version(carnet_replica_charter(replica), purpose, consent.version);
        c->scopes = consent.live ? consent.scopes : c->granted && version ? version->scopes : 0;
        c->evidence = cell ? cell->value : CARNET_SLICE_NONE;
        c->source = carnet_people_evidence_line(c->evidence, "source");
        c->proof = carnet_people_evidence_line(c->evidence, "proof");
        read_wording(carnet_replica_charter(replica), c);
    }
    return out;
}
