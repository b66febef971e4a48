/* echoserver2 - sockets as objects (the course, after step 8: sockwrap and echoserver2)

   Routines are good methods: they take the object as their first argument and may trap as
   they like. A program above them names no descriptor and no system call. */
#include "listener.h"
#include "terminated.h"
#include <string.h>

struct sock {
    int fd;
    char peer[64];                     /* HOST:PORT */
};

coop_routine(sock_accept, struct sock *self, *client;)
{
    coop_begin;
    coop_trap(coop_void, ReadWait, .fd = my->self->fd);     /* first, as in the course */
    coop_trap(my->client->fd, Accept, .fd = my->self->fd,
              .peer = my->client->peer, .peer_size = sizeof my->client->peer);
    coop_return(my->client->fd);
    coop_end;
}

coop_routine(sock_recv, struct sock *self; void *buf; size_t len; coop_value n;)
{
    coop_begin;
    coop_trap(my->n, Recv, .fd = my->self->fd, .buf = my->buf, .len = my->len);
    coop_return(my->n);
    coop_end;
}

coop_routine(sock_send, struct sock *self; const void *buf; size_t len; coop_value n;)
{
    coop_begin;
    coop_trap(my->n, Send, .fd = my->self->fd, .buf = my->buf, .len = my->len);
    coop_return(my->n);
    coop_end;
}

coop_routine(sock_close, struct sock *self;)
{
    coop_begin;
    coop_trap(coop_void, Close, .fd = my->self->fd);
    coop_end;
}

coop_routine(handle_client, struct sock client; coop_value n; char buf[8192];)
{
    coop_begin;
    const char *port = strrchr(my->client.peer, ':');

    printf("Connection from ('%.*s', %s)\n",
           (int)(port - my->client.peer), my->client.peer, port + 1);
    do {
        coop_await(my->n, sock_recv, .self = &my->client, .buf = my->buf,
                   .len = sizeof my->buf);
        if (my->n > 0)
            coop_await(my->n, sock_send, .self = &my->client, .buf = my->buf,
                       .len = (size_t)my->n);
    } while (my->n > 0);
    coop_finally;
    coop_await(coop_void, sock_close, .self = &my->client);
    puts("Client closed");
    coop_end;
}

coop_routine(server, struct sock listener, client; int r;)
{
    coop_begin;
    puts("Server starting");
    for (;;) {
        coop_await(my->r, sock_accept, .self = &my->listener, .client = &my->client);
        if (my->r < 0)
            coop_trap(coop_void, Sleep, .ns = COOP_MS(100));   /* out of descriptors? */
        else if (coop_spawn(handle_client, .client = my->client) < 0)
            coop_await(coop_void, sock_close, .self = &my->client);
    }
    coop_end;
}

int main(int argc, char **argv)
{
    struct sock listener = { .fd = open_listener(argc, argv) };

    coop_spawn(server, .listener = listener);
    coop_observe(&terminated);
    return coop_run() < 0;
}
