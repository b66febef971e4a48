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

static coop_value take(coop_sched *s, coop_task *t, coop_status *to)
{
    coop_value value = tell(t, to);
    coop_let_go(s, t);
    return value;
}

/* They are counted until the task itself is ending. */
static bool has_child(coop_sched *s, const coop_task *parent)
{
    if (!coop_is_ending(parent))
        return parent->children;
    for (coop_task *t = NULL; (t = coop_each(s, t));)
        if (t->parent == parent->tid && t->co.flags & TASK_KEEP && t->co.state != COOP_ENDED)
            return true;
    return false;
}

static coop_value wait_for_child(coop_sched *s, struct coop_WaitTask *c)
{
    coop_task *self = c->base.task;
    if (self->kept)
        return take(s, self->kept->next, c->status);
    if (!has_child(s, self))
        return -ECHILD;
    if (c->poll)
        return -EAGAIN;
    self->co.flags |= TASK_WAITS_ANY;
    coop_list_add(&self->waiters, &c->base);
    return COOP_WAIT;
}

/* A child has just ended. Who asks lets it go. */
static coop_value told_of_child(coop_sched *s, struct coop_WaitTask *c)
{
    coop_task *self = c->base.task;
    if (!self->kept && has_child(s, self))
        return COOP_WAIT;
    self->co.flags &= (uint8_t)~TASK_WAITS_ANY;
    return self->kept ? tell(self->kept->next, c->status) : -ECHILD;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_WaitTask *c = (struct coop_WaitTask *)call;
    if (c->status)
        *c->status = (coop_status){ .end = COOP_NO_END };
    coop_task *t = coop_find(s, c->tid);
    if (COOP_RARE(!t))
        return c->tid == COOP_CHILD ? wait_for_child(s, c) : -ESRCH;
    if (COOP_RARE(t->co.flags & TASK_SYSTEM))
        return -EPERM;
    if (t->co.state == COOP_ENDED)
        return take(s, t, c->status);
    if (c->poll)
        return -EAGAIN;
    if (coop_closes_cycle(s, call, c->tid))
        return -EDEADLK;
    coop_list_add(&t->waiters, call);
    return COOP_WAIT;
}

static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_WaitTask *c = (struct coop_WaitTask *)call;
    return c->tid == COOP_CHILD ? told_of_child(s, c)
        : tell(coop_find(s, c->tid), c->status);
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_tid tid = ((struct coop_WaitTask *)call)->tid;
    coop_task *t = tid == COOP_CHILD ? call->task : coop_find(s, tid);
    if (tid == COOP_CHILD)
        t->co.flags &= (uint8_t)~TASK_WAITS_ANY;
    return coop_list_remove(&t->waiters, call);
}

static bool at_once(const coop_call *call)
{
    return ((const struct coop_WaitTask *)call)->poll;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_WaitTask *c = (const struct coop_WaitTask *)call;
    if (c->tid != COOP_CHILD)
        coop_print(text, "%td", c->tid);
    else if (result && c->status && c->status->tid)
        coop_print(text, "child %td", c->status->tid);
    else
        coop_print(text, "child");
}

static void touches(const coop_call *call, coop_touch *touch)
{
    coop_tid tid = ((const struct coop_WaitTask *)call)->tid;
    if (tid != COOP_CHILD)
        *touch = (coop_touch){ .object = (uintptr_t)tid, .holder = tid };
}

const coop_call_type coop_WaitTask_type = {
    .name = "WaitTask", .handle = handle, .ready = ready, .undo = undo,
    .at_once = at_once, .describe = describe, .touches = touches
};
