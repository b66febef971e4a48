/* echo_fiber.c - the same server as echo_coop.c, of fibers. */
#include "config.h"

#include "bench/bench.h"
#include "bench/echo.h"

#include <coop.h>
#include <stdlib.h>

static coop_value client(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[BUFFER];
    coop_value n;
    while ((n = coop_recv(fd, buf, sizeof buf)) > 0)
        if (coop_send(fd, buf, (size_t)n) < 0)
            break;
    return coop_close(fd);
}

struct lot { int listener, connections; };

static coop_value server(void *arg)
{
    const struct lot *lot = arg;
    for (int i = 0; i < lot->connections; i++) {
        coop_value fd = coop_accept(lot->listener);
        if (fd < 0)
            return fd;
        if (coop_spawn_fiber(client, (void *)fd) < 0)
            return -ENOMEM;
    }
    return coop_close(lot->listener);
}

void echo_fiber(int listener, int connections)
{
    struct lot lot = { listener, connections };
    coop_options options = {
        .no_env = true, .machine = coop_unix(getenv("COOP_POLLER"))
    };
    bench_need(options.machine, "coop_unix");
    bench_need(coop_sched_open(&options) == 0, "coop_sched_open");
    bench_need(coop_main(COOP_FIBER(server, &lot)) == 0, "the server of fibers");
    bench_need(coop_sched_close() == 0, "coop_sched_close");
}
