/* Coroutines by hand: the rules of PEP 342 and PEP 380. */
#include "routines.h"

#include <errno.h>

static void pep342_fresh_takes_no_value(void)
{
    coop_coroutine *co = coop_create(echo);
    coop_value out = 77;
    clear_log();
    IS(coop_co_send(co, 1, &out), -EINVAL);
    IS(coop_co_send(co, -EIO, &out), -EINVAL);
    IS(out, 77);
    LOG_IS("");
    IS(coop_co_send(co, 0, &out), COOP_YIELDED);
    IS(out, 1);
    IS(coop_co_send(co, 5, &out), COOP_YIELDED);
    IS(out, 6);
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(out, 1);
    IS(coop_co_free(co), 0);
    LOG_IS("begin clean");
}

static void pep342_done_stays_done(void)
{
    coop_coroutine *co = coop_create(echo);
    coop_value out = 0;
    clear_log();
    IS(coop_co_next(co, NULL), COOP_YIELDED);
    IS(coop_co_send(co, -7, &out), COOP_RETURNED);
    IS(out, -7);
    out = 77;
    IS(coop_co_next(co, &out), COOP_DONE);
    IS(coop_co_send(co, 5, &out), COOP_DONE);
    IS(coop_co_throw(co, -EIO, &out), COOP_DONE);
    IS(out, 77);
    IS(coop_co_close(co), 0);
    IS(coop_co_close(co), 0);
    IS(coop_co_free(co), 0);
    LOG_IS("begin clean");
}

static void pep342_throw_comes_back_to_the_thrower(void)
{
    coop_coroutine *co = coop_create(echo);
    coop_value out = 0;
    clear_log();
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(coop_co_throw(co, -EIO, &out), COOP_RETURNED);
    IS(out, -EIO);
    IS(coop_co_free(co), 0);
    LOG_IS("begin clean");
}

coop_routine(stubborn, coop_value r;)
{
    coop_begin;
    for (;;) {
        coop_yield(my->r, my->r);
        say("%s", result(my->r));
    }
    coop_finally;
    say("clean");
    coop_return(4711);
    coop_end;
}

static void pep342_throw_may_be_handled_but_close_not(void)
{
    coop_coroutine *co = coop_create(stubborn);
    coop_value out = 0;
    clear_log();
    coop_co_next(co, NULL);
    IS(coop_co_throw(co, -5, &out), COOP_YIELDED);
    IS(out, -5);
    IS(coop_co_close(co), 0);
    IS(coop_co_next(co, &out), COOP_DONE);
    IS(coop_co_free(co), 0);
    LOG_IS("EIO clean");
}

static void pep342_throw_into_fresh_ends_it(void)
{
    coop_coroutine *co = coop_create(echo);
    coop_value out = 0;
    world_open(0);
    IS(coop_co_throw(co, -EIO, &out), COOP_RETURNED);
    IS(out, -EIO);
    IS(coop_co_next(co, NULL), COOP_DONE);
    LOG_IS("");
    world_close();
    NO_REPORTS();
    IS(coop_co_free(co), 0);
}

coop_routine(sender, coop_coroutine **other; coop_value out; int r;)
{
    coop_begin;
    my->r = coop_co_send(*my->other, 0, &my->out);
    coop_yield(coop_void, my->r);
    coop_return(my->out);
    coop_end;
}

static void pep342_running_is_busy(void)
{
    coop_coroutine *a, *b;
    coop_value out = 0;
    a = coop_create(sender, .other = &b);
    b = coop_create(sender, .other = &a);
    IS(coop_co_next(a, &out), COOP_YIELDED);
    IS(out, COOP_YIELDED);
    IS(coop_co_next(b, &out), COOP_RETURNED);
    IS(out, 0);
    IS(coop_co_next(a, &out), COOP_RETURNED);
    IS(out, -EBUSY);               /* what b got when it sent to a */
    IS(coop_co_free(a), 0);
    IS(coop_co_free(b), 0);
}

coop_routine(self_user, coop_coroutine **self;)
{
    coop_begin;
    IS(coop_co_next(*my->self, NULL), -EBUSY);
    IS(coop_co_throw(*my->self, -EIO, NULL), -EBUSY);
    IS(coop_co_close(*my->self), -EBUSY);
    IS(coop_co_free(*my->self), -EBUSY);
    coop_return(1);
    coop_end;
}

static void running_is_busy_for_all(void)
{
    coop_coroutine *co;
    coop_value out = 0;
    co = coop_create(self_user, .self = &co);
    IS(coop_co_next(co, &out), COOP_RETURNED);
    IS(out, 1);
    IS(coop_co_free(co), 0);
}

static void pep380_delegation_to_the_innermost(void)
{
    coop_coroutine *co = coop_create(nested, .depth = 3);
    coop_value out = 0;
    clear_log();
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(coop_co_send(co, 41, &out), COOP_YIELDED);
    IS(out, 42);
    IS(coop_co_throw(co, -EINTR, &out), COOP_RETURNED);
    IS(out, 99);                   /* the innermost nested turned the error into a value */
    LOG_IS("begin clean 0 1 2 3");
    IS(coop_co_free(co), 0);
}

static void F3_errors_pass_through_the_call_stack(void)
{
    coop_coroutine *co = coop_create(nested, .depth = 3);
    coop_value out = 0;
    clear_log();
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(coop_co_throw(co, -EIO, &out), COOP_RETURNED);
    IS(out, -EIO);
    LOG_IS("begin clean 0 1 2 3");
    IS(coop_co_free(co), 0);
}

static void pep380_through_ten_thousand_calls(void)
{
    coop_coroutine *co = coop_create(nested, .depth = 10000);
    coop_value out = 0;
    IS(coop_co_next(co, &out), COOP_YIELDED);
    IS(coop_co_send(co, 6, &out), COOP_YIELDED);
    IS(out, 7);
    IS(coop_co_free(co), 0);
    clear_log();
}

coop_routine(trapping, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, KillTask, .tid = 7, .wait = true);
    say("%s", result(my->r));
    coop_trap(my->r, Yield);
    say("%s", result(my->r));
    coop_trap(my->r, Yield);
    say("never");
    coop_finally;
    say("clean");
    coop_end;
}

static void traps_go_to_the_sender(void)
{
    coop_coroutine *co = coop_create(trapping);
    coop_value out = 0;
    clear_log();
    IS(coop_co_next(co, &out), COOP_TRAPPED);
    const struct coop_KillTask *call = (const struct coop_KillTask *)out;
    CU_ASSERT_PTR_EQUAL(call->base.type, &coop_KillTask_type);
    IS(call->tid, 7);
    IS(call->wait, true);
    IS(coop_co_send(co, 12, &out), COOP_TRAPPED);
    CU_ASSERT_PTR_EQUAL(((const coop_call *)out)->type, &coop_Yield_type);
    IS(coop_co_throw(co, -EACCES, &out), COOP_TRAPPED);
    IS(coop_co_close(co), 0);
    LOG_IS("12 EACCES clean");
    IS(coop_co_free(co), 0);
}

coop_routine(hand_user, coop_value out; coop_coroutine *co; int sum;)
{
    coop_begin;
    my->co = coop_create(echo);
    while (coop_co_send(my->co, my->out, &my->out) == COOP_YIELDED && my->out < 10)
        coop_trap(coop_void, Yield);
    coop_return(my->out);
    coop_finally;
    coop_co_free(my->co);
    coop_end;
}

static void by_hand_inside_a_task(void)
{
    WORLD(10, hand_user);
    LOG_IS("begin clean");
}

coop_routine(taken, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    coop_end;
}

coop_routine(taker, coop_coroutine *co; coop_tid tid;)
{
    coop_begin;
    my->co = coop_create(taken);
    coop_trap(my->tid, NewTask, .target = my->co);
    IS(my->tid > 0, 1);
    IS(coop_co_next(my->co, NULL), -EBUSY);
    IS(coop_co_throw(my->co, -EIO, NULL), -EBUSY);
    IS(coop_co_close(my->co), -EBUSY);
    IS(coop_co_free(my->co), -EBUSY);
    coop_end;
}

static void a_tasks_coroutine_is_busy(void)
{
    WORLD(0, taker);
    NO_REPORTS();
}

static void bad_input(void)
{
    coop_coroutine *co = coop_create(echo);
    clear_log();
    IS(coop_co_send(NULL, 0, NULL), -EINVAL);
    IS(coop_co_next(NULL, NULL), -EINVAL);
    IS(coop_co_throw(NULL, -EIO, NULL), -EINVAL);
    IS(coop_co_close(NULL), -EINVAL);
    IS(coop_co_free(NULL), 0);
    IS(coop_co_throw(co, 0, NULL), -EINVAL);
    IS(coop_co_throw(co, 5, NULL), -EINVAL);
    IS(coop_co_next(co, NULL), COOP_YIELDED);
    IS(coop_co_throw(co, INTPTR_MAX, NULL), -EINVAL);
    IS(coop_co_free(co), 0);
    clear_log();
}

static const suite_test tests[] = {
    TEST(pep342_fresh_takes_no_value),
    TEST(pep342_done_stays_done),
    TEST(pep342_throw_comes_back_to_the_thrower),
    TEST(pep342_throw_may_be_handled_but_close_not),
    TEST(pep342_throw_into_fresh_ends_it),
    TEST(pep342_running_is_busy),
    TEST(running_is_busy_for_all),
    TEST(pep380_delegation_to_the_innermost),
    TEST(F3_errors_pass_through_the_call_stack),
    TEST(pep380_through_ten_thousand_calls),
    TEST(traps_go_to_the_sender),
    TEST(by_hand_inside_a_task),
    TEST(a_tasks_coroutine_is_busy),
    TEST(bad_input),
};

int main(int argc, char **argv)
{
    return world_main("coroutine", tests, SUITE_COUNT(tests), argc, argv, "");
}
