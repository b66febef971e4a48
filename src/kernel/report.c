/* report.c - what the kernel has to say to people: failed tasks, deadlocks, forgotten
   coroutines; and the graph of who waits for whom. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_TOLD = 20, LONGEST = 1000 };   /* tasks a deadlock report names, waits in a cycle */

void coop_report_text(coop_sched *s, const char *text)
{
    if (s && s->report)
        s->report(s->arg, text);
    else
        coop_say(2, text, strlen(text));
}

void coop_report(coop_sched *s, const char *format, ...)
{
    char line[512] = "coop: ";
    va_list args;
    va_start(args, format);
    vsnprintf(line + 6, sizeof line - 7, format, args);
    va_end(args);
    strcat(line, "\n");
    coop_report_text(s, line);
}

/* The task that t cannot go on without, as the call that it waits in says; 0: none. */
static coop_tid waits_for(const coop_task *t)
{
    coop_touch touch = { 0 };
    coop_call *call = t->co.call;
    if (t->co.state == COOP_WAITING && call->type->touches)
        call->type->touches(call, &touch);
    return touch.holder;
}

/* A wait that would close a cycle is refused by the calls that ask here, but those of
   others may have closed one: the walk is bounded by the number of tasks. */
bool coop_closes_cycle(coop_sched *s, const coop_call *call, coop_tid holder)
{
    for (size_t n = s->count; holder && n; n--) {
        const coop_task *t = coop_find(s, holder);
        if (t == call->task)
            return true;
        holder = t ? waits_for(t) : 0;
    }
    return false;
}

static void report_waiter(coop_sched *s, const coop_task *t)
{
    char buf[160];
    coop_text text = { .data = buf, .size = sizeof buf };
    coop_frame *top = t->co.top;
    coop_call_text(t->co.call, NULL, &text);
    coop_report(s, top->line > 0 ? "  task %td %s waits in %s at %s:%d"
                                 : "  task %td %s waits in %s at %s",
                t->tid, coop_name_of(t), buf, coop_basename(top->routine->file), (int)top->line);
}

/* Follow the waits from t; when they come back to t and t is the lowest of the circle, so
   that it is told once, tell it. */
static void report_cycle(coop_sched *s, const coop_task *t)
{
    char buf[400];
    coop_text text = { .data = buf, .size = sizeof buf };
    const coop_task *at = t;
    for (int n = 0; at; n++) {
        at = coop_find(s, waits_for(at));
        if (at == t)
            break;
        if (!at || at->tid < t->tid || n == LONGEST)
            return;
    }
    do {
        const coop_task *next = coop_find(s, waits_for(at));
        coop_print(&text, "%s%td %s waits for %td %s", at == t ? "" : ", ", at->tid,
                   coop_name_of(at), next->tid, coop_name_of(next));
        at = next;
    } while (at != t);
    coop_report(s, "  a cycle: %s", buf);
}

/* The waiting task with the lowest tid after that one. */
static coop_task *next_waiter(coop_sched *s, coop_tid after)
{
    coop_task *t, *found = NULL;
    for (t = NULL; (t = coop_each(s, t));)
        if (t->co.state == COOP_WAITING && !(t->co.flags & TASK_SYSTEM) && t->tid > after
            && (!found || t->tid < found->tid))
            found = t;
    return found;
}

int coop_deadlock(coop_sched *s)
{
    coop_report(s, "deadlock: %zu task%s left, and nothing outside can wake %s", s->living,
                s->living == 1 ? " is" : "s are", s->living == 1 ? "it" : "one");
    coop_task *t = NULL;
    size_t told = 0;
    while (told < MOST_TOLD && (t = next_waiter(s, t ? t->tid : 0))) {
        report_waiter(s, t);
        told++;
    }
    if (told < s->living)
        coop_report(s, "  and %zu more", s->living - told);
    for (t = NULL; (t = coop_each(s, t));)
        report_cycle(s, t);
    return -EDEADLK;
}
