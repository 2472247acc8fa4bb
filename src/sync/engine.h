// SPDX-License-Identifier: EUPL-1.2
/* A session's inside, shared by session.c (handshake and time), receive.c and send.c. Private to the layer. */
#ifndef CARNET_SYNC_ENGINE_H
#define CARNET_SYNC_ENGINE_H

#include "table.h"

enum stage {
    STAGE_HELLO,
    STAGE_CHARTER,
    STAGE_BOOKS, /* lists again, when the charter has changed */
    STAGE_LAW,
    STAGE_DATA,
    STAGE_WANTS,
    STAGE_LIVE
};
enum {
    HANDSHAKE_MS_MAX = 10 * 1000,
    SILENCE_MS_MAX = 60 * 1000,
    LATE_MS_MAX = 5 * 1000, /* a step that comes later than this after its deadline: it is this node that was away */
    WALK_MAX = 1024,     /* entries looked at for pushing in one step */
    ASKED_MAX = 1024,    /* entries whose parts are asked for in one session */
    ANSWERS_MAX = 1024,  /* wants of the peer that wait for their answer */
    REFUSED_MAX = 1024,  /* chains remembered as refused; later ones are refused by apply, one by one */
    FRAMES_KEPT = 2,     /* slots of an update that sending leaves for CREDIT, STOP or BYE */
    LANE_WANTS = CARNET_LANES /* the number in DONE that ends the asking for parts */
};
struct sync_book {
    struct carnet_id id;
    uint8_t mine[2][FRAME_DIGEST_LEN], theirs[2][FRAME_DIGEST_LEN]; /* law, data; the charter's in the first */
    bool listed_mine, listed_theirs;
    uint32_t first, count;    /* its chains of the lane under way: rows of the table */
    uint32_t own_incarnation; /* highest of this node's own chains among them */
};
struct asked {
    struct frame_place place;
    bool answered;
};
struct carnet_sync {
    const struct carnet_sync_source *source;
    bool connector;
    bool closed;
    enum carnet_sync_reason reason;
    bool by_peer;
    int64_t mono_ms, wall_ms; /* of the step under way */
    int64_t started_ms, heard_ms, deadline_ms;
    struct carnet_sync_stats stats;

    /* who the peer is */
    struct carnet_arena peer_arena;
    struct carnet_cert peer;
    bool peer_known;    /* peer is filled: pinned, or proved by a chain */
    bool authenticated; /* and it has said hello */
    bool gets_all;      /* it gets the parts of every scope */
    struct carnet_box_pk key;
    bool key_known;

    /* handshake */
    bool sent_hello, sent_full, sent_chain, got_bare, got_full;
    struct carnet_id claimed; /* certificate hash in the peer's hello */

    /* books, [0] the charter */
    struct sync_book *books;
    size_t book_count, book_cap, book_last;
    uint64_t my_wants, peer_wants;

    /* the stage under way */
    enum stage stage;
    unsigned lanes_done; /* mask */
    bool entered, my_done, peer_done;
    bool charter_ran, sent_books, got_books;
    uint16_t *lane_books;
    size_t lane_book_count, lane_book_cap;
    size_t have_out, have_in;   /* index of the lane's book whose heads go out, come in */
    uint32_t have_out_row;
    size_t have_in_rows;
    struct frame_head have_in_last;
    bool ready; /* the heap is made */

    /* sending */
    struct table table;
    struct heap heap;
    int64_t cursor[CARNET_LANES]; /* entries from here on are looked at for pushing */
    unsigned credit;
    size_t walked;
    bool blocked;
    struct carnet_buf out[CARNET_SYNC_FRAMES_MAX];
    struct carnet_buf body, stripped;
    struct carnet_arena scratch;
    struct frame_place *answers;
    size_t answer_count, answer_cap;

    /* receiving */
    struct carnet_buf received;
    struct frame_place applying[CARNET_SYNC_ENTRIES_MAX];
    size_t applying_count;
    struct frame_place *refused;
    size_t refused_count, refused_cap;
    struct asked *asked;
    size_t asked_count, asked_cap, unanswered;
    bool ask;
};

/* session.c */
void carnet_sync_close(struct carnet_sync *sync, enum carnet_sync_reason reason);
struct carnet_buf *carnet_sync_frame(struct carnet_sync *sync, struct carnet_sync_update *update, enum frame_type type, size_t items);
void carnet_sync_frame_end(struct carnet_sync *sync, struct carnet_sync_update *update);
bool carnet_sync_shared(const struct carnet_sync *sync, const struct carnet_id *book);
/* The index of a book, added when `add`; SIZE_MAX: not there, or no room. */
size_t carnet_sync_book_index(struct carnet_sync *sync, const struct carnet_id *book, bool add);
unsigned carnet_sync_lane_of(const struct carnet_sync *sync, const struct carnet_id *book, uint32_t stream);
unsigned carnet_sync_stage_lane(enum stage stage); /* CARNET_LANES: the stage has none */
/* Lists this node's shared books with their digests: fills `mine`, moves the cursors of the lanes from `lane` on. */
void carnet_sync_list(struct carnet_sync *sync, unsigned lane);
size_t carnet_sync_listed(const struct carnet_sync *sync);
void carnet_sync_put_list(const struct carnet_sync *sync, struct carnet_buf *out);
bool carnet_sync_read_list(struct carnet_sync *sync, struct frame *f);

/* receive.c */
void carnet_sync_receive(struct carnet_sync *sync, struct frame *f, struct carnet_sync_update *update);
void carnet_sync_applied(struct carnet_sync *sync, const carnet_rc *rcs, struct carnet_sync_update *update);

/* send.c */
void carnet_sync_pump(struct carnet_sync *sync, struct carnet_sync_update *update);
bool carnet_sync_idle(const struct carnet_sync *sync); /* nothing left to push */
/* The entry at n if it is this one. */
bool carnet_sync_fetch(struct carnet_sync *sync, unsigned lane, int64_t n, struct carnet_sync_entry *out);
bool carnet_sync_peer_has(struct carnet_sync *sync, const struct carnet_sync_entry *entry);

#endif
