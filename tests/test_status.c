/* How tasks ended: who is told, who keeps it, and what is reported. Contract rule 9. */
#include "world.h"

#include <errno.h>

coop_routine(gives, coop_value v; int turns;)
{
    coop_begin;
    while (my->turns--)
        coop_trap(coop_void, Yield);
    coop_return(my->v);
    coop_end;
}

coop_routine(three_ends, coop_tid tid; coop_value r; coop_status st;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(gives, .v = 12, .turns = 3));
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->st);
    IS(my->r, 12);
    IS(my->st.end, COOP_OK);
    IS(my->st.value, 12);
    IS(my->st.by, 0);
    coop_trap(my->tid, NewTask, .target = coop_create(gives, .v = -EIO));
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->st);
    IS(my->r, -EIO);
    IS(my->st.end, COOP_FAILED);
    IS(my->st.value, -EIO);
    coop_trap(my->tid, NewTask, .target = coop_create(gives, .turns = -1));
    coop_trap(my->r, KillTask, .tid = my->tid);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->st);
    IS(my->r, -ECANCELED);
    IS(my->st.end, COOP_KILLED);
    IS(my->st.value, -ECANCELED);
    IS(my->st.by, coop_self());
    coop_trap(my->tid, NewTask, .target = coop_create(gives, .v = -ESRCH));
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->st);
    IS(my->r, -ESRCH);
    IS(my->st.end, COOP_FAILED);   /* the task's own -ESRCH; it had a status */
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->st);
    IS(my->r, -ESRCH);
    IS(my->st.end, COOP_NO_END);
    coop_end;
}

static void F4_rule_9_returned_failed_killed(void)
{
    WORLD(0, three_ends);
    NO_REPORTS();
}

coop_routine(waits, int n; coop_tid tid; coop_value r; coop_status st;)
{
    coop_begin;
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->st);
    say("%d:%s:%d", my->n, result(my->r), my->st.end);
    coop_end;
}

coop_routine(several, coop_tid tid; int i; coop_value r;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(gives, .v = -EACCES, .turns = 5));
    for (; my->i < 4; my->i++)
        coop_spawn(waits, .n = my->i, .tid = my->tid);
    coop_trap(my->r, WaitTask, .tid = my->tid);
    say("main:%s", result(my->r));
    no_trace_of(my->tid);
    coop_end;
}

static void rule_9_several_waiters_in_their_order(void)
{
    WORLD(0, several);
    LOG_IS("main:EACCES 0:EACCES:2 1:EACCES:2 2:EACCES:2 3:EACCES:2");
    NO_REPORTS();
}

coop_routine(keeper, coop_tid tid; coop_value r; coop_status st; coop_info info;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(gives, .v = 31), .name = "kept one");
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    IS(coop_inspect(my->tid, &my->info), 0);
    IS(my->info.state, COOP_ENDED);
    CU_ASSERT_STRING_EQUAL(my->info.name, "kept one");
    IS(my->info.parent, coop_self());
    IS(coop_backtrace(my->tid, NULL, 0), 0);
    coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, -ESRCH);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->st);
    IS(my->r, 31);
    IS(my->st.end, COOP_OK);
    no_trace_of(my->tid);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->st);
    IS(my->r, -ESRCH);
    IS(my->st.end, COOP_NO_END);
    IS(my->st.value, 0);
    IS(my->st.by, 0);
    coop_end;
}

static void rule_9_kept_until_waited_for(void)
{
    WORLD(0, keeper);
}

coop_routine(careless, coop_tid tids[5]; int i; int64_t nap;)
{
    coop_begin;
    for (; my->i < 5; my->i++)
        coop_trap(my->tids[my->i], NewTask,
                  .target = coop_create(gives, .v = my->i == 2 ? -EIO : 1));
    coop_trap(coop_void, Sleep, .ns = my->nap);
    coop_trap(coop_void, WaitTask, .tid = my->tids[3]);
    coop_trap(coop_void, WaitTask, .tid = my->tids[0]);
    coop_end;
}

/* What a parent kept goes with it; a failure that nobody saw is reported then, once. */
static void rule_9_kept_until_the_parents_end(void)
{
    world_open(0);
    coop_spawn(careless, .nap = 5);
    IS(coop_run(), 0);
    IS(world.reported, 1);
    REPORTED("coop: task 4 gives failed: -5 EIO (created at test_status.c:");
    IS(coop_tasks(NULL, 0), 1);    /* iopoll */
    world_close();
    NO_REPORTS();
}

coop_routine(orphan_maker, coop_tid tid;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(gives, .v = -ENOENT, .turns = 5));
    coop_end;
}

/* A parent that ends first keeps nothing: its children live on, and their failures are
   reported. */
static void orphans_live_on(void)
{
    coop_info info;
    world_open(0);
    say_ends();
    coop_spawn(orphan_maker);
    coop_spawn(waits, .n = 1, .tid = 1);
    IS(coop_inspect(1, &info), 0);
    IS(coop_run(), 0);
    LOG_IS("1-ended 1:0:1 2-ended 3-ended");
    REPORTED("coop: task 3 gives failed: -2 ENOENT");
    world_close();
}

coop_routine(spawns, coop_tid tid; coop_value r;)
{
    coop_begin;
    my->tid = coop_spawn(gives, .v = 5);
    coop_trap(my->r, WaitTask, .tid = my->tid);
    IS(my->r, 5);                  /* while it lived */
    my->tid = coop_spawn(gives, .v = 5);
    coop_trap(coop_void, Yield);
    coop_trap(my->r, WaitTask, .tid = my->tid);
    IS(my->r, -ESRCH);             /* after its end */
    coop_end;
}

static void spawned_tasks_are_not_kept(void)
{
    WORLD(0, spawns);
}

coop_routine(fails, int turns;)
{
    coop_begin;
    while (my->turns--)
        coop_trap(coop_void, Yield);
    coop_return(-ENOENT);
    coop_end;
}

coop_routine(works, int i;)
{
    coop_begin;
    for (; my->i < 5; my->i++)
        coop_trap(coop_void, Yield);
    say("done");
    coop_end;
}

static void F1_a_failing_task_harms_no_other(void)
{
    world_open(0);
    coop_spawn(works);
    coop_spawn(fails, .turns = 2);
    coop_spawn(works);
    coop_spawn(fails);
    IS(coop_run(), 0);
    LOG_IS("done done");
    IS(world.reported, 2);
    REPORTED("coop: task 4 fails failed: -2 ENOENT (created at test_status.c:");
    world_close();
}

coop_routine(waits_for_failing, coop_tid tid; coop_value r;)
{
    coop_begin;
    my->tid = coop_spawn(fails, .turns = 3);
    coop_trap(my->r, WaitTask, .tid = my->tid);
    say("%s", result(my->r));
    my->tid = coop_spawn(fails, .turns = 3);
    coop_trap(my->r, KillTask, .tid = my->tid);
    coop_end;
}

/* A failure that somebody waited for is no news, and neither is a kill. */
static void seen_failures_and_kills_are_not_reported(void)
{
    world_open(0);
    coop_spawn(waits_for_failing);
    IS(coop_run(), 0);
    IS(coop_main(fails), -ENOENT);
    LOG_IS("ENOENT");
    world_close();
    NO_REPORTS();
}

/* The target had failed by itself before the kill: somebody should hear of it. */
coop_routine(fails_slowly, int turns;)
{
    coop_begin;
    coop_trap(coop_void, Exit, .value = -ENOTDIR);
    coop_finally;
    while (my->turns--)
        coop_trap(coop_void, Yield);
    coop_end;
}

coop_routine(kills_failing, coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(fails_slowly, .turns = 5));
    coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, -EALREADY);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    no_trace_of(my->tid);
    coop_end;
}

static void kill_of_one_that_exits_keeps_its_failure_known(void)
{
    WORLD(0, kills_failing);
    REPORTED("coop: task 2 fails_slowly failed: -20 ENOTDIR");
}

coop_routine(waiter_killed, coop_tid tid, waiter; coop_value r;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(gives, .v = 8, .turns = 5));
    my->waiter = coop_spawn(waits, .tid = my->tid);
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, KillTask, .tid = my->waiter, .wait = true);
    coop_trap(coop_void, Sleep, .ns = 1);
    coop_trap(my->r, WaitTask, .tid = my->tid);
    IS(my->r, 8);                  /* the one that was killed took nothing along */
    coop_end;
}

static void a_killed_waiter_takes_no_status_along(void)
{
    WORLD(0, waiter_killed);
    LOG_IS("");
}

coop_routine(bad_waits, coop_value r; coop_status st;)
{
    coop_begin;
    my->st.end = COOP_OK;
    coop_trap(my->r, WaitTask, .tid = 0, .status = &my->st);
    IS(my->r, -ESRCH);
    IS(my->st.end, COOP_NO_END);
    coop_trap(my->r, WaitTask, .tid = -1);
    IS(my->r, -ESRCH);
    coop_trap(my->r, WaitTask, .tid = 4711);
    IS(my->r, -ESRCH);
    coop_trap(my->r, WaitTask, .tid = INTPTR_MIN);
    IS(my->r, -ESRCH);
    coop_trap(my->r, WaitTask, .tid = coop_self(), .status = &my->st);
    IS(my->r, -EDEADLK);
    IS(my->st.end, COOP_NO_END);
    coop_end;
}

coop_routine(returns, coop_value v;)
{
    coop_begin;
    coop_return(my->v);
    coop_end;
}

/* What a handle gives to say something else is not an answer. */
coop_routine(waits_for_odd, coop_tid tid; coop_value r; int i;)
{
    coop_begin;
    for (; my->i < 8; my->i++) {
        coop_trap(my->tid, NewTask,
                  .target = coop_create(returns, .v = INTPTR_MIN + my->i));
        coop_trap(my->r, WaitTask, .tid = my->tid);
        IS(my->r, my->i < 4 ? -EINVAL : INTPTR_MIN + my->i);
    }
    coop_end;
}

static void bad_input(void)
{
    WORLD(0, bad_waits);
    WORLD(0, waits_for_odd);
}

static const suite_test tests[] = {
    TEST(F4_rule_9_returned_failed_killed),
    TEST(rule_9_several_waiters_in_their_order),
    TEST(rule_9_kept_until_waited_for),
    TEST(rule_9_kept_until_the_parents_end),
    TEST(orphans_live_on),
    TEST(spawned_tasks_are_not_kept),
    TEST(F1_a_failing_task_harms_no_other),
    TEST(seen_failures_and_kills_are_not_reported),
    TEST(kill_of_one_that_exits_keeps_its_failure_known),
    TEST(a_killed_waiter_takes_no_status_along),
    TEST(bad_input),
};

int main(int argc, char **argv)
{
    return world_main("status", tests, SUITE_COUNT(tests), argc, argv, "");
}
