// SPDX-License-Identifier: EUPL-1.2
/* demo-data --people N --seed S --format nationbuilder|vcard|csv [--out FILE]: a file of invented people (people.h). */
#include "people.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int usage(void)
{
    fputs("usage: demo-data --people N --seed S --format nationbuilder|vcard|csv [--out FILE]\n", stderr);
    return 2;
}

static bool number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    *out = value;
    return text[0] >= '0' && text[0] <= '9' && !*end && errno == 0 && value <= max;
}

int main(int argc, char **argv)
{
    uint64_t people = 0, seed = 0;
    bool has_people = false, has_seed = false, has_format = false, ok = true;
    enum demo_format format = DEMO_CSV;
    const char *path = NULL;
    for (int i = 1; i < argc && ok; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--people") == 0) {
            ok = has_people = number(value, 100000000, &people);
        } else if (strcmp(argv[i], "--seed") == 0) {
            ok = has_seed = number(value, UINT64_MAX, &seed);
        } else if (strcmp(argv[i], "--out") == 0) {
            path = value;
            ok = value[0];
        } else if (strcmp(argv[i], "--format") == 0) {
            static const char *const names[] = {"nationbuilder", "vcard", "csv"};
            for (int j = 0; j < 3; j++)
                if (strcmp(value, names[j]) == 0) {
                    format = (enum demo_format)j;
                    has_format = true;
                }
            ok = has_format;
        } else {
            ok = false;
        }
    }
    if (!ok || !has_people || !has_seed || !has_format)
        return usage();
    FILE *out = path ? fopen(path, "wb") : stdout;
    if (!out) {
        fprintf(stderr, "demo-data: %s: %s\n", path, strerror(errno));
        return 1;
    }
    setvbuf(out, NULL, _IOFBF, 1 << 20);
    demo_write_header(out, format);
    for (uint64_t i = 0; i < people; i++) {
        struct demo_person person;
        demo_person_make(seed, i, &person);
        demo_write_person(out, format, &person);
    }
    if (fflush(out) != 0 || ferror(out) || (path && fclose(out) != 0)) {
        fprintf(stderr, "demo-data: %s: %s\n", path ? path : "standard output", strerror(errno));
        return 1;
    }
    return 0;
}
