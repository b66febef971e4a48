/* Random trees of tasks that wait for, kill and wake one another: whatever happens, each
   cleanup runs exactly once, each trap is answered or undone exactly once, and nothing is
   left behind. RANDOM_SEED runs one seed alone. The other way, any node of a tree may be a
   routine, a routine that a fiber calls, or a fiber. */
#include "park.h"
#include "random.h"

#include <errno.h>
#include <string.h>

enum { RUNS = 3000, MOST_FRAMES = 4000, MOST_TASKS = 40, STEPS = 12 };

static bool mixed;

static struct {
    int frames, tasks;             /* that began; that were made */
    int cleaned[MOST_FRAMES];
    struct traps traps;
} run;
static long killed, frames;        /* in all runs */

static void check_event(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (e->system)
        return;
    follow_traps(&run.traps, e);
    killed += e->kind == COOP_EXIT && e->status.end == COOP_KILLED;
}

enum { YIELD, PASS, SLEEP, PARK, UNPARK, CALL, SPAWN, NEW, WAIT, KILL, KILL_WAIT, READ,
       EXIT, RETURN, CHOICES };

/* Few of the steps end something, so that trees grow. */
static int choose(void)
{
    int choice = (int)below(CHOICES);
    bool ends = choice == KILL || choice == KILL_WAIT || choice >= EXIT;
    return ends && below(3) ? (int)below(WAIT + 1) : choice;
}

static bool may_spawn(void)
{
    return run.tasks < MOST_TASKS;
}

static void expect_status(coop_value r, const coop_status *status)
{
    if (status->end == COOP_NO_END)
        IS(r == -ESRCH || r == -EPERM || r == -EDEADLK, true);
    else
        IS(r, status->value);
}

/* Those that come next are routines or on fibers; true: a fiber itself. */
static bool be_a_fiber(void)
{
    as_fibers = mixed && below(2);
    return mixed && below(3) == 0;
}

static coop_value fiber_node(void *depth);

coop_declare(node, int id, depth, steps, choice, late; coop_tid tid; coop_value r;
             coop_status status;);

/* One random thing. It has no variables that outlive it, so a routine of its own. */
coop_routine(act, int depth, choice; coop_tid tid; coop_value r; coop_status status;)
{
    coop_begin;
    my->choice = choose();
    my->tid = any_task();
    if (my->choice == YIELD)
        coop_trap(my->r, Yield);
    if (my->choice == PASS)
        coop_yield(my->r, 5);
    if (my->choice == SLEEP)
        coop_trap(my->r, Sleep, .ns = below(200));
    if (my->choice == PARK)
        coop_trap(my->r, Park);
    if (my->choice == UNPARK)
        coop_trap(my->r, Unpark, .value = 1, .all = below(2));
    if (my->choice == CALL && my->depth < 6 && be_a_fiber())
        coop_await(my->r, COOP_FIBER(fiber_node, (void *)(intptr_t)(my->depth + 1)));
    else if (my->choice == CALL && my->depth < 6)
        coop_await(my->r, node, .depth = my->depth + 1);
    if (my->choice == SPAWN && may_spawn()) {
        run.tasks++;
        if (be_a_fiber())
            coop_spawn_fiber(fiber_node, NULL);
        else
            coop_spawn(node);
    }
    if (my->choice == NEW && may_spawn()) {
        run.tasks++;
        coop_trap(my->tid, NewTask, .target = be_a_fiber()
                  ? coop_create(COOP_FIBER(fiber_node, NULL)) : coop_create(node),
                  .name = below(2) ? "n" : NULL);
        IS(my->tid > 0, 1);
    }
    if (my->choice == WAIT) {
        coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
        expect_status(my->r, &my->status);
    }
    if (my->choice == KILL)
        coop_trap(my->r, KillTask, .tid = my->tid);
    if (my->choice == KILL_WAIT)
        coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    if (my->choice == READ) {
        virtual_fire(&world.machine, world.machine.clock + below(100), 5, COOP_READ);
        coop_trap(my->r, ReadWait, .fd = 5);
    }
    if (my->choice == EXIT)
        coop_trap(my->r, Exit, .value = 3);
    coop_return(my->choice == RETURN);
    coop_end;
}

coop_define(node)
{
    coop_begin;
    my->id = run.frames++;
    if (my->id >= MOST_FRAMES)
        coop_return(0);
    for (; my->steps < STEPS; my->steps++) {
        coop_await(my->r, act, .depth = my->depth);
        if (my->r)
            break;
    }
    coop_finally;
    if (my->id < MOST_FRAMES)
        run.cleaned[my->id]++;
    my->late = (int)below(4);
    if (my->late == 1)
        coop_trap(my->r, Sleep, .ns = below(50));
    if (my->late == 2) {
        coop_trap(my->r, WaitTask, .tid = any_task(), .status = &my->status);
        expect_status(my->r, &my->status);
    }
    if (my->late == 3)
        coop_trap(my->r, Yield);
    coop_end;
}

static void clean_fiber(void *id)
{
    coop_status status;
    run.cleaned[(intptr_t)id]++;
    switch (below(4)) {
    case 1: coop_sleep(below(50)); break;
    case 2: expect_status(coop_wait_task(any_task(), &status), &status); break;
    case 3: coop_yield(); break;
    }
}

/* Some of the calls, made by the fiber itself. A negative value: it is to end. */
static coop_value act_in_fiber(void)
{
    coop_status status;
    switch (below(8)) {
    case 0: return coop_sleep(below(200));
    case 1: return coop_syscall(Park);
    case 2: return coop_yield_value(5);
    case 3: coop_yield(); break;
    case 4: coop_kill_task(any_task(), below(2)); break;
    case 5: coop_syscall(KillTask, .tid = any_task(), .force = true); break;
    case 6: coop_wait_task(any_task(), &status); break;
    case 7: return below(3) ? 0 : coop_exit(3);
    }
    return 0;
}

static coop_value fiber_node(void *depth)
{
    int id = run.frames++;
    if (id >= MOST_FRAMES)
        return 0;
    IS(coop_defer(clean_fiber, (void *)(intptr_t)id), 0);
    for (int i = 0; i < STEPS; i++)
        if (below(2) ? act_in_fiber() < 0 : coop_call(act, .depth = (int)(intptr_t)depth))
            break;
    return 0;
}

/* Goes on killing and waking until nobody else is left. */
coop_routine(reaper, coop_tid tids[MOST_TASKS * 4]; coop_value n, i; bool left;)
{
    coop_begin;
    do {
        coop_trap(coop_void, Sleep, .ns = 20 + below(300));
        coop_trap(coop_void, Unpark, .value = 1, .all = true);
        my->n = coop_tasks(my->tids, MOST_TASKS * 4);
        my->left = false;
        for (my->i = 0; my->i < my->n; my->i++) {
            if (!is_another(my->tids[my->i]))
                continue;
            my->left = true;
            if (below(3) == 0)
                coop_trap(coop_void, KillTask, .tid = my->tids[my->i]);
        }
    } while (my->left);
    coop_end;
}

static void one_run(uint64_t seed)
{
    static coop_observer observer;
    memset(&run, 0, sizeof run);
    below(2);
    mixed = as_fibers;
    world_open(1 + below(3));
    observer = (coop_observer){ .event = check_event };
    coop_observe(&observer);
    coop_spawn(reaper);
    run.tasks = 3;
    coop_spawn(node);
    coop_spawn(node);
    coop_spawn(node);
    if (seed % 8) {
        IS(coop_run(), 0);
        world_close();
    } else {
        world.machine.poll_error = -EIO;           /* closed in the middle of it all */
        IS(coop_run(), -EIO);
        world_drop();
    }
    as_fibers = mixed;
    CU_ASSERT_PTR_NULL(parked);
    IS(run.traps.made, run.traps.answered);
    CU_ASSERT(run.frames < MOST_FRAMES);
    for (int i = 0; i < run.frames && i < MOST_FRAMES; i++)
        IS(run.cleaned[i], 1);
    frames += run.frames;
}

static void random_trees(void)
{
    killed = frames = 0;
    if (!random_runs(RUNS, one_run))
        return;
    /* It did test something. */
    CU_ASSERT(killed > RUNS);
    CU_ASSERT(frames > 10 * RUNS);
}

static const suite_test tests[] = {
    { "rule_8_rule_10_random_trees", random_trees },
};

int main(int argc, char **argv)
{
    return world_main("random", tests, SUITE_COUNT(tests), argc, argv, "");
}
