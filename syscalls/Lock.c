/* Lock - have a lock, alone or shared with others that only read. */
#include "tasks/locks.h"

#include <errno.h>
#include <stdlib.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Lock *c = (struct coop_Lock *)call;
    coop_lock *lock = c->lock;
    coop_task *t = call->task;
    if (!lock)
        return -EINVAL;
    bool now = coop_lock_free(lock, c->shared);
    if (lock->owner_ == t || coop_lock_share(lock, t))
        return -EDEADLK;
    if (!now && c->poll)
        return -EAGAIN;
    if (!now && coop_lock_closes_cycle(s, lock, call))
        return -EDEADLK;
    if (!coop_need_more(t))
        return -ENOMEM;
    c->hold_ = c->shared ? coop_lock_new_share(lock, t) : NULL;
    if (c->shared && !c->hold_)
        return -ENOMEM;
    if (now)
        return coop_lock_for(lock, t, c->hold_);
    coop_list_add(&lock->waiting_, call);
    return COOP_WAIT;
}

/* Only asked when it is its turn. */
static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_Lock *c = (struct coop_Lock *)call;
    (void)s;
    return coop_lock_for(c->lock, call->task, c->hold_);
}

static bool undo(coop_sched *s, coop_call *call)
{
    struct coop_Lock *c = (struct coop_Lock *)call;
    free(c->hold_);
    coop_lock_forget(s, c->lock, call);
    return true;
}

static bool at_once(const coop_call *call)
{
    return ((const struct coop_Lock *)call)->poll;
}

/* Who holds it is told as long as it is not the caller. */
static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Lock *c = (const struct coop_Lock *)call;
    coop_lock_name(c->lock, text);
    if (c->shared) {
        coop_print_next(text);
        coop_print(text, "shared");
    }
    if (!result || (*result && *result != -EOWNERDEAD))
        coop_lock_holder(c->lock, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    coop_lock_touches(((const struct coop_Lock *)call)->lock, touch);
}

const coop_call_type coop_Lock_type = {
    .name = "Lock", .handle = handle, .ready = ready, .undo = undo, .at_once = at_once,
    .describe = describe, .touches = touches
};
