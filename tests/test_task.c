/* Tasks: what they are made of, numbers, names, and looking at them. */
#include "routines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

coop_routine(begets, coop_tid tid; coop_coroutine *co; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, NewTask, .target = NULL);
    IS(my->r, -ENOMEM);
    my->co = coop_create(idle, .turns = 2);
    coop_trap(my->tid, NewTask, .target = my->co, .name = "a child");
    IS(my->tid > 0, 1);
    coop_trap(my->r, NewTask, .target = my->co);
    IS(my->r, -EBUSY);
    my->co = coop_create(idle, .turns = 2);
    IS(coop_co_next(my->co, NULL), COOP_TRAPPED);
    coop_trap(my->r, NewTask, .target = my->co);
    IS(my->r, -EINVAL);
    IS(coop_co_next(my->co, NULL), COOP_TRAPPED);
    IS(coop_co_next(my->co, NULL), COOP_RETURNED);
    coop_trap(my->r, NewTask, .target = my->co, .name = "late");
    IS(my->r, -EINVAL);
    IS(coop_co_free(my->co), 0);
    coop_end;
}

static void F20_F21_targets_that_are_none(void)
{
    WORLD(0, begets);
    NO_REPORTS();
}

static void F22_numbers_names_parents(void)
{
    coop_info info;
    for (int round = 0; round < 2; round++) {
        world_open(0);
        IS(coop_spawn(idle, .turns = 1), 1);
        IS(coop_spawn(idle, .turns = 1), 2);
        IS(coop_run(), 0);
        IS(coop_spawn(idle), 3);
        IS(coop_inspect(1, &info), -ESRCH);
        IS(coop_inspect(3, &info), 0);
        IS(info.tid, 3);
        IS(info.parent, 0);
        CU_ASSERT_STRING_EQUAL(info.name, "idle");
        IS(coop_run(), 0);
        world_close();
    }
}

coop_routine(named, coop_tid tid; coop_info info; char name[20];)
{
    coop_begin;
    strcpy(my->name, "copied");
    coop_trap(my->tid, NewTask, .target = coop_create(naps, .ns = 100), .name = my->name);
    strcpy(my->name, "overwritten");
    IS(coop_inspect(my->tid, &my->info), 0);
    CU_ASSERT_STRING_EQUAL(my->info.name, "copied");
    IS(my->info.parent, coop_self());
    CU_ASSERT_PTR_NOT_NULL(strstr(my->info.born, "test_task.c:"));
    IS(my->info.slices, 1);
    IS(coop_name(my->tid, "other"), 0);
    IS(coop_inspect(my->tid, &my->info), 0);
    CU_ASSERT_STRING_EQUAL(my->info.name, "other");
    CU_ASSERT_PTR_NOT_NULL(strstr(my->info.born, "test_task.c:"));
    IS(coop_name(my->tid, ""), 0);
    IS(coop_inspect(my->tid, &my->info), 0);
    CU_ASSERT_STRING_EQUAL(my->info.name, "naps");
    IS(coop_name(my->tid, NULL), 0);
    IS(coop_name(coop_self(), "me"), 0);
    coop_end;
}

static void F22_names_are_copied_and_changed(void)
{
    world_open(0);
    IS(coop_main(named), 0);
    IS(coop_name(0, "x"), -ESRCH);
    IS(coop_name(-1, "x"), -ESRCH);
    IS(coop_name(4711, "x"), -ESRCH);
    world_close();
}

static void names_of_any_length(void)
{
    enum { LONG = 100000 };
    char *name = malloc(LONG + 1);
    coop_info info;
    memset(name, 'x', LONG);
    name[LONG] = '\0';
    world_open(0);
    coop_tid tid = coop_spawn(idle, .v = -EIO);
    IS(coop_name(tid, name), 0);
    IS(coop_inspect(tid, &info), 0);
    IS(strlen(info.name), LONG);
    free(name);
    IS(coop_run(), 0);
    REPORTED("coop: task 1 xxxxxxxx");
    world_close();
}

/* A name is part of a line. */
static void names_have_no_control_characters(void)
{
    coop_info info;
    world_open(0);
    coop_tid tid = coop_spawn(idle, .v = -EIO);
    IS(coop_name(tid, "a\nb\tc\x1b[2J\x7f\x01 \xc3\xa9~"), 0);
    IS(coop_inspect(tid, &info), 0);
    CU_ASSERT_STRING_EQUAL(info.name, "a?b?c?[2J?? \xc3\xa9~");
    IS(coop_run(), 0);
    REPORTED("coop: task 1 a?b?c?[2J?? \xc3\xa9~ failed: -5 EIO");
    world_close();
}

coop_routine(deep, int depth; coop_value r;)
{
    coop_begin;
    if (my->depth)
        coop_await(my->r, deep, .depth = my->depth - 1);
    else
        coop_trap(my->r, Sleep, .ns = 1000);
    coop_end;
}

coop_routine(looker, coop_info info; coop_place places[3]; coop_tid deep, kept;)
{
    coop_begin;
    my->deep = coop_spawn(deep, .depth = 4);
    IS(coop_inspect(my->deep, &my->info), 0);
    IS(my->info.state, COOP_READY);
    IS(my->info.slices, 0);
    IS(coop_backtrace(my->deep, my->places, 3), 1);
    IS(my->places[0].line, 0);
    coop_trap(my->kept, NewTask, .target = coop_create(idle));
    coop_trap(coop_void, Yield);
    IS(coop_backtrace(my->deep, NULL, 0), 5);
    my->places[2].line = -7;
    IS(coop_backtrace(my->deep, my->places, 2), 5);
    IS(my->places[2].line, -7);
    CU_ASSERT_STRING_EQUAL(my->places[0].routine, "deep");
    CU_ASSERT_STRING_EQUAL(my->places[0].file, "test_task.c");
    IS(my->places[0].line, my->places[1].line + 2);
    IS(coop_inspect(my->deep, &my->info), 0);
    IS(my->info.state, COOP_WAITING);
    CU_ASSERT_PTR_EQUAL(my->info.call->type, &coop_Sleep_type);
    IS(my->info.ending, false);
    IS(my->info.system, false);
    IS(coop_inspect(coop_self(), &my->info), 0);
    IS(my->info.state, COOP_RUNNING);
    IS(my->info.slices, 3);
    CU_ASSERT_PTR_NULL(my->info.call);
    IS(coop_inspect(my->kept, &my->info), 0);
    IS(my->info.state, COOP_ENDED);
    CU_ASSERT_STRING_EQUAL(my->info.name, "idle");
    IS(coop_backtrace(-1, NULL, 0), -ESRCH);
    IS(coop_inspect(0, &my->info), -ESRCH);
    IS(coop_inspect(INTPTR_MIN, &my->info), -ESRCH);
    IS(coop_inspect(1, NULL), -EINVAL);
    coop_end;
}

static void F28_tasks_can_be_looked_at(void)
{
    WORLD(0, looker);
}

static void F28_lists_of_tasks(void)
{
    coop_tid tids[6] = { 0, 0, 0, -1, -1, -1 };
    world_open(0);
    for (int i = 0; i < 5; i++)
        coop_spawn(idle);
    IS(coop_tasks(NULL, 0), 5);
    IS(coop_tasks(tids, 3), 5);
    IS(tids[0], 1);
    IS(tids[2], 3);
    IS(tids[3], -1);
    IS(coop_tasks(tids, 6), 5);
    IS(tids[4], 5);
    IS(tids[5], -1);
    IS(coop_ready_tasks(NULL, 0), 5);
    IS(coop_ready_tasks(tids + 4, 2), 5);
    IS(tids[4], 1);
    IS(tids[5], 2);
    IS(coop_run(), 0);
    IS(coop_ready_tasks(NULL, 0), 0);
    world_close();
}

static void F28_ps_and_bt(void)
{
    char buf[2000], small[8];
    coop_text text = { .data = buf, .size = sizeof buf };
    coop_text cut = { .data = small, .size = sizeof small };
    world_open(0);
    coop_spawn(deep, .depth = 2);
    coop_spawn(idle);
    world.machine.poll_error = -EIO;
    IS(coop_run(), -EIO);
    IS(coop_ps(&text), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf, "Sleep(1us)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf, "[iopoll]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf, "test_task.c:"));
    text.used = 0;
    IS(coop_bt(1, &text), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf, "#2 deep at test_task.c:"));
    IS(coop_bt(2, &text), -ESRCH);
    IS(coop_bt(0, &text), -ESRCH);
    IS(coop_ps(&cut), 0);
    IS(cut.cut, true);
    IS(strlen(small), 7);
    IS(coop_ps(NULL), 0);
    IS(coop_run(), 0);
    world_close();
}

static unsigned seen[COOP_EXIT + 1], freed;

static void see(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (!e->system)
        seen[e->kind]++;
}

static void let_go(coop_observer *o)
{
    (void)o;
    freed++;
}

static void F28_observers_see_everything(void)
{
    coop_observer one = { .event = see, .free = let_go }, two = one;
    coop_observer none = { .event = NULL };
    memset(seen, 0, sizeof seen);
    freed = 0;
    world_open(0);
    IS(coop_observe(NULL), -EINVAL);
    IS(coop_observe(&none), -EINVAL);
    IS(coop_unobserve(NULL), -EINVAL);
    IS(coop_unobserve(&one), -ENOENT);
    IS(coop_observe(&one), 0);
    IS(coop_observe(&one), -EBUSY);
    coop_spawn(idle, .turns = 3);
    coop_spawn(naps, .ns = 5);
    IS(coop_run(), 0);
    IS(seen[COOP_SPAWN], 2);
    IS(seen[COOP_RUN], 6);
    IS(seen[COOP_TRAP], 4);
    IS(seen[COOP_RESULT], 3);
    IS(seen[COOP_BLOCK], 1);
    IS(seen[COOP_WAKE], 1);
    IS(seen[COOP_EXIT], 2);
    IS(coop_observe(&two), 0);
    IS(coop_unobserve(&one), 0);
    IS(coop_unobserve(&one), -ENOENT);
    IS(freed, 0);
    world_close();
    IS(freed, 1);
}

static const suite_test tests[] = {
    TEST(F20_F21_targets_that_are_none),
    TEST(F22_numbers_names_parents),
    TEST(F22_names_are_copied_and_changed),
    TEST(names_of_any_length),
    TEST(names_have_no_control_characters),
    TEST(F28_tasks_can_be_looked_at),
    TEST(F28_lists_of_tasks),
    TEST(F28_ps_and_bt),
    TEST(F28_observers_see_everything),
};

int main(int argc, char **argv)
{
    return world_main("task", tests, SUITE_COUNT(tests), argc, argv,
                      "F28_tasks_can_be_looked_at");
}
