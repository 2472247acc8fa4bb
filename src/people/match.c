// SPDX-License-Identifier: EUPL-1.2
#include "match.h"

struct consent_ctx {
    const struct carnet_charter *charter;
    const struct carnet_view *view;
    int64_t now_ms;
};

static bool is_live(void *ctx, struct carnet_slice purpose)
{
    const struct consent_ctx *c = ctx;
    return carnet_people_live(c->charter, c->view, purpose, c->now_ms);
}

static bool rests_on(void *ctx, enum carnet_basis basis)
{
    const struct consent_ctx *c = ctx;
    const struct carnet_purpose_def *def;
    for (size_t i = 0; (def = carnet_purpose_at(c->charter, i)); i++) {
        for (size_t j = 0; j < c->view->record_count; j++) {
            const struct carnet_view_record *record = &c->view->records[j];
            struct carnet_consent consent = carnet_consent_evaluate(c->charter, record->person, record->person_count, carnet_slice_str(def->name), c->now_ms);
            if (consent.live && consent.basis == basis)
                return true;
        }
    }
    return false;
}

/* The last change of what is shown, or of what the person agreed to or refused. */
static int64_t changed_ms(const struct carnet_view *view)
{
    uint64_t hlc = 0;
    for (size_t i = 0; i < view->cell_count; i++)
        for (size_t j = 0; j < view->cells[i].count; j++)
            if (view->cells[i].siblings[j]->hlc > hlc)
                hlc = view->cells[i].siblings[j]->hlc;
    for (size_t i = 0; i < view->person_count; i++)
        for (size_t j = 0; j < view->person[i]->event_count; j++)
            if (view->person[i]->events[j].hlc > hlc)
                hlc = view->person[i]->events[j].hlc;
    return carnet_hlc_ms(hlc);
}

struct carnet_match carnet_match_of(struct carnet_replica *replica, const struct carnet_query *query, const struct carnet_id *book)
{
    int64_t wall_ms = carnet_replica_wall_ms(replica);
    return (struct carnet_match){ .replica = replica, .query = query, .book = book, .wall_ms = wall_ms, .today = carnet_query_day(wall_ms) };
}

bool carnet_match(const struct carnet_match *m, const struct carnet_view *view)
{
    if (view->record.kind != CARNET_KIND_CONTACT || (m->book && !carnet_id_equal(m->book, &view->book)))
        return false;
    if (carnet_query_is_all(m->query))
        return true;
    struct consent_ctx consent = { carnet_replica_charter(m->replica), view, carnet_replica_now_ms(m->replica) };
    const struct carnet_book *book = NULL;
    for (size_t i = 0; i < carnet_replica_book_count(m->replica) && !book; i++)
        if (carnet_id_equal(&carnet_replica_book_at(m->replica, i)->id, &view->book))
            book = carnet_replica_book_at(m->replica, i);
    struct carnet_query_subject subject = { .charter = consent.charter, .cells = view->cells, .count = view->cell_count, .id = view->id,
                                            .book = carnet_slice_str(book ? book->name : ""), .today = m->today,
                                            .now_ms = m->wall_ms, .added_ms = carnet_id_ms(&view->id),
                                            .changed_ms = m->query->asks & QUERY_ASKS_MOMENT ? changed_ms(view) : 0,
                                            .consent = is_live, .basis = rests_on, .ctx = &consent };
    return carnet_query_matches(m->query, &subject);
}
