// SPDX-License-Identifier: EUPL-1.2
#include "bench.h"

#include "people.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double bench_seconds(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

void bench_start(struct bench_watch *watch)
{
    watch->begun.cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    watch->begun.wall = seconds_of(CLOCK_MONOTONIC);
}

void bench_stop(struct bench_watch *watch)
{
    watch->sum.wall += seconds_of(CLOCK_MONOTONIC) - watch->begun.wall;
    watch->sum.cpu += seconds_of(CLOCK_PROCESS_CPUTIME_ID) - watch->begun.cpu;
}

void bench_fail(const char *what, const struct carnet_err *err)
{
    fprintf(stderr, "carnet-bench: %s%s%s\n", what, err && err->what[0] ? ": " : "", err ? err->what : "");
    _exit(2);
}

const char *const bench_field_names[BENCH_FIELDS] = { "given", "family", "email", "phone", "street", "postcode", "city", "note" };

void bench_contact_make(uint64_t i, struct bench_contact *out)
{
    struct demo_person person;
    demo_person_make(1, i, &person);
    unsigned long long number = i + 1;
    enum { LEN = sizeof out->value[0] };
    snprintf(out->value[0], LEN, "%s", person.given);
    snprintf(out->value[1], LEN, "%s", person.family);
    if (person.email[0])
        snprintf(out->value[2], LEN, "%s", person.email);
    else
        snprintf(out->value[2], LEN, "contact.%llu@example.org", number);
    snprintf(out->value[3], LEN, "%s", person.mobile[0] ? person.mobile : person.phone);
    if (!out->value[3][0])
        snprintf(out->value[3], LEN, "+3363998%04llu", number % 10000);
    snprintf(out->value[4], LEN, "%s", person.street);
    snprintf(out->value[5], LEN, "%s", person.postcode);
    snprintf(out->value[6], LEN, "%s", person.city);
    if (person.note[0])
        snprintf(out->value[7], LEN, "%s", person.note);
    else
        snprintf(out->value[7], LEN, "Fiche %llu du porte-à-porte.", number);
}

void bench_child(const struct bench *bench, void (*work)(const struct bench *bench, void *out), void *out, size_t size)
{
    int ends[2], status = 0;
    memset(out, 0, size);
    fflush(NULL);
    if (pipe(ends) != 0)
        bench_fail("no pipe", NULL);
    pid_t child = fork();
    if (child < 0)
        bench_fail("no process", NULL);
    if (child == 0) {
        close(ends[0]);
        work(bench, out);
        bool put = write(ends[1], out, size) == (ssize_t)size;
        _exit(put ? 0 : 2);
    }
    close(ends[1]);
    size_t got = 0;
    while (got < size) {
        ssize_t some = read(ends[0], (char *)out + got, size - got);
        if (some < 0 && errno == EINTR)
            continue;
        if (some <= 0)
            break;
        got += (size_t)some;
    }
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (got != size || status != 0) {
        if (WIFSIGNALED(status))
            fprintf(stderr, "carnet-bench: a measurement ended by signal %d\n", WTERMSIG(status));
        exit(2);
    }
}

static uint64_t status_line(const char *name)
{
    char line[256];
    uint64_t kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kilobytes = strtoull(line + strlen(name), NULL, 10);
    fclose(file);
    return kilobytes * 1024;
}

uint64_t bench_memory_peak(void)
{
    return status_line("VmHWM:");
}

uint64_t bench_memory_now(void)
{
    return status_line("VmRSS:");
}

void bench_remove(const char *path)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    char name[600];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

uint64_t bench_file_size(const char *path)
{
    struct stat at;
    return stat(path, &at) == 0 ? (uint64_t)at.st_size : 0;
}

bool bench_typed(const struct bench *bench, unsigned i, unsigned keys, char out[256])
{
    struct bench_contact contact;
    char whole[460];
    bench_contact_make(bench->contacts / BENCH_PEOPLE_TYPED * i + i % 7, &contact);
    snprintf(whole, sizeof whole, "%s %s", contact.value[0], contact.value[1]);
    size_t at = 0;
    for (unsigned key = 0; key < keys; key++) {
        if (!whole[at])
            return false;
        do
            at++;
        while (((unsigned char)whole[at] & 0xc0) == 0x80);
    }
    if (at == 0 || at > 255)
        return false;
    memcpy(out, whole, at);
    out[at] = 0;
    return true;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

struct bench_latency bench_latency_of(double *ms, size_t count)
{
    if (count == 0)
        return (struct bench_latency){ 0 };
    qsort(ms, count, sizeof *ms, compare);
    return (struct bench_latency){ .p50_ms = ms[count / 2], .p99_ms = ms[(count - 1) * 99 / 100], .max_ms = ms[count - 1] };
}
