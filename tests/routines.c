#include "routines.h"

#include <errno.h>

coop_define(idle)
{
    coop_begin;
    while (my->turns--)
        coop_trap(coop_void, Yield);
    coop_return(my->v);
    coop_end;
}

coop_define(naps)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_end;
}

coop_define(member)
{
    coop_begin;
    coop_trap(my->r, Sleep, .ns = my->ns);
    say("m%d-%s", my->id, result(my->r));
    coop_return(my->r < 0 ? my->r : my->gives);
    coop_finally;
    if (my->late)
        coop_trap(coop_void, Sleep, .ns = my->late);
    say("m%d-ends", my->id);
    coop_end;
}

coop_define(echo)
{
    coop_begin;
    say("begin");
    while (my->x >= 0)
        coop_yield(my->x, my->x + 1);
    coop_return(my->x);
    coop_finally;
    say("clean");
    coop_end;
}

coop_define(nested)
{
    coop_begin;
    if (my->depth == 0)
        coop_await(my->r, echo);
    else
        coop_await(my->r, nested, .depth = my->depth - 1);
    coop_return(my->r == -EINTR ? 99 : my->r);
    coop_finally;
    say("%d", my->depth);
    coop_end;
}

coop_define(square)
{
    coop_begin;
    coop_yield(coop_void, my->n);
    coop_return(my->n * my->n);
    coop_end;
}

coop_routine(sleeper, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_S(5));
    coop_finally;
    coop_trap(coop_void, Yield);
    coop_end;
}

coop_define(everything)
{
    coop_begin;
    coop_trap(my->child, NewTask, .target = coop_create(square, .n = 3));
    my->sleeper = coop_spawn(sleeper);
    coop_trap(my->r, WaitTask, .tid = my->child);
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    coop_trap(my->r, KillTask, .tid = my->sleeper);
    coop_trap(my->r, WaitTask, .tid = my->sleeper);
    coop_trap(coop_void, Exit, .value = -EIO);
    coop_end;
}
