/* Large numbers: contract rules 16 and 17. */
#include "world.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

enum { MILLION = 1000000, BOUND = 256 };

/* The linker puts these in front of the library's calls (--wrap): bytes taken. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *block);

static size_t taken;

void *__wrap_malloc(size_t size)
{
    void *block = __real_malloc(size);
    taken += malloc_usable_size(block);
    return block;
}

void *__wrap_calloc(size_t n, size_t size)
{
    void *block = __real_calloc(n, size);
    taken += malloc_usable_size(block);
    return block;
}

void *__wrap_realloc(void *old, size_t size)
{
    taken -= malloc_usable_size(old);
    void *block = __real_realloc(old, size);
    taken += malloc_usable_size(block);
    return block;
}

void __wrap_free(void *block)
{
    taken -= malloc_usable_size(block);
    __real_free(block);
}

static int woken;

coop_routine(sleeper, int n;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    if (woken++ != my->n)
        coop_return(-EPROTO);
    coop_end;
}

coop_routine(census, size_t *bytes; coop_info info;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    *my->bytes = taken;
    IS(coop_inspect(1, &my->info), 0);
    IS(my->info.state, COOP_WAITING);
    CU_ASSERT(my->info.bytes <= BOUND);
    IS(coop_inspect(MILLION, &my->info), 0);
    IS(my->info.state, COOP_WAITING);
    CU_ASSERT(my->info.bytes <= BOUND);
    coop_end;
}

static void rule_16_a_million_sleeping_tasks(void)
{
    size_t before = taken, bytes = 0;
    woken = 0;
    world_open(0);
    for (int i = 0; i < MILLION; i++)
        if (coop_spawn(sleeper, .n = i) != i + 1)
            CU_FAIL_FATAL("no room for a million tasks");
    coop_spawn(census, .bytes = &bytes);
    IS(coop_run(), 0);
    IS(woken, MILLION);
    CU_ASSERT(bytes > before);
    CU_ASSERT((bytes - before) / MILLION <= BOUND);
    world_close();
    NO_REPORTS();
    IS(taken, before);
}

coop_routine(giver, int n;)
{
    coop_begin;
    coop_return(my->n);
    coop_end;
}

coop_routine(one_by_one, int i; coop_tid tid; coop_value r; size_t before, after;)
{
    coop_begin;
    for (; my->i < MILLION; my->i++) {
        coop_trap(my->tid, NewTask, .target = coop_create(giver, .n = my->i));
        coop_trap(my->r, WaitTask, .tid = my->tid);
        if (my->r != my->i)
            coop_return(-EPROTO);
        if (my->i == 10)
            my->before = taken;
    }
    my->after = taken;
    coop_return(my->after - my->before);
    coop_end;
}

static void a_million_children_one_by_one(void)
{
    WORLD(0, one_by_one);
}

static int cleaned;

coop_routine(deep, int depth; coop_value r;)
{
    coop_begin;
    if (my->depth)
        coop_await(my->r, deep, .depth = my->depth - 1);
    else
        coop_trap(my->r, Sleep, .ns = 1000);
    coop_return(my->r + 1);
    coop_finally;
    cleaned++;
    coop_end;
}

coop_routine(diver, coop_value r; size_t before;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = 1);
    my->before = taken;
    coop_await(my->r, deep, .depth = MILLION);
    IS(taken, my->before);         /* segments go as soon as they are empty */
    coop_return(my->r);
    coop_end;
}

static void rule_17_a_million_nested_awaits(void)
{
    world_open(0);
    cleaned = 0;
    IS(coop_main(diver), MILLION + 1);
    IS(cleaned, MILLION + 1);
    world_close();
}

coop_routine(deep_killer, coop_tid tid; coop_value r;)
{
    coop_begin;
    my->tid = coop_spawn(deep, .depth = MILLION);
    coop_trap(coop_void, Yield);
    IS(coop_backtrace(my->tid, NULL, 0), MILLION + 1);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    no_trace_of(my->tid);
    coop_end;
}

static void rule_10_kill_below_a_million_awaits(void)
{
    world_open(0);
    cleaned = 0;
    IS(coop_main(deep_killer), 0);
    IS(cleaned, MILLION + 1);
    world_close();
}

coop_routine(counts, coop_value n;)
{
    coop_begin;
    for (;;)
        coop_yield(coop_void, ++my->n);
    coop_end;
}

coop_routine(delegates, int depth; coop_value r;)
{
    coop_begin;
    if (my->depth)
        coop_await(my->r, delegates, .depth = my->depth - 1);
    else
        coop_await(my->r, counts);
    coop_end;
}

static void pep380_through_a_million_calls(void)
{
    coop_coroutine *co = coop_create(delegates, .depth = MILLION);
    coop_value n = 0;
    size_t before = taken;
    for (int i = 1; i <= 10; i++) {
        IS(coop_co_next(co, &n), COOP_YIELDED);
        IS(n, i);
    }
    IS(coop_co_close(co), 0);
    IS(taken, before);
    IS(coop_co_free(co), 0);
}

coop_routine(waiter, coop_tid tid; int *told;)
{
    coop_begin;
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    ++*my->told;
    coop_end;
}

/* Survivors at regular distances are found as fast as all: those that go leave no holes to
   search. */
coop_routine(thins_out, coop_tid tid; coop_info info; coop_value r; int told;)
{
    coop_begin;
    for (my->tid = 2; my->tid <= 100000; my->tid++)
        if (my->tid % 64)
            coop_trap(my->r, KillTask, .tid = my->tid);
    coop_trap(coop_void, Yield);
    for (my->tid = 2; my->tid <= 100000; my->tid++)
        if (coop_inspect(my->tid, &my->info) != (my->tid % 64 ? -ESRCH : 0))
            coop_return(-EPROTO);
    coop_end;
}

coop_routine(lives, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    coop_end;
}

static void many_waiters_and_many_kills(void)
{
    int told = 0;
    world_open(0);
    coop_tid main_tid = coop_spawn(thins_out);
    for (int i = 2; i <= 100000; i++)
        coop_spawn(lives);
    for (int i = 0; i < 10000; i++)
        coop_spawn(waiter, .tid = main_tid, .told = &told);
    IS(coop_run(), 0);
    IS(told, 10000);
    world_close();
    NO_REPORTS();
}

static const suite_test tests[] = {
    TEST(rule_16_a_million_sleeping_tasks),
    TEST(a_million_children_one_by_one),
    TEST(rule_17_a_million_nested_awaits),
    TEST(rule_10_kill_below_a_million_awaits),
    TEST(pep380_through_a_million_calls),
    TEST(many_waiters_and_many_kills),
};

int main(int argc, char **argv)
{
    return suite_main("scale", tests, SUITE_COUNT(tests), argc, argv);
}
