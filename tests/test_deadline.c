/* Deadlines and shields of routines, calls with a time limit, and what coop_why tells. */
#include "park.h"

#include <errno.h>
#include <stdio.h>

static void say_why(void)
{
    coop_cause cause;
    int r = coop_why(&cause);
    IS(r, cause.error);
    say("%s:%s,%s,%s,%td", result(cause.error), cause.own ? "own" : "-",
        cause.routine ? cause.routine : "-", cause.why ? cause.why : "-", cause.by);
}

static int64_t now(void)
{
    return world.machine.clock;
}

/* Waits, and says how that ended and when. */
coop_routine(rests, int64_t ns; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Sleep, .ns = my->ns);
    say("%s@%td", result(my->r), (coop_value)now());
    say_why();
    coop_return(my->r);
    coop_end;
}

coop_routine(limited, int64_t ns, rest; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Deadline, .ns = my->ns);
    IS(my->r, 0);
    coop_await(my->r, rests, .ns = my->rest);
    say_why();
    coop_return(my->r);
    coop_end;
}

coop_routine(one_deadline, coop_value r;)
{
    coop_begin;
    coop_await(my->r, limited, .ns = 10, .rest = 50);
    IS(my->r, -ETIMEDOUT);
    IS(coop_why(NULL), 0);
    coop_await(my->r, limited, .ns = 60, .rest = 50);
    IS(my->r, 0);
    coop_await(my->r, limited, .ns = 0, .rest = 50);
    IS(my->r, -ETIMEDOUT);
    coop_await(my->r, limited, .ns = INT64_MAX, .rest = 50);
    IS(my->r, 0);
    coop_await(my->r, limited, .ns = INT64_MIN, .rest = 50);
    IS(my->r, -ETIMEDOUT);
    coop_end;
}

static void deadline_of_a_routine(void)
{
    static const char over[] = "%s@%d %s:-,limited,Deadline,0 %s:own,limited,Deadline,0 ";
    char wanted[400];
    int n = snprintf(wanted, sizeof wanted, over,
                     "ETIMEDOUT", 10, "ETIMEDOUT", "ETIMEDOUT");
    n += snprintf(wanted + n, sizeof wanted - n, "0@60 0:-,-,-,0 0:-,-,-,0 ");
    n += snprintf(wanted + n, sizeof wanted - n, over,
                  "ETIMEDOUT", 60, "ETIMEDOUT", "ETIMEDOUT");
    n += snprintf(wanted + n, sizeof wanted - n, "0@110 0:-,-,-,0 0:-,-,-,0 ");
    n += snprintf(wanted + n, sizeof wanted - n, over, "ETIMEDOUT", 110, "ETIMEDOUT",
                  "ETIMEDOUT");
    wanted[n - 1] = '\0';
    WORLD(0, one_deadline);
    LOG_IS(wanted);
}

/* The nearest counts; of those that are over, the outermost is told. */
coop_routine(inner, int64_t ns; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Deadline, .ns = my->ns);
    coop_trap(my->r, Sleep, .ns = 100);
    say("%s@%td", result(my->r), (coop_value)now());
    say_why();
    coop_trap(coop_void, Yield);
    coop_return(my->r);
    coop_finally;
    IS(coop_why(NULL), 0);
    coop_trap(my->r, Sleep, .ns = 30);
    IS(my->r, 0);
    coop_end;
}

coop_routine(outer, int64_t ns, inner; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Deadline, .ns = my->ns);
    coop_await(my->r, inner, .ns = my->inner);
    say_why();
    coop_trap(my->r, Sleep, .ns = 5);
    say("%s", result(my->r));
    coop_end;
}

static void nested(void)
{
    WORLD(0, outer, .ns = 1000, .inner = 20);
    LOG_IS("ETIMEDOUT@20 ETIMEDOUT:own,inner,Deadline,0 0:-,-,-,0 0");
    WORLD(0, outer, .ns = 20, .inner = 1000);
    LOG_IS("ETIMEDOUT@20 ETIMEDOUT:-,outer,Deadline,0 ETIMEDOUT:own,outer,Deadline,0 "
           "ETIMEDOUT");
    world_open(0);                 /* the outer one passes while the inner is cleaning up */
    IS(coop_main(outer, .ns = 40, .inner = 20), 0);
    LOG_IS("ETIMEDOUT@20 ETIMEDOUT:own,inner,Deadline,0 ETIMEDOUT:own,outer,Deadline,0 "
           "ETIMEDOUT");
    world_close();
    world_open(0);                 /* together */
    IS(coop_main(outer, .ns = 20, .inner = 20), 0);
    LOG_IS("ETIMEDOUT@20 ETIMEDOUT:-,outer,Deadline,0 ETIMEDOUT:own,outer,Deadline,0 "
           "ETIMEDOUT");
    world_close();
}

/* Set anew, and off, before it is over and after. */
coop_routine(changes, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Deadline, .off = true);
    IS(my->r, 0);
    coop_trap(coop_void, Deadline, .ns = 10);
    coop_trap(coop_void, Deadline, .ns = 50);
    coop_trap(my->r, Sleep, .ns = 20);
    IS(my->r, 0);
    coop_trap(coop_void, Deadline, .ns = 5);
    coop_trap(my->r, Sleep, .ns = 20);
    IS(my->r, -ETIMEDOUT);
    IS(now(), 25);
    coop_trap(my->r, Sleep, .ns = 20);
    IS(my->r, -ETIMEDOUT);
    coop_trap(coop_void, Deadline, .ns = 50);
    coop_trap(my->r, Sleep, .ns = 20);
    IS(my->r, 0);
    coop_trap(coop_void, Deadline, .ns = -1);
    coop_trap(my->r, Sleep, .ns = 20);
    IS(my->r, -ETIMEDOUT);
    coop_trap(coop_void, Deadline, .off = true);
    coop_trap(my->r, Sleep, .ns = 20);
    IS(my->r, 0);
    IS(now(), 65);
    coop_trap(coop_void, Deadline, .ns = 10);
    coop_trap(coop_void, Deadline, .off = true);
    coop_trap(my->r, Sleep, .ns = 20);
    IS(my->r, 0);
    coop_trap(coop_void, Deadline, .ns = 10);
    coop_finally;
    coop_trap(my->r, Sleep, .ns = 20);
    IS(my->r, 0);
    coop_trap(coop_void, Deadline, .ns = 10);     /* one of the cleanup's own */
    coop_trap(my->r, Sleep, .ns = 20);
    IS(my->r, -ETIMEDOUT);
    IS(now(), 115);
    coop_end;
}

static void set_anew_and_off(void)
{
    WORLD(0, changes);
}

/* A deadline will wake it, so there is no deadlock. Behind a shield it does not. */
coop_routine(blocked, bool shield; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Deadline, .ns = 10);
    if (my->shield)
        coop_trap(coop_void, Shield);
    coop_trap(my->r, Park);
    coop_return(my->r);
    coop_end;
}

static void deadlocks(void)
{
    world_open(0);
    IS(coop_main(blocked), -ETIMEDOUT);
    NO_REPORTS();
    IS(coop_main(blocked, .shield = true), -EDEADLK);
    IS(now(), 20);
    REPORTED("deadlock: 1 task is left, and nothing outside can wake it\n"
             "coop:   task 3 blocked waits in Park() at test_deadline.c:");
    world_drop();
}

/* Cancelled and out of time: the cancel is the farther one. */
coop_routine(both, coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Deadline, .ns = 10);
    coop_trap(coop_void, Sleep, .ns = 50);
    say_why();
    coop_trap(coop_void, Yield);
    say_why();
    coop_trap(my->r, Sleep, .ns = 50);
    say("%s", result(my->r));
    coop_return(my->r);
    coop_end;
}

coop_routine(cancels_late, coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(both));
    coop_trap(coop_void, Sleep, .ns = 10);
    coop_trap(coop_void, Cancel, .tid = my->tid, .why = "so");
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, COOP_CANCELLED);
    coop_end;
}

static void cancelled_and_out_of_time(void)
{
    world_open(0);
    IS(coop_main(cancels_late), 0);
    LOG_IS("ETIMEDOUT:own,both,Deadline,0 ECANCELED:-,-,so,1 ECANCELED");
    IS(coop_why(NULL), 0);         /* outside of all tasks */
    world_close();
    IS(coop_why(NULL), 0);
}

/* What comes meanwhile takes effect behind it. */
coop_routine(shielded, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Shield, .off = true);
    IS(my->r, 0);
    coop_trap(coop_void, Shield);
    say_why();
    coop_trap(my->r, Sleep, .ns = 100);
    say("%s@%td", result(my->r), (coop_value)now());
    coop_trap(coop_void, Shield, .off = true);
    say_why();
    coop_trap(my->r, Sleep, .ns = 100);
    say("%s", result(my->r));
    coop_trap(coop_void, Shield);
    coop_trap(my->r, Sleep, .ns = 100);
    say("%s", result(my->r));
    coop_await(my->r, rests, .ns = 10);
    coop_await(my->r, limited, .ns = 10, .rest = 50);
    coop_end;
}

coop_routine(around_shield, bool deadline; coop_value r;)
{
    coop_begin;
    if (my->deadline)
        coop_trap(coop_void, Deadline, .ns = 50);
    coop_await(my->r, shielded);
    coop_trap(my->r, Sleep, .ns = 10);
    say("%s", result(my->r));
    coop_return(my->r);
    coop_end;
}

coop_routine(cancels_shielded, coop_tid tid; coop_value r;)
{
    coop_begin;
    my->tid = coop_spawn(around_shield);
    coop_trap(coop_void, Sleep, .ns = 50);
    coop_trap(my->r, Cancel, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    coop_end;
}

static void shield(void)
{
    WORLD(0, cancels_shielded);
    LOG_IS("0:-,-,-,0 0@100 ECANCELED:-,-,-,1 ECANCELED 0 0@210 0:-,-,-,0 "
           "ETIMEDOUT@220 ETIMEDOUT:-,limited,Deadline,0 ETIMEDOUT:own,limited,Deadline,0 "
           "ECANCELED");
    WORLD(-ETIMEDOUT, around_shield, .deadline = true);
    LOG_IS("0:-,-,-,0 0@100 ETIMEDOUT:-,around_shield,Deadline,0 ETIMEDOUT 0 0@210 "
           "0:-,-,-,0 "
           "ETIMEDOUT@220 ETIMEDOUT:-,limited,Deadline,0 ETIMEDOUT:own,limited,Deadline,0 "
           "ETIMEDOUT");
}

/* A kill goes through shields; deadlines that are over do not hinder the unwinding. */
coop_routine(deep, int depth; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Deadline, .ns = 10 * my->depth);
    coop_trap(coop_void, Shield);
    if (my->depth)
        coop_await(my->r, deep, .depth = my->depth - 1);
    else
        coop_trap(my->r, Park);
    say("never");
    coop_finally;
    coop_trap(coop_void, Deadline, .ns = 1);
    coop_trap(my->r, Sleep, .ns = 5);
    say("%d-%s", my->depth, result(my->r));
    coop_end;
}

coop_routine(kills_deep, coop_tid tid; coop_value r;)
{
    coop_begin;
    my->tid = coop_spawn(deep, .depth = 3);
    coop_trap(coop_void, Sleep, .ns = 15);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    IS(now(), 19);
    coop_end;
}

static void killed_behind_shields(void)
{
    WORLD(0, kills_deep);
    LOG_IS("0-ETIMEDOUT 1-ETIMEDOUT 2-ETIMEDOUT 3-ETIMEDOUT");
}

/* Nor is a time waited for that nothing would hear of. */
coop_routine(parks_late, coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Deadline, .ns = COOP_S(1000));
    coop_trap(my->r, Park);
    coop_finally;
    coop_trap(coop_void, Deadline, .ns = COOP_S(1));
    coop_trap(my->r, Park);
    say("%s", result(my->r));
    coop_trap(coop_void, Deadline, .off = true);
    coop_trap(my->r, Park);
    coop_end;
}

coop_routine(around_late, coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Deadline, .ns = COOP_S(1000));
    coop_await(my->r, parks_late);
    coop_end;
}

static void closed_before_the_time(void)
{
    world_open(0);
    coop_spawn(around_late);
    world.machine.poll_error = -EIO;
    IS(coop_run(), -EIO);
    world_drop();
    IS(world.machine.clock, COOP_S(1));
    LOG_IS("ETIMEDOUT");
    parked = NULL;
}

/* A single call. */
coop_routine(within, coop_value r; coop_tid tid; coop_status status;)
{
    coop_begin;
    coop_within(my->r, 10, Sleep, .ns = 50);
    IS(my->r, -ETIMEDOUT);
    IS(now(), 10);
    IS(coop_why(NULL), 0);
    coop_within(my->r, 50, Sleep, .ns = 10);
    IS(my->r, 0);
    coop_within(my->r, 10, Park);
    IS(my->r, -ETIMEDOUT);
    CU_ASSERT_PTR_NULL(parked);
    coop_within(my->r, 0, Park);
    IS(my->r, -ETIMEDOUT);
    coop_within(my->r, INT64_MIN, ReadWait, .fd = 5);
    IS(my->r, -ETIMEDOUT);
    IS(now(), 30);
    coop_trap(my->tid, NewTask, .target = coop_create(rests, .ns = 5));
    coop_within(my->r, INT64_MAX, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->r, 0);
    IS(my->status.tid, my->tid);
    coop_within(my->r, 5, WaitTask, .tid = my->tid);
    IS(my->r, -ESRCH);
    coop_within(my->r, 5, GetTid);
    IS(my->r, -EINVAL);
    coop_within(my->r, 5, Within);
    IS(my->r, -EINVAL);
    coop_within(my->r, 5, WaitAny);
    IS(my->r, -EINVAL);
    coop_trap(my->r, Within, .ns = 5);
    IS(my->r, -EINVAL);
    coop_trap(coop_void, Deadline, .ns = 10);
    coop_within(my->r, 50, Park);
    IS(my->r, -ETIMEDOUT);
    IS(now(), 45);
    say_why();
    coop_within(my->r, 5, Park);
    IS(my->r, -ETIMEDOUT);
    coop_within(my->r, 5, KillTask, .tid = coop_self());
    coop_finally;
    say("%s", result(my->r));
    coop_end;
}

static void with_a_limit(void)
{
    WORLD(-ECANCELED, within);
    LOG_IS("0@35 0:-,-,-,0 ETIMEDOUT:own,within,Deadline,0 0");
}

static const suite_test tests[] = {
    TEST(deadline_of_a_routine), TEST(nested), TEST(set_anew_and_off), TEST(deadlocks),
    TEST(cancelled_and_out_of_time), TEST(shield), TEST(killed_behind_shields),
    TEST(closed_before_the_time), TEST(with_a_limit),
};

int main(int argc, char **argv)
{
    return world_main("deadline", tests, SUITE_COUNT(tests), argc, argv, "");
}
