/* options.h - the command line */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>

enum { WORKERS_MAX = 64 };

struct options {
    char address[128];             /* as Listen takes it */
    bool plain;                    /* HOST is a number; or else it may be a name */
    const char *host;
    long port, patience, max_clients, idle, workers;
};

/* Returns the exit status, or -1 to go on. */
int options_read(int argc, char **argv, struct options *);

#endif
