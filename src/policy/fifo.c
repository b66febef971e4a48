/* fifo.c - first ready, first run. */
#include "kernel/kernel.h"

#include <stdlib.h>

struct fifo {
    coop_policy face;
    coop_task *first, *last;
};

static void put(coop_policy *p, coop_task *t)
{
    struct fifo *q = (struct fifo *)p;
    t->next = NULL;
    if (q->first)
        q->last->next = t;
    else
        q->first = t;
    q->last = t;
}

static coop_task *take(coop_policy *p)
{
    struct fifo *q = (struct fifo *)p;
    coop_task *t = q->first;
    if (t)
        q->first = t->next;
    return t;
}

static bool take_out(coop_policy *p, coop_task *t)
{
    struct fifo *q = (struct fifo *)p;
    coop_task *before = NULL;
    for (coop_task *at = q->first; at; before = at, at = at->next)
        if (at == t) {
            if (before)
                before->next = t->next;
            else
                q->first = t->next;
            if (q->last == t)
                q->last = before;
            return true;
        }
    return false;
}

static coop_task *after(coop_policy *p, coop_task *t)
{
    return t ? t->next : ((struct fifo *)p)->first;
}

static void release(coop_policy *p)
{
    free(p);
}

coop_policy *coop_fifo(void)
{
    struct fifo *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->face = (coop_policy){ "fifo", put, take, take_out, after, release };
    return &q->face;
}
