/* run.h - fibers as frames of a call stack: how one is resumed, and how it stops. */
#ifndef COOP_RUN_H
#define COOP_RUN_H

#include "kernel/kernel.h"

#include "fiber/fiber.h"

/* Stands at the upper end of the fiber's own stack, where pages are touched anyway; what each
   switch needs comes first, in one line of the caches. */
struct coop_fiber_ {
    struct coop_context context;
    struct coop_context *host;     /* who resumed it */
    coop_coroutine *co;
    char *sp;                      /* where its call stack ended before its trap */
    struct coop_fiber_ *outer;     /* who ran when it was resumed, on the same thread */
    coop_frame *frame;
    struct coop_stack *stack;
    struct coop_defer *defers;
    unsigned refusals;             /* what it did since it is to end */
    bool finished;                 /* its function has returned */
    struct coop_stack adopted[];   /* one, in memory of the caller's own */
};

/* Who resumes fibers, one after the other. known begins as false. */
struct coop_host {
    struct coop_context context;
    bool known;                    /* its control: only fibers and the kernel ran since */
};

#pragma GCC visibility push(hidden)

extern _Thread_local struct coop_fiber_ *coop_fiber_running COOP_TLS;

extern _Thread_local const struct coop_overflow *coop_overflown COOP_TLS;

/* inside.c: what its context begins with; its defers are not to be run any more. */
void coop_fiber_enter(void *own, void *pass);
void coop_fiber_forget(struct coop_fiber_ *own);

/* What is not the usual thing about resuming f: COOP_CALLED: go; or how it stopped. */
coop_step coop_fiber_prepare(coop_coroutine *, struct coop_fiber *f);

#pragma GCC visibility pop

/* Inline where it counts, see switch.h. */
static inline coop_step coop_fiber_go(coop_coroutine *co, coop_frame *frame,
                                      struct coop_host *from)
{
    struct coop_fiber *f = (struct coop_fiber *)frame;
    struct coop_fiber_ *own = f->own_;
    if (COOP_RARE(!own || co->fate & CO_ENDS)) {
        coop_step step = coop_fiber_prepare(co, f);
        if (step != COOP_CALLED)
            return step;
        own = f->own_;
    }
    if (!from->known)
        coop_context_thread(&from->context);
    from->known = true;
    struct coop_context *host = &from->context, *context = &own->context;
    own->host = host;
    own->outer = coop_fiber_running;
    coop_fiber_running = own;
    void *step = coop_switch_known(&host, &context, NULL);
    coop_fiber_running = ((struct coop_fiber_ *)context)->outer;
    return (coop_step)(intptr_t)step;
}

#endif
