// SPDX-License-Identifier: EUPL-1.2
/* base/text: Unicode through utf8proc. Layer: base. */
#ifndef CARNET_BASE_TEXT_H
#define CARNET_BASE_TEXT_H

#include "carnet/base/bytes.h"

bool carnet_text_is_utf8(struct carnet_slice text); /* RFC 3629; also refuses NUL */
/* UTF-8 in NFC; quick for Latin. Refuses NUL, and more than about 60 marks on one letter (no language has 30), which
 * keeps it linear and without allocation for any bytes. */
bool carnet_text_is_nfc(struct carnet_slice text);
/* Appends text in NFC; control characters other than newline and tab dropped, ends trimmed of white space (U+00A0,
 * U+202F, byte order mark too). What it gives is NFC for carnet_text_is_nfc. MALFORMED: not UTF-8, a NUL, too many
 * marks. LIMIT: out's ceiling. out is as before after either, but for its failed mark. */
CARNET_MUST_USE carnet_rc carnet_text_normalise(struct carnet_slice text, struct carnet_buf *out);
/* Appends the search form: case folded (ss for ß), accents and strokes removed (ł = l, ø = o, ı = i), œ=oe, æ=ae,
 * þ=th, ligatures and full-width letters as plain ones, every apostrophe = ', hyphens and runs of white space = one
 * space, ends trimmed, controls and soft hyphens dropped. Vowel signs and voicing marks of other scripts stay. Same
 * rule in texts and in queries; the form of a form is itself, and it is NFC. MALFORMED: not UTF-8, a NUL. LIMIT:
 * out's ceiling. out as above. */
CARNET_MUST_USE carnet_rc carnet_text_fold(struct carnet_slice text, struct carnet_buf *out);
/* Columns a terminal needs for it (wide and combining characters counted right). */
size_t carnet_text_width(struct carnet_slice text);

/* Writes the UTF-8 of a code point, 1 to 4 bytes; gives their count. Precondition: a code point, no surrogate. */
size_t carnet_utf8_encode(int32_t code, uint8_t out[4]);

#endif
