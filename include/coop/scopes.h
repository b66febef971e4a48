/* scopes.h - part of coop.h: what holds for a task, or for one of its routines: cancels,
   deadlines, shields; values that a task hands down. */
#ifndef COOP_SCOPES_H_
#define COOP_SCOPES_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Cancels, deadlines, and values of a task ------------------------------------ */

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
 * it is left then: a wait counts as one for its status, which is lost. why is not copied: a
 * string literal, or what lives as long. A task may cancel itself, without wait. One that
 * ends with -ECANCELED then counts as cancelled in its status; one that returns something
 * else has made up its own mind.
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

#endif
