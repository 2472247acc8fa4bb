// SPDX-License-Identifier: EUPL-1.2
#include "carnet/sync/bundle.h"

#include "frame.h"
#include "parts.h"

#include <stdlib.h>
#include <string.h>

static const char magic[] = "carnet bundle 1\n";
enum { MAGIC_LEN = sizeof magic - 1, PREFIX_LEN = 4 };
static const char bundle_domain[] = "carnet/1/bundle";
static const char end_domain[] = "carnet/1/bundle/end";

/* What is signed: how much there is, and the hash of all that comes before the end. */
static void put_end(struct carnet_buf *out, uint64_t frames, uint64_t entries, const struct carnet_hash *hash)
{
    carnet_cbor_put_array(out, 4);
    carnet_cbor_put_str(out, end_domain);
    carnet_cbor_put_uint(out, frames);
    carnet_cbor_put_uint(out, entries);
    carnet_cbor_put_hash(out, hash);
}

/* --- writing --- */

struct writer {
    const struct carnet_sync_source *source;
    const struct carnet_bundle_terms *terms;
    const struct carnet_cert *self;
    struct carnet_id community;
    bool (*write)(void *ctx, struct carnet_slice bytes);
    void *ctx;
    struct carnet_bundle_stats *stats;
    struct carnet_hasher hasher;
    struct carnet_sync_head *heads; /* sorted copy */
    struct carnet_buf frame, body, stripped;
    struct carnet_arena arena;
    uint64_t frames;
    size_t body_count;
    carnet_rc rc;
};

static void put(struct writer *w, struct carnet_slice bytes)
{
    if (w->rc != CARNET_OK)
        return;
    carnet_hasher_add(&w->hasher, bytes.ptr, bytes.len);
    w->stats->bytes += bytes.len;
    if (!w->write(w->ctx, bytes))
        w->rc = CARNET_CANCELLED;
}

static void put_frame(struct writer *w)
{
    size_t len = w->frame.len;
    uint8_t prefix[PREFIX_LEN] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len };
    if (w->frame.failed)
        w->rc = CARNET_LIMIT;
    put(w, carnet_slice(prefix, sizeof prefix));
    put(w, carnet_buf_slice(&w->frame));
    w->frames++;
}

static void put_header(struct writer *w)
{
    struct carnet_buf chain;
    carnet_buf_init(&chain, CARNET_FRAME_LEN_MAX);
    carnet_authority_chain(w->source->authority(w->source->ctx), w->self, &chain);
    put(w, carnet_slice(magic, MAGIC_LEN));
    carnet_buf_clear(&w->frame);
    carnet_cbor_put_array(&w->frame, 6);
    carnet_cbor_put_str(&w->frame, bundle_domain);
    carnet_cbor_put_id(&w->frame, &w->community);
    carnet_cbor_put_id(&w->frame, &w->self->hash);
    carnet_cbor_put_bytes(&w->frame, carnet_buf_slice(&chain));
    if (w->terms->reader)
        carnet_cbor_put_id(&w->frame, &w->terms->reader->node);
    else
        carnet_cbor_put_null(&w->frame);
    carnet_cbor_put_int(&w->frame, w->terms->wall_ms);
    put_frame(w);
    carnet_buf_deinit(&chain);
}

static void put_body(struct writer *w)
{
    if (w->body_count == 0)
        return;
    carnet_buf_clear(&w->frame);
    carnet_cbor_put_array(&w->frame, 2);
    carnet_cbor_put_uint(&w->frame, FRAME_ENTRIES);
    carnet_cbor_put_array(&w->frame, w->body_count);
    carnet_buf_append_slice(&w->frame, carnet_buf_slice(&w->body));
    carnet_buf_clear(&w->body);
    w->body_count = 0;
    put_frame(w);
}

static int compare_heads(const void *a, const void *b)
{
    const struct carnet_sync_head *x = a, *y = b;
    int order = carnet_id_compare(&x->book, &y->book);
    order = order ? order : carnet_id_compare(&x->author, &y->author);
    return order ? order : x->stream < y->stream ? -1 : x->stream > y->stream;
}

static bool leaves(const struct writer *w, const struct carnet_sync_entry *entry)
{
    struct carnet_sync_head key = { .book = entry->book, .author = entry->author, .stream = entry->stream };
    const struct carnet_sync_head *has;
    if (!carnet_id_equal(&entry->book, &w->community) &&
        (!carnet_cert_holds(w->self, &entry->book) || (w->terms->reader && !carnet_cert_holds(w->terms->reader, &entry->book))))
        return false;
    has = w->terms->head_count ? bsearch(&key, w->heads, w->terms->head_count, sizeof key, compare_heads) : NULL;
    return !has || entry->seq > has->seq;
}

static void put_entry(struct writer *w, struct carnet_slice bytes)
{
    struct parts parts;
    if (w->terms->reader && !carnet_parts_gets_all(w->terms->reader)) {
        if (!carnet_parts_strip(w->terms->reader, bytes, &w->arena, &w->stripped, &parts)) {
            w->rc = CARNET_CORRUPT;
            return;
        }
        bytes = carnet_buf_slice(&w->stripped);
    }
    if (w->body_count == CARNET_SYNC_ENTRIES_MAX || (w->body_count && w->body.len + bytes.len > FRAME_FILL_MAX))
        put_body(w);
    carnet_cbor_put_bytes(&w->body, bytes);
    w->body_count++;
    w->stats->entries++;
}

static void put_lane(struct writer *w, unsigned lane)
{
    struct carnet_sync_entry entry;
    int64_t from = 0, end = w->source->last(w->source->ctx);
    while (w->rc == CARNET_OK && w->source->next(w->source->ctx, lane, from, &entry) && entry.n <= end) {
        if (leaves(w, &entry))
            put_entry(w, entry.bytes);
        from = entry.n + 1;
    }
    put_body(w); /* a lane begins a frame, so that each is committed before the next */
}

static void put_signature(struct writer *w)
{
    struct carnet_hash hash = carnet_hasher_done(&w->hasher);
    carnet_buf_clear(&w->body);
    put_end(&w->body, w->frames, w->stats->entries, &hash);
    struct carnet_sig sig = carnet_sign(w->terms->sk, carnet_buf_slice(&w->body));
    carnet_hasher_init(&w->hasher, bundle_domain); /* nothing more is hashed */
    carnet_buf_clear(&w->frame);
    carnet_cbor_put_array(&w->frame, 4);
    carnet_cbor_put_str(&w->frame, end_domain);
    carnet_cbor_put_uint(&w->frame, w->frames);
    carnet_cbor_put_uint(&w->frame, w->stats->entries);
    carnet_cbor_put_bytes(&w->frame, carnet_slice(sig.b, sizeof sig.b));
    put_frame(w);
}

carnet_rc carnet_bundle_write(const struct carnet_sync_source *source, const struct carnet_bundle_terms *terms,
                              bool (*write)(void *ctx, struct carnet_slice bytes), void *ctx, struct carnet_bundle_stats *stats)
{
    const struct carnet_authority *authority = source->authority(source->ctx);
    struct writer w = { .source = source, .terms = terms, .self = source->self(source->ctx), .write = write, .ctx = ctx, .stats = stats };
    w.community = *carnet_authority_community(authority);
    *stats = (struct carnet_bundle_stats){ .sender = w.self->node, .wall_ms = terms->wall_ms };
    if (terms->reader && carnet_authority_is_cut(authority, &terms->reader->node))
        return CARNET_REFUSED;
    carnet_hasher_init(&w.hasher, bundle_domain);
    carnet_arena_init(&w.arena);
    carnet_buf_init(&w.frame, CARNET_FRAME_LEN_MAX);
    carnet_buf_init(&w.body, CARNET_FRAME_LEN_MAX);
    carnet_buf_init(&w.stripped, CARNET_ENTRY_LEN_MAX);
    w.heads = carnet_alloc((terms->head_count + 1) * sizeof *w.heads);
    if (terms->head_count)
        memcpy(w.heads, terms->heads, terms->head_count * sizeof *w.heads);
    qsort(w.heads, terms->head_count, sizeof *w.heads, compare_heads);
    put_header(&w);
    for (unsigned lane = 0; lane < CARNET_LANES; lane++)
        put_lane(&w, lane);
    put_signature(&w);
    free(w.heads);
    carnet_buf_deinit(&w.frame);
    carnet_buf_deinit(&w.body);
    carnet_buf_deinit(&w.stripped);
    carnet_arena_deinit(&w.arena);
    return w.rc;
}

/* --- reading --- */

struct reader {
    const struct carnet_sync_source *source;
    const struct carnet_bundle_input *input;
    struct carnet_bundle_stats *stats;
    struct carnet_hasher hasher;
    struct carnet_id community;
    struct carnet_arena arena; /* the sender's certificate */
    struct carnet_arena scratch;
    struct carnet_cert sender;
    uint8_t frame[CARNET_FRAME_LEN_MAX];
    size_t len;
    uint64_t frames, entries;
    struct carnet_buf kept; /* entries without the parts that are not for this node */
    const char *why;
};

static carnet_rc fail(struct reader *r, carnet_rc rc, const char *why)
{
    r->why = why;
    return rc;
}

static carnet_rc altered(struct reader *r)
{
    return fail(r, CARNET_MALFORMED, "the bundle is cut or altered");
}

static carnet_rc get(struct reader *r, uint8_t *out, size_t len, size_t *got)
{
    *got = 0;
    if (!r->input->read(r->input->ctx, out, len, got) || *got > len)
        return fail(r, CARNET_FAILED, "the bundle cannot be read");
    r->stats->bytes += *got;
    return CARNET_OK;
}

/* The next frame, not hashed yet. */
static carnet_rc get_frame(struct reader *r, uint8_t prefix[PREFIX_LEN])
{
    size_t got;
    carnet_rc rc = get(r, prefix, PREFIX_LEN, &got);
    if (rc != CARNET_OK)
        return rc;
    r->len = (size_t)prefix[0] << 24 | (size_t)prefix[1] << 16 | (size_t)prefix[2] << 8 | prefix[3];
    if (got != PREFIX_LEN || r->len == 0 || r->len > sizeof r->frame)
        return altered(r);
    rc = get(r, r->frame, r->len, &got);
    if (rc != CARNET_OK)
        return rc;
    return got == r->len ? CARNET_OK : altered(r);
}

static void hash_frame(struct reader *r, const uint8_t prefix[PREFIX_LEN])
{
    carnet_hasher_add(&r->hasher, prefix, PREFIX_LEN);
    carnet_hasher_add(&r->hasher, r->frame, r->len);
    r->frames++;
}

/* The sender is a member by its chain, none of whom was revoked. */
static carnet_rc check_sender(struct reader *r, struct carnet_slice chain, const struct carnet_id *hash)
{
    const struct carnet_authority *authority = r->source->authority(r->source->ctx);
    struct carnet_reader certs;
    if (carnet_authority_check_chain(authority, chain, &r->arena, &r->sender) != CARNET_OK || !carnet_id_equal(&r->sender.hash, hash))
        return fail(r, CARNET_REFUSED, "the bundle's sender is not a member");
    carnet_reader_init(&certs, chain);
    for (size_t count = carnet_reader_array(&certs); count; count--) {
        struct carnet_cert cert;
        carnet_arena_reset(&r->scratch);
        if (carnet_cert_decode(carnet_reader_bytes(&certs), &r->scratch, &cert) != CARNET_OK || carnet_authority_is_cut(authority, &cert.node))
            return fail(r, CARNET_REFUSED, "the bundle's sender was revoked");
    }
    if (carnet_cert_expired(&r->sender, r->stats->wall_ms))
        return fail(r, CARNET_REFUSED, "the bundle's sender had a certificate that has expired");
    r->stats->sender = r->sender.node;
    return CARNET_OK;
}

static carnet_rc get_header(struct reader *r)
{
    uint8_t prefix[PREFIX_LEN], start[MAGIC_LEN];
    struct carnet_id community, hash, node = { { 0 } };
    struct carnet_reader c;
    size_t got;
    carnet_rc rc = get(r, start, sizeof start, &got);
    if (rc != CARNET_OK)
        return rc;
    if (got != sizeof start || memcmp(start, magic, sizeof start) != 0)
        return fail(r, CARNET_MALFORMED, "this is not a bundle of Carnet, or of a later version");
    carnet_hasher_add(&r->hasher, start, sizeof start);
    rc = get_frame(r, prefix);
    if (rc != CARNET_OK)
        return rc;
    hash_frame(r, prefix);
    carnet_reader_init(&c, carnet_slice(r->frame, r->len));
    carnet_reader_array_exact(&c, 6);
    carnet_reader_tag(&c, bundle_domain);
    carnet_reader_bytes_exact(&c, community.b, sizeof community.b);
    carnet_reader_bytes_exact(&c, hash.b, sizeof hash.b);
    struct carnet_slice chain = carnet_reader_bytes(&c);
    bool any = carnet_reader_null(&c);
    if (!any)
        carnet_reader_bytes_exact(&c, node.b, sizeof node.b);
    r->stats->wall_ms = carnet_reader_int(&c);
    if (carnet_reader_done(&c) != CARNET_OK)
        return altered(r);
    if (!carnet_id_equal(&community, &r->community))
        return fail(r, CARNET_REFUSED, "the bundle belongs to another community");
    if (!any && !carnet_id_equal(&node, &r->source->self(r->source->ctx)->node))
        return fail(r, CARNET_REFUSED, "the bundle is for another node");
    /* the certificate outlives the frame */
    return check_sender(r, carnet_arena_dup(&r->arena, chain), &hash);
}

static carnet_rc take_entries(struct reader *r, struct frame *f)
{
    const struct carnet_cert *self = r->source->self(r->source->ctx);
    struct carnet_slice entries[CARNET_SYNC_ENTRIES_MAX];
    carnet_rc rcs[CARNET_SYNC_ENTRIES_MAX];
    size_t at[CARNET_SYNC_ENTRIES_MAX];
    size_t count = 0;
    struct carnet_buf one;
    bool all = carnet_parts_gets_all(self);
    carnet_buf_init(&one, CARNET_ENTRY_LEN_MAX);
    carnet_buf_clear(&r->kept);
    for (size_t i = 0; i < f->rows; i++) {
        struct carnet_slice raw = carnet_frame_entry(f);
        struct carnet_entry_header header;
        struct carnet_hash hash;
        struct parts parts;
        r->entries++;
        if (f->r.failed || carnet_entry_peek(raw, &header, &hash) != CARNET_OK || !carnet_id_equal(&header.community, &r->community)) {
            r->stats->refused++;
            continue;
        }
        if (!carnet_id_equal(&header.book, &r->community) && !carnet_cert_holds(self, &header.book))
            continue;
        if (!all) {
            if (!carnet_parts_strip(self, raw, &r->scratch, &one, &parts)) {
                r->stats->refused++;
                continue;
            }
            at[count] = r->kept.len;
            carnet_buf_append_slice(&r->kept, carnet_buf_slice(&one));
            raw.len = one.len;
        }
        entries[count++] = raw;
    }
    for (size_t i = 0; i < count && !all; i++) /* now that they do not move any more */
        entries[i].ptr = r->kept.ptr + at[i];
    carnet_buf_deinit(&one);
    if (!carnet_frame_done(f))
        return altered(r);
    if (count == 0)
        return CARNET_OK;
    for (size_t i = 0; i < count; i++)
        rcs[i] = CARNET_OK;
    carnet_rc rc = r->input->apply(r->input->ctx, entries, count, rcs);
    if (rc != CARNET_OK)
        return fail(r, rc, "the bundle's entries cannot be applied");
    for (size_t i = 0; i < count; i++) {
        r->stats->entries += rcs[i] == CARNET_OK;
        r->stats->refused += rcs[i] != CARNET_OK;
    }
    return CARNET_OK;
}

static carnet_rc check_end(struct reader *r)
{
    struct carnet_hash hash = carnet_hasher_done(&r->hasher);
    struct carnet_reader c;
    struct carnet_buf signed_bytes;
    struct carnet_sig sig;
    uint8_t more;
    size_t got;
    carnet_reader_init(&c, carnet_slice(r->frame, r->len));
    carnet_reader_array_exact(&c, 4);
    carnet_reader_tag(&c, end_domain);
    uint64_t frames = carnet_reader_uint(&c), entries = carnet_reader_uint(&c);
    carnet_reader_bytes_exact(&c, sig.b, sizeof sig.b);
    if (carnet_reader_done(&c) != CARNET_OK || frames != r->frames || entries != r->entries)
        return altered(r);
    carnet_buf_init(&signed_bytes, 1024);
    put_end(&signed_bytes, frames, entries, &hash);
    carnet_rc rc = carnet_verify(&r->sender.sign, carnet_buf_slice(&signed_bytes), &sig);
    carnet_buf_deinit(&signed_bytes);
    if (rc != CARNET_OK)
        return altered(r);
    rc = get(r, &more, 1, &got);
    return rc != CARNET_OK || got == 0 ? rc : altered(r);
}

static carnet_rc get_all(struct reader *r)
{
    carnet_rc rc = get_header(r);
    while (rc == CARNET_OK) {
        uint8_t prefix[PREFIX_LEN];
        struct frame f;
        rc = get_frame(r, prefix);
        if (rc != CARNET_OK)
            break;
        if (!carnet_frame_open(&f, carnet_slice(r->frame, r->len)))
            return check_end(r); /* no frame of a session: the end, or damage */
        if (f.type != FRAME_ENTRIES)
            return altered(r);
        hash_frame(r, prefix);
        rc = take_entries(r, &f);
    }
    return rc;
}

carnet_rc carnet_bundle_read(const struct carnet_sync_source *source, const struct carnet_bundle_input *input, struct carnet_bundle_stats *stats,
                             const char **why)
{
    struct reader *r = carnet_alloc(sizeof *r);
    *stats = (struct carnet_bundle_stats){ 0 };
    r->source = source;
    r->input = input;
    r->stats = stats;
    r->community = *carnet_authority_community(source->authority(source->ctx));
    carnet_hasher_init(&r->hasher, bundle_domain);
    carnet_arena_init(&r->arena);
    carnet_arena_init(&r->scratch);
    carnet_buf_init(&r->kept, CARNET_FRAME_LEN_MAX);
    carnet_rc rc = get_all(r);
    if (why)
        *why = r->why;
    carnet_buf_deinit(&r->kept);
    carnet_arena_deinit(&r->arena);
    carnet_arena_deinit(&r->scratch);
    free(r);
    return rc;
}
