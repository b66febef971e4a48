/* FutureSet - give the value that others wait for, or an error. */
#include "kernel/kernel.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_FutureSet *c = (struct coop_FutureSet *)call;
    coop_call *waiting;
    if (!c->future || c->value <= COOP_UNDONE)     /* of a meaning for the kernel */
        return -EINVAL;
    if (c->future->set)
        return -EALREADY;
    c->future->set = true;
    c->future->value = c->value;
    while ((waiting = coop_list_take(&c->future->waiting_)))
        coop_wake(s, waiting, c->value);
    return 0;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_FutureSet *c = (const struct coop_FutureSet *)call;
    (void)result;
    coop_print_object(c->future, c->future ? c->future->name : NULL, text);
    coop_print_next(text);
    coop_result_text(c->value, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_future *future = ((const struct coop_FutureSet *)call)->future;
    *touch = (coop_touch){
        .object = (uintptr_t)future, .write = true, .what = "future",
        .name = future ? future->name : NULL
    };
}

const coop_call_type coop_FutureSet_type = {
    .name = "FutureSet", .handle = handle, .describe = describe, .touches = touches
};
