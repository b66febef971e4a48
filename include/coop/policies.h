/* policies.h - part of coop.h: policies: which task runs next. */
#ifndef COOP_POLICIES_H_
#define COOP_POLICIES_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Policies -------------------------------------------------------------------- */

/** coop_fifo - the policies: who of the ready tasks runs next
 *
 * For coop_options; or COOP_POLICY=fifo, priority, lottery:SEED or mlfq takes one for a
 * program that chooses none. They differ in nothing but the order, and the same program
 * has the same one in every run.
 *
 * coop_fifo      whoever became ready first. Each ready task runs again after at most as
 *                many slices as there are ready tasks.
 * coop_priority  the highest rank first, of equals whoever became ready first. It knows
 *                64 ranks; more than 63 is 63. A task runs only when none of higher rank
 *                is ready: one that never waits keeps all of lower rank from running, for
 *                ever.
 * coop_lottery   one that is drawn, by a generator that begins with seed. A task has as
 *                many tickets as its rank, and 1 with rank 0; so in the long run they
 *                share the processor as they share the tickets. None is kept out, but
 *                for how long one may have to wait there is no limit, only odds. To draw
 *                takes time that grows with the number of ready tasks.
 * coop_mlfq      multi-level feedback. Ranks do not count. A task begins at the highest
 *                level. When it has run allotment slices at a level, no matter how often
 *                it waited in between, it goes on at the next lower one; at the lowest it
 *                stays. Of the highest level at which any is ready they take turns. After
 *                every boost slices all go back to the highest level. So each ready task
 *                runs again after at most boost slices and as many as there are ready
 *                tasks. 0 is 3 levels, 4 slices, a boost after 256; there are 64 levels
 *                at most. A slice counts as one however long it takes: no policy reads a
 *                clock. A task takes about 100 bytes more; without memory for them it
 *                stays at the highest level.
 *
 * What is ready outside is noticed as soon with all of them.
 *
 * Returns: NULL when memory is exhausted.
 * Thread: any.
 *
 * See: Remzi and Andrea Arpaci-Dusseau, "Operating Systems: Three Easy Pieces", chapters
 * 7 to 9.
 */
coop_policy *coop_fifo(void);
coop_policy *coop_priority(void);
coop_policy *coop_lottery(uint64_t seed);
coop_policy *coop_mlfq(unsigned levels, unsigned allotment, unsigned boost);

/** coop_rank - say how much a task matters
 *
 * rank is 0 or more, and 0 for a task that nobody gave one, whoever started it: set it
 * right behind coop_spawn, or have the task do it first, for coop_self(). What it means is
 * the policy's to say, and for most it means nothing. A task that is ready goes behind
 * those that have its new rank already.
 *
 * A rank is lent: a task for which another waits, in a call that says so (WaitTask,
 * KillTask with wait, the wait for a lock), runs at the other's rank as long as that is
 * higher, and so does the one that it waits for in its turn. That ends with the wait,
 * however it ends. WaitAny lends nothing, and who waits for a group, or for a lock that
 * several share, lends to one of them at a time. Where memory is exhausted nothing is lent.
 *
 * Returns: 0.
 * Errors:
 * -EINVAL  rank is negative
 * -ESRCH   no such task, or it has ended
 * -EPERM   a system task
 * -ENOMEM  memory is exhausted; the old rank stays
 */
int coop_rank(coop_tid tid, int rank);

/** coop_policy - one that picks the ready task that runs next
 *
 * Fill in all functions, put what else is needed behind them, and hand its address to
 * coop_sched_open. It has the ready tasks, each from the put that brings it to the take or
 * remove that gives it back, and the kernel does not know in which order.
 *
 * put     t became ready: a new task, one whose call was answered, or one that has had
 *         its slice. Must not fail: there is coop_task_link to line tasks up with.
 * take    gives the one that runs next; NULL only if none is ready
 * remove  takes t out: true; false: it is not ready. Seldom asked: by the stepper, and
 *         when its rank has changed.
 * after   for those who want to see them all: the one that comes after t, the first for
 *         NULL, and NULL after the last. It is asked for the first every 64 slices.
 * free    the policy is let go
 * ranked  true: it looks at ranks. That of a task changes only while the policy does not
 *         have it: it is removed before and put again after. Who does not look at them
 *         pays nothing for them.
 *
 * It must not trap, spawn, kill or give ranks, and may look at tasks. It has to say in its
 * own contract how long a ready task may have to wait.
 */
struct coop_policy {
    const char *name;
    void (*put)(coop_policy *, coop_task *t);
    coop_task *(*take)(coop_policy *);
    bool (*remove)(coop_policy *, coop_task *t);
    coop_task *(*after)(coop_policy *, coop_task *t);
    void (*free)(coop_policy *);
    bool ranked;
};

/** coop_task_link - what a policy may do with a task
 *
 * coop_task_link is room for one pointer, the policy's as long as it has the task.
 * coop_task_rank is what the task runs at: its own rank, or one that is lent.
 * coop_task_note is a number of the policy's own, 0 at first, as long as the task lives;
 * it costs memory where it is asked for, and is NULL when that is exhausted.
 * coop_task_tid is its number, to look at it by.
 */
coop_task **coop_task_link(coop_task *t);
int coop_task_rank(const coop_task *t);
int64_t *coop_task_note(coop_task *t);
coop_tid coop_task_tid(const coop_task *t);

#endif
