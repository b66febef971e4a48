/* coop.h - a small operating system for coroutines.

   Tasks are coroutines: routines, which have no stack of their own and whose variables
   are members of a struct, or fibers, ordinary functions on stacks of their own, which
   COOP_FIBER(FN, ARG) makes. They run one at a time and reach the outside only by
   trapping to the scheduler with a system-call object, as in David Beazley's "A
   Curious Course on Coroutines and Concurrency" (2009), where the names of the
   calls and the order of execution come from.

   Here is what every program needs: results; coroutines; tasks and the scheduler; the
   system calls that tasks are made, waited for and ended with. The rest stands in parts, a
   subject each, that are listed and included at the end.
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

/* ---- Results --------------------------------------------------------------------- */

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

/* ---- Coroutines ------------------------------------------------------------------ */

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

/* ---- Tasks and the scheduler ----------------------------------------------------- */

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

/* ---- System calls ---------------------------------------------------------------- */

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
 * once; with wait when the task is gone, and nothing of it is left then, its status
 * neither: who wants that makes a WaitTask after a KillTask without wait. Killing
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

/* ---- The other parts ------------------------------------------------------------- */

#include "coop/byhand.h"           /* coroutines that are resumed by hand */
#include "coop/fibers.h"           /* ordinary functions as coroutines */
#include "coop/scopes.h"           /* cancels, deadlines, values of a task */
#include "coop/together.h"         /* the first of some calls, groups, gathering */
#include "coop/channels.h"         /* between tasks; and from threads and signal handlers */
#include "coop/sync.h"             /* locks, semaphores, events, futures, barriers */
#include "coop/sockets.h"          /* sockets and names */
#include "coop/files.h"            /* files, and descriptors of any kind */
#include "coop/host.h"             /* helper threads, signals, child processes */
#include "coop/streams.h"          /* the library: buffers over descriptors, servers */
#include "coop/functions.h"        /* each call as a plain function, for fibers */
#include "coop/look.h"             /* looking at tasks; observers */
#include "coop/machines.h"         /* what the outside is */
#include "coop/policies.h"         /* which task runs next */
#include "coop/calls.h"            /* system calls of your own */
#include "coop/macros.h"           /* what the macros are made of */

#endif
