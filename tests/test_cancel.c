/* Cancel: calls that can wait fail from then on, but not in cleanups and behind shields. */
#include "park.h"

#include <errno.h>
#include <string.h>

coop_routine(answers, int64_t ns;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_trap(coop_void, Unpark, .value = 7);
    coop_end;
}

/* Waits in whatever it is told to. */
enum { SLEEP, PARK, READ, WRITE, WAIT, CHILD, KILL, ANY, WITHIN, WAYS };

coop_routine(long_lived, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Park);
    coop_finally;
    coop_trap(coop_void, Sleep, .ns = 50);
    coop_end;
}

coop_routine(waits, int how; coop_tid other; coop_value r, v;)
{
    coop_begin;
    if (my->how == CHILD)
        coop_trap(my->other, NewTask, .target = coop_create(long_lived));
    if (my->how == SLEEP)
        coop_trap(my->r, Sleep, .ns = COOP_S(9));
    if (my->how == PARK)
        coop_trap(my->r, Park);
    if (my->how == READ)
        coop_trap(my->r, ReadWait, .fd = 5);
    if (my->how == WRITE)
        coop_trap(my->r, WriteWait, .fd = 5);
    if (my->how == WAIT)
        coop_trap(my->r, WaitTask, .tid = my->other);
    if (my->how == CHILD)
        coop_trap(my->r, WaitTask, .tid = COOP_CHILD);
    if (my->how == KILL)
        coop_trap(my->r, KillTask, .tid = my->other, .wait = true);
    if (my->how == ANY)
        coop_any(my->r, my->v, (Sleep, .ns = COOP_S(9)), (Park), (WaitTask, .tid = my->other));
    if (my->how == WITHIN)
        coop_within(my->r, COOP_S(9), ReadWait, .fd = 5);
    IS(my->r, -ECANCELED);
    IS(coop_this->current->co.flags & TASK_WAITS_ANY, 0);
    coop_return(my->r);
    coop_finally;
    coop_trap(my->r, Sleep, .ns = 5);
    IS(my->r, 0);
    coop_end;
}

coop_routine(cancels, int how; coop_tid tid, other; coop_value r; coop_status status;
             coop_info info;)
{
    coop_begin;
    my->other = coop_spawn(long_lived);
    coop_trap(my->tid, NewTask, .target = coop_create(waits, .how = my->how,
                                                      .other = my->other));
    coop_trap(coop_void, Sleep, .ns = 10);
    coop_trap(my->r, Cancel, .tid = my->tid, .why = "enough");
    IS(my->r, 0);
    IS(coop_inspect(my->tid, &my->info), 0);
    IS(my->info.cancelled, true);
    IS(my->info.ending, false);
    coop_trap(my->r, Cancel, .tid = my->tid);
    IS(my->r, -EALREADY);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->r, -ECANCELED);
    IS(my->status.end, COOP_CANCELLED);
    IS(my->status.by, coop_self());
    CU_ASSERT_STRING_EQUAL(my->status.why, "enough");
    no_trace_of(my->tid);
    while (parked)
        coop_trap(coop_void, KillTask, .tid = parked->task->tid, .wait = true);
    coop_end;
}

static void cancel_in_each_call(void)
{
    for (int how = 0; how < WAYS; how++) {
        world_open(0);
        IS(coop_main(cancels, .how = how), 0);
        NO_REPORTS();
        world_close();
    }
}

coop_routine(ends, int unused;) { coop_begin; coop_end; }

/* It stays until it is heard: each call that can wait fails, also when it would not have to. */
coop_routine(stubborn, coop_value r; int i; coop_tid tid;)
{
    coop_begin;
    coop_trap(my->r, Park);
    for (; my->i < 3; my->i++) {
        say("%s", result(my->r));
        coop_trap(my->r, Sleep, .ns = 5);
    }
    coop_trap(my->r, Sleep);
    say("sleep0-%s", result(my->r));
    coop_trap(my->tid, NewTask, .target = coop_create(ends));
    say("new-%d", my->tid > 0);
    coop_trap(my->r, WaitTask, .tid = my->tid, .poll = true);
    say("poll-%s", result(my->r));
    coop_trap(my->r, Yield);
    say("yield-%s", result(my->r));
    coop_trap(my->r, KillTask, .tid = my->tid);
    say("kill-%s", result(my->r));
    coop_trap(my->r, WaitTask, .tid = my->tid);
    say("wait-%s", result(my->r));
    IS(coop_why(NULL), -ECANCELED);
    coop_return(5);
    coop_finally;
    IS(coop_why(NULL), 0);
    coop_trap(my->r, Sleep, .ns = 5);
    say("clean-%s", result(my->r));
    coop_end;
}

coop_routine(one_cancel, coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(stubborn));
    coop_trap(my->r, Cancel, .tid = my->tid);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, COOP_OK);
    coop_return(my->r);
    coop_end;
}

static void level_triggered(void)
{
    world_open(0);
    IS(coop_main(one_cancel), 5);
    LOG_IS("ECANCELED ECANCELED ECANCELED sleep0-ECANCELED new-1 poll-0 yield-0 kill-ESRCH "
           "wait-ECANCELED clean-0");
    world_close();
}

/* With a large quantum, too, what is cancelled cannot keep the processor for ever. */
coop_routine(deaf, int *turns; bool *over; coop_value r;)
{
    coop_begin;
    while (!*my->over) {
        coop_trap(my->r, Sleep, .ns = 5);
        ++*my->turns;
    }
    coop_end;
}

coop_routine(hears, int turns; bool over; coop_tid tid;)
{
    coop_begin;
    my->tid = coop_spawn(deaf, .turns = &my->turns, .over = &my->over);
    coop_trap(coop_void, Cancel, .tid = my->tid);
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Yield);
    my->over = true;
    CU_ASSERT(my->turns < 10);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    coop_end;
}

static void cancelled_ends_its_slice(void)
{
    world_open(1000);
    IS(coop_main(hears), 0);
    world_close();
}

coop_routine(sticks, coop_value r, v; int how;)
{
    coop_begin;
    if (my->how == 0)
        coop_trap(my->r, Stick);
    if (my->how == 1)
        coop_within(my->r, 50, Stick);
    if (my->how == 2) {
        coop_any(my->r, my->v, (Sleep, .ns = 50), (Stick), (ReadWait, .fd = 5));
        IS(my->r, 1);
        my->r = my->v;
    }
    if (my->how == 3) {
        coop_trap(coop_void, Deadline, .ns = 5);
        coop_trap(my->r, Stick);
    }
    say("%s", result(my->r));
    coop_trap(my->r, Sleep, .ns = 5);
    say("%s", result(my->r));
    coop_end;
}

coop_routine(cancel_stick, int how; bool kill; coop_tid tid; coop_value r; int64_t began;)
{
    coop_begin;
    my->began = world.machine.clock;
    my->tid = coop_spawn(sticks, .how = my->how);
    coop_spawn(answers, .ns = 20);
    coop_trap(coop_void, Sleep, .ns = 10);
    if (my->kill)
        coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    else
        coop_trap(my->r, Cancel, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    IS(world.machine.clock, my->began + 20);
    coop_end;
}

static void what_cannot_be_undone(void)
{
    for (int how = 0; how < 4; how++) {
        world_open(0);
        IS(coop_main(cancel_stick, .how = how), 0);
        LOG_IS(how == 3 ? "stuck stuck 7 ECANCELED" : "stuck 7 ECANCELED");
        IS(coop_main(cancel_stick, .how = how, .kill = true), 0);
        LOG_IS(how == 3 ? "stuck stuck" : "stuck");
        world_close();
        CU_ASSERT_PTR_NULL(parked);
    }
}

/* Itself; before it began; with wait; and who is not to be had. */
coop_routine(itself, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Cancel, .tid = coop_self(), .wait = true);
    IS(my->r, -EDEADLK);
    IS(coop_why(NULL), 0);
    coop_trap(my->r, Cancel, .tid = coop_self(), .why = "me");
    IS(my->r, 0);
    coop_trap(my->r, Park);
    coop_return(my->r);
    coop_end;
}

coop_routine(fresh, coop_value r;)
{
    coop_begin;
    say("begins");
    coop_trap(my->r, Park);
    coop_return(my->r);
    coop_end;
}

coop_routine(others, coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(itself));
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, COOP_CANCELLED);
    IS(my->status.by, my->tid);
    CU_ASSERT_STRING_EQUAL(my->status.why, "me");
    my->tid = coop_spawn(fresh);
    coop_trap(my->r, Cancel, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    no_trace_of(my->tid);
    coop_trap(my->tid, NewTask, .target = coop_create(fresh));
    coop_trap(my->r, Cancel, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    no_trace_of(my->tid);
    coop_trap(my->r, Cancel, .tid = my->tid);
    IS(my->r, -ESRCH);
    coop_trap(my->r, Cancel, .tid = 0);
    IS(my->r, -ESRCH);
    coop_trap(coop_void, Sleep, .ns = 1);
    coop_trap(my->r, Cancel, .tid = coop_this->poller->tid);
    IS(my->r, -EPERM);
    coop_end;
}

static void cancel_of_itself_and_others(void)
{
    world_open(0);
    IS(coop_main(others), 0);
    LOG_IS("begins begins");
    NO_REPORTS();
    world_close();
}

/* A kill after a cancel and the other way round; Exit of a cancelled task. */
coop_routine(exits, coop_value value; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Park);
    coop_trap(coop_void, Exit, .value = my->value);
    coop_end;
}

coop_routine(cleans_long, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Park);
    coop_finally;
    coop_trap(my->r, Sleep, .ns = 20);
    say("slept-%s", result(my->r));
    coop_end;
}

coop_routine(both_ways, coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(exits, .value = -ECANCELED));
    coop_trap(coop_void, Cancel, .tid = my->tid, .why = "go");
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, COOP_CANCELLED);
    IS(my->status.by, coop_self());
    CU_ASSERT_STRING_EQUAL(my->status.why, "go");
    coop_trap(my->tid, NewTask, .target = coop_create(exits, .value = -EIO));
    coop_trap(coop_void, Cancel, .tid = my->tid, .why = "go");
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, COOP_FAILED);
    IS(my->r, -EIO);
    CU_ASSERT_PTR_NULL(my->status.why);
    coop_trap(my->tid, NewTask, .target = coop_create(cleans_long));
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Cancel, .tid = my->tid, .why = "first");
    coop_trap(coop_void, Yield);
    coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, 0);
    coop_trap(my->r, Cancel, .tid = my->tid, .why = "late");
    IS(my->r, -EALREADY);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, COOP_KILLED);
    CU_ASSERT_PTR_NULL(my->status.why);
    coop_trap(my->tid, NewTask, .target = coop_create(exits, .value = -ECANCELED));
    coop_trap(coop_void, Yield);
    coop_trap(my->r, KillTask, .tid = my->tid, .why = "at once");
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, COOP_KILLED);
    CU_ASSERT_STRING_EQUAL(my->status.why, "at once");
    coop_end;
}

static void cancel_and_kill(void)
{
    world_open(0);
    IS(coop_main(both_ways), 0);
    LOG_IS("slept-0");
    NO_REPORTS();
    world_close();
}

static const suite_test tests[] = {
    TEST(cancel_in_each_call), TEST(level_triggered), TEST(cancelled_ends_its_slice),
    TEST(what_cannot_be_undone), TEST(cancel_of_itself_and_others), TEST(cancel_and_kill),
};

int main(int argc, char **argv)
{
    return world_main("cancel", tests, SUITE_COUNT(tests), argc, argv, "");
}
