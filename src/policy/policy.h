/* policy.h - what the policies are made with. */
#ifndef COOP_POLICY_H
#define COOP_POLICY_H

#include "kernel/kernel.h"

/* Tasks in the order in which they came. */
struct line {
    coop_task *first, *last;
};

static inline void line_add(struct line *q, coop_task *t)
{
    t->next = NULL;
    if (q->first)
        q->last->next = t;
    else
        q->first = t;
    q->last = t;
}

static inline coop_task *line_take(struct line *q)
{
    coop_task *t = q->first;
    if (t) {
        q->first = t->next;
        if (q->first)
            coop_fetch(q->first);
    }
    return t;
}

/* before is the one before t, NULL: t is the first. */
static inline void line_cut(struct line *q, coop_task *before, coop_task *t)
{
    if (before)
        before->next = t->next;
    else
        q->first = t->next;
    if (q->last == t)
        q->last = before;
}

#pragma GCC visibility push(hidden)

bool coop_line_remove(struct line *, coop_task *);  /* false: it is not in there */
void coop_line_join(struct line *, struct line *behind);    /* the second is empty then */

/* choose.c: the policy for a word of COOP_POLICY, NULL and "" being fifo. -EINVAL: there is
   no such policy; -ENOMEM. */
int coop_policy_by_name(const char *word, coop_policy **policy);

#pragma GCC visibility pop

#endif
