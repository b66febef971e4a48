/* rank.c - how much a task matters to a policy that looks at ranks: what coop_rank gave it, or
   more while a task of a higher rank waits for it.

   Who waits for whom is what the calls say that they wait in, and it can change without a
   word, as when a lock is handed on. So nothing is kept up to date on the way: when a
   wait begins or ends that may matter, all is worked out anew before the next slice, from
   those who wait and have a rank. Where nobody has one nothing is done. */
#include "kernel/kernel.h"

#include <errno.h>

static int worth(const struct coop_more *more)
{
    return more->lent > more->rank ? more->lent : more->rank;
}

/* A ready task goes behind those that have its new rank already. */
static void adjust(coop_sched *s, coop_task *t, struct coop_more *more)
{
    if (more->raised == worth(more))
        return;
    bool queued = s->policy->ranked && t->co.state == COOP_READY
        && s->policy->remove(s->policy, t);
    more->raised = worth(more);
    if (queued)
        s->policy->put(s->policy, t);
}

static void join(coop_sched *s, coop_task *t, struct coop_more *more)
{
    if (more->lends)
        return;
    more->lends = true;
    more->next_lender = s->lenders;
    s->lenders = t;
}

/* The main loop is to look around, and to go on then as if it had not. */
void coop_ranks_stale(coop_sched *s)
{
    if (s->stale)
        return;
    s->stale = true;
    s->look_later = s->until_look;
    s->until_look = 0;
}

void coop_rank_waits(coop_sched *s, coop_task *t)
{
    struct coop_more *more = coop_more_of(t);
    if (!s->policy->ranked || !more || !more->raised || !coop_waits_for(t))
        return;
    join(s, t, more);
    coop_ranks_stale(s);
}

void coop_rank_end(coop_sched *s, coop_task *t)
{
    coop_task **at = &s->lenders;
    while (*at && *at != t)
        at = &coop_more_of(*at)->next_lender;
    if (*at)
        *at = coop_more_of(t)->next_lender;
    coop_ranks_stale(s);
}

/* To the task that t waits for, to the one that this one waits for, and so on, up to one that
   has as much. Without memory to note it in, it is not lent. */
static void lend(coop_sched *s, const coop_task *t)
{
    const int rank = worth(coop_more_of(t));
    coop_task *to = coop_find(s, coop_waits_for(t));
    for (; to && rank; to = coop_find(s, coop_waits_for(to))) {
        struct coop_more *more = to->co.state == COOP_ENDED ? NULL : coop_need_more(to);
        if (!more || worth(more) >= rank)
            return;
        more->lent = rank;
        join(s, to, more);
    }
}

void coop_settle_ranks(coop_sched *s)
{
    s->stale = false;
    s->until_look = s->look_later;
    for (coop_task *t = s->lenders; t; t = coop_more_of(t)->next_lender)
        coop_more_of(t)->lent = 0;
    for (coop_task *t = s->lenders; t; t = coop_more_of(t)->next_lender)
        lend(s, t);
    for (coop_task **at = &s->lenders, *t; (t = *at);) {
        struct coop_more *more = coop_more_of(t);
        adjust(s, t, more);
        more->lends = more->lent || (more->rank && coop_waits_for(t));
        if (more->lends)
            at = &more->next_lender;
        else
            *at = more->next_lender;
    }
}

int coop_rank(coop_tid tid, int rank)
{
    coop_sched *s = coop_this;
    coop_task *t = s ? coop_find(s, tid) : NULL;
    if (rank < 0)
        return -EINVAL;
    if (!t || t->co.state == COOP_ENDED)
        return -ESRCH;
    if (t->co.flags & TASK_SYSTEM)
        return -EPERM;
    struct coop_more *more = coop_need_more(t);
    if (!more)
        return -ENOMEM;
    more->rank = rank;
    adjust(s, t, more);
    coop_rank_waits(s, t);
    if (s->lenders)
        coop_ranks_stale(s);
    return 0;
}

int coop_task_rank(const coop_task *t)
{
    const struct coop_more *more = coop_more_of(t);
    return more ? more->raised : 0;
}

int64_t *coop_task_note(coop_task *t)
{
    struct coop_more *more = coop_need_more(t);
    return more ? &more->note : NULL;
}

coop_task **coop_task_link(coop_task *t)
{
    return &t->next;
}

coop_tid coop_task_tid(const coop_task *t)
{
    return t->tid;
}
