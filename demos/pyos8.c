/* pyos8 - step 8: a call stack for tasks

   coop_await lets a routine call another one that traps. So the waiting, which step 7
   had in the server, moves into a library: Accept, Recv and Send, written once and used
   like calls that block (echoserver of the course). libcoop has such system calls
   built in: see echoserver.c. */
#define _POSIX_C_SOURCE 200809L
#include "listener.h"
#include "terminated.h"
#include <sys/socket.h>
#include <unistd.h>

coop_routine(Accept, int fd, client;)
{
    coop_begin;
    do {
        coop_trap(my->client, ReadWait, .fd = my->fd);
        if (my->client == 0)
            my->client = (int)checked(accept(my->fd, NULL, NULL));
    } while (my->client == -EAGAIN);
    coop_return(my->client);
    coop_end;
}

coop_routine(Recv, int fd; void *buf; size_t len; ssize_t n;)
{
    coop_begin;
    do {
        coop_trap(my->n, ReadWait, .fd = my->fd);
        if (my->n == 0)
            my->n = checked(recv(my->fd, my->buf, my->len, MSG_DONTWAIT));
    } while (my->n == -EAGAIN);
    coop_return(my->n);
    coop_end;
}

coop_routine(Send, int fd; const char *buf; size_t len, sent; ssize_t n;)
{
    coop_begin;
    while (my->sent < my->len) {
        coop_trap(my->n, WriteWait, .fd = my->fd);
        if (my->n == 0)
            my->n = checked(send(my->fd, my->buf + my->sent, my->len - my->sent,
                                 MSG_DONTWAIT | MSG_NOSIGNAL));
        if (my->n > 0)
            my->sent += (size_t)my->n;
        else if (my->n != -EAGAIN)
            coop_return(my->n);
    }
    coop_return(my->sent);
    coop_end;
}

coop_routine(handle_client, int client; ssize_t n; char buf[8192];)
{
    coop_begin;
    print_connection(my->client);
    do {
        coop_await(my->n, Recv, .fd = my->client, .buf = my->buf, .len = sizeof my->buf);
        if (my->n > 0)
            coop_await(my->n, Send, .fd = my->client, .buf = my->buf, .len = (size_t)my->n);
    } while (my->n > 0);
    coop_finally;
    close(my->client);
    puts("Client closed");
    coop_end;
}

coop_routine(server, int listener, client;)
{
    coop_begin;
    puts("Server starting");
    for (;;) {
        coop_await(my->client, Accept, .fd = my->listener);
        if (my->client < 0)
            coop_trap(coop_void, Sleep, .ns = COOP_MS(100));   /* out of descriptors? */
        else if (coop_spawn(handle_client, .client = my->client) < 0)
            close(my->client);
    }
    coop_end;
}

int main(int argc, char **argv)
{
    int listener = open_listener(argc, argv);

    coop_spawn(server, .listener = listener);
    coop_observe(&terminated);
    return coop_run() < 0;
}
