/* Semaphores, events, futures, barriers, and what is done once. */
#include "blocks.h"
#include "script.h"

#include <errno.h>
#include <string.h>

/* ---- Semaphores ---- */

static void semaphores_serve_in_order(void)
{
    script_begin();
    script("(1", NULL);
    script("(0", NULL);
    script("(1", NULL);
    script("Y- )2 Y- )0", NULL);
    SCRIPTS_ARE("1:(1 2:(0 4:)2 3:(1 4:)0");
    IS(things.semaphore.count, 0);
}

static void who_wants_much_is_not_passed(void)
{
    script_begin();
    things.semaphore.count = 2;
    script("(3", NULL);
    script("(1 [1 [9", NULL);
    script("[1 Y- Y- )1 Y- )1", NULL);
    SCRIPTS_ARE("3:[1=EAGAIN 1:(3 3:)1 2:(1 3:)1 2:[1=EAGAIN 2:[9=EAGAIN");
    IS(things.semaphore.count, 0);
}

static void a_semaphore_with_a_limit(void)
{
    script_begin();
    things.semaphore.limit = things.semaphore.count = 2;
    script("(3 (2 )3 )2 )1 (1 )2 )1", NULL);
    SCRIPTS_ARE("1:(3=EINVAL 1:(2 1:)3=EOVERFLOW 1:)2 1:)1=EOVERFLOW 1:(1 1:)2=EOVERFLOW "
                "1:)1");
    IS(things.semaphore.count, 2);
    script_begin();
    things.semaphore.count = SIZE_MAX - 1;
    script(")2 )1 )1", NULL);
    SCRIPTS_ARE("1:)2=EOVERFLOW 1:)1 1:)1=EOVERFLOW");
}

/* What kept others back is gone, in every way. */
static void who_gives_up_takes_nothing_of_a_semaphore(void)
{
    static const char *const ways[] = { "K1", "C1" };
    for (int i = 0; i < 2; i++) {
        script_begin();
        things.semaphore.count = 1;
        script("(2", NULL);
        script("(1", NULL);
        script(ways[i], NULL);
        script_end();
        CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "2:(1"));
        IS(things.semaphore.count, 0);
    }
    script_begin();
    things.semaphore.count = 1;
    script("<5 (2", NULL);
    script("(1", NULL);
    SCRIPTS_ARE("1:(2=ETIMEDOUT 2:(1");
    script_begin();
    things.semaphore.count = 1;
    script("C1 (1 [1", NULL);
    SCRIPTS_ARE("1:C1 1:(1=ECANCELED 1:[1");
    /* A part that makes room for its sister, which has lost too. */
    script_begin();
    things.semaphore.count = 1;
    script("|3 (2 (1 e-", NULL);
    script("Y- E- [1", NULL);
    SCRIPTS_ARE("1:|3=2 2:E- 2:[1");
    /* Who wins makes room for its own other part, by way of another task. */
    script_begin();
    things.semaphore.count = 1;
    script("|2 (3 b2", NULL);
    script("|2 (1 b2 [1", NULL);
    SCRIPTS_ARE("1:|2=1 2:|2=1:1 2:[1");
}

/* ---- Events ---- */

static void an_event_wakes_all(void)
{
    script_begin();
    script("e- e- e-", NULL);
    script("e- p- Y- p-", NULL);
    script("p- Y- E- E- Y- x- p- Y- E-", NULL);
    SCRIPTS_ARE("3:p-=EAGAIN 1:e- 2:e- 3:E- 1:e- 2:p- 3:E- 1:e- 2:p- 3:x- 3:p-=EAGAIN "
                "3:E-");
}

static void an_event_that_is_cleared_at_once(void)
{
    script_begin();
    script("e- p-", NULL);
    script("E- x-", NULL);
    SCRIPTS_ARE("1:e- 2:E- 1:p- 2:x-");
}

static void who_gives_up_is_not_told_of_an_event(void)
{
    script_begin();
    script("e-", NULL);
    script("e- p- Y- Y- p-", NULL);
    script("<5 e-", NULL);
    script("K1 C2 E-", NULL);
    SCRIPTS_ARE("4:K1 2:e-=ECANCELED 4:C2 2:p-=EAGAIN 3:e- 4:E- 2:p-");
}

/* ---- Futures ---- */

static void a_future_is_for_all(void)
{
    script_begin();
    script("f- f-", NULL);
    script("f-", NULL);
    script("g- F7 F8 g- f-", NULL);
    SCRIPTS_ARE("3:g-=EAGAIN 1:f-=7 2:f-=7 3:F7 1:f-=7 3:F8=EALREADY 3:g-=7 3:f-=7");
    IS(things.future.value, 7);
}

coop_routine(fails_a_future, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, FutureSet, .future = &things.future, .value = INTPTR_MIN);
    IS(my->r, -EINVAL);
    coop_trap(my->r, FutureSet, .future = &things.future, .value = INTPTR_MIN + 3);
    IS(my->r, -EINVAL);
    IS(things.future.set, false);
    coop_trap(my->r, FutureSet, .future = &things.future, .value = -EIO);
    IS(my->r, 0);
    coop_end;
}

static void a_future_that_fails(void)
{
    script_begin();
    script("f-", NULL);
    coop_spawn(fails_a_future);
    script("Y- Y- Y- Y- f- g- F1", NULL);
    SCRIPTS_ARE("1:f-=EIO 3:f-=EIO 3:g-=EIO 3:F1=EALREADY");
}

static void who_gives_up_is_not_told_of_a_future(void)
{
    script_begin();
    script("f-", NULL);
    script("f- g- Y- Y- g-", NULL);
    script("<5 f- f-", NULL);
    script("K1 C2 Z9 F0", NULL);
    SCRIPTS_ARE("4:K1 2:f-=ECANCELED 4:C2 2:g-=EAGAIN 2:g-=EAGAIN 3:f-=ETIMEDOUT 3:f- "
                "4:F0");
}

/* ---- Barriers ---- */

static void a_barrier_lets_all_go(void)
{
    script_begin();
    script("b3 b3", NULL);
    script("b3 b3", NULL);
    script("Y- Y- b3 Y- b3", NULL);
    SCRIPTS_ARE("1:b3 2:b3=1 3:b3=2 1:b3 2:b3=1 3:b3=2");
    script_begin();
    script("b1 b0 b1", NULL);
    SCRIPTS_ARE("1:b1 1:b0=EINVAL 1:b1");
}

static void who_gives_up_has_not_come(void)
{
    script_begin();
    script("b4", NULL);
    script("b4 b4", NULL);
    script("<5 b4 b2", NULL);
    script("K1 C2 Z9 b2", NULL);
    SCRIPTS_ARE("4:K1 2:b4=ECANCELED 4:C2 2:b4=ECANCELED 3:b4=ETIMEDOUT 3:b2 4:b2=1");
}

/* One task stands there twice, and goes away with its first part. */
static void a_barrier_in_a_race(void)
{
    script_begin();
    script("|2 b3 b3", NULL);
    script("Y- b3", NULL);
    script("Y- Y- b2", NULL);
    script("Y- Y- Y- b2", NULL);
    SCRIPTS_ARE("1:|2=0 2:b3=2 3:b2 4:b2=1");
}

/* ---- What is done once ---- */

static void the_first_does_it(void)
{
    script_begin();
    script("o- Y- Y- O- o- O-", NULL);
    script("o- O-", NULL);
    script("u- o- u-", NULL);
    SCRIPTS_ARE("1:o-=1 3:u-=EAGAIN 2:o- 3:o- 1:O- 2:O-=EPERM 3:u- 1:o- 1:O-=EPERM");
    IS(things.once.done, true);
}

static void the_next_does_it_when_the_first_has_not(void)
{
    script_begin();
    script("o-", NULL);
    script("o- !5", NULL);
    script("o- Y- q-", NULL);
    script("o- e-", NULL);
    script("o- O-", NULL);
    script("o-", NULL);
    script("Z5 K4 Z5 u- o-", NULL);
    SCRIPTS_ARE("1:o-=1 2:o-=1 3:o-=1 4:o-=1 3:q- 7:K4 5:o-=1 6:o- 5:O- 7:u- 7:o-");
}

static void who_gives_up_does_nothing(void)
{
    script_begin();
    script("o- Z9 O-", NULL);
    script("o-", NULL);
    script("o- u-", NULL);
    script("<5 o- o-", NULL);
    script("K2 C3", NULL);
    SCRIPTS_ARE("1:o-=1 5:K2 3:o-=ECANCELED 5:C3 3:u-=EAGAIN 4:o-=ETIMEDOUT 4:o- 1:O-");
}

static void to_do_it_twice_is_a_deadlock(void)
{
    script_begin();
    script("o- o- u- J2 O-", NULL);
    script("Y- Y- o-", NULL);
    script("Y- La o- Ua", NULL);
    SCRIPTS_ARE("1:o-=1 1:o-=EDEADLK 3:La 1:u-=EDEADLK 1:J2=EDEADLK 2:o- 3:o- 1:O- 3:Ua");
}

static void what_waits_says_why(void)
{
    script_begin();
    things.semaphore.limit = 2;
    script("(2", NULL);
    script("e-", NULL);
    script("f-", NULL);
    script("b3", NULL);
    script("o- e-", NULL);
    script("o-", NULL);
    script("La wa", NULL);
    IS(coop_run(), -EDEADLK);
    static const char *const calls[] = {
        "1 actor waits in SemWait(slots, n 2, 0 of 2) at",
        "2 actor waits in EventWait(ready) at", "3 actor waits in FutureWait(answer) at",
        "4 actor waits in BarrierWait(start, 1 of 3) at",
        "6 actor waits in Once(config, by 5 actor) at",
        "7 actor waits in CondWait(changed, a) at",
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(world.reports, calls[i]));
    world_drop();
    nothing_is_held();
}

/* ---- Bad input, and memory ---- */

coop_routine(uses_nothing, coop_value r;)
{
    coop_begin;
#define REFUSED(...) coop_trap(my->r, __VA_ARGS__); IS(my->r, -EINVAL)
    REFUSED(SemWait, .semaphore = NULL);
    REFUSED(SemPost, .semaphore = NULL);
    REFUSED(EventWait, .event = NULL);
    REFUSED(EventSet, .event = NULL);
    REFUSED(EventClear, .event = NULL);
    REFUSED(FutureWait, .future = NULL);
    REFUSED(FutureSet, .future = NULL);
    REFUSED(BarrierWait, .barrier = NULL, .count = 1);
    REFUSED(BarrierWait, .barrier = &things.barrier, .count = -1);
    REFUSED(Once, .once = NULL);
    REFUSED(OnceDone, .once = NULL);
    coop_end;
}

static void bad_input_no_object(void)
{
    script_begin();
    coop_spawn(uses_nothing);
    script_end();
}

coop_routine(once_without_memory, int wait; coop_value r;)
{
    coop_begin;
    for (; my->wait; my->wait--)
        coop_trap(coop_void, Yield);
    no_memory = true;
    coop_trap(my->r, Once, .once = &things.once);
    no_memory = false;
    IS(my->r, -ENOMEM);
    coop_end;
}

static void no_memory_for_once(void)
{
    script_begin();
    coop_spawn(once_without_memory);
    script("Y- o- Y- Y- Y- Y- O-", NULL);
    coop_spawn(once_without_memory, .wait = 3);
    script_end();
}

static const suite_test tests[] = {
    TEST(semaphores_serve_in_order),
    TEST(who_wants_much_is_not_passed),
    TEST(a_semaphore_with_a_limit),
    TEST(who_gives_up_takes_nothing_of_a_semaphore),
    TEST(an_event_wakes_all),
    TEST(an_event_that_is_cleared_at_once),
    TEST(who_gives_up_is_not_told_of_an_event),
    TEST(a_future_is_for_all),
    TEST(a_future_that_fails),
    TEST(who_gives_up_is_not_told_of_a_future),
    TEST(a_barrier_lets_all_go),
    TEST(who_gives_up_has_not_come),
    TEST(a_barrier_in_a_race),
    TEST(the_first_does_it),
    TEST(the_next_does_it_when_the_first_has_not),
    TEST(who_gives_up_does_nothing),
    TEST(to_do_it_twice_is_a_deadlock),
    TEST(what_waits_says_why),
    TEST(bad_input_no_object),
    TEST(no_memory_for_once),
};

int main(int argc, char **argv)
{
    return world_main("sync", tests, SUITE_COUNT(tests), argc, argv, "");
}
