/* echo_coop.c - the server as one writes it with coop. */
#include "config.h"

#include "bench/bench.h"
#include "bench/echo.h"

#include <coop.h>
#include <stdlib.h>

coop_routine(client, int fd; coop_value n; char buf[BUFFER];)
{
    coop_begin;
    for (;;) {
        coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        if (my->n <= 0)
            break;
        coop_trap(my->n, Send, .fd = my->fd, .buf = my->buf, .len = (size_t)my->n);
        if (my->n < 0)
            break;
    }
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

coop_routine(server, int listener, connections, fd;)
{
    coop_begin;
    for (; my->connections > 0; my->connections--) {
        coop_trap(my->fd, Accept, .fd = my->listener);
        if (my->fd < 0)
            coop_return(my->fd);
        if (coop_spawn(client, .fd = my->fd) < 0)
            coop_return(-ENOMEM);
    }
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

/* poller NULL: what COOP_POLLER says, or auto. */
static void serve(int listener, int connections, unsigned quantum, const char *poller)
{
    coop_options options = {
        .quantum = quantum, .no_env = true,
        .machine = coop_unix(poller ? poller : getenv("COOP_POLLER"))
    };
    bench_need(options.machine, "coop_unix");
    bench_need(coop_sched_open(&options) == 0, "coop_sched_open");
    bench_need(coop_main(server, .listener = listener, .connections = connections) == 0,
               "the coop server");
    bench_need(coop_sched_close() == 0, "coop_sched_close");
}

void echo_coop(int listener, int connections)
{
    serve(listener, connections, 0, NULL);
}

void echo_coop_q8(int listener, int connections)
{
    serve(listener, connections, 8, NULL);
}

void echo_coop_epoll(int listener, int connections)
{
    serve(listener, connections, 0, "epoll");
}
