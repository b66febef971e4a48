/* pyos6 - step 6: waiting for a task

   WaitTask is the first call that is not answered at once: the parent stays out of the
   ready queue until its child has ended. The child was queued before its parent, so
   its first line comes first (the course's slide has it the other way round). */
#include "terminated.h"

coop_routine(foo, int i;)
{
    coop_begin;
    for (my->i = 0; my->i < 5; my->i++) {
        puts("I'm foo");
        coop_yield(coop_void, 0);
    }
    coop_end;
}

coop_routine(parent, coop_tid child;)
{
    coop_begin;
    coop_trap(my->child, NewTask, .target = coop_create(foo));
    puts("Waiting for child");
    coop_trap(coop_void, WaitTask, .tid = my->child);
    puts("Child done");
    coop_end;
}

int main(void)
{
    coop_spawn(parent);
    coop_observe(&terminated);
    return coop_run() < 0;
}
