// SPDX-License-Identifier: EUPL-1.2
/* vCard 4.0 (RFC 6350). Labels that are no type of its own go beside, as address books write them: item1.TEL, item1.X-ABLabel. */
#include "export_parts.h"

#include <string.h>

enum { LINE_OCTETS = 75, POSTAL_MAX = 64 };

/* Appends one content line, folded at 75 octets between characters. */
static void put_line(struct carnet_buf *out, struct carnet_slice line)
{
    size_t at = 0, room = LINE_OCTETS;
    while (line.len - at > room) {
        size_t len = room;
        while (len && (line.ptr[at + len] & 0xc0) == 0x80)
            len--;
        carnet_buf_append(out, line.ptr + at, len);
        carnet_buf_append_str(out, "\r\n ");
        at += len;
        room = LINE_OCTETS - 1;
    }
    carnet_buf_append(out, line.ptr + at, line.len - at);
    carnet_buf_append_str(out, "\r\n");
}

static void put_escaped(struct carnet_buf *out, struct carnet_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '\\' || c == ',' || c == ';')
            carnet_buf_append_byte(out, '\\');
        if (c == '\n')
            carnet_buf_append_str(out, "\\n");
        else
            carnet_buf_append_byte(out, c);
    }
}

struct card {
    struct carnet_buf *out, line;
    const struct carnet_export_contact *contact;
    unsigned groups;
};

static struct carnet_slice value_of(const struct card *card, uint32_t field, struct carnet_slice label)
{
    for (size_t i = 0; i < card->contact->cell_count; i++) {
        const struct carnet_cell *cell = card->contact->cells[i];
        if (cell->field == field && carnet_slice_equal(cell->label, label))
            return carnet_export_value(cell);
    }
    return CARNET_SLICE_NONE;
}

static bool is(struct carnet_slice label, const char *word)
{
    return carnet_slice_equal(label, carnet_slice_str(word));
}

/* Begins a line: NAME, with the label as a type where vCard has it, else in a group whose own line is given back to be put. */
static unsigned begin(struct card *card, const char *name, struct carnet_slice label, bool mobile)
{
    const char *type = is(label, "home") ? "home" : is(label, "work") ? "work" : mobile && is(label, "mobile") ? "cell" : NULL;
    unsigned group = label.len && !type ? ++card->groups : 0;
    carnet_buf_clear(&card->line);
    if (group)
        carnet_buf_printf(&card->line, "item%u.", group);
    carnet_buf_append_str(&card->line, name);
    if (type)
        carnet_buf_printf(&card->line, ";TYPE=%s", type);
    carnet_buf_append_byte(&card->line, ':');
    return group;
}

static void end(struct card *card, unsigned group, struct carnet_slice label)
{
    put_line(card->out, carnet_buf_slice(&card->line));
    if (!group)
        return;
    carnet_buf_clear(&card->line);
    carnet_buf_printf(&card->line, "item%u.X-ABLabel:", group);
    put_escaped(&card->line, label);
    put_line(card->out, carnet_buf_slice(&card->line));
}

static void put_text(struct card *card, const char *name, struct carnet_slice label, bool mobile, struct carnet_slice value)
{
    if (!value.len)
        return;
    unsigned group = begin(card, name, label, mobile);
    put_escaped(&card->line, value);
    end(card, group, label);
}

static void put_name(struct card *card)
{
    static const uint32_t instead[] = { CARNET_FIELD_BIRTH_NAME, CARNET_FIELD_EMPLOYER, CARNET_FIELD_EMAIL, CARNET_FIELD_PHONE, CARNET_FIELD_HANDLE, CARNET_FIELD_WEBSITE };
    struct carnet_slice given = value_of(card, CARNET_FIELD_GIVEN, CARNET_SLICE_NONE), family = value_of(card, CARNET_FIELD_FAMILY, CARNET_SLICE_NONE);
    struct carnet_slice name = CARNET_SLICE_NONE;
    for (size_t k = 0; k < sizeof instead / sizeof instead[0] && !name.len; k++)
        for (size_t i = 0; i < card->contact->cell_count && !name.len; i++)
            if (card->contact->cells[i]->field == instead[k])
                name = carnet_export_value(card->contact->cells[i]);
    carnet_buf_clear(&card->line);
    carnet_buf_append_str(&card->line, "FN:");
    put_escaped(&card->line, given);
    if (given.len && family.len)
        carnet_buf_append_byte(&card->line, ' ');
    put_escaped(&card->line, family);
    if (!given.len && !family.len)
        put_escaped(&card->line, name.len ? name : carnet_slice_str("?"));
    put_line(card->out, carnet_buf_slice(&card->line));
    if (!given.len && !family.len)
        return;
    carnet_buf_clear(&card->line);
    carnet_buf_append_str(&card->line, "N:");
    put_escaped(&card->line, family);
    carnet_buf_append_byte(&card->line, ';');
    put_escaped(&card->line, given);
    carnet_buf_append_str(&card->line, ";;;");
    put_line(card->out, carnet_buf_slice(&card->line));
}

static bool is_postal(uint32_t field)
{
    return field == CARNET_FIELD_STREET || field == CARNET_FIELD_POSTCODE || field == CARNET_FIELD_CITY || field == CARNET_FIELD_COUNTRY;
}

/* One ADR for each label that some part of an address has. */
static void put_addresses(struct card *card)
{
    struct carnet_slice done[POSTAL_MAX];
    size_t count = 0;
    for (size_t i = 0; i < card->contact->cell_count; i++) {
        const struct carnet_cell *cell = card->contact->cells[i];
        bool known = !is_postal(cell->field) || count == POSTAL_MAX;
        for (size_t j = 0; j < count && !known; j++)
            known = carnet_slice_equal(done[j], cell->label);
        if (known)
            continue;
        done[count++] = cell->label;
        unsigned group = begin(card, "ADR", cell->label, false);
        carnet_buf_append_str(&card->line, ";;");
        put_escaped(&card->line, value_of(card, CARNET_FIELD_STREET, cell->label));
        carnet_buf_append_byte(&card->line, ';');
        put_escaped(&card->line, value_of(card, CARNET_FIELD_CITY, cell->label));
        carnet_buf_append_str(&card->line, ";;");
        put_escaped(&card->line, value_of(card, CARNET_FIELD_POSTCODE, cell->label));
        carnet_buf_append_byte(&card->line, ';');
        put_escaped(&card->line, value_of(card, CARNET_FIELD_COUNTRY, cell->label));
        end(card, group, cell->label);
    }
}

/* 1962-03-14 as 19620314; 1962-03 and 1962 are forms of vCard 4.0 as they are. */
static void put_born(struct card *card)
{
    struct carnet_slice born = value_of(card, CARNET_FIELD_BORN, CARNET_SLICE_NONE);
    if (!born.len)
        return;
    carnet_buf_clear(&card->line);
    carnet_buf_append_str(&card->line, "BDAY:");
    for (size_t i = 0; i < born.len; i++)
        if (born.len != 10 || born.ptr[i] != '-')
            carnet_buf_append_byte(&card->line, born.ptr[i]);
    put_line(card->out, carnet_buf_slice(&card->line));
}

static void put_categories(struct card *card)
{
    bool any = false;
    carnet_buf_clear(&card->line);
    for (size_t i = 0; i < card->contact->cell_count; i++) {
        if (card->contact->cells[i]->field != CARNET_FIELD_TAG)
            continue;
        carnet_buf_append_str(&card->line, any ? "," : "CATEGORIES:");
        put_escaped(&card->line, card->contact->cells[i]->label);
        any = true;
    }
    if (any)
        put_line(card->out, carnet_buf_slice(&card->line));
}

static void put_handle(struct card *card, const struct carnet_cell *cell)
{
    bool type = cell->label.len > 0;
    for (size_t i = 0; i < cell->label.len; i++) {
        uint8_t c = cell->label.ptr[i];
        type = type && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
    }
    if (!type) {
        put_text(card, "X-SOCIALPROFILE", cell->label, false, carnet_export_value(cell));
        return;
    }
    carnet_buf_clear(&card->line);
    carnet_buf_printf(&card->line, "X-SOCIALPROFILE;TYPE=%.*s:", (int)cell->label.len, (const char *)cell->label.ptr);
    put_escaped(&card->line, carnet_export_value(cell));
    put_line(card->out, carnet_buf_slice(&card->line));
}

void carnet_export_vcard_put(const struct carnet_export_about *about, const struct carnet_export_contact *contact, struct carnet_buf *out)
{
    struct card card = { .out = out, .contact = contact };
    struct carnet_buf notice;
    char id[33];
    carnet_buf_init(&card.line, CARNET_EXPORT_OUT_LEN_MAX);
    carnet_buf_init(&notice, 8192);
    carnet_export_notice(about, &notice);
    carnet_buf_append_str(out, "BEGIN:VCARD\r\nVERSION:4.0\r\n");
    /* vCard has no place for a consent: each card says so, since each goes its own way */
    carnet_buf_append_str(&card.line, "X-CARNET-NOTICE:");
    put_escaped(&card.line, carnet_buf_slice(&notice));
    put_line(out, carnet_buf_slice(&card.line));
    carnet_hex(contact->view->id.b, sizeof contact->view->id.b, id);
    carnet_buf_printf(out, "UID:urn:uuid:%.8s-%.4s-%.4s-%.4s-%s\r\n", id, id + 8, id + 12, id + 16, id + 20);
    put_name(&card);
    put_born(&card);
    struct carnet_slice gender = value_of(&card, CARNET_FIELD_GENDER, CARNET_SLICE_NONE);
    if (gender.len)
        carnet_buf_printf(out, "GENDER:%s\r\n", is(gender, "f") ? "F" : is(gender, "m") ? "M" : "O");
    for (size_t i = 0; i < contact->cell_count; i++) {
        const struct carnet_cell *cell = contact->cells[i];
        switch (cell->field) {
        case CARNET_FIELD_EMAIL: put_text(&card, "EMAIL", cell->label, false, carnet_export_value(cell)); break;
        case CARNET_FIELD_PHONE: put_text(&card, "TEL", cell->label, true, carnet_export_value(cell)); break;
        case CARNET_FIELD_WEBSITE: put_text(&card, "URL", cell->label, false, carnet_export_value(cell)); break;
        case CARNET_FIELD_HANDLE: put_handle(&card, cell); break;
        case CARNET_FIELD_LANGUAGE: put_text(&card, "LANG", CARNET_SLICE_NONE, false, carnet_export_value(cell)); break;
        case CARNET_FIELD_EMPLOYER: put_text(&card, "ORG", CARNET_SLICE_NONE, false, carnet_export_value(cell)); break;
        case CARNET_FIELD_NOTE: put_text(&card, "NOTE", CARNET_SLICE_NONE, false, carnet_export_value(cell)); break;
        default: break;
        }
    }
    put_addresses(&card);
    put_categories(&card);
    carnet_buf_append_str(out, "END:VCARD\r\n");
    carnet_buf_deinit(&notice);
    carnet_buf_deinit(&card.line);
}
