/* Fibers: functions with a stack as one more kind of coroutine; calls from them, and call
   stacks of both kinds. How they end is in test_fiberends.c. */
#include "world.h"

#include <errno.h>
#include <fenv.h>
#include <stdlib.h>
#include <string.h>

/* ---- One fiber ---- */

static coop_value adds(void *arg)
{
    coop_value *sum = arg;
    for (int i = 1; i <= 3; i++) {
        *sum += i;
        coop_yield();
    }
    say("%td", coop_get_tid());
    return *sum;
}

static void main_is_a_fiber(void)
{
    coop_value sum = 36;
    WORLD(42, COOP_FIBER(adds, &sum));
    LOG_IS("1");
}

coop_routine(waits, coop_tid tid; coop_value sum, r; coop_info info;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(COOP_FIBER(adds, &my->sum)));
    IS(coop_inspect(my->tid, &my->info), 0);
    CU_ASSERT_STRING_EQUAL(my->info.name, "adds");
    coop_trap(my->r, WaitTask, .tid = my->tid);
    coop_return(my->r);
    coop_end;
}

static coop_value takes_turns(void *arg)
{
    for (int i = 0; i < 3; i++) {
        say("%s%d", (const char *)arg, i);
        IS(coop_yield(), 0);
    }
    return 0;
}

coop_routine(takes_turns_too, const char *name; int i;)
{
    coop_begin;
    for (; my->i < 3; my->i++) {
        say("%s%d", my->name, my->i);
        coop_trap(coop_void, Yield);
    }
    coop_end;
}

static void both_kinds_are_tasks(void)
{
    world_open(0);
    IS(coop_main(waits), 6);
    LOG_IS("2");
    coop_spawn_fiber(takes_turns, "a");
    coop_spawn(takes_turns_too, .name = "b");
    coop_spawn(COOP_FIBER(takes_turns, "c"));
    IS(coop_run(), 0);
    LOG_IS("a0 b0 c0 a1 b1 c1 a2 b2 c2");
    world_close();
    NO_REPORTS();
}

/* Each fiber has its own rounding, routines have the thread's, whoever runs in between and
   whoever is called. */
coop_routine(sets_rounding, int mode;)
{
    coop_begin;
    fesetround(my->mode);
    coop_end;
}

static coop_value keeps_rounding(void *arg)
{
    int mode = *(int *)arg;
    IS(fegetround(), FE_TONEAREST);
    fesetround(mode);
    for (int i = 0; i < 6; i++) {
        coop_yield();
        IS(fegetround(), mode);
        if (i % 2)
            coop_call(sets_rounding, .mode = i == 3 ? FE_TOWARDZERO : FE_DOWNWARD);
        IS(fegetround(), mode);
    }
    return 0;
}

coop_routine(changes_rounding, int i;)
{
    static const int modes[] = { FE_TOWARDZERO, FE_DOWNWARD, FE_TONEAREST };
    coop_begin;
    for (; my->i < 3; my->i++) {
        fesetround(modes[my->i]);
        coop_yield(coop_void, 0);
    }
    coop_end;
}

static void rounding_is_each_fibers_own(void)
{
    static int up = FE_UPWARD, nearest = FE_TONEAREST, down = FE_DOWNWARD;
    int *orders[][3] = { { &up, &nearest, &down }, { &nearest, &up, &nearest } };
    for (size_t i = 0; i < 2; i++) {
        world_open(0);
        for (size_t j = 0; j < 3; j++) {
            coop_spawn_fiber(keeps_rounding, orders[i][j]);
            if (i)
                coop_spawn(changes_rounding);
        }
        IS(coop_run(), 0);
        world_close();
        fesetround(FE_TONEAREST);
    }
}

static coop_value fails(void *arg)
{
    (void)arg;
    return -EDOM;
}

static void a_failure_is_told_with_the_functions_name(void)
{
    world_open(0);
    coop_spawn_fiber(fails, NULL);
    IS(coop_run(), 0);
    REPORTED("coop: task 1 fails failed: -33 EDOM (created at test_fiber.c:");
    world_close();
}

coop_routine(starts_none, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, NewTask, .target = coop_create(COOP_FIBER(NULL, NULL)));
    IS(my->r, -EFAULT);
    coop_await(my->r, COOP_FIBER(NULL, NULL));
    IS(my->r, -EFAULT);
    coop_end;
}

static void what_cannot_begin_says_so(void)
{
    static char memory[4095];
    world_open(0);
    IS(coop_main(COOP_FIBER(NULL, NULL)), -EFAULT);
    IS(coop_main(COOP_FIBER(adds, NULL), .memory = memory, .stack = sizeof memory),
       -EINVAL);
    IS(coop_main(COOP_FIBER(adds, NULL), .stack = SIZE_MAX / 2), -EINVAL);
    IS(coop_spawn(COOP_FIBER(NULL, NULL)), -EFAULT);
    IS(coop_main(starts_none), 0);
    world_close();
}

/* The stack is where it was asked for, and as large. */
static coop_value uses(void *arg)
{
    char mine[40000];
    const char *const *given = arg;
    memset(mine, 7, sizeof mine);
    coop_sleep(10);
    for (size_t i = 0; i < sizeof mine; i++)
        if (mine[i] != 7)
            return -1;
    return !given || (mine > given[0] && mine + sizeof mine <= given[1]);
}

static void stacks_of_the_callers_own(void)
{
    size_t size = 128 * 1024;
    char *memory = malloc(size);
    const char *ends[] = { memory, memory + size };
    world_open_with((coop_options){ .stack = 256 * 1024 });
    IS(coop_main(COOP_FIBER(uses, NULL)), 1);
    IS(coop_main(COOP_FIBER(uses, ends), .memory = memory, .stack = size), 1);
    IS(coop_main(COOP_FIBER(uses, ends), .memory = memory, .stack = size), 1);
    world_close();
    free(memory);
}

/* ---- Both on one call stack ---- */

static coop_value fiber_down(void *arg);

coop_routine(routine_down, intptr_t depth; coop_value r;)
{
    coop_begin;
    if (my->depth == 0)
        coop_trap(my->r, Sleep, .ns = 100);
    else if (my->depth % 3 == 2)
        coop_await(my->r, routine_down, .depth = my->depth - 1);
    else
        coop_await(my->r, COOP_FIBER(fiber_down, (void *)(my->depth - 1)));
    coop_return(my->r < 0 ? my->r : my->r + 1);
    coop_end;
}

static coop_value fiber_down(void *arg)
{
    intptr_t depth = (intptr_t)arg;
    coop_value r = depth == 0 ? coop_sleep(100)
        : depth % 5 == 4 ? coop_call(COOP_FIBER(fiber_down, (void *)(depth - 1)))
        : coop_call(routine_down, .depth = depth - 1);
    return r < 0 ? r : r + 1;
}

static void call_stacks_of_both_kinds(void)
{
    world_open(0);
    for (int depth = 0; depth < 40; depth++) {
        IS(coop_main(routine_down, .depth = depth), depth + 1);
        IS(coop_main(COOP_FIBER(fiber_down, (void *)(intptr_t)depth)), depth + 1);
    }
    world_close();
    NO_REPORTS();
}

static void a_hundred_thousand_frames_of_both_kinds(void)
{
    WORLD(MANY_FIBERS, routine_down, .depth = MANY_FIBERS - 1);
}

coop_routine(shows, coop_tid tid; coop_place places[8];)
{
    coop_begin;
    my->tid = coop_spawn(routine_down, .depth = 3);
    coop_trap(coop_void, Yield);
    IS(coop_backtrace(my->tid, my->places, 8), 4);
    CU_ASSERT_STRING_EQUAL(my->places[0].routine, "fiber_down");
    CU_ASSERT_STRING_EQUAL(my->places[1].routine, "routine_down");
    CU_ASSERT_STRING_EQUAL(my->places[2].routine, "fiber_down");
    CU_ASSERT_STRING_EQUAL(my->places[3].routine, "routine_down");
    coop_end;
}

static void backtraces_show_both_kinds(void)
{
    WORLD(0, shows);
}

/* ---- Third-party code that calls back ---- */

static int compare(const void *a, const void *b)
{
    coop_sleep(3);
    return *(const int *)a - *(const int *)b;
}

static coop_value sorts(void *arg)
{
    int *numbers = arg;
    qsort(numbers, 5, sizeof *numbers, compare);
    say("sorted");
    return 0;
}

static void a_comparator_that_blocks(void)
{
    int a[] = { 5, 3, 1, 4, 2 }, b[] = { 1, 9, 2, 8, 3 };
    world_open(0);
    coop_spawn_fiber(sorts, a);
    coop_spawn_fiber(sorts, b);
    IS(coop_run(), 0);
    LOG_IS("sorted sorted");
    IS(a[0] == 1 && a[1] == 2 && a[2] == 3 && a[3] == 4 && a[4] == 5, 1);
    IS(b[0] == 1 && b[1] == 2 && b[2] == 3 && b[3] == 8 && b[4] == 9, 1);
    world_close();
}

/* ---- Several calls at once ---- */

coop_routine(cube, int n;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = 100 - my->n);
    coop_return(my->n * my->n * my->n);
    coop_end;
}

static coop_value races(void *arg)
{
    coop_value v = 0, results[3];
    (void)arg;
    IS(coop_syscall_within(50, Sleep, .ns = 100), -ETIMEDOUT);
    IS(coop_syscall_within(100, Sleep, .ns = 50), 0);
    IS(coop_syscall_within(100, GetTid), -EINVAL);
    IS(coop_syscall_any(&v, (Sleep, .ns = 100), (ReadWait, .fd = 5), (Sleep, .ns = 50)), 2);
    IS(v, 0);
    IS(coop_syscall_any(NULL, (Sleep, .ns = 100)), 0);
    IS(coop_syscall_any(&v, (Sleep, .ns = 100), (WaitTask, .tid = 4711)), 1);
    IS(v, -ESRCH);
    IS(coop_call_all(results, (cube, .n = 3), (COOP_FIBER(fails, NULL)), (cube)), -EDOM);
    IS(results[0], 27);
    IS(results[1], -EDOM);
    IS(coop_call_all(results, (cube, .n = 3), (cube, .n = 4)), 0);
    IS(results[0], 27);
    IS(results[1], 64);
    return coop_call_race((cube, .n = 5), (cube, .n = 6), (COOP_FIBER(fails, NULL)));
}

static void the_first_of_several_calls(void)
{
    WORLD(216, COOP_FIBER(races, NULL));
    NO_REPORTS();
}

/* ---- Outside of fibers ---- */

coop_routine(calls_as_a_fiber, coop_value r;)
{
    coop_begin;
    my->r = coop_sleep(5);
    coop_return(my->r);
    coop_end;
}

static coop_value calls_a_routine(void *arg)
{
    (void)arg;
    return coop_call(calls_as_a_fiber);
}

static void never(void *arg)
{
    (void)arg;
}

static void outside_of_fibers(void)
{
    world_open(0);
    IS(coop_recv(0, NULL, 0), -EPERM);
    REPORTED("coop: coop_recv: called outside of fibers");
    coop_coroutine *kept = coop_create(COOP_FIBER(adds, NULL));
    IS(coop_new_task(kept, NULL), -EPERM);
    REPORTED("coop: coop_new_task: called outside of fibers");
    IS(coop_co_free(kept), 0);     /* it is still the caller's */
    REPORTED("was never begun");
    IS(coop_now(), -EPERM);
    REPORTED("coop: coop_now: called outside of fibers");
    CU_ASSERT_PTR_NULL(coop_group_open(NULL, COOP_ALL));
    REPORTED("coop: coop_group_open: called outside of fibers");
    IS(coop_yield(), -EPERM);
    REPORTED("coop: coop_yield: called outside of fibers");
    IS(coop_drain(NULL), -EPERM);
    REPORTED("coop: coop_drain: called outside of fibers");
    IS(coop_syscall(Sleep, .ns = 1), -EPERM);
    REPORTED("coop: coop_syscall(Sleep): called outside of fibers");
    IS(coop_call(cube), -EPERM);
    REPORTED("coop: coop_call(cube): called outside of fibers");
    IS(coop_yield_value(1), -EPERM);
    REPORTED("coop: coop_yield_value: called outside of fibers");
    IS(coop_defer(never, NULL), -EPERM);
    REPORTED("coop: coop_defer: called outside of fibers");
    IS(coop_main(calls_as_a_fiber), -EPERM);
    REPORTED("coop: coop_sleep: called outside of fibers");
    IS(coop_main(COOP_FIBER(calls_a_routine, NULL)), -EPERM);
    REPORTED("coop: coop_sleep: called outside of fibers");
    world_close();
}

static const suite_test tests[] = {
    TEST(main_is_a_fiber),
    TEST(both_kinds_are_tasks),
    TEST(rounding_is_each_fibers_own),
    TEST(a_failure_is_told_with_the_functions_name),
    TEST(what_cannot_begin_says_so),
    TEST(stacks_of_the_callers_own),
    TEST(call_stacks_of_both_kinds),
    TEST(a_hundred_thousand_frames_of_both_kinds),
    TEST(backtraces_show_both_kinds),
    TEST(a_comparator_that_blocks),
    TEST(the_first_of_several_calls),
    TEST(outside_of_fibers),
};

int main(int argc, char **argv)
{
    return suite_main("fiber", tests, SUITE_COUNT(tests), argc, argv);
}
