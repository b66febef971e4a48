/* together.h - part of coop.h: several at once: the first of some calls, groups of tasks, gathering. */
#ifndef COOP_TOGETHER_H_
#define COOP_TOGETHER_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Several at once ------------------------------------------------------------- */

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
 * A fiber's members may use its variables until coop_group_wait has returned: when that is
 * interrupted, by a kill too, it cancels the members and waits on. It answers with how it
 * was interrupted, or how a member failed that was cancelled.
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

#endif
