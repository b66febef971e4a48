/* WaitTask - wait for a task's end and learn its status. */
#include "kernel/kernel.h"

#include <errno.h>

static coop_value tell(coop_task *t, coop_status *to)
{
    coop_status unwanted;
    if (!to)
        to = &unwanted;
    coop_status_of(t, to);
    return to->value;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_WaitTask *c = (struct coop_WaitTask *)call;
    coop_task *t = coop_find(s, c->tid);
    if (c->status)
        *c->status = (coop_status){ .end = COOP_NO_END };
    if (COOP_RARE(!t))
        return -ESRCH;
    if (COOP_RARE(t->co.flags & TASK_SYSTEM))
        return -EPERM;
    if (t->co.state == COOP_ENDED) {
        coop_value value = tell(t, c->status);
        coop_let_go(s, t);
        return value;
    }
    if (coop_closes_cycle(s, call, c->tid))
        return -EDEADLK;
    coop_list_add(&t->waiters, call);
    return COOP_WAIT;
}

static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_WaitTask *c = (struct coop_WaitTask *)call;
    return tell(coop_find(s, c->tid), c->status);
}

static void undo(coop_sched *s, coop_call *call)
{
    coop_task *t = coop_find(s, ((struct coop_WaitTask *)call)->tid);
    coop_list_remove(&t->waiters, call);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_print(text, "%td", ((const struct coop_WaitTask *)call)->tid);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    coop_tid tid = ((const struct coop_WaitTask *)call)->tid;
    *touch = (coop_touch){ (uintptr_t)tid, false, tid };
}

const coop_call_type coop_WaitTask_type = {
    .name = "WaitTask", .handle = handle, .ready = ready, .undo = undo,
    .describe = describe, .touches = touches
};
