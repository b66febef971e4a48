/* WaitAny, coop_any and coop_within: calls made of others. */
#include "park.h"
#include "tasks/iopoll.h"

#include <errno.h>

/* Two parts that wait for the same event of one descriptor, with others around them. */
coop_routine(reads, int id; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ReadWait, .fd = 5);
    say("r%d-%s", my->id, result(my->r));
    coop_end;
}

coop_routine(reads_twice, coop_value r, v;)
{
    coop_begin;
    coop_any(my->r, my->v, (ReadWait, .fd = 5), (WriteWait, .fd = 5), (ReadWait, .fd = 5));
    say("any%td-%s", my->r, result(my->v));
    coop_end;
}

coop_routine(closes, int64_t ns; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_trap(my->r, Close, .fd = 5);
    coop_end;
}

static void same_event_twice(void)
{
    for (int close = 0; close < 2; close++) {
        world_open(0);
        coop_spawn(reads, .id = 1);
        coop_spawn(reads_twice);
        coop_spawn(reads, .id = 2);
        if (close)
            coop_spawn(closes, .ns = 10);
        else
            virtual_fire(&world.machine, 10, 5, COOP_READ);
        IS(coop_run(), 0);
        LOG_IS(close ? "r1-EBADF any0-EBADF r2-EBADF" : "r1-0 any0-0 r2-0");
        IS(coop_this->io->lists, 0);
        world_close();
    }
}

/* The same with signals, of which some come. */
static uint64_t come;

static int want(coop_machine *m, uint64_t signals)
{
    (void)m;
    (void)signals;
    return 0;
}

static uint64_t arrived(coop_machine *m)
{
    uint64_t all = come;
    (void)m;
    come = 0;
    return all;
}

coop_routine(two_signals, coop_value r, v;)
{
    coop_begin;
    coop_any(my->r, my->v, (SignalWait, .signals = COOP_SIGNAL(1)),
             (SignalWait, .signals = COOP_SIGNAL(2) | COOP_SIGNAL(1)),
             (SignalWait, .signals = COOP_SIGNAL(2)));
    say("any%td-%td", my->r, my->v);
    coop_trap(my->r, SignalWait, .signals = ~UINT64_C(0));
    say("left-%td", my->r);
    coop_end;
}

static void signals(void)
{
    world_open(0);
    world.machine.face.want = want;
    world.machine.face.arrived = arrived;
    come = COOP_SIGNAL(1) | COOP_SIGNAL(2);
    coop_spawn(two_signals);
    coop_spawn(closes, .ns = 10);
    IS(coop_run(), 0);
    LOG_IS("any0-1 left-2");
    world_close();
}

/* Which one it is, and that the others are undone: the first of the list that is ready. */
coop_routine(first_of, coop_value r, v; struct coop_Park parks[3]; struct coop_Sleep nap;
             struct coop_WaitTask child; coop_call *parts[5]; int i, won[3]; coop_tid tid;
             coop_status status;)
{
    coop_begin;
    coop_any(my->r, my->v, (Sleep, .ns = 30), (Sleep, .ns = 10), (Sleep, .ns = 20));
    IS(my->r, 1);
    IS(my->v, 0);
    IS(world.machine.clock, 10);
    coop_any(my->r, my->v, (Park), (Sleep), (WaitTask, .tid = 99), (Park));
    IS(my->r, 1);
    CU_ASSERT_PTR_NULL(parked);
    coop_any(my->r, my->v, (Park), (WaitTask, .tid = 99), (Sleep));
    IS(my->r, 1);
    IS(my->v, -ESRCH);
    coop_any(my->r, my->v, (Park));
    IS(my->r, 0);
    IS(my->v, 7);
    my->tid = coop_spawn(closes, .ns = 5);
    coop_any(my->r, my->v, (KillTask, .tid = my->tid, .wait = true), (Sleep, .ns = 9));
    IS(my->r, 0);
    /* One child is told once, also when it is asked for twice; the other stays. */
    coop_trap(coop_void, NewTask, .target = coop_create(closes, .ns = 5));
    coop_trap(coop_void, NewTask, .target = coop_create(closes, .ns = 5));
    my->nap = (struct coop_Sleep){ .ns = 100 };
    for (my->i = 0; my->i < 2; my->i++) {
        coop_any(my->r, my->v, (Park), (WaitTask, .tid = COOP_CHILD, .status = &my->status),
                 (WaitTask, .tid = COOP_CHILD), (Sleep, .ns = 100));
        IS(my->r, 1);
        IS(my->status.end, COOP_OK);
        no_trace_of(my->status.tid);
    }
    coop_trap(my->r, WaitTask, .tid = COOP_CHILD);
    IS(my->r, -ECHILD);
    /* fair begins elsewhere each time. */
    for (my->i = 0; my->i < 90; my->i++) {
        for (int k = 0; k < 3; k++)
            my->parts[k] = COOP_PART(my->child, WaitTask, .tid = 99);
        my->parts[0] = COOP_PART(my->nap, Sleep);
        my->parts[2] = COOP_PART(my->parks[0], Park);
        coop_trap(my->r, WaitAny, .parts = my->parts, .count = 2, .fair = true,
                  .value = &my->v);
        my->won[my->r]++;
        IS(my->v, my->r == 0 ? 0 : -ESRCH);
    }
    CU_ASSERT(my->won[0] > 20 && my->won[1] > 20);
    coop_end;
}

coop_routine(unparks, int64_t ns;)
{
    coop_begin;
    do {
        coop_trap(coop_void, Sleep, .ns = my->ns);
    } while (!parked);
    coop_trap(coop_void, Unpark, .value = 7);
    coop_end;
}

static void the_first(void)
{
    world_open(0);
    coop_spawn(unparks, .ns = 15);
    IS(coop_main(first_of), 0);
    CU_ASSERT_PTR_NULL(parked);
    world_close();
}

/* What is refused, and that nothing was made then. */
coop_routine(refused, coop_value r, v; struct coop_Park park; struct coop_GetTid tid;
             struct coop_Within within; coop_call *parts[3];)
{
    coop_begin;
    coop_trap(my->r, WaitAny);
    IS(my->r, -EINVAL);
    my->parts[0] = COOP_PART(my->park, Park);
    coop_trap(my->r, WaitAny, .parts = my->parts);
    IS(my->r, -EINVAL);
    coop_trap(my->r, WaitAny, .parts = my->parts, .count = -1);
    IS(my->r, -EINVAL);
    coop_trap(my->r, WaitAny, .parts = my->parts, .count = 2);
    IS(my->r, -EINVAL);
    my->parts[1] = COOP_PART(my->tid, GetTid);
    coop_trap(my->r, WaitAny, .parts = my->parts, .count = 2);
    IS(my->r, -EINVAL);
    my->parts[1] = COOP_PART(my->within, Within);
    coop_trap(my->r, WaitAny, .parts = my->parts, .count = 2);
    IS(my->r, -EINVAL);
    my->parts[1] = my->parts[0];
    coop_trap(my->r, WaitAny, .parts = my->parts, .count = 2);
    IS(my->r, -EINVAL);
    CU_ASSERT_PTR_NULL(parked);
    coop_any(my->r, my->v, (Park), (WaitTask, .tid = coop_self()));
    IS(my->r, 1);
    IS(my->v, -EDEADLK);
    coop_any(my->r, my->v, (Park), (KillTask, .tid = coop_self()), (Park));
    say("never");
    coop_finally;
    CU_ASSERT_PTR_NULL(parked);
    coop_end;
}

static void refusals(void)
{
    WORLD(-ECANCELED, refused);
    LOG_IS("");
}

/* Making one answers another: that one it is. */
struct coop_Ring { coop_call base; };

static coop_value ring(coop_sched *s, coop_call *call)
{
    if (parked)
        coop_wake(s, coop_list_take(&parked), 3);
    coop_list_add(&parked, call);
    return COOP_WAIT;
}

static bool unring(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_list_remove(&parked, call);
}

static const coop_call_type coop_Ring_type = {
    .name = "Ring", .handle = ring, .undo = unring
};

coop_routine(rings, coop_value r, v;)
{
    coop_begin;
    coop_any(my->r, my->v, (Park), (Sleep, .ns = 5), (Ring), (Ring), (Park));
    say("%td-%td", my->r, my->v);
    coop_end;
}

static void parts_that_answer_each_other(void)
{
    world_open(0);
    IS(coop_main(rings), 0);
    LOG_IS("0-3");
    CU_ASSERT_PTR_NULL(parked);
    world_close();
}

/* What cannot be undone: the answer comes when it is through. */
coop_routine(sticks, int how; coop_value r, v;)
{
    coop_begin;
    if (my->how == 0)
        coop_any(my->r, my->v, (Stick), (Sleep, .ns = 5), (Stick));
    else
        coop_any(my->r, my->v, (Stick), (Sleep));
    say("%td-%td@%td", my->r, my->v, (coop_value)world.machine.clock);
    coop_end;
}

static void what_cannot_be_undone(void)
{
    for (int how = 0; how < 2; how++) {
        world_open(0);
        coop_spawn(sticks, .how = how);
        coop_spawn(unparks, .ns = 20);
        if (how == 0)
            coop_spawn(unparks, .ns = 30);
        IS(coop_run(), 0);
        LOG_IS(how ? "stuck 1-0@20" : "stuck stuck stuck 1-0@30");
        world_close();
    }
}

/* A coroutine that a part was given is the part's, whether it is made or not. */
coop_routine(member, int unused;)
{
    coop_begin;
    say("runs");
    coop_end;
}

coop_routine(spawns, coop_group *g; coop_value r, v;)
{
    coop_begin;
    coop_trap(my->g, Group, .limit = 1);
    coop_any(my->r, my->v, (Sleep),
             (GroupSpawn, .group = my->g, .target = coop_create(member)));
    IS(my->r, 0);
    coop_any(my->r, my->v, (GroupSpawn, .group = my->g, .target = coop_create(member)),
             (Sleep));
    IS(my->r, 0);
    IS(my->v > 0, true);
    coop_trap(coop_void, GroupSpawn, .group = my->g,
              .target = coop_create(closes, .ns = 50));
    coop_any(my->r, my->v, (GroupSpawn, .group = my->g, .target = coop_create(member)),
             (Sleep, .ns = 10));
    IS(my->r, 1);
    coop_within(my->r, 10, GroupSpawn, .group = my->g, .target = coop_create(member));
    IS(my->r, -ETIMEDOUT);
    coop_trap(coop_void, Cancel, .tid = coop_self());
    coop_any(my->r, my->v, (Sleep),
             (GroupSpawn, .group = my->g, .target = coop_create(member)));
    IS(my->r, -ECANCELED);
    coop_end;
}

static void shows(coop_observer *o, const coop_event *e)
{
    char buf[300];
    coop_text text = { .data = buf, .size = sizeof buf };
    (void)o;
    if (e->kind != COOP_TRAP && e->kind != COOP_RUN)
        coop_event_text(e, &text);
}

static void coroutines_of_parts(void)
{
    static coop_observer observer;
    world_open(0);
    observer = (coop_observer){ .event = shows };
    coop_observe(&observer);
    IS(coop_main(spawns), 0);
    LOG_IS("runs");
    world_close();
    NO_REPORTS();                  /* none is left that never began */
}

static const suite_test tests[] = {
    TEST(same_event_twice), TEST(signals), TEST(the_first), TEST(refusals),
    TEST(parts_that_answer_each_other), TEST(what_cannot_be_undone),
    TEST(coroutines_of_parts),
};

int main(int argc, char **argv)
{
    return world_main("waitany", tests, SUITE_COUNT(tests), argc, argv, "");
}
