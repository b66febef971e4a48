/* Time: sleeping, and timers of calls in general. Flaw F12, and rule 2 for timers. */
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

coop_routine(sleeper, int n; int64_t ns; int64_t due;)
{
    coop_begin;
    my->due = coop_clock(coop_this) + my->ns;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    IS(coop_clock(coop_this), my->due);
    say("%d", my->n);
    coop_end;
}

static void F12_sleepers_wake_in_time(void)
{
    world_open(0);
    coop_spawn(sleeper, .n = 1, .ns = COOP_S(3));
    coop_spawn(sleeper, .n = 2, .ns = COOP_MS(1));
    coop_spawn(sleeper, .n = 3, .ns = COOP_US(1));
    coop_spawn(sleeper, .n = 4, .ns = COOP_S(2));
    IS(coop_run(), 0);
    LOG_IS("3 2 4 1");
    IS(world.machine.clock, COOP_S(3));
    world_close();
}

static void rule_2_due_together_wake_as_set(void)
{
    world_open(0);
    for (int i = 0; i < 30; i++)
        coop_spawn(sleeper, .n = i, .ns = i % 3 ? 100 : 50);
    IS(coop_run(), 0);
    LOG_IS("0 3 6 9 12 15 18 21 24 27 "
           "1 2 4 5 7 8 10 11 13 14 16 17 19 20 22 23 25 26 28 29");
    world_close();
}

/* The number that breaks ties comes round. */
static void rule_2_due_together_after_four_billion_timers(void)
{
    world_open(0);
    coop_this->due_seq = UINT32_MAX - 5;
    for (int i = 0; i < 12; i++)
        coop_spawn(sleeper, .n = i, .ns = 100);
    IS(coop_run(), 0);
    LOG_IS("0 1 2 3 4 5 6 7 8 9 10 11");
    world_close();
}

coop_routine(one_after_the_other, int unused;)
{
    coop_begin;
    coop_await(coop_void, sleeper, .n = 1, .ns = COOP_S(1));
    coop_await(coop_void, sleeper, .n = 2, .ns = COOP_S(2));
    coop_end;
}

static void F12_in_turn_and_at_once(void)
{
    world_open(0);
    IS(coop_main(one_after_the_other), 0);
    IS(world.machine.clock, COOP_S(3));
    coop_spawn(sleeper, .n = 3, .ns = COOP_S(1));
    coop_spawn(sleeper, .n = 4, .ns = COOP_S(2));
    IS(coop_run(), 0);
    IS(world.machine.clock, COOP_S(5));
    LOG_IS("1 2 3 4");
    world_close();
}

enum { MANY = 2000 };

static struct nap { int64_t due; int n; } naps[MANY], woken[MANY];
static int slept, woke;

coop_routine(napper, int n; int64_t ns;)
{
    coop_begin;
    naps[my->n] = (struct nap){ coop_clock(coop_this) + my->ns, my->n };
    slept++;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    woken[woke++] = naps[my->n];
    coop_end;
}

static uint32_t random_state;

static unsigned below(unsigned n)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % n;
}

coop_routine(napping, coop_tid tids[MANY]; int i, killed, victim; coop_value r;)
{
    coop_begin;
    for (; my->i < MANY; my->i++) {
        my->tids[my->i] = coop_spawn(napper, .n = my->i, .ns = 1 + below(500));
        if (below(4) == 0)
            coop_trap(coop_void, Yield);
        if (below(3) == 0) {
            my->victim = (int)below((unsigned)my->i + 1);
            coop_trap(my->r, KillTask, .tid = my->tids[my->victim], .wait = true);
            my->killed += my->r == 0;
        }
    }
    coop_return(my->killed);
    coop_end;
}

/* Timers that are set and cleared in any order keep their order. */
static void many_timers_come_and_go(void)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        random_state = seed;
        slept = woke = 0;
        world_open(0);
        coop_value killed = coop_main(napping);
        CU_ASSERT(killed > MANY / 10);
        IS(woke, MANY - killed);
        for (int i = 1; i < woke; i++)
            CU_ASSERT(woken[i - 1].due < woken[i].due
                      || (woken[i - 1].due == woken[i].due && woken[i - 1].n < woken[i].n));
        world_close();
    }
}

coop_routine(long_sleeper, int64_t ns; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Sleep, .ns = my->ns);
    say("woke");
    coop_end;
}

coop_routine(odd_spans, coop_tid tid; coop_value r;)
{
    coop_begin;
    world.machine.clock = COOP_S(1000);
    coop_trap(my->r, Sleep, .ns = 0);
    IS(my->r, 0);
    coop_trap(my->r, Sleep, .ns = INT64_MIN);
    IS(my->r, 0);
    IS(world.machine.clock, COOP_S(1000));
    my->tid = coop_spawn(long_sleeper, .ns = INT64_MAX);
    coop_trap(coop_void, Sleep, .ns = COOP_S(1000000));
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    no_trace_of(my->tid);
    IS(coop_this->due_count, 0);
    coop_end;
}

static void bad_input_spans_of_any_size(void)
{
    WORLD(0, odd_spans);
    LOG_IS("");
}

/* ---- Timers in a call of one's own: it wants to be asked several times ---- */

struct coop_Alarm { coop_call base; coop_timer timer; int64_t every; int times; };

static coop_value alarm_handle(coop_sched *s, coop_call *call)
{
    struct coop_Alarm *c = (struct coop_Alarm *)call;
    coop_timer_clear(s, call);             /* off already: nothing happens */
    int r = coop_timer_set(s, call, coop_clock(s) + COOP_S(50));
    if (r == 0)
        r = coop_timer_set(s, call, coop_clock(s) + c->every);     /* moves it */
    return r < 0 ? r : COOP_WAIT;
}

static coop_value alarm_ready(coop_sched *s, coop_call *call)
{
    struct coop_Alarm *c = (struct coop_Alarm *)call;
    say("%d", c->times);
    if (--c->times == 0)
        return coop_clock(s);
    return coop_timer_set(s, call, c->timer.when + c->every) < 0 ? -ENOMEM : COOP_WAIT;
}

static const coop_call_type coop_Alarm_type = {
    .name = "Alarm", .outside = true, .handle = alarm_handle, .ready = alarm_ready,
    .undo = coop_timer_clear
};

coop_routine(alarmed, int64_t every; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Alarm, .every = my->every, .times = 4);
    coop_return(my->r);
    coop_end;
}

static void a_timer_is_set_moved_and_set_again(void)
{
    world_open(0);
    IS(coop_main(alarmed, .every = 7), 28);
    LOG_IS("4 3 2 1");
    IS(world.machine.blocked, 4);
    world_close();
}

coop_routine(alarmed_before, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Alarm, .every = INT64_MIN / 2, .times = 1);
    coop_return(my->r);
    coop_end;
}

static void a_time_in_the_past_is_now(void)
{
    world_open(0);
    IS(coop_main(alarmed_before), 0);
    LOG_IS("1");
    IS(world.machine.blocked, 0);
    world_close();
}

coop_routine(spinner, const bool *stop; int64_t ns;)
{
    coop_begin;
    while (!*my->stop) {
        world.machine.clock += my->ns;
        coop_trap(coop_void, Yield);
    }
    coop_end;
}

coop_routine(punctual, bool *stop; int64_t late; int i; int64_t due;)
{
    coop_begin;
    for (; my->i < 20; my->i++) {
        my->due = coop_clock(coop_this) + 1000;
        coop_trap(coop_void, Sleep, .ns = 1000);
        CU_ASSERT(coop_clock(coop_this) >= my->due);
        CU_ASSERT(coop_clock(coop_this) - my->due <= my->late);
    }
    *my->stop = true;
    coop_end;
}

/* Each of the three spinners lets 1 ns pass; 64 slices, and one turn of all. */
static void rule_4_a_timer_is_noticed_under_load(void)
{
    bool stop = false;
    world_open(0);
    for (int i = 0; i < 3; i++)
        coop_spawn(spinner, .stop = &stop, .ns = 1);
    coop_spawn(punctual, .stop = &stop, .late = 64 + 3);
    IS(coop_run(), 0);
    IS(world.machine.blocked, 0);
    world_close();
}

coop_routine(onlooker, coop_tid tid; coop_info info;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_S(4));
    IS(coop_inspect(my->tid, &my->info), 0);
    IS(my->info.state, COOP_WAITING);
    IS(my->info.waited, COOP_S(4));
    CU_ASSERT_PTR_EQUAL(my->info.call->type, &coop_Sleep_type);
    coop_end;
}

static void how_long_it_waits_is_known(void)
{
    world_open(0);
    coop_tid tid = coop_spawn(long_sleeper, .ns = COOP_S(10));
    coop_spawn(onlooker, .tid = tid);
    IS(coop_run(), 0);
    LOG_IS("woke");
    world_close();
}

static const suite_test tests[] = {
    TEST(F12_sleepers_wake_in_time),
    TEST(rule_2_due_together_wake_as_set),
    TEST(rule_2_due_together_after_four_billion_timers),
    TEST(F12_in_turn_and_at_once),
    TEST(many_timers_come_and_go),
    TEST(bad_input_spans_of_any_size),
    TEST(a_timer_is_set_moved_and_set_again),
    TEST(a_time_in_the_past_is_now),
    TEST(rule_4_a_timer_is_noticed_under_load),
    TEST(how_long_it_waits_is_known),
};

int main(int argc, char **argv)
{
    return world_main("timer", tests, SUITE_COUNT(tests), argc, argv, "");
}
