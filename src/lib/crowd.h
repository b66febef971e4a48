/* crowd.h - a set of tasks, in the order in which they were made. */
#ifndef COOP_CROWD_H
#define COOP_CROWD_H

#include "config.h"

#include "coop.h"

struct coop_crowd {
    coop_tid *tids;                /* ascending; negative: of one that has left */
    size_t used, size, living;
};

#pragma GCC visibility push(hidden)

bool coop_crowd_room(struct coop_crowd *c);         /* for one more; false: no memory */
void coop_crowd_add(struct coop_crowd *c, coop_tid tid);
bool coop_crowd_remove(struct coop_crowd *c, coop_tid tid);     /* false: it is not in it */
void coop_crowd_sweep(struct coop_crowd *c);        /* remove those that are no more */

#pragma GCC visibility pop

#endif
