/* pyos1 - step 1: tasks

   A coroutine can be run piece by piece: it goes on where it stopped, and its variables
   are as it left them. That is all that a task is. Nobody schedules yet; main() is
   the one who decides when foo gets on. */
#include <coop.h>
#include <stdio.h>

coop_routine(foo, int part;)
{
    coop_begin;
    printf("Part %d\n", ++my->part);
    coop_yield(coop_void, 0);
    printf("Part %d\n", ++my->part);
    coop_yield(coop_void, 0);
    coop_end;
}

int main(void)
{
    coop_coroutine *task = coop_create(foo);

    puts("Running foo()");
    coop_co_next(task, NULL);
    puts("Resuming foo()");
    coop_co_next(task, NULL);
    return coop_co_free(task) < 0;
}
