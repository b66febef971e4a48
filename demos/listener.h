/* listener.h - the part of the course's echo servers that has nothing to do with tasks */
#ifndef LISTENER_H
#define LISTENER_H

#include <errno.h>
#include <sys/types.h>

/* A non-blocking listening socket on 127.0.0.1, at the port of `--port N` or the course's
   45000, told on standard error. Ends the program when there is none. Lines on
   standard output are written at once from here on. */
int open_listener(int argc, char **argv);

/* Prints where a client comes from. */
void print_connection(int client);

/* A result of the host in coop's manner: a negative errno instead of -1. */
static inline ssize_t checked(ssize_t result)
{
    return result < 0 ? -errno : result;
}

#endif
