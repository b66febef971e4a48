/* Conditions: whatever CondWait answers, however its task ends, it has the lock again. */
#include "script.h"

#include <errno.h>
#include <string.h>

static void signals_wake_in_order(void)
{
    script_begin();
    script("La wa Ua", NULL);
    script("La wa Ua", NULL);
    script("La wa Ua", NULL);
    script("Y- Y- Y- Y- Y- Y- n1 La n1 Ua n1 n1", NULL);
    SCRIPTS_ARE("1:La 2:La 3:La 1:wa 4:n1=1 1:Ua 4:La 4:n1=1 2:wa 4:Ua 2:Ua 3:wa 4:n1=1 "
                "3:Ua 4:n1");
    script_begin();
    script("La wa Ua", NULL);
    script("La wa Ua", NULL);
    script("La wa Ua", NULL);
    script("Y- Y- Y- Y- Y- Y- La nA Y- Ua nA", NULL);
    SCRIPTS_ARE("1:La 2:La 3:La 4:La 4:nA=3 1:wa 4:Ua 2:wa 1:Ua 4:nA 3:wa 2:Ua 3:Ua");
    NO_REPORTS();
}

/* Who comes for the lock before the signal has it before. */
static void the_lock_is_waited_for_in_order(void)
{
    script_begin();
    script("La wa Ua", NULL);
    script("La Y- n1 Y- Ua", NULL);
    script("Y- Y- La Ua", NULL);
    script("Y- Y- Y- Y- Y- La Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 2:n1=1 3:La 2:Ua 1:wa 3:Ua 4:La 1:Ua 4:Ua");
}

static void wrong_calls(void)
{
    script_begin();
    script("wa Sa wa Ua n1 nA", NULL);
    SCRIPTS_ARE("1:wa=EPERM 1:Sa 1:wa=EPERM 1:Ua 1:n1 1:nA");
}

coop_routine(uses_nothing, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, CondWait, .lock = &things.locks[0]);
    IS(my->r, -EINVAL);
    coop_trap(my->r, CondWait, .condition = &things.condition);
    IS(my->r, -EINVAL);
    coop_trap(my->r, CondSignal, .condition = NULL);
    IS(my->r, -EINVAL);
    coop_end;
}

static void bad_input_no_condition(void)
{
    script_begin();
    coop_spawn(uses_nothing);
    script_end();
}

/* The lock is free, or another task has it: the task that ends waits for it then. */
static void killed_in_the_wait(void)
{
    script_begin();
    script("La wa", "Ua");
    script("Y- Y- Y- K1 La Ua", NULL);
    SCRIPTS_ARE("1:La 2:K1 1:Ua 2:La 2:Ua");
    script_begin();
    script("La wa", "Ua");
    script("La K1 Y- Y- Y- Ua", NULL);
    script("Y- Y- Y- Y- La Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 2:K1 2:Ua 3:La 1:Ua 3:Ua");
    NO_REPORTS();
}

static void cancelled_in_the_wait(void)
{
    script_begin();
    script("La wa wa Ua", NULL);
    script("Y- Y- Y- C1 La Ua", NULL);
    SCRIPTS_ARE("1:La 1:wa=ECANCELED 2:C1 1:wa=ECANCELED 2:La 1:Ua 2:Ua");
    script_begin();
    script("La wa wa Ua", NULL);
    script("La C1 Y- Y- Y- Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 2:C1 1:wa=ECANCELED 2:Ua 1:wa=ECANCELED 1:Ua");
    /* Cancelled, and killed as well, while it waits for its lock. */
    script_begin();
    script("La wa", "Ua");
    script("La C1 C1 K1 Y- Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 2:C1 2:C1=EALREADY 2:K1 2:Ua 1:Ua");
    NO_REPORTS();
}

static void out_of_time_in_the_wait(void)
{
    script_begin();
    script("La <5 wa Ua", NULL);
    script("Z9 La Ua", NULL);
    SCRIPTS_ARE("1:La 1:wa=ETIMEDOUT 1:Ua 2:La 2:Ua");
    script_begin();
    script("La <5 wa <0 wa Ua", NULL);
    script("La Z9 Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 1:wa=ETIMEDOUT 2:Ua 1:wa=ETIMEDOUT 1:Ua");
    /* Its time is over and it is cancelled, in both orders: the outer reason counts. */
    script_begin();
    script("La <3 wa Ua", NULL);
    script("La Z5 C1 Z5 Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 2:C1 1:wa=ECANCELED 2:Ua 1:Ua");
    script_begin();
    script("La <5 wa Ua", NULL);
    script("La Z3 C1 Z5 Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 2:C1 1:wa=ECANCELED 2:Ua 1:Ua");
    NO_REPORTS();
}

coop_routine(limited, coop_value r; coop_cause cause;)
{
    coop_begin;
    coop_trap(my->r, Lock, .lock = &things.locks[0]);
    coop_trap(my->r, Deadline, .ns = 5);
    coop_trap(my->r, CondWait, .condition = &things.condition, .lock = &things.locks[0]);
    say("%s", result(my->r));
    IS(coop_why(&my->cause), -ETIMEDOUT);
    IS(my->cause.own, true);
    coop_trap(my->r, CondWait, .condition = &things.condition, .lock = &things.locks[0]);
    say("%s", result(my->r));
    coop_trap(my->r, Unlock, .lock = &things.locks[0]);
    IS(my->r, 0);
    coop_end;
}

static void a_deadline_in_the_wait(void)
{
    script_begin();
    coop_spawn(limited);
    SCRIPTS_ARE("ETIMEDOUT ETIMEDOUT");
    script_begin();
    coop_spawn(limited);
    script("Y- La Z9 Ua", NULL);
    SCRIPTS_ARE("2:La ETIMEDOUT 2:Ua ETIMEDOUT");
}

/* Nothing but its lock can end the wait of a task whose time is over: a deadlock. */
static void out_of_time_in_a_deadlock(void)
{
    script_begin();
    script("La <5 wa", NULL);
    script("La e-", NULL);
    IS(coop_run(), -EDEADLK);
    REPORTED("coop:   task 1 actor waits in Within(5ns, CondWait(changed, a, held by 2 "
             "actor)) at script.c:");
    world_drop();
    nothing_is_held();
}

/* Who gives up on its way back to the lock leaves the signal to the next. */
static void a_signal_is_not_lost(void)
{
    static const char *const ways[] = { "K1", "C1" };
    for (int i = 0; i < 2; i++) {
        char second[] = "Y- Y- Y- Y- La n1 .. Ua";
        memcpy(strchr(second, '.'), ways[i], 2);
        script_begin();
        script("La wa", "Ua");
        script(second, NULL);
        script("La wa Ua", NULL);
        script_end();
        CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "2:n1=1"));
        CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "3:wa"));
    }
    NO_REPORTS();
    /* A signal for all was not for those who came later. */
    script_begin();
    script("La wa", "Ua");
    script("Y- Y- La nA Y- Y- K1 Ua Z5 n1", NULL);
    script("Y- Y- Y- Y- Y- Lb wb Ub", NULL);
    SCRIPTS_ARE("1:La 2:La 2:nA=1 3:Lb 2:K1 2:Ua 1:Ua 3:wb 2:n1=1 3:Ub");
}

/* The kill waits for a task that waits for the killer's lock. */
static void the_killer_has_the_lock(void)
{
    script_begin();
    script("La wa", "Ua");
    script("La k1 Ua k1", NULL);
    SCRIPTS_ARE("1:La 2:La 2:k1=EDEADLK 2:Ua 1:Ua 2:k1");
}

static void the_owner_has_ended_meanwhile(void)
{
    script_begin();
    script("La wa Ua", NULL);
    script("La n1", NULL);
    SCRIPTS_ARE("1:La 2:La 2:n1=1 1:wa=EOWNERDEAD 1:Ua");
    REPORTED("coop: task 2 actor ended with lock a held\n");
    /* One that is cancelled does not hear of it; the next does. */
    script_begin();
    script("La wa Ua", NULL);
    script("La C1", NULL);
    script("Y- Y- Y- Y- Y- La Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 2:C1 1:wa=ECANCELED 1:Ua 3:La=EOWNERDEAD 3:Ua");
    script_begin();
    script("La wa", NULL);
    script("Y- Y- La", NULL);
    script("Y- Y- Y- Y- Y- C1 La Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 1:wa=ECANCELED 3:C1 3:La=EOWNERDEAD 3:Ua");
}

/* ---- As a part of WaitAny: it has the lock again, whoever wins ---- */

static void a_condition_in_a_race(void)
{
    script_begin();
    script("La |2 wa e- Ua", NULL);
    script("Y- Y- n1 E-", NULL);
    SCRIPTS_ARE("1:La 1:|2=0 2:n1=1 1:Ua 2:E-");
    script_begin();
    script("La |2 wa e- Ua", NULL);
    script("Y- Y- E- n1 La Ua", NULL);
    SCRIPTS_ARE("1:La 1:|2=1 2:E- 1:Ua 2:n1 2:La 2:Ua");
    /* Beaten while another task has the lock, with the signal and without. */
    script_begin();
    script("La |2 wa e- Ua", NULL);
    script("La E- Z5 Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 2:E- 1:|2=1 2:Ua 1:Ua");
    script_begin();
    script("La |2 wa e- Ua", NULL);
    script("La n1 E- Z5 Ua", NULL);
    script("Lb wb Ub", NULL);
    SCRIPTS_ARE("1:La 3:Lb 2:La 2:n1=1 2:E- 3:wb 3:Ub 1:|2=1 2:Ua 1:Ua");
    /* Ended before any has won. */
    script_begin();
    script("La |2 wa e- Ua", NULL);
    script("La C1 Z5 Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 2:C1 1:|2=ECANCELED 2:Ua 1:Ua");
    script_begin();
    script("La |2 wa e-", "Ua");
    script("La K1 Z5 Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 2:K1 2:Ua 1:Ua");
    NO_REPORTS();
}

/* It gives up what a sister of it takes: the lock is held all the same. */
static void a_condition_that_races_its_lock(void)
{
    script_begin();
    script("La |2 wa La Ua", NULL);
    SCRIPTS_ARE("1:La 1:|2=1 1:Ua");
    script_begin();
    script("La |2 wa Sa Ua La Ua", NULL);
    SCRIPTS_ARE("1:La 1:|2=1 1:Ua 1:La 1:Ua");
    script_begin();
    script("La Y- Y- |2 wa La Ua", NULL);
    script("La Y- n1 Y- Y- Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 2:n1=1 1:|2=1 2:Ua 1:Ua");
    script_begin();
    script("La Y- Y- |3 wa La wb Ua", NULL);
    script("La Y- n1 Y- Y- Ua n1", NULL);
    SCRIPTS_ARE("1:La 2:La 2:n1 1:|3=2:EPERM 2:Ua 1:Ua 2:n1");
}

/* Both wait for the one signal, with locks of their own; one is not to have it from the
   other while both are undone. */
static void two_conditions_in_a_race(void)
{
    static const char *const ways[] = { "E-", "K1", "C1" };
    for (int i = 0; i < 3; i++) {
        char second[] = "La n1 .. Z5 Ua La Ua Lb Ub";
        memcpy(strchr(second, '.'), ways[i], 2);
        script_begin();
        script("La Lb |3 wa wb e-", "Ua Ub");
        script(second, NULL);
        script_end();
        CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "2:Lb 2:Ub"));
        CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "1:Ua"));
        CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "1:Ub"));
        CU_ASSERT_PTR_NULL(strstr(world.log, "EPERM"));
        NO_REPORTS();
    }
}

/* ---- The end of everything: all who want the lock once more are let go ---- */

static void a_scheduler_that_closes_lets_go(void)
{
    script_begin();
    script("La wa", "wa");
    script("Y- Y- La wa", "wa");
    script("Y- Y- Y- Y- La wa", "wa");
    script("Y- Y- Y- Y- Y- Y- La e-", "e- Ua");
    IS(coop_run(), -EDEADLK);
    world_drop();
    nothing_is_held();
    /* The last to come is the first to get it. */
    script_begin();
    script("Y- Y- Y- Y- La wa", NULL);
    script("Y- Y- La wa", NULL);
    script("La wa", NULL);
    script("Y- Y- Y- Y- Y- Y- La nA e-", "e- Ua");
    IS(coop_run(), -EDEADLK);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "4:nA=3"));
    world_drop();
    nothing_is_held();
}

static const suite_test tests[] = {
    TEST(signals_wake_in_order),
    TEST(the_lock_is_waited_for_in_order),
    TEST(wrong_calls),
    TEST(bad_input_no_condition),
    TEST(killed_in_the_wait),
    TEST(cancelled_in_the_wait),
    TEST(out_of_time_in_the_wait),
    TEST(a_deadline_in_the_wait),
    TEST(out_of_time_in_a_deadlock),
    TEST(a_signal_is_not_lost),
    TEST(the_killer_has_the_lock),
    TEST(the_owner_has_ended_meanwhile),
    TEST(a_condition_in_a_race),
    TEST(a_condition_that_races_its_lock),
    TEST(two_conditions_in_a_race),
    TEST(a_scheduler_that_closes_lets_go),
};

int main(int argc, char **argv)
{
    return world_main("conditions", tests, SUITE_COUNT(tests), argc, argv, "");
}
