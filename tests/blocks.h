/* blocks.h - counts the blocks that the library has from malloc, and lets one that it asks for
   fail. For suites that are linked with BLOCKS_LINK. */
#ifndef BLOCKS_H
#define BLOCKS_H

#include <stdbool.h>

extern long blocks;                /* in use */
extern unsigned long asked;        /* since blocks_fail */

/* The nth from now on fails, and with for_good all after it; 0: none. */
void blocks_fail(unsigned long nth, bool for_good);

#endif
