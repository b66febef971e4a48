/* fifo.c - first ready, first run. */
#include "policy/policy.h"

#include <stdlib.h>

struct fifo {
    coop_policy face;
    struct line ready;
};

static void put(coop_policy *p, coop_task *t)
{
    line_add(&((struct fifo *)p)->ready, t);
}

static coop_task *take(coop_policy *p)
{
    return line_take(&((struct fifo *)p)->ready);
}

static bool take_out(coop_policy *p, coop_task *t)
{
    return coop_line_remove(&((struct fifo *)p)->ready, t);
}

static coop_task *after(coop_policy *p, coop_task *t)
{
    return t ? t->next : ((struct fifo *)p)->ready.first;
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
    q->face = (coop_policy){ "fifo", put, take, take_out, after, release, false };
    return &q->face;
}
