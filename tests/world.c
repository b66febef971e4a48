#include "world.h"
#include "policy/policy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world world;

static coop_value stands(void *arg)
{
    return coop_yield_value((coop_value)arg);
}

/* What is kept for good once there were so many fibers does not count as lost then. */
static void have_been_fibers(void)
{
    enum { MANY = 300 };
    coop_coroutine *all[MANY];
    for (int i = 0; i < MANY; i++)
        coop_co_next(all[i] = coop_create(COOP_FIBER(stands, NULL)), NULL);
    for (int i = 0; i < MANY; i++)
        coop_co_free(all[i]);
}

int world_main(const char *name, const suite_test *tests, size_t count, int argc,
               char **argv, const char *without)
{
    if (under_valgrind())
        return suite_main(name, tests, count, argc, argv);
    have_been_fibers();
    return suite_main_twice(name, tests, count, argc, argv, &as_fibers, without);
}

void world_report(void *arg, const char *text)
{
    struct world *w = arg;
    size_t used = strlen(w->reports);
    snprintf(w->reports + used, sizeof w->reports - used, "%s", text);
    w->reported++;
}

void world_open_with(coop_options options)
{
    memset(&world, 0, sizeof world);
    options.no_env = true;
    if (!options.slow)
        options.slow = -1;
    if (!options.machine)
        options.machine = virtual_machine(&world.machine);
    const char *policy = getenv("COOP_POLICY");     /* tests/check-policies */
    if (policy && !options.policy)
        IS(coop_policy_by_name(policy, &options.policy), 0);
    if (!options.report) {
        options.report = world_report;
        options.arg = &world;
    }
    IS(coop_sched_open(&options), 0);
}

void world_open(unsigned quantum)
{
    world_open_with((coop_options){ .quantum = quantum });
}

static void nothing_is_left(void)
{
    const coop_sched *s = coop_this;
    coop_task *t;
    for (t = NULL; (t = coop_each(coop_this, t));)
        CU_ASSERT(t->co.flags & TASK_SYSTEM);
    IS(s->living, 0);
    IS(s->count, s->poller != NULL);
    IS(s->due_count, 0);
    IS(s->outside, 0);
    IS(world.machine.watching, 0);
    IS(coop_ready_tasks(NULL, 0), 0);
    CU_ASSERT_PTR_NULL(s->current);
    CU_ASSERT_PTR_NULL(s->later);
    CU_ASSERT_PTR_NULL(s->lenders);
}

void world_close(void)
{
    nothing_is_left();
    world_drop();
}

void world_drop(void)
{
    IS(coop_sched_close(), 0);
    CU_ASSERT(world.machine.freed);
    CU_ASSERT_PTR_NULL(coop_this);
}

static bool waits_in(const coop_call *list, coop_tid tid)
{
    const coop_call *call = list;
    if (list)
        do {
            call = call->next;
            if (call->task->tid == tid)
                return true;
        } while (call != list);
    return false;
}

void no_trace_of(coop_tid tid)
{
    coop_sched *s = coop_this;
    coop_info info;
    coop_task *t;
    IS(coop_inspect(tid, &info), -ESRCH);
    for (t = NULL; (t = s->policy->after(s->policy, t));)
        CU_ASSERT(t->tid != tid);
    for (t = NULL; (t = coop_each(s, t));) {
        CU_ASSERT(t->tid != tid);
        if (t->co.state != COOP_ENDED)
            CU_ASSERT(!waits_in(t->waiters, tid));
        for (const coop_task *kept = t->kept; kept;
             kept = kept->before == t->kept ? NULL : kept->before)
            CU_ASSERT(kept->tid != tid);
    }
}

void say(const char *format, ...)
{
    size_t used = strlen(world.log);
    va_list args;
    if (used && used + 1 < sizeof world.log)
        world.log[used++] = ' ';
    va_start(args, format);
    vsnprintf(world.log + used, sizeof world.log - used, format, args);
    va_end(args);
}

void say_it(void *text)
{
    say("%s", (const char *)text);
}

static void tell_end(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (e->kind == COOP_EXIT && !e->system)
        say("%td-ended", e->tid);
}

void say_ends(void)
{
    static coop_observer ends;
    ends = (coop_observer){ .event = tell_end };
    IS(coop_observe(&ends), 0);
}

static void check(bool right, const char *file, unsigned line, const char *format,
                  const char *text, const char *seen)
{
    char message[2000] = "";
    if (!right)
        snprintf(message, sizeof message, format, text, seen);
    CU_assertImplementation(right, line, message, file, "", CU_FALSE);
}

void clear_log(void)
{
    world.log[0] = '\0';
}

void log_is(const char *text, const char *file, unsigned line)
{
    check(!strcmp(text, world.log), file, line, "the log is '%s', not '%s'", text,
          world.log);
    clear_log();
}

void reported(const char *text, const char *file, unsigned line)
{
    bool right = text ? strstr(world.reports, text) != NULL : !world.reported;
    check(right, file, line, "reported is '%s', not '%s'", text ? text : "", world.reports);
    world.reports[0] = '\0';
    world.reported = 0;
}

void is(intptr_t actual, intptr_t expected, const char *text, const char *file,
        unsigned line)
{
    char value[80] = "";
    if (actual != expected)
        snprintf(value, sizeof value, "%jd, not %jd", (intmax_t)expected, (intmax_t)actual);
    check(actual == expected, file, line, "%s is %s", text, value);
}

const char *here(const char *file, int line)
{
    static char text[80];
    snprintf(text, sizeof text, "%s:%d", coop_basename(file), line);
    return text;
}

const char *result(coop_value value)
{
    static char buf[40];
    coop_text text = { .data = buf, .size = sizeof buf };
    coop_result_text(value, &text);
    return value < 0 && strchr(buf, ' ') ? strchr(buf, ' ') + 1 : buf;
}

bool under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    bool is = preloaded && strstr(preloaded, "vgpreload");
    if (is)
        printf("(skipped: not under valgrind) ");
    return is;
}
