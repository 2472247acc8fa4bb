// SPDX-License-Identifier: EUPL-1.2
#include "carnet/sys/clock.h"
#include "carnet/sys/file.h"
#include "carnet/sys/home.h"
#include "carnet/sys/process.h"
#include "carnet/sys/random.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder of its own for each test. */
static int make_scratch(void **state)
{
    static char scratch[64];
    snprintf(scratch, sizeof scratch, "carnet-test-XXXXXX");
    *state = mkdtemp(scratch);
    return *state ? 0 : -1;
}

static int remove_scratch(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", (const char *)*state);
    return system(command);
}

static size_t entries_in(const char *path)
{
    size_t count = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
        count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void seeded_randomness_repeats(void **state)
{
    (void)state;
    struct carnet_rng_state a, b;
    struct carnet_rng x = carnet_rng_seeded(&a, 42), y = carnet_rng_seeded(&b, 42);
    /* An independent computation: splitmix64 from 42, then xoshiro256**. */
    assert_true(carnet_rng_u64(&x) == UINT64_C(0x15780b2e0c2ec716));
    uint8_t bytes[8], same[8];
    carnet_rng_u64(&y);
    carnet_rng_fill(&x, bytes, sizeof bytes);
    carnet_rng_fill(&y, same, sizeof same);
    assert_memory_equal(bytes, same, sizeof bytes);
    unsigned seen[6] = { 0 };
    for (int i = 0; i < 6000; i++)
        seen[carnet_rng_below(&x, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 850, 1150);
}

static void system_randomness_does_not_repeat(void **state)
{
    (void)state;
    struct carnet_rng rng = carnet_rng_system();
    uint8_t a[600] = { 0 }, b[600] = { 0 };
    carnet_rng_fill(&rng, a, sizeof a);
    carnet_rng_fill(&rng, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a + 500, b + 500, 100);
    struct carnet_id id = carnet_rng_id(&rng, 1764000000123);
    assert_true(carnet_id_ms(&id) == 1764000000123);
}

static void clocks_tell_the_time(void **state)
{
    (void)state;
    struct carnet_clock clock = carnet_clock_system();
    int64_t before = carnet_clock_mono_ms(&clock);
    assert_true(carnet_clock_wall_ms(&clock) > 1700000000000);
    assert_true(carnet_clock_mono_ms(&clock) >= before);
    struct carnet_clock_hands hands = { .wall_ms = 5, .mono_ms = 7 };
    clock = carnet_clock_manual(&hands);
    hands.wall_ms -= 10;
    assert_true(carnet_clock_wall_ms(&clock) == -5 && carnet_clock_mono_ms(&clock) == 7);
}

static void a_file_written_is_read_whole_or_not_at_all(void **state)
{
    struct carnet_err err = CARNET_ERR_INIT;
    char *path = carnet_path_join(*state, "file");
    struct carnet_buf big, back;
    carnet_buf_init(&big, 100000);
    carnet_buf_init(&back, 50000);
    for (int i = 0; i < 50000; i++)
        carnet_buf_append_byte(&big, (uint8_t)(i * 7));
    assert_int_equal(carnet_file_write(path, carnet_slice_str("old"), 0644, &err), CARNET_OK);
    assert_int_equal(carnet_file_write(path, carnet_buf_slice(&big), 0600, &err), CARNET_OK);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(carnet_file_read(path, &back, &err), CARNET_OK);
    assert_true(carnet_slice_equal(carnet_buf_slice(&big), carnet_buf_slice(&back)));
    assert_int_equal(entries_in(*state), 1); /* no temporary file stays */
    carnet_buf_clear(&back);
    carnet_buf_append_str(&back, "x");
    assert_int_equal(carnet_file_read(path, &back, &err), CARNET_LIMIT);
    assert_non_null(strstr(err.what, "longer than 49999 bytes"));
    assert_int_equal(back.len, 1);
    assert_int_equal(carnet_file_remove(path, &err), CARNET_OK);
    assert_false(carnet_file_exists(path));
    assert_int_equal(carnet_file_remove(path, &err), CARNET_OK);
    carnet_buf_deinit(&big);
    carnet_buf_deinit(&back);
    free(path);
}

static void a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
    struct carnet_err err = CARNET_ERR_INIT;
    char *path = carnet_path_join(*state, "file");
    struct carnet_buf back;
    carnet_buf_init(&back, 10);
    assert_int_equal(carnet_file_write(path, carnet_slice_str("old"), 0600, &err), CARNET_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit small = { .rlim_cur = 100, .rlim_max = 100 };
        static const uint8_t bytes[1000];
        setrlimit(RLIMIT_FSIZE, &small);
        struct sigaction ignore = { .sa_handler = SIG_IGN };
        sigaction(SIGXFSZ, &ignore, NULL);
        _exit(carnet_file_write(path, carnet_slice(bytes, sizeof bytes), 0600, &err) == CARNET_FAILED ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(carnet_file_read(path, &back, &err), CARNET_OK);
    assert_true(carnet_slice_equal(carnet_buf_slice(&back), carnet_slice_str("old")));
    assert_int_equal(entries_in(*state), 1);
    carnet_buf_deinit(&back);
    free(path);
}

static void errors_name_the_file_in_the_language_asked_for(void **state)
{
    struct carnet_err err = { .lang = CARNET_LANG_FR };
    char *path = carnet_path_join(*state, "none");
    struct carnet_buf out;
    carnet_buf_init(&out, 10);
    assert_int_equal(carnet_file_read(path, &out, &err), CARNET_FAILED);
    assert_non_null(strstr(err.what, "/none\u00a0: ce fichier ou ce dossier n’existe pas"));
    assert_int_equal(carnet_file_read(*state, &out, &err), CARNET_FAILED);
    assert_non_null(strstr(err.what, "c’est un dossier"));
    assert_int_equal(carnet_file_read(path, &out, NULL), CARNET_FAILED);
    free(path);
    path = carnet_path_join(*state, "none/file");
    assert_int_equal(carnet_file_write(path, carnet_slice_str("x"), 0600, &err), CARNET_FAILED);
    free(path);
}

static void folders_are_made_for_the_user_alone(void **state)
{
    struct carnet_err err = CARNET_ERR_INIT;
    char *path = carnet_path_join(*state, "a//b/c/");
    char *file = carnet_path_join(*state, "file");
    char *below = carnet_path_join(file, "d");
    struct stat st;
    assert_int_equal(carnet_dir_make(path, &err), CARNET_OK);
    assert_int_equal(carnet_dir_make(path, &err), CARNET_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0700);
    assert_int_equal(carnet_file_write(file, CARNET_SLICE_NONE, 0600, &err), CARNET_OK);
    assert_int_equal(carnet_dir_make(file, &err), CARNET_FAILED);
    assert_int_equal(carnet_dir_make(below, &err), CARNET_FAILED);
    assert_int_equal(carnet_dir_make("/", &err), CARNET_OK);
    free(path);
    free(file);
    free(below);
}

static void one_process_owns_a_home(void **state)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_home_lock lock = CARNET_HOME_LOCK_NONE, other = CARNET_HOME_LOCK_NONE;
    assert_int_equal(carnet_home_lock(*state, &lock, &err), CARNET_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char want[64];
        snprintf(want, sizeof want, "in use by process %ld", (long)getppid());
        bool good = carnet_home_lock(*state, &other, &err) == CARNET_BUSY && other.fd == -1 && strstr(err.what, want) &&
                    strstr(err.what, *state) && strstr(err.hint, "--home");
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    carnet_home_unlock(&lock);
    carnet_home_unlock(&lock);
    assert_int_equal(carnet_home_lock(*state, &other, &err), CARNET_OK);
    carnet_home_unlock(&other);
    assert_int_equal(carnet_home_lock("no/such/folder", &other, &err), CARNET_FAILED);
}

static void finds(const char *option, const char *want)
{
    char *home;
    assert_int_equal(carnet_home_find(option, &home, NULL), CARNET_OK);
    assert_string_equal(home, want);
    free(home);
}

static void the_home_is_the_first_that_is_named(void **state)
{
    (void)state;
    char *home;
    setenv("CARNET_HOME", "/c", 1);
    setenv("XDG_DATA_HOME", "/x/", 1);
    setenv("HOME", "/h", 1);
    finds("/o", "/o");
    finds(NULL, "/c");
    setenv("CARNET_HOME", "", 1);
    finds(NULL, "/x/carnet");
    setenv("XDG_DATA_HOME", "relative", 1);
    finds(NULL, "/h/.local/share/carnet");
    unsetenv("HOME");
    assert_int_equal(carnet_home_find(NULL, &home, NULL), CARNET_FAILED);
    assert_int_equal(carnet_home_find("", &home, NULL), CARNET_USAGE);
}

static void a_hardened_process_leaves_no_core(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit;
        bool good = carnet_process_harden(NULL) == CARNET_OK && getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0;
#ifndef __SANITIZE_ADDRESS__
        good = good && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
#endif
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, make_scratch, remove_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeded_randomness_repeats),
        cmocka_unit_test(system_randomness_does_not_repeat),
        cmocka_unit_test(clocks_tell_the_time),
        SCRATCH_TEST(a_file_written_is_read_whole_or_not_at_all),
        SCRATCH_TEST(a_failed_write_leaves_the_old_file_and_nothing_else),
        SCRATCH_TEST(errors_name_the_file_in_the_language_asked_for),
        SCRATCH_TEST(folders_are_made_for_the_user_alone),
        SCRATCH_TEST(one_process_owns_a_home),
        cmocka_unit_test(the_home_is_the_first_that_is_named),
        cmocka_unit_test(a_hardened_process_leaves_no_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
