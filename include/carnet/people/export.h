// SPDX-License-Identifier: EUPL-1.2
/* people/export: contacts into a file: CSV, vCard 4.0, or Carnet's own JSON Lines (protocol/export.md). Layer: people.
 *
 * What goes out has passed carnet_replica_allowed, scope by scope. A file is sealed for a member (crypto/sealed), or written in clear by whoever has
 * the verb DELIVER, with a reason. Contacts go by one at a time: memory is bounded whatever their number. CSV and vCard have no place for consents,
 * and say so themselves. */
#ifndef CARNET_PEOPLE_EXPORT_H
#define CARNET_PEOPLE_EXPORT_H

#include "carnet/crypto/sealed.h"
#include "carnet/people/people.h"

enum carnet_export_format { CARNET_EXPORT_CSV, CARNET_EXPORT_VCARD, CARNET_EXPORT_JSON };
/* By the ending of a file's name (.csv .vcf .json, case ignored); CSV for any other. */
enum carnet_export_format carnet_export_format_of(const char *path);

/* Whom a sealed file is for: every node of a member. */
struct carnet_export_reader {
    char member[CARNET_NAME_LEN_MAX + 1];
    struct carnet_sealed_reader nodes[CARNET_SEALED_READERS_MAX];
    size_t count;
    uint32_t scopes;                   /* that all of them read */
    const struct carnet_cert *certs[CARNET_SEALED_READERS_MAX]; /* borrowed from the authority */
};
/* By name of member, or of one of their nodes (then for this node alone). NOT_FOUND. REFUSED: revoked, expired, or they read nothing. */
CARNET_MUST_USE carnet_rc carnet_export_reader_find(struct carnet_replica *replica, struct carnet_slice name, struct carnet_export_reader *out,
                                                    struct carnet_err *err);

struct carnet_export_options {
    struct carnet_slice query;           /* as of find; empty: everybody */
    const struct carnet_id *book;        /* NULL: all */
    enum carnet_export_format format;
    struct carnet_slice purpose;         /* only who agreed to it, and only what it covers; empty: what somebody agreed to */
    const struct carnet_export_reader *reader; /* whose books and scopes are the most that goes out; NULL: in clear */
    struct carnet_slice reason;          /* in clear: why; required */
    enum carnet_lang lang;               /* of what the file says to people; French spreadsheets get semicolons */
    bool (*write)(void *ctx, struct carnet_slice bytes); /* false: cannot */
    bool (*progress)(void *ctx, uint64_t contacts);      /* now and then; false: stop; may be NULL */
    void *ctx;
};
struct carnet_export_result {
    uint64_t contacts; /* written */
    uint64_t left_out; /* that matched, and of which nothing may go out */
};
/* REFUSED: in clear without the right, or a book that the reader does not hold. USAGE: query, purpose, no reason. CANCELLED: progress said no, or write
 * did (the caller knows which). AGAIN: a kind of value that was not there at the beginning came in between (CSV). What was written then is no export. */
CARNET_MUST_USE carnet_rc carnet_people_export(struct carnet_replica *replica, const struct carnet_export_options *options,
                                               struct carnet_export_result *result, struct carnet_err *err);
/* Records that a sealed file of so many bytes was opened in clear, why. USAGE: a reason that the audit trail refuses; bytes 0 only asks. */
CARNET_MUST_USE carnet_rc carnet_export_record_unsealed(struct carnet_replica *replica, uint64_t bytes, struct carnet_slice reason, struct carnet_err *err);
/* May this node write people's data in clear? REFUSED with the line that says so. */
CARNET_MUST_USE carnet_rc carnet_export_clear_allowed(struct carnet_replica *replica, struct carnet_err *err);

/* Opens a sealed stream with this node's key; read and ctx of the opener are set. REFUSED: it is for somebody else (the line names them) or another
 * community. MALFORMED: damaged. FAILED: read said no; err says nothing then. */
CARNET_MUST_USE carnet_rc carnet_export_open(struct carnet_replica *replica, struct carnet_sealed_opener *opener, struct carnet_err *err);

#endif
