// SPDX-License-Identifier: EUPL-1.2
#include "engine.h"

#include <string.h>

/* --- have --- */

static bool same_place(const struct frame_place *a, const struct frame_place *b)
{
    return a->seq == b->seq && a->stream == b->stream && carnet_id_equal(&a->author, &b->author) && carnet_id_equal(&a->book, &b->book);
}

/* The first bytes of the hash of an entry held here; false: it is not here any more. */
static bool mark_at(struct carnet_sync *sync, const struct chain *chain, unsigned lane, uint64_t seq, uint8_t mark[FRAME_MARK_LEN])
{
    const struct carnet_sync_source *source = sync->source;
    const struct carnet_id book = sync->books[chain->book].id;
    struct carnet_sync_entry entry;
    struct carnet_entry_header header;
    struct carnet_hash hash;
    int64_t n = source->position(source->ctx, &book, &chain->author, chain->stream, seq);
    if (n <= 0 || !carnet_sync_fetch(sync, lane, n, &entry) || carnet_entry_peek(entry.bytes, &header, &hash) != CARNET_OK)
        return false;
    memcpy(mark, hash.b, FRAME_MARK_LEN);
    return true;
}

/* The peer has more of a chain of this node's own than this node: restored from a backup, or a disk that lost what it had acknowledged. */
static void behind(const struct carnet_sync *sync, const struct sync_book *book, const struct frame_head *row, struct carnet_sync_update *update)
{
    const struct carnet_cert *self = sync->source->self(sync->source->ctx);
    uint32_t incarnation = row->stream / 2;
    if (!carnet_id_equal(&row->author, &self->node) || incarnation < book->own_incarnation)
        return;
    update->behind_own_log = true;
    if (incarnation > update->behind_incarnation)
        update->behind_incarnation = incarnation;
}

static void take_head(struct carnet_sync *sync, unsigned lane, size_t book, const struct frame_head *row, struct carnet_sync_update *update)
{
    struct chain *chain = carnet_table_find(&sync->table, book, &row->author, row->stream);
    uint8_t mark[FRAME_MARK_LEN];
    if (!chain || row->seq > chain->head_seq)
        behind(sync, &sync->books[book], row, update);
    if (!chain)
        return;
    bool known = row->seq <= chain->head_seq;
    if (row->seq == chain->head_seq)
        memcpy(mark, chain->head_mark, sizeof mark);
    else
        known = known && mark_at(sync, chain, lane, row->seq, mark);
    if (known && memcmp(mark, row->mark, sizeof mark) != 0) {
        chain->stopped = true;
        sync->stats.forks++;
    } else if (row->seq > chain->seq) {
        chain->seq = row->seq;
    }
}

static int compare_heads(const struct frame_head *a, const struct frame_head *b)
{
    int order = carnet_id_compare(&a->author, &b->author);
    return order ? order : a->stream < b->stream ? -1 : a->stream > b->stream;
}

static void on_have(struct carnet_sync *sync, struct frame *f, struct carnet_sync_update *update)
{
    unsigned lane = carnet_sync_stage_lane(sync->stage);
    if (f->lane != lane || !sync->entered || sync->have_in >= sync->lane_book_count) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_ORDER);
        return;
    }
    size_t book = sync->lane_books[sync->have_in];
    if (!carnet_id_equal(&f->book, &sync->books[book].id) || (f->more && f->rows == 0)) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_ORDER);
        return;
    }
    if (sync->have_in_rows + f->rows > CARNET_AUTHORS_MAX) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_LIMIT);
        return;
    }
    for (size_t i = 0; i < f->rows; i++) {
        struct frame_head row;
        carnet_frame_head(f, &row);
        bool wrong = f->r.failed || (lane != 0 && carnet_sync_lane_of(sync, &f->book, row.stream) != lane) ||
                     (sync->have_in_rows && compare_heads(&sync->have_in_last, &row) >= 0);
        if (wrong) {
            carnet_sync_close(sync, CARNET_SYNC_REASON_NOISE);
            return;
        }
        take_head(sync, lane, book, &row, update);
        sync->have_in_last = row;
        sync->have_in_rows++;
    }
    if (!carnet_frame_done(f)) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_NOISE);
        return;
    }
    if (!f->more) {
        sync->have_in++;
        sync->have_in_rows = 0;
    }
}

/* --- entries --- */

static void credit(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    carnet_cbor_put_uint(carnet_sync_frame(sync, update, FRAME_CREDIT, 2), 1);
    carnet_sync_frame_end(sync, update);
}

static void answered(struct carnet_sync *sync, const struct frame_place *place)
{
    for (size_t i = 0; sync->unanswered && i < sync->asked_count; i++) {
        if (!sync->asked[i].answered && same_place(&sync->asked[i].place, place)) {
            sync->asked[i].answered = true;
            sync->unanswered--;
            sync->ask = sync->unanswered == 0;
        }
    }
}

/* One entry was refused: what follows it in its chain could not be taken either, whatever else comes goes on. */
static bool is_refused(const struct carnet_sync *sync, const struct frame_place *place)
{
    for (size_t i = 0; i < sync->refused_count; i++) {
        const struct frame_place *r = &sync->refused[i];
        if (r->stream == place->stream && r->seq < place->seq && carnet_id_equal(&r->author, &place->author) &&
            carnet_id_equal(&r->book, &place->book))
            return true;
    }
    return false;
}

static void on_entries(struct carnet_sync *sync, struct frame *f, struct carnet_sync_update *update)
{
    struct carnet_slice raw[CARNET_SYNC_ENTRIES_MAX];
    for (size_t i = 0; i < f->rows; i++)
        raw[i] = carnet_frame_entry(f);
    if (!carnet_frame_done(f) || f->rows == 0) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_NOISE);
        return;
    }
    unsigned open = sync->lanes_done, lane = carnet_sync_stage_lane(sync->stage);
    if (lane < CARNET_LANES && sync->have_in == sync->lane_book_count && !sync->peer_done)
        open |= 1u << lane;
    for (size_t i = 0; i < f->rows; i++) {
        struct carnet_entry_header header;
        struct carnet_hash hash;
        sync->stats.received_entries++;
        if (raw[i].len > CARNET_ENTRY_LEN_MAX || carnet_entry_peek(raw[i], &header, &hash) != CARNET_OK ||
            !carnet_id_equal(&header.community, &sync->books[0].id) || !carnet_sync_shared(sync, &header.book)) {
            sync->stats.refused_entries++;
            continue;
        }
        struct frame_place place = {
            .book = header.book, .author = header.author, .stream = carnet_entry_stream(&header), .seq = header.seq
        };
        if (!(open & 1u << carnet_sync_lane_of(sync, &place.book, place.stream))) {
            carnet_sync_close(sync, CARNET_SYNC_REASON_ORDER);
            return;
        }
        answered(sync, &place);
        if (is_refused(sync, &place)) {
            sync->stats.refused_entries++;
            continue;
        }
        sync->applying[sync->applying_count++] = place;
        update->entries[update->entry_count++] = raw[i];
    }
    if (sync->applying_count == 0)
        credit(sync, update);
}

static void refuse(struct carnet_sync *sync, const struct frame_place *place, struct carnet_buf *rows, size_t *count)
{
    sync->stats.refused_entries++;
    if (is_refused(sync, place))
        return;
    carnet_frame_put_place(rows, place);
    (*count)++;
    if (sync->refused_count == REFUSED_MAX)
        return;
    CARNET_GROW(sync->refused, sync->refused_count, sync->refused_cap);
    sync->refused[sync->refused_count++] = *place;
}

void carnet_sync_applied(struct carnet_sync *sync, const carnet_rc *rcs, struct carnet_sync_update *update)
{
    size_t stop_count = 0;
    CARNET_ASSERT(sync->applying_count && rcs);
    carnet_buf_clear(&sync->body);
    for (size_t i = 0; i < sync->applying_count; i++) {
        const struct frame_place *place = &sync->applying[i];
        if (rcs[i] == CARNET_OK) {
            size_t book = carnet_sync_book_index(sync, &place->book, true);
            struct chain *chain = book == SIZE_MAX ? NULL : carnet_table_get(&sync->table, book, &place->author, place->stream);
            if (chain && chain->seq < place->seq)
                chain->seq = place->seq;
        } else {
            if (rcs[i] == CARNET_FORK)
                sync->stats.forks++;
            refuse(sync, place, &sync->body, &stop_count);
        }
    }
    sync->applying_count = 0;
    sync->ask = true;
    if (stop_count) {
        struct carnet_buf *out = carnet_sync_frame(sync, update, FRAME_STOP, 2);
        carnet_cbor_put_array(out, stop_count);
        carnet_buf_append_slice(out, carnet_buf_slice(&sync->body));
        carnet_sync_frame_end(sync, update);
    }
    credit(sync, update);
}

/* --- the small ones --- */

static void on_books(struct carnet_sync *sync, struct frame *f)
{
    if (sync->stage != STAGE_BOOKS || sync->got_books) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_ORDER);
        return;
    }
    sync->got_books = true;
    sync->peer_wants = f->wants;
    if (!carnet_sync_read_list(sync, f))
        carnet_sync_close(sync, CARNET_SYNC_REASON_NOISE);
}

static void on_done(struct carnet_sync *sync, const struct frame *f)
{
    unsigned lane = sync->stage == STAGE_WANTS ? LANE_WANTS : carnet_sync_stage_lane(sync->stage);
    bool in_lane = sync->stage == STAGE_WANTS || lane < CARNET_LANES;
    if (!in_lane || f->lane != lane || sync->peer_done || (lane < CARNET_LANES && sync->have_in < sync->lane_book_count))
        carnet_sync_close(sync, CARNET_SYNC_REASON_ORDER);
    else
        sync->peer_done = true;
}

static void on_credit(struct carnet_sync *sync, const struct frame *f)
{
    if (f->number == 0 || f->number > CARNET_SYNC_WINDOW - sync->credit)
        carnet_sync_close(sync, CARNET_SYNC_REASON_ORDER);
    else
        sync->credit += (unsigned)f->number;
}

static void on_places(struct carnet_sync *sync, struct frame *f)
{
    if (f->type == FRAME_WANT && sync->stage < STAGE_WANTS) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_ORDER);
        return;
    }
    for (size_t i = 0; i < f->rows; i++) {
        struct frame_place place;
        carnet_frame_place(f, &place);
        if (f->r.failed)
            break;
        if (f->type == FRAME_GONE) {
            answered(sync, &place);
        } else if (f->type == FRAME_STOP) {
            size_t book = carnet_sync_book_index(sync, &place.book, false);
            struct chain *chain = book == SIZE_MAX ? NULL : carnet_table_find(&sync->table, book, &place.author, place.stream);
            if (chain && !chain->stopped) {
                chain->stopped = true;
                sync->stats.stopped++;
            }
        } else if (sync->answer_count == ANSWERS_MAX) {
            carnet_sync_close(sync, CARNET_SYNC_REASON_LIMIT);
            return;
        } else {
            CARNET_GROW(sync->answers, sync->answer_count, sync->answer_cap);
            sync->answers[sync->answer_count++] = place;
        }
    }
    if (!carnet_frame_done(f))
        carnet_sync_close(sync, CARNET_SYNC_REASON_NOISE);
}

void carnet_sync_receive(struct carnet_sync *sync, struct frame *f, struct carnet_sync_update *update)
{
    switch (f->type) {
    case FRAME_HAVE:
        on_have(sync, f, update);
        break;
    case FRAME_ENTRIES:
        on_entries(sync, f, update);
        break;
    case FRAME_BOOKS:
        on_books(sync, f);
        break;
    case FRAME_DONE:
        on_done(sync, f);
        break;
    case FRAME_CREDIT:
        on_credit(sync, f);
        break;
    case FRAME_WANT:
    case FRAME_GONE:
    case FRAME_STOP:
        on_places(sync, f);
        break;
    case FRAME_HELLO:
    case FRAME_CHAIN:
    case FRAME_BYE: /* taken before */
        carnet_sync_close(sync, CARNET_SYNC_REASON_ORDER);
        break;
    }
}
