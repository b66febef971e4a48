/* trampoline - a coroutine calls a coroutine (the course, between steps 7 and 8)

   A generator cannot stop from inside a function that it calls, unless that is
   one too and somebody carries the values between the two: the trampoline. In coop it
   is built in, and coop_await is how to jump on it. No scheduler is needed. */
#include <coop.h>
#include <stdio.h>

coop_routine(add, int x, y;)
{
    coop_begin;
    coop_return(my->x + my->y);
    coop_end;
}

coop_routine(caller, int sum;)
{
    coop_begin;
    coop_await(my->sum, add, .x = 2, .y = 2);
    printf("%d\n", my->sum);
    coop_end;
}

int main(void)
{
    coop_coroutine *co = coop_create(caller);

    coop_co_next(co, NULL);
    return coop_co_free(co) < 0;
}
