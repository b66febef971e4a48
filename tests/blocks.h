/* blocks.h - counts the blocks that the library has from malloc, and lets some that it asks
   for fail. For suites that are linked with BLOCKS_LINK. */
#ifndef BLOCKS_H
#define BLOCKS_H

#include "world.h"

extern long blocks;                /* in use */
extern unsigned long asked, refused;           /* since blocks_fail */

/* The nth from now on fails, and with for_good all after it; 0: none. */
void blocks_fail(unsigned long nth, bool for_good);

extern bool no_memory;             /* all fail, as long as it is set */

/* As WORLD; no block may be left of it, and nothing have been reported. */
#define BALANCED(expected, ...)                                                     \
    do {                                                                            \
        long before_ = blocks;                                                      \
        world_open(0);                                                              \
        IS(coop_main(__VA_ARGS__), expected);                                       \
        NO_REPORTS();                                                               \
        world_close();                                                              \
        IS(blocks, before_);                                                        \
    } while (0)

#endif
