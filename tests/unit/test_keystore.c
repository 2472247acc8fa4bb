// SPDX-License-Identifier: EUPL-1.2
#include "carnet/replica/replica.h"

#include "carnet/sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[96];
static struct carnet_rng_state rng_state;
static struct carnet_rng rng;

static int setup(void **state)
{
    struct carnet_err err = CARNET_ERR_INIT;
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/carnet-test-XXXXXX");
    if (carnet_crypto_init(&err) != CARNET_OK || !mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/keystore", dir);
    rng = carnet_rng_seeded(&rng_state, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void keystore_in_the_clear_is_private_and_reads_back(void **state)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_identity made, read;
    struct stat st;
    bool sealed = true;
    (void)state;
    carnet_identity_new(&rng, &made);
    assert_int_equal(carnet_keystore_write(path, &made, CARNET_SLICE_NONE, &rng, &err), CARNET_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(carnet_keystore_sealed(path, &sealed, &err), CARNET_OK);
    assert_false(sealed);
    assert_int_equal(carnet_keystore_read(path, CARNET_SLICE_NONE, &read, &sealed, &err), CARNET_OK);
    assert_false(sealed);
    assert_memory_equal(&made, &read, sizeof made);
}

static void keystore_under_a_passphrase_opens_with_it_alone(void **state)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_identity made, read;
    static const struct carnet_identity nothing;
    struct carnet_buf file;
    bool sealed = false;
    (void)state;
    carnet_identity_new(&rng, &made);
    assert_int_equal(carnet_keystore_write(path, &made, carnet_slice_str("un deux trois"), &rng, &err), CARNET_OK);
    carnet_buf_init(&file, 4096);
    assert_int_equal(carnet_file_read(path, &file, &err), CARNET_OK);
    assert_null(memmem(file.ptr, file.len, made.sign, sizeof made.sign));
    carnet_buf_deinit(&file);
    assert_int_equal(carnet_keystore_sealed(path, &sealed, &err), CARNET_OK);
    assert_true(sealed);
    assert_int_equal(carnet_keystore_read(path, CARNET_SLICE_NONE, &read, &sealed, &err), CARNET_LOCKED);
    assert_true(sealed);
    assert_int_equal(carnet_keystore_read(path, carnet_slice_str("un deux"), &read, &sealed, &err), CARNET_LOCKED);
    assert_memory_equal(&nothing, &read, sizeof read);
    assert_int_equal(carnet_keystore_read(path, carnet_slice_str("un deux trois"), &read, &sealed, &err), CARNET_OK);
    assert_memory_equal(&made, &read, sizeof made);
}

static void keystore_says_that_it_is_missing_or_damaged(void **state)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct carnet_identity made, read;
    struct carnet_buf file;
    bool sealed;
    (void)state;
    unlink(path);
    assert_int_equal(carnet_keystore_read(path, CARNET_SLICE_NONE, &read, &sealed, &err), CARNET_NOT_FOUND);
    assert_int_equal(carnet_keystore_sealed(path, &sealed, &err), CARNET_NOT_FOUND);
    carnet_identity_new(&rng, &made);
    assert_int_equal(carnet_keystore_write(path, &made, CARNET_SLICE_NONE, &rng, &err), CARNET_OK);
    carnet_buf_init(&file, 4096);
    assert_int_equal(carnet_file_read(path, &file, &err), CARNET_OK);
    for (size_t len = 0; len < file.len; len++) {
        assert_int_equal(carnet_file_write(path, carnet_slice(file.ptr, len), 0600, &err), CARNET_OK);
        assert_int_equal(carnet_keystore_read(path, CARNET_SLICE_NONE, &read, &sealed, &err), CARNET_CORRUPT);
    }
    carnet_buf_append_byte(&file, 0);
    assert_int_equal(carnet_file_write(path, carnet_buf_slice(&file), 0600, &err), CARNET_OK);
    assert_int_equal(carnet_keystore_read(path, CARNET_SLICE_NONE, &read, &sealed, &err), CARNET_CORRUPT);
    carnet_buf_deinit(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keystore_in_the_clear_is_private_and_reads_back),
        cmocka_unit_test(keystore_under_a_passphrase_opens_with_it_alone),
        cmocka_unit_test(keystore_says_that_it_is_missing_or_damaged),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
