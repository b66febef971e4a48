/* homework - a parent, a kid and a countdown (the tutorial of curio)

   The kid works on something that takes longer than the parent waits. Asked to end, it says
   what it thinks of that. Then the kid races the countdown: with a long task, and with a
   short one. */
#include <coop.h>
#include <stdio.h>

coop_routine(countdown, int n; coop_value r;)
{
    coop_begin;
    for (; my->n > 0; my->n--) {
        printf("T-minus %d\n", my->n);
        coop_trap(my->r, Sleep, .ns = COOP_S(1));
        if (my->r < 0)
            coop_return(my->r);
    }
    coop_end;
}

coop_routine(kid, int x, y; int64_t takes; coop_value r;)
{
    coop_begin;
    puts("Getting around to doing my homework");
    coop_trap(my->r, Sleep, .ns = my->takes);
    if (my->r < 0) {
        puts("No go diggy die!");
        coop_return(my->r);
    }
    coop_return(my->x * my->y);
    coop_end;
}

coop_routine(parent, coop_tid kid, count; coop_value r;)
{
    coop_begin;
    coop_trap(my->kid, NewTask,
              .target = coop_create(kid, .x = 37, .y = 42, .takes = COOP_S(1000)));
    coop_trap(my->count, NewTask, .target = coop_create(countdown, .n = 10));
    coop_trap(coop_void, WaitTask, .tid = my->count);

    puts("Are you done yet?");
    coop_within(my->r, COOP_S(10), WaitTask, .tid = my->kid);
    if (my->r >= 0) {
        printf("Result: %d\n", (int)my->r);
    } else {
        puts("We've got to go!");
        coop_trap(coop_void, Cancel, .tid = my->kid, .wait = true);
    }
    coop_end;
}

/* The first that ends cancels the other one. */
coop_routine(race, int64_t takes; coop_value r;)
{
    coop_begin;
    coop_race(my->r, (kid, .x = 37, .y = 42, .takes = my->takes), (countdown, .n = 10));
    if (my->r > 0)
        printf("Result: %d\n", (int)my->r);
    else
        puts("Why didn't you finish?");
    coop_end;
}

coop_routine(evening, int unused;)
{
    coop_begin;
    coop_await(coop_void, parent);
    puts("");
    coop_await(coop_void, race, .takes = COOP_S(1000));
    puts("");
    coop_await(coop_void, race, .takes = COOP_MS(2500));
    coop_end;
}

int main(void)
{
    return coop_main(evening) < 0;
}
