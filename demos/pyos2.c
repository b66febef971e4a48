/* pyos2 - step 2: a scheduler

   A queue of ready tasks and a loop: take the first, run it until it yields, put it
   at the tail. Two endless loops take turns without threads: try ./pyos2 | head. */
#include <coop.h>
#include <stdio.h>

coop_routine(chatter, const char *name;)
{
    coop_begin;
    while (printf("I'm %s\n", my->name) > 0)
        coop_yield(coop_void, 0);
    coop_end;
}

int main(void)
{
    coop_spawn(chatter, .name = "foo");
    coop_spawn(chatter, .name = "bar");
    return coop_run() < 0;
}
