/* switch.h - contexts: a stack and where on it to go on; the switch from one to another.

   For x86-64 and aarch64 the switch is a few instructions that the compiler puts where they
   are used; elsewhere, and with ./configure --with-switch=ucontext, it is swapcontext, which
   also asks the host to save a signal mask that never differs.

   Why inline. A switch that is a function saves every register that a function may not
   change. Here those count as overwritten by the asm statement, so that the compiler saves
   the ones that hold something at this place, often none, and its call frame information
   tells debuggers where they are. What is left is the stack pointer, the frame pointer,
   which no asm statement may name as overwritten, and the place to go on at. Do not use it
   in a function with arrays of variable length or alloca: there clang keeps a pointer of its
   own in rbx.

   Why jumps. A processor predicts where a ret leads from the calls that came before: each
   call pushes onto a stack that it keeps aside, each ret pops. A switch that ends in a ret
   goes where no call came from; it is mispredicted, and so are the ones after it, 5 ns each.
   An indirect jump is predicted from where it went the last times. Calls and returns must
   come in pairs beyond that, too. When the side that resumes has the switch inline in its
   loop, and the side that is resumed called a function to switch in, the ret of that function
   finds its own call on top, or that of another fiber at the same place. If the side that
   resumes called a function as well, each of the two rets finds the other's call.

   What of floating point. Both ABIs have a function keep the control bits: rounding, masks of
   exceptions. They are read at each switch, which is cheap, and loaded when those of the
   other side differ, which is not and hardly ever happens. A side that knows its own, since
   nothing that may have changed them ran there, need not read. Of x86-64's two control words it
   is the x87's that is read: to read mxcsr takes 5 ns on some processors (AMD Zen 5), more
   than all the rest. What <fenv.h> has sets the same in both, so when the x87's differ
   mxcsr's is made from the other side's. Flush-to-zero, denormals-are-zero, and a rounding set
   in mxcsr alone (_mm_setcsr) are the thread's, seen by all that run on it. So are status
   bits (what was inexact, what overflowed), as a function that is called may set them.

   Not saved: the signal mask, and the shadow stack of Intel's CET: the object of start.S says
   that it cannot live with one, so that the loader leaves it off for the whole program.
   Indirect branch tracking (endbr64) and aarch64's branch target identification (bti) work,
   and so do signed return addresses, as a stack never moves.

   A signal between the two instructions that load the stack pointer and jump finds a stack
   that is not its code's: profilers may show one wrong call stack there. */
#ifndef COOP_SWITCH_H
#define COOP_SWITCH_H

#include "fiber/annotate.h"

#include <stddef.h>
#include <stdint.h>

/* COOP_SWITCH_ASM: this way whatever configure chose. */
#if !defined COOP_SWITCH_UCONTEXT && !defined COOP_SWITCH_ASM
#if defined COOP_WITH_UCONTEXT || !defined __ELF__ || !defined __LP64__ \
    || !(defined __x86_64__ || defined __aarch64__)
#define COOP_SWITCH_UCONTEXT 1
#endif
#endif

#ifdef COOP_SWITCH_UCONTEXT
#include <ucontext.h>
#endif

/* Where a stack stands while another one is in use. That of a thread needs no making: it
   begins as zeros and is filled in by the first switch from it. It must not move. */
struct coop_context {
#ifdef COOP_SWITCH_UCONTEXT
    ucontext_t saved;
    void *pass;
    struct coop_context *came;     /* who switched to it last */
#else
    void *sp, *fp;                 /* in this order: the asm below */
    const void *pc;
#ifdef __x86_64__
    uint16_t control;              /* the x87 control word */
#else
    uint64_t control;              /* fpcr */
#endif
#endif
    unsigned valgrind;             /* its stack's number there */
#if defined COOP_SWITCH_UCONTEXT || defined COOP_ANNOTATED
    void (*entry)(void *arg, void *pass);
    void *arg;
#endif
#ifdef COOP_ANNOTATED
    struct coop_note note;
#endif
};

enum { COOP_STACK_ALIGN = 16 };

#pragma GCC visibility push(hidden)

/* The first switch to it calls entry(arg, pass) on that stack, with the floating-point
   control of now. entry must not return: it ends in coop_switch_last. */
void coop_context_make(struct coop_context *, void *low, size_t size,
                       void (*entry)(void *arg, void *pass), void *arg);

/* As often as it was made: it left for the last time, or is dropped. What is on its stack is
   not looked at. */
void coop_context_end(struct coop_context *);

#ifdef COOP_SWITCH_UCONTEXT

#define coop_save_control_(c) ((void)(c))      /* swapcontext does */

void *coop_swap_(struct coop_context **self, struct coop_context **other, void *pass);

COOP_SWITCHES _Noreturn void coop_leap_(struct coop_context *from, struct coop_context *to,
                                        void *pass)
{
    coop_swap_(&from, &to, pass);
    __builtin_trap();
}

#elif defined __x86_64__

COOP_SWITCHES void coop_save_control_(struct coop_context *c)
{
    __asm__ volatile("fnstcw %0" : "=m"(c->control));
}

/* Rounding and masks stand in both words, in the same order. */
COOP_SWITCHES void coop_control_(const struct coop_context *from,
                                 const struct coop_context *to)
{
    if (__builtin_expect(from->control != to->control, 0)) {
        uint32_t mxcsr;
        __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
        mxcsr = (mxcsr & ~(uint32_t)0x7f80) | (to->control & 0x3fu) << 7
            | (to->control & 0xc00u) << 3;
        __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(to->control));
    }
}

#ifdef __AVX512F__
#define COOP_MORE_CLOBBERS_ , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", \
    "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", \
    "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define COOP_MORE_CLOBBERS_
#endif

COOP_SWITCHES void *coop_swap_(struct coop_context **self, struct coop_context **other,
                               void *pass)
{
    struct coop_context *from = *self, *to = *other;
    coop_control_(from, to);
    __asm__ volatile(
        "leaq    1f(%%rip), %%rdx\n\t"
        "movq    %%rsp, (%%rdi)\n\t"
        "movq    %%rbp, 8(%%rdi)\n\t"
        "movq    %%rdx, 16(%%rdi)\n\t"
        "movq    8(%%rsi), %%rbp\n\t"
        "movq    16(%%rsi), %%rdx\n\t"
        "movq    (%%rsi), %%rsp\n\t"
        "jmp     *%%rdx\n"
        "1:\n\t"
        "endbr64"
        : "+a"(pass), "+D"(from), "+S"(to)
        :
        : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
          "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
          "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
          "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
          "cc", "memory" COOP_MORE_CLOBBERS_);
    *other = from;
    *self = to;
    return pass;
}

/* Nothing of the one that is left is kept. */
COOP_SWITCHES _Noreturn void coop_leap_(struct coop_context *from, struct coop_context *to,
                                        void *pass)
{
    coop_save_control_(from);
    coop_control_(from, to);
    __asm__ volatile(
        "movq    8(%%rsi), %%rbp\n\t"
        "movq    16(%%rsi), %%rdx\n\t"
        "movq    (%%rsi), %%rsp\n\t"
        "jmp     *%%rdx"
        :
        : "a"(pass), "D"(from), "S"(to)
        : "rdx", "memory");
    __builtin_unreachable();
}

#else

COOP_SWITCHES void coop_save_control_(struct coop_context *c)
{
    __asm__ volatile("mrs %0, fpcr" : "=r"(c->control));
}

COOP_SWITCHES void coop_control_(const struct coop_context *from,
                                 const struct coop_context *to)
{
    if (__builtin_expect(from->control != to->control, 0))
        __asm__ volatile("msr fpcr, %0" : : "r"(to->control));
}

#ifdef __ARM_FEATURE_SVE
#define COOP_MORE_CLOBBERS_ , "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", \
    "p10", "p11", "p12", "p13", "p14", "p15"
#else
#define COOP_MORE_CLOBBERS_
#endif

COOP_SWITCHES void *coop_swap_(struct coop_context **self, struct coop_context **other,
                               void *pass)
{
    struct coop_context *from = *self, *to = *other;
    coop_control_(from, to);
    register void *x0 __asm__("x0") = pass;
    register struct coop_context *x1 __asm__("x1") = from;
    register struct coop_context *x2 __asm__("x2") = to;
    __asm__ volatile(
        "adr     x5, 1f\n\t"
        "mov     x3, sp\n\t"
        "stp     x3, x29, [x1]\n\t"
        "str     x5, [x1, #16]\n\t"
        "ldp     x3, x29, [x2]\n\t"
        "ldr     x5, [x2, #16]\n\t"
        "mov     sp, x3\n\t"
        "br      x5\n"
        "1:\n\t"
        "hint    #36"              /* bti j */
        : "+r"(x0), "+r"(x1), "+r"(x2)
        :
        : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
          "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
          "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",
          "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22",
          "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31",
          "cc", "memory" COOP_MORE_CLOBBERS_);
    *other = x1;
    *self = x2;
    return x0;
}

/* Nothing of the one that is left is kept. */
COOP_SWITCHES _Noreturn void coop_leap_(struct coop_context *from, struct coop_context *to,
                                        void *pass)
{
    coop_save_control_(from);
    coop_control_(from, to);
    register void *x0 __asm__("x0") = pass;
    register struct coop_context *x1 __asm__("x1") = from;
    register struct coop_context *x2 __asm__("x2") = to;
    __asm__ volatile(
        "ldp     x3, x29, [x2]\n\t"
        "ldr     x5, [x2, #16]\n\t"
        "mov     sp, x3\n\t"
        "br      x5"
        :
        : "r"(x0), "r"(x1), "r"(x2)
        : "x3", "x5", "memory");
    __builtin_unreachable();
}

#endif

#pragma GCC visibility pop

/* That of a thread, which the first switch from it fills in. */
COOP_SWITCHES void coop_context_thread(struct coop_context *c)
{
#ifdef COOP_ANNOTATED
    *c = (struct coop_context){ 0 };
#endif
    coop_save_control_(c);
}

/* Leaves *self and goes on in *other: there the switch that left it returns pass, or its entry
   gets it. Returns what the switch back passes; *other is then who switched back. Both come
   back in registers, so that what is read by way of them need not wait for the stack: 2 ns.
   *self knows its floating-point control, by coop_context_thread or as it was before its last
   switch. */
COOP_SWITCHES void *coop_switch_known(struct coop_context **self, struct coop_context **other,
                                      void *pass)
{
    coop_note_leave(&(*self)->note, &(*other)->note, false);
    pass = coop_swap_(self, other, pass);
    coop_note_arrive(&(*self)->note);
    return pass;
}

/* The same, and it is read. */
COOP_SWITCHES void *coop_switch_meet(struct coop_context **self, struct coop_context **other,
                                     void *pass)
{
    coop_save_control_(*self);
    return coop_switch_known(self, other, pass);
}

COOP_SWITCHES void *coop_switch(struct coop_context *from, struct coop_context *to, void *pass)
{
    return coop_switch_meet(&from, &to, pass);
}

/* The same, and nothing is ever to come back. */
COOP_SWITCHES _Noreturn void coop_switch_last(struct coop_context *from,
                                              struct coop_context *to, void *pass)
{
    coop_note_leave(&from->note, &to->note, true);
    coop_leap_(from, to, pass);
}

#endif
