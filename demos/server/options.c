#define _POSIX_C_SOURCE 200809L
#include "options.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const usage =
    "usage: taskserver [--host HOST] [--port PORT] [--patience SECONDS] [--idle SECONDS]\n"
    "                  [--max-clients N] [--workers N] [ADDRESS]\n";

static const char *const help =
    "Tasks to play with, over TCP: connect to it with nc or telnet and type help.\n"
    "\n"
    "  --host HOST         the address to listen on, a number (127.0.0.1)\n"
    "  --port PORT         the port, 0 for a free one (2222)\n"
    "  ADDRESS             the same in one: tcp://HOST:PORT, where HOST may be a name, or\n"
    "                      unix://PATH for a socket in the file system\n"
    "  --patience SECONDS  for how long a client may let its programs wait for it to\n"
    "                      read before it is dropped (30)\n"
    "  --idle SECONDS      for how long a client may ask for nothing before it is told\n"
    "                      and closed (0: for ever)\n"
    "  --max-clients N     how many may be there at once; more are told so and closed\n"
    "                      (0: any)\n"
    "  --workers N         so many processes share the port. Each is a server of its own:\n"
    "                      ps, kill and chat reach its tasks alone, and the N of\n"
    "                      --max-clients is of each (0: one process)\n"
    "  --help              this text\n"
    "\n"
    "Ctrl-C stops it in order; a second one stops it at once.\n";

/* Returns -1 for what is no number from 0 to most. */
static long number(const char *text, long most)
{
    char *end;
    long value = strtol(text, &end, 10);

    return *text >= '0' && *text <= '9' && !*end && value <= most ? value : -1;
}

static bool read_address(const char *text, struct options *options)
{
    bool local = strncmp(text, "unix://", 7) == 0;

    if ((!local && strncmp(text, "tcp://", 6) != 0) || (local && options->workers > 0)
        || strlen(text) >= sizeof options->address)
        return false;
    strcpy(options->address, text);
    return true;
}

enum { HOST, PORT, PATIENCE, IDLE, MAX_CLIENTS, WORKERS, HELP };

static const struct option names[] = {
    { "host", required_argument, NULL, HOST },
    { "port", required_argument, NULL, PORT },
    { "patience", required_argument, NULL, PATIENCE },
    { "idle", required_argument, NULL, IDLE },
    { "max-clients", required_argument, NULL, MAX_CLIENTS },
    { "workers", required_argument, NULL, WORKERS },
    { "help", no_argument, NULL, HELP },
    { 0 }
};

static bool are_good(const struct options *options)
{
    return options->port >= 0 && options->patience >= 0 && options->idle >= 0
           && options->max_clients >= 0 && options->workers >= 0;
}

int options_read(int argc, char **argv, struct options *options)
{
    int option;

    *options = (struct options){ .plain = true, .host = "127.0.0.1", .port = 2222,
                                 .patience = 30 };
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == HOST)
            options->host = optarg;
        else if (option == PORT)
            options->port = number(optarg, 65535);
        else if (option == PATIENCE)
            options->patience = number(optarg, 1000000);
        else if (option == IDLE)
            options->idle = number(optarg, 1000000);
        else if (option == MAX_CLIENTS)
            options->max_clients = number(optarg, 1000000);
        else if (option == WORKERS)
            options->workers = number(optarg, WORKERS_MAX);
        else if (option == HELP)
            return printf("%s\n%s", usage, help) < 0;
        else
            break;
    }
    snprintf(options->address, sizeof options->address,
             strchr(options->host, ':') ? "tcp://[%s]:%ld" : "tcp://%s:%ld", options->host,
             options->port);
    options->plain = optind == argc;
    if (option == -1 && are_good(options)
        && (options->plain || (optind + 1 == argc && read_address(argv[optind], options))))
        return -1;
    fputs(usage, stderr);
    return 2;
}
