// SPDX-License-Identifier: EUPL-1.2
#include "carnet/node/core.h"

#include "carnet/base/limits.h"
#include "carnet/base/text.h"
#include "carnet/wire/cbor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STRANGERS_MAX = 16,             /* links of keys that no certificate names yet */
    ENDED_MAX = 64,                 /* sessions remembered after their end */
    ENDED_MS = 60 * 1000,
    QUEUE_LEN_MAX = 4 * 1024 * 1024,/* frames kept for a full link: the engine's credit keeps far below */
    ROUNDS_MAX = 8,                 /* steps of one session before the others have their turn */
    JOIN_MS_MAX = 10 * 1000,        /* what a joiner has to ask */
    UPKEEP_SOON_MS = 50,
    UPKEEP_AGAIN_MS = 500,          /* when something is due sooner */
    UPKEEP_MS = 60 * 1000,          /* between two looks at what is due */
    SWEEP_QUIET_MS = 60 * 1000,     /* nothing was received or written for so long */
    LEFT_MAX = 4,                   /* incarnations left in a day on the word of peers */
    HEARD_MS = 60 * 60 * 1000,      /* how often `last heard` is written while a session lives */
    INBOX_LEN_MAX = 1024 * 1024,    /* frames of a session that wait for the next tick; more are taken at once */
    HOLD_MS = 25                    /* one transaction, about */
};
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

struct frame {
    struct frame *next;
    size_t len;
    uint8_t bytes[];
};
struct session {
    uint64_t link;
    struct carnet_box_pk curve;
    bool connector;
    struct carnet_sync *sync;    /* NULL: a joiner, who asks first */
    struct frame *first, **last; /* what the link could not take */
    size_t queued;
    struct frame *in_first, **in_last; /* what came since the last tick */
    size_t inbox;
    bool closing;                /* once the queue is out */
    bool ended;
    bool more, local;            /* to step when the link takes frames again: TICK, LOCAL */
    bool authenticated, caught_up;
    struct carnet_id node;       /* when authenticated */
    int64_t up_ms, deadline_ms, ended_ms;
    enum carnet_sync_reason reason;
    const char *why;
    struct carnet_sync_stats stats; /* of the end */
    int64_t heard_wall_ms, heard_kept_ms;
};
struct carnet_core {
    struct carnet_replica *replica;
    struct carnet_core_ops ops;
    struct carnet_sync_source source;
    struct session **sessions; /* the ended ones too */
    size_t count, cap;
    struct carnet_sync_update update;
    carnet_rc rcs[CARNET_SYNC_ENTRIES_MAX];
    bool open;                 /* entries of several frames are in one transaction: nothing leaves before its end */
    int64_t open_ms;
    int64_t pushed;            /* the largest arrival number that sessions were told of */
    int64_t upkeep_ms, quiet_ms, agreed_ms;
    bool agreed;
    int64_t left_ms;           /* when an incarnation was left last */
    unsigned left_count;
    struct carnet_err failure;
    bool failed;
    enum carnet_lang lang;
};

static int64_t mono_ms(const struct carnet_core *core)
{
    return carnet_replica_mono_ms(core->replica);
}

static void log_line(struct carnet_core *core, const char *fmt, ...) CARNET_PRINTF(2, 3);
/* The catalogue's check proves that the French text has the conversions of the English one. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void log_line(struct carnet_core *core, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, carnet_tr(core->lang, fmt), args);
    va_end(args);
    if (core->ops.log)
        core->ops.log(core->ops.ctx, text);
}
#pragma GCC diagnostic pop

void carnet_core_lang(struct carnet_core *core, enum carnet_lang lang)
{
    core->lang = lang;
}

/* The world failed: nothing more is read, written or sent. */
static void fail(struct carnet_core *core, const struct carnet_err *err)
{
    if (core->failed)
        return;
    core->failed = true;
    core->failure = *err;
    log_line(core, "stopped: %s", err->what);
}

struct carnet_core *carnet_core_new(struct carnet_replica *replica, const struct carnet_core_ops *ops)
{
    struct carnet_core *core = carnet_alloc(sizeof *core);
    core->replica = replica;
    core->ops = *ops;
    core->source = carnet_replica_source(replica);
    core->pushed = carnet_replica_last(replica);
    core->quiet_ms = core->upkeep_ms = mono_ms(core);
    return core;
}

static struct session *find(struct carnet_core *core, uint64_t link)
{
    for (size_t i = 0; i < core->count; i++)
        if (core->sessions[i]->link == link && !core->sessions[i]->ended)
            return core->sessions[i];
    return NULL;
}

static void drop_frames(struct frame **first, struct frame ***last, size_t *len)
{
    while (*first) {
        struct frame *next = (*first)->next;
        free(*first);
        *first = next;
    }
    *last = first;
    *len = 0;
}

static void add_frame(struct carnet_slice bytes, struct frame ***last, size_t *len)
{
    struct frame *frame = carnet_alloc(sizeof *frame + bytes.len);
    if (bytes.len)
        memcpy(frame->bytes, bytes.ptr, bytes.len);
    frame->len = bytes.len;
    **last = frame;
    *last = &frame->next;
    *len += bytes.len;
}

static void queue_drop(struct session *session)
{
    drop_frames(&session->first, &session->last, &session->queued);
    drop_frames(&session->in_first, &session->in_last, &session->inbox);
}

static void session_free(struct session *session)
{
    queue_drop(session);
    carnet_sync_free(session->sync);
    free(session);
}

static void member_name(struct carnet_core *core, const struct session *session, char out[CARNET_NAME_LEN_MAX + 1])
{
    struct carnet_member member;
    if (session->authenticated && carnet_replica_member(core->replica, &session->node, &member, NULL) == CARNET_OK && member.node[0])
        snprintf(out, CARNET_NAME_LEN_MAX + 1, "%s", member.node);
    else if (session->authenticated)
        snprintf(out, CARNET_NAME_LEN_MAX + 1, "%s", carnet_id_text(&session->node).s);
    else
        snprintf(out, CARNET_NAME_LEN_MAX + 1, "%s", carnet_tr(core->lang, "unknown peer"));
}

/* --- last heard --- */

static void heard_setting(const struct carnet_id *node, char out[40])
{
    memcpy(out, "heard/", 6);
    carnet_hex(node->b, sizeof node->b, out + 6);
}

static void heard_keep(struct carnet_core *core, struct session *session)
{
    char name[40], text[24];
    struct carnet_err err = CARNET_ERR_INIT;
    if (core->failed || !session->authenticated || session->heard_wall_ms <= session->heard_kept_ms)
        return;
    heard_setting(&session->node, name);
    snprintf(text, sizeof text, "%lld", (long long)session->heard_wall_ms);
    if (carnet_replica_local_put(core->replica, name, carnet_slice_str(text), &err) != CARNET_OK)
        fail(core, &err);
    session->heard_kept_ms = session->heard_wall_ms;
}

int64_t carnet_core_last_heard_ms(struct carnet_core *core, const struct carnet_id *node)
{
    int64_t heard = carnet_core_heard_ms(core->replica, node);
    for (size_t i = 0; i < core->count; i++) {
        const struct session *session = core->sessions[i];
        if (session->authenticated && carnet_id_equal(&session->node, node) && session->heard_wall_ms > heard)
            heard = session->heard_wall_ms;
    }
    return heard;
}

int64_t carnet_core_heard_ms(struct carnet_replica *replica, const struct carnet_id *node)
{
    char name[40];
    struct carnet_buf text;
    carnet_buf_init(&text, 24);
    heard_setting(node, name);
    int64_t heard = 0;
    if (carnet_replica_local_get(replica, name, &text, NULL) == CARNET_OK)
        heard = strtoll(carnet_buf_cstr(&text), NULL, 10);
    carnet_buf_deinit(&text);
    return heard;
}

void carnet_core_free(struct carnet_core *core)
{
    if (!core)
        return;
    for (size_t i = 0; i < core->count; i++) {
        heard_keep(core, core->sessions[i]);
        session_free(core->sessions[i]);
    }
    free(core->sessions);
    free(core);
}

/* --- ends --- */

static void forget_old(struct carnet_core *core)
{
    int64_t now = mono_ms(core);
    size_t ended = 0, kept = 0;
    for (size_t i = 0; i < core->count; i++)
        ended += core->sessions[i]->ended;
    for (size_t i = 0; i < core->count; i++) {
        struct session *session = core->sessions[i];
        if (session->ended && (now - session->ended_ms >= ENDED_MS || ended > ENDED_MAX)) {
            session_free(session);
            ended--;
        } else {
            core->sessions[kept++] = session;
        }
    }
    core->count = kept;
}

static void ended(struct carnet_core *core, struct session *session, const char *why)
{
    char name[CARNET_NAME_LEN_MAX + 1];
    if (session->ended)
        return;
    heard_keep(core, session);
    session->ended = true;
    session->ended_ms = mono_ms(core);
    if (!session->why)
        session->why = why;
    session->caught_up = false;
    queue_drop(session);
    if (session->sync)
        session->stats = *carnet_sync_stats(session->sync);
    carnet_sync_free(session->sync);
    session->sync = NULL;
    member_name(core, session, name);
    log_line(core, "%s: ended: %s (sent: %llu, received: %llu)", name, carnet_tr(core->lang, session->why), (unsigned long long)session->stats.sent_entries,
             (unsigned long long)session->stats.received_entries);
}

static void close_now(struct carnet_core *core, struct session *session, const char *why)
{
    if (session->ended)
        return;
    ended(core, session, why);
    core->ops.close(core->ops.ctx, session->link);
}

/* --- sending --- */

/* true: everything that waited is on its way (or the session ended). */
static bool queue_send(struct carnet_core *core, struct session *session)
{
    while (session->first) {
        struct frame *frame = session->first;
        carnet_rc rc = core->ops.send(core->ops.ctx, session->link, carnet_slice(frame->bytes, frame->len));
        if (rc == CARNET_AGAIN)
            return false;
        if (rc != CARNET_OK) {
            ended(core, session, "the link went down");
            return true;
        }
        session->queued -= frame->len;
        session->first = frame->next;
        if (!session->first)
            session->last = &session->first;
        free(frame);
    }
    if (session->closing)
        close_now(core, session, session->why);
    return true;
}

static void send_frame(struct carnet_core *core, struct session *session, struct carnet_slice bytes)
{
    add_frame(bytes, &session->last, &session->queued);
    if (session->queued > QUEUE_LEN_MAX)
        close_now(core, session, "the peer does not read");
}

/* --- stepping --- */

static void push_all(struct carnet_core *core);

/* Applies what an update brought, in the transaction that is open, or in a new one. false: the world failed. */
static bool apply(struct carnet_core *core)
{
    struct carnet_err err = CARNET_ERR_INIT;
    carnet_rc rc = core->open ? CARNET_OK : carnet_replica_begin(core->replica, &err);
    if (rc == CARNET_OK && !core->open) {
        core->open = true;
        core->open_ms = mono_ms(core);
    }
    if (rc == CARNET_OK)
        rc = carnet_replica_apply(core->replica, core->update.entries, core->update.entry_count, core->rcs, &err);
    if (rc == CARNET_OK)
        return true;
    carnet_replica_rollback(core->replica);
    core->open = false;
    fail(core, &err);
    return false;
}

/* Ends the transaction of what was received; then goes out what was kept back for it. */
static void settle(struct carnet_core *core)
{
    struct carnet_err err = CARNET_ERR_INIT;
    if (!core->open)
        return;
    core->open = false;
    if (core->failed) {
        carnet_replica_rollback(core->replica);
        return;
    }
    if (CARNET_PLANTED(10))
        push_all(core); /* planted: announced before it is durable */
    if (carnet_replica_commit(core->replica, &err) != CARNET_OK)
        fail(core, &err);
    for (size_t i = 0; i < core->count && !core->failed; i++)
        if (!core->sessions[i]->ended && (core->sessions[i]->first || core->sessions[i]->closing))
            queue_send(core, core->sessions[i]);
}

/* A peer knows more of this node's own log than this node: it was restored, or its disk lied. */
static void leave_incarnation(struct carnet_core *core, uint32_t incarnation)
{
    struct carnet_err err = CARNET_ERR_INIT;
    if (carnet_replica_incarnation(core->replica) > incarnation)
        return;
    /* the peer's word is not proved, and incarnations are not without end */
    if (core->left_count && mono_ms(core) - core->left_ms >= DAY_MS)
        core->left_count = 0;
    if (core->left_count++ >= LEFT_MAX)
        return;
    core->left_ms = mono_ms(core);
    log_line(core, "a peer knows more of this node's own log: going on under a new incarnation");
    if (carnet_replica_new_incarnation(core->replica, &err) != CARNET_OK)
        fail(core, &err);
}

static void note_peer(struct carnet_core *core, struct session *session)
{
    const struct carnet_cert *cert = carnet_sync_peer(session->sync);
    const struct carnet_sync_stats *stats = carnet_sync_stats(session->sync);
    if (!cert)
        return;
    if (stats->skew_known && stats->peer_wall_skew_ms <= CARNET_CLOCK_SKEW_MS_MAX && stats->peer_wall_skew_ms >= -CARNET_CLOCK_SKEW_MS_MAX) {
        core->agreed = true;
        core->agreed_ms = mono_ms(core);
    }
    session->node = cert->node;
    session->heard_wall_ms = carnet_replica_wall_ms(core->replica);
    session->authenticated = true;
}

/* One node, one session: both sides see the same two, and keep the same one. */
static void settle_twins(struct carnet_core *core, struct session *session)
{
    const struct carnet_id *self = &carnet_replica_self(core->replica)->node;
    for (size_t i = 0; i < core->count && !session->ended; i++) {
        struct session *other = core->sessions[i];
        if (other == session || other->ended || !other->authenticated || !carnet_id_equal(&other->node, &session->node))
            continue;
        bool smaller = carnet_id_compare(self, &session->node) < 0;
        struct session *loser = other; /* the same direction: the older one, whose link may be dead without our knowing */
        if (other->connector != session->connector)
            loser = session->connector == smaller ? other : session;
        else if (other->link > session->link)
            loser = session;
        close_now(core, loser, "another session with the same node goes on");
    }
}

static void step(struct carnet_core *core, struct session *session, enum carnet_sync_event_type type, struct carnet_slice frame)
{
    struct carnet_sync_event event = { .type = type, .frame = frame };
    struct carnet_sync_update *update = &core->update;
    for (unsigned round = 0; !core->failed && !session->ended && !session->closing; round++) {
        bool was_authenticated = session->authenticated, was_caught_up = session->caught_up;
        event.mono_ms = mono_ms(core);
        event.wall_ms = carnet_replica_wall_ms(core->replica);
        carnet_sync_step(session->sync, &event, update);
        session->deadline_ms = update->deadline_ms;
        session->caught_up = update->caught_up;
        session->more = false;
        if (update->authenticated && (event.type == CARNET_SYNC_FRAME || !was_authenticated))
            note_peer(core, session);
        if (update->behind_own_log) {
            settle(core);
            leave_incarnation(core, update->behind_incarnation);
        }
        if (update->entry_count && !core->failed) {
            core->quiet_ms = event.mono_ms;
            if (!apply(core))
                return;
            event = (struct carnet_sync_event){ .type = CARNET_SYNC_APPLIED, .rcs = core->rcs };
            continue;
        }
        for (size_t i = 0; i < update->frame_count && !session->ended; i++)
            send_frame(core, session, update->frames[i]);
        if (session->ended)
            return;
        if (update->close) {
            session->closing = true;
            session->why = update->why;
            session->reason = update->reason;
        }
        bool more = update->more;
        bool sent = !core->open && queue_send(core, session);
        if (session->ended)
            return;
        if (session->authenticated && !was_authenticated) {
            char name[CARNET_NAME_LEN_MAX + 1];
            member_name(core, session, name);
            if (session->connector)
                log_line(core, "%s: session opened by this node", name);
            else
                log_line(core, "%s: session opened by that node", name);
            settle_twins(core, session);
        }
        if (!session->ended && session->caught_up && !was_caught_up) {
            const struct carnet_sync_stats *stats = carnet_sync_stats(session->sync);
            char name[CARNET_NAME_LEN_MAX + 1];
            member_name(core, session, name);
            log_line(core, "%s: up to date (sent: %llu, received: %llu)", name, (unsigned long long)stats->sent_entries,
                     (unsigned long long)stats->received_entries);
        }
        if (!more)
            return;
        if (!sent || round >= ROUNDS_MAX) {
            session->more = true; /* later: when the link takes frames, or in the next tick */
            return;
        }
        event = (struct carnet_sync_event){ .type = CARNET_SYNC_TICK };
    }
}

/* What came since the last tick. Entries that came together are one transaction: a commit costs as much as a hundred of them. */
static void take_frames(struct carnet_core *core)
{
    for (size_t i = 0; i < core->count; i++) {
        struct session *session = core->sessions[i];
        while (session->in_first && !session->closing && !core->failed) {
            struct frame *frame = session->in_first;
            session->in_first = frame->next;
            if (!session->in_first)
                session->in_last = &session->in_first;
            session->inbox -= frame->len;
            step(core, session, CARNET_SYNC_FRAME, carnet_slice(frame->bytes, frame->len));
            free(frame);
            if (core->open && mono_ms(core) - core->open_ms >= HOLD_MS)
                settle(core);
        }
    }
    settle(core);
}

static void push_all(struct carnet_core *core)
{
    core->pushed = carnet_replica_last(core->replica);
    for (size_t i = 0; i < core->count && !core->failed; i++) {
        struct session *session = core->sessions[i];
        if (session->ended || session->closing || !session->sync)
            continue;
        if (session->first)
            session->local = true;
        else
            step(core, session, CARNET_SYNC_LOCAL, CARNET_SLICE_NONE);
    }
}

/* What became durable goes to everybody, and may give upkeep something to do (a new reader without keys). */
static void push_news(struct carnet_core *core)
{
    settle(core);
    for (unsigned i = 0; i < ROUNDS_MAX && !core->failed && carnet_replica_last(core->replica) != core->pushed; i++) {
        int64_t soon = mono_ms(core) + UPKEEP_SOON_MS;
        if (core->upkeep_ms > soon)
            core->upkeep_ms = soon;
        push_all(core);
    }
}

void carnet_core_written(struct carnet_core *core)
{
    core->quiet_ms = mono_ms(core);
    push_news(core);
}

/* --- links --- */

bool carnet_core_admits(void *ctx, const struct carnet_box_pk *curve)
{
    const struct carnet_core *core = ctx;
    const struct carnet_authority *authority = carnet_replica_authority(core->replica);
    const struct carnet_cert *cert = carnet_authority_curve(authority, curve);
    return !cert || !carnet_authority_is_cut(authority, &cert->node);
}

static size_t strangers(const struct carnet_core *core)
{
    size_t count = 0;
    for (size_t i = 0; i < core->count; i++)
        count += !core->sessions[i]->ended && !core->sessions[i]->connector && !core->sessions[i]->authenticated;
    return count;
}

void carnet_core_up(struct carnet_core *core, uint64_t link, const struct carnet_box_pk *curve, bool connector)
{
    take_frames(core);
    struct session *session = find(core, link);
    if (session)
        ended(core, session, "the link went down");
    if (core->failed) {
        core->ops.close(core->ops.ctx, link);
        return;
    }
    forget_old(core);
    const struct carnet_cert *cert = carnet_authority_curve(carnet_replica_authority(core->replica), curve);
    const struct carnet_id *self = &carnet_replica_self(core->replica)->node;
    bool joiner = !cert && !connector && carnet_replica_invite_known(core->replica, curve);
    bool crowded = !cert && !joiner && strangers(core) >= STRANGERS_MAX;
    session = carnet_alloc(sizeof *session);
    session->link = link;
    session->curve = *curve;
    session->connector = connector;
    session->last = &session->first;
    session->in_last = &session->in_first;
    session->up_ms = mono_ms(core);
    session->deadline_ms = session->up_ms + JOIN_MS_MAX;
    CARNET_GROW(core->sessions, core->count, core->cap);
    core->sessions[core->count++] = session;
    if (crowded || (cert && carnet_id_equal(&cert->node, self))) {
        close_now(core, session, crowded ? "too many unknown peers" : "this is this node itself");
        return;
    }
    if (joiner)
        return;
    session->sync = carnet_sync_new(&core->source, cert, connector);
    if (!cert)
        carnet_sync_set_key(session->sync, curve);
    step(core, session, CARNET_SYNC_START, CARNET_SLICE_NONE);
    push_news(core);
}

/* Upkeep boxes the keys to the new reader: at once, so that its first session brings them. */
static void box_keys(struct carnet_core *core)
{
    bool more = true;
    struct carnet_err err = CARNET_ERR_INIT;
    for (unsigned i = 0; i < ROUNDS_MAX && more && !core->failed; i++)
        if (carnet_replica_upkeep(core->replica, false, &more, &err) != CARNET_OK)
            fail(core, &err);
}

/* A joiner's frame? Then it is answered here. */
static bool join_frame(struct carnet_core *core, struct session *session, struct carnet_slice bytes)
{
    struct carnet_reader r;
    carnet_reader_init(&r, bytes);
    bool pair = carnet_reader_array_max(&r, 3) == 2;
    if (!pair || carnet_reader_uint(&r) != CARNET_CORE_JOIN)
        return false;
    struct carnet_slice request = carnet_reader_bytes(&r);
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_buf welcome, frame;
    carnet_buf_init(&welcome, CARNET_FRAME_LEN_MAX - 16);
    carnet_buf_init(&frame, CARNET_FRAME_LEN_MAX);
    carnet_rc rc = carnet_reader_done(&r);
    if (rc == CARNET_OK)
        rc = carnet_replica_admit(core->replica, &session->curve, request, &welcome, &err);
    if (rc == CARNET_OK) {
        box_keys(core);
        carnet_cbor_put_array(&frame, 2);
        carnet_cbor_put_uint(&frame, CARNET_CORE_WELCOME);
        carnet_cbor_put_bytes(&frame, carnet_buf_slice(&welcome));
        log_line(core, "a new node has joined");
    } else {
        struct carnet_slice what = carnet_slice_str(err.what);
        /* cut short, a text could end within a character */
        if (what.len > 199 || !carnet_text_is_nfc(what))
            what = CARNET_SLICE_NONE;
        carnet_cbor_put_array(&frame, 3);
        carnet_cbor_put_uint(&frame, CARNET_CORE_NO);
        carnet_cbor_put_str(&frame, carnet_rc_name(rc));
        carnet_cbor_put_text(&frame, what);
        log_line(core, "a node may not join: %s", err.what);
        if (rc == CARNET_FAILED || rc == CARNET_CORRUPT)
            fail(core, &err);
    }
    session->closing = true;
    session->why = "the answer to a joiner was given";
    send_frame(core, session, carnet_buf_slice(&frame));
    if (!session->ended)
        queue_send(core, session);
    carnet_buf_deinit(&welcome);
    carnet_buf_deinit(&frame);
    return true;
}

void carnet_core_frame(struct carnet_core *core, uint64_t link, struct carnet_slice frame)
{
    struct session *session = find(core, link);
    if (!session || session->closing || core->failed)
        return;
    if (!session->authenticated && !session->connector && join_frame(core, session, frame)) {
        push_news(core);
        return;
    }
    if (!session->sync) {
        close_now(core, session, "a joiner says something else");
        return;
    }
    add_frame(frame, &session->in_last, &session->inbox);
    if (session->inbox > INBOX_LEN_MAX) {
        take_frames(core);
        push_news(core);
    }
}

void carnet_core_down(struct carnet_core *core, uint64_t link)
{
    take_frames(core); /* the last words */
    struct session *session = find(core, link);
    if (session)
        ended(core, session, "the link went down");
    push_news(core);
}

void carnet_core_writable(struct carnet_core *core, uint64_t link)
{
    struct session *session = find(core, link);
    if (!session || core->failed || !queue_send(core, session) || session->ended)
        return;
    if (session->local || session->more) {
        bool local = session->local;
        session->local = false;
        step(core, session, local ? CARNET_SYNC_LOCAL : CARNET_SYNC_TICK, CARNET_SLICE_NONE);
        push_news(core);
    }
}

/* --- time --- */

static void upkeep(struct carnet_core *core)
{
    int64_t now = mono_ms(core), wall = carnet_replica_wall_ms(core->replica);
    bool more = false, agrees = core->agreed && now - core->agreed_ms < DAY_MS;
    struct carnet_err err = CARNET_ERR_INIT;
    if (now < core->upkeep_ms)
        return;
    core->upkeep_ms = now + UPKEEP_MS;
    int64_t due = carnet_replica_upkeep_due_ms(core->replica);
    if (due > wall) {
        if (due - wall < UPKEEP_MS)
            core->upkeep_ms = now + (due - wall);
        return;
    }
    if (carnet_replica_upkeep(core->replica, agrees, &more, &err) != CARNET_OK)
        fail(core, &err);
    else if (more)
        core->upkeep_ms = now + 1;
    else if ((due = carnet_replica_upkeep_due_ms(core->replica)) - wall < UPKEEP_MS)
        core->upkeep_ms = now + (due - wall > UPKEEP_AGAIN_MS ? due - wall : UPKEEP_AGAIN_MS);
}

/* When idle, and at most daily. */
static void sweep(struct carnet_core *core)
{
    static const char name[] = "swept";
    int64_t wall = carnet_replica_wall_ms(core->replica), swept = 0;
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_buf text;
    if (mono_ms(core) - core->quiet_ms < SWEEP_QUIET_MS || !carnet_replica_sweep_due(core->replica))
        return;
    core->quiet_ms = mono_ms(core); /* asked again after as long, whatever comes of it */
    carnet_buf_init(&text, 24);
    if (carnet_replica_local_get(core->replica, name, &text, NULL) == CARNET_OK)
        swept = strtoll(carnet_buf_cstr(&text), NULL, 10);
    carnet_buf_clear(&text);
    carnet_buf_printf(&text, "%lld", (long long)wall);
    if ((swept > wall || wall - swept >= DAY_MS) &&
        (carnet_replica_sweep(core->replica, &err) != CARNET_OK || carnet_replica_local_put(core->replica, name, carnet_buf_slice(&text), &err) != CARNET_OK))
        fail(core, &err);
    carnet_buf_deinit(&text);
}

void carnet_core_tick(struct carnet_core *core)
{
    take_frames(core);
    int64_t now = mono_ms(core);
    for (size_t i = 0; i < core->count && !core->failed; i++) {
        struct session *session = core->sessions[i];
        if (session->ended)
            continue;
        if (session->heard_wall_ms - session->heard_kept_ms >= HEARD_MS)
            heard_keep(core, session);
        if (!session->sync && now >= session->deadline_ms)
            close_now(core, session, "a joiner did not ask");
        else if (session->sync && !session->first && (session->more || now >= session->deadline_ms))
            step(core, session, CARNET_SYNC_TICK, CARNET_SLICE_NONE);
        else if (session->sync && session->first && now - session->deadline_ms >= JOIN_MS_MAX)
            close_now(core, session, "the peer does not read");
    }
    settle(core);
    if (!core->failed)
        upkeep(core);
    if (!core->failed)
        sweep(core);
    push_news(core);
    forget_old(core);
}

int64_t carnet_core_deadline_ms(const struct carnet_core *core)
{
    int64_t due = core->upkeep_ms;
    if (core->failed)
        return INT64_MAX;
    for (size_t i = 0; i < core->count; i++) {
        const struct session *session = core->sessions[i];
        if (session->ended)
            continue;
        int64_t at = session->in_first || (session->more && !session->first) ? 0 : session->first ? session->deadline_ms + JOIN_MS_MAX : session->deadline_ms;
        if (at < due)
            due = at;
    }
    return due;
}

const struct carnet_err *carnet_core_failure(const struct carnet_core *core)
{
    return core->failed ? &core->failure : NULL;
}

bool carnet_core_met(const struct carnet_core *core, const struct carnet_id *node)
{
    for (size_t i = 0; i < core->count; i++)
        if (!core->sessions[i]->ended && core->sessions[i]->authenticated && carnet_id_equal(&core->sessions[i]->node, node))
            return true;
    return false;
}

size_t carnet_core_peers(struct carnet_core *core, struct carnet_core_peer *out, size_t max)
{
    size_t count = 0;
    forget_old(core);
    for (size_t i = 0; i < core->count && count < max; i++) {
        struct session *session = core->sessions[i];
        struct carnet_core_peer *peer = &out[count++];
        *peer = (struct carnet_core_peer){ .link = session->link, .curve = session->curve, .connector = session->connector,
                                           .caught_up = session->caught_up, .closed = session->ended, .why = session->ended ? session->why : NULL,
                                           .reason = session->reason, .up_ms = session->up_ms,
                                           .stats = session->sync ? *carnet_sync_stats(session->sync) : session->stats };
        if (session->authenticated)
            peer->cert = carnet_authority_node(carnet_replica_authority(core->replica), &session->node);
        if (session->sync && session->authenticated)
            peer->pending = carnet_sync_pending(session->sync);
    }
    return count;
}
