/* pubsub [--port N] - what one says, all others are told

   The first line of a guest is his name. Each has two tasks, a reader and a writer, and a
   queue from all the readers to his writer. Who does not read what he is told is not waited
   for: when his queue is full he is cancelled. Ctrl-C closes all.

   Without arguments three guests of the program's own show it, one of whom does not read. */
#include "visit.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEATS = 100, QUEUE = 32 };

struct line { char text[256]; };
struct seat { coop_chan *queue; coop_tid tid; };

static struct seat seats[SEATS];

coop_routine(publish, const struct seat *from; const char *who, *does, *what; struct line line;
             struct seat *to, now; coop_value r;)
{
    coop_begin;
    snprintf(my->line.text, sizeof my->line.text - 1, "%s%s%s", my->who, my->does,
             my->what ? my->what : "");
    strcat(my->line.text, "\n");
    for (my->to = seats; my->to < seats + SEATS; my->to++) {
        my->now = *my->to;
        if (!my->now.queue || my->to == my->from)
            continue;
        coop_trap(my->r, ChanSend, .chan = my->now.queue, .item = &my->line, .poll = true);
        if (my->r == -EAGAIN)
            coop_trap(coop_void, Cancel, .tid = my->now.tid, .why = "does not read");
    }
    coop_end;
}

coop_routine(reader, coop_stream *stream; const struct seat *seat; const char *name;
             char *line; coop_value n;)
{
    coop_begin;
    for (;;) {
        coop_await(my->n, coop_read_line, .stream = my->stream, .line = &my->line);
        if (my->n <= 0)
            coop_return(my->n < 0 ? my->n : -EPIPE);
        coop_await(coop_void, publish, .from = my->seat, .who = my->name, .does = ": ",
                   .what = my->line);
    }
    coop_end;
}

coop_routine(writer, coop_stream *stream; coop_chan *queue; struct line line; coop_value n;)
{
    coop_begin;
    for (;;) {
        coop_trap(my->n, ChanRecv, .chan = my->queue, .item = &my->line);
        if (my->n >= 0)
            coop_await(my->n, coop_write_all, .stream = my->stream, .buf = my->line.text,
                       .len = strlen(my->line.text));
        if (my->n >= 0 && coop_chan_queued(my->queue) == 0)
            coop_await(my->n, coop_drain, .stream = my->stream);
        if (my->n < 0)
            coop_return(my->n);
    }
    coop_end;
}

/* The first of the two that ends, always with an error, ends the other. */
coop_routine(guest, int fd; struct seat *seat; coop_stream *stream; coop_chan *queue;
             char *line, name[20]; coop_value r;)
{
    coop_begin;
    my->stream = coop_stream_open(my->fd, 0);
    my->queue = coop_chan_open(sizeof(struct line), QUEUE, "told");
    coop_await(my->r, coop_read_line, .stream = my->stream, .line = &my->line);
    if (my->r <= 0 || !my->queue)
        coop_return(-EPIPE);
    snprintf(my->name, sizeof my->name, "%s", my->line);
    coop_name(coop_self(), my->name);
    for (my->seat = seats; my->seat->queue; my->seat++)
        ;                              /* not more guests than seats are let in */
    *my->seat = (struct seat){ my->queue, coop_self() };
    coop_await(coop_void, publish, .who = my->name, .does = " is here");
    coop_all(my->r, NULL,
             (reader, .stream = my->stream, .seat = my->seat, .name = my->name),
             (writer, .stream = my->stream, .queue = my->queue));
    coop_return(my->r);
    coop_finally;
    if (my->seat) {
        my->seat->queue = NULL;
        coop_await(coop_void, publish, .who = my->name, .does = " is gone");
    }
    coop_await(coop_void, coop_stream_close, .stream = my->stream, .fd = my->fd);
    coop_chan_free(my->queue);
    coop_end;
}

static coop_coroutine *let_in(int fd, const char *peer, void *arg)
{
    (void)peer, (void)arg;
    return coop_create(guest, .fd = fd);
}

static void ended(const coop_status *status, void *arg)
{
    (void)arg;
    if (status->end == COOP_CANCELLED)
        printf("a guest was cancelled: %s\n", status->why);
}

coop_routine(stop, int listener;)
{
    coop_begin;
    coop_trap(coop_void, SignalWait, .signals = COOP_SIGNAL(SIGINT) | COOP_SIGNAL(SIGTERM));
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

coop_routine(serve, const char *address; bool show; int fd; coop_tid other; coop_value r;
             char bound[64];)
{
    coop_begin;
    coop_await(my->fd, coop_listen, .address = my->address, .bound = my->bound,
               .bound_size = sizeof my->bound);
    if (my->fd < 0)
        coop_return(my->fd);
    if (!my->show)
        fprintf(stderr, "listening at %s\n", my->bound);
    my->other = my->show ? coop_spawn(visit, .address = my->bound, .listener = my->fd)
                         : coop_spawn(stop, .listener = my->fd);
    coop_await(my->r, coop_serve, .fd = my->fd, .client = let_in, .ended = ended,
               .max = SEATS);
    coop_trap(coop_void, KillTask, .tid = my->other, .wait = true);
    coop_return(my->r);
    coop_end;
}

int main(int argc, char **argv)
{
    char address[64] = "tcp://127.0.0.1:0";

    if (argc == 3 && !strcmp(argv[1], "--port")) {
        snprintf(address, sizeof address, "tcp://127.0.0.1:%d", atoi(argv[2]));
    } else if (argc != 1) {
        fputs("usage: pubsub [--port N]\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    return coop_main(serve, .address = address, .show = argc == 1) < 0;
}
