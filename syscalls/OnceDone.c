/* OnceDone - what Once gave the caller to do is done, or has failed. */
#include "tasks/sync.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_OnceDone *c = (struct coop_OnceDone *)call;
    coop_once *once = c->once;
    if (!once)
        return -EINVAL;
    if (once->doer_ != call->task)
        return -EPERM;
    coop_untie(&once->tie_);
    once->doer_ = NULL;
    once->done = !c->failed;
    coop_once_pass(s, once);
    return 0;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_OnceDone *c = (const struct coop_OnceDone *)call;
    (void)result;
    coop_print_object(c->once, c->once ? c->once->name : NULL, text);
    if (c->failed) {
        coop_print_next(text);
        coop_print(text, "failed");
    }
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_once *once = ((const struct coop_OnceDone *)call)->once;
    *touch = (coop_touch){
        .object = (uintptr_t)once, .write = true, .what = "once",
        .name = once ? once->name : NULL
    };
}

const coop_call_type coop_OnceDone_type = {
    .name = "OnceDone", .handle = handle, .describe = describe, .touches = touches
};
