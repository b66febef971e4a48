/* A fiber whose stack overflows: what a child to which it happens has said at the end. */
#include "forked.h"

#include <coop.h>
#include <pthread.h>
#include <stdlib.h>

static volatile int zero = 0;

static __attribute__((noinline)) int descend(int n)
{
    volatile char room[200];
    room[n % 200] = (char)n;
    return n == INT32_MAX ? 0 : descend(n + 1) + room[0];
}

/* ---- A heap that is locked while it overflows ---- */

void *__real_malloc(size_t);
void *__wrap_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__wrap_calloc(size_t, size_t);

static pthread_mutex_t heap = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool falls;

void *__wrap_malloc(size_t size)
{
    pthread_mutex_lock(&heap);
    if (falls)
        descend(0);
    void *at = __real_malloc(size);
    pthread_mutex_unlock(&heap);
    return at;
}

void *__wrap_calloc(size_t count, size_t size)
{
    pthread_mutex_lock(&heap);
    void *at = __real_calloc(count, size);
    pthread_mutex_unlock(&heap);
    return at;
}

/* ---- What children do ---- */

coop_routine(sleeper, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Sleep, .ns = COOP_S(100));
    coop_end;
}

static coop_value worker(void *arg)
{
    coop_yield();
    falls = arg != NULL;
    if (falls)
        free(malloc(1));
    return descend(0) + zero;
}

static void with_others(void)
{
    coop_spawn(sleeper);
    coop_spawn_fiber(worker, NULL);
    coop_run();
}

static void an_overflow_is_told_with_the_table(void)
{
    CU_ASSERT(ends_by(SIGSEGV, with_others));
    CU_ASSERT_EQUAL(strncmp(text, "coop: task 2 worker: stack overflow, 64 KiB stack, at "
                            "descend+0x", 64), 0);
    CU_ASSERT(says("\n  TID PARENT STATE"));
    CU_ASSERT(says("\n    1      0 waiting         1      "));
    CU_ASSERT(says("  sleeper  Sleep(1.6min)  at test_crash.c:"));
    CU_ASSERT(says("\n    2      0 running         2       -  worker  at descend+0x"));
    CU_ASSERT(says(" #15 descend+0x"));
    CU_ASSERT(says(" ... "));
    CU_ASSERT(says("  [iopoll]"));
}

static void in_malloc(void)
{
    char name[1000];               /* longer than a line that needs no memory */
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    coop_name(coop_spawn(sleeper), name);
    coop_spawn(COOP_FIBER(worker, name), .stack = 128 * 1024);
    coop_spawn(sleeper);
    coop_run();
}

static void it_is_told_while_the_heap_is_locked(void)
{
    CU_ASSERT(ends_by(SIGSEGV, in_malloc));
    CU_ASSERT(says("coop: task 2 worker: stack overflow, 128 KiB stack, at descend+0x"));
    CU_ASSERT(says("xxxx"));
    CU_ASSERT(says("\n    3      0 waiting "));
    CU_ASSERT(says("  [iopoll]"));
}

static void among_many(void)
{
    for (int i = 0; i < 10000; i++)
        coop_spawn(sleeper);
    coop_spawn_fiber(worker, "");
    coop_run();
}

static void of_many_some_are_told(void)
{
    CU_ASSERT(ends_by(SIGSEGV, among_many));
    CU_ASSERT(says("coop: task 10001 worker: stack overflow"));
    CU_ASSERT(says("\n    1      0 waiting "));
    CU_ASSERT(says("\n  200      0 waiting "));
    CU_ASSERT_PTR_NULL(strstr(text, "\n  201 "));
    CU_ASSERT(says("\nand 9802 more\n"));
}

static void by_hand(void)
{
    coop_coroutine *co = coop_create(COOP_FIBER(worker, NULL));
    coop_co_next(co, NULL);
    coop_co_next(co, NULL);
}

static void one_that_is_resumed_by_hand_is_a_coroutine(void)
{
    CU_ASSERT(ends_by(SIGSEGV, by_hand));
    CU_ASSERT(says("coop: coroutine worker: stack overflow, 64 KiB stack, at descend+0x"));
}

static const suite_test tests[] = {
    { "an_overflow_is_told_with_the_table", an_overflow_is_told_with_the_table },
    { "it_is_told_while_the_heap_is_locked", it_is_told_while_the_heap_is_locked },
    { "of_many_some_are_told", of_many_some_are_told },
    { "one_that_is_resumed_by_hand_is_a_coroutine",
      one_that_is_resumed_by_hand_is_a_coroutine },
};

int main(int argc, char **argv)
{
    return suite_main("crash", tests, SUITE_COUNT(tests), argc, argv);
}
