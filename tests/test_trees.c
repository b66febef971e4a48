/* Random trees of tasks in groups, with deadlines, shields and calls made of others, which
   kill and cancel one another and have their traps put off: whatever happens, each cleanup
   runs once, behind the last member of its routine's groups; calls fail when coop_why says
   so and only then; each trap is answered once; and nothing is left. RANDOM_SEED runs one
   seed. */
#include "park.h"
#include "random.h"

#include <errno.h>
#include <string.h>

enum { RUNS = 6000, MOST_FRAMES = 4000, MOST_TASKS = 50, MOST_GROUPS = 60, STEPS = 10 };

static struct {
    int frames, tasks;
    int cleaned[MOST_FRAMES];
    struct traps traps;
    struct { coop_group *group; int owner; } groups[MOST_GROUPS];
    int group_count;
    coop_call *clinging;
    bool shows;
} run;
static long frames, killed, cancelled, late, put_off;      /* in all runs */

/* Cling cannot be undone; Release ends it, if all are to go, with those who are parked. */
struct coop_Cling { coop_call base; };
struct coop_Release { coop_call base; bool all; };

static coop_value cling(coop_sched *s, coop_call *call)
{
    (void)s;
    coop_list_add(&run.clinging, call);
    return COOP_WAIT;
}

static bool stay(coop_sched *s, coop_call *call)
{
    (void)s;
    (void)call;
    return false;
}

static coop_value release(coop_sched *s, coop_call *call)
{
    coop_call *first;
    while ((first = coop_list_take(&parked)))
        coop_wake(s, first, 1);
    while (((struct coop_Release *)call)->all && (first = coop_list_take(&run.clinging)))
        coop_wake(s, first, 1);
    return 0;
}

static const coop_call_type coop_Cling_type = {
    .name = "Cling", .outside = true, .handle = cling, .undo = stay
};
static const coop_call_type coop_Release_type = { .name = "Release", .handle = release };

/* Now and then a ready task goes before a trap that is put off; but not where it may be the
   last one in which the group of another is there. */
static bool puts_off(const coop_call *call)
{
    static const char *const fixed[] = {
        "GroupSpawn", "GroupNext", "GroupCancel", "WaitAny"
    };
    coop_tid ready[MOST_TASKS];
    if (below(30) || coop_this->closing)
        return false;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (!strcmp(call->type->name, fixed[i]))
            return false;
    coop_value n = coop_ready_tasks(ready, MOST_TASKS);
    if (n == 0 || n > MOST_TASKS)
        return false;
    coop_let_first(coop_this, ready[below((unsigned)n)]);
    put_off++;
    return true;
}

/* Whatever is told can be shown. */
static void show(const coop_event *e)
{
    char buf[400];
    coop_text text = { .data = buf, .size = sizeof buf };
    if (e->kind == COOP_RUN)
        return;
    if (e->kind == COOP_TRAP)
        coop_call_text(e->call, NULL, &text);
    else
        coop_event_text(e, &text);
    IS(text.used > 0, true);
}

static void check_event(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (run.shows)
        show(e);
    if (e->system || (e->kind == COOP_TRAP && puts_off(e->call)))
        return;
    follow_traps(&run.traps, e);
    if (e->kind == COOP_RESULT || e->kind == COOP_WAKE || e->kind == COOP_UNDO) {
        late += e->value == -ETIMEDOUT;
    } else if (e->kind == COOP_EXIT) {
        killed += e->status.end == COOP_KILLED;
        cancelled += e->status.end == COOP_CANCELLED;
    }
}

static bool may_spawn(void)
{
    return run.tasks < MOST_TASKS && ++run.tasks;
}

/* Others may use a routine's first group, which is there until it comes to its cleanup. */
static void show_group(coop_group *group, int owner)
{
    for (int i = 0; i < run.group_count; i++)
        if (run.groups[i].owner == owner)
            return;
    run.groups[run.group_count].group = group;
    run.groups[run.group_count++].owner = owner;
}

static void forget_group(int owner)
{
    for (int i = 0; i < run.group_count; i++)
        if (run.groups[i].owner == owner)
            run.groups[i] = run.groups[--run.group_count];
}

/* How a call that can wait may end, when before it coop_why gave that. It may have been put
   off, and more have come meanwhile. */
static void expect(coop_value r, int why)
{
    int now = coop_why(NULL);
    if (why || r == -ECANCELED || r == -ETIMEDOUT)
        IS(now != 0, true);
    if (why)
        IS(r == why || r == now, true);
}

enum { YIELD, SLEEP, PARK, FAR, CLING, RELEASE, CALL, SPAWN, NEW, WAIT, CHILD, ANY, WITHIN,
       READ, TOGETHER, JOIN, NEXT, SOME, CANCEL, CANCEL_WAIT, KILL, KILL_WAIT, STOP, EXIT,
       RETURN, FAIL, CHOICES };

/* Few of the steps end something, so that trees grow. */
static int choose(void)
{
    int choice = (int)below(CHOICES);
    return choice >= CANCEL && below(3) ? (int)below(CANCEL) : choice;
}

coop_declare(node, int id, owner, depth, steps, choice, late, through;
             coop_group *group, *last; coop_value r;);

/* One random thing. */
coop_routine(act, int depth, choice, why, at; coop_tid tid; coop_value r, v;
             coop_status status;)
{
    coop_begin;
    my->choice = choose();
    my->tid = any_task();
    if (below(5) == 0)
        coop_trap(coop_void, Deadline, .ns = (int)below(100) - 5);
    if (below(8) == 0)
        coop_trap(coop_void, Shield);
    my->at = run.group_count ? (int)below((unsigned)run.group_count) : -1;
    my->why = coop_why(NULL);
    if (my->choice == YIELD)
        coop_trap(my->r, Yield);
    if (my->choice == SLEEP) {
        coop_trap(my->r, Sleep, .ns = below(200));
        expect(my->r, my->why);
    }
    if (my->choice == PARK) {
        coop_trap(my->r, Park);
        expect(my->r, my->why);
    }
    if (my->choice == FAR) {
        coop_trap(my->r, Far);
        expect(my->r, my->why);
    }
    if (my->choice == CLING) {
        coop_trap(my->r, Cling);
        expect(my->r, my->why);
    }
    if (my->choice == RELEASE)
        coop_trap(my->r, Release);
    if (my->choice == CALL && my->depth < 6)
        coop_await(my->r, node, .depth = my->depth + 1);
    if (my->choice == SPAWN && may_spawn())
        coop_spawn(node);
    if (my->choice == NEW && may_spawn())
        coop_trap(my->tid, NewTask, .target = coop_create(node));
    if (my->choice == WAIT) {
        coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
        expect(my->status.end ? 0 : my->r, my->why);
    }
    if (my->choice == CHILD)
        coop_trap(my->r, WaitTask, .tid = COOP_CHILD, .status = &my->status);
    if (my->choice == ANY) {
        coop_any(my->r, my->v, (Park), (Sleep, .ns = below(100)),
                 (WaitTask, .tid = my->tid), (WaitTask, .tid = COOP_CHILD), (Far),
                 (ReadWait, .fd = 5));
        expect(my->r < 0 ? my->r : 0, my->why);
    }
    if (my->choice == WITHIN) {
        if (below(2))
            coop_within(my->r, below(50), Park);
        else
            coop_within(my->r, (int)below(50) - 5, Cling);
    }
    if (my->choice == READ) {
        virtual_fire(&world.machine, world.machine.clock + below(100), 5, COOP_READ);
        coop_any(my->r, my->v, (ReadWait, .fd = 5), (ReadWait, .fd = 5),
                 (WriteWait, .fd = 5));
    }
    if (my->choice == TOGETHER && may_spawn() && may_spawn()) {
        if (below(2))
            coop_all(my->r, NULL, (node, .depth = 6), (node, .depth = 6));
        else
            coop_race(my->r, (node, .depth = 6), (node, .depth = 6));
    }
    if (my->choice == JOIN && my->at >= 0 && may_spawn()) {
        coop_trap(my->r, GroupSpawn, .group = run.groups[my->at].group,
                  .daemon = below(4) == 0,
                  .target = coop_create(node, .owner = run.groups[my->at].owner));
        IS(my->r > 0 || my->r == -ECANCELED || my->r == -ETIMEDOUT
           || my->r == -EINVAL, true);
    }
    if (my->choice == NEXT && my->at >= 0)
        coop_trap(my->r, GroupNext, .group = run.groups[my->at].group);
    if (my->choice == SOME && my->at >= 0 && may_spawn()) {
        coop_any(my->r, my->v, (GroupNext, .group = run.groups[my->at].group),
                 (GroupSpawn, .group = run.groups[my->at].group,
                  .target = coop_create(node, .owner = run.groups[my->at].owner)), (Far));
    }
    if (my->choice == CANCEL)
        coop_trap(my->r, Cancel, .tid = my->tid, .why = "at random");
    if (my->choice == CANCEL_WAIT)
        coop_trap(my->r, Cancel, .tid = my->tid, .wait = true);
    if (my->choice == KILL)
        coop_trap(my->r, KillTask, .tid = my->tid, .why = "at random");
    if (my->choice == KILL_WAIT)
        coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    if (my->choice == STOP && my->at >= 0)
        coop_trap(my->r, GroupCancel, .group = run.groups[my->at].group);
    if (my->choice == EXIT)
        coop_trap(my->r, Exit, .value = below(2) ? 3 : -ECANCELED);
    coop_return(my->choice == RETURN ? 1 : my->choice == FAIL ? -EIO : 0);
    coop_end;
}

static void no_member_of(int owner);

coop_define(node)
{
    coop_begin;
    my->id = ++run.frames;
    if (my->id >= MOST_FRAMES)
        coop_return(0);
    for (; my->steps < STEPS; my->steps++) {
        my->choice = (int)below(12);
        if (my->choice == 0)
            coop_trap(coop_void, Deadline, .ns = below(300), .off = below(3) == 0);
        if (my->choice == 1)
            coop_trap(coop_void, Shield, .off = below(2));
        if (my->choice == 2 && run.group_count < MOST_GROUPS) {
            coop_trap(my->group, Group, .mode = (int)below(3), .keep = below(2),
                      .limit = below(3));
            show_group(my->group, my->id);
        }
        if (my->choice == 3 && my->group && may_spawn())
            coop_trap(coop_void, GroupSpawn, .group = my->group,
                      .target = coop_create(node, .owner = my->id));
        if (my->choice == 4 && my->group)
            coop_trap(my->r, GroupWait, .group = my->group);
        coop_await(my->r, act, .depth = my->depth);
        if (my->r)
            coop_return(my->r);
    }
    IS(my->through++, 0);
    coop_finally;
    if (my->id < MOST_FRAMES)
        run.cleaned[my->id]++;
    forget_group(my->id);
    no_member_of(my->id);
    my->late = (int)below(5);
    if (my->late == 1) {
        coop_trap(my->r, Sleep, .ns = below(50));
        IS(my->r, 0);
    }
    if (my->late == 2)
        coop_within(my->r, 50, WaitTask, .tid = any_task());
    if (my->late == 3 && may_spawn()) {
        coop_trap(my->last, Group, .mode = (int)below(3));
        coop_trap(coop_void, GroupSpawn, .group = my->last, .target = coop_create(node));
        coop_trap(my->r, Sleep, .ns = below(20));
    }
    if (my->late == 4) {
        coop_trap(coop_void, Deadline, .ns = below(20));
        coop_trap(my->r, Park);
        IS(my->r == 1 || my->r == -ETIMEDOUT, true);
    }
    coop_end;
}

static void no_member_of(int owner)
{
    for (coop_task *t = NULL; (t = coop_each(coop_this, t));) {
        const struct node *first = (struct node *)t->room;
        if (first->coop_.routine == &node_routine && t->co.state != COOP_ENDED)
            IS(first->owner != owner, true);
    }
}

/* Goes on ending and waking others until nobody else is left. */
coop_routine(reaper, coop_tid tids[MOST_TASKS * 4]; coop_value n, i; bool left;)
{
    coop_begin;
    do {
        coop_trap(coop_void, Sleep, .ns = 20 + below(300));
        coop_trap(coop_void, Release, .all = true);
        my->n = coop_tasks(my->tids, MOST_TASKS * 4);
        my->left = false;
        for (my->i = 0; my->i < my->n; my->i++) {
            if (!is_another(my->tids[my->i]))
                continue;
            my->left = true;
            if (below(4) == 0)
                coop_trap(coop_void, KillTask, .tid = my->tids[my->i]);
            else if (below(4) == 0)
                coop_trap(coop_void, Cancel, .tid = my->tids[my->i]);
        }
    } while (my->left);
    coop_end;
}

static void one_run(uint64_t seed)
{
    static coop_observer observer;
    memset(&run, 0, sizeof run);
    run.shows = below(4) == 0;
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
        IS(coop_this->jobs, 0);
        world_close();
    } else {
        world.machine.poll_error = -EIO;           /* closed in the middle of it all */
        IS(coop_run(), -EIO);
        for (coop_call *call; (call = coop_list_take(&run.clinging));)
            coop_wake(coop_this, call, 1);
        world_drop();
    }
    CU_ASSERT_PTR_NULL(parked);
    IS(run.traps.made, run.traps.answered);
    CU_ASSERT(run.frames < MOST_FRAMES);
    for (int i = 1; i <= run.frames && i < MOST_FRAMES; i++)
        IS(run.cleaned[i], 1);
    frames += run.frames;
}

static void random_trees(void)
{
    frames = killed = cancelled = late = put_off = 0;
    if (!random_runs(RUNS, one_run))
        return;
    /* It did test something. */
    CU_ASSERT(killed > RUNS);
    CU_ASSERT(cancelled > RUNS / 2);
    CU_ASSERT(late > RUNS);
    CU_ASSERT(frames > 10 * RUNS);
    CU_ASSERT(put_off > RUNS);
}

static const suite_test tests[] = {
    { "rules_8_to_12_random_trees", random_trees },
};

int main(int argc, char **argv)
{
    return world_main("trees", tests, SUITE_COUNT(tests), argc, argv, "");
}
