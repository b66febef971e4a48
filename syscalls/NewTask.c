/* NewTask - a coroutine becomes a task; the parent keeps its status. */
#include "kernel/kernel.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_NewTask *c = (struct coop_NewTask *)call;
    coop_task *t = (coop_task *)c->target;
    if (!t)
        return -ENOMEM;
    int r = coop_claim(c->target);
    if (COOP_RARE(r < 0))
        return r;
    coop_tid tid = c->name && coop_rename(t, c->name) < 0
        ? -ENOMEM : coop_admit(s, t, call->task->tid, TASK_KEEP);
    if (COOP_RARE(tid < 0)) {
        coop_unmake(t);
        return tid;
    }
    coop_make_ready(s, t);
    if (!coop_is_ending(call->task))
        call->task->children++;
    return tid;
}

/* Nobody else knows the coroutine then. */
static void drop(coop_call *call)
{
    struct coop_NewTask *c = (struct coop_NewTask *)call;
    if (c->target && coop_claim(c->target) == 0)
        coop_unmake((coop_task *)c->target);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_NewTask *c = (const struct coop_NewTask *)call;
    if (c->name)
        coop_print(text, "%s", c->name);
    else if (c->target && (!result || *result > 0))
        coop_print(text, "%s", coop_name_of((coop_task *)c->target));
    else if (!c->target)
        coop_print(text, "NULL");
}

const coop_call_type coop_NewTask_type = {
    .name = "NewTask", .handle = handle, .drop = drop, .describe = describe
};
