// SPDX-License-Identifier: EUPL-1.2
/* segment save, list, show, count; the place of what is wrong in a query. */
#include "cli.h"

#include "carnet/people/segment.h"

#include <stdlib.h>
#include <string.h>

/* The column that the line of a wrong query names, from 1; 0: none. */
static size_t column_of(const struct cli *cli)
{
    const char *at = strpbrk(cli->err.what, "0123456789");
    bool named = strncmp(cli->err.what, "column ", 7) == 0 || strncmp(cli->err.what, "colonne ", 8) == 0;
    return named && at ? strtoul(at, NULL, 10) : 0;
}

static size_t next_char(struct carnet_slice text, size_t at)
{
    do
        at++;
    while (at < text.len && (text.ptr[at] & 0xc0) == 0x80);
    return at;
}

int cli_fail_query(struct cli *cli, struct carnet_slice query)
{
    struct carnet_io *io = cli->io;
    size_t column = column_of(cli), at = 0, width = io->columns > 20 ? (size_t)io->columns - 4 : 76;
    int status = cli_fail(cli);
    if (!column || io->json || !io->err_tty)
        return status;
    size_t skipped = column > width * 3 / 4 ? column - width / 2 : 0;
    for (size_t i = 0; i < skipped && at < query.len; i++)
        at = next_char(query, at);
    carnet_buf_append_str(&io->err, "  ");
    for (size_t i = 0; i < width && at < query.len; i++) {
        size_t next = next_char(query, at);
        if (query.ptr[at] < ' ')
            carnet_buf_append_byte(&io->err, ' ');
        else
            carnet_buf_append(&io->err, query.ptr + at, next - at);
        at = next;
    }
    carnet_buf_printf(&io->err, "\n  %*s\n", (int)(column - skipped), "^");
    return status;
}

static carnet_rc book_given(struct cli *cli, const struct carnet_id **out)
{
    const struct carnet_book *book;
    *out = NULL;
    if (!cli_flag(cli, "book"))
        return CARNET_OK;
    carnet_rc rc = cli_book(cli, &book);
    if (!rc)
        *out = &book->id;
    return rc;
}

static carnet_rc query_words(struct cli *cli, size_t first, struct carnet_buf *out)
{
    for (size_t i = first; i < cli->word_count; i++) {
        if (i > first)
            carnet_buf_append_byte(out, ' ');
        carnet_buf_append_str(out, cli->words[i]);
    }
    return out->failed ? carnet_err_set(&cli->err, CARNET_USAGE, "the query is longer than %d bytes", CARNET_QUERY_LEN_MAX) : CARNET_OK;
}

int cmd_segment_save(struct cli *cli)
{
    const struct carnet_book *book;
    const char *purpose = cli_value(cli, "purpose");
    struct carnet_buf query;
    struct carnet_id id;
    carnet_buf_init(&query, CARNET_QUERY_LEN_MAX);
    carnet_rc rc = query_words(cli, 1, &query);
    if (!rc)
        rc = cli_book(cli, &book);
    if (!rc)
        rc = carnet_segment_save(cli->node->replica, &book->id, carnet_slice_str(cli->words[0]), carnet_buf_slice(&query), carnet_slice_str(purpose ? purpose : ""), &id,
                                 &cli->err);
    int status = rc ? cli_fail_query(cli, carnet_buf_slice(&query)) : 0;
    carnet_buf_deinit(&query);
    return rc ? status : cli_done_id(cli, &id);
}

static const char *book_name(struct cli *cli, const struct carnet_id *id)
{
    for (size_t i = 0; i < carnet_replica_book_count(cli->node->replica); i++)
        if (carnet_id_equal(&carnet_replica_book_at(cli->node->replica, i)->id, id))
            return carnet_replica_book_at(cli->node->replica, i)->name;
    return "";
}

static void list_one(struct cli *cli, const struct carnet_segment *segment)
{
    struct carnet_buf by;
    carnet_buf_init(&by, 256);
    carnet_people_by(cli->node->replica, &segment->dot, &by);
    if (cli->io->json) {
        json_t *object = json_object();
        json_object_set_new(object, "id", json_string(carnet_id_text(&segment->id).s));
        json_object_set_new(object, "name", cli_string(segment->name));
        json_object_set_new(object, "query", cli_string(segment->query));
        json_object_set_new(object, "purpose", segment->purpose.len ? cli_string(segment->purpose) : json_null());
        json_object_set_new(object, "book", cli_cstr(book_name(cli, &segment->book)));
        json_object_set_new(object, "by", cli_cstr(carnet_buf_cstr(&by)));
        json_object_set_new(object, "at", cli_time(segment->at_ms));
        json_object_set_new(object, "conflict", json_boolean(segment->conflict));
        cli_json(cli, object);
    } else {
        struct carnet_buf line;
        carnet_buf_init(&line, 16 * 1024);
        cli_columns(segment->name, 24, false, &line);
        carnet_buf_append_str(&line, "  ");
        cli_columns(segment->purpose, 12, false, &line);
        carnet_buf_append_str(&line, "  ");
        cli_indented(segment->query, 0, &line);
        cli_line(cli, &line);
        if (segment->conflict)
            cli_print(cli, "    in conflict: saved by %s, apart from another query of this name\n", carnet_buf_cstr(&by));
        carnet_buf_deinit(&line);
    }
    carnet_buf_deinit(&by);
}

int cmd_segment_list(struct cli *cli)
{
    struct carnet_arena arena;
    struct carnet_segment *segments;
    const struct carnet_id *book;
    size_t count = 0;
    carnet_arena_init(&arena);
    carnet_rc rc = book_given(cli, &book);
    if (!rc)
        rc = carnet_segments(cli->node->replica, book, &arena, &segments, &count, &cli->err);
    for (size_t i = 0; i < count && !rc; i++)
        list_one(cli, &segments[i]);
    carnet_arena_deinit(&arena);
    return rc ? cli_fail(cli) : 0;
}

struct progress {
    struct cli *cli;
    int shown;
};

static bool progress(void *ctx, uint64_t looked, uint64_t total)
{
    struct progress *p = ctx;
    struct cli *cli = p->cli;
    int now = total && looked < total ? (int)(looked * 100 / total) : total ? 100 : 0;
    if (cli->io->err_tty && !cli->io->quiet && now != p->shown) {
        carnet_buf_printf(&cli->io->err, "\r%3d %%", now);
        p->shown = now;
        carnet_io_flush(cli->io);
    }
    if (cli->node->breathe)
        cli->node->breathe(cli->node, 0);
    return !cli->node->cancelled || !cli->node->cancelled(cli->node);
}

static bool each_found(void *ctx, const struct carnet_view *view)
{
    struct progress *p = ctx;
    if (p->cli->io->json)
        cli_json(p->cli, cli_contact(p->cli, view));
    else
        cli_contact_line(p->cli, view);
    return !p->cli->node->cancelled || !p->cli->node->cancelled(p->cli->node);
}

static bool progress_quiet(void *ctx, uint64_t looked, uint64_t total)
{
    const struct progress *p = ctx;
    struct cli *cli = p->cli;
    (void)looked, (void)total;
    if (cli->node->breathe)
        cli->node->breathe(cli->node, 0);
    return !cli->node->cancelled || !cli->node->cancelled(cli->node);
}

int cmd_segment_show(struct cli *cli)
{
    struct carnet_arena arena;
    struct carnet_segment segment;
    struct progress p = { cli, -1 };
    struct carnet_find_options options = { .progress = progress_quiet };
    const struct carnet_id *book;
    carnet_arena_init(&arena);
    carnet_rc rc = book_given(cli, &book);
    if (!rc)
        rc = cli_limit(cli, &options.limit);
    if (!rc)
        rc = carnet_segment_find(cli->node->replica, book, carnet_slice_str(cli->words[0]), &arena, &segment, &cli->err);
    if (!rc) {
        options.query = segment.query;
        options.book = &segment.book;
        rc = carnet_people_find(cli->node->replica, &options, each_found, NULL, &p, &cli->err);
    }
    carnet_arena_deinit(&arena);
    return rc ? cli_fail(cli) : 0;
}

int cmd_segment_count(struct cli *cli)
{
    struct carnet_arena arena;
    struct carnet_segment segment = { .name = CARNET_SLICE_NONE };
    struct progress p = { cli, -1 };
    struct carnet_buf text;
    const struct carnet_id *book;
    uint64_t count = 0;
    carnet_arena_init(&arena);
    carnet_buf_init(&text, CARNET_QUERY_LEN_MAX);
    carnet_rc rc = book_given(cli, &book);
    if (!rc)
        rc = query_words(cli, 0, &text);
    struct carnet_slice query = carnet_buf_slice(&text);
    if (!rc) { /* a name of a segment comes before a query of the same words */
        rc = query.len ? carnet_segment_find(cli->node->replica, book, query, &arena, &segment, &cli->err) : CARNET_NOT_FOUND;
        if (!rc) {
            query = segment.query;
            book = &segment.book;
        }
        rc = rc == CARNET_NOT_FOUND ? CARNET_OK : rc;
    }
    if (!rc)
        rc = carnet_segment_count(cli->node->replica, book, query, progress, &p, &count, &cli->err);
    if (p.shown >= 0)
        carnet_buf_append_str(&cli->io->err, "\r     \r");
    int status = rc ? cli_fail_query(cli, query) : 0;
    if (!rc) {
        json_t *object = json_object();
        json_object_set_new(object, "name", segment.name.len ? cli_string(segment.name) : json_null());
        json_object_set_new(object, "query", cli_string(query));
        json_object_set_new(object, "count", json_integer((json_int_t)count));
        cli_json(cli, object);
        cli_print(cli, "%llu\n", (unsigned long long)count);
    }
    carnet_buf_deinit(&text);
    carnet_arena_deinit(&arena);
    return status;
}
