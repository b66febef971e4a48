/* Fibers in numbers, in two threads, and when memory is exhausted. */
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The linker puts these in front of the library's calls (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_mmap(void *at, size_t size, int rights, int flags, int fd, off_t offset);

static unsigned long asked, fails_at;      /* 0: none */

static bool is_out(void)
{
    return fails_at && ++asked == fails_at;
}

void *__wrap_malloc(size_t size)
{
    return is_out() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return is_out() ? NULL : __real_calloc(n, size);
}

void *__wrap_mmap(void *at, size_t size, int rights, int flags, int fd, off_t offset)
{
    if (is_out()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(at, size, rights, flags, fd, offset);
}

/* ---- Many ---- */

static coop_value *alive;

static void leaves(void *arg)
{
    *alive -= (intptr_t)arg;
}

static coop_value crowds(void *arg)
{
    coop_defer(leaves, arg);
    *alive += (intptr_t)arg;
    coop_sleep(1000);
    return *alive;
}

coop_routine(crowd, coop_value alive, most, n; coop_tid last;)
{
    coop_begin;
    alive = &my->alive;
    for (; my->n < MANY_FIBERS; my->n++)
        coop_spawn(COOP_FIBER(crowds, (void *)1), .stack = 8192);
    coop_trap(coop_void, Sleep, .ns = 500);
    my->most = my->alive;
    coop_trap(coop_void, Sleep, .ns = 1000);
    IS(my->alive, 0);
    coop_return(my->most);
    coop_end;
}

static void a_hundred_thousand_at_once(void)
{
    WORLD(MANY_FIBERS, crowd);
}

/* ---- Two threads ---- */

static coop_value counts(void *arg)
{
    for (int i = 0; i < 100; i++) {
        ++*(coop_value *)arg;
        coop_yield();
    }
    return 0;
}

static void *has_a_scheduler(void *arg)
{
    coop_value *count = arg;
    for (int i = 0; i < 50; i++)
        coop_spawn_fiber(counts, count);
    *count += coop_run();
    return NULL;
}

static void two_schedulers_in_two_threads(void)
{
    coop_value sums[2] = { 0, 0 };
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        IS(pthread_create(&threads[i], NULL, has_a_scheduler, &sums[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    IS(sums[0], 5000);
    IS(sums[1], 5000);
}

/* ---- Without memory ---- */

static int began, ended, told;

static void ends(void *arg)
{
    (void)arg;
    ended++;
}

coop_routine(helper, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Sleep, .ns = 10);
    coop_return(my->r);
    coop_end;
}

/* Everything that takes memory, and gives an error, and no other, when there is none. */
static coop_value needs(void *arg)
{
    intptr_t depth = (intptr_t)arg;
    coop_value r = coop_defer(ends, NULL);
    if (r < 0)
        return r;
    began++;
    if (depth < 0)
        return coop_sleep(10);
    if (depth > 0)
        r = coop_call(COOP_FIBER(needs, (void *)(depth - 1)));
    if (r == 0)
        r = coop_call(helper);
    if (r == 0)
        r = coop_deadline(COOP_S(1000));
    if (r == 0)
        r = coop_call_all(NULL, (helper), (COOP_FIBER(needs, (void *)-1)));
    if (r == 0) {
        coop_tid tid = coop_syscall(NewTask, .target = coop_create(helper));
        r = tid < 0 ? tid : coop_wait_task(tid, NULL);
    }
    return r;
}

/* False: nothing failed. */
static bool with_one_failure(unsigned long n)
{
    world_open(0);
    began = ended = 0;
    asked = 0;
    fails_at = n;
    coop_value r = coop_main(COOP_FIBER(needs, (void *)3));
    bool failed = asked >= fails_at;
    fails_at = 0;
    IS(began, ended);
    world_close();
    NO_REPORTS();                  /* nothing was made and never begun */
    IS(r == 0 || (failed && r == -ENOMEM), 1);
    told += r == -ENOMEM;
    return failed;
}

static void each_allocation_fails_once(void)
{
    unsigned long n = 1;
    while (with_one_failure(n))
        n++;
    CU_ASSERT(told > 10);
    CU_ASSERT(told + 5 > (int)n);  /* an overflow, or a way, that could not be told of */
}

static coop_value naps(void *arg)
{
    (void)arg;
    return coop_sleep(COOP_MS(1));
}

static void stacks_that_are_idle_for_long_go_back(void)
{
    world_open(0);
    IS(coop_fibers_trim(0), -1);
    for (int i = 0; i < 5; i++)
        coop_spawn_fiber(naps, NULL);
    IS(coop_run(), 0);
    int64_t now = coop_this->now, soon = coop_fibers_trim(now);
    CU_ASSERT(soon > 0 && soon < COOP_S(10));
    CU_ASSERT(coop_fibers_trim(now + COOP_S(9)) > 0);
    IS(coop_fibers_trim(now + COOP_S(20)), -1);
    IS(coop_fibers_trim(now + COOP_S(20)), -1);
    coop_spawn_fiber(naps, NULL);
    IS(coop_run(), 0);
    CU_ASSERT(coop_fibers_trim(coop_this->now) > 0);
    world_close();
}

static const suite_test tests[] = {
    TEST(a_hundred_thousand_at_once),
    TEST(stacks_that_are_idle_for_long_go_back),
    TEST(two_schedulers_in_two_threads),
    TEST(each_allocation_fails_once),
};

int main(int argc, char **argv)
{
    return suite_main("fibercrowd", tests, SUITE_COUNT(tests), argc, argv);
}
