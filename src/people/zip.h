// SPDX-License-Identifier: EUPL-1.2
/* people/zip: the files of contacts in a zip, as streams. Nothing of the archive is believed: sizes are bounded before
 * anything is unpacked, and counted while it is. */
#ifndef CARNET_PEOPLE_ZIP_H
#define CARNET_PEOPLE_ZIP_H

#include "carnet/base/bytes.h"

#include <sys/types.h>

struct carnet_zip;
/* Opens what fd (borrowed, at its start) or, with fd -1, mem holds. OK with *out NULL: it is no zip. MALFORMED: a
 * damaged one, one of a spreadsheet, one without files of contacts, one that is protected by a password. LIMIT: too many
 * files, or too much in them. */
CARNET_MUST_USE carnet_rc carnet_zip_open(int fd, struct carnet_slice mem, struct carnet_zip **out,
                                          struct carnet_err *err);
void carnet_zip_close(struct carnet_zip *zip); /* NULL allowed */
/* The files that may hold contacts: .csv .tsv .vcf .vcard, and .txt when there is none of those. */
size_t carnet_zip_count(const struct carnet_zip *zip);
const char *carnet_zip_name(const struct carnet_zip *zip, size_t i); /* without its folders; no control characters */
uint64_t carnet_zip_size(const struct carnet_zip *zip, size_t i);    /* unpacked, as the archive says */
/* Begins the i-th one from its start; the one before it ends. MALFORMED with a line. */
CARNET_MUST_USE carnet_rc carnet_zip_enter(struct carnet_zip *zip, size_t i, struct carnet_err *err);
/* The next bytes of it, as read(2): 0 at the end, -1 with errno EBADMSG when the archive is damaged or lies. */
ssize_t carnet_zip_pull(void *zip, uint8_t *out, size_t len);

#endif
