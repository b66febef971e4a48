/* unwind.c - the functions on a stack that is not the caller's own. */
#include "config.h"

#include "fiber/cfi.h"
#include "fiber/fiber.h"

#include <ucontext.h>

static size_t walk(struct cfi_frame *f, void **pcs, size_t most)
{
    size_t n = 0;
    while (n < most) {
        pcs[n++] = (void *)f->pc;
        if (!coop_cfi_step(f))
            break;
    }
    return n;
}

static void put(struct cfi_frame *f, unsigned number, uintptr_t value)
{
    f->value[number] = value;
    f->known |= UINT64_C(1) << number;
}

/* False: the processor is not known here. */
static bool registers(struct cfi_frame *f, const ucontext_t *u)
{
#if defined __linux__ && defined __LP64__ && defined __x86_64__
    static const unsigned char at[] = {
        REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8, REG_R9,
        REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15
    };
    for (unsigned i = 0; i < sizeof at; i++)
        put(f, i, (uintptr_t)u->uc_mcontext.gregs[at[i]]);
    f->pc = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
    return true;
#elif defined __linux__ && defined __LP64__ && defined __aarch64__
    for (unsigned i = 0; i < CFI_SP; i++)
        put(f, i, (uintptr_t)u->uc_mcontext.regs[i]);
    put(f, CFI_SP, (uintptr_t)u->uc_mcontext.sp);
    f->pc = (uintptr_t)u->uc_mcontext.pc;
    return true;
#else
    (void)f, (void)u;
    return false;
#endif
}

size_t coop_stack_trace(const struct coop_stack *s, const struct coop_context *c, void **pcs,
                        size_t most)
{
    struct cfi_frame f = { .low = (uintptr_t)s->low, .high = (uintptr_t)s->low + s->size };
#ifdef COOP_SWITCH_UCONTEXT
    if (!registers(&f, &c->saved))
        return 0;
#else
    put(&f, CFI_FP, (uintptr_t)c->fp);
    put(&f, CFI_SP, (uintptr_t)c->sp);
    f.pc = (uintptr_t)c->pc;
#endif
    return walk(&f, pcs, most);
}

size_t coop_overflow_trace(const struct coop_overflow *o, void **pcs, size_t most)
{
    struct cfi_frame f = {
        .low = (uintptr_t)o->stack->low, .high = (uintptr_t)o->stack->low + o->stack->size
    };
    return registers(&f, o->context) ? walk(&f, pcs, most) : 0;
}
