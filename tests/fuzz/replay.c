// SPDX-License-Identifier: EUPL-1.2
/* Runs a fuzz target over files and folders of files, for compilers without libFuzzer: replay PATH... A crash ends it, as it would
 * end the fuzzer; each file's name is written before it is tried. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static unsigned replayed;

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    if (!file || fstat(fileno(file), &st) != 0) {
        perror(path);
        if (file)
            fclose(file);
        return 1;
    }
    size_t len = (size_t)st.st_size;
    uint8_t *bytes = malloc(len ? len : 1); /* exact, so that a sanitizer sees a byte too many */
    if (!bytes || fread(bytes, 1, len, file) != len) {
        perror(path);
        free(bytes);
        fclose(file);
        return 1;
    }
    fclose(file);
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(bytes, len);
    free(bytes);
    replayed++;
    return 0;
}

static int replay_folder(const char *path)
{
    int failed = 0;
    DIR *dir = opendir(path);
    if (!dir) {
        perror(path);
        return 1;
    }
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        failed |= replay_file(name);
    }
    closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        failed |= stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]);
    }
    printf("%u inputs\n", replayed);
    return failed || replayed == 0;
}
