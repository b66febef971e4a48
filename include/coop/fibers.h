/* fibers.h - part of coop.h: ordinary functions as coroutines, each on a stack of its own. */
#ifndef COOP_FIBERS_H_
#define COOP_FIBERS_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Fibers ---------------------------------------------------------------------- */

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
    struct coop_fiber_ *own_;      /* set by coop */
    coop_value (*fn)(void *arg);
    void *arg;
    const char *name;
    size_t stack;
    void *memory;
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

#endif
