/* Looking at fibers: their functions in call stacks of both kinds, how much of their stacks
   they use, and where events and reports say that they are. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char seen[16384];

static coop_text seeing(void)
{
    memset(seen, 0, sizeof seen);
    return (coop_text){ .data = seen, .size = sizeof seen };
}

static void cut_after(const char *mark, const char *digits)
{
    for (char *at = seen; (at = strstr(at, mark));) {
        at += strlen(mark);
        memmove(at, at + strspn(at, digits), strlen(at + strspn(at, digits)) + 1);
    }
}

/* Where in a function it is depends on the compiler; lines are those of this file. */
static void seen_is(const char *expected)
{
    cut_after("+0x", "0123456789abcdef");
    cut_after(".c:", "0123456789");
    if (strcmp(seen, expected))
        printf("not\n%sbut\n%s", expected, seen);
    CU_ASSERT_STRING_EQUAL(seen, expected);
}

/* Not constant, or the functions become others, with other names. */
static volatile int two = 2, zero = 0;

coop_routine(nap, int64_t ns;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    coop_end;
}

static __attribute__((noinline)) int read_header(volatile int *depth)
{
    volatile int here = zero;
    if (--*depth > 0)
        return read_header(depth) + here;
    return (int)coop_call(nap, .ns = COOP_S(1)) + zero;
}

static coop_value client(void *arg)
{
    volatile int depth = two;
    (void)arg;
    return read_header(&depth) + zero;
}

static __attribute__((noinline)) coop_value sleep_long(void)
{
    return coop_sleep(COOP_S(1)) + zero;
}

static coop_value sleeper(void *arg)
{
    (void)arg;
    return sleep_long() + zero;
}

coop_routine(outer, coop_value v;)
{
    coop_begin;
    coop_await(my->v, COOP_FIBER(client, NULL));
    coop_end;
}

#define DEEP "                                        "

coop_routine(looker, coop_tid mixed, alone, fresh; coop_place places[2];)
{
    coop_begin;
    my->mixed = coop_spawn(outer);
    my->alone = coop_spawn_fiber(sleeper, NULL);
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    my->fresh = coop_spawn_fiber(sleeper, NULL);
    coop_text text = seeing();
    IS(coop_bt(my->mixed, &text), 0);
    IS(coop_bt(my->fresh, &text), 0);
    seen_is("2 outer, waiting in Sleep(1s), created at test_fiberlook.c:\n"
            "  #0 nap at test_fiberlook.c:\n"
            "  #1 read_header+0x\n"
            "  #2 read_header+0x\n"
            "  #3 client+0x\n"
            "  #4 outer at test_fiberlook.c:\n"
            "5 sleeper, ready, created at test_fiberlook.c:\n"
            "  #0 sleeper at fiber\n");
    text = seeing();
    IS(coop_ps(&text), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(seen, "    3 "));
    memmove(seen, strstr(seen, "    3 "), sizeof seen / 2);
    *strstr(seen, "    4 ") = '\0';
    seen_is("    3      1 waiting         1     1ms  sleeper  Sleep(1s)  at sleep_long+0x\n"
            DEEP "#0 sleep_long+0x\n"
            DEEP "#1 sleeper+0x\n");
    IS(coop_backtrace(my->mixed, my->places, 1), 5);
    CU_ASSERT_PTR_NULL(my->places[0].code);
    IS(coop_backtrace_from(my->mixed, 3, my->places, 2), 5);
    CU_ASSERT_PTR_NOT_NULL(my->places[0].code);
    CU_ASSERT_STRING_EQUAL(my->places[0].routine, "client");
    CU_ASSERT_PTR_NULL(my->places[1].code);
    CU_ASSERT_STRING_EQUAL(my->places[1].routine, "outer");
    coop_end;
}

static void a_fibers_functions_are_in_its_call_stack(void)
{
    world_open(0);
    IS(coop_spawn(looker), 1);
    IS(coop_run(), 0);
    world_close();
}

/* ---- One that runs, and one that has resumed another ---- */

static __attribute__((noinline)) int look_at_itself(void)
{
    coop_text text = seeing();
    return coop_bt(coop_self(), &text) + zero;
}

static coop_value looks(void *arg)
{
    (void)arg;
    return look_at_itself() + zero;
}

static void one_that_runs_sees_itself(void)
{
    world_open(0);
    IS(coop_main(COOP_FIBER(looks, NULL)), 0);
    seen_is("1 looks, running, created at test_fiberlook.c:\n"
            "  #0 look_at_itself+0x\n"
            "  #1 looks+0x\n");
    world_close();
}

static __attribute__((noinline)) coop_value resume_it(coop_coroutine *co)
{
    coop_value v = 0;
    IS(coop_co_next(co, &v), COOP_RETURNED);
    return v + zero;
}

static coop_value resumes(void *arg)
{
    coop_coroutine *co = coop_create(COOP_FIBER(looks, arg));
    coop_value v = resume_it(co);
    coop_co_free(co);
    return v;
}

static void one_that_has_resumed_another_stands_there(void)
{
    world_open(0);
    IS(coop_main(COOP_FIBER(resumes, NULL)), 0);
    cut_after("+0x", "0123456789abcdef");
    size_t length = strlen(seen);
    CU_ASSERT(length > 14 && strcmp(seen + length - 12, " resumes+0x\n") == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(seen, " resume_it+0x\n"));
    world_close();
}

/* ---- Through functions of others ---- */

static int slow_order(const void *a, const void *b)
{
    return (int)coop_sleep(COOP_S(1)) + *(const char *)a - *(const char *)b;
}

static coop_value sorts(void *arg)
{
    qsort(arg, strlen(arg), 1, slow_order);
    return zero;
}

coop_routine(looks_at, coop_tid tid;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_MS(500));
    coop_text text = seeing();
    coop_bt(my->tid, &text);
    coop_end;
}

static void those_of_libc_are_in_between(void)
{
    char word[] = "cab";
    world_open(0);
    coop_tid tid = coop_spawn_fiber(sorts, word);
    IS(coop_spawn(looks_at, .tid = tid), 2);
    IS(coop_run(), 0);
    CU_ASSERT_STRING_EQUAL(word, "abc");
    const char *first = strstr(seen, "  #0 slow_order+0x");
    const char *last = strstr(seen, " sorts+0x");
    CU_ASSERT(first && last && first < last);
    world_close();
}

static coop_value sinks(void *arg)
{
    volatile int *depth = arg, here = zero;
    if (--*depth == 0)
        return sleep_long() + here;
    return sinks(arg) + here;
}

static void of_very_many_the_innermost_are_known(void)
{
    int depth = 300;
    coop_place places[COOP_MOST_FUNCTIONS];
    world_open(0);
    coop_tid tid = coop_spawn_fiber(sinks, &depth);
    IS(coop_spawn(looks_at, .tid = tid), 2);
    IS(coop_run(), 0);
    IS(coop_backtrace(tid, places, 1), -ESRCH);
    cut_after("+0x", "0123456789abcdef");
    CU_ASSERT_PTR_NOT_NULL(strstr(seen, "  #0 sleep_long+0x\n  #1 sinks+0x\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(seen, "  #15 sinks+0x\n  ... "));
    world_close();
}

/* ---- What they use ---- */

static __attribute__((noinline)) char use(size_t size)
{
    volatile char room[size];
    for (size_t i = 0; i < size; i += 64)
        room[i] = 1;
    return room[0];
}

static coop_value uses(void *arg)
{
    use((size_t)arg);
    return coop_sleep(COOP_S(1));
}

coop_routine(measures, coop_tid much, little, none; coop_info info;)
{
    coop_begin;
    my->much = coop_spawn(COOP_FIBER(uses, (void *)(24 * 1024)), .stack = 128 * 1024);
    my->little = coop_spawn_fiber(uses, (void *)64);
    my->none = coop_spawn(nap, .ns = COOP_S(1));
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    IS(coop_inspect(my->much, &my->info), 0);
    IS(my->info.stack, 128 * 1024);
    IS(coop_inspect(my->little, &my->info), 0);
    IS(my->info.stack, 64 * 1024);
    IS(coop_inspect(my->none, &my->info), 0);
    IS(my->info.stack, 0);
    CU_ASSERT(coop_stack_used(my->much) >= 24 * 1024);
    CU_ASSERT(coop_stack_used(my->much) < 48 * 1024);
    CU_ASSERT(coop_stack_used(my->little) > 0);
    IS(coop_stack_used(my->none), 0);
    IS(coop_stack_used(99), -ESRCH);
    coop_text text = seeing();
    IS(coop_ps_stacks(&text), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(seen, "  STACK TASK\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(seen, "/128K uses  Sleep(1s)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(seen, "/64K uses  Sleep(1s)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(seen, "      - nap  Sleep(1s)"));
    coop_end;
}

static void what_they_use_is_told_on_request(void)
{
    world_open(0);
    IS(coop_spawn(measures), 1);
    IS(coop_run(), 0);
    world_close();
}

coop_routine(tells_size, coop_tid tid; coop_info info;)
{
    coop_begin;
    my->tid = coop_spawn_fiber(uses, (void *)64);
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    IS(coop_inspect(my->tid, &my->info), 0);
    coop_return((coop_value)my->info.stack);
    coop_end;
}

static coop_value stays(void *arg)
{
    (void)arg;
    return coop_yield_value(0);
}

/* Though stacks outlive schedulers, where one is in use. */
static void what_is_usual_is_said_by_each_scheduler(void)
{
    static const size_t sizes[] = { 256 * 1024, 0, 128 * 1024, 64 * 1024 };
    coop_coroutine *co = coop_create(COOP_FIBER(stays, NULL));
    for (size_t i = 0; i < 4; i++) {
        world_open_with((coop_options){ .stack = sizes[i] });
        if (i == 0)
            IS(coop_co_next(co, NULL), COOP_YIELDED);
        IS(coop_main(tells_size), (coop_value)(sizes[i] ? sizes[i] : 64 * 1024));
        world_close();
    }
    IS(coop_co_free(co), 0);
}

/* The same stack, after one that used more of it. */
coop_routine(compares, coop_tid tid; coop_value r;)
{
    coop_begin;
    coop_trap(my->tid, NewTask,
              .target = coop_create(COOP_FIBER(uses, (void *)(24 * 1024))));
    coop_trap(my->r, WaitTask, .tid = my->tid);
    my->tid = coop_spawn_fiber(uses, (void *)64);
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    coop_return(coop_stack_used(my->tid));
    coop_end;
}

static void where_it_is_measured_it_is_its_own(void)
{
    world_open(0);
    CU_ASSERT(coop_main(compares) >= 24 * 1024);
    world_close();
    world_open_with((coop_options){ .measure = true });
    CU_ASSERT(coop_main(compares) < 24 * 1024);
    world_close();
}

/* ---- Reports and events ---- */

static coop_value waits_for_itself(void *arg)
{
    return coop_chan_recv(arg, NULL) + zero;
}

static void a_deadlock_names_the_function(void)
{
    world_open(0);
    coop_chan *chan = coop_chan_open(0, 0, "quiet");
    IS(coop_spawn_fiber(waits_for_itself, chan), 1);
    IS(coop_run(), -EDEADLK);
    REPORTED("waits in ChanRecv(quiet, cap 0, 0 queued) at waits_for_itself+0x");
    world_drop();
    coop_chan_free(chan);
}

static void on_event(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (e->kind == COOP_BLOCK && !e->system)
        say("%s:%d", e->file, e->line);
}

static void an_events_place_is_the_fibers_name(void)
{
    coop_observer o = { .event = on_event };
    world_open(0);
    IS(coop_observe(&o), 0);
    IS(coop_spawn_fiber(sleeper, NULL), 1);
    IS(coop_run(), 0);
    LOG_IS("sleeper:0");
    IS(coop_unobserve(&o), 0);
    world_close();
}

static const suite_test tests[] = {
    TEST(a_fibers_functions_are_in_its_call_stack),
    TEST(one_that_runs_sees_itself),
    TEST(one_that_has_resumed_another_stands_there),
    TEST(those_of_libc_are_in_between),
    TEST(of_very_many_the_innermost_are_known),
    TEST(what_they_use_is_told_on_request),
    TEST(what_is_usual_is_said_by_each_scheduler),
    TEST(where_it_is_measured_it_is_its_own),
    TEST(a_deadlock_names_the_function),
    TEST(an_events_place_is_the_fibers_name),
};

int main(int argc, char **argv)
{
    return suite_main("fiberlook", tests, SUITE_COUNT(tests), argc, argv);
}
