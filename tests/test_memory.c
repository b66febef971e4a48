/* Exhausted memory: every allocation of the library fails once, and from it on for good.
   Each time the call that needed it says -ENOMEM, nothing is lost, and the kernel goes
   on. */
#include "park.h"
#include "scarce.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

enum { TASKS = 80, ALL_RIGHT = TASKS + 10 };

/* ---- What tasks do ---- */

struct coop_Large { coop_call base; char filling[700]; };

static coop_value large_handle(coop_sched *s, coop_call *call)
{
    (void)s;
    return ((struct coop_Large *)call)->filling[0];
}

static const coop_call_type coop_Large_type = { .name = "Large", .handle = large_handle };

coop_routine(nest, int depth; char filling[300]; coop_value r;)
{
    coop_begin;
    if (my->depth == 0)
        coop_return(7);
    do
        coop_await(my->r, nest, .depth = my->depth - 1);
    while (again(my->r));
    coop_return(my->r);
    coop_end;
}

coop_routine(calls, coop_value r;)
{
    coop_begin;
    do
        coop_trap(my->r, Large, .filling = { 9 });
    while (again(my->r));
    right += my->r == 9;
    do
        coop_await(my->r, nest, .depth = 40);
    while (again(my->r));
    right += my->r == 7;
    coop_end;
}

coop_routine(sleeps, int n; coop_value r;)
{
    coop_begin;
    do
        coop_trap(my->r, Sleep, .ns = my->n);
    while (again(my->r));
    coop_return(my->r);
    coop_end;
}

coop_routine(makes_tasks, coop_tid tids[TASKS]; int i; coop_value r;)
{
    coop_begin;
    for (; my->i < TASKS; my->i++)
        do
            coop_trap(my->tids[my->i], NewTask, .name = my->i % 2 ? "odd" : NULL,
                      .target = coop_create(sleeps, .n = 10 + my->i));
        while (again(my->tids[my->i]));
    for (my->i = 0; my->i < TASKS; my->i++) {
        while (my->tids[my->i] > 0 && again(coop_name(my->tids[my->i], "renamed")))
            ;
        coop_trap(my->r, WaitTask, .tid = my->tids[my->i]);
        right += my->r == 0;
    }
    coop_end;
}

coop_routine(reads, int fd; coop_value r;)
{
    coop_begin;
    do
        coop_trap(my->r, ReadWait, .fd = my->fd);
    while (again(my->r));
    right += my->r == 0;
    do
        coop_trap(my->r, ReadWait, .fd = 200);
    while (again(my->r));
    right += my->r == 0;
    coop_end;
}

coop_routine(waits_for_outside, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Far);
    right += my->r == 5;
    coop_end;
}

/* Long enough for the kernel to look outside meanwhile. */
coop_routine(wakes, int i; coop_tid tid;)
{
    coop_begin;
    do
        my->tid = coop_spawn(waits_for_outside);
    while (again(my->tid));
    for (; my->i < 200; my->i++)
        coop_trap(coop_void, Yield);
    if (parked)
        coop_wake(coop_this, coop_list_take(&parked), 5);
    coop_end;
}

/* A generator whose calls need memory. */
coop_routine(by_hand, int i; coop_value r;)
{
    coop_begin;
    for (; my->i < 3; my->i++) {
        do
            coop_await(my->r, nest, .depth = 10);
        while (again(my->r));
        coop_yield(coop_void, my->r);
    }
    coop_end;
}

/* ---- The scenario ---- */

static const coop_options options = {
    .quantum = 2, .slow = -1, .report = world_report, .arg = &world
};

static void run_by_hand(void)
{
    coop_coroutine *co;
    coop_value out = 0;
    do
        co = coop_create(by_hand);
    while (again(co ? 0 : -ENOMEM));
    if (!co)
        return;
    while (coop_co_next(co, &out) == COOP_YIELDED && out == 7)
        right++;
    coop_co_free(co);
}

static void look(void)
{
    coop_tid tids[2];
    char buf[64], name[600];
    coop_text text = { .data = buf, .size = sizeof buf };
    while (again(coop_tasks(tids, 2)))
        ;
    while (again(coop_ps(&text)))
        ;
    while (again(coop_bt(1, &text)))
        ;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    char large[1000];
    text = (coop_text){ .data = large, .size = sizeof large };
    coop_print(&text, "%s", name);
    seen += text.cut;
}

static void all_of_it(int fd)
{
    coop_machine *machine;
    coop_policy *policy;
    while (again((machine = coop_unix(NULL)) ? 0 : -ENOMEM))
        ;
    while (again((policy = coop_fifo()) ? 0 : -ENOMEM))
        ;
    if (machine)
        machine->free(machine);
    if (policy)
        policy->free(policy);
    coop_value r;
    while (again(r = coop_sched_open(&options)))
        ;
    if (r < 0)
        return;
    while (again(coop_spawn(calls)))
        ;
    while (again(coop_spawn(makes_tasks)))
        ;
    while (again(coop_spawn(reads, .fd = fd)))
        ;
    look();
    coop_run();
    run_by_hand();
    coop_sched_close();
    while (again(r = coop_main(sleeps, .n = 5)))
        ;
    right += r == 0;
    while (again(r = coop_main(wakes)))
        ;
    right += r == 0;
}

static void rule_7_each_allocation_fails_once(void)
{
    setenv("COOP_TRACE", "1,time,file=/dev/null", 1);
    sweep(all_of_it, false, ALL_RIGHT);
    CU_ASSERT(allocations > 200);
    unsetenv("COOP_TRACE");
}

static void rule_7_memory_is_gone_for_good(void)
{
    setenv("COOP_TRACE", "1,time,file=/dev/null", 1);
    sweep(all_of_it, true, 0);
    unsetenv("COOP_TRACE");
}

static void step_through(int fd)
{
    coop_value r;
    (void)fd;
    while (again(r = coop_sched_open(&options)))
        ;
    if (r < 0)
        return;
    while (again(coop_spawn(sleeps, .n = 5)))
        ;
    r = coop_run();
    right += r == -ECANCELED || r == 0;
    coop_sched_close();
}

static void rule_7_in_the_stepper(void)
{
    setenv("COOP_TRACE", "step,in=/dev/null,file=/dev/null", 1);
    sweep(step_through, false, 1);
    sweep(step_through, true, 0);
    unsetenv("COOP_TRACE");
}

/* auto moves to another poller here. */
static void watch_on_each(int fd)
{
    static const char *const names[] = { "auto", "poll", "epoll" };
    const int fds[] = { fd, FD_SETSIZE };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        coop_machine *machine;
        coop_fired fired[4];
        coop_value r;
        while (again((machine = coop_unix(names[i])) ? 0 : -ENOMEM))
            ;
        if (!machine)
            continue;
        for (size_t k = 0; k < 2; k++) {
            while (again(r = machine->watch(machine, fds[k], COOP_READ)))
                ;
            right += r == 0;
        }
        right += machine->poll(machine, 0, fired, 4) == 2;
        machine->free(machine);
    }
}

static void rule_7_in_the_pollers(void)
{
    if (!may_open(FD_SETSIZE + 8))
        return;
    int ends[2];
    IS(pipe(ends), 0);
    IS(write(ends[1], "x", 1), 1);
    IS(dup2(ends[0], FD_SETSIZE), FD_SETSIZE);
    sweep(watch_on_each, false, 9);
    sweep(watch_on_each, true, 0);
    close_pair(ends), close(FD_SETSIZE);
}

static const suite_test tests[] = {
    TEST(rule_7_each_allocation_fails_once),
    TEST(rule_7_memory_is_gone_for_good),
    TEST(rule_7_in_the_stepper),
    TEST(rule_7_in_the_pollers),
};

int main(int argc, char **argv)
{
    return suite_main("memory", tests, SUITE_COUNT(tests), argc, argv);
}
