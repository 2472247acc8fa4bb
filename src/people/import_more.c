// SPDX-License-Identifier: EUPL-1.2
#include "import_more.h"

#include <string.h>

enum { NOTES_AT_ONCE = 64 };

bool carnet_import_own_id(struct carnet_slice label, struct carnet_slice value, struct carnet_id *out)
{
    static const char urn[] = "urn:uuid:";
    char hex[32];
    if (carnet_slice_equal(label, carnet_slice_str("carnet")))
        return carnet_unhex(value, out->b, sizeof out->b);
    if (!carnet_slice_equal(label, carnet_slice_str("uid")) || value.len != sizeof urn - 1 + 36 || memcmp(value.ptr, urn, sizeof urn - 1) != 0)
        return false;
    size_t len = 0;
    for (size_t i = sizeof urn - 1; i < value.len; i++)
        if (value.ptr[i] != '-' && len < sizeof hex)
            hex[len++] = (char)value.ptr[i];
    return len == sizeof hex && carnet_unhex(carnet_slice(hex, len), out->b, sizeof out->b);
}

void carnet_import_hash(struct carnet_hasher *h, struct carnet_slice piece)
{
    uint32_t len = (uint32_t)piece.len;
    carnet_hasher_add(h, &len, sizeof len);
    carnet_hasher_add(h, piece.ptr, piece.len);
}

void carnet_import_more_hash(struct carnet_hasher *hasher, const struct carnet_rows_more *more)
{
    for (size_t i = 0; i < more->grant_count; i++) {
        const struct carnet_rows_claim *claim = &more->grants[i];
        const int64_t numbers[] = { claim->basis, claim->since_ms, claim->until_ms, (int64_t)claim->version };
        carnet_import_hash(hasher, claim->purpose);
        carnet_import_hash(hasher, claim->proof);
        carnet_import_hash(hasher, claim->evidence);
        carnet_hasher_add(hasher, numbers, sizeof numbers);
    }
    carnet_import_hash(hasher, CARNET_SLICE_NONE);
    for (size_t i = 0; i < more->other_count; i++)
        carnet_import_hash(hasher, more->others[i].value);
    carnet_import_hash(hasher, CARNET_SLICE_NONE);
    for (size_t i = 0; i < more->note_count; i++)
        carnet_import_hash(hasher, more->notes[i].text);
}

static bool row_refuses(const struct carnet_row *row, struct carnet_slice purpose)
{
    for (size_t i = 0; i < row->objection_count; i++)
        if (!row->objections[i].purpose.len || carnet_slice_equal(row->objections[i].purpose, purpose))
            return true;
    return false;
}

static bool person_refuses(const struct carnet_view *known, struct carnet_slice purpose)
{
    struct carnet_dot dot;
    for (size_t i = 0; known && i < known->person_count; i++)
        if (carnet_consent_refusals(known->person[i], purpose, &dot, 1))
            return true;
    return false;
}

static bool roll_allows(struct carnet_slice purpose)
{
    return carnet_slice_equal(purpose, carnet_slice_str("mail")) || carnet_slice_equal(purpose, carnet_slice_str("canvass"));
}

/* The file's text, with the proof that it claims unless that is paper; without any, the import's own. */
static struct carnet_slice evidence_of(const struct carnet_rows_claim *claim, struct carnet_slice evidence, struct carnet_arena *arena)
{
    struct carnet_buf text;
    struct carnet_slice out = claim->evidence.len ? claim->evidence : evidence;
    if (!claim->proof.len || carnet_slice_equal(claim->proof, carnet_slice_str("paper")))
        return carnet_arena_dup(arena, out);
    carnet_buf_init(&text, CARNET_VALUE_LEN_MAX);
    carnet_buf_append_slice(&text, out);
    carnet_buf_append_str(&text, text.len ? "\nclaimed-proof: " : "claimed-proof: ");
    carnet_buf_append_slice(&text, claim->proof);
    out = carnet_arena_dup(arena, text.failed ? claim->evidence : carnet_buf_slice(&text));
    carnet_buf_deinit(&text);
    return out;
}

static void put_evidence(struct carnet_import_claims *out, struct carnet_slice label, struct carnet_slice value)
{
    for (size_t i = 0; i < out->cell_count; i++)
        if (carnet_slice_equal(out->cells[i].label, label)) {
            out->cells[i].value = value;
            return;
        }
    out->cells[out->cell_count++] = (struct carnet_write_cell){ .field = CARNET_FIELD_EVIDENCE, .label = label, .value = value };
}

void carnet_import_claims(struct carnet_replica *replica, const struct carnet_view *known, const struct carnet_row *row, const struct carnet_ground *ground,
                          struct carnet_slice evidence, struct carnet_arena *arena, struct carnet_import_claims *out)
{
    const struct carnet_rows_more *more = row->more;
    const struct carnet_charter *charter = carnet_replica_charter(replica);
    int64_t now_ms = carnet_replica_now_ms(replica);
    *out = (struct carnet_import_claims){ 0 };
    out->events = carnet_arena_alloc(arena, (more->grant_count ? more->grant_count : 1) * sizeof *out->events);
    out->cells = carnet_arena_alloc(arena, (more->grant_count + 1) * sizeof *out->cells);
    for (size_t i = 0; i < more->grant_count; i++) {
        const struct carnet_rows_claim *claim = &more->grants[i];
        const struct carnet_purpose_def *def = carnet_purpose_version(charter, claim->purpose, claim->version);
        if (!def) { /* a definition that nobody here knows: what they agreed to cannot be told */
            out->refused++;
            continue;
        }
        struct carnet_slice purpose = carnet_slice_str(def->name);
        if (known && carnet_consent_evaluate(charter, known->person, known->person_count, purpose, now_ms).live)
            continue;
        if (row_refuses(row, purpose) || person_refuses(known, purpose) || (claim->basis == CARNET_BASIS_ROLL && !roll_allows(purpose))) {
            out->refused++;
            continue;
        }
        bool paper = carnet_slice_equal(claim->proof, carnet_slice_str("paper"));
        out->events[out->event_count++] = (struct carnet_event){ .type = CARNET_EVENT_GRANT, .purpose = purpose, .version = claim->version, .basis = claim->basis,
                                                                 .proof = paper ? CARNET_PROOF_PAPER : CARNET_PROOF_NONE,
                                                                 .since_ms = claim->since_ms ? claim->since_ms : ground->collected_ms,
                                                                 .until_ms = claim->until_ms };
        out->open |= def->scopes;
        put_evidence(out, purpose, evidence_of(claim, evidence, arena));
    }
    if (out->event_count)
        put_evidence(out, carnet_slice_str("import"), evidence);
}

bool carnet_import_is_other(const struct carnet_rows_more *more, uint32_t field, struct carnet_slice label)
{
    for (size_t i = 0; more && i < more->other_count; i++)
        if (more->others[i].def->field == field && carnet_slice_equal(more->others[i].label, label))
            return true;
    return false;
}

/* Oldest first, so that the newest stays the newest. */
static carnet_rc write_conflicts(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *id, const struct carnet_row *row,
                                 struct carnet_arena *arena, struct carnet_err *err)
{
    const struct carnet_rows_more *more = row->more;
    struct carnet_write_cell *cells = carnet_arena_alloc(arena, (more->other_count + row->cell_count) * sizeof *cells);
    size_t count = 0;
    for (size_t i = more->other_count; i-- > 0;)
        cells[count++] = (struct carnet_write_cell){ more->others[i].def->field, more->others[i].label, more->others[i].value };
    for (size_t i = 0; i < row->cell_count; i++)
        if (carnet_import_is_other(more, row->cells[i].def->field, row->cells[i].label))
            cells[count++] = (struct carnet_write_cell){ row->cells[i].def->field, row->cells[i].label, row->cells[i].value };
    const struct carnet_write write = { .book = *book, .record = *id, .subject = *id, .kind = CARNET_KIND_CONTACT, .cells = cells, .cell_count = count,
                                        .beside = true };
    return carnet_replica_write(replica, &write, 1, true, NULL, err);
}

struct comparing {
    const struct carnet_rows_more *more;
    bool *held; /* of each note */
};

static bool compare_note(void *ctx, const struct carnet_view *view)
{
    struct comparing *c = ctx;
    for (size_t s = 0; s < view->record.live_count; s++) {
        const struct carnet_sibling *text = &view->record.live[s];
        for (size_t i = 0; i < c->more->note_count && text->field == CARNET_FIELD_TEXT && text->state == CARNET_SIBLING_VALUE; i++)
            c->held[i] = c->held[i] || (view->record.kind == c->more->notes[i].kind && carnet_slice_equal(text->value, c->more->notes[i].text));
    }
    return true;
}

static carnet_rc write_notes(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *id, const struct carnet_view *known,
                             const struct carnet_rows_more *more, struct carnet_arena *arena, size_t *added, struct carnet_err *err)
{
    struct comparing compare = { more, carnet_arena_alloc(arena, more->note_count * sizeof(bool)) };
    struct carnet_write writes[NOTES_AT_ONCE];
    struct carnet_write_cell cells[NOTES_AT_ONCE];
    carnet_rc rc = known ? carnet_replica_about(replica, book, id, arena, compare_note, &compare, err) : CARNET_OK;
    for (size_t i = 0, count = 0; i <= more->note_count && !rc; i++) {
        if (count && (i == more->note_count || count == NOTES_AT_ONCE)) {
            struct carnet_write_result result;
            rc = carnet_replica_write(replica, writes, count, true, &result, err);
            *added += count;
            count = 0;
        }
        if (i == more->note_count || compare.held[i])
            continue;
        cells[count] = (struct carnet_write_cell){ .field = CARNET_FIELD_TEXT, .value = more->notes[i].text };
        writes[count] = (struct carnet_write){ .book = *book, .record = carnet_replica_new_id(replica), .subject = *id, .kind = more->notes[i].kind,
                                               .cells = &cells[count], .cell_count = 1, .fresh = true };
        count++;
    }
    return rc;
}

carnet_rc carnet_import_after(struct carnet_replica *replica, const struct carnet_id *book, const struct carnet_id *id, const struct carnet_view *known,
                              const struct carnet_row *row, struct carnet_arena *arena, size_t *added, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    *added = 0;
    if (!known && row->more->other_count) {
        rc = write_conflicts(replica, book, id, row, arena, err);
        *added += 1;
    }
    /* notes about somebody nothing of whom is open are left out, as fields are */
    return rc || !row->more->note_count ? rc : write_notes(replica, book, id, known, row->more, arena, added, err);
}
