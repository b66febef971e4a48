/* Exit - end the calling task from any depth. */
#include "kernel/kernel.h"

static coop_value handle(coop_sched *s, coop_call *call)
{
    coop_task *t = call->task;
    if (coop_is_ending(t))
        return 0;
    coop_force(t->co.top);
    coop_doom(s, t, ((struct coop_Exit *)call)->value, TASK_EXITED);
    return COOP_GO_ON;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_result_text(((const struct coop_Exit *)call)->value, text);
}

const coop_call_type coop_Exit_type = {
    .name = "Exit", .handle = handle, .describe = describe
};
