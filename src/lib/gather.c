/* gather.c - several routines at once, and what they return in the order of the arguments. */
#include "config.h"

#include "coop.h"

#include <errno.h>

enum { FEW = sizeof ((struct coop_gather *)0)->few_ / sizeof(coop_coroutine *) };

static coop_coroutine *take(struct coop_gather *my)
{
    coop_coroutine *target = my->targets[my->next_];
    my->targets[my->next_++] = NULL;
    return target;
}

/* Each target is the group's from its GroupSpawn on, which lets it go when it fails, as it
   must when there is no group. When there is no memory for that call it was not taken. */
coop_define(coop_gather)
{
    coop_begin;
    if (!my->targets && my->count > FEW) {
        my->count = 0;
        coop_return(-ENOMEM);
    }
    if (!my->targets)
        my->targets = my->few_;
    coop_trap(my->group_, Group, .name = my->name, .mode = my->mode, .limit = my->limit);
    while (my->next_ < my->count) {
        coop_trap(my->r_, GroupSpawn, .group = my->group_, .target = take(my),
                  .result = my->results ? &my->results[my->next_ - 1] : NULL);
        if (my->r_ < 0 && my->r_ != -ECANCELED)
            coop_return(my->r_);
        if (my->r_ < 0 && my->results)
            my->results[my->next_ - 1] = my->r_;
    }
    coop_trap(my->r_, GroupWait, .group = my->group_);
    coop_return(my->r_);
    coop_finally;
    while (my->next_ < my->count) {
        coop_trap(my->r_, GroupSpawn, .target = take(my));
        if (my->r_ == -ENOMEM)
            coop_co_free(take(my));    /* which reports it as never begun */
    }
    coop_end;
}
