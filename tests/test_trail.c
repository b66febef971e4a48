/* The way of an error is told with the failure: the places at which it was returned. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int line;                   /* of the innermost return */

coop_routine(at_depth, int depth, handled; coop_value gives, r;)
{
    coop_begin;
    if (my->depth == 0) {
        coop_trap(coop_void, Yield);
        line = __LINE__; coop_return(my->gives);
    }
    coop_await(my->r, at_depth, .depth = my->depth - 1, .gives = my->gives,
               .handled = my->handled);
    if (my->depth == my->handled)
        coop_return(-EPIPE);
    coop_return(my->r);
    coop_end;
}

/* The whole report, where all places are in at_depth: the innermost, more calls, and how
   many that are not told. */
static void report_is(const char *first, int innermost, int calls, int untold)
{
    static const char place[] = "coop:   in at_depth at test_trail.c:%d\n";
    static char wanted[3000];
    coop_text text = { .data = wanted, .size = sizeof wanted };
    coop_print(&text, "%s", first);
    coop_print(&text, place, innermost);
    while (calls--)
        coop_print(&text, place, line + 6);
    if (untold)
        coop_print(&text, "coop:   and %d more\n", untold);
    CU_ASSERT_STRING_EQUAL(world.reports, wanted);
    world.reports[0] = '\0';
}

static const char *failed(coop_tid tid, const char *error, int born)
{
    static char first[200];
    snprintf(first, sizeof first, "coop: task %td at_depth failed: %s (created at "
             "test_trail.c:%d)\n", tid, error, born);
    return first;
}

static void every_place(void)
{
    world_open(0);
    coop_spawn(at_depth, .depth = 3, .gives = -EIO); int born = __LINE__;
    IS(coop_run(), 0);
    report_is(failed(1, "-5 EIO", born), line, 3, 0);
    coop_spawn(at_depth, .depth = 30, .gives = -EIO); born = __LINE__;
    IS(coop_run(), 0);
    report_is(failed(2, "-5 EIO", born), line, 11, 19);
    coop_spawn(at_depth, .depth = 3, .gives = -EIO, .handled = 2); born = __LINE__;
    IS(coop_run(), 0);
    report_is(failed(3, "-32 EPIPE", born), line + 5, 1, 0);   /* where it was another */
    coop_spawn(at_depth, .depth = 3, .gives = 4);
    IS(coop_run(), 0);
    world_close();
    CU_ASSERT_STRING_EQUAL(world.reports, "");
}

/* Several at once, and one after the other in the same memory. */
coop_routine(fails, int64_t ns;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_return(-EIO);
    coop_end;
}

/* Handles the error; the next task in its place has one of its own. */
coop_routine(handles, coop_value gives, r;)
{
    coop_begin;
    coop_await(my->r, fails, .ns = 1);
    coop_return(my->gives);
    coop_end;
}

coop_routine(by_itself, coop_value gives, r;)
{
    coop_begin;
    coop_return(-EIO);
    coop_end;
}

static void no_place_of_another_task(void)
{
    world_open(0);
    for (int i = 0; i < 20; i++) {
        coop_spawn(handles);
        IS(coop_run(), 0);
        coop_spawn(by_itself);
        IS(coop_run(), 0);
        CU_ASSERT_PTR_NULL(strstr(world.reports, "in fails"));
        REPORTED("coop:   in by_itself at test_trail.c:");
    }
    world_close();
}

coop_routine(exits, coop_value gives;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Exit, .value = my->gives);
    coop_end;
}

coop_routine(calls_exits, coop_value gives;)
{
    coop_begin;
    coop_await(coop_void, exits, .gives = my->gives);
    coop_finally;
    coop_await(coop_void, fails, .ns = 5);
    coop_end;
}

/* Exit tells all frames as they stand. A kill tells nothing. */
static void exit_and_kill(void)
{
    world_open(0);
    coop_spawn(calls_exits, .gives = -EIO);
    IS(coop_run(), 0);
    REPORTED("failed: -5 EIO (created");
    coop_spawn(calls_exits, .gives = -EPIPE);
    IS(coop_run(), 0);
    char *exit = strstr(world.reports, "coop:   in exits at test_trail.c:");
    CU_ASSERT(exit && strstr(exit, "\ncoop:   in calls_exits at test_trail.c:"));
    CU_ASSERT_PTR_NULL(strstr(world.reports, "in fails"));
    REPORTED("failed: -32 EPIPE (created");
    coop_spawn(calls_exits, .gives = 0);
    IS(coop_run(), 0);
    NO_REPORTS();
    world_close();
}

static const suite_test tests[] = {
    TEST(every_place), TEST(no_place_of_another_task), TEST(exit_and_kill),
};

int main(int argc, char **argv)
{
    return suite_main("trail", tests, SUITE_COUNT(tests), argc, argv);
}
