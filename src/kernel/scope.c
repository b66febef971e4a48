/* scope.c - what holds for a part of a task's call stack: deadlines, shields, groups. A scope
   stands in a system-call object that stays on the stack when it was answered, until the
   routine that made the call comes to its coop_finally part or, without one, to its end. */
#include "kernel/kernel.h"

#include <errno.h>

int coop_scope_open(coop_sched *s, coop_call *call, coop_scope *scope)
{
    coop_task *t = call->task;
    struct coop_more *more = coop_need_more(t);
    (void)s;
    if (!more)
        return -ENOMEM;
    scope->outer = more->scope;
    scope->frame = t->co.top;
    scope->call = call;
    more->scope = scope;
    t->co.top->flags |= FRAME_SCOPED;
    return 0;
}

coop_scope *coop_scope_here(const coop_task *t, const coop_call_type *type)
{
    const struct coop_more *more = coop_more_of(t);
    coop_scope *scope = more ? more->scope : NULL;
    for (; scope && scope->frame == t->co.top; scope = scope->outer)
        if (scope->call->type == type)
            return scope;
    return NULL;
}

/* Whether any scope is interrupted. A task that is being killed must be known by its fate
   alone when it goes to its next coop_finally part. */
static void settle(coop_task *t)
{
    const struct coop_more *more = coop_more_of(t);
    const coop_scope *scope = more ? more->scope : NULL;
    while (scope && !scope->why)
        scope = scope->outer;
    if (scope && (!coop_is_ending(t) || t->co.cleaning))
        t->co.fate |= CO_INTERRUPTED;
    else
        t->co.fate &= (uint8_t)~CO_INTERRUPTED;
}

void coop_scope_break(coop_sched *s, coop_task *t, coop_scope *scope, int why)
{
    scope->why = why;
    settle(t);
    if (why)
        coop_interrupt(s, t);
}

/* The scopes of a frame that is on top, the innermost first. One that cannot be over yet has
   left a call to wait in: the frame traps with that, and comes here again. */
bool coop_leave_(coop_coroutine *co, coop_frame *frame)
{
    coop_task *t = (coop_task *)co;
    struct coop_more *more = coop_more_of(t);
    if (frame->line > 0)
        frame->line = COOP_FINALLY_;
    while (more && more->scope && more->scope->frame == frame) {
        coop_call *call = more->scope->call;
        if (!call->type->leave(coop_this, call))
            return false;
        more->scope = more->scope->outer;
        settle(t);
        coop_pop(co, call);
    }
    frame->flags &= (uint16_t)~FRAME_SCOPED;
    return true;
}

bool coop_left(coop_coroutine *co, coop_frame *frame)
{
    frame->line = COOP_END_;
    if (frame->flags & FRAME_SCOPED && !coop_leave_(co, frame))
        return false;
    co->cleaning -= frame->flags & FRAME_CLEANS;
    if (frame->flags & FRAME_FIBER)
        coop_fiber_end(frame);
    if (co->fate & CO_INTERRUPTED)
        settle((coop_task *)co);
    return true;
}

/* A time that comes is heard only within coop_finally parts when the task ends. */
void coop_scopes_end(coop_sched *s, coop_task *t)
{
    const struct coop_more *more = coop_more_of(t);
    const coop_frame *frame = t->co.top;
    unsigned cleaning = t->co.cleaning;
    for (coop_scope *scope = more ? more->scope : NULL; scope; scope = scope->outer) {
        for (; frame != scope->frame; frame = frame->caller)
            cleaning -= frame->flags & FRAME_CLEANS;
        if (!cleaning && scope->timed)
            scope->call->type->leave(s, scope->call);
    }
}

void coop_scopes_drop(coop_sched *s, coop_task *t)
{
    const struct coop_more *more = coop_more_of(t);
    for (coop_scope *scope = more ? more->scope : NULL; scope; scope = scope->outer)
        scope->call->type->leave(s, scope->call);
}

/* Looks from the innermost scope outwards, up to a shield; a coop_finally part is one. What
   is farthest out counts, since nothing within it could go on. */
int coop_interrupted(const coop_task *t, const coop_scope **by)
{
    const struct coop_more *more = coop_more_of(t);
    const coop_scope *scope = more ? more->scope : NULL;
    const coop_frame *frame = t->co.top;
    int why = 0;
    *by = NULL;
    if (coop_is_ending(t) && !t->co.cleaning)
        return -ECANCELED;         /* of a fiber: routines go to their ends */
    for (; frame && (scope || t->co.cleaning); frame = frame->caller) {
        for (; scope && scope->frame == frame; scope = scope->outer) {
            if (scope->why) {
                why = scope->why;
                *by = scope;
            }
            if (scope->shield)
                return why;
        }
        if (frame->flags & FRAME_CLEANS)
            return why;
    }
    if (!(t->co.fate & CO_CANCELLED))
        return why;
    *by = NULL;
    return -ECANCELED;
}

/* The call that t waits in is answered with how it fails, unless that cannot be yet. */
void coop_interrupt(coop_sched *s, coop_task *t)
{
    const coop_scope *by;
    if (t->co.state != COOP_WAITING || (coop_is_ending(t) && !t->co.cleaning))
        return;
    int why = coop_interrupted(t, &by);
    coop_call *call = t->co.call;
    if (why && (!call->type->undo || call->type->undo(s, call)))
        coop_wake(s, call, why);
}

/* Without memory to remember it in, nobody will know who did it. */
void coop_blame(coop_task *t, coop_tid by, const char *why)
{
    struct coop_more *more = coop_need_more(t);
    if (more) {
        more->by = by;
        more->why = why;
    }
}

void coop_cancel_by(coop_sched *s, coop_task *t, coop_tid by, const char *why)
{
    if (t->co.fate & (CO_ENDS | CO_CANCELLED) || t->co.state == COOP_ENDED)
        return;
    coop_blame(t, by, why);
    if (coop_more_of(t))
        coop_more_of(t)->cancelled = true;
    t->co.fate |= CO_CANCELLED;
    coop_interrupt(s, t);
}

int coop_why(coop_cause *cause)
{
    const coop_task *t = coop_this ? coop_this->current : NULL;
    const coop_scope *by = NULL;
    coop_cause unwanted;
    if (!cause)
        cause = &unwanted;
    *cause = (coop_cause){ .error = t ? coop_interrupted(t, &by) : 0 };
    if (by) {
        cause->own = by->frame == t->co.top;
        cause->routine = coop_frame_name(by->frame);
        cause->why = by->call->type->name;
    } else if (cause->error && coop_more_of(t)) {
        cause->by = coop_more_of(t)->by;
        cause->why = coop_more_of(t)->why;
    }
    return cause->error;
}
