/* KillTask - end another task, or oneself; waiting for it or not. */
#include "kernel/kernel.h"

#include <errno.h>

static void doom(coop_sched *s, coop_task *t, const struct coop_KillTask *c)
{
    coop_tid by = c->base.task->tid;
    coop_doom(s, t, by, 0);
    if (c->why)
        coop_blame(t, by, c->why);
}

static void force_all(coop_task *t)
{
    for (coop_frame *frame = t->co.top; frame; frame = frame->caller)
        coop_force(frame);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_KillTask *c = (struct coop_KillTask *)call;
    coop_task *t = coop_find(s, c->tid);
    if (!t || t->co.state == COOP_ENDED)
        return -ESRCH;
    if (t->co.flags & TASK_SYSTEM)
        return -EPERM;
    if (c->force)
        force_all(t);
    if (t == call->task) {
        doom(s, t, c);
        return COOP_GO_ON;
    }
    /* Its wait is undone, unless it is part of its cleanup. */
    if (c->wait && t->co.cleaning && coop_closes_cycle(s, call, c->tid))
        return -EDEADLK;
    if (coop_is_ending(t) && !c->wait)
        return c->force ? 0 : -EALREADY;
    if (!coop_is_ending(t))
        doom(s, t, c);
    if (!c->wait)
        return 0;
    if (coop_closes_cycle(s, call, c->tid))        /* it was not undone at once */
        return -EDEADLK;
    coop_list_add(&t->waiters, call);
    return COOP_WAIT;
}

/* The task has ended, and nothing of it is to be left, a status neither. */
static coop_value ready(coop_sched *s, coop_call *call)
{
    coop_task *t = coop_find(s, ((struct coop_KillTask *)call)->tid);
    t->co.flags &= (uint8_t)~TASK_KEEP;
    return 0;
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_task *t = coop_find(s, ((struct coop_KillTask *)call)->tid);
    return coop_list_remove(&t->waiters, call);
}

static bool at_once(const coop_call *call)
{
    return !((const struct coop_KillTask *)call)->wait;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_KillTask *c = (const struct coop_KillTask *)call;
    (void)result;
    coop_print(text, "%td%s%s", c->tid, c->wait ? ", wait" : "", c->force ? ", force" : "");
    coop_print_why(c->why, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const struct coop_KillTask *c = (const struct coop_KillTask *)call;
    *touch = (coop_touch){
        .object = (uintptr_t)c->tid, .write = true, .holder = c->wait ? c->tid : 0
    };
}

const coop_call_type coop_KillTask_type = {
    .name = "KillTask", .handle = handle, .ready = ready, .undo = undo,
    .at_once = at_once, .describe = describe, .touches = touches
};
