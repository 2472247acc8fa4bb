// SPDX-License-Identifier: EUPL-1.2
#include "carnet/model/consent.h"

#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = { "none", "requested", "given", "renewed", "expired", "withdrawn", "objected", "refused", "invalidated" };

const char *carnet_consent_state_name(enum carnet_consent_state state)
{
    CARNET_ASSERT((size_t)state < sizeof state_names / sizeof *state_names);
    return state_names[state];
}

/* One grant, countersign, refusal or invalidation; the dots that it names are read again from its bytes when they are asked for. */
struct fact {
    const struct carnet_event_item *item;
    struct carnet_slice purpose;
    int64_t since_ms, until_ms;
    uint64_t version;
    size_t name_count;
    enum carnet_event_type type;
    enum carnet_basis basis;
    enum carnet_proof proof;
    bool own; /* on the record asked about, not on one merged with it */
};
enum { FACTS_FEW = 16 };
struct fact_list {
    struct fact few[FACTS_FEW];
    struct fact *all;
    size_t count, cap;
};
struct facts {
    struct fact_list grants;
    struct fact_list acts; /* all others, apart: a record full of grants is looked through once, not once for each of them */
    size_t invalidations, suppressions;
    int64_t contact_ms; /* the person's last own contact that a grant tells of; INT64_MIN: none */
    bool blocked; /* erased, restricted or not understood, one of them */
};

static void add_fact(struct fact_list *list, const struct fact *fact)
{
    if (list->count == list->cap) {
        size_t cap = list->cap * 2;
        struct fact *all = carnet_realloc(list->all == list->few ? NULL : list->all, cap, sizeof *all);
        if (list->all == list->few)
            memcpy(all, list->few, sizeof list->few);
        list->all = all;
        list->cap = cap;
    }
    list->all[list->count++] = *fact;
}

static void gather_record(struct facts *facts, const struct carnet_record *record, bool own, bool tags)
{
    if (record->erased || carnet_consent_restricted(record))
        facts->blocked = true;
    for (size_t i = 0; i < record->event_count; i++) {
        const struct carnet_event_item *item = &record->events[i];
        struct carnet_event event;
        uint64_t type = carnet_event_peek(item->raw);
        if (type > CARNET_EVENT_OBJECT && type <= CARNET_EVENT_RECTIFY)
            continue; /* known, and nothing of ours */
        if (type == CARNET_EVENT_INVALIDATE && !own)
            continue; /* it speaks of grants of its own record */
        if (carnet_event_decode(item->raw, &event) != CARNET_OK) {
            facts->blocked = true; /* a newer version may have said no */
            continue;
        }
        if (type > CARNET_EVENT_OBJECT && type != CARNET_EVENT_INFORM && type != CARNET_EVENT_INVALIDATE && (type != CARNET_EVENT_SUPPRESS || !tags))
            continue;
        facts->suppressions += type == CARNET_EVENT_SUPPRESS;
        facts->invalidations += type == CARNET_EVENT_INVALIDATE;
        const struct fact fact = { .item = item,
                                   .purpose = event.purpose,
                                   .since_ms = event.since_ms,
                                   .until_ms = event.until_ms,
                                   .version = event.version,
                                   .name_count = event.name_count,
                                   .type = event.type,
                                   .basis = event.basis,
                                   .proof = event.proof,
                                   .own = own };
        add_fact(type == CARNET_EVENT_GRANT ? &facts->grants : &facts->acts, &fact);
    }
}

static void release(struct facts *facts)
{
    if (facts->grants.all != facts->grants.few)
        free(facts->grants.all);
    if (facts->acts.all != facts->acts.few)
        free(facts->acts.all);
}

static bool names(const struct fact *fact, const struct carnet_dot *dot)
{
    struct carnet_event event;
    if (fact->name_count == 0 || carnet_event_decode(fact->item->raw, &event) != CARNET_OK)
        return false;
    for (size_t i = 0; i < event.name_count; i++)
        if (carnet_dot_equal(&event.names[i], dot))
            return true;
    return false;
}

static bool refuses(const struct fact *fact, struct carnet_slice purpose)
{
    return (fact->type == CARNET_EVENT_WITHDRAW || fact->type == CARNET_EVENT_OBJECT) &&
           (fact->purpose.len == 0 || carnet_slice_equal(fact->purpose, purpose));
}

static bool is_newer(const struct carnet_event_item *a, const struct carnet_event_item *b)
{
    return a->hlc != b->hlc ? a->hlc > b->hlc : carnet_dot_compare(&a->dot, &b->dot) > 0;
}

/* A refusal wins over every grant that does not name it, whatever the order or the clocks. */
static bool is_refused(const struct facts *facts, const struct fact *grant)
{
    for (size_t i = 0; i < facts->acts.count; i++) {
        const struct fact *refusal = &facts->acts.all[i];
        if (!refuses(refusal, grant->purpose))
            continue;
        if (CARNET_PLANTED(3) && grant->item->hlc > refusal->item->hlc)
            continue; /* planted: a later grant beats a refusal that it does not name */
        if (!names(grant, &refusal->item->dot))
            return true;
    }
    return false;
}

static bool is_from_itself(const struct fact *grant)
{
    return grant->proof == CARNET_PROOF_DOUBLE_OPT_IN || grant->proof == CARNET_PROOF_INBOUND;
}

/* A grant over a refusal needs fresh proof: double opt-in, an inbound message, or paper that another author confirms. hlc: when it had it. */
static bool find_proof(const struct facts *facts, const struct fact *grant, uint64_t *hlc)
{
    bool found = is_from_itself(grant);
    *hlc = found ? grant->item->hlc : 0;
    for (size_t i = 0; grant->proof == CARNET_PROOF_PAPER && i < facts->acts.count; i++) {
        const struct fact *fact = &facts->acts.all[i];
        if (fact->type != CARNET_EVENT_COUNTERSIGN || !fact->own || fact->item->dot.author == grant->item->dot.author || !names(fact, &grant->item->dot))
            continue;
        found = true;
        *hlc = fact->item->hlc > *hlc ? fact->item->hlc : *hlc;
    }
    return found;
}

static bool is_proved(const struct facts *facts, const struct fact *grant)
{
    uint64_t hlc;
    return grant->name_count == 0 || find_proof(facts, grant, &hlc);
}

/* Does the grant answer a refusal that the person itself expressed? */
static bool answers(const struct facts *facts, const struct fact *grant)
{
    for (size_t i = 0; grant->name_count && i < facts->acts.count; i++)
        if (refuses(&facts->acts.all[i], grant->purpose) && names(grant, &facts->acts.all[i].item->dot))
            return true;
    return false;
}

/* What the suppression list says of a purpose, or of all: the latest. NULL: nothing. */
static const struct fact *find_suppression(const struct facts *facts, struct carnet_slice purpose)
{
    const struct fact *found = NULL;
    for (size_t i = 0; facts->suppressions && i < facts->acts.count; i++) {
        const struct fact *fact = &facts->acts.all[i];
        if (fact->type == CARNET_EVENT_SUPPRESS && (fact->purpose.len == 0 || carnet_slice_equal(fact->purpose, purpose)) &&
            (!found || fact->item->hlc > found->item->hlc))
            found = fact;
    }
    return found;
}

/* An address of the person was refused, perhaps by somebody who is not known here: only what that person could say later passes. */
static bool is_suppressed(const struct facts *facts, const struct fact *grant)
{
    const struct fact *list = find_suppression(facts, grant->purpose);
    uint64_t proved;
    if (!list || CARNET_PLANTED(31)) /* planted: the suppression list refuses nothing */
        return false;
    if (!is_from_itself(grant) && !answers(facts, grant))
        return true;
    return find_proof(facts, grant, &proved) && proved <= list->item->hlc; /* without proof it is requested, not refused */
}

static int64_t after(int64_t ms, int64_t delay_ms)
{
    return ms > INT64_MAX - delay_ms ? INT64_MAX : ms + delay_ms;
}

/* When somebody found that the grant was worth nothing: the latest hlc; 0: nobody. */
static uint64_t invalidated_at(const struct facts *facts, const struct fact *grant)
{
    uint64_t hlc = 0;
    for (size_t i = 0; facts->invalidations && i < facts->acts.count; i++) {
        const struct fact *fact = &facts->acts.all[i];
        if (fact->type == CARNET_EVENT_INVALIDATE && fact->item->hlc >= hlc && names(fact, &grant->item->dot))
            hlc = fact->item->hlc ? fact->item->hlc : 1;
    }
    return hlc;
}

static void gather_from(struct facts *facts, const struct carnet_record *const *person, size_t count, bool tags)
{
    facts->grants.all = facts->grants.few;
    facts->acts.all = facts->acts.few;
    facts->grants.cap = facts->acts.cap = FACTS_FEW;
    facts->grants.count = facts->acts.count = facts->invalidations = facts->suppressions = 0;
    facts->contact_ms = INT64_MIN;
    facts->blocked = false;
    for (size_t i = 0; i < count; i++)
        gather_record(facts, person[i], i == 0, tags);
    for (size_t i = 0; i < facts->grants.count; i++) {
        const struct fact *grant = &facts->grants.all[i];
        if (grant->basis == CARNET_BASIS_ROLL || invalidated_at(facts, grant)) /* a roll is no word of theirs, nor is what was worth nothing */
            continue;
        int64_t written_ms = carnet_hlc_ms(grant->item->hlc), at_ms = grant->since_ms > 0 && grant->since_ms < written_ms ? grant->since_ms : written_ms;
        facts->contact_ms = at_ms > facts->contact_ms ? at_ms : facts->contact_ms;
    }
}

static void gather(struct facts *facts, const struct carnet_record *const *person, size_t count)
{
    gather_from(facts, person, count, true);
}

/* One record by what was said on it alone: nothing is destroyed for a merge, or for what somebody with the same address refused. */
static void gather_own(struct facts *facts, const struct carnet_record *record)
{
    gather_from(facts, &record, 1, false);
}

/* When the grant ends by itself: with its date, or when the person has been silent for too long (a member is one until they leave; a roll ends with its date).
 * INT64_MAX: never. */
static int64_t ends_at(const struct carnet_charter *charter, const struct facts *facts, const struct fact *grant)
{
    int64_t end_ms = grant->until_ms ? grant->until_ms : INT64_MAX;
    if (grant->basis == CARNET_BASIS_ROLL || grant->basis == CARNET_BASIS_MEMBER || facts->contact_ms == INT64_MIN)
        return end_ms;
    const struct carnet_purpose_def *purpose = carnet_purpose_version(charter, grant->purpose, grant->version);
    int64_t keep_ms = charter ? charter->contact_ms : carnet_charter_default().contact_ms;
    if (purpose && purpose->keep_ms && purpose->keep_ms < keep_ms)
        keep_ms = purpose->keep_ms;
    int64_t silent_ms = after(facts->contact_ms, keep_ms);
    return silent_ms < end_ms ? silent_ms : end_ms;
}

/* Until when the person must have been told of the data that this grant is for, which do not come from them. INT64_MAX: they were, or need not be. */
static int64_t inform_by(const struct carnet_charter *charter, const struct facts *facts, const struct fact *grant)
{
    if (grant->basis != CARNET_BASIS_LEGITIMATE_INTEREST || carnet_slice_equal(grant->purpose, carnet_slice_str("file")))
        return INT64_MAX;
    for (size_t i = 0; i < facts->acts.count; i++)
        if (facts->acts.all[i].type == CARNET_EVENT_INFORM && names(&facts->acts.all[i], &grant->item->dot))
            return INT64_MAX;
    return after(carnet_hlc_ms(grant->item->hlc), charter ? charter->inform_ms : carnet_charter_default().inform_ms);
}

/* What one grant is worth, worst first. */
enum worth { INVALIDATED, REFUSED, EXPIRED, UNTOLD, REQUESTED, LIVE };

static enum worth weigh(const struct carnet_charter *charter, const struct facts *facts, const struct fact *grant, int64_t now_ms)
{
    if (invalidated_at(facts, grant) && !CARNET_PLANTED(51)) /* planted: what was found to be worth nothing opens */
        return INVALIDATED;
    if (is_refused(facts, grant) || is_suppressed(facts, grant))
        return REFUSED;
    if (ends_at(charter, facts, grant) <= now_ms)
        return EXPIRED;
    if (!is_proved(facts, grant))
        return REQUESTED;
    if (CARNET_PLANTED(55))
        return LIVE; /* planted: whom nobody told is reached all the same */
    return inform_by(charter, facts, grant) <= now_ms ? UNTOLD : LIVE;
}

static bool is_grant(const struct fact *fact)
{
    return fact->own && fact->type == CARNET_EVENT_GRANT;
}

/* The refusal that decided: an objection before withdrawals, then the newest. */
static const struct fact *find_refusal(const struct facts *facts, struct carnet_slice purpose)
{
    const struct fact *found = NULL;
    for (size_t i = 0; i < facts->acts.count; i++) {
        const struct fact *fact = &facts->acts.all[i];
        if (!refuses(fact, purpose))
            continue;
        if (!found || (fact->type != found->type ? fact->type == CARNET_EVENT_OBJECT : is_newer(fact->item, found->item)))
            found = fact;
    }
    return found;
}

/* By the definition that it was given under, whatever the purpose has become since; of a version that nobody knows: nothing. */
static uint32_t covered(const struct carnet_charter *charter, const struct fact *grant)
{
    const struct carnet_purpose_def *purpose = carnet_purpose_version(charter, grant->purpose, grant->version);
    if (CARNET_PLANTED(25))
        purpose = carnet_purpose_find(charter, grant->purpose); /* planted: it covers what the purpose has become */
    return purpose ? purpose->scopes : 0;
}

/* Would some grant stand, but for the suppression list? */
static bool stands_without_list(const struct facts *facts, struct carnet_slice purpose)
{
    for (size_t i = 0; i < facts->grants.count; i++) {
        const struct fact *fact = &facts->grants.all[i];
        if (is_grant(fact) && carnet_slice_equal(fact->purpose, purpose) && !is_refused(facts, fact) && !invalidated_at(facts, fact))
            return true;
    }
    return false;
}

static struct carnet_consent evaluate(const struct carnet_charter *charter, const struct facts *facts, struct carnet_slice purpose, int64_t now_ms)
{
    struct carnet_consent out = { .state = CARNET_CONSENT_NONE };
    const struct fact *best = NULL, *newest = NULL;
    enum worth worth = INVALIDATED;
    size_t grants = 0, proved = 0;
    for (size_t i = 0; i < facts->grants.count; i++) {
        const struct fact *fact = &facts->grants.all[i];
        if (!is_grant(fact) || !carnet_slice_equal(fact->purpose, purpose))
            continue;
        enum worth this = weigh(charter, facts, fact, now_ms);
        grants += this != INVALIDATED;
        proved += is_proved(facts, fact);
        if (this == LIVE && !facts->blocked)
            out.scopes |= covered(charter, fact);
        if (!newest || is_newer(fact->item, newest->item))
            newest = fact;
        if (!best || this > worth || (this == worth && is_newer(fact->item, best->item))) {
            best = fact;
            worth = this;
        }
    }
    if (newest) {
        out.basis = newest->basis;
        out.version = newest->version;
    }
    const struct fact *refusal = !best || worth <= REFUSED ? find_refusal(facts, purpose) : NULL;
    const struct fact *list = !best || worth <= REFUSED ? find_suppression(facts, purpose) : NULL;
    out.suppressed = list && (!refusal || stands_without_list(facts, purpose));
    refusal = out.suppressed ? list : refusal;
    if (!best || worth == REFUSED || refusal) {
        if (refusal) {
            out.state = refusal->type != CARNET_EVENT_WITHDRAW ? CARNET_CONSENT_OBJECTED : proved ? CARNET_CONSENT_WITHDRAWN : CARNET_CONSENT_REFUSED;
            out.dot = refusal->item->dot;
            out.since_ms = carnet_hlc_ms(refusal->item->hlc);
        }
        return out;
    }
    out.dot = best->item->dot;
    out.since_ms = best->since_ms;
    out.until_ms = best->until_ms;
    int64_t end_ms = ends_at(charter, facts, best), told_ms = inform_by(charter, facts, best);
    out.ends_ms = end_ms == INT64_MAX ? 0 : end_ms;
    out.inform_by_ms = told_ms == INT64_MAX ? 0 : told_ms;
    if (worth == LIVE) {
        out.state = grants > 1 || best->name_count > 0 ? CARNET_CONSENT_RENEWED : CARNET_CONSENT_GIVEN;
        out.live = !facts->blocked;
    } else if (worth == INVALIDATED) {
        out.state = CARNET_CONSENT_INVALIDATED;
    } else {
        out.state = worth == EXPIRED ? CARNET_CONSENT_EXPIRED : CARNET_CONSENT_REQUESTED;
    }
    return out;
}

struct carnet_consent carnet_consent_evaluate(const struct carnet_charter *charter, const struct carnet_record *const *person, size_t count,
                                              struct carnet_slice purpose, int64_t now_ms)
{
    struct facts facts;
    gather(&facts, person, count);
    struct carnet_consent out = evaluate(charter, &facts, purpose, now_ms);
    release(&facts);
    return out;
}

bool carnet_consent_blocked(const struct carnet_record *record)
{
    struct facts facts;
    gather(&facts, &record, 1);
    release(&facts);
    return facts.blocked;
}

uint32_t carnet_consent_open(const struct carnet_charter *charter, const struct carnet_record *const *person, size_t count, int64_t now_ms)
{
    struct facts facts;
    uint32_t open = 1u << CARNET_SCOPE_CONSENT;
    gather(&facts, person, count);
    for (size_t i = 0; i < facts.grants.count && !facts.blocked; i++) {
        const struct fact *fact = &facts.grants.all[i];
        if (is_grant(fact) && (covered(charter, fact) & ~open) && weigh(charter, &facts, fact, now_ms) == LIVE)
            open |= covered(charter, fact);
    }
    if (facts.blocked)
        open = 0;
    release(&facts);
    return open;
}

static int compare_dots(const void *a, const void *b)
{
    return carnet_dot_compare(a, b);
}

/* Every dot that events of this type name, ordered. */
struct named {
    struct carnet_dot *dots;
    size_t count, cap;
};

static void gather_named(struct named *named, const struct carnet_record *record, enum carnet_event_type type)
{
    *named = (struct named){ 0 };
    for (size_t i = 0; i < record->event_count; i++) {
        struct carnet_event event;
        if (carnet_event_peek(record->events[i].raw) != type || carnet_event_decode(record->events[i].raw, &event) != CARNET_OK)
            continue;
        for (size_t j = 0; j < event.name_count; j++) {
            CARNET_GROW(named->dots, named->count, named->cap);
            named->dots[named->count++] = event.names[j];
        }
    }
    if (named->count)
        qsort(named->dots, named->count, sizeof *named->dots, compare_dots);
}

static bool is_named(const struct named *named, const struct carnet_dot *dot)
{
    return named->count && bsearch(dot, named->dots, named->count, sizeof *named->dots, compare_dots);
}

bool carnet_consent_restricted(const struct carnet_record *record)
{
    struct named lifted;
    bool any = false, restricted = false;
    for (size_t i = 0; i < record->event_count; i++)
        any |= carnet_event_peek(record->events[i].raw) == CARNET_EVENT_RESTRICT;
    if (!any)
        return false;
    gather_named(&lifted, record, CARNET_EVENT_LIFT);
    for (size_t i = 0; i < record->event_count; i++)
        restricted |= carnet_event_peek(record->events[i].raw) == CARNET_EVENT_RESTRICT && !is_named(&lifted, &record->events[i].dot);
    free(lifted.dots);
    return restricted;
}

size_t carnet_consent_refusals(const struct carnet_record *record, struct carnet_slice purpose, struct carnet_dot *out, size_t max)
{
    const struct carnet_record *person[] = { record };
    struct facts facts;
    size_t count = 0;
    gather(&facts, person, 1);
    for (size_t i = 0; i < facts.acts.count && count < max; i++)
        if (refuses(&facts.acts.all[i], purpose))
            out[count++] = facts.acts.all[i].item->dot;
    release(&facts);
    return count;
}

/* The latest refusal of a purpose; 0: none. */
static uint64_t refused_at(const struct facts *facts, struct carnet_slice purpose)
{
    uint64_t hlc = 0;
    for (size_t i = 0; i < facts->acts.count; i++)
        if (refuses(&facts->acts.all[i], purpose) && facts->acts.all[i].item->hlc > hlc)
            hlc = facts->acts.all[i].item->hlc;
    return hlc;
}

/* Restricted or not understood, a record is neither open nor closed: nothing may be destroyed. */
static uint64_t closed_at(const struct carnet_charter *charter, const struct facts *facts, enum carnet_scope scope, int64_t now_ms)
{
    uint64_t closed = 0;
    for (size_t i = 0; i < facts->grants.count && !facts->blocked; i++) {
        const struct fact *fact = &facts->grants.all[i];
        uint64_t hlc = 0;
        if (!is_grant(fact) || !(covered(charter, fact) & 1u << scope))
            continue;
        switch (weigh(charter, facts, fact, now_ms)) {
        case LIVE:
        case UNTOLD: /* telling the person opens it again: nothing is destroyed meanwhile */
            return 0;
        case EXPIRED:
            hlc = (uint64_t)ends_at(charter, facts, fact) << 16;
            break;
        case REQUESTED:
        case REFUSED:
            hlc = refused_at(facts, fact->purpose);
            break;
        case INVALIDATED:
            hlc = invalidated_at(facts, fact);
            if (refused_at(facts, fact->purpose) > hlc)
                hlc = refused_at(facts, fact->purpose);
            break;
        }
        if (hlc > closed)
            closed = hlc;
    }
    return closed;
}

uint64_t carnet_consent_closed_at(const struct carnet_charter *charter, const struct carnet_record *record, enum carnet_scope scope, int64_t now_ms)
{
    struct facts facts;
    gather_own(&facts, record);
    uint64_t closed = closed_at(charter, &facts, scope, now_ms);
    release(&facts);
    return closed;
}

static void sooner(int64_t *due_ms, int64_t ms)
{
    if (*due_ms == 0 || ms < *due_ms)
        *due_ms = ms;
}

int64_t carnet_consent_due(const struct carnet_charter *charter, const struct carnet_record *const *person, size_t count, bool darkens, int64_t now_ms)
{
    struct facts facts;
    int64_t due_ms = 0;
    CARNET_ASSERT(count > 0);
    gather(&facts, person, count);
    for (size_t i = 0; i < facts.grants.count; i++) {
        const struct fact *fact = &facts.grants.all[i];
        if (!is_grant(fact) || weigh(charter, &facts, fact, now_ms) <= REFUSED)
            continue;
        int64_t end_ms = ends_at(charter, &facts, fact), told_ms = inform_by(charter, &facts, fact);
        if (end_ms > now_ms && end_ms != INT64_MAX)
            sooner(&due_ms, end_ms);
        if (told_ms > now_ms && told_ms != INT64_MAX)
            sooner(&due_ms, told_ms);
    }
    release(&facts);
    if (!darkens)
        return due_ms;

    const int64_t dark_after_ms = charter ? charter->dark_after_ms : carnet_charter_default().dark_after_ms;
    uint32_t sealed = 0; /* scopes that a destroyed seed would shut */
    for (size_t i = 0; i < person[0]->seed_count; i++)
        if (!person[0]->seeds[i].dead)
            sealed |= 1u << person[0]->seeds[i].scope;
    gather_own(&facts, person[0]); /* merging is undone at will: what it blocks is never destroyed for it */
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_CONSENT; scope++) {
        uint64_t closed = sealed & 1u << scope ? closed_at(charter, &facts, (enum carnet_scope)scope, now_ms) : 0;
        if (closed)
            sooner(&due_ms, carnet_hlc_ms(closed) + dark_after_ms);
    }
    release(&facts);
    return due_ms;
}

static int compare_ids(const void *a, const void *b)
{
    return carnet_id_compare(a, b);
}

size_t carnet_consent_edges(const struct carnet_record *record, struct carnet_id *out, size_t max)
{
    struct named replaced;
    struct carnet_id *others = NULL;
    size_t other_count = 0, cap = 0, count = 0;
    bool any = false;
    for (size_t i = 0; i < record->event_count; i++)
        any |= carnet_event_peek(record->events[i].raw) == CARNET_EVENT_EDGE;
    if (!any)
        return 0;
    gather_named(&replaced, record, CARNET_EVENT_EDGE);
    for (size_t i = 0; i < record->event_count; i++) {
        struct carnet_event event;
        if (carnet_event_peek(record->events[i].raw) != CARNET_EVENT_EDGE || is_named(&replaced, &record->events[i].dot) ||
            carnet_event_decode(record->events[i].raw, &event) != CARNET_OK || !event.on)
            continue; /* one live edge is enough: a merge and its undoing, unseen by each other, stay merged */
        CARNET_GROW(others, other_count, cap);
        others[other_count++] = event.other;
    }
    if (other_count)
        qsort(others, other_count, sizeof *others, compare_ids);
    for (size_t i = 0; i < other_count && count < max; i++)
        if (i == 0 || compare_ids(&others[i - 1], &others[i]) != 0)
            out[count++] = others[i];
    free(others);
    free(replaced.dots);
    return count;
}

size_t carnet_consent_tops(const struct carnet_record *const *person, size_t count, size_t *out)
{
    uint64_t reach[CARNET_CONSENT_PERSON_MAX] = { 0 };
    size_t tops = 0;
    CARNET_ASSERT(count <= CARNET_CONSENT_PERSON_MAX);
    for (size_t i = 0; i < count; i++) {
        struct carnet_id others[CARNET_CONSENT_PERSON_MAX];
        size_t other_count = carnet_consent_edges(person[i], others, CARNET_CONSENT_PERSON_MAX);
        for (size_t j = 0; j < count; j++)
            for (size_t k = 0; k < other_count; k++)
                if (carnet_id_equal(&person[j]->id, &others[k]))
                    reach[i] |= UINT64_C(1) << j;
    }
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < count; i++)
            if (reach[i] >> k & 1)
                reach[i] |= reach[k];
    for (size_t i = 0; i < count; i++) {
        bool top = true;
        for (size_t j = 0; j < count; j++) {
            bool from = reach[j] >> i & 1, to = reach[i] >> j & 1;
            top = top && (!from || to || i == j);
            if (from && to && carnet_id_compare(&person[j]->id, &person[i]->id) < 0)
                top = false; /* of a cycle, the smallest id */
        }
        if (top)
            out[tops++] = i;
    }
    return tops;
}

size_t carnet_consent_main(const struct carnet_record *const *person, size_t count)
{
    size_t tops[CARNET_CONSENT_PERSON_MAX], top_count = carnet_consent_tops(person, count, tops), best = 0;
    unsigned best_rank = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned rank = 1u + 2u * (!person[i]->erased && carnet_id_equal(&person[i]->subject, &person[i]->id));
        for (size_t j = 0; j < top_count; j++)
            rank += tops[j] == i;
        if (rank > best_rank || (rank == best_rank && carnet_id_compare(&person[i]->id, &person[best]->id) < 0)) {
            best = i;
            best_rank = rank;
        }
    }
    return best;
}

uint64_t carnet_hlc_next(uint64_t last, int64_t wall_ms)
{
    const int64_t wall_ms_max = (INT64_C(1) << 48) - 1;
    uint64_t wall = wall_ms <= 0 ? 0 : (uint64_t)(wall_ms < wall_ms_max ? wall_ms : wall_ms_max) << 16;
    if (wall > last)
        return wall;
    return last == UINT64_MAX ? last : last + 1;
}

int64_t carnet_hlc_ms(uint64_t hlc)
{
    return (int64_t)(hlc >> 16);
}
