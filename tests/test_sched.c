/* Schedulers: opening with what options ask for, running, closing. */
#include "routines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    WORLD(1, inside);
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

/* What coop_main has answered already is not told again by coop_run. */
static void a_failed_coop_main_leaves_nothing_to_coop_run(void)
{
    int err = dup(2), nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, 2);
    setenv("COOP_TRACE", "bogus", 1);
    IS(coop_main(idle), -EINVAL);
    unsetenv("COOP_TRACE");
    IS(coop_run(), 0);
    setenv("COOP_TRACE", "bogus", 1);
    IS(coop_spawn(idle), -EINVAL);
    unsetenv("COOP_TRACE");
    dup2(err, 2);
    close(err), close(nowhere);
    IS(coop_run(), -EINVAL);
    IS(coop_run(), 0);
    CU_ASSERT_PTR_NULL(coop_this);
}

static void observer_without_event_is_refused(void)
{
    struct virtual_machine machine;
    coop_observer none = { .event = NULL };
    coop_options options = { .machine = virtual_machine(&machine), .observer = &none,
                             .no_env = true };
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
    WORLD(-ECANCELED, killed_main);
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

/* A call that waits in a list until it is undone; then it may spawn. */
static coop_call *parked;

struct coop_Park { coop_call base; bool spawns; };

static coop_value park(coop_sched *s, coop_call *call)
{
    (void)s;
    coop_list_add(&parked, call);
    return COOP_WAIT;
}

static bool unpark(coop_sched *s, coop_call *call)
{
    (void)s;
    CU_ASSERT(coop_list_remove(&parked, call));
    if (((struct coop_Park *)call)->spawns)
        CU_ASSERT(coop_spawn(idle) > 0);
    return true;
}

static const coop_call_type coop_Park_type = {
    .name = "Park", .handle = park, .undo = unpark
};

/* Nobody wakes it, and it is killed only once: closing drops it. */
coop_routine(parks_in_cleanup, int unused;)
{
    coop_begin;
    coop_finally;
    coop_trap(coop_void, Park);
    say("never");
    coop_end;
}

static void close_undoes_the_calls_of_those_that_it_drops(void)
{
    world_open(0);
    for (int i = 0; i < 3; i++)
        coop_spawn(parks_in_cleanup);
    IS(coop_run(), -EDEADLK);
    CU_ASSERT_PTR_NOT_NULL(parked);
    world_drop();
    CU_ASSERT_PTR_NULL(parked);
    LOG_IS("");
}

coop_routine(parks, int *cleaned;)
{
    coop_begin;
    coop_trap(coop_void, Park, .spawns = true);
    coop_finally;
    ++*my->cleaned;
    coop_end;
}

/* The table of tasks grows while they are ended one after the other. */
static void close_ends_all_while_undoing_makes_more(void)
{
    for (int tasks = 1; tasks <= 64; tasks++) {
        int cleaned = 0;
        world_open(0);
        for (int i = 0; i < tasks; i++)
            coop_spawn(parks, .cleaned = &cleaned);
        IS(coop_run(), -EDEADLK);
        world_drop();
        IS(cleaned, tasks);
        CU_ASSERT_PTR_NULL(parked);
    }
}

/* Looks at the tasks from wherever it is called: how many there are. */
static coop_value looked_at(void)
{
    char buf[4000];
    coop_text text = { .data = buf, .size = sizeof buf };
    coop_tid tids[8];
    coop_info info;
    coop_value n = coop_tasks(tids, 8);
    IS(coop_ps(&text), 0);
    for (coop_value i = 0; i < n && i < 8; i++) {
        IS(coop_inspect(tids[i], &info), 0);
        IS(coop_bt(tids[i], &text), 0);
    }
    IS(coop_ready_tasks(NULL, 0), 0);
    return n;
}

static void look_and_report(void *arg, const char *text)
{
    world_report(arg, text);
    say("report-%td", looked_at());
}

static void see_nothing(coop_observer *o, const coop_event *e)
{
    (void)o;
    (void)e;
}

static void look_and_go(coop_observer *o)
{
    (void)o;
    say("free-%td", looked_at());
}

static void tasks_may_be_looked_at_while_it_closes(void)
{
    coop_observer o = { .event = see_nothing, .free = look_and_go };
    world_open_with((coop_options){ .observer = &o, .report = look_and_report,
                                    .arg = &world });
    coop_coroutine *fresh = coop_create(idle);
    coop_spawn(naps, .ns = 5);
    coop_spawn(parks_in_cleanup);
    IS(coop_run(), -EDEADLK);
    CU_ASSERT_NSTRING_EQUAL(world.log, "report-2", 8);
    clear_log();
    world.reports[0] = '\0';
    world_drop();
    REPORTED("coroutine idle, created at test_sched.c:");
    CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "report-0 free-0"));
    IS(coop_co_free(fresh), 0);
}

static const suite_test tests[] = {
    TEST(without_a_scheduler),
    TEST(the_default_scheduler_comes_and_goes),
    TEST(busy_inside_a_task),
    TEST(a_second_scheduler_is_refused_and_its_parts_stay_the_callers),
    TEST(bad_trace_words_are_refused),
    TEST(a_failed_coop_main_leaves_nothing_to_coop_run),
    TEST(observer_without_event_is_refused),
    TEST(a_policy_of_ones_own),
    TEST(the_main_task_is_killed),
    TEST(F30_the_kernel_is_silent),
    TEST(close_ends_every_task),
    TEST(close_undoes_the_calls_of_those_that_it_drops),
    TEST(close_ends_all_while_undoing_makes_more),
    TEST(tasks_may_be_looked_at_while_it_closes),
};

int main(int argc, char **argv)
{
    return suite_main("sched", tests, SUITE_COUNT(tests), argc, argv);
}
