/* trace.c - which of the program's functions are on a fiber's stack. */
#include "fiber/run.h"
#include "machine/crash.h"

#include <string.h>
#include <ucontext.h>

/* While its overflow is told of: the one of the fiber that runs. */
_Thread_local const struct coop_overflow *coop_overflown COOP_TLS;

static size_t coop_here(const struct coop_stack *stack, void **pcs, size_t most)
{
    ucontext_t here;
    return getcontext(&here) < 0 ? 0
        : coop_overflow_trace(&(struct coop_overflow){ .stack = (struct coop_stack *)stack,
                                                       .context = &here }, pcs, most);
}

/* A fiber that has resumed another one by hand stands where it switched to that. */
static size_t all_functions(const struct coop_fiber_ *own, void **pcs, size_t most)
{
    const struct coop_fiber_ *inner = NULL;
    for (const struct coop_fiber_ *f = coop_fiber_running; f; inner = f, f = f->outer)
        if (f == own)
            return inner ? coop_stack_trace(own->stack, inner->host, pcs, most)
                : coop_overflown ? coop_overflow_trace(coop_overflown, pcs, most)
                : coop_here(own->stack, pcs, most);
    return coop_stack_trace(own->stack, &own->context, pcs, most);
}

/* By its module, or, where the library is a part of the program, by its name: so functions
   that are always there have the prefix even if they are static. */
static bool is_ours(const void *pc, const struct coop_module *ours, bool apart)
{
    struct coop_module m;
    char name[8];
    if (apart)
        return coop_module_at(pc, &m) && m.base == ours->base;
    coop_print_code(pc, name, sizeof name);
    return strncmp(name, "coop_", 5) == 0;
}

/* What may be below the outermost function of ours: makecontext's. */
#ifdef COOP_SWITCH_UCONTEXT
enum { BELOW = 2 };
#else
enum { BELOW = 0 };
#endif

static size_t without_outermost(const void **codes, size_t n, const struct coop_module *ours,
                                bool apart)
{
    for (size_t below = 1; below <= BELOW && below < n; below++)
        if (is_ours(codes[n - 1 - below], ours, apart)) {
            n -= below;
            break;
        }
    while (n && is_ours(codes[n - 1], ours, apart))
        n--;
    return n;
}

size_t coop_fiber_functions(const coop_frame *frame, const void **codes)
{
    const struct coop_fiber *f = (const struct coop_fiber *)frame;
    void *pcs[COOP_MOST_FUNCTIONS];
    struct coop_module ours, theirs;
    if (!(frame->flags & FRAME_FIBER))
        return 0;
    size_t n = all_functions(f->own_, pcs, COOP_MOST_FUNCTIONS), first = 0;
    bool apart = coop_module_at((const void *)(uintptr_t)coop_fiber_functions, &ours)
        && coop_module_at((const void *)(uintptr_t)f->fn, &theirs) && theirs.base != ours.base;
    for (size_t i = 0; i < n; i++)
        codes[i] = (const char *)pcs[i] - (i > 0);  /* a call may be a function's end */
    n = without_outermost(codes, n, &ours, apart);
    while (first < n && is_ours(codes[first], &ours, apart))
        first++;
    memmove(codes, codes + first, (n - first) * sizeof *codes);
    return n - first;
}
