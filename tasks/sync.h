/* sync.h - who goes on when a semaphore has been given something, or work to be done once has
   been done or given up, for the system calls about these. */
#ifndef COOP_SYNC_H
#define COOP_SYNC_H

#include "kernel/kernel.h"

#pragma GCC visibility push(hidden)

/* Could one who comes now take n? */
bool coop_semaphore_has(const coop_semaphore *, size_t n);

/* There may be enough for those who wait. */
void coop_semaphore_pass(coop_sched *, coop_semaphore *);

/* A call waits for it no more; that may have kept others back. */
void coop_semaphore_forget(coop_sched *, coop_semaphore *, coop_call *);

/* Nobody does it: from now on the task, which has its struct coop_more already. */
void coop_once_take(coop_once *, coop_task *);

/* It was done, or nobody does it any more. */
void coop_once_pass(coop_sched *, coop_once *);

#pragma GCC visibility pop

#endif
