/* locks.c - locks: who holds them, who gets them next, and what the end of a holder means; and
   the way of a signalled task back to its lock. */
#include "tasks/locks.h"

#include <errno.h>
#include <stdlib.h>

bool coop_lock_free(const coop_lock *lock, bool shared)
{
    return !lock->owner_ && !lock->waiting_ && (shared || !lock->readers_);
}

static bool wants_share(const coop_call *call)
{
    return call->type == &coop_Lock_type && ((const struct coop_Lock *)call)->shared;
}

/* It may have become free for those who wait. Who comes later waits behind who came before, so
   that a writer is not starved. */
static void pass(coop_sched *s, coop_lock *lock)
{
    while (lock->waiting_ && !lock->owner_) {
        if (lock->readers_ && !wants_share(lock->waiting_->next))
            break;
        coop_offer(s, coop_list_take(&lock->waiting_));
    }
    if (!lock->waiting_)
        coop_later_clear(s, &lock->later_);
}

static void pass_later(coop_sched *s, coop_later *later)
{
    pass(s, (coop_lock *)((char *)later - offsetof(coop_lock, later_)));
}

void coop_lock_forget(coop_sched *s, coop_lock *lock, coop_call *call)
{
    coop_list_remove(&lock->waiting_, call);
    if (lock->waiting_)
        coop_later_set(s, &lock->later_, pass_later);
    else
        coop_later_clear(s, &lock->later_);
}

/* A task that is dropped when its scheduler closes has not ended. */
static void report_end(coop_sched *s, coop_task *t, const coop_lock *lock)
{
    if (t->co.state == COOP_ENDED)
        coop_report(s, "task %td %s ended with %s%s held", t->tid, coop_name_of(t),
                    lock->name ? "lock " : "a lock", lock->name ? lock->name : "");
}

static void owner_ended(coop_sched *s, coop_task *t, coop_tie *tie)
{
    coop_lock *lock = (coop_lock *)((char *)tie - offsetof(coop_lock, tie_));
    report_end(s, t, lock);
    lock->owner_ = NULL;
    lock->orphaned_ = true;
    pass(s, lock);
}

static void drop_share(coop_sched *s, struct coop_hold *share)
{
    coop_lock *lock = share->lock;
    *share->at = share->next;
    if (share->next)
        share->next->at = share->at;
    free(share);
    if (COOP_RARE(s->lenders))
        coop_ranks_stale(s);       /* who waits lent to this one, and now to another */
    pass(s, lock);
}

/* It has changed nothing, so nobody else needs to know. */
static void reader_ended(coop_sched *s, coop_task *t, coop_tie *tie)
{
    struct coop_hold *share = (struct coop_hold *)tie;
    report_end(s, t, share->lock);
    drop_share(s, share);
}

struct coop_hold *coop_lock_share(const coop_lock *lock, const coop_task *t)
{
    const struct coop_more *more = coop_more_of(t);
    coop_tie *tie = more && lock->readers_ ? more->ties : NULL;
    for (; tie; tie = tie->next)
        if (tie->ended == reader_ended && ((struct coop_hold *)tie)->lock == lock)
            return (struct coop_hold *)tie;
    return NULL;
}

struct coop_hold *coop_lock_new_share(coop_lock *lock, coop_task *t)
{
    struct coop_hold *share = malloc(sizeof *share);
    if (share)
        *share = (struct coop_hold){ .tie.ended = reader_ended, .lock = lock, .task = t };
    return share;
}

/* The death of an owner is told until somebody knows who can repair what it has left. */
coop_value coop_lock_for(coop_lock *lock, coop_task *t, struct coop_hold *share)
{
    coop_value value = lock->orphaned_ ? -EOWNERDEAD : 0;
    if (share) {
        share->next = lock->readers_;
        share->at = &lock->readers_;
        if (share->next)
            share->next->at = &share->next;
        lock->readers_ = share;
        coop_tie_to(coop_more_of(t), &share->tie);
    } else {
        lock->owner_ = t;
        lock->orphaned_ = false;
        lock->tie_.ended = owner_ended;
        coop_tie_to(coop_more_of(t), &lock->tie_);
    }
    return value;
}

void coop_lock_leave(coop_sched *s, coop_lock *lock, struct coop_hold *share)
{
    coop_untie(share ? &share->tie : &lock->tie_);
    if (share) {
        drop_share(s, share);
        return;
    }
    lock->owner_ = NULL;
    if (COOP_RARE(lock->waiting_))
        pass(s, lock);
}

bool coop_condition_signal(coop_sched *s, coop_condition *condition, enum coop_cond_state how,
                           bool now)
{
    coop_call *call = coop_list_take(&condition->waiting_);
    if (!call)
        return false;
    coop_lock *lock = ((struct coop_CondWait *)call)->lock;
    coop_task *t = call->task;
    ((struct coop_CondWait *)call)->state_ = how;
    coop_list_add(&lock->waiting_, call);
    if (now)
        pass(s, lock);
    else
        coop_later_set(s, &lock->later_, pass_later);
    coop_rank_waits(s, t);         /* for the lock's owner, if any, from now on */
    return true;
}

bool coop_lock_closes_cycle(coop_sched *s, const coop_lock *lock, const coop_call *call)
{
    if (lock->owner_)
        return coop_closes_cycle(s, call, lock->owner_->tid);
    for (const struct coop_hold *share = lock->readers_; share; share = share->next)
        if (coop_closes_cycle(s, call, share->task->tid))
            return true;
    return false;
}

void coop_lock_name(const coop_lock *lock, coop_text *text)
{
    coop_print_object(lock, lock ? lock->name : NULL, text);
}

void coop_lock_holder(const coop_lock *lock, coop_text *text)
{
    size_t n = 0;
    if (!lock || (!lock->owner_ && !lock->readers_))
        return;
    for (const struct coop_hold *share = lock->readers_; share; share = share->next)
        n++;
    coop_print_next(text);
    if (lock->owner_)
        coop_print(text, "held by %td %s", lock->owner_->tid, coop_name_of(lock->owner_));
    else
        coop_print(text, "read by %zu task%s", n, n == 1 ? "" : "s");
}

/* Of those who share it any one: all of them have to leave it. */
void coop_lock_touches(const coop_lock *lock, coop_touch *touch)
{
    *touch = (coop_touch){ .object = (uintptr_t)lock, .write = true, .what = "lock" };
    if (!lock)
        return;
    touch->name = lock->name;
    if (lock->owner_)
        touch->holder = lock->owner_->tid;
    else if (lock->readers_)
        touch->holder = lock->readers_->task->tid;
}
