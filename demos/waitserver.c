#define _POSIX_C_SOURCE 200809L
#include "waitserver.h"
#include "listener.h"
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

coop_routine(handle_client, int client; ssize_t n, sent, part; char buf[8192];)
{
    coop_begin;
    print_connection(my->client);
    do {
        coop_trap(my->n, ReadWait, .fd = my->client);
        if (my->n == 0)
            my->n = checked(recv(my->client, my->buf, sizeof my->buf, MSG_DONTWAIT));
        for (my->sent = 0; my->sent < my->n; ) {
            coop_trap(my->part, WriteWait, .fd = my->client);
            if (my->part == 0)
                my->part = checked(send(my->client, my->buf + my->sent,
                                        (size_t)(my->n - my->sent),
                                        MSG_DONTWAIT | MSG_NOSIGNAL));
            if (my->part > 0)
                my->sent += my->part;
            else if (my->part != -EAGAIN)
                coop_return(0);
        }
    } while (my->n > 0 || my->n == -EAGAIN);
    coop_finally;
    close(my->client);
    puts("Client closed");
    coop_end;
}

coop_define(server)
{
    coop_begin;
    puts("Server starting");
    for (;;) {
        coop_trap(coop_void, ReadWait, .fd = my->listener);
        my->client = accept(my->listener, NULL, NULL);
        if (my->client < 0)
            coop_trap(coop_void, Sleep, .ns = COOP_MS(100));   /* out of descriptors? */
        else if (coop_spawn(handle_client, .client = my->client) < 0)
            close(my->client);
    }
    coop_end;
}
