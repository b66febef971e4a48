/* gather.c - several routines at once, and what they return in the order of the arguments. */
#include "config.h"

#include "coop.h"

/* Each target is the group's from its GroupSpawn on, which gives it back when it fails, as it
   must when there is no group. */
coop_define(coop_gather)
{
    coop_begin;
    if (!my->targets)
        my->targets = my->few_;
    coop_trap(my->error_, Group, .name = my->name, .mode = my->mode, .limit = my->limit);
    if (my->error_ > 0) {
        my->group_ = (coop_group *)my->error_;
        my->error_ = 0;
    }
    while (my->next_ < my->count) {
        coop_trap(my->r_, GroupSpawn, .group = my->group_, .target = my->targets[my->next_++],
                  .result = my->results ? &my->results[my->next_ - 1] : NULL);
        if (my->r_ < 0 && my->r_ != -ECANCELED && !my->error_)
            my->error_ = my->r_;
    }
    if (my->error_)
        coop_return(my->error_);
    coop_trap(my->r_, GroupWait, .group = my->group_);
    coop_return(my->r_);
    coop_finally;
    while (my->next_ < my->count)
        coop_trap(coop_void, GroupSpawn, .target = my->targets[my->next_++]);
    coop_end;
}
