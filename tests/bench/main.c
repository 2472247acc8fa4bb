// SPDX-License-Identifier: EUPL-1.2
/* carnet-bench: options, the order of the measurements, the table, the lines for machines, the checks at the end. */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZES_MAX = 8, ROUNDS_BELOW = 100000 /* above, a measurement is made once */ };

static const char usage[] =
    "usage: carnet-bench [--contacts N,N...] [--rounds N] [--only PART,PART...] [--growth X] [--dir DIR] [--keep DIR] [--json]\n"
    "  --contacts  sizes of the address book, ascending; at least 2000 each (10000,100000,1000000)\n"
    "  --rounds    measurements of which the median counts, up to 100,000 contacts (3)\n"
    "  --only      floor, import, duplicates, sync, relay, edits, open, search, count; the others are left out\n"
    "  --growth    time per contact at the largest size, at most so many times that at the smallest (2)\n"
    "  --dir       where a scratch folder is made, on a real disk (.)\n"
    "  --keep      address books are kept in this folder and used again by the next run: no import is measured then\n"
    "  --json      one line of JSON for each figure\n";

struct options {
    uint64_t sizes[SIZES_MAX];
    size_t size_count;
    unsigned rounds;
    const char *only;
    double growth;
    const char *dir, *keep;
    bool json;
};

/* What is compared between the sizes. */
struct summary {
    uint64_t contacts;
    struct bench_time import, sync;
    bool has_import, has_sync, has_edits;
    uint64_t no_op, no_op_authors;
};

static bool wants(const struct options *options, const char *part)
{
    size_t len = strlen(part);
    if (!options->only)
        return true;
    for (const char *at = options->only; *at; at += *at == ',') {
        size_t word = strcspn(at, ",");
        if (word == len && memcmp(at, part, len) == 0)
            return true;
        at += word;
    }
    return false;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

static struct bench_time median_time(const struct bench_time *times, size_t count)
{
    double wall[BENCH_ROUNDS_MAX], cpu[BENCH_ROUNDS_MAX];
    for (size_t i = 0; i < count; i++) {
        wall[i] = times[i].wall;
        cpu[i] = times[i].cpu;
    }
    return (struct bench_time){ median(wall, count), median(cpu, count) };
}

/* --- what is printed --- */

struct printer {
    const struct options *options;
    uint64_t contacts;
};

static void line(const struct printer *p, const char *name, const char *unit, double value, const char *floor_name, double floor)
{
    if (p->options->json) {
        printf("{\"contacts\":%llu,\"name\":\"%s\",\"unit\":\"%s\",\"value\":%.6g", (unsigned long long)p->contacts, name, unit, value);
        if (floor_name)
            printf(",\"floor\":\"%s\",\"floor_value\":%.6g,\"ratio\":%.4g", floor_name, floor, floor > 0 ? value / floor : 0);
        printf("}\n");
    } else if (floor_name) {
        printf("%9llu  %-34s %12.4g %-9s %12.4g  %-22s %8.2f\n", (unsigned long long)p->contacts, name, value, unit, floor, floor_name,
               floor > 0 ? value / floor : 0);
    } else {
        printf("%9llu  %-34s %12.4g %-9s\n", (unsigned long long)p->contacts, name, value, unit);
    }
    fflush(stdout);
}

static void line_time(const struct printer *p, const char *name, struct bench_time time, const char *floor_name, struct bench_time floor)
{
    char text[80];
    snprintf(text, sizeof text, "%s, wall", name);
    line(p, text, "s", time.wall, floor_name, floor.wall);
    snprintf(text, sizeof text, "%s, CPU", name);
    line(p, text, "s", time.cpu, floor_name, floor.cpu);
}

static void line_latency(const struct printer *p, const char *name, struct bench_latency latency, const char *floor_name, double floor_p50, double floor_p99)
{
    char text[80];
    snprintf(text, sizeof text, "%s, p50", name);
    line(p, text, "ms", latency.p50_ms, floor_p50 > 0 ? floor_name : NULL, floor_p50);
    snprintf(text, sizeof text, "%s, p99", name);
    line(p, text, "ms", latency.p99_ms, floor_p99 > 0 ? floor_name : NULL, floor_p99);
}

static void line_exchange(const struct printer *p, const char *name, const struct bench_exchange *exchange, struct bench_time floor, const char *floor_name)
{
    char text[80];
    snprintf(text, sizeof text, "edits, %s: written", name);
    line_time(p, text, exchange->write, floor_name, floor);
    snprintf(text, sizeof text, "edits, %s: exchanged", name);
    line_time(p, text, exchange->sync, floor_name, floor);
    snprintf(text, sizeof text, "edits, %s: bytes an edit", name);
    line(p, text, "B", (double)exchange->bytes / (2 * BENCH_EDITS), "values", (double)exchange->raw_bytes / (2 * BENCH_EDITS));
}

/* --- one size --- */

static void write_csv(const struct bench *bench)
{
    FILE *file = fopen(bench->csv, "w");
    if (!file)
        bench_fail("cannot write the file of contacts", NULL);
    fputs("first_name,last_name,email,phone,address,zip,city,note\n", file);
    for (uint64_t i = 0; i < bench->contacts; i++) {
        struct bench_contact contact;
        bench_contact_make(i, &contact);
        for (size_t f = 0; f < BENCH_FIELDS; f++)
            fprintf(file, "%s\"%s\"", f ? "," : "", contact.value[f]);
        fputc('\n', file);
    }
    if (fclose(file) != 0)
        bench_fail("cannot write the file of contacts", NULL);
}

static void lines_import(const struct printer *p, const struct bench_floor *floor, const struct bench_import *import, struct bench_time time, struct bench_time f,
                         struct bench_time r)
{
    const double n = (double)p->contacts;
    line_time(p, "floor: rows R", r, NULL, r);
    line_time(p, "floor: rows and index F", f, NULL, f);
    line_time(p, "import", time, "F", f);
    line(p, "import, CPU a contact", "us", time.cpu / n * 1e6, "F", f.cpu / n * 1e6);
    line(p, "import, longest transaction", "ms", import->hold_ms, NULL, 0);
    line(p, "import, memory at most", "MB", (double)import->memory_peak / 1e6, NULL, 0);
    line(p, "disk a contact", "B", (double)import->disk_bytes / n, "F", (double)floor->disk_bytes / n);
    line(p, "disk a contact, to the values", "B", (double)import->disk_bytes / n, "values", (double)floor->raw_bytes / n);
}

static void measure(const struct options *options, struct bench *bench, struct summary *summary)
{
    const struct printer p = { options, bench->contacts };
    const double n = (double)bench->contacts;
    const struct carnet_rng rng = carnet_rng_system();
    struct bench_floor floor;
    struct bench_time all[BENCH_ROUNDS_MAX], rows[BENCH_ROUNDS_MAX], imports[BENCH_ROUNDS_MAX], syncs[BENCH_ROUNDS_MAX], relays[BENCH_ROUNDS_MAX];
    struct bench_import import = { 0 };
    struct bench_sync sync = { 0 }, relay = { 0 };
    bool with_sync = wants(options, "sync"), with_relay = wants(options, "relay"), with_edits = wants(options, "edits");

    struct carnet_rng_state kept_state;
    const struct carnet_rng kept_rng = carnet_rng_seeded(&kept_state, bench->contacts);
    snprintf(bench->town.path, sizeof bench->town.path, "%s/town.db", bench->dir);
    carnet_identity_new(options->keep ? &kept_rng : &rng, &bench->town.identity);
    if (options->keep) { /* what the next run reads again needs the same keys */
        snprintf(bench->town.path, sizeof bench->town.path, "%s/town-%llu.db", options->keep, (unsigned long long)bench->contacts);
        snprintf(bench->floor, sizeof bench->floor, "%s/floor-%llu.db", options->keep, (unsigned long long)bench->contacts);
    }
    bool kept = options->keep && access(bench->town.path, R_OK) == 0 && access(bench->floor, R_OK) == 0;
    if (!kept)
        write_csv(bench);
    for (unsigned r = 0; r < bench->rounds && !kept; r++) {
        bench_child(bench, bench_floor_fill, &floor, sizeof floor);
        bench_child(bench, bench_import, &import, sizeof import);
        all[r] = floor.all;
        rows[r] = floor.rows;
        imports[r] = import.time;
    }
    struct bench_time f = { 0 }, r = { 0 };
    if (!kept) {
        f = median_time(all, bench->rounds);
        r = median_time(rows, bench->rounds);
        summary->import = median_time(imports, bench->rounds);
        summary->has_import = true;
        lines_import(&p, &floor, &import, summary->import, f, r);
    }

    if (wants(options, "duplicates")) {
        struct bench_duplicates duplicates;
        bench_child(bench, bench_duplicates, &duplicates, sizeof duplicates);
        line_time(&p, "duplicates, all compared", duplicates.time, "F", f);
        line(&p, "duplicates, longest transaction", "ms", duplicates.hold_ms, NULL, 0);
        line(&p, "duplicates, one more contact", "ms", duplicates.one_ms, NULL, 0);
        line(&p, "duplicates, proposals", "", (double)duplicates.open, NULL, 0);
        line(&p, "disk a contact, then", "B", (double)duplicates.disk_bytes / n, NULL, 0);
    }
    if (wants(options, "open")) {
        struct bench_open open;
        struct bench_floor_search search;
        double ms[BENCH_ROUNDS_MAX], floor_ms[BENCH_ROUNDS_MAX];
        for (unsigned i = 0; i < 3; i++) {
            bench_child(bench, bench_floor_search, &search, sizeof search);
            bench_child(bench, bench_open, &open, sizeof open);
            ms[i] = open.open_ms;
            floor_ms[i] = search.open_ms;
        }
        line(&p, "cold open to the first find", "ms", median(ms, 3), "SQLite, the same", median(floor_ms, 3));
        line(&p, "memory, idle", "MB", (double)open.memory_idle / 1e6, NULL, 0);
    }
    if (wants(options, "search")) {
        struct bench_search search;
        struct bench_floor_search plain;
        bench_child(bench, bench_floor_search, &plain, sizeof plain);
        bench_child(bench, bench_search, &search, sizeof search);
        line_latency(&p, "search, each key: found people", search.find, "SQLite, the same", plain.key.p50_ms, plain.key.p99_ms);
        line_latency(&p, "search, each key: CPU of that", search.find_cpu, NULL, 0, 0);
        line_latency(&p, "search, each key: the index", search.store, "SQLite, the same", plain.key.p50_ms, plain.key.p99_ms);
    }
    if (wants(options, "count")) {
        struct bench_counts counts;
        bench_child(bench, bench_counts, &counts, sizeof counts);
        for (size_t i = 0; i < BENCH_COUNTS; i++) {
            char text[80];
            snprintf(text, sizeof text, "%s, %llu", bench_count_names[i], (unsigned long long)counts.count[i]);
            line(&p, text, "ms", counts.time[i].wall * 1e3, "CPU", counts.time[i].cpu * 1e3);
        }
    }
    for (unsigned i = 0; i < bench->rounds && (with_sync || with_relay || with_edits); i++) {
        bench->reader_count = i + 1;
        snprintf(bench->readers[i].path, sizeof bench->readers[i].path, "%s/reader%u.db", bench->dir, i);
        snprintf(bench->relays[i].path, sizeof bench->relays[i].path, "%s/relay%u.db", bench->dir, i);
        carnet_identity_new(&rng, &bench->readers[i].identity);
        carnet_identity_new(&rng, &bench->relays[i].identity);
        if (i)
            bench_remove(bench->readers[i - 1].path);
        if (with_sync || with_edits)
            bench_child(bench, bench_sync_reader, &sync, sizeof sync);
        if (with_relay)
            bench_child(bench, bench_sync_relay, &relay, sizeof relay);
        bench_remove(bench->relays[i].path);
        syncs[i] = sync.time;
        relays[i] = relay.time;
    }
    if (with_sync) {
        summary->sync = median_time(syncs, bench->rounds);
        summary->has_sync = true;
        line_time(&p, "full sync to a reader", summary->sync, "F", f);
        line(&p, "full sync to a reader, CPU", "us/c", summary->sync.cpu / n * 1e6, "R", r.cpu / n * 1e6);
        line(&p, "full sync to a reader, bytes", "B/c", (double)sync.bytes / n, "values", (double)floor.raw_bytes / n);
        line(&p, "full sync to a reader, longest step", "ms", sync.hold_ms, NULL, 0);
        line(&p, "full sync, memory of both nodes", "MB", (double)sync.memory_peak / 1e6, NULL, 0);
    }
    if (with_relay) {
        line_time(&p, "full sync to a relay", median_time(relays, bench->rounds), "F", f);
        line(&p, "full sync to a relay, bytes", "B/c", (double)relay.bytes / n, "values", (double)floor.raw_bytes / n);
        line(&p, "disk a contact, relay", "B", (double)relay.disk_bytes / n, "values", (double)floor.raw_bytes / n);
    }
    if (with_edits) {
        struct bench_floor_updates updates;
        struct bench_edits edits;
        bench_child(bench, bench_floor_updates, &updates, sizeof updates);
        bench_child(bench, bench_edits, &edits, sizeof edits);
        line_exchange(&p, "batched", &edits.batched, updates.batched, "UPDATEs in 2");
        line_exchange(&p, "one by one", &edits.single, updates.single, "UPDATEs one by one");
        line(&p, "no-op sync", "ms", edits.no_op.wall * 1e3, NULL, 0);
        line(&p, "no-op sync, 2 authors", "B", (double)edits.no_op_bytes, NULL, 0);
        line(&p, "no-op sync, 10 authors", "B", (double)edits.no_op_authors_bytes, NULL, 0);
        line_latency(&p, "live edit, in memory", edits.live, "2 commits", 2 * updates.commit_p50_ms, 0);
        line_latency(&p, "live edit, sockets with CURVE", edits.live_net, "2 commits", 2 * updates.commit_p50_ms, 0);
        summary->no_op = edits.no_op_bytes;
        summary->no_op_authors = edits.no_op_authors_bytes;
        summary->has_edits = true;
    }
    summary->contacts = bench->contacts;
    if (!options->keep) {
        bench_remove(bench->town.path);
        bench_remove(bench->floor);
    }
    unlink(bench->csv);
    for (size_t i = 0; i < bench->reader_count; i++)
        bench_remove(bench->readers[i].path);
}

/* --- checks --- */

static bool verdict(const struct options *options, bool good, const char *fmt, ...) CARNET_PRINTF(3, 4);
static bool verdict(const struct options *options, bool good, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (options->json)
        printf("{\"check\":\"%s\",\"ok\":%s}\n", text, good ? "true" : "false");
    else
        printf("%s: %s\n", good ? "ok" : "NOT SO", text);
    return good;
}

static bool check_growth(const struct options *options, const char *what, struct bench_time small, uint64_t small_n, struct bench_time large, uint64_t large_n)
{
    double growth = (large.cpu / (double)large_n) / (small.cpu / (double)small_n);
    return verdict(options, growth <= options->growth, "%s: CPU time a contact grows %.2f times from %llu to %llu contacts, at most %.3g", what, growth,
                   (unsigned long long)small_n, (unsigned long long)large_n, options->growth);
}

static bool check(const struct options *options, const struct summary *summaries, size_t count)
{
    const struct summary *small = &summaries[0], *large = &summaries[count - 1];
    bool good = true;
    if (count < 2)
        return true;
    if (small->has_import)
        good = check_growth(options, "import", small->import, small->contacts, large->import, large->contacts) && good;
    if (small->has_sync)
        good = check_growth(options, "full sync", small->sync, small->contacts, large->sync, large->contacts) && good;
    bool same = true;
    for (size_t i = 1; i < count && small->has_edits; i++)
        same = same && summaries[i].no_op == small->no_op && summaries[i].no_op_authors == small->no_op_authors;
    if (small->has_edits)
        good = verdict(options, same, "a no-op sync takes the same bytes at all sizes: %llu, with 10 authors %llu", (unsigned long long)large->no_op,
                       (unsigned long long)large->no_op_authors) && good;
    return good;
}

/* --- options --- */

static bool parse_number(const char *text, char **end, uint64_t max, uint64_t *out)
{
    *out = strtoull(text, end, 10);
    return *end != text && text[0] >= '0' && text[0] <= '9' && *out <= max;
}

static bool parse_sizes(const char *text, struct options *options)
{
    options->size_count = 0;
    for (;;) {
        char *end;
        uint64_t size;
        if (options->size_count == SIZES_MAX || !parse_number(text, &end, 100000000, &size) || size < 2000 || (*end && *end != ','))
            return false;
        if (options->size_count && size <= options->sizes[options->size_count - 1])
            return false;
        options->sizes[options->size_count++] = size;
        if (!*end)
            return true;
        text = end + 1;
    }
}

static bool parse(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        char *end;
        uint64_t number;
        if (strcmp(word, "--json") == 0) {
            options->json = true;
            continue;
        }
        if (++i == argc)
            return false;
        if (strcmp(word, "--contacts") == 0) {
            if (!parse_sizes(argv[i], options))
                return false;
        } else if (strcmp(word, "--rounds") == 0) {
            if (!parse_number(argv[i], &end, BENCH_ROUNDS_MAX, &number) || *end || number == 0)
                return false;
            options->rounds = (unsigned)number;
        } else if (strcmp(word, "--growth") == 0) {
            options->growth = strtod(argv[i], &end);
            if (*end || options->growth < 1)
                return false;
        } else if (strcmp(word, "--only") == 0) {
            options->only = argv[i];
        } else if (strcmp(word, "--keep") == 0) {
            options->keep = argv[i];
        } else if (strcmp(word, "--dir") == 0) {
            options->dir = argv[i];
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options options = { .sizes = { 10000, 100000, 1000000 }, .size_count = 3, .rounds = 3, .growth = 2, .dir = "." };
    struct summary summaries[SIZES_MAX] = { 0 };
    struct carnet_err err = CARNET_ERR_INIT;
    char dir[400];
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (!parse(argc, argv, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    BENCH_OK(carnet_crypto_init(&err));
    snprintf(dir, sizeof dir, "%s/carnet-bench-XXXXXX", options.dir);
    if (!mkdtemp(dir))
        bench_fail("cannot make a scratch folder", NULL);
    if (!options.json)
        printf("%9s  %-34s %12s %-9s %12s  %-22s %8s\n", "contacts", "what", "measured", "", "floor", "", "ratio");
    for (size_t i = 0; i < options.size_count; i++) {
        struct bench bench = { .dir = dir, .contacts = options.sizes[i] };
        bench.rounds = bench.contacts <= ROUNDS_BELOW ? options.rounds : 1;
        snprintf(bench.csv, sizeof bench.csv, "%s/people.csv", dir);
        snprintf(bench.floor, sizeof bench.floor, "%s/floor.db", dir);
        measure(&options, &bench, &summaries[i]);
    }
    bool good = check(&options, summaries, options.size_count);
    rmdir(dir);
    return good ? 0 : 1;
}
