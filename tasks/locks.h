/* locks.h - who holds a lock and who is next, for the system calls about locks and conditions.
   From a task its ties lead to what it holds, from a lock waiting_ to those it keeps waiting:
   Lock and CondWait, in the order in which they came. */
#ifndef COOP_LOCKS_H
#define COOP_LOCKS_H

#include "kernel/kernel.h"

/* One task's share of a lock. */
struct coop_hold {
    coop_tie tie;
    coop_lock *lock;
    coop_task *task;
    struct coop_hold *next, **at;  /* among the lock's readers */
};

/* A CondWait: waits for a signal, and then for its lock. */
enum coop_cond_state { COND_WAITS, COND_SIGNALLED, COND_SIGNALLED_ALL, COND_UNDONE };

#pragma GCC visibility push(hidden)

/* May somebody who comes now have it? */
bool coop_lock_free(const coop_lock *, bool shared);

/* The task's share of it, NULL: none. */
struct coop_hold *coop_lock_share(const coop_lock *, const coop_task *);

/* It is free: now the task has it, alone or with the share that was made for it. The task has
   its struct coop_more already. 0 or -EOWNERDEAD. */
coop_value coop_lock_for(coop_lock *, coop_task *, struct coop_hold *share);
struct coop_hold *coop_lock_new_share(coop_lock *, coop_task *);   /* NULL: no memory */

/* Its owner, or one with a share, gives it up. */
void coop_lock_leave(coop_sched *, coop_lock *, struct coop_hold *share);

/* A call waits for it no more; that may have kept others back. */
void coop_lock_forget(coop_sched *, coop_lock *, coop_call *);

/* The first of those who wait gets its signal, and waits for its lock, which it may have now
   if not in an undo. False: nobody waits. */
bool coop_condition_signal(coop_sched *, coop_condition *, enum coop_cond_state, bool now);

/* Would waiting for all who hold it close a cycle? */
bool coop_lock_closes_cycle(coop_sched *, const coop_lock *, const coop_call *);

void coop_lock_name(const coop_lock *, coop_text *);        /* as an argument */
void coop_lock_holder(const coop_lock *, coop_text *);      /* the same: who holds it */
void coop_lock_touches(const coop_lock *, coop_touch *);

#pragma GCC visibility pop

#endif
