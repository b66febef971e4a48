/* fibers.c - what is measured of fibers. */
#include "config.h"

#include "bench/bench.h"

#include <coop.h>

static void open_sched(void)
{
    bench_need(coop_sched_open(&(coop_options){ .no_env = true }) == 0, "coop_sched_open");
}

/* The tasks that were spawned are the n operations. */
static double run_spawned(long n)
{
    int64_t start = bench_clock();
    bench_need(coop_run() == 0, "coop_run");
    double each = bench_each(start, n);
    coop_sched_close();
    return each;
}

static double run_one(coop_value (*fn)(void *), long n)
{
    open_sched();
    bench_need(coop_spawn(COOP_FIBER(fn, &n)) > 0, "coop_spawn");
    return run_spawned(n);
}

static coop_value yielder(void *arg)
{
    for (long n = *(long *)arg; n > 0; n--)
        coop_yield();
    return 0;
}

double bench_fiber_yield(long n)
{
    long half = n / 2;
    open_sched();
    for (int i = 0; i < 2; i++)
        bench_need(coop_spawn_fiber(yielder, &half) > 0, "coop_spawn_fiber");
    return run_spawned(n);
}

static coop_value asker(void *arg)
{
    coop_tid tid = 0;
    for (long n = *(long *)arg; n > 0; n--)
        tid = coop_get_tid();
    return tid;
}

double bench_fiber_trap(long n)
{
    return run_one(asker, n);
}

static coop_value empty(void *arg)
{
    (void)arg;
    return 0;
}

static coop_value parent(void *arg)
{
    for (long n = *(long *)arg; n > 0; n--) {
        coop_tid child = coop_new_task(coop_create(COOP_FIBER(empty, NULL)), NULL);
        coop_wait_task(child, NULL);
    }
    return 0;
}

double bench_fiber_spawn_wait(long n)
{
    return run_one(parent, n);
}

coop_routine(caller, long n; coop_value result;)
{
    coop_begin;
    for (; my->n > 0; my->n--)
        coop_await(my->result, COOP_FIBER(empty, NULL));
    coop_end;
}

double bench_mixed_call(long n)
{
    open_sched();
    bench_need(coop_spawn(caller, .n = n) > 0, "coop_spawn");
    return run_spawned(n);
}

static coop_value sleeper(void *arg)
{
    (void)arg;
    return coop_sleep(COOP_S(3600));
}

/* Runs after all sleepers have gone to sleep, and ends them so that coop_run returns. */
static coop_value measurer(void *arg)
{
    *(double *)arg = bench_resident();
    for (coop_tid last = coop_self() - 1; last > 0; last--)
        coop_kill_task(last, false);
    return 0;
}

double bench_fiber_idle_bytes(long n)
{
    open_sched();
    double before = bench_resident(), asleep = 0;
    for (long i = 0; i < n; i++)
        bench_need(coop_spawn_fiber(sleeper, NULL) > 0, "coop_spawn_fiber");
    bench_need(coop_spawn_fiber(measurer, &asleep) > 0, "coop_spawn_fiber");
    bench_need(coop_run() == 0, "coop_run");
    coop_sched_close();
    return (asleep - before) / (double)n;
}
