/* priority.c - the highest rank first; one that is never without work keeps out all below. */
#include "policy/policy.h"

#include <stdlib.h>

enum { RANKS = 64 };               /* bits of full */

struct priority {
    coop_policy face;
    uint64_t full;                 /* the lines in which somebody is */
    struct line lines[RANKS];
};

static int line_of(const coop_task *t)
{
    int rank = coop_task_rank(t);
    return rank < RANKS ? rank : RANKS - 1;
}

static int highest(uint64_t full)
{
    return 63 - __builtin_clzll(full);
}

static void mark(struct priority *q, int i)
{
    uint64_t bit = UINT64_C(1) << i;
    q->full = q->lines[i].first ? q->full | bit : q->full & ~bit;
}

static void put(coop_policy *p, coop_task *t)
{
    struct priority *q = (struct priority *)p;
    int i = line_of(t);
    line_add(&q->lines[i], t);
    mark(q, i);
}

static coop_task *take(coop_policy *p)
{
    struct priority *q = (struct priority *)p;
    if (!q->full)
        return NULL;
    int i = highest(q->full);
    coop_task *t = line_take(&q->lines[i]);
    mark(q, i);
    return t;
}

static bool take_out(coop_policy *p, coop_task *t)
{
    struct priority *q = (struct priority *)p;
    int i = line_of(t);
    bool there = coop_line_remove(&q->lines[i], t);
    mark(q, i);
    return there;
}

static coop_task *after(coop_policy *p, coop_task *t)
{
    struct priority *q = (struct priority *)p;
    if (t && t->next)
        return t->next;
    uint64_t left = t ? q->full & ((UINT64_C(1) << line_of(t)) - 1) : q->full;
    return left ? q->lines[highest(left)].first : NULL;
}

static void release(coop_policy *p)
{
    free(p);
}

coop_policy *coop_priority(void)
{
    struct priority *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->face = (coop_policy){ "priority", put, take, take_out, after, release, true };
    return &q->face;
}
