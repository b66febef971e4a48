/* echobad - the echo server that freezes everything (the course, before step 7)

   accept, recv and send wait in the host, which knows no tasks: while one of them waits
   nobody runs. "I'm alive!" comes once, and again only when a client does. */
#define _POSIX_C_SOURCE 200809L
#include "listener.h"
#include "terminated.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

coop_routine(handle_client, int client; ssize_t n; char buf[8192];)
{
    coop_begin;
    print_connection(my->client);
    do {
        my->n = recv(my->client, my->buf, sizeof my->buf, 0);
        if (my->n > 0)
            my->n = send(my->client, my->buf, (size_t)my->n, MSG_NOSIGNAL);
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
    fcntl(my->listener, F_SETFL, 0);           /* blocking, as in the course */
    while ((my->client = accept(my->listener, NULL, NULL)) >= 0) {
        coop_spawn(handle_client, .client = my->client);
        coop_yield(coop_void, 0);
    }
    coop_end;
}

coop_routine(alive, unsigned long times;)
{
    coop_begin;
    for (;; my->times++) {
        puts("I'm alive!");
        coop_yield(coop_void, 0);
    }
    coop_end;
}

int main(int argc, char **argv)
{
    int listener = open_listener(argc, argv);

    coop_spawn(alive);
    coop_spawn(server, .listener = listener);
    coop_observe(&terminated);
    return coop_run() < 0;
}
