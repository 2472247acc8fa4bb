// SPDX-License-Identifier: EUPL-1.2
/* The main work, each part in a process of its own. */
#include "bench.h"

#include "carnet/people/merge.h"
#include "carnet/people/query.h"
#include "carnet/people/rows.h"
#include "carnet/people/segment.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct carnet_id main_book(struct carnet_replica *replica)
{
    struct carnet_err err = CARNET_ERR_INIT;
    const struct carnet_book *book;
    BENCH_OK(carnet_replica_book_find(replica, carnet_slice_str("main"), &book, &err));
    return book->id;
}

static struct carnet_store_counts counts_of(struct carnet_replica *replica)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_store_counts counts;
    BENCH_OK(carnet_store_count(carnet_replica_store(replica), &counts, &err));
    return counts;
}

/* --- import --- */

struct pace {
    double last, longest_ms;
};

static bool pace(void *ctx, uint64_t rows, uint64_t bytes, uint64_t bytes_total)
{
    struct pace *p = ctx;
    (void)rows, (void)bytes, (void)bytes_total;
    double now = bench_seconds(), ms = (now - p->last) * 1e3;
    if (ms > p->longest_ms)
        p->longest_ms = ms;
    p->last = now;
    return true;
}

static bool check_contact(void *ctx, const struct carnet_view *view)
{
    const struct bench_contact *contact = ctx;
    for (size_t f = 0; f < BENCH_FIELDS; f++) {
        const struct carnet_field_def *def = carnet_field_by_name(NULL, carnet_slice_str(bench_field_names[f]));
        bool there = false;
        for (size_t i = 0; i < view->cell_count; i++)
            there = there || (view->cells[i].field == def->field &&
                              carnet_slice_equal(view->cells[i].siblings[0]->value, carnet_slice_str(contact->value[f])));
        if (!there) {
            fprintf(stderr, "%s = %s\n", bench_field_names[f], contact->value[f]);
            bench_fail("a contact has lost a field", NULL);
        }
    }
    return true;
}

/* Is the i-th contact there, whole, and found? */
static void check_found(struct carnet_replica *replica, uint64_t i)
{
    struct bench_contact contact;
    struct carnet_err err = CARNET_ERR_INIT;
    bench_contact_make(i, &contact);
    const struct carnet_find_options options = { .query = carnet_slice_str(contact.value[2]), .limit = 1 };
    BENCH_OK(carnet_people_find(replica, &options, check_contact, NULL, &contact, &err));
}

void bench_import(const struct bench *bench, void *out)
{
    struct bench_import *import = out;
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_replica_env env = bench_env();
    struct carnet_replica *town;
    struct carnet_rows *rows;
    struct bench_watch watch = { 0 };
    struct pace p = { 0 };
    uint8_t root[32];
    const struct carnet_rows_options row_options = { .country = "FR" };
    const struct carnet_slice grants[] = { carnet_slice_str("newsletter"), carnet_slice_str("sms"), carnet_slice_str("mail"), carnet_slice_str("profile") };
    struct carnet_import_result result;
    carnet_rng_fill(&env.rng, root, sizeof root);
    bench_remove(bench->town.path);
    BENCH_OK(carnet_replica_found(bench->town.path, &env, carnet_slice_str("Bench"), carnet_slice_str("town"), &bench->town.identity, root, &town, &err));
    const struct carnet_import_options options = { .book = main_book(town),
                                                   .grants = grants,
                                                   .grant_count = sizeof grants / sizeof *grants,
                                                   .ground = { .basis = CARNET_BASIS_EXPLICIT_CONSENT,
                                                               .source = carnet_slice_str("members' list"),
                                                               .collected_ms = carnet_replica_wall_ms(town) },
                                                   .rejects_fd = -1,
                                                   .progress = pace,
                                                   .ctx = &p };
    int fd = open(bench->csv, O_RDONLY | O_CLOEXEC);
    BENCH_TRUE(fd >= 0);
    p.last = bench_seconds();
    bench_start(&watch);
    BENCH_OK(carnet_rows_open(fd, &row_options, &rows, &err));
    BENCH_OK(carnet_people_import(town, rows, &options, &result, &err));
    bench_stop(&watch);
    carnet_rows_close(rows);
    close(fd);
    /* few numbers are reserved for fiction: one in a thousand rows is somebody of the same name with the same number, hence known again */
    uint64_t again = result.updated + result.unchanged;
    BENCH_TRUE(result.created + again == bench->contacts && again <= bench->contacts / 500);
    BENCH_TRUE((uint64_t)counts_of(town).contacts == result.created && result.uncovered == 0);
    import->memory_peak = bench_memory_peak();
    check_found(town, 0);
    carnet_replica_close(town);
    import->time = watch.sum;
    import->hold_ms = p.longest_ms;
    import->disk_bytes = bench_file_size(bench->town.path);
}

/* --- a full sync --- */

static void sync_to(const struct bench *bench, const struct bench_node *node, enum carnet_role role, struct bench_sync *out)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_replica *town = bench_node_open(&bench->town);
    struct carnet_replica *other = bench_join(town, node, role == CARNET_ROLE_RELAY ? "relay" : "office", role);
    struct bench_pair *pair = bench_pair_new(town, other, false);
    struct bench_watch watch = { 0 };
    bench_start(&watch);
    bench_pair_up(pair);
    bench_pair_catch_up(pair);
    bench_stop(&watch);
    *out = (struct bench_sync){ .time = watch.sum,
                                .bytes = bench_pair_bytes(pair),
                                .frames = bench_pair_frames(pair),
                                .hold_ms = bench_pair_hold_ms(pair),
                                .memory_peak = bench_memory_peak() };
    BENCH_TRUE(counts_of(other).contacts == counts_of(town).contacts);
    if (role != CARNET_ROLE_RELAY)
        check_found(other, 0);
    if (bench->contacts <= 100000) {
        struct carnet_id book = main_book(town);
        struct carnet_hash here, there;
        BENCH_OK(carnet_replica_state(town, &book, &here, &err));
        BENCH_OK(carnet_replica_state(other, &book, &there, &err));
        BENCH_TRUE(carnet_hash_equal(&here, &there));
    }
    bench_pair_free(pair);
    carnet_replica_close(other);
    carnet_replica_close(town);
    out->disk_bytes = bench_file_size(node->path);
}

void bench_sync_reader(const struct bench *bench, void *out)
{
    sync_to(bench, &bench->readers[bench->reader_count - 1], CARNET_ROLE_OFFICE, out);
}

void bench_sync_relay(const struct bench *bench, void *out)
{
    sync_to(bench, &bench->relays[bench->reader_count - 1], CARNET_ROLE_RELAY, out);
}

/* --- duplicates --- */

struct compared {
    double last, longest;
};

static bool compared(void *ctx, uint64_t looked, uint64_t total)
{
    struct compared *c = ctx;
    double now = bench_seconds();
    c->longest = now - c->last > c->longest ? now - c->last : c->longest;
    c->last = bench_seconds();
    return looked <= total;
}

void bench_duplicates(const struct bench *bench, void *out)
{
    struct bench_duplicates *duplicates = out;
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_replica *town = bench_node_open(&bench->town);
    struct compared c = { .last = bench_seconds() };
    const struct carnet_duplicates_options options = { .progress = compared, .ctx = &c };
    struct carnet_duplicates_count count;
    struct bench_watch watch = { 0 };
    bench_start(&watch);
    BENCH_OK(carnet_people_duplicates_update(town, &options, NULL, &err));
    bench_stop(&watch);
    duplicates->time = watch.sum;
    duplicates->hold_ms = c.longest * 1e3;
    BENCH_OK(carnet_people_duplicates_count(town, &count, &err));
    BENCH_TRUE(count.waiting == 0);
    duplicates->open = count.open;
    const struct carnet_assign fields[] = { { carnet_slice_str("given"), carnet_slice_str("Zoé") }, { carnet_slice_str("phone"), carnet_slice_str("+33639980001") } };
    const struct carnet_slice grants[] = { carnet_slice_str("file"), carnet_slice_str("sms") };
    const struct carnet_ground ground = { .basis = CARNET_BASIS_CONSENT, .source = carnet_slice_str("market") };
    struct carnet_id book = main_book(town), id;
    BENCH_OK(carnet_people_add(town, &book, fields, 2, grants, 2, &ground, &id, &err));
    double begun = bench_seconds();
    BENCH_OK(carnet_people_duplicates_update(town, NULL, NULL, &err));
    duplicates->one_ms = (bench_seconds() - begun) * 1e3;
    carnet_replica_close(town);
    duplicates->disk_bytes = bench_file_size(bench->town.path);
}

/* --- edits on both sides --- */

enum { SAME = BENCH_EDITS / 2, TOUCHED = 2 * BENCH_EDITS - SAME, LIVE = 200, AUTHORS = 10 };

/* Contacts spread over the whole book. */
static void choose(struct carnet_replica *replica, uint64_t contacts, struct carnet_id *out)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_record_row row;
    uint64_t apart = (contacts - contacts / 500) / TOUCHED, seen = 0, count = 0;
    struct carnet_id book = main_book(replica);
    BENCH_TRUE(apart > 0);
    for (int64_t from = 1; count < TOUCHED; from = row.n + 1) {
        BENCH_OK(carnet_store_record_next(carnet_replica_store(replica), from, &row, &err));
        if (row.kind == CARNET_KIND_CONTACT && carnet_id_equal(&row.book, &book) && seen++ % apart == 0)
            out[count++] = row.id;
    }
}

/* The town edits the first thousand, the other office the last: the middle ones are edited by both. */
static uint64_t write_edits(struct carnet_replica *replica, const struct carnet_id *ids, uint32_t field, const char *what, bool batched, struct bench_watch *watch)
{
    static struct carnet_write writes[BENCH_EDITS];
    static struct carnet_write_cell cells[BENCH_EDITS];
    static char values[BENCH_EDITS][48];
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_write_result result;
    struct carnet_id book = main_book(replica);
    uint64_t raw = 0;
    for (size_t i = 0; i < BENCH_EDITS; i++) {
        snprintf(values[i], sizeof values[i], "%s %zu", what, i);
        cells[i] = (struct carnet_write_cell){ .field = field, .value = carnet_slice_str(values[i]) };
        writes[i] = (struct carnet_write){
            .book = book, .record = ids[i], .subject = ids[i], .kind = CARNET_KIND_CONTACT, .cells = &cells[i], .cell_count = 1
        };
        raw += strlen(values[i]);
    }
    bench_start(watch);
    for (size_t i = 0; i < BENCH_EDITS; i += batched ? BENCH_EDITS : 1) {
        BENCH_OK(carnet_replica_write(replica, &writes[i], batched ? BENCH_EDITS : 1, false, &result, &err));
        BENCH_TRUE(result.entries > 0);
    }
    bench_stop(watch);
    return raw;
}

static void exchange(struct bench_pair *pair, struct carnet_replica *town, struct carnet_replica *other, const struct carnet_id *ids, bool batched,
                     struct bench_exchange *out)
{
    struct bench_watch write = { 0 }, sync = { 0 };
    uint32_t field = batched ? CARNET_FIELD_STREET : CARNET_FIELD_EMPLOYER;
    int64_t before = counts_of(town).conflicts;
    out->raw_bytes = write_edits(town, ids, field, "3 rue du Lavoir, porte", batched, &write);
    out->raw_bytes += write_edits(other, ids + TOUCHED - BENCH_EDITS, field, "5 place de la Mairie", batched, &write);
    bench_start(&sync);
    bench_pair_up(pair);
    bench_pair_catch_up(pair);
    bench_stop(&sync);
    out->write = write.sum;
    out->sync = sync.sum;
    out->bytes = bench_pair_bytes(pair);
    BENCH_TRUE(counts_of(town).conflicts == before + SAME && counts_of(other).conflicts == before + SAME);
    bench_pair_quiet(pair);
    bench_pair_down(pair);
}

static struct bench_time no_op(struct bench_pair *pair, uint64_t *bytes)
{
    struct bench_watch watch = { 0 };
    bench_start(&watch);
    bench_pair_up(pair);
    bench_pair_catch_up(pair);
    bench_stop(&watch);
    *bytes = bench_pair_bytes(pair);
    bench_pair_down(pair);
    return watch.sum;
}

/* --- more authors: members with the charter alone, who write one contact each --- */

static void give(struct carnet_replica *from, struct carnet_replica *to, unsigned first_lane, unsigned last_lane, const struct carnet_id *author)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_sync_source source = carnet_replica_source(from);
    struct carnet_sync_entry entry;
    struct carnet_arena arena;
    carnet_arena_init(&arena);
    for (unsigned lane = first_lane; lane <= last_lane; lane++) {
        for (int64_t n = 1; source.next(source.ctx, lane, n, &entry); n = entry.n + 1) {
            carnet_rc rc;
            if (author && !carnet_id_equal(&entry.author, author))
                continue;
            carnet_arena_reset(&arena);
            struct carnet_slice bytes = carnet_arena_dup(&arena, entry.bytes);
            BENCH_OK(carnet_replica_apply(to, &bytes, 1, &rc, &err));
            BENCH_TRUE(rc == CARNET_OK);
        }
    }
    carnet_arena_deinit(&arena);
}

static void add_authors(const struct bench *bench, struct carnet_replica *town, unsigned count)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_replica_env env = bench_env();
    for (unsigned i = 0; i < count; i++) {
        struct bench_node node;
        char name[32];
        struct carnet_id id;
        snprintf(name, sizeof name, "author %u", i);
        snprintf(node.path, sizeof node.path, "%s/author.db", bench->dir);
        carnet_identity_new(&env.rng, &node.identity);
        struct carnet_replica *author = bench_join(town, &node, name, CARNET_ROLE_OFFICE);
        give(town, author, 0, 0, NULL);
        const struct carnet_assign fields[] = { { carnet_slice_str("given"), carnet_slice_str("Zoé") } };
        const struct carnet_ground ground = { .basis = CARNET_BASIS_CONSENT, .source = carnet_slice_str("market") };
        struct carnet_id book = main_book(author);
        BENCH_OK(carnet_people_add(author, &book, fields, 1, NULL, 0, &ground, &id, &err));
        struct carnet_id self = carnet_replica_self(author)->node;
        give(author, town, 0, CARNET_LANES - 1, &self);
        carnet_replica_close(author);
        bench_remove(node.path);
    }
}

/* --- one edit, until the other node shows it --- */

static struct bench_latency live(struct bench_pair *pair, struct carnet_replica *town, struct carnet_replica *other, const struct carnet_id *ids, const char *what)
{
    static double ms[LIVE];
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_id book = main_book(town);
    for (size_t i = 0; i < LIVE; i++) {
        char value[48];
        struct carnet_write_result result;
        int64_t before = carnet_replica_last(other);
        snprintf(value, sizeof value, "%s %zu", what, i);
        const struct carnet_write_cell cell = { .field = CARNET_FIELD_EMPLOYER, .value = carnet_slice_str(value) };
        const struct carnet_write write = {
            .book = book, .record = ids[i], .subject = ids[i], .kind = CARNET_KIND_CONTACT, .cells = &cell, .cell_count = 1
        };
        double begun = bench_seconds();
        BENCH_OK(carnet_replica_write(town, &write, 1, false, &result, &err));
        bench_pair_written(pair, false);
        while (carnet_replica_last(other) == before) {
            bench_pair_turn(pair);
            bench_pair_tick(pair);
            if (bench_seconds() - begun > 30)
                bench_fail("an edit does not reach the other node", NULL);
        }
        ms[i] = (bench_seconds() - begun) * 1e3;
        bench_pair_catch_up(pair);
    }
    return bench_latency_of(ms, LIVE);
}

void bench_edits(const struct bench *bench, void *out)
{
    struct bench_edits *edits = out;
    static struct carnet_id ids[TOUCHED];
    struct carnet_replica *town = bench_node_open(&bench->town);
    struct carnet_replica *other = bench_node_open(&bench->readers[bench->reader_count - 1]);
    struct bench_pair *pair = bench_pair_new(town, other, false);
    choose(town, bench->contacts, ids);
    bench_pair_up(pair); /* what the town has written since: other members */
    bench_pair_quiet(pair);
    bench_pair_down(pair);
    exchange(pair, town, other, ids, true, &edits->batched);
    exchange(pair, town, other, ids, false, &edits->single);

    edits->authors = 2;
    edits->no_op = no_op(pair, &edits->no_op_bytes);
    add_authors(bench, town, AUTHORS - 2);
    edits->no_op_authors = AUTHORS;
    bench_pair_up(pair);
    bench_pair_quiet(pair);
    bench_pair_down(pair);
    no_op(pair, &edits->no_op_authors_bytes);

    bench_pair_up(pair);
    bench_pair_catch_up(pair);
    edits->live = live(pair, town, other, ids, "Mairie");
    bench_pair_down(pair);
    bench_pair_free(pair);
    pair = bench_pair_new(town, other, true);
    bench_pair_catch_up(pair);
    edits->live_net = live(pair, town, other, ids, "Hôpital");
    bench_pair_free(pair);
    carnet_replica_close(other);
    carnet_replica_close(town);
}

/* --- open, search --- */

static bool count_found(void *ctx, const struct carnet_view *view)
{
    (void)view;
    ++*(size_t *)ctx;
    return true;
}

static void find(struct carnet_replica *replica, const char *typed)
{
    struct carnet_err err = CARNET_ERR_INIT;
    const struct carnet_find_options options = { .query = carnet_slice_str(typed), .limit = BENCH_FOUND_MAX };
    size_t count = 0;
    BENCH_OK(carnet_people_find(replica, &options, count_found, NULL, &count, &err));
    BENCH_TRUE(count > 0);
}

void bench_open(const struct bench *bench, void *out)
{
    struct bench_open *opened = out;
    char typed[256];
    BENCH_TRUE(bench_typed(bench, 3, 8, typed));
    double begun = bench_seconds();
    struct carnet_replica *town = bench_node_open(&bench->town);
    find(town, typed);
    opened->open_ms = (bench_seconds() - begun) * 1e3;
    opened->memory_idle = bench_memory_now();
    carnet_replica_close(town);
}

void bench_search(const struct bench *bench, void *out)
{
    struct bench_search *search = out;
    static double find_ms[BENCH_PEOPLE_TYPED * BENCH_KEYS_MAX], cpu_ms[BENCH_PEOPLE_TYPED * BENCH_KEYS_MAX], store_ms[BENCH_PEOPLE_TYPED * BENCH_KEYS_MAX];
    static int64_t found[512];
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_replica *town = bench_node_open(&bench->town);
    size_t count = 0;
    char typed[256];
    for (unsigned i = 0; i < BENCH_PEOPLE_TYPED; i++) {
        for (unsigned keys = 1; keys <= BENCH_KEYS_MAX && bench_typed(bench, i, keys, typed); keys++) {
            struct carnet_query *query;
            struct carnet_buf match;
            size_t hits = 0;
            double begun = bench_seconds();
            carnet_buf_init(&match, 16 * 1024);
            BENCH_OK(carnet_query_parse(NULL, carnet_slice_str(typed), &query, &err));
            if (carnet_query_fts(query, &match))
                BENCH_OK(carnet_store_search(carnet_replica_store(town), carnet_buf_cstr(&match), 0, found, 512, &hits, &err));
            store_ms[count] = (bench_seconds() - begun) * 1e3;
            carnet_query_free(query);
            carnet_buf_deinit(&match);
            struct bench_watch watch = { 0 };
            bench_start(&watch);
            find(town, typed);
            bench_stop(&watch);
            find_ms[count] = watch.sum.wall * 1e3;
            cpu_ms[count++] = watch.sum.cpu * 1e3;
        }
    }
    search->find = bench_latency_of(find_ms, count);
    search->find_cpu = bench_latency_of(cpu_ms, count);
    search->store = bench_latency_of(store_ms, count);
    carnet_replica_close(town);
}

/* --- counting --- */

const char *const bench_count_names[BENCH_COUNTS] = { "count: who agreed", "count: a city, who agreed", "count: by a field not indexed", "count: the same again", "count: the same after 1,000 edits" };

static struct bench_time count(struct carnet_replica *replica, const char *query, uint64_t *out)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct bench_watch watch = { 0 };
    bench_start(&watch);
    BENCH_OK(carnet_segment_count(replica, NULL, carnet_slice_str(query), NULL, NULL, out, &err));
    bench_stop(&watch);
    return watch.sum;
}

void bench_counts(const struct bench *bench, void *out)
{
    struct bench_counts *counts = out;
    struct bench_contact contact;
    struct bench_watch watch = { 0 };
    static struct carnet_id ids[TOUCHED];
    char city[300];
    bench_contact_make(3, &contact);
    snprintf(city, sizeof city, "city:\"%s\" consent:newsletter -consent:call", contact.value[6]);
    /* what nobody ever asked of this address book, so that no former run has counted it */
    char walked[64];
    snprintf(walked, sizeof walked, "street:rue -employer:x%lld", (long long)(bench_seconds() * 1e6));
    struct carnet_replica *town = bench_node_open(&bench->town);
    counts->time[0] = count(town, "consent:newsletter -consent:call", &counts->count[0]);
    counts->time[1] = count(town, city, &counts->count[1]);
    counts->time[2] = count(town, walked, &counts->count[2]);
    counts->time[3] = count(town, walked, &counts->count[3]);
    BENCH_TRUE(counts->count[2] == counts->count[3] && counts->count[1] > 0);
    choose(town, bench->contacts, ids);
    char place[64]; /* a kept address book holds what the last run wrote */
    snprintf(place, sizeof place, "5 place de la Mairie %.0f", bench_seconds());
    write_edits(town, ids, CARNET_FIELD_STREET, place, true, &watch);
    counts->time[4] = count(town, walked, &counts->count[4]);
    carnet_replica_close(town);
}
