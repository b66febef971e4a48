/* aecho - an echo server and its client, made of streams (the articles on asyncio)

   The server repeats every line, shows it, and closes after a line EOF. Ctrl-C ends it in
   order: those who are connected are closed first. */
#include <coop.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* ---- The server ----------------------------------------------------------------- */

coop_routine(handle_echo, int fd; coop_stream *stream; char *line; size_t len;
             coop_value n; char peer[64];)
{
    coop_begin;
    coop_trap(coop_void, SockName, .fd = my->fd, .peer = true, .name = my->peer,
              .size = sizeof my->peer);
    printf("Connected..%s\n", my->peer);
    my->stream = coop_stream_open(my->fd, 0);
    for (;;) {
        coop_await(my->n, coop_read_line, .stream = my->stream, .line = &my->line,
                   .length = &my->len);
        if (my->n <= 0)
            break;
        puts(my->line);
        coop_await(my->n, coop_write_all, .stream = my->stream, .buf = my->line,
                   .len = my->len);
        if (my->n >= 0)
            coop_await(my->n, coop_write_all, .stream = my->stream, .buf = "\n", .len = 1);
        if (my->n < 0 || strcmp(my->line, "EOF") == 0)
            break;
    }
    coop_finally;
    coop_await(coop_void, coop_stream_close, .stream = my->stream, .fd = my->fd);
    printf("Disconnected..%s\n\n", my->peer);
    coop_end;
}

static coop_coroutine *start(int fd, const char *peer, void *arg)
{
    (void)peer;
    (void)arg;
    return coop_create(handle_echo, .fd = fd);
}

coop_routine(stop, int listener;)
{
    coop_begin;
    coop_trap(coop_void, SignalWait, .signals = COOP_SIGNAL(SIGINT) | COOP_SIGNAL(SIGTERM));
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

coop_routine(server, const char *address; int fd; coop_tid stop; coop_value r;
             char bound[64];)
{
    coop_begin;
    coop_await(my->fd, coop_listen, .address = my->address, .bound = my->bound,
               .bound_size = sizeof my->bound);
    if (my->fd < 0)
        coop_return(my->fd);
    coop_trap(my->stop, NewTask, .target = coop_create(stop, .listener = my->fd));
    if (my->stop < 0) {
        coop_trap(coop_void, Close, .fd = my->fd);
        coop_return(my->stop);
    }
    fprintf(stderr, "listening on %s\n", my->bound);   /* and signals are waited for */
    coop_await(my->r, coop_serve, .fd = my->fd, .client = start);
    coop_return(my->r);
    coop_finally;
    coop_trap(coop_void, KillTask, .tid = my->stop);
    coop_end;
}

/* ---- The client ----------------------------------------------------------------- */

/* Sends the lines, and then EOF; what comes back is kept until all of it is there. */
coop_routine(client, const char *address; char **lines; int fd, i; coop_stream *stream;
             char *line; coop_value n; size_t used; char got[65536];)
{
    coop_begin;
    coop_await(my->fd, coop_dial, .address = my->address);
    if (my->fd < 0)
        coop_return(my->fd);
    my->stream = coop_stream_open(my->fd, 0);
    for (my->i = 0; my->lines[my->i] && my->n >= 0; my->i++) {
        my->n = coop_stream_print(my->stream, "%s\n", my->lines[my->i]);
        if (my->n >= 0)
            coop_await(my->n, coop_drain, .stream = my->stream);
    }
    if (my->n >= 0)
        my->n = coop_stream_print(my->stream, "EOF\n");
    while (my->n >= 0) {
        coop_await(my->n, coop_read_line, .stream = my->stream, .line = &my->line);
        if (my->n <= 0)
            break;
        my->used += (size_t)snprintf(my->got + my->used, sizeof my->got - my->used, "%s\n",
                                     my->line);
        if (my->used >= sizeof my->got)
            coop_return(-ENOBUFS);
    }
    if (my->n < 0)
        coop_return(my->n);
    printf("Lines received..\n%s", my->got);
    coop_finally;
    coop_await(coop_void, coop_stream_close, .stream = my->stream, .fd = my->fd);
    coop_end;
}

/* ---- Both ----------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    static char *all[] = { "first line", "second line", "third line", NULL };
    char **rest = argv + 2, *port = "8888", address[64];
    coop_value r;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 3 && strcmp(argv[2], "--port") == 0) {
        port = argv[3];
        rest += 2;
    }
    snprintf(address, sizeof address, "tcp://127.0.0.1:%s", port);
    if (argc > 1 && strcmp(argv[1], "server") == 0 && !*rest)
        r = coop_main(server, .address = address);
    else if (argc > 1 && strcmp(argv[1], "client") == 0)
        r = coop_main(client, .address = address, .lines = *rest ? rest : all);
    else {
        fputs("usage: aecho server [--port N]\n"
              "       aecho client [--port N] [LINE...]\n", stderr);
        return 2;
    }
    if (r < 0)
        fprintf(stderr, "aecho: %s: %s\n", address, strerror((int)-r));
    return r < 0;
}
