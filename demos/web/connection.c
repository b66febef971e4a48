/* A connection: reads a request, finds the file, answers, and so on in turn. What has come
   of further requests is answered before anything is sent. */
#define _DEFAULT_SOURCE
#include "httpd.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- Input --------------------------------------------------------------------------- */

static void begin(struct connection *c)
{
    c->tid = coop_self();
    c->input = c->small;
    c->size = SMALL;
    request_begin(&c->request);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

/* Is a whole request there? */
static bool is_ready(struct connection *c)
{
    struct request *r = &c->request;

    if (c->ready || c->parsed == c->used)
        return c->ready;
    c->parsed += request_read(r, c->input + c->start, c->parsed - c->start,
                              c->used - c->start);
    c->ready = r->done || r->status;
    if (!r->begun)
        c->start = c->parsed;      /* empty lines before it */
    else if (r->head && !r->done)
        c->used = c->parsed = c->start + r->kept;      /* a body, of no use */
    return c->ready;
}

static void next_request(struct connection *c)
{
    c->start = c->parsed;
    c->ready = false;
    request_begin(&c->request);
}

static bool grow(struct connection *c)
{
    char *large = malloc(INPUT);

    if (!large)
        return false;
    memcpy(large, c->input, c->used);
    c->input = large;
    c->size = INPUT;
    return true;
}

/* Room for more of a request. One that is too long is refused: it is ready then. */
static bool make_room(struct connection *c)
{
    c->used -= c->start;
    c->parsed -= c->start;
    memmove(c->input, c->input + c->start, c->used);
    c->start = 0;
    if (c->used == 0 && c->input != c->small) {
        free(c->input);
        c->input = c->small;
        c->size = SMALL;
    }
    if (c->used < c->size)
        return true;
    if (c->size == INPUT) {
        c->request.status = c->request.count == 0 && c->request.name.len == 0 ? 414 : 431;
        c->ready = true;
        return false;
    }
    return grow(c);
}

/* ---- Output -------------------------------------------------------------------------- */

enum { SPARES = 64 };

static char *spare[SPARES];
static int spares;

static bool get_output(struct connection *c)
{
    if (!c->output)
        c->output = spares > 0 ? spare[--spares] : malloc(OUTPUT);
    return c->output != NULL;
}

static void drop_output(struct connection *c)
{
    if (c->output && spares < SPARES)
        spare[spares++] = c->output;
    else
        free(c->output);
    c->output = NULL;
    c->filled = 0;
}

/* ---- Answers ------------------------------------------------------------------------- */

/* The status, or 0 for a file that has to be opened first. */
static int find(struct connection *c)
{
    const struct request *r = &c->request;
    char path[LINE_MOST + 1];

    if (r->status)
        return r->status;
    if (r->parser.method != HTTP_GET && r->parser.method != HTTP_HEAD)
        return 405;
    if (!request_path(request_target(r), path))
        return 400;
    c->file = files_find(path, server.tick);
    if (c->file)
        return 200;
    c->file = file_new(path, server.tick);
    return c->file ? 0 : 503;
}

static void look(struct connection *c)
{
    const struct request *r = &c->request;

    c->status = (uint16_t)find(c);
    c->closing = r->status || server.stopping || !http_should_keep_alive(&r->parser);
    c->lingers = r->status || server.stopping || c->parsed < c->used;
}

static void loaded(struct connection *c, coop_value status)
{
    c->status = status < 0 ? 503 : (uint16_t)status;
    if (c->status == 200)
        files_keep(c->file);
    else if (c->status < 500)
        files_forget(c->file->path);
}

static bool is_sent_later(struct connection *c)
{
    return !c->closing && c->left == 0 && c->filled <= LOW && is_ready(c);
}

static void release(struct connection *c)
{
    file_release(c->file);
    c->file = NULL;
}

/* ---- Ends ---------------------------------------------------------------------------- */

/* Who was late with a request is told; who does not take an answer loses it. */
static void part(struct connection *c)
{
    static const char late[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                               "Content-Length: 0\r\n\r\n";

    if (c->missed == &server.header)
        send(c->fd, late, strlen(late), MSG_DONTWAIT | MSG_NOSIGNAL);
    else if (c->missed == &server.answer)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 },
                   sizeof(struct linger));
}

static void end(struct connection *c)
{
    limit_set(c, NULL);
    drop_output(c);
    release(c);
    if (c->input != c->small)
        free(c->input);
}

static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

coop_define(client)
{
    struct connection *c = &my->c;

    coop_begin;
    begin(c);
    while (!c->closing) {
        if (!is_ready(c))
            limit_set(c, c->used > c->start ? &server.header : &server.idle);
        while (!is_ready(c)) {
            if (server.stopping && c->limit == &server.idle)
                coop_return(0);
            if (request_expects(&c->request)) {
                c->request.fields[EXPECT].at = 0;
                coop_trap(my->n, Send, .fd = c->fd, .buf = go_on, .len = strlen(go_on));
            }
            if (!make_room(c))
                break;
            coop_trap(my->n, Recv, .fd = c->fd, .buf = c->input + c->used,
                      .len = c->size - c->used);
            if (my->n <= 0)
                coop_return(0);
            c->used += (size_t)my->n;
            if (c->limit == &server.idle && !is_ready(c))
                limit_set(c, &server.header);
        }
        if (!c->ready || !get_output(c))
            coop_return(-ENOMEM);
        limit_set(c, &server.answer);
        look(c);
        if (c->status == 0) {
            coop_trap(my->n, Work, .run = file_load, .arg = c->file);
            loaded(c, my->n);
        }
        reply(c);
        next_request(c);
        if (!is_sent_later(c)) {
            coop_trap(my->n, Send, .fd = c->fd, .buf = c->output, .len = c->filled);
            if (my->n < (coop_value)c->filled)
                coop_return(0);
            drop_output(c);
        }
        while (c->left > 0) {
            limit_set(c, &server.answer);
            coop_trap(my->n, SendFile, .fd = c->fd, .file = c->file->fd, .offset = c->at,
                      .len = c->left < PIECE ? (size_t)c->left : PIECE);
            if (my->n <= 0)
                coop_return(0);
            c->at += my->n;
            c->left -= my->n;
        }
        release(c);
    }
    if (c->lingers) {              /* to close at once might reset what was sent */
        limit_set(c, &server.linger);
        coop_trap(coop_void, Shutdown, .fd = c->fd);
        do
            coop_trap(my->n, Recv, .fd = c->fd, .buf = c->small, .len = SMALL);
        while (my->n > 0);
    }
    coop_finally;
    part(c);
    end(c);
    coop_trap(coop_void, Close, .fd = c->fd);
    coop_end;
}
