/* sched.c - the scheduler: the main loop, a task's slice, a trap's way to its answer.

   A task runs until it traps. The call it traps with is handled at once: answered, and
   the task goes to the tail of the ready queue; or it waits, and whoever can answer it does so
   with coop_wake. Now and then, and whenever nothing is ready, the poller task looks
   outside. */
#include "kernel/kernel.h"

#include <errno.h>

enum { LOOK_EVERY = 64 };          /* slices: contract rule 4 */

_Thread_local coop_sched *coop_this;

/* Give a call its result. Its object is gone after this. */
void coop_answer(coop_sched *s, coop_call *call, coop_value value)
{
    coop_task *t = call->task;
    (void)s;
    t->co.call = NULL;
    t->co.value = value;
    coop_pop(&t->co, call);
}

static void leave_wait(coop_sched *s, const coop_call *call)
{
    s->outside -= call->type->outside;
}

void coop_wake(coop_sched *s, coop_call *call, coop_value value)
{
    coop_task *t = call->task;
    leave_wait(s, call);
    s->woken++;
    coop_note(s, t, COOP_WAKE, call, value);
    coop_answer(s, call, value);
    coop_make_ready(s, t);
}

bool coop_offer(coop_sched *s, coop_call *call)
{
    coop_value value = call->type->ready(s, call);
    if (value == COOP_WAIT)
        return false;
    coop_wake(s, call, value);
    return true;
}

void coop_undo(coop_sched *s, coop_task *t)
{
    coop_call *call = t->co.call;
    leave_wait(s, call);
    if (call->type->undo)
        call->type->undo(s, call);
    coop_note(s, t, COOP_UNDO, call, 0);
    coop_answer(s, call, 0);
}

/* The stepper wants another task to go first: t's trap is put off, and made when t gets
   the processor next, right after that one. */
static void put_off(coop_sched *s, coop_task *t)
{
    coop_task *other = coop_find(s, s->let_first);
    s->let_first = 0;
    s->step--;
    t->co.state = COOP_READY;
    t->next = s->express;
    s->express = t;
    if (other && s->policy->remove(s->policy, other)) {
        other->next = s->express;
        s->express = other;
    }
    s->until_look = 0;
}

/* Handle the call that t trapped with; COOP_WAIT: t is off the processor. */
static coop_value dispatch(coop_sched *s, coop_task *t)
{
    coop_call *call = t->co.call;
    call->task = t;
    s->step += !(t->co.flags & TASK_SYSTEM);
    if (COOP_RARE(s->observers)) {
        s->woken = 0;
        coop_note(s, t, COOP_TRAP, call, 0);
        if (s->let_first) {
            put_off(s, t);
            return COOP_WAIT;
        }
    }
    coop_value value = call->type->handle(s, call);
    if (value == COOP_WAIT) {
        t->co.state = COOP_WAITING;
        t->since = s->now;
        s->outside += call->type->outside;
        coop_note(s, t, COOP_BLOCK, call, 0);
    } else {
        coop_note(s, t, COOP_RESULT, call, value == COOP_GO_ON ? 0 : value);
        coop_answer(s, call, value == COOP_GO_ON ? 0 : value);
    }
    return value;
}

/* One turn of t on the processor. A call of t that was put off comes first. */
static void run_slice(coop_sched *s, coop_task *t)
{
    unsigned traps = s->quantum;
    s->current = t;
    t->co.state = COOP_RUNNING;
    t->slices++;
    coop_note(s, t, COOP_RUN, NULL, 0);
    for (;;) {
        if (!t->co.call) {
            coop_step step = coop_advance(&t->co);
            if (step == COOP_RETURNED) {
                coop_finish(s, t);
                break;
            }
            if (COOP_RARE(t->co.unwinding) && !t->co.cleaning) {
                /* Killed before it began: this is as far as it gets. */
                if (t->co.call)
                    coop_pop(&t->co, t->co.call);
                t->co.call = NULL;
                t->co.top->line = COOP_FINALLY_;
                continue;
            }
            if (step == COOP_YIELDED) {
                coop_note(s, t, COOP_PASS, NULL, t->co.value);
                t->co.value = 0;
                coop_make_ready(s, t);
                break;
            }
        }
        coop_value value = dispatch(s, t);
        if (value == COOP_WAIT)
            break;
        if (value != COOP_GO_ON && --traps == 0) {
            coop_make_ready(s, t);
            break;
        }
    }
    s->current = NULL;
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
        coop_answer(s, t->co.call, may_block);
    run_slice(s, t);
}

/* What is to be done between slices: 0 to go on, or why coop_run returns. */
static int look_around(coop_sched *s)
{
    if (s->stop)
        return s->stop;
    if (s->express) {
        coop_task *t = s->express;
        s->express = t->next;
        run_slice(s, t);
        return 0;
    }
    s->until_look = LOOK_EVERY;
    bool ready = s->policy->after(s->policy, NULL);
    if (s->outside)
        poll_outside(s, !ready);
    else if (!ready)
        return coop_deadlock(s);
    return 0;
}

int coop_loop(coop_sched *s)
{
    int r = 0;
    if (s->looping)
        return -EBUSY;
    s->looping = true;
    while (s->living && r == 0) {
        coop_task *t = s->until_look ? s->policy->take(s->policy) : NULL;
        if (t) {
            s->until_look--;
            run_slice(s, t);
        } else {
            r = look_around(s);
        }
    }
    s->looping = false;
    s->stop = 0;
    return r;
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

/* Kill every task and run until none is left. What is blocked for ever in its cleanup is
   dropped as it stands. */
void coop_end_all(coop_sched *s)
{
    coop_task *t;
    for (size_t i = 0; (t = coop_each(s, &i));)
        if (!(t->co.flags & TASK_SYSTEM) && t->co.state != COOP_ENDED)
            coop_doom(s, t, 0, 0);
    while (coop_loop(s) == -ECANCELED)
        ;
    for (size_t i = 0; (t = coop_each(s, &i));)
        coop_unmake(t);
}
