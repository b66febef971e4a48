/* httpd - a folder's files over HTTP/1.1. See doc/httpd.md. */
#define _POSIX_C_SOURCE 200809L
#include "httpd.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct server server;

/* ---- Serving ------------------------------------------------------------------------- */

static coop_coroutine *start_client(int fd, const char *peer, void *arg)
{
    (void)peer;
    (void)arg;
    return coop_create(client, .c.fd = fd);
}

/* Lets those finish who are being answered or have begun to ask; the others go at once. */
coop_routine(stopper, coop_tid serving; int listener, life; struct connection *c;)
{
    coop_begin;
    if (my->life >= 0)
        coop_trap(coop_void, ReadWait, .fd = my->life);
    else
        coop_trap(coop_void, SignalWait,
                  .signals = COOP_SIGNAL(SIGINT) | COOP_SIGNAL(SIGTERM));
    server.stopping = true;
    coop_trap(coop_void, Close, .fd = my->listener);
    while ((my->c = server.idle.first)) {
        limit_set(my->c, NULL);
        coop_trap(coop_void, KillTask, .tid = my->c->tid);
    }
    coop_trap(coop_void, SignalWait,
              .signals = COOP_SIGNAL(SIGINT) | COOP_SIGNAL(SIGTERM));
    coop_trap(coop_void, KillTask, .tid = my->serving);
    coop_end;
}

static void tell(const struct settings *settings, const char *bound, int ready)
{
    if (ready >= 0) {
        if (write(ready, "", 1) < 0)
            return;                /* who started it is gone, and life is closed */
        close(ready);
    } else if (!strncmp(bound, "tcp", 3))
        printf("httpd: serving %s at http%s/\n", settings->folder, bound + 3);
    else
        printf("httpd: serving %s at %s\n", settings->folder, bound);
    fflush(stdout);
}

coop_routine(httpd, const struct settings *settings; int ready, life, listener;
             char bound[128]; int64_t wall; coop_tid limits, stopper; coop_value r;)
{
    coop_begin;
    coop_await(my->listener, coop_listen, .address = my->settings->address,
               .bound = my->bound, .bound_size = sizeof my->bound,
               .shared = my->life >= 0);
    if (my->listener < 0)
        coop_return(my->listener);
    coop_trap(coop_void, Now, .wall = true, .at = &my->wall);
    reply_clock(my->wall);
    my->limits = coop_spawn(limits);
    my->stopper = coop_spawn(stopper, .serving = coop_self(), .listener = my->listener,
                             .life = my->life);
    if (my->limits < 0 || my->stopper < 0)
        coop_return(-ENOMEM);
    coop_trap(coop_void, Yield);   /* the stopper waits for its signal from here on */
    if (my->life < 0 || my->ready >= 0)
        tell(my->settings, my->bound, my->ready);
    coop_await(my->r, coop_serve, .fd = my->listener, .client = start_client,
               .max = (size_t)my->settings->max_clients,
               .grace = COOP_S(my->settings->grace));
    coop_return(my->r);
    coop_finally;
    coop_trap(coop_void, KillTask, .tid = my->limits);
    coop_trap(coop_void, KillTask, .tid = my->stopper);
    coop_end;
}

static int complain(const char *what, coop_value error)
{
    fprintf(stderr, "httpd: %s: %s\n", what, strerror((int)-error));
    return 1;
}

int serve(const struct settings *settings, int ready, int life)
{
    coop_value r;

    server.idle.seconds = settings->idle;
    server.header.seconds = settings->header_time;
    server.answer.seconds = settings->write_time;
    server.linger.seconds = 5;
    r = coop_main(httpd, .settings = settings, .ready = ready, .life = life);
    return r < 0 && r != -ECANCELED ? complain(settings->address, r) : 0;
}

/* ---- Options ------------------------------------------------------------------------- */

static const char *const usage =
    "usage: httpd [--port N | ADDRESS] [--workers N] [--max-clients N] [--idle SECONDS]\n"
    "             [--header-time SECONDS] [--write-time SECONDS] [--grace SECONDS]\n"
    "             [FOLDER]\n";

static const char *const help =
    "Serves the files of FOLDER, or of the current one, over HTTP/1.1.\n"
    "\n"
    "  --port N               the port of 127.0.0.1, 0 for a free one (8080)\n"
    "  ADDRESS                tcp://HOST:PORT, for all: tcp://:PORT, or unix://PATH\n"
    "  --workers N            processes that share the port (1)\n"
    "  --max-clients N        connections at once, of each worker (10000)\n"
    "  --idle SECONDS         for how long a connection may ask nothing (60)\n"
    "  --header-time SECONDS  how long a request may take to come (10)\n"
    "  --write-time SECONDS   for how long a client may take nothing of an answer (60)\n"
    "  --grace SECONDS        what clients get to finish when the server stops (10)\n"
    "  --help                 this text\n"
    "\n"
    "Ctrl-C or SIGTERM stops it in order; a second one stops it at once.\n";

/* Stores a number from least to most; false for what is none. */
static bool number(const char *text, long least, long most, long *value)
{
    char *end;

    *value = strtol(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && *value >= least && *value <= most;
}

static bool read_operands(int count, char **operands, struct settings *settings)
{
    for (int i = 0; i < count; i++) {
        const char **which = strstr(operands[i], "://") ? &settings->address
                                                        : &settings->folder;
        if (*which || (which == &settings->address && settings->port >= 0))
            return false;
        *which = operands[i];
    }
    return true;
}

/* Returns the exit status, or -1 to go on. */
static int read_options(int argc, char **argv, struct settings *settings)
{
    static const struct option names[] = {
        { "port", required_argument, NULL, 0 }, { "workers", required_argument, NULL, 1 },
        { "max-clients", required_argument, NULL, 2 },
        { "idle", required_argument, NULL, 3 },
        { "header-time", required_argument, NULL, 4 },
        { "write-time", required_argument, NULL, 5 },
        { "grace", required_argument, NULL, 6 }, { "help", no_argument, NULL, 7 }, { 0 }
    };
    const struct { long *value, least, most; } numbers[] = {
        { &settings->port, 0, 65535 }, { &settings->workers, 1, 256 },
        { &settings->max_clients, 1, 10000000 }, { &settings->idle, 1, 1000000 },
        { &settings->header_time, 1, 1000000 }, { &settings->write_time, 1, 1000000 },
        { &settings->grace, 0, 1000000 }
    };
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 7)
            return printf("%s%s", usage, help) < 0;
        if (option == '?'
            || !number(optarg, numbers[option].least, numbers[option].most,
                       numbers[option].value))
            break;
    }
    if (option == -1 && read_operands(argc - optind, argv + optind, settings))
        return -1;
    fputs(usage, stderr);
    return 2;
}

/* As many descriptors as can be had. Clients get three quarters: files need some. */
static void raise_limit(struct settings *settings)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max / 4 * 3 < (rlim_t)settings->max_clients)
        settings->max_clients = (long)(limit.rlim_max / 4 * 3);
}

/* ---- With workers: the port is taken first, so that it is the same for all ---------- */

coop_routine(take_port, const char *address; char *bound; size_t size; int fd;)
{
    coop_begin;
    coop_await(my->fd, coop_listen, .address = my->address, .bound = my->bound,
               .bound_size = my->size, .shared = true);
    coop_return(my->fd);
    coop_end;
}

static int serve_shared(struct settings *settings)
{
    char bound[128];
    coop_value fd = coop_main(take_port, .address = settings->address, .bound = bound,
                              .size = sizeof bound);

    if (fd < 0)
        return complain(settings->address, fd);
    settings->address = bound;
    return workers_run(settings, (int)fd);
}

int main(int argc, char **argv)
{
    struct settings settings = {
        .port = -1, .workers = 1, .max_clients = 10000, .idle = 60, .header_time = 10,
        .write_time = 60, .grace = 10
    };
    char address[64];
    int status = read_options(argc, argv, &settings);

    if (status >= 0)
        return status;
    if (!settings.address) {
        snprintf(address, sizeof address, "tcp://127.0.0.1:%ld",
                 settings.port < 0 ? 8080 : settings.port);
        settings.address = address;
    }
    if (!settings.folder)
        settings.folder = ".";
    status = files_open(settings.folder);
    if (status < 0)
        return complain(settings.folder, status);
    raise_limit(&settings);
    if (settings.workers == 1)
        return serve(&settings, -1, -1);
    if (!strncmp(settings.address, "tcp://", 6))
        return serve_shared(&settings);
    fprintf(stderr, "httpd: only a port can be shared by workers: tcp://HOST:PORT\n");
    return 2;
}
