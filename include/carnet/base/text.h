// SPDX-License-Identifier: EUPL-1.2
/* base/text: Unicode through utf8proc. Layer: base. */
#ifndef CARNET_BASE_TEXT_H
#define CARNET_BASE_TEXT_H

#include "carnet/base/bytes.h"

bool carnet_text_is_utf8(struct carnet_slice text); /* also refuses NUL */
bool carnet_text_is_nfc(struct carnet_slice text);  /* valid UTF-8 in NFC; quick for ASCII */
/* Appends text in NFC; control characters other than newline and tab dropped, ends trimmed of white space (U+00A0 and U+202F too).
 * MALFORMED: not UTF-8. LIMIT: out's ceiling. */
CARNET_MUST_USE carnet_rc carnet_text_normalise(struct carnet_slice text, struct carnet_buf *out);
/* Appends the search form: case folded (ss for ß), accents removed, œ=oe, æ=ae, every apostrophe = ', hyphens and runs of white
 * space = one space, ends trimmed. Same rule in texts and in queries. MALFORMED: not UTF-8. */
CARNET_MUST_USE carnet_rc carnet_text_fold(struct carnet_slice text, struct carnet_buf *out);
/* Columns a terminal needs for it (wide and combining characters counted right). */
size_t carnet_text_width(struct carnet_slice text);

#endif
