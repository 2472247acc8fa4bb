// SPDX-License-Identifier: EUPL-1.2
/* base/limits: every bound of the protocol and of the program, with its reason. Layer: base. */
#ifndef CARNET_BASE_LIMITS_H
#define CARNET_BASE_LIMITS_H

enum {
    CARNET_VALUE_LEN_MAX = 16 * 1024,   /* a field's value */
    CARNET_ENTRY_LEN_MAX = 48 * 1024,   /* an entry with its parts: fits a frame with room for its envelope */
    CARNET_ENTRY_CHANGES_MAX = 256,     /* changes of one entry */
    CARNET_CHANGE_PARTS_MAX = 24,       /* parts of one change: every scope once, their seeds, some boxes */
    CARNET_PART_CELLS_MAX = 128,        /* fields in one sealed part */
    CARNET_CHANGE_EVENTS_MAX = 64,      /* events of one change */
    CARNET_CONTEXT_MAX = 64,            /* dots one write replaces */
    CARNET_FRAME_LEN_MAX = 64 * 1024,   /* a frame on the wire; ZMQ_MAXMSGSIZE */
    CARNET_CBOR_DEPTH_MAX = 8,          /* nesting of received CBOR */
    CARNET_CBOR_ITEMS_MAX = 16384,      /* items in one received message */
    CARNET_LABEL_LEN_MAX = 64,          /* bytes of a label, a tag, a purpose, a field's name */
    CARNET_NAME_LEN_MAX = 120,          /* bytes of a member's, a node's or a book's name */
    CARNET_PAD_LEN = 32,                /* sealed values are padded to a multiple of this */
    CARNET_CERT_LEN_MAX = 4096,         /* an encoded certificate: 100 books and a long name fit */
    CARNET_BOOKS_MAX = 1000,            /* books of one community */
    CARNET_AUTHORS_MAX = 100000,        /* logs one book may have: 100 times the largest test */
    CARNET_LINE_LEN_MAX = 1024 * 1024,  /* a line of an imported file; longer ones are rejected by number */
    CARNET_CLOCK_SKEW_MS_MAX = 10 * 60 * 1000, /* clocks agree within this; later entries are "from the future" */
};

#endif
