/* How groups end: with their routine, however that ends, and what members and others see of
   it meanwhile. */
#include "park.h"
#include "routines.h"

#include <errno.h>
#include <string.h>

/* Without coop_finally or with it, through coop_return or not: all wait. */
coop_routine(falls_through, coop_group *g; coop_tid tid; int count;)
{
    coop_begin;
    coop_trap(my->g, Group);
    coop_trap(my->tid, GroupSpawn, .group = my->g, .target = coop_create(member, .ns = 5));
    my->count++;
    say("end%d", my->count);
    coop_finally;
    say("finally-%td", my->tid);
    coop_end;
}

coop_routine(plain, coop_group *g; coop_tid tid; int count;)
{
    coop_begin;
    coop_trap(my->g, Group);
    coop_trap(my->tid, GroupSpawn, .group = my->g, .target = coop_create(member, .ns = 5));
    my->count++;
    say("end%d", my->count);
    coop_end;
}

coop_routine(returns, bool fails; coop_group *g;)
{
    coop_begin;
    coop_trap(my->g, Group);
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(member, .ns = 5, .late = 7));
    if (my->fails) {
        coop_trap(coop_void, Yield);
        coop_return(-EPIPE);
    }
    coop_return(3);
    coop_finally;
    say("finally");
    coop_end;
}

coop_routine(three_ways, coop_value r;)
{
    coop_begin;
    coop_await(my->r, falls_through);
    say("got-%s", result(my->r));
    coop_await(my->r, plain);
    say("got-%s", result(my->r));
    coop_await(my->r, returns);
    say("got-%s", result(my->r));
    coop_await(my->r, returns, .fails = true);
    say("got-%s", result(my->r));
    coop_end;
}

static void leaving_waits(void)
{
    WORLD(0, three_ways);
    LOG_IS("end1 m0-0 m0-ends finally-2 got-0 end1 m0-0 m0-ends got-0 "
           "m0-0 m0-ends finally got-3 m0-ECANCELED m0-ends finally got-EPIPE");
    NO_REPORTS();
}

/* The stepper puts GroupEnd off, and the task that goes first ends the one that made it. */
static coop_tid goes_first;
static int put_off;

static void puts_off(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (e->kind == COOP_TRAP && put_off && !strcmp(e->call->type->name, "GroupEnd")) {
        put_off--;
        coop_let_first(coop_this, goes_first);
    }
}

coop_routine(long_end, coop_group *g;)
{
    coop_begin;
    coop_trap(my->g, Group);
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(member, .ns = COOP_S(5)));
    coop_finally;
    say("finally");
    coop_end;
}

coop_routine(ender, coop_tid tid; bool cancels; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Yield);
    if (my->cancels)
        coop_trap(my->r, Cancel, .tid = my->tid);
    else
        coop_trap(my->r, KillTask, .tid = my->tid);
    say("ended-%s", result(my->r));
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    say("gone-%s", result(my->r));
    coop_end;
}

static void ended_while_put_off(void)
{
    static coop_observer observer;
    for (int cancels = 0; cancels < 2; cancels++) {
        world_open(0);
        observer = (coop_observer){ .event = puts_off };
        coop_observe(&observer);
        coop_tid tid = coop_spawn(long_end);
        goes_first = coop_spawn(ender, .tid = tid, .cancels = cancels);
        put_off = 1;
        IS(coop_run(), 0);
        IS(put_off, 0);
        LOG_IS("ended-0 m0-ECANCELED m0-ends finally gone-0");
        CU_ASSERT(world.machine.clock < COOP_S(5));
        world_close();
    }
}

/* Members wait in groups of their own, and so on, farther down than the C stack goes. */
coop_routine(chain, int depth; coop_group *g; coop_tid tid;)
{
    coop_begin;
    coop_trap(my->g, Group);
    if (my->depth)
        coop_trap(my->tid, GroupSpawn, .group = my->g,
                  .target = coop_create(chain, .depth = my->depth - 1));
    else
        coop_trap(coop_void, Sleep, .ns = COOP_S(100));
    coop_end;
}

coop_routine(cancels_chain, int depth; coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(chain, .depth = my->depth));
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    coop_trap(my->r, Cancel, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    coop_end;
}

static void groups_of_groups(void)
{
    world_open(0);
    IS(coop_main(cancels_chain, .depth = 100000), 0);
    IS(world.machine.clock, COOP_S(1));
    world_close();
}

/* A member ends the task whose group it is in, and waits for that. */
coop_routine(turns, coop_tid owner; bool cancels; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = 1);
    if (my->cancels)
        coop_trap(my->r, Cancel, .tid = my->owner, .wait = true);
    else
        coop_trap(my->r, KillTask, .tid = my->owner, .wait = true);
    say("turned-%s", result(my->r));
    coop_return(my->r);
    coop_end;
}

coop_routine(overthrown, bool cancels, waits; coop_group *g; coop_value r;)
{
    coop_begin;
    coop_trap(my->g, Group);
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(member, .ns = COOP_S(5)));
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(turns, .owner = coop_self(), .cancels = my->cancels));
    if (my->waits)
        coop_trap(my->r, GroupWait, .group = my->g);
    coop_return(my->r);
    coop_finally;
    say("finally");
    coop_end;
}

static void member_ends_its_owner(void)
{
    for (int i = 0; i < 4; i++) {
        WORLD(i == 1 ? 0 : -ECANCELED, overthrown, .cancels = i & 1, .waits = i & 2);
        LOG_IS("m0-ECANCELED m0-ends turned-ECANCELED finally");
        NO_REPORTS();
    }
}

/* What the routine returns, and what became of the members' errors. */
coop_routine(fails, int64_t ns; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Sleep, .ns = my->ns);
    coop_return(-EIO);
    coop_end;
}

coop_routine(result_of, bool passes_on; coop_value own; coop_group *g; coop_value r;)
{
    coop_begin;
    coop_trap(my->g, Group);
    coop_trap(coop_void, GroupSpawn, .group = my->g, .target = coop_create(fails, .ns = 5));
    if (my->passes_on)
        coop_trap(my->r, Sleep, .ns = 50);
    coop_return(my->passes_on && !my->own ? my->r : my->own);
    coop_end;
}

static void result_of_the_routine(void)
{
    world_open(0);
    IS(coop_main(result_of), -EIO);
    IS(coop_main(result_of, .own = 7), -EIO);
    IS(coop_main(result_of, .passes_on = true), -EIO);
    IS(coop_main(result_of, .passes_on = true, .own = 7), -EIO);
    NO_REPORTS();
    IS(coop_main(result_of, .passes_on = true, .own = -EPIPE), -EPIPE);
    REPORTED("of group ? failed: -5 EIO\n");
    IS(coop_main(result_of, .own = -EPIPE), -EPIPE);
    REPORTED("of group ? failed: -5 EIO\n");
    world_close();
}

/* A cancel that comes besides makes it cancelled all the same. */
coop_routine(cancels_failed, coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(result_of, .passes_on = true));
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Sleep, .ns = 5);
    coop_trap(coop_void, Cancel, .tid = my->tid);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, COOP_CANCELLED);
    coop_end;
}

static void failed_and_cancelled(void)
{
    WORLD(0, cancels_failed);
    REPORTED("of group ? failed: -5 EIO\n");
}

/* A group of a cleanup: what ends the task does not disturb it. */
coop_routine(cleans_with_group, coop_group *g; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    coop_finally;
    coop_trap(my->g, Group);
    coop_trap(coop_void, GroupSpawn, .group = my->g, .target = coop_create(member, .id = 1,
                                                                          .ns = 20));
    coop_trap(coop_void, GroupSpawn, .group = my->g, .target = coop_create(member, .id = 2,
                                                                          .ns = 30));
    coop_trap(my->r, Sleep, .ns = 10);
    say("%s", result(my->r));
    coop_end;
}

coop_routine(ends_cleaning, bool kills; coop_tid tid; coop_value r;)
{
    coop_begin;
    my->tid = coop_spawn(cleans_with_group);
    coop_trap(coop_void, Yield);
    if (my->kills)
        coop_trap(my->r, KillTask, .tid = my->tid);
    else
        coop_trap(my->r, Cancel, .tid = my->tid);
    coop_trap(coop_void, Sleep, .ns = 5);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(world.machine.clock, 30);
    coop_end;
}

static void group_of_a_cleanup(void)
{
    for (int kills = 0; kills < 2; kills++) {
        WORLD(0, ends_cleaning, .kills = kills);
        LOG_IS("0 m1-0 m1-ends m2-0 m2-ends");
        NO_REPORTS();
    }
}

/* Dropped as they stand, when the scheduler closes in the middle of it all. */
coop_routine(never_ends, coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Park);
    coop_finally;
    coop_trap(coop_void, Park);
    coop_end;
}

coop_routine(keeper, bool cleans; coop_group *g, *late;)
{
    coop_begin;
    coop_trap(my->g, Group, .keep = true);
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(member, .ns = 1));
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(member, .ns = 1));
    coop_trap(coop_void, GroupSpawn, .group = my->g, .target = coop_create(never_ends));
    if (my->cleans)
        coop_trap(coop_void, Sleep, .ns = 5);
    else
        coop_trap(coop_void, GroupWait, .group = my->g);
    coop_finally;
    say("never");
    coop_end;
}

static void closed_in_the_middle(void)
{
    for (int cleans = 0; cleans < 2; cleans++) {
        world_open(0);
        coop_spawn(keeper, .cleans = cleans);
        IS(coop_run(), -EDEADLK);
        REPORTED("waits in Group");
        LOG_IS("m0-0 m0-ends m0-0 m0-ends");
        world_drop();
        LOG_IS("");
        parked = NULL;
    }
}

static const suite_test tests[] = {
    TEST(leaving_waits), TEST(ended_while_put_off), TEST(groups_of_groups),
    TEST(member_ends_its_owner), TEST(result_of_the_routine),
    TEST(failed_and_cancelled), TEST(group_of_a_cleanup),
    TEST(closed_in_the_middle),
};

int main(int argc, char **argv)
{
    return world_main("group_ends", tests, SUITE_COUNT(tests), argc, argv, "");
}
