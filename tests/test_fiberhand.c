/* Fibers that are resumed by hand, most of them without any scheduler. */
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static coop_value counts(void *arg)
{
    coop_value got = 0;
    IS(coop_defer(say_it, "d"), 0);
    for (coop_value i = (intptr_t)arg; i < 4; i++) {
        got = coop_yield_value(i);
        if (got < 0)
            return got;
    }
    return got;
}

static void a_generator(void)
{
    coop_coroutine *co = coop_create(COOP_FIBER(counts, (void *)2));
    coop_value out;
    IS(coop_co_send(co, 5, &out), -EINVAL);
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(out, 2);
    IS(coop_co_send(co, 6, &out), COOP_YIELDED);
    IS(out, 3);
    LOG_IS("");
    IS(coop_co_send(co, 7, &out), COOP_RETURNED);
    IS(out, 7);
    LOG_IS("d");
    IS(coop_co_next(co, &out), COOP_DONE);
    IS(coop_co_free(co), 0);
}

static void thrown_into(void)
{
    coop_coroutine *co = coop_create(COOP_FIBER(counts, NULL));
    coop_value out;
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(coop_co_throw(co, -EDOM, &out), COOP_RETURNED);
    IS(out, -EDOM);
    LOG_IS("d");
    IS(coop_co_free(co), 0);
    co = coop_create(COOP_FIBER(counts, NULL));
    IS(coop_co_throw(co, -EDOM, &out), COOP_RETURNED);
    IS(out, -EDOM);
    IS(coop_co_free(co), 0);
    LOG_IS("");
}

static void closed_in_the_middle_and_before(void)
{
    coop_coroutine *co = coop_create(COOP_FIBER(counts, NULL));
    IS(coop_co_next(co, NULL), COOP_YIELDED);
    IS(coop_co_close(co), 0);
    LOG_IS("d");
    IS(coop_co_free(co), 0);
    co = coop_create(COOP_FIBER(counts, NULL));
    IS(coop_co_close(co), 0);
    LOG_IS("");
    IS(coop_co_free(co), 0);
}

static void one_that_never_began_is_told_by_its_function(void)
{
    world_open(0);
    IS(coop_co_free(coop_create(COOP_FIBER(counts, NULL))), 0);
    REPORTED("coop: coroutine counts, created at test_fiberhand.c:");
    world_close();
}

/* Whoever resumes it is the scheduler. */
static coop_value asks(void *arg)
{
    coop_value got = coop_recv(5, arg, 7);
    say("%td", got);
    got = coop_sleep(20);
    say("%s", result(got));
    return got;
}

static void answered_by_hand(void)
{
    char buf[7] = "";
    coop_coroutine *co = coop_create(COOP_FIBER(asks, buf));
    coop_value out;
    IS(coop_co_next(co, &out), COOP_TRAPPED);
    struct coop_Recv *recv = (struct coop_Recv *)out;
    CU_ASSERT_PTR_EQUAL(recv->base.type, &coop_Recv_type);
    CU_ASSERT_PTR_EQUAL(recv->buf, buf);
    IS(recv->fd == 5 && recv->len == 7, 1);
    IS(coop_co_send(co, 3, &out), COOP_TRAPPED);
    CU_ASSERT_PTR_EQUAL(((coop_call *)out)->type, &coop_Sleep_type);
    LOG_IS("3");
    IS(coop_co_close(co), 0);
    LOG_IS("ECANCELED");
    IS(coop_co_free(co), 0);
}

/* ---- Both kinds, each within the other ---- */

coop_routine(yields_twice, coop_value from, r;)
{
    coop_begin;
    coop_yield(my->r, my->from);
    coop_yield(my->r, my->from + my->r);
    coop_finally;
    say("r");
    coop_end;
}

static coop_value calls_it(void *arg)
{
    IS(coop_defer(say_it, "f"), 0);
    coop_value r = coop_call(yields_twice, .from = (intptr_t)arg);
    r = coop_yield_value(r);
    IS(r == 0 || r == -ECANCELED, 1);
    return 1;
}

coop_routine(awaits_it, coop_value r;)
{
    coop_begin;
    coop_await(my->r, COOP_FIBER(calls_it, (void *)10));
    coop_yield(coop_void, 99);
    coop_finally;
    say("o");
    coop_end;
}

static void generators_of_both_kinds(void)
{
    coop_coroutine *co = coop_create(awaits_it);
    coop_value out;
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(out, 10);
    IS(coop_co_send(co, 7, &out), COOP_YIELDED);
    IS(out, 17);
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(out, 0);
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(out, 99);
    LOG_IS("r f");
    IS(coop_co_next(co, &out), COOP_RETURNED);
    IS(coop_co_free(co), 0);
    LOG_IS("o");
}

static void closed_at_each_yield(void)
{
    for (int yields = 1; yields <= 4; yields++) {
        coop_coroutine *co = coop_create(awaits_it);
        for (int i = 0; i < yields; i++)
            IS(coop_co_next(co, NULL), COOP_YIELDED);
        IS(coop_co_free(co), yields < 3 ? -EPROTO : 0);    /* that fiber yields once more */
        LOG_IS("r f o");
    }
}

coop_routine(traps, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, GetTid);
    say("never");
    coop_finally;
    say("%s", result(my->r));
    coop_end;
}

static coop_value goes_on(void *arg)
{
    IS(coop_yield_value(1), -ECANCELED);
    IS(coop_call(traps), -ECANCELED);
    IS(coop_get_tid(), -ECANCELED);
    return (intptr_t)arg;
}

static void calls_when_it_is_closed(void)
{
    coop_coroutine *co = coop_create(COOP_FIBER(goes_on, NULL));
    IS(coop_co_next(co, NULL), COOP_YIELDED);
    IS(coop_co_free(co), -EPROTO);
    LOG_IS("ECANCELED");
}

/* A stage that resumes the one before it, and is its scheduler. */
static coop_value doubles(void *arg)
{
    coop_value v;
    while (coop_co_next(arg, &v) == COOP_YIELDED)
        coop_yield_value(2 * v);
    return coop_co_free(arg);
}

static void a_pipeline(void)
{
    coop_coroutine *co = coop_create(COOP_FIBER(counts, NULL));
    coop_value out, sum = 0;
    for (int i = 0; i < 3; i++)
        co = coop_create(COOP_FIBER(doubles, co));
    while (coop_co_next(co, &out) == COOP_YIELDED)
        sum += out;
    IS(sum, 8 * (0 + 1 + 2 + 3));
    IS(coop_co_free(co), 0);
    LOG_IS("d");
}

static coop_value resumes_itself(void *arg)
{
    IS(coop_co_next(*(coop_coroutine **)arg, NULL), -EBUSY);
    return 1;
}

static void one_that_runs_is_busy(void)
{
    coop_coroutine *co = coop_create(COOP_FIBER(resumes_itself, &co));
    IS(coop_co_next(co, NULL), COOP_RETURNED);
    IS(coop_co_free(co), 0);
}

/* A task whose fiber has a generator: what it asks for is the generator's to answer. */
static coop_value has_a_generator(void *arg)
{
    coop_coroutine *co = coop_create(COOP_FIBER(counts, arg));
    coop_value v, sum = 0;
    while (coop_co_next(co, &v) == COOP_YIELDED) {
        sum += v;
        coop_sleep(10);
    }
    coop_co_free(co);
    return sum;
}

static void generators_of_tasks(void)
{
    WORLD(6, COOP_FIBER(has_a_generator, NULL));
    LOG_IS("d");
}

/* ---- Stacks and threads ---- */

static char *page;

static coop_value shows_its_stack(void *arg)
{
    char here = 0;
    page = &here - (uintptr_t)&here % (uintptr_t)sysconf(_SC_PAGESIZE);
    return coop_yield_value((intptr_t)arg);
}

static void the_last_gives_all_stacks_back(void)
{
    unsigned char seen;
    coop_coroutine *a = coop_create(COOP_FIBER(shows_its_stack, NULL));
    coop_coroutine *b = coop_create(COOP_FIBER(shows_its_stack, NULL));
    IS(coop_co_next(a, NULL), COOP_YIELDED);
    IS(coop_co_next(b, NULL), COOP_YIELDED);
    IS(coop_co_free(a), 0);
    IS(mincore(page, 1, &seen), 0);
    IS(coop_co_free(b), 0);
    IS(mincore(page, 1, &seen), -1);
}

static void *in_another_thread(void *co)
{
    coop_coroutine *own = coop_create(COOP_FIBER(counts, (void *)3));
    coop_value out;
    IS(coop_co_next(own, &out), COOP_YIELDED);
    IS(out, 3);
    IS(coop_co_next(co, NULL), -EPERM);
    IS(coop_co_throw(co, -EDOM, NULL), -EPERM);
    IS(coop_co_free(co), -EPERM);
    IS(coop_co_free(own), 0);
    return NULL;
}

/* Its stack is of its thread's pool. */
static void a_fiber_stays_in_its_thread(void)
{
    coop_coroutine *co = coop_create(awaits_it);
    pthread_t thread;
    coop_value out;
    IS(coop_co_next(co, NULL), COOP_YIELDED);
    IS(pthread_create(&thread, NULL, in_another_thread, co), 0);
    pthread_join(thread, NULL);
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(out, 10);
    IS(coop_co_free(co), -EPROTO);
    LOG_IS("d r f o");
}

static const suite_test tests[] = {
    TEST(a_generator),
    TEST(thrown_into),
    TEST(closed_in_the_middle_and_before),
    TEST(one_that_never_began_is_told_by_its_function),
    TEST(answered_by_hand),
    TEST(generators_of_both_kinds),
    TEST(closed_at_each_yield),
    TEST(calls_when_it_is_closed),
    TEST(a_pipeline),
    TEST(one_that_runs_is_busy),
    TEST(generators_of_tasks),
    TEST(the_last_gives_all_stacks_back),
    TEST(a_fiber_stays_in_its_thread),
};

int main(int argc, char **argv)
{
    return suite_main("fiberhand", tests, SUITE_COUNT(tests), argc, argv);
}
