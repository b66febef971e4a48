/* byhand.h - part of coop.h: coroutines that are resumed by hand, without a scheduler. */
#ifndef COOP_BYHAND_H_
#define COOP_BYHAND_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Coroutines by hand ---------------------------------------------------------- */

/** coop_co_send - resume a coroutine by hand
 *
 * Sends value in, where it becomes the result of the coop_yield or coop_trap at which
 * co had stopped, runs co until it stops again, and stores in *out, which may be NULL,
 * what it stopped with. coop_co_next sends 0.
 *
 * The sender is the scheduler: a coroutine that traps gives COOP_TRAPPED with the
 * coop_call, and the next value sent is the call's result.
 *
 * Returns: how it stopped, a coop_step.
 * Errors:
 * COOP_DONE  it has ended; nothing ran (0)
 * -EBUSY     it is running, in this thread or another (as when it sends to itself through
 *            others), or belongs to a task
 * -EINVAL    co is NULL; or it has not begun and value is not 0: nothing waits for one
 * -EPERM     it has not begun and was created by another thread; or a fiber has begun in it,
 *            in another thread
 * Thread: any, one at a time; a second gets -EBUSY. It begins in the thread that
 * created it.
 *
 * See: PEP 342.
 */
int coop_co_send(coop_coroutine *co, coop_value value, coop_value *out);
int coop_co_next(coop_coroutine *co, coop_value *out);

/** coop_co_throw - resume a coroutine with an error
 *
 * As coop_co_send, but what co waits for fails with error, a negative errno. The
 * routine handles it or returns it, and it so comes back to the thrower as
 * COOP_RETURNED with *out = error. One that has not begun ends at once that way.
 *
 * Errors: as coop_co_send.
 * -EINVAL  error is not negative
 */
int coop_co_throw(coop_coroutine *co, coop_value error, coop_value *out);

/** coop_co_close - end a coroutine
 *
 * Ends its frames, the innermost first, and runs their coop_finally parts. A part that
 * yields or traps gets -ECANCELED there at once, since nobody is left to answer; and so does
 * a fiber. One that has ended or not begun is closed already.
 *
 * Returns: 0.
 * Errors:
 * -EPROTO  closed, but a coop_finally part, or a fiber, yielded or trapped
 * -EBUSY   it is running or belongs to a task
 * -EPERM   as of coop_co_send
 * -EINVAL  co is NULL
 */
int coop_co_close(coop_coroutine *co);

/** coop_co_free - close a coroutine and release its memory
 *
 * NULL is let pass. One that never began is reported, with its place of creation.
 *
 * Errors: as coop_co_close; with -EBUSY and -EPERM nothing was released.
 */
int coop_co_free(coop_coroutine *co);

#endif
