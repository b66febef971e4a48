/* Shield - a part of a task that a cancel and deadlines from outside do not reach. */
#include "kernel/kernel.h"

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Shield *c = (struct coop_Shield *)call;
    coop_scope *had = coop_scope_here(call->task, call->type);
    if (had)
        had->shield = !c->off;
    if (had || c->off)
        return 0;
    c->scope.shield = true;
    call->result = 0;
    int r = coop_scope_open(s, call, &c->scope);
    return r < 0 ? r : COOP_STAY;
}

static bool leave(coop_sched *s, coop_call *call)
{
    (void)s, (void)call;
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_print(text, "%s", ((const struct coop_Shield *)call)->off ? "off" : "");
}

const coop_call_type coop_Shield_type = {
    .name = "Shield", .handle = handle, .leave = leave, .describe = describe
};
