// SPDX-License-Identifier: EUPL-1.2
/* The suppression list: tags of addresses that somebody refused, as the charter has them; the tags of the addresses that this node holds; who is refused by it. */
#include "carnet/replica/suppress.h"

#include "carnet/replica/index.h"

#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    TAGS_OF_EVENT = 40,
    SETTLE_RECORDS = 16, /* compared before a transaction ends: a small community never waits for upkeep */
    COMPARE_RECORDS = 500,
    HOLDERS = 64,
    TAG_WAIT_MS = 1000,  /* a refusal that a volunteer wrote: offices that heard of it at once do not all tag it */
    TAG_SPREAD_MS = 9000,
    KEY_WAIT_MS = 60 * 1000,
    QUIET_MS = 300, BUSY_MS = 10 * 1000 /* comparing waits for a pause, but not for longer */
};

/* --- the list --- */

static uint64_t place_of(const struct carnet_replica *replica, const uint8_t *tag)
{
    uint64_t number, seed;
    memcpy(&number, tag, sizeof number);
    memcpy(&seed, replica->identity.curve, sizeof seed); /* nobody else chooses where a tag stands */
    number = (number ^ seed) * UINT64_C(0x9e3779b97f4a7c15);
    return number ^ number >> 32;
}

static uint32_t purpose_number(struct carnet_tags *tags, struct carnet_slice text, bool add)
{
    CARNET_ASSERT(text.len <= CARNET_LABEL_LEN_MAX);
    for (size_t i = 0; i < tags->purpose_count; i++)
        if (carnet_slice_equal(carnet_slice(tags->purposes[i]->text, tags->purposes[i]->len), text))
            return (uint32_t)i;
    if (!add)
        return UINT32_MAX;
    struct carnet_tag_purpose *purpose = carnet_alloc(sizeof *purpose);
    purpose->len = text.len;
    if (text.len)
        memcpy(purpose->text, text.ptr, text.len);
    CARNET_GROW(tags->purposes, tags->purpose_count, tags->purpose_cap);
    tags->purposes[tags->purpose_count++] = purpose;
    return (uint32_t)(tags->purpose_count - 1);
}

static struct carnet_slice purpose_text(const struct carnet_tags *tags, uint32_t number)
{
    return carnet_slice(tags->purposes[number]->text, tags->purposes[number]->len);
}

/* The slot of tag and purpose, or a free one. */
static struct carnet_tag *slot_of(const struct carnet_replica *replica, const uint8_t *tag, uint32_t purpose)
{
    const struct carnet_tags *tags = &replica->tags;
    for (uint64_t at = place_of(replica, tag);; at++) {
        struct carnet_tag *slot = &tags->slots[at & (tags->slot_count - 1)];
        if (slot->hlc == 0 || (slot->purpose == purpose && memcmp(slot->tag, tag, sizeof slot->tag) == 0))
            return slot;
    }
}

static void make_slots(struct carnet_replica *replica)
{
    struct carnet_tags *tags = &replica->tags;
    struct carnet_tag *old = tags->slots;
    size_t old_count = tags->slot_count;
    if (old_count && tags->count < old_count / 2)
        return;
    tags->slot_count = old_count ? old_count * 2 : 256;
    tags->slots = carnet_alloc(tags->slot_count * sizeof *tags->slots);
    for (size_t i = 0; i < old_count; i++)
        if (old[i].hlc)
            *slot_of(replica, old[i].tag, old[i].purpose) = old[i];
    free(old);
}

static void add_news(struct carnet_tags *tags, const uint8_t *tag)
{
    if (tags->news_count && memcmp(tags->news[tags->news_count - 1], tag, CARNET_TAG_LEN) == 0)
        return;
    CARNET_GROW(tags->news, tags->news_count, tags->news_cap);
    memcpy(tags->news[tags->news_count++], tag, CARNET_TAG_LEN);
}

void carnet_tags_feed(struct carnet_replica *replica, const struct carnet_entry *entry, const struct carnet_event *event)
{
    struct carnet_tags *tags = &replica->tags;
    /* a clock that is ahead keeps nobody from agreeing again after what it wrote has come */
    int64_t latest_ms = tags->feeding_ms + CARNET_CLOCK_SKEW_MS_MAX;
    uint64_t hlc = carnet_hlc_ms(entry->header.hlc) > latest_ms && latest_ms > 0 ? (uint64_t)latest_ms << 16 : entry->header.hlc;
    uint32_t purpose = purpose_number(tags, event->purpose, true);
    hlc = hlc ? hlc : 1;
    for (size_t i = 0; i + CARNET_TAG_LEN <= event->bytes.len; i += CARNET_TAG_LEN) {
        const uint8_t *tag = event->bytes.ptr + i;
        make_slots(replica);
        struct carnet_tag *slot = slot_of(replica, tag, purpose);
        if (slot->hlc >= hlc)
            continue;
        if (slot->hlc == 0) {
            memcpy(slot->tag, tag, sizeof slot->tag);
            slot->purpose = purpose;
            tags->count++;
        }
        slot->hlc = hlc;
        add_news(tags, tag);
    }
}

void carnet_tags_clear(struct carnet_replica *replica)
{
    struct carnet_tags *tags = &replica->tags;
    for (size_t i = 0; i < tags->slot_count; i++) /* those that do not come again are free now */
        if (tags->slots[i].hlc)
            add_news(tags, tags->slots[i].tag);
    if (tags->slot_count)
        memset(tags->slots, 0, tags->slot_count * sizeof *tags->slots);
    tags->count = 0;
}

void carnet_tags_keys_changed(struct carnet_replica *replica)
{
    replica->tags.keys_read = false;
}

void carnet_tags_deinit(struct carnet_replica *replica)
{
    struct carnet_tags *tags = &replica->tags;
    for (size_t i = 0; i < tags->purpose_count; i++)
        free(tags->purposes[i]);
    free(tags->purposes);
    free(tags->slots);
    free(tags->news);
    free(tags->pending);
    if (tags->cache)
        carnet_wipe(tags->cache, CARNET_TAG_CACHE * sizeof *tags->cache);
    free(tags->cache);
    carnet_wipe(tags, sizeof *tags);
}

/* --- keys --- */

/* One in every honest community. Two admins may have made one each: then all held are read, and the first is written under. */
static void read_keys(struct carnet_replica *replica)
{
    struct carnet_tags *tags = &replica->tags;
    const struct carnet_slice pieces[] = { carnet_slice_str("carnet/1/suppression/key"), carnet_slice(replica->community.b, sizeof replica->community.b) };
    const struct carnet_epoch *best[CARNET_TAG_KEYS_MAX] = { NULL };
    size_t count = 0;
    for (size_t i = 0; i < carnet_keyring_count(replica->keyring); i++) {
        const struct carnet_epoch *epoch = carnet_keyring_at(replica->keyring, i); /* those of a book in order of id */
        if (!carnet_id_equal(&epoch->book, &replica->community) || epoch->scope != CARNET_SCOPE_CONSENT || !epoch->held)
            continue;
        size_t at = count < CARNET_TAG_KEYS_MAX ? count : CARNET_TAG_KEYS_MAX;
        while (at > 0 && epoch->number < best[at - 1]->number)
            at--;
        for (size_t j = CARNET_TAG_KEYS_MAX - 1; j > at; j--)
            best[j] = best[j - 1];
        if (at < CARNET_TAG_KEYS_MAX)
            best[at] = epoch;
        count += count < CARNET_TAG_KEYS_MAX;
    }
    tags->key_mark = count;
    for (size_t i = 0; i < count; i++) {
        tags->keys[i] = carnet_derive(&best[i]->key, pieces, 2);
        tags->key_mark = tags->key_mark * UINT64_C(1000003) ^ best[i]->id;
    }
    for (size_t i = 0; count && i < replica->charter.field_count; i++) { /* fields that hold addresses: other ones, and all is compared again */
        const struct carnet_field_def *def = replica->charter.fields[i];
        if (def->type == CARNET_FIELD_TYPE_EMAIL || def->type == CARNET_FIELD_TYPE_PHONE)
            tags->key_mark = tags->key_mark * UINT64_C(1000003) ^ def->field;
    }
    tags->key_count = count;
    if (tags->cache)
        carnet_wipe(tags->cache, CARNET_TAG_CACHE * sizeof *tags->cache);
    tags->keys_read = true;
}

static bool has_key(struct carnet_replica *replica)
{
    if (!replica->tags.keys_read)
        read_keys(replica);
    return replica->tags.key_count > 0;
}

bool carnet_tags_on(struct carnet_replica *replica)
{
    return replica->tags.count > 0 && has_key(replica);
}

static bool may_tag(struct carnet_replica *replica)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    return self && self->verbs & CARNET_VERB_DELIVER && has_key(replica);
}

bool carnet_replica_address_token(struct carnet_replica *replica, struct carnet_slice value, uint8_t out[16])
{
    if (!has_key(replica))
        return false;
    const struct carnet_slice pieces[] = { carnet_slice_str("carnet/1/address/token"), value };
    struct carnet_key whole = carnet_derive(&replica->tags.keys[0], pieces, 2);
    memcpy(out, whole.b, 16);
    return true;
}

/* The tags of an address, one under each key. */
static carnet_rc find_tags(struct carnet_replica *replica, struct carnet_slice address, const struct carnet_tag_cached **out, struct carnet_err *err)
{
    struct carnet_tags *tags = &replica->tags;
    struct carnet_hash hash = carnet_hash_of("carnet/1/suppression/cache", address);
    if (!tags->cache)
        tags->cache = carnet_alloc(CARNET_TAG_CACHE * sizeof *tags->cache);
    struct carnet_tag_cached *cached = &tags->cache[(hash.b[30] | hash.b[31] << 8) % CARNET_TAG_CACHE];
    *out = cached;
    if (cached->used && memcmp(cached->of, hash.b, sizeof cached->of) == 0)
        return CARNET_OK;
    cached->used = false;
    for (size_t i = 0; i < tags->key_count; i++)
        if (carnet_suppression_tag(&tags->keys[i], address, cached->tags[i]) != CARNET_OK)
            return carnet_err_set(err, CARNET_FAILED, "not enough memory to compare an address with the suppression list");
    memcpy(cached->of, hash.b, sizeof cached->of);
    cached->used = true;
    return CARNET_OK;
}

/* --- addresses of a record --- */

static bool is_address_field(const struct carnet_replica *replica, uint32_t field)
{
    const struct carnet_field_def *def = carnet_field_by_number(&replica->charter, field);
    return field == CARNET_FIELD_EMAIL || field == CARNET_FIELD_PHONE ||
           (def && (def->type == CARNET_FIELD_TYPE_EMAIL || def->type == CARNET_FIELD_TYPE_PHONE));
}

/* What stands for an address that is not kept: its label is the token, its value the address's tag under a mask. */
static bool is_token(const struct carnet_sibling *sibling)
{
    return sibling->field == CARNET_FIELD_SOURCE_ID && carnet_index_is_address(sibling->label) && sibling->value.len == 2 * CARNET_TAG_LEN;
}

static void mask(struct carnet_replica *replica, struct carnet_slice token, uint8_t tag[CARNET_TAG_LEN])
{
    const struct carnet_slice pieces[] = { carnet_slice_str("carnet/1/address/mask"), token };
    const struct carnet_key key = carnet_derive(&replica->tags.keys[0], pieces, 2);
    for (size_t i = 0; i < CARNET_TAG_LEN; i++)
        tag[i] ^= key.b[i];
}

carnet_rc carnet_replica_address_mark(struct carnet_replica *replica, struct carnet_slice value, const uint8_t token[16], uint8_t out[16], struct carnet_err *err)
{
    const struct carnet_tag_cached *found;
    CARNET_ASSERT(replica->tags.key_count);
    carnet_rc rc = find_tags(replica, value, &found, err);
    if (rc == CARNET_OK) {
        memcpy(out, found->tags[0], CARNET_TAG_LEN);
        mask(replica, carnet_slice(token, 16), out);
    }
    return rc;
}

static bool is_address(const struct carnet_replica *replica, const struct carnet_sibling *sibling)
{
    if (is_token(sibling))
        return sibling->state == CARNET_SIBLING_VALUE;
    return sibling->state == CARNET_SIBLING_VALUE && sibling->value.len && is_address_field(replica, sibling->field);
}

static carnet_rc tags_of(struct carnet_replica *replica, const struct carnet_sibling *sibling, const struct carnet_tag_cached **out, struct carnet_err *err)
{
    struct carnet_tag_cached *unmasked = &replica->tags.unmasked;
    uint8_t token[16];
    if (!is_token(sibling))
        return find_tags(replica, sibling->value, out, err);
    *out = unmasked;
    memset(unmasked, 0, sizeof *unmasked);
    if (!carnet_unhex(carnet_slice(sibling->label.ptr + sibling->label.len - 2 * sizeof token, 2 * sizeof token), token, sizeof token) ||
        !carnet_unhex(sibling->value, unmasked->tags[0], CARNET_TAG_LEN))
        return CARNET_OK; /* no tag of anything */
    mask(replica, carnet_slice(token, sizeof token), unmasked->tags[0]);
    for (size_t k = 1; k < CARNET_TAG_KEYS_MAX; k++)
        memcpy(unmasked->tags[k], unmasked->tags[0], CARNET_TAG_LEN);
    return CARNET_OK;
}

/* --- what the list refuses --- */

struct hits {
    struct {
        uint32_t purpose;
        uint64_t hlc;
        const uint8_t *tag;
    } at[CARNET_SUPPRESSED_MAX + 1];
    size_t count;
};

static void find_hits(const struct carnet_replica *replica, const uint8_t *tag, struct hits *hits)
{
    const struct carnet_tags *tags = &replica->tags;
    for (uint64_t at = place_of(replica, tag); tags->slot_count; at++) {
        const struct carnet_tag *slot = &tags->slots[at & (tags->slot_count - 1)];
        size_t known = 0;
        if (slot->hlc == 0)
            return;
        if (memcmp(slot->tag, tag, sizeof slot->tag) != 0)
            continue;
        while (known < hits->count && hits->at[known].purpose != slot->purpose)
            known++;
        if (known == hits->count) {
            if (known == CARNET_SUPPRESSED_MAX + 1)
                known = 0; /* more purposes than there are: it says no to all that is looked at */
            else
                hits->at[hits->count++].hlc = 0;
        }
        if (slot->hlc > hits->at[known].hlc) {
            hits->at[known].purpose = slot->purpose;
            hits->at[known].hlc = slot->hlc;
            hits->at[known].tag = slot->tag;
        }
    }
}

static carnet_rc is_compared(struct carnet_replica *replica, int64_t n, bool *out, struct carnet_err *err)
{
    int64_t next = 0;
    *out = n > 0 && n <= replica->tags.walked;
    if (!*out)
        return CARNET_OK;
    carnet_rc rc = carnet_store_task_next(replica->store, CARNET_TASK_COMPARE, n, &next, err);
    *out = !(rc == CARNET_OK && next == n);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

static void refuse_copy(struct carnet_replica *replica, const struct hits *hits, const struct carnet_record **record, struct carnet_arena *arena)
{
    struct carnet_record *copy = carnet_arena_alloc(arena, sizeof *copy);
    struct carnet_buf raw;
    *copy = **record;
    copy->events = carnet_arena_alloc(arena, (copy->event_count + hits->count) * sizeof *copy->events);
    if (copy->event_count)
        memcpy(copy->events, (*record)->events, copy->event_count * sizeof *copy->events);
    carnet_buf_init(&raw, 256);
    for (size_t i = 0; i < hits->count; i++) {
        const struct carnet_event event = { .type = CARNET_EVENT_SUPPRESS,
                                            .purpose = purpose_text(&replica->tags, hits->at[i].purpose),
                                            .bytes = carnet_slice(hits->at[i].tag, CARNET_TAG_LEN) };
        carnet_buf_clear(&raw);
        carnet_event_encode(&event, &raw);
        copy->events[copy->event_count++] = (struct carnet_event_item){ .hlc = hits->at[i].hlc, .raw = carnet_arena_dup(arena, carnet_buf_slice(&raw)) };
    }
    carnet_buf_deinit(&raw);
    copy->event_cap = copy->event_count;
    *record = copy;
}

/* The hits of the addresses that the record has now. */
static carnet_rc compare_values(struct carnet_replica *replica, const struct carnet_record *record, struct hits *hits, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; rc == CARNET_OK && i < record->live_count; i++) {
        const struct carnet_tag_cached *found;
        if (!is_address(replica, &record->live[i]))
            continue;
        rc = tags_of(replica, &record->live[i], &found, err);
        for (size_t k = 0; rc == CARNET_OK && k < replica->tags.key_count; k++)
            find_hits(replica, found->tags[k], hits);
    }
    return rc;
}

carnet_rc carnet_tags_mark(struct carnet_replica *replica, int64_t n, const struct carnet_record **record, struct carnet_arena *arena, bool now,
                           struct carnet_err *err)
{
    struct hits hits = { .count = 0 };
    bool compared;
    if (!carnet_tags_on(replica) || (*record)->erased)
        return CARNET_OK;
    carnet_rc rc = is_compared(replica, n, &compared, err);
    if (rc == CARNET_OK && compared) {
        struct carnet_buf tags;
        carnet_buf_init(&tags, CARNET_STATE_LEN_MAX);
        rc = carnet_store_tags_of(replica->store, n, &tags, err);
        for (size_t i = 0; rc == CARNET_OK && i + CARNET_TAG_LEN <= tags.len; i += CARNET_TAG_LEN)
            find_hits(replica, tags.ptr + i, &hits);
        carnet_buf_deinit(&tags);
    } else if (rc == CARNET_OK && now) {
        rc = compare_values(replica, *record, &hits, err);
    }
    if (rc == CARNET_OK && hits.count)
        refuse_copy(replica, &hits, record, arena);
    return rc;
}

static carnet_rc is_idle(struct carnet_replica *replica, bool *out, struct carnet_err *err)
{
    struct carnet_tags *tags = &replica->tags;
    struct carnet_record_row row;
    int64_t n;
    *out = tags->idle_written == replica->written + 1 || !carnet_tags_on(replica);
    if (*out)
        return CARNET_OK;
    if (tags->walked_mark != tags->key_mark)
        return CARNET_OK;
    carnet_rc rc = carnet_store_task_next(replica->store, CARNET_TASK_COMPARE, 0, &n, err);
    if (rc == CARNET_NOT_FOUND)
        rc = carnet_store_record_next(replica->store, tags->walked + 1, &row, err);
    if (rc != CARNET_NOT_FOUND)
        return rc;
    tags->idle_written = replica->written + 1;
    *out = true;
    return CARNET_OK;
}

carnet_rc carnet_tags_about(struct carnet_replica *replica, const struct carnet_view *view, struct carnet_arena *arena, const struct carnet_record ***out,
                            struct carnet_err *err)
{
    bool idle;
    *out = view->about;
    carnet_rc rc = is_idle(replica, &idle, err);
    if (rc != CARNET_OK || idle || !view->about_count)
        return rc;
    *out = carnet_arena_alloc(arena, view->about_count * sizeof **out);
    for (size_t i = 0; rc == CARNET_OK && i < view->about_count; i++) {
        struct carnet_record_row row;
        bool compared = true; /* then the view has it already */
        (*out)[i] = view->about[i];
        if (view->about[i]->erased)
            continue;
        rc = carnet_store_record_get(replica->store, &view->book, &view->about[i]->id, &row, err);
        if (rc == CARNET_OK)
            rc = is_compared(replica, row.n, &compared, err);
        if (rc == CARNET_OK && !compared)
            rc = carnet_tags_mark(replica, row.n, &(*out)[i], arena, true, err);
    }
    return rc;
}

/* --- keeping up with the records --- */

/* The same for the same addresses, in whatever order. */
static uint64_t sum_addresses(const struct carnet_replica *replica, const struct carnet_record *record)
{
    uint64_t sum = 0;
    for (size_t i = 0; record && i < record->live_count; i++) {
        uint64_t number;
        if (!is_address(replica, &record->live[i]))
            continue;
        struct carnet_hash hash = carnet_hash_of("carnet/1/suppression/cache", record->live[i].value);
        memcpy(&number, hash.b, sizeof number);
        sum += number | 1;
    }
    return sum;
}

static size_t count_refusals(const struct carnet_record *record)
{
    size_t count = 0;
    for (size_t i = 0; record && i < record->event_count; i++) {
        uint64_t type = carnet_event_peek(record->events[i].raw);
        count += type == CARNET_EVENT_WITHDRAW || type == CARNET_EVENT_OBJECT;
    }
    return count;
}

carnet_rc carnet_tags_changed(struct carnet_replica *replica, int64_t n, const struct carnet_record *old, const struct carnet_record *record, struct carnet_err *err)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    struct carnet_tags *tags = &replica->tags;
    carnet_rc rc = CARNET_OK;
    if (record->kind != CARNET_KIND_CONTACT && !(old && old->kind == CARNET_KIND_CONTACT))
        return CARNET_OK;
    size_t refusals = record->erased || !self || !(self->verbs & CARNET_VERB_DELIVER) ? 0 : count_refusals(record);
    bool walked = n <= tags->walked;
    if (!walked && !refusals)
        return CARNET_OK;
    bool moved = sum_addresses(replica, old) != sum_addresses(replica, record);
    if (walked && moved) {
        rc = carnet_store_tags_remove(replica->store, n, err);
        if (rc == CARNET_OK)
            rc = carnet_store_task_put(replica->store, CARNET_TASK_COMPARE, n, !record->erased, err);
    }
    if (rc == CARNET_OK && refusals && (moved || refusals != count_refusals(old)))
        rc = carnet_store_task_put(replica->store, CARNET_TASK_TAG, n, true, err);
    return rc;
}

/* Indexes again whoever holds the address of a tag, with those that they are merged with. */
static carnet_rc refresh_person(struct carnet_replica *replica, int64_t n, struct carnet_err *err)
{
    int64_t numbers[CARNET_PERSON_WALK];
    size_t count;
    carnet_rc rc = carnet_rows_component(replica, n, numbers, CARNET_PERSON_WALK, &count, err);
    for (size_t i = 0; rc == CARNET_OK && i < count; i++)
        rc = carnet_rows_refresh(replica, numbers[i], err);
    return rc;
}

static carnet_rc refresh_news(struct carnet_replica *replica, struct carnet_err *err)
{
    struct carnet_tags *tags = &replica->tags;
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; rc == CARNET_OK && tags->walked && i < tags->news_count; i++) {
        int64_t holders[HOLDERS];
        size_t count = HOLDERS;
        for (int64_t after = 0; rc == CARNET_OK && count == HOLDERS;) {
            rc = carnet_store_tag_records(replica->store, tags->news[i], after, holders, HOLDERS, &count, err);
            for (size_t j = 0; rc == CARNET_OK && j < count; j++) {
                after = holders[j];
                rc = refresh_person(replica, holders[j], err);
            }
        }
    }
    tags->news_count = 0;
    return rc;
}

/* One record: its addresses get their tags. */
static carnet_rc compare_record(struct carnet_replica *replica, int64_t n, struct carnet_err *err)
{
    struct carnet_loaded loaded;
    struct hits hits = { .count = 0 };
    carnet_loaded_init(&loaded);
    carnet_rc rc = carnet_rows_at(replica, n, &loaded, err);
    const struct carnet_record *record = &loaded.record;
    bool contact = rc == CARNET_OK && record->kind == CARNET_KIND_CONTACT && !record->erased;
    for (size_t i = 0; rc == CARNET_OK && contact && i < record->live_count; i++) {
        const struct carnet_tag_cached *found;
        if (!is_address(replica, &record->live[i]))
            continue;
        rc = tags_of(replica, &record->live[i], &found, err);
        for (size_t k = 0; rc == CARNET_OK && k < replica->tags.key_count; k++) {
            find_hits(replica, found->tags[k], &hits);
            rc = carnet_store_tag_add(replica->store, n, found->tags[k], err);
        }
    }
    carnet_loaded_deinit(&loaded);
    if (rc == CARNET_OK && n > replica->tags.walked) {
        replica->tags.walked = n;
        replica->tags.walked_moved = true;
    } else if (rc == CARNET_OK) {
        rc = carnet_store_task_put(replica->store, CARNET_TASK_COMPARE, n, false, err);
    }
    replica->written++;
    return rc == CARNET_OK && hits.count ? refresh_person(replica, n, err) : rc;
}

static carnet_rc put_walked(struct carnet_replica *replica, struct carnet_err *err)
{
    struct carnet_tags *tags = &replica->tags;
    struct carnet_buf buf;
    if (!tags->walked_moved)
        return CARNET_OK;
    carnet_buf_init(&buf, 32);
    carnet_cbor_put_array(&buf, 2);
    carnet_cbor_put_uint(&buf, (uint64_t)tags->walked);
    carnet_cbor_put_uint(&buf, tags->walked_mark);
    carnet_rc rc = carnet_store_meta_put(replica->store, "tags", carnet_buf_slice(&buf), err);
    carnet_buf_deinit(&buf);
    tags->walked_moved = false;
    return rc;
}

carnet_rc carnet_tags_load(struct carnet_replica *replica, struct carnet_err *err)
{
    struct carnet_tags *tags = &replica->tags;
    struct carnet_buf buf;
    struct carnet_reader r;
    tags->walked = 0;
    tags->walked_mark = tags->idle_written = 0;
    tags->walked_moved = false;
    tags->news_count = tags->pending_count = 0;
    carnet_buf_init(&buf, 64);
    carnet_rc rc = carnet_store_meta_get(replica->store, "tags", &buf, err);
    if (rc == CARNET_OK) {
        carnet_reader_init(&r, carnet_buf_slice(&buf));
        carnet_reader_array_exact(&r, 2);
        tags->walked = (int64_t)carnet_reader_uint_max(&r, INT64_MAX - 1);
        tags->walked_mark = carnet_reader_uint(&r);
        if (carnet_reader_done(&r) != CARNET_OK)
            tags->walked = 0, tags->walked_mark = 0; /* comparing again does no harm */
    }
    carnet_buf_deinit(&buf);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

/* Other keys, other tags: all is compared again. */
static carnet_rc begin_again(struct carnet_replica *replica, struct carnet_err *err)
{
    struct carnet_tags *tags = &replica->tags;
    tags->walked = 0;
    tags->walked_mark = tags->key_mark;
    tags->walked_moved = true;
    replica->written++;
    carnet_rc rc = carnet_store_tags_empty(replica->store, err);
    int64_t n = 0;
    while (rc == CARNET_OK && (rc = carnet_store_task_next(replica->store, CARNET_TASK_COMPARE, 0, &n, err)) == CARNET_OK)
        rc = carnet_store_task_put(replica->store, CARNET_TASK_COMPARE, n, false, err);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

static carnet_rc compare_some(struct carnet_replica *replica, size_t most, bool *done, struct carnet_err *err)
{
    struct carnet_tags *tags = &replica->tags;
    carnet_rc rc = is_idle(replica, done, err);
    if (rc == CARNET_OK && !*done && tags->walked_mark != tags->key_mark)
        rc = begin_again(replica, err);
    for (size_t i = 0; rc == CARNET_OK && !*done && i < most; i++) {
        struct carnet_record_row row;
        int64_t n;
        rc = carnet_store_task_next(replica->store, CARNET_TASK_COMPARE, 0, &n, err);
        if (rc == CARNET_NOT_FOUND) {
            rc = carnet_store_record_next(replica->store, tags->walked + 1, &row, err);
            n = row.n;
        }
        *done = rc == CARNET_NOT_FOUND;
        if (rc == CARNET_OK)
            rc = compare_record(replica, n, err);
    }
    rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    return rc == CARNET_OK ? put_walked(replica, err) : rc;
}

carnet_rc carnet_tags_settle(struct carnet_replica *replica, struct carnet_err *err)
{
    bool done;
    if (!carnet_tags_on(replica)) {
        replica->tags.news_count = 0; /* with the key, all is compared */
        return CARNET_OK;
    }
    carnet_rc rc = refresh_news(replica, err);
    return rc == CARNET_OK ? compare_some(replica, SETTLE_RECORDS, &done, err) : rc;
}

bool carnet_tags_rest(struct carnet_replica *replica)
{
    struct carnet_tags *tags = &replica->tags;
    int64_t mono_ms = carnet_clock_mono_ms(&replica->env.clock), last = carnet_replica_last(replica);
    if (last != tags->busy_last) {
        tags->busy_ms = tags->busy_ms ? tags->busy_ms : mono_ms + 1;
        tags->busy_last = last;
        tags->quiet_ms = mono_ms + QUIET_MS;
    }
    if (mono_ms < tags->quiet_ms && mono_ms - tags->busy_ms < BUSY_MS)
        return true;
    tags->busy_ms = 0;
    return false;
}

carnet_rc carnet_tags_compare_next(struct carnet_replica *replica, bool *done, struct carnet_err *err)
{
    return compare_some(replica, 1, done, err);
}

/* --- writing tags --- */

static void add_pending(struct carnet_tags *tags, const uint8_t *tag, uint32_t purpose)
{
    for (size_t i = tags->pending_count; i > 0 && i + HOLDERS > tags->pending_count; i--) /* of one person; twice does no harm */
        if (tags->pending[i - 1].purpose == purpose && memcmp(tags->pending[i - 1].tag, tag, CARNET_TAG_LEN) == 0)
            return;
    CARNET_GROW(tags->pending, tags->pending_count, tags->pending_cap);
    struct carnet_tag *item = &tags->pending[tags->pending_count++];
    *item = (struct carnet_tag){ .purpose = purpose };
    memcpy(item->tag, tag, sizeof item->tag);
}

static uint64_t listed_at(const struct carnet_replica *replica, const uint8_t *tag, uint32_t purpose)
{
    return replica->tags.slot_count && purpose != UINT32_MAX ? slot_of(replica, tag, purpose)->hlc : 0;
}

/* Tags of the record's addresses that the list does not have for the purpose since `since`. */
static carnet_rc collect_record(struct carnet_replica *replica, const struct carnet_record *record, struct carnet_slice purpose, uint64_t since,
                                struct carnet_err *err)
{
    struct carnet_tags *tags = &replica->tags;
    uint32_t number = purpose_number(tags, purpose, true), all = purpose_number(tags, CARNET_SLICE_NONE, true);
    carnet_rc rc = CARNET_OK;
    for (size_t i = 0; rc == CARNET_OK && i < record->live_count; i++) {
        const struct carnet_tag_cached *found;
        if (!is_address(replica, &record->live[i]))
            continue;
        rc = tags_of(replica, &record->live[i], &found, err);
        if (rc == CARNET_OK && listed_at(replica, found->tags[0], number) < since && listed_at(replica, found->tags[0], all) < since)
            add_pending(tags, found->tags[0], number);
    }
    return rc;
}

static bool is_refusal(const struct carnet_event *event)
{
    return event->type == CARNET_EVENT_WITHDRAW || event->type == CARNET_EVENT_OBJECT || event->type == CARNET_EVENT_ERASE;
}

carnet_rc carnet_tags_collect(struct carnet_replica *replica, const struct carnet_record *record, int64_t n, const struct carnet_event *events, size_t count,
                              struct carnet_err *err)
{
    const struct carnet_record **person;
    size_t person_count;
    bool any = false, mistake = false;
    for (size_t i = 0; i < count; i++) {
        any = any || is_refusal(&events[i]);
        mistake = mistake || events[i].type == CARNET_EVENT_INVALIDATE;
    }
    if (!any || !may_tag(replica))
        return CARNET_OK;
    carnet_rc rc = carnet_rows_person(replica, record, n, &replica->write_arena, &person, &person_count, err);
    for (size_t i = 0; rc == CARNET_OK && i < count; i++) {
        struct carnet_slice purpose = events[i].type == CARNET_EVENT_ERASE ? CARNET_SLICE_NONE : events[i].purpose;
        if (mistake && events[i].type == CARNET_EVENT_ERASE)
            continue; /* an import that is undone: nobody refused anything */
        for (size_t j = 0; rc == CARNET_OK && is_refusal(&events[i]) && j < person_count; j++)
            rc = collect_record(replica, person[j], purpose, UINT64_MAX, err); /* said anew: who agreed since is refused again, here and elsewhere */
    }
    return rc;
}

static int compare_pending(const void *left, const void *right)
{
    const struct carnet_tag *a = left, *b = right;
    return a->purpose != b->purpose ? (a->purpose < b->purpose ? -1 : 1) : memcmp(a->tag, b->tag, sizeof a->tag);
}

carnet_rc carnet_tags_emit(struct carnet_replica *replica, struct carnet_err *err)
{
    struct carnet_tags *tags = &replica->tags;
    size_t count = tags->pending_count;
    carnet_rc rc = CARNET_OK;
    if (!count)
        return rc;
    qsort(tags->pending, count, sizeof *tags->pending, compare_pending); /* and so in no order that says whose they are */
    for (size_t i = 0; rc == CARNET_OK && i < count;) {
        uint8_t bytes[TAGS_OF_EVENT * CARNET_TAG_LEN];
        size_t in_event = 0;
        uint32_t purpose = tags->pending[i].purpose;
        for (; i < count && in_event < TAGS_OF_EVENT && tags->pending[i].purpose == purpose; i++)
            if (in_event == 0 || memcmp(bytes + (in_event - 1) * CARNET_TAG_LEN, tags->pending[i].tag, CARNET_TAG_LEN) != 0)
                memcpy(bytes + in_event++ * CARNET_TAG_LEN, tags->pending[i].tag, CARNET_TAG_LEN);
        const struct carnet_event event = {
            .type = CARNET_EVENT_SUPPRESS, .purpose = purpose_text(tags, purpose), .bytes = carnet_slice(bytes, in_event * CARNET_TAG_LEN)
        };
        struct carnet_id id = carnet_replica_new_id(replica);
        rc = carnet_batch_change(replica, &replica->community, CARNET_LOG_LAW, &id, NULL, CARNET_KIND_SUPPRESSION, 256 + event.bytes.len, true, err);
        if (rc == CARNET_OK)
            carnet_batch_event(replica, &event);
    }
    tags->pending_count = 0;
    return rc == CARNET_OK ? carnet_batch_flush(replica, err) : rc;
}

/* Has the person answered its refusal of the purpose since? Then a tag written now would take that back. */
static bool is_answered(struct carnet_replica *replica, const struct carnet_record *const *person, size_t count, struct carnet_slice purpose)
{
    struct carnet_consent consent = carnet_consent_evaluate(&replica->charter, person, count, purpose, carnet_replica_now_ms(replica));
    return purpose.len && (consent.live || consent.state == CARNET_CONSENT_REQUESTED);
}

/* Collects what the refusals on the record leave that is not on the list. */
static carnet_rc collect_owed(struct carnet_replica *replica, int64_t n, struct carnet_err *err)
{
    struct carnet_loaded loaded;
    struct carnet_arena arena;
    const struct carnet_record **person;
    size_t count = 0;
    carnet_loaded_init(&loaded);
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_rows_at(replica, n, &loaded, err);
    bool contact = rc == CARNET_OK && loaded.record.kind == CARNET_KIND_CONTACT && !loaded.record.erased;
    if (contact)
        rc = carnet_rows_person(replica, &loaded.record, n, &arena, &person, &count, err);
    for (size_t i = 0; rc == CARNET_OK && contact && i < loaded.record.event_count; i++) {
        struct carnet_event event;
        uint64_t type = carnet_event_peek(loaded.record.events[i].raw);
        if ((type != CARNET_EVENT_WITHDRAW && type != CARNET_EVENT_OBJECT) || carnet_event_decode(loaded.record.events[i].raw, &event) != CARNET_OK ||
            is_answered(replica, person, count, event.purpose))
            continue;
        for (size_t j = 0; rc == CARNET_OK && j < count; j++)
            rc = collect_record(replica, person[j], event.purpose, loaded.record.events[i].hlc, err);
    }
    carnet_arena_deinit(&arena);
    carnet_loaded_deinit(&loaded);
    return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
}

carnet_rc carnet_tags_owed(struct carnet_replica *replica, int64_t n, struct carnet_err *err)
{
    if (!may_tag(replica))
        return CARNET_OK;
    replica->tags.pending_count = 0;
    carnet_rc rc = collect_owed(replica, n, err);
    return rc == CARNET_OK ? carnet_tags_emit(replica, err) : rc;
}

/* Under number 0 stand the tags of addresses whose record is gone: whoever erased it may have been unable to tell. */
carnet_rc carnet_tags_last(struct carnet_replica *replica, const struct carnet_record *record, struct carnet_err *err)
{
    carnet_rc rc = CARNET_OK;
    bool any = false;
    if (!may_tag(replica))
        return rc;
    uint32_t all = purpose_number(&replica->tags, CARNET_SLICE_NONE, true);
    for (size_t i = 0; rc == CARNET_OK && i < record->live_count; i++) {
        const struct carnet_tag_cached *found;
        if (!is_address(replica, &record->live[i]))
            continue;
        rc = tags_of(replica, &record->live[i], &found, err);
        if (rc != CARNET_OK || listed_at(replica, found->tags[0], all))
            continue;
        any = true;
        rc = carnet_store_tag_add(replica->store, 0, found->tags[0], err);
    }
    return rc == CARNET_OK && any ? carnet_store_task_put(replica->store, CARNET_TASK_TAG, 0, true, err) : rc;
}

static carnet_rc collect_last(struct carnet_replica *replica, struct carnet_err *err)
{
    struct carnet_buf owed;
    uint32_t all = purpose_number(&replica->tags, CARNET_SLICE_NONE, true);
    carnet_buf_init(&owed, CARNET_STATE_LEN_MAX);
    carnet_rc rc = carnet_store_tags_of(replica->store, 0, &owed, err);
    for (size_t i = 0; rc == CARNET_OK && i + CARNET_TAG_LEN <= owed.len; i += CARNET_TAG_LEN)
        if (!listed_at(replica, owed.ptr + i, all))
            add_pending(&replica->tags, owed.ptr + i, all);
    carnet_buf_deinit(&owed);
    return rc == CARNET_OK ? carnet_store_tags_remove(replica->store, 0, err) : rc;
}

static int64_t tag_wait_ms(const struct carnet_replica *replica)
{
    return TAG_WAIT_MS + (int64_t)(carnet_id_head(&replica->node) % TAG_SPREAD_MS);
}

carnet_rc carnet_tags_task_next(struct carnet_replica *replica, bool *done, struct carnet_err *err)
{
    struct carnet_tags *tags = &replica->tags;
    int64_t n, mono_ms = carnet_clock_mono_ms(&replica->env.clock);
    *done = true;
    if (!may_tag(replica))
        return CARNET_OK;
    carnet_rc rc = carnet_store_task_next(replica->store, CARNET_TASK_TAG, 0, &n, err);
    if (rc == CARNET_NOT_FOUND)
        tags->due_ms = 0;
    if (rc != CARNET_OK)
        return rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    if (tags->due_ms == 0)
        tags->due_ms = mono_ms + tag_wait_ms(replica);
    if (mono_ms < tags->due_ms)
        return CARNET_OK;
    *done = false;
    tags->pending_count = 0;
    rc = n ? collect_owed(replica, n, err) : collect_last(replica, err);
    if (rc == CARNET_OK)
        rc = carnet_tags_emit(replica, err);
    replica->written++;
    return rc == CARNET_OK ? carnet_store_task_put(replica->store, CARNET_TASK_TAG, n, false, err) : rc;
}

/* --- the key of a community that was founded without --- */

static bool lacks_key(const struct carnet_replica *replica)
{
    const struct carnet_cert *self = carnet_replica_self(replica);
    if (!self || !(self->verbs & CARNET_VERB_CHARTER) || !(self->reads >> CARNET_SCOPE_CONSENT & 1) || carnet_keyring_count(replica->keyring) == 0)
        return false; /* no epoch at all: the charter has not come yet */
    for (size_t i = 0; i < carnet_keyring_count(replica->keyring); i++)
        if (carnet_id_equal(&carnet_keyring_at(replica->keyring, i)->book, &replica->community))
            return false;
    return true;
}

static int64_t key_wait_ms(const struct carnet_replica *replica)
{
    return KEY_WAIT_MS + (int64_t)(carnet_id_head(&replica->node) % KEY_WAIT_MS);
}

carnet_rc carnet_tags_key_make(struct carnet_replica *replica, struct carnet_err *err)
{
    struct carnet_tags *tags = &replica->tags;
    int64_t mono_ms = carnet_clock_mono_ms(&replica->env.clock);
    if (!lacks_key(replica)) {
        tags->key_ms = 0;
        return CARNET_OK;
    }
    if (tags->key_ms == 0)
        tags->key_ms = mono_ms + key_wait_ms(replica);
    if (mono_ms < tags->key_ms)
        return CARNET_OK;
    carnet_rc rc = carnet_book_make_tag_key(replica, err);
    return rc == CARNET_OK ? carnet_batch_flush(replica, err) : rc;
}

int64_t carnet_tags_due_ms(struct carnet_replica *replica, int64_t wall_ms)
{
    struct carnet_tags *tags = &replica->tags;
    int64_t n, mono_ms = carnet_clock_mono_ms(&replica->env.clock), due_ms = INT64_MAX;
    bool idle;
    if (is_idle(replica, &idle, NULL) != CARNET_OK || !idle)
        return carnet_tags_rest(replica) ? wall_ms + QUIET_MS : wall_ms;
    if (may_tag(replica) && carnet_store_task_next(replica->store, CARNET_TASK_TAG, 0, &n, NULL) == CARNET_OK)
        due_ms = tags->due_ms > mono_ms ? wall_ms + (tags->due_ms - mono_ms) : wall_ms;
    if (lacks_key(replica))
        due_ms = tags->key_ms > mono_ms ? wall_ms + (tags->key_ms - mono_ms) : wall_ms;
    return due_ms;
}

/* --- what use cases ask --- */

bool carnet_suppressed_for(const struct carnet_suppressed *suppressed, struct carnet_slice purpose)
{
    for (size_t i = 0; i < suppressed->count; i++)
        if (carnet_slice_equal(suppressed->purposes[i], purpose))
            return true;
    return suppressed->all;
}

carnet_rc carnet_replica_suppressed(struct carnet_replica *replica, uint32_t field, struct carnet_slice value, struct carnet_suppressed *out, struct carnet_err *err)
{
    const struct carnet_tag_cached *found;
    struct hits hits = { .count = 0 };
    out->all = false;
    out->count = 0;
    if (!value.len || !is_address_field(replica, field) || !carnet_tags_on(replica))
        return CARNET_OK;
    carnet_rc rc = find_tags(replica, value, &found, err);
    for (size_t k = 0; rc == CARNET_OK && k < replica->tags.key_count; k++)
        find_hits(replica, found->tags[k], &hits);
    for (size_t i = 0; i < hits.count; i++) {
        struct carnet_slice purpose = purpose_text(&replica->tags, hits.at[i].purpose);
        if (!purpose.len)
            out->all = true;
        else if (out->count < CARNET_SUPPRESSED_MAX)
            out->purposes[out->count++] = purpose;
    }
    return rc;
}

/* Does somebody who holds the address agree to the purpose (empty: to any) all the same? */
static carnet_rc is_passed(struct carnet_replica *replica, const uint8_t *tag, struct carnet_slice purpose, bool *out, struct carnet_err *err)
{
    int64_t holders[HOLDERS];
    size_t count;
    *out = false;
    carnet_rc rc = carnet_store_tag_records(replica->store, tag, 0, holders, HOLDERS, &count, err);
    for (size_t i = 0; rc == CARNET_OK && !*out && i < count; i++) {
        struct carnet_loaded loaded;
        struct carnet_arena arena;
        const struct carnet_record **person;
        size_t person_count;
        carnet_loaded_init(&loaded);
        carnet_arena_init(&arena);
        rc = carnet_rows_at(replica, holders[i], &loaded, err);
        if (rc == CARNET_OK)
            rc = carnet_rows_person(replica, &loaded.record, holders[i], &arena, &person, &person_count, err);
        if (rc == CARNET_OK && purpose.len)
            *out = carnet_consent_evaluate(&replica->charter, person, person_count, purpose, carnet_replica_now_ms(replica)).live;
        else if (rc == CARNET_OK)
            *out = carnet_consent_open(&replica->charter, person, person_count, carnet_replica_now_ms(replica)) & ~(1u << CARNET_SCOPE_CONSENT);
        carnet_arena_deinit(&arena);
        carnet_loaded_deinit(&loaded);
    }
    return rc;
}

carnet_rc carnet_replica_suppress(struct carnet_replica *replica, const struct carnet_slice *addresses, size_t count, struct carnet_slice purpose, size_t *written,
                                  struct carnet_err *err)
{
    struct carnet_tags *tags = &replica->tags;
    bool mine;
    uint64_t before;
    size_t pending = 0;
    if (purpose.len > CARNET_LABEL_LEN_MAX)
        return carnet_err_set(err, CARNET_USAGE, "there is no such purpose");
    if (!may_tag(replica)) {
        carnet_err_set(err, CARNET_REFUSED, "this node does not hold the key of the suppression list");
        carnet_err_hint(err, "an office does, and a gateway; a new one gets it when it meets the node that invited it");
        return CARNET_REFUSED;
    }
    carnet_rc rc = carnet_tx_enter(replica, &mine, &before, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_batch_reset(replica);
    uint32_t number = purpose_number(tags, purpose, true), all = purpose_number(tags, CARNET_SLICE_NONE, true);
    for (size_t i = 0; rc == CARNET_OK && i < count; i++) {
        const struct carnet_tag_cached *found;
        bool passed = false;
        if (!addresses[i].len)
            continue;
        rc = find_tags(replica, addresses[i], &found, err);
        if (rc != CARNET_OK)
            break;
        uint8_t tag[CARNET_TAG_LEN];
        memcpy(tag, found->tags[0], sizeof tag); /* the cache may change */
        bool listed = listed_at(replica, tag, number) || listed_at(replica, tag, all);
        if (listed)
            rc = is_passed(replica, tag, purpose, &passed, err);
        if (rc == CARNET_OK && (!listed || passed))
            add_pending(tags, tag, number);
    }
    pending = tags->pending_count;
    if (rc == CARNET_OK)
        rc = carnet_tags_emit(replica, err);
    if (written)
        *written = rc == CARNET_OK ? pending : 0;
    return carnet_tx_leave(replica, mine, before, rc, err);
}

carnet_rc carnet_replica_compare(struct carnet_replica *replica, bool *done, struct carnet_err *err)
{
    bool mine;
    uint64_t before;
    carnet_rc rc = carnet_tx_enter(replica, &mine, &before, err);
    if (rc != CARNET_OK)
        return rc;
    carnet_batch_reset(replica);
    rc = compare_some(replica, COMPARE_RECORDS, done, err);
    return carnet_tx_leave(replica, mine, before, rc, err);
}

carnet_rc carnet_replica_suppression(struct carnet_replica *replica, struct carnet_suppression *out, struct carnet_err *err)
{
    struct carnet_store_counts counts;
    *out = (struct carnet_suppression){ .tags = replica->tags.count, .key = has_key(replica) };
    bool idle;
    carnet_rc rc = is_idle(replica, &idle, err);
    if (rc != CARNET_OK || idle)
        return rc;
    rc = carnet_store_task_count(replica->store, CARNET_TASK_COMPARE, &out->comparing, err);
    if (rc == CARNET_OK)
        rc = carnet_store_count(replica->store, &counts, err);
    if (rc == CARNET_OK && counts.records > replica->tags.walked)
        out->comparing += counts.records - replica->tags.walked;
    return rc;
}
