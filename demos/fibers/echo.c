/* fiberecho [--port N] - demos/echoserver with fibers: ordinary functions that may block

   A kill lets each call that would wait fail, so all loops end, and what stands behind them
   is done; Close does not wait. */
#include <coop.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int clients;

static coop_value echo_client(void *arg)
{
    int fd = (int)(intptr_t)arg, number = ++clients;
    char buf[4096];
    coop_value n;

    printf("client %d is here\n", number);
    while ((n = coop_recv(fd, buf, sizeof buf)) > 0)
        if (coop_send(fd, buf, (size_t)n) < 0)
            break;
    coop_close(fd);
    printf("client %d has gone\n", number);
    return 0;
}

static coop_value echo_server(void *address)
{
    int listener = coop_listen(address), client;
    char bound[64];

    if (listener < 0)
        return listener;
    coop_sock_name(listener, false, bound, sizeof bound);
    fprintf(stderr, "listening on tcp://%s\n", bound);
    for (;;) {
        client = coop_accept(listener);
        if (client < 0 && coop_sleep(COOP_MS(100)) < 0)
            break;                      /* killed; else no descriptor was left just now */
        if (client >= 0 && coop_spawn_fiber(echo_client, (void *)(intptr_t)client) < 0)
            coop_close(client);
    }
    return coop_close(listener);
}

int main(int argc, char **argv)
{
    char address[64];
    coop_value r;

    if (argc != 1 && (argc != 3 || strcmp(argv[1], "--port"))) {
        fputs("usage: fiberecho [--port N]\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(address, sizeof address, "tcp://127.0.0.1:%s", argc == 3 ? argv[2] : "2222");
    r = coop_main(COOP_FIBER(echo_server, address));
    fprintf(stderr, "fiberecho: %s: %s\n", address, strerror((int)-r));
    return 1;
}
