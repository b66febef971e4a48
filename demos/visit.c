/* visit.c - guests for demos/pubsub: Ann, Bob, and Sue, who does not read */
#include "visit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

coop_routine(come, const char *name, *address; coop_stream **stream; int fd;)
{
    coop_begin;
    coop_trap(my->fd, Connect, .address = my->address);
    *my->stream = my->fd < 0 ? NULL : coop_stream_open(my->fd, 0);
    coop_stream_print(*my->stream, "%s\n", my->name);
    coop_await(coop_void, coop_drain, .stream = *my->stream);
    coop_end;
}

/* Shows what a guest is told, up to a line that ends so. */
coop_routine(hear, coop_stream *stream; const char *name, *end; char *line; size_t n;
             coop_value r;)
{
    coop_begin;
    do {
        coop_await(my->r, coop_read_line, .stream = my->stream, .line = &my->line,
                   .length = &my->n);
        if (my->r <= 0)
            coop_return(-EPIPE);
        printf("%s is told: %s\n", my->name, my->line);
    } while (my->n < strlen(my->end) || strcmp(my->line + my->n - strlen(my->end), my->end));
    coop_end;
}

coop_routine(flood, coop_stream *stream; coop_value r; char text[200];)
{
    coop_begin;
    memset(my->text, 'x', sizeof my->text - 1);
    my->text[sizeof my->text - 1] = '\n';
    do
        coop_await(my->r, coop_write_all, .stream = my->stream, .buf = my->text,
                   .len = sizeof my->text);
    while (my->r > 0);
    coop_return(my->r);
    coop_end;
}

coop_define(visit)
{
    coop_begin;
    coop_await(coop_void, come, .name = "Ann", .address = my->address, .stream = &my->ann);
    coop_await(coop_void, hear, .name = "Ann", .stream = my->ann, .end = "Ann is here");
    coop_await(coop_void, come, .name = "Bob", .address = my->address, .stream = &my->bob);
    coop_await(coop_void, hear, .name = "Ann", .stream = my->ann, .end = "Bob is here");
    coop_stream_print(my->ann, "hello\n");
    coop_await(coop_void, coop_drain, .stream = my->ann);
    coop_await(coop_void, hear, .name = "Bob", .stream = my->bob, .end = "hello");
    coop_stream_print(my->bob, "hi, and goodbye\n");
    coop_await(coop_void, coop_stream_close, .stream = my->bob);
    coop_await(coop_void, hear, .name = "Ann", .stream = my->ann, .end = "Bob is gone");
    coop_await(coop_void, come, .name = "Sue", .address = my->address, .stream = &my->sue);
    coop_await(coop_void, hear, .name = "Ann", .stream = my->ann, .end = "Sue is here");
    puts("Ann talks and talks, and Sue does not read");
    coop_race(coop_void, (flood, .stream = my->ann),
              (hear, .name = "Ann", .stream = my->ann, .end = "Sue is gone"));
    coop_finally;
    coop_await(coop_void, coop_stream_close, .stream = my->ann);
    coop_await(coop_void, coop_stream_close, .stream = my->sue);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}
