// SPDX-License-Identifier: EUPL-1.2
#include "engine.h"
#include "parts.h"

#include <stdlib.h>
#include <string.h>

static bool take_peer(struct carnet_sync *sync, struct carnet_slice raw)
{
    if (carnet_cert_decode(raw, &sync->peer_arena, &sync->peer) != CARNET_OK)
        return false;
    /* the raw bytes must outlive whoever gave them */
    sync->peer.raw = carnet_arena_dup(&sync->peer_arena, raw);
    sync->gets_all = carnet_parts_gets_all(&sync->peer);
    sync->peer_known = true;
    return true;
}

struct carnet_sync *carnet_sync_new(const struct carnet_sync_source *source, const struct carnet_cert *peer, bool connector)
{
    struct carnet_sync *sync = carnet_alloc(sizeof *sync);
    sync->source = source;
    sync->connector = connector;
    sync->credit = CARNET_SYNC_WINDOW;
    carnet_arena_init(&sync->peer_arena);
    carnet_arena_init(&sync->scratch);
    for (size_t i = 0; i < CARNET_SYNC_FRAMES_MAX; i++)
        carnet_buf_init(&sync->out[i], CARNET_FRAME_LEN_MAX);
    carnet_buf_init(&sync->body, CARNET_FRAME_LEN_MAX);
    carnet_buf_init(&sync->stripped, CARNET_ENTRY_LEN_MAX);
    carnet_buf_init(&sync->received, CARNET_FRAME_LEN_MAX);
    CARNET_GROW(sync->books, sync->book_count, sync->book_cap);
    sync->books[sync->book_count++] =
        (struct sync_book){ .id = *carnet_authority_community(source->authority(source->ctx)), .listed_mine = true, .listed_theirs = true };
    if (peer)
        CARNET_ASSERT(take_peer(sync, peer->raw)); /* from an authority, where only what decodes can be */
    return sync;
}

void carnet_sync_set_key(struct carnet_sync *sync, const struct carnet_box_pk *curve)
{
    sync->key = *curve;
    sync->key_known = true;
}

void carnet_sync_free(struct carnet_sync *sync)
{
    if (!sync)
        return;
    carnet_table_deinit(&sync->table);
    carnet_heap_deinit(&sync->heap);
    for (size_t i = 0; i < CARNET_SYNC_FRAMES_MAX; i++)
        carnet_buf_deinit(&sync->out[i]);
    carnet_buf_deinit(&sync->body);
    carnet_buf_deinit(&sync->stripped);
    carnet_buf_deinit(&sync->received);
    carnet_arena_deinit(&sync->peer_arena);
    carnet_arena_deinit(&sync->scratch);
    free(sync->books);
    free(sync->lane_books);
    free(sync->answers);
    free(sync->refused);
    free(sync->asked);
    free(sync);
}

const struct carnet_cert *carnet_sync_peer(const struct carnet_sync *sync)
{
    return sync->authenticated ? &sync->peer : NULL;
}

const struct carnet_sync_stats *carnet_sync_stats(const struct carnet_sync *sync)
{
    return &sync->stats;
}

/* --- what the files of the engine share --- */

void carnet_sync_close(struct carnet_sync *sync, enum carnet_sync_reason reason)
{
    if (sync->closed)
        return;
    sync->closed = true;
    sync->reason = reason;
}

struct carnet_buf *carnet_sync_frame(struct carnet_sync *sync, struct carnet_sync_update *update, enum frame_type type, size_t items)
{
    CARNET_ASSERT(update->frame_count < CARNET_SYNC_FRAMES_MAX && update->entry_count == 0);
    struct carnet_buf *out = &sync->out[update->frame_count];
    carnet_buf_clear(out);
    carnet_cbor_put_array(out, items);
    carnet_cbor_put_uint(out, type);
    return out;
}

void carnet_sync_frame_end(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    const struct carnet_buf *out = &sync->out[update->frame_count];
    CARNET_ASSERT(!out->failed);
    update->frames[update->frame_count++] = carnet_buf_slice(out);
    sync->stats.frames++;
    sync->stats.sent_bytes += out->len;
}

bool carnet_sync_shared(const struct carnet_sync *sync, const struct carnet_id *book)
{
    return carnet_id_equal(book, &sync->books[0].id) ||
           (carnet_cert_holds(&sync->peer, book) && carnet_cert_holds(sync->source->self(sync->source->ctx), book));
}

size_t carnet_sync_book_index(struct carnet_sync *sync, const struct carnet_id *book, bool add)
{
    if (carnet_id_equal(&sync->books[sync->book_last].id, book))
        return sync->book_last;
    for (size_t i = 0; i < sync->book_count; i++) {
        if (carnet_id_equal(&sync->books[i].id, book)) {
            sync->book_last = i;
            return i;
        }
    }
    /* both sides' lists fit, and as many again made while the session lasts */
    if (!add || sync->book_count >= 3 * CARNET_BOOKS_MAX)
        return SIZE_MAX;
    CARNET_GROW(sync->books, sync->book_count, sync->book_cap);
    sync->books[sync->book_count] = (struct sync_book){ .id = *book };
    sync->book_last = sync->book_count;
    return sync->book_count++;
}

unsigned carnet_sync_lane_of(const struct carnet_sync *sync, const struct carnet_id *book, uint32_t stream)
{
    return carnet_id_equal(book, &sync->books[0].id) ? 0 : stream % 2 == CARNET_LOG_LAW ? 1 : 2;
}

unsigned carnet_sync_stage_lane(enum stage stage)
{
    switch (stage) {
    case STAGE_CHARTER:
        return 0;
    case STAGE_LAW: /* planted: data is served before law is done */
        return CARNET_PLANTED(9) ? 2 : 1;
    case STAGE_DATA:
        return CARNET_PLANTED(9) ? 1 : 2;
    case STAGE_HELLO:
    case STAGE_BOOKS:
    case STAGE_WANTS:
    case STAGE_LIVE:
        break;
    }
    return CARNET_LANES;
}

static void digest(const struct carnet_sync *sync, const struct carnet_id *book, unsigned lane, uint8_t out[FRAME_DIGEST_LEN])
{
    struct carnet_hash hash = sync->source->digest(sync->source->ctx, book, lane);
    memcpy(out, hash.b, FRAME_DIGEST_LEN);
}

void carnet_sync_list(struct carnet_sync *sync, unsigned lane)
{
    const struct carnet_sync_source *source = sync->source;
    for (size_t i = 1; i < sync->book_count; i++)
        sync->books[i].listed_mine = false;
    if (lane == 0)
        digest(sync, &sync->books[0].id, 0, sync->books[0].mine[0]);
    /* copied: what the source lends lives until its next call */
    const struct carnet_id *borrowed;
    size_t count = source->books(source->ctx, &borrowed);
    if (count > CARNET_BOOKS_MAX)
        count = CARNET_BOOKS_MAX;
    carnet_arena_reset(&sync->scratch);
    const struct carnet_id *ids = (const void *)carnet_arena_dup(&sync->scratch, carnet_slice(borrowed, count * sizeof *borrowed)).ptr;
    for (size_t i = 0; i < count; i++) {
        size_t index = carnet_sync_shared(sync, &ids[i]) ? carnet_sync_book_index(sync, &ids[i], true) : 0;
        if (index == 0 || index == SIZE_MAX)
            continue;
        struct sync_book *book = &sync->books[index];
        book->listed_mine = true;
        digest(sync, &book->id, 1, book->mine[0]);
        digest(sync, &book->id, 2, book->mine[1]);
    }
    struct carnet_sync_head wants[FRAME_WANTS_MAX];
    sync->my_wants = source->wants(source->ctx, &sync->peer, wants, FRAME_WANTS_MAX);
    int64_t next = source->last(source->ctx) + 1;
    for (unsigned l = lane; l < CARNET_LANES; l++)
        sync->cursor[l] = next;
}

size_t carnet_sync_listed(const struct carnet_sync *sync)
{
    size_t count = 0;
    for (size_t i = 1; i < sync->book_count; i++)
        count += sync->books[i].listed_mine;
    return count;
}

static int compare_ids(const void *a, const void *b)
{
    return carnet_id_compare(a, b);
}

void carnet_sync_put_list(const struct carnet_sync *sync, struct carnet_buf *out)
{
    size_t count = carnet_sync_listed(sync), at = 0;
    struct frame_book *rows = carnet_alloc((count + 1) * sizeof *rows);
    for (size_t i = 1; i < sync->book_count; i++) {
        const struct sync_book *book = &sync->books[i];
        if (!book->listed_mine)
            continue;
        rows[at].id = book->id; /* first in the struct, so that rows sort as ids */
        memcpy(rows[at++].digest, book->mine, sizeof book->mine);
    }
    qsort(rows, count, sizeof *rows, compare_ids);
    carnet_cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++)
        carnet_frame_put_book(out, &rows[i]);
    free(rows);
}

bool carnet_sync_read_list(struct carnet_sync *sync, struct frame *f)
{
    struct frame_book row, before;
    for (size_t i = 1; i < sync->book_count; i++)
        sync->books[i].listed_theirs = false;
    for (size_t i = 0; i < f->rows; i++) {
        carnet_frame_book(f, &row);
        if (f->r.failed || carnet_id_equal(&row.id, &sync->books[0].id) || (i && carnet_id_compare(&before.id, &row.id) >= 0))
            return false;
        before = row;
        size_t index = carnet_sync_book_index(sync, &row.id, true);
        if (index == SIZE_MAX)
            return false;
        sync->books[index].listed_theirs = true;
        memcpy(sync->books[index].theirs, row.digest, sizeof row.digest);
    }
    return carnet_frame_done(f);
}

/* --- the handshake --- */

/* May the peer have anything? A certificate known, not cut, not expired by this node's clock. */
static bool in_force(struct carnet_sync *sync, const struct carnet_cert *cert)
{
    const struct carnet_authority *authority = sync->source->authority(sync->source->ctx);
    if (CARNET_PLANTED(20))
        return true; /* planted: whoever was a member once is served */
    if (carnet_authority_is_cut(authority, &cert->node)) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_CUT);
        return false;
    }
    if (carnet_cert_expired(cert, sync->wall_ms)) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_EXPIRED);
        return false;
    }
    return true;
}

static void send_hello(struct carnet_sync *sync, struct carnet_sync_update *update, bool full)
{
    struct carnet_buf *out = carnet_sync_frame(sync, update, FRAME_HELLO, 8);
    const struct carnet_cert *self = sync->source->self(sync->source->ctx);
    if (full)
        carnet_sync_list(sync, 0);
    carnet_cbor_put_uint(out, CARNET_SYNC_VERSION);
    carnet_cbor_put_id(out, &sync->books[0].id);
    carnet_cbor_put_id(out, &self->hash);
    carnet_cbor_put_int(out, sync->wall_ms);
    carnet_cbor_put_uint(out, full ? sync->my_wants : 0);
    if (full) {
        carnet_cbor_put_bytes(out, carnet_slice(sync->books[0].mine[0], FRAME_DIGEST_LEN));
        carnet_sync_put_list(sync, out);
    } else {
        carnet_cbor_put_null(out);
        carnet_cbor_put_array(out, 0);
    }
    carnet_sync_frame_end(sync, update);
    sync->sent_hello = true;
    sync->sent_full = sync->sent_full || full;
}

static void send_chain(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    const struct carnet_authority *authority = sync->source->authority(sync->source->ctx);
    carnet_buf_clear(&sync->body);
    carnet_authority_chain(authority, sync->source->self(sync->source->ctx), &sync->body);
    sync->sent_chain = true;
    struct carnet_buf *out = carnet_sync_frame(sync, update, FRAME_CHAIN, 2);
    carnet_cbor_put_bytes(out, carnet_buf_slice(&sync->body));
    if (sync->body.failed || out->failed) { /* a tree of invitations deeper than a frame */
        carnet_sync_close(sync, CARNET_SYNC_REASON_LIMIT);
        return;
    }
    carnet_sync_frame_end(sync, update);
}

static void greet(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    if (sync->peer_known && !in_force(sync, &sync->peer))
        return;
    if (sync->peer_known && (sync->got_bare || sync->got_full))
        sync->authenticated = true;
    if (!sync->sent_full && (sync->peer_known || !sync->sent_hello))
        send_hello(sync, update, sync->peer_known);
    /* A chain proves the certificate that a hello named. The side that connected chose whom to call, so it shows its own first; the other one
     * to members alone. */
    if (sync->got_bare && !sync->sent_chain && (sync->authenticated || sync->connector))
        send_chain(sync, update);
    if (!sync->closed && sync->authenticated && sync->sent_full && sync->got_full)
        sync->stage = STAGE_CHARTER;
}

/* Is it the peer's certificate, or another one of the same node? Its rights are those of the one that stands. */
static bool names_peer(const struct carnet_sync *sync, const struct carnet_id *hash)
{
    const struct carnet_cert *other;
    if (carnet_id_equal(&sync->peer.hash, hash))
        return true;
    other = carnet_authority_find(sync->source->authority(sync->source->ctx), hash);
    return other && carnet_id_equal(&other->node, &sync->peer.node);
}

static void on_hello(struct carnet_sync *sync, struct frame *f, struct carnet_sync_update *update)
{
    bool first = !sync->got_bare && !sync->got_full;
    if (f->version != CARNET_SYNC_VERSION) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_VERSION);
        return;
    }
    if (!carnet_id_equal(&f->community, &sync->books[0].id)) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_COMMUNITY);
        return;
    }
    if (sync->got_full || (f->bare && sync->got_bare) || (!first && !carnet_id_equal(&sync->claimed, &f->cert))) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_ORDER);
        return;
    }
    sync->claimed = f->cert;
    if (sync->peer_known && !names_peer(sync, &f->cert)) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_UNKNOWN);
        return;
    }
    if (first) {
        /* any difference of two clocks fits, whatever they show */
        int64_t skew;
        if (__builtin_sub_overflow(f->wall_ms, sync->wall_ms, &skew))
            skew = f->wall_ms < 0 ? INT64_MIN : INT64_MAX;
        sync->stats.peer_wall_skew_ms = skew;
        sync->stats.skew_known = true;
    }
    if (f->bare) {
        sync->got_bare = true;
    } else {
        memcpy(sync->books[0].theirs[0], f->charter, FRAME_DIGEST_LEN);
        sync->peer_wants = f->wants;
        if (!carnet_sync_read_list(sync, f)) {
            carnet_sync_close(sync, CARNET_SYNC_REASON_NOISE);
            return;
        }
        sync->got_full = true;
    }
    greet(sync, update);
}

/* A revoked node still holds its key and could certify another name for itself: none of the chain may be cut. */
static bool chain_stands(struct carnet_sync *sync, struct carnet_slice chain)
{
    const struct carnet_authority *authority = sync->source->authority(sync->source->ctx);
    struct carnet_reader r;
    carnet_reader_init(&r, chain);
    size_t count = carnet_reader_array(&r);
    for (size_t i = 0; i < count; i++) {
        struct carnet_cert cert;
        carnet_arena_reset(&sync->scratch);
        if (carnet_cert_decode(carnet_reader_bytes(&r), &sync->scratch, &cert) != CARNET_OK)
            return false;
        if (carnet_authority_is_cut(authority, &cert.node)) {
            carnet_sync_close(sync, CARNET_SYNC_REASON_CUT);
            return false;
        }
    }
    return carnet_reader_done(&r) == CARNET_OK;
}

static void on_chain(struct carnet_sync *sync, const struct frame *f, struct carnet_sync_update *update)
{
    const struct carnet_authority *authority = sync->source->authority(sync->source->ctx);
    struct carnet_arena arena;
    struct carnet_cert cert;
    if (sync->peer_known || !sync->sent_hello || !(sync->got_bare || sync->got_full)) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_ORDER);
        return;
    }
    carnet_arena_init(&arena);
    bool good = carnet_authority_check_chain(authority, f->chain, &arena, &cert) == CARNET_OK && chain_stands(sync, f->chain) &&
                carnet_id_equal(&cert.hash, &sync->claimed) && carnet_id_equal(&cert.community, &sync->books[0].id) && sync->key_known &&
                memcmp(cert.curve.b, sync->key.b, sizeof sync->key.b) == 0 && take_peer(sync, cert.raw);
    carnet_arena_deinit(&arena);
    if (!good)
        carnet_sync_close(sync, CARNET_SYNC_REASON_UNKNOWN);
    else
        greet(sync, update);
}

/* --- steps --- */

static void on_bye(struct carnet_sync *sync, const struct frame *f)
{
    carnet_sync_close(sync, f->number <= CARNET_SYNC_REASON_LIMIT ? (enum carnet_sync_reason)f->number : CARNET_SYNC_REASON_NONE);
    sync->by_peer = true;
}

static void on_frame(struct carnet_sync *sync, struct carnet_slice bytes, struct carnet_sync_update *update)
{
    struct frame f;
    CARNET_ASSERT(sync->applying_count == 0);
    sync->heard_ms = sync->mono_ms;
    sync->stats.received_bytes += bytes.len;
    carnet_buf_clear(&sync->received);
    carnet_buf_append_slice(&sync->received, bytes);
    if (sync->received.failed) {
        carnet_sync_close(sync, CARNET_SYNC_REASON_NOISE);
        return;
    }
    bool good = carnet_frame_open(&f, carnet_buf_slice(&sync->received));
    CARNET_ASSERT(good || !CARNET_PLANTED(21)); /* planted: received bytes are asserted on */
    if (!good)
        carnet_sync_close(sync, CARNET_SYNC_REASON_NOISE);
    else if (f.type == FRAME_BYE)
        on_bye(sync, &f);
    else if (sync->stage != STAGE_HELLO)
        carnet_sync_receive(sync, &f, update);
    else if (f.type == FRAME_HELLO)
        on_hello(sync, &f, update);
    else if (f.type == FRAME_CHAIN)
        on_chain(sync, &f, update);
    else
        carnet_sync_close(sync, CARNET_SYNC_REASON_ORDER);
}

static bool waiting(const struct carnet_sync *sync)
{
    return sync->stage != STAGE_LIVE || sync->credit < CARNET_SYNC_WINDOW || sync->unanswered;
}

/* A long command, or a machine that slept: what the peer has said meanwhile waits to be read, so its silence begins anew. */
static void forgive(struct carnet_sync *sync, enum carnet_sync_event_type type)
{
    if (type == CARNET_SYNC_APPLIED || sync->mono_ms - LATE_MS_MAX > sync->deadline_ms)
        sync->heard_ms = sync->started_ms = sync->mono_ms;
}

static void check_time(struct carnet_sync *sync)
{
    if (sync->stage == STAGE_HELLO && sync->mono_ms - sync->started_ms >= HANDSHAKE_MS_MAX)
        carnet_sync_close(sync, CARNET_SYNC_REASON_SLOW);
    else if (waiting(sync) && sync->mono_ms - sync->heard_ms >= SILENCE_MS_MAX)
        carnet_sync_close(sync, CARNET_SYNC_REASON_SILENT);
    /* whatever was learnt in this session: a revocation, or that time has passed */
    else if (sync->peer_known && !sync->closed)
        in_force(sync, &sync->peer);
}

static void start(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    sync->started_ms = sync->heard_ms = sync->mono_ms;
    if (sync->peer_known && !in_force(sync, &sync->peer))
        return;
    if (sync->connector)
        send_hello(sync, update, sync->peer_known);
}

static void finish(struct carnet_sync *sync, struct carnet_sync_update *update)
{
    update->authenticated = sync->authenticated;
    if (sync->closed) {
        update->close = true;
        update->reason = sync->reason;
        update->by_peer = sync->by_peer;
        update->why = carnet_sync_reason_text(sync->reason, sync->by_peer);
        update->deadline_ms = INT64_MAX;
        return;
    }
    update->caught_up = sync->stage == STAGE_LIVE && !waiting(sync) && sync->applying_count == 0 && carnet_sync_idle(sync);
    update->more = sync->blocked;
    if (sync->stage == STAGE_HELLO)
        update->deadline_ms = sync->started_ms + HANDSHAKE_MS_MAX;
    else if (waiting(sync))
        update->deadline_ms = sync->heard_ms + SILENCE_MS_MAX;
    else
        update->deadline_ms = sync->mono_ms + SILENCE_MS_MAX;
    sync->deadline_ms = update->deadline_ms;
}

void carnet_sync_step(struct carnet_sync *sync, const struct carnet_sync_event *event, struct carnet_sync_update *update)
{
    bool was_closed = sync->closed;
    *update = (struct carnet_sync_update){ 0 };
    sync->mono_ms = event->mono_ms;
    sync->wall_ms = event->wall_ms;
    sync->walked = 0;
    sync->blocked = false;
    if (!was_closed && event->type != CARNET_SYNC_START && event->type != CARNET_SYNC_FRAME) {
        forgive(sync, event->type);
        check_time(sync);
    }
    if (!sync->closed) {
        switch (event->type) {
        case CARNET_SYNC_START:
            start(sync, update);
            break;
        case CARNET_SYNC_FRAME:
            on_frame(sync, event->frame, update);
            if (!sync->closed && sync->peer_known)
                in_force(sync, &sync->peer);
            break;
        case CARNET_SYNC_APPLIED:
            carnet_sync_applied(sync, event->rcs, update);
            break;
        case CARNET_SYNC_LOCAL:
            sync->ask = true;
            break;
        case CARNET_SYNC_TICK:
            break;
        }
    }
    if (!sync->closed && sync->stage != STAGE_HELLO && sync->applying_count == 0)
        carnet_sync_pump(sync, update);
    if (sync->closed && !was_closed) {
        /* nothing of what this step had prepared leaves, but for the word that ends it */
        update->entry_count = update->frame_count = 0;
        sync->applying_count = 0;
        if (!sync->by_peer) {
            carnet_cbor_put_uint(carnet_sync_frame(sync, update, FRAME_BYE, 2), sync->reason);
            carnet_sync_frame_end(sync, update);
        }
    }
    finish(sync, update);
}
