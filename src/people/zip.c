// SPDX-License-Identifier: EUPL-1.2
#include "zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

enum {
    ENTRIES_MAX = 10000,               /* of the archive */
    FILES_MAX = 64,                    /* of contacts */
    DIRECTORY_LEN_MAX = 8 * 1024 * 1024, /* of the archive's list of files, which libzip keeps in memory */
    TAIL_LEN = 22 + 65535,             /* where that list's place is written */
    RATIO_MAX = 300,                   /* text shrinks to a tenth, a column of one value to a hundredth */
    RATIO_FROM = 4 * 1024 * 1024       /* below, any ratio */
};
static const uint64_t size_max = UINT64_C(4) << 30; /* of all the files, unpacked */

struct file {
    uint64_t index, size;
    char *name;
};
struct carnet_zip {
    zip_t *archive;
    zip_file_t *open;
    uint64_t left; /* bytes that the open file may still give */
    struct file files[FILES_MAX];
    size_t count;
};

static uint32_t number(const uint8_t *at, size_t len)
{
    uint32_t n = 0;
    for (size_t i = len; i-- > 0;)
        n = n << 8 | at[i];
    return n;
}

/* The end of the archive says how long its list of files is: looked at before libzip reads that list. */
static carnet_rc check_tail(int fd, struct carnet_slice mem, uint64_t size, struct carnet_err *err)
{
    size_t len = size < TAIL_LEN ? (size_t)size : TAIL_LEN;
    uint8_t *tail = carnet_alloc(len ? len : 1);
    if (fd < 0) {
        memcpy(tail, mem.ptr + mem.len - len, len);
    } else if (pread(fd, tail, len, (off_t)(size - len)) != (ssize_t)len) {
        free(tail);
        return carnet_err_set(err, CARNET_MALFORMED, "the zip file is damaged");
    }
    carnet_rc rc = CARNET_OK;
    size_t found = len;
    for (size_t i = 0; i + 22 <= len; i++) /* each place that may be it: which one libzip takes is its matter */
        if (memcmp(tail + i, "PK\5\6", 4) == 0) {
            found = i;
            if (number(tail + i + 10, 2) > ENTRIES_MAX || number(tail + i + 12, 4) > DIRECTORY_LEN_MAX)
                rc = carnet_err_set(err, CARNET_LIMIT, "the zip file holds too much");
        }
    free(tail);
    if (rc == CARNET_OK && found == len)
        rc = carnet_err_set(err, CARNET_MALFORMED, "the zip file is damaged");
    return rc;
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), tail = strlen(end);
    return len > tail && strcasecmp(name + len - tail, end) == 0;
}

static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/'), *back = strrchr(name, '\\');
    return slash || back ? (slash > back || !back ? slash : back) + 1 : name;
}

static bool is_contacts(const char *name, bool also_text)
{
    const char *base = base_of(name);
    if (base[0] == '.' || base[0] == 0 || strncmp(name, "__MACOSX/", 9) == 0)
        return false;
    return ends_with(base, ".csv") || ends_with(base, ".tsv") || ends_with(base, ".vcf") || ends_with(base, ".vcard") ||
           (also_text && ends_with(base, ".txt"));
}

/* A name for people: of bounded length, without what a terminal would obey. */
static char *shown(const char *name)
{
    size_t len = strlen(name), kept = len < 120 ? len : 120;
    while (kept < len && kept && ((uint8_t)name[kept] & 0xc0) == 0x80)
        kept--;
    char *out = carnet_strdup_slice(carnet_slice(name, kept));
    for (char *c = out; *c; c++)
        if ((uint8_t)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return out;
}

static carnet_rc list_files(struct carnet_zip *zip, struct carnet_err *err)
{
    zip_int64_t entries = zip_get_num_entries(zip->archive, 0);
    bool is_spreadsheet = false;
    uint64_t total = 0;
    if (entries < 0 || entries > ENTRIES_MAX)
        return carnet_err_set(err, CARNET_LIMIT, "the zip file holds too much");
    for (int pass = 0; pass < 2 && zip->count == 0; pass++)
        for (zip_int64_t i = 0; i < entries; i++) {
            zip_stat_t st;
            if (zip_stat_index(zip->archive, (zip_uint64_t)i, 0, &st) != 0 || !(st.valid & ZIP_STAT_NAME))
                continue;
            is_spreadsheet = is_spreadsheet || strcmp(st.name, "[Content_Types].xml") == 0 ||
                             strcmp(st.name, "META-INF/manifest.xml") == 0;
            if (!is_contacts(st.name, pass > 0))
                continue;
            char *name = shown(base_of(st.name));
            carnet_rc rc = CARNET_OK;
            if (zip->count == FILES_MAX)
                rc = carnet_err_set(err, CARNET_LIMIT, "the zip file holds more than %d files of contacts", FILES_MAX);
            else if ((st.valid & ZIP_STAT_ENCRYPTION_METHOD) && st.encryption_method != ZIP_EM_NONE) {
                rc = carnet_err_set(err, CARNET_MALFORMED, "\"%s\" in the zip file is protected by a password", name);
                carnet_err_hint(err, "unpack it with its password, and import the file that comes out");
            } else if (!(st.valid & ZIP_STAT_SIZE) || !(st.valid & ZIP_STAT_COMP_SIZE) || st.size > size_max ||
                       (total += st.size) > size_max ||
                       (st.size > RATIO_FROM && st.size / RATIO_MAX > st.comp_size))
                rc = carnet_err_set(err, CARNET_LIMIT, "\"%s\" in the zip file would be too large unpacked", name);
            if (rc != CARNET_OK) {
                free(name);
                return rc;
            }
            zip->files[zip->count++] = (struct file){(uint64_t)i, st.size, name};
        }
    if (zip->count)
        return CARNET_OK;
    if (is_spreadsheet) {
        carnet_err_set(err, CARNET_MALFORMED, "a spreadsheet, not a CSV file");
        carnet_err_hint(err, "open it and save it as CSV");
    } else {
        carnet_err_set(err, CARNET_MALFORMED, "no CSV or vCard file in the zip file");
    }
    return CARNET_MALFORMED;
}

static bool is_zip(int fd, struct carnet_slice mem, uint64_t *size)
{
    uint8_t start[4];
    struct stat st;
    if (fd < 0) {
        *size = mem.len;
        if (mem.len < sizeof start)
            return false;
        memcpy(start, mem.ptr, sizeof start);
    } else {
        if (lseek(fd, 0, SEEK_CUR) != 0 || pread(fd, start, sizeof start, 0) != (ssize_t)sizeof start ||
            fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
            return false;
        *size = (uint64_t)st.st_size;
    }
    return memcmp(start, "PK\3\4", 4) == 0 || memcmp(start, "PK\5\6", 4) == 0;
}

carnet_rc carnet_zip_open(int fd, struct carnet_slice mem, struct carnet_zip **out, struct carnet_err *err)
{
    uint64_t size;
    *out = NULL;
    if (!is_zip(fd, mem, &size))
        return CARNET_OK;
    carnet_rc rc = check_tail(fd, mem, size, err);
    if (rc != CARNET_OK)
        return rc;
    struct carnet_zip *zip = carnet_alloc(sizeof *zip);
    if (fd < 0) {
        zip_source_t *source = zip_source_buffer_create(mem.ptr, mem.len, 0, NULL);
        zip->archive = source ? zip_open_from_source(source, ZIP_RDONLY, NULL) : NULL;
        if (source && !zip->archive)
            zip_source_free(source);
    } else {
        int own = dup(fd), code;
        zip->archive = own >= 0 ? zip_fdopen(own, 0, &code) : NULL;
        if (own >= 0 && !zip->archive)
            close(own);
    }
    rc = zip->archive ? list_files(zip, err) : carnet_err_set(err, CARNET_MALFORMED, "the zip file is damaged");
    if (rc == CARNET_OK)
        *out = zip;
    else
        carnet_zip_close(zip);
    return rc;
}

void carnet_zip_close(struct carnet_zip *zip)
{
    if (!zip)
        return;
    if (zip->open)
        zip_fclose(zip->open);
    if (zip->archive)
        zip_discard(zip->archive);
    for (size_t i = 0; i < zip->count; i++)
        free(zip->files[i].name);
    free(zip);
}

size_t carnet_zip_count(const struct carnet_zip *zip)
{
    return zip->count;
}

const char *carnet_zip_name(const struct carnet_zip *zip, size_t i)
{
    return zip->files[i].name;
}

uint64_t carnet_zip_size(const struct carnet_zip *zip, size_t i)
{
    return zip->files[i].size;
}

carnet_rc carnet_zip_enter(struct carnet_zip *zip, size_t i, struct carnet_err *err)
{
    CARNET_ASSERT(i < zip->count);
    if (zip->open)
        zip_fclose(zip->open);
    zip->open = zip_fopen_index(zip->archive, zip->files[i].index, 0);
    zip->left = zip->files[i].size;
    if (!zip->open)
        return carnet_err_set(err, CARNET_MALFORMED, "\"%s\" in the zip file cannot be unpacked", zip->files[i].name);
    return CARNET_OK;
}

ssize_t carnet_zip_pull(void *ctx, uint8_t *out, size_t len)
{
    struct carnet_zip *zip = ctx;
    zip_int64_t got = zip->open ? zip_fread(zip->open, out, len) : -1;
    if (got < 0 || (uint64_t)got > zip->left) {
        errno = EBADMSG;
        return -1;
    }
    zip->left -= (uint64_t)got;
    return (ssize_t)got;
}
