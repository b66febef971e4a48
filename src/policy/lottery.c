/* lottery.c - each slice is drawn for among the tickets of those who are ready. */
#include "policy/policy.h"

#include <stdlib.h>

struct lottery {
    coop_policy face;
    struct line ready;
    uint64_t tickets;              /* of all of them */
    uint64_t chance;
};

static uint64_t tickets_of(const coop_task *t)
{
    int rank = coop_task_rank(t);
    return rank ? (uint64_t)rank : 1;
}

static void put(coop_policy *p, coop_task *t)
{
    struct lottery *q = (struct lottery *)p;
    line_add(&q->ready, t);
    q->tickets += tickets_of(t);
}

static bool take_out(coop_policy *p, coop_task *t)
{
    struct lottery *q = (struct lottery *)p;
    bool there = coop_line_remove(&q->ready, t);
    if (there)
        q->tickets -= tickets_of(t);
    return there;
}

static coop_task *take(coop_policy *p)
{
    struct lottery *q = (struct lottery *)p;
    coop_task *t = q->ready.first, *before = NULL;
    if (!t)
        return NULL;
    uint64_t ticket = coop_draw(&q->chance) % q->tickets;
    for (; ticket >= tickets_of(t); before = t, t = t->next)
        ticket -= tickets_of(t);
    line_cut(&q->ready, before, t);
    q->tickets -= tickets_of(t);
    return t;
}

static coop_task *after(coop_policy *p, coop_task *t)
{
    return t ? t->next : ((struct lottery *)p)->ready.first;
}

static void release(coop_policy *p)
{
    free(p);
}

coop_policy *coop_lottery(uint64_t seed)
{
    struct lottery *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->face = (coop_policy){ "lottery", put, take, take_out, after, release, true };
    q->chance = seed;
    return &q->face;
}
