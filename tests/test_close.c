/* Ending coroutines by hand: closing them, and those that never began. */
#include "forked.h"
#include "routines.h"

#include <errno.h>
#include <stdlib.h>

static void close_of_fresh_runs_nothing(void)
{
    coop_coroutine *co = coop_create(echo);
    world_open(0);
    IS(coop_co_close(co), 0);
    IS(coop_co_next(co, NULL), COOP_DONE);
    LOG_IS("");
    world_close();
    NO_REPORTS();
    IS(coop_co_free(co), 0);
}

static void close_ends_the_innermost_first(void)
{
    coop_coroutine *co = coop_create(nested, .depth = 3);
    clear_log();
    coop_co_next(co, NULL);
    IS(coop_co_close(co), 0);
    LOG_IS("begin clean 0 1 2 3");
    IS(coop_co_next(co, NULL), COOP_DONE);
    IS(coop_co_free(co), 0);
    LOG_IS("");
}

coop_routine(messy, coop_value r;)
{
    coop_begin;
    coop_yield(my->r, 1);
    coop_return(my->r);
    coop_finally;
    coop_yield(my->r, 2);
    say("%s", result(my->r));
    coop_trap(my->r, GetTid);
    say("%s", result(my->r));
    coop_end;
}

coop_routine(around_messy, coop_value r;)
{
    coop_begin;
    coop_await(my->r, messy);
    coop_finally;
    say("outer");
    coop_end;
}

static void yields_in_cleanup_are_canceled(void)
{
    coop_coroutine *co = coop_create(around_messy);
    clear_log();
    coop_co_next(co, NULL);
    IS(coop_co_close(co), -EPROTO);
    LOG_IS("ECANCELED ECANCELED outer");
    IS(coop_co_close(co), 0);
    IS(coop_co_free(co), 0);
    co = coop_create(messy);
    coop_co_next(co, NULL);
    IS(coop_co_free(co), -EPROTO);
    LOG_IS("ECANCELED ECANCELED");
}

static void close_while_it_cleans_up(void)
{
    coop_coroutine *co = coop_create(messy);
    coop_value out = 0;
    clear_log();
    coop_co_next(co, NULL);
    IS(coop_co_send(co, 9, &out), COOP_YIELDED);
    IS(out, 2);
    IS(coop_co_close(co), -EPROTO);        /* the trap that follows */
    LOG_IS("ECANCELED ECANCELED");
    IS(coop_co_free(co), 0);
}

static void cleanup_of_an_ordinary_end_may_yield_and_trap(void)
{
    coop_coroutine *co = coop_create(messy);
    coop_value out = 0;
    clear_log();
    coop_co_next(co, NULL);
    IS(coop_co_send(co, 9, &out), COOP_YIELDED);
    IS(out, 2);
    IS(coop_co_send(co, 3, &out), COOP_TRAPPED);
    IS(coop_co_send(co, 4, &out), COOP_RETURNED);
    IS(out, 9);
    LOG_IS("3 4");
    IS(coop_co_free(co), 0);
}

static void never_begun_is_reported_with_its_place(void)
{
    world_open(0);
    const char *place = here(__FILE__, __LINE__ + 1);
    coop_create(echo);
    world_close();
    REPORTED("coroutine echo, created at ");
    world_open(0);
    place = here(__FILE__, __LINE__ + 1);
    coop_coroutine *co = coop_create(echo);
    IS(coop_co_free(co), 0);
    REPORTED(place);
    world_close();
    NO_REPORTS();
}

coop_routine(adopts, coop_coroutine *co; coop_tid tid;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = my->co);
    coop_return(my->tid);
    coop_end;
}

/* A scheduler that closes reports them once, and leaves them to whoever made them. */
static void never_begun_outlive_the_scheduler(void)
{
    coop_value out = 0;
    world_open(0);
    coop_coroutine *resumed = coop_create(echo, .x = 1), *freed = coop_create(echo);
    coop_coroutine *adopted = coop_create(echo, .x = -EIO);
    world_close();
    IS(world.reported, 3);
    REPORTED("coroutine echo, created at test_close.c:");
    world_open(0);
    IS(coop_co_next(resumed, &out), COOP_YIELDED);
    IS(out, 2);
    IS(coop_co_send(resumed, -7, &out), COOP_RETURNED);
    IS(out, -7);
    IS(coop_co_free(resumed), 0);
    IS(coop_co_free(freed), 0);
    NO_REPORTS();
    IS(coop_main(adopts, .co = adopted), 2);
    IS(world.reported, 1);
    REPORTED("coop: task 2 echo failed: -5 EIO");
    world_close();
    NO_REPORTS();
}

static unsigned times(const char *part)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

/* exit is when they are reported. */
static void create_one(void)
{
    coop_create(nested);
    exit(0);
}

static void never_begun_is_reported_at_exit(void)
{
    IS(status_of(create_one), 0);
    IS(times("coop: coroutine nested, created at test_close.c:"), 1);
    IS(times("was never begun\n"), 1);
}

/* The scheduler that coop_main opens closes with them; one is resumed after, one is freed,
   and one is left to the end of the program. */
static void create_and_run_main(void)
{
    coop_value out = 0;
    coop_coroutine *resumed = coop_create(echo), *freed = coop_create(nested);
    coop_create(messy);
    unsetenv("COOP_TRACE");
    if (coop_main(echo, .x = -1) != -1 || coop_co_next(resumed, &out) != COOP_YIELDED
        || out != 1 || coop_co_free(resumed) != 0 || coop_co_free(freed) != 0)
        _exit(1);
    exit(0);
}

static void never_begun_is_reported_once_after_coop_main(void)
{
    IS(status_of(create_and_run_main), 0);
    IS(times("coop: coroutine echo, "), 1);
    IS(times("coop: coroutine nested, "), 1);
    IS(times("coop: coroutine messy, "), 1);
    IS(times("was never begun\n"), 3);
}

static const suite_test tests[] = {
    TEST(close_of_fresh_runs_nothing),
    TEST(close_ends_the_innermost_first),
    TEST(yields_in_cleanup_are_canceled),
    TEST(close_while_it_cleans_up),
    TEST(cleanup_of_an_ordinary_end_may_yield_and_trap),
    TEST(never_begun_is_reported_with_its_place),
    TEST(never_begun_outlive_the_scheduler),
    TEST(never_begun_is_reported_at_exit),
    TEST(never_begun_is_reported_once_after_coop_main),
};

int main(int argc, char **argv)
{
    return world_main("close", tests, SUITE_COUNT(tests), argc, argv, "");
}
