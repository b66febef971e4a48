/* run.c - fibers: a function on a stack of its own is one more kind of frame. Where a routine
   returns to the trampoline, a fiber switches to it, and is resumed by switching back. Here is
   what is done with it from outside; inside.c is what it does. */
#include "fiber/run.h"
#include "fiber/slab.h"
#include "machine/crash.h"

#include <errno.h>

/* The calling thread's stacks: there are fibers without a scheduler, too. */
static _Thread_local struct coop_stacks *stacks COOP_TLS;
static _Thread_local void *watch COOP_TLS;
static _Thread_local int64_t trimmed COOP_TLS;     /* when it was last looked for idle ones */

#define LONG COOP_S(10)

static void say_all(coop_text *text)
{
    coop_say(2, text->data, text->used);
    text->used = 0;
}

/* In a signal handler. All that follows takes no lock and no memory, and ends; vsnprintf,
   which may not be called in one by the book, does not either for what is printed here. */
static void overflown(void *arg, const struct coop_overflow *o)
{
    char buf[512];
    coop_text text = { .data = buf, .size = sizeof buf };
    const struct coop_fiber_ *own = o->stack->owner;
    const coop_task *t = (const coop_task *)own->co;
    (void)arg;
    if (own != coop_fiber_running)
        return;                    /* a wild pointer that hit a guard */
    if (coop_this && coop_this->current == t)
        coop_print(&text, "coop: task %td %s: ", t->tid, coop_name_of(t));
    else
        coop_print(&text, "coop: coroutine %s: ", coop_frame_name(own->frame));
    coop_print(&text, "stack overflow, %zu KiB stack, at ", o->stack->size / 1024);
    text.used += coop_print_code(o->pc, buf + text.used, sizeof buf - text.used - 1);
    coop_print(&text, "\n");
    coop_say(2, buf, text.used);
    text = (coop_text){ .data = buf, .size = sizeof buf, .flush = say_all };
    coop_crashing = true;
    coop_overflown = o;
    coop_ps_crash(&text);
    say_all(&text);
    coop_overflown = NULL;
    coop_crashing = false;
}

static void report_stacks(void *arg, const char *text)
{
    (void)arg;
    coop_report(coop_this, "%s", text);
}

/* The pool may be older than the scheduler. */
static size_t usual_size(void)
{
    return coop_this && coop_this->stack_size ? coop_this->stack_size : COOP_STACK_SIZE;
}

static int open_stacks(void)
{
    struct coop_stacks_options options = {
        .size = usual_size(),
        .measured = coop_this && coop_this->measure,
        .report = report_stacks, .overflow = overflown
    };
    stacks = coop_stacks_new(&options);
    if (!stacks)
        return -ENOMEM;
    coop_overflow_watch(&watch);
    return 0;
}

/* Those of a thread without a scheduler go with the last fiber. */
void coop_fibers_release(void)
{
    struct coop_stacks_count count;
    if (!stacks)
        return;
    coop_stacks_counted(stacks, &count);
    if (count.used)
        return;
    coop_overflow_unwatch(watch);
    coop_stacks_free(stacks);
    stacks = NULL;
}

/* Stacks that were idle for long lose their pages. It is looked for them four times in that
   time, while there are any; once it is looked for none. */
int64_t coop_fibers_trim(int64_t now)
{
    struct coop_stacks_count count;
    if (!stacks)
        return -1;
    coop_stacks_counted(stacks, &count);
    if (!count.warm)
        return -1;
    if (now - trimmed >= LONG / 4) {
        trimmed = now;
        if (coop_stacks_trim(stacks, now, LONG) == count.warm)
            return -1;
    }
    return trimmed + LONG / 4 - now;
}

COOP_SWITCHES struct coop_fiber_ *begin_on(coop_coroutine *co, struct coop_stack *stack,
                                           size_t above)
{
    struct coop_fiber *f = (struct coop_fiber *)co->top;
    uintptr_t top = (uintptr_t)stack->high - sizeof *f->own_ - above;
    struct coop_fiber_ *own = (struct coop_fiber_ *)(top & ~(uintptr_t)63);
    own->co = co;
    own->frame = &f->coop_;
    own->stack = stack;
    own->defers = NULL;
    own->refusals = 0;
    own->finished = false;
    stack->owner = own;
    coop_context_make(&own->context, stack->low, (size_t)((char *)own - stack->low),
                      coop_fiber_enter, own);
    f->own_ = own;
    f->coop_.flags |= FRAME_FIBER;
    if (co->life != CO_TASK)
        co->state = CO_PINNED;
    return own;
}

/* What is known of the caller's memory stands in it, too. */
static int begin_adopted(coop_coroutine *co, const struct coop_fiber *f)
{
    struct coop_stack stack;
    int r = coop_stack_adopt(&stack, f->memory, f->stack);
    if (r < 0)
        return r;
    struct coop_fiber_ *own = begin_on(co, &stack, sizeof stack);
    own->stack = own->adopted;
    *own->stack = stack;
    return 0;
}

int coop_fiber_begin(coop_coroutine *co)
{
    struct coop_fiber *f = (struct coop_fiber *)co->top;
    struct coop_stack *stack;
    if (COOP_RARE(!f->fn))
        return -EFAULT;
    if (COOP_RARE(f->memory))
        return begin_adopted(co, f);
    int r = COOP_RARE(!stacks) ? open_stacks() : 0;
    if (COOP_RARE(r < 0))
        return r;
    size_t size = f->stack ? f->stack : usual_size();
    stack = coop_stack_warm(stacks, size);
    if (COOP_RARE(!stack))
        r = coop_stack_take(stacks, size, &stack);
    if (r == 0)
        begin_on(co, stack, 0);
    return r;
}

coop_step coop_fiber_prepare(coop_coroutine *co, struct coop_fiber *f)
{
    int r = f->own_ ? 0 : coop_fiber_begin(co);
    if (r < 0) {
        f->coop_.result = r;
        return COOP_RETURNED;
    }
    if (f->own_->finished)
        return COOP_RETURNED;
    if (co->fate & CO_UNWINDS && !co->cleaning)
        co->fate = CO_UNWINDS | CO_INTERRUPTED;
    return COOP_CALLED;
}

static coop_step resume(coop_coroutine *co, void *frame)
{
    struct coop_host here;
    here.known = false;
    return coop_fiber_go(co, frame, &here);
}

const coop_routine coop_fiber_routine = {
    "fiber", "fiber", sizeof (struct coop_fiber), resume, offsetof(struct coop_fiber, name)
};

const void *coop_fiber_memory(const coop_frame *frame, size_t *size)
{
    const struct coop_stack *stack = ((const struct coop_fiber *)frame)->own_->stack;
    *size = stack->size;
    return stack->low;
}

static __attribute__((noinline)) void tell_overflown(const struct coop_stack *stack)
{
    coop_report(coop_this, "a fiber's stack of %zu KiB was too small: it has overflown",
                stack->size / 1024);
}

/* The frame is done with, or dropped as it stands: then defers are dropped too. */
void coop_fiber_end(coop_frame *frame)
{
    struct coop_fiber_ *own = ((struct coop_fiber *)frame)->own_;
    struct coop_stack *stack = own->stack;
    if (COOP_RARE(own->defers))
        coop_fiber_forget(own);
    coop_context_end(&own->context);
    frame->flags &= (uint16_t)~FRAME_FIBER;
    if (COOP_RARE(stack == own->adopted))
        return;
    if (COOP_RARE(!coop_stack_back(stacks, stack, coop_this ? coop_this->now : 0)))
        tell_overflown(stack);
    if (COOP_RARE(!coop_this))
        coop_fibers_release();
}

void coop_stacks_of(const coop_coroutine *co, size_t *size, size_t *peak)
{
    *size = 0;
    if (peak)
        *peak = 0;
    for (const coop_frame *frame = co->top; frame; frame = frame->caller) {
        if (!(frame->flags & FRAME_FIBER))
            continue;
        const struct coop_stack *stack = ((const struct coop_fiber *)frame)->own_->stack;
        *size += stack->size;
        if (peak)
            *peak += coop_stack_peak(stack);
    }
}
