/* GroupSpawn - a coroutine becomes a task of a group; where that is full, it waits for room. */
#include "tasks/groups.h"

#include <errno.h>

static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_GroupSpawn *c = (struct coop_GroupSpawn *)call;
    return coop_group_full(c->group) && !c->group->over_ ? COOP_WAIT : coop_group_join(s, c);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_GroupSpawn *c = (struct coop_GroupSpawn *)call;
    if (!c->group || !c->group->open_) {
        call->type->drop(call);
        return -EINVAL;
    }
    if (!c->target)
        return -ENOMEM;
    coop_value value = ready(s, call);
    if (value == COOP_WAIT)
        coop_list_add(&c->group->spawners_, call);
    return value;
}

static bool undo(coop_sched *s, coop_call *call)
{
    (void)s;
    coop_list_remove(&((struct coop_GroupSpawn *)call)->group->spawners_, call);
    call->type->drop(call);
    return true;
}

static bool at_once(const coop_call *call)
{
    const struct coop_GroupSpawn *c = (const struct coop_GroupSpawn *)call;
    return !c->group || !coop_group_full(c->group);
}

/* The call may still be shown. */
static void drop(coop_call *call)
{
    struct coop_GroupSpawn *c = (struct coop_GroupSpawn *)call;
    if (c->target && coop_claim(c->target) == 0)
        coop_unmake((coop_task *)c->target);
    c->target = NULL;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_GroupSpawn *c = (const struct coop_GroupSpawn *)call;
    if (c->group && c->group->name)
        coop_print(text, "%s, ", c->group->name);
    if (c->name)
        coop_print(text, "%s", c->name);
    else if (!c->target)
        coop_print(text, "NULL");
    else if (!result || *result > 0)
        coop_print(text, "%s", coop_name_of((coop_task *)c->target));
    if (c->daemon)
        coop_print(text, ", daemon");
}

const coop_call_type coop_GroupSpawn_type = {
    .name = "GroupSpawn", .handle = handle, .ready = ready, .undo = undo,
    .at_once = at_once, .drop = drop, .describe = describe
};
