/* deadlock.c - who waits for whom, and which of them will wait for ever. */
#include "kernel/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TOLD = 20, LONGEST = 1000 };   /* tasks a report names, waits in a cycle */

static coop_touch touch_of(const coop_call *call)
{
    coop_touch touch = { 0 };
    if (call->type->touches)
        call->type->touches(call, &touch);
    return touch;
}

/* The task that t cannot go on without, as the call that it waits in says; 0: none. */
coop_tid coop_waits_for(const coop_task *t)
{
    return t->co.state == COOP_WAITING ? touch_of(t->co.call).holder : 0;
}

/* A wait that would close a cycle is refused by the calls that ask here, but those of
   others may have closed one: the walk is bounded by the number of tasks. A part of a call
   can be left without an answer. */
bool coop_closes_cycle(coop_sched *s, const coop_call *call, coop_tid holder)
{
    if (call != call->task->co.call)
        return holder == call->task->tid;
    for (size_t n = s->count; holder && n; n--) {
        const coop_task *t = coop_find(s, holder);
        if (t == call->task)
            return true;
        holder = t ? coop_waits_for(t) : 0;
    }
    return false;
}

/* What keeps a task that waits for ever: its call, or the first part of it that another task
   is known to keep. The other parts are not answered either. */
static coop_touch keeps(coop_sched *s, const coop_task *t)
{
    const coop_call *call = t->co.call, *part;
    for (int i = 0; call->type->nth && (part = call->type->nth(call, i)); i++)
        if (coop_find(s, touch_of(part).holder))
            return touch_of(part);
    return touch_of(call);
}

static coop_task *keeper(coop_sched *s, const coop_task *t)
{
    return t->co.state == COOP_WAITING ? coop_find(s, keeps(s, t).holder) : NULL;
}

/* "3 waits for lock db held by 5 writer" */
static void print_wait(coop_sched *s, const coop_task *t, coop_text *text)
{
    coop_touch touch = keeps(s, t);
    const coop_task *holder = keeper(s, t);
    coop_print(text, "%td %s waits for ", t->tid, coop_name_of(t));
    if (touch.what) {
        coop_print(text, touch.name ? "%s %s" : "%s", touch.what, touch.name);
        coop_print(text, holder ? " held by " : "");
    } else if (holder) {
        coop_print(text, "task ");
    }
    if (holder)
        coop_print(text, "%td %s", holder->tid, coop_name_of(holder));
}

/* Follow the waits from t; when they come back to t and t is the lowest of the circle, so
   that it is told once, tell it. */
static void print_cycle(coop_sched *s, const coop_task *t, coop_text *text)
{
    const coop_task *at = t;
    for (int n = 0; at; n++) {
        at = keeper(s, at);
        if (at == t)
            break;
        if (!at || at->tid < t->tid || n == LONGEST)
            return;
    }
    coop_print(text, "  a cycle: ");
    do {
        coop_print(text, at == t ? "" : ", ");
        print_wait(s, at, text);
        at = keeper(s, at);
    } while (at != t);
    coop_print(text, "\n");
}

static void print_waiter(const coop_task *t, coop_text *text)
{
    coop_place place;
    coop_backtrace(t->tid, &place, 1);
    coop_print(text, "  task %td %s waits in ", t->tid, coop_name_of(t));
    coop_call_text(t->co.call, NULL, text);
    coop_print(text, " at ");
    coop_place_text(&place, text);
    coop_print(text, "\n");
}

/* The tasks that wait and are no system tasks, in the order of their tids. */
static int waiters(coop_sched *s, coop_task ***all)
{
    size_t n = 0;
    coop_tid *tids = malloc((s->count + 1) * sizeof *tids);
    *all = malloc((s->count + 1) * sizeof **all);
    if (!tids || !*all) {
        free(tids);
        free(*all);
        return -ENOMEM;
    }
    coop_tasks(tids, s->count);
    for (size_t i = 0; i < s->count; i++) {
        coop_task *t = coop_find(s, tids[i]);
        if (t->co.state == COOP_WAITING && !(t->co.flags & TASK_SYSTEM))
            (*all)[n++] = t;
    }
    free(tids);
    return (int)n;
}

/* The cycles first, then each task, but not too many. */
static void print_stuck(coop_sched *s, coop_task **stuck, int count, coop_text *text)
{
    for (int i = 0; i < count; i++)
        print_cycle(s, stuck[i], text);
    for (int i = 0; i < count && i < MOST_TOLD; i++)
        print_waiter(stuck[i], text);
    if (count > MOST_TOLD)
        coop_print(text, "  and %d more\n", count - MOST_TOLD);
}

/* Each line as a report of its own. */
static void report_lines(coop_text *text)
{
    coop_sched *s = text->arg;
    char *line = text->data, *end;
    while ((end = memchr(line, '\n', text->used - (size_t)(line - text->data)))) {
        *end = '\0';
        coop_report(s, "%s", line);
        line = end + 1;
    }
    text->used -= (size_t)(line - text->data);
    memmove(text->data, line, text->used);
    if (text->used == text->size - 1)
        text->used = 0;            /* the rest of a line that is too long */
}

int coop_deadlock(coop_sched *s)
{
    char buf[1024];
    coop_text text = { .data = buf, .size = sizeof buf, .flush = report_lines, .arg = s };
    coop_task **all;
    coop_report(s, "deadlock: %zu task%s left, and nothing outside can wake %s", s->living,
                s->living == 1 ? " is" : "s are", s->living == 1 ? "it" : "one");
    int count = waiters(s, &all);
    if (count < 0)
        return -EDEADLK;
    print_stuck(s, all, count, &text);
    report_lines(&text);
    free(all);
    return -EDEADLK;
}

/* Whether somebody not among the stuck can answer the call, as far as is known. */
struct knowledge {
    coop_sched *s;
    coop_task **stuck;
    bool *out;                     /* is not stuck after all */
    int count;
    struct coop_reach *reach;
};

static bool is_stuck(const struct knowledge *k, coop_tid tid)
{
    int low = 0, high = k->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (k->stuck[middle]->tid < tid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < k->count && k->stuck[low]->tid == tid && !k->out[low];
}

static bool can_be_answered(const struct knowledge *k, const coop_call *call)
{
    if (call->type->outside)
        return true;
    if (call->type->nth) {
        const coop_call *part;
        for (int i = 0; (part = call->type->nth(call, i)); i++)
            if (can_be_answered(k, part))
                return true;
        return false;
    }
    coop_touch touch = touch_of(call);
    if (touch.holder)
        return !is_stuck(k, touch.holder);
    return !touch.hidden || !k->reach || coop_reached(k->reach, ~touch.object, k->out);
}

/* A deadline will come for it. */
static bool has_deadline(const coop_task *t)
{
    const struct coop_more *more = coop_more_of(t);
    const coop_scope *scope = more ? more->scope : NULL;
    while (scope && !scope->timed)
        scope = scope->outer;
    return scope;
}

/* Those are not stuck whom something outside can wake, or somebody who is not stuck. */
static void narrow(struct knowledge *k)
{
    bool again = true;
    while (again) {
        again = false;
        for (int i = 0; i < k->count; i++)
            if (!k->out[i] && (has_deadline(k->stuck[i])
                               || can_be_answered(k, k->stuck[i]->co.call)))
                again = k->out[i] = true;
    }
}

static int objects_of(const coop_call *call, uintptr_t *inverted)
{
    const coop_call *part;
    int n = 0;
    if (call->type->nth) {
        for (int i = 0; (part = call->type->nth(call, i)); i++)
            n += objects_of(part, inverted ? inverted + n : NULL);
        return n;
    }
    coop_touch touch = touch_of(call);
    if (touch.hidden && inverted)
        *inverted = ~touch.object;
    return touch.hidden;
}

/* What only the stuck can reach. */
static struct coop_reach *look(const struct knowledge *k)
{
    int n = 0;
    for (int i = 0; i < k->count; i++)
        n += objects_of(k->stuck[i]->co.call, NULL);
    uintptr_t *inverted = malloc(((size_t)n + 1) * sizeof *inverted);
    struct coop_reach *reach = NULL;
    if (n && inverted) {
        n = 0;
        for (int i = 0; i < k->count; i++)
            n += objects_of(k->stuck[i]->co.call, inverted + n);
        reach = coop_reach_new(inverted, n);
    }
    free(inverted);
    for (int i = 0; reach && i < k->count; i++)
        coop_reach_task(reach, k->stuck[i], i);
    if (reach && coop_reach_look(reach, k->s) < 0) {
        coop_reach_free(reach);
        reach = NULL;
    }
    return reach;
}

coop_value coop_deadlocks(coop_text *text)
{
    struct knowledge k = { .s = coop_this };
    if (!k.s)
        return 0;
    k.count = waiters(k.s, &k.stuck);
    if (k.count < 0)
        return k.count;
    k.out = calloc((size_t)k.count + 1, sizeof *k.out);
    if (!k.out) {
        free(k.stuck);
        return -ENOMEM;
    }
    k.reach = look(&k);
    narrow(&k);
    int n = 0;
    for (int i = 0; i < k.count; i++)
        if (!k.out[i])
            k.stuck[n++] = k.stuck[i];
    if (text)
        print_stuck(k.s, k.stuck, n, text);
    coop_reach_free(k.reach);
    free(k.out);
    free(k.stuck);
    return n;
}
