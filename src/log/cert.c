// SPDX-License-Identifier: EUPL-1.2
#include "carnet/log/authority.h"

#include "carnet/base/text.h"
#include "internal.h"

#include <stdlib.h>
#include <string.h>

void carnet_genesis_encode(const struct carnet_genesis *genesis, struct carnet_buf *out)
{
    CARNET_ASSERT(genesis->name.len > 0 && genesis->name.len <= CARNET_NAME_LEN_MAX &&
                  carnet_text_is_nfc(genesis->name));
    CARNET_ASSERT(genesis->created_ms >= 0);
    carnet_cbor_put_array(out, 5);
    carnet_cbor_put_str(out, CARNET_GENESIS_DOMAIN);
    carnet_cbor_put_bytes(out, carnet_slice(genesis->root.b, sizeof genesis->root.b));
    carnet_cbor_put_text(out, genesis->name);
    carnet_cbor_put_uint(out, (uint64_t)genesis->created_ms);
    carnet_cbor_put_bytes(out, carnet_slice(genesis->random, sizeof genesis->random));
}

carnet_rc carnet_genesis_decode(struct carnet_slice bytes, struct carnet_genesis *out)
{
    struct carnet_reader r;
    carnet_reader_init(&r, bytes);
    carnet_reader_array_exact(&r, 5);
    carnet_reader_tag(&r, CARNET_GENESIS_DOMAIN);
    carnet_reader_bytes_exact(&r, out->root.b, sizeof out->root.b);
    out->name = carnet_reader_text_max(&r, CARNET_NAME_LEN_MAX);
    out->created_ms = (int64_t)carnet_reader_uint_max(&r, CARNET_MS_MAX);
    carnet_reader_bytes_exact(&r, out->random, sizeof out->random);
    if (out->name.len == 0 || (!r.failed && !carnet_sign_pk_valid(&out->root)))
        carnet_reader_fail(&r);
    return carnet_reader_done(&r);
}

struct carnet_id carnet_genesis_community(struct carnet_slice bytes)
{
    struct carnet_hash hash = carnet_hash_of(CARNET_GENESIS_DOMAIN, bytes);
    return carnet_log_short(&hash);
}

struct carnet_id carnet_node_id(const struct carnet_sign_pk *pk)
{
    struct carnet_hash hash = carnet_hash_of(CARNET_NODE_DOMAIN, carnet_slice(pk->b, sizeof pk->b));
    return carnet_log_short(&hash);
}

static int compare_ids(const void *a, const void *b)
{
    return carnet_id_compare(a, b);
}

static void put_books(const struct carnet_cert *cert, struct carnet_buf *out)
{
    struct carnet_id *books = carnet_alloc((cert->book_count + 1) * sizeof *books);
    size_t count = 0;
    if (cert->book_count)
        memcpy(books, cert->books, cert->book_count * sizeof *books);
    qsort(books, cert->book_count, sizeof *books, compare_ids);
    for (size_t i = 0; i < cert->book_count; i++)
        if (count == 0 || !carnet_id_equal(&books[i], &books[count - 1]))
            books[count++] = books[i];
    carnet_cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++)
        carnet_cbor_put_id(out, &books[i]);
    free(books);
}

static void put_cert(const struct carnet_cert *cert, struct carnet_buf *out)
{
    CARNET_ASSERT(cert->issued_ms >= 0 && cert->not_after_ms >= 0);
    carnet_cbor_put_array(out, 14);
    carnet_cbor_put_str(out, CARNET_CERT_DOMAIN);
    carnet_cbor_put_id(out, &cert->community);
    carnet_cbor_put_id(out, &cert->node);
    carnet_cbor_put_bytes(out, carnet_slice(cert->sign.b, sizeof cert->sign.b));
    carnet_cbor_put_bytes(out, carnet_slice(cert->box.b, sizeof cert->box.b));
    carnet_cbor_put_bytes(out, carnet_slice(cert->curve.b, sizeof cert->curve.b));
    carnet_cbor_put_id(out, &cert->issuer);
    carnet_cbor_put_uint(out, cert->role);
    put_books(cert, out);
    carnet_cbor_put_uint(out, cert->reads);
    carnet_cbor_put_uint(out, cert->writes);
    carnet_cbor_put_uint(out, cert->verbs);
    carnet_cbor_put_uint(out, (uint64_t)cert->issued_ms);
    carnet_cbor_put_uint(out, (uint64_t)cert->not_after_ms);
}

void carnet_cert_sign(const struct carnet_cert *cert, const struct carnet_sign_sk *sk, struct carnet_buf *out)
{
    struct carnet_buf bytes;
    carnet_buf_init(&bytes, CARNET_CERT_LEN_MAX);
    put_cert(cert, &bytes);
    if (bytes.failed)
        out->failed = true;
    struct carnet_sig sig = carnet_sign(sk, carnet_buf_slice(&bytes));
    carnet_cbor_put_array(out, 2);
    carnet_cbor_put_bytes(out, carnet_buf_slice(&bytes));
    carnet_cbor_put_bytes(out, carnet_slice(sig.b, sizeof sig.b));
    carnet_buf_deinit(&bytes);
}

/* Ascending, each once, and not the charter, which everybody holds: one set of books has one form. */
static void read_books(struct carnet_reader *r, struct carnet_arena *arena, struct carnet_cert *out)
{
    size_t count = carnet_reader_array_max(r, CARNET_BOOKS_MAX);
    if (count == 0)
        return;
    struct carnet_id *books = carnet_arena_alloc(arena, count * sizeof *books);
    for (size_t i = 0; i < count && !r->failed; i++) {
        carnet_reader_bytes_exact(r, books[i].b, sizeof books[i].b);
        if (carnet_id_equal(&books[i], &out->community) || (i > 0 && carnet_id_compare(&books[i - 1], &books[i]) >= 0))
            carnet_reader_fail(r);
    }
    out->books = books;
    out->book_count = r->failed ? 0 : count;
}

static void read_cert(struct carnet_reader *r, struct carnet_arena *arena, struct carnet_cert *out)
{
    carnet_reader_array_exact(r, 14);
    carnet_reader_tag(r, CARNET_CERT_DOMAIN);
    carnet_reader_bytes_exact(r, out->community.b, sizeof out->community.b);
    carnet_reader_bytes_exact(r, out->node.b, sizeof out->node.b);
    carnet_reader_bytes_exact(r, out->sign.b, sizeof out->sign.b);
    carnet_reader_bytes_exact(r, out->box.b, sizeof out->box.b);
    carnet_reader_bytes_exact(r, out->curve.b, sizeof out->curve.b);
    carnet_reader_bytes_exact(r, out->issuer.b, sizeof out->issuer.b);
    out->role = (enum carnet_role)carnet_reader_uint_max(r, CARNET_ROLE_RELAY);
    read_books(r, arena, out);
    out->reads = (uint32_t)carnet_reader_uint_max(r, UINT32_MAX);
    out->writes = (uint32_t)carnet_reader_uint_max(r, UINT32_MAX);
    out->verbs = (uint32_t)carnet_reader_uint_max(r, UINT32_MAX);
    out->issued_ms = (int64_t)carnet_reader_uint_max(r, CARNET_MS_MAX);
    out->not_after_ms = (int64_t)carnet_reader_uint_max(r, CARNET_MS_MAX);
}

static bool cert_makes_sense(const struct carnet_cert *cert)
{
    static const struct carnet_box_pk zero;
    struct carnet_id node = carnet_node_id(&cert->sign);
    if (cert->role < CARNET_ROLE_ADMIN || (cert->reads & ~CARNET_SCOPES_ALL) || (cert->writes & ~cert->reads))
        return false;
    if (cert->role == CARNET_ROLE_RELAY && cert->reads) /* a relay's disk holds nothing readable */
        return false;
    return carnet_id_equal(&node, &cert->node) && carnet_sign_pk_valid(&cert->sign) &&
           memcmp(cert->box.b, zero.b, sizeof zero.b) != 0 && memcmp(cert->curve.b, zero.b, sizeof zero.b) != 0;
}

struct carnet_slice carnet_log_cert_bytes(struct carnet_slice raw, struct carnet_sig *sig)
{
    struct carnet_reader r;
    carnet_reader_init(&r, raw);
    carnet_reader_array_exact(&r, 2);
    struct carnet_slice bytes = carnet_reader_bytes(&r);
    carnet_reader_bytes_exact(&r, sig->b, sizeof sig->b);
    return carnet_reader_done(&r) == CARNET_OK && bytes.len <= CARNET_CERT_LEN_MAX ? bytes : CARNET_SLICE_NONE;
}

carnet_rc carnet_cert_decode(struct carnet_slice raw, struct carnet_arena *arena, struct carnet_cert *out)
{
    struct carnet_sig sig;
    struct carnet_slice bytes = carnet_log_cert_bytes(raw, &sig);
    *out = (struct carnet_cert){.raw = raw};
    struct carnet_reader r;
    carnet_reader_init(&r, bytes);
    read_cert(&r, arena, out);
    if (carnet_reader_done(&r) != CARNET_OK || !cert_makes_sense(out))
        return CARNET_MALFORMED;
    struct carnet_hash hash = carnet_hash_of(CARNET_CERT_DOMAIN, bytes);
    out->hash = carnet_log_short(&hash);
    return CARNET_OK;
}

carnet_rc carnet_log_cert_verify(const struct carnet_cert *cert, const struct carnet_sign_pk *issuer)
{
    struct carnet_sig sig;
    struct carnet_slice bytes = carnet_log_cert_bytes(cert->raw, &sig);
    return carnet_verify(issuer, bytes, &sig);
}

bool carnet_cert_holds(const struct carnet_cert *cert, const struct carnet_id *book)
{
    return carnet_id_equal(book, &cert->community) || cert->book_count == 0 ||
           bsearch(book, cert->books, cert->book_count, sizeof *cert->books, compare_ids);
}

bool carnet_cert_gets(const struct carnet_cert *cert, enum carnet_scope scope)
{
    return scope == CARNET_SCOPE_CLEAR || cert->role == CARNET_ROLE_RELAY || cert->reads >> scope & 1;
}

carnet_rc carnet_cert_within(const struct carnet_cert *child, const struct carnet_cert *issuer)
{
    if (!(issuer->verbs & CARNET_VERB_INVITE) || !carnet_id_equal(&child->community, &issuer->community) ||
        child->role < issuer->role)
        return CARNET_REFUSED;
    if ((child->verbs & ~issuer->verbs) || (child->reads & ~issuer->reads) || (child->writes & ~issuer->writes))
        return CARNET_REFUSED;
    if (issuer->not_after_ms && (child->not_after_ms == 0 || child->not_after_ms > issuer->not_after_ms))
        return CARNET_REFUSED;
    if (issuer->book_count && child->book_count == 0)
        return CARNET_REFUSED;
    for (size_t i = 0; i < child->book_count; i++)
        if (!carnet_cert_holds(issuer, &child->books[i]))
            return CARNET_REFUSED;
    return CARNET_OK;
}

bool carnet_cert_expired(const struct carnet_cert *cert, int64_t now_ms)
{
    return cert->not_after_ms != 0 && cert->not_after_ms <= now_ms;
}
