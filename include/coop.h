/* coop.h - a small operating system for coroutines.

   Tasks are coroutines. They run one at a time and reach the outside only by
   trapping to the scheduler with a system-call object, as in David Beazley's "A
   Curious Course on Coroutines and Concurrency" (2009), where the names of the
   calls and the order of execution come from.

   In this order: results; coroutines; coroutines by hand; fibers; tasks and the
   scheduler; system calls; the library; plain functions for fibers; looking at tasks;
   observers; machines; policies; writing a system call.
   A comment that opens with two stars and a name is that name's man page too.

   Threads: a scheduler belongs to the thread that opened it. Unless its contract
   says otherwise a function acts on the calling thread's own scheduler, and may be
   called from that thread only, inside a task or outside.
   Names that end in an underscore are for the macros alone. */
#ifndef COOP_H
#define COOP_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#error "coop.h is C11: routines jump into blocks, which C++ forbids"
#endif

#define COOP_VERSION "0.1.0"

/* ---- Results ----------------------------------------------------------------------- */

/** coop_value - what a call, a routine or a task results in
 *
 * Zero or more, or a pointer, when it went well; a negative errno (-EBADF, -ENOMEM,
 * ...) when it did not. errno itself is never used to report.
 */
typedef intptr_t coop_value;

/** coop_tid - the number of a task
 *
 * Numbers start at 1 in each scheduler and are never used twice by it. 0 is no task:
 * the program outside of all tasks. It is the parent of the tasks that it has spawned and,
 * as init is elsewhere, of all whose parent has ended. A function that gives a coop_tid
 * gives a negative errno when it fails.
 */
typedef coop_value coop_tid;

/** COOP_S - spans of time
 *
 * Use: COOP_S(n)
 * Use: COOP_MS(n)
 * Use: COOP_US(n)
 *
 * n seconds, milliseconds or microseconds in nanoseconds, the unit of every span of
 * time here, as an int64_t. n is a whole number.
 */
#define COOP_S(n) ((int64_t)(n) * 1000000000)
#define COOP_MS(n) ((int64_t)(n) * 1000000)
#define COOP_US(n) ((int64_t)(n) * 1000)

typedef struct coop_coroutine coop_coroutine;
typedef struct coop_frame coop_frame;
typedef struct coop_call coop_call;
typedef struct coop_call_type coop_call_type;
typedef struct coop_task coop_task;
typedef struct coop_sched coop_sched;
typedef struct coop_machine coop_machine;
typedef struct coop_policy coop_policy;
typedef struct coop_observer coop_observer;
typedef struct coop_text coop_text;
typedef struct coop_touch coop_touch;

/* ---- Coroutines -------------------------------------------------------------------- */

/** coop_step - how a coroutine stopped
 *
 * COOP_DONE      it had ended before; nothing ran
 * COOP_YIELDED   at coop_yield; the value is what it yielded
 * COOP_TRAPPED   at coop_trap; the value is the coop_call that it wants answered
 * COOP_RETURNED  for good; the value is what it returned
 *
 * COOP_CALLED is between a routine and the trampoline; nobody else sees it.
 */
typedef enum coop_step {
    COOP_DONE, COOP_YIELDED, COOP_TRAPPED, COOP_RETURNED, COOP_CALLED
} coop_step;

typedef struct coop_routine {      /* the code of a routine */
    const char *name, *file;
    size_t size;                   /* of its frame */
    coop_step (*resume)(coop_coroutine *, void *frame);
    size_t name_at;                /* in the frame, of a name of its own; 0: none */
} coop_routine;

struct coop_frame {                /* one activation on a call stack; never moves */
    const coop_routine *routine;
    coop_frame *caller;
    coop_value result;
    int32_t line;                  /* where it stopped, and goes on; 0: not begun */
    uint16_t flags;                /* in its coop_finally part; has scopes */
    uint16_t left;                 /* line of the coop_return that it came by */
};

struct coop_coroutine {            /* a call stack and what is passed in and out */
    coop_frame *top;
    char *sp, *limit;              /* free room of the newest segment */
    struct coop_segment *segment;  /* the newest, NULL: the one built in */
    coop_call *call;               /* trapped with, not yet answered */
    coop_value value;
    uint32_t cleaning;             /* frames in their coop_finally part */
    uint8_t life;                  /* fresh, suspended, running, done, a task's */
    uint8_t fate;                  /* bits: ends after the coop_finally parts, is cancelled */
    uint8_t state, flags;          /* for who runs it */
};

/** coop_routine - define a routine: a coroutine without a stack of its own
 *
 * Use: coop_routine(NAME, members) { coop_begin; statements coop_end; }
 *
 * members is a list of member declarations, perhaps none, each with its semicolon: the
 * routine's arguments and variables. Its code reaches them as my->member. A caller
 * names those it wants to set, and all others start as zero. They live in a frame on
 * the task's call stack, which never moves, so their addresses are good until the
 * routine ends. Other local variables do not survive a trap, await or yield.
 *
 * No member may need more alignment than max_align_t. NAME becomes a struct tag too.
 * The routine is static; for one that other files call, put coop_declare(NAME, members)
 * into a header and coop_define(NAME) { ... } into one file. It costs what its members
 * cost and 32 bytes.
 *
 * A trap, await or yield must not stand inside a switch statement of the routine's own,
 * and no two of them on one line. The first mistake ends the routine with -ENOTSUP and
 * a report; the compiler refuses the second.
 *
 * See: Simon Tatham, "Coroutines in C" (2000), for the switch; Adam Dunkels'
 * protothreads.
 */
#define coop_routine(NAME, ...)                                                     \
    COOP_FRAME_(NAME, __VA_ARGS__)                                                  \
    __attribute__((unused)) static const coop_routine NAME##_routine;               \
    COOP_CODE_(static, NAME)
#define coop_declare(NAME, ...)                                                     \
    COOP_FRAME_(NAME, __VA_ARGS__)                                                  \
    extern const coop_routine NAME##_routine
#define coop_define(NAME) COOP_CODE_(, NAME)
#define COOP_FRAME_(NAME, ...) struct NAME { coop_frame coop_; __VA_ARGS__ };

/** coop_begin - open, divide and close a routine's code
 *
 * Use: coop_begin;
 * Use: coop_finally;
 * Use: coop_end;
 *
 * coop_begin is the first statement of a routine and coop_end the last. Reaching
 * coop_end returns 0, and so does a break outside of any loop.
 *
 * What stands between the optional coop_finally and coop_end runs exactly once, however
 * the routine ends: by reaching it, by coop_return, by kill, by Exit or by
 * coop_co_close. It may trap and await; a kill that comes meanwhile waits until it is
 * through. It cannot undo the end: what it returns counts only when the routine had not
 * been killed or closed. The trap that a killed task waits in gives -ECANCELED; but an
 * answer that had come before the kill is in DEST when coop_finally begins, so that no
 * descriptor is lost. A coroutine that was closed by hand before it began has nothing
 * to clean up and runs nothing; a task that is killed before it began runs to its first
 * trap and is ended there.
 */
#define coop_begin                                                                  \
    coop_again_:                                                                    \
    switch (my->coop_.line) { case 0: { enum { coop_exit_ = COOP_FINALLY_ };
#define coop_finally                                                                \
    } COOP_FALLTHROUGH_; case COOP_FINALLY_:                                        \
    if (__builtin_expect(my->coop_.flags, 0) && !coop_leave_(self_, &my->coop_))    \
        return (coop_use_coop_return_){ COOP_TRAPPED };                             \
    coop_clean_(self_, &my->coop_);                                                 \
    { enum { coop_exit_ = COOP_END_ };
#define coop_end                                                                    \
    } return (coop_use_coop_return_){ COOP_RETURNED };                              \
    default:                                                                        \
        return (coop_use_coop_return_){                                             \
            my->coop_.line > 0 ? coop_stray_(self_, &my->coop_) : COOP_RETURNED     \
        };                                                                          \
    }                                                                               \
    my->coop_.line = my->coop_.flags & COOP_CLEANS_ ? COOP_END_ : COOP_FINALLY_;    \
    goto coop_again_

/** coop_return - end a routine with a value
 *
 * Use: coop_return(VALUE);
 *
 * VALUE, converted to coop_value, goes to whoever awaits the routine, or becomes the
 * status of the task that the routine was spawned as. The coop_finally part runs first.
 * The compiler refuses a plain return with a value.
 */
#define coop_return(VALUE)                                                          \
    do {                                                                            \
        my->coop_.result = (coop_value)(VALUE);                                     \
        my->coop_.line = coop_exit_;                                                \
        my->coop_.left = __LINE__ < 65536 ? __LINE__ : 0;                           \
        goto coop_again_;                                                           \
    } while (0)

/** coop_trap - make a system call
 *
 * Use: coop_trap(DEST, CALL, .argument = value, ...);
 *
 * Builds the system-call object struct coop_CALL with the arguments given, hands it to
 * the scheduler and stops. When the call has been answered the routine goes on with the
 * result converted and assigned to DEST, an integer or a pointer; coop_void drops it.
 * An unsigned or a narrow DEST cannot show an error. A trap ends the task's slice.
 *
 * What arguments point at must stay good until the answer: members, what is static or
 * allocated, string literals; not local variables or compound literals, which are gone
 * when the routine stops.
 *
 * Errors:
 * -ENOMEM  no room for the object; the call was not made
 * others   see each call
 */
#define coop_trap(DEST, ...) COOP_TRAP_(DEST, __VA_ARGS__, .base = {0})
#define COOP_TRAP_(DEST, CALL, ...)                                                 \
    do {                                                                            \
        struct coop_##CALL *call_ =                                                 \
            coop_push_(self_, sizeof *call_, _Alignof(struct coop_##CALL));         \
        if (call_) {                                                                \
            *call_ = (struct coop_##CALL){ __VA_ARGS__ };                           \
            call_->base.type = &coop_##CALL##_type;                                 \
            self_->call = &call_->base;                                             \
            COOP_STOP_(COOP_TRAPPED);                                               \
        }                                                                           \
        COOP_RESUME_(DEST);                                                         \
    } while (0)

/** coop_await - call another routine
 *
 * Use: coop_await(DEST, ROUTINE, .member = value, ...);
 *
 * Runs ROUTINE on the same call stack, within the same slice, and assigns what it
 * returns to DEST (or drops it: coop_void). Its traps are this task's traps, its yields
 * this coroutine's yields. Depth is bounded by memory alone.
 *
 * Errors:
 * -ENOMEM  no room for the frame; ROUTINE did not run
 * others   what ROUTINE returns
 *
 * See: PEP 380, "yield from".
 */
#define coop_await(DEST, ...) COOP_AWAIT_(DEST, __VA_ARGS__, .coop_ = {0})
#define COOP_AWAIT_(DEST, NAME, ...)                                                \
    do {                                                                            \
        struct NAME *callee_ =                                                      \
            coop_push_(self_, sizeof *callee_, _Alignof(struct NAME));              \
        if (callee_) {                                                              \
            *callee_ = (struct NAME){ __VA_ARGS__ };                                \
            coop_enter_(self_, &NAME##_routine, &callee_->coop_);                   \
            COOP_STOP_(COOP_CALLED);                                                \
        }                                                                           \
        COOP_RESUME_(DEST);                                                         \
    } while (0)

/** coop_yield - hand a value to whoever resumes this coroutine, and stop
 *
 * Use: coop_yield(DEST, VALUE);
 *
 * DEST gets what is sent in when it is resumed (coop_void drops it): a value, or a
 * negative errno from coop_co_throw. In a task nobody takes the value: the task goes to
 * the tail of the ready queue and DEST gets 0.
 *
 * In a fiber it is coop_yield_value; coop_yield() without arguments is Yield there.
 */
#define coop_yield(...)                                                             \
    COOP_THIRD_(__VA_ARGS__, COOP_YIELD_, COOP_PLAIN_YIELD_, )(__VA_ARGS__)
#define COOP_THIRD_(a, b, c, ...) c
#define COOP_PLAIN_YIELD_(NOTHING) (coop_yield)(NOTHING)
#define COOP_YIELD_(DEST, VALUE)                                                    \
    do {                                                                            \
        self_->value = (coop_value)(VALUE);                                         \
        COOP_STOP_(COOP_YIELDED);                                                   \
        COOP_RESUME_(DEST);                                                         \
    } while (0)

#define coop_void (self_->value)   /* as DEST: the result is of no interest */

/* ---- Coroutines by hand ------------------------------------------------------------ */

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

/* ---- Fibers ------------------------------------------------------------------------ */

/** coop_fiber - a coroutine that is an ordinary function, with a stack of its own
 *
 * Use: coop_spawn_fiber(FN, ARG);
 * Use: coop_spawn(COOP_FIBER(FN, ARG));
 * Use: coop_spawn(COOP_FIBER(FN, ARG), .stack = 256 * 1024);
 * Use: coop_trap(tid, NewTask, .target = coop_create(COOP_FIBER(FN, ARG)));
 * Use: coop_await(v, COOP_FIBER(FN, ARG));
 * Use: v = coop_call(COOP_FIBER(FN, ARG), .stack = 1024 * 1024);
 *
 * FN is coop_value FN(void *arg); what it returns is the coroutine's result. It is a routine
 * like any other for whoever starts it, awaits it or resumes it by hand. Within, and in all
 * functions that it calls, system calls are plain functions: coop_recv(fd, buf, len), or
 * coop_syscall. Variables live on its stack, and may be pointed at by what is waited for.
 *
 * stack   its size in bytes, rounded up to pages; 0: coop_options.stack. Only pages that
 *         were touched take memory. Below it is a guard: to overflow ends the program with a
 *         message.
 * memory  when not NULL, its stack instead, of that size: the caller's, until it has ended,
 *         and without a guard
 *
 * A kill lets every call that can wait fail with -ECANCELED, until FN returns; see coop_defer
 * for what is to be done then, and KillTask for one that does not return. It must not be left
 * by longjmp. One that is resumed by hand must be by the thread in which it began.
 *
 * Errors: of whoever makes a task of it, calls or resumes it; FN has not begun then:
 * -ENOMEM  no memory for a stack
 * -EFAULT  FN is NULL
 * -EINVAL  memory is given and too small, less than 4096 bytes; or stack cannot be so large
 */
coop_declare(coop_fiber,
    coop_value (*fn)(void *arg);
    void *arg;
    const char *name;
    size_t stack;
    void *memory;
    /* The fiber's own. */
    struct coop_fiber_ *own_;
);
#define COOP_FIBER(FN, ARG) coop_fiber, .fn = (FN), .arg = (ARG), .name = #FN
#define coop_spawn_fiber(FN, ARG) coop_spawn(COOP_FIBER(FN, ARG))

/** coop_syscall - make a system call from a fiber
 *
 * Use: coop_value n = coop_syscall(Recv, .fd = fd, .buf = buf, .len = sizeof buf);
 *
 * As coop_trap: the arguments are the members of struct coop_CALL. What they point at may be
 * on the stack, where the object itself is.
 *
 * Returns: the call's result.
 * Errors:
 * -EPERM   not called from a fiber, which is reported
 * -ENOMEM  Deadline, Shield, Group: no room for what stays; the call was not made
 */
#define coop_syscall(...) COOP_SYSCALL_(__VA_ARGS__, .base = {0})
#define COOP_SYSCALL_(CALL, ...)                                                    \
    __extension__({                                                                 \
        struct coop_##CALL made_##CALL = { __VA_ARGS__ };                           \
        made_##CALL.base.type = &coop_##CALL##_type;                                \
        coop_fiber_trap_(&made_##CALL.base, sizeof made_##CALL,                     \
                         "coop_syscall(" #CALL ")");                                \
    })

/** coop_syscall_within - make a system call from a fiber, with a time limit
 *
 * Use: n = coop_syscall_within(COOP_S(5), Recv, .fd = fd, .buf = buf, .len = sizeof buf);
 *
 * As coop_within in a routine.
 *
 * Returns: the call's result.
 * Errors: those of coop_within and of coop_syscall.
 */
#define coop_syscall_within(NS, ...) COOP_SYSCALL_WITHIN_(NS, __VA_ARGS__, .base = {0})
#define COOP_SYSCALL_WITHIN_(NS, CALL, ...)                                         \
    __extension__({                                                                 \
        struct coop_##CALL part_##CALL = { __VA_ARGS__ };                           \
        part_##CALL.base.type = &coop_##CALL##_type;                                \
        coop_syscall(Within, .ns = (NS), .part = &part_##CALL.base);                \
    })

/** coop_syscall_any - wait in a fiber for the first of some system calls
 *
 * Use: which = coop_syscall_any(&value, (Recv, .fd = fd, .buf = buf, .len = sizeof buf),
 *                               (Sleep, .ns = COOP_S(5)));
 *
 * As coop_any in a routine: up to eight calls in parentheses. The answer of the one goes to
 * value, a coop_value *, if it is not NULL. coop_wait_any does it for calls in an array.
 *
 * Returns: which one it was, from 0.
 * Errors: those of WaitAny and of coop_syscall.
 */
#define coop_syscall_any(VALUE, ...)                                                \
    __extension__({                                                                 \
        struct {                                                                    \
            coop_call *parts[COOP_COUNT_(__VA_ARGS__)];                             \
            COOP_EACH_(COOP_PART_MEMBER_, .base = {0}, __VA_ARGS__)                 \
        } any_, *call_ = &any_;                                                     \
        COOP_EACH_(COOP_PART_FILL_, .base = {0}, __VA_ARGS__)                       \
        coop_wait_any(call_->parts, COOP_COUNT_(__VA_ARGS__), (VALUE));             \
    })

/** coop_call - call a routine, or a fiber, from a fiber
 *
 * Use: coop_value v = coop_call(ROUTINE, .member = value, ...);
 *
 * As coop_await: it runs within the same task.
 *
 * Returns: what ROUTINE returns.
 * Errors:
 * -EPERM   not called from a fiber, which is reported
 * -ENOMEM  no room for the frame; ROUTINE did not run
 */
#define coop_call(...) COOP_CALL_(__VA_ARGS__, .coop_ = {0})
#define COOP_CALL_(NAME, ...)                                                       \
    __extension__({                                                                 \
        struct NAME made_##NAME = { __VA_ARGS__ };                                  \
        struct NAME *callee_##NAME = coop_fiber_push_(                              \
            sizeof made_##NAME, _Alignof(struct NAME), "coop_call(" #NAME ")");     \
        if (callee_##NAME)                                                          \
            *callee_##NAME = made_##NAME;                                           \
        coop_fiber_call_(&NAME##_routine, (coop_frame *)callee_##NAME);             \
    })

/** coop_call_all - run some routines at once from a fiber, and wait for all
 *
 * Use: r = coop_call_all(results, (cube, .n = 3), (cube, .n = 4), (COOP_FIBER(FN, ARG)));
 * Use: v = coop_call_race((fetch, .from = "here"), (fetch, .from = "there"));
 *
 * As coop_all and coop_race in a routine; results is an array of coop_value, or NULL.
 *
 * Returns: the result, as coop_gather gives it.
 * Errors: those of coop_gather and of coop_call.
 */
#define coop_call_all(RESULTS, ...)                                                 \
    coop_call_few_(&(struct coop_gather){                                           \
        .count = COOP_COUNT_(__VA_ARGS__), .results = (RESULTS),                    \
        .few_ = { COOP_EACH_(COOP_CREATE_PART_, .coop_.caller = NULL, __VA_ARGS__) } \
    }, "coop_call_all")
#define coop_call_race(...)                                                         \
    coop_call_few_(&(struct coop_gather){                                           \
        .count = COOP_COUNT_(__VA_ARGS__), .mode = COOP_ANY,                        \
        .few_ = { COOP_EACH_(COOP_CREATE_PART_, .coop_.caller = NULL, __VA_ARGS__) } \
    }, "coop_call_race")

/** coop_yield_value - hand a value to whoever resumes this fiber, and stop
 *
 * As coop_yield in a routine.
 *
 * Returns: what is sent in when it is resumed.
 * Errors:
 * -EPERM      not called from a fiber, which is reported
 * -ECANCELED  the fiber is to end
 */
coop_value coop_yield_value(coop_value value);

/** coop_defer - have something done when a fiber's function has returned
 *
 * fn(arg) is called then, on the fiber's stack, however it ended. It may make system calls,
 * which a kill or cancel does not disturb. Of several the last comes first. Groups that the
 * fiber opened have ended before, as in coop_finally; those that fn opens end with it.
 *
 * Returns: 0.
 * Errors:
 * -EPERM   not called from a fiber, which is reported
 * -EINVAL  fn is NULL
 * -ENOMEM  memory is exhausted; fn will not be called
 */
int coop_defer(void (*fn)(void *arg), void *arg);

/* ---- Tasks and the scheduler ------------------------------------------------------- */

/** coop_options - what a scheduler is made of
 *
 * All zero is the default.
 *
 * quantum   traps that need no waiting which a task may make in one slice; 0: 1
 * threads   helper threads at most, for Work and files; 0: 8
 * stack     of fibers that do not say, in bytes; 0: 64 KiB
 * measure   true: coop_stack_used is exact. Costs a call of the host and the clearing of what
 *           was used when a fiber ends.
 * slow      how long a task may keep the processor, in ns, before the watchdog tells of it,
 *           while it still does; negative: there is no watchdog; 0: what COOP_SLOW asks for,
 *           or 100 ms
 * poller    how coop_unix() waits for descriptors, without machine: a word as it takes
 *           it; NULL: what COOP_POLLER asks for
 * machine   who is outside; NULL: what COOP_MACHINE asks for, or coop_unix()
 * policy    who runs next; NULL: what COOP_POLICY asks for, or coop_fifo()
 * observer  who watches; NULL: nobody but what COOP_TRACE asks for
 * report    gets every report of the scheduler (deadlock, failed tasks, ...), a
 *           text that ends in a newline; NULL: standard error
 * slow_report
 *           gets what the watchdog has to tell, in the same form, on the watchdog's own
 *           thread while a task runs, and perhaps a last time in coop_sched_close: it may
 *           only do what threads may, and nothing with coop; NULL: standard error,
 *           whatever report is
 * arg       handed to report and slow_report
 * no_env    true: do not read COOP_TRACE, COOP_MACHINE, COOP_POLLER, COOP_POLICY and
 *           COOP_SLOW
 *
 * The scheduler owns machine and policy from a successful coop_sched_open on.
 *
 * The watchdog is a thread that looks every quarter of slow, 1 ms at least, at which task
 * has the processor, and tells of it again each time that twice the time has passed, and
 * when it gave it up. It sleeps while no task can run, gets no signals, and changes
 * nothing. Time in observers, as in the stepper, does not count. There is none on a
 * machine whose time is not the host's (coop_sim), and where the host refuses a thread
 * or a look at memory (process_vm_readv); in the latter cases whoever set slow or
 * COOP_SLOW gets a report.
 */
typedef struct coop_options {
    unsigned quantum, threads;
    size_t stack;
    int64_t slow;
    const char *poller;
    coop_machine *machine;
    coop_policy *policy;
    coop_observer *observer;
    void (*report)(void *arg, const char *text);
    void (*slow_report)(void *arg, const char *text);
    void *arg;
    bool no_env, measure;
} coop_options;

/** coop_sched_open - give the calling thread a scheduler
 *
 * options may be NULL. Needed only to choose options: coop_spawn opens a default
 * scheduler where there is none, and coop_run closes that one when it is through.
 *
 * A process that is made by fork() must neither use nor close its parent's scheduler,
 * unless it ends with _exit or starts another program. Fork before, or use Spawn. The
 * watchdog's thread is of the parent alone.
 *
 * Returns: 0.
 * Errors:
 * -EBUSY   the thread has one
 * -EINVAL  COOP_TRACE has a word that is unknown or a path that cannot be opened, there
 *          is no such poller, machine or policy, or COOP_SLOW is no time, which is reported; or
 *          options->observer has no event
 * -EMFILE  no descriptor is left for epoll; -ENFILE: not in the whole system
 * -ENOMEM  memory is exhausted
 */
int coop_sched_open(const coop_options *options);

/** coop_run - run until no task is left
 *
 * System tasks do not count. When tasks are left and nothing outside can wake one (no
 * descriptor and no timer is waited for, and no door is open) they are reported, each with
 * the call that it is blocked in, and the cycle if there is one; they stay to be looked at
 * until coop_sched_close.
 *
 * Returns: 0, also without any task or scheduler.
 * Errors:
 * those of coop_sched_open, when a coop_spawn before could not open one
 * -EDEADLK    a deadlock
 * -ECANCELED  the stepper's quit
 * -EBUSY      called from inside a task
 * others      the machine's poll failed for good
 */
int coop_run(void);

/** coop_sched_close - end all tasks and release the scheduler
 *
 * Kills every task and runs their coop_finally parts. What is blocked for ever even so
 * is dropped and reported. Reports coroutines that were created and never begun. No
 * thread of the scheduler is left.
 *
 * Returns: 0, also without a scheduler.
 * Errors:
 * -EBUSY  called from inside a task
 */
int coop_sched_close(void);

/** coop_spawn - start a task
 *
 * Use: coop_tid tid = coop_spawn(ROUTINE, .member = value, ...);
 *
 * The task goes to the tail of the ready queue. Its parent is the task that called, or
 * 0. Nobody keeps its status: see NewTask, which makes a child whose status is kept. Not a
 * trap: the caller goes on. A program that spawns and ends without coop_run is told so.
 *
 * Returns: the tid, more than 0.
 * Errors:
 * -ENOMEM  memory is exhausted
 * others   those of coop_sched_open, and of coop_fiber
 */
#define coop_spawn(...) COOP_NEW_(coop_spawn_, __VA_ARGS__, .coop_.caller = NULL)

/** coop_main - spawn a task, run the scheduler, give the task's result
 *
 * Use: coop_value v = coop_main(ROUTINE, .member = value, ...);
 *
 * coop_spawn and coop_run in one, for main() and tests.
 *
 * Returns: what ROUTINE returned, also a negative errno; a failure counts as waited
 * for.
 * Errors:
 * -ECANCELED  it was killed
 * others      those of coop_spawn and coop_run
 */
#define coop_main(...) COOP_NEW_(coop_main_, __VA_ARGS__, .coop_.caller = NULL)

/** coop_status - how a task ended
 *
 * tid    whose end it is
 * end    COOP_NO_END: it has not, or there is no such task
 *        COOP_OK: returned value, 0 or more or a pointer
 *        COOP_FAILED: returned value, a negative errno
 *        COOP_KILLED: by the task in by, 0 being coop_sched_close; value is -ECANCELED
 *        COOP_CANCELLED: by the task in by, and it returned -ECANCELED
 * why    what KillTask or Cancel was told; NULL: nothing, or there was no memory to note it
 */
typedef enum coop_end_kind {
    COOP_NO_END, COOP_OK, COOP_FAILED, COOP_KILLED, COOP_CANCELLED
} coop_end_kind;
typedef struct coop_status {
    coop_end_kind end;
    coop_value value;
    coop_tid by, tid;
    const char *why;
} coop_status;

/* ---- System calls ------------------------------------------------------------------ */

struct coop_call {                 /* what every system-call object begins with */
    _Alignas(int64_t) const coop_call_type *type;   /* so that a timer fits right behind */
    coop_task *task;               /* who trapped; set by the kernel */
    union {
        coop_call *next;           /* in the one list that it waits in */
        coop_value result;         /* of one that is a part of another, or stays */
    };
};

typedef struct coop_timer {        /* stands right behind base where a call has one */
    int64_t when;                  /* ns on the machine's clock */
    uint32_t seq, slot;
} coop_timer;

typedef struct coop_scope {        /* in calls that stay until their routine is over */
    struct coop_scope *outer;
    coop_frame *frame;
    coop_call *call;
    int why;                       /* how calls within it that wait fail; 0: they do not */
    bool shield;                   /* what goes wrong outside of it does not concern them */
    bool timed;                    /* a time will come at which they fail */
} coop_scope;

typedef struct coop_job {          /* the same, for calls that helper threads do */
    struct coop_job *next;
    coop_value (*run)(coop_machine *, coop_call *);
    coop_value result;
    int stage;                     /* the machine's */
} coop_job;

typedef struct coop_later {        /* in what has something to do before the next slice */
    struct coop_later *next, **at;
    void (*run)(coop_sched *, struct coop_later *);
} coop_later;

typedef struct coop_tie {          /* in what is to know of a task's end */
    struct coop_tie *next, **at;
    void (*ended)(coop_sched *, coop_task *, struct coop_tie *);
} coop_tie;

/** coop_GetTid - the caller's tid
 *
 * Use: coop_trap(tid, GetTid);
 *
 * Returns: the tid.
 */
struct coop_GetTid { coop_call base; };

/** coop_Yield - let all other ready tasks run first, as far as the policy lets them
 *
 * Use: coop_trap(coop_void, Yield);
 *
 * Returns: 0.
 */
struct coop_Yield { coop_call base; };

/** coop_NewTask - start a task whose status is kept
 *
 * Use: coop_trap(tid, NewTask, .target = coop_create(ROUTINE, ...), .name = "...");
 *
 * The child is queued before its parent, so it runs first. name is copied; NULL is the
 * routine's name. On success the task owns target; with -ENOMEM, or when the caller is
 * killed before the call is made, and if it is a fiber that cannot begin, it is released;
 * with other errors it stays the caller's.
 *
 * Who keeps a status: tasks that wait when a task ends are told it. If there are none, it is
 * kept for one that has yet to ask: a child's of NewTask by its parent, until a task has
 * waited for it or the parent ends; that of a task of a Group with keep by the group, until
 * GroupNext has told it or the group ends; that of other tasks not at all. A failure that
 * goes unseen, also one of a child whose parent has ended, is reported, once.
 *
 * Returns: the child's tid.
 * Errors:
 * -ENOMEM  memory is exhausted, or target is NULL, as coop_create gives it then
 * -EBUSY   target is running or belongs to a task
 * -EINVAL  target has been resumed by hand before
 * -EPERM   another thread created target
 * others   of a fiber that cannot begin, see coop_fiber
 */
struct coop_NewTask { coop_call base; coop_coroutine *target; const char *name; };

/** coop_KillTask - end a task
 *
 * Use: coop_trap(r, KillTask, .tid = tid, .wait = true);
 * Use: coop_trap(r, KillTask, .tid = tid, .why = "idle for too long");
 * Use: coop_trap(r, KillTask, .tid = tid, .force = true);
 *
 * What it waits for is undone, and its frames end, the innermost first, each running
 * its coop_finally part, in the target's own slices. Without wait the answer comes at
 * once; with wait when the task is gone, and nothing of it is left then. Killing
 * oneself is ending at once; in a task that is ending already it does nothing. why, for
 * the task's status, is not copied: a string literal, or what lives as long. To ask a task
 * to end, rather than to end it, use Cancel.
 *
 * A fiber ends by itself, since all its calls that can wait fail. One that goes on making
 * calls all the same is reported. With force, also when it is ending already, it does not
 * come back from its next call, or the one that it waits in: what its functions hold is lost,
 * but for its coop_defer. It is the same for all fibers on the target's call stack, and of no
 * concern to routines. coop_sched_close and coop_co_close use force by themselves when a
 * fiber was reported.
 *
 * Returns: 0.
 * Errors:
 * -ESRCH     no such task, or it has ended
 * -EPERM     a system task
 * -EALREADY  it is ending already (only without wait and force)
 * -EDEADLK   with wait: the target waits, perhaps through others, for the caller. It ends as
 *            soon as it can, unless it waits in a coop_finally part and was not killed before
 */
struct coop_KillTask { coop_call base; coop_tid tid; bool wait, force; const char *why; };

/** coop_Cancel - have a task end by itself
 *
 * Use: coop_trap(r, Cancel, .tid = tid, .why = "shutting down", .wait = true);
 *
 * The call that the task waits in gives -ECANCELED, and so does every later call that can
 * wait, also when it would not have to, until the task ends; the others are made as ever.
 * Not in coop_finally parts and behind Shield: there calls wait undisturbed. A call that
 * cannot be undone now, such as Work that has begun, is answered first.
 *
 * Without wait the answer comes at once; with wait when the task is gone, and nothing of
 * it is left then. why is not copied: a string literal, or what lives as long. A task may
 * cancel itself, without wait. One that ends with -ECANCELED then counts as cancelled in
 * its status; one that returns something else has made up its own mind.
 *
 * Returns: 0.
 * Errors:
 * -ESRCH     no such task, or it has ended
 * -EPERM     a system task
 * -EALREADY  it is cancelled or ending already (only without wait)
 * -EDEADLK   with wait: the caller itself; or the target waits, perhaps through others,
 *            for the caller, as it may in a coop_finally part; it is cancelled all the same
 *
 * See: trio, where a cancel stays until it is heard.
 */
struct coop_Cancel { coop_call base; coop_tid tid; bool wait; const char *why; };

/** coop_Deadline - limit the time that a routine may wait
 *
 * Use: coop_trap(coop_void, Deadline, .ns = COOP_S(5));
 * Use: coop_trap(coop_void, Deadline, .off = true);
 *
 * For the routine that calls it and all that it awaits, until it comes to its coop_finally
 * part or ends. When the time is over the call that waits gives -ETIMEDOUT, and so does
 * every later one that can wait, as with Cancel; coop_why tells whose deadline it was. A
 * routine has one deadline: another call sets it anew, and off ends it. Those of the
 * routines that have awaited it go on: the first to come counts.
 *
 * ns of 0 or less is a time that is over. For a single call see coop_within. In a fiber it
 * goes on until the fiber's function has returned, and coop_deadline(INT64_MAX) is off.
 *
 * Returns: 0.
 * Errors:
 * -ENOMEM  memory is exhausted
 */
struct coop_Deadline {
    coop_call base;
    coop_timer timer;
    int64_t ns;
    bool off;
    coop_scope scope;
};

/** coop_Shield - keep cancels and deadlines out of a routine
 *
 * Use: coop_trap(coop_void, Shield);
 * Use: coop_trap(coop_void, Shield, .off = true);
 *
 * For the routine that calls it and all that it awaits, until it comes to its coop_finally
 * part or ends, or to off. What has come meanwhile takes effect behind it. Deadlines of
 * routines that are awaited behind the shield count; so does the routine's own if its first
 * Deadline comes after Shield. A kill is not kept out. In a fiber it goes on until the fiber's
 * function has returned, or coop_shield(false).
 *
 * Returns: 0.
 * Errors:
 * -ENOMEM  memory is exhausted
 */
struct coop_Shield { coop_call base; bool off; coop_scope scope; };

/** coop_why - why calls that can wait fail now
 *
 * Tells of the running task, where it is: whether its calls give -ECANCELED or -ETIMEDOUT,
 * and what for. Of several reasons it is the outermost, since nothing within could go on.
 * cause may be NULL.
 *
 * error    -ECANCELED, -ETIMEDOUT, or 0: they do not fail
 * own      true: a Deadline or Group of the running routine itself. It can still do
 *          something about it.
 * routine  whose Deadline or Group it is; NULL: the whole task was cancelled
 * by       cancelled: the task that did it; 0: not known, or none
 * why      what Cancel was told; or "Deadline", "Group"; may be NULL
 *
 * Returns: error.
 */
typedef struct coop_cause {
    int error;
    bool own;
    const char *routine;
    coop_tid by;
    const char *why;
} coop_cause;
int coop_why(coop_cause *cause);

/** coop_WaitAny - wait for the first of several system calls
 *
 * Use: coop_trap(i, WaitAny, .parts = my->parts, .count = 3, .value = &my->value);
 *
 * Makes the calls one after the other until one of them does not have to wait, and else
 * waits until one is answered. The others are undone then, or not made, and have taken
 * nothing; a coroutine that they were given is released. *value receives the answer of the
 * one. fair begins each time with another one instead of the first, so that none that is
 * always ready keeps back the others.
 *
 * The parts are objects that the caller has filled in, with COOP_PART, and which stay good
 * until the answer: members. coop_any does it for calls that can be written down. Only
 * calls that can wait may be parts, and not WaitAny and Within. Work, and what else helper
 * threads do, cannot be undone once it has begun: the answer comes when it is through.
 *
 * Returns: which one, from 0.
 * Errors:
 * -EINVAL  no part, or one that is not allowed, or there twice; none was made
 */
#define COOP_PART(PART, ...) COOP_PART_(PART, __VA_ARGS__, .base = {0})
#define COOP_PART_(PART, CALL, ...)                                                 \
    ((PART) = (struct coop_##CALL){ __VA_ARGS__ },                                  \
     (PART).base.type = &coop_##CALL##_type, &(PART).base)
struct coop_WaitAny {
    coop_call base;
    coop_call *const *parts;
    int count;
    bool fair;
    coop_value *value;
    /* The call's own. */
    int winner_, waiting_;
};

/** coop_any - wait for the first of some calls that are written down here
 *
 * Use: coop_any(my->which, my->value,
 *               (Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf),
 *               (WaitTask, .tid = my->tid),
 *               (Sleep, .ns = COOP_S(5)));
 *
 * WaitAny of up to eight calls, each as coop_trap takes it, in parentheses. Which of them
 * it was goes to the first argument, from 0 or an error, and its answer to the second, a
 * member of type coop_value.
 *
 * Errors:
 * -ENOMEM  no room for the objects; no call was made
 */
#define coop_any(WHICH, VALUE, ...)                                                 \
    COOP_TRAP_OBJECT_(WHICH,                                                        \
        struct {                                                                    \
            struct coop_WaitAny whole;                                              \
            coop_call *parts[COOP_COUNT_(__VA_ARGS__)];                             \
            COOP_EACH_(COOP_PART_MEMBER_, .base = {0}, __VA_ARGS__)                     \
        },                                                                          \
        call_->whole = (struct coop_WaitAny){                                       \
            .base = { .type = &coop_WaitAny_type }, .parts = call_->parts,          \
            .count = COOP_COUNT_(__VA_ARGS__), .value = &(VALUE)                    \
        };                                                                          \
        COOP_EACH_(COOP_PART_FILL_, .base = {0}, __VA_ARGS__))

/** coop_within - make a system call with a time limit
 *
 * Use: coop_within(my->n, COOP_S(5), Recv, .fd = my->fd, .buf = my->buf, .len = 100);
 *
 * As coop_trap; but when the time is over, which is in ns, the call is undone and has taken
 * nothing, though of Send and Write a part may have gone out. With 0 or less it does not
 * wait at all. Not for WaitAny, where Sleep can be one of the parts, and for calls that never
 * wait. Of Work, and what else helper threads do, the answer comes when it is through. In a
 * fiber it is coop_syscall_within.
 *
 * Errors:
 * -ETIMEDOUT  the time is over; an outer deadline too, if coop_why says so
 * -EINVAL     the call cannot be a part of another
 */
#define coop_within(DEST, NS, ...) COOP_WITHIN_(DEST, NS, __VA_ARGS__, .base = {0})
#define COOP_WITHIN_(DEST, NS, CALL, ...)                                           \
    COOP_TRAP_OBJECT_(DEST,                                                         \
        struct { struct coop_Within whole; struct coop_##CALL part; },              \
        call_->whole = (struct coop_Within){                                        \
            .base = { .type = &coop_Within_type }, .ns = (NS), .part = &call_->part.base \
        };                                                                          \
        call_->part = (struct coop_##CALL){ __VA_ARGS__ };                          \
        call_->part.base.type = &coop_##CALL##_type)
struct coop_Within { coop_call base; coop_timer timer; int64_t ns; coop_call *part; };

/** coop_Group - a group of tasks that ends with its routine
 *
 * Use: coop_trap(my->group, Group, .name = "crew");
 *
 * Tasks are started in the group with GroupSpawn. It belongs to the routine that calls: when
 * that comes to its coop_finally part, or to its end, it first waits for all of them. So
 * they may use its members, and what coop_finally releases. A routine that returns an
 * error, ends by Exit or a kill, is cancelled or out of time cancels them and then waits. A
 * Deadline that it had set before limits the wait, one that it has set after does not.
 *
 * mode   COOP_ALL: the first member that fails (or is killed) cancels the others, and fails
 *        what the routine waits in, with -ECANCELED; its error is the group's result
 *        COOP_ANY: the first that does not fail cancels the others; what it returned is the
 *        result, or the first error if all fail
 *        COOP_EACH: the members do not concern each other, and the result is 0
 * limit  members at once, for GroupSpawn to wait when there are so many; 0: no limit
 * keep   true: the statuses of members that have ended are kept for GroupNext, until the
 *        group ends
 * name   for people; not copied
 *
 * Failures that the group does not tell are reported. A routine that has not waited with
 * GroupWait, and would return 0 or more, or the -ECANCELED that a failed member brought it,
 * returns the error of its COOP_ALL group instead.
 *
 * Returns: the group, a coop_group *, good until the routine comes to its coop_finally part
 * or GroupWait has answered.
 * Errors:
 * -ENOMEM  memory is exhausted. The calls that take a group give the same when they get this
 *          instead of one, so it need not be checked in between.
 *
 * See: trio's nurseries; curio's task groups.
 */
enum { COOP_ALL, COOP_ANY, COOP_EACH };
typedef struct coop_Group coop_group;
struct coop_Group {
    coop_call base;
    coop_scope scope;
    const char *name;
    int mode;
    size_t limit;
    bool keep;
    /* The group's own. */
    bool open_, over_, won_;
    size_t living_, daemons_;
    struct coop_member *members_, **last_, *ended_, **ended_last_;
    coop_call *waiting_, *spawners_, *takers_;
    coop_status first_;
    coop_call end_;
};

/** coop_GroupSpawn - start a task in a group
 *
 * Use: coop_trap(tid, GroupSpawn, .group = my->group, .target = coop_create(ROUTINE, ...),
 *               .result = &my->results[0]);
 *
 * By the routine whose group it is, by members, or by whoever has the group while it is
 * there. The task's parent is the task whose group it is. It is queued before the caller.
 * A full group makes the caller wait until a member ends.
 *
 * name    as of NewTask
 * daemon  true: it does not keep the group; when only daemons are left and the group is
 *         waited for, they are cancelled
 * result  when not NULL, receives what the task returned, or -ECANCELED; a failure is told
 *         then, and not reported
 *
 * The group owns target from then on, also when this fails; but for the errors -EBUSY,
 * -EINVAL of a target that was resumed before, and -EPERM.
 *
 * Returns: the task's tid.
 * Errors:
 * -EINVAL     group is NULL or was closed by GroupWait
 * -ECANCELED  the group's members are cancelled already
 * others      as of NewTask
 */
struct coop_GroupSpawn {
    coop_call base;
    coop_group *group;
    coop_coroutine *target;
    const char *name;
    bool daemon;
    coop_value *result;
};

/** coop_GroupWait - wait for all tasks of a group
 *
 * Use: coop_trap(v, GroupWait, .group = my->group);
 *
 * By the task whose group it is. Waits until no member is left, and closes the group. When
 * the caller is cancelled meanwhile or out of time, the group stays open.
 *
 * Returns: the group's result, see Group; that may be an error, and -ECANCELED if the first
 * that failed was killed.
 * Errors:
 * -EINVAL  group is NULL, or closed
 * -EPERM   another task's group
 */
struct coop_GroupWait { coop_call base; coop_group *group; };

/** coop_GroupNext - the next task of a group that ends
 *
 * Use: coop_trap(v, GroupNext, .group = my->group, .status = &my->status);
 *
 * In the order in which they end, each once. The group must have been made with keep.
 * status, which may be NULL, tells whose end it is. With poll it does not wait.
 *
 * Returns: what the task returned, as WaitTask gives it; status->tid tells a task that
 * returned one of these errors from the error.
 * Errors:
 * -ECHILD  none is left but daemons
 * -EAGAIN  poll: none has ended
 * -EINVAL  group is NULL, closed, or does not keep
 */
struct coop_GroupNext { coop_call base; coop_group *group; coop_status *status; bool poll; };

/** coop_GroupCancel - cancel all tasks of a group
 *
 * Use: coop_trap(r, GroupCancel, .group = my->group, .why = "enough");
 *
 * As Cancel does, without waiting. No task can join the group until it was waited for.
 *
 * Returns: 0.
 * Errors:
 * -EINVAL  group is NULL, or closed
 */
struct coop_GroupCancel { coop_call base; coop_group *group; const char *why; };

/** coop_chan_open - a channel, through which tasks send items to one another
 *
 * An item has size bytes and is copied; with size 0 it is a coop_value, such as a pointer.
 * Up to capacity items wait in the channel for a receiver; with 0 none does, and sender and
 * receiver meet. name is for people and not copied; it may be NULL. Any number of tasks of
 * one scheduler send and receive, without one or outside of tasks it can be made too.
 *
 * coop_chan_queued tells how many items wait in it. coop_chan_free releases a channel, and
 * what waits in it; NULL is let pass.
 *
 * Returns: coop_chan_open: the channel; NULL when memory is exhausted, and every call that
 * gets it then gives -ENOMEM, so it need not be checked in between. coop_chan_free: 0.
 * Errors:
 * -EBUSY   coop_chan_free: a task waits on it, or a door leads to it; nothing was released
 * -ENOMEM  coop_chan_queued: NULL
 */
typedef struct coop_chan coop_chan;
coop_chan *coop_chan_open(size_t size, size_t capacity, const char *name);
int coop_chan_free(coop_chan *chan);
coop_value coop_chan_queued(const coop_chan *chan);

/** coop_ChanSend - send an item into a channel
 *
 * Use: coop_trap(r, ChanSend, .chan = chan, .value = 42);
 * Use: coop_trap(r, ChanSend, .chan = chan, .item = &my->item);
 *
 * value is for a channel of size 0, and item for the others. Waits until there is a receiver
 * or room for it. Those that wait get their turns in the order in which they came. When the
 * call is undone, by a kill, a cancel, a time limit or WaitAny, nothing was sent.
 *
 * poll  true: it does not wait
 * all   true: each receiver that waits now gets the item; it is not kept for others, and
 *       does not wait
 *
 * Returns: 0; with all how many have got it.
 * Errors:
 * -EPIPE   the channel was closed, before or while it waited; nothing was sent
 * -EAGAIN  poll: it would have to wait
 * -EINVAL  value is negative, as an error is
 * -EFAULT  item is NULL
 * -ENOMEM  chan is NULL
 *
 * See: C. A. R. Hoare, "Communicating Sequential Processes" (1978).
 */
struct coop_ChanSend {
    coop_call base;
    coop_chan *chan;
    union { coop_value value; const void *item; };
    bool poll, all;
};

/** coop_ChanRecv - receive an item from a channel
 *
 * Use: coop_trap(v, ChanRecv, .chan = chan);
 * Use: coop_trap(r, ChanRecv, .chan = chan, .item = &my->item);
 *
 * Waits until there is one. Those that wait get their turns in the order in which they
 * came. Each item goes to one receiver: when the call is undone it has taken none, and one
 * that is answered before its task is killed is in DEST when coop_finally begins. With poll
 * it does not wait. The parts of a WaitAny do not send to one another.
 *
 * Returns: the value; of a channel with a size 0, and the item is at item.
 * Errors:
 * -EPIPE   the channel was closed and is empty
 * -EAGAIN  poll: it would have to wait
 * -EFAULT  item is NULL
 * -ENOMEM  chan is NULL
 */
struct coop_ChanRecv { coop_call base; coop_chan *chan; void *item; bool poll; };

/** coop_ChanClose - close a channel
 *
 * Use: coop_trap(coop_void, ChanClose, .chan = chan);
 *
 * Nothing more can be sent, and those that wait to send get -EPIPE. What is in it can still
 * be received; then, and where it is empty at once, receivers get -EPIPE. To close it again
 * changes nothing. It is released with coop_chan_free.
 *
 * Returns: 0.
 * Errors:
 * -ENOMEM  chan is NULL
 */
struct coop_ChanClose { coop_call base; coop_chan *chan; };

/** coop_ChanDone - tell that an item of a channel is finished
 *
 * Use: coop_trap(r, ChanDone, .chan = chan);
 *
 * For a channel that is a queue of work, by who has received an item and done what was to be
 * done, perhaps in a coop_finally part: so that ChanJoin knows.
 *
 * Returns: 0.
 * Errors:
 * -EINVAL  all that was received is finished already
 * -ENOMEM  chan is NULL
 */
struct coop_ChanDone { coop_call base; coop_chan *chan; };

/** coop_ChanJoin - wait until all that was sent into a channel is finished
 *
 * Use: coop_trap(r, ChanJoin, .chan = chan);
 *
 * Until ChanDone was called as often as items were sent. What tasks still wait to send does
 * not count.
 *
 * Returns: 0.
 * Errors:
 * -ENOMEM  chan is NULL
 *
 * See: Queue.join of Python and curio.
 */
struct coop_ChanJoin { coop_call base; coop_chan *chan; };

/** coop_door_open - a way into a scheduler for other threads and signal handlers
 *
 * A door belongs to the scheduler of the thread that opens it, which gets a default one if it
 * has none, as with coop_spawn. Others come to it with coop_knock, coop_post, coop_submit
 * and coop_co_submit. As long as it is open something from outside can wake tasks: an idle
 * scheduler waits without using the processor, and no deadlock is found. When no task is
 * left the run ends all the same.
 *
 * With a capacity chan is the channel that coop_post leads to, and so many items can be on
 * their way. With 0 nothing can be posted. name is for people and not copied; it may be NULL.
 *
 * A door is memory as long as anybody holds it. Who opened it does, up to coop_door_close,
 * which shuts it: what others bring from then on is refused with -EPIPE. What was submitted
 * before is started, and what was posted and has found no room is lost. The closing of the
 * scheduler shuts it too, and coop_door_close is called after it then. A thread that may use
 * the door later than that, or a handler that may still run, needs a hold of its own:
 * coop_door_keep takes one, coop_door_drop gives it back. NULL is let pass by all three.
 *
 * On a simulated machine time does not wait for other threads: it passes when no task can
 * run, and stands still when no timer is set.
 *
 * Returns: coop_door_open: the door; NULL when memory is exhausted or no descriptor is left
 * to wake the scheduler with, or capacity is not 0 and chan is NULL; functions that get it
 * then give -ENOMEM. coop_door_keep: door. coop_door_close: how many items that were posted
 * have not got into the channel.
 * Errors:
 * -EPERM  coop_door_close: another thread's, and its scheduler is open
 * Thread: coop_door_keep and coop_door_drop: any; coop_door_close, when the scheduler is
 * closed: any.
 */
typedef struct coop_door coop_door;
coop_door *coop_door_open(coop_chan *chan, size_t capacity, const char *name);
coop_value coop_door_close(coop_door *door);
coop_door *coop_door_keep(coop_door *door);
void coop_door_drop(coop_door *door);

/** coop_post - send an item into a channel from anywhere
 *
 * Copies what the channel of the door takes: an item of its size, or a coop_value. It never
 * waits. The items of a door get into the channel in the order in which they were posted, one
 * after the other: as soon as there is a receiver or room, in turns with tasks that wait to
 * send. Once an item comes to a channel that was closed, it is lost and so is all behind it,
 * and later ones are refused.
 *
 * Returns: 0: it is on its way.
 * Errors:
 * -EAGAIN  the door's capacity is used up
 * -EPIPE   the door is shut, or its channel closed
 * -EINVAL  nothing can be posted at this door; or the value is negative
 * -EFAULT  item is NULL
 * -ENOMEM  door is NULL
 * Thread: any, and signal handlers.
 */
int coop_post(coop_door *door, const void *item);

/** coop_knock - wake those who wait at a door
 *
 * Answers all tasks that wait in DoorWait. When none waits, the next that does is answered
 * at once: for any number of knocks once.
 *
 * Returns: 0.
 * Errors:
 * -EPIPE   the door is shut
 * -ENOMEM  door is NULL
 * Thread: any, and signal handlers.
 */
int coop_knock(coop_door *door);

/** coop_DoorWait - wait until somebody knocks at a door
 *
 * Use: coop_trap(r, DoorWait, .door = door);
 *
 * Returns: 0.
 * Errors:
 * -EPIPE   the door was shut, before or while it waited
 * -EPERM   another scheduler's door
 * -ENOMEM  door is NULL
 */
struct coop_DoorWait { coop_call base; coop_door *door; };

/** coop_submit - start a task from anywhere
 *
 * Use: int r = coop_submit(door, ROUTINE, .member = value, ...);
 * Use: int r = coop_co_submit(co, door);
 *
 * As coop_spawn, in the scheduler of the door, on whose thread the task then runs. Those that
 * are submitted at one door start in that order. Its parent is 0. One that was submitted
 * before the last task of a run ended belongs to that run; one that finds no memory when it
 * is to start is reported.
 *
 * coop_co_submit is for signal handlers, in which nothing can be allocated: co was made with
 * coop_create before, by the thread of the scheduler, and nothing else be done with it. With
 * 0 it is the scheduler's; with an error it stays the caller's.
 *
 * Returns: 0: it is on its way.
 * Errors:
 * -EPIPE   the door is shut
 * -ENOMEM  memory is exhausted, or door or co is NULL
 * -EBUSY   co is running, belongs to a task, or was submitted before
 * -EINVAL  co has been resumed by hand before
 * -EPERM   another thread created co
 * Thread: any; coop_co_submit also in signal handlers.
 */
#define coop_submit(DOOR, ...) COOP_SUBMIT_(DOOR, __VA_ARGS__, .coop_.caller = NULL)
#define COOP_SUBMIT_(DOOR, NAME, ...)                                               \
    __extension__({                                                                 \
        coop_frame *new_##NAME = coop_make_(&NAME##_routine, COOP_HERE_);           \
        if (new_##NAME)                                                             \
            COOP_FILL_(NAME, new_##NAME, __VA_ARGS__);                              \
        coop_submit_(DOOR, new_##NAME);                                             \
    })
int coop_co_submit(coop_coroutine *co, coop_door *door);

/** coop_WaitTask - wait for a task's end
 *
 * Use: coop_trap(v, WaitTask, .tid = tid, .status = &my->status);
 * Use: coop_trap(v, WaitTask, .tid = COOP_CHILD, .status = &my->status);
 *
 * Several may wait for one task; all are answered, in the order in which they came.
 * COOP_CHILD is any child that the caller has started with NewTask: the one that ended
 * first of those not waited for, or the next to end. status may be NULL; it tells an
 * end by -ESRCH from no such task, and which child it was. With poll it does not wait.
 *
 * Returns: what the task returned, also when that is a negative errno.
 * Errors:
 * -ECANCELED  it was killed
 * -ESRCH      no such task, or its status is not kept
 * -ECHILD     COOP_CHILD: there is no such child, living or ended
 * -EAGAIN     poll: it has not ended; status->end is COOP_NO_END
 * -EPERM      a system task
 * -EDEADLK    the caller itself, or a task that waits, perhaps through others, for it
 */
#define COOP_CHILD ((coop_tid)INTPTR_MAX)
struct coop_WaitTask { coop_call base; coop_tid tid; coop_status *status; bool poll; };

/** coop_Exit - end the calling task
 *
 * Use: coop_trap(coop_void, Exit, .value = v);
 *
 * From any depth; the coop_finally parts run. value is the task's status. Does not
 * return, but inside a coop_finally part, or a routine awaited by one, it gives 0, and
 * the task ends when that part is through. A fiber that calls it is left as it stands, so
 * that what its functions hold must be in coop_defer; to those that have called it, and to
 * routines, it is as a kill.
 */
struct coop_Exit { coop_call base; coop_value value; };

/** coop_Sleep - let time pass
 *
 * Use: coop_trap(coop_void, Sleep, .ns = COOP_MS(100));
 *
 * Never wakes early. Sleepers that are due together wake in the order in which they
 * went to sleep. ns of 0 or less is Yield.
 *
 * Returns: 0.
 * Errors:
 * -ENOMEM  memory is exhausted
 */
struct coop_Sleep { coop_call base; coop_timer timer; int64_t ns; };

/** coop_ReadWait - wait until a descriptor can be read or written
 *
 * Use: coop_trap(r, ReadWait, .fd = fd);
 * Use: coop_trap(r, WriteWait, .fd = fd);
 *
 * Waits only; the caller does the I/O, and should expect EAGAIN from it. End of file
 * and errors count as readable. Regular files are always ready. Any number of tasks may
 * wait on one descriptor; all wake.
 *
 * Returns: 0.
 * Errors:
 * -EBADF   fd is not open, or was closed meanwhile
 * -EMFILE  fd is past what the poller can watch: FD_SETSIZE or more for select, or for
 *          auto when no descriptor is left for epoll; reported
 * -ENFILE  as that, when the whole system has none left
 * -ENOMEM  memory is exhausted
 */
struct coop_ReadWait { coop_call base; int fd; };
struct coop_WriteWait { coop_call base; int fd; };

/** coop_Listen - open a socket that others can reach
 *
 * Use: coop_trap(fd, Listen, .address = "tcp://127.0.0.1:2222");
 *
 * The address is one of
 *
 * tcp://HOST:PORT   a stream socket, listening
 * unix://PATH       the same, of the local kind; @NAME is a name without a file (Linux)
 * udp://HOST:PORT   a datagram socket, for RecvFrom and SendTo
 *
 * HOST is numeric, IPv6 in brackets, or empty for all addresses, IPv4 and IPv6 alike.
 * PORT is 0 to 65535, 0 for a free one. bound, when not NULL, receives the address in
 * the same form with its real port, cut to bound_size with its final NUL. backlog 0
 * means the most that the host allows. shared lets other sockets have the same port, if
 * they are shared too: the host divides the connections among them. A port that lingers
 * is reused. coop_listen takes names too, and copes with files that were left behind.
 * In a fiber the function coop_listen is that one, so that Listen itself is a coop_syscall.
 *
 * Returns: the descriptor: non-blocking, close-on-exec, the caller's to close.
 * Errors:
 * -EINVAL        the address is not of that form, or NULL; backlog is negative
 * -ENAMETOOLONG  PATH is longer than the host allows
 * others         as of socket, bind and listen: -EADDRINUSE, -EACCES, -EMFILE, ...
 */
struct coop_Listen {
    coop_call base;
    const char *address;
    char *bound;
    size_t bound_size;
    int backlog;
    bool shared;
};

/** coop_Connect - connect to an address
 *
 * Use: coop_trap(fd, Connect, .address = "tcp://127.0.0.1:2222");
 *
 * The address is as Listen takes it, with a HOST and a PORT other than 0. Waits until
 * the connection is there. udp:// gives a datagram socket with which Send and Recv
 * reach that address alone. coop_dial takes names too.
 *
 * Returns: the descriptor: non-blocking, close-on-exec, the caller's to close.
 * Errors:
 * -EINVAL  the address is not of that form
 * -EAGAIN  unix://: the queue of the listener is full; to be tried again later
 * others   as of WriteWait, socket and connect: -ECONNREFUSED, -ETIMEDOUT, ...
 */
struct coop_Connect { coop_call base; const char *address; int fd; };

/** coop_Accept - take the next connection
 *
 * Use: coop_trap(fd, Accept, .fd = listener, .peer = buf, .peer_size = size);
 *
 * peer, when not NULL, receives the other side's HOST:PORT, cut to peer_size with its
 * final NUL. Of several that wait the first gets the connection.
 *
 * Returns: the connection: non-blocking, close-on-exec, the caller's to close.
 * Errors:
 * as of ReadWait, and of accept: -EMFILE and -ENFILE (try again when a descriptor was
 * closed), -EINVAL (not listening), -ENOTSOCK. A connection that broke while it was
 * queued is not an error; the next is taken.
 */
struct coop_Accept { coop_call base; int fd; char *peer; size_t peer_size; };

/** coop_Recv - receive from a socket
 *
 * Use: coop_trap(n, Recv, .fd = fd, .buf = my->buf, .len = sizeof my->buf);
 *
 * Waits until something has come. buf must stay good until the answer: a member, not a
 * local variable.
 *
 * Returns: the number of bytes, at most len; 0 at the end of the stream or when len is
 * 0.
 * Errors:
 * as of ReadWait, and of recv: -ECONNRESET, -ENOTSOCK, -EFAULT, ...
 */
struct coop_Recv { coop_call base; int fd; void *buf; size_t len; };

/** coop_Send - send all of a buffer to a socket
 *
 * Use: coop_trap(n, Send, .fd = fd, .buf = my->buf, .len = my->n);
 *
 * Waits as often as it takes until the host has taken everything. buf must stay good
 * and unchanged until the answer. Never raises SIGPIPE. Tasks that send on one socket
 * at once each wait for room on their own: their bytes may mix when a send takes
 * several rounds.
 *
 * Returns: len; less only if an error came after that much was sent (the next Send gets
 * an error again, perhaps -EPIPE instead of the first).
 * Errors:
 * -EBADF  also: closed with Close after a part was sent
 * others  as of WriteWait, and of send: -EPIPE, -ECONNRESET, -ENOTSOCK, -EFAULT, ...
 */
struct coop_Send { coop_call base; int fd; const void *buf; size_t len, sent; };

/** coop_Close - close a descriptor
 *
 * Use: coop_trap(coop_void, Close, .fd = fd);
 *
 * Tasks that wait on it get -EBADF. Descriptors that tasks wait on are closed this way;
 * one closed behind the kernel's back costs its waiters -EBADF too, as soon as the
 * poller finds out. What helper threads do for it, such as a Pread, must have been
 * answered before: it would be done to whatever file has the number then.
 *
 * Returns: 0.
 * Errors:
 * -EBADF  fd is not open
 * others  as of close; the descriptor is gone all the same
 */
struct coop_Close { coop_call base; int fd; };

/** coop_Shutdown - end one direction of a connection
 *
 * Use: coop_trap(r, Shutdown, .fd = fd);
 *
 * how is COOP_SEND, the default: the other side gets an end of stream, and can still be
 * read from; COOP_RECV; or COOP_BOTH. Tasks that wait for a direction that is ended are
 * answered as the host answers them then.
 *
 * Returns: 0.
 * Errors:
 * -EINVAL  how is none of these
 * others   as of shutdown: -ENOTCONN, -ENOTSOCK, -EBADF
 */
enum { COOP_SEND, COOP_RECV, COOP_BOTH };
struct coop_Shutdown { coop_call base; int fd, how; };

/** coop_RecvFrom - receive a datagram
 *
 * Use: coop_trap(n, RecvFrom, .fd = fd, .buf = my->buf, .len = sizeof my->buf,
 *               .from = my->from, .from_size = sizeof my->from);
 *
 * Waits for one. What does not fit into len is lost. from, when not NULL, receives the
 * sender's HOST:PORT, as SendTo takes it, cut to from_size with its final NUL; "" for
 * one without an address.
 *
 * Returns: the number of bytes, which may be 0 for an empty datagram.
 * Errors: as of Recv.
 */
struct coop_RecvFrom {
    coop_call base;
    int fd;
    void *buf;
    size_t len;
    char *from;
    size_t from_size;
};

/** coop_SendTo - send a datagram
 *
 * Use: coop_trap(n, SendTo, .fd = fd, .buf = "hi", .len = 2, .to = "127.0.0.1:2222");
 *
 * Waits until the host takes it. to is HOST:PORT, as RecvFrom and Accept give it.
 *
 * Returns: len.
 * Errors:
 * -EINVAL    to is not of that form, or NULL
 * -EMSGSIZE  too long for a datagram
 * others     as of Send
 */
struct coop_SendTo { coop_call base; int fd; const void *buf; size_t len; const char *to; };

/** coop_SockName - the address of a socket
 *
 * Use: coop_trap(r, SockName, .fd = fd, .peer = true, .name = buf, .size = sizeof buf);
 *
 * Writes HOST:PORT, of this side or, with peer, of the other, cut to size with its
 * final NUL. For a local socket it is the path, "" for one without.
 *
 * Returns: 0.
 * Errors:
 * -EINVAL  name is NULL
 * others   as of getsockname and getpeername: -ENOTCONN, -ENOTSOCK, -EBADF
 */
struct coop_SockName { coop_call base; int fd; bool peer; char *name; size_t size; };

/** coop_SendFile - send a part of a file to a socket
 *
 * Use: coop_trap(n, SendFile, .fd = fd, .file = file, .offset = 0, .len = size);
 *
 * Without a way through a buffer where the host can do that. Waits for room as often as
 * it takes. Where the file is not in the host's memory the scheduler waits for the
 * disk.
 *
 * Returns: the number of bytes sent: len, or less when the file ended or an error came
 * after that much was sent.
 * Errors:
 * -EINVAL  file cannot be sent this way; offset is negative
 * others   as of Send
 */
struct coop_SendFile {
    coop_call base;
    int fd, file;
    int64_t offset;
    size_t len, sent;
};

/** coop_Read - read from a descriptor of any kind
 *
 * Use: coop_trap(n, Read, .fd = 0, .buf = my->buf, .len = sizeof my->buf);
 *
 * From a pipe, terminal or socket: waits until something has come. From a file: reads
 * at the file's position, on a helper thread unless it is in the host's memory. A
 * terminal or pipe that blocks stays as it is, since others may share it: it is read
 * only when something is there.
 *
 * Returns: the number of bytes, at most len; 0 at the end.
 * Errors:
 * as of ReadWait, and of read: -EBADF, -EISDIR, -EIO, -EFAULT, ...
 */
struct coop_Read { coop_call base; coop_job job; int fd; void *buf; size_t len; };

/** coop_Write - write all of a buffer to a descriptor of any kind
 *
 * Use: coop_trap(n, Write, .fd = 1, .buf = "hello\n", .len = 6);
 *
 * As Read in where it waits, and as Send in what it gives: waits as often as it takes
 * until the host has taken everything. Never raises SIGPIPE.
 *
 * Returns: len; less only if an error came after that much was written.
 * Errors:
 * as of WriteWait, and of write: -EBADF, -EPIPE, -ENOSPC, -EFBIG, -EFAULT, ...
 */
struct coop_Write {
    coop_call base;
    coop_job job;
    int fd;
    const void *buf;
    size_t len, written;
};

/** coop_Open - open a file
 *
 * Use: coop_trap(fd, Open, .path = "data", .flags = O_RDWR | O_CREAT, .mode = 0644);
 *
 * flags and mode are those of open, <fcntl.h>; 0 is O_RDONLY. Files are opened, read,
 * written and asked about on helper threads, as Work describes it, while other tasks
 * run; buffers and paths must stay good until the answer.
 *
 * Returns: the descriptor: close-on-exec, the caller's to close.
 * Errors:
 * -EFAULT  path is NULL
 * others   as of open: -ENOENT, -EACCES, -EEXIST, -EMFILE, ...; as of Work
 */
struct coop_Open { coop_call base; coop_job job; const char *path; int flags, mode; };

/** coop_Pread - read or write at a place in a file
 *
 * Use: coop_trap(n, Pread, .fd = fd, .buf = my->buf, .len = sizeof my->buf, .at = 0);
 * Use: coop_trap(n, Pwrite, .fd = fd, .buf = my->buf, .len = my->n, .at = 0);
 *
 * at is in bytes from the beginning. The file's position stays.
 *
 * Returns: the number of bytes. Pread: at most len, less only at the end of the file;
 * both: less if an error came after that much.
 * Errors:
 * -EINVAL  at is negative
 * -ESPIPE  fd is no file
 * others   as of pread and pwrite: -EBADF, -ENOSPC, -EFBIG, -EIO, ...; as of Work
 */
struct coop_Pread { coop_call base; coop_job job; int fd; void *buf; size_t len; int64_t at; };
struct coop_Pwrite {
    coop_call base;
    coop_job job;
    int fd;
    const void *buf;
    size_t len;
    int64_t at;
};

/** coop_Fsync - wait until a file is on the disk
 *
 * Use: coop_trap(r, Fsync, .fd = fd);
 *
 * With data, its contents and what is needed to find them, as fdatasync does.
 *
 * Returns: 0.
 * Errors:
 * as of fsync: -EIO, -ENOSPC, -EINVAL (no file), ...; as of Work
 */
struct coop_Fsync { coop_call base; coop_job job; int fd; bool data; };

/** coop_Stat - what is known of a file
 *
 * Use: coop_trap(r, Stat, .path = "data", .stat = &my->stat);
 *
 * Of the file at path, through symbolic links, or without a path of the open file fd.
 *
 * kind       COOP_REGULAR, COOP_FOLDER, COOP_PIPE, COOP_SOCKET, COOP_DEVICE
 * mode       the permission bits
 * size       in bytes
 * modified   when its contents last changed, in ns since 1970
 * device, number   together tell whether two names are one file
 *
 * Returns: 0.
 * Errors:
 * -EFAULT  stat is NULL
 * others   as of stat: -ENOENT, -EACCES, -ENOTDIR, -EBADF, ...; as of Work
 */
typedef enum coop_file_kind {
    COOP_REGULAR, COOP_FOLDER, COOP_PIPE, COOP_SOCKET, COOP_DEVICE
} coop_file_kind;
typedef struct coop_stat {
    coop_file_kind kind;
    int mode;
    int64_t size, modified;
    uint64_t device, number;
} coop_stat;
struct coop_Stat { coop_call base; coop_job job; const char *path; int fd; coop_stat *stat; };

/** coop_Unlink - remove a file's name
 *
 * Use: coop_trap(r, Unlink, .path = "data");
 *
 * Returns: 0.
 * Errors:
 * -EFAULT  path is NULL
 * others   as of unlink: -ENOENT, -EACCES, -EISDIR, ...; as of Work
 */
struct coop_Unlink { coop_call base; coop_job job; const char *path; };

/** coop_Work - run a function that blocks or computes for long
 *
 * Use: coop_trap(v, Work, .run = fn, .arg = &my->args);
 *
 * run(arg) runs on a helper thread; the other tasks go on meanwhile. It must not call
 * coop but for functions that any thread may call. A scheduler has at most
 * coop_options.threads helpers, and what comes while they are all busy waits for its
 * turn, in order. Signals are blocked in helpers, and in programs that run starts
 * there.
 *
 * A function that runs cannot be stopped: a task that is killed then ends when it is
 * through, and so does coop_sched_close. One that has not begun is not run.
 *
 * Returns: what run returned.
 * Errors:
 * -EFAULT  run is NULL
 * -EAGAIN  the host gives no thread, and there is none
 * -EMFILE  no descriptor is left to wake the scheduler with; -ENFILE: not in the system
 * -ENOMEM  memory is exhausted
 */
struct coop_Work {
    coop_call base;
    coop_job job;
    coop_value (*run)(void *arg);
    void *arg;
};

/** coop_Resolve - the addresses of a name
 *
 * Use: coop_trap(n, Resolve, .name = "localhost", .addresses = my->found, .max = 8);
 *
 * Asks the host's resolver on a helper thread. Stores up to max addresses, in the order
 * in which they should be tried: "127.0.0.1", "[::1]", so that ":PORT" can follow. A
 * numeric name gives itself.
 *
 * Returns: the number of addresses stored, at least 1.
 * Errors:
 * -ENOENT        there is no such name, or it has no address
 * -EAGAIN        the name servers do not answer, now
 * -EINVAL        name or addresses is NULL or max is not positive
 * -EHOSTUNREACH  the resolver failed otherwise
 * others         as of Work
 */
typedef struct coop_address { char text[56]; } coop_address;
struct coop_Resolve {
    coop_call base;
    coop_job job;
    const char *name;
    coop_address *addresses;
    int max;
};

/** coop_Now - the time
 *
 * Use: coop_trap(ns, Now);
 *
 * In ns, on the machine's clock, which begins anywhere and never goes back; with wall,
 * since the beginning of 1970. at, when not NULL, receives it too.
 *
 * Returns: the time; where a coop_value has 32 bits 0, and only at tells.
 */
struct coop_Now { coop_call base; bool wall; int64_t *at; };

/** coop_Random - random bytes
 *
 * Use: coop_trap(n, Random, .buf = &my->key, .len = sizeof my->key);
 *
 * From the host's generator, good for keys; on a simulated machine from its seed.
 *
 * Returns: len.
 * Errors:
 * -EFAULT  buf is NULL and len is not 0
 * -EIO     the host gives none
 */
struct coop_Random { coop_call base; void *buf; size_t len; };

/** coop_SignalWait - wait for a signal of the host
 *
 * Use: coop_trap(signo, SignalWait, .signals = COOP_SIGNAL(SIGINT) | COOP_SIGNAL(SIGTERM));
 *
 * From the first wait for a signal on, until the scheduler closes, it no longer does
 * what the program had it do before: it wakes all tasks that wait for it. One that
 * comes while none waits is remembered, once, for the next that does. Signals that come
 * faster than they are taken may be told as one, as with any process.
 *
 * Signals that the program blocks are not told until it unblocks them.
 *
 * Returns: the number of the signal; the lowest, if several have come.
 * Errors:
 * -EINVAL  no signal, or one that cannot be caught, or must not be waited for: SIGSEGV,
 *          SIGBUS, SIGFPE, SIGILL
 * -EMFILE  no descriptor is left to wake the scheduler with; -ENFILE: not in the system
 * -ENOMEM  memory is exhausted
 */
#define COOP_SIGNAL(number) (UINT64_C(1) << ((number) - 1))
struct coop_SignalWait { coop_call base; uint64_t signals; };

/** coop_Spawn - start a program as a child process
 *
 * Use: coop_trap(pid, Spawn, .argv = argv, .out = COOP_PIPED, .pipes = my->pipes);
 *
 * argv is a list of strings with a final NULL: static, or a member, as all that a call
 * points at. argv[0] is looked for in PATH unless it has a slash. env is the
 * environment as "NAME=value" strings with a final NULL; NULL: this program's. dir is
 * where it starts; NULL: here. in, out and err say what its descriptors 0, 1 and 2 are:
 *
 * 0           this program's own
 * COOP_PIPED  a pipe; this side's end goes to pipes[0], [1] or [2] and is the caller's
 *             to read, write and close. The others of pipes become -1.
 * COOP_NOWHERE   /dev/null
 * COOP_AS_OUT    err only: the same as out
 * others      that descriptor
 *
 * It gets no other descriptor but those that are not close-on-exec, and the signals as
 * a new program expects them: none blocked or caught. Wait for it with ChildWait, else
 * it stays as a zombie until this program ends. Uses SIGCHLD as ChildWait does.
 *
 * Returns: the pid.
 * Errors:
 * -EFAULT  argv or argv[0] is NULL; pipes is NULL and a pipe is asked for
 * -EBADF   in, out or err is not open and none of these words
 * -ENOSYS  dir is given, and the host cannot do that
 * others   as of exec, fork and pipe: -ENOENT, -EACCES, -EAGAIN, -EMFILE, ...; all of
 *          pipes are -1 then
 */
enum { COOP_PIPED = -1, COOP_NOWHERE = -2, COOP_AS_OUT = -3 };
struct coop_Spawn {
    coop_call base;
    const char *const *argv, *const *env;
    const char *dir;
    int in, out, err;
    int *pipes;
};

/** coop_ChildWait - wait for the end of a child process
 *
 * Use: coop_trap(status, ChildWait, .pid = pid, .signal = &my->signal);
 *
 * signal, when not NULL, receives the signal that ended it, 0 if it ended by itself.
 * Uses SIGCHLD as SignalWait does.
 *
 * Returns: its exit status, 0 to 255; 128 and the signal's number if a signal ended it.
 * Errors:
 * -ECHILD  no such child, or another task has waited for it
 * -EINVAL  pid is not positive
 * others   as of SignalWait
 */
struct coop_ChildWait { coop_call base; int pid; int *signal; };

/** coop_ChildKill - send a signal to a child process
 *
 * Use: coop_trap(r, ChildKill, .pid = pid, .signal = SIGTERM);
 *
 * Returns: 0.
 * Errors:
 * -EINVAL  no such signal, or pid is not positive
 * -ESRCH   no such child, or it has been waited for
 * -EPERM   not allowed
 */
struct coop_ChildKill { coop_call base; int pid, signal; };

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

/* ---- Library ----------------------------------------------------------------------- */

/* Routines and functions made of the system calls above alone. Routines are used with
   coop_await, in any task; arguments that are left out are zero. What they have begun
   they undo when the task is killed. */

/** coop_listen - open a socket that others can reach, with a name and a fresh file
 *
 * Use: coop_await(fd, coop_listen, .address = "tcp://localhost:2222");
 *
 * As Listen, which tells of the arguments, but HOST may be a name: the first of its
 * addresses that can be had is taken. And when PATH of unix://PATH is there already, a
 * socket that nobody listens at any more, it is removed and made anew.
 *
 * Returns: the descriptor, the caller's to close.
 * Errors:
 * -EADDRINUSE  also: PATH is there and somebody listens, or it is no socket
 * others       as of Listen and Resolve
 */
coop_declare(coop_listen,
    const char *address;
    char *bound;
    size_t bound_size;
    int backlog;
    bool shared;
    /* The routine's own. */
    struct coop_names_ *names_;
    coop_value r_;
    int fd_, i_;
    bool given_;
);

/** coop_dial - connect to a name
 *
 * Use: coop_await(fd, coop_dial, .address = "tcp://localhost:2222");
 * Use: coop_await(fd, coop_dial, .address = "tcp://localhost:2222",
 *                .timeout = COOP_S(5));
 *
 * As Connect, but HOST may be a name. Its addresses are tried one after the other, IPv6
 * and IPv4 in turns: the next when one has failed, or has not answered for 250 ms. The
 * first that is connected is taken, and the other attempts are given up. At unix://PATH
 * it waits for room in the listener's queue.
 *
 * timeout, when not 0, is the most that all of it may take, in ns. The tasks that make
 * the attempts are not the caller's children: a wait for COOP_CHILD does not see them.
 *
 * Returns: the descriptor, the caller's to close.
 * Errors:
 * -ETIMEDOUT  no address has answered in time
 * -EINVAL     the address is not of a form that Connect takes
 * others      when all attempts have failed, why the first did, or the first that
 *             reached a host at all; as of Resolve and Connect
 *
 * See: RFC 8305, "Happy Eyeballs".
 */
coop_declare(coop_dial,
    const char *address;
    int64_t timeout;
    /* The routine's own. */
    struct coop_names_ *names_;
    coop_tid race_;
    coop_value r_;
    int fd_;
    bool given_;
);

/** coop_stream_open - a stream with buffers over a descriptor
 *
 * Works on sockets that are connected, pipes, terminals and files. The stream has the
 * descriptor from then on. limit is the most bytes that it holds for each way, and so
 * the longest line or frame; 0: 64 KiB. Buffers are there only while something is in
 * them.
 *
 * Before a task waits for input it sends what it has written to the same stream. One
 * task may read while others write; only one may read, and what is written in one call
 * stays together. When a task is killed while it sends, the rest is not sent, and to
 * write gives an error from then on.
 *
 * coop_stream_free releases a stream without sending and without closing: the
 * descriptor is the caller's again. No other task may be using it. NULL is let pass.
 *
 * coop_stream_fd tells the descriptor. coop_stream_waiting tells how many bytes have
 * been received and not been read, coop_stream_unsent how many have been written and
 * not been sent.
 *
 * Returns: coop_stream_open: the stream; NULL when memory is exhausted, and every
 * function and routine that gets it then gives -ENOMEM, so it need not be checked in
 * between. coop_stream_free and coop_stream_fd: the descriptor.
 */
typedef struct coop_stream coop_stream;
coop_stream *coop_stream_open(int fd, size_t limit);
int coop_stream_free(coop_stream *stream);
int coop_stream_fd(const coop_stream *stream);
coop_value coop_stream_waiting(const coop_stream *stream);
coop_value coop_stream_unsent(const coop_stream *stream);

/** coop_read_some - read what has come
 *
 * Use: coop_await(n, coop_read_some, .stream = s, .buf = my->buf,
 *                .len = sizeof my->buf);
 *
 * Waits until there is something.
 *
 * Returns: the number of bytes, at most len; 0 at the end of the stream or when len is
 * 0.
 * Errors:
 * -EBUSY  another task reads from the stream
 * others  as of Recv and Read
 */
coop_declare(coop_read_some,
    coop_stream *stream;
    void *buf;
    size_t len;
    /* The routine's own. */
    coop_value r_;
    bool mine_;
);

/** coop_read_exact - read a number of bytes
 *
 * Use: coop_await(n, coop_read_exact, .stream = s, .buf = my->buf, .len = 16);
 *
 * Returns: len; less only if the stream ended before.
 * Errors: as of coop_read_some; what had come before is lost.
 */
coop_declare(coop_read_exact,
    coop_stream *stream;
    void *buf;
    size_t len;
    /* The routine's own. */
    size_t done_;
    coop_value r_;
    bool mine_;
);

/** coop_read_line - read a line
 *
 * Use: coop_await(n, coop_read_line, .stream = s, .line = &my->line);
 *
 * *line points at the line then, without its LF or CR LF and closed by a NUL. It is
 * good until the stream is next read or released, and may be written to. length, when
 * not NULL, receives its length, for lines that may have NULs within. limit is the
 * longest line that is wanted; 0, or more than the stream's: the stream's. The last
 * line of a stream need not have an end.
 *
 * Returns: the number of bytes taken, with those of the line's end; so 0 is the end of
 * the stream alone.
 * Errors:
 * -EMSGSIZE  the line is longer than limit. The next call passes over the rest of it.
 * others     as of coop_read_some
 */
coop_declare(coop_read_line,
    coop_stream *stream;
    char **line;
    size_t *length, limit;
    /* The routine's own. */
    size_t seen_;
    coop_value r_;
    bool mine_;
);

/** coop_read_frame - read a message that begins with its length
 *
 * Use: coop_await(n, coop_read_frame, .stream = s, .frame = &my->frame,
 *                .length = &my->length);
 *
 * A frame is four bytes, the length of what follows in network order, and that. *frame
 * points at what follows, and a NUL behind it; it is good until the stream is next read
 * or released, and may be written to. length, when not NULL, receives its length. limit
 * is the longest that is wanted; 0, or more than the stream's: the stream's.
 *
 * Returns: the number of bytes taken, 4 and the length; 0 at the end of the stream.
 * Errors:
 * -EMSGSIZE  it is longer than limit. Nothing was taken: the next call says the same.
 * -EPROTO    the stream ended inside a frame
 * others     as of coop_read_some
 */
coop_declare(coop_read_frame,
    coop_stream *stream;
    char **frame;
    size_t *length, limit;
    /* The routine's own. */
    size_t need_;
    coop_value r_;
    bool mine_;
);

/** coop_write_all - write
 *
 * Use: coop_await(n, coop_write_all, .stream = s, .buf = "hi\n", .len = 3);
 *
 * Puts buf into the stream's buffer when it fits, and waits for nothing then. Otherwise
 * it sends what is there, and waits until the other side has made room. What the buffer
 * holds is sent by coop_drain, by coop_stream_close, and before this task waits for
 * input.
 *
 * Returns: len.
 * Errors: as of Send and Write, also for what was written before; the stream cannot be
 * written to any more, and each later write and coop_drain gives the same error.
 */
coop_declare(coop_write_all,
    coop_stream *stream;
    const void *buf;
    size_t len;
    /* The routine's own. */
    coop_value r_;
    bool used_, mine_;
);

/** coop_write_frame - write a message with its length before it
 *
 * Use: coop_await(n, coop_write_frame, .stream = s, .buf = my->data, .len = my->size);
 *
 * As coop_write_all, and in the form that coop_read_frame reads.
 *
 * Returns: 4 and len.
 * Errors:
 * -EMSGSIZE  len is more than the stream's limit; nothing was written
 * others     as of coop_write_all
 */
coop_declare(coop_write_frame,
    coop_stream *stream;
    const void *buf;
    size_t len;
    /* The routine's own. */
    coop_value r_;
    bool used_;
);

/** coop_stream_print - write, as printf does
 *
 * Into the buffer of the stream, without waiting; all or nothing.
 *
 * Returns: the number of bytes.
 * Errors:
 * -ENOBUFS  there is no room for it within the limit; coop_drain makes some
 * -EINVAL   the format is wrong
 * -ENOMEM   memory is exhausted, or stream is NULL
 * others    as of coop_write_all
 */
int coop_stream_print(coop_stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** coop_drain - send all that was written
 *
 * Use: coop_await(r, coop_drain, .stream = s);
 *
 * Waits until the host has taken it. Another task may write meanwhile: that is sent
 * too.
 *
 * Returns: 0.
 * Errors: as of coop_write_all.
 */
coop_declare(coop_drain,
    coop_stream *stream;
    /* The routine's own. */
    char *data_;
    uint32_t at_;
    bool used_, mine_;
    coop_value r_;
);

/** coop_stream_close - send what was written, close, and release
 *
 * Use: coop_await(r, coop_stream_close, .stream = s, .fd = fd);
 *
 * Meant for a coop_finally part, and for any other place. linger is how long it waits
 * for the other side to take what was written, in ns; 0: 10 seconds. A task that is
 * being killed sends nothing more. The descriptor is closed and the stream gone in
 * every case; another task that is reading or writing gets -EBADF. When stream is NULL,
 * because there was no memory for it, fd is closed; 0 or less is none.
 *
 * Returns: 0.
 * Errors:
 * -ENOMEM     stream is NULL
 * -ETIMEDOUT  not everything could be sent in time
 * others      as of coop_drain and Close
 */
coop_declare(coop_stream_close,
    coop_stream *stream;
    int fd;
    int64_t linger;
    /* The routine's own. */
    coop_tid guard_;
    coop_value r_, closed_;
);

/** coop_copy - copy from a descriptor to another
 *
 * Use: coop_await(n, coop_copy, .from = fd, .to = other);
 *
 * Of any kinds. len is how much at most; 0: until the end. A file is read from offset
 * on, and its position stays. From a file to a socket nothing passes through this
 * program where the host can do that.
 *
 * Returns: the number of bytes; less than len only if the source ended.
 * Errors:
 * -EINVAL  offset is negative
 * others   as of Recv, Read, Pread, Send, Write and SendFile; some may have been copied
 */
coop_declare(coop_copy,
    int from, to;
    int64_t offset;
    uint64_t len;
    /* The routine's own. */
    uint64_t done_;
    char *buf_;
    coop_value r_, n_;
    int way_;
    bool plain_;
);

/** coop_serve - accept connections, and have each served by a task
 *
 * Use: coop_await(r, coop_serve, .fd = listener, .client = start, .grace = COOP_S(5));
 *
 * Takes over the listening socket fd. client is called for each connection and gives
 * the coroutine that is to serve it, coop_create(ROUTINE, .fd = fd, ...), or NULL if it
 * cannot be had, and the connection is closed then. That task owns the connection and
 * closes it in its coop_finally part, since it may be killed. peer is the other side's
 * HOST:PORT and good during the call alone. client must not trap.
 *
 * arg    handed to client and to ended
 * ended  when not NULL, is called when a client has ended, unless another task that
 *        waited for the client was told instead. Who wants to know of failures looks
 *        there: they are not reported, and do not end the server.
 * max    connections at once; 0: no limit. At the limit it accepts none until one ends.
 * grace  how long it waits for the clients when it stops, in ns; -1: without a limit
 *
 * It goes on until fd is closed with Close by another task. Then it waits for the
 * clients as long as grace says, kills those that are left, and waits for their ends.
 * When no descriptor or no memory is left it tries again when a client has ended, or
 * after 100 ms. When the calling task is killed, it closes fd and kills the clients.
 *
 * The clients are not the caller's children: a wait for COOP_CHILD does not see them.
 *
 * Returns: 0 after fd was closed.
 * Errors:
 * -EBADF   fd was not open
 * -EFAULT  client is NULL
 * others   as of NewTask and Accept; clients are ended as above, and fd is closed
 */
coop_declare(coop_serve,
    int fd;
    coop_coroutine *(*client)(int fd, const char *peer, void *arg);
    void (*ended)(const coop_status *status, void *arg);
    void *arg;
    size_t max;
    int64_t grace;
    /* The routine's own. */
    coop_tid inner_;
    coop_value r_;
    char name_[8];
);

/** coop_gather - run several coroutines at once and wait for all
 *
 * Use: coop_await(r, coop_gather, .targets = my->targets, .count = n,
 *                .results = my->results, .limit = 10);
 *
 * In a Group of its own, which tells what mode is and what an error means. targets is an
 * array of fresh coroutines that stays good until the end. They are taken out of it, and
 * NULL is left; what is still there in the end, since there was no memory to begin at all,
 * is for coop_co_free. results, when not NULL, receives what each has returned, in the order of
 * the targets, and -ECANCELED for those that have not begun. limit is how many run at once;
 * 0: all. name is the group's.
 *
 * Returns: the group's result: 0, or the first error; COOP_ANY: what the first one that
 * did not fail has returned.
 * Errors:
 * -ENOMEM  memory is exhausted, or targets or one of them is NULL; the others are cancelled
 * others   those of the coroutines, and of GroupSpawn for one that is not fresh
 */
coop_declare(coop_gather,
    coop_coroutine **targets;
    size_t count;
    coop_value *results;
    int mode;
    size_t limit;
    const char *name;
    /* The routine's own. */
    coop_coroutine *few_[8];
    coop_group *group_;
    size_t next_;
    coop_value r_;
);

/** coop_all - run some routines at once and wait for all
 *
 * Use: coop_all(r, my->results, (cube, .n = 3), (cube, .n = 4), (cube, .n = 5));
 * Use: coop_race(v, (fetch, .from = "here"), (fetch, .from = "there"));
 *
 * coop_gather of up to eight routines, each with its members as coop_await takes them, in
 * parentheses. The second argument of coop_all is an array of coop_value for what they
 * return, in this order, or NULL. When one fails the others are cancelled, and its error is
 * the result. coop_race cancels the others when one has not failed, and gives what that
 * one has returned.
 *
 * See: asyncio's gather; Promise.all and Promise.any.
 */
#define coop_all(DEST, RESULTS, ...)                                                \
    coop_await(DEST, coop_gather, .count = COOP_COUNT_(__VA_ARGS__), .results = (RESULTS), \
               .few_ = { COOP_EACH_(COOP_CREATE_PART_, .coop_.caller = NULL, __VA_ARGS__) })
#define coop_race(DEST, ...)                                                        \
    coop_await(DEST, coop_gather, .count = COOP_COUNT_(__VA_ARGS__), .mode = COOP_ANY, \
               .few_ = { COOP_EACH_(COOP_CREATE_PART_, .coop_.caller = NULL, __VA_ARGS__) })

/** coop_local - a value that belongs to a task
 *
 * Use: static const coop_key request = { .name = "request", .inherit = true };
 * Use: coop_set_local(&request, (coop_value)my->request);
 * Use: struct request *r = (struct request *)coop_local(&request);
 *
 * Each task has one value for each key. A key is known by its address and must be there as
 * long as tasks have values for it.
 *
 * name     for people
 * inherit  true: a new task begins with its parent's value
 * free     when not NULL, is called with the value when it is replaced or its task ends;
 *          not for an inherited one, which must not be used after the parent's is freed.
 *          As in a group, where children end before their parent.
 *
 * Returns: coop_local: the value; 0 when there is none, and outside of all tasks.
 * coop_set_local: 0.
 * Errors:
 * -EINVAL  key is NULL
 * -ESRCH   outside of all tasks
 * -ENOMEM  memory is exhausted; the old value stays
 */
typedef struct coop_key {
    const char *name;
    bool inherit;
    void (*free)(coop_value value);
} coop_key;
coop_value coop_local(const coop_key *key);
int coop_set_local(const coop_key *key, coop_value value);

/* ---- Plain functions for fibers ---------------------------------------------------- */

/* Each system call, and each routine of the library, as a function that is called in a fiber.
   Its contract, and so its man page, is that of the call or routine: coop_recv_from makes
   RecvFrom, coop_drain is coop_drain. A call is named behind the functions that could not
   have its name. Arguments that few want are not there; coop_syscall and coop_call take them
   all. What arguments point at may be on the fiber's stack.

   Errors besides: -EPERM, not called in a fiber, which is reported; -ENOMEM, no room for the
   call, which was not made. */

coop_tid coop_get_tid(void);
int (coop_yield)(void);            /* Yield */
coop_tid coop_new_task(coop_coroutine *target, const char *name);
int coop_kill_task(coop_tid tid, bool wait);
int coop_cancel(coop_tid tid, bool wait);
coop_value coop_wait_task(coop_tid tid, coop_status *status);
coop_value coop_exit(coop_value value);
int coop_sleep(int64_t ns);
int64_t coop_now(void);
int coop_deadline(int64_t ns);
int coop_shield(bool on);
coop_value coop_wait_any(coop_call *const *parts, int count, coop_value *value);

coop_group *coop_group_open(const char *name, int mode);   /* Group */
coop_tid coop_group_spawn(coop_group *group, coop_coroutine *target, coop_value *result);
coop_value coop_group_wait(coop_group *group);
coop_value coop_group_next(coop_group *group, coop_status *status);
int coop_group_cancel(coop_group *group, const char *why);

int coop_chan_send(coop_chan *chan, coop_value value);
int coop_chan_send_item(coop_chan *chan, const void *item);    /* ChanSend */
coop_value coop_chan_recv(coop_chan *chan, void *item);
int coop_chan_close(coop_chan *chan);
int coop_chan_done(coop_chan *chan);
int coop_chan_join(coop_chan *chan);
int coop_door_wait(coop_door *door);

int coop_lock_take(coop_lock *lock, bool shared);          /* Lock */
int coop_unlock(coop_lock *lock);
int coop_cond_wait(coop_condition *condition, coop_lock *lock);
int coop_cond_signal(coop_condition *condition, bool all);
int coop_sem_wait(coop_semaphore *semaphore, size_t n);
int coop_sem_post(coop_semaphore *semaphore, size_t n);
int coop_event_wait(coop_event_flag *event);
int coop_event_set(coop_event_flag *event);
int coop_event_clear(coop_event_flag *event);
int coop_future_set(coop_future *future, coop_value value);
coop_value coop_future_wait(coop_future *future);
int coop_barrier_wait(coop_barrier *barrier, int count);
int coop_once_begin(coop_once *once);                      /* Once */
int coop_once_done(coop_once *once, bool failed);

int coop_read_wait(int fd);
int coop_write_wait(int fd);
int coop_connect(const char *address);
int coop_accept(int fd);
coop_value coop_recv(int fd, void *buf, size_t len);
coop_value coop_send(int fd, const void *buf, size_t len);
coop_value coop_recv_from(int fd, void *buf, size_t len, char *from, size_t from_size);
coop_value coop_send_to(int fd, const void *buf, size_t len, const char *to);
coop_value coop_send_file(int fd, int file, int64_t offset, size_t len);
int coop_sock_name(int fd, bool peer, char *name, size_t size);
int coop_shutdown(int fd, int how);
int coop_close(int fd);

coop_value coop_read(int fd, void *buf, size_t len);
coop_value coop_write(int fd, const void *buf, size_t len);
int coop_open(const char *path, int flags, int mode);
coop_value coop_pread(int fd, void *buf, size_t len, int64_t at);
coop_value coop_pwrite(int fd, const void *buf, size_t len, int64_t at);
int coop_fsync(int fd);
int coop_get_stat(const char *path, coop_stat *stat);      /* Stat */
int coop_unlink(const char *path);
coop_value coop_work(coop_value (*run)(void *arg), void *arg);
int coop_resolve(const char *name, coop_address *addresses, int max);
coop_value coop_random(void *buf, size_t len);

int coop_signal_wait(uint64_t signals);
int coop_child_spawn(const char *const *argv, int in, int out, int err, int *pipes); /* Spawn */
int coop_child_wait(int pid, int *signal);
int coop_child_kill(int pid, int signal);

int coop_listen(const char *address);
int coop_dial(const char *address, int64_t timeout);
coop_value coop_read_some(coop_stream *stream, void *buf, size_t len);
coop_value coop_read_exact(coop_stream *stream, void *buf, size_t len);
coop_value coop_read_line(coop_stream *stream, char **line, size_t *length);
coop_value coop_read_frame(coop_stream *stream, char **frame, size_t *length);
coop_value coop_write_all(coop_stream *stream, const void *buf, size_t len);
coop_value coop_write_frame(coop_stream *stream, const void *buf, size_t len);
int coop_drain(coop_stream *stream);
int coop_stream_close(coop_stream *stream);
coop_value coop_copy(int from, int to, uint64_t len);
int coop_serve(int fd, coop_coroutine *(*client)(int fd, const char *peer, void *arg),
               void *arg);
coop_value coop_gather(coop_coroutine **targets, size_t count, coop_value *results);

/* ---- Looking at tasks -------------------------------------------------------------- */

/** coop_self - the running task
 *
 * Returns: its tid; 0 outside of all tasks.
 */
coop_tid coop_self(void);

/** coop_name - give a task a name
 *
 * name is copied, with ? for control characters; NULL or "" gives back the routine's
 * name.
 *
 * Returns: 0.
 * Errors:
 * -ESRCH   no such task
 * -ENOMEM  memory is exhausted; the old name stays
 */
int coop_name(coop_tid tid, const char *name);

/** coop_info - what is known of a task
 *
 * Pointers are good until the task runs again or ends.
 *
 * tid, parent  parent is 0 for tasks that the program itself started, and from the end of
 *              its parent on
 * name         of the task
 * state        COOP_READY, COOP_RUNNING, COOP_WAITING, COOP_ENDED (its status is kept)
 * system       true: a system task
 * ending       true: its frames are being ended
 * cancelled    true: calls of it that can wait fail
 * born         "file.c:12", where it was created
 * call         what it waits for, NULL if it does not; print it with coop_call_text
 * waited       ns since it began to wait, as of the last poll
 * slices       times it got the processor
 * bytes        memory of the task and its call stack
 * stack        bytes of the stacks of its fibers, of which those that were touched take memory;
 *              0: it has none
 * rank         what coop_rank gave it; 0 without
 * raised       what it runs at, for a policy that looks at ranks: its rank, or more while
 *              a task of higher rank waits for it; as of the last slice
 */
typedef enum coop_state { COOP_READY, COOP_RUNNING, COOP_WAITING, COOP_ENDED } coop_state;
typedef struct coop_info {
    coop_tid tid, parent;
    const char *name, *born;
    coop_state state;
    bool system, ending, cancelled;
    const coop_call *call;
    int64_t waited;
    uint64_t slices;
    size_t bytes, stack;
    int rank, raised;
} coop_info;

/** coop_inspect - look at one task
 *
 * Returns: 0 and *info filled.
 * Errors:
 * -ESRCH   no such task
 * -EINVAL  info is NULL
 */
int coop_inspect(coop_tid tid, coop_info *info);

/** coop_stack_used - how much of its fibers' stacks a task has used
 *
 * At the deepest, in bytes; it asks the host, and looks at each stack. A stack that others
 * had before may show what those used, unless coop_options.measure was set.
 *
 * Returns: how many bytes, 0 for a task without fibers. -ESRCH: no such task.
 */
coop_value coop_stack_used(coop_tid tid);

/** coop_tasks - list all tasks
 *
 * Stores up to max tids in ascending order, system tasks and kept statuses included.
 * coop_ready_tasks lists those in the ready queue in the order in which they will run, as
 * far as the policy knows it.
 *
 * Returns: how many there are, which may be more than max; tids may be NULL when max is
 * 0. -ENOMEM when memory is exhausted.
 */
coop_value coop_tasks(coop_tid *tids, size_t max);
coop_value coop_ready_tasks(coop_tid *tids, size_t max);

/** coop_backtrace - the call stack of a task
 *
 * Stores up to max frames, the innermost first. line is where the frame stopped; 0
 * where it has not begun or is about to run its coop_finally part. A fiber has a frame for
 * each function on its stack, 128 at most, which code is an address in; those of this
 * library are left out. code is NULL for routines, and where functions are not known.
 *
 * coop_place_text appends a place as coop_ps does: "file.c:12" or "function+0x1a".
 *
 * Returns: the depth, which may be more than max. -ESRCH: no such task.
 */
typedef struct coop_place {
    const char *routine, *file;
    int line;
    const void *code;
} coop_place;
coop_value coop_backtrace(coop_tid tid, coop_place *places, size_t max);
void coop_place_text(const coop_place *place, coop_text *text);

/** coop_text - a text being put together
 *
 * Begin with { .data = buffer, .size = sizeof buffer }. The text is always closed by a
 * NUL. When full, flush is called, if not NULL: it takes data[0] to data[used-1] away
 * and sets used to 0. Without flush the rest is cut off and cut is set.
 */
struct coop_text {
    char *data;
    size_t size, used;
    bool cut;
    void (*flush)(coop_text *);
    void *arg;
};

/** coop_print - append to a text, as printf does
 *
 * coop_print_bytes appends len bytes quoted, as strace shows buffers: at most 32 of
 * them, then "..."; memory that cannot be read shows as its address. coop_print_span
 * appends ns as a person reads it: 1.5s, 20ms.
 * Thread: any.
 */
void coop_print(coop_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void coop_print_bytes(coop_text *text, const void *bytes, size_t len);
void coop_print_span(coop_text *text, int64_t ns);

/** coop_ps - the table of tasks, for people
 *
 * One task a line: tid, parent, state, slices, for how long it has waited, its name,
 * the system call with its arguments, and place; each further frame of the call stack
 * on a line of its own. coop_ps_stacks shows how much of its fibers' stacks each has used
 * besides, see coop_stack_used. coop_bt shows one task.
 *
 * Returns: 0.
 * Errors:
 * -ESRCH   coop_bt: no such task
 * -ENOMEM  memory is exhausted
 */
int coop_ps(coop_text *text);
int coop_ps_stacks(coop_text *text);
int coop_bt(coop_tid tid, coop_text *text);

/** coop_deadlocks - which tasks wait for ever
 *
 * Also while others go on: a task is told that can be woken only by others that are told.
 * Waits for tasks and locks are followed from one to the next. A channel counts when no task
 * that may go on can reach it any more: that is found out by looking for its address in all
 * of the program's memory, so this takes a while, for searching for a bug. It can miss a
 * task; those that it tells wait for ever, unless the program has hidden addresses, as by
 * combining them with other numbers, or kills them.
 *
 * Appends the cycles, one a line, and then the tasks with their calls, at most 20. text may
 * be NULL.
 *
 * Returns: the number of tasks; 0: none is known.
 * Errors:
 * -ENOMEM  memory is exhausted
 */
coop_value coop_deadlocks(coop_text *text);

/** coop_call_text - a system call with its arguments, for people
 *
 * Appends as Recv(5, 4096); with a result, as traces show it: Recv(5, "hi", 4096) = 2.
 * result may be NULL. coop_result_text appends a result alone: 2, or -9 EBADF.
 */
void coop_call_text(const coop_call *call, const coop_value *result, coop_text *text);
void coop_result_text(coop_value result, coop_text *text);

/* ---- Observers --------------------------------------------------------------------- */

/** coop_event - one thing that happened
 *
 * COOP_SPAWN   a task was made; other is its parent, file its "file.c:12" of birth
 * COOP_RUN     it got the processor
 * COOP_TRAP    it trapped with call, which is about to be handled
 * COOP_RESULT  its call was answered with value, at once
 * COOP_BLOCK   its call waits
 * COOP_WAKE    its waiting call was answered with value; other is the task whose trap
 *              did it, 0 if it came from outside
 * COOP_UNDO    its waiting call was undone, since the task ends
 * COOP_PASS    it yielded value and goes to the tail of the ready queue
 * COOP_EXIT    it ended with status
 *
 * step is the number of the last trap, counted over all tasks but system tasks. woken
 * is the number of tasks whose wait ended since COOP_TRAP. file and line are the
 * innermost frame's; file has no folder, and is its function's name for a fiber. All
 * pointers are good during the event only.
 */
typedef enum coop_event_kind {
    COOP_SPAWN, COOP_RUN, COOP_TRAP, COOP_RESULT, COOP_BLOCK, COOP_WAKE, COOP_UNDO,
    COOP_PASS, COOP_EXIT
} coop_event_kind;
typedef struct coop_event {
    coop_event_kind kind;
    uint64_t step;
    coop_tid tid, other;
    const char *name, *file;
    int line;
    bool system;
    unsigned woken;
    const coop_call *call;
    coop_value value;
    coop_status status;
} coop_event;

/** coop_observer - one who sees every event
 *
 * Fill in event, and free if the observer wants to know that it is let go. It must not
 * trap, and changes nothing. It may look at tasks.
 */
struct coop_observer {
    void (*event)(coop_observer *, const coop_event *);
    void (*free)(coop_observer *);
    coop_observer *next;           /* the scheduler's */
};

/** coop_observe - add or remove an observer
 *
 * It sees every slice that begins from now on, after those added before it; of one that
 * is under way perhaps only parts. coop_unobserve lets it go without calling free;
 * coop_sched_close calls free. Neither while it is being told of an event.
 *
 * Returns: 0.
 * Errors:
 * -EINVAL  NULL, or without event, or no scheduler
 * -EBUSY   coop_observe: it is added already
 * -ENOENT  coop_unobserve: it is not
 */
int coop_observe(coop_observer *observer);
int coop_unobserve(coop_observer *observer);

/** coop_event_text - one event as COOP_TRACE prints it, without a newline
 *
 * COOP_RUN and COOP_TRAP give nothing: the line comes with the answer.
 */
void coop_event_text(const coop_event *event, coop_text *text);

/* ---- Machines ---------------------------------------------------------------------- */

/** coop_unix - the machine that is the host
 *
 * For coop_options. poller says how it waits for descriptors:
 *
 * "select"  tasks of one poll wake in ascending order of their descriptors; -EMFILE for
 *           descriptors from FD_SETSIZE on (1024 on Linux)
 * "poll"    the same order, without that limit
 * "epoll"   for many descriptors, Linux; tasks wake in the order in which the kernel
 *           reports their descriptors, that in which they became ready. A descriptor
 *           that is closed without Close is noticed later: when nothing happened for
 *           50 ms, and 0.1 ms more for each that is waited for; every poll counts as
 *           0.002 ms of that.
 * "auto"    select, and for good epoll (poll, where there is none) from the moment at
 *           which a descriptor is past select's limit or more than 32 are waited for
 * NULL      auto
 *
 * Returns: NULL when memory is exhausted, for epoll also when no descriptor is left,
 * and when there is no such poller.
 * Thread: any.
 */
coop_machine *coop_unix(const char *poller);
/** coop_sim - a machine that is all in memory
 *
 * For tests, and for seeing what a program does when time and network are as one wants
 * them. COOP_MACHINE=sim, or sim:SEED, takes it for a program that chooses none.
 *
 * The clock stands still while a task can run, and jumps to the next timer when none
 * can: a program that sleeps for hours is through at once. Sockets (tcp:// and unix://)
 * reach those of the same scheduler alone: Listen, Connect, Accept, Send, Recv,
 * Shutdown and Close are as on the host, with buffers of limited size; closing with
 * bytes unread resets. What arrives is cut into pieces, and the random bytes are made,
 * by a generator that begins with seed: the same seed gives the same run. Work runs at
 * once, when nothing else can run. What it does not have, files, processes and signals,
 * gives -ENOSYS.
 *
 * Returns: NULL when memory is exhausted.
 * Thread: any.
 */
coop_machine *coop_sim(uint64_t seed);

/* ---- Policies ---------------------------------------------------------------------- */

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

/* ---- Writing a system call --------------------------------------------------------- */

/** coop_call_type - a kind of system call
 *
 * struct coop_Foo, with coop_call base as its first member, and const coop_call_type
 * coop_Foo_type make Foo callable with coop_trap. Where a time limit is needed,
 * coop_timer timer comes right behind base.
 *
 * name      as it is shown
 * outside   true: what wakes it is outside the scheduler; no deadlock while one waits.
 *           A call with a timer that is set only sometimes has two types.
 * handle    does it: gives the result, or COOP_WAIT after putting the call where its
 *           answer will come from (see coop_wake). Runs on the scheduler; must not block.
 * ready     what the call waits for may have come: gives the result, or COOP_WAIT to go
 *           on waiting. Timers, descriptors and task ends ask it. NULL: nobody does.
 * undo      takes a waiting call out of wherever handle put it: true, and nothing may
 *           point at it after; or false, if that cannot be now, since somebody is at work
 *           on it: then it is answered soon. It answers no other call: that may be undone
 *           next. NULL only if handle never gives COOP_WAIT.
 * at_once   true: this one will not wait, so a cancelled task may make it too. NULL: what
 *           has an undo may wait.
 * drop      the call will not be made, since its task ends before, or another one that it
 *           was to race with was answered: releases what it was given. NULL: nothing.
 * describe  appends the arguments, without parentheses; result is NULL as long as there is
 *           none. NULL: none are shown.
 * touches   says which object it concerns. NULL: none.
 * leave, part, nth   are of calls of the library that stay, or are made of others. NULL.
 */
struct coop_call_type {
    const char *name;
    bool outside;
    coop_value (*handle)(coop_sched *, coop_call *);
    coop_value (*ready)(coop_sched *, coop_call *);
    bool (*undo)(coop_sched *, coop_call *);
    bool (*at_once)(const coop_call *);
    void (*drop)(coop_call *);
    void (*describe)(const coop_call *, const coop_value *result, coop_text *);
    void (*touches)(const coop_call *, coop_touch *);
    bool (*leave)(coop_sched *, coop_call *);
    void (*part)(coop_sched *, coop_call *whole, coop_call *part, coop_value);
    const coop_call *(*nth)(const coop_call *whole, int n);
};

#define COOP_WAIT INTPTR_MIN            /* from handle and ready: not yet */

/** coop_touch - which object a call concerns
 *
 * object  its address or number
 * write   true: the call changes it
 * holder  the task that the caller must wait for, 0 if none: deadlock reports follow it, and
 *         the caller lends it its rank, when there is one as the wait begins
 * what, name   "lock", "db": for reports, which say "lock db held by 5 writer"; NULL: "task 5
 *         writer"
 * hidden  true: only who has the address in memory as it is can answer the call. So not for
 *         what is a part of something else, or can be found in another way.
 */
struct coop_touch {
    uintptr_t object;
    bool write;
    coop_tid holder;
    const char *what, *name;
    bool hidden;
};

/** coop_wake - answer a waiting call
 *
 * The call must have been taken out of where it waited. Its task goes to the tail of
 * the ready queue, and the call object is gone.
 *
 * coop_offer asks the call's ready first and answers with what that gives. False: it
 * waits on, and whoever took it out of its list puts it back.
 */
void coop_wake(coop_sched *sched, coop_call *call, coop_value value);
bool coop_offer(coop_sched *sched, coop_call *call);

/** coop_list_add - lists of waiting calls, in the order in which they came
 *
 * A list is a coop_call pointer, NULL when empty, linked through next. coop_list_take
 * gives the first, or NULL. coop_list_remove is for undo: false when the call is not in
 * it. Adding and taking cost the same for any length.
 */
void coop_list_add(coop_call **list, coop_call *call);
coop_call *coop_list_take(coop_call **list);
bool coop_list_remove(coop_call **list, coop_call *call);

/** coop_timer_set - ask for a call's ready to be called at a time
 *
 * The call's type must have the timer right behind base. when is in ns on the machine's
 * clock, which coop_clock reads. A timer fires once, and is off then; coop_timer_clear
 * takes it off before, and lets one that is off pass. It gives true, so that it can be
 * a type's undo.
 *
 * Returns: 0.
 * Errors:
 * -ENOMEM  memory is exhausted
 */
int coop_timer_set(coop_sched *sched, coop_call *call, int64_t when);
bool coop_timer_clear(coop_sched *sched, coop_call *call);
int64_t coop_clock(coop_sched *sched);

/** coop_closes_cycle - would waiting for holder close a cycle of waits
 *
 * True if holder is the call's own task, or waits, perhaps through others, for it. To
 * be answered with -EDEADLK.
 */
bool coop_closes_cycle(coop_sched *sched, const coop_call *call, coop_tid holder);

extern const coop_call_type
    coop_GetTid_type, coop_Yield_type, coop_NewTask_type, coop_KillTask_type,
    coop_WaitTask_type, coop_Exit_type, coop_Sleep_type, coop_ReadWait_type,
    coop_WriteWait_type, coop_Listen_type, coop_Accept_type, coop_Connect_type,
    coop_Recv_type, coop_Send_type, coop_RecvFrom_type, coop_SendTo_type,
    coop_SockName_type, coop_SendFile_type, coop_Shutdown_type, coop_Close_type,
    coop_Read_type, coop_Write_type, coop_Open_type, coop_Pread_type, coop_Pwrite_type,
    coop_Fsync_type, coop_Stat_type, coop_Unlink_type, coop_Work_type,
    coop_Resolve_type, coop_Now_type, coop_Random_type, coop_SignalWait_type,
    coop_Spawn_type, coop_ChildWait_type, coop_ChildKill_type, coop_Cancel_type,
    coop_Deadline_type, coop_Shield_type, coop_WaitAny_type, coop_Within_type,
    coop_Group_type, coop_GroupSpawn_type, coop_GroupWait_type, coop_GroupNext_type,
    coop_GroupCancel_type,
    coop_ChanSend_type, coop_ChanRecv_type, coop_ChanClose_type, coop_ChanDone_type,
    coop_ChanJoin_type, coop_DoorWait_type,
    coop_Lock_type, coop_Unlock_type, coop_CondWait_type, coop_CondSignal_type,
    coop_SemWait_type, coop_SemPost_type, coop_EventWait_type, coop_EventSet_type,
    coop_EventClear_type, coop_FutureWait_type, coop_FutureSet_type,
    coop_BarrierWait_type, coop_Once_type, coop_OnceDone_type;

/* ---- What the macros are made of --------------------------------------------------- */

/* What a routine's code gives. A struct, so that the compiler refuses a plain return. */
typedef struct coop_use_coop_return_ { coop_step step; } coop_use_coop_return_;

enum { COOP_FINALLY_ = -1, COOP_END_ = -2 };    /* lines that no source has */
enum { COOP_UNWINDS_ = 1 };                     /* of fate: from where it stands */
enum { COOP_CLEANS_ = 1 };                      /* of a frame's flags */

#if defined __clang__ || __GNUC__ >= 7
#define COOP_FALLTHROUGH_ __attribute__((fallthrough))
#else
#define COOP_FALLTHROUGH_ ((void)0)
#endif

#define COOP_STR2_(x) #x
#define COOP_STR_(x) COOP_STR2_(x)
#define COOP_HERE_ __FILE__ ":" COOP_STR_(__LINE__)

#define COOP_CODE_(STATIC, NAME)                                                    \
    static coop_use_coop_return_ NAME##_code_(coop_coroutine *, struct NAME *);     \
    static coop_step NAME##_resume_(coop_coroutine *self_, void *frame_)            \
    {                                                                               \
        return NAME##_code_(self_, frame_).step;                                    \
    }                                                                               \
    STATIC const coop_routine NAME##_routine = {                                    \
        #NAME, __FILE__, sizeof(struct NAME), NAME##_resume_, 0                     \
    };                                                                              \
    _Static_assert(_Alignof(struct NAME) <= _Alignof(max_align_t),                  \
                   "members of a routine are not aligned to more than max_align_t");\
    static coop_use_coop_return_ NAME##_code_(coop_coroutine *self_, struct NAME *my)

/* The first frame is filled in where it will stay. */
#define COOP_FILL_(NAME, FRAME, ...)                                                \
    *(struct NAME *)(FRAME) = (struct NAME){                                        \
        .coop_.routine = &NAME##_routine, __VA_ARGS__                               \
    }
#define COOP_NEW_(WHAT, NAME, ...)                                                  \
    __extension__({                                                                 \
        coop_frame *new_##NAME = coop_make_(&NAME##_routine, COOP_HERE_);           \
        if (new_##NAME)                                                             \
            COOP_FILL_(NAME, new_##NAME, __VA_ARGS__);                              \
        WHAT(new_##NAME);                                                           \
    })

#define COOP_STOP_(STEP)                                                            \
    my->coop_.line = __LINE__;                                                      \
    return (coop_use_coop_return_){ STEP }
#define COOP_RESUME_(DEST)                                                          \
    COOP_FALLTHROUGH_;                                                              \
    case __LINE__: DEST = (__typeof__(DEST))coop_answer_(self_);                    \
    if (__builtin_expect(self_->fate == COOP_UNWINDS_, 0) && !self_->cleaning) { \
        my->coop_.result = -ECANCELED;                                              \
        my->coop_.line = coop_exit_;                                                \
        goto coop_again_;                                                           \
    }                                                                               \
    (void)0

/* A trap with an object that is more than one call: TYPE, and what fills *call_ in. */
#define COOP_TRAP_OBJECT_(DEST, TYPE, ...)                                          \
    do {                                                                            \
        TYPE *call_ = coop_push_(self_, sizeof *call_, _Alignof(max_align_t));      \
        if (call_) {                                                                \
            __VA_ARGS__;                                                            \
            self_->call = &call_->whole.base;                                       \
            COOP_STOP_(COOP_TRAPPED);                                               \
        }                                                                           \
        COOP_RESUME_(DEST);                                                         \
    } while (0)

/* M(n, NAME, arguments, LAST) for each of up to eight "(NAME, arguments)". */
#define COOP_COUNT_(...) COOP_NINTH_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define COOP_NINTH_(a, b, c, d, e, f, g, h, N, ...) N
#define COOP_PASTE_(a, b, c) COOP_PASTE2_(a, b, c)
#define COOP_PASTE2_(a, b, c) a##b##c
#define COOP_EACH_(M, LAST, ...)                                                    \
    COOP_PASTE_(COOP_EACH, COOP_COUNT_(__VA_ARGS__), _)(M, LAST, __VA_ARGS__)
#define COOP_ONE_(M, n, p, LAST) COOP_ONE2_(M, n, COOP_BARE_ p, LAST)
#define COOP_ONE2_(M, ...) M(__VA_ARGS__)
#define COOP_BARE_(...) __VA_ARGS__
#define COOP_EACH1_(M, L, a) COOP_ONE_(M, 0, a, L)
#define COOP_EACH2_(M, L, a, b) COOP_EACH1_(M, L, a) COOP_ONE_(M, 1, b, L)
#define COOP_EACH3_(M, L, a, b, c) COOP_EACH2_(M, L, a, b) COOP_ONE_(M, 2, c, L)
#define COOP_EACH4_(M, L, a, b, c, d) COOP_EACH3_(M, L, a, b, c) COOP_ONE_(M, 3, d, L)
#define COOP_EACH5_(M, L, a, b, c, d, e) COOP_EACH4_(M, L, a, b, c, d) COOP_ONE_(M, 4, e, L)
#define COOP_EACH6_(M, L, a, b, c, d, e, f)                                         \
    COOP_EACH5_(M, L, a, b, c, d, e) COOP_ONE_(M, 5, f, L)
#define COOP_EACH7_(M, L, a, b, c, d, e, f, g)                                      \
    COOP_EACH6_(M, L, a, b, c, d, e, f) COOP_ONE_(M, 6, g, L)
#define COOP_EACH8_(M, L, a, b, c, d, e, f, g, h)                                   \
    COOP_EACH7_(M, L, a, b, c, d, e, f, g) COOP_ONE_(M, 7, h, L)

#define COOP_PART_MEMBER_(n, CALL, ...) struct coop_##CALL part##n;
#define COOP_PART_FILL_(n, CALL, ...)                                               \
    call_->part##n = (struct coop_##CALL){ __VA_ARGS__ };                           \
    call_->part##n.base.type = &coop_##CALL##_type;                                 \
    call_->parts[n] = &call_->part##n.base;

#define COOP_CREATE_PART_(n, ...) [n] = COOP_CREATE_(__VA_ARGS__),

void *coop_push_slow_(coop_coroutine *co, size_t size, size_t align) __attribute__((cold));
coop_step coop_stray_(coop_coroutine *co, coop_frame *frame);
bool coop_leave_(coop_coroutine *co, coop_frame *frame) __attribute__((cold));
coop_frame *coop_make_(const coop_routine *, const char *here);
void *coop_fiber_push_(size_t size, size_t align, const char *what);
coop_value coop_fiber_trap_(coop_call *call, size_t size, const char *what);
coop_value coop_call_few_(const struct coop_gather *, const char *what);
coop_value coop_fiber_call_(const coop_routine *, coop_frame *frame);
coop_coroutine *coop_create_(const coop_routine *, const char *here);
coop_tid coop_spawn_(coop_frame *);
coop_value coop_main_(coop_frame *);
int coop_submit_(coop_door *door, coop_frame *);

static inline void *coop_push_(coop_coroutine *co, size_t size, size_t align)
{
    uintptr_t at = (uintptr_t)co->sp;
    if (align > _Alignof(coop_frame))
        at = (at + (align - 1)) & ~(uintptr_t)(align - 1);
    if (__builtin_expect(at + size > (uintptr_t)co->limit, 0))
        return coop_push_slow_(co, size, align);
    co->sp = (char *)(at + size);
    if (at == 0)
        __builtin_unreachable();   /* so that the caller need not look again */
    return (char *)at;
}

static inline void coop_enter_(coop_coroutine *co, const coop_routine *r, coop_frame *frame)
{
    frame->routine = r;
    frame->caller = co->top;
    co->top = frame;
}

static inline void coop_clean_(coop_coroutine *co, coop_frame *frame)
{
    frame->flags = COOP_CLEANS_;
    co->cleaning++;
}

static inline coop_value coop_answer_(const coop_coroutine *co)
{
    return co->value;
}

#endif
