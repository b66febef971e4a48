/* part.c - system calls that are parts of another one. The task waits in the whole; what
   answers a part tells the whole (coop_wake). */
#include "kernel/kernel.h"

#include <errno.h>

/* Only what can be undone may be a part, and it must be the task's call itself that tells whom
   a part belongs to. */
bool coop_part_fits(const coop_call *part)
{
    return part && part->type && part->type->undo && !part->type->part;
}

/* As the kernel makes a call. */
coop_value coop_part_begin(coop_sched *s, coop_call *whole, coop_call *part)
{
    part->task = whole->task;
    coop_value value = part->type->handle(s, part);
    if (value == COOP_WAIT)
        s->outside += part->type->outside;
    return value;
}

bool coop_part_undo(coop_sched *s, coop_call *part)
{
    if (!part->type->undo(s, part))
        return false;
    s->outside -= part->type->outside;
    return true;
}

/* The whole is not made, so its parts are not either. */
void coop_part_drop(coop_call *part)
{
    if (part && part->type && part->type->drop)
        part->type->drop(part);
}

coop_value coop_undone(const coop_call *call)
{
    const coop_scope *by;
    if (call != call->task->co.call)
        return COOP_UNDONE;
    int why = coop_interrupted(call->task, &by);
    return why ? why : -ECANCELED;
}
