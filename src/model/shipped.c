// SPDX-License-Identifier: EUPL-1.2
#include "carnet/model/settings.h"

/* protocol/charter.md says what each is for. What a shipped charter does not name is as in the default one. */
static const struct carnet_shipped_setting association[] = {
    { "purpose/membership", "scopes=identity email phone postal; channels=email sms call mail; basis=member consent; keep=1095d" },
    { "purpose/event", "scopes=identity email phone; channels=email sms; basis=consent member; keep=730d" },
    { "purpose/volunteering", "scopes=identity email phone; channels=email sms call; basis=consent member; keep=730d" },
    { "purpose/donation", "scopes=identity email postal; channels=email mail; basis=consent member; keep=1095d" },
    { "purpose/targeted", "retired" },
    { "purpose/canvass", "retired" },
    { "contact", "1095d" },
};
static const struct carnet_shipped_setting town_hall[] = {
    { "purpose/alert", "scopes=identity email phone; channels=email sms call; basis=consent; keep=1095d" },
    { "purpose/service", "scopes=identity email phone postal; channels=email sms call mail; basis=consent; keep=730d" },
    { "purpose/vulnerable", "scopes=identity phone postal notes; channels=call canvass; basis=consent; keep=365d" },
    { "purpose/targeted", "retired" },
    { "purpose/canvass", "retired" },
    { "purpose/profile", "retired" },
    { "purpose/social", "retired" },
    { "purpose/membership", "retired" },
    { "contact", "730d" },
};
static const struct carnet_shipped_charter shipped[] = {
    { "campaign", NULL, 0 },
    { "association", association, sizeof association / sizeof *association },
    { "town-hall", town_hall, sizeof town_hall / sizeof *town_hall },
};

const struct carnet_shipped_charter *carnet_shipped_at(size_t i)
{
    return i < sizeof shipped / sizeof *shipped ? &shipped[i] : NULL;
}

const struct carnet_shipped_charter *carnet_shipped_find(struct carnet_slice name)
{
    for (size_t i = 0; carnet_shipped_at(i); i++)
        if (carnet_slice_equal(name, carnet_slice_str(shipped[i].name)))
            return &shipped[i];
    return NULL;
}
