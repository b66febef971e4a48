/* FutureWait - wait for a value that comes once. */
#include "kernel/kernel.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_FutureWait *c = (struct coop_FutureWait *)call;
    (void)s;
    if (!c->future)
        return -EINVAL;
    if (c->future->set)
        return c->future->value;
    if (c->poll)
        return -EAGAIN;
    coop_list_add(&c->future->waiting_, call);
    return COOP_WAIT;
}

static bool undo(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_list_remove(&((struct coop_FutureWait *)call)->future->waiting_, call);
}

static bool at_once(const coop_call *call)
{
    return ((const struct coop_FutureWait *)call)->poll;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const coop_future *future = ((const struct coop_FutureWait *)call)->future;
    (void)result;
    coop_print_object(future, future ? future->name : NULL, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_future *future = ((const struct coop_FutureWait *)call)->future;
    *touch = (coop_touch){
        .object = (uintptr_t)future, .what = "future",
        .name = future ? future->name : NULL
    };
}

const coop_call_type coop_FutureWait_type = {
    .name = "FutureWait", .handle = handle, .undo = undo, .at_once = at_once,
    .describe = describe, .touches = touches
};
