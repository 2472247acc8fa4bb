#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Four files as a French office has them in hand, about one invented town: its electoral roll (REU shape), last year's newsletter
list (Mailchimp shape), a volunteer's telephone (vCard 2.1 and 3.0 as telephones write them), an unsubscribe list (Brevo shape).

usage: office_files.py DIR VOTERS    writes roll.csv newsletter.csv phone.vcf unsubscribed.csv; the same ones for the same number."""
import random
import sys

GIVEN = ("Zoé Léa Inès Chloé Manon Camille Jeanne Louise Anaïs Noémie Hugo Jules Léo Noé Élie Théo Malo Gaël Loïc Rémi Ahmed Fatou Ilyès "
         "Aya Mehdi Sofia Marie-Anne Jean-Luc Anne Paul Simone André Yvette Aimé").split()
FAMILY = ("Martin Bernard Lefèvre Dubois Garnier Le Goff d’Artois Benali N’Diaye Garcia Müller Nguyen Dupont-Moretti Lœuillet Pélissier Ferré "
          "Bouvier Chauvet Delmas Esnault Fabre Guérin Haddad Issa Joly Kaya Leroux Marchand Noël Ollivier Perrin Quéré Roche Sauvage Tessier "
          "Urbain Vidal Weber Xavier Yilmaz Zidane").replace("Le Goff", "Le_Goff").split()
STREETS = ["rue des Lilas", "avenue de la République", "chemin du Moulin", "place de l’Église", "impasse des Acacias", "boulevard Jean-Jaurès"]
ROLL = ("code du l'ugle;libellé de l'ugle;libellé du type de liste;nom de naissance;nom d'usage;prénoms;sexe;date de naissance;code commune de naissance;"
        "libellé commune de naissance;code département de naissance;pays de naissance;libellé nationalité;numéro de voie;libellé de voie;complément 1;"
        "complément 2;lieu-dit;code postal;commune;pays;code du bureau de vote;libellé du bureau de vote;code circonscription législative du bureau de vote;"
        "libellé canton du bureau de vote;libellé circonscription métropolitaine du bureau de vote;numéro d'ordre dans le bureau de vote")


def main():
    folder, voters = sys.argv[1], int(sys.argv[2])
    rnd = random.Random(20260101)
    people = []
    for i in range(voters):
        female = rnd.random() < 0.5
        family = rnd.choice(FAMILY).replace("_", " ")
        people.append({
            "given": rnd.choice(GIVEN), "birth": family, "used": rnd.choice(FAMILY).replace("_", " ") if female and rnd.random() < 0.3 else "",
            "sex": "F" if female else "M", "born": "%02d/%02d/%d" % (rnd.randint(1, 28), rnd.randint(1, 12), rnd.randint(1930, 2007)),
            "number": str(rnd.randint(1, 120)), "street": rnd.choice(STREETS), "station": rnd.randint(1, 24), "n": i,
        })

    def quoted(cells):
        return ";".join('"%s"' % c if c else "" for c in cells[:-1]) + ";" + cells[-1] + "\n"

    with open(folder + "/roll.csv", "w", encoding="utf-8", newline="") as out:
        out.write(ROLL + "\n")
        for p in people:
            born = p["born"] if p["n"] % 97 else "00/00/" + p["born"][6:]
            out.write(quoted(["38999", "Ville-Neuve", "liste principale", p["birth"], p["used"], p["given"], p["sex"], born, "38185", "Grenoble", "38", "FRANCE",
                              "Française", p["number"], p["street"], "", "", "", "38999", "VILLE-NEUVE", "France" if p["n"] % 3 else "FRANCE",
                              "" if p["n"] % 211 == 5 else "%04d" % p["station"], "Bureau %d" % p["station"], "3801", "Canton 1", "", str(p["n"] % 900 + 1)]))

    count = max(voters // 16, 20)
    readers = people[:count]
    with open(folder + "/newsletter.csv", "w", encoding="utf-8", newline="") as out:
        out.write("Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,Phone Number,TAGS\r\n")
        for p in readers:
            out.write('%s,%s,%s,2,2025-03-%02d 10:00:00,192.0.2.%d,2025-03-%02d 10:05:00,192.0.2.%d,%s,"lettre,2025"\r\n' % (
                mail(p), p["given"], p["used"] or p["birth"], p["n"] % 28 + 1, p["n"] % 250 + 1, p["n"] % 28 + 1, p["n"] % 250 + 1, phone(p) if p["n"] % 3 == 1 and p["n"] % 7 else ""))

    friends = people[count // 2: count // 2 + max(count // 4, 10)] + people[count: count + 8]
    with open(folder + "/phone.vcf", "w", encoding="utf-8", newline="") as out:
        for p in friends:
            # typed in a hurry, now and then; the lists say it otherwise
            family = (p["used"] or p["birth"]).upper() if p["n"] % 5 == 0 or p["n"] % 14 == 0 else p["used"] or p["birth"]
            out.write("BEGIN:VCARD\r\nVERSION:3.0\r\nN:%s;%s;;;\r\nFN:%s %s\r\nTEL;TYPE=CELL:%s\r\n" % (
                family, p["given"], p["given"], family, phone(p)))
            if p["n"] % 2 == 0:
                out.write("EMAIL;TYPE=INTERNET:%s\r\n" % mail(p).upper())
            if p["n"] % 4 == 0:
                out.write("EMAIL;TYPE=HOME:chez.%d@example.org\r\n" % p["n"])
            out.write("CATEGORIES:myContacts\r\nEND:VCARD\r\n")

    gone = readers[::7] + people[count + 2: count + 4]
    with open(folder + "/unsubscribed.csv", "w", encoding="cp1252", newline="") as out:
        out.write("EMAIL;NOM;PRENOM;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED;ADDED_TIME;MODIFIED_TIME\r\n")
        for i, p in enumerate(gone):
            named = i % 2 == 0
            out.write("%s;%s;%s;;Yes;No;12-04-2025 09:30;13-04-2025 10:00\r\n" % (mail(p), (p["used"] or p["birth"]) if named else "", p["given"] if named else ""))
        # somebody nobody knows yet
        out.write("personne@example.org;;;;Yes;No;12-04-2025 09:30;13-04-2025 10:00\r\n")


def phone(p):
    return "06 39 98 %02d %02d" % (p["n"] // 100 % 100, p["n"] % 100)


def mail(p):
    return "personne.%d@example.org" % p["n"]


main()
