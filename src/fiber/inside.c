/* inside.c - what a fiber does on its own stack: its calls, and its end. */
#include "fiber/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One that is to end, and does not, is known by so many calls that failed, or by very many that
   did not. */
enum { FAILED = 100, MADE = 1, REFUSES = 1000 * FAILED };

struct coop_defer {
    struct coop_defer *next;
    void (*fn)(void *arg);
    void *arg;
};

_Thread_local struct coop_fiber_ *coop_fiber_running COOP_TLS;

/* No function of its own in call stacks, where coop's own are left out by their names. */
COOP_SWITCHES struct coop_fiber_ *stop(struct coop_fiber_ *own, coop_step step)
{
    struct coop_context *context = &own->context, *host = own->host;
    coop_switch_meet(&context, &host, (void *)(intptr_t)step);
    return (struct coop_fiber_ *)context;
}

static __attribute__((noinline)) void leave_scopes(struct coop_fiber_ *own)
{
    while (own->frame->flags & FRAME_SCOPED && !coop_leave_(own->co, own->frame))
        stop(own, COOP_TRAPPED);
}

/* What one of them opens does not outlive it. */
static __attribute__((noinline)) void run_defers(struct coop_fiber_ *own)
{
    while (own->defers) {
        struct coop_defer *d = own->defers;
        own->defers = d->next;
        d->fn(d->arg);
        free(d);
        leave_scopes(own);
    }
}

void coop_fiber_forget(struct coop_fiber_ *own)
{
    while (own->defers) {
        struct coop_defer *d = own->defers;
        own->defers = d->next;
        free(d);
    }
}

/* As the end of a routine: first its scopes, then what corresponds to coop_finally. */
COOP_SWITCHES _Noreturn void finish(struct coop_fiber_ *own, coop_value value)
{
    coop_coroutine *co = own->co;
    own->frame->result = value;
    if (COOP_RARE(own->frame->flags & FRAME_SCOPED))
        leave_scopes(own);
    if (COOP_RARE(own->defers)) {
        own->frame->flags |= FRAME_CLEANS;
        co->cleaning++;
        run_defers(own);
    }
    own->finished = true;
    coop_switch_last(&own->context, own->host, (void *)(intptr_t)COOP_RETURNED);
}

void coop_fiber_enter(void *arg, void *pass)
{
    struct coop_fiber_ *own = arg;
    struct coop_fiber *f = (struct coop_fiber *)own->frame;
    (void)pass;
    finish(own, f->fn(f->arg));
}

static __attribute__((noinline)) void *outside(const char *what)
{
    const coop_task *t = coop_this ? coop_this->current : NULL;
    if (t)
        coop_report(coop_this, "%s: called outside of fibers, in task %td %s: routines have "
                    "coop_trap and coop_await", what, t->tid, coop_name_of(t));
    else
        coop_report(coop_this, "%s: called outside of fibers", what);
    return NULL;
}

static struct coop_fiber_ *running(const char *what)
{
    return COOP_RARE(!coop_fiber_running) ? outside(what) : coop_fiber_running;
}

void *coop_fiber_push_(size_t size, size_t align, const char *what)
{
    struct coop_fiber_ *own = running(what);
    return own ? coop_push_(own->co, size, align) : NULL;
}

static bool is_by_hand(const struct coop_fiber_ *own)
{
    return own->co->life != CO_TASK;
}

/* That it does not end is told once. */
static bool refuses(struct coop_fiber_ *own)
{
    const coop_task *t = (const coop_task *)own->co;
    char kind[32] = "coroutine";
    coop_text text = { .data = kind, .size = sizeof kind };
    if (own->refusals >= REFUSES)
        return true;
    own->refusals += t->co.value == -ECANCELED ? FAILED : MADE;
    if (own->refusals < REFUSES)
        return false;
    if (!is_by_hand(own))
        coop_print(&text, "task %td", t->tid);
    coop_report(coop_this, "%s %s is to end, and goes on making calls: it does not look at "
                "their results", kind, coop_name_of(t));
    return true;
}

/* A call of one that is to end comes back: not at all, where that is forced, or where nobody is
   left who could. Others get a turn, who may use force. */
static __attribute__((noinline)) void come_back_to_end(struct coop_fiber_ *own)
{
    coop_value value = own->co->value;
    if (refuses(own)) {
        if (is_by_hand(own) || coop_this->closing)
            coop_force(own->frame);
        else
            stop(own, COOP_YIELDED);
    }
    if (own->frame->flags & FRAME_FORCED)
        finish(own, -ECANCELED);
    own->co->value = value;
}

static inline coop_value come_back(struct coop_fiber_ *own)
{
    if (COOP_RARE(own->co->fate & CO_ENDS) && !own->co->cleaning)
        come_back_to_end(own);
    return own->co->value;
}

/* A task that was killed before it began has come as far as it should. */
static void comes_to_trap(coop_coroutine *co)
{
    if (COOP_RARE(co->fate & CO_UNWINDS_AT_TRAP) && !co->cleaning)
        co->fate = CO_UNWINDS | CO_INTERRUPTED;
}

/* What stays where it is, as a scope, and is left later, stands on the call stack. */
static __attribute__((noinline)) coop_value trap_to_stay(struct coop_fiber_ *own,
                                                        const coop_call *call, size_t size)
{
    coop_call *stays = coop_push_(own->co, size, _Alignof(max_align_t));
    if (!stays)
        return -ENOMEM;
    own->co->call = memcpy(stays, call, size);
    stop(own, COOP_TRAPPED);
    return come_back(own);
}

/* The object is the caller's own, on the fiber's stack. Who answers takes it off the call stack
   as ever; where that ended is known here. */
coop_value coop_fiber_trap_(coop_call *call, size_t size, const char *what)
{
    struct coop_fiber_ *own = running(what);
    if (COOP_RARE(!own))
        return -EPERM;
    coop_coroutine *co = own->co;
    comes_to_trap(co);
    if (COOP_RARE(call->type->leave))
        return trap_to_stay(own, call, size);
    own->sp = co->sp;
    co->call = call;
    own = stop(own, COOP_TRAPPED);
    own->co->sp = own->sp;
    return come_back(own);
}

/* A routine that is called while the fiber is to end comes as far as its first trap. */
coop_value coop_fiber_call_(const coop_routine *r, coop_frame *frame)
{
    struct coop_fiber_ *own = coop_fiber_running;
    if (COOP_RARE(!frame))
        return own ? -ENOMEM : -EPERM;
    coop_coroutine *co = own->co;
    coop_enter_(co, r, frame);
    bool ends = co->fate & CO_UNWINDS && !co->cleaning;
    if (COOP_RARE(ends))
        co->fate = CO_UNWINDS_AT_TRAP;
    stop(own, COOP_CALLED);
    if (COOP_RARE(ends))
        comes_to_trap(co);
    return come_back(own);
}

coop_value coop_yield_value(coop_value value)
{
    struct coop_fiber_ *own = running("coop_yield_value");
    if (COOP_RARE(!own))
        return -EPERM;
    bool ends = own->co->fate & CO_ENDS && !own->co->cleaning;
    comes_to_trap(own->co);
    own->co->value = value;
    stop(own, COOP_YIELDED);
    if (COOP_RARE(ends))
        own->co->value = -ECANCELED;
    return come_back(own);
}

int coop_defer(void (*fn)(void *arg), void *arg)
{
    struct coop_fiber_ *own = running("coop_defer");
    if (!own)
        return -EPERM;
    if (!fn)
        return -EINVAL;
    struct coop_defer *d = malloc(sizeof *d);
    if (!d)
        return -ENOMEM;
    *d = (struct coop_defer){ own->defers, fn, arg };
    own->defers = d;
    return 0;
}
