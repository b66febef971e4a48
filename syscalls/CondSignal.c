/* CondSignal - tell those who wait that what they wait for may have come. */
#include "tasks/locks.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_CondSignal *c = (struct coop_CondSignal *)call;
    coop_value n = 0;
    if (!c->condition)
        return -EINVAL;
    if (!c->all)
        return coop_condition_signal(s, c->condition, COND_SIGNALLED, true);
    while (coop_condition_signal(s, c->condition, COND_SIGNALLED_ALL, true))
        n++;
    return n;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_CondSignal *c = (const struct coop_CondSignal *)call;
    (void)result;
    coop_print_object(c->condition, c->condition ? c->condition->name : NULL, text);
    if (c->all) {
        coop_print_next(text);
        coop_print(text, "all");
    }
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_condition *condition = ((const struct coop_CondSignal *)call)->condition;
    *touch = (coop_touch){
        .object = (uintptr_t)condition, .write = true, .what = "condition",
        .name = condition ? condition->name : NULL
    };
}

const coop_call_type coop_CondSignal_type = {
    .name = "CondSignal", .handle = handle, .describe = describe, .touches = touches
};
