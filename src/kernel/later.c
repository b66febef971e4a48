/* later.c - what is to be done before the next slice. */
#include "kernel/kernel.h"

void coop_later_set(coop_sched *s, coop_later *later, void (*run)(coop_sched *, coop_later *))
{
    if (later->run)
        return;
    later->run = run;
    later->next = NULL;
    later->at = s->later ? s->later_end : &s->later;
    *later->at = later;
    s->later_end = &later->next;
    s->until_look = 0;
}

void coop_later_clear(coop_sched *s, coop_later *later)
{
    if (!later->run)
        return;
    later->run = NULL;
    *later->at = later->next;
    if (later->next)
        later->next->at = later->at;
    else
        s->later_end = later->at;
}

bool coop_later_run(coop_sched *s)
{
    bool any = s->later;
    while (s->later) {
        coop_later *first = s->later;
        void (*run)(coop_sched *, coop_later *) = first->run;
        coop_later_clear(s, first);
        run(s, first);
    }
    return any;
}
