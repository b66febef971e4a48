/* channels.c - what is measured of channels. */
#include "config.h"

#include "bench/bench.h"

#include <coop.h>

static double run_all(long n)
{
    int64_t start = bench_clock();
    bench_need(coop_run() == 0, "coop_run");
    double each = bench_each(start, n);
    coop_sched_close();
    return each;
}

static coop_chan *open_chan(size_t capacity)
{
    coop_chan *ch = coop_chan_open(0, capacity, "bench");
    bench_need(ch, "coop_chan_open");
    return ch;
}

coop_routine(player, coop_chan *in, *out; long n; coop_value v; bool begins;)
{
    coop_begin;
    if (my->begins)
        coop_trap(coop_void, ChanSend, .chan = my->out, .value = 1);
    for (; my->n > 0; my->n--) {
        coop_trap(my->v, ChanRecv, .chan = my->in);
        if (my->n > 1 || !my->begins)
            coop_trap(coop_void, ChanSend, .chan = my->out, .value = my->v);
    }
    coop_end;
}

/* Each hop is a task that receives from the one before it and sends to the next. */
static double hops(long n, long tasks)
{
    static coop_chan *chans[1000];
    bench_need(coop_sched_open(&(coop_options){ .no_env = true }) == 0, "coop_sched_open");
    for (long i = 0; i < tasks; i++)
        chans[i] = open_chan(0);
    for (long i = 0; i < tasks; i++)
        bench_need(coop_spawn(player, .in = chans[i], .out = chans[(i + 1) % tasks],
                              .n = n / tasks, .begins = i == tasks - 1) > 0, "coop_spawn");
    double each = run_all(n);
    for (long i = 0; i < tasks; i++)
        bench_need(coop_chan_free(chans[i]) == 0, "coop_chan_free");
    return each;
}

double bench_chan_rtt(long n)
{
    return hops(2 * n, 2) * 2;
}

double bench_ring1000(long n)
{
    return hops(n, 1000);
}

coop_routine(producer, coop_chan *out; long n;)
{
    coop_begin;
    for (; my->n > 0; my->n--)
        coop_trap(coop_void, ChanSend, .chan = my->out, .value = my->n);
    coop_end;
}

coop_routine(consumer, coop_chan *in; long n; coop_value v;)
{
    coop_begin;
    for (; my->n > 0; my->n--)
        coop_trap(my->v, ChanRecv, .chan = my->in);
    coop_end;
}

double bench_chan_buffered(long n)
{
    coop_chan *ch = open_chan(64);
    bench_need(coop_sched_open(&(coop_options){ .no_env = true }) == 0, "coop_sched_open");
    bench_need(coop_spawn(producer, .out = ch, .n = n) > 0, "coop_spawn");
    bench_need(coop_spawn(consumer, .in = ch, .n = n) > 0, "coop_spawn");
    double each = run_all(n);
    bench_need(coop_chan_free(ch) == 0, "coop_chan_free");
    return each;
}
