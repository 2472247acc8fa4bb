// SPDX-License-Identifier: EUPL-1.2
/* A query, then after a line feed the cells of one contact, a line each ("given=Zoé"): no bytes break the parser, and
 * what is said of a contact holds together. */
#include "../support/contact.h"
#include "carnet/people/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void count_selector(void *ctx, enum carnet_query_selector kind, struct carnet_slice name)
{
    (void)kind;
    must(name.len > 0);
    ++*(size_t *)ctx;
}

static bool no_consent(void *ctx, struct carnet_slice purpose)
{
    (void)ctx;
    must(carnet_purpose_find(NULL, purpose) != NULL);
    return false;
}

static bool no_basis(void *ctx, enum carnet_basis basis)
{
    (void)ctx;
    must(carnet_basis_name(basis) != NULL);
    return false;
}

/* Every segment that begins with s is the query itself: loops, and its own mistakes. */
static carnet_rc itself(void *ctx, struct carnet_slice name, struct carnet_slice *query, struct carnet_err *err)
{
    if (name.ptr[0] != 's')
        return carnet_err_set(err, CARNET_NOT_FOUND, "there is no segment %.*s", (int)name.len, (const char *)name.ptr);
    *query = *(const struct carnet_slice *)ctx;
    return CARNET_OK;
}

static void read_contact(struct contact *contact, struct carnet_slice text)
{
    contact->count = 0;
    while (text.len && contact->count < CONTACT_CELLS_MAX) {
        const uint8_t *feed = memchr(text.ptr, '\n', text.len);
        struct carnet_slice line = carnet_slice(text.ptr, feed ? (size_t)(feed - text.ptr) : text.len);
        const uint8_t *equal = line.len ? memchr(line.ptr, '=', line.len) : NULL;
        const uint8_t *slash = line.len ? memchr(line.ptr, '/', line.len) : NULL;
        size_t name_len = equal ? (size_t)((slash && slash < equal ? slash : equal) - line.ptr) : 0;
        bool known = name_len && carnet_field_by_name(NULL, carnet_slice(line.ptr, name_len));
        bool room = true;
        for (size_t i = 0; i < contact->count; i++)
            room = room && contact->cells[i].count < CONTACT_SIBLINGS_MAX;
        if (known && room)
            contact_add(contact, line);
        text = carnet_slice(text.ptr + line.len, text.len - line.len);
        if (text.len) {
            text.ptr++;
            text.len--;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const uint8_t *feed = len ? memchr(data, '\n', len) : NULL;
    size_t query_len = feed ? (size_t)(feed - data) : len;
    struct carnet_query *query;
    struct carnet_err err = { .lang = CARNET_LANG_FR };
    struct carnet_slice typed = carnet_slice(data, query_len);
    const struct carnet_query_context context = { .segment = itself, .ctx = &typed };
    carnet_rc rc = carnet_query_parse_in(&context, typed, &query, &err);
    must(rc == CARNET_OK || ((rc == CARNET_USAGE || rc == CARNET_NOT_FOUND) && !query && err.what[0]));
    if (rc)
        return 0;
    struct contact contact;
    struct carnet_buf text, fts;
    size_t selectors = 0;
    read_contact(&contact, feed ? carnet_slice(feed + 1, len - query_len - 1) : CARNET_SLICE_NONE);
    struct carnet_query_subject subject = {
        .cells = contact.cells, .count = contact.count, .today = 20260412, .now_ms = 1775988000000, .changed_ms = 1773396000000,
        .added_ms = 1735689599999, .consent = no_consent, .basis = no_basis};
    bool matched = carnet_query_matches(query, &subject);
    must(matched || !carnet_query_is_all(query));
    carnet_query_selectors(query, count_selector, &selectors);
    must(selectors <= CARNET_QUERY_NODES_MAX);
    carnet_buf_init(&text, 1 << 20);
    carnet_buf_init(&fts, 1 << 16);
    carnet_query_index_text(contact.cells, contact.count, &text);
    carnet_query_sort_key(contact.cells, contact.count, &text);
    bool narrowed = carnet_query_fts(query, &fts);
    must(narrowed == (fts.len > 0));
    must(carnet_text_is_utf8(carnet_buf_slice(&fts)));
    must(!narrowed || !carnet_query_is_all(query));
    carnet_buf_deinit(&text);
    carnet_buf_deinit(&fts);
    carnet_query_free(query);
    return 0;
}
