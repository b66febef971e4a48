/* rpc - a JSON-RPC service over TCP, one server in five forms, and its clients */
#include "forms.h"
#include "tasks.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const usage =
    "usage: rpc blocking|callback|trampoline|routines|parallel [--port N]\n"
    "       rpc routines|parallel --self-test CLIENTS\n"
    "       rpc client [--port N] [--clients N] [--beats N] [--every MILLISECONDS]\n"
    "\n"
    "The server listens on 127.0.0.1, on port 45000 if none is given and on a free one if\n"
    "it is 0, until Ctrl-C. With --self-test its clients are tasks of the same program.\n"
    "A client sends a request, and then heartbeats until it has sent --beats of them.\n";

static const struct {
    const char *name;
    int (*serve)(int port);        /* NULL: as tasks */
    client_start *start;
} forms[] = {
    { "blocking", serve_blocking, NULL },
    { "callback", serve_callback, NULL },
    { "trampoline", serve_trampoline, NULL },
    { "routines", NULL, start_routines },
    { "parallel", NULL, start_parallel },
    { 0 }
};

struct options {
    int port, self_test, clients, beats, every;
};

static bool read_options(char **arguments, struct options *options)
{
    const struct { const char *name; int *value, most; } known[] = {
        { "--port", &options->port, 65535 },
        { "--self-test", &options->self_test, 100000 },
        { "--clients", &options->clients, 100000 },
        { "--beats", &options->beats, 1000000000 },
        { "--every", &options->every, 1000000000 },
        { 0 }
    };

    for (; arguments[0]; arguments += 2) {
        char *end;
        long value;
        int i = 0;

        while (known[i].name && strcmp(arguments[0], known[i].name) != 0)
            i++;
        if (!known[i].name || !arguments[1])
            return false;
        value = strtol(arguments[1], &end, 10);
        if (end == arguments[1] || *end || value < 0 || value > known[i].most)
            return false;
        *known[i].value = (int)value;
    }
    return true;
}

coop_routine(clients, const struct options *options; char address[64]; int i; coop_tid tid;
             coop_value r, result;)
{
    coop_begin;
    snprintf(my->address, sizeof my->address, "tcp://127.0.0.1:%d", my->options->port);
    for (my->i = 0; my->i < my->options->clients; my->i++)
        coop_trap(my->tid, NewTask, .target = coop_create(heartbeat_client, .loud = true,
                  .address = my->address, .beats = my->options->beats,
                  .every = COOP_MS(my->options->every)));
    for (my->i = 0; my->i < my->options->clients; my->i++) {
        coop_trap(my->r, WaitTask, .tid = COOP_CHILD);
        my->result = my->r < 0 ? my->r : my->result;
    }
    coop_return(my->result);
    coop_end;
}

static int run_clients(const struct options *options)
{
    coop_value r = coop_main(clients, .options = options);

    if (r < 0)
        fprintf(stderr, "rpc: %s\n", strerror((int)-r));
    return r < 0;
}

int main(int argc, char **argv)
{
    struct options options = { 45000, 0, 1, 0, 1000 };
    int form = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2 || !read_options(argv + 2, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    while (forms[form].name && strcmp(argv[1], forms[form].name) != 0)
        form++;
    if (forms[form].serve && options.self_test == 0)
        return forms[form].serve(options.port);
    if (forms[form].start)
        return serve_tasks(forms[form].start, options.self_test > 0 ? 0 : options.port,
                           options.self_test);
    if (strcmp(argv[1], "client") == 0)
        return run_clients(&options);
    fputs(usage, stderr);
    return 2;
}
