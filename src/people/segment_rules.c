// SPDX-License-Identifier: EUPL-1.2
/* What a query may choose people by, and why not: include/carnet/people/segment.h has the list. */
#include "carnet/people/segment.h"

#include "query_node.h"

#include <stdio.h>
#include <string.h>

enum { AGE_MIN = 17 };

/* A catalogue key: translated when it is set. */
#define _(text) text

struct check {
    const struct carnet_charter *charter;
    const struct carnet_purpose_def *purpose;
    bool newsletter;
    struct carnet_err *err;
};

static carnet_rc refuse(const struct check *c, const struct query_node *node, const char *selector, const char *reason)
{
    enum carnet_lang lang = c->err ? c->err->lang : CARNET_LANG_EN;
    carnet_rc rc = carnet_err_set(c->err, CARNET_REFUSED, "column %zu: a segment for %s may not choose people by %s", node->column, c->purpose->name, carnet_tr(lang, selector));
    carnet_err_hint(c->err, "%s", carnet_tr(lang, reason));
    return rc;
}

/* A word of the name begins so: words are parted by _. */
static bool has_word(const char *name, const char *begin, bool whole)
{
    size_t len = strlen(begin);
    for (const char *at = name; (at = strstr(at, begin)); at++)
        if ((at == name || at[-1] == '_') && (!whole || !at[len] || at[len] == '_'))
            return true;
    return false;
}

/* Names of a community's own fields that tell of an origin, or of another special category. */
static bool is_special_name(const char *name)
{
    static const char *const begins[] = { "birthplace", "birth_place", "place_of_birth", "naissance", "nationalit", "citizenship", "citoyennete", "origin", "ethni", "religi",
                                          "confession", "croyance", "belief", "philosoph", "sante", "health", "handicap", "disab", "sexu", "syndic", "opinion", "politi" };
    static const char *const words[] = { "race", "culte", "faith", "union", "parti", "party", "vote", "votes", "orientation" };
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (has_word(name, begins[i], false))
            return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (has_word(name, words[i], true))
            return true;
    return false;
}

static carnet_rc check_field(const struct check *c, const struct query_node *node)
{
    const struct carnet_field_def *def = carnet_field_by_number(c->charter, node->field);
    if (!def)
        return CARNET_OK;
    if (def->scope == CARNET_SCOPE_OPINION)
        return refuse(c, node, def->name, _("an opinion is of a special category, which online targeting may not use (Regulation (EU) 2024/900, article 18)"));
    if (def->scope == CARNET_SCOPE_NOTES || def->scope == CARNET_SCOPE_CONSENT)
        return refuse(c, node, def->name, _("free text may hold special categories, which online targeting may not use (Regulation (EU) 2024/900, article 18)"));
    switch (def->field) {
    case CARNET_FIELD_GIVEN:
    case CARNET_FIELD_FAMILY:
    case CARNET_FIELD_BIRTH_NAME:
        return refuse(c, node, def->name, _("a name may tell of an origin, which online targeting may not use (GDPR, article 9)"));
    case CARNET_FIELD_POLLING_STATION:
        return refuse(c, node, def->name, _("it comes from the electoral roll: only what the person gave may be used (Regulation (EU) 2024/900, article 18)"));
    case CARNET_FIELD_SOURCE_ID:
        return refuse(c, node, def->name, _("it is another file's: only what the person gave may be used (Regulation (EU) 2024/900, article 18)"));
    default:
        break;
    }
    if (def->custom && is_special_name(def->name))
        return refuse(c, node, def->name, _("its name says a special category or an origin, which online targeting may not use (Regulation (EU) 2024/900, article 18)"));
    return CARNET_OK;
}

/* selector/FIELD of the charter; the text is the community's own. */
static carnet_rc check_added(const struct check *c, const struct query_node *node, const char *name)
{
    char key[80];
    snprintf(key, sizeof key, "selector/%s", name);
    const struct carnet_charter_text *text = carnet_charter_text_find(c->charter, carnet_slice_str(key));
    if (!text)
        return CARNET_OK;
    carnet_rc rc = refuse(c, node, name, "");
    carnet_err_hint(c->err, "the charter says: %.*s", (int)text->value.len, (const char *)text->value.ptr);
    return rc;
}

static carnet_rc check_consent(const struct check *c, const struct query_node *node)
{
    bool any = carnet_slice_equal(node->name, carnet_slice_str("*"));
    const struct carnet_purpose_def *def;
    for (size_t i = 0; (def = carnet_purpose_at(c->charter, i)); i++) {
        bool named = any || carnet_slice_equal(node->name, carnet_slice_str(def->name));
        bool tells = def->scopes >> CARNET_SCOPE_OPINION & 1 || strcmp(def->name, "membership") == 0 || def->bases == 1u << CARNET_BASIS_MEMBER;
        if (named && tells)
            return refuse(c, node, def->name, _("who agreed to this has an opinion: a special category, which online targeting may not use (Regulation (EU) 2024/900, article 18)"));
    }
    return CARNET_OK;
}

static carnet_rc check_targeting(const struct check *c, const struct query_node *node)
{
    const char *name = NULL;
    carnet_rc rc = CARNET_OK;
    switch (node->kind) {
    case QUERY_ALL:
    case QUERY_AND:
    case QUERY_OR:
    case QUERY_NOT:
        return CARNET_OK;
    case QUERY_WORDS:
        return refuse(c, node, _("a word"), _("words search names, and a name may tell of an origin: say the field, as city:Grenoble"));
    case QUERY_VALUE:
    case QUERY_CODE:
    case QUERY_NUMBER:
    case QUERY_DECIMAL:
    case QUERY_BORN: {
        const struct carnet_field_def *def = carnet_field_by_number(c->charter, node->field);
        rc = check_field(c, node);
        name = def ? def->name : NULL;
        break;
    }
    case QUERY_AGE:
        if (node->high < AGE_MIN)
            return refuse(c, node, "age", _("nobody may target online who is under 17 (Regulation (EU) 2024/900, article 18)"));
        name = "age";
        break;
    case QUERY_TAG:
        name = "tag";
        break;
    case QUERY_CONSENT:
        return check_consent(c, node);
    case QUERY_BASIS:
        return refuse(c, node, "basis", _("who is a member or on a roll is known by it: only what the person gave may be used (Regulation (EU) 2024/900, article 18)"));
    case QUERY_SOURCE:
    case QUERY_IMPORT:
        return refuse(c, node, node->kind == QUERY_SOURCE ? "source" : "import",
                      _("a roll or another file chooses by it: only what the person gave may be used (Regulation (EU) 2024/900, article 18)"));
    case QUERY_BOOK:
        name = "book";
        break;
    case QUERY_ID:
        name = "id";
        break;
    case QUERY_AGO:
    case QUERY_DAY:
        name = node->moment == QUERY_ADDED ? "added" : "changed";
        break;
    }
    return rc || !name ? rc : check_added(c, node, name);
}

static carnet_rc check_newsletter(const struct check *c, const struct query_node *node)
{
    const char *reason = _("a newsletter goes to all who subscribed: language:fr and consent:newsletter may choose; any other choice needs the purpose `targeted`");
    switch (node->kind) {
    case QUERY_ALL:
    case QUERY_AND:
    case QUERY_OR:
    case QUERY_NOT:
    case QUERY_BOOK:
        return CARNET_OK;
    case QUERY_CONSENT:
        return carnet_slice_equal(node->name, carnet_slice_str(c->purpose->name)) ? CARNET_OK : refuse(c, node, "consent", reason);
    case QUERY_VALUE:
        if (node->field == CARNET_FIELD_LANGUAGE)
            return CARNET_OK;
        break;
    case QUERY_WORDS:
        return refuse(c, node, _("a word"), reason);
    case QUERY_TAG:
        return refuse(c, node, "tag", reason);
    case QUERY_AGE:
        return refuse(c, node, "age", reason);
    case QUERY_SOURCE:
        return refuse(c, node, "source", reason);
    case QUERY_IMPORT:
        return refuse(c, node, "import", reason);
    case QUERY_BASIS:
        return refuse(c, node, "basis", reason);
    case QUERY_ID:
        return refuse(c, node, "id", reason);
    case QUERY_AGO:
    case QUERY_DAY:
        return refuse(c, node, node->moment == QUERY_ADDED ? "added" : "changed", reason);
    case QUERY_CODE:
    case QUERY_NUMBER:
    case QUERY_DECIMAL:
    case QUERY_BORN:
        break;
    }
    const struct carnet_field_def *def = carnet_field_by_number(c->charter, node->field);
    return refuse(c, node, def ? def->name : "?", reason);
}

/* The parser bounds the depth. */
static carnet_rc check_node(const struct check *c, const struct query_node *node)
{
    carnet_rc rc = c->newsletter ? check_newsletter(c, node) : check_targeting(c, node);
    for (const struct query_node *child = node->first; child && !rc; child = child->next)
        rc = check_node(c, child);
    return rc;
}

carnet_rc carnet_segment_check(const struct carnet_charter *charter, const struct carnet_query *query, struct carnet_slice purpose, struct carnet_err *err)
{
    struct check c = { .charter = charter, .purpose = carnet_purpose_find(charter, purpose), .err = err };
    if (!c.purpose)
        return CARNET_OK;
    c.newsletter = strcmp(c.purpose->name, "newsletter") == 0;
    return c.newsletter || c.purpose->online_targeting ? check_node(&c, query->root) : CARNET_OK;
}
