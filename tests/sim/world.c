// SPDX-License-Identifier: EUPL-1.2
#include "sim.h"

#include <inttypes.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the trace --- */

void sim_trace(struct sim *sim, const char *fmt, ...)
{
    char line[400];
    va_list args;
    int at = snprintf(line, sizeof line, "[%12.3f] ", (double)sim->now / 1000.0);
    va_start(args, fmt);
    vsnprintf(line + at, sizeof line - (size_t)at, fmt, args);
    va_end(args);
    for (const char *c = line; *c; c++)
        sim->hash = (sim->hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    if (sim->trace)
        puts(line);
}

_Noreturn void sim_fail(struct sim *sim, const char *promise, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    printf("seed %" PRIu64 ": FAIL %s at %.3f s: %s\n", sim->seed, promise, (double)sim->now / 1000.0, text);
    fflush(stdout);
    _exit(1);
}

/* --- dice --- */

uint64_t sim_below(struct sim *sim, uint64_t bound)
{
    return carnet_rng_below(&sim->rng, bound);
}

bool sim_chance(struct sim *sim, uint32_t per_mille)
{
    return sim_below(sim, 1000) < per_mille;
}

/* Without floating point, so that every compiler draws the same: a power of two first, then a place inside it. */
int64_t sim_log_uniform(struct sim *sim, int64_t low, int64_t high)
{
    unsigned doublings = 0;
    while (low << (doublings + 1) <= high)
        doublings++;
    int64_t from = low << sim_below(sim, doublings + 1u);
    int64_t to = from * 2 < high ? from * 2 : high;
    return to > from ? from + (int64_t)sim_below(sim, (uint64_t)(to - from)) : from;
}

static uint32_t sodium_random(void);
static struct sim *sodium_sim; /* libsodium's hook takes no context */

static const char *sodium_name(void)
{
    return "carnet-sim";
}

static void sodium_fill(void *const out, const size_t len)
{
    static struct carnet_rng_state early;
    static bool begun;
    struct carnet_rng rng;
    if (sodium_sim) {
        rng = (struct carnet_rng){ sodium_sim->rng.fill, &sodium_sim->sodium_state };
    } else if (!begun) {
        rng = carnet_rng_seeded(&early, 1);
        begun = true;
    } else {
        rng = carnet_rng_seeded(&early, 2);
    }
    carnet_rng_fill(&rng, out, len);
}

static uint32_t sodium_random(void)
{
    uint32_t out;
    sodium_fill(&out, sizeof out);
    return out;
}

/* --- clocks --- */

int64_t sim_wall(const struct sim_node *node)
{
    int64_t now = node->sim->now;
    return SIM_EPOCH + now + now / 1000 * node->drift_ppm / 1000 + node->offset_ms;
}

static int64_t wall_hook(void *ctx)
{
    return sim_wall(ctx);
}

static int64_t mono_hook(void *ctx)
{
    const struct sim_node *node = ctx;
    return node->sim->now + 1000000;
}

/* --- what is due --- */

static bool earlier(const struct sim_due *a, const struct sim_due *b)
{
    return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void sim_due(struct sim *sim, int64_t at, enum sim_what what, uint64_t a, uint64_t b)
{
    CARNET_GROW(sim->heap, sim->heap_count, sim->heap_cap);
    struct sim_due due = { at < sim->now ? sim->now : at, ++sim->heap_seq, what, a, b };
    size_t i = sim->heap_count++;
    for (; i > 0 && earlier(&due, &sim->heap[(i - 1) / 2]); i = (i - 1) / 2)
        sim->heap[i] = sim->heap[(i - 1) / 2];
    sim->heap[i] = due;
}

static struct sim_due take_due(struct sim *sim)
{
    struct sim_due first = sim->heap[0], last = sim->heap[--sim->heap_count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= sim->heap_count)
            break;
        if (child + 1 < sim->heap_count && earlier(&sim->heap[child + 1], &sim->heap[child]))
            child++;
        if (!earlier(&sim->heap[child], &last))
            break;
        sim->heap[i] = sim->heap[child];
        i = child;
    }
    sim->heap[i] = last;
    return first;
}

/* --- nodes --- */

bool sim_node_reads(const struct sim_node *node, enum carnet_scope scope)
{
    return scope == CARNET_SCOPE_CLEAR || (node->reads & 1u << scope);
}

bool sim_node_holds(const struct sim_node *node, unsigned book)
{
    return node->all_books || node->books[book];
}

bool sim_node_member(const struct sim_node *node)
{
    return node->made && !node->cut && (!node->expires_ms || node->expires_ms > SIM_EPOCH + node->sim->now);
}

unsigned sim_node_of(const struct sim *sim, uint64_t author)
{
    for (unsigned i = 0; i < sim->node_count; i++)
        if (sim->nodes[i].made && carnet_id_head(&sim->nodes[i].id) == author)
            return i;
    return SIM_HOSTILE;
}

static void knobs(struct sim_node *node, bool faults)
{
    const struct sim_mix *mix = &node->sim->mix;
    struct simvfs_knobs set = { .no_psow = mix->no_psow };
    if (faults) {
        set.ioerr_ppm = mix->ioerr_ppm;
        set.enospc_ppm = mix->enospc_ppm;
        set.fsyncerr_ppm = mix->fsyncerr_ppm;
    }
    simvfs_knobs(node->sim->vfs, node->name, &set);
}

static void run_core(struct sim_node *node)
{
    struct carnet_core_ops ops;
    sim_core_ops(node, &ops);
    node->on = true;
    node->core = carnet_core_new(node->replica, &ops);
    node->timer = INT64_MAX;
    sim_settle(node);
}

void sim_settle(struct sim_node *node)
{
    struct sim *sim = node->sim;
    if (!node->on)
        return;
    if (!simvfs_is_on(sim->vfs, node->name)) {
        sim_crash(node, true);
        return;
    }
    if (carnet_core_failure(node->core)) {
        sim_trace(sim, "n%u fails: %s", node->index, carnet_core_failure(node->core)->what);
        sim_crash(node, false);
        return;
    }
    sim_look(node);
    if (!simvfs_is_on(sim->vfs, node->name)) {
        sim_crash(node, true);
        return;
    }
    int64_t deadline = carnet_core_deadline_ms(node->core);
    if (deadline == INT64_MAX)
        return;
    int64_t at = deadline - 1000000 <= sim->now ? sim->now + 1 : deadline - 1000000;
    if (sim->mix.sparse && !sim->healing && !sim_linked(node)) /* over 200 days machines sleep */
        at = at > sim->now + 3 * SIM_HOUR ? at : sim->now + 3 * SIM_HOUR;
    if (node->timer <= sim->now || at < node->timer) {
        node->timer = at;
        node->timer_seq = sim->heap_seq + 1;
        sim_due(sim, at, SIM_TICK, node->index, node->timer_seq);
    }
}

void sim_crash(struct sim_node *node, bool power)
{
    struct sim *sim = node->sim;
    if (!node->on)
        return;
    node->on = false;
    if (simvfs_is_on(sim->vfs, node->name)) {
        if (power)
            simvfs_cut(sim->vfs, node->name);
        else
            simvfs_kill(sim->vfs, node->name);
    }
    sim_trace(sim, "n%u %s", node->index, power ? "loses power" : "is killed");
    sim->crash_count++;
    carnet_core_free(node->core);
    carnet_replica_close(node->replica);
    node->core = NULL;
    node->replica = NULL;
    sim_links_lost(node);
    int64_t away = sim->healing ? 1000 : sim->mix.sparse ? sim_log_uniform(sim, SIM_MINUTE, 5 * SIM_DAY) : sim_log_uniform(sim, 1000, 2 * SIM_MINUTE);
    sim_due(sim, sim->now + away, SIM_START, node->index, 0);
}

bool sim_start(struct sim_node *node)
{
    struct sim *sim = node->sim;
    struct carnet_err err = CARNET_ERR_INIT;
    if (node->on || !node->made)
        return node->on;
    simvfs_start(sim->vfs, node->name);
    knobs(node, false);
    carnet_rc rc = carnet_replica_open(node->path, &node->env, &node->identity, &node->replica, &err);
    if (rc != CARNET_OK && !simvfs_is_on(sim->vfs, node->name)) { /* a cut that was waiting */
        sim_due(sim, sim->now + 1000, SIM_START, node->index, 0);
        return false;
    }
    if (rc != CARNET_OK)
        sim_fail(sim, "P2", "n%u does not open again: %s", node->index, err.what);
    node->on = true;
    sim_resolve(node);
    sim_check_opened(node);
    knobs(node, !sim->healing);
    sim_trace(sim, "n%u starts, %lld entries", node->index, (long long)carnet_replica_last(node->replica));
    run_core(node);
    return node->on;
}

static void prepare(struct sim *sim, struct sim_node *node, unsigned index)
{
    node->sim = sim;
    node->index = index;
    snprintf(node->name, sizeof node->name, "n%c", (char)('0' + index));
    snprintf(node->path, sizeof node->path, "%s/carnet.db", node->name);
    struct carnet_rng rng = carnet_rng_seeded(&node->rng_state, sim->seed * 64 + index + 1);
    carnet_identity_new(&rng, &node->identity);
    struct carnet_sign_pk pk;
    struct carnet_sign_sk sk;
    struct carnet_box_sk box_sk;
    carnet_sign_pair(node->identity.sign, &pk, &sk);
    node->id = carnet_node_id(&pk);
    carnet_box_pair(node->identity.curve, &node->curve, &box_sk);
    node->env = (struct carnet_replica_env){ .clock = { wall_hook, mono_hook, node }, .rng = rng, .vfs = "carnet-sim" };
    node->timer = INT64_MAX;
    knobs(node, false); /* SQLite asks at open what the disk promises */
    if (sim->mix.years && index == 1) {
        int64_t years = 1 + (int64_t)sim_below(sim, 10);
        node->offset_ms = (sim_chance(sim, 600) ? years : -years) * 365 * SIM_DAY;
    } else {
        node->offset_ms = sim_chance(sim, 500) ? (int64_t)sim_below(sim, 10 * SIM_MINUTE) - 5 * SIM_MINUTE : (int64_t)sim_below(sim, 4000) - 2000;
        node->drift_ppm = (int64_t)sim_below(sim, 41) - 20;
    }
}

static void edges_of(struct sim *sim, unsigned index, bool all)
{
    for (unsigned other = 0; other < sim->node_count; other++) {
        if (other == index || !sim->nodes[other].made)
            continue;
        struct sim_edge *edge = NULL;
        for (size_t i = 0; i < sim->edge_count; i++)
            if ((sim->edges[i].a == index && sim->edges[i].b == other) || (sim->edges[i].a == other && sim->edges[i].b == index))
                edge = &sim->edges[i];
        if (!edge) {
            bool swap = sim_chance(sim, 500);
            edge = &sim->edges[sim->edge_count++];
            *edge = (struct sim_edge){ .a = swap ? other : index, .b = swap ? index : other };
            edge->wanted = other == 0 || sim_chance(sim, 500);
        }
        if (all) { /* what was to connect in two days connects now */
            edge->wanted = true;
            edge->armed = false;
        }
        sim_edge_arm(sim, (unsigned)(edge - sim->edges), 1 + (int64_t)sim_below(sim, 1000));
    }
}

/* One more node: its rights are drawn, an inviter gives a code, and the welcome makes its home. */
bool sim_admit(struct sim *sim, struct sim_node *inviter)
{
    static const enum carnet_role roles[] = { CARNET_ROLE_OFFICE, CARNET_ROLE_VOLUNTEER, CARNET_ROLE_RELAY, CARNET_ROLE_OFFICE, CARNET_ROLE_GATEWAY, CARNET_ROLE_VOLUNTEER };
    static const char *const address[] = { "tcp://198.51.100.7:4343" };
    struct carnet_err err = CARNET_ERR_INIT;
    if (sim->node_count == SIM_NODES_MAX || sim->node_count >= sim->mix.nodes + (sim->healing ? 0u : 2u))
        return false;
    unsigned index = (unsigned)sim->node_count;
    struct sim_node *node = &sim->nodes[index];
    const struct carnet_cert *self = carnet_replica_self(inviter->replica);
    if (!(self->verbs & CARNET_VERB_INVITE))
        return false;
    memset(node, 0, sizeof *node);
    prepare(sim, node, index);
    node->role = index == 1 ? CARNET_ROLE_OFFICE : roles[sim_below(sim, sizeof roles / sizeof *roles)];
    if (node->role == CARNET_ROLE_OFFICE && index > 1 && inviter->role == CARNET_ROLE_ADMIN && sim_chance(sim, 600))
        node->role = CARNET_ROLE_ADMIN;
    char name[24];
    node->inviter = inviter->index;
    snprintf(name, sizeof name, "member %u", index);
    struct carnet_invite_terms terms = { .name = carnet_slice_str(name), .role = node->role, .addresses = address, .address_count = 1 };
    struct carnet_id only;
    node->all_books = inviter->all_books;
    memcpy(node->books, inviter->books, sizeof node->books);
    if (index > 1 && sim_chance(sim, 400)) { /* one book of the inviter's */
        unsigned book = (unsigned)sim_below(sim, sim->book_count);
        if (sim_node_holds(inviter, book)) {
            only = sim->books[book];
            terms.books = &only;
            terms.book_count = 1;
            node->all_books = false;
            memset(node->books, 0, sizeof node->books);
            node->books[book] = true;
        }
    }
    node->reads = carnet_role_scopes(node->role) & self->reads;
    if (node->role == CARNET_ROLE_OFFICE && index > 2 && sim_chance(sim, 300)) {
        terms.scopes = (1u << CARNET_SCOPE_IDENTITY | 1u << CARNET_SCOPE_EMAIL | 1u << CARNET_SCOPE_CONSENT) & self->reads;
        node->reads = terms.scopes;
    }
    struct carnet_buf code, request, welcome;
    struct carnet_invite_code decoded;
    struct carnet_box_pk client;
    struct carnet_box_sk client_sk;
    carnet_buf_init(&code, 4096);
    carnet_buf_init(&request, 4096);
    carnet_buf_init(&welcome, 1 << 20);
    terms.code_until_ms = sim_wall(inviter) + SIM_DAY;
    carnet_rc rc = carnet_replica_invite(inviter->replica, &terms, &code, &err);
    if (rc == CARNET_OK)
        rc = carnet_invite_code_decode(carnet_buf_slice(&code), &decoded);
    if (rc == CARNET_OK) {
        carnet_invite_keys(decoded.secret, &client, &client_sk);
        carnet_join_request(&node->identity, carnet_slice_str(node->name), &client, &request);
        if (!carnet_replica_invite_known(inviter->replica, &client) && simvfs_is_on(sim->vfs, inviter->name))
            sim_fail(sim, "join", "n%u does not know its own code", inviter->index);
        rc = carnet_replica_admit(inviter->replica, &client, carnet_buf_slice(&request), &welcome, &err);
    }
    if (rc == CARNET_OK && sim_chance(sim, 300)) { /* the answer was lost: the same again */
        struct carnet_buf again;
        carnet_buf_init(&again, 1 << 20);
        rc = carnet_replica_admit(inviter->replica, &client, carnet_buf_slice(&request), &again, &err);
        if (rc == CARNET_OK && !carnet_slice_equal(carnet_buf_slice(&again), carnet_buf_slice(&welcome)))
            sim_fail(sim, "join", "another welcome for the same request");
        carnet_buf_deinit(&again);
    }
    if (rc == CARNET_OK) {
        rc = carnet_replica_join(node->path, &node->env, &node->identity, NULL, carnet_buf_slice(&welcome), &node->replica, &err);
        if (rc != CARNET_OK)
            sim_fail(sim, "join", "n%u cannot join: %s", index, err.what);
        node->made = true;
        sim->node_count++;
        struct carnet_identity thief;
        carnet_identity_new(&sim->rng, &thief);
        carnet_buf_clear(&request);
        carnet_buf_clear(&code);
        carnet_join_request(&thief, carnet_slice_str("thief"), &client, &request);
        if (carnet_replica_admit(inviter->replica, &client, carnet_buf_slice(&request), &code, &err) == CARNET_OK)
            sim_fail(sim, "P8", "n%u admits a second node with one code", inviter->index);
        node->expires_ms = carnet_replica_self(node->replica)->not_after_ms;
        sim_trace(sim, "n%u joins through n%u as %s%s", index, inviter->index, carnet_role_name(node->role), node->all_books ? "" : ", one book");
        run_core(node);
        edges_of(sim, index, false);
    } else {
        sim_trace(sim, "n%u cannot invite: %s", inviter->index, err.what);
    }
    carnet_buf_deinit(&code);
    carnet_buf_deinit(&request);
    carnet_buf_deinit(&welcome);
    return rc == CARNET_OK;
}

static void found(struct sim *sim)
{
    struct carnet_err err = CARNET_ERR_INIT;
    struct sim_node *node = &sim->nodes[0];
    uint8_t root[32];
    prepare(sim, node, 0);
    carnet_rng_fill(&sim->rng, root, sizeof root);
    carnet_rc rc = carnet_replica_found(node->path, &node->env, carnet_slice_str("Val d’Essai"), carnet_slice_str(node->name), &node->identity, root, &node->replica, &err);
    if (rc != CARNET_OK)
        sim_fail(sim, "found", "%s", err.what);
    sim->node_count = 1;
    node->made = node->all_books = true;
    node->role = CARNET_ROLE_ADMIN;
    node->reads = carnet_replica_self(node->replica)->reads;
    sim->community = *carnet_authority_community(carnet_replica_authority(node->replica));
    sim->books[0] = carnet_replica_book_at(node->replica, 0)->id;
    sim->book_count = 1;
    run_core(node);
    if (sim_chance(sim, 500)) {
        rc = carnet_replica_book_add(node->replica, carnet_slice_str("presse"), &sim->books[1], &err);
        if (rc != CARNET_OK)
            sim_fail(sim, "found", "%s", err.what);
        sim->book_count = 2;
        sim_settle(node);
    }
    while (sim->node_count < sim->mix.nodes) {
        struct sim_node *inviter = &sim->nodes[sim->node_count > 2 ? sim_below(sim, 2) : 0];
        size_t before = sim->node_count;
        sim_admit(sim, inviter);
        if (sim->node_count == before && inviter->index == 0)
            sim_fail(sim, "join", "nobody can join");
    }
}

/* --- a seed's mix --- */

static uint32_t sometimes(struct sim *sim, uint32_t chance, uint32_t high)
{
    return sim_chance(sim, chance) ? 1 + (uint32_t)sim_below(sim, high) : 0;
}

static void draw(struct sim *sim)
{
    struct sim_mix *mix = &sim->mix;
    bool reverse = mix->reverse;
    *mix = (struct sim_mix){ .reverse = reverse, .sparse = sim->seed % 5 == 4, .years = sim->seed % 7 == 3 };
    mix->nodes = 3 + (unsigned)sim_below(sim, 4);
    mix->ops = 210 + (unsigned)sim_below(sim, 40);
    mix->length_ms = mix->sparse ? INT64_C(200) * SIM_DAY : 20 * SIM_MINUTE;
    mix->op_gap_ms = mix->length_ms / (int64_t)mix->ops;
    mix->connect_gap_ms = mix->sparse ? 2 * SIM_DAY : 5000;
    mix->link_life_ms = mix->sparse ? 2 * SIM_MINUTE : sim_log_uniform(sim, 10000, 10 * SIM_MINUTE);
    mix->cut_pm = sometimes(sim, 700, 60);
    mix->kill_pm = sometimes(sim, 500, 40);
    mix->break_pm = sometimes(sim, 600, 150);
    mix->partition_pm = sometimes(sim, 600, 60);
    mix->clog_pm = sometimes(sim, 400, 30);
    mix->jump_pm = mix->years ? 0 : sometimes(sim, 500, 40);
    mix->corrupt_ppm = mix->years ? 0 : sim_chance(sim, 250) ? 20000 : sometimes(sim, 350, 10000);
    mix->hostile_pm = sometimes(sim, 500, 100);
    mix->ioerr_ppm = sometimes(sim, 250, 300);
    mix->enospc_ppm = sometimes(sim, 200, 300);
    mix->fsyncerr_ppm = sometimes(sim, 200, 1000);
    mix->no_psow = sim_chance(sim, 500);
    mix->delay_min_ms = 1;
    mix->delay_max_ms = sim_log_uniform(sim, 8, 5000);
    mix->queue_max = (size_t)sim_log_uniform(sim, 4, 256);
    for (size_t i = 0; i < sim_op_total(); i++)
        mix->weight[i] = sim_chance(sim, 850) ? 1 + (uint32_t)sim_below(sim, 8) : 0;
}

/* --- faults --- */

static struct sim_node *some_node(struct sim *sim)
{
    return &sim->nodes[sim_below(sim, sim->node_count)];
}

static void fault(struct sim *sim)
{
    const struct sim_mix *mix = &sim->mix;
    int64_t unit = mix->sparse ? 6 * SIM_HOUR : 3000;
    if (sim_chance(sim, mix->cut_pm)) {
        struct sim_node *node = some_node(sim);
        uint64_t after = 1 + sim_below(sim, 60);
        if (node->on)
            simvfs_cut_after(sim->vfs, node->name, after);
    }
    if (sim_chance(sim, mix->kill_pm)) {
        struct sim_node *node = some_node(sim); /* one draw a statement: compilers order arguments as they like */
        sim_crash(node, sim_chance(sim, 300));
    }
    if (sim_chance(sim, mix->break_pm) && sim->link_count)
        sim_break(sim, sim->links[sim_below(sim, sim->link_count)].number);
    if (sim_chance(sim, mix->partition_pm)) {
        unsigned a = some_node(sim)->index, b = some_node(sim)->index;
        bool both = sim_chance(sim, 500);
        int64_t until = sim->now + sim_log_uniform(sim, 2 * unit, 40 * unit);
        sim_trace(sim, "n%u %s n%u shut", a, both ? "<>" : ">", b);
        sim->shut[a][b] = true;
        sim_due(sim, until, SIM_HEAL_WAY, a, b);
        if (both) {
            sim->shut[b][a] = true;
            sim_due(sim, until, SIM_HEAL_WAY, b, a);
        }
    }
    if (sim_chance(sim, mix->clog_pm)) { /* swizzle: nodes are clogged one after the other, and freed in another order */
        for (unsigned i = 0; i < sim->node_count; i++) {
            if (!sim_chance(sim, 500))
                continue;
            int64_t until = sim->now + sim_log_uniform(sim, unit, 20 * unit);
            sim_trace(sim, "n%u clogged", i);
            for (unsigned j = 0; j < sim->node_count; j++) {
                sim->shut[i][j] = sim->shut[j][i] = true;
                sim_due(sim, until, SIM_HEAL_WAY, i, j);
                sim_due(sim, until, SIM_HEAL_WAY, j, i);
            }
        }
    }
    if (sim_chance(sim, mix->jump_pm)) {
        struct sim_node *node = some_node(sim);
        node->offset_ms += (int64_t)sim_below(sim, 4 * SIM_MINUTE) - 2 * SIM_MINUTE;
        sim_trace(sim, "n%u clock jumps, now %+lld ms", node->index, (long long)node->offset_ms);
    }
    if (sim_chance(sim, mix->hostile_pm))
        sim_hostile_connect(sim, some_node(sim)->index);
    sim_due(sim, sim->now + unit / 2 + (int64_t)sim_below(sim, (uint64_t)unit), SIM_FAULT, 0, 0);
}

/* --- the loop --- */

static void handle(struct sim *sim, const struct sim_due *due)
{
    switch (due->what) {
    case SIM_TICK: {
        struct sim_node *node = &sim->nodes[due->a];
        if (!node->on || node->timer_seq != due->b)
            return;
        node->timer = INT64_MAX;
        carnet_core_tick(node->core);
        sim_settle(node);
        return;
    }
    case SIM_DELIVER:
        sim_deliver(sim, due->a, (unsigned)due->b);
        return;
    case SIM_CONNECT:
        sim_connect(sim, (unsigned)due->a);
        return;
    case SIM_DOWN:
        sim_down(sim, due->a, (unsigned)due->b);
        return;
    case SIM_BREAK:
        sim_break(sim, due->a);
        return;
    case SIM_OP:
        if (sim->healing)
            return;
        sim_op(sim);
        if (sim->op_count % 8 == 0)
            sim_check_some(sim);
        if (sim->op_count < sim->mix.ops)
            sim_due(sim, sim->now + 1 + (int64_t)sim_below(sim, sim_chance(sim, 200) ? 100 : 2 * (uint64_t)sim->mix.op_gap_ms), SIM_OP, 0, 0);
        return;
    case SIM_FAULT:
        if (!sim->healing)
            fault(sim);
        return;
    case SIM_START:
        sim_start(&sim->nodes[due->a]);
        return;
    case SIM_HEAL_WAY:
        sim_unshut(sim, (unsigned)due->a, (unsigned)due->b);
        return;
    }
}

static void run_until(struct sim *sim, int64_t until, bool ops)
{
    uint64_t steps = 0;
    while (sim->heap_count && sim->heap[0].at <= until && (!ops || sim->op_count < sim->mix.ops)) {
        struct sim_due due = take_due(sim);
        sim->now = due.at;
        handle(sim, &due);
        if (++steps > 3000000)
            sim_fail(sim, "liveness", "the community never rests");
    }
    if (!ops && sim->now < until)
        sim->now = until;
}

/* Ends every link; nobody calls until edges_of. */
static void part(struct sim *sim)
{
    for (size_t i = 0; i < sim->edge_count; i++)
        sim->edges[i].wanted = false;
    while (sim->link_count)
        for (size_t i = sim->link_count; i-- > 0;) {
            uint64_t number = sim->links[i].number;
            sim_down(sim, number, 0);
            sim_down(sim, number, 1);
        }
}

static bool meet(struct sim *sim, char *why, size_t len)
{
    int64_t end = sim->now + 10 * SIM_MINUTE;
    bool converged = false;
    for (unsigned i = 0; i < sim->node_count; i++) {
        sim_start(&sim->nodes[i]);
        edges_of(sim, i, true);
    }
    while (!converged && sim->now < end) {
        run_until(sim, sim->now + 2000, false);
        converged = sim_converged(sim, why, len);
    }
    return converged;
}

static void heal(struct sim *sim)
{
    char why[200] = "";
    sim_trace(sim, "faults end");
    sim->healing = true;
    for (unsigned i = 0; i < sim->node_count; i++) {
        struct sim_node *node = &sim->nodes[i];
        simvfs_cut_after(sim->vfs, node->name, 0);
        knobs(node, false);
        node->offset_ms = 0;
        node->drift_ppm = 0;
        for (unsigned j = 0; j <= SIM_NODES_MAX; j++)
            sim_unshut(sim, i, j);
        sim_unshut(sim, SIM_HOSTILE, i);
    }
    part(sim); /* what was said with damaged frames is forgotten */
    if (!meet(sim, why, sizeof why))
        sim_fail(sim, "liveness", "not converged in 10 minutes: %s", why);
    sim_trace(sim, "converged");
    /* upkeep looks every hour: what came from the future is said again by an office whose clock is right, and whoever lacks keys gets them */
    part(sim);
    run_until(sim, sim->now + 65 * SIM_MINUTE, false);
    if (!meet(sim, why, sizeof why))
        sim_fail(sim, "liveness", "not converged again in 10 minutes: %s", why);
}

static int reverse_hook(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    return sqlite3_exec(db, "PRAGMA reverse_unordered_selects=ON", NULL, NULL, NULL);
}

int sim_run(uint64_t seed, bool trace, bool reverse)
{
    static randombytes_implementation sodium_hooks = { .implementation_name = sodium_name, .random = sodium_random, .buf = sodium_fill };
    struct carnet_err err = CARNET_ERR_INIT;
    struct sim *sim = carnet_alloc(sizeof *sim);
    sim->seed = seed;
    sim->trace = trace;
    sim->hash = UINT64_C(0xcbf29ce484222325);
    sim->mix.reverse = reverse;
    sim->rng = carnet_rng_seeded(&sim->rng_state, seed);
    carnet_rng_seeded(&sim->sodium_state, ~seed);
    carnet_arena_init(&sim->arena);
    randombytes_set_implementation(&sodium_hooks);
    if (carnet_crypto_init(&err) != CARNET_OK)
        sim_fail(sim, "start", "%s", err.what);
    sodium_sim = sim;
    if (reverse)
        sqlite3_auto_extension((void (*)(void))reverse_hook);
    sim->vfs = simvfs_new("carnet-sim", seed);
    simvfs_make_default(sim->vfs);
    carnet_rng_fill(&sim->rng, &sim->stranger, sizeof sim->stranger);
    for (size_t i = 0; i < sizeof sim->captured / sizeof *sim->captured; i++)
        carnet_buf_init(&sim->captured[i], CARNET_FRAME_LEN_MAX);
    draw(sim);
    sim_trace(sim, "seed %" PRIu64 ": %u nodes, %u operations, %s%s", seed, sim->mix.nodes, sim->mix.ops, sim->mix.sparse ? "200 days" : "20 minutes",
              sim->mix.years ? ", a clock off by years" : "");
    sim_trace(sim, "cut %u kill %u break %u partition %u clog %u jump %u per mille; corrupt %u ioerr %u full %u fsync %u ppm", sim->mix.cut_pm, sim->mix.kill_pm, sim->mix.break_pm,
              sim->mix.partition_pm, sim->mix.clog_pm, sim->mix.jump_pm, sim->mix.corrupt_ppm, sim->mix.ioerr_ppm, sim->mix.enospc_ppm, sim->mix.fsyncerr_ppm);
    found(sim);
    for (unsigned i = 0; i < sim->node_count; i++)
        knobs(&sim->nodes[i], true);
    run_until(sim, sim->now + 3000, false);
    sim_due(sim, sim->now, SIM_OP, 0, 0);
    sim_due(sim, sim->now + 1000, SIM_FAULT, 0, 0);
    run_until(sim, INT64_MAX, true);
    heal(sim);
    sim_check_final(sim);
    printf("seed %" PRIu64 ": ok trace %016" PRIx64 " (%zu nodes, %zu operations, %zu acked, %zu crashes, %zu checks)\n", seed, sim->hash, sim->node_count, sim->op_count,
           sim->acked_count, sim->crash_count, sim->check_count);
    fflush(stdout);
    return 0;
}
