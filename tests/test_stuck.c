/* Deadlocks of some tasks while others go on (coop_deadlocks): those that wait for one
   another, and those that wait for what nobody else can reach. */
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An object that only who has its address can do something with, as a channel. */
struct box { coop_call *waiting; };
struct coop_Take { coop_call base; struct box *box; };

static coop_value take_handle(coop_sched *s, coop_call *call)
{
    (void)s;
    coop_list_add(&((struct coop_Take *)call)->box->waiting, call);
    return COOP_WAIT;
}

static bool take_undo(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_list_remove(&((struct coop_Take *)call)->box->waiting, call);
}

static void take_touches(const coop_call *call, coop_touch *touch)
{
    touch->object = (uintptr_t)((const struct coop_Take *)call)->box;
    touch->what = "box";
    touch->hidden = true;
}

static const coop_call_type coop_Take_type = {
    .name = "Take", .handle = take_handle, .undo = take_undo, .touches = take_touches
};

coop_routine(taker, struct box *box; bool mine;)
{
    coop_begin;
    coop_trap(coop_void, Take, .box = my->box);
    coop_finally;
    if (my->mine)
        free(my->box);
    coop_end;
}

/* Gives the only pointer away, and waits for what comes of it. */
coop_routine(giver, struct box *box; coop_tid tid; int64_t ns;)
{
    coop_begin;
    my->box = calloc(1, sizeof (struct box));
    my->tid = coop_spawn(taker, .box = my->box, .mine = true);
    my->box = NULL;
    if (my->ns)
        coop_trap(coop_void, Deadline, .ns = my->ns);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    coop_end;
}

static char told[2000];

static coop_value deadlocks(void)
{
    coop_text text = { .data = told, .size = sizeof told };
    told[0] = '\0';
    return coop_deadlocks(&text);
}

static void ignore(void *arg, uintptr_t at, const uintptr_t *words, size_t count)
{
    (void)arg;
    (void)at;
    (void)words;
    (void)count;
}

/* valgrind has copies of what is in the registers and on the stacks. */
static bool can_read_memory(void)
{
    static uintptr_t copy[COOP_COPY_SIZE / sizeof (uintptr_t)];
    return !under_valgrind() && coop_read_memory(ignore, NULL, copy) == 0;
}

coop_routine(looks, coop_value expected; struct box *box;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    IS(deadlocks(), my->expected);
    coop_end;
}

static void two_that_wait_for_a_box_that_is_lost(void)
{
    if (!can_read_memory())
        return;
    world_open(0);
    coop_spawn(giver);
    coop_spawn(looks, .expected = 2);
    IS(coop_run(), -EDEADLK);
    CU_ASSERT_PTR_NOT_NULL(strstr(told,
                                  "  task 1 giver waits in WaitTask(3) at test_stuck.c:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "  task 3 taker waits in Take() at test_stuck.c:"));
    world_drop();
}

/* The same with a channel, which is larger than all that other tests had at its place. */
coop_routine(receiver, coop_chan *chan;)
{
    coop_begin;
    coop_trap(coop_void, ChanRecv, .chan = my->chan);
    coop_finally;
    IS(coop_chan_free(my->chan), 0);
    coop_end;
}

coop_routine(gives_channel, coop_chan *chan; coop_tid tid;)
{
    coop_begin;
    my->chan = coop_chan_open(0, 9999, "lost");
    my->tid = coop_spawn(receiver, .chan = my->chan);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    coop_end;
}

static void a_channel_that_is_lost(void)
{
    if (!can_read_memory())
        return;
    world_open(0);
    coop_spawn(gives_channel);
    coop_spawn(looks, .expected = 2);
    IS(coop_run(), -EDEADLK);
    CU_ASSERT_PTR_NOT_NULL(strstr(told,
                                  "receiver waits in ChanRecv(lost, cap 9999, 0 queued)"));
    world_drop();
}

/* The same on the stacks of fibers. */
static coop_value fiber_receives(void *chan)
{
    coop_chan_recv(chan, NULL);
    return coop_chan_free(chan);
}

static coop_value fiber_gives(void *arg)
{
    coop_chan *chan = coop_chan_open(0, 19999, "lost");
    (void)arg;
    return coop_wait_task(coop_spawn_fiber(fiber_receives, chan), NULL);
}

static void a_channel_that_fibers_lost(void)
{
    if (!can_read_memory())
        return;
    world_open(0);
    coop_spawn_fiber(fiber_gives, NULL);
    coop_spawn(looks, .expected = 2);
    IS(coop_run(), -EDEADLK);
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "ChanRecv(lost, cap 19999, 0 queued)"));
    world_drop();
}

/* A task that can go on has the box, or a place that it may look into. */
static struct box *everybodys;

coop_routine(has_it_too, struct box *box; coop_tid tid; bool everybody;)
{
    coop_begin;
    my->box = calloc(1, sizeof (struct box));
    my->tid = coop_spawn(taker, .box = my->box);
    if (my->everybody) {
        everybodys = my->box;
        my->box = NULL;
    }
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    free(my->box ? my->box : everybodys);
    everybodys = NULL;             /* the next box may be at the same place */
    coop_end;
}

static void a_box_that_somebody_has_is_no_deadlock(void)
{
    for (int everybody = 0; everybody < 2; everybody++) {
        world_open(0);
        coop_spawn(has_it_too, .everybody = everybody);
        coop_spawn(looks, .expected = 0);
        IS(coop_run(), 0);
        IS(strlen(told), 0);
        world_close();
    }
}

static void who_has_a_deadline_is_not_stuck(void)
{
    if (!can_read_memory())
        return;
    world_open(0);
    coop_spawn(giver, .ns = COOP_S(5));
    coop_spawn(looks, .expected = 1);
    IS(coop_run(), -EDEADLK);
    CU_ASSERT_PTR_NULL(strstr(told, "giver"));
    world_drop();
}

/* Two that hold what the other wants, and one that waits for one of them. */
struct coop_Want { coop_call base; coop_tid holder; const char *name; coop_call **list; };

static coop_value want_handle(coop_sched *s, coop_call *call)
{
    (void)s;
    coop_list_add(((struct coop_Want *)call)->list, call);
    return COOP_WAIT;
}

static bool want_undo(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_list_remove(((struct coop_Want *)call)->list, call);
}

static void want_touches(const coop_call *call, coop_touch *touch)
{
    const struct coop_Want *c = (const struct coop_Want *)call;
    *touch = (coop_touch){ .holder = c->holder, .what = "lock", .name = c->name };
}

static const coop_call_type coop_Want_type = {
    .name = "Want", .handle = want_handle, .undo = want_undo, .touches = want_touches
};

static coop_call *wanting;

coop_routine(wants, coop_tid holder; const char *name; coop_value v, i;)
{
    coop_begin;
    if (my->name)
        coop_trap(coop_void, Want, .holder = my->holder, .name = my->name,
                  .list = &wanting);
    else
        coop_any(my->i, my->v, (Want, .holder = my->holder, .list = &wanting),
                 (WaitTask, .tid = my->holder));
    coop_end;
}

static void a_cycle_is_told_while_others_go_on(void)
{
    world_open(0);
    coop_spawn(wants, .holder = 2, .name = "db");
    coop_spawn(wants, .holder = 1, .name = "log");
    coop_spawn(wants, .holder = 1);
    coop_spawn(looks, .expected = 3);
    coop_spawn(wants, .holder = 4, .name = "free soon");
    IS(coop_run(), -EDEADLK);
    CU_ASSERT_PTR_NOT_NULL(strstr(told,
                                  "  a cycle: 1 wants waits for lock db held by 2 wants, "
                                  "2 wants waits for lock log held by 1 wants\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(told,
                                  "  task 3 wants waits in WaitAny(Want(), WaitTask(1))"));
    CU_ASSERT_PTR_NULL(strstr(told, "task 5"));
    REPORTED("coop:   a cycle: 1 wants waits for lock db held by 2 wants, ");
    world_drop();
}

static void nobody_is_stuck_outside_of_a_run(void)
{
    IS(coop_deadlocks(NULL), 0);
    world_open(0);
    IS(coop_deadlocks(NULL), 0);
    coop_spawn(looks);
    IS(deadlocks(), 0);
    IS(coop_run(), 0);
    world_close();
}

static const suite_test tests[] = {
    TEST(two_that_wait_for_a_box_that_is_lost),
    TEST(a_channel_that_is_lost),
    TEST(a_channel_that_fibers_lost),
    TEST(a_box_that_somebody_has_is_no_deadlock),
    TEST(who_has_a_deadline_is_not_stuck),
    TEST(a_cycle_is_told_while_others_go_on),
    TEST(nobody_is_stuck_outside_of_a_run),
};

/* Not once more on fibers: what the first time has left in memory would be found. */
int main(int argc, char **argv)
{
    return suite_main("stuck", tests, SUITE_COUNT(tests), argc, argv);
}
