/* scarce.h - memory that gives out: every allocation of the library in a scenario fails
   once, and then from it on for good. For suites that are linked with BLOCKS_LINK. */
#ifndef SCARCE_H
#define SCARCE_H

#include "outside.h"

extern int right;                  /* parts of the scenario that came out right */
extern long seen;                  /* failures that the library told */
extern long allocations;           /* that the last run has asked for */

/* Is it worth to try again what gave r? When memory is gone for good it is not. */
bool again(coop_value r);

/* Runs it as often as it has allocations, and checks that nothing is lost: blocks,
   descriptors; and unless memory is gone for good, that each failure was told, and that
   wanted parts came out right. fd is one that can be read. */
void sweep(void (*scenario)(int fd), bool gone_for_good, int wanted);

#endif
