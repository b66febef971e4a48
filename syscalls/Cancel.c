/* Cancel - have a task's calls fail until it ends; waiting for that or not. */
#include "kernel/kernel.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Cancel *c = (struct coop_Cancel *)call;
    coop_task *t = coop_find(s, c->tid);
    if (!t || t->co.state == COOP_ENDED)
        return -ESRCH;
    if (t->co.flags & TASK_SYSTEM)
        return -EPERM;
    bool already = coop_is_ending(t) || t->co.fate & CO_CANCELLED;
    if (already && !c->wait)
        return -EALREADY;
    if (c->wait && t == call->task)
        return -EDEADLK;
    coop_cancel_by(s, t, call->task->tid, c->why);
    if (!c->wait)
        return 0;
    if (coop_closes_cycle(s, call, c->tid))
        return -EDEADLK;
    coop_list_add(&t->waiters, call);
    return COOP_WAIT;
}

static coop_value ready(coop_sched *s, coop_call *call)
{
    coop_task *t = coop_find(s, ((struct coop_Cancel *)call)->tid);
    t->co.flags &= (uint8_t)~TASK_KEEP;
    return 0;
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_task *t = coop_find(s, ((struct coop_Cancel *)call)->tid);
    return coop_list_remove(&t->waiters, call);
}

static bool at_once(const coop_call *call)
{
    return !((const struct coop_Cancel *)call)->wait;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Cancel *c = (const struct coop_Cancel *)call;
    (void)result;
    coop_print(text, "%td%s", c->tid, c->wait ? ", wait" : "");
    coop_print_why(c->why, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const struct coop_Cancel *c = (const struct coop_Cancel *)call;
    *touch = (coop_touch){
        .object = (uintptr_t)c->tid, .write = true, .holder = c->wait ? c->tid : 0
    };
}

const coop_call_type coop_Cancel_type = {
    .name = "Cancel", .handle = handle, .ready = ready, .undo = undo,
    .at_once = at_once, .describe = describe, .touches = touches
};
