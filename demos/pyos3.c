/* pyos3 - step 3: tasks end

   A task that returns leaves the scheduler, and the others go on. The run ends
   with the last of them. */
#include "terminated.h"

coop_routine(chatter, const char *name; int times;)
{
    coop_begin;
    while (my->times-- > 0) {
        printf("I'm %s\n", my->name);
        coop_yield(coop_void, 0);
    }
    coop_end;
}

int main(void)
{
    coop_spawn(chatter, .name = "foo", .times = 10);
    coop_spawn(chatter, .name = "bar", .times = 5);
    coop_observe(&terminated);
    return coop_run() < 0;
}
