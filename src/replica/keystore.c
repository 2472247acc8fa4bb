// SPDX-License-Identifier: EUPL-1.2
#include "carnet/replica/replica.h"

#include "carnet/sys/file.h"
#include "carnet/wire/cbor.h"

#include <string.h>

/* HOME/keystore: ["carnet/1/keystore", 0, secrets] in the clear, or ["carnet/1/keystore", 1, salt, sealed secrets]. The secrets are the three
 * seeds, one after the other. */

#define KEYSTORE_DOMAIN "carnet/1/keystore"
enum { KEYSTORE_LEN_MAX = 1024, SECRETS_LEN = 96, SALT_LEN = 16, KIND_CLEAR = 0, KIND_SEALED = 1 };
_Static_assert(sizeof(struct carnet_identity) == SECRETS_LEN, "the secrets are kept as they lie in memory");

void carnet_identity_new(const struct carnet_rng *rng, struct carnet_identity *out)
{
    carnet_rng_fill(rng, out->sign, sizeof out->sign);
    carnet_rng_fill(rng, out->box, sizeof out->box);
    carnet_rng_fill(rng, out->curve, sizeof out->curve);
}

/* A buffer that never moves, so that no copy of a secret stays where it was. */
static void init_secret(struct carnet_buf *buf)
{
    static const uint8_t room[KEYSTORE_LEN_MAX];
    carnet_buf_init(buf, KEYSTORE_LEN_MAX);
    carnet_buf_append(buf, room, sizeof room);
    carnet_buf_clear(buf);
}

static void deinit_secret(struct carnet_buf *buf)
{
    carnet_wipe(buf->ptr, buf->cap);
    carnet_buf_deinit(buf);
}

/* The key of a passphrase, and what is sealed beside the secrets. */
static carnet_rc derive(struct carnet_slice passphrase, const uint8_t salt[SALT_LEN], struct carnet_key *key, struct carnet_buf *ad, struct carnet_err *err)
{
    carnet_cbor_put_array(ad, 2);
    carnet_cbor_put_str(ad, KEYSTORE_DOMAIN);
    carnet_cbor_put_bytes(ad, carnet_slice(salt, SALT_LEN));
    if (carnet_passphrase_key(passphrase, salt, key) == CARNET_OK)
        return CARNET_OK;
    carnet_err_set(err, CARNET_FAILED, "not enough memory for the passphrase");
    carnet_err_hint(err, "256 MiB are needed: close other programs, then try again");
    return CARNET_FAILED;
}

static carnet_rc put_sealed(const struct carnet_identity *identity, struct carnet_slice passphrase, const struct carnet_rng *rng, struct carnet_buf *out,
                            struct carnet_err *err)
{
    uint8_t salt[SALT_LEN];
    struct carnet_key key;
    struct carnet_buf ad, sealed;
    carnet_rng_fill(rng, salt, sizeof salt);
    carnet_buf_init(&ad, KEYSTORE_LEN_MAX);
    init_secret(&sealed);
    carnet_rc rc = derive(passphrase, salt, &key, &ad, err);
    if (rc == CARNET_OK) {
        carnet_seal(&key, carnet_buf_slice(&ad), carnet_slice(identity, sizeof *identity), &sealed);
        carnet_cbor_put_array(out, 4);
        carnet_cbor_put_str(out, KEYSTORE_DOMAIN);
        carnet_cbor_put_uint(out, KIND_SEALED);
        carnet_cbor_put_bytes(out, carnet_slice(salt, sizeof salt));
        carnet_cbor_put_bytes(out, carnet_buf_slice(&sealed));
    }
    carnet_wipe(&key, sizeof key);
    deinit_secret(&sealed);
    carnet_buf_deinit(&ad);
    return rc;
}

carnet_rc carnet_keystore_write(const char *path, const struct carnet_identity *identity, struct carnet_slice passphrase, const struct carnet_rng *rng,
                                struct carnet_err *err)
{
    struct carnet_buf out;
    carnet_rc rc = CARNET_OK;
    init_secret(&out);
    if (passphrase.len) {
        rc = put_sealed(identity, passphrase, rng, &out, err);
    } else {
        carnet_cbor_put_array(&out, 3);
        carnet_cbor_put_str(&out, KEYSTORE_DOMAIN);
        carnet_cbor_put_uint(&out, KIND_CLEAR);
        carnet_cbor_put_bytes(&out, carnet_slice(identity, sizeof *identity));
    }
    CARNET_ASSERT(!out.failed);
    if (rc == CARNET_OK)
        rc = carnet_file_write(path, carnet_buf_slice(&out), 0600, err);
    deinit_secret(&out);
    return rc;
}

struct keystore {
    uint64_t kind;
    uint8_t salt[SALT_LEN];
    struct carnet_slice secrets; /* sealed, or not */
};

/* Reads the file into bytes, which keystore then points into. */
static carnet_rc load(const char *path, struct carnet_buf *bytes, struct keystore *out, struct carnet_err *err)
{
    struct carnet_reader r;
    *out = (struct keystore){ 0 };
    if (!carnet_file_exists(path))
        return carnet_err_set(err, CARNET_NOT_FOUND, "there is no keystore %s", path);
    carnet_rc rc = carnet_file_read(path, bytes, err);
    if (rc != CARNET_OK && rc != CARNET_LIMIT)
        return rc;
    carnet_reader_init(&r, carnet_buf_slice(bytes));
    size_t count = carnet_reader_array_max(&r, 4);
    carnet_reader_tag(&r, KEYSTORE_DOMAIN);
    out->kind = carnet_reader_uint_max(&r, KIND_SEALED);
    if (out->kind == KIND_SEALED)
        carnet_reader_bytes_exact(&r, out->salt, sizeof out->salt);
    out->secrets = carnet_reader_bytes(&r);
    if (rc == CARNET_OK && carnet_reader_done(&r) == CARNET_OK && count == 3 + out->kind && (out->kind == KIND_SEALED || out->secrets.len == SECRETS_LEN))
        return CARNET_OK;
    carnet_err_set(err, CARNET_CORRUPT, "the keystore %s is damaged", path);
    carnet_err_hint(err, "restore it from a backup: without it nothing here can be read");
    return CARNET_CORRUPT;
}

static carnet_rc open_sealed(const char *path, const struct keystore *keystore, struct carnet_slice passphrase, struct carnet_identity *out, struct carnet_err *err)
{
    struct carnet_key key;
    struct carnet_buf ad, plain;
    if (passphrase.len == 0) {
        carnet_err_set(err, CARNET_LOCKED, "the keystore %s is locked by a passphrase", path);
        carnet_err_hint(err, "type it, or name a file that holds it with CARNET_PASSPHRASE_FILE");
        return CARNET_LOCKED;
    }
    carnet_buf_init(&ad, KEYSTORE_LEN_MAX);
    init_secret(&plain);
    carnet_rc rc = derive(passphrase, keystore->salt, &key, &ad, err);
    if (rc == CARNET_OK && (carnet_open(&key, carnet_buf_slice(&ad), keystore->secrets, &plain) != CARNET_OK || plain.len != SECRETS_LEN))
        rc = carnet_err_set(err, CARNET_LOCKED, "this is not the passphrase of the keystore %s", path);
    if (rc == CARNET_OK)
        memcpy(out, plain.ptr, sizeof *out);
    carnet_wipe(&key, sizeof key);
    deinit_secret(&plain);
    carnet_buf_deinit(&ad);
    return rc;
}

carnet_rc carnet_keystore_read(const char *path, struct carnet_slice passphrase, struct carnet_identity *out, bool *sealed, struct carnet_err *err)
{
    struct carnet_buf bytes;
    struct keystore keystore;
    init_secret(&bytes);
    memset(out, 0, sizeof *out);
    carnet_rc rc = load(path, &bytes, &keystore, err);
    if (sealed)
        *sealed = keystore.kind == KIND_SEALED;
    if (rc == CARNET_OK && keystore.kind == KIND_SEALED)
        rc = open_sealed(path, &keystore, passphrase, out, err);
    else if (rc == CARNET_OK)
        memcpy(out, keystore.secrets.ptr, sizeof *out);
    deinit_secret(&bytes);
    return rc;
}

carnet_rc carnet_keystore_sealed(const char *path, bool *sealed, struct carnet_err *err)
{
    struct carnet_buf bytes;
    struct keystore keystore;
    init_secret(&bytes);
    carnet_rc rc = load(path, &bytes, &keystore, err);
    *sealed = keystore.kind == KIND_SEALED;
    deinit_secret(&bytes);
    return rc;
}
