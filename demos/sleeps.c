/* sleeps - one after the other, and at once (an article on asyncio)

   To await is to wait for the end. coop_all starts both, and takes as long as the longer. */
#include <coop.h>
#include <stdio.h>

coop_routine(nap, int seconds;)
{
    coop_begin;
    printf("will sleep %d\n", my->seconds);
    coop_trap(coop_void, Sleep, .ns = COOP_S(my->seconds));
    printf("slept %d\n", my->seconds);
    coop_end;
}

static int seconds(int64_t from, int64_t to)
{
    return (int)((to - from) / COOP_S(1));
}

coop_routine(sleeps, int64_t begun, then, now;)
{
    coop_begin;
    coop_trap(coop_void, Now, .at = &my->begun);
    coop_await(coop_void, nap, .seconds = 1);
    coop_await(coop_void, nap, .seconds = 2);
    coop_trap(coop_void, Now, .at = &my->then);
    printf("one after the other: %d s\n", seconds(my->begun, my->then));
    coop_all(coop_void, NULL, (nap, .seconds = 1), (nap, .seconds = 2));
    coop_trap(coop_void, Now, .at = &my->now);
    printf("at once: %d s\n", seconds(my->then, my->now));
    coop_end;
}

int main(void)
{
    return coop_main(sleeps) < 0;
}
