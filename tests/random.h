/* random.h - for the suites whose tasks do things at random: numbers that are the same for
   the same seed, a run for each of many seeds, and what holds in any run. */
#ifndef RANDOM_H
#define RANDOM_H

#include "world.h"

/* A number from 0 to n - 1. */
unsigned below(unsigned n);

/* Makes a run for each seed from 1 to runs, up to the first that fails. True: there
   were so many that sums over all can be looked at; false: RANDOM_SEED asked for one
   alone. */
bool random_runs(uint64_t runs, void (*one_run)(uint64_t seed));

/* Any but the first task; also one that there is not. */
coop_tid any_task(void);

/* Is it a task of the suite, other than the calling one, that has not ended? */
bool is_another(coop_tid tid);

/* Every trap is answered once: by a result, a wake or an undo. */
struct traps {
    unsigned made, answered;
    int open[400];                 /* of a task: not answered yet */
};
void follow_traps(struct traps *, const coop_event *e);

#endif
