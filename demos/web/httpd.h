/* httpd.h - the server, its connections and what they share. */
#ifndef HTTPD_H
#define HTTPD_H

#include "file.h"
#include "request.h"
#include <coop.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SMALL: an input that an idle connection keeps; ordinary requests fit.
   INPUT: one for the largest request. OUTPUT: answers that are sent together; the next is
   added up to LOW. PIECE: of a file, sent in one slice. */
enum {
    SMALL = 512, INPUT = LINE_MOST + FIELDS_MOST + 256,
    OUTPUT = 24 * 1024, LOW = 8 * 1024, PIECE = 1024 * 1024
};

/* A time limit and the connections that are under it, the first due first. */
struct limit {
    int64_t seconds;
    struct connection *first, *last;
};

struct connection {
    int fd;
    coop_tid tid;
    struct connection *next, *previous;    /* under its limit */
    struct limit *limit, *missed;          /* missed: why its task was killed */
    uint64_t due;                          /* the tick */
    size_t taken;                          /* of what is being sent, when it was due last */
    struct request request;
    char *input, *output;                  /* output: NULL when empty */
    size_t start, parsed, used, size;      /* of input: this request's first byte, ... */
    size_t filled;                         /* of output */
    struct file *file;                     /* being answered with, or being opened */
    int64_t at, left;                      /* what SendFile has yet to send of it */
    uint16_t status;
    bool ready;                            /* a whole request is there, or a refusal */
    bool closing, lingers;
    char small[SMALL];
};

struct server {
    struct limit idle, header, answer, linger;
    uint64_t tick;                         /* seconds since the start */
    char ok[80];                           /* "HTTP/1.1 200 OK", Date */
    size_t ok_len;
    bool stopping;
};

extern struct server server;

/* connection.c: a client, from the first to the last request. */
coop_declare(client, struct connection c; coop_value n;);

/* limits.c */
void limit_set(struct connection *, struct limit *);   /* NULL: none */
coop_declare(limits, int64_t wall; struct limit *limit; struct connection *c; int i;);

/* reply.c: append the answer to what is in c->file or c->status to the output. */
void reply(struct connection *);
void reply_clock(int64_t wall);            /* ns since 1970, once a second */

/* What the command line asks for. */
struct settings {
    const char *address, *folder;
    long port, workers, max_clients, idle, header_time, write_time, grace;
};

/* main.c: serve until a signal comes. A worker serves until life is closed; if ready is not
   -1 it writes a byte there when it listens. life is -1 for others. The exit status. */
int serve(const struct settings *, int ready, int life);

/* workers.c: have processes serve that share the port of settings->address. placeholder
   holds it until they do. The exit status. */
int workers_run(const struct settings *, int placeholder);

#endif
