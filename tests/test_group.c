/* Groups at work: modes, results, limits, statuses in the order of the ends, daemons. */
#include "world.h"

#include <errno.h>

/* Takes ns, and returns what it is to; says how it was when it was disturbed. */
coop_routine(job, int id; int64_t ns; coop_value gives, r;)
{
    coop_begin;
    coop_trap(my->r, Sleep, .ns = my->ns);
    if (my->r < 0)
        say("%d-%s", my->id, result(my->r));
    coop_return(my->r < 0 ? my->r : my->gives);
    coop_end;
}

/* A group of three jobs that take 10, 20, 30. */
coop_routine(three, int mode; bool keep; coop_value gives[3], results[3]; coop_group *g;
             int i; coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_trap(my->g, Group, .mode = my->mode, .keep = my->keep);
    for (; my->i < 3; my->i++) {
        my->results[my->i] = 99;
        coop_trap(my->tid, GroupSpawn, .group = my->g, .result = &my->results[my->i],
                  .target = coop_create(job, .id = my->i, .ns = 10 * (my->i + 1),
                                        .gives = my->gives[my->i]));
        IS(my->tid > 0, 1);
    }
    coop_trap(my->r, GroupWait, .group = my->g);
    say("%td@%td", my->r, (coop_value)world.machine.clock);
    for (my->i = 0; my->i < 3; my->i++)
        say("%td", my->results[my->i]);
    coop_end;
}

static void run_three(int mode, coop_value a, coop_value b, coop_value c,
                      const char *wanted)
{
    world_open(0);
    coop_main(three, .mode = mode, .gives = { a, b, c });
    LOG_IS(wanted);
    NO_REPORTS();
    world_close();
}

static void all(void)
{
    run_three(COOP_ALL, 1, 2, 3, "0@30 1 2 3");
    run_three(COOP_ALL, 1, -5, 3, "2-ECANCELED -5@20 1 -5 -125");
    run_three(COOP_ALL, -5, 2, 3, "1-ECANCELED 2-ECANCELED -5@10 -5 -125 -125");
    run_three(COOP_ALL, 1, 2, -ECANCELED, "-125@30 1 2 -125");
}

static void any(void)
{
    run_three(COOP_ANY, 1, 2, 3, "1-ECANCELED 2-ECANCELED 1@10 1 -125 -125");
    run_three(COOP_ANY, -4, 0, 3, "2-ECANCELED 0@20 -4 0 -125");
    run_three(COOP_ANY, -4, -5, -6, "-4@30 -4 -5 -6");
    run_three(COOP_ANY, -4, -5, 7, "7@30 -4 -5 7");
}

/* What stands in a result has been told, and is not reported. */
static void each(void)
{
    run_three(COOP_EACH, 1, -5, 3, "0@30 1 -5 3");
}

/* While the owner does something else: a failure disturbs it, a success does not. */
coop_routine(busy, int mode; coop_value gives; coop_group *g; coop_value r;
             coop_cause cause;)
{
    coop_begin;
    coop_trap(my->g, Group, .mode = my->mode);
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(job, .ns = 10, .gives = my->gives));
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(job, .id = 2, .ns = 50));
    coop_trap(my->r, Sleep, .ns = 20);
    say("%s@%td", result(my->r), (coop_value)world.machine.clock);
    coop_why(&my->cause);
    if (my->cause.error)
        say("%d-%d-%s", my->cause.error, my->cause.own, my->cause.why);
    coop_trap(my->r, GroupWait, .group = my->g);
    say("%s", result(my->r));
    IS(coop_why(NULL), 0);
    coop_trap(my->r, Sleep, .ns = 20);
    IS(my->r, 0);
    coop_end;
}

static void owner_is_busy(void)
{
    world_open(0);
    IS(coop_main(busy, .gives = -EIO), 0);
    LOG_IS("2-ECANCELED ECANCELED@10 -125-1-Group EIO");
    IS(coop_main(busy, .gives = 3), 0);
    LOG_IS("0@50 0");
    IS(coop_main(busy, .mode = COOP_ANY, .gives = 3), 0);
    LOG_IS("2-ECANCELED 0@120 3");
    IS(coop_main(busy, .mode = COOP_EACH, .gives = -EIO), 0);
    LOG_IS("0@160 0");
    REPORTED("failed: -5 EIO");
    world_close();
}

/* Not more than two at once; the third waits, and others for that. */
coop_routine(crowd, coop_group *g; int i; coop_value r; coop_tid tid;)
{
    coop_begin;
    coop_trap(my->g, Group, .limit = 2, .name = "crowd");
    for (; my->i < 6; my->i++) {
        coop_trap(my->tid, GroupSpawn, .group = my->g,
                  .target = coop_create(job, .ns = 10), .name = "worker");
        say("%td@%td", my->tid, (coop_value)world.machine.clock);
        IS(my->g->living_ <= 2, 1);
    }
    coop_within(my->r, 3, GroupSpawn, .group = my->g, .target = coop_create(job));
    say("%s@%td", result(my->r), (coop_value)world.machine.clock);
    coop_trap(my->r, GroupWait, .group = my->g);
    IS(my->r, 0);
    coop_end;
}

static void limit(void)
{
    WORLD(0, crowd);
    LOG_IS("2@0 4@0 5@10 6@10 7@20 8@20 ETIMEDOUT@23");
    NO_REPORTS();
}

/* In the order in which they end, by the owner and by others. */
coop_routine(next, coop_group *g; int i; coop_value r; coop_status status; coop_tid tid;)
{
    coop_begin;
    coop_trap(my->g, Group, .mode = COOP_EACH, .keep = true);
    coop_trap(my->r, GroupNext, .group = my->g, .status = &my->status);
    IS(my->r, -ECHILD);
    IS(my->status.end, COOP_NO_END);
    for (; my->i < 4; my->i++)
        coop_trap(coop_void, GroupSpawn, .group = my->g,
                  .target = coop_create(job, .ns = 40 - 10 * my->i,
                                        .gives = my->i == 2 ? -EIO : my->i));
    coop_trap(my->r, GroupNext, .group = my->g, .poll = true);
    IS(my->r, -EAGAIN);
    coop_trap(coop_void, KillTask, .tid = 2, .why = "slow");
    do {
        coop_trap(my->r, GroupNext, .group = my->g, .status = &my->status);
        say("%td-%d-%s-%s", my->status.tid, my->status.end, result(my->r),
            my->status.why ? my->status.why : "");
    } while (my->r != -ECHILD);
    coop_trap(coop_void, GroupSpawn, .group = my->g, .target = coop_create(job, .ns = 1));
    coop_within(my->r, 5, GroupNext, .group = my->g, .status = &my->status);
    IS(my->r, 0);
    coop_trap(my->r, GroupWait, .group = my->g);
    IS(my->r, 0);
    coop_end;
}

static void order_of_the_ends(void)
{
    WORLD(0, next);
    LOG_IS("2-3-ECANCELED-slow 6-1-3- 5-2-EIO- 4-1-1- 0-0-ECHILD-");
    NO_REPORTS();
}

/* What nobody asks for is reported, if it failed. */
coop_routine(careless, int mode; coop_group *g; coop_value r;)
{
    coop_begin;
    coop_trap(my->g, Group, .mode = my->mode, .keep = true, .name = "crew");
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(job, .ns = 1, .gives = -EIO));
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(job, .ns = 1, .gives = 4));
    coop_trap(my->r, GroupWait, .group = my->g);
    coop_return(my->r);
    coop_end;
}

static void kept_and_not_asked_for(void)
{
    world_open(0);
    IS(coop_main(careless, .mode = COOP_EACH), 0);
    REPORTED("coop: task 2 of group crew failed: -5 EIO\n");
    IS(coop_main(careless, .mode = COOP_ALL), -EIO);
    NO_REPORTS();
    IS(coop_main(careless, .mode = COOP_ANY), 4);
    NO_REPORTS();
    world_close();
}

/* Those that go on for ever, and hold nobody up. */
coop_routine(daemon_, int id; coop_value r;)
{
    coop_begin;
    do
        coop_trap(my->r, Sleep, .ns = 7);
    while (my->r == 0);
    say("d%d-%s", my->id, result(my->r));
    coop_return(my->r);
    coop_end;
}

coop_routine(with_daemons, bool waits; coop_group *g; coop_value r;)
{
    coop_begin;
    coop_trap(my->g, Group, .keep = true);
    coop_trap(coop_void, GroupSpawn, .group = my->g, .daemon = true,
              .target = coop_create(daemon_, .id = 1));
    coop_trap(coop_void, GroupSpawn, .group = my->g, .target = coop_create(job, .ns = 20));
    coop_trap(coop_void, GroupSpawn, .group = my->g, .daemon = true,
              .target = coop_create(daemon_, .id = 2));
    coop_trap(my->r, GroupNext, .group = my->g);
    IS(my->r, 0);
    coop_trap(my->r, GroupNext, .group = my->g);
    IS(my->r, -ECHILD);
    say("%td", (coop_value)world.machine.clock);
    if (my->waits)
        coop_trap(my->r, GroupWait, .group = my->g);
    coop_return(my->waits ? my->r : 0);
    coop_end;
}

static void daemons(void)
{
    for (int waits = 0; waits < 2; waits++) {
        WORLD(0, with_daemons, .waits = waits);
        LOG_IS("20 d1-ECANCELED d2-ECANCELED");
        NO_REPORTS();
    }
}

/* A group that was waited for makes room for the next one, and costs no memory. */
coop_routine(again_and_again, coop_group *g, *first, *second; int i; coop_value r;)
{
    coop_begin;
    for (; my->i < 1000; my->i++) {
        coop_trap(my->g, Group, .name = my->i % 2 ? "odd" : "even");
        if (!my->first)
            my->first = my->g;
        IS(my->g == my->first, 1);
        coop_trap(coop_void, GroupSpawn, .group = my->g,
                  .target = coop_create(job, .ns = 1, .gives = my->i % 3 ? 0 : -EIO));
        if (my->i % 5 == 0)
            coop_trap(my->r, Sleep, .ns = 5);
        coop_trap(my->r, GroupWait, .group = my->g);
        IS(my->r, my->i % 3 ? 0 : -EIO);
        coop_trap(my->r, Yield);
    }
    coop_trap(my->g, Group);
    coop_trap(my->second, Group);
    IS(my->g == my->first, 1);
    IS(my->second != my->first, 1);
    coop_trap(coop_void, GroupWait, .group = my->g);
    coop_trap(my->g, Group);
    IS(my->g == my->first, 1);
    coop_end;
}

static void opened_again(void)
{
    WORLD(0, again_and_again);
}

/* Members bring others in, and groups of their own. */
coop_routine(brings, coop_group *g; int depth; coop_group *own; coop_tid tid;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = 1);
    say("%d", my->depth);
    if (my->depth == 0)
        coop_return(-EIO);
    coop_trap(my->tid, GroupSpawn, .group = my->g,
              .target = coop_create(brings, .g = my->g, .depth = my->depth - 1));
    IS(my->tid > 0, 1);
    coop_trap(my->own, Group);
    coop_trap(coop_void, GroupSpawn, .group = my->own,
              .target = coop_create(job, .id = my->depth, .ns = COOP_S(1)));
    coop_end;
}

coop_routine(brought, coop_group *g; coop_value r;)
{
    coop_begin;
    coop_trap(my->g, Group);
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(brings, .g = my->g, .depth = 3));
    coop_trap(my->r, GroupWait, .group = my->g);
    coop_return(my->r);
    coop_end;
}

static void members_of_members(void)
{
    WORLD(-EIO, brought);
    LOG_IS("3 2 1 0 3-ECANCELED 2-ECANCELED 1-ECANCELED");
    NO_REPORTS();
}

static const suite_test tests[] = {
    TEST(all), TEST(any), TEST(each), TEST(owner_is_busy), TEST(limit),
    TEST(order_of_the_ends), TEST(kept_and_not_asked_for), TEST(daemons),
    TEST(opened_again), TEST(members_of_members),
};

int main(int argc, char **argv)
{
    return world_main("group", tests, SUITE_COUNT(tests), argc, argv, "");
}
