/* slow.c - reports a task that keeps the processor for too long. Nobody can take it away, but it
   can be told who did it and up to where. */
#include "observer/observer.h"

#include <errno.h>
#include <stdlib.h>

struct slow {
    coop_observer face;
    coop_sched *sched;
    int64_t limit, began;
};

static void event(coop_observer *o, const coop_event *e)
{
    struct slow *w = (struct slow *)o;
    if (e->system || e->kind == COOP_SPAWN || e->kind == COOP_WAKE || e->kind == COOP_UNDO
        || e->kind == COOP_BLOCK)
        return;
    int64_t now = coop_clock(w->sched), took = now - w->began;
    bool own = e->kind == COOP_TRAP || e->kind == COOP_PASS || e->kind == COOP_EXIT;
    if (own && took > w->limit) {
        char buf[24];
        coop_text text = { .data = buf, .size = sizeof buf };
        coop_print_span(&text, took);
        coop_report(w->sched, "task %td %s kept the processor for %s, until %s:%d", e->tid,
                    e->name, buf, e->file, e->line);
    }
    w->began = now;
}

static void release(coop_observer *o)
{
    free(o);
}

int coop_slow_open(coop_sched *s, int64_t limit)
{
    struct slow *w = malloc(sizeof *w);
    if (!w)
        return -ENOMEM;
    *w = (struct slow){ { event, release, NULL }, s, limit, coop_clock(s) };
    return coop_observe(&w->face);
}
