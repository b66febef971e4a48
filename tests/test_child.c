/* WaitTask for any child, and without waiting (contract rule 9). */
#include "blocks.h"

#include <errno.h>

coop_routine(gives, int after; coop_value v;)
{
    coop_begin;
    for (; my->after > 0; my->after--)
        coop_trap(coop_void, Yield);
    coop_return(my->v);
    coop_end;
}

#define CHILD(TID, ...) coop_trap(TID, NewTask, .target = coop_create(gives, __VA_ARGS__))

coop_routine(in_order_of_ends, coop_value v; coop_tid slow, quick, fails; coop_status st;)
{
    coop_begin;
    CHILD(my->slow, .after = 9, .v = 1);
    CHILD(my->quick, .after = 2, .v = 2);
    CHILD(my->fails, .after = 5, .v = -EIO);
    coop_spawn(gives, .v = 7);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD, .status = &my->st);
    IS(my->v, 2);
    IS(my->st.tid, my->quick);
    IS(my->st.end, COOP_OK);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD, .status = &my->st);
    IS(my->v, -EIO);
    IS(my->st.tid, my->fails);
    IS(my->st.end, COOP_FAILED);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
    IS(my->v, 1);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD, .status = &my->st);
    IS(my->v, -ECHILD);
    IS(my->st.end, COOP_NO_END);
    coop_end;
}

static void rule_9_any_child_in_the_order_of_their_ends(void)
{
    WORLD(0, in_order_of_ends);
}

/* Several that had ended before: the one that ended first comes first. */
coop_routine(kept_before, coop_value v; coop_tid a, b, c;)
{
    coop_begin;
    CHILD(my->a, .after = 3, .v = 1);
    CHILD(my->b, .after = 1, .v = 2);
    CHILD(my->c, .after = 2, .v = 3);
    for (my->v = 0; my->v < 9; my->v++)
        coop_trap(coop_void, Yield);
    coop_trap(my->v, WaitTask, .tid = my->c);
    IS(my->v, 3);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
    IS(my->v, 2);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD, .poll = true);
    IS(my->v, 1);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD, .poll = true);
    IS(my->v, -ECHILD);
    coop_end;
}

static void rule_9_children_that_ended_before(void)
{
    WORLD(0, kept_before);
}

coop_routine(polls, coop_value v; coop_tid tid; coop_status st; int i;)
{
    coop_begin;
    CHILD(my->tid, .after = 5, .v = 4);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD, .status = &my->st, .poll = true);
    IS(my->v, -EAGAIN);
    IS(my->st.end, COOP_NO_END);
    coop_trap(my->v, WaitTask, .tid = my->tid, .status = &my->st, .poll = true);
    IS(my->v, -EAGAIN);
    IS(my->st.end, COOP_NO_END);
    for (my->i = 0; my->v == -EAGAIN; my->i++)
        coop_trap(my->v, WaitTask, .tid = my->tid, .status = &my->st, .poll = true);
    IS(my->v, 4);
    IS(my->st.tid, my->tid);
    coop_trap(my->v, WaitTask, .tid = my->tid, .poll = true);
    IS(my->v, -ESRCH);
    coop_trap(my->v, WaitTask, .tid = coop_self(), .poll = true);
    IS(my->v, -EAGAIN);
    coop_end;
}

static void without_waiting(void)
{
    WORLD(0, polls);
}

coop_routine(takes, coop_tid tid; coop_value v;)
{
    coop_begin;
    coop_trap(my->v, WaitTask, .tid = my->tid);
    say("other-%d", (int)my->v);
    coop_end;
}

coop_routine(kills, coop_tid tid; coop_value v;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    coop_trap(my->v, KillTask, .tid = my->tid, .wait = true);
    say("killed-%d", (int)my->v);
    coop_end;
}

coop_routine(exits, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Exit, .value = 3);
    coop_end;
}

#define LEFT_IS(expected) \
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD, .poll = true); IS(my->v, expected)

coop_routine(has_its_own, coop_value v;)
{
    coop_begin;
    LEFT_IS(-ECHILD);
    CHILD(coop_void, .after = 3);
    coop_trap(coop_void, NewTask, .target = coop_create(exits));
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
    coop_end;
}

/* However a child ends: as many are left as before. */
coop_routine(ends_in_all_ways, coop_value left; coop_value v; coop_tid tid, other;)
{
    coop_begin;
    coop_spawn(gives, .after = 1000);
    LEFT_IS(my->left);
    CHILD(my->tid, .after = 5, .v = -EIO);
    coop_trap(my->v, WaitTask, .tid = my->tid);
    IS(my->v, -EIO);
    LEFT_IS(my->left);
    CHILD(my->tid, .after = 1000);
    coop_trap(my->v, Yield);
    coop_trap(my->v, KillTask, .tid = my->tid, .wait = true);
    IS(my->v, 0);
    LEFT_IS(my->left);
    CHILD(my->tid, .after = 1000);
    coop_trap(my->v, KillTask, .tid = my->tid, .wait = true);
    IS(my->v, 0);
    LEFT_IS(my->left);
    CHILD(my->tid, .after = 1000);
    coop_trap(my->v, KillTask, .tid = my->tid);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
    IS(my->v, -ECANCELED);
    LEFT_IS(my->left);
    CHILD(my->tid, .after = 5, .v = 8);
    my->other = coop_spawn(takes, .tid = my->tid);
    coop_trap(my->v, WaitTask, .tid = my->other);
    LOG_IS("other-8");
    LEFT_IS(my->left);
    CHILD(my->tid, .after = 1000);
    my->other = coop_spawn(kills, .tid = my->tid);
    coop_trap(my->v, WaitTask, .tid = my->other);
    LOG_IS("killed-0");
    LEFT_IS(my->left);
    coop_trap(my->tid, NewTask, .target = coop_create(exits));
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
    IS(my->v, 3);
    LEFT_IS(my->left);
    coop_trap(my->tid, NewTask, .target = coop_create(has_its_own));
    coop_trap(my->v, WaitTask, .tid = my->tid);
    IS(my->v, 0);
    LEFT_IS(my->left);
    my->tid = coop_spawn(has_its_own);
    coop_trap(my->v, WaitTask, .tid = my->tid);
    LEFT_IS(my->left);
    coop_end;
}

coop_routine(beside_another, coop_tid tid; coop_value v;)
{
    coop_begin;
    CHILD(my->tid, .after = 1000);
    coop_await(coop_void, ends_in_all_ways, .left = -EAGAIN);
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    LEFT_IS(-ECHILD);
    coop_end;
}

static void children_are_counted_however_they_end(void)
{
    WORLD(0, ends_in_all_ways, .left = -ECHILD);
    WORLD(0, beside_another);
}

coop_routine(is_refused, coop_value v; coop_coroutine *co; bool beside; coop_tid tid;)
{
    coop_begin;
    if (my->beside)
        CHILD(my->tid, .after = 20);
    coop_trap(my->v, NewTask);
    IS(my->v, -ENOMEM);
    LEFT_IS(my->beside ? -EAGAIN : -ECHILD);
    my->co = coop_create(gives);
    no_memory = true;
    coop_trap(my->v, NewTask, .target = my->co, .name = "a name");
    no_memory = false;
    IS(my->v, -ENOMEM);
    LEFT_IS(my->beside ? -EAGAIN : -ECHILD);
    if (my->beside)
        coop_trap(coop_void, WaitTask, .tid = COOP_CHILD);
    LEFT_IS(-ECHILD);
    coop_end;
}

static void what_did_not_become_a_child_does_not_count(void)
{
    WORLD(0, is_refused);
    WORLD(0, is_refused, .beside = true);
}

/* Some children end before it does, some while it cleans up, and it makes another one
   there. What it ends with stays as it was. */
coop_routine(parent, bool exits; coop_value v; coop_tid tid;)
{
    coop_begin;
    CHILD(my->tid, .after = 2, .v = 1);
    CHILD(my->tid, .after = 20, .v = 2);
    CHILD(my->tid, .after = 40, .v = 3);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
    say("%d", (int)my->v);
    if (my->exits)
        coop_trap(coop_void, Exit, .value = 70);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
    coop_finally;
    CHILD(my->tid, .after = 80, .v = 4);
    while (my->v != -ECHILD) {
        coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
        say("%d", (int)my->v);
    }
    coop_end;
}

coop_routine(ends_parent, bool exits; coop_tid tid; coop_value v; coop_status st; int i;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(parent, .exits = my->exits));
    for (my->i = 0; my->i < 10; my->i++)
        coop_trap(coop_void, Yield);
    LOG_IS("1");
    if (!my->exits)
        coop_trap(coop_void, KillTask, .tid = my->tid);
    coop_trap(my->v, WaitTask, .tid = my->tid, .status = &my->st);
    LOG_IS("2 3 4 -10");
    IS(my->v, my->exits ? 70 : -ECANCELED);
    IS(my->st.end, my->exits ? COOP_OK : COOP_KILLED);
    IS(my->st.by, my->exits ? 0 : coop_self());
    LEFT_IS(-ECHILD);
    coop_end;
}

static void rule_8_children_of_one_that_is_ending(void)
{
    WORLD(0, ends_parent);
    WORLD(0, ends_parent, .exits = true);
}

/* The last child goes to somebody else: there is none left to wait for. */
coop_routine(loses, bool kill; coop_value v; coop_tid tid;)
{
    coop_begin;
    CHILD(my->tid, .after = 9, .v = 5);
    if (my->kill)
        coop_spawn(kills, .tid = my->tid);
    else
        coop_spawn(takes, .tid = my->tid);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
    say("any-%d", (int)my->v);
    coop_end;
}

static void the_last_child_is_somebody_elses(void)
{
    WORLD(0, loses);
    LOG_IS("other-5 any--10");
    WORLD(0, loses, .kill = true);
    LOG_IS("killed-0 any--10");
}

coop_routine(waits_any, coop_value v; coop_tid tid;)
{
    coop_begin;
    CHILD(my->tid, .after = 9, .v = 5);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
    coop_finally;
    say("v=%d", (int)my->v);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
    say("v=%d", (int)my->v);
    coop_end;
}

/* Killed while it waits for any; in its cleanup it may wait again. */
coop_routine(kills_it, coop_tid tid; char line[64]; coop_text text; coop_info info;)
{
    coop_begin;
    my->tid = coop_spawn(waits_any);
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Yield);
    IS(coop_inspect(my->tid, &my->info), 0);
    my->text = (coop_text){ .data = my->line, .size = sizeof my->line };
    coop_call_text(my->info.call, NULL, &my->text);
    CU_ASSERT_STRING_EQUAL(my->line, "WaitTask(child)");
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    LOG_IS("v=-125 v=5");
    no_trace_of(my->tid);
    coop_end;
}

static void rule_8_killed_while_waiting_for_any(void)
{
    WORLD(0, kills_it);
}

coop_routine(for_ever, coop_tid tid; coop_value v;)
{
    coop_begin;
    my->tid = coop_self();
    coop_trap(coop_void, NewTask, .target = coop_create(takes, .tid = my->tid));
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
    coop_end;
}

static void rule_5_a_child_that_never_ends(void)
{
    world_open(0);
    IS(coop_main(for_ever), -EDEADLK);
    REPORTED("task 1 for_ever waits in WaitTask(child)");
    world_drop();
}

static const suite_test tests[] = {
    TEST(rule_9_any_child_in_the_order_of_their_ends),
    TEST(rule_9_children_that_ended_before),
    TEST(without_waiting),
    TEST(children_are_counted_however_they_end),
    TEST(what_did_not_become_a_child_does_not_count),
    TEST(rule_8_children_of_one_that_is_ending),
    TEST(the_last_child_is_somebody_elses),
    TEST(rule_8_killed_while_waiting_for_any),
    TEST(rule_5_a_child_that_never_ends),
};

int main(int argc, char **argv)
{
    return world_main("child", tests, SUITE_COUNT(tests), argc, argv, "");
}
