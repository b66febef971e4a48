/* pyos4 - step 4: system calls

   A task asks the scheduler for something by stopping with a system-call object in its
   hands, and goes on with the answer. Here it asks which task it is. */
#include "terminated.h"

coop_routine(chatter, const char *name; int times, tid;)
{
    coop_begin;
    coop_trap(my->tid, GetTid);
    while (my->times-- > 0) {
        printf("I'm %s %d\n", my->name, my->tid);
        coop_yield(coop_void, 0);
    }
    coop_end;
}

int main(void)
{
    coop_spawn(chatter, .name = "foo", .times = 5);
    coop_spawn(chatter, .name = "bar", .times = 10);
    coop_observe(&terminated);
    return coop_run() < 0;
}
