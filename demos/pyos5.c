/* pyos5 - step 5: tasks that make and end tasks

   Two more system calls: NewTask starts a child and answers its tid, KillTask ends
   a task by its tid. Tasks know each other by number only. */
#include "terminated.h"

coop_routine(foo, int tid;)
{
    coop_begin;
    coop_trap(my->tid, GetTid);
    for (;;) {
        printf("I'm foo %d\n", my->tid);
        coop_yield(coop_void, 0);
    }
    coop_end;
}

coop_routine(parent, coop_tid child; int i;)
{
    coop_begin;
    coop_trap(my->child, NewTask, .target = coop_create(foo));
    for (my->i = 0; my->i < 5; my->i++)
        coop_yield(coop_void, 0);
    coop_trap(coop_void, KillTask, .tid = my->child);
    puts("main done");
    coop_end;
}

int main(void)
{
    coop_spawn(parent);
    coop_observe(&terminated);
    return coop_run() < 0;
}
