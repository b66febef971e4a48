/* Ending tasks: KillTask on a target in every state, and what must be gone afterwards. */
#include "world.h"

#include <errno.h>

/* A call of the test's own: waits in a list until somebody wakes it. */
struct coop_Park { coop_call base; coop_call **list; };

static coop_value park_handle(coop_sched *s, coop_call *call)
{
    (void)s;
    coop_list_add(((struct coop_Park *)call)->list, call);
    return COOP_WAIT;
}

static bool park_undo(coop_sched *s, coop_call *call)
{
    (void)s;
    CU_ASSERT(coop_list_remove(((struct coop_Park *)call)->list, call));
    return true;
}

static const coop_call_type coop_Park_type = {
    .name = "Park", .handle = park_handle, .undo = park_undo
};

static coop_call *parked;

/* How the target waits. */
enum { BY_YIELD, BY_PASS, BY_SLEEP, BY_WAIT, BY_KILL, BY_READ, BY_WRITE, BY_PARK, HOWS };

coop_routine(bottom, int how; coop_tid other;)
{
    coop_begin;
    if (my->how == BY_SLEEP)
        coop_trap(coop_void, Sleep, .ns = COOP_S(1000));
    if (my->how == BY_WAIT)
        coop_trap(coop_void, WaitTask, .tid = my->other);
    if (my->how == BY_KILL)
        coop_trap(coop_void, KillTask, .tid = my->other, .wait = true);
    if (my->how == BY_READ)
        coop_trap(coop_void, ReadWait, .fd = 7);
    if (my->how == BY_WRITE)
        coop_trap(coop_void, WriteWait, .fd = 7);
    if (my->how == BY_PARK)
        coop_trap(coop_void, Park, .list = &parked);
    while (my->how == BY_PASS)
        coop_yield(coop_void, 1);
    while (my->how == BY_YIELD)
        coop_trap(coop_void, Yield);
    say("never");
    coop_finally;
    say("b");
    coop_end;
}

coop_routine(target, int how; int depth; coop_tid other; coop_value r;)
{
    coop_begin;
    if (my->depth)
        coop_await(my->r, target, .how = my->how, .depth = my->depth - 1, .other = my->other);
    else
        coop_await(my->r, bottom, .how = my->how, .other = my->other);
    say("never");
    coop_finally;
    say("%d", my->depth);
    coop_return(4711);             /* counts for nothing now */
    coop_end;
}

/* Somebody to wait for: ends only when it is killed, and takes its time then. */
coop_routine(long_lived, int i;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_S(2000));
    coop_finally;
    for (; my->i < 20; my->i++)
        coop_trap(coop_void, Yield);
    coop_end;
}

coop_routine(killer, int how; int depth; bool wait; coop_tid tid, other; coop_value r;
             coop_status status; size_t timers, outside;)
{
    coop_begin;
    coop_trap(my->other, NewTask, .target = coop_create(long_lived));
    coop_trap(coop_void, Yield);
    my->timers = coop_this->due_count;
    my->outside = coop_this->outside;
    coop_trap(my->tid, NewTask,
              .target = coop_create(target, .how = my->how, .depth = my->depth,
                                    .other = my->other));
    coop_trap(coop_void, Yield);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = my->wait);
    IS(my->r, 0);
    if (!my->wait) {
        coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
        IS(my->r, -ECANCELED);
        IS(my->status.end, COOP_KILLED);
        IS(my->status.by, coop_self());
        IS(my->status.value, -ECANCELED);
    }
    no_trace_of(my->tid);
    if (my->how != BY_KILL) {
        IS(coop_this->due_count, my->timers);
        IS(coop_this->outside, my->outside);
    }
    IS(world.machine.watching, 0);
    CU_ASSERT_PTR_NULL(parked);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = my->wait);
    IS(my->r, -ESRCH);
    coop_trap(my->r, WaitTask, .tid = my->tid);
    IS(my->r, -ESRCH);
    coop_trap(coop_void, KillTask, .tid = my->other, .wait = true);
    no_trace_of(my->other);
    coop_end;
}

static void kill_in(int how)
{
    for (int deep = 0; deep < 2; deep++)
        for (int wait = 0; wait < 2; wait++) {
            world_open(0);
            IS(coop_main(killer, .how = how, .depth = deep * 3, .wait = wait), 0);
            LOG_IS(deep ? "b 0 1 2 3" : "b 0");
            world_close();
            NO_REPORTS();
        }
}

static void rule_10_kill_ready(void) { kill_in(BY_YIELD); }
static void rule_10_kill_in_yield(void) { kill_in(BY_PASS); }
static void rule_10_kill_in_sleep(void) { kill_in(BY_SLEEP); }
static void F6_kill_in_waittask(void) { kill_in(BY_WAIT); }
static void F6_kill_in_killtask(void) { kill_in(BY_KILL); }
static void F6_kill_in_readwait(void) { kill_in(BY_READ); }
static void F6_kill_in_writewait(void) { kill_in(BY_WRITE); }
static void F6_kill_in_a_users_call(void) { kill_in(BY_PARK); }

/* Of several that wait for the same thing the one in the middle is killed. */
coop_routine(middle, coop_tid tids[3]; int how, i; coop_tid other;)
{
    coop_begin;
    coop_trap(my->other, NewTask, .target = coop_create(long_lived));
    for (; my->i < 3; my->i++)
        coop_trap(my->tids[my->i], NewTask,
                  .target = coop_create(bottom, .how = my->how, .other = my->other));
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, KillTask, .tid = my->tids[1], .wait = true);
    no_trace_of(my->tids[1]);
    coop_trap(coop_void, KillTask, .tid = my->tids[0], .wait = true);
    no_trace_of(my->tids[0]);
    coop_trap(coop_void, KillTask, .tid = my->tids[2], .wait = true);
    no_trace_of(my->tids[2]);
    coop_trap(coop_void, KillTask, .tid = my->other, .wait = true);
    coop_end;
}

static void F6_kill_removes_from_wait_queues(void)
{
    for (int how = 0; how < HOWS; how++) {
        world_open(0);
        IS(coop_main(middle, .how = how), 0);
        LOG_IS("b b b");
        CU_ASSERT_PTR_NULL(parked);
        world_close();
    }
}

coop_routine(A2_child, int i;)
{
    coop_begin;
    for (; my->i < 4; my->i++) {
        say("child%d", my->i);
        coop_trap(coop_void, Yield);
    }
    coop_end;
}

coop_routine(A2_waiter, coop_tid child;)
{
    coop_begin;
    coop_trap(coop_void, WaitTask, .tid = my->child);
    say("never");
    coop_finally;
    say("w-cleanup");
    coop_end;
}

coop_routine(A2_main, coop_tid child, w; coop_value r;)
{
    coop_begin;
    coop_trap(my->child, NewTask, .target = coop_create(A2_child));
    coop_trap(my->w, NewTask, .target = coop_create(A2_waiter, .child = my->child));
    coop_trap(my->r, KillTask, .tid = my->w);
    say("killed-%s", result(my->r));
    coop_trap(my->r, KillTask, .tid = my->w);
    say("again-%s", result(my->r));
    coop_trap(my->r, WaitTask, .tid = my->w);
    say("gone-%s", result(my->r));
    coop_end;
}

/* In the original the second KillTask still finds the corpse. */
static void A2_kill_of_a_waiter(void)
{
    world_open(0);
    say_ends();
    coop_spawn(A2_main);
    IS(coop_run(), 0);
    LOG_IS("child0 child1 child2 w-cleanup 3-ended killed-0 child3 again-ESRCH 2-ended "
           "gone-ECANCELED 1-ended");
    world_close();
}

coop_routine(A3_recv, int fd; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ReadWait, .fd = my->fd);
    coop_return(my->r < 0 ? my->r : 5);
    coop_end;
}

coop_routine(A3_server, coop_value r;)
{
    coop_begin;
    coop_await(my->r, A3_recv, .fd = 6);
    say("got-%s", result(my->r));
    say("alive");
    coop_end;
}

coop_routine(A3_main, coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(A3_server));
    coop_trap(my->r, KillTask, .tid = my->tid);
    say("killed-%s", result(my->r));
    virtual_fire(&world.machine, 0, 6, COOP_READ);
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    coop_end;
}

static void F7_A3_kill_inside_a_subroutine(void)
{
    world_open(0);
    say_ends();
    coop_spawn(A3_main);
    IS(coop_run(), 0);
    LOG_IS("2-ended killed-0 1-ended");
    world_close();
}

coop_routine(bad_kills, coop_value r; coop_info info;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = 1);
    IS(coop_inspect(2, &my->info), 0);
    IS(my->info.system, true);
    coop_trap(my->r, KillTask, .tid = 2);
    IS(my->r, -EPERM);
    coop_trap(my->r, KillTask, .tid = 2, .wait = true);
    IS(my->r, -EPERM);
    coop_trap(my->r, WaitTask, .tid = 2);
    IS(my->r, -EPERM);
    coop_trap(my->r, KillTask, .tid = 0);
    IS(my->r, -ESRCH);
    coop_trap(my->r, KillTask, .tid = -1);
    IS(my->r, -ESRCH);
    coop_trap(my->r, KillTask, .tid = 4711, .wait = true);
    IS(my->r, -ESRCH);
    coop_trap(my->r, KillTask, .tid = INTPTR_MIN);
    IS(my->r, -ESRCH);
    coop_trap(my->r, KillTask, .tid = INTPTR_MAX);
    IS(my->r, -ESRCH);
    coop_trap(coop_void, Sleep, .ns = 1);
    coop_return(1);
    coop_end;
}

static void F8_system_tasks_and_unknown_ones(void)
{
    world_open(0);
    IS(coop_main(bad_kills), 1);
    IS(coop_main(bad_kills), 1);
    world_close();
}

static const suite_test tests[] = {
    TEST(rule_10_kill_ready), TEST(rule_10_kill_in_yield), TEST(rule_10_kill_in_sleep),
    TEST(F6_kill_in_waittask), TEST(F6_kill_in_killtask), TEST(F6_kill_in_readwait),
    TEST(F6_kill_in_writewait), TEST(F6_kill_in_a_users_call),
    TEST(F6_kill_removes_from_wait_queues),
    TEST(A2_kill_of_a_waiter),
    TEST(F7_A3_kill_inside_a_subroutine),
    TEST(F8_system_tasks_and_unknown_ones),
};

int main(int argc, char **argv)
{
    return world_main("kill", tests, SUITE_COUNT(tests), argc, argv, "");
}
