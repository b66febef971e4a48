/* Exhausted memory in groups, deadlines, and calls made of others: what needs it says
   -ENOMEM, nothing is lost, and it can be tried again. */
#include "scarce.h"

#include <errno.h>

static const coop_options options = { .report = world_report, .arg = &world };

/* Large enough for calls on top of it to need a segment of their own. */
coop_routine(naps, int64_t ns; coop_value r;)
{
    coop_begin;
    do
        coop_trap(my->r, Sleep, .ns = my->ns);
    while (again(my->r));
    coop_return(my->r == -ECANCELED ? 1 : my->r);
    coop_end;
}

coop_routine(limited, char filling[300]; coop_value r;)
{
    coop_begin;
    do
        coop_trap(my->r, Deadline, .ns = COOP_MS(1));
    while (again(my->r));
    if (my->r < 0)
        coop_return(0);
    do
        coop_trap(my->r, Shield);
    while (again(my->r));
    do
        coop_within(my->r, COOP_US(1), ReadWait, .fd = 77);
    while (again(my->r));
    right += my->r == -EBADF;
    do
        coop_trap(my->r, Shield, .off = true);
    while (again(my->r));
    do
        coop_trap(my->r, Sleep, .ns = COOP_S(100));
    while (again(my->r));
    right += my->r == -ETIMEDOUT;
    coop_end;
}

coop_routine(races, int fd; coop_value r, v;)
{
    coop_begin;
    do {
        my->v = 0;
        coop_any(my->r, my->v, (Sleep, .ns = COOP_S(100)), (ReadWait, .fd = my->fd),
                 (SignalWait, .signals = COOP_SIGNAL(10)));
    } while (again(my->r) || again(my->v));
    right += my->r == 1 && my->v == 0;
    do
        coop_any(my->r, my->v, (WaitTask, .tid = COOP_CHILD), (ReadWait, .fd = my->fd));
    while (again(my->r));
    right += my->r == 0 && my->v == -ECHILD;
    coop_end;
}

coop_routine(crew, int i; coop_group *g; coop_value r, results[3]; coop_status status;)
{
    coop_begin;
    do {
        coop_trap(my->r, Group, .limit = 3, .keep = true, .mode = COOP_EACH);
        my->g = my->r > 0 ? (coop_group *)my->r : NULL;
    } while (again(my->r));
    for (; my->i < 3; my->i++)
        do
            coop_trap(my->r, GroupSpawn, .group = my->g, .name = "napper",
                      .target = coop_create(naps, .ns = my->i < 2 ? my->i : COOP_S(100)),
                      .result = &my->results[my->i]);
        while (again(my->r));
    if (my->r < 0)
        coop_return(0);
    for (my->i = 0; my->i < 2; my->i++) {
        coop_trap(my->r, GroupNext, .group = my->g, .status = &my->status);
        right += my->r == 0 && my->status.end == COOP_OK;
    }
    coop_trap(coop_void, GroupCancel, .group = my->g);
    coop_trap(my->r, GroupWait, .group = my->g);
    right += my->r == 0 && my->results[2] == 1;
    coop_end;
}

coop_routine(gathers, coop_value r;)
{
    coop_begin;
    do
        coop_all(my->r, NULL, (naps, .ns = 1), (naps, .ns = 2), (naps, .ns = 3));
    while (again(my->r));
    right += my->r == 0;
    do
        coop_race(my->r, (naps, .ns = 1), (naps, .ns = COOP_S(100)));
    while (again(my->r));
    right += my->r == 0;
    coop_end;
}

static void open_and_spawn(void)
{
    coop_value r;
    while (again(r = coop_sched_open(&options)))
        ;
    if (r < 0)
        return;
    while (again(coop_spawn(limited)))
        ;
    while (again(coop_spawn(crew)))
        ;
    while (again(coop_spawn(gathers)))
        ;
}

static void all_of_it(int fd)
{
    open_and_spawn();
    if (!coop_this)
        return;
    while (again(coop_spawn(races, .fd = fd)))
        ;
    coop_run();
    coop_sched_close();
}

static void rule_7_each_allocation_fails_once(void)
{
    sweep(all_of_it, false, 9);
    CU_ASSERT(allocations > 30);
}

static void rule_7_memory_is_gone_for_good(void)
{
    sweep(all_of_it, true, 0);
}

/* Without memory for who and why, or for the way of an error, the rest is as ever. */
coop_routine(waits, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, WaitTask, .tid = 1);
    coop_return(my->r);
    coop_end;
}

coop_routine(cancels, coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    do
        coop_trap(my->tid, NewTask, .target = coop_create(waits));
    while (again(my->tid));
    coop_trap(my->r, Cancel, .tid = my->tid, .why = "no need");
    right += my->r == 0;
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    right += my->r == -ECANCELED && my->status.end == COOP_CANCELLED;
    seen += !my->status.why + !coop_this->trails;
    do
        coop_trap(my->tid, NewTask, .target = coop_create(waits));
    while (again(my->tid));
    coop_trap(my->r, KillTask, .tid = my->tid, .why = "no need");
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    right += my->r == -ECANCELED && my->status.end == COOP_KILLED && my->status.by == 1;
    seen += !my->status.why;
    coop_end;
}

static void without_who_and_why(int fd)
{
    coop_value r;
    (void)fd;
    while (again(r = coop_sched_open(&options)))
        ;
    while (again(coop_spawn(cancels)))
        ;
    coop_run();
    coop_sched_close();
}

static void rule_7_who_and_why(void)
{
    sweep(without_who_and_why, false, 3);
}

static const suite_test tests[] = {
    TEST(rule_7_each_allocation_fails_once),
    TEST(rule_7_memory_is_gone_for_good),
    TEST(rule_7_who_and_why),
};

int main(int argc, char **argv)
{
    return suite_main("scarce", tests, SUITE_COUNT(tests), argc, argv);
}
