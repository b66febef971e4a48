/* ps.c - the table of tasks and their call stacks, as text. */
#include "machine/crash.h"
#include "observer/observer.h"

#include <errno.h>
#include <stdlib.h>

enum { FEW = 16 };                 /* frames shown of each end of a deep call stack */
enum { MOST_TOLD = 200 };          /* tasks after a crash, those with the lowest tids */

static const char *state_name(const coop_info *i)
{
    static const char *names[] = { "ready", "running", "waiting", "ended" };
    return i->ending && i->state != COOP_ENDED ? "ending" : names[i->state];
}

static void row(const coop_info *i, bool stacks, coop_text *text)
{
    char span[24] = "-";
    coop_text waited = { .data = span, .size = sizeof span };
    if (i->state == COOP_WAITING)
        coop_print_span(&waited, i->waited);
    coop_print(text, "%5td %6td %-7s %9llu %7s  ", i->tid, i->parent, state_name(i),
               (unsigned long long)i->slices, span);
    if (stacks && i->stack)
        coop_print(text, "%5zu/%zuK ", ((size_t)coop_stack_used(i->tid) + 1023) / 1024,
                   i->stack / 1024);
    else if (stacks)
        coop_print(text, "%5s ", "-");
    coop_print(text, i->system ? "[%s]" : "%s", i->name);
    if (i->call) {
        coop_print(text, "  ");
        coop_call_text(i->call, NULL, text);
    }
}

void coop_place_text(const coop_place *p, coop_text *text)
{
    char code[200];
    if (!p->code) {
        coop_print(text, p->line ? "%s:%d" : "%s", p->file, p->line);
        return;
    }
    coop_print_code(p->code, code, sizeof code);
    coop_print(text, "%s", code);
}

static void frame(const coop_place *p, const char *indent, int number, coop_text *text)
{
    coop_print(text, "%s#%d ", indent, number);
    if (!p->code)
        coop_print(text, "%s at ", p->routine);
    coop_place_text(p, text);
    coop_print(text, "\n");
}

/* The frames of a task, the innermost first; of a deep stack the two ends. places are the
   first of them. */
static void frames(coop_tid tid, const coop_place *places, int depth, const char *indent,
                   coop_text *text)
{
    coop_place last[FEW];
    int n = depth > 2 * FEW ? FEW : depth;
    for (int i = 0; i < n; i++)
        frame(&places[i], indent, i, text);
    if (n == depth)
        return;
    coop_print(text, "%s... %d frames\n", indent, depth - 2 * FEW);
    coop_backtrace_from(tid, (size_t)(depth - FEW), last, FEW);
    for (int i = 0; i < FEW; i++)
        frame(&last[i], indent, depth - FEW + i, text);
}

int coop_bt(coop_tid tid, coop_text *text)
{
    coop_info info;
    coop_place places[2 * FEW];
    int r = coop_inspect(tid, &info);
    if (r < 0)
        return r;
    coop_print(text, info.system ? "%td [%s]" : "%td %s", tid, info.name);
    coop_print(text, ", %s", state_name(&info));
    if (info.call) {
        coop_print(text, " in ");
        coop_call_text(info.call, NULL, text);
    }
    coop_print(text, ", created at %s\n", info.born);
    frames(tid, places, (int)coop_backtrace(tid, places, 2 * FEW), "  ", text);
    return 0;
}

static void one(coop_tid tid, bool stacks, coop_text *text)
{
    coop_info info;
    coop_place places[2 * FEW];
    if (coop_inspect(tid, &info) < 0)
        return;
    row(&info, stacks, text);
    int depth = (int)coop_backtrace(tid, places, 2 * FEW);
    if (depth > 0) {
        coop_print(text, "  at ");
        coop_place_text(places, text);
    }
    coop_print(text, "\n");
    if (depth > 1)
        frames(tid, places, depth, "                                        ", text);
}

static void head(bool stacks, coop_text *text)
{
    coop_print(text, "%5s %6s %-7s %9s %7s  %s%s\n", "TID", "PARENT", "STATE", "SLICES",
               "WAITED", stacks ? "STACK " : "", "TASK");
}

static int table(bool stacks, coop_text *text)
{
    coop_value n = coop_tasks(NULL, 0);
    coop_tid *tids = malloc(((size_t)n + 1) * sizeof *tids);
    if (!tids)
        return -ENOMEM;
    coop_tasks(tids, (size_t)n);
    head(stacks, text);
    for (coop_value i = 0; i < n; i++)
        one(tids[i], stacks, text);
    free(tids);
    return 0;
}

int coop_ps(coop_text *text)
{
    return table(false, text);
}

int coop_ps_stacks(coop_text *text)
{
    return table(true, text);
}

/* The table itself may be in the middle of a change. */
void coop_ps_crash(coop_text *text)
{
    coop_sched *s = coop_this;
    coop_tid tids[MOST_TOLD];
    size_t n = 0, seen = 0;
    if (!s)
        return;
    for (coop_task *t = NULL; seen < s->count && (t = coop_each(s, t)); seen++) {
        size_t i = n < MOST_TOLD ? n++ : n;
        for (; i > 0 && tids[i - 1] > t->tid; i--)
            if (i < MOST_TOLD)
                tids[i] = tids[i - 1];
        if (i < MOST_TOLD)
            tids[i] = t->tid;
    }
    head(false, text);
    for (size_t i = 0; i < n; i++)
        one(tids[i], false, text);
    if (seen > n)
        coop_print(text, "and %zu more\n", seen - n);
}
