// SPDX-License-Identifier: EUPL-1.2
#include "carnet/log/authority.h"

#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Every certificate that verifies is kept, also a second one for the same node: entries name theirs by hash, so whether
 * they may be applied does not hang on what came first. Which one *stands* for a node, an author number or a transport
 * key is a function of the set: the shortest chain, then the smallest hash. The same for cuts: all are kept, and those
 * of ancestors count. */

struct link {
    struct carnet_cert cert;   /* first: certificates are handed out as pointers to it */
    const struct link *issuer; /* NULL: the root key signed */
    unsigned depth;
};
struct cut {
    struct carnet_id node, author;
    const struct carnet_cut_row *rows;
    size_t count;
};
struct carnet_authority {
    struct carnet_arena arena;
    struct carnet_slice genesis;
    struct carnet_id community;
    struct carnet_sign_pk root;
    const struct link **by_hash;
    size_t hash_count, hash_cap;
    const struct link **by_node; /* those that stand; as author numbers begin node ids, also by author */
    size_t node_count, node_cap;
    const struct link **by_curve; /* all */
    size_t curve_count, curve_cap;
    struct cut *cuts; /* by node */
    size_t cut_count, cut_cap;
};

struct carnet_authority *carnet_authority_new(struct carnet_slice genesis)
{
    struct carnet_genesis g;
    if (carnet_genesis_decode(genesis, &g) != CARNET_OK)
        return NULL;
    struct carnet_authority *authority = carnet_alloc(sizeof *authority);
    carnet_arena_init(&authority->arena);
    authority->genesis = carnet_arena_dup(&authority->arena, genesis);
    authority->community = carnet_genesis_community(genesis);
    authority->root = g.root;
    return authority;
}

void carnet_authority_free(struct carnet_authority *authority)
{
    if (!authority)
        return;
    carnet_arena_deinit(&authority->arena);
    free(authority->by_hash);
    free(authority->by_node);
    free(authority->by_curve);
    free(authority->cuts);
    free(authority);
}

const struct carnet_id *carnet_authority_community(const struct carnet_authority *authority)
{
    return &authority->community;
}

struct carnet_slice carnet_authority_genesis(const struct carnet_authority *authority)
{
    return authority->genesis;
}

const struct carnet_sign_pk *carnet_log_root(const struct carnet_authority *authority)
{
    return &authority->root;
}

/* The first place of a sorted array whose link is not smaller than key. */
static size_t lower(const struct link *const *links, size_t count, const void *key,
                    int (*compare)(const struct link *link, const void *key))
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(links[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int compare_hash(const struct link *link, const void *key)
{
    return carnet_id_compare(&link->cert.hash, key);
}

static int compare_node(const struct link *link, const void *key)
{
    return carnet_id_compare(&link->cert.node, key);
}

static int compare_author(const struct link *link, const void *key)
{
    uint64_t a = carnet_id_head(&link->cert.node), b = *(const uint64_t *)key;
    return a < b ? -1 : a > b;
}

static int compare_curve(const struct link *link, const void *key)
{
    return memcmp(link->cert.curve.b, key, sizeof link->cert.curve.b);
}

/* Whether a stands before b, where one alone may. */
static bool stands(const struct link *a, const struct link *b)
{
    return a->depth != b->depth ? a->depth < b->depth : carnet_id_compare(&a->cert.hash, &b->cert.hash) < 0;
}

static void insert(const struct link ***links, size_t *count, size_t *cap, size_t at, const struct link *link)
{
    CARNET_GROW(*links, *count, *cap);
    memmove(*links + at + 1, *links + at, (*count - at) * sizeof **links);
    (*links)[at] = link;
    (*count)++;
}

static const struct link *find_hash(const struct carnet_authority *a, const struct carnet_id *hash)
{
    size_t at = lower(a->by_hash, a->hash_count, hash, compare_hash);
    return at < a->hash_count && carnet_id_equal(&a->by_hash[at]->cert.hash, hash) ? a->by_hash[at] : NULL;
}

static const struct link *find_node(const struct carnet_authority *a, const struct carnet_id *node)
{
    size_t at = lower(a->by_node, a->node_count, node, compare_node);
    return at < a->node_count && carnet_id_equal(&a->by_node[at]->cert.node, node) ? a->by_node[at] : NULL;
}

static const struct link *find_author(const struct carnet_authority *a, uint64_t author)
{
    const struct link *best = NULL;
    for (size_t i = lower(a->by_node, a->node_count, &author, compare_author); i < a->node_count; i++) {
        if (carnet_id_head(&a->by_node[i]->cert.node) != author)
            break;
        if (!best || stands(a->by_node[i], best))
            best = a->by_node[i];
    }
    return best;
}

/* Takes its place for its node; true: there was another certificate of the node or of the author number. */
static bool settle(struct carnet_authority *a, const struct link *link)
{
    bool conflict = false;
    size_t at = lower(a->by_node, a->node_count, &link->cert.node, compare_node);
    if (at < a->node_count && carnet_id_equal(&a->by_node[at]->cert.node, &link->cert.node)) {
        conflict = true;
        if (stands(link, a->by_node[at]))
            a->by_node[at] = link;
    } else {
        conflict = find_author(a, carnet_id_head(&link->cert.node)) != NULL;
        insert(&a->by_node, &a->node_count, &a->node_cap, at, link);
    }
    return conflict;
}

/* The certificate against its issuer (NULL: the root key). */
static carnet_rc check_link(const struct carnet_authority *a, const struct carnet_cert *cert,
                            const struct carnet_cert *issuer)
{
    if (!carnet_id_equal(&cert->community, &a->community))
        return CARNET_REFUSED;
    carnet_rc rc = carnet_log_cert_verify(cert, issuer ? &issuer->sign : &a->root);
    return rc == CARNET_OK && issuer ? carnet_cert_within(cert, issuer) : rc;
}

static carnet_rc check_new(const struct carnet_authority *a, const struct carnet_cert *cert, const struct link **issuer)
{
    *issuer = NULL;
    if (carnet_id_is_zero(&cert->issuer))
        return check_link(a, cert, NULL);
    *issuer = find_hash(a, &cert->issuer);
    if (!*issuer)
        return carnet_id_equal(&cert->community, &a->community) ? CARNET_AGAIN : CARNET_REFUSED;
    if ((*issuer)->depth + 1 >= CARNET_CHAIN_MAX)
        return CARNET_REFUSED;
    return check_link(a, cert, &(*issuer)->cert);
}

carnet_rc carnet_authority_add(struct carnet_authority *authority, struct carnet_slice raw)
{
    struct carnet_arena arena; /* what is refused leaves nothing behind */
    struct carnet_cert cert;
    const struct link *issuer;
    carnet_arena_init(&arena);
    carnet_rc rc = carnet_cert_decode(raw, &arena, &cert);
    bool known = rc == CARNET_OK && find_hash(authority, &cert.hash);
    if (rc == CARNET_OK && !known)
        rc = check_new(authority, &cert, &issuer);
    carnet_arena_deinit(&arena);
    if (rc != CARNET_OK || known)
        return rc;
    struct link *link = carnet_arena_alloc(&authority->arena, sizeof *link);
    CARNET_ASSERT(carnet_cert_decode(carnet_arena_dup(&authority->arena, raw), &authority->arena, &link->cert) ==
                  CARNET_OK);
    link->issuer = issuer;
    link->depth = issuer ? issuer->depth + 1 : 0;
    insert(&authority->by_hash, &authority->hash_count, &authority->hash_cap,
           lower(authority->by_hash, authority->hash_count, &link->cert.hash, compare_hash), link);
    insert(&authority->by_curve, &authority->curve_count, &authority->curve_cap,
           lower(authority->by_curve, authority->curve_count, link->cert.curve.b, compare_curve), link);
    return settle(authority, link) ? CARNET_CONFLICT : CARNET_OK;
}

static const struct carnet_cert *cert_of(const struct link *link)
{
    return link ? &link->cert : NULL;
}

const struct carnet_cert *carnet_authority_find(const struct carnet_authority *authority,
                                                const struct carnet_id *cert_hash)
{
    return cert_of(find_hash(authority, cert_hash));
}

const struct carnet_cert *carnet_authority_node(const struct carnet_authority *authority, const struct carnet_id *node)
{
    return cert_of(find_node(authority, node));
}

const struct carnet_cert *carnet_authority_author(const struct carnet_authority *authority, uint64_t author)
{
    return cert_of(find_author(authority, author));
}

const struct carnet_cert *carnet_authority_curve(const struct carnet_authority *authority,
                                                 const struct carnet_box_pk *curve)
{
    const struct carnet_authority *a = authority;
    const struct link *best = NULL;
    for (size_t i = lower(a->by_curve, a->curve_count, curve->b, compare_curve); i < a->curve_count; i++) {
        const struct link *link = a->by_curve[i];
        if (memcmp(link->cert.curve.b, curve->b, sizeof curve->b) != 0)
            break;
        if (find_node(a, &link->cert.node) == link && (!best || stands(link, best)))
            best = link;
    }
    return cert_of(best);
}

size_t carnet_authority_count(const struct carnet_authority *authority)
{
    return authority->node_count;
}

const struct carnet_cert *carnet_authority_at(const struct carnet_authority *authority, size_t i)
{
    CARNET_ASSERT(i < authority->node_count);
    return &authority->by_node[i]->cert;
}

void carnet_authority_chain(const struct carnet_authority *authority, const struct carnet_cert *cert,
                            struct carnet_buf *out)
{
    const struct link *chain[CARNET_CHAIN_MAX];
    size_t count = 0;
    for (const struct link *link = find_hash(authority, &cert->hash); link; link = link->issuer)
        chain[count++] = link;
    carnet_cbor_put_array(out, count);
    while (count > 0)
        carnet_cbor_put_bytes(out, chain[--count]->cert.raw);
}

carnet_rc carnet_authority_check_chain(const struct carnet_authority *authority, struct carnet_slice chain,
                                       struct carnet_arena *arena, struct carnet_cert *out)
{
    struct carnet_reader r;
    carnet_reader_init(&r, chain);
    size_t count = carnet_reader_array_max(&r, CARNET_CHAIN_MAX);
    struct carnet_cert issuer = {0};
    for (size_t i = 0; i < count; i++) {
        struct carnet_slice raw = carnet_reader_bytes(&r);
        if (r.failed || carnet_cert_decode(raw, arena, out) != CARNET_OK)
            return CARNET_MALFORMED;
        if (!carnet_id_equal(&out->issuer, &issuer.hash)) /* the first one's issuer is zero: the root key */
            return CARNET_MALFORMED;
        carnet_rc rc = check_link(authority, out, i ? &issuer : NULL);
        if (rc != CARNET_OK)
            return rc;
        issuer = *out;
    }
    return count ? carnet_reader_done(&r) : CARNET_MALFORMED;
}

static int compare_rows(const void *a, const void *b)
{
    const struct carnet_cut_row *x = a, *y = b;
    int order = carnet_id_compare(&x->book, &y->book);
    return order ? order : x->stream < y->stream ? -1 : x->stream > y->stream;
}

void carnet_cut_encode(const struct carnet_cut_row *rows, size_t count, struct carnet_buf *out)
{
    struct carnet_cut_row *sorted = carnet_alloc((count + 1) * sizeof *sorted);
    if (count)
        memcpy(sorted, rows, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_rows);
    carnet_cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++) {
        CARNET_ASSERT(sorted[i].seq > 0 && (i == 0 || compare_rows(&sorted[i - 1], &sorted[i]) < 0));
        carnet_cbor_put_array(out, 4);
        carnet_cbor_put_id(out, &sorted[i].book);
        carnet_cbor_put_uint(out, sorted[i].stream);
        carnet_cbor_put_uint(out, sorted[i].seq);
        carnet_cbor_put_hash(out, &sorted[i].hash);
    }
    free(sorted);
}

carnet_rc carnet_log_cut_decode(struct carnet_slice bytes, struct carnet_arena *arena,
                                const struct carnet_cut_row **out, size_t *count)
{
    struct carnet_reader r;
    carnet_reader_init(&r, bytes);
    *out = NULL;
    *count = carnet_reader_array_max(&r, CARNET_ENTRY_LEN_MAX / 60); /* more rows do not fit an entry */
    if (r.failed)
        return CARNET_MALFORMED;
    struct carnet_cut_row *rows = arena ? carnet_arena_alloc(arena, *count * sizeof *rows) : NULL;
    struct carnet_cut_row previous;
    for (size_t i = 0; i < *count && !r.failed; i++) {
        struct carnet_cut_row row;
        carnet_reader_array_exact(&r, 4);
        carnet_reader_bytes_exact(&r, row.book.b, sizeof row.book.b);
        row.stream = (uint32_t)carnet_reader_uint_max(&r, UINT32_MAX);
        row.seq = carnet_reader_uint(&r);
        carnet_reader_bytes_exact(&r, row.hash.b, sizeof row.hash.b);
        if (row.seq == 0 || (i > 0 && compare_rows(&previous, &row) >= 0))
            carnet_reader_fail(&r);
        previous = row;
        if (rows)
            rows[i] = row;
    }
    *out = rows;
    return carnet_reader_done(&r);
}

static bool is_ancestor(const struct carnet_authority *a, const struct carnet_id *ancestor,
                        const struct carnet_id *node)
{
    const struct link *link = find_node(a, node);
    for (link = link ? link->issuer : NULL; link; link = link->issuer)
        if (carnet_id_equal(&link->cert.node, ancestor))
            return true;
    return false;
}

/* The first cut of node, or the place where it belongs. */
static size_t find_cut(const struct carnet_authority *a, const struct carnet_id *node)
{
    size_t low = 0, high = a->cut_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (carnet_id_compare(&a->cuts[middle].node, node) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool same_rows(const struct cut *cut, const struct carnet_cut_row *rows, size_t count)
{
    if (cut->count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (compare_rows(&cut->rows[i], &rows[i]) != 0 || cut->rows[i].seq != rows[i].seq)
            return false;
    return true;
}

carnet_rc carnet_authority_cut(struct carnet_authority *authority, const struct carnet_id *node,
                               const struct carnet_cert *author, struct carnet_slice bytes)
{
    struct carnet_authority *a = authority;
    const struct carnet_cut_row *rows;
    size_t count;
    carnet_rc rc = carnet_log_cut_decode(bytes, NULL, &rows, &count);
    if (rc != CARNET_OK)
        return rc;
    if (!(author->verbs & CARNET_VERB_INVITE))
        return CARNET_REFUSED;
    CARNET_ASSERT(carnet_log_cut_decode(bytes, &a->arena, &rows, &count) == CARNET_OK);
    bool counts = is_ancestor(a, &author->node, node);
    size_t at = find_cut(a, node);
    for (size_t i = at; i < a->cut_count && carnet_id_equal(&a->cuts[i].node, node); i++)
        if (carnet_id_equal(&a->cuts[i].author, &author->node) && same_rows(&a->cuts[i], rows, count))
            return counts ? CARNET_OK : CARNET_REFUSED;
    CARNET_GROW(a->cuts, a->cut_count, a->cut_cap);
    memmove(a->cuts + at + 1, a->cuts + at, (a->cut_count - at) * sizeof *a->cuts);
    a->cuts[at] = (struct cut){.node = *node, .author = author->node, .rows = rows, .count = count};
    a->cut_count++;
    return counts ? CARNET_OK : CARNET_REFUSED;
}

/* Another node has its author number and stands before it: two names for one dot, so nothing of the second counts. */
static bool is_displaced(const struct carnet_authority *a, const struct carnet_id *node)
{
    const struct link *link = find_author(a, carnet_id_head(node));
    return link && !carnet_id_equal(&link->cert.node, node) && find_node(a, node);
}

bool carnet_authority_is_cut(const struct carnet_authority *authority, const struct carnet_id *node)
{
    const struct carnet_authority *a = authority;
    for (size_t i = find_cut(a, node); i < a->cut_count && carnet_id_equal(&a->cuts[i].node, node); i++)
        if (is_ancestor(a, &a->cuts[i].author, node))
            return true;
    return is_displaced(a, node);
}

static uint64_t standing(const struct cut *cut, const struct carnet_id *book, uint32_t stream)
{
    struct carnet_cut_row key = {.book = *book, .stream = stream};
    const struct carnet_cut_row *row =
        cut->count ? bsearch(&key, cut->rows, cut->count, sizeof key, compare_rows) : NULL;
    return row ? row->seq : 0;
}

uint64_t carnet_authority_cut_at(const struct carnet_authority *authority, const struct carnet_id *node,
                                 const struct carnet_id *book, uint32_t stream)
{
    const struct carnet_authority *a = authority;
    uint64_t least = is_displaced(a, node) ? 0 : UINT64_MAX;
    for (size_t i = find_cut(a, node); i < a->cut_count && carnet_id_equal(&a->cuts[i].node, node); i++) {
        uint64_t seq = standing(&a->cuts[i], book, stream);
        if (seq < least && is_ancestor(a, &a->cuts[i].author, node))
            least = seq;
    }
    return least;
}
