/* cubes - two coroutines stepped by hand, and three by the scheduler

   Each cube awaits a square and two pauses. A pause cannot pause: it yields
   what it wants, through all that await it, to whoever resumes the coroutine. First
   that is main(), who takes turns, and does not care to wait. Then it is the scheduler, who
   takes turns as well, and puts the results into the order of the arguments. */
#include <coop.h>
#include <stdio.h>

coop_routine(pause_for, int seconds; char text[80];)
{
    coop_begin;
    snprintf(my->text, sizeof my->text,
             "Please do not continue until %d seconds have elapsed.", my->seconds);
    coop_yield(coop_void, my->text);
    coop_end;
}

coop_routine(square, int x;)
{
    coop_begin;
    printf("Starting square with argument %d!\n", my->x);
    coop_await(coop_void, pause_for, .seconds = 3);
    printf("Finishing square with argument %d!\n", my->x);
    coop_return(my->x * my->x);
    coop_end;
}

coop_routine(cube, int x, y;)
{
    coop_begin;
    printf("Starting cube with argument %d!\n", my->x);
    coop_await(coop_void, pause_for, .seconds = 3);
    coop_await(my->y, square, .x = my->x);
    printf("Finishing cube with argument %d!\n", my->x);
    coop_return(my->x * my->y);
    coop_end;
}

static void step(coop_coroutine *co)
{
    coop_value value;

    if (coop_co_next(co, &value) == COOP_YIELDED)
        printf("'%s'\n", (const char *)value);
    else
        printf("StopIteration: %d\n", (int)value);
}

coop_routine(three, coop_value r, cubes[3];)
{
    coop_begin;
    coop_all(my->r, my->cubes, (cube, .x = 3), (cube, .x = 4), (cube, .x = 5));
    printf("[%d, %d, %d]\n", (int)my->cubes[0], (int)my->cubes[1], (int)my->cubes[2]);
    coop_return(my->r);
    coop_end;
}

int main(void)
{
    coop_coroutine *five = coop_create(cube, .x = 5), *ten = coop_create(cube, .x = 10);

    for (int i = 0; i < 3; i++) {
        step(five);
        step(ten);
    }
    coop_co_free(five);
    coop_co_free(ten);
    return coop_main(three) < 0;
}
