/* run.c - fibers: a function on a stack of its own is one more kind of frame. Where a routine
   returns to the trampoline, a fiber switches to it, and is resumed by switching back. */
#include "fiber/run.h"
#include "fiber/slab.h"
#include "machine/crash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A fiber that is to end, and does not, is known by so many calls that failed, or by very many
   that did not. */
enum { FAILED = 100, MADE = 1, REFUSES = 1000 * FAILED };

struct coop_defer {
    struct coop_defer *next;
    void (*fn)(void *arg);
    void *arg;
};

_Thread_local struct coop_fiber_ *coop_fiber_running COOP_TLS;

/* The calling thread's stacks: there are fibers without a scheduler, too. */
static _Thread_local struct coop_stacks *stacks COOP_TLS;
static _Thread_local void *watch COOP_TLS;
static _Thread_local int64_t trimmed COOP_TLS;     /* when it was last looked for idle ones */

#define LONG COOP_S(10)

/* ---- On the fiber's stack ---- */

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

static void coop_fiber_enter(void *arg, void *pass)
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
    if (own->refusals >= REFUSES)
        return true;
    own->refusals += t->co.value == -ECANCELED ? FAILED : MADE;
    if (own->refusals < REFUSES)
        return false;
    if (is_by_hand(own))
        coop_report(coop_this, "coroutine %s was to end, and goes on making calls: it does not "
                    "look at their results", coop_name_of(t));
    else
        coop_report(coop_this, "task %td %s is to end, and goes on making calls: it does not "
                    "look at their results", t->tid, coop_name_of(t));
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

/* ---- On the stack of who resumes it ---- */

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

static int open_stacks(void)
{
    struct coop_stacks_options options = {
        .size = coop_this ? coop_this->stack_size : 0,
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
    size_t size = f->stack ? f->stack : coop_this ? coop_this->stack_size : 0;
    if (COOP_RARE(r < 0))
        return r;
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

static __attribute__((noinline)) void drop_defers(struct coop_fiber_ *own)
{
    while (own->defers) {
        struct coop_defer *d = own->defers;
        own->defers = d->next;
        free(d);
    }
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
        drop_defers(own);
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
