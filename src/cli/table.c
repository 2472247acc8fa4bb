// SPDX-License-Identifier: EUPL-1.2
/* The one table of commands: parsing, usage and help come from it. Its order is that of `carnet help`. */
#include "cli.h"

const struct cli_option cli_global_options[] = {
    { "home", "DIR", 0, _("the node's folder (else CARNET_HOME, else the data folder of the user)") },
    { "json", NULL, 0, _("output for programs: one object a line") },
    { "quiet", NULL, 0, _("say nothing but results and errors") },
    { "yes", NULL, 0, _("do not ask") },
    { "lang", "fr|en", 0, _("the language of texts (else the locale's)") },
    { "help", NULL, 0, _("help on the command") },
    { "version", NULL, 0, _("the program's version") },
    { NULL, NULL, 0, NULL },
};

static const struct cli_option init_options[] = {
    { "community", "NAME", 0, _("the community's name") },
    { "node", "NAME", 0, _("the name of this device") },
    { "charter", "NAME", 0, _("the rules to begin with: campaign (default), association or town-hall") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option invite_options[] = {
    { "name", "NAME", 0, _("the person or office who is invited") },
    { "role", "ROLE", 0, _("admin, office, volunteer, gateway or relay") },
    { "book", "BOOK", CLI_REPEAT, _("a book that they hold (else all of yours)") },
    { "scope", "SCOPE", CLI_REPEAT, _("a scope that they read (else all of yours; volunteer: identity postal notes; relay: none)") },
    { "expires", "DURATION", 0, _("how long the membership lasts (volunteer and gateway: else 90d)") },
    { "code-expires", "DURATION", 0, _("how long the code may be used (else 24h)") },
    { "address", "tcp://HOST:PORT", CLI_REPEAT, _("where they reach this node (else where it listens)") },
    { "qr", NULL, 0, _("also show the code as a QR image in the terminal") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option join_options[] = {
    { "node", "NAME", 0, _("the name of this device") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option node_options[] = {
    { "listen", "tcp://ADDRESS:PORT", 0, _("where peers reach this node; remembered (first time: tcp://127.0.0.1:0, any port)") },
    { "connect", "[NAME@]tcp://HOST:PORT", CLI_REPEAT, _("a peer to stay connected with; remembered") },
    { "no-console", NULL, 0, _("no web pages") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option bundle_export_options[] = {
    { "for", "NODE", 0, _("the member or node that it is for: only what they may have (else: every member)") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option field_add_options[] = {
    { "type", "TYPE", 0, _("text, longtext, number, decimal, date, choice, choices, bool, email, phone or url; required") },
    { "scope", "SCOPE", 0, _("who may read it and which purpose covers it: identity (default), email, phone, postal, social, opinion or notes") },
    { "choice", "VALUE", CLI_REPEAT, _("one of the choices, in their order") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option add_options[] = {
    { "book", "BOOK", 0, _("the book (else the only one, or main)") },
    { "grant", "PURPOSE", CLI_REPEAT, _("a use that the person agreed to (else file)") },
    { "basis", "BASIS", 0, _("consent (default), legitimate-interest, explicit-consent, member or roll") },
    { "source", "TEXT", 0, _("where this comes from; required") },
    { "proof", "TEXT", 0, _("how the agreement is proved") },
    { "collected", "DATE", 0, _("the day it was collected (YYYY-MM-DD; else today)") },
    { "until", "DATE", 0, _("the agreement ends that day") },
    { "channel", "TEXT", 0, _("by what it came: paper, web, phone, doorstep...") },
    { "method", "TEXT", 0, _("how it was collected: form, event, call...") },
    { "wording", "LANGUAGE|VERSION", 0, _("the text that the person agreed to (else the current one in your language)") },
    { "direct", "yes|no", 0, _("whether the person gave it themselves") },
    { "age-band", "TEXT", 0, _("the age that the person said: 17+, 25-34...") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option edit_options[] = {
    { "rectify", NULL, 0, _("the former value was wrong: drop it everywhere at once") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option find_options[] = {
    { "book", "BOOK", 0, _("in this book only") },
    { "limit", "N", 0, _("at most so many (default 100 on a terminal, else no limit)") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option import_options[] = {
    { "book", "BOOK", 0, _("the book (else the only one, or main)") },
    { "format", "auto|csv|vcard|json", 0, _("the file's format (auto: recognised)") },
    { "map", "COLUMN=FIELD", CLI_REPEAT, _("read this column as this field; or tags, name, consent:PURPOSE (yes: they agreed), object:PURPOSE (they refuse), - (left out)") },
    { "grant", "PURPOSE", CLI_REPEAT, _("what everybody in the file agreed to, besides file") },
    { "source", "TEXT", 0, _("where the file comes from; required") },
    { "collected", "DATE", 0, _("the day it was collected; required") },
    { "basis", "BASIS", 0, _("what allows it: consent, legitimate-interest, explicit-consent, member or roll; required") },
    { "channel", "TEXT", 0, _("by what it came: paper, web, phone, doorstep...") },
    { "method", "TEXT", 0, _("how it was collected: form, event, call...") },
    { "wording", "LANGUAGE|VERSION", 0, _("the text that these people agreed to (else none is recorded)") },
    { "direct", "yes|no", 0, _("whether these people gave it themselves") },
    { "ballot", "DATE", 0, _("of an electoral roll: the day of the ballot that it serves; required then") },
    { "rejects", "FILE", CLI_FILE_OUT, _("where the rows that cannot be read go (else FILE.rejected)") },
    { "dry-run", NULL, 0, _("show what the columns are taken for, write nothing") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option export_options[] = {
    { "book", "BOOK", 0, _("of this book only") },
    { "format", "csv|vcard|json", 0, _("the file's format (else by its name: .csv .vcf .json)") },
    { "segment", "QUERY", 0, _("only these contacts, as `find` finds them") },
    { "purpose", "PURPOSE", 0, _("only who agreed to this use, and only what it covers") },
    { "for", "MEMBER", 0, _("seal the file for this member: only they open it, on their own node") },
    { "plain", NULL, 0, _("in clear, for whoever holds the file: needs the right, and --reason") },
    { "reason", "TEXT", 0, _("why it goes out in clear; it is written into the file") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option unseal_options[] = {
    { "reason", "TEXT", 0, _("why it goes out in clear; required") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option grant_options[] = {
    { "source", "TEXT", 0, _("how the person agreed; required") },
    { "basis", "BASIS", 0, _("consent (default), legitimate-interest, explicit-consent, member or roll") },
    { "proof", "TEXT", 0, _("how the agreement is proved; required after a refusal") },
    { "collected", "DATE", 0, _("the day it was collected (YYYY-MM-DD; else today)") },
    { "until", "DATE", 0, _("the agreement ends that day") },
    { "channel", "TEXT", 0, _("by what it came: paper, web, phone, doorstep...") },
    { "method", "TEXT", 0, _("how it was collected: form, event, call...") },
    { "wording", "LANGUAGE|VERSION", 0, _("the text that the person agreed to (else the current one in your language)") },
    { "direct", "yes|no", 0, _("whether the person gave it themselves") },
    { "age-band", "TEXT", 0, _("the age that the person said: 17+, 25-34...") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option invalidate_options[] = {
    { "reason", "TEXT", 0, _("why; it is kept with the evidence") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option segment_options[] = {
    { "book", "BOOK", 0, _("in this book only") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option segment_save_options[] = {
    { "purpose", "PURPOSE", 0, _("what it is for: what may choose people for it is checked") },
    { "book", "BOOK", 0, _("the book (else the only one, or main)") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option withdraw_options[] = {
    { "now", NULL, 0, _("destroy the keys at once, instead of after 72 hours: what they covered is never readable again") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option object_options[] = {
    { "all", NULL, 0, _("to every use") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option resolve_options[] = {
    { "keep", "N", 0, _("keep the value number N, in the order that `carnet conflicts` shows") },
    { "keep-all", NULL, 0, _("keep them all: the others get the labels 2, 3...") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option merge_options[] = {
    { "dry-run", NULL, 0, _("show the person that it would be, write nothing") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option duplicates_options[] = {
    { "book", "BOOK", 0, _("in this book only") },
    { "limit", "N", 0, _("at most so many (default 100 on a terminal, else no limit)") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option erase_options[] = {
    { "reason", "TEXT", 0, _("why; it is not kept in the log") },
    { NULL, NULL, 0, NULL },
};

static const struct cli_option access_options[] = {
    { "out", "FILE", CLI_FILE_OUT, _("where the data go, as JSON; the letter goes beside it (FILE.txt)") },
    { "text", "FILE", CLI_FILE_OUT, _("where the letter goes instead") },
    { "received", "DATE", 0, _("only record that the person asked, that day: the answer is due in a month") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option purge_options[] = {
    { "dry-run", NULL, 0, _("only count") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option register_options[] = {
    { "breach", "MEMBER", 0, _("the sheet for a lost or stolen device of that member instead") },
    { "noticed", "DATE", 0, _("the day it was noticed, for the 72 hours (else now)") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option audit_options[] = {
    { "since", "DATE", 0, _("from that day on") },
    { "prune", NULL, 0, _("drop first what is older than 12 months") },
    { NULL, NULL, 0, NULL },
};
static const struct cli_option help_options[] = {
    { "man", NULL, 0, _("as a page of the manual") },
    { "completion", "bash|zsh|fish", 0, _("what this shell needs to complete commands and options") },
    { NULL, NULL, 0, NULL },
};

const struct cli_command cli_commands[] = {
    { "init", "--community NAME --node NAME [--charter NAME]", _("make a new community; this node is its founder"),
      _("Prints the recovery key once: it is the root of the community. Write it on paper and keep it away from this machine. Asks for a passphrase that protects "
        "this node's keys on the disk, or reads it from the file that CARNET_PASSPHRASE_FILE names."), init_options, 0, 0, CLI_OWN_HOME,
      cmd_init, NULL },
    { "invite", "--name NAME --role ROLE [OPTION...]", _("make a code with which somebody joins"),
      _("The code works once, in its time, while this node runs and can be reached at one of its addresses. Nobody gets more rights than you have. Roles: an admin may "
        "do everything; an office everything but the books and rules of the community; a volunteer adds, edits, tags and notes, and records what people agree to or "
        "refuse; a gateway sends messages; a relay stores and passes on what it cannot read. Scopes: identity (names, birth, tags), email, phone, postal, social, "
        "opinion, notes, consent."), invite_options,
      0, 0, 0, cmd_invite, NULL },
    { "join", "CODE --node NAME", _("join a community with a code"),
      _("The node that made the code must be running and reachable. Asks for a passphrase as init does."), join_options, 1, 1,
      CLI_OWN_HOME, cmd_join, NULL },
    { "node", "[--listen ADDRESS] [--connect PEER]...", _("run this node: stay in touch with its peers"),
      _("Prints a line `ready listen=... console=...` when it is up, runs until Ctrl-C or SIGTERM. Commands work the same while it runs."), node_options, 0, 0,
      CLI_OWN_HOME, cmd_node, NULL },
    { "sync", "[[NAME@]tcp://HOST:PORT...]", _("meet peers once and exchange what each lacks"), _("Without an address: every member who has one."), NULL, 0, -1, 0,
      cmd_sync, NULL },
    { "bundle export", "FILE [--for NODE]", _("write what a peer lacks into a file, for a USB stick"),
      _("What it holds stays sealed for whoever has no key, but who wrote how much and when can be read: keep it like a letter."), bundle_export_options, 1, 1,
      CLI_WORD_OUT, cmd_bundle_export, NULL },
    { "bundle import", "FILE", _("take in such a file"), NULL, NULL, 1, 1, CLI_WORD_IN, cmd_bundle_import, NULL },
    { "status", "", _("this node, its community, its peers"), NULL, NULL, 0, 0, 0, cmd_status, NULL },
    { "members", "", _("who belongs to the community, and what they may read"), NULL, NULL, 0, 0, 0, cmd_members, NULL },
    { "revoke", "MEMBER", _("a member's node is lost or not trusted any more: no other talks with it"),
      _("MEMBER is the member or the node, as `carnet members` says. Only who invited it, or somebody above, may; it cannot be taken back, so it asks first. What it wrote and is here stands; what comes "
        "later is refused, but for refusals of people. Lists what an office took in beyond that place before it knew. Its keys stay what they are: what it could read, it still reads in the "
        "copies that it has or gets."), NULL, 1, 1, CLI_ASKS, cmd_revoke, NULL },
    { "peers", "", _("the sessions with other nodes, now"), NULL, NULL, 0, 0, 0, cmd_peers, NULL },
    { "book list", "", _("the books of the community"), NULL, NULL, 0, 0, 0, cmd_book_list, NULL },
    { "book add", "NAME", _("make a new book"), NULL, NULL, 1, 1, 0, cmd_book_add, NULL },
    { "charter show", "", _("the rules of the community: numbers, purposes, fields, wordings"), NULL, NULL, 0, 0, 0, cmd_charter_show, NULL },
    { "charter set", "KEY VALUE", _("change a rule (an admin)"),
      _("Keys: dark_after, history, alive_after, opt_in, contact, prospect, inform (durations: 72h, 30d); country (FR); purpose/NAME \"scopes=identity email; "
        "channels=email; basis=consent\" or retired; field/NAME; wording/PURPOSE/LANG, the text that people agree to; ballot/YYYY-MM-DD, the name of an election; "
        "recipient/NAME; selector/FIELD, why online targeting may not choose people by it; controller; dpo; contact_point. An empty value takes back what was said. A purpose defined anew changes nothing for those who agreed before: "
        "what they agreed to stays as it was. Of rules that two admins change without seeing each other the strictest holds until one of them says it again."),
      NULL, 2, 2, 0, cmd_charter_set, NULL },
    { "field list", "", _("the fields of a contact"), NULL, NULL, 0, 0, 0, cmd_field_list, NULL },
    { "field add", "NAME --type TYPE [--scope SCOPE] [--choice VALUE]...", _("add a field of your own (an admin)"),
      _("It stays for good, with its type and its scope. What may tell of health, religion or opinions belongs in --scope opinion, that fewer people read and that only the "
        "purpose profile covers; without --scope, everybody who reads names reads it. Example: carnet field add tshirt --type choice --choice S --choice M --choice L"),
      field_add_options, 1, 1, 0, cmd_field_add, NULL },
    { "verify", "", _("check that everything here is what the log says"),
      _("Checks the file, every signature and hash, and that the views are what the log says; prints the hash of each book's state: equal on two nodes, they agree."),
      NULL, 0, 0, 0, cmd_verify, NULL },
    { "rebuild", "", _("make the views again from the log"), NULL, NULL, 0, 0, 0, cmd_rebuild, NULL },

    { "add", "FIELD=VALUE... --source TEXT [OPTION...]", _("add a contact"),
      _("Fields: given family birth_name gender born language employer; email; phone; street postcode city country insee polling_station; website handle; support "
        "issues; note. A label after a slash tells several apart: phone/mobile. A field needs a purpose that covers it: file covers identity; newsletter and targeted "
        "add email; sms and call phone; mail and canvass the postal address; social the accounts; profile opinion and notes; membership e-mail, phone and postal address."),
      add_options, 1, -1, 0, cmd_add, NULL },
    { "edit", "ID FIELD=VALUE... [--rectify]", _("change a contact's fields (FIELD= empties one)"),
      _("ID is what `carnet find` shows at the beginning of a line; its first letters are enough. Example: carnet edit 7xk2 phone/mobile=0639980001 employer="), edit_options, 2, -1, 0, cmd_edit, NULL },
    { "find", "[QUERY...] [--book BOOK] [--limit N]", _("find contacts"),
      _("Words find names, e-mail addresses and phone numbers by their beginning. field:value, tag:NAME, consent:PURPOSE, email:* (has one), age:18-25, changed:<30d, "
        "added:2026-01, source:TEXT, import:ID, basis:roll, book:NAME, segment:NAME; a space is and, `or`, a dash in front is not, parentheses, \"a phrase\"."),
      find_options, 0, -1, CLI_SIGNED_WORDS, cmd_find, NULL },
    { "segment save", "NAME QUERY... [--purpose PURPOSE] [--book BOOK]", _("give a query a name, for everybody with the book"),
      _("The query is as of `carnet find`; segment:NAME in a query is whoever is in it. An existing name gets the new query. With a purpose it is refused at once when that "
        "purpose may not choose people so: a newsletter goes to all who subscribed, and online targeting may use nothing of a special category, no name, no roll."),
      segment_save_options, 2, -1, CLI_SIGNED_WORDS, cmd_segment_save, NULL },
    { "segment list", "[--book BOOK]", _("the segments"), NULL, segment_options, 0, 0, 0, cmd_segment_list, NULL },
    { "segment show", "NAME [--book BOOK] [--limit N]", _("who is in a segment"), NULL, find_options, 1, 1, 0, cmd_segment_show, NULL },
    { "segment count", "NAME|QUERY... [--book BOOK]", _("how many are in a segment, or match a query"), NULL, segment_options, 0, -1, CLI_SIGNED_WORDS, cmd_segment_count, NULL },
    { "show", "ID", _("a contact, whole"), NULL, NULL, 1, 1, 0, cmd_show, NULL },
    { "history", "ID", _("what happened to a contact"), NULL, NULL, 1, 1, 0, cmd_history, NULL },
    { "tag", "ID +TAG|-TAG...", _("set and remove tags"), _("Example: carnet tag 7xk2 +market -press"), NULL, 2, -1, CLI_SIGNED_WORDS, cmd_tag, NULL },
    { "note", "ID TEXT...", _("add a note about a contact"), NULL, NULL, 2, -1, 0, cmd_note, NULL },
    { "import", "FILE --source TEXT --collected DATE --basis BASIS [OPTION...]", _("import contacts from a CSV or vCard file, or from an export"),
      _("Reads CSV, vCard, either of them in a .zip, Carnet's own JSON, and a sealed export that is for you. Columns are recognised by their names and by what they hold; "
        "--dry-run shows how, --map overrules. A column that no field holds can be kept: `carnet field add NAME --type text`, then --map COLUMN=NAME. A row is known again by "
        "its own id or by the same name, birth date and one same e-mail or phone; the same file again changes nothing. An opt-in column of the file is an agreement, an "
        "opt-out column a refusal; neither needs --grant."),
      import_options, 1, 1, CLI_WORD_IN | CLI_STOPS, cmd_import, cli_check_import },
    { "imports", "", _("what was imported, by whom, and how it ended"),
      _("A line for each import that wrote something: done, interrupted (the same command goes on where it stopped), running or undone."), NULL, 0, 0, 0, cmd_imports, NULL },
    { "imports undo", "ID", _("take back what an import wrote"),
      _("Contacts that it made and that nobody has touched since are erased; the others get back what it replaced and lose what it added. What others wrote later stays, and "
        "so does every refusal. It asks first; interrupted, run it again."), NULL, 1, 1, CLI_ASKS | CLI_STOPS, cmd_imports_undo, NULL },
    { "export", "FILE --for MEMBER|--plain --reason TEXT [OPTION...]", _("write contacts into a file: CSV, vCard, or Carnet's own JSON"),
      _("Only what these people let out goes into it. CSV and vCard cannot say what people agreed to or refused: the file says so itself. JSON says all of it, and "
        "`carnet import` reads it back. A file for a MEMBER is sealed: they open it with `carnet import` or `carnet unseal`, on their own node; only the books and scopes "
        "that they may read go into it."),
      export_options, 1, 1, CLI_WORD_OUT | CLI_ASKS_PLAIN, cmd_export, cli_check_export },
    { "unseal", "FILE OUT --reason TEXT", _("write a sealed export in clear"),
      _("For those to whom the file is sealed and who may write contacts in clear. `carnet import FILE` needs no such copy."), unseal_options, 2, 2,
      CLI_WORD_IN | CLI_WORD2_OUT | CLI_ASKS, cmd_unseal, cli_check_unseal },
    { "consent", "ID", _("what a contact agreed to"),
      _("A line for each purpose: its state (given, renewed, requested, refused, withdrawn, objected, expired, invalidated), what allows it, since when, and where that comes from."), NULL, 1, 1, 0, cmd_consent, NULL },
    { "consent grant", "ID PURPOSE --source TEXT [OPTION...]", _("record that a contact agreed"),
      _("Purposes: file (to be in this file), newsletter, targeted, sms, call, mail, canvass, social, profile, membership. After a refusal, a new agreement needs "
        "--proof and the countersignature of another member; until then it is `requested`."), grant_options, 2, 2, 0,
      cmd_consent_grant, NULL },
    { "consent withdraw", "ID PURPOSE... [--now]", _("a contact does not agree any more"),
      _("Blocks at once, on every node that learns of it; 72 hours later the key is destroyed and nobody reads those fields again."), withdraw_options, 2, -1, 0,
      cmd_consent_withdraw, NULL },
    { "consent object", "ID PURPOSE...|--all", _("a contact objects to a use"), NULL, object_options, 1, -1, 0, cmd_consent_object, NULL },
    { "consent countersign", "ID PURPOSE", _("confirm an agreement that another member recorded on paper"), NULL, NULL, 2, 2, 0, cmd_consent_countersign, NULL },
    { "consent invalidate", "ID PURPOSE [--reason TEXT]", _("the proof of an agreement turned out to be worth nothing"),
      _("The agreement counts no more, on every node that learns of it. It is no refusal: the person may agree again."), invalidate_options, 2, 2, 0, cmd_consent_invalidate, NULL },
    { "conflicts", "", _("fields that two people changed without seeing each other"),
      _("Both values stay until somebody settles it with `carnet resolve`; the first one is shown meanwhile."), NULL, 0, 0, 0, cmd_conflicts, NULL },
    { "resolve", "ID FIELD VALUE|--keep N|--keep-all", _("settle a conflict"),
      _("Examples: carnet resolve 7xk2 phone --keep 1 (as numbered by `carnet conflicts`); carnet resolve 7xk2 phone --keep-all; carnet resolve 7xk2 phone 0639980001"),
      resolve_options, 2, 3, 0, cmd_resolve, NULL },
    { "duplicates", "[--book BOOK] [--limit N]", _("contacts that may be one person"),
      _("Pairs with a same e-mail address or phone; or a same family or birth name, and the birth date, the first name and the street, or the address and the gender. Nobody is "
        "merged without you: `carnet merge` when they are one, `carnet distinct` when they are not."), duplicates_options, 0, 0, 0, cmd_duplicates, NULL },
    { "merge", "A B [--dry-run]", _("say that two contacts are one person"),
      _("A stays, B leads to it. Each value stays in the contact that it was typed into, an agreement opens the contact that it stands on, a refusal on either blocks both. "
        "It can be undone at any time: carnet unmerge. Look first with --dry-run."), merge_options, 2, 2, CLI_ASKS, cmd_merge, NULL },
    { "unmerge", "B", _("make a merged contact a person of its own again"),
      _("Each contact keeps what was typed into it, also since. The pair is not proposed again."), NULL, 1, 1, 0, cmd_unmerge, NULL },
    { "distinct", "A B", _("say that two contacts are two persons"), _("They are not proposed as duplicates again, on any node."), NULL, 2, 2, 0, cmd_distinct, NULL },
    { "erase", "ID [--reason TEXT]", _("erase a contact and all that is about them, on every node"),
      _("It cannot be taken back, so it asks first. The other nodes erase when they meet one that knows; `carnet erasures` tells which have done it."), erase_options, 1, 1, CLI_ASKS, cmd_erase, NULL },
    { "erasures", "", _("what was erased, and which nodes have confirmed"), NULL, NULL, 0, 0, 0, cmd_erasures, NULL },
    { "sweep", "", _("remove now what erasing left on this disk, and confirm it to the others"), NULL, NULL, 0, 0, 0, cmd_sweep, NULL },
    { "restrict", "ID", _("keep a contact and use it for nothing"),
      _("For as long as somebody disputes what is kept, or asks for it (GDPR, article 18). Blocks the person, and notes about them, on every node; `carnet lift` ends it."), NULL, 1, 1, 0,
      cmd_restrict, NULL },
    { "lift", "ID", _("end the restrictions of a contact"), NULL, NULL, 1, 1, 0, cmd_lift, NULL },
    { "access", "ID [--out FILE] [--received DATE]", _("all that is known of a person, for them"),
      _("The answer to who asks what is kept about them (GDPR, articles 15 and 20): every field, its source, who wrote it and when, every agreement and refusal, who can read it, how long it is "
        "kept; blocked data too. With --out JSON and a letter, else the letter; --json: the JSON. In the language of --lang."),
      access_options, 1, 1, 0, cmd_access, NULL },
    { "tasks", "", _("what the law asks of this office now"),
      _("People who must be told that their data are here (inform), answers due (access), values that were destroyed though the person agrees (collect), outside recipients to be told of an erasure "
        "(tell), people whom nothing allows to keep (retention)."),
      NULL, 0, 0, 0, cmd_tasks, NULL },
    { "tasks done", "TASK", _("say that a task is done"),
      _("TASK is what `carnet tasks` shows at the beginning of a line. With the id of a contact: they were told that their data are here."), NULL, 1, 1, CLI_STOPS, cmd_tasks_done, NULL },
    { "retention", "", _("people whom nothing allows to keep any more"),
      _("silent: no word from them for three years (charter: contact); ended: every agreement is over; refused: they refused every use. They are blocked already."), NULL, 0, 0, 0, cmd_retention,
      NULL },
    { "retention erase", "", _("erase them"), NULL, NULL, 0, 0, CLI_ASKS | CLI_STOPS, cmd_retention_erase, NULL },
    { "purge", "BALLOT [--dry-run]", _("after a ballot: erase what was collected for it"),
      _("BALLOT is its day (YYYY-MM-DD), as the import of the roll gave it. Members, regular contacts and those who agreed to anything beyond it stay; what the roll alone covered is destroyed. "
        "It may be stopped: the same command goes on."),
      purge_options, 1, 1, CLI_ASKS | CLI_STOPS, cmd_purge, NULL },
    { "register", "[--breach MEMBER [--noticed DATE]]", _("the register of processing activities, or the sheet for a lost device"),
      _("Printed from the charter (GDPR, article 30): purposes, data, legal bases, recipients, retention, security. --breach: what the device could read, of how many people, the 72 hours, what to do."),
      register_options, 0, 0, 0, cmd_register, NULL },
    { "audit", "[--since DATE] [--prune]", _("what was done at this node with people's data, and whether that trail is whole"),
      _("Unlocks, searches (counts), imports, exports, messages, consent changes, erasures, administration, access. Each row is signed by this node and bound to the one before; "
        "it says nothing about any person and never leaves this machine. Rows are kept 12 months."), audit_options, 0, 0, 0, cmd_audit, NULL },
    { "help", "[COMMAND] [--man] [--completion SHELL]", _("this list, or help on a command"),
      _("For your shell: source <(carnet help --completion bash). For `man`: carnet help --man COMMAND | man -l -"), help_options, 0, 2, CLI_NO_HOME, cmd_help, NULL },
    { NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL },
};
