/* GroupNext - the members of a group in the order in which they end. */
#include "tasks/groups.h"

#include <errno.h>

static coop_value ready(coop_sched *s, coop_call *call)
{
    const struct coop_GroupNext *c = (const struct coop_GroupNext *)call;
    (void)s;
    if (c->group->ended_)
        return coop_group_take(c->group, c->status);
    return c->group->living_ == c->group->daemons_ ? -ECHILD : COOP_WAIT;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_GroupNext *c = (const struct coop_GroupNext *)call;
    if (c->status)
        *c->status = (coop_status){ .end = COOP_NO_END };
    coop_value value = coop_group_flaw(c->group);
    if (value < 0 || !c->group->keep)
        return value < 0 ? value : -EINVAL;
    value = ready(s, call);
    if (value == COOP_WAIT && c->poll)
        return -EAGAIN;
    if (value == COOP_WAIT)
        coop_list_add(&c->group->takers_, call);
    return value;
}

static bool undo(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_list_remove(&((struct coop_GroupNext *)call)->group->takers_, call);
}

/* The ends of those that were cancelled can be asked for, too. */
static bool at_once(const coop_call *call)
{
    const struct coop_GroupNext *c = (const struct coop_GroupNext *)call;
    return c->poll || coop_group_flaw(c->group) < 0 || c->group->over_;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_GroupNext *c = (const struct coop_GroupNext *)call;
    if (result && c->status && c->status->tid)
        coop_print(text, "%td, ", c->status->tid);
    coop_group_describe(c->group, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    coop_group_touches(((const struct coop_GroupNext *)call)->group, touch);
}

const coop_call_type coop_GroupNext_type = {
    .name = "GroupNext", .handle = handle, .ready = ready, .undo = undo,
    .at_once = at_once, .describe = describe, .touches = touches
};
