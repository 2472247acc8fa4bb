// SPDX-License-Identifier: EUPL-1.2
/* Whole processes: nodes in children, commands through the control socket and without it, meetings over loopback. */
#include "carnet/log/authority.h"
#include "carnet/node/node.h"
#include "carnet/net/net.h"
#include "carnet/sys/file.h"
#include "carnet/sys/home.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

static char scratch[64];

static int64_t now_ms(void)
{
    struct carnet_clock clock = carnet_clock_system();
    return carnet_clock_mono_ms(&clock);
}

static int setup(void **state)
{
    (void)state;
    snprintf(scratch, sizeof scratch, "carnet-test-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    return system(command);
}

static char *home_path(const char *name)
{
    return carnet_path_join(scratch, name);
}

struct met {
    struct carnet_sync_result last;
    unsigned count;
};
static bool each_met(void *ctx, const struct carnet_sync_result *result)
{
    struct met *met = ctx;
    met->last = *result;
    met->count++;
    return true;
}

/* --- the commands of these tests --- */

static int command(struct carnet_node *node, struct carnet_io *io, int argc, char **argv)
{
    const char *name = argc ? argv[0] : "";
    if (strcmp(name, "say") == 0) { /* everything that it was given, on both outputs */
        carnet_buf_printf(&io->out, "%d words, lang %d json %d quiet %d yes %d tty %d%d color %d columns %d\n", argc, (int)io->lang, io->json, io->quiet, io->yes,
                          io->out_tty, io->err_tty, io->color, io->columns);
        for (int i = 1; i < argc; i++)
            carnet_buf_printf(&io->out, "[%s]\n", argv[i]);
        carnet_io_flush(io);
        carnet_buf_append_str(&io->err, "and an error\n");
        carnet_buf_printf(&io->out, "%s\n", carnet_replica_community_name(node->replica).len ? "named" : "nameless");
        return 42;
    }
    if (strcmp(name, "copy") == 0) { /* from the first file to the second */
        char bytes[64];
        ssize_t got;
        while (io->fd_count == 2 && (got = read(io->fds[0], bytes, sizeof bytes)) > 0)
            if (write(io->fds[1], bytes, (size_t)got) != got)
                return 1;
        return io->fd_count == 2 ? 0 : 1;
    }
    if (strcmp(name, "long") == 0) { /* until somebody makes HOME/stop, or nobody waits for it */
        char *stop = carnet_path_join(node->home, "stop"), *out = carnet_path_join(node->home, "cancelled");
        carnet_buf_append_str(&io->out, "begun\n");
        carnet_io_flush(io);
        while (!node->cancelled(node) && !carnet_file_exists(stop))
            node->breathe(node, 20);
        bool cancelled = node->cancelled(node);
        if (cancelled && carnet_file_write(out, carnet_slice_str("yes"), 0600, NULL) != CARNET_OK)
            return 9;
        free(stop);
        free(out);
        return cancelled ? 7 : 0;
    }
    if (strcmp(name, "flood") == 0) {
        size_t lines = (size_t)strtoul(argv[1], NULL, 10);
        for (size_t i = 0; i < lines; i++) {
            carnet_buf_printf(&io->out, "%099zu\n", i);
            if (i % 1000 == 0)
                carnet_io_flush(io);
        }
        return 0;
    }
    if (strcmp(name, "invite") == 0) {
        struct carnet_err err = CARNET_ERR_INIT;
        const char *address = argc > 2 ? argv[2] : node->listen;
        const struct carnet_invite_terms terms = { .name = carnet_slice_str(argv[1]), .role = CARNET_ROLE_OFFICE, .addresses = &address, .address_count = 1,
                                                   .code_until_ms = carnet_replica_wall_ms(node->replica) + 3600 * 1000 };
        carnet_rc rc = carnet_replica_invite(node->replica, &terms, &io->out, &err);
        if (rc != CARNET_OK)
            carnet_buf_append_str(&io->err, err.what);
        return carnet_rc_status(rc);
    }
    if (strcmp(name, "revoke") == 0) {
        struct carnet_member member;
        carnet_rc rc = carnet_replica_member_find(node->replica, carnet_slice_str(argv[1]), &member, NULL);
        if (rc == CARNET_OK)
            rc = carnet_replica_cut(node->replica, &member.cert->node, NULL);
        return carnet_rc_status(rc);
    }
    if (strcmp(name, "book") == 0) {
        struct carnet_id id;
        return carnet_rc_status(carnet_replica_book_add(node->replica, carnet_slice_str(argv[1]), &id, NULL));
    }
    if (strcmp(name, "books") == 0) {
        for (size_t i = 0; i < carnet_replica_book_count(node->replica); i++)
            carnet_buf_printf(&io->out, "%s\n", carnet_replica_book_at(node->replica, i)->name);
        return 0;
    }
    if (strcmp(name, "peers") == 0) {
        struct carnet_core_peer peers[16];
        size_t count = node->core ? carnet_core_peers(node->core, peers, 16) : 0, open = 0;
        for (size_t i = 0; i < count; i++)
            open += !peers[i].closed && peers[i].caught_up;
        carnet_buf_printf(&io->out, "%zu", open);
        return 0;
    }
    if (strcmp(name, "sync") == 0) {
        struct met met = { 0 };
        carnet_rc rc = carnet_node_sync(node, argc > 1 ? argv[1] : NULL, each_met, &met, NULL);
        carnet_buf_printf(&io->out, "%u met, the last %s", met.count, carnet_rc_name(met.last.rc));
        return carnet_rc_status(rc);
    }
    return 2;
}

/* --- processes --- */

struct running {
    pid_t pid;
    char listen[96];
};

/* Starts a node of home in a child and waits for its ready line. */
static struct running start(const char *home, const char *listen, const char *connect)
{
    struct running out = { 0 };
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    out.pid = fork();
    if (out.pid == 0) {
        struct carnet_err err = CARNET_ERR_INIT;
        const char *const connects[] = { connect };
        const struct carnet_node_options options = { .home = home, .listen = listen, .connect = connects, .connect_count = connect ? 1 : 0, .command = command };
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        if (!getenv("CARNET_TEST_LOG")) {
            int null = open("/dev/null", O_WRONLY);
            dup2(null, STDERR_FILENO);
        }
        carnet_rc rc = carnet_node_run(&options, &err);
#if defined(__SANITIZE_ADDRESS__)
        if (__lsan_do_recoverable_leak_check())
            _exit(99);
#endif
        if (rc != CARNET_OK)
            printf("error %s\n", err.what);
        fflush(stdout);
        _exit(carnet_rc_status(rc));
    }
    close(fds[1]);
    char line[256] = "";
    size_t len = 0;
    while (len < sizeof line - 1 && read(fds[0], line + len, 1) == 1 && line[len] != '\n')
        len++;
    line[len] = 0;
    close(fds[0]);
    if (sscanf(line, "ready listen=%95s console=none", out.listen) != 1)
        fail_msg("no ready line: %s", line);
    return out;
}

static void stop(struct running *node)
{
    int status = -1;
    int64_t before = now_ms();
    assert_int_equal(kill(node->pid, SIGTERM), 0);
    assert_int_equal(waitpid(node->pid, &status, 0), node->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(now_ms() - before < 1500);
}

static void io_init(struct carnet_io *io)
{
    memset(io, 0, sizeof *io);
    carnet_buf_init(&io->out, 64 * 1024 * 1024);
    carnet_buf_init(&io->err, 1024 * 1024);
}

static void io_deinit(struct carnet_io *io)
{
    carnet_buf_deinit(&io->out);
    carnet_buf_deinit(&io->err);
}

/* Runs a command as the command line does: there, or here. Gives its status; out gets its output when not NULL. */
static int run(const char *home, char *out, size_t out_size, int argc, const char *const *words)
{
    char **argv = (char **)(uintptr_t)words;
    struct carnet_io io;
    struct carnet_err err = CARNET_ERR_INIT;
    int status = -1;
    io_init(&io);
    carnet_rc rc = carnet_node_call(home, argc, argv, &io, &status, &err);
    if (rc == CARNET_NOT_FOUND) {
        struct carnet_node *node;
        rc = carnet_node_open(home, CARNET_SLICE_NONE, &node, &err);
        if (rc == CARNET_OK) {
            status = command(node, &io, argc, argv);
            carnet_node_close(node);
        }
    }
    if (rc != CARNET_OK)
        status = carnet_rc_status(rc);
    if (out)
        snprintf(out, out_size, "%s%s", carnet_buf_cstr(&io.out), carnet_buf_cstr(&io.err));
    io_deinit(&io);
    return status;
}
#define RUN(home, out, ...)                                                                                                                        \
    run(home, out, sizeof out, (int)(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *)), (const char *const[]){ __VA_ARGS__ })

static void found(const char *home)
{
    struct carnet_node *node;
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_buf recovery;
    carnet_buf_init(&recovery, 200);
    carnet_rc rc = carnet_node_init(home, carnet_slice_str("Grenoble en commun"), carnet_slice_str("bureau"), CARNET_SLICE_NONE, &recovery, &node, &err);
    if (rc != CARNET_OK)
        fail_msg("%s", err.what);
    assert_true(recovery.len > 50);
    carnet_buf_deinit(&recovery);
    carnet_node_close(node);
}

/* --- commands --- */

static void a_command_says_the_same_with_and_without_a_node(void **state)
{
    (void)state;
    char *home = home_path("a");
    char alone[4096], with[4096], latin[] = { 'x', (char)0xe9, 0 };
    found(home);
    assert_int_equal(RUN(home, alone, "say", "", "deux mots", "é", latin, "--", "-1"), 42);
    struct running node = start(home, NULL, NULL);
    assert_int_equal(RUN(home, with, "say", "", "deux mots", "é", latin, "--", "-1"), 42);
    assert_string_equal(with, alone);
    assert_non_null(strstr(with, "[deux mots]"));
    assert_non_null(strstr(with, "and an error"));
    stop(&node);
    assert_int_equal(RUN(home, with, "say"), 42);
    free(home);
}

static void settings_of_the_terminal_reach_the_command(void **state)
{
    (void)state;
    char say[] = "say", *home = home_path("a"), *argv[] = { say };
    struct carnet_io io;
    struct carnet_err err = CARNET_ERR_INIT;
    int status = -1;
    found(home);
    struct running node = start(home, NULL, NULL);
    io_init(&io);
    io.lang = CARNET_LANG_FR;
    io.json = io.yes = io.err_tty = io.color = true;
    io.columns = 123;
    assert_int_equal(carnet_node_call(home, 1, argv, &io, &status, &err), CARNET_OK);
    assert_string_equal(carnet_buf_cstr(&io.out), "1 words, lang 1 json 1 quiet 0 yes 1 tty 01 color 1 columns 123\nnamed\n");
    assert_string_equal(carnet_buf_cstr(&io.err), "and an error\n");
    io_deinit(&io);
    stop(&node);
    free(home);
}

static void files_go_with_the_command(void **state)
{
    (void)state;
    char *home = home_path("a"), *from = home_path("from"), *to = home_path("to"), copy[] = "copy", *argv[] = { copy };
    struct carnet_io io;
    struct carnet_buf got;
    struct carnet_err err = CARNET_ERR_INIT;
    int status = -1;
    found(home);
    struct running node = start(home, NULL, NULL);
    assert_int_equal(carnet_file_write(from, carnet_slice_str("contents"), 0600, NULL), CARNET_OK);
    io_init(&io);
    io.fds[0] = open(from, O_RDONLY);
    io.fds[1] = open(to, O_WRONLY | O_CREAT, 0600);
    io.fd_count = 2;
    assert_int_equal(carnet_node_call(home, 1, argv, &io, &status, &err), CARNET_OK);
    assert_int_equal(status, 0);
    close(io.fds[0]);
    close(io.fds[1]);
    carnet_buf_init(&got, 100);
    assert_int_equal(carnet_file_read(to, &got, NULL), CARNET_OK);
    assert_string_equal(carnet_buf_cstr(&got), "contents");
    carnet_buf_deinit(&got);
    io_deinit(&io);
    stop(&node);
    free(home);
    free(from);
    free(to);
}

static pid_t run_in_child(const char *home, const char *name)
{
    pid_t pid = fork();
    if (pid == 0) {
        char out[64];
        _exit(RUN(home, out, name));
    }
    return pid;
}

static bool wait_file(const char *path, int64_t ms)
{
    int64_t until = now_ms() + ms;
    while (!carnet_file_exists(path) && now_ms() < until)
        poll(NULL, 0, 5);
    return carnet_file_exists(path);
}

static void a_long_command_lets_short_ones_run(void **state)
{
    (void)state;
    char *home = home_path("a"), *stop_file, out[4096];
    int status;
    found(home);
    struct running node = start(home, NULL, NULL);
    pid_t child = run_in_child(home, "long");
    for (int i = 0; i < 20; i++)
        assert_int_equal(RUN(home, out, "say"), 42);
    pid_t inner = run_in_child(home, "long");
    assert_int_equal(RUN(home, out, "say"), 42);
    stop_file = carnet_path_join(home, "stop");
    assert_int_equal(carnet_file_write(stop_file, CARNET_SLICE_NONE, 0600, NULL), CARNET_OK);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(waitpid(inner, &status, 0), inner);
    assert_int_equal(WEXITSTATUS(status), 0);
    stop(&node);
    free(stop_file);
    free(home);
}

static void a_command_nobody_waits_for_is_cancelled(void **state)
{
    (void)state;
    char *home = home_path("a"), *mark, out[4096];
    int status;
    found(home);
    mark = carnet_path_join(home, "cancelled");
    struct running node = start(home, NULL, NULL);
    pid_t child = run_in_child(home, "long");
    assert_int_equal(RUN(home, out, "say"), 42);
    poll(NULL, 0, 100);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    assert_true(wait_file(mark, 2000));
    assert_int_equal(RUN(home, out, "say"), 42);
    stop(&node);
    free(mark);
    free(home);
}

static void a_node_that_ends_cancels_what_runs(void **state)
{
    (void)state;
    char *home = home_path("a");
    int status;
    found(home);
    struct running node = start(home, NULL, NULL);
    pid_t child = run_in_child(home, "long");
    char out[64];
    assert_int_equal(RUN(home, out, "books"), 0);
    poll(NULL, 0, 100);
    stop(&node);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 7);
    free(home);
}

/* What a pager does: the output waits, the node goes on. */
static void a_slow_reader_does_not_stop_the_node(void **state)
{
    (void)state;
    char *home = home_path("a"), out[4096];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct carnet_buf request;
    struct carnet_io io;
    const char *const argv[] = { "flood", "100000" };
    char letter = 'R';
    found(home);
    struct running node = start(home, NULL, NULL);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", home);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    io_init(&io);
    carnet_buf_init(&request, 4096);
    carnet_buf_append_byte(&request, 'Q');
    /* the request of carnet_node_call, by hand: [tag, lang, 6 flags, columns, [args]] */
    static const uint8_t head[] = { 0x8a, 0x70, 'c', 'a', 'r', 'n', 'e', 't', '/', '1', '/', 'c', 'o', 'm', 'm', 'a', 'n', 'd',
                                    0x00, 0xf4, 0xf4, 0xf4, 0xf4, 0xf4, 0xf4, 0x00, 0x82 };
    carnet_buf_append(&request, head, sizeof head);
    for (int i = 0; i < 2; i++) {
        carnet_buf_append_byte(&request, (uint8_t)(0x40 + strlen(argv[i])));
        carnet_buf_append_str(&request, argv[i]);
    }
    assert_true(send(fd, request.ptr, request.len, 0) == (ssize_t)request.len);
    assert_int_equal(send(fd, &letter, 1, 0), 1);
    for (int i = 0; i < 10; i++)
        assert_int_equal(RUN(home, out, "say"), 42);
    size_t total = 0;
    uint8_t bytes[64 * 1024];
    ssize_t got;
    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0 && bytes[0] != 'S')
        total += bytes[0] == 'O' ? (size_t)got - 1 : 0;
    assert_int_equal(total, 100000 * 100);
    close(fd);
    io_deinit(&io);
    carnet_buf_deinit(&request);
    stop(&node);
    free(home);
}

static void junk_on_the_socket_changes_nothing(void **state)
{
    (void)state;
    char *home = home_path("a"), out[4096];
    found(home);
    struct running node = start(home, NULL, NULL);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", home);
    static const char *const packets[] = { "Z", "Qxxxx", "R", "", "Q\x8a\x60", "O", "S" };
    for (size_t i = 0; i < 140; i++) {
        int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        const char *packet = packets[i % (sizeof packets / sizeof *packets)];
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
        send(fd, packet, strlen(packet), MSG_NOSIGNAL);
        if (i % 3 == 0)
            send(fd, "R", 1, MSG_NOSIGNAL);
        close(fd);
    }
    assert_int_equal(RUN(home, out, "say"), 42);
    stop(&node);
    free(home);
}

static void the_socket_is_private_and_goes_with_the_node(void **state)
{
    (void)state;
    char *home = home_path("a"), *path, out[64];
    struct stat st;
    found(home);
    path = carnet_path_join(home, "socket");
    struct running node = start(home, NULL, NULL);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
    /* killed: the next one takes its place, and commands find it */
    kill(node.pid, SIGKILL);
    waitpid(node.pid, NULL, 0);
    assert_true(carnet_file_exists(path));
    assert_int_equal(RUN(home, out, "books"), 0);
    node = start(home, NULL, NULL);
    assert_int_equal(RUN(home, out, "peers"), 0);
    assert_string_equal(out, "0");
    stop(&node);
    assert_false(carnet_file_exists(path));
    free(path);
    free(home);
}

static void a_home_with_a_long_path_works_too(void **state)
{
    (void)state;
    char name[200], out[4096];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    char *home = home_path(name);
    found(home);
    struct running node = start(home, NULL, NULL);
    assert_int_equal(RUN(home, out, "say"), 42);
    assert_int_equal(RUN(home, out, "peers"), 0);
    stop(&node);
    free(home);
}

static void a_held_home_is_said_to_be_in_use(void **state)
{
    (void)state;
    char say[] = "say", *home = home_path("a"), *argv[] = { say };
    struct carnet_home_lock lock = CARNET_HOME_LOCK_NONE;
    struct carnet_io io;
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_node *node;
    int status;
    found(home);
    assert_int_equal(carnet_home_lock(home, &lock, &err), CARNET_OK);
    io_init(&io);
    assert_int_equal(carnet_node_call(home, 1, argv, &io, &status, &err), CARNET_BUSY);
    assert_int_equal(carnet_node_open(home, CARNET_SLICE_NONE, &node, &err), CARNET_BUSY);
    carnet_home_unlock(&lock);
    io_deinit(&io);
    struct running running = start(home, NULL, NULL);
    assert_int_equal(carnet_node_open(home, CARNET_SLICE_NONE, &node, &err), CARNET_BUSY);
    stop(&running);
    char *nowhere = home_path("nowhere");
    assert_int_equal(carnet_node_open(nowhere, CARNET_SLICE_NONE, &node, &err), CARNET_NOT_FOUND);
    assert_false(carnet_file_exists(nowhere));
    free(nowhere);
    free(home);
}

static void a_port_once_chosen_is_kept(void **state)
{
    (void)state;
    char *home = home_path("a"), first[96];
    found(home);
    struct running node = start(home, NULL, NULL);
    memcpy(first, node.listen, sizeof first);
    stop(&node);
    node = start(home, NULL, NULL);
    assert_string_equal(node.listen, first);
    stop(&node);
    /* taken by somebody else: another one, for this time and later */
    struct carnet_net *net;
    struct carnet_net_options options = { .ctx = NULL };
    uint8_t seed[32] = { 1 };
    char bound[96];
    carnet_box_pair(seed, &options.pk, &options.sk);
    assert_int_equal(carnet_net_new(&options, &net, NULL), CARNET_OK);
    assert_int_equal(carnet_net_listen(net, first, bound, NULL), CARNET_OK);
    node = start(home, NULL, NULL);
    assert_string_not_equal(node.listen, first);
    carnet_net_free(net);
    stop(&node);
    free(home);
}

/* --- meetings --- */

static carnet_rc sync_once(const char *home, const char *address, struct met *met)
{
    struct carnet_node *node;
    struct carnet_err err = CARNET_ERR_INIT;
    memset(met, 0, sizeof *met);
    assert_int_equal(carnet_node_open(home, CARNET_SLICE_NONE, &node, &err), CARNET_OK);
    carnet_rc rc = carnet_node_sync(node, address, each_met, met, &err);
    carnet_node_close(node);
    return rc == CARNET_OK ? met->last.rc : rc;
}

static carnet_rc join(const char *home, const char *code, const char *name, struct carnet_err *err)
{
    struct carnet_node *node;
    carnet_rc rc = carnet_node_join(home, carnet_slice_str(code), carnet_slice_str(name), CARNET_SLICE_NONE, &node, err);
    if (rc == CARNET_OK)
        carnet_node_close(node);
    return rc;
}

static void joining_and_meeting_over_the_network(void **state)
{
    (void)state;
    char *a = home_path("a"), *b = home_path("b"), *c = home_path("c"), code[4096], out[4096];
    struct carnet_err err = CARNET_ERR_INIT;
    struct met met;
    found(a);
    struct running node = start(a, "tcp://127.0.0.1:0", NULL);
    assert_int_equal(RUN(a, out, "book", "Isère"), 0);
    assert_int_equal(RUN(a, code, "invite", "Awa"), 0);
    if (join(b, code, "portable", &err) != CARNET_OK)
        fail_msg("%s", err.what);
    /* the first sync brought the charter and its books */
    assert_int_equal(RUN(b, out, "books"), 0);
    assert_string_equal(out, "Isère\nmain\n");
    /* the code is used, the place is taken, and a slip is told from an unknown code */
    assert_int_equal(join(c, code, "autre", &err), CARNET_REFUSED);
    assert_int_equal(join(b, code, "portable", &err), CARNET_CONFLICT);
    code[3] = code[3] == 'A' ? 'B' : 'A';
    assert_int_equal(join(c, code, "autre", &err), CARNET_MALFORMED);
    /* once, by its address in the charter, by address, by name */
    assert_int_equal(RUN(a, out, "book", "Savoie"), 0);
    assert_int_equal(sync_once(b, NULL, &met), CARNET_OK);
    assert_int_equal(met.count, 1);
    assert_string_equal(met.last.peer, "bureau");
    assert_true(met.last.stats.received_entries > 0);
    assert_int_equal(RUN(b, out, "books"), 0);
    assert_non_null(strstr(out, "Savoie"));
    assert_int_equal(sync_once(b, node.listen, &met), CARNET_OK);
    assert_int_equal(met.last.stats.received_entries + met.last.stats.sent_entries, 0);
    snprintf(out, sizeof out, "bureau@%s", node.listen);
    assert_int_equal(sync_once(b, out, &met), CARNET_OK);
    snprintf(out, sizeof out, "inconnue@%s", node.listen);
    assert_int_equal(sync_once(b, out, &met), CARNET_NOT_FOUND);
    assert_int_equal(sync_once(b, "tcp://nowhere", &met), CARNET_USAGE);
    /* revoked */
    assert_int_equal(RUN(a, out, "revoke", "Awa"), 0);
    assert_int_equal(sync_once(b, NULL, &met), CARNET_REFUSED);
    stop(&node);
    int64_t before = now_ms();
    assert_int_equal(sync_once(b, NULL, &met), CARNET_UNREACHABLE);
    assert_true(now_ms() - before < 12000);
    free(a);
    free(b);
    free(c);
}

static void another_community_is_refused(void **state)
{
    (void)state;
    char *a = home_path("a"), *b = home_path("b");
    struct met met;
    found(a);
    found(b);
    struct running node = start(a, "tcp://127.0.0.1:0", NULL);
    assert_int_equal(sync_once(b, node.listen, &met), CARNET_REFUSED);
    assert_int_equal(sync_once(b, NULL, &met), CARNET_NOT_FOUND);
    stop(&node);
    assert_int_equal(sync_once(b, node.listen, &met), CARNET_UNREACHABLE);
    free(a);
    free(b);
}

static void a_welcome_of_another_community_is_refused(void **state)
{
    (void)state;
    char *a = home_path("a"), *b = home_path("b"), code[4096], out[4096];
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_invite_code read;
    struct carnet_buf text;
    found(a);
    struct running node = start(a, NULL, NULL);
    assert_int_equal(RUN(a, code, "invite", "Awa"), 0);
    code[strcspn(code, "\n")] = 0;
    assert_int_equal(carnet_invite_code_decode(carnet_slice_str(code), &read), CARNET_OK);
    read.community.b[0] ^= 1;
    carnet_buf_init(&text, sizeof code);
    carnet_invite_code_encode(&read, &text);
    assert_int_equal(join(b, carnet_buf_cstr(&text), "portable", &err), CARNET_REFUSED);
    assert_non_null(strstr(err.what, "another community"));
    assert_int_not_equal(RUN(b, out, "books"), 0);
    /* with the code that was given, the same node is still welcome */
    assert_int_equal(join(b, code, "portable", &err), CARNET_OK);
    carnet_buf_deinit(&text);
    stop(&node);
    free(a);
    free(b);
}

/* The answer was lost: the identity is on disk, and the same code works for it again. */
static void a_join_that_was_interrupted_goes_on(void **state)
{
    (void)state;
    char *a = home_path("a"), *b = home_path("b"), *database, code[4096], out[4096];
    struct carnet_err err = CARNET_ERR_INIT;
    found(a);
    struct running node = start(a, NULL, NULL);
    assert_int_equal(RUN(a, code, "invite", "Awa"), 0);
    assert_int_equal(join(b, code, "portable", &err), CARNET_OK);
    database = carnet_path_join(b, "carnet.db");
    assert_int_equal(carnet_file_remove(database, NULL), CARNET_OK);
    assert_int_equal(RUN(b, out, "books"), 3);
    assert_int_equal(join(b, code, "portable", &err), CARNET_OK);
    assert_int_equal(RUN(b, out, "books"), 0);
    assert_string_equal(out, "main\n");
    stop(&node);
    free(database);
    free(a);
    free(b);
}

static void an_unreachable_inviter_leaves_nothing(void **state)
{
    (void)state;
    char *a = home_path("a"), *b = home_path("b"), *path, code[4096];
    struct carnet_err err = CARNET_ERR_INIT;
    found(a);
    assert_int_equal(RUN(a, code, "invite", "Awa", "tcp://127.0.0.1:9"), 0);
    int64_t before = now_ms();
    assert_int_equal(join(b, code, "portable", &err), CARNET_UNREACHABLE);
    assert_true(now_ms() - before < 13000);
    path = carnet_path_join(b, "keystore");
    assert_false(carnet_file_exists(path));
    free(path);
    free(a);
    free(b);
}

static bool wait_text(const char *home, const char *name, const char *wanted, int64_t ms)
{
    char out[4096] = "";
    int64_t until = now_ms() + ms;
    do {
        assert_int_equal(RUN(home, out, name), 0);
        if (strstr(out, wanted))
            return true;
        poll(NULL, 0, 20);
    } while (now_ms() < until);
    print_message("%s: %s\n", name, out);
    return false;
}

static void running_nodes_find_each_other_and_push(void **state)
{
    (void)state;
    char *a = home_path("a"), *b = home_path("b"), code[4096], out[4096];
    struct carnet_err err = CARNET_ERR_INIT;
    found(a);
    struct running first = start(a, NULL, NULL);
    assert_int_equal(RUN(a, code, "invite", "Awa"), 0);
    assert_int_equal(join(b, code, "portable", &err), CARNET_OK);
    assert_int_equal(RUN(b, out, "sync"), 0); /* where the inviter is was in the code */
    assert_string_equal(out, "1 met, the last ok");
    struct running second = start(b, NULL, NULL);
    assert_true(wait_text(b, "peers", "1", 5000));
    stop(&first);
    first = start(a, "tcp://127.0.0.1:0", NULL); /* and now in the charter */
    assert_true(wait_text(b, "peers", "1", 5000));
    assert_true(wait_text(a, "peers", "1", 1000));
    assert_int_equal(RUN(a, out, "book", "Savoie"), 0);
    assert_true(wait_text(b, "books", "Savoie", 1000));
    /* a comes back at the same place, and is found again */
    char listen[96];
    memcpy(listen, first.listen, sizeof listen);
    stop(&first);
    first = start(a, NULL, NULL);
    assert_string_equal(first.listen, listen);
    assert_true(wait_text(b, "peers", "1", 8000));
    /* a command inside a running node meets with its sessions, and with others */
    assert_int_equal(RUN(b, out, "sync"), 0);
    assert_string_equal(out, "1 met, the last ok");
    assert_int_equal(RUN(b, out, "sync", first.listen), 0);
    assert_string_equal(out, "1 met, the last ok");
    assert_int_equal(RUN(b, out, "sync", "tcp://127.0.0.1:9"), 0);
    assert_string_equal(out, "1 met, the last unreachable");
    assert_true(wait_text(b, "peers", "1", 5000));
    stop(&second);
    /* both say where they are, so both connect: one session stays */
    second = start(b, "tcp://127.0.0.1:0", NULL);
    assert_true(wait_text(b, "peers", "1", 5000));
    assert_int_equal(RUN(b, out, "book", "Drac"), 4); /* an office adds none */
    for (int i = 0; i < 100; i++) {
        poll(NULL, 0, 20);
        assert_int_equal(RUN(i % 2 ? a : b, out, "peers"), 0);
        assert_true(i < 50 || strcmp(out, "1") == 0);
    }
    stop(&second);
    /* and with an address that only --connect says */
    second = start(b, NULL, first.listen);
    assert_true(wait_text(b, "peers", "1", 5000));
    stop(&first);
    stop(&second);
    free(a);
    free(b);
}

int main(void)
{
    struct carnet_err err = CARNET_ERR_INIT;
    if (carnet_crypto_init(&err))
        return 1;
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_command_says_the_same_with_and_without_a_node),
        TEST(settings_of_the_terminal_reach_the_command),
        TEST(files_go_with_the_command),
        TEST(a_long_command_lets_short_ones_run),
        TEST(a_command_nobody_waits_for_is_cancelled),
        TEST(a_node_that_ends_cancels_what_runs),
        TEST(a_slow_reader_does_not_stop_the_node),
        TEST(junk_on_the_socket_changes_nothing),
        TEST(the_socket_is_private_and_goes_with_the_node),
        TEST(a_home_with_a_long_path_works_too),
        TEST(a_held_home_is_said_to_be_in_use),
        TEST(a_port_once_chosen_is_kept),
        TEST(joining_and_meeting_over_the_network),
        TEST(another_community_is_refused),
        TEST(a_welcome_of_another_community_is_refused),
        TEST(a_join_that_was_interrupted_goes_on),
        TEST(an_unreachable_inviter_leaves_nothing),
        TEST(running_nodes_find_each_other_and_push),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
