/* cases.c - what is measured of coop. Setting up and closing a scheduler does not count,
   except where tasks are spawned to be measured. */
#include "config.h"

#include "bench/bench.h"

#include <coop.h>
#include <unistd.h>

static void open_sched(void)
{
    bench_need(coop_sched_open(&(coop_options){ .no_env = true }) == 0, "coop_sched_open");
}

static void close_sched(void)
{
    bench_need(coop_sched_close() == 0, "coop_sched_close");
}

/* The tasks that were spawned are the n operations. */
static double run_spawned(long n)
{
    int64_t start = bench_clock();
    bench_need(coop_run() == 0, "coop_run");
    double each = bench_each(start, n);
    close_sched();
    return each;
}

coop_routine(yielder, long n;)
{
    coop_begin;
    for (; my->n > 0; my->n--)
        coop_trap(coop_void, Yield);
    coop_end;
}

static double yield_among(long n, long tasks)
{
    open_sched();
    for (long i = 0; i < tasks; i++)
        bench_need(coop_spawn(yielder, .n = n / tasks) > 0, "coop_spawn");
    return run_spawned(n);
}

static double yield(long n)
{
    return yield_among(n, 2);
}

static double yield1k(long n)
{
    return yield_among(n, 1000);
}

coop_routine(asker, long n; coop_tid tid;)
{
    coop_begin;
    for (; my->n > 0; my->n--)
        coop_trap(my->tid, GetTid);
    coop_end;
}

static double trap(long n)
{
    open_sched();
    bench_need(coop_spawn(asker, .n = n) > 0, "coop_spawn");
    return run_spawned(n);
}

coop_routine(locker, coop_lock *lock; long n;)
{
    coop_begin;
    for (; my->n > 0; my->n--) {
        coop_trap(coop_void, Lock, .lock = my->lock);
        coop_trap(coop_void, Unlock, .lock = my->lock);
    }
    coop_end;
}

static double mutex_uncontended(long n)
{
    coop_lock lock = { .name = "lock" };
    open_sched();
    bench_need(coop_spawn(locker, .lock = &lock, .n = n) > 0, "coop_spawn");
    return run_spawned(n);
}

coop_routine(empty, int unused;)
{
    coop_begin;
    coop_end;
}

coop_routine(caller, long n; coop_value result;)
{
    coop_begin;
    for (; my->n > 0; my->n--)
        coop_await(my->result, empty);
    coop_end;
}

static double await(long n)
{
    open_sched();
    bench_need(coop_spawn(caller, .n = n) > 0, "coop_spawn");
    return run_spawned(n);
}

coop_routine(descent, long depth; coop_value result;)
{
    coop_begin;
    if (my->depth > 1)
        coop_await(my->result, descent, .depth = my->depth - 1);
    coop_return(my->result);
    coop_end;
}

static double nested(long n)
{
    open_sched();
    bench_need(coop_spawn(descent, .depth = n) > 0, "coop_spawn");
    return run_spawned(n);
}

coop_routine(parent, long n; coop_value child;)
{
    coop_begin;
    for (; my->n > 0; my->n--) {
        coop_trap(my->child, NewTask, .target = coop_create(empty));
        coop_trap(coop_void, WaitTask, .tid = my->child);
    }
    coop_end;
}

static double spawn_wait(long n)
{
    open_sched();
    bench_need(coop_spawn(parent, .n = n) > 0, "coop_spawn");
    return run_spawned(n);
}

static double spawn100k(long n)
{
    open_sched();
    int64_t start = bench_clock();
    for (long i = 0; i < n; i++)
        bench_need(coop_spawn(empty) > 0, "coop_spawn");
    bench_need(coop_run() == 0, "coop_run");
    double each = bench_each(start, n);
    close_sched();
    return each;
}

coop_routine(generator, coop_value got;)
{
    coop_begin;
    for (;;)
        coop_yield(my->got, 1);
    coop_end;
}

static double send(long n)
{
    coop_coroutine *co = coop_create(generator);
    coop_value out;
    bench_need(coop_co_next(co, &out) == COOP_YIELDED, "coop_co_next");
    int64_t start = bench_clock();
    for (long i = 0; i < n; i++)
        coop_co_send(co, i, &out);
    double each = bench_each(start, n);
    coop_co_free(co);
    return each;
}

static double create_ns(long n)
{
    int64_t start = bench_clock();
    for (long i = 0; i < n; i++) {
        coop_coroutine *co = coop_create(generator);
        coop_co_next(co, NULL);
        coop_co_free(co);
    }
    return bench_each(start, n);
}

static double bytes_before, bytes_asleep;

coop_routine(sleeper, coop_value result;)
{
    coop_begin;
    coop_trap(my->result, Sleep, .ns = COOP_S(3600));
    coop_end;
}

/* Runs after all sleepers have gone to sleep, and ends them so that coop_run returns. */
coop_routine(measurer, coop_tid last;)
{
    coop_begin;
    bytes_asleep = bench_resident();
    for (my->last = coop_self() - 1; my->last > 0; my->last--)
        coop_trap(coop_void, KillTask, .tid = my->last);
    coop_end;
}

static double idle_bytes(long n)
{
    open_sched();
    bytes_before = bench_resident();
    for (long i = 0; i < n; i++)
        bench_need(coop_spawn(sleeper) > 0, "coop_spawn");
    bench_need(coop_spawn(measurer) > 0, "coop_spawn");
    bench_need(coop_run() == 0, "coop_run");
    close_sched();
    return (bytes_asleep - bytes_before) / (double)n;
}

coop_routine(listener, int fd;)
{
    coop_begin;
    coop_trap(coop_void, ReadWait, .fd = my->fd);
    coop_end;
}

coop_routine(ender, int64_t after; coop_tid tid;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = my->after);
    coop_trap(coop_void, KillTask, .tid = my->tid);
    coop_end;
}

/* Two tasks that wait for n milliseconds, one for a descriptor that stays silent: us of
   processor time a second. */
static double idle_cpu(long n)
{
    int fds[2];
    bench_need(pipe(fds) == 0, "pipe");
    open_sched();
    coop_tid waiting = coop_spawn(listener, .fd = fds[0]);
    bench_need(waiting > 0, "coop_spawn");
    bench_need(coop_spawn(ender, .after = COOP_MS(n), .tid = waiting) > 0, "coop_spawn");
    int64_t start = bench_clock();
    bench_need(coop_run() == 0, "coop_run");
    double used = (double)(bench_clock() - start);
    close_sched();
    close(fds[0]);
    close(fds[1]);
    return used / (double)n;
}

const bench_case bench_cases[] = {
    { "yield", "ns", yield, 5000000, false },
    { "yield1k", "ns", yield1k, 5000000, false },
    { "trap", "ns", trap, 5000000, false },
    { "mutex_uncontended", "ns", mutex_uncontended, 5000000, false },
    { "await", "ns", await, 5000000, false },
    { "nested", "ns", nested, 1000000, false },
    { "spawn_wait", "ns", spawn_wait, 1000000, false },
    { "spawn100k", "ns", spawn100k, 100000, false },
    { "send", "ns", send, 5000000, false },
    { "create_ns", "ns", create_ns, 1000000, false },
    { "waitany4", "ns", bench_waitany4, 1000000, false },
    { "group_spawn", "ns", bench_group_spawn, 1000000, false },
    { "cancel_sleeping", "ns", bench_cancel_sleeping, 100000, false },
    { "chan_rtt", "ns", bench_chan_rtt, 2000000, false },
    { "ring1000", "ns", bench_ring1000, 5000000, false },
    { "chan_buffered", "ns", bench_chan_buffered, 5000000, false },
    { "fiber_yield", "ns", bench_fiber_yield, 5000000, false },
    { "fiber_trap", "ns", bench_fiber_trap, 5000000, false },
    { "fiber_spawn_wait", "ns", bench_fiber_spawn_wait, 1000000, false },
    { "mixed_call", "ns", bench_mixed_call, 200000, false },
    { "idle_bytes", "bytes", idle_bytes, 1000000, true },
    { "fiber_idle_bytes", "bytes", bench_fiber_idle_bytes, 100000, true },
    { "idle_cpu", "us/s", idle_cpu, 1000, true },
    { NULL, NULL, NULL, 0, false }
};
