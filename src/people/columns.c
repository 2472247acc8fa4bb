// SPDX-License-Identifier: EUPL-1.2
#include "columns.h"

#include "carnet/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_LEN_MAX = 256 };

struct known {
    const char *target; /* as in carnet/people/rows.h; # as label: the number, none for 1 */
    const char *keys;   /* as carnet_columns_key gives them, between bars; # stands for a number */
    unsigned rank;
    unsigned part;
    const char *perhaps;
    bool lenient;
};
/* Of each tool, what Carnet has a place for. Looked up once a column, so in the order that reads best. */
static const struct known table[] = {
    /* names, in French and English */
    {.target = "given",
     .keys = "first name|firstname|given name|givenname|forename|prenom|prenoms|prenom s|prenom usuel|fname|"
             "prenoms de l electeur|subscriber first name"},
    {.target = "given", .keys = "preferred name", .rank = 5},
    {.target = "family",
     .keys = "last name|lastname|family name|familyname|surname|lname|nom de famille|nom famille|nom d usage|"
             "nomdusage|nom usuel|nom marital|nom d epouse|nom d usage de l electeur"},
    {.target = "family", .keys = "nom", .perhaps = "name"},
    {.target = "birth_name",
     .keys = "nom de naissance|nomdenaissance|nom de jeune fille|maiden name|birth name|nom naissance"},
    {.target = "name", .keys = "full name|fullname|prenom nom|prenom et nom|display name|nom complet"},
    {.target = "name", .keys = "name", .rank = 1},
    {.target = "name", .keys = "contact", .rank = 2, .perhaps = "contact"},
    {.target = "name-reversed", .keys = "nom prenom|nom et prenom|nom prenoms|nom et prenoms|nom prenom s"},
    {.target = "title", .keys = "civilite|titre|prefix|name prefix|salutation|honorific|title"},
    /* person */
    {.target = "gender", .keys = "sex|sexe|genre"},
    {.target = "born",
     .keys = "born at|dob|birthday|birthdate|birth date|date of birth|date de naissance|datedenaissance|"
             "date naissance|date de naiss|date naiss|naissance|ne le|ne e le|nee le|anniversaire|ddn"},
    {.target = "born", .keys = "annee de naissance|birth year", .rank = 1},
    {.target = "language", .keys = "langue|languages spoken"},
    {.target = "employer",
     .keys = "company|company name|societe|employeur|entreprise|organisation|organization|organization name|"
             "organization 1 name|structure"},
    /* e-mail */
    {.target = "email",
     .keys = "e mail|mel|courriel|courriels|adresse mail|adresse e mail|adresse email|adresse courriel|"
             "adresse electronique|adresse de messagerie|messagerie|email address|e mail address|mails|emails|"
             "adresse mel|contact email|email principal|courriel principal"},
    {.target = "email", .keys = "mail", .perhaps = "mail"},
    {.target = "email/#",
     .keys = "email#|email #|e mail #|e mail#|mail #|mail#|courriel #|courriel#|adresse mail #|adresse email #|"
             "adresse e mail #|adresse de messagerie #|e mail # address|e mail # value",
     .rank = 1},
    {.target = "email/work",
     .keys = "email pro|mail pro|courriel pro|courriel professionnel|email professionnel|work email"},
    {.target = "email/home", .keys = "email perso|home email"},
    {.target = "label:email", .keys = "e mail # label|e mail # type"},
    /* telephone */
    {.target = "phone",
     .keys = "phone number|telephone|tel|numero de telephone|n de telephone|primary phone|telephones|"
             "telephone principal|no de telephone|no tel|n tel|num tel|numero tel|numero telephone"},
    {.target = "phone/mobile",
     .keys = "mobile|mobile number|mobile phone|cell phone|cell|portable|tel portable|telephone portable|"
             "tel mobile|telephone mobile|gsm|can2 phone|numero de portable|n portable|no portable|numero de mobile|"
             "numero mobile|mobile phone number"},
    {.target = "phone/mobile", .keys = "sms", .perhaps = "sms"},
    {.target = "phone/whatsapp", .keys = "whatsapp"},
    {
        .target = "phone/home",
        .keys = "landline number|landline|home phone|fixe|tel fixe|telephone fixe|telephone domicile|tel domicile|"
                "tel perso|telephone perso|tel personnel|telephone personnel",
    },
    {.target = "phone/work",
     .keys = "work phone number|work phone|business phone|telephone bureau|tel bureau|tel pro|telephone travail|"
             "telephone professionnel|telephone pro"},
    {.target = "phone/#", .keys = "phone#|phone #|tel #|tel#|telephone #|telephone#|phone # value", .rank = 1},
    {.target = "label:phone", .keys = "phone # label|phone # type"},
    {.target = "phone/home#", .keys = "home phone #|telephone # domicile"},
    {.target = "phone/work#", .keys = "business phone #|telephone # bureau"},
    {.target = "phone/company", .keys = "company main phone|telephone societe"},
    {.target = "phone/mobile#", .keys = "mobile #|portable #"},
    {.target = "phone/other", .keys = "other phone|telephone autre"},
    {.target = "phone/car", .keys = "car phone|telephone voiture"},
    /* postal address */
    {.target = "street",
     .keys = "street address|address|adresse|adresse postale|adresse complete|rue|address1|address 1|adresse 1|adresse1|"
             "can2 user address|home street|rue domicile|n et rue|numero et rue"},
    {.target = "street", .keys = "home address|address 1 formatted", .rank = 10}, /* when its parts are empty */
    {.target = "street/work", .keys = "business address", .rank = 10},
    {.target = "street/other", .keys = "other address", .rank = 10},
    {.target = "street/#", .keys = "address # formatted", .rank = 10},
    {.target = "street", .keys = "voie|libelle de voie|libelle voie|libelle de la voie|libellevoie|nom de voie|nom de la voie", .part = 3},
    {.target = "street",
     .keys = "address2|address 2|adresse 2|adresse2|complement|complement d adresse|complement adresse|"
             "complement 1|complementdelocalisation1|complement de localisation 1|home street 2|rue domicile 2",
     .part = 5},
    {.target = "street", .keys = "complement 2|complementdelocalisation2|complement de localisation 2|address3|address 3|"
                                  "adresse 3|adresse3|home street 3|rue domicile 3",
     .part = 6},
    {.target = "street", .keys = "lieu dit|lieudit", .part = 7},
    {.target = "street", .keys = "numero de voie|numero voie|numero de la voie|numero|n de voie|n voie|numerovoie", .part = 1},
    {.target = "street", .keys = "type de voie|type voie|typevoie", .part = 2},
    {.target = "postcode",
     .keys = "zip|zip code|zipcode|postal code|post code|code postal|codepostal|cp|home postal code|"
             "code postal domicile|code poste|c p"},
    {.target = "city", .keys = "ville|commune|town|localite|villelocalite|ville localite|can2 user city|home city|ville domicile|"
             "ville commune|commune de residence|ville de residence|cp ville|cp et ville|code postal ville|"
             "code postal et ville|code postal commune|cp commune"},
    {.target = "country", .keys = "pays|country name", .rank = 1},
    {.target = "country", .keys = "country code|home country region|home country|pays region domicile"},
    {.target = "insee", .keys = "code insee|code commune|insee code|commune insee|codecommune"},
    {.target = "insee", .keys = "code du l ugle|code de l ugle|code ugle", .rank = 1, .lenient = true},
    {.target = "department", .keys = "codedepartement|code departement"},
    {.target = "polling_station", .keys = "bureau de vote", .rank = 2},
    {.target = "polling_station",
     .keys = "code du bureau de vote|code bureau de vote|nobureaudevote|numero de bureau de vote|numero du bureau de vote|"
             "n bureau de vote|no bureau de vote|n du bureau de vote"},
    {.target = "polling_station", .keys = "bureau", .rank = 3, .perhaps = "bureau"},
    {.target = "polling_station", .keys = "libelle du bureau de vote|nombureaudevote|nom du bureau de vote", .rank = 4},
    {.target = "street/work", .keys = "business street|rue bureau"},
    {.target = "street/work", .keys = "business street 2|rue bureau 2", .part = 5},
    {.target = "street/work", .keys = "business street 3|rue bureau 3", .part = 6},
    {.target = "city/work", .keys = "business city|ville bureau"},
    {.target = "postcode/work", .keys = "business postal code|code postal bureau"},
    {.target = "country/work", .keys = "business country region|business country|pays region bureau"},
    {.target = "street/other", .keys = "other street|rue autre"},
    {.target = "street/other", .keys = "other street 2|rue autre 2", .part = 5},
    {.target = "street/other", .keys = "other street 3|rue autre 3", .part = 6},
    {.target = "city/other", .keys = "other city|ville autre"},
    {.target = "postcode/other", .keys = "other postal code|code postal autre"},
    {.target = "country/other", .keys = "other country region|other country|pays region autre"},
    {.target = "street/#", .keys = "address # street"},
    {.target = "street/#", .keys = "address # extended address", .part = 5},
    {.target = "city/#", .keys = "address # city"},
    {.target = "postcode/#", .keys = "address # postal code"},
    {.target = "country/#", .keys = "address # country", .rank = 1},
    /* the web */
    {.target = "website", .keys = "web page|page web|site web|site internet|site|url"},
    {.target = "website/#", .keys = "website # value"},
    {.target = "handle/twitter", .keys = "twitter login|twitter"},
    {.target = "handle/facebook", .keys = "facebook username|facebook"},
    {.target = "handle/instagram", .keys = "instagram"},
    {.target = "handle/bluesky", .keys = "bluesky"},
    {.target = "handle/mastodon", .keys = "mastodon"},
    {.target = "handle/linkedin", .keys = "linkedin"},
    /* opinion, notes, tags */
    {.target = "support", .keys = "support level|niveau de soutien|soutien"},
    {.target = "issues", .keys = "themes|centres d interet"},
    {.target = "note",
     .keys = "notes|commentaire|commentaires|comment|comments|remarque|remarques|observation|observations"},
    {.target = "tags",
     .keys = "tag list|tag|can2 user tags|keywords|mots cles|mot cle|etiquettes|etiquette|labels|group membership|"
             "categories|groupes|groupe"},
    /* consent: what each tool calls a yes and a no */
    {.target = "consent:newsletter",
     .keys = "email opt in|opt in|optin|opt in email|optin email|opt in mail|subscribed|infolettre|"
             "lettre d information|lettre d info|abonne|abonne newsletter|abonne a la newsletter|inscrit newsletter|"
             "accepte newsletter|inscription newsletter|consentement|consentement email|"
             "consentement e mail|double opt in|email consent|consent email|marketing opt in|marketing consent|"
             "accepts marketing|accepts email marketing|email marketing consent|recevoir la newsletter|"
             "accepte les e mails|accepte e mail|accepte email|accepte mail|accepte la lettre|accepte la newsletter|"
             "accepte la lettre d information|accepte de recevoir la lettre|accepte de recevoir la newsletter|"
             "accepte de recevoir la lettre d information|souhaite recevoir la lettre|souhaite recevoir la newsletter|"
             "souhaite recevoir la lettre d information|veut la lettre|veut la newsletter|recevoir la lettre|"
             "recevoir la lettre d information|wants newsletter|wants the newsletter|receive newsletter|"
             "agrees to newsletter"},
    {.target = "consent-time:newsletter", .keys = "optin time|opt in time|optin timestamp|opt in timestamp"},
    {.target = "consent:sms",
     .keys = "mobile opt in|opt in sms|sms opt in|consentement sms|sms consent|accepts sms marketing|accepte sms|"
             "accepte les sms|accepte de recevoir des sms|souhaite recevoir des sms"},
    {.target = "consent:call", .keys = "accepte appel|accepte les appels|accepte d etre appele|accepte d etre appelee|opt in telephone|opt in appel|consentement telephone"},
    {.target = "consent:mail", .keys = "accepte courrier|accepte le courrier|opt in courrier|opt in postal"},
    {.target = "consent:canvass", .keys = "accepte visite|accepte les visites"},
    {.target = "status:newsletter",
     .keys = "can2 subscription status|subscription status|email status|marketing status|email subscription status|"
             "statut newsletter|statut d abonnement|statut abonnement|email marketing status"},
    {.target = "status:sms", .keys = "can2 sms status|sms status"},
    {.target = "consent-date:newsletter", .keys = "can2 subscription date"},
    {.target = "consent-date",
     .keys = "opt in date|optin date|date opt in|date optin|date du consentement|date de consentement|"
             "date consentement|date d inscription|date inscription|consent date|consent timestamp|subscribed at|"
             "subscribe date|subscription date"},
    {.target = "consent-address",
     .keys = "optin ip|opt in ip|ip|ip address|adresse ip|signup ip|subscription ip|subscribed ip|consent ip"},
    {.target = "confirm-date",
     .keys = "confirm time|confirmation time|confirmed at|confirmation date|double opt in date|double opt in time|"
             "date de confirmation|date double opt in"},
    {.target = "confirm-address", .keys = "confirm ip|confirmation ip|double opt in ip"},
    {.target = "object:email",
     .keys = "unsubscribed at|unsubscribed|unsubscribe|unsub time|unsub campaign title|unsub reason|unsubscribe date|"
             "unsubscribe time|unsubscription date|desinscrit|desinscrits|desinscription|date de desinscription|"
             "date desinscription|desabonne|desabonnement|date de desabonnement|opt out|optout|email opt out|"
             "optout email|email optout|has opted out of email|hasoptedoutofemail|no bulk emails user opt out|"
             "email blacklisted|blacklisted|blackliste|liste noire|stop email|stop mail|do not email|"
             "unsubscribed from all email|spam complaint|complained|plainte|ne pas envoyer d e mail|"
             "ne veut pas d e mail|ne veut pas la lettre|ne veut plus la lettre|ne veut pas la newsletter|"
             "ne veut plus la newsletter|refuse la lettre|refuse la newsletter|ne plus envoyer|refus email|refus mail|refus e mail"},
    {.target = "object-date", .keys = "opt out date|optout date|date opt out|date d opposition"},
    {.target = "object:sms",
     .keys = "sms blacklisted|sms opt out|opt out sms|sms optout|stop sms|do not text|do not sms|ne pas envoyer de sms|"
             "refus sms"},
    {.target = "object:call",
     .keys = "do not call|donotcall|federal donotcall|federal do not call|do not phone|phone opt out|bloctel|"
             "ne pas appeler|ne pas telephoner|refus appel|refus appels|liste rouge"},
    {.target = "object:mail",
     .keys = "do not mail|do not post|ne pas envoyer de courrier|pas de courrier|refus courrier"},
    {.target = "object:canvass", .keys = "do not visit|do not canvass|ne pas visiter|refus visite"},
    {.target = "object:all",
     .keys = "do not contact|donotcontact|do not contact at all|ne pas contacter|ne plus contacter|stop contact|"
             "opposition|opposition totale|refus de contact|is deceased|deceased|decede|decedee|date de deces"},
    /* addresses that do not work */
    {.target = "bad:email/#", .keys = "email# is bad|email # is bad"},
    {.target = "bad:email",
     .keys = "email is bad|clean time|clean campaign title|hard bounce|hard bounced|hardbounce|bounced|email invalide|"
             "adresse invalide"},
    {.target = "bad:phone/mobile", .keys = "is mobile bad|mobile is bad"},
    /* the source's own ids */
    {.target = "source_id/nationbuilder_id", .keys = "nationbuilder id"},
    {.target = "source_id/uuid", .keys = "uuid"},
    {.target = "source_id/uid", .keys = "uid"},
    {.target = "source_id/ext_id", .keys = "ext id"},
    {.target = "source_id/external_id", .keys = "external id"},
    {.target = "source_id/euid", .keys = "euid"},
    /* an export's: what the contact was there */
    {.target = "source_id/carnet", .keys = "carnet id"},
    /* a reject file's, an export's */
    {.target = "ours", .keys = "carnet line|carnet reason|carnet book"},
};
enum { KNOWN_COUNT = sizeof table / sizeof table[0] };

/* NationBuilder's addresses: PREFIX_city and so on; the home address is under address_, primary_ repeats another. */
static const struct {
    const char *prefix;
    const char *label;
    unsigned rank;
} prefixes[] = {{"address ", "", 0},
                {"primary ", "", 10},
                {"work ", "work", 0},
                {"mailing ", "mailing", 0},
                {"registered ", "registered", 0},
                {"billing ", "billing", 0},
                {"user submitted ", "", 20}};
static const struct known inside[] = {
    {.target = "street", .keys = "address1|street"},
    {.target = "street", .keys = "address2", .part = 5},
    {.target = "street", .keys = "address3", .part = 6},
    {.target = "postcode", .keys = "zip|postcode"},
    {.target = "city", .keys = "city"},
    {.target = "country", .keys = "country code"},
    {.target = "country", .keys = "country", .rank = 1},
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

uint32_t carnet_columns_channel(struct carnet_slice name)
{
    enum carnet_channel channel;
    if (carnet_slice_equal(name, carnet_slice_str("newsletter")))
        return 1u << CARNET_CHANNEL_EMAIL;
    return carnet_channel_find(name, &channel) ? 1u << channel : 0;
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
static carnet_rc parse(const struct carnet_charter *charter, struct carnet_slice text, struct carnet_target *out, bool *purpose_unknown)
{
    static const struct {
        const char *text;
        enum carnet_target_kind kind;
    } words[] = {{"-", CARNET_TARGET_NONE},
                 {"tags", CARNET_TARGET_TAGS},
                 {"consent-date", CARNET_TARGET_CONSENT_DATE},
                 {"consent-address", CARNET_TARGET_CONSENT_ADDRESS},
                 {"confirm-date", CARNET_TARGET_CONFIRM_DATE},
                 {"confirm-address", CARNET_TARGET_CONFIRM_ADDRESS},
                 {"department", CARNET_TARGET_DEPARTMENT},
                 {"object-date", CARNET_TARGET_OBJECT_DATE},
                 {"title", CARNET_TARGET_TITLE},
                 {"name", CARNET_TARGET_NAME},
                 {"name-reversed", CARNET_TARGET_NAME_REVERSED},
                 {"ours", CARNET_TARGET_OURS}};
    *out = (struct carnet_target){0};
    *purpose_unknown = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (carnet_slice_equal(text, carnet_slice_str(words[i].text))) {
            out->kind = words[i].kind;
            return CARNET_OK;
        }
    struct carnet_slice rest, label;
    bool consent = after(text, "consent:", &rest), object = !consent && after(text, "object:", &rest);
    bool status = !consent && !object && after(text, "status:", &rest);
    bool dated = !consent && !object && !status && after(text, "consent-time:", &rest);
    if (!consent && !object && !status && !dated && after(text, "consent-date:", &rest)) { /* the date of one purpose's */
        out->kind = CARNET_TARGET_CONSENT_DATE;
        set_text(out, carnet_slice(rest.ptr, rest.len < CARNET_LABEL_LEN_MAX ? rest.len : CARNET_LABEL_LEN_MAX));
        return CARNET_OK;
    }
    consent = consent || dated;
    if (consent || object || status) {
        bool all = object && (carnet_slice_equal(rest, carnet_slice_str("all")) ||
                              carnet_slice_equal(rest, carnet_slice_str("email")));
        bool channel = (object || status) && carnet_columns_channel(rest) != 0; /* also where no purpose has its name */
        if (rest.len > CARNET_LABEL_LEN_MAX || (!all && !channel && !carnet_purpose_find(charter, rest))) {
            *purpose_unknown = true;
            return CARNET_USAGE;
        }
        out->kind = consent ? CARNET_TARGET_CONSENT : object ? CARNET_TARGET_OBJECT : CARNET_TARGET_STATUS;
        out->dated = dated;
        set_text(out, rest);
        return CARNET_OK;
    }
    bool bad = after(text, "bad:", &rest);
    if (bad)
        text = rest;
    if (after(text, "label:", &rest)) {
        out->kind = CARNET_TARGET_LABEL;
        out->def = carnet_field_by_name(charter, rest);
        return out->def ? CARNET_OK : CARNET_USAGE;
    }
    if (after(text, "source_id/", &label)) {
        out->def = carnet_field_by_number(charter, CARNET_FIELD_SOURCE_ID);
        if (label.len == 0 || label.len > CARNET_LABEL_LEN_MAX)
            return CARNET_USAGE;
    } else if (carnet_field_parse(charter, text, &out->def, &label) != CARNET_OK || !out->def->shown) {
        return CARNET_USAGE;
    }
    if (bad && out->def->field != CARNET_FIELD_EMAIL && out->def->field != CARNET_FIELD_PHONE)
        return CARNET_USAGE;
    out->kind = bad ? CARNET_TARGET_BAD : CARNET_TARGET_FIELD;
    set_text(out, label);
    return CARNET_OK;
}

carnet_rc carnet_target_parse(const struct carnet_charter *charter, struct carnet_slice text, struct carnet_target *out, struct carnet_err *err)
{
    bool purpose_unknown;
    carnet_rc rc = parse(charter, text, out, &purpose_unknown);
    if (rc == CARNET_OK && out->kind != CARNET_TARGET_OURS && out->kind != CARNET_TARGET_STATUS &&
        out->kind != CARNET_TARGET_LABEL)
        return CARNET_OK;
    *out = (struct carnet_target){0};
    int len = (int)(text.len < 80 ? text.len : 80);
    const char *start = text.ptr ? (const char *)text.ptr : "";
    if (purpose_unknown)
        return carnet_err_set(err, CARNET_USAGE, "unknown purpose in \"%.*s\"", len, start);
    carnet_err_set(err, CARNET_USAGE, "unknown field \"%.*s\"", len, start);
    carnet_err_hint(
        err,
        "a field with or without /LABEL, tags, consent:PURPOSE, object:PURPOSE, name, title, or - to leave it out");
    return CARNET_USAGE;
}

void carnet_target_put(const struct carnet_target *target, struct carnet_buf *out)
{
    switch (target->kind) {
    case CARNET_TARGET_NONE:
    case CARNET_TARGET_OURS:
    case CARNET_TARGET_DEPARTMENT: return;
    case CARNET_TARGET_FIELD:
        carnet_buf_append_str(out, target->def->name);
        if (target->text[0])
            carnet_buf_printf(out, "/%s", target->text);
        return;
    case CARNET_TARGET_TAGS: carnet_buf_append_str(out, "tags"); return;
    case CARNET_TARGET_CONSENT:
    case CARNET_TARGET_STATUS: carnet_buf_printf(out, "consent:%s", target->text); return;
    case CARNET_TARGET_OBJECT: carnet_buf_printf(out, "object:%s", target->text); return;
    case CARNET_TARGET_CONSENT_DATE: carnet_buf_append_str(out, "consent-date"); return;
    case CARNET_TARGET_CONSENT_ADDRESS: carnet_buf_append_str(out, "consent-address"); return;
    case CARNET_TARGET_CONFIRM_DATE: carnet_buf_append_str(out, "confirm-date"); return;
    case CARNET_TARGET_CONFIRM_ADDRESS: carnet_buf_append_str(out, "confirm-address"); return;
    case CARNET_TARGET_BAD:
        carnet_buf_printf(out, target->text[0] ? "bad:%s/%s" : "bad:%s", target->def->name, target->text);
        return;
    case CARNET_TARGET_OBJECT_DATE: carnet_buf_append_str(out, "object-date"); return;
    case CARNET_TARGET_TITLE: carnet_buf_append_str(out, "title"); return;
    case CARNET_TARGET_NAME: carnet_buf_append_str(out, "name"); return;
    case CARNET_TARGET_NAME_REVERSED: carnet_buf_append_str(out, "name-reversed"); return;
    case CARNET_TARGET_LABEL: carnet_buf_printf(out, "label of %s", target->def->name); return;
    }
}

static const struct known *look_up(const struct known *list, size_t count, const char *key)
{
    size_t len = strlen(key);
    for (size_t i = 0; i < count && len; i++)
        for (const char *at = strstr(list[i].keys, key); at; at = strstr(at + 1, key))
            if ((at == list[i].keys || at[-1] == '|') && (at[len] == '|' || at[len] == 0))
                return &list[i];
    return NULL;
}

static void from_known(const struct carnet_charter *charter, const struct known *known, unsigned number, struct carnet_target *out)
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
    carnet_rc rc = parse(charter, carnet_slice_str(text), out, &purpose_unknown);
    if (rc != CARNET_OK) { /* a purpose that this charter does not have */
        *out = (struct carnet_target){0};
        return;
    }
    out->rank = known->rank;
    out->part = known->part;
    out->perhaps = known->perhaps;
    out->lenient = known->lenient;
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

/* A column named after a purpose, with words before or behind that say yes or no. */
static bool purpose_column(const struct carnet_charter *charter, const char *key, struct carnet_target *out)
{
    static const struct {
        const char *before, *behind;
        bool refuses;
    } words[] = {{"", "", false},           {"consent ", "", false},   {"consentement ", "", false},
                 {"opt in ", "", false},    {"optin ", "", false},     {"accord ", "", false},
                 {"accepte ", "", false},   {"", " opt in", false},    {"", " optin", false},
                 {"", " consent", false},   {"no ", "", true},         {"not ", "", true},
                 {"do not ", "", true},     {"pas de ", "", true},     {"stop ", "", true},
                 {"refus ", "", true},      {"refuse ", "", true},     {"opposition ", "", true},
                 {"opt out ", "", true},    {"optout ", "", true},     {"desinscrit ", "", true},
                 {"unsubscribed ", "", true}, {"", " opt out", true},  {"", " optout", true},
                 {"", " unsubscribed", true}, {"", " blacklisted", true}, {"", " refuse", true},
                 {"", " stop", true}};
    char purpose[CARNET_LABEL_LEN_MAX + 1];
    size_t len = strlen(key);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t head = strlen(words[i].before), tail = strlen(words[i].behind);
        if (len <= head + tail || len - head - tail >= sizeof purpose || strncmp(key, words[i].before, head) != 0 ||
            strcmp(key + len - tail, words[i].behind) != 0)
            continue;
        snprintf(purpose, sizeof purpose, "%.*s", (int)(len - head - tail), key + head);
        for (int pass = 0; pass < 3; pass++) { /* "town hall news" is also the purpose town-hall-news, or town_hall_news */
            if (carnet_purpose_find(charter, carnet_slice_str(purpose))) {
                out->kind = words[i].refuses ? CARNET_TARGET_OBJECT : CARNET_TARGET_CONSENT;
                set_text(out, carnet_slice_str(purpose));
                return true;
            }
            for (char *c = purpose; *c; c++)
                *c = *c == ' ' ? '-' : *c == '-' ? '_' : *c;
        }
    }
    return false;
}

/* A field of the community, by its own name: t_shirt is "T-shirt" too. */
static bool own_field(const struct carnet_charter *charter, const char *key, struct carnet_target *out)
{
    struct carnet_buf name;
    bool found = false;
    carnet_buf_init(&name, KEY_LEN_MAX);
    for (size_t i = 0; charter && i < charter->field_count && !found; i++) {
        carnet_buf_clear(&name);
        carnet_columns_key(carnet_slice_str(charter->fields[i]->name), &name);
        found = key[0] && strcmp(carnet_buf_cstr(&name), key) == 0;
        if (found)
            *out = (struct carnet_target){ .kind = CARNET_TARGET_FIELD, .def = charter->fields[i] };
    }
    carnet_buf_deinit(&name);
    return found;
}

void carnet_columns_recognise(const struct carnet_charter *charter, struct carnet_slice name, struct carnet_target *out)
{
    *out = (struct carnet_target){0};
    struct carnet_buf key;
    carnet_buf_init(&key, KEY_LEN_MAX);
    carnet_columns_key(name, &key);
    const char *text = carnet_buf_cstr(&key);
    char signed_key[KEY_LEN_MAX + 1];
    unsigned number = 0;
    if (own_field(charter, text, out)) {
        carnet_buf_deinit(&key);
        return;
    }
    const struct known *known = look_up(table, KNOWN_COUNT, text);
    if (!known && with_sign(text, signed_key, &number))
        known = look_up(table, KNOWN_COUNT, signed_key);
    if (known)
        from_known(charter, known, number, out);
    for (size_t i = 0; !known && i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t len = strlen(prefixes[i].prefix);
        if (strncmp(text, prefixes[i].prefix, len) != 0)
            continue;
        known = look_up(inside, sizeof inside / sizeof inside[0], text + len);
        if (known) {
            from_known(charter, known, 0, out);
            set_text(out, carnet_slice_str(prefixes[i].label));
            out->rank += prefixes[i].rank;
        }
    }
    bool purpose_unknown;
    if (!known && text[0] && !purpose_column(charter, text, out)) {
        /* our own names: given, phone/mobile, consent:newsletter */
        char own[2 * CARNET_LABEL_LEN_MAX + 2];
        size_t len = 0;
        while (name.len && name.ptr[0] <= ' ')
            name.ptr++, name.len--;
        while (name.len && name.ptr[name.len - 1] <= ' ')
            name.len--;
        for (bool in_name = true; len < name.len && len < sizeof own - 1; len++) { /* a label keeps its capitals */
            in_name = in_name && name.ptr[len] != '/';
            own[len] =
                (char)(in_name && name.ptr[len] >= 'A' && name.ptr[len] <= 'Z' ? name.ptr[len] | 0x20 : name.ptr[len]);
        }
        if (len < name.len || !carnet_text_is_nfc(carnet_slice(own, len)) ||
            parse(charter, carnet_slice(own, len), out, &purpose_unknown) != CARNET_OK)
            *out = (struct carnet_target){0};
    }
    carnet_buf_deinit(&key);
}
