// SPDX-License-Identifier: EUPL-1.2
#include "people.h"

#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const char *const women[] = {
    "Zoé",          "Marie",         "Anne-Laure",  "Élodie",     "Françoise", "Aïcha",     "Chloé",    "Noémie",
    "Inès",         "Léa",           "Manon",       "Camille",    "Jeanne",    "Lucie",     "Hélène",   "Cécile",
    "Sophie",       "Claire",        "Nathalie",    "Isabelle",   "Catherine", "Véronique", "Sandrine", "Stéphanie",
    "Céline",       "Aurélie",       "Émilie",      "Julie",      "Pauline",   "Mathilde",  "Marion",   "Laëtitia",
    "Gaëlle",       "Maëlle",        "Anaïs",       "Fatima",     "Nadia",     "Samira",    "Yasmine",  "Leïla",
    "Marie-Claude", "Marie-Thérèse", "Anne-Sophie", "Solène",     "Margaux",   "Clémence",  "Agathe",   "Louise",
    "Alice",        "Emma",          "Rose",        "Jade",       "Ambre",     "Éva",       "Sarah",    "Rachel",
    "Esther",       "Odile",         "Monique",     "Jacqueline", "Colette",   "Ginette",   "Simone",   "Yvette",
    "Suzanne",      "Micheline",     "Rokia",       "Aminata",    "Mariam",    "Thi Lan",   "Mei",      "Ana",
    "Inês",         "María",         "Olga",        "Nour",       "Salomé",    "Capucine",  "Apolline", "Bérénice",
    "Océane",       "Maïwenn",       "Nolwenn",     "Rozenn",     "Enora",     "Lætitia",
};
static const char *const men[] = {
    "Jean-Noël",   "Jean",          "Pierre",        "Michel",        "François", "Gaëtan",    "Loïc",
    "Noël",        "André",         "Hervé",         "Rémi",          "Jérôme",   "Sébastien", "Frédéric",
    "Éric",        "Étienne",       "Mickaël",       "Raphaël",       "Gaël",     "Maël",      "Théo",
    "Léo",         "Hugo",          "Lucas",         "Nathan",        "Enzo",     "Louis",     "Jules",
    "Gabriel",     "Arthur",        "Adam",          "Paul",          "Antoine",  "Maxime",    "Thomas",
    "Nicolas",     "Julien",        "Mathieu",       "Guillaume",     "Benoît",   "Cédric",    "Fabrice",
    "Laurent",     "Olivier",       "Stéphane",      "Christophe",    "Philippe", "Patrick",   "Alain",
    "Bernard",     "Gérard",        "Jacques",       "Claude",        "Serge",    "Guy",       "Jean-Luc",
    "Jean-Pierre", "Jean-François", "Jean-Baptiste", "Charles-Henri", "Mohamed",  "Ahmed",     "Karim",
    "Rachid",      "Youssef",       "Bilal",         "Mamadou",       "Ousmane",  "Ibrahima",  "David",
    "Samuel",      "Élie",          "Moïse",         "Minh",          "João",     "José",      "Ángel",
    "Jürgen",      "Klaus",         "Piotr",         "Yann",          "Ronan",    "Erwan",     "Goulven",
    "Tanguy",      "Côme",
};
static const char *const families[] = {
    "d'Artagnan", "Le Goff",     "Cœur",           "Strauß",        "Martin",      "Bernard",       "Thomas",
    "Petit",      "Robert",      "Richard",        "Durand",        "Dubois",      "Moreau",        "Laurent",
    "Simon",      "Michel",      "Lefebvre",       "Leroy",         "Roux",        "David",         "Bertrand",
    "Morel",      "Fournier",    "Girard",         "Bonnet",        "Dupont",      "Lambert",       "Fontaine",
    "Rousseau",   "Vincent",     "Muller",         "Müller",        "Lefèvre",     "Faure",         "André",
    "Mercier",    "Blanc",       "Guérin",         "Boyer",         "Garnier",     "Chevalier",     "François",
    "Legrand",    "Gauthier",    "Garcia",         "Perrin",        "Robin",       "Clément",       "Morin",
    "Nicolas",    "Henry",       "Roussel",        "Mathieu",       "Gautier",     "Masson",        "Marchand",
    "Duval",      "Denis",       "Dumont",         "Marie",         "Lemaire",     "Noël",          "Meyer",
    "Dufour",     "Meunier",     "Brun",           "Blanchard",     "Giraud",      "Joly",          "Rivière",
    "Lucas",      "Brunet",      "Gaillard",       "Barbier",       "Arnaud",      "Martinez",      "Gérard",
    "Roche",      "Renard",      "Schmitt",        "Roy",           "Leroux",      "Colin",         "Vidal",
    "Caron",      "Picard",      "Roger",          "Fabre",         "Aubert",      "Lemoine",       "Renaud",
    "Dumas",      "Lacroix",     "Olivier",        "Philippe",      "Bourgeois",   "Pierre",        "Benoît",
    "Rey",        "Leclerc",     "Payet",          "Rolland",       "Leclercq",    "Guillaume",     "Lecomte",
    "Lopez",      "Jean",        "Dupuy",          "Guillot",       "Hubert",      "Berger",        "Carpentier",
    "Sanchez",    "Dupuis",      "Moulin",         "Louis",         "Deschamps",   "Huet",          "Vasseur",
    "Perez",      "Boucher",     "Fleury",         "Royer",         "Klein",       "Jacquet",       "Adam",
    "Paris",      "Poirier",     "Marty",          "Aubry",         "Guyot",       "Carré",         "Charles",
    "Renault",    "Charpentier", "Ménard",         "Maillard",      "Baron",       "Bertin",        "Bailly",
    "Hervé",      "Schneider",   "Fernandez",      "Le Gall",       "Collet",      "Léger",         "Bouvier",
    "Julien",     "Prévost",     "Millet",         "Perrot",        "Daniel",      "Le Roux",       "Cousin",
    "Germain",    "Breton",      "Besson",         "Langlois",      "Rémy",        "Le Garrec",     "Le Bihan",
    "Kerbrat",    "de La Tour",  "de Saint-Amand", "du Plessis",    "des Rosiers", "d'Aubigny",     "L'Hermite",
    "L’Hostis",   "N'Diaye",     "N’Guessan",      "Diallo",        "Traoré",      "Ben Saïd",      "El Amrani",
    "Haddad",     "Benali",      "Nguyen",         "Trần",          "Fernandes",   "Gonçalves",     "Da Silva",
    "Núñez",      "Kowalski",    "Łukasik",        "Van den Berg",  "De Smet",     "Vandenbrœucke", "Lœuillet",
    "Bœuf",       "Große",       "Weiß",           "Saint-Germain", "Pont-Neuf",   "Rossi",         "Santoni",
    "Etchegaray", "Ibarra",      "Abalain",        "Guéguen",       "Hœrter",
};
static const char *const doubled[] = {"Martin", "Petit", "Moreau", "Roux", "Faure", "Blanc", "Girard", "Morel"};

static const struct {
    const char *postcode, *city, *insee;
} towns[] = {
    {"38000", "Grenoble", "38185"},
    {"38400", "Saint-Martin-d’Hères", "38421"},
    {"38130", "Échirolles", "38151"},
    {"38600", "Fontaine", "38169"},
    {"38240", "Meylan", "38229"},
    {"38500", "Voiron", "38563"},
    {"73000", "Chambéry", "73065"},
    {"74000", "Annecy", "74010"},
    {"26000", "Valence", "26362"},
    {"69001", "Lyon", "69381"},
    {"69100", "Villeurbanne", "69266"},
    {"42000", "Saint-Étienne", "42218"},
    {"75011", "Paris", "75111"},
    {"93100", "Montreuil", "93048"},
    {"94240", "L’Haÿ-les-Roses", "94038"},
    {"93200", "Saint-Denis", "93066"},
    {"13001", "Marseille", "13201"},
    {"13100", "Aix-en-Provence", "13001"},
    {"31000", "Toulouse", "31555"},
    {"06000", "Nice", "06088"},
    {"44000", "Nantes", "44109"},
    {"34000", "Montpellier", "34172"},
    {"67000", "Strasbourg", "67482"},
    {"33000", "Bordeaux", "33063"},
    {"59000", "Lille", "59350"},
    {"35000", "Rennes", "35238"},
    {"51100", "Reims", "51454"},
    {"76600", "Le Havre", "76351"},
    {"83000", "Toulon", "83137"},
    {"21000", "Dijon", "21231"},
    {"49000", "Angers", "49007"},
    {"30000", "Nîmes", "30189"},
    {"72000", "Le Mans", "72181"},
    {"63000", "Clermont-Ferrand", "63113"},
    {"29200", "Brest", "29019"},
    {"37000", "Tours", "37261"},
    {"87000", "Limoges", "87085"},
    {"80000", "Amiens", "80021"},
    {"66000", "Perpignan", "66136"},
    {"57000", "Metz", "57463"},
    {"25000", "Besançon", "25056"},
    {"45000", "Orléans", "45234"},
    {"68100", "Mulhouse", "68224"},
    {"76000", "Rouen", "76540"},
    {"14000", "Caen", "14118"},
    {"54000", "Nancy", "54395"},
    {"17000", "La Rochelle", "17300"},
    {"64000", "Pau", "64445"},
    {"01000", "Bourg-en-Bresse", "01053"},
    {"20000", "Ajaccio", "2A004"},
    {"20200", "Bastia", "2B033"},
};
static const char *const ways[] = {"rue",   "rue",    "rue",     "rue",   "avenue", "boulevard",
                                   "place", "chemin", "impasse", "allée", "cours",  "quai"};
static const char *const way_names[] = {
    "de la République",     "Victor Hugo",      "Jean Jaurès",   "de l’Église", "du Moulin",
    "des Écoles",           "de la Mairie",     "Pasteur",       "des Lilas",   "du Château",
    "de la Gare",           "Gambetta",         "Louise Michel", "Émile Zola",  "de l’Abbé-Grégoire",
    "du Général-de-Gaulle", "des Tilleuls",     "de Verdun",     "du Lavoir",   "de la Fontaine",
    "Marie-Curie",          "de l’Œuvre",       "Saint-Exupéry", "des Bains",   "du Cœur-de-Ville",
    "Aristide Briand",      "Olympe-de-Gouges", "du Marché",     "des Acacias", "de la Paix",
    "Simone-de-Beauvoir",   "des Trois-Frères", "du Stade",      "de Bretagne",
};
static const char *const employers[] = {
    "Mairie",
    "Hôpital public",
    "Collège Jean-Moulin",
    "La Poste",
    "SNCF",
    "Librairie du Centre",
    "Boulangerie Petit",
    "Université",
    "Conseil départemental",
    "Coopérative laitière",
    "Cabinet d’architectes",
    "Théâtre municipal",
    "Menuiserie Le Goff",
    "Crèche des Lilas",
    "Maison de retraite",
    "Garage Roux",
    "Association L’Étape",
    "Lycée professionnel",
};
static const char *const tag_names[] = {
    "bénévole",
    "adhérent",
    "presse",
    "porte-à-porte",
    "élu",
    "commerçant",
    "parent d’élève",
    "syndicat",
    "association",
    "AMAP",
    "vélo",
    "logement",
    "collage",
    "marché",
    "réunion publique",
    "procuration",
    "conseil de quartier",
    "enseignant",
    "étudiant",
    "santé",
};
static const char *const notes[] = {
    "Rencontrée au marché de la place Notre-Dame, demande le programme.",
    "Préfère être appelé après 18 heures.",
    "Propose sa voiture le jour du scrutin.",
    "Parle couramment l’arabe et l’italien.",
    "A signé la pétition pour la passerelle.",
    "Connaît bien le conseil de quartier ; à inviter à la réunion de rentrée.",
    "Déménage à l’automne, nouvelle adresse à demander.",
    "Tient la permanence du samedi matin, un samedi sur deux.",
    "S’inquiète de la fermeture de l’école maternelle.",
    "Veut bien accueillir une réunion d’appartement.",
    "Ne souhaite pas de visite à domicile.",
    "Dit « oui, mais » à la piétonnisation du centre.",
    "Ancienne trésorière de l’association des parents d’élèves.",
    "Demande un rendez-vous au sujet de la ligne de bus 12.",
};

static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static unsigned below(uint64_t *state, size_t limit)
{
    return (unsigned)((draw(state) >> 32) * limit >> 32);
}

#define PICK(state, list) ((list)[below((state), COUNT(list))])

static char *put(char *to, const char *text)
{
    size_t len = strlen(text);
    memcpy(to, text, len + 1);
    return to + len;
}

static char *put_number(char *to, uint64_t number, unsigned width)
{
    char digits[20];
    unsigned count = 0;
    for (; number || count < width || count == 0; number /= 10)
        digits[count++] = (char)('0' + number % 10);
    while (count)
        *to++ = digits[--count];
    *to = 0;
    return to;
}

/* A name as people spell it in an address: small letters without accents. */
static char *put_plain(char *to, const char *name)
{
    static const char latin[] = "aaaaaaaceeeeiiiidnoooooxouuuuyts"; /* U+00E0 to U+00FF, and their capitals */
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        if (*p >= 'A' && *p <= 'Z') {
            *to++ = (char)(*p | 0x20);
        } else if (*p >= 'a' && *p <= 'z') {
            *to++ = (char)*p;
        } else if (*p == ' ' || *p == '-') {
            *to++ = '-';
        } else if (*p == 0xc3 && p[1] == 0x9f) {
            *to++ = 's', *to++ = 's', p++;
        } else if (*p == 0xc3 && (p[1] == 0xa6 || p[1] == 0x86)) {
            *to++ = 'a', *to++ = 'e', p++;
        } else if (*p == 0xc3 && p[1]) {
            *to++ = latin[*++p & 0x1f];
        } else if (*p == 0xc5 && p[1]) {
            bool oe = *++p == 0x93 || *p == 0x92;
            *to++ = oe ? 'o' : 'l';
            if (oe)
                *to++ = 'e';
        } else if (*p == 0xe1) { /* ầ */
            *to++ = 'a';
            p += 2;
        } else if (*p >= 0xc4) { /* an apostrophe, another mark */
            p += *p >= 0xe0 ? 2 : 1;
        }
    }
    *to = 0;
    return to;
}

void demo_person_make(uint64_t seed, uint64_t i, struct demo_person *out)
{
    uint64_t s = seed * 0xd1342543de82ef95u ^ (i + 1) * 0x2545f4914f6cdd1du;
    draw(&s);
    memset(out, 0, sizeof *out);
    out->number = i + 1;
    out->female = below(&s, 100) < 52;
    put(out->given, out->female ? PICK(&s, women) : PICK(&s, men));
    char *end = put(out->family, PICK(&s, families));
    if (below(&s, 100) < 4) {
        *end++ = '-';
        put(end, PICK(&s, doubled));
    }
    if (below(&s, 100) < 85) {
        end = put_plain(out->email, out->given);
        *end++ = '.';
        end = put_plain(end, out->family);
        *end++ = '.';
        end = put_number(end, i + 1, 1);
        put(end, below(&s, 4) == 0 ? "@courrier.example.org" : "@example.org");
    }
    if (below(&s, 100) < 30)
        put_number(put(out->phone, "+33199"), below(&s, 10000), 6);
    if (below(&s, 100) < 70 || (!out->email[0] && !out->phone[0]))
        put_number(put(out->mobile, "+336399"), 80000 + below(&s, 10000), 5);
    size_t town = below(&s, 100) < 40 ? below(&s, 6) : below(&s, COUNT(towns)); /* four in ten live around Grenoble */
    out->postcode = towns[town].postcode;
    out->city = towns[town].city;
    out->insee = towns[town].insee;
    end = put_number(out->street, 1 + below(&s, 180), 1);
    if (below(&s, 100) < 6)
        end = put(end, " bis");
    *end++ = ' ';
    end = put(end, PICK(&s, ways));
    *end++ = ' ';
    put(end, PICK(&s, way_names));
    if (below(&s, 100) < 80) {
        out->born_year = 1930 + below(&s, 78);
        out->born_month = 1 + below(&s, 12);
        out->born_day = 1 + below(&s, 28);
    }
    out->employer = below(&s, 100) < 25 ? PICK(&s, employers) : "";
    out->note = below(&s, 100) < 20 ? PICK(&s, notes) : "";
    out->support = below(&s, 100) < 40 ? 1 + below(&s, 5) : 0;
    for (unsigned tags = below(&s, 4); tags; tags--) {
        const char *tag = PICK(&s, tag_names);
        bool there = false;
        for (size_t j = 0; j < out->tag_count; j++)
            there = there || out->tags[j] == tag;
        if (!there)
            out->tags[out->tag_count++] = tag;
    }
    out->email_opt_in = out->email[0] && below(&s, 100) < 70; /* six in ten of all */
    out->mobile_opt_in = out->mobile[0] && below(&s, 100) < 30;
    out->do_not_call = below(&s, 100) < 3;
    out->do_not_contact = below(&s, 1000) < 8;
    out->created_day = below(&s, 2500);
    if (out->email[0] && below(&s, 100) < 4)
        out->unsubscribed_day = out->created_day + 1 + below(&s, 80);
}

/* --- files ---------------------------------------------------------------------------------------------------------
 */

static const char *const columns[] = {
    "nationbuilder_id",
    "twitter_id",
    "twitter_login",
    "facebook_username",
    "meetup_id",
    "civicrm_id",
    "external_id",
    "salesforce_id",
    "prefix",
    "first_name",
    "middle_name",
    "last_name",
    "suffix",
    "full_name",
    "legal_name",
    "employer",
    "occupation",
    "sex",
    "party",
    "religion",
    "church",
    "ethnicity",
    "marital_status",
    "website",
    "language",
    "is_deceased",
    "born_at",
    "email1",
    "email2",
    "email3",
    "email4",
    "email_opt_in",
    "phone_number",
    "work_phone_number",
    "do_not_call",
    "do_not_contact",
    "federal_donotcall",
    "mobile_number",
    "mobile_opt_in",
    "is_mobile_bad",
    "fax_number",
    "demo",
    "support_level",
    "inferred_support_level",
    "priority_level",
    "availability",
    "note",
    "parent_id",
    "point_person_name_or_email",
    "recruiter_id",
    "recruiter_name_or_email",
    "tag_list",
    "created_at",
    "unsubscribed_at",
    "is_supporter",
    "is_prospect",
    "signup_type",
    "is_volunteer",
    "is_donor",
    "is_fundraiser",
    "is_ignore_donation_limits",
    "first_donated_at",
    "last_donated_at",
    "donations_count",
    "donations_amount",
    "donations_amount_in_cents",
    "donations_raised_count",
    "donations_raised_amount",
    "donations_raised_amount_in_cents",
    "donations_pledged_amount",
    "donations_pledged_amount_in_cents",
    "donations_count_this_cycle",
    "donations_amount_this_cycle",
    "donations_amount_this_cycle_in_cents",
    "donations_raised_count_this_cycle",
    "donations_raised_amount_this_cycle",
    "donations_raised_amount_this_cycle_in_cents",
    "maximum_donation_possible_this_cycle",
    "maximum_donation_possible_this_cycle_in_cents",
    "membership_names",
    "nbec_guid",
    "pf_strat_id",
    "state_file_id",
    "county_file_id",
    "dw_id",
    "van_id",
    "ngp_id",
    "rnc_id",
    "rnc_regid",
    "datatrust_id",
    "previous_party",
    "inferred_party",
    "supranational_district",
    "federal_district",
    "state_upper_district",
    "state_lower_district",
    "county_district",
    "city_district",
    "city_sub_district",
    "village_district",
    "judicial_district",
    "school_district",
    "school_sub_district",
    "fire_district",
    "precinct_name",
    "precinct_code",
    "media_market_name",
    "support_probability_score",
    "turnout_probability_score",
    "capital_amount",
    "capital_amount_in_cents",
    "spent_capital_amount",
    "spent_capital_amount_in_cents",
    "received_capital_amount",
    "received_capital_amount_in_cents",
    "email",
    "email1_is_bad",
    "email2_is_bad",
    "email3_is_bad",
    "email4_is_bad",
};
static const char *const address_prefixes[] = {"primary", "address", "work", "mailing", "user_submitted", "registered"};
static const char *const address_columns[] = {
    "country_code", "country",           "state",           "city", "county", "zip", "address1", "address2", "address3",
    "fips",         "submitted_address", "geocode_accuracy"};
static const char *const address_more[] = {"street_number", "street_prefix",  "street_name", "street_type",
                                           "street_suffix", "unit_number",    "zip5",        "zip4",
                                           "sort_sequence", "delivery_point", "lot",         "carrier_route"};

static void nationbuilder_header(FILE *out)
{
    for (size_t i = 0; i < COUNT(columns); i++)
        fprintf(out, "%s,", columns[i]);
    for (size_t i = 0; i < COUNT(address_prefixes); i++) {
        const char *prefix = address_prefixes[i];
        for (size_t j = 0; j < COUNT(address_columns); j++)
            fprintf(out, "%s_%s,", prefix, address_columns[j]);
        for (size_t j = 0;
             j < COUNT(address_more) && (strcmp(prefix, "mailing") == 0 || strcmp(prefix, "registered") == 0); j++)
            fprintf(out, "%s_%s,", prefix, address_more[j]);
    }
    fputs("party_member\n", out);
}

static void cell(FILE *out, const char *text, char separator)
{
    if (!strpbrk(text, ",;\"\n")) {
        fputs(text, out);
    } else {
        fputc('"', out);
        for (const char *p = text; *p; p++) {
            if (*p == '"')
                fputc('"', out);
            fputc(*p, out);
        }
        fputc('"', out);
    }
    if (separator)
        fputc(separator, out);
}

static void commas(FILE *out, size_t count)
{
    static const char many[] = ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,";
    while (count) {
        size_t some = count < sizeof many - 1 ? count : sizeof many - 1;
        fwrite(many, 1, some, out);
        count -= some;
    }
}

/* A number as people type it: with spaces, dots, the country or nothing. */
static const char *typed_phone(const char *e164, uint64_t number, char out[24])
{
    if (!e164[0])
        return "";
    const char *n = e164 + 3;
    static const char between[] = {' ', '.', 0};
    char gap = between[number % 3];
    char *to = out;
    if (number % 5 == 0)
        return e164;
    *to++ = '0';
    *to++ = *n++;
    for (; *n; n += 2) {
        if (gap)
            *to++ = gap;
        *to++ = n[0];
        *to++ = n[1];
    }
    *to = 0;
    return out;
}

static void moment(unsigned day, uint64_t number, char out[32])
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year = 2018, month = 0;
    for (unsigned all = 365; day >= all; all = year % 4 == 0 ? 366 : 365) {
        day -= all;
        year++;
    }
    for (; day >= days[month] + (month == 1 && year % 4 == 0); month++)
        day -= days[month] + (month == 1 && year % 4 == 0);
    snprintf(out, 32, "%02u/%02u/%04u %2u:%02u %s", month + 1, day + 1, year, 1 + (unsigned)(number % 12),
             (unsigned)(number * 7 % 60), number % 2 ? "AM" : "PM");
}

static void all_tags(const struct demo_person *p, char out[160])
{
    out[0] = 0;
    for (size_t i = 0; i < p->tag_count; i++) {
        if (i)
            out = put(out, ", ");
        out = put(out, p->tags[i]);
    }
}

static void nationbuilder_person(FILE *out, const struct demo_person *p)
{
    char text[256], number[24];
    put_number(text, 100000 + p->number, 1);
    cell(out, text, ',');                     /* nationbuilder_id */
    commas(out, 7);                           /* ... salesforce_id */
    cell(out, p->female ? "Mme" : "M.", ','); /* prefix */
    cell(out, p->given, ',');
    commas(out, 1);
    cell(out, p->family, ',');
    commas(out, 1);
    char *end = put(text, p->given);
    *end++ = ' ';
    put(end, p->family);
    cell(out, text, ','); /* full_name */
    commas(out, 1);
    cell(out, p->employer, ',');
    commas(out, 1);
    cell(out, p->female ? "F" : "M", ',');     /* sex */
    commas(out, 6);                            /* ... website */
    cell(out, p->number % 9 ? "fr" : "", ','); /* language */
    cell(out, "false", ',');                   /* is_deceased */
    text[0] = 0;
    if (p->born_year) {
        end = put_number(text, p->born_month, 2);
        *end++ = '/';
        end = put_number(end, p->born_day, 2);
        *end++ = '/';
        put_number(end, p->born_year, 4);
    }
    cell(out, text, ',');     /* born_at */
    cell(out, p->email, ','); /* email1 */
    commas(out, 3);
    cell(out, p->email_opt_in ? "true" : "false", ',');
    cell(out, typed_phone(p->phone, p->number, number), ',');
    commas(out, 1);
    cell(out, p->do_not_call ? "true" : "false", ',');
    cell(out, p->do_not_contact ? "true" : "false", ',');
    cell(out, "false", ','); /* federal_donotcall */
    cell(out, typed_phone(p->mobile, p->number + 1, number), ',');
    cell(out, p->mobile_opt_in ? "true" : "false", ',');
    cell(out, "false", ','); /* is_mobile_bad */
    commas(out, 2);
    text[0] = 0;
    if (p->support)
        put_number(text, p->support, 1);
    cell(out, text, ','); /* support_level */
    commas(out, 3);
    cell(out, p->note, ',');
    commas(out, 4);
    all_tags(p, text);
    cell(out, text, ',');
    moment(p->created_day, p->number, text);
    cell(out, text, ',');
    text[0] = 0;
    if (p->unsubscribed_day)
        moment(p->unsubscribed_day, p->number, text);
    cell(out, text, ',');
    commas(out, 61); /* ... received_capital_amount_in_cents */
    cell(out, p->email, ',');
    commas(out, 4);
    for (int i = 0; i < 2; i++) { /* primary, address */
        fputs("FR,France,,", out);
        cell(out, p->city, ',');
        commas(out, 1);
        cell(out, p->postcode, ',');
        cell(out, p->street, ',');
        commas(out, 5);
    }
    commas(out, 12 + 24 + 12 + 24);
    fputs("false\n", out);
}

static void spreadsheet_person(FILE *out, const struct demo_person *p)
{
    char text[256], number[24];
    cell(out, p->female ? "Mme" : "M.", ';');
    cell(out, p->family, ';');
    cell(out, p->given, ';');
    text[0] = 0;
    if (p->born_year) {
        char *end = put_number(text, p->born_day, 2);
        *end++ = '/';
        end = put_number(end, p->born_month, 2);
        *end++ = '/';
        put_number(end, p->born_year, 4);
    }
    cell(out, text, ';');
    cell(out, p->street, ';');
    cell(out, p->postcode, ';');
    cell(out, p->city, ';');
    cell(out, p->insee, ';');
    cell(out, typed_phone(p->phone, p->number, number), ';');
    cell(out, typed_phone(p->mobile, p->number + 1, number), ';');
    cell(out, p->email, ';');
    all_tags(p, text);
    cell(out, text, ';');
    cell(out, p->email_opt_in ? "oui" : "non", ';');
    cell(out, p->unsubscribed_day ? "oui" : "", ';');
    cell(out, p->do_not_contact ? "oui" : "", ';');
    cell(out, p->note, 0);
    fputc('\n', out);
}

/* A content line, folded at 75 octets, never within a character; text is escaped here. */
struct line {
    FILE *out;
    unsigned octets;
};

static void line_byte(struct line *line, unsigned char c)
{
    bool starts_character = (c & 0xc0) != 0x80;
    if (starts_character && line->octets + 4 > 75) {
        fputs("\r\n ", line->out);
        line->octets = 1;
    }
    fputc(c, line->out);
    line->octets++;
}

static void line_raw(struct line *line, const char *text)
{
    for (; *text; text++)
        line_byte(line, (unsigned char)*text);
}

static void line_text(struct line *line, const char *text)
{
    for (; *text; text++) {
        if (*text == ',' || *text == ';' || *text == '\\')
            line_byte(line, '\\');
        line_byte(line, (unsigned char)*text);
    }
}

static void line_end(struct line *line)
{
    fputs("\r\n", line->out);
    line->octets = 0;
}

static void simple_line(struct line *line, const char *name, const char *text)
{
    if (!text[0])
        return;
    line_raw(line, name);
    line_text(line, text);
    line_end(line);
}

static void vcard_person(FILE *out, const struct demo_person *p)
{
    struct line line = {.out = out};
    char text[256];
    fputs("BEGIN:VCARD\r\nVERSION:3.0\r\n", out);
    line_raw(&line, "N:");
    line_text(&line, p->family);
    line_raw(&line, ";");
    line_text(&line, p->given);
    line_raw(&line, p->female ? ";;Mme;" : ";;M.;");
    line_end(&line);
    char *end = put(text, p->given);
    *end++ = ' ';
    put(end, p->family);
    simple_line(&line, "FN:", text);
    simple_line(&line, "ORG:", p->employer);
    simple_line(&line, "EMAIL;TYPE=INTERNET:", p->email);
    simple_line(&line, "TEL;TYPE=HOME,VOICE:", p->phone);
    simple_line(&line, "TEL;TYPE=CELL:", p->mobile);
    line_raw(&line, "ADR;TYPE=HOME:;;");
    line_text(&line, p->street);
    line_raw(&line, ";");
    line_text(&line, p->city);
    line_raw(&line, ";;");
    line_text(&line, p->postcode);
    line_raw(&line, ";France");
    line_end(&line);
    if (p->born_year) {
        end = put_number(put(text, "BDAY:"), p->born_year, 4);
        *end++ = '-';
        end = put_number(end, p->born_month, 2);
        *end++ = '-';
        put_number(end, p->born_day, 2);
        line_raw(&line, text);
        line_end(&line);
    }
    for (size_t i = 0; i < p->tag_count; i++) {
        line_raw(&line, i ? "," : "CATEGORIES:");
        line_text(&line, p->tags[i]);
    }
    if (p->tag_count)
        line_end(&line);
    simple_line(&line, "NOTE:", p->note);
    put_number(put(text, "UID:carnet-adresses-"), p->number, 8);
    line_raw(&line, text);
    line_end(&line);
    fputs("END:VCARD\r\n", out);
}

void demo_write_header(FILE *out, enum demo_format format)
{
    switch (format) {
    case DEMO_NATIONBUILDER: nationbuilder_header(out); break;
    case DEMO_VCARD: break;
    case DEMO_CSV:
        fputs("Civilité;Nom;Prénom;Date de naissance;Adresse;Code postal;Ville;Code INSEE;Téléphone "
              "fixe;Portable;Courriel;Mots-clés;"
              "Newsletter;Désinscrit;Ne pas contacter;Commentaire\n",
              out);
        break;
    }
}

void demo_write_person(FILE *out, enum demo_format format, const struct demo_person *person)
{
    switch (format) {
    case DEMO_NATIONBUILDER: nationbuilder_person(out, person); break;
    case DEMO_VCARD: vcard_person(out, person); break;
    case DEMO_CSV: spreadsheet_person(out, person); break;
    }
}
