/* show.h - a session with everything in it: a server and clients, files, names, datagrams,
   a child process, signals and a sleeper, with an account of how each comes out. */
#ifndef SHOW_H
#define SHOW_H

#include "both.h"

/* The first are pairs of a client and the task that serves it. */
enum group {
    PAIRS = 2, SERVER = PAIRS, FILES, NAMES, DATAGRAMS, CHILD, SIGNALS, SLEEPER, GROUPS,
    NOBODY = -1
};

struct show {
    int well[GROUPS], ill[GROUPS];
    int strangers;                 /* ill before it was known whom they serve */
    int listener;                  /* an error: there are no pairs */
    char at[64];
    bool signalled;
    signed char group[256];        /* by tid */
};
extern struct show show;

void show_begin(void);
enum group show_group(coop_tid tid);           /* NOBODY: not known */

/* The session, of these parts; it gives 0. */
enum { SOCKETS = 1, LIBRARY = 2, HOST = 4 };   /* pairs by calls, by the library; others */
coop_declare(session, int with, i; coop_tid server, clients[PAIRS], others[6];
             bool closed;);

#endif
