// SPDX-License-Identifier: EUPL-1.2
/* protocol/vectors/: what is generated here must be, byte for byte, what the files say, and what the files say must
 * decode, verify, encode again, or be refused for the reason they give. CARNET_REWRITE=1 writes the files anew, and the
 * fuzz corpora that come from them. */
#include "../support/log_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct log_world world;
static const uint8_t seed_identity[16] = {1, 1, 1, 1}, seed_email[16] = {2, 2, 2, 2};

/* --- writing --- */

static struct carnet_buf out; /* the file in the making */

static void put_line(const char *key, const char *text)
{
    carnet_buf_printf(&out, "%s: %s\n", key, text);
}

static void put_hex(const char *key, struct carnet_slice bytes)
{
    char *hex = carnet_alloc(2 * bytes.len + 1);
    carnet_hex(bytes.ptr, bytes.len, hex);
    put_line(key, hex);
    free(hex);
}

static void put_id(const char *key, const struct carnet_id *id)
{
    put_hex(key, carnet_slice(id->b, sizeof id->b));
}

static void put_hash(const char *key, const struct carnet_hash *hash)
{
    put_hex(key, carnet_slice(hash->b, sizeof hash->b));
}

static void put_number(const char *key, uint64_t value)
{
    carnet_buf_printf(&out, "%s: %llu\n", key, (unsigned long long)value);
}

static void put_start(const char *name, const char *expect, const char *why)
{
    carnet_buf_append_str(&out, "\n");
    put_line("name", name);
    put_line("expect", expect);
    if (why)
        put_line("why", why);
}

static const char *rc_text(carnet_rc rc)
{
    static const char *const names[] = {
#define X(name, status, text) #name,
        CARNET_RC_TABLE(X)
#undef X
    };
    return names[rc];
}

static bool rewriting(void)
{
    const char *set = getenv("CARNET_REWRITE");
    return set && *set == '1';
}

static void write_file(const char *path, struct carnet_slice bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

static void write_corpus(const char *kind, const char *name, struct carnet_slice bytes)
{
    char path[1024];
    if (!rewriting())
        return;
    snprintf(path, sizeof path, "%s/%s", CARNET_CORPUS, kind);
    assert_true(mkdir(path, 0777) == 0 || errno == EEXIST);
    snprintf(path, sizeof path, "%s/%s/%s", CARNET_CORPUS, kind, name);
    write_file(path, bytes);
}

/* --- reading: blocks of `key: value` lines, separated by empty lines --- */

static char *file_text(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", CARNET_VECTORS, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = carnet_alloc(4 * 1024 * 1024);
    size_t len = fread(text, 1, 4 * 1024 * 1024 - 1, file);
    text[len] = 0;
    fclose(file);
    return text;
}

/* The next block's text, NUL-terminated in place; NULL at the end. Comments are skipped. */
static char *next_block(char **at)
{
    for (;;) {
        while (**at == '\n')
            (*at)++;
        if (**at == 0)
            return NULL;
        char *block = *at;
        char *end = strstr(block, "\n\n");
        if (end) {
            end[1] = 0;
            *at = end + 2;
        } else {
            *at = block + strlen(block);
        }
        if (*block != '#')
            return block;
    }
}

/* A copy of the value of a key, NULL: it has none. */
static char *value_of(const char *block, const char *key)
{
    size_t len = strlen(key);
    for (const char *line = block; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, key, len) == 0 && line[len] == ':') {
            const char *start = line + len + 1 + (line[len + 1] == ' ');
            return carnet_strdup_slice(carnet_slice(start, strcspn(start, "\n")));
        }
    }
    return NULL;
}

static struct carnet_slice hex_of(const char *block, const char *key)
{
    char *text = value_of(block, key);
    assert_non_null(text);
    size_t len = strlen(text) / 2;
    uint8_t *bytes = carnet_arena_alloc(&world.arena, len + 1);
    assert_true(carnet_unhex(carnet_slice_str(text), bytes, len));
    free(text);
    return carnet_slice(bytes, len);
}

static void expect_line(const char *block, const char *key, const char *value)
{
    char *text = value_of(block, key);
    assert_non_null(text);
    assert_string_equal(text, value);
    free(text);
}

static void expect_rc(const char *block, carnet_rc rc)
{
    expect_line(block, "expect", rc_text(rc));
}

/* Compares what was generated with the file, or writes it. */
static void settle_file(const char *name, const char *about)
{
    struct carnet_buf whole;
    carnet_buf_init(&whole, 8 * 1024 * 1024);
    carnet_buf_printf(
        &whole, "# SPDX-License-Identifier: EUPL-1.2\n# %s\n# Written by tests/unit/test_vectors.c; see README.md.\n",
        about);
    carnet_buf_append_slice(&whole, carnet_buf_slice(&out));
    assert_false(whole.failed);
    if (rewriting()) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", CARNET_VECTORS, name);
        write_file(path, carnet_buf_slice(&whole));
    }
    char *text = file_text(name);
    if (strcmp(text, carnet_buf_cstr(&whole)) != 0)
        fail_msg("%s differs from what this version writes", name);
    free(text);
    carnet_buf_deinit(&whole);
    carnet_buf_clear(&out);
}

static int setup(void **state)
{
    (void)state;
    if (carnet_crypto_init(NULL) != CARNET_OK)
        return -1;
    log_world_init(&world);
    carnet_buf_init(&out, 8 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_world_deinit(&world);
    carnet_buf_deinit(&out);
    return 0;
}

/* --- keys.txt: every derivation --- */

static void put_node(const char *name, uint8_t fill, const struct log_node *node)
{
    uint8_t seed[32];
    memset(seed, fill, sizeof seed);
    put_start(name, "OK", NULL);
    put_line("kind", "node");
    put_hex("sign_seed", carnet_slice(seed, 32));
    put_hex("sign_pk", carnet_slice(node->pk.b, 32));
    put_hex("box_sk", carnet_slice(node->box_sk.b, 32));
    put_hex("box_pk", carnet_slice(node->box.b, 32));
    put_hex("curve_sk", carnet_slice(node->curve_sk.b, 32));
    put_hex("curve_pk", carnet_slice(node->curve.b, 32));
    put_id("node", &node->id);
}

static void put_part(const char *name, enum carnet_scope scope, const struct carnet_id *subject, const uint8_t *seed,
                     const char *plain)
{
    static const struct carnet_id zero;
    struct carnet_key epoch = log_epoch_key(scope);
    struct carnet_key key =
        carnet_part_key(&epoch, &world.community, &world.book, subject ? subject : &zero, scope, seed);
    struct carnet_entry_header header = log_header(&world, &world.office, &world.book, CARNET_LOG_DATA, 300);
    struct carnet_part part = {.scope = scope, .epoch = log_epoch_id(scope), .seed = seed ? carnet_seed_id(seed) : 0};
    struct carnet_id record = log_id(0xc1);
    struct carnet_buf ad, sealed;
    carnet_buf_init(&ad, 1000);
    carnet_buf_init(&sealed, 1000);
    carnet_part_ad(&header, 5, &record, subject, &part, &ad);
    carnet_seal(&key, carnet_buf_slice(&ad), carnet_slice_str(plain), &sealed);
    struct carnet_hash hash = carnet_hash_of("carnet/1/part/hash", carnet_buf_slice(&sealed));
    put_start(name, "OK", NULL);
    put_line("kind", "part");
    put_id("community", &world.community);
    put_id("book", &world.book);
    put_id("author", &header.author);
    put_number("incarnation", header.incarnation);
    put_number("seq", header.seq);
    put_number("change", 5);
    put_id("record", &record);
    if (subject)
        put_id("subject", subject);
    put_number("scope", scope);
    if (seed)
        put_hex("seed", carnet_slice(seed, 16));
    put_number("seed_id", part.seed);
    put_hex("epoch_key", carnet_slice(epoch.b, 32));
    put_number("epoch_id", part.epoch);
    put_hex("key", carnet_slice(key.b, 32));
    put_hex("ad", carnet_buf_slice(&ad));
    put_hex("plain", carnet_slice_str(plain));
    put_hex("sealed", carnet_buf_slice(&sealed));
    put_hash("hash", &hash);
    carnet_buf_deinit(&ad);
    carnet_buf_deinit(&sealed);
}

static void keys_derive_as_written(void **state)
{
    (void)state;
    uint8_t root[32];
    memset(root, 0x77, sizeof root);
    put_start("root", "OK", NULL);
    put_line("kind", "root");
    put_hex("sign_seed", carnet_slice(root, 32));
    put_hex("sign_pk", carnet_slice(world.root_pk.b, 32));
    put_node("admin", 1, &world.admin);
    put_node("office", 2, &world.office);
    put_node("volunteer", 3, &world.volunteer);
    put_node("gateway", 4, &world.gateway);
    put_node("relay", 5, &world.relay);
    for (unsigned scope = CARNET_SCOPE_IDENTITY; scope < CARNET_SCOPE_COUNT; scope++) {
        struct carnet_key key = log_epoch_key((enum carnet_scope)scope);
        struct carnet_hash commitment;
        char name[40];
        uint64_t id = carnet_epoch_commit(&world.book, (enum carnet_scope)scope, &key, &commitment);
        snprintf(name, sizeof name, "epoch-%s", carnet_scope_name((enum carnet_scope)scope));
        put_start(name, "OK", NULL);
        put_line("kind", "epoch");
        put_hex("epoch_key", carnet_slice(key.b, 32));
        put_hash("commitment", &commitment);
        put_number("epoch_id", id);
    }
    struct carnet_id contact = log_id(0xc0);
    put_part("part-about-somebody", CARNET_SCOPE_IDENTITY, &contact, seed_identity, "\x81\x83\x02\x60\x64Zo\xc3\xa9");
    put_part("part-about-nobody", CARNET_SCOPE_NOTES, NULL, NULL, "\x81\x83\x18\x18\x60\x61x");
    settle_file("keys.txt", "Keys and what derives from them.");

    char *text = file_text("keys.txt"), *at = text;
    for (char *block = next_block(&at); block; block = next_block(&at)) {
        char *kind = value_of(block, "kind");
        if (strcmp(kind, "part") == 0) { /* the sealed part from the file alone */
            struct carnet_key key;
            struct carnet_buf plain;
            carnet_buf_init(&plain, 1000);
            memcpy(key.b, hex_of(block, "key").ptr, 32);
            assert_int_equal(carnet_open(&key, hex_of(block, "ad"), hex_of(block, "sealed"), &plain), CARNET_OK);
            assert_true(carnet_slice_equal(carnet_buf_slice(&plain), hex_of(block, "plain")));
            carnet_buf_deinit(&plain);
        }
        free(kind);
    }
    free(text);
}

/* --- authority.txt: genesis, certificates, cuts --- */

static void put_cert_fields(const struct carnet_cert *cert)
{
    put_id("node", &cert->node);
    put_id("issuer", &cert->issuer);
    put_line("role", carnet_role_name(cert->role));
    for (size_t i = 0; i < cert->book_count; i++)
        put_id("book", &cert->books[i]);
    put_number("reads", cert->reads);
    put_number("writes", cert->writes);
    put_number("verbs", cert->verbs);
    put_number("issued_ms", (uint64_t)cert->issued_ms);
    put_number("not_after_ms", (uint64_t)cert->not_after_ms);
    put_id("hash", &cert->hash);
}

static struct carnet_authority *made; /* what the blocks so far amount to */

static void put_cert(const char *name, const char *why, const struct log_node *node)
{
    carnet_rc rc = carnet_authority_add(made, node->raw);
    put_start(name, rc_text(rc), why);
    put_line("kind", "certificate");
    if (rc == CARNET_OK || rc == CARNET_CONFLICT)
        put_cert_fields(&node->cert);
    put_hex("bytes", node->raw);
    write_corpus("cert", name, node->raw);
}

static void put_made_cert(const char *name, const char *why, const struct carnet_cert *cert,
                          const struct log_node *issuer)
{
    struct log_node node = {0};
    log_certify(&world, &node, cert, issuer);
    put_cert(name, why, &node);
}

static void put_genesis(const char *name, const char *why, struct carnet_slice bytes)
{
    struct carnet_genesis genesis;
    carnet_rc rc = carnet_genesis_decode(bytes, &genesis);
    put_start(name, rc_text(rc), why);
    put_line("kind", "genesis");
    if (rc == CARNET_OK) {
        struct carnet_id community = carnet_genesis_community(bytes);
        put_hex("root", carnet_slice(genesis.root.b, 32));
        carnet_buf_printf(&out, "community_name: %.*s\n", (int)genesis.name.len, (const char *)genesis.name.ptr);
        put_number("created_ms", (uint64_t)genesis.created_ms);
        put_hex("random", carnet_slice(genesis.random, 16));
        put_id("community", &community);
    }
    put_hex("bytes", bytes);
}

static void put_cut(const char *name, const char *why, const struct log_node *author, const struct log_node *node,
                    struct carnet_slice bytes)
{
    carnet_rc rc = carnet_authority_cut(made, &node->id, &author->cert, bytes);
    put_start(name, rc_text(rc), why);
    put_line("kind", "cut");
    put_id("author", &author->id);
    put_id("node", &node->id);
    put_hex("bytes", bytes);
    if (rc == CARNET_OK) {
        put_number("stands", carnet_authority_cut_at(made, &node->id, &world.book, 2));
        put_number("stands_elsewhere", carnet_authority_cut_at(made, &node->id, &world.book, 4));
    }
}

static struct carnet_slice changed(struct carnet_slice bytes, size_t at, uint8_t mask)
{
    struct carnet_slice copy = carnet_arena_dup(&world.arena, bytes);
    ((uint8_t *)(uintptr_t)copy.ptr)[at] ^= mask;
    return copy;
}

static void make_authority(void)
{
    put_genesis("genesis", NULL, world.genesis);
    put_genesis("genesis-truncated", "the last byte is missing",
                carnet_slice(world.genesis.ptr, world.genesis.len - 1));
    put_genesis("genesis-other-domain", "its domain is carnet/0/genesis", changed(world.genesis, 9, 1));

    struct log_node sub, deep;
    log_keys(&sub, 10);
    log_keys(&deep, 11);
    put_cert("office-too-early", "its issuer is not known yet: the same bytes are accepted below", &world.office);
    put_cert("admin", NULL, &world.admin);
    put_cert("office", NULL, &world.office);
    put_cert("office-again", NULL, &world.office);
    put_cert("volunteer", NULL, &world.volunteer);
    put_cert("gateway", NULL, &world.gateway);
    put_cert("relay", NULL, &world.relay);
    struct carnet_cert cert = log_cert(&world, &sub, &world.office, CARNET_ROLE_OFFICE);
    cert.books = &world.book;
    cert.book_count = 1;
    cert.reads = cert.writes = 1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_CONSENT;
    cert.not_after_ms = LOG_WORLD_MS + INT64_C(90) * 86400000;
    log_certify(&world, &sub, &cert, &world.office);
    put_cert("one-book-two-scopes-90-days", NULL, &sub);

    const struct carnet_cert good = log_cert(&world, &deep, &sub, CARNET_ROLE_OFFICE);
    cert = good;
    cert.books = &world.book;
    cert.book_count = 1;
    cert.reads = cert.writes = 1u << CARNET_SCOPE_IDENTITY;
    cert.not_after_ms = sub.cert.not_after_ms;
#define BAD(name, why, issuer, change)                                                                                 \
    do {                                                                                                               \
        struct carnet_cert bad = cert;                                                                                 \
        change;                                                                                                        \
        put_made_cert(name, why, &bad, issuer);                                                                        \
    } while (0)
    BAD("scope-beyond-issuer", "it reads e-mail, its issuer does not", &sub, bad.reads |= 1u << CARNET_SCOPE_EMAIL);
    BAD("verb-beyond-issuer", "it has the verb charter, its issuer has not", &sub, bad.verbs |= CARNET_VERB_CHARTER);
    BAD("role-above-issuer", "an office certifies no admin", &sub, bad.role = CARNET_ROLE_ADMIN);
    BAD("every-book-below-one", "its issuer holds one book", &sub, bad.book_count = 0);
    BAD("another-book", "its issuer does not hold that book", &sub, bad.books = &world.other_book);
    BAD("later-expiry", "it outlives its issuer's", &sub, bad.not_after_ms++);
    BAD("no-expiry", "it outlives its issuer's", &sub, bad.not_after_ms = 0);
    BAD("other-community", "it names another community", &sub, bad.community.b[0] ^= 1);
    BAD("issuer-without-invite", "volunteers invite nobody", &world.volunteer, bad.issuer = world.volunteer.cert.hash);
    BAD("signed-by-another", "the signature is not its issuer's", &world.admin, (void)bad);
    BAD("node-not-of-key", "the node id is not the hash of the signing key", &sub, bad.node.b[0] ^= 1);
    BAD("key-not-a-point", "the signing key is no valid point", &sub, memset(bad.sign.b, 0, 32);
        bad.node = carnet_node_id(&bad.sign));
    BAD("box-key-zero", "the box key is zero", &sub, memset(bad.box.b, 0, 32));
    BAD("role-unknown", "there is no role 6", &sub, bad.role = (enum carnet_role)6);
    BAD("writes-not-read", "a scope written and not read is for a later version", &sub, bad.reads = 0);
    BAD("relay-that-reads", "a relay reads nothing", &sub, bad.role = CARNET_ROLE_RELAY);
    BAD("scope-unknown", "there is no scope 9", &sub, bad.reads |= 1u << CARNET_SCOPE_COUNT);
    BAD("charter-listed", "the charter is not listed among the books", &sub, bad.books = &world.community);
    BAD("below-one-book", NULL, &sub, (void)bad);
#undef BAD
    struct log_node broken = sub;
    broken.raw = changed(sub.raw, sub.raw.len - 1, 1);
    put_cert("known-with-another-signature", "known already by its hash: the signature is not looked at again",
             &broken);
    broken.raw = carnet_slice(sub.raw.ptr, sub.raw.len - 1);
    put_cert("certificate-truncated", "the last byte is missing", &broken);
    cert = log_cert(&world, &sub, &world.office, CARNET_ROLE_VOLUNTEER);
    log_certify(&world, &broken, &cert, &world.office);
    put_cert("second-of-a-node", "the node has a certificate; it is kept, one of the two stands", &broken);

    struct carnet_buf bytes;
    const struct carnet_cut_row rows[] = {{.book = world.book, .stream = 2, .seq = 9},
                                          {.book = world.book, .stream = 3, .seq = 4}};
    carnet_buf_init(&bytes, 1000);
    carnet_cut_encode(rows, 2, &bytes);
    struct carnet_slice two = log_keep(&world, &bytes);
    carnet_buf_init(&bytes, 1000);
    carnet_cut_encode(rows, 0, &bytes);
    struct carnet_slice none = log_keep(&world, &bytes);
    put_cut("cut", NULL, &world.admin, &sub, two);
    put_cut("cut-smaller", "concurrent cuts: the smallest stands", &world.office, &sub, none);
    put_cut("cut-by-a-sibling", "only an ancestor cuts", &world.office, &world.volunteer, none);
    put_cut("cut-without-invite", "its author has not the verb invite", &world.relay, &world.volunteer, none);
    put_cut("cut-sequence-0", "a chain begins with 1: what does not stand at all is not listed", &world.admin, &sub,
            changed(two, 20, 9));
    put_cut("cut-unordered", "rows are in order of book and stream", &world.admin, &sub, changed(two, 19, 4));
}

static void certificates_and_cuts_are_as_written(void **state)
{
    (void)state;
    made = carnet_authority_new(world.genesis);
    make_authority();
    carnet_authority_free(made);
    settle_file("authority.txt", "Genesis, certificates and cuts, in the order in which they are tried.");

    char *text = file_text("authority.txt"), *at = text;
    struct carnet_authority *authority = NULL;
    for (char *block = next_block(&at); block; block = next_block(&at)) {
        char *kind = value_of(block, "kind");
        struct carnet_slice bytes = hex_of(block, "bytes");
        if (strcmp(kind, "genesis") == 0) {
            struct carnet_genesis genesis;
            carnet_rc rc = carnet_genesis_decode(bytes, &genesis);
            expect_rc(block, rc);
            if (rc == CARNET_OK) {
                struct carnet_buf again;
                authority = carnet_authority_new(bytes);
                carnet_buf_init(&again, 1000);
                carnet_genesis_encode(&genesis, &again);
                assert_true(carnet_slice_equal(carnet_buf_slice(&again), bytes));
                carnet_buf_deinit(&again);
            }
        } else if (strcmp(kind, "certificate") == 0) {
            expect_rc(block, carnet_authority_add(authority, bytes));
        } else {
            struct carnet_id author, node;
            memcpy(author.b, hex_of(block, "author").ptr, 16);
            memcpy(node.b, hex_of(block, "node").ptr, 16);
            carnet_rc rc = carnet_authority_cut(authority, &node, carnet_authority_node(authority, &author), bytes);
            expect_rc(block, rc);
        }
        free(kind);
    }
    carnet_authority_free(authority);
    free(text);
}

/* --- entries.txt --- */

static void put_change_lines(const struct carnet_entry *entry, size_t index)
{
    const struct carnet_change *change = &entry->changes[index];
    struct carnet_opener opener = {
        .ctx = (void *)(uintptr_t)seed_identity, .key = log_key, .wanted = CARNET_SCOPES_ALL};
    struct carnet_record delta;
    char record[33], subject[33];
    carnet_hex(change->record.b, 16, record);
    carnet_hex(change->subject.b, 16, subject);
    carnet_buf_printf(&out, "change: %zu record=%s subject=%s kind=%u\n", index, record,
                      carnet_id_is_zero(&change->subject) ? "null" : subject, (unsigned)change->kind);
    for (size_t i = 0; i < change->event_count; i++)
        put_hex("event", change->events[i]);
    for (size_t i = 0; i < change->part_count; i++) {
        const struct carnet_part *part = &change->parts[i];
        carnet_buf_printf(&out, "part: type=%u scope=%u seed=%llu epoch=%llu cells=%zu %s\n", (unsigned)part->type,
                          (unsigned)part->scope, (unsigned long long)part->seed, (unsigned long long)part->epoch,
                          part->cell_count, part->present ? "here" : "absent");
    }
    static const char *const states[] = {"locked", "missing", "value", "dark"};
    carnet_record_init(&delta);
    carnet_entry_delta(entry, index, &opener, &world.arena, &delta);
    for (size_t i = 0; i < delta.live_count; i++) {
        const struct carnet_sibling *cell = &delta.live[i];
        carnet_buf_printf(&out, "cell: index=%u %s field=%u label=\"%.*s\" value=\"%.*s\"\n", cell->dot.index,
                          states[cell->state], cell->field, (int)cell->label.len,
                          cell->label.len ? (const char *)cell->label.ptr : "", (int)cell->value.len,
                          cell->value.len ? (const char *)cell->value.ptr : "");
    }
    for (size_t i = 0; i < delta.replaced_count; i++) {
        const struct carnet_dot *dot = &delta.replaced[i].dot;
        carnet_buf_printf(&out, "replaces: %llu %u %llu %u\n", (unsigned long long)dot->author, dot->stream,
                          (unsigned long long)dot->seq, dot->index);
    }
    carnet_record_deinit(&delta);
}

static void put_entry_lines(const struct carnet_entry *entry)
{
    const struct carnet_entry_header *header = &entry->header;
    put_hash("hash", &entry->hash);
    put_id("community", &header->community);
    put_id("book", &header->book);
    put_number("log", header->log);
    put_id("author", &header->author);
    put_number("incarnation", header->incarnation);
    put_number("seq", header->seq);
    put_hash("prev", &header->prev);
    put_number("hlc", header->hlc);
    put_id("cert", &header->cert);
    for (size_t i = 0; i < entry->change_count; i++)
        put_change_lines(entry, i);
}

static carnet_rc try_entry(struct carnet_slice bytes, struct carnet_entry *entry, const char **stage)
{
    *stage = "decode";
    carnet_rc rc = carnet_entry_decode(bytes, &world.arena, entry);
    if (rc != CARNET_OK)
        return rc;
    *stage = "check";
    return carnet_authority_check(world.authority, entry, NULL);
}

static void put_entry(const char *name, const char *why, struct carnet_slice bytes)
{
    struct carnet_entry entry;
    const char *stage;
    carnet_rc rc = try_entry(bytes, &entry, &stage);
    put_start(name, rc_text(rc), why);
    if (rc != CARNET_OK)
        put_line("stage", stage);
    else
        put_entry_lines(&entry);
    put_hex("bytes", bytes);
    write_corpus("entry", name, bytes);
    if (rc == CARNET_OK) { /* the fuzz target also tries bytes as a leaf */
        char leaf[80];
        snprintf(leaf, sizeof leaf, "leaf-%s", name);
        write_corpus("entry", leaf, entry.changes[entry.change_count - 1].leaf);
    }
}

static bool no_part(void *ctx, const struct carnet_change *change, const struct carnet_part *part)
{
    (void)ctx;
    (void)change;
    (void)part;
    return false;
}

/* A key of epoch identity boxed to the office, once for all: boxing draws randomness. */
static const char boxed_to_office[] =
    "de0fa135a4b48c2506fa1c47de7498470ae4ffe6b70c62d41c50841a623cf367c5d1f78f1f50054d"
    "5d9c11c1d13b4b99e7e73a99589b37d6dd041072d7d4e577708dc3fdd94a865a60589c629ec44c02";

static void make_valid_entries(void)
{
    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_id contact = log_id(0xc0), note = log_id(0xc1), mailing = log_id(0xc2), epoch = log_id(0xe0);
    const struct carnet_id *book = &world.book, *charter = &world.community;
    struct carnet_event event = {.type = CARNET_EVENT_GENESIS, .bytes = world.genesis};
    struct carnet_entry_header header = log_header(&world, &world.admin, charter, CARNET_LOG_DATA, 1);
    carnet_draft_change(draft, charter, NULL, CARNET_KIND_SETTING);
    carnet_draft_event(draft, &event);
    event = (struct carnet_event){.type = CARNET_EVENT_CERTIFICATE, .bytes = world.admin.raw};
    carnet_draft_change(draft, &world.admin.id, NULL, CARNET_KIND_CERTIFICATE);
    carnet_draft_event(draft, &event);
    log_draft_cell(&world, draft, charter, NULL, CARNET_SCOPE_CLEAR, NULL, CARNET_FIELD_GIVEN, "Mairie", NULL, 0);
    event = (struct carnet_event){.type = CARNET_EVENT_BOOK, .other = *book, .text = carnet_slice_str("main")};
    carnet_draft_change(draft, book, NULL, CARNET_KIND_BOOK);
    carnet_draft_event(draft, &event);
    put_entry("founding", NULL, log_sign(&world, draft, &header, &world.admin));

    struct carnet_key key = log_epoch_key(CARNET_SCOPE_IDENTITY);
    uint8_t box[80];
    assert_true(carnet_unhex(carnet_slice_str(boxed_to_office), box, sizeof box));
    header = log_header(&world, &world.admin, charter, CARNET_LOG_DATA, 2);
    event =
        (struct carnet_event){.type = CARNET_EVENT_EPOCH, .other = *book, .scope = CARNET_SCOPE_IDENTITY, .number = 1};
    event.epoch = carnet_epoch_commit(book, CARNET_SCOPE_IDENTITY, &key, &event.hash);
    carnet_draft_change(draft, &epoch, NULL, CARNET_KIND_EPOCH);
    carnet_draft_event(draft, &event);
    carnet_draft_box(draft, CARNET_SCOPE_IDENTITY, event.epoch, &world.office.id, carnet_slice(box, sizeof box));
    put_entry("epoch-boxed", NULL, log_sign(&world, draft, &header, &world.admin));

    header = log_header(&world, &world.relay, charter, CARNET_LOG_DATA, 2);
    carnet_draft_change(draft, &world.relay.id, NULL, CARNET_KIND_NODE);
    event = (struct carnet_event){.type = CARNET_EVENT_ADDRESS, .text = carnet_slice_str("tcp://192.0.2.7:40001")};
    carnet_draft_event(draft, &event);
    event = (struct carnet_event){.type = CARNET_EVENT_ALIVE, .ms = LOG_WORLD_MS};
    carnet_draft_event(draft, &event);
    put_entry("node-address-and-alive", NULL, log_sign(&world, draft, &header, &world.relay));

    header = log_header(&world, &world.office, book, CARNET_LOG_DATA, 1);
    event = (struct carnet_event){.type = CARNET_EVENT_GRANT,
                                  .purpose = carnet_slice_str("newsletter"),
                                  .basis = CARNET_BASIS_CONSENT,
                                  .proof = CARNET_PROOF_PAPER,
                                  .since_ms = LOG_WORLD_MS};
    carnet_draft_change(draft, &contact, &contact, CARNET_KIND_CONTACT);
    carnet_draft_event(draft, &event);
    carnet_draft_seed(draft, CARNET_SCOPE_IDENTITY, seed_identity);
    carnet_draft_seed(draft, CARNET_SCOPE_EMAIL, seed_email);
    log_draft_cell(&world, draft, book, &contact, CARNET_SCOPE_IDENTITY, seed_identity, CARNET_FIELD_GIVEN, "Zoé", NULL,
                   0);
    log_draft_cell(&world, draft, book, &contact, CARNET_SCOPE_EMAIL, seed_email, CARNET_FIELD_EMAIL, "zoe@example.org",
                   NULL, 0);
    struct carnet_slice bytes = log_sign(&world, draft, &header, &world.office);
    put_entry("new-contact", NULL, bytes);
    struct carnet_entry entry;
    struct carnet_buf bare;
    log_decode(&world, bytes, &entry);
    carnet_buf_init(&bare, CARNET_ENTRY_LEN_MAX);
    carnet_entry_strip(&entry, no_part, NULL, &bare);
    put_entry("new-contact-without-parts", "the same entry, its parts dropped: the hash and the signature are the same",
              log_keep(&world, &bare));

    struct carnet_dot given = carnet_entry_dot(&entry, 0, 64), grant = carnet_entry_dot(&entry, 0, 0);
    header = log_header(&world, &world.office, book, CARNET_LOG_DATA, 2);
    header.prev = entry.hash;
    carnet_draft_change(draft, &contact, &contact, CARNET_KIND_CONTACT);
    log_draft_cell(&world, draft, book, &contact, CARNET_SCOPE_IDENTITY, seed_identity, CARNET_FIELD_GIVEN, "Zoë",
                   &given, 1);
    carnet_draft_change(draft, &note, &contact, CARNET_KIND_NOTE);
    log_draft_cell(&world, draft, book, &contact, CARNET_SCOPE_IDENTITY, seed_identity, CARNET_FIELD_TEXT,
                   "Préfère le soir", NULL, 0);
    carnet_draft_change(draft, &mailing, NULL, CARNET_KIND_MAILING);
    log_draft_cell(&world, draft, book, NULL, CARNET_SCOPE_NOTES, NULL, CARNET_FIELD_TEXT, "Lettre d’automne", NULL, 0);
    put_entry("edit-note-mailing", NULL, log_sign(&world, draft, &header, &world.office));

    header = log_header(&world, &world.office, book, CARNET_LOG_LAW, 1);
    carnet_draft_change(draft, &contact, &contact, CARNET_KIND_CONTACT);
    event = (struct carnet_event){.type = CARNET_EVENT_WITHDRAW, .purpose = carnet_slice_str("newsletter")};
    carnet_draft_event(draft, &event);
    event = (struct carnet_event){
        .type = CARNET_EVENT_DARK, .scope = CARNET_SCOPE_EMAIL, .seeds = {carnet_seed_id(seed_email)}, .seed_count = 1};
    carnet_draft_event(draft, &event);
    event = (struct carnet_event){.type = CARNET_EVENT_ERASE};
    carnet_draft_event(draft, &event);
    put_entry("law", NULL, log_sign(&world, draft, &header, &world.office));

    header = log_header(&world, &world.volunteer, book, CARNET_LOG_DATA, 2);
    carnet_draft_change(draft, &contact, &contact, CARNET_KIND_CONTACT);
    event = (struct carnet_event){.type = CARNET_EVENT_COUNTERSIGN, .names = {grant}, .name_count = 1};
    carnet_draft_event(draft, &event);
    put_entry("countersign", NULL, log_sign(&world, draft, &header, &world.volunteer));
    carnet_draft_free(draft);
}

/* Leaves made by hand: one field is wrong at a time. */
struct made_part {
    uint64_t type, scope, seed, epoch;
    size_t cells, dots;
    struct carnet_dot dot;
};
struct made_leaf {
    struct carnet_id record;
    bool about;
    struct carnet_id subject;
    uint64_t kind;
    const char *events; /* hex of all of them */
    size_t event_count;
    struct made_part part;
    size_t part_count; /* times the same part */
};

static const uint8_t made_body[72] = {1}; /* as long as a sealed part; nothing opens it */

static void put_made_leaf(const struct made_leaf *leaf, struct carnet_buf *buf)
{
    struct carnet_hash hash = carnet_hash_of("carnet/1/part/hash", carnet_slice(made_body, sizeof made_body));
    uint8_t event[200];
    size_t len = strlen(leaf->events) / 2;
    assert_true(carnet_unhex(carnet_slice_str(leaf->events), event, len));
    carnet_cbor_put_array(buf, 5);
    carnet_cbor_put_id(buf, &leaf->record);
    if (leaf->about)
        carnet_cbor_put_id(buf, &leaf->subject);
    else
        carnet_cbor_put_null(buf);
    carnet_cbor_put_uint(buf, leaf->kind);
    carnet_cbor_put_array(buf, leaf->event_count);
    carnet_buf_append(buf, event, len);
    carnet_cbor_put_array(buf, leaf->part_count);
    for (size_t i = 0; i < leaf->part_count; i++) {
        const struct made_part *part = &leaf->part;
        carnet_cbor_put_array(buf, 6);
        carnet_cbor_put_uint(buf, part->type);
        carnet_cbor_put_uint(buf, part->scope);
        carnet_cbor_put_uint(buf, part->seed);
        carnet_cbor_put_uint(buf, part->epoch);
        carnet_cbor_put_hash(buf, &hash);
        carnet_cbor_put_array(buf, part->cells);
        for (size_t j = 0; j < part->cells; j++) {
            carnet_cbor_put_array(buf, part->dots);
            for (size_t k = 0; k < part->dots; k++)
                carnet_dot_put(buf, &part->dot);
        }
    }
}

static struct carnet_slice make_entry(const struct made_leaf *leaf, const struct carnet_entry_header *header,
                                      size_t bodies)
{
    struct carnet_buf buf, list;
    carnet_buf_init(&buf, 64 * 1024);
    carnet_buf_init(&list, 64 * 1024);
    put_made_leaf(leaf, &buf);
    carnet_cbor_put_array(&list, bodies);
    for (size_t i = 0; i < bodies; i++)
        carnet_cbor_put_bytes(&list, carnet_slice(made_body, sizeof made_body));
    struct carnet_slice leaves[] = {log_keep(&world, &buf)}, lists[] = {log_keep(&world, &list)};
    return log_craft(&world, header, &world.office, leaves, lists, 1);
}

static void make_invalid_entries(void)
{
    const struct carnet_id contact = log_id(0xc0), note = log_id(0xc1);
    const struct carnet_entry_header good_header = log_header(&world, &world.office, &world.book, CARNET_LOG_DATA, 2);
    const struct made_leaf good = {
        .record = note,
        .about = true,
        .subject = contact,
        .kind = CARNET_KIND_NOTE,
        .events = "",
        .part_count = 1,
        .part = {.type = 0, .scope = 1, .seed = 5, .epoch = 6, .cells = 1, .dots = 1, .dot = {7, 1, 0, 64}}};
    struct carnet_slice bytes = make_entry(&good, &good_header, 1);
    put_entry("by-hand", "what the following are made from; its part opens for nobody", bytes);
    put_entry("truncated", "the last byte is missing", carnet_slice(bytes.ptr, bytes.len - 1));
    struct carnet_buf longer;
    carnet_buf_init(&longer, CARNET_ENTRY_LEN_MAX);
    carnet_buf_append_slice(&longer, bytes);
    carnet_buf_append_byte(&longer, 0);
    put_entry("trailing-byte", "a byte follows", log_keep(&world, &longer));
    put_entry("other-domain", "its domain is carnet/0/entry", changed(bytes, 12, 1));
    struct carnet_entry entry;
    log_decode(&world, bytes, &entry);
    size_t header_at = (size_t)(entry.header_raw.ptr - bytes.ptr), sig_at = header_at + entry.header_raw.len + 2;
    put_entry("header-changed", "its author did not sign that", changed(bytes, header_at + 80, 1)); /* inside prev */
    put_entry("signature-changed", "the signature is not its author's", changed(bytes, sig_at + 5, 1));
    put_entry("part-changed", "a part is not the one its leaf names", changed(bytes, bytes.len - 1, 1));
    put_entry("leaf-changed", "a leaf is not the one the header names", changed(bytes, bytes.len - 74 - 2, 1));

#define HEADER(name, why, change)                                                                                      \
    do {                                                                                                               \
        struct carnet_entry_header header = good_header;                                                               \
        change;                                                                                                        \
        put_entry(name, why, make_entry(&good, &header, 1));                                                           \
    } while (0)
    HEADER("log-2", "there are two logs, 0 and 1", header.log = 2);
    HEADER("incarnation-too-large", "a stream has 32 bits", header.incarnation = 0x80000000);
    HEADER("seq-0", "a chain begins with 1", header.seq = 0);
    HEADER("first-with-prev", "nothing comes before the first", header.seq = 1);
    HEADER("second-without-prev", "something comes before the second", memset(header.prev.b, 0, 32));
    HEADER("other-community", "an entry of another community", header.community.b[0] ^= 1);
    HEADER("unknown-certificate", "its author's certificate is not known: the charter comes first",
           header.cert.b[0] ^= 1);
    HEADER("another-nodes-certificate", "the certificate is another node's", header.cert = world.admin.cert.hash);
    HEADER("in-the-charter", "notes are not kept in the charter", header.book = world.community);
#undef HEADER

#define LEAF(name, why, change)                                                                                        \
    do {                                                                                                               \
        struct made_leaf leaf = good;                                                                                  \
        change;                                                                                                        \
        put_entry(name, why, make_entry(&leaf, &good_header, leaf.part_count));                                        \
    } while (0)
    LEAF("record-zero", "a record has an id", leaf.record = log_id(0));
    LEAF("subject-zero", "nobody is null, not zero", leaf.subject = log_id(0));
    LEAF("kind-0", "kinds begin with 1", leaf.kind = 0);
    LEAF("kind-too-large", "kinds have 16 bits", leaf.kind = 65536);
    LEAF("kind-unknown", "a kind of a newer version is kept", leaf.kind = 30);
    LEAF("contact-about-another", "a contact is about itself", leaf.kind = CARNET_KIND_CONTACT);
    LEAF("setting-about-somebody", "records of the charter are about nobody", leaf.kind = CARNET_KIND_SETTING;
         leaf.part_count = 0);
    LEAF("event-unknown", "an event of a newer version is kept, and blocks its record", leaf.events = "821903e7f5";
         leaf.event_count = 1);
    LEAF("event-not-an-array", "an event is an array that begins with its type", leaf.events = "01";
         leaf.event_count = 1);
    LEAF("event-empty", "an event is an array that begins with its type", leaf.events = "80"; leaf.event_count = 1);
    LEAF("event-malformed", "an erasure has no field", leaf.events = "820801"; leaf.event_count = 1);
    LEAF("event-in-the-wrong-log", "an erasure belongs to log 1", leaf.events = "8108"; leaf.event_count = 1);
    LEAF("event-in-the-wrong-book", "an address belongs to the charter", leaf.events = "82146178";
         leaf.event_count = 1);
    LEAF("events-65", "64 events at most", leaf.event_count = 65;
         leaf.events = "81058105810581058105810581058105810581058105810581058105810581058105810581058105810581058105810"
                       "581058105810581058105810581058105"
                       "81058105810581058105810581058105810581058105810581058105810581058105810581058105810581058105810"
                       "581058105810581058105810581058105"
                       "8105");
    LEAF("parts-25", "24 parts at most", leaf.part_count = 25);
    LEAF("cells-129", "128 cells in a part at most", leaf.part.cells = 129; leaf.part.dots = 0);
    LEAF("cells-193", "192 cells in a change at most", leaf.part.cells = 97; leaf.part_count = 2; leaf.part.dots = 0);
    LEAF("dots-65", "64 dots replaced by one cell at most", leaf.part.dots = 65);
    LEAF("dot-seq-0", "a chain begins with 1", leaf.part.dot.seq = 0);
    LEAF("dot-index-too-large", "an entry has 256 changes", leaf.part.dot.index = 65536);
    LEAF("part-type-4", "there are four types of part", leaf.part.type = 4);
    LEAF("scope-9", "there are nine scopes, 0 to 8", leaf.part.scope = 9);
    LEAF("sealed-without-seed", "no seed, no field", leaf.part.seed = 0);
    LEAF("sealed-about-nobody-with-seed", "seeds are of subjects", leaf.about = false);
    LEAF("sealed-without-epoch", "a sealed part names its epoch", leaf.part.epoch = 0);
    LEAF("sealed-clear", "scope 0 is not sealed", leaf.part.scope = 0);
    LEAF("sealed-empty", "a part has cells", leaf.part.cells = 0);
    LEAF("clear-with-a-scope", "clear cells are of scope 0", leaf.part.type = 1; leaf.part.seed = leaf.part.epoch = 0);
    LEAF("clear-outside-the-charter", "clear cells belong to the charter", leaf.part.type = 1;
         leaf.part.seed = leaf.part.epoch = 0; leaf.part.scope = 0);
    LEAF("seed-in-a-note", "seeds come with their contact", leaf.part.type = 2; leaf.part.epoch = 0;
         leaf.part.cells = 0);
    LEAF("seed-0", "seed ids are not 0", leaf.part.type = 2; leaf.part.epoch = leaf.part.seed = 0; leaf.part.cells = 0;
         leaf.kind = CARNET_KIND_CONTACT; leaf.record = contact);
    LEAF("box-outside-the-charter", "boxed keys belong to the charter", leaf.part.type = 3; leaf.part.seed = 0;
         leaf.part.cells = 0);
    LEAF("box-without-epoch", "a boxed key names its epoch", leaf.part.type = 3; leaf.part.seed = leaf.part.epoch = 0;
         leaf.part.cells = 0);
#undef LEAF
    put_entry("parts-missing", "each part has its place, null when it is absent", make_entry(&good, &good_header, 0));
    put_entry("parts-too-many", "each part has its place", make_entry(&good, &good_header, 2));

    struct carnet_draft *draft = carnet_draft_new();
    struct carnet_entry_header header = log_header(&world, &world.volunteer, &world.book, CARNET_LOG_LAW, 2);
    struct carnet_event event = {.type = CARNET_EVENT_ERASE};
    carnet_draft_change(draft, &contact, &contact, CARNET_KIND_CONTACT);
    carnet_draft_event(draft, &event);
    put_entry("erased-by-a-volunteer", "a volunteer has not the verb erase",
              log_sign(&world, draft, &header, &world.volunteer));
    header = log_header(&world, &world.gateway, &world.book, CARNET_LOG_DATA, 2);
    carnet_draft_change(draft, &contact, &contact, CARNET_KIND_CONTACT);
    log_draft_cell(&world, draft, &world.book, &contact, CARNET_SCOPE_EMAIL, seed_email, CARNET_FIELD_EMAIL, "x", NULL,
                   0);
    put_entry("edited-by-a-gateway", "a gateway has neither the verb add nor edit",
              log_sign(&world, draft, &header, &world.gateway));
    header = log_header(&world, &world.relay, &world.book, CARNET_LOG_DATA, 2);
    carnet_draft_change(draft, &contact, &contact, CARNET_KIND_CONTACT);
    log_draft_cell(&world, draft, &world.book, &contact, CARNET_SCOPE_EMAIL, seed_email, CARNET_FIELD_EMAIL, "x", NULL,
                   0);
    put_entry("written-by-a-relay", "a relay writes no scope", log_sign(&world, draft, &header, &world.relay));
    header = log_header(&world, &world.admin, &world.community, CARNET_LOG_DATA, 2);
    event = (struct carnet_event){.type = CARNET_EVENT_ALIVE, .ms = LOG_WORLD_MS};
    carnet_draft_change(draft, &world.office.id, NULL, CARNET_KIND_NODE);
    carnet_draft_event(draft, &event);
    put_entry("alive-of-another", "a node speaks for itself alone", log_sign(&world, draft, &header, &world.admin));
    carnet_draft_free(draft);
}

static void entries_are_as_written(void **state)
{
    (void)state;
    make_valid_entries();
    make_invalid_entries();
    settle_file("entries.txt",
                "Entries, under the certificates of authority.txt; parts are sealed under the epochs of keys.txt.");

    char *text = file_text("entries.txt"), *at = text;
    size_t accepted = 0, refused = 0;
    for (char *block = next_block(&at); block; block = next_block(&at)) {
        struct carnet_slice bytes = hex_of(block, "bytes");
        struct carnet_entry entry;
        const char *stage;
        carnet_rc rc = try_entry(bytes, &entry, &stage);
        expect_rc(block, rc);
        if (rc != CARNET_OK) {
            expect_line(block, "stage", stage);
            refused++;
            continue;
        }
        accepted++;
        carnet_buf_clear(&out);
        put_entry_lines(&entry); /* the very lines of the block */
        assert_non_null(strstr(block, carnet_buf_cstr(&out)));
        struct carnet_buf again;
        carnet_buf_init(&again, CARNET_ENTRY_LEN_MAX);
        assert_false(carnet_entry_fill(&entry, &entry, &again));
        assert_true(carnet_slice_equal(carnet_buf_slice(&again), bytes));
        carnet_buf_deinit(&again);
    }
    assert_true(accepted >= 10 && refused >= 40);
    carnet_buf_clear(&out);
    free(text);
}

static void the_box_in_the_vectors_opens(void **state)
{
    (void)state;
    struct carnet_key key = log_epoch_key(CARNET_SCOPE_IDENTITY);
    uint8_t box[80];
    struct carnet_buf plain;
    carnet_buf_init(&plain, 100);
    assert_true(carnet_unhex(carnet_slice_str(boxed_to_office), box, sizeof box));
    assert_int_equal(carnet_box_open(&world.office.box, &world.office.box_sk, carnet_slice(box, sizeof box), &plain),
                     CARNET_OK);
    assert_true(carnet_slice_equal(carnet_buf_slice(&plain), carnet_slice(key.b, sizeof key.b)));
    carnet_buf_deinit(&plain);
}

/* --- events.txt --- */

static void put_event(const char *name, const struct carnet_event *event)
{
    struct carnet_buf bytes;
    carnet_buf_init(&bytes, 10000);
    carnet_event_encode(event, &bytes);
    put_start(name, "OK", NULL);
    put_hex("bytes", carnet_buf_slice(&bytes));
    carnet_buf_deinit(&bytes);
}

static void put_bad_event(const char *name, const char *why, const char *hex)
{
    uint8_t bytes[200];
    struct carnet_event event;
    size_t len = strlen(hex) / 2;
    assert_true(carnet_unhex(carnet_slice_str(hex), bytes, len));
    put_start(name, rc_text(carnet_event_decode(carnet_slice(bytes, len), &event)), why);
    put_line("bytes", hex);
}

static void events_are_as_written(void **state)
{
    (void)state;
    struct carnet_key key = log_epoch_key(CARNET_SCOPE_EMAIL);
    const struct carnet_dot dot = {.author = 0x0102030405060708, .seq = 4, .stream = 2, .index = 256};
    struct carnet_event e = {.purpose = carnet_slice_str("newsletter"),
                             .basis = CARNET_BASIS_CONSENT,
                             .proof = CARNET_PROOF_DOUBLE_OPT_IN,
                             .since_ms = LOG_WORLD_MS,
                             .until_ms = LOG_WORLD_MS + 1000,
                             .names = {dot},
                             .name_count = 1,
                             .seeds = {5, 77},
                             .seed_count = 2,
                             .scope = CARNET_SCOPE_EMAIL,
                             .other = world.book,
                             .on = true,
                             .ms = LOG_WORLD_MS,
                             .number = 3,
                             .text = carnet_slice_str("retention"),
                             .value = carnet_slice_str("1095 d"),
                             .bytes = carnet_slice_str("\x80")};
    e.epoch = carnet_epoch_commit(&e.other, e.scope, &key, &e.hash);
    static const struct {
        enum carnet_event_type type;
        const char *name;
    } types[] = {
        {CARNET_EVENT_GRANT, "grant"},       {CARNET_EVENT_COUNTERSIGN, "countersign"},
        {CARNET_EVENT_WITHDRAW, "withdraw"}, {CARNET_EVENT_OBJECT, "object"},
        {CARNET_EVENT_RESTRICT, "restrict"}, {CARNET_EVENT_LIFT, "lift"},
        {CARNET_EVENT_DARK, "dark"},         {CARNET_EVENT_ERASE, "erase"},
        {CARNET_EVENT_EDGE, "edge"},         {CARNET_EVENT_RECTIFY, "rectify"},
        {CARNET_EVENT_INVALIDATE, "invalidate"},
        {CARNET_EVENT_INFORM, "inform"},
        {CARNET_EVENT_RECEIPT, "receipt"},   {CARNET_EVENT_CERTIFICATE, "certificate"},
        {CARNET_EVENT_BOOK, "book"},         {CARNET_EVENT_EPOCH, "epoch"},
        {CARNET_EVENT_ADDRESS, "address"},   {CARNET_EVENT_ALIVE, "alive"},
        {CARNET_EVENT_SETTING, "setting"},   {CARNET_EVENT_CUT, "cut"},
        {CARNET_EVENT_GENESIS, "genesis"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        e.type = types[i].type;
        put_event(types[i].name, &e);
    }
    e.purpose = CARNET_SLICE_NONE;
    e.type = CARNET_EVENT_OBJECT;
    put_event("object-all", &e);
    e.type = CARNET_EVENT_SUPPRESS;
    e.bytes = carnet_slice_str("one tag: 16 byte");
    put_event("suppress-all", &e);
    e.purpose = carnet_slice_str("newsletter");
    e.bytes = carnet_slice_str("one tag: 16 byteanother: 16 byte");
    put_event("suppress", &e);
    put_bad_event("suppress-nothing", "at least one tag", "8318196040");
    put_bad_event("suppress-half", "tags have 16 bytes", "831819604f000000000000000000000000000000");
    put_bad_event("unknown-type", "a type of a newer version: kept, passed on, it blocks its record", "821903e7f5");
    put_bad_event("type-between", "a type that this version does not use", "810d");
    put_bad_event("not-an-array", "an event is an array", "01");
    put_bad_event("empty", "the first item is the type", "80");
    put_bad_event("type-0", "types begin with 1", "8100");
    put_bad_event("erase-with-more", "an erasure has no field", "820801");
    put_bad_event("withdraw-nothing", "a withdrawal names its purpose", "820360");
    put_bad_event("grant-without-basis", "bases begin with 1", "87016466696c650000000080");
    put_bad_event("dark-consent", "the seed of scope consent dies by erasure alone", "83070880");
    put_bad_event("dark-clear", "what is clear has no key", "83070080");
    put_bad_event("dark-seed-0", "seed ids are not 0", "8307028100");
    put_bad_event("long-integer", "integers are in their shortest form", "821808f5");
    put_bad_event("trailing-byte", "a byte follows", "810800");
    settle_file("events.txt", "Events: each type, then what is refused.");

    char *text = file_text("events.txt"), *at = text;
    for (char *block = next_block(&at); block; block = next_block(&at)) {
        struct carnet_slice bytes = hex_of(block, "bytes");
        struct carnet_event event;
        struct carnet_buf again;
        carnet_rc rc = carnet_event_decode(bytes, &event);
        expect_rc(block, rc);
        if (rc != CARNET_OK)
            continue;
        carnet_buf_init(&again, 10000);
        carnet_event_encode(&event, &again);
        assert_true(carnet_slice_equal(carnet_buf_slice(&again), bytes));
        carnet_buf_deinit(&again);
    }
    free(text);
}

/* --- codes.txt --- */

static void put_code(const char *name, const char *why, struct carnet_slice text)
{
    struct carnet_invite_code code;
    carnet_rc rc = carnet_invite_code_decode(text, &code);
    put_start(name, rc_text(rc), why);
    put_line("kind", "invitation");
    if (rc == CARNET_OK) {
        put_id("community", &code.community);
        put_hex("server", carnet_slice(code.server.b, 32));
        put_hex("secret", carnet_slice(code.secret, 16));
        for (size_t i = 0; i < code.address_count; i++)
            put_line("address", code.addresses[i]);
        struct carnet_box_pk pk;
        struct carnet_box_sk sk;
        carnet_invite_keys(code.secret, &pk, &sk);
        put_hex("one_time_pk", carnet_slice(pk.b, 32));
    }
    carnet_buf_printf(&out, "text: %.*s\n", (int)text.len, (const char *)text.ptr);
    write_corpus("code", name, text);
}

static void put_recovery(const char *name, const char *why, struct carnet_slice text)
{
    uint8_t seed[32];
    carnet_rc rc = carnet_recovery_decode(text, seed);
    put_start(name, rc_text(rc), why);
    put_line("kind", "recovery");
    if (rc == CARNET_OK)
        put_hex("seed", carnet_slice(seed, 32));
    carnet_buf_printf(&out, "text: %.*s\n", (int)text.len, (const char *)text.ptr);
    write_corpus("code", name, text);
}

static struct carnet_slice mistyped(struct carnet_slice text, size_t at)
{
    struct carnet_slice copy = carnet_arena_dup(&world.arena, text);
    ((uint8_t *)(uintptr_t)copy.ptr)[at] = copy.ptr[at] == '7' ? '8' : '7';
    return copy;
}

static void codes_are_as_written(void **state)
{
    (void)state;
    struct carnet_invite_code code = {.community = world.community,
                                      .server = world.office.curve,
                                      .address_count = 1,
                                      .addresses = {"tcp://192.0.2.7:40001", "tcp://[2001:db8::1]:40001"}};
    struct carnet_buf text;
    memset(code.secret, 0x5e, sizeof code.secret);
    carnet_buf_init(&text, 4096);
    carnet_invite_code_encode(&code, &text);
    struct carnet_slice one = log_keep(&world, &text);
    put_code("one-address", NULL, one);
    code.address_count = 2;
    carnet_buf_init(&text, 4096);
    carnet_invite_code_encode(&code, &text);
    struct carnet_slice two = log_keep(&world, &text);
    put_code("two-addresses", NULL, two);
    put_code("mistyped", "the check sum does not fit", mistyped(one, 12));
    put_code("cut-short", "the check sum does not fit", carnet_slice(one.ptr, one.len - 6));
    put_code("not-base32", "U is no digit of it", carnet_slice_str("UUUUU-UUUUU"));
    uint8_t seed[32];
    memset(seed, 0x77, sizeof seed);
    carnet_buf_init(&text, 4096);
    carnet_recovery_encode(seed, &text);
    struct carnet_slice recovery = log_keep(&world, &text);
    put_recovery("recovery", NULL, recovery);
    put_recovery("recovery-mistyped", "the check sum does not fit", mistyped(recovery, 20));
    put_recovery("recovery-not-one", "an invitation is no recovery key", one);
    settle_file("codes.txt", "Texts that people copy: invitations and the recovery key.");

    char *file = file_text("codes.txt"), *at = file;
    for (char *block = next_block(&at); block; block = next_block(&at)) {
        char *kind = value_of(block, "kind"), *typed = value_of(block, "text");
        struct carnet_buf again;
        carnet_rc rc;
        carnet_buf_init(&again, 4096);
        if (strcmp(kind, "invitation") == 0) {
            rc = carnet_invite_code_decode(carnet_slice_str(typed), &code);
            if (rc == CARNET_OK)
                carnet_invite_code_encode(&code, &again);
        } else {
            rc = carnet_recovery_decode(carnet_slice_str(typed), seed);
            if (rc == CARNET_OK)
                carnet_recovery_encode(seed, &again);
        }
        expect_rc(block, rc);
        if (rc == CARNET_OK)
            assert_string_equal(carnet_buf_cstr(&again), typed);
        carnet_buf_deinit(&again);
        free(kind);
        free(typed);
    }
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_derive_as_written), cmocka_unit_test(certificates_and_cuts_are_as_written),
        cmocka_unit_test(entries_are_as_written), cmocka_unit_test(the_box_in_the_vectors_opens),
        cmocka_unit_test(events_are_as_written),  cmocka_unit_test(codes_are_as_written),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
