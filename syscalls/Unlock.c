/* Unlock - give up a lock, to the next that waits for it. */
#include "tasks/locks.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    coop_lock *lock = ((struct coop_Unlock *)call)->lock;
    if (!lock)
        return -EINVAL;
    struct coop_hold *share = NULL;
    if (lock->owner_ != call->task && !(share = coop_lock_share(lock, call->task)))
        return -EPERM;
    coop_lock_leave(s, lock, share);
    return 0;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_lock_name(((const struct coop_Unlock *)call)->lock, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    coop_lock_touches(((const struct coop_Unlock *)call)->lock, touch);
    touch->holder = 0;
}

const coop_call_type coop_Unlock_type = {
    .name = "Unlock", .handle = handle, .describe = describe, .touches = touches
};
