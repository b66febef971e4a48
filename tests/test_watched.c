/* The watchdog on the virtual machine, where the test itself makes it look. */
#include "world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- A virtual machine whose watchdog looks when it is told to ---- */

static struct virtual_machine machine;
static struct {
    int64_t (*look)(void *);
    void *arg;
    int64_t given;                 /* by the last look */
    bool asleep;
    int nudges, error;
} kept;

static int keep(coop_machine *m, int64_t (*look)(void *), void *arg)
{
    (void)m;
    if (kept.error)
        return kept.error;
    kept.look = look;
    kept.arg = arg;
    return 0;
}

static void count_nudge(coop_machine *m)
{
    (void)m;
    kept.nudges++;
    kept.asleep = false;
}

static void stop_keeping(coop_machine *m)
{
    (void)m;
    kept.look = NULL;
}

static void look(int times)
{
    while (kept.look && !kept.asleep && times--) {
        kept.given = kept.look(kept.arg);
        kept.asleep = kept.given < 0;
    }
}

static void make_machine(void)
{
    memset(&kept, 0, sizeof kept);
    virtual_machine(&machine);
    machine.face.guard = keep;
    machine.face.nudge = count_nudge;
    machine.face.unguard = stop_keeping;
}

static void open_watched(coop_options options)
{
    make_machine();
    options.machine = &machine.face;
    options.slow_report = world_report;
    options.arg = &world;
    if (!options.slow)
        options.slow = COOP_MS(100);
    world_open_with(options);
    CU_ASSERT_PTR_NOT_NULL(kept.look);
}

static void close_watched(void)
{
    IS(coop_sched_close(), 0);
    CU_ASSERT(machine.freed);
    CU_ASSERT_PTR_NULL(kept.look);
}

#define WATCHED(...) (open_watched((coop_options){ 0 }), IS(coop_main(__VA_ARGS__), 0), \
                      close_watched())

/* Checks all that was told since the last time. */
#define TOLD(...) told(__LINE__, __VA_ARGS__)
static void told(unsigned line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void told(unsigned line, const char *format, ...)
{
    char want[1000], message[3000] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(want, sizeof want, format, args);
    va_end(args);
    bool right = !strcmp(want, world.reports);
    if (!right)
        snprintf(message, sizeof message, "told is '%.1000s', not '%s'", world.reports,
                 want);
    CU_assertImplementation(right, line, message, __FILE__, "", CU_FALSE);
    world.reports[0] = '\0';
    world.reported = 0;
}

/* ---- What is told ---- */

coop_routine(hog, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Yield); enum { LINE = __LINE__ };
    look(1 + 3);
    NO_REPORTS();
    look(1);
    TOLD("coop: task 1 hog keeps the processor: 100ms since test_watched.c:%d\n", LINE);
    coop_trap(coop_void, Yield);
    look(1);
    TOLD("coop: task 1 hog gave the processor up after 100ms\n");
    coop_end;
}

static void a_hog_is_told_of_while_it_is_one(void)
{
    WATCHED(hog);
    NO_REPORTS();
}

coop_routine(long_hog, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Yield); enum { LINE = __LINE__ };
    look(1 + 35);
    for (int ms = 100; ms < 1000; ms *= 2)
        say("coop: task 1 long_hog keeps the processor: %dms since test_watched.c:%d\n",
            ms, LINE);
    coop_end;
}

static void it_is_told_again_each_time_that_it_is_twice_as_long(void)
{
    char want[1000] = "";
    WATCHED(long_hog);
    for (char *c = world.log, *to = want; (*to = *c); c++)
        to += !(*c == ' ' && c[-1] == '\n');
    TOLD("%scoop: task 1 long_hog gave the processor up after 875ms\n", want);
}

/* ---- Where ---- */

coop_routine(inner, bool stops;)
{
    coop_begin;
    if (my->stops)
        coop_trap(coop_void, Yield);
    enum { LINE = __LINE__ - 1 };
    look(5);
    if (my->stops)
        TOLD("coop: task 1 outer gave the processor up after 100ms\n"
             "coop: task 1 outer keeps the processor: 100ms since test_watched.c:%d\n",
             LINE);
    coop_end;
}

coop_routine(outer, int unused;)
{
    coop_begin;
    coop_await(coop_void, inner); enum { LINE = __LINE__ };
    TOLD("coop: task 1 outer keeps the processor: 100ms in inner, called at"
         " test_watched.c:%d\n", LINE);
    coop_await(coop_void, inner, .stops = true);
    look(1);
    NO_REPORTS();                  /* still the same slice */
    coop_trap(coop_void, Yield);
    look(1);
    TOLD("coop: task 1 outer gave the processor up after 125ms\n");
    coop_end;
}

static void the_innermost_frame_is_told(void)
{
    WATCHED(outer);
}

static coop_value divides(void *arg)
{
    (void)arg;
    look(5);
    TOLD("coop: task 1 multiplies keeps the processor: 100ms in divides, called in"
         " multiplies\n");
    return 0;
}

static coop_value multiplies(void *arg)
{
    (void)arg;
    return coop_call(COOP_FIBER(divides, NULL));
}

static void fibers_are_told_by_their_functions(void)
{
    WATCHED(COOP_FIBER(multiplies, NULL));
}

coop_routine(cleaner, int unused;)
{
    coop_begin;
    look(5);
    coop_return(0);
    coop_finally;
    look(4);
    coop_end;
}

static void before_its_first_stop_it_is_told_where_it_was_made(void)
{
    open_watched((coop_options){ 0 });
    enum { LINE = __LINE__ + 1 };
    IS(coop_main(cleaner), 0);
    close_watched();
    TOLD("coop: task 1 cleaner keeps the processor: 100ms in cleaner, created at"
         " test_watched.c:%d\n"
         "coop: task 1 cleaner keeps the processor: 200ms in cleaner, created at"
         " test_watched.c:%d\n"
         "coop: task 1 cleaner gave the processor up after 200ms\n", LINE, LINE);
}

coop_routine(quick_hog, int unused;)
{
    coop_begin;
    look(5);
    coop_end;
}

coop_routine(parent, const char *name; coop_tid tid; int line;)
{
    coop_begin;
    my->line = __LINE__ + 1;
    coop_trap(my->tid, NewTask, .target = coop_create(quick_hog), .name = my->name);
    look(1);
    TOLD("coop: task 2 %.79s keeps the processor: 100ms in quick_hog, created at"
         " test_watched.c:%d\n"
         "coop: task 2 %.79s gave the processor up after 100ms\n", my->name, my->line,
         my->name);
    coop_end;
}

static void a_task_is_told_by_its_name(void)
{
    char name[121] = "";
    WATCHED(parent, .name = "GET /index.html");
    WATCHED(parent, .name = "x");
    memset(name, 'n', sizeof name - 1);
    WATCHED(parent, .name = name);
}

/* ---- What is none ---- */

coop_routine(worker, int i;)
{
    coop_begin;
    for (; my->i < 20; my->i++) {
        look(4);
        coop_trap(coop_void, GetTid);
    }
    coop_end;
}

coop_routine(yields, int i;)
{
    coop_begin;
    for (; my->i < 20; my->i++) {
        look(4);
        coop_yield(coop_void, 0);
    }
    coop_end;
}

static void who_traps_or_yields_in_time_is_none(void)
{
    WATCHED(worker);
    NO_REPORTS();
    WATCHED(yields);
    NO_REPORTS();
    open_watched((coop_options){ .quantum = 8 });
    IS(coop_main(worker), 0);
    close_watched();
    NO_REPORTS();
}

coop_routine(short_one, int unused;)
{
    coop_begin;
    look(4);
    coop_end;
}

static void tasks_at_one_place_in_memory_are_several(void)
{
    open_watched((coop_options){ 0 });
    for (int i = 0; i < 20; i++)
        IS(coop_main(short_one), 0);
    close_watched();
    NO_REPORTS();
}

/* A call that makes the watchdog look when it is asked for its answer, by iopoll. */
struct coop_Late { coop_call base; coop_timer timer; };
static coop_value late_handle(coop_sched *s, coop_call *call)
{
    return coop_timer_set(s, call, 5) < 0 ? -ENOMEM : COOP_WAIT;
}
static coop_value late_ready(coop_sched *s, coop_call *call)
{
    (void)s, (void)call;
    look(20);
    return 0;
}
static const coop_call_type coop_Late_type = {
    .name = "Late", .outside = true, .handle = late_handle, .ready = late_ready,
    .undo = coop_timer_clear
};

coop_routine(late, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Late);
    coop_end;
}

static void system_tasks_are_none(void)
{
    WATCHED(late);
    NO_REPORTS();
}

static void look_often(coop_observer *o, const coop_event *e)
{
    (void)o, (void)e;
    look(5);
}

static void time_in_observers_does_not_count(void)
{
    coop_observer o = { .event = look_often };
    open_watched((coop_options){ .observer = &o });
    IS(coop_main(late), 0);
    close_watched();
    NO_REPORTS();
}

/* ---- It sleeps ---- */

static int (*poll_itself)(coop_machine *, int64_t, coop_fired *, int);
static int looks_in_poll;

static int poll_watched(coop_machine *m, int64_t timeout, coop_fired *fired, int max)
{
    if (timeout)
        look(looks_in_poll);
    return poll_itself(m, timeout, fired, max);
}

coop_routine(sleeps, int naps; int i;)
{
    coop_begin;
    for (; my->i < my->naps; my->i++) {
        look(1);
        coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    }
    coop_end;
}

static void it_sleeps_when_nothing_ran_for_a_whole_pause(void)
{
    open_watched((coop_options){ 0 });
    poll_itself = machine.face.poll;
    machine.face.poll = poll_watched;
    look(1);
    IS(kept.given, -1);            /* nothing has run yet */
    looks_in_poll = 1;
    IS(coop_main(sleeps, .naps = 5), 0);
    IS(kept.nudges, 1);            /* by coop_run */
    IS(kept.given, COOP_MS(25));
    looks_in_poll = 2;
    IS(coop_main(sleeps, .naps = 5), 0);
    IS(kept.nudges, 1 + 5);
    look(1);
    IS(kept.given, -1);            /* nobody runs between the runs */
    IS(coop_main(sleeps), 0);
    IS(kept.nudges, 1 + 5 + 1);
    close_watched();
    NO_REPORTS();
}

/* An observer may make tasks, and so have events within its own. */
static void spawn_at_end(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (e->kind != COOP_EXIT || e->tid > 1)
        return;
    look(2);
    IS(kept.asleep, true);
    coop_spawn(short_one);
    IS(kept.asleep, false);
}

static void it_wakes_up_after_an_observer(void)
{
    coop_observer o = { .event = spawn_at_end };
    open_watched((coop_options){ .observer = &o });
    IS(coop_main(sleeps), 0);
    IS(kept.asleep, false);
    close_watched();
}

/* ---- Options and the environment ---- */

/* How often it looks; -1: it does not. */
static int64_t looks_every(int64_t slow, const char *word, bool no_env)
{
    make_machine();
    memset(&world, 0, sizeof world);
    if (word)
        setenv("COOP_SLOW", word, 1);
    else
        unsetenv("COOP_SLOW");
    int r = coop_sched_open(&(coop_options){ .slow = slow, .no_env = no_env, .arg = &world,
                                             .machine = &machine.face,
                                             .report = world_report });
    setenv("COOP_SLOW", "off", 1);
    if (r < 0)
        return r;
    coop_spawn(sleeps, .naps = 1);
    if (kept.look)
        IS(coop_run(), 0);
    int64_t given = kept.look ? kept.given : -1;
    close_watched();
    return given;
}

static void limits(void)
{
    IS(looks_every(0, NULL, false), COOP_MS(25));
    IS(looks_every(0, "", false), COOP_MS(25));
    IS(looks_every(0, "off", true), COOP_MS(25));
    IS(looks_every(0, "40", false), COOP_MS(10));
    IS(looks_every(COOP_MS(8), "40", false), COOP_MS(2));
    IS(looks_every(COOP_MS(8), "off", false), COOP_MS(2));
    IS(looks_every(COOP_MS(8), "nonsense", false), COOP_MS(2));
    IS(looks_every(5, NULL, false), COOP_MS(1));
    IS(looks_every(INT64_MAX, NULL, false), INT64_MAX / 4 + 1);
    IS(looks_every(0, "off", false), -1);
    IS(looks_every(-1, "40", false), -1);
    NO_REPORTS();
}

static void words_that_are_no_limit(void)
{
    static const char *const words[] = {
        "x", "0", "-5", "5ms", "off ", "99999999999999999999", "1000000001"
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char text[80];
        IS(looks_every(0, words[i], false), -EINVAL);
        CU_ASSERT_FALSE(machine.freed);
        snprintf(text, sizeof text, "coop: '%s' is no limit in milliseconds", words[i]);
        REPORTED(text);
    }
}

static void who_asked_is_told_that_there_is_none(void)
{
    make_machine();
    kept.error = -EAGAIN;
    world_open_with((coop_options){ .machine = &machine.face, .slow = 5 });
    REPORTED("coop: there is no watchdog: -11 EAGAIN");
    IS(coop_main(sleeps), 0);
    IS(coop_sched_close(), 0);
}

static void who_did_not_ask_does_without(void)
{
    unsetenv("COOP_SLOW");
    make_machine();
    kept.error = -EAGAIN;
    memset(&world, 0, sizeof world);
    IS(coop_sched_open(&(coop_options){ .machine = &machine.face, .report = world_report,
                                        .arg = &world }), 0);
    IS(coop_main(sleeps), 0);
    IS(coop_sched_close(), 0);
    NO_REPORTS();
    setenv("COOP_SLOW", "off", 1);
}

static void there_is_none_on_a_simulated_machine(void)
{
    world_open_with((coop_options){ .machine = coop_sim(0), .slow = 5 });
    CU_ASSERT_PTR_NULL(coop_this->watchdog);
    NO_REPORTS();
    IS(coop_sched_close(), 0);
}

static const suite_test tests[] = {
    TEST(a_hog_is_told_of_while_it_is_one),
    TEST(it_is_told_again_each_time_that_it_is_twice_as_long),
    TEST(the_innermost_frame_is_told),
    TEST(fibers_are_told_by_their_functions),
    TEST(before_its_first_stop_it_is_told_where_it_was_made),
    TEST(a_task_is_told_by_its_name),
    TEST(who_traps_or_yields_in_time_is_none),
    TEST(tasks_at_one_place_in_memory_are_several),
    TEST(system_tasks_are_none),
    TEST(time_in_observers_does_not_count),
    TEST(it_sleeps_when_nothing_ran_for_a_whole_pause),
    TEST(it_wakes_up_after_an_observer),
    TEST(limits),
    TEST(words_that_are_no_limit),
    TEST(who_asked_is_told_that_there_is_none),
    TEST(who_did_not_ask_does_without),
    TEST(there_is_none_on_a_simulated_machine),
};

int main(int argc, char **argv)
{
    return suite_main("watched", tests, SUITE_COUNT(tests), argc, argv);
}
