/* Once - be the one to do something, or wait until it was done. */
#include "tasks/sync.h"

#include <errno.h>

enum { DONE, FIRST };              /* the results */

static coop_value ready(coop_sched *s, coop_call *call)
{
    coop_once *once = ((struct coop_Once *)call)->once;
    (void)s;
    if (once->done)
        return DONE;
    coop_once_take(once, call->task);
    return FIRST;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Once *c = (struct coop_Once *)call;
    coop_once *once = c->once;
    if (!once)
        return -EINVAL;
    if (once->done)
        return DONE;
    if (once->doer_ == call->task)
        return -EDEADLK;
    if (once->doer_ && c->poll)
        return -EAGAIN;
    if (once->doer_ && coop_closes_cycle(s, call, once->doer_->tid))
        return -EDEADLK;
    if (!coop_need_more(call->task))
        return -ENOMEM;
    if (!once->doer_)
        return ready(s, call);
    coop_list_add(&once->waiting_, call);
    return COOP_WAIT;
}

static bool undo(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_list_remove(&((struct coop_Once *)call)->once->waiting_, call);
}

static bool at_once(const coop_call *call)
{
    return ((const struct coop_Once *)call)->poll;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const coop_once *once = ((const struct coop_Once *)call)->once;
    coop_print_object(once, once ? once->name : NULL, text);
    if (!once || !once->doer_ || (result && *result >= 0))
        return;
    coop_print_next(text);
    coop_print(text, "by %td %s", once->doer_->tid, coop_name_of(once->doer_));
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_once *once = ((const struct coop_Once *)call)->once;
    *touch = (coop_touch){
        .object = (uintptr_t)once, .write = true, .what = "once",
        .name = once ? once->name : NULL, .holder = once && once->doer_ ? once->doer_->tid : 0
    };
}

const coop_call_type coop_Once_type = {
    .name = "Once", .handle = handle, .ready = ready, .undo = undo, .at_once = at_once,
    .describe = describe, .touches = touches
};
