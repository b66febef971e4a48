/* GroupCancel - cancel all members of a group. */
#include "tasks/groups.h"

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_GroupCancel *c = (const struct coop_GroupCancel *)call;
    coop_value value = coop_group_flaw(c->group);
    if (value == 0)
        coop_group_stop(s, c->group, call->task->tid, c->why);
    return value;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_GroupCancel *c = (const struct coop_GroupCancel *)call;
    (void)result;
    coop_group_describe(c->group, text);
    coop_print_why(c->why, text);
}

const coop_call_type coop_GroupCancel_type = {
    .name = "GroupCancel", .handle = handle, .describe = describe
};
