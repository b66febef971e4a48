/* Ranks: lent by who waits to whom it waits for, as long as it waits. The locks here are
   those of a program: the kernel knows nothing of them but what touches says. */
#include "blocks.h"

#include <errno.h>
#include <string.h>

struct lock { coop_tid holder; coop_call *waiting; };

struct coop_Take { coop_call base; struct lock *lock; };
struct coop_Give { coop_call base; struct lock *lock; };

static coop_value take_handle(coop_sched *s, coop_call *call)
{
    struct lock *lock = ((struct coop_Take *)call)->lock;
    (void)s;
    if (!lock->holder) {
        lock->holder = coop_self();
        return 0;
    }
    coop_list_add(&lock->waiting, call);
    return COOP_WAIT;
}

static bool take_undo(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_list_remove(&((struct coop_Take *)call)->lock->waiting, call);
}

static void take_touches(const coop_call *call, coop_touch *touch)
{
    const struct lock *lock = ((const struct coop_Take *)call)->lock;
    *touch = (coop_touch){
        .object = (uintptr_t)lock, .write = true, .holder = lock->holder
    };
}

static const coop_call_type coop_Take_type = {
    .name = "Take", .handle = take_handle, .undo = take_undo, .touches = take_touches
};

/* To the one that came first, whatever its rank. */
static coop_value give_handle(coop_sched *s, coop_call *call)
{
    struct lock *lock = ((struct coop_Give *)call)->lock;
    coop_call *next = coop_list_take(&lock->waiting);
    lock->holder = next ? next->task->tid : 0;
    if (next)
        coop_wake(s, next, 0);
    return 0;
}

static const coop_call_type coop_Give_type = { .name = "Give", .handle = give_handle };

static struct lock one, two;

static void open_ranked(void)
{
    one = two = (struct lock){ 0, NULL };
    world_open_with((coop_options){ .policy = coop_priority() });
}

static int rank_of(coop_tid tid)
{
    coop_info info;
    return coop_inspect(tid, &info) == 0 ? info.raised : -1;
}

static coop_tid ranked(coop_tid tid, int rank)
{
    IS(coop_rank(tid, rank), 0);
    return tid;
}

/* ---- What it does to the order */

/* Takes up to two locks, works for some slices, and gives them back. */
coop_routine(user, const char *name; struct lock *first, *second; int slices, i;
             void (*hook)(int slice); coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Take, .lock = my->first);
    if (my->second)
        coop_trap(my->r, Take, .lock = my->second);
    for (; my->i < my->slices; my->i++) {
        say("%s@%d", my->name, rank_of(coop_self()));
        if (my->hook)
            my->hook(my->i);
        coop_trap(coop_void, Yield);
    }
    coop_finally;
    if (my->second && my->second->holder == coop_self())
        coop_trap(coop_void, Give, .lock = my->second);
    if (my->first->holder == coop_self())
        coop_trap(coop_void, Give, .lock = my->first);
    coop_end;
}

coop_routine(busy, const char *name; int slices;)
{
    coop_begin;
    while (my->slices--) {
        say("%s", my->name);
        coop_trap(coop_void, Yield);
    }
    coop_end;
}

static void spawn_two(int slice)
{
    if (slice)
        return;
    ranked(coop_spawn(busy, .name = "mid", .slices = 2), 5);
    ranked(coop_spawn(user, .name = "high", .first = &one, .slices = 1), 9);
}

static void who_holds_the_lock_goes_before_the_middle_one(void)
{
    open_ranked();
    ranked(coop_spawn(user, .name = "low", .first = &one, .slices = 3,
                      .hook = spawn_two), 1);
    IS(coop_run(), 0);
    LOG_IS("low@1 low@9 low@9 high@9 mid mid");
    world_close();
}

static void spawn_chain(int slice)
{
    if (slice == 0)
        ranked(coop_spawn(user, .name = "next", .first = &one, .second = &two,
                          .slices = 1), 3);
    if (slice == 1)
        spawn_two(0);
}

static void a_rank_is_lent_on(void)
{
    open_ranked();
    ranked(coop_spawn(user, .name = "low", .first = &two, .slices = 3,
                      .hook = spawn_chain), 1);
    IS(coop_run(), 0);
    LOG_IS("low@1 low@3 low@9 next@9 high@9 mid mid");
    world_close();
}

/* Tickets of who waits go to whom it waits for. */
static void lottery_lends_too(void)
{
    open_ranked();
    world_drop();
    world_open_with((coop_options){ .policy = coop_lottery(1) });
    ranked(coop_spawn(user, .name = "low", .first = &one, .slices = 3,
                      .hook = spawn_two), 1);
    IS(coop_run(), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "low@9 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "high@9"));
    clear_log();
    world_close();
}

/* ---- As long as it waits: time passes only when all wait, and then all is settled */

coop_routine(holder, struct lock *lock; int64_t ns, after; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Take, .lock = my->lock);
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_finally;
    if (my->lock->holder == coop_self())
        coop_trap(coop_void, Give, .lock = my->lock);
    coop_trap(coop_void, Sleep, .ns = my->after);
    coop_end;
}

static coop_tid holds(struct lock *lock, int64_t ns, int64_t after, int rank)
{
    return ranked(coop_spawn(holder, .lock = lock, .ns = ns, .after = after), rank);
}

#define PAUSE coop_trap(coop_void, Sleep, .ns = 1)

coop_routine(wanter, struct lock *lock; int64_t limit; coop_value r;)
{
    coop_begin;
    coop_within(my->r, my->limit, Take, .lock = my->lock);
    say("%s", result(my->r));
    if (my->r == 0)
        coop_trap(coop_void, Give, .lock = my->lock);
    coop_end;
}

static coop_tid wants(struct lock *lock, int64_t limit, int rank)
{
    return ranked(coop_spawn(wanter, .lock = lock, .limit = limit), rank);
}

enum { BY_TIME, BY_CANCEL, BY_KILL, BY_GIVING };

coop_routine(ends_a_wait, int how; coop_tid low, high;)
{
    coop_begin;
    my->low = holds(&one, my->how == BY_GIVING ? 5 : 100, 100, 1);
    PAUSE;
    my->high = wants(&one, my->how == BY_TIME ? 4 : 50, 9);
    PAUSE;
    IS(rank_of(my->low), 9);
    if (my->how == BY_CANCEL)
        coop_trap(coop_void, Cancel, .tid = my->high);
    if (my->how == BY_KILL)
        coop_trap(coop_void, KillTask, .tid = my->high);
    coop_trap(coop_void, Sleep, .ns = 10);
    IS(rank_of(my->low), 1);
    IS(rank_of(my->high), -1);
    CU_ASSERT_PTR_NULL(coop_this->lenders);
    coop_end;
}

static void it_ends_with_the_wait(void)
{
    static const char *const said[] = { "ETIMEDOUT", "ECANCELED", "", "0" };
    for (int how = BY_TIME; how <= BY_GIVING; how++) {
        open_ranked();
        IS(coop_main(ends_a_wait, .how = how), 0);
        IS(coop_run(), 0);
        LOG_IS(said[how]);
        world_close();
    }
}

coop_routine(hands_on, coop_tid low, next, high, last;)
{
    coop_begin;
    my->low = holds(&one, 5, 100, 1);
    PAUSE;
    my->next = holds(&one, 5, 100, 0);
    PAUSE;
    my->high = holds(&one, 5, 100, 9);
    PAUSE;
    my->last = holds(&one, 5, 100, 20);
    PAUSE;
    IS(rank_of(my->low), 20);
    IS(rank_of(my->next), 0);
    IS(rank_of(my->high), 9);
    coop_trap(coop_void, Sleep, .ns = 5);
    IS(one.holder, my->next);
    IS(rank_of(my->low), 1);
    IS(rank_of(my->next), 20);
    IS(rank_of(my->high), 9);
    coop_trap(coop_void, Sleep, .ns = 5);
    IS(one.holder, my->high);
    IS(rank_of(my->next), 0);
    IS(rank_of(my->high), 20);
    coop_trap(coop_void, Sleep, .ns = 5);
    IS(one.holder, my->last);
    IS(rank_of(my->high), 9);
    IS(rank_of(my->last), 20);
    CU_ASSERT_PTR_NULL(coop_this->lenders);
    coop_end;
}

/* The lock goes to one without a rank, and those behind lend to that one now. */
static void it_goes_on_with_the_lock(void)
{
    open_ranked();
    IS(coop_main(hands_on), 0);
    IS(coop_run(), 0);
    world_close();
}

coop_routine(kills_holders, coop_tid low, next, high;)
{
    coop_begin;
    my->low = holds(&one, 100, 0, 0);
    PAUSE;
    my->next = coop_spawn(user, .name = "", .first = &two, .second = &one);
    PAUSE;
    my->high = holds(&two, 100, 0, 9);
    PAUSE;
    IS(rank_of(my->low), 9);
    IS(rank_of(my->next), 9);
    coop_trap(coop_void, KillTask, .tid = my->next, .wait = true);
    IS(rank_of(my->low), 0);
    IS(two.holder, my->high);
    coop_trap(coop_void, KillTask, .tid = my->low, .wait = true);
    coop_trap(coop_void, KillTask, .tid = my->high, .wait = true);
    CU_ASSERT_PTR_NULL(coop_this->lenders);
    coop_end;
}

static void whoever_is_killed_lends_nothing_and_owes_nothing(void)
{
    open_ranked();
    IS(coop_main(kills_holders), 0);
    IS(coop_run(), 0);
    world_close();
}

coop_routine(ranks_change, coop_tid low, high;)
{
    coop_begin;
    my->low = coop_spawn(holder, .lock = &one, .ns = 100);
    PAUSE;
    my->high = coop_spawn(wanter, .lock = &one, .limit = 50);
    PAUSE;
    IS(rank_of(my->low), 0);
    ranked(my->high, 7);
    PAUSE;
    IS(rank_of(my->low), 7);
    ranked(my->high, 3);
    PAUSE;
    IS(rank_of(my->low), 3);
    ranked(my->low, 5);
    IS(rank_of(my->low), 5);
    ranked(my->low, 2);
    PAUSE;
    IS(rank_of(my->low), 3);
    ranked(my->high, 0);
    PAUSE;
    IS(rank_of(my->low), 2);
    CU_ASSERT_PTR_NULL(coop_this->lenders);
    coop_end;
}

static void ranks_of_who_waits_may_change(void)
{
    open_ranked();
    IS(coop_main(ranks_change), 0);
    IS(coop_run(), 0);
    LOG_IS("ETIMEDOUT");
    world_close();
}

coop_routine(sleeper, int64_t ns;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_finally;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_end;
}

coop_routine(waiter, coop_tid tid; bool kill;)
{
    coop_begin;
    if (my->kill)
        coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    else
        coop_trap(coop_void, WaitTask, .tid = my->tid);
    coop_end;
}

coop_routine(waits_for_tasks, coop_tid a, b, c;)
{
    coop_begin;
    my->a = coop_spawn(sleeper, .ns = 10);
    my->b = ranked(coop_spawn(waiter, .tid = my->a), 4);
    my->c = ranked(coop_spawn(waiter, .tid = my->b, .kill = true), 6);
    PAUSE;
    IS(rank_of(my->a), 0);         /* its waiter was killed */
    IS(rank_of(my->b), -1);
    my->b = ranked(coop_spawn(waiter, .tid = my->a), 4);
    my->c = ranked(coop_spawn(waiter, .tid = my->a, .kill = true), 6);
    PAUSE;
    IS(rank_of(my->a), 6);
    coop_trap(coop_void, KillTask, .tid = my->c, .wait = true);
    IS(rank_of(my->a), 4);
    coop_end;
}

static void who_waits_for_a_task_lends_to_it(void)
{
    open_ranked();
    IS(coop_main(waits_for_tasks), 0);
    IS(coop_run(), 0);
    world_close();
}

static coop_tid members[2];

coop_routine(leader, coop_group *group;)
{
    coop_begin;
    coop_trap(my->group, Group);
    for (int i = 0; i < 2; i++)
        members[i] = 0;
    coop_trap(members[0], GroupSpawn, .group = my->group,
              .target = coop_create(sleeper, .ns = 5));
    coop_trap(members[1], GroupSpawn, .group = my->group,
              .target = coop_create(sleeper, .ns = 10));
    coop_trap(coop_void, GroupWait, .group = my->group);
    coop_end;
}

coop_routine(watches_a_group, coop_tid leader;)
{
    coop_begin;
    my->leader = ranked(coop_spawn(leader), 8);
    PAUSE;
    IS(rank_of(members[0]) + rank_of(members[1]), 8);
    coop_trap(coop_void, Sleep, .ns = 10);
    IS(rank_of(members[0]), -1);
    IS(rank_of(members[1]), 8);    /* to whom of them is left */
    coop_end;
}

static void who_waits_for_a_group_lends_to_one_of_it(void)
{
    open_ranked();
    IS(coop_main(watches_a_group), 0);
    IS(coop_run(), 0);
    world_close();
}

static coop_lock door;
static coop_condition bell;

coop_routine(hears, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Lock, .lock = &door);
    coop_trap(my->r, CondWait, .condition = &bell, .lock = &door);
    coop_finally;
    coop_trap(coop_void, Unlock, .lock = &door);
    coop_end;
}

coop_routine(rings, bool only_holds;)
{
    coop_begin;
    coop_trap(coop_void, Lock, .lock = &door);
    coop_trap(coop_void, Sleep, .ns = 5);
    if (!my->only_holds)
        coop_trap(coop_void, CondSignal, .condition = &bell);
    coop_trap(coop_void, Sleep, .ns = 10);
    coop_trap(coop_void, Unlock, .lock = &door);
    coop_trap(coop_void, Sleep, .ns = 10);
    coop_end;
}

coop_routine(waits_for_a_bell, bool kill; coop_tid low, high;)
{
    coop_begin;
    my->high = ranked(coop_spawn(hears), 9);
    PAUSE;
    my->low = ranked(coop_spawn(rings, .only_holds = my->kill), 1);
    PAUSE;
    IS(rank_of(my->low), 1);
    coop_trap(coop_void, Sleep, .ns = 6);
    IS(rank_of(my->low), my->kill ? 1 : 9);
    if (my->kill)
        coop_trap(coop_void, KillTask, .tid = my->high);
    PAUSE;
    IS(rank_of(my->low), 9);       /* it must have the lock before it can end */
    coop_trap(coop_void, Sleep, .ns = 10);
    IS(rank_of(my->low), 1);
    IS(rank_of(my->high), -1);
    coop_end;
}

/* Who waits for a condition waits for nobody, until it wants its lock back. */
static void a_signalled_task_lends_to_who_has_its_lock(void)
{
    for (int kill = 0; kill < 2; kill++) {
        open_ranked();
        IS(coop_main(waits_for_a_bell, .kill = kill), 0);
        IS(coop_run(), 0);
        world_close();
    }
}

coop_routine(reads, int64_t ns;)
{
    coop_begin;
    coop_trap(coop_void, Lock, .lock = &door, .shared = true);
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_trap(coop_void, Unlock, .lock = &door);
    coop_trap(coop_void, Sleep, .ns = 100);
    coop_end;
}

coop_routine(writes, bool swap; coop_tid readers[2], high;)
{
    coop_begin;
    my->readers[my->swap] = coop_spawn(reads, .ns = my->swap ? 9 : 5);
    my->readers[!my->swap] = coop_spawn(reads, .ns = my->swap ? 5 : 9);
    PAUSE;
    my->high = ranked(coop_spawn(rings, .only_holds = true), 9);
    PAUSE;
    IS(rank_of(my->readers[0]) + rank_of(my->readers[1]), 9);
    coop_trap(coop_void, Sleep, .ns = 5);
    IS(rank_of(my->readers[0]), 0);
    IS(rank_of(my->readers[1]), 9);
    coop_trap(coop_void, Sleep, .ns = 5);
    IS(rank_of(my->readers[1]), 0);
    coop_end;
}

static void who_waits_for_readers_lends_to_one_of_them(void)
{
    for (int swap = 0; swap < 2; swap++) {
        open_ranked();
        IS(coop_main(writes, .swap = swap), 0);
        IS(coop_run(), 0);
        world_close();
    }
}

static void a_circle_of_waits_ends_it(void)
{
    open_ranked();
    ranked(coop_spawn(user, .name = "a", .first = &one, .second = &two), 3);
    ranked(coop_spawn(user, .name = "b", .first = &two, .second = &one), 3);
    IS(coop_run(), -EDEADLK);
    ranked(coop_spawn(user, .name = "c", .first = &one), 9);
    IS(coop_run(), -EDEADLK);
    IS(rank_of(1), 9);
    IS(rank_of(2), 9);
    REPORTED("a cycle");
    world_drop();
}

coop_routine(lends_in_vain, coop_tid low, high;)
{
    coop_begin;
    my->low = coop_spawn(holder, .lock = &one, .ns = 100);
    PAUSE;
    my->high = wants(&one, 50, 0);
    PAUSE;
    no_memory = true;
    ranked(my->high, 9);
    PAUSE;
    no_memory = false;
    IS(rank_of(my->low), 0);
    ranked(coop_self(), 1);
    PAUSE;
    IS(rank_of(my->low), 9);       /* at the next occasion */
    coop_end;
}

static void without_memory_nothing_is_lent(void)
{
    open_ranked();
    IS(coop_main(lends_in_vain), 0);
    IS(coop_run(), 0);
    LOG_IS("ETIMEDOUT");
    world_close();
}

/* ---- Much of it at once */

coop_routine(reader, int rounds;)
{
    coop_begin;
    while (my->rounds--)
        coop_trap(coop_void, ReadWait, .fd = 5);
    coop_end;
}

static long slices, worst;

static void count_slices(coop_observer *o, const coop_event *e)
{
    static long fired_at = -1;
    (void)o;
    if (e->kind == COOP_RUN && !e->system && ++slices % 95 == 0 && fired_at < 0) {
        fired_at = slices;
        virtual_fire(&world.machine, 0, 5, COOP_READ);
    }
    if (e->kind == COOP_WAKE && e->other == 0 && fired_at >= 0) {
        worst = slices - fired_at > worst ? slices - fired_at : worst;
        fired_at = -1;
    }
}

coop_routine(churner, int rounds;)
{
    coop_begin;
    for (; my->rounds; my->rounds--) {
        coop_trap(coop_void, Take, .lock = &one);
        coop_trap(coop_void, Yield);
        coop_trap(coop_void, Give, .lock = &one);
    }
    coop_end;
}

/* To settle ranks is no look outside, and puts none off. */
static void looks_are_as_many_as_ever(void)
{
    static coop_observer observer = { .event = count_slices };
    open_ranked();
    slices = worst = 0;
    IS(coop_observe(&observer), 0);
    ranked(coop_spawn(reader, .rounds = 80), 3);
    for (int i = 0; i < 3; i++)
        ranked(coop_spawn(churner, .rounds = 1000), 2);
    IS(coop_run(), 0);
    CU_ASSERT(slices > 9000);
    CU_ASSERT(worst > 48 && worst <= 64);
    CU_ASSERT((long)world.machine.looked <= slices / 64 + 1);
    world_close();
}

enum { TASKS = 12, LOCKS = 4 };

static struct lock locks[LOCKS];
static coop_tid crowd[TASKS];
static uint64_t chance;

static int below(int n)
{
    return (int)(coop_draw(&chance) % (uint64_t)n);
}

/* Takes some locks, each higher than the one before, so that there is no circle. */
coop_routine(member, int i, turns;)
{
    coop_begin;
    for (; my->turns; my->turns--) {
        for (my->i = 0; my->i < LOCKS; my->i++)
            if (below(2)) {
                if (below(4))
                    coop_trap(coop_void, Take, .lock = &locks[my->i]);
                else
                    coop_within(coop_void, 1 + below(5), Take, .lock = &locks[my->i]);
                if (below(2))
                    coop_trap(coop_void, Sleep, .ns = below(4));
                if (below(4) == 0)
                    coop_rank(crowd[below(TASKS)], below(6));
            }
        for (my->i = 0; my->i < LOCKS; my->i++)
            if (locks[my->i].holder == coop_self())
                coop_trap(coop_void, Give, .lock = &locks[my->i]);
    }
    coop_finally;
    for (my->i = 0; my->i < LOCKS; my->i++)
        if (locks[my->i].holder == coop_self())
            coop_trap(coop_void, Give, .lock = &locks[my->i]);
    coop_end;
}

/* Word for word what is promised: its own rank, or the highest of those who wait for it. */
static int ought_to_be(coop_tid tid)
{
    coop_info info;
    IS(coop_inspect(tid, &info), 0);
    int rank = info.rank;
    for (coop_task *t = NULL; (t = coop_each(coop_this, t));)
        if (coop_waits_for(t) == tid && ought_to_be(t->tid) > rank)
            rank = ought_to_be(t->tid);
    return rank;
}

static int checked;

static void check_ranks(void)
{
    for (int i = 0; i < TASKS; i++) {
        int rank = rank_of(crowd[i]);
        if (rank < 0)
            continue;
        IS(rank, ought_to_be(crowd[i]));
        coop_info info;
        coop_inspect(crowd[i], &info);
        checked += info.raised > info.rank;
    }
}

coop_routine(judge, int i;)
{
    coop_begin;
    for (; my->i < TASKS; my->i++)
        crowd[my->i] = coop_spawn(member, .turns = 5 + below(5));
    for (my->i = 0; my->i < 100; my->i++) {
        PAUSE;
        check_ranks();
        if (below(10) == 0)
            coop_trap(coop_void, KillTask, .tid = crowd[below(TASKS)]);
        if (below(10) == 0)
            coop_trap(coop_void, Cancel, .tid = crowd[below(TASKS)]);
    }
    coop_end;
}

static void any_run_of_any_tasks(void)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        chance = seed;
        memset(locks, 0, sizeof locks);
        world_open_with((coop_options){
            .policy = seed % 2 ? coop_priority() : coop_lottery(seed)
        });
        IS(coop_main(judge), 0);
        CU_ASSERT_PTR_NULL(coop_this->lenders);
        world_close();
    }
    CU_ASSERT(checked > 1000);
}

static const suite_test tests[] = {
    TEST(who_holds_the_lock_goes_before_the_middle_one),
    TEST(a_rank_is_lent_on),
    TEST(lottery_lends_too),
    TEST(it_ends_with_the_wait),
    TEST(it_goes_on_with_the_lock),
    TEST(whoever_is_killed_lends_nothing_and_owes_nothing),
    TEST(ranks_of_who_waits_may_change),
    TEST(who_waits_for_a_task_lends_to_it),
    TEST(who_waits_for_a_group_lends_to_one_of_it),
    TEST(a_signalled_task_lends_to_who_has_its_lock),
    TEST(who_waits_for_readers_lends_to_one_of_them),
    TEST(a_circle_of_waits_ends_it),
    TEST(without_memory_nothing_is_lent),
    TEST(looks_are_as_many_as_ever),
    TEST(any_run_of_any_tasks),
};

int main(int argc, char **argv)
{
    return suite_main("ranks", tests, SUITE_COUNT(tests), argc, argv);
}
