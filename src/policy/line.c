/* line.c - what is seldom done with a line of tasks. */
#include "policy/policy.h"

bool coop_line_remove(struct line *q, coop_task *t)
{
    coop_task *before = NULL;
    for (coop_task *at = q->first; at; before = at, at = at->next)
        if (at == t) {
            line_cut(q, before, t);
            return true;
        }
    return false;
}

void coop_line_join(struct line *q, struct line *behind)
{
    if (!behind->first)
        return;
    if (q->first)
        q->last->next = behind->first;
    else
        q->first = behind->first;
    q->last = behind->last;
    behind->first = NULL;
}
