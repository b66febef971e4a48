/* host.h - part of coop.h: other things of the host: work for threads, signals, child processes. */
#ifndef COOP_HOST_H_
#define COOP_HOST_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- The host -------------------------------------------------------------------- */

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

#endif
