/* byhand.h - part of coop.h: coroutines that are resumed by hand, without a scheduler. */
#ifndef COOP_BYHAND_H_
#define COOP_BYHAND_H_

/* ---- Coroutines by hand ---------------------------------------------------------- */

/** coop_create - make a coroutine, not yet begun
 *
 * Use: coop_coroutine *co = coop_create(ROUTINE, .member = value, ...);
 *
 * Works without a scheduler. Resume it by hand with coop_co_send and its sisters and
 * give it back with coop_co_free; or make it a task with NewTask, which then owns it.
 * One that neither happens to is reported, with the place of this call, when its
 * thread's scheduler closes or, in the thread that ends the program, at the exit; it
 * stays the program's to free. One that has begun and is not freed is not reported, and
 * its coop_finally part does not run.
 *
 * Returns: the coroutine; NULL when memory is exhausted (NewTask answers a NULL with
 * -ENOMEM, so it need not be checked in between).
 */
#define coop_create(...) COOP_CREATE_(__VA_ARGS__, .coop_.caller = NULL)
#define COOP_CREATE_(NAME, ...)                                                     \
    __extension__({                                                                 \
        coop_coroutine *new_##NAME = coop_create_(&NAME##_routine, COOP_HERE_);     \
        if (new_##NAME)                                                             \
            COOP_FILL_(NAME, new_##NAME->top, __VA_ARGS__);                         \
        new_##NAME;                                                                 \
    })

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
