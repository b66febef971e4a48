/* How often the outside is looked at, and when the run ends: contract rules 4 and 5. */
#include "world.h"

#include <errno.h>

coop_routine(sleeper, const char *name; int64_t ns;)
{
    coop_begin;
    say("%s-sleeps", my->name);
    coop_trap(coop_void, Sleep, .ns = my->ns);
    say("%s-woke", my->name);
    coop_end;
}

coop_routine(reader, int fd; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ReadWait, .fd = my->fd);
    IS(my->r, 0);
    say("%d", my->fd);
    coop_end;
}

static long slices;                /* of all tasks but system tasks */
static long longest;               /* from a wait to its wake */

static void count_slices(coop_observer *o, const coop_event *e)
{
    static long since;
    (void)o;
    slices += e->kind == COOP_RUN && !e->system;
    if (e->kind == COOP_BLOCK && !e->system)
        since = slices;
    if (e->kind == COOP_WAKE && slices - since > longest)
        longest = slices - since;
}

static coop_observer counter = { .event = count_slices };

coop_routine(spinner, const bool *stop;)
{
    coop_begin;
    while (!*my->stop)
        coop_trap(coop_void, Yield);
    coop_end;
}

coop_routine(watcher, int rounds; bool *stop; int kind;)
{
    coop_begin;
    while (my->rounds--) {
        if (my->kind == 0) {
            virtual_fire(&world.machine, 0, 5, COOP_READ);
            coop_trap(coop_void, ReadWait, .fd = 5);
        } else if (my->kind == 1) {
            virtual_fire(&world.machine, 0, 5, COOP_WRITE);
            coop_trap(coop_void, WriteWait, .fd = 5);
        } else {
            /* Due as soon as anyone looks. */
            world.machine.clock -= 1;
            coop_trap(coop_void, Sleep, .ns = 1);
            world.machine.clock += 1;
        }
    }
    *my->stop = true;
    coop_end;
}

static void descriptor_under_load(int rounds, unsigned quantum, int tasks)
{
    bool stop = false;
    world_open(quantum);
    slices = longest = 0;
    coop_observe(&counter);
    for (int i = 0; i < tasks; i++)
        coop_spawn(spinner, .stop = &stop);
    coop_spawn(watcher, .rounds = rounds, .stop = &stop);
    IS(coop_run(), 0);
    CU_ASSERT(longest <= 64);
    world_close();
}

static void rule_4_noticed_within_64_slices(void)
{
    descriptor_under_load(1, 0, 1);
    descriptor_under_load(1, 0, 63);
    descriptor_under_load(50, 0, 3);
    descriptor_under_load(50, 0, 500);
    descriptor_under_load(50, 10, 7);
}

/* Counts from the slice in which the descriptor became ready, which it counts too. */
static long fired_at, noticed_after;

static void count_notice(coop_observer *o, const coop_event *e)
{
    (void)o;
    slices += e->kind == COOP_RUN && !e->system;
    if (e->kind == COOP_WAKE && slices - fired_at > noticed_after)
        noticed_after = slices - fired_at;
}

coop_routine(rereader, int rounds;)
{
    coop_begin;
    while (my->rounds--)
        coop_trap(coop_void, ReadWait, .fd = 5);
    coop_end;
}

/* Makes it ready in each of the slices between two looks. */
coop_routine(firer, int rounds, i, pause; coop_tid reader; coop_info info;)
{
    coop_begin;
    my->reader = coop_spawn(rereader, .rounds = my->rounds);
    for (; my->i < my->rounds; my->i++) {
        for (my->pause = my->i % 70 + 2; my->pause; my->pause--)
            coop_trap(coop_void, Yield);
        fired_at = slices - 1;
        virtual_fire(&world.machine, 0, 5, COOP_READ);
        do
            coop_trap(coop_void, Yield);
        while (coop_inspect(my->reader, &my->info) == 0 && my->info.state == COOP_WAITING);
    }
    coop_end;
}

static void rule_4_noticed_64_slices_after_it_is_ready(void)
{
    static coop_observer notice = { .event = count_notice };
    world_open(0);
    slices = noticed_after = 0;
    coop_observe(&notice);
    IS(coop_main(firer, .rounds = 300), 0);
    IS(noticed_after, 64);         /* no later, and the worst case was among them */
    world_close();
}

static long ready_since[200], waited_most;

static void measure_turns(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (e->system)
        return;
    if (e->kind == COOP_RUN) {
        long turns = slices++ - ready_since[e->tid];
        waited_most = turns > waited_most ? turns : waited_most;
    }
    if (e->kind == COOP_SPAWN || e->kind == COOP_RESULT || e->kind == COOP_WAKE)
        ready_since[e->tid] = slices;
}

static void rule_4_ready_runs_after_all_others_at_most(void)
{
    static coop_observer turns = { .event = measure_turns };
    enum { TASKS = 100 };
    bool stop = false;
    world_open(0);
    slices = waited_most = 0;
    coop_observe(&turns);
    for (int i = 0; i < TASKS; i++)
        coop_spawn(spinner, .stop = &stop);
    coop_spawn(watcher, .rounds = 40, .stop = &stop);
    IS(coop_run(), 0);
    CU_ASSERT(waited_most <= TASKS);
    CU_ASSERT(slices > 40 * 64);
    world_close();
}

coop_routine(busy_until, int64_t slices; bool *stop; int *spun;)
{
    coop_begin;
    for (; my->slices; my->slices--)
        coop_trap(coop_void, Yield);
    *my->stop = true;
    virtual_fire(&world.machine, 0, 5, COOP_READ);
    coop_end;
}

/* A descriptor that is not ready costs a busy system one poll in 64 slices. */
static void F15_polls_are_bounded(void)
{
    bool stop = false;
    world_open(0);
    coop_spawn(reader, .fd = 5);
    coop_spawn(busy_until, .slices = 6400, .stop = &stop);
    IS(coop_run(), 0);
    CU_ASSERT(world.machine.looked <= 6400 / 64 + 2);
    CU_ASSERT(world.machine.blocked <= 1);
    world_close();
}

static void F15_no_polls_without_descriptors(void)
{
    bool stop = false;
    world_open(0);
    coop_spawn(busy_until, .slices = 6400, .stop = &stop);
    coop_spawn(sleeper, .name = "a", .ns = 1);
    IS(coop_run(), 0);
    IS(world.machine.looked, 0);
    IS(world.machine.blocked, 1);
    world_close();
}

/* An idle system blocks in the machine: one poll for each thing that happens. */
static void F13_rule_4_idle_blocks(void)
{
    world_open(0);
    coop_spawn(sleeper, .name = "a", .ns = COOP_S(3600));
    coop_spawn(sleeper, .name = "b", .ns = COOP_S(86400));
    coop_spawn(reader, .fd = 5);
    virtual_fire(&world.machine, COOP_S(7200), 5, COOP_READ);
    IS(coop_run(), 0);
    LOG_IS("a-sleeps b-sleeps a-woke 5 b-woke");
    IS(world.machine.blocked, 3);
    CU_ASSERT(world.machine.looked <= 1);
    IS(world.machine.clock, COOP_S(86400));
    world_close();
}

static void F14_rule_5_the_run_ends_with_the_last_task(void)
{
    coop_info poller;
    world_open(0);
    IS(coop_run(), 0);
    coop_spawn(sleeper, .name = "a", .ns = 1);
    IS(coop_run(), 0);
    LOG_IS("a-sleeps a-woke");
    IS(coop_inspect(2, &poller), 0);
    IS(poller.system, true);
    IS(coop_run(), 0);
    coop_spawn(sleeper, .name = "b", .ns = 1);
    IS(coop_run(), 0);
    LOG_IS("b-sleeps b-woke");
    world_close();
}

static const suite_test tests[] = {
    TEST(rule_4_noticed_within_64_slices),
    TEST(rule_4_noticed_64_slices_after_it_is_ready),
    TEST(rule_4_ready_runs_after_all_others_at_most),
    TEST(F13_rule_4_idle_blocks),
    TEST(F14_rule_5_the_run_ends_with_the_last_task),
    TEST(F15_polls_are_bounded),
    TEST(F15_no_polls_without_descriptors),
};

int main(int argc, char **argv)
{
    return world_main("looking", tests, SUITE_COUNT(tests), argc, argv, "");
}
