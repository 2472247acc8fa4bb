// SPDX-License-Identifier: EUPL-1.2
#include "carnet/log/authority.h"

#include "internal.h"

/* Rights are judged by what is signed, the header and the leaves, and by certificates that only grow in number: never
 * by what a node happens to hold of an entry, nor by the order in which things came. */

struct check {
    const struct carnet_authority *authority;
    const struct carnet_entry *entry;
    const struct carnet_cert *cert; /* the author's */
    bool charter;
    const char *why;
};

static carnet_rc refuse(struct check *check, const char *why)
{
    check->why = why;
    return CARNET_REFUSED;
}

static bool may(const struct check *check, uint32_t verbs)
{
    return check->cert->verbs & verbs;
}

static bool reads(const struct check *check, enum carnet_scope scope)
{
    return check->cert->reads >> scope & 1;
}

static bool own(const struct check *check, const struct carnet_change *change)
{
    return carnet_id_equal(&change->record, &check->entry->header.author);
}

/* A certificate that an entry carries: its author issued it, or the recovery key did. */
static carnet_rc check_carried(struct check *check, const struct carnet_change *change, struct carnet_slice raw)
{
    struct carnet_arena arena;
    struct carnet_cert cert;
    carnet_arena_init(&arena);
    carnet_rc rc = CARNET_OK;
    if (carnet_cert_decode(raw, &arena, &cert) != CARNET_OK)
        rc = refuse(check, "the certificate it carries is malformed");
    else if (!carnet_id_equal(&cert.community, carnet_authority_community(check->authority)) ||
             change->kind != CARNET_KIND_CERTIFICATE || !carnet_id_equal(&change->record, &cert.node))
        rc = refuse(check, "the certificate it carries is not its record's");
    else if (carnet_id_is_zero(&cert.issuer))
        rc = carnet_log_cert_verify(&cert, carnet_log_root(check->authority)) == CARNET_OK
                 ? CARNET_OK
                 : refuse(check, "the recovery key did not sign the certificate it carries");
    else if (!carnet_id_equal(&cert.issuer, &check->cert->hash))
        rc = refuse(check, "somebody else issued the certificate it carries");
    else if (carnet_log_cert_verify(&cert, &check->cert->sign) != CARNET_OK ||
             carnet_cert_within(&cert, check->cert) != CARNET_OK)
        rc = refuse(check, "the certificate it carries goes beyond its issuer's");
    carnet_arena_deinit(&arena);
    return rc;
}

static carnet_rc check_epoch(struct check *check, const struct carnet_event *event)
{
    if (!may(check, CARNET_VERB_INVITE | CARNET_VERB_CHARTER))
        return refuse(check, "its author may not open epochs");
    /* the charter has no sealed parts: its one epoch is the key of the suppression tags */
    bool tags = carnet_id_equal(&event->other, carnet_authority_community(check->authority));
    if (tags && (event->scope != CARNET_SCOPE_CONSENT || !may(check, CARNET_VERB_CHARTER)))
        return refuse(check, "an epoch of the charter");
    if (!carnet_cert_holds(check->cert, &event->other) || !reads(check, event->scope))
        return refuse(check, "an epoch of what its author does not read");
    if (event->epoch != carnet_log_number(&event->hash) || event->number == 0 ||
        event->number > CARNET_EPOCH_NUMBER_MAX)
        return refuse(check, "an epoch whose id or number cannot be");
    return CARNET_OK;
}

static carnet_rc check_charter_event(struct check *check, const struct carnet_change *change,
                                     const struct carnet_event *event)
{
    const struct carnet_cut_row *rows;
    size_t count;
    switch (event->type) {
    case CARNET_EVENT_GENESIS:
        return carnet_slice_equal(event->bytes, carnet_authority_genesis(check->authority))
                   ? CARNET_OK
                   : refuse(check, "the genesis of another community");
    case CARNET_EVENT_CERTIFICATE:
        return check_carried(check, change, event->bytes);
    case CARNET_EVENT_EPOCH:
        return check_epoch(check, event);
    case CARNET_EVENT_CUT:
        return carnet_log_cut_decode(event->bytes, NULL, &rows, &count) == CARNET_OK ? CARNET_OK
                                                                                     : refuse(check, "a malformed cut");
    case CARNET_EVENT_ADDRESS:
    case CARNET_EVENT_ALIVE:
    case CARNET_EVENT_RECEIPT:
        return own(check, change) ? CARNET_OK : refuse(check, "it speaks for another node");
    case CARNET_EVENT_SUPPRESS:
        return change->kind == CARNET_KIND_SUPPRESSION ? CARNET_OK : refuse(check, "tags in a record of another kind");
    case CARNET_EVENT_BOOK:
    case CARNET_EVENT_SETTING:
    case CARNET_EVENT_GRANT:
    case CARNET_EVENT_COUNTERSIGN:
    case CARNET_EVENT_WITHDRAW:
    case CARNET_EVENT_OBJECT:
    case CARNET_EVENT_RESTRICT:
    case CARNET_EVENT_LIFT:
    case CARNET_EVENT_DARK:
    case CARNET_EVENT_ERASE:
    case CARNET_EVENT_EDGE:
    case CARNET_EVENT_RECTIFY:
    case CARNET_EVENT_INVALIDATE:
    case CARNET_EVENT_INFORM:
        break;
    }
    return CARNET_OK;
}

static carnet_rc check_event(struct check *check, const struct carnet_change *change, struct carnet_slice raw)
{
    struct carnet_event event;
    carnet_rc rc = carnet_event_decode(raw, &event);
    if (rc == CARNET_NOT_FOUND) /* what this version does not know is kept, and blocks its record: not by who may do nothing */
        return check->cert->verbs || own(check, change) ? CARNET_OK : refuse(check, "an event by who has no verb");
    if (rc != CARNET_OK)
        return CARNET_MALFORMED;
    if (carnet_event_log(event.type) != check->entry->header.log)
        return refuse(check, "an event in the wrong log");
    if (event.type != CARNET_EVENT_RECEIPT && (event.type > CARNET_EVENT_RECEIPT) != check->charter)
        return refuse(check, "an event in the wrong book");
    uint32_t verb = carnet_event_verb(event.type);
    bool told = event.type == CARNET_EVENT_INFORM && may(check, CARNET_VERB_DELIVER); /* by the message itself */
    if (event.type != CARNET_EVENT_EPOCH && verb && !told && !may(check, verb))
        return refuse(check, "an event that its author's certificate does not allow");
    if (event.type == CARNET_EVENT_GRANT && event.proof > CARNET_PROOF_PAPER && !may(check, CARNET_VERB_DELIVER))
        return refuse(check, "a proof that only who sends and receives messages can have");
    if (event.type == CARNET_EVENT_DARK && !reads(check, event.scope))
        return refuse(check, "a darkening of a scope that its author does not read");
    if ((event.type == CARNET_EVENT_DARK || event.type == CARNET_EVENT_ERASE) && change->kind != CARNET_KIND_CONTACT)
        return refuse(check, "keys are a contact's: nothing else is darkened or erased");
    return check_charter_event(check, change, &event);
}

/* Kinds of the charter in the charter, by whom they concern; the others elsewhere. Kinds of a newer version are kept.
 */
static carnet_rc check_kind(struct check *check, const struct carnet_change *change)
{
    bool allowed = true;
    if ((unsigned)change->kind >= CARNET_KIND_NOBODY_FIRST && (unsigned)change->kind <= CARNET_KIND_NOBODY_LAST) {
        if (check->charter)
            return refuse(check, "a kind of record that the charter does not hold");
        return may(check, CARNET_VERB_ADD | CARNET_VERB_EDIT) ? CARNET_OK : refuse(check, "its author may not write records");
    }
    if (change->kind > CARNET_KIND_SUPPRESSION || (change->kind > CARNET_KIND_POST && change->kind < CARNET_KIND_RECEIPT))
        return CARNET_OK;
    switch (change->kind) {
    case CARNET_KIND_CONTACT:
    case CARNET_KIND_NOTE:
    case CARNET_KIND_VISIT:
    case CARNET_KIND_EVENT:
    case CARNET_KIND_MAILING:
    case CARNET_KIND_DELIVERY:
    case CARNET_KIND_POST:
    case CARNET_KIND_IMPORT:
        return check->charter ? refuse(check, "a kind of record that the charter does not hold") : CARNET_OK;
    case CARNET_KIND_RECEIPT:
        return own(check, change) ? CARNET_OK : refuse(check, "it speaks for another node");
    case CARNET_KIND_CERTIFICATE:
        allowed = may(check, CARNET_VERB_INVITE);
        break;
    case CARNET_KIND_EPOCH:
        allowed = may(check, CARNET_VERB_INVITE | CARNET_VERB_CHARTER);
        break;
    case CARNET_KIND_BOOK:
    case CARNET_KIND_SETTING:
        allowed = may(check, CARNET_VERB_CHARTER);
        break;
    case CARNET_KIND_NODE:
        allowed = own(check, change);
        break;
    case CARNET_KIND_SUPPRESSION:
        allowed = may(check, CARNET_VERB_DELIVER);
        break;
    }
    if (!check->charter)
        return refuse(check, "a kind of record that only the charter holds");
    return allowed ? CARNET_OK : refuse(check, "a record that its author's certificate does not give");
}

static uint32_t writer_verbs(const struct carnet_change *change, enum carnet_scope scope)
{
    uint32_t verbs = CARNET_VERB_ADD | CARNET_VERB_EDIT;
    if (scope == CARNET_SCOPE_CONSENT)
        verbs |= CARNET_VERB_GRANT | CARNET_VERB_REFUSE; /* the evidence beside the event */
    if (change->kind == CARNET_KIND_MAILING || change->kind == CARNET_KIND_DELIVERY || change->kind == CARNET_KIND_POST)
        verbs |= CARNET_VERB_DELIVER;
    return verbs;
}

static bool writes(const struct check *check, enum carnet_scope scope)
{
    return CARNET_PLANTED(5) || (check->cert->writes >> scope & 1);
}

/* Names and the like: nobody takes away what another one wrote. */
static carnet_rc check_clear(struct check *check, const struct carnet_change *change, const struct carnet_part *part)
{
    struct carnet_reader r;
    uint64_t author = carnet_id_head(&check->entry->header.author);
    if (!check->charter)
        return refuse(check, "clear cells outside the charter");
    if (!own(check, change) && !may(check, CARNET_VERB_INVITE | CARNET_VERB_CHARTER))
        return refuse(check, "clear cells of a record that is not its author's");
    carnet_reader_init(&r, part->contexts);
    for (size_t cells = carnet_reader_array(&r); cells > 0; cells--)
        for (size_t dots = carnet_reader_array(&r); dots > 0; dots--)
            if (carnet_dot_read(&r).author != author)
                return refuse(check, "a clear cell that replaces somebody else's");
    return CARNET_OK;
}

static carnet_rc check_part(struct check *check, const struct carnet_change *change, const struct carnet_part *part)
{
    switch (part->type) {
    case CARNET_PART_CLEAR:
        return check_clear(check, change, part);
    case CARNET_PART_BOX:
        if (!check->charter)
            return refuse(check, "a boxed key outside the charter");
        if (!may(check, CARNET_VERB_INVITE | CARNET_VERB_CHARTER) || !reads(check, part->scope))
            return refuse(check, "a boxed key that its author does not give");
        return CARNET_OK;
    case CARNET_PART_SEED:
        if (!check->charter && part->scope == CARNET_SCOPE_CONSENT && may(check, CARNET_VERB_GRANT | CARNET_VERB_REFUSE))
            return CARNET_OK; /* it comes with a contact's first event */
        break;
    case CARNET_PART_SEALED:
        break;
    }
    if (check->charter)
        return refuse(check, "sealed parts in the charter");
    if (!writes(check, part->scope))
        return refuse(check, "a scope that its author does not write");
    return may(check, writer_verbs(change, part->scope)) ? CARNET_OK
                                                         : refuse(check, "its author may not write records");
}

static carnet_rc check_change(struct check *check, const struct carnet_change *change)
{
    carnet_rc rc = check_kind(check, change);
    if (rc == CARNET_OK && change->event_count + change->part_count == 0 && !own(check, change) && !may(check, CARNET_VERB_ADD | CARNET_VERB_EDIT))
        rc = refuse(check, "its author may not write records"); /* even empty, a change says that the record is there, and of what kind */
    for (size_t i = 0; i < change->event_count && rc == CARNET_OK; i++)
        rc = check_event(check, change, change->events[i]);
    for (size_t i = 0; i < change->part_count && rc == CARNET_OK; i++)
        rc = check_part(check, change, &change->parts[i]);
    return rc;
}

/* The founder's first entry carries its author's own certificate, signed by the recovery key: nobody could have brought
 * it before. */
static const struct carnet_cert *find_inside(const struct check *check, struct carnet_arena *arena,
                                             struct carnet_cert *out)
{
    const struct carnet_entry *entry = check->entry;
    if (!check->charter || entry->header.seq != 1)
        return NULL;
    for (size_t i = 0; i < entry->change_count; i++) {
        for (size_t j = 0; j < entry->changes[i].event_count; j++) {
            struct carnet_event event;
            if (carnet_event_peek(entry->changes[i].events[j]) == CARNET_EVENT_CERTIFICATE &&
                carnet_event_decode(entry->changes[i].events[j], &event) == CARNET_OK &&
                carnet_cert_decode(event.bytes, arena, out) == CARNET_OK &&
                carnet_id_equal(&out->hash, &entry->header.cert) && carnet_id_is_zero(&out->issuer) &&
                carnet_log_cert_verify(out, carnet_log_root(check->authority)) == CARNET_OK)
                return out;
        }
    }
    return NULL;
}

static carnet_rc check_entry(struct check *check)
{
    const struct carnet_entry *entry = check->entry;
    if (!carnet_id_equal(&check->cert->node, &entry->header.author))
        return refuse(check, "another node's certificate");
    if (carnet_entry_verify(entry, &check->cert->sign) != CARNET_OK) {
        check->why = "its signature is not its author's";
        return CARNET_MALFORMED;
    }
    if (!carnet_cert_holds(check->cert, &entry->header.book))
        return refuse(check, "a book that its author does not hold");
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; i < entry->change_count && rc == CARNET_OK; i++)
        rc = check_change(check, &entry->changes[i]);
    return rc;
}

carnet_rc carnet_authority_check(const struct carnet_authority *authority, const struct carnet_entry *entry,
                                 const char **why)
{
    struct carnet_arena arena;
    struct carnet_cert inside;
    struct check check = {.authority = authority, .entry = entry, .why = ""};
    carnet_rc rc;
    carnet_arena_init(&arena);
    check.charter = carnet_id_equal(&entry->header.book, &entry->header.community);
    check.cert = carnet_authority_find(authority, &entry->header.cert);
    if (!carnet_id_equal(&entry->header.community, carnet_authority_community(authority))) {
        rc = refuse(&check, "another community");
    } else if (!check.cert && !(check.cert = find_inside(&check, &arena, &inside))) {
        check.why = "its author's certificate is not known yet";
        rc = CARNET_AGAIN;
    } else {
        rc = check_entry(&check);
    }
    carnet_arena_deinit(&arena);
    if (why)
        *why = check.why;
    return rc;
}
