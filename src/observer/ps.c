/* ps.c - the table of tasks and their call stacks, as text. */
#include "observer/observer.h"

#include <errno.h>
#include <stdlib.h>

enum { FEW = 16 };                 /* frames shown of each end of a deep call stack */

static const char *state_name(const coop_info *i)
{
    static const char *names[] = { "ready", "running", "waiting", "ended" };
    return i->ending && i->state != COOP_ENDED ? "ending" : names[i->state];
}

static void row(const coop_info *i, coop_text *text)
{
    char span[24] = "-";
    coop_text waited = { .data = span, .size = sizeof span };
    if (i->state == COOP_WAITING)
        coop_print_span(&waited, i->waited);
    coop_print(text, "%5td %6td %-7s %9llu %7s  ", i->tid, i->parent, state_name(i),
               (unsigned long long)i->slices, span);
    coop_print(text, i->system ? "[%s]" : "%s", i->name);
    if (i->call) {
        coop_print(text, "  ");
        coop_call_text(i->call, NULL, text);
    }
}

static void place(const coop_place *p, coop_text *text)
{
    coop_print(text, p->line ? "%s:%d" : "%s", p->file, p->line);
}

/* The frames of a task, the innermost first; of a deep stack the two ends. */
static int frames(const coop_info *i, const char *indent, coop_text *text)
{
    coop_value depth = coop_backtrace(i->tid, NULL, 0);
    if (depth <= 0)
        return (int)depth;
    coop_place *places = malloc((size_t)depth * sizeof *places);
    if (!places)
        return -ENOMEM;
    coop_backtrace(i->tid, places, (size_t)depth);
    for (coop_value n = 0; n < depth; n++) {
        if (n == FEW && depth > 2 * FEW) {
            coop_print(text, "%s... %td frames\n", indent, depth - 2 * FEW);
            n = depth - FEW;
        }
        coop_print(text, "%s#%td %s at ", indent, n, places[n].routine);
        place(&places[n], text);
        coop_print(text, "\n");
    }
    free(places);
    return 0;
}

int coop_bt(coop_tid tid, coop_text *text)
{
    coop_info info;
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
    return frames(&info, "  ", text);
}

static void one(coop_tid tid, coop_text *text, int *r)
{
    coop_info info;
    coop_place top;
    if (coop_inspect(tid, &info) < 0)
        return;
    row(&info, text);
    coop_value depth = coop_backtrace(tid, &top, 1);
    if (depth > 0) {
        coop_print(text, "  at ");
        place(&top, text);
    }
    coop_print(text, "\n");
    if (depth > 1 && frames(&info, "                                        ", text) < 0)
        *r = -ENOMEM;
}

int coop_ps(coop_text *text)
{
    int r = 0;
    coop_value n = coop_tasks(NULL, 0);
    coop_tid *tids = malloc(((size_t)n + 1) * sizeof *tids);
    if (!tids)
        return -ENOMEM;
    coop_tasks(tids, (size_t)n);
    coop_print(text, "%5s %6s %-7s %9s %7s  %s\n", "TID", "PARENT", "STATE", "SLICES", "WAITED",
               "TASK");
    for (coop_value i = 0; i < n; i++)
        one(tids[i], text, &r);
    free(tids);
    return r;
}
