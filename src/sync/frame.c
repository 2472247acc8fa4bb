// SPDX-License-Identifier: EUPL-1.2
#include "frame.h"

#include <string.h>

static const size_t item_counts[] = {
    [FRAME_HELLO] = 8, [FRAME_BOOKS] = 3, [FRAME_CHAIN] = 2, [FRAME_HAVE] = 5, [FRAME_ENTRIES] = 2, [FRAME_DONE] = 2,
    [FRAME_CREDIT] = 2, [FRAME_WANT] = 2, [FRAME_GONE] = 2, [FRAME_BYE] = 2, [FRAME_STOP] = 2,
};

static void read_id(struct carnet_reader *r, struct carnet_id *out)
{
    carnet_reader_bytes_exact(r, out->b, sizeof out->b);
}

static void open_hello(struct frame *f)
{
    struct carnet_reader *r = &f->r;
    read_id(r, &f->community);
    read_id(r, &f->cert);
    f->wall_ms = carnet_reader_int(r);
    f->wants = carnet_reader_uint_max(r, UINT32_MAX);
    f->bare = carnet_reader_null(r);
    if (!f->bare)
        carnet_reader_bytes_exact(r, f->charter, sizeof f->charter);
    f->rows = carnet_reader_array_max(r, f->bare ? 0 : CARNET_BOOKS_MAX);
}

bool carnet_frame_open(struct frame *f, struct carnet_slice bytes)
{
    *f = (struct frame){ 0 };
    struct carnet_reader *r = &f->r;
    if (bytes.len > CARNET_FRAME_LEN_MAX || carnet_cbor_check(bytes) != CARNET_OK)
        return false;
    carnet_reader_init(r, bytes);
    size_t count = carnet_reader_array(r);
    f->type = (enum frame_type)carnet_reader_uint_max(r, FRAME_STOP);
    if (f->type == FRAME_HELLO) {
        /* The version comes before everything that another one may have changed, the number of items too. */
        f->version = carnet_reader_uint(r);
        if (f->version != CARNET_SYNC_VERSION)
            return !r->failed;
    }
    if (r->failed || f->type < FRAME_HELLO || count != item_counts[f->type])
        return false;
    switch (f->type) {
    case FRAME_HELLO:
        open_hello(f);
        break;
    case FRAME_BOOKS:
        f->wants = carnet_reader_uint_max(r, UINT32_MAX);
        f->rows = carnet_reader_array_max(r, CARNET_BOOKS_MAX);
        break;
    case FRAME_CHAIN:
        f->chain = carnet_reader_bytes(r);
        break;
    case FRAME_HAVE:
        f->lane = (unsigned)carnet_reader_uint_max(r, CARNET_LANES - 1);
        read_id(r, &f->book);
        f->more = carnet_reader_bool(r);
        f->rows = carnet_reader_array_max(r, FRAME_ROWS_MAX);
        break;
    case FRAME_ENTRIES:
        f->rows = carnet_reader_array_max(r, CARNET_SYNC_ENTRIES_MAX);
        break;
    case FRAME_DONE:
        f->lane = (unsigned)carnet_reader_uint_max(r, CARNET_LANES);
        break;
    case FRAME_CREDIT:
        f->number = carnet_reader_uint_max(r, CARNET_SYNC_WINDOW);
        break;
    case FRAME_BYE:
        f->number = carnet_reader_uint(r);
        break;
    case FRAME_WANT:
    case FRAME_GONE:
    case FRAME_STOP:
        f->rows = carnet_reader_array_max(r, FRAME_WANTS_MAX);
        break;
    }
    return !r->failed && (f->rows || carnet_frame_done(f));
}

void carnet_frame_book(struct frame *f, struct frame_book *out)
{
    carnet_reader_array_exact(&f->r, 3);
    read_id(&f->r, &out->id);
    carnet_reader_bytes_exact(&f->r, out->digest[0], FRAME_DIGEST_LEN);
    carnet_reader_bytes_exact(&f->r, out->digest[1], FRAME_DIGEST_LEN);
}

static uint64_t read_seq(struct carnet_reader *r)
{
    /* Sequence numbers stay below what SQLite's integers hold; zero names nothing. */
    uint64_t seq = carnet_reader_uint_max(r, INT64_MAX - 1);
    if (seq == 0)
        carnet_reader_fail(r);
    return seq;
}

void carnet_frame_place(struct frame *f, struct frame_place *out)
{
    carnet_reader_array_exact(&f->r, 4);
    read_id(&f->r, &out->book);
    read_id(&f->r, &out->author);
    out->stream = (uint32_t)carnet_reader_uint_max(&f->r, UINT32_MAX);
    out->seq = read_seq(&f->r);
}

void carnet_frame_head(struct frame *f, struct frame_head *out)
{
    carnet_reader_array_exact(&f->r, 4);
    read_id(&f->r, &out->author);
    out->stream = (uint32_t)carnet_reader_uint_max(&f->r, UINT32_MAX);
    out->seq = read_seq(&f->r);
    carnet_reader_bytes_exact(&f->r, out->mark, sizeof out->mark);
}

struct carnet_slice carnet_frame_entry(struct frame *f)
{
    return carnet_reader_bytes(&f->r);
}

bool carnet_frame_done(const struct frame *f)
{
    return carnet_reader_done(&f->r) == CARNET_OK;
}

void carnet_frame_put_book(struct carnet_buf *out, const struct frame_book *book)
{
    carnet_cbor_put_array(out, 3);
    carnet_cbor_put_id(out, &book->id);
    carnet_cbor_put_bytes(out, carnet_slice(book->digest[0], FRAME_DIGEST_LEN));
    carnet_cbor_put_bytes(out, carnet_slice(book->digest[1], FRAME_DIGEST_LEN));
}

void carnet_frame_put_place(struct carnet_buf *out, const struct frame_place *place)
{
    carnet_cbor_put_array(out, 4);
    carnet_cbor_put_id(out, &place->book);
    carnet_cbor_put_id(out, &place->author);
    carnet_cbor_put_uint(out, place->stream);
    carnet_cbor_put_uint(out, place->seq);
}

void carnet_frame_put_head(struct carnet_buf *out, const struct frame_head *head)
{
    carnet_cbor_put_array(out, 4);
    carnet_cbor_put_id(out, &head->author);
    carnet_cbor_put_uint(out, head->stream);
    carnet_cbor_put_uint(out, head->seq);
    carnet_cbor_put_bytes(out, carnet_slice(head->mark, sizeof head->mark));
}

/* --- for people --- */

static const char *const reasons[] = {
    [CARNET_SYNC_REASON_NONE] = "the session ended",
    [CARNET_SYNC_REASON_NOISE] = "what was received is not of this protocol",
    [CARNET_SYNC_REASON_ORDER] = "a frame came out of order",
    [CARNET_SYNC_REASON_VERSION] = "the other node speaks another version of the protocol",
    [CARNET_SYNC_REASON_COMMUNITY] = "the other node belongs to another community",
    [CARNET_SYNC_REASON_UNKNOWN] = "the other node's certificate is not known here",
    [CARNET_SYNC_REASON_CUT] = "the other node was revoked",
    [CARNET_SYNC_REASON_EXPIRED] = "the other node's certificate has expired",
    [CARNET_SYNC_REASON_SLOW] = "the other node did not finish the handshake in time",
    [CARNET_SYNC_REASON_SILENT] = "the other node stopped answering",
    [CARNET_SYNC_REASON_LIMIT] = "the other node sent more than is allowed at once",
};
static const char *const told[] = {
    [CARNET_SYNC_REASON_NONE] = "the other node ended the session",
    [CARNET_SYNC_REASON_NOISE] = "the other node did not understand this one",
    [CARNET_SYNC_REASON_ORDER] = "the other node received a frame out of order",
    [CARNET_SYNC_REASON_VERSION] = "the other node speaks another version of the protocol",
    [CARNET_SYNC_REASON_COMMUNITY] = "the other node belongs to another community",
    [CARNET_SYNC_REASON_UNKNOWN] = "the other node does not know this one's certificate",
    [CARNET_SYNC_REASON_CUT] = "the other node says that this one was revoked",
    [CARNET_SYNC_REASON_EXPIRED] = "the other node says that this one's certificate has expired",
    [CARNET_SYNC_REASON_SLOW] = "the other node waited too long for the handshake",
    [CARNET_SYNC_REASON_SILENT] = "the other node waited too long for an answer",
    [CARNET_SYNC_REASON_LIMIT] = "the other node received more than it allows at once",
};

const char *carnet_sync_reason_text(enum carnet_sync_reason reason, bool by_peer)
{
    CARNET_ASSERT((size_t)reason < sizeof reasons / sizeof *reasons);
    return by_peer ? told[reason] : reasons[reason];
}

static void describe_entries(struct frame *f, struct carnet_buf *out)
{
    carnet_buf_printf(out, "ENTRIES %zu:", f->rows);
    for (size_t i = 0; i < f->rows; i++) {
        struct carnet_entry_header header;
        struct carnet_hash hash;
        char author[9];
        carnet_rc rc = carnet_entry_peek(carnet_frame_entry(f), &header, &hash);
        if (i >= 8)
            continue;
        if (rc != CARNET_OK) {
            carnet_buf_append_str(out, " ?");
            continue;
        }
        carnet_hex(header.author.b, 4, author);
        const char *lane = carnet_id_equal(&header.book, &header.community) ? "charter" : header.log == CARNET_LOG_LAW ? "law" : "data";
        carnet_buf_printf(out, " %s/%s.%u.%llu", lane, author, header.incarnation, (unsigned long long)header.seq);
    }
    if (f->rows > 8)
        carnet_buf_append_str(out, " ...");
}

void carnet_sync_describe(struct carnet_slice bytes, struct carnet_buf *out)
{
    struct frame f;
    if (!carnet_frame_open(&f, bytes)) {
        carnet_buf_printf(out, "? (%zu bytes)", bytes.len);
        return;
    }
    switch (f.type) {
    case FRAME_HELLO:
        if (f.version != CARNET_SYNC_VERSION)
            carnet_buf_printf(out, "HELLO version %llu", (unsigned long long)f.version);
        else if (f.bare)
            carnet_buf_append_str(out, "HELLO who are you?");
        else
            carnet_buf_printf(out, "HELLO %zu books, %llu wanted", f.rows, (unsigned long long)f.wants);
        break;
    case FRAME_BOOKS:
        carnet_buf_printf(out, "BOOKS %zu, %llu wanted", f.rows, (unsigned long long)f.wants);
        break;
    case FRAME_CHAIN:
        carnet_buf_append_str(out, "CHAIN");
        break;
    case FRAME_HAVE:
        carnet_buf_printf(out, "HAVE lane %u: %zu heads%s", f.lane, f.rows, f.more ? ", more" : "");
        break;
    case FRAME_ENTRIES:
        describe_entries(&f, out);
        break;
    case FRAME_DONE:
        carnet_buf_printf(out, "DONE %u", f.lane);
        break;
    case FRAME_CREDIT:
        carnet_buf_printf(out, "CREDIT %llu", (unsigned long long)f.number);
        break;
    case FRAME_WANT:
        carnet_buf_printf(out, "WANT %zu", f.rows);
        break;
    case FRAME_GONE:
        carnet_buf_printf(out, "GONE %zu", f.rows);
        break;
    case FRAME_STOP:
        carnet_buf_printf(out, "STOP %zu", f.rows);
        break;
    case FRAME_BYE:
        carnet_buf_printf(out, "BYE %s",
                          f.number < sizeof reasons / sizeof *reasons ? reasons[f.number] : reasons[CARNET_SYNC_REASON_NONE]);
        break;
    }
}
