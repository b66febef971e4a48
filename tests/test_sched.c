/* Schedulers: opening with what options ask for, running, closing. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

coop_routine(idle, int turns; coop_value v;)
{
    coop_begin;
    while (my->turns--)
        coop_trap(coop_void, Yield);
    coop_return(my->v);
    coop_end;
}

coop_routine(naps, int64_t ns;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_end;
}

static void without_a_scheduler(void)
{
    coop_info info;
    coop_observer none = { .event = NULL };
    IS(coop_run(), 0);
    IS(coop_sched_close(), 0);
    IS(coop_self(), 0);
    IS(coop_name(1, "x"), -ESRCH);
    IS(coop_inspect(1, &info), -ESRCH);
    IS(coop_inspect(1, NULL), -EINVAL);
    IS(coop_tasks(NULL, 0), 0);
    IS(coop_ready_tasks(NULL, 0), 0);
    IS(coop_backtrace(1, NULL, 0), -ESRCH);
    IS(coop_observe(&none), -EINVAL);
    IS(coop_unobserve(&none), -EINVAL);
    IS(coop_ps(NULL), 0);
    IS(coop_bt(1, NULL), -ESRCH);
}

static void the_default_scheduler_comes_and_goes(void)
{
    IS(coop_spawn(idle, .turns = 3), 1);
    IS(coop_sched_open(NULL), -EBUSY);
    IS(coop_spawn(idle, .turns = 3), 2);
    IS(coop_run(), 0);
    CU_ASSERT_PTR_NULL(coop_this);
    IS(coop_main(idle, .v = 5), 5);
    IS(coop_main(idle, .v = -EIO), -EIO);
    CU_ASSERT_PTR_NULL(coop_this);
    IS(coop_sched_open(NULL), 0);
    IS(coop_sched_close(), 0);
}

coop_routine(inside, coop_value r;)
{
    coop_begin;
    IS(coop_run(), -EBUSY);
    IS(coop_sched_close(), -EBUSY);
    IS(coop_sched_open(NULL), -EBUSY);
    IS(coop_main(idle), -EBUSY);
    IS(coop_tasks(NULL, 0), 1);
    coop_return(1);
    coop_end;
}

static void busy_inside_a_task(void)
{
    world_open(0);
    IS(coop_main(inside), 1);
    world_close();
}

static void a_second_scheduler_is_refused_and_its_parts_stay_the_callers(void)
{
    struct virtual_machine other;
    coop_policy *policy = coop_fifo();
    world_open(0);
    coop_options options = { .machine = virtual_machine(&other), .policy = policy };
    IS(coop_sched_open(&options), -EBUSY);
    CU_ASSERT_FALSE(other.freed);
    policy->free(policy);
    world_close();
    CU_ASSERT(world.machine.freed);
    coop_machine *machine = coop_unix(NULL);
    CU_ASSERT(machine->now(machine) > 0);
    machine->free(machine);
}

static void bad_trace_words_are_refused(void)
{
    struct virtual_machine machine;
    memset(&world, 0, sizeof world);
    setenv("COOP_TRACE", "1,loudly", 1);
    world_open_with((coop_options){ .no_env = true });
    world_close();
    NO_REPORTS();
    IS(coop_sched_open(&(coop_options){ .machine = virtual_machine(&machine),
                                        .report = world_report, .arg = &world }), -EINVAL);
    CU_ASSERT_FALSE(machine.freed);
    REPORTED("COOP_TRACE: unknown word 'loudly'");
    unsetenv("COOP_TRACE");
    CU_ASSERT_PTR_NULL(coop_this);
}

static void observer_without_event_is_refused(void)
{
    struct virtual_machine machine;
    coop_observer none = { .event = NULL };
    coop_options options = { .machine = virtual_machine(&machine), .observer = &none,
                             .slow = 5, .no_env = true };
    IS(coop_sched_open(&options), -EINVAL);
    CU_ASSERT_FALSE(machine.freed);
    CU_ASSERT_PTR_NULL(coop_this);
}

/* The newest ready task first. */
static coop_task *newest;

static void put(coop_policy *p, coop_task *t)
{
    (void)p;
    t->next = newest;
    newest = t;
}

static coop_task *take(coop_policy *p)
{
    coop_task *t = newest;
    (void)p;
    if (t)
        newest = t->next;
    return t;
}

static coop_task *after(coop_policy *p, coop_task *t)
{
    (void)p;
    return t ? t->next : newest;
}

static unsigned let_go;

static void free_policy(coop_policy *p)
{
    (void)p;
    let_go++;
}

static void a_policy_of_ones_own(void)
{
    coop_policy policy = { .name = "newest", .put = put, .take = take, .after = after,
                           .free = free_policy };
    coop_tid tids[3];
    world_open_with((coop_options){ .policy = &policy });
    say_ends();
    for (int i = 0; i < 3; i++)
        coop_spawn(idle, .turns = 2);
    IS(coop_ready_tasks(tids, 3), 3);
    IS(tids[0], 3);
    IS(coop_run(), 0);
    LOG_IS("3-ended 2-ended 1-ended");
    world_close();
    IS(let_go, 1);
}

coop_routine(kills_main, coop_tid tid;)
{
    coop_begin;
    coop_trap(coop_void, KillTask, .tid = my->tid);
    coop_end;
}

coop_routine(killed_main, coop_value r;)
{
    coop_begin;
    coop_spawn(kills_main, .tid = coop_self());
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    coop_end;
}

static void the_main_task_is_killed(void)
{
    world_open(0);
    IS(coop_main(killed_main), -ECANCELED);
    world_close();
    NO_REPORTS();
}

/* The kernel prints nothing by itself but reports, and those go where options say. */
static void F30_the_kernel_is_silent(void)
{
    int ends[2], out = dup(1), err = dup(2);
    char byte;
    fflush(stdout);
    IS(pipe(ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    world_open(0);
    coop_spawn(idle, .turns = 3);
    coop_spawn(idle, .v = -EIO);
    coop_tid tid = coop_spawn(naps, .ns = 5);
    coop_value r = coop_run();
    dup2(out, 1);
    dup2(err, 2);
    IS(r, 0);
    IS(tid, 3);
    IS(read(ends[0], &byte, 1), -1);
    IS(world.reported, 1);
    REPORTED("coop: task 2 idle failed: -5 EIO");
    close(out), close(err), close(ends[0]), close(ends[1]);
    world_close();
}

coop_routine(restless, int64_t ns;)
{
    coop_begin;
    for (;;)
        coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_finally;
    say("%td", coop_self());
    if (my->ns == 1)
        coop_spawn(restless, .ns = 2);
    coop_trap(coop_void, Sleep, .ns = 3);
    say("through");
    coop_end;
}

/* Also those that are spawned while it closes, and with cleanup that takes time. */
static void close_ends_every_task(void)
{
    world_open(0);
    coop_spawn(restless, .ns = 1);
    coop_spawn(idle, .turns = -1);
    world_drop();
    LOG_IS("1 3 through through");
    NO_REPORTS();
}

static const suite_test tests[] = {
    TEST(without_a_scheduler),
    TEST(the_default_scheduler_comes_and_goes),
    TEST(busy_inside_a_task),
    TEST(a_second_scheduler_is_refused_and_its_parts_stay_the_callers),
    TEST(bad_trace_words_are_refused),
    TEST(observer_without_event_is_refused),
    TEST(a_policy_of_ones_own),
    TEST(the_main_task_is_killed),
    TEST(F30_the_kernel_is_silent),
    TEST(close_ends_every_task),
};

int main(int argc, char **argv)
{
    return suite_main("sched", tests, SUITE_COUNT(tests), argc, argv);
}
