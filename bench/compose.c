/* compose.c - what is measured of tasks that work together. */
#include "config.h"

#include "bench/bench.h"

#include <coop.h>

static double run_all(long n)
{
    int64_t start = bench_clock();
    bench_need(coop_run() == 0, "coop_run");
    return bench_each(start, n);
}

static void open_sched(void)
{
    bench_need(coop_sched_open(&(coop_options){ .no_env = true }) == 0, "coop_sched_open");
}

coop_routine(nothing, int unused;)
{
    coop_begin;
    coop_end;
}

enum { CREW = 100 };

coop_routine(crews, long n, i; coop_group *group; coop_value r;)
{
    coop_begin;
    for (; my->n > 0; my->n -= CREW) {
        coop_trap(my->group, Group, .limit = 0);
        for (my->i = 0; my->i < CREW; my->i++)
            coop_trap(my->r, GroupSpawn, .group = my->group, .target = coop_create(nothing));
        coop_trap(my->r, GroupWait, .group = my->group);
    }
    coop_end;
}

double bench_group_spawn(long n)
{
    open_sched();
    bench_need(coop_spawn(crews, .n = n) > 0, "coop_spawn");
    double each = run_all(n);
    coop_sched_close();
    return each;
}

coop_routine(asleep, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Sleep, .ns = COOP_S(3600));
    coop_end;
}

/* Runs when all are asleep. */
coop_routine(canceller, long n; coop_value r; int64_t began;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    my->began = bench_clock();
    for (; my->n > 0; my->n--)
        coop_trap(my->r, Cancel, .tid = my->n, .wait = true);
    coop_return((coop_value)(bench_clock() - my->began));
    coop_end;
}

double bench_cancel_sleeping(long n)
{
    open_sched();
    for (long i = 0; i < n; i++)
        bench_need(coop_spawn(asleep) > 0, "coop_spawn");
    coop_value took = coop_main(canceller, .n = n);
    bench_need(took > 0, "coop_main");
    coop_sched_close();
    return (double)took / (double)n;
}
