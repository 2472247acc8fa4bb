// SPDX-License-Identifier: EUPL-1.2
#include "engine.h"
#include "parts.h"

#include <stdlib.h>
#include <string.h>

/* Is there a slot for one more frame of this step? If not, the driver comes back for the rest. */
static bool room(struct carnet_sync *sync, const struct carnet_sync_update *update)
{
    if (update->frame_count < CARNET_SYNC_FRAMES_MAX - FRAMES_KEPT)
        return true;
    sync->blocked = true;
    return false;
}

static int64_t last(const struct carnet_sync *sync)
{
    return sync->source->last(sync->source->ctx);
}

bool carnet_sync_fetch(struct carnet_sync *sync, unsigned lane, int64_t n, struct carnet_sync_entry *out)
{
    return sync->source->next(sync->source->ctx, lane, n, out) && out->n == n;
}

/* The entry's bytes as the peer gets them. false: they do not decode, a damaged store; nothing may leave unstripped. */
static bool strip(struct carnet_sync *sync, struct carnet_slice bytes, struct carnet_slice *out, struct parts *parts)
{
    bool good = carnet_parts_strip(&sync->peer, bytes, &sync->scratch, &sync->stripped, parts);
    *out = carnet_buf_slice(&sync->stripped);
    return good;
}

static bool as_sent(struct carnet_sync *sync, struct carnet_slice bytes, struct carnet_slice *out)
{
    struct parts parts;
    *out = bytes;
    return sync->gets_all || strip(sync, bytes, out, &parts);
}

/* --- frames of entries --- */

/* Adds an entry to the body under way; false: it does not fit any more. */
static bool add_entry(struct carnet_sync *sync, struct carnet_slice bytes, size_t *count)
{
    if (*count == CARNET_SYNC_ENTRIES_MAX || (*count && sync->body.len + bytes.len > FRAME_FILL_MAX))
        return false;
    carnet_cbor_put_bytes(&sync->body, bytes);
    (*count)++;
    return true;
}

static void send_body(struct carnet_sync *sync, struct carnet_sync_update *update, enum frame_type type, size_t count)
{
    struct carnet_buf *out = carnet_sync_frame(sync, update, type, 2);
    carnet_cbor_put_array(out, count);
    carnet_buf_append_slice(out, carnet_buf_slice(&sync->body));
    carnet_sync_frame_end(sync, update);
    if (type == FRAME_ENTRIES) {
        CARNET_ASSERT(sync->credit);
        sync->credit--;
        sync->stats.sent_entries += count;
    }
}

/* --- pushing what is new, lanes that are done --- */

bool carnet_sync_peer_has(struct carnet_sync *sync, const struct carnet_sync_entry *entry)
{
    if (!carnet_sync_shared(sync, &entry->book))
        return true;
    size_t book = carnet_sync_book_index(sync, &entry->book, false);
    const struct chain *chain = book == SIZE_MAX ? NULL : carnet_table_find(&sync->table, book, &entry->author, entry->stream);
    return chain && (chain->stopped || entry->seq <= chain->seq);
}

static void mark_sent(struct carnet_sync *sync, const struct carnet_sync_entry *entry, bool stopped)
{
    size_t book = carnet_sync_book_index(sync, &entry->book, true);
    if (book == SIZE_MAX)
        return;
    struct chain *chain = carnet_table_get(&sync->table, book, &entry->author, entry->stream);
    if (chain->seq < entry->seq)
        chain->seq = entry->seq;
    chain->stopped = chain->stopped || stopped;
}

/* Passes over what the peer has. true: out is an entry that it lacks. */
static bool next_new(struct carnet_sync *sync, unsigned lane, struct carnet_sync_entry *out)
{
    const struct carnet_sync_source *source = sync->source;
    int64_t end = last(sync);
    while (sync->cursor[lane] <= end) {
        if (sync->walked++ >= WALK_MAX) {
            sync->blocked = true;
            return false;
        }
        if (!source->next(source->ctx, lane, sync->cursor[lane], out) || out->n > end) {
            sync->cursor[lane] = end + 1;
            return false;
        }
        if (!carnet_sync_peer_has(sync, out))
            return true;
        sync->cursor[lane] = out->n + 1;
    }
    return false;
}

static bool push(struct carnet_sync *sync, unsigned lane, struct carnet_sync_update *update)
{
    struct carnet_sync_entry entry;
    size_t count = 0;
    if (!next_new(sync, lane, &entry) || !sync->credit || !room(sync, update))
        return false;
    carnet_buf_clear(&sync->body);
    do {
        struct carnet_slice bytes;
        bool good = as_sent(sync, entry.bytes, &bytes);
        if (good && !add_entry(sync, bytes, &count))
            break;
        mark_sent(sync, &entry, !good);
        sync->cursor[lane] = entry.n + 1;
    } while (next_new(sync, lane, &entry));
    if (count)
        send_body(sync, update, FRAME_ENTRIES, count);
    return true;
}

bool carnet_sync_idle(const struct carnet_sync *sync)
{
    int64_t end = last(sync);
    for (unsigned lane = 0; lane < CARNET_LANES; lane++) {
        if (sync->cursor[lane] <= end)
            return false;
    }
    return sync->answer_count == 0;
}

/* --- a lane --- */

struct collector {
    struct carnet_sync *sync;
    size_t book;
    const struct carnet_cert *self;
};

static void collect_head(void *arg, const struct carnet_sync_head *head)
{
    struct collector *c = arg;
    struct sync_book *book = &c->sync->books[c->book];
    size_t before = c->sync->table.count;
    if (book->count == CARNET_AUTHORS_MAX || head->seq == 0)
        return;
    struct chain *chain = carnet_table_get(&c->sync->table, c->book, &head->author, head->stream);
    CARNET_ASSERT(c->sync->table.count == before + 1); /* a lane is read once, and nothing of it passes before */
    chain->head_seq = head->seq;
    memcpy(chain->head_mark, head->hash.b, FRAME_MARK_LEN);
    book->count++;
    if (carnet_id_equal(&head->author, &c->self->node) && head->stream / 2 > book->own_incarnation)
        book->own_incarnation = head->stream / 2;
}

static bool differs(const struct sync_book *book, unsigned lane)
{
    size_t which = lane == 2;
    return book->listed_mine && book->listed_theirs && memcmp(book->mine[which], book->theirs[which], FRAME_DIGEST_LEN) != 0;
}

static void enter_lane(struct carnet_sync *sync, unsigned lane)
{
    const struct carnet_sync_source *source = sync->source;
    sync->entered = true;
    sync->ready = false;
    sync->lane_book_count = sync->have_out = sync->have_in = sync->have_in_rows = 0;
    sync->have_out_row = 0;
    for (size_t i = lane ? 1 : 0; i < (lane ? sync->book_count : 1); i++) {
        if (!differs(&sync->books[i], lane))
            continue;
        CARNET_GROW(sync->lane_books, sync->lane_book_count, sync->lane_book_cap);
        size_t at = sync->lane_book_count++;
        /* in the order of ids: both sides walk the same list */
        for (; at && carnet_id_compare(&sync->books[sync->lane_books[at - 1]].id, &sync->books[i].id) > 0; at--)
            sync->lane_books[at] = sync->lane_books[at - 1];
        sync->lane_books[at] = (uint16_t)i;
    }
    for (size_t i = 0; i < sync->lane_book_count; i++) {
        struct collector c = { .sync = sync, .book = sync->lane_books[i], .self = source->self(source->ctx) };
        struct sync_book *book = &sync->books[c.book];
        book->first = (uint32_t)sync->table.count;
        book->count = book->own_incarnation = 0;
        const struct carnet_id id = book->id;
        source->heads(source->ctx, &id, lane, collect_head, &c);
    }
}

static void send_have(struct carnet_sync *sync, unsigned lane, struct carnet_sync_update *update)
{
    const struct sync_book *book = &sync->books[sync->lane_books[sync->have_out]];
    uint32_t left = book->count - sync->have_out_row;
    uint32_t rows = left > FRAME_ROWS_MAX ? FRAME_ROWS_MAX : left;
    struct carnet_buf *out = carnet_sync_frame(sync, update, FRAME_HAVE, 5);
    carnet_cbor_put_uint(out, lane);
    carnet_cbor_put_id(out, &book->id);
    carnet_cbor_put_bool(out, rows < left);
    carnet_cbor_put_array(out, rows);
    for (uint32_t i = 0; i < rows; i++) {
        const struct chain *chain = &sync->table.rows[book->first + sync->have_out_row + i];
        struct frame_head head = { .author = chain->author, .stream = chain->stream, .seq = chain->head_seq };
        memcpy(head.mark, chain->head_mark, sizeof head.mark);
        carnet_frame_put_head(out, &head);
    }
    carnet_sync_frame_end(sync, update);
    sync->have_out_row += rows;
    if (rows == left) {
        sync->have_out++;
        sync->have_out_row = 0;
    }
}

static int64_t position(const struct carnet_sync *sync, const struct chain *chain, uint64_t seq)
{
    const struct carnet_id book = sync->books[chain->book].id;
    const struct carnet_id author = chain->author;
    return sync->source->position(sync->source->ctx, &book, &author, chain->stream, seq);
}

/* The first entry that the peer lacks of each chain; from there each leads to its next one. */
static void make_heap(struct carnet_sync *sync)
{
    sync->ready = true;
    sync->heap.count = 0;
    for (size_t i = 0; i < sync->lane_book_count; i++) {
        const struct sync_book *book = &sync->books[sync->lane_books[i]];
        for (uint32_t row = book->first; row < book->first + book->count; row++) {
            const struct chain *chain = &sync->table.rows[row];
            int64_t n = chain->stopped || chain->seq >= chain->head_seq ? 0 : position(sync, chain, chain->seq + 1);
            if (n > 0)
                carnet_heap_push(&sync->heap, n, row);
        }
    }
}

static void send_heap(struct carnet_sync *sync, unsigned lane, struct carnet_sync_update *update)
{
    size_t count = 0;
    carnet_buf_clear(&sync->body);
    while (sync->heap.count) {
        struct heap_item item = sync->heap.items[0];
        struct chain *chain = &sync->table.rows[item.chain];
        struct carnet_sync_entry entry;
        struct carnet_slice bytes;
        bool here = !chain->stopped && carnet_sync_fetch(sync, lane, item.n, &entry) && entry.seq == chain->seq + 1 && entry.stream == chain->stream &&
                    carnet_id_equal(&entry.author, &chain->author);
        if (here && as_sent(sync, entry.bytes, &bytes)) {
            if (!add_entry(sync, bytes, &count))
                break;
            chain->seq++;
            carnet_heap_pop(&sync->heap);
            int64_t n = position(sync, chain, chain->seq + 1);
            if (n > 0)
                carnet_heap_push(&sync->heap, n, item.chain);
        } else {
            carnet_heap_pop(&sync->heap);
            chain->stopped = true;
        }
    }
    if (count)
        send_body(sync, update, FRAME_ENTRIES, count);
}

static void next_stage(struct carnet_sync *sync)
{
    unsigned lane = carnet_sync_stage_lane(sync->stage);
    if (lane < CARNET_LANES)
        sync->lanes_done |= 1u << lane;
    sync->entered = sync->my_done = sync->peer_done = false;
    sync->stage = (enum stage)(sync->stage + 1);
    sync->ask = true;
}

static bool step_lane(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    unsigned lane = carnet_sync_stage_lane(sync->stage);
    struct carnet_sync_entry entry;
    if (!sync->entered) {
        enter_lane(sync, lane);
        if (lane == 0)
            sync->charter_ran = sync->lane_book_count != 0;
        if (sync->lane_book_count == 0)
            next_stage(sync);
        return true;
    }
    if (sync->have_out < sync->lane_book_count) {
        if (!room(sync, update))
            return false;
        send_have(sync, lane, update);
        return true;
    }
    if (!sync->ready) {
        if (sync->have_in < sync->lane_book_count)
            return false;
        make_heap(sync);
    }
    /* what comes from the peer need not be looked at all at once when the lane is done */
    (void)next_new(sync, lane, &entry);
    if (sync->heap.count) {
        if (!sync->credit || !room(sync, update))
            return false;
        send_heap(sync, lane, update);
        return true;
    }
    if (!sync->my_done) {
        if (!room(sync, update))
            return false;
        carnet_cbor_put_uint(carnet_sync_frame(sync, update, FRAME_DONE, 2), lane);
        carnet_sync_frame_end(sync, update);
        sync->my_done = true;
    }
    if (!sync->peer_done)
        return false;
    next_stage(sync);
    return true;
}

static bool step_books(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    if (!sync->charter_ran || (sync->sent_books && sync->got_books)) {
        next_stage(sync);
        return true;
    }
    if (sync->sent_books || !room(sync, update))
        return false;
    carnet_sync_list(sync, 1);
    struct carnet_buf *out = carnet_sync_frame(sync, update, FRAME_BOOKS, 3);
    carnet_cbor_put_uint(out, sync->my_wants);
    carnet_sync_put_list(sync, out);
    carnet_sync_frame_end(sync, update);
    sync->sent_books = true;
    return true;
}

/* --- parts that are missing --- */

static bool was_asked(const struct carnet_sync *sync, const struct carnet_sync_head *want)
{
    for (size_t i = 0; i < sync->asked_count; i++) {
        const struct frame_place *place = &sync->asked[i].place;
        if (place->seq == want->seq && place->stream == want->stream && carnet_id_equal(&place->author, &want->author) &&
            carnet_id_equal(&place->book, &want->book))
            return true;
    }
    return false;
}

/* Asks for the entries that lack parts, each once in a session: whatever the answer, the peer has no more. */
static bool ask(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    if (!sync->ask || sync->unanswered || sync->asked_count == ASKED_MAX || !room(sync, update))
        return false;
    sync->ask = false;
    size_t count = 0;
    struct carnet_sync_head *wants = carnet_alloc(ASKED_MAX * sizeof *wants);
    size_t found = sync->source->wants(sync->source->ctx, &sync->peer, wants, ASKED_MAX);
    carnet_buf_clear(&sync->body);
    for (size_t i = 0; i < found && count < FRAME_WANTS_MAX && sync->asked_count < ASKED_MAX; i++) {
        if (!carnet_sync_shared(sync, &wants[i].book) || was_asked(sync, &wants[i]))
            continue;
        struct frame_place place = { .book = wants[i].book, .author = wants[i].author, .stream = wants[i].stream, .seq = wants[i].seq };
        CARNET_GROW(sync->asked, sync->asked_count, sync->asked_cap);
        sync->asked[sync->asked_count++] = (struct asked){ .place = place };
        carnet_frame_put_place(&sync->body, &place);
        count++;
    }
    free(wants);
    sync->unanswered = count;
    if (count)
        send_body(sync, update, FRAME_WANT, count);
    return count != 0;
}

/* Answers some of what the peer asks for: the entry again with what is here, or that it is gone. */
static bool answer(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    struct carnet_buf gone;
    size_t at = 0, count = 0, gone_count = 0;
    if (!sync->answer_count || !sync->credit || !room(sync, update) || update->frame_count + 2 > CARNET_SYNC_FRAMES_MAX - FRAMES_KEPT)
        return false;
    carnet_buf_init(&gone, CARNET_FRAME_LEN_MAX);
    carnet_buf_clear(&sync->body);
    for (; at < sync->answer_count && at < FRAME_WANTS_MAX; at++) {
        const struct frame_place *place = &sync->answers[at];
        unsigned lane = carnet_sync_lane_of(sync, &place->book, place->stream);
        struct carnet_sync_entry entry;
        struct carnet_slice bytes;
        struct parts parts;
        int64_t n = carnet_sync_shared(sync, &place->book)
                        ? sync->source->position(sync->source->ctx, &place->book, &place->author, place->stream, place->seq)
                        : 0;
        if (n > 0 && carnet_sync_fetch(sync, lane, n, &entry) && strip(sync, entry.bytes, &bytes, &parts) && parts.here) {
            if (!add_entry(sync, bytes, &count))
                break;
        } else {
            carnet_frame_put_place(&gone, place);
            gone_count++;
        }
    }
    if (count)
        send_body(sync, update, FRAME_ENTRIES, count);
    carnet_buf_clear(&sync->body);
    carnet_buf_append_slice(&sync->body, carnet_buf_slice(&gone));
    carnet_buf_deinit(&gone);
    if (gone_count)
        send_body(sync, update, FRAME_GONE, gone_count);
    sync->answer_count -= at;
    memmove(sync->answers, sync->answers + at, sync->answer_count * sizeof *sync->answers);
    return true;
}

static bool step_wants(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    if (!sync->entered) {
        sync->entered = true;
        if (sync->my_wants == 0 && sync->peer_wants == 0) {
            next_stage(sync);
            return true;
        }
    }
    if (ask(sync, update))
        return true;
    if (!sync->my_done && !sync->unanswered && !sync->ask && room(sync, update)) {
        carnet_cbor_put_uint(carnet_sync_frame(sync, update, FRAME_DONE, 2), LANE_WANTS);
        carnet_sync_frame_end(sync, update);
        sync->my_done = true;
    }
    if (!sync->my_done || !sync->peer_done)
        return false;
    next_stage(sync);
    return true;
}

/* --- all together --- */

static bool step_stage(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    switch (sync->stage) {
    case STAGE_HELLO:
        return false;
    case STAGE_CHARTER:
    case STAGE_LAW:
    case STAGE_DATA:
        return step_lane(sync, update);
    case STAGE_BOOKS:
        return step_books(sync, update);
    case STAGE_WANTS:
        return step_wants(sync, update);
    case STAGE_LIVE:
        return ask(sync, update);
    }
    return false;
}

void carnet_sync_pump(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    bool moved = true;
    while (moved && !sync->closed) {
        moved = false;
        /* the charter and law leave before data, also while a long lane is under way */
        for (unsigned lane = 0; lane < CARNET_LANES && !moved; lane++)
            moved = (sync->lanes_done & 1u << lane) && push(sync, lane, update);
        moved = moved || answer(sync, update) || step_stage(sync, update);
    }
}

uint64_t carnet_sync_pending(struct carnet_sync *sync)
{
    enum { COUNT_MAX = 100000 };
    const struct carnet_sync_source *source = sync->source;
    uint64_t pending = 0;
    if (!sync->authenticated || sync->closed || sync->stage == STAGE_HELLO)
        return 0;
    for (size_t i = 0; i < sync->heap.count; i++) {
        const struct chain *chain = &sync->table.rows[sync->heap.items[i].chain];
        pending += chain->stopped || chain->head_seq < chain->seq ? 0 : chain->head_seq - chain->seq;
    }
    for (unsigned lane = 0; lane < CARNET_LANES; lane++) {
        struct carnet_sync_entry entry;
        int64_t from = sync->cursor[lane];
        for (size_t looked = 0; looked < COUNT_MAX && source->next(source->ctx, lane, from, &entry); looked++) {
            pending += !carnet_sync_peer_has(sync, &entry);
            from = entry.n + 1;
        }
    }
    return pending;
}
