/* sched.c - the scheduler: the main loop, a task's slice, a trap's way to its answer.

   A task runs until it traps. The call it traps with is handled at once: answered, and the
   task goes to the tail of the ready queue; or it waits, and whoever can answer it does so
   with coop_wake. Now and then, and whenever nothing is ready, the poller task looks
   outside. */
#include "fiber/run.h"

#include <errno.h>

enum { LOOK_EVERY = 64 };          /* slices: contract rule 4 */
enum { ALL_ENDED = 1 };            /* from look_around: no work is left */

_Thread_local coop_sched *coop_this COOP_TLS;

/* Give the call of t its result. Its object is gone after this. */
static void answer(coop_task *t, coop_value value)
{
    coop_pop(&t->co, t->co.call);
    t->co.call = NULL;
    t->co.value = value;
}

static void leave_wait(coop_sched *s, const coop_call *call)
{
    s->outside -= call->type->outside;
    if (COOP_RARE(s->lenders) && call->type->touches)
        coop_ranks_stale(s);
}

void coop_wake(coop_sched *s, coop_call *call, coop_value value)
{
    coop_task *t = call->task;
    leave_wait(s, call);
    if (COOP_RARE(call != t->co.call)) {
        t->co.call->type->part(s, t->co.call, call, value);
        return;
    }
    s->woken++;
    coop_note(s, t, COOP_WAKE, call, value);
    __builtin_prefetch((char *)call - 64);     /* what t goes on with: see coop_fetch */
    __builtin_prefetch((char *)call - 128);
    answer(t, value);
    coop_make_ready(s, t);
}

bool coop_offer(coop_sched *s, coop_call *call)
{
    return coop_offer_now(s, call);
}

/* The task ends before its call is made. */
static void drop(coop_task *t)
{
    coop_call *call = t->co.call;
    if (call->type->drop)
        call->type->drop(call);
    answer(t, -ECANCELED);
}

/* The task ends: the call that it waits in, or whose handling was put off, is not to be. */
bool coop_undo(coop_sched *s, coop_task *t)
{
    coop_call *call = t->co.call;
    if (t->co.state == COOP_WAITING) {
        if (call->type->undo && !call->type->undo(s, call))
            return false;
        leave_wait(s, call);
        coop_note(s, t, COOP_UNDO, call, 0);
        answer(t, -ECANCELED);
    } else if (call) {
        drop(t);
    }
    return true;
}

/* Out of where a ready task waits for the processor. */
static bool take_out(coop_sched *s, coop_task *t)
{
    for (coop_task **at = &s->express; *at; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            return true;
        }
    return s->policy->remove(s->policy, t);
}

/* The stepper wants another task to go first: t's trap is put off, and made when t gets
   the processor next, right after that one. */
static void put_off(coop_sched *s, coop_task *t)
{
    coop_task *other = coop_find(s, s->let_first);
    bool ready = other && take_out(s, other);
    s->let_first = 0;
    s->step -= !(t->co.flags & TASK_SYSTEM);
    t->co.state = COOP_READY;
    t->next = s->express;
    s->express = t;
    if (ready) {
        other->next = s->express;
        s->express = other;
    }
    s->until_look = 0;
}

/* Every slice is one of two forms of the same code: where nobody watches, the observers are
   not even looked for. */
#define BOTH_FORMS static inline __attribute__((always_inline))

static void block(coop_sched *s, coop_task *t)
{
    coop_call *call = t->co.call;
    t->co.state = COOP_WAITING;
    t->since = s->now;
    s->outside += call->type->outside;
    if (COOP_RARE(s->policy->ranked))
        coop_rank_waits(s, t);
    coop_note(s, t, COOP_BLOCK, call, 0);
}

/* A call that was answered, and stays where it is. */
static void leave_there(coop_task *t)
{
    t->co.value = t->co.call->result;
    t->co.call = NULL;
}

/* Handle the call that t trapped with, unless it has to fail with why; true: t goes on in this
   slice. */
BOTH_FORMS bool dispatch(coop_sched *s, coop_task *t, const bool watched, const int why)
{
    coop_call *call = t->co.call;
    call->task = t;
    if (!watched || !(t->co.flags & TASK_SYSTEM))
        s->step++;
    if (watched) {
        s->woken = 0;
        coop_note(s, t, COOP_TRAP, call, 0);
        if (s->let_first) {
            put_off(s, t);
            return false;
        }
    }
    coop_value value = why ? why : call->type->handle(s, call);
    bool stays = false;
    if (COOP_RARE(value <= COOP_STAY)) {
        if (value == COOP_WAIT) {
            block(s, t);
            return false;
        }
        stays = value == COOP_STAY;
        s->traps += !stays;        /* this one does not count */
        value = stays ? call->result : 0;
    }
    if (watched)
        coop_note(s, t, COOP_RESULT, call, value);
    if (stays) {
        leave_there(t);
    } else {
        if (why && call->type->drop)
            call->type->drop(call);
        answer(t, value);
    }
    if (--s->traps)
        return true;
    coop_make_ready(s, t);
    return false;
}

/* A task of which a part or all is interrupted: calls that can wait fail, and end the slice, so
   that it cannot go on for ever. */
static __attribute__((noinline)) bool dispatch_interrupted(coop_sched *s, coop_task *t)
{
    const coop_call_type *type = t->co.call->type;
    const coop_scope *by;
    int why = 0;
    if (type->undo && !(type->at_once && type->at_once(t->co.call)))
        why = coop_interrupted(t, &by);
    if (why)
        coop_end_slice(s);
    return dispatch(s, t, true, why);
}

/* Killed before it began: this is as far as it gets, unless it is cleaning up already. */
static bool end_at_trap(coop_task *t)
{
    t->co.fate = CO_UNWINDS;
    if (t->co.cleaning)
        return false;
    if (t->co.call)
        drop(t);
    t->co.value = -ECANCELED;
    return true;
}

static void pass(coop_sched *s, coop_task *t)
{
    coop_note(s, t, COOP_PASS, NULL, t->co.value);
    t->co.value = 0;
    coop_make_ready(s, t);
}

/* Till t stops; host, unless NULL, for a fiber to be resumed right here: fiber/switch.h. */
BOTH_FORMS coop_step advance(coop_task *t, struct coop_host *host)
{
    coop_frame *top = t->co.top;
    if (!host)
        return coop_advance(&t->co);
    if (top->routine == &coop_fiber_routine)
        return coop_advance_from(&t->co, coop_fiber_go(&t->co, top, host), &host->known);
    host->known = false;
    return coop_advance(&t->co);
}

/* One turn of t on the processor. A call of t that was put off comes first. */
BOTH_FORMS void slice(coop_sched *s, coop_task *t, const bool watched, struct coop_host *host)
{
    s->traps = s->quantum;
    s->current = t;
    t->co.state = COOP_RUNNING;
    t->slices++;
    if (watched) {
        coop_note(s, t, COOP_RUN, NULL, 0);
        if (t->co.call && !dispatch_interrupted(s, t))
            return;
    }
    for (;;) {
        coop_step step = advance(t, host);
        if (COOP_RARE(step == COOP_RETURNED)) {
            coop_finish(s, t);
            return;
        }
        const bool fated = COOP_RARE(t->co.fate > CO_UNWINDS);
        if (fated && t->co.fate & CO_UNWINDS_AT_TRAP && end_at_trap(t))
            continue;
        if (step == COOP_YIELDED) {
            pass(s, t);
            return;
        }
        if (fated ? !dispatch_interrupted(s, t) : !dispatch(s, t, watched, 0))
            return;
    }
}

static void plain_slice(coop_sched *s, coop_task *t)
{
    slice(s, t, false, NULL);
}

/* Also that of a system task and of one whose trap was put off. */
static void watched_slice(coop_sched *s, coop_task *t)
{
    slice(s, t, true, NULL);
}

int coop_need_poller(coop_sched *s)
{
    return s->poller ? 0 : s->start_poller(s);
}

/* Let the poller task look outside; it may block when nothing is ready. */
static void poll_outside(coop_sched *s, bool may_block)
{
    coop_task *t = s->poller;
    if (t->co.call)
        answer(t, may_block);
    watched_slice(s, t);
}

/* What is to be done between slices: 0 to go on, or why the loop ends. */
static int look_around(coop_sched *s)
{
    s->current = NULL;
    if (coop_later_run(s))
        return 0;
    if (!s->living)
        return ALL_ENDED;
    if (s->stop)
        return s->stop;
    if (s->express) {
        coop_task *t = s->express;
        s->express = t->next;
        watched_slice(s, t);
        return 0;
    }
    if (s->stale) {
        coop_settle_ranks(s);
        if (s->until_look)
            return 0;
    }
    s->until_look = LOOK_EVERY;
    bool ready = s->policy->after(s->policy, NULL);
    if (!s->outside)
        return ready ? 0 : coop_deadlock(s);
    int r = coop_need_poller(s);
    if (r == 0)
        poll_outside(s, !ready);
    return r;
}

int coop_loop(coop_sched *s)
{
    int r = 0;
    struct coop_host host = { .known = false };
    if (s->looping)
        return -EBUSY;
    s->looping = true;
    coop_busy(s);
    while (r == 0) {
        coop_task *t = s->until_look ? s->policy->take(s->policy) : NULL;
        if (t && !COOP_RARE(s->observers) && t->co.top->routine == &coop_fiber_routine) {
            s->until_look--;
            slice(s, t, false, &host);
            continue;
        }
        host.known = false;
        if (COOP_RARE(!t)) {
            r = look_around(s);
            continue;
        }
        s->until_look--;
        if (COOP_RARE(s->observers))
            watched_slice(s, t);
        else
            plain_slice(s, t);
    }
    s->current = NULL;
    s->looping = false;
    s->stop = 0;
    coop_idle(s);
    return r == ALL_ENDED ? 0 : r;
}

void coop_let_first(coop_sched *s, coop_tid tid)
{
    s->let_first = tid;
}

void coop_stop(coop_sched *s, int why)
{
    s->stop = why;
    s->until_look = 0;
}

/* Kill every task, also those that come meanwhile, and run until none is left. What is
   blocked for ever in its cleanup is dropped as it stands. */
void coop_end_all(coop_sched *s)
{
    coop_task *t, *next;
    size_t limit;
    bool tied;
    s->closing = true;
    do {                           /* again if an undo made tasks and so moved the others */
        limit = s->limit;
        for (t = NULL; (t = coop_each(s, t));)
            if (!(t->co.flags & TASK_SYSTEM) && t->co.state != COOP_ENDED)
                coop_doom(s, t, 0, 0);
    } while (limit != s->limit);
    /* When poll fails, those who are ready can run all the same. */
    while (coop_loop(s) == -ECANCELED || s->policy->after(s->policy, NULL))
        s->until_look = LOOK_EVERY;
    for (t = NULL; (t = coop_each(s, t));)
        if (!(t->co.flags & TASK_SYSTEM) && t->co.state == COOP_WAITING && t->co.call)
            coop_undo(s, t);
    if (s->jobs)
        s->machine->end_jobs(s->machine);   /* they write into frames */
    do {                           /* what one held may go on to another */
        tied = coop_later_run(s);
        for (t = NULL; (t = coop_each(s, t));)
            tied |= coop_tell_ties(s, t);
    } while (tied);
    for (t = NULL; (t = coop_each(s, t));)
        coop_scopes_drop(s, t);
    for (t = coop_each(s, NULL); t; t = next) {
        next = coop_each(s, t);
        coop_table_remove(s, t);
        coop_unmake(t);
    }
    s->poller = NULL;
}
