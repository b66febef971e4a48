/* GroupWait - wait for all members of a group, and learn how it went. */
#include "tasks/groups.h"

#include <errno.h>

static coop_value ready(coop_sched *s, coop_call *call)
{
    coop_group *g = ((struct coop_GroupWait *)call)->group;
    if (!coop_group_done(s, g))
        return COOP_WAIT;
    g->waiting_ = NULL;
    return coop_group_close(s, g, true);
}

/* From here on a failed member interrupts nothing: the result tells it. */
static coop_value handle(coop_sched *s, coop_call *call)
{
    coop_group *g = ((struct coop_GroupWait *)call)->group;
    coop_value value = coop_group_flaw(g);
    if (value < 0)
        return value;
    if (g->base.task != call->task)
        return -EPERM;
    if (g->waiting_)
        return -EINVAL;
    coop_scope_break(s, call->task, &g->scope, 0);
    value = ready(s, call);
    if (value == COOP_WAIT)
        g->waiting_ = call;
    return value;
}

static bool undo(coop_sched *s, coop_call *call)
{
    (void)s;
    ((struct coop_GroupWait *)call)->group->waiting_ = NULL;
    return true;
}

/* The members that were cancelled have to be waited for; and who is refused does not wait. */
static bool at_once(const coop_call *call)
{
    const coop_group *g = ((const struct coop_GroupWait *)call)->group;
    return coop_group_flaw(g) < 0 || g->base.task != coop_this->current || g->over_;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_group_describe(((const struct coop_GroupWait *)call)->group, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    coop_group_touches(((const struct coop_GroupWait *)call)->group, touch);
}

const coop_call_type coop_GroupWait_type = {
    .name = "GroupWait", .handle = handle, .ready = ready, .undo = undo,
    .at_once = at_once, .describe = describe, .touches = touches
};
