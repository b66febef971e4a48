/* echoserver [--port N] - sends back what it gets, to any number of clients */
#include <coop.h>
#include <stdio.h>
#include <string.h>

coop_routine(echo_client, int fd; coop_value n; char buf[4096];)
{
    coop_begin;
    do {
        coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        if (my->n > 0)
            coop_trap(my->n, Send, .fd = my->fd, .buf = my->buf, .len = my->n);
    } while (my->n > 0);
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

coop_routine(echo_server, const char *address; int listener, client; char bound[64];)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = my->address,
              .bound = my->bound, .bound_size = sizeof my->bound);
    if (my->listener < 0)
        coop_return(my->listener);
    fprintf(stderr, "listening on %s\n", my->bound);
    for (;;) {
        coop_trap(my->client, Accept, .fd = my->listener);
        if (my->client < 0)             /* no descriptor left: until a client goes */
            coop_trap(coop_void, Sleep, .ns = COOP_MS(100));
        else if (coop_spawn(echo_client, .fd = my->client) < 0)
            coop_trap(coop_void, Close, .fd = my->client);
    }
    coop_end;
}

int main(int argc, char **argv)
{
    char address[64];
    coop_value r;

    if (argc != 1 && (argc != 3 || strcmp(argv[1], "--port"))) {
        fputs("usage: echoserver [--port N]\n", stderr);
        return 2;
    }
    snprintf(address, sizeof address, "tcp://127.0.0.1:%s", argc == 3 ? argv[2] : "2222");
    r = coop_main(echo_server, .address = address);
    fprintf(stderr, "echoserver: %s: %s\n", address, strerror((int)-r));
    return 1;
}
