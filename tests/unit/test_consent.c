// SPDX-License-Identifier: EUPL-1.2
#include "carnet/model/consent.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct carnet_arena arena;
static const int64_t day_ms = 86400000;
static const int64_t now_ms = 1764000000000;

enum author { OFFICE = 1, VOLUNTEER, OTHER };

static struct carnet_dot dot(enum author author, unsigned seq)
{
    return (struct carnet_dot){ .author = (uint64_t)author, .stream = 0, .seq = seq, .index = 0 };
}

static struct carnet_record blank(uint8_t id)
{
    struct carnet_record record;
    carnet_record_init(&record);
    record.id.b[0] = id;
    record.subject = record.id;
    record.kind = CARNET_KIND_CONTACT;
    return record;
}

static uint64_t hlc_at(int64_t ms)
{
    return (uint64_t)ms << 16;
}

static void add_raw(struct carnet_record *record, struct carnet_slice raw, struct carnet_dot at, int64_t ms)
{
    const struct carnet_event_item item = { .dot = at, .hlc = hlc_at(ms), .raw = carnet_arena_dup(&arena, raw) };
    carnet_record_add_event(record, &item);
}

static void add(struct carnet_record *record, const struct carnet_event *event, struct carnet_dot at, int64_t ms)
{
    struct carnet_buf raw;
    carnet_buf_init(&raw, 8192);
    carnet_event_encode(event, &raw);
    add_raw(record, carnet_buf_slice(&raw), at, ms);
    carnet_buf_deinit(&raw);
}

static struct carnet_event grant_of(const char *purpose)
{
    return (struct carnet_event){ .type = CARNET_EVENT_GRANT, .purpose = carnet_slice_str(purpose), .basis = CARNET_BASIS_CONSENT,
                                  .since_ms = now_ms - 30 * day_ms };
}

static void grant(struct carnet_record *record, const char *purpose, struct carnet_dot at, int64_t ms)
{
    struct carnet_event event = grant_of(purpose);
    add(record, &event, at, ms);
}

/* A grant over one refusal. */
static void grant_over(struct carnet_record *record, const char *purpose, struct carnet_dot named, enum carnet_proof proof,
                       struct carnet_dot at, int64_t ms)
{
    struct carnet_event event = grant_of(purpose);
    event.names[0] = named;
    event.name_count = 1;
    event.proof = proof;
    add(record, &event, at, ms);
}

static void refuse(struct carnet_record *record, enum carnet_event_type type, const char *purpose, struct carnet_dot at, int64_t ms)
{
    struct carnet_event event = { .type = type, .purpose = carnet_slice_str(purpose) };
    add(record, &event, at, ms);
}

static void naming(struct carnet_record *record, enum carnet_event_type type, struct carnet_dot named, struct carnet_dot at, int64_t ms)
{
    struct carnet_event event = { .type = type, .names = { named }, .name_count = 1 };
    add(record, &event, at, ms);
}

static struct carnet_consent consent_of(const struct carnet_record *record, const char *purpose)
{
    return carnet_consent_evaluate(NULL, &record, 1, carnet_slice_str(purpose), now_ms);
}

static uint32_t open_of(const struct carnet_record *record)
{
    return carnet_consent_open(NULL, &record, 1, now_ms);
}

static uint32_t in(enum carnet_scope scope)
{
    return 1u << scope;
}

static void assert_state(const struct carnet_record *record, const char *purpose, enum carnet_consent_state state)
{
    struct carnet_consent consent = consent_of(record, purpose);
    assert_string_equal(carnet_consent_state_name(consent.state), carnet_consent_state_name(state));
    assert_int_equal(consent.live, state == CARNET_CONSENT_GIVEN || state == CARNET_CONSENT_RENEWED);
    const struct carnet_purpose_def *def = carnet_purpose_find(NULL, carnet_slice_str(purpose));
    if (consent.live)
        assert_int_equal(open_of(record) & def->scopes, def->scopes);
}

static void no_grant_opens_the_evidence_alone(void **state)
{
    struct carnet_record record = blank(1);
    (void)state;
    assert_state(&record, "newsletter", CARNET_CONSENT_NONE);
    assert_int_equal(open_of(&record), in(CARNET_SCOPE_CONSENT));
    assert_int_equal(consent_of(&record, "newsletter").basis, 0);
    carnet_record_deinit(&record);
}

static void a_grant_opens_what_its_purpose_covers(void **state)
{
    struct carnet_record record = blank(1);
    (void)state;
    grant(&record, "newsletter", dot(OFFICE, 1), now_ms - day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_GIVEN);
    assert_state(&record, "targeted", CARNET_CONSENT_NONE);
    assert_int_equal(open_of(&record), in(CARNET_SCOPE_CONSENT) | in(CARNET_SCOPE_IDENTITY) | in(CARNET_SCOPE_EMAIL));
    struct carnet_consent consent = consent_of(&record, "newsletter");
    assert_true(consent.basis == CARNET_BASIS_CONSENT && consent.since_ms == now_ms - 30 * day_ms && consent.until_ms == 0);
    assert_true(consent.dot.author == OFFICE && consent.dot.seq == 1);
    grant(&record, "newsletter", dot(OFFICE, 2), now_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_RENEWED);
    assert_int_equal(consent_of(&record, "newsletter").dot.seq, 2);
    grant(&record, "party", dot(OFFICE, 3), now_ms); /* a purpose of somebody else's charter */
    assert_int_equal(consent_of(&record, "party").state, CARNET_CONSENT_GIVEN);
    assert_int_equal(open_of(&record), in(CARNET_SCOPE_CONSENT) | in(CARNET_SCOPE_IDENTITY) | in(CARNET_SCOPE_EMAIL));
    carnet_record_deinit(&record);
}

static void a_refusal_wins_over_grants_that_do_not_name_it_whatever_the_clocks(void **state)
{
    static const int64_t at[] = { 1, 1764000000000, 4000000000000 };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            struct carnet_record record = blank(1);
            grant(&record, "newsletter", dot(OFFICE, 1), at[i]);
            refuse(&record, CARNET_EVENT_WITHDRAW, "newsletter", dot(VOLUNTEER, 1), at[j]);
            assert_state(&record, "newsletter", CARNET_CONSENT_WITHDRAWN);
            assert_int_equal(open_of(&record), in(CARNET_SCOPE_CONSENT));
            grant(&record, "newsletter", dot(OTHER, 7), 4000000000001); /* later than all, and it names nothing */
            assert_state(&record, "newsletter", CARNET_CONSENT_WITHDRAWN);
            struct carnet_consent consent = consent_of(&record, "newsletter");
            assert_true(consent.dot.author == VOLUNTEER && consent.since_ms == at[j]);
            refuse(&record, CARNET_EVENT_OBJECT, "newsletter", dot(VOLUNTEER, 2), 1);
            assert_state(&record, "newsletter", CARNET_CONSENT_OBJECTED);
            carnet_record_deinit(&record);
        }
    }
}

static void a_refusal_of_one_purpose_leaves_the_others(void **state)
{
    struct carnet_record record = blank(1);
    (void)state;
    grant(&record, "newsletter", dot(OFFICE, 1), now_ms);
    grant(&record, "sms", dot(OFFICE, 2), now_ms);
    refuse(&record, CARNET_EVENT_WITHDRAW, "newsletter", dot(OFFICE, 3), now_ms);
    assert_state(&record, "sms", CARNET_CONSENT_GIVEN);
    assert_state(&record, "newsletter", CARNET_CONSENT_WITHDRAWN);
    assert_int_equal(open_of(&record), in(CARNET_SCOPE_CONSENT) | in(CARNET_SCOPE_IDENTITY) | in(CARNET_SCOPE_PHONE));
    carnet_record_deinit(&record);
}

static void an_objection_to_all_closes_all(void **state)
{
    struct carnet_record record = blank(1);
    (void)state;
    grant(&record, "newsletter", dot(OFFICE, 1), now_ms);
    grant(&record, "sms", dot(OFFICE, 2), now_ms);
    refuse(&record, CARNET_EVENT_OBJECT, "", dot(VOLUNTEER, 1), 1);
    assert_state(&record, "newsletter", CARNET_CONSENT_OBJECTED);
    assert_state(&record, "sms", CARNET_CONSENT_OBJECTED);
    assert_state(&record, "mail", CARNET_CONSENT_OBJECTED); /* also what nobody asked for */
    assert_int_equal(open_of(&record), in(CARNET_SCOPE_CONSENT));
    grant_over(&record, "sms", dot(VOLUNTEER, 1), CARNET_PROOF_INBOUND, dot(OFFICE, 3), now_ms);
    assert_state(&record, "sms", CARNET_CONSENT_RENEWED); /* for what it names, and nothing else */
    assert_state(&record, "newsletter", CARNET_CONSENT_OBJECTED);
    carnet_record_deinit(&record);
}

static void a_grant_over_a_refusal_needs_fresh_proof(void **state)
{
    (void)state;
    for (unsigned proof = CARNET_PROOF_NONE; proof <= CARNET_PROOF_INBOUND; proof++) {
        struct carnet_record record = blank(1);
        bool enough = proof == CARNET_PROOF_DOUBLE_OPT_IN || proof == CARNET_PROOF_INBOUND;
        grant(&record, "newsletter", dot(OFFICE, 1), now_ms - 2 * day_ms);
        refuse(&record, CARNET_EVENT_WITHDRAW, "newsletter", dot(VOLUNTEER, 1), now_ms - day_ms);
        grant_over(&record, "newsletter", dot(VOLUNTEER, 1), (enum carnet_proof)proof, dot(OFFICE, 2), now_ms);
        assert_state(&record, "newsletter", enough ? CARNET_CONSENT_RENEWED : CARNET_CONSENT_REQUESTED);

        naming(&record, CARNET_EVENT_COUNTERSIGN, dot(OFFICE, 2), dot(OFFICE, 3), now_ms); /* by the same author: nothing */
        assert_state(&record, "newsletter", enough ? CARNET_CONSENT_RENEWED : CARNET_CONSENT_REQUESTED);
        naming(&record, CARNET_EVENT_COUNTERSIGN, dot(OFFICE, 1), dot(OTHER, 1), now_ms); /* of another grant: nothing */
        assert_state(&record, "newsletter", enough ? CARNET_CONSENT_RENEWED : CARNET_CONSENT_REQUESTED);
        naming(&record, CARNET_EVENT_COUNTERSIGN, dot(OFFICE, 2), dot(OTHER, 2), now_ms); /* by a second one: paper is confirmed */
        enough |= proof == CARNET_PROOF_PAPER;
        assert_state(&record, "newsletter", enough ? CARNET_CONSENT_RENEWED : CARNET_CONSENT_REQUESTED);

        refuse(&record, CARNET_EVENT_WITHDRAW, "newsletter", dot(VOLUNTEER, 2), now_ms - 3 * day_ms); /* again, not named */
        assert_state(&record, "newsletter", CARNET_CONSENT_WITHDRAWN);
        carnet_record_deinit(&record);
    }
}

static void a_renewal_that_names_nothing_does_not_undo_the_one_that_reopened(void **state)
{
    struct carnet_record record = blank(1);
    (void)state;
    refuse(&record, CARNET_EVENT_WITHDRAW, "sms", dot(VOLUNTEER, 1), now_ms - day_ms);
    grant_over(&record, "sms", dot(VOLUNTEER, 1), CARNET_PROOF_INBOUND, dot(OFFICE, 1), now_ms - 1);
    grant(&record, "sms", dot(OFFICE, 2), now_ms);
    assert_state(&record, "sms", CARNET_CONSENT_RENEWED);
    assert_int_equal(consent_of(&record, "sms").dot.seq, 1);
    carnet_record_deinit(&record);
}

static void an_invalidated_grant_is_worth_nothing_and_no_refusal(void **state)
{
    struct carnet_record record = blank(1), other = blank(2);
    const struct carnet_record *person[] = { &record, &other };
    struct carnet_dot dots[4];
    (void)state;
    grant(&record, "newsletter", dot(VOLUNTEER, 1), now_ms - 3 * day_ms);
    naming(&other, CARNET_EVENT_INVALIDATE, dot(VOLUNTEER, 1), dot(OFFICE, 9), now_ms - 2 * day_ms);
    assert_true(carnet_consent_evaluate(NULL, person, 2, carnet_slice_str("newsletter"), now_ms).live); /* on another record it names nothing */
    naming(&record, CARNET_EVENT_INVALIDATE, dot(VOLUNTEER, 1), dot(OFFICE, 1), now_ms - 2 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_INVALIDATED);
    assert_false(consent_of(&record, "newsletter").live);
    assert_int_equal(open_of(&record), in(CARNET_SCOPE_CONSENT));
    assert_int_equal(carnet_consent_refusals(&record, carnet_slice_str("newsletter"), dots, 4), 0);
    /* the time to destroy counts from the invalidation, or from a refusal since */
    assert_true(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms) == hlc_at(now_ms - 2 * day_ms));
    grant(&record, "newsletter", dot(OFFICE, 2), now_ms - day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_GIVEN); /* the other one never was */
    assert_int_equal(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms), 0);
    refuse(&record, CARNET_EVENT_WITHDRAW, "newsletter", dot(VOLUNTEER, 3), now_ms - 1);
    assert_state(&record, "newsletter", CARNET_CONSENT_WITHDRAWN);
    naming(&record, CARNET_EVENT_INVALIDATE, dot(OFFICE, 2), dot(OFFICE, 4), now_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_WITHDRAWN); /* it lifts no refusal */
    assert_true(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms) == hlc_at(now_ms));
    carnet_record_deinit(&record);
    carnet_record_deinit(&other);
}

static void refusals_are_what_a_new_grant_must_name(void **state)
{
    struct carnet_record record = blank(1);
    struct carnet_dot dots[4];
    (void)state;
    refuse(&record, CARNET_EVENT_WITHDRAW, "sms", dot(VOLUNTEER, 1), 5);
    refuse(&record, CARNET_EVENT_OBJECT, "newsletter", dot(VOLUNTEER, 2), 5);
    refuse(&record, CARNET_EVENT_OBJECT, "", dot(VOLUNTEER, 3), 5);
    assert_int_equal(carnet_consent_refusals(&record, carnet_slice_str("sms"), dots, 4), 2);
    assert_true(dots[0].seq == 1 && dots[1].seq == 3);
    assert_int_equal(carnet_consent_refusals(&record, carnet_slice_str("mail"), dots, 4), 1);
    assert_int_equal(carnet_consent_refusals(&record, carnet_slice_str("sms"), dots, 1), 1);
    carnet_record_deinit(&record);
}

static void a_grant_covers_the_version_that_it_was_given_under(void **state)
{
    static const struct carnet_purpose_def wide = { .name = "newsletter", .version = 7, .scopes = 1u << CARNET_SCOPE_EMAIL | 1u << CARNET_SCOPE_PHONE },
                                           tight = { .name = "newsletter", .version = 9, .scopes = 1u << CARNET_SCOPE_EMAIL };
    static const struct carnet_purpose_def *const versions[] = { &wide, &tight }, *const current[] = { &tight };
    struct carnet_charter charter = carnet_charter_default();
    struct carnet_record record = blank(1), other = blank(2), unknown = blank(3);
    const struct carnet_record *person[] = { &record };
    struct carnet_event event = grant_of("newsletter");
    (void)state;
    charter.versions = versions;
    charter.version_count = 2;
    charter.purposes = current;
    charter.purpose_count = 1;
    event.version = 7;
    add(&record, &event, dot(OFFICE, 1), now_ms - day_ms);
    assert_int_equal(carnet_consent_open(&charter, person, 1, now_ms), in(CARNET_SCOPE_CONSENT) | wide.scopes);
    struct carnet_consent consent = carnet_consent_evaluate(&charter, person, 1, carnet_slice_str("newsletter"), now_ms);
    assert_true(consent.live && consent.version == 7 && consent.scopes == wide.scopes);
    /* under the default charter's definition: what that one covers, whatever is current */
    person[0] = &other;
    event.version = 0;
    add(&other, &event, dot(OFFICE, 2), now_ms - day_ms);
    assert_int_equal(carnet_consent_open(&charter, person, 1, now_ms), in(CARNET_SCOPE_CONSENT) | in(CARNET_SCOPE_IDENTITY) | in(CARNET_SCOPE_EMAIL));
    /* of a version that nobody knows: nothing */
    person[0] = &unknown;
    event.version = 8;
    add(&unknown, &event, dot(OFFICE, 3), now_ms - day_ms);
    assert_int_equal(carnet_consent_open(&charter, person, 1, now_ms), in(CARNET_SCOPE_CONSENT));
    assert_int_equal(carnet_consent_evaluate(&charter, person, 1, carnet_slice_str("newsletter"), now_ms).scopes, 0);
    assert_int_equal(carnet_consent_open(NULL, person, 1, now_ms), in(CARNET_SCOPE_CONSENT));
    carnet_record_deinit(&record);
    carnet_record_deinit(&other);
    carnet_record_deinit(&unknown);
}

static void expiry_blocks_and_a_later_grant_renews(void **state)
{
    struct carnet_record record = blank(1);
    const struct carnet_record *person[] = { &record };
    (void)state;
    struct carnet_event event = grant_of("newsletter");
    event.until_ms = now_ms;
    add(&record, &event, dot(OFFICE, 1), now_ms - 9 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_EXPIRED);
    assert_int_equal(open_of(&record), in(CARNET_SCOPE_CONSENT));
    assert_true(carnet_consent_evaluate(NULL, person, 1, carnet_slice_str("newsletter"), now_ms - 1).live);
    assert_true(carnet_consent_open(NULL, person, 1, now_ms - 1) & in(CARNET_SCOPE_EMAIL));
    grant(&record, "newsletter", dot(OFFICE, 2), 1); /* by a clock that is late */
    assert_state(&record, "newsletter", CARNET_CONSENT_RENEWED);
    carnet_record_deinit(&record);
}

static void a_restriction_blocks_until_it_is_lifted_by_name(void **state)
{
    struct carnet_record record = blank(1);
    (void)state;
    grant(&record, "newsletter", dot(OFFICE, 1), now_ms);
    add(&record, &(struct carnet_event){ .type = CARNET_EVENT_RESTRICT }, dot(OFFICE, 2), 1);
    add(&record, &(struct carnet_event){ .type = CARNET_EVENT_RESTRICT }, dot(VOLUNTEER, 2), 1);
    assert_true(carnet_consent_restricted(&record));
    assert_int_equal(open_of(&record), 0);
    assert_int_equal(consent_of(&record, "newsletter").state, CARNET_CONSENT_GIVEN);
    assert_false(consent_of(&record, "newsletter").live);
    naming(&record, CARNET_EVENT_LIFT, dot(OFFICE, 2), dot(OFFICE, 3), now_ms);
    assert_true(carnet_consent_restricted(&record)); /* the other one was not seen */
    naming(&record, CARNET_EVENT_LIFT, dot(VOLUNTEER, 2), dot(OFFICE, 4), now_ms);
    assert_false(carnet_consent_restricted(&record));
    assert_state(&record, "newsletter", CARNET_CONSENT_GIVEN);
    carnet_record_deinit(&record);
}

static void an_event_of_a_newer_version_blocks(void **state)
{
    struct carnet_record record = blank(1), other = blank(2);
    const struct carnet_record *person[] = { &record, &other };
    (void)state;
    grant(&record, "newsletter", dot(OFFICE, 1), now_ms);
    add_raw(&other, carnet_slice("\x82\x18\x63\x01", 4), dot(OFFICE, 2), now_ms); /* [99, 1] */
    assert_true(carnet_consent_open(NULL, person, 1, now_ms) != 0);
    assert_int_equal(carnet_consent_open(NULL, person, 2, now_ms), 0);
    assert_false(carnet_consent_evaluate(NULL, person, 2, carnet_slice_str("newsletter"), now_ms).live);
    add_raw(&record, carnet_slice("\x81\x0b", 2), dot(OFFICE, 3), now_ms); /* [11] */
    assert_int_equal(carnet_consent_open(NULL, person, 1, now_ms), 0);
    assert_int_equal(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms), 0);
    carnet_record_deinit(&other);
    carnet_record_deinit(&record);
}

static void a_refusal_on_any_record_of_a_person_counts_a_grant_on_its_own(void **state)
{
    struct carnet_record a = blank(1), b = blank(2);
    const struct carnet_record *ab[] = { &a, &b }, *ba[] = { &b, &a };
    const struct carnet_slice newsletter = carnet_slice_str("newsletter");
    (void)state;
    grant(&a, "newsletter", dot(OFFICE, 1), now_ms);
    assert_true(carnet_consent_evaluate(NULL, ab, 2, newsletter, now_ms).live);
    assert_int_equal(carnet_consent_evaluate(NULL, ba, 2, newsletter, now_ms).state, CARNET_CONSENT_NONE); /* not b's address */
    assert_int_equal(carnet_consent_open(NULL, ba, 2, now_ms), in(CARNET_SCOPE_CONSENT));
    refuse(&b, CARNET_EVENT_WITHDRAW, "newsletter", dot(VOLUNTEER, 1), 1);
    assert_int_equal(carnet_consent_evaluate(NULL, ab, 2, newsletter, now_ms).state, CARNET_CONSENT_WITHDRAWN);
    assert_int_equal(carnet_consent_open(NULL, ab, 2, now_ms), in(CARNET_SCOPE_CONSENT));
    assert_true(carnet_consent_evaluate(NULL, ab, 1, newsletter, now_ms).live); /* unmerged, as before */
    grant_over(&a, "newsletter", dot(VOLUNTEER, 1), CARNET_PROOF_DOUBLE_OPT_IN, dot(OFFICE, 2), now_ms);
    assert_int_equal(carnet_consent_evaluate(NULL, ab, 2, newsletter, now_ms).state, CARNET_CONSENT_RENEWED);

    struct carnet_record c = blank(3);
    const struct carnet_record *abc[] = { &a, &b, &c };
    add(&c, &(struct carnet_event){ .type = CARNET_EVENT_RESTRICT }, dot(OFFICE, 9), 1);
    assert_int_equal(carnet_consent_open(NULL, abc, 3, now_ms), 0);
    naming(&c, CARNET_EVENT_LIFT, dot(OFFICE, 9), dot(OFFICE, 10), 1);
    assert_true(carnet_consent_open(NULL, abc, 3, now_ms) & in(CARNET_SCOPE_EMAIL));
    add(&c, &(struct carnet_event){ .type = CARNET_EVENT_ERASE }, dot(OFFICE, 11), 1);
    assert_int_equal(carnet_consent_open(NULL, abc, 3, now_ms), 0);
    carnet_record_deinit(&c);
    carnet_record_deinit(&b);
    carnet_record_deinit(&a);
}

static void an_erased_record_opens_nothing(void **state)
{
    struct carnet_record record = blank(1);
    (void)state;
    grant(&record, "newsletter", dot(OFFICE, 1), now_ms);
    add(&record, &(struct carnet_event){ .type = CARNET_EVENT_ERASE }, dot(OFFICE, 2), 1);
    assert_int_equal(open_of(&record), 0);
    assert_false(consent_of(&record, "newsletter").live);
    grant(&record, "newsletter", dot(OFFICE, 3), now_ms);
    assert_int_equal(open_of(&record), 0);
    carnet_record_deinit(&record);
}

static void a_scope_closes_with_the_last_event_that_closed_it(void **state)
{
    struct carnet_record record = blank(1);
    (void)state;
    assert_int_equal(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms), 0); /* never granted */
    grant(&record, "newsletter", dot(OFFICE, 1), now_ms - 9 * day_ms);
    struct carnet_event event = grant_of("targeted");
    event.until_ms = now_ms - 2 * day_ms;
    add(&record, &event, dot(OFFICE, 2), now_ms - 9 * day_ms);
    assert_int_equal(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms), 0); /* open */
    refuse(&record, CARNET_EVENT_WITHDRAW, "newsletter", dot(OFFICE, 3), now_ms - 5 * day_ms);
    assert_int_equal(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms), hlc_at(now_ms - 2 * day_ms));
    assert_int_equal(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms - 3 * day_ms), 0); /* not yet */
    assert_int_equal(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_PHONE, now_ms), 0);
    refuse(&record, CARNET_EVENT_OBJECT, "", dot(OFFICE, 4), now_ms - day_ms);
    assert_int_equal(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms), hlc_at(now_ms - day_ms));
    add(&record, &(struct carnet_event){ .type = CARNET_EVENT_RESTRICT }, dot(OFFICE, 5), 1);
    assert_int_equal(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms), 0); /* kept while restricted */
    carnet_record_deinit(&record);
}

static void due_is_the_next_expiry_or_darkening(void **state)
{
    struct carnet_record record = blank(1), other = blank(2);
    const struct carnet_record *person[] = { &record, &other };
    (void)state;
    assert_int_equal(carnet_consent_due(NULL, person, 1, true, now_ms), 0);
    struct carnet_event event = grant_of("newsletter");
    event.until_ms = now_ms + 10 * day_ms;
    add(&record, &event, dot(OFFICE, 1), now_ms);
    event = grant_of("sms");
    event.until_ms = now_ms + 5 * day_ms;
    add(&record, &event, dot(OFFICE, 2), now_ms);
    assert_int_equal(carnet_consent_due(NULL, person, 1, true, now_ms), now_ms + 5 * day_ms);
    assert_int_equal(carnet_consent_due(NULL, person, 1, true, now_ms + 5 * day_ms), now_ms + 10 * day_ms); /* no seed to destroy */

    struct carnet_seed seed = { .id = 4, .scope = CARNET_SCOPE_PHONE };
    carnet_record_add_seed(&record, &seed);
    assert_int_equal(carnet_consent_due(NULL, person, 1, true, now_ms + 5 * day_ms), now_ms + 8 * day_ms);
    assert_int_equal(carnet_consent_due(NULL, person, 1, true, now_ms + 9 * day_ms), now_ms + 8 * day_ms); /* overdue */
    assert_int_equal(carnet_consent_due(NULL, person, 1, false, now_ms + 9 * day_ms), now_ms + 10 * day_ms);
    assert_int_equal(carnet_consent_due(NULL, person, 1, false, now_ms + 10 * day_ms), 0);

    refuse(&record, CARNET_EVENT_WITHDRAW, "sms", dot(OFFICE, 3), now_ms - day_ms);
    assert_int_equal(carnet_consent_due(NULL, person, 1, true, now_ms), now_ms + 2 * day_ms);
    struct carnet_event dark = { .type = CARNET_EVENT_DARK, .scope = CARNET_SCOPE_PHONE, .seeds = { 4 }, .seed_count = 1 };
    add(&record, &dark, dot(OFFICE, 4), now_ms);
    assert_int_equal(carnet_consent_due(NULL, person, 1, true, now_ms), now_ms + 10 * day_ms); /* done */

    /* merged with a refusal: blocked, and nothing is destroyed for it */
    seed = (struct carnet_seed){ .id = 5, .scope = CARNET_SCOPE_EMAIL };
    carnet_record_add_seed(&record, &seed);
    refuse(&other, CARNET_EVENT_WITHDRAW, "newsletter", dot(OFFICE, 5), now_ms - day_ms);
    assert_int_equal(carnet_consent_due(NULL, person, 2, true, now_ms), 0);
    carnet_record_deinit(&other);
    carnet_record_deinit(&record);
}

static void whoever_nobody_is_merged_into_stands_for_the_person(void **state)
{
    (void)state;
    struct carnet_record records[5];
    const struct carnet_record *person[5];
    struct carnet_buf raw[5];
    size_t tops[5];
    for (uint8_t i = 0; i < 5; i++) {
        carnet_record_init(&records[i]);
        records[i].id = records[i].subject = (struct carnet_id){ .b = { 1, (uint8_t)(9 - i) } }; /* later ones have smaller ids */
        person[i] = &records[i];
    }
    static const uint8_t edges[][2] = { { 0, 1 }, { 1, 2 }, { 2, 3 }, { 3, 2 }, { 0, 4 } };
    for (uint8_t i = 0; i < 5; i++) {
        carnet_buf_init(&raw[i], 256);
        const struct carnet_event edge = { .type = CARNET_EVENT_EDGE, .other = records[edges[i][1]].id, .on = true };
        carnet_event_encode(&edge, &raw[i]);
        const struct carnet_event_item item = { .dot = dot(OFFICE, 1u + i), .hlc = 1, .raw = carnet_buf_slice(&raw[i]) };
        carnet_record_add_event(&records[edges[i][0]], &item);
    }
    assert_int_equal(carnet_consent_main(person, 5), 0);
    assert_int_equal(carnet_consent_tops(person, 5, tops), 1);
    assert_int_equal(carnet_consent_main(person + 2, 2), 1);     /* a cycle: the smallest id */
    assert_int_equal(carnet_consent_tops(person + 2, 2, tops), 1);
    assert_int_equal(carnet_consent_tops(person + 1, 4, tops), 2); /* without 0, two stand for themselves */
    assert_int_equal(carnet_consent_main(person + 1, 4), 3);
    records[4].erased = true;
    assert_int_equal(carnet_consent_main(person + 1, 4), 0); /* who is erased stands last */
    for (uint8_t i = 0; i < 5; i++) {
        carnet_record_deinit(&records[i]);
        carnet_buf_deinit(&raw[i]);
    }
}

static void edges_live_until_another_replaces_them(void **state)
{
    struct carnet_record record = blank(1);
    struct carnet_id out[4];
    (void)state;
    assert_int_equal(carnet_consent_edges(&record, out, 4), 0);
    struct carnet_event edge = { .type = CARNET_EVENT_EDGE, .other = { .b = { 7 } }, .on = true };
    add(&record, &edge, dot(OFFICE, 1), 5);
    add(&record, &edge, dot(VOLUNTEER, 1), 5); /* twice, unseen by each other */
    edge.other.b[0] = 3;
    add(&record, &edge, dot(OFFICE, 2), 5);
    assert_int_equal(carnet_consent_edges(&record, out, 4), 2);
    assert_true(out[0].b[0] == 3 && out[1].b[0] == 7);
    assert_int_equal(carnet_consent_edges(&record, out, 1), 1);
    struct carnet_event undo = { .type = CARNET_EVENT_EDGE, .other = { .b = { 7 } }, .on = false, .names = { dot(OFFICE, 1) },
                                 .name_count = 1 };
    add(&record, &undo, dot(OTHER, 1), 9);
    assert_int_equal(carnet_consent_edges(&record, out, 4), 2); /* the other one still stands */
    undo.names[1] = dot(VOLUNTEER, 1);
    undo.name_count = 2;
    add(&record, &undo, dot(OTHER, 2), 9);
    assert_int_equal(carnet_consent_edges(&record, out, 4), 1);
    assert_int_equal(out[0].b[0], 3);
    carnet_record_deinit(&record);
}

/* Any history, in any order of arrival, is judged the same; and a refusal that no grant names is never overruled. */
static void the_order_of_arrival_does_not_matter(void **state)
{
    enum { EVENTS = 24 };
    uint64_t seed = 1;
    (void)state;
    for (unsigned run = 0; run < 500; run++) {
        struct carnet_record forwards = blank(1), backwards = blank(1);
        struct carnet_event events[EVENTS];
        int64_t at[EVENTS];
        bool refused = false, named = false;
        for (unsigned i = 0; i < EVENTS; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            uint64_t bits = seed >> 20;
            events[i] = grant_of("newsletter");
            at[i] = (int64_t)(bits & 0xffffffff) << (bits >> 40 & 8);
            events[i].until_ms = bits & 1 ? 0 : now_ms + (bits & 2 ? day_ms : -day_ms);
            events[i].proof = (enum carnet_proof)(bits >> 2 & 3);
            events[i].name_count = bits >> 4 & 1;
            events[i].names[0] = dot((enum author)(1 + (bits >> 5) % 3), (unsigned)(1 + (bits >> 8) % EVENTS));
            if ((bits >> 13) % 16 < 3) {
                static const enum carnet_event_type types[] = { CARNET_EVENT_WITHDRAW, CARNET_EVENT_OBJECT, CARNET_EVENT_COUNTERSIGN };
                events[i].type = types[(bits >> 13) % 16];
                events[i].name_count = events[i].type == CARNET_EVENT_COUNTERSIGN;
            }
            refused |= events[i].type == CARNET_EVENT_WITHDRAW || events[i].type == CARNET_EVENT_OBJECT;
            named |= events[i].type == CARNET_EVENT_GRANT && events[i].name_count;
        }
        for (unsigned i = 0; i < EVENTS; i++)
            add(&forwards, &events[i], dot((enum author)(1 + i % 3), i + 1), at[i]);
        for (unsigned i = EVENTS; i-- > 0;)
            add(&backwards, &events[i], dot((enum author)(1 + i % 3), i + 1), at[i]);
        struct carnet_consent a = consent_of(&forwards, "newsletter"), b = consent_of(&backwards, "newsletter");
        assert_true(a.state == b.state && a.live == b.live && carnet_dot_equal(&a.dot, &b.dot) && a.basis == b.basis);
        assert_int_equal(open_of(&forwards), open_of(&backwards));
        assert_true(!refused || named || !a.live);
        assert_int_equal(carnet_consent_closed_at(NULL, &forwards, CARNET_SCOPE_EMAIL, now_ms),
                         carnet_consent_closed_at(NULL, &backwards, CARNET_SCOPE_EMAIL, now_ms));
        carnet_record_deinit(&backwards);
        carnet_record_deinit(&forwards);
        carnet_arena_reset(&arena);
    }
}

static void the_hybrid_clock_only_goes_on(void **state)
{
    (void)state;
    uint64_t hlc = carnet_hlc_next(0, now_ms);
    assert_int_equal(carnet_hlc_ms(hlc), now_ms);
    uint64_t later = carnet_hlc_next(hlc, now_ms);
    assert_true(later == hlc + 1 && carnet_hlc_ms(later) == now_ms);
    assert_true(carnet_hlc_next(later, now_ms - day_ms) == later + 1); /* a clock set back */
    assert_int_equal(carnet_hlc_ms(carnet_hlc_next(later, now_ms + 1)), now_ms + 1);
    assert_true(carnet_hlc_next(hlc | 0xffff, now_ms) == (hlc | 0xffff) + 1);
    assert_true(carnet_hlc_next(5, -1) == 6);
    assert_true(carnet_hlc_next(UINT64_MAX, now_ms) == UINT64_MAX);
    assert_true(carnet_hlc_next(7, INT64_MAX) == UINT64_MAX - 0xffff);
}

static int set_up(void **state)
{
    (void)state;
    carnet_arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    carnet_arena_deinit(&arena);
    return 0;
}

/* What whoever reads the suppression list adds to a copy of a record. */
static void suppress(struct carnet_record *record, const char *purpose, int64_t ms)
{
    struct carnet_event event = { .type = CARNET_EVENT_SUPPRESS, .purpose = carnet_slice_str(purpose), .bytes = carnet_slice_str("sixteen bytes ..") };
    add(record, &event, (struct carnet_dot){ .seq = (uint64_t)ms }, ms); /* a real copy has none: a record keeps what has the same dot once */
}

static void a_suppressed_address_refuses_its_purpose_whatever_the_clocks(void **state)
{
    struct carnet_record record = blank(1), twin = blank(2);
    const struct carnet_record *person[] = { &record, &twin };
    struct carnet_dot none;
    (void)state;
    grant(&record, "newsletter", dot(OFFICE, 1), now_ms - day_ms);
    grant(&record, "sms", dot(OFFICE, 2), now_ms - day_ms);
    suppress(&record, "newsletter", now_ms - 9 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_OBJECTED);
    assert_true(consent_of(&record, "newsletter").suppressed);
    assert_false(consent_of(&record, "sms").suppressed);
    assert_state(&record, "sms", CARNET_CONSENT_GIVEN);
    assert_int_equal(open_of(&record), in(CARNET_SCOPE_CONSENT) | in(CARNET_SCOPE_IDENTITY) | in(CARNET_SCOPE_PHONE));
    /* on any record of the person; what nobody was asked is refused too; there is no dot to name */
    grant(&twin, "newsletter", dot(OFFICE, 3), now_ms);
    assert_state(&twin, "newsletter", CARNET_CONSENT_GIVEN);
    const struct carnet_record *other[] = { &twin, &record };
    assert_false(carnet_consent_evaluate(NULL, other, 2, carnet_slice_str("newsletter"), now_ms).live);
    assert_false(carnet_consent_evaluate(NULL, person, 2, carnet_slice_str("newsletter"), now_ms).live);
    assert_int_equal(carnet_consent_refusals(&record, carnet_slice_str("newsletter"), &none, 1), 0);
    struct carnet_record all = blank(3);
    suppress(&all, "", now_ms);
    assert_state(&all, "mail", CARNET_CONSENT_OBJECTED);
    grant(&all, "mail", dot(OFFICE, 4), now_ms + day_ms);
    assert_state(&all, "mail", CARNET_CONSENT_OBJECTED);
    assert_int_equal(open_of(&all), in(CARNET_SCOPE_CONSENT));
    carnet_record_deinit(&record);
    carnet_record_deinit(&twin);
    carnet_record_deinit(&all);
}

static void who_has_the_address_passes_the_list_later_and_nobody_else(void **state)
{
    struct carnet_record record = blank(1);
    (void)state;
    suppress(&record, "newsletter", now_ms - 5 * day_ms);
    struct carnet_event itself = grant_of("newsletter");
    itself.proof = CARNET_PROOF_DOUBLE_OPT_IN;
    add(&record, &itself, dot(OFFICE, 1), now_ms - 6 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_OBJECTED);
    itself.proof = CARNET_PROOF_PAPER;
    add(&record, &itself, dot(OFFICE, 2), now_ms - 4 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_OBJECTED);
    itself.proof = CARNET_PROOF_INBOUND;
    add(&record, &itself, dot(OFFICE, 3), now_ms - 4 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_RENEWED);
    suppress(&record, "newsletter", now_ms - 3 * day_ms); /* refused again, somewhere */
    assert_state(&record, "newsletter", CARNET_CONSENT_OBJECTED);
    assert_true(consent_of(&record, "newsletter").suppressed);
    carnet_record_deinit(&record);
}

static void paper_over_a_refusal_of_its_own_passes_once_countersigned(void **state)
{
    struct carnet_record record = blank(1);
    (void)state;
    refuse(&record, CARNET_EVENT_WITHDRAW, "newsletter", dot(VOLUNTEER, 1), now_ms - 9 * day_ms);
    suppress(&record, "newsletter", now_ms - 8 * day_ms);
    grant_over(&record, "newsletter", dot(OTHER, 77), CARNET_PROOF_PAPER, dot(OFFICE, 1), now_ms - 7 * day_ms);
    naming(&record, CARNET_EVENT_COUNTERSIGN, dot(OFFICE, 1), dot(OTHER, 1), now_ms - 7 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_WITHDRAWN); /* it names what nobody said */
    grant_over(&record, "newsletter", dot(VOLUNTEER, 1), CARNET_PROOF_PAPER, dot(OFFICE, 2), now_ms - 6 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_REQUESTED);
    suppress(&record, "newsletter", now_ms - 5 * day_ms); /* the office that tags what the volunteer was told comes after the paper */
    assert_state(&record, "newsletter", CARNET_CONSENT_REQUESTED);
    naming(&record, CARNET_EVENT_COUNTERSIGN, dot(OFFICE, 2), dot(OTHER, 2), now_ms - 4 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_RENEWED);
    suppress(&record, "newsletter", now_ms - 3 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_OBJECTED);
    carnet_record_deinit(&record);
}

static void the_list_blocks_and_destroys_nothing(void **state)
{
    struct carnet_record record = blank(1);
    const struct carnet_record *person[] = { &record };
    const struct carnet_seed seed = { .id = 7, .scope = CARNET_SCOPE_EMAIL, .held = true };
    (void)state;
    grant(&record, "newsletter", dot(OFFICE, 1), now_ms - 30 * day_ms);
    carnet_record_add_seed(&record, &seed);
    suppress(&record, "", now_ms - 20 * day_ms);
    assert_int_equal(open_of(&record), in(CARNET_SCOPE_CONSENT));
    assert_true(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms) == 0);
    assert_true(carnet_consent_due(NULL, person, 1, true, now_ms) == 0);
    refuse(&record, CARNET_EVENT_WITHDRAW, "newsletter", dot(OFFICE, 2), now_ms - 10 * day_ms);
    assert_true(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms) == hlc_at(now_ms - 10 * day_ms));
    carnet_record_deinit(&record);
}

static void whoever_is_silent_for_three_years_is_blocked(void **state)
{
    struct carnet_record record = blank(1);
    struct carnet_event event = grant_of("newsletter");
    const int64_t years_ms = carnet_charter_default().contact_ms;
    (void)state;
    event.since_ms = now_ms - years_ms - 2 * day_ms; /* collected then, written later */
    add(&record, &event, dot(OFFICE, 1), now_ms - 10 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_EXPIRED);
    assert_int_equal(open_of(&record), in(CARNET_SCOPE_CONSENT));
    assert_true(consent_of(&record, "newsletter").ends_ms <= now_ms);
    assert_true(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms) != 0);

    /* a later word of theirs, for anything, keeps the rest; a date written by somebody whose clock is late does not go beyond its entry */
    event = grant_of("sms");
    event.since_ms = now_ms + 900 * day_ms;
    add(&record, &event, dot(OFFICE, 2), now_ms - day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_GIVEN);
    struct carnet_consent consent = consent_of(&record, "newsletter");
    assert_int_equal(consent.ends_ms, now_ms - day_ms + carnet_charter_default().contact_ms);
    const struct carnet_record *person[] = { &record };
    assert_int_equal(carnet_consent_due(NULL, person, 1, false, now_ms), consent.ends_ms);
    carnet_record_deinit(&record);
}

static void a_member_stays_until_they_leave_and_a_roll_is_no_word_of_theirs(void **state)
{
    struct carnet_record record = blank(1);
    struct carnet_event event = grant_of("membership");
    (void)state;
    event.basis = CARNET_BASIS_MEMBER;
    event.since_ms = now_ms - 9 * 365 * day_ms;
    add(&record, &event, dot(OFFICE, 1), now_ms - 9 * 365 * day_ms);
    assert_state(&record, "membership", CARNET_CONSENT_GIVEN);
    event = grant_of("newsletter");
    event.since_ms = now_ms - 8 * 365 * day_ms;
    add(&record, &event, dot(OFFICE, 2), now_ms - 8 * 365 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_EXPIRED);
    event = grant_of("canvass"); /* they are on the roll: that is no contact */
    event.basis = CARNET_BASIS_ROLL;
    event.until_ms = now_ms + day_ms;
    add(&record, &event, dot(OFFICE, 3), now_ms - day_ms);
    assert_state(&record, "canvass", CARNET_CONSENT_GIVEN);
    assert_state(&record, "newsletter", CARNET_CONSENT_EXPIRED);
    assert_int_equal(carnet_consent_evaluate(NULL, (const struct carnet_record *const[]){ &record }, 1, carnet_slice_str("canvass"), now_ms + day_ms).state,
                     CARNET_CONSENT_EXPIRED);
    carnet_record_deinit(&record);
}

static void data_from_elsewhere_are_blocked_until_the_person_was_told(void **state)
{
    struct carnet_record record = blank(1);
    struct carnet_event event = grant_of("newsletter");
    const int64_t inform_ms = carnet_charter_default().inform_ms;
    (void)state;
    event.basis = CARNET_BASIS_LEGITIMATE_INTEREST;
    add(&record, &event, dot(OFFICE, 1), now_ms - day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_GIVEN); /* within the month */
    assert_int_equal(consent_of(&record, "newsletter").inform_by_ms, now_ms - day_ms + inform_ms);
    const struct carnet_record *person[] = { &record };
    assert_int_equal(carnet_consent_due(NULL, person, 1, false, now_ms), now_ms - day_ms + inform_ms);
    carnet_record_deinit(&record);

    record = blank(1);
    add(&record, &event, dot(OFFICE, 1), now_ms - inform_ms - 300 * day_ms);
    event.purpose = carnet_slice_str("file");
    add(&record, &event, dot(OFFICE, 2), now_ms - inform_ms - 300 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_REQUESTED);
    assert_state(&record, "file", CARNET_CONSENT_GIVEN); /* else nobody could tell whom to tell */
    assert_int_equal(open_of(&record), in(CARNET_SCOPE_CONSENT) | in(CARNET_SCOPE_IDENTITY));
    /* nothing is destroyed for it */
    assert_int_equal(carnet_consent_closed_at(NULL, &record, CARNET_SCOPE_EMAIL, now_ms), 0);
    naming(&record, CARNET_EVENT_INFORM, dot(OFFICE, 2), dot(OFFICE, 3), now_ms - day_ms); /* of something else */
    assert_state(&record, "newsletter", CARNET_CONSENT_REQUESTED);
    naming(&record, CARNET_EVENT_INFORM, dot(OFFICE, 1), dot(OFFICE, 4), now_ms - day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_GIVEN);
    assert_int_equal(consent_of(&record, "newsletter").inform_by_ms, 0);
    carnet_record_deinit(&record);

    record = blank(1); /* what they agreed to themselves needs no telling */
    grant(&record, "newsletter", dot(OFFICE, 1), now_ms - inform_ms - 300 * day_ms);
    assert_state(&record, "newsletter", CARNET_CONSENT_GIVEN);
    carnet_record_deinit(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_grant_opens_the_evidence_alone),
        cmocka_unit_test(a_grant_opens_what_its_purpose_covers),
        cmocka_unit_test(a_refusal_wins_over_grants_that_do_not_name_it_whatever_the_clocks),
        cmocka_unit_test(a_refusal_of_one_purpose_leaves_the_others),
        cmocka_unit_test(an_objection_to_all_closes_all),
        cmocka_unit_test(a_grant_over_a_refusal_needs_fresh_proof),
        cmocka_unit_test(a_renewal_that_names_nothing_does_not_undo_the_one_that_reopened),
        cmocka_unit_test(an_invalidated_grant_is_worth_nothing_and_no_refusal),
        cmocka_unit_test(refusals_are_what_a_new_grant_must_name),
        cmocka_unit_test(a_grant_covers_the_version_that_it_was_given_under),
        cmocka_unit_test(expiry_blocks_and_a_later_grant_renews),
        cmocka_unit_test(a_restriction_blocks_until_it_is_lifted_by_name),
        cmocka_unit_test(an_event_of_a_newer_version_blocks),
        cmocka_unit_test(a_refusal_on_any_record_of_a_person_counts_a_grant_on_its_own),
        cmocka_unit_test(an_erased_record_opens_nothing),
        cmocka_unit_test(a_scope_closes_with_the_last_event_that_closed_it),
        cmocka_unit_test(due_is_the_next_expiry_or_darkening),
        cmocka_unit_test(whoever_nobody_is_merged_into_stands_for_the_person),
        cmocka_unit_test(edges_live_until_another_replaces_them),
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(the_hybrid_clock_only_goes_on),
        cmocka_unit_test(a_suppressed_address_refuses_its_purpose_whatever_the_clocks),
        cmocka_unit_test(who_has_the_address_passes_the_list_later_and_nobody_else),
        cmocka_unit_test(paper_over_a_refusal_of_its_own_passes_once_countersigned),
        cmocka_unit_test(the_list_blocks_and_destroys_nothing),
        cmocka_unit_test(whoever_is_silent_for_three_years_is_blocked),
        cmocka_unit_test(a_member_stays_until_they_leave_and_a_roll_is_no_word_of_theirs),
        cmocka_unit_test(data_from_elsewhere_are_blocked_until_the_person_was_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
