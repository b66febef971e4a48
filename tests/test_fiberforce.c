/* Fibers that do not end when they are to: told of, and ended by force. */
#include "world.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Each goes on in its own way. */
static coop_value sleeps(void *arg)
{
    coop_defer(say_it, arg);
    for (;;)
        coop_sleep(10);
    return 0;
}

static coop_value looks(void *arg)
{
    coop_defer(say_it, arg);
    for (;;)
        coop_get_tid();
    return 0;
}

coop_routine(naps, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = 10);
    coop_end;
}

static coop_value calls(void *arg)
{
    coop_defer(say_it, arg);
    for (;;)
        coop_call(naps);
    return 0;
}

static coop_value yields(void *arg)
{
    coop_defer(say_it, arg);
    for (;;)
        coop_yield_value(1);
    return 0;
}

static coop_value (*const kinds[])(void *) = { sleeps, looks, calls, yields };
enum { KINDS = sizeof kinds / sizeof *kinds };

coop_routine(uses_force, int kind, i; coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(COOP_FIBER(kinds[my->kind], "d")),
              .name = "mule");
    coop_trap(coop_void, Yield);
    coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, 0);
    for (; my->i < 250000 && !world.reported; my->i++)
        coop_trap(coop_void, Yield);
    IS(world.reported, 1);
    REPORTED("coop: task 2 mule is to end, and goes on making calls");
    coop_trap(coop_void, Yield);
    LOG_IS("");
    coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, -EALREADY);
    coop_trap(my->r, KillTask, .tid = my->tid, .force = true);
    IS(my->r, 0);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, COOP_KILLED);
    LOG_IS("d");
    coop_end;
}

static void told_of_and_forced(void)
{
    for (int kind = 0; kind < KINDS; kind++) {
        WORLD(0, uses_force, .kind = kind);
        NO_REPORTS();
    }
}

coop_routine(stops, int slices;)
{
    coop_begin;
    for (; my->slices; my->slices--)
        coop_trap(coop_void, Yield);
    coop_stop(coop_this, -EINTR);
    coop_end;
}

static void closing_uses_force(void)
{
    for (int slices = 0; slices < 3; slices++) {
        world_open(0);
        if (slices == 0)
            coop_spawn(stops);
        for (int kind = 0; kind < KINDS; kind++)
            coop_spawn(COOP_FIBER(kinds[kind], "d"));
        if (slices > 0)
            coop_spawn(stops, .slices = slices);
        IS(coop_run(), -EINTR);
        world_drop();
        LOG_IS("d d d d");
        IS(world.reported, KINDS);
        REPORTED("is to end, and goes on making calls");
    }
}

static void to_close_by_hand_uses_force(void)
{
    world_open(0);
    for (int kind = 0; kind < KINDS; kind++) {
        coop_coroutine *co = coop_create(COOP_FIBER(kinds[kind], "d"));
        IS(coop_co_next(co, NULL) > 0, 1);
        IS(coop_co_free(co), -EPROTO);
        LOG_IS("d");
        REPORTED(" is to end, and goes on making calls");
    }
    world_close();
}

/* ---- Of several frames, and in each state ---- */

static coop_value holds(void *arg);

coop_routine(between, const char *name; coop_value r;)
{
    coop_begin;
    coop_await(my->r, COOP_FIBER(sleeps, "inner"));
    say("never");
    coop_finally;
    coop_trap(my->r, Sleep, .ns = 10);
    IS(my->r, 0);
    say("%s", my->name);
    coop_end;
}

static coop_value holds(void *arg)
{
    coop_defer(say_it, arg);
    coop_call(between, .name = "between");
    say("never");
    return 0;
}

coop_routine(below, coop_value r;)
{
    coop_begin;
    coop_await(my->r, COOP_FIBER(holds, "outer"));
    say("never");
    coop_finally;
    say("below");
    coop_end;
}

coop_routine(forces, bool early; coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_trap(my->tid, NewTask, .target = coop_create(below));
    if (!my->early)
        coop_trap(coop_void, Yield);
    coop_trap(my->r, KillTask, .tid = my->tid, .force = true, .wait = true);
    IS(my->r, 0);
    no_trace_of(my->tid);
    coop_trap(my->r, KillTask, .tid = my->tid, .force = true);
    IS(my->r, -ESRCH);
    coop_end;
}

static void all_fibers_of_a_call_stack(void)
{
    WORLD(0, forces);
    LOG_IS("inner between outer below");
    NO_REPORTS();
}

/* It comes as far as its first call, and its defers are there then. */
coop_routine(forces_early, coop_tid tid; coop_value r;)
{
    coop_begin;
    my->tid = coop_spawn(COOP_FIBER(sleeps, "d"));
    coop_trap(my->r, KillTask, .tid = my->tid, .force = true, .wait = true);
    IS(my->r, 0);
    LOG_IS("d");
    coop_end;
}

static void before_it_began(void)
{
    WORLD(0, forces_early);
    NO_REPORTS();
}

static void cleans_slowly(void *arg)
{
    IS(coop_sleep(10), 0);
    IS(coop_call(naps), 0);
    IS(coop_syscall(KillTask, .tid = coop_get_tid(), .force = true), 0);
    IS(coop_sleep(10), 0);
    say("%s", (const char *)arg);
}

static coop_value has_to_clean(void *arg)
{
    coop_defer(cleans_slowly, arg);
    return 0;
}

coop_routine(forces_late, coop_tid tid; coop_value r;)
{
    coop_begin;
    my->tid = coop_spawn(COOP_FIBER(has_to_clean, "clean"));
    coop_trap(coop_void, Yield);
    coop_trap(my->r, KillTask, .tid = my->tid, .force = true, .wait = true);
    IS(my->r, 0);
    LOG_IS("clean");
    coop_end;
}

static void defers_are_not_disturbed(void)
{
    WORLD(0, forces_late);
    NO_REPORTS();
}

static coop_value forces_itself(void *arg)
{
    coop_defer(say_it, arg);
    coop_syscall(KillTask, .tid = coop_get_tid(), .force = true);
    say("never");
    return 0;
}

static void oneself(void)
{
    WORLD(-ECANCELED, COOP_FIBER(forces_itself, "d"));
    LOG_IS("d");
}

/* ---- Blocked for ever ---- */

static char *page;

static void waits_for_ever(void *arg)
{
    char here = 0;
    page = &here - (uintptr_t)&here % (uintptr_t)sysconf(_SC_PAGESIZE);
    coop_wait_task(*(coop_tid *)arg, NULL);
}

static coop_value blocks(void *arg)
{
    coop_defer(waits_for_ever, arg);
    return 0;
}

/* The two wait for each other's end, but not in one call each, which would be refused. */
static void what_is_blocked_for_ever_gives_its_stack_back(void)
{
    unsigned char seen;
    struct { coop_tid a, b; } tids;
    world_open(0);
    tids.a = coop_spawn(COOP_FIBER(blocks, &tids.b));
    tids.b = coop_spawn(COOP_FIBER(blocks, &tids.a));
    tids.b = coop_spawn(COOP_FIBER(sleeps, "d"));
    world.machine.poll_error = -EIO;
    IS(coop_run(), -EIO);
    IS(mincore(page, 1, &seen), 0);
    world_drop();
    IS(mincore(page, 1, &seen), -1);
}

static const suite_test tests[] = {
    TEST(told_of_and_forced),
    TEST(closing_uses_force),
    TEST(to_close_by_hand_uses_force),
    TEST(all_fibers_of_a_call_stack),
    TEST(before_it_began),
    TEST(defers_are_not_disturbed),
    TEST(oneself),
    TEST(what_is_blocked_for_ever_gives_its_stack_back),
};

int main(int argc, char **argv)
{
    return suite_main("fiberforce", tests, SUITE_COUNT(tests), argc, argv);
}
