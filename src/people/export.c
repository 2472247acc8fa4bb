// SPDX-License-Identifier: EUPL-1.2
#include "export_parts.h"

#include "carnet/people/query.h"
#include "carnet/people/segment.h"
#include "carnet/replica/audit.h"
#include "carnet/replica/index.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WRITE_LEN = 64 * 1024, PROGRESS_EVERY = 64, PERSON_EVENTS_MAX = 4096 };

struct exporting {
    struct carnet_replica *replica;
    const struct carnet_export_options *options;
    struct carnet_export_result *result;
    struct carnet_export_about about;
    struct carnet_export_columns columns;
    struct carnet_sealed_writer sealed;
    struct carnet_arena arena; /* of the contact */
    struct carnet_buf out;
    struct carnet_err *err;
    carnet_rc rc; /* that ended the walk */
    uint64_t looked;
    bool nameless; /* the reader's name is nothing for the audit trail: it looks like an address */
    bool learning; /* the first of two walks: which columns there are */
    struct carnet_id *books; /* that the reader holds */
    size_t book_count;
};

enum carnet_export_format carnet_export_format_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot && strcasecmp(dot, ".vcf") == 0)
        return CARNET_EXPORT_VCARD;
    if (dot && (strcasecmp(dot, ".json") == 0 || strcasecmp(dot, ".jsonl") == 0))
        return CARNET_EXPORT_JSON;
    return CARNET_EXPORT_CSV;
}

struct carnet_slice carnet_export_proof_name(enum carnet_proof proof)
{
    switch (proof) {
    case CARNET_PROOF_NONE: break;
    case CARNET_PROOF_PAPER: return carnet_slice_str("paper");
    case CARNET_PROOF_DOUBLE_OPT_IN: return carnet_slice_str("double-opt-in");
    case CARNET_PROOF_INBOUND: return carnet_slice_str("inbound");
    }
    return CARNET_SLICE_NONE;
}

/* --- for whom --- */

struct finding {
    struct carnet_export_reader *reader;
    struct carnet_slice name;
    int64_t now_ms;
    bool by_member, found, out; /* out: found, but revoked or expired */
};

static bool look_at_member(void *ctx, const struct carnet_member *member)
{
    struct finding *f = ctx;
    struct carnet_slice name = carnet_slice_str(f->by_member ? member->member : member->node);
    if (name.len != f->name.len || strncasecmp((const char *)name.ptr, (const char *)f->name.ptr, name.len) != 0)
        return true;
    f->found = true;
    if (member->cut || member->expired) {
        f->out = true;
        return true;
    }
    struct carnet_export_reader *reader = f->reader;
    if (reader->count == CARNET_SEALED_READERS_MAX)
        return true;
    memcpy(reader->member, member->member, sizeof reader->member);
    reader->certs[reader->count] = member->cert;
    reader->nodes[reader->count++] = (struct carnet_sealed_reader){ member->cert->node, member->cert->box };
    reader->scopes &= member->cert->reads;
    return true;
}

carnet_rc carnet_export_reader_find(struct carnet_replica *replica, struct carnet_slice name, struct carnet_export_reader *out, struct carnet_err *err)
{
    int shown = (int)(name.len > 80 ? 80 : name.len);
    struct finding f = { .reader = out, .name = name };
    carnet_rc rc = CARNET_OK;
    memset(out, 0, sizeof *out);
    out->scopes = CARNET_SCOPES_ALL;
    for (int pass = 0; pass < 2 && !rc && !f.found && name.len; pass++) {
        f.by_member = pass == 0;
        rc = carnet_replica_members(replica, look_at_member, &f, err);
    }
    if (!rc && !f.found) { /* by an id */
        struct carnet_member member;
        rc = carnet_replica_member_find(replica, name, &member, err);
        if (!rc) {
            f.name = carnet_slice_str(member.node);
            look_at_member(&f, &member);
        }
    }
    if (rc)
        return rc;
    if (!out->count && f.out)
        return carnet_err_set(err, CARNET_REFUSED, "the access of \"%.*s\" was revoked or has ended", shown, (const char *)name.ptr);
    if (!out->scopes)
        return carnet_err_set(err, CARNET_REFUSED, "\"%.*s\" may read nothing", shown, (const char *)name.ptr);
    return CARNET_OK;
}

static bool reader_holds(const struct carnet_export_reader *reader, const struct carnet_id *book)
{
    for (size_t i = 0; reader && i < reader->count; i++)
        if (!carnet_cert_holds(reader->certs[i], book))
            return false;
    return true;
}

carnet_rc carnet_export_clear_allowed(struct carnet_replica *replica, struct carnet_err *err)
{
    if (carnet_replica_self(replica)->verbs & CARNET_VERB_DELIVER)
        return CARNET_OK;
    carnet_err_set(err, CARNET_REFUSED, "a %s may not write contacts in clear", carnet_role_name(carnet_replica_self(replica)->role));
    carnet_err_hint(err, "--for MEMBER seals the file for a member, who opens it on their own node");
    return CARNET_REFUSED;
}

/* --- what goes out of a contact --- */

struct carnet_slice carnet_export_value(const struct carnet_cell *cell)
{
    for (size_t i = 0; i < cell->count; i++)
        if (cell->siblings[i]->value.len)
            return cell->siblings[i]->value;
    return CARNET_SLICE_NONE;
}

/* The scopes of a record that the purpose lets out, and that the reader may have. */
static uint32_t let_out(const struct exporting *x, const struct carnet_view *view)
{
    uint32_t scopes = 0, most = x->options->reader ? x->options->reader->scopes : CARNET_SCOPES_ALL;
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_COUNT; scope++)
        if (most >> scope & 1 && carnet_replica_allowed(x->replica, view, x->options->purpose, (enum carnet_scope)scope, NULL) == CARNET_OK)
            scopes |= 1u << scope;
    return scopes;
}

static void take_cells(struct exporting *x, const struct carnet_view *view, uint32_t scopes, struct carnet_export_contact *out)
{
    out->cells = carnet_arena_alloc(&x->arena, (view->cell_count ? view->cell_count : 1) * sizeof *out->cells);
    for (size_t i = 0; i < view->cell_count; i++) {
        const struct carnet_cell *cell = &view->cells[i];
        const struct carnet_field_def *def = carnet_field_by_number(out->charter, cell->field);
        if (def && def->scope != CARNET_SCOPE_CONSENT && scopes >> def->scope & 1 && (cell->field == CARNET_FIELD_TAG || carnet_export_value(cell).len))
            out->cells[out->cell_count++] = cell;
    }
}

struct event_at {
    const struct carnet_record *record;
    const struct carnet_event_item *item;
    struct carnet_event *event;
};

static int by_time(const void *a, const void *b)
{
    const struct event_at *x = a, *y = b;
    if (x->item->hlc != y->item->hlc)
        return x->item->hlc > y->item->hlc ? 1 : -1;
    return carnet_dot_compare(&x->item->dot, &y->item->dot);
}

/* Every grant of the person, oldest first. */
static struct event_at *grants_of(struct exporting *x, const struct carnet_view *view, size_t *count)
{
    size_t most = 0;
    for (size_t i = 0; i < view->person_count; i++)
        most += view->person[i]->event_count;
    most = most < PERSON_EVENTS_MAX ? most : PERSON_EVENTS_MAX;
    struct event_at *all = carnet_arena_alloc(&x->arena, (most ? most : 1) * sizeof *all);
    *count = 0;
    for (size_t i = 0; i < view->person_count; i++)
        for (size_t j = 0; j < view->person[i]->event_count && *count < most; j++) {
            const struct carnet_event_item *item = &view->person[i]->events[j];
            if (carnet_event_peek(item->raw) != CARNET_EVENT_GRANT)
                continue;
            struct carnet_event *event = carnet_arena_alloc(&x->arena, sizeof *event);
            if (carnet_event_decode(item->raw, event) == CARNET_OK)
                all[(*count)++] = (struct event_at){ view->person[i], item, event };
        }
    if (*count)
        qsort(all, *count, sizeof *all, by_time);
    return all;
}

static bool refusal_stands(enum carnet_consent_state state, bool *objection)
{
    *objection = state == CARNET_CONSENT_OBJECTED;
    switch (state) {
    case CARNET_CONSENT_WITHDRAWN:
    case CARNET_CONSENT_REFUSED:
    case CARNET_CONSENT_OBJECTED: return true;
    case CARNET_CONSENT_NONE:
    case CARNET_CONSENT_REQUESTED:
    case CARNET_CONSENT_GIVEN:
    case CARNET_CONSENT_RENEWED:
    case CARNET_CONSENT_INVALIDATED:
    case CARNET_CONSENT_EXPIRED: return false;
    }
    return false;
}

/* A proof that a file claimed is kept in the evidence: it is still only a claim. */
static struct carnet_slice proof_of(const struct carnet_event *grant, struct carnet_slice evidence)
{
    struct carnet_slice claimed = carnet_people_evidence_line(evidence, "claimed-proof");
    return grant->proof == CARNET_PROOF_NONE && claimed.len ? claimed : carnet_export_proof_name(grant->proof);
}

/* `claimed-proof` is said by "proof" already. */
static struct carnet_slice without_claim(struct exporting *x, struct carnet_slice evidence)
{
    static const char key[] = "claimed-proof: ";
    const uint8_t *at = evidence.len ? memmem(evidence.ptr, evidence.len, key, sizeof key - 1) : NULL;
    if (!at || (at != evidence.ptr && at[-1] != '\n'))
        return evidence;
    const uint8_t *stop = memchr(at, '\n', evidence.len - (size_t)(at - evidence.ptr));
    size_t before = (size_t)(at - evidence.ptr), behind = stop ? evidence.len - (size_t)(stop + 1 - evidence.ptr) : 0;
    uint8_t *text = carnet_arena_alloc(&x->arena, before + behind + 1);
    memcpy(text, evidence.ptr, before);
    if (behind)
        memcpy(text + before, stop + 1, behind);
    else if (before)
        before--;
    return carnet_slice(text, before + behind);
}

/* What stands: the grants of each purpose that is not refused, else its refusal. A grant that waits for a second signature counts for nothing yet: behind
 * it the refusal stands. With a purpose: its own grants alone; every refusal goes along, since whoever has the file must heed it. */
static void take_consents(struct exporting *x, const struct carnet_view *view, uint32_t scopes, struct carnet_export_contact *out)
{
    const struct carnet_purpose_def *def;
    int64_t now_ms = carnet_replica_now_ms(x->replica);
    size_t count;
    struct event_at *grants = grants_of(x, view, &count);
    out->grants = carnet_arena_alloc(&x->arena, (count ? count : 1) * sizeof *out->grants);
    out->refusals = carnet_arena_alloc(&x->arena, CARNET_PURPOSES_MAX * sizeof *out->refusals);
    for (size_t i = 0; (def = carnet_purpose_at(out->charter, i)) && i < CARNET_PURPOSES_MAX; i++) {
        struct carnet_slice purpose = carnet_slice_str(def->name);
        struct carnet_consent consent = carnet_consent_evaluate(out->charter, view->person, view->person_count, purpose, now_ms);
        bool objection, refused = refusal_stands(consent.state, &objection);
        if (consent.state == CARNET_CONSENT_REQUESTED) {
            struct carnet_dot dot;
            for (size_t j = 0; j < view->person_count && !refused; j++)
                refused = carnet_consent_refusals(view->person[j], purpose, &dot, 1) > 0;
        }
        if (refused)
            out->refusals[out->refusal_count++] = (struct carnet_export_refusal){ purpose, objection, consent.since_ms };
        if (refused || consent.state == CARNET_CONSENT_REQUESTED || (x->options->purpose.len && !carnet_slice_equal(x->options->purpose, purpose)))
            continue;
        size_t newest = count;
        for (size_t j = 0; j < count; j++)
            newest = carnet_slice_equal(grants[j].event->purpose, purpose) ? j : newest;
        for (size_t j = 0; j < count; j++) {
            const struct carnet_event *event = grants[j].event;
            if (!carnet_slice_equal(event->purpose, purpose))
                continue;
            const struct carnet_sibling *said = scopes >> CARNET_SCOPE_CONSENT & 1 ? carnet_people_evidence_beside(grants[j].record, purpose, &grants[j].item->dot, j == newest) : NULL;
            struct carnet_slice evidence = said ? said->value : CARNET_SLICE_NONE;
            out->grants[out->grant_count++] = (struct carnet_export_grant){ .purpose = purpose, .version = event->version, .basis = event->basis, .proof = proof_of(event, evidence),
                                                                            .since_ms = event->since_ms, .until_ms = event->until_ms,
                                                                            .evidence = without_claim(x, evidence) };
        }
    }
}

struct taking {
    struct exporting *x;
    struct carnet_export_contact *out;
    size_t cap;
};

static bool take_note(void *ctx, const struct carnet_view *view)
{
    struct taking *t = ctx;
    if ((view->record.kind != CARNET_KIND_NOTE && view->record.kind != CARNET_KIND_VISIT) || !(let_out(t->x, view) >> CARNET_SCOPE_NOTES & 1))
        return true;
    for (size_t i = 0; i < view->cell_count; i++) {
        const struct carnet_cell *cell = &view->cells[i];
        struct carnet_slice text = carnet_export_value(cell);
        if (cell->field != CARNET_FIELD_TEXT || !text.len)
            continue;
        CARNET_GROW(t->out->notes, t->out->note_count, t->cap);
        t->out->notes[t->out->note_count++] = (struct carnet_export_note){ .kind = view->record.kind, .id = view->id, .hlc = view->record.hlc_first,
                                                                           .dot = cell->siblings[0]->dot, .text = text };
    }
    return true;
}

static int notes_by_time(const void *a, const void *b)
{
    const struct carnet_export_note *x = a, *y = b;
    if (x->hlc != y->hlc)
        return x->hlc > y->hlc ? 1 : -1;
    return carnet_dot_compare(&x->dot, &y->dot);
}

static carnet_rc take_notes(struct exporting *x, const struct carnet_view *view, struct carnet_export_contact *out)
{
    struct taking t = { .x = x, .out = out };
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; i < view->person_count && !rc; i++)
        rc = carnet_replica_about(x->replica, &view->book, &view->person[i]->id, &x->arena, take_note, &t, x->err);
    if (out->note_count)
        qsort(out->notes, out->note_count, sizeof *out->notes, notes_by_time);
    return rc;
}

/* Taken down at the beginning: certificates do not outlive a pause. */
static void note_books(struct exporting *x)
{
    size_t count = carnet_replica_book_count(x->replica);
    x->books = carnet_alloc((count ? count : 1) * sizeof *x->books);
    for (size_t i = 0; i < count; i++)
        if (reader_holds(x->options->reader, &carnet_replica_book_at(x->replica, i)->id))
            x->books[x->book_count++] = carnet_replica_book_at(x->replica, i)->id;
}

static bool may_have(const struct exporting *x, const struct carnet_id *book)
{
    bool held = !x->options->reader;
    for (size_t i = 0; i < x->book_count && !held; i++)
        held = carnet_id_equal(&x->books[i], book);
    return held;
}

static const char *book_name(struct carnet_replica *replica, const struct carnet_id *id)
{
    for (size_t i = 0; i < carnet_replica_book_count(replica); i++)
        if (carnet_id_equal(&carnet_replica_book_at(replica, i)->id, id))
            return carnet_replica_book_at(replica, i)->name;
    return "";
}

/* --- writing --- */

static carnet_rc flush(struct exporting *x)
{
    carnet_rc rc = CARNET_OK;
    struct carnet_slice bytes = carnet_buf_slice(&x->out);
    if (x->out.failed)
        return carnet_err_set(x->err, CARNET_LIMIT, "a contact is larger than an export can hold");
    if (x->options->reader)
        rc = carnet_sealed_put(&x->sealed, bytes);
    else if (bytes.len && !x->options->write(x->options->ctx, bytes))
        rc = CARNET_CANCELLED;
    if (x->out.ptr)
        carnet_wipe(x->out.ptr, x->out.len);
    carnet_buf_clear(&x->out);
    return rc;
}

static carnet_rc put(struct exporting *x, const struct carnet_export_contact *contact)
{
    carnet_rc rc = CARNET_OK;
    switch (x->options->format) {
    case CARNET_EXPORT_CSV:
        rc = carnet_export_csv_put(&x->about, &x->columns, contact, &x->out);
        if (rc == CARNET_AGAIN)
            carnet_err_set(x->err, rc, "contacts changed while they were written");
        if (rc)
            carnet_err_hint(x->err, "run the export again");
        break;
    case CARNET_EXPORT_VCARD: carnet_export_vcard_put(&x->about, contact, &x->out); break;
    case CARNET_EXPORT_JSON:
        rc = carnet_export_json_put(contact, &x->out);
        if (rc)
            carnet_err_set(x->err, rc, "the contact %s is larger than an export can hold", carnet_id_text(&contact->view->id).s);
        break;
    }
    return rc || x->out.len < WRITE_LEN ? rc : flush(x);
}

static carnet_rc take(struct exporting *x, const struct carnet_view *view)
{
    struct carnet_export_contact contact = { .view = view, .charter = carnet_replica_charter(x->replica), .book = book_name(x->replica, &view->book) };
    carnet_rc rc = CARNET_OK;
    uint32_t scopes = may_have(x, &view->book) ? let_out(x, view) : 0;
    take_cells(x, view, scopes, &contact);
    if (!contact.cell_count) {
        x->result->left_out += !x->learning;
        return CARNET_OK;
    }
    if (x->learning) {
        rc = carnet_export_csv_learn(&x->columns, &contact);
        return rc ? carnet_err_set(x->err, rc, "more than %d columns", CARNET_EXPORT_COLUMNS_MAX) : rc;
    }
    if (x->options->format == CARNET_EXPORT_JSON) {
        take_consents(x, view, scopes, &contact);
        rc = take_notes(x, view, &contact);
    }
    if (!rc)
        rc = put(x, &contact);
    free(contact.notes);
    x->result->contacts += !rc;
    return rc;
}

static bool each(void *ctx, const struct carnet_view *view)
{
    struct exporting *x = ctx;
    carnet_arena_reset(&x->arena);
    x->rc = take(x, view);
    if (!x->rc && ++x->looked % PROGRESS_EVERY == 0 && x->options->progress && !x->options->progress(x->options->ctx, x->result->contacts))
        x->rc = carnet_err_set(x->err, CARNET_CANCELLED, "stopped");
    return !x->rc;
}

static void breathe(void *ctx)
{
    struct exporting *x = ctx;
    if (!x->rc && x->options->progress && !x->options->progress(x->options->ctx, x->result->contacts))
        x->rc = carnet_err_set(x->err, CARNET_CANCELLED, "stopped");
}

static carnet_rc walk(struct exporting *x)
{
    const struct carnet_find_options find = { .query = x->options->query, .book = x->options->book };
    carnet_rc rc = carnet_people_find(x->replica, &find, each, breathe, x, x->err);
    return x->rc ? x->rc : rc;
}

void carnet_export_notice(const struct carnet_export_about *about, struct carnet_buf *out)
{
    const struct carnet_export_options *options = about->options;
    struct carnet_buf at;
    carnet_buf_init(&at, 64);
    carnet_time_format(about->at_ms, &at);
    carnet_buf_append_str(out, "Carnet (");
    carnet_buf_append_slice(out, about->community_name);
    carnet_buf_append_str(out, "), ");
    carnet_buf_append_str(out, carnet_tr(options->lang, "exported by"));
    carnet_buf_printf(out, " %s, %s. ", about->by, carnet_buf_cstr(&at));
    carnet_buf_append_str(out, carnet_tr(options->lang, "This file does not say what these people agreed to or refused: ask Carnet before each use, and delete it afterwards."));
    if (options->purpose.len) {
        carnet_buf_append_byte(out, ' ');
        carnet_buf_append_str(out, carnet_tr(options->lang, "Purpose:"));
        carnet_buf_append_byte(out, ' ');
        carnet_buf_append_slice(out, options->purpose);
        carnet_buf_append_byte(out, '.');
    }
    if (options->reason.len) {
        carnet_buf_append_byte(out, ' ');
        carnet_buf_append_str(out, carnet_tr(options->lang, "Reason:"));
        carnet_buf_append_byte(out, ' ');
        carnet_buf_append_slice(out, options->reason);
    }
    for (size_t i = 0; i < out->len; i++)
        if (out->ptr[i] < ' ')
            out->ptr[i] = ' ';
    carnet_buf_deinit(&at);
}

/* --- the whole --- */

/* What went out, for the audit trail: counts, purpose and the member's name, nothing about anybody in the file. */
static void put_detail(const struct exporting *x, bool whole, struct carnet_buf *out)
{
    static const char *const formats[] = { "csv", "vcard", "json" };
    const struct carnet_export_options *options = x->options;
    carnet_buf_clear(out);
    carnet_buf_printf(out, whole ? "%llu contacts, %s" : "broken off after %llu contacts, %s", (unsigned long long)x->result->contacts, formats[options->format]);
    if (options->purpose.len)
        carnet_buf_printf(out, ", by their grants of %.*s", (int)options->purpose.len, (const char *)options->purpose.ptr);
    if (options->reader)
        carnet_buf_printf(out, ", sealed for %s", x->nameless ? "a member" : options->reader->member);
    else
        carnet_buf_printf(out, ", in clear: %.*s", (int)options->reason.len, (const char *)options->reason.ptr);
}

/* Can it be recorded? Asked before anything goes out. */
static carnet_rc check_detail(struct exporting *x)
{
    struct carnet_buf detail;
    carnet_buf_init(&detail, 4096);
    put_detail(x, false, &detail);
    x->nameless = x->options->reader && (detail.len > CARNET_AUDIT_DETAIL_LEN_MAX - 16 || carnet_audit_check(carnet_buf_slice(&detail), NULL));
    carnet_rc rc = x->options->reader ? CARNET_OK : carnet_audit_check(carnet_buf_slice(&detail), x->err);
    if (!rc && !x->options->reader && detail.len > CARNET_AUDIT_DETAIL_LEN_MAX - 16)
        rc = carnet_err_set(x->err, CARNET_USAGE, "the reason is longer than the audit trail can hold");
    carnet_buf_deinit(&detail);
    return rc;
}

static carnet_rc record_export(const struct exporting *x, bool whole)
{
    struct carnet_buf detail;
    carnet_buf_init(&detail, 4096);
    put_detail(x, whole, &detail);
    carnet_rc rc = carnet_audit_add(x->replica, CARNET_AUDIT_EXPORT, carnet_buf_slice(&detail), whole ? x->err : NULL);
    carnet_buf_deinit(&detail);
    return rc;
}

static carnet_rc check(struct exporting *x)
{
    const struct carnet_export_options *options = x->options;
    const struct carnet_purpose_def *def;
    carnet_rc rc = CARNET_OK;
    if (options->purpose.len)
        rc = carnet_people_purpose(carnet_replica_charter(x->replica), options->purpose, &def, x->err);
    if (!rc && options->purpose.len) { /* what may choose people for it */
        struct carnet_query *query;
        rc = carnet_segment_parse(x->replica, options->book, options->query, &query, x->err);
        if (!rc) {
            rc = carnet_segment_check(carnet_replica_charter(x->replica), query, options->purpose, x->err);
            carnet_query_free(query);
        }
    }
    if (rc)
        return rc;
    if (options->reader) {
        if (options->book && !reader_holds(options->reader, options->book))
            return carnet_err_set(x->err, CARNET_REFUSED, "\"%s\" does not hold the book \"%s\"", options->reader->member, book_name(x->replica, options->book));
        return check_detail(x);
    }
    rc = carnet_export_clear_allowed(x->replica, x->err);
    if (!rc && !options->reason.len)
        rc = carnet_err_set(x->err, CARNET_USAGE, "an export in clear needs --reason");
    return rc ? rc : check_detail(x);
}

static carnet_rc seal_begin(struct exporting *x)
{
    struct carnet_key key;
    if (!x->options->reader)
        return CARNET_OK;
    x->sealed.write = x->options->write;
    x->sealed.ctx = x->options->ctx;
    carnet_replica_random(x->replica, key.b, sizeof key.b);
    carnet_rc rc = carnet_sealed_begin(&x->sealed, &key, &x->about.community, x->options->reader->nodes, x->options->reader->count);
    carnet_wipe(&key, sizeof key);
    return rc == CARNET_MALFORMED ? carnet_err_set(x->err, rc, "the key of \"%s\" cannot be used", x->options->reader->member) : rc;
}

static carnet_rc write_all(struct exporting *x)
{
    enum carnet_export_format format = x->options->format;
    carnet_rc rc = CARNET_OK;
    if (format == CARNET_EXPORT_CSV) {
        x->learning = true;
        rc = walk(x);
        x->learning = false;
        carnet_export_csv_sort(&x->columns);
    }
    if (!rc)
        rc = seal_begin(x);
    if (!rc && format == CARNET_EXPORT_CSV)
        carnet_export_csv_begin(&x->about, carnet_replica_charter(x->replica), &x->columns, &x->out);
    else if (!rc && format == CARNET_EXPORT_JSON)
        carnet_export_json_begin(&x->about, carnet_replica_charter(x->replica), &x->out);
    if (!rc)
        rc = walk(x);
    if (!rc && format == CARNET_EXPORT_JSON)
        carnet_export_json_end(x->result->contacts, &x->out);
    if (!rc)
        rc = flush(x);
    if (!rc && x->options->reader)
        rc = carnet_sealed_end(&x->sealed);
    return rc;
}

carnet_rc carnet_people_export(struct carnet_replica *replica, const struct carnet_export_options *options, struct carnet_export_result *result,
                               struct carnet_err *err)
{
    struct carnet_member self;
    struct exporting *x = carnet_alloc(sizeof *x);
    char *community = carnet_strdup_slice(carnet_replica_community_name(replica));
    *result = (struct carnet_export_result){ 0 };
    *x = (struct exporting){ .replica = replica, .options = options, .result = result, .err = err };
    carnet_arena_init(&x->arena);
    carnet_buf_init(&x->out, 2 * CARNET_EXPORT_OUT_LEN_MAX);
    carnet_rc rc = check(x);
    if (!rc)
        rc = carnet_replica_member(replica, &carnet_replica_self(replica)->node, &self, err);
    if (!rc) {
        x->about = (struct carnet_export_about){ .community = *carnet_authority_community(carnet_replica_authority(replica)),
                                                 .node = carnet_replica_self(replica)->node, .community_name = carnet_slice_str(community),
                                                 .by = self.member[0] ? self.member : self.node, .at_ms = carnet_replica_wall_ms(replica),
                                                 .options = options };
        note_books(x);
        rc = write_all(x);
        carnet_rc recorded = !rc || x->result->contacts ? record_export(x, !rc) : CARNET_OK;
        rc = rc ? rc : recorded;
    }
    carnet_sealed_free(&x->sealed);
    if (x->out.ptr)
        carnet_wipe(x->out.ptr, x->out.cap);
    carnet_buf_deinit(&x->out);
    carnet_arena_deinit(&x->arena);
    free(x->columns.at);
    free(x->books);
    free(community);
    free(x);
    return rc;
}

/* --- opening what was sealed --- */

static void names_of(struct carnet_replica *replica, const struct carnet_sealed_head *head, struct carnet_buf *out)
{
    for (size_t i = 0; i < head->count; i++) {
        struct carnet_member member;
        carnet_rc rc = carnet_replica_member(replica, &head->nodes[i], &member, NULL);
        carnet_buf_append_str(out, i ? ", " : "");
        if (rc)
            carnet_buf_append_str(out, carnet_id_text(&head->nodes[i]).s);
        else
            carnet_buf_printf(out, "%s (%s)", member.member, member.node);
    }
}

carnet_rc carnet_export_record_unsealed(struct carnet_replica *replica, uint64_t bytes, struct carnet_slice reason, struct carnet_err *err)
{
    struct carnet_buf detail;
    carnet_buf_init(&detail, 65536);
    carnet_buf_printf(&detail, "unsealed in clear, %llu KiB: %.*s", (unsigned long long)(bytes + 1023) / 1024, (int)reason.len, (const char *)reason.ptr);
    carnet_rc rc = bytes ? carnet_audit_add(replica, CARNET_AUDIT_EXPORT, carnet_buf_slice(&detail), err) : carnet_audit_check(carnet_buf_slice(&detail), err);
    if (!rc && !bytes && detail.len > CARNET_AUDIT_DETAIL_LEN_MAX - 16)
        rc = carnet_err_set(err, CARNET_USAGE, "the reason is longer than the audit trail can hold");
    carnet_buf_deinit(&detail);
    return rc;
}

carnet_rc carnet_export_open(struct carnet_replica *replica, struct carnet_sealed_opener *opener, struct carnet_err *err)
{
    struct carnet_box_pk pk;
    struct carnet_box_sk sk;
    struct carnet_buf names;
    carnet_box_pair(carnet_replica_identity(replica)->box, &pk, &sk);
    carnet_rc rc = carnet_sealed_open(opener, &carnet_replica_self(replica)->node, &pk, &sk);
    carnet_wipe(&sk, sizeof sk);
    if (rc == CARNET_MALFORMED)
        return carnet_err_set(err, rc, "the sealed file is damaged or cut short");
    if (rc != CARNET_NOT_FOUND)
        return rc;
    if (!carnet_id_equal(&opener->head.community, carnet_authority_community(carnet_replica_authority(replica))))
        return carnet_err_set(err, CARNET_REFUSED, "the file is sealed for members of another community");
    carnet_buf_init(&names, 8192);
    names_of(replica, &opener->head, &names);
    carnet_err_set(err, CARNET_REFUSED, "the file is not sealed for this node, but for: %.150s", carnet_buf_cstr(&names));
    carnet_buf_deinit(&names);
    return CARNET_REFUSED;
}
