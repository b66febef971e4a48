/* bothends.h - for the suites about the library: a test runs on the host, where it must
   leave no descriptor open, and on the simulated machine. */
#ifndef BOTHENDS_H
#define BOTHENDS_H

#include "both.h"

#define ON_SIM(expected, ...) \
    (both_open("sim:1"), IS(coop_main(__VA_ARGS__), expected), both_close())
#define ON_BOTH(expected, ...) \
    (OUTSIDE(expected, __VA_ARGS__), ON_SIM(expected, __VA_ARGS__))

/* To be awaited: a connection within this program, made with the library. */
coop_declare(both_ends, int *here, *there; int listener; coop_value r; char at[64];);

/* To be awaited: all other tasks have come as far as they can. */
coop_declare(rest, int i;);

#endif
