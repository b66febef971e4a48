/* Several routines at once: coop_gather, coop_all, coop_race. */
#include "blocks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS(ns) ((int)((ns) / 1000000))

/* Says when it begins, when it is asked to end before its time, and when it ends. */
coop_routine(ends, int at; coop_value v, r;)
{
    coop_begin;
    say("%d", (int)my->v);
    coop_trap(my->r, Sleep, .ns = COOP_MS(my->at));
    if (my->r < 0)
        coop_return(my->r);
    coop_return(my->v);
    coop_finally;
    say("%d%s", (int)my->v, my->r < 0 ? "!" : ".");
    coop_end;
}

/* ---- The order of results ---- */

enum { MANY = 4 };

coop_routine(in_order, const int *at; coop_value r, results[MANY]; int i;
             coop_coroutine *targets[MANY];)
{
    coop_begin;
    for (my->i = 0; my->i < MANY; my->i++)
        my->targets[my->i] = coop_create(ends, .at = my->at[my->i], .v = my->i);
    coop_await(my->r, coop_gather, .targets = my->targets, .count = MANY,
               .results = my->results);
    for (my->i = 0; my->i < MANY; my->i++)
        IS(my->results[my->i], my->i);
    coop_return(my->r);
    coop_end;
}

/* Each order in which they can end; equal times too, which is the order of their begin. */
static void results_stand_in_the_order_of_the_targets(void)
{
    int at[MANY];
    for (int n = 0; n < 256; n++) {
        char log[100] = "0 1 2 3", *end = log + 7;
        for (int i = 0; i < MANY; i++)
            at[i] = 1 + (n >> 2 * i & 3);
        for (int ms = 1; ms <= 4; ms++)
            for (int i = 0; i < MANY; i++)
                if (at[i] == ms)
                    end += sprintf(end, " %d.", i);
        long before = blocks;
        world_open(0);
        IS(coop_main(in_order, .at = at), 0);
        LOG_IS(log);
        NO_REPORTS();
        world_close();
        IS(blocks, before);
    }
}

coop_routine(few, coop_value r, results[8];)
{
    coop_begin;
    coop_all(my->r, my->results, (ends, .at = 3, .v = 1), (ends, .at = 2, .v = 2),
             (ends, .v = 3), (ends, .at = 1, .v = 4), (ends, .v = 5), (ends, .v = 6),
             (ends, .v = 7), (ends, .at = 9, .v = 8));
    for (int i = 0; i < 8; i++)
        IS(my->results[i], i + 1);
    IS(my->r, 0);
    coop_all(my->r, NULL, (ends, .v = 9));
    IS(my->r, 0);
    IS(MS(world.machine.clock), 9);
    coop_end;
}

static void all_of_some_that_are_written_down(void)
{
    BALANCED(0, few);
}

coop_routine(sum, int a, b; coop_value r, parts[2];)
{
    coop_begin;
    coop_all(my->r, my->parts, (ends, .at = 2, .v = my->a), (ends, .at = 1, .v = my->b));
    coop_return(my->parts[0] + my->parts[1]);
    coop_end;
}

coop_routine(nested, coop_value r, sums[2];)
{
    coop_begin;
    coop_all(my->r, my->sums, (sum, .a = 1, .b = 2), (sum, .a = 3, .b = 4));
    coop_return(my->sums[0] * 10 + my->sums[1]);
    coop_end;
}

static void within_each_other(void)
{
    BALANCED(37, nested);
}

coop_routine(nothing, coop_value r;)
{
    coop_begin;
    coop_await(my->r, coop_gather, .count = 0);
    IS(my->r, 0);
    coop_await(my->r, coop_gather, .mode = COOP_ANY);
    coop_return(my->r);
    coop_end;
}

static void of_nothing(void)
{
    BALANCED(0, nothing);
}

/* ---- Failures ---- */

coop_routine(one_fails, coop_value r, results[4];)
{
    coop_begin;
    coop_all(my->r, my->results, (ends, .at = 30, .v = 1), (ends, .at = 10, .v = -EIO),
             (ends, .at = 5, .v = 3), (ends, .at = 20, .v = -EPIPE));
    IS(my->results[0], -ECANCELED);
    IS(my->results[1], -EIO);
    IS(my->results[2], 3);
    IS(my->results[3], -ECANCELED);
    IS(MS(world.machine.clock), 10);
    coop_return(my->r);
    coop_end;
}

static void the_first_failure_cancels_the_others(void)
{
    BALANCED(-EIO, one_fails);
}

/* Ends as asked, but late and with an error of its own. */
coop_routine(stubborn, coop_value v, r;)
{
    coop_begin;
    coop_trap(my->r, Sleep, .ns = COOP_S(1));
    coop_return(my->v);
    coop_finally;
    coop_trap(coop_void, Sleep, .ns = COOP_MS(7));
    say("late");
    coop_end;
}

coop_routine(some_are_late, coop_value r, results[3];)
{
    coop_begin;
    coop_all(my->r, my->results, (stubborn, .v = -EPIPE), (ends, .at = 2, .v = -EIO),
             (stubborn, .v = 5));
    IS(my->r, -EIO);
    IS(my->results[0], -EPIPE);
    IS(my->results[1], -EIO);
    IS(my->results[2], 5);
    IS(MS(world.machine.clock), 9);
    coop_end;
}

/* What results tell is told: it is not reported as well. */
static void those_that_are_cancelled_are_waited_for(void)
{
    BALANCED(0, some_are_late);
}

coop_routine(each_for_itself, coop_value r, results[3]; coop_coroutine *targets[3];)
{
    coop_begin;
    my->targets[0] = coop_create(ends, .at = 3, .v = 1);
    my->targets[1] = coop_create(ends, .at = 1, .v = -EIO);
    my->targets[2] = coop_create(ends, .at = 2, .v = -EPIPE);
    coop_await(my->r, coop_gather, .targets = my->targets, .count = 3,
               .results = my->results, .mode = COOP_EACH);
    IS(my->r, 0);
    IS(my->results[0], 1);
    IS(my->results[1], -EIO);
    IS(my->results[2], -EPIPE);
    coop_end;
}

static void each_tells_its_own_failure(void)
{
    BALANCED(0, each_for_itself);
}

coop_routine(untold, coop_value r; coop_coroutine *targets[2];)
{
    coop_begin;
    my->targets[0] = coop_create(ends, .at = 1, .v = -EIO);
    my->targets[1] = coop_create(ends, .at = 2, .v = 2);
    coop_await(my->r, coop_gather, .targets = my->targets, .count = 2, .mode = COOP_EACH);
    coop_return(my->r);
    coop_end;
}

static void what_nobody_is_told_is_reported(void)
{
    world_open(0);
    IS(coop_main(untold), 0);
    REPORTED("task 2 ends failed: -5 EIO");
    world_close();
}

/* ---- Races ---- */

coop_routine(races, coop_value r;)
{
    coop_begin;
    coop_race(my->r, (ends, .at = 9, .v = 1), (ends, .at = 2, .v = 2),
              (ends, .at = 1, .v = -EIO), (ends, .at = 5, .v = 3));
    IS(my->r, 2);
    IS(MS(world.machine.clock), 2);
    LOG_IS("1 2 -5 3 -5. 2. 1! 3!");
    coop_race(my->r, (ends, .at = 9, .v = -EPIPE), (ends, .at = 2, .v = -EIO));
    IS(my->r, -EIO);
    IS(MS(world.machine.clock), 11);
    coop_end;
}

static void a_race(void)
{
    BALANCED(0, races);
}

coop_routine(race_of_few, coop_value r, results[4]; int i; coop_coroutine *targets[4];)
{
    coop_begin;
    for (my->i = 0; my->i < 4; my->i++)
        my->targets[my->i] = coop_create(ends, .at = 5 - my->i, .v = my->i);
    coop_await(my->r, coop_gather, .targets = my->targets, .count = 4, .mode = COOP_ANY,
               .limit = 2, .results = my->results);
    IS(my->r, 1);
    IS(my->results[0], -ECANCELED);
    IS(my->results[1], 1);
    IS(my->results[2], -ECANCELED);
    IS(my->results[3], -ECANCELED);
    LOG_IS("0 1 1. 0!");
    coop_end;
}

/* The others have not begun when it is won. */
static void a_race_that_is_won_early(void)
{
    BALANCED(0, race_of_few);
}

/* ---- A limit ---- */

static int running, most;

coop_routine(counts, int at;)
{
    coop_begin;
    if (++running > most)
        most = running;
    coop_trap(coop_void, Sleep, .ns = COOP_MS(my->at));
    coop_finally;
    running--;
    coop_end;
}

coop_routine(limited, size_t limit; coop_value r; int i; coop_coroutine *targets[20];)
{
    coop_begin;
    for (my->i = 0; my->i < 20; my->i++)
        my->targets[my->i] = coop_create(counts, .at = 1 + my->i % 3);
    coop_await(my->r, coop_gather, .targets = my->targets, .count = 20,
               .limit = my->limit);
    coop_return(my->r);
    coop_end;
}

static void no_more_than_the_limit_at_once(void)
{
    for (size_t limit = 0; limit < 22; limit += 3) {
        running = most = 0;
        BALANCED(0, limited, .limit = limit);
        IS(running, 0);
        IS(most, limit && limit < 20 ? limit : 20);
    }
}

coop_routine(fails_when_few, coop_value r, results[4]; int i; coop_coroutine *targets[4];)
{
    coop_begin;
    for (my->i = 0; my->i < 4; my->i++)
        my->targets[my->i] = coop_create(ends, .at = 5 + my->i, .v = -1 - my->i);
    coop_await(my->r, coop_gather, .targets = my->targets, .count = 4, .limit = 2,
               .results = my->results);
    IS(my->r, -1);
    IS(my->results[1], -ECANCELED);
    IS(my->results[2], -ECANCELED);
    IS(my->results[3], -ECANCELED);
    LOG_IS("-1 -2 -1. -2!");
    coop_end;
}

static void a_failure_while_others_have_not_begun(void)
{
    BALANCED(0, fails_when_few);
}

/* ---- Ended in the middle ---- */

coop_routine(gathers, size_t limit; coop_value r; int i; coop_coroutine *targets[4];)
{
    coop_begin;
    for (my->i = 0; my->i < 4; my->i++)
        my->targets[my->i] = coop_create(ends, .at = 4, .v = my->i);
    coop_await(my->r, coop_gather, .targets = my->targets, .count = 4,
               .limit = my->limit);
    coop_return(my->r);
    coop_finally;
    say("over");
    coop_end;
}

coop_routine(after_yields, size_t limit; int yields; bool kill; coop_tid tid;
             coop_value r; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(gathers, .limit = my->limit));
    for (; my->yields > 0; my->yields--)
        coop_trap(coop_void, Yield);
    if (my->kill)
        coop_trap(coop_void, KillTask, .tid = my->tid);
    else
        coop_trap(coop_void, Cancel, .tid = my->tid);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, my->kill ? COOP_KILLED : COOP_CANCELLED);
    no_trace_of(my->tid);
    coop_return(my->r);
    coop_end;
}

/* At each trap of those that start the others, and while all wait. */
static void killed_and_cancelled_anywhere(void)
{
    for (size_t limit = 0; limit < 4; limit++)
        for (int yields = 0; yields < 12; yields++) {
            BALANCED(-ECANCELED, after_yields, .limit = limit, .yields = yields,
                     .kill = true);
            BALANCED(-ECANCELED, after_yields, .limit = limit, .yields = yields);
        }
}

coop_routine(two_kills, coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(gathers, .limit = 2));
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    LOG_IS("0 1");
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    LOG_IS("0! 1! over");
    IS(MS(world.machine.clock), 1);
    coop_end;
}

static void a_kill_ends_the_members_first(void)
{
    BALANCED(0, two_kills);
}

coop_routine(has_a_deadline, coop_value r, results[2];)
{
    coop_begin;
    coop_trap(coop_void, Deadline, .ns = COOP_MS(3));
    coop_all(my->r, my->results, (ends, .at = 9, .v = 1), (ends, .at = 1, .v = 2));
    IS(my->results[0], -ECANCELED);
    IS(my->results[1], 2);
    coop_return(my->r);
    coop_end;
}

static void out_of_time(void)
{
    BALANCED(-ETIMEDOUT, has_a_deadline);
    LOG_IS("1 2 2. 1!");
}

/* ---- Targets that are none ---- */

coop_routine(has_no_target, size_t at, limit; coop_value r; size_t i;
             coop_coroutine *targets[4];)
{
    coop_begin;
    for (my->i = 0; my->i < 4; my->i++)
        if (my->i != my->at)
            my->targets[my->i] = coop_create(ends, .at = 2, .v = (coop_value)my->i);
    coop_await(my->r, coop_gather, .targets = my->targets, .count = 4,
               .limit = my->limit);
    coop_return(my->r);
    coop_end;
}

coop_routine(has_no_targets, size_t count; coop_value r;)
{
    coop_begin;
    coop_await(my->r, coop_gather, .targets = NULL, .count = my->count);
    coop_return(my->r);
    coop_end;
}

static void a_target_is_missing(void)
{
    for (size_t at = 0; at < 4; at++)
        for (size_t limit = 0; limit < 3; limit++)
            BALANCED(-ENOMEM, has_no_target, .at = at, .limit = limit);
    BALANCED(-ENOMEM, has_no_targets, .count = 1);
    BALANCED(-ENOMEM, has_no_targets, .count = 1000);
}

coop_routine(has_a_busy_one, coop_value r; coop_coroutine *mine, *targets[2];)
{
    coop_begin;
    my->targets[0] = coop_create(ends, .v = 1);
    my->targets[1] = my->mine = coop_create(ends, .v = 2);
    coop_co_next(my->mine, NULL);
    coop_await(my->r, coop_gather, .targets = my->targets, .count = 2);
    CU_ASSERT_PTR_NULL(my->targets[0]);
    CU_ASSERT_PTR_NULL(my->targets[1]);
    coop_co_free(my->mine);
    coop_return(my->r);
    coop_end;
}

static void one_that_has_begun_stays_the_callers(void)
{
    BALANCED(-EINVAL, has_a_busy_one);
}

/* ---- Groups that are none ---- */

coop_routine(has_none, coop_group *group; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, GroupSpawn, .group = my->group, .target = coop_create(ends, .v = 1));
    IS(my->r, my->group ? -ENOMEM : -EINVAL);
    coop_trap(my->r, GroupNext, .group = my->group);
    IS(my->r, my->group ? -ENOMEM : -EINVAL);
    coop_trap(my->r, GroupCancel, .group = my->group);
    IS(my->r, my->group ? -ENOMEM : -EINVAL);
    coop_trap(my->r, GroupWait, .group = my->group);
    coop_return(my->r);
    coop_end;
}

/* As a routine has it that did not look whether it got one; shown as it is, too. */
static void the_error_of_a_group_that_failed(void)
{
    char line[80];
    coop_group *none = (coop_group *)(coop_value)-ENOMEM;
    struct coop_GroupWait waits = { .base.type = &coop_GroupWait_type, .group = none };
    struct coop_GroupSpawn spawns = { .base.type = &coop_GroupSpawn_type, .group = none };
    coop_text text = { .data = line, .size = sizeof line };
    BALANCED(-ENOMEM, has_none, .group = none);
    BALANCED(-EINVAL, has_none);
    coop_call_text(&waits.base, NULL, &text);
    coop_call_text(&spawns.base, NULL, &text);
    CU_ASSERT_STRING_EQUAL(line, "GroupWait(NULL)GroupSpawn(NULL)");
}

/* ---- Memory ---- */

coop_routine(all_kinds, coop_value r, results[3]; int i; coop_coroutine *targets[3];)
{
    coop_begin;
    for (my->i = 0; my->i < 3; my->i++)
        my->targets[my->i] = coop_create(ends, .at = 3, .v = my->i);
    coop_await(my->r, coop_gather, .targets = my->targets, .count = 3, .limit = 2,
               .results = my->results);
    for (my->i = 0; my->i < 3; my->i++)
        coop_co_free(my->targets[my->i]);
    if (my->r < 0)
        coop_return(my->r);
    for (my->i = 0; my->i < 3; my->i++)
        IS(my->results[my->i], my->i);
    coop_all(my->r, my->results, (ends, .at = 1, .v = 1), (ends, .at = 2, .v = 2));
    if (my->r < 0)
        coop_return(my->r);
    coop_race(my->r, (ends, .at = 1, .v = 1), (ends, .at = 2, .v = 2));
    coop_return(my->r);
    coop_end;
}

/* So much of a segment of the call stack is taken that the next one begins with
   coop_gather, or with one of its calls. */
#define FILLED(n)                                                                   \
    coop_routine(filled_##n, char filling[n]; coop_value r;)                        \
    {                                                                               \
        coop_begin;                                                                 \
        coop_await(my->r, all_kinds);                                               \
        coop_return(my->r);                                                         \
        coop_end;                                                                   \
    }
FILLED(16) FILLED(64) FILLED(112) FILLED(160) FILLED(208) FILLED(256) FILLED(304)
enum { FILLINGS = 7 };

coop_routine(filled, int which; coop_value r;)
{
    coop_begin;
    if (my->which == 0)
        coop_await(my->r, filled_16);
    else if (my->which == 1)
        coop_await(my->r, filled_64);
    else if (my->which == 2)
        coop_await(my->r, filled_112);
    else if (my->which == 3)
        coop_await(my->r, filled_160);
    else if (my->which == 4)
        coop_await(my->r, filled_208);
    else if (my->which == 5)
        coop_await(my->r, filled_256);
    else
        coop_await(my->r, filled_304);
    coop_return(my->r);
    coop_end;
}

/* False: there were not so many allocations. */
static bool starve(int which, unsigned long n, bool for_good)
{
    long before = blocks;
    world_open(0);
    blocks_fail(n, for_good);
    coop_value r = coop_main(filled, .which = which);
    bool came = asked >= n;
    blocks_fail(0, false);
    world_close();
    IS(blocks, before);
    CU_ASSERT(r == 1 || (r == -ENOMEM && came));
    return came;
}

static void each_allocation_fails(void)
{
    for (int which = 0; which < FILLINGS; which++)
        for (int i = 0; i < 2; i++) {
            unsigned long n = 1;
            while (starve(which, n, i) && n < 200)
                n++;
            CU_ASSERT(n > 10 && n < 200);
        }
}

static const suite_test tests[] = {
    TEST(results_stand_in_the_order_of_the_targets),
    TEST(all_of_some_that_are_written_down),
    TEST(within_each_other),
    TEST(of_nothing),
    TEST(the_first_failure_cancels_the_others),
    TEST(those_that_are_cancelled_are_waited_for),
    TEST(each_tells_its_own_failure),
    TEST(what_nobody_is_told_is_reported),
    TEST(a_race),
    TEST(a_race_that_is_won_early),
    TEST(no_more_than_the_limit_at_once),
    TEST(a_failure_while_others_have_not_begun),
    TEST(killed_and_cancelled_anywhere),
    TEST(a_kill_ends_the_members_first),
    TEST(out_of_time),
    TEST(a_target_is_missing),
    TEST(one_that_has_begun_stays_the_callers),
    TEST(the_error_of_a_group_that_failed),
    TEST(each_allocation_fails),
};

int main(int argc, char **argv)
{
    return world_main("gather", tests, SUITE_COUNT(tests), argc, argv,
                      "each_allocation_fails");
}
