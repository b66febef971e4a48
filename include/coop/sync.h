/* sync.h - part of coop.h: locks, conditions, semaphores, events, futures, barriers. */
#ifndef COOP_SYNC_H_
#define COOP_SYNC_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Locks and their like -------------------------------------------------------- */

/** coop_lock - one task at a time, or any number that only read
 *
 * Use: static coop_lock db = { .name = "db" };
 * Use: coop_trap(r, Lock, .lock = &db);
 * Use: coop_trap(r, Lock, .lock = &db, .shared = true);
 * Use: coop_trap(coop_void, Unlock, .lock = &db);
 *
 * A lock is a struct of the program's own, all zero but for its name, which may be NULL. It
 * is for the tasks of one scheduler, must stay where it is, and be there as long as a task
 * holds it or waits for it. There is nothing to close. The same goes for coop_condition,
 * coop_semaphore, coop_event_flag, coop_future, coop_barrier and coop_once.
 *
 * Lock takes it for the caller alone; with shared together with all others that share it.
 * Those who wait get it in the order in which they came, and one that would share it waits
 * behind one that would not. Unlock hands it over: the next task has it from then on. With
 * poll Lock does not wait. A wait that is cancelled, killed or out of time takes nothing.
 *
 * A task that ends while it holds a lock is reported, and no longer holds it. If it held it
 * alone, what the lock guards may be half done: the next to lock it, whether it waits already
 * or comes later, gets -EOWNERDEAD and holds the lock; if it shares it, so do all up to one
 * that does not. Unlock in a coop_finally part, and no task ends that way.
 *
 * Returns: 0.
 * Errors:
 * -EOWNERDEAD  Lock: held, but its last holder has ended without Unlock
 * -EDEADLK     Lock: the caller holds it, also when it only shares it; or a holder waits,
 *              perhaps through others, for the caller
 * -EAGAIN      Lock, poll: it cannot be had now
 * -EPERM       Unlock: the caller does not hold it
 * -EINVAL      lock is NULL
 * -ENOMEM      Lock: memory is exhausted
 */
typedef struct coop_lock {
    const char *name;
    /* The lock's own. */
    coop_tie tie_;                 /* to its owner */
    coop_task *owner_;
    struct coop_hold *readers_;
    coop_call *waiting_;
    coop_later later_;
    bool orphaned_;
} coop_lock;
struct coop_Lock {
    coop_call base;
    coop_lock *lock;
    bool shared, poll;
    struct coop_hold *hold_;
};
struct coop_Unlock { coop_call base; coop_lock *lock; };

/** coop_condition - wait until what a lock guards has changed
 *
 * Use: static coop_condition filled = { .name = "filled" };
 * Use: coop_trap(r, CondWait, .condition = &filled, .lock = &lock);
 * Use: coop_trap(n, CondSignal, .condition = &filled);
 * Use: coop_trap(n, CondSignal, .condition = &filled, .all = true);
 *
 * CondWait gives up lock, which the caller must hold alone, waits for a signal, and takes
 * the lock again before it answers: whatever the answer is, the caller holds the lock, also
 * when it is killed, cancelled or out of time. So such a task waits for the lock first, and
 * had better hold no other one meanwhile. Look again at what was waited for: another task may
 * have come first.
 *
 * CondSignal signals the one that has waited longest, or all. It need not hold the lock.
 * Who is killed or cancelled before it has the lock again hands its signal on, unless that
 * was for all. Nobody waits: nothing happens.
 *
 * Returns: CondWait: 0. CondSignal: how many were signalled.
 * Errors:
 * -EOWNERDEAD  CondWait: as of Lock
 * -EPERM       CondWait: the caller does not hold lock, or shares it
 * -EINVAL      condition or lock is NULL
 *
 * See: C. A. R. Hoare, "Monitors" (1974); and Mesa, where a signal is a hint.
 */
typedef struct coop_condition {
    const char *name;
    coop_call *waiting_;
} coop_condition;
struct coop_CondWait {
    coop_call base;
    coop_condition *condition;
    coop_lock *lock;
    int state_;
};
struct coop_CondSignal { coop_call base; coop_condition *condition; bool all; };

/** coop_semaphore - a number of things of which tasks take some
 *
 * Use: static coop_semaphore slots = { .name = "slots", .count = 2, .limit = 2 };
 * Use: coop_trap(r, SemWait, .semaphore = &slots);
 * Use: coop_trap(coop_void, SemPost, .semaphore = &slots);
 *
 * SemWait takes n, or one when n is 0, as soon as there are so many; SemPost gives back n.
 * Those who wait are served in the order in which they came: who wants many is not passed by
 * those who want few. With poll SemWait does not wait. Nobody owns what was taken: what a
 * task has when it ends is not given back.
 *
 * count  how many there are; to be set before the first use
 * limit  how many there can be; 0: any number
 *
 * Returns: 0.
 * Errors:
 * -EAGAIN     SemWait, poll: there are not so many, or others wait
 * -EOVERFLOW  SemPost: there would be more than limit, or than can be counted
 * -EINVAL     semaphore is NULL; SemWait: n is more than limit
 */
typedef struct coop_semaphore {
    const char *name;
    size_t count, limit;
    coop_call *waiting_;
    coop_later later_;
} coop_semaphore;
struct coop_SemWait { coop_call base; coop_semaphore *semaphore; size_t n; bool poll; };
struct coop_SemPost { coop_call base; coop_semaphore *semaphore; size_t n; };

/** coop_event_flag - something that has happened, or not
 *
 * Use: static coop_event_flag ready = { .name = "ready" };
 * Use: coop_trap(r, EventWait, .event = &ready);
 * Use: coop_trap(coop_void, EventSet, .event = &ready);
 *
 * EventWait waits until the event is set, and answers at once when it is. EventSet sets it,
 * and all who wait go on, in the order in which they came, even if it is cleared before they
 * run. EventClear clears it. With poll EventWait does not wait. set is there to be read.
 *
 * Returns: 0.
 * Errors:
 * -EAGAIN  EventWait, poll: it is not set
 * -EINVAL  event is NULL
 */
typedef struct coop_event_flag {
    const char *name;
    bool set;
    coop_call *waiting_;
} coop_event_flag;
struct coop_EventWait { coop_call base; coop_event_flag *event; bool poll; };
struct coop_EventSet { coop_call base; coop_event_flag *event; };
struct coop_EventClear { coop_call base; coop_event_flag *event; };

/** coop_future - a value that comes once
 *
 * Use: static coop_future answer = { .name = "answer" };
 * Use: coop_trap(v, FutureWait, .future = &answer);
 * Use: coop_trap(r, FutureSet, .future = &answer, .value = 42);
 *
 * FutureSet sets the value, or an error, which is a negative errno. FutureWait gives it to
 * any number of tasks, to those who wait in the order in which they came, and at once when it
 * is there. With poll FutureWait does not wait. set and value are there to be read: they tell
 * an error that was set from one of FutureWait.
 *
 * Returns: FutureWait: the value. FutureSet: 0.
 * Errors:
 * -EAGAIN    FutureWait, poll: it has not come
 * -EALREADY  FutureSet: it was set before; that value stays
 * -EINVAL    future is NULL; FutureSet: value is none, but close to INTPTR_MIN
 * others     FutureWait: what was set
 *
 * See: Henry Baker and Carl Hewitt (1977); asyncio's Future.
 */
typedef struct coop_future {
    const char *name;
    bool set;
    coop_value value;
    coop_call *waiting_;
} coop_future;
struct coop_FutureWait { coop_call base; coop_future *future; bool poll; };
struct coop_FutureSet { coop_call base; coop_future *future; coop_value value; };

/** coop_barrier - tasks that wait for one another
 *
 * Use: static coop_barrier start = { .name = "start" };
 * Use: coop_trap(place, BarrierWait, .barrier = &start, .count = 3);
 *
 * Waits until count tasks have come; the last to come does not wait, and all go on. Then the
 * barrier begins anew. All say the same count. A wait that is cancelled, killed or out of
 * time leaves the barrier as if the task had not come.
 *
 * Returns: in which place the caller came, from 0; count - 1 for the last.
 * Errors:
 * -EINVAL  barrier is NULL; count is not positive
 */
typedef struct coop_barrier {
    const char *name;
    int arrived_;
    coop_call *waiting_;
} coop_barrier;
struct coop_BarrierWait { coop_call base; coop_barrier *barrier; int count; };

/** coop_once - something to be done once, by whoever comes first
 *
 * Use: static coop_once config = { .name = "config" };
 * Use: coop_trap(first, Once, .once = &config);
 * Use: coop_trap(coop_void, OnceDone, .once = &config);
 *
 * Once gives 1 to the first that comes: it is to do the work, and to say OnceDone. All others
 * wait for that and get 0, as do those who come later. When the task that does it ends without
 * OnceDone, or says OnceDone with failed, the next of those who wait, or who come, is the
 * first. With poll Once does not wait. done is there to be read.
 *
 * Returns: Once: 1 or 0. OnceDone: 0.
 * Errors:
 * -EAGAIN   Once, poll: another task is doing it
 * -EDEADLK  Once: the caller is doing it; or who does waits, perhaps through others, for it
 * -EPERM    OnceDone: the caller is not doing it
 * -EINVAL   once is NULL
 * -ENOMEM   Once: memory is exhausted
 */
typedef struct coop_once {
    const char *name;
    bool done;
    coop_tie tie_;                 /* to who does it */
    coop_task *doer_;
    coop_call *waiting_;
} coop_once;
struct coop_Once { coop_call base; coop_once *once; bool poll; };
struct coop_OnceDone { coop_call base; coop_once *once; bool failed; };

#endif
