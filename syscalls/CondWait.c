/* CondWait - give up a lock, wait for a signal, and have the lock again. */
#include "tasks/locks.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_CondWait *c = (struct coop_CondWait *)call;
    if (!c->condition || !c->lock)
        return -EINVAL;
    if (c->lock->owner_ != call->task)
        return -EPERM;
    c->state_ = COND_WAITS;
    coop_list_add(&c->condition->waiting_, call);
    coop_lock_leave(s, c->lock, NULL);
    return COOP_WAIT;
}

/* The lock is free. One whose wait was undone does not find out what an owner has left. */
static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_CondWait *c = (struct coop_CondWait *)call;
    coop_value value = coop_lock_for(c->lock, call->task, NULL);
    (void)s;
    if (c->state_ != COND_UNDONE)
        return value;
    c->lock->orphaned_ = value != 0;
    return coop_undone(call);
}

/* Without its lock it is not undone: when that cannot be had now it waits for it. Another part
   of the same call may have it by now, perhaps only to share. */
static bool undo(coop_sched *s, coop_call *call)
{
    struct coop_CondWait *c = (struct coop_CondWait *)call;
    coop_lock *lock = c->lock;
    bool queued = c->state_ != COND_WAITS, signalled = c->state_ == COND_SIGNALLED;
    bool had = lock->owner_ == call->task || coop_lock_share(lock, call->task);
    c->state_ = COND_UNDONE;
    if (signalled)
        coop_condition_signal(s, c->condition, COND_SIGNALLED, false);
    if (queued && !had)
        return false;
    if (queued)
        coop_lock_forget(s, lock, call);
    else
        coop_list_remove(&c->condition->waiting_, call);
    if (had)
        return true;
    if (!coop_lock_free(lock, false)) {
        coop_list_add(&lock->waiting_, call);
        coop_rank_waits(s, call->task);
        return false;
    }
    ready(s, call);
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_CondWait *c = (const struct coop_CondWait *)call;
    coop_print_object(c->condition, c->condition ? c->condition->name : NULL, text);
    coop_lock_name(c->lock, text);
    if (!result && c->state_ != COND_WAITS)
        coop_lock_holder(c->lock, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const struct coop_CondWait *c = (const struct coop_CondWait *)call;
    if (c->state_ != COND_WAITS) {
        coop_lock_touches(c->lock, touch);
        return;
    }
    *touch = (coop_touch){
        .object = (uintptr_t)c->condition, .write = true, .what = "condition",
        .name = c->condition ? c->condition->name : NULL
    };
}

const coop_call_type coop_CondWait_type = {
    .name = "CondWait", .handle = handle, .ready = ready, .undo = undo,
    .describe = describe, .touches = touches
};
