// SPDX-License-Identifier: EUPL-1.2
#include "columns.h"

#include "carnet/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_LEN_MAX = 256 };

struct known {
    const char *key;    /* as carnet_columns_key gives it; # stands for a number */
    const char *target; /* as in carnet/people/rows.h; # as label: the number, none for 1 */
    unsigned rank;
    unsigned part;
    const char *perhaps;
};
/* Of each tool, what Carnet has a place for. Looked up once a column, so in the order that reads best. */
static const struct known table[] = {
    /* names, in French and English */
    { .key = "first name", .target = "given" }, { .key = "firstname", .target = "given" }, { .key = "given name", .target = "given" },
    { .key = "givenname", .target = "given" }, { .key = "forename", .target = "given" }, { .key = "prenom", .target = "given" },
    { .key = "prenoms", .target = "given" }, { .key = "prenom s", .target = "given" }, { .key = "prenom usuel", .target = "given" },
    { .key = "preferred name", .target = "given", .rank = 5 }, { .key = "fname", .target = "given" },
    { .key = "last name", .target = "family" }, { .key = "lastname", .target = "family" }, { .key = "family name", .target = "family" },
    { .key = "familyname", .target = "family" }, { .key = "surname", .target = "family" }, { .key = "lname", .target = "family" },
    { .key = "nom", .target = "family", .perhaps = "name" }, { .key = "nom de famille", .target = "family" },
    { .key = "nom famille", .target = "family" }, { .key = "nom d usage", .target = "family" }, { .key = "nomdusage", .target = "family" },
    { .key = "nom usuel", .target = "family" }, { .key = "nom marital", .target = "family" }, { .key = "nom d epouse", .target = "family" },
    { .key = "nom de naissance", .target = "birth_name" }, { .key = "nomdenaissance", .target = "birth_name" },
    { .key = "nom de jeune fille", .target = "birth_name" }, { .key = "maiden name", .target = "birth_name" },
    { .key = "birth name", .target = "birth_name" }, { .key = "nom naissance", .target = "birth_name" },
    { .key = "full name", .target = "name" }, { .key = "fullname", .target = "name" }, { .key = "name", .target = "name", .rank = 1 },
    { .key = "contact", .target = "name", .rank = 2 }, { .key = "prenom nom", .target = "name" },
    { .key = "prenom et nom", .target = "name" }, { .key = "display name", .target = "name" }, { .key = "nom complet", .target = "name" },
    { .key = "nom prenom", .target = "name-reversed" }, { .key = "nom et prenom", .target = "name-reversed" },
    { .key = "nom prenoms", .target = "name-reversed" }, { .key = "nom et prenoms", .target = "name-reversed" },
    { .key = "civilite", .target = "title" }, { .key = "titre", .target = "title" }, { .key = "prefix", .target = "title" },
    { .key = "name prefix", .target = "title" }, { .key = "salutation", .target = "title" }, { .key = "honorific", .target = "title" },
    { .key = "title", .target = "title" },
    /* person */
    { .key = "sex", .target = "gender" }, { .key = "sexe", .target = "gender" }, { .key = "genre", .target = "gender" },
    { .key = "born at", .target = "born" }, { .key = "dob", .target = "born" }, { .key = "birthday", .target = "born" },
    { .key = "birthdate", .target = "born" }, { .key = "birth date", .target = "born" }, { .key = "date of birth", .target = "born" },
    { .key = "date de naissance", .target = "born" }, { .key = "datedenaissance", .target = "born" }, { .key = "date naissance", .target = "born" },
    { .key = "naissance", .target = "born" }, { .key = "ne le", .target = "born" }, { .key = "ne e le", .target = "born" },
    { .key = "nee le", .target = "born" }, { .key = "anniversaire", .target = "born" }, { .key = "annee de naissance", .target = "born", .rank = 1 },
    { .key = "birth year", .target = "born", .rank = 1 }, { .key = "ddn", .target = "born" },
    { .key = "langue", .target = "language" }, { .key = "languages spoken", .target = "language" },
    { .key = "company", .target = "employer" }, { .key = "company name", .target = "employer" }, { .key = "societe", .target = "employer" },
    { .key = "employeur", .target = "employer" }, { .key = "entreprise", .target = "employer" }, { .key = "organisation", .target = "employer" },
    { .key = "organization", .target = "employer" }, { .key = "organization name", .target = "employer" }, { .key = "structure", .target = "employer" },
    /* e-mail */
    { .key = "e mail", .target = "email" }, { .key = "mail", .target = "email", .perhaps = "mail" }, { .key = "mel", .target = "email" },
    { .key = "courriel", .target = "email" }, { .key = "courriels", .target = "email" }, { .key = "adresse mail", .target = "email" },
    { .key = "adresse e mail", .target = "email" }, { .key = "adresse email", .target = "email" }, { .key = "adresse courriel", .target = "email" },
    { .key = "adresse electronique", .target = "email" }, { .key = "adresse de messagerie", .target = "email" },
    { .key = "messagerie", .target = "email" }, { .key = "email address", .target = "email" }, { .key = "e mail address", .target = "email" },
    { .key = "mails", .target = "email" }, { .key = "emails", .target = "email" },
    { .key = "email#", .target = "email/#", .rank = 1 }, { .key = "email #", .target = "email/#", .rank = 1 },
    { .key = "mail #", .target = "email/#", .rank = 1 }, { .key = "mail#", .target = "email/#", .rank = 1 },
    { .key = "courriel #", .target = "email/#", .rank = 1 }, { .key = "adresse e mail #", .target = "email/#", .rank = 1 },
    { .key = "adresse de messagerie #", .target = "email/#", .rank = 1 },
    { .key = "e mail # address", .target = "email/#", .rank = 1 }, { .key = "e mail # value", .target = "email/#", .rank = 1 },
    { .key = "email pro", .target = "email/work" }, { .key = "mail pro", .target = "email/work" }, { .key = "courriel pro", .target = "email/work" },
    { .key = "courriel professionnel", .target = "email/work" }, { .key = "email professionnel", .target = "email/work" },
    { .key = "work email", .target = "email/work" }, { .key = "email perso", .target = "email/home" }, { .key = "home email", .target = "email/home" },
    { .key = "e mail # label", .target = "label:email" }, { .key = "e mail # type", .target = "label:email" },
    /* telephone */
    { .key = "phone number", .target = "phone" }, { .key = "telephone", .target = "phone" }, { .key = "tel", .target = "phone" },
    { .key = "numero de telephone", .target = "phone" }, { .key = "n de telephone", .target = "phone" }, { .key = "primary phone", .target = "phone" },
    { .key = "telephones", .target = "phone" }, { .key = "telephone principal", .target = "phone" },
    { .key = "mobile", .target = "phone/mobile" }, { .key = "mobile number", .target = "phone/mobile" }, { .key = "mobile phone", .target = "phone/mobile" },
    { .key = "cell phone", .target = "phone/mobile" }, { .key = "cell", .target = "phone/mobile" }, { .key = "portable", .target = "phone/mobile" },
    { .key = "tel portable", .target = "phone/mobile" }, { .key = "telephone portable", .target = "phone/mobile" }, { .key = "tel mobile", .target = "phone/mobile" },
    { .key = "telephone mobile", .target = "phone/mobile" }, { .key = "gsm", .target = "phone/mobile" }, { .key = "can2 phone", .target = "phone/mobile" },
    { .key = "numero de portable", .target = "phone/mobile" }, { .key = "sms", .target = "phone/mobile", .perhaps = "sms" },
    { .key = "whatsapp", .target = "phone/whatsapp" }, { .key = "landline number", .target = "phone/home" }, { .key = "landline", .target = "phone/home" },
    { .key = "home phone", .target = "phone/home" }, { .key = "fixe", .target = "phone/home" }, { .key = "tel fixe", .target = "phone/home" },
    { .key = "telephone fixe", .target = "phone/home" }, { .key = "telephone domicile", .target = "phone/home" }, { .key = "tel domicile", .target = "phone/home" },
    { .key = "work phone number", .target = "phone/work" }, { .key = "work phone", .target = "phone/work" }, { .key = "business phone", .target = "phone/work" },
    { .key = "telephone bureau", .target = "phone/work" }, { .key = "tel bureau", .target = "phone/work" }, { .key = "tel pro", .target = "phone/work" },
    { .key = "telephone professionnel", .target = "phone/work" }, { .key = "telephone pro", .target = "phone/work" },
    { .key = "phone#", .target = "phone/#", .rank = 1 }, { .key = "phone #", .target = "phone/#", .rank = 1 }, { .key = "tel #", .target = "phone/#", .rank = 1 },
    { .key = "tel#", .target = "phone/#", .rank = 1 }, { .key = "telephone #", .target = "phone/#", .rank = 1 }, { .key = "telephone#", .target = "phone/#", .rank = 1 },
    { .key = "phone # value", .target = "phone/#", .rank = 1 }, { .key = "phone # label", .target = "label:phone" }, { .key = "phone # type", .target = "label:phone" },
    { .key = "home phone #", .target = "phone/home#" }, { .key = "business phone #", .target = "phone/work#" }, { .key = "mobile #", .target = "phone/mobile#" },
    { .key = "portable #", .target = "phone/mobile#" },
    { .key = "other phone", .target = "phone/other" }, { .key = "car phone", .target = "phone/car" },
    /* postal address */
    { .key = "street address", .target = "street" }, { .key = "address", .target = "street" }, { .key = "adresse", .target = "street" },
    { .key = "adresse postale", .target = "street" }, { .key = "rue", .target = "street" }, { .key = "voie", .target = "street", .part = 3 },
    { .key = "address1", .target = "street" }, { .key = "address 1", .target = "street" }, { .key = "adresse 1", .target = "street" },
    { .key = "adresse1", .target = "street" }, { .key = "address2", .target = "street", .part = 5 }, { .key = "address 2", .target = "street", .part = 5 },
    { .key = "adresse 2", .target = "street", .part = 5 }, { .key = "adresse2", .target = "street", .part = 5 },
    { .key = "complement", .target = "street", .part = 5 }, { .key = "complement d adresse", .target = "street", .part = 5 },
    { .key = "complement adresse", .target = "street", .part = 5 }, { .key = "complement 1", .target = "street", .part = 5 },
    { .key = "complement 2", .target = "street", .part = 6 }, { .key = "address3", .target = "street", .part = 6 },
    { .key = "adresse 3", .target = "street", .part = 6 }, { .key = "lieu dit", .target = "street", .part = 7 },
    { .key = "numero de voie", .target = "street", .part = 1 }, { .key = "numero", .target = "street", .part = 1 }, { .key = "n de voie", .target = "street", .part = 1 },
    { .key = "numerovoie", .target = "street", .part = 1 }, { .key = "type de voie", .target = "street", .part = 2 }, { .key = "typevoie", .target = "street", .part = 2 },
    { .key = "libelle de voie", .target = "street", .part = 3 }, { .key = "libellevoie", .target = "street", .part = 3 },
    { .key = "nom de voie", .target = "street", .part = 3 },
    { .key = "can2 user address", .target = "street" },
    { .key = "zip", .target = "postcode" }, { .key = "zip code", .target = "postcode" }, { .key = "zipcode", .target = "postcode" },
    { .key = "postal code", .target = "postcode" }, { .key = "post code", .target = "postcode" }, { .key = "code postal", .target = "postcode" },
    { .key = "codepostal", .target = "postcode" }, { .key = "cp", .target = "postcode" },
    { .key = "ville", .target = "city" }, { .key = "commune", .target = "city" }, { .key = "town", .target = "city" }, { .key = "localite", .target = "city" },
    { .key = "villelocalite", .target = "city" }, { .key = "can2 user city", .target = "city" },
    { .key = "pays", .target = "country", .rank = 1 }, { .key = "country name", .target = "country", .rank = 1 }, { .key = "country code", .target = "country" },
    { .key = "code insee", .target = "insee" }, { .key = "code commune", .target = "insee" }, { .key = "insee code", .target = "insee" },
    { .key = "commune insee", .target = "insee" },
    { .key = "bureau de vote", .target = "polling_station", .rank = 2 }, { .key = "code du bureau de vote", .target = "polling_station" },
    { .key = "nobureaudevote", .target = "polling_station" }, { .key = "numero de bureau de vote", .target = "polling_station" },
    { .key = "n bureau de vote", .target = "polling_station" }, { .key = "bureau", .target = "polling_station", .rank = 3 },
    { .key = "home street", .target = "street" }, { .key = "home street 2", .target = "street", .part = 5 }, { .key = "home street 3", .target = "street", .part = 6 },
    { .key = "home city", .target = "city" }, { .key = "home postal code", .target = "postcode" }, { .key = "home country region", .target = "country" },
    { .key = "home country", .target = "country" }, { .key = "rue domicile", .target = "street" }, { .key = "rue domicile 2", .target = "street", .part = 5 },
    { .key = "ville domicile", .target = "city" }, { .key = "code postal domicile", .target = "postcode" }, { .key = "pays region domicile", .target = "country" },
    { .key = "business street", .target = "street/work" }, { .key = "business street 2", .target = "street/work", .part = 5 },
    { .key = "business street 3", .target = "street/work", .part = 6 }, { .key = "business city", .target = "city/work" },
    { .key = "business postal code", .target = "postcode/work" }, { .key = "business country region", .target = "country/work" },
    { .key = "business country", .target = "country/work" }, { .key = "rue bureau", .target = "street/work" },
    { .key = "rue bureau 2", .target = "street/work", .part = 5 }, { .key = "ville bureau", .target = "city/work" },
    { .key = "code postal bureau", .target = "postcode/work" }, { .key = "pays region bureau", .target = "country/work" },
    { .key = "other street", .target = "street/other" }, { .key = "other street 2", .target = "street/other", .part = 5 },
    { .key = "other city", .target = "city/other" }, { .key = "other postal code", .target = "postcode/other" },
    { .key = "other country region", .target = "country/other" },
    { .key = "address # street", .target = "street/#" }, { .key = "address # extended address", .target = "street/#", .part = 5 },
    { .key = "address # city", .target = "city/#" }, { .key = "address # postal code", .target = "postcode/#" },
    { .key = "address # country", .target = "country/#", .rank = 1 },
    /* the web */
    { .key = "web page", .target = "website" }, { .key = "page web", .target = "website" }, { .key = "site web", .target = "website" },
    { .key = "site internet", .target = "website" }, { .key = "site", .target = "website" }, { .key = "url", .target = "website" },
    { .key = "website # value", .target = "website/#" },
    { .key = "twitter login", .target = "handle/twitter" }, { .key = "twitter", .target = "handle/twitter" }, { .key = "facebook username", .target = "handle/facebook" },
    { .key = "facebook", .target = "handle/facebook" }, { .key = "instagram", .target = "handle/instagram" }, { .key = "bluesky", .target = "handle/bluesky" },
    { .key = "mastodon", .target = "handle/mastodon" }, { .key = "linkedin", .target = "handle/linkedin" },
    /* opinion, notes, tags */
    { .key = "support level", .target = "support" }, { .key = "niveau de soutien", .target = "support" }, { .key = "soutien", .target = "support" },
    { .key = "themes", .target = "issues" }, { .key = "centres d interet", .target = "issues" },
    { .key = "notes", .target = "note" }, { .key = "commentaire", .target = "note" }, { .key = "commentaires", .target = "note" },
    { .key = "comment", .target = "note" }, { .key = "comments", .target = "note" }, { .key = "remarque", .target = "note" },
    { .key = "remarques", .target = "note" }, { .key = "observation", .target = "note" }, { .key = "observations", .target = "note" },
    { .key = "tag list", .target = "tags" }, { .key = "tag", .target = "tags" }, { .key = "can2 user tags", .target = "tags" },
    { .key = "keywords", .target = "tags" }, { .key = "mots cles", .target = "tags" }, { .key = "mot cle", .target = "tags" },
    { .key = "etiquettes", .target = "tags" }, { .key = "etiquette", .target = "tags" }, { .key = "labels", .target = "tags" },
    { .key = "group membership", .target = "tags" }, { .key = "categories", .target = "tags" }, { .key = "groupes", .target = "tags" },
    { .key = "groupe", .target = "tags" },
    /* consent */
    { .key = "email opt in", .target = "consent:newsletter" }, { .key = "opt in", .target = "consent:newsletter" }, { .key = "optin", .target = "consent:newsletter" },
    { .key = "opt in email", .target = "consent:newsletter" }, { .key = "optin email", .target = "consent:newsletter" }, { .key = "opt in mail", .target = "consent:newsletter" },
    { .key = "subscribed", .target = "consent:newsletter" }, { .key = "infolettre", .target = "consent:newsletter" },
    { .key = "lettre d information", .target = "consent:newsletter" }, { .key = "lettre d info", .target = "consent:newsletter" },
    { .key = "abonne", .target = "consent:newsletter" }, { .key = "abonne newsletter", .target = "consent:newsletter" },
    { .key = "inscrit newsletter", .target = "consent:newsletter" }, { .key = "accepte newsletter", .target = "consent:newsletter" },
    { .key = "inscription newsletter", .target = "consent:newsletter" }, { .key = "consentement", .target = "consent:newsletter" },
    { .key = "consentement email", .target = "consent:newsletter" }, { .key = "consentement e mail", .target = "consent:newsletter" },
    { .key = "mobile opt in", .target = "consent:sms" }, { .key = "opt in sms", .target = "consent:sms" }, { .key = "sms opt in", .target = "consent:sms" },
    { .key = "consentement sms", .target = "consent:sms" },
    { .key = "can2 subscription status", .target = "status:newsletter" }, { .key = "can2 sms status", .target = "status:sms" },
    { .key = "can2 subscription date", .target = "consent-date" }, { .key = "opt in date", .target = "consent-date" }, { .key = "optin date", .target = "consent-date" },
    { .key = "date opt in", .target = "consent-date" }, { .key = "date optin", .target = "consent-date" }, { .key = "date du consentement", .target = "consent-date" },
    { .key = "date de consentement", .target = "consent-date" }, { .key = "date consentement", .target = "consent-date" },
    { .key = "date d inscription", .target = "consent-date" }, { .key = "consent date", .target = "consent-date" }, { .key = "subscribed at", .target = "consent-date" },
    { .key = "unsubscribed at", .target = "object:email" }, { .key = "unsubscribed", .target = "object:email" }, { .key = "unsubscribe", .target = "object:email" },
    { .key = "desinscrit", .target = "object:email" }, { .key = "desinscription", .target = "object:email" }, { .key = "date de desinscription", .target = "object:email" },
    { .key = "desabonne", .target = "object:email" }, { .key = "desabonnement", .target = "object:email" }, { .key = "opt out", .target = "object:email" },
    { .key = "optout", .target = "object:email" }, { .key = "email opt out", .target = "object:email" }, { .key = "email blacklisted", .target = "object:email" },
    { .key = "blacklisted", .target = "object:email" }, { .key = "blackliste", .target = "object:email" }, { .key = "liste noire", .target = "object:email" },
    { .key = "stop email", .target = "object:email" }, { .key = "do not email", .target = "object:email" }, { .key = "ne pas envoyer d e mail", .target = "object:email" },
    { .key = "sms blacklisted", .target = "object:sms" }, { .key = "sms opt out", .target = "object:sms" }, { .key = "stop sms", .target = "object:sms" },
    { .key = "do not text", .target = "object:sms" },
    { .key = "do not call", .target = "object:call" }, { .key = "donotcall", .target = "object:call" }, { .key = "federal donotcall", .target = "object:call" },
    { .key = "ne pas appeler", .target = "object:call" }, { .key = "do not mail", .target = "object:mail" },
    { .key = "do not contact", .target = "object:all" }, { .key = "donotcontact", .target = "object:all" }, { .key = "ne pas contacter", .target = "object:all" },
    { .key = "ne plus contacter", .target = "object:all" }, { .key = "opposition", .target = "object:all" }, { .key = "is deceased", .target = "object:all" },
    { .key = "deceased", .target = "object:all" }, { .key = "decede", .target = "object:all" },
    /* the source's own ids */
    { .key = "nationbuilder id", .target = "source_id/nationbuilder_id" }, { .key = "uuid", .target = "source_id/uuid" }, { .key = "uid", .target = "source_id/uid" },
    { .key = "ext id", .target = "source_id/ext_id" }, { .key = "external id", .target = "source_id/external_id" },
    /* a reject file's */
    { .key = "carnet line", .target = "ours" }, { .key = "carnet reason", .target = "ours" },
};
enum { KNOWN_COUNT = sizeof table / sizeof table[0] };

/* NationBuilder's addresses: PREFIX_city and so on; the home address is under address_, primary_ repeats another. */
static const struct {
    const char *prefix;
    const char *label;
    unsigned rank;
} prefixes[] = { { "address ", "", 0 }, { "primary ", "", 10 }, { "work ", "work", 0 }, { "mailing ", "mailing", 0 }, { "registered ", "registered", 0 } };
static const struct known inside[] = {
    { .key = "address1", .target = "street" }, { .key = "address2", .target = "street", .part = 5 }, { .key = "address3", .target = "street", .part = 6 },
    { .key = "street", .target = "street" }, { .key = "zip", .target = "postcode" }, { .key = "postcode", .target = "postcode" },
    { .key = "city", .target = "city" }, { .key = "country code", .target = "country" }, { .key = "country", .target = "country", .rank = 1 },
};

void carnet_columns_key(struct carnet_slice name, struct carnet_buf *out)
{
    struct carnet_buf folded;
    carnet_buf_init(&folded, KEY_LEN_MAX);
    size_t start = out->len;
    if (name.len <= KEY_LEN_MAX && carnet_text_fold(name, &folded) == CARNET_OK)
        for (size_t i = 0; i < folded.len; i++) {
            uint8_t c = folded.ptr[i];
            bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
            if (is_word || (out->len > start && out->ptr[out->len - 1] != ' '))
                carnet_buf_append_byte(out, is_word ? c : ' ');
        }
    if (out->len > start && out->ptr[out->len - 1] == ' ')
        out->len--;
    carnet_buf_deinit(&folded);
}

static void set_text(struct carnet_target *target, struct carnet_slice text)
{
    CARNET_ASSERT(text.len < sizeof target->text);
    memcpy(target->text, text.ptr ? (const char *)text.ptr : "", text.len);
    target->text[text.len] = 0;
}

static bool after(struct carnet_slice text, const char *prefix, struct carnet_slice *rest)
{
    size_t len = strlen(prefix);
    if (text.len < len || memcmp(text.ptr, prefix, len) != 0)
        return false;
    *rest = carnet_slice(text.ptr + len, text.len - len);
    return true;
}

/* Every target, also those that only this file's table names. */
static carnet_rc parse(struct carnet_slice text, struct carnet_target *out, bool *purpose_unknown)
{
    static const struct {
        const char *text;
        enum carnet_target_kind kind;
    } words[] = { { "-", CARNET_TARGET_NONE }, { "tags", CARNET_TARGET_TAGS }, { "consent-date", CARNET_TARGET_CONSENT_DATE },
                  { "object-date", CARNET_TARGET_OBJECT_DATE }, { "title", CARNET_TARGET_TITLE }, { "name", CARNET_TARGET_NAME },
                  { "name-reversed", CARNET_TARGET_NAME_REVERSED }, { "ours", CARNET_TARGET_OURS } };
    *out = (struct carnet_target){ 0 };
    *purpose_unknown = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (carnet_slice_equal(text, carnet_slice_str(words[i].text))) {
            out->kind = words[i].kind;
            return CARNET_OK;
        }
    struct carnet_slice rest, label;
    bool consent = after(text, "consent:", &rest), object = !consent && after(text, "object:", &rest);
    bool status = !consent && !object && after(text, "status:", &rest);
    if (consent || object || status) {
        bool all = object && (carnet_slice_equal(rest, carnet_slice_str("all")) || carnet_slice_equal(rest, carnet_slice_str("email")));
        if (rest.len > CARNET_LABEL_LEN_MAX || (!all && !carnet_purpose_find(rest))) {
            *purpose_unknown = true;
            return CARNET_USAGE;
        }
        out->kind = consent ? CARNET_TARGET_CONSENT : object ? CARNET_TARGET_OBJECT : CARNET_TARGET_STATUS;
        set_text(out, rest);
        return CARNET_OK;
    }
    if (after(text, "label:", &rest)) {
        out->kind = CARNET_TARGET_LABEL;
        out->def = carnet_field_by_name(rest);
        return out->def ? CARNET_OK : CARNET_USAGE;
    }
    if (after(text, "source_id/", &label)) {
        out->def = carnet_field_by_number(CARNET_FIELD_SOURCE_ID);
        if (label.len == 0 || label.len > CARNET_LABEL_LEN_MAX)
            return CARNET_USAGE;
    } else if (carnet_field_parse(text, &out->def, &label) != CARNET_OK || !out->def->shown) {
        return CARNET_USAGE;
    }
    out->kind = CARNET_TARGET_FIELD;
    set_text(out, label);
    return CARNET_OK;
}

carnet_rc carnet_target_parse(struct carnet_slice text, struct carnet_target *out, struct carnet_err *err)
{
    bool purpose_unknown;
    carnet_rc rc = parse(text, out, &purpose_unknown);
    if (rc == CARNET_OK && out->kind != CARNET_TARGET_OURS && out->kind != CARNET_TARGET_STATUS && out->kind != CARNET_TARGET_LABEL)
        return CARNET_OK;
    *out = (struct carnet_target){ 0 };
    int len = (int)(text.len < 80 ? text.len : 80);
    const char *start = text.ptr ? (const char *)text.ptr : "";
    if (purpose_unknown)
        return carnet_err_set(err, CARNET_USAGE, "unknown purpose in \"%.*s\"", len, start);
    carnet_err_set(err, CARNET_USAGE, "unknown field \"%.*s\"", len, start);
    carnet_err_hint(err, "a field with or without /LABEL, tags, consent:PURPOSE, object:PURPOSE, name, title, or - to leave it out");
    return CARNET_USAGE;
}

void carnet_target_put(const struct carnet_target *target, struct carnet_buf *out)
{
    switch (target->kind) {
    case CARNET_TARGET_NONE: case CARNET_TARGET_OURS:
        return;
    case CARNET_TARGET_FIELD:
        carnet_buf_append_str(out, target->def->name);
        if (target->text[0])
            carnet_buf_printf(out, "/%s", target->text);
        return;
    case CARNET_TARGET_TAGS: carnet_buf_append_str(out, "tags"); return;
    case CARNET_TARGET_CONSENT: case CARNET_TARGET_STATUS: carnet_buf_printf(out, "consent:%s", target->text); return;
    case CARNET_TARGET_OBJECT: carnet_buf_printf(out, "object:%s", target->text); return;
    case CARNET_TARGET_CONSENT_DATE: carnet_buf_append_str(out, "consent-date"); return;
    case CARNET_TARGET_OBJECT_DATE: carnet_buf_append_str(out, "object-date"); return;
    case CARNET_TARGET_TITLE: carnet_buf_append_str(out, "title"); return;
    case CARNET_TARGET_NAME: carnet_buf_append_str(out, "name"); return;
    case CARNET_TARGET_NAME_REVERSED: carnet_buf_append_str(out, "name-reversed"); return;
    case CARNET_TARGET_LABEL: carnet_buf_printf(out, "label of %s", target->def->name); return;
    }
}

static const struct known *look_up(const struct known *list, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].key, key) == 0)
            return &list[i];
    return NULL;
}

static void from_known(const struct known *known, unsigned number, struct carnet_target *out)
{
    char text[128], digits[16] = "";
    const char *sign = strchr(known->target, '#');
    bool purpose_unknown;
    snprintf(text, sizeof text, "%s", known->target);
    if (sign) {
        if (number > 1)
            snprintf(digits, sizeof digits, "%u", number);
        size_t at = (size_t)(sign - known->target);
        if (!digits[0] && at && text[at - 1] == '/')
            at--; /* the first one needs no label */
        snprintf(text + at, sizeof text - at, "%s", digits);
    }
    carnet_rc rc = parse(carnet_slice_str(text), out, &purpose_unknown);
    CARNET_ASSERT(rc == CARNET_OK);
    out->rank = known->rank;
    out->part = known->part;
    out->perhaps = known->perhaps;
    out->number = number;
}

/* "email 2 address" as "email # address"; false: no number in it. */
static bool with_sign(const char *key, char out[KEY_LEN_MAX + 1], unsigned *number)
{
    size_t at = strcspn(key, "0123456789");
    size_t len = strspn(key + at, "0123456789");
    if (len == 0 || len > 3)
        return false;
    *number = (unsigned)strtoul(key + at, NULL, 10);
    snprintf(out, KEY_LEN_MAX + 1, "%.*s#%s", (int)at, key, key + at + len);
    return true;
}

static bool purpose_column(const char *key, struct carnet_target *out)
{
    static const char *const before[] = { "", "consent ", "consentement ", "opt in ", "optin ", "accord ", "accepte " };
    static const char *const behind[] = { "", " opt in", " optin" };
    char purpose[CARNET_LABEL_LEN_MAX + 1];
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        for (size_t j = 0; j < sizeof behind / sizeof behind[0]; j++) {
            size_t len = strlen(key), head = strlen(before[i]), tail = strlen(behind[j]);
            if (len <= head + tail || len - head - tail >= sizeof purpose || strncmp(key, before[i], head) != 0 ||
                strcmp(key + len - tail, behind[j]) != 0)
                continue;
            snprintf(purpose, sizeof purpose, "%.*s", (int)(len - head - tail), key + head);
            if (carnet_purpose_find(carnet_slice_str(purpose))) {
                out->kind = CARNET_TARGET_CONSENT;
                set_text(out, carnet_slice_str(purpose));
                return true;
            }
        }
    return false;
}

void carnet_columns_recognise(struct carnet_slice name, struct carnet_target *out)
{
    *out = (struct carnet_target){ 0 };
    struct carnet_buf key;
    carnet_buf_init(&key, KEY_LEN_MAX);
    carnet_columns_key(name, &key);
    const char *text = carnet_buf_cstr(&key);
    char signed_key[KEY_LEN_MAX + 1];
    unsigned number = 0;
    const struct known *known = look_up(table, KNOWN_COUNT, text);
    if (!known && with_sign(text, signed_key, &number))
        known = look_up(table, KNOWN_COUNT, signed_key);
    if (known)
        from_known(known, number, out);
    for (size_t i = 0; !known && i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t len = strlen(prefixes[i].prefix);
        if (strncmp(text, prefixes[i].prefix, len) != 0)
            continue;
        known = look_up(inside, sizeof inside / sizeof inside[0], text + len);
        if (known) {
            from_known(known, 0, out);
            set_text(out, carnet_slice_str(prefixes[i].label));
            out->rank += prefixes[i].rank;
        }
    }
    bool purpose_unknown;
    if (!known && text[0] && !purpose_column(text, out)) {
        /* our own names: given, phone/mobile, consent:newsletter */
        char own[2 * CARNET_LABEL_LEN_MAX + 2];
        size_t len = 0;
        while (name.len && name.ptr[0] <= ' ')
            name.ptr++, name.len--;
        while (name.len && name.ptr[name.len - 1] <= ' ')
            name.len--;
        for (bool in_name = true; len < name.len && len < sizeof own - 1; len++) { /* a label keeps its capitals */
            in_name = in_name && name.ptr[len] != '/';
            own[len] = (char)(in_name && name.ptr[len] >= 'A' && name.ptr[len] <= 'Z' ? name.ptr[len] | 0x20 : name.ptr[len]);
        }
        if (len < name.len || !carnet_text_is_nfc(carnet_slice(own, len)) || parse(carnet_slice(own, len), out, &purpose_unknown) != CARNET_OK)
            *out = (struct carnet_target){ 0 };
    }
    carnet_buf_deinit(&key);
}
