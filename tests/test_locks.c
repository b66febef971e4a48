/* Locks: order, ends of holders and of those who wait, deadlocks, memory. */
#include "blocks.h"
#include "script.h"

#include <errno.h>
#include <string.h>

static void first_come_first_served(void)
{
    script_begin();
    script("La Y- Y- Y- Ua", NULL);
    script("La Ua", NULL);
    script("La Ua", NULL);
    script("La Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 1:Ua 3:La 2:Ua 4:La 3:Ua 4:Ua");
    NO_REPORTS();
}

/* Who unlocks and locks again comes last. */
static void unlock_hands_over(void)
{
    script_begin();
    script("La Y- Ua La Ua", NULL);
    script("La Y- Ua", NULL);
    script("La Y- Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 1:Ua 3:La 2:Ua 1:La 3:Ua 1:Ua");
}

static void readers_share_and_writers_do_not(void)
{
    script_begin();
    script("Sa Y- Y- Y- Ua", NULL);
    script("Sa Y- Y- Ua", NULL);
    script("La Y- Ua", NULL);
    script("ta Ta", NULL);
    SCRIPTS_ARE("1:Sa 2:Sa 4:ta=EAGAIN 4:Ta=EAGAIN 2:Ua 3:La 1:Ua 3:Ua");
    script_begin();
    script("Sa Ua", NULL);
    script("ta Y- Ua", NULL);
    SCRIPTS_ARE("1:Sa 2:ta 1:Ua 2:Ua");
}

/* A reader that comes behind a writer waits; behind the writer all readers go on. */
static void writers_are_not_starved(void)
{
    script_begin();
    script("Sa Y- Y- Y- Ua", NULL);
    script("La Y- Ua", NULL);
    script("Sa Y- Ua", NULL);
    script("Sa Y- Ua", NULL);
    script("La Ua", NULL);
    SCRIPTS_ARE("1:Sa 2:La 1:Ua 3:Sa 4:Sa 2:Ua 3:Ua 5:La 4:Ua 5:Ua");
}

static void wrong_calls(void)
{
    script_begin();
    script("Ua La La Sa Ta Ua Ua Sa La Sa Ua Ua", NULL);
    SCRIPTS_ARE("1:Ua=EPERM 1:La 1:La=EDEADLK 1:Sa=EDEADLK 1:Ta=EDEADLK 1:Ua 1:Ua=EPERM "
                "1:Sa 1:La=EDEADLK 1:Sa=EDEADLK 1:Ua 1:Ua=EPERM");
    script_begin();
    script("La Y- Y- Ua", NULL);
    script("Ua", NULL);
    SCRIPTS_ARE("1:La 2:Ua=EPERM 1:Ua");
    NO_REPORTS();
}

coop_routine(uses_nothing, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Lock, .lock = NULL);
    IS(my->r, -EINVAL);
    coop_trap(my->r, Unlock, .lock = NULL);
    IS(my->r, -EINVAL);
    coop_end;
}

static void bad_input_no_lock(void)
{
    WORLD(0, uses_nothing);
}

/* ---- Those who wait end, or are out of time ---- */

static void who_is_killed_while_it_waits_takes_nothing(void)
{
    script_begin();
    script("La Y- K2 Y- Ua", NULL);
    script("La", "Ua");
    script("La Ua", NULL);
    SCRIPTS_ARE("1:La 1:K2 2:Ua=EPERM 3:La 1:Ua 3:Ua");
    NO_REPORTS();
}

static void who_is_cancelled_while_it_waits_takes_nothing(void)
{
    script_begin();
    script("La Y- C2 Y- Ua", NULL);
    script("La La Ta Ta", NULL);
    script("La Ua", NULL);
    SCRIPTS_ARE("1:La 2:La=ECANCELED 1:C2 2:La=ECANCELED 2:Ta=EAGAIN 3:La 1:Ua 2:Ta=EAGAIN "
                "3:Ua");
}

/* A cancelled task may try, and unlocks. */
static void a_cancelled_task_may_try(void)
{
    script_begin();
    script("C1 La Ta Ua ta Ua", NULL);
    SCRIPTS_ARE("1:C1 1:La=ECANCELED 1:Ta 1:Ua 1:ta 1:Ua");
}

static void who_is_out_of_time_takes_nothing(void)
{
    script_begin();
    script("La Z9 Ua", NULL);
    script("<5 La <0 La <9 La Ua", NULL);
    script("La Ua", NULL);
    SCRIPTS_ARE("1:La 2:La=ETIMEDOUT 2:La=ETIMEDOUT 3:La 1:Ua 2:La 3:Ua 2:Ua");
}

/* The writer kept back readers; when it is gone they go on. */
static void readers_behind_a_writer_that_gives_up(void)
{
    script_begin();
    script("Sa Z9 Ua", NULL);
    script("<5 La", NULL);
    script("Sa Y- Ua", NULL);
    script("Sa Ua", NULL);
    SCRIPTS_ARE("1:Sa 2:La=ETIMEDOUT 3:Sa 4:Sa 4:Ua 3:Ua 1:Ua");
    script_begin();
    script("Sa Y- K2 Z5 Ua", NULL);
    script("La", NULL);
    script("Sa Ua", NULL);
    script("La Ua", NULL);
    script("Sa Ua", NULL);
    SCRIPTS_ARE("1:Sa 1:K2 3:Sa 3:Ua 4:La 1:Ua 5:Sa 4:Ua 5:Ua");
}

/* ---- Those who hold it end ---- */

static void the_lock_of_an_ended_owner_goes_on(void)
{
    script_begin();
    script("La Y- Y-", NULL);
    script("La Ua La Ua", NULL);
    script("La Ua", NULL);
    script("La Ua", NULL);
    coop_name(1, "writer");
    SCRIPTS_ARE("1:La 2:La=EOWNERDEAD 3:La 2:Ua 4:La 3:Ua 2:La 4:Ua 2:Ua");
    IS(world.reported, 1);
    REPORTED("coop: task 1 writer ended with lock a held\n");
}

static void the_lock_of_a_killed_or_failed_owner_goes_on(void)
{
    script_begin();
    script("La Z9", NULL);
    script("Y- K1 La !5", NULL);
    script("Y- Y- Y- La Ua", NULL);
    SCRIPTS_ARE("1:La 2:K1 2:La=EOWNERDEAD 3:La=EOWNERDEAD 3:Ua");
    REPORTED("coop: task 1 actor ended with lock a held\n");
    script_begin();
    things.locks[0].name = NULL;
    script("La", NULL);
    script("Y- Y- La Ua Ta Ua", NULL);
    SCRIPTS_ARE("1:La 2:La=EOWNERDEAD 2:Ua 2:Ta 2:Ua");
    REPORTED("coop: task 1 actor ended with a lock held\n");
}

/* It was cleaned up: nothing to tell. */
static void an_owner_that_unlocks_in_its_cleanup(void)
{
    script_begin();
    script("La Z9", "Ua");
    script("Y- K1 La Ua", NULL);
    SCRIPTS_ARE("1:La 2:K1 1:Ua 2:La 2:Ua");
    NO_REPORTS();
}

/* What is half done is known to all who read it, until one could mend it. */
static void readers_of_what_an_owner_has_left(void)
{
    script_begin();
    script("La Z5", NULL);
    script("Sa Z5 Ua", NULL);
    script("Sa Ua", NULL);
    script("La Ua Sa Ua", NULL);
    SCRIPTS_ARE("1:La 2:Sa=EOWNERDEAD 3:Sa=EOWNERDEAD 3:Ua 4:La=EOWNERDEAD 2:Ua 4:Ua 4:Sa "
                "4:Ua");
    IS(world.reported, 1);
}

static void a_reader_that_ends_leaves_nothing_half_done(void)
{
    script_begin();
    script("Sa Sb", NULL);
    script("Sa Z5 Ua", NULL);
    script("La Ua Lb Ub", NULL);
    SCRIPTS_ARE("1:Sa 2:Sa 1:Sb 3:La 2:Ua 3:Ua 3:Lb 3:Ub");
    IS(world.reported, 2);
    REPORTED("coop: task 1 actor ended with lock a held\n");
}

static void all_that_a_task_holds_goes_on(void)
{
    script_begin();
    script("La Lb Sc Z5", NULL);
    script("La Ua", NULL);
    script("Y- Y- Lb Ub", NULL);
    script("Y- Y- Y- Lc Uc", NULL);
    SCRIPTS_ARE("1:La 1:Lb 1:Sc 4:Lc 3:Lb=EOWNERDEAD 2:La=EOWNERDEAD 4:Uc 3:Ub 2:Ua");
    IS(world.reported, 3);
}

/* Handed over to one that is killed before it runs: that one has it, and gives it up. */
static void killed_with_the_answer_on_its_way(void)
{
    script_begin();
    script("La Y- Ua", NULL);
    script("La e-", "Ua");
    script("Y- Y- K2 La Ua", NULL);
    SCRIPTS_ARE("1:La 1:Ua 3:K2 2:Ua 3:La 3:Ua");
    NO_REPORTS();
}
/* ---- Deadlocks ---- */

static void a_cycle_is_refused(void)
{
    script_begin();
    script("La Lb Ub Ua", NULL);
    script("Lb Y- La Ub", NULL);
    SCRIPTS_ARE("1:La 2:Lb 2:La=EDEADLK 1:Lb 2:Ub 1:Ub 1:Ua");
    script_begin();
    script("La J2 Ua", NULL);
    script("Y- La", NULL);
    SCRIPTS_ARE("1:La 2:La=EDEADLK 1:J2 1:Ua");
    NO_REPORTS();
}

/* All who share a lock have to leave it: any of them may close the cycle. */
static void a_cycle_through_readers_is_refused(void)
{
    script_begin();
    script("Lc Y- Y- La Uc", NULL);
    script("Sa Lc Uc Ua", NULL);
    script("Sa Z5 Ua", NULL);
    SCRIPTS_ARE("1:Lc 2:Sa 3:Sa 1:La=EDEADLK 2:Lc 1:Uc 2:Uc 2:Ua 3:Ua");
    script_begin();
    script("Lc Y- Y- La Uc", NULL);
    script("Sa Z5 Ua", NULL);
    script("Sa Lc Uc Ua", NULL);
    SCRIPTS_ARE("1:Lc 2:Sa 3:Sa 1:La=EDEADLK 3:Lc 1:Uc 3:Uc 3:Ua 2:Ua");
    NO_REPORTS();
}

/* The wait for the signal is no wait for a task; what comes then is. */
static void a_cycle_through_a_condition_is_reported(void)
{
    script_begin();
    script("La wa Ua", NULL);
    script("La n1 J1 Ua", NULL);
    SCRIPTS_ARE("1:La 2:La 2:n1=1 2:J1=EDEADLK 1:wa 2:Ua 1:Ua");
    script_begin();
    script("La wa", NULL);
    script("La J1", NULL);
    script("Y- Y- Y- n1", NULL);
    coop_name(1, "Ann");
    coop_name(2, "Bob");
    IS(coop_run(), -EDEADLK);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.reports,
        "coop:   task 1 Ann waits in CondWait(changed, a, held by 2 Bob) at script.c:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.reports,
        "coop:   task 2 Bob waits in WaitTask(1) at script.c:"));
    REPORTED("coop:   a cycle: 1 Ann waits for lock a held by 2 Bob, 2 Bob waits for "
             "task 1 Ann\n");
    IS(coop_deadlocks(NULL), 2);
    world_drop();
    nothing_is_held();
}

static void what_waits_says_why(void)
{
    script_begin();
    script("La e-", NULL);
    script("Sb e-", NULL);
    script("Sb e-", NULL);
    script("Sa", NULL);
    script("Lb", NULL);
    IS(coop_run(), -EDEADLK);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.reports,
                                  "waits in Lock(a, shared, held by 1 actor) at"));
    REPORTED("waits in Lock(b, read by 2 tasks) at");
    world_drop();
    nothing_is_held();
}

/* ---- As a part of WaitAny ---- */

static void a_lock_in_a_race(void)
{
    script_begin();
    script("La Lb Y- Y- Y- Ub Y- Y- Ua", NULL);
    script("Y- Y- |2 La Lb Ub", NULL);
    script("Y- Y- Lb Ub La Ua", NULL);
    SCRIPTS_ARE("1:La 1:Lb 2:|2=1 1:Ub 3:Lb 2:Ub 3:Ub 3:La 1:Ua 3:Ua");
    script_begin();
    script("La Y- E- Y- Ua", NULL);
    script("|2 La e-", NULL);
    script("La Ua", NULL);
    SCRIPTS_ARE("1:La 2:|2=1 1:E- 3:La 1:Ua 3:Ua");
    NO_REPORTS();
}

/* The one that is undone makes room for its sister, which is to be undone as well; also by
   way of another task. */
static void a_lost_race_takes_no_lock(void)
{
    script_begin();
    script("Sa Y- E- Y- Ua", NULL);
    script("|3 La Sa e-", NULL);
    script("La Ua", NULL);
    SCRIPTS_ARE("1:Sa 2:|3=2 1:E- 3:La 1:Ua 3:Ua");
    static const char *const ways[] = { "E-", "K2", "C2" };
    for (int i = 0; i < 3; i++) {
        char first[] = "Sa Sb Y- Y- .. Y- Ua Ub";
        memcpy(strchr(first, '.'), ways[i], 2);
        script_begin();
        script(first, NULL);
        script("Y- Y- |4 La Lb Sa e-", NULL);
        script("Y- Y- |2 Sb La Ub", NULL);
        script("Y- Y- Y- La Ua", NULL);
        script_end();
        CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "3:|2=0"));
        CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "4:La"));
        NO_REPORTS();
    }
}

/* It may be answered by another part, so it is no deadlock that the holder waits for it. */
static void a_race_closes_no_cycle(void)
{
    script_begin();
    script("La Y- J2 Ua", NULL);
    script("|2 La e-", NULL);
    script("Y- Y- Y- E-", NULL);
    SCRIPTS_ARE("1:La 2:|2=1 3:E- 1:J2 1:Ua");
    script_begin();
    script("La J2 Ua", NULL);
    script("Y- |2 La e-", NULL);
    script("Y- Y- Y- E-", NULL);
    SCRIPTS_ARE("1:La 2:|2=1 3:E- 1:J2 1:Ua");
    script_begin();
    script("La |2 La e- Ua", NULL);
    SCRIPTS_ARE("1:La 1:|2=0:EDEADLK 1:Ua");
}

/* ---- The end of everything ---- */

coop_routine(blocked, coop_lock *lock; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Lock, .lock = my->lock);
    coop_finally;
    coop_trap(coop_void, EventWait, .event = &things.event);
    coop_end;
}

/* Holders and those who wait are dropped at once: nothing is left in the locks. */
static void a_scheduler_that_closes_leaves_locks_free(void)
{
    script_begin();
    for (int i = 0; i < 3; i++)
        coop_spawn(blocked, .lock = &things.locks[i]);
    script("La", NULL);
    script("Lb Sc", NULL);
    script("Sc Ua", "Lc");
    IS(coop_run(), -EDEADLK);
    world_drop();
    nothing_is_held();
    for (int i = 0; i < 3; i++)
        IS(things.locks[i].orphaned_, true);
}

/* ---- Memory ---- */

coop_routine(locks_without_memory, coop_value r; int n;)
{
    coop_begin;
    for (my->n = 0; my->n < 2; my->n++) {
        blocks_fail((unsigned long)my->n + 1, true);
        coop_trap(my->r, Lock, .lock = &things.locks[0], .shared = true);
        blocks_fail(0, false);
        IS(my->r, -ENOMEM);
    }
    coop_trap(my->r, Unlock, .lock = &things.locks[0]);
    IS(my->r, -EPERM);
    no_memory = true;
    coop_trap(my->r, Lock, .lock = &things.locks[0]);
    coop_trap(my->r, Unlock, .lock = &things.locks[0]);
    no_memory = false;
    IS(my->r, 0);
    coop_end;
}

coop_routine(waits_without_memory, bool shared; coop_value r;)
{
    coop_begin;
    no_memory = true;
    coop_trap(my->r, Lock, .lock = &things.locks[0], .shared = my->shared);
    no_memory = false;
    IS(my->r, -ENOMEM);
    coop_end;
}

static void no_memory_for_a_hold(void)
{
    script_begin();
    coop_spawn(locks_without_memory);
    script_end();
    script_begin();
    script("La Y- Y- Y- Ua", NULL);
    coop_spawn(waits_without_memory, .shared = false);
    coop_spawn(waits_without_memory, .shared = true);
    script_end();
}

static const suite_test tests[] = {
    TEST(first_come_first_served),
    TEST(unlock_hands_over),
    TEST(readers_share_and_writers_do_not),
    TEST(writers_are_not_starved),
    TEST(wrong_calls),
    TEST(bad_input_no_lock),
    TEST(who_is_killed_while_it_waits_takes_nothing),
    TEST(who_is_cancelled_while_it_waits_takes_nothing),
    TEST(a_cancelled_task_may_try),
    TEST(who_is_out_of_time_takes_nothing),
    TEST(readers_behind_a_writer_that_gives_up),
    TEST(the_lock_of_an_ended_owner_goes_on),
    TEST(the_lock_of_a_killed_or_failed_owner_goes_on),
    TEST(an_owner_that_unlocks_in_its_cleanup),
    TEST(readers_of_what_an_owner_has_left),
    TEST(a_reader_that_ends_leaves_nothing_half_done),
    TEST(all_that_a_task_holds_goes_on),
    TEST(killed_with_the_answer_on_its_way),
    TEST(a_cycle_is_refused),
    TEST(a_cycle_through_readers_is_refused),
    TEST(a_cycle_through_a_condition_is_reported),
    TEST(what_waits_says_why),
    TEST(a_lock_in_a_race),
    TEST(a_lost_race_takes_no_lock),
    TEST(a_race_closes_no_cycle),
    TEST(a_scheduler_that_closes_leaves_locks_free),
    TEST(no_memory_for_a_hold),
};

int main(int argc, char **argv)
{
    return world_main("locks", tests, SUITE_COUNT(tests), argc, argv,
                      "no_memory_for_a_hold");
}
