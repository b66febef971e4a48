/* The order of execution: contract rules 1 to 3. */
#include "world.h"

#include <errno.h>
#include <stdlib.h>

coop_routine(stepper, const char *name; int steps; int i;)
{
    coop_begin;
    for (; my->i < my->steps; my->i++) {
        say("%s%d", my->name, my->i);
        coop_trap(coop_void, GetTid);
    }
    coop_end;
}

static void rule_1_trap_ends_slice(void)
{
    world_open(0);
    coop_spawn(stepper, .name = "a", .steps = 3);
    coop_spawn(stepper, .name = "b", .steps = 2);
    coop_spawn(stepper, .name = "c", .steps = 3);
    IS(coop_run(), 0);
    LOG_IS("a0 b0 c0 a1 b1 c1 a2 c2");
    world_close();
}

static void rule_1_quantum_n(void)
{
    world_open(3);
    coop_spawn(stepper, .name = "a", .steps = 7);
    coop_spawn(stepper, .name = "b", .steps = 4);
    IS(coop_run(), 0);
    LOG_IS("a0 a1 a2 b0 b1 b2 a3 a4 a5 b3 a6");
    world_close();
}

coop_routine(sleeper, const char *name; int64_t ns;)
{
    coop_begin;
    coop_trap(coop_void, GetTid);
    say("%s-sleeps", my->name);
    coop_trap(coop_void, Sleep, .ns = my->ns);
    say("%s-woke", my->name);
    coop_end;
}

static void rule_1_waiting_ends_slice_at_any_quantum(void)
{
    world_open(100);
    coop_spawn(sleeper, .name = "a", .ns = 1);
    coop_spawn(stepper, .name = "b", .steps = 2);
    IS(coop_run(), 0);
    LOG_IS("a-sleeps b0 b1 a-woke");
    world_close();
}

coop_routine(polite, const char *name; int how; int i;)
{
    coop_begin;
    for (; my->i < 2; my->i++) {
        coop_trap(coop_void, GetTid);
        say("%s%d", my->name, my->i);
        if (my->how == 0)
            coop_trap(coop_void, Yield);
        else if (my->how == 1)
            coop_trap(coop_void, Sleep, .ns = 0);
        else if (my->how == 2)
            coop_trap(coop_void, Sleep, .ns = -5);
        else
            coop_yield(coop_void, 0);
    }
    coop_end;
}

static void rule_1_yield_ends_slice_at_any_quantum(void)
{
    for (int how = 0; how < 4; how++) {
        world_open(50);
        coop_spawn(polite, .name = "a", .how = how);
        coop_spawn(polite, .name = "b", .how = how);
        IS(coop_run(), 0);
        LOG_IS("a0 b0 a1 b1");
        world_close();
    }
}

coop_routine(parent, coop_tid tid;)
{
    coop_begin;
    coop_trap(my->tid, NewTask,
              .target = coop_create(stepper, .name = "child", .steps = 1));
    say("parent");
    my->tid = coop_spawn(stepper, .name = "spawned", .steps = 1);
    say("goes on");
    coop_trap(coop_void, Yield);
    say("parent again");
    coop_end;
}

static void rule_2_a_child_is_queued_before_its_parent(void)
{
    world_open(0);
    coop_spawn(parent);
    coop_spawn(stepper, .name = "other", .steps = 1);
    IS(coop_run(), 0);
    LOG_IS("other0 child0 parent goes on spawned0 parent again");
    world_close();
}

coop_routine(reader, int fd; int writes; coop_value r;)
{
    coop_begin;
    if (my->writes)
        coop_trap(my->r, WriteWait, .fd = my->fd);
    else
        coop_trap(my->r, ReadWait, .fd = my->fd);
    IS(my->r, 0);
    say("%d%s", my->fd, my->writes ? "w" : "");
    coop_end;
}

/* As the machine reports them; on one descriptor readers come first, each list in the order
   in which they came. */
static void rule_2_woken_in_the_machines_order(void)
{
    world_open(0);
    for (int fd = 3; fd < 9; fd++)
        coop_spawn(reader, .fd = fd);
    coop_spawn(reader, .fd = 4, .writes = 1);
    coop_spawn(reader, .fd = 4);
    virtual_fire(&world.machine, 10, 7, COOP_READ);
    virtual_fire(&world.machine, 10, 4, COOP_READ | COOP_WRITE);
    virtual_fire(&world.machine, 10, 8, COOP_READ);
    virtual_fire(&world.machine, 5, 5, COOP_READ);
    virtual_fire(&world.machine, 20, 3, COOP_READ);
    virtual_fire(&world.machine, 20, 6, COOP_READ);
    IS(coop_run(), 0);
    LOG_IS("5 7 4 4 4w 8 3 6");
    world_close();
}

coop_routine(waiter, const char *name; coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, WaitTask, .tid = my->tid);
    say("%s", my->name);
    coop_end;
}

static void rule_2_woken_tasks_go_to_the_tail(void)
{
    world_open(0);
    coop_spawn(waiter, .name = "first", .tid = 3);
    coop_spawn(waiter, .name = "second", .tid = 3);
    coop_spawn(stepper, .name = "a", .steps = 1);
    coop_spawn(stepper, .name = "b", .steps = 3);
    IS(coop_run(), 0);
    LOG_IS("a0 b0 b1 first second b2");
    world_close();
}

coop_routine(level, const char *name; int depth;)
{
    coop_begin;
    say("%s%d", my->name, my->depth);
    if (my->depth)
        coop_await(coop_void, level, .name = my->name, .depth = my->depth - 1);
    else
        coop_trap(coop_void, Yield);
    say("%s%d", my->name, my->depth);
    coop_end;
}

static void rule_3_await_and_return_stay_inside_the_slice(void)
{
    world_open(0);
    coop_spawn(level, .name = "a", .depth = 2);
    coop_spawn(level, .name = "b", .depth = 1);
    IS(coop_run(), 0);
    LOG_IS("a2 a1 a0 b1 b0 a0 a1 a2 b0 b1");
    world_close();
}

static void write_down(coop_observer *o, const coop_event *e)
{
    coop_text *text = (coop_text *)(o + 1);
    coop_event_text(e, text);
    coop_print(text, "\n");
}

coop_routine(mixed, int n; coop_tid tid;)
{
    coop_begin;
    coop_trap(my->tid, NewTask,
              .target = coop_create(sleeper, .name = "s", .ns = my->n % 3));
    coop_trap(coop_void, ReadWait, .fd = 3 + my->n % 4);
    if (my->n % 2)
        coop_trap(coop_void, KillTask, .tid = my->tid - 1);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    coop_end;
}

/* The same program and inputs: the same events. */
static void rule_2_runs_are_determined(void)
{
    enum { SIZE = 100000 };
    struct { coop_observer face; coop_text text; } seen[2];
    for (int i = 0; i < 2; i++) {
        seen[i].face = (coop_observer){ .event = write_down };
        seen[i].text = (coop_text){ .data = malloc(SIZE), .size = SIZE };
        world_open(0);
        coop_observe(&seen[i].face);
        for (int n = 0; n < 40; n++)
            coop_spawn(mixed, .n = n);
        for (int n = 0; n < 8; n++)
            virtual_fire(&world.machine, n / 3, 3 + n % 4, COOP_READ);
        IS(coop_run(), 0);
        world_close();
    }
    IS(seen[0].text.cut, false);
    CU_ASSERT(seen[0].text.used > 5000);
    CU_ASSERT_STRING_EQUAL(seen[0].text.data, seen[1].text.data);
    free(seen[0].text.data);
    free(seen[1].text.data);
}

coop_routine(sub, coop_value r;)
{
    coop_begin;
    say("sub");
    coop_yield(my->r, 1);
    coop_trap(coop_void, Yield);
    coop_return(my->r);
    coop_end;
}

coop_routine(A4_foo, coop_value r; int i;)
{
    coop_begin;
    for (; my->i < 2; my->i++) {
        coop_await(my->r, sub);
        say("r%td", my->r);
    }
    coop_end;
}

coop_routine(A4_other, int i;)
{
    coop_begin;
    for (; my->i < 3; my->i++) {
        say("other");
        coop_trap(coop_void, Yield);
    }
    coop_end;
}

/* A yield in a subroutine lets others run, and the subroutine goes on. */
static void F18_A4_yield_from_a_subroutine(void)
{
    world_open(0);
    say_ends();
    coop_spawn(A4_foo);
    coop_spawn(A4_other);
    IS(coop_run(), 0);
    LOG_IS("sub other other r0 sub other 2-ended r0 1-ended");
    world_close();
}

coop_routine(A1_child, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    coop_end;
}

coop_routine(A1_waiter, int n; coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, WaitTask, .tid = my->tid);
    say("%d-%s", my->n, result(my->r));
    coop_trap(my->r, WaitTask, .tid = my->tid);
    say("%d-again-%s", my->n, result(my->r));
    coop_end;
}

coop_routine(A1_main, coop_tid child; int i;)
{
    coop_begin;
    coop_trap(my->child, NewTask, .target = coop_create(A1_child));
    for (; my->i < 3; my->i++)
        coop_trap(coop_void, NewTask,
                  .target = coop_create(A1_waiter, .n = my->i, .tid = my->child));
    coop_end;
}

/* The order of pyos6. There every waiter heard False; here the first gets the status. */
static void A1_three_waiters_on_a_child_that_ended(void)
{
    world_open(0);
    say_ends();
    coop_spawn(A1_main);
    IS(coop_run(), 0);
    LOG_IS("2-ended 0-0 0-again-ESRCH 3-ended 1-ESRCH 1-ended 1-again-ESRCH 4-ended "
           "2-ESRCH 2-again-ESRCH 5-ended");
    world_close();
}

static const suite_test tests[] = {
    TEST(rule_1_trap_ends_slice),
    TEST(rule_1_quantum_n),
    TEST(rule_1_waiting_ends_slice_at_any_quantum),
    TEST(rule_1_yield_ends_slice_at_any_quantum),
    TEST(rule_2_a_child_is_queued_before_its_parent),
    TEST(rule_2_woken_in_the_machines_order),
    TEST(rule_2_woken_tasks_go_to_the_tail),
    TEST(rule_2_runs_are_determined),
    TEST(rule_3_await_and_return_stay_inside_the_slice),
    TEST(F18_A4_yield_from_a_subroutine),
    TEST(A1_three_waiters_on_a_child_that_ended),
};

int main(int argc, char **argv)
{
    return world_main("order", tests, SUITE_COUNT(tests), argc, argv, "");
}
