#include "tasks.h"
#include "protocol.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { BEATS = 3 };                /* of clients of our own */

struct server {
    client_start *start;
    int connections;               /* so far */
};

static coop_coroutine *connected(int fd, const char *peer, void *arg)
{
    struct server *server = arg;
    coop_coroutine *client;

    log_connected(++server->connections, peer);
    client = server->start(fd, server->connections);
    if (!client)
        log_closed(server->connections, -ENOMEM);
    return client;
}

coop_routine(stop_on_signal, int listener;)
{
    coop_begin;
    coop_trap(coop_void, SignalWait, .signals = COOP_SIGNAL(SIGINT) | COOP_SIGNAL(SIGTERM));
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

/* Returns what the last of them that failed did. */
coop_routine(stop_after_clients, int listener, clients, i; const char *address;
             coop_value r, result;)
{
    coop_begin;
    for (my->i = 0; my->i < my->clients; my->i++)
        coop_trap(coop_void, NewTask, .target = coop_create(heartbeat_client,
                  .address = my->address, .beats = BEATS, .every = COOP_MS(10)));
    for (my->i = 0; my->i < my->clients; my->i++) {
        coop_trap(my->r, WaitTask, .tid = COOP_CHILD);
        my->result = my->r < 0 ? my->r : my->result;
    }
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_return(my->result);
    coop_end;
}

coop_routine(serve, client_start *start; int own_clients, fd; const char *address;
             char bound[64]; struct server server; coop_tid stop; coop_value r;)
{
    coop_begin;
    coop_await(my->fd, coop_listen, .address = my->address, .bound = my->bound,
               .bound_size = sizeof my->bound);
    if (my->fd < 0)
        coop_return(my->fd);
    my->server.start = my->start;
    coop_trap(my->stop, NewTask, .target = my->own_clients > 0
              ? coop_create(stop_after_clients, .listener = my->fd, .address = my->bound,
                            .clients = my->own_clients)
              : coop_create(stop_on_signal, .listener = my->fd));
    if (my->stop < 0) {
        coop_trap(coop_void, Close, .fd = my->fd);
        coop_return(my->stop);
    }
    log_listening(my->bound + strlen("tcp://"));    /* and signals are waited for */
    coop_await(my->r, coop_serve, .fd = my->fd, .client = connected, .arg = &my->server);
    if (my->r == 0)
        coop_trap(my->r, WaitTask, .tid = my->stop);
    coop_finally;
    coop_trap(coop_void, KillTask, .tid = my->stop, .wait = true);
    coop_end;
}

int serve_tasks(client_start *start, int port, int own_clients)
{
    char address[64];
    coop_value r;

    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
    r = coop_main(serve, .start = start, .address = address, .own_clients = own_clients);
    if (r < 0) {
        fprintf(stderr, "rpc: %s: %s\n", address, strerror((int)-r));
        return 1;
    }
    log_stopped();
    return 0;
}
