/* registers.h - the registers that a function must leave as they were. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdbool.h>

enum { REGISTERS_KNOWN =
#if defined __LP64__ && (defined __x86_64__ || defined __aarch64__)
    true
#else
    false
#endif
};

/* Fills all of them, calls, and sees whether they are the same. */
bool registers_kept(void (*call)(void));
/* Fills all of them with something else, calls, and puts back what was in them. */
void registers_spoilt(void (*call)(void));

#endif
