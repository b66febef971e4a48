/* both.h - for the suites that run on the host and on the simulated machine alike. */
#ifndef BOTH_H
#define BOTH_H

#include "outside.h"

/* Opens a scheduler on the machine that a word of COOP_MACHINE asks for, and closes it: no
   task may be left, and nothing have been reported. */
void both_open(const char *machine);
void both_close(void);

/* Runs a routine on the host and, with several seeds, on the simulated machine. Each time
   it must return expected, and have logged the same. */
#define BOTH(expected, log, ...)                                                    \
    for (const char *const *on_ = both_machines; *on_; on_++) {                     \
        both_open(*on_);                                                            \
        IS(coop_main(__VA_ARGS__), expected);                                       \
        LOG_IS(log);                                                                \
        both_close();                                                               \
    }
extern const char *const both_machines[];      /* up to NULL */

/* To be awaited: a listener on any port of 127.0.0.1, whose address goes to bound. */
coop_declare(listen_here, char *bound; size_t size; int fd;);

/* To be awaited: both ends of a connection; 0 or an error. */
coop_declare(connect_pair, int *client, *server; char bound[64]; int listener;
             coop_value r;);

/* To be awaited: sends len bytes as a pattern that begins at from, and receives as much and
   checks it. The second gives how many came. */
coop_declare(send_pattern, int fd; size_t from, len, at, n; coop_value r; char buf[1000];);
coop_declare(recv_pattern, int fd; size_t from, len, at, n; coop_value r; char buf[1000];);

#endif
