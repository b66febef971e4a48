/* taskserver - tasks to play with, over TCP. See doc/taskserver.md. */
#define _POSIX_C_SOURCE 200809L
#include "server.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
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

/* A second signal does what it does by default. */
static void on_signal(int number)
{
    int saved = errno;

    (void)number;
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
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
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

coop_routine(stop, coop_tid accepting; struct client *client;)
{
    coop_begin;
    server_log("stopping");
    server.stopping = true;
    output_patience = COOP_S(1);
    coop_trap(coop_void, KillTask, .tid = my->accepting, .wait = true);
    while ((my->client = first_untold()))
        coop_trap(coop_void, KillTask, .tid = my->client->reader);
    while (server.clients)
        coop_trap(coop_void, WaitTask, .tid = server.clients->reader);
    coop_end;
}

static void print_address(const char *address)
{
    const char *host = address + strlen("tcp://"), *port = strrchr(host, ':') + 1;
    int bracket = *host == '[';

    printf("taskserver: listening on %s, try: nc %.*s %s\n", host,
           (int)(port - host) - 1 - 2 * bracket, host + bracket, port);
}

coop_routine(taskserver, const char *address; char bound[128]; int listener;
             coop_tid accepting; struct client *client;)
{
    coop_begin;
    server.task = coop_self();
    coop_trap(my->listener, Listen, .address = my->address, .bound = my->bound,
              .bound_size = sizeof my->bound);
    if (my->listener < 0)
        coop_return(my->listener);
    server.listening = true;
    print_address(my->bound);
    my->accepting = watch_start() < 0 ? -ENOMEM : clients_accept(my->listener);
    if (my->accepting < 0)
        coop_return(my->accepting);
    while (!stop_asked) {
        coop_trap(coop_void, ReadWait, .fd = server.bell[0]);
        silence_bell();
        while ((my->client = first_rung()))
            coop_trap(coop_void, Print, .to = &my->client->output, .text = "");
    }
    server.stopped = server.client_count;
    coop_await(coop_void, stop, .accepting = my->accepting);
    coop_end;
}

/* ---- Options -------------------------------------------------------------------- */

static const char *const usage =
    "usage: taskserver [--host HOST] [--port PORT] [--patience SECONDS]\n";

static const char *const help =
    "Tasks to play with, over TCP: connect to it with nc or telnet and type help.\n"
    "\n"
    "  --host HOST         the address to listen on, a number (127.0.0.1)\n"
    "  --port PORT         the port, 0 for a free one (2222)\n"
    "  --patience SECONDS  for how long a client may let its programs wait for it to\n"
    "                      read before it is dropped (30)\n"
    "  --help              this text\n"
    "\n"
    "Ctrl-C stops it in order; a second one stops it at once.\n";

struct options {
    const char *host;
    long port, patience;
};

/* Returns -1 for what is no number from 0 to most. */
static long number(const char *text, long most)
{
    char *end;
    long value = strtol(text, &end, 10);

    return *text >= '0' && *text <= '9' && !*end && value <= most ? value : -1;
}

enum { HOST, PORT, PATIENCE, HELP };

/* Returns the exit status, or -1 to go on. */
static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        { "host", required_argument, NULL, HOST },
        { "port", required_argument, NULL, PORT },
        { "patience", required_argument, NULL, PATIENCE },
        { "help", no_argument, NULL, HELP },
        { 0 }
    };
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == HOST)
            options->host = optarg;
        else if (option == PORT)
            options->port = number(optarg, 65535);
        else if (option == PATIENCE)
            options->patience = number(optarg, 1000000);
        else if (option == HELP)
            return printf("%s%s", usage, help) < 0;
        else
            break;
    }
    if (option == -1 && optind == argc && options->port >= 0 && options->patience >= 0)
        return -1;
    fputs(usage, stderr);
    return 2;
}

static int complain(const struct options *options, coop_value error)
{
    if (server.listening || server.task == 0)
        fprintf(stderr, "taskserver: %s\n", strerror((int)-error));
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

int main(int argc, char **argv)
{
    struct options options = { "127.0.0.1", 2222, 30 };
    char address[128];
    int status = read_options(argc, argv, &options);
    coop_value r;

    if (status >= 0)
        return status;
    setvbuf(stdout, NULL, _IOLBF, 0);
    output_patience = COOP_S(options.patience);
    clock_gettime(CLOCK_MONOTONIC, &server.start);
    snprintf(address, sizeof address,
             strchr(options.host, ':') ? "tcp://[%s]:%ld" : "tcp://%s:%ld", options.host,
             options.port);
    r = open_bell();
    if (r == 0)
        r = coop_main(taskserver, .address = address);
    if (r < 0)
        return complain(&options, r);
    server_log("stopped: %d client%s, %u tasks ended", server.stopped,
               server.stopped == 1 ? "" : "s", server.ended);
    return 0;
}
