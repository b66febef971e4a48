/* How fibers end: by kill, Cancel, Exit, a deadline, closing; at each trap, with fibers and
   routines in each order on the call stack; what they do then, and those that do not
   end. */
#include "world.h"

#include <errno.h>
#include <string.h>

/* ---- At each trap, in each mixture ---- */

enum { LEVELS = 4, TRAPS = 4 };
enum how { KILL, KILL_WAIT, FORCE, CANCEL, EXIT, DEADLINE, CLOSE, HOWS };

static struct { unsigned fibers; enum how how; int at; } plan;

static coop_value fiber_level(void *arg);

coop_routine(routine_level, intptr_t i; int n; coop_value r;)
{
    coop_begin;
    if (my->i == 0 && plan.how == DEADLINE)
        coop_trap(coop_void, Deadline, .ns = 10 * plan.at + 5);
    if (my->i + 1 < LEVELS) {
        if (plan.fibers & 2u << my->i)
            coop_await(my->r, COOP_FIBER(fiber_level, (void *)(my->i + 1)));
        else
            coop_await(my->r, routine_level, .i = my->i + 1);
    } else {
        for (; my->n < TRAPS && my->r == 0; my->n++) {
            if (plan.how == EXIT && my->n == plan.at)
                coop_trap(coop_void, Exit, .value = 5);
            coop_trap(my->r, Sleep, .ns = 10);
        }
    }
    coop_return(my->r);
    coop_finally;
    coop_trap(my->r, Sleep, .ns = 3);
    IS(my->r, 0);
    say("%td", my->i);
    coop_end;
}

static void says_level(void *arg)
{
    IS(coop_sleep(3), 0);
    say("%td", (intptr_t)arg);
}

static coop_value fiber_level(void *arg)
{
    intptr_t i = (intptr_t)arg;
    coop_value r = 0;
    IS(coop_defer(says_level, arg), 0);
    if (i == 0 && plan.how == DEADLINE)
        coop_deadline(10 * plan.at + 5);
    if (i + 1 < LEVELS)
        return plan.fibers & 2u << i
            ? coop_call(COOP_FIBER(fiber_level, (void *)(i + 1)))
            : coop_call(routine_level, .i = i + 1);
    for (int n = 0; n < TRAPS && r == 0; n++) {
        if (plan.how == EXIT && n == plan.at) {
            coop_exit(5);
            say("never");
        }
        r = coop_sleep(10);
    }
    return r;
}

coop_routine(ends_it, coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = plan.fibers & 1
              ? coop_create(COOP_FIBER(fiber_level, NULL)) : coop_create(routine_level));
    if (plan.at)
        coop_trap(coop_void, Sleep, .ns = 10 * plan.at - 5);
    my->r = 0;
    if (plan.how == KILL || plan.how == KILL_WAIT || plan.how == FORCE)
        coop_trap(my->r, KillTask, .tid = my->tid, .wait = plan.how == KILL_WAIT,
                  .force = plan.how == FORCE);
    if (plan.how == CANCEL)
        coop_trap(my->r, Cancel, .tid = my->tid);
    IS(my->r, 0);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    no_trace_of(my->tid);
    if (plan.how == KILL_WAIT) {
        IS(my->r, -ESRCH);
    } else if (plan.how == KILL || plan.how == FORCE) {
        IS(my->status.end, COOP_KILLED);
    } else if (plan.how == CANCEL) {
        IS(my->status.end, COOP_CANCELLED);
    } else {
        IS(my->r, plan.how == EXIT ? 5 : -ETIMEDOUT);
    }
    coop_end;
}

/* Before it begins there is no trap, but for a task that another has made and ended. */
static void ends(enum how how)
{
    plan.how = how;
    for (plan.fibers = 0; plan.fibers < 1u << LEVELS; plan.fibers++)
        for (plan.at = 0; plan.at < TRAPS; plan.at++) {
            world_open(0);
            if (how == CLOSE) {
                coop_spawn(ends_it);
                world.machine.poll_error = -EIO;
                IS(coop_run(), -EIO);
                world_drop();
            } else {
                IS(coop_main(ends_it), 0);
                world_close();
            }
            LOG_IS("3 2 1 0");
            NO_REPORTS();
        }
}

static void by_kill(void) { ends(KILL); }
static void by_a_kill_that_waits(void) { ends(KILL_WAIT); }
static void by_force(void) { ends(FORCE); }
static void by_cancel(void) { ends(CANCEL); }
static void by_exit(void) { ends(EXIT); }
static void by_a_deadline(void) { ends(DEADLINE); }
static void by_closing(void) { ends(CLOSE); }

/* ---- What a killed fiber can do ---- */

coop_routine(cleans, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, GetTid);
    say("never");
    coop_finally;
    say("cleaned");
    coop_end;
}

static coop_value killed(void *arg)
{
    IS(coop_sleep(100), arg ? 0 : -ECANCELED);
    IS(coop_sleep(100), -ECANCELED);
    IS(coop_sleep(0), -ECANCELED);
    IS(coop_syscall_within(100, Sleep, .ns = 1), -ECANCELED);
    IS(coop_yield(), 0);
    IS(coop_get_tid() > 1, 1);
    IS(coop_close(-1), -EBADF);
    IS(coop_call(cleans), -ECANCELED);
    IS(coop_yield_value(7), -ECANCELED);
    IS(coop_kill_task(4711, false), -ESRCH);
    IS(coop_exit(5), 0);
    IS(coop_defer(say_it, "deferred"), 0);
    say("ends");
    return 5;
}

/* In its first call; or behind it, when it has been answered. */
coop_routine(kills, int slept; coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(
        COOP_FIBER(killed, my->slept >= 100 ? &my->r : NULL)));
    if (my->slept)
        coop_trap(coop_void, Sleep, .ns = my->slept);
    coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, 0);
    coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, -EALREADY);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, COOP_KILLED);
    IS(my->status.by, 1);
    coop_end;
}

static void calls_of_a_killed_fiber(void)
{
    for (int slept = 0; slept <= 150; slept += 50) {
        WORLD(0, kills, .slept = slept);
        LOG_IS("cleaned ends deferred");
        NO_REPORTS();
    }
}

/* Before it began: as far as the first call, which is made if it need not wait. */
coop_routine(returns, int unused;)
{
    coop_begin;
    coop_return(42);
    coop_end;
}

static coop_value owns(void *arg)
{
    IS(coop_call(returns), 42);
    IS(coop_close(-1), -EBADF);
    IS(coop_call(returns), 42);
    say("%s", (const char *)arg);
    return 1;
}

coop_routine(has_an_owner, coop_value r;)
{
    coop_begin;
    coop_await(my->r, COOP_FIBER(owns, "owner"));
    coop_trap(my->r, GetTid);
    say("never");
    coop_finally;
    say("%td", my->r);
    coop_end;
}

coop_routine(kills_early, coop_tid tid; coop_value r;)
{
    coop_begin;
    my->tid = coop_spawn(COOP_FIBER(owns, "alone"));
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    my->tid = coop_spawn(has_an_owner);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    coop_end;
}

static void killed_before_it_began(void)
{
    WORLD(0, kills_early);
    LOG_IS("alone owner 1");
}

static coop_value kills_itself(void *arg)
{
    coop_defer(say_it, arg);
    IS(coop_kill_task(coop_get_tid(), false), 0);
    IS(coop_sleep(1), -ECANCELED);
    return 3;
}

static void a_fiber_that_kills_itself(void)
{
    WORLD(-ECANCELED, COOP_FIBER(kills_itself, "d"));
    LOG_IS("d");
}

/* ---- Defers ---- */

static void defers_more(void *arg)
{
    say("a");
    IS(coop_defer(say_it, "b"), 0);
    IS(coop_sleep(10), 0);
    IS(coop_exit(9), 0);
    say("%s", (const char *)arg);
}

static coop_value defers(void *arg)
{
    IS(coop_defer(NULL, NULL), -EINVAL);
    IS(coop_defer(say_it, "z"), 0);
    IS(coop_defer(defers_more, "c"), 0);
    return (intptr_t)arg;
}

static void defers_come_in_turn(void)
{
    WORLD(9, COOP_FIBER(defers, (void *)4));
    LOG_IS("a c b z");
}

static const suite_test tests[] = {
    TEST(by_kill),
    TEST(by_a_kill_that_waits),
    TEST(by_force),
    TEST(by_cancel),
    TEST(by_exit),
    TEST(by_a_deadline),
    TEST(by_closing),
    TEST(calls_of_a_killed_fiber),
    TEST(killed_before_it_began),
    TEST(a_fiber_that_kills_itself),
    TEST(defers_come_in_turn),
};

int main(int argc, char **argv)
{
    return suite_main("fiberends", tests, SUITE_COUNT(tests), argc, argv);
}
