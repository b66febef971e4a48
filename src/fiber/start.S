/* start.S - where a context begins: the outermost frame of its stack. The first switch to it
   jumps here, with what it passes in the register in which it gives results; on the stack
   are the function to call and its argument.

   The caller's address is undefined: there debuggers and unwinders stop. The entry does not
   return, so it is jumped to, and no ret has to find its call (switch.h); the address that it
   would return to is a trap. A nop before it keeps the place before that address, which
   unwinders look at, behind the jump. */

#if defined __ELF__ && defined __LP64__ && defined __x86_64__

    .text
    .globl  coop_context_start
    .hidden coop_context_start
    .type   coop_context_start, @function
    .balign 16
coop_context_start:
    .cfi_startproc
    .cfi_undefined rip
    .cfi_def_cfa rsp, 16
    endbr64
    movq    (%rsp), %rdx
    movq    8(%rsp), %rdi
    movq    %rax, %rsi
    xorl    %ebp, %ebp
    leaq    1f(%rip), %rcx
    pushq   %rcx
    .cfi_def_cfa_offset 24
    jmp     *%rdx
    .cfi_def_cfa_offset 16
    nop
1:
    ud2
    .cfi_endproc
    .size   coop_context_start, . - coop_context_start

/* Indirect branch tracking: yes. A shadow stack: no, see switch.h. */
    .section .note.gnu.property, "a"
    .balign 8
    .long   4, 16, 5
    .asciz  "GNU"
    .long   0xc0000002, 4, 1, 0

#elif defined __ELF__ && defined __LP64__ && defined __aarch64__

    .text
    .globl  coop_context_start
    .hidden coop_context_start
    .type   coop_context_start, %function
    .balign 16
coop_context_start:
    .cfi_startproc
    .cfi_undefined x30
    .cfi_def_cfa sp, 16
    hint    #36                     /* bti j */
    mov     x1, x0
    ldp     x16, x0, [sp]
    mov     x29, xzr
    adr     x30, 1f
    br      x16
    nop
1:
    brk     #1
    .cfi_endproc
    .size   coop_context_start, . - coop_context_start

/* Branch target identification and signed return addresses: yes. */
    .section .note.gnu.property, "a"
    .balign 8
    .long   4, 16, 5
    .asciz  "GNU"
    .long   0xc0000000, 4, 3, 0

#endif

#ifdef __ELF__
    .section .note.GNU-stack, "", %progbits
#endif
