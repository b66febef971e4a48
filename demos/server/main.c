/* taskserver - tasks to play with, over TCP. See doc/taskserver.md. */
#define _POSIX_C_SOURCE 200809L
#include "server.h"
#include "options.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct server server = { .bell = { -1, -1 } };

static volatile sig_atomic_t stop_asked;

void server_log(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (server.worker)
        printf("taskserver, worker %d: ", server.worker);
    else
        printf("taskserver: ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

/* ---- The bell: how a signal handler or an observer, which may not trap, wakes a task */

static void ring(void)
{
    ssize_t n = write(server.bell[1], "", 1);

    (void)n;                       /* a full pipe rings as well */
}

void server_ring(struct output *out)
{
    if (!out->rung)
        ring();
    out->rung = true;
}

/* A second signal does what it does by default. A worker ignores SIGINT. */
static void on_signal(int number)
{
    int saved = errno;

    (void)number;
    if (!server.worker)
        signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    stop_asked = 1;
    ring();
    errno = saved;
}

static int open_bell(void)
{
    struct sigaction action = { .sa_handler = on_signal };

    if (pipe(server.bell) < 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        if (fcntl(server.bell[i], F_SETFL, O_NONBLOCK) < 0
            || fcntl(server.bell[i], F_SETFD, FD_CLOEXEC) < 0)
            return -errno;
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    if (!server.worker)
        sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);      /* nobody reads the log any more: no reason to end */
    return 0;
}

static void silence_bell(void)
{
    char bytes[256];

    while (read(server.bell[0], bytes, sizeof bytes) > 0)
        ;
}

static struct client *first_rung(void)
{
    struct client *client = server.clients;

    while (client && !client->output.rung)
        client = client->next;
    if (client)
        client->output.rung = false;
    return client;
}

static struct client *first_untold(void)
{
    struct client *client = server.clients;

    while (client && client->told)
        client = client->next;
    if (client) {
        client->told = true;
        client->farewell = "the server stops; good bye";
        client_leaves(client, "was told to go");
    }
    return client;
}

/* ---- The server's own task ------------------------------------------------------ */

coop_routine(stop, coop_tid accepting, watching; struct client *client;)
{
    coop_begin;
    server_log("stopping");
    server.stopping = true;
    output_patience = COOP_S(1);
    coop_trap(coop_void, KillTask, .tid = my->accepting, .wait = true);
    if (my->watching > 0)
        coop_trap(coop_void, KillTask, .tid = my->watching, .wait = true);
    while ((my->client = first_untold()))
        coop_trap(coop_void, KillTask, .tid = my->client->reader);
    while (server.clients)
        coop_trap(coop_void, WaitTask, .tid = server.clients->reader);
    coop_end;
}

/* A worker leaves it to the process that has started it to tell people. */
void server_listens(const char *address)
{
    const char *host = strstr(address, "://") + strlen("://"), *port = strrchr(host, ':');
    int bracket = *host == '[';

    server.listening = true;
    if (server.worker) {
        ssize_t n = write(server.report, address, strlen(address));

        (void)n;
        close(server.report);
    } else if (strncmp(address, "unix://", strlen("unix://")) == 0)
        printf("taskserver: listening on %s, try: nc -U %s\n", address, host);
    else
        printf("taskserver: listening on %s, try: nc %.*s %s\n", host,
               (int)(port - host) - 2 * bracket, host + bracket, port + 1);
}

/* Where that is a file, or NULL. */
static const char *path_of(const char *address)
{
    bool local = strncmp(address, "unix://", strlen("unix://")) == 0;

    return local && address[strlen("unix://")] != '@' ? address + strlen("unix://") : NULL;
}

coop_routine(taskserver, const struct options *options; char bound[128]; int listener;
             coop_tid accepting, watching; struct client *client;)
{
    coop_begin;
    server.task = coop_self();
    if (my->options->plain)
        coop_trap(my->listener, Listen, .address = my->options->address,
                  .bound = my->bound, .bound_size = sizeof my->bound,
                  .shared = my->options->workers > 0);
    else
        coop_await(my->listener, coop_listen, .address = my->options->address,
                   .bound = my->bound, .bound_size = sizeof my->bound,
                   .shared = my->options->workers > 0);
    if (my->listener < 0)
        coop_return(my->listener);
    server_listens(my->bound);
    my->accepting = watch_start() < 0 ? -ENOMEM : clients_accept(my->listener);
    if (my->accepting > 0 && idle_limit > 0)
        my->watching = idle_watch();
    if (my->accepting < 0 || my->watching < 0) {
        coop_await(coop_void, stop, .accepting = my->accepting, .watching = my->watching);
        coop_return(-ENOMEM);
    }
    while (!stop_asked) {
        coop_trap(coop_void, ReadWait, .fd = server.bell[0]);
        silence_bell();
        while ((my->client = first_rung()))
            coop_trap(coop_void, Print, .to = &my->client->output, .text = "");
    }
    server.stopped = server.client_count;
    coop_await(coop_void, stop, .accepting = my->accepting, .watching = my->watching);
    if (path_of(my->bound))
        coop_trap(coop_void, Unlink, .path = path_of(my->bound));
    coop_end;
}

/* ---- The process ----------------------------------------------------------------- */

static int complain(const struct options *options, coop_value error)
{
    if (server.listening || server.task == 0)
        fprintf(stderr, "taskserver: %s\n", strerror((int)-error));
    else if (!options->plain && error == -EINVAL)
        fprintf(stderr, "taskserver: %s is not an address\n", options->address);
    else if (!options->plain)
        fprintf(stderr, "taskserver: cannot listen on %s: %s\n", options->address,
                strerror((int)-error));
    else if (error == -EADDRINUSE)
        fprintf(stderr, "taskserver: port %ld of %s is in use; --port chooses another\n",
                options->port, options->host);
    else if (error == -EINVAL)
        fprintf(stderr, "taskserver: %s is not an address; it must be numeric: 127.0.0.1\n",
                options->host);
    else
        fprintf(stderr, "taskserver: cannot listen on port %ld of %s: %s\n", options->port,
                options->host, strerror((int)-error));
    return 1;
}

int serve(const struct options *options)
{
    coop_value r = open_bell();

    if (r == 0)
        r = coop_main(taskserver, .options = options);
    if (r < 0)
        return complain(options, r);
    server_log("stopped: %d client%s, %u tasks ended", server.stopped,
               server.stopped == 1 ? "" : "s", server.ended);
    return 0;
}

int main(int argc, char **argv)
{
    struct options options;
    int status = options_read(argc, argv, &options);

    if (status >= 0)
        return status;
    setvbuf(stdout, NULL, _IOLBF, 0);
    output_patience = COOP_S(options.patience);
    idle_limit = COOP_S(options.idle);
    server.client_max = (int)options.max_clients;
    clock_gettime(CLOCK_MONOTONIC, &server.start);
    return options.workers > 0 ? workers_serve(&options) : serve(&options);
}
