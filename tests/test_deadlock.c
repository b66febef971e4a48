/* Deadlock: found, reported by name, never a hang. Contract rule 5, flaw F16. */
#include "world.h"

#include <errno.h>
#include <string.h>

/* A lock as a user would write it: says who holds it, so reports can follow. */
struct lock { coop_tid holder; coop_call *waiting; };

struct coop_Grab { coop_call base; struct lock *lock; bool trusting; };

static coop_value lock_handle(coop_sched *s, coop_call *call)
{
    struct coop_Grab *c = (struct coop_Grab *)call;
    if (!c->lock->holder) {
        c->lock->holder = coop_self();
        return 0;
    }
    if (!c->trusting && coop_closes_cycle(s, call, c->lock->holder))
        return -EDEADLK;
    coop_list_add(&c->lock->waiting, call);
    return COOP_WAIT;
}

static bool lock_undo(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_list_remove(&((struct coop_Grab *)call)->lock->waiting, call);
}

static void lock_describe(const coop_call *call, const coop_value *r, coop_text *text)
{
    (void)r;
    coop_print(text, "held by %td", ((const struct coop_Grab *)call)->lock->holder);
}

static void lock_touches(const coop_call *call, coop_touch *touch)
{
    const struct lock *lock = ((const struct coop_Grab *)call)->lock;
    *touch = (coop_touch){
        .object = (uintptr_t)lock, .write = true, .holder = lock->holder
    };
}

static const coop_call_type coop_Grab_type = {
    .name = "Grab", .handle = lock_handle, .undo = lock_undo, .describe = lock_describe,
    .touches = lock_touches
};

struct coop_Release { coop_call base; struct lock *lock; };

static coop_value unlock_handle(coop_sched *s, coop_call *call)
{
    struct lock *lock = ((struct coop_Release *)call)->lock;
    coop_call *next = coop_list_take(&lock->waiting);
    lock->holder = next ? next->task->tid : 0;
    if (next)
        coop_wake(s, next, 0);
    return 0;
}

static const coop_call_type coop_Release_type = {
    .name = "Release", .handle = unlock_handle
};

coop_routine(locker, struct lock *first, *second; bool trusting; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Grab, .lock = my->first, .trusting = my->trusting);
    coop_trap(coop_void, Yield);
    coop_trap(my->r, Grab, .lock = my->second, .trusting = my->trusting);
    say("%td:%s", coop_self(), result(my->r));
    if (my->r == 0)
        coop_trap(coop_void, Release, .lock = my->second);
    coop_finally;
    if (my->first->holder == coop_self())
        coop_trap(coop_void, Release, .lock = my->first);
    coop_end;
}

static void F16_a_cycle_of_locks_is_refused(void)
{
    struct lock a = { 0, NULL }, b = { 0, NULL }, c = { 0, NULL };
    world_open(0);
    coop_spawn(locker, .first = &a, .second = &b);
    coop_spawn(locker, .first = &b, .second = &c);
    coop_spawn(locker, .first = &c, .second = &a);
    IS(coop_run(), 0);
    LOG_IS("3:EDEADLK 2:0 1:0");
    world_close();
    NO_REPORTS();
}

static void F16_a_cycle_is_reported_by_name(void)
{
    struct lock a = { 0, NULL }, b = { 0, NULL }, c = { 0, NULL };
    coop_info info;
    world_open(0);
    IS(coop_spawn(locker, .first = &a, .second = &b, .trusting = true), 1);
    IS(coop_spawn(locker, .first = &b, .second = &c, .trusting = true), 2);
    IS(coop_spawn(locker, .first = &c, .second = &a, .trusting = true), 3);
    IS(coop_name(2, "the middle"), 0);
    IS(coop_run(), -EDEADLK);
    const char *report = world.reports;
    CU_ASSERT_PTR_NOT_NULL(strstr(report,
        "coop: deadlock: 3 tasks are left, and nothing outside can wake one\n"
        "coop:   a cycle: 1 locker waits for task 2 the middle, 2 the middle waits for "
        "task 3 locker, 3 locker waits for task 1 locker\n"
        "coop:   task 1 locker waits in Grab(held by 2) at test_deadlock.c:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(report, "  task 2 the middle waits in Grab(held by 3)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(report, "  task 3 locker waits in Grab(held by 1)"));
    IS(world.reported, 5);
    REPORTED("coop:   a cycle: 1 locker");
    /* They stay to be looked at. */
    IS(coop_tasks(NULL, 0), 3);
    IS(coop_inspect(2, &info), 0);
    IS(info.state, COOP_WAITING);
    IS(coop_run(), -EDEADLK);
    REPORTED("coop: deadlock: 3 tasks are left");
    world_drop();
    CU_ASSERT_PTR_NULL(a.waiting);
    IS(a.holder + b.holder + c.holder, 0);
    NO_REPORTS();
}

coop_routine(locker_of_any, struct lock *first, *second, *sign; coop_value which, r;)
{
    coop_begin;
    coop_trap(my->r, Grab, .lock = my->first);
    coop_trap(coop_void, Yield);
    coop_any(my->which, my->r, (Grab, .lock = my->sign, .trusting = true),
             (Grab, .lock = my->second));
    coop_end;
}

/* Each could go on if something else came, but there is nobody who would bring it. */
static void F16_a_cycle_through_parts_of_calls(void)
{
    struct lock a = { 0, NULL }, b = { 0, NULL }, sign = { -1, NULL };
    world_open(0);
    coop_spawn(locker_of_any, .first = &a, .second = &b, .sign = &sign);
    coop_spawn(locker_of_any, .first = &b, .second = &a, .sign = &sign);
    IS(coop_run(), -EDEADLK);
    REPORTED("one\ncoop:   a cycle: 1 locker_of_any waits for task 2 locker_of_any, "
             "2 locker_of_any waits for task 1 locker_of_any\ncoop:   task 1");
    world_drop();
}

coop_routine(waits_for, coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    coop_trap(my->r, WaitTask, .tid = my->tid);
    say("%td:%s", coop_self(), result(my->r));
    coop_end;
}

static void F16_waiting_for_oneself(void)
{
    WORLD(0, waits_for, .tid = 1);
    LOG_IS("1:EDEADLK");
    NO_REPORTS();
}

static void F16_a_cycle_of_waits(void)
{
    static const char *const logs[] = {
        "2:EDEADLK 1:0", "3:EDEADLK 2:0 1:0", "4:EDEADLK 3:0 2:0 1:0"
    };
    for (int n = 2; n <= 4; n++) {
        world_open(0);
        for (int i = 1; i <= n; i++)
            coop_spawn(waits_for, .tid = i % n + 1);
        IS(coop_run(), 0);
        LOG_IS(logs[n - 2]);
        world_close();
        NO_REPORTS();
    }
}

coop_routine(cleans_up_by, coop_tid tid; int how; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = 1);
    coop_finally;
    if (my->how == 0)
        coop_trap(my->r, WaitTask, .tid = my->tid);
    else
        coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    say("%td:%s", coop_self(), result(my->r));
    coop_end;
}

coop_routine(kills, coop_tid tid; coop_value r; int turns;)
{
    coop_begin;
    while (my->turns--)
        coop_trap(coop_void, Yield);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    say("%td:%s", coop_self(), result(my->r));
    coop_end;
}

/* Its cleanup waits for whoever is waiting for it to be through. */
static void F16_a_cycle_through_the_cleanup(void)
{
    world_open(0);
    coop_spawn(cleans_up_by, .tid = 2, .how = 0);
    coop_spawn(kills, .tid = 1, .turns = 1);
    IS(coop_run(), 0);
    LOG_IS("1:EDEADLK 2:0");
    world_close();
    /* The other way round: it waits in its cleanup already. */
    world_open(0);
    coop_spawn(cleans_up_by, .tid = 3, .how = 0);
    coop_spawn(kills, .tid = 1, .turns = 1);       /* 2: begins it */
    coop_spawn(kills, .tid = 1, .turns = 5);
    IS(coop_run(), 0);
    LOG_IS("3:EDEADLK 1:0 2:0");
    world_close();
    /* Killing one another: one ends the other's wait. */
    world_open(0);
    coop_spawn(cleans_up_by, .tid = 2, .how = 1);
    coop_spawn(kills, .tid = 1, .turns = 1);
    IS(coop_run(), 0);
    LOG_IS("1:0");
    world_close();
    NO_REPORTS();
}

coop_routine(holds, struct lock *lock; coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Grab, .lock = my->lock);
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Yield);
    coop_trap(my->r, WaitTask, .tid = my->tid);
    say("%s", result(my->r));
    coop_trap(coop_void, Release, .lock = my->lock);
    coop_end;
}

static void F16_a_cycle_through_calls_of_two_kinds(void)
{
    struct lock a = { 0, NULL }, b = { 0, NULL };
    world_open(0);
    coop_spawn(holds, .lock = &a, .tid = 2);
    coop_spawn(locker, .first = &b, .second = &a);
    IS(coop_run(), 0);
    LOG_IS("EDEADLK 2:0");
    world_close();
}

coop_routine(sleeps, int64_t ns; int fd;)
{
    coop_begin;
    if (my->fd)
        coop_trap(coop_void, ReadWait, .fd = my->fd);
    else
        coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_end;
}

static void rule_5_no_deadlock_while_the_outside_may_wake_one(void)
{
    world_open(0);
    coop_spawn(waits_for, .tid = 2);
    coop_spawn(sleeps, .ns = COOP_S(5));
    IS(coop_run(), 0);
    LOG_IS("1:0");
    coop_spawn(waits_for, .tid = 5);
    coop_spawn(sleeps, .fd = 4);
    virtual_fire(&world.machine, COOP_S(9), 4, COOP_READ);
    IS(coop_run(), 0);
    LOG_IS("4:0");
    world_close();
    NO_REPORTS();
}

/* Those that wait outside end first; what is left then is a deadlock. */
static void rule_5_deadlock_after_the_last_timer(void)
{
    struct lock a = { 7, NULL };
    world_open(0);
    coop_spawn(locker, .first = &a, .second = &a);
    coop_spawn(sleeps, .ns = COOP_S(5));
    IS(coop_run(), -EDEADLK);
    IS(world.machine.clock, COOP_S(5));
    REPORTED("coop: deadlock: 1 task is left, and nothing outside can wake it\n"
             "coop:   task 1 locker waits in Grab(held by 7) at test_deadlock.c:");
    world_drop();
}

coop_routine(frees, struct lock *lock;)
{
    coop_begin;
    coop_trap(coop_void, Release, .lock = my->lock);
    coop_end;
}

static void a_deadlock_can_be_resolved(void)
{
    struct lock a = { 7, NULL }, b = { 0, NULL };
    world_open(0);
    coop_spawn(locker, .first = &a, .second = &b);
    IS(coop_run(), -EDEADLK);
    coop_spawn(frees, .lock = &a);
    IS(coop_run(), 0);
    LOG_IS("1:0");
    world_close();
}

static void a_report_has_an_end(void)
{
    struct lock a = { 5000, NULL };
    world_open(0);
    for (int i = 0; i < 1000; i++)
        coop_spawn(locker, .first = &a, .second = &a);
    IS(coop_run(), -EDEADLK);
    IS(world.reported, 22);
    REPORTED("coop:   and 980 more\n");
    world_drop();
}

static void main_task_in_a_deadlock(void)
{
    struct lock a = { 7, NULL };
    world_open(0);
    IS(coop_main(locker, .first = &a, .second = &a), -EDEADLK);
    world_drop();
    IS(coop_main(waits_for, .tid = 1), 0);
    LOG_IS("1:EDEADLK");
    CU_ASSERT_PTR_NULL(coop_this);
}

coop_routine(never_through, struct lock *lock;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    coop_finally;
    say("cleaning");
    coop_trap(coop_void, Grab, .lock = my->lock);
    say("never");
    coop_end;
}

/* coop_sched_close drops what is blocked for ever, and says so. */
static void blocked_cleanup_is_dropped_at_close(void)
{
    struct lock a = { 7, NULL };
    world_open(0);
    coop_spawn(never_through, .lock = &a);
    world_drop();
    LOG_IS("cleaning");
    REPORTED("coop:   task 1 never_through waits in Grab(held by 7) at test_deadlock.c:");
}

coop_routine(asks, struct lock *lock;)
{
    coop_begin;
    coop_trap(coop_void, Grab, .lock = my->lock, .trusting = true);
    coop_end;
}

static void bad_input_holders_that_are_none(void)
{
    struct lock lock = { 1, NULL };
    world_open(0);
    coop_spawn(asks, .lock = &lock);
    IS(coop_run(), -EDEADLK);
    REPORTED("coop:   a cycle: 1 asks waits for task 1 asks\n");
    const coop_call *call = lock.waiting;
    IS(coop_closes_cycle(coop_this, call, 1), true);
    IS(coop_closes_cycle(coop_this, call, 0), false);
    IS(coop_closes_cycle(coop_this, call, -1), false);
    IS(coop_closes_cycle(coop_this, call, 4711), false);
    world_drop();
}

static const suite_test tests[] = {
    TEST(F16_waiting_for_oneself),
    TEST(F16_a_cycle_of_waits),
    TEST(F16_a_cycle_of_locks_is_refused),
    TEST(F16_a_cycle_is_reported_by_name),
    TEST(F16_a_cycle_through_parts_of_calls),
    TEST(F16_a_cycle_through_the_cleanup),
    TEST(F16_a_cycle_through_calls_of_two_kinds),
    TEST(rule_5_no_deadlock_while_the_outside_may_wake_one),
    TEST(rule_5_deadlock_after_the_last_timer),
    TEST(a_deadlock_can_be_resolved),
    TEST(a_report_has_an_end),
    TEST(bad_input_holders_that_are_none),
    TEST(main_task_in_a_deadlock),
    TEST(blocked_cleanup_is_dropped_at_close),
};

int main(int argc, char **argv)
{
    return world_main("deadlock", tests, SUITE_COUNT(tests), argc, argv, "");
}
