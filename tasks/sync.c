/* sync.c - semaphores, and what is done once: who goes on when. */
#include "tasks/sync.h"

bool coop_semaphore_has(const coop_semaphore *semaphore, size_t n)
{
    return !semaphore->waiting_ && semaphore->count >= n;
}

/* In the order in which they came: one that wants much keeps back those behind it. */
void coop_semaphore_pass(coop_sched *s, coop_semaphore *semaphore)
{
    while (semaphore->waiting_) {
        coop_call *first = semaphore->waiting_->next;
        size_t n = ((struct coop_SemWait *)first)->n;
        if (n > semaphore->count)
            break;
        coop_list_take(&semaphore->waiting_);
        semaphore->count -= n;
        coop_wake(s, first, 0);
    }
    if (!semaphore->waiting_)
        coop_later_clear(s, &semaphore->later_);
}

static void pass_later(coop_sched *s, coop_later *later)
{
    size_t before = offsetof(coop_semaphore, later_);
    coop_semaphore_pass(s, (coop_semaphore *)((char *)later - before));
}

void coop_semaphore_forget(coop_sched *s, coop_semaphore *semaphore, coop_call *call)
{
    coop_list_remove(&semaphore->waiting_, call);
    if (semaphore->waiting_)
        coop_later_set(s, &semaphore->later_, pass_later);
    else
        coop_later_clear(s, &semaphore->later_);
}

static void doer_ended(coop_sched *s, coop_task *t, coop_tie *tie)
{
    coop_once *once = (coop_once *)((char *)tie - offsetof(coop_once, tie_));
    (void)t;
    once->doer_ = NULL;
    coop_once_pass(s, once);
}

void coop_once_take(coop_once *once, coop_task *t)
{
    once->doer_ = t;
    once->tie_.ended = doer_ended;
    coop_tie_to(coop_more_of(t), &once->tie_);
}

void coop_once_pass(coop_sched *s, coop_once *once)
{
    while (once->waiting_ && !once->doer_)
        coop_offer(s, coop_list_take(&once->waiting_));
}
