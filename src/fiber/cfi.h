/* cfi.h - call frame information: what compilers write (.eh_frame, DWARF) of how to get from
   a function's registers to its caller's. */
#ifndef COOP_CFI_H
#define COOP_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By DWARF's numbers. */
#ifdef __aarch64__
enum { CFI_REGISTERS = 32, CFI_FP = 29, CFI_SP = 31, CFI_PC = -1 };
#else
enum { CFI_REGISTERS = 17, CFI_FP = 6, CFI_SP = 7, CFI_PC = 16 };
#endif

/* What is known of a function that has not returned. */
struct cfi_frame {
    uintptr_t pc;
    uintptr_t value[CFI_REGISTERS];
    uint64_t known;                /* a bit for each of them */
    bool called;                   /* pc is behind a call, which may be its code's last */
    uintptr_t low, high;           /* of its stack; nothing else is read */
};

#pragma GCC visibility push(hidden)

/* Goes to the caller. False: there is none, or nothing tells of it. */
bool coop_cfi_step(struct cfi_frame *);

#pragma GCC visibility pop

#endif
