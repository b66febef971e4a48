/* Routines: what the macros promise of members, results, ends and mistakes. */
#include "world.h"

#include <errno.h>

coop_routine(triple, int n; char zero[100]; void *null;)
{
    coop_begin;
    for (size_t i = 0; i < sizeof my->zero; i++)
        if (my->zero[i])
            coop_return(-1);
    if (my->null)
        coop_return(-2);
    coop_return(my->n * 3);
    coop_end;
}

coop_routine(types, int small; long large; void *pointer; coop_tid tid; coop_value v;)
{
    coop_begin;
    coop_await(my->small, triple, .n = 4);
    coop_await(my->large, triple, .n = -7);
    coop_await(my->pointer, triple, .n = 0);
    coop_trap(my->tid, GetTid);
    coop_await(coop_void, triple, .n = 9);
    IS(my->small, 12);
    IS(my->large, -21);
    IS(my->pointer == NULL, 1);
    IS(my->tid, coop_self());
    coop_yield(my->v, 77);
    IS(my->v, 0);
    coop_end;
}

static void results_of_any_type(void)
{
    WORLD(0, types);
    NO_REPORTS();
}

enum { REACHES_END, RETURNS, BREAKS, RETURNS_TWICE };

coop_routine(ways_out, int how; int i;)
{
    coop_begin;
    if (my->how == RETURNS || my->how == RETURNS_TWICE)
        coop_return(5);
    if (my->how == BREAKS)
        break;
    coop_trap(coop_void, Yield);
    coop_finally;
    say("clean");
    if (my->how == RETURNS_TWICE)
        coop_return(6);
    coop_end;
}

static void every_way_out_cleans_up(void)
{
    world_open(0);
    IS(coop_main(ways_out, .how = REACHES_END), 0);
    IS(coop_main(ways_out, .how = RETURNS), 5);
    IS(coop_main(ways_out, .how = BREAKS), 0);
    IS(coop_main(ways_out, .how = RETURNS_TWICE), 6);
    LOG_IS("clean clean clean clean");
    world_close();
}

coop_declare(elsewhere, int n; coop_value r;);

coop_routine(user_of_declared, coop_value r;)
{
    coop_begin;
    coop_await(my->r, elsewhere, .n = 6);
    coop_return(my->r);
    coop_end;
}

coop_define(elsewhere)
{
    coop_begin;
    coop_trap(my->r, Yield);
    coop_return(my->r + my->n);
    coop_end;
}

static void declared_and_defined(void)
{
    world_open(0);
    IS(coop_main(user_of_declared), 6);
    IS(coop_main(elsewhere, .n = 3), 3);
    world_close();
}

coop_routine(aligned, char odd; long double wide; char buf[1000]; int depth; coop_value r;)
{
    coop_begin;
    IS((uintptr_t)&my->wide % _Alignof(long double), 0);
    IS((uintptr_t)my % _Alignof(max_align_t), 0);
    my->wide = my->depth;
    if (my->depth)
        coop_await(my->r, aligned, .depth = my->depth - 1);
    else
        coop_yield(my->r, 1);
    CU_ASSERT(my->wide == my->depth);
    coop_return(my->r);
    coop_end;
}

static void frames_are_aligned(void)
{
    coop_coroutine *co = coop_create(aligned, .depth = 300);
    coop_value out = 0;
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(coop_co_send(co, 17, &out), COOP_RETURNED);
    IS(out, 17);
    IS(coop_co_free(co), 0);
}

coop_routine(in_switch, int n; coop_value r;)
{
    coop_begin;
    switch (my->n) {
    case 0:
        coop_yield(my->r, 1);
        say("never");
    }
    coop_finally;
    say("clean");
    coop_end;
}

static void yield_in_a_switch_is_found_out(void)
{
    coop_coroutine *co = coop_create(in_switch);
    coop_value out = 0;
    world_open(0);
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(coop_co_next(co, &out), COOP_RETURNED);
    IS(out, -ENOTSUP);
    LOG_IS("clean");
    REPORTED("in_switch cannot go on: it stopped inside a switch of its own");
    IS(coop_co_free(co), 0);
    world_close();
}

coop_routine(trap_in_switch, int n; bool clean; coop_value r;)
{
    coop_begin;
    if (!my->clean)
        switch (my->n) {
        case 0:
            coop_trap(my->r, GetTid);
            say("never");
        }
    coop_finally;
    say("clean");
    if (my->clean)
        switch (my->n) {
        case 0:
            coop_trap(my->r, GetTid);
            say("never");
        }
    coop_end;
}

coop_routine(around_switch, coop_value r; bool clean;)
{
    coop_begin;
    coop_await(my->r, trap_in_switch, .clean = my->clean);
    IS(my->r, -ENOTSUP);
    coop_trap(coop_void, Yield);
    say("caller");
    coop_end;
}

static void trap_in_a_switch_is_found_out(void)
{
    world_open(0);
    IS(coop_main(around_switch), 0);
    LOG_IS("clean caller");
    REPORTED("coop: test_routine.c:");
    IS(coop_main(around_switch, .clean = true), 0);
    LOG_IS("clean caller");
    REPORTED("trap_in_switch cannot go on: it stopped inside a switch of its own\n");
    IS(coop_main(trap_in_switch), -ENOTSUP);
    world_drop();
}

/* The address of a member is good until the routine ends, however deep the calls go. */
coop_routine(pusher, int depth; long *sum; char fill[200]; coop_value r;)
{
    coop_begin;
    *my->sum += 1;
    if (my->depth > 0)
        coop_await(my->r, pusher, .depth = my->depth - 1, .sum = my->sum);
    else
        coop_trap(my->r, Yield);
    *my->sum += 1;
    coop_return(my->r);
    coop_end;
}

coop_routine(pushing, long sum; long *where; int i; coop_value r;)
{
    coop_begin;
    my->where = &my->sum;
    for (; my->i < 3; my->i++) {
        coop_await(my->r, pusher, .depth = 1000, .sum = &my->sum);
        IS(my->r, 0);
    }
    CU_ASSERT_PTR_EQUAL(my->where, &my->sum);
    coop_return(my->sum);
    coop_end;
}

static void rule_17_frames_never_move(void)
{
    WORLD(3 * 2 * 1001, pushing);
}

static const suite_test tests[] = {
    TEST(results_of_any_type),
    TEST(every_way_out_cleans_up),
    TEST(declared_and_defined),
    TEST(frames_are_aligned),
    TEST(yield_in_a_switch_is_found_out),
    TEST(trap_in_a_switch_is_found_out),
    TEST(rule_17_frames_never_move),
};

int main(int argc, char **argv)
{
    return suite_main("routine", tests, SUITE_COUNT(tests), argc, argv);
}
