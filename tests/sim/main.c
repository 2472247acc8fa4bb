// SPDX-License-Identifier: EUPL-1.2
/* carnet-sim: one child process a seed, so that a crash is a finding like another and no seed knows of the one before. */
#include "sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 64, SECONDS_MAX = 120 };

static const char usage[] = "usage: carnet-sim [--seed N [--trace]] [--seeds FROM-TO] [--jobs N] [--reverse] [--plant N] [--until-fail] [--quiet]\n";

struct job {
    pid_t pid;
    uint64_t seed;
    int fd;
};

static bool number(const char *text, uint64_t *out)
{
    char *end = NULL;
    if (!text || *text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == 0;
}

static void begin(struct job *job, uint64_t seed, bool reverse)
{
    int fds[2];
    fflush(stdout);
    CARNET_ASSERT(pipe(fds) == 0);
    *job = (struct job){ .pid = fork(), .seed = seed, .fd = fds[0] };
    CARNET_ASSERT(job->pid >= 0);
    if (job->pid == 0) {
        close(fds[0]);
        dup2(fds[1], STDOUT_FILENO);
        alarm(SECONDS_MAX);
        int status = sim_run(seed, false, reverse);
        fflush(stdout);
        _exit(status);
    }
    close(fds[1]);
}

/* Prints what the seed said; false: it failed. */
static bool finish(struct job *job, int status, bool quiet)
{
    char text[1024];
    size_t len = 0;
    for (ssize_t got; len < sizeof text - 1 && (got = read(job->fd, text + len, sizeof text - 1 - len)) > 0;)
        len += (size_t)got;
    text[len] = 0;
    close(job->fd);
    bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!ok || !quiet)
        fputs(text, stdout);
    if (WIFSIGNALED(status))
        printf("seed %" PRIu64 ": FAIL P9: ended by signal %d%s\n", job->seed, WTERMSIG(status), WTERMSIG(status) == SIGALRM ? " (too slow)" : "");
    else if (!ok && !len)
        printf("seed %" PRIu64 ": FAIL: status %d\n", job->seed, WEXITSTATUS(status));
    fflush(stdout);
    return ok;
}

int main(int argc, char **argv)
{
    uint64_t from = 1, to = 20, jobs = 1, value = 0;
    bool trace = false, reverse = false, until_fail = false, quiet = false, single = false;
    for (int i = 1; i < argc; i++) {
        const char *dash = i + 1 < argc ? strchr(argv[i + 1], '-') : NULL;
        if (!strcmp(argv[i], "--seeds") && dash && number(dash + 1, &to)) {
            from = strtoull(argv[++i], NULL, 10);
        } else if (!strcmp(argv[i], "--seed") && i + 1 < argc && number(argv[i + 1], &from)) {
            to = from;
            single = true;
            i++;
        } else if (!strcmp(argv[i], "--jobs") && i + 1 < argc && number(argv[i + 1], &jobs) && jobs > 0 && jobs <= JOBS_MAX) {
            i++;
#ifdef CARNET_PLANTS
        } else if (!strcmp(argv[i], "--plant") && i + 1 < argc && number(argv[i + 1], &value)) {
            carnet_planted = (int)value;
            i++;
#endif
        } else if (!strcmp(argv[i], "--trace")) {
            trace = true;
        } else if (!strcmp(argv[i], "--reverse")) {
            reverse = true;
        } else if (!strcmp(argv[i], "--until-fail")) {
            until_fail = true;
        } else if (!strcmp(argv[i], "--quiet")) {
            quiet = true;
        } else {
            fputs(usage, stderr);
            return 2;
        }
    }
    (void)value;
    if (single && trace)
        return sim_run(from, true, reverse);

    struct job running[JOBS_MAX];
    size_t count = 0;
    uint64_t next = from, failed = 0, passed = 0;
    while (count || next <= to) {
        if (until_fail && failed && !count)
            break;
        while (count < jobs && next <= to && !(until_fail && failed))
            begin(&running[count++], next++, reverse);
        int status = 0;
        pid_t pid = wait(&status);
        for (size_t i = 0; i < count; i++) {
            if (running[i].pid != pid)
                continue;
            if (finish(&running[i], status, quiet))
                passed++;
            else
                failed++;
            running[i] = running[--count];
            break;
        }
    }
    printf("%" PRIu64 " seeds ok, %" PRIu64 " failed\n", passed, failed);
    return failed ? 1 : 0;
}
