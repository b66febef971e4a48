/* registers.c - fills the registers of the processor, which C cannot name. */
#include "config.h"

#include "registers.h"

#include <stdint.h>

#if defined __LP64__ && defined __x86_64__

/* Register n gets first + n; gives what differs after the call. */
static __attribute__((noinline)) uint64_t filled(void (*call)(void), uint64_t first)
{
    uint64_t differs;
    __asm__ volatile(
        "leaq    -128(%%rsp), %%rsp\n\t"        /* what a leaf function has below */
        "pushq   %%rbp\n\t"
        "movq    %%rsp, %%rax\n\t"
        "andq    $-16, %%rsp\n\t"
        "pushq   %%rax\n\t"
        "pushq   %%rsi\n\t"
        "leaq    1(%%rsi), %%rbx\n\t"
        "leaq    2(%%rsi), %%rbp\n\t"
        "leaq    3(%%rsi), %%r12\n\t"
        "leaq    4(%%rsi), %%r13\n\t"
        "leaq    5(%%rsi), %%r14\n\t"
        "leaq    6(%%rsi), %%r15\n\t"
        "call    *%%rdi\n\t"
        "movq    (%%rsp), %%rsi\n\t"
        "decq    %%rbx\n\t"
        "subq    $2, %%rbp\n\t"
        "subq    $3, %%r12\n\t"
        "subq    $4, %%r13\n\t"
        "subq    $5, %%r14\n\t"
        "subq    $6, %%r15\n\t"
        "xorl    %%eax, %%eax\n\t"
        "xorq    %%rsi, %%rbx\n\t"
        "orq     %%rbx, %%rax\n\t"
        "xorq    %%rsi, %%rbp\n\t"
        "orq     %%rbp, %%rax\n\t"
        "xorq    %%rsi, %%r12\n\t"
        "orq     %%r12, %%rax\n\t"
        "xorq    %%rsi, %%r13\n\t"
        "orq     %%r13, %%rax\n\t"
        "xorq    %%rsi, %%r14\n\t"
        "orq     %%r14, %%rax\n\t"
        "xorq    %%rsi, %%r15\n\t"
        "orq     %%r15, %%rax\n\t"
        "movq    8(%%rsp), %%rsp\n\t"
        "popq    %%rbp\n\t"
        "leaq    128(%%rsp), %%rsp"
        : "=a"(differs), "+D"(call), "+S"(first)
        :
        : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
          "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
          "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
    return differs;
}

#elif defined __LP64__ && defined __aarch64__

#define EACH_X(X) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29)
#define EACH_D(X) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define FILL_X(n) "add x" #n ", x1, #" #n "\n\t"
#define FILL_D(n) "add x2, x1, #" #n "\n\tfmov d" #n ", x2\n\t"
#define LOOK_X(n) "sub x" #n ", x" #n ", #" #n "\n\teor x" #n ", x" #n ", x1\n\t" \
    "orr x0, x0, x" #n "\n\t"
#define LOOK_D(n) "fmov x2, d" #n "\n\tsub x2, x2, #" #n "\n\teor x2, x2, x1\n\t" \
    "orr x0, x0, x2\n\t"

static __attribute__((noinline)) uint64_t filled(void (*call)(void), uint64_t first)
{
    register uint64_t x0 __asm__("x0") = (uint64_t)(uintptr_t)call;
    register uint64_t x1 __asm__("x1") = first;
    __asm__ volatile(
        "stp     x29, x1, [sp, #-16]!\n\t"
        EACH_X(FILL_X) EACH_D(FILL_D)
        "blr     x0\n\t"
        "ldr     x1, [sp, #8]\n\t"
        "mov     x0, xzr\n\t"
        EACH_X(LOOK_X) EACH_D(LOOK_D)
        "ldp     x29, x1, [sp], #16"
        : "+r"(x0), "+r"(x1)
        :
        : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
          "x15", "x16", "x17", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26",
          "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",
          "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20",
          "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31",
          "cc", "memory");
    return x0;
}

#else

static uint64_t filled(void (*call)(void), uint64_t first)
{
    (void)first;
    call();
    return 0;
}

#endif

bool registers_kept(void (*call)(void))
{
    return filled(call, UINT64_C(0x1111222233334400)) == 0;
}

void registers_spoilt(void (*call)(void))
{
    filled(call, UINT64_C(0xeeeedddd5555aa00));
}
